/* header_presync.h - headers of an unknown chain, looked at before they are kept.
 *
 * Layer: p2p. A chain of headers costs its maker next to nothing if its difficulty is low, so it is
 * not kept before it shows enough work. First pass: only one keyed bit is kept of every 600th or
 * so header. Second pass, from the start again: the bits must agree, and headers are handed out
 * only when many bits behind them have agreed. Memory is bounded by what the network's age allows
 * in honest headers. Hazard 47: CVE-2019-25220. Spec: Core HeadersSyncState */
#ifndef P2P_HEADERS_HEADER_PRESYNC_H
#define P2P_HEADERS_HEADER_PRESYNC_H

#include "chain/tree/header_tree.h"
#include "consensus/network.h"
#include "util/env.h"

#define PRESYNC_PERIOD 600   /* headers for each bit kept */
#define PRESYNC_BUFFER 14308 /* headers held back in the second pass: so many bits vouch */

enum presync_phase {
    PRESYNC_COMMIT, /* first pass */
    PRESYNC_FETCH,  /* second pass */
    PRESYNC_DONE,   /* the rest can be taken as it comes */
    PRESYNC_FAILED, /* not worth more of our time, but nobody lied provably */
};

struct header_presync;

/* Start on headers that follow start, which we know, until their work reaches min_work. Borrows
 * network and start. */
struct header_presync *presync_new(const struct env *env, const struct network *network,
                                   const struct block_node *start, struct u256 min_work,
                                   int64_t now_s);
/* NULL is allowed. */
void presync_free(struct header_presync *presync);

/* Take one message of headers that follow each other and have their proof of work.
 *
 * In:       is_full  the message was as long as it may be: there is more
 * Out:      ready    headers to be accepted now, at most PRESYNC_BUFFER + n; borrowed until the
 *                    next call
 * Returns:  what phase it is in now; in COMMIT and FETCH, ask for more after presync_next() */
enum presync_phase presync_take(struct header_presync *presync, const struct block_header *headers,
                                size_t n, bool is_full, const struct block_header **ready,
                                size_t *n_ready);

/* The block after which to ask for more headers. */
struct block_hash presync_next(const struct header_presync *presync);
/* The height of that block. */
int32_t presync_height(const struct header_presync *presync);
/* Where it began. */
const struct block_node *presync_start(const struct header_presync *presync);

#endif
