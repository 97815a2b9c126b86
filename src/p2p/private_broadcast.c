/* private_broadcast.c - see private_broadcast.h. */
#include "p2p/private_broadcast.h"

#include "p2p/connect/dial.h"
#include "p2p/core/tunnel.h"
#include "p2p/core/wire.h"
#include "p2p/state.h"
#include "util/hex.h"

#define SELECT_TRIES 100
#define ID_TEXT      65

static const char *id_text(const uint8_t id[32], char out[ID_TEXT])
{
    hex_encode_reversed(out, span_of(id, 32));
    return out;
}

void private_broadcast_init(struct p2p *p2p)
{
    private_queue_init(&p2p->private_txs.queue, p2p->key);
}

void private_broadcast_deinit(struct p2p *p2p)
{
    private_queue_deinit(&p2p->private_txs.queue);
}

/* -- What our user sends ------------------------------------------------------------------------
 */

bool p2p_is_private_reachable(const void *ctx)
{
    const struct p2p *p2p = ctx;
    return reach_has_network(&p2p->reach, NET_TORV3) || reach_has_network(&p2p->reach, NET_I2P);
}

enum net_result p2p_send_privately(void *ctx, const struct txid *txid, const struct wtxid *wtxid,
                                   struct span raw)
{
    struct p2p *p2p = ctx;
    struct private_broadcast *own = &p2p->private_txs;
    char text[ID_TEXT], wtext[ID_TEXT];
    id_text(txid->b, text);
    id_text(wtxid->b, wtext);
    switch (private_queue_add(&own->queue, txid, wtxid, raw, p2p_now_s(p2p))) {
    case PRIVATE_FULL:
        return NET_RESULT_FULL;
    case PRIVATE_KNOWN:
        log_printf(p2p->log, LOG_NET,
                   "Ignoring unnecessary request to schedule an already scheduled transaction: "
                   "txid=%s, wtxid=%s",
                   text, wtext);
        return NET_RESULT_EXISTS;
    case PRIVATE_ADDED:
        break;
    }
    own->n_to_open += PRIVATE_PEERS_PER_TX;
    log_printf(p2p->log, LOG_NET, "Requesting %d new connections due to txid=%s, wtxid=%s",
               PRIVATE_PEERS_PER_TX, text, wtext);
    p2p_schedule_now(p2p);
    return NET_RESULT_OK;
}

void p2p_each_private(void *ctx, net_private_fn *fn, void *arg)
{
    const struct p2p *p2p = ctx;
    const struct private_queue *queue = &p2p->private_txs.queue;
    for (size_t i = 0; i < queue->txs.n; i++) {
        const struct private_tx *tx = queue->txs.at[i];
        struct net_private_peer peers[PRIVATE_SENDS_MAX];
        ASSERT(tx->sends.n <= PRIVATE_SENDS_MAX);
        for (size_t k = 0; k < tx->sends.n; k++)
            peers[k] = (struct net_private_peer){.address = tx->sends.at[k].address,
                                                 .sent_s = tx->sends.at[k].sent_s,
                                                 .received_s = tx->sends.at[k].received_s};
        const struct net_private_tx info = {.txid = &tx->txid,
                                            .wtxid = &tx->wtxid,
                                            .raw = span_of(tx->raw, tx->raw_len),
                                            .added_s = tx->added_s,
                                            .peers = peers,
                                            .n_peers = tx->sends.n};
        fn(arg, &info);
    }
}

/* What was asked for it is not needed any more, as far as it was not opened. */
static void remove_tx(struct p2p *p2p, struct private_tx *tx)
{
    struct private_broadcast *own = &p2p->private_txs;
    size_t left = PRIVATE_PEERS_PER_TX - MIN_OF(tx->n_picked, PRIVATE_PEERS_PER_TX);
    own->n_to_open -= MIN_OF(own->n_to_open, left);
    size_t at = private_queue_remove(&own->queue, tx);
    own->recheck_at -= at < own->recheck_at; /* those behind it have moved up */
    if (own->queue.txs.n == 0)
        own->n_to_open = 0;
}

size_t p2p_abort_private(void *ctx, const uint8_t id[32], net_private_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    struct private_queue *queue = &p2p->private_txs.queue;
    size_t n = 0;
    for (size_t i = queue->txs.n; i-- > 0;) {
        struct private_tx *tx = queue->txs.at[i];
        if (memcmp(tx->txid.b, id, 32) != 0 && memcmp(tx->wtxid.b, id, 32) != 0)
            continue;
        const struct net_private_tx info = {
            .txid = &tx->txid, .wtxid = &tx->wtxid, .raw = span_of(tx->raw, tx->raw_len)};
        fn(arg, &info);
        remove_tx(p2p, tx);
        n++;
    }
    return n;
}

/* -- One connection -----------------------------------------------------------------------------
 */

