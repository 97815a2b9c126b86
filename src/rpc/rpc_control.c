/* rpc_control.c - methods about the node itself, its clock and its log; addresses. */
#include <stdlib.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "rpc/method_table.h"
#include "rpc/methods.h"
#include "util/alloc.h"

#define MOCK_TIME_MAX INT64_C(4294967295) /* what fits into the time of a header */

enum {
    MOCK_DELTA_MAX_S = 3600,
    US_PER_S = 1000000,
};

_Static_assert(MOCK_TIME_MAX <= INT64_MAX / 1000000000, "its nanoseconds do not overflow");
_Static_assert(LOG_CATEGORY_COUNT < 32, "a bit for each category");

static bool require_regtest(struct rpc_call *call)
{
    if (call->rpc->node->network->mine_blocks_on_demand)
        return true;
    return rpc_refuse(call, RPC_MISC_ERROR, "%s is for regression testing (-regtest mode) only",
                      call->method->name);
}

/* The last argument of all: Core fails an assertion of its own on it, and tells its tests so. */
#define BUG_ORDER "trigger_internal_bug"

enum rpc_progress rpc_echo(struct rpc_call *call)
{
    const struct json_value *last = rpc_arg(call, RPC_ARGS_MAX - 1);
    if (last && json_text_is(last, BUG_ORDER))
        return rpc_fail(call, RPC_MISC_ERROR,
                        "Internal bug detected: request.params[9].get_str() != \"" BUG_ORDER "\"");
    json_open_array(&call->out);
    for (size_t i = 0; i < call->n_args; i++) {
        if (call->args[i])
            json_put_value(&call->out, call->args[i]);
        else
            json_put_null(&call->out);
    }
    json_close_array(&call->out);
    return RPC_DONE;
}

enum rpc_progress rpc_echoipc(struct rpc_call *call)
{
    json_put_value(&call->out, rpc_arg(call, 0));
    return RPC_DONE;
}

enum rpc_progress rpc_enumeratesigners(struct rpc_call *call)
{
    return rpc_fail(call, RPC_MISC_ERROR, "Error: restart bitcoind with -signer=<cmd>");
}

enum rpc_progress rpc_getrpcinfo(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct json_out *out = &call->out;
    int64_t now_us = env_now_us(node->env);
    json_open_object(out);
    json_field_array(out, "active_commands");
    LIST_EACH (const struct rpc_call, other, &call->rpc->calls, link) {
        if (!other->method || other->entry_done)
            continue;
        json_open_object(out);
        json_field_string(out, "method", other->method->name);
        json_field_int(out, "duration", now_us - other->started_us);
        json_close_object(out);
    }
    json_close_array(out);
    struct buffer path;
    buffer_init(&path);
    buffer_append_format(&path, "%s/debug.log", node->data_dir);
    json_put_key(out, "logpath");
    json_put_text(out, buffer_span(&path));
    buffer_deinit(&path);
    json_close_object(out);
    return RPC_DONE;
}

static void put_memory(struct json_out *out)
{
    struct alloc_stats stats = alloc_stats();
    json_open_object(out);
    json_field_object(out, "locked");
    json_field_int(out, "used", (int64_t)stats.used_bytes);
    json_field_int(out, "free", (int64_t)stats.free_bytes);
    json_field_int(out, "total", (int64_t)(stats.used_bytes + stats.free_bytes));
    json_field_int(out, "locked", 0);
    json_field_int(out, "chunks_used", (int64_t)stats.n_regions);
    json_field_int(out, "chunks_free", (int64_t)stats.n_free_chunks);
    json_close_object(out);
    json_close_object(out);
}

