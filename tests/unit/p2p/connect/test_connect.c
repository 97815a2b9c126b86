/* test_connect.c - outbound slots, manual nodes, inbound limits, and what a restart remembers. */
#include "p2p/connect/connect.h"

#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(a_manual_node_is_tried_until_it_is_there, struct fixture *f)
{
    static const char *const nodes[] = {"10.9.9.9:700"};
    struct p2p_options options = {.connect_only = true, .connect = nodes, .n_connect = 1};
    struct mesh_node *a = fixture_node(f, 91, &options, NULL);
    mesh_run(&f->mesh, 20000000); /* nobody listens */
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    mesh_run(&f->mesh, 61000000);
    assert_true(raw->is_up);
    raw_handshake(raw, SERVICES);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_string_equal(info.connection_type, "manual");
    /* And again when it is lost. */
    env_stream_close(raw->env, raw->stream);
    raw->is_up = false;
    raw->stream = 0;
    mesh_run(&f->mesh, 5000000);
    assert_true(raw->is_up);
}

static void count_added(void *arg, const char *address, const struct net_peer_info *peer)
{
    size_t *n = arg;
    assert_non_null(address);
    n[0]++;
    n[1] += peer != NULL;
}

TEST(nodes_are_added_and_removed_by_the_user, struct fixture *f)
{
    struct p2p_options options = {.connect_only = true};
    struct mesh_node *a = fixture_node(f, 92, &options, NULL);
    struct mesh_node *b = mesh_add(&f->mesh, &options, NULL);
    assert_int_equal(p2p_add_node(a->p2p, "10.0.2.1:18444", false), NET_RESULT_OK);
    assert_int_equal(p2p_add_node(a->p2p, "10.0.2.1:18444", false), NET_RESULT_EXISTS);
    assert_int_equal(p2p_add_node(a->p2p, "", false), NET_RESULT_BAD_ADDRESS);
    assert_int_equal(p2p_add_node(a->p2p, "10.77.0.1", false), NET_RESULT_OK);
    mesh_run(&f->mesh, 2000000);
    size_t n[2] = {0};
    p2p_each_added(a->p2p, count_added, n);
    assert_int_equal(n[0], 2);
    assert_int_equal(n[1], 1);
    assert_int_equal(p2p_remove_node(a->p2p, "10.77.0.1"), NET_RESULT_OK);
    assert_int_equal(p2p_remove_node(a->p2p, "10.77.0.1"), NET_RESULT_UNKNOWN);
    assert_int_equal(mesh_count_ready(b), 1);
    for (int i = 0; i < P2P_MANUAL_MAX - 1; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.78.0.%d", i + 1);
        assert_int_equal(p2p_add_node(a->p2p, text, false), NET_RESULT_OK);
    }
    assert_int_equal(p2p_add_node(a->p2p, "10.79.0.1", false), NET_RESULT_FULL);
}

