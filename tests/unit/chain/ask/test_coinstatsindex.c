/* test_coinstatsindex.c - the figures of each block are those of a count made when it was the tip,
 * through reorganisations, crashes, damage and pruning. */
#include "chain/ask/coinstatsindex.h"

#include <errno.h>

#include "consensus/pow.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110 };

static const char store_path[] = "regtest/indexes/coinstatsindex/db";

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    f->options.coin_stats_index = true;
    f->options.check_invariants = true;
    rig_start(&f->rig, 1, &f->b, &f->options);
    return 0;
}

FIXTURE(setup, rig_teardown)

struct answer {
    bool is_done;
    int error;
    struct coin_stats stats;
};

static void note(void *arg, int error, const struct coin_stats *stats)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    assert_true((stats != NULL) == (error == 0));
    answer->is_done = true;
    answer->error = error;
    if (stats)
        answer->stats = *stats;
}

static void start_asking(struct chain_rig *rig, const struct built_block *block,
                         struct answer *answer)
{
    *answer = (struct answer){0};
    chain_find_coin_stats(rig->chain, chain_find(rig->chain, &block->block.hash), note, answer);
}

static struct answer ask(struct chain_rig *rig, const struct built_block *block)
{
    struct answer answer;
    start_asking(rig, block, &answer);
    rig_wait(rig, &answer.is_done);
    return answer;
}

static bool is_synced(const struct chain_rig *rig, int32_t *height)
{
    bool synced = false;
    assert_true(chain_coinstatsindex_status(rig->chain, &synced, height));
    return synced;
}

static void assert_same(const struct coin_stats *have, const struct coin_stats *want)
{
    assert_ptr_equal(have->tip, want->tip);
    assert_int_equal(have->n_outputs, want->n_outputs);
    assert_int_equal(have->bogo_size, want->bogo_size);
    assert_int_equal(have->total_sat, want->total_sat);
    assert_memory_equal(have->hash, want->hash, 32);
}

/* The index says of the tip what counting all coins says. */
static void assert_tip_is_right(struct chain_rig *rig, const struct built_block *tip)
{
    assert_true(rig_is_at(rig, tip));
    struct coin_stats counted = rig_coin_stats(rig, COIN_STATS_MUHASH);
    struct answer answer = ask(rig, tip);
    assert_int_equal(answer.error, 0);
    assert_true(answer.stats.is_indexed);
    assert_same(&answer.stats, &counted);
}

TEST(the_first_block_makes_no_coin, struct fixture *f)
{
    struct answer answer = ask(&f->rig, f->b.genesis);
    struct coin_stats counted = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    assert_int_equal(answer.error, 0);
    assert_same(&answer.stats, &counted);
    assert_int_equal(answer.stats.unspendable_sat, 5000000000);
    assert_int_equal(answer.stats.block.unspendable_sat[UNSPENDABLE_GENESIS], 5000000000);
    assert_int_equal(answer.stats.block.coinbase_sat, 0);
}

/* The coinbase of height 1 goes to outputs, of which the last can never be spent; the miner takes
 * what the rules allow, less 7 sat. */
static const struct built_block *with_tx(struct fixture *f, const struct built_block *prev,
                                         enum builder_script script, int64_t fee_sat)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    struct tx tx = builder_spend(&f->b, &coin, 1, 2, fee_sat, script);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1, .extra_sat = fee_sat - 7};
    return builder_block(&f->b, prev, &spec);
}

