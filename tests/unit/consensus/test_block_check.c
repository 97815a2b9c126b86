/* test_block_check.c - rules of headers and blocks, the order of verdicts, and their classes.
 *
 * hazards: rows 5, 6, 7, 10, 31, 32, and the real block 277647 of the main chain. */
#include "consensus/block_check.h"
#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "consensus/script_iter.h"
#include "crypto/hash.h"
#include "support/arena_fixture.h"
#include "support/build.h"
#include "support/vectors.h"
#include "util/alloc.h"

FIXTURE(arena_setup, arena_teardown)

/* clang-format off */
static const struct {
    const char *what;
    enum network_kind kind;
    int32_t height;
    int32_t version;
    uint32_t bits, time;
    int64_t prev_time_s;
    enum reject want;
} headers[] = {
    /* median time past 1000000, our clock 2000000, bits required 0x1d00ffff */
    {"fine",                  NETWORK_MAIN, 500000, 4, 0x1d00ffff, 1500000, 1500000, REJECT_NONE},
    {"other bits",            NETWORK_MAIN, 500000, 4, 0x1d00fffe, 1500000, 1500000,
     REJECT_BAD_DIFFBITS},
    {"bits go before time",   NETWORK_MAIN, 500000, 1, 0x1d00fffe, 1, 1500000, REJECT_BAD_DIFFBITS},
    {"at the median",         NETWORK_MAIN, 500000, 4, 0x1d00ffff, 1000000, 1500000,
     REJECT_TIME_TOO_OLD},
    {"after the median",      NETWORK_MAIN, 500000, 4, 0x1d00ffff, 1000001, 1500000, REJECT_NONE},
    {"two hours ahead",       NETWORK_MAIN, 500000, 4, 0x1d00ffff, 2007200, 1500000, REJECT_NONE},
    {"a second more",         NETWORK_MAIN, 500000, 4, 0x1d00ffff, 2007201, 1500000,
     REJECT_TIME_TOO_NEW},
    {"time before version",   NETWORK_MAIN, 500000, 1, 0x1d00ffff, 2007201, 1500000,
     REJECT_TIME_TOO_NEW},
    {"version 1, too late",   NETWORK_MAIN, 227931, 1, 0x1d00ffff, 1500000, 1500000,
     REJECT_BAD_VERSION},
    {"version 1, in time",    NETWORK_MAIN, 227930, 1, 0x1d00ffff, 1500000, 1500000, REJECT_NONE},
    {"version 2, in time",    NETWORK_MAIN, 363724, 2, 0x1d00ffff, 1500000, 1500000, REJECT_NONE},
    {"version 2, too late",   NETWORK_MAIN, 363725, 2, 0x1d00ffff, 1500000, 1500000,
     REJECT_BAD_VERSION},
    {"version 3, in time",    NETWORK_MAIN, 388380, 3, 0x1d00ffff, 1500000, 1500000, REJECT_NONE},
    {"version 3, too late",   NETWORK_MAIN, 388381, 3, 0x1d00ffff, 1500000, 1500000,
     REJECT_BAD_VERSION},
    {"version below zero",    NETWORK_MAIN, 388381, -1, 0x1d00ffff, 1500000, 1500000,
     REJECT_BAD_VERSION},
    {"version below zero, early", NETWORK_MAIN, 1, -1, 0x1d00ffff, 1500000, 1500000, REJECT_NONE},
    /* BIP94: only on testnet4, only in the first block of a period */
    {"600 s back",            NETWORK_TESTNET4, 4032, 4, 0x1d00ffff, 1500000, 1500600, REJECT_NONE},
    {"601 s back",            NETWORK_TESTNET4, 4032, 4, 0x1d00ffff, 1500000, 1500601,
     REJECT_TIME_TIMEWARP},
    {"601 s back, later",     NETWORK_TESTNET4, 4033, 4, 0x1d00ffff, 1500000, 1500601, REJECT_NONE},
    {"601 s back, testnet 3", NETWORK_TEST, 4032, 4, 0x1d00ffff, 1500000, 1500601, REJECT_NONE},
};
/* clang-format on */

