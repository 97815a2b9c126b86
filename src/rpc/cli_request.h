/* cli_request.h - command line arguments to a JSON-RPC request.
 *
 * Layer: rpc. Pure. Which arguments are JSON and which are plain text follows from the table of
 * methods, of those that only other nodes have from cli_methods.c; else they are text. */
#ifndef RPC_CLI_REQUEST_H
#define RPC_CLI_REQUEST_H

#include "rpc/json_write.h"

/* Make the params of a call.
 *
 * In:       args    n of them, borrowed for the call
 *           named   each is name=value, or without '=' a positional one
 * Out:      *params in arena
 * Returns:  false with *error set (xfree it) if a text that has to be JSON is none */
NODISCARD bool cli_params(struct arena *arena, const char *method, const char *const *args,
                          size_t n, bool named, struct json_value **params, char **error);

/* Append a request of version 2.0. */
void cli_write_request(struct buffer *buffer, const char *method, const struct json_value *params,
                       int id);

#endif
