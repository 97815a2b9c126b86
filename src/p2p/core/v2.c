/* v2.c - see v2.h. */
#include "p2p/core/v2.h"

#include <stdio.h>

#include "crypto/aead.h"
#include "crypto/chacha20.h"
#include "crypto/ellswift.h"
#include "crypto/hmac.h"
#include "crypto/mem.h"
#include "util/alloc.h"

#define LENGTH_BYTES 3
#define HEADER_BYTES 1 /* of a packet, within what is encrypted */
#define DECOY        0x80
/* One byte names the usual messages; zero, and the twelve bytes of v1, any other. */
#define NAME_BYTES_MAX (1 + FRAME_NAME_BYTES)

_Static_assert(V2_EXPANSION_BYTES == LENGTH_BYTES + HEADER_BYTES + AEAD_TAG_BYTES,
               "what a packet has beyond its contents");

enum v2_state {
    V2_KEY,         /* the peer's key is coming */
    V2_GARBAGE,     /* until the terminator */
    V2_VERSION,     /* packets up to the first that is no decoy */
    V2_APPLICATION, /* messages */
};

/* One direction. */
struct v2_cipher {
    struct fs_chacha20 length;
    struct fs_aead *packet;
    uint8_t terminator[V2_TERMINATOR_BYTES];
};

struct v2 {
    uint8_t magic[4];
    bool initiating, is_answered_in_v1;
    enum v2_state state;
    uint8_t key[32];        /* until the secret is agreed on */
    struct buffer greeting; /* ours: key and garbage, which our first packet proves */
    struct buffer heard;    /* the peer's key, or its garbage with the terminator */
    struct v2_cipher in, out;
    uint8_t session_id[V2_SESSION_BYTES];
};

/* By BIP-324, v2 Bitcoin P2P message structure: the index is the byte. */
static const char *const short_names[] = {"",
                                          "addr",
                                          "block",
                                          "blocktxn",
                                          "cmpctblock",
                                          "feefilter",
                                          "filteradd",
                                          "filterclear",
                                          "filterload",
                                          "getblocks",
                                          "getblocktxn",
                                          "getdata",
                                          "getheaders",
                                          "headers",
                                          "inv",
                                          "mempool",
                                          "merkleblock",
                                          "notfound",
                                          "ping",
                                          "pong",
                                          "sendcmpct",
                                          "tx",
                                          "getcfilters",
                                          "cfilter",
                                          "getcfheaders",
                                          "cfheaders",
                                          "getcfcheckpt",
                                          "cfcheckpt",
                                          "addrv2",
                                          /* BIP-434, feature message 1-byte identifier */
                                          [37] = "feature"};

/* -- Making ------------------------------------------------------------------------------------ */

struct v2 *v2_new(const uint8_t magic[4], bool initiating, const struct v2_own *own)
{
    ASSERT(own->garbage.len <= V2_GARBAGE_MAX);
    struct v2 *v2 = xcalloc(1, sizeof *v2);
    memcpy(v2->magic, magic, 4);
    memcpy(v2->key, own->key, 32);
    v2->initiating = initiating;
    buffer_init(&v2->greeting);
    buffer_init(&v2->heard);
    buffer_append(&v2->greeting, own->encoding, sizeof own->encoding);
    buffer_append(&v2->greeting, own->garbage.p, own->garbage.len);
    return v2;
}

void v2_free(struct v2 *v2)
{
    if (!v2)
        return;
    buffer_deinit(&v2->greeting);
    buffer_deinit(&v2->heard);
    fs_aead_free(v2->in.packet);
    fs_aead_free(v2->out.packet);
    mem_wipe(v2, sizeof *v2);
    xfree(v2);
}

struct span v2_greeting(const struct v2 *v2)
{
    return buffer_span(&v2->greeting);
}

bool v2_is_refused(const struct v2 *v2)
{
    return v2->state == V2_KEY && (v2->heard.len == 0 || v2->is_answered_in_v1);
}

