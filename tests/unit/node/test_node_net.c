/* test_node_net.c - the mesh in the form that RPC looks at.
 *
 * The mesh is played by this file: it defines the functions of p2p.h that the module calls. */
#include "node/node_net.h"
#include "support/unit.h"
#include "util/alloc.h"

#define NOW 1700000000

/* -- The mesh, played ----------------------------------------------------------------------- */

struct p2p {
    const struct net_peer_info *peers;
    size_t n_peers;
    const struct net_orphan *orphans;
    size_t n_orphans;
    const char *added[2];
    const struct net_peer_info *added_peers[2];
    size_t n_added;
    struct p2p_info info;
    struct address_book *book;
    char order[80]; /* the last one */
    enum net_result result;
    const char *error;
    struct block_hash asked;
    struct ban_list bans;
};

struct mempool {
    struct mempool_options options;
};

const struct mempool_options *mempool_options_of(const struct mempool *mempool)
{
    return &mempool->options;
}

void p2p_each_peer(void *ctx, net_peer_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    for (size_t i = 0; i < p2p->n_peers; i++)
        fn(arg, &p2p->peers[i]);
}

void p2p_each_orphan(void *ctx, net_orphan_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    for (size_t i = 0; i < p2p->n_orphans; i++)
        fn(arg, &p2p->orphans[i]);
}

void p2p_each_private(void *ctx, net_private_fn *fn, void *arg)
{
    (void)ctx, (void)fn, (void)arg;
}

bool p2p_is_private_reachable(const void *ctx)
{
    return ctx != NULL;
}

enum net_result p2p_send_privately(void *ctx, const struct txid *txid, const struct wtxid *wtxid,
                                   struct span raw)
{
    struct p2p *p2p = ctx;
    (void)txid, (void)wtxid, (void)raw;
    return p2p->result;
}

size_t p2p_abort_private(void *ctx, const uint8_t id[32], net_private_fn *fn, void *arg)
{
    (void)ctx, (void)id, (void)fn, (void)arg;
    return 0;
}

void p2p_each_added(void *ctx, net_added_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    for (size_t i = 0; i < p2p->n_added; i++)
        fn(arg, p2p->added[i], p2p->added_peers[i]);
}

void p2p_info(const struct p2p *p2p, struct p2p_info *info)
{
    *info = p2p->info;
}

void p2p_network_info(const struct p2p *p2p, enum net_network network,
                      struct p2p_network_info *info)
{
    (void)p2p;
    *info = (struct p2p_network_info){.is_reachable = network == NET_IPV4 || network == NET_IPV6,
                                      .proxy = "1.2.3.4:9050",
                                      .randomizes_credentials = network == NET_TORV3};
}

uint32_t p2p_asn(const struct p2p *p2p, const struct net_address *address)
{
    (void)p2p;
    return address->bytes[0];
}

void p2p_eclipse_risk(void *ctx, net_eclipse_risk_fn *fn, void *arg)
{
    const struct net_eclipse_risk risk = {.level = "low"};
    (void)ctx;
    fn(arg, &risk);
}

struct address_book *p2p_address_book(struct p2p *p2p)
{
    return p2p->book;
}

size_t p2p_sample_addresses(struct p2p *p2p, size_t max, unsigned percent, uint8_t network,
                            struct net_peer_address **list)
{
    return address_book_sample(p2p->book, max, percent, network, NOW, list);
}

struct ban_list *p2p_bans(struct p2p *p2p)
{
    return &p2p->bans;
}

void p2p_disconnect_range(struct p2p *p2p, const struct net_range *range)
{
    char text[NET_ADDRESS_TEXT_MAX];
    snprintf(p2p->order, sizeof p2p->order, "drop %.60s", ban_range_format(range, text));
}

static enum net_result note(struct p2p *p2p, const char *verb, const char *what)
{
    snprintf(p2p->order, sizeof p2p->order, "%s %s", verb, what);
    return p2p->result;
}

enum net_result p2p_send_message(void *ctx, uint64_t id, const char *name, struct span payload)
{
    char text[40];
    snprintf(text, sizeof text, "%llu %s %zu", (unsigned long long)id, name, payload.len);
    return note(ctx, "send", text);
}

enum net_result p2p_add_node(void *ctx, const char *address, bool use_v2)
{
    struct p2p *p2p = ctx;
    return note(p2p, use_v2 ? "add v2" : "add", address);
}

