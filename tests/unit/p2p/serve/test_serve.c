/* test_serve.c - what peers ask for, and how much of it they get. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static struct raw_peer *start(struct fixture *f, uint64_t seed, size_t n,
                              const struct built_block **tip)
{
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    *tip = builder_blocks(&f->builder, f->builder.genesis, n, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, *tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    return raw;
}

TEST(blocks_are_sent_as_they_are_stored_or_without_witness, struct fixture *f)
{
    const struct built_block *base;
    struct raw_peer *raw = start(f, 53, 110, &base);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(base, 1));
    struct tx txs[2];
    txs[0] = builder_spend(&f->builder, &coin, 1, 1, 0, BUILDER_WSH_TRUE);
    coin = builder_coin_of(&txs[0], 0, BUILDER_WSH_TRUE);
    txs[1] = builder_spend(&f->builder, &coin, 1, 1, 0, BUILDER_TRUE);
    struct builder_spec spec = {.tx = txs, .n_tx = 2};
    const struct built_block *tip = builder_block(&f->builder, base, &spec);
    mesh_give(&f->mesh.nodes[0], tip);
    raw_send_inv(raw, "getdata", INV_WITNESS_BLOCK, tip->block.hash.b);
    struct span block = raw_expect(raw, "block");
    assert_true(span_equal(block, tip->block.raw));
    raw_send_inv(raw, "getdata", INV_BLOCK, tip->block.hash.b);
    block = raw_expect(raw, "block");
    assert_int_equal(block.len, tip->block.base_bytes);
    assert_true(block.len < tip->block.raw.len);
    raw_send_inv(raw, "getdata", INV_COMPACT_BLOCK, tip->block.hash.b);
    assert_true(span_equal(raw_expect(raw, "block"), tip->block.raw));
}

TEST(many_blocks_come_in_the_order_asked, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 54, 120, &tip);
    uint8_t bytes[1 + 36 * 100];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, 100);
    for (int32_t i = 0; i < 100; i++) {
        struct wire_inv inv = {.type = INV_WITNESS_BLOCK};
        memcpy(inv.hash, built_ancestor(tip, 120 - i)->block.hash.b, 32);
        wire_inv_encode(&w, &inv);
    }
    raw_send(raw, "getdata", bytes, w.len);
    raw_send(raw, "ping", "01234567", 8);
    for (int32_t i = 0; i < 100; i++) {
        struct span block = raw_expect(raw, "block");
        assert_true(span_equal(block, built_ancestor(tip, 120 - i)->block.raw));
    }
    (void)raw_expect(raw, "pong"); /* what follows a getdata is handled after it */
}

TEST(what_is_not_here_is_told, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 55, 3, &tip);
    uint8_t hash[32] = {9};
    static const uint32_t types[] = {INV_TX, INV_WTX, INV_WITNESS_TX, INV_BLOCK, INV_WITNESS_BLOCK};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        raw_send_inv(raw, "getdata", types[i], hash);
        struct span message = raw_expect(raw, "notfound");
        assert_int_equal(message.len, 37);
        assert_memory_equal(message.p + 5, hash, 32);
        assert_int_equal(message.p[1], types[i] & 0xff);
    }
}

/* Hazard 52: kinds that we do not know are passed over, and then nothing is left to do. */
TEST(unknown_kinds_are_passed_over, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 56, 3, &tip);
    uint8_t *bytes = xcalloc(1, 3 + 36 * 50000);
    struct writer w = writer_to_buffer(bytes, 3 + 36 * 50000);
    write_compact_size(&w, 50000);
    for (uint32_t i = 0; i < 50000; i++) {
        struct wire_inv inv = {.type = 99 + i};
        wire_inv_encode(&w, &inv);
    }
    raw_send(raw, "getdata", bytes, w.len);
    raw_send(raw, "ping", "01234567", 8);
    (void)raw_expect(raw, "pong");
    assert_int_equal(raw_count(raw, "notfound"), 0);
    bytes[0] = 253, bytes[1] = 0x51, bytes[2] = 0xc3; /* 50,001: too many */
    raw_send(raw, "getdata", bytes, w.len);
    mesh_run(&f->mesh, 3000000);
    assert_true(raw->is_closed);
    xfree(bytes);
}

