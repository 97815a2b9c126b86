/* config_options.h - every option of cairnd, in one table.
 *
 * Layer: host. Help, argument checks and the warnings about options without a meaning here all
 * come from this table. Names and meanings are bitcoind's wherever the thing is the same. */
#ifndef HOST_CONFIG_OPTIONS_H
#define HOST_CONFIG_OPTIONS_H

#include "util/options.h"

/* The table, in the order of the help text; *n gets the number of rows. Lives for ever. */
const struct option_def *config_options(size_t *n);

#endif
