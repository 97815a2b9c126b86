/* upload.h - -maxuploadtarget: how much may still be sent today.
 *
 * Layer: p2p. Pure. A target is a wish, as in Core: what is new goes out whatever was sent; only
 * old blocks are kept back, early enough that each new block of the day can be relayed once. */
#ifndef P2P_PEER_UPLOAD_H
#define P2P_PEER_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#define UPLOAD_CYCLE_S      86400           /* the time that the target is for */
#define UPLOAD_HISTORICAL_S (7 * 24 * 3600) /* older than the best header by that: historical */

struct upload {
    uint64_t target_bytes;   /* of a cycle; 0: no limit */
    uint64_t sent_bytes;     /* in this cycle */
    int64_t spacing_s;       /* of blocks, in the mean */
    int64_t cycle_started_s; /* wall clock; 0: nothing was sent yet */
};

/* Count bytes that leave now; begins a new cycle when the last one is over. */
void upload_count(struct upload *upload, uint64_t bytes, int64_t now_s);
/* All of the target is used. */
bool upload_is_reached(const struct upload *upload);
/* May historical blocks be served? Not when what is left is needed for the blocks to come. */
bool upload_serves_historical(const struct upload *upload, int64_t now_s);
/* Bytes that are left of this cycle; 0 without a target. */
uint64_t upload_bytes_left(const struct upload *upload);
/* Seconds that are left of this cycle; 0 without a target. */
int64_t upload_time_left_s(const struct upload *upload, int64_t now_s);

#endif
