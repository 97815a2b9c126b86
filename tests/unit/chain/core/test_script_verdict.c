/* test_script_verdict.c - a verdict that the world knows is taken, one that it does not is kept. */
#include "chain/core/script_verdict.h"

#include "consensus/opcodes.h"
#include "sim/sim_verdicts.h"
#include "support/unit.h"

/* An input that any script satisfies, or none. */
struct spend {
    struct tx_in in;
    struct tx_out out;
    struct tx tx;
    uint8_t script[1];
    struct script_check check;
};

static void init(struct spend *s, uint8_t opcode)
{
    *s = (struct spend){.tx = {.version = 2, .n_in = 1, .wtxid = {{opcode}}}};
    s->script[0] = opcode;
    s->out = (struct tx_out){.value_sat = 1, .script_pubkey = span_of(s->script, 1)};
    s->tx.in = &s->in;
    s->check = (struct script_check){.tx = &s->tx, .flags = SCRIPT_VERIFY_P2SH, .spent = &s->out};
}

TEST(the_same_comes_out_with_and_without_a_table)
{
    struct env env = {.verdicts = {.find = NULL}};
    struct script_scratch *scratch = script_scratch_new();
    struct spend good, bad;
    init(&good, OP_1);
    init(&bad, OP_0);
    assert_int_equal(script_verdict(&env, &good.check, scratch), SCRIPT_OK);
    assert_int_not_equal(script_verdict(&env, &bad.check, scratch), SCRIPT_OK);
    enum script_error error = script_verdict(&env, &bad.check, scratch);
    struct sim_verdicts *verdicts = sim_verdicts_new();
    env.verdicts = sim_verdicts_env(verdicts);
    uint64_t known, made;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(script_verdict(&env, &good.check, scratch), SCRIPT_OK);
        assert_int_equal(script_verdict(&env, &bad.check, scratch), error);
    }
    sim_verdicts_count(verdicts, &known, &made);
    assert_int_equal(known, 4);
    assert_int_equal(made, 2);
    bad.check.flags |= SCRIPT_VERIFY_DERSIG; /* other rules are another question */
    assert_int_equal(script_verdict(&env, &bad.check, scratch), error);
    sim_verdicts_count(verdicts, &known, &made);
    assert_int_equal(made, 3);
    sim_verdicts_free(verdicts);
    script_scratch_free(scratch);
}
