/* config_proxy.h - the options about proxies and which networks are used.
 *
 * Layer: host. Spec: Core AppInitMain(), whose messages are kept. */
#ifndef HOST_CONFIG_PROXY_H
#define HOST_CONFIG_PROXY_H

#include "host/config_net.h"

/* Read -onlynet, -cjdnsreachable, -proxy, -onion, -i2psam and -proxyrandomize into config->p2p.
 *
 * Returns:  false with *error, a line for the user freed with xfree() */
NODISCARD bool config_proxy_init(struct config_net *config, const struct options *options,
                                 char **error);

/* What should be known of them, though it is no mistake. */
void config_proxy_tell(const struct config_net *config, struct options *options);

/* What -proxy and -onlynet imply of other options is decided by these. */
bool config_proxy_is_set(const struct options *options);
/* -onlynet leaves neither IPv4 nor IPv6 in. */
bool config_proxy_hides_clearnet(const struct options *options);

#endif
