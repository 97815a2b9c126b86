/* test_compact_take.c - blocks that come as short ids, from whom, and what they may not be. */
#include "support/build.h"
#include "support/compact_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static struct raw_peer *start(struct fixture *f, uint64_t seed, const struct built_block **tip,
                              struct tx *txs)
{
    (void)compact_node(f, seed, NULL, tip, txs);
    struct raw_peer *raw = compact_join(f);
    *tip = compact_be_first(f, raw, *tip);
    assert_int_equal(compact_mode(raw), 1);
    return raw;
}

static struct compact_request asked(struct fixture *f, struct raw_peer *raw)
{
    struct compact_request request;
    struct reader r = reader_of(raw_expect(raw, "getblocktxn"));
    assert_true(compact_request_decode(&r, &f->builder.arena, &request));
    assert_true(reader_finish(&r));
    return request;
}

static uint32_t asked_type(struct raw_peer *raw, const struct built_block *block)
{
    struct span getdata = raw_expect(raw, "getdata");
    assert_int_equal(getdata.len, 37);
    assert_memory_equal(getdata.p + 5, block->block.hash.b, 32);
    struct reader r = reader_of(getdata);
    (void)read_u8(&r);
    return read_u32(&r);
}

TEST(a_block_of_what_is_known_needs_no_question, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 11, &tip, txs);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS);
    compact_send(raw, block);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
    assert_int_equal(raw_count(raw, "getblocktxn") + raw_count(raw, "getdata"), 0);
    assert_int_equal(mempool_count(f->node->mempool), 0);
}

TEST(what_is_missing_is_asked_for, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS + 2];
    struct raw_peer *raw = start(f, 12, &tip, txs);
    txs[COMPACT_TXS] = spend(f, tip, 10, 5000);
    txs[COMPACT_TXS + 1] = spend(f, tip, 11, 5000);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS + 2);
    compact_send(raw, block);
    struct compact_request request = asked(f, raw);
    assert_int_equal(request.n, 2);
    assert_int_equal(request.indexes[0], COMPACT_TXS + 1);
    assert_false(mesh_is_at(f->node, block));
    compact_send_txs(raw, block, request.indexes, 2);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
    assert_int_equal(raw_count(raw, "getdata"), 0);
    assert_null(f->node->p2p->peers->compact);
    /* Once more: nothing is waited for, and nobody is blamed. */
    compact_send_txs(raw, block, request.indexes, 2);
    mesh_run(&f->mesh, 100000);
    assert_false(raw->is_closed);
}

/* The mempool may lose it meanwhile. */
TEST(what_was_found_is_kept_until_the_answer, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS + 1];
    struct raw_peer *raw = start(f, 13, &tip, txs);
    txs[COMPACT_TXS] = spend(f, tip, 10, 5000);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS + 1);
    compact_send(raw, block);
    struct compact_request request = asked(f, raw);
    give_tx(f->node, &(struct tx[1]){spend(f, tip, 1, 900000)}[0]);
    assert_null(mempool_find(f->node->mempool, &txs[0].txid)); /* replaced */
    compact_send_txs(raw, block, request.indexes, request.n);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
}

TEST(what_was_replaced_is_known_still, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 14, &tip, txs);
    give_tx(f->node, &(struct tx[1]){spend(f, tip, 1, 900000)}[0]);
    assert_null(mempool_find(f->node->mempool, &txs[0].txid));
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS);
    compact_send(raw, block);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
    assert_int_equal(raw_count(raw, "getblocktxn"), 0);
}

TEST(unasked_it_is_taken_only_from_whom_we_rely_on, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 15, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS);
    compact_send(raw, block);
    /* Its header counts, so it is fetched as any other, and then it may come so. */
    assert_int_equal(asked_type(raw, block), INV_COMPACT_BLOCK);
    assert_false(mesh_is_at(f->node, block));
    compact_send(raw, block);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
}

