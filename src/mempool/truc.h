/* truc.h - version 3: a parent and one small child, which can always be replaced.
 *
 * Layer: mempool, internal. BIP-431, Specification. Not asked of what comes back after a
 * reorganisation: it was in a block. */
#ifndef MEMPOOL_TRUC_H
#define MEMPOOL_TRUC_H

#include "mempool/check.h"

/* The rules for a transaction and the entries that it spends from.
 *
 * In:       check    its parents and the entries that it replaces are known
 * Out:      sibling  if its parent has one child already and no other rule is broken: that child,
 *                    which may be replaced to make room; else NULL
 * Returns:  false: verdict set, also where sibling is
 * Spec:     Core SingleTRUCChecks() */
bool pool_truc_check(struct pool_check *check, struct pool_entry **sibling);

/* The same for one of a package, counting what is in the package too.
 *
 * In:       number   of the one in question; the checks before it are those that it may spend from
 * Out:      verdict  of the package
 * Spec:     Core PackageTRUCChecks() */
bool pool_truc_check_in_package(struct pool_check *const *checks, uint32_t n, uint32_t number,
                                struct verdict *verdict);

#endif
