/* test_relay.c - how peers hear of blocks and transactions, and when. */
#include "p2p/serve/relay.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(blocks_are_told_by_headers_to_who_wants_that_and_by_hash_to_others, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 61, NULL, &tip);
    struct raw_peer *modern = raw_connect(&f->mesh, a), *old = raw_connect(&f->mesh, a);
    raw_handshake(modern, SERVICES);
    raw_handshake(old, SERVICES);
    raw_send(modern, "sendheaders", NULL, 0);
    raw_send_headers(modern, &tip, 1);
    raw_send_headers(old, &tip, 1);
    mesh_run(&f->mesh, 500000);
    const struct built_block *next = builder_blocks(&f->builder, tip, 1, NULL);
    mesh_give(a, next);
    struct span headers = raw_expect(modern, "headers");
    assert_int_equal(headers.len, 82);
    assert_memory_equal(headers.p + 1, next->block.raw.p, 80);
    struct span inv = raw_expect(old, "inv");
    assert_int_equal(inv.len, 37);
    assert_memory_equal(inv.p + 5, next->block.hash.b, 32);
    assert_int_equal(raw_count(modern, "inv"), 0);
}

/* Blocks are told by headers only if they follow what the peer has; who asks and gets nothing has
 * our tip. */
TEST(headers_are_told_only_if_they_follow_what_the_peer_has, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 75, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    raw_send(raw, "sendheaders", NULL, 0);
    mesh_run(&f->mesh, 500000);
    for (int i = 0; i < 2; i++) { /* nothing known; then not the one before */
        tip = builder_blocks(&f->builder, tip, 1, NULL);
        mesh_give(a, tip);
        assert_memory_equal(raw_expect(raw, "inv").p + 5, tip->block.hash.b, 32);
    }
    uint8_t locator[4 + 1 + 32 + 32] = {0};
    locator[4] = 1;
    memcpy(locator + 5, tip->block.hash.b, 32);
    raw_send(raw, "getheaders", locator, sizeof locator);
    assert_int_equal(raw_expect(raw, "headers").len, 1);
    tip = builder_blocks(&f->builder, built_ancestor(tip, tip->height - 7), 8, NULL);
    mesh_give(a, tip); /* a branch of eight takes over */
    assert_int_equal(raw_expect(raw, "headers").len, 1 + 8 * 81);
    tip = builder_blocks(&f->builder, built_ancestor(tip, tip->height - 8), 9, NULL);
    mesh_give(a, tip); /* one of nine */
    assert_memory_equal(raw_expect(raw, "inv").p + 5, tip->block.hash.b, 32);
}

/* Who does not read is told nothing; and at once when it has read what there was. */
TEST(a_block_is_told_as_soon_as_the_queue_is_empty, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 74, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    env_stream_pause(raw->env, raw->stream, true);
    uint8_t locator[4 + 1 + 32 + 32] = {0};
    locator[4] = 1;
    memcpy(locator + 5, f->builder.genesis->block.hash.b, 32);
    memcpy(locator + 37, tip->block.hash.b, 32); /* no answer tells of what comes next */
    for (int i = 0; i < 150; i++)
        raw_send(raw, "getheaders", locator, sizeof locator); /* each answered by 10 kB */
    mesh_run(&f->mesh, 5000000);
    const struct built_block *next = builder_blocks(&f->builder, tip, 1, NULL);
    mesh_give(a, next);
    mesh_run(&f->mesh, 5000000);
    env_stream_pause(raw->env, raw->stream, false);
    int64_t start_us = f->mesh.events.now_us;
    (void)raw_expect(raw, "inv");
    assert_in_range(f->mesh.events.now_us - start_us, 0, 2000000);
}

TEST(a_peer_is_not_told_what_it_told_us, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 62, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    const struct built_block *next = builder_block(&f->builder, tip, NULL);
    raw_send_headers(raw, &next, 1);
    (void)raw_expect(raw, "getdata");
    raw_send_block(raw, next);
    assert_true(mesh_wait_tip(&f->mesh, next, 10) >= 0);
    mesh_run(&f->mesh, 3000000);
    assert_int_equal(raw_count(raw, "inv"), 0);
    assert_int_equal(raw_count(raw, "headers"), 0);
}

