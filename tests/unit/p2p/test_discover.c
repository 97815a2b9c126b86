/* test_discover.c - which addresses of this machine others are told. */
#include "p2p/discover.h"

#include "p2p/state.h"
#include "support/mesh_fixture.h"

static const char *const machine[] = {"8.8.4.4", "192.168.1.5", "2001:4860::5", "fe80::1", "x"};

FIXTURE(mesh_setup, mesh_teardown)

/* What a node tells of itself, " " between them. */
static const char *told(struct fixture *f, const struct p2p_options *options)
{
    static char text[400];
    f->mesh.machine = machine;
    f->mesh.n_machine = COUNT_OF(machine);
    struct p2p *p2p = mesh_add(&f->mesh, options, NULL)->p2p;
    text[0] = '\0';
    for (size_t i = 0; i < p2p->local.n; i++) {
        char one[NET_ADDRESS_TEXT_MAX];
        strcat(text, text[0] ? " " : "");
        strcat(text, net_address_format(&p2p->local.at[i].at, one));
    }
    return text;
}

#define ALL "8.8.4.4:19000 [2001:4860::5]:19000"

TEST(who_listens_everywhere_has_the_addresses_of_all_interfaces, struct fixture *f)
{
    static const struct p2p_bind any = {.address = "0.0.0.0:700"},
                                 friends = {.address = "0.0.0.0:700", .is_untold = true},
                                 one = {.address = "8.8.8.8:700"},
                                 tor = {.address = "8.8.8.8:700", .is_onion = true};
    const struct {
        const struct p2p_bind *bind;
        const char *want;
    } rows[] = {{NULL, ALL}, {&any, ALL}, {&one, "8.8.8.8:700"}, {&friends, ""}, {&tor, ""}};
    mesh_init(&f->mesh, 1, &f->builder, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct p2p_options options = {.connect_only = true,
                                      .own_port = 19000,
                                      .binds = rows[i].bind,
                                      .n_binds = rows[i].bind != NULL};
        assert_string_equal(told(f, &options), rows[i].want);
        options.no_discover = true;
        assert_string_equal(told(f, &options), "");
    }
}

TEST(what_cannot_be_reached_is_not_told, struct fixture *f)
{
    const struct p2p_options options = {
        .connect_only = true, .own_port = 19000, .reach = {.only_networks = 1u << NET_IPV6}};
    mesh_init(&f->mesh, 2, &f->builder, NULL);
    assert_string_equal(told(f, &options), "[2001:4860::5]:19000");
}

TEST(what_the_user_names_has_the_port_that_he_names, struct fixture *f)
{
    static const char *const external[] = {"8.8.4.4:5", "1.2.3.4"};
    const struct p2p_options options = {
        .connect_only = true, .own_port = 19000, .external = external, .n_external = 2};
    mesh_init(&f->mesh, 3, &f->builder, NULL);
    assert_string_equal(told(f, &options), "8.8.4.4:5 1.2.3.4:18444 [2001:4860::5]:19000");
}

/* Of our addresses a peer is told the one in its own network. */
TEST(a_peer_is_told_what_it_reaches_best, struct fixture *f)
{
    static const char *const ours[] = {"2001:4860::5", "8.8.4.4"};
    mesh_init(&f->mesh, 4, &f->builder, NULL);
    f->mesh.machine = ours;
    f->mesh.n_machine = COUNT_OF(ours);
    for (uint16_t i = 0; i < 8; i++) {
        char name[32], text[NET_ADDRESS_TEXT_MAX];
        const char *const nodes[] = {name};
        const struct p2p_options options = {.connect_only = true, .connect = nodes, .n_connect = 1};
        struct net_peer_address self;
        snprintf(name, sizeof name, "10.9.9.9:%d", 700 + i);
        struct raw_peer *raw = raw_listen(&f->mesh, (uint16_t)(700 + i));
        (void)mesh_add(&f->mesh, &options, NULL);
        raw_handshake(raw, SERVICES);
        struct span message = raw_find(raw, "addrv2", 600000000);
        assert_non_null(message.p);
        struct reader r = reader_of(message);
        assert_int_equal(read_compact_size(&r), 1);
        wire_address_decode(&r, true, &self);
        assert_string_equal(net_address_format(&self.at, text), "8.8.4.4:18444");
        raw_free(raw);
    }
}
