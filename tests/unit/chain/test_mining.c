/* test_mining.c - blocks of our own: their parts, their time and bits, the search for work. */
#include "chain/mining.h"
#include "consensus/block_check.h"
#include "consensus/opcodes.h"
#include "consensus/pow.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"

#define NOW_S INT64_C(1700000000)

FIXTURE(builder_setup, rig_teardown)

static struct mining_template plain_template(void)
{
    return (struct mining_template){.coinbase_script_pubkey = builder_script_bytes(BUILDER_TRUE)};
}

struct search {
    bool is_done;
    uint8_t *raw;
    size_t len;
};

static void note_search(void *arg, uint8_t *block_take, size_t len)
{
    struct search *search = arg;
    assert_false(search->is_done);
    *search = (struct search){.is_done = true, .raw = block_take, .len = len};
}

static struct search grind(struct fixture *f, struct block_ref *block_take, uint64_t max_tries)
{
    struct search search = {0};
    mining_grind(f->rig.chain, block_take, max_tries, note_search, &search);
    rig_wait(&f->rig, &search.is_done);
    return search;
}

struct answer {
    bool is_done;
    struct chain_block_result result;
};

static void note_result(void *arg, const struct chain_block_result *result)
{
    struct answer *answer = arg;
    answer->is_done = true;
    answer->result = *result;
}

