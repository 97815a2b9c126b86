/* test_psbt_map.c - records of a map, in their order. */
#include "spend/psbt/psbt.h"
#include "unit/spend/psbt/psbt_fixture.h"

FIXTURE(setup, teardown)

TEST(records_are_kept_in_order, struct fixture *f)
{
    static const uint64_t want[] = {
        PSBT_IN_SIGHASH_TYPE,    PSBT_IN_REDEEM_SCRIPT, PSBT_IN_SHA256, PSBT_IN_SHA256,
        PSBT_IN_FINAL_SCRIPTSIG, PSBT_PROPRIETARY,      0x1234};
    uint8_t low[32] = {1}, high[32] = {2};
    struct psbt_map map = {.kind = PSBT_MAP_INPUT};
    struct span none = span_of("", 0), x = span_of("x", 1);
    f->psbt.arena = &f->arena;
    psbt_put(&f->psbt, &map, 0x1234, x, x);
    psbt_put(&f->psbt, &map, PSBT_IN_FINAL_SCRIPTSIG, none, x);
    psbt_put(&f->psbt, &map, PSBT_PROPRIETARY, x, x);
    psbt_put(&f->psbt, &map, PSBT_IN_SHA256, span_of(high, 32), x);
    psbt_put(&f->psbt, &map, PSBT_IN_SHA256, span_of(low, 32), x);
    psbt_put(&f->psbt, &map, PSBT_IN_REDEEM_SCRIPT, none, x);
    psbt_put(&f->psbt, &map, PSBT_IN_SIGHASH_TYPE, none, span_of("\x03\0\0\0", 4));
    assert_int_equal(map.n, COUNT_OF(want));
    for (size_t i = 0; i < map.n; i++)
        assert_int_equal(map.at[i].type, want[i]);
    size_t at = 0;
    assert_memory_equal(psbt_next(&map, PSBT_IN_SHA256, &at)->data.p, low, 32);
    assert_memory_equal(psbt_next(&map, PSBT_IN_SHA256, &at)->data.p, high, 32);
    assert_null(psbt_next(&map, PSBT_IN_SHA256, &at));
    /* A type of three bytes, and its data. */
    assert_int_equal(map.at[6].key.len, 4);
    assert_int_equal(map.at[6].key.p[0], 0xfd);
}

TEST(the_first_value_of_a_key_stays, struct fixture *f)
{
    struct psbt_map map = {.kind = PSBT_MAP_INPUT};
    struct span none = span_of("", 0);
    uint32_t type;
    f->psbt.arena = &f->arena;
    assert_null(psbt_get(&map, PSBT_IN_SIGHASH_TYPE).p);
    assert_false(psbt_get_u32(&map, PSBT_IN_SIGHASH_TYPE, &type));
    psbt_put(&f->psbt, &map, PSBT_IN_SIGHASH_TYPE, none, span_of("\x03\0\0\0", 4));
    psbt_put(&f->psbt, &map, PSBT_IN_SIGHASH_TYPE, none, span_of("\x02\0\0\0", 4));
    assert_true(psbt_get_u32(&map, PSBT_IN_SIGHASH_TYPE, &type));
    assert_int_equal(type, 3);
    psbt_set(&f->psbt, &map, PSBT_IN_SIGHASH_TYPE, none, span_of("\x02\0\0\0", 4));
    assert_true(psbt_get_u32(&map, PSBT_IN_SIGHASH_TYPE, &type));
    assert_int_equal(type, 2);
    psbt_remove(&map, PSBT_IN_SIGHASH_TYPE);
    assert_int_equal(map.n, 0);
}

TEST(final_scripts_make_an_input_final, struct fixture *f)
{
    struct psbt_map map = {.kind = PSBT_MAP_INPUT};
    f->psbt.arena = &f->arena;
    assert_false(psbt_is_final(&map));
    psbt_put(&f->psbt, &map, PSBT_IN_FINAL_SCRIPTSIG, span_of("", 0), span_of("", 0));
    assert_false(psbt_is_final(&map));
    /* A stack without items is none. Core: IsNull() */
    psbt_put(&f->psbt, &map, PSBT_IN_FINAL_SCRIPTWITNESS, span_of("", 0), span_of("\0", 1));
    assert_false(psbt_is_final(&map));
    psbt_set(&f->psbt, &map, PSBT_IN_FINAL_SCRIPTWITNESS, span_of("", 0), span_of("\x01\0", 2));
    assert_true(psbt_is_final(&map));
}
