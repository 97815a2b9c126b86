/* test_accept.c - headers and blocks coming in: what is refused, what that means for their name,
 * and what is stored of what nobody asked for. */
#include <errno.h>

#include "consensus/opcodes.h"
#include "support/build.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 20 };

static int setup(void **state)
{
    struct chain_options options = {.check_invariants = true};
    (void)fixture_at(state, N_BASE, &options);
    return 0;
}

FIXTURE(setup, sound_teardown)

struct answer {
    bool is_done;
    struct chain_block_result result;
};

static void note_result(void *arg, const struct chain_block_result *result)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->result = *result;
}

/* Hand raw bytes over. */
static struct chain_block_result accept_raw(struct fixture *f, const void *p, size_t len, int flags)
{
    struct answer answer = {0};
    chain_accept_block(f->rig.chain, xmemdup(p, len), len, flags, note_result, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer.result;
}

static struct chain_block_result accept_as(struct fixture *f, const struct built_block *block,
                                           int flags)
{
    return accept_raw(f, block->block.raw.p, block->block.raw.len, flags);
}

/* -- Headers ------------------------------------------------------------------------------------
 */

static enum reject header_verdict(struct fixture *f, struct block_header header, bool with_work)
{
    struct block block = {.header = header, .n_tx = 1};
    struct tx coinbase = build_coinbase(&f->b.arena, 1, 0);
    block.tx = &coinbase;
    if (with_work)
        build_grind(&f->b.arena, &block, &f->b.network);
    struct verdict verdict;
    const struct block_node *node = chain_accept_header(f->rig.chain, &block.header, &verdict);
    assert_int_equal(node != NULL, verdict.code == REJECT_NONE);
    return verdict.code;
}

TEST(headers_are_refused_for_what_they_say, struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct block_header good = builder_block(&f->b, f->base, NULL)->block.header;
    int64_t mtp_s = block_node_mtp(chain_tip(f->rig.chain));
    assert_int_equal(header_verdict(f, good, false), REJECT_NONE);
    struct block_header header = good;
    header.prev.b[0] ^= 1;
    assert_int_equal(header_verdict(f, header, true), REJECT_PREV_NOT_FOUND);
    header = good;
    header.bits = 0x207ffffe;
    assert_int_equal(header_verdict(f, header, true), REJECT_BAD_DIFFBITS);
    header = good;
    header.time = (uint32_t)mtp_s;
    assert_int_equal(header_verdict(f, header, true), REJECT_TIME_TOO_OLD);
    header.time = (uint32_t)mtp_s + 1;
    assert_int_equal(header_verdict(f, header, true), REJECT_NONE);
    header.time = (uint32_t)(env_unix_s(env) + 7201);
    assert_int_equal(header_verdict(f, header, true), REJECT_TIME_TOO_NEW);
    header.time--;
    assert_int_equal(header_verdict(f, header, true), REJECT_NONE);
    header = good;
    header.version = 3;
    assert_int_equal(header_verdict(f, header, true), REJECT_BAD_VERSION);
    header = good;
    header.bits = 0x1d00ffff; /* much more work than it has */
    assert_int_equal(header_verdict(f, header, false), REJECT_HIGH_HASH);
}

TEST(a_block_of_the_future_may_come_again_later, struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.sim);
    int64_t now_s = env_unix_s(env);
    struct builder_spec spec = {.time = (uint32_t)(now_s + 7500)};
    const struct built_block *block = builder_block(&f->b, f->base, &spec);
    struct chain_block_result result = accept_as(f, block, 0);
    assert_int_equal(result.verdict.code, REJECT_TIME_TOO_NEW);
    assert_int_equal(reject_class(result.verdict.code), REJECT_CLASS_EARLY);
    assert_null(chain_find(f->rig.chain, &block->block.hash));
    sim_env_set_unix_s(f->rig.sim, now_s + 301);
    assert_true(accept_as(f, block, 0).is_connected);
}

