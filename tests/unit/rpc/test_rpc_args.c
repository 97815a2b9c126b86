/* test_rpc_args.c - what handlers read of arguments, with the right errors. */
#include "rpc/rpc_internal.h"
#include "support/unit.h"
#include "util/alloc.h"

/* A call with arguments, as far as these functions look at it. */
struct fixture {
    struct rpc_call call;
    struct json_value *params;
};

static void set_up(struct fixture *f, const char *params)
{
    *f = (struct fixture){0};
    arena_init(&f->call.arena, 1024);
    assert_true(json_parse(span_of_string(params), &f->call.arena, &f->params));
    for (const struct json_value *v = f->params->first; v; v = v->next)
        f->call.args[f->call.n_args++] = v;
}

static void tear_down(struct fixture *f)
{
    xfree(f->call.error_message);
    arena_deinit(&f->call.arena);
}

static void assert_error(struct fixture *f, int code, const char *message)
{
    assert_int_equal(f->call.error_code, code);
    assert_string_equal(f->call.error_message, message);
}

TEST(null_is_as_good_as_nothing)
{
    struct fixture f;
    int32_t number = 5;
    int64_t wide = 6;
    set_up(&f, "[null,true,\"x\"]");
    assert_null(rpc_arg(&f.call, 0));
    assert_null(rpc_arg(&f.call, 9));
    assert_non_null(rpc_arg(&f.call, 1));
    assert_true(rpc_arg_bool(&f.call, 0, true));
    assert_false(rpc_arg_bool(&f.call, 9, false));
    assert_true(rpc_arg_bool(&f.call, 1, false));
    assert_string_equal(rpc_arg_string(&f.call, 0, "none"), "none");
    assert_string_equal(rpc_arg_string(&f.call, 2, "none"), "x");
    assert_true(rpc_arg_int32(&f.call, 0, &number) && rpc_arg_int64(&f.call, 9, &wide));
    assert_int_equal(number, 5);
    assert_int_equal(wide, 6);
    tear_down(&f);
}

TEST(integers_have_their_width)
{
    /* clang-format off */
    static const struct { const char *params; bool fits32, fits64; } cases[] = {
        {"[2147483647]", true, true}, {"[2147483648]", false, true},
        {"[-2147483648]", true, true}, {"[-2147483649]", false, true},
        {"[9223372036854775807]", false, true}, {"[9223372036854775808]", false, false},
        {"[1.0]", false, false}, {"[1e2]", false, false},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        int32_t narrow;
        int64_t wide;
        set_up(&f, cases[i].params);
        assert_int_equal(rpc_arg_int32(&f.call, 0, &narrow), cases[i].fits32);
        if (!cases[i].fits32)
            assert_error(&f, RPC_MISC_ERROR, "JSON integer out of range");
        assert_int_equal(rpc_arg_int64(&f.call, 0, &wide), cases[i].fits64);
        tear_down(&f);
    }
}

TEST(verbosity_is_a_number_or_a_bool)
{
    struct fixture f;
    int32_t verbosity = 9;
    set_up(&f, "[null,true,false,3,\"1\"]");
    assert_true(rpc_arg_verbosity(&f.call, 0, true, &verbosity));
    assert_int_equal(verbosity, 9);
    assert_true(rpc_arg_verbosity(&f.call, 1, true, &verbosity));
    assert_int_equal(verbosity, 1);
    assert_true(rpc_arg_verbosity(&f.call, 2, true, &verbosity));
    assert_int_equal(verbosity, 0);
    assert_true(rpc_arg_verbosity(&f.call, 3, false, &verbosity));
    assert_int_equal(verbosity, 3);
    assert_false(rpc_arg_verbosity(&f.call, 1, false, &verbosity));
    assert_error(&f, RPC_TYPE_ERROR, "Verbosity was boolean but only integer allowed");
    assert_false(rpc_arg_verbosity(&f.call, 4, true, &verbosity));
    assert_error(&f, RPC_TYPE_ERROR, "JSON value of type string is not of expected type number");
    tear_down(&f);
}

#define ID "00000000000000000000000000000000000000000000000000000000000000ff"

TEST(ids_are_64_digits)
{
    struct fixture f;
    uint8_t id[32];
    set_up(&f, "[\"" ID "\",\"" ID "0\",\"x" ID "\",5]");
    assert_true(rpc_read_id(&f.call, rpc_arg(&f.call, 0), "hash", id));
    assert_int_equal(id[0], 0xff);
    assert_int_equal(id[31], 0);
    assert_false(rpc_read_id(&f.call, rpc_arg(&f.call, 1), "hash", id));
    assert_error(&f, RPC_INVALID_PARAMETER, "hash must be of length 64 (not 65, for '" ID "0')");
    assert_false(rpc_read_id(&f.call, rpc_arg(&f.call, 3), "hash", id));
    assert_error(&f, RPC_TYPE_ERROR, "JSON value of type number is not of expected type string");
    assert_false(rpc_read_id(&f.call, NULL, "hash", id));
    assert_error(&f, RPC_TYPE_ERROR, "JSON value of type null is not of expected type string");
    struct json_value bad = {.kind = JSON_KIND_STRING, .text = span_of("g" ID, 64)};
    assert_false(rpc_read_id(&f.call, &bad, "hash", id));
    assert_int_equal(f.call.error_code, RPC_INVALID_PARAMETER);
    assert_memory_equal(f.call.error_message, "hash must be hexadecimal string (not 'g0", 39);
    tear_down(&f);
}

TEST(hex_may_be_of_any_even_length)
{
    struct fixture f;
    struct span bytes;
    set_up(&f, "[\"\",\"0aFf\",\"0\",\"0g\",true]");
    assert_true(rpc_read_hex(&f.call, rpc_arg(&f.call, 0), "Data", &bytes));
    assert_int_equal(bytes.len, 0);
    assert_true(rpc_read_hex(&f.call, rpc_arg(&f.call, 1), "Data", &bytes));
    assert_true(span_equal(bytes, span_of("\x0a\xff", 2)));
    assert_false(rpc_read_hex(&f.call, rpc_arg(&f.call, 2), "Data", &bytes));
    assert_error(&f, RPC_INVALID_PARAMETER, "Data must be hexadecimal string (not '0')");
    assert_false(rpc_read_hex(&f.call, rpc_arg(&f.call, 3), "Data", &bytes));
    assert_false(rpc_read_hex(&f.call, rpc_arg(&f.call, 4), "Data", &bytes));
    tear_down(&f);
}

TEST(amounts_lie_within_the_supply)
{
    /* clang-format off */
    static const struct { const char *params; int64_t sat; const char *error; } cases[] = {
        {"[0]",                      0,                         NULL},
        {"[\"0.00000001\"]",         1,                         NULL},
        {"[21000000]",               INT64_C(2100000000000000), NULL},
        {"[21000000.00000001]",      0, "Amount out of range"},
        {"[-0.00000001]",            0, "Amount out of range"},
        {"[0.000000001]",            0, "Invalid amount"},
        {"[\"\"]",                   0, "Invalid amount"},
        {"[true]",                   0, "Amount is not a number or string"},
        {"[null]",                   0, "Amount is not a number or string"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        int64_t sat;
        set_up(&f, cases[i].params);
        assert_int_equal(rpc_read_amount(&f.call, f.call.args[0], &sat), !cases[i].error);
        if (cases[i].error)
            assert_error(&f, RPC_TYPE_ERROR, cases[i].error);
        else
            assert_int_equal(sat, cases[i].sat);
        tear_down(&f);
    }
}
