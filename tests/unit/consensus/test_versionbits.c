/* test_versionbits.c - the state machine of BIP9, period by period, with and without a memory. */
#include "consensus/versionbits.h"
#include "support/unit.h"
#include "util/alloc.h"

/* A chain as an array of headers, ten seconds apart; its median time is the time itself, as any
 * rising series will do. Periods of 10 blocks, 8 to lock in. */
#define PERIOD     10
#define THRESHOLD  8
#define BLOCKS_MAX 200
#define SIGNAL     (0x20000000 | 1 << 28)
#define SILENT     0x20000000

struct fixture {
    struct network network;
    struct header_facts headers[BLOCKS_MAX];
    struct remembered {
        const void *node;
        enum bip9_state state;
    } memory[BLOCKS_MAX];
    int n_remembered, hits;
};

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
static int64_t median_time_past(const void *node)
{
    return facts(node).time;
}
static const struct header_view view = {
    .facts = facts, .prev = prev, .ancestor = ancestor, .median_time_past = median_time_past};

static bool memory_get(void *ctx, enum bip9_deployment deployment, const void *node,
                       enum bip9_state *state)
{
    struct fixture *fixture = ctx;
    assert_int_equal(deployment, BIP9_TESTDUMMY);
    for (int i = 0; i < fixture->n_remembered; i++) {
        if (fixture->memory[i].node == node) {
            *state = fixture->memory[i].state;
            fixture->hits++;
            return true;
        }
    }
    return false;
}
static void memory_put(void *ctx, enum bip9_deployment deployment, const void *node,
                       enum bip9_state state)
{
    struct fixture *fixture = ctx;
    (void)deployment;
    assert_true(fixture->n_remembered < BLOCKS_MAX);
    fixture->memory[fixture->n_remembered++] = (struct remembered){node, state};
}

static int setup(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    fixture->network = *network_get(NETWORK_REGTEST);
    fixture->network.bip9[BIP9_TESTDUMMY] = (struct bip9_params){
        .bit = 28, .start_time = 1200, .timeout = 1800, .period = PERIOD, .threshold = THRESHOLD};
    for (int i = 0; i < BLOCKS_MAX; i++)
        fixture->headers[i] =
            (struct header_facts){.height = i, .version = SILENT, .time = 1000 + 10 * (uint32_t)i};
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    xfree(*state);
    return 0;
}

FIXTURE(setup, teardown)

/* n signalling blocks at the start of the period that begins at height. */
static void signal_blocks(struct fixture *fixture, int height, int n)
{
    for (int i = 0; i < n; i++)
        fixture->headers[height + i].version = SIGNAL;
}

/* State of the block at height. */
static enum bip9_state state_at(struct fixture *fixture, int height)
{
    const void *before = height ? &fixture->headers[height - 1] : NULL;
    enum bip9_state plain =
        versionbits_state(&fixture->network, BIP9_TESTDUMMY, &view, before, NULL);
    struct versionbits_cache cache = {.ctx = fixture, .get = memory_get, .put = memory_put};
    assert_int_equal(plain,
                     versionbits_state(&fixture->network, BIP9_TESTDUMMY, &view, before, &cache));
    return plain;
}

static int since(struct fixture *fixture, int height)
{
    const void *before = height ? &fixture->headers[height - 1] : NULL;
    return versionbits_since(&fixture->network, BIP9_TESTDUMMY, &view, before, NULL);
}

/* The period that ends at height 19 has time 1190 < 1200 in its last block, so the state starts at
 * the period after the one that ends with 29 (time 1290). */
TEST(signalling_starts_a_period_after_the_start_time, struct fixture *fixture)
{
    for (int height = 0; height < 30; height++)
        assert_int_equal(state_at(fixture, height), BIP9_STATE_DEFINED);
    for (int height = 30; height < 40; height++)
        assert_int_equal(state_at(fixture, height), BIP9_STATE_STARTED);
    assert_int_equal(since(fixture, 29), 0);
    assert_int_equal(since(fixture, 35), 30);
}

TEST(eight_of_ten_lock_in_and_seven_do_not, struct fixture *fixture)
{
    signal_blocks(fixture, 30, THRESHOLD - 1);
    assert_int_equal(state_at(fixture, 40), BIP9_STATE_STARTED);
    fixture->n_remembered = 0;
    signal_blocks(fixture, 30, THRESHOLD);
    assert_int_equal(state_at(fixture, 39), BIP9_STATE_STARTED);
    for (int height = 40; height < 50; height++)
        assert_int_equal(state_at(fixture, height), BIP9_STATE_LOCKED_IN);
    for (int height = 50; height < BLOCKS_MAX; height++)
        assert_int_equal(state_at(fixture, height), BIP9_STATE_ACTIVE);
    assert_int_equal(since(fixture, 45), 40);
    assert_int_equal(since(fixture, BLOCKS_MAX), 50);
}

