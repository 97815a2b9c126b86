/* block_check.c - rules of headers and blocks.
 *
 * A block is refused with the first rule that it breaks, and which one is first can be seen from
 * outside: miners read the reason, and whether the hash is marked as bad for ever hangs on its
 * class. So the order below is part of the rules, and is Core's. */
#include "consensus/block_check.h"

#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "consensus/script_flags.h"
#include "consensus/script_iter.h"
#include "consensus/sigops.h"
#include "consensus/tx_check.h"
#include "consensus/tx_verify.h"
#include "crypto/hash.h"
#include "util/assert.h"
#include "util/hex.h"

_Static_assert(BLOCK_WEIGHT_MAX_WU % WITNESS_SCALE == 0 &&
                   BLOCK_SERIALIZED_MAX_BYTES == BLOCK_WEIGHT_MAX_WU,
               "a block of witnesses alone has as many bytes as weight units");

/* OP_RETURN, a push of 36 bytes, then four that mark it; 32 bytes of commitment follow. An output
 * that begins with OP_RETURN is never a coin, so the commitment costs nobody memory. BIP-141,
 * Commitment structure */
static const uint8_t commitment_prefix[6] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};

/* A transaction of this size without witness has the form of an inner node of the merkle tree. */
#define MERKLE_NODE_BYTES 64

/* Work comes before any other rule: to check it costs one hash, to make it what a block costs.
 * Until it is shown, nothing else of a stranger's header is worth a thought or a byte of memory. */
bool block_header_check(const struct network *network, const struct block_hash *hash, uint32_t bits,
                        struct verdict *verdict)
{
    if (!pow_check(network, hash, bits))
        return verdict_set(verdict, REJECT_HIGH_HASH, "proof of work failed");
    return verdict_set(verdict, REJECT_NONE, NULL);
}

/* The least version that the rules in force at a height demand. Each of these rules was voted in by
 * block versions: once 950 of the last 1,000 blocks had the new version, lower ones were refused.
 * The heights at which that happened are facts now, so nothing is counted any more. BIP-90,
 * Specification */
static int32_t version_min(const struct network *network, int32_t height)
{
    if (network_is_buried_active(network, BURIED_CLTV, height))
        return 4;
    if (network_is_buried_active(network, BURIED_DERSIG, height))
        return 3;
    return network_is_buried_active(network, BURIED_HEIGHTINCB, height) ? 2 : INT32_MIN;
}

/* Order as in Core, and reject reasons with it. The time has a lower bound which is a rule for ever
 * and an upper one which is not, so the upper one is asked later: a header that is wrong in both
 * ways is wrong for good. */
bool block_header_check_context(const struct block_header *header,
                                const struct header_context *context, struct verdict *verdict)
{
    ASSERT(header && context);
    ASSERT(context->network && context->height > 0);
    const struct network *network = context->network;
    if (header->bits != context->bits_required)
        return verdict_set(verdict, REJECT_BAD_DIFFBITS, "incorrect proof of work");

    /* Later than the median of the eleven blocks before. A single miner cannot turn time back, a
     * majority of six of eleven could; times may still go down from one block to the next. */
    if ((int64_t)header->time <= context->prev_mtp_s)
        return verdict_set(verdict, REJECT_TIME_TOO_OLD, "block's timestamp is too early");

    /* A retarget measures from a period's first block to its last, so two neighbouring periods
     * share no interval: whoever makes all blocks could end one period late and begin the next far
     * back, and let the difficulty fall without end. Ten minutes of slack are all that a period's
     * first block gets. BIP-94, 3. Time Warp Attack Prevention */
    if (network->enforce_bip94 && context->height % pow_retarget_interval(network) == 0 &&
        (int64_t)header->time < context->prev_time_s - TIMEWARP_GRACE_S)
        return verdict_set(verdict, REJECT_TIME_TIMEWARP,
                           "block's timestamp is too early on diff adjustment block");

    /* By our own clock, not one that peers have voted on: that would be a way to split off a
     * victim. */
    if ((int64_t)header->time > context->now_s + BLOCK_TIME_AHEAD_MAX_S)
        return verdict_set(verdict, REJECT_TIME_TOO_NEW, "block timestamp too far in the future");

    /* Signed, as in Core: a version with the top bit set is too low too. */
    if (header->version < version_min(network, context->height)) {
        verdict_set(verdict, REJECT_BAD_VERSION, "rejected nVersion=0x%08x block",
                    (unsigned)header->version);
        verdict->version = (uint32_t)header->version;
        return false;
    }
    return verdict_set(verdict, REJECT_NONE, NULL);
}

