/* test_rest_watch.c - whether the node is alive, of use, and how it is. */
#include "rpc/rest.h"

#include "support/rpc_rig.h"
#include "support/unit.h"

TEST(a_node_is_ready_when_it_has_caught_up)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_string_equal(rpc_rig_get(&rig, "/livez"), "200 text/plain: ok");
    assert_string_equal(rpc_rig_get(&rig, "/readyz"),
                        "503 text/plain: not ready: initial block download");
    rig.warmup = "Replaying";
    assert_string_equal(rpc_rig_get(&rig, "/livez"), "200 text/plain: ok");
    assert_string_equal(rpc_rig_get(&rig, "/readyz"), "503 text/plain: not ready: Replaying");
    rig.warmup = "";
    (void)rpc_rig_call(&rig, "generatetodescriptor", "[1,\"raw(51)\"]");
    assert_string_equal(rpc_rig_get(&rig, "/readyz"), "200 text/plain: ok");
    rpc_interrupt(rig.rpc);
    assert_string_equal(rpc_rig_get(&rig, "/livez?verbose"), "200 text/plain: ok");
    assert_string_equal(rpc_rig_get(&rig, "/readyz"),
                        "503 text/plain: not ready: shutting down");
    rpc_rig_deinit(&rig);
}

static struct rpc_rig_answer metrics_of(struct rpc_rig *rig)
{
    struct rpc_rig_answer answer;
    const struct rpc_request request = {.http_method = "GET", .uri = "/metrics"};
    rpc_rig_start(rig, &request, &answer);
    assert_int_equal(answer.status, 200);
    assert_starts(answer.content_type, "text/plain; version=0.0.4");
    return answer;
}

TEST(metrics_are_what_there_is)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 3, NULL));
    struct rpc_rig_answer answer = metrics_of(&rig);
    assert_holds(answer.body, "bitcoin_info{version=\"");
    assert_holds(answer.body, "\",chain=\"regtest\"} 1\n");
    assert_holds(answer.body,
                 "# HELP bitcoin_blocks Height of the tip\n# TYPE bitcoin_blocks gauge\n"
                 "bitcoin_blocks 3\n");
    assert_holds(answer.body, "\nbitcoin_uptime 7\n");
    assert_null(strstr(answer.body, "bitcoin_mempool"));
    assert_null(strstr(answer.body, "bitcoin_peers"));
    rpc_rig_forget(&answer);
    rpc_rig_add_mempool(&rig, NULL);
    answer = metrics_of(&rig);
    assert_holds(answer.body, "\nbitcoin_mempool_size 0\n");
    rpc_rig_forget(&answer);
    rig.warmup = "Replaying";
    answer = metrics_of(&rig);
    assert_null(strstr(answer.body, "bitcoin_blocks"));
    assert_holds(answer.body, "\nbitcoin_ready 0\n");
    rpc_rig_forget(&answer);
    rpc_rig_deinit(&rig);
}
