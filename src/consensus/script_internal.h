/* script_internal.h - what the interpreter's files share; nobody else includes this.
 *
 * Layer: consensus. Files: script_verify (which scripts are run, and the fast paths), script_run
 * (the loop and the opcode table), script_ops_* (what opcodes do, by family), script_sig
 * (signature checks), script_scratch (memory). */
#ifndef CONSENSUS_SCRIPT_INTERNAL_H
#define CONSENSUS_SCRIPT_INTERNAL_H

#include "consensus/script_iter.h"
#include "consensus/script_stack.h"
#include "consensus/script_verify.h"
#include "consensus/sighash.h"
#include "crypto/pubkey.h"

/* Bounds that keep a script's cost in proportion to its size. Before tapscript they are counts per
 * script; a tapscript's budget is the size of its input's witness, so that who wants more checks
 * pays for more bytes. */
#define SCRIPT_OPS_MAX                 201 /* opcodes above OP_16 in a script; not in tapscript */
#define TAPSCRIPT_BUDGET_BASE          50  /* and cost of a signature. BIP-342, Resource limits */
#define TAPSCRIPT_BUDGET_PER_SIGNATURE 50
#define TAPROOT_LEAF_MASK              0xfe
#define TAPROOT_LEAF_TAPSCRIPT         0xc0
#define TAPROOT_ANNEX_TAG              0x50
#define TAPROOT_CONTROL_BASE           33
#define TAPROOT_CONTROL_NODE           32
#define TAPROOT_CONTROL_NODES_MAX      128
#define CODESEP_NONE                   UINT32_MAX

/* Which rules a script runs under. They differ in what is signed, in limits, and in what opcodes
 * mean. P2SH is no version of its own: its redeem script runs under the oldest rules. */
enum script_version {
    SCRIPT_VERSION_BASE,      /* scriptSig, scriptPubKey, P2SH redeem script */
    SCRIPT_VERSION_V0,        /* BIP141 */
    SCRIPT_VERSION_TAPSCRIPT, /* BIP342 */
};

/* Public keys parsed last, by a hash of their bytes: parsing takes a square root, an eighth of the
 * time of a signature check, and wallets spend from the same key again and again. A power of two,
 * about 1.6 MB when all are in use; each thread has its own, so no lock is needed. */
#define PUBKEY_CACHE_SLOTS 16384
#define PUBKEY_CACHE_FIRST 64 /* slots, doubled as keys come */

struct pubkey_slot {
    uint8_t key[33]; /* compressed; key[0] is 0 in an empty slot */
    struct ec_pubkey parsed;
};

struct script_scratch {
    struct script_stack stack, alt_stack;
    struct sighash_cache sighash;
    struct buffer script_code;   /* a script with signatures removed */
    struct pubkey_slot *pubkeys; /* NULL before the first key */
    size_t n_pubkeys;            /* slots: 0, or a power of two up to PUBKEY_CACHE_SLOTS */
    size_t n_parsed;             /* keys that were not in the cache so far */
};

/* One script being run. */
struct script_run {
    const struct script_check *check;
    struct script_scratch *scratch;
    struct script_stack *stack, *alt_stack; /* scratch's */
    enum script_version version;
    uint32_t flags;
    bool minimal; /* flags has MINIMALDATA */

    struct script_iter it;
    struct script_op op; /* the current one */
    /* A separator moves it. Each script that is run begins again at its own start. */
    const uint8_t *code_at; /* signatures sign the script from here: behind the last separator */
    uint32_t op_count;
    uint32_t op_pos; /* number of the current opcode, pushes counted too */

    /* The conditions that enclose the current opcode. Only the outermost false one matters, and
     * conditions inside it are not evaluated, so two numbers do for any depth. See
     * script_ops_flow.c for an example. */
    uint32_t if_depth;
    uint32_t if_first_false; /* IF_ALL_TRUE, or the depth outside of it */

