/* node.c - see node.h
 *
 * Life: new -> started -> stopping (chain closing) -> stopped. A stop may be asked for from inside
 * any callback of chain or RPC, so it always begins with a timer of its own. */
#include "node/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/ask/history.h"
#include "mempool/mempool_file.h"
#include "node/node_dev.h"
#include "node/node_env.h"
#include "node/node_fees.h"
#include "node/node_fetch.h"
#include "node/node_net.h"
#include "node/node_repair.h"
#include "node/node_warnings.h"
#include "node/progress.h"
#include "util/alloc.h"
#include "util/hex.h"

#define SHOW_US        INT64_C(500000)  /* between two progress lines */
#define STATUS_US      INT64_C(2000000) /* between two progress lines when nothing else happens */
#define LOG_TIP_US     INT64_C(1000000) /* between two log lines about the tip while catching up */
#define REPLAY_POLL_US INT64_C(1000)
#define CONNECT_MAX    2000 /* stored and not connected; with more the coins are rebuilt */
#define PATIENCE_US    INT64_C(60000000) /* for these */
#define LOAD_POLL_US   INT64_C(100000)   /* while the coins are made that mempool.dat may spend */
#define RECHECK_US     INT64_C(20000) /* while waiting for the last import or the last RPC call */

/* Owns its parts. chain, mempool, p2p, bans and net are NULL until the start has got to them, and
 * stay until node_free(); RPC is there from the beginning: who asks too early gets an answer. */
struct node {
    struct node_env *node_env;
    const struct env *env; /* node_env's */
    struct log *log;
    struct node_options options;
    struct node_events events;
    struct chain *chain;
    struct mempool *mempool;
    char *mempool_path;     /* NULL: it is not kept */
    bool is_mempool_loaded; /* only then it is saved: what was never read must not be overwritten */
    struct node_fees *fees; /* NULL with -blocksonly: who sees nothing learns nothing */
    struct history *history;  /* NULL: nothing is noted */
    struct node_miner *miner; /* NULL: nothing is mined but by order */
    struct node_dev *dev;     /* NULL: without -dev */
    struct p2p *p2p;
    struct node_bans *bans;
    struct node_net *net;     /* the mesh as RPC sees it */
    struct node_fetch *fetch; /* of coins, from peers */
    struct rpc_node for_rpc;  /* what RPC may look at; parts join it as they open */
    struct rpc *rpc;
    const char *warmup; /* what is being done, "" once the chain is open */
    struct node_warnings warnings;
    char *error;                 /* why the node stops, or NULL */
    size_t n_imports_left;       /* files of -loadblock */
    bool is_stopping, is_closed; /* ordered; the chain has been closed. Never taken back */
    uint64_t timer;              /* stop, or a recheck */
    uint64_t status_timer;       /* the next progress line, where somebody looks */
    int64_t opened_us;           /* when the chain was open */
    uint64_t load_timer;         /* looks whether mempool.dat can be loaded */
    struct news_desk news;
    struct traffic traffic;      /* when the last progress line was shown */
    int64_t shown_us, logged_us; /* the last progress line; the last line about a tip */
    bool has_shown;              /* a progress line that stands there still */
    struct progress progress;
};

/* Only one at a time is wanted: whatever was to come, a stop comes instead. */
static void set_timer(struct node *node, int64_t delay_us, env_timer_fn *fn)
{
    ASSERT(delay_us >= 0 && fn);
    env_timer_cancel(node->env, node->timer);
    node->timer = env_timer_start(node->env, delay_us, fn, node);
}

/* -- The tip -------------------------------------------------------------------------------- */

static bool is_catching_up(const struct node *node)
{
    return node->n_imports_left > 0 || chain_is_importing(node->chain) ||
           chain_is_initial_download(node->chain);
}

