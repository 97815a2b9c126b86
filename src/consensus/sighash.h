/* sighash.h - the digest that a signature signs: legacy, BIP143 (segwit v0), BIP341 (taproot).
 *
 * A signature does not sign a transaction as it stands, for it is a part of it: it signs a digest
 * of those parts that its hash type chooses. Outputs: all, none, or the one with the input's
 * number. Inputs: all, or with ANYONECANPAY only the own one, so that others can add theirs. The
 * three versions make the same choices and hash different bytes.
 *
 * Layer: consensus. Pure but for the cache handed in, which belongs to one thread.
 *
 *     ALL                        this transaction and no other: what nearly everybody signs
 *     ALL | ANYONECANPAY         these outputs, whoever else pays for them
 *     SINGLE                     my output; the others may still be arranged
 *     SINGLE | ANYONECANPAY      my coin for this output: an offer that anybody can complete
 *     NONE                       these inputs, for whatever the others agree on
 *     NONE | ANYONECANPAY        my coin, for anything */
#ifndef CONSENSUS_SIGHASH_H
#define CONSENSUS_SIGHASH_H

#include "consensus/script_verify.h"
#include "crypto/hash.h"
#include "util/buffer.h"

/* The last byte of a signature. Legacy digests also hash undefined values, all 32 bits of them. */
enum sighash_type {
    SIGHASH_DEFAULT = 0, /* taproot only: as ALL, in 64 bytes */
    SIGHASH_ALL = 1,
    SIGHASH_NONE = 2,
    SIGHASH_SINGLE = 3,
    SIGHASH_OUTPUT_MASK = 0x1f, /* legacy and BIP143: which of the above; others mean ALL */
    SIGHASH_ANYONECANPAY = 0x80,
};

/* A digest with all but its last four bytes (the hash type) hashed, for the script that it was
 * made for. Many signature checks of one input need no more than these. */
struct sighash_midstate {
    bool filled;
    bool segwit;
    struct buffer script_code;
    struct sha256 state;
};

/* Of the 256 types of a signature only so many kinds differ in more than their last four bytes. */
#define SIGHASH_MIDSTATES 6 /* {ALL, NONE, SINGLE} x {all inputs, ANYONECANPAY} */

/* What digests of one transaction share, and what digests of one input share. A transaction of
 * n inputs takes n^2 bytes of legacy hashing (CVE-2013-2292, the reason for BIP54): that stays
 * valid, so it has to be cheap. The bytes hashed again and again lie here in one piece, and inputs
 * checked in ascending order share the part before them. */
struct sighash_cache {
    bool filled;
    struct txid txid; /* of the transaction that skeletons and prefixes are of */
    struct sighash_skeleton {
        bool filled;
        struct buffer bytes; /* version, inputs without scripts, outputs, lock time */
        uint32_t prefix_inputs;
        struct sha256 prefix; /* over the bytes before input number prefix_inputs */
        /* Sequences are not signed with NONE and SINGLE: others may still replace their inputs. */
    } skeleton[2]; /* [1]: with sequence 0, for NONE and SINGLE */
    struct sighash_midstate midstate[SIGHASH_MIDSTATES];
};

/* Make an empty cache; nothing is allocated before the first digest. */
void sighash_cache_init(struct sighash_cache *cache);

/* Free the cache's memory; it is empty and usable again. */
void sighash_cache_deinit(struct sighash_cache *cache);

/* Forget what belongs to one input. Must be called before the digests of another input, or with
 * another spent amount; what belongs to the transaction stays as long as its txid does. */
void sighash_cache_begin_input(struct sighash_cache *cache);

/* The digest of before segregated witness.
 *
 * That number was meant as an error, and its callers took it for a digest: a signature made for it
 * holds for any transaction in which the same happens, whatever else is in it, and gives the key's
 * coins away. It is a rule of blocks now.
 *
 * In:   cache        filled for tx, which must have its txid set (tx_decode(), tx_finish())
 *       script_code  the script from the last OP_CODESEPARATOR executed, signature removed; any
 *                    OP_CODESEPARATOR left in it is not hashed
 *       hash_type    any 32 bits
 * Out:  out          the number 1 if hash_type is SINGLE and there is no such output
 * Spec: Core SignatureHash() with SigVersion::BASE */
void sighash_legacy(struct sighash_cache *cache, const struct tx *tx, uint32_t input,
                    struct span script_code, uint32_t hash_type, uint8_t out[32]);

/* What one BIP143 digest is of. */
struct sighash_v0_input {
    const struct tx *tx;
    const struct tx_sighash *sighash; /* NULL, or without has_v0: computed for this digest alone */
    uint32_t input;
    int64_t value_sat; /* of the output spent */
};

/* The digest of segwit v0.
 *
 * The amount is signed, and each part is hashed once for all inputs: the two faults of the older
 * digest that it mends. SINGLE without an output signs zeros here, with all else, so nothing is
 * given away.
 *
 * In:   script_code  from the last OP_CODESEPARATOR executed; nothing is removed from it
 * Spec: BIP-143, Specification */
void sighash_v0(struct sighash_cache *cache, const struct sighash_v0_input *in,
                struct span script_code, uint32_t hash_type, uint8_t out[32]);

/* What one BIP341 digest is of. */
struct sighash_v1_input {
    const struct tx *tx;
    const struct tx_sighash *sighash; /* as above, has_v1 */
    const struct tx_out *spent;       /* all n_in of them */
    uint32_t input;
    bool has_annex, is_script_path;
    uint8_t annex_hash[32]; /* SHA-256 of the annex with its length */
    uint8_t leaf_hash[32];  /* script path only, as is the next */
    uint32_t codesep_pos;   /* opcode number of the last OP_CODESEPARATOR, or UINT32_MAX */
};

/* The digest of taproot (key path) and tapscript (script path).
 *
 * The type is hashed in front, not behind, and has one byte.
 *
 * Returns: false if hash_type is not defined, or is SINGLE where there is no such output, or if
 *          not all that it spends is known
 * Spec:    BIP-341, Common signature message; BIP-342, Signature validation */
NODISCARD bool sighash_v1(const struct sighash_v1_input *in, uint8_t hash_type, uint8_t out[32]);

/* As tx_sighash_init(), but all that can be computed, whether or not tx has witnesses yet (for
 * signing). spent: NULL if one of them is unknown; there are no taproot digests then. */
void tx_sighash_init_all(struct tx_sighash *sighash, const struct tx *tx,
                         const struct tx_out *spent);

#endif
