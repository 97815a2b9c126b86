/* ecdsa.c - ECDSA signatures: their encodings, and verification. */
#include "crypto/ecdsa.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

#include "util/reader.h"

enum { TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30 };

/* A length: one byte, or 0x80 + n and then n bytes, big-endian, of which leading zeros do not
 * count. More than three that do could only exceed what is left, whatever their value. */
static size_t read_length(struct reader *r)
{
    uint8_t first = read_u8(r);
    if (!(first & 0x80))
        return first;
    struct span bytes = read_span(r, first & 0x7f);
    size_t length = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        if (length >> 16)
            r->failed = true;
        length = (length << 8 | bytes.p[i]) & 0xffffff;
    }
    return length;
}

/* An integer of any length, its leading zeros dropped. */
static struct span read_integer(struct reader *r)
{
    if (read_u8(r) != TAG_INTEGER)
        r->failed = true;
    struct span number = read_span(r, read_length(r));
    while (number.len > 0 && number.p[0] == 0) {
        number.p++;
        number.len--;
    }
    return number;
}

bool ecdsa_parse_lax(struct span sig, uint8_t compact[64])
{
    struct reader r = reader_of(sig);
    if (read_u8(&r) != TAG_SEQUENCE)
        return false;
    /* The sequence's length has to be there, but was never compared with anything. */
    uint8_t first = read_u8(&r);
    if (first & 0x80)
        (void)read_span(&r, first & 0x7f);
    struct span number_r = read_integer(&r);
    struct span number_s = read_integer(&r);
    if (r.failed)
        return false;

    secp256k1_ecdsa_signature parsed;
    memset(compact, 0, 64);
    if (number_r.len > 32 || number_s.len > 32)
        return true;
    memcpy(compact + 32 - number_r.len, number_r.p, number_r.len);
    memcpy(compact + 64 - number_s.len, number_s.p, number_s.len);
    if (!secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &parsed, compact))
        memset(compact, 0, 64);
    return true;
}

/* The same into the library's form. */
static bool parse_lax(struct span sig, secp256k1_ecdsa_signature *out)
{
    uint8_t compact[64];
    return ecdsa_parse_lax(sig, compact) &&
           secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, out, compact);
}

bool ecdsa_verify_lax(struct span sig, const uint8_t hash32[32], const struct ec_pubkey *pubkey)
{
    secp256k1_ecdsa_signature parsed;
    if (!parse_lax(sig, &parsed))
        return false;
    /* The library refuses a high s; consensus does not. */
    secp256k1_ecdsa_signature_normalize(secp256k1_context_static, &parsed, &parsed);
    return secp256k1_ecdsa_verify(secp256k1_context_static, &parsed, hash32,
                                  (const secp256k1_pubkey *)(const void *)pubkey);
}

/* One integer of a strict signature at sig.p[at]: tag, length, then a positive number without
 * needless zeros. Returns its length, or 0 if it breaks a rule or leaves less than rest bytes. */
static size_t strict_integer(struct span sig, size_t at, size_t rest)
{
    if (at + 2 + rest > sig.len || sig.p[at] != TAG_INTEGER)
        return 0;
    size_t length = sig.p[at + 1];
    const uint8_t *number = sig.p + at + 2;
    if (length == 0 || at + 2 + length + rest > sig.len)
        return 0;
    /* Neither negative nor padded. BIP-66, DER encoding reference */
    if (number[0] & 0x80)
        return 0;
    if (length > 1 && number[0] == 0 && !(number[1] & 0x80))
        return 0;
    return length;
}

/* 30 len 02 len-r r 02 len-s s hash-type, every length in one byte and exact.
 * BIP-66, DER encoding reference */
bool ecdsa_is_strict_der(struct span sig)
{
    if (sig.len < 9 || sig.len > 73)
        return false;
    if (sig.p[0] != TAG_SEQUENCE || sig.p[1] != sig.len - 3)
        return false;
    size_t length_r = strict_integer(sig, 2, 1);
    if (length_r == 0)
        return false;
    size_t length_s = strict_integer(sig, 4 + length_r, 1);
    return length_s != 0 && length_r + length_s + 7 == sig.len;
}

bool ecdsa_is_low_s(struct span sig)
{
    secp256k1_ecdsa_signature parsed;
    return parse_lax(sig, &parsed) &&
           !secp256k1_ecdsa_signature_normalize(secp256k1_context_static, NULL, &parsed);
}

bool ecdsa_recover_compact(const uint8_t sig[ECDSA_COMPACT_BYTES], const uint8_t hash32[32],
                           struct ec_pubkey *pubkey, bool *compressed)
{
    secp256k1_ecdsa_recoverable_signature parsed;
    unsigned head = sig[0] - 27u;
    *compressed = head & 4;
    return secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &parsed,
                                                               sig + 1, (int)(head & 3)) &&
           secp256k1_ecdsa_recover(secp256k1_context_static, (secp256k1_pubkey *)(void *)pubkey,
                                   &parsed, hash32);
}