/* BIP111: who wants filters from a node that does not offer them has to look elsewhere. */
TEST(who_asks_for_a_filtered_block_has_to_go, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 57, 3, &tip);
    raw_send_inv(raw, "getdata", INV_FILTERED_BLOCK, tip->block.hash.b);
    mesh_run(&f->mesh, 3000000);
    assert_true(raw->is_closed);
}

TEST(a_peer_may_leave_while_its_blocks_are_read, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 57, 50, &tip);
    for (int32_t i = 1; i <= 50; i++)
        raw_send_inv(raw, "getdata", INV_WITNESS_BLOCK, built_ancestor(tip, i)->block.hash.b);
    struct mesh_node *node = &f->mesh.nodes[0];
    sim_env_jobs(node->sim)->pool[ENV_POOL_BLOCKING].run_max_us = 2000000;
    mesh_run(&f->mesh, 21000);
    p2p_enter(node->p2p);
    peer_drop(node->p2p, node->p2p->peers, "by order of the user");
    p2p_leave(node->p2p);
    assert_int_equal(mesh_count_ready(node), 0);
    assert_true(node->p2p->serve.n_reads > 0); /* the disk has not answered yet */
    mesh_run(&f->mesh, 10000000);
    assert_int_equal(node->p2p->serve.n_reads, 0);
}

TEST(a_pruned_node_serves_the_last_288_and_says_so, struct fixture *f)
{
    mesh_init(&f->mesh, 58, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 400, NULL);
    struct chain_options options = {.prune = true, .max_tip_age_s = INT64_C(100) * 365 * 86400};
    struct mesh_node *a = mesh_add(&f->mesh, NULL, &options);
    mesh_give(a, tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct wire_version version;
    struct reader r = reader_of(span_of(raw->got[0].payload, raw->got[0].len));
    assert_true(wire_version_decode(&r, &version));
    assert_false(version.services & NODE_NETWORK);
    assert_true(version.services & NODE_NETWORK_LIMITED);
    raw_send_inv(raw, "getdata", INV_WITNESS_BLOCK, built_ancestor(tip, 110)->block.hash.b);
    (void)raw_expect(raw, "block");
    raw_send_inv(raw, "getdata", INV_WITNESS_BLOCK, built_ancestor(tip, 109)->block.hash.b);
    mesh_run(&f->mesh, 1000000);
    assert_true(raw->is_closed);
}

/* -maxuploadtarget: what is left of the day is kept for new blocks. */
TEST(old_blocks_are_kept_back_when_the_target_is_near, struct fixture *f)
{
    static const char *const trusted[] = {"download@10.0.0.0/8"};
    static const char *const lists[] = {NULL, trusted[0]};
    mesh_init(&f->mesh, 59, &f->builder, NULL);
    const struct built_block *young = builder_blocks(&f->builder, f->builder.genesis, 5, NULL);
    const struct builder_spec late = {.time = young->block.header.time + UPLOAD_HISTORICAL_S};
    const struct built_block *tip = builder_block(&f->builder, young, &late);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct p2p_options options = {.user_agent = "/test:1/",
                                      .listen = true,
                                      .upload_target_bytes = 1,
                                      .whitelist = &lists[i],
                                      .n_whitelist = i};
        struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
        mesh_give(a, tip);
        struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
        raw_send_inv(raw, "getdata", INV_WITNESS_BLOCK, young->block.hash.b);
        (void)raw_expect(raw, "block");
        raw_send_inv(raw, "getdata", INV_WITNESS_BLOCK, built_ancestor(tip, 4)->block.hash.b);
        if (i == 0) {
            mesh_run(&f->mesh, 1000000);
            assert_true(raw->is_closed);
        } else {
            (void)raw_expect(raw, "block");
        }
        struct p2p_info info;
        p2p_info(a->p2p, &info);
        assert_true(info.upload.is_reached);
        assert_false(info.upload.serves_historical);
        assert_int_equal(info.upload.target_bytes, 1);
        raw_free(raw);
    }
}

