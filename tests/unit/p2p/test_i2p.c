/* test_i2p.c - peers in I2P: called from a session, calling ours, and what goes wrong. */
#include "p2p/i2p.h"

#include "p2p/core/tunnel.h"
#include "p2p/state.h"
#include "support/byte_peer.h"
#include "support/mesh_fixture.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define SECOND INT64_C(1000000)
#define BRIDGE 7656
#define NAME   "zsxwyo6qcn3chqzwxnseusqgsnuw3maqnztkiypyfxtya4snkoka.b32.i2p"
#define OTHER  "h3r6bkn46qxftwja53pxiykntegfyfjqtnzbm6iv6r5mungmqgmq.b32.i2p"

#define HELLO_OK "HELLO REPLY RESULT=OK VERSION=3.1\n"

/* A mesh whose node knows the bridge. */
struct world {
    struct fixture f;
    struct byte_peer bridge;
    char key[SAM_KEY_MAX + 1];
};

static int setup(void **state)
{
    struct world *w = mesh_setup_as(state, sizeof *w);
    uint8_t bytes[391 + 288] = {1, 2, 3};
    struct buffer text;
    bytes[386] = 4;
    buffer_init(&text);
    sam_base64_append(&text, span_of(bytes, sizeof bytes));
    memcpy(w->key, text.p, text.len);
    buffer_deinit(&text);
    mesh_init(&w->f.mesh, 8, &w->f.builder, NULL);
    byte_peer_listen(&w->bridge, &w->f.mesh, BRIDGE);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    byte_peer_close(&w->bridge);
    return mesh_teardown(state);
}

FIXTURE(setup, teardown)

static struct p2p *start(struct world *w, bool accepts)
{
    const struct p2p_options options = {
        .connect_only = true,
        .data_dir = "data",
        .i2p_accepts = accepts,
        .reach = {.proxies = {[NET_I2P] = {.address = BYTE_PEER_ADDRESS, .port = BRIDGE}}}};
    w->f.node = mesh_add(&w->f.mesh, &options, NULL);
    assert_int_equal(env_make_dir(w->f.node->p2p->env, "data"), 0);
    return w->f.node->p2p;
}

static void say(struct world *w, size_t stream, const char *before, const char *value)
{
    char text[2 * SAM_KEY_MAX];
    snprintf(text, sizeof text, "%s%s\n", before, value);
    byte_peer_say(&w->bridge, stream, text);
}

static void hello(struct world *w, size_t stream)
{
    assert_string_equal(byte_peer_line(&w->bridge, stream), "HELLO VERSION MIN=3.1 MAX=3.1");
    byte_peer_say(&w->bridge, stream, HELLO_OK);
}

static void expect_start(struct world *w, size_t stream, const char *want)
{
    const char *line = byte_peer_line(&w->bridge, stream);
    if (strncmp(line, want, strlen(want)) != 0)
        fail_msg("%s", line);
}

/* The bridge makes the session that waits on that stream. */
static void make_transient(struct world *w, size_t stream)
{
    hello(w, stream);
    expect_start(w, stream, "SESSION CREATE STYLE=STREAM ID=");
    say(w, stream, "SESSION STATUS RESULT=OK DESTINATION=", w->key);
}

static void make_kept(struct world *w, size_t stream)
{
    hello(w, stream);
    assert_string_equal(byte_peer_line(&w->bridge, stream), "DEST GENERATE SIGNATURE_TYPE=7");
    say(w, stream, "DEST REPLY PUB=x PRIV=", w->key);
    expect_start(w, stream, "SESSION CREATE STYLE=STREAM ID=");
    say(w, stream, "SESSION STATUS RESULT=OK DESTINATION=", w->key);
}

/* Its stream to the peer is connected. */
static void connect_peer(struct world *w, size_t stream, const char *name)
{
    char want[200];
    hello(w, stream);
    snprintf(want, sizeof want, "NAMING LOOKUP NAME=%s", name);
    assert_string_equal(byte_peer_line(&w->bridge, stream), want);
    byte_peer_say(&w->bridge, stream, "NAMING REPLY RESULT=OK NAME=x VALUE=destination\n");
    expect_start(w, stream, "STREAM CONNECT ID=");
    byte_peer_say(&w->bridge, stream, "STREAM STATUS RESULT=OK\n");
}

