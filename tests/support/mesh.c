/* mesh.c - see mesh.h. */
#include "support/mesh.h"

#include "chain/core/script_cache.h"
#include "support/frame_header.h"
#include "support/plant.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/reader.h"

#define STEP_US    INT64_C(1000)
#define PROBER     "10.9.9.9"
#define PATIENCE_S 30
#define LONG_AGO_S (INT64_C(100) * 365 * 86400)

/* -- The network --------------------------------------------------------------------------------
 */

void mesh_init(struct mesh *mesh, uint64_t seed, struct chain_builder *builder,
               const struct sim_net_options *net)
{
    struct sim_net_options usual = {.latency_min_us = 20000, .latency_max_us = 20000};
    memset(mesh, 0, sizeof *mesh);
    mesh->seed = seed;
    mesh->builder = builder;
    sim_events_init(&mesh->events, 1000000);
    mesh->net = sim_net_new(&mesh->events, seed, net ? net : &usual);
    mesh->prober = sim_net_join(mesh->net, PROBER);
    mesh->prober_sim = sim_env_new_on(&mesh->events, seed ^ 0x70726f62);
    sim_env_set_host(mesh->prober_sim, mesh->prober);
}

void mesh_run(struct mesh *mesh, int64_t us)
{
    sim_env_run_for(mesh->prober_sim, us);
}

bool mesh_run_until(struct mesh *mesh, bool (*is_so)(void *arg), void *arg, int64_t max_s)
{
    int64_t end_us = mesh->events.now_us + max_s * 1000000;
    while (!is_so(arg)) {
        if (mesh->events.now_us >= end_us)
            return false;
        mesh_run(mesh, STEP_US);
    }
    return true;
}

/* -- A node's wiring, as node/ does it -----------------------------------------------------------
 */

static void block_connected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    struct mesh_node *n = ctx;
    if (n->mempool)
        mempool_block_connected(n->mempool, node, block);
    if (n->p2p)
        p2p_block_connected(n->p2p, node, block);
}

static void block_disconnected(void *ctx, const struct block_node *node, struct block_ref *block)
{
    struct mesh_node *n = ctx;
    if (n->mempool)
        mempool_block_disconnected(n->mempool, node, block);
    if (n->p2p)
        p2p_block_disconnected(n->p2p, block);
}

static void tip_changed(void *ctx, const struct block_node *tip)
{
    struct mesh_node *n = ctx;
    if (n->mempool)
        mempool_tip_changed(n->mempool, tip);
    if (n->p2p)
        p2p_tip_changed(n->p2p, tip);
}

static void header_tip_changed(void *ctx, const struct block_node *best)
{
    struct mesh_node *n = ctx;
    if (n->p2p)
        p2p_header_tip_changed(n->p2p, best);
}

static void block_invalid(void *ctx, const struct block_hash *hash, const struct verdict *verdict)
{
    struct mesh_node *n = ctx;
    (void)verdict;
    if (n->p2p)
        p2p_block_invalid(n->p2p, hash);
}

static void block_checked(void *ctx, const struct block_node *node, struct block_ref *block)
{
    struct mesh_node *n = ctx;
    if (n->p2p)
        p2p_block_checked(n->p2p, node, block);
}

static void block_lost(void *ctx, const struct block_node *node)
{
    struct mesh_node *n = ctx;
    if (n->p2p)
        p2p_block_lost(n->p2p, node);
}

static void fault(void *ctx, const char *message)
{
    struct mesh_node *n = ctx;
    fprintf(stderr, "fault: %s\n", message);
    n->n_faults++;
}

static void pool_changed(void *ctx, const struct mempool_event *event)
{
    struct mesh_node *n = ctx;
    if (n->p2p)
        p2p_mempool_changed(n->p2p, event);
}

static void peer_connected(void *ctx, uint64_t peer)
{
    (void)peer;
    ((struct mesh_node *)ctx)->n_peers++;
}

static void peer_gone(void *ctx, uint64_t peer)
{
    (void)peer;
    ((struct mesh_node *)ctx)->n_peers--;
}

static void warning(void *ctx, const char *message)
{
    ((struct mesh_node *)ctx)->n_warnings += message[0] != '\0';
}

