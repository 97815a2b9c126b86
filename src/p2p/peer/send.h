/* send.h - what is sent to a peer, and how much of it at a time.
 *
 * Layer: p2p, internal. A peer that does not read has little queued for it; one that does has its
 * share of each turn of the loop. Hazards 51 and 52. */
#ifndef P2P_PEER_SEND_H
#define P2P_PEER_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct block_ref;
struct p2p;
struct peer;

#define PEER_SEND_QUEUE_PAUSE (1000 * 1000) /* queued bytes above which we stop reading */

/* What one peer may have of a turn of the loop: messages handled; bytes taken from it or put into
 * its queue. Then it waits for the next turn, in which all others have theirs. */
#define PEER_TURN_MESSAGES 100
#define PEER_TURN_BYTES    (256 * 1000)

/* Queue a message. Nothing is sent to a peer that is gone, or whose version is older than the
 * message: see struct message.
 *
 * In:       name     of the table
 *           payload  copied */
void peer_send(struct p2p *p2p, struct peer *peer, const char *name, struct span payload);
/* The same of the bytes of a block, whose checksum is known: held until they are sent, not copied.
 */
void peer_send_block(struct p2p *p2p, struct peer *peer, struct block_ref *block,
                     const uint8_t checksum[4]);
/* Count bytes that were sent beside messages. */
void peer_count_sent(struct p2p *p2p, struct peer *peer, size_t n);
/* What is queued for it and not gone yet. */
size_t peer_queued_bytes(const struct p2p *p2p, const struct peer *peer);
/* Room in the peer's queue, so that more may be put into it. */
bool peer_has_room(const struct p2p *p2p, const struct peer *peer);
/* It has had what one peer may have of a turn: go on in the next one. */
bool peer_turn_is_over(const struct peer *peer);

#endif
