/* test_rpc_send.c - transactions handed in, with the errors that wallets know. */
#include "consensus/opcodes.h"
#include "pool_fixture.h"
#include "rpc/methods.h"
#include "support/build.h"
#include "support/net_fake.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

static int setup(void **state)
{
    *state = fixture_new(POOL_FIXTURE_COINS_MAX, NULL);
    return 0;
}

FIXTURE(setup, teardown)

static const char *send(struct fixture *f, const struct tx *tx, const char *more)
{
    return rpc_rig_callf(&f->rig, "sendrawtransaction", "[\"%s\"%s]", hex_of(f, tx), more);
}

static const char *test(struct fixture *f, const struct tx *tx, const char *more)
{
    return rpc_rig_callf(&f->rig, "testmempoolaccept", "[[\"%s\"]%s]", hex_of(f, tx), more);
}

TEST(a_good_transaction_is_taken_as_often_as_it_comes, struct fixture *f)
{
    char want[70];
    struct tx tx = spend(f, 0, 5000);
    hex_of(f, &tx);
    snprintf(want, sizeof want, "\"%s\"", f->id);
    assert_string_equal(send(f, &tx, ""), want);
    assert_string_equal(send(f, &tx, ""), want);
    assert_holds(rpc_rig_call(&f->rig, "getmempoolinfo", "[]"), "\"unbroadcastcount\":1,");
    assert_int_equal(mempool_count(f->rig.mempool), 1);
}

TEST(what_is_confirmed_is_said_to_be, struct fixture *f)
{
    struct tx tx = spend(f, 0, 5000);
    send(f, &tx, "");
    rpc_rig_call(&f->rig, "generatetodescriptor", "[1,\"raw(51)\"]");
    assert_int_equal(mempool_count(f->rig.mempool), 0);
    assert_string_equal(send(f, &tx, ""), "-27: Transaction outputs already in utxo set");
    assert_holds(test(f, &tx, ""), "\"reject-reason\":\"txn-already-known\"");
}

TEST(refusals_have_cores_codes, struct fixture *f)
{
    assert_call(&f->rig, "sendrawtransaction", "[\"00\"]",
                "-22: TX decode failed. Make sure the tx has at least one input.");
    struct tx tx = spend(f, 0, 0);
    assert_starts(send(f, &tx, ""), "-26: min relay fee not met, 0 < ");
    tx = spend(f, 0, 5000);
    tx.in[0].prevout.vout = 7;
    tx_finish(&tx, &f->rig.builder.arena);
    assert_string_equal(send(f, &tx, ""), "-25: bad-txns-inputs-missingorspent");
    tx = spend(f, 0, 5000);
    struct span wrong = builder_script_bytes(BUILDER_FALSE);
    tx.in[0].witness = build_witness(&f->rig.builder.arena, &wrong, 1);
    tx_finish(&tx, &f->rig.builder.arena);
    const char *got = send(f, &tx, "");
    char want[300];
    snprintf(want, sizeof want,
             "-26: mempool-script-verify-flag-failed (Witness program hash mismatch), input 0 of "
             "%s (wtxid %s), spending ",
             f->id, f->wid);
    assert_starts(got, want);
    assert_holds(got, ":0"); /* nothing is cut off */
    tx = spend(f, 0, 5000);
    tx.version = 9;
    tx_finish(&tx, &f->rig.builder.arena);
    assert_string_equal(send(f, &tx, ""), "-26: version");
    struct tx first = spend(f, 1, 5000), other = spend(f, 1, 4000);
    send(f, &first, "");
    got = send(f, &other, "");
    snprintf(want, sizeof want,
             "-26: insufficient fee, rejecting replacement %s, less fees than conflicting txs; "
             "0.00004 < 0.00005",
             f->id);
    assert_string_equal(got, want);
}

