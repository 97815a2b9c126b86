/* v2.h - the encrypted transport: messages out of a stream of bytes, and into one.
 *
 * Layer: p2p. Pure: bytes in, bytes out. Each side sends a key that looks random and as much
 * garbage as it likes; then all is packets of which only the length can be decrypted before the
 * whole is here. So nothing is known of a message by name, or is proven to come from the peer,
 * before its last byte. Spec: BIP-324, Transport layer specification */
#ifndef P2P_CORE_V2_H
#define P2P_CORE_V2_H

#include "p2p/core/frame.h"
#include "util/buffer.h"

/* BIP-324, Handshake: key exchange and version negotiation */
#define V2_KEY_BYTES        64
#define V2_GARBAGE_MAX      4095
#define V2_TERMINATOR_BYTES 16
/* What a packet has beyond its contents: length, header, tag. BIP-324, Packet encryption */
#define V2_EXPANSION_BYTES 20
#define V2_SESSION_BYTES   32

struct v2;

/* What a side brings along: never used twice. */
struct v2_own {
    uint8_t key[32];      /* secret */
    uint8_t encoding[64]; /* of its public key: ellswift_create() */
    struct span garbage;  /* at most V2_GARBAGE_MAX */
};

/* Start one end of a connection. Owns: the caller, v2_free() */
NODISCARD struct v2 *v2_new(const uint8_t magic[4], bool initiating, const struct v2_own *own);
/* Wipe and free it; NULL is allowed. */
void v2_free(struct v2 *v2);

/* What has to be sent first: key and garbage. Good until bytes come in. */
struct span v2_greeting(const struct v2 *v2);
/* Nothing of the peer is here, or a message of v1: if it is gone by now it may speak no v2. */
bool v2_is_refused(const struct v2 *v2);
/* The peer's key is here: messages can be sent. */
bool v2_can_send(const struct v2 *v2);
/* The peer's version packet is here and proves that it has the same keys. */
bool v2_is_established(const struct v2 *v2);
/* The same for both ends of a connection, and for nobody else. Only if v2_can_send(). */
const uint8_t *v2_session_id(const struct v2 *v2);

/* As frame_read(), of a stream from its first byte on. A message of a name that is no name is
 * FRAME_DISCARDED.
 *
 * Out:      out  what has to be sent now is appended: once, when the peer's key is here */
enum frame_result v2_read(struct v2 *v2, struct frame_reader *reader, struct span *bytes,
                          frame_rule_fn *rule, void *arg, struct buffer *out);

/* A message as it is sent. Returns: its bytes, to be freed with xfree(); len of them */
uint8_t *v2_encode(struct v2 *v2, const char *name, struct span payload, size_t *len);

#endif
