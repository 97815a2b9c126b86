/* test_connect_limits.c - the rules that need coins, at both sides of each limit, with the coins in
 * memory, in flight, or only in the store. */
#include <errno.h>

#include "consensus/bip30.h"
#include "consensus/opcodes.h"
#include "consensus/pow.h"
#include "consensus/script_iter.h"
#include "crypto/hash.h"
#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

/* Bring all coins to the store and forget them in memory. */
static void forget_coins(struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
}

static enum reject verdict_of(struct fixture *f, const struct built_block *block)
{
    struct chain_block_result result = rig_accept(&f->rig, block);
    assert_int_equal(result.is_connected, result.verdict.code == REJECT_NONE);
    return result.verdict.code;
}

/* -- Money ------------------------------------------------------------------------------------- */

/* Hazard 1: the fees of ten thousand transactions, to the last satoshi. */
TEST(the_coinbase_takes_the_fees_of_all_and_not_one_more, struct fixture *f)
{
    enum { N = 10000, FEE = 3 };
    f->options.cache_bytes = 1 << 20;
    fixture_start_at_base(f);
    struct tx fan = spend_base(f, 4, N, 0, BUILDER_TRUE);
    const struct built_block *prev = block_with(f, base_tip(f), &fan, 1);
    assert_int_equal(verdict_of(f, prev), REJECT_NONE);
    struct tx *tx = arena_alloc(&f->b.arena, N * sizeof *tx);
    for (uint32_t i = 0; i < N; i++) {
        struct builder_coin coin = builder_coin_of(&fan, i, BUILDER_TRUE);
        tx[i] = builder_spend(&f->b, &coin, 1, 1, FEE, BUILDER_RETURN);
    }
    struct builder_spec spec = {.tx = tx, .n_tx = N, .extra_sat = N * FEE + 1};
    const struct built_block *greedy = builder_block(&f->b, prev, &spec);
    spec.extra_sat = N * FEE;
    const struct built_block *exact = builder_block(&f->b, prev, &spec);
    assert_int_equal(verdict_of(f, greedy), REJECT_CB_AMOUNT);
    forget_coins(f);
    assert_int_equal(verdict_of(f, exact), REJECT_NONE);
    assert_coins_as_if_only(f, exact);
}

TEST(a_transaction_may_not_make_money, struct fixture *f)
{
    fixture_start_at_base(f);
    struct tx exact = spend_base(f, 4, 1, 0, BUILDER_TRUE);
    struct tx more = spend_base(f, 8, 1, -1, BUILDER_TRUE);
    const struct built_block *good = block_with(f, base_tip(f), &exact, 1);
    assert_int_equal(verdict_of(f, good), REJECT_NONE);
    assert_int_equal(verdict_of(f, block_with(f, good, &more, 1)), REJECT_IN_BELOW_OUT);
}

TEST(the_subsidy_halves_at_its_height, struct fixture *f)
{
    fixture_start_at_base(f);
    int32_t halving = (int32_t)f->b.network.subsidy_halving_interval;
    const struct built_block *prev =
        builder_blocks(&f->b, base_tip(f), (size_t)(halving - 1 - BASE_HEIGHT), NULL);
    rig_accept_chain(&f->rig, prev);
    struct builder_spec spec = {.extra_sat = pow_subsidy_sat(&f->b.network, halving)};
    assert_int_equal(verdict_of(f, builder_block(&f->b, prev, &spec)), REJECT_CB_AMOUNT);
    assert_int_equal(verdict_of(f, builder_block(&f->b, prev, NULL)), REJECT_NONE);
}

/* -- Spending twice: hazard 2 ------------------------------------------------------------------ */

enum where { IN_CACHE, IN_STORE, IN_SAME_BLOCK, WHERE_COUNT };

/* A coin at that place; *prev is the block to build on, *maker a transaction that must come along
 * in the block (or none). */
