/* config_rpc.c - the options of the RPC server: where it listens, whom it lets in. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host/config_internal.h"
#include "host/config_place.h"
#include "host/http.h"
#include "util/assert.h"

#define HOST_NAME_BYTES 256

/* Add a numeric address, once. Returns: false if there is no room. */
static bool add_rpc_bind(struct config *config, const char *host, uint16_t port)
{
    ASSERT(config->n_rpc_binds <= CONFIG_RPC_BINDS_MAX);
    for (size_t i = 0; i < config->n_rpc_binds; i++)
        if (config->rpc_binds[i].port == port && strcmp(config->rpc_binds[i].host, host) == 0)
            return true;
    if (config->n_rpc_binds == CONFIG_RPC_BINDS_MAX)
        return false;
    struct config_bind *bind = &config->rpc_binds[config->n_rpc_binds++];
    bind->port = port;
    snprintf(bind->host, sizeof bind->host, "%s", host);
    return true;
}

/* All addresses of a host; a name that is not known stays, for the server to fail at. */
static bool add_rpc_binds(struct config *config, const char *host, uint16_t port)
{
    struct sockaddr_storage parsed;
    char address[CONFIG_ADDRESS_BYTES];
    if (strcmp(host, "::") == 0) /* both families, as where a socket serves both */
        return add_rpc_bind(config, "0.0.0.0", port) && add_rpc_bind(config, host, port);
    size_t n = 0;
    for (; !sockets_parse(host, port, &parsed) && config_look_up(host, n, address); n++)
        if (!add_rpc_bind(config, address, port))
            return false;
    return n > 0 || add_rpc_bind(config, host, port);
}

static bool set_rpc_binds(struct config *config, uint16_t port, char **error)
{
    struct options *options = &config->options;
    const char *spec;
    bool is_ignored = config->n_rpc_allowed == 0;
    if (is_ignored && options_get_list(options, "rpcbind", 0))
        options_message(options, OPTION_MESSAGE_TOLD,
                        "Option -rpcbind was ignored because -rpcallowip was not specified, "
                        "refusing to allow everyone to connect");
    for (size_t i = 0; !is_ignored && (spec = options_get_list(options, "rpcbind", i)); i++) {
        char host[HOST_NAME_BYTES];
        uint16_t bind_port = port;
        if (!sockets_split(spec, host, sizeof host, &bind_port))
            return REFUSE(error, "Invalid port specified in -rpcbind: '%s'", spec);
        if (!add_rpc_binds(config, host, bind_port))
            return REFUSE(error, "More than %d addresses of -rpcbind.", CONFIG_RPC_BINDS_MAX);
    }
    if (config->n_rpc_binds == 0)
        return add_rpc_bind(config, "127.0.0.1", port) && add_rpc_bind(config, "::1", port);
    return true;
}

static bool set_rpc_access(struct config *config, char **error)
{
    const char *spec;
    for (size_t i = 0; (spec = options_get_list(&config->options, "rpcallowip", i)); i++) {
        if (config->n_rpc_allowed == CONFIG_SUBNETS_MAX)
            return REFUSE(error, "More than %d -rpcallowip options.", CONFIG_SUBNETS_MAX);
        if (!subnet_parse(&config->rpc_allowed[config->n_rpc_allowed++], spec))
            return REFUSE(error,
                          "Invalid -rpcallowip subnet specification: %s. Valid values are a single "
                          "IP (e.g. 1.2.3.4), a network/netmask (e.g. 1.2.3.4/255.255.255.0) or a "
                          "network/CIDR (e.g. 1.2.3.4/24).",
                          spec);
    }
    return true;
}

static bool set_cookie(struct config *config, char **error)
{
    ASSERT(config->data_dir && !config->cookie_path);
    static const struct {
        const char *who;
        unsigned mode;
    } modes[] = {{"owner", 0600}, {"group", 0640}, {"all", 0644}};
    const struct options *options = &config->options;
    const char *password = options_get_string(options, "rpcpassword", "");
    if (*password || options_is_negated(options, "rpccookiefile"))
        return true;
    const char *file = options_get_string(options, "rpccookiefile", "");
    config->cookie_path = config_path_in(config->data_dir, *file ? file : ".cookie");
    const char *who = options_get_string(options, "rpccookieperms", "owner");
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (strcmp(who, modes[i].who) == 0) {
            config->cookie_mode = modes[i].mode;
            return true;
        }
    }
    return REFUSE(error, "Invalid -rpccookieperms=%s; must be one of 'owner', 'group', or 'all'.",
                  who);
}

