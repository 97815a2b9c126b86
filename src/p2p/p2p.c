/* p2p.c - the mesh comes and goes; streams and timers come in here. */
#include "p2p/p2p.h"

#include <errno.h>
#include <stdio.h>

#include "p2p/blocks/block_direct.h"
#include "p2p/connect/dial.h"
#include "p2p/core/tunnel.h"
#include "p2p/discover.h"
#include "p2p/map_health.h"
#include "p2p/session/features.h"
#include "p2p/session/handshake.h"
#include "p2p/session/messages.h"
#include "p2p/session/receive.h"
#include "p2p/snapshot/snapshot_serve.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

#define TICK_MIN_US 1000 /* between two turns that nobody asked for at once */
/* Nobody waits longer than that for a turn while others have theirs, also who forgot to ask. */
#define OTHERS_EVERY_US 10000000

/* -- Turns --------------------------------------------------------------------------------------
 */

/* Parts of the mesh, in the order in which they have their turn and are told of peers. Those that
 * know one another call each other by name, in the order of folders only. */
/* clang-format off */
static const struct module {
    void (*peer_ready)(struct p2p *p2p, struct peer *peer);
    void (*peer_gone)(struct p2p *p2p, struct peer *peer);
    int64_t (*tick)(struct p2p *p2p, int64_t now_us); /* returns when it wants the next turn */
    enum turn_part part;
} modules[] = {
    {NULL,                   receive_peer_gone,     receive_tick, TURN_PEERS},
    {NULL,                   NULL,                  ping_tick, TURN_OTHERS},
    {NULL,                   serve_peer_gone,       serve_tick, TURN_PEERS},
    {NULL,                   light_peer_gone,       NULL, TURN_OTHERS},
    {NULL,                   filters_peer_gone,     filters_tick, TURN_PEERS},
    {header_sync_peer_ready, header_sync_peer_gone, header_sync_tick, TURN_OTHERS},
    {NULL,                   laggards_peer_gone,    laggards_tick, TURN_OTHERS},
    {NULL,                   compact_take_peer_gone, NULL, TURN_OTHERS},
    {NULL,                   block_fetch_peer_gone, block_fetch_tick, TURN_OTHERS},
    {tx_relay_peer_ready,    tx_relay_peer_gone,    tx_relay_tick, TURN_TXS},
    {relay_peer_ready,       relay_peer_gone,       relay_tick, TURN_TELL},
    {addr_relay_peer_ready,  addr_relay_peer_gone,  addr_relay_tick, TURN_OTHERS},
    {NULL,                   NULL,                  stale_tip_tick, TURN_OTHERS},
    {connect_peer_ready,     connect_peer_gone,     connect_tick, TURN_OTHERS},
    {NULL,                   i2p_peer_gone,         i2p_tick, TURN_OTHERS},
    {NULL,                   NULL,                  port_map_tick, TURN_OTHERS},
    {NULL,                   NULL,                  map_health_tick, TURN_OTHERS},
    {NULL,                   NULL,                  fixed_seed_tick, TURN_OTHERS},
    {private_broadcast_peer_ready, private_broadcast_peer_gone, private_broadcast_tick,
     TURN_OTHERS},
    {NULL,                   NULL,                  snapshot_serve_tick, TURN_OTHERS},
    {NULL,                   snapshot_fetch_peer_gone, snapshot_fetch_tick, TURN_OTHERS},
    {NULL,                   snapshots_peer_gone,   NULL, TURN_OTHERS},
};
/* clang-format on */

static void all_peer_ready(struct p2p *p2p, struct peer *peer)
{
    for (size_t i = 0; i < COUNT_OF(modules); i++)
        if (modules[i].peer_ready)
            modules[i].peer_ready(p2p, peer);
}

static void all_peer_gone(struct p2p *p2p, struct peer *peer)
{
    for (size_t i = 0; i < COUNT_OF(modules); i++)
        if (modules[i].peer_gone)
            modules[i].peer_gone(p2p, peer);
}

