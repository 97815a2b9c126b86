/* script_type.h - which of the well-known forms does an output script have?
 *
 * Layer: consensus. For display and policy; the rules of blocks do not depend on it. */
#ifndef CONSENSUS_SCRIPT_TYPE_H
#define CONSENSUS_SCRIPT_TYPE_H

#include <stdbool.h>

#include "consensus/script_iter.h"

enum script_type {
    SCRIPT_TYPE_NONSTANDARD,
    SCRIPT_TYPE_ANCHOR, /* pay to anchor: OP_1 <4e73> */
    /* <33 or 65 bytes> OP_CHECKSIG: the oldest form, shorter to spend and longer to hold. */
    SCRIPT_TYPE_PUBKEY,
    /* OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG: the key is shown when it is
     * spent. */
    SCRIPT_TYPE_PUBKEYHASH,
    /* OP_HASH160 <20 bytes> OP_EQUAL. BIP-16, Specification */
    SCRIPT_TYPE_SCRIPTHASH,
    /* m <key> ... n OP_CHECKMULTISIG. BIP-11, Specification */
    SCRIPT_TYPE_MULTISIG,
    /* OP_RETURN and pushes: never spent, so it never enters the set of coins. */
    SCRIPT_TYPE_NULLDATA,
    /* OP_0 <20 bytes>. BIP-141, P2WPKH */
    SCRIPT_TYPE_WITNESS_V0_KEYHASH,
    /* OP_0 <32 bytes>. BIP-141, P2WSH */
    SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH,
    /* OP_1 <32 bytes>. BIP-341, Script validation rules */
    SCRIPT_TYPE_WITNESS_V1_TAPROOT,
    /* Any other program of version 1 to 16. */
    SCRIPT_TYPE_WITNESS_UNKNOWN,
    SCRIPT_TYPE_COUNT,
};

/* What a script of a known form holds; spans borrow the script. */
struct script_solution {
    enum script_type type;
    /* key, hash or witness program; for MULTISIG the keys. None for NULLDATA and NONSTANDARD */
    struct span item[SCRIPT_PUBKEYS_MAX];
    uint32_t n_items;
    int required;        /* MULTISIG: signatures needed */
    int witness_version; /* of witness programs, else -1 */
};

/* Find the form of a script. Spec: Core Solver() */
struct script_solution script_solve(struct span script);

/* "pubkeyhash" and so on, as in RPC answers. */
const char *script_type_name(enum script_type type);

/* True if these bytes have the length and first byte of a public key, on the curve or not. */
bool pubkey_has_valid_size(struct span pubkey);

/* True if script has, before anything malformed, an opcode that lets a tapscript succeed whatever
 * else is in it, or OP_CHECKSIGADD: nobody should pay to such a script by its hash.
 * BIP-342, Script execution */
bool script_has_tapscript_op(struct span script);

#endif
