/* test_header_ask.c - locators, and one question at a time. */
#include "p2p/headers/header_ask.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(locators_step_back_twice_as_far_each_time, struct fixture *f)
{
    mesh_init(&f->mesh, 41, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 1000, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    struct buffer locator;
    buffer_init(&locator);
    header_locator(chain_tip(a->chain), &locator);
    static const int32_t heights[] = {1000, 999, 998, 997, 996, 995, 994, 993, 992, 991,
                                      989,  985, 977, 961, 929, 865, 737, 481, 0};
    assert_int_equal(locator.p[0], COUNT_OF(heights));
    assert_int_equal(locator.len, 1 + 32 * COUNT_OF(heights));
    for (size_t i = 0; i < COUNT_OF(heights); i++)
        assert_memory_equal(locator.p + 1 + 32 * i, chain_at(a->chain, heights[i])->hash.b, 32);
    locator.len = 0;
    header_locator(chain_at(a->chain, 0), &locator);
    assert_int_equal(locator.p[0], 1);
    buffer_deinit(&locator);
}

/* A peer that is asked is not asked again before it has answered, or the question is old. */
TEST(a_question_that_is_open_waits_for_its_answer, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 43, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    struct peer *peer = a->p2p->peers;
    mesh_run(&f->mesh, 400000);
    size_t n = raw_count(raw, "getheaders");
    assert_true(header_is_asked(a->p2p, peer));
    assert_false(header_ask_is_due(a->p2p, peer));
    header_ask_soon(a->p2p, peer);
    mesh_run(&f->mesh, 300000);
    assert_int_equal(raw_count(raw, "getheaders"), n);
    peer->headers.is_asked = false; /* answered */
    assert_true(header_ask_is_due(a->p2p, peer));
    assert_true(header_is_asked(a->p2p, peer)); /* more may come for a while */
    header_ask_soon(a->p2p, peer);
    mesh_run(&f->mesh, 300000);
    assert_int_equal(raw_count(raw, "getheaders"), n + 1);
    assert_false(header_ask_is_due(a->p2p, peer));
    mesh_run(&f->mesh, HEADER_ASK_PAUSE_US);
    assert_true(header_ask_is_due(a->p2p, peer));
}

/* A header came first whose block was tampered with, and then another block with as much work. */
TEST(what_follows_the_tip_is_asked_for_where_no_header_is_better, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 44, NULL, NULL);
    struct builder_spec spec = {.extra_sat = -1};
    const struct built_block *first = builder_block(&f->builder, f->builder.genesis, NULL);
    const struct built_block *other = builder_block(&f->builder, f->builder.genesis, &spec);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(raw, &first, 1);
    (void)raw_expect(raw, "getdata");
    mesh_give(a, other);
    mesh_run(&f->mesh, 3000000);
    assert_memory_equal(chain_best_header(a->chain)->hash.b, first->block.hash.b, 32);
    while (raw_find(raw, "getheaders", 0).p)
        continue;
    header_ask(a->p2p, a->p2p->peers, NULL);
    struct span asked = raw_expect(raw, "getheaders");
    assert_memory_equal(asked.p + 5, other->block.hash.b, 32);
}