/* Whose turn it is; what they wished is done by that. */
static void take_due(struct p2p *p2p, int64_t now_us, bool is_due[TURN_PARTS])
{
    /* The timer of a clock that stands still rings for what is due in a moment. */
    int64_t until_us = MAX_OF(now_us, p2p->timer_us);
    if (now_us - p2p->others_us >= OTHERS_EVERY_US)
        p2p->due_us[TURN_OTHERS] = now_us;
    for (size_t i = 0; i < TURN_PARTS; i++) {
        is_due[i] = p2p->due_us[i] <= until_us;
        if (is_due[i])
            p2p->due_us[i] = INT64_MAX;
    }
    if (is_due[TURN_OTHERS])
        p2p->others_us = now_us;
}

static void tick(struct p2p *p2p)
{
    int64_t now_us = p2p_now_us(p2p), next_us[TURN_PARTS];
    bool is_due[TURN_PARTS];
    take_due(p2p, now_us, is_due);
    for (size_t i = 0; i < TURN_PARTS; i++)
        next_us[i] = INT64_MAX;
    for (size_t i = 0; i < COUNT_OF(modules); i++) {
        const struct module *module = &modules[i];
        if (!module->tick || !is_due[module->part])
            continue;
        int64_t at_us = module->tick(p2p, now_us);
        next_us[module->part] = MIN_OF(next_us[module->part], MAX_OF(at_us, now_us + TICK_MIN_US));
    }
    for (size_t i = 0; i < TURN_PARTS; i++) /* also who had none: the timer has rung */
        p2p_schedule_part(p2p, (enum turn_part)i, is_due[i] ? next_us[i] : p2p->due_us[i]);
}

static void turn(struct p2p *p2p)
{
    if (!p2p->is_running)
        return;
    p2p_enter(p2p);
    tick(p2p);
    p2p_leave(p2p);
}

/* -- Streams ------------------------------------------------------------------------------------
 */

static void accept_stream(struct p2p_listener *listener, uint64_t stream, const char *text,
                          uint16_t port)
{
    struct p2p *p2p = listener->p2p;
    unsigned permissions = listener->permissions;
    struct net_address address;
    bool is_known = net_address_parse(text, port, &address);
    if (is_known)
        address = reach_flip(&p2p->reach, &address);
    if (is_known)
        permissions |= permissions_of(p2p->rules, p2p->n_rules, &address, true);
    if (!is_known || !p2p->is_running || !p2p->is_active ||
        !connect_admit(p2p, &address, permissions)) {
        env_stream_close(p2p->env, stream);
        return;
    }
    struct peer *peer = peer_new(p2p, PEER_INBOUND, &address, stream);
    peer->permissions = permissions;
    peer->listener = listener;
    peer->is_inbound_onion = listener->is_onion;
    handshake_begin(p2p, peer);
}

static void on_accept(void *arg, uint64_t stream, const char *text, uint16_t port)
{
    struct p2p_listener *listener = arg;
    p2p_enter(listener->p2p);
    accept_stream(listener, stream, text, port);
    p2p_leave(listener->p2p);
}

/* Tell the proxy, which then has its time to answer. */
static void say(struct p2p *p2p, struct peer *peer, const struct buffer *out)
{
    if (out->len == 0)
        return;
    env_stream_send(p2p->env, peer->stream, buffer_span(out));
    int64_t patience_us = peer->tunnel->sam ? I2P_ANSWER_US : TUNNEL_ANSWER_US;
    peer->tunnel->until_us = p2p_now_us(p2p) + patience_us;
    p2p_schedule(p2p, peer->tunnel->until_us);
}

/* The proxy is there, so what becomes of it says something of whom it connects us with. */
static void begin_tunnel(struct p2p *p2p, struct peer *peer)
{
    struct buffer out;
    dial_attempted(p2p, peer);
    if (peer->tunnel->sam) {
        i2p_peer_connected(p2p, peer);
        return;
    }
    buffer_init(&out);
    tunnel_begin(peer->tunnel, &out);
    say(p2p, peer, &out);
    buffer_deinit(&out);
}

