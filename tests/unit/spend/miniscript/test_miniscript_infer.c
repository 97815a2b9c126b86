/* test_miniscript_infer.c - expressions found in scripts. */
#include "spend/miniscript/miniscript.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

#define H20 "00112233445566778899aabbccddeeff00112233"
#define A   "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

static bool infer(struct fixture *f, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *script = arena_alloc(&f->arena, len + 1);
    assert_true(hex_decode(script, len, hex, 2 * len));
    return ms_infer(&f->keys, f->context, span_of(script, len), &f->arena, &f->ms);
}

static void assert_found_again(struct fixture *f, const char *text)
{
    if (!read_text(f, text))
        fail_msg("%s is refused", text);
    const char *hex = script_hex(f);
    if (!infer(f, hex))
        fail_msg("%s is not found in %s", text, hex);
    assert_string_equal(written(f), text);
}

TEST(what_was_written_is_found_again, struct fixture *f)
{
    static const char *const texts[] = {
        "0",
        "1",
        "pk(A)",
        "pkh(A)",
        "older(1)",
        "after(500000000)",
        "hash160(" H20 ")",
        "multi(1,A)",
        "multi(2,A,B,C)",
        "multi(17,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q)",
        "and_v(v:pk(A),pk(B))",
        "and_v(and_v(v:pk(A),v:pk(B)),pk(C))",
        "and_b(pk(A),s:pk(B))",
        "and_b(pk(A),a:and_b(pk(B),s:pk(C)))",
        "or_b(pk(A),a:pk(B))",
        "and_v(or_c(pk(A),v:pk(B)),older(7))",
        "or_d(multi(1,A,B),pkh(C))",
        "or_i(and_v(v:pkh(A),older(9)),pk(B))",
        "andor(pk(A),older(3),pk(B))",
        "and_n(pk(A),pk(B))",
        "thresh(2,pk(A),s:pk(B),sndv:older(2))",
        "thresh(1,pk(A))",
        "tv:pk(A)",
        "l:pk(A)",
        "u:pk(A)",
        "j:pk(A)",
        "n:pk(A)",
        "dv:older(5)",
        "unu:pk(A)",
        "or_d(thresh(2,pk(A),a:or_i(0,pk(B)),s:pk(C)),and_v(v:thresh(1,pk(D)),older(4032)))",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strstr(texts[i], "or_i(0,")) /* which is written l: */
            continue;
        assert_found_again(f, texts[i]);
    }
    f->context = MS_TAPSCRIPT;
    assert_found_again(f, "multi_a(2,A,B,C)");
    assert_found_again(f, "and_v(v:multi_a(1,A),or_d(pk(B),multi_a(2,C,D)))");
}

TEST(other_scripts_are_no_expressions, struct fixture *f)
{
    static const char *const hexes[] = {
        "",
        "ac",
        A, /* no B */
        A "ac"
          "51",   /* two */
        A "ac69", /* CHECKSIGVERIFY was meant */
        "4c21"
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        "ac",
        "0101b2",
        "0200"
        "80b2", /* numbers longer than they need be */
        "00b2",
        "4fb2",
        "058000000000b2", /* numbers out of range */
        "51" A "51",
        "52" A "51ae",
        "6351",
        "5168",
        "63516768",
        "51ba",
        "50",
        "6a",
        A "ac7c" A "ac9a9a",
        "93518701",
    };
    for (size_t i = 0; i < COUNT_OF(hexes); i++) {
        if (infer(f, hexes[i]))
            fail_msg("%s is %s", hexes[i], written(f));
    }
}
