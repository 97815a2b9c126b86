/* mempool_rig.c - see mempool_rig.h. */
#include "support/mempool_rig.h"

#include "mempool/mempool_internal.h"
#include "util/alloc.h"

static void changed(void *ctx, const struct mempool_event *event)
{
    struct mempool_rig *rig = ctx;
    bool is_change = event->reason != MEMPOOL_SENT_AGAIN;
    ASSERT(event->sequence == rig->sequence + is_change);
    rig->sequence = event->sequence;
    if (rig->keeps_no_events)
        return;
    ASSERT(rig->n_events < MEMPOOL_RIG_EVENTS);
    rig->event[rig->n_events++] =
        (struct mempool_rig_event){.reason = event->reason,
                                   .txid = event->entry->tx.txid,
                                   .is_putback = event->is_putback,
                                   .memory_bytes = rig->pool ? mempool_memory_bytes(rig->pool) : 0};
}

static void block_connected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    struct mempool_rig *rig = ctx;
    mempool_block_connected(rig->pool, node, block);
    if (!rig->keeps_no_events)
        mempool_verify(rig->pool);
}

static void block_disconnected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    struct mempool_rig *rig = ctx;
    mempool_block_disconnected(rig->pool, node, block);
    mempool_verify(rig->pool);
}

static void tip_changed(void *ctx, const struct block_node *tip)
{
    struct mempool_rig *rig = ctx;
    mempool_tip_changed(rig->pool, tip);
}

struct mempool_rig *mempool_rig_new(uint64_t seed, int32_t n_blocks,
                                    const struct mempool_options *options)
{
    struct mempool_rig *rig = xcalloc(1, sizeof *rig);
    struct mempool_options defaults = mempool_default_options();
    struct mempool_events events = {.ctx = rig, .changed = changed};
    struct builder_spec spec = {.coinbase_script = BUILDER_WSH_TRUE};
    ASSERT(n_blocks > 0 && n_blocks <= MEMPOOL_RIG_BLOCKS);
    chain_builder_init(&rig->builder);
    rig->tip = rig->builder.genesis;
    for (rig->n_blocks = 0; rig->n_blocks < n_blocks; rig->n_blocks++)
        rig->tip = rig->block[rig->n_blocks] = builder_block(&rig->builder, rig->tip, &spec);
    rig_start(&rig->chain, seed, &rig->builder, NULL);
    rig->chain.also = (struct chain_events){.ctx = rig,
                                            .block_connected = block_connected,
                                            .block_disconnected = block_disconnected,
                                            .tip_changed = tip_changed};
    const struct log *log = rig->chain.log.write ? &rig->chain.log : NULL;
    rig->pool = mempool_new(sim_env_get(rig->chain.sim), log, rig->chain.chain,
                            options ? options : &defaults, &events);
    rig_accept_chain(&rig->chain, rig->tip);
    ASSERT(rig_is_at(&rig->chain, rig->tip));
    return rig;
}

static void closed(void *arg)
{
    *(bool *)arg = true;
}

void mempool_rig_free(struct mempool_rig *rig)
{
    bool is_closed = false;
    mempool_close(rig->pool, closed, &is_closed);
    rig_wait(&rig->chain, &is_closed);
    mempool_rig_free_closed(rig);
}

void mempool_rig_free_closed(struct mempool_rig *rig)
{
    mempool_verify(rig->pool);
    rig->chain.also = (struct chain_events){0};
    (void)rig_close(&rig->chain);
    mempool_free(rig->pool);
    rig_deinit(&rig->chain);
    chain_builder_deinit(&rig->builder);
    xfree(rig);
}

/* -- Transactions ------------------------------------------------------------------------------ */

struct builder_coin mempool_rig_coin(const struct mempool_rig *rig, int32_t height)
{
    ASSERT(height >= 1 && height <= rig->n_blocks);
    return builder_coinbase_coin(rig->block[height - 1]);
}

struct tx mempool_rig_spend(struct mempool_rig *rig, const struct builder_coin *coins, uint32_t n,
                            uint32_t n_out, int64_t fee_sat)
{
    return builder_spend(&rig->builder, coins, n, n_out, fee_sat, BUILDER_WSH_TRUE);
}

struct builder_coin mempool_rig_output(const struct tx *tx, uint32_t i)
{
    return builder_coin_of(tx, i, BUILDER_WSH_TRUE);
}

static void answered(void *arg, const struct mempool_result *result)
{
    struct mempool_rig_answer *answer = arg;
    ASSERT(!answer->is_done);
    *answer = (struct mempool_rig_answer){.is_done = true,
                                          .verdict = result->verdict,
                                          .was_known = result->was_known,
                                          .is_in = result->entry != NULL,
                                          .fee_sat = result->fee_sat,
                                          .vbytes = result->vbytes,
                                          .has_missing = result->missing != NULL};
    if (result->missing)
        answer->missing = *result->missing;
    if (result->tx)
        answer->txid = result->tx->txid;
}