/* Each call counts for the rate; a line is shown only now and then. */
static void show_progress(struct node *node, const struct block_node *tip)
{
    char line[PROGRESS_LINE_BYTES], net[PROGRESS_LINE_BYTES];
    int64_t now_us = env_now_us(node->env);
    progress_add(&node->progress, now_us, tip->height, chain_progress(node->chain, tip));
    if (now_us - node->shown_us < SHOW_US)
        return;
    progress_format(&node->progress, tip->time, line);
    struct p2p_info info = {0};
    if (node->p2p)
        p2p_info(node->p2p, &info);
    struct traffic traffic = {.now_us = now_us, .n_peers = info.n_in + info.n_out};
    traffic.received = info.bytes_received;
    traffic.sent = info.bytes_sent;
    progress_format_traffic(&node->traffic, &traffic, net);
    char *both = xasprintf("%s  %s", line, net);
    node->events.progress(node->events.ctx, both);
    xfree(both);
    node->shown_us = now_us;
    node->traffic = traffic;
    node->has_shown = true;
}

/* Somebody looks: peers come and go, and bytes flow, also while no block comes. */
static void show_status(void *arg)
{
    struct node *node = arg;
    node->status_timer = 0;
    if (node->is_stopping)
        return;
    show_progress(node, chain_tip(node->chain));
    node->status_timer = env_timer_start(node->env, STATUS_US, show_status, node);
}

static void end_progress(struct node *node)
{
    if (node->has_shown)
        node->events.progress(node->events.ctx, "");
    node->has_shown = false;
}

/* While catching up one line a second, not one for each of thousands of blocks (hazard 58). */
static void log_tip(struct node *node, const struct block_node *tip, const char *hash)
{
    int64_t now_us = env_now_us(node->env);
    if (is_catching_up(node) && now_us - node->logged_us < LOG_TIP_US)
        return;
    node->logged_us = now_us;
    log_printf(node->log, LOG_ALWAYS, "tip: %s height=%d tx=%llu time=%u progress=%f", hash,
               tip->height, (unsigned long long)tip->chain_tx, tip->time,
               chain_progress(node->chain, tip));
}

static void on_alert(void *ctx, const char *message)
{
    const struct node *node = ctx;
    node->events.notice(node->events.ctx, NODE_NOTICE_ALERT, message);
}

static void notice_tip(void *ctx, const char *hash)
{
    const struct node *node = ctx;
    if (!is_catching_up(node))
        node->events.notice(node->events.ctx, NODE_NOTICE_BLOCK, hash);
}

/* [block 15] Mempool, peers and clients hear of it. */
static void on_tip_changed(void *ctx, const struct block_node *tip)
{
    ASSERT(tip);
    struct node *node = ctx;
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(tip->hash.b, sizeof tip->hash.b));
    log_tip(node, tip, hash);
    mempool_tip_changed(node->mempool, tip);
    p2p_tip_changed(node->p2p, tip);
    history_tip_changed(node->history, tip);
    rpc_on_tip_changed(node->rpc, tip);
    news_tip_changed(&node->news, tip, chain_is_initial_download(node->chain));
    node_miner_tip_changed(node->miner);
    node_warnings_look_around(&node->warnings, node->chain);
    if (is_catching_up(node))
        show_progress(node, tip);
    else if (!node->options.shows_status)
        end_progress(node);
    if (node->options.stop_at_height > 0 && tip->height >= node->options.stop_at_height)
        node_stop(node);
}

/* The mempool first, here and below: who hears of the block next may ask what is left in it. */
static void on_block_connected(void *ctx, const struct block_node *block, struct block_ref *ref)
{
    ASSERT(block && ref);
    struct node *node = ctx;
    mempool_block_connected(node->mempool, block, ref);
    node_fees_block_connected(node->fees, block, &ref->block);
    p2p_block_connected(node->p2p, block, ref);
    rpc_on_block(node->rpc, block, true);
    news_block_connected(&node->news, block, ref, chain_is_initial_download(node->chain));
}

static void on_block_disconnected(void *ctx, const struct block_node *block, struct block_ref *ref)
{
    ASSERT(block && ref);
    struct node *node = ctx;
    mempool_block_disconnected(node->mempool, block, ref);
    p2p_block_disconnected(node->p2p, ref);
    history_block_disconnected(node->history, block);
    rpc_on_block(node->rpc, block, false);
    news_block_disconnected(&node->news, block, ref);
}

/* When those of long ago came says nothing of them. */
static void on_header_added(void *ctx, const struct block_node *header)
{
    if (!is_catching_up(ctx))
        history_header_added(((const struct node *)ctx)->history, header);
}

