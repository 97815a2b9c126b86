/* test_coin_dump.c - files of coins: of the tip, of blocks below it, and what makes them fail. */
#include "chain/ask/coin_dump.h"

#include <errno.h>

#include "support/rig_fixture.h"

enum { N_BASE = 105 };

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    rig_start(&f->rig, 1, &f->b, &f->options);
    rig_accept_chain(&f->rig, f->base);
    return 0;
}

FIXTURE(setup, rig_teardown)

struct answer {
    bool is_done;
    int error;
    struct coin_dump dump;
};

static void note(void *arg, int error, const struct coin_dump *dump)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    assert_true((dump != NULL) == (error == 0));
    answer->is_done = true;
    answer->error = error;
    if (dump)
        answer->dump = *dump;
}

static struct answer dump(struct chain_rig *rig, const char *path, const struct built_block *target)
{
    struct answer answer = {0};
    const struct block_node *node = target ? chain_find(rig->chain, &target->block.hash) : NULL;
    assert_int_equal(chain_dump_coins(rig->chain, path, node, note, &answer), 0);
    rig_wait(rig, &answer.is_done);
    return answer;
}

static bool is_there(struct chain_rig *rig, const char *path)
{
    struct env_file *file;
    const struct env *env = sim_env_get(rig->sim);
    int error = env_file_open(env, path, ENV_OPEN_READ, &file);
    if (!error)
        env_file_close(env, file);
    return !error;
}

static void assert_same_file(struct chain_rig *rig, const char *a, const char *b)
{
    static uint8_t bytes[2][200000];
    const char *const paths[] = {a, b};
    const struct env *env = sim_env_get(rig->sim);
    int64_t len[2];
    for (int i = 0; i < 2; i++) {
        struct env_file *file;
        assert_int_equal(env_file_open(env, paths[i], ENV_OPEN_READ, &file), 0);
        len[i] = env_file_read_at(env, file, 0, bytes[i], sizeof bytes[i]);
        env_file_close(env, file);
    }
    assert_true(len[0] > 51 && len[0] < (int64_t)sizeof bytes[0]);
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(bytes[0], bytes[1], (size_t)len[0]);
}

/* A block in which an output is made and spent, and an old coin is. */
static const struct built_block *grow(struct fixture *f, const struct built_block *prev, int32_t i)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, i));
    struct tx tx[2] = {builder_spend(&f->b, &coin, 1, 3, 5, BUILDER_LONG)};
    coin = builder_coin_of(&tx[0], 1, BUILDER_LONG);
    tx[1] = builder_spend(&f->b, &coin, 1, 2, 5, i % 2 ? BUILDER_RETURN : BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 2};
    return builder_block(&f->b, prev, &spec);
}

TEST(the_hash_is_that_of_the_statistics, struct fixture *f)
{
    rig_accept_chain(&f->rig, grow(f, f->base, 1));
    struct coin_stats stats = rig_coin_stats(&f->rig, COIN_STATS_SERIALIZED_3);
    struct answer answer = dump(&f->rig, "regtest/coins", NULL);
    assert_int_equal(answer.error, 0);
    assert_ptr_equal(answer.dump.base, stats.tip);
    assert_int_equal(answer.dump.n_coins, stats.n_outputs);
    assert_memory_equal(answer.dump.coins_hash, stats.hash, 32);
    assert_false(is_there(&f->rig, "regtest/coins" COIN_DUMP_PART_SUFFIX));
}

/* What was written when a block was the tip is written again when it is no more. */
TEST(a_block_below_has_the_coins_it_had, struct fixture *f)
{
    const struct built_block *at[5] = {f->base};
    for (int32_t i = 1; i < 5; i++) {
        char path[40];
        at[i] = grow(f, at[i - 1], i);
        snprintf(path, sizeof path, "regtest/then%d", (int)i - 1);
        assert_int_equal(dump(&f->rig, path, NULL).error, 0);
        rig_accept_chain(&f->rig, at[i]);
    }
    for (int i = 0; i < 4; i++) {
        char then[40], now[40];
        snprintf(then, sizeof then, "regtest/then%d", i);
        snprintf(now, sizeof now, "regtest/now%d", i);
        assert_int_equal(dump(&f->rig, now, at[i]).error, 0);
        assert_same_file(&f->rig, then, now);
    }
    assert_true(rig_is_at(&f->rig, at[4])); /* and the chain stands where it stood */
    assert_int_equal(f->rig.n_disconnected, 0);
}

TEST(the_first_block_has_none, struct fixture *f)
{
    struct answer answer = dump(&f->rig, "regtest/coins", f->b.genesis);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.dump.n_coins, 0);
}

TEST(a_block_of_another_branch_is_refused, struct fixture *f)
{
    const struct built_block *side = builder_block(&f->b, built_ancestor(f->base, 100), NULL);
    (void)rig_accept(&f->rig, side);
    assert_int_equal(dump(&f->rig, "regtest/coins", side).error, -ENODATA);
    assert_false(is_there(&f->rig, "regtest/coins"));
    assert_false(is_there(&f->rig, "regtest/coins" COIN_DUMP_PART_SUFFIX));
}

TEST(one_at_a_time, struct fixture *f)
{
    struct answer answer = {0};
    assert_int_equal(chain_dump_coins(f->rig.chain, "nowhere/coins", NULL, note, &answer), -ENOENT);
    assert_int_equal(chain_dump_coins(f->rig.chain, "regtest/a", NULL, note, &answer), 0);
    assert_int_equal(chain_dump_coins(f->rig.chain, "regtest/b", NULL, note, &answer), -EBUSY);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(dump(&f->rig, "regtest/b", NULL).error, 0);
}

/* The store of what is taken back is not that of the coins. */
TEST(damage_of_its_own_store_is_none_of_the_coins, struct fixture *f)
{
    struct sim_disk *disk = sim_env_disk(f->rig.sim);
    struct answer answer = {0};
    /* Files of blocks are opened, too, but only the first block is read before it is. */
    for (uint64_t nth = 4; answer.error == 0; nth--) {
        const struct block_node *target =
            chain_find(f->rig.chain, &built_ancestor(f->base, 104)->block.hash);
        answer = (struct answer){0};
        assert_int_equal(chain_dump_coins(f->rig.chain, "regtest/coins", target, note, &answer), 0);
        sim_disk_fail(disk, SIM_OP_OPEN, nth, -EUCLEAN, false);
        rig_wait(&f->rig, &answer.is_done);
        sim_disk_fail(disk, SIM_OP_OPEN, 0, 0, false);
    }
    assert_int_equal(answer.error, -EIO);
    assert_int_equal(f->rig.n_faults, 0);
    assert_false(is_there(&f->rig, "regtest/coins" COIN_DUMP_PART_SUFFIX));
    assert_int_equal(dump(&f->rig, "regtest/coins", f->base).error, 0);
}

TEST(closing_ends_it_without_a_file, struct fixture *f)
{
    struct answer answer = {0};
    const struct block_node *target =
        chain_find(f->rig.chain, &built_ancestor(f->base, 10)->block.hash);
    assert_int_equal(chain_dump_coins(f->rig.chain, "regtest/coins", target, note, &answer), 0);
    for (int i = 0; i < 20; i++)
        (void)sim_env_step(f->rig.sim);
    assert_int_equal(rig_close(&f->rig), 0);
    assert_true(answer.is_done);
    assert_int_equal(answer.error, -ECANCELED);
    assert_false(is_there(&f->rig, "regtest/coins" COIN_DUMP_PART_SUFFIX));
}
