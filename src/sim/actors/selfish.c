/* selfish.c - see selfish.h
 *
 * The public height is that of the best block that all may know, the private one that of the
 * miner's tip, or the public one if that is higher: then the miner changes over by itself, as any
 * node does. The lead is what lies between them. */
#include "sim/actors/selfish.h"

enum role { ROLE_MINER, ROLE_EAR, ROLE_EAR_AND_MOUTH, ROLE_MOUTH };

struct selfish {
    struct selfish_options options;
    struct crew crew;
    struct sim_guest *own, *near, *slow;
    int32_t public_height, private_height;
    struct block_hash tip; /* the newest block of his own */
    bool is_racing;        /* an own block and one of others are public at the same height */
    struct selfish_result result;
};

static void act(const struct selfish *selfish, const char *what, int32_t height)
{
    crew_act(&selfish->options.crew, "selfish", what, height);
}

/* -- Telling ----------------------------------------------------------------------------------- */

/* Those of his newest branch that were kept back so far, up to a height, the oldest first. */
static size_t kept_back(const struct selfish *selfish, int32_t up_to,
                        struct shelf_block *out[SELFISH_LEAD_MAX])
{
    size_t n = 0;
    struct shelf_block *block = block_shelf_find(&selfish->crew.shelf, &selfish->tip);
    for (; block && block->is_own && !block->is_out && n < SELFISH_LEAD_MAX;
         block = block_shelf_find(&selfish->crew.shelf, &block->prev))
        if (block->height <= up_to)
            out[n++] = block;
    for (size_t i = 0; i < n / 2; i++) {
        struct shelf_block *other = out[i];
        out[i] = out[n - 1 - i];
        out[n - 1 - i] = other;
    }
    return n;
}

static void release(struct selfish *selfish, int32_t up_to)
{
    struct shelf_block *blocks[SELFISH_LEAD_MAX];
    size_t n = kept_back(selfish, up_to, blocks);
    for (size_t i = 0; i < n; i++)
        blocks[i]->is_out = true;
    for (size_t i = 0; n > 0 && i < selfish->crew.members.n; i++) {
        struct crew_member *member = selfish->crew.members.at[i];
        if (member->role == ROLE_EAR_AND_MOUTH || member->role == ROLE_MOUTH)
            crew_tell_headers(member, blocks, n);
    }
}

/* -- Algorithm 1 ------------------------------------------------------------------------------- */

static void on_own_block(struct selfish *selfish, const struct shelf_block *block)
{
    selfish->tip = block->hash;
    selfish->private_height = block->height;
    selfish->result.n_own++;
    int32_t lead = block->height - selfish->public_height;
    bool has_won = selfish->is_racing && lead == 1;
    if (!selfish->options.tells_at_once && !has_won && lead > 0 && lead < SELFISH_LEAD_MAX) {
        act(selfish, "withholds", block->height);
        return;
    }
    /* Or it was found at the very moment when others found theirs: he can but race. */
    selfish->is_racing = lead == 0;
    selfish->public_height = MAX_OF(selfish->public_height, block->height);
    selfish->result.n_released += has_won;
    act(selfish, has_won ? "wins a race" : "tells", block->height);
    release(selfish, block->height);
}

static void on_public_block(struct selfish *selfish, const struct shelf_block *block)
{
    if (block->height <= selfish->public_height)
        return;
    int32_t lead = MAX_OF(selfish->private_height - selfish->public_height, 0);
    int32_t up_to = lead > 2 ? block->height : selfish->private_height;
    const char *what = "releases one";
    selfish->public_height = block->height;
    if (lead == 0) {
        selfish->is_racing = false;
        selfish->result.n_adopted++;
        what = "adopts";
    } else if (lead == 1) {
        selfish->is_racing = true;
        selfish->result.n_raced++;
        what = "races";
    } else if (lead == 2) {
        selfish->public_height = selfish->private_height;
        selfish->result.n_released++;
        what = "releases all";
    }
    act(selfish, what, lead == 0 ? block->height : up_to);
    release(selfish, up_to);
    block_shelf_trim(&selfish->crew.shelf, selfish->public_height);
}

