/* topology.c - see topology.h */
#include "sim/study/topology.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim_random.h"

#define TOPOLOGY_PART 0x746f706f /* of the seed: see sim_random_of() */

/* Links while they are made, with the sets of nodes that they join so far. */
struct draft {
    size_t n_nodes;
    ARRAY(struct scenario_link) links;
    uint32_t *set; /* of each node: another one of its set, or itself, which stands for the set */
    struct sim_random random;
};

static uint32_t set_of(struct draft *draft, uint32_t node)
{
    while (draft->set[node] != node) {
        draft->set[node] = draft->set[draft->set[node]];
        node = draft->set[node];
    }
    return node;
}

static void add(struct draft *draft, size_t from, size_t to)
{
    ASSERT(from < draft->n_nodes && to < draft->n_nodes && from != to);
    struct scenario_link link = {(uint32_t)from, (uint32_t)to};
    *ARRAY_ADD(&draft->links) = link;
    draft->set[set_of(draft, link.from)] = set_of(draft, link.to);
}

/* Is there one between the two among the last n links? */
static bool is_linked(const struct draft *draft, size_t a, size_t b, size_t from)
{
    for (size_t i = from; i < draft->links.n; i++)
        if ((draft->links.at[i].from == a && draft->links.at[i].to == b) ||
            (draft->links.at[i].from == b && draft->links.at[i].to == a))
            return true;
    return false;
}

/* Every node has `each` links of its own: to whom it has none yet in either direction. What stands
 * apart then, which takes few links and bad luck, gets one more. */
static void link_at_random(struct draft *draft, size_t each)
{
    size_t n = draft->n_nodes;
    for (size_t i = 0; i < n; i++) {
        size_t own = draft->links.n, tries = 0;
        while (draft->links.n < own + each) {
            size_t to = sim_random_below(&draft->random, n);
            /* Whom it already called is in draft->links[to * each ..]. */
            bool is_known = to == i || is_linked(draft, i, to, own);
            for (size_t k = to * each; to < i && k < (to + 1) * each; k++)
                is_known = is_known || draft->links.at[k].to == i;
            if (!is_known || (tries > 100 * n && to != i && !is_linked(draft, i, to, own)))
                add(draft, i, to);
            tries++;
        }
    }
    for (uint32_t i = 1; i < n; i++)
        if (set_of(draft, i) != set_of(draft, 0))
            add(draft, i, 0);
}

static void link_by_rule(struct draft *draft, const struct scenario *scenario)
{
    size_t n = draft->n_nodes;
    int64_t kind = scenario->value[SCENARIO_TOPOLOGY];
    for (size_t i = 0; i < n; i++) {
        if ((kind == TOPOLOGY_RING && n > 2) || i + 1 < n) {
            if (kind == TOPOLOGY_RING || kind == TOPOLOGY_LINE)
                add(draft, i, (i + 1) % n);
        }
        if (kind == TOPOLOGY_STAR && i > 0)
            add(draft, i, 0);
        for (size_t k = i + 1; kind == TOPOLOGY_FULL && k < n; k++)
            add(draft, i, k);
    }
    for (size_t i = 0; kind == TOPOLOGY_LINKS && i < scenario->links.n; i++)
        add(draft, scenario->links.at[i].from, scenario->links.at[i].to);
}

/* From lower to higher. */
static int compare_pairs(const void *a, const void *b)
{
    const struct scenario_link *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* What is wrong with the links that the user lists. */
static bool check_listed(const struct scenario *scenario, char *error)
{
    size_t n = scenario->links.n;
    struct scenario_link *pairs = xcalloc(n + 1, sizeof *pairs);
    error[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        const struct scenario_link *link = &scenario->links.at[i];
        pairs[i] =
            (struct scenario_link){MIN_OF(link->from, link->to), MAX_OF(link->from, link->to)};
        if (link->from == link->to)
            snprintf(error, SCENARIO_ERROR_BYTES, "links: node %u cannot connect to itself",
                     link->from);
    }
    if (n > 0)
        qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 1; i < n && !error[0]; i++)
        if (compare_pairs(&pairs[i - 1], &pairs[i]) == 0)
            snprintf(error, SCENARIO_ERROR_BYTES, "links: nodes %u and %u are connected twice",
                     pairs[i].from, pairs[i].to);
    xfree(pairs);
    return error[0] == '\0';
}

