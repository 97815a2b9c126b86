/* mempool_estimator.c - see mempool_estimator.h. */
#include "mempool/mempool_estimator.h"

#include "consensus/block_check.h"
#include "crypto/hash.h"
#include "mempool/block_assembler.h"
#include "util/alloc.h"

#define FILE_VERSION   1
#define CHECKSUM_BYTES 4

struct mempool_estimator {
    const struct env *env;
    struct mined_block block[MEMPOOL_ESTIMATOR_BLOCKS]; /* each on the one before */
    size_t n;
    struct fee_flow flow; /* what comes */
    /* What waited when somebody asked last. */
    struct {
        uint32_t blocks; /* as many were filled; 0: none yet */
        struct block_hash tip;
        int64_t at_us;
        struct next_block next;
        double wu[FEE_BUCKETS];
    } waiting;
};

/* -- The next block ---------------------------------------------------------------------------- */

/* Per virtual bytes, of which a chunk has whole ones. */
static int64_t sat_per_kvb(struct feerate chunk)
{
    int64_t vbytes = (chunk.size + WITNESS_SCALE - 1) / WITNESS_SCALE;
    return chunk.fee_sat > 0 ? chunk.fee_sat * 1000 / vbytes : 0;
}

void next_block_take(struct next_block *block, struct feerate chunk)
{
    ASSERT(chunk.size > 0 && block->room_wu > 0);
    uint64_t before_wu = block->taken_wu;
    block->taken_wu += (uint64_t)chunk.size;
    if (2 * before_wu < block->room_wu && 2 * block->taken_wu >= block->room_wu)
        block->half_sat_per_kvb = sat_per_kvb(chunk);
    if (4 * before_wu < 3 * block->room_wu && 4 * block->taken_wu >= 3 * block->room_wu)
        block->three_quarters_sat_per_kvb = sat_per_kvb(chunk);
}

/* -- What comes -------------------------------------------------------------------------------- */

/* What is older than this when it comes has been in a file. */
#define FRESH_S 60

static double now_s(const struct mempool_estimator *estimator)
{
    return (double)env_now_us(estimator->env) / 1e6;
}

static int64_t age_s(const struct mempool_estimator *estimator, const struct mempool_entry *entry)
{
    return env_unix_s(estimator->env) - entry->time_s;
}

static double rate_of(const struct mempool_entry *entry)
{
    return (double)entry->fee_sat * 1000 / entry->vbytes;
}

void mempool_estimator_came(struct mempool_estimator *estimator, const struct mempool_entry *entry)
{
    if (age_s(estimator, entry) <= FRESH_S)
        fee_flow_add(&estimator->flow, now_s(estimator), rate_of(entry), entry->adjusted_wu);
}

void mempool_estimator_replaced(struct mempool_estimator *estimator,
                                const struct mempool_entry *entry)
{
    double now = now_s(estimator);
    fee_flow_take(&estimator->flow, now, now - (double)age_s(estimator, entry), rate_of(entry),
                  entry->adjusted_wu);
}

/* -- The last blocks --------------------------------------------------------------------------- */

struct mempool_estimator *mempool_estimator_new(const struct env *env, int64_t spacing_s)
{
    struct mempool_estimator *estimator = xcalloc(1, sizeof *estimator);
    estimator->env = env;
    fee_flow_init(&estimator->flow, now_s(estimator), (double)spacing_s);
    return estimator;
}

void mempool_estimator_free(struct mempool_estimator *estimator)
{
    xfree(estimator);
}

/* How many are left when all that came after the one of that hash are gone. */
static size_t count_up_to(const struct mempool_estimator *estimator, const struct block_hash *hash)
{
    size_t n = estimator->n;
    while (n > 0 && !block_hash_equal(&estimator->block[n - 1].hash, hash))
        n--;
    return n;
}

