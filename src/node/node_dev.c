/* node_dev.c - see node_dev.h
 *
 * The first blocks are made one after the other: built, searched, handed to the chain. Nothing in
 * them comes from the clock or from chance. */
#include "node/node_dev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/mining.h"
#include "node/dev_snapshots.h"
#include "util/alloc.h"
#include "util/parse.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define CLOCK_BYTES_MAX 32

struct node_dev {
    const struct log *log;
    const struct dev_keys *keys;
    struct node_env *node_env;
    char *clock_path; /* owned */
    struct dev_snapshots *snapshots;
    struct rpc_dev for_rpc;
    /* While the first blocks are made. */
    struct chain *chain;
    void (*done)(void *arg);
    void *arg;
};

/* -- The clock -------------------------------------------------------------------------------- */

static void take_clock(struct node_dev *dev)
{
    struct buffer text;
    int64_t offset_s;
    buffer_init(&text);
    int error = read_file(node_env_env(dev->node_env), dev->clock_path, CLOCK_BYTES_MAX, &text);
    buffer_append(&text, "", 1);
    if (!error && parse_int64((const char *)text.p, &offset_s) &&
        node_env_may_offset(dev->node_env, offset_s))
        node_env_set_offset(dev->node_env, offset_s);
    else if (error != -ENOENT)
        log_warning(dev->log, "%s %s: the clock is the real one", dev->clock_path,
                    error ? "cannot be read" : "has no clock in it");
    buffer_deinit(&text);
}

static int keep_offset(struct node_dev *dev, int64_t offset_s)
{
    char text[CLOCK_BYTES_MAX];
    snprintf(text, sizeof text, "%lld", (long long)offset_s);
    return replace_file(node_env_env(dev->node_env), dev->clock_path, span_of_string(text));
}

static void keep_clock(void *ctx)
{
    struct node_dev *dev = ctx;
    if (keep_offset(dev, node_env_offset_s(dev->node_env)))
        log_warning(dev->log, "%s cannot be written", dev->clock_path);
}

/* Kept over a restart: the chain may have blocks of that time, which no start takes from the
 * future. For that it cannot go back behind them either. */
static const char *set_clock(void *ctx, int64_t time_s, bool *is_ours)
{
    struct node_dev *dev = ctx;
    ASSERT(time_s >= 0);
    int64_t real_s = node_env_real_s(dev->node_env);
    int64_t offset_s = time_s ? time_s - real_s : 0;
    *is_ours = false;
    if (dev->chain &&
        real_s + offset_s + BLOCK_TIME_AHEAD_MAX_S < (int64_t)chain_tip(dev->chain)->time)
        return "The tip is more than two hours later than that, so the node would not start "
               "again: revert to a snapshot of before";
    *is_ours = true;
    int error = keep_offset(dev, offset_s);
    if (error)
        return strerror(-error);
    node_env_set_offset(dev->node_env, offset_s);
    return NULL;
}

/* -- Snapshots -------------------------------------------------------------------------------- */

static void make_snapshot(void *ctx, const char *name, rpc_dev_fn *done, void *arg)
{
    dev_snapshots_make(((struct node_dev *)ctx)->snapshots, name, done, arg);
}

static void revert(void *ctx, const char *name, rpc_dev_fn *done, void *arg)
{
    dev_snapshots_revert(((struct node_dev *)ctx)->snapshots, name, done, arg);
}

static void drop_snapshot(void *ctx, const char *name, rpc_dev_fn *done, void *arg)
{
    dev_snapshots_drop(((struct node_dev *)ctx)->snapshots, name, done, arg);
}

static const struct rpc_dev_snapshot *snapshot_at(void *ctx, size_t index)
{
    return dev_snapshots_at(((struct node_dev *)ctx)->snapshots, index);
}

void node_dev_open(struct node_dev *dev, struct chain *chain, struct mempool *mempool)
{
    if (dev)
        dev_snapshots_open(dev->snapshots, chain, mempool);
}

/* -- Making ----------------------------------------------------------------------------------- */

