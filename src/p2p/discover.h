/* discover.h - addresses of ours that this machine knows.
 *
 * Layer: p2p, internal. -discover: what we listen on, and where that is every interface, the
 * addresses of all of them. Those that others could reach are advertised. Spec: Core Discover(),
 * CConnman::Bind() */
#ifndef P2P_DISCOVER_H
#define P2P_DISCOVER_H

struct p2p;

/* Look once, after the listeners were opened. */
void discover_start(struct p2p *p2p);

#endif
