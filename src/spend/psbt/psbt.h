/* psbt.h - transactions on their way from one signer to the next.
 *
 * Layer: spend. A PSBT is a row of maps: one global, one for each input, one for each output. A map
 * is kept as what it is, records in the order in which they are written, so what nobody knows is
 * passed on; what is known was checked when it was read. Versions 0 and 2.
 *
 *     psbt_fields.c   which records there are, and what is wrong with them
 *     psbt_map.c      records found, put in, taken out
 *     psbt_read.c     bytes -> maps        psbt_write.c   maps -> bytes
 *     psbt.c          made of a transaction, combined, and asked
 *
 * Spec: BIP174, BIP370, BIP371, BIP373 */
#ifndef SPEND_PSBT_PSBT_H
#define SPEND_PSBT_PSBT_H

#include "consensus/tx.h"
#include "spend/book/key_book.h"
#include "util/buffer.h"

enum {
    PSBT_VERSION_0 = 0,
    PSBT_VERSION_2 = 2,
    PSBT_BYTES_MAX = 100000000, /* Core: MAX_FILE_SIZE_PSBT */
};

enum psbt_global {
    PSBT_GLOBAL_UNSIGNED_TX = 0x00,
    PSBT_GLOBAL_XPUB = 0x01,
    PSBT_GLOBAL_TX_VERSION = 0x02,
    PSBT_GLOBAL_FALLBACK_LOCKTIME = 0x03,
    PSBT_GLOBAL_INPUT_COUNT = 0x04,
    PSBT_GLOBAL_OUTPUT_COUNT = 0x05,
    PSBT_GLOBAL_TX_MODIFIABLE = 0x06,
    PSBT_GLOBAL_VERSION = 0xfb,
};

/* Flags of PSBT_GLOBAL_TX_MODIFIABLE. */
enum psbt_modifiable {
    PSBT_MODIFIABLE_INPUTS = 1,
    PSBT_MODIFIABLE_OUTPUTS = 2,
    PSBT_HAS_SIGHASH_SINGLE = 4,
};

enum psbt_in {
    PSBT_IN_NON_WITNESS_UTXO = 0x00,
    PSBT_IN_WITNESS_UTXO = 0x01,
    PSBT_IN_PARTIAL_SIG = 0x02,
    PSBT_IN_SIGHASH_TYPE = 0x03,
    PSBT_IN_REDEEM_SCRIPT = 0x04,
    PSBT_IN_WITNESS_SCRIPT = 0x05,
    PSBT_IN_BIP32_DERIVATION = 0x06,
    PSBT_IN_FINAL_SCRIPTSIG = 0x07,
    PSBT_IN_FINAL_SCRIPTWITNESS = 0x08,
    PSBT_IN_RIPEMD160 = 0x0a,
    PSBT_IN_SHA256 = 0x0b,
    PSBT_IN_HASH160 = 0x0c,
    PSBT_IN_HASH256 = 0x0d,
    PSBT_IN_PREVIOUS_TXID = 0x0e,
    PSBT_IN_OUTPUT_INDEX = 0x0f,
    PSBT_IN_SEQUENCE = 0x10,
    PSBT_IN_REQUIRED_TIME_LOCKTIME = 0x11,
    PSBT_IN_REQUIRED_HEIGHT_LOCKTIME = 0x12,
    PSBT_IN_TAP_KEY_SIG = 0x13,
    PSBT_IN_TAP_SCRIPT_SIG = 0x14,
    PSBT_IN_TAP_LEAF_SCRIPT = 0x15,
    PSBT_IN_TAP_BIP32_DERIVATION = 0x16,
    PSBT_IN_TAP_INTERNAL_KEY = 0x17,
    PSBT_IN_TAP_MERKLE_ROOT = 0x18,
    PSBT_IN_MUSIG2_PARTICIPANTS = 0x1a,
    PSBT_IN_MUSIG2_PUB_NONCE = 0x1b,
    PSBT_IN_MUSIG2_PARTIAL_SIG = 0x1c,
};

enum psbt_out {
    PSBT_OUT_REDEEM_SCRIPT = 0x00,
    PSBT_OUT_WITNESS_SCRIPT = 0x01,
    PSBT_OUT_BIP32_DERIVATION = 0x02,
    PSBT_OUT_AMOUNT = 0x03,
    PSBT_OUT_SCRIPT = 0x04,
    PSBT_OUT_TAP_INTERNAL_KEY = 0x05,
    PSBT_OUT_TAP_TREE = 0x06,
    PSBT_OUT_TAP_BIP32_DERIVATION = 0x07,
    PSBT_OUT_MUSIG2_PARTICIPANTS = 0x08,
};

