/* test_receive.c - hostile bytes, turns, and large messages that nobody asked for. */
#include "p2p/session/receive.h"
#include "p2p/state.h"
#include "support/frame_header.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static void put_messages(struct buffer *out, const char *name, size_t n, size_t len)
{
    uint8_t header[FRAME_HEADER_BYTES], *payload = xcalloc(1, len + 1);
    frame_header_of(header, network_find("regtest")->magic, name, span_of(payload, len));
    for (size_t i = 0; i < n; i++) {
        buffer_append(out, header, sizeof header);
        buffer_append(out, payload, len);
    }
    xfree(payload);
}

/* Bytes that the node's only peer sends, as one call brings them. Returns: what waits. */
static size_t bring(struct p2p *p2p, const struct buffer *bytes)
{
    struct peer *peer = p2p->peers;
    p2p_enter(p2p);
    receive_bytes(p2p, peer, buffer_span(bytes));
    size_t waits = peer->waiting.len;
    assert_int_equal(peer->is_paused, waits > 0);
    p2p_leave(p2p);
    return waits;
}

TEST(a_peer_has_so_many_messages_a_turn, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 42);
    raw_handshake(raw, SERVICES);
    struct p2p *p2p = raw->mesh->nodes[0].p2p;
    mesh_run(raw->mesh, 1000000);
    struct buffer all, one;
    buffer_init(&all);
    buffer_init(&one);
    put_messages(&all, "ping", PEER_TURN_MESSAGES, 8);
    put_messages(&one, "ping", 1, 8);
    receive_turn(p2p, p2p->peers);
    assert_int_equal(bring(p2p, &all), 0);
    assert_true(peer_turn_is_over(p2p->peers));
    assert_int_equal(bring(p2p, &one), one.len);
    mesh_run(raw->mesh, 1000000); /* all others have had their turn */
    assert_int_equal(raw_count(raw, "pong"), PEER_TURN_MESSAGES + 1);
    assert_false(p2p->peers->is_paused);
    buffer_deinit(&one);
    buffer_deinit(&all);
}

TEST(a_peer_has_so_many_bytes_a_turn, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 43);
    raw_handshake(raw, SERVICES);
    struct p2p *p2p = raw->mesh->nodes[0].p2p;
    struct buffer most, last, one;
    buffer_init(&most);
    buffer_init(&last);
    buffer_init(&one);
    put_messages(&most, "reject", 63, 4000);
    put_messages(&last, "reject", 1, PEER_TURN_BYTES - most.len - FRAME_HEADER_BYTES);
    put_messages(&one, "reject", 1, 8);
    mesh_run(raw->mesh, 1000000);
    receive_turn(p2p, p2p->peers);
    assert_int_equal(bring(p2p, &most), 0);
    last.len--;
    assert_int_equal(bring(p2p, &last), 0);
    assert_false(peer_turn_is_over(p2p->peers));
    last.p[0] = last.p[last.len]; /* the byte that was held back */
    last.len = 1;
    assert_int_equal(bring(p2p, &last), 0);
    assert_int_equal(p2p->peers->turn_bytes, PEER_TURN_BYTES);
    assert_int_equal(bring(p2p, &one), one.len);
    mesh_run(raw->mesh, 1000000);
    assert_false(p2p->peers->is_paused);
    /* What the peer is sent counts as well: its questions may be short and the answers long. */
    mesh_run(raw->mesh, 1000000);
    uint8_t *zeros = xcalloc(1, PEER_TURN_BYTES);
    receive_turn(p2p, p2p->peers);
    peer_send(p2p, p2p->peers, "inv", span_of(zeros, PEER_TURN_BYTES - FRAME_HEADER_BYTES - 1));
    assert_false(peer_turn_is_over(p2p->peers));
    peer_send(p2p, p2p->peers, "verack", span_of(NULL, 0));
    assert_true(peer_turn_is_over(p2p->peers));
    xfree(zeros);
    buffer_deinit(&one);
    buffer_deinit(&last);
    buffer_deinit(&most);
}

/* clang-format off */
static const struct {
    const char *what, *name;
    size_t len;
    bool ready, closed;
} hostile[] = {
    {"a version cut short", "version", 45, false, false},
    {"a version too long", "version", 513, false, true},
    {"a ping too long", "ping", 65, true, true},
    {"a ping without nonce", "ping", 0, true, false},
    {"an unknown message", "whatever", 100000, true, false},
    {"an empty inv", "inv", 0, true, false},
    {"an inv of nothing", "inv", 1, true, false},
    {"a filter", "filterload", 10, true, true},
    {"the mempool without leave", "mempool", 0, true, true},
    {"wtxidrelay too late", "wtxidrelay", 0, true, true},
    {"sendaddrv2 too late", "sendaddrv2", 0, true, true},
    {"a transaction of nothing", "tx", 60, true, false},
    {"a transaction too short", "tx", 9, true, false},
    {"a locator cut short", "getheaders", 36, true, false},
    {"a verack again", "verack", 0, true, false},
};
/* clang-format on */

