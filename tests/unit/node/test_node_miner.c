/* test_node_miner.c - a signet that one node signs and mines, and others verify, in virtual time.
 */
#include "node/node_miner.h"

#include "sim/sim_world.h"
#include "support/unit.h"
#include "util/alloc.h"

#define SECOND     INT64_C(1000000)
#define INTERVAL_S 10

/* Regtest's work with a signet's rule: multisig, 1 of 1, of secret 1's key. */
static const uint8_t challenge[] = {0x51, 0x21, 0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb,
                                    0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02,
                                    0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81,
                                    0x5b, 0x16, 0xf8, 0x17, 0x98, 0x51, 0xae};
#define KEY_1 "0000000000000000000000000000000000000000000000000000000000000001"

struct fixture {
    struct network network;
    struct signet_signer *signer;
    struct sim_world *world;
    size_t n_tips[3];
    int64_t tip_at_us; /* of the first node */
    int64_t gap_min_us, gap_max_us;
    size_t n_warned;
    char warned[200];
};

static int set_up(void **state)
{
    static const uint8_t seed[32] = {9};
    struct fixture *f = *state = xcalloc(1, sizeof *f);
    enum signet_signer_fault fault;
    f->network = *network_get(NETWORK_REGTEST);
    f->network.signet_blocks = true;
    f->network.signet_challenge = span_of(challenge, sizeof challenge);
    f->signer = signet_signer_new(&f->network, KEY_1, seed, &fault);
    assert_non_null(f->signer);
    f->gap_min_us = INT64_MAX;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->world)
        sim_world_free(f->world);
    signet_signer_free(f->signer);
    xfree(f);
    return 0;
}

FIXTURE(set_up, tear_down)

static void on_tip(void *ctx, size_t node, const char *hash)
{
    struct fixture *f = ctx;
    (void)hash;
    f->n_tips[node]++;
    if (node != 0)
        return;
    int64_t now_us = sim_world_now_us(f->world), gap_us = now_us - f->tip_at_us;
    if (f->n_tips[0] > 1) {
        f->gap_min_us = MIN_OF(f->gap_min_us, gap_us);
        f->gap_max_us = MAX_OF(f->gap_max_us, gap_us);
    }
    f->tip_at_us = now_us;
}

static void on_warned(void *ctx, size_t node, const char *line)
{
    struct fixture *f = ctx;
    (void)node;
    f->n_warned++;
    snprintf(f->warned, sizeof f->warned, "%s", line);
}

static void start(struct fixture *f, uint64_t seed, size_t n_nodes)
{
    const struct sim_world_options options = {
        .seed = seed,
        .n_nodes = n_nodes,
        .net = {.latency_min_us = 20000, .latency_max_us = 80000},
        .network = &f->network,
        .signer = f->signer,
        .mine_interval_s = INTERVAL_S,
        .tip = on_tip,
        .warned = on_warned,
        .ctx = f,
    };
    f->world = sim_world_new(&options);
    for (size_t i = 0; i < n_nodes; i++)
        sim_world_start(f->world, i);
}

static const struct block_node *tip_of(struct fixture *f, size_t i)
{
    return chain_tip(node_chain(sim_world_node(f->world, i)));
}

TEST(a_hundred_blocks_come_one_each_interval_and_others_verify_them, struct fixture *f)
{
    start(f, 1, 2);
    sim_world_run_for(f->world, 100 * INTERVAL_S * SECOND + 5 * SECOND);
    assert_int_equal(tip_of(f, 0)->height, 100);
    assert_int_equal(tip_of(f, 1)->height, 100);
    assert_memory_equal(tip_of(f, 0)->hash.b, tip_of(f, 1)->hash.b, 32);
    assert_int_equal(f->n_tips[1], 100);
    /* No block came early or late: nothing here takes longer than a tenth of a second. */
    assert_in_range(f->gap_min_us, (INTERVAL_S - 0.1) * SECOND, INTERVAL_S * SECOND);
    assert_in_range(f->gap_max_us, INTERVAL_S * SECOND, (INTERVAL_S + 0.1) * SECOND);
    assert_int_equal(f->n_warned, 0);
    struct sim_summary a, b;
    assert_true(sim_world_summary(f->world, 0, &a) && sim_world_summary(f->world, 1, &b));
    assert_string_equal(a.muhash, b.muhash);
    assert_null(sim_world_failure(f->world));
}

