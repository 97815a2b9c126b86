/* config.h - what the command line and cairn.conf say, checked and ready for use.
 *
 * Layer: host. Everything that can be wrong with an option is found here, before anything is
 * opened: one line says what, and nothing was changed on disk. Spec: Core AppInit() and
 * AppInitParameterInteraction(), whose messages are kept. */
#ifndef HOST_CONFIG_H
#define HOST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/chain.h"
#include "consensus/network.h"
#include "host/config_dev.h"
#include "host/config_net.h"
#include "host/config_settings.h"
#include "host/config_signet.h"
#include "host/config_zmq.h"
#include "host/sockets.h"
#include "util/options.h"

#define CONFIG_RPC_BINDS_MAX 16
#define CONFIG_SUBNETS_MAX   256
#define CONFIG_COMPUTE_MAX   64

enum config_action {
    CONFIG_RUN,
    CONFIG_SHOW_HELP,
    CONFIG_SHOW_HELP_DEBUG,
    CONFIG_SHOW_VERSION,
};

struct config_bind {
    char host[64];
    uint16_t port;
};

/* A list option, as the array that other modules take. */
struct config_list {
    const char **at;
    size_t n, capacity;
};

/* Strings live as long as the config. */
struct config {
    struct options options;
    enum config_action action;
    struct network network; /* with -signetchallenge, -vbparams and so on applied */

    char *base_dir;                                        /* -datadir */
    char *data_dir;                                        /* the network's directory below it */
    char *blocks_dir;                                      /* NULL: data_dir */
    char *config_path, *log_path, *pid_path, *cookie_path; /* log, cookie: NULL for none */
    unsigned cookie_mode;

    struct chain_options chain; /* data_dir and blocks_dir not filled in */
    struct block_hash assume_valid;
    struct u256 min_chain_work;
    bool repair; /* -repair, or -test= with the answer to Core's question whether to reindex */
    int compute_threads;
    struct config_list load_blocks, signet_seeds;
    int64_t stop_at_height; /* 0: never */
    int64_t mock_time_s;    /* wall clock; 0: the real one. On chains that mine on demand only */

    struct config_net net;
    struct config_signet signet;
    struct config_dev dev;
    struct config_zmq zmq;
    struct config_settings settings;

    bool server;
    struct config_bind rpc_binds[CONFIG_RPC_BINDS_MAX];
    size_t n_rpc_binds;
    struct subnet rpc_allowed[CONFIG_SUBNETS_MAX];
    size_t n_rpc_allowed;
    struct config_list rpc_hosts, rpcauth, rpc_whitelist;
    struct config_list warnings; /* of options, that last as long as the node runs */
    bool rpc_whitelist_default, deprecated_warnings, deprecated_start_height;
    size_t rpc_pending_max;
    size_t rpc_parked_max; /* calls that wait for an event; 0: as many as there is room for */
    int64_t rpc_timeout_us;
    int64_t event_log_max;
    char *ui_address;   /* of the dashboard, as in rpc_auth_options; NULL: none */
    char *ui_mesh_path; /* -uimesh; NULL: none */
    char *rpc_socket_path; /* -rpcsocket; NULL: none */
    unsigned rpc_socket_mode;
    size_t rpc_connections_max; /* 0: as many as the server takes */

    uint32_t log_categories;
    bool print_to_console, daemon, daemon_wait;
};

/* Read arguments and files and check everything. For -help and -version the rest is not looked
 * at. Makes the default data directory and the network's directory if they are missing, once
 * everything else is right.
 *
 * Returns:  false with *error, a line for the user freed with xfree()
 * Owns:     the caller; config_deinit() in either case */
NODISCARD bool config_init(struct config *config, int argc, const char *const *argv, char **error);
/* Free what a config owns; also after a config_init() that failed. */
void config_deinit(struct config *config);

#endif
