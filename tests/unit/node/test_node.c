/* test_node.c - whole nodes on simulated machines: start, calls, imports, faults, stop. */
#include <errno.h>

#include "node/node.h"
#include "sim/sim_env.h"
#include "support/chain_builder.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define ANSWER_BYTES 4096

struct world {
    struct chain_builder builder;
    struct sim_env *sim;
    const struct env *env;
    struct log log;
    struct node_options options;
    struct node *node;
    int n_stopping, n_stopped, n_started_notices, n_stopping_notices, n_blocks, n_alerts;
    int n_progress, n_warnings;
    int32_t last_height; /* when the node stopped */
    char stop_error[256], block[HEX_ID_BYTES], warning[256], progress[256];
    int n_replies, status;
    char answer[ANSWER_BYTES];
};

static void on_notice(void *ctx, enum node_notice notice, const char *text)
{
    struct world *w = ctx;
    switch (notice) {
    case NODE_NOTICE_STARTED:
        w->n_started_notices++;
        break;
    case NODE_NOTICE_STOPPING:
        w->n_stopping_notices++;
        break;
    case NODE_NOTICE_BLOCK:
        w->n_blocks++;
        snprintf(w->block, sizeof w->block, "%s", text);
        break;
    case NODE_NOTICE_ALERT:
        w->n_alerts++;
        break;
    }
}

static void on_progress(void *ctx, const char *line)
{
    struct world *w = ctx;
    w->n_progress++;
    snprintf(w->progress, sizeof w->progress, "%s", line);
}

static void on_warning(void *ctx, const char *line)
{
    struct world *w = ctx;
    w->n_warnings++;
    snprintf(w->warning, sizeof w->warning, "%s", line);
}

static void on_stopping(void *ctx)
{
    ((struct world *)ctx)->n_stopping++;
}

static void on_stopped(void *ctx, const char *error)
{
    struct world *w = ctx;
    struct chain *chain = node_chain(w->node);
    w->n_stopped++;
    w->last_height = chain ? chain_tip(chain)->height : -1;
    snprintf(w->stop_error, sizeof w->stop_error, "%s", error ? error : "");
}

static void no_log(void *ctx, enum log_level level, enum log_category category, const char *line)
{
    (void)ctx;
    (void)level;
    (void)category;
    (void)line;
}

static void world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    chain_builder_init(&w->builder);
    w->sim = sim_env_new(seed);
    w->env = sim_env_get(w->sim);
    w->log = (struct log){.write = no_log};
    w->options = (struct node_options){
        .network = &w->builder.network,
        .chain = {.data_dir = "regtest",
                  .cache_bytes = 4 << 20,
                  .max_tip_age_s = 86400,
                  .check_blocks = 6,
                  .check_level = 3},
        .mempool = mempool_default_options(),
        .p2p = {.user_agent = "/test/", .connect_only = true},
        .auth = {.user = "u", .password = "p"},
    };
}

static void make_node(struct world *w)
{
    char *error = NULL;
    const struct node_events events = {.ctx = w,
                                       .notice = on_notice,
                                       .progress = on_progress,
                                       .warning = on_warning,
                                       .stopping = on_stopping,
                                       .stopped = on_stopped};
    w->n_stopped = w->n_stopping = 0;
    w->node = node_new(w->env, &w->log, &w->options, &events, &error);
    assert_non_null(w->node);
    assert_null(error);
}

static void start_node(struct world *w)
{
    char *error = NULL;
    make_node(w);
    if (!node_start(w->node, &error))
        fail_msg("%s", error);
}

static void run_until_stopped(struct world *w)
{
    for (int i = 0; i < 1000000 && w->n_stopped == 0; i++)
        assert_true(sim_env_step(w->sim));
    assert_int_equal(w->n_stopped, 1);
    node_free(w->node);
    w->node = NULL;
}

static void stop_node(struct world *w)
{
    node_stop(w->node);
    node_stop(w->node);
    /* Never from inside the order. */
    assert_int_equal(w->n_stopping + w->n_stopped, 0);
    run_until_stopped(w);
    assert_int_equal(w->n_stopping, 1);
}

static void world_deinit(struct world *w)
{
    node_free(w->node);
    sim_env_free(w->sim);
    chain_builder_deinit(&w->builder);
}