/* The same seed, the same chain: neither threads nor their speed show in it. */
TEST(what_is_mined_follows_from_the_seed, struct fixture *f)
{
    char first[HEX_ID_BYTES], again[HEX_ID_BYTES];
    start(f, 5, 2);
    sim_world_run_for(f->world, 12 * INTERVAL_S * SECOND);
    sim_world_trace_hash(f->world, first);
    sim_world_free(f->world);
    start(f, 5, 2);
    sim_world_run_for(f->world, 12 * INTERVAL_S * SECOND);
    sim_world_trace_hash(f->world, again);
    assert_string_equal(first, again);
    assert_true(tip_of(f, 0)->height >= 11);
}

static void keep_status(void *arg, int status, const char *body)
{
    (void)body;
    *(int *)arg = status;
}

/* The interval counts from the last block, whoever made it. */
TEST(a_block_made_by_order_begins_the_interval_anew, struct fixture *f)
{
    start(f, 2, 1);
    sim_world_run_for(f->world, 17 * SECOND);
    assert_int_equal(tip_of(f, 0)->height, 1);
    int status = 0;
    sim_world_call(f->world, 0, "generatetodescriptor", "[1, \"raw(51)\"]", keep_status, &status);
    sim_world_run_for(f->world, 9 * SECOND); /* second 26 */
    assert_int_equal(status, 200);
    assert_int_equal(tip_of(f, 0)->height, 2);
    sim_world_run_for(f->world, 2 * SECOND);
    assert_int_equal(tip_of(f, 0)->height, 3);
}

TEST(a_stop_ends_it_and_a_start_goes_on, struct fixture *f)
{
    start(f, 3, 1);
    for (int i = 1; i <= 20; i++) {
        /* Whatever is under way: at the due time, a little before, a little behind. */
        sim_world_run_for(f->world, INTERVAL_S * SECOND + i * SECOND / 2000);
        sim_world_stop(f->world, 0);
        sim_world_run_for(f->world, 30 * SECOND);
        assert_int_equal(sim_world_state(f->world, 0), SIM_MACHINE_OFF);
        sim_world_start(f->world, 0);
    }
    assert_true(tip_of(f, 0)->height >= 10);
    assert_null(sim_world_failure(f->world));
}

/* A clock that was set back: nothing is mined that others would refuse, one line says why, and it
 * goes on when the tip's time has come. */
TEST(a_clock_set_back_is_told_once, struct fixture *f)
{
    start(f, 4, 1);
    sim_world_run_for(f->world, 35 * SECOND);
    assert_int_equal(tip_of(f, 0)->height, 3);
    sim_world_move_clock(f->world, 0, -9000);
    sim_world_run_for(f->world, 60 * SECOND);
    assert_int_equal(tip_of(f, 0)->height, 3);
    assert_int_equal(f->n_warned, 1);
    assert_non_null(
        strstr(f->warned, "A block of our own is not taken: the clock is behind the tip's time"));
    sim_world_move_clock(f->world, 0, 9000);
    sim_world_run_for(f->world, 20 * SECOND);
    assert_in_range(tip_of(f, 0)->height, 4, 6);
}

/* A header costs little: one whose block never comes delays the next block, and no more. */
TEST(a_header_without_a_block_is_not_waited_for_for_ever, struct fixture *f)
{
    start(f, 6, 1);
    sim_world_run_for(f->world, 15 * SECOND);
    assert_int_equal(tip_of(f, 0)->height, 1);
    struct chain *chain = node_chain(sim_world_node(f->world, 0));
    struct block_header header = {.version = 0x20000000,
                                  .prev = tip_of(f, 0)->hash,
                                  .time = tip_of(f, 0)->time + 1,
                                  .bits = tip_of(f, 0)->bits};
    struct verdict verdict;
    while (!chain_accept_header(chain, &header, &verdict))
        header.nonce++;
    sim_world_run_for(f->world, 30 * SECOND);
    assert_int_equal(tip_of(f, 0)->height, 1);
    sim_world_run_for(f->world, 60 * SECOND);
    assert_in_range(tip_of(f, 0)->height, 3, 5);
}
