/* test_tx_verify.c - inputs against their coins, absolute and relative lock times.
 *
 * hazards: rows 1 (sums), 14 (CVE-2024-34478), 30 (lock times), 32 (maturity). */
#include "consensus/tx_verify.h"
#include "support/arena_fixture.h"
#include "support/build.h"

FIXTURE(arena_setup, arena_teardown)

/* clang-format off */
static const struct {
    const char *what;
    struct spent_coin spent[2];
    int64_t out_sat;
    enum reject want;
    int64_t fee_sat;
} cases[] = {
    {"fee 0",            {{1000, 1, false, false}, {0, 1, false, false}}, 1000, REJECT_NONE, 0},
    {"fee 1",            {{1000, 1, false, false}, {1, 1, false, false}}, 1000, REJECT_NONE, 1},
    {"one missing",      {{1000, 1, false, false}, {1, 1, false, true}},  1000,
     REJECT_INPUTS_MISSING, 0},
    {"missing goes before young", {{1, 150, true, false}, {1, 1, false, true}}, 1,
     REJECT_INPUTS_MISSING, 0},
    {"coinbase of 99",   {{1000, 101, true, false}, {1, 1, false, false}}, 1000,
     REJECT_PREMATURE_SPEND, 0},
    {"coinbase of 100",  {{1000, 100, true, false}, {1, 1, false, false}}, 1000, REJECT_NONE, 1},
    {"coinbase of now",  {{1000, 200, true, false}, {1, 1, false, false}}, 1000,
     REJECT_PREMATURE_SPEND, 0},
    {"below by one",     {{999, 1, false, false}, {0, 1, false, false}},  1000,
     REJECT_IN_BELOW_OUT, 0},
    {"coin negative",    {{-1, 1, false, false}, {5000, 1, false, false}}, 1000,
     REJECT_INPUT_VALUES_OUT_OF_RANGE, 0},
    {"coin too large",   {{MAX_MONEY_SAT + 1, 1, false, false}, {0, 1, false, false}}, 1,
     REJECT_INPUT_VALUES_OUT_OF_RANGE, 0},
    {"coins at limit",   {{MAX_MONEY_SAT - 1, 1, false, false}, {1, 1, false, false}}, 0,
     REJECT_NONE, MAX_MONEY_SAT},
    {"sum too large",    {{MAX_MONEY_SAT, 1, false, false}, {1, 1, false, false}}, 0,
     REJECT_INPUT_VALUES_OUT_OF_RANGE, 0},
    {"sum would wrap",   {{INT64_MAX, 1, false, false}, {INT64_MAX, 1, false, false}}, 0,
     REJECT_INPUT_VALUES_OUT_OF_RANGE, 0},
    {"height above ours",{{1000, UINT32_MAX / 2, true, false}, {1, 1, false, false}}, 1,
     REJECT_PREMATURE_SPEND, 0},
};
/* clang-format on */

TEST(inputs_cover_outputs_and_are_there, struct arena *arena)
{
    const struct network *network = network_get(NETWORK_MAIN);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tx tx = build_tx(arena, 1, 2, 1);
        tx.out[0].value_sat = cases[i].out_sat;
        int64_t fee_sat = -7;
        enum reject got = tx_verify_inputs(&tx, network, cases[i].spent, 200, &fee_sat);
        if (got != cases[i].want)
            fail_msg("%s: %s", cases[i].what, reject_string(got));
        assert_int_equal(fee_sat, got == REJECT_NONE ? cases[i].fee_sat : -7);
    }
}

TEST(how_old_a_coinbase_must_be_is_its_networks, struct arena *arena)
{
    struct network own = *network_get(NETWORK_REGTEST);
    const struct spent_coin spent[] = {{1000, 100, true, false}, {0, 1, false, false}};
    struct tx tx = build_tx(arena, 1, 2, 1);
    int64_t fee_sat;
    tx.out[0].value_sat = 1000;
    own.coinbase_maturity = 3;
    assert_int_equal(tx_verify_inputs(&tx, &own, spent, 102, &fee_sat), REJECT_PREMATURE_SPEND);
    assert_int_equal(tx_verify_inputs(&tx, &own, spent, 103, &fee_sat), REJECT_NONE);
}

