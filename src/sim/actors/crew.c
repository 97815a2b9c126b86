/* crew.c - see crew.h */
#include "sim/actors/crew.h"

#include <stdio.h>

#include "consensus/network.h"
#include "p2p/core/wire.h"
#include "util/buffer.h"

#define LOCATOR_HASHES 12

/* -- What they say ----------------------------------------------------------------------------- */

void crew_tell_headers(struct crew_member *member, struct shelf_block *const *blocks, size_t n)
{
    ASSERT(member && n <= WIRE_HEADERS_MAX);
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        write_bytes(&w, blocks[i]->header, BLOCK_HEADER_BYTES);
        write_u8(&w, 0);
    }
    wire_peer_send(member->peer, "headers", buffer_span(&bytes));
    buffer_deinit(&bytes);
}

void crew_ask(struct crew_member *member, const struct shelf_block *block)
{
    ASSERT(member && block);
    uint8_t bytes[1 + WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    struct wire_inv inv = {.type = INV_WITNESS_BLOCK};
    memcpy(inv.hash, block->hash.b, sizeof inv.hash);
    write_compact_size(&w, 1);
    wire_inv_encode(&w, &inv);
    wire_peer_send(member->peer, "getdata", span_of(bytes, w.len));
}

void crew_send_block(struct crew_member *member, const struct shelf_block *block)
{
    ASSERT(member && block && block->bytes);
    wire_peer_send(member->peer, "block", span_of(block->bytes, block->len));
}

/* From the newest public block on: the node has that, or one a little before it. */
static void ask_for_headers(struct crew_member *member)
{
    const struct block_shelf *shelf = &member->crew->shelf;
    uint8_t bytes[4 + 9 + (LOCATOR_HASHES + 1) * sizeof(struct block_hash)];
    struct block_hash hashes[LOCATOR_HASHES];
    size_t n = 0;
    for (size_t i = shelf->blocks.n; i-- > 1 && n < LOCATOR_HASHES - 1;)
        if (!shelf->blocks.at[i]->is_own || shelf->blocks.at[i]->is_out)
            hashes[n++] = shelf->blocks.at[i]->hash;
    hashes[n++] = shelf->blocks.at[0]->hash;
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, WIRE_PROTOCOL_VERSION);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        write_bytes(&w, hashes[i].b, sizeof hashes[i].b);
    write_bytes(&w, (const uint8_t[32]){0}, 32);
    wire_peer_send(member->peer, "getheaders", span_of(bytes, w.len));
}

/* -- What they hear ---------------------------------------------------------------------------- */

static void on_headers(struct crew_member *member, struct reader *r)
{
    struct crew *crew = member->crew;
    size_t n = wire_count_decode(r, WIRE_HEADERS_MAX, BLOCK_HEADER_BYTES + 1);
    bool is_lost = false; /* what comes before it is not known here */
    for (size_t i = 0; i < n; i++) {
        struct span header = read_span(r, BLOCK_HEADER_BYTES);
        (void)read_u8(r);
        if (r->failed)
            return;
        struct shelf_block *block = block_shelf_add(&crew->shelf, header);
        struct block_hash hash = block_shelf_hash(header);
        is_lost |= !block && !block_shelf_find(&crew->shelf, &hash);
        if (block && crew->events->heard)
            crew->events->heard(crew->ctx, member, block);
    }
    if (is_lost && n < WIRE_HEADERS_MAX)
        ask_for_headers(member);
}

static void on_inv(struct crew_member *member, struct reader *r)
{
    size_t n = wire_count_decode(r, WIRE_INV_MAX, WIRE_INV_BYTES);
    bool is_news = false;
    for (size_t i = 0; i < n && !r->failed; i++) {
        struct wire_inv inv;
        struct block_hash hash;
        wire_inv_decode(r, &inv);
        memcpy(hash.b, inv.hash, sizeof hash.b);
        is_news |= inv.type == INV_BLOCK && !block_shelf_find(&member->crew->shelf, &hash);
    }
    if (is_news)
        ask_for_headers(member);
}

static void on_getdata(struct crew_member *member, struct reader *r)
{
    struct crew *crew = member->crew;
    size_t n = wire_count_decode(r, WIRE_INV_MAX, WIRE_INV_BYTES);
    for (size_t i = 0; i < n && !r->failed; i++) {
        struct wire_inv inv;
        struct block_hash hash;
        wire_inv_decode(r, &inv);
        memcpy(hash.b, inv.hash, sizeof hash.b);
        bool is_block =
            inv.type == INV_BLOCK || inv.type == INV_WITNESS_BLOCK || inv.type == INV_COMPACT_BLOCK;
        if (is_block && !r->failed && crew->events->asked)
            crew->events->asked(crew->ctx, member, block_shelf_find(&crew->shelf, &hash));
    }
}

/* There is nothing that it lacks: what there is it is told of unasked. */
static void on_getheaders(struct crew_member *member, struct reader *r)
{
    (void)r;
    crew_tell_headers(member, NULL, 0);
}

