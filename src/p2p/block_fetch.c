/* block_fetch.c - see block_fetch.h. */
#include "p2p/block_fetch.h"

#include "consensus/pow.h"
#include "p2p/block_branch.h"
#include "p2p/block_plan.h"
#include "p2p/p2p_internal.h"
#include "util/alloc.h"

#define BLOCK_BYTES_START  20000.0
#define BLOCK_BYTES_WEIGHT 0.05
#define LATE_US            INT64_C(2000000) /* the next block is asked of a second peer */
#define LATE_FACTOR        1.3              /* if that one would be so much quicker */
#define LATE_DOUBLINGS_MAX 8                /* of LATE_US, two for each peer asked before */
#define GETDATA_BATCH      64
#define IDLE_CHECK_US      INT64_C(250000) /* while blocks are in flight */

/* A block that the chain is looking at. */
struct delivery {
    struct p2p *p2p;
    uint64_t peer;
    struct block_hash hash;
    size_t len;
    bool was_asked;
};

void block_fetch_init(struct p2p *p2p)
{
    hash_map_init(&p2p->fetch.by_node);
    p2p->fetch.block_bytes = BLOCK_BYTES_START;
}

/* -- Requests -----------------------------------------------------------------------------------
 */

static uint64_t node_hash(const struct block_node *node)
{
    uint64_t hash;
    memcpy(&hash, node->hash.b, sizeof hash);
    return hash * UINT64_C(0x9e3779b97f4a7c15);
}

static bool has_node(const void *value, const void *key)
{
    return ((const struct block_request *)value)->node == key;
}

static struct block_request *find(const struct block_fetch *fetch, const struct block_node *node)
{
    return hash_map_find(&fetch->by_node, node_hash(node), has_node, node);
}

static struct block_request *add_request(struct block_fetch *fetch, const struct block_node *node)
{
    struct block_request *request = xcalloc(1, sizeof *request);
    request->node = node;
    request->next = fetch->requests;
    if (fetch->requests)
        fetch->requests->prev = request;
    fetch->requests = request;
    fetch->n_requests++;
    hash_map_insert(&fetch->by_node, node_hash(node), request);
    return request;
}

/* Nobody owes it any more: take slot's peer off the account. */
static void clear_slot(struct p2p *p2p, struct block_request *request, int slot)
{
    struct peer *peer = request->peer[slot] ? p2p_find_peer(p2p, request->peer[slot]) : NULL;
    if (peer) {
        ASSERT(peer->fetch.n_in_flight > 0);
        peer->fetch.n_in_flight--;
    }
    request->peer[slot] = 0;
}

static void remove_request(struct p2p *p2p, struct block_request *request)
{
    struct block_fetch *fetch = &p2p->fetch;
    clear_slot(p2p, request, 0);
    clear_slot(p2p, request, 1);
    if (request->is_delivered)
        fetch->n_delivered--;
    if (request->prev)
        request->prev->next = request->next;
    else
        fetch->requests = request->next;
    if (request->next)
        request->next->prev = request->prev;
    fetch->n_requests--;
    (void)hash_map_remove(&fetch->by_node, node_hash(request->node), has_node, request->node);
    xfree(request);
}

void block_fetch_deinit(struct p2p *p2p)
{
    while (p2p->fetch.requests)
        remove_request(p2p, p2p->fetch.requests);
    hash_map_deinit(&p2p->fetch.by_node);
}

bool block_fetch_is_pending(const struct p2p *p2p, const struct block_node *node)
{
    return find(&p2p->fetch, node) != NULL;
}

void block_fetch_wake(struct p2p *p2p)
{
    p2p->fetch.wants_run = true;
    p2p_schedule_now(p2p);
}

void block_fetch_lost(struct p2p *p2p, const struct block_node *node)
{
    struct block_fetch *fetch = &p2p->fetch;
    for (size_t i = 0; i < fetch->n_lost; i++)
        if (fetch->lost[i] == node)
            return;
    if (fetch->n_lost < BLOCK_FETCH_LOST_MAX)
        fetch->lost[fetch->n_lost++] = node;
    block_fetch_wake(p2p);
}