struct node_dev *node_dev_new(const struct log *log, const struct dev_keys *keys,
                              struct node_env *node_env, const char *data_dir)
{
    ASSERT(keys && node_env && data_dir);
    struct node_dev *dev = xcalloc(1, sizeof *dev);
    dev->log = log;
    dev->keys = keys;
    dev->node_env = node_env;
    dev->snapshots =
        dev_snapshots_new(log, node_env, data_dir, DEV_SNAPSHOT_TXS_MAX, keep_clock, dev);
    dev->for_rpc = (struct rpc_dev){.ctx = dev,
                                    .keys = keys,
                                    .set_clock = set_clock,
                                    .snapshot = make_snapshot,
                                    .revert = revert,
                                    .drop = drop_snapshot,
                                    .at = snapshot_at};
    dev->clock_path = xasprintf("%s/dev_clock", data_dir);
    take_clock(dev);
    return dev;
}

const struct rpc_dev *node_dev_view(const struct node_dev *dev)
{
    return dev ? &dev->for_rpc : NULL;
}

void node_dev_free(struct node_dev *dev)
{
    if (!dev)
        return;
    dev_snapshots_free(dev->snapshots);
    xfree(dev->clock_path);
    xfree(dev);
}

/* -- The first blocks ------------------------------------------------------------------------- */

static void make_next(struct node_dev *dev);

/* Each key has the coinbase of one that can be spent in the block after them. */
static int32_t start_blocks(const struct network *network)
{
    return MIN_OF(network->coinbase_maturity, NODE_DEV_MATURITY_MAX) + DEV_KEYS;
}

/* From one to the next. On a chain that begins today, too, the last one must not be too far ahead
 * of the clock; where times make the target, they are such that it stays. */
static int64_t start_spacing_s(const struct network *network)
{
    int64_t most_s = MAX_OF(BLOCK_TIME_AHEAD_MAX_S / (start_blocks(network) + 1), 1);
    return network->pow_no_retargeting ? MIN_OF(network->pow_target_spacing_s, most_s)
                                       : network->pow_target_spacing_s;
}

static void end_chain(struct node_dev *dev, const char *failure)
{
    void (*done)(void *arg) = dev->done;
    if (failure)
        log_warning(dev->log, "The first blocks of -dev cannot be made: %s", failure);
    dev->done = NULL;
    done(dev->arg);
}

static void on_accepted(void *arg, const struct chain_block_result *result)
{
    struct node_dev *dev = arg;
    char reason[VERDICT_REASON_BYTES];
    if (result->verdict.code != REJECT_NONE)
        end_chain(dev, verdict_reason(&result->verdict, reason));
    else
        make_next(dev);
}

static void on_ground(void *arg, uint8_t *block_take, size_t len)
{
    struct node_dev *dev = arg;
    bool is_last = chain_tip(dev->chain)->height + 1 == start_blocks(chain_network(dev->chain));
    if (block_take)
        chain_accept_block(dev->chain, block_take, len,
                           CHAIN_ACCEPT_FORCE | (is_last ? CHAIN_ACCEPT_DURABLE : 0), on_accepted,
                           dev);
    else
        end_chain(dev, "the search was cancelled");
}

static void make_next(struct node_dev *dev)
{
    const struct block_node *tip = chain_tip(dev->chain);
    const struct network *network = chain_network(dev->chain);
    if (tip->height >= start_blocks(network) || chain_is_closing(dev->chain)) {
        end_chain(dev, NULL);
        return;
    }
    const struct dev_key *key = &dev->keys->at[tip->height % DEV_KEYS];
    const struct mining_template template = {.coinbase_script_pubkey =
                                                 span_of(key->script, sizeof key->script)};
    struct block_ref *block =
        mining_build_block(dev->chain, &template, tip->time + start_spacing_s(network));
    (void)mining_grind(dev->chain, block, UINT64_MAX, on_ground, dev);
}

void node_dev_begin_chain(struct node_dev *dev, struct chain *chain, void (*done)(void *arg),
                          void *arg)
{
    ASSERT(dev && chain && done && !dev->done);
    dev->chain = chain;
    dev->done = done;
    dev->arg = arg;
    if (chain_tip(chain)->height > 0 || !chain_network(chain)->mine_blocks_on_demand)
        end_chain(dev, NULL);
    else
        make_next(dev);
}
