/* test_block_fetch.c - blocks from many peers: stalls, slow ones, lies, and what nobody asked for.
 */
#include "p2p/blocks/block_late.h"
#include "p2p/state.h"
#include "support/build.h"
#include "support/frame_header.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* Blocks that are worth downloading: each has transactions that pay to long scripts. */
static const struct built_block *big_blocks(struct fixture *f, const struct built_block *from,
                                            size_t n)
{
    enum { OUT = 400 };
    struct tx_out *out = arena_calloc(&f->builder.arena, OUT, sizeof *out);
    static uint8_t script[] = {0x6a, 0x4c, 60};
    uint8_t *bytes = arena_calloc(&f->builder.arena, 1, 64);
    memcpy(bytes, script, sizeof script);
    for (size_t i = 0; i < OUT; i++)
        out[i] = (struct tx_out){.value_sat = 0, .script_pubkey = span_of(bytes, 63)};
    const struct built_block *mature = from;
    for (size_t i = 0; i < n; i++) {
        struct builder_coin coin = builder_coinbase_coin(built_ancestor(mature, (int32_t)i + 1));
        struct tx tx = builder_spend(&f->builder, &coin, 1, 1, 0, BUILDER_TRUE);
        struct tx *copy = arena_calloc(&f->builder.arena, 1, sizeof *copy);
        *copy = tx;
        copy->out = out;
        copy->n_out = OUT;
        tx_finish(copy, &f->builder.arena);
        struct builder_spec spec = {.tx = copy, .n_tx = 1};
        from = builder_block(&f->builder, from, &spec);
    }
    return from;
}

struct progress {
    struct mesh_node *node;
    const struct built_block *goal;
    int32_t height;
    int64_t at_us, longest_us;
};

static bool has_arrived(void *arg)
{
    struct progress *p = arg;
    int32_t height = chain_tip(p->node->chain)->height;
    int64_t now_us = p->node->mesh->events.now_us;
    if (height != p->height) {
        if (p->height > 0 && now_us - p->at_us > p->longest_us)
            p->longest_us = now_us - p->at_us;
        p->height = height;
        p->at_us = now_us;
    }
    return mesh_is_at(p->node, p->goal);
}

struct half {
    struct mesh_node *node;
    int32_t height;
};

static bool is_half_way(void *arg)
{
    struct half *half = arg;
    return chain_tip(half->node->chain)->height >= half->height;
}

/* Hazard 61. Two peers deliver; one stops in the middle and stays connected. */
TEST(a_peer_that_stops_answering_causes_no_long_pause, struct fixture *f)
{
    struct sim_net_options net = {
        .latency_min_us = 20000, .latency_max_us = 20000, .bytes_per_s = 1000000};
    mesh_init(&f->mesh, 11, &f->builder, &net);
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 500, NULL);
    const struct built_block *tip = big_blocks(f, base, 380);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    mesh_give(b, tip);
    struct mesh_node *c = mesh_add(&f->mesh, NULL, NULL);
    mesh_connect(c, a);
    mesh_connect(c, b);
    struct half half = {c, 640};
    assert_true(mesh_run_until(&f->mesh, is_half_way, &half, 120));
    sim_net_set_mute(b->host, true);
    struct progress progress = {.node = c, .goal = tip};
    assert_true(mesh_run_until(&f->mesh, has_arrived, &progress, 120));
    assert_in_range(progress.longest_us, 0, 2000000);
    assert_int_equal(mesh_count_ready(c), 2); /* silence is no fault, not for a while */
}

static int64_t sync_time(struct fixture *f, uint64_t seed, const uint64_t *rates, size_t n)
{
    struct sim_net_options net = {.latency_min_us = 20000, .latency_max_us = 20000};
    mesh_init(&f->mesh, seed, &f->builder, &net);
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 500, NULL);
    const struct built_block *tip = big_blocks(f, base, 380);
    struct mesh_node *peers[8];
    for (size_t i = 0; i < n; i++) {
        peers[i] = mesh_add(&f->mesh, NULL, NULL);
        mesh_give(peers[i], tip);
        sim_net_set_rate(peers[i]->host, rates[i]);
    }
    struct mesh_node *c = mesh_add(&f->mesh, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        mesh_connect(c, peers[i]);
    return mesh_wait_tip(&f->mesh, tip, 600);
}

