/* net_json.c - what several methods about the network share. */
#include "rpc/net_json.h"

#include "rpc/method_table.h"
#include "util/assert.h"

#include <inttypes.h>
#include <stdio.h>

const struct net_view *net_json_require(struct rpc_call *call)
{
    ASSERT(call);
    const struct net_view *net = call->rpc->node->net;
    if (!net)
        rpc_fail(call, RPC_CLIENT_P2P_DISABLED,
                 "Error: Peer-to-peer functionality missing or disabled");
    return net;
}

/* By bit. BIP111, BIP144, BIP157, BIP159, BIP324 */
static const char *service_name(unsigned bit)
{
    static const char *const names[] = {
        [0] = "NETWORK",          [2] = "BLOOM",   [3] = "WITNESS", [6] = "COMPACT_FILTERS",
        [10] = "NETWORK_LIMITED", [11] = "P2P_V2",
    };
    return bit < COUNT_OF(names) ? names[bit] : NULL;
}

void net_json_put_services(struct json_out *out, const char *key, const char *names_key,
                           uint64_t services)
{
    char text[32];
    snprintf(text, sizeof text, "%016" PRIx64, services);
    json_field_string(out, key, text);
    json_field_array(out, names_key);
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!(services >> bit & 1))
            continue;
        const char *name = service_name(bit);
        snprintf(text, sizeof text, "UNKNOWN[2^%u]", bit);
        json_put_string(out, name ? name : text);
    }
    json_close_array(out);
}

enum rpc_progress net_json_fail_with_help(struct rpc_call *call)
{
    ASSERT(call);
    struct buffer help;
    buffer_init(&help);
    method_write_help(call->method, &help);
    rpc_fail(call, RPC_MISC_ERROR, "%.*s", (int)help.len, (const char *)help.p);
    buffer_deinit(&help);
    return RPC_DONE;
}