/* Mine a block on the tip and hand it to the chain. */
static struct chain_block_result mine(struct fixture *f, const struct mining_template *template,
                                      int64_t now_s)
{
    struct block_ref *ref = mining_build_block(f->rig.chain, template, now_s);
    struct search search = grind(f, ref, UINT64_C(1) << 32);
    assert_non_null(search.raw);
    struct answer answer = {0};
    chain_accept_block(f->rig.chain, search.raw, search.len, 0, note_result, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer.result;
}

TEST(a_block_has_the_parts_that_the_rules_ask_for, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    struct mining_template template = plain_template();
    struct block_ref *ref = mining_build_block(f->rig.chain, &template, NOW_S);
    const struct block *block = &ref->block;
    const struct tx *coinbase = &block->tx[0];
    assert_int_equal(block->n_tx, 1);
    assert_true(tx_is_coinbase(coinbase));
    static const uint8_t height_one[] = {OP_1, OP_0};
    assert_int_equal(coinbase->in[0].script_sig.len, sizeof height_one);
    assert_memory_equal(coinbase->in[0].script_sig.p, height_one, sizeof height_one);
    assert_int_equal(coinbase->in[0].sequence, 0xfffffffe);
    assert_int_equal(coinbase->lock_time, 0);
    assert_int_equal(coinbase->n_out, 2);
    assert_int_equal(coinbase->out[0].value_sat, 50 * COIN_SAT);
    assert_int_equal(coinbase->out[1].value_sat, 0);
    assert_int_equal(block_commitment_index(block), 1);
    assert_true(coinbase->has_witness);
    assert_int_equal(block->header.time, NOW_S);
    assert_int_equal(block->header.nonce, 0);
    assert_memory_equal(block->header.prev.b, f->b.genesis->block.hash.b, 32);
    block_ref_drop(ref);
}

/* Core's miners and those who compare ids count on it: BIP34's height, and a byte more only where
 * the rule of two bytes demands it. */
TEST(a_coinbase_holds_the_height_and_no_padding_that_no_rule_needs, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    struct mining_template template = plain_template();
    for (int32_t height = 1; height <= 17; height++) {
        struct block_ref *ref = mining_build_block(f->rig.chain, &template, NOW_S);
        struct span script = ref->block.tx[0].in[0].script_sig;
        assert_int_equal(script.len, 2);
        assert_int_equal(script.p[0], height <= 16 ? OP_1 + height - 1 : 1);
        assert_int_equal(script.p[1], height <= 16 ? OP_0 : height);
        block_ref_drop(ref);
        assert_true(mine(f, &template, NOW_S).is_connected);
    }
}

TEST(a_version_that_was_chosen_is_in_the_header, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    struct mining_template template = plain_template();
    template.version = 1337;
    struct block_ref *ref = mining_build_block(f->rig.chain, &template, NOW_S);
    assert_int_equal(ref->block.header.version, 1337);
    block_ref_drop(ref);
}

TEST(blocks_that_were_mined_are_connected, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    struct mining_template template = plain_template();
    /* Across the heights whose pushes have one, two and three bytes, all at one time. */
    for (int32_t height = 1; height <= 300; height++) {
        struct chain_block_result result = mine(f, &template, NOW_S);
        assert_int_equal(result.verdict.code, REJECT_NONE);
        assert_true(result.is_connected);
        assert_int_equal(result.node->height, height);
    }
    /* Subsidy halves every 150 blocks. */
    struct coin_stats stats = rig_coin_stats(&f->rig, COIN_STATS_NONE);
    assert_int_equal(stats.total_sat, (149 * 50 + 150 * 25) * COIN_SAT + 1250000000);
}

TEST(transactions_and_fees_are_taken_in, struct fixture *f)
{
    struct builder_spec to_wsh = {.coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *first = builder_block(&f->b, f->b.genesis, &to_wsh);
    const struct built_block *last = builder_blocks(&f->b, first, 100, NULL);
    rig_start(&f->rig, 1, &f->b, NULL);
    rig_accept_chain(&f->rig, last);
    struct builder_coin coin = builder_coinbase_coin(first);
    struct tx tx[2] = {builder_spend(&f->b, &coin, 1, 2, 3000, BUILDER_WSH_TRUE)};
    coin = builder_coin_of(&tx[0], 1, BUILDER_WSH_TRUE);
    tx[1] = builder_spend(&f->b, &coin, 1, 1, 1000, BUILDER_LONG);
    struct mining_template template = plain_template();
    template.tx = tx;
    template.n_tx = 2;
    template.fees_sat = 4000;
    struct chain_block_result result = mine(f, &template, NOW_S);
    assert_int_equal(result.verdict.code, REJECT_NONE);
    assert_true(result.is_connected);
    assert_int_equal(result.node->n_tx, 3);
    /* One satoshi more than the fees is too much. */
    template.n_tx = 0;
    template.fees_sat = 1;
    assert_int_equal(mine(f, &template, NOW_S).verdict.code, REJECT_CB_AMOUNT);
}

TEST(time_never_falls_to_the_median_or_below, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 20, NULL);
    rig_accept_chain(&f->rig, last);
    int64_t mtp_s = block_node_mtp(chain_tip(f->rig.chain));
    const int64_t rows[][2] = {
        /* clock, time of the block */
        {0, mtp_s + 1},         {mtp_s, mtp_s + 1}, {mtp_s + 1, mtp_s + 1},
        {mtp_s + 2, mtp_s + 2}, {NOW_S, NOW_S},
    };
    struct mining_template template = plain_template();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct block_ref *ref = mining_build_block(f->rig.chain, &template, rows[i][0]);
        assert_int_equal(ref->block.header.time, rows[i][1]);
        block_ref_drop(ref);
    }
}

/* BIP94: a period's first block is at most ten minutes older than the block before. */
TEST(the_first_block_of_a_period_is_near_the_last_one, struct fixture *f)
{
    f->b.network.pow_target_timespan_s = 24 * f->b.network.pow_target_spacing_s;
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 22, NULL);
    struct builder_spec late = {.time = last->block.header.time + 7000};
    last = builder_block(&f->b, last, &late); /* height 23: the next one begins a period */
    rig_accept_chain(&f->rig, last);
    assert_true(rig_is_at(&f->rig, last));
    struct mining_template template = plain_template();
    struct block_ref *ref = mining_build_block(f->rig.chain, &template, 0);
    assert_int_equal(ref->block.header.time, late.time - TIMEWARP_GRACE_S);
    block_ref_drop(ref);
}

