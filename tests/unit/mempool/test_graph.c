/* test_graph.c - entries, their relatives and their index, against a plain model. */
#include "sim/sim_random.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

enum {
    TXS_MAX = 400,
    COINS_MAX = 2000,
    MATURE = 30,
};

/* A plain list of what should be in the mempool. */
struct model {
    struct mempool_rig *rig;
    struct sim_random random;
    struct tx tx[TXS_MAX];
    bool is_in[TXS_MAX];
    size_t n_tx;
    struct builder_coin coin[COINS_MAX]; /* all that were ever made */
    size_t maker[COINS_MAX];             /* TXS_MAX: a coinbase */
    size_t n_coins;
};

static bool is_spent_by(const struct tx *tx, const struct outpoint *outpoint)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (outpoint_equal(&tx->in[i].prevout, outpoint))
            return true;
    return false;
}

static bool spends_from(const struct tx *child, const struct tx *parent)
{
    for (uint32_t i = 0; i < child->n_in; i++)
        if (txid_equal(&child->in[i].prevout.txid, &parent->txid))
            return true;
    return false;
}

/* Is it or will it be gone? */
static bool is_spent(const struct model *m, const struct outpoint *outpoint)
{
    for (size_t i = 0; i < m->n_tx; i++)
        if (is_spent_by(&m->tx[i], outpoint))
            return true;
    return false;
}

static size_t add_random(struct model *m)
{
    struct builder_coin coins[3];
    uint32_t want = 1 + (uint32_t)sim_random_below(&m->random, 3), n = 0;
    for (int tries = 0; tries < 50 && n < want; tries++) {
        const struct builder_coin *coin = &m->coin[sim_random_below(&m->random, m->n_coins)];
        bool is_free = !is_spent(m, &coin->outpoint);
        for (uint32_t i = 0; i < n; i++)
            is_free = is_free && !outpoint_equal(&coins[i].outpoint, &coin->outpoint);
        if (is_free)
            coins[n++] = *coin;
    }
    if (n == 0 || m->n_tx == TXS_MAX)
        return TXS_MAX;
    size_t at = m->n_tx;
    uint32_t n_out = 1 + (uint32_t)sim_random_below(&m->random, 3);
    int64_t fee_sat = 500 + (int64_t)sim_random_below(&m->random, 20000);
    m->tx[at] = mempool_rig_spend(m->rig, coins, n, n_out, fee_sat);
    enum reject reject = mempool_rig_add(m->rig, &m->tx[at]);
    if (reject == REJECT_CLUSTER_TOO_LARGE)
        return TXS_MAX;
    assert_reject(reject, REJECT_NONE);
    m->is_in[at] = true;
    m->n_tx++;
    for (uint32_t i = 0; i < n_out && m->n_coins < COINS_MAX; i++)
        m->coin[m->n_coins++] = mempool_rig_output(&m->tx[at], i);
    return at;
}

/* All that follow from those marked, down. The list is in order of creation. */
static void close_down(const struct model *m, bool *set)
{
    for (size_t i = 0; i < m->n_tx; i++)
        for (size_t k = 0; k < i && !set[i]; k++)
            set[i] = m->is_in[i] && set[k] && spends_from(&m->tx[i], &m->tx[k]);
}

static void close_up(const struct model *m, bool *set)
{
    for (size_t i = m->n_tx; i-- > 0;)
        for (size_t k = 0; set[i] && k < i; k++)
            set[k] = set[k] || (m->is_in[k] && spends_from(&m->tx[i], &m->tx[k]));
}

static size_t count_others(const struct model *m, const bool *set)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_tx; i++)
        n += set[i];
    return n - 1;
}

/* Mine one entry with all it needs, or something that contradicts one. */
static void mine_random(struct model *m)
{
    size_t at = sim_random_below(&m->random, m->n_tx);
    struct tx list[TXS_MAX];
    bool set[TXS_MAX] = {false};
    uint32_t n = 0;
    if (!m->is_in[at])
        return;
    set[at] = true;
    if (sim_random_below(&m->random, 3) > 0) {
        close_up(m, set);
        for (size_t i = 0; i < m->n_tx; i++)
            if (set[i])
                list[n++] = m->tx[i];
        mempool_rig_mine(m->rig, list, n);
    } else if (mempool_find(m->rig->pool, &m->tx[at].txid)->n_parents == 0) {
        struct tx other = m->tx[at];
        struct tx_out *out = arena_alloc(&m->rig->builder.arena, other.n_out * sizeof *out);
        memcpy(out, other.out, other.n_out * sizeof *out);
        out[0].value_sat--;
        other.out = out;
        tx_finish(&other, &m->rig->builder.arena);
        close_down(m, set);
        mempool_rig_mine(m->rig, &other, 1);
        /* What is gone cannot be spent from again. */
        for (size_t c = 0; c < m->n_coins;) {
            bool is_lost = false;
            for (size_t i = 0; i < m->n_tx && !is_lost; i++)
                is_lost = set[i] && txid_equal(&m->tx[i].txid, &m->coin[c].outpoint.txid);
            if (is_lost)
                m->coin[c] = m->coin[--m->n_coins];
            else
                c++;
        }
    } else {
        return;
    }
    for (size_t i = 0; i < m->n_tx; i++)
        m->is_in[i] = m->is_in[i] && !set[i];
}

