/* test_miniscript_write.c - expressions are written in their shortest form. */
#include "spend/miniscript/miniscript.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

/* BIP379's translation table says which stand for the same. */
TEST(the_shortest_form_is_written, struct fixture *f)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"c:pk_k(A)", "pk(A)"},
        {"sc:pk_k(A)", "s:pk(A)"},
        {"vc:pk_h(A)", "v:pkh(A)"},
        {"pk_k(A)", "pk_k(A)"},
        {"and_v(v:pk(A),1)", "tv:pk(A)"},
        {"or_i(0,pk(A))", "l:pk(A)"},
        {"or_i(pk(A),0)", "u:pk(A)"},
        {"or_i(0,0)", "l:0"},
        {"andor(pk(A),pk(B),0)", "and_n(pk(A),pk(B))"},
        {"a:or_i(0,andor(pk(A),pk(B),pk(C)))", "al:andor(pk(A),pk(B),pk(C))"},
        {"thresh(2,pk(A),s:pk(B),sdv:older(2))", "thresh(2,pk(A),s:pk(B),sdv:older(2))"},
        {"multi(2,A,B,C)", "multi(2,A,B,C)"},
        {"dv:after(500000000)", "dv:after(500000000)"},
        {"j:and_v(v:hash160(00112233445566778899aabbccddeeff00112233),older(7))",
         "j:and_v(v:hash160(00112233445566778899aabbccddeeff00112233),older(7))"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(read_text(f, cases[i].text));
        assert_string_equal(written(f), cases[i].want);
    }
}

TEST(a_part_is_written_alone, struct fixture *f)
{
    assert_true(read_text(f, "and_v(v:pk(A),or_i(pk(B),pk(C)))"));
    struct buffer out;
    buffer_init(&out);
    ms_write(&f->ms, &f->keys, f->ms.nodes[f->ms.n - 1].subs[1], &out);
    assert_true(span_equal(buffer_span(&out), span_of_string("or_i(pk(B),pk(C))")));
    buffer_deinit(&out);
}
