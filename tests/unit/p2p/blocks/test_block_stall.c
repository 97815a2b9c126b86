/* test_block_stall.c - who keeps the window from moving: when he goes, who it is, who stays. */
#include "p2p/blocks/block_stall.h"

#include "p2p/blocks/block_branch.h"
#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

#define S INT64_C(1000000)

FIXTURE(mesh_setup, mesh_teardown)

/* An outbound peer of that class, which tells of n of the blocks. */
static struct raw_peer *add(struct fixture *f, enum peer_class class,
                            const struct built_block *const *blocks, size_t n)
{
    struct net_address address;
    uint16_t port = (uint16_t)(700 + f->n_raw);
    struct raw_peer *raw = raw_listen(&f->mesh, port);
    assert_true(net_address_parse("10.9.9.9", port, &address));
    assert_non_null(dial(f->node->p2p, &address, class, false));
    raw_handshake(raw, SERVICES);
    raw_send_headers(raw, blocks, n);
    mesh_run(&f->mesh, S / 10);
    f->raw[f->n_raw++] = raw;
    return raw;
}

/* -- The rule alone: time is what the test says ------------------------------------------------ */

static const struct block_node *start(struct fixture *f, enum peer_class first)
{
    (void)fixture_node(f, 1, &(struct p2p_options){.connect_only = true}, NULL);
    builder_blocks(&f->builder, f->builder.genesis, 3, f->blocks);
    (void)add(f, first, f->blocks, 1);
    (void)add(f, PEER_FULL, f->blocks, 1);
    (void)add(f, PEER_FULL, f->blocks, 1);
    struct p2p *p2p = f->node->p2p;
    const struct block_node *node = chain_find(f->node->chain, &f->blocks[0]->block.hash);
    struct block_request *request = block_request_find(&p2p->fetch, node);
    assert_non_null(request);
    int64_t now_us = p2p_now_us(p2p);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (block_request_slot(request, peer->id) < 0 &&
            !block_request_was_tried(request, peer->id))
            block_request_ask(p2p, request, peer, ++now_us);
    return node;
}

static void look(struct fixture *f, const struct block_node *node, int64_t at_us)
{
    p2p_enter(f->node->p2p);
    block_stall_look(f->node->p2p, node, at_us);
    p2p_leave(f->node->p2p);
}

/* Ids of the peers that are still there, as digits. */
static int who(const struct fixture *f)
{
    int ids = 0;
    for (const struct peer *peer = f->node->p2p->peers; peer; peer = peer->next)
        ids = 10 * ids + (int)peer->id;
    return ids;
}

TEST(the_time_doubles_and_who_has_owed_longest_goes_first, struct fixture *f)
{
    const struct block_node *node = start(f, PEER_FULL);
    int64_t at_us = p2p_now_us(f->node->p2p) + S;
    look(f, node, at_us);
    look(f, node, at_us + 2 * S);
    assert_int_equal(who(f), 123);
    look(f, node, at_us + 2 * S + 1);
    assert_int_equal(who(f), 23);
    look(f, node, at_us + 6 * S + 1);
    assert_int_equal(who(f), 23);
    look(f, node, at_us + 6 * S + 2);
    assert_int_equal(who(f), 3);
    look(f, node, at_us + 100 * S); /* nobody else has it */
    assert_int_equal(who(f), 3);
    assert_int_equal(f->node->p2p->fetch.stall.timeout_s, 8);
}

TEST(a_window_that_moves_begins_anew, struct fixture *f)
{
    const struct block_node *node = start(f, PEER_FULL);
    int64_t at_us = p2p_now_us(f->node->p2p) + S;
    look(f, node, at_us);
    look(f, NULL, at_us + 2 * S);
    look(f, node, at_us + 3 * S);
    look(f, node, at_us + 5 * S);
    assert_int_equal(who(f), 123);
    look(f, node, at_us + 5 * S + 1);
    assert_int_equal(who(f), 23);
}

TEST(who_is_only_slow_or_was_named_by_the_user_stays, struct fixture *f)
{
    const struct block_node *node = start(f, PEER_MANUAL);
    int64_t at_us = p2p_now_us(f->node->p2p) + S;
    f->node->p2p->peers->next->fetch.heard_us = at_us + S; /* six thousand bytes more */
    look(f, node, at_us);
    look(f, node, at_us + 3 * S);
    assert_int_equal(who(f), 12);
}

TEST(the_time_is_64_s_at_most_and_shrinks_to_2_with_the_blocks_that_come, struct fixture *f)
{
    const struct block_node *node = start(f, PEER_FULL);
    struct block_stall *stall = &f->node->p2p->fetch.stall;
    stall->timeout_s = 64;
    int64_t at_us = p2p_now_us(f->node->p2p) + S;
    look(f, node, at_us);
    look(f, node, at_us + 64 * S + 1);
    assert_int_equal(who(f), 23);
    static const int want_s[] = {54, 45, 38, 32, 27, 22, 18, 15, 12, 10, 8, 6, 5, 4, 3, 2, 2};
    for (size_t i = 0; i < COUNT_OF(want_s); i++) {
        assert_int_equal(stall->timeout_s, i ? want_s[i - 1] : 64);
        block_stall_connected(f->node->p2p);
    }
    assert_int_equal(stall->timeout_s, 2);
}

/* -- With the window --------------------------------------------------------------------------- */

#define N (BLOCK_BRANCH_WINDOW + 1)

static void send_but_the_first(struct raw_peer *raw, const struct built_block *const *blocks,
                               const uint8_t *hash)
{
    for (size_t i = 1; i < N; i++)
        if (memcmp(hash, blocks[i]->block.hash.b, 32) == 0)
            raw_send_block(raw, blocks[i]);
}

/* What it is asked for. */
static void deliver(struct raw_peer *raw, const struct built_block *const *blocks)
{
    struct span asked;
    while ((asked = raw_find(raw, "getdata", 0)).p)
        for (size_t at = asked.len % 36; at < asked.len; at += 36)
            send_but_the_first(raw, blocks, asked.p + at + 4);
}

/* Two have all but the first block, of a chain of n. Returns: how many stay so long */
static int withhold(struct fixture *f, size_t n, int64_t us)
{
    static const struct built_block *blocks[N];
    (void)fixture_node(f, 2, &(struct p2p_options){.connect_only = true}, NULL);
    builder_blocks(&f->builder, f->builder.genesis, N, blocks);
    struct raw_peer *one = add(f, PEER_FULL, blocks, n), *two = add(f, PEER_FULL, blocks, n);
    for (int64_t at_us = 0; at_us < us; at_us += S / 20) {
        deliver(one, blocks);
        deliver(two, blocks);
        mesh_run(&f->mesh, S / 20);
    }
    return 2 - one->is_closed - two->is_closed;
}

TEST(who_withholds_the_first_block_of_a_full_window_goes, struct fixture *f)
{
    assert_int_equal(withhold(f, N, 7 * S), 1);
}

TEST(where_the_window_holds_all_blocks_nobody_goes_for_that, struct fixture *f)
{
    assert_int_equal(withhold(f, N - 1, 7 * S), 2);
}
