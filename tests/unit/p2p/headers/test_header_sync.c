/* test_header_sync.c - locators, low work, lies about headers, and one question for one inv. */
#include "p2p/connect/dial.h"
#include "p2p/headers/header_sync.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(headers_out_of_order_or_without_work_are_faults, struct fixture *f)
{
    mesh_init(&f->mesh, 42, &f->builder, NULL);
    const struct built_block *blocks[4];
    builder_blocks(&f->builder, f->builder.genesis, 4, blocks);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    const struct built_block *gap[] = {blocks[0], blocks[2]};
    raw_send_headers(raw, gap, 2);
    mesh_run(&f->mesh, 500000);
    assert_true(raw->is_closed);
    raw_free(raw);
    raw = raw_join(&f->mesh, a, SERVICES);
    struct built_block bad = *blocks[0];
    do {
        bad.block.header.nonce++;
        bad.block.hash = block_header_hash(&bad.block.header);
    } while (bad.block.hash.b[31] < 0x80);
    const struct built_block *list[] = {&bad};
    raw_send_headers(raw, list, 1);
    mesh_run(&f->mesh, 500000);
    assert_true(raw->is_closed);
    assert_int_equal(chain_best_header(a->chain)->height, 0);
}

TEST(headers_that_connect_to_nothing_lead_to_a_question, struct fixture *f)
{
    mesh_init(&f->mesh, 43, &f->builder, NULL);
    const struct built_block *blocks[4];
    builder_blocks(&f->builder, f->builder.genesis, 4, blocks);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    raw_send_headers(raw, NULL, 0);
    mesh_run(&f->mesh, 3000000);
    size_t n = raw_count(raw, "getheaders");
    raw_send_headers(raw, &blocks[3], 1);
    mesh_run(&f->mesh, 500000);
    assert_int_equal(raw_count(raw, "getheaders"), n + 1);
    for (size_t i = 1; i < 40; i++) { /* each time, when it has answered */
        raw_send_headers(raw, NULL, 0);
        raw_send_headers(raw, &blocks[3], 1);
        mesh_run(&f->mesh, 50000);
        assert_int_equal(raw_count(raw, "getheaders"), n + 1 + i);
    }
    raw_send_headers(raw, blocks, 4);
    (void)raw_expect(raw, "getdata");
    assert_false(raw->is_closed);
}

/* Hazard 51: an inv of many unknown blocks is one question. */
TEST(an_inv_of_many_blocks_leads_to_one_question, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 44, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    size_t before = raw_count(raw, "getheaders");
    uint8_t *inv = xcalloc(1, 3 + 36 * 10000);
    struct writer w = writer_to_buffer(inv, 3 + 36 * 10000);
    write_compact_size(&w, 10000);
    for (uint32_t i = 0; i < 10000; i++) {
        struct wire_inv item = {.type = INV_BLOCK};
        memcpy(item.hash, &i, 4);
        item.hash[31] = 1;
        wire_inv_encode(&w, &item);
    }
    raw_send(raw, "inv", inv, w.len);
    mesh_run(&f->mesh, 2000000);
    assert_int_equal(raw_count(raw, "getheaders"), before + 1);
    xfree(inv);
}

TEST(who_offers_no_blocks_is_asked_once_for_what_it_announces, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 50, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, NODE_WITNESS);
    assert_int_equal(raw_count(raw, "getheaders"), 0);
    for (uint8_t i = 1; i < 4; i++) {
        uint8_t hash[32] = {i};
        raw_send_inv(raw, "inv", INV_BLOCK, hash);
        mesh_run(&f->mesh, 100000);
        raw_send_headers(raw, NULL, 0);
        mesh_run(&f->mesh, 200000000);
    }
    assert_int_equal(raw_count(raw, "getheaders"), 1);
}

