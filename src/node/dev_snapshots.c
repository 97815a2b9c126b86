/* dev_snapshots.c - see dev_snapshots.h
 *
 * One thing at a time: while one is made or gone back to, another order is refused. Either waits
 * until the chain rests and the mempool of the run before is there. */
#include "node/dev_snapshots.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mempool/mempool_file.h"
#include "util/array.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define FILE_VERSION 1
#define FILE_BYTES   88
#define SUFFIX       ".mempool"
#define POLL_US      10000    /* until it is looked again whether all is at rest */
#define PATIENCE_US  10000000 /* no longer */

struct snapshot {
    struct rpc_dev_snapshot told;
    int64_t mock_time_s, offset_s; /* of the clock */
    uint64_t number;               /* in the order of their making */
};

struct dev_snapshots {
    const struct log *log;
    struct node_env *node_env;
    char *dir; /* owned */
    size_t txs_max;
    char refusal[100]; /* the last one that has numbers in it */
    void (*keep_clock)(void *ctx);
    void *ctx;
    struct chain *chain;
    struct mempool *mempool;
    ARRAY(struct snapshot) list;
    uint64_t next_number;
    /* What is under way. */
    bool is_busy;
    struct snapshot now;
    void (*act)(struct dev_snapshots *snapshots); /* as soon as all is at rest */
    int64_t give_up_us;
    rpc_dev_fn *done;
    void *arg;
};

static const struct env *env_of(const struct dev_snapshots *snapshots)
{
    return node_env_env(snapshots->node_env);
}

static char *path_of(const struct dev_snapshots *snapshots, const char *name, const char *suffix)
{
    return xasprintf("%s/%s%s", snapshots->dir, name, suffix);
}

/* -- Files ------------------------------------------------------------------------------------ */

static int write_snapshot(const struct dev_snapshots *snapshots, const struct snapshot *s)
{
    uint8_t bytes[FILE_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, FILE_VERSION);
    write_bytes(&w, s->told.moment.tip.b, 32);
    write_u32(&w, (uint32_t)s->told.moment.file);
    write_u32(&w, s->told.moment.offset);
    write_u32(&w, (uint32_t)s->told.height);
    write_u64(&w, (uint64_t)s->told.time_s);
    write_u64(&w, s->told.n_txs);
    write_u64(&w, (uint64_t)s->mock_time_s);
    write_u64(&w, (uint64_t)s->offset_s);
    write_u64(&w, s->number);
    ASSERT(w.len == sizeof bytes);
    char *path = path_of(snapshots, s->told.name, "");
    int error = replace_file(env_of(snapshots), path, span_of(bytes, sizeof bytes));
    xfree(path);
    return error;
}

static bool parse_snapshot(const struct node_env *node_env, struct span bytes, struct snapshot *s)
{
    struct reader r = reader_of(bytes);
    if (read_u32(&r) != FILE_VERSION)
        return false;
    struct span tip = read_span(&r, 32);
    if (!r.failed)
        memcpy(s->told.moment.tip.b, tip.p, 32);
    s->told.moment.file = (int32_t)read_u32(&r);
    s->told.moment.offset = read_u32(&r);
    s->told.height = (int32_t)read_u32(&r);
    s->told.time_s = (int64_t)read_u64(&r);
    s->told.n_txs = read_u64(&r);
    s->mock_time_s = (int64_t)read_u64(&r);
    s->offset_s = (int64_t)read_u64(&r);
    s->number = read_u64(&r);
    return reader_finish(&r) && s->told.height >= 0 && s->mock_time_s >= 0 &&
           s->mock_time_s <= UINT32_MAX && node_env_may_offset(node_env, s->offset_s);
}

static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-";
    size_t len = strlen(name);
    return len > 0 && len <= RPC_DEV_NAME_MAX && strspn(name, allowed) == len;
}

