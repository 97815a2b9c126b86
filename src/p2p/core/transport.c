/* transport.c - see transport.h. */
#include "p2p/core/transport.h"

#include "crypto/ellswift.h"
#include "crypto/mem.h"
#include "util/alloc.h"
#include "util/planted.h"

#define SENT_WHOLE_BYTES 1024 /* of a message in the clear: header and payload in one piece */

void transport_world_deinit(struct transport_world *world)
{
    ec_context_free(world->ec);
    world->ec = NULL;
}

static const struct ec_context *ec_of(struct transport_world *world)
{
    if (!world->ec) {
        uint8_t seed[32];
        env_random(world->env, seed, sizeof seed);
        world->ec = ec_context_new(seed);
        mem_wipe(seed, sizeof seed);
    }
    return world->ec;
}

static void send_handshake(struct transport *transport, struct span bytes)
{
    env_stream_send(transport->world->env, transport->stream, bytes);
    transport->handshake_bytes += bytes.len;
}

/* As much garbage as chance says, so that the length of what is sent tells nothing either. */
static void start_v2(struct transport *transport)
{
    struct transport_world *world = transport->world;
    ASSERT(!transport->v2);
    uint8_t garbage[V2_GARBAGE_MAX], random[32];
    uint16_t chance;
    struct v2_own own;
    env_random(world->env, &chance, sizeof chance);
    size_t most = transport->is_unsure ? TRANSPORT_UNSURE_GARBAGE_MAX : V2_GARBAGE_MAX;
    size_t n = chance % (most + 1);
    if (n > 0)
        env_random(world->env, garbage, n);
    own.garbage = span_of(garbage, n);
    do {
        env_random(world->env, own.key, sizeof own.key);
        env_random(world->env, random, sizeof random);
    } while (!ellswift_create(ec_of(world), own.key, random, own.encoding));
    transport->v2 = v2_new(world->magic, transport->initiating, &own);
    mem_wipe(&own, sizeof own);
    mem_wipe(random, sizeof random);
    transport->kind = TRANSPORT_V2;
    send_handshake(transport, v2_greeting(transport->v2));
}

void transport_begin(struct transport *transport, struct transport_world *world, uint64_t stream,
                     bool initiating)
{
    ASSERT(!transport->v2 && (initiating || transport->kind != TRANSPORT_V2));
    transport->world = world;
    transport->stream = stream;
    transport->initiating = initiating;
    if (transport->kind == TRANSPORT_V2)
        start_v2(transport);
}

void transport_deinit(struct transport *transport)
{
    v2_free(transport->v2);
    transport->v2 = NULL;
}

bool transport_can_send(const struct transport *transport)
{
    return transport->kind == TRANSPORT_V1 || (transport->v2 && v2_can_send(transport->v2));
}

/* -- In ---------------------------------------------------------------------------------------- */

/* The first byte that is not v1's decides, so that one who speaks v2 is never kept waiting; only
 * after it do we say anything, or we could be probed. */
static void detect(struct transport *transport, struct span *bytes)
{
    uint8_t v1[TRANSPORT_PREFIX_BYTES] = {0};
    memcpy(v1, transport->world->magic, 4);
    memcpy(v1 + 4, "version", 7);
    while (bytes->len > 0 && transport->kind == TRANSPORT_DETECTING) {
        uint8_t byte = bytes->p[0];
        if (byte != v1[transport->prefix_len]) {
            start_v2(transport);
            return;
        }
        transport->prefix[transport->prefix_len++] = byte;
        bytes->p++;
        bytes->len--;
        if (transport->prefix_len == TRANSPORT_PREFIX_BYTES)
            transport->kind = TRANSPORT_V1;
    }
}

static enum frame_result read_one(struct transport *transport, struct frame_reader *reader,
                                  struct span *bytes, frame_rule_fn *rule, void *arg)
{
    if (transport->kind == TRANSPORT_V1)
        return frame_read(reader, bytes, rule, arg);
    const struct env *env = transport->world->env;
    struct buffer out;
    buffer_init(&out);
    enum frame_result result = v2_read(transport->v2, reader, bytes, rule, arg, &out);
    if (out.len > 0)
        send_handshake(transport, buffer_span(&out));
    buffer_deinit(&out);
    bool is_borne = (result == FRAME_NO_TERMINATOR && PLANTED(env, GARBAGE_ENDLESS)) ||
                    (result == FRAME_BAD_PACKET && PLANTED(env, PACKETS_UNPROVEN)) ||
                    (result == FRAME_OTHER_NETWORK && PLANTED(env, OTHER_NETWORKS_HEARD));
    if (is_borne)
        *bytes = span_of(NULL, 0);
    return is_borne ? FRAME_MORE : result;
}

enum frame_result transport_read(struct transport *transport, struct frame_reader *reader,
                                 struct span *bytes, frame_rule_fn *rule, void *arg)
{
    if (transport->kind == TRANSPORT_DETECTING) {
        detect(transport, bytes);
        if (transport->kind == TRANSPORT_DETECTING)
            return FRAME_MORE;
    }
    if (transport->prefix_len > 0) {
        /* What was looked at is part of the first header, or of the key: shorter than either. */
        struct span prefix = span_of(transport->prefix, transport->prefix_len);
        transport->prefix_len = 0;
        enum frame_result result = read_one(transport, reader, &prefix, rule, arg);
        ASSERT(result == FRAME_MORE && prefix.len == 0);
    }
    return bytes->len > 0 ? read_one(transport, reader, bytes, rule, arg) : FRAME_MORE;
}

/* -- Out --------------------------------------------------------------------------------------- */

static void release(void *arg)
{
    xfree(arg);
}

size_t transport_send(struct transport *transport, const char *name, struct span payload)
{
    ASSERT(transport_can_send(transport));
    const struct env *env = transport->world->env;
    if (transport->kind == TRANSPORT_V2) {
        size_t len;
        uint8_t *packet = v2_encode(transport->v2, name, payload, &len);
        env_stream_send_shared(env, transport->stream, span_of(packet, len), release, packet);
        return len;
    }
    uint8_t bytes[FRAME_HEADER_BYTES + SENT_WHOLE_BYTES], checksum[4];
    frame_checksum(payload, checksum);
    frame_header_encode(bytes, transport->world->magic, name, payload.len, checksum);
    if (payload.len <= SENT_WHOLE_BYTES) {
        if (payload.len > 0)
            memcpy(bytes + FRAME_HEADER_BYTES, payload.p, payload.len);
        env_stream_send(env, transport->stream, span_of(bytes, FRAME_HEADER_BYTES + payload.len));
        return FRAME_HEADER_BYTES + payload.len;
    }
    env_stream_send(env, transport->stream, span_of(bytes, FRAME_HEADER_BYTES));
    env_stream_send(env, transport->stream, payload);
    return FRAME_HEADER_BYTES + payload.len;
}

size_t transport_take_sent(struct transport *transport)
{
    size_t n = transport->handshake_bytes;
    transport->handshake_bytes = 0;
    return n;
}

/* -- Asking ------------------------------------------------------------------------------------ */

bool transport_wants_v1(const struct transport *transport)
{
    return transport->initiating && transport->v2 && v2_is_refused(transport->v2);
}

const char *transport_name(const struct transport *transport)
{
    if (transport->kind == TRANSPORT_V1)
        return "v1";
    return transport->v2 && v2_is_established(transport->v2) ? "v2" : "detecting";
}
