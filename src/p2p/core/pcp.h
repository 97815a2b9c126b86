/* pcp.h - asking the gateway to let others connect to us: PCP, and NAT-PMP where it knows only
 * that.
 *
 * Layer: p2p. Pure: datagrams out, datagrams in. Every answer is checked against the question
 * before anything in it counts; nothing grows with what a gateway says. Spec: RFC 6887, RFC 6886 */
#ifndef P2P_CORE_PCP_H
#define P2P_CORE_PCP_H

#include "p2p/core/net_address.h"
#include "util/span.h"

#define PCP_PORT           5351
#define PCP_NONCE_BYTES    12
#define PCP_REQUEST_BYTES  60
#define PCP_TRIES          3       /* of each question. Core */
#define PCP_TRY_US         1000000 /* for its answer. Core */
#define PCP_LIFETIME_S     2400    /* that is asked for. Core */
#define PCP_LIFETIME_MIN_S 30      /* less is no mapping. Core */

enum pcp_step {
    PCP_MAP,        /* by PCP */
    PCP_ADDRESS,    /* NAT-PMP: what is the external address? */
    PCP_NATPMP_MAP, /* and a mapping on it */
    PCP_DONE,
    PCP_FAILED,
};

struct pcp {
    enum pcp_step step;
    struct net_address own;      /* how the gateway sees us, with our port */
    struct net_address external; /* at PCP_DONE: how others reach us */
    uint32_t lifetime_s;         /* at PCP_DONE */
    uint8_t nonce[PCP_NONCE_BYTES];
    unsigned tries;
    const char *error; /* at PCP_FAILED: a constant */
    unsigned code;     /* that the gateway gave with it */
};

/* Begin. own is IPv4 or IPv6, with the port that shall be reachable. By IPv6 there is no NAT, only
 * a hole in the gateway's filter, and no NAT-PMP. */
void pcp_begin(struct pcp *pcp, const struct net_address *own,
               const uint8_t nonce[PCP_NONCE_BYTES]);
/* What to send now, once more if it was sent before.
 *
 * Out:      out  PCP_REQUEST_BYTES
 * Returns:  how many bytes; 0 if it was tried often enough: the next step is tried, or it fails */
size_t pcp_ask(struct pcp *pcp, uint8_t *out);
/* A datagram from the gateway. Returns: true if it led to another step */
bool pcp_hear(struct pcp *pcp, struct span bytes);

#endif