static void on_connect(void *arg, uint64_t stream, const char *text, uint16_t port)
{
    struct p2p *p2p = arg;
    (void)text, (void)port; /* what we dialled */
    struct peer *peer = p2p_find_stream(p2p, stream);
    p2p_enter(p2p);
    if (peer && peer->tunnel) {
        begin_tunnel(p2p, peer);
    } else if (peer) {
        handshake_begin(p2p, peer);
    } else {
        i2p_on_connect(p2p, stream);
    }
    p2p_leave(p2p);
}

/* What the proxy says comes first; the peer is connected to when it has said all. */
static void open_tunnel(struct p2p *p2p, struct peer *peer, struct span *bytes)
{
    struct tunnel *tunnel = peer->tunnel;
    ASSERT(peer->state == PEER_CONNECTING && tunnel->is_begun);
    struct buffer out;
    buffer_init(&out);
    bool goes_on = tunnel_read(tunnel, bytes, &out);
    say(p2p, peer, &out);
    buffer_deinit(&out);
    if (!goes_on && tunnel->sam) {
        i2p_peer_refused(p2p, peer);
        peer_drop(p2p, peer, "");
    } else if (!goes_on) {
        log_printf(p2p->log, LOG_NET, "Socks5() connect to %s:%u failed: %s", tunnel->host,
                   tunnel->port, tunnel->error);
        peer_drop(p2p, peer, "");
    } else if (tunnel->is_up) {
        peer->connected_us = p2p_now_us(p2p);
        peer->connected_s = p2p_now_s(p2p);
        if (peer_is_private(peer))
            private_broadcast_connected(p2p);
        handshake_begin(p2p, peer);
    }
}

static void take_bytes(struct p2p *p2p, uint64_t stream, struct span bytes)
{
    struct peer *peer = p2p_find_stream(p2p, stream);
    p2p_enter(p2p);
    p2p->bytes_received += bytes.len;
    if (!peer)
        i2p_on_bytes(p2p, stream, bytes);
    if (peer && peer->tunnel && !peer->tunnel->is_up)
        open_tunnel(p2p, peer, &bytes);
    if (peer && peer->state != PEER_CONNECTING && peer->state != PEER_GONE && bytes.len > 0)
        receive_bytes(p2p, peer, bytes);
    p2p_leave(p2p);
}

static void take_writable(struct p2p *p2p, uint64_t stream)
{
    struct peer *peer = p2p_find_stream(p2p, stream);
    p2p_enter(p2p);
    if (peer) {
        receive_resume(p2p, peer);
        p2p_schedule_now(p2p); /* what waited for room in its queue: blocks, transactions */
    }
    p2p_leave(p2p);
}

static void take_close(struct p2p *p2p, uint64_t stream, int error)
{
    struct peer *peer = p2p_find_stream(p2p, stream);
    char why[64];
    snprintf(why, sizeof why, "stream closed (%d)", error);
    p2p_enter(p2p);
    if (peer && peer->tunnel && peer->tunnel->sam && !peer->tunnel->is_up)
        i2p_peer_lost(p2p, peer);
    if (peer)
        peer_drop(p2p, peer, why);
    else
        i2p_on_close(p2p, stream);
    p2p_leave(p2p);
}

/* [block 2] They are a peer's. */
static void on_bytes(void *arg, uint64_t stream, struct span bytes)
{
    take_bytes(arg, stream, bytes);
}

static void on_writable(void *arg, uint64_t stream)
{
    take_writable(arg, stream);
}

static void on_close(void *arg, uint64_t stream, int error)
{
    take_close(arg, stream, error);
}

static void on_inbound_bytes(void *arg, uint64_t stream, struct span bytes)
{
    take_bytes(((struct p2p_listener *)arg)->p2p, stream, bytes);
}

