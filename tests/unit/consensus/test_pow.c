/* test_pow.c - targets, retargeting of every network, subsidy.
 *
 * hazards: rows 31 (difficulty), 32 (subsidy). Expected bits are worked out by hand or are those
 * of the main chain. */
#include "consensus/pow.h"
#include "consensus/tx.h"
#include "support/unit.h"
#include "util/alloc.h"

/* clang-format off */
static const struct { uint32_t bits; bool negative, overflow; uint32_t low; uint32_t back;
    } compact[] = {
    {0x00000000, false, false, 0, 0},
    {0x00123456, false, false, 0, 0},
    {0x01003456, false, false, 0, 0},
    {0x02000056, false, false, 0, 0},
    {0x03000000, false, false, 0, 0},
    {0x04000000, false, false, 0, 0},
    {0x00923456, false, false, 0, 0},          /* nothing is left of the mantissa: no sign */
    {0x01803456, false, false, 0, 0},
    {0x01123456, false, false, 0x12, 0x01120000},
    {0x01fedcba, true,  false, 0x7e, 0x017e0000},
    {0x02123456, false, false, 0x1234, 0x02123400},
    {0x03123456, false, false, 0x123456, 0x03123456},
    {0x04123456, false, false, 0x12345600, 0x04123456},
    {0x04923456, true,  false, 0x12345600, 0x04123456},
    {0x05009234, false, false, 0x92340000, 0x05009234},
    {0x03000080, false, false, 0x80, 0x02008000},   /* the top bit would be a sign */
    {0xff123456, false, true,  0, 0},
    {0x22000001, false, false, 0, 0x20010000},
    {0x22000100, false, true,  0, 0},
    {0x23000001, false, true,  0, 0},
    {0x21000100, false, false, 0, 0x20010000},
    {0x21010000, false, true,  0, 0},
};
/* clang-format on */

TEST(compact_bits_expand_and_come_back)
{
    for (size_t i = 0; i < COUNT_OF(compact); i++) {
        bool negative, overflow;
        struct u256 target = pow_target_from_bits(compact[i].bits, &negative, &overflow);
        if (negative != compact[i].negative)
            fail_msg("%08x: negative %d", compact[i].bits, negative);
        if (overflow != compact[i].overflow)
            fail_msg("%08x: overflow %d", compact[i].bits, overflow);
        if (overflow)
            continue;
        assert_int_equal((uint32_t)target.limb[0], compact[i].low);
        if (pow_target_to_bits(target) != compact[i].back)
            fail_msg("%08x: back as %08x", compact[i].bits, pow_target_to_bits(target));
    }
}

static struct block_hash hash_of(struct u256 n)
{
    struct block_hash hash;
    u256_to_le(n, hash.b);
    return hash;
}

TEST(a_hash_equal_to_the_target_is_enough)
{
    const struct network *network = network_get(NETWORK_MAIN);
    struct u256 target = pow_target_from_bits(0x1b0404cb, NULL, NULL);
    struct block_hash equal = hash_of(target), above = hash_of(u256_add(target, u256_of(1)));
    struct block_hash zero = hash_of(u256_of(0));
    assert_true(pow_check(network, &equal, 0x1b0404cb));
    assert_true(pow_check(network, &zero, 0x1b0404cb));
    assert_false(pow_check(network, &above, 0x1b0404cb));
}

TEST(targets_outside_of_the_limit_prove_nothing)
{
    const struct network *network = network_get(NETWORK_MAIN);
    struct block_hash zero = hash_of(u256_of(0));
    assert_true(pow_check(network, &zero, 0x1d00ffff));
    assert_true(pow_check(network, &zero, 0x03000001));
    static const uint32_t bad[] = {0,          0x1d010000, 0x1e00ffff, 0x01000000, 0x1d80ffff,
                                   0x04923456, 0xff123456, 0x207fffff, 0x00ffffff};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(pow_check(network, &zero, bad[i]));
    assert_true(pow_check(network_get(NETWORK_REGTEST), &zero, 0x207fffff));
    assert_false(pow_check(network_get(NETWORK_REGTEST), &zero, 0x20800000));
    assert_true(pow_check(network_get(NETWORK_SIGNET), &zero, 0x1e0377ae));
    assert_false(pow_check(network_get(NETWORK_SIGNET), &zero, 0x1e0377af));
}