/* On a test network the work asked for depends on the time that the block gets. */
TEST(bits_follow_from_the_time, struct fixture *f)
{
    f->b.network.pow_no_retargeting = false;
    f->b.network.pow_allow_min_difficulty = true;
    rig_start(&f->rig, 1, &f->b, NULL);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 10, NULL);
    rig_accept_chain(&f->rig, last);
    assert_true(rig_is_at(&f->rig, last));
    struct mining_template template = plain_template();
    const struct block_node *tip = chain_tip(f->rig.chain);
    for (int64_t ahead_s = 1190; ahead_s <= 1210; ahead_s += 10) {
        int64_t now_s = (int64_t)tip->time + ahead_s;
        struct block_ref *ref = mining_build_block(f->rig.chain, &template, now_s);
        assert_int_equal(ref->block.header.bits,
                         chain_next_bits(f->rig.chain, tip, (uint32_t)now_s));
        block_ref_drop(ref);
    }
}

TEST(a_started_deployment_is_signalled, struct fixture *f)
{
    f->b.network.bip9[BIP9_TESTDUMMY] = (struct bip9_params){
        .bit = 28, .start_time = 0, .timeout = BIP9_NO_TIMEOUT, .period = 144, .threshold = 108};
    rig_start(&f->rig, 1, &f->b, NULL);
    struct mining_template template = plain_template();
    struct block_ref *ref = mining_build_block(f->rig.chain, &template, NOW_S);
    assert_int_equal(ref->block.header.version, 0x20000000);
    block_ref_drop(ref);
    rig_accept_chain(&f->rig, builder_blocks(&f->b, f->b.genesis, 143, NULL));
    assert_int_equal(chain_deployment_state(f->rig.chain, chain_tip(f->rig.chain), BIP9_TESTDUMMY),
                     BIP9_STATE_STARTED);
    ref = mining_build_block(f->rig.chain, &template, NOW_S);
    assert_int_equal(ref->block.header.version, 0x30000000);
    block_ref_drop(ref);
}

/* -- Searching --------------------------------------------------------------------------------- */

/* A block whose bits ask for much more than regtest does. */
static struct block_ref *hard_block(struct fixture *f, uint32_t bits)
{
    struct mining_template template = plain_template();
    struct block_ref *ref = mining_build_block(f->rig.chain, &template, NOW_S);
    ref->block.header.bits = bits;
    struct writer w = writer_to_buffer(ref->raw, BLOCK_HEADER_BYTES);
    block_header_encode(&w, &ref->block.header);
    return ref;
}

TEST(a_search_ends_after_the_tries_it_was_given, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    assert_null(grind(f, hard_block(f, 0x1700ffff), 0).raw);
    assert_null(grind(f, hard_block(f, 0x1700ffff), 120000).raw);
}

TEST(what_is_found_proves_the_work, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    struct block_ref *ref = block_ref_hold(hard_block(f, 0x1f00ffff)); /* 65536 tries */
    struct search search = grind(f, ref, UINT64_C(1) << 32);
    assert_non_null(search.raw);
    struct reader r = reader_of(span_of(search.raw, search.len));
    struct block_header header;
    assert_true(block_header_decode(&r, &header));
    struct block_hash hash = block_header_hash(&header);
    assert_true(pow_check(&f->b.network, &hash, 0x1f00ffff));
    /* Nothing but the nonce differs. */
    assert_memory_equal(search.raw, ref->raw, BLOCK_HEADER_BYTES - 4);
    assert_memory_equal(search.raw + BLOCK_HEADER_BYTES, ref->raw + BLOCK_HEADER_BYTES,
                        search.len - BLOCK_HEADER_BYTES);
    xfree(search.raw);
    block_ref_drop(ref);
}

