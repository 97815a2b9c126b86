/* rig_fixture.h - a builder of blocks and a chain on a simulated machine, for each test.
 *
 * A file's setup calls fixture_at() or fixture_before(); FIXTURE(setup, rig_teardown), or
 * sound_teardown. */
#ifndef TESTS_SUPPORT_RIG_FIXTURE_H
#define TESTS_SUPPORT_RIG_FIXTURE_H

#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

struct fixture {
    struct chain_builder b;
    struct chain_rig rig;
    struct chain_options options;
    const struct built_block *base; /* what the setup built last */
};

/* A builder at genesis; the chain is not started. */
static inline struct fixture *fixture_new(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->b);
    f->base = f->b.genesis;
    *state = f;
    return f;
}

static inline int builder_setup(void **state)
{
    (void)fixture_new(state);
    return 0;
}

/* Start the chain with f->options and connect all blocks up to f->base. */
static inline void fixture_start_at_base(struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, &f->options);
    rig_accept_chain(&f->rig, f->base);
    assert_true(rig_is_at(&f->rig, f->base));
}

/* Start the chain with f->options on nothing; n blocks are built and not given to it. */
static inline int fixture_before(struct fixture *f, size_t n_blocks)
{
    f->base = builder_blocks(&f->b, f->b.genesis, n_blocks, NULL);
    f->options.check_invariants = true;
    rig_start(&f->rig, 1, &f->b, &f->options);
    return 0;
}

/* A chain of n blocks; options may be NULL. */
static inline struct fixture *fixture_at(void **state, size_t n_blocks,
                                         const struct chain_options *options)
{
    struct fixture *f = fixture_new(state);
    if (options)
        f->options = *options;
    f->base = builder_blocks(&f->b, f->b.genesis, n_blocks, NULL);
    fixture_start_at_base(f);
    return f;
}

static inline int rig_teardown(void **state)
{
    struct fixture *f = *state;
    if (f->rig.sim)
        rig_deinit(&f->rig);
    chain_builder_deinit(&f->b);
    xfree(f);
    return 0;
}

/* The same where no test may have made the chain fail. */
static inline int sound_teardown(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->rig.n_faults, 0);
    return rig_teardown(state);
}

#endif
