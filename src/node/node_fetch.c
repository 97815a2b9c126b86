/* node_fetch.c - see node_fetch.h. */
#include "node/node_fetch.h"

#include <string.h>

#include "p2p/snapshot/snapshot_fetch.h"
#include "util/alloc.h"

static const struct block_hash any = {{0}};

enum outcome { OUTCOME_NONE, OUTCOME_LOADED, OUTCOME_FAILED };

struct node_fetch {
    const struct log *log;
    struct chain *chain;
    const struct mempool *mempool;
    struct snapshots *snapshots;
    struct p2p *p2p;
    char *path;
    struct coin_vouch vouch; /* all zero: nobody does but this release */
    bool is_loading;
    enum outcome outcome;     /* of the last one */
    char *error;              /* FAILED: why */
    struct block_hash loaded; /* LOADED: as of this block */
    struct rpc_coins_fetch view;
};

static void end(struct node_fetch *fetch, enum outcome outcome, const char *why)
{
    fetch->outcome = outcome;
    xfree(fetch->error);
    fetch->error = why ? xstrdup(why) : NULL;
    if (why)
        log_warning(fetch->log, "Coins from peers: %s", why);
}

/* What waits spends coins as they are now. */
static bool is_mempool_empty(void *arg)
{
    const struct node_fetch *fetch = arg;
    return !fetch->mempool || mempool_count(fetch->mempool) == 0;
}

static void loaded(void *arg, int error, const struct coin_load *load)
{
    struct node_fetch *fetch = arg;
    fetch->is_loading = false;
    if (error && load->is_bad_file)
        log_warning(fetch->log, "Coins from peers are not what they should be: %s", load->why);
    else if (error)
        end(fetch, OUTCOME_FAILED, load->why ? load->why : strerror(-error));
    else
        end(fetch, OUTCOME_LOADED, NULL);
    if (!error)
        fetch->loaded = load->base->hash;
    bool is_bad = error && load->is_bad_file;
    snapshot_fetch_settle(fetch->snapshots, is_bad, error && !is_bad);
}

static void fetched(void *arg, const char *path, const char *error)
{
    struct node_fetch *fetch = arg;
    if (error) {
        end(fetch, OUTCOME_FAILED, error);
        return;
    }
    fetch->is_loading = true;
    struct coin_load_order order = {
        .path = path, .may_change = is_mempool_empty, .done = loaded, .arg = fetch};
    if (!block_hash_equal(&fetch->vouch.base, &any))
        order.vouch = &fetch->vouch;
    int code = chain_load_coins(fetch->chain, &order);
    if (code)
        loaded(fetch, code, &(struct coin_load){0});
}

/* -- Orders ------------------------------------------------------------------------------------ */

static const char *start(void *ctx, const struct coin_vouch *vouch)
{
    struct node_fetch *fetch = ctx;
    ASSERT(vouch);
    struct snapshot_wish wish = {
        .path = fetch->path, .base = vouch->base, .fetched = fetched, .arg = fetch};
    if (snapshot_fetch_is_busy(fetch->snapshots) || fetch->is_loading)
        return "Coins are being fetched already";
    if (chain_lacks_past(fetch->chain))
        return "The chain goes on from a set of coins already, whose past is being checked";
    fetch->vouch = *vouch;
    end(fetch, OUTCOME_NONE, NULL);
    snapshot_fetch_begin(fetch->snapshots, fetch->p2p, &wish);
    return NULL;
}

static bool stop(void *ctx)
{
    struct node_fetch *fetch = ctx;
    bool is_busy = snapshot_fetch_is_busy(fetch->snapshots) && !fetch->is_loading;
    if (is_busy)
        snapshot_fetch_stop(fetch->snapshots);
    return is_busy;
}

static void tell(void *ctx, struct rpc_coins_fetch_info *info)
{
    const struct node_fetch *fetch = ctx;
    struct snapshot_progress progress = snapshot_fetch_progress(fetch->snapshots);
    bool is_over = !snapshot_fetch_is_busy(fetch->snapshots);
    *info = (struct rpc_coins_fetch_info){.state = fetch->is_loading ? "loading" : progress.state,
                                          .path = fetch->path,
                                          .base = progress.offer.base,
                                          .n_bytes = progress.offer.n_bytes,
                                          .n_chunks = progress.n_chunks,
                                          .n_have = progress.n_have,
                                          .n_peers = progress.n_peers,
                                          .n_left = progress.n_left};
    if (is_over && fetch->outcome == OUTCOME_LOADED) {
        info->state = "loaded";
        info->base = fetch->loaded;
    } else if (is_over && fetch->outcome == OUTCOME_FAILED) {
        info->state = "failed";
        info->error = fetch->error;
    }
}

struct node_fetch *node_fetch_new(const struct log *log, struct chain *chain,
                                  const struct mempool *mempool, struct p2p *p2p,
                                  const char *data_dir)
{
    ASSERT(chain && p2p && data_dir);
    struct node_fetch *fetch = xcalloc(1, sizeof *fetch);
    *fetch = (struct node_fetch){
        .log = log,
        .chain = chain,
        .mempool = mempool,
        .snapshots = p2p_snapshots(p2p),
        .p2p = p2p,
        .path = xasprintf("%s/" NODE_FETCH_FILE, data_dir),
        .view = {.ctx = fetch, .start = start, .stop = stop, .tell = tell},
    };
    return fetch;
}

void node_fetch_free(struct node_fetch *fetch)
{
    if (!fetch)
        return;
    ASSERT(!fetch->is_loading);
    xfree(fetch->path);
    xfree(fetch->error);
    xfree(fetch);
}

const struct rpc_coins_fetch *node_fetch_view(const struct node_fetch *fetch)
{
    ASSERT(fetch);
    return &fetch->view;
}

void node_fetch_at_start(struct node_fetch *fetch, const struct coin_vouch *vouch)
{
    ASSERT(fetch);
    if (!vouch || chain_lacks_past(fetch->chain))
        return;
    const struct block_node *base = chain_find(fetch->chain, &vouch->base);
    bool is_there = base && base->height <= chain_tip(fetch->chain)->height;
    if (is_there || !chain_is_initial_download(fetch->chain)) {
        log_printf(fetch->log, LOG_ALWAYS, "[snapshot] the chain needs no coins of others");
        return;
    }
    const char *error = start(fetch, vouch);
    ASSERT(!error);
}
