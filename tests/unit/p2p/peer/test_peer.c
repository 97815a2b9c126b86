/* test_peer.c - handshakes in any order, pings, and queues that stay bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "p2p/p2p_internal.h"
#include "support/mesh.h"
#include "util/alloc.h"

struct fixture {
    struct chain_builder builder;
    struct mesh mesh;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->builder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mesh_deinit(&f->mesh);
    chain_builder_deinit(&f->builder);
    xfree(f);
    return 0;
}

#define SERVICES (NODE_NETWORK | NODE_WITNESS)

static struct raw_peer *start(struct fixture *f, uint64_t seed)
{
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    return raw_connect(&f->mesh, mesh_add(&f->mesh, NULL, NULL));
}

static void an_inbound_peer_is_greeted_after_it_has_greeted(void **state)
{
    struct raw_peer *raw = start(*state, 21);
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
    raw_free(raw);
}

/* Hazard 42: greetings twice, and everything before its time. */
static void greetings_twice_and_messages_too_early_have_no_effect(void **state)
{
    struct fixture *f = *state;
    struct raw_peer *raw = start(f, 22);
    uint8_t zeros[200] = {0};
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        if (strcmp(message_at(i)->name, "version") != 0)
            raw_send(raw, message_at(i)->name, zeros,
                     message_at(i)->min < sizeof zeros ? message_at(i)->min : 0);
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
    struct p2p_peer_info info;
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_true(info.services == SERVICES);
    assert_int_equal(f->mesh.nodes[0].n_peers, 1);
    raw_free(raw);
}

static void who_does_not_finish_the_handshake_is_dropped_after_a_minute(void **state)
{
    struct raw_peer *raw = start(*state, 23);
    raw_send_version(raw, SERVICES, 70016, 5);
    mesh_run(raw->mesh, 59000000);
    assert_false(raw->is_closed);
    mesh_run(raw->mesh, 2000000);
    assert_true(raw->is_closed);
    raw_free(raw);
}

/* All that a peer of some version is sent, whatever happens, is of names that it knows. */
static void messages_go_only_to_versions_that_know_them(void **state)
{
    struct fixture *f = *state;
    static const int32_t versions[] = {31800, 60000, 60001, 70001, 70011, 70012,
                                       70013, 70014, 70015, 70016, 70017};
    uint8_t zeros[8] = {0}, nothing[32] = {1};
    struct raw_peer *first = start(f, 41);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct raw_peer *raw = raw_connect(&f->mesh, &f->mesh.nodes[0]);
        raw_send_version(raw, SERVICES, versions[i], 5);
        raw_send(raw, "verack", NULL, 0);
        raw_send(raw, "ping", zeros, 8);
        raw_send(raw, "getaddr", NULL, 0);
        raw_send_inv(raw, "getdata", INV_TX, nothing);
        mesh_run(&f->mesh, 130000000);
        for (size_t j = 0; j < raw->n_got; j++) {
            const struct message *message = message_find(raw->got[j].name);
            assert_non_null(message);
            if (message->since > versions[i])
                fail_msg("%s to version %d", message->name, versions[i]);
        }
        assert_int_equal(raw_count(raw, "pong"), versions[i] >= 60001);
        assert_int_equal(raw_count(raw, "sendheaders"), versions[i] >= 70012);
        assert_int_equal(raw_count(raw, "feefilter"), versions[i] >= 70013);
        assert_int_equal(raw_count(raw, "wtxidrelay"), versions[i] >= 70016);
        assert_int_equal(raw_count(raw, "sendaddrv2"), versions[i] >= 70016);
        assert_true(raw_count(raw, "ping") >= 2);
        raw_free(raw);
    }
    raw_free(first);
}

static void too_old_versions_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int32_t version;
        bool closed;
    } rows[] = {{31799, true}, {31800, false}, {70001, false}, {-1, true}, {INT32_MAX, false}};
    struct raw_peer *first = start(f, 26);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct raw_peer *raw = raw_connect(&f->mesh, &f->mesh.nodes[0]);
        raw_send_version(raw, SERVICES, rows[i].version, 9);
        raw_send(raw, "verack", NULL, 0);
        mesh_run(&f->mesh, 500000);
        assert_int_equal(raw->is_closed, rows[i].closed);
        raw_free(raw);
    }
    raw_free(first);
}

