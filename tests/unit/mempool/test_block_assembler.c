/* test_block_assembler.c - templates agree with the rules: every block made of one is valid. */
#include "consensus/tx_verify.h"
#include "mempool/block_assembler.h"
#include "sim/sim_random.h"
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

static int setup(void **state)
{
    *state = mempool_rig_new(21, 130, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

static int64_t now_s(const struct mempool_rig *rig)
{
    const struct env *env = sim_env_get(rig->chain.sim);
    return env_unix_s(env);
}

static void assemble(struct mempool_rig *rig, uint32_t max_weight_wu,
                     struct block_template *template)
{
    struct block_assembler_options options = block_assembler_default_options();
    options.max_weight_wu = max_weight_wu;
    block_assemble(rig->chain.chain, rig->pool, &options, now_s(rig), template);
}

struct test_answer {
    bool is_done;
    struct verdict verdict;
};

static void tested(void *arg, const struct verdict *verdict)
{
    struct test_answer *answer = arg;
    answer->is_done = true;
    answer->verdict = *verdict;
}

/* Build the block, let the chain judge it. Returns it, held once. */
static struct block_ref *build_valid(struct mempool_rig *rig, const struct block_template *template)
{
    struct test_answer answer = {0};
    struct span script = builder_script_bytes(BUILDER_WSH_TRUE);
    struct block_ref *ref = block_template_build(rig->chain.chain, template, script);
    chain_test_block(rig->chain.chain, ref, tested, &answer);
    rig_wait(&rig->chain, &answer.is_done);
    assert_reject(answer.verdict.code, REJECT_NONE);
    return ref;
}

TEST(an_empty_template_is_of_the_tip, struct mempool_rig *rig)
{
    struct block_template template;
    block_assemble(rig->chain.chain, NULL, &(struct block_assembler_options){0}, 0, &template);
    assert_ptr_equal(template.prev, chain_tip(rig->chain.chain));
    assert_int_equal(template.height, 131);
    assert_int_equal(template.n_tx, 0);
    assert_int_equal(template.coinbase_value_sat, 50 * COIN_SAT);
    assert_int_equal(template.min_time_s, block_node_mtp(template.prev) + 1);
    assert_int_equal(template.time_s, template.min_time_s); /* the clock is behind */
    assert_int_equal(template.bits, 0x207fffff);
    assert_int_equal((uint32_t) template.version >> 29, 1);
    struct block_ref *ref = build_valid(rig, &template);
    assert_int_equal(ref->block.n_tx, 1);
    block_ref_drop(ref);
    block_template_deinit(&template);
}

TEST(templates_say_what_their_blocks_are, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 2, 1000), other = mempool_rig_pay(rig, 2, 1, 30000);
    struct builder_coin coins[2] = {mempool_rig_output(&parent, 1), mempool_rig_output(&other, 0)};
    struct tx child = mempool_rig_spend(rig, coins, 2, 1, 70000);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &other), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    struct block_template template;
    assemble(rig, BLOCK_WEIGHT_MAX_WU, &template);
    assert_int_equal(template.n_tx, 3);
    assert_int_equal(template.fees_sat, 101000);
    assert_int_equal(template.coinbase_value_sat, 50 * COIN_SAT + 101000);
    assert_int_equal(template.weight_wu,
                     tx_weight_wu(&parent) + tx_weight_wu(&other) + tx_weight_wu(&child));
    assert_int_equal(template.mempool_updates, 3);
    assert_memory_equal(template.tx[2].entry->tx.txid.b, child.txid.b, 32);
    assert_int_equal(template.tx[2].n_depends, 2);
    assert_int_equal(template.tx[2].depends[0], 1);
    assert_int_equal(template.tx[2].depends[1], 2);
    assert_int_equal(template.tx[0].n_depends, 0);
    struct block_ref *ref = build_valid(rig, &template);
    const struct block *block = &ref->block;
    assert_int_equal(block->n_tx, 4);
    assert_int_equal(tx_output_total_sat(&block->tx[0]), template.coinbase_value_sat);
    /* The commitment that miners put into their own coinbase is that of ours. */
    uint32_t at = block_commitment_index(block);
    assert_true(template.has_witness_rules && at != BLOCK_COMMITMENT_NONE);
    struct span script = block->tx[0].out[at].script_pubkey;
    assert_int_equal(script.len, sizeof template.commitment_script);
    assert_memory_equal(script.p, template.commitment_script, script.len);
    assert_int_equal(block->header.version, template.version);
    assert_int_equal(block->header.time, template.time_s);
    assert_int_equal(block->header.bits, template.bits);
    block_ref_drop(ref);
    block_template_deinit(&template);
}