TEST(a_single_new_block_is_asked_for_by_short_ids, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 16, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS);
    raw_send_headers(raw, &block, 1);
    assert_int_equal(asked_type(raw, block), INV_COMPACT_BLOCK);
}

/* Each alone keeps the node from it. */
TEST(otherwise_blocks_are_asked_for_whole, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct p2p_options options = {.blocks_only = true};
    (void)compact_node(f, 17, &options, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    const struct built_block *block = builder_block(&f->builder, tip, NULL);
    raw_send_headers(raw, &block, 1);
    assert_int_equal(asked_type(raw, block), INV_WITNESS_BLOCK); /* no transactions are kept */
    compact_send(raw, block);
    mesh_run(&f->mesh, 100000);
    assert_false(mesh_is_at(f->node, block)); /* asked for or not */
}

TEST(an_old_tip_is_no_place_for_short_ids, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 18, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    int64_t new_s = tip->block.header.time + BLOCK_FETCH_CURRENT * 600;
    sim_env_set_unix_s(f->node->sim, new_s);
    assert_false(block_fetch_is_current(f->node->p2p));
    sim_env_set_unix_s(f->node->sim, new_s - 1);
    assert_true(block_fetch_is_current(f->node->p2p));
    sim_env_set_unix_s(f->node->sim, new_s);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS);
    raw_send_headers(raw, &block, 1);
    assert_int_equal(asked_type(raw, block), INV_WITNESS_BLOCK);
}

/* Two may share a short id. Whole it is the block; but one chance is all that anybody has. */
TEST(a_wrong_answer_costs_the_short_cut_and_a_second_one_the_connection, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS + 2];
    struct raw_peer *raw = start(f, 19, &tip, txs);
    txs[COMPACT_TXS] = spend(f, tip, 10, 5000);
    txs[COMPACT_TXS + 1] = spend(f, tip, 11, 5000);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS + 2);
    compact_send(raw, block);
    (void)asked(f, raw);
    static const uint32_t swapped[2] = {COMPACT_TXS + 2, COMPACT_TXS + 1};
    compact_send_txs(raw, block, swapped, 2);
    assert_int_equal(asked_type(raw, block), INV_WITNESS_BLOCK);
    assert_false(raw->is_closed || mesh_is_at(f->node, block));
    compact_send_txs(raw, block, swapped, 2);
    mesh_run(&f->mesh, 100000);
    assert_true(raw->is_closed);
}

TEST(the_whole_block_mends_it, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS + 2];
    struct raw_peer *raw = start(f, 20, &tip, txs);
    txs[COMPACT_TXS] = spend(f, tip, 10, 5000);
    txs[COMPACT_TXS + 1] = spend(f, tip, 11, 5000);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS + 2);
    compact_send(raw, block);
    (void)asked(f, raw);
    static const uint32_t swapped[2] = {COMPACT_TXS + 2, COMPACT_TXS + 1};
    compact_send_txs(raw, block, swapped, 2);
    assert_int_equal(asked_type(raw, block), INV_WITNESS_BLOCK);
    raw_send_block(raw, block);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block) && !raw->is_closed);
}

TEST(too_few_transactions_cost_the_connection, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS + 2];
    struct raw_peer *raw = start(f, 21, &tip, txs);
    txs[COMPACT_TXS] = spend(f, tip, 10, 5000);
    txs[COMPACT_TXS + 1] = spend(f, tip, 11, 5000);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS + 2);
    compact_send(raw, block);
    struct compact_request request = asked(f, raw);
    compact_send_txs(raw, block, request.indexes, 1);
    mesh_run(&f->mesh, 100000);
    assert_true(raw->is_closed);
    struct raw_peer *other = compact_join(f); /* from whom the block may be had still */
    raw_send_block(other, block);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
}

