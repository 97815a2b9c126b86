/* template_cache.h - the template that miners were told last, kept for a few seconds.
 *
 * Layer: rpc, for this layer only. Choosing a block's transactions from a large mempool takes
 * milliseconds of the loop, and so does writing them: miners who ask all the time get what was made
 * a moment ago, with the time of now. Owned by struct rpc. Spec: Core getblocktemplate */
#ifndef RPC_TEMPLATE_CACHE_H
#define RPC_TEMPLATE_CACHE_H

#include "mempool/block_assembler.h"
#include "util/buffer.h"

/* So long a template is told again although the mempool has changed. With another tip it never is.
 */
#define TEMPLATE_CACHE_KEEP_S 5

/* All zero: empty. */
struct template_cache {
    bool is_filled;
    /* Without tx and txs: what these were is in the text, and the mempool may have let go of them.
     */
    struct block_template template;
    struct buffer text; /* the JSON array "transactions" */
    int64_t made_s;
};

/* May the template be told at that time, on that tip and after so many mempool_updates()? */
bool template_cache_holds(const struct template_cache *cache, const struct block_node *tip,
                          uint64_t updates, int64_t now_s);

/* Put a template in the place of the one before. Frees its transactions: block_template_deinit() is
 * done. */
void template_cache_fill(struct template_cache *cache, struct block_template *template_take,
                         int64_t now_s);

/* Empty it. */
void template_cache_drop(struct template_cache *cache);

#endif
