/* tx_tell.h - which peers are to be told of a transaction, and when.
 *
 * Layer: p2p, internal. It waits in each peer's queue for its timer, whose intervals are random, so
 * that who heard it first cannot be told from the times; serve/relay.h empties the queues. */
#ifndef P2P_TXS_TX_TELL_H
#define P2P_TXS_TX_TELL_H

#include "mempool/mempool.h"

struct p2p;
struct peer;

#define RELAY_QUEUE_MAX       5000 /* transactions waiting to be told to one peer; older ones win */
#define RELAY_INTERVAL_IN_US  INT64_C(5000000) /* mean; shared by all inbound peers */
#define RELAY_INTERVAL_OUT_US INT64_C(2000000)

/* How long a peer for which nothing waits yet is not told of what comes now: at random; of all that
 * came to us it is the same moment. */
int64_t tx_tell_wait_us(struct p2p *p2p, const struct peer *peer, int64_t now_us);
/* Queue a transaction for all peers that want to hear of it and do not know it. */
void tx_tell(struct p2p *p2p, const struct mempool_entry *entry);
/* The id by which the peer is told of a transaction. BIP-339, Specification. Returns: 32 bytes of
 * tx
 */
const uint8_t *tx_tell_id(const struct peer *peer, const struct tx *tx);
/* The peer has told us of the transaction of that id, or we it. It is ready. */
void tx_tell_knows(struct p2p *p2p, const struct peer *peer, const uint8_t id[32]);
/* It has, or we have. */
bool tx_tell_is_known(const struct p2p *p2p, const struct peer *peer, const struct tx *tx);

#endif
