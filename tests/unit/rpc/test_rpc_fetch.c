/* test_rpc_fetch.c - fetchtxoutset: what is handed on, and what is told. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

/* A node that notes its orders. */
struct noted {
    struct rpc_coins_fetch_info info;
    struct coin_vouch vouch;
    size_t n_starts, n_stops;
    const char *error;
};

static const char *start(void *ctx, const struct coin_vouch *vouch)
{
    struct noted *noted = ctx;
    noted->n_starts++;
    noted->vouch = *vouch;
    return noted->error;
}

static bool stop(void *ctx)
{
    ((struct noted *)ctx)->n_stops++;
    return true;
}

static void tell(void *ctx, struct rpc_coins_fetch_info *info)
{
    *info = ((struct noted *)ctx)->info;
}

#define HASH_1 "00000000000000000000000000000000000000000000000000000000000000a1"
#define HASH_2 "00000000000000000000000000000000000000000000000000000000000000b2"

TEST(orders_are_handed_on_and_the_state_is_told)
{
    struct rpc_rig rig;
    struct noted noted = {.info = {.state = "waiting", .path = "p"}};
    const struct rpc_coins_fetch fetch = {
        .ctx = &noted, .start = start, .stop = stop, .tell = tell};
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "fetchtxoutset", "[\"status\"]",
                "-31: Error: Peer-to-peer functionality missing or disabled");
    rig.node.coins_fetch = &fetch;
    assert_call(&rig, "fetchtxoutset", "[\"start\"]",
                "{\"state\":\"waiting\",\"refused\":0,\"path\":\"p\"}");
    static const struct coin_vouch none;
    assert_memory_equal(&noted.vouch, &none, sizeof none);
    assert_starts(
        rpc_rig_call(&rig, "fetchtxoutset", "[\"start\",\"" HASH_1 "\",\"" HASH_2 "\",7]"), "{");
    assert_int_equal(noted.vouch.base.b[0], 0xa1);
    assert_int_equal(noted.vouch.coins_hash[0], 0xb2);
    assert_int_equal(noted.vouch.chain_tx, 7);
    noted.info = (struct rpc_coins_fetch_info){.state = "fetching",
                                               .path = "p",
                                               .base.b = {0xa1},
                                               .n_bytes = 300000,
                                               .n_chunks = 2,
                                               .n_have = 1,
                                               .n_peers = 3,
                                               .n_left = 4};
    assert_call(&rig, "fetchtxoutset", "[\"stop\"]",
                "{\"state\":\"fetching\",\"base_hash\":\"" HASH_1 "\",\"bytes\":300000,"
                "\"chunks\":2,\"chunks_here\":1,\"peers\":3,\"refused\":4,\"path\":\"p\"}");
    noted.info = (struct rpc_coins_fetch_info){.state = "failed", .path = "p", .error = "why"};
    assert_call(&rig, "fetchtxoutset", "[\"status\"]",
                "{\"state\":\"failed\",\"refused\":0,\"path\":\"p\",\"error\":\"why\"}");
    assert_int_equal(noted.n_starts, 2);
    assert_int_equal(noted.n_stops, 1);
    noted.error = "not now";
    assert_call(&rig, "fetchtxoutset", "[\"start\"]", "-1: not now");
    rpc_rig_deinit(&rig);
}

TEST(what_is_no_order_is_refused)
{
    struct rpc_rig rig;
    struct noted noted = {.info = {.state = "none", .path = "p"}};
    const struct rpc_coins_fetch fetch = {
        .ctx = &noted, .start = start, .stop = stop, .tell = tell};
    static const struct {
        const char *params, *want;
    } rows[] = {
        {"[\"go\"]", "-8: Invalid action 'go'"},
        {"[\"start\",\"" HASH_1 "\"]", "-8: txoutset_hash must be a hash of 64 hex digits, not ''"},
        {"[\"start\",null,\"" HASH_1 "\"]",
         "-8: blockhash must be a hash of 64 hex digits, not ''"},
        {"[\"start\",\"" HASH_1 "\",\"" HASH_2 "\",-1]", "-8: nchaintx must not be negative"},
    };
    rpc_rig_init(&rig, NULL, NULL);
    rig.node.coins_fetch = &fetch;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_call(&rig, "fetchtxoutset", rows[i].params, rows[i].want);
    assert_int_equal(noted.n_starts + noted.n_stops, 0);
    rpc_rig_deinit(&rig);
}
