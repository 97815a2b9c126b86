/* test_base64.c - bytes as text of 64 characters. */
#include "support/unit.h"
#include "util/base64.h"

/* RFC 4648, section 10. */
static const char *const vectors[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbe", "+/++"},
};

TEST(the_vectors_of_the_rfc_hold_both_ways)
{
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct span plain = span_of_string(vectors[i][0]), text = span_of_string(vectors[i][1]);
        struct buffer made;
        uint8_t back[8];
        size_t len;
        buffer_init(&made);
        base64_append(&made, plain);
        assert_true(span_equal(buffer_span(&made), text));
        assert_true(base64_decode(text, back, sizeof back, &len));
        assert_true(span_equal(span_of(back, len), plain));
        buffer_deinit(&made);
    }
}

TEST(malformed_texts_are_refused)
{
    static const char *const bad[] = {"Z",    "Zg",       "Zg=",   "Zh==",   "Zm9=", "Z===",
                                      "====", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm9*", "-_-_"};
    uint8_t out[16];
    size_t len;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(base64_decode(span_of_string(bad[i]), out, sizeof out, &len));
}

TEST(no_more_is_decoded_than_there_is_room_for)
{
    uint8_t out[6];
    size_t len;
    assert_true(base64_decode(span_of_string("Zm9vYmFy"), out, 6, &len));
    assert_int_equal(len, 6);
    assert_false(base64_decode(span_of_string("Zm9vYmFy"), out, 5, &len));
}

TEST(bytes_of_each_length_come_back)
{
    uint8_t bytes[200], back[sizeof bytes + 3];
    uint32_t random = 1;
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct buffer text;
        size_t len;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24);
        }
        buffer_init(&text);
        base64_append(&text, span_of(bytes, n));
        assert_int_equal(text.len, (n + 2) / 3 * 4);
        assert_true(base64_decode(buffer_span(&text), back, text.len / 4 * 3, &len));
        assert_true(span_equal(span_of(back, len), span_of(bytes, n)));
        for (size_t i = 0; i < text.len; i++) { /* one character that is no digit, anywhere */
            uint8_t was = text.p[i];
            text.p[i] = '-';
            assert_false(base64_decode(buffer_span(&text), back, sizeof back, &len));
            text.p[i] = was;
        }
        buffer_deinit(&text);
    }
}
