/* ephemeral.h - dust that is allowed because its child spends it at once.
 *
 * Layer: mempool, internal. A transaction without fee may have an output of dust; whoever spends
 * anything of it has to spend the dust too, so that none is left in the set of coins. */
#ifndef MEMPOOL_EPHEMERAL_H
#define MEMPOOL_EPHEMERAL_H

#include "mempool/check.h"

/* Does it spend all dust of those that it spends from, entries and those before it in its package?
 *
 * Returns:  false: verdict set
 * Spec:     Core CheckEphemeralSpends() */
bool pool_dust_is_spent(struct pool_check *check);

#endif
