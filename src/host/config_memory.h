/* config_memory.h - -maxmem: one budget of memory, shared among those who take most.
 *
 * Layer: host. Who has an option of his own keeps what that says; the others share what is left. */
#ifndef HOST_CONFIG_MEMORY_H
#define HOST_CONFIG_MEMORY_H

#include "util/options.h"

#define CONFIG_MEMORY_LEAST_MIB 300
/* The program, the tree of headers, peers, answers that wait (RPC_ANSWERS_BYTES_MAX): what no
 * option makes smaller. */
#define CONFIG_MEMORY_FIXED_MIB 256

/* Let -maxmem imply -dbcache, -maxmempool and -maxsigcachesize, where they are not set. Once all
 * that sets them otherwise is read.
 *
 * Returns:  false with *error, a line for the user freed with xfree() */
NODISCARD bool config_share_memory(struct options *options, char **error);

#endif
