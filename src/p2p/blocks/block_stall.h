/* block_stall.h - who keeps the window of missing blocks from moving goes.
 *
 * Layer: p2p, internal. Late blocks are asked of others: block_late.h. This is for when that did
 * not help: all of the window is here or asked for, there is more beyond it, and the first block
 * does not come. Then who has owed that one longest, and is silent, goes after a time that doubles
 * with each one and shrinks with each block. Hazard 61. Spec: Core BLOCK_STALLING_TIMEOUT_DEFAULT
 */
#ifndef P2P_BLOCKS_BLOCK_STALL_H
#define P2P_BLOCKS_BLOCK_STALL_H

#include <stdint.h>

struct block_node;
struct p2p;

#define BLOCK_STALL_START_S 2
#define BLOCK_STALL_MAX_S   64

struct block_stall {
    const struct block_node *first; /* that the window waits for; NULL: it can move */
    int64_t since_us;
    int64_t timeout_s;
};

/* Begin. */
void block_stall_init(struct block_stall *stall);
/* The window waits for that block alone; NULL: it can move. To be called as long as it waits. */
void block_stall_look(struct p2p *p2p, const struct block_node *first, int64_t now_us);
/* A block was connected: we are not what is slow. */
void block_stall_connected(struct p2p *p2p);

#endif
