/* hidden_name.h - the names of hidden services: "....onion" and "....b32.i2p"; and of what is none,
 * "....internal".
 *
 * Layer: p2p. Pure. Such a name is its address in base32; there is nothing to look up. */
#ifndef P2P_CORE_HIDDEN_NAME_H
#define P2P_CORE_HIDDEN_NAME_H

#include "p2p/core/net_address.h"

/* Write the name of an address of NET_TORV3, NET_I2P, or of net_address_of_internal().
 *
 * Out:      out  NET_ADDRESS_TEXT_MAX
 * Returns:  out
 * Spec:     Tor rend-spec-v3 section 6; I2P naming, base 32 names */
char *hidden_name_format(const struct net_address *address, char *out);

/* Read such a name, in upper or lower case, without a port; *out's port is 0.
 *
 * Returns:  false if it is none, or its checksum is wrong */
NODISCARD bool hidden_name_parse(const char *text, struct net_address *out);

#endif
