/* test_chart_axis.c - ticks at round numbers, values at their places. */
#include "sim/report/chart_axis.h"

#include <math.h>

#include "support/unit.h"

/* clang-format off */
static const struct { struct chart_axis axis; size_t n; const char *want; } cases[] = {
    {{.kind = FIGURE_COUNT, .to = 37}, 6, "0 10 20 30 40 "},
    {{.kind = FIGURE_COUNT, .to = 1}, 6, "0 1 "},
    {{.kind = FIGURE_COUNT}, 6, "0 1 "},
    {{.kind = FIGURE_COUNT, .to = 12345}, 6, "0 5,000 10,000 15,000 "},
    {{.kind = FIGURE_SECONDS, .to = 3600}, 6, "0 15 min 30 min 45 min 60 min "},
    {{.kind = FIGURE_SECONDS, .to = 86400}, 6, "0 6 h 12 h 18 h 24 h "},
    {{.kind = FIGURE_SECONDS, .to = 90}, 6, "0 30 s 60 s 90 s "},
    {{.kind = FIGURE_SECONDS, .from = 0.2, .to = 30, .is_log = true}, 6, "1 s 10 s "},
    {{.kind = FIGURE_SECONDS, .from = 1, .to = 2, .is_log = true}, 6, "0.5 s 1 s 2 s "},
    {{.kind = FIGURE_PERCENT, .from = 97, .to = 100, .is_free = true}, 6, "97 % 98 % 99 % 100 % "},
    {{.kind = FIGURE_PERCENT, .from = 100, .to = 100, .is_free = true}, 3, "99 % 99.5 % 100 % "},
    {{.kind = FIGURE_PERCENT, .to = 100}, 6, "0 % 20 % 40 % 60 % 80 % 100 % "},
    {{.kind = FIGURE_BYTES, .to = 3900}, 6, "0 1 kB 2 kB 3 kB 4 kB "},
    {{.kind = FIGURE_BYTES, .to = 900}, 6, "0 200 B 400 B 600 B 800 B 1000 B "},
};
/* clang-format on */

TEST(ticks_are_round_and_have_units)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scale scale = scale_of(&cases[i].axis, 0, 1000);
        double ticks[AXIS_TICKS_MAX];
        size_t n = scale_ticks(&scale, cases[i].axis.kind, cases[i].n, ticks);
        struct buffer text;
        buffer_init(&text);
        for (size_t j = 0; j < n; j++) {
            axis_text(&text, cases[i].axis.kind, ticks[j], cases[i].axis.to);
            buffer_append_string(&text, " ");
        }
        buffer_append(&text, "", 1);
        if (strcmp((const char *)text.p, cases[i].want) != 0)
            fail_msg("row %zu: %s", i, (const char *)text.p);
        buffer_deinit(&text);
    }
}

TEST(a_value_beyond_the_ends_is_at_the_end)
{
    struct chart_axis axis = {.kind = FIGURE_COUNT, .to = 10};
    struct scale scale = scale_of(&axis, 1000, 0);
    assert_int_equal(scale_at(&scale, 0), 1000);
    assert_int_equal(scale_at(&scale, 2.5), 750);
    assert_int_equal(scale_at(&scale, 99), 0);
    assert_int_equal(scale_at(&scale, -1), 1000);
}

TEST(powers_are_equally_far_apart)
{
    struct chart_axis axis = {.kind = FIGURE_SECONDS, .from = 0.01, .to = 100, .is_log = true};
    struct scale scale = scale_of(&axis, 0, 1000);
    int step = scale_at(&scale, 1) - scale_at(&scale, 0.1);
    assert_in_range(scale_at(&scale, 10) - scale_at(&scale, 1), step - 1, step + 1);
    double ticks[AXIS_TICKS_MAX];
    assert_int_equal(scale_ticks(&scale, FIGURE_SECONDS, 6, ticks), 5);
    assert_int_equal(scale_ticks(&scale, FIGURE_SECONDS, 3, ticks), 2);
}
