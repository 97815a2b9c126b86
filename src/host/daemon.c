/* daemon.c - see daemon.h */
#include "host/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/chain_record.h"
#include "host/config.h"
#include "host/cookie.h"
#include "host/datadir_lock.h"
#include "host/descriptors.h"
#include "host/env_host.h"
#include "host/files.h"
#include "host/log_file.h"
#include "host/loop.h"
#include "host/notify.h"
#include "host/reload.h"
#include "host/rpc_server.h"
#include "host/watchdog.h"
#include "host/zmq_sockets.h"
#include "node/node.h"
#include "util/alloc.h"
#include "util/options_help.h"
#include "util/version.h"

#define DESCRIPTORS_MAX  8192
#define LAST_ANSWERS_US  1000000  /* for clients to take their answers at the end */
#define LAST_COMMANDS_US 10000000 /* for -shutdownnotify to end */
#define LAST_POLL_US     5000
#define SIGNALS_WATCHED  3
#define LIVES_MAX        3 /* damage again and again is a failing disk */

struct daemon {
    struct config config;
    struct datadir_lock data_lock, blocks_lock;
    int parent_pipe;      /* -daemon: where the parent waits for our word; else -1 */
    bool is_another_life; /* in the place of one that met damage, in the background if wanted */
    bool can_be_mended;   /* what stopped it is made good by another life */
    struct log_file *log_file;
    struct env_host *env_host;
    struct loop *loop;
    struct notify *notify;
    struct watchdog *watchdog; /* NULL: nobody watches */
    char *cookie;
    struct node *node;
    struct reload reload;
    struct rpc_server *rpc_server;
    struct zmq_sockets *zmq; /* with -zmqpub*, as feed is */
    struct zmq_feed *feed;
    struct loop_signal *signals[SIGNALS_WATCHED];
    bool shows_progress; /* standard output is a terminal that nothing else writes to */
    bool progress_shown;
    bool has_pid_file;
    int64_t end_us; /* when the last answers and commands have had their time */
    char *error;    /* why it ends, or NULL */
};

/* -- Talking to the user -------------------------------------------------------------------- */

static struct log *log_of(struct daemon *daemon)
{
    return daemon->log_file ? log_file_log(daemon->log_file) : NULL;
}

/* A line on the terminal, after the progress that stands there; not where output is collected. */
static void say(struct daemon *daemon, const char *line)
{
    if (!daemon->shows_progress)
        return;
    printf("%s%s\n", daemon->progress_shown ? "\r\x1b[K" : "", line);
    fflush(stdout);
    daemon->progress_shown = false;
}

static void on_progress(void *ctx, const char *line)
{
    struct daemon *daemon = ctx;
    if (!daemon->shows_progress)
        return;
    if (*line) {
        printf("\r\x1b[K%s", line);
        daemon->progress_shown = true;
    } else if (daemon->progress_shown) {
        /* The last line stays, as a record. */
        printf("\n");
        daemon->progress_shown = false;
    }
    fflush(stdout);
}

static void on_warning(void *ctx, const char *line)
{
    struct daemon *daemon = ctx;
    if (daemon->progress_shown)
        say(daemon, "");
    fprintf(stderr, "Warning: %s\n", line);
}

static void print_error(const struct daemon *daemon, bool is_mended)
{
    ASSERT(daemon->error);
    bool is_question = strstr(daemon->error, "\n" CHAIN_REBUILD_ADVICE) != NULL;
    fprintf(stderr, "%s%s%s%s\n", daemon->progress_shown ? "\n" : "",
            is_mended     ? "Warning: "
            : is_question ? ""
                          : "Error: ",
            daemon->error, is_mended ? ". Starting again to make that good" : "");
}

static void print_help(const struct options *options, bool with_debug)
{
    struct buffer text;
    buffer_init(&text);
    options_help(options, with_debug, &text);
    printf(CAIRN_NAME " version v" CAIRN_VERSION "\n\n"
                      "Usage:  cairnd [options]                     Start " CAIRN_NAME "\n\n");
    fwrite(text.p, 1, text.len, stdout);
    buffer_deinit(&text);
}

static void print_version(void)
{
    printf(CAIRN_NAME " version v" CAIRN_VERSION "\n"
                      "A full node for Bitcoin. MIT licence: free to use, without any warranty.\n");
}

