/* compact_tell.h - new blocks told by short ids, and the transactions of blocks that peers lack.
 *
 * Layer: p2p. Who asked for it is told of a new block before it is verified: its header has work,
 * its parent is our tip, and the header commits to its transactions. What we had to ask for
 * ourselves is told whole, as others will lack it, too. Spec: BIP-152, Intended Protocol Flow;
 * BIP-152, Pre-Validation Relay and Consistency Considerations */
#ifndef P2P_SERVE_COMPACT_TELL_H
#define P2P_SERVE_COMPACT_TELL_H

#include "chain/disk/block_ref.h"
#include "p2p/core/compact.h"
#include "p2p/peer/score.h"
#include "util/buffer.h"

struct p2p;
struct peer;
struct block_node;

#define COMPACT_TELL_BLOCK_DEPTH_MAX 5  /* deeper ones are sent whole. Core MAX_CMPCTBLOCK_DEPTH */
#define COMPACT_TELL_TXS_DEPTH_MAX   10 /* the same for what getblocktxn asks. MAX_BLOCKTXN_DEPTH */
#define COMPACT_TELL_VERSION_MIN     70015 /* knows that what it is told may turn out invalid */
/* Who wants all of a block that is still being verified waits so long; then he is told that it is
 * not here. */
#define COMPACT_TELL_WAIT_US INT64_C(10000000)

/* The last block that was told before it was verified. */
struct compact_told {
    const struct block_node *node; /* NULL: none */
    struct block_ref *block;       /* held. Its raw bytes alone are looked at */
    uint32_t *ends;                /* n_tx: where each transaction ends in them */
    uint32_t n_tx, start;          /* where the first begins */
    struct buffer message;         /* its cmpctblock */
    int64_t told_us;
};

/* The transactions of a block that a peer has asked for; from xmalloc. */
struct compact_wanted {
    uint32_t n;
    uint32_t indexes[]; /* ascending */
};

/* Tell of a block that builds on the tip, and has not been told yet.
 *
 * In:       ref    its bytes; held
 *           block  its header and transactions, n_tx of them with ids and bytes
 *           is_missed  n_tx flags: these had to be asked for */
void compact_tell(struct p2p *p2p, const struct block_node *node, struct block_ref *ref,
                  const struct block *block, const bool *is_missed);
/* The same of a block that came whole, decoded: what is not in the mempool is what was missed. */
void compact_tell_checked(struct p2p *p2p, const struct block_node *node, struct block_ref *ref);
/* It was told and may still turn out to be invalid: who asks for it has to wait. */
bool compact_tell_is_undecided(const struct p2p *p2p, const struct block_node *node);
/* Let go of it. */
void compact_tell_deinit(struct p2p *p2p);

/* Send a cmpctblock of a stored block, decoded. */
void compact_tell_block(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                        const struct block *block);
/* Send the block that was told last, if it is that one. False if it is not. */
bool compact_tell_again(struct p2p *p2p, struct peer *peer, const struct block_node *node);
/* Send a blocktxn of a stored block, decoded. Returns: a fault, if it has no such transactions */
enum fault compact_tell_txs(struct p2p *p2p, struct peer *peer, const struct block *block,
                            const struct compact_wanted *wanted);
/* The same of the block that was told last, verified or not. */
enum fault compact_tell_told_txs(struct p2p *p2p, struct peer *peer,
                                 const struct compact_request *request);

#endif
