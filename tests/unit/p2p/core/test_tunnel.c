/* test_tunnel.c - peers through a proxy: named and numbered, refused, slow, forgotten. */
#include "p2p/core/tunnel.h"

#include "p2p/state.h"
#include "support/byte_peer.h"
#include "support/mesh_fixture.h"

#define SECOND     INT64_C(1000000)
#define PROXY_PORT 9050

static const struct reach_order proxy = {.address = BYTE_PEER_ADDRESS, .port = PROXY_PORT};
static const struct p2p_options through_proxy = {
    .connect_only = true,
    .reach = {.proxies = {[NET_IPV4] = {.address = BYTE_PEER_ADDRESS, .port = PROXY_PORT},
                          [NET_TORV3] = {.address = BYTE_PEER_ADDRESS, .port = PROXY_PORT}},
              .name_proxy = {.address = BYTE_PEER_ADDRESS, .port = PROXY_PORT}}};

/* A mesh whose node knows the proxy. */
struct world {
    struct fixture f;
    struct byte_peer proxy;
};

static int setup(void **state)
{
    (void)mesh_setup_as(state, sizeof(struct world));
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    byte_peer_close(&w->proxy);
    return mesh_teardown(state);
}

FIXTURE(setup, teardown)

static struct p2p *start(struct world *w, uint64_t seed, const struct p2p_options *options)
{
    struct p2p *p2p = fixture_node(&w->f, seed, options, NULL)->p2p;
    byte_peer_listen(&w->proxy, &w->f.mesh, PROXY_PORT);
    return p2p;
}

/* The proxy hears that name and port, and connects. */
static void connect_through(struct world *w, size_t stream, const char *host, uint16_t port)
{
    uint8_t request[4 + 1 + 255 + 2] = {5, 1, 0, 3, (uint8_t)strlen(host)};
    size_t len = strlen(host);
    memcpy(request + 5, host, len);
    request[5 + len] = (uint8_t)(port >> 8);
    request[6 + len] = (uint8_t)port;
    byte_peer_expect(&w->proxy, stream, "\x05\x01\x00", 3);
    byte_peer_send(&w->proxy, stream, "\x05\x00", 2);
    byte_peer_expect(&w->proxy, stream, request, len + 7);
    byte_peer_send(&w->proxy, stream, "\x05\x00\x00\x01\0\0\0\0\0\0", 10);
}

static void expect_version(struct world *w, size_t stream)
{
    struct buffer *got = &w->proxy.streams[stream].got;
    mesh_run(&w->f.mesh, SECOND);
    assert_true(got->len > 24);
    assert_memory_equal(got->p + 4, "version\0\0\0\0\0", 12);
}

TEST(an_address_is_dialled_through_the_proxy, struct world *w)
{
    struct p2p *p2p = start(w, 11, &through_proxy);
    struct net_peer_info info;
    assert_int_equal(p2p_try_node(p2p, "15.61.23.23:1234", false), NET_RESULT_OK);
    connect_through(w, 0, "15.61.23.23", 1234);
    expect_version(w, 0);
    assert_true(mesh_peer_info(w->f.node, 0, &info));
    assert_string_equal(p2p->peers->text, "15.61.23.23:1234");
    assert_string_equal(info.network, "ipv4");
}

TEST(a_name_is_never_looked_up_past_the_proxy, struct world *w)
{
    struct p2p *p2p = start(w, 12, &through_proxy);
    struct net_peer_info info;
    assert_int_equal(p2p_try_node(p2p, "node.noumenon:8333", false), NET_RESULT_OK);
    connect_through(w, 0, "node.noumenon", 8333);
    expect_version(w, 0);
    assert_true(mesh_peer_info(w->f.node, 0, &info));
    assert_string_equal(p2p->peers->text, "node.noumenon:8333");
    assert_string_equal(info.network, "not_publicly_routable");
    assert_int_equal(p2p_disconnect_address(p2p, "node.noumenon:8333"), NET_RESULT_OK);
    assert_int_equal(address_book_count(p2p->book), 0);
}

TEST(a_name_that_does_not_fit_is_not_told, struct world *w)
{
    char name[SOCKS5_TEXT_MAX + 2];
    struct p2p *p2p = start(w, 13, &through_proxy);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(p2p_try_node(p2p, name, false), NET_RESULT_OK);
    mesh_run(&w->f.mesh, SECOND);
    assert_int_equal(w->proxy.n_streams, 0);
    name[SOCKS5_TEXT_MAX] = '\0';
    assert_int_equal(p2p_try_node(p2p, name, false), NET_RESULT_OK);
    connect_through(w, 0, name, p2p->network->p2p_port);
    expect_version(w, 0);
}