static void write_log(void *ctx, enum log_level level, enum log_category category, const char *line)
{
    struct mesh_node *n = ctx;
    (void)level, (void)category;
    fprintf(stderr, "%10.3f %s %s\n", (double)n->mesh->events.now_us / 1e6, n->address, line);
}

static const struct log *log_of(const struct mesh_node *node)
{
    return node->log.write ? &node->log : NULL;
}

static void open_chain(struct mesh_node *node, const struct chain_options *options)
{
    struct chain_options o = {.max_tip_age_s = LONG_AGO_S};
    if (options)
        o = *options;
    o.data_dir = "regtest";
    if (o.cache_bytes == 0)
        o.cache_bytes = 4 << 20;
    o.script_cache_bytes = SCRIPT_CACHE_BYTES_DEFAULT;
    struct chain_events events = {.ctx = node,
                                  .block_connected = block_connected,
                                  .block_disconnected = block_disconnected,
                                  .tip_changed = tip_changed,
                                  .header_tip_changed = header_tip_changed,
                                  .block_invalid = block_invalid,
                                  .block_lost = block_lost,
                                  .block_checked = block_checked,
                                  .fault = fault};
    char *error = NULL;
    node->chain = chain_new(sim_env_get(node->sim), log_of(node), &node->network, &o, &events);
    if (!chain_open(node->chain, &error))
        fail_msg("chain_open: %s", error);
}

static void open_mempool(struct mesh_node *node)
{
    struct mempool_options options = {.max_bytes = 50 << 20,
                                      .expiry_s = 336 * 3600,
                                      .min_relay_sat_per_kvb = 100,
                                      .incremental_sat_per_kvb = 100,
                                      .dust_sat_per_kvb = 0,
                                      .max_datacarrier_bytes = 100000};
    struct mempool_events events = {.ctx = node, .changed = pool_changed};
    node->mempool =
        mempool_new(sim_env_get(node->sim), log_of(node), node->chain, &options, &events);
}

struct mesh_node *mesh_add(struct mesh *mesh, const struct p2p_options *options,
                           const struct chain_options *chain_options)
{
    assert_true(mesh->n_nodes < MESH_NODES_MAX);
    struct mesh_node *node = &mesh->nodes[mesh->n_nodes++];
    *node = (struct mesh_node){.mesh = mesh, .network = mesh->builder->network};
    snprintf(node->address, sizeof node->address, "10.0.%zu.1", mesh->n_nodes);
    if (getenv("CAIRN_TEST_LOG"))
        node->log = (struct log){
            .write = write_log, .ctx = node, .categories = 1u << LOG_NET | 1u << LOG_MEMPOOL};
    node->sim =
        plant_what_is_wanted(sim_env_new_on(&mesh->events, mesh->seed * 1000 + mesh->n_nodes));
    node->host = sim_net_join(mesh->net, node->address);
    sim_env_set_host(node->sim, node->host);
    sim_env_set_addresses(node->sim, mesh->machine, mesh->n_machine);
    open_chain(node, chain_options);
    open_mempool(node);
    struct p2p_options o = {0};
    if (options)
        o = *options;
    if (!o.user_agent)
        o.user_agent = "/Cairn:test/";
    o.listen = true;
    o.port = MESH_PORT;
    struct p2p_events events = {
        .ctx = node, .peer_connected = peer_connected, .peer_gone = peer_gone, .warning = warning};
    node->p2p = p2p_new(sim_env_get(node->sim), log_of(node), &node->network, node->chain,
                        node->mempool, &o, &events);
    char *error = NULL;
    if (!p2p_start(node->p2p, &error))
        fail_msg("p2p_start: %s", error);
    return node;
}

static void note_pool_closed(void *arg)
{
    *(bool *)arg = true;
}

static void note_closed(void *arg, int error)
{
    assert_int_equal(error, 0);
    *(bool *)arg = true;
}

static bool is_set(void *arg)
{
    return *(bool *)arg;
}