static void on_header_tip_changed(void *ctx, const struct block_node *best_header)
{
    p2p_header_tip_changed(((struct node *)ctx)->p2p, best_header);
}

/* Passed on only if no copy of the block could mend it: else it may be another's fault. Hazard 7 */
static void on_block_invalid(void *ctx, const struct block_hash *hash,
                             const struct verdict *verdict)
{
    ASSERT(hash && verdict->code != REJECT_NONE);
    struct node *node = ctx;
    if (reject_class(verdict->code) == REJECT_CLASS_CONSENSUS)
        p2p_block_invalid(node->p2p, hash);
    node_warnings_look_around(&node->warnings, node->chain);
}

static void on_block_checked(void *ctx, const struct block_node *block, struct block_ref *ref)
{
    p2p_block_checked(((struct node *)ctx)->p2p, block, ref);
}

static void on_block_lost(void *ctx, const struct block_node *block)
{
    struct node *node = ctx;
    if (!node->is_stopping && node->p2p)
        p2p_block_lost(node->p2p, block);
}

static void on_loss(void *ctx, const char *message)
{
    if (*message)
        on_alert(ctx, message);
}

/* [tx 8] Everybody hears of it. */
static void on_mempool_changed(void *ctx, const struct mempool_event *event)
{
    const struct node *node = ctx;
    p2p_mempool_changed(node->p2p, event);
    node_fees_mempool_changed(node->fees, event);
    mempool_set_bytes_beside(node->mempool, node_fees_waiting_bytes(node->fees));
    rpc_on_mempool_changed(node->rpc, event);
    if (event->reason == MEMPOOL_ADDED && !event->is_putback)
        node_miner_tx_added(node->miner);
    news_mempool_changed(&node->news, event);
}

static void on_clock_warning(void *ctx, const char *message)
{
    node_warnings_set(&((struct node *)ctx)->warnings, WARNING_OF_CLOCK, message);
}

/* The first fault is the reason that is told. */
static void on_fault(void *ctx, const char *message)
{
    struct node *node = ctx;
    node->error = node->error ? node->error : xstrdup(message);
    node_stop(node);
}

static void on_warning(void *ctx, const char *message)
{
    node_warnings_set(&((struct node *)ctx)->warnings, WARNING_OF_CHAIN, message);
}

/* -- What RPC asks of the node -------------------------------------------------------------- */

static void rpc_stop(void *ctx)
{
    node_stop(ctx);
}

static const char *warmup_status(void *ctx)
{
    return ((const struct node *)ctx)->warmup;
}

static void set_mock_time(void *ctx, int64_t unix_s)
{
    node_env_set_mock_time(((const struct node *)ctx)->node_env, unix_s);
}

static void advance_timers(void *ctx, int64_t delta_s)
{
    const struct node *node = ctx;
    if (delta_s <= 0 || delta_s > INT64_MAX / 1000000)
        return;
    node_env_advance_timers(node->node_env, delta_s * 1000000);
    if (node->p2p)
        p2p_advance(node->p2p, delta_s * 1000000);
}

static void settle_files(void *ctx, void (*done)(void *arg), void *arg)
{
    node_fees_settle(((const struct node *)ctx)->fees, done, arg);
}

static int64_t now_s(void *ctx)
{
    return env_unix_s(((const struct node *)ctx)->env);
}

/* Those of the options first, then those of the sources in their order. */
static const char *warning(void *ctx, size_t index)
{
    const struct node *node = ctx;
    if (index < node->options.n_warnings)
        return node->options.warnings[index];
    index -= node->options.n_warnings;
    const char *held = node_warnings_get(&node->warnings, &index);
    if (held)
        return held;
    return index == 0 && node->chain ? chain_loss(node->chain) : NULL;
}

