/* test_rpc_package.c - transactions judged, and sent, together. */
#include "pool_fixture.h"
#include "rpc/methods.h"

static int setup(void **state)
{
    *state = fixture_new(POOL_FIXTURE_COINS_MAX, NULL);
    return 0;
}

FIXTURE(setup, teardown)

/* The answer for a package of two or three; c may be NULL. */
static const char *test_package(struct fixture *f, const struct tx *a, const struct tx *b,
                                const struct tx *c)
{
    char first[4000], second[4000];
    snprintf(first, sizeof first, "%s", hex_of(f, a));
    if (!c)
        return rpc_rig_callf(&f->rig, "testmempoolaccept", "[[\"%s\",\"%s\"]]", first,
                             hex_of(f, b));
    snprintf(second, sizeof second, "%s", hex_of(f, b));
    return rpc_rig_callf(&f->rig, "testmempoolaccept", "[[\"%s\",\"%s\",\"%s\"]]", first, second,
                         hex_of(f, c));
}

TEST(a_faulty_package_is_refused_as_a_whole, struct fixture *f)
{
    char want[1000];
    struct tx a = spend(f, 0, 5000), b = spend(f, 1, 5000), rival = spend(f, 0, 6000);
    struct builder_coin coin = builder_coin_of(&a, 0, BUILDER_WSH_TRUE);
    struct tx child = builder_spend(&f->rig.builder, &coin, 1, 1, 5000, BUILDER_WSH_TRUE);
    const char *got = test_package(f, &a, &a, NULL);
    snprintf(
        want, sizeof want,
        "[{\"txid\":\"%s\",\"wtxid\":\"%s\",\"package-error\":\"package-contains-duplicates\"},"
        "{\"txid\":\"%s\",\"wtxid\":\"%s\",\"package-error\":\"package-contains-duplicates\"}]",
        f->id, f->wid, f->id, f->wid);
    assert_string_equal(got, want);
    assert_holds(test_package(f, &child, &b, &a), "\"package-error\":\"package-not-sorted\"}]");
    assert_holds(test_package(f, &a, &b, &rival), "\"package-error\":\"conflict-in-package\"}]");
    assert_holds(test_package(f, &a, &b, NULL), "\"allowed\":true");
}

TEST(tests_take_several, struct fixture *f)
{
    struct tx a = spend(f, 0, 5000), b = spend(f, 1, 0), c = spend(f, 2, 4000000);
    char first[4000];
    snprintf(first, sizeof first, "%s", hex_of(f, &a));
    const char *got =
        rpc_rig_callf(&f->rig, "testmempoolaccept", "[[\"%s\",\"%s\"]]", first, hex_of(f, &b));
    /* Who pays too little is found before the scripts of the others are looked at. */
    assert_holds(got, "\"},{\"txid\":");
    assert_holds(got, "\"allowed\":false,\"reject-reason\":\"min relay fee not met\"");
    /* Nobody is told of behind the one that pays more than is wanted. */
    got = rpc_rig_callf(&f->rig, "testmempoolaccept", "[[\"%s\",\"%s\"]]", first, hex_of(f, &c));
    assert_holds(got, "\"allowed\":true");
    assert_holds(got, "\"allowed\":false,\"reject-reason\":\"max-fee-exceeded\"}]");
    assert_call(&f->rig, "testmempoolaccept", "[[]]",
                "-8: Array must contain between 1 and 25 transactions.");
    assert_call(&f->rig, "testmempoolaccept", "[[\"00\"]]",
                "-22: TX decode failed: 00 Make sure the tx has at least one input.");
    assert_starts(rpc_rig_call(&f->rig, "testmempoolaccept", "[[1]]"),
                  "-3: JSON value of type number is not of expected type string");
}

/* -- submitpackage ----------------------------------------------------------------------------- */

static const char *submit(struct fixture *f, const struct tx *a, const struct tx *b,
                          const char *more)
{
    char first[4000];
    snprintf(first, sizeof first, "%s", hex_of(f, a));
    return rpc_rig_callf(&f->rig, "submitpackage", "[[\"%s\",\"%s\"]%s]", first, hex_of(f, b),
                         more);
}

