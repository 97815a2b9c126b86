/* test_rest_tx.c - REST about transactions, unspent outputs, the mempool. */
#include "rpc/rest.h"

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

static const struct rpc_auth_options with_rest = {.user = "u", .password = "p", .rest = true};
static const struct chain_options with_index = {.txindex = true};

static char *id_of(const struct built_block *block)
{
    char text[HEX_ID_BYTES];
    return xstrdup(hex_encode_reversed(text, span_of(block->block.txids[0].b, 32)));
}

TEST(transactions_come_from_the_index)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, &with_index, &with_rest);
    const struct built_block *block = builder_block(&rig.builder, rig.builder.genesis, NULL);
    rpc_rig_grow(&rig, block);
    char *id = id_of(block), *hex = xmalloc(2 * block->block.tx[0].raw.len + 1);
    hex_encode(hex, block->block.tx[0].raw);
    char *want = xasprintf("200 text/plain: %s", hex);
    assert_string_equal(rpc_rig_get(&rig, "/rest/tx/%s.hex", id), want);
    xfree(want);
    want = xasprintf("\"hex\":\"%s\",\"blockhash\":\"%s\"}", hex, rpc_rig_id(&rig, block));
    assert_holds(rpc_rig_get(&rig, "/rest/tx/%s.json", id), want);
    assert_string_equal(rpc_rig_get(&rig, "/rest/tx/" UNKNOWN_ID ".json"),
                        "404 text/plain: " UNKNOWN_ID " not found");
    assert_string_equal(rpc_rig_get(&rig, "/rest/tx/%sx.json", UNKNOWN_ID),
                        "400 text/plain: Invalid hash: " UNKNOWN_ID "x");
    xfree(want);
    xfree(hex);
    xfree(id);
    rpc_rig_deinit(&rig);
}

TEST(unspent_outputs_have_their_bits)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    const struct built_block *block = builder_block(&rig.builder, rig.builder.genesis, NULL);
    rpc_rig_grow(&rig, block);
    char *id = id_of(block);
    char *want = xasprintf("200 application/json: {\"chainHeight\":1,\"chaintipHash\":\"%s\","
                           "\"bitmap\":\"01\",\"utxos\":[{\"height\":1,\"value\":50.00000000,",
                           rpc_rig_id(&rig, block));
    assert_starts(rpc_rig_get(&rig, "/rest/getutxos/" UNKNOWN_ID "-0/%s-0.json", id), want);
    xfree(want);
    char hash[65];
    hex_encode(hash, span_of(block->block.hash.b, 32));
    want = xasprintf("200 text/plain: 01000000%s010201"
                     "0000000001000000"
                     "00f2052a01000000",
                     hash);
    assert_starts(rpc_rig_get(&rig, "/rest/getutxos/" UNKNOWN_ID "-0/%s-0.hex", id), want);
    xfree(want);
    xfree(id);
    rpc_rig_deinit(&rig);
}

TEST(questions_about_outputs_have_a_form)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    static const struct {
        const char *path, *want;
    } cases[] = {
        {".json", "Error: empty request"},
        {"/checkmempool.json", "Error: empty request"},
        {"/" UNKNOWN_ID ".json", "Parse error"},
        {"/" UNKNOWN_ID "-.json", "Parse error"},
        {"/" UNKNOWN_ID "-+1.json", "Parse error"},
        {"/" UNKNOWN_ID "--1.json", "Parse error"},
        {"/" UNKNOWN_ID "-4294967296.json", "Parse error"},
        {"/" UNKNOWN_ID "aa-1.json", "Parse error"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *want = xasprintf("400 text/plain: %s", cases[i].want);
        assert_string_equal(rpc_rig_get(&rig, "/rest/getutxos%s", cases[i].path), want);
        xfree(want);
    }
    assert_string_equal(rpc_rig_get(&rig, "/rest/getutxos/checkmempool/" UNKNOWN_ID "-0.json"),
                        "404 text/plain: Mempool disabled or instance not found");
    rpc_rig_deinit(&rig);
}

