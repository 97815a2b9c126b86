/* script_sig.c - checking one signature, under each version of the rules.
 *
 *     version    key                 signature                       what it signs of the script
 *     legacy     33 or 65 bytes      ECDSA in DER, hash type         no signature, no separators
 *     v0         33 (policy), or 65  the same                        from the last separator on
 *     tapscript  32; others succeed  Schnorr: 64 bytes, or one more  its leaf, and where it is
 *     key path   the output key      the same                        there is none
 *
 * An empty signature is a valid way to say no, except in a key path. */
#include "consensus/script_internal.h"

#include "crypto/ecdsa.h"
#include "crypto/schnorr.h"

#define SCHNORR_SIG_BYTES 64
#define XONLY_BYTES       32

/* ---- removing a signature from the script it signs ---- */

/* Encode the push that consensus removes: of the shortest length prefix, but never a number
 * opcode. So the empty string is OP_0.
 *
 * It is the form in which the first implementation appended a signature to a script to look for it.
 *
 * Returns: length of the prefix; the data follows */
static size_t push_prefix(struct span data, uint8_t prefix[5])
{
    struct writer w = writer_to_buffer(prefix, 5);
    if (data.len < OP_PUSHDATA1) {
        write_u8(&w, (uint8_t)data.len);
    } else if (data.len <= 0xff) {
        write_u8(&w, OP_PUSHDATA1);
        write_u8(&w, (uint8_t)data.len);
    } else if (data.len <= 0xffff) {
        write_u8(&w, OP_PUSHDATA2);
        write_u16(&w, (uint16_t)data.len);
    } else {
        write_u8(&w, OP_PUSHDATA4);
        write_u32(&w, (uint32_t)data.len);
    }
    return w.len;
}

/* A push to look for: its bytes in two pieces, so that none have to be copied. */
struct needle {
    uint8_t prefix[5];
    size_t prefix_len;
    struct span data;
};

/* Do the bytes at the iterator spell the push? They need not be an opcode of the script as it is
 * read: only the place where they start has to be an opcode boundary. */
static bool needle_at(const struct needle *needle, const struct script_iter *it)
{
    size_t left = (size_t)(it->end - it->at);
    if (left < needle->prefix_len + needle->data.len)
        return false;
    if (memcmp(it->at, needle->prefix, needle->prefix_len) != 0)
        return false;
    return needle->data.len == 0 ||
           memcmp(it->at + needle->prefix_len, needle->data.p, needle->data.len) == 0;
}

/* Is there anything to remove? Nearly always not, and then the script is not even copied. */
static bool needle_found(const struct needle *needle, struct span script)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    do {
        if (needle_at(needle, &it))
            return true;
    } while (script_next(&it, &op));
    return false;
}

/* Copy what is kept to the front of the same bytes. Reading stays ahead of writing. */
static size_t needle_remove(const struct needle *needle, uint8_t *bytes, size_t *len)
{
    struct script_iter it = script_iter_of(span_of(bytes, *len));
    struct script_op op;
    uint8_t *to = bytes;
    const uint8_t *kept = bytes;
    size_t found = 0;
    bool more;
    do {
        /* Bytes that the loop below has already left behind may be overwritten now. */
        memmove(to, kept, (size_t)(it.at - kept));
        to += it.at - kept;
        for (; needle_at(needle, &it); found++)
            it.at += needle->prefix_len + needle->data.len;
        kept = it.at;
        more = script_next(&it, &op);
    } while (more);
    ASSERT(to <= kept && kept <= it.end);
    size_t rest = (size_t)(it.end - kept);
    memmove(to, kept, rest);
    *len = (size_t)(to - bytes) + rest;
    return found;
}

/* A signature cannot sign itself, so wherever it stands in the script, it is taken out before
 * hashing. In practice it never stands there, but blocks depend on the detail: what counts as a
 * match, that matches may follow one another, that they may begin inside what a reader would call
 * data. */
size_t script_find_and_delete(struct span *script, struct span data, struct buffer *owned)
{
    struct needle needle = {.data = data};
    needle.prefix_len = push_prefix(data, needle.prefix);
    if (script->len == 0 || !needle_found(&needle, *script))
        return 0;
    if (script->p != owned->p) {
        owned->len = 0;
        buffer_append(owned, script->p, script->len);
    }
    size_t found = needle_remove(&needle, owned->p, &owned->len);
    *script = buffer_span(owned);
    return found;
}

