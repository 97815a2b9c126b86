/* test_tx.c - decoding and encoding transactions, and their ids.
 *
 * hazards: rows 15, 16 (witnesses of any size), 22 (CompactSize forms), 33 (claimed sizes). */
#include "consensus/block.h"
#include "crypto/hash.h"
#include "support/arena_fixture.h"
#include "support/build.h"
#include "support/hex_bytes.h"
#include "util/alloc.h"

/* The first transaction between two people: block 170 of the main chain. */
static const char first_payment[] =
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402"
    "204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4"
    "acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b"
    "13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1ba"
    "ded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482e"
    "cad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";

/* The signed P2WPKH example of BIP143: one input without and one with a witness. */
static const char bip143_example[] =
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830"
    "450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f928"
    "1a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e81"
    "5b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f6"
    "6f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988"
    "ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c"
    "4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7aca"
    "fcdb3566bb0ad253f62fc70f07aeee635711000000";

FIXTURE(arena_setup, arena_teardown)

/* Decode all of raw as one transaction. */
static bool decode(struct span raw, struct arena *arena, bool allow_witness, struct tx *tx)
{
    struct reader r = reader_of(raw);
    bool ok = tx_decode(&r, arena, allow_witness, tx);
    assert_int_equal(ok, !r.failed);
    return ok && reader_finish(&r);
}

static struct span from_hex(struct arena *arena, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *raw = arena_alloc(arena, len);
    hex_bytes_exactly(hex, raw, len);
    return span_of(raw, len);
}

static void assert_round_trip(const struct tx *tx, struct span raw)
{
    uint8_t *copy = xmalloc(raw.len);
    struct writer w = writer_to_buffer(copy, raw.len);
    tx_encode(&w, tx, true);
    assert_int_equal(w.len, raw.len);
    assert_memory_equal(copy, raw.p, raw.len);
    xfree(copy);
}

TEST(first_payment_has_its_known_id, struct arena *arena)
{
    struct tx tx;
    struct span raw = from_hex(arena, first_payment);
    assert_true(decode(raw, arena, true, &tx));
    /* f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16 */
    assert_hex(tx.txid.b, 32, "169e1e83e930853391bc6f35f605c6754cfead57cf8387639d3b4096c54f18f4");
    assert_memory_equal(tx.txid.b, tx.wtxid.b, 32);
    assert_int_equal(tx.version, 1);
    assert_int_equal(tx.n_in, 1);
    assert_int_equal(tx.in[0].prevout.vout, 0);
    assert_int_equal(tx.in[0].script_sig.len, 0x48);
    assert_int_equal(tx.n_out, 2);
    assert_int_equal(tx.out[0].value_sat, 10 * COIN_SAT);
    assert_int_equal(tx.out[1].value_sat, 40 * COIN_SAT);
    assert_false(tx.has_witness);
    assert_false(tx_is_coinbase(&tx));
    assert_int_equal(tx.base_bytes, raw.len);
    assert_int_equal(tx_weight_wu(&tx), 4 * raw.len);
    assert_round_trip(&tx, raw);
}

TEST(witness_counts_for_the_wtxid_only, struct arena *arena)
{
    struct tx tx;
    struct span raw = from_hex(arena, bip143_example);
    assert_true(decode(raw, arena, true, &tx));
    /* the id is the hash of the stripped form */
    uint8_t stripped[400], expect[32];
    struct writer w = writer_to_buffer(stripped, sizeof stripped);
    tx_encode(&w, &tx, false);
    sha256d(span_of(stripped, w.len), expect);
    assert_memory_equal(tx.txid.b, expect, 32);
    sha256d(raw, expect);
    assert_memory_equal(tx.wtxid.b, expect, 32);

    assert_true(tx.has_witness);
    assert_int_equal(tx.in[0].witness.len, 0); /* a count of zero items */
    assert_int_equal(tx.in[1].witness.len, 1 + 1 + 0x47 + 1 + 0x21);
    assert_int_equal(tx.base_bytes, w.len);
    assert_int_equal(tx_weight_wu(&tx), 3 * w.len + raw.len);
    assert_round_trip(&tx, raw);

    /* the stripped form is a transaction of the same id */
    struct tx plain;
    assert_true(decode(span_of(stripped, w.len), arena, true, &plain));
    assert_true(txid_equal(&plain.txid, &tx.txid));
}

