/* config_file.h - the text of a config file, into options.
 *
 * Layer: util. Lines of name=value under [network] headings, # starts a comment. Pure: the caller
 * reads the files. Spec: Core GetConfigOptions() and ReadConfigFiles(). */
#ifndef UTIL_CONFIG_FILE_H
#define UTIL_CONFIG_FILE_H

#include <stdbool.h>

#include "util/buffer.h"
#include "util/options.h"

/* Read one file's text.
 *
 * In:       text  borrowed for the call
 *           path  shown in messages
 * Out:      options  gets the values, and messages about unknown names and sections
 * Returns:  false with *error set (xfree it) at the first line that is wrong */
NODISCARD bool config_file_parse(struct options *options, struct span text, const char *path,
                                 char **error);

/* Append the text of the file at path to *out. Returns: 0 or a negative errno. */
typedef int config_file_read_fn(void *ctx, const char *path, struct buffer *out);

/* Read a file and those that its includeconf lines name, one level deep; includes in included
 * files are passed over with a message. -noincludeconf on the command line switches them off.
 * The table must have the option "includeconf".
 *
 * In:       text, path  the file itself
 *           read, ctx   called for each included file
 * Returns:  false with *error set (xfree it) at the first line that is wrong, or if an included
 *           file cannot be read */
NODISCARD bool config_file_parse_all(struct options *options, struct span text, const char *path,
                                     config_file_read_fn *read, void *ctx, char **error);

#endif
