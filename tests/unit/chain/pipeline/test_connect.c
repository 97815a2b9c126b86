/* test_connect.c - the rules about a block that need the coins and the chain below it, each at its
 * limit. */
#include "consensus/opcodes.h"
#include "consensus/pow.h"
#include "consensus/tx_verify.h"
#include "crypto/hash.h"
#include "support/build.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110 };

/* Start with the base blocks, after a test has changed the network to its liking. */
static void start(struct fixture *f)
{
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    struct chain_options options = {.check_invariants = true};
    rig_start(&f->rig, 1, &f->b, &options);
    rig_accept_chain(&f->rig, f->base);
    assert_true(rig_is_at(&f->rig, f->base));
}

FIXTURE(builder_setup, rig_teardown)

static struct builder_coin base_coin(const struct fixture *f, int32_t height)
{
    return builder_coinbase_coin(built_ancestor(f->base, height));
}

/* The verdict on a block of these transactions on the base; the chain goes back to the base. */
static enum reject verdict_on(struct fixture *f, const struct tx *tx, uint32_t n_tx)
{
    struct builder_spec spec = {.tx = tx, .n_tx = n_tx};
    const struct built_block *block = builder_block(&f->b, f->base, &spec);
    struct chain_block_result result = rig_accept(&f->rig, block);
    assert_int_equal(result.is_connected, result.verdict.code == REJECT_NONE);
    if (result.is_connected)
        assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, f->base));
    return result.verdict.code;
}

/* -- Order and existence of coins -------------------------------------------------------------- */

TEST(a_coin_can_be_spent_only_after_it_was_made, struct fixture *f)
{
    start(f);
    struct builder_coin coin = base_coin(f, 1);
    struct tx tx[2] = {builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE)};
    coin = builder_coin_of(&tx[0], 0, BUILDER_TRUE);
    tx[1] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    assert_int_equal(verdict_on(f, tx, 2), REJECT_NONE);
    struct tx swapped[2] = {tx[1], tx[0]};
    assert_int_equal(verdict_on(f, swapped, 2), REJECT_INPUTS_MISSING);
}

TEST(a_coin_made_in_the_block_can_be_spent_once, struct fixture *f)
{
    start(f);
    struct builder_coin coin = base_coin(f, 1);
    struct tx tx[3] = {builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE)};
    coin = builder_coin_of(&tx[0], 0, BUILDER_TRUE);
    tx[1] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    tx[2] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_LONG);
    assert_int_equal(verdict_on(f, tx, 2), REJECT_NONE);
    assert_int_equal(verdict_on(f, tx, 3), REJECT_INPUTS_MISSING);
}

TEST(what_cannot_be_spent_is_no_coin, struct fixture *f)
{
    start(f);
    struct builder_coin coin = base_coin(f, 1);
    struct tx tx[2] = {builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_RETURN)};
    coin = builder_coin_of(&tx[0], 0, BUILDER_RETURN);
    tx[1] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    assert_int_equal(verdict_on(f, tx, 1), REJECT_NONE);
    assert_int_equal(verdict_on(f, tx, 2), REJECT_INPUTS_MISSING);
}

TEST(the_coinbase_of_the_first_block_is_no_coin, struct fixture *f)
{
    start(f);
    struct builder_coin coin = builder_coinbase_coin(f->b.genesis);
    coin.script = BUILDER_TRUE;
    struct tx tx = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    assert_int_equal(verdict_on(f, &tx, 1), REJECT_INPUTS_MISSING);
}

TEST(outputs_are_worth_at_most_the_inputs, struct fixture *f)
{
    start(f);
    struct builder_coin coin = base_coin(f, 1);
    struct tx tx = builder_spend(&f->b, &coin, 1, 2, 0, BUILDER_TRUE);
    assert_int_equal(verdict_on(f, &tx, 1), REJECT_NONE);
    tx = builder_spend(&f->b, &coin, 1, 2, -1, BUILDER_TRUE);
    assert_int_equal(verdict_on(f, &tx, 1), REJECT_IN_BELOW_OUT);
}

/* -- BIP68 ------------------------------------------------------------------------------------- */

