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
