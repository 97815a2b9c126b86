/* stall.c - see stall.h */
#include "sim/actors/stall.h"

struct stall {
    struct crew_options options;
    struct crew crew;
    struct sim_guest *guest;
    int32_t height; /* of the best block that he knows */
    struct stall_result result;
};

static void on_heard(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct stall *stall = ctx;
    for (size_t i = 0; i < stall->crew.members.n; i++)
        if (stall->crew.members.at[i] != from)
            crew_tell_headers(stall->crew.members.at[i], &block, 1);
    stall->result.n_told++;
    stall->height = MAX_OF(stall->height, block->height);
    crew_act(&stall->options, "stall", "announces", block->height);
    block_shelf_trim(&stall->crew.shelf, stall->height);
}

static void on_asked(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct stall *stall = ctx;
    (void)from;
    stall->result.n_asked++;
    if (!block || block->is_wanted)
        return;
    block->is_wanted = true;
    crew_act(&stall->options, "stall", "keeps silent", block->height);
}

static void on_lost(void *ctx, struct crew_member *from)
{
    struct stall *stall = ctx;
    (void)from;
    stall->result.n_dropped++;
    crew_act(&stall->options, "stall", "is dropped", stall->height);
}

struct stall *stall_new(const struct crew_options *options)
{
    static const struct crew_events events = {
        .heard = on_heard, .asked = on_asked, .lost = on_lost};
    ASSERT(options && options->node < options->n_nodes);
    struct stall *stall = xcalloc(1, sizeof *stall);
    stall->options = *options;
    crew_init(&stall->crew, options->world, options->node, &events, stall);
    stall->guest = crew_guest_new(options->world, options->node, 0);
    crew_add_all(&stall->crew, stall->guest, options);
    return stall;
}

struct stall_result stall_result_of(const struct stall *stall)
{
    ASSERT(stall);
    return stall->result;
}

void stall_free(struct stall *stall)
{
    ASSERT(stall);
    crew_deinit(&stall->crew);
    sim_guest_free(stall->guest);
    xfree(stall);
}
