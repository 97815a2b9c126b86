/* versionbits.c - rule changes that miners signal readiness for.
 *
 * A deployment's life on the main network: a period is 2,016 blocks, about two weeks, and begins
 * where the difficulty changes. The state of a block is the state of its period; so it is enough to
 * find the last block of the period before, and to go back from there until some period's state is
 * known. */
#include "consensus/versionbits.h"

#include <string.h>

#include "consensus/pow.h"

static const char *const state_names[BIP9_STATE_COUNT] = {
    [BIP9_STATE_DEFINED] = "defined",     [BIP9_STATE_STARTED] = "started",
    [BIP9_STATE_LOCKED_IN] = "locked_in", [BIP9_STATE_ACTIVE] = "active",
    [BIP9_STATE_FAILED] = "failed",
};

const char *versionbits_state_name(enum bip9_state state)
{
    ASSERT((unsigned)state < BIP9_STATE_COUNT);
    return state_names[state];
}

/* The row of that network: a copy of it may have been changed by options. */
static const struct bip9_params *params_of(const struct network *network,
                                           enum bip9_deployment deployment)
{
    ASSERT((unsigned)deployment < BIP9_COUNT);
    return &network->bip9[deployment];
}

/* A signal counts in whatever state the deployment is; only in one of them does anybody count. */
bool versionbits_signals(const struct network *network, enum bip9_deployment deployment,
                         int32_t version)
{
    uint32_t bit = UINT32_C(1) << params_of(network, deployment)->bit;
    /* The top bits tell that the others are votes. BIP-9, Bit flags */
    uint32_t bits = (uint32_t)version;
    return (bits & VERSIONBITS_TOP_MASK) == VERSIONBITS_TOP_BITS && (bits & bit) != 0;
}

/* The last node of the period before the one that the block after prev lies in; NULL if that is
 * the first period. */
static const void *period_end(const struct header_view *view, const void *prev, int32_t period)
{
    ASSERT(period > 0);
    if (!prev)
        return NULL;
    int32_t height = view->facts(prev).height;
    height -= (height + 1) % period;
    return height < 0 ? NULL : view->ancestor(prev, height);
}

/* The end of the period before; NULL in front of the first. */
static const void *one_period_back(const struct header_view *view, const void *end, int32_t period)
{
    int32_t height = view->facts(end).height - period;
    return height < 0 ? NULL : view->ancestor(end, height);
}

/* Signalling blocks among node and the n - 1 before it. Costs a step for each block of a period, so
 * states are remembered by those who ask often. */
static uint32_t count_signals(const struct network *network, enum bip9_deployment deployment,
                              const struct header_view *view, const void *node, uint32_t n)
{
    uint32_t count = 0;
    for (; node && n > 0; n--) {
        count += versionbits_signals(network, deployment, view->facts(node).version);
        node = view->prev(node);
    }
    return count;
}

/* The state after one more period, which ends with end. Once in a period, at its end. The wait of
 * one period between locked in and active gives everybody time to upgrade; the minimum height can
 * make it longer. BIP-9, State transitions */
static enum bip9_state advance(const struct network *network, enum bip9_deployment deployment,
                               const struct header_view *view, const void *end,
                               enum bip9_state state)
{
    const struct bip9_params *params = params_of(network, deployment);
    switch (state) {
    case BIP9_STATE_DEFINED:
        return view->median_time_past(end) >= params->start_time ? BIP9_STATE_STARTED : state;
    case BIP9_STATE_STARTED:
        /* The threshold goes before the timeout: a period that ends too late can still lock in. */
        if (count_signals(network, deployment, view, end, params->period) >= params->threshold)
            return BIP9_STATE_LOCKED_IN;
        return view->median_time_past(end) >= params->timeout ? BIP9_STATE_FAILED : state;
    case BIP9_STATE_LOCKED_IN:
        /* BIP-341, Deployment */
        return view->facts(end).height + 1 >= params->min_activation_height ? BIP9_STATE_ACTIVE
                                                                            : state;
    case BIP9_STATE_ACTIVE:
    case BIP9_STATE_FAILED:
    case BIP9_STATE_COUNT:
        break;
    }
    return state;
}

static bool cache_get(const struct versionbits_cache *cache, enum bip9_deployment deployment,
                      const void *node, enum bip9_state *state)
{
    return cache && cache->get && cache->get(cache->ctx, deployment, node, state);
}

static void cache_put(const struct versionbits_cache *cache, enum bip9_deployment deployment,
                      const void *node, enum bip9_state state)
{
    if (cache && cache->put)
        cache->put(cache->ctx, deployment, node, state);
}

/* It follows from headers alone, so it is the same on every node that has them, whatever the order
 * in which they came. */
enum bip9_state versionbits_state(const struct network *network, enum bip9_deployment deployment,
                                  const struct header_view *view, const void *prev,
                                  const struct versionbits_cache *cache)
{
    const struct bip9_params *params = params_of(network, deployment);
    /* Not times, but names for what holds from the first block on, and for what never will. */
    if (params->start_time == BIP9_ALWAYS_ACTIVE)
        return BIP9_STATE_ACTIVE;
    if (params->start_time == BIP9_NEVER_ACTIVE)
        return BIP9_STATE_FAILED;

    /* Back to a period whose state is known. Median times never fall along a chain, so before
     * the start time every state is DEFINED. */
    int32_t period = (int32_t)params->period;
    const void *last = period_end(view, prev, period);
    const void *known = last;
    enum bip9_state state = BIP9_STATE_DEFINED;
    while (known && !cache_get(cache, deployment, known, &state)) {
        if (view->median_time_past(known) < params->start_time) {
            state = BIP9_STATE_DEFINED;
            cache_put(cache, deployment, known, state);
            break;
        }
        known = one_period_back(view, known, period);
        state = BIP9_STATE_DEFINED;
    }

    /* And forward again, a period at a time. */
    int32_t end_height = known ? view->facts(known).height : -1;
    int32_t last_height = last ? view->facts(last).height : -1;
    while (end_height < last_height) {
        end_height += period;
        const void *end = view->ancestor(last, end_height);
        state = advance(network, deployment, view, end, state);
        cache_put(cache, deployment, end, state);
    }
    return state;
}

