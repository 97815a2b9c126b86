/* config_proxy.c - see config_proxy.h. Messages are Core's. */
#include "host/config_proxy.h"

#include <string.h>
#include <strings.h>

#include "host/config_place.h"
#include "host/sockets.h"
#include "util/alloc.h"
#include "util/parse.h"

#define SAM_PORT         7656 /* where I2P's bridge listens */
#define TOR_CONTROL      "127.0.0.1:9051"
#define TOR_CONTROL_PORT 9051

/* -- Which networks ------------------------------------------------------------------------- */

static bool is_left_in(const struct reach_options *reach, enum net_network network)
{
    return reach->only_networks == 0 || (reach->only_networks & 1u << network);
}

/* -onlynet names this network. */
static bool is_named(const struct reach_options *reach, enum net_network network)
{
    return (reach->only_networks & 1u << network) != 0;
}

static bool set_networks(struct config_net *config, const struct options *options, char **error)
{
    struct reach_options *reach = &config->p2p.reach;
    const char *name;
    for (size_t i = 0; (name = options_get_list(options, "onlynet", i)); i++) {
        enum net_network network = net_network_of(name);
        if (network == NET_NONE)
            return fail_with(error, "Unknown network specified in -onlynet: '%s'", name);
        reach->only_networks |= 1u << network;
    }
    reach->cjdns_reachable = options_get_bool(options, "cjdnsreachable", false);
    if (is_named(reach, NET_CJDNS) && !options_is_set(options, "cjdnsreachable"))
        return fail_with(error, "Outbound connections restricted to CJDNS (-onlynet=cjdns) but "
                                "-cjdnsreachable is not provided");
    if (config->p2p.dns_seed && options_is_set(options, "dnsseed") &&
        !is_left_in(reach, NET_IPV4) && !is_left_in(reach, NET_IPV6))
        return fail_with(error, "Incompatible options: -dnsseed=1 was explicitly specified, but "
                                "-onlynet forbids connections to IPv4/IPv6");
    return true;
}

bool config_proxy_hides_clearnet(const struct options *options)
{
    const char *name;
    size_t i = 0;
    for (; (name = options_get_list(options, "onlynet", i)); i++) {
        enum net_network network = net_network_of(name);
        if (network == NET_IPV4 || network == NET_IPV6)
            return false;
    }
    return i > 0;
}

/* -- Where a proxy is ------------------------------------------------------------------------ */

/* What stands behind the last colon must be a port, where only one of them is a port's. */
static bool has_good_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    bool is_bracketed = colon && text[0] == '[' && colon > text && colon[-1] == ']';
    bool is_alone = colon && strchr(text, ':') == colon;
    if (!colon || !(is_bracketed || is_alone))
        return true;
    return parse_uint64(colon + 1, &port) && port > 0 && port <= UINT16_MAX;
}

static bool read_place(struct config_net *config, const struct options *options, const char *text,
                       uint16_t default_port, struct reach_order *out)
{
    if (sockets_is_path(text)) {
        out->address = config_keep(&config->strings, text);
        return true;
    }
    return config_resolve(&config->strings, options, text, default_port, &out->address, &out->port);
}

/* In the same words for each option. */
static bool fail_port(const char *option, const char *value, char **error)
{
    return fail_with(error, "Invalid port specified in -%s: '%s'", option, value);
}

static bool fail_place(const char *option, const char *value, char **error)
{
    return fail_with(error, "Invalid -%s address or hostname: '%s'", option, value);
}

