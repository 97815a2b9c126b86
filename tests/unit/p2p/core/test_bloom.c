/* test_bloom.c - what was put into a filter is found; what a match adds; the limits. */
#include "p2p/core/bloom.h"

#include "support/chain_builder.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

static struct bloom *make(size_t len, uint32_t n_functions, uint32_t tweak, uint8_t flags,
                          bool *is_too_large)
{
    struct buffer bytes;
    uint8_t *zeros = xcalloc(1, len + 1);
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_compact_size(&w, len);
    write_bytes(&w, zeros, len);
    write_u32(&w, n_functions);
    write_u32(&w, tweak);
    write_u8(&w, flags);
    struct reader r = reader_of(buffer_span(&bytes));
    struct bloom *bloom = bloom_read(&r, is_too_large);
    buffer_deinit(&bytes);
    xfree(zeros);
    return bloom;
}

static struct bloom *made(size_t len, uint32_t n_functions, uint32_t tweak, uint8_t flags)
{
    bool is_too_large;
    struct bloom *bloom = make(len, n_functions, tweak, flags, &is_too_large);
    assert_non_null(bloom);
    assert_false(is_too_large);
    return bloom;
}

static struct span hex_span(const char *hex, uint8_t *out, size_t capacity)
{
    return span_of(out, hex_bytes(hex, out, capacity));
}

/* Three elements in a filter for three, one in a hundred others passing: the known example of this
 * filter, whose bits are 61 4e 9b. */
TEST(bits_are_set_as_published)
{
    static const char *const elements[] = {"99108ad8ed9bb6274d3980bab5a85c048f0950c8",
                                           "b5a2c786d9ef4658287ced5914b37a1b4aa32eee",
                                           "b9300670b4c5366e95b2699e8b18bc75e5f729c5"};
    struct bloom *bloom = made(3, 5, 0, BLOOM_UPDATE_ALL);
    struct bloom *tweaked = made(3, 5, 2147483649u, BLOOM_UPDATE_ALL);
    uint8_t bytes[40];
    for (size_t i = 0; i < COUNT_OF(elements); i++) {
        bloom_insert(bloom, hex_span(elements[i], bytes, sizeof bytes));
        bloom_insert(tweaked, hex_span(elements[i], bytes, sizeof bytes));
        assert_true(bloom_has(bloom, span_of(bytes, 20)));
        assert_true(bloom_has(tweaked, span_of(bytes, 20)));
    }
    assert_hex(bloom->bits, 3, "614e9b");
    assert_hex(tweaked->bits, 3, "ce4299");
    /* One bit of it is another element. */
    assert_false(bloom_has(bloom, hex_span("19108ad8ed9bb6274d3980bab5a85c048f0950c8", bytes, 40)));
    bloom_free(bloom);
    bloom_free(tweaked);
}

/* The BIP's own example of the seed: function 1 with tweak 5 begins at 4221880218. */
TEST(each_function_has_its_own_seed)
{
    assert_int_equal(1 * 0xfba4c795u + 5u, 4221880218u);
}

TEST(limits_hold_on_both_sides)
{
    bool is_too_large;
    bloom_free(made(BLOOM_BYTES_MAX, BLOOM_FUNCTIONS_MAX, 0, 0));
    assert_null(make(BLOOM_BYTES_MAX + 1, 1, 0, 0, &is_too_large));
    assert_true(is_too_large);
    assert_null(make(1, BLOOM_FUNCTIONS_MAX + 1, 0, 0, &is_too_large));
    assert_true(is_too_large);
    struct reader r = reader_of(span_of("\2\1\1\0\0\0", 6));
    assert_null(bloom_read(&r, &is_too_large));
    assert_false(is_too_large); /* cut short */
}

/* CVE-2013-5700: it was divided by. */
TEST(an_empty_filter_matches_everything)
{
    struct bloom *bloom = made(0, 5, 0, 0);
    assert_true(bloom_has(bloom, span_of_string("x")));
    bloom_insert(bloom, span_of_string("x"));
    assert_true(bloom_has(bloom, span_of_string("y")));
    bloom_free(bloom);
    bloom = made(1, 0, 0, 0);
    assert_true(bloom_has(bloom, span_of_string("x")));
    bloom_free(bloom);
}

/* A transaction that pays 33 bytes as a key and 20 as a hash, and spends an output with an
 * element in the script. */
