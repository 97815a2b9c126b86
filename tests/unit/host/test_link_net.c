/* test_link_net.c - what becomes of the packets of a node. */
#include "host/link_net.h"

#include <fcntl.h>
#include <unistd.h>

#include "support/unit.h"
#include "util/alloc.h"

/* Two nodes whose devices are pipes. */
struct rig {
    struct link_net net;
    int from_net; /* what node 1 receives */
    int to_net;   /* what node 0 sends */
};

static int setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    link_net_init(&rig->net, 1, -1);
    int sent[2], received[2];
    assert_int_equal(pipe2(sent, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipe2(received, O_NONBLOCK | O_CLOEXEC), 0);
    rig->net.devices[0].tun = sent[0];
    rig->net.devices[1].tun = received[1];
    rig->net.n_nodes = 2;
    rig->to_net = sent[1];
    rig->from_net = received[0];
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    link_net_deinit(&rig->net);
    close(rig->to_net);
    close(rig->from_net);
    xfree(rig);
    return 0;
}

FIXTURE(setup, teardown)

#define PACKET_BYTES 40

static void make_packet(uint8_t packet[PACKET_BYTES], uint8_t to)
{
    memset(packet, 0, PACKET_BYTES);
    packet[0] = 0x45;
    packet[16] = 10;
    packet[17] = 77;
    packet[19] = (uint8_t)(to + 1);
}

TEST(a_packet_arrives_whole_and_late, struct rig *rig)
{
    uint8_t packet[PACKET_BYTES], got[100];
    make_packet(packet, 1);
    packet[39] = 99;
    link_pairs_set_all(rig->net.pairs, &(struct link_rule){.delay_us = 700});
    assert_int_equal(write(rig->to_net, packet, sizeof packet), PACKET_BYTES);
    link_net_read(&rig->net, 0, 1000);
    assert_int_equal(link_net_deliver(&rig->net, 1699), 1700);
    assert_int_equal(read(rig->from_net, got, sizeof got), -1);
    assert_int_equal(link_net_deliver(&rig->net, 1700), -1);
    assert_int_equal(read(rig->from_net, got, sizeof got), PACKET_BYTES);
    assert_memory_equal(got, packet, PACKET_BYTES);
    assert_int_equal(rig->net.counts.passed, 1);
    assert_int_equal(rig->net.counts.passed_bytes, PACKET_BYTES);
}

TEST(what_does_not_pass_is_counted, struct rig *rig)
{
    uint8_t packet[PACKET_BYTES];
    make_packet(packet, 9); /* who is not there */
    link_net_carry(&rig->net, 0, span_of(packet, sizeof packet), 0);
    assert_int_equal(rig->net.counts.cut, 1);
    make_packet(packet, 1);
    link_pairs_group(rig->net.pairs, 1, 1);
    link_net_carry(&rig->net, 0, span_of(packet, sizeof packet), 0);
    assert_int_equal(rig->net.counts.cut, 2);
    link_pairs_heal(rig->net.pairs);
    link_pairs_set_all(rig->net.pairs, &(struct link_rule){.loss_ppm = LINK_LOSS_PPM_MAX});
    link_net_carry(&rig->net, 0, span_of(packet, sizeof packet), 0);
    assert_int_equal(rig->net.counts.lost, 1);
    link_pairs_set_all(rig->net.pairs, &(struct link_rule){0});
    rig->net.queue.bytes = LINK_QUEUE_BYTES_MAX;
    link_net_carry(&rig->net, 0, span_of(packet, sizeof packet), 0);
    assert_int_equal(rig->net.counts.full, 1);
    packet[0] = 0x60; /* IPv6 is not ours */
    link_net_carry(&rig->net, 0, span_of(packet, sizeof packet), 0);
    assert_int_equal(rig->net.counts.passed + rig->net.counts.cut, 2);
    rig->net.queue.bytes = 0;
}

TEST(packets_for_who_has_left_are_dropped, struct rig *rig)
{
    uint8_t packet[PACKET_BYTES];
    make_packet(packet, 1);
    link_net_carry(&rig->net, 0, span_of(packet, sizeof packet), 0);
    link_net_remove(&rig->net, 1);
    assert_false(link_net_has(&rig->net, 1));
    assert_int_equal(rig->net.n_nodes, 1);
    assert_int_equal(link_net_deliver(&rig->net, 0), -1);
}
