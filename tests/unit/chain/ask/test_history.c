/* test_history.c - which changes of the tip are reorganisations, and what is kept of them. */
#include "chain/ask/history.h"
#include "sim/sim_env.h"
#include "support/unit.h"

#define START 1700000000

/* A tree of headers: 0 <- 1 <- 2 <- 3 and 1 <- 4 <- 5, named by the first byte of their hash. */
struct rig {
    struct sim_env *sim;
    struct history *history;
    struct header_tree tree;
    const struct block_node *node[6];
};

static void rig_open(struct rig *rig)
{
    rig->history = history_new(sim_env_get(rig->sim), NULL, "regtest");
}

static void rig_init(struct rig *rig)
{
    static const int prev[] = {-1, 0, 1, 2, 1, 4};
    *rig = (struct rig){.sim = sim_env_new(3)};
    sim_env_set_unix_s(rig->sim, START);
    assert_int_equal(env_make_dir(sim_env_get(rig->sim), "regtest"), 0);
    header_tree_init(&rig->tree, (struct siphash_key){0});
    for (int i = 0; i < 6; i++) {
        struct block_header header = {.time = (uint32_t)i, .bits = 0x207fffff};
        struct block_hash hash = {{(uint8_t)i}};
        if (i > 0)
            header.prev = rig->node[prev[i]]->hash;
        rig->node[i] = header_tree_add(&rig->tree, &header, &hash);
    }
    rig_open(rig);
}

static void rig_deinit(struct rig *rig)
{
    sim_env_run_until_idle(rig->sim);
    history_free(rig->history);
    header_tree_deinit(&rig->tree);
    sim_env_free(rig->sim);
}

static void move(struct rig *rig, int n_back, const int *back, int tip)
{
    for (int i = 0; i < n_back; i++)
        history_block_disconnected(rig->history, rig->node[back[i]]);
    history_tip_changed(rig->history, rig->node[tip]);
    sim_env_run_until_idle(rig->sim);
}

TEST(a_tip_that_is_left_for_another_is_a_reorganisation)
{
    struct rig rig;
    struct reorg reorg;
    rig_init(&rig);
    move(&rig, 0, NULL, 3); /* forward only */
    assert_int_equal(history_reorg_count(rig.history), 0);
    sim_env_set_unix_s(rig.sim, START + 9);
    move(&rig, 2, (const int[]){3, 2}, 5);
    sim_env_set_unix_s(rig.sim, START + 10);
    move(&rig, 1, (const int[]){5}, 4);       /* back, as by order */
    move(&rig, 3, (const int[]){4, 1, 0}, 4); /* and there again: nothing has changed */
    assert_int_equal(history_reorg_count(rig.history), 2);
    history_free(rig.history);
    rig_open(&rig);
    assert_int_equal(history_reorg_count(rig.history), 2);
    assert_true(history_reorg(rig.history, 1, &reorg));
    assert_int_equal(reorg.time_s, START + 9);
    assert_int_equal(reorg.old_tip.b[0], 3);
    assert_int_equal(reorg.old_height, 3);
    assert_int_equal(reorg.new_tip.b[0], 5);
    assert_int_equal(reorg.new_height, 3);
    assert_int_equal(reorg.fork.b[0], 1);
    assert_int_equal(reorg.fork_height, 1);
    assert_true(history_reorg(rig.history, 0, &reorg));
    assert_int_equal(reorg.time_s, START + 10);
    assert_int_equal(reorg.fork.b[0], 4);
    assert_int_equal(reorg.new_height, 2);
    assert_false(history_reorg(rig.history, 2, &reorg));
    rig_deinit(&rig);
}

TEST(blocks_are_noted_when_their_header_comes)
{
    struct rig rig;
    struct sighting sighting;
    rig_init(&rig);
    history_header_added(rig.history, rig.node[2]);
    sim_env_set_unix_s(rig.sim, START + 5);
    history_header_added(rig.history, rig.node[4]);
    sim_env_run_until_idle(rig.sim);
    history_free(rig.history);
    rig_open(&rig);
    assert_int_equal(history_sighting_count(rig.history), 2);
    assert_true(history_sighting(rig.history, 0, &sighting));
    assert_int_equal(sighting.hash.b[0], 4);
    assert_int_equal(sighting.height, 2);
    assert_int_equal(sighting.block_time, 4);
    assert_int_equal(sighting.seen_s, START + 5);
    assert_true(history_sighting(rig.history, 1, &sighting));
    assert_int_equal(sighting.seen_s, START);
    assert_false(history_sighting(rig.history, 2, &sighting));
    rig_deinit(&rig);
}

TEST(both_lists_have_a_limit)
{
    struct rig rig;
    rig_init(&rig);
    for (int i = 0; i <= HISTORY_SIGHTINGS_MAX; i++)
        history_header_added(rig.history, rig.node[i % 6]);
    for (int i = 0; i <= HISTORY_REORGS_MAX; i++) {
        history_block_disconnected(rig.history, rig.node[i % 2 ? 3 : 5]);
        history_tip_changed(rig.history, rig.node[i % 2 ? 5 : 3]);
    }
    sim_env_run_until_idle(rig.sim);
    assert_int_equal(history_sighting_count(rig.history), HISTORY_SIGHTINGS_MAX);
    assert_int_equal(history_reorg_count(rig.history), HISTORY_REORGS_MAX);
    rig_deinit(&rig);
}

TEST(without_a_history_nothing_is_noted)
{
    struct rig rig;
    rig_init(&rig);
    history_header_added(NULL, rig.node[1]);
    history_block_disconnected(NULL, rig.node[3]);
    history_tip_changed(NULL, rig.node[5]);
    assert_true(history_is_at_rest(NULL));
    assert_int_equal(history_sighting_count(rig.history), 0);
    rig_deinit(&rig);
}
