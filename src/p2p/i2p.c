/* i2p.c - see i2p.h. */
#include "p2p/i2p.h"

#include <stdio.h>

#include "crypto/mem.h"
#include "p2p/core/tunnel.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/hex.h"

#define KEY_BYTES    (SAM_KEY_MAX / 4 * 3) /* of the file */
#define ID_BYTES     5                     /* ten digits, as Core's */
#define BRIDGE_BYTES (REACH_PROXY_TEXT_MAX + 16)

static const char *bridge_text(const struct p2p *p2p, char out[BRIDGE_BYTES])
{
    reach_format_proxy(&p2p->reach.by_network[NET_I2P], out, BRIDGE_BYTES);
    return out;
}

static uint64_t open_stream(const struct p2p *p2p)
{
    const struct reach_proxy *bridge = &p2p->reach.by_network[NET_I2P];
    return env_stream_connect(p2p->env, bridge->address, bridge->port, p2p->up->outbound,
                              (void *)p2p);
}

static void say(const struct p2p *p2p, uint64_t stream, struct buffer *out)
{
    if (out->len > 0)
        env_stream_send(p2p->env, stream, buffer_span(out));
    mem_wipe_buffer(out); /* the session's key */
}

/* -- The key ------------------------------------------------------------------------------------
 */

static void read_key(struct p2p *p2p)
{
    struct buffer bytes, text;
    struct net_address address;
    struct i2p *i2p = &p2p->i2p;
    if (i2p->key[0] != '\0')
        return;
    buffer_init(&bytes);
    buffer_init(&text);
    if (key_file_read(&i2p->key_file, &bytes)) {
        sam_base64_append(&text, buffer_span(&bytes));
        ASSERT(text.len < sizeof i2p->key);
        memcpy(i2p->key, text.p, text.len);
        i2p->key[text.len] = '\0';
        if (!sam_address_of(i2p->key, &address)) {
            key_file_refuse(&i2p->key_file);
            i2p->key[0] = '\0';
        }
    }
    mem_wipe_buffer(&text);
    mem_wipe_buffer(&bytes);
}

static void keep_key(struct p2p *p2p, const char *key)
{
    uint8_t bytes[SAM_KEY_MAX];
    struct i2p *i2p = &p2p->i2p;
    if (strcmp(i2p->key, key) == 0)
        return;
    snprintf(i2p->key, sizeof i2p->key, "%s", key);
    size_t n = sam_base64_decode(key, bytes);
    (void)key_file_keep(&i2p->key_file, span_of(bytes, n));
    mem_wipe(bytes, sizeof bytes);
}

/* -- Sessions -----------------------------------------------------------------------------------
 */

static const char *kind_of(const struct i2p_session *session)
{
    return session->is_transient ? "transient" : "persistent";
}

static void create(struct p2p *p2p, struct i2p_session *session)
{
    uint8_t random[ID_BYTES];
    char bridge[BRIDGE_BYTES];
    ASSERT(session->state == I2P_GONE && !session->is_begun);
    env_random(p2p->env, random, sizeof random);
    hex_encode(session->id, span_of(random, sizeof random));
    log_printf(p2p->log, LOG_NET, "Creating %s I2P SAM session %s with %s", kind_of(session),
               session->id, bridge_text(p2p, bridge));
    session->state = I2P_CREATING;
    session->stream = open_stream(p2p);
    session->until_us = p2p_now_us(p2p) + I2P_ANSWER_US;
    p2p_schedule(p2p, session->until_us);
}

static void stop_accepting(struct p2p *p2p)
{
    struct i2p *i2p = &p2p->i2p;
    if (i2p->accept_stream)
        env_stream_close(p2p->env, i2p->accept_stream);
    if (i2p->is_accept_begun)
        sam_deinit(&i2p->accept);
    i2p->accept_stream = 0;
    i2p->is_accept_begun = false;
}

static void retry_later(struct p2p *p2p)
{
    struct i2p *i2p = &p2p->i2p;
    i2p->next_us = p2p_now_us(p2p) + i2p->retry_us;
    i2p->retry_us = MIN_OF(2 * i2p->retry_us, I2P_RETRY_MAX_US);
    p2p_schedule(p2p, i2p->next_us);
}

/* Let go of a transient one. */
static void forget(struct i2p *i2p, const struct i2p_session *session)
{
    size_t at = 0;
    while (at < i2p->n_transient && i2p->transient[at] != session)
        at++;
    ASSERT(at < i2p->n_transient);
    xfree(i2p->transient[at]);
    i2p->transient[at] = i2p->transient[--i2p->n_transient];
}