/* Ask for n blocks, the first one at height. */
static void ask_blocks(struct raw_peer *raw, const struct built_block *tip, int32_t height,
                       size_t n)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct wire_inv inv = {.type = INV_WITNESS_BLOCK};
        memcpy(inv.hash, built_ancestor(tip, height + (int32_t)i)->block.hash.b, 32);
        wire_inv_encode(&w, &inv);
    }
    raw_send(raw, "getdata", bytes.p, bytes.len);
    buffer_deinit(&bytes);
}

static bool nothing_is_read(void *arg)
{
    const struct p2p *p2p = arg;
    assert_true(p2p->serve.n_reads <= SERVE_READS_ALL_MAX);
    return p2p->serve.n_reads == 0 && p2p->serve.waiting.count == 0;
}

/* Six ask for ten blocks each: so many are read at a time. The first one finds nobody there and has
 * all of these; from then on nobody has his third before all have their first. */
TEST(few_blocks_are_read_at_a_time_and_peers_take_turns, struct fixture *f)
{
    enum { PEERS = SERVE_READS_ALL_MAX + 2, EACH = 10 };
    const struct built_block *tip;
    struct raw_peer *raw[PEERS];
    raw[0] = start(f, 58, 200, &tip);
    struct p2p *p2p = f->mesh.nodes[0].p2p;
    for (int i = 1; i < PEERS; i++)
        raw[i] = raw_join(&f->mesh, &f->mesh.nodes[0], SERVICES);
    for (int i = 0; i < PEERS; i++)
        ask_blocks(raw[i], tip, 10 * (i + 1), EACH);
    size_t most = 0;
    do {
        mesh_run(&f->mesh, 500);
        if (p2p->serve.n_reads > most)
            most = p2p->serve.n_reads;
        assert_true(p2p->serve.n_reads <= SERVE_READS_ALL_MAX);
    } while (raw_count(raw[PEERS - 1], "block") == 0);
    assert_int_equal(most, SERVE_READS_ALL_MAX);
    for (int i = 0; i < PEERS; i++)
        assert_in_range(raw_count(raw[i], "block"), 0, i == 0 ? SERVE_READS_ALL_MAX + 2 : 2);
    assert_true(mesh_run_until(&f->mesh, nothing_is_read, p2p, 10));
    mesh_run(&f->mesh, 500000);
    for (int i = 0; i < PEERS; i++) {
        assert_int_equal(raw_count(raw[i], "block"), EACH);
        raw_free(raw[i]);
    }
}

/* Who asks, goes and comes again has no more reads under way than who stays. */
TEST(leaving_makes_no_room_for_more_reads, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 59, 200, &tip), *others[SERVE_READS_ALL_MAX];
    struct p2p *p2p = f->mesh.nodes[0].p2p;
    for (int i = 0; i < SERVE_READS_ALL_MAX; i++) {
        others[i] = raw_join(&f->mesh, &f->mesh.nodes[0], SERVICES);
    }
    for (int i = 0; i < SERVE_READS_ALL_MAX; i++)
        ask_blocks(others[i], tip, 50, 10);
    ask_blocks(raw, tip, 60, 3);
    while (p2p->serve.waiting.count == 0)
        mesh_run(&f->mesh, 100);
    assert_int_equal(p2p->serve.n_reads, SERVE_READS_ALL_MAX);
    size_t pending = p2p_pending(p2p);
    p2p_enter(p2p);
    while (p2p->peers->next) /* all but raw, whose place is in the middle of the queue or so */
        peer_drop(p2p, p2p->peers->next, "");
    p2p_leave(p2p);
    assert_int_equal(p2p->serve.n_reads, SERVE_READS_ALL_MAX);
    assert_int_equal(p2p_pending(p2p), pending);
    assert_true(mesh_run_until(&f->mesh, nothing_is_read, p2p, 10));
    mesh_run(&f->mesh, 500000);
    assert_int_equal(raw_count(raw, "block"), 3);
}

