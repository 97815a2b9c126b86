/* jsonrpc.h - the envelope: what a request object says, what a reply object looks like.
 *
 * Layer: rpc, for this layer only. Spec: JSON-RPC 1.0 and 2.0; where they leave room, Core v31. */
#ifndef RPC_JSONRPC_H
#define RPC_JSONRPC_H

#include "rpc/rpc_internal.h"

/* Read one request object: sets id, version, method and args of the call.
 * Returns: false after rpc_fail() */
NODISCARD bool jsonrpc_read_request(struct rpc_call *call, const struct json_value *request);

/* True if nobody expects a reply to this entry: 2.0 without id. */
bool jsonrpc_is_notification(const struct rpc_call *call);

/* Write the reply object up to the result's value. */
void jsonrpc_open_reply(struct rpc_call *call);
/* Complete it: close behind the result, or replace all with the error. Nothing remains of a
 * notification's. */
void jsonrpc_close_reply(struct rpc_call *call);

/* The HTTP status of a single reply: errors show in it, but for 2.0. */
int jsonrpc_http_status(const struct rpc_call *call);

#endif
