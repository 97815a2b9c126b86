/* test_alloc.c - heap memory: never NULL, zeroed where promised, aborting where sizes wrap. */
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"
#include "util/alloc.h"

TEST(size_zero_is_an_object)
{
    void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xrealloc(NULL, 0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    xfree(a);
    xfree(b);
    xfree(c);
    xfree(NULL);
}

TEST(calloc_zeroes)
{
    unsigned char *p = xcalloc(100, 3);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(p[i], 0);
    xfree(p);
}

/* Pages of p that take memory. */
static size_t count_resident(const uint8_t *p, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
    unsigned char *seen = xcalloc(bytes / page + 1, 1);
    assert_int_equal(mincore((void *)(uintptr_t)p, bytes, seen), 0);
    for (size_t i = 0; i < (bytes + page - 1) / page; i++)
        n += seen[i] & 1;
    xfree(seen);
    return n;
}

/* Once a large allocation has been freed, the C library takes others of that size from its heap. */
TEST(a_sparse_table_takes_the_pages_that_are_written_to)
{
    enum { BYTES = 3 << 20 };
    xfree(xmalloc(2 * BYTES));
    xfree_sparse(NULL, 1, BYTES);
    uint8_t *p = xcalloc_sparse(BYTES / 8, 8);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    p[BYTES / 2] = 1;
    p[BYTES - 1] = 1;
    assert_int_equal(count_resident(p, BYTES), 2);
#else
    (void)count_resident;
#endif
    assert_int_equal(p[0], 0);
    assert_int_equal(p[BYTES / 2 + 1], 0);
    xfree_sparse(p, BYTES / 8, 8);
}

TEST(realloc_keeps_the_contents)
{
    uint32_t *p = xrealloc(NULL, 4, sizeof *p);
    for (uint32_t i = 0; i < 4; i++)
        p[i] = i * 7;
    p = xrealloc(p, 4000, sizeof *p);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(p[i], i * 7);
    xfree(p);
}

TEST(copies_are_equal_and_apart)
{
    char original[] = "block";
    char *copy = xstrdup(original), *bytes = xmemdup(original, 3);
    original[0] = 'c';
    assert_string_equal(copy, "block");
    assert_memory_equal(bytes, "blo", 3);
    xfree(copy);
    xfree(bytes);
    void *empty = xmemdup(NULL, 0);
    assert_non_null(empty);
    xfree(empty);
}

TEST(format_makes_a_string_of_any_length)
{
    char *s = xasprintf("%s %d", "height", 255);
    assert_string_equal(s, "height 255");
    xfree(s);
    s = xasprintf("%01000d", 1);
    assert_int_equal(strlen(s), 1000);
    assert_int_equal(s[999], '1');
    xfree(s);
}

/* Run fn in a child process; true if it was ended by SIGABRT. */
static int aborts(void (*fn)(void))
{
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        fn();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void calloc_too_large(void)
{
    void *p = xcalloc(SIZE_MAX / 2, 3);
    xfree(p);
}

static void realloc_too_large(void)
{
    void *p = xrealloc(NULL, SIZE_MAX / 4 + 1, 4);
    xfree(p);
}

TEST(a_product_that_wraps_aborts)
{
    assert_true(aborts(calloc_too_large));
    assert_true(aborts(realloc_too_large));
}

TEST(what_is_allocated_is_counted)
{
    struct alloc_stats before = alloc_stats();
    uint8_t *p = xcalloc(1, 64 << 20); /* so large that the system gives it a region of its own */
    p[1] = 1;
    struct alloc_stats after = alloc_stats();
    /* A sanitizer's allocator is beside the one that counts: nothing is seen to change then. */
    if (after.used_bytes != before.used_bytes) {
        assert_true(after.used_bytes >= before.used_bytes + (64 << 20));
        assert_int_equal(after.n_regions, before.n_regions + 1);
    }
    assert_true(after.n_regions >= 1);
    xfree(p);
    assert_int_equal(alloc_stats().n_regions, before.n_regions);
    char *xml = alloc_describe();
    assert_non_null(xml);
    assert_memory_equal(xml, "<malloc ", 8);
    xfree(xml);
}

/* What is limited by sizes alone is what the allocator really takes. */
TEST(a_footprint_is_what_the_allocator_takes)
{
    assert_int_equal(alloc_footprint_bytes(0), 0);
    struct alloc_stats before = alloc_stats();
    uint8_t *probe = xmalloc(1000000);
    probe[0] = 1;
    bool is_counted = alloc_stats().used_bytes > before.used_bytes + 500000;
    xfree(probe);
    for (size_t size = 1; size < 3000000; size += 1 + size / 7) {
        void *p = xmalloc(size);
        size_t taken = malloc_usable_size(p) + sizeof(size_t),
               counted = alloc_footprint_bytes(size);
        assert_true(counted >= size + sizeof(size_t));
        if (is_counted) /* not by a sanitizer's, which takes more in other places */
            assert_in_range(taken, counted - 16, counted + 16 + counted / 25);
        xfree(p);
    }
}