static void on_block(struct crew_member *member, struct reader *r)
{
    struct crew *crew = member->crew;
    struct span bytes = span_of(r->at, reader_left(r));
    if (bytes.len <= BLOCK_HEADER_BYTES)
        return;
    struct block_hash hash = block_shelf_hash(span_of(bytes.p, BLOCK_HEADER_BYTES));
    struct shelf_block *block = block_shelf_find(&crew->shelf, &hash);
    if (!block || block->bytes)
        return;
    block_shelf_keep(block, bytes);
    if (crew->events->got)
        crew->events->got(crew->ctx, member, block);
}

/* -- The connection ---------------------------------------------------------------------------- */

static void on_message(void *arg, const char *name, struct span payload)
{
    static const struct {
        const char *name;
        void (*take)(struct crew_member *member, struct reader *r);
    } messages[] = {{"headers", on_headers},
                    {"inv", on_inv},
                    {"getdata", on_getdata},
                    {"getheaders", on_getheaders},
                    {"block", on_block}};
    struct reader r = reader_of(payload);
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        if (strcmp(name, messages[i].name) == 0)
            messages[i].take(arg, &r);
}

static void on_ready(void *arg)
{
    struct crew_member *member = arg;
    struct crew *crew = member->crew;
    wire_peer_send(member->peer, "sendheaders", span_of(NULL, 0));
    if (crew->events->ready)
        crew->events->ready(crew->ctx, member);
}

static void on_lost(void *arg)
{
    struct crew_member *member = arg;
    struct crew *crew = member->crew;
    if (crew->events->lost)
        crew->events->lost(crew->ctx, member);
}

void crew_act(const struct crew_options *options, const char *kind, const char *what,
              int32_t height)
{
    ASSERT(options && kind && what);
    if (options->act)
        options->act(options->ctx, options->node, kind, what, height);
}

void crew_guest_address(size_t node, unsigned number, char out[CREW_ADDRESS_BYTES])
{
    ASSERT(number < 6000);
    snprintf(out, CREW_ADDRESS_BYTES, "%u.%u.%zu.%zu", 130 + number / 200, 1 + number % 200,
             1 + node / 250, 1 + node % 250);
}

struct sim_guest *crew_guest_new(struct sim_world *world, size_t node, unsigned number)
{
    ASSERT(world);
    char address[CREW_ADDRESS_BYTES];
    crew_guest_address(node, number, address);
    struct sim_guest *guest = sim_guest_new(world, address);
    sim_net_set_place(sim_guest_host(guest), node);
    return guest;
}

struct crew_member *crew_add(struct crew *crew, const struct sim_guest *guest, size_t node,
                             int role)
{
    static const struct wire_peer_events events = {
        .ready = on_ready, .message = on_message, .lost = on_lost};
    ASSERT(crew && guest);
    struct crew_member *member = xcalloc(1, sizeof *member);
    *member = (struct crew_member){.crew = crew, .node = node, .role = role};
    const struct wire_peer_options options = {.address = sim_world_address(crew->world, node),
                                              .port = crew->port,
                                              .magic = crew->magic,
                                              .events = &events,
                                              .arg = member};
    *ARRAY_ADD(&crew->members) = member;
    member->peer = wire_peer_new(sim_guest_env(guest), &options);
    return member;
}

void crew_add_all(struct crew *crew, const struct sim_guest *guest,
                  const struct crew_options *options)
{
    ASSERT(crew && guest && options);
    for (size_t i = 0; i < options->n_nodes; i++)
        if (i != options->node)
            (void)crew_add(crew, guest, i, 0);
}

struct crew_member *crew_find(struct crew *crew, int role)
{
    ASSERT(crew);
    for (size_t i = 0; i < crew->members.n; i++)
        if (crew->members.at[i]->role == role && wire_peer_is_ready(crew->members.at[i]->peer))
            return crew->members.at[i];
    return NULL;
}

void crew_init(struct crew *crew, struct sim_world *world, size_t node,
               const struct crew_events *events, void *ctx)
{
    ASSERT(crew && world && events);
    const struct chain *chain = node_chain(sim_world_node(world, node));
    const struct network *network = chain_network(chain);
    const struct block_node *tip = chain_tip(chain);
    *crew = (struct crew){.world = world, .port = network->p2p_port, .events = events, .ctx = ctx};
    memcpy(crew->magic, network->magic, sizeof crew->magic);
    block_shelf_init(&crew->shelf, &tip->hash, tip->height);
}

void crew_deinit(struct crew *crew)
{
    ASSERT(crew);
    for (size_t i = 0; i < crew->members.n; i++) {
        wire_peer_free(crew->members.at[i]->peer);
        xfree(crew->members.at[i]);
    }
    ARRAY_FREE(&crew->members);
    block_shelf_deinit(&crew->shelf);
}
