/* config_net.c - see config_net.h. Messages are Core's where it has them. */
#include "host/config_net.h"

#include <string.h>
#include <sys/socket.h>

#include "host/config_place.h"
#include "host/config_proxy.h"
#include "host/sockets.h"
#include "node/node_bans.h"
#include "p2p/connect/named_node.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/parse.h"
#include "util/version.h"

#define CLUSTER_KVB_MAX  1000 /* a block's worth: nobody mines more at once */
#define HOST_TEXT_MAX    256
#define HOUR_S           INT64_C(3600)
#define EXPIRY_HOURS_MAX INT64_C(100000000) /* 11,000 years: sums of times do not wrap */
#define MIB              UINT64_C(1048576)
_Static_assert(CLUSTER_KVB_MAX * 1000 * WITNESS_SCALE <= BLOCK_WEIGHT_MAX_WU, "a block has room");

static char *keep_address(struct config_net *config, const char *host, uint16_t port)
{
    char *text = strchr(host, ':') ? xasprintf("[%s]:%u", host, (unsigned)port)
                                   : xasprintf("%s:%u", host, (unsigned)port);
    char *copy = config_keep(&config->strings, text);
    xfree(text);
    return copy;
}

/* A -whitebind that is for friends: it is not one of the ports that others are told. Core */
static bool names_noban(const char *spec, unsigned permissions)
{
    return strchr(spec, '@') && (permissions & PERMISSION_NOBAN);
}

/* The port where peers of ours come in: that of the first -bind that has one, else of a -whitebind
 * that does not name noban, else -port. Spec: Core GetListenPort() */
static uint16_t listen_port(const struct config_net *config, const struct options *options)
{
    char host[HOST_TEXT_MAX];
    const char *spec, *address;
    unsigned permissions;
    for (size_t i = 0; (spec = options_get_list(options, "bind", i)); i++) {
        uint16_t port = 0;
        if (!strchr(spec, '=') && sockets_split(spec, host, sizeof host, &port) && port > 0)
            return port;
    }
    for (size_t i = 0; (spec = options_get_list(options, "whitebind", i)); i++) {
        uint16_t port = 0;
        char *error = NULL;
        bool ok = permissions_parse_names(spec, &permissions, &address, &error) &&
                  !names_noban(spec, permissions) &&
                  sockets_split(address, host, sizeof host, &port) && port > 0;
        xfree(error);
        if (ok)
            return port;
    }
    return config->p2p.port;
}

/* An address of ours, as numeric text with a port or a hidden service's name. Another name is not
 * looked up where a proxy would do that: the question would tell what the proxy hides. */
static bool resolve_own(struct config_net *config, const struct options *options, const char *spec,
                        const char **out)
{
    struct net_address hidden;
    const char *host;
    uint16_t port = listen_port(config, options);
    if (net_address_parse(spec, port, &hidden)) {
        char text[NET_ADDRESS_TEXT_MAX];
        *out = config_keep(&config->strings, net_address_format(&hidden, text));
        return true;
    }
    if (config->p2p.reach.name_proxy.address ||
        !config_resolve(&config->strings, options, spec, port, &host, &port))
        return false;
    *out = keep_address(config, host, port);
    return true;
}

/* Names of nodes, as they were given: they are looked up when the node runs, and again. */
static bool set_names(struct config_net *config, const struct options *options, const char *name,
                      const char **list, size_t *n, char **error)
{
    ASSERT(*n <= CONFIG_NET_ADDRESSES_MAX);
    const char *spec;
    for (size_t i = 0; (spec = options_get_list(options, name, i)); i++) {
        if (spec[strspn(spec, " \t\r\n")] == '\0' && strcmp(name, "addnode") == 0)
            continue; /* as in Core */
        if (*n == CONFIG_NET_ADDRESSES_MAX)
            *error = xasprintf("-%s: more than %d are given", name, CONFIG_NET_ADDRESSES_MAX);
        else if (spec[0] == '\0' || strlen(spec) > NAMED_TEXT_MAX)
            *error = xasprintf("-%s: '%s' cannot be the name of a node", name, spec);
        if (*error)
            return false;
        list[(*n)++] = config_keep(&config->strings, spec);
    }
    return true;
}

