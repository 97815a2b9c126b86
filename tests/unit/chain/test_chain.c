/* test_chain.c - what the chain says about itself. */
#include <errno.h>

#include "support/chain_inside.h"
#include "support/rig_fixture.h"

FIXTURE(builder_setup, rig_teardown)

TEST(a_new_chain_has_the_first_block, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct chain *chain = f->rig.chain;
    const struct block_node *genesis = chain_tip(chain);
    assert_int_equal(genesis->height, 0);
    assert_memory_equal(genesis->hash.b, f->b.network.genesis_hash.b, 32);
    assert_ptr_equal(chain_best_header(chain), genesis);
    assert_ptr_equal(chain_at(chain, 0), genesis);
    assert_ptr_equal(chain_find(chain, &f->b.network.genesis_hash), genesis);
    assert_true(chain_contains(chain, genesis));
    assert_ptr_equal(chain_network(chain), &f->rig.network);
    assert_int_equal(chain_prune_height(chain), 0);
    assert_false(chain_is_pruned(chain));
    assert_true(chain_disk_bytes(chain) >= f->b.genesis->block.raw.len);
    assert_int_equal(chain_coins_cache_bytes(chain), f->rig.options.cache_bytes);
}

TEST(heights_outside_the_chain_have_no_block, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 5, NULL);
    rig_accept_chain(&f->rig, last);
    static const int32_t outside[] = {-1, 6, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(outside); i++)
        assert_null(chain_at(f->rig.chain, outside[i]));
    for (int32_t height = 0; height <= 5; height++) {
        const struct block_node *node = chain_at(f->rig.chain, height);
        assert_memory_equal(node->hash.b, built_ancestor(last, height)->block.hash.b, 32);
        assert_true(chain_contains(f->rig.chain, node));
    }
}

TEST(side_branches_are_known_and_not_contained, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 5, NULL);
    rig_accept_chain(&f->rig, last);
    const struct built_block *side = builder_blocks(&f->b, built_ancestor(last, 2), 2, NULL);
    rig_accept_chain(&f->rig, side);
    const struct block_node *node = chain_find(f->rig.chain, &side->block.hash);
    assert_non_null(node);
    assert_false(chain_contains(f->rig.chain, node));
    assert_true(chain_contains(f->rig.chain, node->prev->prev));
    size_t at = 0, n = 0;
    while (chain_next_node(f->rig.chain, &at))
        n++;
    assert_int_equal(n, 1 + 5 + 2);
}

/* -- The committed chain by height ----------------------------------------------------------------
 */

TEST(the_array_follows_the_tip)
{
    struct block_node nodes[40] = {{.height = 0}}, branch[40];
    struct active_chain active = {0};
    for (int32_t i = 1; i < 40; i++)
        nodes[i] = (struct block_node){.height = i, .prev = &nodes[i - 1]};
    for (int32_t i = 10; i < 40; i++)
        branch[i] = (struct block_node){.height = i, .prev = i == 10 ? &nodes[9] : &branch[i - 1]};
    struct block_node *tips[] = {&nodes[0],   &nodes[39], &branch[12], &nodes[9],
                                 &branch[39], &nodes[20], &branch[20]};
    for (size_t i = 0; i < COUNT_OF(tips); i++) {
        active_chain_set_tip(&active, tips[i]);
        assert_int_equal(active.n, tips[i]->height + 1);
        const struct block_node *node = tips[i];
        for (size_t at = active.n; at-- > 0; node = node->prev)
            assert_ptr_equal(active.at[at], node);
    }
    xfree(active.at);
}

/* -- Initial download
 * ------------------------------------------------------------------------------ */

TEST(initial_download_ends_with_a_recent_tip_and_stays_ended, struct fixture *f)
{
    struct chain_options options = {.max_tip_age_s = 24 * 3600};
    rig_start(&f->rig, 1, &f->b, &options);
    const struct env *env = sim_env_get(f->rig.sim);
    int64_t now_s = env_unix_s(env);
    assert_true(chain_is_initial_download(f->rig.chain));
    struct builder_spec spec = {.time = (uint32_t)(now_s - 24 * 3600 - 10)};
    const struct built_block *block = builder_block(&f->b, f->b.genesis, &spec);
    (void)rig_accept(&f->rig, block);
    assert_true(chain_is_initial_download(f->rig.chain));
    spec.time = (uint32_t)(now_s - 24 * 3600 + 60);
    (void)rig_accept(&f->rig, builder_block(&f->b, block, &spec));
    rig_settle(&f->rig);
    assert_false(chain_is_initial_download(f->rig.chain));
    sim_env_set_unix_s(f->rig.sim, now_s + 10 * 24 * 3600);
    (void)rig_invalidate(&f->rig, block);
    assert_false(chain_is_initial_download(f->rig.chain));
}

