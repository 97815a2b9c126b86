/* test_port_map.c - the port is opened at the gateway, told, renewed, and lost. */
#include "p2p/port_map.h"

#include "p2p/state.h"
#include "sim/sim_gateway.h"
#include "support/mesh_fixture.h"

#define SECOND INT64_C(1000000)

FIXTURE(mesh_setup, mesh_teardown)

/* What the gateway is, and how often it was asked. */
struct gateway {
    bool is_silent, refuses, is_inside;
    uint32_t lifetime_s;
    size_t n_asked, n_asked_ipv6;
};

static size_t answer(void *arg, struct span question, uint8_t *out)
{
    struct gateway *gateway = arg;
    gateway->n_asked++;
    if (gateway->is_silent || question.len != 60)
        return 0;
    memcpy(out, question.p, 60);
    out[1] = 0x81;
    out[3] = gateway->refuses ? 2 : 0;
    out[4] = out[5] = 0;
    out[6] = (uint8_t)(gateway->lifetime_s >> 8);
    out[7] = (uint8_t)gateway->lifetime_s;
    memset(out + 8, 0, 16);
    if (memcmp(question.p + 8, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) != 0) {
        gateway->n_asked_ipv6++;
        memcpy(out + 44, question.p + 8, 16); /* it maps nothing, but lets through */
        return 60;
    }
    memcpy(out + 56, gateway->is_inside ? "\x0a\x00\x00\x07" : "\xcb\x00\x72\x07", 4);
    return 60;
}

static struct p2p *start(struct fixture *f, uint64_t seed, struct gateway *gateway)
{
    const struct p2p_options options = {.connect_only = true, .map_port = true};
    struct p2p *p2p = fixture_node(f, seed, &options, NULL)->p2p;
    sim_env_set_gateway(f->node->sim, "192.168.1.1", "192.168.1.5", answer, gateway);
    return p2p;
}

TEST(the_address_that_the_gateway_gives_is_told, struct fixture *f)
{
    struct gateway gateway = {.lifetime_s = 600};
    struct p2p *p2p = start(f, 1, &gateway);
    char text[NET_ADDRESS_TEXT_MAX];
    mesh_run(&f->mesh, SECOND);
    assert_int_equal(p2p->local.n, 1);
    assert_string_equal(net_address_format(&p2p->local.at[0].at, text), "203.0.114.7:18444");
    assert_int_equal(gateway.n_asked, 1);
    mesh_run(&f->mesh, 290 * SECOND);
    assert_int_equal(gateway.n_asked, 1);
    mesh_run(&f->mesh, 20 * SECOND); /* half of its time is over */
    assert_int_equal(gateway.n_asked, 2);
    assert_int_equal(p2p->local.n, 1);
}

TEST(a_long_mapping_is_renewed_all_the_same, struct fixture *f)
{
    struct gateway gateway = {.lifetime_s = 60000};
    (void)start(f, 2, &gateway);
    mesh_run(&f->mesh, PORT_MAP_RENEW_US - SECOND);
    assert_int_equal(gateway.n_asked, 1);
    mesh_run(&f->mesh, 3 * SECOND);
    assert_int_equal(gateway.n_asked, 2);
}

TEST(a_silent_gateway_is_asked_three_times_and_later_again, struct fixture *f)
{
    struct gateway gateway = {.is_silent = true};
    struct p2p *p2p = start(f, 3, &gateway);
    mesh_run(&f->mesh, 100 * SECOND);
    assert_int_equal(gateway.n_asked, PCP_TRIES);
    assert_int_equal(p2p->port_map.at[0].socket, 0);
    mesh_run(&f->mesh, PORT_MAP_RETRY_US);
    assert_int_equal(gateway.n_asked, 2 * PCP_TRIES);
    assert_int_equal(p2p->local.n, 0);
}

