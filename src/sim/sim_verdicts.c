/* sim_verdicts.c - see sim_verdicts.h */
#include "sim/sim_verdicts.h"

#include <stdatomic.h>
#include <string.h>

#include "util/alloc.h"
#include "util/endian.h"

#define PLACES (1 << 16)
#define LOCKS  256

struct row {
    uint8_t id[32];
    uint64_t of; /* zero and verdict zero: none, since flags are never zero */
    int verdict;
};

/* A lock is for every so many-th row, and held for the time of a copy. */
struct sim_verdicts {
    struct row row[PLACES];
    atomic_bool is_taken[LOCKS];
    atomic_uint_least64_t n_known, n_unknown;
};

struct sim_verdicts *sim_verdicts_new(void)
{
    return xcalloc(1, sizeof(struct sim_verdicts));
}

void sim_verdicts_free(struct sim_verdicts *verdicts)
{
    xfree(verdicts);
}

/* Ids are hashes already. */
static struct row *row_of(struct sim_verdicts *verdicts, const uint8_t id[32], uint64_t of)
{
    uint64_t hash = (load_le64(id) ^ of) * UINT64_C(0x9e3779b97f4a7c15);
    return &verdicts->row[hash >> 48];
}

static atomic_bool *lock_row(struct sim_verdicts *verdicts, const struct row *row)
{
    atomic_bool *is_taken = &verdicts->is_taken[(size_t)(row - verdicts->row) % LOCKS];
    while (atomic_exchange_explicit(is_taken, true, memory_order_acquire))
        ;
    return is_taken;
}

static void unlock(atomic_bool *is_taken)
{
    atomic_store_explicit(is_taken, false, memory_order_release);
}

static bool find(void *ctx, const uint8_t id[32], uint64_t of, int *verdict)
{
    struct sim_verdicts *verdicts = ctx;
    const struct row *row = row_of(verdicts, id, of);
    atomic_bool *lock = lock_row(verdicts, row);
    bool is_known = row->of == of && memcmp(row->id, id, sizeof row->id) == 0;
    if (is_known)
        *verdict = row->verdict;
    unlock(lock);
    atomic_fetch_add_explicit(is_known ? &verdicts->n_known : &verdicts->n_unknown, 1,
                              memory_order_relaxed);
    return is_known;
}

static void keep(void *ctx, const uint8_t id[32], uint64_t of, int verdict)
{
    struct sim_verdicts *verdicts = ctx;
    struct row *row = row_of(verdicts, id, of);
    atomic_bool *lock = lock_row(verdicts, row);
    memcpy(row->id, id, sizeof row->id);
    row->of = of;
    row->verdict = verdict;
    unlock(lock);
}

struct env_verdicts sim_verdicts_env(struct sim_verdicts *verdicts)
{
    ASSERT(verdicts);
    return (struct env_verdicts){.ctx = verdicts, .find = find, .keep = keep};
}

void sim_verdicts_count(const struct sim_verdicts *verdicts, uint64_t *known, uint64_t *unknown)
{
    ASSERT(verdicts && known && unknown);
    *known = verdicts->n_known;
    *unknown = verdicts->n_unknown;
}