TEST(signals_before_the_start_do_not_count, struct fixture *fixture)
{
    signal_blocks(fixture, 0, 30);
    assert_int_equal(state_at(fixture, 40), BIP9_STATE_STARTED);
}

TEST(without_signals_it_fails_at_the_timeout, struct fixture *fixture)
{
    /* block 89 has time 1890 >= 1800, block 79 has 1790 */
    assert_int_equal(state_at(fixture, 89), BIP9_STATE_STARTED);
    for (int height = 90; height < BLOCKS_MAX; height++)
        assert_int_equal(state_at(fixture, height), BIP9_STATE_FAILED);
    assert_int_equal(since(fixture, 150), 90);
}

TEST(a_period_past_the_timeout_can_still_lock_in, struct fixture *fixture)
{
    signal_blocks(fixture, 80, THRESHOLD);
    assert_int_equal(state_at(fixture, 90), BIP9_STATE_LOCKED_IN);
    fixture->n_remembered = 0;
    /* but not the one after */
    for (int i = 80; i < 90; i++)
        fixture->headers[i].version = SILENT;
    signal_blocks(fixture, 90, PERIOD);
    assert_int_equal(state_at(fixture, 100), BIP9_STATE_FAILED);
}

TEST(activation_waits_for_the_minimum_height, struct fixture *fixture)
{
    fixture->network.bip9[BIP9_TESTDUMMY].min_activation_height = 71;
    signal_blocks(fixture, 30, PERIOD);
    assert_int_equal(state_at(fixture, 50), BIP9_STATE_LOCKED_IN);
    assert_int_equal(state_at(fixture, 79), BIP9_STATE_LOCKED_IN);
    assert_int_equal(state_at(fixture, 80), BIP9_STATE_ACTIVE);
    assert_int_equal(since(fixture, 75), 40);
    assert_int_equal(since(fixture, 80), 80);
}

TEST(special_start_times_decide_at_once, struct fixture *fixture)
{
    fixture->network.bip9[BIP9_TESTDUMMY].start_time = BIP9_ALWAYS_ACTIVE;
    assert_int_equal(state_at(fixture, 0), BIP9_STATE_ACTIVE);
    assert_int_equal(state_at(fixture, 100), BIP9_STATE_ACTIVE);
    assert_int_equal(since(fixture, 100), 0);
    fixture->network.bip9[BIP9_TESTDUMMY].start_time = BIP9_NEVER_ACTIVE;
    signal_blocks(fixture, 0, 100);
    assert_int_equal(state_at(fixture, 100), BIP9_STATE_FAILED);
}

TEST(a_start_time_of_zero_starts_in_the_second_period, struct fixture *fixture)
{
    fixture->network.bip9[BIP9_TESTDUMMY].start_time = 0;
    assert_int_equal(state_at(fixture, 9), BIP9_STATE_DEFINED);
    assert_int_equal(state_at(fixture, 10), BIP9_STATE_STARTED);
    assert_int_equal(since(fixture, 15), 10);
}

TEST(a_memory_is_asked_and_saves_walks, struct fixture *fixture)
{
    (void)state_at(fixture, 150);
    int remembered = fixture->n_remembered;
    assert_true(remembered > 0);
    fixture->hits = 0;
    (void)state_at(fixture, 155); /* the same period */
    assert_int_equal(fixture->n_remembered, remembered);
    assert_int_equal(fixture->hits, 1);
    (void)state_at(fixture, 160); /* one period on */
    assert_int_equal(fixture->n_remembered, remembered + 1);
}

/* clang-format off */
static const struct { uint32_t version; bool signals; } versions[] = {
    {0x30000000, true}, {0x20000000, false}, {0x10000000, false}, {0x50000000, false},
    {0x70000000, false}, {0xb0000000, false}, {0x3fffffff, true}, {0x00000004, false},
};
/* clang-format on */

TEST(only_versions_with_top_bits_001_signal, struct fixture *fixture)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++)
        assert_int_equal(
            versionbits_signals(&fixture->network, BIP9_TESTDUMMY, (int32_t)versions[i].version),
            versions[i].signals);
}

TEST(statistics_count_the_running_period, struct fixture *fixture)
{
    signal_blocks(fixture, 30, 4);
    struct versionbits_stats stats =
        versionbits_stats(&fixture->network, BIP9_TESTDUMMY, &view, &fixture->headers[34]);
    assert_int_equal(stats.period, PERIOD);
    assert_int_equal(stats.threshold, THRESHOLD);
    assert_int_equal(stats.elapsed, 5);
    assert_int_equal(stats.count, 4);
    assert_true(stats.possible); /* one missed, two may be */
    stats = versionbits_stats(&fixture->network, BIP9_TESTDUMMY, &view, &fixture->headers[36]);
    assert_false(stats.possible); /* three missed */
    stats = versionbits_stats(&fixture->network, BIP9_TESTDUMMY, &view, &fixture->headers[39]);
    assert_int_equal(stats.elapsed, PERIOD);
    stats = versionbits_stats(&fixture->network, BIP9_TESTDUMMY, &view, NULL);
    assert_int_equal(stats.elapsed, 0);
    assert_true(stats.possible);
}

