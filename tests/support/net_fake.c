/* net_fake.c - see net_fake.h. */
#include "support/net_fake.h"

#include <stdio.h>
#include <string.h>

#include "util/assert.h"

static void each_peer(void *ctx, net_peer_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    for (size_t i = 0; i < fake->n_peers; i++)
        fn(arg, &fake->peers[i]);
}

static void each_added(void *ctx, net_added_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    for (size_t i = 0; i < fake->n_added; i++)
        fn(arg, fake->added[i].address, fake->added[i].peer);
}

static void info(void *ctx, net_info_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    fn(arg, &fake->info);
}

static bool addresses(void *ctx, size_t max, const char *network, net_node_address_fn *fn,
                      void *arg)
{
    struct net_fake *fake = ctx;
    size_t n = 0;
    if (network && strcmp(network, "ipv4") != 0 && strcmp(network, "onion") != 0)
        return false;
    for (size_t i = 0; i < fake->n_addresses && (max == 0 || n < max); i++) {
        if (network && strcmp(network, fake->addresses[i].network) != 0)
            continue;
        n++;
        fn(arg, &fake->addresses[i]);
    }
    return true;
}

static void addrman(void *ctx, net_addrman_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    for (size_t i = 0; i < fake->n_counts; i++)
        fn(arg, &fake->counts[i]);
}

static void book(void *ctx, net_book_place_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    for (size_t i = 0; i < fake->n_places; i++)
        fn(arg, &fake->places[i]);
}

static void eclipse_risk(void *ctx, net_eclipse_risk_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    fn(arg, &fake->risk);
}

static void each_orphan(void *ctx, net_orphan_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    for (size_t i = 0; i < fake->n_orphans; i++)
        fn(arg, &fake->orphans[i]);
}

static void each_private(void *ctx, net_private_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    for (size_t i = 0; i < fake->n_privates; i++)
        fn(arg, &fake->privates[i]);
}

static bool is_private_reachable(const void *ctx)
{
    return ((const struct net_fake *)ctx)->is_private_reachable;
}

static enum net_result send_privately(void *ctx, const struct txid *txid, const struct wtxid *wtxid,
                                      struct span raw)
{
    struct net_fake *fake = ctx;
    (void)wtxid;
    ASSERT(raw.len > 0);
    fake->sent = *txid;
    fake->n_sent++;
    return fake->result;
}

static size_t abort_private(void *ctx, const uint8_t id[32], net_private_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    size_t n = 0;
    for (size_t i = 0; i < fake->n_privates; i++) {
        const struct net_private_tx *tx = &fake->privates[i];
        if (memcmp(tx->txid->b, id, 32) != 0 && memcmp(tx->wtxid->b, id, 32) != 0)
            continue;
        fn(arg, tx);
        n++;
    }
    return n;
}

static void each_ban(void *ctx, net_ban_fn *fn, void *arg)
{
    struct net_fake *fake = ctx;
    for (size_t i = 0; i < fake->n_bans; i++)
        fn(arg, &fake->bans[i]);
}

/* -- Orders --------------------------------------------------------------------------------- */

static enum net_result note(struct net_fake *fake, const char *verb, const char *what)
{
    int len = snprintf(fake->order, sizeof fake->order, "%s %s", verb, what);
    ASSERT(len > 0 && (size_t)len < sizeof fake->order);
    return fake->result;
}

static enum net_result note_id(struct net_fake *fake, const char *verb, uint64_t id)
{
    char text[32];
    snprintf(text, sizeof text, "#%llu", (unsigned long long)id);
    return note(fake, verb, text);
}

static enum net_result add_node(void *ctx, const char *address, bool use_v2)
{
    return note(ctx, use_v2 ? "add v2" : "add", address);
}

static enum net_result remove_node(void *ctx, const char *address)
{
    return note(ctx, "remove", address);
}

