/* test_cluster.c - clusters: their limits, their order, merging and splitting. */
#include "consensus/opcodes.h"
#include "mempool/cluster.h"
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(5, 200, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

/* Make a transaction that large by a data output. */
static void pad(struct mempool_rig *rig, struct tx *tx, uint32_t vbytes)
{
    struct tx_out *out = arena_alloc(&rig->builder.arena, (tx->n_out + 1) * sizeof *out);
    memcpy(out, tx->out, tx->n_out * sizeof *out);
    size_t len = vbytes - (tx_weight_wu(tx) + 3) / 4 - 11; /* value 8, length 3 */
    uint8_t *script = arena_calloc(&rig->builder.arena, 1, len);
    script[0] = OP_RETURN;
    out[tx->n_out++] = (struct tx_out){.script_pubkey = span_of(script, len)};
    tx->out = out;
    tx_finish(tx, &rig->builder.arena);
    assert_int_equal((tx_weight_wu(tx) + 3) / 4, vbytes);
}

static size_t cluster_count(const struct mempool_rig *rig, const struct tx *tx)
{
    return pool_cluster_of(rig->pool, pool_entry_of(mempool_find(rig->pool, &tx->txid)))->n;
}

/* -- Limits (hazards row 65) ------------------------------------------------------------------- */

TEST(a_chain_has_at_most_64_entries, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT), first = tx;
    for (int i = 1; i <= 64; i++) {
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
        assert_int_equal(cluster_count(rig, &tx), i);
        tx = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT + 100 * i);
    }
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_CLUSTER_TOO_LARGE);
    assert_string_equal(reject_string(answer.verdict.code), "too-large-cluster");
    size_t n;
    const struct mempool_entry **list =
        mempool_descendants(rig->pool, mempool_find(rig->pool, &first.txid), &n);
    assert_int_equal(n, 63);
    xfree(list);
    /* Once the first is mined there is room for one more. */
    mempool_rig_mine(rig, &first, 1);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    assert_int_equal(cluster_count(rig, &tx), 64);
}

TEST(a_comb_has_at_most_64_entries, struct mempool_rig *rig)
{
    struct tx root = mempool_rig_pay(rig, 1, 64, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &root), REJECT_NONE);
    for (uint32_t i = 0; i < 64; i++) {
        struct tx tx = mempool_rig_pay_on(rig, &root, i, 1, FEE_SAT + 1000 * (int64_t)i);
        assert_reject(mempool_rig_add(rig, &tx), i < 63 ? REJECT_NONE : REJECT_CLUSTER_TOO_LARGE);
    }
    assert_int_equal(mempool_find(rig->pool, &root.txid)->n_children, 63);
}

/* One entry joins clusters of others: all of theirs count. */
TEST(joining_counts_all_that_are_joined, struct mempool_rig *rig)
{
    enum { N = 66 };
    struct builder_coin coins[N];
    for (int32_t i = 0; i < N; i++) {
        struct tx tx = mempool_rig_pay(rig, i + 1, 1, FEE_SAT);
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
        assert_int_equal(cluster_count(rig, &tx), 1);
        coins[i] = mempool_rig_output(&tx, 0);
    }
    for (uint32_t n = 66; n >= 63; n--) {
        struct tx tx = mempool_rig_spend(rig, coins, n, 1, FEE_SAT);
        assert_reject(mempool_rig_add(rig, &tx), n == 63 ? REJECT_NONE : REJECT_CLUSTER_TOO_LARGE);
    }
    /* Two full halves cannot be joined. */
    struct tx one = mempool_rig_pay(rig, 71, 1, FEE_SAT),
              two = mempool_rig_pay(rig, 72, 1, FEE_SAT);
    for (int i = 0; i < 32; i++) {
        assert_reject(mempool_rig_add(rig, &one), REJECT_NONE);
        assert_reject(mempool_rig_add(rig, &two), REJECT_NONE);
        coins[0] = mempool_rig_output(&one, 0);
        coins[1] = mempool_rig_output(&two, 0);
        if (i == 30)
            coins[2] = coins[1]; /* of a half with 31 */
        one = mempool_rig_pay_on(rig, &one, 0, 1, FEE_SAT);
        two = mempool_rig_pay_on(rig, &two, 0, 1, FEE_SAT);
    }
    struct tx joint = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &joint), REJECT_CLUSTER_TOO_LARGE);
}