/* Before anything is looked up, as in Core. */
static bool check_ports(const struct options *options, char **error)
{
    static const struct {
        const char *option;
        bool takes_path, takes_suffix;
    } rows[] = {{"i2psam", false, false},
                {"onion", true, false},
                {"proxy", true, true},
                {"torcontrol", false, false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *value;
        for (size_t k = 0; (value = options_get_list(options, rows[i].option, k)); k++) {
            bool is_path = rows[i].takes_path &&
                           strncmp(value, SOCKETS_UNIX_PREFIX, strlen(SOCKETS_UNIX_PREFIX)) == 0;
            char *place = xstrdup(value);
            char *suffix = rows[i].takes_suffix ? strrchr(place, '=') : NULL;
            if (suffix)
                *suffix = '\0';
            bool ok = is_path || has_good_port(place);
            xfree(place);
            if (!ok)
                return fail_port(rows[i].option, value, error);
        }
    }
    return true;
}

/* -- -proxy ---------------------------------------------------------------------------------- */

/* For whom a -proxy is. Returns: false if nobody is called so */
static bool give_proxy(struct reach_options *reach, const char *whom,
                       const struct reach_order *proxy)
{
    enum net_network network = strcasecmp(whom, "tor") == 0 ? NET_TORV3 : net_network_of(whom);
    bool is_all = whom[0] == '\0';
    if (!is_all && (network == NET_NONE || network == NET_I2P))
        return false;
    for (enum net_network i = NET_IPV4; i <= NET_CJDNS; i++)
        if (i == network || (is_all && i != NET_I2P && i != NET_TORV2))
            reach->proxies[i] = *proxy;
    if (is_all || network == NET_IPV4 || network == NET_IPV6)
        reach->name_proxy = *proxy;
    return true;
}

static bool set_proxy(struct config_net *config, const struct options *options, const char *value,
                      char **error)
{
    char *place = xstrdup(value);
    char *suffix = strrchr(place, '=');
    struct reach_order proxy = {.randomizes = options_get_bool(options, "proxyrandomize", true)};
    if (suffix)
        *suffix++ = '\0';
    if (suffix && *suffix == '\0')
        *error = xasprintf("Invalid -proxy address or hostname, ends with '=': '%s'", value);
    else if (place[0] == '\0' || strcmp(place, "0") == 0)
        proxy = (struct reach_order){.address = NULL};
    else if (!read_place(config, options, place, REACH_PROXY_PORT, &proxy))
        (void)fail_place("proxy", place, error);
    if (!*error && !give_proxy(&config->p2p.reach, suffix ? suffix : "", &proxy))
        *error = xasprintf("Unrecognized network in -proxy='%s': '%s'", value, suffix);
    xfree(place);
    return *error == NULL;
}

bool config_proxy_is_set(const struct options *options)
{
    const char *value = options_get_string(options, "proxy", "");
    return value[0] != '\0' && strcmp(value, "0") != 0;
}

/* -- -onion, -i2psam ------------------------------------------------------------------------- */

static bool set_onion(struct config_net *config, const struct options *options, char **error)
{
    struct reach_options *reach = &config->p2p.reach;
    struct reach_order *proxy = &reach->proxies[NET_TORV3];
    const char *value = options_get_string(options, "onion", "");
    if (strcmp(value, "0") == 0) {
        *proxy = (struct reach_order){.address = NULL};
        if (is_named(reach, NET_TORV3))
            return fail_with(error,
                             "Outbound connections restricted to Tor (-onlynet=onion) but the "
                             "proxy for reaching the Tor network is explicitly forbidden: "
                             "-onion=0");
    } else if (value[0] != '\0') {
        proxy->randomizes = options_get_bool(options, "proxyrandomize", true);
        if (!read_place(config, options, value, REACH_PROXY_PORT, proxy))
            return fail_place("onion", value, error);
    }
    if (!proxy->address && is_named(reach, NET_TORV3) &&
        !options_get_bool(options, "listenonion", true))
        return fail_with(error, "Outbound connections restricted to Tor (-onlynet=onion) but the "
                                "proxy for reaching the Tor network is not provided: none of "
                                "-proxy, -onion or -listenonion is given");
    return true;
}

static bool set_i2p(struct config_net *config, const struct options *options, char **error)
{
    struct reach_options *reach = &config->p2p.reach;
    const char *value = options_get_string(options, "i2psam", "");
    struct reach_order *bridge = &reach->proxies[NET_I2P];
    if (value[0] == '\0' && is_named(reach, NET_I2P))
        return fail_with(error, "Outbound connections restricted to i2p (-onlynet=i2p) but "
                                "-i2psam is not provided");
    if (value[0] != '\0' && !config_resolve(&config->strings, options, value, SAM_PORT,
                                            &bridge->address, &bridge->port))
        return fail_place("i2psam", value, error);
    return true;
}

/* -torcontrol that cannot be found is tried as it is, and its failures are logged: as in Core it
 * does not keep the node from starting. */
static void set_onion_service(struct config_net *config, const struct options *options)
{
    struct p2p_onion_options *onion = &config->p2p.onion;
    const char *value = options_get_string(options, "torcontrol", TOR_CONTROL);
    if (!options_get_bool(options, "listenonion", true))
        return;
    if (!config_resolve(&config->strings, options, value, TOR_CONTROL_PORT, &onion->control_address,
                        &onion->control_port))
        onion->control_address = config_keep(&config->strings, value);
    onion->password = config_keep(&config->strings, options_get_string(options, "torpassword", ""));
    onion->asks_for_proxy = options_get_string(options, "onion", "")[0] == '\0';
}

/* There is a network by which nobody learns who sends, and peers can be chosen in it. */
static bool check_private(const struct config_net *config, const struct options *options,
                          char **error)
{
    const struct reach_options *reach = &config->p2p.reach;
    bool has_tor = reach->proxies[NET_TORV3].address || config->p2p.onion.control_address;
    bool has_i2p = reach->proxies[NET_I2P].address != NULL;
    if (!config->p2p.private_broadcast)
        return true;
    if (!(has_tor && is_left_in(reach, NET_TORV3)) && !(has_i2p && is_left_in(reach, NET_I2P)))
        return fail_with(error,
                         "Private broadcast of own transactions requested "
                         "(-privatebroadcast), but none of Tor or I2P networks is reachable");
    if (options_get_list(options, "connect", 0) || options_is_negated(options, "connect"))
        return fail_with(error, "Private broadcast of own transactions requested "
                                "(-privatebroadcast), but -connect is also configured. They are "
                                "incompatible because the private broadcast needs to open new "
                                "connections to randomly chosen Tor or I2P peers. Consider using "
                                "-maxconnections=0 -addnode=... instead");
    return true;
}

void config_proxy_tell(const struct config_net *config, struct options *options)
{
    bool has_tor =
        config->p2p.reach.proxies[NET_TORV3].address || config->p2p.onion.control_address;
    if (config->p2p.private_broadcast && has_tor &&
        !options_get_bool(options, "proxyrandomize", true))
        options_message(options, OPTION_MESSAGE_TOLD,
                        "Private broadcast of own transactions requested (-privatebroadcast) and "
                        "-proxyrandomize is disabled. Tor circuits for private broadcast "
                        "connections may be correlated to other connections over Tor. For maximum "
                        "privacy set -proxyrandomize=1.");
}

bool config_proxy_init(struct config_net *config, const struct options *options, char **error)
{
    ASSERT(config->p2p.reach.only_networks == 0 && !config->p2p.reach.name_proxy.address);
    const char *value;
    if (!check_ports(options, error) || !set_networks(config, options, error))
        return false;
    for (size_t i = 0; (value = options_get_list(options, "proxy", i)); i++)
        if (!set_proxy(config, options, value, error))
            return false;
    set_onion_service(config, options);
    config->p2p.i2p_accepts = options_get_bool(options, "i2pacceptincoming", true);
    return set_onion(config, options, error) && set_i2p(config, options, error) &&
           check_private(config, options, error);
}