void block_fetch_peer_gone(struct p2p *p2p, struct peer *peer)
{
    struct block_request *next;
    /* The peer is not found by its id any more: its account is closed here. */
    for (struct block_request *request = p2p->fetch.requests; request; request = next) {
        next = request->next;
        for (int slot = 0; slot < 2; slot++)
            if (request->peer[slot] == peer->id)
                request->peer[slot] = 0;
        if (!request->peer[0] && !request->peer[1] && !request->is_delivered)
            remove_request(p2p, request);
    }
    peer->fetch.n_in_flight = 0;
    block_fetch_wake(p2p);
}

static void ask(struct p2p *p2p, struct peer *peer, struct block_request *request, int64_t now_us)
{
    int slot = request->peer[0] ? 1 : 0;
    clear_slot(p2p, request, slot);
    request->peer[slot] = peer->id;
    request->asked_us[slot] = now_us;
    request->n_asked++;
    if (peer->fetch.n_in_flight++ == 0)
        peer->fetch.busy_since_us = now_us;
}

static void send_getdata(struct p2p *p2p, struct peer *peer, const struct block_node *const *nodes,
                         size_t n)
{
    uint8_t bytes[3 + GETDATA_BATCH * WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    ASSERT(n <= GETDATA_BATCH);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct wire_inv inv = {.type = INV_WITNESS_BLOCK};
        memcpy(inv.hash, nodes[i]->hash.b, 32);
        wire_inv_encode(&w, &inv);
    }
    peer_send(p2p, peer, "getdata", span_of(bytes, w.len));
}

bool block_fetch_force(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    struct block_request *request = find(&p2p->fetch, node);
    if (request &&
        (request->is_delivered || request->peer[0] == peer->id || request->peer[1] == peer->id))
        return false;
    if (!request)
        request = add_request(&p2p->fetch, node);
    request->is_wanted_by_user = true;
    ask(p2p, peer, request, p2p_now_us(p2p));
    send_getdata(p2p, peer, &node, 1);
    block_fetch_wake(p2p);
    return true;
}

void block_fetch_not_found(struct p2p *p2p, struct peer *peer, const struct block_hash *hash)
{
    const struct block_node *node = chain_find(p2p->chain, hash);
    struct block_request *request = node ? find(&p2p->fetch, node) : NULL;
    if (!request)
        return;
    for (int slot = 0; slot < 2; slot++)
        if (request->peer[slot] == peer->id) {
            clear_slot(p2p, request, slot);
            /* What it said it has, it has not: it is asked no more before it says so again. */
            if (node->prev && peer->headers.best_known &&
                block_node_ancestor(peer->headers.best_known, node->height) == node)
                peer->headers.best_known = node->prev;
        }
    if (!request->peer[0] && !request->peer[1] && !request->is_delivered)
        remove_request(p2p, request);
    block_fetch_wake(p2p);
}

size_t block_fetch_heights(const struct p2p *p2p, const struct peer *peer, int32_t *out, size_t max)
{
    size_t n = 0;
    for (const struct block_request *r = p2p->fetch.requests; r && n < max; r = r->next) {
        if ((r->peer[0] != peer->id && r->peer[1] != peer->id) || r->is_delivered)
            continue;
        size_t at = n++;
        for (; at > 0 && out[at - 1] > r->node->height; at--)
            out[at] = out[at - 1];
        out[at] = r->node->height;
    }
    return n;
}

/* -- The window ---------------------------------------------------------------------------------
 */

/* The chains that peers have told of, and which of their blocks come next. */
static size_t choose_branches(struct p2p *p2p, struct block_branch *out)
{
    struct block_known *known = xmalloc((p2p->n_in + p2p->n_out + 1) * sizeof *known);
    size_t n = 0;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY || !peer_has_blocks(peer))
            continue;
        header_sync_resolve(p2p, peer);
        if (peer->headers.best_known)
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

static bool can_serve(void *ctx, void *who, void *what)
{
    struct p2p *p2p = ctx;
    const struct peer *peer = who;
    const struct block_node *node = what;
    const struct block_request *request = find(&p2p->fetch, node);
    if (request && (request->peer[0] == peer->id || request->peer[1] == peer->id))
        return false;
    return peer_can_serve(peer, node);
}

static double rtt_s(const struct peer *peer)
{
    return peer->score.min_ping_us < 0 ? -1 : (double)peer->score.min_ping_us / 1e6;
}

