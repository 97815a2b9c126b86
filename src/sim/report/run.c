/* run.c - see run.h */
#include "sim/report/run.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK_BYTES 65536

struct run *run_new(void)
{
    struct run *run = xcalloc(1, sizeof *run);
    arena_init(&run->arena, ARENA_CHUNK_BYTES);
    hash_map_init(&run->by_hash);
    run->n_txs_mined = run->n_bytes = -1;
    return run;
}

void run_free(struct run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < run->parameters.n; i++) {
        xfree(run->parameters.at[i].name);
        xfree(run->parameters.at[i].value);
    }
    for (size_t i = 0; i < run->blocks.n; i++)
        xfree(run->blocks.at[i]->has);
    ARRAY_FREE(&run->parameters);
    ARRAY_FREE(&run->nodes);
    ARRAY_FREE(&run->blocks);
    ARRAY_FREE(&run->samples);
    ARRAY_FREE(&run->partitions);
    ARRAY_FREE(&run->attacks);
    ARRAY_FREE(&run->links);
    ARRAY_FREE(&run->on_the_way);
    names_free(&run->types);
    names_free(&run->places);
    names_free(&run->roles);
    names_free(&run->kinds);
    names_free(&run->whats);
    hash_map_deinit(&run->by_hash);
    arena_deinit(&run->arena);
    xfree(run->name);
    xfree(run);
}

/* -- Blocks ------------------------------------------------------------------------------------ */

/* The end that proof of work leaves at random, as hashes are shown. */
static uint64_t key_of(const uint8_t hash[32])
{
    uint64_t key;
    memcpy(&key, hash + 24, sizeof key);
    return key;
}

static bool has_hash(const void *value, const void *key)
{
    return memcmp(((const struct run_block *)value)->hash, key, 32) == 0;
}

struct run_block *run_find_block(const struct run *run, const uint8_t hash[32])
{
    ASSERT(run && hash);
    return hash_map_find(&run->by_hash, key_of(hash), has_hash, hash);
}

struct run_block *run_add_block(struct run *run, const uint8_t hash[32])
{
    ASSERT(run && hash && run->blocks.n < RUN_BLOCKS_MAX && !run_find_block(run, hash));
    struct run_block *block = arena_calloc(&run->arena, 1, sizeof *block);
    memcpy(block->hash, hash, 32);
    for (int i = 0; i < RUN_SHARES; i++)
        block->reach_us[i] = -1;
    hash_map_insert(&run->by_hash, key_of(hash), block);
    *ARRAY_ADD(&run->blocks) = block;
    return block;
}

/* -- The end ----------------------------------------------------------------------------------- */

static int compare_links(const void *a, const void *b)
{
    const struct run_link *left = a, *right = b;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    return left->to < right->to ? -1 : left->to > right->to;
}

void run_sum_links(struct run *run)
{
    ASSERT(run);
    if (run->links.n == 0)
        return;
    qsort(run->links.at, run->links.n, sizeof run->links.at[0], compare_links);
    size_t n = 0;
    for (size_t i = 0; i < run->links.n;) {
        struct run_link sum = run->links.at[i];
        for (i++; i < run->links.n && compare_links(&sum, &run->links.at[i]) == 0; i++)
            sum.change += run->links.at[i].change;
        if (sum.change > 0)
            run->links.at[n++] = (struct run_link){.from = sum.from, .to = sum.to, .change = 1};
    }
    run->links.n = n;
}

/* Is a the better end of the run: more nodes have it, it is higher, it came first? */
static bool is_better(const struct run_block *a, uint32_t n_a, const struct run_block *b,
                      uint32_t n_b)
{
    if (!b || n_a != n_b)
        return !b || n_a > n_b;
    if (a->height != b->height)
        return a->height > b->height;
    return a->mined_us < b->mined_us;
}

static uint32_t count_at(const struct run *run, const struct run_block *block)
{
    uint32_t n = 0;
    for (size_t i = 0; i < run->nodes.n; i++)
        n += run->nodes.at[i].tip == block && run->nodes.at[i].is_honest;
    return n;
}

/* What most honest nodes have for a tip; of no tips the highest block. */
static struct run_block *winner(const struct run *run)
{
    struct run_block *best = NULL, *last = NULL;
    uint32_t n_best = 0;
    for (size_t i = 0; i < run->nodes.n; i++) {
        struct run_block *tip = run->nodes.at[i].tip;
        if (!tip || tip == last || tip == best || !run->nodes.at[i].is_honest)
            continue;
        last = tip;
        uint32_t n = count_at(run, tip);
        if (is_better(tip, n, best, n_best)) {
            best = tip;
            n_best = n;
        }
    }
    for (size_t i = 0; n_best == 0 && i < run->blocks.n; i++)
        if (is_better(run->blocks.at[i], 0, best, 0))
            best = run->blocks.at[i];
    return best;
}

void run_finish(struct run *run)
{
    ASSERT(run);
    run_sum_links(run);
    for (struct run_block *block = winner(run); block; block = block->parent)
        block->is_main = true;
    for (size_t i = 0; i < run->partitions.n; i++)
        if (run->partitions.at[i].to_us < 0)
            run->partitions.at[i].to_us = run->t_us;
}
