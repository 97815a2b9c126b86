/* compact_fixture.h - a node with transactions that wait, and peers who speak of compact blocks.
 *
 * For tests of what is told and taken by short ids. Include after the mesh's fixture. */
#ifndef TESTS_SUPPORT_COMPACT_FIXTURE_H
#define TESTS_SUPPORT_COMPACT_FIXTURE_H

#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

#define COMPACT_TXS 3 /* in the node's mempool, children of nobody */

/* A node whose tip is new, so that it takes part; txs wait in its mempool. */
static inline struct mesh_node *compact_node(struct fixture *f, uint64_t seed,
                                             const struct p2p_options *options,
                                             const struct built_block **tip, struct tx *txs)
{
    struct mesh_node *node = rich_node(f, seed, options, tip);
    sim_env_set_unix_s(node->sim, (*tip)->block.header.time + 60);
    for (int i = 0; i < COMPACT_TXS; i++) {
        txs[i] = spend(f, *tip, i + 1, 10000 * (i + 1));
        if (!options || !options->blocks_only)
            give_tx(node, &txs[i]);
    }
    return node;
}

static inline const struct built_block *
compact_built(struct fixture *f, const struct built_block *prev, const struct tx *txs, uint32_t n)
{
    struct builder_spec spec = {.tx = txs, .n_tx = n};
    return builder_block(&f->builder, prev, &spec);
}

/* Of a block with its coinbase told whole. */
static inline void compact_send(struct raw_peer *raw, const struct built_block *block)
{
    struct buffer bytes;
    bool *is_prefilled = xcalloc(block->block.n_tx, sizeof *is_prefilled);
    is_prefilled[0] = true;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    compact_block_encode(&w, &block->block, 77, is_prefilled);
    raw_send(raw, "cmpctblock", bytes.p, bytes.len);
    buffer_deinit(&bytes);
    xfree(is_prefilled);
}

static inline void compact_send_txs(struct raw_peer *raw, const struct built_block *block,
                                    const uint32_t *indexes, uint32_t n)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    compact_txs_encode_head(&w, &block->block.hash, n);
    for (uint32_t i = 0; i < n; i++)
        write_span(&w, block->block.tx[indexes[i]].raw);
    raw_send(raw, "blocktxn", bytes.p, bytes.len);
    buffer_deinit(&bytes);
}

static inline void compact_send_mode(struct raw_peer *raw, bool wants, uint64_t version)
{
    uint8_t bytes[9];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u8(&w, wants);
    write_u64(&w, version);
    raw_send(raw, "sendcmpct", bytes, w.len);
}

/* One that knows compact blocks. */
static inline struct raw_peer *compact_join(struct fixture *f)
{
    struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
    compact_send_mode(raw, false, COMPACT_VERSION);
    mesh_run(&f->mesh, 50000);
    f->raw[f->n_raw++] = raw;
    return raw;
}

/* The same that the node has chosen. */
static inline struct raw_peer *compact_join_outbound(struct fixture *f)
{
    struct net_address address;
    struct raw_peer *raw = raw_listen(&f->mesh, (uint16_t)(700 + f->n_raw));
    assert_true(net_address_parse("10.9.9.9:700", 0, &address));
    address.port = (uint16_t)(700 + f->n_raw);
    f->raw[f->n_raw++] = raw;
    assert_non_null(dial(f->node->p2p, &address, PEER_FULL, false));
    raw_handshake(raw, SERVICES);
    compact_send_mode(raw, false, COMPACT_VERSION);
    mesh_run(&f->mesh, 50000);
    return raw;
}

/* It brings a block before anybody else does. Returns: the new tip */
static inline const struct built_block *compact_be_first(struct fixture *f, struct raw_peer *raw,
                                                         const struct built_block *tip)
{
    const struct built_block *next = builder_block(&f->builder, tip, NULL);
    raw_send_block(raw, next);
    mesh_run(&f->mesh, 200000);
    assert_true(mesh_is_at(f->node, next));
    return next;
}

/* The mode that it was told to be in last: 1 high, 0 low. */
static inline int compact_mode(struct raw_peer *raw)
{
    int mode = -1;
    for (size_t i = 0; i < raw->n_got; i++)
        if (strcmp(raw->got[i].name, "sendcmpct") == 0) {
            assert_int_equal(raw->got[i].len, 9);
            assert_int_equal(raw->got[i].payload[1], COMPACT_VERSION);
            mode = raw->got[i].payload[0];
        }
    return mode;
}

#endif
