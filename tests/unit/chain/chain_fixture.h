/* chain_fixture.h - a chain of 120 blocks whose first coinbases can be spent. */
#ifndef TESTS_UNIT_CHAIN_CHAIN_FIXTURE_H
#define TESTS_UNIT_CHAIN_CHAIN_FIXTURE_H

#include "support/build.h"
#include "support/chain_inside.h"
#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { BASE_HEIGHT = 120 };

struct fixture {
    struct chain_builder b;
    struct chain_rig rig;
    struct chain_options options;
    const struct built_block *base[BASE_HEIGHT + 1]; /* by height */
};

/* Builder and blocks; the test starts the rig itself, so that it can change network and options.
 * Coinbases of heights 4n can be spent by anyone, 4n + 1 are P2WSH, 4n + 2 can never be spent,
 * 4n + 3 are long. */
static inline void fixture_build(struct fixture *f)
{
    static const enum builder_script kinds[] = {BUILDER_TRUE, BUILDER_WSH_TRUE, BUILDER_FALSE,
                                                BUILDER_LONG};
    f->base[0] = f->b.genesis;
    for (size_t i = 1; i < COUNT_OF(f->base); i++) {
        struct builder_spec spec = {.coinbase_script = kinds[i % COUNT_OF(kinds)]};
        f->base[i] = builder_block(&f->b, f->base[i - 1], &spec);
    }
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->b);
    fixture_build(f);
    f->options.check_invariants = true;
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    if (f->rig.sim)
        rig_deinit(&f->rig);
    chain_builder_deinit(&f->b);
    xfree(f);
    return 0;
}

/* Start the rig, with nothing or with all base blocks connected. */
static inline void fixture_start(struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, &f->options);
}

static inline const struct built_block *base_tip(const struct fixture *f)
{
    return f->base[BASE_HEIGHT];
}

static inline void fixture_start_at_base(struct fixture *f)
{
    fixture_start(f);
    rig_accept_chain(&f->rig, base_tip(f));
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

/* A spend of the coinbase of base block `height`. */
static inline struct tx spend_base(struct fixture *f, int32_t height, uint32_t n_out,
                                   int64_t fee_sat, enum builder_script to)
{
    struct builder_coin coin = builder_coinbase_coin(f->base[height]);
    return builder_spend(&f->b, &coin, 1, n_out, fee_sat, to);
}

static inline const struct built_block *
block_with(struct fixture *f, const struct built_block *prev, const struct tx *tx, uint32_t n_tx)
{
    struct builder_spec spec = {.tx = tx, .n_tx = n_tx};
    return builder_block(&f->b, prev, &spec);
}

static inline const struct built_block *block_spending(struct fixture *f,
                                                       const struct built_block *prev,
                                                       int32_t height, enum builder_script to)
{
    struct tx tx = spend_base(f, height, 2, 1000, to);
    return block_with(f, prev, &tx, 1);
}

/* Make the block's bytes, root and work right again after its transactions were changed. */
static inline void fixture_seal(struct fixture *f, struct built_block *block)
{
    build_block_again(&f->b.arena, &block->block); /* the ids */
    build_set_merkle_root(&f->b.arena, &block->block);
    build_grind(&f->b.arena, &block->block, &f->b.network);
}

/* Step until the chain's tip has that height or nothing is left to happen. */
static inline void step_times(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++)
        (void)sim_env_step(f->rig.sim);
}

/* The set of coins equals that of a node that has seen only the blocks up to last. */
static inline void assert_coins_as_if_only(struct fixture *f, const struct built_block *last)
{
    struct chain_rig fresh;
    rig_start(&fresh, 77, &f->b, NULL);
    rig_accept_chain(&fresh, last);
    assert_true(rig_is_at(&fresh, last));
    struct coin_stats want = rig_coin_stats(&fresh, COIN_STATS_MUHASH);
    struct coin_stats have = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    assert_memory_equal(have.hash, want.hash, 32);
    assert_int_equal(have.n_outputs, want.n_outputs);
    assert_int_equal(have.total_sat, want.total_sat);
    rig_deinit(&fresh);
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* What became of one call; a second answer fails the test. */
struct answer {
    bool is_done;
    int error;
    struct verdict verdict;
    struct chain_block_result result;
    uint64_t n_blocks;
};

static inline void note_verdict(void *arg, const struct verdict *verdict)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->verdict = *verdict;
}

static inline void note_block(void *arg, const struct chain_block_result *result)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->result = *result;
    answer->verdict = result->verdict;
}

static inline void note_error(void *arg, int error)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->error = error;
}

static inline void note_import(void *arg, int error, uint64_t n_blocks)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->error = error;
    answer->n_blocks = n_blocks;
}

static inline void submit_block(struct fixture *f, const struct built_block *block, int flags,
                                struct answer *answer)
{
    chain_accept_block(f->rig.chain, built_bytes(block), block->block.raw.len, flags, note_block,
                       answer);
}

static inline struct chain_block_result accept_with(struct fixture *f,
                                                    const struct built_block *block, int flags)
{
    struct answer answer = {0};
    submit_block(f, block, flags, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer.result;
}

#endif