TEST(every_genesis_block_has_its_work)
{
    for (int kind = 0; kind < NETWORK_COUNT; kind++) {
        const struct network *network = network_get((enum network_kind)kind);
        struct reader r = reader_of(span_of(network->genesis_raw.p + 72, 4));
        assert_true(pow_check(network, &network->genesis_hash, read_u32(&r)));
    }
}

TEST(work_is_two_to_the_256_over_target_plus_one)
{
    /* the chain work of genesis: 0100010001 and 02 */
    assert_true(u256_compare(pow_block_work(0x1d00ffff), u256_of(0x100010001)) == 0);
    assert_true(u256_compare(pow_block_work(0x207fffff), u256_of(2)) == 0);
    assert_true(u256_is_zero(pow_block_work(0)));
    assert_true(u256_is_zero(pow_block_work(0x04923456)));
    assert_true(u256_is_zero(pow_block_work(0xff123456)));
    /* target 1: 2^255 */
    struct u256 most = pow_block_work(0x03000001);
    assert_int_equal(u256_bits(most), 256);
    assert_int_equal(most.limb[0], 0);
}

/* A chain as a plain array; a node is a pointer into it. */
#define CHAIN_MAX 6100
static struct header_facts facts(const void *node)
{
    return *(const struct header_facts *)node;
}
static const void *prev(const void *node)
{
    const struct header_facts *at = node;
    return at->height ? at - 1 : NULL;
}
static const void *ancestor(const void *node, int32_t height)
{
    const struct header_facts *at = node;
    assert_in_range(height, 0, at->height);
    return at - (at->height - height);
}
static const struct header_view view = {.facts = facts, .prev = prev, .ancestor = ancestor};

/* n headers, spacing_s apart, all with the same bits; the caller frees. */
static struct header_facts *chain(int32_t n, uint32_t spacing_s, uint32_t bits)
{
    struct header_facts *headers = xcalloc((size_t)n, sizeof *headers);
    for (int32_t i = 0; i < n; i++)
        headers[i] = (struct header_facts){
            .height = i, .time = 1000000000 + (uint32_t)i * spacing_s, .bits = bits};
    return headers;
}

/* Real retargets of the main chain: time of the period's first and last block, bits before and
 * after. Heights 32255, 68543, 46367, 1-period clamp (from the chain's own history and limits). */
/* clang-format off */
static const struct { int32_t height; uint32_t first, last, before, after; } retargets[] = {
    {32255, 1261130161, 1262152739, 0x1d00ffff, 0x1d00d86a},
    {2015,  1231006505, 1233061996, 0x1d00ffff, 0x1d00ffff}, /* limit of work */
    {68543, 1279008237, 1279297671, 0x1c05a3f4, 0x1c0168fd}, /* faster than a quarter */
    {46367, 1263163443, 1269211443, 0x1c387f6f, 0x1d00e1fd}, /* slower than four times */
};
/* clang-format on */

TEST(retargets_are_those_of_the_main_chain)
{
    const struct network *network = network_get(NETWORK_MAIN);
    for (size_t i = 0; i < COUNT_OF(retargets); i++) {
        int32_t n = retargets[i].height + 1;
        struct header_facts *headers = chain(n, 600, retargets[i].before);
        headers[n - 1].time = retargets[i].last;
        headers[n - 2016].time = retargets[i].first;
        assert_int_equal(pow_next_bits(network, &view, &headers[n - 1], 0), retargets[i].after);
        assert_true(
            pow_is_transition_permitted(network, n, retargets[i].before, retargets[i].after));
        xfree(headers);
    }
}

TEST(between_retargets_the_bits_stay)
{
    const struct network *network = network_get(NETWORK_MAIN);
    struct header_facts *headers = chain(2016, 1, 0x1c05a3f4);
    for (int32_t height = 0; height < 2015; height += 13)
        assert_int_equal(pow_next_bits(network, &view, &headers[height], UINT32_MAX), 0x1c05a3f4);
    /* the block after the 2016th is the first that differs */
    assert_int_not_equal(pow_next_bits(network, &view, &headers[2015], 0), 0x1c05a3f4);
    xfree(headers);
}

