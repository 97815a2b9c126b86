/* test_miniscript_limits.c - what is sane and fits. */
#include "spend/miniscript/miniscript.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

#define H20 "00112233445566778899aabbccddeeff00112233"

/* The fault of an expression, and the part that has it. */
static void assert_fault(struct fixture *f, const char *text, enum ms_fault want, const char *part)
{
    uint32_t node;
    if (!read_text(f, text))
        fail_msg("%s is refused", text);
    enum ms_fault fault = ms_check(&f->ms, &f->keys, &f->arena, &node);
    if (fault != want)
        fail_msg("%s: %d, not %d", text, (int)fault, (int)want);
    f->text.len = 0;
    ms_write(&f->ms, &f->keys, node, &f->text);
    if (!span_equal(buffer_span(&f->text), span_of_string(part)))
        fail_msg("%s: %.*s", text, (int)f->text.len, (const char *)f->text.p);
}

TEST(the_first_part_at_fault_is_told, struct fixture *f)
{
    assert_fault(f, "pk(A)", MS_SANE, "pk(A)");
    assert_fault(f, "and_v(v:pk(A),s:pk_k(B))", MS_INVALID, "s:pk_k(B)");
    assert_fault(f, "and_v(v:pk(A),or_i(older(1),older(2)))", MS_MALLEABLE,
                 "or_i(older(1),older(2))");
    assert_fault(f, "older(1)", MS_NO_SIGNATURE, "older(1)");
    assert_fault(f, "or_d(pk(A),older(1))", MS_NO_SIGNATURE, "or_d(pk(A),older(1))");
    assert_fault(f, "and_v(v:pk(A),and_v(v:older(1),older(4194305)))", MS_MIXED_TIMELOCKS,
                 "and_v(v:older(1),older(4194305))");
    assert_fault(f, "and_v(v:pk(C),and_v(v:pk(A),pk(A)))", MS_DUPLICATE_KEYS,
                 "and_v(v:pk(A),pk(A))");
    assert_fault(f, "multi(1,A,B,A)", MS_DUPLICATE_KEYS, "multi(1,A,B,A)");
    assert_fault(f, "pk_k(A)", MS_NOT_SANE, "pk_k(A)");
    assert_fault(f, "v:pk(A)", MS_NOT_SANE, "v:pk(A)");
    assert_fault(f, "and_v(v:pk(A),0)", MS_NOT_SATISFIABLE, "and_v(v:pk(A),0)");
    assert_fault(f, "0", MS_NOT_SATISFIABLE, "0");
}

/* and_b() of A and n times an expression that costs ops. */
static enum ms_fault fault_of_row(struct fixture *f, const char *part, size_t n)
{
    struct buffer text;
    uint32_t node;
    buffer_init(&text);
    for (size_t i = 0; i < n; i++)
        buffer_append_format(&text, "and_b(%s,a:", part);
    buffer_append_string(&text, "pk(A)");
    for (size_t i = 0; i < n; i++)
        buffer_append_string(&text, ")");
    bool ok = ms_read(&f->keys, f->context, buffer_span(&text), &f->arena, &f->ms);
    assert_true(ok);
    buffer_deinit(&text);
    return ms_check(&f->ms, &f->keys, &f->arena, &node);
}

TEST(operations_are_counted, struct fixture *f)
{
    /* CSV, TOALTSTACK, FROMALTSTACK, BOOLAND: 4 for each, and CHECKSIG: 201 with 50 of them. */
    assert_int_equal(fault_of_row(f, "older(1)", 50), MS_SANE);
    assert_int_equal(fault_of_row(f, "older(1)", 51), MS_EXCEEDS_LIMITS);
    /* Tapscript counts none. */
    f->context = MS_TAPSCRIPT;
    assert_int_equal(fault_of_row(f, "older(1)", 51), MS_SANE);
}

TEST(scripts_have_a_size, struct fixture *f)
{
    /* <17 bits> CSV 3+1, VERIFY 1: 5 bytes each; 34 and 1 for the key. */
    struct buffer text;
    uint32_t node;
    for (int extra = 0; extra < 2; extra++) {
        buffer_init(&text);
        for (int i = 0; i < 190 + extra * 600; i++)
            buffer_append_string(&text, "and_v(v:after(70000),");
        buffer_append_string(&text, "pk(A)");
        for (int i = 0; i < 190 + extra * 600; i++)
            buffer_append_string(&text, ")");
        f->context = MS_P2WSH;
        assert_true(ms_read(&f->keys, f->context, buffer_span(&text), &f->arena, &f->ms));
        enum ms_fault fault = ms_check(&f->ms, &f->keys, &f->arena, &node);
        assert_true(fault == MS_EXCEEDS_LIMITS); /* 2 operations each */
        buffer_deinit(&text);
    }
}

/* thresh(n) of n keys' checks by hash, each of which takes two items. */
static enum ms_fault fault_of_stack(struct fixture *f, const char *first, size_t n)
{
    struct buffer text;
    uint32_t node;
    buffer_init(&text);
    buffer_append_format(&text, "and_v(v:pk(A),thresh(%zu,%s", n, first);
    for (size_t i = 1; i < n; i++)
        buffer_append_string(&text, ",snl:older(1)");
    buffer_append_string(&text, "))");
    assert_true(ms_read(&f->keys, f->context, buffer_span(&text), &f->arena, &f->ms));
    buffer_deinit(&text);
    return ms_check(&f->ms, &f->keys, &f->arena, &node);
}

TEST(the_stack_has_a_height, struct fixture *f)
{
    f->context = MS_TAPSCRIPT;
    /* One item each and one for A: 999 and A are 1,000; one more is too many. */
    assert_int_equal(fault_of_stack(f, "nl:older(1)", 998), MS_SANE);
    assert_int_equal(fault_of_stack(f, "nl:older(1)", 1000), MS_EXCEEDS_LIMITS);
}