TEST(new_blocks_signal_while_started_or_locked_in, struct fixture *fixture)
{
    signal_blocks(fixture, 30, PERIOD);
    static const struct {
        int height, version;
    } expect[] = {{29, SILENT}, {30, SIGNAL}, {45, SIGNAL}, {50, SILENT}};
    for (size_t i = 0; i < COUNT_OF(expect); i++)
        assert_int_equal(versionbits_block_version(&fixture->network, &view,
                                                   &fixture->headers[expect[i].height - 1], NULL),
                         expect[i].version);
}

TEST(states_have_names)
{
    assert_string_equal(versionbits_state_name(BIP9_STATE_DEFINED), "defined");
    assert_string_equal(versionbits_state_name(BIP9_STATE_LOCKED_IN), "locked_in");
    assert_string_equal(versionbits_state_name(BIP9_STATE_FAILED), "failed");
}


/* -- Rule changes that we do not know of --------------------------------------------------------
 */

static struct versionbits_unknown unknown_at(struct fixture *fixture,
                                             const struct versionbits_unknown *from, int height)
{
    struct versionbits_unknown unknown = *from;
    versionbits_unknown_update(&unknown, &fixture->network, &view, &fixture->headers[height - 1],
                               NULL);
    return unknown;
}

/* 7 of 10 blocks are enough on a test chain, 9 on main. */
TEST(unknown_bits_lock_in_and_hold_for_good, struct fixture *fixture)
{
    fixture->network.pow_target_timespan_s = PERIOD * fixture->network.pow_target_spacing_s;
    const struct versionbits_unknown none = {0};
    for (int i = 0; i < 10; i++) { /* the first period never counts, bit 5 is not for rules */
        fixture->headers[i].version = SILENT | 1 << 1;
        fixture->headers[10 + i].version = SILENT | 1 << 5;
        fixture->headers[20 + i].version = i < 6 ? SILENT | 1 << 4 : SILENT;
        fixture->headers[30 + i].version = i < 7 ? SILENT | 1 << 4 : SILENT;
        fixture->headers[40 + i].version = i < 9 ? SILENT | 1 : SILENT;
        fixture->headers[50 + i].version = 0x40000001; /* not of BIP9 */
    }
    static const struct {
        int height;
        uint32_t locked_in, active;
    } rows[] = {{9, 0, 0},           {10, 0, 0},          {20, 0, 0},      {30, 0, 0},
                {39, 0, 0},          {40, 1 << 4, 0},     {49, 1 << 4, 0}, {50, 1, 1 << 4},
                {60, 0, 1 | 1 << 4}, {100, 0, 1 | 1 << 4}};
    struct versionbits_unknown growing = none;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct versionbits_unknown at_once = unknown_at(fixture, &none, rows[i].height);
        growing = unknown_at(fixture, &growing, rows[i].height);
        assert_int_equal(at_once.locked_in, rows[i].locked_in);
        assert_int_equal(at_once.active, rows[i].active);
        assert_memory_equal(&growing, &at_once, sizeof growing);
    }
    struct versionbits_unknown back = unknown_at(fixture, &growing, 45); /* a reorganisation */
    assert_int_equal(back.active, 0);
    assert_int_equal(back.locked_in, 1 << 4);
    fixture->network.is_test_chain = false;
    assert_int_equal(unknown_at(fixture, &none, 100).active, 1);
    fixture->network.unknown_rules_height = 50;
    assert_int_equal(unknown_at(fixture, &none, 100).active, 0);
}

/* What a deployment of ours explains is not unknown. */
TEST(known_bits_are_not_unknown, struct fixture *fixture)
{
    fixture->network.pow_target_timespan_s = PERIOD * fixture->network.pow_target_spacing_s;
    fixture->network.bip9[BIP9_TESTDUMMY].bit = 3;
    for (int i = 30; i < 60; i++)
        fixture->headers[i].version = SILENT | 1 << 3;
    const struct versionbits_unknown none = {0};
    assert_int_equal(unknown_at(fixture, &none, 60).active, 0);
    fixture->network.bip9[BIP9_TESTDUMMY].start_time = BIP9_NEVER_ACTIVE;
    assert_int_equal(unknown_at(fixture, &none, 60).active, 1 << 3);
}
