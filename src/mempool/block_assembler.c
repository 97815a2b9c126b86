/* block_assembler.c - see block_assembler.h. */
#include "mempool/block_assembler.h"

#include "consensus/merkle.h"
#include "consensus/opcodes.h"
#include "consensus/pow.h"
#include "consensus/script_flags.h"
#include "util/alloc.h"

_Static_assert(BLOCK_RESERVED_WU_MIN <= BLOCK_RESERVED_WU_DEFAULT &&
                   BLOCK_RESERVED_WU_DEFAULT < BLOCK_WEIGHT_MAX_WU,
               "what is reserved leaves room for transactions");
_Static_assert(BLOCK_RESERVED_SIGOPS < BLOCK_SIGOPS_COST_MAX, "and for their signatures");

#define TEMPLATE_ARENA_BYTES (16 << 10)
/* Of a block of our own: header, counts, and all of the coinbase but the script that it pays to. */
#define COINBASE_FIXED_BYTES   256
#define COINBASE_WITNESS_BYTES 36

struct block_assembler_options block_assembler_default_options(void)
{
    return (struct block_assembler_options){
        .max_weight_wu = BLOCK_WEIGHT_MAX_WU,
        .reserved_weight_wu = BLOCK_RESERVED_WU_DEFAULT,
        .min_sat_per_kvb = BLOCK_MIN_SAT_PER_KVB_DEFAULT,
    };
}

void block_assembler_reserve(struct block_assembler_options *options,
                             struct span coinbase_script_pubkey)
{
    ASSERT(options->reserved_weight_wu <= options->max_weight_wu);
    size_t bytes = COINBASE_FIXED_BYTES + coinbase_script_pubkey.len +
                   (options->signer ? SIGNET_SOLUTION_BYTES_MAX : 0);
    size_t need_wu = WITNESS_SCALE * bytes + COINBASE_WITNESS_BYTES;
    need_wu = MAX_OF(need_wu, options->reserved_weight_wu);
    options->reserved_weight_wu = (uint32_t)MIN_OF(need_wu, options->max_weight_wu);
}

/* Number all transactions of the template by their index in the mempool; 0: not in it. */
static uint32_t *number_entries(const struct block_template *template)
{
    uint32_t n_indexes = 1;
    for (size_t i = 0; i < template->n_tx; i++)
        if (template->tx[i].entry->index >= n_indexes)
            n_indexes = template->tx[i].entry->index + 1;
    uint32_t *numbers = xcalloc(n_indexes, sizeof *numbers);
    for (size_t i = 0; i < template->n_tx; i++)
        numbers[template->tx[i].entry->index] = (uint32_t)i + 1;
    return numbers;
}

