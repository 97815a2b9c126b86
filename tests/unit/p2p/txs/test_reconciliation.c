/* test_reconciliation.c - BIP330 is agreed on before the verack, or not at all. */
#include "p2p/txs/reconciliation.h"

#include "crypto/hash.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static const struct p2p_options on = {.tx_reconciliation = true};

static struct raw_peer *greet(struct fixture *f, int32_t version)
{
    struct raw_peer *raw = raw_connect(&f->mesh, f->node);
    raw_send_version(raw, SERVICES, version, 5);
    (void)raw_expect(raw, "verack");
    return raw;
}

static void send_offer(struct raw_peer *raw, uint32_t version, uint64_t salt)
{
    uint8_t bytes[12];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, version);
    write_u64(&w, salt);
    raw_send(raw, "sendtxrcncl", bytes, w.len);
    mesh_run(raw->mesh, 200000);
}

static const struct peer_reconciliation *state_of(const struct fixture *f)
{
    return &f->node->p2p->peers_last->reconciliation;
}

TEST(both_derive_the_same_key_from_both_salts, struct fixture *f)
{
    (void)fixture_node(f, 41, &on, NULL);
    struct raw_peer *raw = greet(f, 70016);
    raw->at = 0;
    struct span offer = raw_expect(raw, "sendtxrcncl");
    struct reader r = reader_of(offer);
    assert_int_equal(read_u32(&r), 1);
    uint64_t ours = read_u64(&r), theirs = ours ^ 0x8000000000000000;
    assert_true(reader_finish(&r));
    raw_send(raw, "wtxidrelay", NULL, 0);
    send_offer(raw, 2, theirs); /* a later version means ours */
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&f->mesh, 200000);
    assert_int_equal(state_of(f)->state, RECONCILIATION_AGREED);

    /* SHA256(tag hash twice, the smaller salt, the larger), its first 16 bytes. */
    uint8_t tag[32], in[32 + 32 + 16], hash[32];
    sha256(span_of_string("Tx Relay Salting"), tag);
    struct writer w = writer_to_buffer(in, sizeof in);
    write_bytes(&w, tag, 32);
    write_bytes(&w, tag, 32);
    write_u64(&w, MIN_OF(ours, theirs));
    write_u64(&w, MAX_OF(ours, theirs));
    sha256(span_of(in, sizeof in), hash);
    struct reader h = reader_of(span_of(hash, sizeof hash));
    assert_true(state_of(f)->key.k0 == read_u64(&h));
    assert_true(state_of(f)->key.k1 == read_u64(&h));
}

/* It needs transactions by wtxid, which the peer never asked for. */
TEST(without_wtxidrelay_it_is_forgotten_at_the_verack, struct fixture *f)
{
    (void)fixture_node(f, 42, &on, NULL);
    struct raw_peer *raw = greet(f, 70016);
    send_offer(raw, 1, 7);
    assert_int_equal(state_of(f)->state, RECONCILIATION_AGREED);
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&f->mesh, 200000);
    assert_int_equal(state_of(f)->state, RECONCILIATION_OFF);
    assert_false(raw->is_closed);
}

TEST(who_breaks_the_rules_is_let_go, struct fixture *f)
{
    (void)fixture_node(f, 43, &on, NULL);
    struct raw_peer *low = greet(f, 70016);
    send_offer(low, 0, 7);
    assert_true(low->is_closed);
    struct raw_peer *twice = greet(f, 70016);
    send_offer(twice, 1, 7);
    assert_false(twice->is_closed);
    send_offer(twice, 1, 7);
    assert_true(twice->is_closed);
    struct raw_peer *late = raw_join(&f->mesh, f->node, SERVICES);
    send_offer(late, 1, 7);
    assert_true(late->is_closed);
    /* It was not offered to who is too old for it: that is no fault. */
    struct raw_peer *old = greet(f, 70015);
    assert_int_equal(raw_count(old, "sendtxrcncl"), 0);
    send_offer(old, 1, 7);
    assert_false(old->is_closed);
    assert_int_equal(state_of(f)->state, RECONCILIATION_OFF);
}

TEST(where_it_is_off_it_is_neither_offered_nor_looked_at, struct fixture *f)
{
    (void)fixture_node(f, 44, NULL, NULL);
    struct raw_peer *raw = greet(f, 70016);
    assert_int_equal(raw_count(raw, "sendtxrcncl"), 0);
    send_offer(raw, 0, 7);
    raw_send(raw, "verack", NULL, 0);
    send_offer(raw, 0, 7);
    assert_false(raw->is_closed);
}

TEST(a_node_that_takes_no_transactions_does_not_offer_it, struct fixture *f)
{
    struct p2p_options options = {.tx_reconciliation = true, .blocks_only = true};
    (void)fixture_node(f, 45, &options, NULL);
    struct raw_peer *raw = greet(f, 70016);
    assert_int_equal(raw_count(raw, "sendtxrcncl"), 0);
    send_offer(raw, 1, 7);
    assert_true(raw->is_closed);
}