enum net_result p2p_open_connection(void *ctx, const char *address, const char *type, bool use_v2)
{
    struct p2p *p2p = ctx;
    (void)type;
    return note(p2p, use_v2 ? "open v2" : "open", address);
}

bool p2p_is_dialling(void *ctx, const char *address)
{
    (void)ctx;
    return address[0] == 'o';
}

/* Addresses of a network that fc stands for. */
struct net_address p2p_flip_address(const struct p2p *p2p, const struct net_address *address)
{
    struct net_address flipped = *address;
    (void)p2p;
    if (flipped.bytes[0] == 0xfc)
        flipped.network = NET_CJDNS;
    return flipped;
}

enum net_result p2p_remove_node(void *ctx, const char *address)
{
    struct p2p *p2p = ctx;
    return note(p2p, "remove", address);
}

enum net_result p2p_try_node(void *ctx, const char *address, bool use_v2)
{
    struct p2p *p2p = ctx;
    return note(p2p, use_v2 ? "try v2" : "try", address);
}

enum net_result p2p_disconnect_address(void *ctx, const char *address)
{
    struct p2p *p2p = ctx;
    return note(p2p, "disconnect", address);
}

enum net_result p2p_disconnect_id(void *ctx, uint64_t id)
{
    struct p2p *p2p = ctx;
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    return note(p2p, "disconnect id", text);
}

void p2p_ping_all(void *ctx)
{
    struct p2p *p2p = ctx;
    note(p2p, "ping", "all");
}

void p2p_set_active(struct p2p *p2p, bool is_active)
{
    p2p->info.is_active = is_active;
}

const char *p2p_get_block_from_peer(void *ctx, const struct block_hash *hash, uint64_t peer)
{
    struct p2p *p2p = ctx;
    p2p->asked = *hash;
    snprintf(p2p->order, sizeof p2p->order, "get %llu", (unsigned long long)peer);
    return p2p->error;
}

/* -- A view of it --------------------------------------------------------------------------- */

static int64_t unix_s(void *ctx)
{
    (void)ctx;
    return NOW;
}

static void no_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 7, len);
}

struct net_rig {
    struct env env;
    struct p2p p2p;
    struct net_grouping grouping;
    struct node_bans *bans;
    struct node_net *net;
    const struct net_view *view;
};

static void rig_init(struct net_rig *rig, const struct mempool *mempool)
{
    *rig = (struct net_rig){.env = {.clock.unix_s = unix_s, .random.fill = no_random}};
    char *warning;
    static const struct node_bans_options options = {0};
    rig->bans = node_bans_new(&rig->env, NULL, &rig->p2p, &options, &warning);
    assert_null(warning);
    rig->net = node_net_new(&rig->p2p, rig->bans, mempool);
    rig->view = node_net_view(rig->net);
}

static void rig_deinit(struct net_rig *rig)
{
    node_net_free(rig->net);
    node_bans_free(rig->bans);
    ban_list_deinit(&rig->p2p.bans);
    address_book_free(rig->p2p.book);
}

static struct net_address address_of(const char *text)
{
    struct net_address address;
    assert_true(net_address_parse(text, 8333, &address));
    return address;
}

/* -- Peers ---------------------------------------------------------------------------------- */

static const struct net_peer_info shown = {.address = "1.2.3.4:8333", .version = 14};

static void see_peer(void *arg, const struct net_peer_info *seen)
{
    assert_ptr_equal(seen, &shown);
    ++*(int *)arg;
}

static void see_orphan(void *arg, const struct net_orphan *seen)
{
    assert_int_equal(seen->weight_wu, 12);
    ++*(int *)arg;
}

TEST(peers_and_orphans_are_handed_on)
{
    static const struct net_orphan orphan = {.weight_wu = 12};
    struct net_rig rig;
    int n = 0;
    rig_init(&rig, NULL);
    rig.p2p.peers = &shown;
    rig.p2p.n_peers = 1;
    rig.p2p.orphans = &orphan;
    rig.p2p.n_orphans = 1;
    rig.view->each_peer(rig.view->mesh, see_peer, &n);
    rig.view->each_orphan(rig.view->mesh, see_orphan, &n);
    assert_int_equal(n, 2);
    rig_deinit(&rig);
}

