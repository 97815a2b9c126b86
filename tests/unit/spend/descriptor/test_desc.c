/* test_desc.c - descriptors of every function and kind of key, and the scripts they stand for. */
#include "crypto/hash.h"
#include "spend/descriptor/desc.h"
#include "support/unit.h"
#include "unit/spend/descriptor/desc_fixture.h"

FIXTURE(setup, teardown)

TEST(functions_of_one_key, struct fixture *f)
{
    /* The address of the generator's hash is that of BIP173's examples. */
    static const char pkh[] = "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac";
    static const char wpkh[] = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
    static const char sh_wpkh[] = "a914bcfeb728b584253d5f3f70bcb780e9ef218a68f487";
    static const char pk[] = "21" K1 "ac";
    char want[600];
    assert_string_equal(scripts_at(f, "pk(" K1 ")", 0), pk);
    assert_string_equal(scripts_at(f, "pkh(" K1 ")", 7), pkh);
    assert_string_equal(scripts_at(f, "wpkh(" K1 ")", 0), wpkh);
    assert_string_equal(scripts_at(f, "sh(wpkh(" K1 "))", 0), sh_wpkh);
    snprintf(want, sizeof want, "%s %s %s %s", pk, pkh, wpkh, sh_wpkh);
    assert_string_equal(scripts_at(f, "combo(" K1 ")", 0), want);
    /* An uncompressed key has no witness forms. */
    assert_string_equal(scripts_at(f, "combo(" K1_LONG ")", 0),
                        "41" K1_LONG "ac 76a91491b24bf9f5288532960ac687abb035127b1d28a588ac");
    assert_string_equal(scripts_at(f, "rawtr(" X1 ")", 0), "5120" X1);
    /* BIP86's tweak of the generator. */
    assert_string_equal(scripts_at(f, "tr(" K1 ")", 0),
                        "5120da4710964f7852695de2da025290e24af6d8c281de5a0b902b7135fd9fd74d21");
    assert_string_equal(scripts_at(f, "tr(" X1 ")", 0), scripts_at(f, "tr(" K1 ")", 0));
    assert_string_equal(scripts_at(f, "raw(51ff)", 0), "51ff");
    assert_string_equal(scripts_at(f, "addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)", 0),
                        wpkh);
    assert_false(f->list.is_range || f->list.has_secret);
}

TEST(functions_of_many_keys, struct fixture *f)
{
    uint8_t script[200], hash[32];
    char hex[65], want[80];
    static const char two_of_two[] = "52"
                                     "21" K2 "21" K1 "52ae";
    assert_string_equal(scripts_at(f, "multi(2," K2 "," K1 ")", 0), two_of_two);
    assert_string_equal(scripts_at(f, "sortedmulti(2," K2 "," K1 ")", 0), "52"
                                                                          "21" K1 "21" K2 "52ae");
    size_t len = strlen(two_of_two) / 2;
    assert_true(hex_decode(script, len, two_of_two, 2 * len));
    sha256(span_of(script, len), hash);
    hex_encode(hex, span_of(hash, 32));
    snprintf(want, sizeof want, "0020%s", hex);
    assert_string_equal(scripts_at(f, "wsh(multi(2," K2 "," K1 "))", 0), want);
    script[0] = 0;
    script[1] = 32;
    memcpy(script + 2, hash, 32);
    hash160(span_of(script, 34), hash);
    hex_encode(hex, span_of(hash, 20));
    snprintf(want, sizeof want, "a914%s87", hex);
    assert_string_equal(scripts_at(f, "sh(wsh(multi(2," K2 "," K1 ")))", 0), want);
}

TEST(choices_are_variants, struct fixture *f)
{
    struct span a[DESC_SCRIPTS_MAX], b[DESC_SCRIPTS_MAX];
    assert_true(parse(f, "pkh(" TPUB "/1/1/<0;1;5>)"));
    assert_int_equal(f->list.n, 3);
    struct desc_list list = f->list;
    assert_int_equal(desc_scripts(f->ec, list.variant[2], 0, &f->arena, a), 1);
    assert_true(parse(f, "pkh(" TPUB "/1/1/5)"));
    assert_int_equal(desc_scripts(f->ec, f->list.variant[0], 0, &f->arena, b), 1);
    assert_true(span_equal(a[0], b[0]));
    assert_true(parse(f, "multi(1," TPUB "/<0;1>/*," TPUB "/<2;3>/*)"));
    assert_int_equal(f->list.n, 2);
    assert_false(parse(f, "multi(1," TPUB "/<0;1>/*," TPUB "/<2;3;4>/*)"));
    assert_false(parse(f, "pkh(" TPUB "/<0>)"));
    assert_false(parse(f, "pkh(" TPUB "/<0;>)"));
    assert_false(parse(f, "pkh(" TPUB "/<0;1)"));
}

TEST(blocks_are_mined_to_one_script, struct fixture *f)
{
    static const struct {
        const char *text, *as;
    } cases[] = {
        {"raw(51)", "raw(51)"},
        {"pkh(" K1 ")", "pkh(" K1 ")"},
        {"combo(" K1 ")", "wpkh(" K1 ")"},
        {"combo(" K1_LONG ")", "pkh(" K1_LONG ")"},
        {"sh(multi(1," K1 "," K2 "))", "sh(multi(1," K1 "," K2 "))"},
    };
    struct span script, want[DESC_SCRIPTS_MAX];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(parse(f, cases[i].text));
        assert_true(desc_mining_script(f->ec, f->list.variant[0], &f->arena, &script));
        assert_true(parse(f, cases[i].as));
        assert_int_equal(desc_scripts(f->ec, f->list.variant[0], 0, &f->arena, want), 1);
        assert_true(span_equal(script, want[0]));
    }
    assert_true(parse(f, "pkh(" TPUB "/0h/0)"));
    assert_false(desc_mining_script(f->ec, f->list.variant[0], &f->arena, &script));
}

TEST(what_lacks_a_secret_has_no_scripts, struct fixture *f)
{
    struct span scripts[DESC_SCRIPTS_MAX];
    static const char *const texts[] = {"pkh(" TPUB "/0')", "pkh(" TPUB "/*h)",
                                        "multi(1," K1 "," TPUB "/1/2h/3)"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_true(parse(f, texts[i]));
        assert_true(f->list.needs_secret);
        assert_int_equal(desc_scripts(f->ec, f->list.variant[0], 0, &f->arena, scripts), 0);
    }
    assert_true(parse(f, "pkh(" TPRV "/0'/*h)"));
    assert_false(f->list.needs_secret);
    assert_int_equal(desc_scripts(f->ec, f->list.variant[0], 0, &f->arena, scripts), 1);
}
