/* coins_digest.c - see coins_digest.h */
#include "chain/coins/coins_digest.h"

#include <errno.h>

#include "chain/coins/coin_hash.h"
#include "crypto/hash.h"

struct walk {
    struct sha256 hash;
    uint64_t n;
    const atomic_bool *stops;
    bool is_stopped;
};

static bool visit(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct walk *walk = arg;
    struct writer w = writer_to_sha256(&walk->hash);
    coin_hash_encode(&w, outpoint, coin);
    walk->n++;
    walk->is_stopped = atomic_load_explicit(walk->stops, memory_order_relaxed);
    return !walk->is_stopped;
}

int coins_digest(struct coins *coins, struct env_cursor *cursor_take, const atomic_bool *stops,
                 struct coins_digest *out)
{
    struct walk walk = {.stops = stops};
    ASSERT(coins && cursor_take && stops);
    sha256_init(&walk.hash);
    int error = coins_scan_snapshot(coins, cursor_take, visit, &walk);
    sha256d_final(&walk.hash, out->hash);
    out->n_coins = walk.n;
    return !error && walk.is_stopped ? -ECANCELED : error;
}
