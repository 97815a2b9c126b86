/* tx_parents.h - what an orphan lacks is asked of those who have announced it.
 *
 * Layer: p2p, internal. Whoever announces a child is taken for somebody who has its parents: each
 * of them is wanted as if the peer had announced it by its txid, for the child does not say with
 * which witness. */
#ifndef P2P_TXS_TX_PARENTS_H
#define P2P_TXS_TX_PARENTS_H

#include "consensus/tx.h"

struct p2p;
struct peer;

/* A peer has a transaction: if it waits here as an orphan, the peer is one more that its parents
 * may be had from. Returns: whether it waits here. */
bool tx_parents_announced(struct p2p *p2p, struct peer *peer, const struct wtxid *wtxid);
/* A peer has sent a transaction that spends what we have not got. It is kept for all who have
 * announced it, unless it can never come in; nobody need be asked for it any more. */
void tx_parents_keep(struct p2p *p2p, struct peer *peer, const struct tx *tx);

#endif
