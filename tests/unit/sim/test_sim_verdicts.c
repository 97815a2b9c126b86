/* test_sim_verdicts.c - what was kept is found, by its whole name only. */
#include "sim/sim_verdicts.h"
#include "support/unit.h"

TEST(a_row_is_found_by_id_and_question)
{
    struct sim_verdicts *verdicts = sim_verdicts_new();
    struct env_verdicts env = sim_verdicts_env(verdicts);
    uint8_t id[32] = {1}, other[32] = {1};
    other[31] = 1; /* the same place in the table */
    int verdict = 0;
    assert_false(env.find(env.ctx, id, 5, &verdict));
    env.keep(env.ctx, id, 5, 7);
    assert_true(env.find(env.ctx, id, 5, &verdict));
    assert_int_equal(verdict, 7);
    assert_false(env.find(env.ctx, id, 6, &verdict));
    assert_false(env.find(env.ctx, other, 5, &verdict));
    env.keep(env.ctx, other, 5, 8);
    assert_false(env.find(env.ctx, id, 5, &verdict));
    uint64_t known, made;
    sim_verdicts_count(verdicts, &known, &made);
    assert_int_equal(known, 1);
    assert_int_equal(made, 4);
    sim_verdicts_free(verdicts);
}