static void on_reply(void *arg, struct rpc_reply *reply)
{
    struct world *w = arg;
    w->n_replies++;
    w->status = reply->status;
    size_t n = reply->body.len < ANSWER_BYTES - 1 ? reply->body.len : ANSWER_BYTES - 1;
    memcpy(w->answer, reply->body.p, n);
    w->answer[n] = '\0';
    buffer_deinit(&reply->body);
}

/* Hand a call in without waiting. */
static uint64_t ask(struct world *w, const char *method, const char *params)
{
    char body[1024];
    snprintf(body, sizeof body, "{\"method\":\"%s\",\"params\":%s,\"id\":1}", method, params);
    const struct rpc_request request = {.http_method = "POST",
                                        .uri = "/",
                                        .authorization = "Basic dTpw", /* u:p */
                                        .content_type = "application/json",
                                        .peer = "127.0.0.1:1",
                                        .body = span_of_string(body)};
    return rpc_handle(node_rpc(w->node), &request, on_reply, w);
}

static const char *call(struct world *w, const char *method, const char *params)
{
    int before = w->n_replies;
    ask(w, method, params);
    for (int i = 0; i < 1000000 && w->n_replies == before; i++)
        assert_true(sim_env_step(w->sim));
    return w->answer;
}

#define ASSERT_ANSWER(w, method, params, part)                                                     \
    do {                                                                                           \
        const char *answer_ = call(w, method, params);                                             \
        if (!strstr(answer_, part))                                                                \
            fail_msg("%s", answer_);                                                               \
    } while (0)

TEST(a_node_answers_and_stops_cleanly)
{
    struct world w;
    world_init(&w, 1);
    start_node(&w);
    assert_int_equal(w.n_started_notices, 1);
    ASSERT_ANSWER(&w, "getblockcount", "[]", "\"result\":0");
    assert_int_equal(w.status, 200);
    stop_node(&w);
    assert_string_equal(w.stop_error, "");
    assert_int_equal(w.n_stopping_notices, 1);
    world_deinit(&w);
}

TEST(calls_before_the_start_are_told_to_wait)
{
    struct world w;
    world_init(&w, 2);
    make_node(&w);
    ASSERT_ANSWER(&w, "getblockcount", "[]", "\"code\":-28");
    assert_non_null(strstr(w.answer, "Loading block index"));
    char *error = NULL;
    assert_true(node_start(w.node, &error));
    ASSERT_ANSWER(&w, "getblockcount", "[]", "\"result\":0");
    stop_node(&w);
    world_deinit(&w);
}

TEST(a_node_that_never_started_can_be_stopped_or_freed)
{
    struct world w;
    world_init(&w, 3);
    make_node(&w);
    node_free(w.node);
    make_node(&w);
    stop_node(&w);
    /* A stop that is faster than the start wins. */
    make_node(&w);
    node_stop(w.node);
    char *error = NULL;
    assert_true(node_start(w.node, &error));
    run_until_stopped(&w);
    node_free(NULL);
    world_deinit(&w);
}

TEST(malformed_credentials_are_refused)
{
    struct world w;
    world_init(&w, 4);
    const char *bad[] = {"nonsense"};
    w.options.auth.rpcauth = bad;
    w.options.auth.n_rpcauth = 1;
    const struct node_events events = {.ctx = &w};
    char *error = NULL;
    assert_null(node_new(w.env, &w.log, &w.options, &events, &error));
    assert_non_null(error);
    xfree(error);
    world_deinit(&w);
}

TEST(blocks_are_told_of_and_kept)
{
    struct world w;
    world_init(&w, 5);
    start_node(&w);
    ASSERT_ANSWER(&w, "generatetoaddress", "[3,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]",
                  "\"error\":null");
    char tip[HEX_ID_BYTES];
    const struct block_node *node = chain_tip(node_chain(w.node));
    assert_int_equal(node->height, 3);
    hex_encode_reversed(tip, span_of(node->hash.b, 32));
    assert_true(w.n_blocks >= 1);
    assert_string_equal(w.block, tip);
    ASSERT_ANSWER(&w, "getbestblockhash", "[]", tip);
    stop_node(&w);

    start_node(&w);
    ASSERT_ANSWER(&w, "getblockcount", "[]", "\"result\":3");
    ASSERT_ANSWER(&w, "getbestblockhash", "[]", tip);
    stop_node(&w);
    world_deinit(&w);
}

