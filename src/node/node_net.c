/* node_net.c - the mesh in the form that the RPC methods look at. */
#include "node/node_net.h"

#include "p2p/core/hidden_name.h"
#include "util/alloc.h"

/* Owns nothing but itself. */
struct node_net {
    struct p2p *p2p;
    struct node_bans *bans;
    const struct mempool *mempool;
    struct net_view view;
};

/* In the order that Core lists them in. */
static const enum net_network networks[] = {NET_IPV4, NET_IPV6, NET_TORV3, NET_I2P, NET_CJDNS};

/* -- The whole ------------------------------------------------------------------------------ */

/* Our addresses as text. Returns: all of them in an allocation that holds the texts too */
static struct net_local_address *convert_local(const struct local_list *local)
{
    size_t size = sizeof(struct net_local_address) + NET_ADDRESS_TEXT_MAX;
    struct net_local_address *out = xcalloc(local->n + 1, size);
    char *texts = (char *)(out + local->n);
    for (size_t i = 0; i < local->n; i++)
        out[i] = (struct net_local_address){
            .host = net_address_format_host(&local->at[i].at, texts + i * NET_ADDRESS_TEXT_MAX),
            .port = local->at[i].at.port,
            .score = local_score(&local->at[i]),
        };
    return out;
}

/* Out: known  what states points to */
static void show_networks(const struct p2p *p2p, struct p2p_network_info *known,
                          struct net_network_state *states)
{
    for (size_t i = 0; i < COUNT_OF(networks); i++) {
        p2p_network_info(p2p, networks[i], &known[i]);
        states[i] = (struct net_network_state){
            .name = net_network_name(networks[i]),
            .is_limited = !known[i].is_reachable,
            .is_reachable = known[i].is_reachable,
            .proxy = known[i].proxy,
            .randomizes_credentials = known[i].randomizes_credentials,
        };
    }
}

static void info(void *ctx, net_info_fn *fn, void *arg)
{
    struct node_net *net = ctx;
    struct net_network_state states[COUNT_OF(networks)];
    struct p2p_network_info known[COUNT_OF(networks)];
    struct p2p_info have;
    p2p_info(net->p2p, &have);
    show_networks(net->p2p, known, states);
    struct net_local_address *local = convert_local(have.local);
    struct net_info shown = {
        .user_agent = have.user_agent,
        .protocol_version = WIRE_PROTOCOL_VERSION,
        .local_services = have.local_services,
        .is_active = have.is_active,
        .relays_txs = have.relays_txs,
        .n_in = have.n_in,
        .n_out = have.n_out,
        .time_offset_s = have.time_offset_s,
        .bytes_received = have.bytes_received,
        .bytes_sent = have.bytes_sent,
        .upload = have.upload,
        .networks = states,
        .n_networks = COUNT_OF(states),
        .local = local,
        .n_local = have.local->n,
    };
    if (net->mempool) {
        const struct mempool_options *options = mempool_options_of(net->mempool);
        shown.min_relay_sat_per_kvb = options->min_relay_sat_per_kvb;
        shown.incremental_sat_per_kvb = options->incremental_sat_per_kvb;
    }
    fn(arg, &shown);
    xfree(local);
}

/* -- Addresses ------------------------------------------------------------------------------ */

static bool addresses(void *ctx, size_t max, const char *network, net_node_address_fn *fn,
                      void *arg)
{
    struct node_net *net = ctx;
    enum net_network wanted = network ? net_network_of(network) : NET_NONE;
    if (network && wanted == NET_NONE)
        return false;
    struct net_peer_address *list;
    size_t n = p2p_sample_addresses(net->p2p, max, 0, wanted, &list);
    for (size_t i = 0; i < n; i++) {
        char host[NET_ADDRESS_TEXT_MAX];
        const struct net_node_address address = {
            .time_s = list[i].time,
            .services = list[i].services,
            .host = net_address_format_host(&list[i].at, host),
            .network = net_address_network_name(&list[i].at),
            .port = list[i].at.port,
        };
        fn(arg, &address);
    }
    xfree(list);
    return true;
}

static void addrman(void *ctx, net_addrman_fn *fn, void *arg)
{
    struct node_net *net = ctx;
    const struct address_book *book = p2p_address_book(net->p2p);
    for (size_t i = 0; i <= COUNT_OF(networks); i++) {
        bool is_sum = i == COUNT_OF(networks);
        uint8_t network = is_sum ? NET_NONE : (uint8_t)networks[i];
        const struct net_addrman_count count = {
            .name = is_sum ? NULL : net_network_name(networks[i]),
            .n_new = address_book_count_of(book, network, false),
            .n_tried = address_book_count_of(book, network, true),
        };
        fn(arg, &count);
    }
}

