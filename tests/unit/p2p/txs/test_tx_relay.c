/* test_tx_relay.c - transactions from peers: asked for once, orphans completed, floods bounded. */
#include "p2p/state.h"
#include "p2p/txs/tx_relay.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

struct rich {
    struct mesh_node *node;
    const struct built_block *tip;
};

static struct rich rich_of(struct fixture *f, uint64_t seed)
{
    struct rich rich;
    rich.node = rich_node(f, seed, NULL, &rich.tip);
    return rich;
}

static struct tx child_of(struct fixture *f, const struct tx *parent)
{
    struct builder_coin coin = builder_coin_of(parent, 0, BUILDER_WSH_TRUE);
    return builder_spend(&f->builder, &coin, 1, 2, 1000, BUILDER_WSH_TRUE);
}

static void send_tx(struct raw_peer *raw, const struct tx *tx)
{
    raw_send(raw, "tx", tx->raw.p, tx->raw.len);
}

static bool has_tx(const struct rich *rich, const struct tx *tx)
{
    return mempool_find(rich->node->mempool, &tx->txid) != NULL;
}

TEST(what_is_announced_is_asked_for_and_taken, struct fixture *f)
{
    struct rich rich = rich_of(f, 71);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    struct tx tx = spend(f, rich.tip, 1, 1000);
    int64_t start_us = f->mesh.events.now_us;
    raw_send_inv(raw, "inv", INV_WTX, tx.wtxid.b);
    struct span getdata = raw_expect(raw, "getdata");
    assert_in_range(f->mesh.events.now_us - start_us, 2000000, 2200000); /* inbound peers wait */
    assert_int_equal(getdata.p[1], INV_WTX);
    assert_memory_equal(getdata.p + 5, tx.wtxid.b, 32);
    send_tx(raw, &tx);
    mesh_run(&f->mesh, 1000000);
    assert_true(has_tx(&rich, &tx));
    struct net_peer_info info;
    assert_true(mesh_peer_info(rich.node, 0, &info));
    assert_true(info.last_tx_s > 0);
    assert_int_equal(rich.node->p2p->peers->txs.all.count, 0);
    raw_send_inv(raw, "inv", INV_WTX, tx.wtxid.b); /* it is here: nobody is asked */
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(raw_count(raw, "getdata"), 1);
    assert_int_equal(raw_count(raw, "inv"), 0); /* nor told back */
}

/* Hazard 55. */
TEST(the_second_announcer_is_asked_when_the_first_says_nothing, struct fixture *f)
{
    struct rich rich = rich_of(f, 72);
    struct raw_peer *one = raw_connect(&f->mesh, rich.node);
    struct raw_peer *two = raw_connect(&f->mesh, rich.node);
    raw_handshake(one, SERVICES);
    raw_handshake(two, SERVICES);
    struct tx tx = spend(f, rich.tip, 1, 1000);
    raw_send_inv(one, "inv", INV_WTX, tx.wtxid.b);
    (void)raw_expect(one, "getdata");
    raw_send_inv(two, "inv", INV_WTX, tx.wtxid.b);
    mesh_run(&f->mesh, TX_FETCH_TIMEOUT_US - 500000);
    assert_int_equal(raw_count(two, "getdata"), 0);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(raw_count(two, "getdata"), 1);
    send_tx(two, &tx);
    mesh_run(&f->mesh, 1000000);
    assert_true(has_tx(&rich, &tx));
}

