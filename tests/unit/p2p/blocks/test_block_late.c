/* test_block_late.c - who owes blocks and does not deliver: both sides of each limit. */
#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "support/frame_header.h"
#include "support/mesh_fixture.h"

#define WAY_US 20000 /* from one to the other */
#define MS     INT64_C(1000)

static int setup(void **state)
{
    (void)mesh_setup(state);
    struct fixture *f = *state;
    struct sim_net_options net = {.latency_min_us = WAY_US, .latency_max_us = WAY_US};
    mesh_init(&f->mesh, 62, &f->builder, &net);
    struct p2p_options options = {.connect_only = true};
    f->node = mesh_add(&f->mesh, &options, NULL);
    f->blocks[0] = builder_block(&f->builder, f->builder.genesis, NULL);
    return 0;
}

FIXTURE(setup, mesh_teardown)

static struct raw_peer *add_inbound(struct fixture *f)
{
    struct raw_peer *raw = raw_connect(&f->mesh, f->node);
    f->raw[f->n_raw++] = raw;
    raw_handshake(raw, SERVICES);
    return raw;
}

static struct raw_peer *add_outbound(struct fixture *f, enum peer_class class)
{
    struct net_address address;
    struct raw_peer *raw = raw_listen(&f->mesh, (uint16_t)(700 + f->n_raw));
    assert_true(net_address_parse("10.9.9.9:700", 0, &address));
    address.port = (uint16_t)(700 + f->n_raw);
    f->raw[f->n_raw++] = raw;
    assert_non_null(dial(f->node->p2p, &address, class, false));
    raw_handshake(raw, SERVICES);
    return raw;
}

/* The node's side of the n-th connection, in the order in which they were made. */
static struct peer *peer_of(struct fixture *f, size_t n)
{
    struct peer *peer = f->node->p2p->peers;
    while (n-- > 0)
        peer = peer->next;
    return peer;
}

static void announce(struct fixture *f, struct raw_peer *raw)
{
    raw_send_headers(raw, f->blocks, 1);
}

/* A block of that many bytes or a little more. */
static const struct built_block *large_block(struct fixture *f, const struct built_block *prev,
                                             size_t bytes)
{
    size_t n = bytes / 70;
    struct tx_out *out = arena_calloc(&f->builder.arena, n, sizeof *out);
    uint8_t *script = arena_calloc(&f->builder.arena, 1, 61);
    script[0] = 0x6a;
    for (size_t i = 0; i < n; i++)
        out[i] = (struct tx_out){.script_pubkey = span_of(script, 61)};
    const struct built_block *tip = builder_blocks(&f->builder, prev, 100, NULL);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(tip, prev->height + 1));
    struct tx *tx = arena_calloc(&f->builder.arena, 1, sizeof *tx);
    *tx = builder_spend(&f->builder, &coin, 1, 1, 0, BUILDER_TRUE);
    tx->out = out;
    tx->n_out = (uint32_t)n;
    tx_finish(tx, &f->builder.arena);
    struct builder_spec spec = {.tx = tx, .n_tx = 1};
    return builder_block(&f->builder, tip, &spec);
}

TEST(a_second_peer_is_asked_after_a_fifth_of_a_second, struct fixture *f)
{
    struct raw_peer *one = add_inbound(f), *two = add_inbound(f);
    announce(f, one);
    announce(f, two);
    (void)raw_expect(one, "getdata");
    mesh_run(&f->mesh, BLOCK_LATE_NEAR_US - 10 * MS);
    assert_int_equal(raw_count(two, "getdata"), 0);
    mesh_run(&f->mesh, BLOCK_LATE_CHECK_US + 10 * MS);
    assert_int_equal(raw_count(two, "getdata"), 1);
    raw_send_block(two, f->blocks[0]);
    assert_true(mesh_wait_tip(&f->mesh, f->blocks[0], 1) >= 0);
    assert_int_equal(raw_count(one, "getdata"), 1);
}