void private_broadcast_connected(struct p2p *p2p)
{
    struct private_broadcast *own = &p2p->private_txs;
    own->n_to_open -= MIN_OF(own->n_to_open, 1);
    log_printf(p2p->log, LOG_NET,
               "Socket connected for a private broadcast; remaining connections "
               "to open: %zu",
               own->n_to_open);
}

void private_broadcast_greeted(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer_is_private(peer) && peer->state == PEER_GREETED);
    char address[NET_ADDRESS_TEXT_MAX];
    struct private_tx *tx = private_queue_pick(&p2p->private_txs.queue, peer->id,
                                               net_address_format(&peer->address, address),
                                               p2p_now_s(p2p), p2p_now_us(p2p));
    if (!tx) {
        peer_drop(p2p, peer, "no more transactions for private broadcast (connected in vain)");
        return;
    }
    uint8_t bytes[1 + WIRE_INV_BYTES];
    struct wire_inv inv = {.type = INV_TX};
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    peer->is_private_up = true;
    memcpy(inv.hash, tx->txid.b, sizeof inv.hash);
    write_compact_size(&w, 1);
    wire_inv_encode(&w, &inv);
    peer_send(p2p, peer, "inv", span_of(bytes, w.len));
}

/* Whoever asks for anything else is looking for something. */
static void on_getdata(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    struct private_tx *tx = private_queue_of_peer(&p2p->private_txs.queue, peer->id, NULL);
    struct wire_inv inv = {0};
    bool is_one = wire_count_decode(r, WIRE_INV_MAX, WIRE_INV_BYTES) == 1;
    wire_inv_decode(r, &inv);
    bool is_it = tx && is_one && !r->failed && inv.type == INV_TX &&
                 memcmp(inv.hash, tx->txid.b, sizeof inv.hash) == 0;
    if (!is_it) {
        peer_drop(p2p, peer,
                  tx ? "got an unexpected GETDATA message"
                     : "the transaction is no longer to be broadcast");
        return;
    }
    peer_send(p2p, peer, "tx", span_of(tx->raw, tx->raw_len));
    if (peer->ping_nonce == 0)
        peer_ping(p2p, peer); /* its answer says that it has read all this */
}

enum fault private_broadcast_message(struct p2p *p2p, struct peer *peer, const char *name,
                                     struct reader *r)
{
    ASSERT(peer->is_private_up);
    if (strcmp(name, "getdata") == 0) {
        on_getdata(p2p, peer, r);
        return FAULT_NONE;
    }
    uint64_t asked = peer->ping_nonce;
    enum fault fault = peer_on_pong(p2p, peer, r);
    if (fault != FAULT_NONE || asked == 0 || peer->ping_nonce != 0)
        return fault;
    private_queue_confirm(&p2p->private_txs.queue, peer->id, p2p_now_s(p2p), p2p_now_us(p2p));
    peer_drop(p2p, peer, "got a PONG, the transaction will probably reach the network");
    return FAULT_NONE;
}

void private_broadcast_peer_ready(struct p2p *p2p, struct peer *peer)
{
    if (peer_is_outbound(peer) && peer->address.network == NET_TORV3)
        p2p->private_txs.has_tor = true;
}

void private_broadcast_peer_gone(struct p2p *p2p, struct peer *peer)
{
    struct private_broadcast *own = &p2p->private_txs;
    struct private_send *send;
    bool was_connected = peer->is_greeting_sent || (peer->tunnel && peer->tunnel->is_up);
    if (!peer_is_private(peer) || !was_connected || own->queue.txs.n == 0)
        return;
    if (private_queue_of_peer(&own->queue, peer->id, &send) && send->received_s != 0)
        return;
    own->n_to_open++; /* another one instead */
}

/* -- Whom to connect to -------------------------------------------------------------------------
 */

/* Returns: NET_NONE if there is none */
static uint8_t pick_network(const struct p2p *p2p)
{
    uint8_t networks[4];
    size_t n = 0;
    if (reach_has_network(&p2p->reach, NET_TORV3)) {
        networks[n++] = NET_TORV3;
        for (uint8_t clear = NET_IPV4; clear <= NET_IPV6; clear++)
            if (p2p->private_txs.has_tor && reach_has_network(&p2p->reach, clear))
                networks[n++] = clear;
    }
    if (reach_has_network(&p2p->reach, NET_I2P))
        networks[n++] = NET_I2P;
    return n > 0 ? networks[p2p_random(p2p, n)] : NET_NONE;
}

static bool select_address(struct p2p *p2p, uint8_t network, struct net_peer_address *out)
{
    int64_t last_try_s;
    for (int i = 0; i < SELECT_TRIES; i++) {
        if (!address_book_select_of(p2p->book, false, 1u << network, p2p_now_s(p2p), out,
                                    &last_try_s))
            return false;
        if (reach_can_dial(&p2p->reach, &out->at) && !dial_has(p2p, &out->at))
            return true;
    }
    return false;
}

