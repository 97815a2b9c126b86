/* block_late.c - see block_late.h. */
#include "p2p/blocks/block_late.h"

#include "p2p/blocks/block_plan.h"
#include "p2p/state.h"
#include "util/planted.h"

#define SOONER_FACTOR 1.3 /* in initial download a second peer must be so much quicker */
#define DOUBLINGS_MAX 8   /* of the wait, two for each peer asked before */

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* -- Progress ------------------------------------------------------------------------------------
 */

/* Is the block that is being read one that this peer owes, or owed before others delivered it? */
static bool is_asked_block(const struct p2p *p2p, const struct peer *peer)
{
    struct block_header header;
    struct reader r = reader_of(span_of(peer->frame.payload, BLOCK_HEADER_BYTES));
    if (!block_header_decode(&r, &header))
        return false;
    struct block_hash hash = block_header_hash(&header);
    const struct block_node *node = chain_find(p2p->chain, &hash);
    const struct block_request *request = node ? block_request_find(&p2p->fetch, node) : NULL;
    if (node && !request)
        return peer->fetch.n_late > 0;
    return request && (block_request_slot(request, peer->id) >= 0 ||
                       block_request_was_tried(request, peer->id));
}

bool block_late_is_asked(const struct p2p *p2p, const struct peer *peer)
{
    (void)p2p;
    return peer->fetch.n_in_flight > 0 || peer->fetch.n_late > 0;
}

static void heard(struct p2p *p2p, struct peer *peer, bool is_block)
{
    struct peer_fetch *fetch = &peer->fetch;
    const struct frame_reader *frame = &peer->frame;
    if (!frame_is_open(frame) || frame->is_discarded || frame->payload_len < BLOCK_HEADER_BYTES) {
        fetch->is_known = fetch->is_asked = false;
        fetch->counted = 0;
        return;
    }
    if (!fetch->is_known) {
        fetch->is_known = true;
        fetch->is_asked = is_block && !frame->is_sealed ? is_asked_block(p2p, peer)
                                                        : block_late_is_asked(p2p, peer);
    }
    if (!fetch->is_asked || frame->payload_len - fetch->counted < BLOCK_LATE_PROGRESS_BYTES)
        return;
    fetch->counted = frame->payload_len;
    fetch->heard_us = p2p_now_us(p2p);
}

void block_late_heard(struct p2p *p2p, struct peer *peer)
{
    heard(p2p, peer, true);
}

void block_late_heard_compact(struct p2p *p2p, struct peer *peer)
{
    heard(p2p, peer, false);
}

void block_late_delivered(struct peer *peer, int64_t now_us)
{
    ASSERT(peer->fetch.stall_us >= BLOCK_LATE_STALL_US);
    struct peer_fetch *fetch = &peer->fetch;
    fetch->heard_us = fetch->last_delivery_us = now_us;
    fetch->n_stalls = 0;
    if (fetch->is_stalled || fetch->is_on_trial) {
        /* It was only slow: be more patient with it. */
        fetch->is_stalled = fetch->is_on_trial = false;
        fetch->stall_us = fetch->stall_us * 2 < BLOCK_LATE_STALL_MAX_US ? fetch->stall_us * 2
                                                                        : BLOCK_LATE_STALL_MAX_US;
        return;
    }
    fetch->stall_us = later_of(fetch->stall_us * 85 / 100, BLOCK_LATE_STALL_US);
}

/* -- Who has stopped answering -------------------------------------------------------------------
 */

static double rtt_s(const struct peer *peer)
{
    return peer->score.min_ping_us < 0 ? -1 : (double)peer->score.min_ping_us / 1e6;
}

/* Something that this peer owes, and that others may be asked for. */
static const struct block_request *find_owed(const struct p2p *p2p, const struct peer *peer)
{
    LIST_EACH (struct block_request, r, &p2p->fetch.requests, link)
        if (!r->is_delivered && block_request_slot(r, peer->id) >= 0)
            return r;
    return NULL;
}

/* Somebody else could deliver what this peer owes; at once, as he owes nothing himself. */
static bool has_substitute(const struct p2p *p2p, const struct peer *silent, bool at_once)
{
    const struct block_request *owed = find_owed(p2p, silent);
    for (const struct peer *peer = p2p->peers; owed && peer; peer = peer->next)
        if (peer != silent && !peer->fetch.is_stalled && peer_can_serve(peer, owed->node) &&
            (!at_once || (peer->fetch.n_in_flight == 0 && !peer->fetch.is_on_trial)))
            return true;
    return false;
}

/* Its silence is ours: we do not read it because of what we have not done, while it has taken all
 * that we did. */
static bool is_our_pause(const struct p2p *p2p, const struct peer *peer)
{
    return peer->is_paused && env_stream_queued_bytes(p2p->env, peer->stream) == 0;
}

static void give_up_all(struct p2p *p2p, const struct peer *peer)
{
    LIST_EACH (struct block_request, r, &p2p->fetch.requests, link) {
        int slot = block_request_slot(r, peer->id);
        if (slot >= 0)
            r->is_given_up[slot] = true;
    }
}