static struct tx spend_on(struct fixture *f, const struct tx *parent, int64_t fee_sat)
{
    struct builder_coin coin = builder_coin_of(parent, 0, BUILDER_WSH_TRUE);
    return builder_spend(&f->rig.builder, &coin, 1, 1, fee_sat, BUILDER_WSH_TRUE);
}

/* Every field of a parent that its child pays for, and of both once they are known. */
TEST(a_child_pays_for_its_parent, struct fixture *f)
{
    char want[2000], wtxid[2][65], txid[2][65];
    struct tx parent = spend(f, 0, 0), child = spend_on(f, &parent, 20000);
    (void)hex_of(f, &parent);
    snprintf(wtxid[0], 65, "%s", f->wid);
    snprintf(txid[0], 65, "%s", f->id);
    (void)hex_of(f, &child);
    snprintf(wtxid[1], 65, "%s", f->wid);
    snprintf(txid[1], 65, "%s", f->id);
    uint32_t vbytes = (tx_weight_wu(&parent) + 3) / 4;
    assert_int_equal((tx_weight_wu(&child) + 3) / 4, vbytes);
    int rate = (int)(20000 * 1000 / (2 * vbytes));
    snprintf(want, sizeof want,
             "{\"package_msg\":\"success\",\"tx-results\":{"
             "\"%s\":{\"txid\":\"%s\",\"vsize_adjusted\":%u,\"vsize\":%u,\"vsize_bip141\":%u,"
             "\"fees\":{\"base\":0.00000000,\"effective-feerate\":0.%08d,"
             "\"effective-includes\":[\"%s\",\"%s\"]}},"
             "\"%s\":{\"txid\":\"%s\",\"vsize_adjusted\":%u,\"vsize\":%u,\"vsize_bip141\":%u,"
             "\"fees\":{\"base\":0.00020000,\"effective-feerate\":0.%08d,"
             "\"effective-includes\":[\"%s\",\"%s\"]}}},\"replaced-transactions\":[]}",
             wtxid[0], txid[0], vbytes, vbytes, vbytes, rate, wtxid[0], wtxid[1], wtxid[1], txid[1],
             vbytes, vbytes, vbytes, rate, wtxid[0], wtxid[1]);
    assert_string_equal(submit(f, &parent, &child, ""), want);
    const char *again = submit(f, &parent, &child, "");
    assert_holds(again, "\"fees\":{\"base\":0.00020000}}");
    assert_holds(again, "\"package_msg\":\"success\"");
}

TEST(what_is_replaced_is_told, struct fixture *f)
{
    char want[200];
    struct tx old = spend(f, 0, 5000);
    struct tx lone = spend(f, 0, 0), child = spend_on(f, &lone, 90000);
    struct tx none = spend(f, 1, 0), poor = spend_on(f, &none, 1);
    (void)rpc_rig_callf(&f->rig, "sendrawtransaction", "[\"%s\"]", hex_of(f, &old));
    snprintf(want, sizeof want, "\"replaced-transactions\":[\"%s\"]}", f->id);
    assert_holds(submit(f, &lone, &child, ""), want);
    const char *got = submit(f, &none, &poor, "");
    assert_holds(got, "{\"package_msg\":\"transaction failed\",");
    assert_holds(got, "\"error\":\"min relay fee not met, 0 < 10\"");
}

TEST(the_caller_sets_limits, struct fixture *f)
{
    struct tx parent = spend(f, 0, 0), child = spend_on(f, &parent, 20000);
    assert_holds(submit(f, &parent, &child, ",0.00000001"), "\"error\":\"max feerate exceeded\"");
    assert_string_equal(submit(f, &child, &parent, ""),
                        "-25: package topology disallowed. not child-with-parents or parents "
                        "depend on each other.");
    assert_starts(submit(f, &parent, &child, ",1"), "-8: Fee rates larger than or equal to 1BTC");
    assert_call(&f->rig, "submitpackage", "[[]]",
                "-8: Array must contain between 1 and 25 transactions.");
    child.out[0].script_pubkey = span_of("j", 1); /* OP_RETURN: nobody can spend it */
    tx_finish(&child, &f->rig.builder.arena);
    assert_string_equal(
        submit(f, &parent, &child, ""),
        "-25: Unspendable output exceeds maximum configured by user (maxburnamount)");
    f->rig.node.mempool = NULL;
    assert_starts(submit(f, &parent, &child, ""), "-33:");
}