static struct rpc *make_rpc(struct node *node, const struct env *real, char **error)
{
    node->for_rpc = (struct rpc_node){
        .ctx = node,
        .env = node->env,
        .log = node->log,
        .network = node->options.network,
        .data_dir = node->options.chain.data_dir,
        .stop = rpc_stop,
        .warmup_status = warmup_status,
        .set_mock_time = set_mock_time,
        .advance_timers = advance_timers,
        .settle_files = settle_files,
        .now_s = now_s,
        .clock = real,
        .start_us = env_now_us(real),
        .warning = warning,
        .log_control = node->log,
        .block = node->options.block,
        .fallback_sat_per_kvb = node->options.fallback_sat_per_kvb,
        .publishers = node->options.publishers,
        .n_publishers = node->options.n_publishers,
        .dev = node_dev_view(node->dev),
    };
    return rpc_new(&node->for_rpc, rpc_methods(), &node->options.auth, error);
}

/* -- Imports -------------------------------------------------------------------------------- */

/* -stopafterblockimport: stop when no file is gone through any more and no block waits. */
static void stop_after_import(void *arg)
{
    struct node *node = arg;
    node->timer = 0;
    if (node->n_imports_left > 0 || !chain_is_at_rest(node->chain)) {
        set_timer(node, RECHECK_US, stop_after_import);
        return;
    }
    end_progress(node);
    log_printf(node->log, LOG_ALWAYS, "Stopping after block import");
    node_stop(node);
}

/* A file that cannot be read: go on without it, unless the import is all that was wanted. */
static void tell_unreadable(struct node *node, const char *path, int error)
{
    ASSERT(error < 0);
    char *line = xasprintf("Cannot read block file %s: %s", path, strerror(-error));
    log_warning(node->log, "%s", line);
    node->events.warning(node->events.ctx, line);
    if (node->options.chain.stop_after_import && !node->error)
        node->error = line;
    else
        xfree(line);
}

/* Files end in any order: each knows its name. */
struct load_block {
    struct node *node;
    const char *path;
};

static void on_imported(void *arg, int error, uint64_t n_blocks)
{
    struct load_block *file = arg;
    struct node *node = file->node;
    const char *path = file->path;
    ASSERT(node->n_imports_left > 0 && error <= 0);
    node->n_imports_left--;
    xfree(file);
    if (error == -ECANCELED || node->is_stopping)
        return;
    if (error)
        tell_unreadable(node, path, error);
    else
        log_printf(node->log, LOG_ALWAYS, "imported %llu blocks from %s",
                   (unsigned long long)n_blocks, path);
    if (node->n_imports_left == 0 && !chain_is_initial_download(node->chain))
        end_progress(node);
}

/* All are counted before the first begins: one that cannot be opened ends within the call. */
static void start_imports(struct node *node)
{
    ASSERT(node->n_imports_left == 0 && node->for_rpc.chain);
    node->n_imports_left = node->options.n_load_blocks;
    for (size_t i = 0; i < node->options.n_load_blocks; i++) {
        struct load_block *file = xmalloc(sizeof *file);
        *file = (struct load_block){.node = node, .path = node->options.load_blocks[i]};
        chain_import_file(node->chain, file->path, on_imported, file);
    }
    if (node->options.chain.stop_after_import && !node->is_stopping)
        set_timer(node, 0, stop_after_import);
}

/* -- Start ---------------------------------------------------------------------------------- */

struct node *node_new(const struct env *env, struct log *log, const struct node_options *options,
                      const struct node_events *events, char **error)
{
    ASSERT(options && error);
    ASSERT(env && events);
    *error = NULL;
    struct node *node = xcalloc(1, sizeof *node);
    node->node_env = node_env_new(env);
    node->env = node_env_env(node->node_env);
    node->log = log;
    node->options = *options;
    node->events = *events;
    node->news = (struct news_desk){
        .ctx = events->ctx, .tell = events->news, .notice = notice_tip, .notice_ctx = node};
    node->warnings = (struct node_warnings){.ctx = node, .alert = on_alert, .log = log};
    node->shown_us = node->logged_us = INT64_MIN / 2;
    node->warmup = "Loading block index\xe2\x80\xa6";
    node_env_set_mock_time(node->node_env, options->mock_time_s);
    if (options->dev_keys)
        node->dev = node_dev_new(log, options->dev_keys, node->node_env, options->chain.data_dir);
    node->rpc = make_rpc(node, env, error);
    if (!node->rpc) {
        node_free(node);
        return NULL;
    }
    return node;
}

