/* rest.h - requests that are no JSON-RPC: the routes of -rest, and those that watch the node.
 *
 * Layer: rpc, for this layer only. Spec: Core's REST interface: its routes, status codes and words.
 * What differs is in doc/rest.md. */
#ifndef RPC_REST_H
#define RPC_REST_H

#include "rpc/rest_call.h"

/* The route of a path; NULL if there is none. */
const struct rest_route *rest_find(const char *uri);
/* Take the path apart, and keep of the request what the handler needs.
 *
 * In:  request  its body must have REST_BODY_BYTES_MAX at most */
void rest_read(struct rpc_call *call, const struct rest_route *route,
               const struct rpc_request *request);
/* Answer the call, now or later, as a method does. */
enum rpc_progress rest_run(struct rpc_call *call);
/* The handler is done: complete the answer, or replace it with the refusal. */
void rest_close(struct rpc_call *call);

/* Handlers, one a route. */
enum rpc_progress rest_tx(struct rpc_call *call);
enum rpc_progress rest_getutxos(struct rpc_call *call);
enum rpc_progress rest_mempool(struct rpc_call *call);
enum rpc_progress rest_block(struct rpc_call *call);
enum rpc_progress rest_block_notxdetails(struct rpc_call *call);
enum rpc_progress rest_blockpart(struct rpc_call *call);
enum rpc_progress rest_spenttxouts(struct rpc_call *call);
enum rpc_progress rest_headers(struct rpc_call *call);
enum rpc_progress rest_blockhashbyheight(struct rpc_call *call);
enum rpc_progress rest_chaininfo(struct rpc_call *call);
enum rpc_progress rest_deploymentinfo(struct rpc_call *call);
enum rpc_progress rest_blockfilter(struct rpc_call *call);
enum rpc_progress rest_blockfilterheaders(struct rpc_call *call);
/* rest_events.c */
enum rpc_progress rest_events(struct rpc_call *call);
/* rest_ui.c */
enum rpc_progress rest_ui_page(struct rpc_call *call);
enum rpc_progress rest_ui_mesh(struct rpc_call *call);
/* rest_watch.c */
enum rpc_progress rest_livez(struct rpc_call *call);
enum rpc_progress rest_readyz(struct rpc_call *call);
enum rpc_progress rest_metrics(struct rpc_call *call);

#endif
