/* test_rpc_psbt.c - PSBTs made, joined, combined and made final. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

#define TX(n)   "0000000000000000000000000000000000000000000000000000000000000" n
#define ADDRESS "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

enum { TEXT_MAX = 1024 };

static void make(struct rpc_rig *rig, const char *txid, const char *rest, char out[TEXT_MAX])
{
    const char *got = rpc_rig_callf(
        rig, "createpsbt", "[[{\"txid\":\"%s\",\"vout\":1}],[{\"" ADDRESS "\":1}]%s]", txid, rest);
    if (*got != '"')
        fail_msg("%s", got);
    snprintf(out, TEXT_MAX, "%.*s", (int)strlen(got) - 2, got + 1);
}

TEST(versions_are_those_that_were_asked_for)
{
    struct rpc_rig rig;
    char psbt[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    make(&rig, TX("abc"), ",7,true,3,0", psbt);
    const char *got = rpc_rig_callf(&rig, "decodepsbt", "[\"%s\"]", psbt);
    assert_holds(got, "\"version\":3");
    assert_holds(got, "\"locktime\":7");
    assert_holds(got, "\"psbt_version\":0");
    assert_holds(got, "\"inputs\":[{}],\"outputs\":[{}]}");
    make(&rig, TX("abc"), ",7,true,3", psbt);
    got = rpc_rig_callf(&rig, "decodepsbt", "[\"%s\"]", psbt);
    assert_holds(got, "\"psbt_version\":2,\"tx_version\":3,\"fallback_locktime\":7");
    assert_string_equal(rpc_rig_call(&rig, "createpsbt", "[[],[],0,true,2,1]"),
                        "-8: The PSBT version can only be 2 or 0");
    rpc_rig_deinit(&rig);
}

TEST(joined_ones_have_all_inputs_once)
{
    struct rpc_rig rig;
    char a[TEXT_MAX], b[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    make(&rig, TX("aaa"), ",0,true,2,0", a);
    make(&rig, TX("bbb"), ",0,true,2,0", b);
    const char *got = rpc_rig_callf(&rig, "joinpsbts", "[[\"%s\",\"%s\"]]", a, b);
    char joined[TEXT_MAX];
    snprintf(joined, sizeof joined, "%.*s", (int)strlen(got) - 2, got + 1);
    got = rpc_rig_callf(&rig, "decodepsbt", "[\"%s\"]", joined);
    assert_holds(got, TX("aaa"));
    assert_holds(got, TX("bbb"));
    assert_holds(got, "\"inputs\":[{},{}],\"outputs\":[{},{}]}");
    assert_string_equal(rpc_rig_callf(&rig, "joinpsbts", "[[\"%s\",\"%s\"]]", a, a),
                        "-8: Input " TX("aaa") ":1 exists in multiple PSBTs");
    assert_string_equal(rpc_rig_callf(&rig, "joinpsbts", "[[\"%s\"]]", a),
                        "-8: At least two PSBTs are required to join PSBTs.");
    assert_string_equal(rpc_rig_callf(&rig, "combinepsbt", "[[\"%s\",\"%s\"]]", a, b),
                        "-8: PSBTs not compatible (different transactions)");
    assert_string_equal(rpc_rig_call(&rig, "combinepsbt", "[[]]"),
                        "-8: Parameter 'txs' cannot be empty");
    rpc_rig_deinit(&rig);
}

TEST(signatures_are_not_lost_unasked)
{
    static const char signed_tx[] =
        "0200000001" TX("abc") "010000000151ffffffff0100e1f505000000000151"
                               "00000000";
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_string_equal(rpc_rig_callf(&rig, "converttopsbt", "[\"%s\"]", signed_tx),
                        "-22: Inputs must not have scriptSigs and scriptWitnesses");
    const char *got = rpc_rig_callf(&rig, "converttopsbt", "[\"%s\",true,false,0]", signed_tx);
    assert_holds(got, "\"cHNidP8B");
    char psbt[TEXT_MAX];
    snprintf(psbt, sizeof psbt, "%.*s", (int)strlen(got) - 2, got + 1);
    got = rpc_rig_callf(&rig, "finalizepsbt", "[\"%s\"]", psbt);
    assert_holds(got, "\"complete\":false}");
    assert_holds(got, psbt);
    rpc_rig_deinit(&rig);
}
