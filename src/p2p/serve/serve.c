/* serve.c - see serve.h. */
#include "p2p/serve/serve.h"

#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

#define TX_RECENT_S 120 /* an entry so old has reached everybody */

/* One block on its way from the disk to a peer. Outlives the peer: it counts among the reads under
 * way until the disk has answered, so that who comes and goes does not get more of them. */
struct serve_read {
    struct p2p *p2p;
    struct list_link link; /* of its peer's */
    uint64_t peer;
    const struct block_node *node;
    struct block_ref *block; /* held; NULL until it is here */
    size_t len;
    size_t own_bytes; /* what it counts for SERVE_HELD_MAX */
    bool is_done, with_witness, is_starting;
    bool is_compact;               /* sent as a cmpctblock */
    struct compact_wanted *wanted; /* these alone are sent; NULL: all of it. Owned */
    bool is_filtered;              /* by the peer's Bloom filter; if so, without witness, */
    bool is_matching;              /* which takes a job, */
    struct light_block *light;     /* and has been done; owned */
};

/* A block is held against its peer's filter: the first of its reads. */
struct serve_match {
    struct env_job job; /* first */
    struct p2p *p2p;
    uint64_t peer;
    struct light_block *light;
};

bool serve_is_busy(const struct peer *peer)
{
    return peer->serve.items != NULL || peer->serve.reads.count > 0;
}

/* -- Blocks ----------------------------------------------------------------------------------- */

static void not_found(struct peer *peer, const struct wire_inv *inv)
{
    struct peer_serve *serve = &peer->serve;
    if (!serve->not_found) {
        serve->not_found = xmalloc(sizeof *serve->not_found);
        buffer_init(serve->not_found);
    }
    struct writer w = writer_to_growing(serve->not_found);
    wire_inv_encode(&w, inv);
    serve->n_not_found++;
}

static struct serve_recent *find_recent(struct p2p *p2p, const struct block_node *node)
{
    for (size_t i = 0; i < SERVE_RECENT_MAX; i++)
        if (p2p->serve.recent[i].node == node)
            return &p2p->serve.recent[i];
    return NULL;
}

/* Make it once for all who ask. */
static struct serve_form make_form(struct block_ref *block, bool with_witness)
{
    struct serve_form form;
    if (with_witness) {
        form.bytes = block_ref_hold(block);
    } else {
        struct buffer stripped;
        buffer_init(&stripped);
        struct writer w = writer_to_growing(&stripped);
        block_encode(&w, &block->block, false);
        form.bytes = block_ref_take(stripped.p, stripped.len);
    }
    frame_checksum(span_of(form.bytes->raw, form.bytes->raw_len), form.checksum);
    return form;
}

static void send_block(struct p2p *p2p, struct peer *peer, struct serve_read *read)
{
    if (!read->block && read->wanted)
        return; /* it was here a moment ago: no answer, as to who asks for a block that is not */
    if (!read->block) {
        struct wire_inv inv = {.type = read->with_witness ? INV_WITNESS_BLOCK : INV_BLOCK};
        memcpy(inv.hash, read->node->hash.b, 32);
        not_found(peer, &inv);
        return;
    }
    if (read->is_filtered) {
        light_block_send(p2p, peer, read->light);
        return;
    }
    if (read->wanted) {
        peer_fault(p2p, peer, compact_tell_txs(p2p, peer, &read->block->block, read->wanted), "");
        return;
    }
    if (read->is_compact) {
        compact_tell_block(p2p, peer, read->node, &read->block->block);
        return;
    }
    struct serve_recent *recent = find_recent(p2p, read->node);
    if (!recent) {
        struct serve_form form = make_form(read->block, read->with_witness);
        lent_add(p2p, peer, form.bytes->raw_len);
        peer_send_block(p2p, peer, form.bytes, form.checksum);
        block_ref_drop(form.bytes);
        return;
    }
    struct serve_form *form = &recent->forms[read->with_witness];
    if (!form->bytes)
        *form = make_form(recent->block, read->with_witness);
    peer_send_block(p2p, peer, form->bytes, form->checksum);
}

