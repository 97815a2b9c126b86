/* rpc_stats.c - statistics of blocks: of one, and of the transactions in many. */
#include <stdlib.h>

#include "consensus/bip30.h"
#include "consensus/pow.h"
#include "consensus/script_iter.h"
#include "mempool/policy.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"

enum {
    MONTH_S = 30 * 24 * 60 * 60,
    /* What an output costs in the set of unspent ones beside its own bytes: its outpoint, and the
     * height and coinbase mark in four bytes. */
    OUTPUT_OVERHEAD_BYTES = 36 + 4,
    N_PERCENTILES = 5,
};

/* -- getchaintxstats ---------------------------------------------------------------------- */

static const struct block_node *read_last_block(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    if (!rpc_arg(call, 1))
        return chain_tip(chain);
    const struct block_node *last = chain_json_read_block(call, 1, "blockhash");
    if (last && !chain_contains(chain, last)) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Block is not in main chain");
        return NULL;
    }
    return last;
}

/* How many blocks the window has: those of a month, or what the caller says. */
static bool read_window(struct rpc_call *call, const struct block_node *last, int32_t *n)
{
    int64_t month = MONTH_S / call->rpc->node->network->pow_target_spacing_s;
    int64_t available = last->height > 0 ? last->height - 1 : 0;
    *n = (int32_t)(month < available ? month : available);
    if (!rpc_arg(call, 0))
        return true;
    if (!rpc_arg_int32(call, 0, n))
        return false;
    if (*n >= 0 && (*n == 0 || *n < last->height))
        return true;
    return rpc_refuse(call, RPC_INVALID_PARAMETER,
                      "Invalid block count: should be between 0 and the block's height - 1");
}

enum rpc_progress rpc_getchaintxstats(struct rpc_call *call)
{
    struct json_out *out = &call->out;
    int32_t n;
    const struct block_node *last = read_last_block(call);
    if (!last || !read_window(call, last, &n))
        return RPC_DONE;
    const struct block_node *first = chain_at(call->rpc->node->chain, last->height - n);
    ASSERT(first && first->height + n == last->height);
    int64_t interval_s = block_node_mtp(last) - block_node_mtp(first);
    json_open_object(out);
    json_field_int(out, "time", last->time);
    if (last->chain_tx > 0)
        json_field_int(out, "txcount", (int64_t)last->chain_tx);
    json_field_id(out, "window_final_block_hash", last->hash.b);
    json_field_int(out, "window_final_block_height", last->height);
    json_field_int(out, "window_block_count", n);
    if (n > 0)
        json_field_int(out, "window_interval", interval_s);
    /* Of blocks below a snapshot that are not here yet the numbers are unknown. */
    if (n > 0 && first->chain_tx > 0 && last->chain_tx > 0) {
        uint64_t n_tx = last->chain_tx - first->chain_tx;
        json_field_int(out, "window_tx_count", (int64_t)n_tx);
        if (interval_s > 0)
            json_field_double(out, "txrate", (double)n_tx / (double)interval_s);
    }
    json_close_object(out);
    return RPC_DONE;
}

/* -- getblockstats ------------------------------------------------------------------------ */

struct weighted_rate {
    int64_t rate;
    int64_t weight_wu;
};

/* Sums over a block. Amounts are sat, rates sat per virtual byte, rounded down. */
struct block_stats {
    int64_t n_in, n_out, n_added;
    int64_t added_bytes, added_bytes_actual;
    int64_t total_out, total_fee, total_bytes, total_weight;
    int64_t n_segwit, segwit_bytes, segwit_weight;
    int64_t max_fee, min_fee, max_rate, min_rate, max_bytes, min_bytes;
    int64_t *fees, *sizes; /* of each transaction but the coinbase */
    struct weighted_rate *rates;
    size_t n; /* of these */
    int64_t percentile[N_PERCENTILES];
};

/* What the job works on. */
struct stats_call {
    struct block_ref *block; /* held */
    struct span undo_raw;    /* in the call's arena */
    int32_t height;
    int64_t mtp_s, subsidy_sat;
    bool is_repeat; /* its coinbase adds nothing. BIP30 */
};

static int64_t output_bytes(struct span script)
{
    struct tx_out out = {.script_pubkey = script};
    struct writer w = writer_counting();
    tx_out_encode(&w, &out);
    return (int64_t)w.len + OUTPUT_OVERHEAD_BYTES;
}

/* What the genesis block makes is no coin, nor what a repeated coinbase makes, whose coin is there
 * already (BIP30, hazard 4). The _actual fields leave these and unspendable outputs out. */
static int64_t add_outputs(struct block_stats *stats, const struct stats_call *stats_call,
                           const struct tx *tx, bool is_coinbase)
{
    int64_t sum_sat = 0;
    bool adds = stats_call->height > 0 && !(is_coinbase && stats_call->is_repeat);
    stats->n_out += tx->n_out;
    for (uint32_t i = 0; i < tx->n_out; i++) {
        const struct tx_out *out = &tx->out[i];
        int64_t bytes = output_bytes(out->script_pubkey);
        sum_sat += out->value_sat;
        stats->added_bytes += bytes;
        if (!adds || script_is_unspendable(out->script_pubkey))
            continue;
        stats->n_added++;
        stats->added_bytes_actual += bytes;
    }
    return sum_sat;
}

