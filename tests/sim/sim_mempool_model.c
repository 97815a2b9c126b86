/* sim_mempool_model.c - random sequences of what can happen to a mempool, against a slow model that
 * is obviously right: tests/support/pool_model.h.
 *
 * Usage: sim_mempool_model [--seeds=2000] [--first=1] [--trace] [--figures]
 *
 * Each seed is a sequence of some dozen operations: transactions alone and in packages, conflicts,
 * tests, deltas, blocks, reorganisations, a small -maxmempool, time. After each of them answers,
 * events, content, fees and order are compared. $CAIRN_SIM_MODEL replaces the default of --seeds.
 * The same chain serves BATCH sequences, each with coins of its own; if a seed that failed does not
 * fail alone (--first=SEED --seeds=1 --trace), begin where its batch did. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/limit.h"
#include "mempool/mempool_internal.h"
#include "sim/sim_random.h"
#include "support/build.h"
#include "support/pool_model.h"
#include "support/sim_option.h"
#include "util/alloc.h"

#define MODEL_PART   0x6d6f6465 /* of the seed: see sim_random_of() */
#define BATCH        200
#define FIRST_BLOCKS 125 /* of a chain: so that some coinbases are mature */
#define FAN_OUT      400 /* coins that one coinbase becomes */
#define LEAST_SAT    400 /* above dust */

struct game {
    struct pool_model model;
    struct sim_random random;
    struct mempool_options defaults;
    const struct built_block *tip;
    struct builder_coin fan[BATCH * MODEL_COINS_MAX];
    size_t n_fan, fan_used;
    int32_t coinbase_used; /* the highest height whose coinbase a sequence has had */
    int32_t stale_height;  /* of blocks of this sequence that were left for a better branch */
    bool has_big, has_truc;
};

static uint64_t below(struct game *g, uint64_t n)
{
    return sim_random_below(&g->random, n);
}

static bool chance(struct game *g, unsigned percent)
{
    return below(g, 100) < percent;
}

/* -- The chain --------------------------------------------------------------------------------- */

/* Hand over blocks that lie one on the other, and wait until the chain and the mempool rest. */
static void hand_over(struct game *g, const struct built_block *last, int n)
{
    struct chain_rig *chain = &g->model.rig->chain;
    rig_announce(chain, last);
    for (int i = n; i-- > 0;)
        rig_submit(chain, built_ancestor(last, last->height - i));
    mempool_rig_settle(g->model.rig);
    g->tip = last;
    if (!rig_is_at(chain, last))
        model_fail(&g->model, "the chain did not follow");
}

static const struct built_block *build(struct game *g, const struct built_block *prev,
                                       const struct model_block *block)
{
    struct tx txs[MODEL_BLOCK_TXS_MAX];
    for (int i = 0; i < block->n; i++)
        txs[i] = g->model.tx[block->tx[i]].tx;
    struct builder_spec spec = {
        .tx = txs, .n_tx = (uint32_t)block->n, .coinbase_script = BUILDER_WSH_TRUE};
    return builder_block(&g->model.rig->builder, prev, &spec);
}

/* A new chain, with a coin for everybody. */
static void begin_batch(struct game *g, uint64_t seed)
{
    struct mempool_rig *rig = mempool_rig_new(seed, FIRST_BLOCKS, NULL);
    g->model.rig = rig;
    g->model.options = &rig->pool->options;
    g->defaults = rig->pool->options;
    g->tip = rig->tip;
    g->n_fan = g->fan_used = 0;
    g->coinbase_used = BATCH * MODEL_COINS_MAX / FAN_OUT;
    for (int32_t height = 1; height <= g->coinbase_used; height++) {
        struct tx tx = mempool_rig_pay(rig, height, FAN_OUT, 0);
        struct builder_spec spec = {.tx = &tx, .n_tx = 1, .coinbase_script = BUILDER_WSH_TRUE};
        hand_over(g, builder_block(&rig->builder, g->tip, &spec), 1);
        for (uint32_t i = 0; i < FAN_OUT; i++)
            g->fan[g->n_fan++] = mempool_rig_output(&tx, i);
    }
}

