/* test_result_shape.c - what answers look like, as a schema and for people. */
#include "rpc/result_shape.h"
#include "support/unit.h"

static void assert_schema(const char *shape, const char *want)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    assert_string_equal(result_shape_put_schema(&out, shape), "");
    buffer_append(&buffer, "", 1);
    assert_string_equal((const char *)buffer.p, want);
    buffer_deinit(&buffer);
}

static void assert_help(const char *shape, const char *want)
{
    struct buffer buffer;
    buffer_init(&buffer);
    result_shape_write(&buffer, shape);
    buffer_append(&buffer, "", 1);
    assert_string_equal((const char *)buffer.p, want);
    buffer_deinit(&buffer);
}

TEST(single_values_have_their_types)
{
    assert_schema("n", "{\"type\":\"number\"}");
    assert_schema("null", "{\"type\":\"null\"}");
    assert_schema("bool", "{\"type\":\"boolean\"}");
    assert_schema("true", "{\"const\":true}");
    assert_schema("any", "{}");
    assert_schema("amount", "{\"type\":\"number\",\"x-bitcoin-unit\":\"amount\"}");
    assert_schema("\"str\"", "{\"type\":\"string\"}");
    assert_schema("\"hex\"", "{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]*$\"}");
    assert_schema("\"up|down\"", "{\"type\":\"string\",\"enum\":[\"up\",\"down\"]}");
    assert_schema("n (in seconds)", "{\"type\":\"number\",\"description\":\"in seconds\"}");
}

TEST(members_are_told_in_order_with_those_that_are_always_there)
{
    assert_schema("{\"b\": n, \"a\"?: bool (if asked for), \"c\": null or n, \"d\": [n, ...]}",
                  "{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"number\"},"
                  "\"a\":{\"type\":\"boolean\",\"description\":\"if asked for\"},"
                  "\"c\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"number\"}]},"
                  "\"d\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}},"
                  "\"required\":[\"b\",\"c\",\"d\"],\"additionalProperties\":false}");
    assert_schema("{\"a\"?: n, ...}",
                  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}},"
                  "\"additionalProperties\":true}");
    assert_schema("{<txid>: {\"a\": n} (of it), ...}",
                  "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\","
                  "\"properties\":{\"a\":{\"type\":\"number\"}},\"required\":[\"a\"],"
                  "\"additionalProperties\":false,\"description\":\"of it\"}}");
    assert_schema("{...}", "{\"type\":\"object\"}");
    assert_schema("{}", "{\"type\":\"object\",\"additionalProperties\":false}");
}

TEST(arrays_have_any_number_of_items_or_just_those_given)
{
    assert_schema("[...]", "{\"type\":\"array\"}");
    assert_schema("[{...} or null, ...] (all)",
                  "{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":\"object\"},"
                  "{\"type\":\"null\"}]},\"description\":\"all\"}");
    assert_schema("[n, [bool, ...]]",
                  "{\"type\":\"array\",\"items\":[{\"type\":\"number\"},{\"type\":\"array\","
                  "\"items\":{\"type\":\"boolean\"}}],\"additionalItems\":false,\"minItems\":2,"
                  "\"maxItems\":2}");
}

TEST(words_behind_the_whole_are_given_back)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    assert_string_equal(result_shape_put_schema(&out, "n or null    the height, if {known}"),
                        "the height, if {known}");
    buffer_deinit(&buffer);
}

TEST(brackets_open_to_a_limit)
{
    _Static_assert(RESULT_SHAPE_DEPTH_MAX == 16, "as many brackets as below");
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    const char *text = "[[[[[[[[[[[[[[[n]]]]]]]]]]]]]]]";
    assert_string_equal(result_shape_put_schema(&out, text), "");
    assert_help(text, text);
    buffer_deinit(&buffer);
}

TEST(people_see_what_fits_in_one_line)
{
    assert_help("{\"a\": n, \"b\"?: [n, ...]}    words\n  as they are",
                "{\"a\": n, \"b\"?: [n, ...]}    words\n  as they are");
    assert_help("[{\"first\": n (a number that needs some words to be understood), "
                "\"second\": {\"a\": n, \"b\": n}, "
                "\"third\"?: {\"first\": n (a number that needs some words), "
                "\"second\": n (a number)}, ...}, ...]    words",
                "[{\n"
                "  \"first\": n (a number that needs some words to be understood),\n"
                "  \"second\": {\"a\": n, \"b\": n},\n"
                "  \"third\"?: {\"first\": n (a number that needs some words), "
                "\"second\": n (a number)},\n"
                "  ...\n"
                "}, ...]    words");
}
