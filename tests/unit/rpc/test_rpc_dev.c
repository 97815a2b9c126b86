/* test_rpc_dev.c - what -dev offers, and that nothing of it is there without. */
#include "dev_fixture.h"

FIXTURE(set_up, tear_down)

TEST(without_dev_each_method_says_so, struct fixture *f)
{
    f->rig.node.dev = NULL;
    assert_call(&f->rig, "getdevkeys", "[]",
                "-1: getdevkeys is for chains to develop against: start the node with -dev");
    assert_call(&f->rig, "settime", "[1]",
                "-1: settime is for chains to develop against: start the node with -dev");
    assert_call(&f->rig, "faucet", "[\"x\"]",
                "-1: faucet is for chains to develop against: start the node with -dev");
    assert_null(strstr(rpc_rig_call(&f->rig, "help", "[]"), "faucet"));
    f->rig.node.dev = &f->dev;
    assert_holds(rpc_rig_call(&f->rig, "help", "[]"), "== Dev ==");
}

TEST(the_keys_are_told, struct fixture *f)
{
    const char *text = rpc_rig_call(&f->rig, "getdevkeys", "[]");
    assert_holds(text, DEV_KEYS_WORDS);
    for (size_t i = 0; i < DEV_KEYS; i++) {
        assert_holds(text, f->keys->at[i].address);
        assert_holds(text, f->keys->at[i].wif);
    }
}

TEST(a_time_must_fit_into_a_header, struct fixture *f)
{
    rpc_rig_call(&f->rig, "settime", "[4294967295]");
    assert_int_equal(f->clock_s, UINT32_MAX);
    assert_call(&f->rig, "settime", "[4294967296]",
                "-8: time must be from 0 to 4294967295, not 4294967296");
    assert_call(&f->rig, "settime", "[-1]", "-8: time must be from 0 to 4294967295, not -1");
    rpc_rig_call(&f->rig, "settime", "[0]");
    assert_int_equal(f->clock_s, 0);
    f->clock_error = "disk full";
    assert_call(&f->rig, "settime", "[5]", "-20: Cannot keep the clock: disk full");
    f->clock_error = "too early";
    f->is_askers_fault = true;
    assert_call(&f->rig, "settime", "[5]", "-8: too early");
}

TEST(snapshots_are_told_and_whose_fault_it_is, struct fixture *f)
{
    assert_starts(rpc_rig_call(&f->rig, "snapshot", "[]"), "{\"name\":\"1\",\"height\":7,");
    assert_starts(rpc_rig_call(&f->rig, "revert", "[\"b\"]"), "{\"name\":\"b\"");
    assert_starts(rpc_rig_call(&f->rig, "dropsnapshot", "[\"b\"]"), "{\"name\":\"b\"");
    /* A zero byte does not cut a name short. */
    assert_starts(rpc_rig_call(&f->rig, "snapshot", "[\"b\\u0000c\"]"),
                  "{\"name\":\"\xef\xbf\xbd\"");
    assert_starts(rpc_rig_call(&f->rig, "listsnapshots", "[]"), "[{\"name\":\"only\"");
    f->clock_error = "why";
    assert_call(&f->rig, "revert", "[\"b\"]", "-20: why");
    assert_call(&f->rig, "revert", "[\"!\"]", "-8: why");
}