TEST(a_header_without_its_block_is_known_and_not_stored, struct fixture *f)
{
    const struct built_block *block = builder_block(&f->b, f->base, NULL);
    rig_announce(&f->rig, block);
    const struct block_node *node = chain_find(f->rig.chain, &block->block.hash);
    assert_non_null(node);
    assert_ptr_equal(chain_best_header(f->rig.chain), node);
    assert_int_equal(node->n_tx, 0);
    assert_true(rig_is_at(&f->rig, f->base));
    assert_true(accept_as(f, block, 0).is_connected);
}

/* -- Blocks --------------------------------------------------------------------------------------
 */

TEST(bytes_that_are_no_block_are_malformed, struct fixture *f)
{
    const struct built_block *block = builder_block(&f->b, f->base, NULL);
    struct span raw = block->block.raw;
    for (size_t len = 0; len < raw.len; len++)
        assert_int_equal(accept_raw(f, raw.p, len, 0).verdict.code, REJECT_MALFORMED);
    assert_int_equal(f->rig.n_invalid, 0);
    assert_null(chain_find(f->rig.chain, &block->block.hash));
    assert_true(accept_as(f, block, 0).is_connected);
}

static void keep_raw(void *arg, const struct chain_block_read *read)
{
    assert_int_equal(read->error, 0);
    *(struct block_ref **)arg = block_ref_hold(read->block);
}

/* As Core does. What is stored, and sent on, is the block alone. */
TEST(bytes_behind_a_block_are_ignored, struct fixture *f)
{
    const struct built_block *block = builder_block(&f->b, f->base, NULL);
    struct span raw = block->block.raw;
    uint8_t *longer = xcalloc(1, raw.len + 3);
    memcpy(longer, raw.p, raw.len);
    assert_true(accept_raw(f, longer, raw.len + 3, 0).is_connected);
    xfree(longer);
    struct block_ref *stored = NULL;
    chain_read_block(f->rig.chain, chain_tip(f->rig.chain), false, keep_raw, &stored);
    rig_settle(&f->rig);
    assert_non_null(stored);
    assert_true(span_equal(stored->block.raw, raw));
    block_ref_drop(stored);
}

/* A copy whose transactions are not those of its header says nothing about the header: hazard 7 */
TEST(a_mutated_copy_does_not_taint_the_block, struct fixture *f)
{
    const struct built_block *block = builder_block(&f->b, f->base, NULL);
    uint8_t *raw = xmemdup(block->block.raw.p, block->block.raw.len);
    raw[block->block.raw.len - 5] ^= 1; /* the coinbase's lock time */
    struct chain_block_result result = accept_raw(f, raw, block->block.raw.len, 0);
    assert_int_equal(result.verdict.code, REJECT_BAD_MERKLE_ROOT);
    assert_int_equal(reject_class(result.verdict.code), REJECT_CLASS_MUTATED);
    xfree(raw);
    assert_null(chain_find(f->rig.chain, &block->block.hash));
    assert_true(accept_as(f, block, 0).is_connected);
}

TEST(a_mutated_copy_of_an_announced_block_does_not_either, struct fixture *f)
{
    const struct built_block *block = builder_block(&f->b, f->base, NULL);
    rig_announce(&f->rig, block);
    uint8_t *raw = xmemdup(block->block.raw.p, block->block.raw.len);
    raw[block->block.raw.len - 5] ^= 1;
    assert_int_equal(accept_raw(f, raw, block->block.raw.len, 0).verdict.code,
                     REJECT_BAD_MERKLE_ROOT);
    xfree(raw);
    assert_false(chain_find(f->rig.chain, &block->block.hash)->status & BLOCK_FAILED_MASK);
    assert_true(accept_as(f, block, 0).is_connected);
}

/* A block that is bad in its place, whoever sends it. */
static const struct built_block *block_without_height(struct fixture *f)
{
    struct tx coinbase = build_coinbase(&f->b.arena, f->base->height, 0);
    return builder_block_of(&f->b, f->base, &coinbase, 1, 0);
}

