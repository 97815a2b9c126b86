/* dev_purse.c - see dev_purse.h */
#include "rpc/dev_purse.h"

enum coin_state {
    COIN_GONE,    /* spent, or of a chain that was left */
    COIN_HELD,    /* lent, spent by what waits, or of a block that is too new */
    COIN_WAITS,   /* made by what waits */
    COIN_SETTLED, /* in the chain */
};

void dev_purse_deinit(struct dev_purse *purse)
{
    ASSERT(purse->lent.n == 0);
    ARRAY_FREE(&purse->coins);
    ARRAY_FREE(&purse->lent);
}

uint32_t dev_purse_key_of(const struct dev_keys *keys, struct span script)
{
    for (uint32_t i = 0; i < DEV_KEYS; i++)
        if (span_equal(script, span_of(keys->at[i].script, DEV_KEY_SCRIPT)))
            return i;
    return DEV_KEYS;
}

void dev_purse_set(struct dev_purse *purse, const struct purse_coins *found)
{
    struct purse_coins before = purse->coins;
    purse->coins = (struct purse_coins){0};
    for (size_t i = 0; i < found->n; i++)
        *ARRAY_ADD(&purse->coins) = found->at[i];
    for (size_t i = 0; i < before.n; i++)
        if (mempool_find(purse->mempool, &before.at[i].outpoint.txid))
            *ARRAY_ADD(&purse->coins) = before.at[i];
    ARRAY_FREE(&before);
}

void dev_purse_add(struct dev_purse *purse, const struct purse_coin *coin)
{
    ASSERT(coin->is_unconfirmed && coin->key < DEV_KEYS);
    *ARRAY_ADD(&purse->coins) = *coin;
}

static bool is_lent(const struct dev_purse *purse, const struct outpoint *outpoint)
{
    for (size_t i = 0; i < purse->lent.n; i++)
        if (outpoint_equal(&purse->lent.at[i], outpoint))
            return true;
    return false;
}

/* The maturity of a coinbase is of the block that spends it, which is the next one. */
static enum coin_state state_of(const struct dev_purse *purse, const struct purse_coin *coin,
                                struct arena *arena)
{
    struct coin found;
    if (is_lent(purse, &coin->outpoint))
        return COIN_HELD;
    int is_there = coins_get(chain_coins(purse->chain), &coin->outpoint, arena, &found);
    bool waits = is_there <= 0 && mempool_find(purse->mempool, &coin->outpoint.txid);
    if (is_there <= 0 && !waits)
        return COIN_GONE;
    if (mempool_spender(purse->mempool, &coin->outpoint))
        return COIN_HELD;
    if (waits)
        return COIN_WAITS;
    int64_t next_height = chain_tip(purse->chain)->height + INT64_C(1);
    bool is_new = next_height - (int64_t)found.height <
                  chain_network(purse->chain)->coinbase_maturity;
    return found.coinbase && is_new ? COIN_HELD : COIN_SETTLED;
}

/* Take those of one state until there is enough; on the way forget those that are gone. */
static void take_of_state(struct dev_purse *purse, enum coin_state wanted, int64_t least_sat,
                          int64_t per_coin_sat, struct purse_coins *chosen, int64_t *worth_sat)
{
    struct arena arena;
    size_t n_kept = 0;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < purse->coins.n; i++) {
        struct purse_coin coin = purse->coins.at[i];
        bool is_enough = *worth_sat >= least_sat || chosen->n == DEV_PURSE_INPUTS_MAX;
        enum coin_state state = is_enough ? COIN_HELD : state_of(purse, &coin, &arena);
        if (state != COIN_GONE)
            purse->coins.at[n_kept++] = coin;
        if (state == wanted && coin.value_sat > per_coin_sat) {
            *ARRAY_ADD(chosen) = coin;
            *worth_sat += coin.value_sat - per_coin_sat;
        }
    }
    purse->coins.n = n_kept;
    arena_deinit(&arena);
}

bool dev_purse_take(struct dev_purse *purse, int64_t least_sat, int64_t per_coin_sat,
                    struct purse_coins *chosen, int64_t *worth_sat)
{
    ASSERT(least_sat > 0 && per_coin_sat >= 0);
    *chosen = (struct purse_coins){0};
    *worth_sat = 0;
    take_of_state(purse, COIN_SETTLED, least_sat, per_coin_sat, chosen, worth_sat);
    take_of_state(purse, COIN_WAITS, least_sat, per_coin_sat, chosen, worth_sat);
    if (*worth_sat < least_sat) {
        ARRAY_FREE(chosen);
        return false;
    }
    for (size_t i = 0; i < chosen->n; i++)
        *ARRAY_ADD(&purse->lent) = chosen->at[i].outpoint;
    return true;
}

void dev_purse_give_back(struct dev_purse *purse, const struct purse_coins *chosen)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < purse->lent.n; i++) {
        bool is_back = false;
        for (size_t k = 0; k < chosen->n && !is_back; k++)
            is_back = outpoint_equal(&purse->lent.at[i], &chosen->at[k].outpoint);
        if (!is_back)
            purse->lent.at[n_kept++] = purse->lent.at[i];
    }
    purse->lent.n = n_kept;
}
