/* config_signet.h - the options of a node that makes the blocks of its own signet.
 *
 * Layer: host. Ours: Core leaves signing and mining to scripts. */
#ifndef HOST_CONFIG_SIGNET_H
#define HOST_CONFIG_SIGNET_H

#include "chain/signet_signer.h"
#include "consensus/key_io.h"
#include "util/options.h"

#define CONFIG_MINE_INTERVAL_MAX_S 86400

struct config_signet {
    struct signet_signer *signer; /* -signetminerkey; NULL: none */
    int64_t mine_interval_s;      /* -signetmineinterval; 0: blocks are made by order only */
    uint8_t script[ADDRESS_SCRIPT_MAX];
    struct span pays_to; /* -signetmineaddress, or P2WPKH of the key; empty without a key */
};

/* Read the options and make the signer. What they say is never in an error: keys are secret.
 *
 * In:       network  with its challenge; borrowed for the life of config
 * Returns:  false with *error, a line for the user freed with xfree()
 * Owns:     the caller; config_signet_deinit() in either case */
NODISCARD bool config_signet_init(struct config_signet *config, const struct options *options,
                                  const struct network *network, char **error);
/* Wipe the key and free the signer. */
void config_signet_deinit(struct config_signet *config);

#endif
