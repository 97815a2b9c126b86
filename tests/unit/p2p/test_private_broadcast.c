/* test_private_broadcast.c - a transaction of ours is given to strangers who learn nothing of us.
 */
#include "p2p/private_broadcast.h"

#include "p2p/core/frame.h"
#include "p2p/state.h"
#include "support/byte_peer.h"
#include "support/mesh_fixture.h"

#define SECOND INT64_C(1000000)
#define TOR    9050
#define ONION  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:18444"

/* A mesh whose node has coins, knows Tor's proxy, and one address in Tor. */
struct world {
    struct fixture f;
    struct byte_peer tor;
    const struct built_block *tip;
    struct p2p *p2p;
    uint8_t payload[FRAME_HEADER_BYTES + 4096];
};

static int setup(void **state)
{
    (void)mesh_setup_as(state, sizeof(struct world));
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    byte_peer_close(&w->tor);
    return mesh_teardown(state);
}

FIXTURE(setup, teardown)

static void start(struct world *w, uint64_t seed)
{
    const struct p2p_options options = {
        .connect_only = true,
        .private_broadcast = true,
        .reach = {.proxies = {[NET_TORV3] = {.address = BYTE_PEER_ADDRESS, .port = TOR}}}};
    struct net_peer_address address = {.services = SERVICES};
    w->f.node = rich_node(&w->f, seed, &options, &w->tip);
    w->p2p = w->f.node->p2p;
    byte_peer_listen(&w->tor, &w->f.mesh, TOR);
    address.time = (uint32_t)p2p_now_s(w->p2p);
    assert_true(net_address_parse(ONION, 0, &address.at));
    assert_true(address_book_add(w->p2p->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0,
                                 p2p_now_s(w->p2p)));
}

static enum net_result send_privately(struct world *w, const struct tx *tx)
{
    return p2p_send_privately(w->p2p, &tx->txid, &tx->wtxid, tx->raw);
}

/* The proxy connects the node. */
static void connect_through(struct world *w, size_t stream)
{
    byte_peer_expect(&w->tor, stream, "\x05\x01\x00", 3);
    byte_peer_send(&w->tor, stream, "\x05\x00", 2);
    mesh_run(&w->f.mesh, SECOND);
    assert_int_equal(w->tor.streams[stream].got.len, 4 + 1 + 62 + 2);
    w->tor.streams[stream].got.len = 0;
    byte_peer_send(&w->tor, stream, "\x05\x00\x00\x01\0\0\0\0\0\0", 10);
}

/* The next message on that stream, which must be of that name. */
static struct span expect(struct world *w, size_t stream, const char *name)
{
    struct buffer *got = &w->tor.streams[stream].got;
    mesh_run(&w->f.mesh, SECOND);
    assert_true(got->len >= FRAME_HEADER_BYTES);
    size_t len = got->p[16] | (size_t)got->p[17] << 8;
    assert_string_equal((const char *)got->p + 4, name);
    assert_in_range(FRAME_HEADER_BYTES + len, 0, got->len);
    assert_in_range(len, 0, sizeof w->payload);
    memcpy(w->payload, got->p + FRAME_HEADER_BYTES, len);
    got->len -= FRAME_HEADER_BYTES + len;
    memmove(got->p, got->p + FRAME_HEADER_BYTES + len, got->len);
    return span_of(w->payload, len);
}

static void say(struct world *w, size_t stream, const char *name, struct span payload)
{
    uint8_t header[FRAME_HEADER_BYTES], checksum[4];
    frame_checksum(payload, checksum);
    frame_header_encode(header, w->p2p->network->magic, name, payload.len, checksum);
    byte_peer_send(&w->tor, stream, header, sizeof header);
    if (payload.len > 0)
        byte_peer_send(&w->tor, stream, payload.p, payload.len);
}

static void greet(struct world *w, size_t stream, bool relays)
{
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct writer out = writer_to_buffer(bytes, sizeof bytes);
    struct wire_version theirs = {.version = 70016,
                                  .services = SERVICES,
                                  .time = p2p_now_s(w->p2p),
                                  .nonce = 77,
                                  .user_agent = "/them/",
                                  .relay = relays};
    wire_version_encode(&out, &theirs);
    say(w, stream, "version", span_of(bytes, out.len));
}

/* Up to the announcement. */
static void shake_hands(struct world *w, size_t stream, const struct tx *tx)
{
    connect_through(w, stream);
    (void)expect(w, stream, "version");
    greet(w, stream, true);
    assert_int_equal(expect(w, stream, "verack").len, 0);
    assert_int_equal(w->tor.streams[stream].got.len, 0); /* nor anything else */
    say(w, stream, "verack", span_of(NULL, 0));
    struct span inv = expect(w, stream, "inv");
    assert_int_equal(inv.len, 1 + WIRE_INV_BYTES);
    assert_memory_equal(inv.p, "\x01\x01\0\0\0", 5);
    assert_memory_equal(inv.p + 5, tx->txid.b, 32);
}

static void ask(struct world *w, size_t stream, const uint8_t id[32])
{
    uint8_t bytes[37] = {1, INV_TX};
    memcpy(bytes + 5, id, 32);
    say(w, stream, "getdata", span_of(bytes, sizeof bytes));
}

