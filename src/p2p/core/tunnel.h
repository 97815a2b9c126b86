/* tunnel.h - a peer's stream through a proxy: what is said before it is the peer's.
 *
 * Layer: p2p. Pure. The stream is opened to the proxy and becomes the peer's own when the proxy has
 * connected it; until then the peer is being connected to, and nobody else sees it. */
#ifndef P2P_CORE_TUNNEL_H
#define P2P_CORE_TUNNEL_H

#include "p2p/core/sam.h"
#include "p2p/core/socks5.h"

struct i2p_session;

#define TUNNEL_ANSWER_US      INT64_C(20000000) /* for each answer of the proxy. Core */
#define TUNNEL_CREDENTIAL_MAX 64

struct tunnel {
    char host[SOCKS5_TEXT_MAX + 1]; /* whom the proxy shall connect to */
    uint16_t port;
    char credential[TUNNEL_CREDENTIAL_MAX]; /* "": none */
    struct socks5 socks5;
    struct sam *sam;             /* owned: the proxy is I2P's bridge; NULL: it is not */
    struct i2p_session *session; /* that sam connects from; NULL: it is gone */
    int64_t until_us;  /* the proxy's next answer must be here; 0: it has not our stream yet */
    bool is_begun;     /* the proxy has taken our stream */
    bool is_up;        /* the stream is the peer's */
    const char *error; /* a constant */
};

/* Make one that waits for its stream.
 *
 * In:       credential  NULL: none
 * Owns:     the caller, freed with tunnel_free() */
struct tunnel *tunnel_new(const char *host, uint16_t port, const char *credential);

/* NULL is allowed. */
void tunnel_free(struct tunnel *tunnel);

/* The SOCKS5 proxy has taken the stream.
 *
 * Out:      out  what to send is appended */
void tunnel_begin(struct tunnel *tunnel, struct buffer *out);
/* The proxy has said something.
 *
 * In:       bytes  moved past what was the proxy's
 * Out:      out    what to send is appended
 * Returns:  false if nothing will come of it: tunnel->error says why */
NODISCARD bool tunnel_read(struct tunnel *tunnel, struct span *bytes, struct buffer *out);

#endif
