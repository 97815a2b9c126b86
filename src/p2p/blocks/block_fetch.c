/* block_fetch.c - see block_fetch.h. */
#include "p2p/blocks/block_fetch.h"

#include "consensus/pow.h"
#include "p2p/blocks/block_branch.h"
#include "p2p/blocks/block_late.h"
#include "p2p/blocks/block_plan.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

#define BLOCK_BYTES_START  20000.0
#define BLOCK_BYTES_WEIGHT 0.05

/* A block that the chain is looking at. */
struct delivery {
    struct p2p *p2p;
    uint64_t peer;
    struct block_hash hash;
    size_t len;
    bool was_asked;
    bool is_compact; /* its sender may have known no more than the header */
};

void block_fetch_init(struct p2p *p2p)
{
    hash_map_init(&p2p->fetch.by_node);
    p2p->fetch.block_bytes = BLOCK_BYTES_START;
    block_stall_init(&p2p->fetch.stall);
}

void block_fetch_deinit(struct p2p *p2p)
{
    LIST_EACH_REMOVING (struct block_request, request, &p2p->fetch.requests, link)
        block_request_remove(p2p, request);
    hash_map_deinit(&p2p->fetch.by_node);
}

bool block_fetch_is_current(const struct p2p *p2p)
{
    int64_t age_s = p2p_now_s(p2p) - (int64_t)chain_tip(p2p->chain)->time;
    return age_s < BLOCK_FETCH_CURRENT * p2p->network->pow_target_spacing_s;
}

void block_fetch_wake(struct p2p *p2p)
{
    p2p->fetch.wants_run = true;
    p2p_schedule_now(p2p);
}

/* Nobody owes it: it ends, unless it is to be remembered for a while that some have failed with it.
 * Else others like them would be asked one after the other, for ever. */
static void end_if_idle(struct p2p *p2p, struct block_request *request)
{
    if (block_request_has_peer(request) || request->is_delivered)
        return;
    if (request->n_tried == 0 || request->is_wanted_by_user)
        block_request_remove(p2p, request);
}

void block_fetch_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    /* The peer is not found by its id any more: its account is closed here. */
    LIST_EACH_REMOVING (struct block_request, request, &p2p->fetch.requests, link) {
        int slot = block_request_slot(request, peer->id);
        if (slot < 0)
            continue;
        /* Whoever comes to us may come again under another name: that is a failure of his kind. */
        if (peer_is_outbound(peer))
            block_request_clear(p2p, request, slot);
        else
            block_request_deny(p2p, request, slot);
        end_if_idle(p2p, request);
    }
    peer->fetch.n_in_flight = 0;
    block_fetch_wake(p2p);
}

bool block_fetch_force(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    ASSERT(peer->state == PEER_READY);
    struct block_request *request = block_request_find(&p2p->fetch, node);
    if (request && (request->is_delivered || block_request_slot(request, peer->id) >= 0))
        return false;
    if (!request)
        request = block_request_add(&p2p->fetch, node);
    request->is_wanted_by_user = true;
    block_request_ask(p2p, request, peer, p2p_now_us(p2p));
    block_request_send(p2p, peer, &node, 1, INV_WITNESS_BLOCK);
    block_fetch_wake(p2p);
    return true;
}

void block_fetch_connected(struct p2p *p2p, const struct block_node *node)
{
    struct block_request *request = block_request_find(&p2p->fetch, node);
    if (request && !request->is_delivered)
        block_request_remove(p2p, request);
    block_stall_connected(p2p);
}

/* What it said it has, it has not: it is asked no more before it says so again. */
static void has_not(struct peer *peer, const struct block_node *node)
{
    const struct block_node *best = peer->headers.best_known;
    if (node->prev && best && block_node_ancestor(best, node->height) == node)
        peer->headers.best_known = node->prev;
}