/* -- Transactions ------------------------------------------------------------------------------ */

/* What is to be made. */
struct plan {
    struct model_out in[MODEL_IN_MAX];
    uint32_t n_in, n_out;
    int64_t sat_per_kvb, fee_sat; /* fee_sat beyond the rate */
};

static struct builder_coin coin_of(const struct game *g, struct model_out out)
{
    const struct pool_model *m = &g->model;
    return out.tx < 0 ? m->coin[out.vout].coin : mempool_rig_output(&m->tx[out.tx].tx, out.vout);
}

static bool is_planned(const struct plan *plan, struct model_out out)
{
    for (uint32_t i = 0; i < plan->n_in; i++)
        if (plan->in[i].tx == out.tx && plan->in[i].vout == out.vout)
            return true;
    return false;
}

static void plan_input(struct plan *plan, struct model_out out)
{
    if (plan->n_in < MODEL_IN_MAX && !is_planned(plan, out))
        plan->in[plan->n_in++] = out;
}

static bool is_spent_in_pool(const struct pool_model *m, struct model_out out)
{
    for (int i = 0; i < m->n_pool; i++)
        for (uint32_t k = 0; k < m->tx[m->pool[i].tx].tx.n_in; k++) {
            struct model_out in = m->tx[m->pool[i].tx].in[k];
            if (in.tx == out.tx && in.vout == out.vout)
                return true;
        }
    return false;
}

static struct model_out any_output(struct game *g)
{
    struct pool_model *m = &g->model;
    int tx = -1;
    if (m->n_pool > 0 && chance(g, g->has_big ? 75 : 55))
        tx = m->pool[below(g, (uint64_t)m->n_pool)].tx;
    else if (m->n_txs > 0 && chance(g, 12))
        tx = (int)below(g, (uint64_t)m->n_txs);
    uint64_t n = tx < 0 ? (uint64_t)m->n_coins : m->tx[tx].tx.n_out;
    return (struct model_out){tx, (uint32_t)below(g, n)};
}

/* Mostly one that nobody has spent. */
static struct model_out free_output(struct game *g)
{
    struct model_out out = any_output(g);
    int32_t height;
    bool is_coinbase;
    for (int i = 0; i < 12 && !chance(g, 2); i++, out = any_output(g))
        if (!is_spent_in_pool(&g->model, out) &&
            ((out.tx >= 0 && model_has(&g->model, out.tx)) ||
             model_is_coin(&g->model, out, &height, &is_coinbase)))
            break;
    return out;
}

static int64_t any_rate(struct game *g)
{
    switch (below(g, 8)) {
    case 0:
        return 0;
    case 1:
        return (int64_t)below(g, 200); /* about the minimum */
    case 2: {
        int64_t floor = model_floor(&g->model); /* about that of a full mempool */
        return floor + (int64_t)below(g, 200) - (floor > 100 ? 100 : 0);
    }
    case 3:
        return (int64_t)(below(g, 5) * 1000); /* so that some are equal */
    default:
        return (int64_t)below(g, 20000);
    }
}

/* Locks that are open, or will be some blocks later; and version 3. */
static void set_locks(struct game *g, struct tx *tx)
{
    int32_t next = model_tip_height(&g->model) + 1;
    if (g->has_truc && chance(g, 50))
        tx->version = 3;
    if (chance(g, 3)) {
        tx->lock_time = (uint32_t)(next - 2 + (int32_t)below(g, 4));
        tx->in[below(g, tx->n_in)].sequence = UINT32_C(0xfffffffe);
    }
    if (chance(g, 4))
        tx->in[below(g, tx->n_in)].sequence = (uint32_t)(1 + below(g, 4));
}

