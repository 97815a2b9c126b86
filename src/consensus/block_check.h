/* block_check.h - rules of headers and blocks: on their own, and in their place in the chain.
 *
 * Layer: consensus. Pure: what the chain knows comes in as a few facts. Every check stops at the
 * first rule broken, in Core's order, and says so in verdict; it returns true if there is none.
 *
 * The whole order, from a header alone to a connected block, with what a step is refused with:
 *
 *     block_header_check()          work                         high-hash
 *     block_header_check_context()  difficulty, time, version    bad-diffbits, time-too-old,
 *                                                                time-too-new, bad-version
 *     block_check()                 these transactions           bad-txnmrklroot,
 *                                                                bad-txns-duplicate
 *                                   size, one coinbase           bad-blk-length, bad-cb-...
 *                                   each transaction by itself   see tx_check.h
 *                                   signature operations         bad-blk-sigops
 *     block_check_context()         lock times, height           bad-txns-nonfinal, bad-cb-height
 *                                   witnesses, then weight       bad-witness-..., bad-blk-weight
 *     connecting, with the coins    no id twice                  bad-txns-BIP30
 *                                   each input                   bad-txns-inputs-missingorspent
 *                                   scripts                      block-script-verify-flag-failed
 *                                   what the miner takes         bad-cb-amount
 *
 * Cheap comes before costly, and what a stranger could have altered on the way comes before what
 * would be held against the block's hash: a verdict of class MUTATED must win where both are
 * possible. */
#ifndef CONSENSUS_BLOCK_CHECK_H
#define CONSENSUS_BLOCK_CHECK_H

#include "consensus/block.h"
#include "consensus/network.h"
#include "consensus/reject.h"

/* How far ahead of our clock a block's time may be. It is the one rule that depends on who asks and
 * when: a block refused by it may be valid later, hence class EARLY and never a mark on its
 * header. */
#define BLOCK_TIME_AHEAD_MAX_S (2 * 60 * 60)

/* Facts about the place of a header in the chain. Everything a header is measured against that is
 * not in the header: the chain computes it once for the parent. The bits are demanded exactly, so
 * pow_next_bits() alone decides on difficulty. */
struct header_context {
    const struct network *network;
    int32_t height;
    uint32_t bits_required; /* pow_next_bits() */
    int64_t prev_time_s;
    int64_t prev_mtp_s; /* median time past of the block before. BIP-113, Specification */
    int64_t now_s;      /* our own clock, never adjusted by peers */
};

/* Does the header's hash prove the work that its bits claim? (high-hash) */
NODISCARD bool block_header_check(const struct network *network, const struct block_hash *hash,
                                  uint32_t bits, struct verdict *verdict);

/* bad-diffbits, time-too-old, time-timewarp-attack, time-too-new (class EARLY), bad-version.
 * Spec: Core ContextualCheckBlockHeader(); BIP34, 65, 66, 94, 113 */
NODISCARD bool block_header_check_context(const struct block_header *header,
                                          const struct header_context *context,
                                          struct verdict *verdict);

/* A template that is tried has no work yet, and a block whose root we have just computed ourselves
 * needs no second look. */
enum block_check_flags {
    BLOCK_CHECK_POW = 1 << 0,
    BLOCK_CHECK_MERKLE = 1 << 1,
    BLOCK_CHECK_ALL = BLOCK_CHECK_POW | BLOCK_CHECK_MERKLE,
};

/* The rules that need no context: proof of work, merkle root, sizes, coinbase, every transaction
 * by itself, signature operations. A signet's solution is checked apart, after this one, by
 * signet_check().
 *
 * In:       scratch  rewound before the return
 * Spec:     Core CheckBlock() */
NODISCARD bool block_check(const struct block *block, const struct network *network, int flags,
                           struct arena *scratch, struct verdict *verdict);

/* The rules that need height and median time: final transactions, height in the coinbase,
 * witness commitment, weight. The block has passed block_check().
 *
 * In:       prev_mtp_s  median time past of the block before
 * Spec:     Core ContextualCheckBlock(); BIP34, 113, 141 */
NODISCARD bool block_check_context(const struct block *block, const struct network *network,
                                   int32_t height, int64_t prev_mtp_s, struct arena *scratch,
                                   struct verdict *verdict);

/* Does the witness data agree with the coinbase's commitment? All refusals are of class MUTATED:
 * the block's hash does not cover witnesses.
 *
 * In:       expect  witnesses are allowed (segwit is active): check the commitment if there is one
 * Spec:     BIP141; Core CheckWitnessMalleation() */
NODISCARD bool block_check_witness(const struct block *block, bool expect, struct arena *scratch,
                                   struct verdict *verdict);

/* May this copy of the block have been altered on its way, so that refusing it says nothing about
 * its hash? Cheap enough to ask before the block's header is looked at. Covers equal siblings in
 * the merkle tree (CVE-2012-2459), inner nodes passed off as 64-byte transactions
 * (CVE-2017-12842) and altered witnesses. Spec: Core IsBlockMutated() */
bool block_is_mutated(const struct block *block, bool check_witness, struct arena *scratch);

#define BLOCK_COMMITMENT_NONE  UINT32_MAX
#define BLOCK_COMMITMENT_BYTES 38 /* least length of the output script */

/* Number of the coinbase output that holds the witness commitment: the last one of its form, as
 * BIP141 has it. BLOCK_COMMITMENT_NONE if there is none, or no transaction. */
uint32_t block_commitment_index(const struct block *block);

/* SHA256d(root || nonce): what the commitment must be. */
void block_commitment_compute(const uint8_t witness_root[32], const uint8_t nonce[32],
                              uint8_t commitment[32]);

#endif