void block_fetch_not_found(struct p2p *p2p, struct peer *peer, const struct block_hash *hash)
{
    const struct block_node *node = chain_find(p2p->chain, hash);
    struct block_request *request = node ? block_request_find(&p2p->fetch, node) : NULL;
    int slot = request ? block_request_slot(request, peer->id) : -1;
    if (slot < 0 && peer->fetch.n_late > 0)
        peer->fetch.n_late--;
    if (!request)
        return;
    if (slot >= 0) {
        block_request_deny(p2p, request, slot);
        has_not(peer, node);
    }
    end_if_idle(p2p, request);
    block_fetch_wake(p2p);
}

size_t block_fetch_heights(const struct p2p *p2p, const struct peer *peer, int32_t *out, size_t max)
{
    size_t n = 0;
    LIST_EACH (struct block_request, r, &p2p->fetch.requests, link) {
        if (block_request_slot(r, peer->id) < 0 || r->is_delivered)
            continue;
        if (n == max)
            break;
        size_t at = n++;
        for (; at > 0 && out[at - 1] > r->node->height; at--)
            out[at] = out[at - 1];
        out[at] = r->node->height;
    }
    return n;
}

/* -- The window ---------------------------------------------------------------------------------
 */

/* Nobody could go back below what is only assumed. */
static bool is_possible(const struct p2p *p2p, const struct block_node *best)
{
    struct chain_past past;
    if (!chain_lacks_past(p2p->chain) || !chain_has_past_check(p2p->chain, &past))
        return true;
    return block_node_ancestor(best, past.base->height) == past.base;
}

/* The chains that peers have told of, and which of their blocks come next. */
static size_t choose_branches(struct p2p *p2p, struct block_branch *out)
{
    struct block_known *known = xmalloc((p2p->n_in + p2p->n_out + 1) * sizeof *known);
    size_t n = 0;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY)
            continue;
        header_sync_resolve(p2p, peer);
        if (peer_has_blocks(peer) && peer->headers.best_known &&
            is_possible(p2p, peer->headers.best_known))
            known[n++] = (struct block_known){.best = peer->headers.best_known,
                                              .is_outbound = peer_is_outbound(peer)};
    }
    ASSERT(n <= p2p->n_in + p2p->n_out);
    n = block_branches(chain_tip(p2p->chain), p2p->min_chain_work, known, n, out);
    xfree(known);
    return n;
}

/* The blocks that may be asked for. */
struct window {
    struct block_branch branches[BLOCK_BRANCHES_MAX];
    size_t n_branches;
    size_t start[BLOCK_BRANCHES_MAX];   /* of each branch's blocks in nodes */
    size_t missing[BLOCK_BRANCHES_MAX]; /* found so far, those that are shared included */
    const struct block_node *nodes[BLOCK_BRANCH_ALL_MAX];
    size_t n;
};

static size_t branch_length(const struct block_branch *branch)
{
    return (size_t)(branch->to - branch->from + 1);
}

static void window_fill(struct p2p *p2p, struct window *window)
{
    window->n = 0;
    window->n_branches = choose_branches(p2p, window->branches);
    for (size_t i = 0; i < window->n_branches; i++) {
        const struct block_branch *branch = &window->branches[i];
        window->start[i] = window->n;
        window->missing[i] = (size_t)(branch->from - branch->first);
        window->n += branch_length(branch);
        ASSERT(window->n <= BLOCK_BRANCH_ALL_MAX);
        const struct block_node *node = block_node_ancestor(branch->goal, branch->to);
        for (size_t k = branch_length(branch); k > 0; k--, node = node->prev)
            window->nodes[window->start[i] + k - 1] = node;
    }
}

/* -- Planning ------------------------------------------------------------------------------------
 */

/* It may be asked for the block, as far as that goes: it has not failed with it. */
static bool is_untried(const struct block_request *request, const struct peer *peer)
{
    return block_request_slot(request, peer->id) < 0 && !block_request_was_tried(request, peer->id);
}