/* 380 blocks of 29 kB are 11 MB: at 1.2 MB/s in all about nine seconds. */
TEST(unequal_peers_are_all_used_and_the_slow_one_does_not_hold_up, struct fixture *f)
{
    static const uint64_t rates[] = {500000, 500000, 150000, 50000};
    int64_t took_us = sync_time(f, 12, rates, 4);
    assert_in_range(took_us, 7000000, 14000000);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mesh_count_ready(&f->mesh.nodes[i]), 1);
}

TEST(one_slow_peer_is_never_dropped, struct fixture *f)
{
    static const uint64_t rates[] = {60000};
    int64_t took_us = sync_time(f, 13, rates, 1);
    assert_in_range(took_us, 100000000, 300000000);
    assert_int_equal(mesh_count_ready(&f->mesh.nodes[0]), 1);
}

TEST(a_block_that_was_tampered_with_is_fetched_from_another, struct fixture *f)
{
    mesh_init(&f->mesh, 14, &f->builder, NULL);
    const struct built_block *blocks[3];
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 3, blocks);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *liar = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(liar, blocks, 3);
    (void)raw_expect(liar, "getdata");
    uint8_t *bad = xmemdup(blocks[0]->block.raw.p, blocks[0]->block.raw.len);
    bad[blocks[0]->block.raw.len - 1] ^= 1; /* the lock time: the merkle root does not fit */
    raw_send(liar, "block", bad, blocks[0]->block.raw.len);
    xfree(bad);
    mesh_run(&f->mesh, 1000000);
    assert_true(liar->is_closed);
    struct raw_peer *honest = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(honest, blocks, 3);
    (void)raw_expect(honest, "getdata");
    for (size_t i = 0; i < 3; i++)
        raw_send_block(honest, blocks[i]);
    assert_true(mesh_wait_tip(&f->mesh, tip, 10) >= 0);
    assert_false(honest->is_closed);
}

/* Bytes that are no block are nobody's crime, up to a number of them: others are asked. */
TEST(what_is_no_block_is_passed_over_so_many_times, struct fixture *f)
{
    mesh_init(&f->mesh, 16, &f->builder, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *odd = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(odd, &block, 1);
    (void)raw_expect(odd, "getdata");
    for (int i = 0; i <= PEER_BAD_MESSAGES_MAX; i++) {
        raw_send(odd, "block", block->block.raw.p, block->block.raw.len - 1);
        mesh_run(&f->mesh, 1000000);
        assert_int_equal(odd->is_closed, i == PEER_BAD_MESSAGES_MAX);
        assert_int_equal(raw_count(odd, "getdata"), 1); /* it is not asked again */
    }
    struct raw_peer *honest = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(honest, &block, 1);
    (void)raw_expect(honest, "getdata");
    raw_send_block(honest, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 10) >= 0);
    assert_false(honest->is_closed);
}

/* It is trusted and stays, and may have another copy by now: it is asked again when it says so. */
TEST(who_may_send_spoiled_copies_is_asked_again_when_it_tells_of_the_block_again, struct fixture *f)
{
    const char *const whitelist[] = {"noban@10.0.0.0/8"};
    struct p2p_options options = {.whitelist = whitelist, .n_whitelist = 1};
    struct mesh_node *a = fixture_node(f, 22, &options, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(raw, &block, 1);
    (void)raw_expect(raw, "getdata");
    uint8_t *bad = xmemdup(block->block.raw.p, block->block.raw.len);
    bad[block->block.raw.len - 1] ^= 1;
    raw_send(raw, "block", bad, block->block.raw.len);
    xfree(bad);
    mesh_run(&f->mesh, 1000000);
    assert_false(raw->is_closed);
    assert_int_equal(raw_count(raw, "getdata"), 1);
    raw_send_headers(raw, &block, 1);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw_count(raw, "getdata"), 2);
    raw_send_block(raw, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 1) >= 0);
}

