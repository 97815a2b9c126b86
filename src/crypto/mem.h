/* mem.h - comparing and erasing secrets.
 *
 * Layer: crypto. */
#ifndef CRYPTO_MEM_H
#define CRYPTO_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buffer.h"

/* Compare len bytes in a time that depends on len only, so that a guesser of cookies, passwords or
 * message tags learns nothing from how long the refusal took. */
bool mem_equal_ct(const void *a, const void *b, size_t len);

/* Overwrite len bytes with zeros, also where the compiler can see that nobody reads them again. */
void mem_wipe(void *p, size_t len);
/* Overwrite what is in a buffer, and free it. */
void mem_wipe_buffer(struct buffer *buffer);

#endif