/* After the last block of a getblocks answer, tell the tip: the peer asks for the next part. */
static void send_continue(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    if (!peer->serve.has_continue || !block_hash_equal(&peer->serve.continue_at, &node->hash))
        return;
    uint8_t bytes[1 + WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    struct wire_inv inv = {.type = INV_BLOCK};
    memcpy(inv.hash, chain_tip(p2p->chain)->hash.b, 32);
    write_compact_size(&w, 1);
    wire_inv_encode(&w, &inv);
    peer_send(p2p, peer, "inv", span_of(bytes, w.len));
    peer->serve.has_continue = false;
}

static void read_free(struct serve_read *read)
{
    block_ref_drop(read->block);
    light_block_free(read->light);
    xfree(read->wanted);
    xfree(read);
}

/* A block goes into an empty queue whatever its size, else only within the limit: a peer that reads
 * nothing holds at most that much of our memory, or one message. */
static bool fits(const struct p2p *p2p, const struct peer *peer, size_t len)
{
    size_t queued = peer_queued_bytes(p2p, peer);
    return queued == 0 || queued + len <= PEER_SEND_QUEUE_PAUSE;
}

static void run_match(struct env_job *job)
{
    light_block_run(((struct serve_match *)job)->light);
}

static void match_done(struct env_job *job)
{
    struct serve_match *match = (struct serve_match *)job;
    struct p2p *p2p = match->p2p;
    struct peer *peer = p2p_find_peer(p2p, match->peer);
    ASSERT(p2p->n_operations > 0);
    p2p->n_operations--;
    if (peer) {
        struct serve_read *read = LIST_FIRST(struct serve_read, &peer->serve.reads, link);
        ASSERT(read && read->is_matching && !read->light);
        read->is_matching = false;
        read->light = match->light;
        p2p_enter(p2p);
        p2p->up->peer_may_go_on(p2p, peer);
        p2p_leave(p2p);
    } else {
        light_block_free(match->light);
    }
    xfree(match);
}

/* The first read of a peer is of a filtered block. Returns: it need not wait, or no more */
static bool is_matched(struct p2p *p2p, struct peer *peer, struct serve_read *read)
{
    if (!read->is_filtered || !read->block || read->light)
        return true;
    if (read->is_matching)
        return false;
    struct serve_match *match = xcalloc(1, sizeof *match);
    *match = (struct serve_match){.job = {.run = run_match, .done = match_done},
                                  .p2p = p2p,
                                  .peer = peer->id,
                                  .light = light_block_new(peer, read->block)};
    read->is_matching = true;
    p2p->n_operations++;
    env_job_submit(p2p->env, ENV_POOL_COMPUTE, ENV_PRIORITY_LOW, &match->job);
    return false;
}

/* Blocks that are here leave in the order in which they were asked for. */
static void send_ready(struct p2p *p2p, struct peer *peer)
{
    struct peer_serve *serve = &peer->serve;
    struct serve_read *read;
    while ((read = LIST_FIRST(struct serve_read, &serve->reads, link)) && read->is_done &&
           fits(p2p, peer, read->len) && !peer_turn_is_over(peer) && is_matched(p2p, peer, read)) {
        list_remove(&serve->reads, &read->link);
        serve->read_bytes -= read->len;
        serve->lent.reading_bytes -= read->own_bytes;
        send_block(p2p, peer, read);
        send_continue(p2p, peer, read->node);
        read_free(read);
    }
}

/* -- Turns: few blocks are read at a time, by peers in the order in which they want one ----------
 */

static void enqueue(struct serve *serve, struct peer *peer)
{
    if (!list_has(&serve->waiting, &peer->serve.waiting))
        list_add(&serve->waiting, &peer->serve.waiting);
}

static void leave_queue(struct serve *serve, struct peer *peer)
{
    if (list_has(&serve->waiting, &peer->serve.waiting))
        list_remove(&serve->waiting, &peer->serve.waiting);
}

size_t serve_held_bytes(const struct p2p *p2p)
{
    size_t held = 0;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        held += lent_held(p2p, peer);
    return held;
}

static bool is_full(const struct p2p *p2p)
{
    return serve_held_bytes(p2p) >= p2p->serve.held_max;
}

/* May the peer start a read now? Else it is called when it may. */
static bool take_turn(struct p2p *p2p, struct peer *peer)
{
    struct serve *serve = &p2p->serve;
    bool may = serve->n_reads < SERVE_READS_ALL_MAX &&
               (peer->serve.has_turn || serve->waiting.count == 0) && !is_full(p2p);
    if (!may)
        enqueue(serve, peer);
    peer->serve.has_turn = false;
    return may;
}

/* Whose turn it is: who holds nothing comes before those who have not taken what they have. */
static struct peer *pick(const struct p2p *p2p)
{
    LIST_EACH (struct peer, peer, &p2p->serve.waiting, serve.waiting)
        if (lent_held(p2p, peer) == 0)
            return peer;
    return LIST_FIRST(struct peer, &p2p->serve.waiting, serve.waiting);
}

static void next_turns(struct p2p *p2p)
{
    struct serve *serve = &p2p->serve;
    while (serve->waiting.count > 0 && serve->n_reads < SERVE_READS_ALL_MAX && !is_full(p2p)) {
        struct peer *peer = pick(p2p);
        leave_queue(serve, peer);
        peer->serve.has_turn = true;
        serve_continue(p2p, peer);
        peer->serve.has_turn = false; /* it may have no room any more */
    }
}

int64_t serve_tick(struct p2p *p2p, int64_t now_us)
{
    struct peer *next;
    next_turns(p2p);
    for (struct peer *peer = p2p->peers; peer && p2p->serve.waiting.count > 0 && is_full(p2p);
         peer = next) {
        next = peer->next;
        if (lent_is_slow(p2p, peer, now_us))
            peer_drop(p2p, peer, "keeps others from blocks and takes none");
    }
    next_turns(p2p);
    int64_t next_us = p2p->serve.waiting.count > 0 && is_full(p2p) ? now_us + 1000000 : INT64_MAX;
    const struct compact_told *told = &p2p->serve.told;
    if (compact_tell_is_undecided(p2p, told->node))
        next_us = MIN_OF(next_us, told->told_us + COMPACT_TELL_WAIT_US);
    return next_us;
}

static void on_read(void *arg, const struct chain_block_read *result)
{
    struct serve_read *read = arg;
    struct p2p *p2p = read->p2p;
    struct peer *peer = p2p_find_peer(p2p, read->peer);
    ASSERT(p2p->n_operations > 0 && p2p->serve.n_reads > 0);
    p2p->n_operations--;
    p2p->serve.n_reads--;
    if (peer) {
        read->is_done = true;
        if (result->error == 0)
            read->block = block_ref_hold(result->block);
    } else {
        read_free(read);
    }
    if (peer && read->is_starting) /* answered at once: who started it goes on */
        return;
    p2p_enter(p2p);
    if (peer)
        p2p->up->peer_may_go_on(p2p, peer);
    next_turns(p2p);
    p2p_leave(p2p);
}

/* What of the block is wanted by then is no longer the getdata's. */
static void start_read(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                       uint32_t type, bool is_compact)
{
    bool with_witness = type != INV_BLOCK && type != INV_FILTERED_BLOCK;
    struct peer_serve *serve = &peer->serve;
    struct serve_read *read = xcalloc(1, sizeof *read);
    *read = (struct serve_read){.p2p = p2p,
                                .peer = peer->id,
                                .node = node,
                                .len = node->data.len,
                                .with_witness = with_witness,
                                .is_compact = is_compact,
                                .is_filtered = type == INV_FILTERED_BLOCK,
                                .wanted = serve->wanted};
    serve->wanted = NULL;
    list_add(&serve->reads, &read->link);
    serve->read_bytes += read->len;
    const struct serve_recent *recent = find_recent(p2p, node);
    if (recent) {
        read->block = block_ref_hold(recent->block);
        read->is_done = true;
        p2p_schedule_part_now(p2p, TURN_PEERS);
        return;
    }
    read->own_bytes = read->len;
    serve->lent.reading_bytes += read->own_bytes;
    p2p->n_operations++;
    p2p->serve.n_reads++;
    read->is_starting = true;
    /* Bytes are handed on as they are; leaving the witness out needs them decoded. */
    bool is_raw = with_witness && !is_compact && !read->wanted;
    chain_read_for_peer(p2p->chain, node, is_raw, on_read, read);
    read->is_starting = false;
    if (read->is_done)
        p2p_schedule_part_now(p2p, TURN_PEERS);
}

/* What is left of -maxuploadtarget is for new blocks. Core: HISTORICAL_BLOCK_AGE */
static bool is_kept_back(const struct p2p *p2p, const struct peer *peer,
                         const struct block_node *node)
{
    const struct block_node *best = chain_best_header(p2p->chain);
    return (int64_t)best->time - (int64_t)node->time > UPLOAD_HISTORICAL_S &&
           !(peer->permissions & PERMISSION_DOWNLOAD) &&
           !upload_serves_historical(&p2p->upload, p2p_now_s(p2p));
}

/* Who is far behind, or asks for what is old, has no use for short ids: he gets the whole block.
 * BIP-152, MSG_CMPCT_BLOCK; Core ProcessGetBlockData() */
static bool is_worth_compact(const struct p2p *p2p, const struct block_node *node)
{
    return node->height >= chain_tip(p2p->chain)->height - COMPACT_TELL_BLOCK_DEPTH_MAX &&
           block_fetch_is_current(p2p);
}

static enum fault serve_block(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    struct block_hash hash;
    memcpy(hash.b, inv->hash, 32);
    const struct block_node *node = chain_find(p2p->chain, &hash);
    if (!node || !block_node_has_data(node) || block_node_has_failed(node) ||
        !locate_is_public(p2p, node)) {
        not_found(peer, inv);
        return FAULT_NONE;
    }
    if (is_kept_back(p2p, peer, node) && !PLANTED(p2p->env, UPLOAD_UNLIMITED))
        return FAULT_UPLOAD_LIMIT;
    if (locate_is_pruned_for(p2p, peer, node) && !PLANTED(p2p->env, PRUNED_SERVES_ALL))
        return FAULT_PRUNED_REQUEST;
    bool is_compact = inv->type == INV_COMPACT_BLOCK && is_worth_compact(p2p, node);
    start_read(p2p, peer, node, inv->type, is_compact);
    return FAULT_NONE;
}

/* -- Transactions ------------------------------------------------------------------------------ */

/* Only what the peer was told of, or everybody may know by now, of a block or by its age: otherwise
 * asking would tell what we got from whom, and when. That the peer has told us of it proves
 * nothing: anybody can, and ask. */
static bool may_fetch(const struct p2p *p2p, const struct peer *peer,
                      const struct mempool_entry *entry)
{
    return entry->was_in_block || entry->sequence <= peer->relay.told_sequence ||
           p2p_now_s(p2p) - entry->time_s > TX_RECENT_S;
}

/* The one that an inventory entry names, if this peer may have it; NULL: it may not, or there is
 * none. What is in the newest block everybody may have. */
static const struct tx *find_tx(struct p2p *p2p, const struct peer *peer,
                                const struct wire_inv *inv)
{
    struct txid txid;
    struct wtxid wtxid;
    memcpy(txid.b, inv->hash, 32);
    memcpy(wtxid.b, inv->hash, 32);
    const struct mempool_entry *entry = inv->type == INV_WTX
                                            ? mempool_find_wtxid(p2p->mempool, &wtxid)
                                            : mempool_find(p2p->mempool, &txid);
    if (entry && may_fetch(p2p, peer, entry)) {
        mempool_mark_broadcast(p2p->mempool, &entry->tx.txid);
        return &entry->tx;
    }
    return newest_txs_find(&p2p->serve.newest, inv->hash, inv->type == INV_WTX);
}

static void serve_tx(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    if (!peer->relay.tells_txs)
        return; /* who is told of none has no business with them: no answer, as in Core */
    const struct tx *tx = find_tx(p2p, peer, inv);
    if (!tx) {
        not_found(peer, inv);
    } else if (inv->type == INV_TX && tx->has_witness) {
        struct buffer stripped;
        buffer_init(&stripped);
        struct writer w = writer_to_growing(&stripped);
        tx_encode(&w, tx, false);
        peer_send(p2p, peer, "tx", buffer_span(&stripped));
        buffer_deinit(&stripped);
    } else {
        peer_send(p2p, peer, "tx", tx->raw);
    }
}

/* -- getdata -------------------------------------------------------------------------------------
 */

static void end_getdata(struct p2p *p2p, struct peer *peer)
{
    struct peer_serve *serve = &peer->serve;
    xfree(serve->items);
    xfree(serve->wanted);
    serve->items = NULL;
    serve->wanted = NULL;
    if (!serve->not_found || serve->reads.count > 0)
        return;
    struct buffer message;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    write_compact_size(&w, serve->n_not_found);
    write_span(&w, buffer_span(serve->not_found));
    peer_send(p2p, peer, "notfound", buffer_span(&message));
    buffer_deinit(&message);
    buffer_deinit(serve->not_found);
    xfree(serve->not_found);
    serve->not_found = NULL;
    serve->n_not_found = 0;
}

/* Room for one more block: what is queued and what is being read stay within one bound. */
static bool has_room_for_read(const struct p2p *p2p, const struct peer *peer)
{
    const struct peer_serve *serve = &peer->serve;
    size_t queued = peer_queued_bytes(p2p, peer);
    return serve->reads.count == 0 || (serve->reads.count < SERVE_READS_MAX &&
                                       queued + serve->read_bytes < PEER_SEND_QUEUE_PAUSE);
}

/* Can the item be looked at now? A block that has to be read waits for its peer's turn. */
static bool may_serve(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    struct block_hash hash;
    memcpy(hash.b, inv->hash, 32);
    if (inv->type != INV_BLOCK && inv->type != INV_WITNESS_BLOCK &&
        inv->type != INV_COMPACT_BLOCK && inv->type != INV_FILTERED_BLOCK)
        return true;
    const struct block_node *node = chain_find(p2p->chain, &hash);
    /* One that we told of ourselves is not denied while it is verified. BIP-152, Pre-Validation
     * Relay and Consistency Considerations */
    if (compact_tell_is_undecided(p2p, node))
        return false;
    return !node || !block_node_has_data(node) || find_recent(p2p, node) || take_turn(p2p, peer);
}

static enum fault serve_item(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    switch (inv->type) {
    case INV_TX:
    case INV_WITNESS_TX:
    case INV_WTX:
        serve_tx(p2p, peer, inv);
        return FAULT_NONE;
    case INV_BLOCK:
    case INV_WITNESS_BLOCK:
    case INV_COMPACT_BLOCK:
        return serve_block(p2p, peer, inv);
    case INV_FILTERED_BLOCK:
        if (peer_asks_filter(p2p, peer) != FAULT_NONE)
            return FAULT_NOT_OFFERED; /* as the messages that set the filter */
        /* BIP-37, Extensions to existing messages */
        return peer->light.filter ? serve_block(p2p, peer, inv) : FAULT_NONE;
    }
    return FAULT_NONE; /* of a kind that we do not know: passed over. Hazard 52 */
}

void serve_continue(struct p2p *p2p, struct peer *peer)
{
    struct peer_serve *serve = &peer->serve;
    if (!serve_is_busy(peer))
        return;
    send_ready(p2p, peer);
    int n = 0;
    while (serve->items && reader_left(&serve->at) > 0 && n++ < SERVE_ITEMS_TURN &&
           !peer_turn_is_over(peer) && peer_has_room(p2p, peer) && has_room_for_read(p2p, peer)) {
        struct wire_inv inv;
        struct reader next = serve->at;
        wire_inv_decode(&next, &inv);
        if (!may_serve(p2p, peer, &inv))
            break;
        serve->at = PLANTED(p2p->env, UNKNOWN_KINDS_KEPT) && inv.type == 99 ? serve->at : next;
        enum fault fault = serve_item(p2p, peer, &inv);
        if (fault != FAULT_NONE) {
            peer_fault(p2p, peer, fault, "getdata");
            return;
        }
    }
    if (serve->items && reader_left(&serve->at) == 0)
        end_getdata(p2p, peer);
    else if (!serve->items && serve->reads.count == 0)
        end_getdata(p2p, peer); /* the last read has come back: what was not found is told */
    if (serve_is_busy(peer) && (n > SERVE_ITEMS_TURN || peer_turn_is_over(peer)))
        p2p_schedule_part_now(p2p, TURN_PEERS);
}

/* [tx 11] The peer asks for it. */
enum fault serve_on_getdata(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    struct peer_serve *serve = &peer->serve;
    bool is_too_many = wire_count_exceeds(*r, WIRE_INV_MAX);
    size_t n = wire_count_decode(r, WIRE_INV_MAX, WIRE_INV_BYTES), len;
    ASSERT(!serve->items);
    if (r->failed)
        return is_too_many ? FAULT_OVERSIZED : FAULT_MALFORMED;
    size_t head = frame_payload(&peer->frame).len - reader_left(r);
    serve->items = frame_payload_take(&peer->frame, &len);
    serve->at = reader_of(span_of(serve->items + head, n * WIRE_INV_BYTES));
    serve_continue(p2p, peer);
    return FAULT_NONE;
}

/* One block to be served, of which the wanted transactions are sent; NULL: all of it. */
static void serve_one(struct p2p *p2p, struct peer *peer, const struct block_hash *hash,
                      struct compact_wanted *wanted_take)
{
    struct peer_serve *serve = &peer->serve;
    struct wire_inv inv = {.type = INV_WITNESS_BLOCK};
    memcpy(inv.hash, hash->b, sizeof inv.hash);
    serve->items = xmalloc(WIRE_INV_BYTES);
    struct writer w = writer_to_buffer(serve->items, WIRE_INV_BYTES);
    wire_inv_encode(&w, &inv);
    serve->at = reader_of(span_of(serve->items, WIRE_INV_BYTES));
    serve->wanted = wanted_take;
    serve_continue(p2p, peer);
}

/* The block that was told last is at hand. Of others, those that are not deep are read; a deeper
 * one is sent whole, so that who makes us read it has to take it. BIP-152, getblocktxn */
static enum fault serve_txs(struct p2p *p2p, struct peer *peer,
                            const struct compact_request *request)
{
    unsigned long long id = peer_shown(peer->id);
    const struct compact_told *told = &p2p->serve.told;
    if (told->node && block_hash_equal(&told->node->hash, &request->hash))
        return compact_tell_told_txs(p2p, peer, request);
    const struct block_node *node = chain_find(p2p->chain, &request->hash);
    if (!node || !block_node_has_data(node)) {
        log_printf(p2p->log, LOG_NET, "Peer %llu sent us a getblocktxn for a block we don't have",
                   id);
        return FAULT_NONE;
    }
    if (node->height < chain_tip(p2p->chain)->height - COMPACT_TELL_TXS_DEPTH_MAX) {
        log_printf(p2p->log, LOG_NET, "Peer %llu sent us a getblocktxn for a block > %d deep", id,
                   COMPACT_TELL_TXS_DEPTH_MAX);
        serve_one(p2p, peer, &request->hash, NULL);
        return FAULT_NONE;
    }
    struct compact_wanted *wanted =
        xmalloc(sizeof *wanted + request->n * sizeof wanted->indexes[0]);
    wanted->n = request->n;
    memcpy(wanted->indexes, request->indexes, request->n * sizeof wanted->indexes[0]);
    serve_one(p2p, peer, &request->hash, wanted);
    return FAULT_NONE;
}

enum fault serve_on_getblocktxn(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(!serve_is_busy(peer));
    struct compact_request request;
    struct arena arena;
    arena_init(&arena, 4096);
    enum fault fault = FAULT_MALFORMED;
    if (compact_request_decode(r, &arena, &request))
        fault = serve_txs(p2p, peer, &request);
    arena_deinit(&arena);
    return fault;
}

void serve_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    struct peer_serve *serve = &peer->serve;
    leave_queue(&p2p->serve, peer);
    struct serve_read *read;
    while ((read = LIST_POP(struct serve_read, &serve->reads, link))) {
        if (read->is_done || PLANTED(p2p->env, READS_FREED_EARLY))
            read_free(read); /* else on_read() does, which finds no peer */
    }
    xfree(serve->items);
    xfree(serve->wanted);
    if (serve->not_found)
        buffer_deinit(serve->not_found);
    xfree(serve->not_found);
    *serve = (struct peer_serve){0};
}