/* Twenty inbound peers announce first and say nothing: ours is asked next, a minute later. */
TEST(an_outbound_peer_is_asked_though_many_announce_before_it, struct fixture *f)
{
    enum { N = 20 };
    static const char *const nodes[] = {"10.9.9.9:700"};
    struct p2p_options options = {.connect_only = true, .connect = nodes, .n_connect = 1};
    mesh_init(&f->mesh, 78, &f->builder, NULL);
    struct raw_peer *source = raw_listen(&f->mesh, 700), *bad[N];
    struct rich rich = {.node = mesh_add(&f->mesh, &options, NULL)};
    rich.tip = builder_blocks(&f->builder, f->builder.genesis, 120, NULL);
    mesh_give(rich.node, rich.tip);
    raw_handshake(source, SERVICES);
    struct tx tx = spend(f, rich.tip, 1, 1000), next = spend(f, rich.tip, 2, 1000);
    for (size_t i = 0; i < N; i++) {
        bad[i] = raw_join(&f->mesh, rich.node, SERVICES);
        raw_send_inv(bad[i], "inv", INV_WTX, tx.wtxid.b);
    }
    mesh_run(&f->mesh, 2 * TX_FETCH_DELAY_US); /* by now one of them is being asked */
    raw_send_inv(source, "inv", INV_WTX, tx.wtxid.b);
    assert_non_null(raw_find(source, "getdata", TX_FETCH_TIMEOUT_US).p);
    send_tx(source, &tx);
    mesh_run(&f->mesh, 1000000);
    assert_true(has_tx(&rich, &tx));
    /* Of what it announces in time they cannot keep anything. */
    for (size_t i = 0; i < N; i++)
        raw_send_inv(bad[i], "inv", INV_WTX, next.wtxid.b);
    raw_send_inv(source, "inv", INV_WTX, next.wtxid.b);
    assert_non_null(raw_find(source, "getdata", 1000000).p);
}

/* While its answer is being checked nobody else is asked. */
TEST(one_answer_is_enough_if_it_is_good, struct fixture *f)
{
    struct rich rich = rich_of(f, 81);
    struct raw_peer *raw[3];
    struct tx tx = spend(f, rich.tip, 1, 1000);
    for (size_t i = 0; i < 3; i++) {
        raw[i] = raw_join(&f->mesh, rich.node, SERVICES);
        raw_send_inv(raw[i], "inv", INV_WTX, tx.wtxid.b);
    }
    (void)raw_expect(raw[0], "getdata");
    send_tx(raw[0], &tx);
    static const uint8_t other[32] = {1};
    raw_send_inv(raw[0], "notfound", INV_WTX, other); /* has the mesh look for what to ask */
    mesh_run(&f->mesh, 5000000);
    assert_true(has_tx(&rich, &tx));
    assert_int_equal(raw_count(raw[1], "getdata") + raw_count(raw[2], "getdata"), 0);
}

TEST(an_orphans_parent_is_asked_for_and_both_are_taken, struct fixture *f)
{
    struct rich rich = rich_of(f, 73);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    struct tx parent = spend(f, rich.tip, 1, 1000), child = child_of(f, &parent);
    struct tx grandchild = child_of(f, &child);
    send_tx(raw, &grandchild);
    struct span getdata = raw_expect(raw, "getdata");
    assert_memory_equal(getdata.p + 5, child.txid.b, 32);
    send_tx(raw, &child);
    getdata = raw_expect(raw, "getdata");
    assert_memory_equal(getdata.p + 5, parent.txid.b, 32);
    send_tx(raw, &parent);
    mesh_run(&f->mesh, 2000000);
    assert_true(has_tx(&rich, &parent));
    assert_true(has_tx(&rich, &child));
    assert_true(has_tx(&rich, &grandchild));
}

static void note_orphan(void *arg, const struct net_orphan *info)
{
    size_t *n_peers = arg;
    assert_true(info->raw.len > 0 && info->weight_wu > 0);
    *n_peers = *n_peers * 10 + info->n_peers;
}

