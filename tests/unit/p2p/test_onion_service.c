/* test_onion_service.c - the onion service comes, is advertised, kept over a restart, and goes. */
#include "p2p/onion_service.h"

#include "p2p/state.h"
#include "support/byte_peer.h"
#include "support/mesh_fixture.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define SECOND  INT64_C(1000000)
#define CONTROL 9051
#define SERVICE "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"

static const struct p2p_options with_tor = {.listen = true,
                                            .connect_only = true,
                                            .port = MESH_PORT,
                                            .data_dir = "data",
                                            .onion = {.control_address = BYTE_PEER_ADDRESS,
                                                      .control_port = CONTROL,
                                                      .asks_for_proxy = true}};

/* A mesh whose node knows Tor. */
struct world {
    struct fixture f;
    struct byte_peer tor;
};

static int setup(void **state)
{
    struct world *w = mesh_setup_as(state, sizeof *w);
    mesh_init(&w->f.mesh, 7, &w->f.builder, NULL);
    byte_peer_listen(&w->tor, &w->f.mesh, CONTROL);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    byte_peer_close(&w->tor);
    return mesh_teardown(state);
}

FIXTURE(setup, teardown)

static struct p2p *start(struct world *w, const struct p2p_options *options)
{
    w->f.node = mesh_add(&w->f.mesh, options, NULL);
    assert_int_equal(env_make_dir(w->f.node->p2p->env, "data"), 0);
    return w->f.node->p2p;
}

static struct p2p *start_another(struct world *w, const struct p2p_options *options)
{
    return mesh_add(&w->f.mesh, options, NULL)->p2p;
}

static void expect_line(struct world *w, size_t stream, const char *want)
{
    assert_string_equal(byte_peer_line(&w->tor, stream), want);
}

static void make_service(struct world *w, size_t stream, const char *key)
{
    char want[200];
    expect_line(w, stream, "PROTOCOLINFO 1");
    byte_peer_say(&w->tor, stream, "250-AUTH METHODS=NULL\r\n250 OK\r\n");
    expect_line(w, stream, "AUTHENTICATE");
    byte_peer_say(&w->tor, stream, "250 OK\r\n");
    expect_line(w, stream, "GETINFO net/listeners/socks");
    snprintf(want, sizeof want, "ADD_ONION %s PoWDefensesEnabled=1 Port=18444,127.0.0.1:18445",
             key);
    expect_line(w, stream, want);
    byte_peer_say(&w->tor, stream,
                  "250-net/listeners/socks=\"127.0.0.1:9150\"\r\n250 OK\r\n"
                  "250-ServiceID=" SERVICE "\r\n"
                  "250-PrivateKey=ED25519-V3:thekey=\r\n250 OK\r\n");
    mesh_run(&w->f.mesh, SECOND);
}

TEST(a_service_is_made_and_advertised, struct world *w)
{
    struct p2p *p2p = start(w, &with_tor);
    char text[NET_ADDRESS_TEXT_MAX];
    assert_false(reach_has_network(&p2p->reach, NET_TORV3));
    make_service(w, 0, "NEW:ED25519-V3");
    assert_int_equal(p2p->local.n, 1);
    assert_string_equal(net_address_format(&p2p->local.at[0].at, text), SERVICE ".onion:18444");
    assert_true(reach_has_network(&p2p->reach, NET_TORV3));
    assert_int_equal(p2p->reach.by_network[NET_TORV3].port, 9150);
    assert_true(p2p->reach.by_network[NET_TORV3].randomizes);
}

TEST(the_address_goes_with_the_stream_and_comes_again, struct world *w)
{
    struct p2p *p2p = start(w, &with_tor);
    make_service(w, 0, "NEW:ED25519-V3");
    env_stream_close(w->tor.env, w->tor.streams[0].id);
    mesh_run(&w->f.mesh, SECOND / 2);
    assert_int_equal(p2p->local.n, 0);
    byte_peer_await(&w->tor, 2);
    make_service(w, 1, "ED25519-V3:thekey=");
    assert_int_equal(p2p->local.n, 1);
}

TEST(what_the_user_names_stays_when_the_service_goes, struct world *w)
{
    static const char *const external[] = {SERVICE ".onion"};
    struct p2p_options options = with_tor;
    options.reach.proxies[NET_TORV3] =
        (struct reach_order){.address = BYTE_PEER_ADDRESS, .port = CONTROL + 1};
    options.external = external;
    options.n_external = 1;
    struct p2p *p2p = start(w, &options);
    assert_int_equal(p2p->local.n, 1);
    make_service(w, 0, "NEW:ED25519-V3");
    assert_int_equal(p2p->local.n, 1);
    env_stream_close(w->tor.env, w->tor.streams[0].id);
    mesh_run(&w->f.mesh, SECOND / 2);
    assert_int_equal(p2p->onion.address.network, NET_NONE);
    assert_int_equal(p2p->local.n, 1);
}

/* Another process finds the key where this one has left it. */
TEST(the_key_outlives_the_process, struct world *w)
{
    struct buffer bytes;
    const struct env *env;
    struct p2p *p2p = start(w, &with_tor);
    env = p2p->env;
    make_service(w, 0, "NEW:ED25519-V3");
    buffer_init(&bytes);
    assert_int_equal(read_file(env, "data/" ONION_KEY_FILE, TOR_TEXT_MAX, &bytes), 0);
    assert_int_equal(bytes.len, strlen("ED25519-V3:thekey="));
    assert_memory_equal(bytes.p, "ED25519-V3:thekey=", bytes.len);
    buffer_deinit(&bytes);
    onion_service_stop(&p2p->onion);
    assert_int_equal(replace_file(env, "data/" ONION_KEY_FILE, span_of_string("ED25519-V3:other")),
                     0);
    onion_service_start(&p2p->onion, p2p);
    make_service(w, 1, "ED25519-V3:other");
}

