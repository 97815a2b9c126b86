/* test_signet.c - solutions of signet blocks: the real first block, and challenges of our own. */
#include "consensus/block_check.h"
#include "consensus/script_iter.h"
#include "consensus/signet.h"
#include "support/build.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/alloc.h"

/* Block 1 of the public signet,
 * 00000086d6b2636cb2a392d45edc4ec544a10024d30141c9adf4bfd9de533b53. */
static const char signet_block_1[] =
    "00000020f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000f575c83235984e7dc4af"
    "c1f30944c170462e84437ab6f2d52e16878a79e4678bd1914d5fae77031eccf40700010100000000010100000000"
    "00000000000000000000000000000000000000000000000000000000ffffffff025151feffffff0200f2052a0100"
    "00001600149243f727dd5343293eb83174324019ec16c2630f0000000000000000776a24aa21a9ede2f61c3f71d1"
    "defd3fa999dfa36953755c690689799962b48bebd836974e8cf94c4fecc7daa2490047304402205e423a8754336c"
    "a99dbe16509b877ef1bf98d008836c725005b3c787c41ebe46022047246e4467ad7cc7f1ad98662afcaf14c115e0"
    "095a227c7b05c5182591c23e7e010001200000000000000000000000000000000000000000000000000000000000"
    "00000000000000";

struct fixture {
    struct arena arena;
    struct script_scratch *scratch;
    uint8_t raw[sizeof signet_block_1 / 2];
    struct block block;
};

static int setup(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    arena_init(&fixture->arena, 4096);
    fixture->scratch = script_scratch_new();
    hex_bytes_exactly(signet_block_1, fixture->raw, sizeof fixture->raw);
    assert_true(
        block_decode(span_of(fixture->raw, sizeof fixture->raw), &fixture->arena, &fixture->block));
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    script_scratch_free(fixture->scratch);
    arena_deinit(&fixture->arena);
    xfree(fixture);
    return 0;
}

FIXTURE(setup, teardown)

static bool check(struct fixture *fixture, const struct block *block, const struct network *network)
{
    struct arena_mark before = arena_mark(&fixture->arena);
    bool ok = signet_check(block, network, &fixture->arena, fixture->scratch);
    struct arena_mark after = arena_mark(&fixture->arena);
    assert_ptr_equal(before.chunk, after.chunk);
    assert_int_equal(before.used, after.used);
    return ok;
}

TEST(the_real_first_block_is_solved, struct fixture *fixture)
{
    const struct network *signet = network_get(NETWORK_SIGNET);
    struct verdict verdict;
    assert_hex(fixture->block.hash.b, 32,
               "533b53ded9bff4adc94101d32400a144c54edc5ed492a3b26c63b2d686000000");
    assert_true(block_check(&fixture->block, signet, BLOCK_CHECK_ALL, &fixture->arena, &verdict));
    assert_true(block_check_context(&fixture->block, signet, 1, 0, &fixture->arena, &verdict));
    assert_true(check(fixture, &fixture->block, signet));
}

TEST(another_challenge_is_not_solved_by_it, struct fixture *fixture)
{
    struct network network = *network_get(NETWORK_SIGNET);
    /* the same keys, but both of them must sign */
    uint8_t *challenge = xmemdup(network.signet_challenge.p, network.signet_challenge.len);
    challenge[0] = OP_2;
    network_set_signet_challenge(&network, span_of(challenge, network.signet_challenge.len));
    assert_false(check(fixture, &fixture->block, &network));
    xfree(challenge);
}

TEST(what_is_signed_may_not_change, struct fixture *fixture)
{
    const struct network *signet = network_get(NETWORK_SIGNET);
    struct block changed = fixture->block;
    changed.header.time++;
    assert_false(check(fixture, &changed, signet));
    changed = fixture->block;
    changed.header.version++;
    assert_false(check(fixture, &changed, signet));
    changed = fixture->block;
    changed.header.prev.b[0] ^= 1;
    assert_false(check(fixture, &changed, signet));
    /* bits and nonce are not signed: work comes after the signature */
    changed = fixture->block;
    changed.header.nonce++;
    changed.header.bits++;
    assert_true(check(fixture, &changed, signet));
    /* a transaction is */
    changed.tx[0].out[0].value_sat--;
    assert_false(check(fixture, &changed, signet));
}

TEST(genesis_and_other_networks_need_no_solution, struct fixture *fixture)
{
    const struct network *signet = network_get(NETWORK_SIGNET);
    struct block genesis;
    assert_true(block_decode(signet->genesis_raw, &fixture->arena, &genesis));
    assert_true(check(fixture, &genesis, signet));
    struct tx coinbase = build_coinbase(&fixture->arena, 1, 0);
    struct block plain = build_block(&fixture->arena, &coinbase, 1);
    assert_true(check(fixture, &plain, network_get(NETWORK_REGTEST)));
    assert_false(check(fixture, &plain, signet)); /* no commitment to hold a solution */
}