/* Returns: how long to wait before the next attempt */
static int64_t open_one(struct p2p *p2p)
{
    struct net_peer_address address;
    uint8_t network = pick_network(p2p);
    if (network == NET_NONE) {
        log_warning(p2p->log,
                    "Unable to open -privatebroadcast connections: neither Tor nor I2P is "
                    "reachable");
        return PRIVATE_NO_NETWORK_US;
    }
    if (!select_address(p2p, network, &address))
        return PRIVATE_NOBODY_US;
    bool use_v2 = address.services & NODE_P2P_V2;
    return dial(p2p, &address.at, PEER_PRIVATE, use_v2) ? PRIVATE_ATTEMPT_US : PRIVATE_NOBODY_US;
}

static int64_t tick_connections(struct p2p *p2p, int64_t now_us)
{
    struct private_broadcast *own = &p2p->private_txs;
    size_t n_connecting = 0, n = 0;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next) {
        n += peer_is_private(peer);
        n_connecting += peer_is_private(peer) && peer->state == PEER_CONNECTING;
    }
    if (n_connecting >= own->n_to_open || n >= PRIVATE_CONNECTIONS_MAX)
        return INT64_MAX; /* who goes has us called again */
    if (now_us >= own->next_us)
        own->next_us = now_us + open_one(p2p);
    return own->next_us;
}

/* -- What has not come back ---------------------------------------------------------------------
 */

static void on_checked(void *arg, const struct mempool_result *result);

/* One of those that are stale is looked at; the next when the mempool has answered. */
static void check_next(struct p2p *p2p)
{
    struct private_broadcast *own = &p2p->private_txs;
    ASSERT(!own->is_checking);
    while (own->recheck_at < own->queue.txs.n) {
        const struct private_tx *tx = own->queue.txs.at[own->recheck_at++];
        if (!private_tx_is_stale(tx, p2p_now_s(p2p)))
            continue;
        own->is_checking = true;
        p2p->n_operations++;
        mempool_accept(p2p->mempool, span_of(tx->raw, tx->raw_len), MEMPOOL_TEST_ONLY, 0,
                       on_checked, p2p);
        return;
    }
    own->is_rechecking = false;
}

static void on_checked(void *arg, const struct mempool_result *result)
{
    struct p2p *p2p = arg;
    struct private_broadcast *own = &p2p->private_txs;
    char text[ID_TEXT], wtext[ID_TEXT];
    p2p->n_operations--;
    own->is_checking = false;
    if (!p2p->is_running || !result->tx)
        return;
    struct private_tx *tx = private_queue_find(&own->queue, &result->tx->wtxid);
    if (tx && result->verdict.code == REJECT_NONE) {
        log_printf(p2p->log, LOG_NET, "Reattempting broadcast of stale txid=%s wtxid=%s",
                   id_text(tx->txid.b, text), id_text(tx->wtxid.b, wtext));
        own->n_to_open++;
    } else if (tx && reject_class(result->verdict.code) != REJECT_CLASS_FAULT) {
        log_printf(p2p->log, LOG_NET, "Giving up broadcast attempts for txid=%s wtxid=%s: %s",
                   id_text(tx->txid.b, text), id_text(tx->wtxid.b, wtext),
                   reject_string(result->verdict.code));
        remove_tx(p2p, tx);
    }
    p2p_schedule_now(p2p);
}

void private_broadcast_heard(struct p2p *p2p, const struct mempool_event *event)
{
    struct private_broadcast *own = &p2p->private_txs;
    char text[ID_TEXT];
    if (event->reason != MEMPOOL_ADDED || own->queue.txs.n == 0)
        return;
    struct private_tx *tx = private_queue_find(&own->queue, &event->entry->tx.wtxid);
    if (!tx)
        return;
    log_printf(p2p->log, LOG_NET,
               "Received our privately broadcast transaction (txid=%s) from the network; stopping "
               "private broadcast attempts",
               id_text(tx->txid.b, text));
    remove_tx(p2p, tx);
}

int64_t private_broadcast_tick(struct p2p *p2p, int64_t now_us)
{
    struct private_broadcast *own = &p2p->private_txs;
    if (own->queue.txs.n == 0 || !p2p->is_active || !p2p->mempool)
        return INT64_MAX;
    if (own->next_recheck_us <= now_us) {
        own->is_rechecking = own->next_recheck_us != 0;
        own->recheck_at = 0;
        own->next_recheck_us =
            now_us + PRIVATE_RECHECK_US + (int64_t)p2p_random(p2p, PRIVATE_RECHECK_MORE_US);
    }
    if (own->is_rechecking && !own->is_checking)
        check_next(p2p);
    int64_t next_us = tick_connections(p2p, now_us);
    return MIN_OF(next_us, own->next_recheck_us);
}
