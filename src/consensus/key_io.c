/* key_io.c - addresses and secret keys as text. */
#include "consensus/key_io.h"

#include <stdio.h>

#include "consensus/opcodes.h"
#include "crypto/base58.h"
#include "crypto/key.h"
#include "crypto/mem.h"
#include "util/assert.h"
#include "util/writer.h"

/* The bytes of the two script forms around their 20-byte hash. */
static const uint8_t p2pkh_head[] = {OP_DUP, OP_HASH160, 20},
                     p2pkh_tail[] = {OP_EQUALVERIFY, OP_CHECKSIG};
static const uint8_t p2sh_head[] = {OP_HASH160, 20}, p2sh_tail[] = {OP_EQUAL};

/* The hash inside head ... tail, or NULL if script has not that form. */
static const uint8_t *hash_between(struct span script, struct span head, struct span tail)
{
    if (script.len != head.len + 20 + tail.len)
        return NULL;
    if (memcmp(script.p, head.p, head.len) != 0 ||
        memcmp(script.p + head.len + 20, tail.p, tail.len) != 0)
        return NULL;
    return script.p + head.len;
}

/* The version byte is in front of what the checksum covers: it shows as the first letter. */
static size_t encode_hash(uint8_t version, const uint8_t hash[20], char text[ADDRESS_SIZE])
{
    uint8_t data[21] = {version};
    memcpy(data + 1, hash, 20);
    base58check_encode(span_of(data, sizeof data), text);
    return strlen(text);
}

/* The version of a witness program that has an address, or -1. Of version 0 only the two lengths
 * with a meaning do. Lengths of version 0 without a meaning get no address: nothing sent there
 * could be spent. */
static int address_version(struct span script)
{
    if (script.len < 4 || script.len > 42 || script.p[1] != script.len - 2)
        return -1;
    if (script.p[0] == OP_0)
        return script.p[1] == 20 || script.p[1] == 32 ? 0 : -1;
    return script.p[0] >= OP_1 && script.p[0] <= OP_16 ? opcode_small_int(script.p[0]) : -1;
}

/* The forms are tried in the order of their age; a script has one of them at most. */
size_t address_encode(const struct network *network, struct span script, char text[ADDRESS_SIZE])
{
    text[0] = '\0';
    const uint8_t *hash = hash_between(script, span_of(p2pkh_head, sizeof p2pkh_head),
                                       span_of(p2pkh_tail, sizeof p2pkh_tail));
    if (hash)
        return encode_hash(network->base58_pubkey, hash, text);
    hash = hash_between(script, span_of(p2sh_head, sizeof p2sh_head),
                        span_of(p2sh_tail, sizeof p2sh_tail));
    if (hash)
        return encode_hash(network->base58_script, hash, text);
    int version = address_version(script);
    if (version < 0)
        return 0;
    return bech32_segwit_encode(network->bech32_hrp, version, span_of(script.p + 2, script.len - 2),
                                text);
}

static bool refuse(struct address_error *error, const char *message)
{
    snprintf(error->message, sizeof error->message, "%s", message);
    return false;
}

/* Head, hash and tail make the only script that such an address can mean. */
static void build(struct span head, const uint8_t hash[20], struct span tail, uint8_t *script,
                  size_t *script_len)
{
    struct writer w = writer_to_buffer(script, ADDRESS_SCRIPT_MAX);
    write_span(&w, head);
    write_bytes(&w, hash, 20);
    write_span(&w, tail);
    *script_len = w.len;
}

/* A text without a valid checksum gets another message than one that is no Base58 at all, as in
 * Core. */
static bool decode_base58(const struct network *network, const char *text, uint8_t *script,
                          size_t *script_len, struct address_error *error)
{
    uint8_t data[100];
    size_t len;
    if (!base58check_decode(text, 21, data, &len)) {
        if (!base58_decode(text, sizeof data, data, &len))
            return refuse(error, "Invalid or unsupported Segwit (Bech32) or Base58 encoding.");
        return refuse(error, "Invalid checksum or length of Base58 address (P2PKH or P2SH)");
    }
    bool is_pubkey = len > 0 && data[0] == network->base58_pubkey;
    bool is_script = len > 0 && data[0] == network->base58_script;
    if (!is_pubkey && !is_script)
        return refuse(error, "Invalid or unsupported Base58-encoded address.");
    if (len != 21)
        return refuse(error, "Invalid length for Base58 address (P2PKH or P2SH)");
    if (is_pubkey)
        build(span_of(p2pkh_head, sizeof p2pkh_head), data + 1,
              span_of(p2pkh_tail, sizeof p2pkh_tail), script, script_len);
    else
        build(span_of(p2sh_head, sizeof p2sh_head), data + 1, span_of(p2sh_tail, sizeof p2sh_tail),
              script, script_len);
    return true;
}

