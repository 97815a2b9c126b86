/* test_fee_estimator.c - what is learnt of transactions and blocks, and kept in a file. */
#include "mempool/fee_estimator.h"
#include "sim/sim_env.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

#define VBYTES 200
#define START  100 /* height that the estimator is first told of */
#define HIGH   8000
#define LOW    1000

struct rig {
    struct sim_env *sim;
    struct fee_estimator *fees;
    int32_t height;
    uint32_t n_txs;
};

static struct fee_estimator *new_estimator(const struct rig *rig)
{
    return fee_estimator_new(sim_env_get(rig->sim));
}

static int set_up(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    rig->sim = sim_env_new(5);
    rig->fees = new_estimator(rig);
    rig->height = START;
    fee_estimator_block(rig->fees, START);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    fee_estimator_free(rig->fees);
    sim_env_free(rig->sim);
    xfree(rig);
    return 0;
}

FIXTURE(set_up, tear_down)

static struct txid id(uint32_t n)
{
    struct txid txid = {0};
    memcpy(txid.b, &n, sizeof n);
    return txid;
}

/* n transactions of a rate come. Returns: the number of the first */
static uint32_t come(struct rig *rig, int n, int64_t sat_per_kvb)
{
    uint32_t first = rig->n_txs;
    for (int i = 0; i < n; i++) {
        struct txid txid = id(rig->n_txs++);
        const struct fee_tx tx = {&txid, sat_per_kvb * VBYTES / 1000, VBYTES, rig->height};
        fee_estimator_entered(rig->fees, &tx);
    }
    return first;
}

static void take(struct rig *rig, uint32_t first, int n)
{
    for (int i = 0; i < n; i++) {
        struct txid txid = id(first + (uint32_t)i);
        fee_estimator_mined(rig->fees, &txid);
    }
}

static void leave(struct rig *rig, uint32_t first, int n)
{
    for (int i = 0; i < n; i++) {
        struct txid txid = id(first + (uint32_t)i);
        fee_estimator_left(rig->fees, &txid);
    }
}

static void block(struct rig *rig)
{
    fee_estimator_block(rig->fees, ++rig->height);
}

/* Blocks with n transactions each that came just before. */
static void blocks_with(struct rig *rig, int n_blocks, int n, int64_t sat_per_kvb)
{
    for (int i = 0; i < n_blocks; i++) {
        take(rig, come(rig, n, sat_per_kvb), n);
        block(rig);
    }
}

static int64_t smart(const struct rig *rig, int32_t target, bool conservative)
{
    return fee_estimator_smart(rig->fees, target, conservative).sat_per_kvb;
}

TEST(who_has_seen_nothing_knows_nothing, struct rig *rig)
{
    static const int32_t targets[] = {1, 2, 12, 13, 48, 49, FEE_TARGET_MAX};
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        struct fee_estimate estimate = fee_estimator_smart(rig->fees, targets[i], i % 2);
        assert_int_equal(estimate.sat_per_kvb, 0);
        assert_int_equal(estimate.blocks, 0);
    }
    assert_true(fee_estimator_raw(rig->fees, FEE_HORIZON_LONG, FEE_TARGET_MAX, 0.5).rate < 0);
    assert_string_equal(fee_horizon_of(FEE_HORIZON_MEDIUM)->name, "medium");
}

TEST(half_of_what_was_watched_is_the_furthest_target, struct rig *rig)
{
    /* The first block that teaches is the beginning. */
    blocks_with(rig, 4, 30, HIGH);
    assert_int_equal(fee_estimator_smart(rig->fees, 1, false).blocks, 1);
    assert_int_equal(smart(rig, 1, false), 0);
    blocks_with(rig, 1, 30, HIGH);
    struct fee_estimate estimate = fee_estimator_smart(rig->fees, 1, false);
    assert_int_equal(estimate.blocks, 2);
    assert_int_equal(estimate.sat_per_kvb, HIGH);
    estimate = fee_estimator_smart(rig->fees, 100, false);
    assert_int_equal(estimate.blocks, 2);
    blocks_with(rig, 2, 30, HIGH);
    assert_int_equal(fee_estimator_smart(rig->fees, 100, false).blocks, 3);
    assert_int_equal(fee_estimator_smart(rig->fees, 2, false).blocks, 2);
}

