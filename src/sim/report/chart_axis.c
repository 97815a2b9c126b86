/* chart_axis.c - see chart_axis.h */
#include "sim/report/chart_axis.h"

#include <math.h>

#define TICKS_WANTED 5

/* -- Steps --------------------------------------------------------------------------------------
 */

/* The smallest of 1, 2, 5 times a power of ten that is not below least. */
static double decimal_step(double least)
{
    double power = pow(10, floor(log10(least)));
    static const double factors[] = {1, 2, 5, 10};
    for (size_t i = 0; i < COUNT_OF(factors); i++)
        if (factors[i] * power >= least * (1 - 1e-9))
            return factors[i] * power;
    return 10 * power;
}

/* Of seconds: minutes and hours are counted otherwise than by tens. */
static double time_step(double least)
{
    static const double steps[] = {60,   120,   300,   600,   900,   1800,  3600,
                                   7200, 10800, 21600, 43200, 86400, 172800};
    if (least <= 30)
        return least <= 10 ? decimal_step(least) : least <= 15 ? 15 : 30;
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (steps[i] >= least)
            return steps[i];
    return 86400 * decimal_step(least / 86400);
}

static double step_of(enum figure_kind kind, double range, size_t n)
{
    double least = range / (double)n;
    double step = kind == FIGURE_SECONDS ? time_step(least) : decimal_step(least);
    return kind == FIGURE_COUNT ? fmax(step, 1) : step;
}

/* -- Scales -------------------------------------------------------------------------------------
 */

/* At least a decade, with a little room at both ends. */
static void widen_log(struct scale *scale)
{
    if (scale->from <= 0 || scale->to <= 0) {
        scale->from = 0.1;
        scale->to = 1;
    }
    scale->from /= 1.15;
    scale->to *= 1.15;
    double middle = sqrt(scale->from * scale->to);
    if (scale->to / scale->from < 10) {
        scale->from = middle / sqrt(10);
        scale->to = middle * sqrt(10);
    }
}

static void widen_linear(struct scale *scale, const struct chart_axis *axis)
{
    if (scale->to <= scale->from && axis->kind == FIGURE_PERCENT && scale->from >= 100)
        scale->from = 99; /* all of it, always */
    if (scale->to <= scale->from)
        scale->to = scale->from + fmax(1, fabs(scale->from) * 1e-6);
    if (axis->kind == FIGURE_SECONDS)
        return;
    double step = step_of(axis->kind, scale->to - scale->from, TICKS_WANTED);
    scale->from = step * floor(scale->from / step + 1e-9);
    scale->to = step * ceil(scale->to / step - 1e-9);
    if (axis->kind == FIGURE_PERCENT && scale->to > 100)
        scale->to = 100;
}

struct scale scale_of(const struct chart_axis *axis, int at_from, int at_to)
{
    ASSERT(axis && at_from != at_to);
    struct scale scale = {.from = axis->from,
                          .to = axis->to,
                          .at_from = at_from,
                          .at_to = at_to,
                          .is_log = axis->is_log};
    if (axis->is_log)
        widen_log(&scale);
    else
        widen_linear(&scale, axis);
    return scale;
}

int scale_at(const struct scale *scale, double value)
{
    ASSERT(scale && scale->to > scale->from);
    value = fmin(fmax(value, scale->from), scale->to);
    double share = scale->is_log ? log(value / scale->from) / log(scale->to / scale->from)
                                 : (value - scale->from) / (scale->to - scale->from);
    return scale->at_from + (int)lround(share * (scale->at_to - scale->at_from));
}

/* -- Ticks --------------------------------------------------------------------------------------
 */

/* Powers of ten, with 2 and 5 times them where there is room. */
static size_t log_ticks(const struct scale *scale, size_t n_max, double *ticks)
{
    double decades = log10(scale->to / scale->from);
    static const double factors[] = {1, 2, 5};
    size_t n_factors = decades * 3 <= (double)n_max ? 3 : 1, n = 0;
    double every = n_factors == 3 ? 1 : ceil(decades / (double)n_max);
    for (double power = floor(log10(scale->from)); power <= log10(scale->to); power += every)
        for (size_t i = 0; i < n_factors; i++) {
            double tick = factors[i] * pow(10, power);
            if (tick >= scale->from * 0.999 && tick <= scale->to * 1.001 && n < n_max)
                ticks[n++] = tick;
        }
    return n;
}

size_t scale_ticks(const struct scale *scale, enum figure_kind kind, size_t n_max, double *ticks)
{
    ASSERT(scale && ticks && n_max > 1);
    n_max = MIN_OF(n_max, (size_t)AXIS_TICKS_MAX);
    if (scale->is_log)
        return log_ticks(scale, n_max, ticks);
    double step = step_of(kind, scale->to - scale->from, n_max - 1);
    size_t n = 0;
    for (double i = ceil(scale->from / step - 1e-9); i * step <= scale->to + step * 1e-9; i++)
        if (n < n_max)
            ticks[n++] = i * step + 0.0; /* no -0 */
    return n;
}

/* -- Texts --------------------------------------------------------------------------------------
 */

/* One unit for a whole axis, that of its largest value. */
static void add_in_units(struct buffer *out, double value, double by, const char *unit)
{
    buffer_append_format(out, "%.4g %s", value / by, unit);
}

static void seconds_text(struct buffer *out, double value, double largest)
{
    if (largest >= 2 * 86400)
        add_in_units(out, value, 86400, "d");
    else if (largest >= 2 * 3600)
        add_in_units(out, value, 3600, "h");
    else if (largest >= 120)
        add_in_units(out, value, 60, "min");
    else if (largest >= 1)
        add_in_units(out, value, 1, "s");
    else
        add_in_units(out, value, 1e-3, "ms");
}

void axis_text(struct buffer *out, enum figure_kind kind, double value, double largest)
{
    ASSERT(out);
    if (value == 0 && kind != FIGURE_PERCENT) {
        buffer_append_string(out, "0");
    } else if (kind == FIGURE_SECONDS) {
        seconds_text(out, value, largest);
    } else if (kind == FIGURE_BYTES) {
        bool is_small = largest < 1000, is_large = largest >= 1e6;
        add_in_units(out, value,
                     is_small   ? 1
                     : is_large ? 1e6
                                : 1000,
                     is_small   ? "B"
                     : is_large ? "MB"
                                : "kB");
    } else if (kind == FIGURE_PERCENT) {
        add_in_units(out, value, 1, "%");
    } else {
        figure_text(out, FIGURE_COUNT, value);
    }
}