/* -- Events --------------------------------------------------------------------------------- */

static void notify_option(struct daemon *daemon, const char *name, const char *text, bool quoted)
{
    ASSERT(daemon->notify && text);
    const char *command = options_get_string(&daemon->config.options, name, "");
    if (*command)
        notify_run(daemon->notify, command, text, quoted);
}

/* Tell the parent that waits how the start went, once: 0, or the exit status. */
static void tell_parent(struct daemon *daemon, unsigned char status)
{
    if (daemon->parent_pipe < 0)
        return;
    ssize_t n = write(daemon->parent_pipe, &status, 1);
    (void)n; /* the parent may be gone: then nobody wants to know */
    close(daemon->parent_pipe);
    daemon->parent_pipe = -1;
}

static void leave_terminal(struct daemon *daemon)
{
    if (daemon->parent_pipe < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDERR_FILENO);
        close(null);
    }
    tell_parent(daemon, 0);
}

/* For who starts a node to develop against, and in the log. */
static void tell_dev_keys(struct daemon *daemon)
{
    const struct dev_keys *keys = daemon->config.dev.keys;
    for (size_t i = 0; keys && i < DEV_KEYS; i++) {
        const struct dev_key *key = &keys->at[i];
        char *line = xasprintf("-dev: %s %s %s", key->path, key->address, key->wif);
        log_printf(log_of(daemon), LOG_ALWAYS, "%s", line);
        say(daemon, line);
        xfree(line);
    }
}

static void on_started(struct daemon *daemon)
{
    const struct config *config = &daemon->config;
    ASSERT(config->n_rpc_binds > 0);
    log_printf(log_of(daemon), LOG_ALWAYS, "init message: Done loading");
    notify_systemd("READY=1");
    leave_terminal(daemon);
    char *line =
        xasprintf(CAIRN_NAME " v" CAIRN_VERSION " on chain %s: data in %s, RPC on port %u",
                  config->network.name, config->data_dir, (unsigned)config->rpc_binds[0].port);
    say(daemon, line);
    xfree(line);
    tell_dev_keys(daemon);
    notify_option(daemon, "startupnotify", "", false);
}

static void on_notice(void *ctx, enum node_notice notice, const char *text)
{
    struct daemon *daemon = ctx;
    const char *command;
    switch (notice) {
    case NODE_NOTICE_STARTED:
        on_started(daemon);
        break;
    case NODE_NOTICE_STOPPING:
        for (size_t i = 0;
             (command = options_get_list(&daemon->config.options, "shutdownnotify", i)); i++)
            notify_run(daemon->notify, command, "", false);
        break;
    case NODE_NOTICE_BLOCK:
        notify_option(daemon, "blocknotify", text, false);
        break;
    case NODE_NOTICE_ALERT:
        notify_option(daemon, "alertnotify", text, true);
        break;
    }
}

static void on_news(void *ctx, const struct node_news *news)
{
    const struct daemon *daemon = ctx;
    if (daemon->feed)
        zmq_feed_tell(daemon->feed, news);
}

static void on_stopping(void *ctx)
{
    struct daemon *daemon = ctx;
    log_printf(log_of(daemon), LOG_ALWAYS, "Shutdown in progress...");
    say(daemon, "Stopping ...");
    notify_systemd("STOPPING=1");
    if (daemon->rpc_server)
        rpc_server_stop(daemon->rpc_server);
}

/* Everything is closed but the last answers, to "stop" for example, and the last commands. */
static void end_when_idle(void *arg)
{
    struct daemon *daemon = arg;
    int64_t now_us = loop_now_us();
    bool is_idle = !daemon->rpc_server || rpc_server_is_idle(daemon->rpc_server);
    bool answers_done = is_idle || now_us >= daemon->end_us;
    bool commands_done = notify_pending(daemon->notify) == 0 ||
                         now_us >= daemon->end_us + LAST_COMMANDS_US - LAST_ANSWERS_US;
    if (answers_done && commands_done)
        loop_stop(daemon->loop);
    else
        loop_timer_start(daemon->loop, LAST_POLL_US, end_when_idle, daemon);
}