/* As in Core: should there be another block of that hash, it is not kept from us. */
TEST(a_block_that_is_bad_by_itself_is_not_remembered, struct fixture *f)
{
    int32_t height = f->base->height + 1;
    struct tx coinbases[] = {build_coinbase(&f->b.arena, height, 0),
                             build_coinbase(&f->b.arena, height, 1)};
    const struct built_block *bad = builder_block_of(&f->b, f->base, coinbases, 2, 0);
    rig_announce(&f->rig, bad);
    for (int32_t i = 1; i <= 2; i++) {
        assert_int_equal(accept_as(f, bad, 0).verdict.code, REJECT_CB_MULTIPLE);
        assert_int_equal(f->rig.n_invalid, i);
        assert_false(chain_find(f->rig.chain, &bad->block.hash)->status & BLOCK_FAILED_MASK);
    }
    struct verdict verdict;
    const struct built_block *child = builder_block(&f->b, bad, NULL);
    assert_non_null(chain_accept_header(f->rig.chain, &child->block.header, &verdict));
    assert_false(accept_as(f, child, CHAIN_ACCEPT_FORCE).is_connected);
    assert_int_equal(chain_tip(f->rig.chain)->height, f->base->height);
}

TEST(a_block_that_is_bad_for_good_is_remembered, struct fixture *f)
{
    const struct built_block *bad = block_without_height(f);
    rig_announce(&f->rig, bad);
    struct chain_block_result result = accept_as(f, bad, 0);
    assert_int_equal(result.verdict.code, REJECT_CB_HEIGHT);
    assert_int_equal(f->rig.n_invalid, 1);
    assert_int_equal(f->rig.last_invalid.code, REJECT_CB_HEIGHT);
    assert_true(chain_find(f->rig.chain, &bad->block.hash)->status & BLOCK_FAILED);
    assert_int_equal(accept_as(f, bad, 0).verdict.code, REJECT_DUPLICATE_INVALID);
    struct verdict verdict;
    const struct built_block *child = builder_block(&f->b, bad, NULL);
    assert_null(chain_accept_header(f->rig.chain, &child->block.header, &verdict));
    assert_int_equal(verdict.code, REJECT_PREV_INVALID);
    assert_ptr_equal(chain_best_header(f->rig.chain), chain_tip(f->rig.chain));
}

TEST(a_bad_block_that_was_not_announced_leaves_no_header, struct fixture *f)
{
    struct tx coinbase = build_coinbase(&f->b.arena, f->base->height + 1, 0);
    coinbase.in[0].script_sig.len = 1; /* at least two bytes */
    tx_finish(&coinbase, &f->b.arena);
    const struct built_block *bad = builder_block_of(&f->b, f->base, &coinbase, 1, 0);
    assert_int_equal(accept_as(f, bad, 0).verdict.code, REJECT_CB_LENGTH);
    assert_null(chain_find(f->rig.chain, &bad->block.hash));
}

TEST(two_copies_at_once_are_stored_once, struct fixture *f)
{
    const struct built_block *block = builder_block(&f->b, f->base, NULL);
    struct answer answers[3] = {{0}};
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        chain_accept_block(f->rig.chain, built_bytes(block), block->block.raw.len, 0, note_result,
                           &answers[i]);
    rig_settle(&f->rig);
    int n_new = 0;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_true(answers[i].is_done && answers[i].result.is_connected);
        n_new += answers[i].result.is_new;
    }
    assert_int_equal(n_new, 1);
    assert_int_equal(f->rig.n_connected, N_BASE + 1);
}

/* -- What nobody asked for: hazard 49 ------------------------------------------------------------
 */

TEST(unrequested_blocks_with_less_work_are_not_stored, struct fixture *f)
{
    const struct built_block *low = builder_block(&f->b, built_ancestor(f->base, N_BASE - 2), NULL);
    const struct built_block *even =
        builder_block(&f->b, built_ancestor(f->base, N_BASE - 1), NULL);
    struct chain_block_result result = accept_as(f, low, 0);
    assert_int_equal(result.verdict.code, REJECT_NONE);
    assert_false(result.is_new);
    assert_false(chain_find(f->rig.chain, &low->block.hash)->status & BLOCK_HAVE_DATA);
    assert_true(accept_as(f, even, 0).is_new);
    assert_true(accept_as(f, low, CHAIN_ACCEPT_FORCE).is_new);
}

