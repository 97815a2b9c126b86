/* test_miniscript_read.c - what is an expression, and what is none. */
#include "spend/miniscript/miniscript.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

#define H20 "0000000000000000000000000000000000000001"
#define H32 "000000000000000000000000" H20

/* clang-format off */
static const char *const good[] = {
    "0", "1", "pk(A)", "pkh(A)", "pk_k(A)", "pk_h(A)", "older(1)", "older(2147483647)",
    "after(1)", "sha256(" H32 ")", "hash256(" H32 ")", "ripemd160(" H20 ")", "hash160(" H20
    ")", "multi(1,A)", "multi(2,A,B,C)", "and_v(v:pk(A),pk(B))", "and_n(pk(A),pk(B))",
    "andor(pk(A),pk(B),pk(C))", "thresh(1,pk(A))", "thresh(2,pk(A),s:pk(B),sdv:older(2))",
    "tvls:pk(A)", "or_i(0,or_i(0,or_i(0,pk(A))))",
};
static const char *const bad[] = {
    "", "2", "A", "pk()", "pk(A", "pk(A))", "pk(A),", "pk(a)", "pk(AB)", "pk(A,B)",
    "older(0)", "older(2147483648)", "older()", "older(-1)", "older( 1)", "after(1a)",
    "sha256(" H20 ")", "hash160(" H32 ")", "sha256(x)", "multi(0,A)", "multi(2,A)",
    "multi(1)", "multi(1,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U)", "multi_a(1,A)",
    "and_v(pk(A))", "and_v(pk(A),pk(B),pk(C))", "and_n(pk(A),pk(B),0)", "andor(pk(A),pk(B))",
    "thresh(0,pk(A))", "thresh(2,pk(A))", "thresh(1)", "thresh(1,)", "x:pk(A)", "s::pk(A)",
    "S:pk(A)", "s:", "and_v(,pk(A))", "or_z(pk(A),pk(B))", "pk (A)", "and_v(pk(A) ,pk(B))",
};
/* clang-format on */

TEST(forms_are_told_from_what_is_none, struct fixture *f)
{
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (!read_text(f, good[i]))
            fail_msg("%s is refused", good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (read_text(f, bad[i]))
            fail_msg("%s is taken", bad[i]);
    }
}

TEST(tapscript_has_another_multisig, struct fixture *f)
{
    f->context = MS_TAPSCRIPT;
    assert_true(read_text(f, "multi_a(1,A)"));
    assert_false(read_text(f, "multi_a(2,A)"));
    assert_false(read_text(f, "multi(1,A)"));
}

/* n wrappers around a 1. */
static bool read_wrapped(struct fixture *f, size_t n)
{
    char *text = xmalloc(n + 3);
    memset(text, 'n', n);
    memcpy(text + n, ":1", 3);
    bool ok = read_text(f, text);
    xfree(text);
    return ok;
}

TEST(no_more_nodes_are_made_than_a_script_has_bytes_for, struct fixture *f)
{
    assert_true(read_wrapped(f, 2 * MS_P2WSH_SCRIPT_MAX - 1));
    assert_false(read_wrapped(f, 2 * MS_P2WSH_SCRIPT_MAX));
}

/* thresh(1,...) of n parts. */
static bool read_thresh(struct fixture *f, size_t n)
{
    struct buffer text;
    buffer_init(&text);
    buffer_append_string(&text, "thresh(1");
    for (size_t i = 0; i < n; i++)
        buffer_append_string(&text, ",1");
    buffer_append_string(&text, ")");
    bool ok = ms_read(&f->keys, f->context, buffer_span(&text), &f->arena, &f->ms);
    buffer_deinit(&text);
    return ok;
}

TEST(thresh_has_a_bound, struct fixture *f)
{
    f->context = MS_TAPSCRIPT;
    assert_true(read_thresh(f, MS_THRESH_MAX));
    assert_false(read_thresh(f, MS_THRESH_MAX + 1));
}
