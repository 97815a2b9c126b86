/* locate.h - answering peers who look for the way from what they have to what we have: headers, and
 * lists of blocks; which blocks a peer may know of and have.
 *
 * Layer: p2p, internal. */
#ifndef P2P_SERVE_LOCATE_H
#define P2P_SERVE_LOCATE_H

#include "p2p/peer/score.h"
#include "util/reader.h"

struct block_node;
struct p2p;
struct peer;

#define LOCATE_GETBLOCKS_MAX 500

/* May a stranger know that we have that block? */
bool locate_is_public(const struct p2p *p2p, const struct block_node *node);
/* Is it one of those that a pruned node does not serve, to this peer? */
bool locate_is_pruned_for(const struct p2p *p2p, const struct peer *peer,
                          const struct block_node *node);

/* The handler of "getheaders". */
enum fault locate_on_getheaders(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "getblocks": a list of hashes, the tip told when its last one is fetched. */
enum fault locate_on_getblocks(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
