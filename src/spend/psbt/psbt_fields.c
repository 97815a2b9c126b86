/* psbt_fields.c - which records a PSBT may have, and what is wrong with one. Messages are those of
 * Core. BIP-174, Specification; BIP-370, Specification; BIP-371, Specification */
#include <string.h>

#include "consensus/sighash.h"
#include "consensus/tx_verify.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "spend/psbt/psbt_fields_internal.h"
#include "util/reader.h"

enum {
    PUBKEY = 33,
    XPUB_BYTES = 78,
    XPUB_KEY_AT = 45,
    LONG_KEY = 2 * PUBKEY + 32, /* two keys and a leaf's hash */
};

/* Which versions have a record. */
enum versions { EACH, ONLY_0, ONLY_2 };

/* A kind of record. The name stands in messages; check sees a record whose key data has the right
 * length, and says what is wrong, or nothing. */
struct field {
    uint64_t type;
    enum versions versions;
    int rank;      /* in which order kinds are written */
    int data_len;  /* of the key behind its type; ANY: check looks */
    int value_len; /* ANY: check looks */
    const char *duplicate, *bad_key;
    const char *(*check)(const struct psbt_record *record);
};

#define ANY (-1)

/* -- Checks ----------------------------------------------------------------------------------- */

static bool is_key(struct span bytes)
{
    struct ec_pubkey parsed;
    return ec_pubkey_parse(&parsed, bytes);
}

/* A fingerprint and steps of 4 bytes. */
static const char *check_origin(struct span value)
{
    return value.len == 0 || value.len % 4 != 0 ? "Invalid length for HD key path" : NULL;
}

static const char *check_xpub(const struct psbt_record *record)
{
    if (record->data.len != XPUB_BYTES)
        return "Size of key was not the expected size for the type global xpub";
    if (!is_key(span_of(record->data.p + XPUB_KEY_AT, PUBKEY)))
        return "Invalid pubkey";
    return check_origin(record->value);
}

static const char *check_version(const struct psbt_record *record)
{
    struct reader r = reader_of(record->value);
    uint32_t version = read_u32(&r);
    if (version == 1)
        return "There is no PSBT version 1";
    return version > PSBT_VERSION_2 ? "Unsupported version number" : NULL;
}

/* A count, and nothing behind it. */
static const char *check_count(const struct psbt_record *record)
{
    struct reader r = reader_of(record->value);
    (void)read_compact_size(&r);
    return reader_finish(&r) ? NULL : "Size of value was not the stated size";
}

static const char *check_tx(const struct psbt_record *record)
{
    /* Looked at where its scripts are: the bytes alone say nothing else. */
    return record->value.len == 0 ? "Size of value was not the stated size" : NULL;
}

static const char *check_txout(const struct psbt_record *record)
{
    struct reader r = reader_of(record->value);
    (void)read_u64(&r);
    (void)read_var_span(&r);
    return reader_finish(&r) ? NULL : "Size of value was not the stated size";
}

/* Does the last byte name a hash type? BIP62, strict encodings. */
static bool has_defined_type(struct span sig)
{
    uint8_t type = sig.p[sig.len - 1] & (uint8_t)~SIGHASH_ANYONECANPAY;
    return type >= SIGHASH_ALL && type <= SIGHASH_SINGLE;
}

static const char *check_partial_sig(const struct psbt_record *record)
{
    if (record->data.len != 33 && record->data.len != 65)
        return "Size of key was not the expected size for the type partial signature pubkey";
    if (!is_key(record->data))
        return "Invalid pubkey";
    if (record->value.len == 0 || !ecdsa_is_strict_der(record->value) ||
        !has_defined_type(record->value))
        return "Signature is not a valid encoding";
    return NULL;
}

static const char *check_derivation(const struct psbt_record *record)
{
    if (record->data.len != 33 && record->data.len != 65)
        return "Size of key was not the expected size for the type BIP32 keypath";
    return is_key(record->data) ? check_origin(record->value) : "Invalid pubkey";
}