int32_t versionbits_since(const struct network *network, enum bip9_deployment deployment,
                          const struct header_view *view, const void *prev,
                          const struct versionbits_cache *cache)
{
    const struct bip9_params *params = params_of(network, deployment);
    if (params->start_time == BIP9_ALWAYS_ACTIVE || params->start_time == BIP9_NEVER_ACTIVE)
        return 0;
    enum bip9_state state = versionbits_state(network, deployment, view, prev, cache);
    if (state == BIP9_STATE_DEFINED)
        return 0;

    /* DEFINED holds in the first period, so the walk ends before it runs out of nodes. */
    int32_t period = (int32_t)params->period;
    const void *end = period_end(view, prev, period);
    ASSERT(end);
    for (;;) {
        const void *before = one_period_back(view, end, period);
        if (versionbits_state(network, deployment, view, before, cache) != state)
            return view->facts(end).height + 1;
        ASSERT(before);
        end = before;
    }
}

struct versionbits_stats versionbits_stats(const struct network *network,
                                           enum bip9_deployment deployment,
                                           const struct header_view *view, const void *node)
{
    const struct bip9_params *params = params_of(network, deployment);
    ASSERT(params->period > 0 && params->threshold <= params->period);
    struct versionbits_stats stats = {.period = params->period, .threshold = params->threshold};
    if (node)
        stats.elapsed = (uint32_t)(view->facts(node).height % (int32_t)params->period) + 1;
    stats.count = count_signals(network, deployment, view, node, stats.elapsed);
    /* So many may fail to signal; so many have. */
    stats.possible = stats.period - stats.threshold >= stats.elapsed - stats.count;
    return stats;
}

/* A miner's node signals by default for what it knows and enforces; -blockversion sets another
 * version. */
int32_t versionbits_block_version(const struct network *network, const struct header_view *view,
                                  const void *prev, const struct versionbits_cache *cache)
{
    uint32_t version = VERSIONBITS_TOP_BITS;
    for (int i = 0; i < BIP9_COUNT; i++) {
        enum bip9_deployment deployment = (enum bip9_deployment)i;
        enum bip9_state state = versionbits_state(network, deployment, view, prev, cache);
        /* BIP-9, Bit flags */
        if (state == BIP9_STATE_STARTED || state == BIP9_STATE_LOCKED_IN)
            version |= UINT32_C(1) << params_of(network, deployment)->bit;
    }
    return (int32_t)version;
}

/* -- Rule changes that we do not know of --------------------------------------------------------
 */

/* Bits signalled by enough blocks of the period that ends with end. */
static uint32_t unknown_signals(const struct network *network, const struct header_view *view,
                                const void *end, const struct versionbits_cache *cache)
{
    int32_t period = pow_retarget_interval(network);
    /* Test chains change more easily. The bits of deployments that are known, and signalled for at
     * the time, are taken off below. Spec: Core WarningBitsConditionChecker */
    int32_t threshold = network->is_test_chain ? period * 3 / 4 : period * 9 / 10;
    const void *before = one_period_back(view, end, period);
    uint32_t ours = (uint32_t)versionbits_block_version(network, view, before, cache);
    int32_t counts[VERSIONBITS_RULE_BITS] = {0};
    const void *node = end;
    for (int32_t n = 0; n < period; n++) {
        uint32_t version = (uint32_t)view->facts(node).version;
        bool is_signal = (version & VERSIONBITS_TOP_MASK) == VERSIONBITS_TOP_BITS;
        for (uint32_t bit = 0; is_signal && bit < VERSIONBITS_RULE_BITS; bit++)
            counts[bit] += (int32_t)((version & ~ours) >> bit & 1);
        node = view->prev(node);
    }
    uint32_t bits = 0;
    for (uint32_t bit = 0; bit < VERSIONBITS_RULE_BITS; bit++)
        bits |= counts[bit] >= threshold ? UINT32_C(1) << bit : 0;
    return bits;
}

/* A node that does not know the rules of a change which has come into force follows the chain on
 * trust: its user should hear of it. Votes of the period before are what is judged, as for known
 * deployments. BIP-9, Warning mechanism */
void versionbits_unknown_update(struct versionbits_unknown *unknown, const struct network *network,
                                const struct header_view *view, const void *prev,
                                const struct versionbits_cache *cache)
{
    int32_t period = pow_retarget_interval(network);
    const void *last = period_end(view, prev, period);
    if (last == unknown->end)
        return;
    int32_t last_height = last ? view->facts(last).height : -1;
    int32_t height = unknown->end ? view->facts(unknown->end).height : INT32_MAX;
    /* In the first period nothing could have been signalled for; a reorganisation starts over. */
    if (height >= last_height || view->ancestor(last, height) != unknown->end) {
        *unknown = (struct versionbits_unknown){0};
        height = period - 1;
    }
    while (height + period <= last_height) {
        height += period;
        unknown->active |= unknown->locked_in;
        unknown->locked_in = 0;
        if (height >= network->unknown_rules_height)
            unknown->locked_in =
                unknown_signals(network, view, view->ancestor(last, height), cache);
    }
    unknown->end = last;
}
