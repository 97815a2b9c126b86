/* filters.c - see filters.h. */
#include "p2p/serve/filters.h"

#include <string.h>

#include "chain/ask/block_filter.h"
#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"
#include "p2p/peer/send.h"
#include "util/alloc.h"
#include "util/array.h"

/* One read of the index. Outlives its peer: it counts among the reads under way until the disk has
 * answered. */
struct filters_read {
    struct p2p *p2p;
    uint64_t peer;
    enum filters_kind kind;
    struct buffer bytes;   /* messages "cfilter" one behind the other, or hashes */
    ARRAY(size_t) lengths; /* of the messages */
};

bool filters_is_busy(const struct peer *peer)
{
    return peer->filters.kind != FILTERS_NONE;
}

static void end_request(struct p2p *p2p, struct peer *peer)
{
    ASSERT(!filters_is_busy(peer) || p2p_filters_of(p2p)->n_busy > 0);
    p2p_filters_of(p2p)->n_busy -= filters_is_busy(peer);
    buffer_deinit(&peer->filters.reply);
    peer->filters = (struct peer_filters){.is_reading = peer->filters.is_reading};
}

void filters_peer_gone(struct p2p *p2p, struct peer *peer)
{
    end_request(p2p, peer);
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* On another thread. BIP-157, cfilter */
static bool take_filter(struct filters_read *read, const struct chain_filter *filter)
{
    size_t before = read->bytes.len;
    struct writer w = writer_to_growing(&read->bytes);
    write_u8(&w, BLOCK_FILTER_BASIC);
    write_bytes(&w, filter->block->b, 32);
    write_compact_size(&w, filter->filter.len);
    write_span(&w, filter->filter);
    *ARRAY_ADD(&read->lengths) = read->bytes.len - before;
    return read->bytes.len < FILTERS_PART_BYTES;
}

/* Of headers the first that is read is the one before the range, and only linked to.
 * BIP-157, cfheaders; BIP-157, cfcheckpt */
static bool visit(void *arg, const struct chain_filter *filter)
{
    struct filters_read *read = arg;
    if (read->kind == FILTERS_FILTERS)
        return take_filter(read, filter);
    buffer_append(&read->bytes, filter->hash, 32);
    buffer_append(&read->bytes, filter->header, 32);
    return true;
}

static void read_free(struct filters_read *read)
{
    buffer_deinit(&read->bytes);
    ARRAY_FREE(&read->lengths);
    xfree(read);
}

static int32_t step_of(enum filters_kind kind)
{
    return kind == FILTERS_CHECKPOINTS ? FILTER_CHECKPOINT_INTERVAL : 1;
}

static void send_filters(struct p2p *p2p, struct peer *peer, const struct filters_read *read)
{
    size_t at = 0;
    for (size_t i = 0; i < read->lengths.n; i++) {
        peer_send(p2p, peer, "cfilter", span_of(read->bytes.p + at, read->lengths.at[i]));
        at += read->lengths.at[i];
    }
    ASSERT(at == read->bytes.len);
}

/* All hashes and headers are here, 64 bytes for each block. */
static void send_reply(struct p2p *p2p, struct peer *peer)
{
    const struct peer_filters *have = &peer->filters;
    bool is_checkpoints = have->kind == FILTERS_CHECKPOINTS;
    static const uint8_t none[32] = {0};
    struct buffer message;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    const uint8_t *at = have->reply.p;
    size_t n = have->reply.len / 64;
    write_u8(&w, BLOCK_FILTER_BASIC);
    write_bytes(&w, have->last->hash.b, 32);
    if (!is_checkpoints) {
        write_bytes(&w, have->has_previous ? at + 32 : none, 32);
        at += have->has_previous ? 64 : 0;
        n -= have->has_previous ? 1 : 0;
    }
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        write_bytes(&w, at + 64 * i + (is_checkpoints ? 32 : 0), 32);
    peer_send(p2p, peer, is_checkpoints ? "cfcheckpt" : "cfheaders", buffer_span(&message));
    buffer_deinit(&message);
}

/* Part of it is here. Where the index does not have it, nothing more is answered, as in Core. */
static void take_part(struct p2p *p2p, struct peer *peer, const struct filters_read *read,
                      int error, size_t n)
{
    struct peer_filters *have = &peer->filters;
    if (error) {
        log_printf(p2p_log_of(p2p), LOG_NET, "peer=%llu: filters cannot be read: %s",
                   peer_shown(peer->id), strerror(-error));
        end_request(p2p, peer);
        return;
    }
    have->next += (int32_t)n * step_of(have->kind);
    if (read->kind == FILTERS_FILTERS)
        send_filters(p2p, peer, read);
    else
        buffer_append(&have->reply, read->bytes.p, read->bytes.len);
    if (have->next <= have->last->height)
        return;
    if (read->kind != FILTERS_FILTERS)
        send_reply(p2p, peer);
    end_request(p2p, peer);
}

static void read_done(void *arg, int error, size_t n)
{
    struct filters_read *read = arg;
    struct p2p *p2p = read->p2p;
    struct peer *peer = p2p_find_peer(p2p, read->peer);
    struct filters *filters = p2p_filters_of(p2p);
    ASSERT(filters->n_reads > 0);
    filters->n_reads--;
    p2p_enter(p2p);
    if (peer) {
        peer->filters.is_reading = false;
        if (filters_is_busy(peer))
            take_part(p2p, peer, read, error, n);
    }
    p2p_schedule_part_now(p2p, TURN_PEERS); /* it, or who waited, goes on */
    p2p_leave(p2p);
    read_free(read);
}

static void start_read(struct p2p *p2p, struct peer *peer)
{
    struct peer_filters *have = &peer->filters;
    int32_t step = step_of(have->kind);
    int32_t end = have->next + (FILTERS_PART_BLOCKS - 1) * step;
    ASSERT(have->next <= have->last->height);
    const struct block_node *last = have->last;
    if (end < last->height)
        last = block_node_ancestor(last, end);
    struct chain_filter_range range = {.first = have->next,
                                       .step = step,
                                       .last = last,
                                       .wants_filters = have->kind == FILTERS_FILTERS};
    struct filters_read *read = xcalloc(1, sizeof *read);
    *read = (struct filters_read){.p2p = p2p, .peer = peer->id, .kind = have->kind};
    buffer_init(&read->bytes);
    have->is_reading = true;
    p2p_filters_of(p2p)->n_reads++;
    chain_visit_filters(p2p_chain_of(p2p), &range, visit, read_done, read);
}

int64_t filters_tick(struct p2p *p2p, int64_t now_us)
{
    (void)now_us;
    const struct filters *filters = p2p_filters_of(p2p);
    struct peer *peer = filters->n_busy > 0 ? p2p_first_peer(p2p) : NULL;
    for (; peer; peer = peer->next) {
        if (filters->n_reads >= FILTERS_READS_MAX)
            break;
        if (filters_is_busy(peer) && !peer->filters.is_reading && peer_has_room(p2p, peer) &&
            !peer_turn_is_over(peer))
            start_read(p2p, peer);
    }
    return INT64_MAX;
}

/* -- Requests ---------------------------------------------------------------------------------- */

/* Type, height and hash of a request. Spec: Core PrepareBlockFilterRequest(), for what is a fault
 */
static enum fault read_request(struct p2p *p2p, struct peer *peer, struct reader *r,
                               bool has_height, uint32_t max_blocks)
{
    struct block_hash stop;
    uint8_t type = read_u8(r);
    uint32_t first = has_height ? read_u32(r) : 0;
    read_bytes(r, stop.b, sizeof stop.b);
    if (r->failed)
        return FAULT_MALFORMED;
    if (type != BLOCK_FILTER_BASIC || !(peer->our_services & NODE_COMPACT_FILTERS))
        return FAULT_FILTER_TYPE;
    const struct block_node *last = chain_find(p2p_chain_of(p2p), &stop);
    if (!last || !locate_is_public(p2p, last))
        return FAULT_FILTER_BLOCK;
    uint32_t height = (uint32_t)last->height;
    if (first > height || (has_height && height - first >= max_blocks))
        return FAULT_FILTER_RANGE;
    peer->filters.last = last;
    peer->filters.next = (int32_t)first;
    return FAULT_NONE;
}

static enum fault begin(struct p2p *p2p, struct peer *peer, enum filters_kind kind)
{
    ASSERT(!filters_is_busy(peer));
    peer->filters.kind = kind;
    p2p_filters_of(p2p)->n_busy++;
    buffer_init(&peer->filters.reply);
    p2p_schedule_part_now(p2p, TURN_PEERS);
    return FAULT_NONE;
}

enum fault filters_on_getcfilters(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    enum fault fault = read_request(p2p, peer, r, true, FILTERS_MAX);
    return fault == FAULT_NONE ? begin(p2p, peer, FILTERS_FILTERS) : fault;
}

enum fault filters_on_getcfheaders(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    enum fault fault = read_request(p2p, peer, r, true, FILTER_HEADERS_MAX);
    if (fault != FAULT_NONE)
        return fault;
    peer->filters.has_previous = peer->filters.next > 0;
    peer->filters.next -= peer->filters.has_previous ? 1 : 0;
    return begin(p2p, peer, FILTERS_HEADERS);
}

/* Of a chain that has no checkpoint yet there is an answer too. */
enum fault filters_on_getcfcheckpt(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    enum fault fault = read_request(p2p, peer, r, false, 0);
    if (fault != FAULT_NONE)
        return fault;
    peer->filters.next = FILTER_CHECKPOINT_INTERVAL;
    (void)begin(p2p, peer, FILTERS_CHECKPOINTS);
    if (peer->filters.last->height < FILTER_CHECKPOINT_INTERVAL) {
        send_reply(p2p, peer);
        end_request(p2p, peer);
    }
    return FAULT_NONE;
}