/* Nobody can call us any more. */
static void end_listening(struct p2p *p2p)
{
    stop_accepting(p2p);
    if (p2p->i2p.address.network != NET_NONE)
        local_list_remove(&p2p->local, LOCAL_SERVICE, &p2p->i2p.address);
    p2p->i2p.address = (struct net_address){0};
    retry_later(p2p);
}

/* Whoever wanted to connect from it cannot; who is connected has it no more. */
static void leave(struct p2p *p2p, const struct i2p_session *session, const char *why)
{
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        if (!peer->tunnel || peer->tunnel->session != session)
            continue;
        peer->tunnel->session = NULL;
        if (peer->state != PEER_CONNECTING)
            continue;
        if (why[0])
            log_printf(p2p->log, LOG_NET, "Error connecting to %s: %s", peer->text, why);
        peer_drop(p2p, peer, "");
    }
}

/* End a session. A transient one is freed.
 *
 * In:       why  for the log; "": nobody is told */
static void end(struct p2p *p2p, struct i2p_session *session, const char *why)
{
    if (session->stream)
        env_stream_close(p2p->env, session->stream);
    if (session->is_begun)
        sam_deinit(&session->sam);
    session->stream = 0;
    session->is_begun = false;
    session->state = I2P_GONE;
    leave(p2p, session, why);
    if (session->is_transient)
        forget(&p2p->i2p, session);
    else
        end_listening(p2p);
}

/* One that nobody uses, or another; NULL: there are too many. */
static struct i2p_session *take_transient(struct p2p *p2p)
{
    struct i2p *i2p = &p2p->i2p;
    for (size_t i = 0; i < i2p->n_transient; i++)
        if (i2p->transient[i]->peer == 0 && i2p->transient[i]->state == I2P_READY)
            return i2p->transient[i];
    if (i2p->n_transient == I2P_TRANSIENT_MAX)
        return NULL;
    struct i2p_session *session = xcalloc(1, sizeof *session);
    session->is_transient = true;
    i2p->transient[i2p->n_transient++] = session;
    return session;
}

/* -- Calling ------------------------------------------------------------------------------------
 */

static bool may_be_called(const struct p2p *p2p)
{
    return p2p->options.i2p_accepts;
}

/* The session is ready: a stream for the peer. */
static void call_peer(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_CONNECTING && peer->tunnel->session->state == I2P_READY);
    peer_set_stream(p2p, peer, open_stream(p2p));
    peer->tunnel->until_us = p2p_now_us(p2p) + PEER_DIAL_US;
    p2p_schedule(p2p, peer->tunnel->until_us);
}

void i2p_dialled(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->tunnel && peer->state == PEER_CONNECTING);
    bool is_apart = !may_be_called(p2p) || peer_is_private(peer);
    struct i2p_session *session = is_apart ? take_transient(p2p) : &p2p->i2p.kept;
    if (!session) {
        peer_drop(p2p, peer, "there are too many I2P sessions");
        return;
    }
    if (session->is_transient)
        session->peer = peer->id;
    peer->tunnel->session = session;
    peer->tunnel->sam = xcalloc(1, sizeof *peer->tunnel->sam);
    if (session->state == I2P_GONE)
        create(p2p, session);
    peer->tunnel->until_us = INT64_MAX; /* the session has a time of its own */
    if (session->state == I2P_READY)
        call_peer(p2p, peer);
}

void i2p_peer_connected(struct p2p *p2p, struct peer *peer)
{
    struct tunnel *tunnel = peer->tunnel;
    struct buffer out;
    ASSERT(tunnel->session->state == I2P_READY && !tunnel->is_begun);
    buffer_init(&out);
    sam_begin_connect(tunnel->sam, tunnel->session->id, tunnel->host, &out);
    tunnel->is_begun = true;
    tunnel->until_us = p2p_now_us(p2p) + I2P_ANSWER_US;
    say(p2p, peer->stream, &out);
    p2p_schedule(p2p, tunnel->until_us);
}

void i2p_peer_refused(struct p2p *p2p, const struct peer *peer)
{
    struct tunnel *tunnel = peer->tunnel;
    log_printf(p2p->log, LOG_NET, "Error connecting to %s: %s", peer->text, tunnel->sam->error);
    if (tunnel->sam->is_no_session && tunnel->session && tunnel->session->state == I2P_READY)
        end(p2p, tunnel->session, "");
}

