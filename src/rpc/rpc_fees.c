/* rpc_fees.c - what a transaction should pay. */
#include <ctype.h>

#include "mempool/mempool_file.h"
#include "rpc/methods.h"

/* False, with an error, where fees are not watched. */
static bool need_fees(struct rpc_call *call)
{
    if (!call->rpc->node->fees)
        return rpc_refuse(call, RPC_INTERNAL_ERROR, "Fee estimation disabled");
    return true;
}

static bool read_target(struct rpc_call *call, int32_t *target)
{
    if (!rpc_arg_int32(call, 0, target))
        return false;
    if (*target >= 1 && *target <= FEE_TARGET_MAX)
        return true;
    return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid conf_target, must be between 1 and %d",
                      FEE_TARGET_MAX);
}

/* Names of modes are read in any case. */
static bool is_name(const char *text, const char *name)
{
    size_t at = 0;
    while (name[at] && tolower((unsigned char)text[at]) == name[at])
        at++;
    return !name[at] && !text[at];
}

static bool read_mode(struct rpc_call *call, bool *is_conservative)
{
    const char *mode = rpc_arg_string(call, 1, "unset");
    *is_conservative = is_name(mode, "conservative");
    if (*is_conservative || is_name(mode, "economical") || is_name(mode, "unset"))
        return true;
    return rpc_refuse(call, RPC_INVALID_PARAMETER,
                      "Invalid estimate_mode parameter, must be one of: \"unset\", "
                      "\"economical\", \"conservative\"");
}

static void put_error(struct json_out *out, const char *text)
{
    json_field_array(out, "errors");
    json_put_string(out, text);
    json_close_array(out);
}

enum estimator_choice {
    BY_BOTH, /* the lower of the two */
    BY_BLOCKS,
    BY_MEMPOOL,
};
struct smart_options {
    int32_t target;
    bool is_conservative;
    enum estimator_choice by;
    int64_t verbosity;
};

/* What is not known stands for both: Core takes any word. */
static bool read_options(struct rpc_call *call, struct smart_options *options)
{
    static const struct rpc_field fields[] = {
        {"fee_rate_estimator", JSON_KIND_STRING, RPC_FIELD_OPTIONAL},
        {"verbosity", JSON_KIND_NUMBER, RPC_FIELD_OPTIONAL},
    };
    const struct json_value *arg = rpc_arg(call, 2);
    if (!rpc_check_fields(call, arg, fields, COUNT_OF(fields)))
        return false;
    const struct json_value *by = arg ? json_find(arg, "fee_rate_estimator") : NULL;
    const struct json_value *verbosity = arg ? json_find(arg, "verbosity") : NULL;
    if (by && json_text_is(by, "block_policy"))
        options->by = BY_BLOCKS;
    else if (by && json_text_is(by, "mempool_policy"))
        options->by = BY_MEMPOOL;
    if (verbosity && verbosity->kind == JSON_KIND_NUMBER &&
        !json_integer_in(verbosity, INT32_MIN, INT32_MAX, &options->verbosity))
        return rpc_refuse(call, RPC_MISC_ERROR, "JSON integer out of range");
    return true;
}

/* Either error, or what to pay by whom. */
struct smart_answer {
    const char *error, *estimator; /* estimator: NULL if it need not be told */
    int64_t sat_per_kvb;
    int32_t blocks;
    bool is_fallback;
};

static struct smart_answer ask_blocks(const struct rpc_node *node,
                                      const struct smart_options *options)
{
    struct fee_estimate estimate =
        fee_estimator_smart(node->fees, options->target, options->is_conservative);
    struct smart_answer answer = {.sat_per_kvb = estimate.sat_per_kvb, .blocks = estimate.blocks};
    answer.is_fallback = answer.sat_per_kvb == 0;
    if (answer.is_fallback)
        answer.sat_per_kvb = node->fallback_sat_per_kvb;
    if (answer.sat_per_kvb == 0)
        answer.error = "Insufficient data or no feerate found";
    return answer;
}

static struct smart_answer ask_mempool(const struct rpc_node *node,
                                       const struct smart_options *options)
{
    struct smart_answer answer = {.blocks = MEMPOOL_ESTIMATOR_TARGET};
    if (mempool_file_is_expected(node->mempool)) {
        answer.error = "Mempool not loaded yet, no fee rate estimate available";
        return answer;
    }
    const struct mempool_question question = {.tip = &chain_tip(node->chain)->hash,
                                              .target = options->target,
                                              .conservative = options->is_conservative};
    struct mempool_estimate estimate =
        mempool_estimator_ask(node->mempool_fees, node->mempool, &question);
    answer.sat_per_kvb = estimate.sat_per_kvb;
    answer.blocks = estimate.blocks;
    if (estimate.status == MEMPOOL_ESTIMATE_FEW_BLOCKS)
        answer.error = "Not enough recent block data for fee rate estimation";
    else if (estimate.status == MEMPOOL_ESTIMATE_UNRELIABLE)
        answer.error = "Mempool is unreliable for fee rate estimation";
    return answer;
}

/* Blocks have the say, so that nobody can raise what is paid by what he puts into our mempool: what
 * the next block asks can lower their estimate only, as in Core, and a forecast can go up to what
 * they say to who wants to be sure (doc/decisions/0190). Where the mempool knows nothing, theirs
 * stands: a node that has just started would be dumb for six blocks else. */
