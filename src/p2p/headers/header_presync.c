/* header_presync.c - see header_presync.h. */
#include "p2p/headers/header_presync.h"

#include "consensus/pow.h"
#include "crypto/siphash.h"
#include "util/array.h"

#define BLOCKS_PER_SECOND_MAX 6    /* by the median-time rule, in the long run */
#define FUTURE_S              7200 /* a header's time may be ahead of ours */

/* A header without the previous hash, which its place tells. */
struct small_header {
    int32_t version;
    uint8_t merkle_root[32];
    uint32_t time, bits, nonce;
};

struct header_presync {
    const struct network *network;
    const struct block_node *start;
    struct u256 min_work;
    struct siphash_key key;
    uint32_t offset; /* which of every PRESYNC_PERIOD headers is kept */
    enum presync_phase phase;

    /* First pass. */
    uint8_t *bits; /* one for each kept header */
    size_t n_bits, bits_capacity, n_bits_max;
    struct u256 work;
    int32_t height;
    struct block_hash last;
    uint32_t last_bits;

    /* Second pass. */
    size_t bit_at; /* next bit to compare */
    struct small_header *held;
    size_t n_held;
    struct block_hash held_prev; /* of the first one held */
    struct block_hash fetched;   /* the last one */
    int32_t fetched_height;
    uint32_t fetched_bits;
    struct u256 fetched_work;
    bool has_enough; /* everything that the first pass saw has come again */
    struct block_header *ready;
    size_t ready_capacity;
};

struct header_presync *presync_new(const struct env *env, const struct network *network,
                                   const struct block_node *start, struct u256 min_work,
                                   int64_t now_s)
{
    ASSERT(start && start->height >= 0);
    struct header_presync *presync = xcalloc(1, sizeof *presync);
    presync->network = network;
    presync->start = start;
    presync->min_work = min_work;
    env_random(env, &presync->key, sizeof presync->key);
    env_random(env, &presync->offset, sizeof presync->offset);
    presync->offset %= PRESYNC_PERIOD;
    presync->work = presync->fetched_work = start->chain_work;
    presync->height = presync->fetched_height = start->height;
    presync->last = presync->held_prev = presync->fetched = start->hash;
    presync->last_bits = presync->fetched_bits = start->bits;
    /* No honest chain has more headers than this. */
    int64_t seconds = now_s - block_node_mtp(start) + FUTURE_S;
    seconds = MAX_OF(seconds, 0);
    presync->n_bits_max = (size_t)(seconds * BLOCKS_PER_SECOND_MAX / PRESYNC_PERIOD) + 1;
    return presync;
}

void presync_free(struct header_presync *presync)
{
    if (!presync)
        return;
    xfree(presync->bits);
    xfree(presync->held);
    xfree(presync->ready);
    xfree(presync);
}

static bool is_kept(const struct header_presync *presync, int32_t height)
{
    return (uint32_t)height % PRESYNC_PERIOD == presync->offset;
}

static unsigned bit_of(const struct header_presync *presync, const struct block_hash *hash)
{
    return siphash13_id(presync->key, hash->b, 0) & 1;
}

/* -- First pass ---------------------------------------------------------------------------------
 */

static bool keep_bit(struct header_presync *presync, unsigned bit)
{
    if (presync->n_bits == presync->n_bits_max)
        return false;
    if (presync->n_bits == 8 * presync->bits_capacity) {
        size_t capacity = presync->bits_capacity ? 2 * presync->bits_capacity : 32;
        presync->bits = xrealloc(presync->bits, capacity, 1);
        memset(presync->bits + presync->bits_capacity, 0, capacity - presync->bits_capacity);
        presync->bits_capacity = capacity;
    }
    presync->bits[presync->n_bits / 8] |= (uint8_t)(bit << presync->n_bits % 8);
    presync->n_bits++;
    return true;
}

static bool commit(struct header_presync *presync, const struct block_header *header)
{
    int32_t height = presync->height + 1;
    if (!block_hash_equal(&header->prev, &presync->last) ||
        !pow_is_transition_permitted(presync->network, height, presync->last_bits, header->bits))
        return false;
    struct block_hash hash = block_header_hash(header);
    if (is_kept(presync, height) && !keep_bit(presync, bit_of(presync, &hash)))
        return false;
    presync->work = u256_add(presync->work, pow_block_work(header->bits));
    presync->height = height;
    presync->last = hash;
    presync->last_bits = header->bits;
    return true;
}