/* A peer that we have chosen may be asked. */
static bool has_outbound(const struct p2p *p2p, const struct block_request *request)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer_is_outbound(peer) && !peer->fetch.is_stalled &&
            peer->fetch.n_in_flight < BLOCK_FETCH_PEER_MAX && is_untried(request, peer) &&
            peer_can_serve(peer, request->node))
            return true;
    return false;
}

static bool can_serve(void *ctx, void *who, void *what)
{
    struct p2p *p2p = ctx;
    const struct peer *peer = who;
    const struct block_node *node = what;
    const struct block_request *request = block_request_find(&p2p->fetch, node);
    if ((request && !is_untried(request, peer)) || !peer_can_serve(peer, node))
        return false;
    /* Once one has failed it is the turn of those that we have chosen: of others there may be any
     * number that fail, one after the other. */
    return !request || request->n_tried == 0 || peer_is_outbound(peer) ||
           !has_outbound(p2p, request);
}

static double rtt_s(const struct peer *peer)
{
    return peer->score.min_ping_us < 0 ? -1 : (double)peer->score.min_ping_us / 1e6;
}

static size_t list_peers(struct p2p *p2p, struct plan_peer *out)
{
    size_t n = 0;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY || peer->fetch.is_stalled || !peer_has_blocks(peer) ||
            peer_lacks_next(peer, chain_tip(p2p->chain)))
            continue;
        struct plan_peer *p = &out[n++];
        *p = (struct plan_peer){.rate_bytes_s = peer->score.rate_bytes_s,
                                .rtt_s = rtt_s(peer),
                                .n_in_flight = peer->fetch.n_in_flight,
                                .who = peer};
        p->limit = plan_limit(p->rate_bytes_s, p->rtt_s, p2p->fetch.block_bytes,
                              BLOCK_FETCH_PEER_START, BLOCK_FETCH_PEER_MAX);
        if (peer->fetch.is_on_trial)
            p->limit = 1;
    }
    return n;
}

/* Those of n blocks that nobody owes. */
static size_t list_idle(struct p2p *p2p, const struct block_node *const *nodes, size_t n_nodes,
                        size_t position, struct plan_item *out)
{
    size_t n = 0;
    for (size_t i = 0; i < n_nodes; i++) {
        const struct block_request *request = block_request_find(&p2p->fetch, nodes[i]);
        if (!request || (!request->is_delivered && block_request_live(request) == 0))
            out[n++] = (struct plan_item){.position = position, .what = (void *)nodes[i]};
    }
    return n;
}

/* Damaged blocks that have not come again yet; when some of these have, others are next. */
static size_t list_lost(struct p2p *p2p, struct plan_item *out)
{
    const struct block_node *lost[BLOCK_FETCH_LOST_MAX];
    size_t n = chain_lost_blocks(p2p->chain, lost, BLOCK_FETCH_LOST_MAX);
    return list_idle(p2p, lost, n, 0, out);
}

/* Blocks below a snapshot's, after all that the tip waits for. */
static size_t list_past(struct p2p *p2p, size_t position, struct plan_item *out)
{
    const struct block_node *past[BLOCK_FETCH_PAST_MAX];
    size_t n = chain_past_missing(p2p->chain, past, BLOCK_FETCH_PAST_MAX);
    return list_idle(p2p, past, n, position, out);
}

/* What is under way or waits for the chain, or would be if more were asked for. */
struct ahead {
    size_t blocks;
    double bytes;
};

/* Look at one block of a branch. Returns: false if there is no room for it, nor for any after it.
 */