TEST(the_stop_call_is_answered_and_then_obeyed)
{
    struct world w;
    world_init(&w, 6);
    start_node(&w);
    ASSERT_ANSWER(&w, "stop", "[]", "stopping");
    run_until_stopped(&w);
    assert_string_equal(w.stop_error, "");
    world_deinit(&w);
}

TEST(a_call_that_waits_is_answered_by_the_stop)
{
    struct world w;
    world_init(&w, 7);
    start_node(&w);
    ask(&w, "waitfornewblock", "[]");
    sim_env_run_until_idle(w.sim);
    assert_int_equal(w.n_replies, 0);
    stop_node(&w);
    assert_int_equal(w.n_replies, 1);
    world_deinit(&w);
}

TEST(reaching_a_height_stops_the_node)
{
    struct world w;
    world_init(&w, 8);
    w.options.stop_at_height = 2;
    start_node(&w);
    ask(&w, "generatetoaddress", "[5,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]");
    run_until_stopped(&w);
    assert_string_equal(w.stop_error, "");
    assert_int_equal(w.n_replies, 1);
    world_deinit(&w);
}

/* Write the blocks from a height to last to a file as -loadblock takes it. */
static void write_blocks(struct world *w, const char *path, int32_t from,
                         const struct built_block *last)
{
    struct env_file *file = NULL;
    assert_int_equal(env_file_open(w->env, path, ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file), 0);
    uint64_t at = 0;
    for (int32_t i = from; i <= last->height; i++) {
        struct span raw = built_ancestor(last, i)->block.raw;
        uint8_t head[8];
        memcpy(head, w->builder.network.magic, 4);
        for (int k = 0; k < 4; k++)
            head[4 + k] = (uint8_t)(raw.len >> 8 * k);
        assert_int_equal(env_file_write_at(w->env, file, at, head, 8), 0);
        assert_int_equal(env_file_write_at(w->env, file, at + 8, raw.p, raw.len), 0);
        at += 8 + raw.len;
    }
    env_file_close(w->env, file);
}

TEST(importing_shows_progress_and_may_end_the_node)
{
    struct world w;
    world_init(&w, 9);
    const struct built_block *last = builder_blocks(&w.builder, w.builder.genesis, 60, NULL);
    write_blocks(&w, "blocks.dat", 1, last);
    const char *files[] = {"blocks.dat"};
    w.options.load_blocks = files;
    w.options.n_load_blocks = 1;
    w.options.chain.stop_after_import = true;
    start_node(&w);
    run_until_stopped(&w);
    assert_string_equal(w.stop_error, "");
    assert_true(w.n_progress >= 1);
    /* The blocks are years old: nobody is told of each. */
    assert_int_equal(w.n_blocks, 0);

    w.options.load_blocks = NULL;
    w.options.n_load_blocks = 0;
    w.options.chain.stop_after_import = false;
    start_node(&w);
    assert_int_equal(chain_tip(node_chain(w.node))->height, 60);
    stop_node(&w);
    world_deinit(&w);
}

/* Rebuilding is an import too: the node may stop only when every stored block is connected. */
TEST(rebuilding_is_over_when_all_blocks_are_connected)
{
    for (int how = 0; how < 2; how++) {
        struct world w;
        world_init(&w, 15);
        const struct built_block *last = builder_blocks(&w.builder, w.builder.genesis, 60, NULL);
        write_blocks(&w, "blocks.dat", 1, last);
        const char *files[] = {"blocks.dat"};
        w.options.load_blocks = files;
        w.options.n_load_blocks = 1;
        w.options.chain.stop_after_import = true;
        start_node(&w);
        run_until_stopped(&w);

        w.options.n_load_blocks = 0;
        w.options.chain.reindex = how == 0;
        w.options.chain.reindex_chainstate = how == 1;
        start_node(&w);
        run_until_stopped(&w);
        assert_string_equal(w.stop_error, "");
        assert_int_equal(w.last_height, 60);
        world_deinit(&w);
    }
}