enum rpc_progress rpc_getmemoryinfo(struct rpc_call *call)
{
    const char *mode = rpc_arg_string(call, 0, "stats");
    if (strcmp(mode, "stats") == 0) {
        put_memory(&call->out);
        return RPC_DONE;
    }
    if (strcmp(mode, "mallocinfo") != 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "unknown mode %s", mode);
    char *xml = alloc_describe();
    if (!xml)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "mallocinfo mode not available");
    json_put_string(&call->out, xml);
    xfree(xml);
    return RPC_DONE;
}

enum rpc_progress rpc_getzmqnotifications(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct json_out *out = &call->out;
    json_open_array(out);
    for (size_t i = 0; i < node->n_publishers; i++) {
        const struct rpc_publisher *publisher = &node->publishers[i];
        json_open_object(out);
        json_field_string(out, "type", publisher->type);
        json_field_string(out, "address", publisher->address);
        json_field_int(out, "hwm", publisher->hwm);
        json_close_object(out);
    }
    json_close_array(out);
    return RPC_DONE;
}

enum rpc_progress rpc_help(struct rpc_call *call)
{
    struct buffer text;
    buffer_init(&text);
    const struct json_value *command = rpc_arg(call, 0);
    if (!command || command->text.len == 0) {
        method_write_list(call->rpc->methods, call->rpc->node->dev != NULL, &text);
    } else {
        const struct rpc_method *method = method_find(call->rpc->methods, command->text);
        if (method)
            method_write_help(method, &text);
        else
            buffer_append_format(&text, "help: unknown command: %s", command->text.p);
    }
    json_put_text(&call->out, buffer_span(&text));
    buffer_deinit(&text);
    return RPC_DONE;
}

/* -- Log ---------------------------------------------------------------------------------- */

/* The bits that a list of category names stands for. */
static bool read_categories(struct rpc_call *call, const struct json_value *list, uint32_t *bits)
{
    *bits = 0;
    for (const struct json_value *v = list ? list->first : NULL; v; v = v->next) {
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING))
            return false;
        int category = log_category_find((const char *)v->text.p);
        if (json_text_is(v, "all") || json_text_is(v, "1") || json_text_is(v, "")) {
            *bits |= (UINT32_C(1) << LOG_CATEGORY_COUNT) - 1;
        } else if (json_text_is(v, "libevent")) {
            log_warning(call->rpc->node->log,
                        "The logging category `libevent` is deprecated: it does nothing");
        } else if (category >= 0) {
            *bits |= UINT32_C(1) << category;
        } else {
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "unknown logging category %s",
                              (const char *)v->text.p);
        }
    }
    return true;
}

/* By name, as Core tells them. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(log_category_name(*(const enum log_category *)a),
                  log_category_name(*(const enum log_category *)b));
}

enum rpc_progress rpc_logging(struct rpc_call *call)
{
    struct log *log = call->rpc->node->log_control;
    uint32_t include, exclude;
    enum log_category sorted[LOG_CATEGORY_COUNT];
    if (!read_categories(call, rpc_arg(call, 0), &include) ||
        !read_categories(call, rpc_arg(call, 1), &exclude))
        return RPC_DONE;
    if (log)
        log->categories = (log->categories | include) & ~exclude;
    for (int i = 0; i < LOG_CATEGORY_COUNT; i++)
        sorted[i] = (enum log_category)i;
    qsort(sorted, LOG_CATEGORY_COUNT, sizeof *sorted, compare_names);
    json_open_object(&call->out);
    for (int i = 0; i < LOG_CATEGORY_COUNT; i++)
        json_field_bool(&call->out, log_category_name(sorted[i]), log_is_on(log, sorted[i]));
    json_close_object(&call->out);
    return RPC_DONE;
}

/* -- Clock -------------------------------------------------------------------------------- */

static void on_timers_done(void *arg)
{
    rpc_finish(arg);
}

/* Behind the timers that the advance made due: now their files. */
static void on_timers_fired(void *arg)
{
    struct rpc_call *call = arg;
    call->timer = 0;
    const struct rpc_node *node = call->rpc->node;
    if (node->settle_files)
        node->settle_files(node->ctx, on_timers_done, call);
    else
        rpc_finish(call);
}