/* The damage that kept it from being opened, if it can be made good. */
static enum chain_damage try_open_chain(struct node *node, char **error)
{
    ASSERT(!node->chain);
    const struct chain_events events = {
        .ctx = node,
        .block_connected = on_block_connected,
        .block_disconnected = on_block_disconnected,
        .tip_changed = on_tip_changed,
        .header_added = on_header_added,
        .header_tip_changed = on_header_tip_changed,
        .block_invalid = on_block_invalid,
        .block_lost = on_block_lost,
        .block_checked = on_block_checked,
        .loss = on_loss,
        .fault = on_fault,
        .warning = on_warning,
    };
    node->chain =
        chain_new(node->env, node->log, node->options.network, &node->options.chain, &events);
    if (chain_open(node->chain, error))
        return CHAIN_DAMAGE_NONE;
    ASSERT(*error);
    enum chain_damage damage = chain_damage(node->chain);
    chain_free(node->chain);
    node->chain = NULL;
    return damage;
}

/* What can be made anew from the block files will be, and the operator is told. */
static void order_repair(struct node *node, enum chain_damage damage, const char *why)
{
    char *message = node_repair_order(&node->options.chain, damage, why);
    log_warning(node->log, "%s", message);
    node_warnings_set(&node->warnings, WARNING_OF_REPAIR, message);
    xfree(message);
}

/* Damaged coins may lie beside an index that is damaged too, hence up to three attempts. */
static bool open_chain(struct node *node, char **error)
{
    for (int attempt = 0;; attempt++) {
        enum chain_damage damage = try_open_chain(node, error);
        if (node->chain || !damage || !node->options.repair || attempt == 2)
            return node->chain != NULL;
        if (damage == CHAIN_DAMAGE_INDEX && node->options.chain.prune) {
            *error = node_repair_refuse(*error);
            return false;
        }
        order_repair(node, damage, *error);
        xfree(*error);
        *error = NULL;
    }
}

/* Who is banned by hand, before anybody can come in. */
static void take_bans(struct node *node)
{
    char *warning;
    const struct node_bans_options options = {.data_dir = node->options.p2p.data_dir,
                                              .ban_time_s = node->options.ban_time_s};
    node->bans = node_bans_new(node->env, node->log, node->p2p, &options, &warning);
    if (!warning)
        return;
    log_warning(node->log, "%s", warning);
    node->events.warning(node->events.ctx, warning);
    node_warnings_set(&node->warnings, WARNING_OF_BANS, warning);
    xfree(warning);
}

static void make_fees(struct node *node)
{
    const struct node_fees_options options = {.data_dir = node->options.chain.data_dir,
                                              .accepts_stale = node->options.accepts_stale_fees,
                                              .clock = node->for_rpc.clock};
    if (!node->options.p2p.blocks_only)
        node->fees = node_fees_new(node->env, node->log, node->chain, &options);
}

/* What the chain's events go to; it does nothing yet. */
static void make_mesh(struct node *node)
{
    ASSERT(node->chain && !node->mempool && !node->p2p);
    const struct mempool_events heard = {.ctx = node, .changed = on_mempool_changed};
    const struct p2p_events p2p_events = {.ctx = node, .warning = on_clock_warning};
    node->mempool = mempool_new(node->env, node->log, node->chain, &node->options.mempool, &heard);
    node->p2p = p2p_new(node_env_peers(node->node_env), node->log, node->options.network,
                        node->chain, node->mempool, &node->options.p2p, &p2p_events);
    make_fees(node);
    take_bans(node);
    node->net = node_net_new(node->p2p, node->bans, node->mempool);
    const char *dir = node->options.chain.data_dir;
    node->fetch = node_fetch_new(node->log, node->chain, node->mempool, node->p2p, dir);
}

/* The chain is open: from here on failure means a clean stop. */
static void start_mesh(struct node *node)
{
    ASSERT(node->net && !node->for_rpc.net);
    char *error = NULL;
    node->for_rpc.net = node_net_view(node->net);
    node->for_rpc.mempool = node->mempool;
    node->for_rpc.coins_fetch = node_fetch_view(node->fetch);
    node->for_rpc.fees = node_fees_estimator(node->fees);
    node->for_rpc.mempool_fees = node_fees_mempool_estimator(node->fees);
    if (p2p_start(node->p2p, &error))
        return;
    node->error = error;
    node_stop(node);
}

