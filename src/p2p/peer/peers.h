/* peers.h - peers come, are found, and go.
 *
 * Layer: p2p, internal. A peer that is dropped is freed at the end of the entry that dropped it, so
 * handlers and loops may drop any peer, the one they stand at too. */
#ifndef P2P_PEER_PEERS_H
#define P2P_PEER_PEERS_H

#include "p2p/core/net_address.h"
#include "p2p/core/peer_class.h"
#include "p2p/peer/score.h"

struct p2p;
struct peer;

/* Make a peer at the end of the list.
 *
 * In:       stream  open or being opened; closed by peer_drop(); 0: peer_set_stream() will name it
 * Owns:     p2p */
struct peer *peer_new(struct p2p *p2p, enum peer_class class, const struct net_address *address,
                      uint64_t stream);
/* A peer that had no stream has one. */
void peer_set_stream(struct p2p *p2p, struct peer *peer, uint64_t stream);
/* Close its stream and forget it; nothing if it is gone already.
 *
 * In:       why  for the log; "" says nothing */
void peer_drop(struct p2p *p2p, struct peer *peer, const char *why);
/* Warn the operator of a chain by -chainfile that this peer seems to be of another one; says
 * nothing on other networks. */
void peer_tell_other_chain(const struct p2p *p2p, const struct peer *peer, const char *why);
/* It has done something wrong: what the table of faults says happens, unless it is protected.
 *
 * In:       fault   FAULT_NONE: nothing happens
 *           detail  for the log, may be "" */
void peer_fault(struct p2p *p2p, struct peer *peer, enum fault fault, const char *detail);

/* Messages with a wrong checksum, or that cannot be decoded, have no effect, as in Core; who sends
 * more of them than that is let go. */
#define PEER_BAD_MESSAGES_MAX 16
/* It has sent one more of those. Returns: whether that is to be passed over */
bool peer_passes_over(struct p2p *p2p, struct peer *peer, const char *name);

/* The peer of an id, if it is still here; NULL otherwise. */
struct peer *p2p_find_peer(const struct p2p *p2p, uint64_t id);
/* The same by its stream. */
struct peer *p2p_find_stream(const struct p2p *p2p, uint64_t stream);

/* The oldest peer, NULL: there is none; the next one is its next. */
struct peer *p2p_first_peer(const struct p2p *p2p);

/* An entry from outside begins: until its p2p_leave() peers that are dropped stay in memory. */
void p2p_enter(struct p2p *p2p);
/* It ends; the last of nested ones frees who was dropped. */
void p2p_leave(struct p2p *p2p);

#endif