TEST(a_node_tried_once_is_not_tried_again, struct fixture *f)
{
    mesh_init(&f->mesh, 93, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    assert_int_equal(p2p_try_node(a->p2p, "10.0.2.1:18444", false), NET_RESULT_OK);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(mesh_count_ready(b), 1);
    assert_int_equal(p2p_try_node(a->p2p, "10.0.2.1:18444", false), NET_RESULT_EXISTS);
    assert_int_equal(p2p_disconnect_address(a->p2p, "10.0.2.1:18444"), NET_RESULT_OK);
    assert_int_equal(p2p_disconnect_address(a->p2p, "10.0.2.1:18444"), NET_RESULT_UNKNOWN);
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(mesh_count_ready(b), 0);
}

/* What addconnection opens counts as of its class; a feeler goes as soon as it was greeted. */
TEST(connections_of_a_class_are_opened_up_to_its_number, struct fixture *f)
{
    mesh_init(&f->mesh, 96, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    assert_int_equal(p2p_open_connection(a->p2p, "x", "feeler", false), NET_RESULT_BAD_ADDRESS);
    assert_int_equal(p2p_open_connection(a->p2p, "10.9.9.9:700", "inbound", false),
                     NET_RESULT_UNKNOWN);
    assert_int_equal(p2p_open_connection(a->p2p, "10.9.9.9:700", "manual", false),
                     NET_RESULT_UNKNOWN);
    assert_int_equal(p2p_open_connection(a->p2p, "10.9.9.9:700", "feeler", false), NET_RESULT_OK);
    (void)raw_expect(raw, "version");
    assert_int_equal(p2p_open_connection(a->p2p, "10.0.2.1", "feeler", false), NET_RESULT_FULL);
    raw_send_version(raw, NODE_NETWORK | NODE_WITNESS, 70016, 5);
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
    assert_int_equal(raw_count(raw, "version"), 1);
    assert_int_equal(p2p_open_connection(a->p2p, "10.0.2.1", "block-relay-only", false),
                     NET_RESULT_OK);
    assert_int_equal(p2p_open_connection(a->p2p, "10.0.2.1", "block-relay-only", false),
                     NET_RESULT_EXISTS);
    mesh_run(&f->mesh, 1000000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_string_equal(info.connection_type, "block-relay-only");
    assert_int_equal(mesh_count_ready(b), 1);
}

static void take_stream(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    (void)arg, (void)stream, (void)address, (void)port;
}

static void take_bytes(void *arg, uint64_t stream, struct span bytes)
{
    (void)arg, (void)stream, (void)bytes;
}

static void take_room(void *arg, uint64_t stream)
{
    (void)arg, (void)stream;
}

static void take_end(void *arg, uint64_t stream, int error)
{
    (void)arg, (void)stream, (void)error;
}

/* Hazard 70: five who listen at public addresses and say nothing, three of them of one group. One
 * of each group is connected to, though there is room for all. */
TEST(outbound_slots_are_filled_from_the_book_one_of_each_group, struct fixture *f)
{
    static const struct env_stream_events events = {take_stream, take_bytes, take_room, take_end};
    static const char *const hosts[] = {"8.1.0.1", "8.1.0.2", "8.1.0.3", "8.2.0.1", "8.3.0.1"};
    struct sim_net_options net = {.latency_min_us = 1000, .latency_max_us = 1000};
    mesh_init(&f->mesh, 94, &f->builder, &net);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct sim_host *host[COUNT_OF(hosts)];
    struct sim_env *sim[COUNT_OF(hosts)];
    int64_t now = env_unix_s(sim_env_get(a->sim));
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        int error;
        host[i] = sim_net_join(f->mesh.net, hosts[i]);
        sim[i] = sim_env_new_on(&f->mesh.events, 5000 + i);
        sim_env_set_host(sim[i], host[i]);
        assert_true(env_stream_listen(sim_env_get(sim[i]), hosts[i], 8333, &events, NULL, &error) !=
                    0);
        struct net_peer_address address = {.services = SERVICES, .time = (uint32_t)now};
        assert_true(net_address_parse(hosts[i], 8333, &address.at));
        (void)address_book_add(p2p_address_book(a->p2p), &address, ADDRESS_SOURCE_DNS, &address.at,
                               0, now);
    }
    mesh_run(&f->mesh, 30000000);
    size_t per_group[3] = {0};
    for (const struct peer *peer = a->p2p->peers; peer; peer = peer->next)
        per_group[peer->address.bytes[1] - 1]++;
    for (size_t i = 0; i < COUNT_OF(per_group); i++)
        assert_int_equal(per_group[i], 1);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        sim_env_set_host(sim[i], NULL);
        sim_net_leave(host[i]);
        sim_env_free(sim[i]);
    }
}

/* Whoever the user named: another one of his group would say the same. */
TEST(named_nodes_take_the_place_of_their_group, struct fixture *f)
{
    static const char *const texts[] = {"8.1.0.1:8333", "8.2.0.1:8333"};
    struct address_entry entry;
    size_t at = 0;
    mesh_init(&f->mesh, 97, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    int64_t now_s = env_unix_s(sim_env_get(a->sim));
    mesh_connect(a, b);
    assert_true(net_address_parse("8.1.0.9:8333", 1, &a->p2p->peers->address));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct net_peer_address address = {.services = SERVICES, .time = (uint32_t)now_s};
        assert_true(net_address_parse(texts[i], 1, &address.at));
        (void)address_book_add(a->p2p->book, &address, ADDRESS_SOURCE_DNS, &address.at, 0, now_s);
    }
    mesh_run(&f->mesh, 15000000);
    while (address_book_next(a->p2p->book, &at, &entry))
        if (entry.source == ADDRESS_SOURCE_DNS)
            assert_int_equal(entry.last_try_s > 0, entry.address.at.bytes[1] == 2);
}

/* As often as in Core somebody new is asked for his headers, once the chain is there. */
TEST(one_more_for_blocks_only_is_tried_every_few_minutes, struct fixture *f)
{
    const struct p2p_options few = {.max_connections = P2P_FULL_OUTBOUND};
    mesh_init(&f->mesh, 98, &f->builder, NULL);
    for (int is_few = 0; is_few < 2; is_few++) {
        struct mesh_node *a = mesh_add(&f->mesh, is_few ? &few : NULL, NULL);
        int64_t now_s = env_unix_s(sim_env_get(a->sim));
        struct net_peer_address address = {.services = SERVICES, .time = (uint32_t)now_s};
        const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
        size_t n_tries = 0;
        mesh_give(a, block);
        for (size_t i = 0; i < P2P_FULL_OUTBOUND + P2P_BLOCK_ONLY_OUTBOUND; i++) {
            struct net_address at;
            uint16_t port = (uint16_t)(600 + 20 * is_few + (int)i);
            enum peer_class class = i < P2P_FULL_OUTBOUND ? PEER_FULL : PEER_BLOCK_ONLY;
            assert_true(net_address_parse("10.9.9.9", port, &at));
            struct raw_peer *raw = raw_listen(&f->mesh, port);
            assert_non_null(dial(a->p2p, &at, class, false));
            raw_handshake(raw, SERVICES);
            raw_send_headers(raw, &block, 1); /* it knows as much as we do, and may stay */
        }
        a->p2p->connect.next_feeler_us = INT64_MAX;
        assert_true(net_address_parse("8.1.0.1", 8333, &address.at));
        (void)address_book_add(a->p2p->book, &address, ADDRESS_SOURCE_DNS, &address.at, 0, now_s);
        for (int i = 0; i < 3600; i++) {
            int64_t before_us = a->p2p->connect.next_extra_us;
            mesh_run(&f->mesh, 1000000);
            n_tries += a->p2p->connect.next_extra_us != before_us;
        }
        if (is_few)
            assert_int_equal(n_tries, 0);
        else
            assert_in_range(n_tries, 5, 24); /* 12 on average */
    }
}

/* Of an address at the port of another service and one at a port of ours, which is dialled? */
static void dial_of_two(struct fixture *f, bool has_good, int64_t *bad_try_s, int64_t *good_try_s)
{
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    static const char *const texts[] = {"8.1.0.1:25", "8.2.0.1:8333"};
    int64_t now = env_unix_s(sim_env_get(a->sim));
    for (size_t i = 0; i < (has_good ? 2 : 1); i++) {
        struct net_peer_address address = {.services = SERVICES, .time = (uint32_t)now};
        assert_true(net_address_parse(texts[i], 1, &address.at));
        (void)address_book_add(p2p_address_book(a->p2p), &address, ADDRESS_SOURCE_DNS, &address.at,
                               0, now);
    }
    /* Until the first is dialled: the next slot has to take what is left. */
    for (int i = 0; i < 1000 && *bad_try_s == 0 && *good_try_s == 0; i++) {
        mesh_run(&f->mesh, 10000);
        size_t at = 0;
        struct address_entry entry;
        while (address_book_next(p2p_address_book(a->p2p), &at, &entry))
            *(entry.address.at.port == 25 ? bad_try_s : good_try_s) = entry.last_try_s;
    }
}

TEST(ports_of_other_services_are_dialled_only_for_lack_of_others, struct fixture *f)
{
    int64_t bad_s = 0, good_s = 0;
    mesh_init(&f->mesh, 96, &f->builder, NULL);
    dial_of_two(f, true, &bad_s, &good_s);
    assert_true(good_s > 0 && bad_s == 0);
    good_s = 0;
    dial_of_two(f, false, &bad_s, &good_s);
    assert_true(bad_s > 0);
}

TEST(inbound_peers_are_limited_and_make_room, struct fixture *f)
{
    /* 11 are kept for those that we call, though we call nobody here. */
    struct p2p_options options = {.max_connections = 56, .connect_only = true};
    struct mesh_node *a = fixture_node(f, 95, &options, NULL);
    enum { N = 60 };
    struct raw_peer *raw[N];
    size_t open = 0;
    for (int i = 0; i < N; i++)
        raw[i] = raw_join(&f->mesh, a, SERVICES);
    mesh_run(&f->mesh, 1000000);
    for (int i = 0; i < N; i++)
        open += !raw[i]->is_closed;
    assert_int_equal(open, 45);
    assert_int_equal(mesh_count_ready(a), 45);
    assert_false(raw[0]->is_closed); /* who has been here longest stays */
    assert_false(raw[N - 1]->is_closed);
}

/* Version without relay of transactions, verack; no more. */
static struct raw_peer *join_block_only(struct fixture *f, struct mesh_node *node)
{
    struct raw_peer *raw = raw_connect(&f->mesh, node);
    struct wire_version version = {.version = WIRE_PROTOCOL_VERSION, .services = SERVICES};
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    mesh_run(&f->mesh, 200000);
    wire_version_encode(&w, &version);
    raw_send(raw, "version", bytes, w.len);
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&f->mesh, 200000);
    return raw;
}

