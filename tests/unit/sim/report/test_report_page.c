/* test_report_page.c - pages are whole, the same each time, and need nothing from elsewhere.
 * tests/functional/test_sim_report.py reads them with a parser. */
#include "sim/report/report_page.h"
#include "support/sim_trace.h"
#include "support/unit.h"

static char *page_of(unsigned seed, unsigned other)
{
    struct run *a = sim_trace_sample(seed), *b = other ? sim_trace_sample(other) : NULL;
    struct buffer out;
    buffer_init(&out);
    if (b)
        report_page_of_two(a, b, &out);
    else
        report_page(a, &out);
    buffer_append(&out, "", 1);
    run_free(a);
    run_free(b);
    return (char *)out.p;
}

TEST(a_page_has_everything_in_it)
{
    static const char *const words[] = {"<h1>by hand</h1>",
                                        "How fast blocks spread",
                                        "Stale rate",
                                        "Traffic",
                                        "The mesh",
                                        "All figures",
                                        "Parameters",
                                        "interval_s",
                                        "are partitions",
                                        "acts of attackers",
                                        "<summary>The numbers",
                                        "</html>\n"};
    char *page = page_of(1, 0);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (!strstr(page, words[i]))
            fail_msg("no %s", words[i]);
    assert_null(strstr(page, "http"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "nan"));
    xfree(page);
}

TEST(the_same_trace_is_the_same_page)
{
    char *page = page_of(1, 0), *again = page_of(1, 0);
    assert_string_equal(page, again);
    xfree(page);
    xfree(again);
}

TEST(two_runs_stand_side_by_side_with_their_differences)
{
    char *page = page_of(1, 9);
    assert_non_null(strstr(page, "<h1>Two runs</h1>"));
    assert_non_null(strstr(page, "difference"));
    assert_non_null(strstr(page, "<td>same</td>"));
    assert_non_null(strstr(page, "The mesh of B"));
    xfree(page);
}

TEST(a_run_that_was_cut_off_says_so)
{
    struct buffer trace, out;
    sim_trace_begin(&trace, 0);
    struct run *run = sim_trace_read(&trace);
    buffer_init(&out);
    report_page(run, &out);
    buffer_append(&out, "", 1);
    assert_non_null(strstr((char *)out.p, "cut off"));
    assert_null(strstr((char *)out.p, "The mesh"));
    buffer_deinit(&out);
    run_free(run);
}

TEST(pictures_are_files_too)
{
    struct run *run = sim_trace_sample(1);
    size_t n = 0;
    for (size_t i = 0; i < report_pictures_count(); i++) {
        struct buffer out;
        buffer_init(&out);
        const char *name = report_picture(run, i, &out);
        assert_true(name ? out.len > 100 : out.len == 0);
        n += name != NULL;
        buffer_deinit(&out);
    }
    assert_int_equal(n, report_pictures_count() - 1); /* no node went down */
    run_free(run);
}
