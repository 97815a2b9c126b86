/* eclipse.c - see eclipse.h */
#include "sim/actors/eclipse.h"

#include "p2p/core/wire.h"

struct eclipse {
    struct crew_options options;
    struct crew crew;
    struct sim_guest *guests[ECLIPSE_GUESTS];
    int32_t height; /* of the best block that he knows */
    struct eclipse_result result;
};

/* The next guests' addresses, from the one with that number on. */
static void tell_addresses(struct crew_member *member)
{
    const struct eclipse *eclipse = member->crew->ctx;
    uint8_t bytes[1 + ECLIPSE_ADDRESSES * 30];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, ECLIPSE_ADDRESSES);
    for (unsigned i = 0; i < ECLIPSE_ADDRESSES; i++) {
        char text[CREW_ADDRESS_BYTES];
        unsigned number = ((unsigned)member->role + i) % ECLIPSE_GUESTS;
        struct net_peer_address entry = {.services = NODE_NETWORK | NODE_WITNESS};
        crew_guest_address(eclipse->options.node, number, text);
        bool is_address = net_address_parse(text, member->crew->port, &entry.at);
        ASSERT(is_address);
        entry.time = (uint32_t)env_unix_s(sim_guest_env(eclipse->guests[number]));
        wire_address_encode(&w, false, &entry);
    }
    wire_peer_send(member->peer, "addr", span_of(bytes, w.len));
}

static void on_ready(void *ctx, struct crew_member *from)
{
    struct eclipse *eclipse = ctx;
    eclipse->result.n_places++;
    eclipse->result.n_taken++;
    crew_act(&eclipse->options, "eclipse", "takes a place", eclipse->height);
    tell_addresses(from);
}

static void on_lost(void *ctx, struct crew_member *from)
{
    struct eclipse *eclipse = ctx;
    (void)from;
    ASSERT(eclipse->result.n_places > 0);
    eclipse->result.n_places--;
    eclipse->result.n_dropped++;
    crew_act(&eclipse->options, "eclipse", "is dropped", eclipse->height);
}

/* It goes no further. */
static void on_heard(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct eclipse *eclipse = ctx;
    (void)from;
    eclipse->height = MAX_OF(eclipse->height, block->height);
    block_shelf_trim(&eclipse->crew.shelf, eclipse->height);
}

struct eclipse *eclipse_new(const struct crew_options *options)
{
    static const struct crew_events events = {
        .heard = on_heard, .ready = on_ready, .lost = on_lost};
    ASSERT(options && options->node < options->n_nodes && options->target < options->n_nodes);
    struct eclipse *eclipse = xcalloc(1, sizeof *eclipse);
    eclipse->options = *options;
    crew_init(&eclipse->crew, options->world, options->node, &events, eclipse);
    eclipse->height = eclipse->crew.shelf.blocks.at[0]->height;
    for (unsigned i = 0; i < ECLIPSE_GUESTS; i++) {
        eclipse->guests[i] = crew_guest_new(options->world, options->node, i);
        (void)crew_add(&eclipse->crew, eclipse->guests[i], options->target, (int)i);
    }
    return eclipse;
}

struct eclipse_result eclipse_result_of(const struct eclipse *eclipse)
{
    ASSERT(eclipse);
    return eclipse->result;
}

void eclipse_free(struct eclipse *eclipse)
{
    ASSERT(eclipse);
    crew_deinit(&eclipse->crew);
    for (size_t i = 0; i < ECLIPSE_GUESTS; i++)
        sim_guest_free(eclipse->guests[i]);
    xfree(eclipse);
}