/* So it is with one that is bad by itself, which is not held against its hash. */
TEST(who_may_send_bad_blocks_is_not_asked_for_the_same_again_at_once, struct fixture *f)
{
    const char *const whitelist[] = {"noban@10.0.0.0/8"};
    struct p2p_options options = {.whitelist = whitelist, .n_whitelist = 1};
    struct mesh_node *a = fixture_node(f, 23, &options, NULL);
    struct tx coinbases[] = {build_coinbase(&f->builder.arena, 1, 0),
                             build_coinbase(&f->builder.arena, 1, 1)};
    const struct built_block *bad =
        builder_block_of(&f->builder, f->builder.genesis, coinbases, 2, 0);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    for (size_t i = 1; i <= 2; i++) {
        raw_send_headers(raw, &bad, 1);
        mesh_run(&f->mesh, 1000000);
        assert_int_equal(raw_count(raw, "getdata"), i);
        raw_send_block(raw, bad);
        mesh_run(&f->mesh, 1000000);
        assert_false(raw->is_closed);
        assert_int_equal(raw_count(raw, "getdata"), i);
    }
    assert_false(block_node_has_failed(chain_find(a->chain, &bad->block.hash)));
    /* Of who has no such permission it costs the connection. */
    const struct built_block *child = builder_block(&f->builder, bad, NULL);
    struct mesh_node *b = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *two = raw_join(&f->mesh, b, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(two, &bad, 1);
    (void)raw_expect(two, "getdata");
    raw_send_block(two, bad);
    mesh_run(&f->mesh, 1000000);
    assert_true(two->is_closed);
    /* Who tells of what builds on it may not know. */
    struct raw_peer *three = raw_join(&f->mesh, b, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(three, &child, 1);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw_count(three, "getdata"), 2); /* for what it builds on, too */
    raw_send_block(three, child);
    mesh_run(&f->mesh, 1000000);
    assert_false(three->is_closed);
    assert_int_equal(chain_tip(b->chain)->height, 0);
}

static void note_mutated(void *ctx, enum log_level level, enum log_category category,
                         const char *line)
{
    (void)level, (void)category;
    if (strncmp(line, "Block mutated", 13) == 0 || strncmp(line, "AcceptBlock FAILED", 18) == 0)
        snprintf(ctx, 100, "%s", line);
}

/* Hazard 59: a mangled copy that nobody asked for costs its sender the connection, as in Core, and
 * leaves the request that is under way alone. */
TEST(an_unasked_mangled_copy_changes_nothing_for_others, struct fixture *f)
{
    char line[100] = "";
    const struct log log = {1u << LOG_VALIDATION, note_mutated, line};
    mesh_init(&f->mesh, 15, &f->builder, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *honest = raw_connect(&f->mesh, a), *liar = raw_connect(&f->mesh, a);
    raw_handshake(honest, NODE_NETWORK | NODE_WITNESS);
    raw_handshake(liar, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(honest, &block, 1);
    (void)raw_expect(honest, "getdata");
    uint8_t *bad = xmemdup(block->block.raw.p, block->block.raw.len);
    bad[block->block.raw.len - 1] ^= 1;
    const struct log *own = a->p2p->log;
    a->p2p->log = &log;
    raw_send(liar, "block", bad, block->block.raw.len);
    xfree(bad);
    mesh_run(&f->mesh, 100000);
    a->p2p->log = own;
    assert_true(liar->is_closed && !honest->is_closed);
    assert_string_equal(line, "Block mutated: bad-txnmrklroot, hashMerkleRoot mismatch");
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.n_in_flight, 1);
    assert_int_equal(raw_count(honest, "getdata"), 1); /* it is the same request */
    raw_send_block(honest, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 10) >= 0);
}

/* Whoever brings a block that is on its way has it taken, as in Core; who was asked may bring it
 * late. */
TEST(an_unasked_copy_of_what_is_on_its_way_is_taken, struct fixture *f)
{
    mesh_init(&f->mesh, 21, &f->builder, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *asked = raw_join(&f->mesh, a, SERVICES);
    struct raw_peer *other = raw_join(&f->mesh, a, SERVICES);
    raw_send_headers(asked, &block, 1);
    (void)raw_expect(asked, "getdata");
    raw_send_block(other, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 1) >= 0);
    raw_send_block(asked, block);
    mesh_run(&f->mesh, 1000000);
    assert_false(asked->is_closed || other->is_closed);
    assert_int_equal(a->p2p->fetch.requests.count, 0);
}

/* Hazard 49. */
TEST(unasked_blocks_with_little_work_are_not_stored, struct fixture *f)
{
    mesh_init(&f->mesh, 16, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 10, NULL);
    const struct built_block *fork = builder_block(&f->builder, f->builder.genesis, NULL);
    const struct built_block *far = builder_blocks(&f->builder, tip, 3, NULL);
    const struct built_block *next = built_ancestor(far, 11);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_block(raw, fork);
    mesh_run(&f->mesh, 1000000);
    const struct block_node *node = chain_find(a->chain, &fork->block.hash);
    assert_non_null(node); /* its header is known from now on */
    assert_false(node->status & BLOCK_HAVE_DATA);
    assert_false(raw->is_closed);
    raw_send_block(raw, far); /* its parent is unknown: a fault, as in Core */
    mesh_run(&f->mesh, 1000000);
    assert_null(chain_find(a->chain, &far->block.hash));
    assert_true(raw->is_closed);
    raw_free(raw);
    raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    /* One that extends the tip is welcome though nobody asked. */
    raw_send_block(raw, next);
    assert_true(mesh_wait_tip(&f->mesh, next, 10) >= 0);
}

struct reading {
    const struct peer *peer;
    size_t largest_bytes;
    const struct built_block *goal;
    struct mesh_node *node;
};

static bool is_read_to_the_end(void *arg)
{
    struct reading *reading = arg;
    size_t bytes = reading->peer->fetch.unasked_bytes;
    reading->largest_bytes = MAX_OF(reading->largest_bytes, bytes);
    return mesh_is_at(reading->node, reading->goal);
}

/* Who sends faster than blocks are checked is not read, and loses nothing. */
TEST(unasked_blocks_wait_with_their_sender, struct fixture *f)
{
    mesh_init(&f->mesh, 16, &f->builder, NULL);
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 500, NULL);
    const struct built_block *tip = big_blocks(f, base, 390);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, base);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    sim_env_jobs(a->sim)->pool[ENV_POOL_COMPUTE].run_max_us = 500000;
    for (int32_t i = 501; i <= tip->height; i++)
        raw_send_block(raw, built_ancestor(tip, i));
    struct reading reading = {.peer = a->p2p->peers, .goal = tip, .node = a};
    assert_true(mesh_run_until(&f->mesh, is_read_to_the_end, &reading, 6000));
    assert_in_range(reading.largest_bytes, BLOCK_FETCH_UNASKED_BYTES,
                    BLOCK_FETCH_UNASKED_BYTES + tip->block.raw.len + BLOCK_FETCH_UNASKED_EACH);
    assert_int_equal(reading.peer->fetch.unasked_bytes, 0);
    assert_false(raw->is_closed);
}