static void package_answered(void *arg, const struct mempool_package_result *result)
{
    struct mempool_rig_package_answer *answer = arg;
    ASSERT(!answer->is_done && result->n <= MEMPOOL_PACKAGE_COUNT_MAX);
    answer->is_done = true;
    answer->verdict = result->verdict;
    answer->n = result->n;
    memcpy(answer->tx, result->tx, result->n * sizeof *result->tx);
    answer->n_replaced = result->n_replaced;
    for (size_t i = 0; i < result->n_replaced && i < 8; i++)
        answer->replaced[i] = result->replaced[i];
}

struct mempool_rig_package_answer
mempool_rig_submit_package(struct mempool_rig *rig, const struct tx *txs, size_t n, int flags)
{
    struct mempool_package request = {.txs = txs, .n = n, .flags = flags};
    return mempool_rig_request_package(rig, &request);
}

struct mempool_rig_package_answer mempool_rig_request_package(struct mempool_rig *rig,
                                                              const struct mempool_package *request)
{
    struct mempool_rig_package_answer answer = {0};
    mempool_accept_package(rig->pool, request, package_answered, &answer);
    ASSERT(!answer.is_done); /* never from within the call */
    rig_wait(&rig->chain, &answer.is_done);
    mempool_verify(rig->pool);
    return answer;
}

void mempool_rig_submit(struct mempool_rig *rig, const struct tx *tx, int flags,
                        struct mempool_rig_answer *answer)
{
    *answer = (struct mempool_rig_answer){0};
    mempool_accept(rig->pool, tx->raw, flags, 0, answered, answer);
    ASSERT(!answer->is_done); /* never from within the call */
}

struct mempool_rig_answer mempool_rig_answer(struct mempool_rig *rig, const struct tx *tx,
                                             int flags, int64_t max_fee_sat)
{
    struct mempool_rig_answer answer = {0};
    mempool_accept(rig->pool, tx->raw, flags, max_fee_sat, answered, &answer);
    ASSERT(!answer.is_done);
    rig_wait(&rig->chain, &answer.is_done);
    mempool_verify(rig->pool);
    if (mempool_memory_bytes(rig->pool) > rig->max_bytes_seen)
        rig->max_bytes_seen = mempool_memory_bytes(rig->pool);
    return answer;
}

enum reject mempool_rig_add(struct mempool_rig *rig, const struct tx *tx)
{
    struct mempool_rig_answer answer = mempool_rig_answer(rig, tx, 0, 0);
    ASSERT(answer.is_in == (answer.verdict.code == REJECT_NONE || answer.was_known));
    return answer.verdict.code;
}

/* -- Blocks ------------------------------------------------------------------------------------ */

const struct built_block *mempool_rig_mine_on(struct mempool_rig *rig,
                                              const struct built_block *prev, const struct tx *tx,
                                              uint32_t n)
{
    struct builder_spec spec = {.tx = tx, .n_tx = n, .coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *block = builder_block(&rig->builder, prev, &spec);
    rig_accept_chain(&rig->chain, block);
    rig->tip = block;
    mempool_rig_settle(rig);
    return block;
}

const struct built_block *mempool_rig_mine(struct mempool_rig *rig, const struct tx *tx, uint32_t n)
{
    const struct built_block *block = mempool_rig_mine_on(rig, rig->tip, tx, n);
    ASSERT(rig_is_at(&rig->chain, block));
    if (rig->n_blocks < MEMPOOL_RIG_BLOCKS && block->height == rig->n_blocks + 1)
        rig->block[rig->n_blocks++] = block;
    return block;
}

size_t mempool_pending(const struct mempool *mempool)
{
    return mempool->under_way.count + mempool->putbacks.n - mempool->putbacks.first;
}

void mempool_rig_settle(struct mempool_rig *rig)
{
    do
        rig_settle(&rig->chain);
    while (mempool_pending(rig->pool) > 0);
    mempool_verify(rig->pool);
}

void mempool_rig_advance_s(struct mempool_rig *rig, int64_t s)
{
    const struct env *env = sim_env_get(rig->chain.sim);
    sim_env_set_unix_s(rig->chain.sim, env_unix_s(env) + s);
}

/* -- Looking ----------------------------------------------------------------------------------- */

bool mempool_rig_has(const struct mempool_rig *rig, const struct tx *tx)
{
    return mempool_find(rig->pool, &tx->txid) != NULL;
}

size_t mempool_rig_count(const struct mempool_rig *rig, enum mempool_reason reason,
                         const struct tx *tx)
{
    size_t n = 0;
    for (size_t i = 0; i < rig->n_events; i++)
        n += rig->event[i].reason == reason && txid_equal(&rig->event[i].txid, &tx->txid);
    return n;
}

struct tx mempool_rig_pay(struct mempool_rig *rig, int32_t height, uint32_t n_out, int64_t fee_sat)
{
    struct builder_coin coin = mempool_rig_coin(rig, height);
    return mempool_rig_spend(rig, &coin, 1, n_out, fee_sat);
}

struct tx mempool_rig_pay_on(struct mempool_rig *rig, const struct tx *parent, uint32_t i,
                             uint32_t n_out, int64_t fee_sat)
{
    struct builder_coin coin = mempool_rig_output(parent, i);
    return mempool_rig_spend(rig, &coin, 1, n_out, fee_sat);
}

int mempool_rig_teardown(void **state)
{
    mempool_rig_free(*state);
    return 0;
}