TEST(an_open_challenge_needs_no_solution_but_a_commitment, struct fixture *fixture)
{
    static const uint8_t op_true[1] = {OP_1}, op_false[1] = {OP_0};
    struct network network = *network_get(NETWORK_SIGNET);
    struct tx coinbase = build_coinbase(&fixture->arena, 1, 0);
    struct block block = build_segwit_block(&fixture->arena, &coinbase, 1);
    network_set_signet_challenge(&network, span_of(op_true, 1));
    assert_true(check(fixture, &block, &network));
    network_set_signet_challenge(&network, span_of(op_false, 1));
    assert_false(check(fixture, &block, &network));
    struct block bare = build_block(&fixture->arena, &coinbase, 1);
    network_set_signet_challenge(&network, span_of(op_true, 1));
    assert_false(check(fixture, &bare, &network));
}

/* clang-format off */
static const struct { const char *push; bool made; size_t script_sig, witness; } solutions[] = {
    {"",                      true, 0, 0},          /* none */
    {"06ecc7daa20000",        true, 0, 0},          /* empty script, no witness item */
    {"04ecc7daa2",            true, 0, 0},          /* only the header: no solution */
    {"07ecc7daa2015100",      true, 1, 0},
    {"08ecc7daa2000101aa",    true, 0, 3},
    {"05ecc7daa200",          false, 0, 0},         /* the witness count is missing */
    {"07ecc7daa2000000",      false, 0, 0},         /* a byte is left */
    {"07ecc7daa2fd0000",      false, 0, 0},
    {"07ecc7daa2025100",      false, 0, 0},         /* script longer than the rest */
    {"02aabb06ecc7daa20000",  true, 0, 0},          /* behind another push */
    {"07ecc7daa2015100" "05ecc7daa200", true, 1, 0}, /* the first one counts */
};
/* clang-format on */

/* A block whose commitment script goes on with those bytes. */
static struct block block_with(struct arena *arena, const char *hex)
{
    struct tx coinbase = build_coinbase(arena, 1, 0);
    struct block block = build_segwit_block(arena, &coinbase, 1);
    struct tx_out *out = &block.tx[0].out[1];
    uint8_t *script = arena_alloc(arena, BLOCK_COMMITMENT_BYTES + 64);
    memcpy(script, out->script_pubkey.p, BLOCK_COMMITMENT_BYTES);
    size_t len = hex_bytes(hex, script + BLOCK_COMMITMENT_BYTES, 64);
    out->script_pubkey = span_of(script, BLOCK_COMMITMENT_BYTES + len);
    build_block_again(arena, &block);
    build_set_merkle_root(arena, &block);
    return block;
}

TEST(solutions_are_a_script_and_a_witness_and_nothing_else, struct fixture *fixture)
{
    static const uint8_t op_true[1] = {OP_1};
    for (size_t i = 0; i < COUNT_OF(solutions); i++) {
        struct block block = block_with(&fixture->arena, solutions[i].push);
        struct signet_txs txs;
        bool made = signet_txs_make(&block, span_of(op_true, 1), &fixture->arena, &txs);
        if (made != solutions[i].made)
            fail_msg("%s: %d", solutions[i].push, made);
        if (!made)
            continue;
        assert_int_equal(txs.to_sign.in[0].script_sig.len, solutions[i].script_sig);
        assert_int_equal(txs.to_sign.in[0].witness.len, solutions[i].witness);
        assert_true(txid_equal(&txs.to_sign.in[0].prevout.txid, &txs.to_spend.txid));
    }
}

/* BIP325: signing must not depend on the signature, so two solutions sign the same. */
TEST(the_solution_is_not_part_of_what_is_signed, struct fixture *fixture)
{
    static const uint8_t op_true[1] = {OP_1};
    struct block a = block_with(&fixture->arena, "07ecc7daa2015100");
    struct block b = block_with(&fixture->arena, "09ecc7daa20351525300");
    struct block none = block_with(&fixture->arena, "");
    b.header = none.header = a.header;
    struct signet_txs txs_a, txs_b, txs_none;
    assert_true(signet_txs_make(&a, span_of(op_true, 1), &fixture->arena, &txs_a));
    assert_true(signet_txs_make(&b, span_of(op_true, 1), &fixture->arena, &txs_b));
    assert_true(signet_txs_make(&none, span_of(op_true, 1), &fixture->arena, &txs_none));
    assert_true(txid_equal(&txs_a.to_spend.txid, &txs_b.to_spend.txid));
    /* but that there is one is signed: its header stays */
    assert_false(txid_equal(&txs_a.to_spend.txid, &txs_none.to_spend.txid));
}

