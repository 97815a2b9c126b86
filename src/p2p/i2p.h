/* i2p.h - peers in I2P: our sessions at the SAM bridge, whom we call, who calls us.
 *
 * Layer: p2p, internal. -i2psam, -i2pacceptincoming. Who may be called has one destination, whose
 * key is kept in the file i2p_private_key; everything goes out from it too. Who may not has a
 * destination of its own for each connection, which nobody can tell from another node's, and so
 * have connections that nobody shall connect with us. Spec: Core ThreadI2PAcceptIncoming(),
 * CConnman::ConnectNode() */
#ifndef P2P_I2P_H
#define P2P_I2P_H

#include "p2p/core/key_file.h"
#include "p2p/core/sam.h"
#include "p2p/p2p.h"

struct peer;

#define I2P_KEY_FILE       "i2p_private_key"
#define I2P_ANSWER_US      INT64_C(180000000) /* tunnels take their time. Core */
#define I2P_RETRY_FIRST_US INT64_C(1000000)   /* to the next attempt to listen; doubles. Core */
#define I2P_RETRY_MAX_US   INT64_C(300000000)
#define I2P_TRANSIENT_MAX  96 /* sessions that are not ours for good: one for each connection */
#define I2P_UNUSED_MAX     10 /* of these, that wait for another connection. Core */

enum i2p_state {
    I2P_GONE,
    I2P_CREATING,
    I2P_READY,
};

struct i2p_session {
    enum i2p_state state;
    uint64_t stream; /* which it lives as long as; 0: none */
    struct sam sam;
    bool is_begun; /* sam is initialised */
    bool is_transient;
    uint64_t peer; /* transient: whose id; 0: nobody's */
    char id[SAM_ID_MAX + 1];
    int64_t until_us; /* it must be ready then */
};

struct i2p {
    struct i2p_session kept;
    struct i2p_session *transient[I2P_TRANSIENT_MAX];
    size_t n_transient;
    struct key_file key_file;
    char key[SAM_KEY_MAX + 1];  /* of kept */
    struct net_address address; /* of kept, while it can be called; network NET_NONE: it cannot */
    struct sam accept;
    uint64_t accept_stream; /* where the next caller comes in; 0: none */
    bool is_accept_begun;
    int64_t accept_until_us;   /* the bridge must wait for callers then; INT64_MAX: it does */
    int64_t retry_us, next_us; /* to listen: how long to wait after a failure, when to go on */
};

/* Begin to listen, where that is wanted. */
void i2p_start(struct p2p *p2p);
/* End all sessions. */
void i2p_stop(struct p2p *p2p);

/* A peer is dialled: find a session for it, or make one. Its stream is opened when that is ready.
 */
void i2p_dialled(struct p2p *p2p, struct peer *peer);
/* The bridge has taken its stream. */
void i2p_peer_connected(struct p2p *p2p, struct peer *peer);
/* The bridge refuses it: peer->tunnel->sam says why. */
void i2p_peer_refused(struct p2p *p2p, const struct peer *peer);
/* Its stream to the bridge has ended before it was the peer's. */
void i2p_peer_lost(struct p2p *p2p, const struct peer *peer);
/* It is gone: a session that was its own goes too, or waits for another. */
void i2p_peer_gone(struct p2p *p2p, struct peer *peer);

/* Something happened to a stream that is no peer's; nothing if it is not ours either. */
void i2p_on_connect(struct p2p *p2p, uint64_t stream);
void i2p_on_bytes(struct p2p *p2p, uint64_t stream, struct span bytes);
void i2p_on_close(struct p2p *p2p, uint64_t stream);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t i2p_tick(struct p2p *p2p, int64_t now_us);

#endif