static struct builder_coin coin_at(struct fixture *f, enum where where,
                                   const struct built_block **prev, struct tx *maker, uint32_t *n)
{
    *n = 0;
    *maker = spend_base(f, 4, 1, 0, BUILDER_TRUE);
    if (where == IN_SAME_BLOCK) {
        *n = 1;
    } else {
        *prev = block_with(f, *prev, maker, 1);
        assert_int_equal(verdict_of(f, *prev), REJECT_NONE);
        if (where == IN_STORE)
            forget_coins(f);
    }
    return builder_coin_of(maker, 0, BUILDER_TRUE);
}

TEST(a_coin_is_spent_once_wherever_it_is, struct fixture *f)
{
    for (int where = 0; where < WHERE_COUNT; where++) {
        const struct built_block *prev = base_tip(f);
        uint32_t n;
        struct tx tx[4];
        fixture_start_at_base(f);
        struct builder_coin coin = coin_at(f, (enum where)where, &prev, &tx[0], &n);
        struct builder_coin both[2] = {coin, coin};
        struct coin_stats before = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
        if (where == IN_STORE)
            forget_coins(f);
        /* Twice in one transaction. */
        tx[n] = builder_spend(&f->b, both, 2, 1, 0, BUILDER_TRUE);
        assert_int_equal(verdict_of(f, block_with(f, prev, tx, n + 1)), REJECT_INPUTS_DUPLICATE);
        /* In two of one block. */
        tx[n] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
        tx[n + 1] = builder_spend(&f->b, &coin, 1, 1, 1, BUILDER_TRUE);
        assert_int_equal(verdict_of(f, block_with(f, prev, tx, n + 2)), REJECT_INPUTS_MISSING);
        struct coin_stats after = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
        assert_memory_equal(before.hash, after.hash, 32);
        assert_int_equal(before.total_sat, after.total_sat);
        /* Once, and then again in a later block, before and after that was flushed. */
        const struct built_block *good = block_with(f, prev, tx, n + 1);
        const struct built_block *again = block_with(f, good, &tx[n + 1], 1);
        const struct built_block *later = block_with(f, good, &tx[n + 1], 1);
        assert_int_equal(verdict_of(f, good), REJECT_NONE);
        assert_int_equal(verdict_of(f, again), REJECT_INPUTS_MISSING);
        forget_coins(f);
        assert_int_equal(verdict_of(f, later), REJECT_INPUTS_MISSING);
        assert_coins_as_if_only(f, good);
        rig_deinit(&f->rig);
    }
}

TEST(a_coin_cannot_be_spent_before_it_is_made, struct fixture *f)
{
    fixture_start_at_base(f);
    struct tx maker = spend_base(f, 4, 1, 0, BUILDER_TRUE);
    struct builder_coin coin = builder_coin_of(&maker, 0, BUILDER_TRUE);
    struct tx spender = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    struct tx wrong[2] = {spender, maker}, right[2] = {maker, spender};
    assert_int_equal(verdict_of(f, block_with(f, base_tip(f), wrong, 2)), REJECT_INPUTS_MISSING);
    assert_int_equal(verdict_of(f, block_with(f, base_tip(f), right, 2)), REJECT_NONE);
}

TEST(what_can_never_be_spent_is_no_coin, struct fixture *f)
{
    fixture_start_at_base(f);
    struct tx maker = spend_base(f, 4, 1, 0, BUILDER_RETURN);
    struct builder_coin coin = builder_coin_of(&maker, 0, BUILDER_RETURN);
    struct tx tx[2] = {maker, builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE)};
    assert_int_equal(verdict_of(f, block_with(f, base_tip(f), tx, 2)), REJECT_INPUTS_MISSING);
}

/* -- Maturity ---------------------------------------------------------------------------------- */

