/* test_rpc.c - the life of calls: HTTP refusals, batches, waiting, cancelling, stopping. */
#include "rpc/method_table.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

struct http_case {
    const char *method, *uri, *authorization, *body;
    int status;
    bool delayed;
};

TEST(http_requests_that_are_no_calls_are_refused)
{
    static const char good[] = "{\"method\":\"getblockcount\",\"id\":1}";
    /* clang-format off */
    static const struct http_case cases[] = {
        {"POST",    "/",        RPC_RIG_LOGIN,      good, 200, false},
        {"POST",    "/?x=1",    RPC_RIG_LOGIN,      good, 200, false},
        {"POST",    "/wallet/", RPC_RIG_LOGIN,      good, 200, false},
        {"POST",    "/wallet/a%20b?x", RPC_RIG_LOGIN, good, 200, false},
        {"POST",    "/wallet",  RPC_RIG_LOGIN,      good, 404, false},
        {"POST",    "",         RPC_RIG_LOGIN,      good, 404, false},
        {"POST",    "//",       RPC_RIG_LOGIN,      good, 404, false},
        {"GET",     "/",        RPC_RIG_LOGIN,      "",   405, false},
        {"OPTIONS", "/",        NULL,               "",   405, false},
        {"post",    "/",        RPC_RIG_LOGIN,      good, 405, false},
        {"POST",    "/",        NULL,               good, 401, false},
        {"POST",    "/",        "Basic dTpx",       good, 401, true},  /* u:q */
        {"POST",    "/",        "Basic eDpw",       good, 401, true},  /* x:p */
        {"POST",    "/",        "garbage",          good, 401, true},
        {"POST",    "/",        RPC_RIG_LOGIN,      "",   500, false},
    };
    /* clang-format on */
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rpc_rig_answer answer;
        struct rpc_request request = {.http_method = cases[i].method,
                                      .uri = cases[i].uri,
                                      .authorization = cases[i].authorization,
                                      .body = span_of_string(cases[i].body)};
        rpc_rig_start(&rig, &request, &answer);
        assert_true(answer.is_done);
        assert_int_equal(answer.status, cases[i].status);
        assert_int_equal(answer.delay_ms, cases[i].delayed ? 250 : 0);
        assert_int_equal(answer.www_authenticate != NULL, cases[i].status == 401);
        rpc_rig_forget(&answer);
    }
    assert_int_equal(rpc_pending(rig.rpc), 0);
    rpc_rig_deinit(&rig);
}

static void assert_answer(struct rpc_rig *rig, const char *body, int status, const char *want)
{
    struct rpc_rig_answer answer;
    rpc_rig_post(rig, body, &answer);
    rpc_rig_wait(rig, &answer);
    if (answer.status != status || strcmp(answer.body, want) != 0)
        fail_msg("%s\ngave %d %s\ninstead of %d %s", body, answer.status, answer.body, status,
                 want);
    rpc_rig_forget(&answer);
}

TEST(each_version_has_its_own_reply)
{
    /* clang-format off */
    static const struct { const char *body; int status; const char *want; } cases[] = {
        {"{\"method\":\"getblockcount\",\"id\":7}", 200,
         "{\"result\":0,\"error\":null,\"id\":7}\n"},
        {"{\"method\":\"getblockcount\"}", 200, "{\"result\":0,\"error\":null}\n"},
        {"{\"method\":\"getblockcount\",\"params\":null,\"id\":{\"a\":[1]}}", 200,
         "{\"result\":0,\"error\":null,\"id\":{\"a\":[1]}}\n"},
        {"{\"jsonrpc\":\"1.0\",\"method\":\"x\",\"id\":\"a\"}", 404,
         "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},"
         "\"id\":\"a\"}\n"},
        {"{\"method\":\"getblockhash\",\"params\":[1],\"id\":null}", 500,
         "{\"result\":null,\"error\":{\"code\":-8,\"message\":\"Block height out of range\"},"
         "\"id\":null}\n"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\",\"id\":1.50}", 200,
         "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":1.50}\n"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"id\":1}", 200,
         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},"
         "\"id\":1}\n"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}", 204, ""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", 204, ""},
        {"{\"jsonrpc\":\"2.1\",\"method\":\"getblockcount\",\"id\":1}", 400,
         "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"JSON-RPC version not "
         "supported\"},\"id\":1}\n"},
        {"{\"jsonrpc\":2,\"method\":\"getblockcount\",\"id\":1}", 400,
         "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"jsonrpc field must be a "
         "string\"},\"id\":1}\n"},
        {"{\"id\":1}", 400,
         "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Missing method\"},\"id\":1}\n"},
        {"{\"method\":5,\"id\":1}", 400,
         "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Method must be a string\"},"
         "\"id\":1}\n"},
        {"{\"method\":\"echo\",\"params\":5,\"id\":1}", 400,
         "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Params must be an array or "
         "object\"},\"id\":1}\n"},
        {"{", 500,
         "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}\n"},
        {"\"x\"", 500,
         "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Top-level object parse "
         "error\"},\"id\":null}\n"},
    };
    /* clang-format on */
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_answer(&rig, cases[i].body, cases[i].status, cases[i].want);
    rpc_rig_deinit(&rig);
}

