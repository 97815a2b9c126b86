/* accept.h - a transaction on its way into the mempool, by ways that are not mempool_accept().
 *
 * Layer: mempool, internal. All checks are those of any other; but what is put back needs no room
 * among the checks under way and reaches no floor of fees, since it was in once. package.c leads
 * those that are judged together through the same steps itself. */
#ifndef MEMPOOL_ACCEPT_H
#define MEMPOOL_ACCEPT_H

#include "mempool/check.h"

struct pool_putback;

/* mempool_accept() for a transaction to put back.
 *
 * Owns:     putback->raw is taken */
void pool_accept_putback(struct mempool *mempool, struct pool_putback *putback);
/* mempool_accept() for a transaction that came at that time, under an old start. was_here: this
 * mempool had it, so scripts that are known to hold are not run again. Who loads a file looks for
 * room himself: pool_has_room(). */
void pool_accept_loaded(struct mempool *mempool, struct span raw, int64_t time_s, bool was_here,
                        mempool_result_fn *done, void *arg);
/* mempool_accept() for one of a package that is tried alone. like: flags, max_rate, time_s, done
 * and arg. raw is copied. */
void pool_accept_member(struct mempool *mempool, struct span raw, const struct pool_check *like);

/* -- Steps of a check that is judged with others ----------------------------------------------- */

/* Is there room among the checks under way for n more, of so many bytes together? flags: whose */
bool pool_has_room(struct mempool *mempool, int flags, size_t n, size_t bytes);
/* Begin with its form, where there is room for it: pool_has_room(). Then like->proceed is called,
 * once for each step, with its verdict set if it has failed. like: flags, max_rate, time_s,
 * proceed, package, before. raw is copied.
 *
 * Owns:     the mempool, until pool_check_end() */
struct pool_check *pool_check_start(struct mempool *mempool, struct span raw,
                                    const struct pool_check *like);
/* Read the coins that pool_check_find_coins() asked for. */
void pool_check_read(struct pool_check *check);
/* Check its scripts. */
void pool_check_run_scripts(struct pool_check *check);
/* It becomes an entry. */
void pool_check_add(struct pool_check *check);
/* It is over: tell who asked, if anybody did, and free it. entry: it is one. */
void pool_check_end(struct pool_check *check, const struct pool_entry *entry);

#endif
