/* rpc_fees.c - what a transaction should pay. */
#include <ctype.h>

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

/* What is estimated, raised to what would be let into the mempool at all; 0: nothing is known. */
static int64_t payable(const struct rpc_node *node, int64_t sat_per_kvb)
{
    int64_t least = MAX_OF(mempool_min_feerate_sat_per_kvb(node->mempool),
                           mempool_options_of(node->mempool)->min_relay_sat_per_kvb);
    if (sat_per_kvb == 0)
        sat_per_kvb = node->fallback_sat_per_kvb;
    return sat_per_kvb == 0 ? 0 : MAX_OF(sat_per_kvb, least);
}

enum rpc_progress rpc_estimatesmartfee(struct rpc_call *call)
{
    static const struct rpc_field fields[] = {
        {"fee_rate_estimator", JSON_KIND_STRING, RPC_FIELD_OPTIONAL},
        {"verbosity", JSON_KIND_NUMBER, RPC_FIELD_OPTIONAL},
    };
    const struct rpc_node *node = call->rpc->node;
    struct json_out *out = &call->out;
    int32_t target = 0;
    bool is_conservative = false;
    if (!need_fees(call) || !rpc_need_mempool(call) || !read_target(call, &target) ||
        !read_mode(call, &is_conservative) ||
        !rpc_check_fields(call, rpc_arg(call, 2), fields, COUNT_OF(fields)))
        return RPC_DONE;
    struct fee_estimate estimate = fee_estimator_smart(node->fees, target, is_conservative);
    int64_t sat_per_kvb = payable(node, estimate.sat_per_kvb);
    json_open_object(out);
    if (sat_per_kvb > 0)
        json_field_amount(out, "feerate", sat_per_kvb);
    else
        put_error(out, "Insufficient data or no feerate found");
    json_field_int(out, "blocks", estimate.blocks);
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
