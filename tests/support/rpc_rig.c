/* rpc_rig.c - see rpc_rig.h. */
#include "support/rpc_rig.h"

#include "rpc/json_write.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define PATIENCE_US (INT64_C(120) * 1000000)

/* -- What the node would do ---------------------------------------------------------------- */

static void stop(void *ctx)
{
    struct rpc_rig *rig = ctx;
    rig->is_stopped = true;
}

static const char *warmup(void *ctx)
{
    const struct rpc_rig *rig = ctx;
    return rig->warmup;
}

static const char *warning(void *ctx, size_t index)
{
    const struct rpc_rig *rig = ctx;
    return index < COUNT_OF(rig->warnings) ? rig->warnings[index] : NULL;
}

static void set_mock_time(void *ctx, int64_t unix_s)
{
    struct rpc_rig *rig = ctx;
    rig->mock_time_s = unix_s;
}

static void advance_timers(void *ctx, int64_t delta_s)
{
    struct rpc_rig *rig = ctx;
    rig->advanced_s += delta_s;
}

static int64_t now_s(void *ctx)
{
    const struct rpc_rig *rig = ctx;
    const struct env *env = sim_env_get(rig->chain.sim);
    return rig->mock_time_s ? rig->mock_time_s : env_unix_s(env);
}

/* -- Life ----------------------------------------------------------------------------------- */

void rpc_rig_init(struct rpc_rig *rig, const struct chain_options *options,
                  const struct rpc_auth_options *auth)
{
    static const struct rpc_auth_options plain = {.user = "u", .password = "p"};
    *rig = (struct rpc_rig){.warmup = ""};
    chain_builder_init(&rig->builder);
    rig_start(&rig->chain, 1, &rig->builder, options);
    rig_settle(&rig->chain);
    const struct env *env = sim_env_get(rig->chain.sim);
    rig->node = (struct rpc_node){
        .ctx = rig,
        .env = env,
        .chain = rig->chain.chain,
        .network = &rig->chain.network,
        .data_dir = "/data/regtest",
        .stop = stop,
        .warmup_status = warmup,
        .set_mock_time = set_mock_time,
        .advance_timers = advance_timers,
        .now_s = now_s,
        .clock = env,
        .start_us = env_now_us(env) - 7000000,
        .warning = warning,
        .log_control = &rig->log,
    };
    char *error = NULL;
    rig->rpc = rpc_new(&rig->node, rpc_methods(), auth ? auth : &plain, &error);
    ASSERT(rig->rpc);
    rig->seen_tip = chain_tip(rig->chain.chain);
}

/* The node passes the chain's events on. */
static void block_connected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    mempool_block_connected(ctx, node, block);
}

static void block_disconnected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    mempool_block_disconnected(ctx, node, block);
}

static void tip_changed(void *ctx, const struct block_node *tip)
{
    mempool_tip_changed(ctx, tip);
}

