/* test_sockets.c - addresses are parsed strictly, subnets match by bits, ports exclude each other.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/sockets.h"
#include "support/unit.h"
#include "temp_dir.h"

TEST(numeric_addresses_survive_parsing_and_formatting)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::1", "::1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sockaddr_storage at;
        char text[64];
        assert_true(sockets_parse(rows[i].in, 8333, &at) > 0);
        assert_int_equal(sockets_format((struct sockaddr *)&at, text, sizeof text), 8333);
        assert_string_equal(text, rows[i].out);
    }
}

TEST(names_and_malformed_addresses_are_none)
{
    const char *bad[] = {"localhost", "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "::g", "[::1]"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct sockaddr_storage at;
        assert_int_equal(sockets_parse(bad[i], 1, &at), 0);
    }
}

TEST(hosts_and_ports_are_split)
{
    static const struct {
        const char *in;
        bool ok;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1", true, "127.0.0.1", 9},
        {"127.0.0.1:8332", true, "127.0.0.1", 8332},
        {"::1", true, "::1", 9},
        {"[::1]", true, "::1", 9},
        {"[::1]:1", true, "::1", 1},
        {"localhost:65535", true, "localhost", 65535},
        {"localhost:65536", false, NULL, 0},
        {"localhost:0", false, NULL, 0},
        {"localhost:", false, NULL, 0},
        {"localhost:12x", false, NULL, 0},
        {"localhost:+1", false, NULL, 0},
        {"", false, NULL, 0},
        {":80", false, NULL, 0},
        {"[::1", false, NULL, 0},
        {"[::1]x", false, NULL, 0},
        {"[]:1", false, NULL, 0},
        {"localhost:000080", false, NULL, 0},
        {"this-name-is-far-too-long-for-it", false, NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char host[32];
        uint16_t port = 9;
        assert_int_equal(sockets_split(rows[i].in, host, sizeof host, &port), rows[i].ok);
        if (rows[i].ok) {
            assert_string_equal(host, rows[i].host);
            assert_int_equal(port, rows[i].port);
        }
    }
}

TEST(a_port_can_be_listened_on_once)
{
    int fd = sockets_listen("127.0.0.1", 0);
    assert_true(fd >= 0);
    uint16_t port = sockets_local_port(fd);
    assert_int_not_equal(port, 0);
    assert_int_equal(sockets_listen("127.0.0.1", port), -EADDRINUSE);
    close(fd);
    fd = sockets_listen("127.0.0.1", port);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sockets_listen("localhost", 0), -EINVAL);
    assert_int_equal(sockets_listen("192.0.2.1", 0), -EADDRNOTAVAIL);
    assert_int_equal(sockets_local_port(-1), 0);
}

TEST(subnets_match_by_their_mask)
{
    static const struct {
        const char *subnet, *address;
        bool match;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.0/8", "127.255.255.255", true},
        {"127.0.0.0/8", "128.0.0.0", false},
        {"10.0.0.0/255.255.0.0", "10.0.7.9", true},
        {"10.0.0.0/255.255.0.0", "10.1.0.0", false},
        {"192.168.7.4/30", "192.168.7.7", true},
        {"192.168.7.4/30", "192.168.7.8", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "::1", false},
        {"1.2.3.4/32", "1.2.3.4", true},
        {"::1", "::1", true},
        {"fc00::/7", "fdff::1", true},
        {"fc00::/7", "fe00::1", false},
        {"::/0", "1.2.3.4", false}, /* else it would open a node to all IPv4 */
        {"::/0", "::ffff:1.2.3.4", false},
        {"::/0", "2001:db8::1", true},
        {"::ffff:10.1.2.3", "10.1.2.3", true},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"::/0", "nonsense", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct subnet subnet;
        assert_true(subnet_parse(&subnet, rows[i].subnet));
        assert_int_equal(subnet_contains(&subnet, rows[i].address), rows[i].match);
    }
}

TEST(malformed_subnets_are_refused)
{
    const char *bad[] = {"",
                         "localhost",
                         "1.2.3.4/",
                         "1.2.3.4/33",
                         "1.2.3.4/-1",
                         "::1/129",
                         "::1/255.0.0.0",
                         "1.2.3.4/255.0.255.0",
                         "1.2.3.4/0.0.0.255",
                         "1.2.3.4/8/8",
                         "1.2.3.4/x",
                         "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0001/64"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct subnet subnet;
        assert_false(subnet_parse(&subnet, bad[i]));
    }
}

TEST(a_path_is_as_long_as_a_socket_can_have)
{
    struct sockaddr_storage at;
    char text[5 + 108 + 1] = "unix:";
    memset(text + 5, 'p', 108);
    text[5 + 108] = '\0';
    assert_false(sockets_is_path(text));
    assert_int_equal(sockets_parse_path(text, &at), 0);
    text[5 + 107] = '\0';
    assert_true(sockets_is_path(text));
    assert_true(sockets_parse_path(text, &at) > 0);
    assert_int_equal(at.ss_family, AF_UNIX);
    assert_int_equal(sockets_parse_path("127.0.0.1", &at), 0);
    assert_int_equal(sockets_parse(text, 1, &at), 0);
}

TEST(a_path_is_listened_at_by_one_alone)
{
    struct temp_dir dir;
    struct stat stat;
    temp_dir_make(&dir);
    const char *path = temp_path(&dir, "socket");
    int fd = sockets_listen_path(path, 0640);
    assert_true(fd >= 0);
    assert_int_equal(lstat(path, &stat), 0);
    assert_int_equal(stat.st_mode & 0777, 0640);
    assert_int_equal(sockets_listen_path(path, 0600), -EADDRINUSE);
    close(fd);
    /* What is left over is taken over. */
    fd = sockets_listen_path(path, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(unlink(path), 0);
    temp_write(&dir, "socket", "a file");
    assert_int_equal(sockets_listen_path(path, 0600), -EADDRINUSE);
    temp_dir_remove(&dir);
}

/* Who listens and accepts nobody is there all the same, and is not waited for. */
TEST(a_path_with_a_full_queue_is_in_use)
{
    enum { CALLERS_MAX = 64 };
    struct temp_dir dir;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int caller[CALLERS_MAX], n = 0, rc = 0;
    temp_dir_make(&dir);
    const char *path = temp_path(&dir, "socket");
    size_t len = strlen(path) + 1;
    assert_true(len <= sizeof at.sun_path);
    memcpy(at.sun_path, path, len);
    int fd = sockets_listen_path(at.sun_path, 0600);
    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    while (rc == 0 && n < CALLERS_MAX) {
        caller[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        rc = connect(caller[n++], (const struct sockaddr *)&at, sizeof at);
    }
    assert_int_equal(rc, -1);
    assert_int_equal(errno, EAGAIN);
    alarm(20); /* else the test would wait for ever */
    assert_int_equal(sockets_listen_path(at.sun_path, 0600), -EADDRINUSE);
    alarm(0);
    while (n > 0)
        close(caller[--n]);
    close(fd);
    temp_dir_remove(&dir);
}

TEST(a_path_that_is_too_long_is_refused)
{
    char path[109]; /* one more than there is room for, with its zero */
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(sockets_listen_path(path, 0600), -ENAMETOOLONG);
}
