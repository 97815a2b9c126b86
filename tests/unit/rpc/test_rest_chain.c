/* test_rest_chain.c - REST about headers, heights and the chain. */
#include "rpc/rest.h"

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

static const struct rpc_auth_options with_rest = {.user = "u", .password = "p", .rest = true};

TEST(headers_go_on_from_a_hash)
{
    struct rpc_rig rig;
    char want[2 * 4 * BLOCK_HEADER_BYTES + 64], *at = want;
    const struct built_block *blocks[3];
    rpc_rig_init(&rig, NULL, &with_rest);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 3, blocks));
    at += sprintf(at, "200 text/plain: ");
    for (int i = 1; i < 3; i++) {
        hex_encode(at, span_of(blocks[i]->block.raw.p, BLOCK_HEADER_BYTES));
        at += 2 * BLOCK_HEADER_BYTES;
    }
    const char *id = rpc_rig_id(&rig, blocks[1]);
    assert_string_equal(rpc_rig_get(&rig, "/rest/headers/%s.hex", id), want);
    assert_string_equal(rpc_rig_get(&rig, "/rest/headers/2/%s.hex", id), want);
    want[16 + 2 * BLOCK_HEADER_BYTES] = '\0';
    assert_string_equal(rpc_rig_get(&rig, "/rest/headers/%s.hex?count=1", id), want);
    char *header = xstrdup(rpc_rig_callf(&rig, "getblockheader", "[\"%s\"]", id));
    char *json = xasprintf("200 application/json: [%s]", header);
    assert_string_equal(rpc_rig_get(&rig, "/rest/headers/%s.json?count=1", id), json);
    xfree(header);
    xfree(json);
    rpc_rig_deinit(&rig);
}

TEST(headers_that_are_not_there_are_none)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    assert_string_equal(rpc_rig_get(&rig, "/rest/headers/" UNKNOWN_ID ".json"),
                        "200 application/json: []");
    assert_string_equal(rpc_rig_get(&rig, "/rest/headers/12.json"),
                        "400 text/plain: Invalid hash: 12");
    assert_string_equal(
        rpc_rig_get(&rig, "/rest/headers/1/2/3.json"),
        "400 text/plain: Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>");
    rpc_rig_deinit(&rig);
}

TEST(heights_have_hashes)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    const char *id = rpc_rig_id(&rig, rig.builder.genesis);
    char *hex = xasprintf("200 text/plain: %s", id);
    char *json = xasprintf("200 application/json: {\"blockhash\":\"%s\"}", id);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockhashbyheight/0.hex"), hex);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockhashbyheight/0.json"), json);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockhashbyheight/1.json"),
                        "404 text/plain: Block height out of range");
    static const char *const bad[] = {"", "-1", "+0", "2147483648", "x"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char *want = xasprintf("400 text/plain: Invalid height: %s", bad[i]);
        assert_string_equal(rpc_rig_get(&rig, "/rest/blockhashbyheight/%s.json", bad[i]), want);
        xfree(want);
    }
    xfree(hex);
    xfree(json);
    rpc_rig_deinit(&rig);
}

TEST(deployments_are_those_of_a_block)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    char *want =
        xasprintf("200 application/json: %s", rpc_rig_call(&rig, "getdeploymentinfo", "[]"));
    assert_string_equal(rpc_rig_get(&rig, "/rest/deploymentinfo.json"), want);
    assert_string_equal(
        rpc_rig_get(&rig, "/rest/deploymentinfo/%s.json", rpc_rig_id(&rig, rig.builder.genesis)),
        want);
    assert_string_equal(rpc_rig_get(&rig, "/rest/deploymentinfo/" UNKNOWN_ID ".json"),
                        "400 text/plain: Block not found");
    assert_string_equal(rpc_rig_get(&rig, "/rest/deploymentinfo/xy.json"),
                        "400 text/plain: Invalid hash: xy");
    xfree(want);
    rpc_rig_deinit(&rig);
}
