/* frame.h - messages out of a stream of bytes, and into one: the v1 transport.
 *
 * Layer: p2p. 4 bytes network magic, 12 bytes name, 4 bytes length, 4 bytes checksum, payload. The
 * header is checked before anything is allocated, and memory grows as data arrives: a peer that
 * announces 4 MB and sends one byte costs a few kilobytes. Hazard 46, CVE-2015-3641. */
#ifndef P2P_CORE_FRAME_H
#define P2P_CORE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

#define FRAME_HEADER_BYTES 24
#define FRAME_NAME_BYTES   12
#define FRAME_PAYLOAD_MAX  4000000 /* Core MAX_PROTOCOL_MESSAGE_LENGTH */

enum frame_result {
    FRAME_MORE,      /* all bytes taken, no whole message yet */
    FRAME_MESSAGE,   /* one message is complete: see name and payload */
    FRAME_DISCARDED, /* the same of one that nobody wants: only name and payload_size are known */
    FRAME_BAD_CHECKSUM, /* a whole message was dropped; the stream goes on */
    FRAME_BAD_MAGIC,    /* the peer speaks another protocol or network: close */
    FRAME_TOO_LARGE,    /* close */
    /* Of v2.c alone, which close too: */
    FRAME_NO_TERMINATOR, /* more garbage than there may be */
    FRAME_BAD_PACKET,    /* it cannot be decrypted */
    FRAME_OTHER_NETWORK, /* v1, of another network */
};

/* What is known of a message by its name. */
struct frame_rule {
    uint32_t max_bytes; /* of payload; FRAME_PAYLOAD_MAX bounds it in any case */
    bool is_discarded;  /* its payload is thrown away as it comes, whatever its checksum */
};
typedef struct frame_rule frame_rule_fn(void *arg, const char *name);

/* One direction of one stream. */
struct frame_reader {
    uint8_t magic[4];
    uint8_t header[FRAME_HEADER_BYTES];
    uint32_t header_len;
    char name[FRAME_NAME_BYTES + 1]; /* zero-terminated; valid once the header is complete;
                                      * "" if it is not printable or has bytes behind its end */
    uint8_t *payload;                /* owned */
    uint32_t payload_len;            /* bytes here */
    uint32_t payload_size;           /* bytes the header announces */
    uint32_t capacity;
    uint32_t overhead; /* what the message had beside its payload; valid once it is complete */
    bool is_discarded; /* the message being read: nothing of it is kept */
    bool is_sealed;    /* encrypted: neither name nor payload can be looked at yet */
};

/* Start reading a stream of that network. */
void frame_reader_init(struct frame_reader *reader, const uint8_t magic[4]);
/* Free what is held of an unfinished message. */
void frame_reader_deinit(struct frame_reader *reader);

/* Take bytes up to the end of the next message, moving the span on. After FRAME_MESSAGE, name and
 * frame_payload() are good until the next call. rule(arg, name) (may be NULL) is asked once for
 * each message, when its header is here. */
enum frame_result frame_read(struct frame_reader *reader, struct span *bytes, frame_rule_fn *rule,
                             void *arg);

/* A header is here, its message is not complete. */
bool frame_is_open(const struct frame_reader *reader);
/* Give up the message that is being read: what is here of it is freed, the rest thrown away. */
void frame_discard(struct frame_reader *reader);

/* The message's bytes, borrowed; none of a message that was discarded. */
struct span frame_payload(const struct frame_reader *reader);

/* Take them over; free with xfree(). Afterwards frame_payload() is empty. */
uint8_t *frame_payload_take(struct frame_reader *reader, size_t *len);

/* After a message was dealt with: let go of a large buffer, so that a peer which falls silent then
 * does not keep it. */
void frame_reader_trim(struct frame_reader *reader);

/* -- Pieces, for another transport that reads into the same reader: v2.c ----------------------- */

/* Take bytes of the next header, which has n of them. Returns: it is here */
bool frame_take_header(struct frame_reader *reader, struct span *bytes, uint32_t n);
/* A message begins, of so many bytes in its encrypted form. */
void frame_open_sealed(struct frame_reader *reader, uint32_t sealed_bytes);
/* Take bytes of it. Returns: all of them are here */
bool frame_take_payload(struct frame_reader *reader, struct span *bytes);
/* It is decrypted, and reader->name is set. payload: lies within the reader's; moved to its front.
 * Returns: FRAME_MESSAGE, FRAME_DISCARDED or FRAME_TOO_LARGE as the rule says */
enum frame_result frame_close(struct frame_reader *reader, struct span payload, frame_rule_fn *rule,
                              void *arg);
/* It is of no use to anybody. */
void frame_close_discarded(struct frame_reader *reader);
/* The name in the 12 bytes of a header; "" if it is not printable or has bytes behind its end.
 * Returns: it is one */
bool frame_name_decode(const uint8_t from[FRAME_NAME_BYTES], char name[FRAME_NAME_BYTES + 1]);

/* The checksum of a payload. */
void frame_checksum(struct span payload, uint8_t out[4]);
/* Write the header of a message whose payload has that length and checksum. name has at most 12
 * characters. */
void frame_header_encode(uint8_t out[FRAME_HEADER_BYTES], const uint8_t magic[4], const char *name,
                         size_t len, const uint8_t checksum[4]);

#endif
