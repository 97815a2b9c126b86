/* reconciliation.h - two peers agree to tell each other of transactions by sketches (BIP330).
 *
 * Layer: p2p. Only what is agreed on between version and verack: off unless -txreconciliation is
 * given. Sketches themselves are not exchanged yet, as in Core. */
#ifndef P2P_TXS_RECONCILIATION_H
#define P2P_TXS_RECONCILIATION_H

#include "crypto/siphash.h"
#include "p2p/peer/score.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define RECONCILIATION_VERSION 1 /* BIP-330, sendtxrcncl */

/* Of one peer. OFF -> OFFERED -> AGREED; back to OFF when the handshake ends without both. */
enum reconciliation_state {
    RECONCILIATION_OFF,
    RECONCILIATION_OFFERED, /* by us */
    RECONCILIATION_AGREED,
};
struct peer_reconciliation {
    enum reconciliation_state state;
    uint64_t our_salt;
    struct siphash_key key; /* of short ids, if AGREED. BIP-330, 32-bit short transaction IDs */
};

/* The peer's version is here: offer it, if both relay transactions. */
void reconciliation_offer(struct p2p *p2p, struct peer *peer);
/* The handshake is over: what was not agreed on is off. */
void reconciliation_settle(struct p2p *p2p, struct peer *peer);

/* The handler of "sendtxrcncl". */
enum fault reconciliation_on_sendtxrcncl(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
