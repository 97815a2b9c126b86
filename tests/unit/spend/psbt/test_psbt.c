/* test_psbt.c - PSBTs made of transactions, combined, and asked. */
#include "spend/psbt/psbt.h"
#include "unit/spend/psbt/psbt_fixture.h"

FIXTURE(setup, teardown)

static struct tx make_tx(struct fixture *f)
{
    struct tx tx = {.version = 2, .lock_time = 77, .n_in = 1, .n_out = 1};
    tx.in = arena_calloc(&f->arena, 1, sizeof *tx.in);
    tx.out = arena_calloc(&f->arena, 1, sizeof *tx.out);
    tx.in[0] = (struct tx_in){.sequence = 5, .script_sig = span_of("\x51", 1)};
    memset(tx.in[0].prevout.txid.b, 9, 32);
    tx.out[0] = (struct tx_out){.value_sat = 1234, .script_pubkey = span_of("\x52", 1)};
    tx_finish(&tx, &f->arena);
    return tx;
}

static bool combine(struct psbt *a, const struct psbt *b)
{
    struct psbt both[] = {*a, *b};
    bool ok = psbt_combine(both, 2);
    *a = both[0];
    return ok;
}

TEST(a_transaction_comes_back_from_both_versions, struct fixture *f)
{
    static const uint32_t versions[] = {PSBT_VERSION_0, PSBT_VERSION_2};
    struct tx tx = make_tx(f);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct psbt made, read;
        struct buffer bytes;
        struct tx out;
        psbt_from_tx(&tx, versions[i], &f->arena, &made);
        buffer_init(&bytes);
        psbt_write(&made, &bytes);
        assert_true(psbt_read(buffer_span(&bytes), &f->arena, &read, &f->error));
        assert_int_equal(read.version, versions[i]);
        psbt_put(&read, &read.inputs[0], PSBT_IN_FINAL_SCRIPTSIG, span_of("", 0),
                 span_of("\x51", 1));
        psbt_extract(&read, &out);
        assert_true(span_equal(out.raw, tx.raw));
        buffer_deinit(&bytes);
    }
}

TEST(lock_times_of_bip370, struct fixture *f)
{
    struct bip_psbt vector = {0};
    char *text;
    size_t n = 0;
    const char *at = bip_vectors(bip_files[1], &text);
    while (bip_next_psbt(&at, &vector)) {
        if (vector.section != BIP_LOCK_TIME)
            continue;
        assert_true(read_base64(f, vector.base64, &f->psbt));
        assert_int_equal(f->psbt.tx.lock_time, vector.lock_time);
        n++;
    }
    assert_int_equal(n, 9);
    xfree(text);
}

TEST(copies_are_combined_and_others_are_not, struct fixture *f)
{
    struct tx tx = make_tx(f);
    struct psbt a, b, other;
    struct span none = span_of("", 0);
    psbt_from_tx(&tx, PSBT_VERSION_2, &f->arena, &a);
    psbt_from_tx(&tx, PSBT_VERSION_2, &f->arena, &b);
    psbt_put(&a, &a.inputs[0], PSBT_IN_REDEEM_SCRIPT, none, span_of("a", 1));
    psbt_put(&b, &b.inputs[0], PSBT_IN_REDEEM_SCRIPT, none, span_of("b", 1));
    psbt_put(&b, &b.outputs[0], 0x77, none, span_of("c", 1));
    psbt_put(&b, &b.global, 0x77, none, span_of("d", 1));
    /* Sequences may differ in version 2. */
    psbt_set(&b, &b.inputs[0], PSBT_IN_SEQUENCE, none, span_of("\x07\0\0\0", 4));
    assert_true(psbt_update_tx(&b));
    assert_true(combine(&a, &b));
    assert_int_equal(psbt_get(&a.inputs[0], PSBT_IN_REDEEM_SCRIPT).p[0], 'a');
    assert_int_equal(psbt_get(&a.outputs[0], 0x77).p[0], 'c');
    assert_int_equal(psbt_get(&a.global, 0x77).p[0], 'd');
    psbt_from_tx(&tx, PSBT_VERSION_0, &f->arena, &other);
    assert_false(combine(&a, &other));
    tx.out[0].value_sat++;
    psbt_from_tx(&tx, PSBT_VERSION_2, &f->arena, &other);
    assert_false(combine(&a, &other));
}