static void insert(struct dev_snapshots *snapshots, const struct snapshot *s)
{
    size_t at = snapshots->list.n;
    *ARRAY_ADD(&snapshots->list) = *s;
    for (; at > 0 && snapshots->list.at[at - 1].number > s->number; at--)
        snapshots->list.at[at] = snapshots->list.at[at - 1];
    snapshots->list.at[at] = *s;
    snapshots->next_number = MAX_OF(snapshots->next_number, s->number + 1);
}

static void read_snapshot(void *arg, const char *name)
{
    struct dev_snapshots *snapshots = arg;
    struct buffer text;
    struct snapshot s = {0};
    if (!is_name(name) || snapshots->list.n == DEV_SNAPSHOTS_MAX)
        return; /* a file of the mempool, or what was cut short */
    char *path = path_of(snapshots, name, "");
    buffer_init(&text);
    int error = read_file(env_of(snapshots), path, FILE_BYTES, &text);
    snprintf(s.told.name, sizeof s.told.name, "%s", name);
    if (!error && parse_snapshot(snapshots->node_env, buffer_span(&text), &s))
        insert(snapshots, &s);
    else
        log_warning(snapshots->log, "The snapshot %s cannot be read", path);
    buffer_deinit(&text);
    xfree(path);
}

/* What makes it count goes first. */
static int forget(struct dev_snapshots *snapshots, size_t i)
{
    char *path = path_of(snapshots, snapshots->list.at[i].told.name, "");
    char *mempool = path_of(snapshots, snapshots->list.at[i].told.name, SUFFIX);
    int error = env_remove(env_of(snapshots), path);
    if (!error || error == -ENOENT) {
        (void)env_remove(env_of(snapshots), mempool);
        ARRAY_REMOVE(&snapshots->list, i);
        error = 0;
    }
    xfree(path);
    xfree(mempool);
    return error;
}

/* -- Orders ----------------------------------------------------------------------------------- */

static size_t find(const struct dev_snapshots *snapshots, const char *name)
{
    size_t i = 0;
    while (i < snapshots->list.n && strcmp(snapshots->list.at[i].told.name, name) != 0)
        i++;
    return i;
}

static void end_order(struct dev_snapshots *snapshots, const char *error)
{
    snapshots->is_busy = false;
    snapshots->done(snapshots->arg, &snapshots->now.told, error, true);
}

/* Why it never comes to rest by itself. NULL: it may. */
static const char *why_no_rest(const struct dev_snapshots *snapshots)
{
    if (chain_is_closing(snapshots->chain))
        return "The node is being stopped";
    if (chain_awaits_clock(snapshots->chain))
        return "Blocks in the files are from the future: settime to their time first";
    if (env_now_us(env_of(snapshots)) >= snapshots->give_up_us)
        return "Blocks or the mempool are still being loaded";
    return NULL;
}

/* What is on its way would be in none of the snapshot, or come behind the revert. */
static void act_at_rest(void *arg)
{
    struct dev_snapshots *snapshots = arg;
    const char *error = why_no_rest(snapshots);
    if (error)
        end_order(snapshots, error);
    else if (chain_is_at_rest(snapshots->chain) && !mempool_file_is_expected(snapshots->mempool))
        snapshots->act(snapshots);
    else
        (void)env_timer_start(env_of(snapshots), POLL_US, act_at_rest, snapshots);
}

/* now is set. A stop waits for the answer. */
static void begin_order(struct dev_snapshots *snapshots, void (*act)(struct dev_snapshots *),
                        rpc_dev_fn *done, void *arg)
{
    ASSERT(!snapshots->is_busy);
    snapshots->is_busy = true;
    snapshots->act = act;
    snapshots->give_up_us = env_now_us(env_of(snapshots)) + PATIENCE_US;
    snapshots->done = done;
    snapshots->arg = arg;
    act_at_rest(snapshots);
}

/* -- Making ----------------------------------------------------------------------------------- */

static void on_saved(void *arg, int error)
{
    struct dev_snapshots *snapshots = arg;
    if (!error)
        error = write_snapshot(snapshots, &snapshots->now);
    if (!error)
        insert(snapshots, &snapshots->now);
    end_order(snapshots, error ? strerror(-error) : NULL);
}

