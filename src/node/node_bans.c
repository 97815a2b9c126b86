/* node_bans.c - see node_bans.h. */
#include "node/node_bans.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rpc/json_in.h"
#include "rpc/json_out.h"
#include "util/alloc.h"
#include "util/list.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define FILE_NAME   "banlist.json"
#define LIST_KEY    "banned_nets"
#define BAN_VERSION 1 /* of an entry. Core CBanEntry::CURRENT_VERSION */
#define ARENA_BYTES 4096

/* Who waits for the file to hold what was ordered before. */
struct waiter {
    net_saved_fn *done;
    void *arg;
    struct list_link link;
};

/* The bans themselves are in the mesh's list; here is only how they get to the disk. */
struct node_bans {
    const struct env *env;
    const struct log *log;
    struct p2p *p2p;
    int64_t ban_time_s;
    char *path; /* NULL: nothing is kept */

    /* One write at a time: who comes meanwhile waits for the next. */
    bool is_writing;
    struct list writing, waiting; /* of struct waiter */
    struct env_job job;
    struct buffer bytes; /* the job's while it runs */
    int error;           /* the job's: 0 or a negative errno */
};

static int64_t now_s(const struct node_bans *bans)
{
    return env_unix_s(bans->env);
}

/* -- Reading the file ----------------------------------------------------------------------- */

/* One entry. Returns: false if it is none that we know */
static bool read_entry(const struct json_value *entry, struct ban *out)
{
    const struct json_value *address = json_find(entry, "address");
    int64_t version;
    return json_find(entry, "version") && address && address->kind == JSON_KIND_STRING &&
           json_integer_in(json_find(entry, "version"), BAN_VERSION, BAN_VERSION, &version) &&
           json_find(entry, "ban_created") && json_find(entry, "banned_until") &&
           json_integer_in(json_find(entry, "ban_created"), INT64_MIN, INT64_MAX,
                           &out->created_s) &&
           json_integer_in(json_find(entry, "banned_until"), INT64_MIN, INT64_MAX, &out->until_s) &&
           ban_range_parse((const char *)address->text.p, &out->range);
}

/* Take the entries over; those that have ended are left out. Returns: NULL, or what is wrong */
static const char *take_entries(struct node_bans *bans, struct span text, struct arena *arena)
{
    struct ban_list *list = p2p_bans(bans->p2p);
    struct json_value *root;
    const char *wrong = NULL;
    if (!json_parse(text, arena, &root))
        return "it is not JSON";
    const struct json_value *entries = json_find(root, LIST_KEY);
    if (!entries || entries->kind != JSON_KIND_ARRAY)
        return "it has no list \"" LIST_KEY "\"";
    for (const struct json_value *entry = entries->first; entry; entry = entry->next) {
        struct ban ban = {0};
        if (!read_entry(entry, &ban))
            wrong = "some of its entries cannot be read";
        else if (now_s(bans) < ban.until_s && !ban_list_add(list, &ban))
            wrong = "it has more entries than can be kept";
    }
    return wrong;
}

/* Nothing that the user has ordered is overwritten because we cannot read it. */
static char *put_aside(const struct node_bans *bans, const char *why)
{
    ASSERT(bans->path && why);
    char *aside = xasprintf("%s.bad", bans->path);
    int error = env_rename(bans->env, bans->path, aside);
    char *warning =
        xasprintf("The ban list %s cannot be used as it is: %s. %zu bans hold; %s%s", bans->path,
                  why, p2p_bans(bans->p2p)->n,
                  error ? "it cannot be put aside: " : "it is kept as " FILE_NAME ".bad",
                  error ? strerror(-error) : "");
    xfree(aside);
    return warning;
}

/* Take over what the file says; without a file there are no bans. Returns: NULL, or a warning to
 * xfree() */
static char *load(struct node_bans *bans)
{
    struct buffer bytes;
    struct arena arena;
    const char *wrong = NULL;
    char *warning = NULL;
    buffer_init(&bytes);
    arena_init(&arena, ARENA_BYTES);
    int error = read_file(bans->env, bans->path, BAN_FILE_MAX_BYTES, &bytes);
    if (error)
        wrong = error == -ENOENT ? NULL : strerror(-error);
    else
        wrong = take_entries(bans, buffer_span(&bytes), &arena);
    if (wrong)
        warning = put_aside(bans, wrong);
    arena_deinit(&arena);
    buffer_deinit(&bytes);
    return warning;
}

/* -- Life ----------------------------------------------------------------------------------- */

struct node_bans *node_bans_new(const struct env *env, const struct log *log, struct p2p *p2p,
                                const struct node_bans_options *options, char **warning)
{
    ASSERT(warning);
    ASSERT(env && p2p);
    ASSERT(options->ban_time_s >= 0);
    struct node_bans *bans = xcalloc(1, sizeof *bans);
    *bans = (struct node_bans){
        .env = env,
        .log = log,
        .p2p = p2p,
        .ban_time_s = options->ban_time_s ? options->ban_time_s : BAN_TIME_DEFAULT_S,
        .path = options->data_dir ? xasprintf("%s/" FILE_NAME, options->data_dir) : NULL,
    };
    buffer_init(&bans->bytes);
    log_printf(log, LOG_ALWAYS, "init message: Loading banlist\xe2\x80\xa6");
    *warning = bans->path ? load(bans) : NULL;
    if (p2p_bans(p2p)->n > 0)
        log_printf(log, LOG_ALWAYS, FILE_NAME ": %zu bans hold", p2p_bans(p2p)->n);
    return bans;
}

