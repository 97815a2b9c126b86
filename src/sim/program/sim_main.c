/* sim_main.c - see sim_main.h */
#include "sim/program/sim_main.h"

#include <stdio.h>
#include <string.h>

#include "sim/program/sim_replay.h"
#include "sim/program/sim_report.h"
#include "sim/program/sim_run.h"
#include "util/array.h"
#include "util/assert.h"

struct command {
    const char *name, *help;
    /* argv[0] is the command's name. */
    int (*run)(int argc, char **argv, const struct sim_outside *outside);
};

static int report(int argc, char **argv, const struct sim_outside *unused)
{
    (void)unused;
    return sim_report_command(argc, argv);
}

static int compare(int argc, char **argv, const struct sim_outside *unused)
{
    (void)unused;
    return sim_compare_command(argc, argv);
}

/* clang-format off */
static const struct command commands[] = {
    {"run", "run a network (the default if options alone are given)", sim_run_command},
    {"report", "the figures and diagrams of a run from its trace", report},
    {"compare", "the figures of two runs side by side", compare},
    {"replay", "play captured messages to a node", sim_replay_command},
};
/* clang-format on */

static int print_usage(void)
{
    fputs("cairn-sim - networks of whole nodes in one process\n\n", stdout);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        printf("  %-8s  %s\n", commands[i].name, commands[i].help);
    fputs("\ncairn-sim COMMAND --help tells the options of one.\n", stdout);
    return 0;
}

int sim_main(int argc, char **argv, const struct sim_outside *outside)
{
    ASSERT(argc > 0 && argv && outside);
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_usage();
    if (argc == 1 || name[0] == '-')
        return sim_run_command(argc, argv, outside);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1, outside);
    fprintf(stderr, "cairn-sim: %s is no command; see --help\n", name);
    return 2;
}