TEST(fifteen_outputs_may_be_asked_for)
{
    struct rpc_rig rig;
    struct buffer path;
    rpc_rig_init(&rig, NULL, &with_rest);
    buffer_init(&path);
    for (int i = 0; i < 15; i++)
        buffer_append_format(&path, "/" UNKNOWN_ID "-%d", i);
    assert_holds(rpc_rig_get(&rig, "/rest/getutxos%.*s.json", (int)path.len, path.p),
                 "\"bitmap\":\"000000000000000\",\"utxos\":[]}");
    buffer_append_format(&path, "/" UNKNOWN_ID "-15");
    assert_string_equal(rpc_rig_get(&rig, "/rest/getutxos%.*s.json", (int)path.len, path.p),
                        "400 text/plain: Error: max outpoints exceeded (max: 15, tried: 16)");
    buffer_deinit(&path);
    rpc_rig_deinit(&rig);
}

/* The status of a question by its body. */
static int post(struct rpc_rig *rig, const char *uri, struct span body)
{
    struct rpc_rig_answer answer;
    const struct rpc_request request = {.http_method = "POST", .uri = uri, .body = body};
    rpc_rig_start(rig, &request, &answer);
    int status = answer.status;
    rpc_rig_forget(&answer);
    return status;
}

TEST(outputs_may_be_named_in_the_body)
{
    struct rpc_rig rig;
    uint8_t body[2 + 36] = {0, 1};
    char hex[2 * sizeof body + 1];
    rpc_rig_init(&rig, NULL, &with_rest);
    hex_encode(hex, span_of(body, sizeof body));
    assert_int_equal(post(&rig, "/rest/getutxos.bin", span_of(body, sizeof body)), 200);
    assert_int_equal(post(&rig, "/rest/getutxos.hex", span_of_string(hex)), 200);
    assert_int_equal(post(&rig, "/rest/getutxos.bin", span_of(body, sizeof body - 1)), 400);
    assert_int_equal(post(&rig, "/rest/getutxos.hex", span_of_string(hex + 1)), 400);
    assert_int_equal(post(&rig, "/rest/getutxos.json", span_of(body, sizeof body)), 400);
    assert_int_equal(post(&rig, "/rest/getutxos/" UNKNOWN_ID "-0.bin", span_of(body, sizeof body)),
                     400);
    rpc_rig_deinit(&rig);
}

TEST(the_mempool_is_that_of_its_methods)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    assert_string_equal(rpc_rig_get(&rig, "/rest/mempool/info.json"),
                        "404 text/plain: Mempool disabled or instance not found");
    rpc_rig_add_mempool(&rig, NULL);
    char *want = xasprintf("200 application/json: %s", rpc_rig_call(&rig, "getmempoolinfo", "[]"));
    assert_string_equal(rpc_rig_get(&rig, "/rest/mempool/info.json"), want);
    xfree(want);
    assert_string_equal(rpc_rig_get(&rig, "/rest/mempool/contents.json"),
                        "200 application/json: {}");
    assert_string_equal(rpc_rig_get(&rig, "/rest/mempool/contents.json?verbose=false"),
                        "200 application/json: []");
    assert_starts(
        rpc_rig_get(&rig, "/rest/mempool/contents.json?verbose=false&mempool_sequence=true"),
        "200 application/json: {\"txids\":[],\"mempool_sequence\":");
    assert_starts(rpc_rig_get(&rig, "/rest/mempool/contents.json?mempool_sequence=true"),
                  "400 text/plain: Verbose results cannot contain");
    assert_string_equal(
        rpc_rig_get(&rig, "/rest/mempool/contents.json?verbose=1"),
        "400 text/plain: The \"verbose\" query parameter must be either \"true\" or "
        "\"false\".");
    assert_starts(rpc_rig_get(&rig, "/rest/mempool/other.json"),
                  "400 text/plain: Invalid URI format.");
    rpc_rig_deinit(&rig);
}
