/* test_rpc_psbt_analyze.c - analyzepsbt tells whose turn it is. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

#define W1 "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"

enum { TEXT_MAX = 4096 };

static void copy_text(const char *json, const char *before, char out[TEXT_MAX])
{
    const char *at = strstr(json, before);
    if (!at)
        fail_msg("no %s in %s", before, json);
    at += strlen(before);
    snprintf(out, TEXT_MAX, "%.*s", (int)strcspn(at, "\""), at);
}

TEST(the_next_role_follows_from_what_is_missing)
{
    struct rpc_rig rig;
    char hash[TEXT_MAX], txid[TEXT_MAX], psbt[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    copy_text(rpc_rig_call(&rig, "generatetodescriptor", "[1,\"wpkh(" W1 ")\"]"), "[\"", hash);
    copy_text(rpc_rig_callf(&rig, "getblock", "[\"%s\"]", hash), "\"tx\":[\"", txid);
    copy_text(rpc_rig_callf(&rig, "createpsbt",
                            "[[{\"txid\":\"%s\",\"vout\":0}],[{\"data\":\"00\"}]]", txid),
              "\"", psbt);
    assert_string_equal(
        rpc_rig_callf(&rig, "analyzepsbt", "[\"%s\"]", psbt),
        "{\"inputs\":[{\"has_utxo\":false,\"is_final\":false,\"next\":\"updater\"}],"
        "\"next\":\"updater\"}");
    copy_text(rpc_rig_callf(&rig, "utxoupdatepsbt", "[\"%s\"]", psbt), "\"", psbt);
    assert_string_equal(
        rpc_rig_callf(&rig, "analyzepsbt", "[\"%s\"]", psbt),
        "{\"inputs\":[{\"has_utxo\":true,\"is_final\":false,\"next\":\"updater\",\"missing\":{"
        "\"pubkeys\":[\"751e76e8199196d454941c45d1b3a323f1433bd6\"]}}],\"fee\":50.00000000,"
        "\"next\":\"updater\"}");
    copy_text(rpc_rig_callf(&rig, "utxoupdatepsbt", "[\"%s\",[\"wpkh(" W1 ")\"]]", psbt), "\"",
              psbt);
    const char *got = rpc_rig_callf(&rig, "analyzepsbt", "[\"%s\"]", psbt);
    assert_holds(got,
                 "\"missing\":{\"signatures\":[\"751e76e8199196d454941c45d1b3a323f1433bd6\"]}");
    /* 63 bytes, and 109 of witness, which count a quarter: a signature of 71 and a key of 33. */
    assert_holds(got, "\"estimated_vsize\":91,");
    assert_holds(got, "\"next\":\"signer\"}");
    got = rpc_rig_callf(&rig, "descriptorprocesspsbt",
                        "[\"%s\",[\"wpkh(" W1 ")\"],\"ALL\",true,false]", psbt);
    copy_text(got, "\"psbt\":\"", psbt);
    assert_holds(rpc_rig_callf(&rig, "analyzepsbt", "[\"%s\"]", psbt), "\"next\":\"finalizer\"}");
    got = rpc_rig_callf(&rig, "finalizepsbt", "[\"%s\",false]", psbt);
    copy_text(got, "\"psbt\":\"", psbt);
    got = rpc_rig_callf(&rig, "analyzepsbt", "[\"%s\"]", psbt);
    assert_holds(got, "\"is_final\":true,\"next\":\"extractor\"}]");
    assert_holds(got, "\"next\":\"extractor\"}");
    rpc_rig_deinit(&rig);
}
