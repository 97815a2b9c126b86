/* header_sync.c - see header_sync.h. */
#include "p2p/headers/header_sync.h"

#include "consensus/pow.h"
#include "p2p/headers/header_ask.h"
#include "p2p/headers/header_presync.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

#define FAR_BEHIND_S 86400              /* our best header is older: one peer is enough */
#define ASK_AGAIN_US INT64_C(600000000) /* everybody, in case something was missed */
#define FORK_DEPTH   144                /* blocks of work that a fork may lack */

struct u256 header_sync_min_work(const struct p2p *p2p)
{
    const struct block_node *tip = chain_tip(p2p->chain);
    struct u256 slack = u256_mul(pow_block_work(tip->bits), FORK_DEPTH);
    struct u256 work = u256_of(0);
    if (u256_compare(tip->chain_work, slack) > 0 && !PLANTED(p2p->env, OLD_FORKS_KEPT))
        work = u256_sub(tip->chain_work, slack);
    return u256_compare(work, p2p->min_chain_work) > 0 ? work : p2p->min_chain_work;
}

/* -- Who has what -------------------------------------------------------------------------------
 */

void header_sync_update_known(struct peer *peer, const struct block_node *node)
{
    ASSERT(node);
    const struct block_node *best = peer->headers.best_known;
    /* A block that was forgotten (-dev) is known of nobody. */
    if (!best || best->is_gone || u256_compare(node->chain_work, best->chain_work) >= 0)
        peer->headers.best_known = node;
}

void header_sync_resolve(struct p2p *p2p, struct peer *peer)
{
    struct peer_headers *headers = &peer->headers;
    if (!headers->has_unknown)
        return;
    const struct block_node *node = chain_find(p2p->chain, &headers->unknown);
    if (!node)
        return;
    headers->has_unknown = false;
    header_sync_update_known(peer, node);
}

bool header_sync_announced(struct p2p *p2p, struct peer *peer, const struct block_hash *hash)
{
    const struct block_node *node = chain_find(p2p->chain, hash);
    if (node) {
        header_sync_update_known(peer, node);
        return true;
    }
    peer->headers.unknown = *hash;
    peer->headers.has_unknown = true;
    return false;
}

static bool is_far_behind(const struct p2p *p2p)
{
    return p2p_now_s(p2p) - (int64_t)chain_best_header(p2p->chain)->time > FAR_BEHIND_S;
}

/* Ask it of our own accord, from the block before our best header on, or before the last that it
 * told us of. */
static void start(struct p2p *p2p, struct peer *peer, bool anew)
{
    struct peer_headers *headers = &peer->headers;
    if (!headers->is_started)
        log_printf(p2p->log, LOG_NET, "initial getheaders (%d) to peer=%llu",
                   MAX_OF(chain_best_header(p2p->chain)->height - 1, 0), peer_shown(peer->id));
    headers->is_started = true;
    if (headers->owes_since_us == 0 && is_far_behind(p2p))
        headers->owes_since_us = p2p_now_us(p2p);
    if (anew)
        header_ask_anew(p2p, peer);
    else
        header_ask_first(p2p, peer);
}

void header_sync_ask_for_inv(struct p2p *p2p, struct peer *peer)
{
    struct peer_headers *headers = &peer->headers;
    if (!headers->is_started) {
        if (headers->was_asked_for_inv ||
            block_hash_equal(&headers->unknown, &p2p->headers.last_inv))
            return;
        headers->was_asked_for_inv = true;
        p2p->headers.last_inv = headers->unknown;
    }
    header_ask_soon(p2p, peer);
}

void header_sync_peer_ready(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_READY);
    if (!peer_has_blocks(peer))
        return;
    if (p2p->headers.is_synced || !is_far_behind(p2p))
        start(p2p, peer, false);
    else
        p2p_schedule_now(p2p);
}

static void presync_end(struct peer *peer)
{
    presync_free(peer->headers.presync);
    peer->headers.presync = NULL;
}

void header_sync_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    presync_end(peer);
    if (p2p->headers.sync_peer == peer->id)
        p2p->headers.sync_peer = 0;
}

/* -- Headers come in -----------------------------------------------------------------------------
 */