static bool list_block(struct p2p *p2p, const struct block_node *node, size_t *position,
                       struct ahead *ahead, struct plan *plan)
{
    struct block_fetch *fetch = &p2p->fetch;
    if (block_node_has_data(node))
        return true;
    const struct block_request *request = block_request_find(fetch, node);
    if (request && request->is_delivered)
        return true;
    if (!request || block_request_live(request) == 0) {
        if (!request) {
            ahead->blocks++;
            ahead->bytes += fetch->block_bytes;
        }
        if ((ahead->bytes > BLOCK_FETCH_AHEAD_BYTES || ahead->blocks > BLOCK_FETCH_AHEAD_BLOCKS) &&
            *position >= BLOCK_FETCH_NEAR)
            return false;
        plan->items[plan->n_items++] =
            (struct plan_item){.position = *position, .what = (void *)node};
    }
    ++*position;
    return true;
}

/* What to ask for: the first block of each branch, the second of each, and so on. */
static void list_items(struct p2p *p2p, struct window *window, struct plan *plan)
{
    struct block_fetch *fetch = &p2p->fetch;
    struct ahead ahead = {.blocks = fetch->requests.count,
                          .bytes = (double)fetch->delivered_bytes +
                                   (double)(fetch->requests.count - fetch->n_delivered) *
                                       fetch->block_bytes};
    bool is_full[BLOCK_BRANCHES_MAX] = {false};
    size_t left = window->n;
    for (size_t row = 0; left > 0; row++)
        for (size_t i = 0; i < window->n_branches; i++) {
            if (row >= branch_length(&window->branches[i]))
                continue;
            left--;
            const struct block_node *node = window->nodes[window->start[i] + row];
            if (!is_full[i])
                is_full[i] = !list_block(p2p, node, &window->missing[i], &ahead, plan);
        }
}

/* The one block that is wanted, on top of what is verified: most of it is here already. Core
 * HeadersDirectFetchBlocks() */
static bool is_compact_enough(const struct p2p *p2p, const struct peer *peer,
                              const struct block_node *node)
{
    return p2p->fetch.requests.count == 1 && peer->knows_compact && p2p->mempool &&
           !p2p->options.blocks_only && block_fetch_is_current(p2p) && node->prev &&
           chain_contains(p2p->chain, node->prev);
}

void block_fetch_send(struct p2p *p2p, struct peer *peer, const struct block_node *const *nodes,
                      size_t n)
{
    if (n == 0)
        return;
    bool is_compact = n == 1 && is_compact_enough(p2p, peer, nodes[0]);
    block_request_send(p2p, peer, nodes, n, is_compact ? INV_COMPACT_BLOCK : INV_WITNESS_BLOCK);
}

/* Requests of one plan, collected for one message to each peer. */
struct batch {
    struct peer *peer;
    const struct block_node *nodes[BLOCK_REQUEST_BATCH];
    size_t n;
};

static void batch_send(struct p2p *p2p, struct batch *batch)
{
    block_fetch_send(p2p, batch->peer, batch->nodes, batch->n);
    batch->n = 0;
}

static void carry_out(struct p2p *p2p, struct plan *plan, int64_t now_us)
{
    struct plan_peer *who;
    struct plan_item *item;
    struct batch *batches = xcalloc(plan->n_peers + 1, sizeof *batches);
    while (plan_next(plan, &who, &item)) {
        const struct block_node *node = item->what;
        struct batch *batch = &batches[who - plan->peers];
        struct block_request *request = block_request_find(&p2p->fetch, node);
        if (!request)
            request = block_request_add(&p2p->fetch, node);
        batch->peer = who->who;
        block_request_ask(p2p, request, batch->peer, now_us);
        batch->nodes[batch->n++] = node;
        if (batch->n == BLOCK_REQUEST_BATCH)
            batch_send(p2p, batch);
    }
    for (size_t i = 0; i < plan->n_peers; i++)
        batch_send(p2p, &batches[i]);
    xfree(batches);
}

/* Somebody could be asked for more who is not known for delivering nothing. */
static bool has_sound(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_peers; i++)
        if (!((const struct peer *)plan->peers[i].who)->fetch.is_on_trial)
            return true;
    return false;
}

/* The first block that is missing, if the window of the best chain ends before that does, and all
 * in it that could be asked for is. NULL: it can move, or waits for the chain. */
