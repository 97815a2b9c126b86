/* test_miniscript_script.c - scripts of expressions, by BIP379's translation table. */
#include "spend/miniscript/miniscript.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

/* The generator and twice it. */
#define XA  "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define XB  "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define A   "2102" XA
#define B   "2102" XB
#define H   "00112233445566778899aabbccddeeff00112233"
#define PKH "76a914751e76e8199196d454941c45d1b3a323f1433bd688"

TEST(scripts_follow_the_table, struct fixture *f)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"0", "00"},
        {"1", "51"},
        {"pk(A)", A "ac"},
        {"pkh(A)", PKH "ac"},
        {"pk_k(A)", A},
        {"older(16)", "60b2"},
        {"older(17)", "0111b2"},
        {"after(128)", "028000b1"}, /* a sign bit of its own */
        {"after(500000)", "0320a107b1"},
        {"hash160(" H ")", "82012088a914" H "87"},
        {"ripemd160(" H ")", "82012088a614" H "87"},
        {"sha256(" XA ")", "82012088a820" XA "87"},
        {"hash256(" XA ")", "82012088aa20" XA "87"},
        {"andor(pk(A),pk(B),0)", A "ac6400"
                                   "67" B "ac68"},
        {"and_v(v:pk(A),pk(B))", A "ad" B "ac"},
        {"and_b(pk(A),s:pk(B))", A "ac7c" B "ac9a"},
        {"or_b(pk(A),a:pk(B))", A "ac6b" B "ac6c9b"},
        {"or_c(pk(A),v:pk(B))", A "ac64" B "ad68"},
        {"or_d(pk(A),pk(B))", A "ac7364" B "ac68"},
        {"or_i(pk(A),pk(B))", "63" A "ac67" B "ac68"},
        {"thresh(1,pk(A),s:pk(B))", A "ac7c" B "ac935187"},
        {"multi(1,A,B)", "51" A B "52ae"},
        {"v:multi(1,A,B)", "51" A B "52af"},
        {"v:hash160(" H ")", "82012088a914" H "88"},
        {"v:thresh(1,pk(A))", A "ac5188"},
        {"v:older(1)", "51b269"},
        {"v:or_i(pk(A),pk(B))", "63" A "ac67" B "ac6869"},
        {"dv:older(1)", "7663"
                        "51b269"
                        "68"},
        {"j:pk(A)", "829263" A "ac68"},
        {"n:pk(A)", A "ac92"},
        {"t:v:pk(A)", NULL},
        {"tv:pk(A)", A "ad51"},
        {"l:pk(A)", "630067" A "ac68"},
        {"u:pk(A)", "63" A "ac670068"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool ok = read_text(f, cases[i].text);
        assert_int_equal(ok, cases[i].want != NULL);
        if (ok)
            assert_string_equal(script_hex(f), cases[i].want);
    }
}

TEST(tapscript_has_keys_of_32_bytes, struct fixture *f)
{
    f->context = MS_TAPSCRIPT;
    assert_true(read_text(f, "multi_a(2,A,B)"));
    assert_string_equal(script_hex(f), "20" XA "ac20" XB "ba529c");
    assert_true(read_text(f, "v:multi_a(1,A)"));
    assert_string_equal(script_hex(f), "20" XA "ac519d");
    assert_true(read_text(f, "pk(A)"));
    assert_string_equal(script_hex(f), "20" XA "ac");
}