static enum fault decode_headers(const struct p2p *p2p, struct reader *r, struct block_header **out,
                                 size_t *n)
{
    enum fault fault = FAULT_NONE;
    bool is_too_many = wire_count_exceeds(*r, WIRE_HEADERS_MAX);
    *n = wire_count_decode(r, WIRE_HEADERS_MAX, BLOCK_HEADER_BYTES + 1);
    *out = xmalloc((*n + 1) * sizeof **out);
    struct block_hash prev = {{0}};
    for (size_t i = 0; i < *n && fault == FAULT_NONE; i++) {
        struct block_header *header = &(*out)[i];
        (void)block_header_decode(r, header);
        (void)read_compact_size(r); /* a number of transactions, always 0 */
        if (r->failed)
            break;
        struct block_hash hash = block_header_hash(header);
        if (i > 0 && !block_hash_equal(&header->prev, &prev))
            fault = FAULT_HEADERS_UNORDERED;
        else if (!pow_check(p2p->network, &hash, header->bits))
            fault = FAULT_HEADERS_POW;
        prev = hash;
    }
    if (r->failed)
        fault = is_too_many ? FAULT_OVERSIZED : FAULT_MALFORMED;
    return fault;
}

/* The peer that we sync from has brought so many that are new: it has more time. */
static void count_progress(struct p2p *p2p, const struct peer *peer, size_t n_new)
{
    struct header_sync *sync = &p2p->headers;
    if (sync->sync_peer != peer->id)
        return;
    int64_t max_us = p2p_now_us(p2p) + HEADER_SYNC_PATIENCE_US;
    sync->until_us += (int64_t)n_new * (1000000 / HEADER_SYNC_RATE);
    sync->until_us = MIN_OF(sync->until_us, max_us);
}

/* It answers, but with what we have: another one is asked. */
static void brings_nothing(struct p2p *p2p, struct peer *peer)
{
    log_printf(p2p->log, LOG_NET, "peer=%llu answers with headers that bring nothing new",
               peer_shown(peer->id));
    peer->headers.useless_us = p2p_now_us(p2p);
    if (p2p->headers.sync_peer != peer->id)
        return;
    p2p->headers.sync_peer = 0;
    p2p_schedule_now(p2p);
}

/* How many of these, which follow each other, we have: always the first ones. */
static size_t count_known(const struct p2p *p2p, const struct block_header *headers, size_t n)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct block_hash hash = block_header_hash(&headers[middle]);
        if (chain_find(p2p->chain, &hash))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Give headers that are worth it to the chain, in order. */
static enum fault accept(struct p2p *p2p, struct peer *peer, const struct block_header *headers,
                         size_t n)
{
    const struct block_node *node = NULL;
    for (size_t i = 0; i < n; i++) {
        struct verdict verdict;
        const struct block_node *next = chain_accept_header(p2p->chain, &headers[i], &verdict);
        if (!next) {
            if (node)
                header_sync_update_known(peer, node);
            if (reject_class(verdict.code) != REJECT_CLASS_CONSENSUS)
                return FAULT_NONE;
            /* Who follows a chain that we refuse for another reason need not know ours: only who we
             * chose ourselves is replaced. Who builds on, and has been told, is another matter. */
            if (verdict.code == REJECT_DUPLICATE_INVALID)
                return peer_is_outbound(peer) && peer->class != PEER_MANUAL ? FAULT_HEADER_INVALID
                                                                            : FAULT_NONE;
            return FAULT_HEADER_INVALID;
        }
        node = next;
    }
    if (node)
        header_sync_update_known(peer, node);
    return FAULT_NONE;
}

/* Everybody is asked, once somebody has told us all he knows: blocks come from all of them. */
static void ask_all(struct p2p *p2p)
{
    p2p->headers.is_synced = true;
    p2p->headers.sync_peer = 0;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->state == PEER_READY && peer_has_blocks(peer) && !peer->headers.best_known &&
            header_ask_is_due(p2p, peer))
            start(p2p, peer, false);
}

static void presync_ask(struct p2p *p2p, struct peer *peer)
{
    struct buffer locator, tail;
    struct block_hash next = presync_next(peer->headers.presync);
    buffer_init(&locator);
    buffer_init(&tail);
    header_locator(presync_start(peer->headers.presync), &tail);
    /* One hash in front of those; a locator stays below the length that needs a longer count. */
    struct writer w = writer_to_growing(&locator);
    size_t n = tail.p[0];
    if (n == WIRE_LOCATOR_MAX - 1)
        n--;
    write_compact_size(&w, n + 1);
    write_bytes(&w, next.b, 32);
    write_bytes(&w, tail.p + 1, 32 * n);
    header_ask_send(p2p, peer, &locator);
    buffer_deinit(&locator);
    buffer_deinit(&tail);
}