TEST(batches_are_answered_in_order)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_answer(&rig, "[]", 200, "[]\n");
    assert_answer(&rig,
                  "[{\"method\":\"getblockcount\",\"id\":1},{\"method\":\"x\",\"id\":2},"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[1]},5,"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[2],\"id\":3}]",
                  200,
                  "[{\"result\":0,\"error\":null,\"id\":1},"
                  "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},"
                  "\"id\":2},"
                  "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid Request "
                  "object\"},\"id\":null},"
                  "{\"jsonrpc\":\"2.0\",\"result\":[2],\"id\":3}]\n");
    assert_answer(&rig,
                  "[{\"jsonrpc\":\"2.0\",\"method\":\"echo\"},"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]",
                  204, "");
    rpc_rig_deinit(&rig);
}

/* Entries that answer later do not let later ones overtake. */
TEST(a_batch_waits_for_its_pending_entries)
{
    struct rpc_rig rig;
    struct rpc_rig_answer answer;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_post(&rig,
                 "[{\"method\":\"waitfornewblock\",\"params\":[1000],\"id\":1},"
                 "{\"method\":\"getblockcount\",\"id\":2},"
                 "{\"method\":\"verifychain\",\"id\":3}]",
                 &answer);
    assert_false(answer.is_done);
    assert_int_equal(rpc_pending(rig.rpc), 1);
    rpc_rig_wait(&rig, &answer);
    assert_int_equal(answer.status, 200);
    const char *second = strstr(answer.body, "\"id\":1}");
    assert_non_null(second);
    assert_non_null(strstr(second, "{\"result\":0,\"error\":null,\"id\":2},"
                                   "{\"result\":true,\"error\":null,\"id\":3}]\n"));
    rpc_rig_forget(&answer);
    rpc_rig_deinit(&rig);
}

enum { TAKEN_BYTES = 1 << 20 };

/* Take memory, and tell how much the call has. */
static enum rpc_progress take_memory(struct rpc_call *call)
{
    memset(arena_alloc(&call->arena, TAKEN_BYTES), 1, TAKEN_BYTES);
    json_put_int(&call->out, (int64_t)(call->arena.total_bytes / TAKEN_BYTES));
    return RPC_DONE;
}

static void take_memory_in_job(struct env_job *job)
{
    (void)take_memory(rpc_job_call(job));
}

static enum rpc_progress take_memory_later(struct rpc_call *call)
{
    rpc_run_job(call, take_memory_in_job, NULL);
    return RPC_PENDING;
}