TEST(times_that_run_backwards_clamp_at_a_quarter)
{
    const struct network *network = network_get(NETWORK_MAIN);
    struct header_facts *headers = chain(2016, 600, 0x1c100000);
    headers[2015].time = headers[0].time - 5;
    assert_int_equal(pow_next_bits(network, &view, &headers[2015], 0), 0x1c040000);
    headers[2015].time = UINT32_MAX;
    assert_int_equal(pow_next_bits(network, &view, &headers[2015], 0), 0x1c400000);
    /* exactly two weeks: unchanged, though 2016 blocks have 2015 gaps (the known off by one) */
    headers[2015].time = headers[0].time + 14 * 24 * 60 * 60;
    assert_int_equal(pow_next_bits(network, &view, &headers[2015], 0), 0x1c100000);
    xfree(headers);
}

TEST(testnet_grants_minimum_difficulty_after_twenty_minutes)
{
    const struct network *network = network_get(NETWORK_TEST);
    struct header_facts *headers = chain(2100, 600, 0x1c100000);
    const struct header_facts *last = &headers[2050];
    assert_int_equal(pow_next_bits(network, &view, last, last->time + 1200), 0x1c100000);
    assert_int_equal(pow_next_bits(network, &view, last, last->time + 1201), 0x1d00ffff);
    /* no wrap where the sum of times leaves 32 bits */
    headers[2050].time = UINT32_MAX - 100;
    assert_int_equal(pow_next_bits(network, &view, last, UINT32_MAX), 0x1c100000);
    assert_int_equal(pow_next_bits(network, &view, last, 0), 0x1c100000);
    xfree(headers);
}

TEST(testnet_walks_back_over_granted_blocks)
{
    const struct network *network = network_get(NETWORK_TEST);
    struct header_facts *headers = chain(2100, 600, 0x1c100000);
    for (int32_t height = 2040; height <= 2050; height++)
        headers[height].bits = 0x1d00ffff;
    assert_int_equal(pow_next_bits(network, &view, &headers[2050], headers[2050].time), 0x1c100000);
    /* but not past the first block of the period */
    for (int32_t height = 2016; height <= 2050; height++)
        headers[height].bits = 0x1d00ffff;
    assert_int_equal(pow_next_bits(network, &view, &headers[2050], headers[2050].time), 0x1d00ffff);
    /* nor past genesis */
    for (int32_t height = 0; height <= 50; height++)
        headers[height].bits = 0x1d00ffff;
    assert_int_equal(pow_next_bits(network, &view, &headers[50], headers[50].time), 0x1d00ffff);
    xfree(headers);
}

/* BIP94: testnet4 retargets from the period's first block, testnet 3 from its last. */
TEST(a_granted_last_block_resets_testnet3_but_not_testnet4)
{
    struct header_facts *headers = chain(4032, 600, 0x1c100000);
    headers[4031].bits = 0x1d00ffff;
    headers[4031].time = headers[2016].time + 14 * 24 * 60 * 60;
    const struct header_facts *last = &headers[4031];
    assert_int_equal(pow_next_bits(network_get(NETWORK_TEST), &view, last, last->time), 0x1d00ffff);
    assert_int_equal(pow_next_bits(network_get(NETWORK_TESTNET4), &view, last, last->time),
                     0x1c100000);
    xfree(headers);
}

TEST(regtest_never_retargets)
{
    const struct network *network = network_get(NETWORK_REGTEST);
    assert_int_equal(pow_retarget_interval(network), 144);
    struct header_facts *headers = chain(300, 1, 0x207fffff);
    for (int32_t height = 0; height < 300; height++)
        assert_int_equal(pow_next_bits(network, &view, &headers[height], UINT32_MAX), 0x207fffff);
    xfree(headers);
}

TEST(retargeting_is_monotonic_and_bounded)
{
    const struct network *network = network_get(NETWORK_MAIN);
    struct header_facts *headers = chain(2016, 600, 0x1b3fffff);
    struct u256 before = pow_target_from_bits(0x1b3fffff, NULL, NULL), last = u256_of(0);
    struct u256 most = u256_mul(before, 4), least = u256_div(before, u256_of(5));
    for (uint32_t span = 0; span < 8000000; span += 99991) {
        headers[2015].time = headers[0].time + span;
        uint32_t bits = pow_next_bits(network, &view, &headers[2015], 0);
        struct u256 target = pow_target_from_bits(bits, NULL, NULL);
        assert_true(u256_compare(target, last) >= 0);
        assert_true(u256_compare(target, most) <= 0 && u256_compare(target, least) >= 0);
        assert_true(pow_is_transition_permitted(network, 2016, 0x1b3fffff, bits));
        last = target;
    }
    xfree(headers);
}