static void assert_relatives(const struct model *m, size_t at)
{
    bool up[TXS_MAX] = {false}, down[TXS_MAX] = {false};
    const struct mempool_entry *entry = mempool_find(m->rig->pool, &m->tx[at].txid);
    size_t n;
    up[at] = down[at] = true;
    close_up(m, up);
    close_down(m, down);
    const struct mempool_entry **list = mempool_ancestors(m->rig->pool, entry, &n);
    assert_int_equal(n, count_others(m, up));
    for (size_t i = 0; i < n; i++)
        assert_true(list[i]->sequence < entry->sequence);
    xfree(list);
    list = mempool_descendants(m->rig->pool, entry, &n);
    assert_int_equal(n, count_others(m, down));
    xfree(list);
}

static void assert_agrees(const struct model *m)
{
    const struct mempool *pool = m->rig->pool;
    size_t n = 0, n_seen = 0;
    uint64_t at = 0, last = 0;
    for (size_t i = 0; i < m->n_tx; i++) {
        const struct mempool_entry *entry = mempool_find(pool, &m->tx[i].txid);
        assert_int_equal(entry != NULL, m->is_in[i]);
        n += m->is_in[i];
        if (!entry)
            continue;
        assert_ptr_equal(mempool_find_wtxid(pool, &m->tx[i].wtxid), entry);
        for (uint32_t k = 0; k < m->tx[i].n_in; k++)
            assert_ptr_equal(mempool_spender(pool, &m->tx[i].in[k].prevout), entry);
        assert_relatives(m, i);
    }
    assert_int_equal(mempool_count(pool), n);
    for (const struct mempool_entry *entry; (entry = mempool_next(pool, &at)); n_seen++) {
        assert_true(entry->sequence > last);
        last = entry->sequence;
    }
    assert_int_equal(n_seen, n);
}

TEST(random_histories_agree_with_a_model)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct model *m = test_calloc(1, sizeof *m);
        m->rig = mempool_rig_new(seed, 100 + MATURE, NULL);
        m->random = sim_random_of(seed, 0);
        for (int32_t height = 1; height <= MATURE; height++)
            m->coin[m->n_coins++] = mempool_rig_coin(m->rig, height);
        for (int step = 0; step < 150; step++) {
            if (sim_random_below(&m->random, 12) > 0 || m->n_tx == 0)
                add_random(m);
            else
                mine_random(m);
            if (step % 10 == 9)
                assert_agrees(m);
        }
        assert_agrees(m);
        mempool_rig_free(m->rig);
        test_free(m);
    }
}

TEST(unknown_names_find_nothing)
{
    struct mempool_rig *rig = mempool_rig_new(1, 101, NULL);
    struct builder_coin coin = mempool_rig_coin(rig, 1);
    struct tx tx = mempool_rig_spend(rig, &coin, 1, 1, 1000);
    uint64_t at = 0;
    assert_null(mempool_find(rig->pool, &tx.txid));
    assert_null(mempool_find_wtxid(rig->pool, &tx.wtxid));
    assert_null(mempool_spender(rig->pool, &coin.outpoint));
    assert_null(mempool_next(rig->pool, &at));
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    struct outpoint other = {.txid = coin.outpoint.txid, .vout = 1};
    assert_null(mempool_spender(rig->pool, &other));
    assert_ptr_equal(mempool_at(rig->pool, 0), mempool_find(rig->pool, &tx.txid));
    mempool_rig_free(rig);
}

/* Memory is counted entry by entry, and all of it comes back. */
TEST(memory_is_counted)
{
    struct mempool_rig *rig = mempool_rig_new(1, 110, NULL);
    struct tx tx[10];
    assert_int_equal(mempool_memory_bytes(rig->pool), 0);
    size_t before = 0;
    for (int32_t i = 0; i < 10; i++) {
        struct builder_coin coin = mempool_rig_coin(rig, i + 1);
        tx[i] = mempool_rig_spend(rig, &coin, 1, 1 + 10 * (uint32_t)i, 50000);
        assert_reject(mempool_rig_add(rig, &tx[i]), REJECT_NONE);
        assert_true(mempool_memory_bytes(rig->pool) > before + tx[i].raw.len);
        before = mempool_memory_bytes(rig->pool);
    }
    mempool_rig_mine(rig, tx, 10);
    assert_int_equal(mempool_memory_bytes(rig->pool), 0);
    assert_int_equal(mempool_vbytes(rig->pool), 0);
    assert_int_equal(mempool_total_fee_sat(rig->pool), 0);
    mempool_rig_free(rig);
}
