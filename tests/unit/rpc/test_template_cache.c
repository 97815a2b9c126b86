/* test_template_cache.c - how long a template is told again, and what is kept of it. */
#include "rpc/template_cache.h"

#include "support/build.h"
#include "support/unit.h"

#define NOW_S INT64_C(1700000000)

/* A template with a transaction, and another that spends it. */
static struct block_template make(const struct block_node *prev, struct mempool_entry entries[2],
                                  struct arena *arena)
{
    struct block_template template = {.prev = prev, .n_tx = 2, .mempool_updates = 7};
    arena_init(&template.arena, 1024);
    template.tx = arena_calloc(&template.arena, 2, sizeof *template.tx);
    template.txs = arena_calloc(&template.arena, 2, sizeof *template.txs);
    for (uint32_t i = 0; i < 2; i++) {
        entries[i] = (struct mempool_entry){.tx = build_tx(arena, i + 1, 1, 1),
                                            .fee_sat = 10 + i,
                                            .sigops_cost = 8,
                                            .weight_wu = 400};
        tx_finish(&entries[i].tx, arena);
        template.tx[i].entry = &entries[i];
        template.txs[i] = entries[i].tx;
    }
    template.tx[1].depends = arena_alloc(&template.arena, sizeof(uint32_t));
    template.tx[1].depends[0] = 1;
    template.tx[1].n_depends = 1;
    return template;
}

TEST(a_template_holds_until_tip_or_mempool_have_changed_for_a_while)
{
    /* clang-format off */
    static const struct { int tip; uint64_t updates; int64_t later_s; bool want; } rows[] = {
        {0, 7, 0, true}, {0, 7, 100000, true},
        {0, 8, 0, true}, {0, 8, 5, true}, {0, 8, 6, false},
        {1, 7, 0, false}, {1, 8, 0, false},
    };
    /* clang-format on */
    struct block_node tips[2] = {{.height = 1}, {.height = 2}};
    struct mempool_entry entries[2];
    struct template_cache cache = {.is_filled = false};
    struct arena arena;
    arena_init(&arena, 1024);
    assert_false(template_cache_holds(&cache, &tips[0], 7, NOW_S));
    struct block_template template = make(&tips[0], entries, &arena);
    template_cache_fill(&cache, &template, NOW_S);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(template_cache_holds(&cache, &tips[rows[i].tip], rows[i].updates,
                                              NOW_S + rows[i].later_s),
                         rows[i].want);
    template_cache_drop(&cache);
    assert_false(template_cache_holds(&cache, &tips[0], 7, NOW_S));
    template_cache_drop(&cache);
    arena_deinit(&arena);
}

TEST(the_text_outlives_the_transactions)
{
    struct block_node tip = {.height = 1};
    struct template_cache cache = {.is_filled = false};
    for (int round = 0; round < 3; round++) {
        struct mempool_entry entries[2];
        struct arena arena;
        arena_init(&arena, 1024);
        struct block_template template = make(&tip, entries, &arena);
        template.has_witness_rules = round > 0; /* before, operations count a fourth */
        template_cache_fill(&cache, &template, NOW_S + round);
        arena_deinit(&arena);
        memset(entries, 0xee, sizeof entries);
        char *text = test_calloc(1, cache.text.len + 1);
        memcpy(text, cache.text.p, cache.text.len);
        assert_int_equal(strncmp(text, "[{\"data\":\"0200000001", 20), 0);
        assert_non_null(strstr(text, round > 0
                                         ? ",\"depends\":[],\"fee\":10,\"sigops\":8,\"weight\":400}"
                                         : ",\"depends\":[],\"fee\":10,\"sigops\":2,"));
        assert_non_null(strstr(text, ",\"depends\":[1],\"fee\":11,"));
        assert_null(cache.template.tx);
        test_free(text);
    }
    template_cache_drop(&cache);
}
