/* mem.c - comparing and erasing secrets. */
#include "crypto/mem.h"

#include <openssl/crypto.h>

bool mem_equal_ct(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void mem_wipe(void *p, size_t len)
{
    if (len)
        OPENSSL_cleanse(p, len);
}

void mem_wipe_buffer(struct buffer *buffer)
{
    mem_wipe(buffer->p, buffer->len);
    buffer_deinit(buffer);
}
