/* test_json_in.c - the parser takes RFC 8259, nothing else, and keeps what a number said. */
#include "rpc/json_in.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

static bool parses(struct span text)
{
    struct arena arena;
    arena_init(&arena, 4096);
    struct json_value *value;
    bool ok = json_parse(text, &arena, &value);
    arena_deinit(&arena);
    return ok;
}

TEST(well_formed_texts_are_taken)
{
    static const char *const texts[] = {
        "null",
        "true",
        " false ",
        "0",
        "-0",
        "-1.5e+10",
        "1E-2",
        "\"\"",
        "[]",
        "{}",
        "[1 , 2,\t3]\r\n",
        "{\"a\":{\"b\":[null,{}]},\"a\":2}",
        "\"\\u0000\\ud83d\\ude00\\/\"",
        "\"\xf0\x9f\x98\x80\x7f\"",
        "[[],[[]]]",
        "123456789012345678901234567890",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (!parses(span_of_string(texts[i])))
            fail_msg("refused: %s", texts[i]);
    }
}

/* clang-format off */
static const char *const malformed[] = {
    "",
    " ",
    "nul",
    "nullx",
    "True",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    ".5",
    "1.",
    "1e",
    "1e+",
    "0x10",
    "1 2",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "[}",
    "{]",
    "[1}",
    "\"",
    "\"\\\"",
    "\"\\",
    "\"a",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u123g\"",
    "\"\n\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800x\"",
    "\"\x80\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xe2\x82\"",
    "\"\xf5\x80\x80\x80\"",
    "\"\xe0\x80\x80\"",
    "\"\xf0\x80\x80\x80\"",
    "'a'",
    "[1]x",
    "// c\n1",
    "\"\\u00\"00\"",
};
/* clang-format on */

TEST(malformed_texts_are_refused)
{
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        if (parses(span_of_string(malformed[i])))
            fail_msg("taken: %s", malformed[i]);
    }
    assert_false(parses(span_of("1\0", 2)));
    assert_false(parses(span_of("\"\0\"", 3)));
    assert_false(parses(span_of(NULL, 0)));
}

TEST(depth_is_limited)
{
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct buffer text;
        buffer_init(&text);
        for (size_t i = 0; i < depth; i++)
            buffer_append_string(&text, i % 2 ? "{\"k\":" : "[");
        if (depth % 2 == 0)
            buffer_append_string(&text, "0");
        for (size_t i = depth; i-- > 0;)
            buffer_append_string(&text, i % 2 ? "}" : "]");
        assert_int_equal(parses(buffer_span(&text)), depth <= JSON_DEPTH_MAX);
        buffer_deinit(&text);
    }
}

TEST(a_million_brackets_cost_nothing)
{
    uint8_t *text = xmalloc(1000000);
    memset(text, '[', 1000000);
    assert_false(parses(span_of(text, 1000000)));
    xfree(text);
}

TEST(the_number_of_values_is_limited)
{
    for (int over = 0; over <= 1; over++) {
        size_t n = JSON_VALUES_MAX + (size_t)over;
        char *text = xmalloc(2 * n + 1);
        text[0] = '[';
        for (size_t i = 0; i < n; i++) {
            text[1 + 2 * i] = '0';
            text[2 + 2 * i] = ',';
        }
        text[2 * n] = ']';
        assert_int_equal(parses(span_of(text, 2 * n + 1)), !over);
        xfree(text);
    }
}

TEST(the_tree_holds_what_was_written)
{
    struct arena arena;
    arena_init(&arena, 4096);
    struct json_value *root;
    static const char text[] = "{\"s\":\"a\\u00e9\\n\\ud83d\\ude00\",\"n\":-1.50e3,"
                               "\"a\":[true,null,{\"\":[]}],\"s\":\"second\"}";
    assert_true(json_parse(span_of_string(text), &arena, &root));
    assert_int_equal(root->kind, JSON_KIND_OBJECT);
    assert_int_equal(root->n, 4);
    const struct json_value *s = json_find(root, "s");
    assert_true(json_text_is(s, "a\xc3\xa9\n\xf0\x9f\x98\x80"));
    assert_false(json_text_is(s, "a"));
    assert_int_equal(s->text.p[s->text.len], 0);
    const struct json_value *n = json_find(root, "n");
    assert_int_equal(n->kind, JSON_KIND_NUMBER);
    assert_true(span_equal(n->text, span_of_string("-1.50e3")));
    const struct json_value *a = json_find(root, "a");
    assert_int_equal(a->kind, JSON_KIND_ARRAY);
    assert_int_equal(a->n, 3);
    assert_true(json_at(a, 0)->boolean);
    assert_int_equal(json_at(a, 1)->kind, JSON_KIND_NULL);
    assert_int_equal(json_find(json_at(a, 2), "")->kind, JSON_KIND_ARRAY);
    assert_null(json_at(a, 3));
    assert_null(json_find(root, "none"));
    assert_null(json_find(a, "s"));
    assert_true(json_text_is(json_at(root, 3), "second"));
    arena_deinit(&arena);
}

static struct json_value number(const char *text)
{
    return (struct json_value){.kind = JSON_KIND_NUMBER, .text = span_of_string(text)};
}