static struct raw_peer *call_with_relay(struct fixture *f, struct mesh_node *node)
{
    struct raw_peer *raw = raw_connect(&f->mesh, node);
    mesh_run(&f->mesh, 200000);
    raw_send_version(raw, SERVICES, WIRE_PROTOCOL_VERSION, 1);
    mesh_run(&f->mesh, 200000);
    return raw;
}

/* -inboundrelaypercent: 9 places, of which 4 may relay transactions; among so few all are
 * protected, so it is the newcomer that goes. Who wants blocks only finds the others. */
TEST(some_places_are_kept_for_who_wants_blocks_only, struct fixture *f)
{
    struct p2p_options options = {
        .max_connections = 20, .connect_only = true, .inbound_reserved_percent = 50};
    struct mesh_node *a = fixture_node(f, 96, &options, NULL);
    struct raw_peer *relaying[4];
    for (int i = 0; i < 4; i++)
        relaying[i] = raw_join(&f->mesh, a, SERVICES);
    assert_true(call_with_relay(f, a)->is_closed);
    for (int i = 0; i < 5; i++)
        assert_false(join_block_only(f, a)->is_closed);
    for (int i = 0; i < 4; i++)
        assert_false(relaying[i]->is_closed);
    assert_int_equal(mesh_count_ready(a), 9);
    raw_free(relaying[0]); /* its place is free for another */
    mesh_run(&f->mesh, 100000);
    (void)raw_join(&f->mesh, a, SERVICES);
    assert_int_equal(mesh_count_ready(a), 9);
}

