/* delays.h - how long things took: a distribution in bounded memory.
 *
 * Layer: sim. Buckets whose width is at most a thousandth of what is in them, and of each the sum:
 * a percentile is off by less than 0.1 %, and exact where all of its bucket took equally long. */
#ifndef SIM_REPORT_DELAYS_H
#define SIM_REPORT_DELAYS_H

#include <stdint.h>

#include "util/assert.h"

#define DELAY_BUCKETS 37888                    /* what delays_bucket_of(DELAY_US_MAX) asks for */
#define DELAY_US_MAX  ((INT64_C(1) << 46) - 1) /* two years; longer ones count as this */

struct delay_bucket {
    uint64_t n, sum_us;
};

/* Some 600 kB; zeros are an empty one. */
struct delays {
    uint64_t n;
    int64_t max_us;
    struct delay_bucket buckets[DELAY_BUCKETS];
};

/* Take in one delay, which is not negative. */
void delays_add(struct delays *delays, int64_t delay_us);

/* The shortest delay that percent of all do not exceed (nearest rank); 0 of none.
 *
 * In: percent  1 to 100 */
int64_t delays_percentile_us(const struct delays *delays, unsigned percent);

/* A point of the curve "how many took at most so long". */
struct delays_point {
    int64_t delay_us;
    double share; /* above 0, at most 1 */
};

/* The curve at n_max points at most, equally many delays between two of them, the longest last.
 *
 * Out:      points  room for n_max of them, 2 or more
 * Returns:  how many there are: 0 of no delays */
size_t delays_curve(const struct delays *delays, struct delays_point *points, size_t n_max);

#endif
