/* merkle_proof.h - a header with the branches of its merkle tree that lead to some transactions.
 *
 * Layer: consensus. Pure. It proves that a block has these transactions, without the others: the
 * message merkleblock, and what gettxoutproof answers.
 * BIP-37, Partial Merkle branch format */
#ifndef CONSENSUS_MERKLE_PROOF_H
#define CONSENSUS_MERKLE_PROOF_H

#include "consensus/block.h"
#include "util/buffer.h"

/* More transactions than that no block can have. One with an input and an output, neither of which
 * has a script, takes 60 bytes. */
#define MERKLE_PROOF_TX_MAX (BLOCK_WEIGHT_MAX_WU / (WITNESS_SCALE * 60))

/* Append a proof that the block has the transactions whose flag in wanted (n_tx of them) is set.
 * With none set, it shows the root alone. */
void merkle_proof_append(const struct block *block, const bool *wanted, struct arena *scratch,
                         struct buffer *out);

/* What a proof claims, and whether it follows. A proof that is not whole proves nothing, so it has
 * no ids then, whatever its hashes were. */
struct merkle_proof {
    struct block_header header;
    uint32_t n_tx;    /* that the block is said to have */
    bool is_whole;    /* the branches are well-formed and lead to the header's merkle root */
    struct txid *ids; /* of those proved, in block order; only if is_whole. In the arena */
    size_t n_ids;
};

/* Read a proof. Bytes behind it are ignored, as in Core. Whether the block is known, and has n_tx
 * transactions (else an inner node may pass for one, CVE-2017-12842), is the caller's to check.
 *
 * Returns:  false if bytes are missing */
NODISCARD bool merkle_proof_read(struct span raw, struct arena *arena, struct merkle_proof *out);

#endif