static enum fault presync_go_on(struct p2p *p2p, struct peer *peer,
                                const struct block_header *headers, size_t n)
{
    const struct block_header *ready;
    size_t n_ready;
    bool is_full = n == WIRE_HEADERS_MAX;
    enum presync_phase phase =
        presync_take(peer->headers.presync, headers, n, is_full, &ready, &n_ready);
    enum fault fault = accept(p2p, peer, ready, n_ready);
    count_progress(p2p, peer, n);
    if (fault != FAULT_NONE || phase == PRESYNC_FAILED) {
        presync_end(peer);
        if (fault == FAULT_NONE)
            brings_nothing(p2p, peer);
        return fault;
    }
    if (phase != PRESYNC_DONE) {
        presync_ask(p2p, peer);
        return FAULT_NONE;
    }
    presync_end(peer);
    if (is_full)
        header_ask(p2p, peer, peer->headers.best_known);
    else
        ask_all(p2p);
    return FAULT_NONE;
}

static struct u256 work_of(const struct block_node *prev, const struct block_header *headers,
                           size_t n)
{
    struct u256 work = prev->chain_work;
    for (size_t i = 0; i < n; i++)
        work = u256_add(work, pow_block_work(headers[i].bits));
    return work;
}

/* They follow nothing that we know. */
static enum fault unconnected(struct p2p *p2p, struct peer *peer,
                              const struct block_header *headers, size_t n)
{
    struct block_hash last = block_header_hash(&headers[n - 1]);
    (void)header_sync_announced(p2p, peer, &last);
    header_ask_soon(p2p, peer);
    return FAULT_NONE;
}

/* After a full answer that ends with node: ask for what follows. An answer to that which brings
 * nothing new and leads no further is no progress: who gives the same headers again and again would
 * keep us from all others. */
static void walk_on(struct p2p *p2p, struct peer *peer, const struct block_node *node, bool is_new)
{
    const struct block_node *walked = peer->headers.walked;
    if (!node)
        return; /* its last headers were refused, and it is not to blame */
    if (!is_new && walked && node->height <= walked->height) {
        brings_nothing(p2p, peer);
        return;
    }
    header_ask(p2p, peer, node);
    peer->headers.walked = node;
}

static enum fault take(struct p2p *p2p, struct peer *peer, const struct block_header *headers,
                       size_t n)
{
    bool is_full = n == WIRE_HEADERS_MAX;
    if (peer->headers.presync) {
        struct block_hash next = presync_next(peer->headers.presync);
        if (block_hash_equal(&headers[0].prev, &next))
            return presync_go_on(p2p, peer, headers, n);
    }
    const struct block_node *prev = chain_find(p2p->chain, &headers[0].prev);
    if (!prev)
        return unconnected(p2p, peer, headers, n);
    struct block_hash last = block_header_hash(&headers[n - 1]);
    bool is_known = chain_find(p2p->chain, &last) != NULL;
    /* Who is trusted not to fill our memory may tell of any chain, as in Core. */
    bool is_trusted = (peer->permissions & PERMISSION_NOBAN) != 0;
    if (!is_known && !is_trusted && !PLANTED(p2p->env, LOW_WORK_KEPT) &&
        u256_compare(work_of(prev, headers, n), header_sync_min_work(p2p)) < 0) {
        if (is_full && peer->headers.presync) {
            presync_end(peer); /* not what it was asked for, but something from before */
            brings_nothing(p2p, peer);
            return FAULT_NONE;
        }
        if (!is_full)
            return FAULT_NONE; /* too little work to be kept, and nobody is to blame */
        peer->headers.presync =
            presync_new(p2p->env, p2p->network, prev, header_sync_min_work(p2p), p2p_now_s(p2p));
        return presync_go_on(p2p, peer, headers, n);
    }
    size_t n_new = n - count_known(p2p, headers, n);
    count_progress(p2p, peer, n_new);
    enum fault fault = accept(p2p, peer, headers, n);
    if (fault != FAULT_NONE || peer->state == PEER_GONE)
        return fault;
    const struct block_node *end = chain_find(p2p->chain, &last);
    if (end)
        p2p->up->headers_told(p2p, peer, end);
    if (is_full)
        walk_on(p2p, peer, end, n_new > 0);
    else if (p2p->headers.sync_peer == peer->id)
        ask_all(p2p);
    return FAULT_NONE;
}

