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
    /* What was told last: of which tip, and when. */
    bool has_next;
    struct block_hash next_tip;
    int64_t next_us;
    struct next_block next;
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

/* A chunk's entries stand together in the selection, and all of them know its size. */
static struct next_block fill_next(const struct mempool *mempool)
{
    const struct mempool_selection selection = {
        .max_weight_wu = BLOCK_WEIGHT_MAX_WU - BLOCK_RESERVED_WU_DEFAULT,
        .max_sigops_cost = BLOCK_SIGOPS_COST_MAX - BLOCK_RESERVED_SIGOPS,
        .min_sat_per_kvb = BLOCK_MIN_SAT_PER_KVB_DEFAULT,
    };
    struct next_block next = {.room_wu = selection.max_weight_wu};
    size_t n;
    int64_t fees_sat;
    const struct mempool_entry **entries =
        mempool_select_for_block(mempool, &selection, &n, &fees_sat);
    for (size_t i = 0; i < n;) {
        struct feerate chunk = mempool_chunk(mempool, entries[i]);
        next_block_take(&next, chunk);
        for (int64_t rest_wu = chunk.size; rest_wu > 0 && i < n; i++)
            rest_wu -= entries[i]->adjusted_wu;
    }
    xfree(entries);
    return next;
}

/* -- The last blocks --------------------------------------------------------------------------- */

struct mempool_estimator *mempool_estimator_new(const struct env *env)
{
    struct mempool_estimator *estimator = xcalloc(1, sizeof *estimator);
    estimator->env = env;
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

/* A block is filled anew only now and then: whoever asks often gets what the one before got. */
static const struct next_block *next_on(struct mempool_estimator *estimator,
                                        const struct mempool *mempool, const struct block_hash *tip)
{
    int64_t now_us = env_now_us(estimator->env);
    if (!estimator->has_next || !block_hash_equal(&estimator->next_tip, tip) ||
        now_us - estimator->next_us >= MEMPOOL_ESTIMATOR_FRESH_US) {
        estimator->has_next = true;
        estimator->next_tip = *tip;
        estimator->next_us = now_us;
        estimator->next = fill_next(mempool);
    }
    return &estimator->next;
}

struct mempool_estimate mempool_estimator_ask(struct mempool_estimator *estimator,
                                              const struct mempool *mempool,
                                              const struct block_hash *tip, bool conservative)
{
    struct mempool_estimate estimate = {.status = judge(estimator, tip)};
    if (estimate.status != MEMPOOL_ESTIMATE_GOOD)
        return estimate;
    const struct next_block *next = next_on(estimator, mempool, tip);
    estimate.sat_per_kvb = conservative ? next->half_sat_per_kvb : next->three_quarters_sat_per_kvb;
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