static void give_to(struct world *w, size_t stream, const struct tx *tx)
{
    shake_hands(w, stream, tx);
    ask(w, stream, tx->txid.b);
    struct span raw = expect(w, stream, "tx");
    assert_int_equal(raw.len, tx->raw.len);
    assert_memory_equal(raw.p, tx->raw.p, raw.len);
    struct span nonce = expect(w, stream, "ping");
    say(w, stream, "pong", nonce);
    byte_peer_await_close(&w->tor, stream);
}

/* What is shown of the queue. */
struct shown {
    size_t n, n_peers, n_received;
};

static void note(void *arg, const struct net_private_tx *tx)
{
    struct shown *shown = arg;
    shown->n++;
    shown->n_peers += tx->n_peers;
    for (size_t i = 0; i < tx->n_peers; i++)
        shown->n_received += tx->peers[i].received_s != 0;
}

static struct shown look(struct world *w)
{
    struct shown shown = {0};
    p2p_each_private(w->p2p, note, &shown);
    return shown;
}

TEST(three_strangers_are_given_it_and_learn_nothing, struct world *w)
{
    start(w, 61);
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    assert_int_equal(send_privately(w, &tx), NET_RESULT_OK);
    assert_int_equal(send_privately(w, &tx), NET_RESULT_EXISTS);
    connect_through(w, 0);
    struct span payload = expect(w, 0, "version");
    struct reader r = reader_of(payload);
    struct wire_version ours;
    assert_true(wire_version_decode(&r, &ours));
    assert_int_equal(ours.version, WIRE_PROTOCOL_VERSION);
    assert_int_equal(ours.services, 0);
    assert_int_equal(ours.time, 0);
    assert_int_equal(ours.receiver_services, 0);
    assert_int_equal(ours.start_height, 0);
    assert_false(ours.relay);
    assert_string_equal(ours.user_agent, "/pynode:0.0.1/");
    env_stream_close(w->tor.env, w->tor.streams[0].id); /* this one does not count */
    for (size_t i = 1; i <= PRIVATE_PEERS_PER_TX; i++)
        give_to(w, i, &tx);
    mesh_run(&w->f.mesh, 60 * SECOND);
    assert_int_equal(w->tor.n_streams, 1 + PRIVATE_PEERS_PER_TX);
    struct shown shown = look(w);
    assert_int_equal(shown.n, 1);
    assert_int_equal(shown.n_peers, PRIVATE_PEERS_PER_TX);
    assert_int_equal(shown.n_received, PRIVATE_PEERS_PER_TX);
    assert_null(mempool_find(w->f.node->mempool, &tx.txid));
}

TEST(it_is_done_with_when_it_comes_back, struct world *w)
{
    start(w, 62);
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    give_to(w, 0, &tx);
    give_tx(w->f.node, &tx); /* as from anybody */
    assert_int_equal(look(w).n, 0);
    mesh_run(&w->f.mesh, 600 * SECOND);
    assert_in_range(w->tor.n_streams, 1, 2); /* one may have been on its way */
}

TEST(what_does_not_come_back_is_given_to_others, struct world *w)
{
    start(w, 63);
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    for (size_t i = 0; i < PRIVATE_PEERS_PER_TX; i++)
        give_to(w, i, &tx);
    mesh_run(&w->f.mesh, 400 * SECOND);
    assert_true(w->tor.n_streams > PRIVATE_PEERS_PER_TX);
    assert_int_equal(look(w).n, 1);
}

/* Another transaction has spent its coins meanwhile. */
TEST(what_can_come_back_no_more_is_given_up, struct world *w)
{
    start(w, 64);
    struct tx tx = spend(&w->f, w->tip, 1, 1000), other = spend(&w->f, w->tip, 1, 100000);
    (void)send_privately(w, &tx);
    for (size_t i = 0; i < PRIVATE_PEERS_PER_TX; i++)
        give_to(w, i, &tx);
    give_tx(w->f.node, &other);
    mesh_run(&w->f.mesh, 400 * SECOND);
    assert_int_equal(look(w).n, 0);
    assert_int_equal(w->tor.n_streams, PRIVATE_PEERS_PER_TX);
}

TEST(who_asks_for_anything_else_gets_nothing, struct world *w)
{
    start(w, 65);
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    shake_hands(w, 0, &tx);
    ask(w, 0, (const uint8_t[32]){1});
    byte_peer_await_close(&w->tor, 0);
    assert_int_equal(w->tor.streams[0].got.len, 0);
    shake_hands(w, 1, &tx);
    say(w, 1, "getaddr", span_of(NULL, 0));
    say(w, 1, "mempool", span_of(NULL, 0));
    say(w, 1, "ping", span_of_string("12345678"));
    mesh_run(&w->f.mesh, 5 * SECOND);
    assert_int_equal(w->tor.streams[1].got.len, 0); /* and is waited for */
    assert_false(w->tor.streams[1].is_closed);
    mesh_run(&w->f.mesh, PRIVATE_LIFETIME_US);
    assert_true(w->tor.streams[1].is_closed);
}

