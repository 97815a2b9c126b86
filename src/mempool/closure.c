/* closure.c - see closure.h.
 *
 * Count each member's fee less what its size costs at the rate of the whole set: those above that
 * rate have something to give, those below have to take, and both sums are equal. Let each send
 * what it has to what it needs, and on from there. If all of it arrives, every closure that earns
 * something holds takers who use it up: none is better than the whole. If something is stuck, all
 * that it could still reach is a closure that has more to give than its takers can take, and the
 * most of all. This is the closure problem's well-known minimum cut. Sending again what was sent
 * before from where it came is allowed, and is how a bad choice is mended. Ways are found by
 * Dinic's method: the shortest first, all of one length at once. Rows of bits make a step cheap. */
#include "mempool/closure.h"

#define BIT(i) (UINT64_C(1) << (i))

static uint32_t lowest(uint64_t set)
{
    ASSERT(set);
    return (uint32_t)__builtin_ctzll(set);
}

/* What is needed directly: what is needed by something else that is needed says nothing new. */
static uint64_t direct(const struct linear_graph *graph, uint32_t i, uint64_t set)
{
    uint64_t rest = graph->ancestors[i] & set & ~BIT(i), found = 0;
    while (rest) {
        uint32_t last = 63 - (uint32_t)__builtin_clzll(rest); /* nothing left needs it */
        found |= BIT(last);
        rest &= ~graph->ancestors[last];
    }
    return found;
}

void closure_init(struct closure *closure, const struct linear_graph *graph, uint64_t set,
                  uint64_t steps)
{
    closure->graph = graph;
    closure->set = 0;
    closure->steps = steps;
    for (uint64_t rest = set; rest; rest &= rest - 1)
        closure->parents[lowest(rest)] = direct(graph, lowest(rest), set);
}

/* What each has to give or to take. */
static void fill_excess(struct closure *closure)
{
    const struct linear_graph *graph = closure->graph;
    struct feerate all = {0, 0};
    for (uint64_t rest = closure->set; rest; rest &= rest - 1) {
        all.fee_sat += graph->rate[lowest(rest)].fee_sat;
        all.size += graph->rate[lowest(rest)].size;
    }
    closure->sources = closure->sinks = 0;
    for (uint64_t rest = closure->set; rest; rest &= rest - 1) {
        uint32_t i = lowest(rest);
        struct feerate own = graph->rate[i];
        i128 excess = (i128)own.fee_sat * all.size - (i128)all.fee_sat * own.size;
        closure->excess[i] = excess;
        closure->payers[i] = 0;
        closure->sources |= excess > 0 ? BIT(i) : 0;
        closure->sinks |= excess < 0 ? BIT(i) : 0;
    }
}

/* Where something can go from a member: to what it needs, without limit, or back. */
static uint64_t ways(const struct closure *closure, uint32_t i)
{
    return (closure->parents[i] | closure->payers[i]) & closure->set;
}

/* How far all members are from the nearest that has to give: level[d] has those at d. Ends at the
 * first level with a taker or with nobody. Returns: its number; *seen is all that was passed */
static uint32_t find_levels(struct closure *closure, uint64_t level[LINEAR_COUNT_MAX + 1],
                            uint64_t *seen)
{
    uint32_t end = 0;
    *seen = level[0] = closure->sources;
    while (level[end] && !(level[end] & closure->sinks)) {
        uint64_t next = 0;
        for (uint64_t rest = level[end]; rest; rest &= rest - 1)
            next |= ways(closure, lowest(rest));
        level[++end] = next & ~*seen;
        *seen |= next;
    }
    closure->steps -= MIN_OF(closure->steps, (uint64_t)__builtin_popcountll(*seen));
    return end;
}

/* A way from a giver down the levels to a taker, member by member; those that lead nowhere die.
 * Returns: whether there is one. Each visit is a step. */