TEST(fees_are_bounded_by_the_caller, struct fixture *f)
{
    struct tx tx = spend(f, 0, 5000000); /* 0.05 coins for about 100 bytes */
    assert_string_equal(send(f, &tx, ""),
                        "-25: Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
    assert_string_equal(send(f, &tx, ",1.0"),
                        "-8: Fee rates larger than or equal to 1BTC/kvB are not accepted");
    const char *got = test(f, &tx, "");
    assert_holds(got, "\"allowed\":false,\"reject-reason\":\"max-fee-exceeded\"}");
    assert_holds(test(f, &tx, ",0"), "\"allowed\":true");
    assert_starts(send(f, &tx, ",0"), "\"");
}

TEST(burning_has_to_be_allowed, struct fixture *f)
{
    static const uint8_t data[] = {OP_RETURN, 1, 7};
    struct tx tx = builder_spend(&f->rig.builder, &f->coin[0], 1, 2, 5000, BUILDER_WSH_TRUE);
    tx.out[0].value_sat += tx.out[1].value_sat - 1000;
    tx.out[1] = (struct tx_out){.value_sat = 1000, .script_pubkey = span_of(data, sizeof data)};
    tx_finish(&tx, &f->rig.builder.arena);
    const char *want = "-25: Unspendable output exceeds maximum configured by user (maxburnamount)";
    assert_string_equal(send(f, &tx, ""), want);
    assert_string_equal(send(f, &tx, ",0.1,0.00000999"), want);
    assert_starts(send(f, &tx, ",0.1,0.00001"), "\"");
}

TEST(tests_tell_what_would_be, struct fixture *f)
{
    char want[1000];
    struct tx tx = spend(f, 0, 5000);
    uint32_t vbytes = (tx_weight_wu(&tx) + 3) / 4;
    const char *got = test(f, &tx, "");
    snprintf(
        want, sizeof want,
        "[{\"txid\":\"%s\",\"wtxid\":\"%s\",\"allowed\":true,\"vsize_adjusted\":%u,\"vsize\":%u,"
        "\"vsize_bip141\":%u,\"fees\":{"
        "\"base\":0.00005000,\"effective-feerate\":0.%08d,\"effective-includes\":[\"%s\"]}}]",
        f->id, f->wid, vbytes, vbytes, vbytes, (int)(5000 * 1000 / vbytes), f->wid);
    assert_string_equal(got, want);
    assert_int_equal(mempool_count(f->rig.mempool), 0);
    tx = spend(f, 0, 1);
    got = test(f, &tx, "");
    snprintf(want, sizeof want,
             "[{\"txid\":\"%s\",\"wtxid\":\"%s\",\"allowed\":false,\"reject-reason\":"
             "\"min relay fee not met\",\"reject-details\":\"min relay fee not met, 1 < ",
             f->id, f->wid);
    assert_starts(got, want);
    tx.in[0].prevout.vout = 3;
    tx_finish(&tx, &f->rig.builder.arena);
    assert_holds(test(f, &tx, ""), "\"reject-reason\":\"missing-inputs\"}]");
    tx = spend(f, 2, 5000);
    send(f, &tx, "");
    assert_holds(test(f, &tx, ""), "\"reject-reason\":\"txn-already-in-mempool\"");
}

/* -privatebroadcast: judged as if it came in, and given to the network alone. */
TEST(what_is_sent_privately_does_not_enter_the_mempool, struct fixture *f)
{
    struct net_fake fake;
    char want[70];
    struct tx tx = spend(f, 0, 5000), bad = spend(f, 0, 0);
    net_fake_init(&fake);
    fake.view.is_private = true;
    f->rig.node.net = &fake.view;
    assert_starts(send(f, &tx, ""),
                  "-1: -privatebroadcast is enabled, but none of the Tor or I2P networks is ");
    fake.is_private_reachable = true;
    hex_of(f, &tx);
    snprintf(want, sizeof want, "\"%s\"", f->id);
    assert_string_equal(send(f, &tx, ""), want);
    assert_int_equal(mempool_count(f->rig.mempool), 0);
    assert_int_equal(fake.n_sent, 1);
    assert_memory_equal(fake.sent.b, tx.txid.b, 32);
    fake.result = NET_RESULT_EXISTS;
    assert_string_equal(send(f, &tx, ""), want);
    assert_starts(send(f, &bad, ""), "-26: min relay fee not met, 0 < ");
    assert_int_equal(fake.n_sent, 2);
    fake.result = NET_RESULT_FULL;
    assert_string_equal(send(f, &tx, ""), "-37: Private broadcast queue is full");
    fake.result = NET_RESULT_OK;
    fake.view.is_private = false;
    assert_string_equal(send(f, &tx, ""), want);
    fake.view.is_private = true;
    assert_string_equal(send(f, &tx, ""), want); /* what is in the mempool can be sent so, too */
    assert_int_equal(fake.n_sent, 4);
    f->rig.node.net = NULL;
}