/* -- What his people hear ---------------------------------------------------------------------- */

static void on_heard(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct selfish *selfish = ctx;
    block->is_own = from->role == ROLE_MINER; /* all that others know comes to it from here */
    crew_ask(from, block);
    if (!block->is_own)
        on_public_block(selfish, block);
}

static void on_got(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct selfish *selfish = ctx;
    (void)from;
    if (block->is_own) {
        on_own_block(selfish, block);
        return;
    }
    struct crew_member *miner = crew_find(&selfish->crew, ROLE_MINER);
    if (miner && block->is_wanted)
        crew_send_block(miner, block);
    else if (miner)
        crew_tell_headers(miner, &block, 1);
    block->is_wanted = false;
}

static void on_asked(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct selfish *selfish = ctx;
    if (!block)
        return;
    if (block->bytes) {
        crew_send_block(from, block);
        return;
    }
    /* Who was asked for it has gone. */
    struct crew_member *ear = crew_find(&selfish->crew, ROLE_EAR);
    block->is_wanted = from->role == ROLE_MINER;
    if (ear || (ear = crew_find(&selfish->crew, ROLE_EAR_AND_MOUTH)))
        crew_ask(ear, block);
}

/* -- The whole --------------------------------------------------------------------------------- */

static struct sim_guest *guest_new(const struct selfish_options *options, unsigned number,
                                   int64_t latency_us)
{
    struct sim_guest *guest = crew_guest_new(options->crew.world, options->crew.node, number);
    sim_net_set_latency(sim_guest_host(guest), latency_us);
    return guest;
}

static void send_people(struct selfish *selfish)
{
    const struct selfish_options *options = &selfish->options;
    for (size_t i = 0; i < options->crew.n_nodes; i++) {
        enum selfish_reach reach = i == options->crew.node ? SELFISH_DEAF : options->reach[i];
        if (reach == SELFISH_DEAF)
            continue;
        (void)crew_add(&selfish->crew, selfish->near, i,
                       reach == SELFISH_BOTH ? ROLE_EAR_AND_MOUTH : ROLE_EAR);
        if (reach == SELFISH_SLOW)
            (void)crew_add(&selfish->crew, selfish->slow, i, ROLE_MOUTH);
    }
}

struct selfish *selfish_new(const struct selfish_options *options)
{
    static const struct crew_events events = {.heard = on_heard, .got = on_got, .asked = on_asked};
    ASSERT(options && options->reach && options->crew.node < options->crew.n_nodes);
    struct selfish *selfish = xcalloc(1, sizeof *selfish);
    selfish->options = *options;
    crew_init(&selfish->crew, options->crew.world, options->crew.node, &events, selfish);
    const struct shelf_block *tip = selfish->crew.shelf.blocks.at[0];
    selfish->public_height = selfish->private_height = tip->height;
    selfish->tip = tip->hash;
    selfish->own = guest_new(options, 0, options->own_us);
    selfish->near = guest_new(options, 1, options->near_us);
    selfish->slow = guest_new(options, 2, options->slow_us);
    sim_net_set_group(sim_guest_host(selfish->own), options->own_group);
    (void)crew_add(&selfish->crew, selfish->own, options->crew.node, ROLE_MINER);
    send_people(selfish);
    selfish->options.reach = NULL;
    return selfish;
}

struct selfish_result selfish_result_of(const struct selfish *selfish)
{
    ASSERT(selfish);
    return selfish->result;
}

void selfish_free(struct selfish *selfish)
{
    ASSERT(selfish);
    crew_deinit(&selfish->crew);
    sim_guest_free(selfish->own);
    sim_guest_free(selfish->near);
    sim_guest_free(selfish->slow);
    xfree(selfish);
}
