/* test_rpc_faucet.c - payments from the keys of -dev: in order, at once, until nothing is left. */
#include "dev_fixture.h"

FIXTURE(set_up, tear_down)

#define ADDRESS "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

static void mine(struct fixture *f, int n, const char *address)
{
    assert_starts(rpc_rig_callf(&f->rig, "generatetoaddress", "[%d,\"%s\"]", n, address), "[");
}

static void assert_waits(struct fixture *f, size_t n)
{
    assert_int_equal(mempool_count(f->rig.mempool), n);
}

TEST(coins_are_paid_and_change_pays_on, struct fixture *f)
{
    mine(f, 2, f->keys->at[3].address);
    mine(f, 98, ADDRESS); /* the first can be spent in the next block, the second cannot */
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\"]"), "\"");
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", 0.5]"), "\"");
    assert_waits(f, 2);
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", 48.6]"),
                  "-6: The keys of -dev have no 48.60");
    mine(f, 1, ADDRESS);
    assert_waits(f, 0);
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", 90]"), "\""); /* of two */
    assert_waits(f, 1);
}

TEST(two_at_once_never_spend_one_coin, struct fixture *f)
{
    static const char body[] = "{\"method\":\"faucet\",\"params\":[\"" ADDRESS "\",30]}";
    struct rpc_rig_answer a = {0}, b = {0};
    mine(f, 2, f->keys->at[0].address);
    mine(f, 100, ADDRESS);
    rpc_rig_post(&f->rig, body, &a);
    rpc_rig_post(&f->rig, body, &b);
    rpc_rig_wait(&f->rig, &a);
    rpc_rig_wait(&f->rig, &b);
    assert_holds(a.body, "\"error\":null");
    assert_holds(b.body, "\"error\":null");
    assert_waits(f, 2);
    rpc_rig_forget(&a);
    rpc_rig_forget(&b);
}

TEST(what_makes_no_sense_is_refused, struct fixture *f)
{
    mine(f, 1, f->keys->at[0].address);
    mine(f, 100, ADDRESS);
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"nonsense\"]"), "-5: Invalid address: ");
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", -1]"), "-3: Amount out of");
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", 0]"), "-8: The amount is");
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", 0.00000293]"),
                  "-8: The amount is too small: that address takes no less than 294 satoshi");
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", 21000000.00000001]"),
                  "-3: Amount out of range");
    assert_waits(f, 0);
    assert_starts(rpc_rig_call(&f->rig, "faucet", "[\"" ADDRESS "\", 0.00000294]"), "\"");
}
