/* fee_estimator.c - see fee_estimator.h. */
#include "mempool/fee_estimator.h"

#include "crypto/siphash.h"
#include "util/alloc.h"
#include "util/array.h"
#include "util/hash_map.h"

#define FILE_VERSION 309900 /* Core v31 refuses others */

/* Shares that must have been mined in half the target, the target, and twice the target. */
#define HALF_SHARE   0.6
#define FULL_SHARE   0.85
#define DOUBLE_SHARE 0.95

/* Transactions a block that a range of feerates must have; the short horizon forgets too fast to
 * do with as few as the others. */
#define SUFFICIENT       0.1
#define SUFFICIENT_SHORT 0.5

/* What was remembered before a start is no measure for targets when it is older: six weeks. */
#define OLD_BLOCKS_MAX (6 * 1008)

/* Core's choice, so that its files and ours are the same. */
static const struct fee_horizon horizons[FEE_HORIZONS] = {
    [FEE_HORIZON_SHORT] = {"short", 12, 1, 0.962},    /* half is forgotten in 18 blocks */
    [FEE_HORIZON_MEDIUM] = {"medium", 24, 2, 0.9952}, /* in 144 */
    [FEE_HORIZON_LONG] = {"long", 42, 24, 0.99931},   /* in 1008 */
};

/* A transaction that waits. */
struct tracked {
    double rate;     /* sat for 1,000 bytes */
    uint32_t bucket; /* of that rate: it counts there until it leaves */
    int32_t height;  /* of the tip when it came */
};

struct fee_estimator {
    struct siphash_key key;
    struct fee_buckets buckets;
    struct fee_stats stats[FEE_HORIZONS];
    int32_t best;                  /* height of the last block told of */
    int32_t first;                 /* of the first that taught something since the start; or 0 */
    int32_t file_first, file_best; /* what the file's numbers come from; 0: there was none */
    struct hash_map tracked;       /* of struct tracked, by the keyed hash of its txid alone */
    ARRAY(struct tracked *) mined; /* in the block to be told of */
};

const struct fee_horizon *fee_horizon_of(enum fee_horizon_kind kind)
{
    ASSERT((unsigned)kind < FEE_HORIZONS);
    return &horizons[kind];
}

static void init_stats(struct fee_estimator *estimator)
{
    for (int i = 0; i < FEE_HORIZONS; i++)
        fee_stats_init(&estimator->stats[i], &horizons[i], &estimator->buckets);
}

static void deinit_stats(struct fee_estimator *estimator)
{
    for (int i = 0; i < FEE_HORIZONS; i++)
        fee_stats_deinit(&estimator->stats[i]);
}

struct fee_estimator *fee_estimator_new(const struct env *env)
{
    struct fee_estimator *estimator = xcalloc(1, sizeof *estimator);
    env_random(env, &estimator->key, sizeof estimator->key);
    fee_buckets_init(&estimator->buckets);
    init_stats(estimator);
    ASSERT(fee_stats_blocks(&estimator->stats[FEE_HORIZON_LONG]) == FEE_TARGET_MAX);
    hash_map_init(&estimator->tracked);
    return estimator;
}

struct fee_estimator *fee_estimator_snapshot(const struct fee_estimator *estimator)
{
    ASSERT(estimator);
    struct fee_estimator *snapshot = xcalloc(1, sizeof *snapshot);
    *snapshot = (struct fee_estimator){.buckets = estimator->buckets,
                                       .best = estimator->best,
                                       .first = estimator->first,
                                       .file_first = estimator->file_first,
                                       .file_best = estimator->file_best};
    for (int i = 0; i < FEE_HORIZONS; i++)
        fee_stats_snapshot(&snapshot->stats[i], &estimator->stats[i]);
    return snapshot;
}

void fee_estimator_free(struct fee_estimator *estimator)
{
    struct tracked *tx;
    if (!estimator)
        return;
    for (size_t at = 0; (tx = hash_map_next(&estimator->tracked, &at));)
        xfree(tx);
    for (size_t i = 0; i < estimator->mined.n; i++)
        xfree(estimator->mined.at[i]);
    ARRAY_FREE(&estimator->mined);
    hash_map_deinit(&estimator->tracked);
    deinit_stats(estimator);
    xfree(estimator);
}

/* -- What happens ------------------------------------------------------------------------------ */

/* There are as many as the mempool has entries, so the ids are not kept once more: 64 bits under a
 * secret key tell them apart, and two in a lifetime that did not would cost one count. */
static bool is_of(const void *value, const void *key)
{
    return value && !key;
}

static struct tracked *untrack(struct fee_estimator *estimator, const struct txid *txid)
{
    uint64_t hash = siphash13_id(estimator->key, txid->b, 0);
    struct tracked *tx = hash_map_remove(&estimator->tracked, hash, is_of, NULL);
    hash_map_trim(&estimator->tracked);
    return tx;
}