bool v2_can_send(const struct v2 *v2)
{
    return v2->state != V2_KEY;
}

bool v2_is_established(const struct v2 *v2)
{
    return v2->state == V2_APPLICATION;
}

const uint8_t *v2_session_id(const struct v2 *v2)
{
    ASSERT(v2_can_send(v2));
    return v2->session_id;
}

/* -- Keys -------------------------------------------------------------------------------------- */

static void derive(const uint8_t prk[32], const char *info, uint8_t out[32])
{
    hkdf_sha256_expand(prk, span_of(info, strlen(info)), out, 32);
}

static void cipher_init(struct v2_cipher *cipher, const uint8_t prk[32], const char *length_info,
                        const char *packet_info)
{
    uint8_t key[32];
    derive(prk, length_info, key);
    fs_chacha20_init(&cipher->length, key);
    derive(prk, packet_info, key);
    cipher->packet = fs_aead_new(key);
    mem_wipe(key, sizeof key);
}

/* BIP-324, Keys and session ID derivation */
static void derive_keys(struct v2 *v2, const uint8_t secret[32])
{
    static const char label[] = "bitcoin_v2_shared_secret";
    uint8_t salt[sizeof label - 1 + 4], prk[32], terminators[32];
    struct v2_cipher *initiator = v2->initiating ? &v2->out : &v2->in;
    struct v2_cipher *responder = v2->initiating ? &v2->in : &v2->out;
    memcpy(salt, label, sizeof label - 1);
    memcpy(salt + sizeof label - 1, v2->magic, 4);
    hkdf_sha256_extract(span_of(salt, sizeof salt), span_of(secret, 32), prk);
    cipher_init(initiator, prk, "initiator_L", "initiator_P");
    cipher_init(responder, prk, "responder_L", "responder_P");
    derive(prk, "garbage_terminators", terminators);
    memcpy(initiator->terminator, terminators, V2_TERMINATOR_BYTES);
    memcpy(responder->terminator, terminators + V2_TERMINATOR_BYTES, V2_TERMINATOR_BYTES);
    derive(prk, "session_id", v2->session_id);
    mem_wipe(prk, sizeof prk);
}

/* -- Packets out ------------------------------------------------------------------------------- */

/* The first authenticates the garbage that we sent. */
static uint8_t *encode_packet(struct v2 *v2, struct span aad, struct span head, struct span body,
                              size_t *len)
{
    ASSERT(head.len >= HEADER_BYTES);
    size_t contents = head.len - HEADER_BYTES + body.len;
    uint8_t *out = xmalloc(contents + V2_EXPANSION_BYTES);
    const uint8_t length[LENGTH_BYTES] = {(uint8_t)contents, (uint8_t)(contents >> 8),
                                          (uint8_t)(contents >> 16)};
    fs_chacha20_crypt(&v2->out.length, out, length, LENGTH_BYTES);
    fs_aead_encrypt(v2->out.packet, aad, head, body, out + LENGTH_BYTES);
    *len = contents + V2_EXPANSION_BYTES;
    return out;
}

uint8_t *v2_encode(struct v2 *v2, const char *name, struct span payload, size_t *len)
{
    ASSERT(v2_can_send(v2) && payload.len <= FRAME_PAYLOAD_MAX);
    uint8_t head[HEADER_BYTES + NAME_BYTES_MAX] = {0};
    size_t head_len = sizeof head, n = strlen(name);
    ASSERT(n > 0 && n <= FRAME_NAME_BYTES);
    for (size_t i = 1; i < COUNT_OF(short_names); i++)
        if (short_names[i] && strcmp(name, short_names[i]) == 0) {
            head[HEADER_BYTES] = (uint8_t)i;
            head_len = HEADER_BYTES + 1;
        }
    if (head_len == sizeof head)
        memcpy(head + HEADER_BYTES + 1, name, n);
    return encode_packet(v2, span_of(NULL, 0), span_of(head, head_len), payload, len);
}

/* -- The handshake ----------------------------------------------------------------------------- */

