/* test_trial.c - trying a block out on the tip: every rule but the work, and no trace. */
#include "chain/mining.h"
#include "support/build.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110 };

static int setup(void **state)
{
    struct chain_options options = {.check_invariants = true};
    (void)fixture_at(state, N_BASE, &options);
    return 0;
}

FIXTURE(setup, sound_teardown)

struct answer {
    bool is_done;
    struct verdict verdict;
};

static void note_verdict(void *arg, const struct verdict *verdict)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->verdict = *verdict;
}

static void start_trial(struct fixture *f, struct span raw, struct answer *answer)
{
    struct block_ref *ref = block_ref_take(xmemdup(raw.p, raw.len), raw.len);
    assert_true(block_ref_decode(ref));
    chain_test_block(f->rig.chain, ref, note_verdict, answer);
    block_ref_drop(ref);
}

static enum reject try_raw(struct fixture *f, struct span raw)
{
    struct answer answer = {0};
    start_trial(f, raw, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_true(rig_is_at(&f->rig, f->base));
    return answer.verdict.code;
}

TEST(a_template_of_our_own_passes_without_work, struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    struct tx tx = builder_spend(&f->b, &coin, 1, 2, 500, BUILDER_TRUE);
    struct mining_template template = {.tx = &tx,
                                       .n_tx = 1,
                                       .fees_sat = 500,
                                       .coinbase_script_pubkey =
                                           builder_script_bytes(BUILDER_TRUE)};
    for (uint32_t nonce = 0; nonce < 4; nonce++) {
        struct block_ref *ref = mining_build_block(f->rig.chain, &template, env_unix_s(env));
        ref->raw[76] = (uint8_t)nonce; /* some of them have no work */
        assert_int_equal(try_raw(f, span_of(ref->raw, ref->raw_len)), REJECT_NONE);
        block_ref_drop(ref);
    }
    template.fees_sat = 501;
    struct block_ref *ref = mining_build_block(f->rig.chain, &template, env_unix_s(env));
    assert_int_equal(try_raw(f, span_of(ref->raw, ref->raw_len)), REJECT_CB_AMOUNT);
    block_ref_drop(ref);
}

TEST(every_kind_of_rule_is_asked, struct fixture *f)
{
    int64_t mtp_s = block_node_mtp(chain_tip(f->rig.chain));
    struct builder_spec early = {.time = (uint32_t)mtp_s};
    assert_int_equal(try_raw(f, builder_block(&f->b, f->base, &early)->block.raw),
                     REJECT_TIME_TOO_OLD);
    struct tx coinbase = build_coinbase(&f->b.arena, N_BASE, 0);
    assert_int_equal(try_raw(f, builder_block_of(&f->b, f->base, &coinbase, 1, 0)->block.raw),
                     REJECT_CB_HEIGHT);
    struct tx twice[2] = {build_coinbase(&f->b.arena, N_BASE + 1, 0),
                          build_coinbase(&f->b.arena, N_BASE + 1, 1)};
    assert_int_equal(try_raw(f, builder_block_of(&f->b, f->base, twice, 2, 0)->block.raw),
                     REJECT_CB_MULTIPLE);
    struct builder_coin coin = builder_coinbase_coin(f->base);
    struct tx tx = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    struct builder_spec immature = {.tx = &tx, .n_tx = 1};
    assert_int_equal(try_raw(f, builder_block(&f->b, f->base, &immature)->block.raw),
                     REJECT_PREMATURE_SPEND);
}

/* What a miner's proposal says of its transactions is judged before them, as Core does. */
TEST(the_merkle_root_is_asked_first, struct fixture *f)
{
    struct tx one = build_coinbase(&f->b.arena, N_BASE + 1, 0), same[2] = {one, one};
    assert_int_equal(try_raw(f, builder_block_of(&f->b, f->base, same, 2, 0)->block.raw),
                     REJECT_TXNS_DUPLICATE);
    struct span raw = builder_block(&f->b, f->base, NULL)->block.raw;
    uint8_t *wrong = xmemdup(raw.p, raw.len);
    wrong[36] ^= 1; /* the first byte of the root */
    assert_int_equal(try_raw(f, span_of(wrong, raw.len)), REJECT_BAD_MERKLE_ROOT);
    xfree(wrong);
}

TEST(only_the_tip_can_be_built_on, struct fixture *f)
{
    assert_int_equal(try_raw(f, builder_block(&f->b, f->base->prev, NULL)->block.raw),
                     REJECT_PREVBLK_NOT_BEST);
    const struct built_block *next = builder_block(&f->b, f->base, NULL);
    assert_int_equal(try_raw(f, builder_block(&f->b, next, NULL)->block.raw),
                     REJECT_PREVBLK_NOT_BEST);
}

TEST(many_trials_at_once_are_all_answered, struct fixture *f)
{
    struct answer answers[6] = {{0}};
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        start_trial(f, builder_block(&f->b, f->base, NULL)->block.raw, &answers[i]);
    rig_settle(&f->rig);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_true(answers[i].is_done);
        assert_int_equal(answers[i].verdict.code, REJECT_NONE);
    }
    assert_true(rig_is_at(&f->rig, f->base));
}

/* A real block that comes amid a trial is connected; the trial is of the tip there is then. */
TEST(trials_and_blocks_do_not_disturb_each_other, struct fixture *f)
{
    const struct built_block *tip = f->base;
    for (int delay = 0; delay < 40; delay++) {
        const struct built_block *trial = builder_block(&f->b, tip, NULL);
        const struct built_block *next = builder_block(&f->b, tip, NULL);
        struct answer answer = {0};
        start_trial(f, trial->block.raw, &answer);
        for (int i = 0; i < delay; i++)
            (void)sim_env_step(f->rig.sim);
        struct chain_block_result result = rig_accept(&f->rig, next);
        assert_true(result.is_connected);
        rig_wait(&f->rig, &answer.is_done);
        assert_true(answer.verdict.code == REJECT_NONE ||
                    answer.verdict.code == REJECT_PREVBLK_NOT_BEST);
        assert_true(rig_is_at(&f->rig, next));
        tip = next;
    }
}

TEST(an_order_amid_a_trial_is_carried_out, struct fixture *f)
{
    for (int delay = 0; delay < 20; delay++) {
        struct answer answer = {0};
        start_trial(f, builder_block(&f->b, f->base, NULL)->block.raw, &answer);
        for (int i = 0; i < delay; i++)
            (void)sim_env_step(f->rig.sim);
        assert_int_equal(rig_invalidate(&f->rig, f->base).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, f->base->prev));
        rig_wait(&f->rig, &answer.is_done);
        assert_int_equal(rig_reconsider(&f->rig, f->base).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, f->base));
    }
}

TEST(closing_answers_a_trial, struct fixture *f)
{
    for (int delay = 0; delay < 12; delay++) {
        struct answer answers[2] = {{0}};
        start_trial(f, builder_block(&f->b, f->base, NULL)->block.raw, &answers[0]);
        start_trial(f, builder_block(&f->b, f->base, NULL)->block.raw, &answers[1]);
        for (int i = 0; i < delay; i++)
            (void)sim_env_step(f->rig.sim);
        assert_int_equal(rig_close(&f->rig), 0);
        assert_true(answers[0].is_done && answers[1].is_done);
        rig_open(&f->rig);
    }
}
