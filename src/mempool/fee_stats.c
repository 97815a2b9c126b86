/* fee_stats.c - see fee_stats.h. */
#include "mempool/fee_stats.h"

#include <math.h>

#include "util/assert.h"

/* All coins for one byte. */
#define RATE_MAX 2.1e18

enum {
    ROW_RATES,
    ROW_MINED,
    ROWS_BEFORE_PERIODS,
};

void fee_buckets_init(struct fee_buckets *buckets)
{
    uint32_t n = 0;
    for (double rate = FEE_LOWEST_RATE; rate <= FEE_HIGHEST_RATE; rate *= FEE_SPACING) {
        ASSERT(n < FEE_BUCKETS);
        buckets->top[n++] = rate;
    }
    ASSERT(n == FEE_BUCKETS - 1);
    buckets->top[n] = FEE_ENDLESS_RATE;
}

uint32_t fee_buckets_find(const struct fee_buckets *buckets, double rate)
{
    uint32_t low = 0, high = FEE_BUCKETS - 1;
    ASSERT(rate <= FEE_ENDLESS_RATE);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (buckets->top[middle] < rate)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t fee_stats_blocks(const struct fee_stats *stats)
{
    return stats->horizon->periods * stats->horizon->scale;
}

static uint32_t n_rows(const struct fee_stats *stats)
{
    return ROWS_BEFORE_PERIODS + 2 * stats->horizon->periods;
}

/* Rows of period 0 and later ones: mined within it; left unmined after it. */
static uint32_t row_within(const struct fee_stats *stats, uint32_t period)
{
    ASSERT(period < stats->horizon->periods);
    return ROWS_BEFORE_PERIODS + period;
}

static uint32_t row_left(const struct fee_stats *stats, uint32_t period)
{
    ASSERT(period < stats->horizon->periods);
    return ROWS_BEFORE_PERIODS + stats->horizon->periods + period;
}

static double average(const struct fee_stats *stats, uint32_t row, uint32_t bucket)
{
    ASSERT(row < n_rows(stats) && bucket < FEE_BUCKETS);
    const double *column = stats->averages[bucket];
    return column ? column[row] : 0;
}

static double *cell(struct fee_stats *stats, uint32_t row, uint32_t bucket)
{
    ASSERT(row < n_rows(stats) && bucket < FEE_BUCKETS);
    double **column = &stats->averages[bucket];
    if (!*column)
        *column = xcalloc(n_rows(stats), sizeof **column);
    return &(*column)[row];
}

/* Who came at a height: NULL as long as nobody has. */
static uint32_t **waiting_at(const struct fee_stats *stats, int32_t height)
{
    int32_t blocks = (int32_t)fee_stats_blocks(stats);
    return &stats->waiting[(height % blocks + blocks) % blocks];
}

void fee_stats_init(struct fee_stats *stats, const struct fee_horizon *horizon,
                    const struct fee_buckets *buckets)
{
    ASSERT(horizon->periods > 0 && horizon->scale > 0);
    ASSERT(horizon->decay > 0 && horizon->decay < 1);
    *stats = (struct fee_stats){.horizon = horizon, .buckets = buckets};
    stats->waiting = xcalloc(fee_stats_blocks(stats), sizeof *stats->waiting);
    stats->waiting_long = xcalloc(FEE_BUCKETS, sizeof *stats->waiting_long);
}

void fee_stats_snapshot(struct fee_stats *stats, const struct fee_stats *of)
{
    ASSERT(stats && of);
    *stats = (struct fee_stats){.horizon = of->horizon};
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        if (of->averages[i])
            stats->averages[i] = xmemdup(of->averages[i], n_rows(of) * sizeof(double));
}

void fee_stats_deinit(struct fee_stats *stats)
{
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        xfree(stats->averages[i]);
    for (uint32_t i = 0; stats->waiting && i < fee_stats_blocks(stats); i++)
        xfree(stats->waiting[i]);
    xfree(stats->waiting);
    xfree(stats->waiting_long);
    *stats = (struct fee_stats){0};
}

void fee_stats_enter(struct fee_stats *stats, int32_t height, uint32_t bucket)
{
    ASSERT(height >= 0 && bucket < FEE_BUCKETS);
    uint32_t **row = waiting_at(stats, height);
    if (!*row)
        *row = xcalloc(FEE_BUCKETS, sizeof **row);
    (*row)[bucket]++;
}

void fee_stats_leave(struct fee_stats *stats, const struct fee_leave *leave)
{
    ASSERT(leave->entered <= leave->tip && leave->bucket < FEE_BUCKETS);
    uint32_t waited = (uint32_t)(leave->tip - leave->entered);
    uint32_t *count = waited >= fee_stats_blocks(stats) ? stats->waiting_long
                                                        : *waiting_at(stats, leave->entered);
    ASSERT(count && count[leave->bucket] > 0);
    count[leave->bucket]--;
    if (leave->is_mined)
        return;
    /* A period that has not ended may still have been met. */
    uint32_t ended = waited / stats->horizon->scale;
    for (uint32_t i = 0; i < ended && i < stats->horizon->periods; i++)
        *cell(stats, row_left(stats, i), leave->bucket) += 1;
}

void fee_stats_next_block(struct fee_stats *stats, int32_t height)
{
    uint32_t **oldest = waiting_at(stats, height);
    for (uint32_t i = 0; *oldest && i < FEE_BUCKETS; i++)
        stats->waiting_long[i] += (*oldest)[i];
    xfree(*oldest);
    *oldest = NULL;
    uint32_t n = n_rows(stats);
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        for (uint32_t j = 0; stats->averages[i] && j < n; j++)
            stats->averages[i][j] *= stats->horizon->decay;
}

static uint32_t periods_of(const struct fee_stats *stats, uint32_t blocks)
{
    return (blocks + stats->horizon->scale - 1) / stats->horizon->scale;
}

void fee_stats_mined(struct fee_stats *stats, uint32_t waited_blocks, uint32_t bucket, double rate)
{
    ASSERT(waited_blocks > 0 && bucket < FEE_BUCKETS);
    for (uint32_t i = periods_of(stats, waited_blocks) - 1; i < stats->horizon->periods; i++)
        *cell(stats, row_within(stats, i), bucket) += 1;
    *cell(stats, ROW_MINED, bucket) += 1;
    *cell(stats, ROW_RATES, bucket) += rate;
}

/* -- Asking ------------------------------------------------------------------------------------ */

/* Buckets looked at together, since each alone may have too few transactions. Counts are decayed,
 * but for waiting. */
struct group {
    uint32_t top, low;
    bool is_empty;
    /* Mined within the target, mined at all, left unmined after it, waiting for longer than it. */
    double within, mined, left, waiting;
    double mined_unjudged; /* of mined, since it was last judged */
};

/* One bucket more, from above. Who has not waited as long as the target yet is no failure, and
 * counts for nothing. */
static void group_take(struct group *group, const struct fee_stats *stats,
                       const struct fee_question *question, uint32_t bucket)
{
    uint32_t period = periods_of(stats, question->target_blocks) - 1;
    double mined = average(stats, ROW_MINED, bucket);
    if (group->is_empty)
        group->top = bucket;
    group->is_empty = false;
    group->low = bucket;
    group->within += average(stats, row_within(stats, period), bucket);
    group->left += average(stats, row_left(stats, period), bucket);
    group->mined += mined;
    group->mined_unjudged += mined;
    for (uint32_t ago = question->target_blocks; ago < fee_stats_blocks(stats); ago++) {
        const uint32_t *row = *waiting_at(stats, question->tip - (int32_t)ago);
        group->waiting += row ? row[bucket] : 0;
    }
    group->waiting += stats->waiting_long[bucket];
}

static struct fee_range range_of(const struct fee_stats *stats, const struct group *group)
{
    return (struct fee_range){
        .start = group->low > 0 ? stats->buckets->top[group->low - 1] : 0,
        .end = stats->buckets->top[group->top],
        .within_target = group->within,
        .confirmed = group->mined,
        .in_mempool = group->waiting,
        .left_mempool = group->left,
    };
}

/* The mean rate of those mined in a bucket: of the bucket, whatever a file said of their sum. */
static double mean_rate(const struct fee_stats *stats, uint32_t bucket)
{
    double mean = average(stats, ROW_RATES, bucket) / average(stats, ROW_MINED, bucket);
    double bottom = bucket > 0 ? stats->buckets->top[bucket - 1] : 0;
    return fmax(bottom, fmin(mean, fmin(stats->buckets->top[bucket], RATE_MAX)));
}

/* The mean rate of the bucket that holds the median of those mined. */
static double median_rate(const struct fee_stats *stats, const struct group *group)
{
    double half = 0;
    for (uint32_t i = group->low; i <= group->top; i++)
        half += average(stats, ROW_MINED, i) / 2;
    for (uint32_t i = group->low; half > 0 && i <= group->top; i++) {
        double mined = average(stats, ROW_MINED, i);
        if (mined >= half)
            return mean_rate(stats, i);
        half -= mined;
    }
    return -1;
}

struct fee_answer fee_stats_ask(const struct fee_stats *stats, const struct fee_question *question)
{
    ASSERT(question->target_blocks > 0 && question->target_blocks <= fee_stats_blocks(stats));
    const struct group fresh = {.is_empty = true};
    const struct fee_range no_range = {.start = -1};
    struct fee_answer answer = {.rate = -1, .pass = no_range, .fail = no_range};
    struct group group = fresh, best = fresh;
    /* Mined in one block by the average; what is remembered sums up to 1 / (1 - decay) blocks. */
    double enough = question->sufficient / (1 - stats->horizon->decay);
    bool has_failed = false;
    for (uint32_t bucket = FEE_BUCKETS; bucket-- > 0;) {
        group_take(&group, stats, question, bucket);
        if (group.mined_unjudged < enough)
            continue;
        group.mined_unjudged = 0;
        double all = group.mined + group.left + group.waiting;
        if (group.within / all >= question->threshold) {
            answer.pass = range_of(stats, &group);
            answer.fail = no_range;
            has_failed = false;
            best = group;
            group = fresh;
        } else if (!has_failed) {
            answer.fail = range_of(stats, &group);
            has_failed = true;
        }
    }
    if (!best.is_empty)
        answer.rate = median_rate(stats, &best);
    if (!has_failed && !group.is_empty) /* too few to judge is not good enough */
        answer.fail = range_of(stats, &group);
    return answer;
}

/* -- The file ---------------------------------------------------------------------------------- */

static void write_double(struct writer *w, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    write_u64(w, bits);
}

static double read_double(struct reader *r)
{
    double value;
    uint64_t bits = read_u64(r);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* In one piece: a file has 40,000 numbers. */
static void write_row(struct writer *w, const double *values)
{
    uint8_t bytes[8 * FEE_BUCKETS];
    struct writer row = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(w, FEE_BUCKETS);
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        write_double(&row, values[i]);
    write_bytes(w, bytes, row.len);
}

/* No count is below 0 or beyond all bounds, whoever wrote it. */
static bool read_row(struct reader *r, double *values)
{
    bool is_good = read_compact_size(r) == FEE_BUCKETS;
    for (uint32_t i = 0; is_good && i < FEE_BUCKETS; i++) {
        values[i] = read_double(r);
        is_good = values[i] >= 0 && values[i] <= FEE_ENDLESS_RATE; /* not so if it is no number */
    }
    return is_good && !r->failed;
}

/* Of each bucket no more than of the same bucket of another row: both fade alike. */
static bool is_within(const struct fee_stats *stats, uint32_t less, uint32_t more)
{
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        if (average(stats, less, i) > average(stats, more, i))
            return false;
    return true;
}

/* Who was mined within a period was mined within longer ones, and who left after one had waited for
 * shorter ones. */
static bool is_consistent(const struct fee_stats *stats)
{
    uint32_t last = stats->horizon->periods - 1;
    for (uint32_t i = 0; i < last; i++)
        if (!is_within(stats, row_within(stats, i), row_within(stats, i + 1)) ||
            !is_within(stats, row_left(stats, i + 1), row_left(stats, i)))
            return false;
    return is_within(stats, row_within(stats, last), ROW_MINED);
}

void fee_buckets_encode(const struct fee_buckets *buckets, struct writer *w)
{
    write_row(w, buckets->top);
}

bool fee_buckets_match(const struct fee_buckets *buckets, struct reader *r)
{
    struct fee_buckets theirs;
    return read_row(r, theirs.top) && memcmp(theirs.top, buckets->top, sizeof theirs.top) == 0;
}

static void write_average(const struct fee_stats *stats, uint32_t row, struct writer *w)
{
    double values[FEE_BUCKETS];
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        values[i] = average(stats, row, i);
    write_row(w, values);
}

static bool read_average(struct fee_stats *stats, uint32_t row, struct reader *r)
{
    double values[FEE_BUCKETS];
    if (!read_row(r, values))
        return false;
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        if (values[i] != 0 || stats->averages[i])
            *cell(stats, row, i) = values[i];
    return true;
}

void fee_stats_encode(const struct fee_stats *stats, struct writer *w)
{
    uint32_t periods = stats->horizon->periods;
    write_double(w, stats->horizon->decay);
    write_u32(w, stats->horizon->scale);
    write_average(stats, ROW_RATES, w);
    write_average(stats, ROW_MINED, w);
    write_compact_size(w, periods);
    for (uint32_t i = 0; i < periods; i++)
        write_average(stats, row_within(stats, i), w);
    write_compact_size(w, periods);
    for (uint32_t i = 0; i < periods; i++)
        write_average(stats, row_left(stats, i), w);
}

bool fee_stats_decode(struct fee_stats *stats, struct reader *r)
{
    uint32_t periods = stats->horizon->periods;
    uint64_t decay_bits;
    memcpy(&decay_bits, &stats->horizon->decay, sizeof decay_bits);
    bool is_good = read_u64(r) == decay_bits && read_u32(r) == stats->horizon->scale &&
                   read_average(stats, ROW_RATES, r) && read_average(stats, ROW_MINED, r) &&
                   read_compact_size(r) == periods;
    for (uint32_t i = 0; is_good && i < periods; i++)
        is_good = read_average(stats, row_within(stats, i), r);
    is_good = is_good && read_compact_size(r) == periods;
    for (uint32_t i = 0; is_good && i < periods; i++)
        is_good = read_average(stats, row_left(stats, i), r);
    return is_good && is_consistent(stats);
}
