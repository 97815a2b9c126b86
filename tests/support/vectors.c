/* vectors.c - find and read test vector files. */
#include "support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/alloc.h"

const char *vectors_path(const char *rel, char *buf, size_t size)
{
    const char *root = getenv("CAIRN_VECTORS");
    snprintf(buf, size, "%s/%s", root ? root : "../shared/vectors", rel);
    return access(buf, R_OK) == 0 ? buf : NULL;
}

char *vectors_read(const char *rel, size_t *len)
{
    char path[1024];
    FILE *file = vectors_path(rel, path, sizeof path) ? fopen(path, "rb") : NULL;
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    ASSERT(size >= 0);
    rewind(file);
    char *bytes = xmalloc((size_t)size + 1);
    size_t got = fread(bytes, 1, (size_t)size, file);
    ASSERT(got == (size_t)size);
    fclose(file);
    bytes[size] = '\0';
    if (len)
        *len = (size_t)size;
    return bytes;
}