TEST(a_coinbase_is_spent_a_hundred_blocks_later_and_not_before, struct fixture *f)
{
    for (int flushed = 0; flushed < 2; flushed++) {
        fixture_start_at_base(f);
        if (flushed)
            forget_coins(f);
        /* The next block is 121: 21 is a hundred below it, 22 is not. Both are not BUILDER_FALSE
         * only at 21 and 23, so go one on for the second. */
        const struct built_block *early = block_spending(f, base_tip(f), 23, BUILDER_TRUE);
        const struct built_block *due = block_spending(f, base_tip(f), 21, BUILDER_TRUE);
        assert_int_equal(verdict_of(f, early), REJECT_PREMATURE_SPEND);
        assert_int_equal(verdict_of(f, due), REJECT_NONE);
        const struct built_block *next = block_spending(f, due, 23, BUILDER_TRUE);
        assert_int_equal(verdict_of(f, next), REJECT_PREMATURE_SPEND); /* 99 below */
        next = builder_block(&f->b, due, NULL);
        assert_int_equal(verdict_of(f, next), REJECT_NONE);
        next = block_spending(f, next, 23, BUILDER_TRUE);
        assert_int_equal(verdict_of(f, next), REJECT_NONE); /* 100 below */
        rig_deinit(&f->rig);
    }
}

/* -- BIP30: hazard 3 --------------------------------------------------------------------------- */

/* A block whose coinbase is that of another block. */
static const struct built_block *block_with_coinbase_of(struct fixture *f,
                                                        const struct built_block *prev,
                                                        const struct built_block *of)
{
    struct built_block *block = arena_calloc(&f->b.arena, 1, sizeof *block);
    *block = *builder_block(&f->b, prev, NULL);
    block->block.tx[0] = of->block.tx[0];
    fixture_seal(f, block);
    return block;
}

TEST(a_coinbase_that_hides_an_unspent_one_is_refused, struct fixture *f)
{
    f->b.network.buried_height[BURIED_HEIGHTINCB] = 1000000;
    for (int flushed = 0; flushed < 2; flushed++) {
        fixture_start_at_base(f);
        if (flushed)
            forget_coins(f);
        const struct built_block *twin = block_with_coinbase_of(f, base_tip(f), f->base[4]);
        assert_int_equal(verdict_of(f, twin), REJECT_TXNS_BIP30);
        /* Where that coin is spent, the same coinbase may come again. */
        const struct built_block *spend = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
        assert_int_equal(verdict_of(f, spend), REJECT_NONE);
        if (flushed)
            forget_coins(f);
        twin = block_with_coinbase_of(f, spend, f->base[4]);
        assert_int_equal(verdict_of(f, twin), REJECT_NONE);
        assert_coins_as_if_only(f, twin);
        /* And goes again with its block. */
        assert_int_equal(rig_invalidate(&f->rig, twin).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, spend));
        assert_coins_as_if_only(f, spend);
        rig_deinit(&f->rig);
    }
}

/* Two blocks in flight at once: the older coinbase is in no table yet. */
TEST(a_coinbase_in_flight_is_not_hidden_either, struct fixture *f)
{
    f->b.network.buried_height[BURIED_HEIGHTINCB] = 1000000;
    fixture_start_at_base(f);
    const struct built_block *first = builder_block(&f->b, base_tip(f), NULL);
    const struct built_block *twin = block_with_coinbase_of(f, first, first);
    rig_accept_chain(&f->rig, twin);
    assert_true(rig_is_at(&f->rig, first));
    assert_int_equal(f->rig.last_invalid.code, REJECT_TXNS_BIP30);
}

