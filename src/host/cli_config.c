/* cli_config.c - what cairn-cli's command line and the node's cairn.conf say. */
#include "host/cli_config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/config.h"
#include "host/files.h"
#include "host/sockets.h"
#include "util/alloc.h"
#include "util/config_file.h"
#include "util/env.h"
#include "util/options_help.h"

#define G      OPTION_CATEGORY_GENERAL
#define N      OPTION_CATEGORY_CHAIN
#define BOOL   OPTION_BOOL
#define STRING OPTION_STRING
#define INT    OPTION_INT
#define LINE   OPTION_COMMAND_LINE_ONLY
#define NET    OPTION_NETWORK_ONLY

#define FILE_BYTES_MAX     (1024 * 1024)
#define CLIENT_TIMEOUT_S   900
#define REFUSE(error, ...) (*(error) = xasprintf(__VA_ARGS__), false)

/* clang-format off */
static const struct option_def table[] = {
    {"?", NULL, "Print this help message and exit", G, BOOL, LINE | OPTION_HIDDEN},
    {"h", NULL, "Print this help message and exit", G, BOOL, LINE | OPTION_HIDDEN},
    {"help", NULL, "Print this help message and exit (also -h or -?)", G, BOOL, LINE},
    {"version", NULL, "Print the version and exit", G, BOOL, LINE},
    {"conf", "<file>", "Config file, relative to the data directory unless absolute (default: "
     "cairn.conf, or bitcoin.conf where that is alone)", G, STRING, LINE},
    {"addrinfo", NULL, "Show how many addresses of other nodes are known", G, BOOL, LINE},
    {"datadir", "<dir>", "Data directory of the node (default: ~/.cairn)", G, STRING,
     OPTION_NO_NEGATION},
    {"generate", NULL, "Mine blocks: cairn-cli -generate [nblocks [maxtries]]. Without a wallet "
     "they pay to an output that anybody can spend", G, BOOL, LINE},
    {"getinfo", NULL, "Show an overview of the node", G, BOOL, LINE},
    {"includeconf", "<file>", "Another config file (only in the config file)", G, STRING,
     OPTION_MULTI | OPTION_CONFIG_ONLY},
    {"named", NULL, "Take arguments as name=value (default: 0)", G, BOOL, LINE},
    {"netinfo", NULL, "Show the connections: cairn-cli -netinfo [level [outonly]], with a level "
     "from 0 to 4; -netinfo help explains", G, BOOL, LINE},
    {"rpcclienttimeout", "<n>", "Seconds to wait for an answer, 0 for ever (default: 900)", G, INT,
     0},
    {"rpcconnect", "<ip>[:<port>]", "Where the node listens (default: 127.0.0.1)", G, STRING, 0},
    {"rpccookiefile", "<file>", "The cookie's file, relative to the network's directory (default: "
     ".cookie)", G, STRING, 0},
    {"rpcpassword", "<pw>", "Password for RPC", G, STRING, OPTION_SENSITIVE},
    {"rpcport", "<port>", "The port where the node listens (default: depends on the network)", G,
     INT, NET},
    {"rpcuser", "<user>", "User name for RPC", G, STRING, OPTION_SENSITIVE},
    {"rpcwallet", "<name>",
     "The wallet that calls are for, at nodes that have wallets: they go to /wallet/<name>", G,
     STRING, LINE},
    {"rpcwait", NULL, "Wait until the node has started", G, BOOL, LINE},
    {"rpcwaittimeout", "<n>", "Seconds to wait at most for that, 0 for ever (default: 0)", G, INT,
     LINE},
    {"stdin", NULL, "Read more arguments from standard input, one a line. A password by "
     "-stdinrpcpass comes first", G, BOOL, LINE},
    {"stdinrpcpass", NULL, "Read the password from standard input", G, BOOL, LINE},
    {"chain", "<chain>", "The network: main, test, testnet4, signet or regtest (default: main)", N,
     STRING, 0},
    {"regtest", NULL, "As -chain=regtest", N, BOOL, 0},
    {"signet", NULL, "As -chain=signet", N, BOOL, 0},
    {"testnet", NULL, "As -chain=test", N, BOOL, 0},
    {"testnet4", NULL, "As -chain=testnet4", N, BOOL, 0},
};
/* clang-format on */

void cli_config_help(struct buffer *out)
{
    buffer_append_string(out, "Usage:  cairn-cli [options] <method> [argument...]\n"
                              "        cairn-cli [options] -named <method> [name=value...]\n"
                              "        cairn-cli [options] help [method]\n\n");
    options_help(table, COUNT_OF(table), false, out);
}

/* -- Files -------------------------------------------------------------------------------- */

static char *path_in(const char *dir, const char *path)
{
    return path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", dir, path);
}