static void on_stopped(void *ctx, const char *error)
{
    struct daemon *daemon = ctx;
    ASSERT(daemon->node && daemon->end_us == 0);
    if (error && !daemon->error)
        daemon->error = xstrdup(error);
    daemon->can_be_mended = error && node_can_be_mended(daemon->node);
    daemon->end_us = loop_now_us() + LAST_ANSWERS_US;
    end_when_idle(daemon);
}

static void on_stop_signal(void *arg)
{
    struct daemon *daemon = arg;
    node_stop(daemon->node);
}

static void on_reload_signal(void *arg)
{
    struct daemon *daemon = arg;
    log_file_reopen(daemon->log_file);
    reload_options(&daemon->reload);
}

/* -- Going to the background ---------------------------------------------------------------- */

static void detach(void)
{
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    close(null);
}

/* Fork. In the parent: exits, at once or when the child has started. In the child: returns true.
 * The lock is on the open file, which both share: it stays with the child. */
static bool go_to_background(struct daemon *daemon, char **error)
{
    ASSERT(daemon->parent_pipe < 0);
    int ends[2];
    printf(CAIRN_NAME " starting\n");
    fflush(stdout);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail_with(error, "Cannot go to the background: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0) {
        *error = xasprintf("Cannot go to the background: %s", strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    if (child > 0) {
        unsigned char status = 0;
        close(ends[1]);
        /* No word at all: the child is dead. */
        if (daemon->config.daemon_wait && read(ends[0], &status, 1) != 1)
            status = 1;
        _exit(status);
    }
    close(ends[0]);
    daemon->parent_pipe = ends[1];
    /* Standard error stays until the start is over: that is where errors are told. */
    detach();
    return true;
}

/* -- Start, step by step: each returns false with *error ------------------------------------- */

static bool open_log(struct daemon *daemon, char **error)
{
    ASSERT(!daemon->log_file);
    const struct config *config = &daemon->config;
    const struct options *options = &config->options;
    const struct log_file_options log_options = {
        .path = config->log_path,
        .to_console = config->print_to_console,
        .timestamps = options_get_bool(options, "logtimestamps", true),
        .time_micros = options_get_bool(options, "logtimemicros", false),
        .as_json = options_get_bool(options, "logjson", false),
        .limit_rate = options_get_bool(options, "logratelimit", true),
        .shrink = options_get_bool(options, "shrinkdebugfile", config->log_categories == 0),
        .categories = config->log_categories,
    };
    daemon->log_file = log_file_open(&log_options, error);
    return daemon->log_file != NULL;
}

/* Who looks for why a node does not start may look into its log: if the options have got as far as
 * to say where that is, and no other node writes there. */
static void log_refusal(struct daemon *daemon)
{
    const struct config *config = &daemon->config;
    char *error = NULL;
    ASSERT(daemon->error);
    if (config->log_path && datadir_lock(&daemon->data_lock, config->data_dir, &error) &&
        open_log(daemon, &error)) {
        log_error(log_of(daemon), "%s", daemon->error);
        log_file_close(daemon->log_file);
    }
    datadir_unlock(&daemon->data_lock);
    xfree(error);
}

static void log_option(void *ctx, const char *text)
{
    log_printf(ctx, LOG_ALWAYS, "%s", text);
}

static void log_start(struct daemon *daemon)
{
    struct config *config = &daemon->config;
    struct log *log = log_of(daemon);
    log_printf(log, LOG_ALWAYS, CAIRN_NAME " version v" CAIRN_VERSION);
    log_printf(log, LOG_ALWAYS, "chain %s, data directory %s, %d compute threads",
               config->network.name, config->data_dir, config->compute_threads);
    options_describe(&config->options, log_option, log);
    config_settings_describe(&config->settings, &config->options, log_option, log);
    for (size_t i = 0; i < config->options.messages.n; i++) {
        const struct option_message *message = &config->options.messages.at[i];
        log_warning(log, "%s", message->text);
        if (message->kind != OPTION_MESSAGE_LOGGED)
            fprintf(stderr, "%s: %s\n",
                    message->kind == OPTION_MESSAGE_READ ? "warning" : "Warning", message->text);
    }
}

static bool make_world(struct daemon *daemon, char **error)
{
    ASSERT(!daemon->env_host && !daemon->notify);
    daemon->env_host = env_host_new(daemon->config.compute_threads);
    if (daemon->env_host)
        daemon->loop = env_host_loop(daemon->env_host);
    if (daemon->env_host)
        daemon->notify = notify_new(daemon->loop, log_of(daemon));
    if (!daemon->notify)
        return fail_with(error, "Cannot get the file descriptors that the event loop needs");
    daemon->watchdog = watchdog_new(daemon->loop);
    return true;
}

/* What keeps the RPC server from its start is told by the log, and by Core's sentence, which tools
 * look for. Returns: false */
static bool fail_server(struct daemon *daemon, char **error)
{
    log_error(log_of(daemon), "%s", *error);
    xfree(*error);
    return fail_with(error, "Unable to start HTTP server. See debug log for details.");
}

/* Built without libzmq the node runs all the same: who asks for publishers is told. */
static bool publish(struct daemon *daemon, char **error)
{
    ASSERT(!daemon->zmq && !daemon->feed);
    const struct config_zmq *zmq = &daemon->config.zmq;
    if (zmq->publishers.n == 0)
        return true;
    if (!zmq_sockets_are_built()) {
        log_warning(log_of(daemon), "Built without libzmq: -zmqpub* does nothing");
        return true;
    }
    daemon->zmq = zmq_sockets_open(zmq->publishers.at, zmq->publishers.n, log_of(daemon), error);
    if (!daemon->zmq) {
        log_error(log_of(daemon), "%s", *error);
        xfree(*error);
        return fail_with(error, "Initializing ZMQ interface failed.");
    }
    const struct zmq_sink sink = zmq_sockets_sink(daemon->zmq);
    daemon->feed = zmq_feed_new(zmq->publishers.at, zmq->publishers.n, &sink);
    return true;
}

static bool make_node(struct daemon *daemon, char **error)
{
    ASSERT(daemon->env_host && !daemon->node);
    const struct config *config = &daemon->config;
    const struct env *env = env_host_env(daemon->env_host);
    if (config->server && config->cookie_path) {
        daemon->cookie = cookie_create(env, config->cookie_path, config->cookie_mode, error);
        if (!daemon->cookie)
            return fail_server(daemon, error);
    }
    struct node_options options = {
        .network = &config->network,
        .chain = config->chain,
        .mempool = config->net.mempool,
        .block = config->net.block,
        .miner = config->dev.miner,
        .dev_keys = config->dev.keys,
        .repair = config->repair,
        .accepts_stale_fees = config->net.accepts_stale_fees,
        .fetch_coins = config->net.fetches_coins ? &config->net.fetch_coins : NULL,
        .fallback_sat_per_kvb = config->net.fallback_sat_per_kvb,
        .persist_mempool = options_get_bool(&config->options, "persistmempool", true),
        .keeps_history = options_get_bool(&config->options, "chainhistory", true),
        .p2p = config->net.p2p,
        .ban_time_s = config->net.ban_time_s,
        .auth = reload_auth(config, daemon->cookie),
        .load_blocks = config->load_blocks.at,
        .n_load_blocks = config->load_blocks.n,
        .stop_at_height = config->stop_at_height,
        .mock_time_s = config->mock_time_s,
        .shows_status = daemon->shows_progress,
        .publishers = config->zmq.publishers.at,
        .n_publishers = daemon->feed ? config->zmq.publishers.n : 0,
        .warnings = config->warnings.at,
        .n_warnings = config->warnings.n,
    };
    options.miner.block = config->net.block;
    options.chain.data_dir = config->data_dir;
    options.chain.blocks_dir = config->blocks_dir;
    const struct node_events events = {
        .ctx = daemon,
        .notice = on_notice,
        .news = on_news,
        .progress = on_progress,
        .warning = on_warning,
        .stopping = on_stopping,
        .stopped = on_stopped,
    };
    daemon->node = node_new(env, log_of(daemon), &options, &events, error);
    daemon->reload.first = config;
    daemon->reload.cookie = daemon->cookie;
    daemon->reload.log = log_of(daemon);
    daemon->reload.node = daemon->node;
    return daemon->node || fail_server(daemon, error); /* -rpcauth is all that can be wrong */
}

static bool watch_signals(struct daemon *daemon, char **error)
{
    static const struct {
        int number;
        env_timer_fn *fn;
    } watched[SIGNALS_WATCHED] = {
        {SIGINT, on_stop_signal}, {SIGTERM, on_stop_signal}, {SIGHUP, on_reload_signal}};
    loop_ignore_signals();
    for (size_t i = 0; i < SIGNALS_WATCHED; i++) {
        daemon->signals[i] =
            loop_signal_new(daemon->loop, watched[i].number, watched[i].fn, daemon);
        if (!daemon->signals[i])
            return fail_with(error, "Cannot watch for signals");
    }
    return true;
}

static bool serve(struct daemon *daemon, char **error)
{
    ASSERT(daemon->node && !daemon->rpc_server);
    if (!daemon->config.server)
        return true;
    daemon->rpc_server =
        rpc_server_new(daemon->loop, env_host_env(daemon->env_host), node_rpc(daemon->node),
                       &daemon->config, log_of(daemon), error);
    return daemon->rpc_server || fail_server(daemon, error);
}

static bool write_pid(struct daemon *daemon, char **error)
{
    ASSERT(!daemon->has_pid_file);
    const char *path = daemon->config.pid_path;
    if (options_is_negated(&daemon->config.options, "pid"))
        return true;
    int rc = pid_file_write(path);
    if (rc != 0)
        return fail_with(error, "Unable to create the PID file '%s': %s", path, strerror(-rc));
    daemon->has_pid_file = true;
    return true;
}

/* On the loop, so that the sockets are served as soon as the chain is open. */
static void start_node(void *arg)
{
    struct daemon *daemon = arg;
    if (!node_start(daemon->node, &daemon->error)) {
        log_error(log_of(daemon), "%s", daemon->error);
        loop_stop(daemon->loop);
        return;
    }
}

/* Descriptors that the process may have from now on. */
static size_t raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return DESCRIPTORS_MAX; /* never seen: then the default of every system */
    if (limit.rlim_cur < DESCRIPTORS_MAX) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return DESCRIPTORS_LEAST;
    }
    return limit.rlim_cur < SIZE_MAX ? (size_t)limit.rlim_cur : SIZE_MAX;
}

