/* test_node_fetch.c - a set of coins from peers: what the chain refuses is fetched from others. */
#include "node/node_fetch.h"

#include <string.h>

#include "support/snapshot_mesh.h"

FIXTURE(scene_setup, scene_teardown)

#define PART "regtest/" NODE_FETCH_FILE

static struct node_fetch *make(struct scene *s, uint64_t seed)
{
    struct mesh_node *node = fixture_node(&s->f, seed, NULL, NULL);
    scene_give_headers(s);
    return node_fetch_new(NULL, node->chain, node->mempool, node->p2p, "regtest");
}

static struct rpc_coins_fetch_info told(const struct node_fetch *fetch)
{
    struct rpc_coins_fetch_info info;
    const struct rpc_coins_fetch *view = node_fetch_view(fetch);
    view->tell(view->ctx, &info);
    return info;
}

static const char *order(struct scene *s, const struct node_fetch *fetch)
{
    const struct rpc_coins_fetch *view = node_fetch_view(fetch);
    struct coin_vouch vouch = {.base = s->base->block.hash, .coins_hash = {1}};
    return view->start(view->ctx, &vouch);
}

/* The file of the scene has a good head and nonsense behind it. */
TEST(what_is_no_set_of_coins_is_left_and_another_looked_for, struct scene *s)
{
    struct node_fetch *fetch = make(s, 1);
    const struct rpc_coins_fetch *view = node_fetch_view(fetch);
    assert_string_equal(told(fetch).state, "none");
    assert_null(order(s, fetch));
    assert_string_equal(order(s, fetch), "Coins are being fetched already");
    struct raw_peer *raw = raw_source(s, &s->offer);
    assert_string_equal(told(fetch).state, "fetching");
    assert_int_equal(told(fetch).n_chunks, SNAP_CHUNKS);
    raw_serve(s, raw);
    mesh_run(&s->f.mesh, 5000000);
    assert_true(raw->is_closed);
    assert_int_equal(told(fetch).n_left, 1);
    assert_string_equal(told(fetch).state, "waiting");
    assert_string_equal(told(fetch).path, PART);
    assert_true(view->stop(view->ctx));
    mesh_run(&s->f.mesh, 1000000);
    assert_string_equal(told(fetch).state, "none");
    assert_false(view->stop(view->ctx));
    node_fetch_free(fetch);
}

TEST(a_fetch_that_ends_says_why, struct scene *s)
{
    struct node_fetch *fetch = make(s, 2);
    assert_null(order(s, fetch));
    struct raw_peer *raw = raw_source(s, &s->offer);
    sim_disk_fail(sim_env_disk(s->f.node->sim), SIM_OP_WRITE, 0, -28, true);
    raw_serve(s, raw);
    mesh_run(&s->f.mesh, 1000000);
    assert_string_equal(told(fetch).state, "failed");
    assert_string_equal(told(fetch).error, "No space left on device");
    sim_disk_fail(sim_env_disk(s->f.node->sim), 0, 0, 0, false);
    node_fetch_free(fetch);
}

TEST(the_option_means_nothing_to_a_chain_on_its_way, struct scene *s)
{
    struct node_fetch *fetch = make(s, 3);
    struct coin_vouch vouch = {.base = s->base->block.hash};
    node_fetch_at_start(fetch, NULL);
    assert_string_equal(told(fetch).state, "none");
    mesh_give(s->f.node, s->base);
    node_fetch_at_start(fetch, &vouch);
    assert_string_equal(told(fetch).state, "none");
    node_fetch_free(fetch);
}
