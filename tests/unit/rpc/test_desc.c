/* test_desc.c - descriptors of every function and kind of key, and the scripts they stand for. */
#include "rpc/desc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "consensus/key_io.h"
#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/hex.h"

#define TPRV                                                                                       \
    "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUc" \
    "M"                                                                                            \
    "RvmDUjyEmNUWwx8UbK"
#define TPUB                                                                                       \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZ" \
    "P"                                                                                            \
    "StJRJCTKvosUCJZL5B"
/* The generator, and twice and three times it. */
#define K1      "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define K2      "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define K3      "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define X1      "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define K1_LONG "04" X1 "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

struct fixture {
    struct ec_context *ec;
    struct network network;
    struct arena arena;
    char error[300];
    struct desc_list list;
};

static int setup(void **state)
{
    static const uint8_t seed[32] = {1};
    struct fixture *f = xcalloc(1, sizeof *f);
    f->ec = ec_context_new(seed);
    f->network = *network_find("regtest");
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->arena);
    ec_context_free(f->ec);
    xfree(f);
    return 0;
}

static bool parse(struct fixture *f, const char *text)
{
    return desc_parse(f->ec, &f->network, span_of_string(text), &f->arena, &f->list, f->error,
                      sizeof f->error);
}

/* The scripts of the first variant at an index, as hex with spaces between. */
static const char *scripts_at(struct fixture *f, const char *text, uint32_t index)
{
    struct span scripts[DESC_SCRIPTS_MAX];
    struct buffer hex;
    if (!parse(f, text))
        fail_msg("%s: %s", text, f->error);
    size_t n = desc_scripts(f->ec, f->list.variant[0], index, &f->arena, scripts);
    buffer_init(&hex);
    for (size_t i = 0; i < n; i++) {
        char *part = arena_alloc(&f->arena, 2 * scripts[i].len + 1);
        hex_encode(part, scripts[i]);
        buffer_append_format(&hex, "%s%s", i ? " " : "", part);
    }
    buffer_append(&hex, "", 1);
    char *copy = arena_alloc(&f->arena, hex.len);
    memcpy(copy, hex.p, hex.len);
    buffer_deinit(&hex);
    return copy;
}

static void functions_of_one_key(void **state)
{
    struct fixture *f = *state;
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

static void functions_of_many_keys(void **state)
{
    struct fixture *f = *state;
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
static void extended_keys_have_children(void **state)
{
    struct fixture *f = *state;
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

static void choices_are_variants(void **state)
{
    struct fixture *f = *state;
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

static void what_is_wrong_is_said(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "'' is not a valid descriptor function"},
        {"desc", "'desc' is not a valid descriptor function"},
        {"nosuch(" K1 ")", "'nosuch(" K1 ")' is not a valid descriptor function"},
        {"pkh(xyz)", "pkh(): key 'xyz' is not valid"},
        {"pkh(" K1 "/0)", "pkh(): key '" K1 "/0' is not valid"},
        {"pkh(05" X1 ")", "pkh(): key '05" X1 "' is not valid"},
        {"wpkh(" K1_LONG ")", "wpkh(): Uncompressed keys are not allowed"},
        {"wsh(pk(" K1_LONG "))", "pk(): Uncompressed keys are not allowed"},
        {"pk(" X1 ")", "pk(): key is x-only, which only tr() takes"},
        {"wsh(wpkh(" K1 "))", "Can only have wpkh() at top level or inside sh()"},
        {"sh(combo(" K1 "))", "Can only have combo() at top level"},
        {"wsh(addr(x))", "Can only have addr() at top level"},
        {"sh(tr(" K1 "))", "Can only have tr at top level"},
        {"addr(nonsense)", "Address is not valid"},
        {"raw(0)", "Raw script is not hex"},
        {"pkh(" TPUB "/0')", "Cannot derive script without private keys"},
        {"pkh(" TPUB "/*')", "Cannot derive script without private keys"},
        {"pkh(" TPUB "/x)", "Key path value 'x' is not a valid uint32"},
        {"pkh(" TPUB "//0)", "Key path value '' is not a valid uint32"},
        {"pkh(" TPUB "/2147483648)", "Key path value 2147483648 is out of range"},
        {"pkh([abc]" K1 ")", "Fingerprint is not 4 bytes (3 characters instead of 8 characters)"},
        {"pkh([abcdefgh]" K1 ")", "Fingerprint 'abcdefgh' is not hex"},
        {"multi(0," K1 ")", "Multi threshold cannot be 0, must be at least 1"},
        {"multi(a," K1 ")", "Multi threshold 'a' is not valid"},
        {"multi(2," K1 ")", "Multi threshold cannot be larger than the number of keys; threshold "
                            "is 2 but only 1 keys specified"},
        {"multi(1)", "Cannot have 0 keys in multi; must have between 1 and 20 keys, inclusive"},
        {"multi(1," K1 "," K2 "," K3 "," K1 ")",
         "Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys"},
        {"raw(51)#", "Expected 8 character checksum, not 0 characters"},
        {"raw(51)##", "Multiple '#' symbols"},
        {"raw(51)#aaaaaaaa",
         "Provided checksum 'aaaaaaaa' does not match computed checksum '8lvh9jxk'"},
        {"raw(\x01)", "Invalid characters in payload"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (parse(f, cases[i].text))
            fail_msg("%s is taken", cases[i].text);
        assert_string_equal(f->error, cases[i].error);
    }
    assert_true(parse(f, "raw(51)#8lvh9jxk"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(functions_of_one_key), TEST(functions_of_many_keys), TEST(extended_keys_have_children),
        TEST(choices_are_variants), TEST(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