static size_t take(struct buffer *to, struct span *bytes, size_t up_to)
{
    size_t n = MIN_OF(up_to - to->len, bytes->len);
    buffer_append(to, bytes->p, n);
    bytes->p += n;
    bytes->len -= n;
    return n;
}

/* A peer of v1 on another network would be taken for one of v2, as its magic is not ours; a key has
 * these bytes by chance once in 2^96. Core: ProcessReceivedKeyBytes() */
static bool is_v1_elsewhere(const struct v2 *v2)
{
    static const char version[FRAME_NAME_BYTES] = "version";
    return !v2->initiating && v2->heard.len >= 4 + sizeof version &&
           memcmp(v2->heard.p + 4, version, sizeof version) == 0;
}

/* Some v1 peers do not hang up at our key: bcoin answers with a message, "reject". */
static bool is_v1_answer(const struct v2 *v2)
{
    char name[FRAME_NAME_BYTES + 1];
    return v2->initiating && v2->heard.len >= 4 + FRAME_NAME_BYTES &&
           memcmp(v2->heard.p, v2->magic, 4) == 0 && frame_name_decode(v2->heard.p + 4, name) &&
           name[0] != '\0';
}

/* Both keys are here: the terminator of our garbage, and a version packet that says nothing. */
static enum frame_result take_key(struct v2 *v2, struct span *bytes, struct buffer *out)
{
    (void)take(&v2->heard, bytes, V2_KEY_BYTES);
    v2->is_answered_in_v1 = is_v1_answer(v2);
    if (v2->is_answered_in_v1)
        return FRAME_BAD_MAGIC;
    if (is_v1_elsewhere(v2))
        return FRAME_OTHER_NETWORK;
    if (v2->heard.len < V2_KEY_BYTES)
        return FRAME_MORE;
    uint8_t secret[32];
    bool is_agreed = ellswift_agree(v2->key, v2->greeting.p, v2->heard.p, v2->initiating, secret);
    ASSERT(is_agreed); /* our key was good enough for an encoding */
    derive_keys(v2, secret);
    mem_wipe(secret, sizeof secret);
    mem_wipe(v2->key, sizeof v2->key);
    struct span garbage = span_of(v2->greeting.p + V2_KEY_BYTES, v2->greeting.len - V2_KEY_BYTES);
    const uint8_t header[HEADER_BYTES] = {0};
    size_t len;
    uint8_t *packet =
        encode_packet(v2, garbage, span_of(header, HEADER_BYTES), span_of(NULL, 0), &len);
    buffer_append(out, v2->out.terminator, V2_TERMINATOR_BYTES);
    buffer_append(out, packet, len);
    xfree(packet);
    buffer_deinit(&v2->greeting);
    v2->heard.len = 0;
    v2->state = V2_GARBAGE;
    return FRAME_MORE;
}

/* The terminator may begin in what came before. What is behind it is given back. */
static enum frame_result take_garbage(struct v2 *v2, struct span *bytes)
{
    size_t from = v2->heard.len < V2_TERMINATOR_BYTES ? 0 : v2->heard.len - V2_TERMINATOR_BYTES + 1;
    struct span before = *bytes;
    size_t old_len = v2->heard.len;
    (void)take(&v2->heard, bytes, V2_GARBAGE_MAX + V2_TERMINATOR_BYTES);
    for (; from + V2_TERMINATOR_BYTES <= v2->heard.len; from++) {
        if (memcmp(v2->heard.p + from, v2->in.terminator, V2_TERMINATOR_BYTES) != 0)
            continue;
        size_t used = from + V2_TERMINATOR_BYTES - old_len;
        *bytes = span_of(before.p + used, before.len - used);
        v2->heard.len = from; /* without the terminator: what the next packet proves */
        v2->state = V2_VERSION;
        return FRAME_MORE;
    }
    return v2->heard.len == V2_GARBAGE_MAX + V2_TERMINATOR_BYTES ? FRAME_NO_TERMINATOR : FRAME_MORE;
}

/* -- Packets in -------------------------------------------------------------------------------- */