static void sort(uint32_t *numbers, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t number = numbers[i], at = i;
        for (; at > 0 && numbers[at - 1] > number; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

/* Every parent of a chosen entry is chosen too, and comes before it; numbers are from 1.
 * BIP-22, Transactions Object Format */
static void fill_depends(struct block_template *template)
{
    uint32_t *numbers = number_entries(template);
    for (size_t i = 0; i < template->n_tx; i++) {
        struct block_template_tx *tx = &template->tx[i];
        tx->depends = arena_alloc(&template->arena, tx->entry->n_parents * sizeof *tx->depends);
        for (uint32_t k = 0; k < tx->entry->n_parents; k++) {
            tx->depends[k] = numbers[tx->entry->parents[k]];
            ASSERT(tx->depends[k] > 0 && tx->depends[k] <= i);
        }
        tx->n_depends = tx->entry->n_parents;
        sort(tx->depends, tx->n_depends);
    }
    xfree(numbers);
}

static void fill_txs(struct block_template *template, const struct mempool *mempool,
                     const struct block_assembler_options *options)
{
    struct mempool_selection selection = {
        .max_weight_wu = options->max_weight_wu - options->reserved_weight_wu,
        .max_sigops_cost = BLOCK_SIGOPS_COST_MAX - BLOCK_RESERVED_SIGOPS,
        .min_sat_per_kvb = options->min_sat_per_kvb,
    };
    const struct mempool_entry **entries =
        mempool_select_for_block(mempool, &selection, &template->n_tx, &template->fees_sat);
    template->tx = arena_calloc(&template->arena, template->n_tx + 1, sizeof *template->tx);
    template->txs = arena_calloc(&template->arena, template->n_tx + 1, sizeof *template->txs);
    for (size_t i = 0; i < template->n_tx; i++) {
        template->tx[i].entry = entries[i];
        template->txs[i] = entries[i]->tx;
        template->weight_wu += entries[i]->weight_wu;
        template->sigops_cost += entries[i]->sigops_cost;
    }
    ASSERT(template->weight_wu <= selection.max_weight_wu);
    ASSERT(template->sigops_cost <= selection.max_sigops_cost && template->fees_sat >= 0);
    xfree(entries);
    fill_depends(template);
    template->mempool_updates = mempool_updates(mempool);
}

/* What the coinbase must commit to: the witness ids, its own taken as zero.
 * BIP-141, Commitment structure */
static void fill_commitment(struct block_template *template)
{
    static const uint8_t prefix[] = {OP_RETURN, 36, 0xaa, 0x21, 0xa9, 0xed};
    static const uint8_t nonce[32] = {0};
    uint8_t *ids = xcalloc(template->n_tx + 1, 32), root[32];
    for (size_t i = 0; i < template->n_tx; i++)
        memcpy(ids + 32 * (i + 1), template->txs[i].wtxid.b, 32);
    bool is_ambiguous = merkle_root(ids, template->n_tx + 1, &template->arena, root);
    ASSERT(!is_ambiguous);
    xfree(ids);
    memcpy(template->commitment_script, prefix, sizeof prefix);
    block_commitment_compute(root, nonce, template->commitment_script + sizeof prefix);
}

void block_assemble(struct chain *chain, const struct mempool *mempool,
                    const struct block_assembler_options *options, int64_t now_s,
                    struct block_template *template)
{
    const struct network *network = chain_network(chain);
    const struct block_node *prev = chain_tip(chain);
    ASSERT(options->reserved_weight_wu <= options->max_weight_wu &&
           options->max_weight_wu <= BLOCK_WEIGHT_MAX_WU);
    ASSERT(prev && options->min_sat_per_kvb >= 0);
    *template = (struct block_template){
        .prev = prev, .height = prev->height + 1, .signer = options->signer};
    arena_init(&template->arena, TEMPLATE_ARENA_BYTES);
    template->version = options->version ? options->version : mining_block_version(chain, prev);
    template->min_time_s = mining_least_time_s(network, prev);
    template->time_s = now_s > template->min_time_s ? now_s : template->min_time_s;
    template->bits = chain_next_bits(chain, prev, (uint32_t) template->time_s);
    template->has_witness_rules =
        network_is_buried_active(network, BURIED_SEGWIT, template->height);
    if (mempool)
        fill_txs(template, mempool, options);
    template->coinbase_value_sat = pow_subsidy_sat(network, template->height) + template->fees_sat;
    if (template->has_witness_rules)
        fill_commitment(template);
}

void block_template_deinit(struct block_template *template)
{
    arena_deinit(&template->arena);
}

struct block_ref *block_template_build(struct chain *chain, const struct block_template *template,
                                       struct span coinbase_script_pubkey)
{
    struct mining_template mining = {
        .tx = template->txs,
        .n_tx = template->n_tx,
        .fees_sat = template->fees_sat,
        .coinbase_script_pubkey = coinbase_script_pubkey,
        .version = template->version,
        .signer = template->signer,
    };
    ASSERT(template->prev == chain_tip(chain));
    return mining_build_block(chain, &mining, template->time_s);
}
