/* sums_table.h - tables of what is linear, written as the five sums they are made of.
 *
 * Layer: util. For checksums over symbols of five bits: what a symbol changes is the sum, without
 * carry, of what its bits change. */
#ifndef UTIL_SUMS_TABLE_H
#define UTIL_SUMS_TABLE_H

/* The changes of the set bits of x, added without carry; a belongs to the lowest. */
#define SUM_OF_BITS(x, a, b, c, d, e)                                                              \
    (((x)&1 ? a : 0) ^ ((x)&2 ? b : 0) ^ ((x)&4 ? c : 0) ^ ((x)&8 ? d : 0) ^ ((x)&16 ? e : 0))
#define SUMS_4(x, ...)                                                                             \
    SUM_OF_BITS(x, __VA_ARGS__), SUM_OF_BITS((x) + 1, __VA_ARGS__),                                \
        SUM_OF_BITS((x) + 2, __VA_ARGS__), SUM_OF_BITS((x) + 3, __VA_ARGS__)
#define SUMS_16(x, ...)                                                                            \
    SUMS_4(x, __VA_ARGS__), SUMS_4((x) + 4, __VA_ARGS__), SUMS_4((x) + 8, __VA_ARGS__),            \
        SUMS_4((x) + 12, __VA_ARGS__)
/* The row of a table of 32, from the changes of the five bits. */
#define SUMS_32(...)                                                                               \
    {                                                                                              \
        SUMS_16(0, __VA_ARGS__), SUMS_16(16, __VA_ARGS__)                                          \
    }

#endif
