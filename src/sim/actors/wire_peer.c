/* wire_peer.c - see wire_peer.h */
#include "sim/actors/wire_peer.h"

#include <stdio.h>

#include "p2p/core/frame.h"
#include "p2p/core/wire.h"
#include "util/alloc.h"

struct wire_peer {
    const struct env *env;
    struct wire_peer_options options;
    struct frame_reader reader;
    uint64_t stream; /* 0: none */
    uint64_t timer;  /* until it connects again; 0: none */
    bool is_up, has_greeted, is_ready;
};

static void send_frame(struct wire_peer *peer, const char *name, struct span payload)
{
    uint8_t header[FRAME_HEADER_BYTES], checksum[4];
    frame_checksum(payload, checksum);
    frame_header_encode(header, peer->options.magic, name, payload.len, checksum);
    env_stream_send(peer->env, peer->stream, span_of(header, sizeof header));
    env_stream_send(peer->env, peer->stream, payload);
}

static void send_version(struct wire_peer *peer)
{
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct wire_version ours = {
        .version = WIRE_PROTOCOL_VERSION,
        .services = NODE_NETWORK | NODE_WITNESS,
        .time = env_unix_s(peer->env),
        .user_agent = "/guest:sim/",
    };
    env_random(peer->env, &ours.nonce, sizeof ours.nonce);
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&w, &ours);
    send_frame(peer, "version", span_of(bytes, w.len));
}

/* -- What the node does ------------------------------------------------------------------------ */

static void on_connect(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    struct wire_peer *peer = arg;
    (void)address, (void)port;
    peer->stream = stream;
    peer->is_up = true;
    send_version(peer);
}

static void connect_again(void *arg);

static void on_close(void *arg, uint64_t stream, int error)
{
    struct wire_peer *peer = arg;
    (void)stream, (void)error;
    bool was_ready = peer->is_ready;
    peer->stream = 0;
    peer->is_up = peer->has_greeted = peer->is_ready = false;
    frame_reader_deinit(&peer->reader);
    peer->timer = env_timer_start(peer->env, WIRE_PEER_RETRY_US, connect_again, peer);
    if (was_ready)
        peer->options.events->lost(peer->options.arg);
}

static struct frame_rule rule_of(void *arg, const char *name)
{
    (void)arg, (void)name;
    return (struct frame_rule){FRAME_PAYLOAD_MAX, .is_discarded = false};
}

static void take_message(struct wire_peer *peer)
{
    const char *name = peer->reader.name;
    struct span payload = frame_payload(&peer->reader);
    if (strcmp(name, "version") == 0 && !peer->has_greeted) {
        peer->has_greeted = true;
        send_frame(peer, "verack", span_of(NULL, 0));
    } else if (strcmp(name, "verack") == 0 && peer->has_greeted && !peer->is_ready) {
        peer->is_ready = true;
        peer->options.events->ready(peer->options.arg);
    } else if (strcmp(name, "ping") == 0) {
        send_frame(peer, "pong", payload);
    } else if (peer->is_ready) {
        peer->options.events->message(peer->options.arg, name, payload);
    }
}

static void on_bytes(void *arg, uint64_t stream, struct span bytes)
{
    struct wire_peer *peer = arg;
    (void)stream;
    while (bytes.len > 0 && peer->is_up) {
        enum frame_result result = frame_read(&peer->reader, &bytes, rule_of, NULL);
        if (result == FRAME_MESSAGE)
            take_message(peer);
        if (result == FRAME_BAD_MAGIC || result == FRAME_TOO_LARGE)
            return; /* it speaks of something else; it will close by itself */
    }
}

static void on_writable(void *arg, uint64_t stream)
{
    (void)arg, (void)stream;
}

static void connect_again(void *arg)
{
    static const struct env_stream_events events = {.on_connect = on_connect,
                                                    .on_bytes = on_bytes,
                                                    .on_writable = on_writable,
                                                    .on_close = on_close};
    struct wire_peer *peer = arg;
    peer->timer = 0;
    frame_reader_init(&peer->reader, peer->options.magic);
    peer->stream =
        env_stream_connect(peer->env, peer->options.address, peer->options.port, &events, peer);
}

/* -- From outside ------------------------------------------------------------------------------ */

struct wire_peer *wire_peer_new(const struct env *env, const struct wire_peer_options *options)
{
    ASSERT(env && options && options->address && options->magic && options->events);
    struct wire_peer *peer = xcalloc(1, sizeof *peer);
    peer->env = env;
    peer->options = *options;
    connect_again(peer);
    return peer;
}

void wire_peer_free(struct wire_peer *peer)
{
    ASSERT(peer);
    if (peer->timer)
        env_timer_cancel(peer->env, peer->timer);
    if (peer->stream)
        env_stream_close(peer->env, peer->stream);
    frame_reader_deinit(&peer->reader);
    xfree(peer);
}

bool wire_peer_is_ready(const struct wire_peer *peer)
{
    ASSERT(peer);
    return peer->is_ready;
}

void wire_peer_send(struct wire_peer *peer, const char *name, struct span payload)
{
    ASSERT(peer && name && payload.len <= FRAME_PAYLOAD_MAX);
    if (peer->is_ready)
        send_frame(peer, name, payload);
}
