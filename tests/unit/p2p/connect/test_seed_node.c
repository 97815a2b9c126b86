/* test_seed_node.c - nodes that are asked for addresses: when, in what order, for how long. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

#define SECOND INT64_C(1000000)

FIXTURE(mesh_setup, mesh_teardown)

static const char *const seeds[] = {"10.9.9.9:700", "10.9.9.9:701"};

static struct mesh_node *start(struct fixture *f, struct p2p_options options)
{
    options.seed_nodes = seeds;
    options.n_seed_nodes = COUNT_OF(seeds);
    return mesh_add(&f->mesh, &options, NULL);
}

/* An addr message of n public addresses. */
static void send_addresses(struct raw_peer *raw, size_t n)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct net_peer_address address = {.services = SERVICES, .time = 1600000000};
        char text[32];
        snprintf(text, sizeof text, "8.%zu.4.4", i + 1);
        assert_true(net_address_parse(text, 8333, &address.at));
        wire_address_encode(&w, false, &address);
    }
    raw_send(raw, "addr", bytes.p, bytes.len);
    buffer_deinit(&bytes);
}

TEST(who_knows_nobody_asks_one_after_the_other, struct fixture *f)
{
    mesh_init(&f->mesh, 311, &f->builder, NULL);
    struct raw_peer *raw[] = {raw_listen(&f->mesh, 700), raw_listen(&f->mesh, 701)};
    struct mesh_node *a = start(f, (struct p2p_options){0});
    mesh_run(&f->mesh, SECOND);
    assert_true(raw[0]->is_up != raw[1]->is_up);
    size_t first = raw[0]->is_up ? 0 : 1;
    raw_send_version(raw[first], SERVICES, 70015, 9);
    raw_send(raw[first], "verack", NULL, 0);
    (void)raw_expect(raw[first], "getaddr");
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_string_equal(info.connection_type, "addr-fetch");
    assert_int_equal(raw_count(raw[first], "getheaders"), 0);
    send_addresses(raw[first], 1); /* may be its own */
    mesh_run(&f->mesh, SECOND);
    assert_false(raw[first]->is_closed);
    send_addresses(raw[first], 2);
    mesh_run(&f->mesh, SECOND);
    assert_true(raw[first]->is_closed);
    assert_int_equal(address_book_count(a->p2p->book), 2);
    assert_false(raw[1 - first]->is_up);
    mesh_run(&f->mesh, SEED_NODE_WAIT_US);
    assert_true(raw[1 - first]->is_up); /* nobody of the book was there */
    mesh_run(&f->mesh, 60 * SECOND);
    assert_int_equal(a->p2p->named.n, 0); /* neither answered in time */
}

TEST(a_seed_that_tells_nothing_is_let_go, struct fixture *f)
{
    mesh_init(&f->mesh, 312, &f->builder, NULL);
    struct raw_peer *raw[] = {raw_listen(&f->mesh, 700), raw_listen(&f->mesh, 701)};
    (void)start(f, (struct p2p_options){0});
    mesh_run(&f->mesh, SECOND);
    struct raw_peer *asked = raw[0]->is_up ? raw[0] : raw[1];
    raw_handshake(asked, SERVICES);
    mesh_run(&f->mesh, 295 * SECOND);
    assert_false(asked->is_closed);
    mesh_run(&f->mesh, 6 * SECOND);
    assert_true(asked->is_closed);
}

TEST(seeds_are_left_alone_with_connect, struct fixture *f)
{
    mesh_init(&f->mesh, 313, &f->builder, NULL);
    struct raw_peer *raw[] = {raw_listen(&f->mesh, 700), raw_listen(&f->mesh, 701)};
    (void)start(f, (struct p2p_options){.connect_only = true});
    mesh_run(&f->mesh, 60 * SECOND);
    assert_false(raw[0]->is_up || raw[1]->is_up);
}