TEST(transactions_are_told_once_after_a_random_wait, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 63, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct tx parent = spend(f, tip, 1, 1000);
    struct builder_coin coin = builder_coin_of(&parent, 0, BUILDER_WSH_TRUE);
    struct tx child = builder_spend(&f->builder, &coin, 1, 2, 5000, BUILDER_WSH_TRUE);
    give_tx(a, &parent);
    give_tx(a, &child);
    struct span inv = raw_expect(raw, "inv");
    assert_int_equal(inv.len, 1 + 2 * 36); /* both, the parent first, by wtxid */
    assert_int_equal(inv.p[1], INV_WTX);
    assert_memory_equal(inv.p + 5, parent.wtxid.b, 32);
    assert_memory_equal(inv.p + 41, child.wtxid.b, 32);
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(raw_count(raw, "inv"), 1);
    raw_send_inv(raw, "getdata", INV_WTX, child.wtxid.b);
    assert_true(span_equal(raw_expect(raw, "tx"), child.raw));
    raw_send_inv(raw, "getdata", INV_TX, child.txid.b); /* without witness */
    assert_int_equal(raw_expect(raw, "tx").len, child.base_bytes);
}

/* A user's transaction does not end here because nobody was connected when it came. */
TEST(what_nobody_has_fetched_is_told_to_those_who_come_later, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 75, NULL, &tip);
    struct tx tx = spend(f, tip, 1, 1000);
    give_tx(a, &tx);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    mesh_run(&f->mesh, 1000 * INT64_C(1000000));
    assert_int_equal(raw_count(raw, "inv"), 1);
    assert_memory_equal(raw_expect(raw, "inv").p + 5, tx.wtxid.b, 32);
    raw_send_inv(raw, "getdata", INV_WTX, tx.wtxid.b);
    (void)raw_expect(raw, "tx");
    struct raw_peer *later = raw_join(&f->mesh, a, SERVICES);
    mesh_run(&f->mesh, 1000 * INT64_C(1000000));
    assert_int_equal(raw_count(later, "inv"), 0); /* it is out: no more is done for it */
}

TEST(what_our_user_sends_again_is_told_to_those_who_do_not_know_it, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 76, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct tx tx = spend(f, tip, 1, 1000);
    give_tx(a, &tx);
    (void)raw_expect(raw, "inv");
    raw_send_inv(raw, "getdata", INV_WTX, tx.wtxid.b);
    (void)raw_expect(raw, "tx");
    struct raw_peer *later = raw_join(&f->mesh, a, SERVICES);
    assert_int_equal(mesh_give_tx(a, &tx).code, REJECT_ALREADY_IN_MEMPOOL);
    mesh_run(&f->mesh, 60 * INT64_C(1000000));
    assert_memory_equal(raw_expect(later, "inv").p + 5, tx.wtxid.b, 32);
    assert_int_equal(raw_count(raw, "inv"), 1); /* the one from before */
}

/* Core does so: hashes of a block that is being told need the transactions, and those of a block
 * that was taken back are in the mempool, but nobody was told of them there. */