TEST(size_is_bounded_by_adjusted_weight, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 1, 4 * FEE_SAT);
    pad(rig, &parent, 60000);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    for (uint32_t vbytes = 41002; vbytes > 41000; vbytes--) {
        struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, 4 * FEE_SAT);
        pad(rig, &child, vbytes);
        bool fits = tx_weight_wu(&parent) + tx_weight_wu(&child) <=
                    MEMPOOL_CLUSTER_VBYTES_MAX * WITNESS_SCALE;
        assert_int_equal(fits, vbytes == 41001);
        assert_reject(mempool_rig_add(rig, &child), fits ? REJECT_NONE : REJECT_CLUSTER_TOO_LARGE);
    }
}

/* -- Order ------------------------------------------------------------------------------------- */

static struct feerate chunk_of(const struct mempool_rig *rig, const struct tx *tx)
{
    return mempool_chunk(rig->pool, mempool_find(rig->pool, &tx->txid));
}

TEST(a_child_pays_for_its_parent, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 2, 1000);
    struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, 50000);
    struct tx cheap = mempool_rig_pay_on(rig, &parent, 1, 1, 500);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_int_equal(chunk_of(rig, &parent).fee_sat, 1000);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &cheap), REJECT_NONE);
    struct feerate both = chunk_of(rig, &parent);
    assert_int_equal(both.fee_sat, 51000);
    assert_int_equal(both.size, tx_weight_wu(&parent) + tx_weight_wu(&child));
    assert_int_equal(feerate_compare(chunk_of(rig, &child), both), 0);
    assert_int_equal(chunk_of(rig, &cheap).fee_sat, 500);
    /* A delta changes the order at once. */
    mempool_prioritise(rig->pool, &cheap.txid, 1000000);
    assert_int_equal(chunk_of(rig, &cheap).fee_sat, 1001500);
    assert_int_equal(feerate_compare(chunk_of(rig, &parent), chunk_of(rig, &cheap)), 0);
    assert_int_equal(chunk_of(rig, &child).fee_sat, 50000);
    mempool_prioritise(rig->pool, &cheap.txid, -1000000);
    assert_int_equal(chunk_of(rig, &cheap).fee_sat, 500);
    mempool_verify(rig->pool);
}

TEST(a_diamond_is_one_cluster_until_it_is_cut, struct mempool_rig *rig)
{
    struct tx top = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    struct tx left = mempool_rig_pay_on(rig, &top, 0, 1, FEE_SAT);
    struct tx right = mempool_rig_pay_on(rig, &top, 1, 1, FEE_SAT);
    struct builder_coin coins[2] = {mempool_rig_output(&left, 0), mempool_rig_output(&right, 0)};
    struct tx bottom = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT);
    struct tx *all[] = {&top, &left, &right, &bottom};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_reject(mempool_rig_add(rig, all[i]), REJECT_NONE);
    assert_int_equal(cluster_count(rig, &top), 4);
    mempool_rig_mine(rig, &top, 1); /* bottom still holds both sides together */
    assert_int_equal(cluster_count(rig, &left), 3);
    /* A block that spends what left spends: left and bottom go, right is alone. */
    struct tx other = mempool_rig_pay_on(rig, &top, 0, 2, FEE_SAT);
    mempool_rig_mine(rig, &other, 1);
    assert_int_equal(mempool_count(rig->pool), 1);
    assert_int_equal(cluster_count(rig, &right), 1);
    assert_int_equal(mempool_find(rig->pool, &right.txid)->n_children, 0);
}

TEST(a_cluster_splits_when_its_middle_is_mined, struct mempool_rig *rig)
{
    struct tx hub = mempool_rig_pay(rig, 1, 5, FEE_SAT), leaf[5];
    assert_reject(mempool_rig_add(rig, &hub), REJECT_NONE);
    for (uint32_t i = 0; i < 5; i++) {
        leaf[i] = mempool_rig_pay_on(rig, &hub, i, 1, FEE_SAT);
        assert_reject(mempool_rig_add(rig, &leaf[i]), REJECT_NONE);
    }
    assert_int_equal(cluster_count(rig, &leaf[0]), 6);
    mempool_rig_mine(rig, &hub, 1);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(cluster_count(rig, &leaf[i]), 1);
}