static void send_bad(struct raw_peer *raw, const struct built_block *block, uint64_t n_short,
                     uint64_t n_prefilled, uint64_t index)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    block_header_encode(&w, &block->block.header);
    write_u64(&w, 0);
    write_compact_size(&w, n_short);
    for (uint64_t i = 0; i < n_short; i++)
        write_bytes(&w, "123456", 6); /* all the same */
    write_compact_size(&w, n_prefilled);
    if (n_prefilled > 0) {
        write_compact_size(&w, index);
        write_span(&w, block->block.tx[0].raw);
    }
    raw_send(raw, "cmpctblock", bytes.p, bytes.len);
    buffer_deinit(&bytes);
}

/* clang-format off */
static const struct {
    const char *what;
    uint64_t n_short, n_prefilled, index;
    bool is_closed;
} bad[] = {
    {"an index beyond the block", 1, 1, 2, true},
    {"a block of nothing", 0, 0, 0, true},
    {"what cannot be decoded", 1, 1, 70000, false}, /* is passed over */
};
/* clang-format on */

TEST(what_no_block_can_be_costs_the_connection, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 22, NULL, &tip, txs);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct raw_peer *raw = compact_join(f);
        tip = compact_be_first(f, raw, tip);
        send_bad(raw, builder_block(&f->builder, tip, NULL), bad[i].n_short, bad[i].n_prefilled,
                 bad[i].index);
        mesh_run(&f->mesh, 100000);
        if (raw->is_closed != bad[i].is_closed)
            fail_msg("%s: %s", bad[i].what, raw->is_closed ? "closed" : "not closed");
    }
}

TEST(short_ids_that_collide_in_the_block_have_it_asked_for_whole, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 25, &tip, txs);
    const struct built_block *block = builder_block(&f->builder, tip, NULL);
    send_bad(raw, block, 2, 1, 0);
    assert_int_equal(asked_type(raw, block), INV_WITNESS_BLOCK);
    assert_false(raw->is_closed);
}

TEST(who_builds_on_what_is_unknown_is_asked_for_headers, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 26, &tip, txs);
    size_t before = raw_count(raw, "getheaders");
    mesh_run(&f->mesh, 3000000);
    const struct built_block *next = builder_block(&f->builder, tip, NULL);
    compact_send(raw, builder_block(&f->builder, next, NULL));
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "getheaders"), before + 1);
    assert_int_equal(raw_count(raw, "getblocktxn"), 0);
}

/* clang-format off */
/* How far above the tip: its header is taken in any case. */
static const struct { int32_t ahead; bool is_taken; } heights[] = {
    {1, true}, {COMPACT_TAKE_AHEAD_MAX, true}, {COMPACT_TAKE_AHEAD_MAX + 1, false},
};
/* clang-format on */

TEST(only_the_next_two_are_put_together, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 27, &tip, txs);
    struct tx unknown = spend(f, tip, 10, 5000);
    for (size_t i = 0; i < COUNT_OF(heights); i++) {
        const struct built_block *prev = tip;
        if (heights[i].ahead > 1)
            prev = builder_blocks(&f->builder, tip, (size_t)heights[i].ahead - 1, NULL);
        for (int32_t h = tip->height + 1; h <= prev->height; h++)
            assert_non_null(chain_accept_header(
                f->node->chain, &built_ancestor(prev, h)->block.header, &(struct verdict){0}));
        size_t before = raw_count(raw, "getblocktxn");
        const struct built_block *block = compact_built(f, prev, &unknown, 1);
        compact_send(raw, block);
        mesh_run(&f->mesh, 50000);
        assert_int_equal(raw_count(raw, "getblocktxn") - before, heights[i].is_taken);
        const struct block_node *node = chain_find(f->node->chain, &block->block.hash);
        assert_non_null(node);
        compact_take_forget(f->node->p2p, node); /* one is completed at a time */
    }
}

/* They are here before the first of them is the tip: none is asked for whole, and overtaken. */
TEST(blocks_that_come_together_are_put_together, struct fixture *f)
{
    enum { N = COMPACT_TAKE_AHEAD_MAX + 4 };
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 37, &tip, txs);
    size_t before = raw_count(raw, "getdata");
    for (int i = 0; i < N; i++) {
        tip = builder_block(&f->builder, tip, NULL);
        compact_send(raw, tip);
    }
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "getdata"), before);
    assert_true(mesh_is_at(f->node, tip));
}