TEST(a_pong_that_was_not_asked_for_says_nothing, struct world *w)
{
    start(w, 66);
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    shake_hands(w, 0, &tx);
    say(w, 0, "pong", span_of_string("12345678"));
    p2p_ping_all(w->p2p); /* the user's ping is not for it */
    mesh_run(&w->f.mesh, SECOND);
    assert_int_equal(w->tor.streams[0].got.len, 0);
    assert_false(w->tor.streams[0].is_closed);
    assert_int_equal(look(w).n_received, 0);
}

TEST(who_relays_nothing_is_of_no_use, struct world *w)
{
    start(w, 67);
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    connect_through(w, 0);
    (void)expect(w, 0, "version");
    greet(w, 0, false);
    byte_peer_await_close(&w->tor, 0);
    assert_int_equal(look(w).n_peers, 0);
    byte_peer_await(&w->tor, 2);
}

TEST(what_is_let_be_is_given_to_nobody, struct world *w)
{
    struct shown shown = {0};
    start(w, 68);
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    assert_int_equal(p2p_abort_private(w->p2p, (const uint8_t[32]){1}, note, &shown), 0);
    assert_int_equal(p2p_abort_private(w->p2p, tx.wtxid.b, note, &shown), 1);
    assert_int_equal(shown.n, 1);
    assert_int_equal(look(w).n, 0);
    assert_int_equal(w->p2p->private_txs.n_to_open, 0);
    mesh_run(&w->f.mesh, 10 * SECOND);
    assert_int_equal(w->tor.n_streams, 0);
}

/* What goes while the queue is looked through was before the place or behind it. */
TEST(a_look_at_what_is_stale_passes_over_nobody, struct world *w)
{
    struct shown shown = {0};
    struct tx txs[3];
    start(w, 71);
    for (int32_t i = 0; i < 3; i++) {
        txs[i] = spend(&w->f, w->tip, i + 1, 1000);
        assert_int_equal(send_privately(w, &txs[i]), NET_RESULT_OK);
    }
    w->p2p->private_txs.recheck_at = 2; /* the third is next */
    assert_int_equal(p2p_abort_private(w->p2p, txs[0].txid.b, note, &shown), 1);
    assert_int_equal(w->p2p->private_txs.recheck_at, 1);
    assert_int_equal(p2p_abort_private(w->p2p, txs[2].txid.b, note, &shown), 1);
    assert_int_equal(w->p2p->private_txs.recheck_at, 1);
}

/* One address that hides us among thousands that do not. */
TEST(who_may_be_called_is_found_in_any_crowd, struct world *w)
{
    start(w, 72);
    for (uint32_t i = 0; i < 3000; i++) {
        const uint8_t bytes[4] = {(uint8_t)(20 + i / 250), (uint8_t)(i % 250), 1, 1};
        struct net_peer_address address = {.at = net_address_of_ipv4(bytes, 8333),
                                           .services = SERVICES,
                                           .time = (uint32_t)p2p_now_s(w->p2p)};
        (void)address_book_add(w->p2p->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0,
                               p2p_now_s(w->p2p));
    }
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    mesh_run(&w->f.mesh, SECOND / 2);
    assert_int_equal(w->tor.n_streams, 1);
}

/* One attempt for each that is wanted, however many are queued. */
TEST(connections_have_a_limit, struct world *w)
{
    start(w, 69);
    for (int32_t i = 1; i <= 20; i++) {
        struct tx tx = spend(&w->f, w->tip, i, 1000);
        assert_int_equal(send_privately(w, &tx), NET_RESULT_OK);
    }
    for (uint8_t i = 0; i < 2 * PRIVATE_CONNECTIONS_MAX; i++) {
        struct net_peer_address address = {.at = {.network = NET_TORV3, .port = 1},
                                           .services = SERVICES,
                                           .time = (uint32_t)p2p_now_s(w->p2p)};
        memset(address.at.bytes, i, sizeof address.at.bytes);
        (void)address_book_add(w->p2p->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0,
                               p2p_now_s(w->p2p));
    }
    w->p2p->private_txs.n_to_open = 1000; /* the proxy takes them and says nothing */
    size_t most = 0;
    for (int i = 0; i < 200; i++) {
        size_t n = 0;
        mesh_run(&w->f.mesh, SECOND / 10);
        for (const struct peer *peer = w->p2p->peers; peer; peer = peer->next)
            n += peer_is_private(peer);
        most = MAX_OF(most, n);
    }
    assert_int_equal(most, PRIVATE_CONNECTIONS_MAX);
}

TEST(only_who_hides_us_is_called, struct world *w)
{
    start(w, 70);
    assert_true(p2p_is_private_reachable(w->p2p));
    w->p2p->reach.by_network[NET_TORV3].address[0] = '\0';
    assert_false(p2p_is_private_reachable(w->p2p));
    struct tx tx = spend(&w->f, w->tip, 1, 1000);
    (void)send_privately(w, &tx);
    mesh_run(&w->f.mesh, 20 * SECOND);
    assert_int_equal(w->tor.n_streams, 0);
    assert_null(w->p2p->peers);
}