/* Fit the options to the descriptors that there are. Returns: false with *error. */
static bool share_descriptors(struct daemon *daemon, char **error)
{
    struct config *config = &daemon->config;
    struct descriptors share;
    size_t limit = raise_descriptors();
    if (!descriptors_share(limit, config->net.p2p.max_connections, &share))
        return fail_with(error,
                         "Not enough file descriptors available. %zu available, %d required: see "
                         "ulimit -n.",
                         limit, DESCRIPTORS_LEAST);
    if (share.p2p < config->net.p2p.max_connections)
        options_message(&config->options, OPTION_MESSAGE_TOLD,
                        "Reducing -maxconnections from %d to %d, because of system limitations.",
                        config->net.p2p.max_connections, share.p2p);
    if (share.rpc < DESCRIPTORS_RPC_MAX)
        options_message(&config->options, OPTION_MESSAGE_LOGGED,
                        "RPC takes %zu connections at most, because of system limitations.",
                        share.rpc);
    config->net.p2p.max_connections = share.p2p;
    if (share.p2p == 0) {
        config->net.p2p.connect_only = true;
        config->net.p2p.dns_seed = false;
    }
    config->rpc_connections_max = share.rpc < DESCRIPTORS_RPC_MAX ? share.rpc : 0;
    return true;
}

