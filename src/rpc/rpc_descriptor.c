/* rpc_descriptor.c - descriptors: what they are, and the addresses they stand for. */
#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "rpc/methods.h"
#include "spend/descriptor/desc.h"
#include "spend/descriptor/desc_infer.h"

/* What the job works on: in the call's arena. */
struct derive_order {
    const struct ec_context *ec;
    const struct json_value *range; /* or NULL */
    struct desc_list list;
    uint32_t first, last;
};

/* Read the first argument: a while, also if it is short, since each step of a path takes a
 * multiplication. For jobs. */
static bool read_descriptor(struct rpc_call *call, struct derive_order *order)
{
    struct span text = rpc_arg(call, 0)->text;
    return desc_parse(order->ec, call->rpc->node->network, text, &call->arena, &order->list) ||
           rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", order->list.error);
}

/* The addresses at one index. False, with the error, if there is none. */
static bool put_addresses(struct rpc_call *call, const struct derive_order *order,
                          const struct desc *desc, uint32_t index)
{
    const struct network *network = call->rpc->node->network;
    struct span scripts[DESC_SCRIPTS_MAX];
    struct arena arena;
    arena_init(&arena, 1024);
    size_t n = desc_scripts(order->ec, desc, index, &arena, scripts);
    bool ok = n > 0;
    if (!ok)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    for (size_t i = 0; ok && i < n; i++) {
        char text[ADDRESS_SIZE];
        /* The bare key of combo() has none, and needs none beside the others. */
        if (n > 1 && script_solve(scripts[i]).type == SCRIPT_TYPE_PUBKEY)
            continue;
        ok = address_encode(network, scripts[i], text);
        if (ok)
            json_put_string(&call->out, text);
        else
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                     "Descriptor does not have a corresponding address");
    }
    arena_deinit(&arena);
    return ok;
}

static bool read_derived(struct rpc_call *call, struct derive_order *order)
{
    if (!read_descriptor(call, order))
        return false;
    if (!order->list.is_range && order->range)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Range should not be specified for an un-ranged descriptor");
    return !order->list.is_range || order->range ||
           rpc_refuse(call, RPC_INVALID_PARAMETER,
                      "Range must be specified for a ranged descriptor");
}

static void write_addresses(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct derive_order *order = call->state;
    bool ok = read_derived(call, order), is_many = order->list.n > 1;
    if (!ok)
        return;
    if (is_many)
        json_open_array(&call->out);
    for (size_t k = 0; ok && k < order->list.n; k++) {
        json_open_array(&call->out);
        for (uint64_t index = order->first; ok && index <= order->last; index++)
            ok = put_addresses(call, order, order->list.variant[k], (uint32_t)index);
        json_close_array(&call->out);
    }
    if (is_many)
        json_close_array(&call->out);
}

enum rpc_progress rpc_deriveaddresses(struct rpc_call *call)
{
    const struct json_value *text = rpc_arg(call, 0), *range = rpc_arg(call, 1);
    struct derive_order *order = arena_calloc(&call->arena, 1, sizeof *order);
    order->ec = rpc_ec_context(call->rpc);
    if (range && !rpc_read_range(call, range, &order->first, &order->last))
        return RPC_DONE;
    if (!text->text.len || !memchr(text->text.p, '#', text->text.len))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Missing checksum");
    order->range = range;
    call->state = order;
    rpc_run_job(call, write_addresses, NULL);
    return RPC_PENDING;
}

static void put_descriptor(struct json_out *out, const struct desc *desc)
{
    struct buffer text;
    buffer_init(&text);
    desc_write(desc, &text);
    json_put_text(out, buffer_span(&text));
    buffer_deinit(&text);
}

/* The checksum of a text that was read, without the one it may have. */
static void put_checksum(struct json_out *out, struct span text)
{
    char checksum[DESC_CHECKSUM_CHARS + 1];
    const uint8_t *end = text.len > 0 ? memchr(text.p, '#', text.len) : NULL;
    bool ok = desc_checksum(end ? span_of(text.p, (size_t)(end - text.p)) : text, checksum);
    ASSERT(ok);
    json_field_string(out, "checksum", checksum);
}

static void write_info(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct derive_order *order = call->state;
    const struct desc_list *list = &order->list;
    struct json_out *out = &call->out;
    if (!read_descriptor(call, order))
        return;
    json_open_object(out);
    json_put_key(out, "descriptor");
    put_descriptor(out, list->variant[0]);
    if (list->n > 1) {
        json_field_array(out, "multipath_expansion");
        for (size_t i = 0; i < list->n; i++)
            put_descriptor(out, list->variant[i]);
        json_close_array(out);
    }
    put_checksum(out, rpc_arg(call, 0)->text);
    json_field_bool(out, "isrange", list->is_range);
    json_field_bool(out, "issolvable", desc_is_solvable(list->variant[0]));
    json_field_bool(out, "hasprivatekeys", list->has_secret);
    json_close_object(out);
}

enum rpc_progress rpc_getdescriptorinfo(struct rpc_call *call)
{
    struct derive_order *order = arena_calloc(&call->arena, 1, sizeof *order);
    order->ec = rpc_ec_context(call->rpc);
    call->state = order;
    rpc_run_job(call, write_info, NULL);
    return RPC_PENDING;
}
