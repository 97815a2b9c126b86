/* test_rpc_combine.c - combinerawtransaction. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

/* The secret keys 1 and 2, their public keys, and the script that takes both. */
#define WIF_1 "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
#define WIF_2 "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87K7XCyj5v"
#define SCRIPT                                                                                     \
    "52210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179821"                     \
    "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee552ae"
#define P2WSH "00209b984c7bae3efddc3a3f0a20ff81bfe89ed1fe07ff13e562149ee654bed845db"
#define P2SH  "a91412fcac201d73f5b5dba0f1f22c40f02da17bb4a487"

enum { TEXT_MAX = 2048 };

static void copy_member(const char *json, const char *name, char out[TEXT_MAX])
{
    const char *at = strstr(json, name);
    if (!at)
        fail_msg("no %s in %s", name, json);
    at += strlen(name);
    snprintf(out, TEXT_MAX, "%.*s", (int)strcspn(at, "\""), at);
}

/* A transaction that spends a mined output of that script. */
static void make_unsigned(struct rpc_rig *rig, const char *script, char txid[TEXT_MAX],
                          char raw[TEXT_MAX])
{
    const char *got = rpc_rig_callf(rig, "generatetodescriptor", "[1,\"raw(%s)\"]", script);
    copy_member(got, "[\"", txid);
    copy_member(rpc_rig_callf(rig, "getblock", "[\"%s\"]", txid), "\"tx\":[\"", txid);
    (void)rpc_rig_call(rig, "generatetodescriptor", "[100,\"raw(51)\"]");
    got = rpc_rig_callf(rig, "createrawtransaction",
                        "[[{\"txid\":\"%s\",\"vout\":0}],[{\"data\":\"00\"}]]", txid);
    snprintf(raw, TEXT_MAX, "%.*s", (int)strlen(got) - 2, got + 1);
}

static void sign(struct rpc_rig *rig, const char *raw, const char *key, const char *script,
                 const char *txid, bool is_complete, char out[TEXT_MAX])
{
    const char *got =
        rpc_rig_callf(rig, "signrawtransactionwithkey",
                      "[\"%s\",[\"%s\"],[{\"txid\":\"%s\",\"vout\":0,\"scriptPubKey\":\"%s\","
                      "\"redeemScript\":\"" SCRIPT "\",\"amount\":50}]]",
                      raw, key, txid, script);
    assert_holds(got, is_complete ? "\"complete\":true" : "\"complete\":false");
    copy_member(got, "{\"hex\":\"", out);
}

TEST(signatures_of_two_copies_come_together)
{
    static const char *const scripts[] = {P2WSH, P2SH};
    struct rpc_rig rig;
    char txid[TEXT_MAX], raw[TEXT_MAX], one[TEXT_MAX], two[TEXT_MAX], both[TEXT_MAX],
        want[TEXT_MAX + 2];
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        make_unsigned(&rig, scripts[i], txid, raw);
        sign(&rig, raw, WIF_1, scripts[i], txid, false, one);
        sign(&rig, raw, WIF_2, scripts[i], txid, false, two);
        sign(&rig, one, WIF_2, scripts[i], txid, true, both);
        /* In any order, and with a copy that has nothing or all. */
        const char *const lists[][3] = {
            {one, two, raw}, {two, one, raw}, {raw, two, one}, {raw, one, both}, {both, raw, raw}};
        for (size_t k = 0; k < COUNT_OF(lists); k++) {
            const char *got =
                rpc_rig_callf(&rig, "combinerawtransaction", "[[\"%s\",\"%s\",\"%s\"]]",
                              lists[k][0], lists[k][1], lists[k][2]);
            snprintf(want, sizeof want, "\"%s\"", both);
            assert_string_equal(got, want);
        }
        /* What is not complete stays as it is. */
        const char *got =
            rpc_rig_callf(&rig, "combinerawtransaction", "[[\"%s\",\"%s\"]]", one, one);
        snprintf(want, sizeof want, "\"%s\"", one);
        assert_string_equal(got, want);
        assert_starts(rpc_rig_callf(&rig, "generateblock", "[\"raw(51)\",[\"%s\"]]", both),
                      "{\"hash\":");
        got = rpc_rig_callf(&rig, "combinerawtransaction", "[[\"%s\",\"%s\"]]", one, two);
        assert_string_equal(got, "-25: Input not found or already spent");
    }
    rpc_rig_deinit(&rig);
}

TEST(what_does_not_belong_together_is_refused)
{
    struct rpc_rig rig;
    char txid[TEXT_MAX], raw[TEXT_MAX], other[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    make_unsigned(&rig, P2WSH, txid, raw);
    static const char *const ends[] = {"[{\"data\":\"00\"}],1", "[{\"data\":\"01\"}]",
                                       "[{\"data\":\"00\"}],0,true,1"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        const char *got = rpc_rig_callf(&rig, "createrawtransaction",
                                        "[[{\"txid\":\"%s\",\"vout\":0}],%s]", txid, ends[i]);
        snprintf(other, sizeof other, "%s", got);
        got = rpc_rig_callf(&rig, "combinerawtransaction", "[[\"%s\",%s]]", raw, other);
        assert_string_equal(got, "-8: Transaction number 2 not compatible with first transaction");
    }
    assert_call(&rig, "combinerawtransaction", "[[]]",
                "-22: Missing transactions. At least two transactions required.");
    const char *got = rpc_rig_callf(&rig, "combinerawtransaction", "[[\"%s\"]]", raw);
    assert_string_equal(got, "-22: Missing transactions. At least two transactions required.");
    got = rpc_rig_callf(&rig, "combinerawtransaction", "[[\"%s\",\"%s00\"]]", raw, raw);
    assert_string_equal(got, "-22: TX decode failed for tx 1. Make sure the tx has at least one "
                             "input.");
    rpc_rig_deinit(&rig);
}
