/* dev_fixture.h - calls to a node with the keys of -dev. */
#ifndef UNIT_RPC_DEV_FIXTURE_H
#define UNIT_RPC_DEV_FIXTURE_H

#include "spend/keys/dev_keys.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

struct fixture {
    struct rpc_rig rig;
    struct ec_context *ec;
    struct dev_keys *keys;
    struct rpc_dev dev;
    int64_t clock_s;
    const char *clock_error;
    bool is_askers_fault;
};

static inline const char *fixture_set_clock(void *ctx, int64_t unix_s, bool *is_ours)
{
    struct fixture *f = ctx;
    f->clock_s = unix_s;
    *is_ours = !f->is_askers_fault;
    return f->clock_error;
}

static inline void fixture_act(void *ctx, const char *name, rpc_dev_fn *done, void *arg)
{
    struct fixture *f = ctx;
    struct rpc_dev_snapshot told = {.height = 7, .n_txs = 2};
    snprintf(told.name, sizeof told.name, "%s", *name ? name : "1");
    done(arg, &told, f->clock_error, *name != '!');
}

static inline const struct rpc_dev_snapshot *fixture_at(void *ctx, size_t index)
{
    static const struct rpc_dev_snapshot row = {.name = "only"};
    (void)ctx;
    return index == 0 ? &row : NULL;
}

static inline int set_up(void **state)
{
    static const uint8_t seed[32] = {1};
    struct fixture *f = *state = xcalloc(1, sizeof *f);
    f->ec = ec_context_new(seed);
    f->keys = dev_keys_new(f->ec, network_get(NETWORK_REGTEST));
    f->dev = (struct rpc_dev){.ctx = f,
                              .keys = f->keys,
                              .set_clock = fixture_set_clock,
                              .snapshot = fixture_act,
                              .revert = fixture_act,
                              .drop = fixture_act,
                              .at = fixture_at};
    rpc_rig_init(&f->rig, NULL, NULL);
    rpc_rig_add_mempool(&f->rig, NULL);
    f->rig.node.dev = &f->dev;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    rpc_rig_deinit(&f->rig);
    xfree(f->keys);
    ec_context_free(f->ec);
    xfree(f);
    return 0;
}

#endif