static void expect_file(const struct env *env, const char *text, size_t len)
{
    struct buffer bytes;
    buffer_init(&bytes);
    assert_int_equal(read_file(env, "data/" ONION_KEY_FILE, INT64_C(1) << 20, &bytes), 0);
    assert_int_equal(bytes.len, len);
    assert_memory_equal(bytes.p, text, len);
    buffer_deinit(&bytes);
}

/* Who has that key is who others know: it is not thrown away for what may be mended. */
TEST(a_key_that_cannot_be_read_is_left_alone, struct world *w)
{
    static const char two_lines[] = "ED25519-V3:one\nED25519-V3:two";
    static char long_one[TOR_TEXT_MAX + 1];
    struct p2p *p2p = start(w, &with_tor);
    const struct env *env = p2p->env;
    assert_int_equal(replace_file(env, "data/" ONION_KEY_FILE, span_of_string(two_lines)), 0);
    make_service(w, 0, "NEW:ED25519-V3");
    expect_file(env, two_lines, strlen(two_lines));
    onion_service_stop(&p2p->onion);
    memset(long_one, 'A', sizeof long_one);
    assert_int_equal(replace_file(env, "data/" ONION_KEY_FILE, span_of(long_one, sizeof long_one)),
                     0);
    onion_service_start(&p2p->onion, p2p);
    make_service(w, 1, "NEW:ED25519-V3");
    expect_file(env, long_one, sizeof long_one);
}

/* Callers by Tor are nobody's friends. */
TEST(who_has_permissions_where_he_comes_in_does_not_come_by_tor, struct world *w)
{
    static const struct p2p_bind binds[] = {
        {.address = "127.0.0.1:18555", .permissions = PERMISSION_NOBAN},
        {.address = "127.0.0.1:18556"},
        {.address = "127.0.0.1:18557", .is_onion = true}};
    struct p2p_options options = with_tor;
    options.binds = binds;
    options.n_binds = 1; /* the first alone: there is another for Tor, as without any */
    struct p2p *p2p = start(w, &options);
    assert_string_equal(p2p->onion.target, "127.0.0.1:18445");
    assert_int_equal(p2p->n_listeners, 2);
    assert_true(p2p->listeners[1].is_onion);
    options.n_binds = 2;
    p2p = start_another(w, &options);
    assert_string_equal(p2p->onion.target, "127.0.0.1:18556");
    assert_int_equal(p2p->n_listeners, 2);
    options.n_binds = 3;
    p2p = start_another(w, &options);
    assert_string_equal(p2p->onion.target, "127.0.0.1:18557");
}

TEST(attempts_become_rarer, struct world *w)
{
    byte_peer_close(&w->tor);
    struct p2p *p2p = start(w, &with_tor);
    mesh_run(&w->f.mesh, 10 * SECOND);
    int64_t retry_us = p2p->onion.retry_us;
    assert_in_range(retry_us, 3 * SECOND, 8 * SECOND);
    mesh_run(&w->f.mesh, 3600 * SECOND);
    assert_int_equal(p2p->onion.retry_us, ONION_RETRY_MAX_US);
    byte_peer_listen(&w->tor, &w->f.mesh, CONTROL);
    mesh_run(&w->f.mesh, ONION_RETRY_MAX_US);
    assert_int_equal(w->tor.n_streams, 1);
    assert_int_equal(p2p->onion.retry_us, ONION_RETRY_FIRST_US);
}

TEST(who_sends_too_much_is_called_again, struct world *w)
{
    static char text[TOR_LINE_MAX + 2];
    struct p2p *p2p = start(w, &with_tor);
    memset(text, 'A', sizeof text - 1);
    expect_line(w, 0, "PROTOCOLINFO 1");
    byte_peer_say(&w->tor, 0, text);
    byte_peer_await_close(&w->tor, 0);
    byte_peer_await(&w->tor, 2);
    expect_line(w, 1, "PROTOCOLINFO 1");
    assert_int_equal(p2p->local.n, 0);
}

TEST(a_name_that_is_none_is_not_advertised, struct world *w)
{
    struct p2p *p2p = start(w, &with_tor);
    expect_line(w, 0, "PROTOCOLINFO 1");
    byte_peer_say(&w->tor, 0,
                  "250-AUTH METHODS=NULL\r\n250 OK\r\n250 OK\r\n250 OK\r\n"
                  "250-ServiceID=testserviceid1\r\n250 OK\r\n");
    mesh_run(&w->f.mesh, SECOND);
    assert_int_equal(p2p->local.n, 0);
    assert_int_equal(p2p->reach.by_network[NET_TORV3].port,
                     REACH_PROXY_PORT); /* where it usually is */
    assert_false(w->tor.streams[0].is_closed);
}

TEST(nobody_is_asked_without_the_option, struct world *w)
{
    const struct p2p_options options = {.connect_only = true, .listen = true};
    (void)start(w, &options);
    mesh_run(&w->f.mesh, 10 * SECOND);
    assert_int_equal(w->tor.n_streams, 0);
}