static const char *check_witness(const struct psbt_record *record)
{
    struct span item;
    struct witness_iter it = witness_iter_of(record->value);
    if (record->value.len == 0)
        return "Size of value was not the stated size";
    while (witness_next(&it, &item))
        continue;
    return reader_finish(&it.r) && it.left == 0 ? NULL : "Size of value was not the stated size";
}

static const char *check_tap_sig(const struct psbt_record *record)
{
    bool is_key_path = record->data.len == 0;
    if (record->value.len < 64)
        return is_key_path ? "Input Taproot key path signature is shorter than 64 bytes"
                           : "Input Taproot script path signature is shorter than 64 bytes";
    if (record->value.len > 65)
        return is_key_path ? "Input Taproot key path signature is longer than 65 bytes"
                           : "Input Taproot script path signature is longer than 65 bytes";
    return NULL;
}

static const char *check_leaf_script(const struct psbt_record *record)
{
    if (record->data.len < TAP_CONTROL_BASE)
        return "Taproot leaf script key is not at least 34 bytes";
    if ((record->data.len - TAP_CONTROL_BASE) % 32 != 0)
        return "Input Taproot leaf script key's control block size is not valid";
    return record->value.len < 1 ? "Input Taproot leaf script must be at least 1 byte" : NULL;
}

static const char *check_tap_derivation(struct span value, const char *bad_length)
{
    struct reader r = reader_of(value);
    uint64_t n = read_compact_size(&r);
    if (r.failed || n > reader_left(&r) / 32)
        return bad_length;
    (void)read_span(&r, (size_t)n * 32);
    return check_origin(span_of(r.at, reader_left(&r))) ? bad_length : NULL;
}

static const char *check_in_tap_derivation(const struct psbt_record *record)
{
    return check_tap_derivation(record->value, "Input Taproot BIP32 keypath has an invalid length");
}

static const char *check_out_tap_derivation(const struct psbt_record *record)
{
    return check_tap_derivation(record->value,
                                "Output Taproot BIP32 keypath has an invalid length");
}

static const char *check_participants(const struct psbt_record *record, const char *const texts[3])
{
    if (!is_key(record->data))
        return texts[0];
    for (size_t at = 0; at + PUBKEY <= record->value.len; at += PUBKEY) {
        if (!is_key(span_of(record->value.p + at, PUBKEY)))
            return texts[2];
    }
    return record->value.len % PUBKEY != 0 ? texts[1] : NULL;
}

static const char *check_in_participants(const struct psbt_record *record)
{
    static const char *const texts[] = {
        "Input musig2 aggregate pubkey is invalid",
        "Input musig2 participants pubkeys value size is not a multiple of 33",
        "Input musig2 participant pubkey is invalid"};
    return check_participants(record, texts);
}

static const char *check_out_participants(const struct psbt_record *record)
{
    static const char *const texts[] = {
        "Output musig2 aggregate pubkey is invalid",
        "Output musig2 participants pubkeys value size is not a multiple of 33",
        "Output musig2 participant pubkey is invalid"};
    return check_participants(record, texts);
}

/* A participant, the aggregate, and the leaf where it is a script's. */
static const char *check_musig_key(const struct psbt_record *record, const char *bad_size)
{
    if (record->data.len != 2 * PUBKEY && record->data.len != LONG_KEY)
        return bad_size;
    if (!is_key(span_of(record->data.p, PUBKEY)))
        return "musig2 participant pubkey is invalid";
    if (!is_key(span_of(record->data.p + PUBKEY, PUBKEY)))
        return "musig2 aggregate pubkey is invalid";
    return NULL;
}

static const char *check_pub_nonce(const struct psbt_record *record)
{
    const char *error =
        check_musig_key(record, "Input musig2 pubnonce key is not expected size of 67 or 99 bytes");
    if (error)
        return error;
    return record->value.len == 66 ? NULL : "Input musig2 pubnonce value is not 66 bytes";
}

static const char *check_musig_sig(const struct psbt_record *record)
{
    const char *error = check_musig_key(
        record, "Input musig2 partial sig key is not expected size of 67 or 99 bytes");
    if (error)
        return error;
    return record->value.len == 32 ? NULL : "Size of value was not the stated size";
}