static size_t list_peers(struct p2p *p2p, struct plan_peer *out)
{
    size_t n = 0;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY || peer->fetch.is_stalled || !peer->headers.best_known ||
            !peer_has_blocks(peer))
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

/* Everybody who was asked has stopped answering. */
static bool is_abandoned(const struct p2p *p2p, const struct block_request *request)
{
    for (int slot = 0; slot < 2; slot++) {
        const struct peer *peer =
            request->peer[slot] ? p2p_find_peer(p2p, request->peer[slot]) : NULL;
        if (peer && !peer->fetch.is_stalled)
            return false;
    }
    return true;
}

/* The next block is late, and somebody else would have it much sooner. */
static bool is_late(const struct p2p *p2p, const struct block_request *request, int64_t now_us)
{
    /* Of two that are slow, the later one is given up for a third; each time after a longer wait,
     * so that those who need long come to their end. */
    int last = request->peer[1] ? 1 : 0;
    unsigned doublings = request->n_asked > 0 ? 2 * (request->n_asked - 1) : 0;
    if (doublings > LATE_DOUBLINGS_MAX)
        doublings = LATE_DOUBLINGS_MAX;
    if (now_us - request->asked_us[last] < LATE_US << doublings)
        return false;
    double waited_s = (double)(now_us - request->asked_us[last]) / 1e6;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        struct plan_peer p = {.rate_bytes_s = peer->score.rate_bytes_s,
                              .rtt_s = rtt_s(peer),
                              .n_in_flight = peer->fetch.n_in_flight};
        if (peer->id != request->peer[0] && peer->id != request->peer[1] &&
            !peer->fetch.is_stalled && peer_can_serve(peer, request->node) &&
            plan_eta_s(&p, p2p->fetch.block_bytes) * LATE_FACTOR < waited_s)
            return true;
    }
    return false;
}

/* Damaged blocks that have not come again yet. */
static size_t list_lost(struct p2p *p2p, struct plan_item *out)
{
    struct block_fetch *fetch = &p2p->fetch;
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < fetch->n_lost; i++) {
        const struct block_node *node = fetch->lost[i];
        if (node->status & (BLOCK_HAVE_DATA | BLOCK_FAILED_MASK))
            continue;
        fetch->lost[kept++] = node;
        const struct block_request *request = find(fetch, node);
        if (!request || (!request->is_delivered && is_abandoned(p2p, request)))
            out[n++] = (struct plan_item){.what = (void *)node};
    }
    fetch->n_lost = kept;
    return n;
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
    if (node->status & BLOCK_HAVE_DATA)
        return true;
    const struct block_request *request = find(fetch, node);
    if (request && request->is_delivered)
        return true;
    bool is_wanted = !request || is_abandoned(p2p, request) ||
                     (*position == 0 && is_late(p2p, request, p2p_now_us(p2p)));
    if (is_wanted) {
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
    struct ahead ahead = {.blocks = fetch->n_requests,
                          .bytes = (double)fetch->delivered_bytes +
                                   (double)(fetch->n_requests - fetch->n_delivered) *
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

/* Requests of one plan, collected for one message to each peer. */
struct batch {
    struct peer *peer;
    const struct block_node *nodes[GETDATA_BATCH];
    size_t n;
};

static void batch_send(struct p2p *p2p, struct batch *batch)
{
    if (batch->n > 0)
        send_getdata(p2p, batch->peer, batch->nodes, batch->n);
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
        struct block_request *request = find(&p2p->fetch, node);
        if (!request)
            request = add_request(&p2p->fetch, node);
        batch->peer = who->who;
        ask(p2p, batch->peer, request, now_us);
        batch->nodes[batch->n++] = node;
        if (batch->n == GETDATA_BATCH)
            batch_send(p2p, batch);
    }
    for (size_t i = 0; i < plan->n_peers; i++)
        batch_send(p2p, &batches[i]);
    xfree(batches);
}

static void run(struct p2p *p2p, int64_t now_us)
{
    struct window *window = xmalloc(sizeof *window);
    window_fill(p2p, window);
    if (window->n == 0 && p2p->fetch.n_lost == 0) {
        xfree(window);
        return;
    }
    struct plan plan = {.block_bytes = p2p->fetch.block_bytes, .can_serve = can_serve, .ctx = p2p};
    plan.peers = xmalloc((p2p->n_in + p2p->n_out + 1) * sizeof *plan.peers);
    plan.n_peers = list_peers(p2p, plan.peers);
    plan.items = xmalloc((window->n + BLOCK_FETCH_LOST_MAX) * sizeof *plan.items);
    if (plan.n_peers > 0) {
        plan.n_items = list_lost(p2p, plan.items);
        list_items(p2p, window, &plan);
    }
    carry_out(p2p, &plan, now_us);
    xfree(plan.items);
    xfree(plan.peers);
    xfree(window);
}

/* -- Who has stopped answering -------------------------------------------------------------------
 */

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Somebody else could deliver what this peer owes. */
static bool has_substitute(const struct p2p *p2p, const struct peer *silent)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer != silent && peer->state == PEER_READY && !peer->fetch.is_stalled &&
            peer_has_blocks(peer) && peer->headers.best_known)
            return true;
    return false;
}