/* 2^255 times four timespans has more than 256 bits. */
TEST(a_retarget_near_the_largest_limit_does_not_wrap)
{
    struct network own = *network_get(NETWORK_REGTEST);
    own.pow_no_retargeting = own.pow_allow_min_difficulty = false;
    own.pow_target_spacing_s = 10;
    own.pow_target_timespan_s = 40;
    static const struct {
        uint32_t spacing_s, before, after;
    } rows[] = {
        {1, 0x207fffff, 0x201fffff},  /* four times as hard at most */
        {5, 0x207fffff, 0x202fffff},  /* 15 s for 40: 0x7fffff * 15 / 40 */
        {10, 0x201fffff, 0x2017ffff}, /* 30 s for 40 */
        {40, 0x201fffff, 0x205ffffd}, /* 120 s for 40 */
        {90, 0x201fffff, 0x207ffffc}, /* four times as easy at most */
        {90, 0x207fffff, 0x207fffff}, /* the limit */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct header_facts *headers = chain(4, rows[i].spacing_s, rows[i].before);
        assert_int_equal(pow_next_bits(&own, &view, &headers[3], 0), rows[i].after);
        assert_true(pow_is_transition_permitted(&own, 4, rows[i].before, rows[i].after));
        xfree(headers);
    }
}

TEST(transitions_beyond_the_clamp_are_not_permitted)
{
    const struct network *main_net = network_get(NETWORK_MAIN);
    assert_true(pow_is_transition_permitted(main_net, 2016, 0x1c100000, 0x1c400000));
    assert_false(pow_is_transition_permitted(main_net, 2016, 0x1c100000, 0x1c400001));
    assert_true(pow_is_transition_permitted(main_net, 2016, 0x1c100000, 0x1c040000));
    assert_false(pow_is_transition_permitted(main_net, 2016, 0x1c100000, 0x1c03ffff));
    assert_false(pow_is_transition_permitted(main_net, 2015, 0x1c100000, 0x1c100001));
    assert_true(pow_is_transition_permitted(main_net, 2017, 0x1c100000, 0x1c100000));
    assert_true(pow_is_transition_permitted(network_get(NETWORK_TEST), 5, 0x1c100000, 0x1d00ffff));
}

/* clang-format off */
static const struct { int32_t height; int64_t sat; } subsidies[] = {
    {0, 5000000000}, {209999, 5000000000}, {210000, 2500000000}, {419999, 2500000000},
    {420000, 1250000000}, {840000, 312500000}, {6929999, 1}, {6930000, 0},
    {13440000, 0} /* 64 halvings: the shift would be undefined */, {INT32_MAX, 0},
};
/* clang-format on */

TEST(subsidy_halves_and_ends)
{
    const struct network *network = network_get(NETWORK_MAIN);
    for (size_t i = 0; i < COUNT_OF(subsidies); i++)
        assert_int_equal(pow_subsidy_sat(network, subsidies[i].height), subsidies[i].sat);
    const struct network *regtest = network_get(NETWORK_REGTEST);
    assert_int_equal(pow_subsidy_sat(regtest, 149), 50 * COIN_SAT);
    assert_int_equal(pow_subsidy_sat(regtest, 150), 25 * COIN_SAT);
    assert_int_equal(pow_subsidy_sat(regtest, 150 * 64), 0);
    struct network own = *regtest;
    own.subsidy_first_sat = 7;
    own.subsidy_halving_interval = 2;
    assert_int_equal(pow_subsidy_sat(&own, 1), 7);
    assert_int_equal(pow_subsidy_sat(&own, 2), 3);
}

TEST(all_subsidies_stay_below_the_money_limit)
{
    int64_t total = 0;
    for (int32_t height = 0; height < 14000000; height += 1000)
        total += 1000 * pow_subsidy_sat(network_get(NETWORK_MAIN), height);
    assert_int_equal(total, INT64_C(2099999997690000));
    assert_true(total < MAX_MONEY_SAT);
}