/* Nine tenths of it come at once: the rest seems to take no longer than that, but it dawdles. */
TEST(who_begins_quickly_has_a_fifth_of_a_second_more, struct fixture *f)
{
    const struct built_block *block = large_block(f, f->builder.genesis, 300000);
    mesh_give(f->node, block->prev);
    struct raw_peer *one = add_inbound(f), *two = add_inbound(f);
    raw_send_headers(one, &block, 1);
    raw_send_headers(two, &block, 1);
    (void)raw_expect(one, "getdata");
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_of(header, f->node->network.magic, "block", block->block.raw);
    raw_send_bytes(one, header, sizeof header);
    size_t at = block->block.raw.len * 9 / 10;
    raw_send_bytes(one, block->block.raw.p, at);
    mesh_run(&f->mesh, 2 * BLOCK_LATE_NEAR_US - 2 * WAY_US - 50 * MS);
    assert_int_equal(raw_count(two, "getdata"), 0);
    for (int i = 0; i < 3; i++) {
        raw_send_bytes(one, block->block.raw.p + at, BLOCK_LATE_PROGRESS_BYTES);
        at += BLOCK_LATE_PROGRESS_BYTES;
        mesh_run(&f->mesh, 70 * MS);
    }
    assert_int_equal(raw_count(two, "getdata"), 1);
}

TEST(an_outbound_peer_is_asked_before_all_inbound_ones, struct fixture *f)
{
    struct raw_peer *one = add_inbound(f), *two = add_inbound(f);
    struct raw_peer *three = add_outbound(f, PEER_MANUAL);
    announce(f, one);
    (void)raw_expect(one, "getdata");
    announce(f, two);
    announce(f, three);
    mesh_run(&f->mesh, 350 * MS);
    assert_int_equal(raw_count(three, "getdata"), 1);
    assert_int_equal(raw_count(two, "getdata"), 0);
}

/* So many blocks ahead that nobody is asked for the next one twice. */
TEST(of_what_one_has_not_an_outbound_peer_is_asked_before_inbound_ones, struct fixture *f)
{
    const struct built_block *blocks[BLOCK_LATE_NEAR + 1];
    (void)builder_blocks(&f->builder, f->builder.genesis, COUNT_OF(blocks), blocks);
    struct raw_peer *one = add_inbound(f), *two = add_inbound(f);
    struct raw_peer *three = add_outbound(f, PEER_MANUAL);
    raw_send_headers(one, blocks, COUNT_OF(blocks));
    (void)raw_expect(one, "getdata");
    raw_send_headers(two, blocks, COUNT_OF(blocks));
    raw_send_headers(three, blocks, COUNT_OF(blocks));
    mesh_run(&f->mesh, 2 * WAY_US);
    raw_send_inv(one, "notfound", INV_WITNESS_BLOCK, blocks[0]->block.hash.b);
    mesh_run(&f->mesh, 2 * WAY_US + 10 * MS);
    assert_int_equal(raw_count(three, "getdata"), 1);
    assert_int_equal(raw_count(two, "getdata"), 0);
}

/* One of two that came to us was asked first and has failed: the outbound one is next. */
static void expect_the_outbound_one(struct fixture *f,
                                    void (*end)(struct fixture *, struct raw_peer *))
{
    struct raw_peer *one = add_inbound(f), *two = add_inbound(f);
    struct raw_peer *three = add_outbound(f, PEER_MANUAL);
    announce(f, one);
    (void)raw_expect(one, "getdata");
    announce(f, two);
    announce(f, three);
    mesh_run(&f->mesh, 2 * WAY_US);
    end(f, one);
    mesh_run(&f->mesh, 2 * WAY_US + 10 * MS);
    assert_int_equal(raw_count(three, "getdata"), 1);
    assert_int_equal(raw_count(two, "getdata"), 0);
}

static void leave(struct fixture *f, struct raw_peer *raw)
{
    (void)f;
    env_stream_close(raw->env, raw->stream);
}

static void send_spoiled(struct fixture *f, struct raw_peer *raw)
{
    uint8_t *bad = xmemdup(f->blocks[0]->block.raw.p, f->blocks[0]->block.raw.len);
    bad[f->blocks[0]->block.raw.len - 1] ^= 1;
    raw_send(raw, "block", bad, f->blocks[0]->block.raw.len);
    xfree(bad);
}

TEST(who_leaves_instead_of_delivering_has_failed, struct fixture *f)
{
    expect_the_outbound_one(f, leave);
}

TEST(who_sends_a_spoiled_copy_has_failed, struct fixture *f)
{
    expect_the_outbound_one(f, send_spoiled);
}