TEST(weight_is_kept_for_the_coinbase, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, 5000);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    struct block_template template;
    assemble(rig, BLOCK_RESERVED_WU_DEFAULT + tx_weight_wu(&tx), &template);
    assert_int_equal(template.n_tx, 1);
    block_template_deinit(&template);
    assemble(rig, BLOCK_RESERVED_WU_DEFAULT + tx_weight_wu(&tx) - 1, &template);
    assert_int_equal(template.n_tx, 0);
    assert_int_equal(template.coinbase_value_sat, 50 * COIN_SAT);
    block_template_deinit(&template);
}

struct ground {
    bool is_done;
    uint8_t *bytes;
    size_t len;
};

static void ground(void *arg, uint8_t *block_take, size_t len)
{
    *(struct ground *)arg = (struct ground){.is_done = true, .bytes = block_take, .len = len};
}

static void accepted(void *arg, const struct chain_block_result *result)
{
    struct test_answer *answer = arg;
    answer->is_done = true;
    answer->verdict = result->verdict;
}

/* Mine what the template says, and hand it in. */
static void mine(struct mempool_rig *rig, const struct block_template *template)
{
    struct ground work = {0};
    struct test_answer answer = {0};
    struct block_ref *ref =
        block_template_build(rig->chain.chain, template, builder_script_bytes(BUILDER_WSH_TRUE));
    mining_grind(rig->chain.chain, ref, 1000, ground, &work);
    rig_wait(&rig->chain, &work.is_done);
    assert_non_null(work.bytes);
    chain_accept_block(rig->chain.chain, work.bytes, work.len, CHAIN_ACCEPT_FORCE, accepted,
                       &answer);
    rig_wait(&rig->chain, &answer.is_done);
    assert_reject(answer.verdict.code, REJECT_NONE);
}

/* Random graphs are mined, small block by small block, until nothing is left. */
TEST(everything_gets_mined_in_the_end, struct mempool_rig *rig)
{
    struct sim_random random = sim_random_of(4, 0);
    struct builder_coin coins[400];
    size_t n_coins = 0, n_added = 0, n_mined = 0;
    for (int32_t height = 1; height <= 20; height++)
        coins[n_coins++] = mempool_rig_coin(rig, height);
    for (int i = 0; i < 150; i++) {
        struct builder_coin spent[2];
        uint32_t n = 1 + (uint32_t)sim_random_below(&random, 2);
        for (uint32_t k = 0; k < n; k++) {
            size_t at = sim_random_below(&random, n_coins);
            spent[k] = coins[at];
            coins[at] = coins[--n_coins];
        }
        struct tx tx =
            mempool_rig_spend(rig, spent, n, 2, 500 + (int64_t)sim_random_below(&random, 50000));
        enum reject code = mempool_rig_add(rig, &tx);
        assert_true(code == REJECT_NONE || code == REJECT_CLUSTER_TOO_LARGE);
        if (code != REJECT_NONE)
            continue;
        n_added++;
        coins[n_coins++] = mempool_rig_output(&tx, 0);
        coins[n_coins++] = mempool_rig_output(&tx, 1);
    }
    int64_t fees_sat = mempool_total_fee_sat(rig->pool), mined_sat = 0;
    while (mempool_count(rig->pool) > 0) {
        struct block_template template;
        assemble(rig, 70000, &template);
        assert_true(template.n_tx > 0 && template.weight_wu <= 62000);
        n_mined += template.n_tx;
        mined_sat += template.fees_sat;
        mine(rig, &template);
        block_template_deinit(&template);
        mempool_verify(rig->pool);
    }
    assert_int_equal(n_mined, n_added);
    assert_int_equal(mined_sat, fees_sat);
}