static void on_inbound_writable(void *arg, uint64_t stream)
{
    take_writable(((struct p2p_listener *)arg)->p2p, stream);
}

static void on_inbound_close(void *arg, uint64_t stream, int error)
{
    take_close(((struct p2p_listener *)arg)->p2p, stream, error);
}

static const struct env_stream_events inbound_events = {on_accept, on_inbound_bytes,
                                                        on_inbound_writable, on_inbound_close};
static const struct env_stream_events outbound_events = {on_connect, on_bytes, on_writable,
                                                         on_close};
/* No listener of ours saw him; what is known of him is his address in that network. */
static void accept_hidden(struct p2p *p2p, uint64_t stream, const struct net_address *from,
                          struct span bytes)
{
    if (!p2p->is_active || !connect_admit(p2p, from, 0)) {
        env_stream_close(p2p->env, stream);
        return;
    }
    struct peer *peer = peer_new(p2p, PEER_INBOUND, from, stream);
    peer->permissions = permissions_of(p2p->rules, p2p->n_rules, from, true);
    handshake_begin(p2p, peer);
    if (bytes.len > 0)
        receive_bytes(p2p, peer, bytes);
}

static const struct p2p_upward upward = {.turn = turn,
                                         .peer_ready = all_peer_ready,
                                         .headers_told = block_direct_ask,
                                         .peer_gone = all_peer_gone,
                                         .peer_may_go_on = receive_resume,
                                         .block_made = compact_tell,
                                         .dialled_i2p = i2p_dialled,
                                         .accept_hidden = accept_hidden,
                                         .private_greeted = private_broadcast_greeted,
                                         .private_message = private_broadcast_message,
                                         .outbound = &outbound_events};

/* -- Making -------------------------------------------------------------------------------------
 */

static const char *keep(struct p2p *p2p, const char *s)
{
    if (!s)
        return NULL;
    char *copy = arena_alloc(&p2p->arena, strlen(s) + 1);
    memcpy(copy, s, strlen(s) + 1);
    return copy;
}