/* With 0 nobody may, with 100 everybody; and who is trusted always. */
TEST(the_part_of_those_who_relay_may_be_none_or_all, struct fixture *f)
{
    static const char *const trusted[] = {"noban@10.9.0.0/16"};
    mesh_init(&f->mesh, 97, &f->builder, NULL);
    for (int i = 0; i < 3; i++) {
        struct p2p_options options = {.max_connections = 20,
                                      .connect_only = true,
                                      .inbound_reserved_percent = i == 1 ? 0 : 100,
                                      .whitelist = trusted,
                                      .n_whitelist = i == 2};
        struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
        assert_int_equal(call_with_relay(f, a)->is_closed, i == 0);
    }
}

/* Ban a range for an hour, as setban does. */
static void ban(struct mesh_node *node, const char *text)
{
    const struct env *env = sim_env_get(node->sim);
    int64_t now_s = env_unix_s(env);
    struct ban entry = {.created_s = now_s, .until_s = now_s + 3600};
    assert_true(ban_range_parse(text, &entry.range));
    assert_true(ban_list_add(p2p_bans(node->p2p), &entry));
    p2p_disconnect_range(node->p2p, &entry.range);
}

TEST(who_is_banned_is_dropped_and_does_not_come_in, struct fixture *f)
{
    mesh_init(&f->mesh, 99, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_connect(b, a);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    ban(a, "10.9.0.0/16"); /* the scripted peer's */
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
    raw_free(raw);
    assert_int_equal(mesh_count_ready(a), 1); /* the other stays */
    raw = raw_connect(&f->mesh, a);
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
    assert_int_equal(raw->bytes_got, 0);
    raw_free(raw);
    mesh_run(&f->mesh, INT64_C(3600) * 1000000); /* it has ended */
    raw = raw_join(&f->mesh, a, SERVICES);
    assert_false(raw->is_closed);
}

TEST(a_ban_drops_whom_we_called_too, struct fixture *f)
{
    mesh_init(&f->mesh, 100, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    assert_int_equal(p2p_try_node(a->p2p, "10.0.2.1:18444", false), NET_RESULT_OK);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(mesh_count_ready(a), 1);
    ban(a, "10.0.2.1");
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(mesh_count_ready(a), 0);
    assert_int_equal(mesh_count_ready(b), 0);
    /* But for the user's own word, as in Core. */
    assert_int_equal(p2p_try_node(a->p2p, "10.0.2.1:18444", false), NET_RESULT_OK);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(mesh_count_ready(a), 1);
}

TEST(the_permission_noban_is_stronger_than_a_ban, struct fixture *f)
{
    static const char *const whitelist[] = {"noban@10.9.9.9"};
    struct p2p_options options = {.connect_only = true, .whitelist = whitelist, .n_whitelist = 1};
    struct mesh_node *a = fixture_node(f, 101, &options, NULL);
    ban(a, "10.0.0.0/8");
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    assert_false(raw->is_closed);
    ban(a, "10.9.9.9"); /* who is connected is dropped all the same, as in Core */
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
}

TEST(who_is_banned_is_neither_dialled_nor_told_to_others, struct fixture *f)
{
    struct sim_net_options net = {.latency_min_us = 1000, .latency_max_us = 1000};
    mesh_init(&f->mesh, 102, &f->builder, &net);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    const struct env *env = sim_env_get(a->sim);
    static const char *const hosts[] = {"8.1.0.1", "8.2.0.1"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct net_peer_address address = {.services = SERVICES, .time = (uint32_t)env_unix_s(env)};
        assert_true(net_address_parse(hosts[i], 8333, &address.at));
        (void)address_book_add(p2p_address_book(a->p2p), &address, ADDRESS_SOURCE_DNS, &address.at,
                               0, env_unix_s(env));
    }
    ban(a, "8.1.0.0/16");
    struct net_peer_address *list;
    assert_int_equal(p2p_sample_addresses(a->p2p, 0, 0, NET_NONE, &list), 1);
    assert_int_equal(list[0].at.bytes[1], 2);
    xfree(list);
    mesh_run(&f->mesh, 60000000);
    size_t at = 0, n = 0;
    struct address_entry entry;
    while (address_book_next(p2p_address_book(a->p2p), &at, &entry)) {
        assert_int_equal(entry.last_try_s > 0, entry.address.at.bytes[1] == 2);
        n++;
    }
    assert_int_equal(n, 2);
}

TEST(the_network_can_be_switched_off_and_on, struct fixture *f)
{
    mesh_init(&f->mesh, 96, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_connect(a, b);
    p2p_set_active(a->p2p, false);
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(mesh_count_ready(a), 0);
    assert_int_equal(mesh_count_ready(b), 0);
    assert_int_equal(p2p_try_node(b->p2p, "10.0.1.1:18444", false), NET_RESULT_OK);
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(mesh_count_ready(b), 0);
    struct p2p_info info;
    p2p_info(a->p2p, &info);
    assert_false(info.is_active);
    p2p_set_active(a->p2p, true);
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(mesh_count_ready(a), 1);
}

TEST(an_address_in_use_is_told_to_the_user, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 98, NULL, NULL);
    struct p2p_bind bind = {.address = "10.0.1.1:18444"};
    struct p2p_options options = {
        .user_agent = "/x/", .listen = true, .binds = &bind, .n_binds = 1};
    struct p2p *other =
        p2p_new(sim_env_get(a->sim), NULL, &a->network, a->chain, a->mempool, &options, NULL);
    char *error = NULL;
    assert_false(p2p_start(other, &error));
    assert_non_null(strstr(error, "10.0.1.1:18444"));
    xfree(error);
    p2p_stop(other);
    p2p_free(other);
}
