/* test_link_pairs.c - delay, jitter, loss, rate and partition of packets between two nodes. */
#include "host/link_pairs.h"

#include "support/unit.h"

#define NOW_US 5000000

static const uint32_t there[2] = {3, 7}, back[2] = {7, 3};

static int setup(void **state)
{
    *state = link_pairs_new(42);
    return 0;
}

static int teardown(void **state)
{
    link_pairs_free(*state);
    return 0;
}

FIXTURE(setup, teardown)

/* When a packet of so many bytes arrives, which passes. */
static int64_t arrival_us(struct link_pairs *pairs, const uint32_t ends[2], uint32_t bytes)
{
    int64_t due_us = -1;
    assert_int_equal(link_pairs_judge(pairs, ends, bytes, NOW_US, &due_us), LINK_PASSES);
    return due_us;
}

TEST(a_pair_has_its_own_rule_or_that_of_all, struct link_pairs *pairs)
{
    assert_int_equal(arrival_us(pairs, there, 1500), NOW_US);
    link_pairs_set_all(pairs, &(struct link_rule){.delay_us = 40000});
    assert_int_equal(arrival_us(pairs, there, 1500), NOW_US + 40000);
    link_pairs_set(pairs, 3, 7, &(struct link_rule){.delay_us = 90000});
    assert_int_equal(arrival_us(pairs, there, 1500), NOW_US + 90000);
    assert_int_equal(arrival_us(pairs, back, 1500), NOW_US + 40000);
    link_pairs_reset(pairs);
    /* Not before the one that is on its way. */
    assert_int_equal(arrival_us(pairs, there, 1500), NOW_US + 90000);
}

TEST(jitter_is_bounded_and_keeps_the_order, struct link_pairs *pairs)
{
    link_pairs_set_all(pairs, &(struct link_rule){.delay_us = 1000, .jitter_us = 500});
    int64_t last_us = 0, first_us = arrival_us(pairs, there, 100);
    for (int i = 0; i < 200; i++) {
        int64_t due_us = arrival_us(pairs, there, 100);
        assert_true(due_us >= last_us && due_us >= NOW_US + 1000 && due_us <= NOW_US + 1500);
        last_us = due_us;
    }
    assert_true(last_us > first_us);
}

static unsigned count_lost(uint64_t seed, const uint32_t ends[2], uint64_t *pattern)
{
    struct link_pairs *pairs = link_pairs_new(seed);
    link_pairs_set_all(pairs, &(struct link_rule){.loss_ppm = 10000});
    unsigned n_lost = 0;
    for (int i = 0; i < 100000; i++) {
        int64_t due_us;
        bool lost = link_pairs_judge(pairs, ends, 100, NOW_US, &due_us) == LINK_LOST;
        n_lost += lost;
        *pattern = *pattern * 31 + lost;
    }
    link_pairs_free(pairs);
    return n_lost;
}

TEST(loss_follows_from_the_seed_and_the_pair)
{
    uint64_t a = 0, again = 0, other_seed = 0, other_pair = 0;
    unsigned n = count_lost(1, there, &a);
    /* Of a binomial of mean 1000, six times its deviation of 31.5. */
    assert_in_range(n, 811, 1189);
    assert_int_equal(count_lost(1, there, &again), n);
    assert_true(again == a);
    assert_in_range(count_lost(2, there, &other_seed), 811, 1189);
    assert_in_range(count_lost(1, back, &other_pair), 811, 1189);
    assert_true(other_seed != a && other_pair != a);
}

TEST(all_or_nothing_can_be_lost, struct link_pairs *pairs)
{
    int64_t due_us;
    link_pairs_set_all(pairs, &(struct link_rule){.loss_ppm = LINK_LOSS_PPM_MAX});
    for (int i = 0; i < 1000; i++)
        assert_int_equal(link_pairs_judge(pairs, there, 1, NOW_US, &due_us), LINK_LOST);
}

TEST(a_narrow_link_passes_on_in_turn_and_overflows, struct link_pairs *pairs)
{
    /* 1,000 bytes take 10 ms. */
    link_pairs_set_all(pairs, &(struct link_rule){.delay_us = 5, .rate_bytes_s = 100000});
    int64_t due_us;
    for (int i = 1; i <= 201; i++)
        assert_int_equal(arrival_us(pairs, there, 1000), NOW_US + 5 + i * 10000);
    /* 2.01 s wait: one more would be behind the limit. */
    assert_int_equal(link_pairs_judge(pairs, there, 1000, NOW_US, &due_us), LINK_FULL);
    assert_int_equal(link_pairs_judge(pairs, there, 1000, NOW_US + 10000, &due_us), LINK_PASSES);
    assert_int_equal(arrival_us(pairs, back, 1000), NOW_US + 5 + 10000);
}

TEST(groups_do_not_hear_each_other_until_they_heal, struct link_pairs *pairs)
{
    int64_t due_us;
    link_pairs_group(pairs, 7, 1);
    assert_int_equal(link_pairs_judge(pairs, there, 1, NOW_US, &due_us), LINK_CUT);
    assert_int_equal(link_pairs_judge(pairs, back, 1, NOW_US, &due_us), LINK_CUT);
    link_pairs_group(pairs, 3, 1);
    assert_int_equal(arrival_us(pairs, there, 1), NOW_US);
    link_pairs_group(pairs, 3, 0);
    link_pairs_heal(pairs);
    assert_int_equal(arrival_us(pairs, back, 1), NOW_US);
}

TEST(rules_have_limits)
{
    assert_true(link_rule_is_possible(&(struct link_rule){LINK_DELAY_US_MAX, LINK_DELAY_US_MAX,
                                                          LINK_LOSS_PPM_MAX, LINK_RATE_MAX}));
    assert_false(link_rule_is_possible(&(struct link_rule){.delay_us = LINK_DELAY_US_MAX + 1}));
    assert_false(link_rule_is_possible(&(struct link_rule){.delay_us = -1}));
    assert_false(link_rule_is_possible(&(struct link_rule){.jitter_us = LINK_DELAY_US_MAX + 1}));
    assert_false(link_rule_is_possible(&(struct link_rule){.loss_ppm = LINK_LOSS_PPM_MAX + 1}));
    assert_false(link_rule_is_possible(&(struct link_rule){.rate_bytes_s = LINK_RATE_MAX + 1}));
}
