/* test_script_iter.c - walking scripts, and the questions that need no execution.
 *
 * hazards: row 19 (lengths of pushes are never truncated). */
#include "consensus/script_iter.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/assert.h"

/* clang-format off */
static const struct { const char *hex; int ops; bool failed; uint8_t last; size_t push;
    } walks[] = {
    {"", 0, false, 0, 0},
    {"00", 1, false, OP_0, 0},
    {"01aa", 1, false, 1, 1},
    {"01", 0, true, 0, 0},
    {"0201", 0, true, 0, 0},
    {"4c00", 1, false, OP_PUSHDATA1, 0},
    {"4c02aabb", 1, false, OP_PUSHDATA1, 2},
    {"4c02aa", 0, true, 0, 0},
    {"4c", 0, true, 0, 0},
    {"4d0200aabb", 1, false, OP_PUSHDATA2, 2},
    {"4d02", 0, true, 0, 0},
    {"4d0002aabb", 0, true, 0, 0},
    {"4e02000000aabb", 1, false, OP_PUSHDATA4, 2},
    {"4e020000", 0, true, 0, 0},
    {"4e02000100aabb", 0, true, 0, 0},     /* 65538 read with 16 bits would be 2 */
    {"4effffffffaabb", 0, true, 0, 0},
    {"4e02000080aabb", 0, true, 0, 0},
    {"76a914000000000000000000000000000000000000000088ac", 5, false, OP_CHECKSIG, 0},
    {"ac51ff02aa", 3, true, 0xff, 0},      /* what stands before the broken push is seen */
};
/* clang-format on */

TEST(pushes_are_taken_whole_or_not_at_all)
{
    for (size_t i = 0; i < COUNT_OF(walks); i++) {
        uint8_t buf[64];
        size_t len = hex_bytes(walks[i].hex, buf, sizeof buf);
        uint8_t *exact = xmemdup(buf, len);
        struct script_iter it = script_iter_of(span_of(exact, len));
        struct script_op op, last = {0};
        int ops = 0;
        for (; script_next(&it, &op); ops++)
            last = op;
        if (ops != walks[i].ops || it.failed != walks[i].failed || last.opcode != walks[i].last ||
            last.push.len != walks[i].push)
            fail_msg("%s: %d ops, failed %d", walks[i].hex, ops, it.failed);
        assert_int_equal(op.opcode, OP_INVALIDOPCODE);
        assert_false(script_next(&it, &op)); /* the end stays the end */
        xfree(exact);
    }
}

TEST(a_push_of_more_than_64_kib_is_walked)
{
    size_t len = 5 + 70000 + 1;
    uint8_t *script = xcalloc(1, len);
    hex_bytes("4e70110100", script, len); /* 70000 */
    script[len - 1] = OP_CHECKSIG;
    struct script_iter it = script_iter_of(span_of(script, len));
    struct script_op op;
    assert_true(script_next(&it, &op));
    assert_int_equal(op.push.len, 70000);
    assert_true(script_next(&it, &op));
    assert_int_equal(op.opcode, OP_CHECKSIG);
    assert_false(script_next(&it, &op));
    assert_false(it.failed);
    xfree(script);
}

/* clang-format off */
static const struct { const char *hex; bool push_only, unspendable, p2sh; int version;
    size_t program; } forms[] = {
    {"", true, false, false, -1, 0},
    {"00", true, false, false, -1, 0},
    {"5160504f", true, false, false, -1, 0},        /* OP_RESERVED counts as a push */
    {"61", false, false, false, -1, 0},
    {"51ff", false, false, false, -1, 0},
    {"02aa", false, false, false, -1, 0},           /* cut short */
    {"6a", false, true, false, -1, 0},
    {"6a02aabb", false, true, false, -1, 0},
    {"006a", false, false, false, -1, 0},           /* not in front */
    {"a914000000000000000000000000000000000000000087", false, false, true, -1, 0},
    {"a94c14000000000000000000000000000000000000000087", false, false, false, -1, 0},
    {"a914000000000000000000000000000000000000000088", false, false, false, -1, 0},
    {"a91400000000000000000000000000000000000000008700", false, false, false, -1, 0},
    {"0002aabb", true, false, false, 0, 2},
    {"0001aa", true, false, false, -1, 0},
    {"5102aabb", true, false, false, 1, 2},
    {"6002aabb", true, false, false, 16, 2},
    {"6102aabb", false, false, false, -1, 0},
    {"4f02aabb", true, false, false, -1, 0},
    {"5003aabbcc", true, false, false, -1, 0},
    {"514c02aabb", true, false, false, -1, 0},      /* not a direct push */
    {"5102aabb51", true, false, false, -1, 0},
    {"512800000000000000000000000000000000000000000000000000000000000000000000000000000000", true,
     false, false, 1, 40},
    {"51290000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     true, false, false, -1, 0},
};
/* clang-format on */

TEST(forms_are_matched_byte_by_byte)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        uint8_t buf[64];
        const char *hex = forms[i].hex;
        struct span script = span_of(buf, hex_bytes(hex, buf, sizeof buf)), program;
        int version = -1;
        if (script_is_push_only(script) != forms[i].push_only ||
            script_is_unspendable(script) != forms[i].unspendable)
            fail_msg("%s: push only or unspendable", hex);
        assert_int_equal(script_is_p2sh(script), forms[i].p2sh);
        bool is_program = script_is_witness_program(script, &version, &program);
        if (is_program != (forms[i].version >= 0))
            fail_msg("%s: witness program %d", hex, is_program);
        if (is_program) {
            assert_int_equal(version, forms[i].version);
            assert_int_equal(program.len, forms[i].program);
        }
    }
}

TEST(scripts_beyond_ten_thousand_bytes_are_unspendable)
{
    uint8_t *script = xcalloc(1, SCRIPT_MAX_BYTES + 1);
    assert_false(script_is_unspendable(span_of(script, SCRIPT_MAX_BYTES)));
    assert_true(script_is_unspendable(span_of(script, SCRIPT_MAX_BYTES + 1)));
    xfree(script);
}

/* clang-format off */
static const struct { int64_t n; const char *hex; } numbers[] = {
    {0, "00"}, {1, "51"}, {16, "60"}, {-1, "4f"}, {17, "0111"}, {127, "017f"}, {128, "028000"},
    {-127, "01ff"}, {-128, "028080"}, {255, "02ff00"}, {256, "020001"}, {32767, "02ff7f"},
    {32768, "03008000"}, {500000, "0320a107"}, {8388607, "03ffff7f"}, {8388608, "0400008000"},
    {2147483647, "04ffffff7f"}, {INT64_MIN, "09000000000000008080"},
    {INT64_MAX, "08ffffffffffffff7f"},
};
/* clang-format on */

TEST(numbers_are_pushed_in_the_shortest_form)
{
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        uint8_t out[SCRIPT_NUM_PUSH_MAX];
        size_t len = script_push_number(out, numbers[i].n);
        assert_hex(out, len, numbers[i].hex);
    }
}
