/* replace.h - who takes the place of what spends the same coins.
 *
 * Layer: mempool, internal. Full replacement by fee: what is replaced need not have said that it
 * may be (BIP-125 is the ancestor of these rules, and the words of the messages are its). */
#ifndef MEMPOOL_REPLACE_H
#define MEMPOOL_REPLACE_H

#include "mempool/check.h"

/* Clusters that one replacement may touch. Core: MAX_REPLACEMENT_CANDIDATES */
#define REPLACE_CLUSTERS_MAX 100

/* May a transaction come in by itself: does it pay for what it replaces, and fit into the cluster
 * that it would be in? Its rules hold: conflicts, parents and fees are known.
 *
 * Returns:  false: verdict set
 * Spec:     Core ReplacementChecks(), CheckMemPoolPolicyLimits() */
bool pool_replace_check(struct pool_check *check);

/* The same for transactions that come in together. Only a parent with its child may replace
 * anything, and only where their clusters have nobody else.
 *
 * Out:      verdict  of the package
 * Spec:     Core PackageRBFChecks() */
bool pool_replace_check_package(struct pool_check *const *checks, uint32_t n,
                                struct verdict *verdict);

/* They come in now: what they replace is removed.
 *
 * Out:      replaced  the ids of what is gone are added to it */
void pool_replace_commit(struct pool_check *const *checks, uint32_t n, struct pool_txids *replaced);

#endif
