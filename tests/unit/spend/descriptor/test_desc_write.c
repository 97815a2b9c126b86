/* test_desc_write.c - descriptors as texts. */
#include "spend/descriptor/desc.h"
#include "support/unit.h"
#include "unit/spend/descriptor/desc_fixture.h"

FIXTURE(setup, teardown)

/* TPUB is the public key of TPRV; this is the secret key 1. Worked out by hand. */
#define WIF_OF_1 "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"

static void assert_written(struct fixture *f, const char *text, uint32_t index, size_t at,
                           const char *want)
{
    struct buffer out;
    if (!parse(f, text))
        fail_msg("%s: %s", text, f->error);
    buffer_init(&out);
    assert_true(desc_write_script(f->ec, f->list.variant[0], index, at, &out));
    buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.p, want);
    buffer_deinit(&out);
}

/* The texts are those that Core shows for the same keys. */
TEST(extended_keys_have_children, struct fixture *f)
{
    assert_written(f, "combo(" TPRV "/1/1/0)", 0, 1,
                   "pkh([0c5f9a1e/1/1/0]"
                   "03e1c5b6e650966971d7e71ef2674f80222752740fc1dfd63bbbd220d2da9bd0fb)#cxmct4w8");
    assert_true(f->list.has_secret);
    assert_written(f, "combo(" TPUB "/1/1/*)", 1500, 1,
                   "pkh([0c5f9a1e/1/1/1500]"
                   "03832901c250025da2aebae2bfb38d5c703a57ab66ad477f9c578bfbcd78abca6f)#vchwd07g");
    assert_true(f->list.is_range);
    assert_false(f->list.has_secret);
    assert_written(f, "combo(" TPRV "/0h/0h/*)", 1, 1,
                   "pkh([0c5f9a1e/0h/0h/1]"
                   "033e6f25d76c00bedb3a8993c7d5739ee806397f0529b1b31dda31ef890f19a60c)#mcjajulr");
    assert_string_equal(scripts_at(f, "pkh(" TPRV "/1/1/*')", 3),
                        scripts_at(f, "pkh(" TPRV "/1/1/3h)", 0));
    /* A given origin stands in front. */
    struct buffer out;
    buffer_init(&out);
    assert_true(parse(f, "wpkh([abcdef88/1/2'/3]" TPUB "/1/1/*)"));
    assert_true(desc_write_script(f->ec, f->list.variant[0], 1, 0, &out));
    buffer_append(&out, "", 1);
    assert_memory_equal(out.p, "wpkh([abcdef88/1/2h/3/1/1/1]030d820fc9e8211c", 44);
    buffer_deinit(&out);
}

/* Public keys in place of secret ones; h and ' as they came. */
TEST(whole_descriptors_are_written, struct fixture *f)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"raw(51)", "raw(51)"},
        {"addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)",
         "addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)"},
        {"pk(" K1_LONG ")", "pk(" K1_LONG ")"},
        {"sh(wsh(sortedmulti(1," K2 "," K1 ")))", "sh(wsh(sortedmulti(1," K2 "," K1 ")))"},
        {"combo(" K1 ")", "combo(" K1 ")"},
        {"tr(" K1 ")", "tr(" K1 ")"}, /* as it was given; Core does so too */
        {"rawtr(" X1 ")", "rawtr(" X1 ")"},
        {"pkh(" TPUB "/1h/2)", "pkh(" TPUB "/1h/2)"},
        {"wpkh([D34DB33F/44'/0'/0']" TPUB "/1/*)", "wpkh([d34db33f/44'/0'/0']" TPUB "/1/*)"},
        {"wpkh([d34db33f/44'/0]" TPUB "/1/*h)", "wpkh([d34db33f/44h/0]" TPUB "/1/*h)"},
        {"pkh(" TPRV "/1'/*')", "pkh(" TPUB "/1'/*')"},
        {"wpkh(" WIF_OF_1 ")", "wpkh(" K1 ")"},
        {"pkh(" TPUB "/<0;1>)", "pkh(" TPUB "/0)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out;
        if (!parse(f, cases[i].text))
            fail_msg("%s: %s", cases[i].text, f->error);
        buffer_init(&out);
        desc_write(f->list.variant[0], &out);
        size_t len = strlen(cases[i].want);
        assert_int_equal(out.len, len + 9);
        assert_memory_equal(out.p, cases[i].want, len);
        assert_int_equal(out.p[len], '#');
        /* It reads back, with its checksum. */
        assert_true(desc_parse(f->ec, &f->network, buffer_span(&out), &f->arena, &f->list));
        buffer_deinit(&out);
    }
}