/* What lies above a gap is as far from the tip as the gap is. */
TEST(blocks_above_a_gap_are_fetched_whole, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 38, &tip, txs);
    struct tx unknown = spend(f, tip, 10, 5000);
    const struct built_block *here = builder_block(&f->builder, tip, NULL);
    const struct built_block *gap = builder_block(&f->builder, here, NULL);
    compact_send(raw, here);
    (void)chain_accept_header(f->node->chain, &here->block.header, &(struct verdict){0});
    assert_non_null(chain_accept_header(f->node->chain, &gap->block.header, &(struct verdict){0}));
    const struct built_block *near = compact_built(f, gap, &unknown, 1);
    const struct built_block *far =
        compact_built(f, builder_block(&f->builder, near, NULL), NULL, 0);
    (void)chain_accept_header(f->node->chain, &near->block.header, &(struct verdict){0});
    (void)chain_accept_header(f->node->chain, &built_ancestor(far, far->height - 1)->block.header,
                              &(struct verdict){0});
    compact_send(raw, near);
    compact_send(raw, far);
    mesh_run(&f->mesh, 50000);
    assert_int_equal(raw_count(raw, "getblocktxn"), 1);
    assert_true(block_node_has_data(chain_find(f->node->chain, &here->block.hash)));
    assert_false(block_node_has_data(chain_find(f->node->chain, &far->block.hash)));
}

/* Who relays before he verifies cannot know. BIP-152, Pre-Validation Relay and Consistency
 * Considerations */
TEST(an_invalid_block_is_nobodys_fault, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 28, &tip, txs);
    struct builder_spec spec = {.tx = txs, .n_tx = COMPACT_TXS, .extra_sat = COIN_SAT};
    const struct built_block *block = builder_block(&f->builder, tip, &spec);
    compact_send(raw, block);
    mesh_run(&f->mesh, 300000);
    assert_true(mesh_is_at(f->node, tip));
    assert_true(block_node_has_failed(chain_find(f->node->chain, &block->block.hash)));
    assert_false(raw->is_closed);
}

/* Who tells of it cannot have us copy the whole mempool: what has more bytes than a block is none.
 */
TEST(more_bytes_than_a_block_has_are_not_kept, struct fixture *f)
{
    enum { N = COMPACT_FILL_BYTES_MAX / COMPACT_EXTRA_TX_BYTES + 2, BYTES = 99900 };
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS], large[N + 1];
    struct raw_peer *raw = start(f, 31, &tip, txs);
    uint8_t *script = arena_calloc(&f->builder.arena, BYTES, 1);
    for (uint32_t i = 0; i < N; i++) {
        large[i] = build_tx(&f->builder.arena, 100 + i, 1, 1);
        large[i].in[0].script_sig = span_of(script, BYTES);
        tx_finish(&large[i], &f->builder.arena);
        compact_extra_add(&f->node->p2p->compact_extra, &large[i]);
    }
    large[N] = spend(f, tip, 10, 5000); /* that has to be asked for */
    compact_send(raw, compact_built(f, tip, &large[1], N));
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "getblocktxn"), 0);
    assert_int_equal(raw_count(raw, "getdata"), 1); /* for all of it */
    assert_null(f->node->p2p->peers->compact);
}

TEST(who_has_no_short_ids_of_it_is_asked_no_more, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 32, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f), *other = compact_join(f);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS);
    raw_send_headers(raw, &block, 1);
    assert_int_equal(asked_type(raw, block), INV_COMPACT_BLOCK);
    raw_send_inv(raw, "notfound", INV_COMPACT_BLOCK, block->block.hash.b);
    raw_send_headers(other, &block, 1);
    mesh_run(&f->mesh, 200000);
    assert_int_equal(raw_count(other, "getdata"), 1); /* before the first one is late */
    assert_int_equal(f->node->p2p->peers->fetch.n_in_flight, 0);
}

