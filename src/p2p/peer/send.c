/* send.c - see send.h. */
#include "p2p/peer/send.h"

#include "p2p/state.h"
#include "util/planted.h"

/* Whether it may be sent at all. */
static const struct message *sendable(const struct p2p *p2p, const struct peer *peer,
                                      const char *name)
{
    const struct message *message = message_find(p2p->messages, name);
    ASSERT(message);
    bool is_sent = peer->state != PEER_GONE && peer->state != PEER_CONNECTING &&
                   peer->version.version >= message->since;
    return is_sent ? message : NULL;
}

void peer_count_sent(struct p2p *p2p, struct peer *peer, size_t n)
{
    peer->bytes_sent += n;
    p2p->bytes_sent += n;
    peer->last_send_s = p2p_now_s(p2p);
    upload_count(&p2p->upload, n, peer->last_send_s);
}

static void count_sent(struct p2p *p2p, struct peer *peer, const struct message *message, size_t n)
{
    peer->turn_bytes += n;
    peer->per_message[message - p2p->messages].sent += n;
    peer_count_sent(p2p, peer, n);
    log_printf(p2p->log, LOG_NET, "peer=%llu: sending %s (%zu bytes)", peer_shown(peer->id),
               message->name, n);
}

/* [tx 12] Framed. */
void peer_send(struct p2p *p2p, struct peer *peer, const char *name, struct span payload)
{
    ASSERT(payload.len <= FRAME_PAYLOAD_MAX);
    const struct message *message = sendable(p2p, peer, name);
    if (!message)
        return;
    capture_message(p2p->capture, peer->text, false, name, payload);
    count_sent(p2p, peer, message, transport_send(&peer->transport, name, payload));
}

static void drop_block(void *arg)
{
    block_ref_drop(arg);
}

/* Encrypted it is another for each peer; in the clear the same bytes go to all. */
void peer_send_block(struct p2p *p2p, struct peer *peer, struct block_ref *block,
                     const uint8_t checksum[4])
{
    ASSERT(block->raw_len > 0);
    struct span raw = span_of(block->raw, block->raw_len);
    const struct message *message = sendable(p2p, peer, "block");
    if (!message)
        return;
    capture_message(p2p->capture, peer->text, false, "block", raw);
    if (peer->transport.kind != TRANSPORT_V1) {
        count_sent(p2p, peer, message, transport_send(&peer->transport, "block", raw));
        return;
    }
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_encode(header, p2p->network->magic, "block", raw.len, checksum);
    env_stream_send(p2p->env, peer->stream, span_of(header, sizeof header));
    env_stream_send_shared(p2p->env, peer->stream, raw, drop_block, block_ref_hold(block));
    count_sent(p2p, peer, message, sizeof header + raw.len);
}

size_t peer_queued_bytes(const struct p2p *p2p, const struct peer *peer)
{
    return env_stream_queued_bytes(p2p->env, peer->stream);
}

/* Where it has not, whoever answers its requests stops until on_writable: a peer that asks and does
 * not read costs one message more than this (hazard 51). */
bool peer_has_room(const struct p2p *p2p, const struct peer *peer)
{
    return peer_queued_bytes(p2p, peer) < PEER_SEND_QUEUE_PAUSE ||
           PLANTED(p2p->env, UNREAD_ANSWERED);
}

bool peer_turn_is_over(const struct peer *peer)
{
    return peer->turn_messages >= PEER_TURN_MESSAGES || peer->turn_bytes >= PEER_TURN_BYTES;
}