/* The next number that is free. */
static void choose_name(const struct dev_snapshots *snapshots, const char *name, struct snapshot *s)
{
    uint64_t number = snapshots->next_number;
    snprintf(s->told.name, sizeof s->told.name, "%s", name);
    while (*name == '\0') {
        snprintf(s->told.name, sizeof s->told.name, "%llu", (unsigned long long)number++);
        if (find(snapshots, s->told.name) == snapshots->list.n)
            return;
    }
}

/* What is too many, and how many there may be. */
static PRINTF(2, 3) const char *refuse(struct dev_snapshots *snapshots, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(snapshots->refusal, sizeof snapshots->refusal, format, args);
    va_end(args);
    return snapshots->refusal;
}

static const char *why_not(struct dev_snapshots *snapshots, const char *name)
{
    if (snapshots->is_busy)
        return "A snapshot is being made or gone back to";
    if (*name && !is_name(name))
        return "The name of a snapshot has 1 to 64 letters, digits, _ and -";
    if (find(snapshots, name) < snapshots->list.n)
        return "There is a snapshot of that name: dropsnapshot forgets it";
    if (snapshots->list.n >= DEV_SNAPSHOTS_MAX)
        return refuse(snapshots, "There are %d snapshots: dropsnapshot forgets one",
                      DEV_SNAPSHOTS_MAX);
    if (mempool_count(snapshots->mempool) > snapshots->txs_max)
        return refuse(snapshots,
                      "The mempool has %zu transactions, and a snapshot can keep %zu at most",
                      mempool_count(snapshots->mempool), snapshots->txs_max);
    return NULL;
}

static void save(struct dev_snapshots *snapshots)
{
    const struct node_env *node_env = snapshots->node_env;
    struct snapshot *s = &snapshots->now;
    s->told.moment = chain_now(snapshots->chain);
    s->told.height = chain_tip(snapshots->chain)->height;
    s->told.time_s = env_unix_s(env_of(snapshots));
    s->told.n_txs = mempool_count(snapshots->mempool);
    s->mock_time_s = node_env_mock_time_s(node_env);
    s->offset_s = node_env_offset_s(node_env);
    char *path = path_of(snapshots, s->told.name, SUFFIX);
    mempool_file_save(snapshots->mempool, path, on_saved, snapshots); /* syncs the blocks first */
    xfree(path);
}

void dev_snapshots_make(void *ctx, const char *name, rpc_dev_fn *done, void *arg)
{
    struct dev_snapshots *snapshots = ctx;
    const char *error = why_not(snapshots, name);
    ASSERT(snapshots->chain && done);
    int code = error ? 0 : env_make_dir(env_of(snapshots), snapshots->dir);
    if (error || code) {
        done(arg, NULL, error ? error : strerror(-code), !error);
        return;
    }
    snapshots->now = (struct snapshot){.number = snapshots->next_number};
    choose_name(snapshots, name, &snapshots->now);
    begin_order(snapshots, save, done, arg);
}

/* -- Going back ------------------------------------------------------------------------------- */

/* Later snapshots whose tip is gone could never be had again. */
static void forget_lost(struct dev_snapshots *snapshots)
{
    for (size_t i = snapshots->list.n; i-- > 0;)
        if (!chain_find(snapshots->chain, &snapshots->list.at[i].told.moment.tip) &&
            forget(snapshots, i))
            log_warning(snapshots->log, "A snapshot cannot be removed");
}

static void on_loaded(void *arg, const struct mempool_load *load)
{
    struct dev_snapshots *snapshots = arg;
    forget_lost(snapshots);
    end_order(snapshots, load->error ? "The chain is back, but not the mempool: its file cannot be "
                                       "read"
                                     : NULL);
}

