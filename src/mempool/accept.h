/* accept.h - a transaction on its way into the mempool, by ways that are not mempool_accept().
 *
 * Layer: mempool, internal. All checks are those of any other; but what is put back needs no room
 * among the checks under way and reaches no floor of fees, since it was in once. */
#ifndef MEMPOOL_ACCEPT_H
#define MEMPOOL_ACCEPT_H

#include "mempool/entries.h"

struct pool_putback;

/* mempool_accept() for a transaction to put back.
 *
 * Owns:     putback->raw is taken */
void pool_accept_putback(struct mempool *mempool, struct pool_putback *putback);
/* mempool_accept() for a transaction that came at that time, under an old start. */
void pool_accept_loaded(struct mempool *mempool, struct span raw, int64_t time_s,
                        mempool_result_fn *done, void *arg);

#endif