static bool got_version(struct world *w, size_t stream)
{
    mesh_run(&w->f.mesh, SECOND);
    const struct buffer *got = &w->bridge.streams[stream].got;
    return got->len > 24 && memcmp(got->p + 4, "version", 8) == 0;
}

TEST(who_is_not_called_has_a_session_for_each_connection, struct world *w)
{
    struct p2p *p2p = start(w, false);
    mesh_run(&w->f.mesh, 5 * SECOND);
    assert_int_equal(w->bridge.n_streams, 0);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    make_transient(w, 0);
    connect_peer(w, 1, NAME);
    assert_true(got_version(w, 1));
    assert_string_equal(p2p->peers->text, NAME ":0");
    assert_int_equal(p2p_try_node(p2p, OTHER, false), NET_RESULT_OK);
    make_transient(w, 2);
    connect_peer(w, 3, OTHER);
    assert_true(got_version(w, 3));
    assert_int_equal(p2p->i2p.n_transient, 2);
    assert_int_equal(p2p_disconnect_address(p2p, NAME ":0"), NET_RESULT_OK);
    byte_peer_await_close(&w->bridge, 0); /* and its session goes with it */
    assert_int_equal(p2p->i2p.n_transient, 1);
}

TEST(a_session_that_reached_nobody_is_used_again, struct world *w)
{
    struct p2p *p2p = start(w, false);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    make_transient(w, 0);
    hello(w, 1);
    (void)byte_peer_line(&w->bridge, 1);
    byte_peer_say(&w->bridge, 1, "NAMING REPLY RESULT=KEY_NOT_FOUND\n");
    byte_peer_await_close(&w->bridge, 1);
    assert_int_equal(p2p->i2p.n_transient, 1);
    assert_int_equal(p2p_try_node(p2p, OTHER, false), NET_RESULT_OK);
    connect_peer(w, 2, OTHER);
    assert_true(got_version(w, 2));
    assert_int_equal(w->bridge.n_streams, 3);
}

TEST(a_session_that_the_bridge_does_not_know_is_not_used_again, struct world *w)
{
    struct p2p *p2p = start(w, false);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    make_transient(w, 0);
    hello(w, 1);
    (void)byte_peer_line(&w->bridge, 1);
    byte_peer_say(&w->bridge, 1, "NAMING REPLY RESULT=OK VALUE=d\n");
    (void)byte_peer_line(&w->bridge, 1);
    byte_peer_say(&w->bridge, 1, "STREAM STATUS RESULT=INVALID_ID\n");
    byte_peer_await_close(&w->bridge, 1);
    byte_peer_await_close(&w->bridge, 0);
    assert_int_equal(p2p->i2p.n_transient, 0);
    assert_null(p2p->peers);
}

TEST(who_calls_us_comes_in_with_his_address, struct world *w)
{
    struct p2p *p2p = start(w, true);
    struct net_address ours;
    make_kept(w, 0);
    hello(w, 1);
    expect_start(w, 1, "STREAM ACCEPT ID=");
    assert_int_equal(p2p->local.n, 0);
    byte_peer_say(&w->bridge, 1, "STREAM STATUS RESULT=OK\n");
    mesh_run(&w->f.mesh, SECOND);
    assert_true(sam_address_of(w->key, &ours));
    assert_int_equal(p2p->local.n, 1); /* now that somebody listens there */
    assert_true(net_address_equal(&p2p->local.at[0].at, &ours));
    w->key[0] = 'B'; /* somebody else's */
    say(w, 1, "", w->key);
    hello(w, 2); /* the next one can come */
    mesh_run(&w->f.mesh, SECOND);
    assert_non_null(p2p->peers);
    assert_int_equal(p2p->peers->class, PEER_INBOUND);
    assert_int_equal(p2p->peers->address.network, NET_I2P);
    assert_int_equal(p2p->peers->address.port, 0);
}

TEST(everything_goes_out_from_the_address_that_others_know, struct world *w)
{
    struct p2p *p2p = start(w, true);
    make_kept(w, 0);
    hello(w, 1);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    connect_peer(w, 2, NAME);
    assert_true(got_version(w, 2));
    assert_int_equal(p2p->i2p.n_transient, 0);
}