static void on_rewound(void *arg, const struct verdict *verdict)
{
    static const struct mempool_load_options all_of_it = {.was_here = true};
    struct dev_snapshots *snapshots = arg;
    const struct snapshot *s = &snapshots->now;
    char reason[VERDICT_REASON_BYTES];
    if (verdict->code != REJECT_NONE) {
        end_order(snapshots, *verdict->detail ? verdict->detail : verdict_reason(verdict, reason));
        return;
    }
    mempool_empty(snapshots->mempool);
    bool is_kept = node_env_offset_s(snapshots->node_env) == s->offset_s;
    node_env_set_offset(snapshots->node_env, s->offset_s);
    if (s->mock_time_s)
        node_env_set_mock_time(snapshots->node_env, s->mock_time_s);
    if (!is_kept)
        snapshots->keep_clock(snapshots->ctx);
    char *path = path_of(snapshots, s->told.name, SUFFIX);
    mempool_file_load(snapshots->mempool, path, &all_of_it, on_loaded, snapshots);
    xfree(path);
}

static void go_back(struct dev_snapshots *snapshots)
{
    chain_rewind(snapshots->chain, &snapshots->now.told.moment, on_rewound, snapshots);
}

void dev_snapshots_revert(void *ctx, const char *name, rpc_dev_fn *done, void *arg)
{
    struct dev_snapshots *snapshots = ctx;
    size_t i = find(snapshots, name);
    ASSERT(snapshots->chain && done);
    if (snapshots->is_busy || i == snapshots->list.n) {
        done(arg, NULL,
             snapshots->is_busy ? "A snapshot is being made or gone back to"
                                : "There is no snapshot of that name",
             false);
        return;
    }
    snapshots->now = snapshots->list.at[i];
    begin_order(snapshots, go_back, done, arg);
}

void dev_snapshots_drop(void *ctx, const char *name, rpc_dev_fn *done, void *arg)
{
    struct dev_snapshots *snapshots = ctx;
    size_t i = find(snapshots, name);
    bool is_there = i < snapshots->list.n && !snapshots->is_busy;
    struct rpc_dev_snapshot told = {.name = ""};
    if (is_there)
        told = snapshots->list.at[i].told;
    int error = is_there ? forget(snapshots, i) : 0;
    done(arg, &told,
         error                ? strerror(-error)
         : is_there           ? NULL
         : snapshots->is_busy ? "A snapshot is being made or gone back to"
                              : "There is no snapshot of that name",
         error != 0);
}

const struct rpc_dev_snapshot *dev_snapshots_at(void *ctx, size_t index)
{
    const struct dev_snapshots *snapshots = ctx;
    return index < snapshots->list.n ? &snapshots->list.at[index].told : NULL;
}

/* -- Making and freeing ----------------------------------------------------------------------- */

struct dev_snapshots *dev_snapshots_new(const struct log *log, struct node_env *node_env,
                                        const char *data_dir, size_t txs_max,
                                        void (*keep_clock)(void *ctx), void *ctx)
{
    ASSERT(node_env && data_dir && txs_max > 0 && keep_clock);
    struct dev_snapshots *snapshots = xcalloc(1, sizeof *snapshots);
    snapshots->log = log;
    snapshots->node_env = node_env;
    snapshots->dir = xasprintf("%s/dev_snapshots", data_dir);
    snapshots->txs_max = txs_max;
    snapshots->next_number = 1;
    snapshots->keep_clock = keep_clock;
    snapshots->ctx = ctx;
    return snapshots;
}

void dev_snapshots_open(struct dev_snapshots *snapshots, struct chain *chain,
                        struct mempool *mempool)
{
    ASSERT(chain && mempool && !snapshots->chain);
    snapshots->chain = chain;
    snapshots->mempool = mempool;
    (void)env_list(env_of(snapshots), snapshots->dir, read_snapshot, snapshots);
}

void dev_snapshots_free(struct dev_snapshots *snapshots)
{
    if (!snapshots)
        return;
    ASSERT(!snapshots->is_busy);
    ARRAY_FREE(&snapshots->list);
    xfree(snapshots->dir);
    xfree(snapshots);
}