static void on_mempool_loaded(void *arg, const struct mempool_load *load)
{
    struct node *node = arg;
    node->is_mempool_loaded = load->error != -ECANCELED;
    if (load->error == 0)
        log_printf(node->log, LOG_ALWAYS,
                   "mempool.dat: %zu transactions taken, %zu refused, %zu too old", load->n_taken,
                   load->n_refused, load->n_expired);
    else if (load->error != -ENOENT && load->error != -ECANCELED)
        log_warning(node->log,
                    "mempool.dat cannot be read (%s): going on with the %zu "
                    "transactions before the damage",
                    strerror(-load->error), load->n_taken);
}

/* The coins that it spends are there only when every block that is stored has been connected: after
 * an import, a reindex, a clock set right. Stopped before that, the file is left as it is. */
static void load_mempool(void *arg)
{
    struct node *node = arg;
    node->load_timer = 0;
    if (node->is_stopping)
        return;
    ASSERT(node->mempool_path && !node->is_mempool_loaded);
    bool is_complete = node->n_imports_left == 0 && chain_is_at_rest(node->chain) &&
                       !chain_awaits_clock(node->chain);
    const struct mempool_load_options all_of_it = {.is_expected = true};
    if (is_complete)
        mempool_file_load(node->mempool, node->mempool_path, &all_of_it, on_mempool_loaded, node);
    else
        node->load_timer = env_timer_start(node->env, LOAD_POLL_US, load_mempool, node);
}

/* Said before it can be loaded, so that nobody takes the empty mempool of until then for all there
 * is. */
static void expect_mempool(struct node *node)
{
    ASSERT(!node->mempool_path && node->load_timer == 0);
    if (!node->options.persist_mempool || node->is_stopping)
        return;
    node->mempool_path = xasprintf("%s/mempool.dat", node->options.chain.data_dir);
    mempool_file_expect(node->mempool);
    load_mempool(node);
}

/* What a crash left to be done before the tip is what it was. A rebuild takes hours and is not
 * waited for. */
static bool is_replaying(const struct node *node)
{
    if (chain_is_replaying(node->chain))
        return true;
    int64_t waited_us = env_now_us(node->env) - node->opened_us;
    int32_t n = chain_unconnected(node->chain);
    return n > 0 && n <= CONNECT_MAX && waited_us < PATIENCE_US;
}

/* All is there that was there before, or that a new chain begins with. */
static void open_to_all(void *arg)
{
    struct node *node = arg;
    if (node->is_stopping)
        return;
    ASSERT(!node->for_rpc.chain && node->p2p);
    node_dev_open(node->dev, node->chain, node->mempool);
    node->warmup = "";
    node->for_rpc.chain = node->chain;
    /* Only now: what a replay goes through is no news. */
    if (node->options.keeps_history)
        node->history = history_new(node->env, node->log, node->options.chain.data_dir);
    node->for_rpc.history = node->history;
    start_mesh(node);
    log_printf(node->log, LOG_ALWAYS, "initload thread start"); /* decision 0395 */
    node_fetch_at_start(node->fetch, node->options.fetch_coins);
    start_imports(node);
    expect_mempool(node);
    node->miner = node_miner_new(node->log, node->chain, node->mempool, &node->options.miner);
    if (node->options.shows_status)
        show_status(node);
    node->events.notice(node->events.ctx, NODE_NOTICE_STARTED, "");
}

/* Nobody is shown a tip older than what was acknowledged before a crash. */
static void finish_start(void *arg)
{
    struct node *node = arg;
    node->timer = 0;
    if (node->is_stopping)
        return;
    if (is_replaying(node))
        set_timer(node, REPLAY_POLL_US, finish_start);
    else if (node->dev)
        node_dev_begin_chain(node->dev, node->chain, open_to_all, node);
    else
        open_to_all(node);
}

