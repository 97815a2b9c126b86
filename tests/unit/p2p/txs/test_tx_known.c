/* test_tx_known.c - what is remembered of what was refused. */
#include "p2p/state.h"
#include "p2p/txs/tx_known.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static struct p2p *start(struct fixture *f, uint64_t seed)
{
    return fixture_node(f, seed, NULL, NULL)->p2p;
}

/* By which names it is not asked for any more. */
TEST(a_verdict_decides_what_is_remembered, struct fixture *f)
{
    static const struct {
        enum reject code;
        bool wtxid, txid, is_reconsiderable;
    } rows[] = {
        {REJECT_VOUT_EMPTY, true, false, false},
        {REJECT_TX_SCRIPT_FAILED, true, false, false},
        {REJECT_WITNESS_NONSTANDARD, true, false, false},
        {REJECT_NON_FINAL, true, false, false},
        {REJECT_SAME_NONWITNESS_DATA, true, false, false},
        {REJECT_NONSTANDARD_INPUTS, true, true, false}, /* no witness would help */
        {REJECT_MIN_RELAY_FEE, false, false, true},
        {REJECT_MEMPOOL_MIN_FEE, false, false, true},
        {REJECT_INSUFFICIENT_FEE, false, false, true},
        {REJECT_MEMPOOL_FULL, false, false, true},
        {REJECT_TX_SCRIPT_STRIPPED, false, false, false}, /* the right one has the same txid */
        {REJECT_INPUTS_UNKNOWN, false, false, false},
        {REJECT_MEMPOOL_BUSY, false, false, false}, /* nothing is known of it */
        {REJECT_FAULT, false, false, false},
    };
    struct p2p *p2p = start(f, 301);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct txid txid = {{1, (uint8_t)i}};
        struct wtxid wtxid = {{2, (uint8_t)i}};
        tx_known_refused(&p2p->txs.known, &txid, &wtxid, rows[i].code);
        assert_int_equal(tx_known_has(&p2p->txs.known, wtxid.b, true), rows[i].wtxid);
        assert_int_equal(tx_known_has(&p2p->txs.known, txid.b, false), rows[i].txid);
        assert_int_equal(tx_known_is_reconsiderable(&p2p->txs.known, &wtxid),
                         rows[i].is_reconsiderable);
        assert_int_equal(tx_known_is_no_use(&p2p->txs.known, wtxid.b, true),
                         rows[i].wtxid || rows[i].is_reconsiderable);
    }
    tx_known_tip_changed(&p2p->txs.known);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct wtxid wtxid = {{2, (uint8_t)i}};
        assert_false(tx_known_is_no_use(&p2p->txs.known, wtxid.b, true));
    }
}

TEST(a_pair_is_its_two_in_this_order, struct fixture *f)
{
    struct p2p *p2p = start(f, 302);
    struct wtxid a = {{1}}, b = {{2}}, c = {{3}};
    tx_known_refused_pair(&p2p->txs.known, &a, &b);
    assert_true(tx_known_has_pair(&p2p->txs.known, &a, &b));
    assert_false(tx_known_has_pair(&p2p->txs.known, &b, &a));
    assert_false(tx_known_has_pair(&p2p->txs.known, &a, &c));
    assert_false(tx_known_is_no_use(&p2p->txs.known, a.b, true) ||
                 tx_known_is_no_use(&p2p->txs.known, b.b, true));
    tx_known_tip_changed(&p2p->txs.known);
    assert_false(tx_known_has_pair(&p2p->txs.known, &a, &b));
}

TEST(the_number_remembered_is_bounded, struct fixture *f)
{
    struct p2p *p2p = start(f, 303);
    struct txid txid = {{0}};
    struct wtxid wtxid = {{0}};
    for (uint32_t i = 0; i < 3 * TX_KNOWN_REJECTS_MAX; i++) {
        memcpy(wtxid.b, &i, sizeof i);
        wtxid.b[31] = 1;
        tx_known_refused(&p2p->txs.known, &txid, &wtxid, REJECT_VOUT_EMPTY);
        wtxid.b[31] = 2;
        tx_known_refused(&p2p->txs.known, &txid, &wtxid, REJECT_MIN_RELAY_FEE);
    }
    for (int set = 1; set <= 2; set++) {
        size_t n = 0;
        for (uint32_t i = 0; i < 3 * TX_KNOWN_REJECTS_MAX; i++) {
            memcpy(wtxid.b, &i, sizeof i);
            wtxid.b[31] = (uint8_t)set;
            n += tx_known_is_no_use(&p2p->txs.known, wtxid.b, true);
        }
        assert_in_range(n, TX_KNOWN_REJECTS_MAX, 2 * TX_KNOWN_REJECTS_MAX);
    }
}

TEST(a_block_taken_back_may_be_announced_again, struct fixture *f)
{
    struct p2p *p2p = start(f, 304);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct tx tx = block->block.tx[0];
    tx_known_confirmed(&p2p->txs.known, &tx);
    tx_known_tip_changed(&p2p->txs.known);
    assert_true(tx_known_has(&p2p->txs.known, tx.txid.b, false));
    assert_true(tx_known_has(&p2p->txs.known, tx.wtxid.b, true) == tx.has_witness ||
                memcmp(tx.txid.b, tx.wtxid.b, 32) == 0);
    tx_known_block_disconnected(&p2p->txs.known);
    assert_false(tx_known_has(&p2p->txs.known, tx.txid.b, false));
}