TEST(the_rate_that_blocks_take_is_found, struct rig *rig)
{
    uint32_t waiting = come(rig, 30, LOW);
    blocks_with(rig, 20, 30, HIGH);
    assert_int_equal(smart(rig, 2, false), HIGH);
    assert_int_equal(smart(rig, 6, false), HIGH); /* those that wait have failed 12 blocks too */
    assert_int_equal(fee_estimator_waiting(rig->fees), 30);
    assert_in_range(fee_estimator_waiting_bytes(rig->fees), 30 * 16, 30 * 128);
    take(rig, waiting, 30);
    block(rig);
    assert_int_equal(fee_estimator_waiting(rig->fees), 0);
    assert_int_equal(fee_estimator_waiting_bytes(rig->fees), 0);
    /* From now on the low rate does. */
    blocks_with(rig, 60, 30, LOW);
    assert_int_equal(smart(rig, 2, false), LOW);
}

TEST(economical_is_quicker_to_believe_that_fees_fell, struct rig *rig)
{
    blocks_with(rig, 12, 24, HIGH);
    assert_int_equal(smart(rig, 1, true), HIGH);
    assert_int_equal(smart(rig, 1, false), HIGH);
    blocks_with(rig, 4, 24, LOW);
    assert_int_equal(smart(rig, 1, false), LOW);
    /* The long horizon wants 0.1 / (1 - 0.99931) = 145 of them; 96 were mined. */
    assert_int_equal(smart(rig, 1, true), HIGH);
}

TEST(who_leaves_unmined_is_a_failure, struct rig *rig)
{
    for (int i = 0; i < 10; i++) {
        uint32_t low = come(rig, 50, LOW);
        take(rig, come(rig, 20, HIGH), 20);
        take(rig, low, 5);
        block(rig);
        leave(rig, low + 5, 45); /* replaced by ones that pay more */
    }
    assert_int_equal(smart(rig, 2, false), HIGH);
    struct fee_answer answer = fee_estimator_raw(rig->fees, FEE_HORIZON_SHORT, 1, 0.6);
    assert_true(answer.fail.left_mempool > 300 && answer.fail.within_target < 50);
    /* Who leaves within the block has not failed it. */
    uint32_t n = (uint32_t)fee_estimator_waiting(rig->fees);
    leave(rig, come(rig, 3, LOW), 3);
    assert_int_equal(fee_estimator_waiting(rig->fees), n);
    struct fee_answer again = fee_estimator_raw(rig->fees, FEE_HORIZON_SHORT, 1, 0.6);
    assert_true(again.fail.left_mempool <= answer.fail.left_mempool);
}

TEST(only_what_came_on_the_last_block_told_of_is_followed, struct rig *rig)
{
    rig->height--;
    come(rig, 1, HIGH);
    assert_int_equal(fee_estimator_waiting(rig->fees), 0);
    rig->height += 2;
    come(rig, 1, HIGH);
    assert_int_equal(fee_estimator_waiting(rig->fees), 0);
    rig->height--;
    come(rig, 1, HIGH);
    assert_int_equal(fee_estimator_waiting(rig->fees), 1);
    leave(rig, 500, 1); /* never told of */
    take(rig, 501, 1);
    assert_int_equal(fee_estimator_waiting(rig->fees), 1);
}

TEST(a_block_of_a_reorganisation_teaches_nothing, struct rig *rig)
{
    blocks_with(rig, 6, 30, HIGH);
    struct fee_answer before = fee_estimator_raw(rig->fees, FEE_HORIZON_SHORT, 2, 0.85);
    take(rig, come(rig, 30, LOW), 30);
    fee_estimator_block(rig->fees, rig->height);
    assert_int_equal(fee_estimator_waiting(rig->fees), 0);
    struct fee_answer after = fee_estimator_raw(rig->fees, FEE_HORIZON_SHORT, 2, 0.85);
    assert_memory_equal(&before.pass.confirmed, &after.pass.confirmed, sizeof(double));
    block(rig);
    assert_int_equal(smart(rig, 2, false), HIGH);
}

/* Whatever a chain may do between two calls: what waits grows older by all that was left out. */
TEST(blocks_that_were_not_told_have_passed, struct rig *rig)
{
    static const int skipped[] = {1, 2, 12, 13, 200, 2000};
    for (size_t i = 0; i < COUNT_OF(skipped); i++) {
        uint32_t first = come(rig, 20, LOW);
        block(rig);
        rig->height += skipped[i];
        come(rig, 5, HIGH); /* not on a block told of: not followed */
        assert_int_equal(fee_estimator_waiting(rig->fees), 20);
        block(rig);
        take(rig, first, 10);
        block(rig);
        leave(rig, first + 10, 10);
        assert_int_equal(fee_estimator_waiting(rig->fees), 0);
    }
}

