/* test_filters.c - BIP157 as a light client sees it: ranges, links, limits, refusals. */
#include "p2p/serve/filters.h"

#include "chain/ask/block_filter.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static const struct p2p_options on = {.peer_block_filters = true};
static const struct chain_options indexed = {.filter_index = true};

static const struct built_block *start(struct fixture *f, uint64_t seed, size_t n)
{
    (void)fixture_node(f, seed, &on, &indexed);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, n, NULL);
    mesh_give(f->node, tip);
    return tip;
}

static void ask(struct raw_peer *raw, const char *name, uint8_t type, int64_t first,
                const struct block_hash *stop)
{
    uint8_t bytes[37];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u8(&w, type);
    if (first >= 0)
        write_u32(&w, (uint32_t)first);
    write_bytes(&w, stop->b, 32);
    raw_send(raw, name, bytes, w.len);
}

/* The hash of a filter that came. */
static void hash_of(struct span cfilter, const struct block_hash *block, uint8_t hash[32])
{
    struct reader r = reader_of(cfilter);
    assert_int_equal(read_u8(&r), BLOCK_FILTER_BASIC);
    assert_memory_equal(read_span(&r, 32).p, block->b, 32);
    struct span filter = read_var_span(&r);
    assert_true(reader_finish(&r));
    block_filter_hash(filter, hash);
}

static struct reader headers_reply(struct raw_peer *raw, const struct block_hash *stop,
                                   uint8_t prev[32], uint64_t *n)
{
    struct reader r = reader_of(raw_expect(raw, "cfheaders"));
    assert_int_equal(read_u8(&r), BLOCK_FILTER_BASIC);
    assert_memory_equal(read_span(&r, 32).p, stop->b, 32);
    read_bytes(&r, prev, 32);
    *n = read_compact_size(&r);
    assert_int_equal(reader_left(&r), *n * 32);
    return r;
}

/* From the first block to the tip, in two requests that must link up; then the checkpoints are
 * headers of that chain. Hashes are those of the filters themselves. */
TEST(filters_hashes_headers_and_checkpoints_agree, struct fixture *f)
{
    enum { N = 1503, HALF = 700 };
    const struct built_block *tip = start(f, 71, N), *half = built_ancestor(tip, HALF);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
    uint8_t header[32] = {0}, prev[32], hash[32], at_1000[32];
    uint64_t n;
    ask(raw, "getcfheaders", 0, 0, &half->block.hash);
    struct reader r = headers_reply(raw, &half->block.hash, prev, &n);
    assert_int_equal(n, HALF + 1);
    assert_memory_equal(prev, header, 32); /* zeros before the first */
    for (uint64_t i = 0; i < n; i++)
        block_filter_header(read_span(&r, 32).p, header, header);
    ask(raw, "getcfheaders", 0, HALF + 1, &tip->block.hash);
    r = headers_reply(raw, &tip->block.hash, prev, &n);
    assert_int_equal(n, N - HALF);
    assert_memory_equal(prev, header, 32);
    ask(raw, "getcfilters", 0, HALF + 1, &tip->block.hash);
    for (int32_t at = HALF + 1; at <= N; at++) {
        hash_of(raw_expect(raw, "cfilter"), &built_ancestor(tip, at)->block.hash, hash);
        assert_memory_equal(read_span(&r, 32).p, hash, 32);
        block_filter_header(hash, header, header);
        if (at == 1000)
            memcpy(at_1000, header, 32);
    }
    assert_int_equal(raw_count(raw, "cfilter"), N - HALF);
    ask(raw, "getcfcheckpt", 0, -1, &tip->block.hash);
    r = reader_of(raw_expect(raw, "cfcheckpt"));
    assert_int_equal(read_u8(&r), BLOCK_FILTER_BASIC);
    assert_memory_equal(read_span(&r, 32).p, tip->block.hash.b, 32);
    assert_int_equal(read_compact_size(&r), 1);
    assert_memory_equal(read_span(&r, 32).p, at_1000, 32);
    assert_true(reader_finish(&r));
    ask(raw, "getcfcheckpt", 0, -1, &half->block.hash);
    r = reader_of(raw_expect(raw, "cfcheckpt"));
    assert_int_equal(reader_left(&r), 1 + 32 + 1); /* none: too low */
    assert_int_equal(f->node->p2p->filters.n_reads, 0);
}

