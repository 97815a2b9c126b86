/* test_script_vectors.c - whole transactions: Core's tx_valid.json and tx_invalid.json, with the
 * flags of each row proven to be the least or the most, and a block of the main chain.
 *
 * hazards: rows 8, 12, 14, 17, 23, 24, 28 by the vectors. */
#include <jansson.h>

#include "consensus/block.h"
#include "consensus/tx_check.h"
#include "support/script_asm.h"
#include "support/script_names.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"
#include "util/hex.h"

/* A transaction and the outputs it spends. */
struct row {
    struct arena arena;
    struct tx tx;
    struct tx_out *spent;
    struct tx_sighash sighash;
    const char *flags;
    const char *text;
};

static struct tx_out previous_output(struct row *row, json_t *inputs, const struct outpoint *want)
{
    size_t i;
    json_t *input;
    json_array_foreach(inputs, i, input)
    {
        struct outpoint have;
        const char *txid = json_string_value(json_array_get(input, 0));
        assert_true(hex_decode_reversed(have.txid.b, 32, txid, strlen(txid)));
        have.vout = (uint32_t)json_integer_value(json_array_get(input, 1));
        if (!outpoint_equal(&have, want))
            continue;
        struct buffer script;
        buffer_init(&script);
        asm_script(&script, json_string_value(json_array_get(input, 2)));
        uint8_t *copy = arena_alloc(&row->arena, script.len + 1);
        memcpy(copy, script.p ? script.p : (const uint8_t *)"", script.len);
        struct tx_out out = {.value_sat = json_integer_value(json_array_get(input, 3)),
                             .script_pubkey = span_of(copy, script.len)};
        buffer_deinit(&script);
        return out;
    }
    fail_msg("no such input: %s", row->text);
    return (struct tx_out){0};
}

/* Rows of one string are comments. */
static bool row_read(struct row *row, json_t *json)
{
    if (json_array_size(json) < 3)
        return false;
    arena_init(&row->arena, 1 << 16);
    row->text = json_string_value(json_array_get(json, 1));
    row->flags = json_string_value(json_array_get(json, 2));
    size_t len = strlen(row->text) / 2;
    uint8_t *raw = arena_alloc(&row->arena, len);
    assert_true(hex_decode(raw, len, row->text, strlen(row->text)));
    struct reader r = reader_of(span_of(raw, len));
    if (!tx_decode(&r, &row->arena, true, &row->tx)) {
        /* Two rows have no inputs, which the encoding with witness cannot say. */
        r = reader_of(span_of(raw, len));
        assert_true(tx_decode(&r, &row->arena, false, &row->tx));
    }
    row->spent = arena_calloc(&row->arena, row->tx.n_in + 1, sizeof *row->spent);
    return true;
}

static void row_find_outputs(struct row *row, json_t *json)
{
    for (uint32_t i = 0; i < row->tx.n_in; i++)
        row->spent[i] = previous_output(row, json_array_get(json, 0), &row->tx.in[i].prevout);
    tx_sighash_init(&row->sighash, &row->tx, row->spent);
}

static bool row_passes(const struct row *row, uint32_t flags, struct script_scratch *scratch)
{
    for (uint32_t i = 0; i < row->tx.n_in; i++) {
        const struct script_check check = {.tx = &row->tx,
                                           .input = i,
                                           .flags = flags & ASM_FLAGS_ALL,
                                           .spent = row->spent,
                                           .sighash = &row->sighash};
        if (asm_verify_both(&check, scratch))
            return false;
    }
    return true;
}

/* The row names the flags that have to be left out: all others may be set. */
static void check_valid(const struct row *row, struct script_scratch *scratch)
{
    uint32_t excluded = asm_flags(row->flags);
    assert_int_equal(~excluded & ASM_FLAGS_ALL, asm_flags_fill(~excluded & ASM_FLAGS_ALL));
    if (!row_passes(row, ~excluded, scratch))
        fail_msg("must pass without %s: %s", row->flags, row->text);
    for (uint32_t bit = 1; bit < ASM_FLAGS_ALL; bit <<= 1) {
        if (!row_passes(row, asm_flags_trim(~(excluded | bit)), scratch))
            fail_msg("must pass without %s and %x: %s", row->flags, bit, row->text);
        uint32_t fewer = asm_flags_trim(excluded & ~bit);
        if (fewer != excluded && row_passes(row, ~fewer, scratch))
            fail_msg("must fail with %x: %s", bit, row->text);
    }
}

/* The row names the flags that make it fail: without any one of them it passes. */
static void check_invalid(const struct row *row, struct script_scratch *scratch)
{
    uint32_t flags = asm_flags(row->flags);
    assert_int_equal(flags, asm_flags_fill(flags));
    if (row_passes(row, flags, scratch))
        fail_msg("must fail with %s: %s", row->flags, row->text);
    for (uint32_t bit = 1; bit < ASM_FLAGS_ALL; bit <<= 1) {
        if (row_passes(row, asm_flags_fill(flags | bit), scratch))
            fail_msg("must fail with %s and %x: %s", row->flags, bit, row->text);
        uint32_t fewer = asm_flags_trim(flags & ~bit);
        if (fewer != flags && !row_passes(row, fewer, scratch))
            fail_msg("must pass without %x: %s", bit, row->text);
    }
}

