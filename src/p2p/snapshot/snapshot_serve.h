/* snapshot_serve.h - a file of coins for others: -servesnapshot.
 *
 * Layer: p2p. The file is hashed once after the start, off the loop; peers are told of it from then
 * on. Chunks are read off the loop too, compared with their hashes, and sent as fast as a peer
 * reads, but not faster than SNAPSHOT_SERVE_RATE to any, and only while -maxuploadtarget leaves
 * something beside the blocks to come. A number alone is the answer if there will be none. */
#ifndef P2P_SNAPSHOT_SNAPSHOT_SERVE_H
#define P2P_SNAPSHOT_SNAPSHOT_SERVE_H

#include "p2p/peer/score.h"
#include "p2p/snapshot/snapshots.h"

/* Reads for all peers at a time; peers take turns. */
#define SNAPSHOT_READS_MAX 4
/* Bytes a second that one peer is sent. */
#define SNAPSHOT_SERVE_RATE (8u << 20)

/* Open the file and begin to hash it.
 *
 * Returns:  false with *error (free it with xfree()): a line for the user */
NODISCARD bool snapshot_serve_start(struct snapshots *snapshots, struct p2p *p2p, const char *path,
                                    char **error);
/* What is under way ends soon. */
void snapshot_serve_stop(struct snapshots *snapshots);
/* Free it; nothing may be under way. */
void snapshot_serve_free(struct snapshots *snapshots);

/* The data of the feature. Returns: false: there is no file, or it is not hashed yet */
bool snapshot_serve_tell(const struct p2p *p2p, struct writer *w);
/* There is a file: "getsnapchunk" means something. */
bool snapshot_serve_is_on(const struct p2p *p2p);
/* The handler of "getsnapchunk". */
enum fault snapshot_serve_on_get(struct p2p *p2p, struct peer *peer, struct reader *r);
/* Returns: when it wants to be called again, INT64_MAX: never */
int64_t snapshot_serve_tick(struct p2p *p2p, int64_t now_us);

#endif
