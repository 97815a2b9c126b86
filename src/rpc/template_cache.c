/* template_cache.c - see template_cache.h. */
#include "rpc/template_cache.h"

#include "rpc/json_out.h"

#define TX_TEXT_BYTES 320 /* of a transaction, beside its data and most of what it needs */

bool template_cache_holds(const struct template_cache *cache, const struct block_node *tip,
                          uint64_t updates, int64_t now_s)
{
    if (!cache->is_filled || cache->template.prev != tip)
        return false;
    return updates == cache->template.mempool_updates ||
           now_s - cache->made_s <= TEMPLATE_CACHE_KEEP_S;
}

/* BIP-22, Transactions Object Format; BIP-145, Transactions Object Format. Before segwit signature
 * operations were counted plainly: scale is 1, or 4 then. */
static void put_tx(struct json_out *out, const struct block_template_tx *tx, uint32_t scale)
{
    ASSERT(tx->entry && (tx->depends || tx->n_depends == 0));
    json_open_object(out);
    json_field_hex(out, "data", tx->entry->tx.raw);
    json_field_id(out, "txid", tx->entry->tx.txid.b);
    json_field_id(out, "hash", tx->entry->tx.wtxid.b);
    json_field_array(out, "depends");
    for (uint32_t i = 0; i < tx->n_depends; i++)
        json_put_int(out, tx->depends[i]);
    json_close_array(out);
    json_field_int(out, "fee", tx->entry->fee_sat);
    json_field_int(out, "sigops", tx->entry->sigops_cost / scale);
    json_field_int(out, "weight", tx->entry->weight_wu);
    json_close_object(out);
}

static void write_txs(struct buffer *text, const struct block_template *template)
{
    struct json_out out = json_out_to(text);
    size_t bytes = 2;
    for (size_t i = 0; i < template->n_tx; i++)
        bytes += 2 * template->txs[i].raw.len + TX_TEXT_BYTES;
    (void)buffer_reserve(text, bytes); /* megabytes are not moved while they grow */
    json_open_array(&out);
    for (size_t i = 0; i < template->n_tx; i++)
        put_tx(&out, &template->tx[i], template->has_witness_rules ? 1 : WITNESS_SCALE);
    json_close_array(&out);
}

void template_cache_fill(struct template_cache *cache, struct block_template *template_take,
                         int64_t now_s)
{
    ASSERT(template_take->prev);
    if (!cache->is_filled)
        buffer_init(&cache->text);
    cache->text.len = 0; /* its megabytes of memory serve again */
    write_txs(&cache->text, template_take);
    cache->template = *template_take;
    cache->template.tx = NULL;
    cache->template.txs = NULL;
    cache->made_s = now_s;
    cache->is_filled = true;
    block_template_deinit(template_take);
}

void template_cache_drop(struct template_cache *cache)
{
    if (cache->is_filled)
        buffer_deinit(&cache->text);
    *cache = (struct template_cache){.is_filled = false};
}
