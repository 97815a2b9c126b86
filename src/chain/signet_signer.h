/* signet_signer.h - the solution of a signet's blocks, made with a key at hand.
 *
 * Layer: chain. For challenges that one key satisfies: pay-to-key, pay-to-key-hash, multisig of one
 * signature, these inside P2SH and P2WSH, P2WPKH. Read-only once made. Spec: BIP-325, Specification
 *
 * Start here: signet_signer_new, then mining_template.signer. */
#ifndef CHAIN_SIGNET_SIGNER_H
#define CHAIN_SIGNET_SIGNER_H

#include "consensus/block.h"
#include "consensus/network.h"

struct signet_signer;

/* Why there is none. */
enum signet_signer_fault {
    SIGNET_SIGNER_OK,
    SIGNET_SIGNER_NO_KEY,        /* the text is no secret key */
    SIGNET_SIGNER_OTHER_NETWORK, /* a key in the form of another network */
    SIGNET_SIGNER_NO_FIT,        /* its signature is not what the challenge asks for */
};

/* What a solution and its mark add to the coinbase at most: of pay-to-key-hash with an uncompressed
 * key inside P2SH and P2WSH. */
#define SIGNET_SOLUTION_BYTES_MAX 256

/* Make a signer.
 *
 * In:       network  a signet's; borrowed for the signer's life
 *           key      WIF, or 64 hex digits; not kept as text
 *           seed     random, to blind the signing
 * Out:      fault    SIGNET_SIGNER_OK, or why not
 * Returns:  NULL if there is a fault
 * Owns:     the caller, who frees it with signet_signer_free() */
NODISCARD struct signet_signer *signet_signer_new(const struct network *network, const char *key,
                                                  const uint8_t seed[32],
                                                  enum signet_signer_fault *fault);

/* Wipe and free it; NULL is allowed. */
void signet_signer_free(struct signet_signer *signer);

/* P2WPKH of the key: whom its blocks pay if nobody else is named. Lives as long as the signer. */
struct span signet_signer_script(const struct signet_signer *signer);

/* Sign a block: its coinbase gets the solution, and the header the root that follows from it. All
 * else that is signed must be in its place: version, previous hash, time, transactions.
 *
 * In:       block  with a commitment output that has no solution yet; with n_tx txids
 *           arena  for what is made; block borrows it from then on */
void signet_signer_sign(const struct signet_signer *signer, struct block *block,
                        struct arena *arena);

#endif