enum { PSBT_PROPRIETARY = 0xfc };

/* Which of the three kinds of map it is. */
enum psbt_map_kind { PSBT_MAP_GLOBAL, PSBT_MAP_INPUT, PSBT_MAP_OUTPUT };

struct psbt_record {
    uint64_t type;
    struct span key;  /* with its type */
    struct span data; /* the key without it */
    struct span value;
};

struct psbt_map {
    enum psbt_map_kind kind;
    struct psbt_record *at; /* in the order in which they are written; in the PSBT's arena */
    size_t n, capacity;
};

struct psbt {
    struct arena *arena;
    uint32_t version;
    struct psbt_map global;
    struct psbt_map *inputs, *outputs;
    size_t n_inputs, n_outputs;
    struct tx tx; /* unsigned: of version 2 worked out from its fields */
};

/* -- Maps ----------------------------------------------------------------------------------- */

/* The record whose key is nothing but a type; its value is without memory if there is none. */
struct span psbt_get(const struct psbt_map *map, uint64_t type);
/* The same, a number of 4 bytes. False: not there. */
bool psbt_get_u32(const struct psbt_map *map, uint64_t type, uint32_t *out);
/* The record of a whole key; NULL: none. */
const struct psbt_record *psbt_find(const struct psbt_map *map, uint64_t type, struct span data);
/* The records of a type lie in a row: the first of them at or behind number `from`; NULL: none. */
const struct psbt_record *psbt_next(const struct psbt_map *map, uint64_t type, size_t *from);
/* Put a record in, unless its key is there already. Key data and value are copied to the arena. */
void psbt_put(struct psbt *psbt, struct psbt_map *map, uint64_t type, struct span data,
              struct span value);
/* Put many in, but for those whose key is there already; what they point to has to last. */
void psbt_put_all(struct psbt *psbt, struct psbt_map *map, const struct psbt_record *records,
                  size_t n);
/* psbt_put() where one that is there is to be replaced. */
void psbt_set(struct psbt *psbt, struct psbt_map *map, uint64_t type, struct span data,
              struct span value);
/* Take all records of a type out. */
void psbt_remove(struct psbt_map *map, uint64_t type);
/* What its keys and values have, without their lengths. */
size_t psbt_map_bytes(const struct psbt_map *map);
/* Does a type of a map of that kind stand for something known? */
bool psbt_is_known(enum psbt_map_kind kind, uint64_t type);
/* Does an input have final scripts? Those that hold nothing are none. */
bool psbt_is_final(const struct psbt_map *input);

/* -- Records with a structure --------------------------------------------------------------- */

/* A key's origin, from the value of a derivation. Its path is in arena. */
struct key_origin psbt_read_origin(struct span value, struct arena *arena);
/* The value of a derivation, in arena. */
struct span psbt_write_origin(const struct key_origin *origin, struct arena *arena);
/* What a taproot derivation has in front of that: hashes of the leaves that the key is in. */
struct span psbt_take_leaf_hashes(struct span *value);
/* A taproot tree as it stands in an output; its leaves are in arena. False: malformed. */
NODISCARD bool psbt_read_tree(struct span value, struct arena *arena, struct tap_tree *tree);

/* -- Whole ---------------------------------------------------------------------------------- */

/* Make one of an unsigned transaction, whose scripts and witnesses are left out. */
void psbt_from_tx(const struct tx *tx, uint32_t version, struct arena *arena, struct psbt *out);
/* Read one.
 *
 * Out:      error  why it is none, in Core's words
 * Returns:  false if it is none */
NODISCARD bool psbt_read(struct span bytes, struct arena *arena, struct psbt *out,
                         const char **error);
/* Append its bytes. */
void psbt_write(const struct psbt *psbt, struct buffer *out);
/* Version 2: work the unsigned transaction out. False if inputs ask for lock times that exclude
 * each other. BIP-370, Determining Lock Time */
NODISCARD bool psbt_update_tx(struct psbt *psbt);
/* The output that input i spends. False: unknown. */
NODISCARD bool psbt_spent(const struct psbt *psbt, size_t i, struct tx_out *out);
/* Put into the first of n PSBTs of one transaction what the others have and it has not.
 *
 * Returns:  false if one is of another transaction
 * Spec:     BIP-174, Combiner */
NODISCARD bool psbt_combine(struct psbt *psbts, size_t n);
/* The signed transaction of final scripts, in the arena. BIP-174, Transaction Extractor */
void psbt_extract(const struct psbt *psbt, struct tx *out);

#endif
