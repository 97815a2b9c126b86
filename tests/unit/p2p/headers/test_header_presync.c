/* test_header_presync.c - headers of little work cost us bits, lies are noticed. */
#include <malloc.h>

#include "consensus/pow.h"
#include "p2p/headers/header_presync.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

#define CHAIN_LEN 20000
#define BATCH     2000
#define START_S   INT64_C(1300000000)

struct world {
    struct sim_env *sim;
    const struct network *network;
    struct header_tree tree;
    struct block_node *start;
    struct block_header *headers; /* without proof of work: that is looked at elsewhere */
};

static void make_headers(struct block_header *out, size_t n, struct block_hash prev, uint32_t salt)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct block_header){.version = 4,
                                       .prev = prev,
                                       .time = (uint32_t)(START_S + (int64_t)i * 600),
                                       .bits = 0x207fffff,
                                       .nonce = salt};
        prev = block_header_hash(&out[i]);
    }
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->sim = sim_env_new(3);
    w->network = network_get(NETWORK_REGTEST);
    header_tree_init(&w->tree, (struct siphash_key){1, 2});
    struct block_header genesis = {.bits = 0x207fffff, .time = (uint32_t)START_S};
    struct block_hash hash = block_header_hash(&genesis);
    w->start = header_tree_add(&w->tree, &genesis, &hash);
    w->headers = xcalloc(CHAIN_LEN, sizeof *w->headers);
    make_headers(w->headers, CHAIN_LEN, hash, 7);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    xfree(w->headers);
    header_tree_deinit(&w->tree);
    sim_env_free(w->sim);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static struct u256 work_of(const struct world *w, size_t n)
{
    return u256_add(w->start->chain_work, u256_mul(pow_block_work(0x207fffff), n));
}

static struct header_presync *begin(struct world *w, size_t n_needed)
{
    return presync_new(sim_env_get(w->sim), w->network, w->start, work_of(w, n_needed),
                       START_S + (int64_t)CHAIN_LEN * 600);
}

/* Give batches from the place that it asks for; returns the headers handed out. */
static size_t feed(struct header_presync *presync, const struct block_header *headers, size_t n,
                   enum presync_phase *phase)
{
    size_t out = 0;
    struct block_hash prev = headers[0].prev;
    for (int rounds = 0; rounds < 100; rounds++) {
        struct block_hash next = presync_next(presync);
        size_t at = 0;
        while (at < n && !block_hash_equal(&headers[at].prev, &next))
            at++;
        if (at == n)
            break;
        size_t len = n - at < BATCH ? n - at : BATCH, n_ready;
        const struct block_header *ready;
        *phase = presync_take(presync, headers + at, len, len == BATCH, &ready, &n_ready);
        for (size_t i = 0; i < n_ready; i++) {
            assert_true(block_hash_equal(&ready[i].prev, &prev));
            prev = block_header_hash(&ready[i]);
        }
        out += n_ready;
        if (*phase == PRESYNC_DONE || *phase == PRESYNC_FAILED)
            break;
    }
    return out;
}

TEST(enough_work_comes_out_whole_in_the_second_pass, struct world *w)
{
    struct header_presync *presync = begin(w, 17000);
    enum presync_phase phase = PRESYNC_COMMIT;
    size_t n = feed(presync, w->headers, CHAIN_LEN, &phase);
    assert_int_equal(phase, PRESYNC_DONE);
    assert_in_range(n, 17000, 18000);
    presync_free(presync);
}

/* Hazard 47: a low chain costs a few bytes, and nothing comes out. */
TEST(too_little_work_costs_bits_and_comes_to_nothing, struct world *w)
{
    size_t before = mallinfo2().uordblks; /* 0 under a sanitizer */
    struct header_presync *presync = begin(w, CHAIN_LEN + 1);
    enum presync_phase phase = PRESYNC_COMMIT;
    assert_int_equal(feed(presync, w->headers, CHAIN_LEN - 1, &phase), 0);
    assert_int_equal(phase, PRESYNC_FAILED);
    assert_in_range(mallinfo2().uordblks - before, 0, 4096);
    presync_free(presync);
}

TEST(another_chain_in_the_second_pass_is_noticed_and_nothing_comes_out, struct world *w)
{
    struct header_presync *presync = begin(w, 18000);
    enum presync_phase phase = PRESYNC_COMMIT;
    const struct block_header *ready;
    size_t n_ready;
    for (size_t at = 0; phase == PRESYNC_COMMIT; at += BATCH)
        phase = presync_take(presync, w->headers + at, BATCH, true, &ready, &n_ready);
    assert_int_equal(phase, PRESYNC_FETCH);
    struct block_header *other = xcalloc(CHAIN_LEN, sizeof *other);
    make_headers(other, CHAIN_LEN, w->start->hash, 8);
    size_t n = feed(presync, other, CHAIN_LEN, &phase);
    /* Half the bits agree by chance: 24 in a row do not. */
    assert_int_equal(phase, PRESYNC_FAILED);
    assert_int_equal(n, 0);
    xfree(other);
    presync_free(presync);
}

TEST(headers_that_do_not_follow_end_it, struct world *w)
{
    struct header_presync *presync = begin(w, 15000);
    const struct block_header *ready;
    size_t n_ready;
    assert_int_equal(presync_take(presync, w->headers, BATCH, true, &ready, &n_ready),
                     PRESYNC_COMMIT);
    assert_int_equal(presync_height(presync), BATCH);
    assert_int_equal(presync_take(presync, w->headers + BATCH + 1, BATCH, true, &ready, &n_ready),
                     PRESYNC_FAILED);
    presync_free(presync);
}

TEST(more_headers_than_the_time_allows_end_it, struct world *w)
{
    /* As if the network were an hour old. */
    struct header_presync *presync =
        presync_new(sim_env_get(w->sim), w->network, w->start, work_of(w, 1000000), START_S + 3600);
    const struct block_header *ready;
    size_t n_ready, n = 0;
    enum presync_phase phase = PRESYNC_COMMIT;
    struct block_hash prev = w->start->hash;
    struct block_header *batch = xcalloc(BATCH, sizeof *batch);
    while (phase == PRESYNC_COMMIT && n < 400000) {
        make_headers(batch, BATCH, prev, 1);
        prev = block_header_hash(&batch[BATCH - 1]);
        phase = presync_take(presync, batch, BATCH, true, &ready, &n_ready);
        n += BATCH;
    }
    assert_int_equal(phase, PRESYNC_FAILED);
    assert_in_range(n, 60000, 70000); /* six a second for three hours */
    xfree(batch);
    presync_free(presync);
}