void node_bans_free(struct node_bans *bans)
{
    if (!bans)
        return;
    ASSERT(!bans->is_writing && bans->writing.count == 0 && bans->waiting.count == 0);
    buffer_deinit(&bans->bytes);
    xfree(bans->path);
    xfree(bans);
}

/* -- Orders --------------------------------------------------------------------------------- */

enum net_result node_bans_add(void *ctx, const char *subnet, int64_t seconds, bool is_absolute)
{
    struct node_bans *bans = ctx;
    ASSERT(bans);
    struct ban_list *list = p2p_bans(bans->p2p);
    struct ban ban = {.created_s = now_s(bans)};
    if (!ban_range_parse(subnet, &ban.range))
        return NET_RESULT_BAD_ADDRESS;
    ban_list_sweep(list, ban.created_s);
    if (ban_list_has_range(list, &ban.range, ban.created_s))
        return NET_RESULT_EXISTS;
    if (is_absolute && seconds < ban.created_s)
        return NET_RESULT_IN_PAST;
    if (seconds <= 0)
        seconds = bans->ban_time_s;
    if (is_absolute)
        ban.until_s = seconds;
    else if (__builtin_add_overflow(ban.created_s, seconds, &ban.until_s))
        ban.until_s = INT64_MAX;
    if (!ban_list_add(list, &ban))
        return NET_RESULT_FULL;
    p2p_disconnect_range(bans->p2p, &ban.range);
    return NET_RESULT_OK;
}

enum net_result node_bans_remove(void *ctx, const char *subnet)
{
    struct node_bans *bans = ctx;
    struct net_range range;
    if (!ban_range_parse(subnet, &range))
        return NET_RESULT_BAD_ADDRESS;
    return ban_list_remove(p2p_bans(bans->p2p), &range) ? NET_RESULT_OK : NET_RESULT_UNKNOWN;
}

void node_bans_clear(void *ctx)
{
    struct node_bans *bans = ctx;
    ban_list_clear(p2p_bans(bans->p2p));
}

void node_bans_each(void *ctx, net_ban_fn *fn, void *arg)
{
    struct node_bans *bans = ctx;
    ASSERT(bans);
    struct ban_list *list = p2p_bans(bans->p2p);
    ban_list_sweep(list, now_s(bans));
    for (size_t i = 0; i < list->n; i++) {
        char text[NET_ADDRESS_TEXT_MAX];
        const struct net_ban ban = {.subnet = ban_range_format(&list->at[i].range, text),
                                    .created_s = list->at[i].created_s,
                                    .until_s = list->at[i].until_s};
        fn(arg, &ban);
    }
}

/* -- Writing the file ----------------------------------------------------------------------- */

static void put_entry(void *arg, const struct net_ban *ban)
{
    struct json_out *out = arg;
    json_open_object(out);
    json_field_int(out, "version", BAN_VERSION);
    json_field_int(out, "ban_created", ban->created_s);
    json_field_int(out, "banned_until", ban->until_s);
    json_field_string(out, "address", ban->subnet);
    json_close_object(out);
}

/* On the loop, all of the list as it is: the job has the bytes alone. */
static void encode(struct node_bans *bans)
{
    bans->bytes.len = 0;
    struct json_out out = json_out_to(&bans->bytes);
    json_open_object(&out);
    json_field_array(&out, LIST_KEY);
    node_bans_each(bans, put_entry, &out);
    json_close_array(&out);
    json_close_object(&out);
    buffer_append_string(&bans->bytes, "\n");
}

static void run_write(struct env_job *job)
{
    ASSERT(CONTAINER_OF(job, struct node_bans, job)->is_writing);
    struct node_bans *bans = CONTAINER_OF(job, struct node_bans, job);
    bans->error = replace_file(bans->env, bans->path, buffer_span(&bans->bytes));
}

static void start_write(struct node_bans *bans);

static void tell(struct list *waiters, int error)
{
    struct waiter *waiter;
    while ((waiter = LIST_POP(struct waiter, waiters, link))) {
        waiter->done(waiter->arg, error);
        xfree(waiter);
    }
}

/* The next write begins before anybody is told: who orders more then waits for the one after. */
static void on_written(struct env_job *job)
{
    struct node_bans *bans = CONTAINER_OF(job, struct node_bans, job);
    struct list told = bans->writing;
    ASSERT(bans->is_writing && told.count > 0);
    int error = job->cancelled ? -ECANCELED : bans->error;
    bans->writing = (struct list){0};
    bans->is_writing = false;
    if (error)
        log_warning(bans->log, "%s cannot be written: %s", bans->path, strerror(-error));
    if (bans->waiting.count > 0)
        start_write(bans);
    tell(&told, error);
}

static void start_write(struct node_bans *bans)
{
    ASSERT(!bans->is_writing && bans->waiting.count > 0 && bans->path);
    bans->is_writing = true;
    bans->writing = bans->waiting;
    bans->waiting = (struct list){0};
    encode(bans);
    bans->job = (struct env_job){.run = run_write, .done = on_written};
    env_job_submit(bans->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &bans->job);
}

void node_bans_save(void *ctx, net_saved_fn *done, void *arg)
{
    struct node_bans *bans = ctx;
    ASSERT(done);
    ASSERT(bans);
    if (!bans->path) {
        done(arg, 0);
        return;
    }
    struct waiter *waiter = xmalloc(sizeof *waiter);
    *waiter = (struct waiter){.done = done, .arg = arg};
    list_add_first(&bans->waiting, &waiter->link);
    if (!bans->is_writing)
        start_write(bans);
}
