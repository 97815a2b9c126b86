/* light.h - light clients that have us sort out what concerns them (BIP37, -peerbloomfilters).
 *
 * Layer: p2p. One filter for each peer, which its messages set and matches change. Off by default:
 * matching costs us, and the filter tells us what the client has. Spec: BIP-111, Specification */
#ifndef P2P_SERVE_LIGHT_H
#define P2P_SERVE_LIGHT_H

#include "p2p/core/bloom.h"
#include "p2p/peer/score.h"

struct block_ref;
struct light_block;
struct p2p;
struct peer;

struct peer_light {
    struct bloom *filter; /* owned. NULL: none; all is told */
};

/* The peer is gone. */
void light_peer_gone(struct p2p *p2p, struct peer *peer);
/* Is it to be told of that transaction, as far as its filter says? Outputs may be added to it. */
bool light_passes(struct peer *peer, const struct tx *tx);
/* A decoded block is held against the peer's filter; without a filter nothing comes of it.
 *
 * In:       block  held
 * Returns:  owned by the caller, light_block_free() */
struct light_block *light_block_new(const struct peer *peer, struct block_ref *block);
/* Any thread, for it takes long: each push of each script is an element, of which fifty hashes may
 * be made. What matches is put into the filter, as of each block before the next one is begun. */
void light_block_run(struct light_block *light);
/* Send it as a merkleblock, and the transactions in it that match. BIP-37, Extensions to existing
 * messages */
void light_block_send(struct p2p *p2p, struct peer *peer, const struct light_block *light);
/* NULL is allowed. */
void light_block_free(struct light_block *light);

/* The handler of "filterload". */
enum fault light_on_filterload(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "filteradd". */
enum fault light_on_filteradd(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "filterclear". */
enum fault light_on_filterclear(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
