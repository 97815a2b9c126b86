/* test_sim_live_report.c - a trace that comes in pieces makes a page; a damaged one makes none. */
#include "sim/program/sim_live_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/unit.h"

static const char run_line[] =
    "{\"t\":0.000000,\"ev\":\"run\",\"format\":1,\"name\":\"n\",\"seed\":1,"
    "\"nodes\":2,\"seconds\":60,\"interval_s\":30,\"tx_per_s\":0,"
    "\"start_height\":1}\n";

TEST(pieces_make_a_page)
{
    char path[] = "/tmp/cairn-report-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    struct sim_live_report *report = sim_live_report_new();
    for (size_t i = 0; i + 1 < sizeof run_line; i++)
        sim_live_report_feed(report, span_of(run_line + i, 1));
    assert_true(sim_live_report_write(report, path));
    sim_live_report_free(report);
    assert_int_equal(truncate(path, 100), 0); /* it had more than that */
    assert_int_equal(unlink(path), 0);
}

TEST(damage_makes_none)
{
    struct sim_live_report *report = sim_live_report_new();
    sim_live_report_feed(report, span_of("not JSON\n", 9));
    sim_live_report_feed(report, span_of(run_line, sizeof run_line - 1));
    assert_false(sim_live_report_write(report, "/no/such/place"));
    sim_live_report_free(report);
    sim_live_report_free(NULL);
}