TEST(headers_fit_their_place)
{
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct block_header header = {
            .version = headers[i].version, .bits = headers[i].bits, .time = headers[i].time};
        struct header_context context = {.network = network_get(headers[i].kind),
                                         .height = headers[i].height,
                                         .bits_required = 0x1d00ffff,
                                         .prev_time_s = headers[i].prev_time_s,
                                         .prev_mtp_s = 1000000,
                                         .now_s = 2000000};
        struct verdict verdict;
        bool ok = block_header_check_context(&header, &context, &verdict);
        if (verdict.code != headers[i].want)
            fail_msg("%s: %s", headers[i].what, reject_string(verdict.code));
        assert_int_equal(ok, headers[i].want == REJECT_NONE);
        if (verdict.code == REJECT_BAD_VERSION)
            assert_int_equal(verdict.version, (uint32_t)headers[i].version);
    }
}

static void assert_check(struct arena *arena, const struct block *block, int flags,
                         enum reject want)
{
    struct verdict verdict;
    bool ok = block_check(block, network_get(NETWORK_REGTEST), flags, arena, &verdict);
    assert_string_equal(reject_string(verdict.code), reject_string(want));
    assert_int_equal(reject_class(verdict.code), reject_class(want));
    assert_int_equal(ok, want == REJECT_NONE);
}

static struct block two_tx_block(struct arena *arena)
{
    struct tx txs[2] = {build_coinbase(arena, 1, 50 * COIN_SAT), build_tx(arena, 1, 1, 1)};
    tx_finish(&txs[1], arena);
    return build_block(arena, txs, 2);
}

TEST(a_block_that_was_ground_passes, struct arena *arena)
{
    struct block block = two_tx_block(arena);
    build_grind(arena, &block, network_get(NETWORK_REGTEST));
    assert_check(arena, &block, BLOCK_CHECK_ALL, REJECT_NONE);
    do { /* the next nonce that proves nothing */
        block.header.nonce++;
        block.hash = block_header_hash(&block.header);
    } while (pow_check(network_get(NETWORK_REGTEST), &block.hash, block.header.bits));
    assert_check(arena, &block, BLOCK_CHECK_ALL, REJECT_HIGH_HASH);
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_NONE);
}

TEST(another_root_is_mutated_not_invalid, struct arena *arena)
{
    struct block block = two_tx_block(arena);
    block.header.merkle_root[0] ^= 1;
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_BAD_MERKLE_ROOT);
    assert_true(block_is_mutated(&block, false, arena));
    assert_check(arena, &block, 0, REJECT_NONE);
}

/* Of a block that was put together from transactions whose ids made up its roots. */
TEST(roots_that_are_known_to_hold_are_not_asked_again, struct arena *arena)
{
    struct block block = two_tx_block(arena);
    block.header.merkle_root[0] ^= 1;
    block.roots_hold = true;
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_NONE);
    block.roots_hold = false;
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_BAD_MERKLE_ROOT);
}

/* Row 5: the same header, then with the last transactions twice, then honest again. */
TEST(repeated_transactions_are_mutated_not_invalid, struct arena *arena)
{
    struct tx txs[8] = {build_coinbase(arena, 1, 50 * COIN_SAT)};
    for (uint32_t i = 1; i < 6; i++) {
        txs[i] = build_tx(arena, i, 1, 1);
        tx_finish(&txs[i], arena);
    }
    /* three transactions and the third again; six, and the fifth and sixth again */
    static const uint32_t sizes[][2] = {{3, 1}, {6, 2}};
    for (int i = 0; i < 2; i++) {
        uint32_t n = sizes[i][0], tail = sizes[i][1];
        struct tx again[8];
        memcpy(again, txs, sizeof again);
        memcpy(again + n, again + n - tail, tail * sizeof *again);
        struct block honest = build_block(arena, again, n);
        struct block mutated = build_block(arena, again, n + tail);
        assert_true(block_hash_equal(&honest.hash, &mutated.hash));
        assert_check(arena, &mutated, BLOCK_CHECK_MERKLE, REJECT_TXNS_DUPLICATE);
        assert_true(block_is_mutated(&mutated, false, arena));
        assert_check(arena, &honest, BLOCK_CHECK_MERKLE, REJECT_NONE);
        assert_false(block_is_mutated(&honest, false, arena));
    }
}

