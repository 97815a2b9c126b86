/* test_desc_key_read.c - what is no key expression, and why: musig() and choices. */
#include "unit/spend/descriptor/desc_fixture.h"

FIXTURE(setup, teardown)

/* The words are Core's. */
TEST(what_is_wrong_is_said, struct fixture *f)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"pkh(" TPUB "/<0;1>/<2;3>)", "pkh(): Multiple multipath key path specifiers found"},
        {"pkh([d34db33f/<0;1>]" TPUB ")",
         "pkh(): Key path value '<0;1>' specifies multipath in a section where multipath is not "
         "allowed"},
        {"pkh(" TPUB "/<0>)", "pkh(): Multipath key path specifiers must have at least two items"},
        {"pkh(" TPUB "/<>)", "pkh(): Multipath key path specifiers must have at least two items"},
        {"pkh(" TPUB "/<0;0>)", "pkh(): Duplicated key path value 0 in multipath specifier"},
        {"pkh(" TPUB "/<0;>)", "pkh(): Key path value '' is not a valid uint32"},
        {"pkh(" TPUB "/<0;1)", "pkh(): Key path value '<0;1' is not a valid uint32"},
        {"multi(1," TPUB "/<0;1>," TPUB "/<2;3;4>)",
         "multi(): Multipath derivation paths have mismatched lengths"},
        {"pk(musig(" K1 "," K2 "))", "pk(): musig() is only allowed in tr() and rawtr()"},
        {"tr(musig())", "tr(): musig(): Must contain key expressions"},
        {"tr(musig(" K1 ")"
         ")",
         NULL},
        {"tr(musig(" K1 "," X1 "))", "tr(): musig(): Pubkey '" X1 "' is invalid"},
        {"tr(musig(" K1 "," K2 ")/0)",
         "tr(): musig(): derivation requires all participants to be xpubs or xprvs"},
        {"tr(musig(" TPUB "/*," TPUB ")/0)",
         "tr(): musig(): Cannot have ranged participant keys if musig() also has derivation"},
        {"tr(musig(" TPUB "," TPUB ")/0/*h)",
         "tr(): musig(): Cannot have hardened child derivation"},
        {"tr(musig(" TPUB "," TPUB ")/0h/*)",
         "tr(): musig(): cannot have hardened derivation steps"},
        {"tr(musig(" TPUB "/<0;1>," TPUB ")/<2;3>)",
         "tr(): musig(): Cannot have multipath participant keys if musig() is also multipath"},
        {"tr(musig(" TPUB "/<0;1>," TPUB "/<0;1;2>))",
         "tr(): musig(): Multipath derivation paths have mismatched lengths"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool ok = parse(f, cases[i].text);
        if (ok != !cases[i].error)
            fail_msg("%s: %s", cases[i].text, ok ? "is taken" : f->error);
        if (!ok)
            assert_string_equal(f->error, cases[i].error);
    }
}

TEST(variants_have_a_bound, struct fixture *f)
{
    for (int extra = 0; extra < 2; extra++) {
        struct buffer text;
        buffer_init(&text);
        buffer_append_string(&text, "pkh(" TPUB "/<0");
        for (int i = 1; i < DESC_VARIANTS_MAX + extra; i++)
            buffer_append_format(&text, ";%d", i);
        buffer_append(&text, ">)", 3);
        assert_int_equal(parse(f, (const char *)text.p), !extra);
        buffer_deinit(&text);
    }
}
