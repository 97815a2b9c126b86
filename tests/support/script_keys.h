/* script_keys.h - keys 1 to 20 and signatures by them, for script tests. */
#ifndef TESTS_SUPPORT_SCRIPT_KEYS_H
#define TESTS_SUPPORT_SCRIPT_KEYS_H

#include "consensus/script_internal.h"
#include "crypto/key.h"

#define SCRIPT_KEYS 20

struct script_keys {
    struct ec_context *ec;
    uint8_t secret[SCRIPT_KEYS][32];
    uint8_t pubkey[SCRIPT_KEYS][33]; /* + 1: the x-only form */
    uint8_t long_pubkey[65];         /* of key 0 */
};

void script_keys_init(struct script_keys *keys);
void script_keys_deinit(struct script_keys *keys);

/* A signature with its hash type over a digest. Returns: its length */
size_t script_keys_sign(const struct script_keys *keys, int key, const uint8_t hash[32],
                        uint8_t hash_type, uint8_t sig[ECDSA_SIG_MAX + 1]);

/* The same for script_code as legacy script code of the input that check is of. */
size_t script_keys_sign_legacy(const struct script_keys *keys, int key,
                               const struct script_check *check, struct span script_code,
                               uint8_t hash_type, uint8_t sig[ECDSA_SIG_MAX + 1]);

#endif