/* Below the BIP34 block a coinbase may name any height, also one to come. */
TEST(the_rule_is_asked_of_chains_that_lack_the_bip34_block, struct fixture *f)
{
    f->b.network.buried_height[BURIED_HEIGHTINCB] = 3;
    struct built_block *early = arena_calloc(&f->b.arena, 1, sizeof *early);
    *early = *builder_block(&f->b, f->b.genesis, NULL);
    early->block.tx[0].in[0].script_sig = span_of("\x03\x05\x00\x00\x00", 2);
    uint8_t *script = arena_alloc(&f->b.arena, SCRIPT_NUM_PUSH_MAX + 1);
    size_t len = script_push_number(script, 8);
    script[len++] = OP_0;
    early->block.tx[0].in[0].script_sig = span_of(script, len);
    fixture_seal(f, early);
    const struct built_block *seven = builder_blocks(&f->b, early, 6, NULL);
    const struct built_block *twin = block_with_coinbase_of(f, seven, early);
    fixture_start(f);
    rig_accept_chain(&f->rig, seven);
    assert_true(rig_is_at(&f->rig, seven));
    assert_int_equal(verdict_of(f, twin), REJECT_TXNS_BIP30);
    rig_deinit(&f->rig);
    /* In the chain that the rule trusts it is not asked for, and the coin is overwritten. */
    f->b.network.bip34_hash = built_ancestor(seven, 3)->block.hash;
    for (int flushed = 0; flushed < 2; flushed++) {
        fixture_start(f);
        rig_accept_chain(&f->rig, seven);
        if (flushed)
            forget_coins(f);
        struct coin_stats before = rig_coin_stats(&f->rig, COIN_STATS_NONE);
        assert_int_equal(verdict_of(f, twin), REJECT_NONE);
        struct coin_stats after = rig_coin_stats(&f->rig, COIN_STATS_NONE);
        assert_int_equal(after.n_outputs, before.n_outputs);
        assert_int_equal(after.total_sat, before.total_sat);
        rig_deinit(&f->rig);
    }
}

/* -- Relative locks: BIP68 --------------------------------------------------------------------- */

struct lock_row {
    uint32_t version, sequence;
    enum reject reject;
};

/* A block with one transaction that spends the coinbase of base block 4 with that sequence. */
static const struct built_block *block_locked(struct fixture *f, const struct lock_row *row)
{
    struct tx tx = spend_base(f, 4, 1, 0, BUILDER_TRUE);
    tx.version = row->version;
    tx.in[0].sequence = row->sequence;
    tx_finish(&tx, &f->b.arena);
    return block_with(f, base_tip(f), &tx, 1);
}

TEST(relative_locks_open_at_their_height_and_time, struct fixture *f)
{
    /* The coin is of block 4, the spend in block 121. Blocks are a minute apart; the median time
     * past lags six blocks behind. Median before 121 is of 115, before 4 of about block 1 or 2. */
    fixture_start_at_base(f);
    const struct block_node *tip = chain_tip(f->rig.chain);
    int64_t passed_s = block_node_mtp(tip) - block_node_mtp(block_node_ancestor(tip, 3));
    uint32_t units = (uint32_t)(passed_s / 512);
    const struct lock_row rows[] = {
        {2, 117, REJECT_NONE},
        {2, 118, REJECT_TXNS_NONFINAL},
        {2, 0xffff, REJECT_TXNS_NONFINAL},
        {1, 118, REJECT_NONE}, /* not of version 1 */
        {0, 118, REJECT_NONE},
        {3, 118, REJECT_TXNS_NONFINAL},
        {0x7fffffff, 118, REJECT_TXNS_NONFINAL},
        {0x80000000, 118, REJECT_TXNS_NONFINAL}, /* unsigned: CVE-2024-34478 */
        {0xffffffff, 118, REJECT_TXNS_NONFINAL},
        {2, SEQUENCE_LOCK_DISABLE | 118, REJECT_NONE},
        {2, SEQUENCE_LOCK_TIME | units, REJECT_NONE},
        {2, SEQUENCE_LOCK_TIME | (units + 1), REJECT_TXNS_NONFINAL},
        {2, SEQUENCE_FINAL, REJECT_NONE},
        {2, 0x00010000 | 117, REJECT_NONE}, /* bits without meaning */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct built_block *block = block_locked(f, &rows[i]);
        assert_int_equal(verdict_of(f, block), rows[i].reject);
        if (rows[i].reject == REJECT_NONE)
            (void)rig_invalidate(&f->rig, block);
    }
}

