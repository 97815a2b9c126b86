/* upload.c - see upload.h. Spec: Core CConnman::OutboundTargetReached() */
#include "p2p/peer/upload.h"

#include "util/assert.h"

#define BLOCK_BYTES_MAX UINT64_C(4000000) /* BIP141: no block has more */

void upload_count(struct upload *upload, uint64_t bytes, int64_t now_s)
{
    if (upload->cycle_started_s + UPLOAD_CYCLE_S < now_s) {
        upload->cycle_started_s = now_s;
        upload->sent_bytes = 0;
    }
    ASSERT(upload->sent_bytes + bytes >= bytes);
    upload->sent_bytes += bytes;
}

bool upload_is_reached(const struct upload *upload)
{
    return upload->target_bytes > 0 && upload->sent_bytes >= upload->target_bytes;
}

int64_t upload_time_left_s(const struct upload *upload, int64_t now_s)
{
    if (upload->target_bytes == 0)
        return 0;
    if (upload->cycle_started_s == 0)
        return UPLOAD_CYCLE_S;
    int64_t end_s = upload->cycle_started_s + UPLOAD_CYCLE_S;
    return end_s < now_s ? 0 : end_s - now_s;
}

bool upload_serves_historical(const struct upload *upload, int64_t now_s)
{
    if (upload->target_bytes == 0)
        return true;
    ASSERT(upload->spacing_s > 0);
    /* What new blocks may take until the cycle ends is kept for them: old ones can wait. */
    uint64_t blocks = (uint64_t)(upload_time_left_s(upload, now_s) / upload->spacing_s);
    uint64_t reserve = blocks * BLOCK_BYTES_MAX;
    return reserve < upload->target_bytes && upload->sent_bytes < upload->target_bytes - reserve;
}

uint64_t upload_bytes_left(const struct upload *upload)
{
    return upload->sent_bytes < upload->target_bytes ? upload->target_bytes - upload->sent_bytes
                                                     : 0;
}