/* Both that were asked are inbound; an outbound one has it, too, but only now. */
TEST(one_of_two_is_always_an_outbound_peer_that_has_the_block, struct fixture *f)
{
    struct raw_peer *one = add_inbound(f), *two = add_inbound(f);
    struct raw_peer *three = add_outbound(f, PEER_MANUAL);
    announce(f, one);
    announce(f, two);
    mesh_run(&f->mesh, 400 * MS);
    assert_int_equal(raw_count(one, "getdata") + raw_count(two, "getdata"), 2);
    announce(f, three);
    mesh_run(&f->mesh, 2 * WAY_US + BLOCK_LATE_CHECK_US);
    assert_int_equal(raw_count(three, "getdata"), 1);
}

/* Alone, so that it has the whole time. Bytes after the header of the message count from the
 * block's own header on. */
static void send_part_and_expect(struct fixture *f, size_t bytes, bool stalls)
{
    const struct built_block *large = large_block(f, f->builder.genesis, 20000);
    mesh_give(f->node, large->prev);
    struct raw_peer *one = add_inbound(f);
    raw_send_headers(one, &large, 1);
    (void)raw_expect(one, "getdata");
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_of(header, f->node->network.magic, "block", large->block.raw);
    raw_send_bytes(one, header, sizeof header);
    mesh_run(&f->mesh, 400 * MS);
    assert_false(peer_of(f, 0)->fetch.is_stalled);
    raw_send_bytes(one, large->block.raw.p, bytes);
    mesh_run(&f->mesh, 350 * MS);
    assert_int_equal(peer_of(f, 0)->fetch.is_stalled, stalls);
    raw_send_bytes(one, large->block.raw.p + bytes, large->block.raw.len - bytes);
    assert_true(mesh_wait_tip(&f->mesh, large, 1) >= 0);
    assert_false(peer_of(f, 0)->fetch.is_stalled);
    /* Who was only slow has more time from now on. */
    assert_int_equal(peer_of(f, 0)->fetch.stall_us,
                     stalls ? 2 * BLOCK_LATE_STALL_US : BLOCK_LATE_STALL_US);
}

TEST(six_thousand_bytes_are_progress, struct fixture *f)
{
    send_part_and_expect(f, BLOCK_LATE_PROGRESS_BYTES, false);
}

TEST(a_byte_less_is_silence, struct fixture *f)
{
    send_part_and_expect(f, BLOCK_LATE_PROGRESS_BYTES - 1, true);
}

/* Bytes of a block that nobody asked for are none of what is owed. */
TEST(bytes_of_another_block_are_silence, struct fixture *f)
{
    const struct built_block *large = large_block(f, f->builder.genesis, 20000);
    struct raw_peer *one = add_inbound(f);
    announce(f, one);
    (void)raw_expect(one, "getdata");
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_of(header, f->node->network.magic, "block", large->block.raw);
    raw_send_bytes(one, header, sizeof header);
    raw_send_bytes(one, large->block.raw.p, 3 * BLOCK_LATE_PROGRESS_BYTES);
    mesh_run(&f->mesh, BLOCK_LATE_STALL_US + BLOCK_LATE_CHECK_US);
    assert_true(peer_of(f, 0)->fetch.is_stalled);
}

/* It asks for blocks and does not read them, so it is not read either: it owes, and is silent. */
TEST(a_pause_of_its_own_making_is_silence, struct fixture *f)
{
    const struct built_block *large = large_block(f, f->builder.genesis, 200000);
    const struct built_block *next = builder_block(&f->builder, large, NULL);
    mesh_give(f->node, large);
    struct raw_peer *one = add_inbound(f), *two = add_inbound(f);
    raw_send_headers(one, &next, 1);
    (void)raw_expect(one, "getdata");
    sim_net_set_rate(f->mesh.prober, 50000); /* it reads, but far more slowly than it asks */
    for (int i = 0; i < 40; i++)
        raw_send_inv(one, "getdata", INV_WITNESS_BLOCK, large->block.hash.b);
    mesh_run(&f->mesh, 400 * MS);
    struct peer *peer = peer_of(f, 0);
    assert_true(peer->is_paused && serve_is_busy(peer));
    mesh_run(&f->mesh, BLOCK_LATE_STALL_US);
    assert_true(peer->fetch.is_stalled);
    raw_send_headers(two, &next, 1);
    mesh_run(&f->mesh, 100 * MS);
    assert_int_equal(raw_count(two, "getdata"), 1);
}

/* Blocks that an honest peer was asked for, and delivers one at a time. */
struct server {
    const struct built_block *blocks[400], *asked[400];
    size_t n_asked, n_sent;
};

