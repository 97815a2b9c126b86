/* cli_config.c - what cairn-cli's command line and the node's cairn.conf say. */
#include "host/cli_config.h"

#include <string.h>

#include "host/config_base.h"
#include "host/config_options.h"
#include "host/sockets.h"
#include "util/options_help.h"

void cli_config_help(const struct options *options, struct buffer *out)
{
    buffer_append_string(out, "Usage:  cairn-cli [options] <method> [argument...]\n"
                              "        cairn-cli [options] -named <method> [name=value...]\n"
                              "        cairn-cli [options] help [method]\n"
                              "        cairn-cli newchain [name=<name>] [<field>=<value>...]"
                              "   Describe a chain of your own, for -chainfile\n\n");
    options_help(options, false, out);
}

/* -- Values ------------------------------------------------------------------------------- */

static bool choose_server(struct cli_config *config, char **error)
{
    const struct options *options = &config->options;
    const char *where = options_get_string(options, "rpcconnect", "127.0.0.1");
    int64_t port = options_get_int(options, "rpcport", 0);
    config->port = config->network->rpc_port;
    if (!sockets_split(where, config->host, sizeof config->host, &config->port))
        return REFUSE(error, "Invalid port provided in -rpcconnect: %s", where);
    if (options_is_set(options, "rpcport")) {
        if (port < 1 || port > 65535)
            return REFUSE(error, "Invalid port provided in -rpcport: %s",
                          options_get_string(options, "rpcport", ""));
        config->port = (uint16_t)port;
    }
    return true;
}

static void choose_cookie(struct cli_config *config)
{
    const char *file = options_get_string(&config->options, "rpccookiefile", "");
    if (options_is_negated(&config->options, "rpccookiefile"))
        return;
    char *data_dir = config_network_dir(config->base_dir, config->network);
    config->cookie_path = config_path_in(data_dir, *file ? file : ".cookie");
    xfree(data_dir);
}

/* Who says where the node listens means that: also who names a port now, where the file that the
 * node reads too has a path. */
static void choose_socket(struct cli_config *config)
{
    ASSERT(!config->socket_path);
    bool names_port = options_is_on_command_line(&config->options, "rpcport") &&
                      !options_is_on_command_line(&config->options, "rpcsocket");
    if (names_port || options_is_set(&config->options, "rpcconnect"))
        return;
    char *data_dir = config_network_dir(config->base_dir, config->network);
    config->socket_path = config_socket_path(&config->options, data_dir);
    xfree(data_dir);
}

bool cli_config_init(struct cli_config *config, int argc, const char *const *argv, char **error)
{
    ASSERT(config);
    *config = (struct cli_config){0};
    size_t n;
    const struct option_def *defs = config_options(&n);
    options_init(&config->options, defs, n);
    config->options.is_client = true;
    if (!options_parse_args(&config->options, argc, argv, &config->first_operand, error))
        return false;
    struct options *options = &config->options;
    if (options_is_set(options, "help") || options_is_set(options, "h") ||
        options_is_set(options, "?") || options_is_set(options, "version"))
        return true;
    char *first_dir;
    bool ok = config_read_base(options, &first_dir, &config->base_dir, &config->config_path, error);
    xfree(first_dir);
    if (!ok || !config_choose_network(options, config->base_dir, &config->row, error))
        return false;
    config->network = &config->row;
    options_fill(options, config);
    choose_cookie(config);
    choose_socket(config);
    return choose_server(config, error);
}

void cli_config_deinit(struct cli_config *config)
{
    ASSERT(config);
    options_deinit(&config->options);
    xfree(config->base_dir);
    xfree(config->config_path);
    xfree(config->cookie_path);
    xfree(config->socket_path);
}

char *cli_config_path(const struct cli_config *config)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    if (!options_is_set(&config->options, "rpcwallet"))
        return xstrdup("/");
    struct buffer path;
    buffer_init(&path);
    buffer_append_string(&path, "/wallet/");
    /* RFC 3986 section 2: all but the unreserved ones are escaped. */
    for (const char *at = options_get_string(&config->options, "rpcwallet", ""); *at; at++) {
        if (strchr(plain, *at))
            buffer_append(&path, at, 1);
        else
            buffer_append_format(&path, "%%%02X", (unsigned char)*at);
    }
    buffer_append(&path, "", 1);
    return (char *)path.p;
}

static const char *password_of(const struct cli_config *config, const char *stdin_password)
{
    return stdin_password ? stdin_password
                          : options_get_string(&config->options, "rpcpassword", "");
}

bool cli_config_has_password(const struct cli_config *config, const char *stdin_password)
{
    ASSERT(config);
    return *password_of(config, stdin_password) != '\0';
}

char *cli_config_login(const struct cli_config *config, const char *stdin_password)
{
    ASSERT(config);
    if (cli_config_has_password(config, stdin_password))
        return xasprintf("%s:%s", options_get_string(&config->options, "rpcuser", ""),
                         password_of(config, stdin_password));
    struct buffer cookie;
    char *login = NULL;
    buffer_init(&cookie);
    if (config->cookie_path && config_read_text(config->cookie_path, &cookie) == 0) {
        size_t len = 0;
        while (len < cookie.len && cookie.p[len] != '\n' && cookie.p[len] != '\r')
            len++;
        login = xasprintf("%.*s", (int)len, (const char *)cookie.p);
    }
    buffer_deinit(&cookie);
    return login;
}
