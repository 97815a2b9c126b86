/* test_rpc_mempool_file.c - the mempool written to a file, and one taken from a file. */
#include "mempool/mempool_file.h"
#include "pool_fixture.h"
#include "rpc/methods.h"

#define SAVED "{\"filename\":\"regtest/mempool.dat\"}"

/* One transaction, with a delta, that nobody has asked for. */
static int setup(void **state)
{
    const struct chain_options options = {.max_tip_age_s = INT32_MAX};
    struct fixture *f = fixture_new(1, &options);
    f->rig.node.data_dir = "regtest"; /* of the simulated disk */
    make_family(f);
    add(f, &f->parent, MEMPOOL_LOCAL);
    mempool_prioritise(f->rig.mempool, &f->parent.txid, 23);
    *state = f;
    return 0;
}

FIXTURE(setup, teardown)

/* Save, and import it into a mempool that has the transaction already: deltas add up. */
TEST(options_say_what_of_a_file_counts, struct fixture *f)
{
    assert_call(&f->rig, "savemempool", "[]", SAVED);
    mempool_mark_broadcast(f->rig.mempool, &f->parent.txid);
    assert_call(&f->rig, "importmempool", "[\"regtest/mempool.dat\"]", "{}");
    assert_int_equal(mempool_delta_sat(f->rig.mempool, &f->parent.txid), 23);
    assert_int_equal(mempool_unbroadcast_count(f->rig.mempool), 0);
    assert_call(&f->rig, "importmempool",
                "[\"regtest/mempool.dat\",{\"use_current_time\":null,"
                "\"apply_fee_delta_priority\":true}]",
                "{}");
    assert_int_equal(mempool_delta_sat(f->rig.mempool, &f->parent.txid), 46);
    assert_int_equal(mempool_unbroadcast_count(f->rig.mempool), 0);
    assert_call(&f->rig, "importmempool",
                "[\"regtest/mempool.dat\",{\"apply_unbroadcast_set\":true}]", "{}");
    assert_int_equal(mempool_unbroadcast_count(f->rig.mempool), 1);
}

TEST(a_file_that_cannot_be_read_is_refused, struct fixture *f)
{
    assert_call(&f->rig, "importmempool", "[\"nowhere\"]",
                "-1: Unable to import mempool file, see debug log for details.");
    assert_call(&f->rig, "importmempool", "[\"nowhere\",{\"use_current_time\":1}]",
                "-3: JSON value of type number is not of expected type bool");
    assert_starts(rpc_rig_call(&f->rig, "importmempool", "[]"), "-1: importmempool \"filepath\"");
    assert_int_equal(mempool_count(f->rig.mempool), 1);
}

/* Whatever is on the disk in its place would be lost. */
TEST(before_the_file_of_the_start_was_tried_nothing_is_saved, struct fixture *f)
{
    assert_holds(rpc_rig_call(&f->rig, "getmempoolinfo", "[]"), "{\"loaded\":true,");
    mempool_file_expect(f->rig.mempool);
    assert_call(&f->rig, "savemempool", "[]", "-1: The mempool was not loaded yet");
    assert_holds(rpc_rig_call(&f->rig, "getmempoolinfo", "[]"), "{\"loaded\":false,");
}

TEST(without_a_mempool_there_is_no_file)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "savemempool", "[]", "-33: Mempool disabled or instance not found");
    assert_call(&rig, "importmempool", "[\"x\"]", "-33: Mempool disabled or instance not found");
    rpc_rig_deinit(&rig);
}

/* A file can change fees, and what it holds may be long in a block. */
TEST(nothing_is_imported_in_the_initial_download)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_add_mempool(&rig, NULL);
    assert_true(chain_is_initial_download(rig.chain.chain));
    assert_call(&rig, "importmempool", "[\"x\"]",
                "-10: Can only import the mempool after the block download and sync is done.");
    rpc_rig_deinit(&rig);
}