/* Up to three octal digits. */
static bool read_mode(const char *text, unsigned *mode)
{
    size_t n = strspn(text, "01234567");
    *mode = 0;
    for (size_t i = 0; i < n && n <= 3; i++)
        *mode = *mode * 8 + (unsigned)(text[i] - '0');
    return n >= 1 && n <= 3 && text[n] == '\0';
}

static bool set_socket(struct config *config, char **error)
{
    ASSERT(config->data_dir && !config->rpc_socket_path);
    const char *mode = options_get_string(&config->options, "rpcsocketmode", "600");
    config->rpc_socket_path = config_socket_path(&config->options, config->data_dir);
    return read_mode(mode, &config->rpc_socket_mode) ||
           REFUSE(error, "Invalid -rpcsocketmode=%s; must be an octal number up to 777.", mode);
}

/* Where a browser on this machine finds the server: the first address that is this machine's own.
 */
static char *browser_address(const struct config *config)
{
    ASSERT(config->n_rpc_binds > 0);
    const struct config_bind *best = &config->rpc_binds[0];
    const char *host = NULL;
    for (size_t i = 0; i < config->n_rpc_binds && !host; i++) {
        const struct config_bind *bind = &config->rpc_binds[i];
        bool is_any = strcmp(bind->host, "0.0.0.0") == 0;
        if (!is_any && !sockets_is_loopback(bind->host))
            continue;
        best = bind;
        host = is_any ? "127.0.0.1" : bind->host;
    }
    host = host ? host : best->host;
    bool is_ipv6 = strchr(host, ':') != NULL;
    return xasprintf("http://%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
                     (unsigned)best->port);
}

/* On by itself where nobody but this machine's user can be harmed: a chain whose blocks are made at
 * will. */
static bool set_ui(struct config *config, char **error)
{
    const struct options *options = &config->options;
    ASSERT(!config->ui_address && !config->ui_mesh_path);
    const char *mesh = options_get_string(options, "uimesh", "");
    if (*mesh && !config->network.is_test_chain)
        return REFUSE(error, "-uimesh is for test chains only.");
    if (!options_get_bool(options, "ui", config->network.mine_blocks_on_demand))
        return true;
    config->ui_address = browser_address(config);
    config->ui_mesh_path = *mesh ? config_path_in(config->data_dir, mesh) : NULL;
    return true;
}

/* Who sets it means all calls that wait, as in Core; else nobody who is connected is turned away.
 */
static void set_queue(struct config *config)
{
    const struct options *options = &config->options;
    ASSERT(config->rpc_pending_max == 0);
    config->rpc_pending_max = HTTP_CONNECTIONS_MAX;
    if (!options_is_set(options, "rpcworkqueue"))
        return;
    config->rpc_pending_max =
        (size_t)(config_clamp(options_get_int(options, "rpcworkqueue", 64), 1, 65536) +
                 config_clamp(options_get_int(options, "rpcthreads", 16), 0, 65536));
    config->rpc_parked_max = config->rpc_pending_max;
}

bool config_rpc_init(struct config *config, char **error)
{
    ASSERT(config);
    struct options *options = &config->options;
    int64_t port = options_get_int(options, "rpcport", config->network.rpc_port);
    if (port < 1 || port > 65535)
        return REFUSE(error, "Invalid port specified in -rpcport: '%s'",
                      options_get_string(options, "rpcport", ""));
    set_queue(config);
    config->rpc_hosts = config_list_of(config, "rpcallowhost");
    config->rpcauth = config_list_of(config, "rpcauth");
    config->rpc_whitelist = config_list_of(config, "rpcwhitelist");
    config->rpc_whitelist_default =
        options_get_bool(options, "rpcwhitelistdefault", config->rpc_whitelist.n > 0);
    const char *method;
    for (size_t i = 0; (method = options_get_list(options, "deprecatedrpc", i)); i++) {
        if (strcmp(method, "warnings") == 0)
            config->deprecated_warnings = true;
        else if (strcmp(method, "startingheight") == 0)
            config->deprecated_start_height = true;
    }
    return set_rpc_access(config, error) && set_rpc_binds(config, (uint16_t)port, error) &&
           set_cookie(config, error) && set_socket(config, error) && set_ui(config, error);
}