/* It has been silent for so long that others are asked. */
static bool is_silent(const struct p2p *p2p, const struct peer *peer, int64_t now_us)
{
    const struct peer_fetch *fetch = &peer->fetch;
    int64_t silent_us = now_us - later_of(fetch->heard_us, fetch->busy_since_us);
    if (silent_us >= fetch->stall_us)
        return true;
    int64_t rtt_us =
        peer->score.min_ping_us < 0 ? (int64_t)(PLAN_RTT_UNKNOWN * 1e6) : peer->score.min_ping_us;
    int64_t part_us = fetch->stall_us / BLOCK_LATE_IDLE_PART;
    part_us = MIN_OF(part_us, BLOCK_LATE_IDLE_MAX_US);
    return silent_us >= part_us + rtt_us && has_substitute(p2p, peer, true);
}

/* Who was silent and makes progress, or speaks again after a while, gets another chance. */
static void revive(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    struct peer_fetch *fetch = &peer->fetch;
    ASSERT(fetch->n_stalls > 0);
    unsigned doublings = fetch->n_stalls - 1 < DOUBLINGS_MAX ? fetch->n_stalls - 1 : DOUBLINGS_MAX;
    int64_t backoff_us = BLOCK_LATE_BACKOFF_US << doublings;
    bool has_spoken = peer->last_recv_us > fetch->stalled_at_us;
    if (fetch->heard_us <= fetch->stalled_at_us &&
        (!has_spoken || now_us - fetch->stalled_at_us < backoff_us))
        return;
    fetch->is_stalled = false;
    fetch->is_on_trial = true;
    p2p->fetch.wants_run = true;
}

static void fall_silent(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    struct peer_fetch *fetch = &peer->fetch;
    log_printf(p2p->log, LOG_NET, "peer=%llu owes %zu blocks and is silent",
               peer_shown(peer->id), fetch->n_in_flight);
    fetch->is_stalled = true;
    fetch->stalled_at_us = now_us;
    fetch->n_stalls++;
    give_up_all(p2p, peer);
    p2p->fetch.wants_run = true;
}

static void check_peer(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    struct peer_fetch *fetch = &peer->fetch;
    if (fetch->is_stalled)
        revive(p2p, peer, now_us);
    bool is_borne = PLANTED(p2p->env, SILENCE_IS_BORNE) || PLANTED(p2p->env, ONE_OWES_A_BLOCK);
    if (peer->state != PEER_READY || fetch->n_in_flight == 0 || is_borne ||
        !is_silent(p2p, peer, now_us))
        return;
    if (!fetch->is_stalled)
        fall_silent(p2p, peer, now_us);
    if (peer->class == PEER_MANUAL || is_our_pause(p2p, peer))
        return;
    int64_t block_us = later_of(fetch->last_delivery_us, fetch->busy_since_us);
    bool is_hopeless =
        now_us - block_us > BLOCK_LATE_GIVE_UP_US || fetch->n_stalls >= BLOCK_LATE_STALLS_MAX;
    if (is_hopeless && has_substitute(p2p, peer, false))
        peer_drop(p2p, peer, "owes blocks and delivers none");
}

void block_late_check(struct p2p *p2p, int64_t now_us)
{
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        check_peer(p2p, peer, now_us);
    }
}

/* -- Second peers --------------------------------------------------------------------------------
 */

/* It extends what we have next to the tip, and we are not catching up: then asking twice would
 * double all traffic. */
static bool is_near(const struct p2p *p2p, const struct block_node *node)
{
    int32_t top = chain_tip(p2p->chain)->height + BLOCK_LATE_NEAR;
    return !chain_is_initial_download(p2p->chain) && chain_best_header(p2p->chain)->height <= top &&
           node->height <= top;
}

/* What is here of it came so quickly that the rest may come before another one's would. */
static bool is_nearly_here(const struct p2p *p2p, const struct block_request *request, int slot,
                           int64_t now_us)
{
    const struct peer *peer = p2p_find_peer(p2p, request->peer[slot]);
    if (!peer || !peer->fetch.is_asked || peer->frame.payload_len == 0)
        return false;
    double waited_us = (double)(now_us - request->asked_us[slot]);
    double left = (double)(peer->frame.payload_size - peer->frame.payload_len);
    return left / (double)peer->frame.payload_len * waited_us < (double)BLOCK_LATE_NEAR_US;
}

/* How the peers that owe it stand. */
struct owed {
    size_t n_live, n_inbound, n_nearly;
    int64_t first_us, last_us;
};

static struct owed look(const struct p2p *p2p, const struct block_request *request, int64_t now_us)
{
    struct owed owed = {.first_us = INT64_MAX};
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++) {
        const struct peer *peer =
            request->peer[slot] ? p2p_find_peer(p2p, request->peer[slot]) : NULL;
        if (!peer || request->is_given_up[slot])
            continue;
        owed.n_live++;
        owed.n_inbound += !peer_is_outbound(peer);
        owed.n_nearly += is_nearly_here(p2p, request, slot, now_us);
        owed.last_us = later_of(owed.last_us, request->asked_us[slot]);
        owed.first_us = MIN_OF(owed.first_us, request->asked_us[slot]);
    }
    return owed;
}