TEST(orphans_are_shown_with_all_who_announced_them, struct fixture *f)
{
    struct rich rich = rich_of(f, 81);
    struct raw_peer *first = raw_connect(&f->mesh, rich.node);
    struct raw_peer *second = raw_connect(&f->mesh, rich.node);
    raw_handshake(first, SERVICES);
    raw_handshake(second, SERVICES);
    struct tx a = spend(f, rich.tip, 1, 1000), b = spend(f, rich.tip, 2, 1000);
    struct tx one = child_of(f, &a), two = child_of(f, &b);
    size_t shown = 0;
    p2p_each_orphan(rich.node->p2p, note_orphan, &shown);
    assert_int_equal(shown, 0);
    send_tx(first, &one);
    mesh_run(&f->mesh, 1000000);
    send_tx(first, &two);
    raw_send_inv(second, "inv", INV_WTX, one.wtxid.b);
    mesh_run(&f->mesh, 1000000);
    p2p_each_orphan(rich.node->p2p, note_orphan, &shown);
    assert_int_equal(shown, 21); /* the oldest first */
}

static void send_invs(struct raw_peer *raw, const struct wire_inv *invs, size_t n)
{
    uint8_t bytes[1 + 8 * WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        wire_inv_encode(&w, &invs[i]);
    raw_send(raw, "inv", bytes, w.len);
}

struct inv_lines {
    char text[16][100];
    size_t n;
};

static void note_inv_line(void *ctx, enum log_level level, enum log_category category,
                          const char *line)
{
    struct inv_lines *lines = ctx;
    (void)level, (void)category;
    if (strncmp(line, "got inv: ", 9) == 0 && lines->n < COUNT_OF(lines->text))
        snprintf(lines->text[lines->n++], sizeof lines->text[0], "%.14s", line + 9);
}

/* Whatever one message names twice is looked at once; what is not said in the peer's own terms, not
 * at all. Types of txids are one. */
TEST(what_an_inv_names_twice_counts_once, struct fixture *f)
{
    static const struct {
        bool is_by_wtxid;
        struct wire_inv invs[5];
        size_t n;
        const char *want[3];
    } rows[] = {
        {true,
         {{INV_TX, {1}}, {INV_WTX, {1}}, {INV_WTX, {2}}, {INV_WTX, {1}}, {INV_WTX, {2}}},
         5,
         {"wtx 0000000000", "wtx 0000000000"}},
        {true, {{INV_WITNESS_TX, {3}}, {INV_WTX, {3}}}, 2, {"witness-tx 000", "wtx 0000000000"}},
        {true, {{INV_WTX, {1}}}, 1, {"wtx 0000000000"}}, /* another message is heard again */
        {false, {{INV_TX, {4}}, {INV_WITNESS_TX, {4}}, {INV_WTX, {4}}}, 3, {"tx 00000000000"}},
        {false, {{INV_WITNESS_TX, {5}}, {INV_TX, {5}}}, 2, {"witness-tx 000"}},
    };
    struct rich rich = rich_of(f, 82);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    struct peer *peer = rich.node->p2p->peers;
    struct inv_lines lines = {.n = 0};
    const struct log log = {1u << LOG_NET, note_inv_line, &lines}, *own = rich.node->p2p->log;
    rich.node->p2p->log = &log;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        lines.n = 0;
        peer->wants_wtxid = rows[i].is_by_wtxid;
        send_invs(raw, rows[i].invs, rows[i].n);
        mesh_run(&f->mesh, 1000000);
        for (size_t k = 0; k < COUNT_OF(rows[i].want) && rows[i].want[k]; k++)
            assert_string_equal(lines.text[k], rows[i].want[k]);
        assert_null(rows[i].want[MIN_OF(lines.n, COUNT_OF(rows[i].want) - 1)]);
    }
    rich.node->p2p->log = own;
}

