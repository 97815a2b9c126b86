/* coinstatsindex.c - figures and MuHash of all coins as of each block (-coinstatsindex).
 *
 * Store keys: 'c' height hash -> struct row, a row for each block that was ever connected; heights
 * are big-endian, so that rows are written in the order of their keys. 'B' -> the mark
 * (index_follower.h). A row holds the whole set of MuHash and not only its digest: 384 bytes
 * instead of 32, and each block is worked out from the one before it, on whichever branch that is,
 * so neither reorganisations nor crashes have anything to take back. The first block's row is there
 * from the start: it is no block that is connected. */
#include "chain/ask/coinstatsindex.h"

#include <errno.h>
#include <string.h>

#include "chain/coins/coin_hash.h"
#include "chain/disk/block_ref.h"
#include "consensus/bip30.h"
#include "consensus/pow.h"
#include "consensus/script_iter.h"
#include "crypto/muhash.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define KEY_BYTES  37
#define ROW_BYTES  (MUHASH_STATE_BYTES + 8 * (4 + 3 + UNSPENDABLE_COUNT))
#define UNDO_CHUNK 65536

/* As of one block. */
struct row {
    uint8_t set[MUHASH_STATE_BYTES];
    struct coin_stats stats; /* what the index knows of it; the hash follows from set */
};

/* A block is counted in. */
struct tally {
    struct coin_stats *stats;
    struct muhash muhash;
    struct buffer element; /* one coin; kept for its memory */
    int32_t height;
};

/* Somebody asks for the figures of a block. */
struct stats_lookup {
    struct index_lookup base; /* first */
    const struct block_node *node;
    uint8_t key[KEY_BYTES];
    struct coin_stats stats;
    coin_stats_fn *done;
    void *arg;
};

/* -- Rows: on another thread ------------------------------------------------------------------- */

static struct span make_key(int32_t height, const struct block_hash *hash, uint8_t key[KEY_BYTES])
{
    ASSERT(height >= 0);
    struct writer w = writer_to_buffer(key, KEY_BYTES);
    write_u8(&w, 'c');
    index_key_u32(&w, (uint32_t)height);
    write_bytes(&w, hash->b, sizeof hash->b);
    return span_of(key, KEY_BYTES);
}

static void encode_row(const struct row *row, uint8_t out[ROW_BYTES])
{
    const struct coin_stats *stats = &row->stats;
    const struct coin_changes *block = &stats->block;
    struct writer w = writer_to_buffer(out, ROW_BYTES);
    write_bytes(&w, row->set, sizeof row->set);
    write_u64(&w, stats->n_outputs);
    write_u64(&w, stats->bogo_size);
    write_u64(&w, (uint64_t)stats->total_sat);
    write_u64(&w, (uint64_t)stats->unspendable_sat);
    write_u64(&w, (uint64_t)block->spent_sat);
    write_u64(&w, (uint64_t)block->coinbase_sat);
    write_u64(&w, (uint64_t)block->made_sat);
    for (int i = 0; i < UNSPENDABLE_COUNT; i++)
        write_u64(&w, (uint64_t)block->unspendable_sat[i]);
    ASSERT(w.len == ROW_BYTES);
}

static void decode_row(const uint8_t in[ROW_BYTES], struct row *row)
{
    struct coin_stats *stats = &row->stats;
    struct coin_changes *block = &stats->block;
    struct reader r = reader_of(span_of(in, ROW_BYTES));
    *row = (struct row){.stats.is_indexed = true};
    read_bytes(&r, row->set, sizeof row->set);
    stats->n_outputs = read_u64(&r);
    stats->bogo_size = read_u64(&r);
    stats->total_sat = (int64_t)read_u64(&r);
    stats->unspendable_sat = (int64_t)read_u64(&r);
    block->spent_sat = (int64_t)read_u64(&r);
    block->coinbase_sat = (int64_t)read_u64(&r);
    block->made_sat = (int64_t)read_u64(&r);
    for (int i = 0; i < UNSPENDABLE_COUNT; i++)
        block->unspendable_sat[i] = (int64_t)read_u64(&r);
    muhash_digest_encoded(row->set, stats->hash);
}

