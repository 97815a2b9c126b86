/* zmq_sockets.h - the sockets that messages are published by: libzmq's, which runs a thread.
 *
 * Layer: host. Loop thread. The only file that knows libzmq, which is loaded when it is needed;
 * built without it, nothing can be published. */
#ifndef HOST_ZMQ_SOCKETS_H
#define HOST_ZMQ_SOCKETS_H

#include "host/zmq_feed.h"
#include "util/log.h"

struct zmq_sockets;

/* Is libzmq built in? */
bool zmq_sockets_are_built(void);
/* Open a socket for each address that publishers name; several may share one.
 *
 * In:       publishers, log  borrowed as long as it lives
 * Returns:  NULL with *error, freed with xfree(): an address is no good, or in use, or libzmq is
 *           not there
 * Owns:     the caller */
NODISCARD struct zmq_sockets *zmq_sockets_open(const struct rpc_publisher *publishers, size_t n,
                                               const struct log *log, char **error);
/* Close them; what no subscriber has yet is dropped. NULL is allowed. */
void zmq_sockets_close(struct zmq_sockets *sockets);
/* Where a feed of the same publishers goes. */
struct zmq_sink zmq_sockets_sink(struct zmq_sockets *sockets);

#endif