static const struct block_node *stuck_at(const struct p2p *p2p, const struct window *window,
                                         bool may_ask)
{
    const struct block_branch *branch = &window->branches[0];
    if (window->n_branches == 0 || branch->to == branch->goal->height)
        return NULL;
    const struct block_node *first = window->nodes[0];
    for (size_t i = 0; i < branch_length(branch); i++) {
        const struct block_node *node = window->nodes[i];
        const struct block_request *request = block_request_find(&p2p->fetch, node);
        bool is_wanted = !block_node_has_data(node) && !request;
        if ((is_wanted && may_ask) || (request && request->is_delivered))
            return NULL;
    }
    return block_node_has_data(first) ? NULL : first;
}

static void run(struct p2p *p2p, int64_t now_us)
{
    struct window *window = xmalloc(sizeof *window);
    window_fill(p2p, window);
    if (window->n == 0 && !chain_loss(p2p->chain) && !chain_lacks_past(p2p->chain)) {
        block_stall_look(p2p, NULL, now_us);
        xfree(window);
        return;
    }
    struct plan plan = {.block_bytes = p2p->fetch.block_bytes, .can_serve = can_serve, .ctx = p2p};
    plan.peers = xmalloc((p2p->n_in + p2p->n_out + 1) * sizeof *plan.peers);
    plan.n_peers = list_peers(p2p, plan.peers);
    plan.items = xmalloc((window->n + BLOCK_FETCH_LOST_MAX + BLOCK_FETCH_PAST_MAX) *
                         sizeof *plan.items);
    if (plan.n_peers > 0) {
        plan.n_items = list_lost(p2p, plan.items);
        list_items(p2p, window, &plan);
        plan.n_items += list_past(p2p, window->n, plan.items + plan.n_items);
    }
    carry_out(p2p, &plan, now_us);
    block_stall_look(p2p, stuck_at(p2p, window, has_sound(&plan)), now_us);
    xfree(plan.items);
    xfree(plan.peers);
    xfree(window);
}

/* Somebody was silent, and may be asked again in a moment. */
static bool has_backoff(const struct p2p *p2p)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->fetch.is_stalled && peer->last_recv_us > peer->fetch.stalled_at_us)
            return true;
    return false;
}

int64_t block_fetch_tick(struct p2p *p2p, int64_t now_us)
{
    ASSERT(p2p->fetch.n_delivered <= p2p->fetch.requests.count);
    struct block_fetch *fetch = &p2p->fetch;
    bool has_headers = fetch->n_answers != p2p->headers.n_answers;
    if (fetch->requests.count > fetch->n_delivered || fetch->wants_run || has_headers ||
        has_backoff(p2p)) {
        block_late_check(p2p, now_us);
        block_late_hedge(p2p, now_us);
        fetch->wants_run = false;
        fetch->n_answers = p2p->headers.n_answers;
        run(p2p, now_us);
    }
    bool is_waiting = fetch->requests.count > fetch->n_delivered || has_backoff(p2p);
    return is_waiting ? now_us + BLOCK_LATE_CHECK_US : INT64_MAX;
}

/* -- Blocks come in ------------------------------------------------------------------------------
 */

static enum fault fault_of(const struct verdict *verdict, const struct peer *peer)
{
    switch (reject_class(verdict->code)) {
    case REJECT_CLASS_MUTATED:
        return FAULT_BLOCK_MUTATED;
    case REJECT_CLASS_PROTOCOL:
        return FAULT_MALFORMED;
    case REJECT_CLASS_CONSENSUS:
        if (verdict->code == REJECT_DUPLICATE_INVALID)
            return peer_is_outbound(peer) && peer->class != PEER_MANUAL ? FAULT_BLOCK_INVALID
                                                                        : FAULT_NONE;
        return FAULT_BLOCK_INVALID;
    case REJECT_CLASS_NONE:
    case REJECT_CLASS_MISSING:
    case REJECT_CLASS_EARLY:
    case REJECT_CLASS_POLICY:
    case REJECT_CLASS_RECONSIDERABLE:
    case REJECT_CLASS_FAULT:
        break;
    }
    return FAULT_NONE;
}

