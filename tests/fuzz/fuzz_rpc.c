/* fuzz_rpc.c - any bytes as a call to a whole chain: one answer, in valid JSON, or none for a
 * notification; nothing is left pending. */
#include <stdlib.h>

#include "rpc/json_write.h"
#include "rpc/rpc.h"
#include "sim/sim_env.h"
#include "spend/descriptor/desc.h"
#include "util/alloc.h"

enum { CACHE_BYTES = 1 << 20 };

/* Methods whose arguments are worth mutating; "" sends the input as the whole request. */
static const char *const methods[] = {
    "",
    "createrawtransaction",
    "decoderawtransaction",
    "decodescript",
    "signrawtransactionwithkey",
    "validateaddress",
    "getblock",
    "getblockheader",
    "getrawtransaction",
    "gettxout",
    "gettxoutsetinfo",
    "echo",
    "submitheader",
    "getdeploymentinfo",
    "verifychain",
    "logging",
};

/* One machine for the whole run: the calls above do not change its chain. */
struct machine {
    struct sim_env *sim;
    struct network network;
    struct chain *chain;
    struct rpc_node node;
    struct rpc *rpc;
    struct log log;
    size_t n_replies;
};

static void ignore(void *ctx)
{
    (void)ctx;
}

static void ignore_time(void *ctx, int64_t s)
{
    (void)ctx, (void)s;
}

static int64_t now_s(void *ctx)
{
    const struct machine *machine = ctx;
    const struct env *env = sim_env_get(machine->sim);
    return env_unix_s(env);
}

static struct machine *machine_new(void)
{
    struct machine *machine = xcalloc(1, sizeof *machine);
    struct chain_options options = {
        .data_dir = "regtest", .cache_bytes = CACHE_BYTES, .check_blocks = -1};
    struct chain_events events = {0};
    char *error = NULL;
    machine->sim = sim_env_new(1);
    machine->network = *network_get(NETWORK_REGTEST);
    const struct env *env = sim_env_get(machine->sim);
    machine->chain = chain_new(env, NULL, &machine->network, &options, &events);
    if (!chain_open(machine->chain, &error))
        abort();
    sim_env_run_until_idle(machine->sim);
    machine->node = (struct rpc_node){.ctx = machine,
                                      .env = env,
                                      .chain = machine->chain,
                                      .network = &machine->network,
                                      .data_dir = "regtest",
                                      .stop = ignore,
                                      .set_mock_time = ignore_time,
                                      .advance_timers = ignore_time,
                                      .now_s = now_s,
                                      .log_control = &machine->log};
    struct rpc_auth_options auth = {.user = "u", .password = "p"};
    machine->rpc = rpc_new(&machine->node, rpc_methods(), &auth, &error);
    ASSERT(machine->rpc);
    return machine;
}

static void on_reply(void *arg, struct rpc_reply *reply)
{
    struct machine *machine = arg;
    struct arena arena;
    struct json_value *value;
    machine->n_replies++;
    if (reply->status == 204) {
        ASSERT(reply->body.len == 0);
        return;
    }
    ASSERT(reply->status == 200 || reply->status == 400 || reply->status == 404 ||
           reply->status == 500);
    arena_init(&arena, 4096);
    ASSERT(json_parse(buffer_span(&reply->body), &arena, &value));
    ASSERT(reply->body.p[reply->body.len - 1] == '\n');
    arena_deinit(&arena);
}

/* Whatever a descriptor's text: variants, or a reason. What is written of one reads back as the
 * same descriptor. */
static void read_descriptor(const struct ec_context *ec, const struct network *network,
                            const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buffer text, again;
    struct desc_list list;
    arena_init(&arena, 4096);
    buffer_init(&text);
    buffer_init(&again);
    if (desc_parse(ec, network, span_of(data, size), &arena, &list)) {
        desc_write(list.variant[0], &text);
        ASSERT(desc_parse(ec, network, buffer_span(&text), &arena, &list));
        ASSERT(list.n == 1 && !list.has_secret);
        desc_write(list.variant[0], &again);
        ASSERT(span_equal(buffer_span(&text), buffer_span(&again)));
    }
    buffer_deinit(&again);
    buffer_deinit(&text);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = {1};
    static struct machine *machine;
    static struct ec_context *ec;
    if (!machine)
        machine = machine_new();
    if (!ec)
        ec = ec_context_new(seed);
    if (size == 0)
        return 0;
    struct buffer body;
    const char *method = methods[data[0] % COUNT_OF(methods)];
    buffer_init(&body);
    if (*method)
        buffer_append_format(&body, "{\"id\":1,\"method\":\"%s\",\"params\":", method);
    buffer_append(&body, data + 1, size - 1);
    if (*method)
        buffer_append_string(&body, "}");
    struct rpc_request request = {.http_method = "POST",
                                  .uri = "/",
                                  .authorization = "Basic dTpw",
                                  .body = buffer_span(&body)};
    size_t before = machine->n_replies;
    uint64_t token = rpc_handle(machine->rpc, &request, on_reply, machine);
    sim_env_run_until_idle(machine->sim);
    /* Only waiting for a block that never comes may still be pending. */
    rpc_cancel(machine->rpc, token);
    sim_env_run_until_idle(machine->sim);
    ASSERT(rpc_pending(machine->rpc) == 0);
    ASSERT(machine->n_replies <= before + 1);
    buffer_deinit(&body);
    read_descriptor(ec, &machine->network, data, size);
    return 0;
}
