/* addr_relay.h - gossip of addresses: taken at a bounded rate, passed on to few, told when asked.
 *
 * Layer: p2p. */
#ifndef P2P_ADDR_ADDR_RELAY_H
#define P2P_ADDR_ADDR_RELAY_H

#include "p2p/addr/local_list.h"
#include "p2p/core/recent_set.h"
#include "p2p/core/wire.h"
#include "p2p/peer/score.h"
#include "util/array.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define ADDR_RATE_PER_S  0.1    /* addresses taken from one peer. Core MAX_ADDR_RATE_PER_SECOND */
#define ADDR_BUCKET_MAX  1000.0 /* saved up by who is silent for long */
#define ADDR_KNOWN_MAX   5000   /* of which is known that one peer knows them */
#define ADDR_QUEUE_MAX   1000   /* waiting to be told to one peer */
#define ADDR_INTERVAL_US INT64_C(30000000) /* mean time between messages to one peer */
#define ADDR_SELF_US     (INT64_C(86400) * 1000000)
#define ADDR_CACHE_US    (INT64_C(21) * 3600 * 1000000) /* life of an answer to getaddr */
#define ADDR_FORWARD_MAX 10                             /* longer messages are answers, not news */

/* What the gossip keeps of a peer: changed in addr_relay.c alone. */
struct peer_addr {
    bool is_on;        /* it takes part: it spoke of addresses, or we asked it to */
    double tokens;     /* addresses that are taken from it now: hazards 40 and 67 */
    int64_t tokens_us; /* when they were counted */
    bool was_asked;    /* we sent getaddr: its answer is not limited */
    bool has_asked;    /* it sent getaddr: answered once */
    uint64_t processed, rate_limited;
    struct recent_set known; /* addresses that it knows */
    ARRAY(struct net_peer_address) queue;
    int64_t next_us, next_self_us;
};

/* A peer is ready. */
void addr_relay_peer_ready(struct p2p *p2p, struct peer *peer);
/* A peer is gone. */
void addr_relay_peer_gone(struct p2p *p2p, struct peer *peer);
/* We have asked it for addresses, and it has not answered. */
bool addr_relay_is_asked(const struct p2p *p2p, const struct peer *peer);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t addr_relay_tick(struct p2p *p2p, int64_t now_us);

/* The handler of "addr". */
enum fault addr_relay_on_addr(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "addrv2". Spec: BIP-155, Specification */
enum fault addr_relay_on_addrv2(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "getaddr": answered once, to who has come to us. */
enum fault addr_relay_on_getaddr(struct p2p *p2p, struct peer *peer, struct reader *r);

/* An address of ours is advertised from now on, if others could reach it: one that is routable, of
 * a network that is reachable. Spec: Core AddLocal() */
void addr_relay_add_local(struct p2p *p2p, enum local_source source,
                          const struct net_address *address);

#endif