/* Both sides of each limit. */
TEST(who_asks_for_what_there_is_not_is_let_go, struct fixture *f)
{
    const struct built_block *tip = start(f, 72, 2005);
    struct block_hash unknown = {{1}};
    const struct {
        const char *name, *answer; /* NULL: it is let go */
        uint8_t type;
        int64_t first;
        const struct block_hash *stop;
    } rows[] = {
        {"getcfilters", "cfilter", 0, 2005 - FILTERS_MAX + 1, &tip->block.hash},
        {"getcfilters", NULL, 0, 2005 - FILTERS_MAX, &tip->block.hash},
        {"getcfheaders", "cfheaders", 0, 2005 - FILTER_HEADERS_MAX + 1, &tip->block.hash},
        {"getcfheaders", NULL, 0, 2005 - FILTER_HEADERS_MAX, &tip->block.hash},
        {"getcfheaders", "cfheaders", 0, 2005, &tip->block.hash},
        {"getcfheaders", NULL, 0, 2006, &tip->block.hash},
        {"getcfilters", NULL, 0, UINT32_MAX, &tip->block.hash},
        {"getcfilters", NULL, 1, 2005, &tip->block.hash},
        {"getcfheaders", NULL, 255, 2005, &tip->block.hash},
        {"getcfcheckpt", NULL, 1, -1, &tip->block.hash},
        {"getcfilters", NULL, 0, 0, &unknown},
        {"getcfheaders", NULL, 0, 0, &unknown},
        {"getcfcheckpt", NULL, 0, -1, &unknown},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
        ask(raw, rows[i].name, rows[i].type, rows[i].first, rows[i].stop);
        if (rows[i].answer)
            (void)raw_expect(raw, rows[i].answer);
        mesh_run(&f->mesh, 3000000);
        assert_int_equal(raw->is_closed, rows[i].answer == NULL);
        raw_free(raw);
    }
}

TEST(without_the_option_each_request_ends_the_connection, struct fixture *f)
{
    (void)fixture_node(f, 73, NULL, &indexed);
    static const char *const names[] = {"getcfilters", "getcfheaders", "getcfcheckpt"};
    assert_int_equal(p2p_local_services(f->node->p2p) & NODE_COMPACT_FILTERS, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
        ask(raw, names[i], 0, i < 2 ? 0 : -1, &f->builder.genesis->block.hash);
        mesh_run(&f->mesh, 1000000);
        assert_true(raw->is_closed);
    }
}

/* Without an index nobody is answered, and nobody is blamed. */
TEST(an_index_that_cannot_answer_answers_nothing, struct fixture *f)
{
    (void)fixture_node(f, 74, &on, NULL);
    assert_int_not_equal(p2p_local_services(f->node->p2p) & NODE_COMPACT_FILTERS, 0);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
    ask(raw, "getcfilters", 0, 0, &f->builder.genesis->block.hash);
    raw_send(raw, "ping", "12345678", 8);
    (void)raw_expect(raw, "pong");
    assert_int_equal(raw_count(raw, "cfilter"), 0);
    assert_false(raw->is_closed);
}

/* What is asked meanwhile waits; who goes meanwhile leaves nothing behind. */
TEST(one_request_at_a_time_and_peers_may_go, struct fixture *f)
{
    const struct built_block *tip = start(f, 75, 900);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
    ask(raw, "getcfilters", 0, 0, &tip->block.hash);
    ask(raw, "getcfcheckpt", 0, -1, &tip->block.hash);
    (void)raw_expect(raw, "cfcheckpt");
    assert_int_equal(raw_count(raw, "cfilter"), 901); /* all of them came before it */
    for (int i = 0; i < FILTERS_READS_MAX + 2; i++) {
        struct raw_peer *other = raw_join(&f->mesh, f->node, SERVICES);
        ask(other, "getcfilters", 0, 0, &tip->block.hash);
        if (i % 2 == 0)
            raw_free(other);
    }
    for (int i = 0; i < 200; i++) {
        assert_true(f->node->p2p->filters.n_reads <= FILTERS_READS_MAX);
        mesh_run(&f->mesh, 1000);
    }
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(f->node->p2p->filters.n_reads, 0);
}
