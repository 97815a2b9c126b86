/* zmq_feed.h - what has become of blocks and transactions, as the messages that -zmqpub* publishes.
 *
 * Layer: host. Loop thread. Topics, their bodies and their order are Core's: doc/zmq.md. Each
 * publisher counts its messages, so that who subscribes sees what has been left out for him. */
#ifndef HOST_ZMQ_FEED_H
#define HOST_ZMQ_FEED_H

#include "node/node.h"

struct zmq_feed;

/* Where messages go. */
struct zmq_sink {
    void *ctx;
    /* A message of the publisher of that index. Nobody is waited for: who is too slow for its
     * high-water mark loses it. */
    void (*send)(void *ctx, size_t index, const char *topic, struct span body, uint32_t sequence);
};

/* Make one for n publishers, which are borrowed as sink is. Owns: the caller. */
struct zmq_feed *zmq_feed_new(const struct rpc_publisher *publishers, size_t n,
                              const struct zmq_sink *sink);
/* NULL is allowed. */
void zmq_feed_free(struct zmq_feed *feed);
/* Publish what is to be told of that. */
void zmq_feed_tell(struct zmq_feed *feed, const struct node_news *news);

#endif