/* -- More than one at once ----------------------------------------------------------------------
 */

/* Hazard 60: the first one withholds what is missing. */
TEST(the_last_of_three_places_is_for_one_that_we_chose, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 29, NULL, &tip, txs);
    struct raw_peer *stalls = compact_join(f), *second = compact_join(f), *third = compact_join(f);
    struct raw_peer *chosen = compact_join_outbound(f);
    tip = compact_be_first(f, second, tip);
    tip = compact_be_first(f, third, tip);
    tip = compact_be_first(f, chosen, tip);
    struct tx unknown = spend(f, tip, 10, 5000);
    const struct built_block *block = compact_built(f, tip, &unknown, 1);
    raw_send_headers(stalls, &block, 1);
    assert_int_equal(asked_type(stalls, block), INV_COMPACT_BLOCK);
    struct raw_peer *order[] = {stalls, second, third, chosen};
    static const size_t is_asked[] = {1, 1, 0, 1};
    for (size_t i = 0; i < 4; i++) {
        compact_send(order[i], block);
        mesh_run(&f->mesh, 22000);
        assert_int_equal(raw_count(order[i], "getblocktxn"), 0);
    }
    mesh_run(&f->mesh, 22000);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(raw_count(order[i], "getblocktxn"), is_asked[i]);
    static const uint32_t one[1] = {1};
    compact_send_txs(chosen, block, one, 1);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
    compact_send_txs(stalls, block, one, 1); /* late */
    mesh_run(&f->mesh, 100000);
    for (size_t i = 0; i < 4; i++) {
        assert_false(order[i]->is_closed);
        assert_null(f->node->p2p->peers->compact);
    }
}

/* A peer completes one block at a time; the next one is asked for whole meanwhile. */
TEST(a_second_block_does_not_end_the_first, struct fixture *f)
{
    static const uint32_t one[1] = {1};
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 33, &tip, txs);
    struct tx unknown[2] = {spend(f, tip, 10, 5000), spend(f, tip, 11, 5000)};
    const struct built_block *first = compact_built(f, tip, &unknown[0], 1);
    const struct built_block *second = compact_built(f, first, &unknown[1], 1);
    compact_send(raw, first);
    (void)asked(f, raw);
    compact_send(raw, second);
    assert_int_equal(asked_type(raw, second), INV_WITNESS_BLOCK);
    assert_int_equal(raw_count(raw, "getblocktxn"), 1);
    compact_send_txs(raw, first, one, 1);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, first));
    raw_send_block(raw, second);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, second));
}

TEST(a_second_block_that_is_whole_does_not_end_the_first, struct fixture *f)
{
    static const uint32_t one[1] = {1};
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 34, &tip, txs);
    struct tx unknown = spend(f, tip, 10, 5000);
    const struct built_block *first = compact_built(f, tip, &unknown, 1);
    const struct built_block *second = compact_built(f, first, txs, COMPACT_TXS);
    compact_send(raw, first);
    (void)asked(f, raw);
    compact_send(raw, second);
    mesh_run(&f->mesh, 100000);
    compact_send_txs(raw, first, one, 1);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, second));
}

TEST(a_peer_may_leave_while_it_owes_transactions, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct raw_peer *raw = start(f, 30, &tip, txs);
    struct tx unknown = spend(f, tip, 10, 5000);
    const struct built_block *block = compact_built(f, tip, &unknown, 1);
    compact_send(raw, block);
    (void)asked(f, raw);
    raw_free(raw);
    mesh_run(&f->mesh, 100000);
    struct raw_peer *other = compact_join(f);
    raw_send_headers(other, &block, 1);
    mesh_run(&f->mesh, 100000);
    raw_send_block(other, block);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_is_at(f->node, block));
}