    /* Tapscript only What signature checks may still cost, in bytes of witness. BIP-342, Resource
     * limits */
    int64_t budget;
    uint32_t codesep_pos;
    bool has_annex;
    uint8_t annex_hash[32], leaf_hash[32];
};

#define IF_ALL_TRUE UINT32_MAX

/* Most opcodes are passed over in a branch that is not taken, without a flag. */
enum opcode_flags {
    OPCODE_BRANCH = 1 << 0,   /* also run in a branch not taken */
    OPCODE_DISABLED = 1 << 1, /* fails even in a branch not taken. CVE-2010-5137 */
};

struct opcode_row {
    const char *name;  /* as in script_tests.json, without OP_ */
    uint8_t stack_min; /* fewer items are SCRIPT_ERR_INVALID_STACK_OPERATION */
    uint8_t flags;
    enum script_error (*exec)(struct script_run *run); /* NULL: SCRIPT_ERR_BAD_OPCODE */
};

/* The rule of an opcode; every byte has one. */
const struct opcode_row *opcode_row(uint8_t opcode);

/* The handlers: each finds stack_min items, does what its opcode does and returns SCRIPT_OK or
 * why the script fails. Declared once for each row of the table that names them. */
#define X(name, stack_min, flags, handler) enum script_error handler(struct script_run *run);
#include "consensus/script_ops.def"
#undef X

/* Run a script on the stack as it is.
 *
 * In:       run      check, scratch, version and what tapscript needs are set; the rest is not
 *           script   borrowed as long as the stack is used
 * Spec:     Core EvalScript() */
enum script_error script_run(struct script_run *run, struct span script);

/* True if opcode makes a tapscript succeed whatever else is in it. BIP-342, Script execution */
bool opcode_is_success(uint8_t opcode);

/* True if a push of these bytes by this opcode is the shortest. BIP-62, Push operators */
bool script_push_is_minimal(const struct script_op *op);

/* One OP_CHECKSIG, before tapscript and in it.
 *
 * Out:      success   whether the signature is good; it is not if empty
 * Returns:  why the whole script fails, else SCRIPT_OK
 * Spec:     Core EvalChecksig() */
enum script_error script_check_signature(struct script_run *run, struct span sig,
                                         struct span pubkey, bool *success);

/* Encoding rules that flags demand of an ECDSA signature and of its public key.
 * Spec: Core CheckSignatureEncoding(), CheckPubKeyEncoding() */
enum script_error script_check_encoding(const struct script_run *run, struct span sig,
                                        struct span pubkey);

/* Is sig (with its hash type byte) an ECDSA signature by pubkey?
 * Spec: Core CheckECDSASignature() */
bool script_check_ecdsa(struct script_run *run, struct span sig, struct span pubkey,
                        struct span script_code);

/* Is sig a BIP340 signature by the 32 bytes of pubkey? Key path unless run->version is
 * tapscript. Returns: SCRIPT_OK or SCRIPT_ERR_SCHNORR_*. Spec: Core CheckSchnorrSignature() */
enum script_error script_check_schnorr(struct script_run *run, struct span sig,
                                       const uint8_t pubkey[32]);

/* Remove every push of data from a script, as signatures never sign themselves.
 *
 * In:       owned   memory for what is left, unless nothing was removed
 * In/Out:   script  may lie in owned already
 * Returns:  how many were removed
 * Spec:     Core FindAndDelete(): only whole, exactly encoded pushes at opcode boundaries count
 *           (CVE-2024-38365: another node removed pushes that merely contained the signature) */
size_t script_find_and_delete(struct span *script, struct span data, struct buffer *owned);

/* The parsed form of a public key, of any encoding consensus allows.
 * Returns: false if it is not one */
NODISCARD bool script_scratch_pubkey(struct script_scratch *scratch, struct span key,
                                     struct ec_pubkey *parsed);

/* script_verify() without its fast paths for common output types; the two must agree always. */
NODISCARD enum script_error script_verify_generic(const struct script_check *check,
                                                  struct script_scratch *scratch);

#endif
