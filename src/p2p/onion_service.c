/* onion_service.c - see onion_service.h. Messages are Core's. */
#include "p2p/onion_service.h"

#include <stdio.h>

#include "crypto/mem.h"
#include "p2p/state.h"
#include "util/read_file.h"

static void connect_tor(void *arg);

/* -- The key ------------------------------------------------------------------------------------
 */

static void read_key(struct onion_service *onion)
{
    struct buffer bytes;
    buffer_init(&bytes);
    if (key_file_read(&onion->key_file, &bytes)) {
        /* It goes into a line to Tor. */
        bool is_line = !memchr(bytes.p, '\n', bytes.len) && !memchr(bytes.p, '\0', bytes.len);
        ASSERT(bytes.len < sizeof onion->key);
        if (!is_line)
            key_file_refuse(&onion->key_file);
        memcpy(onion->key, bytes.p, is_line ? bytes.len : 0);
        onion->key[is_line ? bytes.len : 0] = '\0';
    }
    mem_wipe_buffer(&bytes);
}

static void keep_key(struct onion_service *onion)
{
    if (strcmp(onion->key, onion->tor.key) == 0)
        return;
    snprintf(onion->key, sizeof onion->key, "%s", onion->tor.key);
    (void)key_file_keep(&onion->key_file, span_of_string(onion->key));
}

/* -- What Tor tells -----------------------------------------------------------------------------
 */

static void forget_address(struct onion_service *onion)
{
    if (onion->address.network != NET_NONE)
        local_list_remove(&onion->p2p->local, LOCAL_SERVICE, &onion->address);
    onion->address = (struct net_address){0};
}

static void on_service(struct onion_service *onion)
{
    struct p2p *p2p = onion->p2p;
    char name[TOR_TEXT_MAX + 8], text[NET_ADDRESS_TEXT_MAX];
    snprintf(name, sizeof name, "%s.onion", onion->tor.text);
    bool is_one = net_address_parse(name, p2p->network->p2p_port, &onion->address) &&
                  onion->address.network == NET_TORV3;
    if (!is_one)
        onion->address = (struct net_address){0};
    log_printf(p2p->log, LOG_ALWAYS, "Got tor service ID %s, advertising service %s",
               onion->tor.text, is_one ? net_address_format(&onion->address, text) : "none");
    keep_key(onion);
    if (is_one)
        addr_relay_add_local(p2p, LOCAL_SERVICE, &onion->address);
}

/* Where it could not be learnt, it is where Tor has it unless somebody changed that. */
static void on_proxy(struct onion_service *onion)
{
    struct p2p *p2p = onion->p2p;
    struct reach_proxy proxy = {
        .address = "127.0.0.1", .port = REACH_PROXY_PORT, .randomizes = true};
    struct net_address told;
    char shown[REACH_PROXY_TEXT_MAX + 16];
    if (onion->tor.text[0] == '\0')
        log_warning(p2p->log, "tor: Get SOCKS port command returned nothing");
    if (net_address_parse(onion->tor.text, REACH_PROXY_PORT, &told) && told.network <= NET_IPV6) {
        (void)net_address_format_host(&told, proxy.address);
        proxy.port = told.port;
    }
    reach_format_proxy(&proxy, shown, sizeof shown);
    log_printf(p2p->log, LOG_NET, "Configuring onion proxy for %s", shown);
    reach_set_onion_proxy(&p2p->reach, &proxy);
    p2p_schedule_now(p2p); /* there is more to connect to */
}

/* -- The stream ---------------------------------------------------------------------------------
 */

static void send_all(struct onion_service *onion, struct buffer *out)
{
    if (out->len > 0)
        env_stream_send(onion->p2p->env, onion->stream, buffer_span(out));
    mem_wipe_buffer(out); /* passwords */
}

static void disconnect(struct onion_service *onion)
{
    if (onion->is_up)
        tor_control_deinit(&onion->tor);
    onion->is_up = false;
    onion->stream = 0;
    forget_address(onion);
}

static void retry_later(struct onion_service *onion)
{
    const struct p2p *p2p = onion->p2p;
    disconnect(onion);
    log_printf(p2p->log, LOG_NET, "Not connected to Tor control port %s, will retry",
               p2p->options.onion.control_address);
    onion->timer = env_timer_start(p2p->env, onion->retry_us, connect_tor, onion);
    onion->retry_us = MIN_OF(onion->retry_us * 3 / 2, ONION_RETRY_MAX_US);
}