enum fault header_sync_on_headers(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct block_header *headers;
    size_t n;
    peer->headers.is_asked = false;
    peer->headers.owes_since_us = 0;
    enum fault fault = decode_headers(p2p, r, &headers, &n);
    if (fault == FAULT_NONE && n > 0) {
        fault = take(p2p, peer, headers, n);
    } else if (fault == FAULT_NONE) {
        presync_end(peer); /* it has no more; others may, in their turn */
    }
    xfree(headers);
    if (fault == FAULT_NONE)
        laggards_told(p2p, peer);
    if (fault == FAULT_NONE && peer->headers.ask_again)
        header_sync_resolve(p2p, peer);
    if (fault == FAULT_NONE && peer->headers.ask_again && !peer->headers.is_asked) {
        peer->headers.ask_again = false;
        if (peer->headers.has_unknown)
            header_ask(p2p, peer, NULL);
    }
    p2p->headers.n_answers++;
    p2p_schedule_now(p2p);
    return fault;
}

/* -- Time ---------------------------------------------------------------------------------------
 */

/* It answered with nothing new a moment ago. */
static bool is_useless(const struct peer *peer, int64_t now_us)
{
    return peer->headers.useless_us > 0 &&
           now_us - peer->headers.useless_us < HEADER_SYNC_PATIENCE_US;
}

/* The next peer to sync from: those not asked before first, outbound ones before others. */
static struct peer *choose_of(const struct p2p *p2p, int64_t now_us, bool only_outbound)
{
    struct peer *best = NULL;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY || !peer_has_blocks(peer) || is_useless(peer, now_us) ||
            peer->id == p2p->headers.sync_peer || (only_outbound && !peer_is_outbound(peer)))
            continue;
        if (!best || peer->headers.asked_us < best->headers.asked_us ||
            (peer->headers.asked_us == best->headers.asked_us && peer_is_outbound(peer) &&
             !peer_is_outbound(best)))
            best = peer;
    }
    return best;
}

/* Of those that come to us there may be any number, new ones all the time: they have each second
 * turn at most. */
static struct peer *choose(const struct p2p *p2p, int64_t now_us)
{
    struct peer *peer = p2p->headers.was_inbound ? choose_of(p2p, now_us, true) : NULL;
    return peer ? peer : choose_of(p2p, now_us, false);
}

/* When the first of those that brought nothing new may be asked again. */
static int64_t next_useful_us(const struct p2p *p2p, int64_t now_us)
{
    int64_t next_us = now_us + HEADER_SYNC_PATIENCE_US;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (is_useless(peer, now_us) &&
            peer->headers.useless_us + HEADER_SYNC_PATIENCE_US < next_us)
            next_us = peer->headers.useless_us + HEADER_SYNC_PATIENCE_US;
    return next_us;
}

/* One that we have chosen is here and was not asked yet. */
static bool has_fresh_outbound(const struct p2p *p2p)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer_is_outbound(peer) && peer->state == PEER_READY && peer_has_blocks(peer) &&
            peer->headers.asked_us == 0)
            return true;
    return false;
}

/* When one that we have chosen takes the place of who is asked now: at once if that one has told
 * all it has, soon if it came to us, which may mean to keep us waiting; INT64_MAX: not at all. */
static int64_t outranked_us(const struct p2p *p2p)
{
    const struct header_sync *sync = &p2p->headers;
    const struct peer *asked = p2p_find_peer(p2p, sync->sync_peer);
    if (!asked || (peer_is_outbound(asked) && asked->headers.is_asked) || !has_fresh_outbound(p2p))
        return INT64_MAX;
    return asked->headers.is_asked ? sync->since_us + HEADER_SYNC_OUTRANK_US : sync->since_us;
}