TEST(the_key_is_kept_and_used_again, struct world *w)
{
    struct p2p *p2p = start(w, true);
    struct buffer bytes, text;
    char want[2 * SAM_KEY_MAX];
    make_kept(w, 0);
    hello(w, 1);
    buffer_init(&bytes);
    buffer_init(&text);
    assert_int_equal(read_file(p2p->env, "data/" I2P_KEY_FILE, SAM_KEY_MAX, &bytes), 0);
    sam_base64_append(&text, buffer_span(&bytes));
    assert_int_equal(text.len, strlen(w->key));
    assert_memory_equal(text.p, w->key, text.len);
    buffer_deinit(&bytes);
    buffer_deinit(&text);
    memset(p2p->i2p.key, 0, sizeof p2p->i2p.key); /* as if it were another process */
    env_stream_close(w->bridge.env, w->bridge.streams[0].id);
    hello(w, 2);
    snprintf(want, sizeof want, "SESSION CREATE STYLE=STREAM ID=%s DESTINATION=%s ",
             p2p->i2p.kept.id, w->key);
    expect_start(w, 2, want);
}

TEST(without_the_session_nobody_hears_of_the_address, struct world *w)
{
    struct p2p *p2p = start(w, true);
    make_kept(w, 0);
    hello(w, 1);
    (void)byte_peer_line(&w->bridge, 1);
    byte_peer_say(&w->bridge, 1, "STREAM STATUS RESULT=OK\n");
    mesh_run(&w->f.mesh, SECOND);
    assert_int_equal(p2p->local.n, 1);
    env_stream_close(w->bridge.env, w->bridge.streams[0].id);
    mesh_run(&w->f.mesh, SECOND / 2);
    assert_int_equal(p2p->local.n, 0);
    byte_peer_await_close(&w->bridge, 1);
    hello(w, 2);
}

TEST(attempts_to_listen_become_rarer, struct world *w)
{
    byte_peer_close(&w->bridge);
    struct p2p *p2p = start(w, true);
    mesh_run(&w->f.mesh, 3600 * SECOND);
    assert_int_equal(p2p->i2p.retry_us, I2P_RETRY_MAX_US);
}

/* Its end must not look at what is freed by then. */
TEST(a_peer_outlives_its_session, struct world *w)
{
    struct p2p *p2p = start(w, false);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    make_transient(w, 0);
    connect_peer(w, 1, NAME);
    assert_true(got_version(w, 1));
    env_stream_close(w->bridge.env, w->bridge.streams[0].id);
    mesh_run(&w->f.mesh, SECOND);
    assert_int_equal(p2p->i2p.n_transient, 0);
    assert_non_null(p2p->peers);
    assert_null(p2p->peers->tunnel->session);
    assert_int_equal(p2p_disconnect_address(p2p, NAME ":0"), NET_RESULT_OK);
    byte_peer_await_close(&w->bridge, 1);
    assert_null(p2p->peers);
}

TEST(a_bridge_that_speaks_before_it_is_asked_is_given_up, struct world *w)
{
    struct p2p *p2p = start(w, false);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    make_transient(w, 0);
    byte_peer_await(&w->bridge, 2);
    byte_peer_say(&w->bridge, 1, "STREAM STATUS\n");
    byte_peer_await_close(&w->bridge, 1);
    assert_null(p2p->peers);
}

/* Bridges close a stream that says nothing for a minute; a session takes longer. */
TEST(a_peers_stream_is_opened_when_its_session_is_there, struct world *w)
{
    struct p2p *p2p = start(w, false);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    mesh_run(&w->f.mesh, 100 * SECOND);
    assert_int_equal(w->bridge.n_streams, 1);
    assert_non_null(p2p->peers);
    make_transient(w, 0);
    connect_peer(w, 1, NAME);
    assert_true(got_version(w, 1));
}

TEST(who_cannot_be_waited_for_now_is_waited_for_again, struct world *w)
{
    struct p2p *p2p = start(w, true);
    make_kept(w, 0);
    hello(w, 1);
    (void)byte_peer_line(&w->bridge, 1);
    byte_peer_say(&w->bridge, 1, "STREAM STATUS RESULT=I2P_ERROR\n");
    byte_peer_await_close(&w->bridge, 1);
    hello(w, 2); /* the session is the same */
    expect_start(w, 2, "STREAM ACCEPT ID=");
    assert_int_equal(p2p->i2p.kept.state, I2P_READY);
    assert_false(w->bridge.streams[0].is_closed);
}

