/* sim_storage.c - storage under orders, crashes, reindexes, failing disks and wrong clocks.
 *
 * Usage: sim_storage [--seeds=20] [--first=1] [--lives=8] [--plant=NAME] [--trace]
 *
 * Each seed is a run of tests/support/storage_run.h. $CAIRN_SIM_STORAGE replaces the default of
 * --seeds; --plant switches on a bug of util/planted.h, in a build that has them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sim_option.h"
#include "support/storage_run.h"
#include "util/alloc.h"

/* The bug of a name; PLANT_COUNT: there is none. */
static enum planted find_bug(const char *name)
{
    static const char *const names[] = {"NONE",
#define X(name, what) #name,
                                        PLANTED_BUGS(X)
#undef X
    };
    for (int i = 0; i < PLANT_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum planted)i;
    return PLANT_COUNT;
}

static void print_totals(const struct storage_run_totals *t)
{
    printf("%" PRIu64 " lives: %" PRIu64 " crashes (%" PRIu64 " amid writes, %" PRIu64
           " amid starts), %" PRIu64 " stops, %" PRIu64 " failing calls (%" PRIu64 " met, %" PRIu64
           " full disks), %" PRIu64 " clock jumps (%" PRIu64 " refused); %" PRIu64
           " -reindex, %" PRIu64 " -reindex-chainstate; acknowledged: %" PRIu64 " blocks, %" PRIu64
           " invalid, %" PRIu64 " valid again, %" PRIu64 " mempools, %" PRIu64 " flushes, %" PRIu64
           " prunings; ",
           t->lives, t->crashes, t->amid_writes, t->amid_starts, t->stops, t->faults, t->faults_met,
           t->full_disks, t->clock_jumps, t->clock_refusals, t->reindexes, t->coin_reindexes,
           t->blocks, t->invalidations, t->reconsiderations, t->mempools, t->flushes, t->prunings);
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("CAIRN_SIM_STORAGE");
    uint64_t seeds = wanted ? strtoull(wanted, NULL, 10) : 20, first = 1, lives = 8, failed = 0;
    enum planted planted = PLANT_NONE;
    bool prints_trace = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            prints_trace = true;
        } else if (strncmp(argv[i], "--plant=", 8) == 0) {
            planted = find_bug(argv[i] + 8);
        } else if (!sim_option(argv[i], "--seeds", &seeds) &&
                   !sim_option(argv[i], "--first", &first) &&
                   !sim_option(argv[i], "--lives", &lives)) {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
    }
    if (planted == PLANT_COUNT) {
        fprintf(stderr, "no such bug\n");
        return 2;
    }
    struct storage_run_totals totals = {0};
    struct sim_base *base = sim_base_new_in_files(STORAGE_RUN_BLOCKS, STORAGE_RUN_FILE_BYTES);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        printf("seed %" PRIu64 ":", seed); /* first: it is what is left of a run that ends badly */
        fflush(stdout);
        const struct storage_run_options options = {.base = base,
                                                    .seed = seed,
                                                    .lives = (int)lives,
                                                    .planted = planted,
                                                    .prints_trace = prints_trace};
        char *failure = storage_run(&options, &totals);
        printf(" %s%s\n", failure ? "FAILED: " : "good", failure ? failure : "");
        failed += failure != NULL;
        xfree(failure);
    }
    sim_base_free(base);
    print_totals(&totals);
    printf("%" PRIu64 " seeds, %" PRIu64 " failed\n", seeds, failed);
    return failed > 0;
}