enum rpc_progress rpc_mockscheduler(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    int64_t delta_s = 0;
    if (!require_regtest(call) || !rpc_arg_int64(call, 0, &delta_s))
        return RPC_DONE;
    if (delta_s <= 0 || delta_s > MOCK_DELTA_MAX_S)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "delta_time must be between 1 and 3600 seconds (1 hr)");
    node->advance_timers(node->ctx, delta_s);
    rpc_call_timer(call, 0, on_timers_fired);
    return RPC_PENDING;
}

enum rpc_progress rpc_setmocktime(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    int64_t time_s = 0;
    if (!require_regtest(call) || !rpc_arg_int64(call, 0, &time_s))
        return RPC_DONE;
    if (time_s < 0 || time_s > MOCK_TIME_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Mocktime must be in the range [0, %lld], not %lld.",
                        (long long)MOCK_TIME_MAX, (long long)time_s);
    node->set_mock_time(node->ctx, time_s);
    return RPC_DONE;
}

enum rpc_progress rpc_uptime(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    int64_t up_us = env_now_us(node->clock) - node->start_us;
    json_put_int(&call->out, up_us > 0 ? up_us / US_PER_S : 0);
    return RPC_DONE;
}

enum rpc_progress rpc_stop(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    /* The answer is sent first: stopping drains the server. */
    json_put_string(&call->out, "Cairn stopping");
    node->stop(node->ctx);
    return RPC_DONE;
}

/* What happens on the loop thread has been told to everybody before the next call is read. */
enum rpc_progress rpc_syncwithvalidationinterfacequeue(struct rpc_call *call)
{
    json_put_null(&call->out);
    return RPC_DONE;
}

/* -- Addresses ---------------------------------------------------------------------------- */

static void write_valid_address(const struct rpc_call *call, struct json_out *out,
                                struct span script)
{
    char text[ADDRESS_SIZE];
    struct script_solution solution = script_solve(script);
    (void)address_encode(call->rpc->node->network, script, text);
    json_field_bool(out, "isvalid", true);
    json_field_string(out, "address", text);
    json_field_hex(out, "scriptPubKey", script);
    enum script_type type = solution.type;
    bool is_witness = type != SCRIPT_TYPE_PUBKEYHASH && type != SCRIPT_TYPE_SCRIPTHASH;
    /* A future witness version: nobody knows whether it is a script. */
    if (type != SCRIPT_TYPE_WITNESS_UNKNOWN)
        json_field_bool(out, "isscript",
                        type != SCRIPT_TYPE_PUBKEYHASH && type != SCRIPT_TYPE_WITNESS_V0_KEYHASH);
    json_field_bool(out, "iswitness", is_witness);
    int version;
    struct span program;
    if (is_witness && type != SCRIPT_TYPE_ANCHOR &&
        script_is_witness_program(script, &version, &program)) {
        json_field_int(out, "witness_version", version);
        json_field_hex(out, "witness_program", program);
    }
}

enum rpc_progress rpc_validateaddress(struct rpc_call *call)
{
    struct json_out *out = &call->out;
    uint8_t script[ADDRESS_SCRIPT_MAX];
    size_t len;
    struct address_error error = {0};
    bool valid =
        address_decode(call->rpc->node->network, rpc_arg_string(call, 0, ""), script, &len, &error);
    json_open_object(out);
    if (valid) {
        write_valid_address(call, out, span_of(script, len));
    } else {
        json_field_bool(out, "isvalid", false);
        json_field_array(out, "error_locations");
        for (size_t i = 0; i < error.bech32.n; i++)
            json_put_int(out, (int64_t)bech32_error_at(&error.bech32, i));
        json_close_array(out);
        json_field_string(out, "error", error.message);
    }
    json_close_object(out);
    return RPC_DONE;
}