static void a_connection_to_ourselves_is_noticed(void **state)
{
    struct fixture *f = *state;
    mesh_init(&f->mesh, 27, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    assert_int_equal(p2p_try_node(a->p2p, "10.0.1.1:18444"), P2P_OK);
    mesh_run(&f->mesh, 2000000);
    assert_int_equal(mesh_count_ready(a), 0);
    struct p2p_peer_info info;
    assert_false(mesh_peer_info(a, 0, &info));
}

static void pings_are_answered_and_measured(void **state)
{
    struct fixture *f = *state;
    struct raw_peer *raw = start(f, 28);
    raw_handshake(raw, SERVICES);
    raw_send(raw, "ping", "ABCDEFGH", 8);
    struct span pong = raw_expect(raw, "pong");
    assert_int_equal(pong.len, 8);
    assert_memory_equal(pong.p, "ABCDEFGH", 8);
    mesh_run(&f->mesh, 1000000);
    struct p2p_peer_info info;
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_in_range(info.min_ping_us, 40000, 41000);
    assert_int_equal(info.ping_wait_us, -1);
    /* Again after two minutes; a wrong nonce is no answer. */
    size_t n = raw_count(raw, "ping");
    raw->is_silent = true;
    mesh_run(&f->mesh, 121000000);
    assert_int_equal(raw_count(raw, "ping"), n + 1);
    raw_send(raw, "pong", "ABCDEFGH", 8);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_true(info.ping_wait_us > 0);
    raw_free(raw);
}

/* What came before a ping has been dealt with when its pong comes, also what other threads do. */
static void a_pong_comes_after_the_answer_to_what_came_before(void **state)
{
    struct fixture *f = *state;
    enum { PINGS = 2 * PEER_HELD_PINGS_MAX };
    struct raw_peer *raw = start(f, 31);
    struct mesh_node *a = &f->mesh.nodes[0];
    raw_handshake(raw, SERVICES);
    const struct built_block *next = builder_block(&f->builder, f->builder.genesis, NULL);
    raw_send_block(raw, next);
    raw_send(raw, "ping", "ABCDEFGH", 8);
    const struct p2p_message_bytes *pongs =
        &a->p2p->peers->per_message[message_index(message_find("pong"))];
    for (int i = 0; i < 10000 && pongs->sent == 0; i++)
        mesh_run(&f->mesh, 10);
    assert_true(pongs->sent > 0);
    assert_true(mesh_is_at(a, next));
    (void)raw_expect(raw, "pong");
    /* Many at once, in order. */
    next = builder_block(&f->builder, next, NULL);
    raw_send_block(raw, next);
    for (uint64_t i = 0; i < PINGS; i++)
        raw_send(raw, "ping", &i, sizeof i);
    for (uint64_t i = 0; i < PINGS; i++)
        assert_memory_equal(raw_expect(raw, "pong").p, &i, sizeof i);
    assert_true(mesh_is_at(a, next));
    raw_free(raw);
}

static void a_ping_waits_for_ten_seconds_at_most(void **state)
{
    struct fixture *f = *state;
    struct raw_peer *raw = start(f, 32);
    raw_handshake(raw, SERVICES);
    struct peer *peer = f->mesh.nodes[0].p2p->peers;
    peer->fetch.n_undecided++; /* something that takes for ever */
    raw_send(raw, "ping", "ABCDEFGH", 8);
    assert_null(raw_find(raw, "pong", PEER_HELD_PING_US - 1000000).p);
    assert_non_null(raw_find(raw, "pong", 2000000).p);
    peer->fetch.n_undecided--;
    raw_free(raw);
}

static void a_peer_that_answers_no_ping_is_gone_after_twenty_minutes(void **state)
{
    struct fixture *f = *state;
    struct raw_peer *raw = start(f, 29);
    raw->is_silent = true;
    raw_handshake(raw, SERVICES);
    mesh_run(&f->mesh, INT64_C(1190) * 1000000);
    assert_false(raw->is_closed);
    mesh_run(&f->mesh, INT64_C(140) * 1000000);
    assert_true(raw->is_closed);
    raw_free(raw);
}

/* Hazard 51: a peer that asks and does not read has little queued for it. */
static void a_peer_that_reads_nothing_has_at_most_a_megabyte_queued(void **state)
{
    struct fixture *f = *state;
    mesh_init(&f->mesh, 30, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, builder_blocks(&f->builder, f->builder.genesis, 2100, NULL));
    struct raw_peer *raw = raw_connect(&f->mesh, a);
    raw_handshake(raw, SERVICES);
    env_stream_pause(raw->env, raw->stream, true);
    uint8_t locator[4 + 1 + 32 + 32] = {0};
    locator[4] = 1;
    memcpy(locator + 5, f->builder.genesis->block.hash.b, 32);
    for (int i = 0; i < 200; i++)
        raw_send(raw, "getheaders", locator, sizeof locator); /* each answered by 160 kB */
    mesh_run(&f->mesh, 10000000);
    struct p2p_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    size_t taken = SIM_NET_WINDOW_BYTES + SIM_NET_SEGMENT_BYTES;
    assert_in_range(info.bytes_sent, PEER_SEND_QUEUE_PAUSE, PEER_SEND_QUEUE_PAUSE + 200000 + taken);
    /* When it reads again everything comes. */
    env_stream_pause(raw->env, raw->stream, false);
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(raw_count(raw, "headers"), 200);
    raw_free(raw);
}

/* Hazard 46, on a whole node. */
/* The difference to our clock is beyond 64 bits. */
static void a_clock_at_the_beginning_of_time_is_only_wrong(void **state)
{
    struct fixture *f = *state;
    struct raw_peer *raw = start(f, 46);
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    struct wire_version version = {
        .version = WIRE_PROTOCOL_VERSION, .services = SERVICES, .time = INT64_MIN};
    wire_version_encode(&w, &version);
    raw_send(raw, "version", bytes, w.len);
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&f->mesh, 1000000);
    struct p2p_peer_info info;
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_true(info.is_ready);
    assert_true(info.time_offset_s == INT64_MIN);
    raw_free(raw);
}

/* Hazard 73: peers' clocks do not move ours. */
static void wrong_clocks_of_most_peers_lead_to_a_warning_only(void **state)
{
    struct fixture *f = *state;
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
    for (int i = 0; i < 6; i++)
        raw_free(raw[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_inbound_peer_is_greeted_after_it_has_greeted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(greetings_twice_and_messages_too_early_have_no_effect,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(who_does_not_finish_the_handshake_is_dropped_after_a_minute,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(messages_go_only_to_versions_that_know_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(too_old_versions_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_to_ourselves_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(pings_are_answered_and_measured, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pong_comes_after_the_answer_to_what_came_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_ping_waits_for_ten_seconds_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_answers_no_ping_is_gone_after_twenty_minutes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_reads_nothing_has_at_most_a_megabyte_queued,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_at_the_beginning_of_time_is_only_wrong, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(wrong_clocks_of_most_peers_lead_to_a_warning_only, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