/* Returns: the number of what was planned; -1 if it would make dust, or there is no more room */
static int make(struct game *g, const struct plan *plan)
{
    struct pool_model *m = &g->model;
    struct arena *arena = &m->rig->builder.arena;
    struct model_tx *made = &m->tx[m->n_txs];
    struct builder_coin coins[MODEL_IN_MAX];
    int64_t left_sat = 0;
    if (m->n_txs == MODEL_TXS_MAX || plan->n_in == 0)
        return -1;
    for (uint32_t i = 0; i < plan->n_in; i++) {
        coins[i] = coin_of(g, plan->in[i]);
        left_sat += coins[i].value_sat;
    }
    struct tx tx =
        builder_spend(&m->rig->builder, coins, plan->n_in, plan->n_out, 0, BUILDER_WSH_TRUE);
    memset(made, 0, sizeof *made);
    made->wu = tx_weight_wu(&tx);
    made->vbytes = (made->wu + 3) / 4;
    made->fee_sat = plan->sat_per_kvb * made->vbytes / 1000 + plan->fee_sat;
    left_sat -= made->fee_sat;
    int64_t each_sat = left_sat / plan->n_out;
    if (each_sat < LEAST_SAT)
        return -1;
    for (uint32_t i = 0; i < plan->n_out; i++)
        tx.out[i].value_sat = i == 0 ? left_sat - each_sat * (plan->n_out - 1) : each_sat;
    set_locks(g, &tx);
    tx_finish(&tx, arena);
    memcpy(made->in, plan->in, sizeof made->in);
    made->tx = tx;
    for (int i = 0; i < m->n_txs; i++)
        if (txid_equal(&m->tx[i].tx.txid, &tx.txid))
            return i;
    return m->n_txs++;
}

static uint32_t any_n_out(struct game *g)
{
    return chance(g, 10) ? 4 + (uint32_t)below(g, 14) : 1 + (uint32_t)below(g, 3);
}

static struct plan plan_new(struct game *g)
{
    struct plan plan = {.n_out = any_n_out(g), .sat_per_kvb = any_rate(g)};
    uint64_t n = 1 + below(g, chance(g, 30) ? 4 : 2);
    for (uint64_t i = 0; i < n; i++)
        plan_input(&plan, free_output(g));
    if (chance(g, 1))
        plan.fee_sat = -1 - (int64_t)(plan.sat_per_kvb * 2);
    return plan;
}

/* What spends the same as some entries, and pays about what that costs. */
static struct plan plan_conflict(struct game *g)
{
    struct pool_model *m = &g->model;
    struct plan plan = {.n_out = any_n_out(g)};
    struct model_list conflicts = {0};
    uint64_t n = 1 + below(g, chance(g, 30) ? 4 : 1);
    for (uint64_t i = 0; i < n && m->n_pool > 0; i++) {
        int tx = m->pool[below(g, (uint64_t)m->n_pool)].tx;
        plan_input(&plan, m->tx[tx].in[below(g, m->tx[tx].tx.n_in)]);
        model_list_add(&conflicts, tx);
    }
    if (chance(g, 25))
        plan_input(&plan, free_output(g));
    conflicts = model_with_descendants(m, &conflicts);
    for (int i = 0; i < conflicts.n; i++)
        plan.fee_sat += model_modified_fee(m, conflicts.at[i]);
    if (chance(g, 60)) {
        plan.sat_per_kvb = m->options->incremental_sat_per_kvb;
        plan.fee_sat += (int64_t)below(g, 4) - 1;
    } else {
        plan.sat_per_kvb = any_rate(g);
    }
    if (plan.fee_sat < 0)
        plan.fee_sat = 0;
    return plan;
}

/* -- Operations -------------------------------------------------------------------------------- */

#define SAY(g, ...) snprintf((g)->model.what, sizeof(g)->model.what, __VA_ARGS__)

static void trace(const struct game *g)
{
    if (g->model.traces)
        printf("%3d: %s; %d entries\n", g->model.op, g->model.what, g->model.n_pool);
}