/* -externalip: addresses of ourselves, at the port where we listen unless one is named. */
static bool set_external(struct config_net *config, const struct options *options, char **error)
{
    struct p2p_options *p2p = &config->p2p;
    const char *spec;
    for (size_t i = 0; (spec = options_get_list(options, "externalip", i)); i++) {
        if (p2p->n_external == CONFIG_NET_ADDRESSES_MAX)
            return fail_with(error, "-externalip: more than %d are given",
                             CONFIG_NET_ADDRESSES_MAX);
        if (!resolve_own(config, options, spec, &config->external[p2p->n_external]))
            return fail_with(error, "Cannot resolve -externalip address: '%s'", spec);
        p2p->n_external++;
    }
    return true;
}

static bool set_outbound(struct config_net *config, const struct options *options, char **error)
{
    struct p2p_options *p2p = &config->p2p;
    const char *first = options_get_list(options, "connect", 0);
    p2p->connect_only = first || options_is_negated(options, "connect");
    p2p->connect = config->connect;
    p2p->add_nodes = config->add_nodes;
    p2p->seed_nodes = config->seed_nodes;
    p2p->external = config->external;
    p2p->no_discover = !options_get_bool(options, "discover", true);
    p2p->no_dns = !options_get_bool(options, "dns", true);
    p2p->v2_transport = options_get_bool(options, "v2transport", true);
    if (first && strcmp(first, "0") != 0 &&
        !set_names(config, options, "connect", config->connect, &p2p->n_connect, error))
        return false;
    return set_names(config, options, "addnode", config->add_nodes, &p2p->n_add_nodes, error) &&
           set_names(config, options, "seednode", config->seed_nodes, &p2p->n_seed_nodes, error) &&
           set_external(config, options, error);
}

static bool add_bind(struct config_net *config, const char *address, struct p2p_bind bind)
{
    ASSERT(address && config->p2p.port > 0);
    char host[HOST_TEXT_MAX];
    /* As Core: what comes in through Tor has the port beside ours where none is named. */
    uint16_t port = (uint16_t)(config->p2p.port + (bind.is_onion ? 1 : 0));
    struct sockaddr_storage parsed;
    if (config->p2p.n_binds == CONFIG_NET_ADDRESSES_MAX ||
        !sockets_split(address, host, sizeof host, &port) || !sockets_parse(host, port, &parsed))
        return false;
    bind.address = keep_address(config, host, port);
    config->binds[config->p2p.n_binds++] = bind;
    return true;
}

/* -bind=<addr>[:<port>][=onion]. */
static bool set_bind(struct config_net *config, const char *spec, char **error)
{
    const char *mark = strchr(spec, '=');
    size_t len = mark ? (size_t)(mark - spec) : strlen(spec);
    char address[HOST_TEXT_MAX];
    bool is_onion = mark && strcmp(mark, "=onion") == 0;
    if (len < sizeof address && (!mark || is_onion)) {
        memcpy(address, spec, len);
        address[len] = '\0';
        if (add_bind(config, address, (struct p2p_bind){.is_onion = is_onion}))
            return true;
    }
    return fail_with(error, "Cannot resolve -bind address: '%s'", spec);
}

/* -whitebind=<[permissions@]addr:port>. */
static bool set_white_bind(struct config_net *config, const char *spec, char **error)
{
    unsigned permissions;
    const char *address;
    char host[HOST_TEXT_MAX];
    uint16_t port = 0;
    if (!permissions_parse_names(spec, &permissions, &address, error))
        return false;
    struct p2p_bind bind = {
        .permissions = permissions_settle(permissions, config->p2p.implicit_permissions),
        .is_untold = names_noban(spec, permissions)};
    if (!sockets_split(address, host, sizeof host, &port) || !add_bind(config, address, bind))
        return fail_with(error, "Cannot resolve -whitebind address: '%s'", address);
    return port > 0 || fail_with(error, "Need to specify a port with -whitebind: '%s'", address);
}

