/* test_compact_tell.c - new blocks told by short ids, and what peers then ask for. */
#include "support/compact_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* One that has our tip and wants to be told of the next block by short ids. */
static struct raw_peer *join_wanting(struct fixture *f, const struct built_block *tip)
{
    struct raw_peer *raw = compact_join(f);
    compact_send_mode(raw, true, COMPACT_VERSION);
    raw_send_headers(raw, &tip, 1);
    mesh_run(&f->mesh, 100000);
    return raw;
}

static struct compact_block told(struct fixture *f, struct raw_peer *raw)
{
    struct compact_block block;
    struct reader r = reader_of(raw_expect(raw, "cmpctblock"));
    assert_true(compact_block_decode(&r, &f->builder.arena, &block));
    assert_true(reader_finish(&r));
    return block;
}

TEST(who_wants_it_is_told_by_short_ids, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 41, NULL, &tip, txs);
    struct raw_peer *raw = join_wanting(f, tip), *low = compact_join(f);
    raw_send_headers(low, &tip, 1);
    raw_send(raw, "sendheaders", NULL, 0);
    raw_send(low, "sendheaders", NULL, 0);
    mesh_run(&f->mesh, 100000);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS);
    mesh_give(f->node, block);
    struct compact_block got = told(f, raw);
    assert_memory_equal(got.hash.b, block->block.hash.b, 32);
    assert_int_equal(got.n_short, COMPACT_TXS);
    assert_int_equal(got.n_prefilled, 1);
    (void)raw_expect(low, "headers");
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw_count(raw, "headers") + raw_count(raw, "inv"), 0);
    assert_int_equal(raw_count(raw, "cmpctblock"), 1);
    assert_int_equal(raw_count(low, "cmpctblock"), 0);
}

/* What is in no mempool here will be in none elsewhere. BIP-152, Implementation Notes */
TEST(what_we_missed_is_told_whole, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS + 1];
    (void)compact_node(f, 42, NULL, &tip, txs);
    struct raw_peer *raw = join_wanting(f, tip);
    txs[COMPACT_TXS] = txs[0];
    txs[0] = spend(f, tip, 10, 5000);
    mesh_give(f->node, compact_built(f, tip, txs, COMPACT_TXS + 1));
    struct compact_block got = told(f, raw);
    assert_int_equal(got.n_prefilled, 2);
    assert_int_equal(got.prefilled[1].index, 1);
    assert_memory_equal(got.prefilled[1].tx.wtxid.b, txs[0].wtxid.b, 32);
}

/* Up to a limit: transactions of about 85 bytes. */
TEST(no_more_than_10_kB_are_told_whole, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS], *many;
    (void)compact_node(f, 43, NULL, &tip, txs);
    struct raw_peer *raw = join_wanting(f, tip);
    enum { N = 200 };
    many = arena_calloc(&f->builder.arena, N, sizeof *many);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(tip, 10));
    for (int i = 0; i < N; i++) {
        many[i] = builder_spend(&f->builder, &coin, 1, 1, 0, BUILDER_WSH_TRUE);
        coin = builder_coin_of(&many[i], 0, BUILDER_WSH_TRUE);
    }
    mesh_give(f->node, compact_built(f, tip, many, N));
    struct compact_block got = told(f, raw);
    size_t bytes = 0;
    for (uint32_t i = 1; i < got.n_prefilled; i++)
        bytes += got.prefilled[i].tx.raw.len;
    assert_true(bytes <= COMPACT_PREFILL_BYTES_MAX);
    assert_true(bytes + many[N - 1].raw.len > COMPACT_PREFILL_BYTES_MAX);
}

TEST(what_had_to_be_asked_for_is_passed_on_whole, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS + 1];
    (void)compact_node(f, 44, NULL, &tip, txs);
    struct raw_peer *from = compact_join(f);
    tip = compact_be_first(f, from, tip);
    struct raw_peer *to = join_wanting(f, tip);
    txs[COMPACT_TXS] = spend(f, tip, 10, 5000);
    const struct built_block *block = compact_built(f, tip, txs, COMPACT_TXS + 1);
    compact_send(from, block);
    (void)raw_expect(from, "getblocktxn");
    assert_int_equal(raw_count(to, "cmpctblock"), 0);
    static const uint32_t last[1] = {COMPACT_TXS + 1};
    compact_send_txs(from, block, last, 1);
    struct compact_block got = told(f, to);
    assert_int_equal(got.n_prefilled, 2);
    assert_int_equal(got.prefilled[1].index, COMPACT_TXS + 1);
    assert_int_equal(raw_count(from, "cmpctblock"), 0); /* it knows */
}

