/* test_check.c - rules of transactions that need the chain or the other entries. */
#include "consensus/opcodes.h"
#include "consensus/tx_verify.h"
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(7, 110, NULL);
    return 0;
}

static int setup_nonstandard(void **state)
{
    struct mempool_options options = mempool_default_options();
    options.require_standard = false;
    *state = mempool_rig_new(7, 110, &options);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

TEST(what_is_here_is_known, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    uint64_t sequence = mempool_sequence(rig->pool);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, MEMPOOL_LOCAL, 0);
    assert_reject(answer.verdict.code, REJECT_ALREADY_IN_MEMPOOL);
    assert_true(answer.was_known && answer.is_in);
    /* It is told once more; nobody waits for it to be fetched, and nothing has changed. */
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_SENT_AGAIN, &tx), 1);
    assert_int_equal(mempool_unbroadcast_count(rig->pool), 0);
    assert_int_equal(mempool_sequence(rig->pool), sequence);
    (void)mempool_rig_answer(rig, &tx, MEMPOOL_LOCAL | MEMPOOL_TEST_ONLY, 0);
    (void)mempool_rig_answer(rig, &tx, MEMPOOL_FROM_PEER, 0);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_SENT_AGAIN, &tx), 1);
    /* Another witness for the same transaction. */
    struct span items[2] = {span_of("x", 1), builder_script_bytes(BUILDER_TRUE)};
    tx.in[0].witness = build_witness(&rig->builder.arena, items, 2);
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_SAME_NONWITNESS_DATA);
    assert_int_equal(mempool_count(rig->pool), 1);
}

TEST(what_is_mined_is_known, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    mempool_rig_mine(rig, &tx, 1);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_ALREADY_KNOWN);
    /* Once its outputs are spent it looks like any other that spends what is gone. */
    struct tx next = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
    mempool_rig_mine(rig, &next, 1);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_INPUTS_UNKNOWN);
    assert_true(answer.has_missing && outpoint_equal(&answer.missing, &tx.in[0].prevout));
}

TEST(who_pays_less_replaces_nothing, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT),
              other = mempool_rig_pay(rig, 1, 1, FEE_SAT - 1);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &other), REJECT_INSUFFICIENT_FEE);
    assert_true(mempool_rig_has(rig, &tx));
}

TEST(young_coinbases_wait, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 11, 1, FEE_SAT),
              early = mempool_rig_pay(rig, 12, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &early, 0, 0);
    assert_reject(answer.verdict.code, REJECT_PREMATURE_SPEND_YET);
    assert_string_equal(answer.verdict.detail, "tried to spend coinbase at depth 99");
    mempool_rig_mine(rig, NULL, 0);
    assert_reject(mempool_rig_add(rig, &early), REJECT_NONE);
}

TEST(unknown_inputs_are_named, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    struct builder_coin coins[2] = {mempool_rig_coin(rig, 2), mempool_rig_output(&parent, 0)};
    struct tx tx = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_INPUTS_UNKNOWN);
    assert_int_equal(reject_class(answer.verdict.code), REJECT_CLASS_MISSING);
    assert_true(answer.has_missing && outpoint_equal(&answer.missing, &coins[1].outpoint));
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    /* An output that its parent does not have. */
    coins[1].outpoint.vout = 1;
    coins[0] = mempool_rig_coin(rig, 3);
    tx = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_INPUTS_UNKNOWN);
}

TEST(coins_come_from_the_store, struct mempool_rig *rig)
{
    assert_int_equal(rig_flush(&rig->chain), 0);
    assert_int_equal(rig_close(&rig->chain), 0);
    rig_open(&rig->chain);
    rig->chain.also.ctx = rig;
    rig_settle(&rig->chain);
    /* The mempool of the chain before is of no use any more. */
    struct mempool_options options = mempool_default_options();
    mempool_free(rig->pool);
    rig->pool = mempool_new(sim_env_get(rig->chain.sim), NULL, rig->chain.chain, &options, NULL);
    struct builder_coin coins[4];
    for (int32_t i = 0; i < 4; i++)
        coins[i] = mempool_rig_coin(rig, i + 1);
    struct tx tx = mempool_rig_spend(rig, coins, 4, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    coins[2].outpoint.vout = 5;
    coins[0] = mempool_rig_coin(rig, 7);
    coins[1] = mempool_rig_coin(rig, 8);
    struct tx unknown = mempool_rig_spend(rig, coins, 3, 1, FEE_SAT);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &unknown, 0, 0);
    assert_reject(answer.verdict.code, REJECT_INPUTS_UNKNOWN);
    assert_true(outpoint_equal(&answer.missing, &coins[2].outpoint));
}

