/* test_desc.c - descriptors of every function and kind of key, and the scripts they stand for. */
#include "crypto/hash.h"
#include "spend/descriptor/desc.h"
#include "support/unit.h"
#include "unit/spend/descriptor/bip_vectors.h"
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

/* -- The vectors that BIPs publish ------------------------------------------------------------ */

struct bip_run {
    const char *file;
    size_t n_scripts, n_invalid; /* seen */
};

/* What stands below a descriptor: scripts at the first indexes, or what its variants are. */
static void check_below(struct fixture *f, const struct desc_list *list, size_t at,
                        struct span text)
{
    struct span scripts[DESC_SCRIPTS_MAX];
    struct buffer hex;
    buffer_init(&hex);
    if (memchr(text.p, '(', text.len)) { /* BIP389: written, with secrets made public */
        struct desc_list want;
        struct buffer want_text;
        buffer_init(&want_text);
        assert_true(desc_parse(f->ec, &f->network, text, &f->arena, &want));
        desc_write(want.variant[0], &want_text);
        desc_write(list->variant[at], &hex);
        assert_true(span_equal(buffer_span(&hex), buffer_span(&want_text)));
        buffer_deinit(&want_text);
    } else {
        size_t n = desc_scripts(f->ec, list->variant[0], list->is_range ? (uint32_t)at : 0,
                                &f->arena, scripts);
        struct span script = scripts[n > 1 ? at % n : 0];
        assert_true(n > 0);
        char *shown = arena_alloc(&f->arena, 2 * script.len + 1);
        hex_encode(shown, script);
        if (!span_equal(span_of_string(shown), text))
            fail_msg("%s, not %.*s", shown, (int)text.len, (const char *)text.p);
    }
    buffer_deinit(&hex);
}

static void run_bip(struct fixture *f, struct bip_run *run)
{
    char *text = vectors_read(run->file, NULL);
    if (!text)
        skip();
    const char *at = strstr(text, "==Test Vectors==");
    struct bip_line line, next = {0};
    assert_non_null(at);
    while (bip_next_line(&at, &line)) {
        const char *peek = at;
        if (line.depth != 1)
            continue;
        bool has_below = bip_next_line(&peek, &next) && next.depth == 2;
        bool ok = desc_parse(f->ec, &f->network, line.text, &f->arena, &f->list);
        if (!has_below && line.has_words) {
            if (ok)
                fail_msg("%.*s is taken", (int)line.text.len, (const char *)line.text.p);
            run->n_invalid++;
            continue;
        }
        if (!ok)
            fail_msg("%.*s: %s", (int)line.text.len, (const char *)line.text.p, f->list.error);
        struct desc_list list = f->list;
        for (size_t i = 0; bip_next_line(&peek, &next) || next.depth == 2; i++) {
            if (i == 0) { /* what was looked at above */
                peek = at;
                (void)bip_next_line(&peek, &next);
            }
            if (next.depth != 2)
                break;
            check_below(f, &list, i, next.text);
            run->n_scripts++;
            at = peek;
        }
    }
    xfree(text);
}

TEST(descriptors_of_bips, struct fixture *f)
{
    static struct bip_run runs[] = {
        {"bips/text/bip-0381.mediawiki", 0, 0}, {"bips/text/bip-0382.mediawiki", 0, 0},
        {"bips/text/bip-0383.mediawiki", 0, 0}, {"bips/text/bip-0384.mediawiki", 0, 0},
        {"bips/text/bip-0385.mediawiki", 0, 0}, {"bips/text/bip-0386.mediawiki", 0, 0},
        {"bips/text/bip-0387.mediawiki", 0, 0}, {"bips/text/bip-0389.mediawiki", 0, 0},
        {"bips/text/bip-0390.mediawiki", 0, 0},
    };
    f->network = *network_find("main");
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        run_bip(f, &runs[i]);
        print_message("%s: %zu, refused %zu\n", runs[i].file, runs[i].n_scripts, runs[i].n_invalid);
        assert_true(runs[i].n_scripts > 0);
    }
}
