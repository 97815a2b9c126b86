/* test_desc_key.c - keys derived, with where they come from. */
#include "spend/descriptor/desc_tree_internal.h"
#include "unit/spend/descriptor/desc_fixture.h"

FIXTURE(setup, teardown)

static struct desc_derived derive(struct fixture *f, const char *text, size_t variant,
                                  uint32_t index)
{
    struct desc_deriving how = {
        .ec = f->ec, .arena = &f->arena, .variant = variant, .index = index, .with_secrets = true};
    struct desc_derived *keys;
    if (!parse(f, text))
        fail_msg("%s: %s", text, f->error);
    assert_true(desc_derive(&how, f->list.variant[variant]->tree, &keys));
    return keys[0];
}

TEST(origins_tell_all_steps, struct fixture *f)
{
    struct desc_derived key = derive(f, "pkh([d34db33f/44h]" TPRV "/<1;2h>/*)", 1, 9);
    assert_int_equal(key.origin.fingerprint[0], 0xd3);
    assert_int_equal(key.origin.n_path, 3);
    assert_int_equal(key.origin.path[0], 44 | BIP32_HARDENED);
    assert_int_equal(key.origin.path[1], 2 | BIP32_HARDENED);
    assert_int_equal(key.origin.path[2], 9);
    assert_true(key.has_secret);
    key = derive(f, "pkh(" TPUB "/3)", 0, 9);
    assert_int_equal(key.origin.fingerprint[0], 0x0c); /* of the key itself */
    assert_int_equal(key.origin.n_path, 1);
    assert_false(key.has_secret);
    key = derive(f, "pkh(" K1 ")", 0, 9);
    assert_int_equal(key.origin.n_path, 0);
    assert_int_equal(key.len, 33);
}

TEST(a_hardened_step_needs_a_secret, struct fixture *f)
{
    struct desc_derived *keys;
    struct desc_deriving how = {.ec = f->ec, .arena = &f->arena};
    assert_true(parse(f, "pkh(" TPUB "/1h)"));
    assert_true(f->list.needs_secret);
    assert_false(desc_derive(&how, f->list.variant[0]->tree, &keys));
    assert_true(parse(f, "tr(musig(" TPUB "," TPUB "/*h))"));
    assert_true(f->list.needs_secret && f->list.is_range);
    assert_true(parse(f, "pkh(" TPRV "/1h)"));
    assert_false(f->list.needs_secret);
}
