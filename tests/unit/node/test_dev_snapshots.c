/* test_dev_snapshots.c - snapshots by name: made, read again, gone back to, forgotten. */
#include "node/dev_snapshots.h"

#include <string.h>

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

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
    f->snapshots = dev_snapshots_new(&f->rig.log, f->node_env, "regtest", keep_clock, f);
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
