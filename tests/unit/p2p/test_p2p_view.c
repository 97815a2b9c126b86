/* test_p2p_view.c - what RPC shows of peers, and that orders survive peers that come and go. */
#include "p2p/p2p.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

struct sums {
    uint64_t sent, received, total_sent, total_received;
    bool sorted;
};

static void add_up(void *arg, const struct net_peer_info *info)
{
    struct sums *sums = arg;
    sums->total_sent += info->bytes_sent;
    sums->total_received += info->bytes_received;
    sums->sorted = true;
    for (size_t i = 0; i < info->n_per_message; i++) {
        sums->sent += info->per_message[i].sent;
        sums->received += info->per_message[i].received;
        assert_true(info->per_message[i].sent + info->per_message[i].received > 0);
        if (i > 0)
            assert_true(strcmp(info->per_message[i - 1].name, info->per_message[i].name) < 0);
    }
}

TEST(bytes_per_message_add_up_to_the_whole, struct fixture *f)
{
    mesh_init(&f->mesh, 101, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, builder_blocks(&f->builder, f->builder.genesis, 30, NULL));
    mesh_connect(a, b);
    mesh_run(&f->mesh, 10000000);
    struct sums sums = {0};
    p2p_each_peer(a->p2p, add_up, &sums);
    assert_true(sums.sent > 30 * 200);
    assert_true(sums.sent == sums.total_sent);
    assert_true(sums.received == sums.total_received);
    struct p2p_info info;
    p2p_info(a->p2p, &info);
    assert_true(info.bytes_sent == sums.total_sent);
    assert_true(info.bytes_received == sums.total_received);
    assert_int_equal(info.n_out, 1);
    assert_int_equal(info.n_in, 0);
    assert_true(info.local_services & NODE_NETWORK);
    assert_int_equal(info.port, MESH_PORT);
}

TEST(messages_we_do_not_know_are_counted_as_others, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 102, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    raw_send(raw, "whatever", "12345", 5);
    mesh_run(&f->mesh, 500000);
    struct sums sums = {0};
    p2p_each_peer(a->p2p, add_up, &sums);
    assert_true(sums.received == sums.total_received);
}

TEST(facts_of_a_peer_are_shown, struct fixture *f)
{
    static const char *const trusted[] = {"relay,addr@10.9.0.0/16"};
    struct p2p_options options = {.whitelist = trusted, .n_whitelist = 1};
    struct mesh_node *a = fixture_node(f, 103, &options, NULL);
    struct raw_peer *raw = raw_connect(&f->mesh, a);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_false(info.is_ready);
    assert_int_equal(info.start_height, -1);
    raw_handshake(raw, SERVICES);
    assert_true(mesh_peer_info(a, 0, &info));
    assert_true(info.is_ready);
    assert_int_equal(info.n_permissions, 2);
    assert_true(span_equal(info.user_agent, span_of_string("/raw:1/")));
    assert_string_equal(info.network, "not_publicly_routable");
    assert_int_equal(info.synced_headers, -1);
    assert_int_equal(info.presynced_headers, -1);
    assert_true(info.relays_txs);
    assert_true(info.connected_s >= 1700000000);
    assert_true(info.last_recv_s >= info.connected_s);
}

/* What a peer's texts and lists are while they are borrowed. */
static void check_texts(void *arg, const struct net_peer_info *info)
{
    (void)arg;
    assert_int_equal(strncmp(info->address, "10.9.9.9:", 9), 0);
    assert_string_equal(info->address_bind, "10.0.1.1:18444");
    assert_string_equal(info->connection_type, "inbound");
    assert_true(info->is_inbound);
    assert_string_equal(info->transport, "v1");
    assert_string_equal(info->session_id, "");
    assert_int_equal(info->n_permissions, 2);
    assert_string_equal(info->permissions[0], "relay");
    assert_string_equal(info->permissions[1], "addr");
    assert_int_equal(info->n_in_flight, 0);
}

TEST(texts_and_lists_of_a_peer_are_shown, struct fixture *f)
{
    static const char *const trusted[] = {"relay,addr@10.9.0.0/16"};
    struct p2p_options options = {.whitelist = trusted, .n_whitelist = 1};
    mesh_init(&f->mesh, 105, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    struct raw_peer *raw = raw_connect(&f->mesh, a);
    raw_handshake(raw, SERVICES);
    p2p_each_peer(a->p2p, check_texts, NULL);
    raw_free(raw);
}

/* Hazard 43: peers that come and go while orders name them. */
TEST(orders_may_name_peers_that_are_gone, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 104, NULL, NULL);
    const struct built_block *blocks[2];
    builder_blocks(&f->builder, f->builder.genesis, 2, blocks);
    struct verdict verdict;
    for (int i = 0; i < 2; i++)
        assert_non_null(chain_accept_header(a->chain, &blocks[i]->block.header, &verdict));
    for (uint64_t round = 1; round <= 300; round++) {
        struct raw_peer *raw = raw_connect(&f->mesh, a);
        raw_send_version(raw, SERVICES, 70016, round);
        raw_send(raw, "verack", NULL, 0);
        mesh_run(&f->mesh, (int64_t)(round % 7) * 9000);
        const char *error = p2p_get_block_from_peer(a->p2p, &blocks[0]->block.hash, round);
        if (error)
            assert_string_equal(error, "Peer does not exist");
        if (round % 3 == 0)
            (void)p2p_disconnect_id(a->p2p, round);
        p2p_ping_all(a->p2p);
        raw_free(raw);
        if (round % 2)
            mesh_run(&f->mesh, 30000);
        error = p2p_get_block_from_peer(a->p2p, &blocks[1]->block.hash, round);
        if (error)
            assert_string_equal(error, "Peer does not exist");
    }
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(mesh_count_ready(a), 0);
    assert_int_equal(p2p_disconnect_id(a->p2p, 12345), NET_RESULT_UNKNOWN);
}
