/* test_rpc_blockchain.c - what is told about chain, headers and tips. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/hex.h"

#define TARGET "7fffff0000000000000000000000000000000000000000000000000000000000"
#define POW_TEXT                                                                                   \
    "\"bits\":\"207fffff\",\"target\":\"" TARGET "\",\"difficulty\":4.656542373906925e-10"
#define GENESIS      "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
#define GENESIS_ROOT "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"

static const char *id_of(const struct built_block *block, char out[HEX_ID_BYTES])
{
    return hex_encode_reversed(out, span_of(block->block.hash.b, 32));
}

TEST(a_new_chain_is_at_genesis)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "getblockcount", "[]", "0");
    assert_call(&rig, "getbestblockhash", "[]", "\"" GENESIS "\"");
    assert_call(&rig, "getblockhash", "[0]", "\"" GENESIS "\"");
    assert_call(&rig, "getdifficulty", "[]", "4.656542373906925e-10");
    assert_call(&rig, "getchaintips", "[]",
                "[{\"height\":0,\"hash\":\"" GENESIS "\",\"branchlen\":0,\"status\":\"active\"}]");
    assert_call(&rig, "getblockheader", "[\"" GENESIS "\"]",
                "{\"hash\":\"" GENESIS "\",\"confirmations\":1,\"height\":0,\"version\":1,"
                "\"versionHex\":\"00000001\",\"merkleroot\":\"" GENESIS_ROOT "\","
                "\"time\":1296688602,\"mediantime\":1296688602,\"nonce\":2," POW_TEXT ","
                "\"chainwork\":"
                "\"0000000000000000000000000000000000000000000000000000000000000002\",\"nTx\":1}");
    assert_call(&rig, "getblockheader", "[\"" GENESIS "\",false]",
                "\"0100000000000000000000000000000000000000000000000000000000000000000000003ba3"
                "edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002"
                "000000\"");
    rpc_rig_deinit(&rig);
}

TEST(chain_info_has_all_fields_in_order)
{
    struct rpc_rig rig;
    char want[1024], id[HEX_ID_BYTES];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *tip = builder_blocks(&rig.builder, rig.builder.genesis, 3, NULL);
    rpc_rig_grow(&rig, tip);
    const char *got = rpc_rig_call(&rig, "getblockchaininfo", "[]");
    snprintf(want, sizeof want,
             "{\"chain\":\"regtest\",\"blocks\":3,\"headers\":3,\"bestblockhash\":\"%s\"," POW_TEXT
             ",\"time\":%u,\"mediantime\":%u,\"verificationprogress\":",
             id_of(tip, id), tip->block.header.time, tip->prev->block.header.time);
    assert_starts(got, want);
    assert_non_null(strstr(got, ",\"initialblockdownload\":true,\"chainwork\":"
                                "\"00000000000000000000000000000000000000000000000000000000000000"
                                "08\",\"size_on_disk\":"));
    assert_non_null(strstr(got, ",\"pruned\":false,\"warnings\":[]}"));
    rig.warnings[0] = "disk is \"hot\"";
    rig.warnings[1] = "clock is slow";
    got = rpc_rig_call(&rig, "getblockchaininfo", "[]");
    assert_non_null(strstr(got, "\"warnings\":[\"disk is \\\"hot\\\"\",\"clock is slow\"]}"));
    rpc_rig_deinit(&rig);
}

TEST(old_clients_get_warnings_as_a_string)
{
    struct rpc_auth_options auth = {
        .user = "u", .password = "p", .deprecated_warnings_string = true};
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &auth);
    assert_non_null(strstr(rpc_rig_call(&rig, "getblockchaininfo", "[]"), "\"warnings\":\"\"}"));
    rig.warnings[0] = "v";
    rig.warnings[1] = "w";
    assert_non_null(strstr(rpc_rig_call(&rig, "getblockchaininfo", "[]"), "\"warnings\":\"w\"}"));
    rpc_rig_deinit(&rig);
}

TEST(pruning_shows_in_the_chain_info)
{
    struct chain_options options = {.prune = true};
    struct rpc_rig rig;
    rpc_rig_init(&rig, &options, NULL);
    assert_non_null(strstr(rpc_rig_call(&rig, "getblockchaininfo", "[]"),
                           "\"pruned\":true,\"pruneheight\":0,\"automatic_pruning\":false,"
                           "\"warnings\""));
    rpc_rig_deinit(&rig);
    options.prune_target_bytes = CHAIN_PRUNE_MIN_BYTES;
    rpc_rig_init(&rig, &options, NULL);
    assert_non_null(strstr(rpc_rig_call(&rig, "getblockchaininfo", "[]"),
                           "\"automatic_pruning\":true,\"prune_target_size\":576716800,"));
    rpc_rig_deinit(&rig);
}

TEST(blocks_are_named_by_height_and_hash)
{
    struct rpc_rig rig;
    char id[HEX_ID_BYTES], next[HEX_ID_BYTES], want[256];
    const struct built_block *blocks[3];
    rpc_rig_init(&rig, NULL, NULL);
    builder_blocks(&rig.builder, rig.builder.genesis, 3, blocks);
    rpc_rig_grow(&rig, blocks[2]);
    snprintf(want, sizeof want, "\"%s\"", id_of(blocks[1], id));
    assert_call(&rig, "getblockhash", "[2]", want);
    assert_call(&rig, "getblockhash", "[4]", "-8: Block height out of range");
    assert_call(&rig, "getblockhash", "[-1]", "-8: Block height out of range");
    assert_call(&rig, "getblockhash", "[2147483648]", "-1: JSON integer out of range");
    assert_call(&rig, "getblockhash", "[0.5]", "-1: JSON integer out of range");
    const char *got = rpc_rig_callf(&rig, "getblockheader", "[\"%s\"]", id);
    assert_non_null(strstr(got, "\"confirmations\":2,\"height\":2,"));
    snprintf(want, sizeof want, "\"nextblockhash\":\"%s\"}", id_of(blocks[2], next));
    assert_non_null(strstr(got, want));
    snprintf(want, sizeof want, "\"previousblockhash\":\"%s\"", id_of(blocks[0], next));
    assert_non_null(strstr(got, want));
    assert_call(&rig, "getblockheader", "[\"nonsense\"]",
                "-8: hash must be of length 64 (not 8, for 'nonsense')");
    assert_call(&rig, "getblockheader", "[\"z" TARGET "\"]",
                "-8: hash must be of length 64 (not 65, for 'z" TARGET "')");
    assert_call(&rig, "getblockheader", "[\"" TARGET "\"]", "-5: Block not found");
    rpc_rig_deinit(&rig);
}

TEST(tips_of_all_branches_are_told)
{
    struct rpc_rig rig;
    char a[HEX_ID_BYTES], b[HEX_ID_BYTES], c[HEX_ID_BYTES], d[HEX_ID_BYTES], want[1024];
    const struct built_block *active[3], *loser[2], *header[1], *bad[1];
    struct verdict verdict;
    rpc_rig_init(&rig, NULL, NULL);
    builder_blocks(&rig.builder, rig.builder.genesis, 3, active);
    builder_blocks(&rig.builder, rig.builder.genesis, 2, loser);
    builder_blocks(&rig.builder, active[0], 1, header);
    builder_blocks(&rig.builder, active[1], 1, bad);
    rpc_rig_grow(&rig, active[2]);
    rpc_rig_grow(&rig, loser[1]);
    rpc_rig_grow(&rig, bad[0]);
    rpc_rig_callf(&rig, "invalidateblock", "[\"%s\"]", id_of(bad[0], d));
    assert_non_null(chain_accept_header(rig.chain.chain, &header[0]->block.header, &verdict));
    const char *got = rpc_rig_call(&rig, "getchaintips", "[]");
    snprintf(want, sizeof want,
             "{\"height\":3,\"hash\":\"%s\",\"branchlen\":0,\"status\":\"active\"}",
             id_of(active[2], a));
    assert_non_null(strstr(got, want));
    snprintf(want, sizeof want,
             "{\"height\":2,\"hash\":\"%s\",\"branchlen\":2,\"status\":\"valid-headers\"}",
             id_of(loser[1], b));
    assert_non_null(strstr(got, want));
    snprintf(want, sizeof want,
             "{\"height\":2,\"hash\":\"%s\",\"branchlen\":1,\"status\":\"headers-only\"}",
             id_of(header[0], c));
    assert_non_null(strstr(got, want));
    snprintf(want, sizeof want,
             "{\"height\":3,\"hash\":\"%s\",\"branchlen\":1,\"status\":\"invalid\"}", d);
    assert_non_null(strstr(got, want));
    /* The highest first. */
    assert_starts(got, "[{\"height\":3,");
    assert_non_null(strstr(got, "\"height\":2"));
    rpc_rig_deinit(&rig);
}

