/* test_block_direct.c - new blocks, asked of who tells of their headers: both sides of each limit.
 */
#include "p2p/blocks/block_direct.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

#define MS    INT64_C(1000)
#define CHAIN (BLOCK_DIRECT_MAX + 4)

FIXTURE(mesh_setup, mesh_teardown)

/* A node at the tenth block, which is new; a fork of the ninth, and how it goes on. */
struct set {
    const struct built_block *tip, *next[CHAIN], *fork[CHAIN];
};

static struct set set_up(struct fixture *f, uint64_t seed)
{
    struct set set;
    struct mesh_node *node = fixture_node(f, seed, NULL, NULL);
    set.tip = builder_blocks(&f->builder, f->builder.genesis, 10, NULL);
    builder_blocks(&f->builder, set.tip, CHAIN, set.next);
    builder_blocks(&f->builder, set.tip->prev, CHAIN, set.fork);
    mesh_give(node, set.tip);
    sim_env_set_unix_s(node->sim, set.tip->block.header.time + 60);
    return set;
}

/* The next request is for these n blocks, in that order; none comes if n is 0. */
static void expect_asked(struct raw_peer *raw, const struct built_block *const *blocks, size_t n)
{
    struct span asked = raw_find(raw, "getdata", 150 * MS);
    if (n == 0) {
        assert_null(asked.p);
        return;
    }
    assert_non_null(asked.p);
    assert_int_equal(asked.len, 1 + 36 * n);
    for (size_t i = 0; i < n; i++)
        assert_memory_equal(asked.p + 1 + 36 * i + 4, blocks[i]->block.hash.b, 32);
}

TEST(sixteen_blocks_are_asked_of_who_tells_of_them, struct fixture *f)
{
    struct set set = set_up(f, 1);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, NODE_WITNESS);
    raw_send_headers(raw, set.next, 3);
    expect_asked(raw, set.next, 3);
    raw_send_headers(raw, set.next + 3, BLOCK_DIRECT_MAX - 2); /* one more than there is room for */
    expect_asked(raw, set.next + 3, BLOCK_DIRECT_MAX - 3);
    raw_send_headers(raw, set.next + BLOCK_DIRECT_MAX + 1, 1);
    expect_asked(raw, NULL, 0);
    for (size_t i = 0; i < CHAIN; i++)
        raw_send_block(raw, set.next[i]);
    assert_true(mesh_wait_tip(&f->mesh, set.next[CHAIN - 1], 10) >= 0);
}

TEST(no_block_is_asked_of_a_chain_that_left_ours_long_ago, struct fixture *f)
{
    struct set set = set_up(f, 2);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, NODE_WITNESS);
    raw_send_headers(raw, set.next, BLOCK_DIRECT_MAX + 2);
    expect_asked(raw, NULL, 0);
    struct raw_peer *other = raw_join(&f->mesh, f->node, NODE_WITNESS);
    raw_send_headers(other, set.next, BLOCK_DIRECT_MAX + 1); /* one block less */
    expect_asked(other, set.next, BLOCK_DIRECT_MAX);
}

TEST(a_fork_is_asked_for_when_it_is_worth_as_much_as_the_tip, struct fixture *f)
{
    struct set set = set_up(f, 3);
    const struct built_block *tip = builder_block(&f->builder, set.tip, NULL);
    mesh_give(f->node, tip);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, NODE_WITNESS);
    raw_send_headers(raw, set.fork, 1);
    expect_asked(raw, NULL, 0);
    raw_send_headers(raw, set.fork + 1, 1);
    expect_asked(raw, set.fork, 2);
}

TEST(nothing_is_asked_so_while_the_tip_is_old, struct fixture *f)
{
    struct set set = set_up(f, 4);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, NODE_WITNESS);
    uint32_t limit_s = set.tip->block.header.time + BLOCK_FETCH_CURRENT * 600;
    sim_env_set_unix_s(f->node->sim, limit_s);
    raw_send_headers(raw, set.next, 1);
    expect_asked(raw, NULL, 0);
    sim_env_set_unix_s(f->node->sim, limit_s - 1);
    raw_send_headers(raw, set.next, 2);
    expect_asked(raw, set.next, 2);
}

TEST(who_has_no_witnesses_is_not_asked, struct fixture *f)
{
    struct set set = set_up(f, 5);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, NODE_NETWORK);
    raw_send_headers(raw, set.next, 1);
    expect_asked(raw, NULL, 0);
}

/* The first to tell of a block is asked for it, and nobody else while it may still come. */
TEST(one_peer_is_asked_for_a_block_that_two_tell_of, struct fixture *f)
{
    struct set set = set_up(f, 6);
    struct raw_peer *one = raw_join(&f->mesh, f->node, NODE_WITNESS);
    struct raw_peer *two = raw_join(&f->mesh, f->node, SERVICES);
    raw_send_headers(one, set.next, 2);
    raw_send_headers(two, set.next, 2);
    mesh_run(&f->mesh, 100 * MS);
    assert_int_equal(raw_count(one, "getdata"), 1);
    assert_int_equal(raw_count(two, "getdata"), 0);
}

/* Who owes a block and is silent could hold up the next one as well, by telling of it first. */
TEST(who_is_silent_is_asked_for_more_only_if_nobody_else_has_it, struct fixture *f)
{
    struct set set = set_up(f, 7);
    struct raw_peer *silent = raw_join(&f->mesh, f->node, SERVICES);
    struct raw_peer *two = raw_join(&f->mesh, f->node, SERVICES);
    raw_send_headers(silent, set.next, 1);
    expect_asked(silent, set.next, 1);
    mesh_run(&f->mesh, 2 * BLOCK_LATE_STALL_US);
    raw_send_headers(two, set.next, 2);
    (void)raw_expect(two, "getdata");
    raw_send_headers(silent, set.next + 1, 1);
    expect_asked(silent, NULL, 0);
    raw_send_headers(silent, set.next + 2, 1);
    expect_asked(silent, set.next + 2, 1);
}
