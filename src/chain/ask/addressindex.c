/* addressindex.c - which transactions pay a script or spend what was paid to it (-addressindex).
 *
 * Store keys: 'a' id height position -> the first four bytes of the block's hash, the outputs that
 * pay the script (number, amount), and a mark of 8 bytes for each input that spends one: a row for
 * each script of each transaction, where id is 12 bytes of a keyed hash of the script. 'x' height
 * position and those four bytes -> txid, a row for each transaction. 'K' -> the key of the hashes,
 * which is the store's own: nobody can make scripts that collide. 'B' -> the mark
 * (index_follower.h). Numbers in keys are big-endian, so that a script's rows come in the order of
 * the chain.
 *
 * A row of a block that left the chain stays where it is; its four bytes tell, as long as the block
 * of that height is another one. doc/decisions/0270-an-index-of-addresses.md */
#include "chain/ask/addressindex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/disk/block_ref.h"
#include "consensus/bip30.h"
#include "consensus/script_iter.h"
#include "crypto/hash.h"
#include "util/buffer.h"

#define ID_BYTES     12
#define PREFIX_BYTES (1 + ID_BYTES)
#define KEY_BYTES    (PREFIX_BYTES + 8)
#define TX_KEY_BYTES 13
#define TAG_BYTES    4
#define UNDO_CHUNK   65536

/* A script in one output or input of a transaction. */
struct touch {
    uint8_t id[ID_BYTES];
    bool is_spend;
    uint32_t vout; /* of an output */
    int64_t value_sat;
    uint64_t mark; /* of what an input spends */
};

/* A block whose rows are being made. */
struct block_rows {
    struct index_follower *follower;
    struct env_batch *batch;
    bool is_overwritten; /* its coinbase counts for nothing: another one came in its place */
    ARRAY(struct touch) touches; /* of one transaction */
    struct buffer value;         /* kept for their memory, both */
};

/* Somebody asks for all about some scripts. */
struct address_lookup {
    struct index_lookup base; /* first */
    struct script_hash *hashes;
    size_t n;
    struct address_history history;
    chain_addresses_fn *done;
    void *arg;
};

static struct addressindex *index_of(struct index_follower *follower)
{
    return CONTAINER_OF(follower, struct addressindex, follower);
}

/* -- Keys -------------------------------------------------------------------------------------- */

static void make_id(const struct addressindex *index, const struct script_hash *hash,
                    uint8_t id[ID_BYTES])
{
    struct sha256 sha;
    uint8_t digest[32];
    sha256_init(&sha);
    sha256_update(&sha, index->secret, sizeof index->secret);
    sha256_update(&sha, hash->b, sizeof hash->b);
    sha256_final(&sha, digest);
    memcpy(id, digest, ID_BYTES);
}

static struct span make_tx_key(uint32_t height, uint32_t position, const uint8_t tag[TAG_BYTES],
                               uint8_t key[TX_KEY_BYTES])
{
    struct writer w = writer_to_buffer(key, TX_KEY_BYTES);
    write_u8(&w, 'x');
    index_key_u32(&w, height);
    index_key_u32(&w, position);
    write_bytes(&w, tag, TAG_BYTES);
    return span_of(key, TX_KEY_BYTES);
}

/* -- Rows: on another thread ------------------------------------------------------------------- */

static void touch_script(struct block_rows *rows, struct span script, struct touch touch)
{
    struct script_hash hash;
    sha256(script, hash.b);
    make_id(index_of(rows->follower), &hash, touch.id);
    *ARRAY_ADD(&rows->touches) = touch;
}

/* By script; then outputs in their order, then inputs. */
static int compare_touches(const void *a, const void *b)
{
    const struct touch *x = a, *y = b;
    int order = memcmp(x->id, y->id, ID_BYTES);
    if (!order)
        order = x->is_spend - y->is_spend;
    return order ? order : (x->vout > y->vout) - (x->vout < y->vout);
}

/* The row of the n touches of one script. */
static void put_row(struct block_rows *rows, uint32_t position, const struct touch *touch, size_t n)
{
    const struct index_follower *follower = rows->follower;
    uint8_t key[KEY_BYTES];
    size_t n_outs = 0;
    while (n_outs < n && !touch[n_outs].is_spend)
        n_outs++;
    struct writer w = writer_to_buffer(key, KEY_BYTES);
    write_u8(&w, 'a');
    write_bytes(&w, touch->id, ID_BYTES);
    index_key_u32(&w, (uint32_t)follower->next->height);
    index_key_u32(&w, position);
    rows->value.len = 0;
    w = writer_to_growing(&rows->value);
    write_bytes(&w, follower->block->block.hash.b, TAG_BYTES);
    write_compact_size(&w, n_outs);
    for (size_t i = 0; i < n_outs; i++) {
        write_compact_size(&w, touch[i].vout);
        write_compact_size(&w, (uint64_t)touch[i].value_sat);
    }
    for (size_t i = n_outs; i < n; i++)
        write_u64(&w, touch[i].mark);
    env_batch_put(follower->core->env, rows->batch, span_of(key, sizeof key),
                  buffer_span(&rows->value));
}

