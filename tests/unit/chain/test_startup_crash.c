/* test_startup_crash.c - the crash rule: killed or cut off at any instant, the next start needs no
 * help and ends where a node that never crashed is.
 *
 * One run of a scenario is watched: before and after every change of its disk, copies of the
 * machine are made as a crash would leave it, started again, and brought up to date. */
#include <errno.h>

#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { MATURE = 101, N_SIDE = 6 };

/* What is done to a chain, one after the other, and from which points on crashes are tried. */
struct scenario {
    struct chain_builder b;
    struct chain_rig rig;
    const struct built_block *base, *side, *last; /* side: is left for last */
    struct coin_stats want;
    uint64_t points, tried, every; /* every how many points to crash */
    bool is_watching;
    struct chain_options options;
};

/* A block that spends up to three of the coinbases. */
static const struct built_block *spend(struct scenario *s, const struct built_block *prev,
                                       int32_t first)
{
    struct tx tx[3];
    for (int32_t i = 0; i < 3; i++) {
        struct builder_coin coin = builder_coinbase_coin(built_ancestor(s->base, first + i));
        tx[i] = builder_spend(&s->b, &coin, 1, 2, 500, i == 1 ? BUILDER_LONG : BUILDER_TRUE);
    }
    struct builder_spec spec = {.tx = tx, .n_tx = 3};
    return builder_block(&s->b, prev, &spec);
}

static struct coin_stats stats_of_control(struct scenario *s)
{
    struct chain_rig control;
    rig_start(&control, 99, &s->b, NULL);
    rig_accept_chain(&control, s->last);
    assert_true(rig_is_at(&control, s->last));
    struct coin_stats stats = rig_coin_stats(&control, COIN_STATS_SERIALIZED_3);
    rig_deinit(&control);
    return stats;
}

static void init_scenario(struct scenario *s, uint64_t seed, int32_t depth)
{
    chain_builder_init(&s->b);
    s->options.check_invariants = true;
    s->options.flush_batch_bytes = 150; /* a few coins: crashes fall between the batches */
    s->base = builder_blocks(&s->b, s->b.genesis, MATURE + 10, NULL);
    s->side = s->last = s->base;
    for (int32_t i = 0; i < 3; i++)
        s->side = spend(s, s->side, 1 + 3 * i);
    s->side = builder_blocks(&s->b, s->side, (size_t)depth - 3, NULL);
    s->last = spend(s, s->last, 2);
    s->last = spend(s, s->last, 5);
    s->last = builder_blocks(&s->b, s->last, (size_t)depth, NULL);
    s->want = stats_of_control(s);
    rig_start(&s->rig, seed, &s->b, &s->options);
    rig_accept_chain(&s->rig, s->base);
    assert_int_equal(rig_close(&s->rig), 0);
}

static void deinit_scenario(struct scenario *s)
{
    rig_deinit(&s->rig);
    chain_builder_deinit(&s->b);
}

/* The machine has crashed: start it, look at what it has, bring it up to date. */
static void assert_recovers(struct scenario *s, struct sim_env *crashed_take)
{
    struct chain_rig rig;
    rig_init(&rig, crashed_take, &s->b, &s->options);
    rig_open(&rig);
    const struct block_node *tip = chain_tip(rig.chain);
    const struct built_block *branches[] = {s->side, s->last};
    bool is_known = false;
    for (size_t i = 0; i < COUNT_OF(branches); i++) {
        const struct built_block *at = built_ancestor(branches[i], tip->height);
        is_known = is_known || (at && block_hash_equal(&at->block.hash, &tip->hash));
    }
    assert_true(is_known);
    rig_settle(&rig);
    rig_accept_chain(&rig, s->last);
    assert_int_equal(rig.n_faults, 0);
    assert_true(rig_is_at(&rig, s->last));
    struct coin_stats have = rig_coin_stats(&rig, COIN_STATS_SERIALIZED_3);
    assert_int_equal(have.n_outputs, s->want.n_outputs);
    assert_memory_equal(have.hash, s->want.hash, 32);
    rig_deinit(&rig);
}

static void crash_here(void *arg)
{
    struct scenario *s = arg;
    if (!s->is_watching || s->points++ % s->every != 0)
        return;
    s->is_watching = false; /* the copies' disks are not watched anyway */
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        assert_recovers(s, sim_env_crash(s->rig.sim, how[i], s->points * 3 + i));
        s->tried++;
    }
    s->is_watching = true;
}

static void begin_watching(struct scenario *s, uint64_t every)
{
    s->every = every;
    rig_open(&s->rig);
    sim_disk_watch(sim_env_disk(s->rig.sim), crash_here, s);
    s->is_watching = true;
}

static void end_watching(struct scenario *s, uint64_t tried_least)
{
    assert_int_equal(rig_close(&s->rig), 0);
    s->is_watching = false;
    assert_true(s->tried >= tried_least);
    rig_open(&s->rig);
    assert_true(rig_is_at(&s->rig, s->last));
    struct coin_stats have = rig_coin_stats(&s->rig, COIN_STATS_SERIALIZED_3);
    assert_memory_equal(have.hash, s->want.hash, 32);
}

/* -- Scenarios --------------------------------------------------------------------------------- */

