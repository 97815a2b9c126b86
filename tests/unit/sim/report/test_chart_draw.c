/* test_chart_draw.c - what is in the picture of a chart. */
#include "sim/report/chart_draw.h"

#include "support/unit.h"

/* Two lines that end at the same place, and dots. */
static void fill(struct chart *chart)
{
    *chart = (struct chart){.id = "id",
                            .title = "Title",
                            .caption = "Caption",
                            .x = {.label = "time", .kind = FIGURE_SECONDS, .to = 60},
                            .y = {.label = "things", .kind = FIGURE_COUNT}};
    struct series *a = chart_add(chart, SERIES_LINE, "first", 1, 1);
    struct series *b = chart_add(chart, SERIES_STEP, "second", 2, 2);
    for (int i = 0; i <= 60; i += 20) {
        series_add(a, i, 3, 0);
        series_add(b, i, 3, 0);
    }
    series_add(chart_add(chart, SERIES_DOTS, "third", 3, 2), 30, 2, 0);
    *ARRAY_ADD(&chart->marks) = (struct chart_mark){10, 20};
    *ARRAY_ADD(&chart->marks) = (struct chart_mark){25, 25};
    *ARRAY_ADD(&chart->notes) = (struct chart_note){30, 1, "note"};
    chart_fit(chart);
}

/* Where the baseline of a label is. */
static int y_of(const char *picture, const char *label)
{
    const char *end = strstr(picture, label), *y = NULL;
    assert_non_null(end);
    for (const char *at = picture; at < end; at++)
        if (strncmp(at, " y=\"", 4) == 0)
            y = at + 4;
    assert_non_null(y);
    return (int)strtol(y, NULL, 10);
}

TEST(lines_are_named_at_their_ends_apart_from_each_other)
{
    struct chart chart;
    struct buffer out;
    fill(&chart);
    buffer_init(&out);
    chart_draw(&chart, &out, NULL);
    buffer_append(&out, "", 1);
    const char *picture = (const char *)out.p;
    int apart = y_of(picture, ">first<") - y_of(picture, ">second<");
    assert_true(apart >= 14 || apart <= -14);
    assert_non_null(strstr(picture, ">things<"));
    assert_non_null(strstr(picture, ">60 s<"));
    assert_non_null(strstr(picture, ">note<"));
    assert_non_null(strstr(picture, "class=\"p\""));
    assert_non_null(strstr(picture, "class=\"k\""));
    assert_null(strstr(picture, "xmlns"));
    buffer_deinit(&out);
    chart_free(&chart);
}

TEST(a_file_of_its_own_has_style_and_title)
{
    struct chart chart;
    struct buffer out;
    fill(&chart);
    buffer_init(&out);
    chart_draw(&chart, &out, "svg{}");
    buffer_append(&out, "", 1);
    assert_non_null(strstr((const char *)out.p, "<style>svg{}</style>"));
    assert_non_null(strstr((const char *)out.p, "class=\"h\">Title</text>"));
    buffer_deinit(&out);
    chart_free(&chart);
}
