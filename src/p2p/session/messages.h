/* messages.h - the messages that we understand: one row each.
 *
 * Layer: p2p. A new message is a handler and a row. Size limits are checked when the header of a
 * frame arrives, before anything is allocated; the phase before the handler is called; the version
 * when we send: there are clients that end at a name which they do not know. */
#ifndef P2P_SESSION_MESSAGES_H
#define P2P_SESSION_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "p2p/peer/score.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define MESSAGES_COUNT 27

/* When a message means something. Before and after, it is ignored. */
enum message_phase {
    MESSAGE_VERSION,   /* the first, once */
    MESSAGE_HANDSHAKE, /* between version and verack */
    MESSAGE_READY,     /* after verack */
};

struct message {
    const char *name;
    uint32_t min, max; /* bytes of payload */
    enum message_phase phase;
    int32_t since; /* least version of a peer that it is sent to; 0: anyone, or by negotiation */
    enum fault (*handler)(struct p2p *p2p, struct peer *peer, struct reader *r);
};

/* The row of a name, or NULL; the index of a row; a row by index below MESSAGES_COUNT. Sorted. */
const struct message *message_find(const char *name);
size_t message_index(const struct message *message);
const struct message *message_at(size_t index);

#endif
