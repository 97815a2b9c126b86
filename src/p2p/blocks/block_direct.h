/* block_direct.h - new blocks, asked at once of the peer that tells of their headers.
 *
 * Layer: p2p, internal. Next to the tip who announces a block is who has it; what it is not asked
 * for is shared out by block_fetch.h, as everything is that lies further back. */
#ifndef P2P_BLOCKS_BLOCK_DIRECT_H
#define P2P_BLOCKS_BLOCK_DIRECT_H

struct block_node;
struct p2p;
struct peer;

#define BLOCK_DIRECT_MAX 16 /* owed by one peer when it is asked so; and so far from our chain */

/* The peer has sent headers that end with that one: ask it for what we lack of that chain, if the
 * tip is new and that chain no worse. Core HeadersDirectFetchBlocks() */
void block_direct_ask(struct p2p *p2p, struct peer *peer, const struct block_node *last);

#endif
