/* dev_purse.h - the coins of the keys of -dev, and which of them pay somebody.
 *
 * Layer: rpc. What is listed may be spent by now, since everybody has the keys: each coin is looked
 * up before it is used, and those that are gone leave the list. Loop thread, but for what says
 * otherwise. */
#ifndef RPC_DEV_PURSE_H
#define RPC_DEV_PURSE_H

#include "chain/chain.h"
#include "mempool/mempool.h"
#include "spend/keys/dev_keys.h"
#include "util/array.h"

#define DEV_PURSE_INPUTS_MAX 100 /* coins that one payment may take */

struct purse_coin {
    struct outpoint outpoint;
    int64_t value_sat;
    uint32_t height; /* of its block; 0 with is_unconfirmed */
    uint32_t key;    /* number of its key */
    bool is_coinbase, is_unconfirmed;
};

struct purse_coins {
    struct purse_coin *at;
    size_t n, capacity;
};

struct dev_purse {
    const struct dev_keys *keys;
    struct chain *chain;
    const struct mempool *mempool;
    struct purse_coins coins; /* those of the chain first */
    ARRAY(struct outpoint) lent; /* to payments that are not in the mempool yet */
};

/* Free the lists. */
void dev_purse_deinit(struct dev_purse *purse);

/* Whose script is it? DEV_KEYS: nobody's. Any thread. */
uint32_t dev_purse_key_of(const struct dev_keys *keys, struct span script);
/* All coins of the chain, as a scan has found them: those that were listed and are neither there
 * nor wait in the mempool are forgotten. */
void dev_purse_set(struct dev_purse *purse, const struct purse_coins *found);
/* One that a transaction has made which waits. */
void dev_purse_add(struct dev_purse *purse, const struct purse_coin *coin);

/* Choose coins that are worth as much and can be spent in the next block, those of the chain before
 * those that wait. They are lent until dev_purse_give_back().
 *
 * In:       least_sat   to be paid
 *           per_coin_sat what spending one costs
 * Out:      chosen      at most DEV_PURSE_INPUTS_MAX; the caller frees them
 *           worth_sat   theirs, without what they cost
 * Returns:  false if there are not so many; then none is lent */
NODISCARD bool dev_purse_take(struct dev_purse *purse, int64_t least_sat, int64_t per_coin_sat,
                              struct purse_coins *chosen, int64_t *worth_sat);
/* The payment is in the mempool, or was refused. */
void dev_purse_give_back(struct dev_purse *purse, const struct purse_coins *chosen);

#endif