static struct smart_answer ask_both(const struct rpc_node *node,
                                    const struct smart_options *options)
{
    struct smart_answer by_blocks = ask_blocks(node, options);
    if (by_blocks.error || by_blocks.is_fallback)
        return by_blocks;
    struct smart_answer by_mempool = ask_mempool(node, options);
    if (!by_mempool.error && by_mempool.blocks > MEMPOOL_ESTIMATOR_TARGET) {
        struct smart_options sure = *options;
        sure.is_conservative = true;
        by_blocks = ask_blocks(node, &sure);
    }
    by_blocks.estimator = "block_policy";
    by_mempool.estimator = "mempool_policy";
    return by_mempool.error || by_mempool.sat_per_kvb >= by_blocks.sat_per_kvb ? by_blocks
                                                                               : by_mempool;
}

/* No less than what would be let into the mempool at all. */
static int64_t payable(const struct rpc_node *node, int64_t sat_per_kvb)
{
    int64_t least = MAX_OF(mempool_min_feerate_sat_per_kvb(node->mempool),
                           mempool_options_of(node->mempool)->min_relay_sat_per_kvb);
    return MAX_OF(sat_per_kvb, least);
}

/* How much of the last blocks the mempool had known, the newest first. */
static void put_health(struct json_out *out, const struct rpc_node *node)
{
    size_t n;
    const struct mined_block *blocks =
        mempool_estimator_blocks(node->mempool_fees, &chain_tip(node->chain)->hash, &n);
    json_field_array(out, "mempool_health_statistics");
    while (n-- > 0) {
        json_open_object(out);
        json_field_int(out, "block_height", blocks[n].height);
        json_field_int(out, "block_weight", (int64_t)blocks[n].txs_wu);
        json_field_int(out, "mempool_txs_weight", (int64_t)blocks[n].ours_wu);
        json_close_object(out);
    }
    json_close_array(out);
}

enum rpc_progress rpc_estimatesmartfee(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct json_out *out = &call->out;
    struct smart_options options = {.verbosity = 1};
    if (!need_fees(call) || !rpc_need_mempool(call) || !read_target(call, &options.target) ||
        !read_mode(call, &options.is_conservative) || !read_options(call, &options))
        return RPC_DONE;
    struct smart_answer answer = options.by == BY_BLOCKS    ? ask_blocks(node, &options)
                                 : options.by == BY_MEMPOOL ? ask_mempool(node, &options)
                                                            : ask_both(node, &options);
    json_open_object(out);
    if (answer.error)
        put_error(out, answer.error);
    else
        json_field_amount(out, "feerate", payable(node, answer.sat_per_kvb));
    if (answer.estimator)
        json_field_string(out, "estimator", answer.estimator);
    json_field_int(out, "blocks", answer.blocks);
    if (options.verbosity >= 2)
        put_health(out, node);
    json_close_object(out);
    return RPC_DONE;
}

/* To whole units of 1 / parts; what is without end stays so. */
static double rounded(double value, int parts)
{
    double scaled = value * parts + 0.5;
    return scaled < (double)INT64_MAX ? (double)(int64_t)scaled / parts : value;
}

static void put_range(struct json_out *out, const char *name, const struct fee_range *range)
{
    if (range->start < 0)
        return;
    json_field_object(out, name);
    json_field_double(out, "startrange", rounded(range->start, 1));
    json_field_double(out, "endrange", rounded(range->end, 1));
    json_field_double(out, "withintarget", rounded(range->within_target, 100));
    json_field_double(out, "totalconfirmed", rounded(range->confirmed, 100));
    json_field_double(out, "inmempool", rounded(range->in_mempool, 100));
    json_field_double(out, "leftmempool", rounded(range->left_mempool, 100));
    json_close_object(out);
}

static void put_horizon(struct json_out *out, const struct fee_horizon *horizon,
                        const struct fee_answer *answer)
{
    bool is_known = answer->rate > 0;
    json_field_object(out, horizon->name);
    if (is_known)
        json_field_amount(out, "feerate", (int64_t)(answer->rate + 0.5));
    json_field_double(out, "decay", horizon->decay);
    json_field_int(out, "scale", horizon->scale);
    if (is_known)
        put_range(out, "pass", &answer->pass);
    put_range(out, "fail", &answer->fail);
    if (!is_known)
        put_error(out, "Insufficient data or no feerate found which meets threshold");
    json_close_object(out);
}

static bool read_threshold(struct rpc_call *call, double *threshold)
{
    const struct json_value *value = rpc_arg(call, 1);
    int64_t millionths = 950000;
    if (value &&
        (!json_fixed_point(value, 6, &millionths) || millionths < 0 || millionths > 1000000))
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid threshold");
    *threshold = (double)millionths / 1000000;
    return true;
}

enum rpc_progress rpc_estimaterawfee(struct rpc_call *call)
{
    const struct fee_estimator *fees = call->rpc->node->fees;
    int32_t target = 0;
    double threshold = 0;
    if (!need_fees(call) || !read_target(call, &target) || !read_threshold(call, &threshold))
        return RPC_DONE;
    json_open_object(&call->out);
    for (int i = 0; i < FEE_HORIZONS; i++) {
        const struct fee_horizon *horizon = fee_horizon_of(i);
        if (target > (int32_t)(horizon->periods * horizon->scale))
            continue;
        struct fee_answer answer = fee_estimator_raw(fees, i, target, threshold);
        put_horizon(&call->out, horizon, &answer);
    }
    json_close_object(&call->out);
    return RPC_DONE;
}
