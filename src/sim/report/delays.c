/* delays.c - see delays.h */
#include "sim/report/delays.h"

#include "util/span.h"

/* Above 2 * HALF a bucket's number is what HALF_BITS + 1 leading bits say. */
enum { HALF_BITS = 10, HALF = 1 << HALF_BITS };

static size_t bucket_of(uint64_t delay_us)
{
    if (delay_us < 2 * HALF)
        return (size_t)delay_us;
    unsigned shift = 63u - (unsigned)__builtin_clzll(delay_us) - HALF_BITS;
    return (size_t)shift * HALF + (size_t)(delay_us >> shift);
}

static int64_t bucket_mean_us(const struct delay_bucket *bucket)
{
    return (int64_t)((bucket->sum_us + bucket->n / 2) / bucket->n);
}

void delays_add(struct delays *delays, int64_t delay_us)
{
    ASSERT(delays && delay_us >= 0);
    delay_us = MIN_OF(delay_us, DELAY_US_MAX);
    struct delay_bucket *bucket = &delays->buckets[bucket_of((uint64_t)delay_us)];
    bucket->n++;
    bucket->sum_us += (uint64_t)delay_us;
    delays->n++;
    delays->max_us = MAX_OF(delays->max_us, delay_us);
}

int64_t delays_percentile_us(const struct delays *delays, unsigned percent)
{
    ASSERT(delays && percent > 0 && percent <= 100);
    if (percent == 100)
        return delays->max_us;
    uint64_t rank = (delays->n * percent + 99) / 100, seen = 0;
    for (size_t i = 0; i < DELAY_BUCKETS; i++) {
        seen += delays->buckets[i].n;
        if (seen >= rank && delays->buckets[i].n > 0)
            return bucket_mean_us(&delays->buckets[i]);
    }
    ASSERT(delays->n == 0);
    return 0;
}

size_t delays_curve(const struct delays *delays, struct delays_point *points, size_t n_max)
{
    ASSERT(delays && points && n_max >= 2);
    size_t n = 0;
    uint64_t seen = 0;
    for (size_t i = 0; i < DELAY_BUCKETS && seen < delays->n; i++) {
        const struct delay_bucket *bucket = &delays->buckets[i];
        seen += bucket->n;
        /* The next of n_max equal steps is reached, or it is the end. */
        bool is_due = bucket->n > 0 && (n == 0 || seen * n_max >= delays->n * (n + 1));
        if (!is_due || n == n_max)
            continue;
        points[n++] = (struct delays_point){.delay_us = bucket_mean_us(bucket),
                                            .share = (double)seen / (double)delays->n};
    }
    if (n > 0)
        points[n - 1] = (struct delays_point){.delay_us = delays->max_us, .share = 1};
    return n;
}