/* A transaction of 64 bytes without witness: 4 + 1 + 41 + 1 + 8 + 1 + script + 4. */
static struct tx tx_of_64_bytes(struct arena *arena)
{
    struct tx tx = build_tx(arena, 9, 1, 1);
    static const uint8_t script[4] = {OP_1, OP_1, OP_1, OP_1};
    tx.out[0].script_pubkey = span_of(script, sizeof script);
    tx_finish(&tx, arena);
    assert_int_equal(tx.base_bytes, 64);
    return tx;
}

/* Row 6: without a coinbase, a 64-byte transaction may be a node of the true block's tree. */
TEST(a_block_of_inner_nodes_condemns_no_hash, struct arena *arena)
{
    struct tx node = tx_of_64_bytes(arena), other = build_tx(arena, 1, 1, 1);
    tx_finish(&other, arena);
    struct block forged = build_block(arena, &node, 1);
    assert_check(arena, &forged, BLOCK_CHECK_MERKLE, REJECT_CB_MISSING_MUTATED);
    assert_true(block_is_mutated(&forged, false, arena));

    struct block no_coinbase = build_block(arena, &other, 1);
    assert_check(arena, &no_coinbase, BLOCK_CHECK_MERKLE, REJECT_CB_MISSING);
    assert_false(block_is_mutated(&no_coinbase, false, arena));

    /* with a coinbase such a transaction is valid: being refused is policy */
    struct tx txs[2] = {build_coinbase(arena, 1, 0), node};
    struct block honest = build_block(arena, txs, 2);
    assert_check(arena, &honest, BLOCK_CHECK_MERKLE, REJECT_NONE);
    assert_false(block_is_mutated(&honest, false, arena));

    /* the other way round: the txids of that node's two halves hash to the node's own id */
    uint8_t root[32];
    assert_false(merkle_root(node.raw.p, 2, arena, root));
    assert_memory_equal(root, node.txid.b, 32);
}

TEST(coinbases_stand_first_and_alone, struct arena *arena)
{
    struct tx coinbase = build_coinbase(arena, 1, 0), tx = build_tx(arena, 1, 1, 1);
    tx_finish(&tx, arena);
    struct tx swapped[2] = {tx, coinbase}, twice[3] = {coinbase, tx, coinbase};
    struct block block = build_block(arena, swapped, 2);
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_CB_MISSING);
    block = build_block(arena, twice, 3);
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_CB_MULTIPLE);
    block = build_block(arena, NULL, 0);
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_BLK_LENGTH);
}

TEST(each_transaction_is_checked, struct arena *arena)
{
    struct tx txs[2] = {build_coinbase(arena, 1, 0), build_tx(arena, 1, 2, 1)};
    txs[1].in[1].prevout = txs[1].in[0].prevout; /* CVE-2018-17144, in a block */
    tx_finish(&txs[1], arena);
    struct block block = build_block(arena, txs, 2);
    assert_check(arena, &block, BLOCK_CHECK_MERKLE, REJECT_INPUTS_DUPLICATE);
    struct verdict verdict;
    assert_false(block_check(&block, network_get(NETWORK_REGTEST), 0, arena, &verdict));
    assert_memory_equal(verdict.detail, "Transaction check failed (tx hash ", 34);
}

TEST(base_size_may_be_a_million_bytes, struct arena *arena)
{
    struct tx txs[2] = {build_coinbase(arena, 1, 0), build_tx(arena, 1, 1, 1)};
    tx_finish(&txs[1], arena);
    struct block small = build_block(arena, txs, 2);
    size_t room = 1000000 - small.base_bytes - 4; /* the script's length takes 5 bytes, not 1 */
    uint8_t *script = arena_alloc(arena, room + 1);
    memset(script, OP_NOP, room + 1);
    for (size_t extra = 0; extra < 2; extra++) {
        txs[1].in[0].script_sig = span_of(script, room + extra);
        tx_finish(&txs[1], arena);
        struct block block = build_block(arena, txs, 2);
        assert_int_equal(block.base_bytes, 1000000 + extra);
        assert_check(arena, &block, BLOCK_CHECK_MERKLE, extra ? REJECT_BLK_LENGTH : REJECT_NONE);
    }
}