struct added_seen {
    int n, connected;
    char last[32];
};

static void see_added(void *arg, const char *address, const struct net_peer_info *peer)
{
    struct added_seen *seen = arg;
    seen->n++;
    snprintf(seen->last, sizeof seen->last, "%s", address);
    if (!peer)
        return;
    seen->connected++;
    assert_string_equal(peer->address, "1.2.3.4:8333");
}

TEST(added_nodes_come_with_their_peer)
{
    struct net_rig rig;
    struct added_seen seen = {0};
    rig_init(&rig, NULL);
    rig.p2p.added[0] = "1.2.3.4";
    rig.p2p.added_peers[0] = &shown;
    rig.p2p.added[1] = "5.6.7.8:9";
    rig.p2p.n_added = 2;
    rig.view->each_added(rig.view->mesh, see_added, &seen);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.connected, 1);
    assert_string_equal(seen.last, "5.6.7.8:9");
    rig_deinit(&rig);
}

/* -- The whole ------------------------------------------------------------------------------ */

static void check_info(void *arg, const struct net_info *info)
{
    static const char *const names[] = {"ipv4", "ipv6", "onion", "i2p", "cjdns"};
    const int64_t *fee_sat = arg;
    assert_string_equal(info->user_agent, "/x/");
    assert_int_equal(info->protocol_version, WIRE_PROTOCOL_VERSION);
    assert_int_equal(info->local_services, 1);
    assert_true(info->is_active);
    assert_false(info->relays_txs);
    assert_int_equal(info->n_in, 2);
    assert_int_equal(info->n_out, 3);
    assert_int_equal(info->time_offset_s, -4);
    assert_int_equal(info->bytes_received, 5);
    assert_int_equal(info->bytes_sent, 6);
    assert_int_equal(info->min_relay_sat_per_kvb, *fee_sat);
    assert_int_equal(info->incremental_sat_per_kvb, 2 * *fee_sat);
    assert_int_equal(info->n_networks, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(info->networks[i].name, names[i]);
        assert_int_equal(info->networks[i].is_reachable, i < 2);
        assert_int_equal(info->networks[i].is_limited, i >= 2);
        assert_string_equal(info->networks[i].proxy, "1.2.3.4:9050");
        assert_int_equal(info->networks[i].randomizes_credentials, i == 2);
    }
    assert_int_equal(info->n_local, 2);
    assert_string_equal(info->local[0].host, "1.2.3.4");
    assert_int_equal(info->local[0].port, 8333);
    assert_string_equal(info->local[1].host, "2001:db8::1");
    assert_int_equal(info->local[1].port, 7);
    assert_int_equal(info->local[0].score, 4);
    assert_int_equal(info->local[1].score, 1);
}

TEST(the_state_of_the_network_arrives)
{
    struct local_list local = {.n = 0};
    const struct net_address first = address_of("1.2.3.4"), second = address_of("[2001:db8::1]:7");
    (void)local_list_add(&local, LOCAL_MANUAL, &first);
    (void)local_list_add(&local, LOCAL_INTERFACE, &second);
    const struct mempool mempool = {
        .options = {.min_relay_sat_per_kvb = 100, .incremental_sat_per_kvb = 200}};
    const struct mempool *const mempools[] = {&mempool, NULL};
    for (size_t i = 0; i < COUNT_OF(mempools); i++) {
        struct net_rig rig;
        int64_t fee_sat = mempools[i] ? 100 : 0;
        rig_init(&rig, mempools[i]);
        rig.p2p.info = (struct p2p_info){.user_agent = "/x/",
                                         .local_services = 1,
                                         .is_active = true,
                                         .n_in = 2,
                                         .n_out = 3,
                                         .time_offset_s = -4,
                                         .bytes_received = 5,
                                         .bytes_sent = 6,
                                         .local = &local};
        rig.view->info(rig.view->ctx, check_info, &fee_sat);
        rig_deinit(&rig);
    }
}

/* -- Addresses ------------------------------------------------------------------------------ */

static void add_address(struct net_rig *rig, const char *text)
{
    const struct net_peer_address address = {
        .at = address_of(text), .services = 9, .time = NOW - 100};
    assert_true(
        address_book_add(rig->p2p.book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0, NOW));
}

struct addresses_seen {
    size_t n;
    char last[64];
};

