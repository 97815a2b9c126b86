/* spenderindex.c - which transaction of the chain spends an output (-txospenderindex).
 *
 * Store keys: 's' hash height position -> the first four bytes of the block's hash, a row for each
 * input, where hash is SipHash of the outpoint: 21 bytes for a row instead of 70. Two outpoints may
 * have the same hash, and a row of a block that left the chain stays where it is; so a row is a
 * hint, and the transaction itself, read from its block, is the proof. 'K' -> the key of the hash,
 * which is the store's own: nobody can make outpoints that collide. 'B' -> the mark
 * (index_follower.h).
 *
 * Outputs that blocks taken back have spent are said to be spent, with the block's hash, until
 * other blocks are connected in their place. Core does the same. */
#include "chain/ask/spenderindex.h"

#include <errno.h>
#include <string.h>

#include "chain/disk/block_ref.h"
#include "crypto/siphash.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define PREFIX_BYTES 9 /* 's', hash */
#define KEY_BYTES    17
#define TAG_BYTES    4
#define SECRET_BYTES 16

/* A row found: where the spender may be. */
struct hint {
    uint32_t height, position;
    uint8_t tag[TAG_BYTES];
};

/* Somebody looks for a spender. */
struct spender_lookup {
    struct index_lookup base; /* first */
    struct outpoint outpoint;
    struct buffer rows; /* struct hint each */
    size_t at;          /* hints looked at */
    chain_spender_fn *done;
    void *arg;
};

static struct spenderindex *index_of(struct index_follower *follower)
{
    return CONTAINER_OF(follower, struct spenderindex, follower);
}

/* -- Rows: on another thread ------------------------------------------------------------------- */

static struct writer prefix_of(const struct spenderindex *index, const struct outpoint *outpoint,
                               uint8_t key[KEY_BYTES])
{
    struct writer w = writer_to_buffer(key, KEY_BYTES);
    write_u8(&w, 's');
    write_u64(&w, siphash13_id(index->secret, outpoint->txid.b, outpoint->vout));
    ASSERT(w.len == PREFIX_BYTES);
    return w;
}

static int put_rows(struct index_follower *follower, struct env_batch *batch)
{
    const struct block *block = &follower->block->block;
    for (uint32_t i = 1; i < block->n_tx; i++) { /* a coinbase spends nothing */
        for (uint32_t k = 0; k < block->tx[i].n_in; k++) {
            uint8_t key[KEY_BYTES];
            struct writer w = prefix_of(index_of(follower), &block->tx[i].in[k].prevout, key);
            index_key_u32(&w, (uint32_t)follower->next->height);
            index_key_u32(&w, i);
            env_batch_put(follower->core->env, batch, span_of(key, sizeof key),
                          span_of(block->hash.b, TAG_BYTES));
        }
    }
    return 0;
}

/* Take the row at the cursor, if it is of this outpoint's hash. */
static bool take_row(struct spender_lookup *lookup, struct env_cursor *cursor,
                     const uint8_t prefix[PREFIX_BYTES])
{
    const struct env *env = lookup->base.follower->core->env;
    struct span key, value;
    if (!env_cursor_valid(env, cursor))
        return false;
    key = env_cursor_key(env, cursor);
    value = env_cursor_value(env, cursor);
    if (key.len != KEY_BYTES || value.len != TAG_BYTES || memcmp(key.p, prefix, PREFIX_BYTES) != 0)
        return false;
    struct hint hint = {.height = index_key_read_u32(key.p + PREFIX_BYTES),
                        .position = index_key_read_u32(key.p + PREFIX_BYTES + 4)};
    memcpy(hint.tag, value.p, TAG_BYTES);
    /* As many as there were reorganisations over this spend: each cost a block's work. */
    buffer_append(&lookup->rows, &hint, sizeof hint);
    return true;
}

/* Only the rows: which of their blocks count is the loop's to say. */
static void find(struct index_lookup *base)
{
    struct spender_lookup *lookup = CONTAINER_OF(base, struct spender_lookup, base);
    struct index_follower *follower = base->follower;
    const struct env *env = follower->core->env;
    uint8_t prefix[KEY_BYTES];
    (void)prefix_of(index_of(follower), &lookup->outpoint, prefix);
    struct env_cursor *cursor = env_cursor_open(env, follower->kv);
    env_cursor_seek(env, cursor, span_of(prefix, PREFIX_BYTES));
    while (take_row(lookup, cursor, prefix))
        env_cursor_next(env, cursor);
    base->error = env_cursor_error(env, cursor);
    env_cursor_close(env, cursor);
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void tell(struct spender_lookup *lookup, int error, const struct chain_spender *spender)
{
    struct index_follower *follower = lookup->base.follower;
    lookup->done(lookup->arg, error, spender);
    buffer_deinit(&lookup->rows);
    xfree(lookup);
    index_lookup_end(follower);
}

static void end(struct index_lookup *base, int error)
{
    tell(CONTAINER_OF(base, struct spender_lookup, base), error, NULL);
}

static bool spends(const struct tx *tx, const struct outpoint *outpoint)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].prevout.vout == outpoint->vout &&
            txid_equal(&tx->in[i].prevout.txid, &outpoint->txid))
            return true;
    }
    return false;
}

