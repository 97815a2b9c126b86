/* named_node.c - see named_node.h. */
#include "p2p/connect/named_node.h"

#include <string.h>
#include <strings.h>

#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "util/array.h"
#include "util/parse.h"

/* -- Texts --------------------------------------------------------------------------------------
 */

/* Cut "host:port"; what has no port that could be one is a host as a whole, as in Core. */
static char *split(const char *text, uint16_t default_port, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    uint64_t value;
    *port = default_port;
    if (!colon || colon == text || strchr(text, ':') != colon || !parse_uint64(colon + 1, &value) ||
        value > UINT16_MAX)
        return xstrdup(text);
    *port = (uint16_t)value;
    char *host = xstrdup(text);
    host[colon - text] = '\0';
    return host;
}

/* Hidden services have no names in DNS, and to ask for one there would tell whom we call. RFC 7686
 */
static bool is_hidden(const char *host)
{
    static const char *const ends[] = {".onion", ".i2p"};
    size_t len = strlen(host);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        size_t n = strlen(ends[i]);
        if (len >= n && strcasecmp(host + len - n, ends[i]) == 0)
            return true;
    }
    return false;
}

static bool can_look_up(const struct named_node *node)
{
    const struct p2p *p2p = node->p2p;
    return p2p->env->names.resolve && !p2p->options.no_dns && !is_hidden(node->host);
}

/* -- The list -----------------------------------------------------------------------------------
 */

struct named_node *named_node_add(struct p2p *p2p, const char *text, enum named_purpose purpose)
{
    struct named_nodes *named = &p2p->named;
    ASSERT(text[0] != '\0' && strlen(text) <= NAMED_TEXT_MAX);
    struct named_node *node = xcalloc(1, sizeof *node);
    *node = (struct named_node){
        .p2p = p2p,
        .text = xstrdup(text),
        .purpose = purpose,
        .use_v2 = p2p->options.v2_transport,
        .retry_us = NAMED_RETRY_FIRST_US,
    };
    if (reach_parse(&p2p->reach, text, p2p->network->p2p_port, &node->addresses[0]))
        node->n_addresses = 1;
    else
        node->host = split(text, p2p->network->p2p_port, &node->port);
    *ARRAY_ADD(named) = node;
    p2p_schedule_now(p2p);
    return node;
}

static void cancel_lookup(struct named_node *node)
{
    const struct env *env = node->p2p->env;
    if (node->lookup)
        env_resolve_cancel(env, node->lookup);
    node->lookup = 0;
}

static void node_free(struct named_node *node)
{
    cancel_lookup(node);
    xfree(node->host);
    xfree(node->text);
    xfree(node);
}

void named_node_remove(struct p2p *p2p, struct named_node *node)
{
    struct named_nodes *named = &p2p->named;
    size_t at = 0;
    while (at < named->n && named->at[at] != node)
        at++;
    ASSERT(at < named->n);
    ARRAY_REMOVE(named, at);
    node_free(node);
}

struct named_node *named_node_find(struct p2p *p2p, const char *text, enum named_purpose purpose)
{
    struct net_address address;
    bool is_address = reach_parse(&p2p->reach, text, p2p->network->p2p_port, &address);
    for (size_t i = 0; i < p2p->named.n; i++) {
        struct named_node *node = p2p->named.at[i];
        if (node->purpose != purpose)
            continue;
        if (strcmp(node->text, text) == 0 ||
            (is_address && !node->host && net_address_equal(&node->addresses[0], &address)))
            return node;
    }
    return NULL;
}

struct peer *named_node_peer(const struct named_node *node)
{
    for (struct peer *peer = node->p2p->peers; peer; peer = peer->next) {
        if (peer->state == PEER_CONNECTING)
            continue;
        if (peer->id == node->peer)
            return peer;
        for (size_t i = 0; i < node->n_addresses; i++)
            if (net_address_equal(&peer->address, &node->addresses[i]))
                return peer;
    }
    return NULL;
}

static void add_list(struct p2p *p2p, const char *const *list, size_t n, enum named_purpose purpose)
{
    for (size_t i = 0; i < n; i++)
        if (list[i][0] != '\0' && strcmp(list[i], "0") != 0 && strlen(list[i]) <= NAMED_TEXT_MAX &&
            !named_node_find(p2p, list[i], purpose))
            (void)named_node_add(p2p, list[i], purpose);
}

void named_nodes_init(struct p2p *p2p)
{
    const struct p2p_options *options = &p2p->options;
    add_list(p2p, options->connect, options->n_connect, NAMED_CONNECT);
    add_list(p2p, options->add_nodes, options->n_add_nodes, NAMED_ADDED);
}

void named_nodes_stop(struct p2p *p2p)
{
    for (size_t i = 0; i < p2p->named.n; i++)
        cancel_lookup(p2p->named.at[i]);
}

void named_nodes_deinit(struct p2p *p2p)
{
    for (size_t i = 0; i < p2p->named.n; i++)
        node_free(p2p->named.at[i]);
    xfree(p2p->named.at);
    p2p->named = (struct named_nodes){0};
}

/* -- Rounds: look the name up, dial one address after the other --------------------------------
 */

static bool is_for_one_round(const struct named_node *node)
{
    return node->purpose == NAMED_ONCE || node->purpose == NAMED_SEED;
}

