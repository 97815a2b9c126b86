/* test_send.c - nobody is sent what he does not know, nor more than he reads. */
#include "p2p/session/messages.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* All that a peer of some version is sent, whatever happens, is of names that it knows. */
TEST(messages_go_only_to_versions_that_know_them, struct fixture *f)
{
    static const int32_t versions[] = {31800, 60000, 60001, 70001, 70011, 70012,
                                       70013, 70014, 70015, 70016, 70017};
    uint8_t zeros[8] = {0}, nothing[32] = {1};
    (void)fixture_caller(f, 41);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct raw_peer *raw = raw_connect(&f->mesh, &f->mesh.nodes[0]);
        raw_send_version(raw, SERVICES, versions[i], 5);
        raw_send(raw, "verack", NULL, 0);
        raw_send(raw, "ping", zeros, 8);
        raw_send(raw, "getaddr", NULL, 0);
        raw_send_inv(raw, "getdata", INV_TX, nothing);
        mesh_run(&f->mesh, 130000000);
        for (size_t j = 0; j < raw->n_got; j++) {
            const struct message *message = message_find(messages, raw->got[j].name);
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
}

/* Hazard 51: a peer that asks and does not read has little queued for it. */
TEST(a_peer_that_reads_nothing_has_at_most_a_megabyte_queued, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 30, NULL, NULL);
    mesh_give(a, builder_blocks(&f->builder, f->builder.genesis, 2100, NULL));
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    env_stream_pause(raw->env, raw->stream, true);
    uint8_t locator[4 + 1 + 32 + 32] = {0};
    locator[4] = 1;
    memcpy(locator + 5, f->builder.genesis->block.hash.b, 32);
    for (int i = 0; i < 200; i++)
        raw_send(raw, "getheaders", locator, sizeof locator); /* each answered by 160 kB */
    mesh_run(&f->mesh, 10000000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    size_t taken = SIM_NET_WINDOW_BYTES + SIM_NET_SEGMENT_BYTES;
    assert_in_range(info.bytes_sent, PEER_SEND_QUEUE_PAUSE, PEER_SEND_QUEUE_PAUSE + 200000 + taken);
    /* When it reads again everything comes. */
    env_stream_pause(raw->env, raw->stream, false);
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(raw_count(raw, "headers"), 200);
}
