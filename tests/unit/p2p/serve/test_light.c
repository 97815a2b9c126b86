/* test_light.c - light clients: what their filters let through, filtered blocks, and refusals. */
#include "p2p/serve/light.h"

#include "consensus/merkle_proof.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static const struct p2p_options on = {.peer_bloom_filters = true};

static void load_filter(struct raw_peer *raw, size_t len, uint32_t n_functions, uint8_t fill)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_compact_size(&w, len);
    for (size_t i = 0; i < len; i++)
        write_u8(&w, fill);
    write_u32(&w, n_functions);
    write_u32(&w, 0);
    write_u8(&w, 0);
    raw_send(raw, "filterload", bytes.p, bytes.len);
    buffer_deinit(&bytes);
    mesh_run(raw->mesh, 200000);
}

static void add_element(struct raw_peer *raw, struct span element)
{
    uint8_t bytes[600];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, element.len);
    write_span(&w, element);
    raw_send(raw, "filteradd", bytes, w.len);
    mesh_run(raw->mesh, 200000);
}

TEST(without_the_option_each_message_ends_the_connection, struct fixture *f)
{
    (void)fixture_node(f, 61, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
        if (i == 0)
            load_filter(raw, 8, 2, 0);
        else if (i == 1)
            add_element(raw, span_of("abc", 3));
        else
            raw_send(raw, "filterclear", NULL, 0);
        mesh_run(&f->mesh, 200000);
        assert_true(raw->is_closed);
    }
    assert_int_equal(p2p_local_services(f->node->p2p) & NODE_BLOOM, 0);
}

TEST(limits_hold_on_both_sides, struct fixture *f)
{
    (void)fixture_node(f, 62, &on, NULL);
    assert_int_not_equal(p2p_local_services(f->node->p2p) & NODE_BLOOM, 0);
    static const uint8_t element[BLOOM_ELEMENT_MAX + 1];
    static const struct {
        size_t len, element;
        uint32_t n_functions;
        bool is_closed;
    } rows[] = {{BLOOM_BYTES_MAX, 0, BLOOM_FUNCTIONS_MAX, false},
                {BLOOM_BYTES_MAX + 1, 0, 1, true},
                {8, 0, BLOOM_FUNCTIONS_MAX + 1, true},
                {8, BLOOM_ELEMENT_MAX, 1, false},
                {8, BLOOM_ELEMENT_MAX + 1, 1, true},
                {0, 0, 0, false},
                {SIZE_MAX, 3, 0, true}}; /* an element without a filter */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
        if (rows[i].len != SIZE_MAX)
            load_filter(raw, rows[i].len, rows[i].n_functions, 0);
        if (rows[i].element > 0)
            add_element(raw, span_of(element, rows[i].element));
        assert_int_equal(raw->is_closed, rows[i].is_closed);
        raw_free(raw);
        recent_set_clear(&f->node->p2p->discouraged);
    }
}

/* Who said that he wants no transactions asks for them by a filter: then he needs a place. */
TEST(a_filter_needs_a_place_among_those_who_relay, struct fixture *f)
{
    for (int percent = 0; percent <= 100; percent += 100) {
        struct p2p_options options = {.peer_bloom_filters = true,
                                      .max_connections = 20,
                                      .connect_only = true,
                                      .inbound_reserved_percent = percent};
        if (percent == 0)
            (void)fixture_node(f, 65, &options, NULL);
        else
            f->node = mesh_add(&f->mesh, &options, NULL);
        struct raw_peer *raw = raw_connect(&f->mesh, f->node);
        uint8_t bytes[WIRE_VERSION_BYTES_MAX];
        struct wire_version ours = {
            .version = WIRE_PROTOCOL_VERSION, .nonce = 5, .user_agent = "/raw:1/"};
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        wire_version_encode(&w, &ours);
        raw_send(raw, "version", bytes, w.len);
        raw_send(raw, "verack", NULL, 0);
        (void)raw_expect(raw, "verack");
        load_filter(raw, 8, 2, 0);
        assert_int_equal(raw->is_closed, percent == 100);
    }
}

TEST(a_filtered_block_proves_what_matches_and_brings_it, struct fixture *f)
{
    const struct built_block *base;
    struct mesh_node *node = rich_node(f, 63, &on, &base);
    struct tx txs[2] = {spend(f, base, 1, 1000), spend(f, base, 2, 1000)};
    struct builder_spec spec = {.tx = txs, .n_tx = 2};
    const struct built_block *block = builder_block(&f->builder, base, &spec);
    mesh_give(node, block);
    struct raw_peer *raw = raw_join(&f->mesh, node, SERVICES);
    /* Without a filter it is not answered. BIP-37, Extensions to existing messages */
    raw_send_inv(raw, "getdata", INV_FILTERED_BLOCK, block->block.hash.b);
    assert_null(raw_find(raw, "merkleblock", 1000000).p);
    load_filter(raw, 1000, 10, 0);
    add_element(raw, span_of(txs[1].txid.b, 32));
    raw_send_inv(raw, "getdata", INV_FILTERED_BLOCK, block->block.hash.b);
    struct span proof = raw_expect(raw, "merkleblock");
    struct arena arena;
    struct merkle_proof read;
    arena_init(&arena, 1000);
    assert_true(merkle_proof_read(proof, &arena, &read));
    assert_true(read.is_whole);
    assert_int_equal(read.n_tx, 3);
    assert_int_equal(read.n_ids, 1);
    assert_memory_equal(read.ids[0].b, txs[1].txid.b, 32);
    arena_deinit(&arena);
    struct span tx = raw_expect(raw, "tx");
    assert_int_equal(tx.len, txs[1].base_bytes); /* without witness */
    assert_int_equal(raw_count(raw, "tx"), 1);
    assert_int_equal(node->p2p->peers->serve.lent.bytes, tx.len);
    /* One that is no newest block is read from the disk. */
    raw_send_inv(raw, "getdata", INV_FILTERED_BLOCK, built_ancestor(base, 7)->block.hash.b);
    (void)raw_expect(raw, "merkleblock");
    assert_int_equal(raw_count(raw, "tx"), 1);
}

