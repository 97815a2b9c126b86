/* test_desc_read.c - what is no descriptor, and why. */
#include "spend/descriptor/desc.h"
#include "support/unit.h"
#include "unit/spend/descriptor/desc_fixture.h"

FIXTURE(setup, teardown)

#define FIVE K1 "," K2 "," K3 "," K1 "," K2

struct refused {
    const char *text, *error;
};

static void assert_refused(struct fixture *f, const struct refused *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (parse(f, cases[i].text))
            fail_msg("%s is taken", cases[i].text);
        assert_string_equal(f->error, cases[i].error);
    }
}

TEST(what_is_wrong_is_said, struct fixture *f)
{
    static const struct refused cases[] = {
        {"", "'' is not a valid descriptor function"},
        {"desc", "'desc' is not a valid descriptor function"},
        {"nosuch(" K1 ")", "'nosuch(" K1 ")' is not a valid descriptor function"},
        {"pkh(xyz)", "pkh(): key 'xyz' is not valid"},
        {"pkh()", "pkh(): No key provided"},
        {"pk( " K1 ")", "pk(): Key ' " K1 "' is invalid due to whitespace"},
        {"pk(" K1 " )", "pk(): Key '" K1 " ' is invalid due to whitespace"},
        {"wsh(multi(1," K1 ", " K2 "))", "Multi: Key ' " K2 "' is invalid due to whitespace"},
        {"pkh(" K1 "/0)", "pkh(): key '" K1 "' is not valid"},
        {"pkh(05" X1 ")", "pkh(): Pubkey '05" X1 "' is invalid"},
        {"pkh(07" X1 "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8)",
         "pkh(): Hybrid public keys are not allowed"},
        {"tr(" K1_LONG ")", "tr(): Uncompressed keys are not allowed"},
        {"wpkh(" K1_LONG ")", "wpkh(): Uncompressed keys are not allowed"},
        {"wsh(pk(" K1_LONG "))", "pk(): Uncompressed keys are not allowed"},
        {"pk(" X1 ")", "pk(): Pubkey '" X1 "' is invalid"},
        {"sh(" K1 ")", "A function is needed within P2SH"},
        {"sh(wsh(" K1 "))", "A function is needed within P2WSH"},
        {"wsh(sh(pk(" K1 ")))", "Can only have sh() at top level"},
        {"sh(sh(pk(" K1 ")))", "Can only have sh() at top level"},
        {"wsh(wsh(pk(" K1 ")))", "Can only have wsh() at top level or inside sh()"},
        {"wsh(wpkh(" K1 "))", "Can only have wpkh() at top level or inside sh()"},
        {"sh(combo(" K1 "))", "Can only have combo() at top level"},
        {"wsh(addr(x))", "Can only have addr() at top level"},
        {"sh(tr(" K1 "))", "Can only have tr at top level"},
        {"addr(nonsense)", "Address is not valid"},
        {"raw(0)", "Raw script is not hex"},
        {"pkh(" TPUB "/x)", "pkh(): Key path value 'x' is not a valid uint32"},
        {"pkh(" TPUB "//0)", "pkh(): Key path value '' is not a valid uint32"},
        {"pkh(" TPUB "/2147483648)", "pkh(): Key path value 2147483648 is out of range"},
        {"pkh(" TPUB "//*)", "pkh(): Key path value '' is not a valid uint32"},
        {"pkh(" TPUB "/1//*h)", "pkh(): Key path value '' is not a valid uint32"},
        {"pkh(" TPUB "/)", "pkh(): Key path value '' is not a valid uint32"},
        {"pkh(" TPUB "/4294967296h)", "pkh(): Key path value '4294967296' is not a valid uint32"},
        {"pkh(x[abcdef01]" K1 ")",
         "pkh(): Key origin start '[ character expected but not found, got 'x' instead"},
        {"pkh([abcdef01]]" K1 ")", "pkh(): Multiple ']' characters found for a single pubkey"},
        {"pkh([abc]" K1 ")",
         "pkh(): Fingerprint is not 4 bytes (3 characters instead of 8 characters)"},
        {"pkh([abcdefgh]" K1 ")", "pkh(): Fingerprint 'abcdefgh' is not hex"},
        {"raw(51)#", "Expected 8 character checksum, not 0 characters"},
        {"raw(51)##", "Multiple '#' symbols"},
        {"raw(51)#aaaaaaaa",
         "Provided checksum 'aaaaaaaa' does not match computed checksum '8lvh9jxk'"},
        {"raw(\x01)", "Invalid characters in payload"},
    };
    assert_refused(f, cases, COUNT_OF(cases));
    assert_true(parse(f, "raw(51)#8lvh9jxk"));
}

TEST(what_is_wrong_with_many_keys_is_said, struct fixture *f)
{
    static const struct refused cases[] = {
        {"multi(0," K1 ")", "Multisig threshold cannot be 0, must be at least 1"},
        {"multi(a," K1 ")", "Multi threshold 'a' is not valid"},
        {"multi(2," K1 ")",
         "Multisig threshold cannot be larger than the number of keys; threshold "
         "is 2 but only 1 keys specified"},
        {"multi(1,)", "Multi: No key provided"},
        {"multi(,)", "Multi threshold '' is not valid"},
        {"multi(1)", "Cannot have 0 keys in multisig; must have between 1 and 20 keys, inclusive"},
        {"multi(1," K1 "," K2 "," K3 "," K1 ")",
         "Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys"},
        {"sh(multi(1," FIVE "," FIVE "," FIVE "," K1 "))",
         "P2SH script is too large, 547 bytes is larger than 520 bytes"},
        {"wsh(multi(1," FIVE "," FIVE "," FIVE "," FIVE "," K1 "))",
         "Cannot have 21 keys in multisig; must have between 1 and 20 keys, inclusive"},
    };
    assert_refused(f, cases, COUNT_OF(cases));
}

/* Keys beyond the most that any script has are counted and not read: the last one is none. */
TEST(keys_that_no_script_can_have_are_only_counted, struct fixture *f)
{
    struct buffer text;
    buffer_init(&text);
    buffer_append_string(&text, "tr(" K1 ",multi_a(1");
    for (int i = 0; i < 1001; i++)
        buffer_append_string(&text, "," K1);
    buffer_append(&text, ",zz))", sizeof ",zz))");
    struct refused refused[] = {
        {(const char *)text.p,
         "Cannot have 1002 keys in multi_a; must have between 1 and 999 keys, inclusive"}};
    assert_refused(f, refused, 1);
    buffer_deinit(&text);
}

TEST(as_many_keys_as_fit_are_taken, struct fixture *f)
{
    assert_true(parse(f, "sh(multi(1," FIVE "," FIVE "," FIVE "))"));
    assert_true(parse(f, "wsh(multi(20," FIVE "," FIVE "," FIVE "," FIVE "))"));
    assert_true(parse(f, "multi(3," K1 "," K2 "," K3 ")"));
    assert_true(desc_is_solvable(f->list.variant[0]));
    assert_true(parse(f, "raw(51)"));
    assert_false(desc_is_solvable(f->list.variant[0]));
}