void i2p_peer_lost(struct p2p *p2p, const struct peer *peer)
{
    char bridge[BRIDGE_BYTES];
    log_printf(p2p->log, LOG_NET,
               peer->tunnel->is_begun ? "Error connecting to %s: %s has closed the stream"
                                      : "Error connecting to %s: Cannot connect to %s",
               peer->text, bridge_text(p2p, bridge));
}

void i2p_peer_gone(struct p2p *p2p, struct peer *peer)
{
    struct i2p *i2p = &p2p->i2p;
    size_t n_unused = 0;
    if (!peer->tunnel || !peer->tunnel->session || !peer->tunnel->session->is_transient)
        return;
    for (size_t i = 0; i < i2p->n_transient; i++)
        n_unused += i2p->transient[i]->peer == 0;
    for (size_t i = 0; i < i2p->n_transient; i++) {
        struct i2p_session *session = i2p->transient[i];
        if (session->peer != peer->id)
            continue;
        session->peer = 0;
        /* Nobody has seen it if the peer was not reached: it may be used for another one. */
        bool is_fresh = !peer->tunnel->is_up && session->state == I2P_READY;
        if (!is_fresh || n_unused >= I2P_UNUSED_MAX)
            end(p2p, session, "");
        return;
    }
}

/* -- Being called -------------------------------------------------------------------------------
 */

static void accept_next(struct p2p *p2p)
{
    struct i2p *i2p = &p2p->i2p;
    ASSERT(!i2p->accept_stream && !i2p->is_accept_begun);
    i2p->accept_stream = open_stream(p2p);
    i2p->accept_until_us = p2p_now_us(p2p) + I2P_ANSWER_US;
    p2p_schedule(p2p, i2p->accept_until_us);
}

static void begin_accept(struct p2p *p2p)
{
    struct i2p *i2p = &p2p->i2p;
    struct buffer out;
    buffer_init(&out);
    sam_begin_accept(&i2p->accept, i2p->kept.id, &out);
    i2p->is_accept_begun = true;
    say(p2p, i2p->accept_stream, &out);
}

/* The bridge waits for callers: others may know of us. */
static void advertise(struct p2p *p2p)
{
    struct i2p *i2p = &p2p->i2p;
    i2p->retry_us = I2P_RETRY_FIRST_US;
    i2p->accept_until_us = INT64_MAX; /* whenever a caller comes */
    if (i2p->address.network != NET_NONE || !sam_address_of(i2p->key, &i2p->address))
        return;
    addr_relay_add_local(p2p, LOCAL_SERVICE, &i2p->address);
}

/* What is wrong may concern this stream alone: only the bridge's word ends the session. */
static void fail_accept(struct p2p *p2p, const char *why, bool is_no_session)
{
    log_printf(p2p->log, LOG_NET, "I2P: cannot wait for callers: %s", why);
    if (is_no_session) {
        end(p2p, &p2p->i2p.kept, "the I2P session has ended");
        return;
    }
    stop_accepting(p2p);
    retry_later(p2p);
}

static void on_accept_bytes(struct p2p *p2p, struct span bytes)
{
    struct i2p *i2p = &p2p->i2p;
    struct buffer out;
    buffer_init(&out);
    enum sam_step step = sam_read(&i2p->accept, &bytes, &out);
    say(p2p, i2p->accept_stream, &out);
    if (step == SAM_CALLER)
        advertise(p2p);
    if (step == SAM_FAILED)
        fail_accept(p2p, i2p->accept.error, i2p->accept.is_no_session);
    if (step != SAM_UP)
        return;
    struct net_address caller = i2p->accept.caller;
    uint64_t stream = i2p->accept_stream;
    i2p->accept_stream = 0;
    stop_accepting(p2p);
    accept_next(p2p);
    p2p->up->accept_hidden(p2p, stream, &caller, bytes);
}

/* -- Streams ------------------------------------------------------------------------------------
 */

static struct i2p_session *find_session(struct p2p *p2p, uint64_t stream)
{
    struct i2p *i2p = &p2p->i2p;
    if (i2p->kept.stream == stream)
        return &i2p->kept;
    for (size_t i = 0; i < i2p->n_transient; i++)
        if (i2p->transient[i]->stream == stream)
            return i2p->transient[i];
    return NULL;
}

static void on_ready(struct p2p *p2p, struct i2p_session *session)
{
    char text[NET_ADDRESS_TEXT_MAX] = "";
    struct net_address address;
    session->state = I2P_READY;
    if (sam_address_of(session->sam.key, &address))
        (void)net_address_format(&address, text);
    log_printf(p2p->log, LOG_NET, "%s I2P SAM session %s created, my address=%s",
               session->is_transient ? "Transient" : "Persistent", session->id, text);
    if (!session->is_transient)
        keep_key(p2p, session->sam.key);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->state == PEER_CONNECTING && peer->tunnel && peer->tunnel->session == session)
            call_peer(p2p, peer);
    if (!session->is_transient && may_be_called(p2p))
        accept_next(p2p);
}