static void check_silence(struct p2p *p2p, int64_t now_us)
{
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        if (peer->fetch.is_stalled && peer->last_recv_us > peer->fetch.stalled_at_us) {
            peer->fetch.is_stalled = false;
            peer->fetch.is_on_trial = true;
        }
        if (peer->state != PEER_READY || peer->fetch.n_in_flight == 0)
            continue;
        /* Talk about other things, such as pings, delivers nothing. */
        int64_t heard_us = later_of(peer->fetch.heard_us, peer->fetch.busy_since_us);
        /* While we do not read it, its silence is ours. */
        if (peer->is_paused || now_us - heard_us < peer->fetch.stall_us)
            continue;
        if (!peer->fetch.is_stalled) {
            log_printf(p2p->log, LOG_NET, "peer=%llu owes %zu blocks and is silent",
                       (unsigned long long)peer->id, peer->fetch.n_in_flight);
            peer->fetch.is_stalled = true;
            peer->fetch.stalled_at_us = now_us;
            p2p->fetch.wants_run = true;
        }
        int64_t block_us = later_of(peer->fetch.last_delivery_us, peer->fetch.busy_since_us);
        if (now_us - block_us > BLOCK_FETCH_GIVE_UP_US && peer->class != PEER_MANUAL &&
            has_substitute(p2p, peer))
            peer_drop(p2p, peer, "owes blocks and has been silent for a minute");
    }
}

int64_t block_fetch_tick(struct p2p *p2p, int64_t now_us)
{
    struct block_fetch *fetch = &p2p->fetch;
    bool is_waiting = fetch->n_requests > fetch->n_delivered;
    if (is_waiting || fetch->wants_run)
        check_silence(p2p, now_us);
    if (fetch->wants_run || is_waiting) {
        fetch->wants_run = false;
        run(p2p, now_us);
    }
    return fetch->n_requests > fetch->n_delivered ? now_us + IDLE_CHECK_US : INT64_MAX;
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
        if (verdict->code == REJECT_DUPLICATE_INVALID || verdict->code == REJECT_PREV_INVALID)
            return peer_is_outbound(peer) && peer->class != PEER_MANUAL ? FAULT_BLOCK_INVALID
                                                                        : FAULT_NONE;
        return FAULT_BLOCK_INVALID;
    case REJECT_CLASS_NONE:
    case REJECT_CLASS_MISSING:
    case REJECT_CLASS_EARLY:
    case REJECT_CLASS_POLICY:
    case REJECT_CLASS_FAULT:
        break;
    }
    return FAULT_NONE;
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
    struct block_request *request = node && delivery->was_asked ? find(fetch, node) : NULL;
    if (request)
        remove_request(p2p, request);
    struct peer *peer = p2p_find_peer(p2p, delivery->peer);
    if (peer && result->is_new)
        peer->last_block_s = p2p_now_s(p2p);
    if (peer && result->verdict.code != REJECT_NONE) {
        char reason[VERDICT_REASON_BYTES];
        peer_fault(p2p, peer, fault_of(&result->verdict, peer),
                   verdict_reason(&result->verdict, reason));
    }
    xfree(delivery);
    block_fetch_wake(p2p);
    p2p_leave(p2p);
}

