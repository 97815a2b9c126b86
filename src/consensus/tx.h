/* tx.h - a transaction, decoded: spans into its bytes, arrays in an arena.
 *
 * Layer: consensus. Pure. Everything here borrows the raw bytes it was decoded from.
 *
 * As bytes, numbers little-endian, counts as CompactSize:
 *
 *     version 4 | count, inputs | count, outputs | lock time 4                      without witness
 *     version 4 | 00 01 | count, inputs | count, outputs | witnesses | lock time 4  with it
 *     input:   txid 32, index 4, script with its length, sequence 4
 *     output:  amount 8, script with its length
 *     witness: for each input a count of elements, each element with its length
 *
 * The second form is for whoever asks for it; txids are hashes of the first in any case, so that
 * nodes that know nothing of witnesses agree on them. BIP-144, Serialization */
#ifndef CONSENSUS_TX_H
#define CONSENSUS_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/ids.h"
#include "util/arena.h"
#include "util/reader.h"
#include "util/writer.h"

#define COIN_SAT INT64_C(100000000)
/* A bound on every amount and every sum of amounts, not the number of coins that there will be:
 * halvings round down, so that number stays a little below. It is a rule of blocks all the same: an
 * amount above it is refused although 64 bits could hold it. CVE-2010-5139 */
#define MAX_MONEY_SAT       (INT64_C(21000000) * COIN_SAT)
#define WITNESS_SCALE       4 /* weight units of a non-witness byte. BIP-141, Block size */
#define SEQUENCE_FINAL      UINT32_C(0xffffffff)
#define OUTPOINT_INDEX_NULL UINT32_C(0xffffffff)

/* An input: the output that it spends, and what satisfies that output's script. Its sequence has
 * three meanings by now: all ones opts out of the transaction's lock time, the top bit unset is a
 * relative lock time (BIP-68, Specification), and anything below 0xfffffffe once asked for
 * replacement (BIP-125, Summary), which is no rule of blocks. */
struct tx_in {
    struct outpoint prevout;
    uint32_t sequence;
    struct span script_sig;
    /* The encoded witness stack: CompactSize item count, then the items. Walked lazily, since a
     * block can hold four million empty items. len 0: no witness for this input (the count 0
     * of an input without witness in a witness transaction is kept as an empty span too). */
    struct span witness;
};

/* An output. The amount is signed in the format, so a stranger can send a negative one: decoding
 * takes it, tx_check() refuses it. */
struct tx_out {
    int64_t value_sat;
    struct span script_pubkey;
};

/* A transaction. Its two names differ in what they cover: the txid leaves witnesses out, so that
 * nobody on the way can change it by changing a signature's form, and is what inputs refer to; the
 * wtxid covers all, and is what a block's commitment is made of. BIP-141, Transaction ID */
struct tx {
    struct txid txid;
    struct wtxid wtxid; /* equals txid without witness */
    uint32_t version;   /* unsigned: CVE-2024-34478 */
    uint32_t lock_time;
    struct tx_in *in;
    struct tx_out *out;
    uint32_t n_in, n_out;
    bool has_witness;    /* at least one input has a witness item */
    uint32_t base_bytes; /* size without marker, flag and witness */
    struct span raw;     /* as on the wire, with witness if has_witness */
};

/* Weight units: three for each byte that old nodes see, and one more for every byte there is, so
 * that a witness byte counts a quarter. Decoders bound the size far below what 32 bits hold.
 * BIP-141, Transaction size calculations */
static inline uint32_t tx_weight_wu(const struct tx *tx)
{
    return tx->base_bytes * (WITNESS_SCALE - 1) + (uint32_t)tx->raw.len;
}

/* The same in virtual bytes, rounded up. */
static inline uint32_t tx_vbytes(const struct tx *tx)
{
    return (tx_weight_wu(tx) + WITNESS_SCALE - 1) / WITNESS_SCALE;
}

/* True if tx has exactly one input and that input's prevout is null. Index and id both have to be
 * null: an input with one of them is an ordinary input whose output does not exist. A null input
 * beside others makes no coinbase either; tx_check() refuses that. */
bool tx_is_coinbase(const struct tx *tx);

/* Decode one transaction and hash it (txid and wtxid, each once).
 *
 * In:       r      moved behind the transaction; failed on anything malformed
 *           arena  holds the input and output arrays
 *           allow_witness  false: a marker byte is read as an input count of zero (as
 *                    decoding "no witness" in BIP144 terms)
 * Out:      tx     borrows r's bytes and arena
 * Returns:  false, with r->failed set, for: truncated data, non-canonical CompactSize, unknown
 *           flag, superfluous witness (flag set, all stacks empty), counts larger than the bytes
 *           left could hold
 * Spec:     BIP-144, Serialization; Core's serialization */
NODISCARD bool tx_decode(struct reader *r, struct arena *arena, bool allow_witness, struct tx *tx);

/* What a transaction is called. */
struct tx_ids {
    struct txid txid;
    struct wtxid wtxid;
};

/* The same, with a witness allowed, of bytes that were hashed before: ids are what came of it. */
NODISCARD bool tx_decode_known(struct reader *r, struct arena *arena, const struct tx_ids *ids,
                               struct tx *tx);

/* Encode with or without the witness. tx need not be complete beyond version, in, out and
 * lock_time; has_witness decides whether with_witness has an effect. */
void tx_encode(struct writer *w, const struct tx *tx, bool with_witness);

/* Set txid, wtxid, has_witness and base_bytes from the fields (for transactions built by hand);
 * raw is encoded into arena. */
void tx_finish(struct tx *tx, struct arena *arena);

/* Write one output as in a transaction: its value, then its script with a length in front. */
void tx_out_encode(struct writer *w, const struct tx_out *out);

/* Walks an encoded witness stack. */
struct witness_iter {
    struct reader r;
    uint64_t left; /* items not yet taken */
};

/* Start at the first item of tx_in.witness, which is borrowed; len 0 has no items. */
struct witness_iter witness_iter_of(struct span witness);

/* Take the next item.
 *
 * Out:      item  borrows the witness
 * Returns:  false after the last; also, with it->r.failed set, where the bytes end too early,
 *           which a witness of tx_decode() never does */
bool witness_next(struct witness_iter *it, struct span *item);

#endif
