/* sam.h - what is said to the SAM bridge of an I2P router: sessions, calls, callers.
 *
 * Layer: p2p. Pure: bytes in, bytes out. Each thing that is wanted has a stream of its own. A
 * session's stream stays open and says nothing more; a stream that connects to somebody, or that
 * somebody has come in by, is the peer's from then on. Spec: I2P SAM v3.1; Core i2p::sam::Session
 */
#ifndef P2P_CORE_SAM_H
#define P2P_CORE_SAM_H

#include "p2p/core/net_address.h"
#include "util/buffer.h"

#define SAM_LINE_MAX  65536 /* bytes of an answer. Core */
#define SAM_KEY_MAX   4096  /* characters of a destination or of its private key */
#define SAM_ID_MAX    32    /* characters of a session's name */
#define SAM_ERROR_MAX 256

enum sam_purpose {
    SAM_SESSION, /* a destination of ours that others can be called from, or call */
    SAM_CONNECT, /* to a destination */
    SAM_ACCEPT,  /* the next who calls a session's destination */
};

enum sam_step {
    SAM_HELLO,
    SAM_GENERATE, /* a key for a session */
    SAM_CREATE,   /* the session */
    SAM_NAMING,   /* the destination behind a name */
    SAM_STREAM,   /* connected, or waiting for a caller */
    SAM_CALLER,   /* who it is */
    SAM_UP,       /* as was wanted */
    SAM_FAILED,
};

struct sam {
    enum sam_purpose purpose;
    enum sam_step step;
    char id[SAM_ID_MAX + 1];         /* of the session */
    char host[NET_ADDRESS_TEXT_MAX]; /* to connect to: "....b32.i2p" */
    char key[SAM_KEY_MAX + 1];       /* of the session: private, in I2P's base64 */
    bool is_transient;               /* the bridge makes a key, and nobody keeps it */
    struct net_address caller;       /* who has come in */
    struct buffer line;              /* as far as it is here */
    bool is_no_session;              /* it failed since the session is not there */
    bool is_peers;                   /* it failed since the destination does not answer */
    char error[SAM_ERROR_MAX];
};

/* Begin a session.
 *
 * In:       key  private, in I2P's base64; "": one is made; NULL: one that nobody keeps
 * Out:      out  what to send is appended, here and below */
void sam_begin_session(struct sam *sam, const char *id, const char *key, struct buffer *out);
/* Connect to a destination from a session. */
void sam_begin_connect(struct sam *sam, const char *id, const char *host, struct buffer *out);
/* Wait for a caller of a session's destination. */
void sam_begin_accept(struct sam *sam, const char *id, struct buffer *out);
/* Free what it holds, and wipe its key. */
void sam_deinit(struct sam *sam);

/* Take what the bridge says.
 *
 * In:       bytes  moved past what was taken; what is left of them at SAM_UP is the peer's
 * Returns:  the step that it is at then */
enum sam_step sam_read(struct sam *sam, struct span *bytes, struct buffer *out);

/* Decode I2P's base64.
 *
 * Out:      out  SAM_KEY_MAX bytes
 * Returns:  how many; 0 if it is none, or too long */
size_t sam_base64_decode(const char *text, uint8_t *out);
/* The same the other way round, appended. */
void sam_base64_append(struct buffer *out, struct span bytes);
/* The address of a destination, or of the destination that a private key begins with.
 *
 * Returns:  false if it is none */
NODISCARD bool sam_address_of(const char *text, struct net_address *out);

#endif
