/* evict.c - see evict.h. */
#include "p2p/connect/evict.h"

#include <stdlib.h>

#include "util/assert.h"

/* How many keep their place for each reason. Core's, but for the last: an attacker who is to have
 * all places has to beat the honest in every one of them (hazard 71). */
#define PROTECT_GROUPS     4
#define PROTECT_PING       8
#define PROTECT_TX         4
#define PROTECT_BLOCK      4
#define PROTECT_BLOCK_ONLY 8
#define PROTECT_USEFUL     4

typedef int compare_fn(const void *a, const void *b);

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Each sorts those worth keeping to the front; ids break ties, so that the result is the same
 * everywhere. */
static int by_group(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    return x->group_hash != y->group_hash ? order(x->group_hash, y->group_hash)
                                          : order(x->id, y->id);
}

static int by_ping(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    uint64_t p = (uint64_t)x->min_ping_us, q = (uint64_t)y->min_ping_us; /* -1 is last */
    return p != q ? order(p, q) : order(x->id, y->id);
}

static int by_tx(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    if (x->last_tx_us != y->last_tx_us)
        return x->last_tx_us > y->last_tx_us ? -1 : 1;
    return order(x->id, y->id);
}

static int by_block(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    if (x->last_block_us != y->last_block_us)
        return x->last_block_us > y->last_block_us ? -1 : 1;
    return order(x->id, y->id);
}

/* Those without transactions first: they are few, and keep blocks flowing where transactions are
 * used against us. */
static int by_block_only(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    if (x->relays_txs != y->relays_txs)
        return x->relays_txs ? 1 : -1;
    return by_block(a, b);
}

static int by_useful(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    return x->useful_bytes != y->useful_bytes ? order(y->useful_bytes, x->useful_bytes)
                                              : order(x->id, y->id);
}

static int by_age(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    if (x->connected_us != y->connected_us)
        return x->connected_us < y->connected_us ? -1 : 1;
    return order(x->id, y->id);
}

static int by_local(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    return x->is_local != y->is_local ? y->is_local - x->is_local : by_age(a, b);
}

static int by_onion(const void *a, const void *b)
{
    const struct evict_candidate *x = a, *y = b;
    return x->is_onion != y->is_onion ? y->is_onion - x->is_onion : by_age(a, b);
}

/* Take the first `keep` in that order out of the race; what is left moves to the front. */
static size_t protect(struct evict_candidate *list, size_t n, compare_fn *compare, size_t keep)
{
    keep = MIN_OF(keep, n);
    qsort(list, n, sizeof *list, compare);
    for (size_t i = keep; i < n; i++)
        list[i - keep] = list[i];
    return n - keep;
}

/* Those that have given nothing have earned no protection by giving. */
static size_t protect_givers(struct evict_candidate *list, size_t n, compare_fn *compare,
                             size_t keep, int64_t (*gave)(const struct evict_candidate *))
{
    qsort(list, n, sizeof *list, compare);
    size_t have = 0;
    while (have < n && have < keep && gave(&list[have]) > 0)
        have++;
    for (size_t i = have; i < n; i++)
        list[i - have] = list[i];
    return n - have;
}

static int64_t gave_tx(const struct evict_candidate *c)
{
    return c->last_tx_us;
}

static int64_t gave_block(const struct evict_candidate *c)
{
    return c->last_block_us;
}

static int64_t gave_bytes(const struct evict_candidate *c)
{
    return c->useful_bytes > INT64_MAX ? INT64_MAX : (int64_t)c->useful_bytes;
}

/* Half of them, the oldest; up to a half of those are local or come through Tor. Neither kind keeps
 * the other from its part. */
static size_t protect_half(struct evict_candidate *list, size_t n)
{
    size_t half = n / 2, places = half / 2, n_local = 0, n_onion = 0;
    for (size_t i = 0; i < n; i++) {
        n_local += list[i].is_local;
        n_onion += list[i].is_onion;
    }
    size_t free = n_onion < places - places / 2 ? places - n_onion : places / 2;
    size_t keep_local = n_local < free ? n_local : free;
    size_t keep_onion = n_onion < places - keep_local ? n_onion : places - keep_local;
    n = protect(list, n, by_local, keep_local);
    n = protect(list, n, by_onion, keep_onion);
    return protect(list, n, by_age, half - keep_local - keep_onion);
}

/* Before all others, so that peers of the user's do not use up what protects strangers. */
static size_t drop_protected(struct evict_candidate *list, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!list[i].is_protected)
            list[kept++] = list[i];
    return kept;
}

uint64_t evict_choose(struct evict_candidate *list, size_t n)
{
    ASSERT(list || n == 0);
    n = drop_protected(list, n);
    n = protect(list, n, by_group, PROTECT_GROUPS);
    n = protect(list, n, by_ping, PROTECT_PING);
    n = protect_givers(list, n, by_tx, PROTECT_TX, gave_tx);
    n = protect_givers(list, n, by_block_only, PROTECT_BLOCK_ONLY, gave_block);
    n = protect_givers(list, n, by_block, PROTECT_BLOCK, gave_block);
    n = protect_givers(list, n, by_useful, PROTECT_USEFUL, gave_bytes);
    n = protect_half(list, n);
    if (n == 0)
        return 0;
    /* Who is discouraged goes first. Otherwise the youngest of the largest group. */
    for (size_t i = 0; i < n; i++)
        if (list[i].is_discouraged)
            return list[i].id;
    qsort(list, n, sizeof *list, by_group);
    size_t best = 0, best_len = 0;
    for (size_t i = 0; i < n;) {
        size_t len = 1;
        while (i + len < n && list[i + len].group_hash == list[i].group_hash)
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
        i += len;
    }
    qsort(list + best, best_len, sizeof *list, by_age);
    return list[best + best_len - 1].id;
}