static bool refuse_size(struct address_error *error, const char *before, size_t len,
                        const char *after)
{
    snprintf(error->message, sizeof error->message, "%s (%zu %s)%s", before, len,
             len == 1 ? "byte" : "bytes", after);
    return false;
}

/* What a correctly encoded text says, in Core's order of refusals. Version 0 has the older checksum
 * and all others the newer one: the older lets letters q be inserted or left out before a final p
 * without being noticed. BIP-350, Motivation */
static bool decode_segwit(const struct network *network, const struct bech32 *in, uint8_t *script,
                          size_t *script_len, struct address_error *error)
{
    if (in->n_values == 0)
        return refuse(error, "Empty Bech32 data section");
    if (strcmp(in->prefix, network->bech32_hrp) != 0) {
        snprintf(error->message, sizeof error->message,
                 "Invalid or unsupported prefix for Segwit (Bech32) address (expected %s, got %s).",
                 network->bech32_hrp, in->prefix);
        return false;
    }
    int version = in->values[0];
    /* BIP-350, Addresses for segregated witness outputs */
    if (version == 0 && in->encoding != BECH32_V0)
        return refuse(error, "Version 0 witness address must use Bech32 checksum");
    if (version != 0 && in->encoding != BECH32_M)
        return refuse(error, "Version 1+ witness address must use Bech32m checksum");

    uint8_t program[BECH32_VALUES_MAX];
    size_t len;
    /* BIP-173, Segwit address format */
    if (!bech32_values_to_bytes(in->values + 1, in->n_values - 1, program, &len))
        return refuse(error, "Invalid padding in Bech32 data section");
    /* BIP-141, Witness program */
    if (version == 0 && len != 20 && len != 32)
        return refuse_size(error, "Invalid Bech32 v0 address program size", len, ", per BIP141");
    if (version > 16)
        return refuse(error, "Invalid Bech32 address witness version");
    /* BIP-141, Witness program */
    if (len < 2 || len > 40)
        return refuse_size(error, "Invalid Bech32 address program size", len, "");

    script[0] = opcode_of_small_int(version);
    script[1] = (uint8_t)len;
    memcpy(script + 2, program, len);
    *script_len = 2 + len;
    return true;
}

/* True if text starts with the network's prefix, whatever its case: then it is meant as Bech32.
 * Whoever mistypes such a text is told about Bech32, with the places that are wrong, and not that
 * it is no Base58. */
static bool looks_like_bech32(const struct network *network, const char *text)
{
    for (const char *p = network->bech32_hrp; *p; p++, text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (c != *p)
            return false;
    }
    return true;
}

bool address_decode(const struct network *network, const char *text,
                    uint8_t script[ADDRESS_SCRIPT_MAX], size_t *script_len,
                    struct address_error *error)
{
    struct address_error ignored;
    if (!error)
        error = &ignored;
    error->message[0] = '\0';
    error->bech32 = (struct bech32_errors){.message = ""};
    if (!looks_like_bech32(network, text))
        return decode_base58(network, text, script, script_len, error);

    struct bech32 decoded;
    if (bech32_decode(text, &decoded) != BECH32_INVALID)
        return decode_segwit(network, &decoded, script, script_len, error);
    if (error != &ignored)
        bech32_locate_errors(text, &error->bech32);
    return refuse(error, error->bech32.message);
}

void wif_encode(const struct network *network, const uint8_t key[32], bool compressed,
                char text[WIF_SIZE])
{
    ASSERT(network);
    uint8_t data[34] = {network->base58_secret};
    memcpy(data + 1, key, 32);
    data[33] = 1; /* the mark of a compressed public key */
    base58check_encode(span_of(data, compressed ? 34 : 33), text);
    mem_wipe(data, sizeof data);
}

/* What is no key in the end has been wiped from memory all the same. */
bool wif_decode(const struct network *network, const char *text, uint8_t key[32], bool *compressed)
{
    uint8_t data[34];
    size_t len = 0;
    bool ok = base58check_decode(text, sizeof data, data, &len) &&
              (len == 33 || (len == 34 && data[33] == 1)) && data[0] == network->base58_secret &&
              seckey_is_valid(data + 1);
    if (ok) {
        memcpy(key, data + 1, 32);
        *compressed = len == 34;
    }
    mem_wipe(data, sizeof data);
    return ok;
}
