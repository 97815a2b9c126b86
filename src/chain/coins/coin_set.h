/* coin_set.h - coins as they would be: a snapshot of the store with changes kept in memory.
 *
 * Layer: chain. For jobs that try blocks out beside the committed chain. One thread at a time. */
#ifndef CHAIN_COINS_COIN_SET_H
#define CHAIN_COINS_COIN_SET_H

#include "chain/coins/coins.h"
#include "util/hash_map.h"

struct coin_set {
    struct coins *coins;
    struct env_cursor *cursor; /* NULL: a set that was never made */
    struct siphash_key key;
    struct hash_map changes; /* of struct coin_change */
    struct arena arena;      /* for them; never shrinks */
};

/* Make a set of the coins in a snapshot (coins_snapshot(), taken); close it and forget. */
void coin_set_init(struct coin_set *set, struct coins *coins, struct env_cursor *cursor_take);
/* Free all of it, and close the snapshot. */
void coin_set_deinit(struct coin_set *set);

/* Look a coin up. Returns 1 if it is unspent, 0 if not, negative errno if the store fails. The
 * script lives as long as the set. */
NODISCARD int coin_set_find(struct coin_set *set, const struct outpoint *outpoint,
                            struct coin *coin);
/* Let the coin be there (copied), or be spent (NULL). */
void coin_set_put(struct coin_set *set, const struct outpoint *outpoint, const struct coin *coin);

#endif