static int read_row(const struct index_follower *follower, struct span key, struct row *row)
{
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(follower->core->env, follower->kv, key, &value);
    if (!error && value.len != ROW_BYTES)
        error = -EUCLEAN;
    if (!error)
        decode_row(value.p, row);
    buffer_deinit(&value);
    return error;
}

static struct span element_of(struct tally *tally, const struct outpoint *outpoint,
                              const struct coin *coin)
{
    tally->element.len = 0;
    struct writer w = writer_to_growing(&tally->element);
    coin_hash_encode(&w, outpoint, coin);
    return buffer_span(&tally->element);
}

static void count_output(struct tally *tally, const struct tx *tx, uint32_t vout, bool is_coinbase)
{
    struct coin_stats *stats = tally->stats;
    const struct tx_out *out = &tx->out[vout];
    if (script_is_unspendable(out->script_pubkey)) {
        stats->block.unspendable_sat[UNSPENDABLE_SCRIPTS] += out->value_sat;
        return;
    }
    struct outpoint outpoint = {.txid = tx->txid, .vout = vout};
    struct coin coin = {.value_sat = out->value_sat,
                        .script_pubkey = out->script_pubkey,
                        .height = (uint32_t)tally->height,
                        .coinbase = is_coinbase};
    muhash_insert(&tally->muhash, element_of(tally, &outpoint, &coin));
    *(is_coinbase ? &stats->block.coinbase_sat : &stats->block.made_sat) += out->value_sat;
    stats->n_outputs++;
    stats->total_sat += out->value_sat;
    stats->bogo_size += COIN_STATS_BOGO_BYTES + out->script_pubkey.len;
}

static void count_spent(struct tally *tally, const struct outpoint *outpoint,
                        const struct coin *coin)
{
    struct coin_stats *stats = tally->stats;
    muhash_remove(&tally->muhash, element_of(tally, outpoint, coin));
    stats->block.spent_sat += coin->value_sat;
    stats->n_outputs--;
    stats->total_sat -= coin->value_sat;
    stats->bogo_size -= COIN_STATS_BOGO_BYTES + coin->script_pubkey.len;
}

static void count_transactions(struct tally *tally, const struct block *block,
                               const struct undo *undo)
{
    const struct coin *spent = undo->spent;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        for (uint32_t k = 0; k < tx->n_out; k++)
            count_output(tally, tx, k, i == 0);
        for (uint32_t k = 0; k < tx->n_in && i > 0; k++)
            count_spent(tally, &tx->in[k].prevout, spent++);
    }
    ASSERT(undo->n_spent == 0 || spent == undo->spent + undo->n_spent);
}

/* What a block made, spent and left to nobody. A coinbase that will be overwritten while it is
 * unspent counts as unspendable from the start, as in Core, though for some blocks it was a coin.
 * What is missing of subsidy and fees the miner has not claimed. Core:
 * CoinStatsIndex::CustomAppend() */
static void count_block(struct tally *tally, const struct network *network,
                        const struct block *block, const struct undo *undo)
{
    struct coin_changes *changes = &tally->stats->block;
    int64_t subsidy_sat = pow_subsidy_sat(network, tally->height), unspendable_sat = 0;
    *changes = (struct coin_changes){0};
    if (tally->height == 0) {
        changes->unspendable_sat[UNSPENDABLE_GENESIS] = subsidy_sat;
    } else if (bip30_is_overwritten(network, tally->height, &block->hash)) {
        ASSERT(block->n_tx == 1); /* two blocks of the main chain, long ago */
        changes->unspendable_sat[UNSPENDABLE_BIP30] = subsidy_sat;
    } else {
        count_transactions(tally, block, undo);
    }
    for (int i = 0; i < UNSPENDABLE_COUNT; i++)
        unspendable_sat += changes->unspendable_sat[i];
    int64_t unclaimed_sat = changes->spent_sat + subsidy_sat - changes->made_sat -
                            changes->coinbase_sat - unspendable_sat;
    ASSERT(unclaimed_sat >= 0); /* no valid block takes more than there is */
    changes->unspendable_sat[UNSPENDABLE_UNCLAIMED] = unclaimed_sat;
    tally->stats->unspendable_sat += unspendable_sat + unclaimed_sat;
}