static void see_address(void *arg, const struct net_node_address *address)
{
    struct addresses_seen *seen = arg;
    seen->n++;
    assert_int_equal(address->time_s, NOW - 100);
    assert_int_equal(address->services, 9);
    snprintf(seen->last, sizeof seen->last, "%s %s %u", address->network, address->host,
             address->port);
}

TEST(addresses_can_be_asked_for_by_network)
{
    static const struct {
        size_t max;
        const char *network;
        bool known;
        size_t want;
        const char *last; /* NULL: any */
    } rows[] = {
        {0, NULL, true, 3, NULL},   {1, NULL, true, 1, NULL},
        {9, "ipv4", true, 2, NULL}, {9, "IPv6", true, 1, "ipv6 2a00:1450::1 8334"},
        {9, "onion", true, 0, ""},  {9, "nosuch", false, 0, ""},
        {9, "", false, 0, ""},
    };
    struct net_rig rig;
    rig_init(&rig, NULL);
    rig.p2p.book = address_book_new(&rig.env, &rig.grouping);
    add_address(&rig, "8.1.2.3");
    add_address(&rig, "9.1.2.3");
    add_address(&rig, "[2a00:1450::1]:8334");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct addresses_seen seen = {0};
        bool known =
            rig.view->addresses(rig.view->ctx, rows[i].max, rows[i].network, see_address, &seen);
        assert_int_equal(known, rows[i].known);
        assert_int_equal(seen.n, rows[i].want);
        if (rows[i].last)
            assert_string_equal(seen.last, rows[i].last);
    }
    rig_deinit(&rig);
}

static void see_count(void *arg, const struct net_addrman_count *count)
{
    struct buffer *text = arg;
    buffer_append_format(text, "%s %zu+%zu;", count->name ? count->name : "all", count->n_new,
                         count->n_tried);
}

TEST(addresses_are_counted_by_network)
{
    struct net_rig rig;
    struct buffer text;
    rig_init(&rig, NULL);
    rig.p2p.book = address_book_new(&rig.env, &rig.grouping);
    add_address(&rig, "8.1.2.3");
    add_address(&rig, "9.1.2.3");
    add_address(&rig, "2a00:1450::1");
    const struct net_address good = address_of("8.1.2.3");
    assert_true(address_book_good(rig.p2p.book, &good, NOW));
    buffer_init(&text);
    rig.view->addrman(rig.view->ctx, see_count, &text);
    buffer_append(&text, "", 1);
    assert_string_equal((const char *)text.p,
                        "ipv4 1+1;ipv6 1+0;onion 0+0;i2p 0+0;cjdns 0+0;all 2+1;");
    buffer_deinit(&text);
    rig_deinit(&rig);
}

static void see_place(void *arg, const struct net_book_place *place)
{
    struct buffer *text = arg;
    buffer_append_format(text, "%s %s:%u of %s %s as %u %u;", place->is_tried ? "tried" : "new",
                         place->address.host, place->address.port, place->source,
                         place->source_network, place->asn, place->source_asn);
}

TEST(the_book_is_shown_place_by_place)
{
    struct net_rig rig;
    struct buffer text;
    rig_init(&rig, NULL);
    rig.p2p.book = address_book_new(&rig.env, &rig.grouping);
    add_address(&rig, "8.1.2.3");
    struct net_peer_address told = {.at = address_of("9.1.2.3"), .services = 9, .time = NOW};
    struct net_address seed = net_address_of_internal("seed.example");
    assert_true(address_book_add(rig.p2p.book, &told, ADDRESS_SOURCE_DNS, &seed, 0, NOW));
    const struct net_address good = address_of("8.1.2.3");
    assert_true(address_book_good(rig.p2p.book, &good, NOW));
    buffer_init(&text);
    rig.view->book(rig.view->ctx, see_place, &text);
    buffer_append(&text, "", 1);
    assert_string_equal((const char *)text.p,
                        "new 9.1.2.3:8333 of p45umcapata4dier.internal internal "
                        "as 9 253;"
                        "tried 8.1.2.3:8333 of 8.1.2.3 ipv4 as 8 8;");
    buffer_deinit(&text);
    rig_deinit(&rig);
}