static double eta_s(const struct p2p *p2p, const struct peer *peer)
{
    struct plan_peer p = {.rate_bytes_s = peer->score.rate_bytes_s,
                          .rtt_s = rtt_s(peer),
                          .n_in_flight = peer->fetch.n_in_flight};
    return plan_eta_s(&p, p2p->fetch.block_bytes);
}

/* Whom to ask next: outbound ones first, then those that did not fail before, then the quickest. */
static struct peer *choose(const struct p2p *p2p, const struct block_request *request)
{
    struct peer *best = NULL;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->fetch.is_stalled || peer->fetch.n_in_flight >= BLOCK_FETCH_PEER_MAX ||
            !peer_can_serve(peer, request->node) || block_request_slot(request, peer->id) >= 0 ||
            block_request_was_tried(request, peer->id))
            continue;
        int by_side = best ? peer_is_outbound(peer) - peer_is_outbound(best) : 1;
        int by_past = best ? best->fetch.is_on_trial - peer->fetch.is_on_trial : 1;
        if (by_side > 0 || (by_side == 0 && by_past > 0) ||
            (by_side == 0 && by_past == 0 && eta_s(p2p, peer) < eta_s(p2p, best)))
            best = peer;
    }
    return best;
}

static int64_t wait_us(const struct block_request *request, int64_t base_us)
{
    unsigned doublings = request->n_asked > 0 ? 2 * (request->n_asked - 1) : 0;
    return base_us << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
}

/* Another one shall be asked for a block of which somebody still is expected to deliver it. */
static bool is_due(const struct block_request *request, const struct owed *owed, bool near,
                   const struct peer *pick, int64_t now_us)
{
    int64_t base_us = near ? BLOCK_LATE_NEAR_US : BLOCK_LATE_FAR_US;
    /* No longer than that: who begins quickly may dawdle with the rest of it. */
    int64_t grace_us = owed->n_nearly > 0 ? BLOCK_LATE_NEAR_US : 0;
    if (owed->n_live < BLOCK_REQUEST_SLOTS)
        return now_us - owed->last_us >= base_us + grace_us;
    /* One of two is always an outbound peer that has it. */
    if (owed->n_inbound == BLOCK_REQUEST_SLOTS && peer_is_outbound(pick))
        return now_us - owed->first_us >= base_us + grace_us;
    /* Of two that are slow, the later one is given up for a third; each time after a longer wait,
     * so that those who need long come to their end. */
    return now_us - owed->last_us >= wait_us(request, base_us) + grace_us;
}

static void hedge(struct p2p *p2p, struct block_request *request, int64_t now_us)
{
    bool near = is_near(p2p, request->node);
    bool is_next = request->node->prev && request->node->prev->chain_tx > 0;
    struct owed owed = look(p2p, request, now_us);
    if (PLANTED(p2p->env, ONE_OWES_A_BLOCK) || request->is_delivered ||
        (!near && (owed.n_live == 0 || !is_next)) ||
        (request->is_wanted_by_user && owed.n_live > 0))
        return;
    struct peer *pick = choose(p2p, request);
    if (!pick || (owed.n_live > 0 && !is_due(request, &owed, near, pick, now_us)))
        return;
    double waited_s = (double)(now_us - owed.last_us) / 1e6;
    if (!near && eta_s(p2p, pick) * SOONER_FACTOR >= waited_s)
        return;
    block_request_ask(p2p, request, pick, now_us);
    block_request_send(p2p, pick, &request->node, 1, INV_WITNESS_BLOCK);
}

/* Nobody owes it any more, and somebody else has brought it, for good or ill. */
static bool is_over(const struct block_request *request)
{
    return !request->is_delivered && !block_request_has_peer(request) &&
           (block_node_has_data(request->node) || block_node_has_failed(request->node));
}

/* All that have it were asked, and none delivers or has moved for long: begin anew. */
static void begin_anew(struct p2p *p2p, struct block_request *request, int64_t now_us)
{
    if (request->is_delivered || block_request_live(request) > 0)
        return;
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++) {
        const struct peer *peer =
            request->peer[slot] ? p2p_find_peer(p2p, request->peer[slot]) : NULL;
        if (now_us - request->asked_us[slot] < BLOCK_LATE_FORGET_US ||
            (peer && now_us - peer->fetch.heard_us < BLOCK_LATE_FORGET_US))
            return;
    }
    block_request_forget(p2p, request);
    if (!request->is_wanted_by_user)
        block_request_remove(p2p, request);
}

void block_late_hedge(struct p2p *p2p, int64_t now_us)
{
    LIST_EACH_REMOVING (struct block_request, request, &p2p->fetch.requests, link) {
        if (is_over(request)) {
            block_request_remove(p2p, request);
            continue;
        }
        hedge(p2p, request, now_us);
        begin_anew(p2p, request, now_us);
    }
}