/* ---- encodings ---- */

/* ALL, NONE or SINGLE, with or without ANYONECANPAY. Bits beyond these are hashed with the rest,
 * and by consensus they are allowed. */
static bool is_defined_hash_type(struct span sig)
{
    ASSERT(sig.len > 0);
    uint8_t type = sig.p[sig.len - 1] & (uint8_t)~SIGHASH_ANYONECANPAY;
    return type >= SIGHASH_ALL && type <= SIGHASH_SINGLE;
}

/* By length and first byte; whether there is such a point is found out when it is used. */
static bool is_compressed(struct span pubkey)
{
    return pubkey.len == 33 && (pubkey.p[0] == 2 || pubkey.p[0] == 3);
}

/* Keys that begin with 6 or 7 hold both coordinates and the parity too. They are valid in old
 * scripts. */
static bool is_uncompressed(struct span pubkey)
{
    return pubkey.len == 65 && pubkey.p[0] == 4;
}

/* In the order in which clients see the errors: the form of the signature, its s, its hash type,
 * then the key. All but DERSIG is policy: a block may break it. */
enum script_error script_check_encoding(const struct script_run *run, struct span sig,
                                        struct span pubkey)
{
    const uint32_t der = SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_LOW_S | SCRIPT_VERIFY_STRICTENC;
    uint32_t flags = run->check->flags;
    /* The empty string is the one way to give no signature, for any of these rules.
     * BIP-66, Examples */
    if (sig.len > 0) {
        if ((flags & der) && !ecdsa_is_strict_der(sig))
            return SCRIPT_ERR_SIG_DER;
        /* BIP-62, Low S values in signatures */
        if ((flags & SCRIPT_VERIFY_LOW_S) && !ecdsa_is_low_s(span_of(sig.p, sig.len - 1)))
            return SCRIPT_ERR_SIG_HIGH_S;
        if ((flags & SCRIPT_VERIFY_STRICTENC) && !is_defined_hash_type(sig))
            return SCRIPT_ERR_SIG_HASHTYPE;
    }
    if ((flags & SCRIPT_VERIFY_STRICTENC) && !is_compressed(pubkey) && !is_uncompressed(pubkey))
        return SCRIPT_ERR_PUBKEYTYPE;
    /* BIP-143, Restrictions on public key type */
    if ((flags & SCRIPT_VERIFY_WITNESS_PUBKEYTYPE) && run->version == SCRIPT_VERSION_V0 &&
        !is_compressed(pubkey))
        return SCRIPT_ERR_WITNESS_PUBKEYTYPE;
    return SCRIPT_OK;
}

/* ---- ECDSA ---- */

/* The last byte of a signature is its hash type and no part of the signature proper. What remains
 * is read with the tolerance that all nodes had before strict DER was a rule: old blocks hold
 * signatures that are none today, and where DERSIG holds the form has been checked already. */
bool script_check_ecdsa(struct script_run *run, struct span sig, struct span pubkey,
                        struct span script_code)
{
    /* A key or signature that does not parse is a wrong signature, no more. */
    struct ec_pubkey parsed;
    if (sig.len == 0 || !script_scratch_pubkey(run->scratch, pubkey, &parsed))
        return false;

    const struct script_check *check = run->check;
    uint32_t hash_type = sig.p[sig.len - 1];
    uint8_t hash[32];
    /* BIP-143, Specification */
    if (run->version == SCRIPT_VERSION_V0) {
        const struct sighash_v0_input in = {
            .tx = check->tx,
            .sighash = check->sighash,
            .input = check->input,
            .value_sat = check->spent[check->input].value_sat,
        };
        sighash_v0(&run->scratch->sighash, &in, script_code, hash_type, hash);
    } else {
        sighash_legacy(&run->scratch->sighash, check->tx, check->input, script_code, hash_type,
                       hash);
    }
    return ecdsa_verify_lax(span_of(sig.p, sig.len - 1), hash, &parsed);
}

/* What a signature made now would sign: the script from the last separator executed. */
static struct span script_code_of(const struct script_run *run)
{
    return span_of(run->code_at, run->it.end ? (size_t)(run->it.end - run->code_at) : 0);
}

/* Legacy and version 0. The signature is removed from the script before its encoding is looked at,
 * so the error that CONST_SCRIPTCODE gives comes first. NULLFAIL is asked after the check: only a
 * signature that is wrong has to be empty. */
