/* node_miner.c - see node_miner.h.
 *
 * Life of a block: its timer -> assembled and signed -> searched -> handed to the chain -> the next
 * timer. Only one of these at a time. Without an interval there is a timer only where something has
 * come into the mempool since the last block was assembled. */
#include "node/node_miner.h"

#include <math.h>

#include "util/alloc.h"

#define MICROS_PER_S INT64_C(1000000)
#define RETRY_US     INT64_C(10000) /* with on_tx: when the chain is looked at again */

struct node_miner {
    const struct env *env;
    const struct log *log;
    struct chain *chain;
    const struct mempool *mempool;
    struct node_miner_options options;
    uint64_t timer;                /* of the next block; 0: one is under way, or none will be */
    struct mining_search *search;  /* or NULL */
    struct block_hash search_prev; /* what it is on */
    int64_t due_us;                /* when the block under way, or the next, was to begin */
    int64_t behind_us;             /* since when a better tip is promised; 0: none is */
    bool is_accepting;             /* the chain has a block of ours in hand */
    bool is_wanted;                /* on_tx: something has come since a block was assembled */
    bool is_refused;               /* the last block was not taken, and the log says so */
    bool is_stopping;
};

static void on_due(void *arg);

/* Without memory, as the work of all miners: what has passed says nothing of what is to come. */
static int64_t interval_us(const struct node_miner *miner)
{
    uint64_t bits;
    if (!miner->options.is_poisson)
        return miner->options.interval_s * MICROS_PER_S;
    env_random(miner->env, &bits, sizeof bits);
    double share = (double)((bits >> 11) + 1) / (double)(UINT64_C(1) << 53); /* above 0, up to 1 */
    return (int64_t)(-log(share) * (double)miner->options.interval_s * (double)MICROS_PER_S);
}

static void set_timer(struct node_miner *miner)
{
    ASSERT(miner->timer == 0);
    int64_t delay_us = miner->due_us - env_now_us(miner->env);
    if (!miner->is_stopping)
        miner->timer = env_timer_start(miner->env, MAX_OF(delay_us, 0), on_due, miner);
}

/* The block before is done. Those that come late do not move the ones behind: the intervals add up
 * to the time that has passed, unless a search takes longer than one. */
static void next_block(struct node_miner *miner)
{
    int64_t now_us = env_now_us(miner->env);
    miner->due_us += interval_us(miner);
    miner->due_us = MAX_OF(miner->due_us, now_us);
    if (!miner->options.on_tx || miner->is_wanted)
        set_timer(miner);
}

static void tell_refused(struct node_miner *miner, const char *reason)
{
    if (!miner->is_refused) /* one line, not one each interval */
        log_warning(miner->log, "A block of our own is not taken: %s", reason);
    miner->is_refused = true;
}

static void on_accepted(void *arg, const struct chain_block_result *result)
{
    struct node_miner *miner = arg;
    char reason[VERDICT_REASON_BYTES];
    miner->is_accepting = false;
    if (result->verdict.code != REJECT_NONE)
        tell_refused(miner, verdict_reason(&result->verdict, reason));
    else
        miner->is_refused = false;
    next_block(miner);
}

static void on_ground(void *arg, uint8_t *block_take, size_t len)
{
    struct node_miner *miner = arg;
    miner->search = NULL;
    miner->is_accepting = block_take != NULL;
    if (block_take)
        chain_accept_block(miner->chain, block_take, len, CHAIN_ACCEPT_FORCE | CHAIN_ACCEPT_DURABLE,
                           on_accepted, miner);
    else
        set_timer(miner); /* cancelled, and due when the new tip's interval ends; or no nonce */
}