/* And many such invs are few questions, none of which is forgotten. */
TEST(a_stream_of_invs_leads_to_few_questions, struct fixture *f)
{
    mesh_init(&f->mesh, 49, &f->builder, NULL);
    const struct built_block *blocks[2];
    builder_blocks(&f->builder, f->builder.genesis, 2, blocks);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    for (int i = 0; i < 2; i++) { /* the question of one, then the question of all */
        raw_send_headers(raw, NULL, 0);
        mesh_run(&f->mesh, 100000);
    }
    size_t before = raw_count(raw, "getheaders");
    for (uint32_t i = 0; i < 500; i++) {
        uint8_t hash[32] = {0};
        memcpy(hash, &i, 4);
        raw_send_inv(raw, "inv", INV_BLOCK, hash);
    }
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw_count(raw, "getheaders"), before + 1);
    raw_send_inv(raw, "inv", INV_BLOCK, blocks[1]->block.hash.b);
    mesh_run(&f->mesh, 100000);
    raw_send_headers(raw, blocks, 1); /* an answer from before the last block */
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "getheaders"), before + 2);
    raw_send_headers(raw, &blocks[1], 1);
    mesh_run(&f->mesh, 100000);
    assert_int_equal(chain_best_header(a->chain)->height, 2);
}

/* Hazards 47 and 48: a chain below the work that counts is never in the tree. */
TEST(headers_of_little_work_are_not_kept, struct fixture *f)
{
    mesh_init(&f->mesh, 45, &f->builder, NULL);
    enum { N = 4000 };
    const struct built_block **blocks = xcalloc(N, sizeof *blocks);
    builder_blocks(&f->builder, f->builder.genesis, N, blocks);
    struct u256 needed = u256_of(2 * 5000);
    struct p2p_options options = {.min_chain_work = &needed};
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    raw_send_headers(raw, blocks, 2000);
    (void)raw_expect(raw, "getheaders");
    mesh_run(&f->mesh, 100000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.presynced_headers, 2000);
    raw_send_headers(raw, blocks + 2000, 2000);
    mesh_run(&f->mesh, 500000);
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.presynced_headers, 4000);
    raw_send_headers(raw, NULL, 0);
    mesh_run(&f->mesh, 500000);
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.presynced_headers, -1);
    size_t at = 0, n = 0;
    while (chain_next_node(a->chain, &at))
        n++;
    assert_int_equal(n, 1);
    assert_false(raw->is_closed);
    xfree(blocks);
}

/* As in Core: whom the user trusts may tell of a chain of little work, whole messages or not. */
TEST(headers_of_little_work_of_a_trusted_peer_are_kept, struct fixture *f)
{
    mesh_init(&f->mesh, 47, &f->builder, NULL);
    enum { N = 2010 };
    const struct built_block **blocks = xcalloc(N, sizeof *blocks);
    builder_blocks(&f->builder, f->builder.genesis, N, blocks);
    struct u256 needed = u256_of(2 * 5000);
    static const char *const trusted[] = {"noban@10.9.9.9"};
    struct p2p_options options = {
        .min_chain_work = &needed, .whitelist = trusted, .n_whitelist = COUNT_OF(trusted)};
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    raw_send_headers(raw, blocks, 2000);
    raw_send_headers(raw, blocks + 2000, 10);
    mesh_run(&f->mesh, 500000);
    size_t at = 0, n = 0;
    while (chain_next_node(a->chain, &at))
        n++;
    assert_int_equal(n, 1 + N);
    assert_int_equal(raw_count(raw, "getdata"), 0); /* its blocks are not worth fetching */
    xfree(blocks);
}