void mempool_estimator_block(struct mempool_estimator *estimator, const struct mined_block *block,
                             const struct block_hash *prev)
{
    ASSERT(block->ours_wu <= block->txs_wu && block->height > 0);
    estimator->n = count_up_to(estimator, prev);
    /* Of a file that tells another height of that block. */
    if (estimator->n > 0 && estimator->block[estimator->n - 1].height != block->height - 1)
        estimator->n = 0;
    if (estimator->n == MEMPOOL_ESTIMATOR_BLOCKS) {
        estimator->n--;
        memmove(&estimator->block[0], &estimator->block[1], estimator->n * sizeof *block);
    }
    estimator->block[estimator->n++] = *block;
}

const struct mined_block *mempool_estimator_blocks(const struct mempool_estimator *estimator,
                                                   const struct block_hash *tip, size_t *n)
{
    *n = count_up_to(estimator, tip);
    return estimator->block;
}

/* -- What to pay ------------------------------------------------------------------------------- */

/* Blocks without transactions say nothing against us: who may come finds room in them. */
static enum mempool_estimate_status judge(const struct mempool_estimator *estimator,
                                          const struct block_hash *tip)
{
    size_t n;
    uint64_t txs_wu = 0, ours_wu = 0;
    const struct mined_block *blocks = mempool_estimator_blocks(estimator, tip, &n);
    if (n < MEMPOOL_ESTIMATOR_BLOCKS)
        return MEMPOOL_ESTIMATE_FEW_BLOCKS;
    for (size_t i = 0; i < n; i++) {
        txs_wu += blocks[i].txs_wu;
        ours_wu += blocks[i].ours_wu;
    }
    return 100 * ours_wu >= MEMPOOL_ESTIMATOR_SHARE_PERCENT * txs_wu ? MEMPOOL_ESTIMATE_GOOD
                                                                     : MEMPOOL_ESTIMATE_UNRELIABLE;
}

#define ROOM_WU (BLOCK_WEIGHT_MAX_WU - BLOCK_RESERVED_WU_DEFAULT)

/* So many blocks, as if nothing came. A chunk's entries stand together in the selection, and each
 * knows the size of all. */
static void fill(struct mempool_estimator *estimator, const struct mempool *mempool,
                 uint32_t blocks)
{
    const struct mempool_selection selection = {
        .max_weight_wu = blocks * ROOM_WU,
        .max_sigops_cost = blocks * (BLOCK_SIGOPS_COST_MAX - BLOCK_RESERVED_SIGOPS),
        .min_sat_per_kvb = BLOCK_MIN_SAT_PER_KVB_DEFAULT,
    };
    size_t n;
    int64_t fees_sat;
    const struct mempool_entry **entries =
        mempool_select_for_block(mempool, &selection, &n, &fees_sat);
    estimator->waiting.next = (struct next_block){.room_wu = ROOM_WU};
    memset(estimator->waiting.wu, 0, sizeof estimator->waiting.wu);
    for (size_t i = 0; i < n;) {
        struct feerate chunk = mempool_chunk(mempool, entries[i]);
        double rate = (double)chunk.fee_sat * 1000 * WITNESS_SCALE / (double)chunk.size;
        estimator->waiting.wu[fee_buckets_find(&estimator->flow.buckets, rate)] +=
            (double)chunk.size;
        next_block_take(&estimator->waiting.next, chunk);
        for (int64_t rest_wu = chunk.size; rest_wu > 0 && i < n; i++)
            rest_wu -= entries[i]->adjusted_wu;
    }
    xfree(entries);
}

/* Only now and then: whoever asks often gets what the one before got. */
static void look(struct mempool_estimator *estimator, const struct mempool *mempool,
                 const struct block_hash *tip, uint32_t blocks)
{
    int64_t now_us = env_now_us(estimator->env);
    if (estimator->waiting.blocks >= blocks && block_hash_equal(&estimator->waiting.tip, tip) &&
        now_us - estimator->waiting.at_us < MEMPOOL_ESTIMATOR_FRESH_US)
        return;
    estimator->waiting.blocks = blocks;
    estimator->waiting.tip = *tip;
    estimator->waiting.at_us = now_us;
    fill(estimator, mempool, blocks);
}