void fee_estimator_entered(struct fee_estimator *estimator, const struct fee_tx *tx)
{
    ASSERT(tx->vbytes > 0 && tx->height >= 0);
    ASSERT(tx->fee_sat >= 0 && tx->fee_sat <= MAX_MONEY_SAT);
    uint64_t hash = siphash13_id(estimator->key, tx->txid->b, 0);
    if (tx->height != estimator->best || hash_map_find(&estimator->tracked, hash, is_of, NULL))
        return;
    struct tracked *tracked = xmalloc(sizeof *tracked);
    *tracked = (struct tracked){.height = tx->height};
    tracked->rate = (double)(tx->fee_sat * 1000 / tx->vbytes);
    tracked->bucket = fee_buckets_find(&estimator->buckets, tracked->rate);
    for (int i = 0; i < FEE_HORIZONS; i++)
        fee_stats_enter(&estimator->stats[i], tx->height, tracked->bucket);
    hash_map_insert(&estimator->tracked, hash, tracked);
}

/* It waits no longer. Takes tx. */
static void leave(struct fee_estimator *estimator, struct tracked *tx, bool is_mined)
{
    const struct fee_leave how = {
        .entered = tx->height, .tip = estimator->best, .bucket = tx->bucket, .is_mined = is_mined};
    for (int i = 0; i < FEE_HORIZONS; i++)
        fee_stats_leave(&estimator->stats[i], &how);
    xfree(tx);
}

void fee_estimator_left(struct fee_estimator *estimator, const struct txid *txid)
{
    struct tracked *tx = untrack(estimator, txid);
    if (tx)
        leave(estimator, tx, false);
}

void fee_estimator_mined(struct fee_estimator *estimator, const struct txid *txid)
{
    struct tracked *tx = untrack(estimator, txid);
    if (tx)
        *ARRAY_ADD(&estimator->mined) = tx;
}

static void count_mined(struct fee_estimator *estimator, const struct tracked *tx)
{
    ASSERT(estimator->best > tx->height);
    uint32_t waited = (uint32_t)(estimator->best - tx->height);
    for (int i = 0; i < FEE_HORIZONS; i++)
        fee_stats_mined(&estimator->stats[i], waited, tx->bucket, tx->rate);
    if (estimator->first == 0)
        estimator->first = estimator->best;
}

void fee_estimator_block(struct fee_estimator *estimator, int32_t height)
{
    /* After a reorganisation: how long they waited is not to be told any more. */
    bool is_new = height > estimator->best;
    /* What waits moves on by each block, also by those that were not told. */
    for (int32_t at = estimator->tracked.count > 0 ? estimator->best + 1 : height;
         is_new && at <= height; at++)
        for (int i = 0; i < FEE_HORIZONS; i++)
            fee_stats_next_block(&estimator->stats[i], at);
    if (is_new)
        estimator->best = height;
    for (size_t i = 0; i < estimator->mined.n; i++) {
        if (is_new)
            count_mined(estimator, estimator->mined.at[i]);
        leave(estimator, estimator->mined.at[i], true);
    }
    estimator->mined.n = 0;
}

void fee_estimator_leave_all(struct fee_estimator *estimator)
{
    struct tracked *tx;
    for (size_t at = 0; (tx = hash_map_next(&estimator->tracked, &at));)
        leave(estimator, tx, false);
    hash_map_deinit(&estimator->tracked);
    hash_map_init(&estimator->tracked);
}

size_t fee_estimator_waiting(const struct fee_estimator *estimator)
{
    return estimator->tracked.count;
}

size_t fee_estimator_waiting_bytes(const struct fee_estimator *estimator)
{
    ASSERT(estimator);
    return hash_map_footprint_bytes(&estimator->tracked) +
           estimator->tracked.count * alloc_footprint_bytes(sizeof(struct tracked));
}

/* -- What to pay ------------------------------------------------------------------------------- */

static double higher(double a, double b)
{
    return MAX_OF(a, b);
}

static int32_t reach(enum fee_horizon_kind kind)
{
    return (int32_t)(horizons[kind].periods * horizons[kind].scale);
}

static struct fee_answer ask(const struct fee_estimator *estimator, enum fee_horizon_kind kind,
                             int32_t target, double threshold, double sufficient)
{
    const struct fee_question question = {.target_blocks = (uint32_t)target,
                                          .sufficient = sufficient,
                                          .threshold = threshold,
                                          .tip = estimator->best};
    return fee_stats_ask(&estimator->stats[kind], &question);
}

struct fee_answer fee_estimator_raw(const struct fee_estimator *estimator,
                                    enum fee_horizon_kind kind, int32_t target, double threshold)
{
    ASSERT((unsigned)kind < FEE_HORIZONS && target >= 1 && target <= reach(kind));
    ASSERT(threshold >= 0 && threshold <= 1);
    double sufficient = kind == FEE_HORIZON_SHORT ? SUFFICIENT_SHORT : SUFFICIENT;
    return ask(estimator, kind, target, threshold, sufficient);
}

/* By the shortest horizon that reaches the target. Who may take less takes the least of what
 * shorter ones say of their last block, since later is no dearer. */
