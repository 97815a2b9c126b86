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
