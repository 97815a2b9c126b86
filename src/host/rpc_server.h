/* rpc_server.h - RPC over HTTP: requests from host/http go to rpc, its answers go back.
 *
 * Layer: host. Loop thread. */
#ifndef HOST_RPC_SERVER_H
#define HOST_RPC_SERVER_H

#include "host/config.h"
#include "rpc/rpc.h"

struct loop;
struct rpc_server;

/* Listen as the config says and hand calls to rpc, which is borrowed; env: as in http_options.
 *
 * Returns:  NULL with *error, a line for the user freed with xfree(): a port is taken, an address
 *           is not ours. An address family that this machine lacks is only logged, as long as one
 *           address remains
 * Owns:     the caller */
NODISCARD struct rpc_server *rpc_server_new(struct loop *loop, const struct env *env,
                                            struct rpc *rpc, const struct config *config,
                                            const struct log *log, char **error);
/* Take no new connections; those that stand end after their answer. */
void rpc_server_stop(struct rpc_server *server);
/* True when every answer is on its way to the client. */
bool rpc_server_is_idle(const struct rpc_server *server);
/* Cancels what is not answered, so rpc must still be there. NULL is allowed. */
void rpc_server_free(struct rpc_server *server);

#endif
