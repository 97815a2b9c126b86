/* test_json_out.c - the emitter writes what UniValue would. */
#include "rpc/json_out.h"
#include "support/unit.h"

static void assert_text(const struct buffer *buffer, const char *want)
{
    assert_int_equal(buffer->len, strlen(want));
    assert_memory_equal(buffer->p, want, buffer->len);
}

TEST(commas_stand_between_items_only)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    json_open_object(&out);
    json_field_int(&out, "a", -1);
    json_field_array(&out, "b");
    json_close_array(&out);
    json_field_array(&out, "c");
    json_put_null(&out);
    json_put_bool(&out, true);
    json_open_object(&out);
    json_close_object(&out);
    json_put_bool(&out, false);
    json_close_array(&out);
    json_field_object(&out, "d");
    json_field_null(&out, "e");
    json_close_object(&out);
    json_field_bool(&out, "f", false);
    json_close_object(&out);
    assert_int_equal(out.depth, 0);
    assert_text(&buffer, "{\"a\":-1,\"b\":[],\"c\":[null,true,{},false],\"d\":{\"e\":null},"
                         "\"f\":false}");
    buffer_deinit(&buffer);
}

TEST(amounts_have_eight_decimals)
{
    /* clang-format off */
    static const struct { int64_t sat; const char *want; } cases[] = {
        {0,                            "0.00000000"},
        {1,                            "0.00000001"},
        {-1,                           "-0.00000001"},
        {99999999,                     "0.99999999"},
        {100000000,                    "1.00000000"},
        {-100000001,                   "-1.00000001"},
        {INT64_C(2100000000000000),    "21000000.00000000"},
        {INT64_MAX,                    "92233720368.54775807"},
        {INT64_MIN,                    "-92233720368.54775808"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer buffer;
        buffer_init(&buffer);
        struct json_out out = json_out_to(&buffer);
        json_put_amount(&out, cases[i].sat);
        assert_text(&buffer, cases[i].want);
        buffer_deinit(&buffer);
    }
}

TEST(numbers_of_each_length_are_those_of_printf)
{
    struct buffer buffer;
    buffer_init(&buffer);
    char want[32];
    uint64_t power = 1;
    for (int digits = 1; digits <= 19; digits++, power *= 10) {
        const int64_t values[] = {(int64_t)power, (int64_t)(power - 1), (int64_t)(power * 7 / 6),
                                  -(int64_t)power};
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            struct json_out out = json_out_to(&buffer);
            buffer.len = 0;
            json_put_int(&out, values[i]);
            snprintf(want, sizeof want, "%lld", (long long)values[i]);
            assert_text(&buffer, want);
        }
    }
    buffer_deinit(&buffer);
}

TEST(the_longest_numbers_fit_behind_commas_and_ids_are_keys)
{
    static const uint8_t id[32] = {0xab, [31] = 1};
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    json_open_object(&out);
    json_put_id_key(&out, id);
    json_open_array(&out);
    for (int i = 0; i < 2; i++) {
        json_put_int(&out, INT64_MIN);
        json_put_amount(&out, INT64_MIN);
    }
    json_close_array(&out);
    json_put_id_key(&out, id);
    json_put_int(&out, 7);
    json_close_object(&out);
    assert_text(&buffer,
                "{\"01000000000000000000000000000000000000000000000000000000000000ab\":["
                "-9223372036854775808,-92233720368.54775808,"
                "-9223372036854775808,-92233720368.54775808],"
                "\"01000000000000000000000000000000000000000000000000000000000000ab\":7}");
    buffer_deinit(&buffer);
}

