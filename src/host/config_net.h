/* config_net.h - the options about peers, mempool and mining, checked and ready for use.
 *
 * Layer: host. */
#ifndef HOST_CONFIG_NET_H
#define HOST_CONFIG_NET_H

#include "consensus/network.h"
#include "node/node.h"
#include "util/options.h"

#define CONFIG_NET_ADDRESSES_MAX 256 /* of each list option */

/* Strings live as long as this. */
struct config_net {
    struct p2p_options p2p;
    struct coin_vouch fetch_coins; /* -fetchsnapshot, if fetches_coins */
    bool fetches_coins;
    struct mempool_options mempool;
    struct block_assembler_options block;
    int64_t ban_time_s;           /* -bantime */
    bool accepts_stale_fees;      /* -acceptstalefeeestimates */
    int64_t fallback_sat_per_kvb; /* -fallbackestimate */
    struct arena strings;
    struct p2p_bind binds[CONFIG_NET_ADDRESSES_MAX];
    const char *connect[CONFIG_NET_ADDRESSES_MAX];
    const char *add_nodes[CONFIG_NET_ADDRESSES_MAX];
    const char *seed_nodes[CONFIG_NET_ADDRESSES_MAX];
    const char *whitelist[CONFIG_NET_ADDRESSES_MAX];
    const char *external[CONFIG_NET_ADDRESSES_MAX];
};

/* Read the options whose rows have no target; the others are in config already. Names of -connect,
 * -addnode and -seednode are looked up by the running node; one of -externalip here, unless -dns=0,
 * and one that cannot be found is an error.
 *
 * In:       data_dir  borrowed for the life of config
 * Returns:  false with *error, a line for the user freed with xfree()
 * Owns:     the caller; config_net_deinit() in either case */
NODISCARD bool config_net_init(struct config_net *config, const struct options *options,
                               const struct network *network, const char *data_dir, char **error);
/* Free what config_net_init() took. */
void config_net_deinit(struct config_net *config);

#endif