/* Row 10: 20,000 legacy operations weigh 80,000, for every opcode that counts. */
TEST(twenty_thousand_sigops_are_the_limit, struct arena *arena)
{
    static const struct {
        uint8_t opcode;
        uint32_t each;
    } kinds[] = {{OP_CHECKSIG, 1},
                 {OP_CHECKSIGVERIFY, 1},
                 {OP_CHECKMULTISIG, 20},
                 {OP_CHECKMULTISIGVERIFY, 20}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (uint32_t extra = 0; extra < 2; extra++) {
            struct arena_mark mark = arena_mark(arena);
            struct tx txs[2] = {build_coinbase(arena, 1, 0), build_tx(arena, 1, 1, 2)};
            uint32_t n = 20000 / kinds[i].each;
            uint8_t *script = arena_alloc(arena, n);
            memset(script, kinds[i].opcode, n);
            txs[1].out[0].script_pubkey = span_of(script, n);
            static const uint8_t one_more[1] = {OP_CHECKSIG};
            if (extra)
                txs[1].out[1].script_pubkey = span_of(one_more, 1);
            tx_finish(&txs[1], arena);
            struct block block = build_block(arena, txs, 2);
            assert_check(arena, &block, BLOCK_CHECK_MERKLE,
                         extra ? REJECT_BLK_SIGOPS : REJECT_NONE);
            arena_rewind(arena, mark);
        }
    }
}

static void assert_context(struct arena *arena, const struct block *block,
                           const struct network *network, int32_t height, int64_t mtp_s,
                           enum reject want)
{
    struct verdict verdict;
    bool ok = block_check_context(block, network, height, mtp_s, arena, &verdict);
    assert_string_equal(reject_string(verdict.code), reject_string(want));
    assert_int_equal(ok, want == REJECT_NONE);
}

TEST(lock_times_are_measured_by_the_median_since_bip113, struct arena *arena)
{
    struct network network = *network_get(NETWORK_REGTEST);
    network.buried_height[BURIED_CSV] = 101;
    for (int32_t height = 100; height <= 101; height++) {
        struct tx txs[2] = {build_coinbase(arena, height, 0), build_tx(arena, 1, 1, 1)};
        txs[1].in[0].sequence = 0;
        txs[1].lock_time = 1700000000 - 1; /* one second before the block's own time */
        tx_finish(&txs[1], arena);
        struct block block = build_block(arena, txs, 2);
        assert_context(arena, &block, &network, height, 1700000000 - 3600,
                       height == 101 ? REJECT_TXNS_NONFINAL : REJECT_NONE);
        assert_context(arena, &block, &network, height, 1700000000, REJECT_NONE);
    }
}

TEST(coinbase_lock_times_count, struct arena *arena)
{
    struct tx coinbase = build_coinbase(arena, 7, 0);
    coinbase.in[0].sequence = 0;
    coinbase.lock_time = 7;
    tx_finish(&coinbase, arena);
    struct block block = build_block(arena, &coinbase, 1);
    assert_context(arena, &block, network_get(NETWORK_REGTEST), 7, 0, REJECT_TXNS_NONFINAL);
}

TEST(the_height_is_the_first_push_of_the_coinbase, struct arena *arena)
{
    static const int32_t heights[] = {1,   16,    17,    127,    128,     255,
                                      256, 32767, 32768, 500000, 8388607, 8388608};
    struct network network = *network_get(NETWORK_REGTEST);
    for (size_t i = 0; i < COUNT_OF(heights); i++) {
        struct tx coinbase = build_coinbase(arena, heights[i], 0);
        struct block block = build_block(arena, &coinbase, 1);
        assert_context(arena, &block, &network, heights[i], 0, REJECT_NONE);
        assert_context(arena, &block, &network, heights[i] + 1, 0, REJECT_CB_HEIGHT);
    }
    /* before BIP34 anything goes */
    network.buried_height[BURIED_HEIGHTINCB] = 100;
    struct tx coinbase = build_coinbase(arena, 5, 0);
    struct block block = build_block(arena, &coinbase, 1);
    assert_context(arena, &block, &network, 99, 0, REJECT_NONE);
    assert_context(arena, &block, &network, 100, 0, REJECT_CB_HEIGHT);
}

TEST(a_height_pushed_the_long_way_is_refused, struct arena *arena)
{
    static const uint8_t long_push[3] = {0x02, 0x11, 0x00}; /* 17 in two bytes */
    struct tx coinbase = build_coinbase(arena, 17, 0);
    coinbase.in[0].script_sig = span_of(long_push, sizeof long_push);
    tx_finish(&coinbase, arena);
    struct block block = build_block(arena, &coinbase, 1);
    assert_context(arena, &block, network_get(NETWORK_REGTEST), 17, 0, REJECT_CB_HEIGHT);
}

