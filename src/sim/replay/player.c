/* player.c - see player.h. One timer leads from each message to the next of all sources. */
#include "sim/replay/player.h"

#include <string.h>

#include "p2p/core/frame.h"
#include "util/alloc.h"
#include "util/endian.h"

enum link_state { LINK_NEW, LINK_CONNECTING, LINK_UP, LINK_GONE };

struct link {
    struct player *player;
    enum link_state state;
    uint64_t stream;
    struct frame_reader reader;
    struct player_message message; /* the next one to be sent */
    bool has_message;
    bool is_ready;      /* the handshake is over, so that pings are answered */
    uint64_t ping_sent; /* the nonce of the last one */
    struct player_result result;
};

struct player {
    const struct env *env;
    struct player_options options;
    struct link *links; /* of each source */
    struct link *next;  /* whose message the timer is for, or who is waited for; NULL: nobody */
    int64_t played_us;  /* the time of the message that was sent last; 0: none was */
    uint64_t timer;
    bool waits;       /* until a connection is up, or its queue has drained */
    bool awaits_pong; /* of the peer that has spoken last */
    bool has_ended;
};

static void send_next(void *arg);
static void go_on(struct player *player);

static void fetch(struct link *link)
{
    const struct player_source *source = &link->player->options.sources[link - link->player->links];
    do
        link->has_message = source->next(source->ctx, &link->message);
    while (link->has_message && strcmp(link->message.name, "pong") == 0);
}

static void send_frame(struct link *link, const char *name, struct span payload)
{
    ASSERT(payload.len <= FRAME_PAYLOAD_MAX);
    uint8_t header[FRAME_HEADER_BYTES], checksum[4];
    frame_checksum(payload, checksum);
    frame_header_encode(header, link->player->options.magic, name, payload.len, checksum);
    env_stream_send(link->player->env, link->stream, span_of(header, sizeof header));
    env_stream_send(link->player->env, link->stream, payload);
}

/* -- What the node does -------------------------------------------------------------------------
 */

static void wait_no_more(struct link *link)
{
    if (!link->player->waits || link->player->next != link)
        return;
    link->player->waits = false;
    link->player->timer = env_timer_start(link->player->env, 0, send_next, link->player);
}

static void on_connect(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    struct link *link = arg;
    (void)address;
    (void)port;
    ASSERT(link->state == LINK_CONNECTING);
    link->stream = stream;
    link->state = LINK_UP;
    link->result.has_connected = true;
    wait_no_more(link);
}

static void on_writable(void *arg, uint64_t stream)
{
    (void)stream;
    wait_no_more(arg);
}

/* Or it was waited for long enough, or nobody is left to send it. */
static void pong_came(void *arg)
{
    struct player *player = arg;
    env_timer_cancel(player->env, player->timer);
    player->awaits_pong = false;
    go_on(player);
}

static void on_close(void *arg, uint64_t stream, int error)
{
    struct link *link = arg;
    (void)stream;
    link->state = LINK_GONE;
    link->stream = 0;
    link->result.was_closed = !link->player->has_ended;
    link->result.error = error;
    if (link->player->awaits_pong && link->player->next == link)
        pong_came(link->player);
    else
        wait_no_more(link);
}

/* Pings and pongs alone are looked into. */
static struct frame_rule rule_of(void *arg, const char *name)
{
    (void)arg;
    return (struct frame_rule){FRAME_PAYLOAD_MAX, .is_discarded = strcmp(name, "ping") != 0 &&
                                                                  strcmp(name, "pong") != 0};
}

static void answer(struct link *link)
{
    struct player *player = link->player;
    struct span payload = frame_payload(&link->reader);
    if (strcmp(link->reader.name, "ping") == 0)
        send_frame(link, "pong", payload);
    else if (player->awaits_pong && player->next == link && payload.len == 8 &&
             load_le64(payload.p) == link->ping_sent)
        pong_came(player);
}

static void on_bytes(void *arg, uint64_t stream, struct span bytes)
{
    struct link *link = arg;
    (void)stream;
    while (bytes.len > 0) {
        enum frame_result result = frame_read(&link->reader, &bytes, rule_of, NULL);
        link->result.n_received += result == FRAME_MESSAGE || result == FRAME_DISCARDED;
        if (result == FRAME_MESSAGE)
            answer(link);
        if (result == FRAME_BAD_MAGIC || result == FRAME_TOO_LARGE)
            return; /* it speaks of something else; it will close by itself */
    }
}