static const char *check_time_lock(const struct psbt_record *record)
{
    struct reader r = reader_of(record->value);
    return read_u32(&r) < LOCK_TIME_THRESHOLD
               ? "Required time based locktime is invalid (less than 500000000)"
               : NULL;
}

static const char *check_height_lock(const struct psbt_record *record)
{
    struct reader r = reader_of(record->value);
    uint32_t height = read_u32(&r);
    if (height == 0)
        return "Required height based locktime is invalid (0)";
    return height >= LOCK_TIME_THRESHOLD
               ? "Required height based locktime is invalid (greater than or equal to 500000000)"
               : NULL;
}

static const char *check_tree(const struct psbt_record *record)
{
    struct reader r = reader_of(record->value);
    if (record->value.len == 0)
        return "Output Taproot tree must not be empty";
    while (reader_left(&r) > 0) {
        uint8_t depth = read_u8(&r), version = read_u8(&r);
        (void)read_var_span(&r);
        if (r.failed)
            return "Output Taproot tree is malformed";
        if (depth > TAP_DEPTH_MAX)
            return "Output Taproot tree has as leaf greater than Taproot maximum depth";
        if ((version & 1) != 0)
            return "Output Taproot tree has a leaf with an invalid leaf version";
    }
    return NULL;
}

/* -- Tables ----------------------------------------------------------------------------------- */

/* What is said of a key that is there twice, and of one with bytes behind its type. */
#define ONCE(what, key)                                                                            \
    "Duplicate Key, " what " already provided", key " key is more than one byte type"

/* clang-format off */
static const struct field global_fields[] = {
    {PSBT_GLOBAL_UNSIGNED_TX, ONLY_0, 0, 0, ANY,
     "Duplicate Key, unsigned tx already provided",
     "Global unsigned tx key is more than one byte type", check_tx},
    {PSBT_GLOBAL_XPUB, EACH, 1, ANY, ANY,
     "Duplicate key, global xpub already provided", "", check_xpub},
    {PSBT_GLOBAL_TX_VERSION, ONLY_2, 2, 0, 4,
     ONCE("global transaction version is", "Global transaction version"), NULL},
    {PSBT_GLOBAL_FALLBACK_LOCKTIME, ONLY_2, 3, 0, 4,
     ONCE("global fallback locktime is", "Global fallback locktime"), NULL},
    {PSBT_GLOBAL_INPUT_COUNT, ONLY_2, 4, 0, ANY,
     ONCE("global input count is", "Global input count"), check_count},
    {PSBT_GLOBAL_OUTPUT_COUNT, ONLY_2, 5, 0, ANY,
     ONCE("global output count is", "Global output count"), check_count},
    {PSBT_GLOBAL_TX_MODIFIABLE, ONLY_2, 6, 0, 1,
     ONCE("tx modifiable flags is", "Global tx modifiable flags"), NULL},
    {PSBT_GLOBAL_VERSION, EACH, 7, 0, 4, ONCE("version", "Global version"), check_version},
};