/* A block with a witness and its commitment. */
static struct block witness_block(struct arena *arena)
{
    static const uint8_t data[5] = {1, 2, 3, 4, 5};
    struct span item = span_of(data, sizeof data);
    struct tx txs[2] = {build_coinbase(arena, 1, 0), build_tx(arena, 1, 1, 1)};
    txs[1].in[0].witness = build_witness(arena, &item, 1);
    tx_finish(&txs[1], arena);
    return build_segwit_block(arena, txs, 2);
}

static void assert_witness(struct arena *arena, const struct block *block, bool expect,
                           enum reject want)
{
    struct verdict verdict;
    bool ok = block_check_witness(block, expect, arena, &verdict);
    assert_string_equal(reject_string(verdict.code), reject_string(want));
    assert_int_equal(ok, want == REJECT_NONE);
    if (!ok)
        assert_int_equal(reject_class(verdict.code), REJECT_CLASS_MUTATED);
    /* the root holds and there is a coinbase: mutated is exactly what this says */
    assert_int_equal(block_is_mutated(block, expect, arena), want != REJECT_NONE);
}

TEST(witnesses_agree_with_the_commitment, struct arena *arena)
{
    struct block block = witness_block(arena);
    assert_witness(arena, &block, true, REJECT_NONE);
    assert_context(arena, &block, network_get(NETWORK_REGTEST), 1, 0, REJECT_NONE);
    /* before segwit nobody may send witnesses */
    assert_witness(arena, &block, false, REJECT_UNEXPECTED_WITNESS);
}

/* Row 7: each of these has the honest block's hash, and must not be held against it. */
TEST(altered_witnesses_condemn_no_hash, struct arena *arena)
{
    struct block honest = witness_block(arena);
    static const uint8_t padding[3000], nonce31[31];
    struct span pad = span_of(padding, sizeof padding);
    struct span short_nonce = span_of(nonce31, sizeof nonce31);
    struct span two[2] = {span_of(padding, 32), span_of(padding, 32)};

    struct block padded = witness_block(arena), no_nonce = witness_block(arena);
    struct block short_one = witness_block(arena), two_items = witness_block(arena);
    padded.tx[1].in[0].witness = build_witness(arena, &pad, 1);
    build_block_again(arena, &padded);
    assert_witness(arena, &padded, true, REJECT_WITNESS_MERKLE_MATCH);

    no_nonce.tx[0].in[0].witness = span_of(NULL, 0);
    build_block_again(arena, &no_nonce);
    assert_witness(arena, &no_nonce, true, REJECT_WITNESS_NONCE_SIZE);

    short_one.tx[0].in[0].witness = build_witness(arena, &short_nonce, 1);
    build_block_again(arena, &short_one);
    assert_witness(arena, &short_one, true, REJECT_WITNESS_NONCE_SIZE);

    two_items.tx[0].in[0].witness = build_witness(arena, two, 2);
    build_block_again(arena, &two_items);
    assert_witness(arena, &two_items, true, REJECT_WITNESS_NONCE_SIZE);

    assert_true(block_hash_equal(&padded.hash, &honest.hash));
    assert_true(block_hash_equal(&two_items.hash, &honest.hash));
    assert_witness(arena, &honest, true, REJECT_NONE);
}

TEST(a_block_without_commitment_has_no_witness, struct arena *arena)
{
    struct block block = two_tx_block(arena);
    assert_witness(arena, &block, true, REJECT_NONE);
    static const uint8_t data[1] = {1};
    struct span item = span_of(data, 1);
    block.tx[1].in[0].witness = build_witness(arena, &item, 1);
    tx_finish(&block.tx[1], arena);
    build_block_again(arena, &block);
    assert_witness(arena, &block, true, REJECT_UNEXPECTED_WITNESS);
}

