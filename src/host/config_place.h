/* config_place.h - where something is: names and numeric addresses in options.
 *
 * Layer: host. */
#ifndef HOST_CONFIG_PLACE_H
#define HOST_CONFIG_PLACE_H

#include "util/arena.h"
#include "util/options.h"

#define CONFIG_ADDRESS_BYTES 64 /* numeric, with a scope */

/* Look a name up, while the program waits.
 *
 * Out:      out  the index-th numeric address that it has
 * Returns:  false if it has no such address, or the name is not known */
NODISCARD bool config_look_up(const char *name, size_t index, char out[CONFIG_ADDRESS_BYTES]);
/* Turn "host", "host:port" or a numeric form of these into a numeric address and a port; a name is
 * looked up, unless -dns=0.
 *
 * Out:      address  in strings
 * Returns:  false if it is malformed, or cannot be found */
NODISCARD bool config_resolve(struct arena *strings, const struct options *options,
                              const char *spec, uint16_t default_port, const char **address,
                              uint16_t *port);
/* A copy in strings. */
char *config_keep(struct arena *strings, const char *s);

#endif
