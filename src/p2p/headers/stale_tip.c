/* stale_tip.c - see stale_tip.h. */
#include "p2p/headers/stale_tip.h"

#include "p2p/state.h"
#include "util/planted.h"

void stale_tip_init(struct p2p *p2p)
{
    int64_t now_us = p2p_now_us(p2p);
    p2p->stale = (struct stale_tip){.moved_us = now_us,
                                    .next_check_us = now_us + STALE_TIP_CHECK_US,
                                    .next_evict_us = now_us + STALE_TIP_EVICT_US};
}

void stale_tip_moved(struct p2p *p2p)
{
    p2p->stale.moved_us = p2p_now_us(p2p);
}

/* Whether somebody owes us a block does not matter, as it does in Core: whoever holds all our peers
 * can have one dripped whenever we look. */
static bool is_stale(const struct p2p *p2p, int64_t now_us)
{
    int64_t spacing_us = p2p->network->pow_target_spacing_s * 1000000;
    if (PLANTED(p2p->env, TIP_NEVER_STALE))
        return false;
    return now_us - p2p->stale.moved_us > STALE_TIP_SPACINGS * spacing_us;
}

/* Is a of less use than b? Of equals the younger one. */
static bool is_worse(const struct peer *a, const struct peer *b)
{
    if (a->score.last_block_us != b->score.last_block_us)
        return a->score.last_block_us < b->score.last_block_us;
    return a->id > b->id;
}

/* Let the worst of one too many go; who has just come or owes us a block is left for now. */
static void evict_extra(struct p2p *p2p, int64_t now_us)
{
    struct peer *worst = NULL;
    size_t n = 0;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->class != PEER_FULL || peer->state != PEER_READY)
            continue;
        n++;
        if (!worst || is_worse(peer, worst))
            worst = peer;
    }
    if (n <= P2P_FULL_OUTBOUND || worst->fetch.n_in_flight > 0 ||
        now_us - worst->connected_us < STALE_TIP_PROBATION_US)
        return;
    p2p->stale.wants_extra = false; /* until the tip is found stale again */
    peer_drop(p2p, worst, "one outbound peer too many");
}

/* The two youngest peers for blocks only. Returns: how many of them there are */
static size_t find_youngest(const struct p2p *p2p, struct peer *youngest[2])
{
    size_t n = 0;
    youngest[0] = youngest[1] = NULL;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->class != PEER_BLOCK_ONLY || peer->state != PEER_READY)
            continue;
        n++;
        youngest[1] = youngest[0]; /* peers are in the order in which they came */
        youngest[0] = peer;
    }
    return n;
}

/* One too many for blocks only has come to show what it has: it takes the place of who came before
 * it if it has given us a block since, else it goes. */
static void evict_extra_block_only(struct p2p *p2p, int64_t now_us)
{
    struct peer *youngest[2];
    if (find_youngest(p2p, youngest) <= P2P_BLOCK_ONLY_OUTBOUND)
        return;
    bool is_better = youngest[0]->score.last_block_us > youngest[1]->score.last_block_us;
    struct peer *worse = youngest[is_better];
    if (worse->fetch.n_in_flight == 0 && now_us - worse->connected_us >= STALE_TIP_PROBATION_US)
        peer_drop(p2p, worse, "one block-relay-only peer too many");
}

int64_t stale_tip_tick(struct p2p *p2p, int64_t now_us)
{
    struct stale_tip *stale = &p2p->stale;
    if (p2p->options.connect_only)
        return INT64_MAX; /* all are the user's choice */
    if (stale->next_evict_us <= now_us) {
        stale->next_evict_us = now_us + STALE_TIP_EVICT_US;
        evict_extra(p2p, now_us);
        evict_extra_block_only(p2p, now_us);
    }
    if (stale->next_check_us <= now_us) {
        stale->next_check_us = now_us + STALE_TIP_CHECK_US;
        bool was_wanted = stale->wants_extra;
        stale->wants_extra =
            p2p->options.max_connections >= P2P_FULL_OUTBOUND && is_stale(p2p, now_us);
        if (stale->wants_extra && !was_wanted)
            log_printf(p2p->log, LOG_NET, "no new block for %lld s: trying one more outbound peer",
                       (long long)(now_us - stale->moved_us) / 1000000);
    }
    return stale->next_check_us < stale->next_evict_us ? stale->next_check_us
                                                       : stale->next_evict_us;
}
