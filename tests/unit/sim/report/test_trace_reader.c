/* test_trace_reader.c - damage is told with its line, a cut trace is read as far as it goes. */
#include "sim/report/trace_reader.h"
#include "support/sim_trace.h"
#include "support/unit.h"

static char *error_of_text(const char *text)
{
    struct buffer trace;
    buffer_init(&trace);
    buffer_append_string(&trace, text);
    return sim_trace_error(&trace);
}

#define RUN "{\"t\":0,\"ev\":\"run\",\"format\":1,\"nodes\":2}\n"

/* clang-format off */
static const struct { const char *text, *want; } damaged[] = {
    {"", "empty"},
    {"{\"t\":0,\"ev\":\"tip\"}\n", "line 1: the first event"},
    {"hello\n", "line 1: this is no JSON"},
    {"[]\n", "line 1: \"ev\""},
    {"{\"t\":0,\"ev\":\"run\",\"format\":2,\"nodes\":2}\n", "line 1: the trace has format 2"},
    {RUN "\n", "line 2: this is no JSON"},
    {RUN "{\"t\":1,\"ev\":\"heal\"}\n{\"t\":1,\"ev\":\"he\n", "line 3: this is no JSON"},
    {RUN "{\"ev\":\"heal\"}\n", "line 2: \"t\""},
};
/* clang-format on */

TEST(damage_is_told_with_its_line)
{
    for (size_t i = 0; i < COUNT_OF(damaged); i++) {
        char *error = error_of_text(damaged[i].text);
        if (!error || !strstr(error, damaged[i].want))
            fail_msg("row %zu: %s", i, error ? error : "taken");
        xfree(error);
    }
}

TEST(a_trace_that_was_cut_is_read_as_far_as_it_goes)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_mined(&trace, 1, 0, 1, (unsigned[]){1, 0});
    buffer_append_string(&trace, "{\"t\":2.0,\"ev\":\"ti");
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    assert_false(run->has_ended);
    assert_int_equal(run->blocks.n, 1);
    run_free(run);
}

TEST(a_changed_trace_does_not_pass)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_add(&trace, 5, "heal", "%s", "");
    sim_trace_end(&trace, 6);
    char *five = strstr((char *)trace.p, "5.0");
    assert_non_null(five);
    *five = '4';
    char *error = sim_trace_error(&trace);
    assert_non_null(error);
    assert_non_null(strstr(error, "line 3: the hash"));
    xfree(error);
}

TEST(nothing_comes_behind_the_end)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_end(&trace, 6);
    sim_trace_add(&trace, 6, "heal", "%s", "");
    char *error = sim_trace_error(&trace);
    assert_non_null(error);
    assert_non_null(strstr(error, "line 3: something comes behind"));
    xfree(error);
}

/* Feed a first line of so many bytes. */
static bool takes_line(size_t len)
{
    struct run *run = run_new();
    struct trace_reader reader;
    trace_reader_init(&reader, run);
    struct buffer line;
    buffer_init(&line);
    buffer_append_string(&line, RUN);
    line.len--;
    memset(buffer_reserve(&line, len), ' ', len);
    line.len = len;
    buffer_append_string(&line, "\n");
    bool ok = trace_reader_feed(&reader, buffer_span(&line));
    assert_true(ok || strstr(reader.error, "line 1: longer than"));
    buffer_deinit(&line);
    trace_reader_deinit(&reader);
    run_free(run);
    return ok;
}

TEST(a_line_has_a_limit)
{
    assert_true(takes_line(TRACE_LINE_BYTES_MAX));
    assert_false(takes_line(TRACE_LINE_BYTES_MAX + 1));
}