static void on_connect(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    struct onion_service *onion = arg;
    const struct p2p *p2p = onion->p2p;
    const struct tor_control_options options = {.password = p2p->options.onion.password,
                                                .asks_for_proxy = p2p->options.onion.asks_for_proxy,
                                                .port = p2p->network->p2p_port,
                                                .target = onion->target};
    uint8_t nonce[TOR_NONCE_BYTES];
    struct buffer out;
    ASSERT(stream == onion->stream && !onion->is_up);
    log_printf(p2p->log, LOG_NET, "Successfully connected to Tor control port %s:%u", address,
               port);
    if (onion->key[0] == '\0')
        read_key(onion);
    buffer_init(&out);
    env_random(p2p->env, nonce, sizeof nonce);
    tor_control_init(&onion->tor, &options, onion->key, nonce, &out);
    onion->is_up = true;
    onion->retry_us = ONION_RETRY_FIRST_US;
    send_all(onion, &out);
}

static enum tor_event read_cookie(struct onion_service *onion, struct buffer *out)
{
    const struct p2p *p2p = onion->p2p;
    struct buffer bytes;
    buffer_init(&bytes);
    bool is_read = read_file(p2p->env, onion->tor.path, 2 * TOR_COOKIE_BYTES, &bytes) == 0;
    if (is_read && bytes.len == 0)
        buffer_reserve(&bytes, 1);
    enum tor_event event =
        tor_control_cookie(&onion->tor, span_of(is_read ? bytes.p : NULL, bytes.len), out);
    mem_wipe_buffer(&bytes);
    return event;
}

/* Returns: false if the stream is of no use any more. */
static bool on_event(struct onion_service *onion, enum tor_event event, struct buffer *out)
{
    if (event == TOR_WANTS_COOKIE)
        event = read_cookie(onion, out);
    switch (event) {
    case TOR_HAS_PROXY:
        on_proxy(onion);
        break;
    case TOR_HAS_SERVICE:
        on_service(onion);
        break;
    case TOR_WARNING:
    case TOR_BROKEN:
        log_warning(onion->p2p->log, "%s", onion->tor.text);
        break;
    case TOR_NOTHING:
    case TOR_WANTS_COOKIE:
        break;
    }
    return event != TOR_BROKEN;
}

static void on_bytes(void *arg, uint64_t stream, struct span bytes)
{
    struct onion_service *onion = arg;
    struct buffer out;
    bool is_good = true;
    if (!onion->is_up || stream != onion->stream)
        return;
    buffer_init(&out);
    while (bytes.len > 0 && is_good)
        is_good = on_event(onion, tor_control_read(&onion->tor, &bytes, &out), &out);
    send_all(onion, &out);
    if (is_good)
        return;
    env_stream_close(onion->p2p->env, stream);
    retry_later(onion);
}

static void on_writable(void *arg, uint64_t stream)
{
    (void)arg, (void)stream;
}

static void on_close(void *arg, uint64_t stream, int error)
{
    struct onion_service *onion = arg;
    (void)error;
    if (stream == onion->stream)
        retry_later(onion);
}

static const struct env_stream_events events = {on_connect, on_bytes, on_writable, on_close};

static void connect_tor(void *arg)
{
    struct onion_service *onion = arg;
    const struct p2p *p2p = onion->p2p;
    onion->timer = 0;
    onion->stream = env_stream_connect(p2p->env, p2p->options.onion.control_address,
                                       p2p->options.onion.control_port, &events, onion);
}

/* -- Start and stop -----------------------------------------------------------------------------
 */

/* The listener for Tor, else the first that the user has named: who comes in there has no
 * permissions, and there is no other beside it for whom Tor brings. */
static bool find_target(struct onion_service *onion)
{
    const struct p2p *p2p = onion->p2p;
    const struct p2p_listener *found = NULL;
    for (size_t i = 0; i < p2p->n_listeners && !(found && found->is_onion); i++) {
        const struct p2p_listener *listener = &p2p->listeners[i];
        bool is_plain = p2p->options.n_binds > 0 && listener->permissions == 0;
        if (listener->is_onion || (!found && is_plain))
            found = listener;
    }
    if (found)
        (void)net_address_format(&found->address, onion->target);
    return found != NULL;
}

void onion_service_start(struct onion_service *onion, struct p2p *p2p)
{
    ASSERT(!onion->p2p);
    *onion = (struct onion_service){.p2p = p2p, .retry_us = ONION_RETRY_FIRST_US};
    if (!p2p->options.onion.control_address || !find_target(onion)) {
        onion->p2p = NULL;
        return;
    }
    key_file_init(&onion->key_file, p2p->env, p2p->log, p2p->options.data_dir, ONION_KEY_FILE,
                  TOR_TEXT_MAX - 1);
    connect_tor(onion);
}

void onion_service_stop(struct onion_service *onion)
{
    if (!onion->p2p)
        return;
    const struct env *env = onion->p2p->env;
    if (onion->timer)
        env_timer_cancel(env, onion->timer);
    if (onion->stream)
        env_stream_close(env, onion->stream);
    disconnect(onion);
    key_file_deinit(&onion->key_file);
    mem_wipe(onion, sizeof *onion);
}