TEST(witness_items_are_walked_in_order, struct arena *arena)
{
    struct tx tx;
    assert_true(decode(from_hex(arena, bip143_example), arena, true, &tx));
    struct witness_iter it = witness_iter_of(tx.in[1].witness);
    struct span item;
    assert_int_equal(it.left, 2);
    assert_true(witness_next(&it, &item));
    assert_int_equal(item.len, 0x47);
    assert_int_equal(item.p[0], 0x30);
    assert_true(witness_next(&it, &item));
    assert_int_equal(item.len, 0x21);
    assert_false(witness_next(&it, &item));
    it = witness_iter_of(tx.in[0].witness);
    assert_false(witness_next(&it, &item));
}

/* Bytes of a small transaction: PREFIX inputs..., where only the body differs. */
#define IN  "11111111111111111111111111111111111111111111111111111111111111110000000000ffffffff"
#define OUT "e8030000000000000151"

/* clang-format off */
static const struct { const char *what, *hex; bool with, without; } forms[] = {
    {"plain",                     "02000000" "01" IN "01" OUT "00000000", true, true},
    {"one witness item",          "02000000" "0001" "01" IN "01" OUT "0101aa" "00000000", true,
     false},
    {"one empty witness item",    "02000000" "0001" "01" IN "01" OUT "0100" "00000000", true,
     false},
    {"only empty stacks",         "02000000" "0001" "01" IN "01" OUT "00" "00000000", false, false},
    {"flag 0 and no body",        "02000000" "00" "00" "00000000", true, true},
    {"flag 2",                    "02000000" "0002" "01" IN "01" OUT "0101aa" "00000000", false,
     false},
    {"flag 3",                    "02000000" "0003" "01" IN "01" OUT "0101aa" "00000000", false,
     false},
    {"witness and no inputs",     "02000000" "0001" "00" "01" OUT "00000000", false, false},
    {"no inputs, one output",     "02000000" "00" "01" OUT "00000000", false, true},
    {"count of inputs in 3 bytes","02000000" "fd0100" IN "01" OUT "00000000", false, false},
    {"count of outputs in 3",     "02000000" "01" IN "fd0100" OUT "00000000", false, false},
    {"count of items in 3",       "02000000" "0001" "01" IN "01" OUT "fd010001aa" "00000000",
     false, false},
    {"length of item in 3",       "02000000" "0001" "01" IN "01" OUT "01fd0100aa" "00000000",
     false, false},
    {"length of script in 5",
     "02000000" "01" IN "01" "e803000000000000fe0100000051" "00000000", false, false},
    {"more items than bytes",     "02000000" "0001" "01" IN "01" OUT "ffffffffffffffffff00000000",
     false, false},
    {"item longer than the rest", "02000000" "0001" "01" IN "01" OUT "0110aa" "00000000", false,
     false},
    {"2^64-1 inputs claimed",     "02000000" "ffffffffffffffffff" IN "01" OUT "00000000", false,
     false},
    {"2^32-1 outputs claimed",    "02000000" "01" IN "feffffffff" OUT "00000000", false, false},
    {"byte missing at the end",   "02000000" "01" IN "01" OUT "000000", false, false},
    {"byte left at the end",      "02000000" "01" IN "01" OUT "0000000000", false, false},
    {"nothing",                   "", false, false},
};
/* clang-format on */

TEST(only_canonical_forms_are_decoded, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct tx tx;
        struct span raw = from_hex(arena, forms[i].hex);
        if (decode(raw, arena, true, &tx) != forms[i].with)
            fail_msg("%s: with witness, want %d", forms[i].what, forms[i].with);
        if (forms[i].with)
            assert_round_trip(&tx, raw);
        if (decode(raw, arena, false, &tx) != forms[i].without)
            fail_msg("%s: without witness, want %d", forms[i].what, forms[i].without);
    }
}