static const char *const *keep_list(struct p2p *p2p, const char *const *list, size_t n)
{
    const char **copy = arena_calloc(&p2p->arena, n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = keep(p2p, list[i]);
    return copy;
}

void p2p_set_whitelist(struct p2p *p2p, const char *const *whitelist, size_t n)
{
    ASSERT(whitelist || n == 0);
    ASSERT(p2p);
    struct permission_rule *rules = xcalloc(n + 1, sizeof *rules);
    size_t n_rules = 0;
    unsigned implicit = p2p->options.implicit_permissions;
    for (size_t i = 0; i < n; i++) {
        char *error = NULL;
        struct permission_rule *rule = &rules[n_rules];
        if (permissions_parse(whitelist[i], rule, &error)) {
            rule->permissions =
                permissions_settle(rule->permissions, implicit ? implicit : PERMISSION_DEFAULT);
            n_rules++;
        }
        xfree(error);
    }
    xfree(p2p->rules);
    p2p->rules = rules;
    p2p->n_rules = n_rules;
}

static void keep_options(struct p2p *p2p, const struct p2p_options *options)
{
    struct p2p_options *o = &p2p->options;
    *o = *options;
    o->data_dir = keep(p2p, options->data_dir);
    o->user_agent = keep(p2p, options->user_agent);
    o->asmap = keep(p2p, options->asmap);
    o->connect = keep_list(p2p, options->connect, options->n_connect);
    o->add_nodes = keep_list(p2p, options->add_nodes, options->n_add_nodes);
    o->seed_nodes = keep_list(p2p, options->seed_nodes, options->n_seed_nodes);
    o->whitelist = NULL; /* p2p->rules has it */
    o->external = keep_list(p2p, options->external, options->n_external);
    o->serve_snapshot = keep(p2p, options->serve_snapshot);
    o->reach = (struct reach_options){0}; /* p2p->reach has its own */
    o->onion.control_address = keep(p2p, options->onion.control_address);
    o->onion.password = keep(p2p, options->onion.password);
    struct p2p_bind *binds = arena_calloc(&p2p->arena, options->n_binds + 1, sizeof *binds);
    for (size_t i = 0; i < options->n_binds; i++)
        binds[i] = (struct p2p_bind){.address = keep(p2p, options->binds[i].address),
                                     .permissions = options->binds[i].permissions,
                                     .is_onion = options->binds[i].is_onion,
                                     .is_untold = options->binds[i].is_untold};
    o->binds = binds;
    if (o->port == 0)
        o->port = p2p->network->p2p_port;
    if (o->own_port == 0)
        o->own_port = o->port;
    if (o->max_connections == 0)
        o->max_connections = P2P_MAX_CONNECTIONS_DEFAULT;
    if (o->peer_timeout_s == 0)
        o->peer_timeout_s = 60;
    p2p_set_whitelist(p2p, options->whitelist, options->n_whitelist);
}

/* Which networks there are, and our own addresses in them. */
static void init_reach(struct p2p *p2p, const struct reach_options *options)
{
    const struct p2p_options *o = &p2p->options;
    uint64_t random;
    env_random(p2p->env, &random, sizeof random);
    reach_init(&p2p->reach, options, random);
    for (size_t i = 0; i < o->n_external; i++) {
        struct net_address address;
        if (reach_parse(&p2p->reach, o->external[i], o->port, &address))
            addr_relay_add_local(p2p, LOCAL_MANUAL, &address);
    }
}

static void init_book(struct p2p *p2p, const struct p2p_options *options)
{
    bool is_endless = PLANTED(p2p->env, DISCOURAGED_FOR_EVER);
    recent_set_init(&p2p->discouraged, p2p->key, is_endless ? SIZE_MAX : DISCOURAGED_MAX);
    ban_list_init(&p2p->bans);
    p2p->book = address_book_new(p2p->env, &p2p->grouping);
    p2p->files = (struct address_files){.env = p2p->env,
                                        .log = p2p->log,
                                        .data_dir = p2p->options.data_dir,
                                        .magic = p2p->network->magic,
                                        .book = p2p->book,
                                        .grouping = &p2p->grouping,
                                        .n_operations = &p2p->n_operations};
    if (options->test_address_book)
        address_book_use_test_key(p2p->book);
}

/* Of all tables whose keys are chosen by peers: hazard 63. */
static struct siphash_key make_key(const struct env *env)
{
    struct siphash_key key = {0};
    if (!PLANTED(env, KEYS_KNOWN))
        env_random(env, &key, sizeof key);
    return key;
}

static void init_serving(struct p2p *p2p)
{
    relay_init(p2p);
    serve_init(p2p);
    p2p->snapshots = xcalloc(1, sizeof *p2p->snapshots);
    *p2p->snapshots = (struct snapshots){.env = p2p->env,
                                         .log = p2p->log,
                                         .network = p2p->network,
                                         .chain = p2p->chain,
                                         .upload = &p2p->upload};
}

struct p2p *p2p_new(const struct env *env, const struct log *log, const struct network *network,
                    struct chain *chain, struct mempool *mempool, const struct p2p_options *options,
                    const struct p2p_events *events)
{
    ASSERT(options->user_agent && strlen(options->user_agent) <= WIRE_USER_AGENT_MAX);
    struct p2p *p2p = xcalloc(1, sizeof *p2p);
    p2p->up = &upward;
    p2p->messages = messages;
    p2p->features = features;
    p2p->env = env;
    p2p->log = log;
    p2p->network = network;
    p2p->chain = chain;
    p2p->mempool = mempool;
    if (events)
        p2p->events = *events;
    arena_init(&p2p->arena, 4096);
    keep_options(p2p, options);
    p2p->is_active = !options->is_inactive;
    p2p->upload.target_bytes = options->upload_target_bytes;
    p2p->upload.spacing_s = network->pow_target_spacing_s;
    p2p->min_chain_work =
        options->min_chain_work ? *options->min_chain_work : u256_from_le(network->min_chain_work);
    p2p->key = make_key(env);
    p2p->transports = (struct transport_world){.env = env, .magic = network->magic};
    hash_map_init(&p2p->by_id);
    hash_map_init(&p2p->by_stream);
    p2p->grouping.has_private = options->private_routable;
    init_reach(p2p, &options->reach);
    private_broadcast_init(p2p);
    init_book(p2p, options);
    if (options->capture_messages && options->data_dir)
        p2p->capture = capture_new(env, log, options->data_dir);
    block_fetch_init(p2p);
    int n_extra = options->extra_txs == 0 ? COMPACT_EXTRA_TXS : options->extra_txs;
    compact_extra_init(&p2p->compact_extra, (size_t)MAX_OF(n_extra, 0));
    tx_relay_init(p2p);
    init_serving(p2p);
    return p2p;
}

/* -- Starting and stopping ----------------------------------------------------------------------
 */

static bool listen_on(struct p2p *p2p, const struct p2p_bind *bind, int *error)
{
    struct net_address address;
    char host[NET_ADDRESS_TEXT_MAX];
    if (!net_address_parse(bind->address, p2p->options.port, &address)) {
        *error = -EINVAL;
        return false;
    }
    struct p2p_listener *listener = &p2p->listeners[p2p->n_listeners];
    *listener = (struct p2p_listener){.p2p = p2p,
                                      .permissions = bind->permissions,
                                      .is_onion = bind->is_onion,
                                      .is_untold = bind->is_untold,
                                      .address = address};
    listener->stream = env_stream_listen(p2p->env, net_address_format_host(&address, host),
                                         address.port, &inbound_events, listener, error);
    if (listener->stream)
        p2p->n_listeners++;
    return listener->stream != 0;
}

/* Who comes by this address has come through Tor. Core binds the same port, but nobody has named
 * it, so that another node's being there is no reason not to start. */
static void listen_for_tor(struct p2p *p2p)
{
    char text[32];
    int code = 0;
    if (!p2p->options.onion.control_address || p2p->options.port == UINT16_MAX)
        return;
    snprintf(text, sizeof text, "127.0.0.1:%u", p2p->options.port + 1u);
    if (!listen_on(p2p, &(struct p2p_bind){.address = text, .is_onion = true}, &code))
        log_warning(p2p->log,
                    "Unable to bind to %s on this computer, so there is no onion service: "
                    "%s",
                    text, strerror(-code));
}

/* Who comes through Tor may come in where nobody has permissions. */
static bool has_way_for_tor(const struct p2p_options *options)
{
    for (size_t i = 0; i < options->n_binds; i++)
        if (options->binds[i].is_onion || options->binds[i].permissions == 0)
            return true;
    return false;
}

static bool listen_all(struct p2p *p2p, char **error)
{
    const struct p2p_options *o = &p2p->options;
    int code = 0;
    if (!o->listen)
        return true;
    p2p->listeners = arena_calloc(&p2p->arena, o->n_binds + 3, sizeof *p2p->listeners);
    for (size_t i = 0; i < o->n_binds; i++)
        if (!listen_on(p2p, &o->binds[i], &code))
            return fail_with(error, "Unable to bind to %s on this computer: %s",
                             o->binds[i].address, strerror(-code));
    if (!has_way_for_tor(o))
        listen_for_tor(p2p);
    if (o->n_binds > 0)
        return true;
    /* Every interface; one of the two kinds of address is enough. */
    bool has_v4 = listen_on(p2p, &(struct p2p_bind){.address = "0.0.0.0"}, &code);
    if (listen_on(p2p, &(struct p2p_bind){.address = "::"}, &code) || has_v4)
        return true;
    return fail_with(error,
                     "Unable to listen on port %u: %s. Another node may be running; -port= and "
                     "-listen=0 help",
                     o->port, strerror(-code));
}

static bool serve_snapshot(struct p2p *p2p, char **error)
{
    const char *path = p2p->options.serve_snapshot, *dir = p2p->options.data_dir;
    if (!path)
        return true;
    char *absolute = *path == '/' || !dir ? xstrdup(path) : xasprintf("%s/%s", dir, path);
    bool ok = snapshot_serve_start(p2p->snapshots, p2p, absolute, error);
    xfree(absolute);
    return ok;
}

/* What Core logs when its threads start. Here one loop does their work, but who starts a node by a
 * script waits for the lines of the steps that he knows. Decision 0395 */
static void log_steps(const struct p2p *p2p)
{
    static const char *const threads[] = {"net", "addcon", "msghand"};
    log_printf(p2p->log, LOG_ALWAYS, "init message: Starting network threads\xe2\x80\xa6");
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        log_printf(p2p->log, LOG_ALWAYS, "%s thread start", threads[i]);
}

bool p2p_start(struct p2p *p2p, char **error)
{
    ASSERT(!p2p->is_running);
    log_printf(p2p->log, LOG_ALWAYS, "init message: Loading P2P addresses\xe2\x80\xa6");
    if (!address_files_load(&p2p->files, p2p->options.asmap, p2p_now_us(p2p), error) ||
        !listen_all(p2p, error))
        return false;
    if (!serve_snapshot(p2p, error))
        return false;
    log_steps(p2p);
    p2p->is_running = true;
    discover_start(p2p);
    connect_init(p2p);
    named_nodes_init(p2p);
    seed_node_init(p2p);
    fixed_seed_start(p2p);
    stale_tip_init(p2p);
    onion_service_start(&p2p->onion, p2p);
    i2p_start(p2p);
    port_map_start(p2p);
    dns_seed_start(&p2p->seed, p2p);
    p2p_schedule_now(p2p);
    return true;
}

static void drop_all(struct p2p *p2p, const char *why)
{
    while (p2p->peers)
        peer_drop(p2p, p2p->peers, why);
}

void p2p_stop(struct p2p *p2p)
{
    p2p_enter(p2p);
    dns_seed_stop(&p2p->seed);
    named_nodes_stop(p2p);
    onion_service_stop(&p2p->onion);
    port_map_stop(p2p);
    for (size_t i = 0; i < p2p->n_listeners; i++)
        env_stream_close(p2p->env, p2p->listeners[i].stream);
    p2p->n_listeners = 0;
    addr_caches_clear(&p2p->addr_caches);
    if (p2p->is_running)
        connect_save(p2p);
    p2p->is_running = false;
    drop_all(p2p, "");
    i2p_stop(p2p);
    snapshot_serve_stop(p2p->snapshots);
    snapshot_fetch_stop(p2p->snapshots);
    if (p2p->timer)
        env_timer_cancel(p2p->env, p2p->timer);
    p2p->timer = 0;
    p2p_leave(p2p);
}

void p2p_free(struct p2p *p2p)
{
    if (!p2p)
        return;
    ASSERT(!p2p->is_running && !p2p->peers && p2p->depth == 0 && p2p->n_operations == 0 &&
           p2p->filters.n_reads == 0);
    snapshot_serve_free(p2p->snapshots);
    snapshot_fetch_free(p2p->snapshots);
    xfree(p2p->snapshots);
    serve_deinit(p2p);
    relay_deinit(p2p);
    tx_relay_deinit(p2p);
    compact_extra_deinit(&p2p->compact_extra);
    block_fetch_deinit(p2p);
    named_nodes_deinit(p2p);
    private_broadcast_deinit(p2p);
    address_book_free(p2p->book);
    address_files_deinit(&p2p->files);
    recent_set_deinit(&p2p->discouraged);
    ban_list_deinit(&p2p->bans);
    hash_map_deinit(&p2p->by_stream);
    hash_map_deinit(&p2p->by_id);
    capture_free(p2p->capture);
    xfree(p2p->rules);
    arena_deinit(&p2p->arena);
    transport_world_deinit(&p2p->transports);
    xfree(p2p);
}

struct snapshots *p2p_snapshots(struct p2p *p2p)
{
    ASSERT(p2p);
    return p2p->snapshots;
}

void p2p_advance(struct p2p *p2p, int64_t delta_us)
{
    int64_t *const at_us[] = {&p2p->relay.next_again_us,         &p2p->stale.next_check_us,
                              &p2p->stale.next_evict_us,         &p2p->files.next_dump_us,
                              &p2p->private_txs.next_recheck_us, &p2p->next_map_health_us};
    for (size_t i = 0; i < COUNT_OF(at_us); i++)
        *at_us[i] = *at_us[i] > INT64_MIN + delta_us ? *at_us[i] - delta_us : INT64_MIN;
    p2p_schedule_now(p2p);
}

size_t p2p_pending(const struct p2p *p2p)
{
    return p2p->n_operations + p2p->filters.n_reads + p2p->snapshots->n_jobs +
           capture_pending(p2p->capture);
}

void p2p_check(const struct p2p *p2p)
{
    address_book_check(p2p->book);
    tx_fetch_check(&p2p->txs.fetch);
    orphans_check(&p2p->txs.orphans);
}

/* -- What happened elsewhere ---------------------------------------------------------------------
 */

void p2p_block_connected(struct p2p *p2p, const struct block_node *node, struct block_ref *block)
{
    p2p_enter(p2p);
    block_fetch_connected(p2p, node);
    compact_take_forget(p2p, node);
    serve_block_connected(p2p, node, block);
    tx_relay_block_connected(p2p, &block->block);
    p2p_leave(p2p);
}

void p2p_block_checked(struct p2p *p2p, const struct block_node *node, struct block_ref *block)
{
    p2p_enter(p2p);
    compact_tell_checked(p2p, node, block);
    p2p_leave(p2p);
}

void p2p_block_disconnected(struct p2p *p2p, struct block_ref *block)
{
    serve_block_disconnected(p2p, block);
    tx_known_block_disconnected(&p2p->txs.known);
}

void p2p_tip_changed(struct p2p *p2p, const struct block_node *tip)
{
    p2p_enter(p2p);
    stale_tip_moved(p2p);
    serve_tip_changed(p2p);
    tx_known_tip_changed(&p2p->txs.known);
    relay_tip_changed(p2p, tip);
    block_fetch_wake(p2p);
    p2p_leave(p2p);
}

void p2p_header_tip_changed(struct p2p *p2p, const struct block_node *best_header)
{
    (void)best_header;
    block_fetch_wake(p2p);
}

void p2p_block_invalid(struct p2p *p2p, const struct block_hash *hash)
{
    compact_take_forget(p2p, chain_find(p2p->chain, hash));
    block_fetch_wake(p2p);
}

void p2p_block_lost(struct p2p *p2p, const struct block_node *node)
{
    (void)node; /* chain_lost_blocks() has it, or chain_past_missing() what comes next */
    block_fetch_wake(p2p);
}

void p2p_mempool_changed(struct p2p *p2p, const struct mempool_event *event)
{
    ASSERT(p2p->mempool);
    if (event->reason == MEMPOOL_REMOVED_REPLACED)
        compact_extra_add(&p2p->compact_extra, &event->entry->tx);
    if (event->reason != MEMPOOL_ADDED && event->reason != MEMPOOL_SENT_AGAIN)
        return;
    p2p_enter(p2p);
    private_broadcast_heard(p2p, event);
    if (event->reason == MEMPOOL_ADDED)
        tx_relay_added(p2p, event->entry);
    tx_tell(p2p, event->entry);
    p2p_leave(p2p);
}
