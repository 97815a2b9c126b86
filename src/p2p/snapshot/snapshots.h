/* snapshots.h - files of coins between peers: what all of that shares, and what is kept of a peer.
 *
 * Layer: p2p, internal. Who has a file tells it by a feature (BIP434) between version and verack:
 * its base, size and root, as in chain/coins/snapshot_chunks.h. Who wants chunks asks for them one
 * by one, and none that did not tell is asked; none that did not ask is answered. So nobody who
 * does not know these messages ever sees one. doc/mesh.md, doc/decisions/0370 */
#ifndef P2P_SNAPSHOT_SNAPSHOTS_H
#define P2P_SNAPSHOT_SNAPSHOTS_H

#include "chain/coins/snapshot_chunks.h"
#include "util/env.h"
#include "util/log.h"

struct chain;
struct network;
struct p2p;
struct peer;
struct snapshot_fetch;
struct snapshot_serve;
struct upload;

#define SNAPSHOT_FEATURE "cairn/utxo-snapshot/1"

/* The number of a chunk, the hashes beside its way to the root, its bytes. */
#define SNAPSHOT_MESSAGE_MAX (4 + 32 * SNAPSHOT_BRANCH_MAX + SNAPSHOT_CHUNK_BYTES)
/* Chunks that one peer is asked for at a time, at most: those on their way while the next is read
 * and sent. */
#define SNAPSHOT_WINDOW_MAX 8
/* Chunks that one peer may have asked us for and not had: more than an honest one asks for. */
#define SNAPSHOT_WANTED_MAX 16

/* A chunk that we have asked a peer for, until it has answered. */
struct snapshot_slot {
    uint32_t index;
    int64_t asked_us;
    bool is_late; /* others may be asked for it; if it comes still, it is taken */
};

/* What is kept of a peer that has told of a file, or has asked for chunks of ours. */
struct peer_snapshot {
    bool has_offer;
    struct snapshot_offer offer;
    struct snapshot_slot slots[SNAPSHOT_WINDOW_MAX];
    size_t n_slots, window; /* asked for; may be asked for at a time */
    int64_t heard_us;       /* when its last chunk came */
    bool is_left;           /* it will not be asked any more */

    uint32_t wanted[SNAPSHOT_WANTED_MAX]; /* of ours, in the order of its requests */
    size_t n_wanted;
    bool is_reading;
    int64_t next_us; /* it is read for no sooner */
};

/* What all peers share: borrowed from the mesh. */
struct snapshots {
    const struct env *env;
    const struct log *log;
    const struct network *network;
    struct chain *chain;
    const struct upload *upload;
    struct snapshot_serve *serve; /* owned; NULL: we have no file for others */
    struct snapshot_fetch *fetch; /* owned; NULL: none was ever wanted */
    size_t n_jobs;                /* under way */
};

/* What is kept of a peer; made if need be. */
struct peer_snapshot *snapshots_of_peer(struct peer *peer);
/* A peer is gone, and the other modules know. */
void snapshots_peer_gone(struct p2p *p2p, struct peer *peer);
/* It tells of a file. Returns: whether that is one that can be */
bool snapshots_agree(struct p2p *p2p, struct peer *peer, struct span data);

#endif
