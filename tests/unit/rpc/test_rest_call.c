/* test_rest_call.c - what handlers of REST read of a path and a query. */
#include "rpc/rest_call.h"

#include "support/unit.h"
#include "util/alloc.h"

TEST(paths_are_split_at_slashes)
{
    char path[] = "a/b//c", *parts[REST_PARTS_MAX];
    assert_int_equal(rest_split(path, parts), 4);
    assert_string_equal(parts[0], "a");
    assert_string_equal(parts[2], "");
    assert_string_equal(parts[3], "c");
    char empty[] = "";
    assert_int_equal(rest_split(empty, parts), 1);
}

TEST(a_path_has_so_many_parts_and_no_more)
{
    char path[REST_PARTS_MAX + 3], *parts[REST_PARTS_MAX];
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(rest_split(path, parts), REST_PARTS_MAX);
    assert_string_equal(parts[REST_PARTS_MAX - 1], "///");
}

TEST(numbers_are_digits_alone)
{
    uint64_t n = 7;
    assert_true(rest_read_number("0", &n));
    assert_int_equal(n, 0);
    assert_true(rest_read_number("18446744073709551615", &n));
    assert_false(rest_read_number("18446744073709551616", &n));
    assert_false(rest_read_number("", &n));
    assert_false(rest_read_number("+1", &n));
    assert_false(rest_read_number("-1", &n));
    assert_false(rest_read_number("1a", &n));
}

/* A call that has a query and no more. */
static const char *ask(const char *query, const char *name, struct rpc_call *call,
                       struct rest_request *rest)
{
    const char *value;
    *rest = (struct rest_request){.query = query};
    call->rest = rest;
    call->error_code = 0;
    return rest_query(call, name, "(none)", &value) ? value : NULL;
}

TEST(queries_are_decoded)
{
    struct rpc_call call = {0};
    struct rest_request rest;
    arena_init(&call.arena, 1024);
    assert_string_equal(ask("", "count", &call, &rest), "(none)");
    assert_string_equal(ask("counts=1&ount=2", "count", &call, &rest), "(none)");
    assert_string_equal(ask("a=b&Count=5&count=6", "count", &call, &rest), "5");
    assert_string_equal(ask("count=", "count", &call, &rest), "");
    assert_string_equal(ask("count=%35+a", "count", &call, &rest), "5 a");
    static const char *const bad[] = {"count=%", "count=%4", "count=%4g", "count=[", "count=a b"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(ask(bad[i], "count", &call, &rest));
        assert_int_equal(rest.status, 400);
    }
    xfree(call.error_message);
    arena_deinit(&call.arena);
}

TEST(counts_have_two_ends)
{
    struct rpc_call call = {0};
    struct rest_request rest = {0};
    size_t n;
    call.rest = &rest;
    assert_true(rest_read_count(&call, "1", &n));
    assert_true(rest_read_count(&call, "2000", &n));
    assert_int_equal(n, 2000);
    assert_false(rest_read_count(&call, "0", &n));
    assert_false(rest_read_count(&call, "2001", &n));
    assert_string_equal(call.error_message,
                        "Header count is invalid or out of acceptable range (1-2000): 2001");
    xfree(call.error_message);
}