TEST(a_malformed_onion_name_is_told_to_nobody, struct world *w)
{
    struct p2p *p2p = start(w, 14, &through_proxy);
    assert_int_equal(p2p_try_node(p2p, "abc.onion", false), NET_RESULT_OK);
    mesh_run(&w->f.mesh, 5 * SECOND);
    assert_int_equal(w->proxy.n_streams, 0);
}

TEST(each_connection_has_credentials_of_its_own, struct world *w)
{
    struct p2p_options options = {.connect_only = true, .reach = {.name_proxy = proxy}};
    uint8_t first[64];
    options.reach.name_proxy.randomizes = true;
    struct p2p *p2p = start(w, 15, &options);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(p2p_try_node(p2p, i == 0 ? "a.b" : "c.d", false), NET_RESULT_OK);
        byte_peer_expect(&w->proxy, i, "\x05\x02\x00\x02", 4);
        byte_peer_send(&w->proxy, i, "\x05\x02", 2);
        mesh_run(&w->f.mesh, SECOND);
        struct buffer *got = &w->proxy.streams[i].got;
        size_t len = got->p[1];
        assert_int_equal(got->len, 3 + 2 * len);
        assert_memory_equal(got->p + 2, got->p + 3 + len, len);
        if (i == 0)
            memcpy(first, got->p + 2, len);
        else
            assert_memory_not_equal(first, got->p + 2, len);
    }
}

/* Bytes of the peer may come with the proxy's last ones. */
TEST(what_follows_the_answer_is_the_peers, struct world *w)
{
    struct p2p *p2p = start(w, 16, &through_proxy);
    assert_int_equal(p2p_try_node(p2p, "15.61.23.23:1", false), NET_RESULT_OK);
    byte_peer_expect(&w->proxy, 0, "\x05\x01\x00", 3);
    byte_peer_send(&w->proxy, 0,
                   "\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0and what is no message of a peer", 44);
    byte_peer_await_close(&w->proxy, 0);
    assert_null(p2p->peers);
}

TEST(a_proxy_that_refuses_or_hangs_up_ends_the_attempt, struct world *w)
{
    struct p2p *p2p = start(w, 17, &through_proxy);
    assert_int_equal(p2p_try_node(p2p, "15.61.23.23:1", false), NET_RESULT_OK);
    byte_peer_expect(&w->proxy, 0, "\x05\x01\x00", 3);
    byte_peer_send(&w->proxy, 0, "\x05\xff", 2);
    byte_peer_await_close(&w->proxy, 0);
    assert_int_equal(p2p_try_node(p2p, "15.61.23.23:1", false), NET_RESULT_OK);
    byte_peer_await(&w->proxy, 2);
    env_stream_close(w->proxy.env, w->proxy.streams[1].id);
    mesh_run(&w->f.mesh, SECOND);
    assert_null(p2p->peers);
}

TEST(each_answer_has_its_time, struct world *w)
{
    struct p2p *p2p = start(w, 18, &through_proxy);
    assert_int_equal(p2p_try_node(p2p, "15.61.23.23:1", false), NET_RESULT_OK);
    byte_peer_expect(&w->proxy, 0, "\x05\x01\x00", 3);
    mesh_run(&w->f.mesh, TUNNEL_ANSWER_US - SECOND);
    assert_non_null(p2p->peers);
    byte_peer_send(&w->proxy, 0, "\x05\x00", 2);
    mesh_run(&w->f.mesh, TUNNEL_ANSWER_US - SECOND);
    assert_non_null(p2p->peers);
    mesh_run(&w->f.mesh, 2 * SECOND);
    assert_null(p2p->peers);
}

/* Who cannot be seen behind a proxy that is not there is not worse for it. */
TEST(a_proxy_that_is_not_there_says_nothing_of_the_address, struct world *w)
{
    struct p2p *p2p = start(w, 19, &through_proxy);
    struct net_peer_address address = {.services = SERVICES, .time = (uint32_t)p2p_now_s(p2p)};
    struct address_entry entry;
    size_t at = 0;
    assert_true(net_address_parse("15.61.23.23:1", 0, &address.at));
    assert_true(address_book_add(p2p->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0,
                                 p2p_now_s(p2p)));
    byte_peer_close(&w->proxy);
    assert_int_equal(p2p_try_node(p2p, "15.61.23.23:1", false), NET_RESULT_OK);
    mesh_run(&w->f.mesh, 10 * SECOND);
    assert_true(address_book_next(p2p->book, &at, &entry));
    assert_int_equal(entry.last_try_s, 0);
}