void mesh_stop_node(struct mesh_node *node)
{
    bool pool_closed = false, closed = false;
    if (!node->p2p)
        return;
    p2p_stop(node->p2p);
    mempool_close(node->mempool, note_pool_closed, &pool_closed);
    assert_true(mesh_run_until(node->mesh, is_set, &pool_closed, 60));
    chain_close(node->chain, note_closed, &closed);
    assert_true(mesh_run_until(node->mesh, is_set, &closed, 60));
    mesh_run(node->mesh, 100000);
    p2p_free(node->p2p);
    mempool_free(node->mempool);
    chain_free(node->chain);
    node->p2p = NULL;
    node->mempool = NULL;
    node->chain = NULL;
    sim_env_set_host(node->sim, NULL);
    sim_net_leave(node->host);
    sim_env_free(node->sim);
}

void mesh_deinit(struct mesh *mesh)
{
    while (mesh->raws)
        raw_free(mesh->raws);
    for (size_t i = 0; i < mesh->n_nodes; i++)
        mesh_stop_node(&mesh->nodes[i]);
    sim_env_set_host(mesh->prober_sim, NULL);
    sim_net_leave(mesh->prober);
    sim_net_free(mesh->net);
    sim_env_free(mesh->prober_sim);
    sim_events_deinit(&mesh->events);
}

/* -- What tests do with nodes --------------------------------------------------------------------
 */

static void count_ready(void *arg, const struct net_peer_info *info)
{
    *(size_t *)arg += info->is_ready;
}

size_t mesh_count_ready(struct mesh_node *node)
{
    size_t n = 0;
    p2p_each_peer(node->p2p, count_ready, &n);
    return n;
}

struct want_peer {
    size_t left;
    bool found;
    struct net_peer_info *info;
};

static void pick_peer(void *arg, const struct net_peer_info *info)
{
    struct want_peer *want = arg;
    if (want->left-- == 0) {
        *want->info = *info;
        want->found = true;
    }
}

bool mesh_peer_info(struct mesh_node *node, size_t n, struct net_peer_info *info)
{
    struct want_peer want = {.left = n, .info = info};
    p2p_each_peer(node->p2p, pick_peer, &want);
    return want.found;
}

struct pair {
    struct mesh_node *from, *to;
    size_t want_from, want_to;
};

static bool are_ready(void *arg)
{
    struct pair *pair = arg;
    return mesh_count_ready(pair->from) >= pair->want_from &&
           mesh_count_ready(pair->to) >= pair->want_to;
}

void mesh_connect(struct mesh_node *from, struct mesh_node *to)
{
    char text[64];
    struct pair pair = {from, to, mesh_count_ready(from) + 1, mesh_count_ready(to) + 1};
    snprintf(text, sizeof text, "%s:%d", to->address, MESH_PORT);
    assert_int_equal(p2p_add_node(from->p2p, text, true), NET_RESULT_OK);
    assert_true(mesh_run_until(from->mesh, are_ready, &pair, PATIENCE_S));
}

struct place {
    const struct mesh_node *node;
    const struct built_block *block;
};

static bool is_at(void *arg)
{
    struct place *place = arg;
    return mesh_is_at(place->node, place->block);
}

bool mesh_is_at(const struct mesh_node *node, const struct built_block *block)
{
    return block_hash_equal(&chain_tip(node->chain)->hash, &block->block.hash);
}

void mesh_give(struct mesh_node *node, const struct built_block *last)
{
    struct place place = {node, last};
    int32_t have = chain_tip(node->chain)->height;
    for (int32_t height = 1; height <= last->height; height++) {
        const struct built_block *block = built_ancestor(last, height);
        struct verdict verdict;
        if (height <= have && chain_find(node->chain, &block->block.hash))
            continue;
        /* Blocks are checked side by side: each must find its place. */
        assert_non_null(chain_accept_header(node->chain, &block->block.header, &verdict));
        chain_accept_block(node->chain, built_bytes(block), block->block.raw.len,
                           CHAIN_ACCEPT_FORCE, NULL, NULL);
    }
    assert_true(mesh_run_until(node->mesh, is_at, &place, 600));
}

static void note_tx(void *arg, const struct mempool_result *result)
{
    struct mesh_node *node = arg;
    node->tx_verdict = result->verdict;
    node->tx_done = true;
}

