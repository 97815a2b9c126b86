/* coin_set.c - see coin_set.h. */
#include "chain/coins/coin_set.h"

#include "util/alloc.h"

#define SET_ARENA_BYTES (16 << 10)

/* A coin that differs from the snapshot's, or may. In the set's arena. */
struct coin_change {
    struct outpoint outpoint;
    struct coin coin; /* means nothing once it is spent */
    bool is_unspent;
};

void coin_set_init(struct coin_set *set, struct coins *coins, struct env_cursor *cursor_take)
{
    *set = (struct coin_set){.coins = coins, .cursor = cursor_take, .key = coins_hash_key(coins)};
    hash_map_init(&set->changes);
    arena_init(&set->arena, SET_ARENA_BYTES);
}

void coin_set_deinit(struct coin_set *set)
{
    if (!set->cursor)
        return;
    coins_snapshot_close(set->coins, set->cursor);
    set->cursor = NULL;
    hash_map_deinit(&set->changes);
    arena_deinit(&set->arena);
}

static bool is_of(const void *value, const void *key)
{
    return outpoint_equal(&((const struct coin_change *)value)->outpoint, key);
}

int coin_set_find(struct coin_set *set, const struct outpoint *outpoint, struct coin *coin)
{
    const struct coin_change *change =
        hash_map_find(&set->changes, coins_hash(set->key, outpoint), is_of, outpoint);
    if (!change)
        return coins_snapshot_get(set->coins, set->cursor, outpoint, &set->arena, coin);
    if (change->is_unspent)
        *coin = change->coin;
    return change->is_unspent;
}

void coin_set_put(struct coin_set *set, const struct outpoint *outpoint, const struct coin *coin)
{
    uint64_t hash = coins_hash(set->key, outpoint);
    struct coin_change *change = hash_map_find(&set->changes, hash, is_of, outpoint);
    if (!change) {
        change = arena_calloc(&set->arena, 1, sizeof *change);
        change->outpoint = *outpoint;
        hash_map_insert(&set->changes, hash, change);
    }
    change->is_unspent = coin != NULL;
    if (!coin)
        return;
    change->coin = *coin;
    uint8_t *script = arena_alloc(&set->arena, coin->script_pubkey.len);
    if (coin->script_pubkey.len)
        memcpy(script, coin->script_pubkey.p, coin->script_pubkey.len);
    change->coin.script_pubkey.p = script;
}