TEST(a_verdict_says_what_was_found, struct arena *arena)
{
    static const struct {
        struct spent_coin spent[2];
        const char *want;
    } rows[] = {
        {{{1, 1, false, true}, {1, 1, false, false}}, "CheckTxInputs: inputs missing/spent"},
        {{{1, 100, true, false}, {1, 101, true, false}}, "tried to spend coinbase at depth 99"},
        {{{150000000, 1, false, false}, {1, 1, false, false}},
         "value in (1.50000001) < value out (50.00)"},
        {{{-1, 1, false, false}, {1, 1, false, false}}, ""},
    };
    const struct network *network = network_get(NETWORK_MAIN);
    struct tx tx = build_tx(arena, 1, 2, 1);
    tx.out[0].value_sat = INT64_C(5000000000);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char detail[TX_VERIFY_DETAIL_BYTES];
        int64_t fee_sat;
        enum reject got = tx_verify_inputs(&tx, network, rows[i].spent, 200, &fee_sat);
        assert_string_equal(tx_verify_detail(got, &tx, network, rows[i].spent, 200, detail),
                            rows[i].want);
    }
}

TEST(a_failed_script_is_named, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 2, 1);
    struct verdict verdict = {0};
    tx.in[1].prevout.vout = 7;
    memset(tx.in[1].prevout.txid.b, 0x22, 32);
    tx_script_verdict(&verdict, REJECT_SCRIPT_FAILED, &tx, 1, 5);
    assert_int_equal(verdict.code, REJECT_SCRIPT_FAILED);
    assert_int_equal(verdict.script_error, 5);
    assert_non_null(strstr(verdict.detail, "input 1 of "));
    assert_non_null(strstr(verdict.detail, " (wtxid "));
    assert_non_null(strstr(verdict.detail, "), spending 2222222222"));
    assert_non_null(strstr(verdict.detail, "2222:7"));
}

TEST(alone_a_transaction_may_be_valid_later)
{
    assert_int_equal(reject_class(REJECT_INPUTS_MISSING), REJECT_CLASS_CONSENSUS);
    assert_int_equal(reject_class(reject_for_tx(REJECT_INPUTS_MISSING)), REJECT_CLASS_MISSING);
    assert_int_equal(reject_class(reject_for_tx(REJECT_PREMATURE_SPEND)), REJECT_CLASS_EARLY);
    assert_int_equal(reject_for_tx(REJECT_IN_BELOW_OUT), REJECT_IN_BELOW_OUT);
    assert_int_equal(reject_for_tx(REJECT_NONE), REJECT_NONE);
}

/* clang-format off */
static const struct { uint32_t lock_time, sequence; int32_t height; int64_t time_s; bool is_final;
    } finals[] = {
    {0,          0,          0,   0,         true},
    {100,        0,          100, 0,         false}, /* locked up to and with this height */
    {100,        0,          101, 0,         true},
    {100,        0xffffffff, 100, 0,         true},
    {100,        0xfffffffe, 100, 2000000000, false},
    {499999999,  0,          499999999, 1600000000, false}, /* still a height */
    {500000000,  0,          499999999, 500000000, false},  /* a time */
    {500000000,  0,          0,   500000001, true},
    {1600000000, 0,          INT32_MAX, 1600000000, false},
    {1600000000, 0,          0,   1600000001, true},
    {UINT32_MAX, 0,          INT32_MAX, INT64_C(4294967295), false},
    {UINT32_MAX, 0,          0,   INT64_C(4294967296), true},
};
/* clang-format on */

TEST(lock_times_are_heights_below_500_million, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(finals); i++) {
        struct tx tx = build_tx(arena, 1, 2, 1);
        tx.lock_time = finals[i].lock_time;
        tx.in[1].sequence = finals[i].sequence;
        if (tx_is_final(&tx, finals[i].height, finals[i].time_s) != finals[i].is_final)
            fail_msg("row %zu", i);
    }
}

