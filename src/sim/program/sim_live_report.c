/* sim_live_report.c - see sim_live_report.h */
#include "sim/program/sim_live_report.h"

#include <stdio.h>

#include "sim/program/sim_report.h"
#include "sim/report/trace_reader.h"
#include "util/alloc.h"

struct sim_live_report {
    struct run *run;
    struct trace_reader reader;
    bool is_broken; /* a line could not be read: reader.error */
};

struct sim_live_report *sim_live_report_new(void)
{
    struct sim_live_report *report = xcalloc(1, sizeof *report);
    report->run = run_new();
    trace_reader_init(&report->reader, report->run);
    return report;
}

void sim_live_report_feed(struct sim_live_report *report, struct span bytes)
{
    ASSERT(report);
    report->is_broken = report->is_broken || !trace_reader_feed(&report->reader, bytes);
}

bool sim_live_report_write(struct sim_live_report *report, const char *path)
{
    ASSERT(report && path);
    if (report->is_broken || !trace_reader_finish(&report->reader)) {
        fprintf(stderr, "cairn-sim: the report cannot be made: %s\n", report->reader.error);
        return false;
    }
    return sim_report_write_page(report->run, NULL, path);
}

void sim_live_report_free(struct sim_live_report *report)
{
    if (!report)
        return;
    trace_reader_deinit(&report->reader);
    run_free(report->run);
    xfree(report);
}
