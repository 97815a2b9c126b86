/* byte_peer.c - see byte_peer.h. */
#include "support/byte_peer.h"

#include "support/unit.h"
#include "util/assert.h"

#define PATIENCE_S 60

static struct byte_stream *find(struct byte_peer *peer, uint64_t id)
{
    for (size_t i = 0; i < peer->n_streams; i++)
        if (peer->streams[i].id == id)
            return &peer->streams[i];
    return NULL;
}

static void on_connect(void *arg, uint64_t id, const char *address, uint16_t port)
{
    struct byte_peer *peer = arg;
    (void)address, (void)port;
    ASSERT(peer->n_streams < BYTE_PEER_STREAMS);
    struct byte_stream *stream = &peer->streams[peer->n_streams++];
    *stream = (struct byte_stream){.id = id};
    buffer_init(&stream->got);
}

static void on_bytes(void *arg, uint64_t id, struct span bytes)
{
    struct byte_stream *stream = find(arg, id);
    if (stream)
        buffer_append(&stream->got, bytes.p, bytes.len);
}

static void on_writable(void *arg, uint64_t id)
{
    (void)arg, (void)id;
}

static void on_close(void *arg, uint64_t id, int error)
{
    struct byte_stream *stream = find(arg, id);
    (void)error;
    if (stream)
        stream->is_closed = true;
}

static const struct env_stream_events events = {on_connect, on_bytes, on_writable, on_close};

void byte_peer_listen(struct byte_peer *peer, struct mesh *mesh, uint16_t port)
{
    int error;
    *peer = (struct byte_peer){.mesh = mesh, .env = sim_env_get(mesh->prober_sim)};
    peer->listener = env_stream_listen(peer->env, BYTE_PEER_ADDRESS, port, &events, peer, &error);
    assert_int_equal(error, 0);
}

void byte_peer_close(struct byte_peer *peer)
{
    if (!peer->env)
        return;
    env_stream_close(peer->env, peer->listener);
    for (size_t i = 0; i < peer->n_streams; i++) {
        env_stream_close(peer->env, peer->streams[i].id);
        buffer_deinit(&peer->streams[i].got);
    }
    peer->n_streams = 0;
    peer->env = NULL;
}

/* What is waited for. */
struct wish {
    const struct byte_peer *peer;
    size_t n_streams, stream, len;
    bool wants_line, wants_close;
};

static bool is_granted(void *arg)
{
    const struct wish *wish = arg;
    const struct byte_stream *stream = &wish->peer->streams[wish->stream];
    if (wish->peer->n_streams < wish->n_streams)
        return false;
    if (wish->wants_close)
        return stream->is_closed;
    if (wish->wants_line)
        return stream->got.len > 0 && memchr(stream->got.p, '\n', stream->got.len);
    return stream->got.len >= wish->len;
}

static void await(struct byte_peer *peer, struct wish wish)
{
    wish.peer = peer;
    assert_true(mesh_run_until(peer->mesh, is_granted, &wish, PATIENCE_S));
}

void byte_peer_await(struct byte_peer *peer, size_t n_streams)
{
    await(peer, (struct wish){.n_streams = n_streams});
}

void byte_peer_await_close(struct byte_peer *peer, size_t stream)
{
    await(peer, (struct wish){.n_streams = stream + 1, .stream = stream, .wants_close = true});
}

void byte_peer_expect(struct byte_peer *peer, size_t stream, const void *bytes, size_t len)
{
    await(peer, (struct wish){.n_streams = stream + 1, .stream = stream, .len = len});
    struct buffer *got = &peer->streams[stream].got;
    assert_int_equal(got->len, len);
    assert_memory_equal(got->p, bytes, len);
    got->len = 0;
}

void byte_peer_expect_text(struct byte_peer *peer, size_t stream, const char *text)
{
    byte_peer_expect(peer, stream, text, strlen(text));
}

const char *byte_peer_line(struct byte_peer *peer, size_t stream)
{
    await(peer, (struct wish){.n_streams = stream + 1, .stream = stream, .wants_line = true});
    struct buffer *got = &peer->streams[stream].got;
    size_t len = (size_t)((uint8_t *)memchr(got->p, '\n', got->len) - got->p) + 1, rest;
    /* Behind what has not been looked at, so that it lives until the next call. */
    rest = got->len - len;
    (void)buffer_reserve(got, len + 1);
    uint8_t *line = got->p + got->len;
    memcpy(line, got->p, len);
    memmove(got->p, got->p + len, rest + len);
    got->len = rest;
    line = got->p + rest;
    line[len] = '\0';
    line[len - 1] = '\0';
    if (len > 1 && line[len - 2] == '\r')
        line[len - 2] = '\0';
    return (const char *)line;
}

void byte_peer_send(struct byte_peer *peer, size_t stream, const void *bytes, size_t len)
{
    assert_true(stream < peer->n_streams);
    env_stream_send(peer->env, peer->streams[stream].id, span_of(bytes, len));
}

void byte_peer_say(struct byte_peer *peer, size_t stream, const char *text)
{
    byte_peer_send(peer, stream, text, strlen(text));
}