/* Says the verdict nothing about the block of that hash, but of this copy alone? What breaks a rule
 * by itself is not held against its hash either. node: NULL if the header is unknown. */
static bool is_spoiled(const struct block_node *node, const struct verdict *verdict)
{
    enum reject_class class = reject_class(verdict->code);
    return class == REJECT_CLASS_MUTATED || class == REJECT_CLASS_PROTOCOL ||
           (class == REJECT_CLASS_CONSENSUS && node && !block_node_has_failed(node));
}

/* After such a copy who else owes the block still may deliver, and its sender has failed. Hazard
 * 59. */
static void end_request(struct p2p *p2p, struct block_request *request, uint64_t sender,
                        const struct verdict *verdict)
{
    if (!is_spoiled(request->node, verdict) || !request->is_delivered) {
        block_request_remove(p2p, request);
        return;
    }
    request->is_delivered = false;
    ASSERT(p2p->fetch.n_delivered > 0);
    p2p->fetch.n_delivered--;
    /* Whom such a copy does not cost the connection is asked again when it tells of the block
     * again, as Core does: there are few of them. */
    const struct peer *peer = p2p_find_peer(p2p, sender);
    if (!peer || (peer->class != PEER_MANUAL && !(peer->permissions & PERMISSION_NOBAN)))
        block_request_failed(request, sender);
    end_if_idle(p2p, request);
}

/* What it counts for among those that nobody asked for. */
static size_t unasked_bytes(const struct delivery *delivery)
{
    return delivery->was_asked ? 0 : delivery->len + BLOCK_FETCH_UNASKED_EACH;
}

bool block_fetch_is_full(const struct peer *peer)
{
    return peer->fetch.unasked_bytes >= BLOCK_FETCH_UNASKED_BYTES;
}

/* It brought the new tip, and nobody owes us anything else: it was first. Core BlockChecked() */
static void thank(struct p2p *p2p, struct peer *peer, const struct chain_block_result *result)
{
    if (result->verdict.code != REJECT_NONE || !result->is_new || !result->is_connected ||
        chain_is_initial_download(p2p->chain))
        return; /* before a thousand requests are looked at */
    LIST_EACH (struct block_request, request, &p2p->fetch.requests, link)
        if (block_request_has_peer(request))
            return;
    compact_peers_was_first(p2p, peer);
}

/* Bytes that are no block are passed over like other messages that cannot be decoded: only that
 * another thread has found it out. */
static void blame(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                  const struct verdict *verdict)
{
    char reason[VERDICT_REASON_BYTES];
    enum fault fault = fault_of(verdict, peer);
    /* Who may stay nevertheless would be asked again and again, at once each time. */
    if (node && is_spoiled(node, verdict))
        has_not(peer, node);
    if (reject_class(verdict->code) == REJECT_CLASS_MUTATED)
        log_printf(p2p->log, LOG_VALIDATION, "Block mutated: %s%s%s",
                   verdict_reason(verdict, reason), verdict->detail[0] ? ", " : "",
                   verdict->detail);
    if (verdict->code == REJECT_NONE)
        return;
    if (fault != FAULT_MALFORMED || !peer_passes_over(p2p, peer, "block"))
        peer_fault(p2p, peer, fault, verdict_reason(verdict, reason));
}

