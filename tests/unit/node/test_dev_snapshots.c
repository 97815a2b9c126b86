/* test_dev_snapshots.c - snapshots by name: made, read again, gone back to, forgotten. */
#include "node/dev_snapshots.h"

#include <string.h>

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

#define TXS_MAX 2

struct fixture {
    struct rpc_rig rig;
    struct node_env *node_env;
    struct dev_snapshots *snapshots;
    size_t n_kept;
    bool is_done, is_ours;
    char error[100];
    struct rpc_dev_snapshot told;
};

static void keep_clock(void *ctx)
{
    ((struct fixture *)ctx)->n_kept++;
}

static void open_snapshots(struct fixture *f)
{
    f->snapshots = dev_snapshots_new(&f->rig.log, f->node_env, "regtest", TXS_MAX, keep_clock, f);
    dev_snapshots_open(f->snapshots, f->rig.chain.chain, f->rig.mempool);
}

static int set_up(void **state)
{
    struct fixture *f = *state = xcalloc(1, sizeof *f);
    rpc_rig_init(&f->rig, NULL, NULL);
    rpc_rig_add_mempool(&f->rig, NULL);
    f->node_env = node_env_new(sim_env_get(f->rig.chain.sim));
    open_snapshots(f);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    dev_snapshots_free(f->snapshots);
    node_env_free(f->node_env);
    rpc_rig_deinit(&f->rig);
    xfree(f);
    return 0;
}

FIXTURE(set_up, tear_down)

static void note(void *arg, const struct rpc_dev_snapshot *snapshot, const char *error,
                 bool is_ours)
{
    struct fixture *f = arg;
    assert_false(f->is_done);
    f->is_done = true;
    f->is_ours = error && is_ours;
    snprintf(f->error, sizeof f->error, "%s", error ? error : "");
    if (!error)
        f->told = *snapshot;
}

static const char *act(struct fixture *f, const char *name,
                       void (*order)(void *, const char *, rpc_dev_fn *, void *))
{
    f->is_done = false;
    order(f->snapshots, name, note, f);
    rig_wait(&f->rig.chain, &f->is_done);
    return f->error;
}

TEST(one_is_gone_back_to_also_by_the_next_run, struct fixture *f)
{
    const struct built_block *a = builder_blocks(&f->rig.builder, f->rig.builder.genesis, 3, NULL);
    const struct built_block *b = builder_blocks(&f->rig.builder, a, 5, NULL);
    rpc_rig_grow(&f->rig, a);
    node_env_set_offset(f->node_env, 700);
    assert_string_equal(act(f, "first", dev_snapshots_make), "");
    assert_int_equal(f->told.height, 3);
    rpc_rig_grow(&f->rig, b);
    assert_string_equal(act(f, "", dev_snapshots_make), "");
    assert_string_equal(f->told.name, "2");
    dev_snapshots_free(f->snapshots);
    open_snapshots(f);
    assert_string_equal(dev_snapshots_at(f->snapshots, 0)->name, "first");
    assert_string_equal(dev_snapshots_at(f->snapshots, 1)->name, "2");
    assert_null(dev_snapshots_at(f->snapshots, 2));
    node_env_set_offset(f->node_env, 0);
    assert_string_equal(act(f, "first", dev_snapshots_revert), "");
    assert_true(rig_is_at(&f->rig.chain, a));
    assert_int_equal(node_env_offset_s(f->node_env), 700);
    assert_int_equal(f->n_kept, 1);
    assert_null(dev_snapshots_at(f->snapshots, 1)); /* its block is gone */
}