/* Everybody asks for the newest blocks: the disk is not asked for those. */
TEST(the_newest_blocks_are_not_read, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 60, 20, &tip);
    struct p2p *p2p = f->mesh.nodes[0].p2p;
    assert_false(chain_is_initial_download(p2p->chain));
    for (int32_t back = 0; back <= SERVE_RECENT_MAX; back++) {
        ask_blocks(raw, tip, tip->height - back, 1);
        size_t reads = 0;
        for (int i = 0; i < 400; i++) {
            mesh_run(&f->mesh, 100);
            reads += p2p->serve.n_reads;
        }
        struct span block = raw_expect(raw, "block");
        assert_memory_equal(block.p, built_ancestor(tip, tip->height - back)->block.raw.p,
                            block.len);
        assert_int_equal(reads > 0, back == SERVE_RECENT_MAX);
    }
}

/* n blocks of half a megabyte on base; SERVE_RECENT_MAX small ones on top. Returns the last of all.
 */
static const struct built_block *large_blocks(struct fixture *f, const struct built_block *base,
                                              int32_t n)
{
    const struct built_block *last = base;
    for (int32_t i = 1; i <= n; i++) {
        struct builder_coin coin = builder_coinbase_coin(built_ancestor(base, i));
        struct tx tx = builder_spend(&f->builder, &coin, 1, 8000, 0, BUILDER_LONG);
        struct builder_spec spec = {.tx = &tx, .n_tx = 1};
        last = builder_block(&f->builder, last, &spec);
    }
    return builder_blocks(&f->builder, last, SERVE_RECENT_MAX, NULL);
}

/* Two who read nothing hold all that may be held; two more wait, one of whom reads. */
TEST(who_takes_nothing_gives_way_to_those_who_wait, struct fixture *f)
{
    mesh_init(&f->mesh, 61, &f->builder, NULL);
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 110, NULL);
    const struct built_block *tip = large_blocks(f, base, 4);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    struct p2p *p2p = a->p2p;
    size_t len = built_ancestor(tip, base->height + 1)->block.raw.len;
    assert_int_equal(p2p->serve.held_max, SERVE_HELD_MAX);
    p2p->serve.held_max = len + 1; /* one is room for another */
    struct raw_peer *raw[4];
    for (int i = 0; i < 4; i++) {
        raw[i] = raw_join(&f->mesh, a, SERVICES);
        if (i < 3)
            env_stream_pause(raw[i]->env, raw[i]->stream, true);
        ask_blocks(raw[i], tip, base->height + 1 + i, 1);
        mesh_run(&f->mesh, 200000);
    }
    assert_in_range(serve_held_bytes(p2p), len + 1, 2 * len);
    assert_int_equal(p2p->serve.waiting.count, 2);
    /* What is on its way counts as taken, so it is the second time of which they take nothing. */
    mesh_run(&f->mesh, 2 * LENT_SLOW_US - 3000000);
    assert_int_equal(mesh_count_ready(a), 4);
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(mesh_count_ready(a), 2);
    assert_int_equal(raw_count(raw[3], "block"), 1);
    assert_int_equal(p2p->serve.waiting.count, 0);
    /* The third reads nothing either, but nobody waits for it. */
    mesh_run(&f->mesh, 5 * LENT_SLOW_US);
    assert_int_equal(mesh_count_ready(a), 2);
    assert_in_range(serve_held_bytes(p2p), 1, len);
}

/* Who is told of no transactions gets no word about them. */
TEST(who_wants_no_transactions_gets_no_answer_about_them, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 59, 1, &tip);
    static const uint8_t hash[32] = {1};
    raw_send_inv(raw, "getdata", INV_WTX, hash);
    (void)raw_expect(raw, "notfound");
    f->mesh.nodes[0].p2p->peers->relay.tells_txs = false; /* as of a peer that said so */
    raw_send_inv(raw, "getdata", INV_WTX, hash);
    assert_null(raw_find(raw, "notfound", 1000000).p);
}
