/* sim_run.c - see sim_run.h */
#include "sim/program/sim_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/study/sim_study.h"
#include "util/parse.h"

/* All are numbers, given as --name=value; no file is read, so that the command line is the run. */
struct option {
    const char *name, *help;
    int64_t value, min, max; /* both limits are allowed */
};

enum {
    NODES,
    SEED,
    MINUTES,
    INTERVAL,
    TXS,
    LATENCY_MIN,
    LATENCY_MAX,
    JITTER,
    LOSS,
    RATE,
    N_OPTIONS
};

/* clang-format off */
static const struct option defaults[N_OPTIONS] = {
    [NODES] = {"nodes", "nodes", 20, 2, 10000},
    [SEED] = {"seed", "the same seed is the same run", 1, 0, INT64_MAX},
    [MINUTES] = {"minutes", "virtual minutes", 60, 1, 1000000},
    [INTERVAL] = {"interval", "seconds between two blocks, on average", 60, 1, 1000000},
    [TXS] = {"txs", "transactions a minute", 10, 0, 600},
    [LATENCY_MIN] = {"latency-min", "milliseconds one way, of the nearest pair", 5, 0, 60000},
    [LATENCY_MAX] = {"latency-max", "milliseconds one way, of the farthest pair", 150, 0, 60000},
    [JITTER] = {"jitter", "milliseconds on top, at random", 5, 0, 60000},
    [LOSS] = {"loss", "segments lost of a million", 1000, 0, 500000},
    [RATE] = {"rate", "kilobytes a second of a stream; 0: no limit", 1000, 0, 10000000},
};
/* clang-format on */

static int usage(void)
{
    fputs("cairn-sim run - a simulated network of whole nodes, and what it shows\n\n", stdout);
    for (size_t i = 0; i < N_OPTIONS; i++)
        printf("  --%s=N  %s (%" PRId64 ")\n", defaults[i].name, defaults[i].help,
               defaults[i].value);
    return 0;
}

/* Read "--name=value"; false if it is none of the options or out of their limits. */
static bool read_option(struct option *options, const char *arg)
{
    const char *equals = strchr(arg, '=');
    if (strncmp(arg, "--", 2) != 0 || !equals)
        return false;
    size_t len = (size_t)(equals - arg) - 2;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (strlen(options[i].name) != len || strncmp(arg + 2, options[i].name, len) != 0)
            continue;
        return parse_int64(equals + 1, &options[i].value) && options[i].value >= options[i].min &&
               options[i].value <= options[i].max;
    }
    return false;
}

static void print_result(const struct option *o, const struct sim_study_result *r)
{
    double minutes = (double)o[MINUTES].value, nodes = (double)o[NODES].value;
    printf("%" PRId64 " nodes, seed %" PRId64 ", %" PRId64 " minutes, a block every %" PRId64
           " s\n\n",
           o[NODES].value, o[SEED].value, o[MINUTES].value, o[INTERVAL].value);
    printf("blocks mined           %12" PRIu64 "\n", r->n_mined);
    printf("  stale                %12" PRIu64 "  (%.2f%%)\n", r->n_stale,
           r->n_mined ? 100.0 * (double)r->n_stale / (double)r->n_mined : 0.0);
    printf("  new height           %12d\n", r->height);
    printf("transactions mined     %12" PRIu64 "\n", r->n_txs);
    printf("a block reaches others %12" PRIu64 "  times\n", r->n_samples);
    printf("  median               %12.3f s\n", (double)r->median_us / 1e6);
    printf("  90%%                  %12.3f s\n", (double)r->p90_us / 1e6);
    printf("  99%%                  %12.3f s\n", (double)r->p99_us / 1e6);
    printf("  last                 %12.3f s\n", (double)r->max_us / 1e6);
    printf("traffic                %12" PRIu64 "  bytes\n", r->bytes);
    printf("  a node, a minute     %12.0f\n", (double)r->bytes / nodes / minutes);
    printf("all agree in the end   %12s\n", r->has_agreed ? "yes" : "no");
}

int sim_run_command(int argc, char **argv)
{
    ASSERT(argc > 0 && argv);
    struct option o[N_OPTIONS];
    memcpy(o, defaults, sizeof o);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return usage();
        if (!read_option(o, argv[i])) {
            fprintf(stderr, "cairn-sim: %s is no option or out of range; see --help\n", argv[i]);
            return 2;
        }
    }
    o[LATENCY_MAX].value = MAX_OF(o[LATENCY_MAX].value, o[LATENCY_MIN].value);
    const struct sim_study_options options = {
        .seed = (uint64_t)o[SEED].value,
        .n_nodes = (size_t)o[NODES].value,
        .minutes = o[MINUTES].value,
        .interval_s = o[INTERVAL].value,
        .txs_per_minute = o[TXS].value,
        .net = {.latency_min_us = o[LATENCY_MIN].value * 1000,
                .latency_max_us = o[LATENCY_MAX].value * 1000,
                .jitter_us = o[JITTER].value * 1000,
                .loss_ppm = (uint32_t)o[LOSS].value,
                .bytes_per_s = (uint64_t)o[RATE].value * 1000},
    };
    struct sim_study_result result;
    sim_study_run(&options, &result);
    print_result(o, &result);
    return !result.has_agreed;
}