/* False if it knows no rate. */
static bool forecast(struct mempool_estimator *estimator, const struct mempool *mempool,
                     const struct mempool_question *question, struct mempool_estimate *estimate)
{
    if (question->target <= MEMPOOL_ESTIMATOR_TARGET ||
        !fee_flow_is_known(&estimator->flow, now_s(estimator)))
        return false;
    look(estimator, mempool, question->tip, FEE_FORECAST_TARGET_MAX);
    estimate->blocks = MIN_OF(question->target, FEE_FORECAST_TARGET_MAX);
    const struct fee_forecast_question of_rates = {.flow = &estimator->flow,
                                                   .waiting_wu = estimator->waiting.wu,
                                                   .now_s = now_s(estimator),
                                                   .room_wu = ROOM_WU,
                                                   .target = (uint32_t)estimate->blocks,
                                                   .conservative = question->conservative};
    estimate->sat_per_kvb = fee_forecast_ask(&of_rates);
    return estimate->sat_per_kvb >= 0;
}

struct mempool_estimate mempool_estimator_ask(struct mempool_estimator *estimator,
                                              const struct mempool *mempool,
                                              const struct mempool_question *question)
{
    ASSERT(question->target > 0);
    struct mempool_estimate estimate = {.status = judge(estimator, question->tip)};
    if (estimate.status == MEMPOOL_ESTIMATE_GOOD &&
        forecast(estimator, mempool, question, &estimate))
        return estimate;
    estimate.blocks = MEMPOOL_ESTIMATOR_TARGET;
    estimate.sat_per_kvb = 0;
    if (estimate.status != MEMPOOL_ESTIMATE_GOOD)
        return estimate;
    look(estimator, mempool, question->tip, 1);
    const struct next_block *next = &estimator->waiting.next;
    estimate.sat_per_kvb =
        question->conservative ? next->half_sat_per_kvb : next->three_quarters_sat_per_kvb;
    return estimate;
}

/* -- The file ---------------------------------------------------------------------------------- */

void mempool_estimator_encode(const struct mempool_estimator *estimator, struct buffer *out)
{
    uint8_t hash[32];
    size_t begin = out->len;
    struct writer w = writer_to_growing(out);
    write_u32(&w, FILE_VERSION);
    write_compact_size(&w, estimator->n);
    for (size_t i = 0; i < estimator->n; i++) {
        const struct mined_block *block = &estimator->block[i];
        write_bytes(&w, block->hash.b, sizeof block->hash.b);
        write_u32(&w, (uint32_t)block->height);
        write_u64(&w, block->txs_wu);
        write_u64(&w, block->ours_wu);
    }
    sha256d(span_of(out->p + begin, out->len - begin), hash);
    write_bytes(&w, hash, CHECKSUM_BYTES);
}

static bool read_block(struct reader *r, const struct mined_block *before,
                       struct mined_block *block)
{
    read_bytes(r, block->hash.b, sizeof block->hash.b);
    uint32_t height = read_u32(r);
    block->height = (int32_t)height;
    block->txs_wu = read_u64(r);
    block->ours_wu = read_u64(r);
    return !r->failed && height > 0 && height <= INT32_MAX &&
           (!before || block->height - 1 == before->height) &&
           block->txs_wu <= BLOCK_WEIGHT_MAX_WU && block->ours_wu <= block->txs_wu;
}

bool mempool_estimator_decode(struct mempool_estimator *estimator, struct span bytes)
{
    ASSERT(estimator->n == 0);
    uint8_t hash[32];
    struct mined_block block[MEMPOOL_ESTIMATOR_BLOCKS];
    if (bytes.len < CHECKSUM_BYTES)
        return false;
    struct span body = span_of(bytes.p, bytes.len - CHECKSUM_BYTES);
    sha256d(body, hash);
    if (memcmp(hash, body.p + body.len, CHECKSUM_BYTES) != 0)
        return false;
    struct reader r = reader_of(body);
    if (read_u32(&r) != FILE_VERSION)
        return false;
    uint64_t n = read_compact_size(&r);
    if (n > MEMPOOL_ESTIMATOR_BLOCKS)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!read_block(&r, i > 0 ? &block[i - 1] : NULL, &block[i]))
            return false;
    if (!reader_finish(&r))
        return false;
    memcpy(estimator->block, block, (size_t)n * sizeof *block);
    estimator->n = (size_t)n;
    return true;
}
