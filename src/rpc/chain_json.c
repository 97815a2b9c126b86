/* chain_json.c - facts of headers and tips as the JSON that several methods share. */
#include "rpc/chain_json.h"

#include <errno.h>
#include <stdio.h>

#include "consensus/pow.h"
#include "util/assert.h"

/* Step by step as Core does, so that the last digit is its own, too. */
double chain_json_difficulty(uint32_t bits)
{
    uint32_t mantissa = bits & 0x00ffffff;
    if (mantissa == 0)
        return 0;
    double difficulty = (double)0x0000ffff / (double)mantissa;
    int exponent = (int)(bits >> 24);
    for (; exponent < 29; exponent++)
        difficulty *= 256;
    for (; exponent > 29; exponent--)
        difficulty /= 256;
    return difficulty;
}

void chain_json_put_target(struct json_out *out, uint32_t bits)
{
    char text[U256_HEX_BYTES];
    snprintf(text, sizeof text, "%08x", bits);
    json_field_string(out, "bits", text);
    json_field_string(out, "target", u256_to_hex(pow_target_from_bits(bits, NULL, NULL), text));
    json_field_double(out, "difficulty", chain_json_difficulty(bits));
}

void chain_json_put_work(struct json_out *out, struct u256 work)
{
    char text[U256_HEX_BYTES];
    json_field_string(out, "chainwork", u256_to_hex(work, text));
}

void chain_json_put_warnings(struct rpc_call *call)
{
    ASSERT(call);
    const struct rpc_node *node = call->rpc->node;
    const char *text, *last = "";
    if (call->rpc->warnings_as_string) { /* room for one only: Core shows the last */
        for (size_t i = 0; (text = node->warning(node->ctx, i)); i++)
            last = text;
        json_field_string(&call->out, "warnings", last);
        return;
    }
    json_field_array(&call->out, "warnings");
    for (size_t i = 0; (text = node->warning(node->ctx, i)); i++)
        json_put_string(&call->out, text);
    json_close_array(&call->out);
}

int32_t chain_json_confirmations(const struct chain *chain, const struct block_node *node)
{
    if (!chain_contains(chain, node))
        return -1;
    return chain_tip(chain)->height - node->height + 1;
}

void chain_json_put_header(struct json_out *out, const struct chain *chain,
                           const struct block_node *node)
{
    ASSERT(node);
    char version[9];
    snprintf(version, sizeof version, "%08x", (uint32_t)node->version);
    json_field_id(out, "hash", node->hash.b);
    json_field_int(out, "confirmations", chain_json_confirmations(chain, node));
    json_field_int(out, "height", node->height);
    json_field_int(out, "version", node->version);
    json_field_string(out, "versionHex", version);
    json_field_id(out, "merkleroot", node->merkle_root);
    json_field_int(out, "time", node->time);
    json_field_int(out, "mediantime", block_node_mtp(node));
    json_field_int(out, "nonce", node->nonce);
    chain_json_put_target(out, node->bits);
    chain_json_put_work(out, node->chain_work);
    json_field_int(out, "nTx", node->n_tx);
    if (node->prev)
        json_field_id(out, "previousblockhash", node->prev->hash.b);
    const struct block_node *next =
        chain_contains(chain, node) ? chain_at(chain, node->height + 1) : NULL;
    if (next)
        json_field_id(out, "nextblockhash", next->hash.b);
}

#define BLOCK_LOST_TEXT "Block not found on disk (damaged or missing; it is asked of peers)"

const struct block_node *chain_json_find_block(struct rpc_call *call,
                                               const struct json_value *value, const char *name)
{
    ASSERT(call && name);
    struct block_hash hash;
    if (!rpc_read_id(call, value, name, hash.b))
        return NULL;
    const struct block_node *node = chain_find(call->rpc->node->chain, &hash);
    if (!node)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return node;
}

const struct block_node *chain_json_read_block(struct rpc_call *call, size_t index,
                                               const char *name)
{
    return chain_json_find_block(call, rpc_arg(call, index), name);
}

const struct block_node *chain_json_at_height(struct rpc_call *call, int64_t height)
{
    const struct chain *chain = call->rpc->node->chain;
    int32_t tip = chain_tip(chain)->height;
    if (height < 0)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Target block height %lld is negative",
                 (long long)height);
    else if (height > tip)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Target block height %lld after current tip %d",
                 (long long)height, tip);
    return height < 0 || height > tip ? NULL : chain_at(chain, (int32_t)height);
}

const struct block_node *chain_json_read_hash_or_height(struct rpc_call *call,
                                                        const struct json_value *value)
{
    int64_t height;
    if (!value || value->kind != JSON_KIND_NUMBER)
        return chain_json_find_block(call, value, "hash_or_height");
    if (!json_integer_in(value, INT32_MIN, INT32_MAX, &height)) {
        rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
        return NULL;
    }
    return chain_json_at_height(call, height);
}

bool chain_json_need_block(struct rpc_call *call, const struct block_node *block)
{
    ASSERT(block);
    if (block_node_has_data(block))
        return true;
    if (block_node_lost_data(block))
        rpc_fail(call, RPC_MISC_ERROR, BLOCK_LOST_TEXT);
    else
        rpc_fail(call, RPC_MISC_ERROR, "Block not available (%s)",
                 block->n_tx > 0 ? "pruned data" : "not fully downloaded");
    return false;
}

void chain_json_fail_undo(struct rpc_call *call)
{
    ASSERT(call);
    rpc_fail(call, RPC_INTERNAL_ERROR,
             "Undo data expected but can't be read. This could be due to disk corruption or a "
             "conflict with a pruning event.");
}

void chain_json_fail_read(struct rpc_call *call, const struct chain_block_read *read)
{
    ASSERT(read->error);
    if (read->error == -ECANCELED) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
        return;
    }
    /* The read that failed may have been what showed that the block is lost. */
    if (!chain_json_need_block(call, read->node))
        return;
    if (block_node_lost_undo(read->node))
        chain_json_fail_undo(call);
    else
        rpc_fail(call, RPC_MISC_ERROR, "Block not found on disk");
}

char *chain_json_verdict(const struct verdict *verdict, char *out, size_t out_len)
{
    ASSERT(verdict);
    char reason[VERDICT_REASON_BYTES];
    snprintf(out, out_len, "%s%s%s", verdict_reason(verdict, reason), *verdict->detail ? ", " : "",
             verdict->detail);
    return out;
}