TEST(unrequested_blocks_far_ahead_are_not_stored, struct fixture *f)
{
    const struct built_block *far = builder_blocks(&f->b, f->base, 289, NULL);
    const struct built_block *near = far->prev;
    rig_announce(&f->rig, far);
    assert_false(accept_as(f, far, 0).is_new);
    assert_true(accept_as(f, near, 0).is_new);
    assert_true(accept_as(f, far, CHAIN_ACCEPT_FORCE).is_new);
}

/* Core connects each block before it looks at the next one; here the disk may be behind. */
static void assert_long_chain_taken(struct fixture *f, size_t unwritten_max)
{
    enum { N = 700 };
    struct chain_options options = {.unwritten_max = unwritten_max};
    struct chain_rig rig;
    struct answer answers[N] = {{0}};
    rig_start(&rig, 2, &f->b, &options);
    rig_accept_chain(&rig, f->base);
    const struct built_block *last = builder_blocks(&f->b, f->base, N, NULL);
    rig_announce(&rig, last);
    sim_env_jobs(rig.sim)->pool[ENV_POOL_BLOCKING].run_max_us = 1000000;
    for (int32_t i = 0; i < N; i++) {
        const struct built_block *block = built_ancestor(last, N_BASE + 1 + i);
        chain_accept_block(rig.chain, built_bytes(block), block->block.raw.len, 0, note_result,
                           &answers[i]);
    }
    rig_settle(&rig);
    for (size_t i = 0; i < N; i++)
        assert_true(answers[i].is_done && answers[i].result.is_new);
    assert_true(rig_is_at(&rig, last));
    rig_deinit(&rig);
}

TEST(a_long_chain_sent_in_order_is_taken_unasked_also_by_a_slow_disk, struct fixture *f)
{
    assert_long_chain_taken(f, 0);
    assert_long_chain_taken(f, 2000); /* about ten blocks: the rest waits for room */
}

/* As in Core, where the call returns when the best chain is the tip's. */
TEST(who_fills_a_gap_is_answered_when_all_above_is_connected, struct fixture *f)
{
    const struct built_block *last = builder_blocks(&f->b, f->base, 250, NULL);
    const struct built_block *first = built_ancestor(last, N_BASE + 1);
    rig_announce(&f->rig, last);
    for (int32_t height = N_BASE + 2; height <= last->height; height++)
        assert_true(accept_as(f, built_ancestor(last, height), 0).is_new);
    assert_true(rig_is_at(&f->rig, f->base));
    assert_true(accept_as(f, first, 0).is_connected);
    assert_true(rig_is_at(&f->rig, last));
}

TEST(a_gap_below_an_invalid_block_is_filled_and_answered, struct fixture *f)
{
    struct builder_spec greedy = {.extra_sat = 1};
    const struct built_block *first = builder_block(&f->b, f->base, NULL);
    const struct built_block *bad = builder_block(&f->b, first, &greedy);
    const struct built_block *last = builder_blocks(&f->b, bad, 20, NULL);
    rig_announce(&f->rig, last);
    for (int32_t height = bad->height; height <= last->height; height++)
        assert_true(accept_as(f, built_ancestor(last, height), 0).is_new);
    assert_true(accept_as(f, first, 0).is_connected);
    assert_true(rig_is_at(&f->rig, first));
}

TEST(below_the_least_work_nothing_is_stored_unasked, struct fixture *f)
{
    struct u256 least = u256_add(chain_tip(f->rig.chain)->chain_work, u256_of(4));
    struct chain_options options = {.min_chain_work = &least};
    struct chain_rig rig;
    rig_start(&rig, 2, &f->b, &options);
    assert_true(chain_is_initial_download(rig.chain));
    struct answer answer = {0};
    const struct built_block *first = built_ancestor(f->base, 1);
    chain_accept_block(rig.chain, built_bytes(first), first->block.raw.len, 0, note_result,
                       &answer);
    rig_wait(&rig, &answer.is_done);
    assert_false(answer.result.is_new);
    rig_deinit(&rig);
}

