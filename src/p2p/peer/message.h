/* message.h - what a row of the table of messages says.
 *
 * Layer: p2p. The table itself is session/messages.c, above all that handles them; it is handed to
 * p2p_new(). Size limits are checked when the header of a frame arrives, before anything is
 * allocated; the phase before the handler is called; the version when we send: there are clients
 * that end at a name which they do not know. */
#ifndef P2P_PEER_MESSAGE_H
#define P2P_PEER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2p/peer/score.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define MESSAGES_COUNT 39

/* When a message means something. Before and after, it is ignored. */
enum message_phase {
    MESSAGE_VERSION,   /* the first, once */
    MESSAGE_HANDSHAKE, /* between version and verack */
    MESSAGE_READY,     /* after verack */
};

enum {
    MESSAGE_UNREAD = 1,  /* nobody looks at what is in it: thrown away as it comes */
    MESSAGE_PRIVATE = 4, /* of a private peer, after its handshake: all others are ignored */
    MESSAGE_IN_TIME = 2, /* after the handshake it ends the connection */
};

/* One row. Handlers run on the loop thread with a payload of min to max bytes, in their phase only,
 * and may drop the peer. */
struct message {
    const char *name;
    uint32_t min, max; /* bytes of payload */
    enum message_phase phase;
    int32_t since; /* least version of a peer that it is sent to; 0: anyone, or by negotiation */
    enum fault (*handler)(struct p2p *p2p, struct peer *peer, struct reader *r); /* NULL: ignored */
    unsigned flags;
    /* While it says no, the message means nothing, whenever it comes; NULL: it never does. */
    bool (*is_on)(const struct p2p *p2p);
    /* The answer to something, as far as can be told before it is here; NULL: it never is. */
    bool (*is_asked)(const struct p2p *p2p, const struct peer *peer);
    /* Some bytes of it have come, or its end; NULL: nobody wants to know. */
    void (*heard)(struct p2p *p2p, struct peer *peer);
};

/* The row of a name.
 *
 * In:       messages  MESSAGES_COUNT of them, sorted by name
 * Returns:  NULL if there is none */
const struct message *message_find(const struct message *messages, const char *name);

#endif