TEST(one_thing_at_a_time_and_names_that_are_free, struct fixture *f)
{
    char *long_name = xmalloc(RPC_DEV_NAME_MAX + 2);
    memset(long_name, 'a', RPC_DEV_NAME_MAX + 1);
    long_name[RPC_DEV_NAME_MAX + 1] = '\0';
    assert_non_null(strstr(act(f, long_name, dev_snapshots_make), "1 to 64"));
    assert_string_equal(act(f, long_name + 1, dev_snapshots_make), "");
    assert_non_null(strstr(act(f, long_name + 1, dev_snapshots_make), "of that name"));
    xfree(long_name);
    f->is_done = false;
    dev_snapshots_make(f->snapshots, "slow", note, f);
    assert_false(f->is_done);
    struct fixture other = {.is_done = false};
    dev_snapshots_make(f->snapshots, "other", note, &other);
    assert_non_null(strstr(other.error, "is being made"));
    assert_false(other.is_ours);
    rig_wait(&f->rig.chain, &f->is_done);
    assert_non_null(strstr(act(f, "nobody", dev_snapshots_revert), "no snapshot of that name"));
    assert_string_equal(act(f, "slow", dev_snapshots_drop), "");
    assert_non_null(strstr(act(f, "slow", dev_snapshots_drop), "no snapshot of that name"));
}

static void note_taken(void *arg, const struct mempool_result *result)
{
    assert_int_equal(result->verdict.code, REJECT_NONE);
    *(bool *)arg = true;
}

static void take_in(struct fixture *f, struct builder_coin coin, struct tx *tx)
{
    bool is_done = false;
    *tx = builder_spend(&f->rig.builder, &coin, 1, TXS_MAX, 5000, BUILDER_WSH_TRUE);
    mempool_accept(f->rig.mempool, tx->raw, MEMPOOL_LOCAL, 0, note_taken, &is_done);
    rig_wait(&f->rig.chain, &is_done);
}

TEST(so_many_transactions_are_kept_and_not_one_more, struct fixture *f)
{
    const struct builder_spec spec = {.coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *first = builder_block(&f->rig.builder, f->rig.builder.genesis, &spec);
    struct tx tx[TXS_MAX + 1];
    rpc_rig_grow(&f->rig, builder_blocks(&f->rig.builder, first, 100, NULL));
    take_in(f, builder_coinbase_coin(first), &tx[0]);
    for (uint32_t i = 0; i + 1 < TXS_MAX; i++)
        take_in(f, builder_coin_of(&tx[0], i, BUILDER_WSH_TRUE), &tx[i + 1]);
    assert_string_equal(act(f, "full", dev_snapshots_make), "");
    assert_int_equal(f->told.n_txs, TXS_MAX);
    take_in(f, builder_coin_of(&tx[0], TXS_MAX - 1, BUILDER_WSH_TRUE), &tx[TXS_MAX]);
    assert_string_equal(act(f, "more", dev_snapshots_make),
                        "The mempool has 3 transactions, and a snapshot can keep 2 at most");
    assert_string_equal(act(f, "full", dev_snapshots_revert), "");
    assert_int_equal(mempool_count(f->rig.mempool), TXS_MAX);
    assert_null(mempool_find(f->rig.mempool, &tx[TXS_MAX].txid));
    assert_string_equal(act(f, "more", dev_snapshots_make), "");
}

TEST(a_hundred_snapshots_and_not_one_more, struct fixture *f)
{
    for (int i = 0; i < DEV_SNAPSHOTS_MAX; i++)
        assert_string_equal(act(f, "", dev_snapshots_make), "");
    assert_string_equal(act(f, "", dev_snapshots_make),
                        "There are 100 snapshots: dropsnapshot forgets one");
    assert_string_equal(act(f, "50", dev_snapshots_drop), "");
    assert_string_equal(act(f, "", dev_snapshots_make), "");
    assert_string_equal(f->told.name, "101");
    dev_snapshots_free(f->snapshots); /* the next run has them all, and the limit */
    open_snapshots(f);
    assert_non_null(dev_snapshots_at(f->snapshots, DEV_SNAPSHOTS_MAX - 1));
    assert_non_null(strstr(act(f, "x", dev_snapshots_make), "There are 100 snapshots"));
}
