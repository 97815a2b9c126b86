/* cli_newchain.h - cairn-cli newchain: a file that describes a chain of one's own.
 *
 * Layer: host. Asks no node. What it writes is read again by chain_file_parse() first, so it never
 * makes a file that a node refuses. */
#ifndef HOST_CLI_NEWCHAIN_H
#define HOST_CLI_NEWCHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buffer.h"

/* Make a chain by arguments of the form field=value: the fields of a chain file without their
 * groups, and genesis=regtest, seeds=HOST,HOST, magic=rules (leave the magic to the rules; else it
 * is random) and file=PATH. The first block is mined. Without a name the most important ones are
 * asked for, by standard error and standard input. With the same arguments, time and magic among
 * them, the file is the same.
 *
 * Out:      text  the file, if it is not to be written to a path
 * Returns:  false with *error (xfree it) */
NODISCARD bool cli_newchain(const char *const *args, size_t n, struct buffer *text, char **error);

#endif
