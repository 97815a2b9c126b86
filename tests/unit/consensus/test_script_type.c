/* test_script_type.c - the well-known forms of output scripts and what is just beside them. */
#include "consensus/script_type.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/assert.h"

#define K33                                                                                        \
    "02"                                                                                           \
    "1111111111111111111111111111111111111111111111111111111111111111"
#define K65                                                                                        \
    "04"                                                                                           \
    "1111111111111111111111111111111111111111111111111111111111111111"                             \
    "2222222222222222222222222222222222222222222222222222222222222222"
#define H20 "3333333333333333333333333333333333333333"
#define H32 "4444444444444444444444444444444444444444444444444444444444444444"
/* clang-format off */
static const struct { const char *hex, *name; uint32_t items; int required, version; } rows[] = {
    {"21" K33 "ac", "pubkey", 1, 0, -1},
    {"41" K65 "ac", "pubkey", 1, 0, -1},
    {"21" K33 "ad", "nonstandard", 0, 0, -1},
    {"2105" H32 "ac", "nonstandard", 0, 0, -1},          /* 05 starts no key */
    {"4c21" K33 "ac", "nonstandard", 0, 0, -1},
    {"76a914" H20 "88ac", "pubkeyhash", 1, 0, -1},
    {"76a914" H20 "87ac", "nonstandard", 0, 0, -1},
    {"a914" H20 "87", "scripthash", 1, 0, -1},
    {"a914" H20 "88", "nonstandard", 0, 0, -1},
    {"0014" H20, "witness_v0_keyhash", 1, 0, 0},
    {"0020" H32, "witness_v0_scripthash", 1, 0, 0},
    {"0015" H20 "00", "nonstandard", 0, 0, -1},          /* version 0 has two lengths */
    {"5120" H32, "witness_v1_taproot", 1, 0, 1},
    {"51024e73", "anchor", 1, 0, 1},
    {"51024e74", "witness_unknown", 1, 0, 1},
    {"52024e73", "witness_unknown", 1, 0, 2},
    {"6020" H32, "witness_unknown", 1, 0, 16},
    {"5114" H20, "witness_unknown", 1, 0, 1},
    {"6a", "nulldata", 0, 0, -1},
    {"6a0401020304", "nulldata", 0, 0, -1},
    {"6a5152", "nulldata", 0, 0, -1},
    {"6a04010203", "nonstandard", 0, 0, -1},             /* push cut short */
    {"6aac", "nonstandard", 0, 0, -1},
    {"5121" K33 "51ae", "multisig", 1, 1, -1},
    {"5121" K33 "21" K33 "52ae", "multisig", 2, 1, -1},
    {"5221" K33 "41" K65 "52ae", "multisig", 2, 2, -1},
    {"5321" K33 "21" K33 "52ae", "nonstandard", 0, 0, -1}, /* 3 of 2 */
    {"0021" K33 "51ae", "nonstandard", 0, 0, -1},        /* 0 of 1 */
    {"5121" K33 "52ae", "nonstandard", 0, 0, -1},        /* one key, two said */
    {"5121" K33 "51aeac", "nonstandard", 0, 0, -1},
    {"5121" K33 "51af", "nonstandard", 0, 0, -1},
    {"5121" K33 "0101ae", "nonstandard", 0, 0, -1},      /* 1 pushed the long way */
    {"5121" K33 "51", "nonstandard", 0, 0, -1},
    {"51ae", "nonstandard", 0, 0, -1},
    {"", "nonstandard", 0, 0, -1},
    {"51", "nonstandard", 0, 0, -1},
    {"61", "nonstandard", 0, 0, -1},
};
/* clang-format on */

TEST(forms_are_found)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t buf[300];
        struct span script = span_of(buf, hex_bytes(rows[i].hex, buf, sizeof buf));
        struct script_solution got = script_solve(script);
        if (strcmp(script_type_name(got.type), rows[i].name) != 0)
            fail_msg("%s: %s, want %s", rows[i].hex, script_type_name(got.type), rows[i].name);
        if (got.type == SCRIPT_TYPE_NONSTANDARD)
            continue;
        assert_int_equal(got.n_items, rows[i].items);
        assert_int_equal(got.required, rows[i].required);
        assert_int_equal(got.witness_version, rows[i].version);
    }
}

TEST(solutions_are_spans_of_the_script)
{
    uint8_t buf[300];
    struct span script = span_of(buf, hex_bytes("76a914" H20 "88ac", buf, sizeof buf));
    struct script_solution got = script_solve(script);
    assert_ptr_equal(got.item[0].p, buf + 3);
    assert_int_equal(got.item[0].len, 20);
    script.len = hex_bytes("5221" K33 "41" K65 "52ae", buf, sizeof buf);
    got = script_solve(script);
    assert_ptr_equal(got.item[0].p, buf + 2);
    assert_int_equal(got.item[1].len, 65);
}

TEST(multisig_has_up_to_twenty_keys)
{
    for (int n = 1; n <= 21; n++) {
        uint8_t buf[21 * 34 + 10];
        size_t len = 0;
        buf[len++] = OP_1;
        for (int i = 0; i < n; i++)
            len += hex_bytes("21" K33, buf + len, sizeof buf - len);
        len += script_push_number(buf + len, n);
        buf[len++] = OP_CHECKMULTISIG;
        struct script_solution got = script_solve(span_of(buf, len));
        if (n <= 20)
            assert_int_equal(got.n_items, n);
        assert_int_equal(got.type, n <= 20 ? SCRIPT_TYPE_MULTISIG : SCRIPT_TYPE_NONSTANDARD);
    }
}

TEST(public_keys_have_two_lengths)
{
    uint8_t key[65] = {0};
    for (int first = 0; first < 256; first++) {
        key[0] = (uint8_t)first;
        assert_int_equal(pubkey_has_valid_size(span_of(key, 33)), first == 2 || first == 3);
        assert_int_equal(pubkey_has_valid_size(span_of(key, 65)),
                         first == 4 || first == 6 || first == 7);
    }
    key[0] = 2;
    assert_false(pubkey_has_valid_size(span_of(key, 32)));
    assert_false(pubkey_has_valid_size(span_of(key, 0)));
}