TEST(only_what_proves_a_fault_ends_the_connection, struct fixture *f)
{
    uint8_t *zeros = xcalloc(1, 100000);
    (void)fixture_caller(f, 24);
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct raw_peer *raw = raw_connect(&f->mesh, &f->mesh.nodes[0]);
        if (hostile[i].ready)
            raw_handshake(raw, SERVICES);
        raw_send(raw, hostile[i].name, zeros, hostile[i].len);
        mesh_run(&f->mesh, 500000);
        if (raw->is_closed != hostile[i].closed)
            fail_msg("%s: %s", hostile[i].what, raw->is_closed ? "closed" : "not closed");
        raw_free(raw);
    }
    xfree(zeros);
}

TEST(what_cannot_be_decoded_is_passed_over_so_many_times, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 26);
    raw_handshake(raw, SERVICES);
    for (int i = 0; i < PEER_BAD_MESSAGES_MAX; i++)
        raw_send(raw, i % 2 ? "inv" : "tx", "\x05 23456789", i % 2 ? 1 : 9); /* cut short */
    raw_send(raw, "ping", "01234567", 8);
    (void)raw_expect(raw, "pong");
    assert_false(raw->is_closed);
    raw_send(raw, "inv", "\x05", 1);
    mesh_run(&f->mesh, 500000);
    assert_true(raw->is_closed);
}

TEST(bytes_of_another_network_end_the_connection, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 25);
    raw_send_bytes(raw, "GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n", 35);
    mesh_run(raw->mesh, 500000);
    assert_true(raw->is_closed);
}

TEST(announced_bytes_cost_nothing_before_they_come, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 31);
    uint8_t header[FRAME_HEADER_BYTES + 1] = {0};
    raw_handshake(raw, SERVICES);
    frame_header_of(header, f->builder.network.magic, "block", span_of(NULL, 0));
    header[16] = 0, header[17] = 0x09, header[18] = 0x3d, header[19] = 0; /* 4,000,000 */
    raw_send_bytes(raw, header, sizeof header);
    mesh_run(&f->mesh, 1000000);
    assert_false(raw->is_closed);
    assert_in_range(f->node->p2p->peers->frame.capacity, 0, 4096);
    raw_free(raw);
    raw = raw_join(&f->mesh, &f->mesh.nodes[0], SERVICES);
    header[16] = 1; /* one more than allowed */
    raw_send_bytes(raw, header, sizeof header);
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
}

enum { LARGE_BYTES = 3 + 36 * 20000 };

/* A list of what nobody has, with its header; free with xfree(). */
static uint8_t *large_message(const struct fixture *f, size_t len)
{
    uint8_t *message = xcalloc(1, FRAME_HEADER_BYTES + len);
    size_t n = (len - 3) / 36;
    message[FRAME_HEADER_BYTES] = 253;
    message[FRAME_HEADER_BYTES + 1] = n & 0xff;
    message[FRAME_HEADER_BYTES + 2] = (uint8_t)(n >> 8);
    frame_header_of(message, f->builder.network.magic, "inv",
                    span_of(message + FRAME_HEADER_BYTES, len));
    return message;
}

static struct peer *peer_number(struct fixture *f, int n)
{
    struct peer *peer = f->mesh.nodes[0].p2p->peers;
    while (n-- > 0)
        peer = peer->next;
    return peer;
}

/* Those who begin a large message while others are at it lose the message and nothing else. */
TEST(large_messages_are_kept_from_few_at_a_time, struct fixture *f)
{
    enum { N = 12 };
    struct raw_peer *raw[N];
    struct mesh_node *a = fixture_node(f, 33, NULL, NULL);
    uint8_t *message = large_message(f, LARGE_BYTES);
    for (int i = 0; i < N; i++)
        raw[i] = raw_join(&f->mesh, a, SERVICES);
    for (int i = 0; i < N; i++) /* all but the last byte: nobody finishes */
        raw_send_bytes(raw[i], message, FRAME_HEADER_BYTES + LARGE_BYTES - 1);
    mesh_run(&f->mesh, 900000);
    int kept = 0;
    for (int i = 0; i < N; i++) {
        struct peer *peer = peer_number(f, i);
        assert_int_equal(peer->is_large, !peer->frame.is_discarded);
        assert_true(frame_is_open(&peer->frame) && !peer->is_paused);
        assert_true(peer->is_large || peer->frame.capacity == 0);
        kept += peer->is_large;
    }
    assert_int_equal(kept, RECEIVE_LARGE_MAX);
    assert_int_equal(a->p2p->n_large, RECEIVE_LARGE_MAX);
    for (int i = 0; i < N; i++)
        raw_send_bytes(raw[i], message + FRAME_HEADER_BYTES + LARGE_BYTES - 1, 1);
    for (int i = 0; i < N; i++) {
        raw_send(raw[i], "ping", "01234567", 8);
        (void)raw_expect(raw[i], "pong");
        raw_free(raw[i]);
    }
    assert_int_equal(a->p2p->n_large, 0);
    xfree(message);
}

/* Five peers: four have places, with these bytes of theirs here; the fifth begins. Returns: whose
 * message was given up. */