TEST(integers_are_exact_and_bounded)
{
    /* clang-format off */
    static const struct { const char *text; int64_t min, max; bool ok; int64_t want; } cases[] = {
        {"0",                    INT64_MIN, INT64_MAX, true, 0},
        {"-0",                   INT64_MIN, INT64_MAX, true, 0},
        {"9223372036854775807",  INT64_MIN, INT64_MAX, true, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
        {"9223372036854775808",  INT64_MIN, INT64_MAX, false, 0},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
        {"99999999999999999999", INT64_MIN, INT64_MAX, false, 0},
        {"1.0",                  INT64_MIN, INT64_MAX, false, 0},
        {"1e3",                  INT64_MIN, INT64_MAX, false, 0},
        {"2147483647",           INT32_MIN, INT32_MAX, true, INT32_MAX},
        {"2147483648",           INT32_MIN, INT32_MAX, false, 0},
        {"-2147483648",          INT32_MIN, INT32_MAX, true, INT32_MIN},
        {"-2147483649",          INT32_MIN, INT32_MAX, false, 0},
        {"-1",                   0,         10,        false, 0},
        {"10",                   0,         10,        true, 10},
        {"11",                   0,         10,        false, 0},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_value value = number(cases[i].text);
        int64_t out = 0;
        if (json_integer_in(&value, cases[i].min, cases[i].max, &out) != cases[i].ok ||
            out != cases[i].want)
            fail_msg("%s", cases[i].text);
    }
    struct json_value s = {.kind = JSON_KIND_STRING, .text = span_of_string("1")};
    int64_t out;
    assert_false(json_integer_in(&s, 0, 10, &out));
}

TEST(amounts_are_read_without_rounding)
{
    /* The values of Core's ParseFixedPoint tests, worked out by hand. */
    /* clang-format off */
    static const struct { const char *text; bool ok; int64_t want; } cases[] = {
        {"0",                      true,  0},
        {"1",                      true,  100000000},
        {"0.0",                    true,  0},
        {"-0.1",                   true,  -10000000},
        {"1.1",                    true,  110000000},
        {"1.10000000000000000",    true,  110000000},
        {"1.1e1",                  true,  1100000000},
        {"1.1e-1",                 true,  11000000},
        {"1000",                   true,  INT64_C(100000000000)},
        {"-1000",                  true,  INT64_C(-100000000000)},
        {"0.00000001",             true,  1},
        {"0.0000000100000000",     true,  1},
        {"-0.00000001",            true,  -1},
        {"1e-8",                   true,  1},
        {"0.01e-6",                true,  1},
        {"10000000e-15",           true,  1},
        {"1000000000.00000001",    true,  INT64_C(100000000000000001)},
        {"9999999999.99999999",    true,  INT64_C(999999999999999999)},
        {"20999999.97690000",      true,  INT64_C(2099999997690000)},
        {"",                       false, 0},
        {"-",                      false, 0},
        {"a-1000",                 false, 0},
        {"-1000a",                 false, 0},
        {"-01000",                 false, 0},
        {"00.1",                   false, 0},
        {".1",                     false, 0},
        {"--0.1",                  false, 0},
        {"1.",                     false, 0},
        {"1e",                     false, 0},
        {"1e+",                    false, 0},
        {" 1",                     false, 0},
        {"0.000000001",            false, 0},
        {"-0.000000001",           false, 0},
        {"0.00000001000000001",    false, 0},
        {"-10000000000.00000000",  false, 0},
        {"10000000000.00000000",   false, 0},
        {"10000000000.00000001",   false, 0},
        {"1e11",                   false, 0},
        {"93e+9",                  false, 0},
        {"1e99999999999999999999", false, 0},
        {"1e-99999999999999999999", false, 0},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_value value = number(cases[i].text);
        int64_t out = 0;
        if (json_fixed_point(&value, 8, &out) != cases[i].ok || out != cases[i].want)
            fail_msg("%s gave %lld", cases[i].text, (long long)out);
    }
    struct json_value s = {.kind = JSON_KIND_STRING, .text = span_of_string("0.5")};
    int64_t out;
    assert_true(json_fixed_point(&s, 8, &out));
    assert_int_equal(out, 50000000);
    s.kind = JSON_KIND_BOOL;
    assert_false(json_fixed_point(&s, 8, &out));
}

TEST(a_long_number_costs_its_length)
{
    char *text = xmalloc(10001);
    memset(text, '9', 10000);
    text[10000] = 0;
    assert_true(parses(span_of(text, 10000)));
    struct json_value value = number(text);
    int64_t out;
    assert_false(json_integer_in(&value, INT64_MIN, INT64_MAX, &out));
    assert_false(json_fixed_point(&value, 8, &out));
    xfree(text);
}

TEST(kinds_have_names)
{
    assert_string_equal(json_kind_name(JSON_KIND_NULL), "null");
    assert_string_equal(json_kind_name(JSON_KIND_BOOL), "bool");
    assert_string_equal(json_kind_name(JSON_KIND_OBJECT), "object");
    assert_string_equal(json_kind_name(JSON_KIND_ARRAY), "array");
    assert_string_equal(json_kind_name(JSON_KIND_STRING), "string");
    assert_string_equal(json_kind_name(JSON_KIND_NUMBER), "number");
}

TEST(values_know_their_places_and_faults_theirs)
{
    static const struct {
        const char *text;
        size_t fault_at;
    } rows[] = {{"", 0}, {" x", 1}, {"{\"a\" 1}", 5}, {"[1,]", 3}, {"1 2", 2}, {"[1", 2}};
    struct arena arena;
    struct json_value *value;
    size_t fault_at;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_false(json_parse_at(span_of_string(rows[i].text), &arena, &value, &fault_at));
        assert_int_equal(fault_at, rows[i].fault_at);
    }
    assert_true(json_parse_at(span_of_string(" {\"a\": [7, 8]}"), &arena, &value, &fault_at));
    assert_int_equal(value->at, 1);
    assert_int_equal(value->first->at, 7);
    assert_int_equal(json_at(value->first, 1)->at, 11);
    arena_deinit(&arena);
}