TEST(clusters_have_the_limits_that_are_set, struct mempool_rig *rig)
{
    struct mempool_options options = mempool_default_options();
    options.cluster_count_max = 2;
    mempool_free(rig->pool);
    rig->pool = mempool_new(sim_env_get(rig->chain.sim), NULL, rig->chain.chain, &options, NULL);
    struct tx parent = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT),
              more = mempool_rig_pay_on(rig, &parent, 1, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &more), REJECT_CLUSTER_TOO_LARGE);
    mempool_free(rig->pool);
    options = mempool_default_options();
    options.cluster_vbytes_max =
        tx_weight_wu(&parent) / WITNESS_SCALE; /* one byte may be missing */
    rig->pool = mempool_new(sim_env_get(rig->chain.sim), NULL, rig->chain.chain, &options, NULL);
    assert_reject(mempool_rig_add(rig, &parent),
                  tx_weight_wu(&parent) % WITNESS_SCALE ? REJECT_CLUSTER_TOO_LARGE : REJECT_NONE);
    options.cluster_vbytes_max++;
    mempool_free(rig->pool);
    rig->pool = mempool_new(sim_env_get(rig->chain.sim), NULL, rig->chain.chain, &options, NULL);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &child), REJECT_CLUSTER_TOO_LARGE);
}

TEST(locked_transactions_wait, struct mempool_rig *rig)
{
    int64_t mtp_s = block_node_mtp(chain_tip(rig->chain.chain));
    const struct {
        uint32_t lock_time, sequence;
        enum reject want;
    } cases[] = {
        {110, 0, REJECT_NONE}, /* the next block is of height 111 */
        {111, 0, REJECT_NON_FINAL},
        {111, SEQUENCE_FINAL, REJECT_NONE},
        {(uint32_t)mtp_s - 1, 0, REJECT_NONE},
        {(uint32_t)mtp_s, 0, REJECT_NON_FINAL},
        /* relative to coins of heights 1 to 8: 110 blocks at most */
        {0, 104, REJECT_NONE},
        {0, 106, REJECT_NON_BIP68_FINAL},
        {0, SEQUENCE_LOCK_DISABLE | 0xffff, REJECT_NONE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tx tx = mempool_rig_pay(rig, (int32_t)i + 1, 1, FEE_SAT);
        tx.lock_time = cases[i].lock_time;
        tx.in[0].sequence = cases[i].sequence;
        tx_finish(&tx, &rig->builder.arena);
        assert_reject(mempool_rig_add(rig, &tx), cases[i].want);
    }
}

TEST(relative_locks_hold_exactly, struct mempool_rig *rig)
{
    for (uint32_t more = 0; more < 2; more++) {
        struct tx tx = mempool_rig_pay(rig, 9, 1, FEE_SAT); /* in block 111 it is 102 blocks old */
        tx.in[0].sequence = 103 - more;
        tx_finish(&tx, &rig->builder.arena);
        assert_reject(mempool_rig_add(rig, &tx), more ? REJECT_NONE : REJECT_NON_BIP68_FINAL);
    }
}

TEST(what_is_not_standard_is_refused, struct mempool_rig *rig)
{
    struct builder_coin coin = mempool_rig_coin(rig, 1);
    struct tx bare = builder_spend(&rig->builder, &coin, 1, 1, FEE_SAT, BUILDER_TRUE);
    assert_reject(mempool_rig_add(rig, &bare), REJECT_SCRIPTPUBKEY);
    mempool_rig_mine(rig, &bare, 1);
    coin = builder_coin_of(&bare, 0, BUILDER_TRUE);
    struct tx tx = mempool_rig_spend(rig, &coin, 1, 1, FEE_SAT);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_NONSTANDARD_INPUTS);
    assert_string_equal(answer.verdict.detail, "input 0 script unknown");
    tx = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    struct span items[2] = {span_of(tx.raw.p, 81), builder_script_bytes(BUILDER_TRUE)};
    tx.in[0].witness = build_witness(&rig->builder.arena, items, 2);
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_WITNESS_NONSTANDARD);
    tx = mempool_rig_pay(rig, 3, 1, FEE_SAT);
    tx.version = 4;
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_TX_VERSION);
    tx = mempool_rig_pay(rig, 3, 1, FEE_SAT);
    tx.out[0].value_sat = 329;
    tx_finish(&tx, &rig->builder.arena);
    answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_DUST);
    assert_string_equal(answer.verdict.detail, "tx with dust output must be 0-fee");
}