TEST(a_block_tells_where_its_amounts_went, struct fixture *f)
{
    const int64_t subsidy_sat = 5000000000;
    rig_accept_chain(&f->rig, f->base);
    const struct built_block *paid = with_tx(f, f->base, BUILDER_LONG, 100);
    const struct built_block *burnt = with_tx(f, f->base, BUILDER_RETURN, 100);
    assert_true(rig_accept(&f->rig, paid).is_connected);
    assert_tip_is_right(&f->rig, paid);
    struct coin_changes block = ask(&f->rig, paid).stats.block;
    assert_int_equal(block.spent_sat, subsidy_sat);
    assert_int_equal(block.made_sat, subsidy_sat - 100);
    assert_int_equal(block.coinbase_sat, subsidy_sat + 93);
    assert_int_equal(block.unspendable_sat[UNSPENDABLE_SCRIPTS], 0);
    assert_int_equal(block.unspendable_sat[UNSPENDABLE_UNCLAIMED], 7);
    assert_int_equal(ask(&f->rig, paid).stats.unspendable_sat, subsidy_sat + 7);
    burnt = builder_block(&f->b, burnt, NULL);
    rig_accept_chain(&f->rig, burnt);
    assert_tip_is_right(&f->rig, burnt);
    block = ask(&f->rig, burnt->prev).stats.block;
    assert_int_equal(block.made_sat, 0);
    assert_int_equal(block.unspendable_sat[UNSPENDABLE_SCRIPTS], subsidy_sat - 100);
    assert_int_equal(ask(&f->rig, burnt).stats.unspendable_sat, 2 * subsidy_sat - 93);
    /* What was said of the other branch still holds. */
    assert_int_equal(ask(&f->rig, paid).stats.block.made_sat, subsidy_sat - 100);
}

/* Every block asked for later is what it was as the tip. */
TEST(old_blocks_are_as_they_were, struct fixture *f)
{
    struct coin_stats was[N_BASE + 1];
    for (int32_t height = 1; height <= N_BASE; height++) {
        assert_true(rig_accept(&f->rig, built_ancestor(f->base, height)).is_connected);
        was[height] = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    }
    for (int32_t height = 1; height <= N_BASE; height++) {
        struct answer answer = ask(&f->rig, built_ancestor(f->base, height));
        assert_same(&answer.stats, &was[height]);
    }
}

/* Branches of any depth, flushes, kills: always from a seed that is shown. */
TEST(random_reorganisations_and_crashes_change_nothing, struct fixture *f)
{
    const char *seed_text = getenv("CAIRN_SEED"), *runs_text = getenv("CAIRN_RUNS");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    int runs = runs_text ? atoi(runs_text) : 30;
    struct sim_random random = sim_random_of(seed, 7);
    const struct built_block *tip = f->base;
    print_message("seed %llu, %d reorganisations\n", (unsigned long long)seed, runs);
    rig_accept_chain(&f->rig, tip);
    for (int i = 0; i < runs; i++) {
        int32_t depth = 1 + (int32_t)sim_random_below(&random, 8);
        const struct built_block *fork = built_ancestor(tip, tip->height - depth);
        if (fork->height < N_BASE)
            fork = f->base;
        else
            fork = builder_block(&f->b, fork, NULL);
        tip = builder_blocks(&f->b, with_tx(f, f->base, BUILDER_LONG, 100), 1, NULL);
        tip =
            builder_blocks(&f->b, fork->height > tip->height ? fork : tip, (size_t)depth + 1, NULL);
        if (chain_tip(f->rig.chain)->height >= tip->height)
            tip = builder_blocks(&f->b, tip,
                                 (size_t)(chain_tip(f->rig.chain)->height - tip->height + 1), NULL);
        rig_accept_chain(&f->rig, tip);
        if (sim_random_below(&random, 3) == 0)
            assert_int_equal(rig_flush(&f->rig), 0);
        if (sim_random_below(&random, 3) == 0) {
            rig_crash(&f->rig, SIM_CRASH_POWER, seed + (uint64_t)i);
            rig_open(&f->rig);
            rig_accept_chain(&f->rig, tip);
        }
        assert_tip_is_right(&f->rig, tip);
    }
}

TEST(without_the_index_there_is_no_answer, struct fixture *f)
{
    struct answer answer;
    struct chain_rig plain;
    rig_start(&plain, 2, &f->b, NULL);
    start_asking(&plain, f->b.genesis, &answer);
    assert_true(answer.is_done); /* within the call */
    assert_int_equal(answer.error, -ENOSYS);
    rig_deinit(&plain);
}

TEST(a_block_that_was_never_connected_has_no_figures, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    const struct built_block *side = builder_block(&f->b, built_ancestor(f->base, 50), NULL);
    (void)rig_accept(&f->rig, side);
    assert_int_equal(ask(&f->rig, side).error, -ENOENT);
}