TEST(a_search_starts_at_the_nonce_and_ends_with_the_last, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    struct block_ref *ref = hard_block(f, 0x1700ffff);
    ref->block.header.nonce = UINT32_MAX - 1000;
    assert_null(grind(f, ref, UINT64_MAX).raw);
}

TEST(closing_ends_a_search, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    struct search search = {0};
    mining_grind(f->rig.chain, hard_block(f, 0x1700ffff), UINT64_MAX, note_search, &search);
    (void)sim_env_step(f->rig.sim);
    assert_int_equal(rig_close(&f->rig), 0);
    assert_true(search.is_done);
    assert_null(search.raw);
}

/* As one thread would find it: what is mined depends on nothing but the block. */
TEST(the_lowest_nonce_with_the_work_is_found, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    for (uint32_t bits = 0x1f00ffff; bits >= 0x1f002fff; bits -= 0x4000) {
        struct block_ref *ref = block_ref_hold(hard_block(f, bits));
        struct search search = grind(f, ref, UINT64_C(1) << 32);
        assert_non_null(search.raw);
        struct block_header header = ref->block.header;
        struct block_hash hash = block_header_hash(&header);
        while (!pow_check(&f->b.network, &hash, bits)) {
            header.nonce++;
            hash = block_header_hash(&header);
        }
        struct reader r = reader_of(span_of(search.raw, search.len));
        struct block_header found;
        assert_true(block_header_decode(&r, &found));
        assert_int_equal(found.nonce, header.nonce);
        xfree(search.raw);
        block_ref_drop(ref);
    }
}

TEST(a_search_that_is_cancelled_ends_without_a_block, struct fixture *f)
{
    rig_start(&f->rig, 1, &f->b, NULL);
    for (int n_steps = 0; n_steps < 40; n_steps++) {
        struct search search = {0};
        struct mining_search *handle =
            mining_grind(f->rig.chain, hard_block(f, 0x1700ffff), UINT64_MAX, note_search, &search);
        for (int i = 0; i < n_steps; i++)
            (void)sim_env_step(f->rig.sim);
        assert_false(search.is_done);
        mining_cancel(handle);
        mining_cancel(handle);
        assert_false(search.is_done); /* never from within */
        rig_wait(&f->rig, &search.is_done);
        assert_null(search.raw);
    }
}

/* -- Signed blocks ----------------------------------------------------------------------------- */

/* Regtest with a signet's rule: its work is little, its blocks need the signature. */
static struct signet_signer *sign_with(struct fixture *f, const char *key)
{
    static const uint8_t challenge[] = /* multisig, 1 of 1, of secret 1's key */
        {0x51, 0x21, 0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0,
         0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28,
         0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98, 0x51, 0xae};
    static const uint8_t seed[32] = {3};
    enum signet_signer_fault fault;
    f->b.network.signet_blocks = true;
    f->b.network.signet_challenge = span_of(challenge, sizeof challenge);
    struct signet_signer *signer = signet_signer_new(&f->b.network, key, seed, &fault);
    assert_int_equal(fault, SIGNET_SIGNER_OK);
    return signer;
}

#define KEY_1 "0000000000000000000000000000000000000000000000000000000000000001"

TEST(a_signed_block_is_connected_and_one_without_signature_is_not, struct fixture *f)
{
    struct signet_signer *signer = sign_with(f, KEY_1);
    rig_start(&f->rig, 1, &f->b, NULL);
    struct mining_template template = plain_template();
    assert_int_equal(mine(f, &template, NOW_S).verdict.code, REJECT_SIGNET_BLKSIG);
    template.signer = signer;
    template.coinbase_script_pubkey = signet_signer_script(signer);
    for (int i = 0; i < 20; i++) {
        struct chain_block_result result = mine(f, &template, NOW_S + i);
        assert_int_equal(result.verdict.code, REJECT_NONE);
        assert_true(result.is_connected);
    }
    signet_signer_free(signer);
}
