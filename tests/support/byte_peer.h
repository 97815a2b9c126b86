/* byte_peer.h - one who waits for a node's streams and says what the test says, byte by byte: a
 * proxy, a bridge, a control port.
 *
 * For tests with support/mesh.h. It is where scripted peers are, at 10.9.9.9. */
#ifndef TESTS_SUPPORT_BYTE_PEER_H
#define TESTS_SUPPORT_BYTE_PEER_H

#include "support/mesh.h"
#include "util/buffer.h"

#define BYTE_PEER_ADDRESS "10.9.9.9"
#define BYTE_PEER_STREAMS 128

struct byte_stream {
    uint64_t id;
    struct buffer got; /* since the last byte_peer_take() */
    bool is_closed;
};

struct byte_peer {
    struct mesh *mesh;
    const struct env *env;
    uint64_t listener;
    struct byte_stream streams[BYTE_PEER_STREAMS]; /* in the order in which they came */
    size_t n_streams;
};

/* Wait for streams at that port. */
void byte_peer_listen(struct byte_peer *peer, struct mesh *mesh, uint16_t port);
/* Close everything: before the mesh ends. */
void byte_peer_close(struct byte_peer *peer);

/* Wait until there are that many streams; the test fails after 60 s. */
void byte_peer_await(struct byte_peer *peer, size_t n_streams);
/* Wait for bytes on a stream, exactly these and no others, within 60 s. */
void byte_peer_expect(struct byte_peer *peer, size_t stream, const void *bytes, size_t len);
/* The same with text. */
void byte_peer_expect_text(struct byte_peer *peer, size_t stream, const char *text);
/* Wait for a line and take it, without its end, which is "\n" or "\r\n"; borrowed until the next
 * call on that stream. */
const char *byte_peer_line(struct byte_peer *peer, size_t stream);
/* Wait until a stream is closed by the node. */
void byte_peer_await_close(struct byte_peer *peer, size_t stream);
/* Say something. */
void byte_peer_send(struct byte_peer *peer, size_t stream, const void *bytes, size_t len);
/* The same with text. */
void byte_peer_say(struct byte_peer *peer, size_t stream, const char *text);

#endif