static void trace_block(const struct game *g, const struct model_block *block)
{
    for (int i = 0; g->model.traces && i < block->n; i++)
        printf("%s%d%s", i == 0 ? "     holds " : " ", block->tx[i], i + 1 == block->n ? "\n" : "");
}

static void submit(struct game *g, int tx, bool is_test)
{
    struct pool_model *m = &g->model;
    if (tx < 0)
        return;
    SAY(g, "%s %d, %lld sat for %u", is_test ? "test" : "add", tx, (long long)m->tx[tx].fee_sat,
        m->tx[tx].vbytes);
    trace(g);
    struct mempool_rig_answer answer =
        mempool_rig_answer(m->rig, &m->tx[tx].tx, is_test ? MEMPOOL_TEST_ONLY : 0, 0);
    m->is_undecided = false;
    enum reject code = model_accept(m, tx, is_test);
    /* Where the model cannot tell, and no event does, any answer that may follow is right. */
    if (m->is_undecided && code == REJECT_REPLACEMENT_FAILED &&
        ((is_test && answer.verdict.code == REJECT_NONE) ||
         answer.verdict.code == REJECT_SPENDS_CONFLICTING))
        code = answer.verdict.code;
    if (answer.verdict.code != code)
        model_fail(m, "\"%s\" (%s) instead of \"%s\"", reject_string(answer.verdict.code),
                   answer.verdict.detail, reject_string(code));
    if (code == REJECT_NONE &&
        (answer.fee_sat != m->tx[tx].fee_sat || answer.vbytes != m->tx[tx].vbytes))
        model_fail(m, "the answer has another fee or size");
    model_counts.verdicts[code]++;
    model_compare(m, !is_test && code == REJECT_NONE);
}

static void op_known(struct game *g, bool is_test)
{
    if (g->model.n_txs > 0)
        submit(g, (int)below(g, (uint64_t)g->model.n_txs), is_test);
}

/* Parents, new or known, and a child that spends from them, and sometimes from more. */
static int plan_package(struct game *g, int *txs)
{
    int n = 0;
    uint64_t n_parents = 1 + below(g, chance(g, 40) ? 3 : 1);
    struct plan child = {.n_out = any_n_out(g), .sat_per_kvb = any_rate(g)};
    for (uint64_t i = 0; i < n_parents; i++) {
        struct plan parent = chance(g, 40) ? plan_conflict(g) : plan_new(g);
        if (chance(g, 60)) { /* the child has to pay */
            parent.fee_sat = chance(g, 50) ? 0 : parent.fee_sat / 2;
            parent.sat_per_kvb = (int64_t)below(g, 120);
        }
        int tx = chance(g, 8) && g->model.n_pool > 0
                     ? g->model.pool[below(g, (uint64_t)g->model.n_pool)].tx
                     : make(g, &parent);
        if (tx < 0)
            continue;
        txs[n++] = tx;
        if (!chance(g, 3))
            plan_input(&child,
                       (struct model_out){tx, (uint32_t)below(g, g->model.tx[tx].tx.n_out)});
    }
    if (chance(g, 20))
        plan_input(&child, free_output(g));
    if (chance(g, 40)) { /* for what its parents replace */
        struct plan like = plan_conflict(g);
        child.fee_sat = like.fee_sat + (int64_t)below(g, 300);
        if (chance(g, 10) && like.n_in > 0)
            plan_input(&child, like.in[0]);
    }
    int tx = make(g, &child);
    if (tx >= 0)
        txs[n++] = tx;
    if (n > 1 && chance(g, 3)) {
        int first = txs[0];
        txs[0] = txs[n - 1];
        txs[n - 1] = first;
    }
    return n;
}