/* What one of them forbids stays forbidden; a field that is not there forbids all. Core: Merge() */
TEST(what_may_be_changed_is_what_all_allow, struct fixture *f)
{
    enum { MISSING = -1 };
    static const struct {
        int own, other, both;
    } cases[] = {{3, 2, 2},
                 {3, 0, 0},
                 {1, 6, 4},
                 {7, 3, 7},
                 {3, MISSING, 0},
                 {MISSING, 7, 4},
                 {MISSING, MISSING, MISSING}};
    struct tx tx = make_tx(f);
    struct span none = span_of("", 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct psbt a, b;
        uint8_t own = (uint8_t)cases[i].own, other = (uint8_t)cases[i].other;
        psbt_from_tx(&tx, PSBT_VERSION_2, &f->arena, &a);
        psbt_from_tx(&tx, PSBT_VERSION_2, &f->arena, &b);
        if (cases[i].own != MISSING)
            psbt_put(&a, &a.global, PSBT_GLOBAL_TX_MODIFIABLE, none, span_of(&own, 1));
        if (cases[i].other != MISSING)
            psbt_put(&b, &b.global, PSBT_GLOBAL_TX_MODIFIABLE, none, span_of(&other, 1));
        assert_true(combine(&a, &b));
        struct span both = psbt_get(&a.global, PSBT_GLOBAL_TX_MODIFIABLE);
        assert_int_equal(both.p ? both.p[0] : MISSING, cases[i].both);
    }
}

/* One with many records, and many with few: no map is copied for each of them. */
TEST(many_are_combined_in_no_square_of_memory, struct fixture *f)
{
    enum { RECORDS = 2000, PSBTS = 2000 };
    struct tx tx = make_tx(f);
    struct psbt *psbts = arena_calloc(&f->arena, PSBTS, sizeof *psbts);
    for (size_t i = 0; i < PSBTS; i++) {
        uint8_t name[] = {(uint8_t)i, (uint8_t)(i >> 8)};
        psbt_from_tx(&tx, PSBT_VERSION_2, &f->arena, &psbts[i]);
        psbt_put(&psbts[i], &psbts[i].global, 0x77, span_of(name, 2), span_of("", 0));
    }
    for (size_t i = 0; i < RECORDS; i++) {
        uint8_t name[] = {1, (uint8_t)i, (uint8_t)(i >> 8)};
        psbt_put(psbts, &psbts->inputs[0], 0x77, span_of(name, 3), span_of("", 0));
    }
    size_t before = f->arena.total_bytes, n = psbts->global.n;
    assert_true(psbt_combine(psbts, PSBTS));
    assert_int_equal(psbts->global.n, n + PSBTS - 1);
    assert_true(f->arena.total_bytes - before < 16 << 20);
}

TEST(what_is_spent_is_found, struct fixture *f)
{
    struct tx previous = make_tx(f), tx = make_tx(f);
    struct psbt psbt;
    struct tx_out out;
    struct span none = span_of("", 0);
    tx.in[0].prevout.txid = previous.txid;
    tx.in[0].prevout.vout = 0;
    psbt_from_tx(&tx, PSBT_VERSION_0, &f->arena, &psbt);
    assert_false(psbt_spent(&psbt, 0, &out));
    psbt_put(&psbt, &psbt.inputs[0], PSBT_IN_WITNESS_UTXO, none,
             span_of("\x05\0\0\0\0\0\0\0\x01\x53", 10));
    assert_true(psbt_spent(&psbt, 0, &out));
    assert_int_equal(out.value_sat, 5);
    psbt_put(&psbt, &psbt.inputs[0], PSBT_IN_NON_WITNESS_UTXO, none, previous.raw);
    assert_true(psbt_spent(&psbt, 0, &out));
    assert_int_equal(out.value_sat, 1234);
    psbt.tx.in[0].prevout.vout = 1;
    assert_false(psbt_spent(&psbt, 0, &out));
    /* To look leaves nothing behind: a previous transaction may be spent by many inputs. */
    size_t before = f->arena.total_bytes;
    psbt.tx.in[0].prevout.vout = 0;
    for (int i = 0; i < 1000; i++)
        assert_true(psbt_spent(&psbt, 0, &out));
    assert_int_equal(f->arena.total_bytes, before);
}