TEST(an_invalid_block_costs_its_sender_the_connection, struct fixture *f)
{
    mesh_init(&f->mesh, 17, &f->builder, NULL);
    struct builder_spec spec = {.extra_sat = 1}; /* takes more than the subsidy */
    const struct built_block *bad = builder_block(&f->builder, f->builder.genesis, &spec);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(raw, &bad, 1);
    (void)raw_expect(raw, "getdata");
    raw_send_block(raw, bad);
    mesh_run(&f->mesh, 2000000);
    assert_true(raw->is_closed);
    assert_int_equal(chain_tip(a->chain)->height, 0);
}

TEST(notfound_sends_the_request_elsewhere, struct fixture *f)
{
    mesh_init(&f->mesh, 18, &f->builder, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *one = raw_connect(&f->mesh, a), *two = raw_connect(&f->mesh, a);
    raw_handshake(one, NODE_NETWORK | NODE_WITNESS);
    raw_handshake(two, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(one, &block, 1);
    (void)raw_expect(one, "getdata");
    raw_send_headers(two, &block, 1);
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(two, "getdata"), 0);
    raw_send_inv(one, "notfound", INV_WITNESS_BLOCK, block->block.hash.b);
    (void)raw_expect(two, "getdata");
    raw_send_block(two, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 10) >= 0);
}