TEST(every_cut_of_a_transaction_is_refused, struct arena *arena)
{
    struct span raw = from_hex(arena, bip143_example);
    for (size_t len = 0; len < raw.len; len++) {
        /* a copy of exactly len bytes, so that the sanitizer sees each read past it */
        uint8_t *copy = xmemdup(raw.p, len);
        struct tx tx;
        assert_false(decode(span_of(copy, len), arena, true, &tx));
        xfree(copy);
    }
}

/* A transaction with one input whose witness has n items of item_len bytes each. */
static struct span big_witness(struct arena *arena, size_t n, size_t item_len)
{
    size_t capacity = 200 + n * (9 + item_len);
    uint8_t *raw = arena_calloc(arena, 1, capacity);
    struct writer w = writer_to_buffer(raw, capacity);
    size_t len = hex_bytes("02000000"
                           "0001"
                           "01" IN "01" OUT,
                           raw, capacity);
    w.len = len;
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        write_compact_size(&w, item_len);
        w.len += item_len;
    }
    write_u32(&w, 0);
    return span_of(raw, w.len);
}

static void assert_witness_decodes(struct arena *arena, size_t n, size_t item_len)
{
    struct tx tx;
    struct arena_mark mark = arena_mark(arena);
    struct span raw = big_witness(arena, n, item_len), item;
    assert_true(decode(raw, arena, true, &tx));
    struct witness_iter it = witness_iter_of(tx.in[0].witness);
    size_t found = 0;
    while (witness_next(&it, &item)) {
        assert_int_equal(item.len, item_len);
        found++;
    }
    assert_int_equal(found, n);
    arena_rewind(arena, mark);
}

/* hazards row 15: what halted other nodes at 33,970 and 396,669 bytes, and at 500,003 items. */
TEST(witnesses_have_no_limit_but_the_block, struct arena *arena)
{
    assert_witness_decodes(arena, 1, 33970);
    assert_witness_decodes(arena, 1, 396669);
    assert_witness_decodes(arena, 1, 3900000);
    assert_witness_decodes(arena, 500003, 0);
    assert_witness_decodes(arena, 1300000, 2);
    assert_witness_decodes(arena, 3900000, 0);
}

TEST(counts_at_each_compact_size_width_survive, struct arena *arena)
{
    static const size_t counts[] = {1, 252, 253, 254, 65535, 65536};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct tx tx = build_tx(arena, 9, 1, (uint32_t)counts[i]), back;
        tx_finish(&tx, arena);
        assert_true(decode(tx.raw, arena, true, &back));
        assert_int_equal(back.n_out, counts[i]);
        assert_true(txid_equal(&back.txid, &tx.txid));
        assert_witness_decodes(arena, counts[i], 1);
        assert_witness_decodes(arena, 1, counts[i]);
    }
}

TEST(finished_transactions_decode_to_themselves, struct arena *arena)
{
    uint8_t one = 1;
    struct span items[2] = {span_of(&one, 1), span_of(NULL, 0)};
    for (int witness = 0; witness < 2; witness++) {
        struct tx tx = build_tx(arena, 5, 3, 2), back;
        tx.lock_time = 77;
        if (witness)
            tx.in[1].witness = build_witness(arena, items, 2);
        tx_finish(&tx, arena);
        assert_true(decode(tx.raw, arena, true, &back));
        assert_true(txid_equal(&tx.txid, &back.txid));
        assert_memory_equal(tx.wtxid.b, back.wtxid.b, 32);
        assert_int_equal(tx.base_bytes, back.base_bytes);
        assert_int_equal(back.has_witness, witness);
        assert_int_equal(back.lock_time, 77);
    }
}

TEST(coinbase_has_one_null_input, struct arena *arena)
{
    struct tx tx = build_coinbase(arena, 1, 0);
    assert_true(tx_is_coinbase(&tx));
    tx.in[0].prevout.vout = 0;
    assert_false(tx_is_coinbase(&tx));
    tx.in[0].prevout.vout = OUTPOINT_INDEX_NULL;
    tx.in[0].prevout.txid.b[31] = 1;
    assert_false(tx_is_coinbase(&tx));
    struct tx two = build_tx(arena, 1, 2, 1);
    memset(&two.in[0].prevout.txid, 0, 32);
    two.in[0].prevout.vout = OUTPOINT_INDEX_NULL;
    assert_false(tx_is_coinbase(&two));
}