/* Both verdicts are of this copy only: whoever passed it on may have altered it, and the header's
 * own transactions may be fine. */
static bool check_merkle_root(const struct block *block, struct arena *scratch,
                              struct verdict *verdict)
{
    if (block->roots_hold)
        return verdict_set(verdict, REJECT_NONE, NULL);
    uint8_t root[32];
    bool mutated = block_merkle_root(block, scratch, root);
    if (memcmp(root, block->header.merkle_root, 32) != 0)
        return verdict_set(verdict, REJECT_BAD_MERKLE_ROOT, "hashMerkleRoot mismatch");
    /* The root agrees, but so it does for the block without the duplicates. CVE-2012-2459 */
    if (mutated)
        return verdict_set(verdict, REJECT_TXNS_DUPLICATE, "duplicate transaction");
    return verdict_set(verdict, REJECT_NONE, NULL);
}

/* An inner node is the hash of 64 bytes, two hashes; so is the txid of a transaction of 64 bytes.
 * Such a transaction can be made to stand for a node, and a node for a transaction.
 * CVE-2017-12842 */
static bool has_merkle_node_tx(const struct block *block)
{
    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (block->tx[i].base_bytes == MERKLE_NODE_BYTES)
            return true;
    }
    return false;
}

/* Exactly one coinbase, in front. Without this rule a second one could pay its miner again, for its
 * input is never asked for a coin. */
static bool check_coinbases(const struct block *block, struct verdict *verdict)
{
    if (!tx_is_coinbase(&block->tx[0])) {
        /* With a 64-byte transaction this may be another block's tree, cut at an inner level:
         * then the hash belongs to a block that can be valid. */
        enum reject code =
            has_merkle_node_tx(block) ? REJECT_CB_MISSING_MUTATED : REJECT_CB_MISSING;
        return verdict_set(verdict, code, "first tx is not coinbase");
    }
    for (uint32_t i = 1; i < block->n_tx; i++) {
        if (tx_is_coinbase(&block->tx[i]))
            return verdict_set(verdict, REJECT_CB_MULTIPLE, "more than one coinbase");
    }
    return true;
}

/* Every transaction by itself, in order: the verdict names the first that fails. Signature
 * operations are counted here by what scripts say without their coins; those in P2SH redeem scripts
 * and witnesses are added when the coins are known, against the same limit (bad-blk-sigops both
 * times). The count is static and coarse, OP_CHECKMULTISIG as 20, because it bounds work before any
 * script is run. */
static bool check_transactions(const struct block *block, struct arena *scratch,
                               struct verdict *verdict)
{
    for (uint32_t i = 0; i < block->n_tx; i++) {
        enum reject reject = tx_check(&block->tx[i], scratch);
        if (reject != REJECT_NONE) {
            char id[HEX_ID_BYTES];
            hex_encode_reversed(id, span_of(block->txids[i].b, 32));
            return verdict_set(verdict, reject, "Transaction check failed (tx hash %s)", id);
        }
    }
    uint64_t sigops = 0;
    for (uint32_t i = 0; i < block->n_tx; i++)
        sigops += tx_legacy_sigops(&block->tx[i]);
    /* BIP-141, Sigops */
    if (sigops * WITNESS_SCALE > BLOCK_SIGOPS_COST_MAX)
        return verdict_set(verdict, REJECT_BLK_SIGOPS, "out-of-bounds SigOpCount");
    return true;
}

