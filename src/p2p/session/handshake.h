/* handshake.h - version, what is negotiated, verack; and what peers' clocks say of ours.
 *
 * Layer: p2p, internal. connect -> NEW -> (version) GREETED -> (verack) READY. Who comes to us
 * speaks first. Hazards 42, 73. */
#ifndef P2P_SESSION_HANDSHAKE_H
#define P2P_SESSION_HANDSHAKE_H

#include "p2p/peer/score.h"
#include "util/reader.h"

struct p2p;
struct peer;

/* The stream of a peer that was CONNECTING is up: greet, if it is up to us to begin. */
void handshake_begin(struct p2p *p2p, struct peer *peer);
/* Bytes have come of one that is not greeted yet. */
void handshake_go_on(struct p2p *p2p, struct peer *peer);
/* By how much outbound peers' clocks differ from ours: the median; 0 without peers. */
int64_t handshake_time_offset_s(const struct p2p *p2p);

/* The handler of "version": it is greeted back, or refused. */
enum fault handshake_on_version(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "verack": the peer is ready, and all parts of the mesh are told. */
enum fault handshake_on_verack(struct p2p *p2p, struct peer *peer, struct reader *r);
/* It announces transactions by wtxid, and is told of them so. Spec: BIP-339, Specification */
enum fault handshake_on_wtxidrelay(struct p2p *p2p, struct peer *peer, struct reader *r);
/* It understands addrv2. Spec: BIP-155, Signaling support and compatibility */
enum fault handshake_on_sendaddrv2(struct p2p *p2p, struct peer *peer, struct reader *r);
/* It has a feature. Spec: BIP-434, feature message */
enum fault handshake_on_feature(struct p2p *p2p, struct peer *peer, struct reader *r);
/* New blocks are to be told as headers. Spec: BIP-130, Specification */
enum fault handshake_on_sendheaders(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
