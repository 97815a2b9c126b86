/* tx_relay.h - transactions coming in: from an announcement to the mempool.
 *
 * Layer: p2p. Joins tx_fetch (whom to ask), tx_queue (whose is judged next), tx_judge (what the
 * mempool says), orphans (what waits for parents) and tx_parents (who has these). */
#ifndef P2P_TXS_TX_RELAY_H
#define P2P_TXS_TX_RELAY_H

#include "mempool/mempool.h"
#include "p2p/core/wire.h"
#include "p2p/peer/score.h"
#include "p2p/txs/reconciliation.h"
#include "p2p/txs/orphans.h"
#include "p2p/txs/tx_fetch.h"
#include "p2p/txs/tx_judge.h"
#include "p2p/txs/tx_known.h"
#include "p2p/txs/tx_queue.h"
#include "util/reader.h"

struct p2p;
struct peer;

struct tx_relay {
    struct tx_fetch fetch;
    struct tx_queue queue;
    struct orphans orphans;
    struct tx_known known;
    struct tx_judge judge;
};

/* Begin. */
void tx_relay_init(struct p2p *p2p);
/* End; the mempool has answered for all that was given to it. */
void tx_relay_deinit(struct p2p *p2p);
/* A peer is ready: it may announce transactions. */
void tx_relay_peer_ready(struct p2p *p2p, struct peer *peer);
/* A peer is gone: others are asked for what it owed. */
void tx_relay_peer_gone(struct p2p *p2p, struct peer *peer);

/* It was asked for a transaction that it has not delivered. */
bool tx_relay_is_asked(const struct p2p *p2p, const struct peer *peer);
/* Is an announcement of that type heard from this peer? One kind of id for one peer. BIP-339,
 * Specification; as in Core the type that invs should not have is a txid from anybody. */
bool tx_relay_is_heard(const struct peer *peer, uint32_t type);
/* Is one more announcement heard now? Asked before anything else: a flood has to be cheap. */
bool tx_relay_has_room(const struct p2p *p2p, const struct peer *peer);
/* The peer announced one by inv, of a type that is heard, and there is room for it. */
void tx_relay_announced(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv);
/* The peer says it has not got one. */
void tx_relay_not_found(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv);

/* A block has these: nobody need be asked for them. */
void tx_relay_block_connected(struct p2p *p2p, const struct block *block);
/* One has come in: its children are worth another try. */
void tx_relay_added(struct p2p *p2p, const struct mempool_entry *entry);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t tx_relay_tick(struct p2p *p2p, int64_t now_us);

/* The handler of "tx". */
enum fault tx_relay_on_tx(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
