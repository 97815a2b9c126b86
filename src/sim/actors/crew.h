/* crew.h - an attacker's connections to nodes, and what he has heard over them of blocks.
 *
 * Layer: sim. Each member of a crew is a peer of one node, by wire_peer.h, and hears of its blocks.
 * All share one shelf of them. What they tell is up to the attacker. */
#ifndef SIM_ACTORS_CREW_H
#define SIM_ACTORS_CREW_H

#include "sim/actors/block_shelf.h"
#include "sim/actors/wire_peer.h"
#include "sim/sim_guest.h"

/* An attacker does something. kind: what he is; what: one of a few words for it, static; height: of
 * the block that it is about, or the best that he knows. */
typedef void crew_act_fn(void *ctx, size_t node, const char *kind, const char *what,
                         int32_t height);

/* What every attacker is told. */
struct crew_options {
    struct sim_world *world;
    size_t node; /* where he is: a node that is on, whose tip he knows */
    size_t n_nodes;
    size_t target;    /* of who attacks one alone */
    crew_act_fn *act; /* may be NULL */
    void *ctx;
};

/* Tell act of it, if there is one. */
void crew_act(const struct crew_options *options, const char *kind, const char *what,
              int32_t height);

#define CREW_ADDRESS_BYTES 64

struct crew;

struct crew_member {
    struct crew *crew;
    size_t node; /* whose peer it is */
    int role;    /* the attacker's own number for what it is there for */
    struct wire_peer *peer;
};

/* What the attacker is told. Any may be NULL. */
struct crew_events {
    /* A block that nobody told of before, by its header. */
    void (*heard)(void *ctx, struct crew_member *from, struct shelf_block *block);
    /* The bytes of one that was asked for. */
    void (*got)(void *ctx, struct crew_member *from, struct shelf_block *block);
    /* The node asks for a block; NULL: for one that is not on the shelf. */
    void (*asked)(void *ctx, struct crew_member *from, struct shelf_block *block);
    /* The connection has come up, or is lost. */
    void (*ready)(void *ctx, struct crew_member *from);
    void (*lost)(void *ctx, struct crew_member *from);
};

struct crew {
    struct sim_world *world;
    uint16_t port;
    uint8_t magic[4];
    const struct crew_events *events;
    void *ctx;
    struct block_shelf shelf;
    ARRAY(struct crew_member *) members;
};

/* A crew of nobody, who knows the tip of that node, which is on. */
void crew_init(struct crew *crew, struct sim_world *world, size_t node,
               const struct crew_events *events, void *ctx);
/* Let all go. */
void crew_deinit(struct crew *crew);
/* The address of the guest with that number of an attacker at that node: each is in a network group
 * of its own, as p2p understands it. */
void crew_guest_address(size_t node, unsigned number, char out[CREW_ADDRESS_BYTES]);
/* A place in the network for some of the crew: number tells those of one node apart. Owns: the
 * caller. */
NODISCARD struct sim_guest *crew_guest_new(struct sim_world *world, size_t node, unsigned number);
/* One more, who connects from that guest to that node. Owns: the crew. */
struct crew_member *crew_add(struct crew *crew, const struct sim_guest *guest, size_t node,
                             int role);
/* One at each node but the attacker's own, of role 0. */
void crew_add_all(struct crew *crew, const struct sim_guest *guest,
                  const struct crew_options *options);
/* Tell of blocks, the oldest first: no more than WIRE_HEADERS_MAX. */
void crew_tell_headers(struct crew_member *member, struct shelf_block *const *blocks, size_t n);
/* Ask for a block's bytes. */
void crew_ask(struct crew_member *member, const struct shelf_block *block);
/* Send a block whose bytes are here. */
void crew_send_block(struct crew_member *member, const struct shelf_block *block);
/* Any member of that role who is ready; NULL: none is. */
struct crew_member *crew_find(struct crew *crew, int role);

#endif
