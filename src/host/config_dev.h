/* config_dev.h - the options -dev and -automine: a chain to develop against, blocks without orders.
 *
 * Layer: host. Ours: Core leaves both to scripts. */
#ifndef HOST_CONFIG_DEV_H
#define HOST_CONFIG_DEV_H

#include "host/config_signet.h"
#include "node/node_miner.h"
#include "spend/keys/dev_keys.h"

struct config_dev {
    struct dev_keys *keys;           /* owned; NULL: without -dev */
    struct node_miner_options miner; /* of -automine, or -signetmineinterval; no block options */
    uint8_t script[ADDRESS_SCRIPT_MAX];
};

/* Read the options. dev must not be moved from here on: its miner points into it, and to signet.
 *
 * Returns:  false with *error, a line for the user freed with xfree()
 * Owns:     the caller; config_dev_deinit() in either case */
NODISCARD bool config_dev_init(struct config_dev *dev, const struct options *options,
                               const struct network *network, const struct config_signet *signet,
                               char **error);
/* Free the keys; also after a config_dev_init() that failed. */
void config_dev_deinit(struct config_dev *dev);

#endif