static enum script_error check_before_tapscript(struct script_run *run, struct span sig,
                                                struct span pubkey, bool *success)
{
    struct span script_code = script_code_of(run);
    /* BIP-143, No FindAndDelete */
    if (run->version == SCRIPT_VERSION_BASE &&
        script_find_and_delete(&script_code, sig, &run->scratch->script_code) > 0 &&
        (run->check->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE))
        return SCRIPT_ERR_SIG_FINDANDDELETE;

    enum script_error error = script_check_encoding(run, sig, pubkey);
    if (error)
        return error;
    *success = script_check_ecdsa(run, sig, pubkey, script_code);
    if (!*success && (run->check->flags & SCRIPT_VERIFY_NULLFAIL) && sig.len > 0)
        return SCRIPT_ERR_SIG_NULLFAIL;
    return SCRIPT_OK;
}

/* ---- Schnorr ---- */

/* In a key path the key is the output's own, in a tapscript it is what the script has pushed; the
 * digest tells the two apart, so that no signature for one is good for the other. Undefined hash
 * types fail, where ECDSA would hash them: none can acquire a meaning by accident. */
enum script_error script_check_schnorr(struct script_run *run, struct span sig,
                                       const uint8_t pubkey[32])
{
    /* BIP-341, Taproot key path spending signature validation; BIP-342, Rules for signature
     * opcodes */
    if (sig.len != SCHNORR_SIG_BYTES && sig.len != SCHNORR_SIG_BYTES + 1)
        return SCRIPT_ERR_SCHNORR_SIG_SIZE;
    uint8_t hash_type = SIGHASH_DEFAULT;
    if (sig.len == SCHNORR_SIG_BYTES + 1) {
        hash_type = sig.p[SCHNORR_SIG_BYTES];
        if (hash_type == SIGHASH_DEFAULT)
            return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE; /* it has a shorter form: see above */
    }

    const struct script_check *check = run->check;
    struct sighash_v1_input in = {
        .tx = check->tx,
        .sighash = check->sighash,
        .spent = check->spent,
        .input = check->input,
        .has_annex = run->has_annex,
        .is_script_path = run->version == SCRIPT_VERSION_TAPSCRIPT,
        .codesep_pos = run->codesep_pos,
    };
    if (in.has_annex)
        memcpy(in.annex_hash, run->annex_hash, sizeof in.annex_hash);
    if (in.is_script_path)
        memcpy(in.leaf_hash, run->leaf_hash, sizeof in.leaf_hash);
    uint8_t hash[32];
    if (!sighash_v1(&in, hash_type, hash))
        return SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    /* BIP-340, Verification */
    uint8_t key[1 + XONLY_BYTES] = {2}; /* of the two points with this x, that with even y */
    memcpy(key + 1, pubkey, XONLY_BYTES);
    struct ec_pubkey parsed;
    if (!script_scratch_pubkey(run->scratch, span_of(key, sizeof key), &parsed) ||
        !schnorr_verify(sig.p, span_of(hash, sizeof hash), &parsed))
        return SCRIPT_ERR_SCHNORR_SIG;
    return SCRIPT_OK;
}

/* The order of the steps is consensus: the budget is charged for any signature that is not empty,
 * also by a key of unknown type; an empty key always fails; a key of unknown type always
 * succeeds; a wrong signature fails the script. BIP-342, Rules for signature opcodes */
static enum script_error check_tapscript(struct script_run *run, struct span sig,
                                         struct span pubkey, bool *success)
{
    *success = sig.len > 0;
    if (*success) {
        /* BIP-342, Resource limits */
        run->budget -= TAPSCRIPT_BUDGET_PER_SIGNATURE;
        if (run->budget < 0)
            return SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT;
    }
    /* BIP-342, Rules for signature opcodes */
    if (pubkey.len == 0)
        return SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY;
    if (pubkey.len == XONLY_BYTES)
        return *success ? script_check_schnorr(run, sig, pubkey.p) : SCRIPT_OK;
    /* Keys of other sizes are for later soft forks. BIP-342, Rules for signature opcodes */
    if (run->check->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE)
        return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE;
    return SCRIPT_OK;
}

enum script_error script_check_signature(struct script_run *run, struct span sig,
                                         struct span pubkey, bool *success)
{
    *success = false;
    return run->version == SCRIPT_VERSION_TAPSCRIPT
               ? check_tapscript(run, sig, pubkey, success)
               : check_before_tapscript(run, sig, pubkey, success);
}
