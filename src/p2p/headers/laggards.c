/* laggards.c - see laggards.h. */
#include "p2p/headers/laggards.h"

#include "p2p/headers/header_ask.h"
#include "p2p/state.h"
#include "util/planted.h"

/* Its best block has the work of this one, or more. */
static bool knows(const struct peer *peer, const struct block_node *node)
{
    const struct block_node *best = peer->headers.best_known;
    return best && u256_compare(best->chain_work, node->chain_work) >= 0;
}

void laggards_told(struct p2p *p2p, struct peer *peer)
{
    if (peer->class != PEER_FULL || peer->lag.is_spared || p2p->n_spared == LAGGARDS_SPARED_MAX ||
        !knows(peer, chain_tip(p2p->chain)))
        return;
    peer->lag.is_spared = true;
    p2p->n_spared++;
    ASSERT(p2p->n_spared <= LAGGARDS_SPARED_MAX);
}

void laggards_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    ASSERT(!peer->lag.is_spared || p2p->n_spared > 0);
    p2p->n_spared -= peer->lag.is_spared;
}

static int64_t tick(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    struct peer_lag *lag = &peer->lag;
    const struct block_node *tip = chain_tip(p2p->chain);
    bool is_chosen = peer->class == PEER_FULL || peer->class == PEER_BLOCK_ONLY;
    if (!is_chosen || lag->is_spared || PLANTED(p2p->env, LAGGARDS_BORNE))
        return INT64_MAX;
    if (knows(peer, tip)) {
        lag->goal = NULL;
        return INT64_MAX;
    }
    /* Who always comes up to where we were is behind, but honest: each new tip begins anew. */
    if (!lag->goal || knows(peer, lag->goal)) {
        lag->goal = tip;
        lag->since_us = now_us;
        lag->is_last_chance = false;
    }
    int64_t until_us =
        lag->since_us + LAGGARDS_PATIENCE_US + (lag->is_last_chance ? LAGGARDS_LAST_US : 0);
    if (now_us <= until_us)
        return until_us + 1; /* after that, as in Core */
    if (lag->is_last_chance) {
        peer_drop(p2p, peer, "has known less than we do for long");
        return INT64_MAX;
    }
    lag->is_last_chance = true;
    lag->since_us = now_us - LAGGARDS_PATIENCE_US;
    header_ask(p2p, peer, lag->goal->prev ? lag->goal->prev : lag->goal);
    return now_us + LAGGARDS_LAST_US;
}

int64_t laggards_tick(struct p2p *p2p, int64_t now_us)
{
    int64_t next_us = INT64_MAX;
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        int64_t at_us = peer->state == PEER_READY ? tick(p2p, peer, now_us) : INT64_MAX;
        next_us = MIN_OF(next_us, at_us);
    }
    return next_us;
}