/* What one block puts into the filter holds for the next one, though they are asked for at once. */
TEST(a_match_in_one_block_is_looked_for_in_the_next, struct fixture *f)
{
    const struct built_block *base;
    struct mesh_node *node = rich_node(f, 65, &on, &base);
    struct tx first = spend(f, base, 1, 1000);
    struct builder_coin coin = builder_coin_of(&first, 0, BUILDER_WSH_TRUE);
    struct tx second = builder_spend(&f->builder, &coin, 1, 1, 1000, BUILDER_LONG);
    struct builder_spec specs[2] = {{.tx = &first, .n_tx = 1}, {.tx = &second, .n_tx = 1}};
    const struct built_block *block = builder_block(&f->builder, base, &specs[0]);
    const struct built_block *next = builder_block(&f->builder, block, &specs[1]);
    mesh_give(node, next);
    struct raw_peer *raw = raw_join(&f->mesh, node, SERVICES);
    load_filter(raw, 1000, 10, 0);
    node->p2p->peers->light.filter->flags = BLOOM_UPDATE_ALL;
    add_element(raw, span_of(first.out[0].script_pubkey.p + 2, 32)); /* what it pays to */
    uint8_t items[1 + 2 * WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(items, sizeof items);
    write_compact_size(&w, 2);
    for (int i = 0; i < 2; i++) {
        struct wire_inv inv = {.type = INV_FILTERED_BLOCK};
        memcpy(inv.hash, (i ? next : block)->block.hash.b, 32);
        wire_inv_encode(&w, &inv);
    }
    raw_send(raw, "getdata", items, sizeof items);
    for (int i = 0; i < 2; i++) {
        (void)raw_expect(raw, "merkleblock");
        assert_int_equal(raw_expect(raw, "tx").len, (i ? second : first).base_bytes);
    }
}

TEST(a_peer_may_leave_while_its_block_is_filtered, struct fixture *f)
{
    const struct built_block *base;
    struct mesh_node *node = rich_node(f, 66, &on, &base);
    struct p2p *p2p = node->p2p;
    sim_env_jobs(node->sim)->pool[ENV_POOL_COMPUTE].run_max_us = 10000000;
    struct raw_peer *raw = raw_join(&f->mesh, node, SERVICES);
    load_filter(raw, 1000, 10, 0xff);
    raw_send_inv(raw, "getdata", INV_FILTERED_BLOCK, base->block.hash.b);
    raw_send(raw, "filterclear", NULL, 0); /* is not handled before the block is sent */
    mesh_run(&f->mesh, 100000);
    assert_int_equal(p2p->n_operations, 1);
    assert_non_null(p2p->peers->light.filter);
    raw_free(raw);
    mesh_run(&f->mesh, 20000000);
    assert_int_equal(p2p->n_operations, 0);
    assert_int_equal(mesh_count_ready(node), 0);
}

/* Only what matches is told, then all again; the mempool too. */
TEST(transactions_are_told_as_the_filter_says, struct fixture *f)
{
    const struct built_block *base;
    struct mesh_node *node = rich_node(f, 64, &on, &base);
    struct raw_peer *raw = raw_join(&f->mesh, node, SERVICES);
    struct tx first = spend(f, base, 1, 1000), second = spend(f, base, 2, 1000);
    load_filter(raw, 1000, 10, 0);
    add_element(raw, span_of(second.txid.b, 32));
    give_tx(node, &first);
    give_tx(node, &second);
    struct span inv = raw_find(raw, "inv", 60000000);
    assert_non_null(inv.p);
    assert_int_equal(inv.len, 1 + WIRE_INV_BYTES);
    assert_memory_equal(inv.p + 5, second.wtxid.b, 32);
    assert_null(raw_find(raw, "inv", 60000000).p);
    raw_send(raw, "mempool", NULL, 0);
    inv = raw_find(raw, "inv", 60000000);
    assert_int_equal(inv.len, 1 + WIRE_INV_BYTES);
    raw_send(raw, "filterclear", NULL, 0);
    raw_send(raw, "mempool", NULL, 0);
    inv = raw_find(raw, "inv", 60000000);
    assert_int_equal(inv.len, 1 + 2 * WIRE_INV_BYTES);
}
