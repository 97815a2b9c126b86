/* compact_fill.c - see compact_fill.h. */
#include "p2p/core/compact_fill.h"

#include "consensus/block_check.h"
#include "util/alloc.h"

#define TABLE_BITS_MIN 4
#define FREE           UINT64_MAX

/* -- Short ids ----------------------------------------------------------------------------------
 */

static size_t slot_of(const struct compact_fill *fill, uint64_t id)
{
    return (size_t)(id * fill->multiplier >> (64 - fill->table_bits));
}

static bool table_insert(struct compact_fill *fill, uint64_t id, uint32_t index)
{
    size_t mask = ((size_t)1 << fill->table_bits) - 1, at = slot_of(fill, id);
    for (int i = 0; i < COMPACT_FILL_PROBES_MAX; i++, at = (at + 1) & mask) {
        if (fill->table[at] == FREE) {
            fill->table[at] = id << 16 | index;
            return true;
        }
        if (fill->table[at] >> 16 == id)
            return false; /* two of the block's have it: which is which, nobody can tell */
    }
    return false;
}

/* At most half full, so that a search for what is not there ends soon. */
static bool make_table(struct compact_fill *fill, const struct compact_block *message)
{
    fill->table_bits = TABLE_BITS_MIN;
    while ((size_t)1 << fill->table_bits < 2 * (size_t)message->n_short)
        fill->table_bits++;
    size_t bytes = ((size_t)1 << fill->table_bits) * sizeof *fill->table;
    fill->table = xmalloc(bytes);
    memset(fill->table, 0xff, bytes);
    struct reader r = reader_of(message->short_ids);
    for (uint32_t i = 0; i < fill->block.n_tx; i++) {
        if (fill->from[i] != COMPACT_FROM_NOWHERE)
            continue;
        uint64_t id = read_u32(&r);
        id |= (uint64_t)read_u16(&r) << 32;
        if (!table_insert(fill, id, i))
            return false;
    }
    ASSERT(reader_finish(&r));
    return true;
}

/* -- Beginning ----------------------------------------------------------------------------------
 */

static void put(struct compact_fill *fill, uint32_t index, const struct tx *tx,
                enum compact_from from)
{
    ASSERT(index < fill->block.n_tx && tx->raw.len > 0);
    fill->block.tx[index] = *tx;
    fill->block.txids[index] = tx->txid;
    fill->from[index] = from;
    fill->bytes += tx->raw.len;
    fill->n_missing--;
}

/* Each index has to be one that the short ids and prefilled ones before it reach: else there were a
 * place in the block that nothing is told of. CVE-2024-35202 */
static bool put_prefilled(struct compact_fill *fill, const struct compact_block *message)
{
    for (uint32_t i = 0; i < message->n_prefilled; i++) {
        const struct compact_prefilled *prefilled = &message->prefilled[i];
        if (prefilled->index > message->n_short + i ||
            (prefilled->tx.n_in == 0 && prefilled->tx.n_out == 0))
            return false;
        put(fill, prefilled->index, &prefilled->tx, COMPACT_FROM_SENDER);
    }
    return true;
}

enum compact_result compact_fill_begin(struct compact_fill *fill,
                                       const struct compact_block *message,
                                       const struct arena *arena, uint64_t random)
{
    uint32_t n = compact_n_tx(message);
    *fill = (struct compact_fill){.arena = *arena, .multiplier = random | 1, .n_missing = n};
    if (n == 0 || n > COMPACT_TXS_MAX)
        return COMPACT_INVALID;
    fill->key = compact_key(&message->header, message->nonce);
    fill->block = (struct block){.header = message->header, .hash = message->hash, .n_tx = n};
    fill->block.tx = arena_calloc(&fill->arena, n, sizeof *fill->block.tx);
    fill->block.txids = arena_calloc(&fill->arena, n, sizeof *fill->block.txids);
    fill->from = arena_calloc(&fill->arena, n, sizeof *fill->from);
    fill->n_prefilled = message->n_prefilled;
    if (!put_prefilled(fill, message))
        return COMPACT_INVALID;
    return make_table(fill, message) ? COMPACT_OK : COMPACT_FAILED;
}

static void forget_table(struct compact_fill *fill)
{
    xfree(fill->table);
    fill->table = NULL;
}

void compact_fill_deinit(struct compact_fill *fill)
{
    forget_table(fill);
    arena_deinit(&fill->arena);
    *fill = (struct compact_fill){0};
}

/* -- What is here already -----------------------------------------------------------------------
 */

static void take_back(struct compact_fill *fill, uint32_t index)
{
    fill->bytes -= fill->block.tx[index].raw.len;
    fill->n_extra -= fill->from[index] == COMPACT_FROM_EXTRA;
    fill->block.tx[index] = (struct tx){0};
    fill->from[index] = COMPACT_FROM_TWO;
    fill->n_missing++;
}

static void found(struct compact_fill *fill, uint32_t index, const struct tx *tx,
                  enum compact_from from)
{
    switch (fill->from[index]) {
    case COMPACT_FROM_NOWHERE:
        put(fill, index, tx, from);
        fill->n_extra += from == COMPACT_FROM_EXTRA;
        return;
    case COMPACT_FROM_POOL:
    case COMPACT_FROM_EXTRA:
        if (memcmp(fill->block.tx[index].wtxid.b, tx->wtxid.b, sizeof tx->wtxid.b) != 0)
            take_back(fill, index);
        return;
    case COMPACT_FROM_SENDER: /* has no short id */
    case COMPACT_FROM_TWO:
    case COMPACT_FROM_REPLY:
        return;
    }
}