static void recent_drop(struct serve_recent *recent)
{
    block_ref_drop(recent->block);
    block_ref_drop(recent->forms[0].bytes);
    block_ref_drop(recent->forms[1].bytes);
}

void serve_block_connected(struct p2p *p2p, const struct block_node *node, struct block_ref *block)
{
    struct serve_recent *recent = p2p->serve.recent;
    if (chain_is_initial_download(p2p->chain) || find_recent(p2p, node))
        return; /* nobody asks for these more than for others */
    recent_drop(&recent[SERVE_RECENT_MAX - 1]);
    memmove(&recent[1], &recent[0], (SERVE_RECENT_MAX - 1) * sizeof recent[0]);
    recent[0] = (struct serve_recent){.node = node, .block = block_ref_hold(block)};
    newest_txs_connected(&p2p->serve.newest, block);
}

void serve_block_disconnected(struct p2p *p2p, struct block_ref *block)
{
    if (!chain_is_initial_download(p2p->chain))
        newest_txs_disconnected(&p2p->serve.newest, block);
}

void serve_tip_changed(struct p2p *p2p)
{
    newest_txs_settled(&p2p->serve.newest);
}

void serve_init(struct p2p *p2p)
{
    ASSERT(p2p->serve.n_reads == 0);
    newest_txs_init(&p2p->serve.newest, p2p->key);
    p2p->serve.held_max = SERVE_HELD_MAX;
}

void serve_deinit(struct p2p *p2p)
{
    for (size_t i = 0; i < SERVE_RECENT_MAX; i++)
        recent_drop(&p2p->serve.recent[i]);
    newest_txs_deinit(&p2p->serve.newest);
    compact_tell_deinit(p2p);
}

bool serve_recent_compact(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    if (compact_tell_again(p2p, peer, node))
        return true;
    const struct serve_recent *recent = find_recent(p2p, node);
    if (recent)
        compact_tell_block(p2p, peer, node, &recent->block->block);
    return recent != NULL;
}
