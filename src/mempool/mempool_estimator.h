/* mempool_estimator.h - what a transaction should pay to be in one of the next blocks, as the
 * mempool stands now: for two blocks what the next one asks, for more what is forecast.
 *
 * Layer: mempool. The other estimate, by what was mined, is fee_estimator.h: it is slow to believe
 * that fees fell, and this one is not. It is worth something only where miners take what our
 * mempool has, so the last blocks are compared with it. Loop thread only. */
#ifndef MEMPOOL_MEMPOOL_ESTIMATOR_H
#define MEMPOOL_MEMPOOL_ESTIMATOR_H

#include "mempool/fee_forecast.h"
#include "mempool/mempool.h"
#include "util/buffer.h"

/* As many of the last blocks are looked at, and as much of their weight must have been ours. */
#define MEMPOOL_ESTIMATOR_BLOCKS        6
#define MEMPOOL_ESTIMATOR_SHARE_PERCENT 75
#define MEMPOOL_ESTIMATOR_TARGET        2       /* blocks: what the rates of the next one are for */
#define MEMPOOL_ESTIMATOR_FRESH_US      7000000 /* as long as one is told again on the same tip */

/* -- The next block ---------------------------------------------------------------------------- */

/* What a block would hold whose chunks are taken by falling rate. */
struct next_block {
    uint64_t room_wu, taken_wu;
    int64_t half_sat_per_kvb;           /* half the room goes to who pays this or more... */
    int64_t three_quarters_sat_per_kvb; /* ...three quarters; 0: that much is not asked for */
};
/* One chunk more, of fees and adjusted weight units; none may be of a higher rate than the last. */
void next_block_take(struct next_block *block, struct feerate chunk);

/* -- The last blocks --------------------------------------------------------------------------- */

struct mined_block {
    struct block_hash hash;
    int32_t height;
    uint64_t txs_wu;  /* of its transactions without the coinbase */
    uint64_t ours_wu; /* of those of them that the mempool had */
};

struct mempool_estimator;

/* One that has seen no block. Borrows env. Owns: the caller. */
struct mempool_estimator *mempool_estimator_new(const struct env *env, int64_t spacing_s);
/* NULL is allowed. */
void mempool_estimator_free(struct mempool_estimator *estimator);

/* A block was connected on the one with hash prev. What came after that one was taken back. */
void mempool_estimator_block(struct mempool_estimator *estimator, const struct mined_block *block,
                             const struct block_hash *prev);
/* The blocks known up to tip, the oldest first; *n of them, at most MEMPOOL_ESTIMATOR_BLOCKS. None
 * if tip is none of them. Borrowed until the next block. */
const struct mined_block *mempool_estimator_blocks(const struct mempool_estimator *estimator,
                                                   const struct block_hash *tip, size_t *n);

/* -- What comes -------------------------------------------------------------------------------- */

/* An entry is new. What a file brought back came long ago, and is not counted. */
void mempool_estimator_came(struct mempool_estimator *estimator, const struct mempool_entry *entry);
/* An entry was replaced: what comes in its place is counted anew. */
void mempool_estimator_replaced(struct mempool_estimator *estimator,
                                const struct mempool_entry *entry);

/* -- What to pay ------------------------------------------------------------------------------- */

enum mempool_estimate_status {
    MEMPOOL_ESTIMATE_GOOD,
    MEMPOOL_ESTIMATE_FEW_BLOCKS, /* too few seen to tell whether miners see what we see */
    MEMPOOL_ESTIMATE_UNRELIABLE, /* they take what we have not */
};
struct mempool_estimate {
    enum mempool_estimate_status status;
    int64_t sat_per_kvb; /* 0: there is room for whoever may enter the mempool */
    int32_t blocks;      /* what it is for: at most the target, or MEMPOOL_ESTIMATOR_TARGET */
};
struct mempool_question {
    const struct block_hash *tip;
    int32_t target; /* blocks, 1 or more */
    /* Two blocks: be in the first half of the next one, else in the first three quarters. More: see
     * struct fee_forecast_question. Until what comes has been watched for long enough, all are
     * answered as for two. */
    bool conservative;
};
/* What to pay now. mempool: borrowed for the call; it is looked at again only after a while. */
struct mempool_estimate mempool_estimator_ask(struct mempool_estimator *estimator,
                                              const struct mempool *mempool,
                                              const struct mempool_question *question);

/* -- The file ---------------------------------------------------------------------------------- */

#define MEMPOOL_ESTIMATOR_FILE_MAX_BYTES 4096

/* Append the last blocks, in a format of our own, which has a checksum. */
void mempool_estimator_encode(const struct mempool_estimator *estimator, struct buffer *out);
/* Take them over; only into one that has seen none. Whether they are of the tip shows when they are
 * asked for. Returns: false if bytes are damaged; then nothing is taken. */
NODISCARD bool mempool_estimator_decode(struct mempool_estimator *estimator, struct span bytes);

#endif
