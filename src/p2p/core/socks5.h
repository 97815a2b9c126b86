/* socks5.h - asking a SOCKS5 proxy for a connection: bytes in, bytes out.
 *
 * Layer: p2p. Pure. The proxy gets the name of whom we call, never an address that we looked up, so
 * that nobody between us and it learns whom. Credentials are another for each connection where that
 * is wanted: Tor gives each its own circuit then. What the proxy says is read into a buffer of its
 * largest answer, with lengths that cannot be negative (CVE-2017-18350, hazard 38).
 * Spec: RFC 1928, RFC 1929 */
#ifndef P2P_CORE_SOCKS5_H
#define P2P_CORE_SOCKS5_H

#include "util/assert.h"
#include "util/buffer.h"

#define SOCKS5_TEXT_MAX  255               /* bytes of a host, a user name or a password */
#define SOCKS5_REPLY_MAX (4 + 1 + 255 + 2) /* bytes of the longest answer: one with a name */

enum socks5_step {
    SOCKS5_METHOD,  /* which way of logging in the proxy wants */
    SOCKS5_LOGIN,   /* whether it takes our credentials */
    SOCKS5_REQUEST, /* whether it has connected us */
    SOCKS5_UP,      /* what comes now is the peer's */
    SOCKS5_FAILED,
};

struct socks5 {
    enum socks5_step step;
    char host[SOCKS5_TEXT_MAX + 1];
    char credential[SOCKS5_TEXT_MAX + 1]; /* user name and password; "": none are offered */
    uint16_t port;
    uint8_t reply[SOCKS5_REPLY_MAX]; /* as far as it is here */
    size_t reply_len;
    const char *error; /* why it failed: a constant */
};

/* Begin.
 *
 * In:       host        a name or a numeric address, of at most SOCKS5_TEXT_MAX bytes, not empty
 *           credential  user name and password; NULL: none are offered
 * Out:      out         what to send first is appended */
void socks5_begin(struct socks5 *socks5, const char *host, uint16_t port, const char *credential,
                  struct buffer *out);

/* Take what the proxy says.
 *
 * In:       bytes  moved past what was taken; what is left of them at SOCKS5_UP is the peer's
 * Out:      out    what to send now is appended
 * Returns:  the step that it is at then */
enum socks5_step socks5_read(struct socks5 *socks5, struct span *bytes, struct buffer *out);

#endif