TEST(what_the_newest_block_held_may_be_fetched_untold, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 77, NULL, &tip);
    struct tx txs[2] = {spend(f, tip, 1, 1000)};
    struct builder_coin coin = builder_coin_of(&txs[0], 0, BUILDER_WSH_TRUE);
    txs[1] = builder_spend(&f->builder, &coin, 1, 1, 1000, BUILDER_WSH_TRUE);
    const struct tx tx = txs[1];
    assert_true(tx.has_witness);
    struct builder_spec spec = {.tx = txs, .n_tx = 2};
    mesh_give(a, builder_block(&f->builder, tip, &spec));
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    static const uint32_t types[] = {INV_TX, INV_WITNESS_TX, INV_WTX};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        bool is_wtxid = types[i] == INV_WTX;
        raw_send_inv(raw, "getdata", types[i], is_wtxid ? tx.wtxid.b : tx.txid.b);
        assert_int_equal(raw_expect(raw, "tx").len == tx.raw.len, types[i] != INV_TX);
    }
    /* A longer branch takes the block's place: what it held is there still, ... */
    struct builder_spec late = {.time = tip->block.header.time + 700};
    const struct built_block *fork = builder_block(&f->builder, tip, &late);
    const struct built_block *branch = builder_blocks(&f->builder, fork, 1, NULL);
    mesh_give(a, branch);
    raw_send_inv(raw, "getdata", INV_WTX, tx.wtxid.b);
    (void)raw_expect(raw, "tx");
    /* ... also when other blocks have come since, ... */
    struct tx other = spend(f, tip, 3, 1000);
    struct builder_spec full = {.tx = &other, .n_tx = 1};
    mesh_give(a, builder_block(&f->builder, branch, &full));
    raw_send_inv(raw, "getdata", INV_WTX, tx.wtxid.b);
    (void)raw_expect(raw, "tx");
    /* ... what else is in the mempool is not. */
    struct tx untold = spend(f, tip, 2, 1000);
    give_tx(a, &untold);
    raw_send_inv(raw, "getdata", INV_WTX, untold.wtxid.b);
    (void)raw_expect(raw, "notfound");
}

/* What a peer was not told of yet it cannot fetch: that would tell when we got it. */
TEST(a_transaction_cannot_be_fetched_before_it_is_told, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 64, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct tx tx = spend(f, tip, 1, 1000);
    give_tx(a, &tx);
    if (raw_count(raw, "inv") == 0) {
        raw_send_inv(raw, "getdata", INV_WTX, tx.wtxid.b);
        (void)raw_expect(raw, "notfound");
    }
    (void)raw_expect(raw, "inv");
    raw_send_inv(raw, "getdata", INV_WTX, tx.wtxid.b);
    (void)raw_expect(raw, "tx");
}

TEST(a_fee_filter_is_respected, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 65, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    uint8_t filter[8] = {0x10, 0x27}; /* 10,000 sat a kvB */
    raw_send(raw, "feefilter", filter, 8);
    mesh_run(&f->mesh, 500000);
    struct tx cheap = spend(f, tip, 1, 100), dear = spend(f, tip, 2, 100000);
    give_tx(a, &cheap);
    give_tx(a, &dear);
    mesh_run(&f->mesh, 60000000);
    struct span inv = raw_expect(raw, "inv");
    assert_int_equal(inv.len, 37);
    assert_memory_equal(inv.p + 5, dear.wtxid.b, 32);
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.fee_filter_sat_per_kvb, 10000);
}

/* Nor by announcing it first. */
TEST(who_announces_a_transaction_cannot_find_out_whether_it_is_here, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 72, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct tx tx = spend(f, tip, 1, 1000);
    give_tx(a, &tx);
    assert_int_equal(raw_count(raw, "inv"), 0);
    raw_send_inv(raw, "inv", INV_WTX, tx.wtxid.b);
    raw_send_inv(raw, "getdata", INV_WTX, tx.wtxid.b);
    (void)raw_expect(raw, "notfound");
    assert_int_equal(raw_count(raw, "tx"), 0);
}

/* The product of such a filter and the size is beyond 64 bits. */
TEST(a_fee_filter_of_all_money_lets_nothing_pass, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 73, NULL, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    uint8_t filter[8];
    struct writer w = writer_to_buffer(filter, sizeof filter);
    write_u64(&w, MAX_MONEY_SAT);
    raw_send(raw, "feefilter", filter, sizeof filter);
    mesh_run(&f->mesh, 500000);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(tip, 1));
    struct tx large = builder_spend(&f->builder, &coin, 1, 110, 100000, BUILDER_WSH_TRUE);
    give_tx(a, &large); /* 4.7 kvB: times 2.1e15 that is 9.9e18 */
    assert_in_range(mempool_find(a->mempool, &large.txid)->vbytes, 4400, 8780);
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(raw_count(raw, "inv"), 0);
}

