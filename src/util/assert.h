/* assert.h - stop at our own bugs, in every build.
 *
 * Layer: util. ASSERT is for what only a bug of ours can break, never for input from outside
 * (that gets a verdict) and never for a failing disk (that gets a fault). */
#ifndef UTIL_ASSERT_H
#define UTIL_ASSERT_H

#include <stddef.h>

#define NODISCARD    __attribute__((warn_unused_result))
#define NORETURN     __attribute__((noreturn))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define COUNT_OF(a)  (sizeof(a) / sizeof((a)[0]))
/* The smaller, the greater of two of one type; each is looked at twice. */
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
#define LIKELY(x)    __builtin_expect(!!(x), 1)
#define UNLIKELY(x)  __builtin_expect(!!(x), 0)

/* The object that p points into: to its member of that name. */
#define CONTAINER_OF(p, type, member)                                                              \
    ((type *)(void *)((char *)(1 ? (p) : &((type *)NULL)->member) - offsetof(type, member)))

/* Print the broken condition and its place to standard error and abort. */
NORETURN void assert_fail(const char *condition, const char *file, int line);

/* Always compiled in: NDEBUG does not remove it. */
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (UNLIKELY(!(condition)))                                                                \
            assert_fail(#condition, __FILE__, __LINE__);                                           \
    } while (0)

/* For checks too costly for production; compiled in by the dev, asan and fuzz presets. */
#ifdef CAIRN_VERIFY
#define VERIFY(condition) ASSERT(condition)
#else
#define VERIFY(condition)                                                                          \
    do {                                                                                           \
    } while (0)
#endif

#endif
