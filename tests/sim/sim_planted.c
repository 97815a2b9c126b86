/* sim_planted.c - storage bugs planted one by one: each must be caught by the simulator.
 *
 * Usage: sim_planted [--seeds=300] [--only=NAME]
 *
 * Each bug of util/planted.h is switched on in one of two nodes, and runs of
 * tests/support/storage_run.h follow, seed after seed, until one of their checks fails; the same
 * seeds must pass without the bug. The first seed to try is noted below for each, since most bugs
 * need a crash at a certain place: it saves time and nothing else. A bug that --seeds seeds do not
 * catch is a failure. A build without CAIRN_PLANT has no such bugs and skips this. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/storage_run.h"
#include "util/alloc.h"

#define SKIPPED 77
#define LIVES   8

#ifdef CAIRN_PLANT

/* X(bug, the first seed to try) */
#define FIRST_SEEDS(X)                                                                             \
    X(PRUNE_UNLINK_FIRST, 24)                                                                      \
    X(PRUNE_NOT_SYNCED, 21)                                                                        \
    X(REINDEX_MARK_EARLY, 304)                                                                     \
    X(REINDEX_INDEX_FIRST, 39)                                                                     \
    X(BLOCK_NOT_SYNCED, 1)                                                                         \
    X(UNDO_NOT_SYNCED, 2)                                                                          \
    X(DIR_NOT_SYNCED, 1)                                                                           \
    X(TIP_BEFORE_COINS, 1)                                                                         \
    X(NO_MARKER, 11)                                                                               \
    X(ROWS_BEFORE_BYTES, 79)                                                                       \
    X(MEMPOOL_NOT_SYNCED, 1)                                                                       \
    X(MEMPOOL_NAME_NOT_SYNCED, 1)                                                                  \
    X(EARLY_ENDS_REPLAY, 1)                                                                        \
    X(REPLAY_NOT_NOTED, 1)                                                                         \
    X(INVALID_NOT_WRITTEN, 1)                                                                      \
    X(RECONSIDER_NOT_WRITTEN, 1)                                                                   \
    X(STALE_READ, 431)                                                                             \
    X(ANSWER_BEFORE_SYNC, 1)                                                                       \
    X(WRITE_ERROR_LOST, 1)

static const uint64_t first_seeds[PLANT_COUNT] = {
#define X(name, seed) [PLANT_##name] = (seed),
    FIRST_SEEDS(X)
#undef X
};

static const struct {
    const char *name, *what;
} bugs[PLANT_COUNT] = {
#define X(name, what) [PLANT_##name] = {#name, what},
    PLANTED_BUGS(X)
#undef X
};

static char *run(const struct sim_base *base, uint64_t seed, enum planted planted)
{
    struct storage_run_totals totals = {0};
    const struct storage_run_options options = {
        .base = base, .seed = seed, .lives = LIVES, .planted = planted};
    return storage_run(&options, &totals);
}

/* Returns false if it is not caught, or the seed that catches it fails without it too. */
static bool try_bug(const struct sim_base *base, enum planted bug, uint64_t seeds)
{
    uint64_t first = first_seeds[bug] ? first_seeds[bug] : 1;
    printf("%s (%s): ", bugs[bug].name, bugs[bug].what);
    fflush(stdout);
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        char *failure = run(base, seed, bug);
        if (!failure)
            continue;
        char *sound = run(base, seed, PLANT_NONE);
        printf("caught by seed %" PRIu64 ": %s%s%s\n", seed, failure,
               sound ? "; BUT without the bug: " : "", sound ? sound : "");
        bool is_good = !sound;
        xfree(sound);
        xfree(failure);
        return is_good;
    }
    printf("NOT CAUGHT by %" PRIu64 " seeds from %" PRIu64 " on\n", seeds, first);
    return false;
}

int main(int argc, char **argv)
{
    uint64_t seeds = 300, caught = 0, tried = 0;
    const char *only = "";
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seeds=", 8) == 0) {
            seeds = strtoull(argv[i] + 8, NULL, 10);
        } else if (strncmp(argv[i], "--only=", 7) == 0) {
            only = argv[i] + 7;
        } else {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
    }
    struct sim_base *base = sim_base_new_in_files(STORAGE_RUN_BLOCKS, STORAGE_RUN_FILE_BYTES);
    for (int bug = 1; bug < PLANT_COUNT; bug++) {
        if (!strstr(bugs[bug].name, only))
            continue;
        tried++;
        caught += try_bug(base, (enum planted)bug, seeds);
    }
    sim_base_free(base);
    printf("%" PRIu64 " of %" PRIu64 " planted bugs caught\n", caught, tried);
    return caught == tried && tried > 0 ? 0 : 1;
}

#else

int main(void)
{
    printf("SKIPPED: this build has no planted bugs (CAIRN_PLANT); %d lives a seed where it has\n",
           LIVES);
    return SKIPPED;
}

#endif