/* There is another gateway behind this one. */
TEST(an_address_that_others_cannot_reach_is_not_told, struct fixture *f)
{
    struct gateway gateway = {.lifetime_s = 600, .is_inside = true};
    struct p2p *p2p = start(f, 6, &gateway);
    mesh_run(&f->mesh, SECOND);
    assert_int_equal(p2p->port_map.at[0].pcp.step, PCP_DONE);
    assert_int_equal(p2p->local.n, 0);
    gateway.is_inside = false;
    mesh_run(&f->mesh, 310 * SECOND);
    assert_int_equal(p2p->local.n, 1);
}

TEST(an_address_that_is_lost_is_told_no_more, struct fixture *f)
{
    struct gateway gateway = {.lifetime_s = 600};
    struct p2p *p2p = start(f, 4, &gateway);
    mesh_run(&f->mesh, SECOND);
    assert_int_equal(p2p->local.n, 1);
    gateway.refuses = true;
    mesh_run(&f->mesh, 310 * SECOND);
    assert_int_equal(p2p->local.n, 0);
}

TEST(nobody_is_asked_without_the_option_or_a_gateway, struct fixture *f)
{
    const struct p2p_options options = {.connect_only = true, .map_port = true};
    struct p2p *p2p = fixture_node(f, 5, &options, NULL)->p2p;
    mesh_run(&f->mesh, 2 * PORT_MAP_RETRY_US);
    assert_int_equal(p2p->local.n, 0);
    assert_int_equal(p2p->port_map.at[0].socket, 0);
}

#define GATEWAY6 "fe80::1%eth0"

TEST(each_address_by_ipv6_gets_a_hole, struct fixture *f)
{
    static const char *const first[] = {"fe80::5", "2001:4860::5", "8.8.4.4", "2001:4860::6"},
                             *const then[] = {"2001:4860::7", "2001:4860::6"};
    const struct p2p_options options = {
        .connect_only = true, .map_port = true, .no_discover = true};
    struct gateway gateway = {.lifetime_s = 6000};
    struct p2p *p2p = fixture_node(f, 7, &options, NULL)->p2p;
    struct net_address seven;
    sim_env_set_gateway(f->node->sim, GATEWAY6, "::", answer, &gateway);
    sim_env_set_addresses(f->node->sim, first, COUNT_OF(first));
    mesh_run(&f->mesh, SECOND);
    assert_int_equal(gateway.n_asked_ipv6, 2);
    assert_int_equal(gateway.n_asked, 2); /* by IPv4 there is none */
    assert_int_equal(p2p->local.n, 2);
    assert_int_equal(p2p->local.at[0].at.port, MESH_PORT);
    sim_env_set_addresses(f->node->sim, then, COUNT_OF(then));
    mesh_run(&f->mesh, PORT_MAP_RETRY_US);
    assert_int_equal(gateway.n_asked_ipv6, 3);
    assert_int_equal(p2p->local.n, 2);
    assert_true(net_address_parse("2001:4860::7", MESH_PORT, &seven));
    assert_true(local_list_has(&p2p->local, &seven));
    gateway.is_silent = true;
    mesh_run(&f->mesh, PORT_MAP_RENEW_US + SECOND * 10);
    assert_int_equal(p2p->local.n, 0);
}

TEST(holes_have_a_limit, struct fixture *f)
{
    static char texts[PORT_MAP_HOLES_MAX + 2][32];
    const char *addresses[COUNT_OF(texts)];
    const struct p2p_options options = {
        .connect_only = true, .map_port = true, .no_discover = true};
    struct gateway gateway = {.lifetime_s = 6000};
    struct p2p *p2p = fixture_node(f, 8, &options, NULL)->p2p;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        snprintf(texts[i], sizeof texts[i], "2001:4860::%zu", i + 1);
        addresses[i] = texts[i];
    }
    sim_env_set_gateway(f->node->sim, GATEWAY6, "::", answer, &gateway);
    sim_env_set_addresses(f->node->sim, addresses, COUNT_OF(texts));
    mesh_run(&f->mesh, SECOND);
    assert_int_equal(p2p->local.n, PORT_MAP_HOLES_MAX);
    assert_int_equal(gateway.n_asked_ipv6, PORT_MAP_HOLES_MAX);
}
