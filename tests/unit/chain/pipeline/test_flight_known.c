/* test_flight_known.c - transactions of a block whose scripts are known to hold: none of theirs is
 * run again, and none of another's is left out. */
#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

static void note(struct fixture *f, const struct tx *tx)
{
    chain_scripts_hold(f->rig.chain, &tx->wtxid);
}

/* What becomes of a block of these on the tip.
 *
 * Out:  n_scripts  inputs whose scripts were run for it */
static enum reject connect(struct fixture *f, const struct built_block *prev, const struct tx *tx,
                           uint32_t n_tx, uint64_t *n_scripts)
{
    const struct flights *flights = flights_of(f->rig.chain);
    uint64_t before = flights->n_scripts;
    enum reject code = rig_accept(&f->rig, block_with(f, prev, tx, n_tx)).verdict.code;
    *n_scripts = flights->n_scripts - before;
    return code;
}

/* The same ids but for the witness, which is of no use. */
static struct tx with_wrong_witness(struct fixture *f, const struct tx *tx)
{
    static const uint8_t script[] = {0x00};
    struct span item = span_of(script, sizeof script);
    struct tx other = *tx;
    other.in = arena_alloc(&f->b.arena, tx->n_in * sizeof *tx->in);
    memcpy(other.in, tx->in, tx->n_in * sizeof *tx->in);
    other.in[0].witness = build_witness(&f->b.arena, &item, 1);
    tx_finish(&other, &f->b.arena);
    assert_memory_equal(other.txid.b, tx->txid.b, 32);
    assert_memory_not_equal(other.wtxid.b, tx->wtxid.b, 32);
    return other;
}

TEST(scripts_that_are_known_are_not_run, struct fixture *f)
{
    uint64_t n_scripts;
    fixture_start_at_base(f);
    /* Its script fails, so that it shows whether it was run. */
    struct tx failing = spend_base(f, 2, 1, 0, BUILDER_TRUE);
    assert_int_equal(connect(f, base_tip(f), &failing, 1, &n_scripts), REJECT_SCRIPT_FAILED);
    assert_int_equal(n_scripts, 1);
    note(f, &failing);
    assert_int_equal(connect(f, base_tip(f), &failing, 1, &n_scripts), REJECT_NONE);
    assert_int_equal(n_scripts, 0);
}

/* Any mixture of known and unknown ones, with transactions of many inputs among them: what is not
 * known is run, all of it, and a failure is found wherever it is. */
TEST(what_is_not_known_is_run_wherever_it_stands, struct fixture *f)
{
    enum { N = 40, MANY = 230 };
    uint64_t n_scripts, want;
    fixture_start_at_base(f);
    struct tx fan = spend_base(f, 1, N + 2 * MANY, 0, BUILDER_WSH_TRUE);
    const struct built_block *prev = block_with(f, base_tip(f), &fan, 1);
    assert_true(rig_accept(&f->rig, prev).is_connected);
    for (uint32_t pattern = 0; pattern < 16; pattern++) {
        struct tx tx[N + 2];
        struct builder_coin coins[2 * MANY];
        uint32_t at = 0;
        want = 0;
        for (uint32_t i = 0; i < N + 2; i++) {
            uint32_t n = i == 7 || i == 30 ? MANY : 1;
            for (uint32_t k = 0; k < n; k++)
                coins[k] = builder_coin_of(&fan, at++, BUILDER_WSH_TRUE);
            tx[i] = builder_spend(&f->b, coins, n, 1, pattern, BUILDER_TRUE);
            bool is_known = (pattern >> (i % 4)) & 1;
            if (is_known)
                note(f, &tx[i]);
            want += is_known ? 0 : n;
        }
        for (uint32_t i = 0; i < N + 2; i += 5) {
            struct tx good = tx[i];
            tx[i] = with_wrong_witness(f, &good);
            assert_int_equal(connect(f, prev, tx, N + 2, &n_scripts), REJECT_SCRIPT_FAILED);
            tx[i] = good;
        }
        const struct built_block *block = block_with(f, prev, tx, N + 2);
        uint64_t before = flights_of(f->rig.chain)->n_scripts;
        assert_int_equal(rig_accept(&f->rig, block).verdict.code, REJECT_NONE);
        assert_int_equal(flights_of(f->rig.chain)->n_scripts - before, want);
        assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, prev));
    }
}

TEST(another_witness_is_another_transaction, struct fixture *f)
{
    uint64_t n_scripts;
    fixture_start_at_base(f);
    struct tx tx = spend_base(f, 1, 1, 0, BUILDER_TRUE), wrong = with_wrong_witness(f, &tx);
    note(f, &tx);
    assert_int_equal(connect(f, base_tip(f), &wrong, 1, &n_scripts), REJECT_SCRIPT_FAILED);
    assert_int_equal(n_scripts, 1);
    assert_int_equal(connect(f, base_tip(f), &tx, 1, &n_scripts), REJECT_NONE);
    assert_int_equal(n_scripts, 0);
}

TEST(a_block_of_other_rules_is_checked_by_them, struct fixture *f)
{
    uint64_t n_scripts;
    f->b.network.buried_height[BURIED_CSV] = BASE_HEIGHT + 2;
    fixture_start_at_base(f);
    struct tx tx = spend_base(f, 1, 1, 0, BUILDER_TRUE);
    note(f, &tx);
    const struct built_block *empty = builder_block(&f->b, base_tip(f), NULL);
    assert_true(rig_accept(&f->rig, empty).is_connected);
    assert_int_equal(connect(f, empty, &tx, 1, &n_scripts), REJECT_NONE);
    assert_int_equal(n_scripts, 1);
}

TEST(a_block_that_comes_back_is_still_known, struct fixture *f)
{
    fixture_start_at_base(f);
    struct tx tx = spend_base(f, 1, 1, 0, BUILDER_TRUE);
    note(f, &tx);
    const struct built_block *block = block_with(f, base_tip(f), &tx, 1);
    assert_true(rig_accept(&f->rig, block).is_connected);
    assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
    assert_int_equal(rig_reconsider(&f->rig, block).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, block));
    assert_int_equal(flights_of(f->rig.chain)->n_scripts, 0);
}
