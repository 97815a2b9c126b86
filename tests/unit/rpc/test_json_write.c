/* test_json_write.c - trees come back as the text they were. */
#include "rpc/json_write.h"
#include "support/unit.h"

static void assert_written(const char *text, unsigned indent, const char *want)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_value *value;
    assert_true(json_parse(span_of_string(text), &arena, &value));
    json_write(&buffer, value, indent);
    if (!span_equal(buffer_span(&buffer), span_of_string(want)))
        fail_msg("%.*s instead of %s", (int)buffer.len, (char *)buffer.p, want);
    buffer_deinit(&buffer);
    arena_deinit(&arena);
}

TEST(compact_form_has_no_spaces)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "\"a\\nb\"",
        "-1.50e+3",
        "[]",
        "{}",
        "[[],{},[[]]]",
        "{\"a\":[1,2,{\"b\":null}],\"c\":{},\"d\":\"\"}",
        "[0.10,\"0.10\",{\"x\":[[[]]]},5]",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_written(texts[i], 0, texts[i]);
    assert_written(" [ 1 , { \"a\" : 2 } ] ", 0, "[1,{\"a\":2}]");
}

TEST(indented_form_has_a_line_per_item)
{
    assert_written("5", 2, "5");
    assert_written("[]", 2, "[\n]");
    assert_written("{}", 2, "{\n}");
    assert_written("[1,[2,[]],{}]", 2, "[\n  1,\n  [\n    2,\n    [\n    ]\n  ],\n  {\n  }\n]");
    assert_written(
        "{\"a\":{\"b\":\"c\"},\"d\":[1]}", 4,
        "{\n    \"a\": {\n        \"b\": \"c\"\n    },\n    \"d\": [\n        1\n    ]\n}");
}

TEST(a_value_is_an_item_of_an_answer)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_out out = json_out_to(&buffer);
    struct json_value *value;
    assert_true(json_parse(span_of_string("{\"k\":[1,2]}"), &arena, &value));
    json_open_array(&out);
    json_put_value(&out, value);
    json_put_value(&out, json_find(value, "k"));
    json_put_int(&out, 3);
    json_close_array(&out);
    assert_true(span_equal(buffer_span(&buffer), span_of_string("[{\"k\":[1,2]},[1,2],3]")));
    buffer_deinit(&buffer);
    arena_deinit(&arena);
}

TEST(a_member_alone_is_written_without_its_siblings)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_value *value;
    assert_true(json_parse(span_of_string("{\"id\":\"x\",\"next\":1}"), &arena, &value));
    json_write(&buffer, json_find(value, "id"), 0);
    assert_true(span_equal(buffer_span(&buffer), span_of_string("\"x\"")));
    buffer_deinit(&buffer);
    arena_deinit(&arena);
}

TEST(trees_can_be_made_by_hand)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct buffer buffer;
    buffer_init(&buffer);
    struct json_value *root = json_new(&arena, JSON_KIND_OBJECT);
    struct json_value *list = json_new(&arena, JSON_KIND_ARRAY);
    json_add(root, "list", list);
    json_add(root, "s", json_new_text(&arena, JSON_KIND_STRING, span_of_string("a\"")));
    json_add(list, NULL, json_new_text(&arena, JSON_KIND_NUMBER, span_of_string("7")));
    json_add(list, NULL, json_new(&arena, JSON_KIND_NULL));
    json_write(&buffer, root, 0);
    assert_true(
        span_equal(buffer_span(&buffer), span_of_string("{\"list\":[7,null],\"s\":\"a\\\"\"}")));
    expect_assert_failure(json_add(list, "name", root));
    buffer_deinit(&buffer);
    arena_deinit(&arena);
}