static const struct field input_fields[] = {
    {PSBT_IN_NON_WITNESS_UTXO, EACH, 0, 0, ANY,
     ONCE("input non-witness utxo", "Non-witness utxo"), check_tx},
    {PSBT_IN_WITNESS_UTXO, EACH, 1, 0, ANY,
     ONCE("input witness utxo", "Witness utxo"), check_txout},
    {PSBT_IN_PARTIAL_SIG, EACH, 2, ANY, ANY,
     "Duplicate Key, input partial signature for pubkey already provided", "", check_partial_sig},
    {PSBT_IN_SIGHASH_TYPE, EACH, 3, 0, 4, ONCE("input sighash type", "Sighash type"), NULL},
    {PSBT_IN_REDEEM_SCRIPT, EACH, 4, 0, ANY,
     ONCE("input redeemScript", "Input redeemScript"), NULL},
    {PSBT_IN_WITNESS_SCRIPT, EACH, 5, 0, ANY,
     ONCE("input witnessScript", "Input witnessScript"), NULL},
    {PSBT_IN_BIP32_DERIVATION, EACH, 6, ANY, ANY,
     "Duplicate Key, pubkey derivation path already provided", "", check_derivation},
    {PSBT_IN_FINAL_SCRIPTSIG, EACH, 20, 0, ANY,
     ONCE("input final scriptSig", "Final scriptSig"), NULL},
    {PSBT_IN_FINAL_SCRIPTWITNESS, EACH, 21, 0, ANY,
     ONCE("input final scriptWitness", "Final scriptWitness"), check_witness},
    {PSBT_IN_RIPEMD160, EACH, 7, 20, ANY,
     "Duplicate Key, input ripemd160 preimage already provided",
     "Size of key was not the expected size for the type ripemd160 preimage", NULL},
    {PSBT_IN_SHA256, EACH, 8, 32, ANY,
     "Duplicate Key, input sha256 preimage already provided",
     "Size of key was not the expected size for the type sha256 preimage", NULL},
    {PSBT_IN_HASH160, EACH, 9, 20, ANY,
     "Duplicate Key, input hash160 preimage already provided",
     "Size of key was not the expected size for the type hash160 preimage", NULL},
    {PSBT_IN_HASH256, EACH, 10, 32, ANY,
     "Duplicate Key, input hash256 preimage already provided",
     "Size of key was not the expected size for the type hash256 preimage", NULL},
    {PSBT_IN_PREVIOUS_TXID, ONLY_2, 22, 0, 32, ONCE("previous txid is", "Previous txid"), NULL},
    {PSBT_IN_OUTPUT_INDEX, ONLY_2, 23, 0, 4,
     ONCE("previous output's index is", "Previous output's index"), NULL},
    {PSBT_IN_SEQUENCE, ONLY_2, 24, 0, 4, ONCE("sequence is", "Sequence"), NULL},
    {PSBT_IN_REQUIRED_TIME_LOCKTIME, ONLY_2, 25, 0, 4,
     ONCE("required time based locktime is", "Required time based locktime"), check_time_lock},
    {PSBT_IN_REQUIRED_HEIGHT_LOCKTIME, ONLY_2, 26, 0, 4,
     ONCE("required height based locktime is", "Required height based locktime"),
     check_height_lock},
    {PSBT_IN_TAP_KEY_SIG, EACH, 11, 0, ANY,
     ONCE("input Taproot key signature", "Input Taproot key signature"), check_tap_sig},
    {PSBT_IN_TAP_SCRIPT_SIG, EACH, 12, 64, ANY,
     "Duplicate Key, input Taproot script signature already provided",
     "Input Taproot script signature key is not 65 bytes", check_tap_sig},
    {PSBT_IN_TAP_LEAF_SCRIPT, EACH, 13, ANY, ANY,
     "Duplicate Key, input Taproot leaf script already provided", "", check_leaf_script},
    {PSBT_IN_TAP_BIP32_DERIVATION, EACH, 14, 32, ANY,
     "Duplicate Key, input Taproot BIP32 keypath already provided",
     "Input Taproot BIP32 keypath key is not at 33 bytes", check_in_tap_derivation},
    {PSBT_IN_TAP_INTERNAL_KEY, EACH, 15, 0, 32,
     ONCE("input Taproot internal key", "Input Taproot internal key"), NULL},
    {PSBT_IN_TAP_MERKLE_ROOT, EACH, 16, 0, 32,
     ONCE("input Taproot merkle root", "Input Taproot merkle root"), NULL},
    {PSBT_IN_MUSIG2_PARTICIPANTS, EACH, 17, 33, ANY,
     "Duplicate key, input participant pubkeys for an aggregate key already provided",
     "Size of key was not 34 for the type Input MuSig2 Participants Pubkeys",
     check_in_participants},
    {PSBT_IN_MUSIG2_PUB_NONCE, EACH, 18, ANY, ANY,
     "Duplicate key, input musig2 pubnonce already provided", "", check_pub_nonce},
    {PSBT_IN_MUSIG2_PARTIAL_SIG, EACH, 19, ANY, ANY,
     "Duplicate key, input musig2 partial sig already provided", "", check_musig_sig},
};

