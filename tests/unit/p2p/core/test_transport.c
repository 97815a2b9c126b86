/* test_transport.c - which of the two transports a connection uses, and what if it fails. */
#include "p2p/core/transport.h"

#include "p2p/state.h"
#include "support/mesh_fixture.h"
#include "util/hex.h"

FIXTURE(mesh_setup, mesh_teardown)

static const struct p2p_options v2_on = {.v2_transport = true};

/* What is shown of the first peer: its session id is borrowed, so it is copied here. */
struct seen {
    const char *transport;
    char session[65];
};

static void see(void *arg, const struct net_peer_info *info)
{
    struct seen *seen = arg;
    if (seen->transport)
        return;
    seen->transport = info->transport;
    snprintf(seen->session, sizeof seen->session, "%s", info->session_id);
}

static const char *transport_of(struct mesh_node *node, char session[65])
{
    struct seen seen = {0};
    p2p_each_peer(node->p2p, see, &seen);
    assert_non_null(seen.transport);
    if (session)
        memcpy(session, seen.session, sizeof seen.session);
    return seen.transport;
}

/* Blocks and transactions over it, in both directions. */
TEST(two_that_can_do_encrypt, struct fixture *f)
{
    char session[2][65];
    mesh_init(&f->mesh, 31, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, &v2_on, NULL), *b = mesh_add(&f->mesh, &v2_on, NULL);
    mesh_connect(a, b);
    assert_string_equal(transport_of(a, session[0]), "v2");
    assert_string_equal(transport_of(b, session[1]), "v2");
    assert_int_equal(strlen(session[0]), 64);
    assert_string_equal(session[0], session[1]);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 20, NULL);
    mesh_give(a, tip);
    assert_true(mesh_wait_tip(&f->mesh, tip, 60) >= 0);
    tip = builder_blocks(&f->builder, tip, 3, NULL);
    mesh_give(b, tip);
    assert_true(mesh_wait_tip(&f->mesh, tip, 60) >= 0);
}

/* Who dials without it is heard, and who does not have it is called again. */
TEST(others_are_spoken_to_in_the_clear, struct fixture *f)
{
    char session[65];
    mesh_init(&f->mesh, 32, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, &v2_on, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_connect(b, a);
    assert_string_equal(transport_of(a, session), "v1");
    assert_string_equal(session, "");
    mesh_deinit(&f->mesh);
    mesh_init(&f->mesh, 33, &f->builder, NULL);
    a = mesh_add(&f->mesh, &v2_on, NULL);
    b = mesh_add(&f->mesh, NULL, NULL);
    char text[64];
    snprintf(text, sizeof text, "%s:%d", b->address, MESH_PORT);
    assert_int_equal(p2p_add_node(a->p2p, text, true), NET_RESULT_OK);
    mesh_run(&f->mesh, 3000000);
    assert_int_equal(mesh_count_ready(a), 1);
    assert_string_equal(transport_of(a, NULL), "v1");
    assert_string_equal(transport_of(b, NULL), "v1");
}

/* Programs without v2 count bad messages: whoever may be one hears few bytes before it is called
 * again with v1. */
TEST(who_may_not_speak_v2_hears_little_garbage, struct fixture *f)
{
    for (uint64_t seed = 35; seed < 50; seed++) {
        if (seed == 35)
            (void)fixture_node(f, seed, &v2_on, NULL);
        else
            f->node = mesh_add(&f->mesh, &v2_on, NULL);
        struct raw_peer *raw = raw_listen(&f->mesh, 700);
        raw->takes_any = true;
        assert_int_equal(p2p_add_node(f->node->p2p, "10.9.9.9:700", true), NET_RESULT_OK);
        mesh_run(&f->mesh, 1000000);
        assert_in_range(raw->bytes_got, V2_KEY_BYTES, V2_KEY_BYTES + TRANSPORT_UNSURE_GARBAGE_MAX);
        raw_free(raw);
        mesh_stop_node(f->node);
    }
}

/* The first sixteen bytes tell, one by one, and nothing is said before they do. */
TEST(the_first_bytes_tell, struct fixture *f)
{
    struct mesh_node *node = fixture_node(f, 34, &v2_on, NULL);
    struct raw_peer *raw = raw_connect(&f->mesh, node);
    raw->takes_any = true;
    uint8_t prefix[TRANSPORT_PREFIX_BYTES] = {0};
    memcpy(prefix, node->network.magic, 4);
    memcpy(prefix + 4, "version", 7);
    raw_send_bytes(raw, prefix, sizeof prefix - 1);
    mesh_run(&f->mesh, 1000000);
    assert_string_equal(transport_of(node, NULL), "detecting");
    raw_send_bytes(raw, prefix + sizeof prefix - 1, 1);
    mesh_run(&f->mesh, 1000000);
    assert_string_equal(transport_of(node, NULL), "v1");
    assert_int_equal(raw->bytes_got, 0);
    raw_free(raw);
    mesh_run(&f->mesh, 1000000);
    /* One that differs in the third byte has its answer at once: a key. */
    raw = raw_connect(&f->mesh, node);
    raw->takes_any = true;
    raw_send_bytes(raw, prefix, 2);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw->bytes_got, 0);
    raw_send_bytes(raw, "xy", 2);
    mesh_run(&f->mesh, 1000000);
    assert_in_range(raw->bytes_got, V2_KEY_BYTES, V2_KEY_BYTES + V2_GARBAGE_MAX);
    assert_string_equal(transport_of(node, NULL), "detecting");
    mesh_run(&f->mesh, 61000000);
    assert_true(raw->is_closed); /* no handshake in time */
}

/* The same bytes in one piece as a whole handshake. */
TEST(v1_is_heard_in_any_pieces, struct fixture *f)
{
    struct mesh_node *node = fixture_node(f, 35, &v2_on, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, node, SERVICES);
    assert_string_equal(transport_of(node, NULL), "v1");
    assert_int_equal(raw_count(raw, "verack"), 1);
}

/* Garbage without end, and v1 of another network, are told apart and end the connection. */
TEST(nonsense_ends_the_connection, struct fixture *f)
{
    static uint8_t zeros[V2_KEY_BYTES + V2_GARBAGE_MAX + V2_TERMINATOR_BYTES];
    struct mesh_node *node = fixture_node(f, 36, &v2_on, NULL);
    struct raw_peer *raw = raw_connect(&f->mesh, node);
    raw->takes_any = true;
    raw_send_bytes(raw, zeros, sizeof zeros - 1);
    mesh_run(&f->mesh, 1000000);
    assert_false(raw->is_closed);
    raw_send_bytes(raw, zeros, 1);
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
    struct raw_peer *other = raw_connect(&f->mesh, node);
    other->takes_any = true;
    uint8_t bytes[V2_KEY_BYTES] = {1, 2, 3, 4, 'v', 'e', 'r', 's', 'i', 'o', 'n'};
    raw_send_bytes(other, bytes, sizeof bytes);
    mesh_run(&f->mesh, 1000000);
    assert_true(other->is_closed);
    assert_int_equal(mesh_count_ready(node), 0);
}