static void put_tx(struct block_rows *rows, uint32_t position, const struct tx *tx,
                   const struct coin *spent)
{
    const struct index_follower *follower = rows->follower;
    struct siphash_key mark_key = index_of(rows->follower)->mark_key;
    uint8_t key[TX_KEY_BYTES];
    rows->touches.n = 0;
    for (uint32_t k = 0; k < tx->n_out && !(position == 0 && rows->is_overwritten); k++)
        if (!script_is_unspendable(tx->out[k].script_pubkey))
            touch_script(rows, tx->out[k].script_pubkey,
                         (struct touch){.vout = k, .value_sat = tx->out[k].value_sat});
    for (uint32_t k = 0; k < tx->n_in && position > 0; k++) {
        const struct outpoint *prevout = &tx->in[k].prevout;
        touch_script(rows, spent[k].script_pubkey,
                     (struct touch){.is_spend = true,
                                    .mark = address_mark(mark_key, &prevout->txid, prevout->vout)});
    }
    if (rows->touches.n == 0)
        return;
    qsort(rows->touches.at, rows->touches.n, sizeof(struct touch), compare_touches);
    for (size_t i = 0, n; i < rows->touches.n; i += n) {
        const struct touch *first = &rows->touches.at[i];
        for (n = 1; i + n < rows->touches.n && memcmp(first[n].id, first->id, ID_BYTES) == 0; n++)
            ;
        put_row(rows, position, first, n);
    }
    env_batch_put(
        follower->core->env, rows->batch,
        make_tx_key((uint32_t)follower->next->height, position, follower->block->block.hash.b, key),
        span_of(tx->txid.b, sizeof tx->txid.b));
}

static int put_rows(struct index_follower *follower, struct env_batch *batch)
{
    const struct block *block = &follower->block->block;
    struct block_rows rows = {.follower = follower, .batch = batch};
    rows.is_overwritten =
        bip30_is_overwritten(follower->core->network, follower->next->height, &block->hash);
    struct undo undo;
    struct arena arena;
    arena_init(&arena, UNDO_CHUNK);
    buffer_init(&rows.value);
    bool ok = index_undo(follower, &arena, &undo);
    const struct coin *spent = undo.spent;
    for (uint32_t i = 0; i < block->n_tx && ok; i++) {
        put_tx(&rows, i, &block->tx[i], spent);
        spent += i > 0 ? block->tx[i].n_in : 0;
    }
    ARRAY_FREE(&rows.touches);
    buffer_deinit(&rows.value);
    arena_deinit(&arena);
    return ok ? 0 : -EBADMSG;
}

/* -- Looking up: on another thread ------------------------------------------------------------- */

/* Outputs and inputs of a row. False if it is damaged. */
static bool read_items(struct address_history *history, uint32_t row, struct reader *r)
{
    uint64_t n_outs = read_compact_size(r);
    for (uint64_t i = 0; i < n_outs && !r->failed; i++) {
        struct address_out out = {.row = row};
        out.vout = (uint32_t)read_compact_size(r);
        out.value_sat = (int64_t)read_compact_size(r);
        *ARRAY_ADD(&history->outs) = out;
    }
    while (!r->failed && reader_left(r) > 0) {
        struct address_spend spend = {.row = row, .mark = read_u64(r)};
        *ARRAY_ADD(&history->spends) = spend;
    }
    return !r->failed;
}

/* The block of a row, if it is in the chain up to the history's tip; NULL: the row is stale, or of
 * a block that came meanwhile. What is asked of the nodes never changes. */
static const struct block_node *block_of_row(const struct block_node *tip, uint32_t height,
                                             const uint8_t tag[TAG_BYTES])
{
    if (height > (uint32_t)tip->height)
        return NULL;
    const struct block_node *node = block_node_ancestor(tip, (int32_t)height);
    return memcmp(node->hash.b, tag, TAG_BYTES) == 0 ? node : NULL;
}

static int read_txid(const struct index_follower *follower, struct span key, struct txid *txid)
{
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(follower->core->env, follower->kv, key, &value);
    if (error == -ENOENT || (!error && value.len != sizeof txid->b))
        error = -EUCLEAN; /* they were written together */
    if (!error)
        memcpy(txid->b, value.p, sizeof txid->b);
    buffer_deinit(&value);
    return error;
}