void rpc_rig_add_mempool(struct rpc_rig *rig, const struct mempool_options *options)
{
    struct mempool_options defaults = mempool_default_options();
    rig->mempool = mempool_new(sim_env_get(rig->chain.sim), NULL, rig->chain.chain,
                               options ? options : &defaults, NULL);
    rig->chain.also = (struct chain_events){.ctx = rig->mempool,
                                            .block_connected = block_connected,
                                            .block_disconnected = block_disconnected,
                                            .tip_changed = tip_changed};
    rig->node.mempool = rig->mempool;
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void close_mempool(struct rpc_rig *rig)
{
    bool is_closed = false;
    if (!rig->mempool)
        return;
    mempool_close(rig->mempool, set_flag, &is_closed);
    rig_wait(&rig->chain, &is_closed);
    rig->chain.also = (struct chain_events){0};
    mempool_free(rig->mempool);
    rig->node.mempool = NULL;
}

void rpc_rig_deinit(struct rpc_rig *rig)
{
    rpc_interrupt(rig->rpc);
    close_mempool(rig);
    if (rig->chain.chain)
        (void)rig_close(&rig->chain);
    rpc_free(rig->rpc);
    rig_deinit(&rig->chain);
    chain_builder_deinit(&rig->builder);
    xfree(rig->result);
}

/* -- Requests ------------------------------------------------------------------------------- */

static void on_reply(void *arg, struct rpc_reply *reply)
{
    struct rpc_rig_answer *answer = arg;
    ASSERT(!answer->is_done);
    answer->is_done = true;
    answer->is_cut = reply->is_cut;
    answer->status = reply->status;
    answer->content_type = reply->content_type;
    answer->delay_ms = reply->delay_ms;
    if (reply->www_authenticate)
        answer->www_authenticate = xstrdup(reply->www_authenticate);
    if (reply->headers)
        answer->headers = xstrdup(reply->headers);
    answer->body = xmalloc(reply->body.len + 1);
    if (reply->body.len)
        memcpy(answer->body, reply->body.p, reply->body.len);
    answer->body[reply->body.len] = 0;
}

void rpc_rig_forget(struct rpc_rig_answer *answer)
{
    xfree(answer->www_authenticate);
    xfree(answer->headers);
    xfree(answer->body);
    *answer = (struct rpc_rig_answer){0};
}

uint64_t rpc_rig_start(struct rpc_rig *rig, const struct rpc_request *request,
                       struct rpc_rig_answer *answer)
{
    *answer = (struct rpc_rig_answer){0};
    return rpc_handle(rig->rpc, request, on_reply, answer);
}

uint64_t rpc_rig_post(struct rpc_rig *rig, const char *body, struct rpc_rig_answer *answer)
{
    struct rpc_request request = {.http_method = "POST",
                                  .uri = "/",
                                  .authorization = RPC_RIG_LOGIN,
                                  .content_type = "application/json",
                                  .peer = "127.0.0.1:1",
                                  .body = span_of_string(body)};
    return rpc_rig_start(rig, &request, answer);
}

static void tell_tip(struct rpc_rig *rig)
{
    const struct block_node *tip = chain_tip(rig->chain.chain);
    if (tip == rig->seen_tip)
        return;
    rig->seen_tip = tip;
    rpc_on_tip_changed(rig->rpc, tip);
}

void rpc_rig_wait(struct rpc_rig *rig, struct rpc_rig_answer *answer)
{
    const struct env *env = sim_env_get(rig->chain.sim);
    int64_t end_us = env_now_us(env) + PATIENCE_US;
    while (!answer->is_done) {
        ASSERT(sim_env_step(rig->chain.sim));
        ASSERT(env_now_us(env) < end_us);
        tell_tip(rig);
    }
}

void rpc_rig_run_for(struct rpc_rig *rig, int64_t us)
{
    sim_env_run_for(rig->chain.sim, us);
    tell_tip(rig);
}

/* The part of a reply that tests look at. */
static char *summarise(const char *body)
{
    struct arena arena;
    struct json_value *root;
    struct buffer text;
    arena_init(&arena, 4096);
    buffer_init(&text);
    bool ok = json_parse(span_of_string(body), &arena, &root);
    ASSERT(ok);
    const struct json_value *error = json_find(root, "error"), *result = json_find(root, "result");
    if (error && error->kind == JSON_KIND_OBJECT) {
        const struct json_value *code = json_find(error, "code");
        const struct json_value *message = json_find(error, "message");
        buffer_append(&text, code->text.p, code->text.len);
        buffer_append_string(&text, ": ");
        buffer_append(&text, message->text.p, message->text.len);
    } else {
        ASSERT(result);
        json_write(&text, result, 0);
    }
    buffer_append(&text, "", 1);
    arena_deinit(&arena);
    return (char *)text.p;
}

const char *rpc_rig_call(struct rpc_rig *rig, const char *method, const char *params)
{
    struct rpc_rig_answer answer;
    char *body = xasprintf("{\"method\":\"%s\",\"params\":%s,\"id\":1}", method, params);
    rpc_rig_post(rig, body, &answer);
    xfree(body);
    rpc_rig_wait(rig, &answer);
    xfree(rig->result);
    rig->result = summarise(answer.body);
    rpc_rig_forget(&answer);
    return rig->result;
}

const char *rpc_rig_callf(struct rpc_rig *rig, const char *method, const char *format, ...)
{
    va_list args;
    char params[65536];
    va_start(args, format);
    int len = vsnprintf(params, sizeof params, format, args);
    va_end(args);
    ASSERT(len >= 0 && (size_t)len < sizeof params);
    return rpc_rig_call(rig, method, params);
}

const char *rpc_rig_get(struct rpc_rig *rig, const char *format, ...)
{
    struct rpc_rig_answer answer;
    va_list args;
    char uri[8192];
    va_start(args, format);
    int len = vsnprintf(uri, sizeof uri, format, args);
    va_end(args);
    ASSERT(len >= 0 && (size_t)len < sizeof uri);
    const struct rpc_request request = {.http_method = "GET", .uri = uri, .peer = "127.0.0.1:1"};
    rpc_rig_start(rig, &request, &answer);
    rpc_rig_wait(rig, &answer);
    xfree(rig->result);
    rig->result = xasprintf("%d %s: %s", answer.status, answer.content_type, answer.body);
    rig->result[strcspn(rig->result, "\r\n")] = '\0';
    rpc_rig_forget(&answer);
    return rig->result;
}

void rpc_rig_grow(struct rpc_rig *rig, const struct built_block *last)
{
    rig_accept_chain(&rig->chain, last);
    tell_tip(rig);
}

const char *rpc_rig_id(struct rpc_rig *rig, const struct built_block *block)
{
    return hex_encode_reversed(rig->id, span_of(block->block.hash.b, 32));
}

void rpc_rig_assert_call(struct rpc_rig *rig, const char *method, const char *params,
                         const char *want, const char *file, int line)
{
    const char *got = rpc_rig_call(rig, method, params);
    if (strcmp(got, want) == 0)
        return;
    print_error("%s %s\ngave       %s\ninstead of %s\n", method, params, got, want);
    _fail(file, line);
}

void rpc_rig_assert_holds(const char *text, const char *part, const char *file, int line)
{
    if (text && strstr(text, part))
        return;
    print_error("%s\nis not in %s\n", part, text ? text : "(nothing)");
    _fail(file, line);
}

void rpc_rig_assert_starts(const char *text, const char *head, const char *file, int line)
{
    if (text && strncmp(text, head, strlen(head)) == 0)
        return;
    print_error("%s\nis not how %s begins\n", head, text ? text : "(nothing)");
    _fail(file, line);
}