TEST(a_branch_once_connected_is_a_valid_fork)
{
    struct rpc_rig rig;
    const struct built_block *first[1], *second[2];
    rpc_rig_init(&rig, NULL, NULL);
    builder_blocks(&rig.builder, rig.builder.genesis, 1, first);
    builder_blocks(&rig.builder, rig.builder.genesis, 2, second);
    rpc_rig_grow(&rig, first[0]);
    rpc_rig_grow(&rig, second[1]);
    assert_non_null(strstr(rpc_rig_call(&rig, "getchaintips", "[]"),
                           "\"branchlen\":1,\"status\":\"valid-fork\"}]"));
    rpc_rig_deinit(&rig);
}

TEST(the_one_chain_state_is_told)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "getchainstates", "[]");
    static const char head[] = "{\"headers\":0,\"chainstates\":[{\"blocks\":0,\"bestblockhash\":"
                               "\"" GENESIS "\"," POW_TEXT ",\"verificationprogress\":";
    assert_starts(got, head);
    assert_non_null(strstr(got, "\"coins_db_cache_bytes\":"));
    assert_non_null(strstr(got, "\"coins_tip_cache_bytes\":4194304,\"validated\":true}]}"));
    rpc_rig_deinit(&rig);
}

TEST(deployments_are_told)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 2, NULL));
    const char *got = rpc_rig_call(&rig, "getdeploymentinfo", "[]");
    assert_non_null(strstr(got, "\"height\":2,\"script_flags\":[\"CHECKLOCKTIMEVERIFY\","
                                "\"CHECKSEQUENCEVERIFY\",\"DERSIG\",\"NULLDUMMY\",\"P2SH\","
                                "\"TAPROOT\",\"WITNESS\"],\"deployments\":{\"bip34\":{\"type\":"
                                "\"buried\",\"active\":true,\"height\":1}"));
    assert_non_null(strstr(got, "\"segwit\":{\"type\":\"buried\",\"active\":true,\"height\":0}"));
    assert_null(strstr(got, "\"taproot\"")); /* as in Core: it always holds */
    assert_non_null(strstr(got, "\"testdummy\":{\"type\":\"bip9\",\"active\":false,\"bip9\":{"));
    assert_non_null(strstr(got, "\"status\":\"defined\",\"since\":0,\"status_next\":\"defined\""));
    assert_string_equal(rpc_rig_call(&rig, "getdeploymentinfo", "[\"" TARGET "\"]"),
                        "-5: Block not found");
    rpc_rig_deinit(&rig);
}

TEST(a_started_deployment_has_statistics)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 145, NULL));
    const char *got = rpc_rig_call(&rig, "getdeploymentinfo", "[]");
    assert_non_null(strstr(got, "\"bit\":28,\"start_time\":0,"));
    assert_non_null(strstr(got, "\"status\":\"started\",\"since\":144,\"status_next\":\"started\","
                                "\"statistics\":{\"period\":144,\"elapsed\":2,\"count\":"));
    assert_non_null(strstr(got, ",\"threshold\":108,\"possible\":"));
    rpc_rig_deinit(&rig);
}

TEST(indexes_are_told)
{
    struct chain_options options = {.txindex = true};
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "getindexinfo", "[]", "{}");
    rpc_rig_deinit(&rig);
    rpc_rig_init(&rig, &options, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 2, NULL));
    assert_call(&rig, "getindexinfo", "[]",
                "{\"txindex\":{\"synced\":true,\"best_block_height\":2}}");
    assert_call(&rig, "getindexinfo", "[\"txindex\"]",
                "{\"txindex\":{\"synced\":true,\"best_block_height\":2}}");
    assert_call(&rig, "getindexinfo", "[\"other\"]", "{}");
    rpc_rig_deinit(&rig);
}