/* -- The book --------------------------------------------------------------------------------- */

static void show_place(const struct p2p *p2p, bool is_tried, const struct address_place *place,
                       net_book_place_fn *fn, void *arg)
{
    const struct net_peer_address *address = &place->entry.address;
    char host[NET_ADDRESS_TEXT_MAX], source[NET_ADDRESS_TEXT_MAX];
    const struct net_book_place shown = {
        .is_tried = is_tried,
        .bucket = place->bucket,
        .position = place->position,
        .address = {.time_s = address->time,
                    .services = address->services,
                    .host = net_address_format_host(&address->at, host),
                    .network = net_address_network_name(&address->at),
                    .port = address->at.port},
        .asn = p2p_asn(p2p, &address->at),
        .source_asn = p2p_asn(p2p, &place->entry.told_by),
        .source = net_address_format_host(&place->entry.told_by, source),
        .source_network = net_address_network_name(&place->entry.told_by),
    };
    fn(arg, &shown);
}

static void book(void *ctx, net_book_place_fn *fn, void *arg)
{
    const struct node_net *net = ctx;
    const struct address_book *addresses = p2p_address_book(net->p2p);
    for (int tried = 0; tried < 2; tried++) {
        struct address_place place;
        size_t at = 0;
        while (address_book_next_place(addresses, tried, &at, &place))
            show_place(net->p2p, tried, &place, fn, arg);
    }
}

/* -- Orders --------------------------------------------------------------------------------- */

static enum net_result add_address(void *ctx, const char *host, uint16_t port, bool is_tried,
                                   int64_t now_s)
{
    struct node_net *net = ctx;
    struct address_book *book = p2p_address_book(net->p2p);
    struct net_peer_address address = {.services = NODE_NETWORK | NODE_WITNESS};
    if (!hidden_name_parse(host, &address.at) &&
        (!net_address_parse(host, port, &address.at) || address.at.port != port))
        return NET_RESULT_BAD_ADDRESS;
    address.at.port = port;
    address.at = p2p_flip_address(net->p2p, &address.at);
    address.time = (uint32_t)now_s;
    if (!address_book_add(book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0, now_s))
        return NET_RESULT_EXISTS;
    return is_tried && !address_book_good(book, &address.at, now_s) ? NET_RESULT_FULL
                                                                    : NET_RESULT_OK;
}

static bool set_active(void *ctx, bool is_active)
{
    struct node_net *net = ctx;
    struct p2p_info have;
    p2p_set_active(net->p2p, is_active);
    p2p_info(net->p2p, &have);
    return have.is_active;
}

/* -- Life ----------------------------------------------------------------------------------- */

static struct net_view make_view(struct node_net *net, const struct p2p_info *have)
{
    return (struct net_view){
        .ctx = net,
        .mesh = net->p2p,
        .bans = net->bans,
        .has_v2 = have->local_services & NODE_P2P_V2,
        .each_peer = p2p_each_peer,
        .each_added = p2p_each_added,
        .info = info,
        .addresses = addresses,
        .addrman = addrman,
        .book = book,
        .eclipse_risk = p2p_eclipse_risk,
        .each_orphan = p2p_each_orphan,
        .is_private = have->is_private,
        .each_private = p2p_each_private,
        .is_private_reachable = p2p_is_private_reachable,
        .send_privately = p2p_send_privately,
        .abort_private = p2p_abort_private,
        .each_ban = node_bans_each,
        .add_node = p2p_add_node,
        .remove_node = p2p_remove_node,
        .try_node = p2p_try_node,
        .open_connection = p2p_open_connection,
        .is_dialling = p2p_is_dialling,
        .add_address = add_address,
        .send_message = p2p_send_message,
        .disconnect_address = p2p_disconnect_address,
        .disconnect_id = p2p_disconnect_id,
        .ban = node_bans_add,
        .unban = node_bans_remove,
        .clear_bans = node_bans_clear,
        .save_bans = node_bans_save,
        .ping_all = p2p_ping_all,
        .set_active = set_active,
        .get_block = p2p_get_block_from_peer,
    };
}

struct node_net *node_net_new(struct p2p *p2p, struct node_bans *bans,
                              const struct mempool *mempool)
{
    ASSERT(p2p && bans);
    struct node_net *net = xcalloc(1, sizeof *net);
    struct p2p_info have;
    p2p_info(p2p, &have);
    *net = (struct node_net){.p2p = p2p, .bans = bans, .mempool = mempool};
    net->view = make_view(net, &have);

    return net;
}

void node_net_free(struct node_net *net)
{
    xfree(net);
}

const struct net_view *node_net_view(const struct node_net *net)
{
    ASSERT(net);
    return &net->view;
}
