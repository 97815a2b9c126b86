/* test_psbt_json.c - PSBTs as text and as JSON. */
#include "rpc/psbt_json.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

/* Vectors of BIP370: the fields of version 2 alone; and all of them. */
#define TXID_V2                                                                                    \
    "cHNidP8BAgQCAAAAAQQBAQEFAQIB+wQCAAAAAAEOIAsK2SFBnByHGXNdctxzn56p4GONH+TB7vD5lECEgV/IAQ8EAAAA" \
    "AAABAwgACK8vAAAAAAEEFgAUxDD2TEdW2jENvRoIVXLvKZkmJywAAQMIi73rCwAAAAABBBYAFE3Rk6yWSlasG54cyoRU" \
    "/i9HT4UTAA=="

TEST(fields_of_version_2_are_shown)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "decodepsbt", "[\"" TXID_V2 "\"]");
    assert_holds(got, "{\"global_xpubs\":[],\"psbt_version\":2,\"tx_version\":2,\"input_count\":1,"
                      "\"output_count\":2,\"proprietary\":[],\"unknown\":{},\"inputs\":[{"
                      "\"previous_txid\":"
                      "\"c85f81844094f9f0eec1e41f8d63e0a99e9f73dc725d7319871c9c4121d90a0b\","
                      "\"previous_vout\":0}]");
    assert_holds(got, "\"amount\":8.00000000,\"script\":{\"asm\":\"0 "
                      "c430f64c4756da310dbd1a085572ef299926272c\"");
    rpc_rig_deinit(&rig);
}

TEST(what_is_none_is_refused)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_string_equal(rpc_rig_call(&rig, "decodepsbt", "[\"nonsense!\"]"),
                        "-22: TX decode failed invalid base64");
    assert_string_equal(rpc_rig_call(&rig, "decodepsbt", "[\"cHNidP4=\"]"),
                        "-22: TX decode failed Invalid PSBT magic bytes: iostream error");
    rpc_rig_deinit(&rig);
}
