/* receive.c - see receive.h. */
#include "p2p/session/receive.h"

#include "p2p/session/handshake.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

/* Who waits for room in his queue may have some before it is empty, of which alone we are told. */
#define LOOK_AGAIN_US 100000

/* -- What is worth keeping -----------------------------------------------------------------------
 */

static bool is_in_phase(const struct p2p *p2p, const struct peer *peer,
                        const struct message *message)
{
    if (peer->is_private_up)
        return message->flags & MESSAGE_PRIVATE;
    if (PLANTED(p2p->env, HANDSHAKE_ANY_TIME))
        return true;
    switch (message->phase) {
    case MESSAGE_VERSION:
        return peer->state == PEER_NEW;
    case MESSAGE_HANDSHAKE:
        return peer->state == PEER_GREETED;
    case MESSAGE_READY:
        return peer->state == PEER_READY;
    }
    return false;
}

/* Nobody looks at what is in it. */
static bool is_empty_to_us(const struct p2p *p2p, const struct peer *peer,
                           const struct message *message)
{
    return !message || !is_in_phase(p2p, peer, message) || (message->flags & MESSAGE_UNREAD) ||
           (message->is_on && !message->is_on(p2p));
}

/* What frame_read() is told of a message that begins. */
struct frame_of {
    const struct p2p *p2p;
    const struct peer *peer;
};

static struct frame_rule rule_of(void *arg, const char *name)
{
    const struct frame_of *of = arg;
    const struct message *message = message_find(of->p2p->messages, name);
    /* Who captures messages wants to see those too that mean nothing to us. */
    bool is_discarded = is_empty_to_us(of->p2p, of->peer, message) && !of->p2p->capture;
    bool has_max = message && !PLANTED(of->p2p->env, LENGTHS_UNBOUNDED);
    return (struct frame_rule){.max_bytes = has_max ? message->max : FRAME_PAYLOAD_MAX,
                               .is_discarded = is_discarded};
}

/* The row of the message that is being read, or has just been read. While it is sealed nobody knows
 * which it is: it is taken for a block that was asked for, if one was, told by short ids or whole,
 * or for a chunk of a snapshot.
 */
static const struct message *message_of(const struct p2p *p2p, const struct peer *peer)
{
    if (!peer->frame.is_sealed)
        return message_find(p2p->messages, peer->frame.name);
    const struct message *block = message_find(p2p->messages, "cmpctblock");
    const struct message *chunk = message_find(p2p->messages, "snapchunk");
    if (block->is_asked(p2p, peer))
        return block;
    return chunk->is_asked(p2p, peer) ? chunk : NULL;
}

/* A message that nobody asked for may be long, but not from everybody at once: a hundred peers that
 * announce as much as they may would cost a hundred times two megabytes. */
static bool is_unasked_large(const struct p2p *p2p, const struct peer *peer)
{
    const struct message *message = message_of(p2p, peer);
    bool is_asked = message && message->is_asked && message->is_asked(p2p, peer);
    return peer->frame.payload_size > RECEIVE_LARGE_BYTES && !peer_is_outbound(peer) &&
           !(peer->permissions & PERMISSION_NOBAN) && !is_asked &&
           !PLANTED(p2p->env, LARGE_FROM_ALL);
}

static void end_large(struct p2p *p2p, struct peer *peer)
{
    if (!peer->is_large)
        return;
    peer->is_large = false;
    ASSERT(p2p->n_large > 0);
    p2p->n_large--;
}

static int64_t large_age_us(const struct p2p *p2p, const struct peer *peer)
{
    return p2p_now_us(p2p) - peer->large_since_us;
}

/* Bytes a second since it has its place; in the first moment as if that were over. */
static uint64_t large_rate(const struct p2p *p2p, const struct peer *peer)
{
    int64_t age_us = large_age_us(p2p, peer);
    age_us = MAX_OF(age_us, RECEIVE_LARGE_US);
    return (uint64_t)peer->frame.payload_len * 1000000 / (uint64_t)age_us;
}

/* Who has a place and makes least progress; NULL if that one has only begun. */
static struct peer *find_slowest(const struct p2p *p2p)
{
    struct peer *slowest = NULL;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->is_large && (!slowest || large_rate(p2p, peer) < large_rate(p2p, slowest)))
            slowest = peer;
    ASSERT(slowest);
    return large_age_us(p2p, slowest) < RECEIVE_LARGE_US ? NULL : slowest;
}

/* Memory for all that is announced: what frame_read() does not do. */
static void take_all_at_once(struct frame_reader *frame)
{
    frame->payload = xrealloc(frame->payload, frame->payload_size, 1);
    memset(frame->payload + frame->payload_len, 0, frame->payload_size - frame->payload_len);
    frame->capacity = frame->payload_size;
}

/* A message begins. If it is large and unasked, it needs a place; least progress gives way, and who
 * gets none loses the message, not the connection. */