/* The length of the next packet, as soon as it is here. */
static enum frame_result take_length(struct v2 *v2, struct frame_reader *reader, struct span *bytes)
{
    uint8_t length[LENGTH_BYTES];
    if (!frame_take_header(reader, bytes, LENGTH_BYTES))
        return FRAME_MORE;
    fs_chacha20_crypt(&v2->in.length, length, reader->header, LENGTH_BYTES);
    uint32_t contents = length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16;
    if (contents > NAME_BYTES_MAX + FRAME_PAYLOAD_MAX)
        return FRAME_TOO_LARGE;
    frame_open_sealed(reader, HEADER_BYTES + contents + AEAD_TAG_BYTES);
    return FRAME_MORE;
}

/* What is left of a message when its name is taken off. Returns: false: it has none */
static bool open_name(struct frame_reader *reader, uint8_t first, struct span *payload)
{
    if (first >= COUNT_OF(short_names) || !short_names[first] ||
        (first == 0 && payload->len < FRAME_NAME_BYTES))
        return false;
    if (first != 0) {
        snprintf(reader->name, sizeof reader->name, "%s", short_names[first]);
        return true;
    }
    bool is_name = frame_name_decode(payload->p, reader->name);
    *payload = span_of(payload->p + FRAME_NAME_BYTES, payload->len - FRAME_NAME_BYTES);
    return is_name;
}

/* A whole packet is here. Decrypted where it lies, then moved to the front: who takes it over takes
 * the allocation. */
static enum frame_result open_packet(struct v2 *v2, struct frame_reader *reader,
                                     frame_rule_fn *rule, void *arg)
{
    uint8_t head[HEADER_BYTES + 1] = {0};
    struct span sealed = span_of(reader->payload, reader->payload_len);
    size_t head_len = reader->payload_len > HEADER_BYTES + AEAD_TAG_BYTES ? 2 : 1;
    struct span aad = buffer_span(&v2->heard);
    uint8_t *body = reader->payload ? reader->payload + head_len : NULL;
    if (reader->is_discarded) {
        (void)!fs_aead_decrypt(v2->in.packet, aad, span_of(NULL, 0), head, 0, NULL); /* counted */
    } else if (!fs_aead_decrypt(v2->in.packet, aad, sealed, head, head_len, body)) {
        return FRAME_BAD_PACKET;
    }
    v2->heard.len = 0;
    bool is_version = v2->state == V2_VERSION;
    if (is_version && !(head[0] & DECOY)) {
        v2->state = V2_APPLICATION;
        buffer_deinit(&v2->heard);
    }
    struct span payload =
        span_of(body, reader->is_discarded ? 0 : sealed.len - head_len - AEAD_TAG_BYTES);
    if (is_version || (head[0] & DECOY) || reader->is_discarded || head_len == 1 ||
        !open_name(reader, head[1], &payload)) {
        bool is_nothing = is_version || (head[0] & DECOY);
        frame_close_discarded(reader);
        if (!is_nothing)
            return FRAME_DISCARDED;
        frame_reader_trim(reader);
        return FRAME_MORE;
    }
    return frame_close(reader, payload, rule, arg);
}

enum frame_result v2_read(struct v2 *v2, struct frame_reader *reader, struct span *bytes,
                          frame_rule_fn *rule, void *arg, struct buffer *out)
{
    enum frame_result result = FRAME_MORE;
    if (v2->state == V2_KEY)
        result = take_key(v2, bytes, out);
    if (v2->state == V2_GARBAGE && result == FRAME_MORE)
        result = take_garbage(v2, bytes);
    while (v2->state >= V2_VERSION && result == FRAME_MORE && bytes->len > 0) {
        if (!frame_is_open(reader)) {
            result = take_length(v2, reader, bytes);
            if (!frame_is_open(reader) || result != FRAME_MORE)
                break;
        }
        if (!frame_take_payload(reader, bytes))
            break;
        result = open_packet(v2, reader, rule, arg);
    }
    return result;
}