static size_t check_file(const char *name,
                         void (*check)(const struct row *row, struct script_scratch *scratch))
{
    char *text = vectors_read(name, NULL);
    if (!text)
        skip();
    json_t *rows = json_loads(text, 0, NULL);
    assert_non_null(rows);
    struct script_scratch *scratch = script_scratch_new();
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct row row;
        if (!row_read(&row, json_array_get(rows, i)))
            continue;
        /* Rows marked so fail before any script, all others only by their scripts. */
        bool bad = strcmp(row.flags, "BADTX") == 0;
        assert_int_equal(tx_check(&row.tx, &row.arena) != REJECT_NONE, bad);
        if (!bad) {
            row_find_outputs(&row, json_array_get(rows, i));
            check(&row, scratch);
            n++;
        }
        arena_deinit(&row.arena);
    }
    script_scratch_free(scratch);
    json_decref(rows);
    xfree(text);
    return n;
}

TEST(valid_transactions_pass_with_all_but_the_excluded_flags)
{
    assert_true(check_file("core/tx_valid.json", check_valid) >= 120);
}

TEST(invalid_transactions_fail_with_the_least_flags)
{
    assert_true(check_file("core/tx_invalid.json", check_invalid) >= 70);
}

/* ---- block 277647 of the main chain, with the outputs it spends ---- */

struct coin {
    struct outpoint outpoint;
    struct tx_out out;
};

struct spent_outputs {
    struct coin *coins;
    size_t n;
    struct arena arena;
};

/* Lines of "txid,vout,amount_sat,height,coinbase,script_pubkey_hex" after the header line. */
static void coins_read(struct spent_outputs *set, char *text)
{
    arena_init(&set->arena, 1 << 16);
    set->n = 0;
    set->coins = arena_calloc(&set->arena, 20000, sizeof *set->coins);
    for (char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        char *at = line + 1;
        struct coin *coin = &set->coins[set->n++];
        assert_true(set->n < 20000);
        assert_true(hex_decode_reversed(coin->outpoint.txid.b, 32, at, 64));
        coin->outpoint.vout = (uint32_t)strtoul(at + 65, &at, 10);
        coin->out.value_sat = strtoll(at + 1, &at, 10);
        (void)strtol(at + 1, &at, 10);
        (void)strtol(at + 1, &at, 10);
        size_t digits = strspn(++at, "0123456789abcdef");
        uint8_t *script = arena_alloc(&set->arena, digits / 2 + 1);
        assert_true(hex_decode(script, digits / 2, at, digits));
        coin->out.script_pubkey = span_of(script, digits / 2);
    }
}

static const struct tx_out *coin_find(const struct spent_outputs *set, const struct block *block,
                                      const struct outpoint *outpoint)
{
    for (size_t i = 0; i < set->n; i++) {
        if (outpoint_equal(&set->coins[i].outpoint, outpoint))
            return &set->coins[i].out;
    }
    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (txid_equal(&block->tx[i].txid, &outpoint->txid))
            return &block->tx[i].out[outpoint->vout];
    }
    fail_msg("an output is missing");
    return NULL;
}

/* The rules of height 277,647: BIP66, BIP65 and BIP112 came later. */
#define FLAGS_277647 (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT)

/* Verify all inputs of the block.
 * Out:      n  number of inputs; bad_tx  index of the first transaction that failed
 * Returns:  the first error */
static enum script_error verify_block(const struct spent_outputs *set, const struct block *block,
                                      size_t *n, uint32_t *bad_tx)
{
    struct script_scratch *scratch = script_scratch_new();
    struct arena arena;
    arena_init(&arena, 1 << 16);
    enum script_error error = SCRIPT_OK;
    *n = 0;
    for (uint32_t t = 1; t < block->n_tx && !error; t++) {
        const struct tx *tx = &block->tx[t];
        struct tx_out *spent = arena_calloc(&arena, tx->n_in, sizeof *spent);
        for (uint32_t i = 0; i < tx->n_in; i++)
            spent[i] = *coin_find(set, block, &tx->in[i].prevout);
        struct tx_sighash sighash;
        tx_sighash_init(&sighash, tx, spent);
        for (uint32_t i = 0; i < tx->n_in && !error; i++, (*n)++) {
            const struct script_check check = {
                .tx = tx, .input = i, .flags = FLAGS_277647, .spent = spent, .sighash = &sighash};
            error = asm_verify_both(&check, scratch);
            *bad_tx = t;
        }
    }
    arena_deinit(&arena);
    script_scratch_free(scratch);
    return error;
}

TEST(a_block_of_the_main_chain_verifies_and_with_a_bit_flipped_does_not)
{
    size_t len;
    char *raw = vectors_read("mainnet/block277647.raw", &len);
    char *csv = vectors_read("mainnet/block277647_spent_outputs.csv", NULL);
    if (!raw || !csv)
        skip();
    struct spent_outputs set;
    coins_read(&set, csv);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct block block;
    assert_true(block_decode(span_of(raw, len), &arena, &block));
    size_t n;
    uint32_t bad_tx = 0;
    assert_string_equal(script_error_name(verify_block(&set, &block, &n, &bad_tx)), "OK");
    assert_int_equal(n, set.n);

    /* Flip a bit of the first signature of the last transaction, whose own outputs nobody else
     * in the block spends. The merkle root would catch it, the scripts must too. */
    uint32_t last = block.n_tx - 1;
    struct span sig = block.tx[last].in[0].script_sig;
    raw[(const char *)sig.p - raw + 20] ^= 1;
    assert_true(block_decode(span_of(raw, len), &arena, &block));
    assert_string_equal(script_error_name(verify_block(&set, &block, &n, &bad_tx)), "EVAL_FALSE");
    assert_int_equal(bad_tx, last);

    arena_deinit(&arena);
    arena_deinit(&set.arena);
    xfree(raw);
    xfree(csv);
}
