/* fuzz_der.c - what BIP66 accepts, the lax parser reads the same way as the library's own. */
#include <secp256k1.h>
#include <stdint.h>
#include <string.h>

#include "crypto/ecdsa.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span sig = span_of(data, size);
    uint8_t compact[64], library[64];
    bool lax = ecdsa_parse_lax(sig, compact);
    if (!lax) {
        ASSERT(!ecdsa_is_low_s(sig));
        ASSERT(!ecdsa_is_strict_der(sig));
    }
    if (!ecdsa_is_strict_der(sig))
        return 0;

    /* The strict rule includes the hash type byte; bytes after s never matter to the lax one. */
    struct span bare = span_of(data, size - 1);
    uint8_t without_type[64];
    ASSERT(lax && ecdsa_parse_lax(bare, without_type));
    ASSERT(memcmp(compact, without_type, 64) == 0);
    secp256k1_ecdsa_signature parsed;
    ASSERT(
        secp256k1_ecdsa_signature_parse_der(secp256k1_context_static, &parsed, bare.p, bare.len));
    secp256k1_ecdsa_signature_serialize_compact(secp256k1_context_static, library, &parsed);
    /* If one number does not fit, the lax parser drops both and the library may only that one;
     * either way no verification succeeds. */
    static const uint8_t zero[64];
    ASSERT(memcmp(compact, library, 64) == 0 || memcmp(compact, zero, 64) == 0);
    return 0;
}