/* Of who is let in by a -whitelist or -whitebind that names none. */
static unsigned implicit_permissions(const struct options *options)
{
    unsigned permissions = PERMISSION_DEFAULT & ~(unsigned)PERMISSION_RELAY;
    if (options_get_bool(options, "whitelistrelay", true))
        permissions |= PERMISSION_RELAY;
    if (options_get_bool(options, "whitelistforcerelay", false))
        permissions |= PERMISSION_FORCERELAY;
    return permissions;
}

static bool set_inbound(struct config_net *config, const struct options *options, char **error)
{
    struct p2p_options *p2p = &config->p2p;
    const char *spec;
    p2p->binds = config->binds;
    p2p->own_port = listen_port(config, options);
    for (size_t i = 0; (spec = options_get_list(options, "bind", i)); i++)
        if (!set_bind(config, spec, error))
            return false;
    p2p->implicit_permissions = implicit_permissions(options);
    for (size_t i = 0; (spec = options_get_list(options, "whitebind", i)); i++)
        if (!set_white_bind(config, spec, error))
            return false;
    p2p->whitelist = config->whitelist;
    for (size_t i = 0; (spec = options_get_list(options, "whitelist", i)); i++) {
        struct permission_rule rule;
        if (i == CONFIG_NET_ADDRESSES_MAX)
            return fail_with(error, "More than %d times -whitelist", CONFIG_NET_ADDRESSES_MAX);
        if (!permissions_parse(spec, &rule, error))
            return false;
        config->whitelist[p2p->n_whitelist++] = config_keep(&config->strings, spec);
    }
    return true;
}

/* One more comment at the end of a name: before its '/', or before the ")/" of those before. */
static void add_comment(struct buffer *name, bool is_first, const char *comment)
{
    ASSERT(name->len > 1 && name->p[name->len - 1] == '/');
    name->len -= is_first ? 1 : 2;
    buffer_append_format(name, "%s%s)/", is_first ? "(" : "; ", comment);
}

/* By which nodes of one chain file know those of another: handshake.c looks for it. Returns: is
 * there one? */
static bool add_chain(struct buffer *name, const struct network *network)
{
    if (!network->rules)
        return false;
    char *comment = xasprintf(WIRE_CHAIN_COMMENT "%s", network->rules_tag);
    add_comment(name, true, comment);
    xfree(comment);
    return true;
}

/* The name that peers see, with the comments of -uacomment behind it.
 * Spec: BIP-14, Proposal; Core FormatSubVersion() */
