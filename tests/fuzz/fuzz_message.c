/* fuzz_message.c - a whole mesh is told anything by a peer: every message, in any phase.
 *
 * Input: a byte of how to begin (bit 0: no handshake; bit 1: the node dials us), then messages: the
 * row of the table, two bytes of length, that many bytes. Rows beyond the table are sent under a
 * name that nobody knows; bit 7 breaks the checksum. Afterwards the books must balance. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "p2p/session/messages.h"
#include "p2p/state.h"
#include "sim/sim_env.h"
#include "sim/sim_net.h"
#include "support/frame_header.h"
#include "util/alloc.h"

struct world {
    struct sim_events events;
    struct sim_net *net;
    struct sim_env *sim, *peer_sim;
    struct sim_host *host, *peer_host;
    struct chain *chain;
    struct mempool *mempool;
    struct p2p *p2p;
    uint64_t stream;
    bool is_closed, is_done;
};

static void on_connect(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    (void)address, (void)port;
    ((struct world *)arg)->stream = stream;
}

static void on_bytes(void *arg, uint64_t stream, struct span bytes)
{
    (void)arg, (void)stream, (void)bytes;
}

static void on_writable(void *arg, uint64_t stream)
{
    (void)arg, (void)stream;
}

static void on_close(void *arg, uint64_t stream, int error)
{
    (void)stream, (void)error;
    ((struct world *)arg)->is_closed = true;
}

static const struct env_stream_events peer_events = {on_connect, on_bytes, on_writable, on_close};

static void chain_closed(void *arg, int error)
{
    (void)error;
    ((struct world *)arg)->is_done = true;
}

static void pool_closed(void *arg)
{
    ((struct world *)arg)->is_done = true;
}

static void tip_changed(void *ctx, const struct block_node *tip)
{
    struct world *w = ctx;
    if (w->p2p)
        p2p_tip_changed(w->p2p, tip);
}

static void run(struct world *w, int64_t us)
{
    sim_env_run_for(w->peer_sim, us);
}

static void wait(struct world *w)
{
    while (!w->is_done)
        run(w, 1000);
    w->is_done = false;
}

static void open_node(struct world *w, bool dials)
{
    static const char *const to[] = {"10.0.0.2:1"};
    const struct env *env = sim_env_get(w->sim);
    struct chain_options chain_options = {
        .data_dir = "d", .cache_bytes = 1 << 20, .max_tip_age_s = INT64_C(1) << 40};
    struct chain_events chain_events = {.ctx = w, .tip_changed = tip_changed};
    struct mempool_options pool_options = {.max_bytes = 1 << 20, .expiry_s = 1000};
    struct mempool_events pool_events = {0};
    struct p2p_options options = {.user_agent = "/f/",
                                  .listen = true,
                                  .connect_only = true,
                                  .connect = to,
                                  .n_connect = dials};
    char *error = NULL;
    w->chain = chain_new(env, NULL, network_get(NETWORK_REGTEST), &chain_options, &chain_events);
    ASSERT(chain_open(w->chain, &error));
    w->mempool = mempool_new(env, NULL, w->chain, &pool_options, &pool_events);
    w->p2p = p2p_new(env, NULL, network_get(NETWORK_REGTEST), w->chain, w->mempool, &options, NULL);
    ASSERT(p2p_start(w->p2p, &error));
}

static void open_world(struct world *w, bool dials)
{
    struct sim_net_options net = {.latency_min_us = 100, .latency_max_us = 100};
    int error;
    sim_events_init(&w->events, 1000000);
    w->net = sim_net_new(&w->events, 1, &net);
    w->sim = sim_env_new_on(&w->events, 2);
    w->host = sim_net_join(w->net, "10.0.0.1");
    sim_env_set_host(w->sim, w->host);
    w->peer_sim = sim_env_new_on(&w->events, 3);
    w->peer_host = sim_net_join(w->net, "10.0.0.2");
    sim_env_set_host(w->peer_sim, w->peer_host);
    open_node(w, dials);
    if (dials)
        sim_net_listen(w->peer_host, "10.0.0.2", 1, &peer_events, w, &error);
    else
        sim_net_connect(w->peer_host, "10.0.0.1", 18444, &peer_events, w);
    run(w, dials ? 5000000 : 10000);
    ASSERT(w->stream != 0);
}

static void close_world(struct world *w)
{
    p2p_stop(w->p2p);
    mempool_close(w->mempool, pool_closed, w);
    wait(w);
    chain_close(w->chain, chain_closed, w);
    wait(w);
    run(w, 100000);
    p2p_free(w->p2p);
    mempool_free(w->mempool);
    chain_free(w->chain);
    sim_env_set_host(w->sim, NULL);
    sim_env_set_host(w->peer_sim, NULL);
    sim_net_leave(w->host);
    sim_net_leave(w->peer_host);
    sim_net_free(w->net);
    sim_env_free(w->sim);
    sim_env_free(w->peer_sim);
    sim_events_deinit(&w->events);
}

static void send_message(struct world *w, const char *name, struct span payload, bool is_broken)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_of(header, network_get(NETWORK_REGTEST)->magic, name, payload);
    if (is_broken)
        header[20] ^= 1;
    sim_net_send(w->peer_host, w->stream, span_of(header, sizeof header));
    sim_net_send(w->peer_host, w->stream, payload);
}

static void shake_hands(struct world *w)
{
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct wire_version version = {
        .version = 70016, .services = NODE_NETWORK | NODE_WITNESS, .time = 1700000000, .nonce = 1};
    struct writer writer = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&writer, &version);
    send_message(w, "version", span_of(bytes, writer.len), false);
    send_message(w, "wtxidrelay", span_of(NULL, 0), false);
    send_message(w, "verack", span_of(NULL, 0), false);
    run(w, 10000);
}

/* Lists, counts and what is asked for must agree, whatever was said. */
static void check_books(const struct world *w)
{
    const struct p2p *p2p = w->p2p;
    size_t n = 0, in_flight = 0, owed = 0;
    p2p_check(p2p);
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next) {
        ASSERT(peer->state != PEER_GONE && p2p_find_peer(p2p, peer->id) == peer);
        in_flight += peer->fetch.n_in_flight;
        ASSERT(peer->waiting.len <= 2 * SIM_NET_SEGMENT_BYTES);
        n++;
    }
    ASSERT(n == p2p->n_in + p2p->n_out && n == p2p->by_id.count && n == p2p->by_stream.count);
    LIST_EACH (struct block_request, r, &p2p->fetch.requests, link)
        owed += (r->peer[0] != 0) + (r->peer[1] != 0);
    ASSERT(in_flight == owed && !p2p->gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {0};
    struct reader r = reader_of(span_of(data, size));
    uint8_t how = read_u8(&r);
    open_world(&w, how & 2);
    if (!(how & 1))
        shake_hands(&w);
    for (int i = 0; i < 32 && reader_left(&r) >= 3 && !w.is_closed; i++) {
        uint8_t row = read_u8(&r);
        size_t len = read_u16(&r);
        if (len > reader_left(&r))
            len = reader_left(&r);
        size_t index = row & 0x7f;
        const char *name = index < MESSAGES_COUNT ? messages[index].name : "unknown";
        send_message(&w, name, read_span(&r, len), row & 0x80);
        run(&w, 5000);
        check_books(&w);
    }
    run(&w, 3000000);
    check_books(&w);
    close_world(&w);
    return 0;
}