/* While it syncs a node wants no transactions; what comes right after the sync it must not miss. */
TEST(the_end_of_the_sync_is_told_at_once, struct fixture *f)
{
    mesh_init(&f->mesh, 69, &f->builder, NULL);
    struct chain_options options = {.max_tip_age_s = 86400};
    struct mesh_node *a = mesh_add(&f->mesh, NULL, &options);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct reader r = reader_of(raw_expect(raw, "feefilter"));
    assert_int_equal(read_u64(&r), 9170997);
    struct builder_spec now = {.time = (uint32_t)env_unix_s(raw->env)};
    mesh_give(a, builder_block(&f->builder, f->builder.genesis, &now));
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "feefilter"), 2);
    r = reader_of(raw_expect(raw, "feefilter"));
    assert_in_range(read_u64(&r), 0, 1000);
}

TEST(a_trusted_peer_hears_at_once_and_may_ask_for_the_mempool, struct fixture *f)
{
    const struct built_block *tip;
    static const char *const trusted[] = {"noban,mempool@10.9.9.9"};
    struct p2p_options options = {.whitelist = trusted, .n_whitelist = 1};
    struct mesh_node *a = rich_node(f, 66, &options, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct tx tx = spend(f, tip, 1, 1000);
    give_tx(a, &tx);
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "inv"), 1);
    raw_send(raw, "mempool", NULL, 0);
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "inv"), 2);
    assert_false(raw->is_closed);
}

/* Who asks at every moment would find out when each transaction came. BIP-35, Specification */
TEST(the_mempool_is_told_once_when_it_is_the_peers_time, struct fixture *f)
{
    const struct built_block *tip;
    static const char *const list[] = {"mempool@10.9.9.9"};
    struct p2p_options options = {.whitelist = list, .n_whitelist = 1};
    struct mesh_node *a = rich_node(f, 70, &options, &tip);
    struct tx old = spend(f, tip, 1, 1000), fresh = spend(f, tip, 2, 1000);
    give_tx(a, &old);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    for (int i = 0; i < 3; i++)
        raw_send(raw, "mempool", NULL, 0);
    mesh_run(&f->mesh, 100000);
    assert_int_equal(raw_count(raw, "inv"), 0);
    give_tx(a, &fresh);
    int64_t due_us = a->p2p->relay.next_in_us - p2p_now_us(a->p2p);
    assert_in_range(due_us, 20000, 60000000);
    mesh_run(&f->mesh, due_us - 10000);
    assert_int_equal(raw_count(raw, "inv"), 0);
    assert_int_equal(raw_expect(raw, "inv").len, 1 + 2 * WIRE_INV_BYTES); /* the fresh one, too */
    mesh_run(&f->mesh, 60000000);
    assert_int_equal(raw_count(raw, "inv"), 1);
    raw_send(raw, "mempool", NULL, 0); /* all again, though it knows them */
    struct span inv = raw_find(raw, "inv", 60000000);
    assert_int_equal(inv.len, 1 + 2 * WIRE_INV_BYTES);
}

TEST(a_node_for_blocks_only_takes_no_transactions, struct fixture *f)
{
    const struct built_block *tip;
    struct p2p_options options = {.blocks_only = true};
    struct mesh_node *a = rich_node(f, 67, &options, &tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    struct reader r = reader_of(span_of(raw->got[0].payload, raw->got[0].len));
    struct wire_version version;
    assert_true(wire_version_decode(&r, &version));
    assert_false(version.relay);
    assert_int_equal(raw_count(raw, "feefilter"), 0);
    struct net_peer_info info; /* but what its user sends goes out */
    assert_true(mesh_peer_info(a, 0, &info));
    assert_true(info.relays_txs);
    struct tx tx = spend(f, tip, 1, 5000);
    give_tx(a, &tx);
    assert_memory_equal(raw_expect(raw, "inv").p + 5, tx.wtxid.b, 32);
    uint8_t hash[32] = {1};
    raw_send_inv(raw, "inv", INV_WTX, hash);
    mesh_run(&f->mesh, 500000);
    assert_true(raw->is_closed);
}
