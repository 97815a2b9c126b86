/* test_filterindex.c - each block's filter and header, through reorganisations, crashes, damage. */
#include "chain/ask/filterindex.h"

#include <errno.h>

#include "chain/ask/block_filter.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110 };

static const char store_path[] = "regtest/indexes/blockfilter/basic/db";

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->options.filter_index = true;
    return fixture_before(f, N_BASE);
}

FIXTURE(setup, rig_teardown)

struct answer {
    bool is_done;
    int error;
    size_t n;
    size_t n_wanted; /* visited; 0: all */
    struct chain_filter got[4];
    struct block_hash block[4];
    uint8_t header[4][32];
    struct buffer filter[4];
};

static bool visit(void *arg, const struct chain_filter *filter)
{
    struct answer *answer = arg;
    size_t i = answer->n++;
    if (i < COUNT_OF(answer->got)) {
        answer->got[i] = *filter;
        answer->block[i] = *filter->block;
        memcpy(answer->header[i], filter->header, 32);
        buffer_append(&answer->filter[i], filter->filter.p, filter->filter.len);
    }
    return answer->n != answer->n_wanted;
}

static void done(void *arg, int error, size_t n_visited)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->error = error;
    assert_int_equal(n_visited, answer->n);
}

static void start_asking(struct chain_rig *rig, const struct built_block *last, int32_t first,
                         int32_t step, struct answer *answer)
{
    struct chain_filter_range range = {.first = first,
                                       .step = step,
                                       .last = chain_find(rig->chain, &last->block.hash),
                                       .wants_filters = true};
    assert_non_null(range.last);
    chain_visit_filters(rig->chain, &range, visit, done, answer);
}

static void ask(struct chain_rig *rig, const struct built_block *last, int32_t first, int32_t step,
                struct answer *answer)
{
    *answer = (struct answer){.n_wanted = answer->n_wanted};
    start_asking(rig, last, first, step, answer);
    rig_wait(rig, &answer->is_done);
}

static void answer_free(struct answer *answer)
{
    for (size_t i = 0; i < COUNT_OF(answer->filter); i++)
        buffer_deinit(&answer->filter[i]);
}

/* Block and filter of n blocks up to that one are what the block itself says; the first of them
 * links to what is before it. spent: the script that each transaction but the coinbase spends. */
static void assert_filter(struct chain_rig *rig, const struct built_block *block,
                          struct span spent_script)
{
    struct answer answer = {0};
    ask(rig, block, block->height > 0 ? block->height - 1 : 0, 1, &answer);
    assert_int_equal(answer.error, 0);
    size_t last = answer.n - 1;
    assert_int_equal(last, block->height > 0 ? 1 : 0);
    assert_memory_equal(answer.block[last].b, block->block.hash.b, 32);
    struct coin coins[8];
    struct undo undo = {.spent = coins};
    for (uint32_t i = 1; i < block->block.n_tx; i++)
        coins[undo.n_spent++].script_pubkey = spent_script;
    struct buffer want;
    uint8_t hash[32], header[32] = {0};
    buffer_init(&want);
    block_filter_build(&block->block, &undo, &want);
    assert_int_equal(answer.filter[last].len, want.len);
    assert_memory_equal(answer.filter[last].p, want.p, want.len);
    block_filter_hash(buffer_span(&want), hash);
    if (last > 0)
        memcpy(header, answer.header[0], 32);
    block_filter_header(hash, header, header);
    assert_memory_equal(answer.header[last], header, 32);
    buffer_deinit(&want);
    answer_free(&answer);
}

/* A block with a transaction that spends the coinbase of height 1; *spent: that one's script. */
static const struct built_block *with_tx(struct fixture *f, const struct built_block *prev,
                                         struct span *spent)
{
    const struct built_block *first = built_ancestor(f->base, 1);
    struct builder_coin coin = builder_coinbase_coin(first);
    struct tx tx = builder_spend(&f->b, &coin, 1, 2, 100, BUILDER_TRUE);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    *spent = first->block.tx[0].out[0].script_pubkey;
    return builder_block(&f->b, prev, &spec);
}

static int32_t synced_height(const struct chain_rig *rig)
{
    bool synced = false;
    int32_t height = -1;
    assert_true(chain_filterindex_status(rig->chain, &synced, &height));
    assert_true(synced);
    return height;
}

TEST(the_first_block_has_its_filter_from_the_start, struct fixture *f)
{
    assert_filter(&f->rig, f->b.genesis, (struct span){0});
}

TEST(each_block_has_its_filter_at_once, struct fixture *f)
{
    struct span spent;
    rig_accept_chain(&f->rig, f->base);
    const struct built_block *block = with_tx(f, f->base, &spent);
    assert_true(rig_accept(&f->rig, block).is_connected);
    assert_filter(&f->rig, block, spent);
    assert_filter(&f->rig, built_ancestor(block, 1), (struct span){0});
    assert_int_equal(synced_height(&f->rig), N_BASE + 1);
}

