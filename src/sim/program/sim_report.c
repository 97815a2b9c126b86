/* sim_report.c - see sim_report.h */
#include "sim/program/sim_report.h"

#include <stdio.h>

#include "sim/program/sim_trace_file.h"
#include "sim/report/figures.h"

static int print_usage(void)
{
    fputs("cairn-sim report TRACE - the figures of a run from its trace (-: standard input)\n",
          stdout);
    return 0;
}

static void print_figures(const struct run *run)
{
    struct figures figures;
    struct buffer text;
    buffer_init(&text);
    figures_of_run(run, &figures);
    buffer_append_format(&text, "%s, seed %lld\n\n", run->name, (long long)run->seed);
    figures_print(&figures, &text);
    fwrite(text.p, 1, text.len, stdout);
    buffer_deinit(&text);
    figures_free(&figures);
}

int sim_report_command(int argc, char **argv)
{
    ASSERT(argc > 0 && argv);
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return print_usage();
    if (argc != 2) {
        fputs("cairn-sim: report takes one trace; see cairn-sim report --help\n", stderr);
        return 2;
    }
    struct run *run = sim_trace_load(argv[1]);
    if (!run)
        return 1;
    print_figures(run);
    run_free(run);
    return 0;
}
