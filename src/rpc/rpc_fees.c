/* rpc_fees.c - what a transaction should pay. There is no estimator yet: the answers are those of
 * one that has seen nothing, after all checks of the arguments. */
#include <ctype.h>

#include "rpc/methods.h"

enum {
    TARGET_MAX = 1008, /* blocks: a week */
    N_HORIZONS = 3,
};

static bool read_target(struct rpc_call *call, int32_t *target)
{
    if (!rpc_arg_int32(call, 0, target))
        return false;
    if (*target >= 1 && *target <= TARGET_MAX)
        return true;
    return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid conf_target, must be between 1 and %d",
                      TARGET_MAX);
}

/* Names of modes are read in any case. */
static bool is_mode(const char *text)
{
    static const char *const modes[] = {"unset", "economical", "conservative"};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        size_t at = 0;
        while (modes[i][at] && tolower((unsigned char)text[at]) == modes[i][at])
            at++;
        if (!modes[i][at] && !text[at])
            return true;
    }
    return false;
}

enum rpc_progress rpc_estimatesmartfee(struct rpc_call *call)
{
    static const struct rpc_field fields[] = {
        {"fee_rate_estimator", JSON_KIND_STRING, RPC_FIELD_OPTIONAL},
        {"verbosity", JSON_KIND_NUMBER, RPC_FIELD_OPTIONAL},
    };
    struct json_out *out = &call->out;
    int32_t target = 0;
    if (!read_target(call, &target))
        return RPC_DONE;
    if (!is_mode(rpc_arg_string(call, 1, "unset")))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid estimate_mode parameter, must be one of: \"unset\", "
                        "\"economical\", \"conservative\"");
    if (!rpc_check_fields(call, rpc_arg(call, 2), fields, COUNT_OF(fields)))
        return RPC_DONE;
    json_open_object(out);
    json_field_array(out, "errors");
    json_put_string(out, "Insufficient data or no feerate found");
    json_close_array(out);
    /* The furthest target that the data seen reach: none were. */
    json_field_int(out, "blocks", 0);
    json_close_object(out);
    return RPC_DONE;
}

static void put_horizon(struct json_out *out, const char *name, double decay, int scale)
{
    json_field_object(out, name);
    json_field_double(out, "decay", decay);
    json_field_int(out, "scale", scale);
    /* The range of rates that failed the threshold: all of them. */
    json_field_object(out, "fail");
    json_field_int(out, "startrange", 0);
    json_field_int(out, "endrange", 0);
    json_field_int(out, "withintarget", 0);
    json_field_int(out, "totalconfirmed", 0);
    json_field_int(out, "inmempool", 0);
    json_field_int(out, "leftmempool", 0);
    json_close_object(out);
    json_field_array(out, "errors");
    json_put_string(out, "Insufficient data or no feerate found which meets threshold");
    json_close_array(out);
    json_close_object(out);
}

enum rpc_progress rpc_estimaterawfee(struct rpc_call *call)
{
    /* How far each horizon looks, how fast it forgets, in what steps it counts. */
    static const struct {
        const char *name;
        int32_t target_max;
        double decay;
        int scale;
    } horizons[N_HORIZONS] = {
        {"short", 12, 0.962, 1}, {"medium", 48, 0.9952, 2}, {"long", TARGET_MAX, 0.99931, 24}};
    const struct json_value *threshold = rpc_arg(call, 1);
    int64_t millionths = 950000;
    int32_t target = 0;
    if (!read_target(call, &target))
        return RPC_DONE;
    if (threshold &&
        (!json_fixed_point(threshold, 6, &millionths) || millionths < 0 || millionths > 1000000))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid threshold");
    json_open_object(&call->out);
    for (size_t i = 0; i < N_HORIZONS; i++) {
        if (target <= horizons[i].target_max)
            put_horizon(&call->out, horizons[i].name, horizons[i].decay, horizons[i].scale);
    }
    json_close_object(&call->out);
    return RPC_DONE;
}
