/* mesh_fixture.h - a builder of blocks and a mesh for each test.
 *
 * FIXTURE(mesh_setup, mesh_teardown); the test makes the mesh itself. Who keeps more for each test
 * has a struct that begins with a fixture, and mesh_setup_as(). */
#ifndef TESTS_SUPPORT_MESH_FIXTURE_H
#define TESTS_SUPPORT_MESH_FIXTURE_H

#include "support/mesh.h"
#include "support/unit.h"
#include "util/alloc.h"

#define SERVICES (NODE_NETWORK | NODE_WITNESS)

/* What follows the mesh is there for tests that want it. */
struct fixture {
    struct chain_builder builder;
    struct mesh mesh;
    struct mesh_node *node;
    const struct built_block *blocks[3];
    struct raw_peer *raw[16];
    size_t n_raw;
};

/* A struct of that size whose first member is a fixture. */
static inline void *mesh_setup_as(void **state, size_t size)
{
    struct fixture *f = xcalloc(1, size);
    chain_builder_init(&f->builder);
    *state = f;
    return f;
}

static inline int mesh_setup(void **state)
{
    (void)mesh_setup_as(state, sizeof(struct fixture));
    return 0;
}

/* The raw peers go with the mesh. */
static inline int mesh_teardown(void **state)
{
    struct fixture *f = *state;
    mesh_deinit(&f->mesh);
    chain_builder_deinit(&f->builder);
    xfree(f);
    return 0;
}

/* A new mesh of one node. */
static inline struct mesh_node *fixture_node(struct fixture *f, uint64_t seed,
                                             const struct p2p_options *options,
                                             const struct chain_options *chain_options)
{
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    f->node = mesh_add(&f->mesh, options, chain_options);
    return f->node;
}

/* A new mesh of one node, and one who has connected to it, and no more. */
static inline struct raw_peer *fixture_caller(struct fixture *f, uint64_t seed)
{
    return raw_connect(&f->mesh, fixture_node(f, seed, NULL, NULL));
}

/* A node with coins to spend: those of the first twenty blocks are mature. */
static inline struct mesh_node *rich_node(struct fixture *f, uint64_t seed,
                                          const struct p2p_options *options,
                                          const struct built_block **tip)
{
    struct mesh_node *node = fixture_node(f, seed, options, NULL);
    *tip = builder_blocks(&f->builder, f->builder.genesis, 120, NULL);
    mesh_give(node, *tip);
    return node;
}

/* A transaction with two outputs that spends the coinbase of that height. */
static inline struct tx spend(struct fixture *f, const struct built_block *tip, int32_t height,
                              int64_t fee_sat)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(tip, height));
    return builder_spend(&f->builder, &coin, 1, 2, fee_sat, BUILDER_WSH_TRUE);
}

/* The node takes the transaction. */
static inline void give_tx(struct mesh_node *node, const struct tx *tx)
{
    struct verdict verdict = mesh_give_tx(node, tx);
    assert_string_equal(reject_string(verdict.code), "");
}

#endif
