/* store_format.h - whose a store is, and in which format.
 *
 * Layer: chain. Each store of ours has the row 'v' -> version, kind, a byte each. Beside its files
 * stands one that says so too, for a store whose rows cannot be read: what is damaged is made anew
 * without asking, and that must not happen to another program's. Nothing is written into a store
 * that is not ours or of a newer version. */
#ifndef CHAIN_CORE_STORE_FORMAT_H
#define CHAIN_CORE_STORE_FORMAT_H

#include "util/assert.h"
#include "util/env.h"

/* The file beside a store's own that says whose it is. */
#define STORE_FORMAT_FILE "CAIRN"

/* Of rows that cannot be read: which and why is in the log, by who reads them. */
#define STORE_DAMAGE_TEXT "LevelDB error: Corruption, see debug.log"

struct store_format {
    const char *name;    /* as in messages: "coins database" */
    uint8_t version;     /* what this program writes */
    char kind;           /* which of its stores it is */
    const char *old_key; /* a row that every filled store of ours had before 'v' was written ... */
    size_t old_len;      /* ... with a value of that many bytes; NULL: none was made without 'v' */
    const char *old_key_other; /* or this one; NULL: none */
    size_t old_len_other;
    const char *row_prefix; /* a store that has neither, but begins with such a row, was cut short
                               before its mark: damaged. NULL: none is */
    size_t row_key_len, row_value_len;
};

/* Open the store at path, creating it if needed, and see whose it is. A new one, and one of ours
 * from before the marks, get them.
 *
 * Returns:  0, or a negative errno with *error set (xfree it): -ENOTSUP if the store is of another
 *           program or of a newer version of ours, or damaged and nothing shows that it is ours;
 *           -EUCLEAN if it is ours and damaged, of another kind, or was never finished */
NODISCARD int store_format_open(const struct env *env, const char *path,
                                const struct env_kv_options *options,
                                const struct store_format *format, struct env_kv **out,
                                char **error);

/* Of an error that it has set: was the store opened, and a row could not be read? */
bool store_format_is_of_row(const char *error);

#endif