struct verdict mesh_give_tx(struct mesh_node *node, const struct tx *tx)
{
    node->tx_done = false;
    mempool_accept(node->mempool, tx->raw, MEMPOOL_LOCAL, 0, note_tx, node);
    assert_true(mesh_run_until(node->mesh, is_set, &node->tx_done, PATIENCE_S));
    return node->tx_verdict;
}

static bool all_at(void *arg)
{
    struct place *place = arg;
    const struct mesh *mesh = place->node->mesh;
    for (size_t i = 0; i < mesh->n_nodes; i++)
        if (mesh->nodes[i].chain && !mesh_is_at(&mesh->nodes[i], place->block))
            return false;
    return true;
}

int64_t mesh_wait_tip(struct mesh *mesh, const struct built_block *block, int64_t max_s)
{
    struct place place = {&mesh->nodes[0], block};
    int64_t start_us = mesh->events.now_us;
    return mesh_run_until(mesh, all_at, &place, max_s) ? mesh->events.now_us - start_us : -1;
}

/* -- Scripted peers -----------------------------------------------------------------------------
 */

static void raw_on_connect(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    struct raw_peer *raw = arg;
    (void)address, (void)port;
    if (raw->stream && raw->stream != stream) { /* its events would outlive us */
        env_stream_close(raw->env, stream);
        return;
    }
    raw->stream = stream;
    raw->is_up = true;
}

static void keep_message(struct raw_peer *raw)
{
    struct span payload = frame_payload(&raw->frame);
    if (strcmp(raw->frame.name, "ping") == 0 && !raw->is_silent)
        raw_send(raw, "pong", payload.p, payload.len);
    if (raw->n_got == RAW_MESSAGES_MAX)
        return;
    memcpy(raw->got[raw->n_got].name, raw->frame.name, sizeof raw->frame.name);
    raw->got[raw->n_got].payload = xmemdup(payload.p, payload.len);
    raw->got[raw->n_got].len = payload.len;
    raw->got[raw->n_got].at_us = raw->mesh->events.now_us;
    raw->n_got++;
}

static void raw_on_bytes(void *arg, uint64_t stream, struct span bytes)
{
    struct raw_peer *raw = arg;
    if (stream != raw->stream)
        return;
    raw->bytes_got += bytes.len;
    if (raw->takes_any)
        return;
    while (bytes.len > 0) {
        enum frame_result result = frame_read(&raw->frame, &bytes, NULL, NULL);
        assert_true(result == FRAME_MORE || result == FRAME_MESSAGE);
        if (result == FRAME_MESSAGE)
            keep_message(raw);
    }
}

static void raw_on_writable(void *arg, uint64_t stream)
{
    (void)arg, (void)stream;
}

static void raw_on_close(void *arg, uint64_t stream, int error)
{
    struct raw_peer *raw = arg;
    (void)error;
    if (stream == raw->stream)
        raw->is_closed = true;
}

static const struct env_stream_events raw_events = {raw_on_connect, raw_on_bytes, raw_on_writable,
                                                    raw_on_close};

static struct raw_peer *raw_new(struct mesh *mesh)
{
    struct raw_peer *raw = xcalloc(1, sizeof *raw);
    raw->mesh = mesh;
    raw->next = mesh->raws;
    mesh->raws = raw;
    raw->env = sim_env_get(mesh->prober_sim);
    frame_reader_init(&raw->frame, mesh->builder->network.magic);
    return raw;
}

struct raw_peer *raw_connect(struct mesh *mesh, struct mesh_node *node)
{
    return raw_connect_at(mesh, node, MESH_PORT);
}

struct raw_peer *raw_connect_at(struct mesh *mesh, struct mesh_node *node, uint16_t port)
{
    struct raw_peer *raw = raw_new(mesh);
    raw->stream = env_stream_connect(raw->env, node->address, port, &raw_events, raw);
    assert_true(mesh_run_until(mesh, is_set, &raw->is_up, PATIENCE_S));
    return raw;
}

struct raw_peer *raw_join(struct mesh *mesh, struct mesh_node *node, uint64_t services)
{
    struct raw_peer *raw = raw_connect(mesh, node);
    raw_handshake(raw, services);
    return raw;
}