static const struct field output_fields[] = {
    {PSBT_OUT_REDEEM_SCRIPT, EACH, 0, 0, ANY,
     ONCE("output redeemScript", "Output redeemScript"), NULL},
    {PSBT_OUT_WITNESS_SCRIPT, EACH, 1, 0, ANY,
     ONCE("output witnessScript", "Output witnessScript"), NULL},
    {PSBT_OUT_BIP32_DERIVATION, EACH, 2, ANY, ANY,
     "Duplicate Key, pubkey derivation path already provided", "", check_derivation},
    {PSBT_OUT_AMOUNT, ONLY_2, 3, 0, 8, ONCE("output amount is", "Output amount"), NULL},
    {PSBT_OUT_SCRIPT, ONLY_2, 4, 0, ANY, ONCE("output script is", "Output script"), NULL},
    {PSBT_OUT_TAP_INTERNAL_KEY, EACH, 5, 0, 32,
     ONCE("output Taproot internal key", "Output Taproot internal key"), NULL},
    {PSBT_OUT_TAP_TREE, EACH, 6, 0, ANY,
     ONCE("output Taproot tree", "Output Taproot tree"), check_tree},
    {PSBT_OUT_TAP_BIP32_DERIVATION, EACH, 7, 32, ANY,
     "Duplicate Key, output Taproot BIP32 keypath already provided",
     "Output Taproot BIP32 keypath key is not at 33 bytes", check_out_tap_derivation},
    {PSBT_OUT_MUSIG2_PARTICIPANTS, EACH, 8, 33, ANY,
     "Duplicate key, output participant pubkeys for an aggregate key already provided",
     "Size of key was not 34 for the type Output MuSig2 Participants Pubkeys",
     check_out_participants},
};
/* clang-format on */

static const struct field *find_field(enum psbt_map_kind kind, uint64_t type)
{
    static const struct {
        const struct field *at;
        size_t n;
    } tables[] = {
        [PSBT_MAP_GLOBAL] = {global_fields, COUNT_OF(global_fields)},
        [PSBT_MAP_INPUT] = {input_fields, COUNT_OF(input_fields)},
        [PSBT_MAP_OUTPUT] = {output_fields, COUNT_OF(output_fields)},
    };
    for (size_t i = 0; i < tables[kind].n; i++) {
        if (tables[kind].at[i].type == type)
            return &tables[kind].at[i];
    }
    return NULL;
}

bool psbt_is_known(enum psbt_map_kind kind, uint64_t type)
{
    return type == PSBT_PROPRIETARY || find_field(kind, type);
}

const char *psbt_duplicate_error(enum psbt_map_kind kind, uint64_t type)
{
    if (type == PSBT_PROPRIETARY)
        return "Duplicate Key, proprietary key already found";
    const struct field *field = find_field(kind, type);
    return field ? field->duplicate : "Duplicate Key, key for unknown value already provided";
}

/* BIP-174, Proprietary Use Type: an identifier with its length, and a subtype. */
static const char *check_proprietary(const struct psbt_record *record)
{
    struct reader r = reader_of(record->data);
    (void)read_var_span(&r);
    (void)read_compact_size(&r);
    return r.failed ? "Size of value was not the stated size" : NULL;
}

/* What a record of another version is called in a message. */
static const char *foreign_error(enum psbt_map_kind kind, uint64_t type)
{
    if (kind == PSBT_MAP_OUTPUT)
        return type == PSBT_OUT_AMOUNT ? "Output amount is not allowed in PSBTv0"
                                       : "Output script is not allowed in PSBTv0";
    if (type == PSBT_IN_PREVIOUS_TXID)
        return "Previous txid is not allowed in PSBTv0";
    if (type == PSBT_IN_OUTPUT_INDEX)
        return "Previous output's index is not allowed in PSBTv0";
    if (type == PSBT_IN_SEQUENCE)
        return "Sequence is not allowed in PSBTv0";
    return type == PSBT_IN_REQUIRED_TIME_LOCKTIME
               ? "Required time based locktime is not allowed in PSBTv0"
               : "Required height based locktime is not allowed in PSBTv0";
}

