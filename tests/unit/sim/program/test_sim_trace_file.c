/* test_sim_trace_file.c - traces from files, whole and not. */
#include "sim/program/sim_trace_file.h"

#include <unistd.h>

#include "support/unit.h"

static struct run *load_text(const char *text)
{
    char path[] = P_tmpdir "/cairn_trace_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(sim_file_write(path, span_of_string(text)));
    struct run *run = sim_trace_load(path);
    unlink(path);
    return run;
}

TEST(a_file_is_read_or_refused_as_a_whole)
{
    struct run *run = load_text("{\"t\":0,\"ev\":\"run\",\"format\":1,\"nodes\":2}\n");
    assert_non_null(run);
    assert_int_equal(run->nodes.n, 2);
    run_free(run);
    assert_null(load_text("{\"t\":0,\"ev\":\"run\",\"format\":9,\"nodes\":2}\n"));
    assert_null(load_text("\n"));
}

TEST(files_that_cannot_be_there_are_told)
{
    assert_null(sim_trace_load("no/such/file"));
    assert_false(sim_file_write("no/such/file", span_of_string("x")));
}
