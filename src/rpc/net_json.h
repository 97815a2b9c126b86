/* net_json.h - what several methods about the network share.
 *
 * Layer: rpc, for this layer only. On the loop thread. */
#ifndef RPC_NET_JSON_H
#define RPC_NET_JSON_H

#include "rpc/rpc_internal.h"

/* The network; NULL after an error -31: there is none. */
const struct net_view *net_json_require(struct rpc_call *call);

/* Two fields: service bits as 16 digits of hex, and an array of their names. Bits without a name
 * are "UNKNOWN[2^n]". */
void net_json_put_services(struct json_out *out, const char *key, const char *names_key,
                           uint64_t services);

/* The error -1 whose text is the method's help: as Core answers an order that it does not know.
 * Returns: RPC_DONE */
enum rpc_progress net_json_fail_with_help(struct rpc_call *call);

#endif
