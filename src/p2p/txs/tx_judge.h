/* tx_judge.h - what peers have sent is judged by the mempool, alone or a parent with its child.
 *
 * Layer: p2p, internal. A transaction that is refused for its fees alone may be paid for by a child
 * that waits as an orphan: the newest one that the same peer has announced is tried with it, as a
 * package. What the two come to is remembered of the two, so that another child may be tried when
 * it comes. Spec: Core TxDownloadManager; doc/policy/packages there */
#ifndef P2P_TXS_TX_JUDGE_H
#define P2P_TXS_TX_JUDGE_H

#include "consensus/tx.h"
#include "util/list.h"

struct p2p;

/* Parents with a child in the mempool's hands; more wait for their turn. With what else peers have
 * there they leave room in it: MEMPOOL_PEER_PENDING_BYTES_MAX */
#define TX_JUDGE_PAIRS_MAX 8

struct tx_judge {
    bool orphan_pending;  /* one orphan is in the mempool's hands */
    struct list pairs;    /* of struct submission: parents in the mempool's hands with a child */
    struct list no_place; /* the same, with none yet: their children are looked for anew */
};

/* Give the mempool what it has room for. What has come by another way meanwhile is left out. */
void tx_judge_next(struct p2p *p2p);
/* Try one orphan whose parent has come: one per turn, and none while the last one is still being
 * looked at. Hazard 53 */
void tx_judge_orphan(struct p2p *p2p);
/* The transaction is here, was refused for more than its fees, or is in a block. */
bool tx_judge_is_known(const struct p2p *p2p, const struct txid *txid, const struct wtxid *wtxid);

#endif
