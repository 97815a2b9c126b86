/* test_chain_random.c - anything in any order: blocks of a tree with bad ones in it, orders,
 * flushes, restarts and crashes, all from a seed. In the end the chain rests on a valid block with
 * the most work, and its coins are those of a node that saw only that branch.
 *
 * CAIRN_RUNS sets how many seeds are tried, CAIRN_SEED with which one to begin. */
#include <errno.h>

#include "chain/mining.h"
#include "support/chain_inside.h"
#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { N_BASE = 104, N_TREE = 40, N_OPS = 60 };

/* A tree of blocks on a common base. */
struct forest {
    struct chain_builder b;
    const struct built_block *base;
    const struct built_block *made[N_TREE];
    bool is_bad[N_TREE];       /* breaks a rule itself */
    bool is_bad_chain[N_TREE]; /* or stands on one that does */
};

static int index_of(const struct forest *f, const struct built_block *block)
{
    for (int i = 0; i < N_TREE; i++)
        if (f->made[i] == block)
            return i;
    return -1;
}

/* A block that spends something that its own branch has, or has spent. */
static const struct built_block *grow(struct forest *f, const struct built_block *prev,
                                      struct sim_random *random, bool *is_bad)
{
    struct builder_coin coin =
        builder_coinbase_coin(built_ancestor(f->base, 1 + (int32_t)sim_random_below(random, 4)));
    uint32_t n_out = 1 + (uint32_t)sim_random_below(random, 3);
    struct tx tx[2] = {builder_spend(&f->b, &coin, 1, n_out, 5, BUILDER_LONG)};
    coin = builder_coin_of(&tx[0], n_out - 1, BUILDER_LONG);
    tx[1] = builder_spend(&f->b, &coin, 1, 2, 5, BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 1 + (uint32_t)sim_random_below(random, 2)};
    /* The branch may have spent that coin before; the txid does not depend on the branch. */
    bool is_spent = false;
    for (const struct built_block *at = prev; at != f->base; at = at->prev)
        for (uint32_t i = 1; i < at->block.n_tx; i++)
            is_spent =
                is_spent || outpoint_equal(&at->block.tx[i].in[0].prevout, &tx[0].in[0].prevout);
    if (is_spent && sim_random_below(random, 8) != 0)
        spec.n_tx = 0;
    *is_bad = is_spent && spec.n_tx > 0;
    if (!*is_bad && sim_random_below(random, 12) == 0) {
        spec.extra_sat = 1000; /* more than the fees */
        *is_bad = true;
    }
    return builder_block(&f->b, prev, &spec);
}

static void make_forest(struct forest *f, uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, 1);
    chain_builder_init(&f->b);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    for (int i = 0; i < N_TREE; i++) {
        /* Mostly on one of the last blocks, so that branches become long. */
        int back = (int)sim_random_below(&random, sim_random_below(&random, 4) == 0 ? 20 : 3);
        int parent = i - 1 - back;
        const struct built_block *prev = parent < 0 ? f->base : f->made[parent];
        f->made[i] = grow(f, prev, &random, &f->is_bad[i]);
        f->is_bad_chain[i] = f->is_bad[i] || (parent >= 0 && f->is_bad_chain[parent]);
    }
}

/* -- What is done ------------------------------------------------------------------------------ */

static void ignore_verdict(void *arg, const struct verdict *verdict)
{
    (void)verdict;
    ++*(int *)arg;
}

static void ignore_error(void *arg, int error)
{
    (void)error;
    ++*(int *)arg;
}

/* Orders that were given and answered: each is, once. */
struct tally {
    int given, answered;
    bool is_closing;
};

static void give_order(struct forest *f, struct chain_rig *rig, struct tally *tally,
                       struct sim_random *random)
{
    const struct block_hash *hash = &f->made[sim_random_below(random, N_TREE)]->block.hash;
    tally->given++;
    switch (sim_random_below(random, 3)) {
    case 0:
        chain_invalidate(rig->chain, hash, ignore_verdict, &tally->answered);
        break;
    case 1:
        chain_reconsider(rig->chain, hash, ignore_verdict, &tally->answered);
        break;
    default:
        chain_precious(rig->chain, hash, ignore_verdict, &tally->answered);
    }
}

/* Nothing is ever wrong with what is stored. */
static void check_verified(void *arg, bool ok)
{
    struct tally *tally = arg;
    assert_true(ok || tally->is_closing);
    tally->answered++;
}

static void ignore_stats(void *arg, int error, const struct coin_stats *stats)
{
    (void)error, (void)stats;
    ++*(int *)arg;
}

static void ignore_found(void *arg, int error, const struct chain_tx *found)
{
    (void)error, (void)found;
    ++*(int *)arg;
}

static void ignore_work(void *arg, uint8_t *block_take, size_t len)
{
    (void)len;
    xfree(block_take);
    ++*(int *)arg;
}

/* What was read is what was stored, or nothing. */
static void check_read(void *arg, const struct chain_block_read *read)
{
    if (!read->error) {
        struct undo undo;
        struct arena arena;
        arena_init(&arena, 4096);
        assert_memory_equal(read->block->block.hash.b, read->node->hash.b, 32);
        assert_true(read->undo_raw.len == 0 ||
                    undo_decode(read->undo_raw, &read->block->block, &arena, &undo));
        arena_deinit(&arena);
    }
    ++*(int *)arg;
}

static struct block_ref *decoded(const struct built_block *block)
{
    struct block_ref *ref = block_ref_take(built_bytes(block), block->block.raw.len);
    assert_true(block_ref_decode(ref));
    return ref;
}