const char *psbt_check_record(enum psbt_map_kind kind, uint32_t version,
                              const struct psbt_record *record)
{
    ASSERT(record);
    if (record->type == PSBT_PROPRIETARY)
        return check_proprietary(record);
    const struct field *field = find_field(kind, record->type);
    if (!field)
        return NULL;
    if (kind != PSBT_MAP_GLOBAL && field->versions == ONLY_2 && version == PSBT_VERSION_0)
        return foreign_error(kind, record->type);
    if (field->data_len != ANY && record->data.len != (size_t)field->data_len)
        return field->bad_key;
    if (field->value_len != ANY && record->value.len != (size_t)field->value_len)
        return "Size of value was not the stated size";
    return field->check ? field->check(record) : NULL;
}

/* -- Order ------------------------------------------------------------------------------------ */

enum { RANK_PROPRIETARY = 100, RANK_UNKNOWN };

static int rank_of(enum psbt_map_kind kind, uint64_t type)
{
    const struct field *field = find_field(kind, type);
    return field ? field->rank : type == PSBT_PROPRIETARY ? RANK_PROPRIETARY : RANK_UNKNOWN;
}

static int compare_bytes(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.p, b.p, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Signatures stand in the order of their keys' hashes. */
static int compare_sigs(const struct psbt_record *a, const struct psbt_record *b)
{
    uint8_t x[20], y[20];
    hash160(a->data, x);
    hash160(b->data, y);
    return memcmp(x, y, sizeof x);
}

/* Control blocks stand with their script: by that, then the shorter first. */
static int compare_leaves(const struct psbt_record *a, const struct psbt_record *b)
{
    int order =
        compare_bytes(span_of(a->value.p, a->value.len - 1), span_of(b->value.p, b->value.len - 1));
    if (order == 0)
        order = a->value.p[a->value.len - 1] - b->value.p[b->value.len - 1];
    if (order == 0 && a->data.len != b->data.len)
        return a->data.len < b->data.len ? -1 : 1;
    return order ? order : compare_bytes(a->data, b->data);
}

/* What is made for an aggregate stands together: by that, the leaf, the participant. */
static int compare_musig(const struct psbt_record *a, const struct psbt_record *b)
{
    int order = compare_bytes(span_of(a->data.p + PUBKEY, a->data.len - PUBKEY),
                              span_of(b->data.p + PUBKEY, b->data.len - PUBKEY));
    return order ? order : memcmp(a->data.p, b->data.p, PUBKEY);
}

/* Extended keys stand in the order of their origins. */
static int compare_xpubs(const struct psbt_record *a, const struct psbt_record *b)
{
    int order = memcmp(a->value.p, b->value.p, 4);
    if (order == 0 && a->value.len != b->value.len)
        return a->value.len < b->value.len ? -1 : 1;
    for (size_t at = 4; order == 0 && at < a->value.len; at += 4) {
        struct reader x = reader_of(span_of(a->value.p + at, 4)),
                      y = reader_of(span_of(b->value.p + at, 4));
        uint32_t m = read_u32(&x), n = read_u32(&y);
        order = (m > n) - (m < n);
    }
    if (order == 0)
        order = memcmp(a->data.p + XPUB_KEY_AT, b->data.p + XPUB_KEY_AT, PUBKEY);
    return order ? order : compare_bytes(a->data, b->data);
}

int psbt_compare_records(enum psbt_map_kind kind, const struct psbt_record *a,
                         const struct psbt_record *b)
{
    ASSERT(a && b);
    int order = rank_of(kind, a->type) - rank_of(kind, b->type);
    if (order || a->type != b->type)
        return order ? order : compare_bytes(a->key, b->key);
    if (kind == PSBT_MAP_INPUT && a->type == PSBT_IN_PARTIAL_SIG)
        return compare_sigs(a, b);
    if (kind == PSBT_MAP_INPUT && a->type == PSBT_IN_TAP_LEAF_SCRIPT)
        return compare_leaves(a, b);
    if (kind == PSBT_MAP_INPUT &&
        (a->type == PSBT_IN_MUSIG2_PUB_NONCE || a->type == PSBT_IN_MUSIG2_PARTIAL_SIG))
        return compare_musig(a, b);
    if (kind == PSBT_MAP_GLOBAL && a->type == PSBT_GLOBAL_XPUB)
        return compare_xpubs(a, b);
    return compare_bytes(a->key, b->key);
}
