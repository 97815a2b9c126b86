/* chain_rig.c - see chain_rig.h. */
#include "support/chain_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "chain/core/script_cache.h"
#include "util/alloc.h"

#define RIG_PATIENCE_US (INT64_C(120) * 1000000)
#define RIG_QUIET_US    1000

/* -- Events ------------------------------------------------------------------------------------ */

static void block_connected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    struct chain_rig *rig = ctx;
    ASSERT(node->prev == rig->tip);
    ASSERT(block_hash_equal(&block->block.hash, &node->hash));
    rig->tip = node;
    rig->n_connected++;
    if (rig->also.block_connected)
        rig->also.block_connected(rig->also.ctx, node, block);
}

static void block_disconnected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    struct chain_rig *rig = ctx;
    ASSERT(node == rig->tip);
    ASSERT(block_hash_equal(&block->block.hash, &node->hash));
    rig->tip = node->prev;
    rig->n_disconnected++;
    if (rig->also.block_disconnected)
        rig->also.block_disconnected(rig->also.ctx, node, block);
}

static void tip_changed(void *ctx, const struct block_node *tip)
{
    struct chain_rig *rig = ctx;
    ASSERT(tip == rig->tip || chain_lacks_past(rig->chain)); /* else of a snapshot */
    rig->tip = tip;
    rig->n_tip_changed++;
    if (rig->also.tip_changed)
        rig->also.tip_changed(rig->also.ctx, tip);
}

static void block_invalid(void *ctx, const struct block_hash *hash, const struct verdict *verdict)
{
    struct chain_rig *rig = ctx;
    (void)hash;
    rig->n_invalid++;
    rig->last_invalid = *verdict;
}

static void fault(void *ctx, const char *message)
{
    struct chain_rig *rig = ctx;
    rig->n_faults++;
    snprintf(rig->fault, sizeof rig->fault, "%s", message);
}

static void loss(void *ctx, const char *message)
{
    struct chain_rig *rig = ctx;
    rig->n_losses += *message != 0;
    snprintf(rig->loss, sizeof rig->loss, "%s", message);
}

static void warning(void *ctx, const char *message)
{
    struct chain_rig *rig = ctx;
    rig->n_warnings++;
    snprintf(rig->warning, sizeof rig->warning, "%s", message);
}

static void write_log(void *ctx, enum log_level level, enum log_category category, const char *line)
{
    (void)ctx, (void)level, (void)category;
    fprintf(stderr, "%s\n", line);
}

/* -- The machine ------------------------------------------------------------------------------- */

void rig_init(struct chain_rig *rig, struct sim_env *sim_take, const struct chain_builder *builder,
              const struct chain_options *options)
{
    *rig = (struct chain_rig){.sim = sim_take, .network = builder->network};
    if (options)
        rig->options = *options;
    /* None at start, unless a test asks for it: it costs, and changes the order of events. */
    if (rig->options.check_blocks == 0)
        rig->options.check_blocks = -1;
    if (!rig->options.data_dir)
        rig->options.data_dir = "regtest";
    if (rig->options.cache_bytes == 0)
        rig->options.cache_bytes = 4 << 20;
    if (rig->options.script_cache_bytes == 0)
        rig->options.script_cache_bytes = SCRIPT_CACHE_BYTES_DEFAULT;
    if (getenv("CAIRN_TEST_LOG"))
        rig->log = (struct log){.write = write_log, .categories = UINT32_MAX};
}

void rig_open(struct chain_rig *rig)
{
    struct chain_events events = {.ctx = rig,
                                  .block_connected = block_connected,
                                  .block_disconnected = block_disconnected,
                                  .tip_changed = tip_changed,
                                  .block_invalid = block_invalid,
                                  .fault = fault,
                                  .loss = loss,
                                  .warning = warning};
    const struct log *log = rig->log.write ? &rig->log : NULL;
    rig->chain = chain_new(sim_env_get(rig->sim), log, &rig->network, &rig->options, &events);
    char *error = NULL;
    if (!chain_open(rig->chain, &error)) {
        fprintf(stderr, "chain_open: %s\n", error);
        abort();
    }
    rig->tip = chain_tip(rig->chain);
}

void rig_start(struct chain_rig *rig, uint64_t seed, const struct chain_builder *builder,
               const struct chain_options *options)
{
    rig_init(rig, sim_env_new(seed), builder, options);
    rig_open(rig);
}

void rig_wait(struct chain_rig *rig, const bool *flag)
{
    const struct env *env = sim_env_get(rig->sim);
    int64_t end_us = env_now_us(env) + RIG_PATIENCE_US;
    while (!*flag) {
        ASSERT(sim_env_step(rig->sim));
        ASSERT(env_now_us(env) < end_us);
    }
}

void rig_settle(struct chain_rig *rig)
{
    do {
        sim_env_run_until_idle(rig->sim);
        sim_env_run_for(rig->sim, RIG_QUIET_US);
    } while (sim_env_jobs(rig->sim)->pending > 0);
}