static double by_target(const struct fee_estimator *estimator, int32_t target, double threshold,
                        bool may_take_less)
{
    int kind = FEE_HORIZON_SHORT;
    if (target < 1 || target > FEE_TARGET_MAX)
        return -1;
    while (target > reach(kind))
        kind++;
    double rate = fee_estimator_raw(estimator, kind, target, threshold).rate;
    while (may_take_less && kind-- > FEE_HORIZON_SHORT) {
        double less = fee_estimator_raw(estimator, kind, reach(kind), threshold).rate;
        if (less > 0 && (rate < 0 || less < rate))
            rate = less;
    }
    return rate;
}

/* Twice the target, by the horizons longer than the one that would do. */
static double by_longer_horizons(const struct fee_estimator *estimator, int32_t target)
{
    double rate = -1;
    if (target <= reach(FEE_HORIZON_SHORT))
        rate = ask(estimator, FEE_HORIZON_MEDIUM, target, DOUBLE_SHARE, SUFFICIENT).rate;
    if (target <= reach(FEE_HORIZON_MEDIUM))
        rate =
            higher(rate, ask(estimator, FEE_HORIZON_LONG, target, DOUBLE_SHARE, SUFFICIENT).rate);
    return rate;
}

/* Blocks that the file's numbers cover, if they are not too old to count. */
static int32_t file_span(const struct fee_estimator *estimator)
{
    if (estimator->file_first == 0 || estimator->best - estimator->file_best > OLD_BLOCKS_MAX)
        return 0;
    return estimator->file_best - estimator->file_first;
}

/* Blocks watched since the start. */
static int32_t own_span(const struct fee_estimator *estimator)
{
    return estimator->first == 0 ? 0 : estimator->best - estimator->first;
}

/* The furthest target of which enough has been seen: half of what was watched. */
static int32_t usable_target(const struct fee_estimator *estimator)
{
    int32_t own = own_span(estimator), file = file_span(estimator);
    int32_t half = MAX_OF(own, file) / 2;
    return MIN_OF(half, FEE_TARGET_MAX);
}

struct fee_estimate fee_estimator_smart(const struct fee_estimator *estimator, int32_t target,
                                        bool conservative)
{
    ASSERT(target >= 1 && target <= FEE_TARGET_MAX);
    /* Nobody who comes now can count on the very next block: it may be found this moment. */
    int32_t blocks = target == 1 ? 2 : target, usable = usable_target(estimator);
    if (blocks > usable)
        blocks = usable;
    struct fee_estimate estimate = {.blocks = blocks};
    if (blocks <= 1)
        return estimate;
    double rate = by_target(estimator, blocks / 2, HALF_SHARE, true);
    rate = higher(rate, by_target(estimator, blocks, FULL_SHARE, true));
    rate = higher(rate, by_target(estimator, 2 * blocks, DOUBLE_SHARE, !conservative));
    if (conservative || rate < 0)
        rate = higher(rate, by_longer_horizons(estimator, 2 * blocks));
    if (rate > 0)
        estimate.sat_per_kvb = (int64_t)(rate + 0.5);
    return estimate;
}

/* -- The file ---------------------------------------------------------------------------------- */

static const enum fee_horizon_kind file_order[FEE_HORIZONS] = {FEE_HORIZON_MEDIUM,
                                                               FEE_HORIZON_SHORT, FEE_HORIZON_LONG};

void fee_estimator_encode(const struct fee_estimator *estimator, struct buffer *out)
{
    struct writer w = writer_to_growing(out);
    bool is_own = own_span(estimator) > file_span(estimator) / 2;
    write_u32(&w, FILE_VERSION);
    write_u32(&w, (uint32_t)estimator->best);
    write_u32(&w, (uint32_t)(is_own ? estimator->first : estimator->file_first));
    write_u32(&w, (uint32_t)(is_own ? estimator->best : estimator->file_best));
    fee_buckets_encode(&estimator->buckets, &w);
    for (int i = 0; i < FEE_HORIZONS; i++)
        fee_stats_encode(&estimator->stats[file_order[i]], &w);
}

/* What was read before a fault stays in the statistics: the caller makes them anew. */
static bool read_stats(struct fee_estimator *estimator, struct reader *r)
{
    for (int i = 0; i < FEE_HORIZONS; i++)
        if (!fee_stats_decode(&estimator->stats[file_order[i]], r))
            return false;
    return reader_finish(r);
}

bool fee_estimator_decode(struct fee_estimator *estimator, struct span bytes)
{
    ASSERT(estimator->best == 0 && estimator->tracked.count == 0);
    struct reader r = reader_of(bytes);
    if (read_u32(&r) != FILE_VERSION)
        return false;
    uint32_t best = read_u32(&r), first = read_u32(&r), last = read_u32(&r);
    if (first > last || last > best || best > INT32_MAX ||
        !fee_buckets_match(&estimator->buckets, &r))
        return false;
    if (!read_stats(estimator, &r)) {
        deinit_stats(estimator);
        init_stats(estimator);
        return false;
    }
    estimator->best = (int32_t)best;
    estimator->file_first = (int32_t)first;
    estimator->file_best = (int32_t)last;
    return true;
}