static void begin_message(struct p2p *p2p, struct peer *peer)
{
    ASSERT(!peer->is_large);
    if (PLANTED(p2p->env, LENGTHS_BELIEVED))
        take_all_at_once(&peer->frame);
    if (peer->frame.is_discarded || !is_unasked_large(p2p, peer))
        return;
    if (p2p->n_large == RECEIVE_LARGE_MAX) {
        struct peer *slowest = find_slowest(p2p);
        struct peer *loser = slowest ? slowest : peer;
        log_printf(p2p->log, LOG_NET, "peer=%llu: %s of %u bytes, unasked, is not taken",
                   peer_shown(loser->id), loser->frame.name, loser->frame.payload_size);
        frame_discard(&loser->frame);
        end_large(p2p, loser);
        if (!slowest)
            return;
    }
    peer->is_large = true;
    peer->large_since_us = p2p_now_us(p2p);
    p2p->n_large++;
    ASSERT(p2p->n_large <= RECEIVE_LARGE_MAX);
}

/* -- Messages ------------------------------------------------------------------------------------
 */

/* What must be over before we take more of this peer's messages. */
static bool must_wait(const struct p2p *p2p, const struct peer *peer)
{
    bool is_full =
        tx_queue_is_full(&p2p->txs.queue, &peer->tx_queue) && !PLANTED(p2p->env, QUEUES_ENDLESS);
    return serve_is_busy(peer) || filters_is_busy(peer) || is_full || block_fetch_is_full(peer) ||
           !peer_has_room(p2p, peer);
}

/* [block 4] The message's row names who handles it. */
static void handle(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->is_handling);
    const struct message *message = message_find(p2p->messages, peer->frame.name);
    size_t index = message ? (size_t)(message - p2p->messages) : MESSAGES_COUNT;
    size_t len = peer->frame.payload_size;
    peer->per_message[index].received += peer->frame.overhead + len;
    if (!message || (peer->frame.is_discarded && !is_empty_to_us(p2p, peer, message)))
        return; /* unknown, or given up in favour of others */
    if (message->is_on && !message->is_on(p2p)) {
        log_printf(p2p->log, LOG_NET, "%s from peer=%llu ignored: it is not enabled here",
                   message->name, peer_shown(peer->id));
        return;
    }
    if (!is_in_phase(p2p, peer, message)) {
        /* Repeated greetings and what comes before its time have no effect: hazard 42. But a peer
         * that negotiates after the end breaks BIP-339, Specification, and BIP-155, Signaling
         * support and compatibility. */
        if (peer->state == PEER_READY && (message->flags & MESSAGE_IN_TIME))
            peer_fault(p2p, peer, FAULT_LATE_NEGOTIATION, message->name);
        return;
    }
    struct reader r = reader_of(frame_payload(&peer->frame));
    enum fault fault = len < message->min ? FAULT_UNDERSIZED : FAULT_NONE;
    if (fault == FAULT_NONE && peer->is_private_up)
        fault = p2p->up->private_message(p2p, peer, message->name, &r);
    else if (fault == FAULT_NONE && message->handler)
        fault = message->handler(p2p, peer, &r);
    if ((fault == FAULT_UNDERSIZED || fault == FAULT_MALFORMED) &&
        peer_passes_over(p2p, peer, message->name))
        return;
    if (fault != FAULT_NONE)
        peer_fault(p2p, peer, fault, message->name);
}

static void frame_failed(struct p2p *p2p, struct peer *peer, enum frame_result result)
{
    if (result == FRAME_BAD_CHECKSUM) {
        peer->per_message[MESSAGES_COUNT].received += FRAME_HEADER_BYTES + peer->frame.payload_size;
        frame_reader_trim(&peer->frame);
        if (!peer_passes_over(p2p, peer, "what has a wrong checksum"))
            peer_fault(p2p, peer, FAULT_CHECKSUM, "");
        return;
    }
    static const enum fault faults[] = {
        [FRAME_BAD_MAGIC] = FAULT_MAGIC,
        [FRAME_TOO_LARGE] = FAULT_OVERSIZED,
        [FRAME_NO_TERMINATOR] = FAULT_V2_TERMINATOR,
        [FRAME_BAD_PACKET] = FAULT_V2_PACKET,
        [FRAME_OTHER_NETWORK] = FAULT_V2_NETWORK,
    };
    ASSERT((size_t)result < COUNT_OF(faults) && faults[result] != FAULT_NONE);
    peer_fault(p2p, peer, faults[result], result == FRAME_TOO_LARGE ? peer->frame.name : "");
}