static const struct env_stream_events stream_events = {
    .on_connect = on_connect,
    .on_bytes = on_bytes,
    .on_writable = on_writable,
    .on_close = on_close,
};

/* -- The order of messages ----------------------------------------------------------------------
 */

/* Of all sources; of equal times the first. */
static struct link *earliest(struct player *player)
{
    struct link *found = NULL;
    for (size_t i = 0; i < player->options.n_sources; i++) {
        struct link *link = &player->links[i];
        if (link->has_message && link->state != LINK_GONE &&
            (!found || link->message.unix_us < found->message.unix_us))
            found = link;
    }
    return found;
}

static void end(void *arg)
{
    struct player *player = arg;
    player->timer = 0;
    player->has_ended = true;
}

static void go_on(struct player *player)
{
    player->next = earliest(player);
    if (!player->next) {
        player->timer = env_timer_start(player->env, player->options.linger_us, end, player);
        return;
    }
    int64_t at_us = player->next->message.unix_us, max_us = player->options.max_gap_us;
    int64_t gap_us = player->played_us ? MAX_OF(at_us - player->played_us, 0) : 0;
    player->played_us = at_us;
    player->timer = env_timer_start(player->env, max_us >= 0 ? MIN_OF(gap_us, max_us) : gap_us,
                                    send_next, player);
}

static void connect_link(struct link *link)
{
    const struct player_options *options = &link->player->options;
    link->state = LINK_CONNECTING;
    link->player->waits = true;
    link->stream = env_stream_connect(link->player->env, options->address, options->port,
                                      &stream_events, link);
}

static void send_message(struct link *link)
{
    const char *name = link->message.name;
    send_frame(link, name, link->message.payload);
    link->result.n_sent++;
    memcpy(link->result.last_name, name, strlen(name) + 1);
    link->is_ready |= strcmp(name, "verack") == 0;
    fetch(link);
}

static void ping(struct link *link)
{
    uint8_t nonce[8];
    store_le64(nonce, ++link->ping_sent);
    send_frame(link, "ping", span_of(nonce, sizeof nonce));
    link->player->awaits_pong = true;
    link->player->timer =
        env_timer_start(link->player->env, PLAYER_PONG_US, pong_came, link->player);
}

static void send_next(void *arg)
{
    struct player *player = arg;
    struct link *link = player->next;
    ASSERT(link && !player->waits);
    player->timer = 0;
    if (link->state == LINK_NEW) {
        connect_link(link);
        return;
    }
    if (link->state == LINK_UP) {
        if (env_stream_queued_bytes(player->env, link->stream) > PLAYER_QUEUE_BYTES) {
            player->waits = true;
            return;
        }
        send_message(link);
        if (player->options.waits_for_pongs && link->is_ready) {
            ping(link);
            return;
        }
    }
    go_on(player);
}

/* -- From outside -------------------------------------------------------------------------------
 */

struct player *player_new(const struct env *env, const struct player_options *options)
{
    ASSERT(env && options->n_sources > 0 && options->n_sources <= PLAYER_SOURCES_MAX);
    struct player *player = xcalloc(1, sizeof *player);
    player->env = env;
    player->options = *options;
    player->links = xcalloc(options->n_sources, sizeof *player->links);
    for (size_t i = 0; i < options->n_sources; i++) {
        struct link *link = &player->links[i];
        link->player = player;
        frame_reader_init(&link->reader, options->magic);
        fetch(link);
    }
    go_on(player);
    return player;
}

bool player_has_ended(const struct player *player)
{
    return player->has_ended;
}

struct player_result player_result_of(const struct player *player, size_t source)
{
    ASSERT(source < player->options.n_sources);
    return player->links[source].result;
}

void player_free(struct player *player)
{
    player->has_ended = true;
    if (player->timer)
        env_timer_cancel(player->env, player->timer);
    for (size_t i = 0; i < player->options.n_sources; i++) {
        struct link *link = &player->links[i];
        if (link->stream && link->state != LINK_GONE)
            env_stream_close(player->env, link->stream);
        frame_reader_deinit(&link->reader);
    }
    xfree(player->links);
    xfree(player);
}
