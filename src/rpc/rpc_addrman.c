/* rpc_addrman.c - methods about the addresses of other nodes. */
#include <inttypes.h>
#include <stdio.h>

#include "rpc/method_table.h"
#include "rpc/methods.h"
#include "rpc/net_json.h"

/* -- Addresses ---------------------------------------------------------------------------- */

static void put_services(struct json_out *out, uint64_t services)
{
    char text[24]; /* 64 bits without a sign */
    int len = snprintf(text, sizeof text, "%" PRIu64, services);
    ASSERT(len > 0 && (size_t)len < sizeof text);
    json_put_key(out, "services");
    json_put_raw(out, span_of(text, (size_t)len));
}

static void put_node_address(void *arg, const struct net_node_address *address)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_int(out, "time", address->time_s);
    put_services(out, address->services);
    json_field_string(out, "address", address->host);
    json_field_int(out, "port", address->port);
    json_field_string(out, "network", address->network);
    json_close_object(out);
}

enum rpc_progress rpc_getnodeaddresses(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    const char *network = rpc_arg_string(call, 1, NULL);
    int32_t count = 1;
    if (!net || !rpc_arg_int32(call, 0, &count))
        return RPC_DONE;
    if (count < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Address count out of range");
    json_open_array(&call->out);
    bool known = net->addresses(net->ctx, (size_t)count, network, put_node_address, call);
    json_close_array(&call->out);
    if (!known)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Network not recognized: %s",
                        network ? network : "");
    return RPC_DONE;
}

static void put_addrman_count(void *arg, const struct net_addrman_count *count)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    json_field_object(out, count->name ? count->name : "all_networks");
    json_field_int(out, "new", (int64_t)count->n_new);
    json_field_int(out, "tried", (int64_t)count->n_tried);
    json_field_int(out, "total", (int64_t)(count->n_new + count->n_tried));
    json_close_object(out);
}

static const struct net_view *require_book(struct rpc_call *call)
{
    const struct net_view *net = call->rpc->node->net;
    if (!net)
        rpc_fail(call, RPC_CLIENT_P2P_DISABLED,
                 "Error: Address manager functionality missing or disabled");
    return net;
}

enum rpc_progress rpc_getaddrmaninfo(struct rpc_call *call)
{
    const struct net_view *net = require_book(call);
    if (!net)
        return RPC_DONE;
    json_open_object(&call->out);
    net->addrman(net->ctx, put_addrman_count, call);
    json_close_object(&call->out);
    return RPC_DONE;
}

/* -- The book, place by place ---------------------------------------------------------------- */

/* Two lists, one after the other. */
struct book_dump {
    struct rpc_call *call;
    bool is_in_tried;
};

static void put_place(void *arg, const struct net_book_place *place)
{
    struct book_dump *dump = arg;
    struct json_out *out = &dump->call->out;
    char key[32];
    if (place->is_tried && !dump->is_in_tried) {
        dump->is_in_tried = true;
        json_close_object(out);
        json_field_object(out, "tried");
    }
    snprintf(key, sizeof key, "%u/%u", place->bucket, place->position);
    json_field_object(out, key);
    json_field_string(out, "address", place->address.host);
    if (place->asn)
        json_field_int(out, "mapped_as", place->asn);
    json_field_int(out, "port", place->address.port);
    put_services(out, place->address.services);
    json_field_int(out, "time", place->address.time_s);
    json_field_string(out, "network", place->address.network);
    json_field_string(out, "source", place->source);
    json_field_string(out, "source_network", place->source_network);
    if (place->source_asn)
        json_field_int(out, "source_mapped_as", place->source_asn);
    json_close_object(out);
}

enum rpc_progress rpc_getrawaddrman(struct rpc_call *call)
{
    const struct net_view *net = require_book(call);
    struct book_dump dump = {.call = call};
    if (!net)
        return RPC_DONE;
    json_open_object(&call->out);
    json_field_object(&call->out, "new");
    net->book(net->ctx, put_place, &dump);
    json_close_object(&call->out);
    if (!dump.is_in_tried) {
        json_field_object(&call->out, "tried");
        json_close_object(&call->out);
    }
    json_close_object(&call->out);
    return RPC_DONE;
}

/* For tests: the book of addresses as if a peer had told of one. */
enum rpc_progress rpc_addpeeraddress(struct rpc_call *call)
{
    const struct net_view *net = require_book(call);
    int32_t port = 0;
    if (!net || !rpc_arg_int32(call, 1, &port))
        return RPC_DONE;
    if (port < 0 || port > UINT16_MAX)
        return rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
    int64_t now_s = call->rpc->node->now_s(call->rpc->node->ctx);
    enum net_result result = net->add_address(net->ctx, rpc_arg_string(call, 0, ""), (uint16_t)port,
                                              rpc_arg_bool(call, 2, false), now_s);
    if (result == NET_RESULT_BAD_ADDRESS)
        return rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Invalid IP address");
    json_open_object(&call->out);
    if (result != NET_RESULT_OK)
        json_field_string(&call->out, "error",
                          result == NET_RESULT_FULL ? "failed-adding-to-tried"
                                                    : "failed-adding-to-new");
    json_field_bool(&call->out, "success", result == NET_RESULT_OK);
    json_close_object(&call->out);
    return RPC_DONE;
}

/* No map is built in, which is what this method writes. Core's words. */
enum rpc_progress rpc_exportasmap(struct rpc_call *call)
{
    return rpc_fail(call, RPC_MISC_ERROR, "No embedded ASMap data available");
}

/* -- The risk of an eclipse. Not in Core --------------------------------------------------------
 */

static void put_risk(void *arg, const struct net_eclipse_risk *risk)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    ASSERT(risk->reasons || risk->n_reasons == 0);
    json_open_object(out);
    json_field_string(out, "risk", risk->level);
    json_field_array(out, "reasons");
    for (size_t i = 0; i < risk->n_reasons; i++)
        json_put_string(out, risk->reasons[i]);
    json_close_array(out);
    json_field_string(out, "grouped_by", risk->has_asmap ? "asmap" : "prefix");
    json_field_int(out, "outbound", (int64_t)risk->n_outbound);
    json_field_int(out, "outbound_groups", (int64_t)risk->n_outbound_groups);
    json_field_int(out, "outbound_forked", (int64_t)risk->n_forked);
    json_field_int(out, "header_lag", risk->header_lag);
    json_field_int(out, "tip_age", risk->tip_age_s);
    json_field_int(out, "new", (int64_t)risk->n_new);
    json_field_double(out, "new_largest_source_share", risk->new_source_share);
    json_field_int(out, "tried", (int64_t)risk->n_tried);
    json_field_double(out, "tried_largest_group_share", risk->tried_group_share);
    json_close_object(out);
}

enum rpc_progress rpc_geteclipserisk(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (net)
        net->eclipse_risk(net->mesh, put_risk, call);
    return RPC_DONE;
}