TEST(what_waits_at_the_end_has_left, struct rig *rig)
{
    blocks_with(rig, 10, 30, HIGH);
    come(rig, 30, LOW);
    block(rig);
    fee_estimator_leave_all(rig->fees);
    assert_int_equal(fee_estimator_waiting(rig->fees), 0);
    assert_true(fee_estimator_raw(rig->fees, FEE_HORIZON_SHORT, 1, 0.5).fail.left_mempool > 29);
    come(rig, 1, LOW);
    assert_int_equal(fee_estimator_waiting(rig->fees), 1);
}

/* A copy through the file's bytes; NULL if they are refused. */
static struct fee_estimator *reread(const struct rig *rig, struct span bytes)
{
    struct fee_estimator *copy = new_estimator(rig);
    if (fee_estimator_decode(copy, bytes))
        return copy;
    /* It is as new: it can be told of things, and knows nothing. */
    assert_int_equal(fee_estimator_smart(copy, 2, false).sat_per_kvb, 0);
    fee_estimator_free(copy);
    return NULL;
}

TEST(a_file_brings_the_estimates_back, struct rig *rig)
{
    struct buffer bytes, again;
    buffer_init(&bytes);
    buffer_init(&again);
    blocks_with(rig, 15, 30, HIGH);
    blocks_with(rig, 5, 30, LOW);
    fee_estimator_encode(rig->fees, &bytes);
    /* Four numbers; rows with their length, of buckets and of 26, 50 and 86 counts; of each horizon
     * decay, scale and twice the number of periods. */
    assert_int_equal(bytes.len, 4 * 4 + 163 * (1 + 8 * FEE_BUCKETS) + 3 * (8 + 4 + 2));
    struct fee_estimator *copy = reread(rig, buffer_span(&bytes));
    assert_non_null(copy);
    for (int32_t target = 1; target <= FEE_TARGET_MAX; target += 9) {
        struct fee_estimate old = fee_estimator_smart(rig->fees, target, target % 2);
        struct fee_estimate new = fee_estimator_smart(copy, target, target % 2);
        assert_int_equal(old.sat_per_kvb, new.sat_per_kvb);
        assert_int_equal(old.blocks, new.blocks);
    }
    fee_estimator_encode(copy, &again);
    assert_int_equal(again.len, bytes.len);
    assert_memory_equal(again.p, bytes.p, bytes.len);
    /* Its numbers count for targets for six weeks of blocks. */
    fee_estimator_block(copy, rig->height + 6 * 1008);
    assert_int_equal(fee_estimator_smart(copy, 100, false).blocks, 9);
    fee_estimator_block(copy, rig->height + 6 * 1008 + 1);
    assert_int_equal(fee_estimator_smart(copy, 100, false).blocks, 0);
    fee_estimator_free(copy);
    buffer_deinit(&again);
    buffer_deinit(&bytes);
}

/* It is encoded later, by another thread: what comes in between is not in it. */
TEST(a_snapshot_is_encoded_as_it_was, struct rig *rig)
{
    struct buffer then, later, now;
    buffer_init(&then);
    buffer_init(&later);
    buffer_init(&now);
    blocks_with(rig, 15, 30, HIGH);
    come(rig, 3, LOW);
    fee_estimator_encode(rig->fees, &then);
    struct fee_estimator *snapshot = fee_estimator_snapshot(rig->fees);
    blocks_with(rig, 5, 30, LOW);
    fee_estimator_encode(rig->fees, &now);
    fee_estimator_encode(snapshot, &later);
    fee_estimator_free(snapshot);
    assert_int_equal(later.len, then.len);
    assert_memory_equal(later.p, then.p, then.len);
    assert_memory_not_equal(later.p, now.p, then.len);
    buffer_deinit(&then);
    buffer_deinit(&later);
    buffer_deinit(&now);
}

