/* sim_run.c - see sim_run.h */
#include "sim/program/sim_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "node/chain_file.h"
#include "sim/program/sim_capture_export.h"
#include "sim/program/sim_live_report.h"
#include "sim/study/scenario_read.h"
#include "sim/study/sim_study.h"
#include "util/buffer.h"
#include "util/parse.h"

#define FILE_BYTES_MAX (64 << 20)
#define PATH_BYTES     4096
#define THREADS_MAX    64

/* What is asked for beside the scenario. */
struct run {
    struct scenario scenario;
    struct network network; /* of scenario.chain */
    struct arena arena;     /* what it borrows */
    const char *trace_path; /* NULL: none */
    FILE *trace;
    const char *report_path; /* NULL: none */
    struct sim_live_report *report;
    const char *capture_dir; /* NULL: nothing is captured */
    bool capture_failed;
    int64_t n_threads; /* 0: one for each processor */
    const struct team *team;
};

/* NULL: regtest. */
static const struct network *chain_of(const struct run *run)
{
    return run->scenario.chain[0] ? &run->network : NULL;
}

static int print_usage(void)
{
    fputs(
        "cairn-sim run - a simulated network of whole nodes, and what it shows\n\n"
        "  --scenario=FILE  what to run, as JSON: doc/scenarios.md; options behind it count more\n"
        "  --chain=FILE     a chain file, as -chainfile of cairnd: whose rules hold\n"
        "  --trace=FILE     what happens, as lines of JSON; -: to standard output\n"
        "  --report=FILE    a page with diagrams; see cairn-sim report\n"
        "  --capture=DIR    every message that a node hears and says, for cairn-sim replay\n"
        "  --threads=N      threads that move the nodes (one for each processor); any number of\n"
        "                   them is the same run\n\n",
        stdout);
    for (size_t i = 0; i < SCENARIO_FIELDS; i++) {
        const struct scenario_row *row = &scenario_rows[i];
        char name[SCENARIO_NAME_BYTES];
        snprintf(name, sizeof name, "%s", row->name);
        for (char *c = name; *c; c++)
            *c = *c == '_' ? '-' : *c;
        printf("  --%s=%s  %s (", name, row->words ? "WORD" : "N", row->help);
        for (size_t k = 0; row->words && row->words[k]; k++)
            printf("%s%s", row->words[k], row->words[k + 1] ? ", " : "; ");
        if (row->words)
            printf("%s if left out)\n", row->words[row->value]);
        else
            printf("%" PRId64 ")\n", row->value);
    }
    return 0;
}

static int refuse(const char *error)
{
    fprintf(stderr, "cairn-sim: %s\n", error);
    return 2;
}

/* -- Options ----------------------------------------------------------------------------------- */

static bool read_whole(const char *path, struct buffer *text, char *error)
{
    FILE *file = fopen(path, "rb"); /* lint: the user's, not of a simulated machine */
    if (!file) {
        snprintf(error, SCENARIO_ERROR_BYTES, "%.200s: %s", path, strerror(errno));
        return false;
    }
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, file)) > 0 && text->len <= FILE_BYTES_MAX)
        buffer_append(text, part, n);
    bool is_good = !ferror(file) && text->len <= FILE_BYTES_MAX;
    fclose(file);
    if (!is_good)
        snprintf(error, SCENARIO_ERROR_BYTES, "%.200s: cannot be read, or is above %d bytes", path,
                 FILE_BYTES_MAX);
    return is_good;
}

static bool read_scenario_file(struct scenario *scenario, const char *path, char *error)
{
    struct buffer text;
    buffer_init(&text);
    bool is_good =
        read_whole(path, &text, error) && scenario_read(scenario, path, buffer_span(&text), error);
    buffer_deinit(&text);
    return is_good;
}

/* Blocks are as far apart as its rules want them, unless the scenario says otherwise. */
static bool take_chain(struct run *run, char *error)
{
    const char *path = run->scenario.chain;
    char *why = NULL;
    struct buffer text;
    buffer_init(&text);
    bool is_good = read_whole(path, &text, error);
    if (is_good && !chain_file_parse(buffer_span(&text), path, &run->arena, &run->network, &why)) {
        snprintf(error, SCENARIO_ERROR_BYTES, "%s", why);
        xfree(why);
        is_good = false;
    }
    buffer_deinit(&text);
    int64_t spacing_s = run->network.pow_target_spacing_s;
    if (is_good && !run->scenario.is_given[SCENARIO_INTERVAL_S])
        run->scenario.value[SCENARIO_INTERVAL_S] =
            MIN_OF(spacing_s, scenario_rows[SCENARIO_INTERVAL_S].max);
    return is_good && sim_study_can_run(&run->scenario, &run->network, error);
}

