/* test_figure_text.c - numbers as people read them. */
#include "sim/report/figure_text.h"
#include "support/unit.h"
#include "util/assert.h"

/* clang-format off */
static const struct { enum figure_kind kind; double value; const char *want; } cases[] = {
    {FIGURE_COUNT, 0, "0"},
    {FIGURE_COUNT, 999, "999"},
    {FIGURE_COUNT, 1000, "1,000"},
    {FIGURE_COUNT, -1234567, "-1,234,567"},
    {FIGURE_COUNT, 2.25, "2.2"},
    {FIGURE_COUNT, 123.4, "123"},
    {FIGURE_PERCENT, 2.34, "2.3 %"},
    {FIGURE_PERCENT, 100, "100 %"},
    {FIGURE_PERCENT, 99.9, "99.9 %"},
    {FIGURE_SECONDS, 0, "0.0 ms"},
    {FIGURE_SECONDS, 0.0034, "3.4 ms"},
    {FIGURE_SECONDS, 0.482, "482 ms"},
    {FIGURE_SECONDS, 0.9994, "999 ms"},
    {FIGURE_SECONDS, 0.9996, "1.00 s"},
    {FIGURE_SECONDS, 9.994, "9.99 s"},
    {FIGURE_SECONDS, 9.996, "10.0 s"},
    {FIGURE_SECONDS, 119.4, "119 s"},
    {FIGURE_SECONDS, 125, "2 min 5 s"},
    {FIGURE_SECONDS, 3600, "1 h"},
    {FIGURE_SECONDS, -7260, "-2 h 1 min"},
    {FIGURE_SECONDS, 90000, "1 d 1 h"},
    {FIGURE_BYTES, 0, "0 B"},
    {FIGURE_BYTES, 999, "999 B"},
    {FIGURE_BYTES, 999.6, "1.00 kB"},
    {FIGURE_BYTES, 12345678, "12.3 MB"},
    {FIGURE_FLAG, 1, "yes"},
    {FIGURE_FLAG, 0, "no"},
};
/* clang-format on */

TEST(each_kind_is_written_its_way)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out;
        buffer_init(&out);
        figure_text(&out, cases[i].kind, cases[i].value);
        buffer_append(&out, "", 1);
        assert_string_equal((const char *)out.p, cases[i].want);
        buffer_deinit(&out);
    }
}
