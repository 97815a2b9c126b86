/* test_miniscript_type.c - types of expressions, by BIP379's tables. */
#include "spend/miniscript/miniscript_internal.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

#define H20 "00112233445566778899aabbccddeeff00112233"

static uint32_t bit_of(char letter)
{
    static const char letters[] = "BVKWzonduefsmxghijk";
    const char *at = strchr(letters, letter);
    assert_non_null(at);
    return UINT32_C(1) << (at - letters);
}

/* It has all of have and none of lacks; have "": it may not stand. */
static void assert_type(struct fixture *f, const char *text, const char *have, const char *lacks)
{
    if (!read_text(f, text))
        fail_msg("%s is refused", text);
    uint32_t type = f->ms.nodes[f->ms.n - 1].type;
    if ((*have == 0) != (type == 0))
        fail_msg("%s has type %x", text, type);
    for (; *have; have++) {
        if (!(type & bit_of(*have)))
            fail_msg("%s lacks %c", text, *have);
    }
    for (; *lacks; lacks++) {
        if (type & bit_of(*lacks))
            fail_msg("%s has %c", text, *lacks);
    }
}

TEST(types_follow_from_parts, struct fixture *f)
{
    static const struct {
        const char *text, *have, *lacks;
    } cases[] = {
        {"0", "Bzudesmk", "onf"},
        {"1", "Bzufmk", "onde"},
        {"pk_k(A)", "Kondusemk", "zf"},
        {"pk_h(A)", "Kndusemk", "zof"},
        {"older(1)", "Bzfmhk", "ondusegij"},
        {"older(4194305)", "Bzfgk", "h"}, /* bit 22: time */
        {"after(499999999)", "Bzjk", "i"},
        {"after(500000000)", "Bzik", "j"},
        {"hash160(" H20 ")", "Bondumk", "sef"},
        {"multi(1,A)", "Bndusek", "oz"},
        {"c:pk_k(A)", "Bondusem", "xf"},
        {"s:pk(A)", "Wdusem", "o"},
        {"s:pkh(A)", "", ""}, /* takes two items */
        {"a:pkh(A)", "Wdux", ""},
        {"v:pk(A)", "Vonsfx", "due"},
        {"v:pk_k(A)", "", ""},
        {"dv:older(1)", "Bondem", "u"}, /* not a unit in P2WSH */
        {"dv:pk(A)", "", ""},           /* not z */
        {"j:pk(A)", "Bondusm", "e"},
        {"j:older(1)", "", ""},
        {"n:older(1)", "Bzuf", "d"},
        {"and_v(v:pk(A),pk(B))", "Bnusfm", "ozde"},
        {"and_v(pk(A),pk(B))", "", ""},
        {"and_v(v:pk(A),pk_k(B))", "Kns", ""},
        {"and_b(pk(A),s:pk(B))", "Bndusem", "f"},
        {"and_b(pk(A),pk(B))", "", ""},
        {"or_b(pk(A),s:pk(B))", "Bdusem", ""},
        {"or_b(pk(A),s:hash160(" H20 "))", "Bdu", "mse"}, /* others can swap the hash's */
        {"or_c(pk(A),v:pk(B))", "Vfsm", "d"},
        {"or_c(older(1),v:pk(B))", "", ""},
        {"or_d(pk(A),older(1))", "Bomf", "sd"},
        {"or_d(pk(A),v:older(1))", "", ""},
        {"or_i(pk(A),pk(B))", "Bdusm", "e"},
        {"or_i(older(1),after(1))", "B", "ms"},
        {"or_i(pk(A),v:pk(B))", "", ""},
        {"andor(pk(A),pk(B),pk(C))", "Bdusem", "f"},
        {"andor(pk(A),older(1),pk(B))", "Bdems", "u"},
        {"andor(older(1),pk(A),pk(B))", "", ""},
        {"thresh(1,pk(A),s:pk(B))", "Bdusem", ""},
        {"thresh(2,pk(A),s:pk(B),s:pk(C))", "Bdusem", ""},
        {"thresh(2,pk(A),pk(B))", "", ""},
        {"thresh(1,older(1))", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_type(f, cases[i].text, cases[i].have, cases[i].lacks);
    f->context = MS_TAPSCRIPT;
    assert_type(f, "dv:older(1)", "Bondeu", "");
}

TEST(locks_that_exclude_each_other_are_seen, struct fixture *f)
{
    assert_type(f, "and_v(v:older(1),older(4194305))", "Bgh", "k");
    assert_type(f, "and_b(after(1),a:after(500000000))", "Bij", "k");
    assert_type(f, "and_v(v:older(1),after(500000000))", "Bhik", "");
    assert_type(f, "or_i(older(1),older(4194305))", "Bghk", "");
    assert_type(f, "andor(pk(A),older(1),older(4194305))", "Bghk", "");
    assert_type(f, "thresh(1,ndv:older(1),andv:older(4194305))", "Bghk", "");
    assert_type(f, "thresh(2,ndv:older(1),andv:older(4194305))", "Bgh", "k");
}