static int64_t add_inputs(struct block_stats *stats, const struct tx *tx, const struct coin *spent)
{
    int64_t sum_sat = 0;
    stats->n_in += tx->n_in;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        int64_t bytes = output_bytes(spent[i].script_pubkey);
        sum_sat += spent[i].value_sat;
        stats->added_bytes -= bytes;
        stats->added_bytes_actual -= bytes;
    }
    return sum_sat;
}

static void widen(int64_t *min, int64_t *max, int64_t value, bool is_first)
{
    if (is_first || value < *min)
        *min = value;
    if (is_first || value > *max)
        *max = value;
}

static void add_tx(struct block_stats *stats, const struct tx *tx, int64_t fee_sat)
{
    size_t at = stats->n++;
    int64_t bytes = (int64_t)tx->raw.len, weight = tx_weight_wu(tx);
    ASSERT(weight > 0);
    int64_t rate = fee_sat * WITNESS_SCALE / weight;
    stats->fees[at] = fee_sat;
    stats->sizes[at] = bytes;
    stats->rates[at] = (struct weighted_rate){rate, weight};
    stats->total_fee += fee_sat;
    stats->total_bytes += bytes;
    stats->total_weight += weight;
    if (tx->has_witness) {
        stats->n_segwit++;
        stats->segwit_bytes += bytes;
        stats->segwit_weight += weight;
    }
    widen(&stats->min_fee, &stats->max_fee, fee_sat, at == 0);
    widen(&stats->min_rate, &stats->max_rate, rate, at == 0);
    widen(&stats->min_bytes, &stats->max_bytes, bytes, at == 0);
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int compare_rates(const void *a, const void *b)
{
    return compare_numbers(&((const struct weighted_rate *)a)->rate,
                           &((const struct weighted_rate *)b)->rate);
}

/* The middle one, of an even number the mean of both, rounded down. Sorts. */
static int64_t median(int64_t *values, size_t n)
{
    if (n == 0)
        return 0;
    qsort(values, n, sizeof *values, compare_numbers);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* The rates below which 10, 25, 50, 75 and 90 of 100 weight units of the block pay. */
static void find_percentiles(struct block_stats *stats)
{
    static const int64_t percents[N_PERCENTILES] = {10, 25, 50, 75, 90};
    int64_t weight = 0;
    size_t next = 0;
    if (stats->n == 0)
        return;
    qsort(stats->rates, stats->n, sizeof *stats->rates, compare_rates);
    for (size_t i = 0; i < stats->n; i++) {
        weight += stats->rates[i].weight_wu;
        while (next < N_PERCENTILES && weight * 100 >= stats->total_weight * percents[next])
            stats->percentile[next++] = stats->rates[i].rate;
    }
    ASSERT(next == N_PERCENTILES);
}

static void compute(struct block_stats *stats, const struct stats_call *stats_call,
                    const struct undo *undo, struct arena *arena)
{
    const struct block *block = &stats_call->block->block;
    size_t spent = 0;
    stats->fees = arena_alloc(arena, block->n_tx * sizeof *stats->fees);
    stats->sizes = arena_alloc(arena, block->n_tx * sizeof *stats->sizes);
    stats->rates = arena_alloc(arena, block->n_tx * sizeof *stats->rates);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        int64_t out_sat = add_outputs(stats, stats_call, tx, i == 0);
        if (i == 0)
            continue;
        stats->total_out += out_sat;
        int64_t in_sat = add_inputs(stats, tx, &undo->spent[spent]);
        spent += tx->n_in;
        add_tx(stats, tx, in_sat - out_sat);
    }
    find_percentiles(stats);
}

static void put_percentiles(struct json_out *out, const struct block_stats *stats)
{
    json_field_array(out, "feerate_percentiles");
    for (size_t i = 0; i < N_PERCENTILES; i++)
        json_put_int(out, stats->percentile[i]);
    json_close_array(out);
}

static int64_t mean(int64_t sum, size_t n)
{
    return n > 0 ? sum / (int64_t)n : 0;
}

/* The values that are numbers, by name, in the order of the answer. */
struct stat {
    const char *name;
    int64_t value;
};

enum { N_STATS_MAX = 32 };

static size_t list_stats(struct stat list[N_STATS_MAX], struct block_stats *stats,
                         const struct stats_call *stats_call)
{
    const struct block *block = &stats_call->block->block;
    const struct block_stats *s = stats;
    int64_t rate = s->total_weight > 0 ? s->total_fee * WITNESS_SCALE / s->total_weight : 0;
    const struct stat all[] = {
        {"avgfee", mean(s->total_fee, s->n)},
        {"avgfeerate", rate},
        {"avgtxsize", mean(s->total_bytes, s->n)},
        {"blockhash", 0},
        {"feerate_percentiles", 0},
        {"height", stats_call->height},
        {"ins", s->n_in},
        {"maxfee", s->max_fee},
        {"maxfeerate", s->max_rate},
        {"maxtxsize", s->max_bytes},
        {"medianfee", median(stats->fees, s->n)},
        {"mediantime", stats_call->mtp_s},
        {"mediantxsize", median(stats->sizes, s->n)},
        {"minfee", s->min_fee},
        {"minfeerate", s->min_rate},
        {"mintxsize", s->min_bytes},
        {"outs", s->n_out},
        {"subsidy", stats_call->subsidy_sat},
        {"swtotal_size", s->segwit_bytes},
        {"swtotal_weight", s->segwit_weight},
        {"swtxs", s->n_segwit},
        {"time", block->header.time},
        {"total_out", s->total_out},
        {"total_size", s->total_bytes},
        {"total_weight", s->total_weight},
        {"totalfee", s->total_fee},
        {"txs", block->n_tx},
        {"utxo_increase", s->n_out - s->n_in},
        {"utxo_increase_actual", s->n_added - s->n_in},
        {"utxo_size_inc", s->added_bytes},
        {"utxo_size_inc_actual", s->added_bytes_actual},
    };
    ASSERT(COUNT_OF(all) <= N_STATS_MAX);
    memcpy(list, all, sizeof all);
    return COUNT_OF(all);
}

static void put_stat(struct json_out *out, const struct stat *stat, const struct block_stats *stats,
                     const struct stats_call *stats_call)
{
    if (strcmp(stat->name, "blockhash") == 0)
        json_field_id(out, "blockhash", stats_call->block->block.hash.b);
    else if (strcmp(stat->name, "feerate_percentiles") == 0)
        put_percentiles(out, stats);
    else
        json_field_int(out, stat->name, stat->value);
}

/* Is the name among those asked for? All are, if none are named. */
static bool is_wanted(const struct json_value *names, const char *name)
{
    if (!names || names->n == 0)
        return true;
    for (const struct json_value *v = names->first; v; v = v->next) {
        if (json_text_is(v, name))
            return true;
    }
    return false;
}

static bool check_names(struct rpc_call *call, const struct json_value *names,
                        const struct stat *list, size_t n)
{
    for (const struct json_value *v = names ? names->first : NULL; v; v = v->next) {
        size_t i = 0;
        while (i < n && !json_text_is(v, list[i].name))
            i++;
        if (i < n)
            continue;
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid selected statistic '" RPC_TEXT "'",
                          v->kind == JSON_KIND_STRING ? (const char *)v->text.p : "");
    }
    return true;
}

