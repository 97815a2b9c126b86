/* test_study_trace.c - lines of JSON, and the hash of all of them. */
#include "sim/study/study_trace.h"
#include "support/unit.h"

static void add(void *ctx, const char *line, size_t len)
{
    buffer_append(ctx, line, len);
}

TEST(a_line_has_time_event_and_members)
{
    struct buffer lines;
    struct study_trace trace;
    char empty[HEX_ID_BYTES], full[HEX_ID_BYTES];
    buffer_init(&lines);
    study_trace_init(&trace, add, &lines);
    trace.begin_us = 1000000;
    study_trace_hash(&trace, empty);
    study_trace_line(&trace, 3500000, "up", ",\"node\":%d", 7);
    study_trace_line(&trace, 0, "heal", "%s", "");
    buffer_append(&lines, "", 1);
    assert_string_equal((const char *)lines.p, "{\"t\":2.500000,\"ev\":\"up\",\"node\":7}\n"
                                               "{\"t\":0.000000,\"ev\":\"heal\"}\n");
    study_trace_hash(&trace, full);
    assert_string_not_equal(empty, full);
    study_trace_deinit(&trace);
    buffer_deinit(&lines);
}