TEST(a_caller_who_has_no_destination_ends_no_session, struct world *w)
{
    struct p2p *p2p = start(w, true);
    make_kept(w, 0);
    hello(w, 1);
    (void)byte_peer_line(&w->bridge, 1);
    byte_peer_say(&w->bridge, 1, "STREAM STATUS RESULT=OK\nnobody\n");
    byte_peer_await_close(&w->bridge, 1);
    hello(w, 2);
    assert_int_equal(p2p->i2p.kept.state, I2P_READY);
}

TEST(a_session_that_is_gone_is_made_again, struct world *w)
{
    (void)start(w, true);
    make_kept(w, 0);
    hello(w, 1);
    (void)byte_peer_line(&w->bridge, 1);
    byte_peer_say(&w->bridge, 1, "STREAM STATUS RESULT=INVALID_ID\n");
    byte_peer_await_close(&w->bridge, 0);
    hello(w, 2);
    expect_start(w, 2, "SESSION CREATE STYLE=STREAM ID=");
}

TEST(a_bridge_that_does_not_say_whether_it_waits_is_asked_again, struct world *w)
{
    struct p2p *p2p = start(w, true);
    make_kept(w, 0);
    hello(w, 1);
    (void)byte_peer_line(&w->bridge, 1);
    mesh_run(&w->f.mesh, I2P_ANSWER_US - 10 * SECOND);
    assert_false(w->bridge.streams[1].is_closed);
    mesh_run(&w->f.mesh, 12 * SECOND);
    assert_true(w->bridge.streams[1].is_closed);
    hello(w, 2);
    (void)byte_peer_line(&w->bridge, 2);
    byte_peer_say(&w->bridge, 2, "STREAM STATUS RESULT=OK\n");
    mesh_run(&w->f.mesh, 2 * I2P_ANSWER_US); /* callers take their time */
    assert_false(w->bridge.streams[2].is_closed);
    assert_int_equal(p2p->local.n, 1);
}

/* Who has that key is who others know: it is not thrown away for what may be mended. */
TEST(a_key_that_cannot_be_read_is_left_alone, struct world *w)
{
    struct p2p *p2p = start(w, true);
    struct buffer bytes;
    assert_int_equal(replace_file(p2p->env, "data/" I2P_KEY_FILE, span_of_string("no key of ours")),
                     0);
    make_kept(w, 0);
    hello(w, 1);
    assert_string_equal(p2p->i2p.key, w->key);
    buffer_init(&bytes);
    assert_int_equal(read_file(p2p->env, "data/" I2P_KEY_FILE, SAM_KEY_MAX, &bytes), 0);
    assert_int_equal(bytes.len, strlen("no key of ours"));
    buffer_deinit(&bytes);
}

TEST(a_bridge_that_says_nothing_is_given_up, struct world *w)
{
    struct p2p *p2p = start(w, false);
    assert_int_equal(p2p_try_node(p2p, NAME, false), NET_RESULT_OK);
    mesh_run(&w->f.mesh, I2P_ANSWER_US - SECOND);
    assert_non_null(p2p->peers);
    mesh_run(&w->f.mesh, 3 * SECOND);
    assert_null(p2p->peers);
    assert_int_equal(p2p->i2p.n_transient, 0);
}

TEST(sessions_have_a_limit, struct world *w)
{
    struct p2p *p2p = start(w, false);
    byte_peer_close(&w->bridge);
    byte_peer_listen(&w->bridge, &w->f.mesh, BRIDGE + 1); /* nobody answers */
    for (size_t i = 0; i <= I2P_TRANSIENT_MAX; i++) {
        struct net_address address = {.network = NET_I2P, .bytes = {1, (uint8_t)i}};
        char text[NET_ADDRESS_TEXT_MAX];
        assert_int_equal(p2p_try_node(p2p, net_address_format(&address, text), false),
                         NET_RESULT_OK);
        assert_int_equal(p2p->i2p.n_transient, MIN_OF(i + 1, I2P_TRANSIENT_MAX));
    }
}

TEST(with_a_port_it_would_be_another_service, struct world *w)
{
    struct p2p *p2p = start(w, false);
    assert_int_equal(p2p_try_node(p2p, NAME ":8333", false), NET_RESULT_OK);
    mesh_run(&w->f.mesh, SECOND);
    assert_int_equal(w->bridge.n_streams, 0);
}
