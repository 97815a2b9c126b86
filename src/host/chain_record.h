/* chain_record.h - what rules the data of a chain of one's own was made by.
 *
 * Layer: host. Blocks that are stored were checked once, by the rules of that time. Who changes the
 * chain's file afterwards would get a node that says yes to what it refuses from others. */
#ifndef HOST_CHAIN_RECORD_H
#define HOST_CHAIN_RECORD_H

#include "consensus/network.h"
#include "util/env.h"

#define CHAIN_RECORD_NAME "chain.rules" /* in the chain's data directory */

/* Compare the network's rules with those that the directory was made by; the first time they are
 * written down. Nothing to do for the networks that everybody knows. The directory is locked.
 *
 * Returns:  false with *error, a line for the user (xfree it) */
NODISCARD bool chain_record_check(const struct network *network, const struct env *env,
                                  const char *data_dir, char **error);

#endif