static struct tx locked_spend(struct fixture *f, int32_t height, uint32_t sequence,
                              uint32_t version)
{
    struct builder_coin coin = base_coin(f, height);
    struct tx tx = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    tx.in[0].sequence = sequence;
    tx.version = version;
    tx_finish(&tx, &f->b.arena);
    return tx;
}

TEST(relative_locks_by_height_open_at_their_block, struct fixture *f)
{
    start(f);
    const struct {
        int32_t coin;
        uint32_t sequence, version;
        enum reject reject;
    } rows[] = {
        {1, 110, 2, REJECT_NONE}, /* coin at 1, block at 111 */
        {1, 111, 2, REJECT_TXNS_NONFINAL},
        {5, 106, 2, REJECT_NONE},
        {5, 107, 2, REJECT_TXNS_NONFINAL},
        {5, 107, 1, REJECT_NONE},                   /* only from version 2 on */
        {5, 107, 0xffffffff, REJECT_TXNS_NONFINAL}, /* the version is unsigned */
        {5, 107 | SEQUENCE_LOCK_DISABLE, 2, REJECT_NONE},
        {5, 0xffff, 2, REJECT_TXNS_NONFINAL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tx tx = locked_spend(f, rows[i].coin, rows[i].sequence, rows[i].version);
        assert_int_equal(verdict_on(f, &tx, 1), rows[i].reject);
    }
}

TEST(relative_locks_by_time_open_with_the_median, struct fixture *f)
{
    start(f);
    static const int32_t coins[] = {2, 3, 8, 10};
    int64_t now_s = block_node_mtp(chain_tip(f->rig.chain));
    for (size_t i = 0; i < COUNT_OF(coins); i++) {
        /* Counted from the median time before the coin's block. */
        int64_t since_s = now_s - block_node_mtp(chain_at(f->rig.chain, coins[i] - 1));
        int64_t units = since_s >> SEQUENCE_LOCK_TIME_SHIFT;
        uint32_t open = units < 0xffff ? (uint32_t)units : 0xffff;
        struct tx tx = locked_spend(f, coins[i], SEQUENCE_LOCK_TIME | open, 2);
        assert_int_equal(verdict_on(f, &tx, 1), REJECT_NONE);
        if (open == 0xffff)
            continue;
        tx = locked_spend(f, coins[i], SEQUENCE_LOCK_TIME | (open + 1), 2);
        assert_int_equal(verdict_on(f, &tx, 1), REJECT_TXNS_NONFINAL);
    }
}

TEST(before_csv_is_active_there_are_no_relative_locks, struct fixture *f)
{
    f->b.network.buried_height[BURIED_CSV] = N_BASE + 2;
    start(f);
    struct tx tx = locked_spend(f, 5, 0xffff, 2);
    assert_int_equal(verdict_on(f, &tx, 1), REJECT_NONE);
    f->base = builder_block(&f->b, f->base, NULL);
    assert_true(rig_accept(&f->rig, f->base).is_connected);
    assert_int_equal(verdict_on(f, &tx, 1), REJECT_TXNS_NONFINAL);
}

/* -- Signature operations ---------------------------------------------------------------------- */

enum { MULTISIGS_MAX = 199, MULTISIG_SIGOPS = 16 };

/* OP_1, then n times OP_16 OP_CHECKMULTISIG in a branch that is not taken: 16 operations each. */
static struct span redeem_script(struct arena *arena, size_t n)
{
    assert_true(n <= MULTISIGS_MAX);
    uint8_t *script = arena_alloc(arena, 2 * n + 4);
    uint8_t *at = script;
    *at++ = OP_1;
    *at++ = OP_0;
    *at++ = OP_IF;
    for (size_t i = 0; i < n; i++) {
        *at++ = OP_16;
        *at++ = OP_CHECKMULTISIG;
    }
    *at = OP_ENDIF;
    return span_of(script, 2 * n + 4);
}

static struct span p2sh_script(struct arena *arena, struct span redeem)
{
    uint8_t *script = arena_alloc(arena, 23);
    script[0] = OP_HASH160;
    script[1] = 20;
    hash160(redeem, script + 2);
    script[22] = OP_EQUAL;
    return span_of(script, 23);
}

static struct span push_of(struct arena *arena, struct span redeem)
{
    uint8_t *script = arena_alloc(arena, redeem.len + 3);
    script[0] = OP_PUSHDATA2;
    script[1] = (uint8_t)redeem.len;
    script[2] = (uint8_t)(redeem.len >> 8);
    memcpy(script + 3, redeem.p, redeem.len);
    return span_of(script, redeem.len + 3);
}

/* A block that makes P2SH coins and spends them, with n OP_CHECKMULTISIG in their scripts. */
static enum reject verdict_on_multisigs(struct fixture *f, size_t n)
{
    struct arena *arena = &f->b.arena;
    uint32_t n_coins = (uint32_t)((n + MULTISIGS_MAX - 1) / MULTISIGS_MAX);
    struct builder_coin coin = base_coin(f, 1);
    struct tx fan = builder_spend(&f->b, &coin, 1, n_coins, 0, BUILDER_TRUE);
    struct span *redeem = arena_alloc(arena, n_coins * sizeof *redeem);
    for (uint32_t i = 0; i < n_coins; i++) {
        redeem[i] = redeem_script(arena, n < MULTISIGS_MAX ? n : MULTISIGS_MAX);
        n -= n < MULTISIGS_MAX ? n : MULTISIGS_MAX;
        fan.out[i].script_pubkey = p2sh_script(arena, redeem[i]);
    }
    tx_finish(&fan, arena);
    struct tx *tx = arena_alloc(arena, (n_coins + 1) * sizeof *tx);
    tx[0] = fan;
    for (uint32_t i = 0; i < n_coins; i++) {
        coin = builder_coin_of(&fan, i, BUILDER_TRUE);
        tx[i + 1] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
        tx[i + 1].in[0].script_sig = push_of(arena, redeem[i]);
        tx_finish(&tx[i + 1], arena);
    }
    return verdict_on(f, tx, n_coins + 1);
}

TEST(signature_operations_of_spent_scripts_count, struct fixture *f)
{
    start(f);
    /* Four units for each operation: 20000 operations are the limit. */
    assert_int_equal(verdict_on_multisigs(f, 20000 / MULTISIG_SIGOPS), REJECT_NONE);
    assert_int_equal(verdict_on_multisigs(f, 20000 / MULTISIG_SIGOPS + 1), REJECT_BLK_SIGOPS);
}

/* -- BIP30 ------------------------------------------------------------------------------------- */

/* Two coinbases alike, as before BIP34. */
static struct tx same_coinbase(struct fixture *f)
{
    return build_coinbase(&f->b.arena, 7, 25 * COIN_SAT);
}

TEST(a_transaction_must_not_hide_an_unspent_one, struct fixture *f)
{
    f->b.network.buried_height[BURIED_HEIGHTINCB] = 1000;
    start(f);
    struct tx coinbase = same_coinbase(f);
    const struct built_block *first = builder_block_of(&f->b, f->base, &coinbase, 1, 0);
    assert_true(rig_accept(&f->rig, first).is_connected);
    const struct built_block *second = builder_block_of(&f->b, first, &coinbase, 1, 0);
    assert_int_equal(rig_accept(&f->rig, second).verdict.code, REJECT_TXNS_BIP30);
    /* Also where the coin has gone to the store. */
    assert_int_equal(rig_flush(&f->rig), 0);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    second = builder_block_of(&f->b, first, &coinbase, 1, first->block.header.time + 7);
    assert_int_equal(rig_accept(&f->rig, second).verdict.code, REJECT_TXNS_BIP30);
    /* Spent, it may come again. */
    const struct built_block *last = builder_blocks(&f->b, first, 100, NULL);
    struct builder_coin coin = builder_coin_of(&coinbase, 0, BUILDER_TRUE);
    struct tx tx = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    last = builder_block(&f->b, last, &spec);
    last = builder_block_of(&f->b, last, &coinbase, 1, 0);
    rig_accept_chain(&f->rig, last);
    assert_true(rig_is_at(&f->rig, last));
}

TEST(since_bip34_nobody_looks_for_equal_coinbases, struct fixture *f)
{
    start(f);
    /* They cannot be: the height would be wrong in one of them. */
    struct tx coinbase = same_coinbase(f);
    const struct built_block *block = builder_block_of(&f->b, f->base, &coinbase, 1, 0);
    assert_int_equal(rig_accept(&f->rig, block).verdict.code, REJECT_CB_HEIGHT);
}