/* A selfish miner's own node has no links. */
static void leave_private_out(struct draft *draft, const struct scenario *scenario)
{
    size_t n = draft->links.n;
    draft->links.n = 0;
    for (uint32_t i = 0; i < draft->n_nodes; i++)
        draft->set[i] = i;
    for (size_t i = 0; i < n; i++) {
        struct scenario_link link = draft->links.at[i];
        if (!scenario_is_private(scenario, link.from) && !scenario_is_private(scenario, link.to))
            add(draft, link.from, link.to);
    }
}

static bool check_joined(struct draft *draft, const struct scenario *scenario, char *error)
{
    uint32_t first = scenario_is_private(scenario, 0);
    for (uint32_t i = first + 1; i < draft->n_nodes; i++) {
        if (set_of(draft, i) == set_of(draft, first) || scenario_is_private(scenario, i))
            continue;
        snprintf(error, SCENARIO_ERROR_BYTES, "links: there is no way from node %u to node %u%s",
                 first, i, scenario->attackers.n > 0 ? ": a selfish miner relays nothing" : "");
        return false;
    }
    return true;
}

/* By whom each is opened, in the order in which they were made. */
static void sort_out(struct topology *topology, const struct draft *draft)
{
    topology->n = draft->links.n;
    topology->links = xcalloc(draft->n_nodes, sizeof *topology->links);
    topology->to = xcalloc(draft->links.n + 1, sizeof *topology->to);
    size_t *at = xcalloc(draft->n_nodes + 1, sizeof *at);
    for (size_t i = 0; i < draft->links.n; i++)
        topology->links[draft->links.at[i].from].n++;
    for (size_t i = 0; i < draft->n_nodes; i++) {
        topology->links[i].to = topology->to + at[i];
        at[i + 1] = at[i] + topology->links[i].n;
    }
    for (size_t i = 0; i < draft->links.n; i++)
        topology->to[at[draft->links.at[i].from]++] = draft->links.at[i].to;
    xfree(at);
}

bool topology_init(struct topology *topology, const struct scenario *scenario,
                   char error[SCENARIO_ERROR_BYTES])
{
    ASSERT(topology && scenario);
    *topology = (struct topology){0};
    int64_t kind = scenario->value[SCENARIO_TOPOLOGY];
    if (kind == TOPOLOGY_OWN)
        return true;
    struct draft draft = {
        .n_nodes = (size_t)scenario->value[SCENARIO_NODES],
        .random = sim_random_of((uint64_t)scenario->value[SCENARIO_SEED], TOPOLOGY_PART)};
    if (kind == TOPOLOGY_FULL && draft.n_nodes * (draft.n_nodes - 1) / 2 > SCENARIO_LINKS_MAX) {
        snprintf(error, SCENARIO_ERROR_BYTES, "topology: full needs more than %d connections",
                 SCENARIO_LINKS_MAX);
        return false;
    }
    if (kind == TOPOLOGY_LINKS && !check_listed(scenario, error))
        return false;
    draft.set = xcalloc(draft.n_nodes, sizeof *draft.set);
    for (uint32_t i = 0; i < draft.n_nodes; i++)
        draft.set[i] = i;
    if (kind == TOPOLOGY_RANDOM)
        link_at_random(&draft, (size_t)scenario->value[SCENARIO_OUTBOUND]);
    else
        link_by_rule(&draft, scenario);
    if (scenario->attackers.n > 0)
        leave_private_out(&draft, scenario);
    bool is_good = check_joined(&draft, scenario, error);
    if (is_good)
        sort_out(topology, &draft);
    ARRAY_FREE(&draft.links);
    xfree(draft.set);
    return is_good;
}

void topology_deinit(struct topology *topology)
{
    ASSERT(topology);
    xfree(topology->links);
    xfree(topology->to);
    *topology = (struct topology){0};
}
