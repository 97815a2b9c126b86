/* study_attack.c - see study_attack.h */
#include "sim/study/study_attack.h"

#include <string.h>

#include "sim/actors/eclipse.h"
#include "sim/actors/lie.h"
#include "sim/actors/selfish.h"
#include "sim/actors/stall.h"

/* One attacker: its own, and how it ends. */
struct attacker {
    void *actor;
    void (*free)(void *actor);
};

struct study_attack {
    ARRAY(struct attacker) attackers;
};

/* -- The kinds --------------------------------------------------------------------------------- */

/* He hears and tells every node, from where his own one is. */
static void *new_selfish(const struct crew_options *options)
{
    enum selfish_reach *reach = xcalloc(options->n_nodes, sizeof *reach);
    for (size_t i = 0; i < options->n_nodes; i++)
        reach[i] = SELFISH_BOTH;
    const struct selfish_options selfish = {.crew = *options,
                                            .reach = reach,
                                            .own_us = 0,
                                            .near_us = -1,
                                            .slow_us = -1,
                                            .own_group = STUDY_ATTACK_GROUP};
    void *actor = selfish_new(&selfish);
    xfree(reach);
    return actor;
}

static void free_selfish(void *actor)
{
    selfish_free(actor);
}

static void *new_eclipse(const struct crew_options *options)
{
    return eclipse_new(options);
}

static void free_eclipse(void *actor)
{
    eclipse_free(actor);
}

static void *new_lie(const struct crew_options *options)
{
    return lie_new(options);
}

static void free_lie(void *actor)
{
    lie_free(actor);
}

static void *new_stall(const struct crew_options *options)
{
    return stall_new(options);
}

static void free_stall(void *actor)
{
    stall_free(actor);
}

static const struct {
    const char *kind;
    void *(*new)(const struct crew_options *options);
    void (*free)(void *actor);
} kinds[] = {{"selfish", new_selfish, free_selfish},
             {"eclipse", new_eclipse, free_eclipse},
             {"lie", new_lie, free_lie},
             {"stall", new_stall, free_stall}};

/* -- All of them ------------------------------------------------------------------------------- */

static void add_attacker(struct study_attack *attack, const char *kind,
                         const struct crew_options *options)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kind, kinds[i].kind) != 0)
            continue;
        struct attacker attacker = {kinds[i].new(options), kinds[i].free};
        *ARRAY_ADD(&attack->attackers) = attacker;
    }
}

struct study_attack *study_attack_new(const struct scenario *scenario, struct sim_world *world,
                                      size_t n_nodes, crew_act_fn *act, void *ctx)
{
    ASSERT(scenario && world && act);
    struct study_attack *attack = xcalloc(1, sizeof *attack);
    for (size_t i = 0; i < scenario->attackers.n; i++) {
        const struct scenario_attacker *row = &scenario->attackers.at[i];
        const struct crew_options options = {.world = world,
                                             .node = row->node,
                                             .n_nodes = n_nodes,
                                             .target = row->target,
                                             .act = act,
                                             .ctx = ctx};
        add_attacker(attack, row->kind, &options);
    }
    return attack;
}

void study_attack_free(struct study_attack *attack)
{
    ASSERT(attack);
    for (size_t i = 0; i < attack->attackers.n; i++)
        attack->attackers.at[i].free(attack->attackers.at[i].actor);
    ARRAY_FREE(&attack->attackers);
    xfree(attack);
}