TEST(a_chain_with_enough_work_is_synced_in_two_passes, struct fixture *f)
{
    mesh_init(&f->mesh, 46, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 4500, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    struct u256 needed = u256_of(2 * 4200);
    struct p2p_options options = {.min_chain_work = &needed};
    struct mesh_node *b = mesh_add(&f->mesh, &options, NULL);
    mesh_connect(b, a);
    assert_true(mesh_wait_tip(&f->mesh, tip, 60) >= 0);
}

/* Hazard 48: a fork that leaves far below the tip is not worth keeping. */
TEST(an_old_fork_of_little_work_is_ignored, struct fixture *f)
{
    mesh_init(&f->mesh, 47, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 400, NULL);
    const struct built_block *fork[3];
    builder_blocks(&f->builder, f->builder.genesis, 3, fork);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    raw_send_headers(raw, fork, 3);
    mesh_run(&f->mesh, 500000);
    assert_null(chain_find(a->chain, &fork[0]->block.hash));
    assert_false(raw->is_closed);
}

/* One that answers nothing does not keep us from syncing. Returns: until when it does; the other
 * one comes in, or is one that we have chosen. */
static int64_t beside_a_silent_one(struct fixture *f, bool is_chosen)
{
    mesh_init(&f->mesh, 48, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 50, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    assert_int_equal(raw_count(raw, "getheaders"), 1);
    struct mesh_node *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(b, tip);
    mesh_connect(is_chosen ? a : b, is_chosen ? b : a);
    return mesh_wait_tip(&f->mesh, tip, 60);
}

TEST(a_silent_sync_peer_is_replaced, struct fixture *f)
{
    assert_in_range(beside_a_silent_one(f, false), 1, 30000000);
}

TEST(whom_we_have_chosen_is_asked_beside_who_came_to_us, struct fixture *f)
{
    assert_in_range(beside_a_silent_one(f, true), 1, 2000000);
}

/* A peer of our own choice that knows less than we do is replaced; one of the user's is not. */
TEST(an_outbound_peer_must_keep_up, struct fixture *f)
{
    mesh_init(&f->mesh, 50, &f->builder, NULL);
    const struct built_block *blocks[10];
    builder_blocks(&f->builder, f->builder.genesis, 10, blocks);
    struct raw_peer *behind = raw_listen(&f->mesh, 701), *abreast = raw_listen(&f->mesh, 702);
    struct raw_peer *manual = raw_listen(&f->mesh, 703);
    struct p2p_options options = {.connect_only = true};
    struct mesh_node *a = mesh_add(&f->mesh, &options, NULL);
    mesh_give(a, blocks[9]);
    struct net_address address;
    assert_true(net_address_parse("10.9.9.9:701", 0, &address));
    assert_non_null(dial(a->p2p, &address, PEER_FULL, false));
    address.port = 702;
    assert_non_null(dial(a->p2p, &address, PEER_FULL, false));
    address.port = 703;
    assert_non_null(dial(a->p2p, &address, PEER_MANUAL, false));
    raw_handshake(behind, SERVICES);
    raw_handshake(abreast, SERVICES);
    raw_handshake(manual, SERVICES);
    raw_send_headers(behind, blocks, 5);
    raw_send_headers(abreast, blocks, 10);
    mesh_run(&f->mesh, INT64_C(1190) * 1000000);
    assert_false(behind->is_closed);
    size_t asked = raw_count(behind, "getheaders");
    mesh_run(&f->mesh, INT64_C(30) * 1000000);
    assert_true(raw_count(behind, "getheaders") > asked);
    mesh_run(&f->mesh, INT64_C(130) * 1000000);
    assert_true(behind->is_closed);
    assert_false(abreast->is_closed);
    assert_false(manual->is_closed);
}

/* Answer each question with the same headers for a while; returns how many questions came. */
static size_t answer_alike(struct raw_peer *raw, const struct built_block *const *blocks, size_t n,
                           int64_t us)
{
    size_t questions = 0;
    int64_t end_us = raw->mesh->events.now_us + us;
    while (raw->mesh->events.now_us < end_us)
        if (raw_find(raw, "getheaders", 50000).p) {
            questions++;
            raw_send_headers(raw, blocks, n);
        }
    return questions;
}

TEST(the_same_headers_again_and_again_capture_nobody, struct fixture *f)
{
    mesh_init(&f->mesh, 51, &f->builder, NULL);
    static const struct built_block *blocks[4100];
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 4100, blocks);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(b, tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    /* Alone, it is asked, asked for more, and then let be for a while. */
    assert_int_equal(answer_alike(raw, blocks, 2000, HEADER_SYNC_PATIENCE_US - 1000000), 2);
    assert_int_equal(chain_best_header(a->chain)->height, 2000);
    assert_int_equal(answer_alike(raw, blocks, 2000, 2000000), 2);
    mesh_connect(a, b);
    (void)answer_alike(raw, blocks, 2000, 3000000);
    assert_int_equal(chain_best_header(a->chain)->height, 4100);
    assert_true(mesh_wait_tip(&f->mesh, tip, 30) >= 0);
}

TEST(a_longer_way_through_what_we_have_is_no_capture, struct fixture *f)
{
    mesh_init(&f->mesh, 52, &f->builder, NULL);
    const struct built_block *fork = builder_blocks(&f->builder, f->builder.genesis, 10, NULL);
    const struct built_block *less = builder_blocks(&f->builder, fork, 4500, NULL);
    const struct built_block *more = builder_blocks(&f->builder, fork, 4600, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, less);
    /* The other branch is here but for its last 150 headers, and has less work so far. */
    for (int32_t height = 11; height <= more->height - 150; height++) {
        struct verdict verdict;
        assert_non_null(
            chain_accept_header(a->chain, &built_ancestor(more, height)->block.header, &verdict));
    }
    mesh_give(b, more);
    mesh_connect(a, b);
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(chain_best_header(a->chain)->height, more->height);
}

/* An outbound peer that was slow once has its turn again before the second of those who came to us.
 */
TEST(those_who_come_to_us_have_each_second_turn_at_most, struct fixture *f)
{
    mesh_init(&f->mesh, 56, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, &(struct p2p_options){.connect_only = true}, NULL);
    struct net_address address;
    struct raw_peer *out = raw_listen(&f->mesh, 701), *in[3];
    assert_true(net_address_parse("10.9.9.9:701", 0, &address));
    assert_non_null(dial(a->p2p, &address, PEER_MANUAL, false));
    raw_handshake(out, SERVICES);
    (void)raw_expect(out, "getheaders");
    for (size_t i = 0; i < COUNT_OF(in); i++)
        in[i] = raw_join(&f->mesh, a, SERVICES);
    for (size_t turn = 1; turn <= COUNT_OF(in); turn++) {
        size_t asked = 0;
        mesh_run(&f->mesh, HEADER_SYNC_PATIENCE_US);
        for (size_t i = 0; i < COUNT_OF(in); i++)
            asked += raw_count(in[i], "getheaders");
        assert_int_equal(asked, turn);
        assert_int_equal(raw_count(out, "getheaders"), turn);
        mesh_run(&f->mesh, HEADER_SYNC_PATIENCE_US);
        assert_int_equal(raw_count(out, "getheaders"), turn + 1);
    }
}

/* Who brings 2,000 headers in 19 seconds keeps us for itself, in 21 seconds it does not. */
TEST(the_next_peer_is_asked_if_one_is_slow, struct fixture *f)
{
    mesh_init(&f->mesh, 53, &f->builder, NULL);
    static const struct built_block *blocks[8000];
    builder_blocks(&f->builder, f->builder.genesis, 8000, blocks);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    struct raw_peer *slow = raw_connect(&f->mesh, a), *next = raw_connect(&f->mesh, a);
    raw_handshake(slow, SERVICES);
    (void)raw_expect(slow, "getheaders");
    raw_handshake(next, SERVICES);
    const int64_t full_us = 2000 * (1000000 / HEADER_SYNC_RATE);
    assert_int_equal(full_us, HEADER_SYNC_PATIENCE_US);
    for (size_t i = 0; i < 3; i++) {
        mesh_run(&f->mesh, full_us - 1000000);
        raw_send_headers(slow, blocks + 2000 * i, 2000);
        (void)raw_expect(slow, "getheaders");
        assert_int_equal(raw_count(next, "getheaders"), 0);
    }
    mesh_run(&f->mesh, full_us + 1000000);
    assert_int_equal(raw_count(next, "getheaders"), 1);
    raw_send_headers(slow, blocks + 6000, 2000); /* late, and welcome all the same */
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(chain_best_header(a->chain)->height, 8000);
}

/* -- As Core asks --------------------------------------------------------------------------------
 */

#define S INT64_C(1000000)

/* An outbound peer of that class. */
static struct raw_peer *chosen(struct fixture *f, uint16_t port, enum peer_class class)
{
    struct net_address address;
    struct raw_peer *raw = raw_listen(&f->mesh, port);
    assert_true(net_address_parse("10.9.9.9", port, &address));
    assert_non_null(dial(f->node->p2p, &address, class, false));
    raw_handshake(raw, SERVICES);
    raw_send_headers(raw, f->blocks, 1); /* or it would be behind us, and let go for that */
    return raw;
}

static void tell_of(struct raw_peer *raw, uint8_t byte)
{
    uint8_t hash[32] = {byte};
    raw_send_inv(raw, "inv", INV_BLOCK, hash);
}

/* Whoever tells of it: the first one of those that were not asked so before. */
TEST(a_new_block_has_one_more_peer_asked_while_we_are_far_behind, struct fixture *f)
{
    struct raw_peer *raw[4];
    size_t want[] = {1, 0, 0, 0};
    (void)fixture_node(f, 60, NULL, NULL);
    for (size_t i = 0; i < 4; i++)
        raw[i] = raw_join(&f->mesh, f->node, SERVICES);
    for (uint8_t block = 1; block <= 4; block++) {
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(raw_count(raw[i], "getheaders"), want[i]);
            raw_send_headers(raw[i], NULL, 0);
            tell_of(raw[i], block);
        }
        want[0]++; /* who is asked anyway is asked for each */
        if (block < 4)
            want[block] = 1;
        mesh_run(&f->mesh, S / 2);
    }
    assert_int_equal(raw_count(raw[0], "getheaders"), 5);
}

/* Once we have caught up all are asked, also who was asked for a block that it told of: what it
 * tells of next would be no reason to ask it else. */
TEST(who_was_asked_for_a_block_alone_is_asked_for_all_when_we_have_caught_up, struct fixture *f)
{
    struct raw_peer *raw[2];
    (void)fixture_node(f, 62, NULL, NULL);
    for (size_t i = 0; i < 2; i++)
        raw[i] = raw_join(&f->mesh, f->node, SERVICES);
    tell_of(raw[1], 1);
    mesh_run(&f->mesh, S / 2);
    assert_int_equal(raw_count(raw[0], "getheaders"), 1);
    assert_int_equal(raw_count(raw[1], "getheaders"), 1);
    f->blocks[0] = builder_block(&f->builder, f->builder.genesis, NULL);
    sim_env_set_unix_s(f->node->sim, f->blocks[0]->block.header.time + 60);
    raw_send_headers(raw[1], f->blocks, 1);
    mesh_run(&f->mesh, S / 2);
    assert_int_equal(raw_count(raw[1], "getheaders"), 2);
    raw_send_headers(raw[1], NULL, 0);
    mesh_run(&f->mesh, 3 * S);
    tell_of(raw[1], 2);
    mesh_run(&f->mesh, S / 2);
    assert_int_equal(raw_count(raw[1], "getheaders"), 3);
}

TEST(what_a_peer_had_that_is_forgotten_does_not_hide_what_it_has, struct fixture *f)
{
    (void)fixture_node(f, 63, NULL, NULL);
    (void)raw_join(&f->mesh, f->node, SERVICES);
    struct peer *peer = f->node->p2p->peers;
    struct block_node more = {.chain_work = u256_of(9)}, less = {.chain_work = u256_of(5)};
    header_sync_update_known(peer, &more);
    header_sync_update_known(peer, &less);
    assert_ptr_equal(peer->headers.best_known, &more);
    more.is_gone = true;
    header_sync_update_known(peer, &less);
    assert_ptr_equal(peer->headers.best_known, &less);
    peer->headers.best_known = NULL;
}

/* One that came to us owes headers from now on. Returns: for how long it may, but for some seconds
 */
static int64_t let_owe(struct fixture *f, struct raw_peer **owes)
{
    (void)fixture_node(f, 61, &(struct p2p_options){.connect_only = true}, NULL);
    f->blocks[0] = builder_block(&f->builder, f->builder.genesis, NULL);
    mesh_give(f->node, f->blocks[0]);
    *owes = raw_join(&f->mesh, f->node, SERVICES);
    assert_int_equal(raw_count(*owes, "getheaders"), 1);
    int64_t age_s = p2p_now_s(f->node->p2p) - chain_tip(f->node->chain)->time;
    return HEADER_SYNC_ANSWER_US + age_s / 600 * HEADER_SYNC_PER_HEADER_US - 5 * S;
}

TEST(who_owes_headers_for_long_goes_if_we_have_chosen_another, struct fixture *f)
{
    struct raw_peer *owes;
    int64_t wait_us = let_owe(f, &owes);
    struct raw_peer *two = chosen(f, 701, PEER_FULL), *three = chosen(f, 702, PEER_FULL);
    mesh_run(&f->mesh, wait_us);
    assert_false(owes->is_closed);
    mesh_run(&f->mesh, 10 * S);
    assert_true(owes->is_closed);
    mesh_run(&f->mesh, wait_us - 10 * S); /* the next one has as long again */
    assert_false(two->is_closed || three->is_closed);
    mesh_run(&f->mesh, 30 * S);
    assert_int_equal(two->is_closed + three->is_closed, 1);
    mesh_run(&f->mesh, 2 * wait_us);
    assert_int_equal(two->is_closed + three->is_closed, 1); /* nobody else is there */
}

TEST(who_owes_headers_stays_beside_those_who_came_to_us, struct fixture *f)
{
    struct raw_peer *owes;
    int64_t wait_us = let_owe(f, &owes);
    struct raw_peer *other = raw_join(&f->mesh, f->node, SERVICES);
    mesh_run(&f->mesh, wait_us + 30 * S);
    assert_false(owes->is_closed || other->is_closed);
}

TEST(who_is_not_to_be_banned_and_owes_headers_is_asked_again_in_his_turn, struct fixture *f)
{
    struct raw_peer *owes;
    int64_t wait_us = let_owe(f, &owes);
    struct peer *peer = f->node->p2p->peers;
    peer->permissions |= PERMISSION_NOBAN;
    (void)chosen(f, 701, PEER_MANUAL);
    mesh_run(&f->mesh, wait_us);
    assert_true(peer->headers.is_started);
    for (int i = 0; i < 100 && peer->headers.is_started; i++)
        mesh_run(&f->mesh, S / 10);
    assert_false(peer->headers.is_started || owes->is_closed);
    mesh_run(&f->mesh, 2 * HEADER_SYNC_PATIENCE_US);
    assert_true(peer->headers.is_started);
}

TEST(nobody_goes_for_headers_once_we_have_caught_up, struct fixture *f)
{
    struct raw_peer *owes;
    int64_t wait_us = let_owe(f, &owes);
    (void)chosen(f, 701, PEER_FULL);
    sim_env_set_unix_s(f->node->sim, chain_tip(f->node->chain)->time + 86400 - 60);
    mesh_run(&f->mesh, 120 * S); /* and far behind again, without a block */
    mesh_run(&f->mesh, wait_us);
    assert_false(owes->is_closed);
}
