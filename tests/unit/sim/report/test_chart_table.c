/* test_chart_table.c - the numbers of a chart as tables. */
#include "sim/report/chart_table.h"

#include <math.h>

#include "support/unit.h"

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    while ((text = strstr(text, word)) != NULL) {
        text++;
        n++;
    }
    return n;
}

TEST(series_of_the_same_times_share_a_table)
{
    struct chart chart = {.x = {.label = "time", .kind = FIGURE_SECONDS},
                          .y = {.label = "n", .kind = FIGURE_COUNT}};
    struct series *a = chart_add(&chart, SERIES_AREA, "a<b", 1, 1);
    struct series *b = chart_add(&chart, SERIES_LINE, "", 1, 1);
    struct series *other = chart_add(&chart, SERIES_LINE, "other", 1, 1);
    for (int i = 0; i < 1000; i++) {
        series_add(a, i, 7, 2); /* 5 of its own */
        series_add(b, i, NAN, 0);
    }
    series_add(other, 5, 1, 0);
    struct buffer out;
    buffer_init(&out);
    chart_table(&chart, &out);
    buffer_append(&out, "", 1);
    const char *text = (const char *)out.p;
    assert_int_equal(count(text, "<table>"), 2);
    assert_int_equal(count(text, "scope=\"row\""), 48 + 1);
    assert_non_null(strstr(text, ">a&lt;b</th><th scope=\"col\">n</th>"));
    assert_non_null(strstr(text, "<td>5</td><td>-</td></tr>"));
    buffer_deinit(&out);
    chart_free(&chart);
}
