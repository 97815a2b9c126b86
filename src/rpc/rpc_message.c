/* rpc_message.c - texts signed with the key of an address, and such signatures checked. */
#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/mem.h"
#include "rpc/methods.h"
#include "util/base64.h"

/* What is signed: no transaction can have this hash, so that nobody signs one unawares. */
static void hash_message(struct span message, uint8_t hash[32])
{
    struct sha256 h;
    sha256_init(&h);
    struct writer w = writer_to_sha256(&h);
    write_var_span(&w, span_of_string("Bitcoin Signed Message:\n"));
    write_var_span(&w, message);
    sha256d_final(&h, hash);
}

enum rpc_progress rpc_signmessagewithprivkey(struct rpc_call *call)
{
    uint8_t secret[32], hash[32], sig[ECDSA_COMPACT_BYTES];
    bool compressed;
    if (!wif_decode(call->rpc->node->network, rpc_arg_string(call, 0, ""), secret, &compressed))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
    hash_message(rpc_arg(call, 1)->text, hash);
    bool ok = ecdsa_sign_compact(rpc_ec_context(call->rpc), secret, hash, compressed, sig);
    ASSERT(ok); /* wif_decode() takes valid keys only */
    mem_wipe(secret, sizeof secret);
    struct buffer text;
    buffer_init(&text);
    base64_append(&text, span_of(sig, sizeof sig));
    json_put_text(&call->out, buffer_span(&text));
    buffer_deinit(&text);
    return RPC_DONE;
}

/* True if the signature is by a key whose hash that is. */
static bool is_signed_by(struct span sig, struct span message, struct span key_hash)
{
    uint8_t hash[32], bytes[65], found[20];
    struct ec_pubkey pubkey;
    bool compressed;
    if (sig.len != ECDSA_COMPACT_BYTES)
        return false;
    hash_message(message, hash);
    if (!ecdsa_recover_compact(sig.p, hash, &pubkey, &compressed))
        return false;
    size_t len = ec_pubkey_serialize(&pubkey, compressed, bytes);
    hash160(span_of(bytes, len), found);
    return span_equal(span_of(found, sizeof found), key_hash);
}

enum rpc_progress rpc_verifymessage(struct rpc_call *call)
{
    uint8_t script[ADDRESS_SCRIPT_MAX];
    size_t script_len, len;
    if (!address_decode(call->rpc->node->network, rpc_arg_string(call, 0, ""), script, &script_len,
                        NULL))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid address");
    struct script_solution solution = script_solve(span_of(script, script_len));
    if (solution.type != SCRIPT_TYPE_PUBKEYHASH)
        return rpc_fail(call, RPC_TYPE_ERROR, "Address does not refer to key");
    struct span text = rpc_arg(call, 1)->text;
    uint8_t *sig = arena_alloc(&call->arena, text.len + 1);
    if (!base64_decode(text, sig, text.len, &len))
        return rpc_fail(call, RPC_TYPE_ERROR, "Malformed base64 encoding");
    json_put_bool(&call->out,
                  is_signed_by(span_of(sig, len), rpc_arg(call, 2)->text, solution.item[0]));
    return RPC_DONE;
}
