/* config_zmq.h - the options -zmqpub*: what is published, where.
 *
 * Layer: host. */
#ifndef HOST_CONFIG_ZMQ_H
#define HOST_CONFIG_ZMQ_H

#include "rpc/rpc.h"
#include "util/array.h"
#include "util/options.h"

#define CONFIG_PUBLISHERS_MAX 64 /* of all topics together */

/* By topic, then in the order given. Owns the addresses. */
struct config_zmq {
    ARRAY(struct rpc_publisher) publishers;
};

/* Read the options. zmq must be empty.
 *
 * Returns:  false with *error, a line for the user freed with xfree() */
NODISCARD bool config_zmq_init(struct config_zmq *zmq, const struct options *options, char **error);
/* Also after a config_zmq_init() that failed. */
void config_zmq_deinit(struct config_zmq *zmq);

#endif