static int64_t sync_tick(struct p2p *p2p, int64_t now_us)
{
    struct header_sync *sync = &p2p->headers;
    int64_t next_us = outranked_us(p2p);
    next_us = MIN_OF(next_us, sync->until_us);
    if (sync->sync_peer && now_us < next_us)
        return next_us;
    struct peer *peer = choose(p2p, now_us);
    if (!peer)
        return next_useful_us(p2p, now_us); /* or as soon as somebody new is there */
    sync->sync_peer = peer->id;
    sync->was_inbound = !peer_is_outbound(peer);
    sync->since_us = now_us;
    sync->until_us = now_us + HEADER_SYNC_PATIENCE_US;
    start(p2p, peer, false);
    return sync->until_us;
}

/* Another one of our choice could be asked. Core: m_num_preferred_download_peers */
static bool has_preferred(const struct p2p *p2p, const struct peer *who)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer != who && peer->state == PEER_READY && peer_has_blocks(peer) &&
            (peer_is_outbound(peer) || (peer->permissions & PERMISSION_NOBAN)))
            return true;
    return false;
}

/* It has answered nothing for too long. One at a time: the others' time begins anew. */
static void give_up(struct p2p *p2p, struct peer *peer)
{
    for (struct peer *other = p2p->peers; other; other = other->next)
        if (other->headers.owes_since_us != 0)
            other->headers.owes_since_us = p2p_now_us(p2p);
    if (!(peer->permissions & PERMISSION_NOBAN)) {
        log_printf(p2p->log, LOG_NET, "Timeout downloading headers, disconnecting peer=%llu",
                   peer_shown(peer->id));
        peer_drop(p2p, peer, "owes headers and sends none");
        return;
    }
    log_printf(p2p->log, LOG_NET,
               "Timeout downloading headers from noban peer, not disconnecting peer=%llu",
               peer_shown(peer->id));
    peer->headers.is_started = peer->headers.is_asked = false;
    peer->headers.owes_since_us = 0;
    if (p2p->headers.sync_peer == peer->id)
        p2p->headers.sync_peer = 0;
}

/* Once we have caught up nobody goes for that, not even when time has jumped: Core. */
static int64_t owed_tick(struct p2p *p2p, int64_t now_us)
{
    bool is_over = !is_far_behind(p2p);
    int64_t age_s = p2p_now_s(p2p) - (int64_t)chain_best_header(p2p->chain)->time;
    int64_t limit_us = HEADER_SYNC_ANSWER_US +
                       age_s / p2p->network->pow_target_spacing_s * HEADER_SYNC_PER_HEADER_US;
    int64_t next_us = INT64_MAX;
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        if (is_over)
            peer->headers.owes_since_us = 0;
        int64_t since_us = peer->headers.owes_since_us;
        if (peer->state != PEER_READY || since_us == 0 || peer->class == PEER_MANUAL ||
            !has_preferred(p2p, peer))
            continue;
        if (now_us - since_us > limit_us)
            give_up(p2p, peer);
        else
            next_us = MIN_OF(next_us, since_us + limit_us + 1);
    }
    return next_us;
}

/* Who announced more while a question was open, and has not answered it. */
static int64_t ask_again_tick(struct p2p *p2p)
{
    int64_t next_us = INT64_MAX;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY || !peer->headers.ask_again)
            continue;
        if (header_ask_is_due(p2p, peer))
            header_ask_soon(p2p, peer);
        else if (peer->headers.asked_us + HEADER_ASK_PAUSE_US + 1 < next_us)
            next_us = peer->headers.asked_us + HEADER_ASK_PAUSE_US + 1;
    }
    return next_us;
}

int64_t header_sync_tick(struct p2p *p2p, int64_t now_us)
{
    int64_t next_us = ask_again_tick(p2p);
    int64_t owed_us = owed_tick(p2p, now_us);
    next_us = MIN_OF(next_us, owed_us);
    if (!p2p->headers.is_synced && is_far_behind(p2p)) {
        int64_t sync_us = sync_tick(p2p, now_us);
        return MIN_OF(sync_us, next_us);
    }
    p2p->headers.is_synced = true;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY || !peer_has_blocks(peer))
            continue;
        int64_t at_us = peer->headers.asked_us + ASK_AGAIN_US;
        /* Also who was asked for an inv alone: what it announces next would not count. Core */
        if (!peer->headers.is_started || at_us <= now_us) {
            start(p2p, peer, true);
            at_us = now_us + ASK_AGAIN_US;
        }
        next_us = MIN_OF(next_us, at_us);
    }
    return next_us;
}