bool block_check(const struct block *block, const struct network *network, int flags,
                 struct arena *scratch, struct verdict *verdict)
{
    if ((flags & BLOCK_CHECK_POW) &&
        !block_header_check(network, &block->hash, block->header.bits, verdict))
        return false;
    /* Before everything else about the transactions: only a copy that agrees with the header may
     * be held against it. */
    if ((flags & BLOCK_CHECK_MERKLE) && !check_merkle_root(block, scratch, verdict))
        return false;

    /* Only bounds that are quick to see; the weight itself has to wait until the witnesses are
     * known to be the block's own, see block_check_context(). */
    if (block->n_tx == 0 || block->n_tx > BLOCK_WEIGHT_MAX_WU / WITNESS_SCALE ||
        block->base_bytes > BLOCK_WEIGHT_MAX_WU / WITNESS_SCALE)
        return verdict_set(verdict, REJECT_BLK_LENGTH, "size limits failed");
    return check_coinbases(block, verdict) && check_transactions(block, scratch, verdict) &&
           verdict_set(verdict, REJECT_NONE, NULL);
}

/* Anybody may add outputs that look like one, and miners' software appends its own behind: only the
 * last counts, so that there is one answer. */
uint32_t block_commitment_index(const struct block *block)
{
    ASSERT(block);
    if (block->n_tx == 0)
        return BLOCK_COMMITMENT_NONE;
    const struct tx *coinbase = &block->tx[0];
    /* Of several the last one counts. BIP-141, Commitment structure */
    for (uint32_t i = coinbase->n_out; i-- > 0;) {
        struct span script = coinbase->out[i].script_pubkey;
        if (script.len >= BLOCK_COMMITMENT_BYTES &&
            memcmp(script.p, commitment_prefix, sizeof commitment_prefix) == 0)
            return i;
    }
    return BLOCK_COMMITMENT_NONE;
}

/* Twice SHA-256 over the root and the nonce, like an inner node of the tree. */
void block_commitment_compute(const uint8_t witness_root[32], const uint8_t nonce[32],
                              uint8_t commitment[32])
{
    uint8_t both[64];
    /* BIP-141, Commitment structure */
    memcpy(both, witness_root, 32);
    memcpy(both + 32, nonce, 32);
    sha256d(span_of(both, sizeof both), commitment);
}

/* The coinbase's witness must be one item of 32 bytes: the nonce of the commitment. A coinbase
 * spends no output, so its witness has no script to satisfy and is free to hold this value, which
 * later soft forks can make a commitment of their own. BIP-141, Commitment structure; BIP-141,
 * Extensible commitment structure */
static bool coinbase_nonce(const struct tx *coinbase, struct span *nonce)
{
    if (coinbase->n_in == 0)
        return false;
    struct witness_iter it = witness_iter_of(coinbase->in[0].witness);
    return it.left == 1 && witness_next(&it, nonce) && nonce->len == 32;
}

/* The nonce is asked first: without it there is nothing to compare. The coinbase's own wtxid counts
 * as zero in the tree, since it would have to contain the root that contains it. */
static bool check_commitment(const struct block *block, uint32_t index, struct arena *scratch,
                             struct verdict *verdict)
{
    struct span nonce;
    ASSERT(index < block->tx[0].n_out);
    if (!coinbase_nonce(&block->tx[0], &nonce))
        return verdict_set(verdict, REJECT_WITNESS_NONCE_SIZE,
                           "CheckWitnessMalleation : invalid witness reserved value size");
    if (block->roots_hold)
        return verdict_set(verdict, REJECT_NONE, NULL);