/* Nobody is there, and why: NULL if that is no news. Said once, then to who wants to know. */
static void end_round(struct named_node *node, const char *why)
{
    struct p2p *p2p = node->p2p;
    bool is_first = node->retry_us == NAMED_RETRY_FIRST_US;
    node->is_over = is_for_one_round(node);
    node->at = node->n_addresses;
    node->next_us = p2p_now_us(p2p) + node->retry_us;
    if (why && node->is_over)
        log_printf(p2p->log, LOG_ALWAYS, "%s %s", node->text, why);
    else if (why)
        log_printf(p2p->log, is_first ? LOG_ALWAYS : LOG_NET, "%s %s; next attempt in %d s",
                   node->text, why, (int)(node->retry_us / 1000000));
    node->retry_us *= 2;
    node->retry_us = MIN_OF(node->retry_us, NAMED_RETRY_MAX_US);
    p2p_schedule_now(p2p);
}

static enum peer_class class_of(const struct named_node *node)
{
    return node->purpose == NAMED_SEED ? PEER_ADDR_FETCH : PEER_MANUAL;
}

static void on_names(void *arg, const char *const *addresses, size_t n)
{
    struct named_node *node = arg;
    node->lookup = 0;
    node->at = node->n_addresses = 0;
    for (size_t i = 0; i < n && node->n_addresses < NAMED_ADDRESSES_MAX; i++) {
        struct net_address address;
        if (!net_address_parse(addresses[i], 0, &address))
            continue;
        address.port = node->port;
        node->addresses[node->n_addresses++] = reach_flip(&node->p2p->reach, &address);
    }
    if (node->n_addresses == 0) {
        end_round(node, "cannot be looked up");
        return;
    }
    node->next_us = 0;
    p2p_schedule_now(node->p2p);
}

/* Whom the proxy finds by its name. */
static void dial_by_name(struct named_node *node)
{
    enum peer_class class = class_of(node);
    struct peer *peer = is_hidden(node->host)
                            ? NULL
                            : dial_name(node->p2p, node->host, node->port, class, node->use_v2);
    if (peer)
        node->peer = peer->id;
    else
        end_round(node, "is no name that a proxy can be told");
}

static void look_up(struct named_node *node)
{
    ASSERT(node->host && node->lookup == 0);
    const struct env *env = node->p2p->env;
    node->n_addresses = node->at = 0;
    if (can_look_up(node))
        node->lookup = env_resolve(env, node->host, on_names, node);
    else if (is_hidden(node->host))
        end_round(node, "cannot be reached without a proxy");
    else
        end_round(node, "is a name, and names are not looked up (-dns=0)");
}

/* The next address that can be dialled. */
static void dial_next(struct named_node *node)
{
    ASSERT(node->at < node->n_addresses && node->n_addresses <= NAMED_ADDRESSES_MAX);
    struct p2p *p2p = node->p2p;
    while (node->at < node->n_addresses) {
        const struct net_address *address = &node->addresses[node->at++];
        if (dial_has(p2p, address)) { /* by another way; perhaps not for ever */
            node->is_over = is_for_one_round(node);
            node->at = node->n_addresses;
            node->next_us =
                p2p_now_us(p2p) + (node->host ? NAMED_RETRY_MAX_US : NAMED_RETRY_FIRST_US);
            return;
        }
        struct peer *peer = dial(p2p, address, class_of(node), node->use_v2);
        if (peer) {
            node->peer = peer->id;
            return;
        }
    }
    end_round(node, "cannot be reached without a proxy");
}

static void go_on(struct named_node *node)
{
    if (node->at < node->n_addresses) {
        dial_next(node);
    } else if (node->host && reach_name_proxy(&node->p2p->reach)) {
        dial_by_name(node);
    } else if (node->host) {
        look_up(node);
    } else {
        node->at = 0;
        dial_next(node);
    }
}

int64_t named_nodes_tick(struct p2p *p2p, int64_t now_us)
{
    int64_t next_us = INT64_MAX;
    for (size_t i = 0; i < p2p->named.n;) {
        struct named_node *node = p2p->named.at[i];
        bool is_waiting = !node->is_over && !node->peer && !node->lookup;
        if (is_waiting && node->next_us <= now_us)
            go_on(node);
        if (node->is_over) {
            named_node_remove(p2p, node);
            continue;
        }
        if (!node->peer && !node->lookup && node->next_us < next_us)
            next_us = node->next_us;
        i++;
    }
    return next_us;
}

void named_nodes_wake(struct p2p *p2p)
{
    for (size_t i = 0; i < p2p->named.n; i++)
        p2p->named.at[i]->next_us = 0;
    p2p_schedule_now(p2p);
}

/* -- What became of it ---------------------------------------------------------------------------
 */

void named_nodes_peer_ready(struct p2p *p2p, const struct peer *peer)
{
    ASSERT(peer_is_outbound(peer));
    for (size_t i = 0; i < p2p->named.n; i++)
        if (p2p->named.at[i]->peer == peer->id)
            p2p->named.at[i]->retry_us = NAMED_RETRY_FIRST_US;
}

void named_nodes_peer_again(struct p2p *p2p, uint64_t old_id, uint64_t new_id)
{
    for (size_t i = 0; i < p2p->named.n; i++)
        if (p2p->named.at[i]->peer == old_id)
            p2p->named.at[i]->peer = new_id;
}

static void peer_gone(struct named_node *node, bool was_ready)
{
    node->peer = 0;
    if (was_ready || node->at >= node->n_addresses)
        end_round(node, was_ready ? NULL : "cannot be connected to");
    else
        node->next_us = 0; /* another address of the same name */
}

void named_nodes_peer_gone(struct p2p *p2p, const struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    for (size_t i = 0; i < p2p->named.n; i++)
        if (p2p->named.at[i]->peer == peer->id)
            peer_gone(p2p->named.at[i], peer->was_ready);
}
