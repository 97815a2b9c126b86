/* test_script_num.c - script numbers, checked against a model that works digit by digit.
 *
 * hazards: row 26 (negative zero, non-minimal forms, INT_MIN), row 20 (operand sizes). */
#include "consensus/script_num.h"
#include "support/unit.h"

/* clang-format off */
static const struct { int64_t value; size_t len; uint8_t bytes[9]; } forms[] = {
    {0, 0, {0}},
    {1, 1, {0x01}},                     {-1, 1, {0x81}},
    {127, 1, {0x7f}},                   {-127, 1, {0xff}},
    {128, 2, {0x80, 0x00}},             {-128, 2, {0x80, 0x80}},
    {255, 2, {0xff, 0x00}},             {-255, 2, {0xff, 0x80}},
    {256, 2, {0x00, 0x01}},             {-256, 2, {0x00, 0x81}},
    {32767, 2, {0xff, 0x7f}},           {-32767, 2, {0xff, 0xff}},
    {32768, 3, {0x00, 0x80, 0x00}},     {-32768, 3, {0x00, 0x80, 0x80}},
    {INT32_MAX, 4, {0xff, 0xff, 0xff, 0x7f}},
    {-INT32_MAX, 4, {0xff, 0xff, 0xff, 0xff}},
    {INT32_MIN, 5, {0x00, 0x00, 0x00, 0x80, 0x80}},
    {UINT32_MAX, 5, {0xff, 0xff, 0xff, 0xff, 0x00}},
    {INT64_C(0x7fffffffff), 5, {0xff, 0xff, 0xff, 0xff, 0x7f}},
    {INT64_MAX, 8, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
    {INT64_MIN, 9, {0, 0, 0, 0, 0, 0, 0, 0x80, 0x80}},
};

static const struct { size_t len; uint8_t bytes[5]; bool minimal; int64_t value; } loose[] = {
    {1, {0x00}, false, 0},
    {1, {0x80}, false, 0},                     /* negative zero */
    {2, {0x00, 0x80}, false, 0},
    {4, {0x00, 0x00, 0x00, 0x80}, false, 0},
    {2, {0x01, 0x00}, false, 1},
    {2, {0x01, 0x80}, false, -1},
    {2, {0x7f, 0x80}, false, -127},
    {2, {0x80, 0x80}, true, -128},
    {3, {0xff, 0xff, 0x00}, true, 65535},
    {3, {0xff, 0x7f, 0x00}, false, 32767},
};

static const struct { size_t len; uint8_t bytes[4]; bool want; } conditions[] = {
    {0, {0}, false},
    {1, {0x00}, false},
    {1, {0x80}, false},
    {1, {0x01}, true},
    {1, {0x81}, true},
    {2, {0x00, 0x00}, false},
    {2, {0x00, 0x80}, false},
    {2, {0x80, 0x00}, true},   /* 0x80 means the sign in the last byte only */
    {2, {0x80, 0x80}, true},
    {3, {0x00, 0x00, 0x80}, false},
    {3, {0x00, 0x01, 0x00}, true},
};
/* clang-format on */

/* The value of at most 7 bytes, by the definition. */
static int64_t model_value(struct span in)
{
    int64_t value = 0, weight = 1;
    for (size_t i = 0; i < in.len; i++, weight *= 256)
        value += weight * (i + 1 == in.len ? in.p[i] & 0x7f : in.p[i]);
    return in.len && in.p[in.len - 1] >= 0x80 ? -value : value;
}

TEST(numbers_have_the_known_forms)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        uint8_t out[SCRIPT_NUM_ENCODED_MAX];
        assert_int_equal(script_num_encode(forms[i].value, out), forms[i].len);
        assert_memory_equal(out, forms[i].bytes, forms[i].len);
        if (forms[i].len > 8)
            continue;
        int64_t value = -7;
        assert_true(script_num_decode(span_of(forms[i].bytes, forms[i].len), 8, true, &value));
        assert_true(value == forms[i].value);
    }
}

TEST(longer_forms_count_unless_the_shortest_is_demanded)
{
    for (size_t i = 0; i < COUNT_OF(loose); i++) {
        struct span in = span_of(loose[i].bytes, loose[i].len);
        int64_t value = -7;
        assert_true(script_num_decode(in, 4, false, &value));
        assert_true(value == loose[i].value);
        assert_int_equal(script_num_decode(in, 4, true, &value), loose[i].minimal);
    }
}

TEST(an_operand_has_four_bytes_or_five)
{
    const uint8_t five[] = {1, 0, 0, 0, 0, 0};
    int64_t value = -7;
    assert_true(script_num_decode(span_of(five, 4), SCRIPT_NUM_BYTES_MAX, false, &value));
    assert_false(script_num_decode(span_of(five, 5), SCRIPT_NUM_BYTES_MAX, false, &value));
    assert_true(script_num_decode(span_of(five, 5), SCRIPT_NUM_TIME_BYTES_MAX, false, &value));
    assert_false(script_num_decode(span_of(five, 6), SCRIPT_NUM_TIME_BYTES_MAX, false, &value));
    assert_true(value == 1);
}

TEST(all_of_up_to_two_bytes_and_many_of_five_agree_with_the_model)
{
    uint64_t random = 88172645463325252u;
    for (uint32_t n = 0; n < 0x10000 + 0x101 + 20000; n++) {
        uint8_t bytes[5] = {(uint8_t)n, (uint8_t)(n >> 8)};
        size_t len = n < 0x10000 ? 2 : n < 0x10100 ? 1 : 0;
        if (n > 0x10100) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            memcpy(bytes, &random, 5);
            len = 3 + random % 3;
        }
        struct span in = span_of(bytes, len);
        int64_t value, want = model_value(in);
        assert_true(script_num_decode(in, 5, false, &value));
        assert_true(value == want);

        /* The shortest form is the one that encoding gives. */
        uint8_t out[SCRIPT_NUM_ENCODED_MAX];
        struct span again = span_of(out, script_num_encode(want, out));
        assert_int_equal(script_num_decode(in, 5, true, &value), span_equal(in, again));
        assert_int_equal(script_is_true(in), want != 0);
    }
}

TEST(conditions_ignore_the_sign_of_zero)
{
    for (size_t i = 0; i < COUNT_OF(conditions); i++)
        assert_int_equal(script_is_true(span_of(conditions[i].bytes, conditions[i].len)),
                         conditions[i].want);
}
