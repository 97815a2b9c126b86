/* test_script_scratch.c - memory of one thread, and the keys it keeps. */
#include "support/script_keys.h"
#include "support/unit.h"

TEST(nothing_is_allocated_before_it_is_used)
{
    struct script_scratch *scratch = script_scratch_new();
    assert_null(scratch->stack.items);
    assert_null(scratch->alt_stack.items);
    assert_null(scratch->pubkeys);
    assert_null(scratch->script_code.p);
    script_scratch_free(scratch);
    script_scratch_free(NULL);
}

/* Is the key taken as one that was never seen, with each possible first byte? */
static void check_key(struct script_scratch *scratch, const uint8_t key[33])
{
    for (uint8_t first = 0; first < 8; first++) {
        uint8_t bytes[33];
        memcpy(bytes, key, sizeof bytes);
        bytes[0] = first;
        struct ec_pubkey kept, parsed;
        bool have = script_scratch_pubkey(scratch, span_of(bytes, 33), &kept);
        assert_int_equal(have, ec_pubkey_parse(&parsed, span_of(bytes, 33)));
        assert_int_equal(have, first == 2 || first == 3);
        if (have)
            assert_memory_equal(&kept, &parsed, sizeof kept);
    }
}

/* A key gives the same whether it was kept or not, and so does one that is not a key. */
TEST(kept_keys_are_the_parsed_ones)
{
    struct script_scratch *scratch = script_scratch_new();
    struct script_keys keys;
    script_keys_init(&keys);
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < SCRIPT_KEYS; i++)
            check_key(scratch, keys.pubkey[i]);
    }
    struct ec_pubkey parsed;
    assert_true(script_scratch_pubkey(scratch, span_of(keys.long_pubkey, 65), &parsed));
    assert_false(script_scratch_pubkey(scratch, span_of(keys.long_pubkey, 64), &parsed));
    assert_false(script_scratch_pubkey(scratch, span_of(NULL, 0), &parsed));
    script_keys_deinit(&keys);
    script_scratch_free(scratch);
}

/* The cache starts small, grows with the keys that come, and ends at its limit. */
TEST(the_cache_of_keys_grows_to_its_limit)
{
    struct script_scratch *scratch = script_scratch_new();
    struct ec_pubkey kept, parsed;
    uint8_t key[33] = {2};
    for (uint32_t i = 0; scratch->n_parsed < PUBKEY_CACHE_SLOTS; i++) {
        memcpy(key + 1, &i, sizeof i);
        if (!script_scratch_pubkey(scratch, span_of(key, 33), &kept))
            continue; /* no point has that coordinate */
        assert_true(scratch->n_parsed > 1 || scratch->n_pubkeys <= PUBKEY_CACHE_FIRST);
        assert_true(scratch->n_pubkeys <= PUBKEY_CACHE_SLOTS);
    }
    assert_int_equal(scratch->n_pubkeys, PUBKEY_CACHE_SLOTS);
    for (uint32_t i = 0; i < 200; i++) {
        memcpy(key + 1, &i, sizeof i);
        bool have = script_scratch_pubkey(scratch, span_of(key, 33), &kept);
        assert_int_equal(have, ec_pubkey_parse(&parsed, span_of(key, 33)));
        if (have)
            assert_memory_equal(&kept, &parsed, sizeof kept);
    }
    script_scratch_free(scratch);
}

/* More keys than slots: they push each other out, and none is mistaken for another. */
TEST(more_keys_than_slots_are_kept_apart)
{
    struct script_scratch *scratch = script_scratch_new();
    uint8_t key[33] = {2};
    int valid = 0;
    for (uint32_t i = 0; i < 4000; i++) {
        /* Coordinates that differ only where the slot's hash does not look */
        memcpy(key + 20, &i, sizeof i);
        struct ec_pubkey kept, parsed;
        bool have = script_scratch_pubkey(scratch, span_of(key, 33), &kept);
        assert_int_equal(have, ec_pubkey_parse(&parsed, span_of(key, 33)));
        if (have)
            assert_memory_equal(&kept, &parsed, sizeof kept);
        valid += have;
    }
    assert_true(valid > 1500 && valid < 2500);
    script_scratch_free(scratch);
}
