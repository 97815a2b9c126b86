/* test_datagrams.c - datagrams over loopback, and where the gateway is. */
#include "host/datagrams.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/unit.h"

static void note(void *arg, struct span bytes)
{
    *(size_t *)arg += bytes.len;
}

TEST(a_socket_hears_the_one_that_it_talks_with)
{
    struct loop *loop = loop_new();
    struct datagrams *datagrams = datagrams_new(loop);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from;
    socklen_t len = sizeof at;
    static const struct env_datagram_way bad[] = {
        {.to = "a name", .port = 1},
        {.to = "fe80::1%nolink", .port = 1},
        {.to = "127.0.0.1", .port = 1, .from = "me"},
        {.to = "127.0.0.1", .port = 1, .from = "8.8.8.8"}};
    char address[64];
    uint8_t bytes[16];
    size_t got = 0;
    int error, fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    struct env_datagram_way way = {.to = "127.0.0.1", .port = ntohs(at.sin_port)};
    uint64_t id = datagrams_open(datagrams, &way, note, &got, &error);
    assert_int_equal(error, 0);
    assert_true(datagrams_local(datagrams, id, address, sizeof address));
    assert_string_equal(address, "127.0.0.1");
    datagrams_send(datagrams, id, span_of_string("abc"));
    assert_int_equal(recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &len), 3);
    assert_int_equal(sendto(fd, "defgh", 5, 0, (struct sockaddr *)&from, len), 5);
    while (got == 0)
        assert_true(loop_run_once(loop, true));
    assert_int_equal(got, 5);
    datagrams_close(datagrams, id);
    datagrams_close(datagrams, id); /* gone: nothing */
    datagrams_send(datagrams, id, span_of_string("abc"));
    assert_false(datagrams_local(datagrams, id, address, sizeof address));
    way.from = "127.0.0.2"; /* all of 127.0.0.0/8 is this machine */
    id = datagrams_open(datagrams, &way, note, &got, &error);
    assert_true(datagrams_local(datagrams, id, address, sizeof address));
    assert_string_equal(address, "127.0.0.2");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(datagrams_open(datagrams, &bad[i], note, &got, &error), 0);
        assert_true(error < 0);
    }
    close(fd);
    datagrams_free(datagrams);
    loop_free(loop);
}

TEST(the_gateway_is_that_of_the_default_route)
{
    char address[64];
    assert_true(datagrams_find_gateway("Iface\tDestination\tGateway \tFlags\tRefCnt\n"
                                       "eth0\t0001A8C0\t00000000\t0001\t0\n"
                                       "eth0\t00000000\t00000000\t0001\t0\n"
                                       "eth0\t00000000\t0101A8C0\t0003\t0\n",
                                       address, sizeof address));
    assert_string_equal(address, "192.168.1.1");
    assert_false(datagrams_find_gateway("Iface\nnonsense\n", address, sizeof address));
    assert_false(datagrams_find_gateway("", address, sizeof address));
    assert_false(datagrams_find_gateway("Iface\neth0\t00000000\t0101A8C0\t0002\t0\n", address,
                                        sizeof address));
}

#define ZEROS "00000000000000000000000000000000"
#define REST  " 00000001 00000000 "

TEST(the_gateway_by_ipv6_is_that_of_the_best_default_route)
{
    char address[64];
    assert_true(datagrams_find_gateway6(
        ZEROS " 00 " ZEROS " 00 " ZEROS " ffffffff" REST "00200200       lo\n"
              "20010db8000000000000000000000000 40 " ZEROS " 00 20010db8000000000000000000000001"
              " 00000001" REST "00000003     eth0\n" ZEROS " 00 " ZEROS
              " 00 20010db8000000000000000000000002 00000400" REST "00000003     eth0\n" ZEROS
              " 00 " ZEROS " 00 fe800000000000000000000000000001 00000064" REST
              "00000003     eth1\n" ZEROS " 00 " ZEROS
              " 00 20010db8000000000000000000000003 00000800" REST "00000003     eth0\n",
        address, sizeof address));
    assert_string_equal(address, "fe80::1%eth1");
    assert_false(datagrams_find_gateway6("", address, sizeof address));
    assert_false(datagrams_find_gateway6("\nnonsense\n", address, sizeof address));
    assert_false(datagrams_find_gateway6(ZEROS " 00 " ZEROS " 00 " ZEROS " ffffffff" REST
                                               "00200200       lo\n",
                                         address, sizeof address));
}

static void join(void *arg, const char *address)
{
    strcat(strcat(arg, address), ";");
}

static void expect_no_loopback(void *arg, const char *address)
{
    (void)arg;
    assert_int_not_equal(strncmp(address, "127.", 4), 0);
    assert_string_not_equal(address, "::1");
}

TEST(addresses_of_interfaces_that_are_up_are_ours)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET}, down = v4, loop = v4;
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = {{{0x20, 1, [15] = 5}}}};
    struct sockaddr packet = {.sa_family = AF_PACKET};
    struct ifaddrs list[] = {
        {.ifa_flags = IFF_UP | IFF_LOOPBACK, .ifa_addr = (struct sockaddr *)&loop},
        {.ifa_flags = IFF_UP},
        {.ifa_flags = IFF_UP, .ifa_addr = &packet},
        {.ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)&v4},
        {.ifa_flags = 0, .ifa_addr = (struct sockaddr *)&down},
        {.ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)&v6},
    };
    char got[200] = "";
    v4.sin_addr.s_addr = htonl(0x01020304);
    for (size_t i = 0; i + 1 < COUNT_OF(list); i++)
        list[i].ifa_next = &list[i + 1];
    datagrams_list_addresses(list, join, got);
    assert_string_equal(got, "1.2.3.4;2001::5;");
    datagrams_own_addresses(NULL, expect_no_loopback, NULL);
}