/* An attacker sends it first and goes, or never has its parent: who announced it too is asked. */
TEST(an_orphan_outlives_its_sender_if_another_has_it, struct fixture *f)
{
    struct rich rich = rich_of(f, 79);
    struct raw_peer *bad = raw_connect(&f->mesh, rich.node);
    struct raw_peer *honest = raw_connect(&f->mesh, rich.node);
    raw_handshake(bad, SERVICES);
    raw_handshake(honest, SERVICES);
    struct tx parent = spend(f, rich.tip, 1, 1000), child = child_of(f, &parent);
    send_tx(bad, &child);
    (void)raw_expect(bad, "getdata"); /* for the parent: no answer */
    raw_send_inv(honest, "inv", INV_WTX, child.wtxid.b);
    mesh_run(&f->mesh, 1000000);
    raw_free(bad);
    struct span asked = raw_expect(honest, "getdata");
    assert_memory_equal(asked.p + 5, parent.txid.b, 32); /* the child itself is here */
    send_tx(honest, &parent);
    mesh_run(&f->mesh, 2000000);
    assert_true(has_tx(&rich, &parent) && has_tx(&rich, &child));
}

/* A parent is named by its txid, and asked for after the wait that an announcement has. */
TEST(a_parent_is_asked_for_in_the_peers_own_terms, struct fixture *f)
{
    struct rich rich = rich_of(f, 80);
    static const struct {
        uint64_t services;
        uint8_t type[4];
    } rows[] = {{NODE_NETWORK, {1, 0, 0, 0}}, {SERVICES, {1, 0, 0, 0x40}}}; /* BIP144 */
    for (int32_t i = 0; i < 2; i++) {
        struct raw_peer *raw = raw_join(&f->mesh, rich.node, rows[i].services);
        struct tx parent = spend(f, rich.tip, 1 + i, 1000), child = child_of(f, &parent);
        send_tx(raw, &child);
        mesh_run(&f->mesh, TX_FETCH_DELAY_US + 1000000);
        assert_int_equal(raw_count(raw, "getdata"), 0); /* it may be on its way from another */
        struct span asked = raw_expect(raw, "getdata");
        assert_memory_equal(asked.p + 1, rows[i].type, 4);
        assert_memory_equal(asked.p + 5, parent.txid.b, 32);
        raw_free(raw);
    }
}

TEST(a_block_completes_orphans_too, struct fixture *f)
{
    struct rich rich = rich_of(f, 74);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    struct tx parent = spend(f, rich.tip, 1, 1000), child = child_of(f, &parent);
    send_tx(raw, &child);
    (void)raw_expect(raw, "getdata");
    struct builder_spec spec = {.tx = &parent, .n_tx = 1};
    mesh_give(rich.node, builder_block(&f->builder, rich.tip, &spec));
    mesh_run(&f->mesh, 2000000);
    assert_true(has_tx(&rich, &child));
}

/* Bad transactions are remembered until the next block; sending them is not held against a peer. */
TEST(a_refused_transaction_is_not_asked_for_again, struct fixture *f)
{
    struct rich rich = rich_of(f, 75);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(rich.tip, 1));
    struct tx free_tx = builder_spend(&f->builder, &coin, 1, 2, 0, BUILDER_WSH_TRUE);
    send_tx(raw, &free_tx);
    mesh_run(&f->mesh, 1000000);
    assert_false(has_tx(&rich, &free_tx));
    raw_send_inv(raw, "inv", INV_WTX, free_tx.wtxid.b);
    mesh_run(&f->mesh, 10000000);
    assert_int_equal(raw_count(raw, "getdata"), 0);
    assert_false(raw->is_closed);
    mesh_give(rich.node, builder_block(&f->builder, rich.tip, NULL));
    raw_send_inv(raw, "inv", INV_WTX, free_tx.wtxid.b);
    mesh_run(&f->mesh, 10000000);
    assert_int_equal(raw_count(raw, "getdata"), 1);
}

