/* sim_net_faults.c - networks of seven nodes under faults agree again; the same seed is the same
 * run.
 *
 * Usage: sim_net_faults [--seeds=50] [--first=1] [--nodes=7] [--again=10] [--trace]
 *
 * Runs the seeds from first on, a line for each. Of every again-th, a second run must give the same
 * trace. In each (of at least three nodes) some connections must be encrypted and some not, and
 * blocks have come as compact ones. --trace prints the traces, with the nodes' debug logs in them:
 * the way to look at one seed that failed. $CAIRN_SIM_SEEDS replaces the default of --seeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_scenario.h"
#include "support/sim_option.h"

struct run {
    uint64_t first, seeds, again;
    size_t nodes;
    bool prints_trace;
};

struct totals {
    uint64_t failed, twice, mined, txs, reorgs, restarts, crashes, partitions;
    uint64_t encrypted, plain, compact_bytes;
    int64_t virtual_us, agreed_max_us;
};

static void print_line(void *ctx, const char *line)
{
    (void)ctx;
    puts(line);
}

static void run_once(const struct run *run, const struct sim_base *base, uint64_t seed,
                     struct sim_scenario_result *result)
{
    const struct sim_scenario_options options = {
        .seed = seed,
        .n_nodes = run->nodes,
        .base = base,
        .traces_logs = true,
        .trace = run->prints_trace ? print_line : NULL,
    };
    sim_scenario_run(&options, result);
}

/* Two of three nodes encrypt: from three on, there are connections of both kinds. */
static bool uses_all(const struct sim_scenario_result *r)
{
    return r->n_encrypted > 0 && r->n_plain > 0 && r->compact_bytes > 0;
}

static void add(struct totals *totals, const struct sim_scenario_result *r)
{
    totals->failed += !r->is_good || !uses_all(r);
    totals->mined += r->n_mined;
    totals->txs += r->n_mined_txs;
    totals->reorgs += r->n_reorgs;
    totals->restarts += r->n_restarts;
    totals->crashes += r->n_crashes;
    totals->partitions += r->n_partitions;
    totals->encrypted += r->n_encrypted;
    totals->plain += r->n_plain;
    totals->compact_bytes += r->compact_bytes;
    totals->virtual_us += r->virtual_us;
    if (r->agreed_us > totals->agreed_max_us)
        totals->agreed_max_us = r->agreed_us;
}

static void run_seed(const struct run *run, const struct sim_base *base, uint64_t seed,
                     struct totals *totals)
{
    /* The seed first: should the run end in an assertion, it is the last thing to be read. */
    printf("seed %" PRIu64 ":", seed);
    fflush(stdout);
    struct sim_scenario_result r, second;
    run_once(run, base, seed, &r);
    printf(" height %d, %u mined, %" PRIu64 " txs of %" PRIu64 ", %u reorgs, %u restarts, %u"
           " crashes, %u partitions; agreed after %.1f s; %u ends encrypted, %u not, %" PRIu64
           " bytes of compact blocks; %.0f s virtual, %" PRIu64 " lines, trace %.16s%s%s\n",
           r.height, r.n_mined, r.n_mined_txs, r.n_sent_txs, r.n_reorgs, r.n_restarts, r.n_crashes,
           r.n_partitions, (double)r.agreed_us / 1e6, r.n_encrypted, r.n_plain, r.compact_bytes,
           (double)r.virtual_us / 1e6, r.n_trace_lines, r.trace_hash,
           r.is_good && uses_all(&r) ? "" : " FAILED: ",
           r.is_good && !uses_all(&r) ? "a transport or compact blocks unused" : r.failure);
    add(totals, &r);
    if (run->again == 0 || (seed - run->first) % run->again != 0)
        return;
    run_once(run, base, seed, &second);
    totals->twice++;
    if (strcmp(r.trace_hash, second.trace_hash) == 0 && r.n_trace_lines == second.n_trace_lines)
        return;
    totals->failed++;
    printf("seed %" PRIu64 " FAILED: another trace the second time: %.16s\n", seed,
           second.trace_hash);
}

int main(int argc, char **argv)
{
    uint64_t nodes = 7;
    struct run run = {.first = 1, .seeds = 50, .again = 10};
    const char *seeds = getenv("CAIRN_SIM_SEEDS");
    if (seeds)
        run.seeds = strtoull(seeds, NULL, 10);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            run.prints_trace = true;
        } else if (!sim_option(argv[i], "--seeds", &run.seeds) &&
                   !sim_option(argv[i], "--first", &run.first) &&
                   !sim_option(argv[i], "--nodes", &nodes) &&
                   !sim_option(argv[i], "--again", &run.again)) {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
    }
    run.nodes = nodes;
    struct totals t = {0};
    struct sim_base *base = sim_base_new(SIM_SCENARIO_BASE_BLOCKS);
    for (uint64_t seed = run.first; seed < run.first + run.seeds; seed++)
        run_seed(&run, base, seed, &t);
    sim_base_free(base);
    printf("%" PRIu64 " seeds, %zu nodes: %" PRIu64 " failed; %" PRIu64 " blocks, %" PRIu64
           " transactions, %" PRIu64 " reorganisations, %" PRIu64 " restarts, %" PRIu64
           " crashes, %" PRIu64 " partitions; agreed after %.1f s at most; %" PRIu64
           " traces compared; %" PRIu64 " ends encrypted, %" PRIu64 " not, %" PRIu64
           " bytes of compact blocks; %.0f s virtual\n",
           run.seeds, run.nodes, t.failed, t.mined, t.txs, t.reorgs, t.restarts, t.crashes,
           t.partitions, (double)t.agreed_max_us / 1e6, t.twice, t.encrypted, t.plain,
           t.compact_bytes, (double)t.virtual_us / 1e6);
    /* A run in which nothing happened would prove nothing. */
    bool is_empty = run.seeds >= 20 && (!t.txs || !t.reorgs || !t.crashes || !t.partitions);
    return t.failed > 0 || is_empty;
}