TEST(files_may_come_in_any_order)
{
    struct world w;
    world_init(&w, 14);
    const struct built_block *last = builder_blocks(&w.builder, w.builder.genesis, 30, NULL);
    write_blocks(&w, "late.dat", 21, last);
    write_blocks(&w, "middle.dat", 11, built_ancestor(last, 20));
    write_blocks(&w, "early.dat", 1, built_ancestor(last, 10));
    const char *files[] = {"late.dat", "middle.dat", "early.dat"};
    w.options.load_blocks = files;
    w.options.n_load_blocks = 3;
    start_node(&w);
    sim_env_run_for(w.sim, 10000000);
    assert_int_equal(chain_tip(node_chain(w.node))->height, 30);
    stop_node(&w);
    world_deinit(&w);
}

TEST(of_several_files_the_one_that_cannot_be_read_is_named)
{
    struct world w;
    world_init(&w, 15);
    const struct built_block *last = builder_blocks(&w.builder, w.builder.genesis, 30, NULL);
    write_blocks(&w, "there.dat", 1, last);
    const char *files[] = {"there.dat", "absent.dat"};
    w.options.load_blocks = files;
    w.options.n_load_blocks = COUNT_OF(files);
    start_node(&w);
    sim_env_run_for(w.sim, 10000000);
    assert_int_equal(chain_tip(node_chain(w.node))->height, 30);
    assert_int_equal(w.n_warnings, 1);
    assert_string_equal(w.warning, "Cannot read block file absent.dat: No such file or directory");
    stop_node(&w);
    world_deinit(&w);
}

TEST(a_file_that_cannot_be_read_is_told_and_fails_only_an_import_run)
{
    struct world w;
    world_init(&w, 10);
    const char *files[] = {"absent.dat"};
    w.options.load_blocks = files;
    w.options.n_load_blocks = 1;
    start_node(&w);
    sim_env_run_until_idle(w.sim);
    assert_int_equal(w.n_warnings, 1);
    assert_string_equal(w.warning, "Cannot read block file absent.dat: No such file or directory");
    ASSERT_ANSWER(&w, "getblockcount", "[]", "\"result\":0");
    stop_node(&w);
    assert_string_equal(w.stop_error, "");

    w.options.chain.stop_after_import = true;
    start_node(&w);
    run_until_stopped(&w);
    assert_non_null(strstr(w.stop_error, "Cannot read block file absent.dat"));
    world_deinit(&w);
}

TEST(the_time_can_be_set_for_one_node)
{
    struct world w;
    world_init(&w, 11);
    w.options.mock_time_s = 1600000000;
    start_node(&w);
    ASSERT_ANSWER(&w, "generatetoaddress", "[1,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]",
                  "\"error\":null");
    assert_int_equal(chain_tip(node_chain(w.node))->time, 1600000000);
    ASSERT_ANSWER(&w, "setmocktime", "[1700000000]", "\"error\":null");
    ASSERT_ANSWER(&w, "generatetoaddress", "[1,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]",
                  "\"error\":null");
    assert_int_equal(chain_tip(node_chain(w.node))->time, 1700000000);
    ASSERT_ANSWER(&w, "mockscheduler", "[60]", "\"error\":null");
    stop_node(&w);
    world_deinit(&w);
}

TEST(two_nodes_in_one_process_do_not_disturb_each_other)
{
    struct world a, b;
    world_init(&a, 12);
    world_init(&b, 12);
    start_node(&a);
    start_node(&b);
    ASSERT_ANSWER(&a, "generatetoaddress", "[2,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]",
                  "\"error\":null");
    ASSERT_ANSWER(&a, "getblockcount", "[]", "\"result\":2");
    ASSERT_ANSWER(&b, "getblockcount", "[]", "\"result\":0");
    stop_node(&a);
    ASSERT_ANSWER(&b, "getblockcount", "[]", "\"result\":0");
    stop_node(&b);
    world_deinit(&a);
    world_deinit(&b);
}

TEST(a_failing_disk_stops_the_node_with_the_reason)
{
    struct world w;
    world_init(&w, 13);
    start_node(&w);
    sim_disk_fail(sim_env_disk(w.sim), SIM_OP_CHANGES, 0, -EIO, true);
    ask(&w, "generatetoaddress", "[1,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]");
    run_until_stopped(&w);
    assert_string_not_equal(w.stop_error, "");
    assert_int_equal(w.n_replies, 1);
    world_deinit(&w);
}