TEST(relative_locks_mean_nothing_before_their_activation, struct fixture *f)
{
    static const struct lock_row locked = {2, 0xffff, REJECT_NONE};
    f->b.network.buried_height[BURIED_CSV] = BASE_HEIGHT + 2;
    fixture_start_at_base(f);
    assert_int_equal(verdict_of(f, block_locked(f, &locked)), REJECT_NONE);
    rig_deinit(&f->rig);
    f->b.network.buried_height[BURIED_CSV] = BASE_HEIGHT + 1;
    fixture_start_at_base(f);
    assert_int_equal(verdict_of(f, block_locked(f, &locked)), REJECT_TXNS_NONFINAL);
}

/* -- Signature operations: hazard 10 ----------------------------------------------------------- */

enum sigops_form { FORM_P2SH, FORM_WSH };

/* OP_0 OP_IF n times OP_CHECKSIG OP_ENDIF OP_1: counts n, runs none. */
static struct span sigops_script(struct fixture *f, size_t n)
{
    uint8_t *script = arena_alloc(&f->b.arena, n + 4);
    script[0] = OP_0;
    script[1] = OP_IF;
    memset(script + 2, OP_CHECKSIG, n);
    script[2 + n] = OP_ENDIF;
    script[3 + n] = OP_1;
    return span_of(script, n + 4);
}

static struct span program_of(struct fixture *f, enum sigops_form form, struct span script)
{
    uint8_t *program = arena_alloc(&f->b.arena, 40);
    if (form == FORM_WSH) {
        program[0] = OP_0;
        program[1] = 32;
        sha256(script, program + 2);
        return span_of(program, 34);
    }
    program[0] = OP_HASH160;
    program[1] = 20;
    hash160(script, program + 2);
    program[22] = OP_EQUAL;
    return span_of(program, 23);
}

/* A block with n_legacy operations in an output, and a spend of a script with n_spent. */
static const struct built_block *block_of_sigops(struct fixture *f, enum sigops_form form,
                                                 size_t n_legacy, size_t n_spent)
{
    struct arena *arena = &f->b.arena;
    struct span script = sigops_script(f, n_spent);
    struct tx tx[2] = {spend_base(f, 4, 1, 0, BUILDER_TRUE)};
    tx[0].out[0].script_pubkey = program_of(f, form, script);
    tx_finish(&tx[0], arena);
    struct builder_coin coin = builder_coin_of(&tx[0], 0, BUILDER_TRUE);
    tx[1] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    uint8_t *many = arena_alloc(arena, n_legacy);
    memset(many, OP_CHECKSIG, n_legacy);
    tx[1].out[0].script_pubkey = span_of(many, n_legacy);
    if (form == FORM_WSH) {
        tx[1].in[0].witness = build_witness(arena, &script, 1);
    } else {
        uint8_t *push = arena_alloc(arena, script.len + 1);
        push[0] = (uint8_t)script.len;
        memcpy(push + 1, script.p, script.len);
        tx[1].in[0].script_sig = span_of(push, script.len + 1);
    }
    tx_finish(&tx[1], arena);
    return block_with(f, base_tip(f), tx, 2);
}

TEST(the_cost_of_signature_operations_is_limited, struct fixture *f)
{
    static const struct {
        enum sigops_form form;
        size_t n_legacy, n_spent; /* cost 4 and, spent, 4 (P2SH) or 1 (witness) each */
        enum reject reject;
    } rows[] = {
        {FORM_WSH, 19990, 40, REJECT_NONE},       {FORM_WSH, 19990, 41, REJECT_BLK_SIGOPS},
        {FORM_WSH, 20000, 0, REJECT_NONE},        {FORM_WSH, 20000, 1, REJECT_BLK_SIGOPS},
        {FORM_P2SH, 19990, 10, REJECT_NONE},      {FORM_P2SH, 19990, 11, REJECT_BLK_SIGOPS},
        {FORM_P2SH, 20001, 0, REJECT_BLK_SIGOPS},
    };
    fixture_start_at_base(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct built_block *block =
            block_of_sigops(f, rows[i].form, rows[i].n_legacy, rows[i].n_spent);
        assert_int_equal(verdict_of(f, block), rows[i].reject);
        if (rows[i].reject == REJECT_NONE)
            (void)rig_invalidate(&f->rig, block);
    }
}