TEST(closing_answers_everybody, struct fixture *f)
{
    struct answer answers[3];
    rig_accept_chain(&f->rig, f->base);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        start_asking(&f->rig, f->base, &answers[i]);
    assert_int_equal(rig_close(&f->rig), 0);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        assert_true(answers[i].is_done);
}

/* A row that is not what it must be is never told: all is made anew, with a warning. */
TEST(damaged_rows_are_noticed_and_made_anew, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    assert_int_equal(rig_close(&f->rig), 0);
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    uint8_t key[5 + 32] = {'c', 0, 0, 0, N_BASE};
    memcpy(key + 5, f->base->block.hash.b, 32);
    assert_int_equal(env_kv_open(env, store_path, &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of(key, sizeof key), span_of("damage", 6));
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_int_equal(ask(&f->rig, f->base).error, -EUCLEAN);
    rig_settle(&f->rig);
    assert_true(f->rig.n_warnings > 0);
    assert_tip_is_right(&f->rig, f->base);
}

/* -- Pruning ----------------------------------------------------------------------------------- */

static void note_error(void *arg, int error)
{
    struct answer *answer = arg;
    answer->is_done = true;
    answer->error = error;
}

/* A chain with that many blocks, in small files that may be pruned. */
static const struct built_block *start_pruning(struct fixture *f, size_t n_blocks)
{
    rig_deinit(&f->rig);
    f->options.prune = true;
    f->options.block_file_bytes = 4096;
    rig_start(&f->rig, 3, &f->b, &f->options);
    const struct built_block *last = builder_blocks(&f->b, f->base, n_blocks, NULL);
    rig_accept_chain(&f->rig, last);
    return last;
}

static void prune_to_tip(struct fixture *f, const struct built_block *tip)
{
    struct answer answer = {0};
    chain_prune_to(f->rig.chain, tip->height, note_error, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.error, 0);
}

TEST(an_index_that_is_there_lets_pruning_go_on, struct fixture *f)
{
    const struct built_block *tip = start_pruning(f, 400);
    prune_to_tip(f, tip);
    assert_true(chain_prune_height(f->rig.chain) > tip->height - 320);
    assert_tip_is_right(&f->rig, tip);
    assert_int_equal(ask(&f->rig, built_ancestor(tip, 5)).error, 0);
    /* Killed, it goes on behind its mark, and nothing that it needs is gone. */
    rig_crash(&f->rig, SIM_CRASH_POWER, 5);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_tip_is_right(&f->rig, tip);
}

/* Blocks that the index has not seen stay, whatever is ordered: here while it is damaged. */
TEST(what_an_index_has_not_seen_is_not_pruned, struct fixture *f)
{
    const struct built_block *tip = start_pruning(f, 400);
    assert_int_equal(rig_close(&f->rig), 0);
    assert_int_equal(env_kv_destroy(sim_env_get(f->rig.sim), store_path), 0);
    rig_open(&f->rig);
    struct answer answer = {0};
    chain_prune_to(f->rig.chain, tip->height, note_error, &answer);
    rig_settle(&f->rig);
    assert_true(answer.is_done);
    int32_t height;
    assert_true(is_synced(&f->rig, &height));
    assert_tip_is_right(&f->rig, tip);
}

/* Switched on when blocks are gone already, it could never get to the tip. */
TEST(an_index_whose_blocks_are_pruned_is_refused, struct fixture *f)
{
    f->options.coin_stats_index = false;
    const struct built_block *tip = start_pruning(f, 400);
    prune_to_tip(f, tip);
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.coin_stats_index = true;
    struct chain *chain = chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network, &f->rig.options,
                                    &(struct chain_events){0});
    char *error = NULL;
    assert_false(chain_open(chain, &error));
    assert_string_equal(error, "coinstatsindex best block of the index goes beyond pruned data "
                               "(including undo data). Please disable the index or reindex (which "
                               "will download the whole blockchain again)\n"
                               "Error: A fatal internal error occurred, see debug.log for details: "
                               "Failed to start indexes, shutting down…");
    xfree(error);
    chain_free(chain);
}