/* The chain has made up its mind. */
static void on_decided(void *arg, const struct chain_block_result *result)
{
    struct delivery *delivery = arg;
    struct p2p *p2p = delivery->p2p;
    struct block_fetch *fetch = &p2p->fetch;
    p2p_enter(p2p);
    ASSERT(fetch->delivered_bytes >= delivery->len && p2p->n_operations > 0);
    fetch->delivered_bytes -= delivery->len;
    p2p->n_operations--;
    const struct block_node *node = chain_find(p2p->chain, &delivery->hash);
    struct block_request *request = node ? block_request_find(fetch, node) : NULL;
    if (request && (delivery->was_asked || PLANTED(p2p->env, COPIES_END_REQUESTS)))
        end_request(p2p, request, delivery->peer, &result->verdict);
    else if (request && !request->is_delivered && block_node_has_data(node))
        block_request_remove(p2p, request); /* who was not asked has brought it */
    struct peer *peer = p2p_find_peer(p2p, delivery->peer);
    if (peer && result->is_new)
        peer->last_block_s = p2p_now_s(p2p);
    if (peer) {
        ASSERT(peer->fetch.n_undecided > 0 && peer->fetch.unasked_bytes >= unasked_bytes(delivery));
        peer->fetch.n_undecided--;
        peer->fetch.unasked_bytes -= unasked_bytes(delivery);
    }
    if (peer)
        thank(p2p, peer, result);
    /* BIP-152, Pre-Validation Relay and Consistency Considerations */
    if (peer && !delivery->is_compact)
        blame(p2p, peer, node, &result->verdict);
    if (peer)
        peer_decided(p2p, peer);
    xfree(delivery);
    block_fetch_wake(p2p);
    p2p_leave(p2p);
}

static struct delivery *delivery_new(struct p2p *p2p, struct peer *peer,
                                     const struct block_hash *hash, size_t len, bool was_asked)
{
    struct delivery *delivery = xcalloc(1, sizeof *delivery);
    *delivery = (struct delivery){
        .p2p = p2p, .peer = peer->id, .hash = *hash, .len = len, .was_asked = was_asked};
    p2p->fetch.delivered_bytes += len;
    peer->fetch.n_undecided++;
    peer->fetch.unasked_bytes += unasked_bytes(delivery);
    p2p->n_operations++;
    return delivery;
}

static void deliver(struct p2p *p2p, struct peer *peer, const struct block_hash *hash,
                    bool was_asked, bool force)
{
    size_t len;
    uint8_t *bytes = frame_payload_take(&peer->frame, &len);
    struct delivery *delivery = delivery_new(p2p, peer, hash, len, was_asked);
    chain_accept_block(p2p->chain, bytes, delivery->len, force ? CHAIN_ACCEPT_FORCE : 0, on_decided,
                       delivery);
}

/* Keep the books of a peer that has delivered. */
static void count_delivery(struct p2p *p2p, struct peer *peer, size_t len, int64_t now_us)
{
    ASSERT(p2p->fetch.block_bytes > 0);
    struct peer_fetch *fetch = &peer->fetch;
    score_block(&peer->score, len, now_us - fetch->busy_since_us, now_us);
    fetch->busy_since_us = now_us;
    block_late_delivered(peer, now_us);
    /* The first ones count more: a wrong guess would keep peers idle for a hundred blocks. */
    double weight = 1.0 / (double)++p2p->fetch.n_sized;
    weight = MAX_OF(weight, BLOCK_BYTES_WEIGHT);
    p2p->fetch.block_bytes += weight * ((double)len - p2p->fetch.block_bytes);
    p2p->fetch.block_bytes = MAX_OF(p2p->fetch.block_bytes, 200);
}

static enum fault take_asked(struct p2p *p2p, struct peer *peer, struct block_request *request,
                             size_t len)
{
    ASSERT(block_request_find(&p2p->fetch, request->node) == request);
    int slot = block_request_slot(request, peer->id);
    /* Not if it has told of another one since, with as much work, whose turn would never come. */
    if (!peer->headers.best_known ||
        u256_compare(peer->headers.best_known->chain_work, request->node->chain_work) < 0)
        header_sync_update_known(peer, request->node);
    count_delivery(p2p, peer, len, p2p_now_us(p2p));
    if (slot >= 0)
        block_request_clear(p2p, request, slot);
    if (request->is_delivered || block_node_has_data(request->node)) {
        peer->score.wasted_bytes += len;
        return FAULT_NONE;
    }
    request->is_delivered = true;
    p2p->fetch.n_delivered++;
    deliver(p2p, peer, &request->node->hash, true, true);
    block_fetch_wake(p2p);
    return FAULT_NONE;
}

