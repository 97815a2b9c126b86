/* laggards.h - peers that we chose must know what is going on: one that knows less than we do for
 * long keeps a slot from one that does, which is what an eclipse needs.
 *
 * Layer: p2p. A few peers that once knew as much as we do are spared: if our own chain is the one
 * that nobody else builds on, we must not drop all who could tell us. Spec: Core ConsiderEviction()
 */
#ifndef P2P_HEADERS_LAGGARDS_H
#define P2P_HEADERS_LAGGARDS_H

#include <stdbool.h>
#include <stdint.h>

struct p2p;
struct peer;
struct block_node;

#define LAGGARDS_PATIENCE_US INT64_C(1200000000) /* to come up to the tip that we had */
#define LAGGARDS_LAST_US     INT64_C(120000000)  /* more, once asked for the last time */
#define LAGGARDS_SPARED_MAX  4

/* Of one peer. */
struct peer_lag {
    const struct block_node *goal; /* our tip when its time began; NULL: it knows all we do */
    int64_t since_us;
    bool is_last_chance; /* it was asked once more */
    bool is_spared;
};

/* It has told us headers: it may have shown as much work as our tip has, and be spared. */
void laggards_told(struct p2p *p2p, struct peer *peer);
/* It is gone, and what it was spared another may be. */
void laggards_peer_gone(struct p2p *p2p, struct peer *peer);
/* Ask or drop those whose time is over. Returns: when to be called again, INT64_MAX: never. */
int64_t laggards_tick(struct p2p *p2p, int64_t now_us);

#endif