static void op_package(struct game *g, bool is_test)
{
    struct pool_model *m = &g->model;
    struct tx txs[MEMPOOL_PACKAGE_COUNT_MAX];
    int number[MEMPOOL_PACKAGE_COUNT_MAX], n = plan_package(g, number);
    if (n == 0)
        return;
    int len = SAY(g, "%s package", is_test ? "test" : "add");
    for (int i = 0; i < n; i++) {
        txs[i] = m->tx[number[i]].tx;
        len += snprintf(m->what + len, sizeof m->what - (size_t)len, " %d", number[i]);
    }
    trace(g);
    struct mempool_rig_package_answer answer =
        mempool_rig_submit_package(m->rig, txs, (size_t)n, is_test ? MEMPOOL_TEST_ONLY : 0);
    m->said_conflicting = (struct model_list){0};
    for (int i = 0; i < n; i++)
        if (answer.tx[i].verdict.code == REJECT_SPENDS_CONFLICTING)
            model_list_add(&m->said_conflicting, number[i]);
    struct model_package_result want = model_package(m, number, n, is_test);
    if (answer.verdict.code != want.code)
        model_fail(m, "\"%s\" (%s) instead of \"%s\"", reject_string(answer.verdict.code),
                   answer.verdict.detail, reject_string(want.code));
    for (int i = 0; i < n; i++)
        if (answer.tx[i].state != want.state[i] || (want.state[i] == MEMPOOL_PACKAGE_REFUSED &&
                                                    answer.tx[i].verdict.code != want.tx_code[i]))
            model_fail(m, "%d: state %d, \"%s\" instead of %d, \"%s\"", number[i],
                       answer.tx[i].state, reject_string(answer.tx[i].verdict.code), want.state[i],
                       reject_string(want.tx_code[i]));
    model_counts.verdicts[want.code]++;
    for (int i = 0; i < n; i++)
        model_counts.verdicts[want.tx_code[i]] += want.state[i] == MEMPOOL_PACKAGE_REFUSED;
    model_compare(m, !is_test);
}

static void op_prioritise(struct game *g)
{
    struct pool_model *m = &g->model;
    if (m->n_txs == 0)
        return;
    int tx = m->n_pool > 0 && chance(g, 70) ? m->pool[below(g, (uint64_t)m->n_pool)].tx
                                            : (int)below(g, (uint64_t)m->n_txs);
    int64_t delta_sat = (int64_t)below(g, 6000) - 2500;
    if (chance(g, 10))
        delta_sat = -m->tx[tx].delta_sat;
    SAY(g, "prioritise %d by %lld", tx, (long long)delta_sat);
    trace(g);
    mempool_prioritise(m->rig->pool, &m->tx[tx].tx.txid, delta_sat);
    model_prioritise(m, tx, delta_sat);
    model_compare(m, false);
}

/* What is evicted now is the end of the order of mining as it was. */
static void check_tail(struct game *g, const struct mempool_entry **order, const int *number,
                       size_t n)
{
    struct pool_model *m = &g->model;
    size_t left = mempool_count(m->rig->pool);
    (void)order;
    for (size_t i = 0; i < n; i++)
        if (model_has(m, number[i]) != (i < left))
            model_fail(m, "%d at %zu of %zu in the order of mining is evicted or not", number[i], i,
                       n);
}

static void op_limit(struct game *g)
{
    struct pool_model *m = &g->model;
    int number[MODEL_TXS_MAX];
    size_t n;
    bool is_small = !chance(g, 35);
    m->options->max_bytes =
        is_small ? mempool_memory_bytes(m->rig->pool) * (70 + below(g, 40)) / 100 : 300000000;
    SAY(g, "limit to %zu bytes", m->options->max_bytes);
    trace(g);
    const struct mempool_entry **order = mempool_in_mining_order(m->rig->pool, &n);
    for (size_t i = 0; i < n; i++)
        number[i] = model_number(m, &order[i]->tx.txid);
    bool expires = mempool_count(m->rig->pool) > 0;
    pool_limit(m->rig->pool);
    for (size_t i = 0; i < m->rig->n_events; i++)
        expires = expires && m->rig->event[i].reason != MEMPOOL_REMOVED_EXPIRY;
    model_limit(m);
    if (expires)
        check_tail(g, order, number, n);
    xfree(order);
    model_compare(m, true);
}