/* row: as of the block before; becomes that of the block. */
static void put_block(struct index_follower *follower, struct env_batch *batch, int32_t height,
                      const struct block *block, const struct undo *undo, struct row *row)
{
    uint8_t key[KEY_BYTES], value[ROW_BYTES];
    struct tally tally = {.stats = &row->stats, .height = height};
    buffer_init(&tally.element);
    muhash_decode(&tally.muhash, row->set);
    count_block(&tally, follower->core->network, block, undo);
    muhash_encode(&tally.muhash, row->set);
    encode_row(row, value);
    env_batch_put(follower->core->env, batch, make_key(height, &block->hash, key),
                  span_of(value, sizeof value));
    buffer_deinit(&tally.element);
}

/* The block before has its row: without it the index is damaged. Without what the block has spent
 * it is not, and making it anew would come to the same end. */
static int put_rows(struct index_follower *follower, struct env_batch *batch)
{
    const struct block *block = &follower->block->block;
    int32_t height = follower->next->height;
    uint8_t key[KEY_BYTES];
    struct undo undo;
    struct row row;
    struct arena arena;
    int error = read_row(follower, make_key(height - 1, &block->header.prev, key), &row);
    if (error)
        return error == -ENOENT ? -EUCLEAN : error;
    arena_init(&arena, UNDO_CHUNK);
    if (!index_undo(follower, &arena, &undo))
        error = -EBADMSG;
    else
        put_block(follower, batch, height, block, &undo, &row);
    arena_deinit(&arena);
    return error;
}

static void find(struct index_lookup *base)
{
    struct stats_lookup *lookup = CONTAINER_OF(base, struct stats_lookup, base);
    struct row row;
    base->error = read_row(base->follower, span_of(lookup->key, KEY_BYTES), &row);
    if (!base->error)
        lookup->stats = row.stats;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void end(struct index_lookup *base, int error)
{
    struct stats_lookup *lookup = CONTAINER_OF(base, struct stats_lookup, base);
    struct index_follower *follower = base->follower;
    lookup->stats.tip = lookup->node;
    lookup->done(lookup->arg, error, error ? NULL : &lookup->stats);
    xfree(lookup);
    index_lookup_end(follower);
}

static void answer(struct index_lookup *base)
{
    end(base, base->error == -ENOENT && base->is_partial ? -EAGAIN : base->error);
}

void coinstatsindex_find(struct coinstatsindex *index, const struct block_node *node,
                         coin_stats_fn *done, void *arg)
{
    struct index_follower *follower = &index->follower;
    ASSERT(node && done);
    if (!follower->is_on || follower->core->closing) {
        done(arg, follower->is_on ? -ECANCELED : -ENOSYS, NULL);
        return;
    }
    struct stats_lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct stats_lookup){.node = node, .done = done, .arg = arg};
    (void)make_key(node->height, &node->hash, lookup->key);
    index_lookup_start(follower, &lookup->base, node);
}

/* -- The first block --------------------------------------------------------------------------- */

static void put_first(struct index_follower *follower, struct env_batch *batch,
                      const struct block *first)
{
    struct row row = {0};
    struct muhash none;
    muhash_init(&none);
    muhash_encode(&none, row.set);
    put_block(follower, batch, 0, first, &(struct undo){0}, &row);
}

static int load(struct index_follower *follower)
{
    uint8_t key[KEY_BYTES];
    struct row row;
    int error = read_row(follower, make_key(0, &follower->tree->genesis->hash, key), &row);
    return error == -ENOENT ? index_load_first(follower, put_first) : error;
}

const struct index_kind coinstatsindex_kind = {
    .core_thread = "coinstatsidx",
    .store = {.dir = "coinstatsindex/db",
              .old_dir = "coinstatsindex",
              .format = {.name = "index of coin statistics", .version = 1, .kind = 'U'},
              .bloom_bits = 10},
    .wants_undo = true,
    .put_rows = put_rows,
    .find = find,
    .answer = answer,
    .end = end,
    .load = load,
};
