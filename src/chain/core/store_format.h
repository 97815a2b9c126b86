/* store_format.h - whose a store is, and in which format.
 *
 * Layer: chain. Each store of ours has the row 'v' -> version, one byte. Nothing is written into a
 * store that is not ours or of a newer version. */
#ifndef CHAIN_CORE_STORE_FORMAT_H
#define CHAIN_CORE_STORE_FORMAT_H

#include "util/assert.h"
#include "util/env.h"

struct store_format {
    const char *name;    /* as in messages: "coins database" */
    uint8_t version;     /* what this program writes */
    const char *old_key; /* a row that every filled store of ours had before 'v' was written ... */
    size_t old_len;      /* ... with a value of that many bytes; NULL: none was made without 'v' */
    const char *old_key_other; /* or this one; NULL: none */
    size_t old_len_other;
    const char *row_prefix; /* a store that has neither, but begins with such a row, was cut short
                               before its mark: damaged. NULL: none is */
    size_t row_key_len, row_value_len;
};

/* Look at the row of the store at path. A new store, and one of ours from before the row, get it.
 *
 * Returns:  0, or a negative errno with *error set (xfree it): -ENOTSUP if the store is of another
 *           program or of a newer version of ours, -EUCLEAN if the row is damaged, or if what
 *           is there is ours but was never finished */
NODISCARD int store_format_check(const struct env *env, struct env_kv *kv, const char *path,
                                 const struct store_format *format, char **error);

#endif