/* It says so of what it tells of, again and again: each time it was to be asked anew, at once. */
TEST(who_has_not_what_it_tells_of_is_not_asked_again_at_once, struct fixture *f)
{
    mesh_init(&f->mesh, 19, &f->builder, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *one = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(one, &block, 1);
    (void)raw_expect(one, "getdata");
    for (int i = 0; i < 20; i++) {
        raw_send_inv(one, "notfound", INV_WITNESS_BLOCK, block->block.hash.b);
        raw_send_headers(one, &block, 1);
        mesh_run(&f->mesh, BLOCK_LATE_FORGET_US / 40);
    }
    assert_int_equal(raw_count(one, "getdata"), 1);
    mesh_run(&f->mesh, BLOCK_LATE_FORGET_US);
    assert_int_equal(raw_count(one, "getdata"), 2);
    raw_send_block(one, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 10) >= 0);
}

/* Nobody owes the block any more, but it is remembered who has it not. */
TEST(a_block_that_was_not_found_is_taken_from_who_sends_it_unasked, struct fixture *f)
{
    mesh_init(&f->mesh, 20, &f->builder, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *one = raw_connect(&f->mesh, a), *two = raw_connect(&f->mesh, a);
    raw_handshake(one, NODE_NETWORK | NODE_WITNESS);
    raw_handshake(two, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(one, &block, 1);
    (void)raw_expect(one, "getdata");
    raw_send_inv(one, "notfound", INV_WITNESS_BLOCK, block->block.hash.b);
    mesh_run(&f->mesh, 100000);
    raw_send_block(two, block);
    assert_true(mesh_wait_tip(&f->mesh, block, 1) >= 0);
    raw_send_headers(two, &block, 1);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw_count(two, "getdata"), 0);
    assert_int_equal(a->p2p->fetch.requests.count, 0);
}

/* What is remembered of who has it not ends with it: nobody is asked for what is refused. */
TEST(a_block_that_was_not_found_and_is_refused_is_asked_of_nobody, struct fixture *f)
{
    mesh_init(&f->mesh, 21, &f->builder, NULL);
    const struct built_block *blocks[2];
    (void)builder_blocks(&f->builder, f->builder.genesis, 2, blocks);
    const struct built_block *bad = /* whose coinbase names another height */
        builder_block_of(&f->builder, f->builder.genesis, &blocks[1]->block.tx[0], 1, 0);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *one = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    struct raw_peer *two = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    struct raw_peer *three = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(one, &bad, 1);
    (void)raw_expect(one, "getdata");
    raw_send_inv(one, "notfound", INV_WITNESS_BLOCK, bad->block.hash.b);
    mesh_run(&f->mesh, 100000);
    raw_send_block(two, bad);
    mesh_run(&f->mesh, 300000);
    assert_true(two->is_closed);
    raw_send_inv(three, "inv", INV_BLOCK, bad->block.hash.b);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw_count(three, "getdata"), 0);
    assert_int_equal(a->p2p->fetch.requests.count, 0);
}

/* Three peers have a block. The first two owe it and speak on, of something else or so slowly that
 * it never ends. The third is asked all the same. */
static void talk_and_expect_the_third(struct fixture *f, uint64_t seed, bool trickles)
{
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *raw[3];
    for (size_t i = 0; i < 3; i++) {
        raw[i] = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
        raw_send_headers(raw[i], &block, 1);
    }
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_of(header, a->network.magic, "block", block->block.raw);
    for (size_t i = 0; trickles && i < 2; i++)
        raw_send_bytes(raw[i], header, sizeof header);
    for (int i = 0; i < 150 && raw_count(raw[2], "getdata") == 0; i++) {
        static const uint8_t nonce[8] = {1};
        for (size_t k = 0; k < 2 && !raw[k]->is_closed; k++) {
            if (trickles)
                raw_send_bytes(raw[k], block->block.raw.p + i, 1);
            else
                raw_send(raw[k], "ping", nonce, sizeof nonce);
        }
        mesh_run(&f->mesh, 200000);
    }
    assert_int_equal(raw_count(raw[2], "getdata"), 1);
    raw_send_block(raw[2], block);
    assert_true(mesh_wait_tip(&f->mesh, block, 10) >= 0);
    for (size_t i = 0; i < 3; i++)
        raw_free(raw[i]);
}

