/* test_addr_relay.c - addresses are taken at a bounded rate, passed on to few, told once. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* An addrv2 message of n addresses that differ in their groups. */
static void send_addresses(struct raw_peer *raw, uint32_t first, size_t n, int64_t time_s)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_compact_size(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t number = 0x20000000 + (first + i) * 65537;
        uint8_t ip[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                         (uint8_t)number};
        struct net_peer_address address = {
            .at = net_address_of_ipv4(ip, 8333), .services = SERVICES, .time = (uint32_t)time_s};
        wire_address_encode(&w, true, &address);
    }
    raw_send(raw, "addrv2", bytes.p, bytes.len);
    buffer_deinit(&bytes);
}

static int64_t now_s(const struct raw_peer *raw)
{
    return env_unix_s(raw->env);
}

TEST(unasked_addresses_are_taken_slowly, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 81, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    send_addresses(raw, 0, 1000, now_s(raw));
    mesh_run(&f->mesh, 1000000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.addr_processed, 1);
    assert_int_equal(info.addr_rate_limited, 999);
    assert_true(info.is_addr_relay);
    mesh_run(&f->mesh, 100000000); /* a tenth in a second: ten more */
    send_addresses(raw, 2000, 1000, now_s(raw));
    mesh_run(&f->mesh, 1000000);
    assert_true(mesh_peer_info(a, 0, &info));
    assert_in_range(info.addr_processed, 10, 12);
    assert_int_equal(address_book_count(p2p_address_book(a->p2p)), info.addr_processed);
}

TEST(the_answer_to_our_getaddr_is_taken_whole, struct fixture *f)
{
    static const char *const nodes[] = {"10.9.9.9:700"};
    struct p2p_options options = {.connect_only = true, .connect = nodes, .n_connect = 1};
    mesh_init(&f->mesh, 82, &f->builder, NULL);
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    raw_handshake(raw, SERVICES);
    assert_int_equal(raw_count(raw, "getaddr"), 1);
    send_addresses(raw, 0, 1000, now_s(raw) - 3600);
    mesh_run(&f->mesh, 1000000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.addr_processed, 1000);
    assert_true(address_book_count(p2p_address_book(a->p2p)) > 500);
}

TEST(news_are_passed_on_to_two_at_most, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 83, NULL, NULL);
    struct raw_peer *raw[6];
    for (int i = 0; i < 6; i++) {
        raw[i] = raw_join(&f->mesh, a, SERVICES);
        raw_send(raw[i], "getaddr", NULL, 0); /* takes part */
    }
    mesh_run(&f->mesh, 1000000);
    size_t before = 0, after = 0;
    for (int i = 0; i < 6; i++)
        before += raw_count(raw[i], "addrv2");
    send_addresses(raw[0], 5, 1, now_s(raw[0]));
    mesh_run(&f->mesh, 400000000);
    for (int i = 0; i < 6; i++)
        after += raw_count(raw[i], "addrv2");
    assert_int_equal(after - before, 2);
    assert_int_equal(raw_count(raw[0], "addrv2"), 0);
}

TEST(old_news_are_kept_but_not_passed_on, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 84, NULL, NULL);
    struct raw_peer *one = raw_connect(&f->mesh, a), *two = raw_connect(&f->mesh, a);
    raw_handshake(one, SERVICES);
    raw_handshake(two, SERVICES);
    raw_send(two, "getaddr", NULL, 0);
    send_addresses(one, 5, 1, now_s(one) - 601);
    mesh_run(&f->mesh, 400000000);
    assert_int_equal(raw_count(two, "addrv2"), 0);
    assert_int_equal(address_book_count(p2p_address_book(a->p2p)), 1);
}

TEST(getaddr_is_answered_once_with_a_part_of_the_book, struct fixture *f)
{
    static const char *const nodes[] = {"10.9.9.9:700"};
    struct p2p_options options = {.connect_only = true, .connect = nodes, .n_connect = 1};
    mesh_init(&f->mesh, 85, &f->builder, NULL);
    struct raw_peer *source = raw_listen(&f->mesh, 700);
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    raw_handshake(source, SERVICES);
    send_addresses(source, 0, 1000, now_s(source) - 3600);
    mesh_run(&f->mesh, 1000000);
    struct raw_peer *raw = raw_connect(&f->mesh, a), *other = raw_connect(&f->mesh, a);
    raw_handshake(raw, SERVICES);
    raw_handshake(other, SERVICES);
    raw_send(raw, "getaddr", NULL, 0);
    struct span one = raw_expect(raw, "addrv2");
    struct reader r = reader_of(one);
    size_t n = (size_t)read_compact_size(&r);
    size_t known = address_book_count(p2p_address_book(a->p2p));
    assert_int_equal(n, known * ADDRESS_BOOK_SAMPLE_PERCENT / 100);
    raw_send(raw, "getaddr", NULL, 0);
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(raw_count(raw, "addrv2"), 1);
    /* Another one gets the same answer: asking twice tells no more. */
    raw_send(other, "getaddr", NULL, 0);
    struct span two = raw_expect(other, "addrv2");
    assert_true(span_equal(one, two));
    /* Whom we connected to gets none. */
    raw_send(source, "getaddr", NULL, 0);
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(raw_count(source, "addrv2"), 0);
}

