/* overlay.h - the coins as they would be if the blocks in flight were committed.
 *
 * Layer: chain. One table holds the newest state of every coin that a block in flight touched;
 * each block keeps the list of its own changes, and with it what was there before. So the newest
 * block can be dropped (its changes are taken back) and the oldest one committed (its changes go
 * to the coins) without the coins ever seeing anything unverified. Loop thread only. */
#ifndef CHAIN_COINS_OVERLAY_H
#define CHAIN_COINS_OVERLAY_H

#include "chain/coins/coins.h"

struct overlay_entry;

/* Layers are stacked: changes are made in and taken back from the newest one alone, and the oldest
 * one alone goes to the coins. With no layer left it is empty; its memory stays for the next. */
struct overlay {
    struct overlay_entry **slots; /* open addressing by coins_hash() */
    size_t capacity;              /* a power of two, or 0 */
    size_t count;
    struct overlay_entry *free_entries; /* to be used again */
    uint64_t committed;                 /* id of the last layer that was committed */
    struct arena arena;                 /* of all entries */
};

/* One coin that a block changed. */
struct overlay_change {
    struct overlay_entry *entry;
    const struct coin *before; /* NULL: spent */
    const struct coin *after;  /* NULL: spent */
    uint64_t before_layer;     /* 0: the overlay knew nothing of the coin */
    bool created;              /* the block's first change was to create the coin */
    bool may_exist;            /* may overwrite a coin. BIP-30, Specification */
};

/* The changes of one block in flight. */
struct overlay_layer {
    uint64_t id; /* grows with every layer, never 0 */
    struct overlay_change *changes;
    size_t n, capacity;
};

/* Make an overlay without changes; free one that has none any more. */
void overlay_init(struct overlay *overlay);
/* Free one that has no changes any more. */
void overlay_deinit(struct overlay *overlay);

/* Make a layer without changes, newer than all there were; free one that has none any more. */
void overlay_layer_init(struct overlay_layer *layer, uint64_t id);
/* Free one that has no changes any more. */
void overlay_layer_deinit(struct overlay_layer *layer);

enum overlay_found {
    OVERLAY_UNSPENT,
    OVERLAY_SPENT,
    OVERLAY_UNTOUCHED, /* no block in flight touched it: ask the coins */
};

/* Start fetching the cache line that a lookup of hash will need. */
void overlay_prefetch(const struct overlay *overlay, uint64_t hash);

/* Look a coin up. *coin is borrowed from whoever created it (a block in flight). */
enum overlay_found overlay_find(const struct overlay *overlay, const struct outpoint *outpoint,
                                uint64_t hash, const struct coin **coin);

/* Create a coin in the newest layer. Borrows coin until the layer is committed or dropped. */
void overlay_add(struct overlay *overlay, struct overlay_layer *newest,
                 const struct outpoint *outpoint, uint64_t hash, const struct coin *coin,
                 bool may_exist);

/* Spend a coin in the newest layer. */
void overlay_spend(struct overlay *overlay, struct overlay_layer *newest,
                   const struct outpoint *outpoint, uint64_t hash);

/* Take back all changes of the newest layer; the layer is empty afterwards. */
void overlay_drop(struct overlay *overlay, struct overlay_layer *newest);

/* Give all changes of the oldest layer to the coins; the layer is empty afterwards. */
void overlay_commit(struct overlay *overlay, struct overlay_layer *oldest, struct coins *coins);

#endif
