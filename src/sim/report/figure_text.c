/* figure_text.c - see figure_text.h */
#include "sim/report/figure_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "util/assert.h"

static void add_grouped(struct buffer *out, double value)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%.0f", value);
    for (int i = 0; i < len; i++) {
        buffer_append(out, &digits[i], 1);
        if (digits[i] != '-' && i < len - 1 && (len - 1 - i) % 3 == 0)
            buffer_append_string(out, ",");
    }
}

/* Three digits that count. */
static void add_three(struct buffer *out, double value)
{
    double size = fabs(value);
    buffer_append_format(out, size < 9.995 ? "%.2f" : size < 99.95 ? "%.1f" : "%.0f", value);
}

static void add_count(struct buffer *out, double value)
{
    if (fabs(value) < 100 && fabs(value - round(value)) > 1e-9)
        buffer_append_format(out, "%.1f", value);
    else
        add_grouped(out, value);
}

static void add_bytes(struct buffer *out, double value)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    while (fabs(value) >= 999.5 && unit + 1 < COUNT_OF(units)) {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        buffer_append_format(out, "%.0f", value);
    else
        add_three(out, value);
    buffer_append_format(out, " %s", units[unit]);
}

/* Two units at most, the smaller one left out where it is nothing. */
static void add_long_time(struct buffer *out, int64_t seconds)
{
    static const struct {
        int64_t large_s, small_s;
        const char *large, *small;
    } units[] = {{86400, 3600, "d", "h"}, {3600, 60, "h", "min"}, {60, 1, "min", "s"}};
    size_t i = seconds >= 86400 ? 0 : seconds >= 3600 ? 1 : 2;
    int64_t rest = seconds % units[i].large_s / units[i].small_s;
    buffer_append_format(out, "%" PRId64 " %s", seconds / units[i].large_s, units[i].large);
    if (rest > 0)
        buffer_append_format(out, " %" PRId64 " %s", rest, units[i].small);
}

static void add_seconds(struct buffer *out, double value)
{
    if (value < 0)
        buffer_append_string(out, "-");
    double size = fabs(value);
    if (size >= 119.5) {
        add_long_time(out, (int64_t)(size + 0.5));
        return;
    }
    bool is_short = size < 0.9995;
    if (is_short)
        buffer_append_format(out, size < 0.00995 ? "%.1f ms" : "%.0f ms", size * 1000);
    else
        add_three(out, size);
    if (!is_short)
        buffer_append_string(out, " s");
}

void figure_text(struct buffer *out, enum figure_kind kind, double value)
{
    ASSERT(out && isfinite(value));
    switch (kind) {
    case FIGURE_COUNT:
        add_count(out, value);
        break;
    case FIGURE_PERCENT:
        buffer_append_format(out, fabs(value) >= 99.95 ? "%.0f" : "%.1f", value);
        buffer_append_string(out, " %");
        break;
    case FIGURE_SECONDS:
        add_seconds(out, value);
        break;
    case FIGURE_BYTES:
        add_bytes(out, value);
        break;
    case FIGURE_FLAG:
        buffer_append_string(out, value != 0 ? "yes" : "no");
        break;
    }
}