/* Row 32: of several commitments the last one counts. */
TEST(the_last_commitment_counts, struct arena *arena)
{
    struct block block = witness_block(arena);
    struct tx *coinbase = &block.tx[0];
    assert_int_equal(block_commitment_index(&block), 1);

    /* a wrong one in front changes nothing */
    uint8_t *wrong = arena_alloc(arena, BLOCK_COMMITMENT_BYTES);
    memcpy(wrong, coinbase->out[1].script_pubkey.p, BLOCK_COMMITMENT_BYTES);
    wrong[20] ^= 1;
    struct tx_out good = coinbase->out[1];
    struct tx_out out[3] = {{.script_pubkey = span_of(wrong, BLOCK_COMMITMENT_BYTES)}, good, good};
    out[2].script_pubkey.len = BLOCK_COMMITMENT_BYTES - 1; /* too short to be one */
    coinbase->out = out;
    coinbase->n_out = 3;
    tx_finish(coinbase, arena);
    build_block_again(arena, &block);
    build_set_merkle_root(arena, &block);
    assert_int_equal(block_commitment_index(&block), 1);
    assert_witness(arena, &block, true, REJECT_NONE);

    /* behind, it does */
    struct tx_out swapped[2] = {good, {.script_pubkey = span_of(wrong, BLOCK_COMMITMENT_BYTES)}};
    block.tx[0].out = swapped;
    block.tx[0].n_out = 2;
    tx_finish(&block.tx[0], arena);
    build_block_again(arena, &block);
    build_set_merkle_root(arena, &block);
    assert_witness(arena, &block, true, REJECT_WITNESS_MERKLE_MATCH);
}

TEST(a_longer_commitment_script_is_fine, struct arena *arena)
{
    struct block block = witness_block(arena);
    struct tx *coinbase = &block.tx[0];
    uint8_t *script = arena_calloc(arena, 1, BLOCK_COMMITMENT_BYTES + 10);
    memcpy(script, coinbase->out[1].script_pubkey.p, BLOCK_COMMITMENT_BYTES);
    coinbase->out[1].script_pubkey = span_of(script, BLOCK_COMMITMENT_BYTES + 10);
    tx_finish(coinbase, arena);
    build_block_again(arena, &block);
    build_set_merkle_root(arena, &block);
    assert_witness(arena, &block, true, REJECT_NONE);
}

TEST(weight_may_be_four_million, struct arena *arena)
{
    struct block base = witness_block(arena);
    /* item grows from 5 bytes; its length takes 5 bytes, not 1 */
    size_t room = BLOCK_WEIGHT_MAX_WU - block_weight_wu(&base) + 5 - 4;
    uint8_t *data = arena_calloc(arena, 1, room + 1);
    for (size_t extra = 0; extra < 2; extra++) {
        struct span item = span_of(data, room + extra);
        struct tx txs[2] = {build_coinbase(arena, 1, 0), build_tx(arena, 1, 1, 1)};
        txs[1].in[0].witness = build_witness(arena, &item, 1);
        tx_finish(&txs[1], arena);
        struct block block = build_segwit_block(arena, txs, 2);
        assert_int_equal(block_weight_wu(&block), BLOCK_WEIGHT_MAX_WU + extra);
        assert_context(arena, &block, network_get(NETWORK_REGTEST), 1, 0,
                       extra ? REJECT_BLK_WEIGHT : REJECT_NONE);
    }
}

TEST(real_block_277647_passes_and_a_flipped_byte_is_mutated, struct arena *arena)
{
    size_t len;
    char *raw = vectors_read("mainnet/block277647.raw", &len);
    if (!raw)
        skip();
    const struct network *main_net = network_get(NETWORK_MAIN);
    struct block block;
    struct verdict verdict;
    assert_true(block_decode(span_of(raw, len), arena, &block));
    assert_true(block_check(&block, main_net, BLOCK_CHECK_ALL, arena, &verdict));
    assert_false(block_is_mutated(&block, false, arena));
    assert_context(arena, &block, main_net, 277647, 0, REJECT_NONE);
    assert_context(arena, &block, main_net, 277648, 0, REJECT_CB_HEIGHT);

    /* a byte inside the first signature of the last transaction */
    const struct tx *last = &block.tx[block.n_tx - 1];
    size_t at = (size_t)(last->in[0].script_sig.p - block.raw.p) + 20;
    raw[at] ^= 1;
    assert_true(block_decode(span_of(raw, len), arena, &block));
    assert_false(block_check(&block, main_net, BLOCK_CHECK_ALL, arena, &verdict));
    assert_string_equal(reject_string(verdict.code), "bad-txnmrklroot");
    assert_int_equal(reject_class(verdict.code), REJECT_CLASS_MUTATED);
    assert_true(block_is_mutated(&block, false, arena));
    xfree(raw);
}