static void tune_process(void)
{
    /* Everything a node writes is its owner's business. */
    umask(077);
    /* glibc would give every thread a heap of its own that never shrinks. */
    mallopt(M_ARENA_MAX, 4);
}

/* The folder of the blocks may be another one's too: by -blocksdir, or by a link. Where there is
 * none, and none can be made, the chain will tell why. */
static bool lock_blocks(struct daemon *daemon, char **error)
{
    const struct config *config = &daemon->config;
    ASSERT(config->data_dir);
    char *dir = xasprintf("%s/blocks", config->blocks_dir ? config->blocks_dir : config->data_dir);
    bool ok = files_make_dir(NULL, dir) != 0 || datadir_lock(&daemon->blocks_lock, dir, error);
    xfree(dir);
    return ok;
}

static bool start(struct daemon *daemon, char **error)
{
    const struct config *config = &daemon->config;
    if (!share_descriptors(daemon, error))
        return false;
    if (!datadir_lock(&daemon->data_lock, config->data_dir, error))
        return false;
    if (!lock_blocks(daemon, error))
        return false;
    if (config->daemon && !daemon->is_another_life && !go_to_background(daemon, error))
        return false;
    daemon->shows_progress = !config->daemon && !config->print_to_console && isatty(STDOUT_FILENO);
    if (!open_log(daemon, error) || !make_world(daemon, error))
        return false;
    log_start(daemon);
    if (!chain_record_check(&config->network, env_host_env(daemon->env_host), config->data_dir,
                            error))
        return false;
    if (!config_settings_write(&config->settings, env_host_env(daemon->env_host), error))
        return false;
    return write_pid(daemon, error) && watch_signals(daemon, error) && publish(daemon, error) &&
           make_node(daemon, error) && serve(daemon, error);
}

