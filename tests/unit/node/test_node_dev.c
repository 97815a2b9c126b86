/* test_node_dev.c - the first blocks of -dev are the same everywhere, and a clock that was set is
 * had again. */
#include "node/node_dev.h"

#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/array.h"
#include "util/hex.h"
#include "util/replace_file.h"

#define FIRST_HASH "297ed9b147ff4dba93bd4426e82e1cde93c414d7b9f77d16adc8b295aa797653"

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
    bool is_ours;
    assert_ptr_equal(view->keys, f->keys);
    assert_null(view->set_clock(view->ctx, real_s + 5000, &is_ours));
    assert_in_range(env_unix_s(env), real_s + 5000, real_s + 5001);
    struct node_env *next = node_env_new(sim_env_get(f->rig.sim));
    struct node_dev *dev = node_dev_new(&f->rig.log, f->keys, next, "regtest");
    assert_in_range(env_unix_s(node_env_env(next)), real_s + 5000, real_s + 5001);
    node_dev_free(dev);
    node_env_free(next);
    assert_null(view->set_clock(view->ctx, 0, &is_ours));
    assert_in_range(env_unix_s(env), real_s, real_s + 1);
}

/* The node would take its own tip for one from the future, at each start. */
TEST(a_clock_does_not_go_back_behind_the_tip, struct fixture *f)
{
    const struct rpc_dev *view = node_dev_view(f->dev);
    bool is_ours = true;
    node_dev_begin_chain(f->dev, f->rig.chain, on_done, f);
    rig_settle(&f->rig);
    int64_t tip_s = chain_tip(f->rig.chain)->time;
    assert_non_null(view->set_clock(view->ctx, tip_s - 7201, &is_ours));
    assert_false(is_ours);
    assert_null(view->set_clock(view->ctx, tip_s - 7200, &is_ours));
    assert_in_range(env_unix_s(node_env_env(f->node_env)), tip_s - 7200, tip_s - 7199);
}

TEST(a_file_without_a_clock_in_it_is_none, struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.sim);
    static const char *const texts[] = {"9223372036854775807", "-9223372036854775808", "soon", ""};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct node_env *next = node_env_new(env);
        assert_int_equal(replace_file(env, "regtest/dev_clock", span_of_string(texts[i])), 0);
        struct node_dev *dev = node_dev_new(NULL, f->keys, next, "regtest");
        assert_int_equal(node_env_offset_s(next), 0);
        node_dev_free(dev);
        node_env_free(next);
    }
}