static void op_time(struct game *g)
{
    struct pool_model *m = &g->model;
    int64_t s = 11 + (int64_t)below(g, chance(g, 20) ? 20000 : 400);
    SAY(g, "%lld s later", (long long)s);
    trace(g);
    mempool_rig_advance_s(m->rig, s);
    m->now_s += s;
    model_compare(m, false);
}

/* -- Blocks ------------------------------------------------------------------------------------ */

/* Some of all that has been made, waiting or not, in any order that is valid. The chain of the
 * model is where the block goes. */
static struct model_block any_block(struct game *g)
{
    struct pool_model *m = &g->model;
    struct model_block block = {0};
    struct model_chain chain = m->chain;
    uint64_t tries = chance(g, 20) ? 0 : below(g, 60);
    m->chain.at[m->chain.n++].n = 0;
    for (uint64_t i = 0; i < tries && block.n < MODEL_BLOCK_TXS_MAX && m->n_txs > 0; i++) {
        int tx = m->n_pool > 0 && chance(g, 70) ? m->pool[below(g, (uint64_t)m->n_pool)].tx
                                                : (int)below(g, (uint64_t)m->n_txs);
        if (!model_is_valid_in_block(m, tx))
            continue;
        block.tx[block.n++] = tx;
        m->chain.at[m->chain.n - 1] = block;
    }
    m->chain = chain;
    return block;
}

static void connect(struct game *g, struct model_block *block)
{
    struct pool_model *m = &g->model;
    SAY(g, "block %d of %d", model_tip_height(m) + 1, block->n);
    trace(g);
    trace_block(g, block);
    block->built = build(g, g->tip, block);
    hand_over(g, block->built, 1);
    model_connect(m, block);
    model_rest(m);
    model_compare(m, true);
}

static void op_mine(struct game *g)
{
    if (g->model.chain.n + 4 > MODEL_CHAIN_MAX)
        return;
    struct model_block block = any_block(g);
    connect(g, &block);
}

static void op_template(struct game *g)
{
    struct pool_model *m = &g->model;
    static const int64_t least[] = {0, 1, 100, 3000};
    struct mempool_selection selection = {
        .max_weight_wu = 1000 + (uint32_t)below(g, chance(g, 50) ? 6000 : 20000),
        .max_sigops_cost = 80000,
        .min_sat_per_kvb = least[below(g, COUNT_OF(least))],
    };
    struct model_block block;
    SAY(g, "choose for a block of %u", selection.max_weight_wu);
    trace(g);
    model_compare_selection(m, &selection, &block);
    if (chance(g, 60) && m->chain.n + 4 <= MODEL_CHAIN_MAX)
        connect(g, &block);
}

static void op_reorganise(struct game *g)
{
    struct pool_model *m = &g->model;
    int n = 1 + (int)below(g, 3);
    if (n > m->chain.n || m->chain.n + 4 > MODEL_CHAIN_MAX)
        return;
    struct model_chain old = m->chain;
    struct model_block branch[4];
    const struct built_block *prev = built_ancestor(g->tip, g->tip->height - n);
    m->chain.n -= n;
    for (int i = 0; i <= n; i++) {
        branch[i] = any_block(g);
        prev = branch[i].built = build(g, prev, &branch[i]);
        m->chain.at[m->chain.n++] = branch[i];
    }
    m->chain = old;
    SAY(g, "reorganise %d blocks", n);
    trace(g);
    for (int i = 0; i <= n; i++)
        trace_block(g, &branch[i]);
    if (g->stale_height < g->tip->height)
        g->stale_height = g->tip->height;
    hand_over(g, prev, n + 1);
    for (int i = 0; i < n; i++)
        model_disconnect(m);
    for (int i = 0; i <= n; i++)
        model_connect(m, &branch[i]);
    model_rest(m);
    model_compare(m, true);
}