TEST(too_little_work_is_initial_download, struct fixture *f)
{
    struct u256 least = u256_of(7); /* two for each block: three blocks */
    struct chain_options options = {.max_tip_age_s = 1000000000, .min_chain_work = &least};
    rig_start(&f->rig, 1, &f->b, &options);
    const struct built_block *block = builder_blocks(&f->b, f->b.genesis, 2, NULL);
    rig_accept_chain(&f->rig, block);
    assert_true(chain_is_initial_download(f->rig.chain));
    rig_accept_chain(&f->rig, builder_block(&f->b, block, NULL));
    assert_false(chain_is_initial_download(f->rig.chain));
}

/* With facts about the network the share is of transactions, not of blocks. */
TEST(progress_follows_what_is_known_of_the_network, struct fixture *f)
{
    f->b.network.tx_stats.time_s = INT64_MAX / 2;
    f->b.network.tx_stats.count = 1000;
    f->b.network.tx_stats.per_s = 1;
    rig_start(&f->rig, 1, &f->b, NULL);
    rig_accept_chain(&f->rig, builder_blocks(&f->b, f->b.genesis, 50, NULL));
    const struct block_node *tip = chain_tip(f->rig.chain);
    double want = (double)tip->chain_tx / 1000;
    double got = chain_progress(f->rig.chain, tip);
    assert_true(got > want * 0.999 && got < want * 1.001);
}

TEST(progress_grows_to_one, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 50, NULL);
    rig_announce(&f->rig, last);
    double before = chain_progress(f->rig.chain, chain_tip(f->rig.chain));
    assert_true(before >= 0 && before < 0.5);
    for (int32_t height = 10; height <= 50; height += 10) {
        rig_accept_chain(&f->rig, built_ancestor(last, height));
        double progress = chain_progress(f->rig.chain, chain_tip(f->rig.chain));
        assert_true(progress >= before && progress <= 1);
        before = progress;
    }
    sim_env_set_unix_s(f->rig.sim, last->block.header.time + 10);
    assert_true(chain_progress(f->rig.chain, chain_tip(f->rig.chain)) > 0.999);
    assert_true(chain_progress(f->rig.chain, NULL) <= 0);
}

static double progress_of(struct fixture *f)
{
    return chain_progress(f->rig.chain, chain_tip(f->rig.chain));
}

/* Both sides of two hours. */
static void assert_recent_is_whole(struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 50, NULL);
    rig_accept_chain(&f->rig, last);
    sim_env_set_unix_s(f->rig.sim, last->block.header.time + 7201);
    assert_true(progress_of(f) > 0.5 && progress_of(f) < 1);
    sim_env_set_unix_s(f->rig.sim, last->block.header.time + 7200);
    assert_true(progress_of(f) >= 1);
    rig_announce(&f->rig, builder_block(&f->b, last, NULL));
    assert_true(progress_of(f) > 0.5 && progress_of(f) < 1);
}

TEST(a_recent_tip_is_the_whole_unless_there_are_more_headers, struct fixture *f)
{
    f->b.network.tx_stats.per_s = 0;
    assert_recent_is_whole(f);
}

TEST(a_recent_tip_is_the_whole_where_the_pace_is_known_too, struct fixture *f)
{
    f->b.network.tx_stats.per_s = 0.001;
    assert_recent_is_whole(f);
}

/* -- Faults and warnings
 * ---------------------------------------------------------------------------- */

TEST(a_fault_is_told_once_and_ends_the_work, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 5, NULL);
    rig_accept_chain(&f->rig, last->prev);
    core_fault(core_of(f->rig.chain), -ENOSPC, "writing something");
    core_fault(core_of(f->rig.chain), -EIO, "and something else");
    assert_int_equal(f->rig.n_faults, 1);
    assert_non_null(strstr(f->rig.fault, "writing something"));
    assert_non_null(strstr(f->rig.fault, "No space left"));
    assert_int_equal(rig_accept(&f->rig, last).verdict.code, REJECT_FAULT);
    assert_int_equal(rig_flush(&f->rig), -EIO);
    assert_int_equal(rig_invalidate(&f->rig, last->prev).code, REJECT_FAULT);
    assert_true(rig_is_at(&f->rig, last->prev));
    assert_true(rig_close(&f->rig) < 0);
}

TEST(after_a_fault_nothing_is_written, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 5, NULL);
    rig_accept_chain(&f->rig, last);
    rig_settle(&f->rig);
    core_fault(core_of(f->rig.chain), -EIO, "testing");
    uint64_t changes = sim_disk_changes(sim_env_disk(f->rig.sim));
    assert_true(rig_close(&f->rig) < 0);
    assert_int_equal(sim_disk_changes(sim_env_disk(f->rig.sim)), changes);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last)); /* the files had them */
}

TEST(warnings_are_passed_on, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    core_warn(core_of(f->rig.chain), "look at this");
    assert_string_equal(f->rig.warning, "look at this");
    core_warn(core_of(f->rig.chain), "");
    assert_int_equal(f->rig.n_warnings, 2);
}

TEST(bits_of_the_next_block_are_the_rules, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct block_node *tip = chain_tip(f->rig.chain);
    assert_int_equal(chain_next_bits(f->rig.chain, tip, tip->time + 1), 0x207fffff);
}
