/* test_link_device.c - addresses of nodes, and namespaces where this machine grants them. */
#include "host/link_device.h"

#include <unistd.h>

#include "host/link_pairs.h"
#include "support/unit.h"
#include "util/alloc.h"

TEST(each_node_has_an_address)
{
    char out[LINK_ADDRESS_BYTES];
    assert_string_equal(link_address(0, out), "10.77.0.1");
    assert_string_equal(link_address(254, out), "10.77.0.255");
    assert_string_equal(link_address(255, out), "10.77.1.0");
    assert_string_equal(link_address(LINK_NODES_MAX - 1, out), "10.77.16.0");
}

TEST(packets_say_where_they_go)
{
    uint8_t packet[20] = {0x45, [16] = 10, 77, 1, 0};
    assert_int_equal(link_packet_target(span_of(packet, 20)), 255);
    assert_int_equal(link_packet_target(span_of(packet, 19)), UINT32_MAX);
    packet[18] = 16; /* 10.77.16.0, the last */
    assert_int_equal(link_packet_target(span_of(packet, 20)), LINK_NODES_MAX - 1);
    packet[19] = 1;
    assert_int_equal(link_packet_target(span_of(packet, 20)), UINT32_MAX);
    packet[18] = packet[19] = 0; /* the network itself */
    assert_int_equal(link_packet_target(span_of(packet, 20)), UINT32_MAX);
    packet[18] = 1;
    packet[17] = 78;
    assert_int_equal(link_packet_target(span_of(packet, 20)), UINT32_MAX);
    packet[17] = 77;
    packet[0] = 0x60; /* IPv6 */
    assert_int_equal(link_packet_target(span_of(packet, 20)), UINT32_MAX);
}

static long own_namespace(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/ns/net", out, size - 1);
    assert_true(len > 0);
    out[len] = '\0';
    return len;
}

TEST(a_node_lives_in_a_namespace_of_its_own)
{
    char before[64], after[64], *error = NULL;
    own_namespace(before, sizeof before);
    struct link_device device;
    if (!link_device_open(&device, 5, &error)) {
        print_message("%s\n", error);
        xfree(error);
        skip();
    }
    own_namespace(after, sizeof after);
    assert_string_equal(after, before);
    assert_true(device.tun >= 0 && device.ns >= 0);

    char *path = xasprintf("/proc/self/fd/%d", device.ns);
    assert_int_equal(link_enter(path), 0);
    own_namespace(after, sizeof after);
    assert_string_not_equal(after, before);
    assert_true(link_enter("/nowhere") < 0);
    link_device_close(&device);
    assert_int_equal(device.tun, -1);
    xfree(path);
}
