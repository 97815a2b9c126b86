/* test_mempool.c - defaults, names, an empty mempool. */
#include "support/mempool_rig.h"
#include "support/unit.h"

TEST(defaults_are_cores)
{
    struct mempool_options options = mempool_default_options();
    assert_int_equal(options.max_bytes, 300000000);
    assert_int_equal(options.expiry_s, 1209600);
    assert_int_equal(options.min_relay_sat_per_kvb, 100);
    assert_int_equal(options.incremental_sat_per_kvb, 100);
    assert_int_equal(options.dust_sat_per_kvb, 3000);
    assert_int_equal(options.max_datacarrier_bytes, 100000);
    assert_true(options.require_standard && options.permit_bare_multisig);
}

TEST(reasons_have_cores_names)
{
    static const char *const names[] = {"added",  "block",     "conflict", "reorg",
                                        "expiry", "sizelimit", "replaced", "sent-again"};
    assert_int_equal(COUNT_OF(names), MEMPOOL_REASON_COUNT);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(mempool_reason_name((enum mempool_reason)i), names[i]);
}

TEST(an_unused_mempool_can_be_freed)
{
    struct mempool_rig *rig = mempool_rig_new(2, 1, NULL);
    assert_int_equal(mempool_count(rig->pool), 0);
    assert_int_equal(mempool_sequence(rig->pool), 0);
    assert_int_equal(mempool_min_feerate_sat_per_kvb(rig->pool), 100);
    assert_int_equal(mempool_options_of(rig->pool)->max_bytes, 300000000);
    mempool_rig_free(rig);
    mempool_free(NULL);
}