/* As many as tests fill the book with: they count as told by peers, not by our user. */
TEST(a_test_fills_the_address_book)
{
    struct net_rig rig;
    char host[NET_ADDRESS_TEXT_MAX];
    rig_init(&rig, NULL);
    rig.p2p.book = address_book_new(&rig.env, &rig.grouping);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(host, sizeof host, "%u.%u.1.1", 20 + (i >> 8), i % 256);
        (void)rig.view->add_address(rig.view->ctx, host, 8333, false, NOW);
    }
    assert_true(address_book_count_of(rig.p2p.book, NET_IPV4, false) > 500);
    assert_int_equal(rig.view->add_address(rig.view->ctx, "x", 8333, false, NOW),
                     NET_RESULT_BAD_ADDRESS);
    assert_int_equal(rig.view->add_address(rig.view->ctx, "fc00::1", 8333, false, NOW),
                     NET_RESULT_OK);
    assert_int_equal(address_book_count_of(rig.p2p.book, NET_CJDNS, false), 1);
    rig_deinit(&rig);
}

/* -- Orders --------------------------------------------------------------------------------- */

static void count_ban(void *arg, const struct net_ban *ban)
{
    assert_true(ban->until_s > ban->created_s);
    ++*(int *)arg;
}

static void count_save(void *arg, int error)
{
    assert_int_equal(error, 0);
    ++*(int *)arg;
}

TEST(orders_are_passed_on)
{
    struct net_rig rig;
    struct block_hash hash = {{1, 2, 3}};
    rig_init(&rig, NULL);
    void *mesh = rig.view->mesh, *bans = rig.view->bans;
    assert_int_equal(rig.view->add_node(mesh, "a", false), NET_RESULT_OK);
    assert_string_equal(rig.p2p.order, "add a");
    assert_int_equal(rig.view->remove_node(mesh, "b"), NET_RESULT_OK);
    assert_string_equal(rig.p2p.order, "remove b");
    assert_int_equal(rig.view->open_connection(mesh, "o", "feeler", false), NET_RESULT_OK);
    assert_string_equal(rig.p2p.order, "open o");
    assert_true(rig.view->is_dialling(mesh, "o"));
    assert_int_equal(rig.view->try_node(mesh, "c", false), NET_RESULT_OK);
    assert_string_equal(rig.p2p.order, "try c");
    assert_int_equal(rig.view->disconnect_address(mesh, "d"), NET_RESULT_OK);
    assert_string_equal(rig.p2p.order, "disconnect d");
    assert_int_equal(rig.view->disconnect_id(mesh, UINT64_MAX), NET_RESULT_OK);
    assert_string_equal(rig.p2p.order, "disconnect id 18446744073709551615");
    assert_int_equal(rig.view->ban(bans, "1.2.3.4", NOW + 9, true), NET_RESULT_OK);
    assert_string_equal(rig.p2p.order, "drop 1.2.3.4/32");
    assert_int_equal(rig.p2p.bans.at[0].until_s, NOW + 9);
    assert_int_equal(rig.view->ban(bans, "::1", 7, false), NET_RESULT_OK);
    assert_int_equal(rig.p2p.bans.at[1].until_s, NOW + 7);
    int n_bans = 0, n_saves = 0;
    rig.view->each_ban(bans, count_ban, &n_bans);
    assert_int_equal(n_bans, 2);
    assert_int_equal(rig.view->unban(bans, "::1"), NET_RESULT_OK);
    assert_int_equal(rig.view->unban(bans, "::1"), NET_RESULT_UNKNOWN);
    rig.view->clear_bans(bans);
    assert_int_equal(rig.p2p.bans.n, 0);
    rig.view->save_bans(bans, count_save, &n_saves);
    assert_int_equal(n_saves, 1);
    rig.view->ping_all(mesh);
    assert_string_equal(rig.p2p.order, "ping all");
    assert_true(rig.view->set_active(rig.view->ctx, true));
    assert_true(rig.p2p.info.is_active);
    assert_false(rig.view->set_active(rig.view->ctx, false));
    assert_null(rig.view->get_block(mesh, &hash, 5));
    assert_string_equal(rig.p2p.order, "get 5");
    assert_memory_equal(rig.p2p.asked.b, hash.b, sizeof hash.b);
    rig.p2p.error = "Peer does not exist";
    assert_string_equal(rig.view->get_block(mesh, &hash, 5), "Peer does not exist");
    rig_deinit(&rig);
}
