/* test_welcome.c - who is banned, who has misbehaved, and who hears of them. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(who_is_banned_or_has_misbehaved_is_not_welcome, struct fixture *f)
{
    mesh_init(&f->mesh, 54, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    static const uint8_t hosts[3][4] = {{32, 1, 1, 1}, {32, 2, 2, 2}, {32, 3, 3, 3}};
    struct net_address banned = net_address_of_ipv4(hosts[0], 1);
    struct net_address bad = net_address_of_ipv4(hosts[1], 1);
    struct net_address good = net_address_of_ipv4(hosts[2], 1);
    struct ban entry = {.until_s = p2p_now_s(p2p) + 100};
    uint8_t id[32];
    assert_true(ban_range_parse("32.1.0.0/16", &entry.range));
    assert_true(ban_list_add(&p2p->bans, &entry));
    net_address_host_id(&bad, id);
    (void)recent_set_add(&p2p->discouraged, id);
    bad.port = 2; /* at any port */
    assert_true(p2p_is_banned(p2p, &banned) && !p2p_is_discouraged(p2p, &banned));
    assert_true(p2p_is_discouraged(p2p, &bad) && !p2p_is_banned(p2p, &bad));
    assert_true(p2p_is_unwelcome(p2p, &banned) && p2p_is_unwelcome(p2p, &bad));
    assert_false(p2p_is_unwelcome(p2p, &good));
    mesh_run(&f->mesh, 101000000);
    assert_false(p2p_is_unwelcome(p2p, &banned));
}

TEST(nobody_is_told_of_who_is_not_welcome, struct fixture *f)
{
    mesh_init(&f->mesh, 55, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    uint8_t host[4] = {32, 0, 0, 1};
    for (uint8_t i = 0; i < 2; i++) {
        host[1] = i;
        struct net_peer_address address = {.at = net_address_of_ipv4(host, 8333),
                                           .services = NODE_NETWORK | NODE_WITNESS,
                                           .time = (uint32_t)p2p_now_s(p2p)};
        assert_true(address_book_add(p2p->book, &address, ADDRESS_SOURCE_MANUAL, &address.at, 0,
                                     p2p_now_s(p2p)));
    }
    struct ban entry = {.until_s = p2p_now_s(p2p) + 100};
    assert_true(ban_range_parse("32.1.0.0/16", &entry.range));
    struct net_peer_address *list;
    assert_int_equal(p2p_sample_addresses(p2p, 10, 0, NET_NONE, &list), 2);
    xfree(list);
    assert_true(ban_list_add(&p2p->bans, &entry));
    assert_int_equal(p2p_sample_addresses(p2p, 10, 0, NET_NONE, &list), 1);
    assert_int_equal(list[0].at.bytes[1], 0);
    xfree(list);
}

/* Hazard 57: however many misbehave, the first of them are forgotten. */
TEST(so_many_are_remembered_to_have_misbehaved, struct fixture *f)
{
    mesh_init(&f->mesh, 56, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    struct net_address address = {0};
    uint8_t id[32], host[4] = {32};
    for (uint32_t i = 0; i < 2 * DISCOURAGED_MAX + 1; i++) {
        host[1] = (uint8_t)(i >> 16);
        host[2] = (uint8_t)(i >> 8);
        host[3] = (uint8_t)i;
        address = net_address_of_ipv4(host, 8333);
        net_address_host_id(&address, id);
        (void)recent_set_add(&p2p->discouraged, id);
    }
    assert_true(p2p_is_discouraged(p2p, &address));
    address = net_address_of_ipv4((const uint8_t[4]){32, 0, 0, 0}, 8333);
    assert_false(p2p_is_discouraged(p2p, &address));
    assert_true(p2p->discouraged.count <= DISCOURAGED_MAX);
}