struct error_answer {
    bool is_done;
    int error;
};

static void note_error(void *arg, int error)
{
    struct error_answer *answer = arg;
    ASSERT(!answer->is_done);
    answer->is_done = true;
    answer->error = error;
}

int rig_close(struct chain_rig *rig)
{
    struct error_answer answer = {0};
    chain_close(rig->chain, note_error, &answer);
    rig_wait(rig, &answer.is_done);
    rig_settle(rig);
    chain_free(rig->chain);
    rig->chain = NULL;
    return answer.error;
}

void rig_deinit(struct chain_rig *rig)
{
    if (rig->chain)
        (void)rig_close(rig);
    sim_env_free(rig->sim);
    rig->sim = NULL;
}

void rig_crash(struct chain_rig *rig, enum sim_crash how, uint64_t seed)
{
    struct sim_env *next = sim_env_crash(rig->sim, how, seed);
    rig_deinit(rig);
    rig->sim = next;
}

/* -- Blocks ------------------------------------------------------------------------------------ */

struct block_answer {
    bool is_done;
    struct chain_block_result result;
};

static void note_result(void *arg, const struct chain_block_result *result)
{
    struct block_answer *answer = arg;
    ASSERT(!answer->is_done);
    answer->is_done = true;
    answer->result = *result;
}

void rig_submit(struct chain_rig *rig, const struct built_block *block)
{
    chain_accept_block(rig->chain, built_bytes(block), block->block.raw.len, CHAIN_ACCEPT_FORCE,
                       NULL, NULL);
}

struct chain_block_result rig_accept(struct chain_rig *rig, const struct built_block *block)
{
    struct block_answer answer = {0};
    chain_accept_block(rig->chain, built_bytes(block), block->block.raw.len, CHAIN_ACCEPT_FORCE,
                       note_result, &answer);
    rig_wait(rig, &answer.is_done);
    return answer.result;
}

static bool has_block(const struct chain_rig *rig, const struct built_block *block)
{
    const struct block_node *node = chain_find(rig->chain, &block->block.hash);
    return node && node->n_tx > 0;
}

void rig_announce(struct chain_rig *rig, const struct built_block *last)
{
    int32_t height = last->height;
    while (!chain_find(rig->chain, &built_ancestor(last, height)->block.hash))
        height--;
    while (++height <= last->height) {
        struct verdict verdict;
        (void)chain_accept_header(rig->chain, &built_ancestor(last, height)->block.header,
                                  &verdict);
    }
}

void rig_accept_chain(struct chain_rig *rig, const struct built_block *last)
{
    rig_announce(rig, last);
    for (int32_t at = 1; at <= last->height; at++)
        if (!has_block(rig, built_ancestor(last, at)))
            rig_submit(rig, built_ancestor(last, at));
    rig_settle(rig);
}

bool rig_is_at(const struct chain_rig *rig, const struct built_block *block)
{
    return block_hash_equal(&chain_tip(rig->chain)->hash, &block->block.hash);
}

/* -- Orders ------------------------------------------------------------------------------------ */

struct order_answer {
    bool is_done;
    struct verdict verdict;
};

static void note_verdict(void *arg, const struct verdict *verdict)
{
    struct order_answer *answer = arg;
    ASSERT(!answer->is_done);
    answer->is_done = true;
    answer->verdict = *verdict;
}

struct verdict rig_invalidate(struct chain_rig *rig, const struct built_block *block)
{
    struct order_answer answer = {0};
    chain_invalidate(rig->chain, &block->block.hash, note_verdict, &answer);
    rig_wait(rig, &answer.is_done);
    return answer.verdict;
}

struct verdict rig_reconsider(struct chain_rig *rig, const struct built_block *block)
{
    struct order_answer answer = {0};
    chain_reconsider(rig->chain, &block->block.hash, note_verdict, &answer);
    rig_wait(rig, &answer.is_done);
    return answer.verdict;
}

struct verdict rig_precious(struct chain_rig *rig, const struct built_block *block)
{
    struct order_answer answer = {0};
    chain_precious(rig->chain, &block->block.hash, note_verdict, &answer);
    rig_wait(rig, &answer.is_done);
    return answer.verdict;
}

int rig_flush(struct chain_rig *rig)
{
    struct error_answer answer = {0};
    chain_flush(rig->chain, note_error, &answer);
    rig_wait(rig, &answer.is_done);
    return answer.error;
}

struct stats_answer {
    bool is_done;
    struct coin_stats stats;
};

static void note_stats(void *arg, int error, const struct coin_stats *stats)
{
    struct stats_answer *answer = arg;
    ASSERT(!answer->is_done && error == 0);
    answer->is_done = true;
    answer->stats = *stats;
}

struct coin_stats rig_coin_stats(struct chain_rig *rig, enum coin_stats_hash hash)
{
    struct stats_answer answer = {0};
    chain_coin_stats(rig->chain, hash, note_stats, &answer);
    rig_wait(rig, &answer.is_done);
    return answer.stats;
}