/* The value of an option of that name; NULL: it is another one. */
static const char *value_of(const char *arg, const char *name)
{
    size_t len = strlen(name);
    return strncmp(arg, name, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

static bool refuse_option(const char *arg, size_t len, char *error)
{
    const char *names[SCENARIO_FIELDS];
    char name[SCENARIO_NAME_BYTES] = "";
    for (size_t i = 0; i < SCENARIO_FIELDS; i++)
        names[i] = scenario_rows[i].name;
    if (strncmp(arg, "--", 2) == 0)
        snprintf(name, sizeof name, "%.*s", (int)len, arg + 2);
    const char *near = name[0] ? scenario_near(name, names, SCENARIO_FIELDS) : NULL;
    snprintf(error, SCENARIO_ERROR_BYTES, "%.100s is no option%s%s; see --help", arg,
             near ? "; is it --" : "", near ? near : "");
    return false;
}

static bool read_threads(struct run *run, const char *text, char *error)
{
    if (parse_int64(text, &run->n_threads) && run->n_threads >= 1 && run->n_threads <= THREADS_MAX)
        return true;
    snprintf(error, SCENARIO_ERROR_BYTES, "threads is \"%.40s\", but must be a number from 1 to %d",
             text, THREADS_MAX);
    return false;
}

static bool set_chain(struct run *run, const char *path, char *error)
{
    int n = snprintf(run->scenario.chain, SCENARIO_PATH_BYTES, "%s", path);
    if (n > 0 && n < SCENARIO_PATH_BYTES)
        return true;
    snprintf(error, SCENARIO_ERROR_BYTES, "chain must be a path of up to %d bytes",
             SCENARIO_PATH_BYTES - 1);
    return false;
}

static bool read_option(struct run *run, const char *arg, char *error)
{
    const char *path = value_of(arg, "--scenario"), *equals = strchr(arg, '=');
    if (path)
        return read_scenario_file(&run->scenario, path, error);
    path = value_of(arg, "--trace");
    if (path) {
        run->trace_path = path;
        return true;
    }
    path = value_of(arg, "--report");
    if (path) {
        run->report_path = path;
        return true;
    }
    path = value_of(arg, "--chain");
    if (path)
        return set_chain(run, path, error);
    path = value_of(arg, "--capture");
    if (path) {
        run->capture_dir = path;
        return true;
    }
    path = value_of(arg, "--threads");
    if (path)
        return read_threads(run, path, error);
    size_t len = strncmp(arg, "--", 2) == 0 && equals ? (size_t)(equals - arg) - 2 : 0;
    enum scenario_field field = len > 0 ? scenario_find(arg + 2, len) : SCENARIO_FIELDS;
    if (field == SCENARIO_FIELDS)
        return refuse_option(arg, len, error);
    return scenario_set(&run->scenario, field, equals + 1, error);
}

/* -- The summary ------------------------------------------------------------------------------- */

static void print_blocks(const struct sim_study_result *r)
{
    printf("blocks mined           %12" PRIu64 "\n", r->n_mined);
    printf("  stale                %12" PRIu64 "  (%.2f%%)\n", r->n_stale,
           r->n_mined ? 100.0 * (double)r->n_stale / (double)r->n_mined : 0.0);
    printf("  new height           %12d\n", r->height);
    printf("transactions sent      %12" PRIu64 "\n", r->n_accepted);
    printf("  mined                %12" PRIu64 "\n", r->n_txs);
    printf("  refused              %12" PRIu64 "\n", r->n_refused);
    printf("a block reaches others %12" PRIu64 "  times\n", r->n_samples);
    printf("  median               %12.3f s\n", (double)r->median_us / 1e6);
    printf("  90%%                  %12.3f s\n", (double)r->p90_us / 1e6);
    printf("  99%%                  %12.3f s\n", (double)r->p99_us / 1e6);
    printf("  last                 %12.3f s\n", (double)r->max_us / 1e6);
}

/* The processor's time and the memory are the machine's, not the run's: they differ each time. */
static void print_cost(const struct sim_study_result *r)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    if (r->verdicts_known + r->verdicts_made > 0)
        printf("scripts looked up      %12" PRIu64 "  of %" PRIu64
               " (--shared-cache=false: none)\n",
               r->verdicts_known, r->verdicts_known + r->verdicts_made);
    printf("processor time         %12.1f s\n", seconds);
    printf("memory, at most        %12ld  MB\n", usage.ru_maxrss / 1024);
}

static void print_result(const struct run *run, const struct sim_study_result *r)
{
    const struct scenario *s = &run->scenario;
    double minutes = (double)s->value[SCENARIO_MINUTES], nodes = (double)s->value[SCENARIO_NODES];
    printf("%" PRId64 " nodes, seed %" PRId64 ", %" PRId64 " minutes, a block every %" PRId64
           " s%s%s\n\n",
           s->value[SCENARIO_NODES], s->value[SCENARIO_SEED], s->value[SCENARIO_MINUTES],
           s->value[SCENARIO_INTERVAL_S], chain_of(run) ? ", on the chain " : "",
           chain_of(run) ? run->network.name : "");
    print_blocks(r);
    printf("traffic                %12" PRIu64 "  bytes\n", r->bytes);
    printf("  a node, a minute     %12.0f\n", (double)r->bytes / nodes / minutes);
    print_cost(r);
    printf("trace                  %s\n", r->trace_hash);
    printf("all agree in the end   %12s\n", r->has_agreed ? "yes" : "no");
}

/* -- The run ----------------------------------------------------------------------------------- */

static void write_line(void *ctx, const char *line, size_t len)
{
    const struct run *run = ctx;
    if (run->trace)
        fwrite(line, 1, len, run->trace);
    if (run->report)
        sim_live_report_feed(run->report, span_of(line, len));
}

/* A folder for each node that is on, and the blocks that all began with. */
static void write_captures(void *ctx, struct sim_world *world, size_t n_nodes, int32_t start_height)
{
    struct run *run = ctx;
    char path[PATH_BYTES];
    bool ok = sim_capture_make_dir(run->capture_dir);
    for (size_t i = 0; ok && i < n_nodes; i++) {
        snprintf(path, sizeof path, "%s/node%zu", run->capture_dir, i);
        ok = sim_world_state(world, i) != SIM_MACHINE_ON || sim_capture_export(world, i, path) >= 0;
    }
    snprintf(path, sizeof path, "%s/start.dat", run->capture_dir);
    for (size_t i = 0; ok && i < n_nodes; i++) {
        if (sim_world_state(world, i) != SIM_MACHINE_ON)
            continue;
        ok = sim_capture_export_blocks(world, i, start_height, path);
        break;
    }
    run->capture_failed = !ok;
}

/* What is written at the end must not fail after hours.
 *
 * Returns:  the path of what cannot be written, with errno; NULL: it can */
static const char *open_files(struct run *run)
{
    if (run->trace_path && strcmp(run->trace_path, "-") == 0)
        run->trace = stdout;
    else if (run->trace_path)
        run->trace = fopen(run->trace_path, "wb"); /* lint: as above */
    if (run->trace_path && !run->trace)
        return run->trace_path;
    FILE *report = run->report_path ? fopen(run->report_path, "ab") : NULL; /* lint: as above */
    if (report)
        fclose(report);
    return run->report_path && !report ? run->report_path : NULL;
}

static int run_scenario(struct run *run)
{
    char error[SCENARIO_ERROR_BYTES] = "";
    struct sim_study_result result;
    const char *bad_path = open_files(run);
    bool is_stdout = run->trace == stdout;
    if (bad_path) {
        snprintf(error, sizeof error, "%.200s: %s", bad_path, strerror(errno));
        return refuse(error);
    }
    if (run->capture_dir && !sim_capture_make_dir(run->capture_dir))
        return 2;
    int64_t *value = run->scenario.value;
    value[SCENARIO_LATENCY_MAX_MS] =
        MAX_OF(value[SCENARIO_LATENCY_MAX_MS], value[SCENARIO_LATENCY_MIN_MS]);
    run->report = run->report_path ? sim_live_report_new() : NULL;
    bool is_traced = run->trace || run->report;
    const struct sim_study_options options = {.scenario = &run->scenario,
                                              .trace = is_traced ? write_line : NULL,
                                              .captured = run->capture_dir ? write_captures : NULL,
                                              .team = run->team,
                                              .network = chain_of(run),
                                              .ctx = run};
    bool is_good = sim_study_run(&options, &result, error);
    bool is_written = !run->trace || !ferror(run->trace);
    if (run->trace && !is_stdout)
        is_written = fclose(run->trace) == 0 && is_written;
    if (!is_good)
        return refuse(error);
    if (run->capture_failed)
        return refuse("the captured messages could not be written");
    if (!is_stdout)
        print_result(run, &result);
    if (run->report && !sim_live_report_write(run->report, run->report_path))
        return 1;
    return is_written ? !result.has_agreed : refuse("the trace could not be written");
}

int sim_run_command(int argc, char **argv, const struct sim_outside *outside)
{
    ASSERT(argc > 0 && argv && outside);
    struct run run = {.trace = NULL};
    char error[SCENARIO_ERROR_BYTES];
    int status = -1;
    scenario_init(&run.scenario);
    arena_init(&run.arena, 4096);
    for (int i = 1; i < argc && status < 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            status = print_usage();
        else if (!read_option(&run, argv[i], error))
            status = refuse(error);
    }
    if (status < 0 && run.scenario.chain[0] && !take_chain(&run, error))
        status = refuse(error);
    if (status < 0 && outside->open_team)
        run.team = outside->open_team(outside->ctx, (size_t)run.n_threads);
    if (status < 0)
        status = run_scenario(&run);
    sim_live_report_free(run.report);
    scenario_deinit(&run.scenario);
    arena_deinit(&run.arena);
    return status;
}
