/* lie.c - see lie.h */
#include "sim/actors/lie.h"

#include "consensus/pow.h"
#include "p2p/core/wire.h"

struct lie {
    struct crew_options options;
    struct crew crew;
    struct sim_guest *guest;
    int32_t height; /* of the best block that he knows */
    unsigned next;  /* which lie is told next */
    struct lie_result result;
};

/* -- False headers ----------------------------------------------------------------------------- */

/* As good as that of the block, but on prev and with another root; with the work that it claims, or
 * with less. */
static void make_header(const struct shelf_block *block, struct block_hash prev, bool has_work,
                        uint8_t out[BLOCK_HEADER_BYTES])
{
    struct block_header header;
    struct reader r = reader_of(span_of(block->header, BLOCK_HEADER_BYTES));
    bool is_whole = block_header_decode(&r, &header);
    ASSERT(is_whole);
    header.prev = prev;
    header.merkle_root[0] ^= 1;
    header.time++;
    struct u256 target = pow_target_from_bits(header.bits, NULL, NULL);
    bool is_low;
    do {
        header.nonce++;
        struct block_hash hash = block_header_hash(&header);
        is_low = u256_compare(u256_from_le(hash.b), target) <= 0;
    } while (is_low != has_work);
    struct writer w = writer_to_buffer(out, BLOCK_HEADER_BYTES);
    block_header_encode(&w, &header);
}

/* Tell one of that header, which need not be on the shelf. */
static void tell_header(struct crew_member *member, const uint8_t header[BLOCK_HEADER_BYTES])
{
    uint8_t bytes[1 + BLOCK_HEADER_BYTES + 1];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, 1);
    write_bytes(&w, header, BLOCK_HEADER_BYTES);
    write_u8(&w, 0);
    wire_peer_send(member->peer, "headers", span_of(bytes, w.len));
}

/* -- The lies ---------------------------------------------------------------------------------- */

static void tell_all(struct lie *lie, const uint8_t header[BLOCK_HEADER_BYTES])
{
    for (size_t i = 0; i < lie->crew.members.n; i++)
        tell_header(lie->crew.members.at[i], header);
}

static void tell_without_work(struct lie *lie, const struct shelf_block *block)
{
    uint8_t header[BLOCK_HEADER_BYTES];
    make_header(block, block->hash, false, header);
    tell_all(lie, header);
}

static struct block_hash no_block(const struct shelf_block *block)
{
    struct block_hash hash = block->hash;
    hash.b[0] ^= 1;
    return hash;
}

static void tell_of_nothing(struct lie *lie, const struct shelf_block *block)
{
    uint8_t header[BLOCK_HEADER_BYTES];
    make_header(block, no_block(block), true, header);
    tell_all(lie, header);
}

/* It is on the shelf then, so that it can be asked for: the block before with another header. */
static void tell_false_block(struct lie *lie, const struct shelf_block *block)
{
    uint8_t header[BLOCK_HEADER_BYTES];
    make_header(block, block->hash, true, header);
    struct shelf_block *made = block_shelf_add(&lie->crew.shelf, span_of(header, sizeof header));
    if (!made)
        return;
    made->is_own = true;
    block_shelf_keep(made, span_of(block->bytes, block->len));
    memcpy(made->bytes, header, sizeof header);
    tell_all(lie, header);
}

static void tell_false_name(struct lie *lie, const struct shelf_block *block)
{
    uint8_t bytes[1 + WIRE_INV_BYTES];
    struct wire_inv inv = {.type = INV_BLOCK};
    struct block_hash hash = no_block(block);
    memcpy(inv.hash, hash.b, sizeof inv.hash);
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, 1);
    wire_inv_encode(&w, &inv);
    for (size_t i = 0; i < lie->crew.members.n; i++)
        wire_peer_send(lie->crew.members.at[i]->peer, "inv", span_of(bytes, w.len));
}

static const struct {
    const char *what;
    void (*tell)(struct lie *lie, const struct shelf_block *block);
} lies[LIE_KINDS] = {{"header without work", tell_without_work},
                     {"header on nothing", tell_of_nothing},
                     {"block of other txs", tell_false_block},
                     {"block that is not", tell_false_name}};

/* -- What his people hear ---------------------------------------------------------------------- */

static void on_heard(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    (void)ctx;
    crew_ask(from, block);
}

static void on_got(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct lie *lie = ctx;
    (void)from;
    if (block->height <= lie->height)
        return;
    lie->height = block->height;
    unsigned kind = lie->next++ % LIE_KINDS;
    lie->result.n_told[kind]++;
    crew_act(&lie->options, "lie", lies[kind].what, block->height + 1);
    lies[kind].tell(lie, block);
    block_shelf_trim(&lie->crew.shelf, lie->height);
}

static void on_asked(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct lie *lie = ctx;
    if (!block || !block->bytes)
        return;
    lie->result.n_taken += block->is_own;
    crew_send_block(from, block);
}

static void on_lost(void *ctx, struct crew_member *from)
{
    struct lie *lie = ctx;
    (void)from;
    lie->result.n_dropped++;
    crew_act(&lie->options, "lie", "is dropped", lie->height);
}

/* -- The whole --------------------------------------------------------------------------------- */

struct lie *lie_new(const struct crew_options *options)
{
    static const struct crew_events events = {
        .heard = on_heard, .got = on_got, .asked = on_asked, .lost = on_lost};
    ASSERT(options && options->node < options->n_nodes);
    struct lie *lie = xcalloc(1, sizeof *lie);
    lie->options = *options;
    crew_init(&lie->crew, options->world, options->node, &events, lie);
    lie->height = lie->crew.shelf.blocks.at[0]->height;
    lie->guest = crew_guest_new(options->world, options->node, 0);
    crew_add_all(&lie->crew, lie->guest, options);
    return lie;
}

struct lie_result lie_result_of(const struct lie *lie)
{
    ASSERT(lie);
    return lie->result;
}

void lie_free(struct lie *lie)
{
    ASSERT(lie);
    crew_deinit(&lie->crew);
    sim_guest_free(lie->guest);
    xfree(lie);
}
