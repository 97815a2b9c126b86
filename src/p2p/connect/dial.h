/* dial.h - opening a stream to an address, and whom we have dialled.
 *
 * Layer: p2p, internal. */
#ifndef P2P_CONNECT_DIAL_H
#define P2P_CONNECT_DIAL_H

#include "p2p/core/net_address.h"
#include "p2p/core/peer_class.h"

struct p2p;
struct peer;

/* Open a stream. What the user named is dialled even if it is not welcome here.
 *
 * In:       use_v2  try the encrypted transport, where -v2transport is on
 * Returns:  the new peer, or NULL if the address cannot be dialled */
struct peer *dial(struct p2p *p2p, const struct net_address *address, enum peer_class class,
                  bool use_v2);
/* The same to a name, which the proxy for names looks up: there must be one. */
struct peer *dial_name(struct p2p *p2p, const char *host, uint16_t port, enum peer_class class,
                       bool use_v2);
/* Dial once more, in the clear, whom we dialled before. */
struct peer *dial_again(struct p2p *p2p, const struct peer *peer);
/* The peer is being tried in earnest: the book learns of it. A proxy that is not there says nothing
 * of whom it should have called. */
void dial_attempted(struct p2p *p2p, const struct peer *peer);
/* A peer at that address is there, or being connected to. */
bool dial_has(const struct p2p *p2p, const struct net_address *address);
/* Full outbound peers that are ready. */
size_t dial_count_full(const struct p2p *p2p);

#endif