static bool set_user_agent(struct config_net *config, const struct options *options,
                           const struct network *network, char **error)
{
    static const char safe[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               " .,;-_?@";
    struct buffer name;
    const char *comment;
    buffer_init(&name);
    buffer_append_string(&name, CAIRN_API_USER_AGENT);
    bool is_first = !add_chain(&name, network);
    for (size_t i = 0; (comment = options_get_list(options, "uacomment", i)); i++) {
        if (comment[strspn(comment, safe)]) {
            *error = xasprintf("User Agent comment (%s) contains unsafe characters.", comment);
            buffer_deinit(&name);
            return false;
        }
        add_comment(&name, is_first, comment);
        is_first = false;
    }
    if (name.len > WIRE_USER_AGENT_MAX)
        *error = xasprintf("Total length of network version string (%zu) exceeds maximum length "
                           "(%d). Reduce the number or size of uacomments.",
                           name.len, WIRE_USER_AGENT_MAX);
    buffer_append(&name, "", 1);
    config->p2p.user_agent = config_keep(&config->strings, (const char *)name.p);
    buffer_deinit(&name);
    return *error == NULL;
}

/* -asmap without a file is the map that is built in, and there is none. Core's words. */
static bool set_asmap(struct config_net *config, const struct options *options, char **error)
{
    const char *path = options_get_string(options, "asmap", NULL);
    if (!path || options_is_negated(options, "asmap"))
        return true;
    if (path[0] == '\0' || strcmp(path, "1") == 0)
        return fail_with(error, "Embedded asmap data not available");
    config->p2p.asmap = path;
    return true;
}

/* Of a block that this release knows, or "block:coins[:transactions]". */
static bool set_snapshots(struct config_net *config, const struct options *options, char **error)
{
    struct coin_vouch *of = &config->fetch_coins;
    const char *serve = options_get_string(options, "servesnapshot", "");
    const char *fetch = options_get_string(options, "fetchsnapshot", "0");
    enum { HEX = 64 };
    config->p2p.serve_snapshot =
        *serve && !options_is_negated(options, "servesnapshot") ? serve : NULL;
    config->fetches_coins = strcmp(fetch, "0") != 0;
    if (!config->fetches_coins || *fetch == '\0' || strcmp(fetch, "1") == 0)
        return true;
    int64_t chain_tx = 0;
    size_t len = strlen(fetch);
    bool is_good = len > 2 * HEX && fetch[HEX] == ':' &&
                   hex_decode_reversed(of->base.b, 32, fetch, HEX) &&
                   hex_decode_reversed(of->coins_hash, 32, fetch + HEX + 1, HEX) &&
                   (len == 2 * HEX + 1 ||
                    (fetch[2 * HEX + 1] == ':' && parse_int64(fetch + 2 * HEX + 2, &chain_tx)));
    of->chain_tx = (uint64_t)chain_tx;
    if (is_good && chain_tx >= 0)
        return true;
    return fail_with(error,
                     "-fetchsnapshot=%s: 1, or <blockhash>:<txoutset hash>[:<nchaintx>], is wanted",
                     fetch);
}

static bool set_p2p(struct config_net *config, const struct options *options,
                    const struct network *network, char **error)
{
    struct p2p_options *p2p = &config->p2p;
    int64_t port = options_get_int(options, "port", network->p2p_port);
    if (port < 1 || port > UINT16_MAX)
        return fail_with(error, "Invalid port specified in -port: '%s'",
                         options_get_string(options, "port", ""));
    if (p2p->max_connections < 0)
        return fail_with(error, "-maxconnections must be greater or equal than zero");
    p2p->port = (uint16_t)port;
    int64_t extra = options_get_int(options, "blockreconstructionextratxn", COMPACT_EXTRA_TXS);
    p2p->extra_txs = extra > 0 ? (int)MIN_OF(extra, COMPACT_EXTRA_TXS_MAX) : -1;
    p2p->is_inactive = !options_get_bool(options, "networkactive", true);
    p2p->inbound_reserved_percent = 100 - (int)options_get_int(options, "inboundrelaypercent", 50);
    const char *target = options_get_string(options, "maxuploadtarget", "0");
    if (!parse_bytes(target, MIB, &p2p->upload_target_bytes))
        return fail_with(error, "Unable to parse -maxuploadtarget: '%s'", target);
    if (p2p->peer_timeout_s <= 0)
        return fail_with(error, "peertimeout must be a positive integer.");
    if (config->ban_time_s <= 0)
        return fail_with(error, "-bantime must be a number of seconds, 1 at least");
    if (!config_proxy_init(config, options, error) ||
        !set_user_agent(config, options, network, error) || !set_outbound(config, options, error) ||
        !set_inbound(config, options, error) || !set_asmap(config, options, error) ||
        !set_snapshots(config, options, error))
        return false;
    if (p2p->max_connections == 0) { /* as Core: nobody calls, nobody is called but by order */
        p2p->listen = false;
        p2p->connect_only = true;
    }
    return true;
}

/* A feerate option in BTC/kvB. */
static bool set_feerate(const struct options *options, const char *name, int64_t *sat_per_kvb,
                        char **error)
{
    const char *text = options_get_string(options, name, NULL);
    int64_t value;
    if (!text)
        return true;
    if (!parse_money(text, &value) || value > MAX_MONEY_SAT)
        return fail_with(error, "Invalid amount for -%s=<amount>: '%s'", name, text);
    *sat_per_kvb = value;
    return true;
}

static bool set_cluster_limits(struct mempool_options *mempool, const struct options *options,
                               char **error)
{
    int64_t count = options_get_int(options, "limitclustercount", MEMPOOL_CLUSTER_COUNT_MAX);
    int64_t kvb = options_get_int(options, "limitclustersize", MEMPOOL_CLUSTER_VBYTES_MAX / 1000);
    if (count < 1 || count > MEMPOOL_CLUSTER_COUNT_MAX) {
        *error = count < 1 ? xstrdup("limitclustercount must be at least 1")
                           : xasprintf("limitclustercount must be less than or equal to %d",
                                       MEMPOOL_CLUSTER_COUNT_MAX);
        return false;
    }
    if (kvb < 1 || kvb > CLUSTER_KVB_MAX)
        return fail_with(error, "limitclustersize must be from 1 to %d kvB", CLUSTER_KVB_MAX);
    mempool->cluster_count_max = (uint32_t)count;
    mempool->cluster_vbytes_max = (uint32_t)kvb * 1000;
    return true;
}

/* Room for a cluster of the largest size, with all that stands beside its bytes. Core: a factor of
 * 40, and the message. */
static bool set_memory(struct mempool_options *mempool, const struct options *options, char **error)
{
    int64_t mb = options_get_int(options, "maxmempool", (int64_t)(mempool->max_bytes / 1000000));
    int64_t least_mb = (INT64_C(40) * mempool->cluster_vbytes_max + 999999) / 1000000;
    if (mb < least_mb || mb > INT32_MAX)
        return fail_with(error, "-maxmempool must be at least %lld MB", (long long)least_mb);
    mempool->max_bytes = (size_t)mb * 1000000;
    return true;
}

/* In Core's order. A replacement must pay that much more for each byte, so nothing gets in by less,
 * unless somebody has said by how much: one option for both. */
static bool set_relay_fees(struct mempool_options *mempool, const struct options *options,
                           char **error)
{
    int64_t *incremental = &mempool->incremental_sat_per_kvb;
    if (!set_feerate(options, "incrementalrelayfee", incremental, error) ||
        !set_feerate(options, "minrelaytxfee", &mempool->min_relay_sat_per_kvb, error))
        return false;
    if (!options_is_set(options, "minrelaytxfee") && *incremental > mempool->min_relay_sat_per_kvb)
        mempool->min_relay_sat_per_kvb = *incremental;
    return set_feerate(options, "dustrelayfee", &mempool->dust_sat_per_kvb, error);
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return MAX_OF(least, MIN_OF(value, most));
}

static bool set_mempool(struct config_net *config, const struct options *options,
                        const struct network *network, char **error)
{
    struct mempool_options *mempool = &config->mempool;
    *mempool = mempool_default_options();
    if (!set_cluster_limits(mempool, options, error) || !set_memory(mempool, options, error))
        return false;
    int64_t expiry_h = options_get_int(options, "mempoolexpiry", mempool->expiry_s / HOUR_S);
    mempool->expiry_s = HOUR_S * within(expiry_h, -EXPIRY_HOURS_MAX, EXPIRY_HOURS_MAX);
    bool allows_nonstandard = options_get_bool(options, "acceptnonstdtxn", false);
    if (allows_nonstandard && !network->is_test_chain) {
        *error =
            xasprintf("acceptnonstdtxn is not currently supported for %s chain", network->name);
        return false;
    }
    mempool->require_standard = !allows_nonstandard;
    mempool->permit_bare_multisig =
        options_get_bool(options, "permitbaremultisig", mempool->permit_bare_multisig);
    int64_t carrier =
        options_get_int(options, "datacarriersize", (int64_t)mempool->max_datacarrier_bytes);
    mempool->max_datacarrier_bytes =
        options_get_bool(options, "datacarrier", true) && carrier > 0 ? (size_t)carrier : 0;
    int64_t per_sigop = options_get_int(options, "bytespersigop", mempool->bytes_per_sigop);
    mempool->bytes_per_sigop = (uint32_t)within(per_sigop, 0, UINT32_MAX);
    mempool->persist_without_key = options_get_bool(options, "persistmempoolv1", false);
    return set_relay_fees(mempool, options, error);
}

/* The first message is Core's. Where money is real, nobody should pay by an invented rate. */
static bool set_fees(struct config_net *config, const struct options *options,
                     const struct network *network, char **error)
{
    config->accepts_stale_fees = options_get_bool(options, "acceptstalefeeestimates", false);
    if (config->accepts_stale_fees && !network->mine_blocks_on_demand)
        return fail_with(error, "acceptstalefeeestimates is not supported on %s chain.",
                         network->name);
    if (!set_feerate(options, "fallbackestimate", &config->fallback_sat_per_kvb, error))
        return false;
    if (config->fallback_sat_per_kvb > 0 && !network->is_test_chain)
        return fail_with(error, "-fallbackestimate is not supported on %s chain.", network->name);
    return true;
}

/* Messages are Core's. */
static bool set_block(struct config_net *config, const struct options *options,
                      const struct network *network, char **error)
{
    struct block_assembler_options *block = &config->block;
    *block = block_assembler_default_options();
    if (network->mine_blocks_on_demand) /* elsewhere it would only make invalid blocks */
        block->version = (int32_t)options_get_int(options, "blockversion", 0);
    int64_t max_wu = options_get_int(options, "blockmaxweight", block->max_weight_wu);
    int64_t reserved_wu =
        options_get_int(options, "blockreservedweight", block->reserved_weight_wu);
    if (max_wu > BLOCK_WEIGHT_MAX_WU)
        *error = xasprintf("-blockmaxweight (%lld) exceeds consensus maximum block weight (%d)",
                           (long long)max_wu, BLOCK_WEIGHT_MAX_WU);
    else if (reserved_wu > BLOCK_WEIGHT_MAX_WU)
        *error = xasprintf("-blockreservedweight (%lld) exceeds consensus maximum block weight "
                           "(%d)",
                           (long long)reserved_wu, BLOCK_WEIGHT_MAX_WU);
    else if (reserved_wu > max_wu)
        *error = xasprintf("-blockreservedweight (%lld) exceeds -blockmaxweight (%lld)",
                           (long long)reserved_wu, (long long)max_wu);
    else if (reserved_wu < BLOCK_RESERVED_WU_MIN)
        *error = xasprintf("-blockreservedweight (%lld) is lower than minimum safety value of (%d)",
                           (long long)reserved_wu, BLOCK_RESERVED_WU_MIN);
    if (*error)
        return false;
    block->max_weight_wu = (uint32_t)max_wu;
    block->reserved_weight_wu = (uint32_t)reserved_wu;
    return set_feerate(options, "blockmintxfee", &block->min_sat_per_kvb, error);
}

bool config_net_init(struct config_net *config, const struct options *options,
                     const struct network *network, const char *data_dir, char **error)
{
    ASSERT(config && error);
    *error = NULL;
    arena_init(&config->strings, 1024);
    config->p2p.data_dir = data_dir;
    return set_p2p(config, options, network, error) &&
           set_mempool(config, options, network, error) &&
           set_fees(config, options, network, error) && set_block(config, options, network, error);
}

void config_net_deinit(struct config_net *config)
{
    arena_deinit(&config->strings);
}