TEST(who_owes_a_block_and_talks_of_something_else_holds_up_nobody, struct fixture *f)
{
    talk_and_expect_the_third(f, 21, false);
}

TEST(two_that_deliver_byte_by_byte_hold_up_nobody, struct fixture *f)
{
    talk_and_expect_the_third(f, 22, true);
}

TEST(who_was_silent_once_is_asked_again_when_it_speaks, struct fixture *f)
{
    mesh_init(&f->mesh, 23, &f->builder, NULL);
    const struct built_block *blocks[2];
    (void)builder_blocks(&f->builder, f->builder.genesis, 2, blocks);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *one = raw_connect(&f->mesh, a), *two = raw_connect(&f->mesh, a);
    raw_handshake(one, NODE_NETWORK | NODE_WITNESS);
    raw_handshake(two, NODE_NETWORK | NODE_WITNESS);
    raw_send_headers(one, blocks, 1);
    (void)raw_expect(one, "getdata");
    raw_send_headers(two, blocks, 1);
    (void)raw_expect(two, "getdata");
    raw_send_block(two, blocks[0]);
    assert_true(mesh_wait_tip(&f->mesh, blocks[0], 10) >= 0);
    raw_free(two);
    mesh_run(&f->mesh, 1000000);
    raw_send_headers(one, blocks + 1, 1);
    (void)raw_expect(one, "getdata");
    raw_send_block(one, blocks[1]);
    assert_true(mesh_wait_tip(&f->mesh, blocks[1], 10) >= 0);
}

TEST(a_block_can_be_had_from_a_peer_by_order, struct fixture *f)
{
    mesh_init(&f->mesh, 19, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 5, NULL);
    const struct built_block *fork = builder_block(&f->builder, built_ancestor(tip, 3), NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_NETWORK | NODE_WITNESS);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    struct verdict verdict;
    assert_non_null(chain_accept_header(a->chain, &fork->block.header, &verdict));
    assert_string_equal(p2p_get_block_from_peer(a->p2p, &fork->block.hash, info.id + 1),
                        "Peer does not exist");
    assert_null(p2p_get_block_from_peer(a->p2p, &fork->block.hash, info.id));
    assert_string_equal(p2p_get_block_from_peer(a->p2p, &fork->block.hash, info.id),
                        "Already requested from this peer");
    (void)raw_expect(raw, "getdata");
    raw_send_block(raw, fork);
    mesh_run(&f->mesh, 1000000);
    const struct block_node *node = chain_find(a->chain, &fork->block.hash);
    assert_true(node->status & BLOCK_HAVE_DATA);
}

static void note_read(void *arg, const struct chain_block_read *read)
{
    *(int *)arg = read->error;
}

static bool has_data(void *arg)
{
    return ((const struct block_node *)arg)->status & BLOCK_HAVE_DATA;
}

TEST(a_damaged_block_is_had_again_from_a_peer, struct fixture *f)
{
    mesh_init(&f->mesh, 20, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 20, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    mesh_give(b, tip);
    mesh_run(&f->mesh, 1000000);
    const struct block_node *node = chain_at(a->chain, 10);
    sim_disk_damage(sim_env_disk(a->sim), "regtest/blocks/blk00000.dat", node->data.offset + 90,
                    0x40);
    int error = 1;
    chain_read_block(a->chain, node, false, note_read, &error);
    mesh_run(&f->mesh, 1000000);
    assert_int_not_equal(error, 0);
    assert_false(has_data((void *)node)); /* nobody has it so far */
    mesh_connect(a, b);
    assert_true(mesh_run_until(&f->mesh, has_data, (void *)node, 20));
}