bool compact_fill_offer(struct compact_fill *fill, const struct tx *tx, enum compact_from from)
{
    ASSERT(from == COMPACT_FROM_POOL || from == COMPACT_FROM_EXTRA);
    ASSERT(fill->table && !fill->is_finished);
    uint64_t id = compact_short_id(fill->key, &tx->wtxid);
    size_t mask = ((size_t)1 << fill->table_bits) - 1, at = slot_of(fill, id);
    for (; fill->table[at] != FREE; at = (at + 1) & mask)
        if (fill->table[at] >> 16 == id) {
            found(fill, (uint32_t)(fill->table[at] & 0xffff), tx, from);
            break;
        }
    /* Another one with a short id that is found could still come. That is so rare that it is not
     * worth the time, as in Core. */
    return fill->n_missing > 0 && fill->bytes <= COMPACT_FILL_BYTES_MAX;
}

/* -- What has to be asked for -------------------------------------------------------------------
 */

/* Its bytes move; what is decoded of them is made anew, or given up where nobody asks for it: only
 * a coinbase is looked into, and none can be here before its block. */
static void keep_tx(struct compact_fill *fill, struct tx *tx, enum compact_from from)
{
    struct span copy = {arena_alloc(&fill->arena, tx->raw.len), tx->raw.len};
    memcpy((void *)copy.p, tx->raw.p, tx->raw.len);
    if (from == COMPACT_FROM_SENDER) {
        struct reader r = reader_of(copy);
        ASSERT(tx_decode(&r, &fill->arena, true, tx));
        return;
    }
    tx->raw = copy;
    tx->in = NULL, tx->out = NULL;
    tx->n_in = tx->n_out = 0;
}

void compact_fill_keep(struct compact_fill *fill)
{
    ASSERT(!fill->is_finished && fill->bytes <= COMPACT_FILL_BYTES_MAX);
    forget_table(fill);
    for (uint32_t i = 0; i < fill->block.n_tx; i++)
        if (fill->block.tx[i].raw.len > 0)
            keep_tx(fill, &fill->block.tx[i], fill->from[i]);
}

void compact_fill_request(const struct compact_fill *fill, struct writer *w)
{
    ASSERT(fill->n_missing > 0);
    uint32_t *indexes = xmalloc(fill->n_missing * sizeof *indexes);
    struct compact_request request = {.hash = fill->block.hash, .indexes = indexes};
    for (uint32_t i = 0; i < fill->block.n_tx; i++)
        if (fill->block.tx[i].raw.len == 0)
            indexes[request.n++] = i;
    ASSERT(request.n == fill->n_missing);
    compact_request_encode(w, &request);
    xfree(indexes);
}

enum compact_result compact_fill_supply(struct compact_fill *fill, const struct tx *txs, uint32_t n)
{
    ASSERT(!fill->is_finished);
    if (n != fill->n_missing)
        return COMPACT_INVALID;
    uint32_t next = 0;
    for (uint32_t i = 0; i < fill->block.n_tx && next < n; i++)
        if (fill->block.tx[i].raw.len == 0)
            put(fill, i, &txs[next++], COMPACT_FROM_REPLY);
    ASSERT(fill->n_missing == 0);
    return COMPACT_OK;
}

/* -- The block ----------------------------------------------------------------------------------
 */

static void write_head(struct writer *w, const struct compact_fill *fill)
{
    block_header_encode(w, &fill->block.header);
    write_compact_size(w, fill->block.n_tx);
}

enum compact_result compact_fill_finish(struct compact_fill *fill, bool check_witness,
                                        struct arena *scratch)
{
    ASSERT(fill->n_missing == 0 && !fill->is_finished);
    fill->is_finished = true;
    if (fill->bytes > COMPACT_FILL_BYTES_MAX ||
        block_is_mutated(&fill->block, check_witness, scratch))
        return COMPACT_FAILED;
    return COMPACT_OK;
}

size_t compact_fill_len(const struct compact_fill *fill)
{
    ASSERT(fill->is_finished && fill->n_missing == 0);
    struct writer count = writer_counting();
    write_head(&count, fill);
    return count.len + fill->bytes;
}

void compact_fill_write(const struct compact_fill *fill, uint8_t *bytes, size_t len)
{
    ASSERT(fill->is_finished && fill->n_missing == 0);
    struct writer w = writer_to_buffer(bytes, len);
    write_head(&w, fill);
    for (uint32_t i = 0; i < fill->block.n_tx; i++)
        write_span(&w, fill->block.tx[i].raw);
    ASSERT(w.len == len);
}

struct tx_ids *compact_fill_ids(const struct compact_fill *fill)
{
    ASSERT(fill->is_finished && fill->n_missing == 0);
    struct tx_ids *ids = xmalloc(fill->block.n_tx * sizeof *ids);
    for (uint32_t i = 0; i < fill->block.n_tx; i++)
        ids[i] = (struct tx_ids){.txid = fill->block.tx[i].txid, .wtxid = fill->block.tx[i].wtxid};
    return ids;
}
