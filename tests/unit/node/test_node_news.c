/* test_node_news.c - which of the connected blocks are tips. */
#include "node/node_news.h"

#include "support/chain_builder.h"
#include "support/unit.h"
#include "util/alloc.h"

static void hear(void *ctx, const struct node_news *news)
{
    static const char letters[] = "CDTX";
    strncat(ctx, &letters[news->kind], 1);
}

static void count(void *ctx, const char *hash)
{
    assert_int_equal(strlen(hash), 64);
    ++*(int *)ctx;
}

struct desk_world {
    int n_noticed;
    char heard[64];
    struct news_desk desk;
    struct chain_builder builder;
    struct block_ref *ref;
    struct block_node nodes[5]; /* each with more work than the one before */
};

static int start(void **state)
{
    struct desk_world *w = xcalloc(1, sizeof *w);
    *state = w;
    w->desk = (struct news_desk){
        .ctx = w->heard, .tell = hear, .notice = count, .notice_ctx = &w->n_noticed};
    chain_builder_init(&w->builder);
    struct span raw = w->builder.genesis->block.raw;
    w->ref = block_ref_take(xmemdup(raw.p, raw.len), raw.len);
    for (uint32_t i = 0; i < COUNT_OF(w->nodes); i++)
        w->nodes[i].chain_work = u256_of(i + 1);
    return 0;
}

static int end(void **state)
{
    struct desk_world *w = *state;
    news_desk_deinit(&w->desk);
    block_ref_drop(w->ref);
    chain_builder_deinit(&w->builder);
    xfree(w);
    return 0;
}

FIXTURE(start, end)

TEST(each_block_on_the_tip_is_one, struct desk_world *w)
{
    news_block_connected(&w->desk, &w->nodes[0], w->ref, false);
    news_block_connected(&w->desk, &w->nodes[1], w->ref, false);
    news_tip_changed(&w->desk, &w->nodes[1], false);
    assert_string_equal(w->heard, "CTCT");
    assert_int_equal(w->n_noticed, 2);
    news_tip_changed(&w->desk, &w->nodes[0], false); /* one was taken back */
    assert_int_equal(w->n_noticed, 3);
}

TEST(of_a_branch_those_with_more_work_are, struct desk_world *w)
{
    news_block_connected(&w->desk, &w->nodes[1], w->ref, false);
    news_tip_changed(&w->desk, &w->nodes[1], false);
    news_block_disconnected(&w->desk, &w->nodes[1], w->ref);
    for (int i = 1; i < 4; i++)
        news_block_connected(&w->desk, &w->nodes[i], w->ref, false);
    assert_string_equal(w->heard, "CTDCCTCT");
}

TEST(below_a_tip_that_was_taken_back_too, struct desk_world *w)
{
    news_tip_changed(&w->desk, &w->nodes[3], false);
    news_block_disconnected(&w->desk, &w->nodes[3], w->ref);
    news_tip_changed(&w->desk, &w->nodes[1], false);
    news_block_connected(&w->desk, &w->nodes[2], w->ref, false);
    assert_string_equal(w->heard, "DCT");
}

TEST(of_the_initial_download_only_the_last_is, struct desk_world *w)
{
    news_block_connected(&w->desk, &w->nodes[0], w->ref, true);
    news_tip_changed(&w->desk, &w->nodes[0], true);
    news_block_connected(&w->desk, &w->nodes[1], w->ref, true);
    news_block_connected(&w->desk, &w->nodes[2], w->ref, true);
    news_tip_changed(&w->desk, &w->nodes[2], false);
    assert_string_equal(w->heard, "CCCT");
}