TEST(coinbases_have_lock_times_too, struct arena *arena)
{
    struct tx tx = build_coinbase(arena, 50, 0);
    tx.in[0].sequence = 0;
    tx.lock_time = 50;
    assert_false(tx_is_final(&tx, 50, 0));
    assert_true(tx_is_final(&tx, 51, 0));
}

/* Median times of a chain with a block every 1000 s; counts the questions. */
struct times {
    int asked;
    int32_t height;
};
static int64_t time_at(void *ctx, int32_t height)
{
    struct times *times = ctx;
    times->asked++;
    times->height = height;
    return 1000000 + (int64_t)height * 1000;
}

#define TIME SEQUENCE_LOCK_TIME

/* clang-format off */
static const struct { uint32_t version, sequence, coin_height; int32_t lock_height;
    int64_t lock_time_s; } relative[] = {
    {1, 10,                 500, -1, -1},           /* before version 2 */
    {0, 10,                 500, -1, -1},
    {2, 10,                 500, 509, -1},
    {2, 0,                  500, 499, -1},
    {2, 0xffff,             500, 500 + 65535 - 1, -1},
    {2, SEQUENCE_FINAL,     500, -1, -1},           /* disabled */
    {2, 0x80000000,         500, -1, -1},
    {2, 0x7fbf000a,         500, 509, -1},          /* bits without a meaning */
    {2, TIME | 1,           500, -1, 1499000 + 512 - 1},
    {2, TIME,               500, -1, 1499000 - 1},
    {2, TIME | 0xffff,      500, -1, 1499000 + 65535 * 512 - 1},
    {2, TIME | 1,           0,   -1, 1000000 + 512 - 1}, /* no block before the first */
    {3, 10,                 500, 509, -1},
    {0x7fffffff, 10,        500, 509, -1},
    {0x80000000, 10,        500, 509, -1},          /* CVE-2024-34478: not negative */
    {0xffffffff, 10,        500, 509, -1},
};
/* clang-format on */

TEST(relative_locks_count_from_the_coin, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(relative); i++) {
        struct tx tx = build_tx(arena, 1, 1, 1);
        tx.version = relative[i].version;
        tx.in[0].sequence = relative[i].sequence;
        struct spent_coin spent = {.height = relative[i].coin_height};
        struct times times = {0};
        struct median_time_source source = {.ctx = &times, .at = time_at};
        struct sequence_locks locks = sequence_locks_of(&tx, &spent, &source);
        if (locks.height != relative[i].lock_height || locks.time_s != relative[i].lock_time_s)
            fail_msg("row %zu: %d %lld", i, locks.height, (long long)locks.time_s);
        assert_int_equal(times.asked, relative[i].lock_time_s >= 0);
    }
}

TEST(the_longest_lock_of_all_inputs_counts, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 5, 1);
    static const uint32_t sequences[] = {5, 100, TIME | 3, TIME | 2, 7};
    struct spent_coin spent[5];
    for (int i = 0; i < 5; i++) {
        tx.in[i].sequence = sequences[i];
        spent[i] = (struct spent_coin){.height = 200};
    }
    struct times times = {0};
    struct median_time_source source = {.ctx = &times, .at = time_at};
    struct sequence_locks locks = sequence_locks_of(&tx, spent, &source);
    assert_int_equal(locks.height, 299);
    assert_int_equal(locks.time_s, 1199000 + 3 * 512 - 1);
    assert_int_equal(times.height, 199);
}

TEST(locks_open_in_the_block_after)
{
    struct sequence_locks none = {-1, -1}, height = {509, -1}, time = {-1, 1000};
    assert_true(sequence_locks_open(none, 0, 0));
    assert_false(sequence_locks_open(height, 509, 0));
    assert_true(sequence_locks_open(height, 510, 0));
    assert_false(sequence_locks_open(time, 0, 1000));
    assert_true(sequence_locks_open(time, 0, 1001));
}

TEST(totals_beyond_the_limit_are_our_bug, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 1, 2);
    assert_int_equal(tx_output_total_sat(&tx), 2000);
    tx.out[0].value_sat = MAX_MONEY_SAT + 1;
    expect_assert_failure((void)tx_output_total_sat(&tx));
}