void i2p_on_connect(struct p2p *p2p, uint64_t stream)
{
    struct i2p *i2p = &p2p->i2p;
    struct i2p_session *session = find_session(p2p, stream);
    struct buffer out;
    if (stream == i2p->accept_stream)
        begin_accept(p2p);
    if (!session || stream == i2p->accept_stream)
        return;
    if (!session->is_transient)
        read_key(p2p);
    buffer_init(&out);
    sam_begin_session(&session->sam, session->id, session->is_transient ? NULL : i2p->key, &out);
    session->is_begun = true;
    say(p2p, stream, &out);
}

void i2p_on_bytes(struct p2p *p2p, uint64_t stream, struct span bytes)
{
    struct i2p_session *session = find_session(p2p, stream);
    struct buffer out;
    if (stream == p2p->i2p.accept_stream) {
        on_accept_bytes(p2p, bytes);
        return;
    }
    if (!session || session->state != I2P_CREATING)
        return; /* nothing more is said on it */
    buffer_init(&out);
    enum sam_step step = sam_read(&session->sam, &bytes, &out);
    say(p2p, stream, &out);
    if (step == SAM_UP) {
        on_ready(p2p, session);
    } else if (step == SAM_FAILED) {
        char error[SAM_ERROR_MAX];
        snprintf(error, sizeof error, "%s", session->sam.error);
        end(p2p, session, error);
    }
}

void i2p_on_close(struct p2p *p2p, uint64_t stream)
{
    struct i2p *i2p = &p2p->i2p;
    struct i2p_session *session = find_session(p2p, stream);
    char bridge[BRIDGE_BYTES], why[BRIDGE_BYTES + 32];
    if (stream == i2p->accept_stream) {
        i2p->accept_stream = 0;
        fail_accept(p2p, "the bridge has closed the stream", false);
    } else if (session) {
        snprintf(why, sizeof why,
                 session->is_begun ? "%s has closed the session" : "Cannot connect to %s",
                 bridge_text(p2p, bridge));
        session->stream = 0;
        end(p2p, session, why);
    }
}

/* -- Time ---------------------------------------------------------------------------------------
 */

static int64_t tick_session(struct p2p *p2p, struct i2p_session *session, int64_t now_us)
{
    if (session->state != I2P_CREATING)
        return INT64_MAX;
    if (now_us < session->until_us)
        return session->until_us;
    end(p2p, session, "the bridge does not answer");
    return INT64_MAX;
}

int64_t i2p_tick(struct p2p *p2p, int64_t now_us)
{
    struct i2p *i2p = &p2p->i2p;
    if (p2p->reach.by_network[NET_I2P].address[0] == '\0')
        return INT64_MAX;
    int64_t next_us = tick_session(p2p, &i2p->kept, now_us);
    for (size_t i = i2p->n_transient; i-- > 0;) { /* one that ends makes room for the last */
        int64_t at_us = tick_session(p2p, i2p->transient[i], now_us);
        next_us = MIN_OF(next_us, at_us);
    }
    if (i2p->accept_stream && now_us >= i2p->accept_until_us)
        fail_accept(p2p, "the bridge does not answer", false);
    if (i2p->accept_stream)
        return MIN_OF(next_us, i2p->accept_until_us);
    if (!may_be_called(p2p) || i2p->kept.state == I2P_CREATING)
        return next_us;
    if (now_us < i2p->next_us)
        return MIN_OF(next_us, i2p->next_us);
    if (i2p->kept.state == I2P_READY)
        accept_next(p2p);
    else
        create(p2p, &i2p->kept);
    return MIN_OF(next_us, i2p->kept.until_us);
}

void i2p_start(struct p2p *p2p)
{
    p2p->i2p.retry_us = I2P_RETRY_FIRST_US;
    p2p->i2p.next_us = 0;
    key_file_init(&p2p->i2p.key_file, p2p->env, p2p->log, p2p->options.data_dir, I2P_KEY_FILE,
                  KEY_BYTES);
}

void i2p_stop(struct p2p *p2p)
{
    struct i2p *i2p = &p2p->i2p;
    while (i2p->n_transient > 0)
        end(p2p, i2p->transient[0], "");
    end(p2p, &i2p->kept, "");
    mem_wipe(i2p->key, sizeof i2p->key);
    key_file_deinit(&i2p->key_file);
}