/* Everything that takes its time and answers once. */
static void ask_something(struct forest *f, struct chain_rig *rig, struct tally *tally,
                          struct sim_random *random)
{
    const struct built_block *block = f->made[sim_random_below(random, N_TREE)];
    const struct block_node *node = chain_find(rig->chain, &block->block.hash);
    struct block_ref *ref;
    tally->given++;
    switch (sim_random_below(random, 6)) {
    case 0:
        ref = decoded(block);
        chain_test_block(rig->chain, ref, ignore_verdict, &tally->answered);
        block_ref_drop(ref);
        break;
    case 1:
        chain_read_block(rig->chain, node ? node : chain_tip(rig->chain), true, check_read,
                         &tally->answered);
        break;
    case 2:
        chain_coin_stats(rig->chain, COIN_STATS_NONE, ignore_stats, &tally->answered);
        break;
    case 3:
        chain_verify(rig->chain, (int)sim_random_below(random, 5), 12, check_verified, tally);
        break;
    case 4:
        chain_find_tx(rig->chain, &block->block.txids[0], ignore_found, &tally->answered);
        break;
    default:
        mining_grind(rig->chain, decoded(block), 60000, ignore_work, &tally->answered);
    }
}

static void submit_some(struct forest *f, struct chain_rig *rig, struct sim_random *random)
{
    uint64_t first = sim_random_below(random, N_TREE), n = 1 + sim_random_below(random, 8);
    for (uint64_t i = first; i < first + n && i < N_TREE; i++) {
        if (sim_random_below(random, 2))
            rig_announce(rig, f->made[i]);
        rig_submit(rig, f->made[i]);
    }
}

static void restart(struct chain_rig *rig, struct tally *tally, struct sim_random *random)
{
    uint64_t how = sim_random_below(random, 4);
    tally->is_closing = true;
    if (how < 3) {
        rig_crash(rig, (enum sim_crash)how, sim_random_u64(random));
    } else {
        assert_int_equal(rig_close(rig), 0);
    }
    assert_int_equal(tally->given, tally->answered);
    tally->is_closing = false;
    rig_open(rig);
}

static void do_something(struct forest *f, struct chain_rig *rig, struct tally *tally,
                         struct sim_random *random)
{
    switch (sim_random_below(random, 12)) {
    case 10:
    case 11:
        ask_something(f, rig, tally, random);
        break;
    case 0:
        give_order(f, rig, tally, random);
        break;
    case 1:
        tally->given++;
        chain_flush(rig->chain, ignore_error, &tally->answered);
        break;
    case 2:
        if (sim_random_below(random, 3) == 0)
            restart(rig, tally, random);
        break;
    case 3:
        rig_settle(rig);
        assert_int_equal(tally->given, tally->answered);
        break;
    default:
        submit_some(f, rig, random);
    }
    for (uint64_t steps = sim_random_below(random, 40); steps > 0; steps--)
        (void)sim_env_step(rig->sim);
}

/* -- What must be true in the end -------------------------------------------------------------- */

static int32_t best_height(const struct forest *f)
{
    int32_t best = f->base->height;
    for (int i = 0; i < N_TREE; i++)
        if (!f->is_bad_chain[i] && f->made[i]->height > best)
            best = f->made[i]->height;
    return best;
}

static void assert_ends_well(struct forest *f, struct chain_rig *rig)
{
    /* Forget what the orders invalidated, and hand over everything again. */
    for (int i = 0; i < N_TREE; i++)
        if (chain_find(rig->chain, &f->made[i]->block.hash))
            (void)rig_reconsider(rig, f->made[i]);
    for (int i = 0; i < N_TREE; i++)
        rig_accept_chain(rig, f->made[i]);
    const struct block_node *tip = chain_tip(rig->chain);
    assert_int_equal(tip->height, best_height(f));
    const struct built_block *at = f->base;
    for (int i = 0; i < N_TREE; i++)
        if (block_hash_equal(&f->made[i]->block.hash, &tip->hash))
            at = f->made[i];
    assert_true(at == f->base || !f->is_bad_chain[index_of(f, at)]);
    struct chain_rig fresh;
    rig_start(&fresh, 9, &f->b, NULL);
    rig_accept_chain(&fresh, at);
    struct coin_stats want = rig_coin_stats(&fresh, COIN_STATS_SERIALIZED_3);
    struct coin_stats have = rig_coin_stats(rig, COIN_STATS_SERIALIZED_3);
    assert_int_equal(have.n_outputs, want.n_outputs);
    assert_memory_equal(have.hash, want.hash, 32);
    assert_int_equal(rig->n_faults, 0);
    chain_check(rig->chain);
    rig_deinit(&fresh);
}

static void run_seed(uint64_t seed)
{
    struct forest *f = xcalloc(1, sizeof *f);
    struct chain_rig rig;
    struct tally tally = {0};
    struct sim_random random = sim_random_of(seed, 2);
    struct chain_options options = {.check_invariants = true,
                                    .flush_batch_bytes = 200,
                                    .txindex = seed % 2,
                                    .block_file_bytes = 5000};
    make_forest(f, seed);
    rig_start(&rig, seed, &f->b, &options);
    rig_accept_chain(&rig, f->base);
    for (int i = 0; i < N_OPS; i++)
        do_something(f, &rig, &tally, &random);
    rig_settle(&rig);
    assert_int_equal(tally.given, tally.answered);
    assert_ends_well(f, &rig);
    rig_deinit(&rig);
    chain_builder_deinit(&f->b);
    xfree(f);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

TEST(whatever_happens_the_best_valid_chain_wins)
{
    uint64_t first = number_from("CAIRN_SEED", 1), n = number_from("CAIRN_RUNS", 40);
    for (uint64_t seed = first; seed < first + n; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        run_seed(seed);
    }
}