static void serve_one(struct server *server, struct raw_peer *raw)
{
    struct span payload;
    while ((payload = raw_find(raw, "getdata", 0)).p) {
        struct reader r = reader_of(payload);
        for (size_t n = wire_count_decode(&r, WIRE_INV_MAX, WIRE_INV_BYTES); n > 0; n--) {
            struct wire_inv inv;
            wire_inv_decode(&r, &inv);
            for (size_t i = 0; i < COUNT_OF(server->blocks); i++)
                if (memcmp(server->blocks[i]->block.hash.b, inv.hash, 32) == 0)
                    server->asked[server->n_asked++] = server->blocks[i];
        }
    }
    if (server->n_sent < server->n_asked)
        raw_send_block(raw, server->asked[server->n_sent++]);
}

/* Talks on without delivering. It is asked again after 1, 2, 4, ... seconds, and goes after it has
 * failed so often in a row; one that the user named stays, and one that nobody can replace. */
static void fail_often(struct fixture *f, struct raw_peer *one, bool has_other, bool is_dropped)
{
    static const uint8_t nonce[8] = {1};
    struct raw_peer *two = has_other ? add_inbound(f) : NULL;
    struct server server = {.n_asked = 0};
    size_t n = COUNT_OF(server.blocks);
    (void)builder_blocks(&f->builder, f->builder.genesis, n, server.blocks);
    raw_send_headers(one, server.blocks, n);
    if (two)
        raw_send_headers(two, server.blocks, n);
    int64_t start_us = f->mesh.events.now_us;
    while (f->mesh.events.now_us - start_us < 40000 * MS && !one->is_closed) {
        raw_send(one, "ping", nonce, sizeof nonce);
        /* There always is something to ask for. */
        if (two)
            serve_one(&server, two);
        mesh_run(&f->mesh, 150 * MS);
    }
    assert_int_equal(one->is_closed, is_dropped);
    if (!is_dropped)
        assert_in_range(peer_of(f, 0)->fetch.n_stalls, 4, 20);
}

TEST(who_fails_five_times_in_a_row_is_dropped, struct fixture *f)
{
    fail_often(f, add_inbound(f), true, true);
}

TEST(who_was_named_by_the_user_is_not_dropped, struct fixture *f)
{
    fail_often(f, add_outbound(f, PEER_MANUAL), true, false);
}

TEST(who_cannot_be_replaced_is_not_dropped, struct fixture *f)
{
    fail_often(f, add_inbound(f), false, false);
}

TEST(who_failed_is_not_asked_again_before_all_have, struct fixture *f)
{
    struct raw_peer *raw[3];
    for (size_t i = 0; i < 3; i++) {
        raw[i] = add_inbound(f);
        announce(f, raw[i]);
    }
    static const uint8_t nonce[8] = {1};
    for (int ms = 0; ms < 9000; ms += 200) {
        for (size_t i = 0; i < 3; i++)
            raw_send(raw[i], "ping", nonce, sizeof nonce);
        mesh_run(&f->mesh, 200 * MS);
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(raw_count(raw[i], "getdata"), 1);
    for (int ms = 0; ms < 6000; ms += 200) {
        for (size_t i = 0; i < 3; i++)
            raw_send(raw[i], "ping", nonce, sizeof nonce);
        mesh_run(&f->mesh, 200 * MS);
    }
    size_t again = 0;
    for (size_t i = 0; i < 3; i++)
        again += raw_count(raw[i], "getdata") - 1;
    assert_in_range(again, 1, 3);
}

/* Hazard 59: the copy of one that was tampered with leaves the other one's place alone. */
TEST(a_spoiled_copy_costs_the_other_one_nothing, struct fixture *f)
{
    struct raw_peer *one = add_inbound(f), *two = add_outbound(f, PEER_MANUAL);
    announce(f, one);
    (void)raw_expect(one, "getdata");
    announce(f, two);
    (void)raw_expect(two, "getdata");
    send_spoiled(f, one);
    mesh_run(&f->mesh, 100 * MS);
    assert_int_equal(raw_count(two, "getdata"), 1);
    assert_int_equal(peer_of(f, 0)->fetch.n_in_flight, 1); /* the honest one: the other is gone */
    raw_send_block(two, f->blocks[0]);
    assert_true(mesh_wait_tip(&f->mesh, f->blocks[0], 1) >= 0);
    assert_int_equal(raw_count(two, "getdata"), 1);
}