static bool find_way(struct closure *closure, const uint64_t *level, uint32_t end, uint64_t *dead,
                     uint8_t *way)
{
    uint32_t n = 0;
    while (closure->steps > 0) {
        closure->steps--;
        uint64_t next = n == 0 ? closure->sources : ways(closure, way[n - 1]) & level[n];
        next &= n == end ? closure->sinks & ~*dead : ~*dead;
        if (next) {
            way[n++] = (uint8_t)lowest(next);
            if (n > end)
                return true;
        } else if (n > 0) {
            *dead |= BIT(way[--n]);
        } else {
            return false;
        }
    }
    return false;
}

/* Is a step back to who has sent it something? */
static bool is_back(const struct closure *closure, uint32_t from, uint32_t to)
{
    return closure->payers[from] & BIT(to);
}

static void take_step(struct closure *closure, uint32_t from, uint32_t to, i128 amount)
{
    if (is_back(closure, from, to)) {
        closure->sent[to][from] -= amount;
        if (closure->sent[to][from] == 0)
            closure->payers[from] &= ~BIT(to);
        return;
    }
    if (!(closure->payers[to] & BIT(from)))
        closure->sent[from][to] = 0;
    closure->sent[from][to] += amount;
    closure->payers[to] |= BIT(from);
}

/* Send as much as there is, can be taken, and can be sent back where the way leads back. */
static void send_along(struct closure *closure, const uint8_t *way, uint32_t end)
{
    uint32_t first = way[0], last = way[end];
    i128 amount = MIN_OF(closure->excess[first], -closure->excess[last]);
    for (uint32_t k = 0; k < end; k++)
        if (is_back(closure, way[k], way[k + 1]))
            amount = MIN_OF(amount, closure->sent[way[k + 1]][way[k]]);
    ASSERT(amount > 0);
    for (uint32_t k = 0; k < end; k++)
        take_step(closure, way[k], way[k + 1], amount);
    closure->excess[first] -= amount;
    closure->excess[last] += amount;
    if (closure->excess[first] == 0)
        closure->sources &= ~BIT(first);
    if (closure->excess[last] == 0)
        closure->sinks &= ~BIT(last);
}

bool closure_find(struct closure *closure, uint64_t set, uint64_t *best)
{
    ASSERT(set);
    uint64_t level[LINEAR_COUNT_MAX + 1];
    uint8_t way[LINEAR_COUNT_MAX + 1];
    closure->set = set;
    fill_excess(closure);
    for (;;) {
        uint64_t seen, dead = 0;
        uint32_t end = find_levels(closure, level, &seen);
        if (!level[end]) {
            *best = seen;
            return true;
        }
        while (find_way(closure, level, end, &dead, way))
            send_along(closure, way, end);
        if (closure->steps == 0)
            return false;
    }
}

/* From where what is sent may go where, however far. */
static void find_reach(const struct closure *closure, uint64_t *reach)
{
    for (uint64_t rest = closure->set; rest; rest &= rest - 1)
        reach[lowest(rest)] = ways(closure, lowest(rest)) | BIT(lowest(rest));
    for (uint64_t over = closure->set; over; over &= over - 1)
        for (uint64_t rest = closure->set; rest; rest &= rest - 1)
            if (reach[lowest(rest)] & BIT(lowest(over)))
                reach[lowest(rest)] |= reach[lowest(over)];
}

/* Can all that a member reaches of what is left reach it too? */
static bool is_closed(const uint64_t *reach, uint32_t i, uint64_t left)
{
    for (uint64_t rest = reach[i] & left; rest; rest &= rest - 1)
        if (!(reach[lowest(rest)] & BIT(i)))
            return false;
    return true;
}

/* Members that reach each other are one chunk: a part of them would leave behind what it needs, or
 * what it has been paid for. */
uint32_t closure_order_whole(const struct closure *closure, uint8_t *order)
{
    ASSERT(closure->set && closure->sources == 0);
    uint64_t reach[LINEAR_COUNT_MAX];
    uint32_t n = 0;
    find_reach(closure, reach);
    for (uint64_t left = closure->set, part; left; left &= ~part) {
        uint64_t rest = left;
        while (!is_closed(reach, lowest(rest), left))
            rest &= rest - 1;
        part = reach[lowest(rest)] & left;
        for (uint64_t member = part; member; member &= member - 1)
            order[n++] = (uint8_t)lowest(member);
    }
    return n;
}