struct raw_peer *raw_listen(struct mesh *mesh, uint16_t port)
{
    int error;
    struct raw_peer *raw = raw_new(mesh);
    raw->listener = env_stream_listen(raw->env, PROBER, port, &raw_events, raw, &error);
    assert_int_equal(error, 0);
    return raw;
}

void raw_free(struct raw_peer *raw)
{
    struct raw_peer **at = &raw->mesh->raws;
    while (*at != raw)
        at = &(*at)->next;
    *at = raw->next;
    if (raw->stream)
        env_stream_close(raw->env, raw->stream);
    if (raw->listener)
        env_stream_close(raw->env, raw->listener);
    for (size_t i = 0; i < raw->n_got; i++)
        xfree(raw->got[i].payload);
    frame_reader_deinit(&raw->frame);
    xfree(raw);
}

void raw_send_bytes(struct raw_peer *raw, const void *bytes, size_t len)
{
    env_stream_send(raw->env, raw->stream, span_of(bytes, len));
}

void raw_send(struct raw_peer *raw, const char *name, const void *payload, size_t len)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_of(header, raw->mesh->builder->network.magic, name, span_of(payload, len));
    raw_send_bytes(raw, header, sizeof header);
    raw_send_bytes(raw, payload, len);
}

void raw_send_version(struct raw_peer *raw, uint64_t services, int32_t version, uint64_t nonce)
{
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct wire_version ours = {.version = version,
                                .services = services,
                                .time = env_unix_s(raw->env),
                                .nonce = nonce,
                                .user_agent = "/raw:1/",
                                .relay = true};
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&w, &ours);
    raw_send(raw, "version", bytes, w.len);
}

void raw_handshake(struct raw_peer *raw, uint64_t services)
{
    assert_true(mesh_run_until(raw->mesh, is_set, &raw->is_up, PATIENCE_S));
    raw_send_version(raw, services, WIRE_PROTOCOL_VERSION, 77);
    raw_send(raw, "wtxidrelay", NULL, 0);
    raw_send(raw, "sendaddrv2", NULL, 0);
    raw_send(raw, "verack", NULL, 0);
    (void)raw_expect(raw, "verack");
    mesh_run(raw->mesh, 200000);
}

struct span raw_find(struct raw_peer *raw, const char *name, int64_t us)
{
    int64_t end_us = raw->mesh->events.now_us + us;
    for (;;) {
        while (raw->at < raw->n_got) {
            size_t i = raw->at++;
            if (strcmp(raw->got[i].name, name) == 0)
                return span_of(raw->got[i].payload, raw->got[i].len);
        }
        if (raw->mesh->events.now_us >= end_us)
            return span_of(NULL, 0);
        mesh_run(raw->mesh, STEP_US);
    }
}

struct span raw_expect(struct raw_peer *raw, const char *name)
{
    size_t n = raw->at;
    struct span payload = raw_find(raw, name, (int64_t)PATIENCE_S * 1000000);
    if (!payload.p)
        fail_msg("no %s came (%zu messages after number %zu%s)", name, raw->n_got - n, n,
                 raw->is_closed ? ", closed" : "");
    return payload;
}

size_t raw_count(const struct raw_peer *raw, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < raw->n_got; i++)
        n += strcmp(raw->got[i].name, name) == 0;
    return n;
}

void raw_send_inv(struct raw_peer *raw, const char *name, uint32_t type, const uint8_t hash[32])
{
    uint8_t bytes[1 + WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    struct wire_inv inv = {.type = type};
    memcpy(inv.hash, hash, 32);
    write_compact_size(&w, 1);
    wire_inv_encode(&w, &inv);
    raw_send(raw, name, bytes, w.len);
}

void raw_send_headers(struct raw_peer *raw, const struct built_block *const *blocks, size_t n)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        block_header_encode(&w, &blocks[i]->block.header);
        write_u8(&w, 0);
    }
    raw_send(raw, "headers", bytes.p, bytes.len);
    buffer_deinit(&bytes);
}

void raw_send_block(struct raw_peer *raw, const struct built_block *block)
{
    raw_send(raw, "block", block->block.raw.p, block->block.raw.len);
}
