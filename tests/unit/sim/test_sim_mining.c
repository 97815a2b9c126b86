/* test_sim_mining.c - blocks come at exponential intervals, to miners in the measure of their
 * power. */
#include <math.h>

#include "sim/sim_mining.h"
#include "support/unit.h"
#include "util/assert.h"

#define DRAWS 100000

TEST(intervals_are_exponential)
{
    struct sim_mining mining;
    double sum = 0, squares = 0;
    size_t n_long = 0;
    sim_mining_init(&mining, sim_random_of(1, 2), 600000000, NULL, 3);
    for (size_t i = 0; i < DRAWS; i++) {
        double wait = (double)sim_mining_wait_us(&mining) / 600e6;
        assert_true(wait >= 0);
        sum += wait;
        squares += wait * wait;
        n_long += wait > 2;
    }
    /* Four standard errors: of the mean 1, of the mean square 2, of the chance exp(-2). */
    assert_true(fabs(sum / DRAWS - 1) < 4 / sqrt(DRAWS));
    assert_true(fabs(squares / DRAWS - 2) < 4 * sqrt(20.0 / DRAWS));
    assert_true(fabs((double)n_long / DRAWS - exp(-2)) < 4 * sqrt(exp(-2) * (1 - exp(-2)) / DRAWS));
}

TEST(blocks_go_to_power)
{
    static const double power[] = {0, 1.5, 0, 4.5, 0};
    struct sim_mining mining;
    size_t n[COUNT_OF(power)] = {0};
    sim_mining_init(&mining, sim_random_of(1, 2), 1000, power, COUNT_OF(power));
    for (size_t i = 0; i < DRAWS; i++)
        n[sim_mining_who(&mining)]++;
    assert_int_equal(n[0] + n[2] + n[4], 0);
    assert_true(fabs((double)n[1] / DRAWS - 0.25) < 4 * sqrt(0.25 * 0.75 / DRAWS));
}

TEST(without_powers_all_are_alike)
{
    struct sim_mining mining;
    size_t n[4] = {0};
    sim_mining_init(&mining, sim_random_of(7, 2), 1000, NULL, COUNT_OF(n));
    for (size_t i = 0; i < DRAWS; i++)
        n[sim_mining_who(&mining)]++;
    for (size_t i = 0; i < COUNT_OF(n); i++)
        assert_true(fabs((double)n[i] / DRAWS - 0.25) < 4 * sqrt(0.25 * 0.75 / DRAWS));
}

TEST(the_same_seed_draws_the_same)
{
    struct sim_mining a, b;
    sim_mining_init(&a, sim_random_of(7, 2), 1000000, NULL, 9);
    sim_mining_init(&b, sim_random_of(7, 2), 1000000, NULL, 9);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(sim_mining_wait_us(&a), sim_mining_wait_us(&b));
        assert_int_equal(sim_mining_who(&a), sim_mining_who(&b));
    }
}