TEST(doubles_have_sixteen_digits)
{
    /* clang-format off */
    static const struct { double value; const char *want; } cases[] = {
        {0,                        "0"},
        {1,                        "1"},
        {4.6565423739069247e-10,   "4.656542373906925e-10"}, /* regtest's difficulty */
        {0.1,                      "0.1"},
        {1.0 / 3,                  "0.3333333333333333"},
        {113757508810853.98,       "113757508810854"},
        {1e20,                     "1e+20"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer buffer;
        buffer_init(&buffer);
        struct json_out out = json_out_to(&buffer);
        json_put_double(&out, cases[i].value);
        assert_text(&buffer, cases[i].want);
        buffer_deinit(&buffer);
    }
}

/* A data directory's name may be any bytes; the answer that shows it is JSON all the same. */
TEST(bytes_that_are_no_utf8_are_replaced)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    json_put_string(&out, "a\xff"
                          "b\xc3\xa9\xc3");
    assert_int_equal(buffer.len, strlen("\"a\xef\xbf\xbd"
                                        "b\xc3\xa9\xef\xbf\xbd\""));
    assert_memory_equal(buffer.p,
                        "\"a\xef\xbf\xbd"
                        "b\xc3\xa9\xef\xbf\xbd\"",
                        buffer.len);
    buffer_deinit(&buffer);
}

TEST(strings_are_escaped)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    json_open_array(&out);
    json_put_string(&out, "");
    json_put_string(&out, "a\"b\\c/");
    json_put_string(&out, "\b\t\n\f\r\x01\x1f\x7f");
    json_put_string(&out, "\xc3\xa9");
    json_put_text(&out, span_of("x\0y", 3));
    json_close_array(&out);
    assert_text(&buffer, "[\"\",\"a\\\"b\\\\c/\",\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\","
                         "\"\xc3\xa9\",\"x\\u0000y\"]");
    buffer_deinit(&buffer);
}

/* Texts are gone through by words: whatever byte stands at whatever place of one. */
TEST(every_ascii_byte_is_told_from_its_neighbours)
{
    for (int c = 0; c < 0x80; c++) {
        bool is_plain = c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
        for (size_t at = 0; at < 19; at++) {
            char text[] = "   !!!#### [[]]~~~ a", want[64], *end;
            struct buffer buffer;
            buffer_init(&buffer);
            struct json_out out = json_out_to(&buffer);
            text[at] = (char)c;
            json_put_text(&out, span_of(text, 20));
            want[0] = '"';
            memcpy(want + 1, text, 20);
            if (is_plain)
                assert_int_equal(buffer.len, 22);
            else
                assert_int_equal(buffer.p[at + 1], '\\');
            end = (char *)buffer.p + buffer.len;
            assert_memory_equal(buffer.p, want, at + (is_plain ? 21 - at : 1));
            assert_memory_equal(end - (20 - at), text + at + 1, 19 - at);
            buffer_deinit(&buffer);
        }
    }
}

TEST(ids_are_shown_in_reverse)
{
    uint8_t id[32] = {0x01, 0xab};
    id[31] = 0xff;
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    json_open_object(&out);
    json_field_id(&out, "id", id);
    json_field_hex(&out, "hex", span_of(id, 3));
    json_field_hex(&out, "none", span_of(NULL, 0));
    json_close_object(&out);
    assert_text(&buffer,
                "{\"id\":\"ff0000000000000000000000000000000000000000000000000000000000ab01\","
                "\"hex\":\"01ab00\",\"none\":\"\"}");
    buffer_deinit(&buffer);
}

TEST(a_rewound_answer_leaves_no_trace)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    json_open_object(&out);
    json_field_double(&out, "x", 0.5);
    struct json_mark mark = json_out_mark(&out);
    json_field_array(&out, "half");
    json_open_object(&out);
    json_put_key(&out, "k");
    json_out_rewind(&out, mark);
    json_field_string(&out, "error", "e");
    json_field_amount(&out, "y", 5);
    json_close_object(&out);
    assert_text(&buffer, "{\"x\":0.5,\"error\":\"e\",\"y\":0.00000005}");
    buffer_deinit(&buffer);
}

TEST(closing_what_is_not_open_is_a_bug)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    expect_assert_failure(json_close_object(&out));
    buffer_deinit(&buffer);
}