TEST_WITH(setup_nonstandard, mempool_rig_teardown, without_policy_it_is_taken,
          struct mempool_rig *rig)
{
    struct builder_coin coin = mempool_rig_coin(rig, 1);
    struct tx tx = builder_spend(&rig->builder, &coin, 1, 2, FEE_SAT, BUILDER_TRUE);
    tx.version = 4;
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    coin = builder_coin_of(&tx, 0, BUILDER_TRUE);
    tx = builder_spend(&rig->builder, &coin, 1, 1, FEE_SAT, BUILDER_TRUE);
    assert_int_equal(tx.base_bytes, 61); /* less than 65 */
    assert_reject(mempool_rig_add(rig, &tx), REJECT_TX_SIZE_SMALL);
}

TEST(fees_have_a_floor, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, 0);
    int64_t least_sat = ((tx_weight_wu(&tx) + 3) / 4 * 100 + 999) / 1000;
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_MIN_RELAY_FEE);
    tx = mempool_rig_pay(rig, 1, 1, least_sat - 1);
    answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_MIN_RELAY_FEE);
    char want[40];
    snprintf(want, sizeof want, "%d < %d", (int)least_sat - 1, (int)least_sat);
    assert_string_equal(answer.verdict.detail, want);
    /* A delta counts as a fee. */
    mempool_prioritise(rig->pool, &tx.txid, 1);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    tx = mempool_rig_pay(rig, 2, 1, least_sat);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    tx = mempool_rig_pay(rig, 3, 1, 0);
    answer = mempool_rig_answer(rig, &tx, MEMPOOL_BYPASS_FEE, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
}

/* Where there is no floor it is the relay fee that is not met, however little is paid. */
TEST(less_than_nothing_is_below_the_relay_fee, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    mempool_prioritise(rig->pool, &tx.txid, -2 * FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_MIN_RELAY_FEE);
}

TEST_WITH(setup_nonstandard, mempool_rig_teardown, costly_transactions_are_refused,
          struct mempool_rig *rig)
{
    struct builder_coin coin = mempool_rig_coin(rig, 1);
    uint8_t script[801];
    memset(script, OP_CHECKMULTISIG, sizeof script); /* 20 operations, of cost 4, each */
    for (size_t n = 200; n <= 201; n++) {
        struct tx tx = builder_spend(&rig->builder, &coin, 1, 1, 4 * COIN_SAT, BUILDER_TRUE);
        tx.out[0].script_pubkey = span_of(script, n);
        tx_finish(&tx, &rig->builder.arena);
        struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
        if (n == 200) {
            assert_reject(answer.verdict.code, REJECT_NONE);
            /* 16,000 operations count as 320,000 weight units. */
            assert_int_equal(answer.vbytes, 80000);
            coin = mempool_rig_coin(rig, 2);
        } else {
            assert_reject(answer.verdict.code, REJECT_TX_SIGOPS);
            assert_string_equal(answer.verdict.detail, "16080");
        }
    }
}

static void assert_truc(struct mempool_rig *rig, const struct tx *tx, const char *why)
{
    struct mempool_rig_answer answer = mempool_rig_answer(rig, tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_TRUC_VIOLATION);
    if (!strstr(answer.verdict.detail, why))
        fail_msg("%s", answer.verdict.detail);
}

TEST(version_3_comes_in_pairs, struct mempool_rig *rig)
{
    struct builder_coin coin = mempool_rig_coin(rig, 1);
    struct tx parent = mempool_rig_spend(rig, &coin, 1, 2, FEE_SAT);
    parent.version = 3;
    tx_finish(&parent, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    struct tx tx = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT);
    assert_truc(rig, &tx, ") cannot spend from version=3 tx "); /* of version 2 */
    tx.version = 3;
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    struct tx more = mempool_rig_pay_on(rig, &parent, 1, 1, FEE_SAT);
    more.version = 3;
    tx_finish(&more, &rig->builder.arena);
    /* A second child may take the place of the first, if it pays for it. */
    assert_reject(mempool_rig_add(rig, &more), REJECT_INSUFFICIENT_FEE_SIBLING);
    more = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
    more.version = 3;
    tx_finish(&more, &rig->builder.arena);
    assert_truc(rig, &more, ") would have too many ancestors"); /* a grandchild */
}

/* -- At the same time -------------------------------------------------------------------------- */