/* Take a row into the history, if it is of the chain. */
static int take_row(struct address_lookup *lookup, uint32_t script, struct span key,
                    struct span value)
{
    struct address_history *history = &lookup->history;
    struct address_row row = {.script = script};
    uint32_t height = index_key_read_u32(key.p + PREFIX_BYTES);
    uint8_t tx_key[TX_KEY_BYTES];
    if (value.len < TAG_BYTES)
        return -EUCLEAN;
    row.node = block_of_row(history->tip, height, value.p);
    row.position = index_key_read_u32(key.p + PREFIX_BYTES + 4);
    if (!row.node)
        return 0;
    if (history->rows.n == ADDRESS_ROWS_MAX)
        return -E2BIG;
    int error = read_txid(lookup->base.follower, make_tx_key(height, row.position, value.p, tx_key),
                          &row.txid);
    if (error)
        return error;
    *ARRAY_ADD(&history->rows) = row;
    struct reader r = reader_of(span_of(value.p + TAG_BYTES, value.len - TAG_BYTES));
    return read_items(history, (uint32_t)history->rows.n - 1, &r) ? 0 : -EUCLEAN;
}

static int find_script(struct address_lookup *lookup, struct env_cursor *cursor, uint32_t script)
{
    struct index_follower *follower = lookup->base.follower;
    const struct env *env = follower->core->env;
    uint8_t prefix[PREFIX_BYTES] = {'a'};
    make_id(index_of(follower), &lookup->hashes[script], prefix + 1);
    env_cursor_seek(env, cursor, span_of(prefix, sizeof prefix));
    int error = 0;
    for (; !error && env_cursor_valid(env, cursor); env_cursor_next(env, cursor)) {
        struct span key = env_cursor_key(env, cursor);
        if (key.len != KEY_BYTES || memcmp(key.p, prefix, sizeof prefix) != 0)
            break;
        error = take_row(lookup, script, key, env_cursor_value(env, cursor));
        if (atomic_load_explicit(&follower->core->stops_jobs, memory_order_relaxed))
            error = -ECANCELED;
    }
    return error ? error : env_cursor_error(env, cursor);
}

static void find(struct index_lookup *base)
{
    struct address_lookup *lookup = CONTAINER_OF(base, struct address_lookup, base);
    const struct env *env = base->follower->core->env;
    struct env_cursor *cursor = env_cursor_open(env, base->follower->kv);
    lookup->history.tip = base->tip;
    lookup->history.key = index_of(base->follower)->mark_key; /* made anew with the index */
    for (size_t i = 0; i < lookup->n && !base->error; i++)
        base->error = find_script(lookup, cursor, (uint32_t)i);
    env_cursor_close(env, cursor);
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void tell(struct address_lookup *lookup, int error)
{
    struct index_follower *follower = lookup->base.follower;
    lookup->done(lookup->arg, error, error ? NULL : &lookup->history);
    address_history_deinit(&lookup->history);
    xfree(lookup->hashes);
    xfree(lookup);
    index_lookup_end(follower);
}

static void end(struct index_lookup *base, int error)
{
    tell(CONTAINER_OF(base, struct address_lookup, base), error);
}

static void answer(struct index_lookup *base)
{
    struct address_lookup *lookup = CONTAINER_OF(base, struct address_lookup, base);
    tell(lookup, base->error ? base->error : base->is_partial ? -EAGAIN : 0);
}

void addressindex_find(struct addressindex *index, const struct script_hash *hashes, size_t n,
                       chain_addresses_fn *done, void *arg)
{
    struct index_follower *follower = &index->follower;
    ASSERT(n <= ADDRESS_SCRIPTS_MAX && done);
    if (!follower->is_on || follower->core->closing) {
        done(arg, follower->is_on ? -ECANCELED : -ENOSYS, NULL);
        return;
    }
    struct address_lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct address_lookup){.n = n, .done = done, .arg = arg};
    lookup->hashes = xmemdup(hashes, n * sizeof *hashes);
    index_lookup_start(follower, &lookup->base, NULL);
}

/* -- The store's own key ----------------------------------------------------------------------- */

static int load(struct index_follower *follower)
{
    struct addressindex *index = index_of(follower);
    uint8_t secret[2 * ADDRESSINDEX_SECRET_BYTES];
    int error = index_secret(follower, secret, sizeof secret);
    struct reader r = reader_of(span_of(secret, sizeof secret));
    read_bytes(&r, index->secret, sizeof index->secret);
    index->mark_key.k0 = read_u64(&r);
    index->mark_key.k1 = read_u64(&r);
    return error;
}

const struct index_kind addressindex_kind = {
    .core_thread = "addressidx",
    .store = {.dir = "addressindex",
              .format = {.name = "index of addresses", .version = 1, .kind = 'A'},
              .bloom_bits = 10},
    .wants_undo = true,
    .put_rows = put_rows,
    .find = find,
    .answer = answer,
    .end = end,
    .load = load,
};