static void commit_all(struct header_presync *presync, const struct block_header *headers, size_t n,
                       bool is_full)
{
    for (size_t i = 0; i < n; i++)
        if (!commit(presync, &headers[i])) {
            presync->phase = PRESYNC_FAILED;
            return;
        }
    if (u256_compare(presync->work, presync->min_work) >= 0)
        presync->phase = PRESYNC_FETCH; /* from the start again */
    else if (!is_full)
        presync->phase = PRESYNC_FAILED; /* that was all, and it is not enough */
}

/* -- Second pass --------------------------------------------------------------------------------
 */

static bool fetch(struct header_presync *presync, const struct block_header *header)
{
    int32_t height = presync->fetched_height + 1;
    if (!block_hash_equal(&header->prev, &presync->fetched) ||
        !pow_is_transition_permitted(presync->network, height, presync->fetched_bits, header->bits))
        return false;
    struct block_hash hash = block_header_hash(header);
    if (!presync->has_enough && is_kept(presync, height)) {
        if (presync->bit_at == presync->n_bits)
            return false; /* there were not so many the first time */
        unsigned kept = presync->bits[presync->bit_at / 8] >> presync->bit_at % 8 & 1;
        presync->bit_at++;
        if (kept != bit_of(presync, &hash))
            return false;
    }
    presync->fetched_work = u256_add(presync->fetched_work, pow_block_work(header->bits));
    if (u256_compare(presync->fetched_work, presync->min_work) >= 0)
        presync->has_enough = true;
    if (!presync->held)
        presync->held = xmalloc(PRESYNC_BUFFER * 2 * sizeof *presync->held);
    struct small_header *small = &presync->held[presync->n_held++];
    *small = (struct small_header){.version = header->version,
                                   .time = header->time,
                                   .bits = header->bits,
                                   .nonce = header->nonce};
    memcpy(small->merkle_root, header->merkle_root, 32);
    presync->fetched = hash;
    presync->fetched_height = height;
    presync->fetched_bits = header->bits;
    return true;
}

/* Hand out the oldest n of those held. */
static void release(struct header_presync *presync, size_t n)
{
    presync->ready =
        array_reserve(presync->ready, 0, &presync->ready_capacity, n, sizeof *presync->ready);
    for (size_t i = 0; i < n; i++) {
        const struct small_header *small = &presync->held[i];
        struct block_header *header = &presync->ready[i];
        *header = (struct block_header){.version = small->version,
                                        .prev = presync->held_prev,
                                        .time = small->time,
                                        .bits = small->bits,
                                        .nonce = small->nonce};
        memcpy(header->merkle_root, small->merkle_root, 32);
        presync->held_prev = block_header_hash(header);
    }
    memmove(presync->held, presync->held + n, (presync->n_held - n) * sizeof *presync->held);
    presync->n_held -= n;
}

enum presync_phase presync_take(struct header_presync *presync, const struct block_header *headers,
                                size_t n, bool is_full, const struct block_header **ready,
                                size_t *n_ready)
{
    ASSERT(n > 0);
    *ready = NULL;
    *n_ready = 0;
    if (presync->phase == PRESYNC_COMMIT) {
        commit_all(presync, headers, n, is_full);
        return presync->phase;
    }
    ASSERT(presync->phase == PRESYNC_FETCH && n <= PRESYNC_BUFFER);
    for (size_t i = 0; i < n; i++)
        if (!fetch(presync, &headers[i])) {
            presync->phase = PRESYNC_FAILED;
            return presync->phase;
        }
    if (presync->has_enough) {
        *n_ready = presync->n_held;
        presync->phase = PRESYNC_DONE;
    } else if (!is_full) {
        presync->phase = PRESYNC_FAILED;
        return presync->phase;
    } else if (presync->n_held > PRESYNC_BUFFER) {
        *n_ready = presync->n_held - PRESYNC_BUFFER;
    }
    if (*n_ready) {
        release(presync, *n_ready);
        *ready = presync->ready;
    }
    return presync->phase;
}

struct block_hash presync_next(const struct header_presync *presync)
{
    return presync->phase == PRESYNC_COMMIT ? presync->last : presync->fetched;
}

int32_t presync_height(const struct header_presync *presync)
{
    return presync->phase == PRESYNC_COMMIT ? presync->height : presync->fetched_height;
}

const struct block_node *presync_start(const struct header_presync *presync)
{
    return presync->start;
}