/* What one entry takes is not there any more when the next begins. */
TEST(entries_of_a_batch_give_their_memory_back)
{
    static const struct rpc_method table[] = {
        {.name = "later", .category = "test", .handler = take_memory_later, .params = {{0}}},
        {.name = "now", .category = "test", .handler = take_memory, .params = {{0}}},
    };
    static const struct rpc_methods methods = {table, COUNT_OF(table)};
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const struct rpc_auth_options auth = {.user = "u", .password = "p"};
    char *error = NULL;
    rpc_free(rig.rpc);
    rig.rpc = rpc_new(&rig.node, &methods, &auth, &error);
    static const char body[] = "[{\"method\":\"now\",\"id\":1},5,{\"method\":\"now\"},"
                               "{\"method\":\"later\",\"id\":\"x\"},{\"method\":\"later\"}]";
    static const char want[] =
        "[{\"result\":1,\"error\":null,\"id\":1},"
        "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid Request object\"},"
        "\"id\":null},{\"result\":1,\"error\":null},"
        "{\"result\":1,\"error\":null,\"id\":\"x\"},{\"result\":1,\"error\":null}]\n";
    char *padded = xasprintf("%s%70000s", body, ""); /* parsed by a job */
    assert_answer(&rig, body, 200, want);
    assert_answer(&rig, padded, 200, want);
    xfree(padded);
    rpc_rig_deinit(&rig);
}

TEST(a_long_batch_is_answered_whole)
{
    enum { ENTRIES = 20000 };
    struct rpc_rig rig;
    struct rpc_rig_answer answer;
    struct buffer body;
    rpc_rig_init(&rig, NULL, NULL);
    buffer_init(&body);
    for (int i = 0; i < ENTRIES; i++)
        buffer_append_format(&body, "%s{\"method\":\"echo\",\"params\":[%d],\"id\":%d}",
                             i ? "," : "[", i, i);
    buffer_append(&body, "]", 2);
    rpc_rig_post(&rig, (const char *)body.p, &answer);
    rpc_rig_wait(&rig, &answer);
    const char *at = answer.body;
    for (int i = 0; i < ENTRIES; i++) {
        char want[64];
        snprintf(want, sizeof want, "{\"result\":[%d],\"error\":null,\"id\":%d}", i, i);
        assert_memory_equal(at + 1, want, strlen(want));
        at += 1 + strlen(want);
    }
    assert_string_equal(at, "]\n");
    buffer_deinit(&body);
    rpc_rig_forget(&answer);
    rpc_rig_deinit(&rig);
}

/* Large bodies are parsed by a job: cancelling then must not harm, nor malformed ones. */
TEST(a_large_body_is_parsed_off_the_loop)
{
    enum { PAD = 200000 };
    struct rpc_rig rig;
    struct rpc_rig_answer answer, cancelled;
    rpc_rig_init(&rig, NULL, NULL);
    char *pad = xmalloc(PAD + 1);
    memset(pad, ' ', PAD);
    pad[PAD] = 0;
    static const struct {
        const char *tail;
        int status;
    } rows[] = {{"{\"method\":\"getblockcount\",\"id\":1}", 200},
                {"{\"method\":\"x\",\"id\":1}", 404},
                {"[]", 200},
                {"{", 500},
                {"5", 500}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *body = xasprintf("%s%s", pad, rows[i].tail);
        rpc_rig_post(&rig, body, &answer);
        assert_false(answer.is_done);
        uint64_t token = rpc_rig_post(&rig, body, &cancelled);
        rpc_cancel(rig.rpc, token);
        xfree(body); /* borrowed for the call only */
        rpc_rig_wait(&rig, &answer);
        assert_int_equal(answer.status, rows[i].status);
        rpc_rig_forget(&answer);
    }
    rig_settle(&rig.chain);
    assert_int_equal(rpc_pending(rig.rpc), 0);
    assert_false(cancelled.is_done);
    xfree(pad);
    rpc_rig_deinit(&rig);
}

TEST(while_starting_every_call_gets_28)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rig.warmup = "Verifying blocks";
    assert_string_equal(rpc_rig_call(&rig, "getblockcount", "[]"), "-28: Verifying blocks");
    assert_string_equal(rpc_rig_call(&rig, "nosuch", "[]"), "-28: Verifying blocks");
    rig.warmup = "";
    assert_string_equal(rpc_rig_call(&rig, "getblockcount", "[]"), "0");
    rig.node.chain = NULL;
    assert_starts(rpc_rig_call(&rig, "getblockcount", "[]"), "-28: ");
    rig.node.chain = rig.chain.chain;
    assert_string_equal(rpc_rig_call(&rig, "getblockcount", "[]"), "0");
    rpc_rig_deinit(&rig);
}