/* Hazard 50: announcements as fast as they come. */
TEST(a_flood_of_announcements_is_bounded, struct fixture *f)
{
    struct rich rich = rich_of(f, 76);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    enum { N = 2000 };
    uint8_t *bytes = xcalloc(1, 3 + 36 * N);
    for (uint32_t round = 0; round < 20; round++) {
        struct writer w = writer_to_buffer(bytes, 3 + 36 * N);
        write_compact_size(&w, N);
        for (uint32_t i = 0; i < N; i++) {
            struct wire_inv inv = {.type = INV_WTX};
            uint32_t number = round * N + i;
            memcpy(inv.hash, &number, 4);
            inv.hash[31] = 7;
            wire_inv_encode(&w, &inv);
        }
        raw_send(raw, "inv", bytes, w.len);
    }
    mesh_run(&f->mesh, 30000000);
    assert_int_equal(rich.node->p2p->peers->txs.all.count, TX_FETCH_ANNOUNCEMENTS_MAX);
    size_t asked = 0;
    for (size_t i = 0; i < raw->n_got; i++)
        if (strcmp(raw->got[i].name, "getdata") == 0)
            asked += (raw->got[i].len - 1) / 36;
    assert_int_equal(asked, TX_FETCH_ANNOUNCEMENTS_MAX); /* once each, and no more */
    /* A block from another peer comes through all the same. */
    struct raw_peer *honest = raw_join(&f->mesh, rich.node, SERVICES);
    const struct built_block *next = builder_block(&f->builder, rich.tip, NULL);
    raw_send_headers(honest, &next, 1);
    (void)raw_expect(honest, "getdata");
    raw_send_block(honest, next);
    assert_in_range(mesh_wait_tip(&f->mesh, next, 10), 1, 2000000);
    xfree(bytes);
}

/* Hazard 53: many orphans of one parent, and the loop goes on. */
TEST(many_orphans_are_tried_one_at_a_time, struct fixture *f)
{
    struct rich rich = rich_of(f, 77);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(rich.tip, 1));
    struct tx parent = builder_spend(&f->builder, &coin, 1, 60, 10000, BUILDER_WSH_TRUE);
    struct tx child[60];
    for (uint32_t i = 0; i < 60; i++) {
        struct builder_coin out = builder_coin_of(&parent, i, BUILDER_WSH_TRUE);
        child[i] = builder_spend(&f->builder, &out, 1, 2, 1000, BUILDER_WSH_TRUE);
        send_tx(raw, &child[i]);
    }
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(mempool_count(rich.node->mempool), 0);
    sim_env_jobs(rich.node->sim)->pool[ENV_POOL_COMPUTE].run_max_us = 20000;
    send_tx(raw, &parent);
    for (int64_t us = 0; us < 5000000; us += 1000) {
        mesh_run(&f->mesh, 1000);
        assert_in_range(rich.node->p2p->n_operations, 0, 1);
    }
    assert_int_equal(mempool_count(rich.node->mempool), 61);
}

/* Hazard 64: who sends more than are judged has to wait, with what it sends. */
TEST(a_peer_has_so_many_transactions_waiting, struct fixture *f)
{
    enum { N = 60 };
    struct rich rich = rich_of(f, 83);
    struct raw_peer *raw = raw_join(&f->mesh, rich.node, SERVICES);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(rich.tip, 1));
    struct tx parent = builder_spend(&f->builder, &coin, 1, N, 10000, BUILDER_WSH_TRUE);
    size_t most = 0;
    send_tx(raw, &parent);
    for (uint32_t i = 0; i < N; i++) {
        struct builder_coin out = builder_coin_of(&parent, i, BUILDER_WSH_TRUE);
        struct tx child = builder_spend(&f->builder, &out, 1, 2, 1000, BUILDER_WSH_TRUE);
        send_tx(raw, &child);
    }
    for (int64_t us = 0; us < 1000000; us += 100) {
        mesh_run(&f->mesh, 100);
        const struct tx_queue_peer *queue = &rich.node->p2p->peers->tx_queue;
        most = MAX_OF(most, queue->items.count + queue->n_checking);
    }
    assert_in_range(most, TX_QUEUE_PEER_MAX - 1, TX_QUEUE_PEER_MAX);
    assert_int_equal(mempool_count(rich.node->mempool), 1 + N);
}