/* Before it is known to be valid; then it turns out not to be, and is denied. */
TEST(it_is_told_before_it_is_verified_and_then_not_served, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct mesh_node *node = compact_node(f, 45, NULL, &tip, txs);
    struct raw_peer *from = compact_join(f);
    tip = compact_be_first(f, from, tip);
    struct raw_peer *to = join_wanting(f, tip);
    struct builder_spec spec = {.tx = txs, .n_tx = COMPACT_TXS, .extra_sat = COIN_SAT};
    const struct built_block *block = builder_block(&f->builder, tip, &spec);
    compact_send(from, block);
    struct compact_block got = told(f, to);
    assert_memory_equal(got.hash.b, block->block.hash.b, 32);
    raw_send_inv(to, "getdata", INV_WITNESS_BLOCK, block->block.hash.b);
    (void)raw_expect(to, "notfound");
    assert_true(mesh_is_at(node, tip));
    /* Its transactions are no secret. */
    struct compact_request request = {
        .hash = block->block.hash, .n = 1, .indexes = (uint32_t[1]){2}};
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    compact_request_encode(&w, &request);
    raw_send(to, "getblocktxn", bytes.p, bytes.len);
    struct span txn = raw_expect(to, "blocktxn");
    assert_int_equal(txn.len, 33 + txs[1].raw.len);
    assert_memory_equal(txn.p + 33, txs[1].raw.p, txs[1].raw.len);
    buffer_deinit(&bytes);
}

static void ask_headers_after(struct raw_peer *raw, const uint8_t hash[32])
{
    uint8_t bytes[4 + 1 + 32 + 32] = {0};
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, WIRE_PROTOCOL_VERSION);
    write_compact_size(&w, 1);
    write_bytes(&w, hash, 32);
    raw_send(raw, "getheaders", bytes, sizeof bytes);
}

/* Who lacks its parent asks for headers: without that of the block that it was just told of it
 * would ask no more, and stay behind until the next one. */
TEST(who_was_told_of_it_has_its_header_while_it_is_verified, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 46, NULL, &tip, txs);
    struct raw_peer *from = compact_join(f);
    tip = compact_be_first(f, from, tip);
    struct raw_peer *to = join_wanting(f, tip), *other = compact_join(f);
    struct builder_spec spec = {.tx = txs, .n_tx = COMPACT_TXS};
    const struct built_block *block = builder_block(&f->builder, tip, &spec);
    compact_send(from, block);
    ask_headers_after(to, tip->block.hash.b);
    ask_headers_after(other, tip->block.hash.b);
    struct span headers = raw_expect(to, "headers");
    assert_int_equal(headers.len, 1 + 81);
    assert_memory_equal(headers.p + 1 + 4, tip->block.hash.b, 32); /* what it builds on */
    assert_int_equal(raw_expect(other, "headers").len, 1); /* told of nothing, and not later */
    assert_int_equal(raw_count(to, "cmpctblock"), 1);
}

/* clang-format off */
static const struct { int32_t depth; const char *answer; } block_depths[] = {
    {0, "cmpctblock"}, {1, "cmpctblock"},
    {COMPACT_TELL_BLOCK_DEPTH_MAX, "cmpctblock"}, {COMPACT_TELL_BLOCK_DEPTH_MAX + 1, "block"},
}, txs_depths[] = {
    {0, "blocktxn"}, {SERVE_RECENT_MAX, "blocktxn"},
    {COMPACT_TELL_TXS_DEPTH_MAX, "blocktxn"}, {COMPACT_TELL_TXS_DEPTH_MAX + 1, "block"},
};
/* clang-format on */

TEST(deep_blocks_are_sent_whole, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 46, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    for (size_t i = 0; i < COUNT_OF(block_depths); i++) {
        const struct built_block *block = built_ancestor(tip, tip->height - block_depths[i].depth);
        raw_send_inv(raw, "getdata", INV_COMPACT_BLOCK, block->block.hash.b);
        assert_memory_equal(raw_expect(raw, block_depths[i].answer).p, block->block.raw.p, 80);
    }
    sim_env_set_unix_s(f->node->sim,
                       tip->block.header.time + BLOCK_FETCH_CURRENT * 600); /* all is old */
    raw_send_inv(raw, "getdata", INV_COMPACT_BLOCK, tip->block.hash.b);
    assert_true(span_equal(raw_expect(raw, "block"), tip->block.raw));
}

