/* txindex.c - where a transaction is.
 *
 * Store keys: 't' txid -> its place (tx_place.h); 'B' -> the mark (index_follower.h); 'P' -> the
 * block up to which the rows tell the place in the file, and not the block alone, as those of
 * versions before did: such rows are answered too, and written anew whenever the index has nothing
 * else to do. Entries of blocks that left the chain are not removed: the bytes of the hash tell
 * that they are stale, and a transaction that was mined again has got a new entry. */
#include "chain/ask/txindex.h"

#include <errno.h>
#include <string.h>

#include "chain/ask/tx_place.h"
#include "chain/disk/block_file.h"
#include "chain/disk/block_ref.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define KEY_BYTES          33
#define LOOKUP_CHUNK_BYTES 1024

/* Somebody looks for a transaction. */
struct tx_lookup {
    struct index_lookup base; /* first */
    struct txid txid;
    struct tx_place place;
    uint8_t *raw; /* the transaction's bytes, if they are where the place says */
    struct arena arena;
    struct tx tx; /* with raw */
    chain_tx_fn *done;
    void *arg;
};

static struct txindex *index_of(struct index_follower *follower)
{
    return CONTAINER_OF(follower, struct txindex, follower);
}

/* -- Rows: on another thread ------------------------------------------------------------------- */

static void tx_key(const struct txid *txid, uint8_t key[KEY_BYTES])
{
    key[0] = 't';
    memcpy(key + 1, txid->b, sizeof txid->b);
}

/* A transaction lies as far behind the place of its block as its bytes do in the block's. */
static int put_rows(struct index_follower *follower, struct env_batch *batch)
{
    const struct block *block = &follower->block->block;
    const struct file_pos *data = &follower->data;
    uint8_t key[KEY_BYTES], value[TX_PLACE_BYTES];
    struct tx_place place = {.height = follower->next->height, .pos = {.file = data->file}};
    memcpy(place.tag, block->hash.b, sizeof place.tag);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        struct span raw = block->tx[i].raw;
        ASSERT(raw.p >= block->raw.p && raw.len <= block->raw.len);
        place.pos.offset = data->offset + (uint32_t)(raw.p - block->raw.p);
        place.pos.len = (uint32_t)raw.len;
        tx_place_encode(&place, raw, value);
        place.first_spent += i > 0 ? block->tx[i].n_in : 0;
        tx_key(&block->txids[i], key);
        env_batch_put(follower->core->env, batch, span_of(key, sizeof key),
                      span_of(value, sizeof value));
    }
    return 0;
}

static void put_mark(struct index_follower *follower, const struct block_node *node,
                     struct env_batch *batch)
{
    const struct block_node *placed = block_node_fork(index_of(follower)->placed, node);
    env_batch_put(follower->core->env, batch, span_of("P", 1), span_of(placed->hash.b, 32));
}

/* The transaction, if it is where its row says. If not, for whatever reason, its block has to be
 * read, which names the reason. */
static void read_at_place(struct tx_lookup *lookup)
{
    uint8_t *raw;
    if (lookup->place.pos.file < 0 ||
        block_files_read_part(lookup->base.follower->core->files, &lookup->place.pos, &raw))
        return;
    struct span bytes = span_of(raw, lookup->place.pos.len);
    struct reader r = reader_of(bytes);
    if (tx_place_proves(&lookup->place, bytes) &&
        tx_decode(&r, &lookup->arena, true, &lookup->tx) && reader_finish(&r) &&
        txid_equal(&lookup->tx.txid, &lookup->txid))
        lookup->raw = raw;
    else
        xfree(raw);
}

static void find(struct index_lookup *base)
{
    struct tx_lookup *lookup = CONTAINER_OF(base, struct tx_lookup, base);
    const struct index_follower *follower = base->follower;
    struct buffer value;
    uint8_t key[KEY_BYTES];
    buffer_init(&value);
    tx_key(&lookup->txid, key);
    base->error = env_kv_get(follower->core->env, follower->kv, span_of(key, sizeof key), &value);
    if (!base->error && !tx_place_decode(span_of(value.p, value.len), &lookup->place))
        base->error = -EUCLEAN;
    buffer_deinit(&value);
    if (!base->error)
        read_at_place(lookup);
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void tell(struct tx_lookup *lookup, int error, const struct block_node *node)
{
    struct index_follower *follower = lookup->base.follower;
    struct chain_tx found = {.node = node,
                             .tx = lookup->raw ? &lookup->tx : NULL,
                             .first_spent = lookup->place.first_spent};
    lookup->done(lookup->arg, error, node ? &found : NULL);
    if (found.tx && node)
        tx_cache_add(&index_of(follower)->lately, found.tx, node, found.first_spent);
    arena_deinit(&lookup->arena);
    xfree(lookup->raw);
    xfree(lookup);
    index_lookup_end(follower);
}

static void end(struct index_lookup *base, int error)
{
    tell(CONTAINER_OF(base, struct tx_lookup, base), error, NULL);
}

/* A row of a block that is not in the chain any more says nothing, and is as good as none. */
static void answer(struct index_lookup *base)
{
    struct tx_lookup *lookup = CONTAINER_OF(base, struct tx_lookup, base);
    if (base->error) {
        int unknown = base->is_partial ? -EAGAIN : 0;
        end(base, base->error == -ENOENT ? unknown : base->error);
        return;
    }
    const struct tx_place *place = &lookup->place;
    const struct block_node *node = active_chain_at(base->follower->active, place->height);
    bool is_of_chain = node && memcmp(node->hash.b, place->tag, sizeof place->tag) == 0;
    tell(lookup, 0, is_of_chain ? node : NULL);
}

void txindex_find(struct txindex *index, const struct txid *txid, chain_tx_fn *done, void *arg)
{
    struct index_follower *follower = &index->follower;
    ASSERT(txid && done);
    if (!follower->is_on || follower->core->closing) {
        done(arg, follower->is_on ? -ECANCELED : -ENOSYS, NULL);
        return;
    }
    struct tx_lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct tx_lookup){.txid = *txid, .done = done, .arg = arg};
    arena_init(&lookup->arena, LOOKUP_CHUNK_BYTES);
    index_lookup_start(follower, &lookup->base, NULL);
}

