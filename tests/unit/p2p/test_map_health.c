/* test_map_health.c - once a day the log says how well the map of operators fits. */
#include "p2p/map_health.h"

#include "p2p/state.h"
#include "support/mesh_fixture.h"

#define HEAD "ASMap Health Check: "

FIXTURE(mesh_setup, mesh_teardown)

struct lines {
    size_t n;
    char last[200];
};

static void note(void *ctx, enum log_level level, enum log_category category, const char *line)
{
    struct lines *lines = ctx;
    (void)level, (void)category;
    const char *at = strstr(line, HEAD);
    if (!at)
        return;
    lines->n++;
    snprintf(lines->last, sizeof lines->last, "%s", at + strlen(HEAD));
}

TEST(the_map_is_looked_at_once_a_day, struct fixture *f)
{
    static const uint8_t map[] = {0x00, 0xc0, 0x00}; /* all are operator 7's */
    static const char *const texts[] = {"8.8.4.4", "9.9.9.9", "2001:4860::5"};
    const struct p2p_options options = {.connect_only = true};
    struct lines lines = {0};
    const struct log log = {.write = note, .ctx = &lines};
    struct p2p *p2p = fixture_node(f, 1, &options, NULL)->p2p;
    const struct log *own = p2p->log;
    p2p->log = &log;
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(lines.n, 0); /* there is no map */
    net_grouping_use_asmap(&p2p->grouping, span_of(map, sizeof map));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct net_peer_address address = {.services = SERVICES};
        address.time = (uint32_t)p2p_now_s(p2p);
        assert_true(net_address_parse(texts[i], 8333, &address.at));
        (void)address_book_add(p2p->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0,
                               p2p_now_s(p2p));
    }
    p2p_schedule_now(p2p);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(lines.n, 1);
    assert_string_equal(lines.last,
                        "3 clearnet peers are mapped to 1 ASNs with 0 peers being unmapped");
    mesh_run(&f->mesh, MAP_HEALTH_US - 2000000);
    assert_int_equal(lines.n, 1);
    mesh_run(&f->mesh, 3000000);
    assert_int_equal(lines.n, 2);
    p2p_advance(p2p, MAP_HEALTH_US); /* mockscheduler */
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(lines.n, 3);
    p2p->log = own;
}