bool node_start(struct node *node, char **error)
{
    ASSERT(node && error);
    *error = NULL;
    if (node->is_stopping)
        return true; /* a signal was faster */
    log_printf(node->log, LOG_ALWAYS, "scheduler thread start");
    if (!open_chain(node, error))
        return false;
    make_mesh(node);
    node->warmup = "Replaying blocks\xe2\x80\xa6";
    node->opened_us = env_now_us(node->env);
    finish_start(node);
    return true;
}

/* -- Stop ----------------------------------------------------------------------------------- */

static void report_stopped(void *arg)
{
    struct node *node = arg;
    node->timer = 0;
    ASSERT(node->is_stopping && node->is_closed);
    /* The chain answered everything that waited for it; what is left answers by itself. */
    if (rpc_pending(node->rpc) > 0 || (node->p2p && p2p_pending(node->p2p) > 0) ||
        !history_is_at_rest(node->history)) {
        set_timer(node, RECHECK_US, report_stopped);
        return;
    }
    node->events.stopped(node->events.ctx, node->error);
}

static void on_chain_closed(void *arg, int error)
{
    struct node *node = arg;
    ASSERT(node->is_stopping && !node->is_closed && error <= 0);
    node->is_closed = true;
    if (error != 0 && !node->error)
        node->error = xasprintf("Cannot write everything to disk: %s", strerror(-error));
    set_timer(node, 0, report_stopped);
}

static void on_mempool_closed(void *arg)
{
    struct node *node = arg;
    chain_close(node->chain, on_chain_closed, node);
}

static void on_mempool_saved(void *arg, int error)
{
    struct node *node = arg;
    if (error)
        log_warning(node->log, "Cannot write mempool.dat: %s", strerror(-error));
    mempool_close(node->mempool, on_mempool_closed, node);
}

static void on_fees_stopped(void *arg)
{
    struct node *node = arg;
    /* After a fault nothing is written any more. */
    if (node->is_mempool_loaded && !node->error)
        mempool_file_save(node->mempool, node->mempool_path, on_mempool_saved, node);
    else
        mempool_close(node->mempool, on_mempool_closed, node);
}

/* From the outside in: no new calls, no new peers, then the mempool, which still needs the chain to
 * make its blocks durable, and the chain last. Each goes on when the one before has said that it is
 * through. */
static void begin_stop(void *arg)
{
    struct node *node = arg;
    node->timer = 0;
    ASSERT(node->is_stopping && !node->is_closed);
    env_timer_cancel(node->env, node->status_timer);
    env_timer_cancel(node->env, node->load_timer);
    end_progress(node);
    node->events.stopping(node->events.ctx);
    node->events.notice(node->events.ctx, NODE_NOTICE_STOPPING, "");
    rpc_interrupt(node->rpc);
    node_miner_stop(node->miner);
    if (node->chain) {
        p2p_stop(node->p2p);
        node_fees_stop(node->fees, !node->error, on_fees_stopped, node);
    } else {
        on_chain_closed(node, 0);
    }
}

void node_stop(struct node *node)
{
    ASSERT(node);
    if (node->is_stopping)
        return;
    node->is_stopping = true;
    set_timer(node, 0, begin_stop);
}

bool node_can_be_mended(const struct node *node)
{
    return node->options.repair && node->chain && chain_noted_damage(node->chain);
}

void node_free(struct node *node)
{
    if (!node)
        return;
    ASSERT(!node->chain || node->is_closed);
    /* In reverse of making: nobody may be left with a pointer to what is gone. */
    news_desk_deinit(&node->news);
    rpc_free(node->rpc);
    node_miner_free(node->miner);
    node_dev_free(node->dev);
    node_net_free(node->net);
    node_bans_free(node->bans);
    node_fees_free(node->fees);
    node_fetch_free(node->fetch);
    p2p_free(node->p2p);
    mempool_free(node->mempool);
    history_free(node->history);
    chain_free(node->chain);
    node_env_free(node->node_env);
    xfree(node->mempool_path);
    node_warnings_deinit(&node->warnings);
    xfree(node->error);
    xfree(node);
}

struct rpc *node_rpc(struct node *node)
{
    return node->rpc;
}

struct chain *node_chain(struct node *node)
{
    return node->chain;
}

struct mempool *node_mempool(struct node *node)
{
    return node->mempool;
}

struct p2p *node_p2p(struct node *node)
{
    return node->p2p;
}