/* Returns: 0 or a negative errno. */
static int read_file(const char *path, struct buffer *out)
{
    struct env_file *file = NULL;
    int rc = files_open(NULL, path, ENV_OPEN_READ, &file);
    if (rc != 0)
        return rc;
    int64_t got = files_read_at(NULL, file, 0, buffer_reserve(out, FILE_BYTES_MAX), FILE_BYTES_MAX);
    files_close(NULL, file);
    if (got < 0)
        return (int)got;
    out->len += (size_t)got;
    return 0;
}

static bool read_included(void *ctx, const char *path, struct buffer *out)
{
    const struct cli_config *config = ctx;
    char *full = path_in(config->base_dir, path);
    int rc = read_file(full, out);
    xfree(full);
    return rc == 0;
}

static bool choose_base_dir(struct cli_config *config, char **error)
{
    const char *given = options_get_string(&config->options, "datadir", "");
    xfree(config->base_dir);
    config->base_dir = NULL;
    if (*given) {
        config->base_dir = xstrdup(given);
        if (access(given, X_OK) != 0)
            return REFUSE(error, "Specified data directory \"%s\" does not exist.", given);
        return true;
    }
    const char *home = getenv("HOME");
    if (!home || !*home) {
        const struct passwd *user = getpwuid(getuid());
        home = user && user->pw_dir ? user->pw_dir : "";
    }
    config->base_dir = xasprintf("%s/.cairn", home);
    return true;
}

static bool read_config_file(struct cli_config *config, char **error)
{
    struct options *options = &config->options;
    bool is_named = options_is_set(options, "conf"), ok = true;
    struct buffer text;
    if (options_is_negated(options, "conf"))
        return true;
    config->config_path = is_named
                              ? path_in(config->base_dir, options_get_string(options, "conf", ""))
                              : config_default_file(config->base_dir);
    buffer_init(&text);
    int rc = read_file(config->config_path, &text);
    if (rc == 0)
        ok = config_file_parse_all(options, buffer_span(&text), config->config_path, read_included,
                                   config, error);
    else if (is_named || rc != -ENOENT)
        ok = REFUSE(error,
                    "Error reading configuration file: specified config file \"%s\" could not be "
                    "opened.",
                    config->config_path);
    buffer_deinit(&text);
    return ok;
}

/* -- Values ------------------------------------------------------------------------------- */

static bool choose_network(struct cli_config *config, char **error)
{
    const char *chain = options_chain(&config->options, error);
    if (!chain || !options_select_network(&config->options, chain, error))
        return false;
    config->network = network_find(chain);
    ASSERT(config->network);
    return true;
}

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
    config->timeout_s = options_get_int(options, "rpcclienttimeout", CLIENT_TIMEOUT_S);
    if (config->timeout_s < 0)
        config->timeout_s = 0;
    config->wait = options_get_bool(options, "rpcwait", false);
    config->wait_timeout_s = options_get_int(options, "rpcwaittimeout", 0);
    return true;
}

static void choose_cookie(struct cli_config *config)
{
    const char *file = options_get_string(&config->options, "rpccookiefile", "");
    if (options_is_negated(&config->options, "rpccookiefile"))
        return;
    char *data_dir = *config->network->data_dir
                         ? xasprintf("%s/%s", config->base_dir, config->network->data_dir)
                         : xstrdup(config->base_dir);
    config->cookie_path = path_in(data_dir, *file ? file : ".cookie");
    xfree(data_dir);
}

bool cli_config_init(struct cli_config *config, int argc, const char *const *argv, char **error)
{
    ASSERT(config);
    *config = (struct cli_config){0};
    options_init(&config->options, table, COUNT_OF(table));
    if (!options_parse_args(&config->options, argc, argv, &config->first_operand, error))
        return false;
    const struct options *options = &config->options;
    if (options_is_set(options, "help") || options_is_set(options, "h") ||
        options_is_set(options, "?") || options_is_set(options, "version"))
        return true;
    if (!choose_base_dir(config, error) || !read_config_file(config, error) ||
        !choose_base_dir(config, error) || !choose_network(config, error) ||
        !choose_server(config, error))
        return false;
    choose_cookie(config);
    return true;
}

void cli_config_deinit(struct cli_config *config)
{
    ASSERT(config);
    options_deinit(&config->options);
    xfree(config->base_dir);
    xfree(config->config_path);
    xfree(config->cookie_path);
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

char *cli_config_login(const struct cli_config *config, const char *stdin_password)
{
    ASSERT(config);
    const struct options *options = &config->options;
    const char *password =
        stdin_password ? stdin_password : options_get_string(options, "rpcpassword", "");
    if (*password)
        return xasprintf("%s:%s", options_get_string(options, "rpcuser", ""), password);
    struct buffer cookie;
    char *login = NULL;
    buffer_init(&cookie);
    if (config->cookie_path && read_file(config->cookie_path, &cookie) == 0) {
        size_t len = 0;
        while (len < cookie.len && cookie.p[len] != '\n' && cookie.p[len] != '\r')
            len++;
        login = xasprintf("%.*s", (int)len, (const char *)cookie.p);
    }
    buffer_deinit(&cookie);
    return login;
}
