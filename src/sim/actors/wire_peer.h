/* wire_peer.h - one connection to a node, spoken by hand: greeting, pings and frames of v1.
 *
 * Layer: sim. For who is no node but must look like one. What it says beyond the greeting is up to
 * its owner. It comes back when it is cut off. */
#ifndef SIM_ACTORS_WIRE_PEER_H
#define SIM_ACTORS_WIRE_PEER_H

#include "util/env.h"

#define WIRE_PEER_RETRY_US INT64_C(5000000) /* until it comes back */

struct wire_peer;

/* What its owner hears; none may free the peer. */
struct wire_peer_events {
    void (*ready)(void *arg); /* both have greeted */
    /* Whatever the node says after that; the payload is borrowed for the call. */
    void (*message)(void *arg, const char *name, struct span payload);
    void (*lost)(void *arg); /* the connection, after ready */
};

struct wire_peer_options {
    const char *address; /* of the node, numeric; borrowed for the peer's life */
    uint16_t port;
    const uint8_t *magic; /* 4 bytes, of its network; borrowed likewise */
    const struct wire_peer_events *events;
    void *arg;
};

/* Begin to connect. Owns: the caller; to be freed before env. */
NODISCARD struct wire_peer *wire_peer_new(const struct env *env,
                                          const struct wire_peer_options *options);
/* Close and free. */
void wire_peer_free(struct wire_peer *peer);
/* Both have greeted, and it is still there. */
bool wire_peer_is_ready(const struct wire_peer *peer);
/* Say something; nothing is sent while it is not ready. */
void wire_peer_send(struct wire_peer *peer, const char *name, struct span payload);

#endif
