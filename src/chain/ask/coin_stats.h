/* coin_stats.h - counts and hashes all coins of the committed tip, off the loop.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_ASK_COIN_STATS_H
#define CHAIN_ASK_COIN_STATS_H

#include "chain/upkeep/flush.h"

/* Flush, then count; see chain_coin_stats().
 *
 * Out:  done(arg, error, stats)  once */
void coin_stats_count(struct flush *flush, enum coin_stats_hash hash,
                      coin_stats_fn *done, void *arg);

#endif
