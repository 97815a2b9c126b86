/* test_handshake.c - handshakes in any order, ourselves, and what clocks say. */
#include "p2p/session/messages.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(an_inbound_peer_is_greeted_after_it_has_greeted, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 21);
    mesh_run(raw->mesh, 5000000);
    assert_int_equal(raw->n_got, 0); /* who says nothing learns nothing */
    raw_handshake(raw, SERVICES);
    assert_string_equal(raw->got[0].name, "version");
    assert_string_equal(raw->got[1].name, "wtxidrelay");
    assert_string_equal(raw->got[2].name, "sendaddrv2");
    assert_string_equal(raw->got[3].name, "verack");
    assert_int_equal(raw_count(raw, "sendheaders"), 1);
    assert_int_equal(raw_count(raw, "feefilter"), 1);
    assert_int_equal(raw_count(raw, "getheaders"), 1);
}

/* Hazard 42: greetings twice, and everything before its time. */
TEST(greetings_twice_and_messages_too_early_have_no_effect, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 22);
    uint8_t zeros[200] = {0};
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        if (strcmp(messages[i].name, "version") != 0)
            raw_send(raw, messages[i].name, zeros,
                     messages[i].min < sizeof zeros ? messages[i].min : 0);
    mesh_run(raw->mesh, 1000000);
    assert_int_equal(raw->n_got, 0);
    raw_send_version(raw, SERVICES, 70016, 5);
    raw_send_version(raw, NODE_WITNESS, 70015, 6);
    raw_send(raw, "getaddr", NULL, 0);
    raw_send(raw, "ping", zeros, 8);
    mesh_run(raw->mesh, 1000000);
    assert_int_equal(raw_count(raw, "version"), 1);
    assert_int_equal(raw_count(raw, "pong"), 0);
    raw_send(raw, "verack", NULL, 0);
    raw_send(raw, "verack", NULL, 0);
    raw_send(raw, "ping", zeros, 8);
    (void)raw_expect(raw, "pong");
    assert_int_equal(mesh_count_ready(&f->mesh.nodes[0]), 1);
    struct net_peer_info info;
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_true(info.services == SERVICES);
    assert_int_equal(f->mesh.nodes[0].n_peers, 1);
}

TEST(who_does_not_finish_the_handshake_is_dropped_after_a_minute, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 23);
    raw_send_version(raw, SERVICES, 70016, 5);
    mesh_run(raw->mesh, 59000000);
    assert_false(raw->is_closed);
    mesh_run(raw->mesh, 2000000);
    assert_true(raw->is_closed);
}

TEST(too_old_versions_are_refused, struct fixture *f)
{
    static const struct {
        int32_t version;
        bool closed;
    } rows[] = {{31799, true}, {31800, false}, {70001, false}, {-1, true}, {INT32_MAX, false}};
    (void)fixture_caller(f, 26);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct raw_peer *raw = raw_connect(&f->mesh, &f->mesh.nodes[0]);
        raw_send_version(raw, SERVICES, rows[i].version, 9);
        raw_send(raw, "verack", NULL, 0);
        mesh_run(&f->mesh, 500000);
        assert_int_equal(raw->is_closed, rows[i].closed);
        raw_free(raw);
    }
}

TEST(a_connection_to_ourselves_is_noticed, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 27, NULL, NULL);
    assert_int_equal(p2p_try_node(a->p2p, "10.0.1.1:18444", false), NET_RESULT_OK);
    mesh_run(&f->mesh, 2000000);
    assert_int_equal(mesh_count_ready(a), 0);
    struct net_peer_info info;
    assert_false(mesh_peer_info(a, 0, &info));
}

/* The difference to our clock is beyond 64 bits. */
TEST(a_clock_at_the_beginning_of_time_is_only_wrong, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 46);
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    struct wire_version version = {
        .version = WIRE_PROTOCOL_VERSION, .services = SERVICES, .time = INT64_MIN};
    wire_version_encode(&w, &version);
    raw_send(raw, "version", bytes, w.len);
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&f->mesh, 1000000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_true(info.is_ready);
    assert_true(info.time_offset_s == INT64_MIN);
}

/* Hazard 73: peers' clocks do not move ours. */
TEST(wrong_clocks_of_most_peers_lead_to_a_warning_only, struct fixture *f)
{
    struct raw_peer *raw[6];
    char text[6][32];
    const char *nodes[6];
    mesh_init(&f->mesh, 32, &f->builder, NULL);
    sim_env_set_unix_s(f->mesh.prober_sim, 1700000000 + 70 * 60);
    for (uint16_t i = 0; i < 6; i++) {
        raw[i] = raw_listen(&f->mesh, (uint16_t)(1000 + i));
        snprintf(text[i], sizeof text[i], "10.9.9.9:%u", 1000 + i);
        nodes[i] = text[i];
    }
    struct p2p_options options = {.add_nodes = nodes, .n_add_nodes = 6};
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    for (int i = 0; i < 6; i++)
        raw_handshake(raw[i], SERVICES);
    assert_int_equal(a->n_warnings, 1);
    struct p2p_info info;
    p2p_info(a->p2p, &info);
    assert_in_range(info.time_offset_s, 69 * 60, 71 * 60);
    /* A block by our own clock is taken all the same. */
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    mesh_give(a, block);
}