TEST(a_cancelled_call_is_never_answered)
{
    struct rpc_rig rig;
    struct rpc_rig_answer waiting, working;
    rpc_rig_init(&rig, NULL, NULL);
    uint64_t first = rpc_rig_post(&rig, "{\"method\":\"waitfornewblock\"}", &waiting);
    uint64_t second = rpc_rig_post(&rig, "{\"method\":\"verifychain\"}", &working);
    assert_true(second > first);
    assert_int_equal(rpc_pending(rig.rpc), 2);
    rpc_cancel(rig.rpc, first);
    rpc_cancel(rig.rpc, second);
    rpc_cancel(rig.rpc, second + 100);
    rig_settle(&rig.chain);
    assert_int_equal(rpc_pending(rig.rpc), 0);
    assert_false(waiting.is_done);
    assert_false(working.is_done);
    rpc_rig_deinit(&rig);
}

TEST(stopping_answers_all_that_wait)
{
    struct rpc_rig rig;
    struct rpc_rig_answer answers[3], late;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_post(&rig, "{\"method\":\"waitfornewblock\"}", &answers[0]);
    rpc_rig_post(&rig, "{\"method\":\"waitforblockheight\",\"params\":[9]}", &answers[1]);
    rpc_rig_post(&rig, "[{\"method\":\"waitfornewblock\"},{\"method\":\"waitfornewblock\"}]",
                 &answers[2]);
    assert_int_equal(rpc_pending(rig.rpc), 3);
    rpc_interrupt(rig.rpc);
    assert_int_equal(rpc_pending(rig.rpc), 0);
    assert_non_null(strstr(answers[2].body, "{\"code\":-9,\"message\":\"Shutting down\"}"));
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_int_equal(answers[i].status, 200);
        assert_non_null(strstr(answers[i].body, "\"height\":0"));
        rpc_rig_forget(&answers[i]);
    }
    rpc_rig_post(&rig, "{\"method\":\"getblockcount\"}", &late);
    assert_int_equal(late.status, 503);
    rpc_rig_forget(&late);
    rpc_rig_deinit(&rig);
}

TEST(a_whitelist_is_kept_for_batches_too)
{
    static const char *const whitelist[] = {"u:getblockcount,echo"};
    struct rpc_auth_options auth = {
        .user = "u", .password = "p", .whitelist = whitelist, .n_whitelist = 1};
    /* clang-format off */
    static const struct { const char *body; int status; } cases[] = {
        {"{\"method\":\"getblockcount\"}", 200},
        {"{\"method\":\"stop\"}", 403},
        {"[{\"method\":\"echo\"},{\"method\":\"getblockcount\"}]", 200},
        {"[{\"method\":\"echo\"},{\"method\":\"stop\"}]", 403},
    };
    /* clang-format on */
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &auth);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rpc_rig_answer answer;
        rpc_rig_post(&rig, cases[i].body, &answer);
        assert_int_equal(answer.status, cases[i].status);
        rpc_rig_forget(&answer);
    }
    assert_false(rig.is_stopped);
    rpc_rig_deinit(&rig);
}

TEST(malformed_credentials_are_refused_at_start)
{
    static const char *const rpcauth[] = {"nocolon"};
    struct rpc_auth_options auth = {.rpcauth = rpcauth, .n_rpcauth = 1};
    struct rpc_node node = {0};
    char *error = NULL;
    assert_null(rpc_new(&node, rpc_methods(), &auth, &error));
    assert_non_null(strstr(error, "rpcauth"));
    xfree(error);
}