TEST(a_crash_while_blocks_are_connected_is_recovered_from)
{
    struct scenario *s = xcalloc(1, sizeof *s);
    init_scenario(s, 1, N_SIDE);
    begin_watching(s, 3);
    rig_accept_chain(&s->rig, s->last);
    end_watching(s, 10);
    deinit_scenario(s);
    xfree(s);
}

TEST(a_crash_amid_a_reorganisation_and_flushes_is_recovered_from)
{
    struct scenario *s = xcalloc(1, sizeof *s);
    init_scenario(s, 2, N_SIDE);
    begin_watching(s, 2);
    rig_accept_chain(&s->rig, s->side);
    assert_true(rig_is_at(&s->rig, s->side));
    assert_int_equal(rig_flush(&s->rig), 0);
    rig_accept_chain(&s->rig, s->last);
    assert_int_equal(rig_flush(&s->rig), 0);
    end_watching(s, 60);
    deinit_scenario(s);
    xfree(s);
}

TEST(a_crash_amid_a_deep_reorganisation_is_recovered_from)
{
    struct scenario *s = xcalloc(1, sizeof *s);
    init_scenario(s, 3, 25);
    begin_watching(s, 7);
    rig_accept_chain(&s->rig, s->side);
    assert_int_equal(rig_flush(&s->rig), 0);
    /* Flushes fall on the way down too. */
    rig_announce(&s->rig, s->last);
    for (int32_t at = s->base->height + 1; at <= s->last->height; at++)
        rig_submit(&s->rig, built_ancestor(s->last, at));
    for (int i = 0; i < 12; i++) {
        for (int k = 0; k < 9; k++)
            (void)sim_env_step(s->rig.sim);
        assert_int_equal(rig_flush(&s->rig), 0);
    }
    rig_settle(&s->rig);
    end_watching(s, 60);
    deinit_scenario(s);
    xfree(s);
}

TEST(a_crash_on_the_first_start_is_recovered_from)
{
    struct scenario *s = xcalloc(1, sizeof *s);
    chain_builder_init(&s->b);
    s->base = s->b.genesis;
    s->side = s->last = builder_blocks(&s->b, s->b.genesis, 5, NULL);
    s->want = stats_of_control(s);
    rig_init(&s->rig, sim_env_new(4), &s->b, &s->options);
    sim_disk_watch(sim_env_disk(s->rig.sim), crash_here, s);
    s->every = 1;
    s->is_watching = true;
    rig_open(&s->rig);
    rig_accept_chain(&s->rig, s->last);
    assert_int_equal(rig_flush(&s->rig), 0);
    end_watching(s, 30);
    deinit_scenario(s);
    xfree(s);
}

/* Crash again and again, at random moments, without ever stopping in an orderly way. */
TEST(many_crashes_in_a_row_are_recovered_from)
{
    struct scenario *s = xcalloc(1, sizeof *s);
    init_scenario(s, 5, 12);
    struct sim_random random = sim_random_of(5, 0);
    for (int i = 0; i < 40; i++) {
        rig_open(&s->rig);
        const struct built_block *to = i % 3 == 0 ? s->last : s->side;
        rig_announce(&s->rig, to);
        for (int32_t at = s->base->height + 1; at <= to->height; at++)
            rig_submit(&s->rig, built_ancestor(to, at));
        uint64_t steps = sim_random_below(&random, 300);
        for (uint64_t k = 0; k < steps; k++)
            (void)sim_env_step(s->rig.sim);
        if (i % 4 == 0)
            assert_int_equal(rig_flush(&s->rig), 0);
        rig_crash(&s->rig, (enum sim_crash)(i % 3), sim_random_u64(&random));
    }
    struct sim_env *sim = s->rig.sim;
    assert_recovers(s, sim);
    chain_builder_deinit(&s->b);
    xfree(s);
}

/* -- A disk that fails ------------------------------------------------------------------------- */

/* Let the n-th operation fail for good, and see that nobody is told what is not so. */
static void fail_at(struct scenario *s, uint64_t n, unsigned ops, int error)
{
    struct sim_env *sim = sim_env_crash(s->rig.sim, SIM_CRASH_KILLED, n);
    struct chain_rig rig;
    rig_init(&rig, sim, &s->b, &s->options);
    rig_open(&rig);
    sim_disk_fail(sim_env_disk(sim), ops, n, error, true);
    rig_accept_chain(&rig, s->side);
    if (rig.n_faults == 0)
        rig_accept_chain(&rig, s->last);
    assert_int_equal(rig.n_invalid, 0);
    assert_true(rig.n_faults <= 1);
    (void)rig_close(&rig);
    sim_disk_fail(sim_env_disk(sim), ops, 0, 0, false);
    assert_recovers(s, sim_env_crash(sim, SIM_CRASH_LOST, n));
    sim_env_free(rig.sim);
}

TEST(a_failing_disk_makes_no_block_invalid)
{
    struct scenario *s = xcalloc(1, sizeof *s);
    init_scenario(s, 6, N_SIDE);
    for (uint64_t n = 0; n < 30; n += 3) {
        fail_at(s, n, SIM_OP_WRITE, -ENOSPC);
        fail_at(s, n, SIM_OP_READ, -EIO);
        fail_at(s, n / 3, SIM_OP_SYNC, -EIO);
    }
    sim_env_free(s->rig.sim);
    chain_builder_deinit(&s->b);
    xfree(s);
}