static void end_message(struct p2p *p2p, struct peer *peer, enum frame_result result)
{
    peer->turn_messages++;
    end_large(p2p, peer);
    if (result != FRAME_MESSAGE && result != FRAME_DISCARDED) {
        frame_failed(p2p, peer, result);
        return;
    }
    log_printf(p2p->log, LOG_NET, "peer=%llu: received %s (%u bytes)%s", peer_shown(peer->id),
               peer->frame.name, peer->frame.payload_size,
               result == FRAME_DISCARDED ? ", thrown away" : "");
    if (result == FRAME_MESSAGE)
        capture_message(p2p->capture, peer->text, true, peer->frame.name,
                        frame_payload(&peer->frame));
    handle(p2p, peer);
    frame_reader_trim(&peer->frame);
}

/* Handle whole messages; returns what is left when the peer has to wait or is gone. */
static struct span handle_bytes(struct p2p *p2p, struct peer *peer, struct span bytes)
{
    ASSERT(!peer->is_handling);
    struct frame_of of = {p2p, peer};
    peer->is_handling = true;
    while (bytes.len > 0 && peer->state != PEER_GONE && !must_wait(p2p, peer) &&
           !peer_turn_is_over(peer)) {
        size_t before = bytes.len;
        bool was_open = frame_is_open(&peer->frame);
        enum frame_result result =
            transport_read(&peer->transport, &peer->frame, &bytes, rule_of, &of);
        peer->turn_bytes += before - bytes.len;
        handshake_go_on(p2p, peer);
        if (result != FRAME_MORE)
            end_message(p2p, peer, result);
        else if (!was_open && frame_is_open(&peer->frame))
            begin_message(p2p, peer);
        const struct message *message = message_of(p2p, peer);
        if (message && message->heard)
            message->heard(p2p, peer);
    }
    peer->is_handling = false;
    return peer->state == PEER_GONE ? span_of(NULL, 0) : bytes;
}

static void set_paused(struct p2p *p2p, struct peer *peer, bool paused)
{
    if (peer->is_paused == paused)
        return;
    peer->is_paused = paused;
    if (paused) {
        p2p->n_paused++;
        p2p_schedule_part(p2p, TURN_PEERS, p2p_now_us(p2p) + LOOK_AGAIN_US);
    } else {
        p2p->n_paused--;
    }
    env_stream_pause(p2p->env, peer->stream, paused);
}

/* [block 3] They become messages, as many as a turn allows. */
void receive_bytes(struct p2p *p2p, struct peer *peer, struct span bytes)
{
    peer->bytes_received += bytes.len;
    peer->last_recv_s = p2p_now_s(p2p);
    peer->last_recv_us = p2p_now_us(p2p);
    if (peer->fetch.is_stalled)
        block_fetch_wake(p2p); /* it may be asked again, with care */
    struct span rest = bytes;
    if (peer->waiting.len == 0)
        rest = handle_bytes(p2p, peer, bytes);
    if (peer->state == PEER_GONE)
        return;
    if (rest.len > 0) {
        /* At most what one call brings: nothing more is read until this is handled. */
        buffer_append(&peer->waiting, rest.p, rest.len);
        p2p_schedule_part_now(p2p, TURN_PEERS);
    }
    set_paused(p2p, peer, peer->waiting.len > 0 || must_wait(p2p, peer));
}

void receive_resume(struct p2p *p2p, struct peer *peer)
{
    if (peer->state == PEER_GONE || peer->is_handling)
        return;
    serve_continue(p2p, peer);
    if (peer->state == PEER_GONE || !peer->is_paused || must_wait(p2p, peer))
        return;
    if (peer_turn_is_over(peer)) {
        p2p_schedule_part_now(p2p, TURN_PEERS); /* its next one may be nobody else's wish */
        return;
    }
    if (peer->waiting.len > 0) {
        struct buffer waiting = peer->waiting;
        buffer_init(&peer->waiting);
        struct span rest = handle_bytes(p2p, peer, buffer_span(&waiting));
        if (peer->state != PEER_GONE && rest.len > 0) {
            buffer_append(&peer->waiting, rest.p, rest.len);
            p2p_schedule_part_now(p2p, TURN_PEERS);
        }
        buffer_deinit(&waiting);
        if (peer->state == PEER_GONE)
            return;
    }
    if (peer->waiting.len == 0 && !must_wait(p2p, peer))
        set_paused(p2p, peer, false);
}

void receive_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    ASSERT(!peer->is_paused || p2p->n_paused > 0);
    p2p->n_paused -= peer->is_paused;
    end_large(p2p, peer);
}

void receive_turn(struct p2p *p2p, struct peer *peer)
{
    peer->turn_messages = peer->turn_bytes = 0;
    receive_resume(p2p, peer);
}

int64_t receive_tick(struct p2p *p2p, int64_t now_us)
{
    if (p2p->n_paused == 0)
        return INT64_MAX;
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next; /* a dropped peer keeps its links until we leave */
        receive_turn(p2p, peer);
    }
    return p2p->n_paused > 0 ? now_us + LOOK_AGAIN_US : INT64_MAX;
}
