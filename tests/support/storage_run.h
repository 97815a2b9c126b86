/* storage_run.h - one node whose storage is put to the test, from a seed, beside a sound one.
 *
 * The node mines, is sent blocks and transactions, invalidates and reconsiders, saves its mempool,
 * flushes, prunes; meanwhile it crashes, amid a change of its disk or not, is stopped, meets a call
 * of the disk that fails, a full disk, a clock that is years back. It is started plainly, with
 * -reindex or with -reindex-chainstate, and crashes amid that too. After each start nothing that it
 * has acknowledged may be missing, no block may be blamed, nobody may have to help; and once it has
 * caught up, tip and coins are those of the node that nothing ever happened to. */
#ifndef TESTS_SUPPORT_STORAGE_RUN_H
#define TESTS_SUPPORT_STORAGE_RUN_H

#include "sim/sim_world.h"
#include "util/planted.h"

#define STORAGE_RUN_BLOCKS     352       /* of the base: so many that some may be pruned */
#define STORAGE_RUN_FILE_BYTES (8 << 10) /* of a block file: thirty blocks */

struct storage_run_options {
    const struct sim_base *base; /* of STORAGE_RUN_BLOCKS in files of STORAGE_RUN_FILE_BYTES */
    uint64_t seed;
    int lives; /* starts of the node */
    enum planted planted;
    bool prints_trace;
};

/* How often what happened; summed up over runs. */
struct storage_run_totals {
    uint64_t lives, crashes, amid_writes, amid_starts, stops, faults, faults_met, full_disks;
    uint64_t reindexes, coin_reindexes, clock_jumps, clock_refusals;
    uint64_t blocks, invalidations, reconsiderations, mempools, flushes,
        prunings; /* acknowledged */
};

/* Run one seed and add to totals.
 *
 * Returns:  NULL if all went well, else what did not, to be freed with xfree() */
char *storage_run(const struct storage_run_options *options, struct storage_run_totals *totals);

#endif
