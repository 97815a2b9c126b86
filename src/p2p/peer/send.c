/* send.c - see send.h. */
#include "p2p/peer/send.h"

#include "p2p/state.h"

/* Send the header of a message, and count all of it. False: the peer is sent nothing. */
static bool send_header(struct p2p *p2p, struct peer *peer, const char *name, size_t len,
                        const uint8_t checksum[4])
{
    const struct message *message = message_find(p2p->messages, name);
    ASSERT(message);
    if (peer->state == PEER_GONE || peer->state == PEER_CONNECTING ||
        peer->version.version < message->since)
        return false;
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_encode(header, p2p->network->magic, name, len, checksum);
    env_stream_send(p2p->env, peer->stream, span_of(header, sizeof header));
    size_t n = sizeof header + len;
    peer->turn_bytes += n;
    peer->per_message[message - p2p->messages].sent += n;
    peer->bytes_sent += n;
    p2p->bytes_sent += n;
    peer->last_send_s = p2p_now_s(p2p);
    upload_count(&p2p->upload, n, peer->last_send_s);
    log_printf(p2p->log, LOG_NET, "peer=%llu: sending %s (%zu bytes)", (unsigned long long)peer->id,
               name, len);
    return true;
}

/* [tx 12] Framed. */
void peer_send(struct p2p *p2p, struct peer *peer, const char *name, struct span payload)
{
    ASSERT(payload.len <= FRAME_PAYLOAD_MAX);
    uint8_t checksum[4];
    frame_checksum(payload, checksum);
    if (send_header(p2p, peer, name, payload.len, checksum) && payload.len > 0)
        env_stream_send(p2p->env, peer->stream, payload);
}

static void drop_block(void *arg)
{
    block_ref_drop(arg);
}

void peer_send_block(struct p2p *p2p, struct peer *peer, struct block_ref *block,
                     const uint8_t checksum[4])
{
    ASSERT(block->raw_len > 0);
    if (send_header(p2p, peer, "block", block->raw_len, checksum))
        env_stream_send_shared(p2p->env, peer->stream, span_of(block->raw, block->raw_len),
                               drop_block, block_ref_hold(block));
}

/* Where it has not, whoever answers its requests stops until on_writable: a peer that asks and does
 * not read costs one message more than this (hazard 51). */
bool peer_has_room(const struct p2p *p2p, const struct peer *peer)
{
    return env_stream_queued_bytes(p2p->env, peer->stream) < PEER_SEND_QUEUE_PAUSE;
}

bool peer_turn_is_over(const struct peer *peer)
{
    return peer->turn_messages >= PEER_TURN_MESSAGES || peer->turn_bytes >= PEER_TURN_BYTES;
}