TEST(ranges_have_steps_and_may_be_left_early, struct fixture *f)
{
    struct answer answer = {0};
    rig_accept_chain(&f->rig, f->base);
    ask(&f->rig, f->base, 0, 50, &answer);
    assert_int_equal(answer.n, 3); /* 0, 50 and 100 */
    assert_int_equal(answer.got[2].height, 100);
    assert_memory_equal(answer.block[2].b, built_ancestor(f->base, 100)->block.hash.b, 32);
    answer_free(&answer);
    answer.n_wanted = 2;
    ask(&f->rig, f->base, 5, 1, &answer);
    assert_int_equal(answer.n, 2);
    assert_int_equal(answer.got[1].height, 6);
    answer_free(&answer);
}

/* A block that has left the chain is asked for by its hash. */
TEST(after_a_reorganisation_both_branches_have_filters, struct fixture *f)
{
    struct span spent;
    rig_accept_chain(&f->rig, f->base);
    const struct built_block *block = with_tx(f, f->base, &spent);
    assert_true(rig_accept(&f->rig, block).is_connected);
    const struct built_block *other = builder_blocks(&f->b, f->base, 3, NULL);
    rig_accept_chain(&f->rig, other);
    assert_true(rig_is_at(&f->rig, other));
    assert_filter(&f->rig, other, (struct span){0});
    assert_filter(&f->rig, block, spent);
    assert_int_equal(synced_height(&f->rig), N_BASE + 3);
}

TEST(a_block_that_was_never_connected_has_none, struct fixture *f)
{
    struct answer answer = {0};
    rig_accept_chain(&f->rig, f->base);
    const struct built_block *side = builder_block(&f->b, built_ancestor(f->base, 50), NULL);
    (void)rig_accept(&f->rig, side);
    ask(&f->rig, side, side->height, 1, &answer);
    assert_int_equal(answer.error, -ENOENT);
    assert_int_equal(answer.n, 0);
}

TEST(without_the_index_there_is_no_answer, struct fixture *f)
{
    struct answer answer = {0};
    struct chain_rig plain;
    rig_start(&plain, 2, &f->b, NULL);
    start_asking(&plain, f->b.genesis, 0, 1, &answer);
    assert_true(answer.is_done); /* within the call */
    assert_int_equal(answer.error, -ENOSYS);
    rig_deinit(&plain);
}

TEST(closing_answers_everybody, struct fixture *f)
{
    struct answer answers[3] = {{0}};
    rig_accept_chain(&f->rig, f->base);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        start_asking(&f->rig, f->base, 0, 1, &answers[i]);
    assert_int_equal(rig_close(&f->rig), 0);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_true(answers[i].is_done);
        answer_free(&answers[i]);
    }
}

TEST(switched_on_later_it_catches_up, struct fixture *f)
{
    struct span spent;
    struct chain_rig later;
    const struct built_block *tip = with_tx(f, f->base, &spent);
    rig_start(&later, 3, &f->b, NULL);
    rig_accept_chain(&later, tip);
    assert_int_equal(rig_close(&later), 0);
    later.options.filter_index = true;
    rig_open(&later);
    rig_settle(&later);
    assert_int_equal(synced_height(&later), tip->height);
    assert_filter(&later, tip, spent);
    rig_deinit(&later);
}

static void damage(struct fixture *f, char part, const struct built_block *block, bool is_gone)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    uint8_t key[6 + 32] = {'f', 0, 0, 0, (uint8_t)block->height, (uint8_t)part};
    memcpy(key + 6, block->block.hash.b, 32);
    assert_int_equal(rig_close(&f->rig), 0);
    assert_int_equal(env_kv_open(env, store_path, &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    if (is_gone)
        env_batch_delete(env, batch, span_of(key, sizeof key));
    else
        env_batch_put(env, batch, span_of(key, sizeof key), span_of("damage", 6));
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
    rig_open(&f->rig);
    rig_settle(&f->rig);
}

/* A row that is not what it must be is never told: all is made anew, with a warning. */
TEST(damaged_rows_are_noticed_and_made_anew, struct fixture *f)
{
    static const struct {
        char part;
        bool is_gone;
    } rows[] = {{0, false}, {1, false}, {1, true}};
    rig_accept_chain(&f->rig, f->base);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct answer answer = {0};
        damage(f, rows[i].part, built_ancestor(f->base, 7), rows[i].is_gone);
        ask(&f->rig, f->base, 7, 1, &answer);
        assert_int_equal(answer.error, -EUCLEAN);
        assert_int_equal(answer.n, 0);
        rig_settle(&f->rig);
        assert_int_equal(f->rig.n_warnings, i + 1);
        assert_non_null(strstr(f->rig.warning, "index of block filters"));
        assert_filter(&f->rig, built_ancestor(f->base, 7), (struct span){0});
        assert_int_equal(synced_height(&f->rig), N_BASE);
        answer_free(&answer);
    }
    assert_int_equal(f->rig.n_faults, 0);
}

