/* config_internal.h - what the parts of config.c share.
 *
 * Layer: host, internal. */
#ifndef HOST_CONFIG_INTERNAL_H
#define HOST_CONFIG_INTERNAL_H

#include "host/config.h"
#include "host/config_base.h"
#include "util/alloc.h"

/* The value, or the limit that it is beyond. */
static inline int64_t config_clamp(int64_t value, int64_t least, int64_t most)
{
    ASSERT(least <= most);
    return value < least ? least : value > most ? most : value;
}

/* All values of a list option, borrowed from the options. Owns: the caller frees items */
NODISCARD struct config_list config_list_of(const struct config *config, const char *name);

/* The options of the RPC server; paths and the network are settled.
 *
 * Returns:  false with *error, a line for the user freed with xfree() */
NODISCARD bool config_rpc_init(struct config *config, char **error);

#endif