static void noted(void *arg)
{
    *(bool *)arg = true;
}

/* Nothing takes the place of what is taken back. */
static void op_invalidate(struct game *g)
{
    struct pool_model *m = &g->model;
    int n = 1 + (int)below(g, 2);
    if (n > m->chain.n || g->tip->height - n <= g->stale_height)
        return;
    const struct built_block *first = built_ancestor(g->tip, g->tip->height - n + 1);
    SAY(g, "take back %d blocks", n);
    trace(g);
    struct verdict verdict = rig_invalidate(&m->rig->chain, first);
    bool is_settled = false;
    mempool_settle(m->rig->pool, noted, &is_settled);
    rig_wait(&m->rig->chain, &is_settled);
    mempool_rig_settle(m->rig);
    g->tip = first->prev;
    if (verdict.code != REJECT_NONE || !rig_is_at(&m->rig->chain, g->tip))
        model_fail(m, "the chain did not go back");
    for (int i = 0; i < n; i++)
        model_disconnect(m);
    model_rest(m);
    model_compare(m, true);
}

/* -- Sequences --------------------------------------------------------------------------------- */

static void add_coins(struct game *g)
{
    struct pool_model *m = &g->model;
    int32_t height = g->tip->height - 100;
    m->n_coins = 0;
    for (int i = 0; i < 3 && ++height <= g->tip->height - 97; i++) {
        if (height <= g->coinbase_used)
            continue;
        g->coinbase_used = height;
        m->coin[m->n_coins++] =
            (struct model_coin){.coin = builder_coinbase_coin(built_ancestor(g->tip, height)),
                                .height = height,
                                .is_coinbase = true};
    }
    uint64_t n = 4 + below(g, MODEL_COINS_MAX - 8);
    for (uint64_t i = 0; i < n && g->fan_used < g->n_fan; i++)
        m->coin[m->n_coins++] =
            (struct model_coin){.coin = g->fan[g->fan_used++],
                                .height = FIRST_BLOCKS + 1 + (int32_t)(g->fan_used / FAN_OUT)};
}

static void begin_sequence(struct game *g, uint64_t seed)
{
    struct pool_model *m = &g->model;
    struct pool_model fresh = {.rig = m->rig,
                               .options = m->options,
                               .seed = seed,
                               .traces = m->traces,
                               .base = g->tip,
                               .base_height = g->tip->height};
    *m = fresh;
    g->random = sim_random_of(seed, MODEL_PART);
    g->has_big = chance(g, 6);
    g->has_truc = chance(g, 25);
    g->stale_height = g->tip->height;
    *m->options = g->defaults;
    m->options->cluster_count_max = g->has_big ? 64 : 1 + (uint32_t)below(g, 9);
    if (chance(g, 30))
        m->options->cluster_vbytes_max = 400 + (uint32_t)below(g, 3000);
    if (chance(g, 30))
        m->options->expiry_s = 300 + (int64_t)below(g, 1000);
    if (chance(g, 30))
        m->options->incremental_sat_per_kvb = (int64_t)below(g, 3000);
    if (chance(g, 20))
        m->options->min_relay_sat_per_kvb = (int64_t)below(g, 1000);
    add_coins(g);
}

/* No operation crosses a second, so that its time is one. */
static void align_clock(struct game *g)
{
    struct pool_model *m = &g->model;
    const struct env *env = sim_env_get(m->rig->chain.sim);
    int64_t into_us = env_now_us(env) % 1000000;
    if (into_us > 300000)
        sim_env_run_for(m->rig->chain.sim, 1000000 - into_us);
    m->now_s = env_unix_s(env);
}