struct example {
    uint8_t key_script[35], hash_script[25], sig[4];
    struct tx_in in;
    struct tx_out out[2];
    struct tx tx;
};

static void make_example(struct example *e)
{
    *e = (struct example){.sig = {3, 'a', 'b', 'c'}};
    e->key_script[0] = 33;
    e->key_script[1] = 2;
    memset(e->key_script + 2, 7, 32);
    e->key_script[34] = 0xac; /* OP_CHECKSIG */
    static const uint8_t head[] = {0x76, 0xa9, 20}, tail[] = {0x88, 0xac};
    memcpy(e->hash_script, head, 3);
    memset(e->hash_script + 3, 9, 20);
    memcpy(e->hash_script + 23, tail, 2);
    e->in.script_sig = span_of(e->sig, 4);
    memset(e->in.prevout.txid.b, 5, 32);
    e->in.prevout.vout = 3;
    e->out[0].script_pubkey = span_of(e->key_script, 35);
    e->out[1].script_pubkey = span_of(e->hash_script, 25);
    memset(e->tx.txid.b, 1, 32);
    e->tx.in = &e->in;
    e->tx.out = e->out;
    e->tx.n_in = 1;
    e->tx.n_out = 2;
}

static bool has_output(const struct bloom *bloom, const struct example *e, uint8_t vout)
{
    uint8_t bytes[36] = {0};
    memcpy(bytes, e->tx.txid.b, 32);
    bytes[32] = vout;
    return bloom_has(bloom, span_of(bytes, 36));
}

TEST(a_transaction_matches_by_each_of_its_parts)
{
    struct example e;
    make_example(&e);
    uint8_t spent[36] = {0};
    memset(spent, 5, 32);
    spent[32] = 3;
    const struct span elements[] = {span_of(e.tx.txid.b, 32), span_of(e.key_script + 1, 33),
                                    span_of(e.hash_script + 3, 20), span_of(spent, 36),
                                    span_of("abc", 3)};
    for (size_t i = 0; i < COUNT_OF(elements); i++) {
        struct bloom *bloom = made(1000, 10, (uint32_t)i, BLOOM_UPDATE_NONE);
        assert_false(bloom_matches_tx(bloom, &e.tx));
        bloom_insert(bloom, elements[i]);
        assert_true(bloom_matches_tx(bloom, &e.tx));
        assert_false(has_output(bloom, &e, 0));
        assert_false(has_output(bloom, &e, 1));
        bloom_free(bloom);
    }
}

TEST(a_match_adds_outputs_as_the_flags_say)
{
    static const struct {
        uint8_t flags;
        bool adds_key, adds_hash;
    } rows[] = {{BLOOM_UPDATE_NONE, false, false},
                {BLOOM_UPDATE_ALL, true, true},
                {BLOOM_UPDATE_PUBKEY_ONLY, true, false},
                {BLOOM_UPDATE_MASK, false, false},
                {4 | BLOOM_UPDATE_ALL, true, true}};
    struct example e;
    make_example(&e);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bloom *bloom = made(1000, 10, 0, rows[i].flags);
        bloom_insert(bloom, span_of(e.key_script + 1, 33));
        bloom_insert(bloom, span_of(e.hash_script + 3, 20));
        assert_true(bloom_matches_tx(bloom, &e.tx));
        assert_int_equal(has_output(bloom, &e, 0), rows[i].adds_key);
        assert_int_equal(has_output(bloom, &e, 1), rows[i].adds_hash);
        bloom_free(bloom);
    }
}

TEST(what_is_put_into_a_copy_comes_back)
{
    static const uint8_t one[] = {1, 2, 3}, two[] = {4, 5, 6};
    struct bloom *bloom = made(100, 5, 0, BLOOM_UPDATE_NONE), *copy = bloom_copy(bloom);
    bloom_insert(copy, span_of(one, sizeof one));
    bloom_insert(bloom, span_of(two, sizeof two)); /* meanwhile */
    assert_false(bloom_has(bloom, span_of(one, sizeof one)));
    assert_false(bloom_has(copy, span_of(two, sizeof two)));
    bloom_merge(bloom, copy);
    assert_true(bloom_has(bloom, span_of(one, sizeof one)));
    assert_true(bloom_has(bloom, span_of(two, sizeof two)));
    bloom_free(copy);
    bloom_free(bloom);
}
