/* fee_stats.h - how soon transactions of each feerate were mined, as one horizon remembers it.
 *
 * Layer: mempool. A horizon counts time in periods of some blocks and forgets by a decay for each
 * block. Feerates are sorted into buckets, each 5% above the one below; of each bucket are known:
 * how many were mined, how many of them within 1, 2, 3... periods, how many left unmined after as
 * many, and how many wait since when. The method: A. Morcos, "Bitcoin Core Fee Estimation
 * Algorithm" (2017). Loop thread only. */
#ifndef MEMPOOL_FEE_STATS_H
#define MEMPOOL_FEE_STATS_H

#include "util/alloc.h"
#include "util/reader.h"
#include "util/writer.h"

/* 100 sat for 1,000 bytes times 1.05 for each, up to 10,000,000; the last is without end. */
#define FEE_BUCKETS      237
#define FEE_LOWEST_RATE  100.0
#define FEE_HIGHEST_RATE 1e7
#define FEE_SPACING      1.05
#define FEE_ENDLESS_RATE 1e99

/* The highest rate of each bucket, in sat for 1,000 bytes. */
struct fee_buckets {
    double top[FEE_BUCKETS];
};

/* Fill it in. */
void fee_buckets_init(struct fee_buckets *buckets);
/* The bucket of a rate: the first whose highest rate is not below it. */
uint32_t fee_buckets_find(const struct fee_buckets *buckets, double rate);
/* As fee_estimates files have them. */
void fee_buckets_encode(const struct fee_buckets *buckets, struct writer *w);
/* Are the next ones of a file these? */
NODISCARD bool fee_buckets_match(const struct fee_buckets *buckets, struct reader *r);

/* What a horizon is: a constant. */
struct fee_horizon {
    const char *name;
    uint32_t periods, scale; /* scale: blocks of one */
    double decay;            /* what is left of each count after one block, below 1 */
};

struct fee_stats {
    const struct fee_horizon *horizon;
    const struct fee_buckets *buckets;
    /* Of each bucket: the sum of rates, mined, then for each period mined within it, then for each
     * left unmined after it. All decay. NULL: all of these are 0, as of most buckets they are. */
    double *averages[FEE_BUCKETS];
    /* For each height, by its remainder modulo the blocks of the horizon, those of each bucket that
     * came at it and still wait, or NULL; and those that wait for longer. */
    uint32_t **waiting, *waiting_long;
};

/* Empty statistics. Borrows horizon and buckets for its life. */
void fee_stats_init(struct fee_stats *stats, const struct fee_horizon *horizon,
                    const struct fee_buckets *buckets);
/* Fill stats with the numbers that a file has: for fee_stats_encode() alone, on any thread. */
void fee_stats_snapshot(struct fee_stats *stats, const struct fee_stats *of);
/* Free what fee_stats_init() or fee_stats_snapshot() made. */
void fee_stats_deinit(struct fee_stats *stats);
/* As far as the horizon looks, in blocks. */
uint32_t fee_stats_blocks(const struct fee_stats *stats);

/* A transaction has come while the tip was at a height. */
void fee_stats_enter(struct fee_stats *stats, int32_t height, uint32_t bucket);

struct fee_leave {
    int32_t entered, tip; /* heights of the tip: then and now */
    uint32_t bucket;
    bool is_mined;
};
/* It waits no longer. What was not mined counts as a failure of each period that it has waited. */
void fee_stats_leave(struct fee_stats *stats, const struct fee_leave *leave);

/* A block has come: what there is fades, and who came a horizon ago waits for longer than that.
 * Before its transactions leave and are counted. */
void fee_stats_next_block(struct fee_stats *stats, int32_t height);
/* One of its transactions has waited for that many blocks; rate in sat for 1,000 bytes. */
void fee_stats_mined(struct fee_stats *stats, uint32_t waited_blocks, uint32_t bucket, double rate);

/* Neighbouring buckets, and what became of their transactions. */
struct fee_range {
    double start, end; /* rates; start below 0: there is no such range */
    double within_target, confirmed, in_mempool, left_mempool;
};
struct fee_answer {
    double rate;           /* sat for 1,000 bytes; below 0: none that is sure enough */
    struct fee_range pass; /* the lowest range that meets the threshold */
    struct fee_range fail; /* the highest range below it that does not */
};
struct fee_question {
    uint32_t target_blocks; /* 1 .. fee_stats_blocks() */
    double sufficient;      /* transactions a block that a range must have */
    double threshold;       /* share of them that must be mined within target: 0 .. 1 */
    int32_t tip;            /* height */
};
/* The lowest rate that was good enough. */
struct fee_answer fee_stats_ask(const struct fee_stats *stats, const struct fee_question *question);

/* As fee_estimates files have it, without who waits. */
void fee_stats_encode(const struct fee_stats *stats, struct writer *w);
/* Returns: false if it is not of this horizon or damaged; then the statistics are worth nothing. */
NODISCARD bool fee_stats_decode(struct fee_stats *stats, struct reader *r);

#endif
