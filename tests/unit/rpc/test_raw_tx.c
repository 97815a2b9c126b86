/* test_raw_tx.c - hex to transactions, and pushes. */
#include "consensus/script_iter.h"
#include "rpc/raw_tx.h"
#include "support/unit.h"

#define OUTPUT                                                                                     \
    "0100e1f5050000000001"                                                                         \
    "51"
/* Version 2, one input (txid 01.., output 0, no script), one output, lock time 0. */
#define INPUT                                                                                      \
    "01"                                                                                           \
    "0100000000000000000000000000000000000000000000000000000000000000"                             \
    "00000000"                                                                                     \
    "00"                                                                                           \
    "ffffffff"
#define LEGACY "02000000" INPUT OUTPUT "00000000"
#define WITNESS                                                                                    \
    "02000000"                                                                                     \
    "0001" INPUT OUTPUT "0101aa"                                                                   \
    "00000000"
#define EMPTY_IN                                                                                   \
    "02000000"                                                                                     \
    "00" OUTPUT "00000000"

TEST(the_form_is_found)
{
    /* clang-format off */
    static const struct {
        const char *hex; int forms; bool ok; uint32_t n_in; bool witness;
    } c[] = {
        {LEGACY,        RAW_TX_ANY,     true,  1, false},
        {LEGACY,        RAW_TX_LEGACY,  true,  1, false},
        {LEGACY,        RAW_TX_WITNESS, true,  1, false},
        {WITNESS,       RAW_TX_ANY,     true,  1, true},
        {WITNESS,       RAW_TX_WITNESS, true,  1, true},
        {WITNESS,       RAW_TX_LEGACY,  false, 0, false},
        {EMPTY_IN,      RAW_TX_ANY,     true,  0, false},
        {EMPTY_IN,      RAW_TX_LEGACY,  true,  0, false},
        {EMPTY_IN,      RAW_TX_WITNESS, false, 0, false},
        {LEGACY "00",   RAW_TX_ANY,     false, 0, false},
        {LEGACY "0",    RAW_TX_ANY,     false, 0, false},
        {"",            RAW_TX_ANY,     false, 0, false},
        {"zz",          RAW_TX_ANY,     false, 0, false},
        {"02000000",    RAW_TX_ANY,     false, 0, false},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(c); i++) {
        struct arena arena;
        struct tx tx;
        arena_init(&arena, 1024);
        bool ok = raw_tx_decode(span_of_string(c[i].hex), c[i].forms, &arena, &tx);
        if (ok != c[i].ok)
            fail_msg("row %zu", i);
        if (ok) {
            assert_int_equal(tx.n_in, c[i].n_in);
            assert_int_equal(tx.n_out, 1);
            assert_int_equal(tx.has_witness, c[i].witness);
        }
        arena_deinit(&arena);
    }
}

TEST(pushes_are_as_short_as_can_be)
{
    /* clang-format off */
    static const struct { size_t len; uint8_t head[5]; size_t head_len; } cases[] = {
        {0,     {0},                          1},
        {1,     {1},                          1},
        {75,    {75},                         1},
        {76,    {0x4c, 76},                   2},
        {255,   {0x4c, 255},                  2},
        {256,   {0x4d, 0, 1},                 3},
        {65535, {0x4d, 255, 255},             3},
        {65536, {0x4e, 0, 0, 1, 0},           5},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        arena_init(&arena, 1024);
        uint8_t *data = arena_calloc(&arena, cases[i].len + 1, 1);
        struct span push = raw_tx_push(&arena, span_of(data, cases[i].len));
        assert_int_equal(push.len, cases[i].head_len + cases[i].len);
        assert_memory_equal(push.p, cases[i].head, cases[i].head_len);
        struct script_iter it = script_iter_of(push);
        struct script_op op;
        assert_true(script_next(&it, &op));
        assert_int_equal(op.push.len, cases[i].len);
        arena_deinit(&arena);
    }
}

TEST(joined_bytes_keep_their_order)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct span none = span_of(NULL, 0);
    assert_true(
        span_equal(raw_tx_join(&arena, span_of("ab", 2), span_of("c", 1)), span_of("abc", 3)));
    assert_true(span_equal(raw_tx_join(&arena, none, span_of("c", 1)), span_of("c", 1)));
    assert_true(span_equal(raw_tx_join(&arena, span_of("c", 1), none), span_of("c", 1)));
    assert_int_equal(raw_tx_join(&arena, none, none).len, 0);
    arena_deinit(&arena);
}

TEST(valid_opcodes_end_with_nop10)
{
    uint8_t script[524] = {OP_PUSHDATA2, 0x08, 0x02}; /* a push of 520 bytes */
    assert_true(raw_tx_has_valid_ops(span_of("", 0)));
    assert_true(raw_tx_has_valid_ops(span_of("\x51\xb9", 2)));
    assert_false(raw_tx_has_valid_ops(span_of("\x51\xba", 2)));
    assert_false(raw_tx_has_valid_ops(span_of("\x02\x00", 2)));
    assert_true(raw_tx_has_valid_ops(span_of(script, 523)));
    script[1] = 0x09;
    assert_false(raw_tx_has_valid_ops(span_of(script, 524)));
}