/* Who asks at two addresses of ours learns by the answers that they differ, not that they are one
 * node's. */
TEST(who_comes_in_elsewhere_gets_another_answer, struct fixture *f)
{
    static const char *const nodes[] = {"10.9.9.9:700"};
    static const struct p2p_bind binds[] = {{.address = "10.0.1.1:18444"},
                                            {.address = "10.0.1.1:18555"}};
    struct p2p_options options = {.connect_only = true,
                                  .connect = nodes,
                                  .n_connect = 1,
                                  .binds = binds,
                                  .n_binds = COUNT_OF(binds)};
    mesh_init(&f->mesh, 86, &f->builder, NULL);
    struct raw_peer *source = raw_listen(&f->mesh, 700);
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    raw_handshake(source, SERVICES);
    send_addresses(source, 0, 1000, now_s(source) - 3600);
    mesh_run(&f->mesh, 1000000);
    struct raw_peer *raw[3] = {raw_connect(&f->mesh, a), raw_connect_at(&f->mesh, a, 18555),
                               raw_connect_at(&f->mesh, a, 18555)};
    struct span answer[3];
    for (size_t i = 0; i < 3; i++) {
        raw_handshake(raw[i], SERVICES);
        raw_send(raw[i], "getaddr", NULL, 0);
        answer[i] = raw_expect(raw[i], "addrv2");
    }
    assert_false(span_equal(answer[0], answer[1]));
    assert_true(span_equal(answer[1], answer[2]));
}

/* The host misbehaved: no port of it is worth keeping or telling. */
TEST(discouraged_hosts_are_not_taken_in_at_any_port, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 87, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    static const uint8_t bad[4] = {0x20, 0, 0, 0};
    struct net_address address = net_address_of_ipv4(bad, 9999);
    uint8_t id[32];
    net_address_host_id(&address, id);
    (void)recent_set_add(&a->p2p->discouraged, id);
    send_addresses(raw, 0, 1, now_s(raw)); /* that host at another port */
    mesh_run(&f->mesh, 11000000);
    assert_int_equal(address_book_count(a->p2p->book), 0);
    assert_int_equal(a->p2p->peers->addr.processed, 0);
    send_addresses(raw, 1, 1, now_s(raw));
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(address_book_count(a->p2p->book), 1);
    assert_int_equal(a->p2p->peers->addr.processed, 1);
}

TEST(a_peer_without_addrv2_is_told_in_the_old_form, struct fixture *f)
{
    static const char *const external[] = {"8.8.4.4"};
    static const char *const nodes[] = {"10.9.9.9:700"};
    struct p2p_options options = {.connect_only = true,
                                  .connect = nodes,
                                  .n_connect = 1,
                                  .external = external,
                                  .n_external = 1};
    mesh_init(&f->mesh, 86, &f->builder, NULL);
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    (void)mesh_add(&f->mesh, &options, NULL);
    (void)raw_expect(raw, "version");
    raw_send_version(raw, SERVICES, 70015, 4);
    raw_send(raw, "verack", NULL, 0);
    struct span message = raw_find(raw, "addr", 300000000);
    assert_int_equal(message.len, 31); /* ourselves */
    struct reader r = reader_of(message);
    (void)read_compact_size(&r);
    struct net_peer_address self;
    wire_address_decode(&r, false, &self);
    char text[NET_ADDRESS_TEXT_MAX];
    assert_string_equal(net_address_format(&self.at, text), "8.8.4.4:18444");
    assert_int_equal(raw_count(raw, "sendaddrv2"), 0);
}

TEST(what_peers_see_of_us_is_told_unless_the_user_forbids_it, struct fixture *f)
{
    static const char *const nodes[] = {"10.9.9.9:700", "10.9.9.9:701"};
    mesh_init(&f->mesh, 87, &f->builder, NULL);
    for (int is_forbidden = 0; is_forbidden < 2; is_forbidden++) {
        struct p2p_options options = {.connect_only = true,
                                      .listen = true,
                                      .connect = &nodes[is_forbidden],
                                      .n_connect = 1,
                                      .no_discover = is_forbidden};
        struct raw_peer *raw = raw_listen(&f->mesh, (uint16_t)(700 + is_forbidden));
        (void)mesh_add(&f->mesh, &options, NULL);
        (void)raw_expect(raw, "version");
        struct wire_version version = {.version = 70015, .services = SERVICES, .nonce = 5};
        assert_true(net_address_parse("8.8.4.4:5", 0, &version.receiver));
        uint8_t bytes[WIRE_VERSION_BYTES_MAX];
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        wire_version_encode(&w, &version);
        raw_send(raw, "version", bytes, w.len);
        raw_send(raw, "verack", NULL, 0);
        struct span message = raw_find(raw, "addr", 600000000);
        assert_int_equal(message.len, is_forbidden ? 0 : 31);
        raw_free(raw);
    }
}

TEST(too_many_addresses_are_a_fault, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 87, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    send_addresses(raw, 0, 1001, now_s(raw));
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
}
