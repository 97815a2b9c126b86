/* log_file.h - debug.log and the terminal: where the lines of struct log end up.
 *
 * Layer: host. Any thread may write. Lines are written whole, with control bytes escaped (CVE-
 * 2018-20586), and lines that begin alike are limited to LOG_FILE_LIMIT_BYTES an hour in the file,
 * so that no peer can fill the disk (CVE-2025-54604); debug categories are not limited, nor is
 * the terminal. */
#ifndef HOST_LOG_FILE_H
#define HOST_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/log.h"

struct log_file;

#define LOG_FILE_LIMIT_BYTES  (1024 * 1024)
#define LOG_FILE_LIMIT_US     (INT64_C(3600) * 1000000)
#define LOG_FILE_SHRINK_BYTES (10 * 1000 * 1000)

struct log_file_options {
    const char *path; /* NULL: no file (-nodebuglogfile) */
    bool to_console;  /* also to standard output */
    bool timestamps;  /* -logtimestamps */
    bool time_micros; /* -logtimemicros */
    bool as_json;     /* -logjson: always with a time */
    bool limit_rate;  /* -logratelimit */
    bool shrink;      /* -shrinkdebugfile: keep the last LOG_FILE_SHRINK_BYTES of a larger file */
    uint32_t categories;
};

/* Open the log. Returns: NULL with *error, a line for the user freed with xfree().
 * Owns: the caller. */
NODISCARD struct log_file *log_file_open(const struct log_file_options *options, char **error);
void log_file_close(struct log_file *file); /* NULL is allowed */

/* The log to hand down; its categories may be changed. Valid until the close. */
struct log *log_file_log(struct log_file *file);

/* Open the file by its name again, after it was moved away (SIGHUP). If that fails the old one
 * stays in use. */
void log_file_reopen(struct log_file *file);

/* Parse one value of -debug or -debugexclude: a category, "1" or "all", "0" or "none".
 * Out: *bits, all bits for "all", 0 for "none". Returns: false if there is no such category. */
NODISCARD bool log_file_parse_category(const char *name, uint32_t *bits);

#endif