/* hazards row 81: what nobody pays for does not keep a block from what somebody pays for. */
TEST(a_flood_leaves_the_template_alone, struct mempool_rig *rig)
{
    struct tx good = mempool_rig_pay(rig, 1, 1, 50000);
    assert_reject(mempool_rig_add(rig, &good), REJECT_NONE);
    for (int32_t height = 2; height <= 25; height++) {
        struct tx tx = mempool_rig_pay(rig, height, 20, 1000);
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
        struct tx dust = mempool_rig_pay(rig, height, 1, 0);
        assert_reject(mempool_rig_add(rig, &dust), REJECT_MIN_RELAY_FEE);
    }
    struct block_template template;
    assemble(rig, 10000, &template);
    assert_true(template.n_tx >= 1);
    assert_memory_equal(template.tx[0].entry->tx.txid.b, good.txid.b, 32);
    block_template_deinit(&template);
}

/* hazards: whatever the options, a template keeps to them, and a block of our own to the rules. */
TEST(no_option_makes_a_template_too_large, struct mempool_rig *rig)
{
    static const uint32_t limits_wu[][2] = {
        /* most, reserved */
        {BLOCK_RESERVED_WU_MIN, BLOCK_RESERVED_WU_MIN},
        {BLOCK_RESERVED_WU_MIN + 400, BLOCK_RESERVED_WU_MIN},
        {30000, BLOCK_RESERVED_WU_MIN},
        {BLOCK_WEIGHT_MAX_WU, BLOCK_WEIGHT_MAX_WU},
        {BLOCK_WEIGHT_MAX_WU, BLOCK_WEIGHT_MAX_WU - 1},
        {BLOCK_WEIGHT_MAX_WU, BLOCK_WEIGHT_MAX_WU - 5000},
        {BLOCK_WEIGHT_MAX_WU, BLOCK_RESERVED_WU_MIN},
    };
    for (int32_t height = 1; height <= 29; height++) {
        struct tx tx = mempool_rig_pay(rig, height, 1 + (uint32_t)height, 20000 * (height % 7 + 1));
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    }
    for (size_t i = 0; i < COUNT_OF(limits_wu); i++) {
        struct block_assembler_options options = block_assembler_default_options();
        struct block_template template;
        options.max_weight_wu = limits_wu[i][0];
        options.reserved_weight_wu = limits_wu[i][1];
        block_assemble(rig->chain.chain, rig->pool, &options, now_s(rig), &template);
        assert_true(template.weight_wu <= limits_wu[i][0] - limits_wu[i][1]);
        assert_true(template.sigops_cost <= BLOCK_SIGOPS_COST_MAX - BLOCK_RESERVED_SIGOPS);
        struct block_ref *ref = build_valid(rig, &template);
        assert_true(block_weight_wu(&ref->block) <= BLOCK_RESERVED_WU_MIN + template.weight_wu);
        block_ref_drop(ref);
        block_template_deinit(&template);
    }
}

/* A coinbase that pays to a long script, or is signed, takes the room from transactions. */
TEST(a_large_coinbase_has_its_room, struct mempool_rig *rig)
{
    uint8_t script[10000] = {0};
    static const size_t lengths[] = {1, 34, 436, 437, 1000, 5000, 10000};
    for (int32_t height = 1; height <= 29; height++) {
        struct tx tx = mempool_rig_pay(rig, height, 20, 20000);
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    }
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct block_assembler_options options = block_assembler_default_options();
        struct span pays_to = span_of(script, lengths[i]);
        struct block_template template;
        options.max_weight_wu = 50000;
        options.reserved_weight_wu = BLOCK_RESERVED_WU_MIN;
        block_assembler_reserve(&options, pays_to);
        assert_true(options.reserved_weight_wu >= BLOCK_RESERVED_WU_MIN);
        assert_true(options.reserved_weight_wu >= WITNESS_SCALE * lengths[i]);
        block_assemble(rig->chain.chain, rig->pool, &options, now_s(rig), &template);
        struct block_ref *ref = block_template_build(rig->chain.chain, &template, pays_to);
        assert_true(block_weight_wu(&ref->block) <= options.max_weight_wu);
        assert_true(template.n_tx > 0);
        block_ref_drop(ref);
        block_template_deinit(&template);
    }
    /* Never more than all there is. */
    struct block_assembler_options options = {.max_weight_wu = 8000, .reserved_weight_wu = 8000};
    block_assembler_reserve(&options, span_of(script, sizeof script));
    assert_int_equal(options.reserved_weight_wu, 8000);
}
