/* alloc.c - the only place that calls the heap. */
#include "util/alloc.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Not an ASSERT: running out of memory is the machine's fault, and the operator is told so. */
static NORETURN void out_of_memory(size_t size)
{
    fprintf(stderr, "Error: out of memory (%zu bytes asked for). Stopping.\n", size);
    abort();
}

/* n * size; aborts where that would wrap, since a wrapped size is a heap overflow in waiting. */
static size_t product(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        out_of_memory(SIZE_MAX);
    return bytes;
}

void *xmalloc(size_t size)
{
    /* malloc(0) may be NULL, which callers would take for "no object". */
    void *p = malloc(size ? size : 1);
    if (UNLIKELY(!p))
        out_of_memory(size);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    size_t bytes = product(n, size);
    void *p = calloc(1, bytes ? bytes : 1);
    if (UNLIKELY(!p))
        out_of_memory(bytes);
    return p;
}

/* calloc clears what the heap was given ahead, 128 KiB for each table that makes it grow, once a
 * large allocation has been freed. Sanitizers guard only what is theirs. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void *xcalloc_sparse(size_t n, size_t size)
{
    return xcalloc(n, size);
}

void xfree_sparse(void *p, size_t n, size_t size)
{
    (void)product(n, size);
    xfree(p);
}

#else

void *xcalloc_sparse(size_t n, size_t size)
{
    size_t bytes = product(n, size);
    ASSERT(bytes > 0);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (UNLIKELY(p == MAP_FAILED))
        out_of_memory(bytes);
    /* A huge page would be taken as a whole; a kernel without them refuses, which is as well. */
    (void)madvise(p, bytes, MADV_NOHUGEPAGE);
    return p;
}

void xfree_sparse(void *p, size_t n, size_t size)
{
    if (!p)
        return;
    int error = munmap(p, product(n, size));
    ASSERT(!error);
}

#endif

void *xrealloc(void *p, size_t n, size_t size)
{
    size_t bytes = product(n, size);
    void *q = realloc(p, bytes ? bytes : 1);
    if (UNLIKELY(!q))
        out_of_memory(bytes);
    return q;
}

void *xmemdup(const void *p, size_t len)
{
    ASSERT(p || len == 0);
    void *copy = xmalloc(len);
    if (len)
        memcpy(copy, p, len);
    return copy;
}

char *xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

static char *format_text(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(len >= 0);
    char *s = xmalloc((size_t)len + 1);
    vsnprintf(s, (size_t)len + 1, format, args);
    return s;
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *s = format_text(format, args);
    va_end(args);
    return s;
}

bool fail_with(char **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *error = format_text(format, args);
    va_end(args);
    return false;
}

void xfree(void *p)
{
    free(p);
}

/* -- What there is ------------------------------------------------------------------------ */

struct alloc_stats alloc_stats(void)
{
    struct mallinfo2 info = mallinfo2();
    return (struct alloc_stats){.used_bytes = info.uordblks + info.hblkhd,
                                .free_bytes = info.fordblks,
                                .n_free_chunks = info.ordblks + info.smblks,
                                .n_regions = 1 + info.hblks};
}

char *alloc_describe(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    int error = file ? malloc_info(0, file) : -1;
    if (file && fclose(file) != 0)
        error = -1;
    char *copy = error ? NULL : xstrdup(text);
    free(text);
    return copy;
}
