/* signet.h - blocks of a signet carry a solution to the network's challenge script.
 *
 * A test network whose blocks need a signature beside work: it is as reliable as whoever signs, and
 * nobody else's power can disturb it. The signature is no new kind of data: it is what would spend
 * an output with the challenge as its script, so any script can be one, and the interpreter checks
 * it.
 *
 * Layer: consensus. Pure. Spec: BIP-325, Specification */
#ifndef CONSENSUS_SIGNET_H
#define CONSENSUS_SIGNET_H

#include "consensus/block.h"
#include "consensus/network.h"
#include "consensus/script_verify.h"

/* The two transactions that a signet block's solution is checked with: to_spend has one output
 * with the challenge, to_sign spends it with the solution. */
struct signet_txs {
    struct tx to_spend, to_sign;
};

/* Build them from a block.
 *
 * Out:      txs  live in arena, and borrow block and challenge
 * Returns:  false if the block has no witness commitment or its solution is malformed. A block
 *           without a solution gets an empty one: some challenges need none */
NODISCARD bool signet_txs_make(const struct block *block, struct span challenge,
                               struct arena *arena, struct signet_txs *txs);

/* Is the solution that to_sign holds one of the challenge that to_spend holds? */
NODISCARD bool signet_txs_check(const struct signet_txs *txs, struct script_scratch *scratch);

/* What a coinbase's commitment output ends with: a push of the solution behind its mark. An empty
 * solution gives the form that is signed, and that signers begin with.
 *
 * In:       script  that of the commitment, without such a push
 * Returns:  the whole script, in arena */
struct span signet_script_with(struct span script, struct span solution, struct arena *arena);

/* The solution as a block carries it: the scriptSig and witness of an input that spends the
 * challenge. */
struct span signet_solution_encode(const struct tx_in *in, struct arena *arena);

/* Does the block carry a solution of the network's challenge? True for genesis, and for every
 * block of a network that is no signet.
 *
 * In:       block  its merkle root has been checked: else the answer says nothing about its hash
 *           arena  rewound before the return
 * Returns:  false: the verdict is REJECT_SIGNET_BLKSIG */
NODISCARD bool signet_check(const struct block *block, const struct network *network,
                            struct arena *arena, struct script_scratch *scratch);

#endif
