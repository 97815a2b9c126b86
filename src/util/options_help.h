/* options_help.h - the help text of a program, from its table of options.
 *
 * Layer: util. */
#ifndef UTIL_OPTIONS_HELP_H
#define UTIL_OPTIONS_HELP_H

#include "util/buffer.h"
#include "util/options.h"

/* The help text has no longer lines, unless a single word is. */
#define OPTIONS_HELP_COLUMNS 79

/* Append the options of a program, by category, in the table's order, with their defaults and
 * limits.
 *
 * In:       with_debug  also those that are for debugging only (-help-debug)
 * Out:      out         text, not zero-terminated; hidden and ignored options are left out */
void options_help(const struct options *options, bool with_debug, struct buffer *out);

/* Append text broken into lines of at most OPTIONS_HELP_COLUMNS, each with indent spaces in
 * front. Newlines in text stay. */
void options_help_wrap(const char *text, size_t indent, struct buffer *out);

#endif
