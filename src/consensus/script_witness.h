/* script_witness.h - witness programs: segwit v0 and taproot.
 *
 * Layer: consensus. Used by script_verify and script_sign only.
 *
 *     program        the witness, its last element at the right
 *     OP_0 <20>      signature, key
 *     OP_0 <32>      elements for the script, script
 *     OP_1 <32>      signature                                          by the key
 *                    elements for the script, script, control block     by a script
 *                    either, and behind it an annex: 50 and any bytes */
#ifndef CONSENSUS_SCRIPT_WITNESS_H
#define CONSENSUS_SCRIPT_WITNESS_H

#include "consensus/script_error.h"
#include "util/span.h"

struct script_run;

/* Does the input's witness satisfy a witness program?
 *
 * A witness program is a version and a hash or key; all else that spending takes is in the witness,
 * and so outside of the txid.
 *
 * In:       run      check and scratch are set
 *           version  0 to 16
 *           is_p2sh  the program is a P2SH redeem script: then only version 0 has a meaning
 * Spec:     BIP-141, Witness program; BIP-341, Script validation rules;
 *           Core VerifyWitnessProgram() */
enum script_error script_verify_witness(struct script_run *run, int version, struct span program,
                                        bool is_p2sh);

/* Hash a script as a leaf of a taproot tree. BIP-341, Script validation rules */
void taproot_leaf_hash(uint8_t leaf_version, struct span script, uint8_t out[32]);

/* Hash two nodes of a taproot tree, in the order of their bytes.
 * BIP-341, Script validation rules */
void taproot_branch_hash(const uint8_t a[32], const uint8_t b[32], uint8_t out[32]);

/* The tweak of an internal key for a tree, or for none: merkle_root NULL.
 * BIP-341, Constructing and spending Taproot outputs */
void taproot_tweak(const uint8_t internal[32], const uint8_t *merkle_root, uint8_t out[32]);

#endif
