/* tor_control.h - what is said to Tor's control port, so that it makes an onion service for us.
 *
 * Layer: p2p. Pure: bytes in, bytes and events out. PROTOCOLINFO, then whichever way of logging in
 * Tor offers and we can (none, a password, the cookie without showing it), then where its proxy is,
 * then the service, with defences by proof of work where Tor has them. Lines and replies have
 * limits and only what is of use is kept of them. Spec: Tor control-spec, torcontrol.cpp of Core */
#ifndef P2P_CORE_TOR_CONTROL_H
#define P2P_CORE_TOR_CONTROL_H

#include "util/assert.h"
#include "util/buffer.h"

#define TOR_LINE_MAX     100000 /* bytes of a line. Core */
#define TOR_LINES_MAX    1000   /* of one reply. Core */
#define TOR_TEXT_MAX     1024   /* of a path, a key, an address that Tor tells */
#define TOR_COOKIE_BYTES 32
#define TOR_NONCE_BYTES  32
#define TOR_QUEUE_MAX    4 /* commands that are not answered yet */

struct tor_control_options {
    const char *password; /* -torpassword; NULL: none */
    bool asks_for_proxy;  /* where Tor's own SOCKS proxy is */
    uint16_t port;        /* of the service, as others see it */
    const char *target;   /* "host:port" that Tor connects callers to */
};

enum tor_event {
    TOR_NOTHING,      /* all was read: more bytes are needed */
    TOR_WANTS_COOKIE, /* tor->text is the path: tor_control_cookie() goes on */
    TOR_HAS_PROXY,    /* tor->text is where, "" if that could not be learnt */
    TOR_HAS_SERVICE,  /* tor->text is its name without ".onion", tor->key its key */
    TOR_WARNING,      /* tor->text is for the log. Nothing more comes of it */
    TOR_BROKEN,       /* tor->text is for the log. The stream is of no use any more */
};

enum tor_command {
    TOR_PROTOCOLINFO,
    TOR_AUTHCHALLENGE,
    TOR_AUTHENTICATE,
    TOR_GETINFO,
    TOR_ADD_ONION,
};

struct tor_control {
    struct tor_control_options options; /* borrowed */
    uint8_t nonce[TOR_NONCE_BYTES];
    uint8_t cookie[TOR_COOKIE_BYTES];
    enum tor_command queue[TOR_QUEUE_MAX]; /* the oldest first */
    size_t n_queue;
    struct buffer line; /* as far as it is here */
    size_t n_lines;     /* of this reply */
    unsigned methods;   /* of logging in, that Tor offers */
    bool has_pow;       /* the service was asked for with defences by proof of work */
    char path[TOR_TEXT_MAX], proxy[TOR_TEXT_MAX], service[TOR_TEXT_MAX];
    char server_hash[65], server_nonce[65];
    char key[TOR_TEXT_MAX]; /* of the service: as ADD_ONION takes it; "": a new one */
    char text[TOR_TEXT_MAX];
};

/* Begin: the stream to Tor is up.
 *
 * In:       options  borrowed until tor_control_deinit()
 *           key      the service's of before; "": none
 *           nonce    TOR_NONCE_BYTES that nobody can foresee
 * Out:      out      what to send is appended, here and below */
void tor_control_init(struct tor_control *tor, const struct tor_control_options *options,
                      const char *key, const uint8_t *nonce, struct buffer *out);
/* Free what it holds, and wipe its secrets. */
void tor_control_deinit(struct tor_control *tor);

/* Take what Tor says, up to the next event.
 *
 * In:       bytes  moved past what was taken; all of them at TOR_NOTHING */
enum tor_event tor_control_read(struct tor_control *tor, struct span *bytes, struct buffer *out);
/* The file that it wanted has these bytes.
 *
 * In:       cookie  of any length; p NULL: it cannot be read
 * Returns:  TOR_NOTHING, or TOR_WARNING if it is no cookie */
enum tor_event tor_control_cookie(struct tor_control *tor, struct span cookie, struct buffer *out);

/* The value of a key in "KEY=value KEY=\"quoted value\" ...".
 *
 * Out:      out  TOR_TEXT_MAX
 * Returns:  false if there is none, it does not fit, or the text is malformed before it */
NODISCARD bool tor_find_value(const char *text, const char *key, char *out);

#endif