/* The header of the last block is missing when the next one comes. */
TEST(a_chain_of_headers_that_is_broken_is_made_anew, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    damage(f, 0, f->base, true);
    const struct built_block *next = builder_block(&f->b, f->base, NULL);
    assert_true(rig_accept(&f->rig, next).is_connected);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_warnings, 1);
    assert_filter(&f->rig, next, (struct span){0});
    assert_int_equal(synced_height(&f->rig), N_BASE + 1);
}

/* Undo data that is not the block's says nothing about the index: it stops, and keeps what it has.
 */
TEST(undo_data_of_another_block_stops_it, struct fixture *f)
{
    struct span spent;
    const struct built_block *one = with_tx(f, f->base, &spent);
    struct builder_coin coins[2] = {builder_coinbase_coin(built_ancestor(f->base, 2)),
                                    builder_coinbase_coin(built_ancestor(f->base, 3))};
    struct tx tx = builder_spend(&f->b, coins, 2, 1, 100, BUILDER_TRUE);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    const struct built_block *two = builder_block(&f->b, one, &spec);
    struct chain_rig later;
    rig_start(&later, 3, &f->b, NULL);
    rig_accept_chain(&later, two);
    assert_int_equal(rig_close(&later), 0);
    later.options.filter_index = true;
    rig_open(&later);
    header_tree_find(tree_of(later.chain), &one->block.hash)->undo =
        chain_find(later.chain, &two->block.hash)->undo;
    rig_settle(&later);
    bool synced;
    int32_t height;
    assert_true(chain_filterindex_status(later.chain, &synced, &height));
    assert_int_equal(height, N_BASE);
    assert_int_equal(later.n_warnings, 1);
    assert_non_null(strstr(later.warning, "cannot be read"));
    assert_filter(&later, f->base, (struct span){0});
    rig_deinit(&later);
}

/* While it is behind, what it has is told at once; the rest waits until it is there, not longer. */
TEST(old_filters_do_not_wait_for_the_tip, struct fixture *f)
{
    enum { MORE = 200 };
    const struct built_block *last = builder_blocks(&f->b, f->base, MORE, NULL);
    const struct built_block *middle = built_ancestor(last, N_BASE + MORE / 2);
    rig_accept_chain(&f->rig, f->base);
    struct index_follower *follower = filterindex_follower_of(f->rig.chain);
    follower->is_broken = true; /* it stays where it is */
    rig_accept_chain(&f->rig, last);
    follower->is_broken = false;
    struct answer old = {0}, half = {0};
    start_asking(&f->rig, f->base, N_BASE, 1, &old);
    start_asking(&f->rig, middle, middle->height, 1, &half);
    rig_wait(&f->rig, &old.is_done);
    assert_int_equal(old.error, 0);
    assert_in_range(follower->at->height, N_BASE, middle->height - 1);
    core_wake(core_of(f->rig.chain));
    rig_wait(&f->rig, &half.is_done);
    assert_int_equal(half.error, 0);
    assert_in_range(follower->at->height, middle->height, last->height - 1);
    answer_free(&old);
    answer_free(&half);
}

static void crash_once(struct fixture *f, enum sim_crash how, uint64_t steps,
                       const struct built_block *b)
{
    struct chain_rig rig;
    rig_init(&rig, sim_env_crash(f->rig.sim, SIM_CRASH_KILLED, steps), &f->b, &f->options);
    rig_open(&rig);
    rig_announce(&rig, b);
    for (int32_t at = N_BASE + 1; at <= b->height; at++)
        rig_submit(&rig, built_ancestor(b, at));
    for (uint64_t i = 0; i < steps; i++)
        (void)sim_env_step(rig.sim);
    rig_crash(&rig, how, steps);
    rig_open(&rig);
    rig_accept_chain(&rig, b);
    assert_int_equal(synced_height(&rig), b->height);
    for (int32_t at = N_BASE; at <= b->height; at++)
        if (built_ancestor(b, at)->block.n_tx == 1)
            assert_filter(&rig, built_ancestor(b, at), (struct span){0});
    assert_int_equal(rig.n_warnings, 0);
    rig_deinit(&rig);
}

/* Whatever a crash takes, each block of the chain has its filter, and each header its predecessor:
 * hazard 76. */
TEST(after_a_crash_no_filter_is_missing, struct fixture *f)
{
    struct span spent;
    rig_accept_chain(&f->rig, f->base);
    assert_int_equal(rig_flush(&f->rig), 0);
    const struct built_block *old = with_tx(f, f->base, &spent);
    rig_accept_chain(&f->rig, old);
    const struct built_block *b = builder_blocks(&f->b, f->base, 6, NULL);
    for (int how = SIM_CRASH_KILLED; how <= SIM_CRASH_LOST; how++)
        for (uint64_t steps = 0; steps < 400; steps += 23)
            crash_once(f, (enum sim_crash)how, steps, b);
}