TEST(a_damaged_file_is_refused_as_a_whole, struct rig *rig)
{
    struct buffer bytes;
    buffer_init(&bytes);
    blocks_with(rig, 20, 30, HIGH);
    fee_estimator_encode(rig->fees, &bytes);
    for (size_t len = 0; len < bytes.len; len += len < 40 ? 1 : 997)
        assert_null(reread(rig, span_of(bytes.p, len)));
    assert_null(reread(rig, span_of(bytes.p, bytes.len - 1)));
    buffer_append(&bytes, "", 1);
    assert_null(reread(rig, buffer_span(&bytes)));
    bytes.len--;
    /* Version; first above last; last above best; a bucket; decay; a count that is no number. */
    static const struct {
        size_t at;
        uint8_t mask;
    } rows[] = {{0, 1},
                {8, 0x80},
                {12, 0x80},
                {7, 0x80},
                {20, 1},
                {17 + 8 * FEE_BUCKETS, 1},
                {17 + 8 * FEE_BUCKETS + 12, 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bytes.p[rows[i].at] ^= rows[i].mask;
        assert_null(reread(rig, buffer_span(&bytes)));
        bytes.p[rows[i].at] ^= rows[i].mask;
    }
    memset(bytes.p + bytes.len - 8, 0xff, 8); /* NaN */
    assert_null(reread(rig, buffer_span(&bytes)));
    buffer_deinit(&bytes);
}

/* Whatever is asked of it has an answer that can be paid. */
static void ask_all(struct fee_estimator *fees)
{
    for (int32_t target = 1; target <= FEE_TARGET_MAX; target += target < 48 ? 5 : 240) {
        struct fee_estimate estimate = fee_estimator_smart(fees, target, target % 2);
        assert_true(estimate.sat_per_kvb >= 0 && estimate.sat_per_kvb <= 2100000000000000000);
        assert_true(estimate.blocks >= 0 && estimate.blocks <= target + 1);
    }
    struct txid txid = id(77);
    fee_estimator_block(fees, INT32_MAX - 5000);
    const struct fee_tx tx = {&txid, 1000, VBYTES, INT32_MAX - 5000};
    fee_estimator_entered(fees, &tx);
    fee_estimator_mined(fees, &txid);
    fee_estimator_block(fees, INT32_MAX - 4999);
    assert_true(fee_estimator_smart(fees, 2, false).sat_per_kvb >= 0);
}

/* Hazard 79: bytes that no disk should give back are refused, or do no harm. */
TEST(damage_that_cannot_be_seen_does_no_harm, struct rig *rig)
{
    struct buffer bytes, copy;
    struct sim_random random = {79};
    int n_taken = 0;
    buffer_init(&bytes);
    buffer_init(&copy);
    blocks_with(rig, 20, 30, HIGH);
    leave(rig, come(rig, 30, LOW), 30);
    fee_estimator_encode(rig->fees, &bytes);
    for (int i = 0; i < 400; i++) {
        copy.len = 0;
        buffer_append(&copy, bytes.p, bytes.len);
        for (uint64_t n = sim_random_below(&random, 4) + 1; n > 0; n--) {
            uint64_t at = sim_random_below(&random, i % 2 ? 200 : bytes.len);
            copy.p[at] ^= (uint8_t)(1 << sim_random_below(&random, 8));
        }
        struct fee_estimator *fees = reread(rig, buffer_span(&copy));
        if (!fees)
            continue;
        n_taken++;
        ask_all(fees);
        fee_estimator_free(fees);
    }
    assert_in_range(n_taken, 1, 399);
    buffer_deinit(&copy);
    buffer_deinit(&bytes);
}

/* A sum of rates that is far out of its bucket: the estimate stays in the bucket. */
TEST(a_damaged_sum_moves_no_rate_out_of_its_bucket, struct rig *rig)
{
    struct buffer bytes;
    double huge = 1e26;
    buffer_init(&bytes);
    blocks_with(rig, 20, 30, HIGH);
    fee_estimator_encode(rig->fees, &bytes);
    /* The medium horizon's sums of rates come behind the buckets, decay and scale. */
    for (size_t i = 0; i < FEE_BUCKETS; i++)
        memcpy(bytes.p + 16 + 1 + 8 * FEE_BUCKETS + 12 + 1 + 8 * i, &huge, sizeof huge);
    struct fee_estimator *fees = reread(rig, buffer_span(&bytes));
    assert_non_null(fees);
    double rate = fee_estimator_raw(fees, FEE_HORIZON_MEDIUM, 2, 0.85).rate;
    assert_true(rate >= HIGH && rate <= HIGH * FEE_SPACING);
    fee_estimator_free(fees);
    buffer_deinit(&bytes);
}