/* Padded by spaces, a request is parsed and mostly answered by jobs. */
TEST(long_requests_are_answered_as_short_ones)
{
    static const char *const calls[] = {
        "{\"method\":\"echo\",\"params\":[1,\"a\"],\"id\":1}",
        "{\"method\":\"help\",\"params\":[\"nothing\"],\"id\":1}",
        "{\"method\":\"decodescript\",\"params\":[\"51\"],\"id\":1}",
        "{\"method\":\"decodescript\",\"params\":[\"5\"],\"id\":1}",
        "{\"method\":\"decoderawtransaction\",\"params\":[\"00\"],\"id\":1}",
        "{\"method\":\"validateaddress\",\"params\":[\"x\"],\"id\":1}",
        "{\"method\":\"createrawtransaction\",\"params\":[[],[]],\"id\":1}",
        "{\"method\":\"createmultisig\",\"params\":[1,[\"x\"]],\"id\":1}",
        "{\"method\":\"submitblock\",\"params\":[\"zz\"],\"id\":1}",
        "{\"method\":\"submitblock\",\"params\":[\"00\"],\"id\":1}",
        "{\"method\":\"scantxoutset\",\"params\":[\"start\",[\"raw(51)\"]],\"id\":1}",
        "{\"method\":\"scantxoutset\",\"params\":[\"start\",[\"raw(zz)\"]],\"id\":1}",
        "[{\"method\":\"echo\",\"id\":1},{\"method\":\"getblockcount\"},0]",
        "nonsense",
    };
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        struct rpc_rig_answer brief, padded;
        char *body = xasprintf("%s%70000s", calls[i], "");
        rpc_rig_post(&rig, calls[i], &brief);
        rpc_rig_wait(&rig, &brief);
        rpc_rig_post(&rig, body, &padded);
        assert_false(padded.is_done);
        rpc_rig_wait(&rig, &padded);
        assert_int_equal(padded.status, brief.status);
        assert_string_equal(padded.body, brief.body);
        rpc_rig_forget(&brief);
        rpc_rig_forget(&padded);
        xfree(body);
    }
    rpc_rig_deinit(&rig);
}

TEST(a_long_scan_of_who_has_gone_is_not_begun)
{
    struct rpc_rig rig;
    struct rpc_rig_answer gone;
    rpc_rig_init(&rig, NULL, NULL);
    char *body =
        xasprintf("{\"method\":\"scantxoutset\",\"params\":[\"start\",[\"raw(51)\"]]}%70000s", "");
    uint64_t token = rpc_rig_post(&rig, body, &gone);
    while (strcmp(rpc_rig_call(&rig, "scantxoutset", "[\"status\"]"), "null") == 0)
        rpc_rig_run_for(&rig, 1); /* it is still being parsed */
    rpc_cancel(rig.rpc, token);
    rpc_rig_run_for(&rig, 1000000);
    assert_int_equal(rpc_pending(rig.rpc), 0);
    assert_call(&rig, "scantxoutset", "[\"status\"]", "null");
    xfree(body);
    rpc_rig_deinit(&rig);
}

/* A path of 255 steps takes 255 multiplications, and its text is short. */
TEST(descriptors_and_keys_are_read_off_the_loop)
{
    static const struct {
        const char *method, *params, *want;
    } cases[] = {
        {"getdescriptorinfo", "[\"x\"]", "-5"},
        {"scantxoutset", "[\"start\",[\"x\"]]", "-5"},
        {"utxoupdatepsbt", "[\"x\",[\"x\"]]", "-22"},
        {"descriptorprocesspsbt", "[\"x\",[\"x\"]]", "-22"},
        {"generatetodescriptor", "[1,\"x\"]", "-5"},
        {"generateblock", "[\"x\",[]]", "-5"},
        {"signrawtransactionwithkey", "[\"00\",[\"x\"]]", "-22"},
        {"combinerawtransaction", "[[\"00\"]]", "-22"},
    };
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rpc_rig_answer answer;
        char *body =
            xasprintf("{\"method\":\"%s\",\"params\":%s}", cases[i].method, cases[i].params);
        rpc_rig_post(&rig, body, &answer);
        if (answer.is_done)
            fail_msg("%s is answered at once", cases[i].method);
        rpc_rig_wait(&rig, &answer);
        assert_holds(answer.body, cases[i].want);
        rpc_rig_forget(&answer);
        xfree(body);
    }
    rpc_rig_deinit(&rig);
}
