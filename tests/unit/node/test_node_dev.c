/* test_node_dev.c - the first blocks of -dev are the same everywhere, and a clock that was set is
 * had again. */
#include "node/node_dev.h"

#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define FIRST_HASH "06a13d89b37b1963c4295f8fad3a693988eba9c0116b53689aa27fb165ffb03b"

struct fixture {
    struct chain_builder builder;
    struct chain_rig rig;
    struct ec_context *ec;
    struct dev_keys *keys;
    struct node_env *node_env;
    struct node_dev *dev;
    size_t n_done;
};

static int set_up(void **state)
{
    static const uint8_t seed[32] = {1};
    struct fixture *f = *state = xcalloc(1, sizeof *f);
    chain_builder_init(&f->builder);
    rig_start(&f->rig, 1, &f->builder, NULL);
    f->ec = ec_context_new(seed);
    f->keys = dev_keys_new(f->ec, network_get(NETWORK_REGTEST));
    f->node_env = node_env_new(sim_env_get(f->rig.sim));
    f->dev = node_dev_new(&f->rig.log, f->keys, f->node_env, "regtest");
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    node_dev_free(f->dev);
    node_env_free(f->node_env);
    xfree(f->keys);
    ec_context_free(f->ec);
    rig_deinit(&f->rig);
    chain_builder_deinit(&f->builder);
    xfree(f);
    return 0;
}

FIXTURE(set_up, tear_down)

static void on_done(void *arg)
{
    ((struct fixture *)arg)->n_done++;
}

/* Whatever the clock and the seed of the machine are: the hash is the one that cairnd has. */
TEST(the_first_blocks_are_the_same_everywhere, struct fixture *f)
{
    char hash[HEX_ID_BYTES];
    node_dev_begin_chain(f->dev, f->rig.chain, on_done, f);
    rig_settle(&f->rig);
    assert_int_equal(f->n_done, 1);
    const struct block_node *tip = chain_tip(f->rig.chain);
    assert_int_equal(tip->height, 110);
    hex_encode_reversed(hash, span_of(chain_at(f->rig.chain, 1)->hash.b, 32));
    assert_string_equal(hash, FIRST_HASH);
    node_dev_begin_chain(f->dev, f->rig.chain, on_done, f);
    assert_int_equal(f->n_done, 2);
    assert_ptr_equal(chain_tip(f->rig.chain), tip);
}

TEST(a_clock_that_was_set_goes_on_and_is_had_again, struct fixture *f)
{
    const struct rpc_dev *view = node_dev_view(f->dev);
    const struct env *env = node_env_env(f->node_env);
    int64_t real_s = env_unix_s(env);
    assert_ptr_equal(view->keys, f->keys);
    assert_null(view->set_clock(view->ctx, real_s + 5000));
    assert_in_range(env_unix_s(env), real_s + 5000, real_s + 5001);
    struct node_env *next = node_env_new(sim_env_get(f->rig.sim));
    struct node_dev *dev = node_dev_new(&f->rig.log, f->keys, next, "regtest");
    assert_in_range(env_unix_s(node_env_env(next)), real_s + 5000, real_s + 5001);
    node_dev_free(dev);
    node_env_free(next);
    assert_null(view->set_clock(view->ctx, 0));
    assert_in_range(env_unix_s(env), real_s, real_s + 1);
}