static void put_stats(struct rpc_call *call, struct block_stats *stats)
{
    const struct stats_call *stats_call = call->state;
    const struct json_value *names = rpc_arg(call, 1);
    struct stat list[N_STATS_MAX];
    size_t n = list_stats(list, stats, stats_call);
    if (!check_names(call, names, list, n))
        return;
    json_open_object(&call->out);
    for (size_t i = 0; i < n; i++) {
        if (is_wanted(names, list[i].name))
            put_stat(&call->out, &list[i], stats, stats_call);
    }
    json_close_object(&call->out);
}

static void write_stats(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct stats_call *stats_call = call->state;
    struct block_stats stats = {0};
    struct undo undo = {0};
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const struct block *block = &stats_call->block->block;
    if (block->n_tx > 1 && !undo_decode(stats_call->undo_raw, block, &arena, &undo)) {
        chain_json_fail_undo(call);
    } else {
        compute(&stats, stats_call, &undo, &arena);
        put_stats(call, &stats);
    }
    arena_deinit(&arena);
}

static void let_go(struct rpc_call *call)
{
    ASSERT(((const struct stats_call *)call->state)->block);
    const struct stats_call *stats_call = call->state;
    block_ref_drop(stats_call->block);
}

static void on_read(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    struct stats_call *stats_call = call->state;
    if (read->error) {
        rpc_fail(call, RPC_MISC_ERROR, "Block not found on disk");
        rpc_finish(call);
        return;
    }
    ASSERT(read->block && !stats_call->block);
    stats_call->block = block_ref_hold(read->block);
    uint8_t *copy = arena_alloc(&call->arena, read->undo_raw.len + 1);
    if (read->undo_raw.len)
        memcpy(copy, read->undo_raw.p, read->undo_raw.len);
    stats_call->undo_raw = span_of(copy, read->undo_raw.len);
    rpc_run_job(call, write_stats, let_go);
}

enum rpc_progress rpc_getblockstats(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct stats_call *stats_call = arena_calloc(&call->arena, 1, sizeof *stats_call);
    const struct block_node *block = chain_json_read_hash_or_height(call, rpc_arg(call, 0));
    if (!block || !chain_json_need_block(call, block))
        return RPC_DONE;
    stats_call->height = block->height;
    stats_call->mtp_s = block_node_mtp(block);
    stats_call->subsidy_sat = pow_subsidy_sat(node->network, block->height);
    stats_call->is_repeat = bip30_is_exception(node->network, block->height, &block->hash);
    call->state = stats_call;
    chain_read_block(node->chain, block, true, on_read, call);
    return RPC_PENDING;
}