static void deliver(struct p2p *p2p, struct peer *peer, const struct block_hash *hash,
                    bool was_asked, bool force)
{
    struct delivery *delivery = xcalloc(1, sizeof *delivery);
    *delivery =
        (struct delivery){.p2p = p2p, .peer = peer->id, .hash = *hash, .was_asked = was_asked};
    uint8_t *bytes = frame_payload_take(&peer->frame, &delivery->len);
    p2p->fetch.delivered_bytes += delivery->len;
    p2p->n_operations++;
    chain_accept_block(p2p->chain, bytes, delivery->len, force ? CHAIN_ACCEPT_FORCE : 0, on_decided,
                       delivery);
}

/* Keep the books of a peer that has delivered. */
static void count_delivery(struct p2p *p2p, struct peer *peer, size_t len, int64_t now_us)
{
    struct peer_fetch *fetch = &peer->fetch;
    score_block(&peer->score, len, now_us - fetch->busy_since_us, now_us);
    fetch->busy_since_us = fetch->last_delivery_us = now_us;
    if (fetch->is_stalled || fetch->is_on_trial) {
        /* It was only slow: be more patient with it. */
        fetch->is_stalled = fetch->is_on_trial = false;
        fetch->stall_us = fetch->stall_us * 2 < BLOCK_FETCH_STALL_MAX_US ? fetch->stall_us * 2
                                                                         : BLOCK_FETCH_STALL_MAX_US;
    } else {
        int64_t less_us = fetch->stall_us * 85 / 100;
        fetch->stall_us = later_of(less_us, BLOCK_FETCH_STALL_US);
    }
    p2p->fetch.block_bytes += BLOCK_BYTES_WEIGHT * ((double)len - p2p->fetch.block_bytes);
    if (p2p->fetch.block_bytes < 200)
        p2p->fetch.block_bytes = 200;
}

static enum fault take_asked(struct p2p *p2p, struct peer *peer, struct block_request *request,
                             size_t len)
{
    int slot = request->peer[0] == peer->id ? 0 : 1;
    count_delivery(p2p, peer, len, p2p_now_us(p2p));
    clear_slot(p2p, request, slot);
    if (request->is_delivered || (request->node->status & BLOCK_HAVE_DATA)) {
        peer->score.wasted_bytes += len;
        return FAULT_NONE;
    }
    request->is_delivered = true;
    p2p->fetch.n_delivered++;
    deliver(p2p, peer, &request->node->hash, true, true);
    block_fetch_wake(p2p);
    return FAULT_NONE;
}

/* A block that nobody asked for is worth a look only if it may become the tip: hazards 48, 49. */
static enum fault take_unasked(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                               const struct block_header *header, const struct block_hash *hash)
{
    if (!pow_check(p2p->network, hash, header->bits))
        return FAULT_HEADERS_POW;
    if (node && (node->n_tx > 0 || find(&p2p->fetch, node)))
        return FAULT_NONE; /* here, or on its way: nobody's request is touched. Hazard 59 */
    const struct block_node *prev = chain_find(p2p->chain, &header->prev);
    if (!prev) {
        (void)header_sync_announced(p2p, peer, hash);
        header_sync_ask_soon(p2p, peer);
        return FAULT_NONE;
    }
    struct u256 work = u256_add(prev->chain_work, pow_block_work(header->bits));
    if (u256_compare(work, header_sync_min_work(p2p)) < 0 ||
        u256_compare(work, chain_tip(p2p->chain)->chain_work) < 0)
        return FAULT_NONE;
    deliver(p2p, peer, hash, false, false);
    return FAULT_NONE;
}

enum fault block_fetch_on_block(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    struct block_header header;
    size_t len = reader_left(r);
    if (!block_header_decode(r, &header))
        return FAULT_MALFORMED;
    struct block_hash hash = block_header_hash(&header);
    const struct block_node *node = chain_find(p2p->chain, &hash);
    struct block_request *request = node ? find(&p2p->fetch, node) : NULL;
    if (node)
        header_sync_update_known(peer, node);
    if (request && (request->peer[0] == peer->id || request->peer[1] == peer->id))
        return take_asked(p2p, peer, request, len);
    return take_unasked(p2p, peer, node, &header, &hash);
}