/* Whatever the time that each of them takes to be checked; as in Core, whose files users compare.
 */
TEST(blocks_that_come_together_are_stored_in_their_order, struct fixture *f)
{
    enum { N = 40 };
    struct answer answers[N] = {{0}}, bad = {0};
    const struct built_block *last = builder_blocks(&f->b, f->base, N, NULL);
    rig_announce(&f->rig, last);
    sim_env_jobs(f->rig.sim)->pool[ENV_POOL_COMPUTE].run_max_us = 1000000;
    for (int32_t i = 0; i < N; i++) {
        const struct built_block *block = built_ancestor(last, N_BASE + 1 + i);
        chain_accept_block(f->rig.chain, built_bytes(block), block->block.raw.len, 0, note_result,
                           &answers[i]);
        if (i == N / 2) /* one that is refused does not hold the others up */
            chain_accept_block(f->rig.chain, xcalloc(1, 50), 50, 0, note_result, &bad);
    }
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last));
    assert_int_equal(bad.result.verdict.code, REJECT_MALFORMED);
    for (int32_t height = N_BASE + 2; height <= last->height; height++)
        assert_true(chain_at(f->rig.chain, height)->data.offset >
                    chain_at(f->rig.chain, height - 1)->data.offset);
}

/* -- Promises ------------------------------------------------------------------------------------
 */

TEST(a_durable_answer_survives_the_loss_of_power, struct fixture *f)
{
    for (int i = 0; i < 10; i++) {
        f->base = builder_block(&f->b, f->base, NULL);
        struct chain_block_result result = accept_as(f, f->base, CHAIN_ACCEPT_DURABLE);
        assert_true(result.is_connected);
        rig_crash(&f->rig, SIM_CRASH_LOST, (uint64_t)i);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_true(rig_is_at(&f->rig, f->base));
    }
}

TEST(closing_answers_every_block, struct fixture *f)
{
    const struct built_block *last = builder_blocks(&f->b, f->base, 10, NULL);
    for (int steps = 0; steps < 120; steps += 7) {
        struct answer answers[10] = {{0}};
        rig_announce(&f->rig, last);
        for (size_t i = 0; i < COUNT_OF(answers); i++) {
            const struct built_block *block = built_ancestor(last, N_BASE + 1 + (int32_t)i);
            chain_accept_block(f->rig.chain, built_bytes(block), block->block.raw.len,
                               i % 2 ? CHAIN_ACCEPT_DURABLE : 0, note_result, &answers[i]);
        }
        for (int i = 0; i < steps; i++)
            (void)sim_env_step(f->rig.sim);
        assert_int_equal(rig_close(&f->rig), 0);
        for (size_t i = 0; i < COUNT_OF(answers); i++)
            assert_true(answers[i].is_done);
        rig_open(&f->rig);
        rig_settle(&f->rig);
    }
}

TEST(a_chain_that_is_not_open_refuses_blocks_as_a_fault, struct fixture *f)
{
    struct chain_events none = {0};
    struct chain *chain =
        chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network, &f->rig.options, &none);
    struct answer answer = {0};
    chain_accept_block(chain, built_bytes(f->base), f->base->block.raw.len, 0, note_result,
                       &answer);
    assert_true(answer.is_done);
    assert_int_equal(answer.result.verdict.code, REJECT_FAULT);
    chain_free(chain);
}

/* -- What waits for the disk --------------------------------------------------------------------
 */

