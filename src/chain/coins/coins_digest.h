/* coins_digest.h - hash and number of a whole set of coins.
 *
 * Layer: chain. Any thread. */
#ifndef CHAIN_COINS_COINS_DIGEST_H
#define CHAIN_COINS_COINS_DIGEST_H

#include <stdatomic.h>

#include "chain/coins/coins.h"

struct coins_digest {
    uint8_t hash[32]; /* hash_serialized_3 of gettxoutsetinfo */
    uint64_t n_coins;
};

/* Go through a snapshot of the store, which is closed then.
 *
 * In:       stops  ends it early
 * Returns:  0, -ECANCELED if stops was set, or what the store says */
NODISCARD int coins_digest(struct coins *coins, struct env_cursor *cursor_take,
                           const atomic_bool *stops, struct coins_digest *out);

#endif
