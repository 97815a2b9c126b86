/* block_request.h - blocks that are on their way to us, and who owes them.
 *
 * Layer: p2p, internal. Each may be asked of two peers at a time. Who fails to deliver gives his
 * place to another one, and is not asked for that block again. */
#ifndef P2P_BLOCKS_BLOCK_REQUEST_H
#define P2P_BLOCKS_BLOCK_REQUEST_H

#include "chain/tree/header_tree.h"
#include "util/hash_map.h"
#include "util/list.h"

struct p2p;
struct peer;
struct block_fetch;

#define BLOCK_REQUEST_SLOTS 2
#define BLOCK_REQUEST_BATCH 64 /* in one getdata */
/* Who failed with one block; more than have places by default, since the first are forgotten. */
#define BLOCK_REQUEST_TRIED_MAX 128

/* One block that is on its way to us. */
struct block_request {
    struct list_link link; /* of all, in no order */
    const struct block_node *node;
    uint64_t peer[BLOCK_REQUEST_SLOTS]; /* ids of who was asked, 0: nobody */
    int64_t asked_us[BLOCK_REQUEST_SLOTS];
    bool is_given_up[BLOCK_REQUEST_SLOTS]; /* silent: the next one asked takes the place */
    uint64_t tried[BLOCK_REQUEST_TRIED_MAX];
    size_t n_tried;
    unsigned n_asked;       /* times that it was asked for */
    bool is_delivered;      /* the chain has it and has not answered yet */
    bool is_wanted_by_user; /* getblockfrompeer: whatever its work */
};

/* The request of a block; NULL: it is not asked for. */
struct block_request *block_request_find(const struct block_fetch *fetch,
                                         const struct block_node *node);
/* Make one, which nobody is asked for yet. The block must have none. Owned by fetch. */
struct block_request *block_request_add(struct block_fetch *fetch, const struct block_node *node);
/* It is over: nobody owes it any more. Frees it. */
void block_request_remove(struct p2p *p2p, struct block_request *request);

/* The slot of a peer; -1: it has none. */
int block_request_slot(const struct block_request *request, uint64_t peer);
/* It had one, and failed. */
bool block_request_was_tried(const struct block_request *request, uint64_t peer);
/* How many peers owe it and are not given up. */
size_t block_request_live(const struct block_request *request);
/* Some peer may still deliver it, given up or not. */
bool block_request_has_peer(const struct block_request *request);

/* Have the peer owe it, which must not owe it yet: in an empty slot, in that of who was given up,
 * in that of an inbound one for an outbound one, in the last. Who loses his is not asked again. */
void block_request_ask(struct p2p *p2p, struct block_request *request, struct peer *peer,
                       int64_t now_us);
/* The peer of that slot owes it no more: it has delivered, or has nothing. */
void block_request_clear(struct p2p *p2p, struct block_request *request, int slot);
/* The peer, which owes it no more, has failed with it: it is not asked again. */
void block_request_failed(struct block_request *request, uint64_t peer);
/* The peer of that slot has not got the block, or is gone: it owes it no more, and has failed. */
void block_request_deny(struct p2p *p2p, struct block_request *request, int slot);
/* Who was given up and who failed may be asked again. */
void block_request_forget(struct p2p *p2p, struct block_request *request);
/* Send the requests for at most BLOCK_REQUEST_BATCH blocks, all in one.
 *
 * In:       type  INV_WITNESS_BLOCK or INV_COMPACT_BLOCK */
void block_request_send(struct p2p *p2p, struct peer *peer, const struct block_node *const *nodes,
                        size_t n, uint32_t type);

#endif