TEST(blocks_wait_while_the_disk_has_not_caught_up, struct fixture *f)
{
    enum { N = 40 };
    const struct built_block *blocks[N];
    const struct built_block *tip = builder_blocks(&f->b, f->base, N, blocks);
    struct chain *chain = f->rig.chain;
    struct answer answers[N + 1] = {0};
    size_t len = blocks[0]->block.raw.len;
    rig_announce(&f->rig, tip);
    options_of(chain)->unwritten_max = 3 * len;
    for (int i = 0; i < N; i++)
        chain_accept_block(chain, built_bytes(blocks[i]), blocks[i]->block.raw.len, 0, note_result,
                           &answers[i]);
    /* One of them twice: the copy waits too, and is then found to be known. */
    chain_accept_block(chain, built_bytes(blocks[N - 1]), blocks[N - 1]->block.raw.len, 0,
                       note_result, &answers[N]);
    bool was_full = false;
    while (sim_env_step(f->rig.sim)) {
        was_full |= intake_of(chain)->held.count > 0;
        assert_true(intake_of(chain)->held.count == 0 || !writes_have_room(writes_of(chain)));
        assert_true(writes_of(chain)->bytes < options_of(chain)->unwritten_max + 2 * len);
        if (rig_is_at(&f->rig, tip) && writes_of(chain)->bytes == 0 &&
            intake_of(chain)->held.count == 0)
            break;
    }
    rig_settle(&f->rig);
    assert_true(was_full);
    assert_true(rig_is_at(&f->rig, tip));
    for (int i = 0; i <= N; i++) {
        assert_true(answers[i].is_done);
        assert_int_equal(answers[i].result.verdict.code, REJECT_NONE);
    }
    assert_int_equal(answers[N].result.is_new + answers[N - 1].result.is_new, 1);
}

/* What will not be stored anyway takes no memory until the disk has caught up. */
TEST(blocks_of_too_little_work_do_not_wait_for_the_disk, struct fixture *f)
{
    enum { N = 10 };
    const struct built_block *blocks[N];
    const struct built_block *tip = builder_blocks(&f->b, f->base, N, blocks);
    const struct built_block *low = builder_block(&f->b, built_ancestor(f->base, N_BASE - 2), NULL);
    struct chain *chain = f->rig.chain;
    struct answer answers[N] = {0}, unasked = {0};
    rig_announce(&f->rig, tip);
    rig_announce(&f->rig, low);
    options_of(chain)->unwritten_max = 1;
    sim_env_jobs(f->rig.sim)->pool[ENV_POOL_BLOCKING].run_max_us = 10000000;
    for (int i = 0; i < N; i++)
        chain_accept_block(chain, built_bytes(blocks[i]), blocks[i]->block.raw.len, 0, note_result,
                           &answers[i]);
    while (intake_of(chain)->held.count < N - 1)
        assert_true(sim_env_step(f->rig.sim));
    chain_accept_block(chain, built_bytes(low), low->block.raw.len, 0, note_result, &unasked);
    while (intake_of(chain)->checking.count > 0)
        assert_true(sim_env_step(f->rig.sim));
    assert_int_equal(intake_of(chain)->held.count, N - 1);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, tip));
    assert_true(unasked.is_done && !unasked.result.is_new);
}

TEST(one_byte_less_than_the_limit_is_room, struct fixture *f)
{
    struct chain *chain = f->rig.chain;
    rig_settle(&f->rig);
    assert_int_equal(writes_of(chain)->bytes, 0);
    writes_of(chain)->bytes = CHAIN_UNWRITTEN_MAX - 1;
    assert_true(writes_have_room(writes_of(chain)));
    writes_of(chain)->bytes = CHAIN_UNWRITTEN_MAX;
    assert_false(writes_have_room(writes_of(chain)));
    writes_of(chain)->bytes = 0;
}

TEST(who_waits_for_the_disk_is_told_when_the_node_stops, struct fixture *f)
{
    enum { N = 10 };
    const struct built_block *blocks[N];
    const struct built_block *tip = builder_blocks(&f->b, f->base, N, blocks);
    struct answer answers[N] = {0};
    rig_announce(&f->rig, tip);
    options_of(f->rig.chain)->unwritten_max = 1;
    for (int i = 0; i < N; i++)
        chain_accept_block(f->rig.chain, built_bytes(blocks[i]), blocks[i]->block.raw.len, 0,
                           note_result, &answers[i]);
    while (intake_of(f->rig.chain)->held.count == 0)
        assert_true(sim_env_step(f->rig.sim));
    assert_int_equal(rig_close(&f->rig), 0);
    for (int i = 0; i < N; i++)
        assert_true(answers[i].is_done);
}