bool txindex_find_known(struct txindex *index, const struct txid *txid, struct arena *arena,
                        struct chain_tx *found)
{
    const struct index_follower *follower = &index->follower;
    ASSERT(txid && arena && found);
    const struct tx_cached *cached = tx_cache_find(&index->lately, txid);
    if (!cached || !follower->is_on || follower->core->closing)
        return false;
    /* A transaction can be mined again in another block, which its row tells. */
    const struct block_node *node = active_chain_at(follower->active, cached->height);
    if (!node || !block_hash_equal(&node->hash, &cached->block))
        return false;
    struct tx *tx = arena_alloc(arena, sizeof *tx);
    struct reader r = reader_of(span_of(cached->raw, cached->raw_len));
    bool is_decoded = tx_decode_known(&r, arena, &cached->ids, tx);
    ASSERT(is_decoded); /* as it was before */
    *found = (struct chain_tx){.node = node, .tx = tx, .first_spent = cached->first_spent};
    return true;
}

void txindex_init(struct txindex *index)
{
    ASSERT(index && index->follower.tree);
    tx_cache_init(&index->lately, index->follower.tree->key);
}

void txindex_deinit(struct txindex *index)
{
    ASSERT(index && !index->follower.kv);
    tx_cache_deinit(&index->lately);
}

/* -- Places ------------------------------------------------------------------------------------ */

static void forget(struct index_follower *follower)
{
    struct txindex *index = index_of(follower);
    index->placed = follower->tree->genesis;
    index->marked_placed = NULL;
}

/* New rows tell the place, but placed follows them only where there are no old ones below: it says
 * of all rows up to it that they do. */
static void written(struct index_follower *follower, enum index_task task)
{
    struct txindex *index = index_of(follower);
    if (task == INDEX_TASK_MARK)
        index->marked_placed = block_node_fork(index->placed, follower->next);
    else if (task == INDEX_TASK_RENEW)
        index->placed = follower->next;
    else if (block_node_fork(index->placed, follower->at) == follower->at)
        index->placed = follower->next;
}

static bool is_marked(const struct index_follower *follower, const struct block_node *node)
{
    const struct txindex *index = CONTAINER_OF(follower, const struct txindex, follower);
    return block_node_fork(index->placed, node) == index->marked_placed;
}

/* The first block whose rows are old. */
static const struct block_node *next_old(struct index_follower *follower)
{
    struct txindex *index = index_of(follower);
    index->placed = block_node_fork(index->placed, follower->at);
    if (follower->tree->assumed)
        return NULL; /* blocks up to the tip are missing */
    if (index->placed->height >= active_chain_tip(follower->active)->height)
        return NULL;
    return active_chain_at(follower->active, index->placed->height + 1);
}

static int load(struct index_follower *follower)
{
    struct txindex *index = index_of(follower);
    struct block_hash hash;
    int error = index_row_read(follower, "P", hash.b, sizeof hash.b);
    if (error && error != -ENOENT)
        return error;
    index->marked_placed = error ? NULL : header_tree_find(follower->tree, &hash);
    index->placed = index->marked_placed ? block_node_fork(index->marked_placed, follower->at)
                                         : follower->tree->genesis;
    return 0;
}

const struct index_kind txindex_kind = {
    .core_thread = "txidx",
    .store = {.dir = "txindex",
              .format = {.name = "transaction index",
                         .version = 1,
                         .kind = 'T',
                         .old_key = "B",
                         .old_len = 32,
                         .row_prefix = "t",
                         .row_key_len = KEY_BYTES,
                         .row_value_len = TX_PLACE_OLD_BYTES},
              .bloom_bits = 10},
    .put_rows = put_rows,
    .put_mark = put_mark,
    .find = find,
    .answer = answer,
    .end = end,
    .load = load,
    .forget = forget,
    .written = written,
    .is_marked = is_marked,
    .next_old = next_old,
};
