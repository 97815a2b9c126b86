/* block_plan.c - see block_plan.h. */
#include "p2p/blocks/block_plan.h"

#include "util/assert.h"

static double rate_of(const struct plan_peer *peer)
{
    return peer->rate_bytes_s > 0 ? peer->rate_bytes_s : PLAN_RATE_UNKNOWN;
}

static double rtt_of(double rtt_s)
{
    return rtt_s >= 0 ? rtt_s : PLAN_RTT_UNKNOWN;
}

size_t plan_limit(double rate_bytes_s, double rtt_s, double block_bytes, size_t start, size_t max)
{
    ASSERT(max > 0 && block_bytes > 0);
    if (rate_bytes_s <= 0)
        return start;
    double n = rate_bytes_s * (rtt_of(rtt_s) + PLAN_AHEAD_S) / block_bytes;
    if (n < 1)
        return 1;
    return n > (double)max ? max : (size_t)n;
}

double plan_eta_s(const struct plan_peer *peer, double block_bytes)
{
    ASSERT(block_bytes > 0);
    double queued = (double)(peer->n_in_flight + 1) * block_bytes;
    return rtt_of(peer->rtt_s) + queued / rate_of(peer);
}

/* Blocks per second that all peers deliver together. */
static double pace(const struct plan *plan)
{
    double sum = 0;
    for (size_t i = 0; i < plan->n_peers; i++)
        sum += rate_of(&plan->peers[i]);
    return sum / plan->block_bytes;
}

/* Whose next block would be here first. */
static struct plan_peer *fastest(const struct plan *plan)
{
    struct plan_peer *best = NULL;
    double best_s = 0;
    for (size_t i = 0; i < plan->n_peers; i++) {
        struct plan_peer *peer = &plan->peers[i];
        if (peer->is_done || peer->n_in_flight >= peer->limit)
            continue;
        double eta_s = plan_eta_s(peer, plan->block_bytes);
        if (!best || eta_s < best_s) {
            best = peer;
            best_s = eta_s;
        }
    }
    return best;
}

/* The time that the fastest of those who have the next item would take for one block if it owed
 * nothing. Others do not count, however fast: waiting for them would be waiting for ever. */
static double idle_eta_s(const struct plan *plan)
{
    double best_s = -1;
    for (size_t i = 0; i < plan->n_peers; i++) {
        struct plan_peer idle = plan->peers[i];
        idle.n_in_flight = 0;
        double eta_s = plan_eta_s(&idle, plan->block_bytes);
        if ((best_s < 0 || eta_s < best_s) &&
            plan->can_serve(plan->ctx, idle.who, plan->items[plan->first].what))
            best_s = eta_s;
    }
    return best_s;
}

/* The first item that the peer has and will deliver in time. */
static struct plan_item *item_for(const struct plan *plan, const struct plan_peer *peer)
{
    struct plan_peer idle = *peer;
    idle.n_in_flight = 0;
    /* Who is about as quick as the quickest, when idle, takes what comes next. */
    bool is_quick = plan_eta_s(&idle, plan->block_bytes) <= 2 * idle_eta_s(plan);
    double eta_s = plan_eta_s(peer, plan->block_bytes), per_s = pace(plan);
    for (size_t i = plan->first; i < plan->n_items; i++) {
        struct plan_item *item = &plan->items[i];
        bool is_in_time = is_quick || (double)item->position / per_s + PLAN_SLACK_S >= eta_s;
        if (!item->is_taken && is_in_time && plan->can_serve(plan->ctx, peer->who, item->what))
            return item;
    }
    return NULL;
}

bool plan_next(struct plan *plan, struct plan_peer **peer, struct plan_item **item)
{
    ASSERT(plan->first <= plan->n_items);
    while (plan->first < plan->n_items && plan->items[plan->first].is_taken)
        plan->first++;
    struct plan_peer *best;
    while (plan->first < plan->n_items && (best = fastest(plan))) {
        struct plan_item *found = item_for(plan, best);
        if (!found) {
            best->is_done = true;
            continue;
        }
        found->is_taken = true;
        best->n_in_flight++;
        *peer = best;
        *item = found;
        return true;
    }
    return false;
}