static int give_way(struct fixture *f, const size_t bytes[4], int64_t after_us)
{
    struct raw_peer *raw[5];
    int loser = -1;
    struct mesh_node *a = &f->mesh.nodes[0];
    uint8_t *message = large_message(f, LARGE_BYTES);
    for (int i = 0; i < 5; i++)
        raw[i] = raw_join(&f->mesh, a, SERVICES);
    for (int i = 0; i < 4; i++)
        raw_send_bytes(raw[i], message, FRAME_HEADER_BYTES + bytes[i]);
    mesh_run(&f->mesh, after_us);
    raw_send_bytes(raw[4], message, FRAME_HEADER_BYTES + 5);
    mesh_run(&f->mesh, 200000);
    for (int i = 0; i < 5; i++) {
        if (!peer_number(f, i)->frame.is_discarded)
            continue;
        assert_int_equal(loser, -1);
        loser = i;
    }
    assert_int_equal(a->p2p->n_large, RECEIVE_LARGE_MAX);
    for (int i = 0; i < 5; i++)
        raw_free(raw[i]);
    mesh_run(&f->mesh, 200000);
    assert_int_equal(a->p2p->n_large, 0); /* who goes leaves his place */
    xfree(message);
    return loser;
}

TEST(least_progress_gives_way, struct fixture *f)
{
    static const size_t second[4] = {5000, 100, 90000, 60000};
    static const size_t last[4] = {5000, 6000, 90000, 60};
    mesh_init(&f->mesh, 34, &f->builder, NULL);
    (void)mesh_add(&f->mesh, NULL, NULL);
    /* 20 ms are between the peers and the node. */
    assert_int_equal(give_way(f, second, RECEIVE_LARGE_US - 5000), 4);
    assert_int_equal(give_way(f, second, RECEIVE_LARGE_US + 5000), 1);
    assert_int_equal(give_way(f, last, 10 * RECEIVE_LARGE_US), 3);
}

TEST(a_message_is_large_from_a_named_size_on, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 35);
    raw_handshake(raw, SERVICES);
    for (int more = 0; more < 2; more++) {
        uint8_t *message = large_message(f, RECEIVE_LARGE_BYTES + (size_t)more);
        raw_send_bytes(raw, message, FRAME_HEADER_BYTES + 5);
        mesh_run(&f->mesh, 100000);
        assert_int_equal(peer_number(f, 0)->is_large, more);
        raw_send_bytes(raw, message + FRAME_HEADER_BYTES + 5,
                       RECEIVE_LARGE_BYTES + (size_t)more - 5);
        mesh_run(&f->mesh, 100000);
        xfree(message);
        if (more == 0)
            assert_false(raw->is_closed);
    }
}

/* All places are taken, by peers that are quick; what was asked for is taken all the same. */
TEST(what_was_asked_for_needs_no_place, struct fixture *f)
{
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 110, NULL);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(base, 1));
    struct tx tx = builder_spend(&f->builder, &coin, 1, 1000, 0, BUILDER_LONG);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    const struct built_block *block = builder_block(&f->builder, base, &spec);
    assert_true(block->block.raw.len > RECEIVE_LARGE_BYTES);
    struct raw_peer *honest = fixture_caller(f, 36), *raw[RECEIVE_LARGE_MAX];
    struct mesh_node *a = &f->mesh.nodes[0];
    mesh_give(a, base);
    raw_handshake(honest, SERVICES);
    uint8_t *message = large_message(f, LARGE_BYTES);
    for (int i = 0; i < RECEIVE_LARGE_MAX; i++) {
        raw[i] = raw_join(&f->mesh, a, SERVICES);
        raw_send_bytes(raw[i], message, FRAME_HEADER_BYTES + LARGE_BYTES - 1);
    }
    mesh_run(&f->mesh, 500000);
    assert_int_equal(a->p2p->n_large, RECEIVE_LARGE_MAX);
    raw_send_headers(honest, &block, 1);
    (void)raw_expect(honest, "getdata");
    raw_send_block(honest, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 1) >= 0);
    assert_int_equal(a->p2p->n_large, RECEIVE_LARGE_MAX);
    xfree(message);
}

/* Who is to bring new blocks at once is owed nothing before it does: what it sends encrypted may be
 * one, told by short ids. */
TEST(what_may_be_a_new_block_needs_no_place, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 37);
    raw_handshake(raw, SERVICES);
    struct p2p *p2p = f->mesh.nodes[0].p2p;
    for (int is_high = 0; is_high < 2; is_high++) {
        uint8_t *message = large_message(f, LARGE_BYTES);
        p2p->peers->frame.is_sealed = true;
        p2p->compact_peers.high[0] = p2p->peers->id;
        p2p->compact_peers.n_high = (size_t)is_high;
        raw_send_bytes(raw, message, FRAME_HEADER_BYTES + 5);
        mesh_run(&f->mesh, 100000);
        assert_int_equal(p2p->peers->is_large, !is_high);
        p2p->peers->frame.is_sealed = false;
        raw_send_bytes(raw, message + FRAME_HEADER_BYTES + 5, LARGE_BYTES - 5);
        mesh_run(&f->mesh, 100000);
        xfree(message);
    }
}