static enum net_result try_node(void *ctx, const char *address, bool use_v2)
{
    return note(ctx, use_v2 ? "try v2" : "try", address);
}

static enum net_result add_address(void *ctx, const char *host, uint16_t port, bool is_tried,
                                   int64_t now_s)
{
    struct net_fake *fake = ctx;
    (void)now_s;
    snprintf(fake->order, sizeof fake->order, "address %s %u %d", host, port, is_tried);
    return fake->result;
}

static enum net_result open_connection(void *ctx, const char *address, const char *type,
                                       bool use_v2)
{
    char verb[40];
    snprintf(verb, sizeof verb, "%s%s", type, use_v2 ? " v2" : "");
    return note(ctx, verb, address);
}

/* As often as a test has said, a connection is still being made. */
static bool is_dialling(void *ctx, const char *address)
{
    struct net_fake *fake = ctx;
    (void)address;
    return fake->n_dialling > 0 && fake->n_dialling-- > 0;
}

static enum net_result send_message(void *ctx, uint64_t peer, const char *name, struct span payload)
{
    char text[40];
    snprintf(text, sizeof text, "#%llu %s %zu", (unsigned long long)peer, name, payload.len);
    return note(ctx, "send", text);
}

static enum net_result disconnect_address(void *ctx, const char *address)
{
    return note(ctx, "disconnect", address);
}

static enum net_result disconnect_id(void *ctx, uint64_t id)
{
    return note_id(ctx, "disconnect", id);
}

static enum net_result ban(void *ctx, const char *subnet, int64_t seconds, bool is_absolute)
{
    char text[40];
    snprintf(text, sizeof text, "%s %s %lld", subnet, is_absolute ? "until" : "for",
             (long long)seconds);
    return note(ctx, "ban", text);
}

static enum net_result unban(void *ctx, const char *subnet)
{
    return note(ctx, "unban", subnet);
}

static void clear_bans(void *ctx)
{
    (void)note(ctx, "clear", "bans");
}

static void save_bans(void *ctx, net_saved_fn *done, void *arg)
{
    struct net_fake *fake = ctx;
    fake->n_saves++;
    done(arg, fake->save_error);
}

static void ping_all(void *ctx)
{
    struct net_fake *fake = ctx;
    fake->n_pings++;
}

static bool set_active(void *ctx, bool is_active)
{
    struct net_fake *fake = ctx;
    fake->info.is_active = is_active;
    return is_active;
}

static const char *get_block(void *ctx, const struct block_hash *hash, uint64_t peer)
{
    struct net_fake *fake = ctx;
    fake->asked = *hash;
    note_id(fake, "get", peer);
    return fake->error;
}

void net_fake_init(struct net_fake *fake)
{
    *fake = (struct net_fake){.view = {.ctx = fake,
                                       .mesh = fake,
                                       .bans = fake,
                                       .each_peer = each_peer,
                                       .each_added = each_added,
                                       .info = info,
                                       .addresses = addresses,
                                       .addrman = addrman,
                                       .book = book,
                                       .eclipse_risk = eclipse_risk,
                                       .send_message = send_message,
                                       .each_orphan = each_orphan,
                                       .each_private = each_private,
                                       .is_private_reachable = is_private_reachable,
                                       .send_privately = send_privately,
                                       .abort_private = abort_private,
                                       .each_ban = each_ban,
                                       .add_node = add_node,
                                       .remove_node = remove_node,
                                       .try_node = try_node,
                                       .open_connection = open_connection,
                                       .is_dialling = is_dialling,
                                       .add_address = add_address,
                                       .disconnect_address = disconnect_address,
                                       .disconnect_id = disconnect_id,
                                       .ban = ban,
                                       .unban = unban,
                                       .clear_bans = clear_bans,
                                       .save_bans = save_bans,
                                       .ping_all = ping_all,
                                       .set_active = set_active,
                                       .get_block = get_block}};
}