static void operate(struct game *g)
{
    uint64_t dice = below(g, 100);
    struct plan plan;
    if (dice < 34) {
        plan = plan_new(g);
        submit(g, make(g, &plan), chance(g, 8));
    } else if (dice < 50) {
        plan = plan_conflict(g);
        submit(g, make(g, &plan), chance(g, 8));
    } else if (dice < 64) {
        op_package(g, chance(g, 15));
    } else if (dice < 68) {
        op_known(g, chance(g, 10));
    } else if (dice < 76) {
        op_prioritise(g);
    } else if (dice < 80) {
        op_limit(g);
    } else if (dice < 84) {
        op_time(g);
    } else if (dice < 88) {
        op_template(g);
    } else if (dice < 93) {
        op_mine(g);
    } else if (dice < 98) {
        op_reorganise(g);
    } else {
        op_invalidate(g);
    }
}

/* Empty again, with nothing that the next one would notice. */
static void end_sequence(struct game *g)
{
    struct pool_model *m = &g->model;
    SAY(g, "the end");
    align_clock(g);
    m->options->max_bytes = 0;
    pool_limit(m->rig->pool);
    model_limit(m);
    if (m->n_pool > 0)
        model_fail(m, "%d do not go", m->n_pool);
    model_compare(m, true);
    for (int i = 0; i < m->n_txs; i++)
        if (m->tx[i].delta_sat != 0)
            mempool_prioritise(m->rig->pool, &m->tx[i].tx.txid, -m->tx[i].delta_sat);
    m->rig->pool->rolling_sat_per_kvb = 0;
    m->rig->pool->block_since_bump = false;
}

static void run_sequence(struct game *g, uint64_t seed)
{
    begin_sequence(g, seed);
    struct pool_model *m = &g->model;
    int n = (g->has_big ? 60 : 10) + (int)below(g, 40);
    for (m->op = 1; m->op <= n; m->op++) {
        align_clock(g);
        operate(g);
    }
    end_sequence(g);
}

/* -- All of them ------------------------------------------------------------------------------- */

static void print_figures(void)
{
    for (int i = 0; i < REJECT_COUNT; i++)
        if (model_counts.verdicts[i] > 0)
            printf("%10" PRIu64 " %s\n", model_counts.verdicts[i],
                   i == REJECT_NONE ? "accepted" : reject_string((enum reject)i));
    for (int i = 0; i < MEMPOOL_REASON_COUNT; i++)
        printf("%10" PRIu64 " events: %s\n", model_counts.events[i],
               mempool_reason_name((enum mempool_reason)i));
}

int main(int argc, char **argv)
{
    uint64_t first = 1, seeds = 2000;
    bool has_figures = false, traces = false;
    const char *from_env = getenv("CAIRN_SIM_MODEL");
    if (from_env)
        seeds = strtoull(from_env, NULL, 10);
    for (int i = 1; i < argc; i++) {
        has_figures = has_figures || strcmp(argv[i], "--figures") == 0;
        traces = traces || strcmp(argv[i], "--trace") == 0;
        if (argv[i][2] != 't' && argv[i][2] != 'f' && !sim_option(argv[i], "--seeds", &seeds)) {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
        (void)sim_option(argv[i], "--first", &first);
    }
    struct game *game = xcalloc(1, sizeof *game);
    game->model.traces = traces;
    for (uint64_t i = 0; i < seeds; i++) {
        if (i % BATCH == 0)
            begin_batch(game, first + i);
        run_sequence(game, first + i);
        if (i + 1 == seeds || (i + 1) % BATCH == 0)
            mempool_rig_free(game->model.rig);
    }
    xfree(game);
    if (has_figures)
        print_figures();
    printf("figures: %" PRIu64 " sequences, %" PRIu64 " states equal, %" PRIu64
           " clusters ordered by trying all (%" PRIu64 " too large), %" PRIu64
           " chunks evicted, %" PRIu64 " put back\n",
           seeds, model_counts.compared, model_counts.exact, model_counts.inexact,
           model_counts.chunks_evicted, model_counts.putbacks);
    return 0;
}
