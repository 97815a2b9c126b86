/* transport.h - how bytes of one connection become messages and the other way round: v1 or v2.
 *
 * Layer: p2p. Who connects to us shows by his first bytes which of the two he speaks. We begin with
 * v2 where the peer is said to speak it; one that hangs up at our key does not, and is called again
 * with v1. Spec: BIP-324, Handshake: key exchange and version negotiation */
#ifndef P2P_CORE_TRANSPORT_H
#define P2P_CORE_TRANSPORT_H

#include "p2p/core/v2.h"
#include "util/env.h"

/* What a v1 peer begins with: the network's magic, and the name of the first message. */
#define TRANSPORT_PREFIX_BYTES 16

/* To who is not known to speak v2: programs without it count each 24 bytes as a bad message, and
 * bcoin bans after ten of them, so that calling it again with v1 would be in vain. */
#define TRANSPORT_UNSURE_GARBAGE_MAX 100

/* What all connections share. */
struct transport_world {
    const struct env *env;
    const uint8_t *magic;  /* 4 bytes, borrowed */
    struct ec_context *ec; /* made when the first key is */
};

/* Free what it holds: after the last connection. */
void transport_world_deinit(struct transport_world *world);

enum transport_kind {
    TRANSPORT_V1,
    TRANSPORT_DETECTING, /* not enough is here to tell */
    TRANSPORT_V2,
};

/* Of one connection. Zero is v1 that has not begun. */
struct transport {
    struct transport_world *world;
    uint64_t stream;
    enum transport_kind kind;
    bool initiating;
    bool is_unsure; /* whether the peer speaks v2: set before transport_begin() */
    struct v2 *v2; /* owned, if it is V2 and has begun */
    uint8_t prefix[TRANSPORT_PREFIX_BYTES];
    size_t prefix_len;
    size_t handshake_bytes; /* sent for it, and not yet asked for */
};

/* The stream is up: begin as transport->kind says. Who initiates with v2 sends its key.
 *
 * In:       world  borrowed until transport_deinit() */
void transport_begin(struct transport *transport, struct transport_world *world, uint64_t stream,
                     bool initiating);
/* The peer is gone. */
void transport_deinit(struct transport *transport);
/* Messages can be sent. */
bool transport_can_send(const struct transport *transport);
/* As frame_read(); sends what the handshake asks for. */
enum frame_result transport_read(struct transport *transport, struct frame_reader *reader,
                                 struct span *bytes, frame_rule_fn *rule, void *arg);
/* Send a message. Returns: how many bytes it takes on the wire */
size_t transport_send(struct transport *transport, const char *name, struct span payload);
/* Bytes that were sent for the handshake since the last call. */
size_t transport_take_sent(struct transport *transport);
/* It has gone at our key without a word, or has answered in v1: it speaks no v2.
 * Core: ShouldReconnectV1(), for the first */
bool transport_wants_v1(const struct transport *transport);
/* As getpeerinfo names it: "v1", "v2", "detecting". */
const char *transport_name(const struct transport *transport);

#endif
