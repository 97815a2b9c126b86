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
};

static inline const char *fixture_set_clock(void *ctx, int64_t unix_s)
{
    struct fixture *f = ctx;
    f->clock_s = unix_s;
    return f->clock_error;
}

static inline int set_up(void **state)
{
    static const uint8_t seed[32] = {1};
    struct fixture *f = *state = xcalloc(1, sizeof *f);
    f->ec = ec_context_new(seed);
    f->keys = dev_keys_new(f->ec, network_get(NETWORK_REGTEST));
    f->dev = (struct rpc_dev){.ctx = f, .keys = f->keys, .set_clock = fixture_set_clock};
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