void block_fetch_deliver(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                         struct block_ref *block_take, size_t message_bytes)
{
    struct block_request *request = block_request_find(&p2p->fetch, node);
    if (!request)
        request = block_request_add(&p2p->fetch, node);
    ASSERT(!request->is_delivered);
    int64_t now_us = p2p_now_us(p2p);
    int slot = block_request_slot(request, peer->id);
    /* Who owed nothing was not busy with it: of its rate this says nothing. */
    score_block(&peer->score, message_bytes, slot >= 0 ? now_us - peer->fetch.busy_since_us : 0,
                now_us);
    if (slot >= 0) {
        peer->fetch.busy_since_us = now_us;
        block_late_delivered(peer, now_us);
        block_request_clear(p2p, request, slot);
    }
    request->is_delivered = true;
    p2p->fetch.n_delivered++;
    struct delivery *delivery = delivery_new(p2p, peer, &node->hash, block_take->raw_len, true);
    delivery->is_compact = true;
    chain_accept_block_shared(p2p->chain, block_take, CHAIN_ACCEPT_FORCE, on_decided, delivery);
    block_fetch_wake(p2p);
}

/* A block that nobody asked for is worth a look only if it may become the tip: hazards 48, 49. That
 * others were asked for it is no reason to pass it over, but if it has been tampered with it
 * touches nobody's request: hazard 59. */
static enum fault take_unasked(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                               const struct block_header *header, const struct block_hash *hash)
{
    if (!pow_check(p2p->network, hash, header->bits))
        return FAULT_HEADERS_POW;
    if (node && peer->fetch.n_late > 0) {
        /* One that others have delivered meanwhile. */
        peer->fetch.n_late--;
        block_late_delivered(peer, p2p_now_us(p2p));
    }
    const struct block_request *request = node ? block_request_find(&p2p->fetch, node) : NULL;
    if (node && (node->n_tx > 0 || (request && request->is_delivered)))
        return FAULT_NONE;
    const struct block_node *prev = chain_find(p2p->chain, &header->prev);
    if (!prev) {
        log_printf(p2p->log, LOG_VALIDATION, "AcceptBlock FAILED (prev-blk-not-found)");
        return FAULT_BLOCK_ORPHAN;
    }
    struct u256 work = u256_add(prev->chain_work, pow_block_work(header->bits));
    if (u256_compare(work, header_sync_min_work(p2p)) < 0)
        return FAULT_NONE;
    /* Its header is worth keeping in any case: others may build on it, at once. */
    struct verdict verdict;
    if (!chain_accept_header(p2p->chain, header, &verdict))
        return fault_of(&verdict, peer);
    bool is_stored = PLANTED(p2p->env, UNASKED_STORED);
    if (u256_compare(work, chain_tip(p2p->chain)->chain_work) < 0 && !is_stored)
        return FAULT_NONE;
    deliver(p2p, peer, hash, false, is_stored);
    return FAULT_NONE;
}

/* [block 5] A block: was it asked for, who has earned what by it. */
enum fault block_fetch_on_block(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct block_header header;
    size_t len = reader_left(r);
    if (!block_header_decode(r, &header))
        return FAULT_MALFORMED;
    struct block_hash hash = block_header_hash(&header);
    const struct block_node *node = chain_find(p2p->chain, &hash);
    struct block_request *request = node ? block_request_find(&p2p->fetch, node) : NULL;
    if (request && !is_untried(request, peer))
        return take_asked(p2p, peer, request, len);
    return take_unasked(p2p, peer, node, &header, &hash);
}
