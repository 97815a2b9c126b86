/* test_watch.c - warnings about rules and chains that others follow. */
#include "node/watch.h"
#include "sim/sim_env.h"
#include "support/chain_inside.h"
#include "support/unit.h"
#include "util/alloc.h"

#define PERIOD 144 /* of regtest; 108 of them are enough */
#define SIGNAL (0x20000000 | 1 << 3)
#define SILENT 0x20000000

/* A chain that was never opened: only tree and tip are used. */
struct fixture {
    struct sim_env *sim;
    struct chain *chain;
    struct versionbits_unknown unknown;
    uint32_t salt;
};

static struct block_node *add_header(struct fixture *f, struct block_node *prev, int32_t version)
{
    struct block_header header = {
        .version = version, .bits = 0x207fffff, .nonce = f->salt++, .time = f->salt};
    if (prev)
        header.prev = prev->hash;
    struct block_hash hash = block_header_hash(&header);
    return header_tree_add(tree_of(f->chain), &header, &hash);
}

/* The tip moves by n blocks of that version. */
static void grow(struct fixture *f, int n, int32_t version)
{
    struct block_node *tip = active_chain_tip(active_of(f->chain));
    for (int i = 0; i < n; i++)
        tip = add_header(f, tip, version);
    active_chain_set_tip(active_of(f->chain), tip);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct chain_options options = {.data_dir = "x", .cache_bytes = 1 << 20};
    struct chain_events events = {0};
    f->sim = sim_env_new(1);
    f->chain =
        chain_new(sim_env_get(f->sim), NULL, network_get(NETWORK_REGTEST), &options, &events);
    struct block_node *genesis = add_header(f, NULL, SILENT);
    genesis->n_tx = 1;
    genesis->chain_tx = 1;
    active_chain_set_tip(active_of(f->chain), genesis);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    chain_free(f->chain);
    sim_env_free(f->sim);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

TEST(rules_that_most_blocks_signal_for_are_warned_of, struct fixture *f)
{
    char line[WATCH_LINE_BYTES];
    grow(f, PERIOD - 1, SIGNAL); /* up to the end of the first period, which never counts */
    grow(f, 107, SIGNAL);
    grow(f, PERIOD - 107, SILENT);
    grow(f, 2 * PERIOD, SILENT);
    assert_string_equal(watch_rules(&f->unknown, f->chain, line), "");
    grow(f, 108, SIGNAL);
    grow(f, PERIOD - 108, SILENT);
    assert_string_equal(watch_rules(&f->unknown, f->chain, line), ""); /* they hold from the next */
    assert_int_equal(f->unknown.locked_in, 1 << 3);
    grow(f, PERIOD, SILENT);
    assert_string_equal(watch_rules(&f->unknown, f->chain, line),
                        "Unknown new rules activated (versionbit 3)");
    grow(f, 5 * PERIOD, SILENT); /* for good */
    assert_string_equal(watch_rules(&f->unknown, f->chain, line),
                        "Unknown new rules activated (versionbit 3)");
    struct versionbits_unknown fresh = {0};
    assert_string_equal(watch_rules(&fresh, f->chain, line),
                        "Unknown new rules activated (versionbit 3)");
}

TEST(a_failed_chain_of_more_than_six_blocks_is_warned_of, struct fixture *f)
{
    grow(f, 10, SILENT);
    struct block_node *tip = active_chain_tip(active_of(f->chain)), *at = tip;
    assert_string_equal(watch_forks(f->chain), "");
    struct block_node *first = at = add_header(f, tip, SILENT);
    for (int i = 1; i < 6; i++)
        at = add_header(f, at, SILENT);
    best_chain_tip_moved(best_of(f->chain));
    best_chain_mark_failed(best_of(f->chain), first);
    assert_string_equal(watch_forks(f->chain), "");
    add_header(f, at, SILENT); /* its parent has failed, and so has it */
    assert_non_null(strstr(watch_forks(f->chain), "more than 6 blocks longer"));
    grow(f, 1, SILENT);
    assert_string_equal(watch_forks(f->chain), "");
}