/* -- End ------------------------------------------------------------------------------------ */

static void close_all(struct daemon *daemon)
{
    rpc_server_free(daemon->rpc_server);
    /* Jobs that are left end before what they belong to. */
    if (daemon->env_host)
        env_host_stop_jobs(daemon->env_host);
    node_free(daemon->node);
    zmq_feed_free(daemon->feed);
    zmq_sockets_close(daemon->zmq);
    for (size_t i = 0; i < SIGNALS_WATCHED; i++)
        loop_signal_free(daemon->signals[i]);
    watchdog_free(daemon->watchdog);
    notify_free(daemon->notify);
    env_host_free(daemon->env_host);
    if (daemon->cookie)
        cookie_remove(daemon->config.cookie_path, daemon->cookie);
    cookie_free(daemon->cookie);
    if (daemon->has_pid_file)
        pid_file_remove(daemon->config.pid_path);
    log_printf(log_of(daemon), LOG_ALWAYS, "Shutdown done");
    log_file_close(daemon->log_file);
    datadir_unlock(&daemon->blocks_lock);
    datadir_unlock(&daemon->data_lock);
}

static void run(struct daemon *daemon)
{
    if (!start(daemon, &daemon->error)) {
        log_error(log_of(daemon), "%s", daemon->error);
        return;
    }
    loop_timer_start(daemon->loop, 0, start_node, daemon);
    loop_run(daemon->loop);
}

/* What passes from one life of the program to the next. */
struct lives {
    int n; /* so far */
    int parent_pipe;
    bool wants_another;
};

static int live(struct lives *lives, int argc, char **argv)
{
    ASSERT(lives->n < LIVES_MAX);
    struct daemon *daemon = xcalloc(1, sizeof *daemon);
    daemon->data_lock = daemon->blocks_lock = DATADIR_UNLOCKED;
    daemon->parent_pipe = lives->parent_pipe;
    daemon->is_another_life = lives->n++ > 0;
    daemon->reload = (struct reload){.argc = argc, .argv = (const char *const *)argv};
    if (!config_init(&daemon->config, argc, (const char *const *)argv, &daemon->error)) {
        log_refusal(daemon);
    } else if (daemon->config.action == CONFIG_SHOW_VERSION) {
        print_version();
    } else if (daemon->config.action != CONFIG_RUN) {
        print_help(&daemon->config.options, daemon->config.action == CONFIG_SHOW_HELP_DEBUG);
    } else {
        run(daemon);
        close_all(daemon);
    }
    int status = daemon->error ? 1 : 0;
    lives->wants_another = daemon->can_be_mended && lives->n < LIVES_MAX;
    if (daemon->error)
        print_error(daemon, lives->wants_another);
    lives->parent_pipe = daemon->parent_pipe;
    if (!lives->wants_another)
        tell_parent(daemon, (unsigned char)status);
    reload_deinit(&daemon->reload);
    config_deinit(&daemon->config);
    xfree(daemon->error);
    xfree(daemon);
    return status;
}

int daemon_main(int argc, char **argv)
{
    struct lives lives = {.parent_pipe = -1};
    int status;
    tune_process();
    do
        status = live(&lives, argc, argv);
    while (lives.wants_another);
    return status;
}