/* The block of a hint, if the index still stands for it. */
static const struct block_node *block_of_hint(const struct index_follower *follower,
                                              const struct hint *hint)
{
    if (hint->height > (uint32_t)follower->at->height)
        return NULL;
    const struct block_node *node = block_node_ancestor(follower->at, (int32_t)hint->height);
    return memcmp(node->hash.b, hint->tag, TAG_BYTES) == 0 ? node : NULL;
}

static void try_next_hint(struct spender_lookup *lookup);

/* Does the transaction at that place spend the output? If not, the hint was of another one with the
 * same hash. */
static void hinted_block_was_read(void *arg, const struct chain_block_read *read)
{
    struct spender_lookup *lookup = arg;
    struct hint hint;
    if (read->error) {
        end(&lookup->base, read->error);
        return;
    }
    memcpy(&hint, lookup->rows.p + (lookup->at - 1) * sizeof hint, sizeof hint);
    const struct block *block = &read->block->block;
    if (hint.position < block->n_tx && spends(&block->tx[hint.position], &lookup->outpoint)) {
        struct chain_spender spender = {.node = read->node, .tx = &block->tx[hint.position]};
        tell(lookup, 0, &spender);
        return;
    }
    try_next_hint(lookup);
}

/* One block at a time: nearly always there is one hint, and it is right. */
static void try_next_hint(struct spender_lookup *lookup)
{
    const struct block_node *node = NULL;
    struct index_follower *follower = lookup->base.follower;
    while (!node && (lookup->at + 1) * sizeof(struct hint) <= lookup->rows.len) {
        struct hint hint;
        memcpy(&hint, lookup->rows.p + lookup->at * sizeof hint, sizeof hint);
        lookup->at++;
        node = block_of_hint(follower, &hint);
    }
    if (node)
        block_read(follower->reads, node, false, hinted_block_was_read, lookup);
    else /* an index that is being made anew knows nothing of what is not spent */
        end(&lookup->base, follower->was_synced ? 0 : -EAGAIN);
}

static void answer(struct index_lookup *base)
{
    int error = base->follower->core->closing ? -ECANCELED : base->error;
    if (error) /* who asks for one that is being made anew asks again later */
        end(base, error == -EUCLEAN ? -EAGAIN : error);
    else
        try_next_hint(CONTAINER_OF(base, struct spender_lookup, base));
}

void spenderindex_find(struct spenderindex *index, const struct outpoint *outpoint,
                       chain_spender_fn *done, void *arg)
{
    struct index_follower *follower = &index->follower;
    ASSERT(outpoint && done);
    if (!follower->is_on || follower->core->closing || !follower->was_synced ||
        follower->is_broken) {
        done(arg,
             !follower->is_on          ? -ENOSYS
             : follower->core->closing ? -ECANCELED
                                       : -EAGAIN,
             NULL);
        return;
    }
    struct spender_lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct spender_lookup){.outpoint = *outpoint, .done = done, .arg = arg};
    buffer_init(&lookup->rows);
    index_lookup_start(follower, &lookup->base, NULL);
}

/* -- The store's own key ----------------------------------------------------------------------- */

static int load(struct index_follower *follower)
{
    uint8_t bytes[SECRET_BYTES];
    int error = index_secret(follower, bytes, sizeof bytes);
    struct reader r = reader_of(span_of(bytes, sizeof bytes));
    if (!error) {
        index_of(follower)->secret.k0 = read_u64(&r);
        index_of(follower)->secret.k1 = read_u64(&r);
    }
    return error;
}

const struct index_kind spenderindex_kind = {
    .core_thread = "txospenderidx",
    .store = {.dir = "txospenderindex/db",
              .old_dir = "txospenderindex",
              .format = {.name = "index of spenders",
                         .version = 1,
                         .kind = 'S',
                         .old_key = "K",
                         .old_len = SECRET_BYTES},
              .bloom_bits = 0},
    .put_rows = put_rows,
    .find = find,
    .answer = answer,
    .end = end,
    .load = load,
};
