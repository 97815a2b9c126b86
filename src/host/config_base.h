/* config_base.h - where the data directory is and what the config file says, for both programs.
 *
 * Layer: host. Spec: Core ReadConfigFiles(), messages too. */
#ifndef HOST_CONFIG_BASE_H
#define HOST_CONFIG_BASE_H

#include "consensus/network.h"
#include "util/buffer.h"
#include "util/options.h"

#define CONFIG_FILE_NAME       "cairn.conf"
#define CONFIG_OTHER_FILE_NAME "bitcoin.conf" /* read where the former is missing */

/* Set *error to a formatted line and return false. */
#define REFUSE(error, ...) (*(error) = xasprintf(__VA_ARGS__), false)

/* A path that an option names, relative to dir unless absolute. Owns: the caller, xfree() */
NODISCARD char *config_path_in(const char *dir, const char *path);

/* The network's own directory below dir. Owns: the caller, xfree() */
NODISCARD char *config_network_dir(const char *dir, const struct network *network);

/* Where relative paths of the command line start, so that they hold after -daemon's chdir: path
 * from the root on. Owns: the caller, xfree() */
NODISCARD char *config_absolute(const char *path);

/* Is there a directory of that name? */
bool config_is_dir(const char *path);

/* The path of -rpcsocket, in the network's directory unless absolute; NULL without the option.
 * Owns: the caller, xfree() */
NODISCARD char *config_socket_path(const struct options *options, const char *data_dir);

/* Append the text of a file of at most a megabyte. Returns: 0 or a negative errno. */
NODISCARD int config_read_text(const char *path, struct buffer *out);

/* The config file of a data directory unless -conf names one: cairn.conf, or bitcoin.conf where
 * that is alone, so that scripts made for bitcoind need no change.
 *
 * Owns: the caller, xfree() */
NODISCARD char *config_default_file(const char *dir);

/* Settle the data directory (-datadir) and read the config file in it or by -conf, which may name
 * another data directory.
 *
 * Out:      first_dir    the data directory that the config file was looked for in
 *           base_dir     the one that holds
 *           config_path  NULL with -noconf
 * Owns:     the caller frees all three with xfree(), in either case
 * Returns:  false with *error, a line for the user freed with xfree() */
NODISCARD bool config_read_base(struct options *options, char **first_dir, char **base_dir,
                                char **config_path, char **error);

/* The network that the options ask for, from the table or from the file that -chainfile names; its
 * section counts from now on. On the command line the file's path starts where the program does, in
 * a config file at the data directory.
 *
 * In:       base_dir  the data directory
 * Out:      network   borrows from options
 * Returns:  false with *error, a line for the user freed with xfree() */
NODISCARD bool config_choose_network(struct options *options, const char *base_dir,
                                     struct network *network, char **error);

#endif