/* -- Assumed valid: hazard 35 ------------------------------------------------------------------ */

enum { TWO_WEEKS = 2016 /* blocks of ten minutes */ };

struct assume_row {
    size_t n_ahead;     /* headers on top of the bad block */
    int32_t assumed_at; /* above the bad block; below 0: no block that is known */
    bool other_branch;  /* the assumed block is not on top of it */
    bool much_work;     /* the least work asked for is more than there is */
    enum reject reject;
};

/* One more header than two weeks of work, so that both sides of the limit can be announced. */
static const struct built_block *long_chain(struct fixture *f, const struct built_block *from)
{
    return builder_blocks(&f->b, from, TWO_WEEKS + 1, NULL);
}

TEST(scripts_are_skipped_only_deep_below_an_assumed_block, struct fixture *f)
{
    static const struct assume_row rows[] = {
        {TWO_WEEKS + 1, 0, false, false, REJECT_NONE},
        {TWO_WEEKS + 1, 5, false, false, REJECT_NONE},
        {TWO_WEEKS + 1, TWO_WEEKS + 1, false, false, REJECT_NONE},
        {TWO_WEEKS, 5, false, false, REJECT_SCRIPT_FAILED},      /* not two weeks deep */
        {TWO_WEEKS + 1, -1, false, false, REJECT_SCRIPT_FAILED}, /* an unknown block */
        {TWO_WEEKS + 1, 5, true, false, REJECT_SCRIPT_FAILED},   /* not an ancestor */
        {TWO_WEEKS + 1, 5, false, true, REJECT_SCRIPT_FAILED},   /* the work is not there */
        {0, 0, false, false, REJECT_SCRIPT_FAILED},
    };
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    const struct built_block *top = long_chain(f, bad);
    const struct built_block *side = builder_blocks(&f->b, base_tip(f), 6, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct block_hash unknown = {{1}};
        const struct built_block *assumed =
            built_ancestor(rows[i].other_branch ? side : top, bad->height + rows[i].assumed_at);
        struct u256 work = rows[i].much_work ? u256_of(1u << 20) : u256_of(0);
        f->options.assume_valid = rows[i].assumed_at < 0 ? &unknown : &assumed->block.hash;
        f->options.min_chain_work = &work;
        fixture_start_at_base(f);
        rig_announce(&f->rig, side);
        rig_announce(&f->rig, built_ancestor(top, bad->height + (int32_t)rows[i].n_ahead));
        assert_int_equal(verdict_of(f, bad), rows[i].reject);
        rig_deinit(&f->rig);
    }
}

TEST(a_block_above_the_assumed_one_is_checked, struct fixture *f)
{
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    const struct built_block *top = long_chain(f, bad);
    f->options.assume_valid = &base_tip(f)->block.hash;
    fixture_start_at_base(f);
    rig_announce(&f->rig, top);
    assert_int_equal(verdict_of(f, bad), REJECT_SCRIPT_FAILED);
}

/* Only scripts are skipped. */
TEST(an_assumed_block_may_not_break_other_rules, struct fixture *f)
{
    struct tx tx = spend_base(f, 4, 1, -1, BUILDER_TRUE);
    const struct built_block *bad = block_with(f, base_tip(f), &tx, 1);
    const struct built_block *top = long_chain(f, bad);
    f->options.assume_valid = &top->block.hash;
    fixture_start_at_base(f);
    rig_announce(&f->rig, top);
    assert_int_equal(verdict_of(f, bad), REJECT_IN_BELOW_OUT);
}