/* Is somebody else's block on its way? A block of ours beside it would only be a fork. */
static bool is_behind(struct node_miner *miner)
{
    int64_t now_us = env_now_us(miner->env);
    int64_t patience_s = MAX_OF(3 * miner->options.interval_s, NODE_MINER_PATIENCE_S);
    bool is_promised = u256_compare(chain_best_header(miner->chain)->chain_work,
                                    chain_tip(miner->chain)->chain_work) > 0;
    if (!is_promised && chain_is_at_rest(miner->chain)) {
        miner->behind_us = 0;
        return false;
    }
    if (miner->behind_us == 0)
        miner->behind_us = now_us;
    return now_us - miner->behind_us < patience_s * MICROS_PER_S;
}

static void begin_search(struct node_miner *miner)
{
    ASSERT(!miner->search && miner->timer == 0);
    struct block_assembler_options options = miner->options.block;
    struct block_template template;
    int64_t now_s = env_unix_s(miner->env);
    miner->is_wanted = false;
    block_assembler_reserve(&options, miner->options.script);
    block_assemble(miner->chain, miner->mempool, &options, now_s, &template);
    if (template.time_s > now_s + BLOCK_TIME_AHEAD_MAX_S) {
        tell_refused(miner, "the clock is behind the tip's time");
        next_block(miner);
    } else {
        struct block_ref *ref =
            block_template_build(miner->chain, &template, miner->options.script);
        miner->search_prev = template.prev->hash;
        miner->search = mining_grind(miner->chain, ref, UINT64_MAX, on_ground, miner);
    }
    block_template_deinit(&template);
}

static void on_due(void *arg)
{
    struct node_miner *miner = arg;
    ASSERT(miner->timer != 0 && !miner->is_stopping);
    miner->timer = 0;
    bool waits = is_behind(miner);
    if (waits && miner->options.on_tx)
        miner->due_us = env_now_us(miner->env) + RETRY_US;
    if (waits)
        next_block(miner);
    else
        begin_search(miner);
}

void node_miner_tip_changed(struct node_miner *miner)
{
    if (!miner)
        return;
    const struct block_node *tip = chain_tip(miner->chain);
    bool is_idle = !miner->search && miner->timer == 0; /* it waits for a transaction */
    if (miner->is_accepting || is_idle || miner->is_stopping)
        return;
    miner->behind_us = 0; /* what was promised comes */
    if (miner->search && block_hash_equal(&miner->search_prev, &tip->hash))
        return; /* told late of the tip that it is on */
    miner->due_us = env_now_us(miner->env) + interval_us(miner);
    if (miner->search) {
        mining_cancel(miner->search);
    } else {
        env_timer_cancel(miner->env, miner->timer);
        miner->timer = 0;
        set_timer(miner);
    }
}

void node_miner_tx_added(struct node_miner *miner)
{
    if (!miner || !miner->options.on_tx || miner->is_stopping)
        return;
    miner->is_wanted = true;
    if (miner->search || miner->is_accepting || miner->timer)
        return;
    miner->due_us = env_now_us(miner->env);
    set_timer(miner);
}

struct node_miner *node_miner_new(const struct log *log, struct chain *chain,
                                  const struct mempool *mempool,
                                  const struct node_miner_options *options)
{
    ASSERT(chain && options->interval_s >= 0);
    if (options->interval_s == 0 && !options->on_tx)
        return NULL;
    ASSERT(options->script.len > 0 && !(options->on_tx && options->interval_s));
    ASSERT(options->block.signer || chain_network(chain)->mine_blocks_on_demand);
    struct node_miner *miner = xcalloc(1, sizeof *miner);
    miner->env = chain_env(chain);
    miner->log = log;
    miner->chain = chain;
    miner->mempool = mempool;
    miner->options = *options;
    miner->due_us = env_now_us(miner->env);
    next_block(miner);
    return miner;
}

void node_miner_stop(struct node_miner *miner)
{
    if (!miner)
        return;
    miner->is_stopping = true;
    env_timer_cancel(miner->env, miner->timer);
    miner->timer = 0;
    if (miner->search)
        mining_cancel(miner->search);
}

void node_miner_free(struct node_miner *miner)
{
    if (!miner)
        return;
    ASSERT(!miner->search);
    env_timer_cancel(miner->env, miner->timer);
    xfree(miner);
}
