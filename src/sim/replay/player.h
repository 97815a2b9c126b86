/* player.h - plays captured messages to a node, as the peers that sent them would.
 *
 * Layer: sim. Each source is one peer: its messages are sent over a connection of its own, by v1,
 * in the order of their times and with the pauses between them. The player answers pings itself,
 * since the pongs of a capture answer others; whatever else the node asks for it gets only if it
 * asked for it then, too. All by a struct env, so a simulated node and a real one are the same. */
#ifndef SIM_REPLAY_PLAYER_H
#define SIM_REPLAY_PLAYER_H

#include "util/env.h"

#define PLAYER_SOURCES_MAX 1000
/* What a node that does not read may have waiting before the player waits for it. */
#define PLAYER_QUEUE_BYTES (1 << 20)
/* A pong that does not come is waited for no longer. */
#define PLAYER_PONG_US 5000000

struct player;

/* One message that a peer sent. */
struct player_message {
    int64_t unix_us;
    const char *name; /* at most FRAME_NAME_BYTES characters */
    struct span payload;
};

/* A peer's messages. next: the next one, whose bytes are borrowed until the call after it; false:
 * there is no more. */
struct player_source {
    void *ctx;
    bool (*next)(void *ctx, struct player_message *out);
};

struct player_options {
    const char *address; /* of the node, numeric; borrowed for the player's life */
    uint16_t port;
    const uint8_t *magic;                /* 4 bytes, of its network */
    const struct player_source *sources; /* borrowed likewise */
    size_t n_sources;                    /* 1 to PLAYER_SOURCES_MAX */
    int64_t max_gap_us;                  /* longer pauses are cut to that; negative: none is */
    int64_t linger_us;                   /* connections stay so long after the last message */
    /* After each message the node is pinged, and the next one waits for its answer: however slow
     * it is, it has heard one before the other comes. */
    bool waits_for_pongs;
};

/* What became of a source. */
struct player_result {
    uint64_t n_sent, n_received; /* messages */
    bool has_connected;
    bool was_closed;    /* by the node, before the end */
    int error;          /* negative errno of the connection, or 0 */
    char last_name[13]; /* of the message sent last */
};

/* Begin to play. Owns: the caller. */
NODISCARD struct player *player_new(const struct env *env, const struct player_options *options);
/* Everything was sent, or nobody is there to hear it, and the time after it is over. */
bool player_has_ended(const struct player *player);
/* So far. */
struct player_result player_result_of(const struct player *player, size_t source);
/* Close what is open, and free. */
void player_free(struct player *player);

#endif