static void ask_txs(struct raw_peer *raw, const struct block_hash *hash, uint32_t index)
{
    uint8_t bytes[64];
    struct compact_request request = {.hash = *hash, .n = 1, .indexes = &index};
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    compact_request_encode(&w, &request);
    raw_send(raw, "getblocktxn", bytes, w.len);
}

static void note_getblocktxn(void *ctx, enum log_level level, enum log_category category,
                             const char *line)
{
    (void)level, (void)category;
    if (strstr(line, "sent us a getblocktxn"))
        snprintf(ctx, 100, "%s", line);
}

TEST(transactions_of_deep_blocks_are_sent_with_the_block, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 47, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    for (size_t i = 0; i < COUNT_OF(txs_depths); i++) {
        const struct built_block *block = built_ancestor(tip, tip->height - txs_depths[i].depth);
        ask_txs(raw, &block->block.hash, 0);
        struct span answer = raw_expect(raw, txs_depths[i].answer);
        bool is_whole = strcmp(txs_depths[i].answer, "block") == 0;
        assert_memory_equal(answer.p, is_whole ? block->block.raw.p : block->block.hash.b, 32);
    }
    char line[100] = "";
    const struct log log = {1u << LOG_NET, note_getblocktxn, line}, *own = f->node->p2p->log;
    f->node->p2p->log = &log;
    struct block_hash unknown = {{7}};
    ask_txs(raw, &unknown, 0);
    raw_send(raw, "ping", "01234567", 8);
    (void)raw_expect(raw, "pong"); /* no answer to that, and no harm */
    assert_string_equal(line, "Peer 0 sent us a getblocktxn for a block we don't have");
    f->node->p2p->log = own;
}

/* clang-format off */
static const int32_t bad_depths[] = {0, SERVE_RECENT_MAX + 1}; /* at hand, read */
/* clang-format on */

TEST(who_asks_for_what_a_block_has_not_has_to_go, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 48, NULL, &tip, txs);
    for (size_t i = 0; i < COUNT_OF(bad_depths); i++) {
        const struct built_block *block = built_ancestor(tip, tip->height - bad_depths[i]);
        struct raw_peer *raw = compact_join(f);
        ask_txs(raw, &block->block.hash, block->block.n_tx);
        mesh_run(&f->mesh, 1000000);
        assert_true(raw->is_closed);
    }
    const struct built_block *block = builder_block(&f->builder, tip, NULL);
    mesh_give(f->node, block); /* now one that was told */
    struct raw_peer *raw = compact_join(f);
    ask_txs(raw, &block->block.hash, block->block.n_tx);
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
}

/* What is made for one peer alone counts as held by it until it has taken it. */
TEST(answers_count_as_held_by_who_asked, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 50, NULL, &tip, txs);
    const struct built_block *block = builder_block(&f->builder, tip, NULL);
    mesh_give(f->node, block); /* told; those below at hand or read */
    struct raw_peer *raw = compact_join(f);
    struct peer *peer = f->node->p2p->peers;
    for (int32_t depth = 0; depth <= COMPACT_TELL_TXS_DEPTH_MAX; depth++) {
        const struct built_block *asked = built_ancestor(block, block->height - depth);
        peer->serve.lent.bytes = 0;
        ask_txs(raw, &asked->block.hash, 0);
        struct span answer = raw_expect(raw, "blocktxn");
        assert_int_equal(peer->serve.lent.bytes, answer.len);
        if (depth == 0 || depth > COMPACT_TELL_BLOCK_DEPTH_MAX)
            continue; /* the one that was told is sent as it was */
        raw_send_inv(raw, "getdata", INV_COMPACT_BLOCK, asked->block.hash.b);
        answer = raw_expect(raw, "cmpctblock");
        assert_int_equal(peer->serve.lent.bytes, answer.len);
    }
}

/* A second block of the same height is not told: whoever finds two would have us send twice. */
TEST(one_block_of_each_height_is_told_early, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 49, NULL, &tip, txs);
    struct raw_peer *from = compact_join(f);
    tip = compact_be_first(f, from, tip);
    struct raw_peer *to = join_wanting(f, tip);
    for (int64_t extra_sat = 1; extra_sat <= 2; extra_sat++) {
        struct builder_spec spec = {.extra_sat = extra_sat};
        compact_send(from, builder_block(&f->builder, tip, &spec));
        mesh_run(&f->mesh, 200000);
    }
    assert_int_equal(raw_count(to, "cmpctblock"), 1);
}