    uint8_t root[32], commitment[32];
    block_witness_merkle_root(block, scratch, root);
    block_commitment_compute(root, nonce.p, commitment);
    const uint8_t *claimed = block->tx[0].out[index].script_pubkey.p + sizeof commitment_prefix;
    if (memcmp(commitment, claimed, 32) != 0)
        return verdict_set(verdict, REJECT_WITNESS_MERKLE_MATCH,
                           "CheckWitnessMalleation : witness merkle commitment mismatch");
    return verdict_set(verdict, REJECT_NONE, NULL);
}

/* A block whose transactions have no witnesses may do without a commitment; if there is one it must
 * be right all the same. */
bool block_check_witness(const struct block *block, bool expect, struct arena *scratch,
                         struct verdict *verdict)
{
    /* Without a commitment no transaction may have a witness. BIP-141, Commitment structure */
    uint32_t index = expect ? block_commitment_index(block) : BLOCK_COMMITMENT_NONE;
    if (index != BLOCK_COMMITMENT_NONE)
        return check_commitment(block, index, scratch, verdict);

    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (block->tx[i].has_witness)
            return verdict_set(verdict, REJECT_UNEXPECTED_WITNESS,
                               "CheckWitnessMalleation : unexpected witness data found");
    }
    return verdict_set(verdict, REJECT_NONE, NULL);
}

/* The coinbase's script starts with the block's height, in the shortest push. It makes every
 * coinbase unique, so that no two transactions share a txid any more (see bip30.h). What follows
 * the height is the miner's own. BIP-34, Specification
 *
 * At 227,931, 0x037a5b, the script begins with 03 5b 7a 03: three bytes, the lowest first. */
static bool has_height(const struct tx *coinbase, int32_t height)
{
    uint8_t expect[SCRIPT_NUM_PUSH_MAX];
    size_t len = script_push_number(expect, height);
    struct span script = coinbase->in[0].script_sig;
    return script.len >= len && memcmp(script.p, expect, len) == 0;
}

/* In Core's order: lock times, then the coinbase's height, then witnesses, the weight last. */
bool block_check_context(const struct block *block, const struct network *network, int32_t height,
                         int64_t prev_mtp_s, struct arena *scratch, struct verdict *verdict)
{
    ASSERT(block);
    /* Before that rule, whoever put a later time into his block could take transactions that were
     * still locked; now the past decides, which nobody can choose. BIP-113, Specification */
    bool bip113 = network_is_buried_active(network, BURIED_CSV, height);
    int64_t lock_time_s = bip113 ? prev_mtp_s : (int64_t)block->header.time;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (!tx_is_final(&block->tx[i], height, lock_time_s))
            return verdict_set(verdict, REJECT_TXNS_NONFINAL, "non-final transaction");
    }

    if (network_is_buried_active(network, BURIED_HEIGHTINCB, height) &&
        !has_height(&block->tx[0], height))
        return verdict_set(verdict, REJECT_CB_HEIGHT, "block height mismatch in coinbase");

    bool segwit = network_is_buried_active(network, BURIED_SEGWIT, height);
    if (!block_check_witness(block, segwit, scratch, verdict))
        return false;

    /* After the commitment: before it, the weight of a copy padded with witness data would be held
     * against the hash. */
    /* BIP-141, Block size */
    if (block_weight_wu(block) > BLOCK_WEIGHT_MAX_WU)
        return verdict_set(verdict, REJECT_BLK_WEIGHT,
                           "ContextualCheckBlock : weight limit failed");
    return verdict_set(verdict, REJECT_NONE, NULL);
}

bool block_is_mutated(const struct block *block, bool check_witness, struct arena *scratch)
{
    struct verdict verdict;
    if (!check_merkle_root(block, scratch, &verdict))
        return true;
    /* A coinbase in front is costly to fake from a hash; without one the block is invalid anyway,
     * and the question is only whether its hash may be blamed. */
    if (block->n_tx == 0 || !tx_is_coinbase(&block->tx[0]))
        return has_merkle_node_tx(block);
    return !block_check_witness(block, check_witness, scratch, &verdict);
}
