/* snapshot_fetch.h - a file of coins from many peers, chunk by chunk: -fetchsnapshot.
 *
 * Layer: p2p. Of the files that peers tell of one is chosen and fetched from all who have it. Each
 * chunk is judged as it comes by the root that was told; a bad one ends the connection of who sent
 * it. The root itself may be a lie, which only who loads the coins finds out: then the file is
 * removed, that root is left for good, and so is who told of it. So a lie costs its bytes once, on
 * the net and on the disk, and SNAPSHOT_LEFT_MAX of them end the fetch. What has come is found
 * again after a restart. Slow peers are not blamed: what they owe is asked of others, and they are
 * asked for no more until they have answered. doc/decisions/0370 */
#ifndef P2P_SNAPSHOT_SNAPSHOT_FETCH_H
#define P2P_SNAPSHOT_SNAPSHOT_FETCH_H

#include "p2p/peer/score.h"
#include "p2p/snapshot/snapshots.h"

/* Chunks asked for and not written yet, of all peers: at most so much memory. */
#define SNAPSHOT_ASKED_MAX 64
/* A peer that has sent no chunk for that long is late with all that it owes. */
#define SNAPSHOT_CHUNK_WAIT_US INT64_C(20000000)
/* If none has sent one for that long, and another file is told of, that is fetched instead. */
#define SNAPSHOT_PATIENCE_US INT64_C(120000000)
/* Files that were fetched and were not what they should be, or that nobody had in the end. */
#define SNAPSHOT_LEFT_MAX 8
/* What is written becomes durable after so many chunks, and after so long. */
#define SNAPSHOT_SAVE_CHUNKS 64
#define SNAPSHOT_SAVE_US     INT64_C(3000000)

/* The fetch has ended: path is whole, or there will be none. Borrowed for the call.
 *
 * In:  error  NULL, or why */
typedef void snapshot_fetched_fn(void *arg, const char *path, const char *error);

/* What is wanted. Copied. */
struct snapshot_wish {
    const char *path;       /* where the file is put, with its state beside it */
    struct block_hash base; /* all zero: any that this release vouches for */
    snapshot_fetched_fn *fetched;
    void *arg;
};

/* How far it is. */
struct snapshot_progress {
    const char *state; /* "none", "waiting", "fetching", "whole" */
    struct snapshot_offer offer;
    uint32_t n_chunks, n_have; /* 0: no file is chosen */
    size_t n_peers;            /* that are asked for it */
    size_t n_left;             /* files that were given up */
};

/* Begin; nothing else may be under way. What an earlier run has left at path is gone on with. */
void snapshot_fetch_begin(struct snapshots *snapshots, struct p2p *p2p,
                          const struct snapshot_wish *wish);
/* Is one under way, or whole and not settled? */
bool snapshot_fetch_is_busy(const struct snapshots *snapshots);
/* What became of the file that was whole. is_bad: it is not what it should be, and another one is
 * looked for. Else the fetch is over, and the file is removed or stays. */
void snapshot_fetch_settle(struct snapshots *snapshots, bool is_bad, bool is_kept);
/* End it. What is there stays, and is durable when no job is under way any more. */
void snapshot_fetch_stop(struct snapshots *snapshots);
/* Free it; nothing may be under way. */
void snapshot_fetch_free(struct snapshots *snapshots);
/* How far is it? */
struct snapshot_progress snapshot_fetch_progress(const struct snapshots *snapshots);

/* There was a fetch: "snapchunk" means something. */
bool snapshot_fetch_is_on(const struct p2p *p2p);
/* The peer owes us a chunk. */
bool snapshot_fetch_is_asked(const struct p2p *p2p, const struct peer *peer);
/* The handler of "snapchunk". */
enum fault snapshot_fetch_on_chunk(struct p2p *p2p, struct peer *peer, struct reader *r);
/* A peer is gone: others are asked for what it owes. */
void snapshot_fetch_peer_gone(struct p2p *p2p, struct peer *peer);
/* Returns: when it wants to be called again, INT64_MAX: never */
int64_t snapshot_fetch_tick(struct p2p *p2p, int64_t now_us);

#endif
