/* test_rest.c - routes of REST: who may take them, and when. */
#include "rpc/rest.h"

#include "support/rpc_rig.h"
#include "support/unit.h"

static const struct rpc_auth_options with_rest = {.user = "u", .password = "p", .rest = true};

TEST(routes_are_found_by_their_beginning)
{
    assert_null(rest_find("/"));
    assert_null(rest_find("/rest"));
    assert_null(rest_find("/rest/"));
    assert_null(rest_find("/rest/blocks/x"));
    assert_ptr_equal(rest_find("/rest/tx/x")->handler, rest_tx);
    assert_true(rest_find("/rest/tx/x")->flags & REST_LARGE); /* JSON of a transaction of 4 MB */
    assert_ptr_equal(rest_find("/rest/block/x")->handler, rest_block);
    assert_ptr_equal(rest_find("/rest/block/notxdetails/x")->handler, rest_block_notxdetails);
    assert_ptr_equal(rest_find("/rest/deploymentinfo.json")->handler, rest_deploymentinfo);
    assert_string_equal(rest_find("/rest/deploymentinfo/x")->prefix, "/rest/deploymentinfo/");
}

TEST(nothing_is_there_without_the_option)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_string_equal(rpc_rig_get(&rig, "/rest/chaininfo.json"),
                        "404 text/plain; charset=utf-8: ");
    rpc_rig_deinit(&rig);
    rpc_rig_init(&rig, NULL, &with_rest);
    assert_starts(rpc_rig_get(&rig, "/rest/chaininfo.json"), "200 application/json: {\"chain\":");
    rpc_rig_deinit(&rig);
}

TEST(who_comes_too_early_or_too_late_is_told_so)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    rig.warmup = "Replaying blocks";
    assert_string_equal(rpc_rig_get(&rig, "/rest/chaininfo.json"),
                        "503 text/plain: Service temporarily unavailable: Replaying blocks");
    rig.warmup = "";
    rpc_interrupt(rig.rpc);
    assert_starts(rpc_rig_get(&rig, "/rest/chaininfo.json"), "503 text/plain");
    rpc_rig_deinit(&rig);
}

TEST(an_unknown_format_is_refused)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    assert_string_equal(rpc_rig_get(&rig, "/rest/chaininfo.hex"),
                        "404 text/plain: output format not found (available: json)");
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockhashbyheight/0"),
                        "404 text/plain: output format not found (available: .bin, .hex, .json)");
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockhashbyheight/0.xml"),
                        "400 text/plain: Invalid height: 0.xml");
    rpc_rig_deinit(&rig);
}

TEST(a_body_has_its_limit)
{
    struct rpc_rig rig;
    static uint8_t body[REST_BODY_BYTES_MAX + 1];
    rpc_rig_init(&rig, NULL, &with_rest);
    struct rpc_request request = {.http_method = "POST",
                                  .uri = "/rest/getutxos.bin",
                                  .body = span_of(body, REST_BODY_BYTES_MAX)};
    struct rpc_rig_answer answer;
    rpc_rig_start(&rig, &request, &answer);
    assert_int_equal(answer.status, 200); /* no mempool, no outpoints, and what nobody looks at */
    rpc_rig_forget(&answer);
    request.body.len++;
    rpc_rig_start(&rig, &request, &answer);
    assert_int_equal(answer.status, 413);
    rpc_rig_forget(&answer);
    rpc_rig_deinit(&rig);
}
