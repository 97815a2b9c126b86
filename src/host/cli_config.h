/* cli_config.h - what cairn-cli's command line and the node's cairn.conf say.
 *
 * Layer: host. */
#ifndef HOST_CLI_CONFIG_H
#define HOST_CLI_CONFIG_H

#include "consensus/network.h"
#include "util/buffer.h"
#include "util/options.h"

struct cli_config {
    struct options options;
    struct network row;
    const struct network *network; /* the row; NULL: the help or the version is wanted */
    char *base_dir, *config_path, *cookie_path;
    char host[256];
    uint16_t port;
    char *socket_path;      /* NULL: by host and port */
    int64_t timeout_s;      /* -rpcclienttimeout */
    bool wait;              /* -rpcwait */
    int64_t wait_timeout_s; /* -rpcwaittimeout; 0: for ever */
    int first_operand;      /* the method's index in argv */
};

/* Read arguments and the config file (unless help or version is wanted).
 * Returns: false with *error (xfree it); cli_config_deinit() in either case */
NODISCARD bool cli_config_init(struct cli_config *config, int argc, const char *const *argv,
                               char **error);
/* Free what a config owns; also after a cli_config_init() that failed. */
void cli_config_deinit(struct cli_config *config);

/* Has a password been given, here or by -stdinrpcpass? Then no cookie is read. */
bool cli_config_has_password(const struct cli_config *config, const char *stdin_password);
/* "user:password" from -rpcuser and -rpcpassword, or the cookie. stdin_password: NULL, or what
 * was read for -stdinrpcpass. Returns: NULL if there is neither; xfree it. */
NODISCARD char *cli_config_login(const struct cli_config *config, const char *stdin_password);

/* The path that calls go to: "/", with -rpcwallet "/wallet/NAME", the name escaped. xfree it. */
NODISCARD char *cli_config_path(const struct cli_config *config);

/* The help text, not zero-terminated. options: of cli_config_init() */
void cli_config_help(const struct options *options, struct buffer *out);

#endif
