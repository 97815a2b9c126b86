/* chain_json.h - facts of headers and tips as the JSON that several methods share.
 *
 * Layer: rpc, for this layer only. On the loop thread. */
#ifndef RPC_CHAIN_JSON_H
#define RPC_CHAIN_JSON_H

#include "rpc/rpc_internal.h"

/* Difficulty of compact bits: how much harder than the main network's easiest target. */
double chain_json_difficulty(uint32_t bits);

/* "bits", "target" and "difficulty" of compact bits, into an open object. */
void chain_json_put_target(struct json_out *out, uint32_t bits);
/* "chainwork". */
void chain_json_put_work(struct json_out *out, struct u256 work);
/* "warnings": an array, or a string with -deprecatedrpc=warnings. */
void chain_json_put_warnings(struct rpc_call *call);

/* The fields of a header, into an open object. Spec: Core blockheaderToJSON() */
void chain_json_put_header(struct json_out *out, const struct chain *chain,
                           const struct block_node *node);
/* Blocks of the active chain from node to the tip, -1 if node is not among them. */
int32_t chain_json_confirmations(const struct chain *chain, const struct block_node *node);

/* The block that a hash argument names; NULL after an error -5 (or -8 for malformed hex). name is
 * the argument's in messages. */
const struct block_node *chain_json_read_block(struct rpc_call *call, size_t index,
                                               const char *name);

/* The same of a value anywhere. */
const struct block_node *chain_json_find_block(struct rpc_call *call,
                                               const struct json_value *value, const char *name);

/* The block of the active chain at height; NULL after an error -8. */
const struct block_node *chain_json_at_height(struct rpc_call *call, int64_t height);
/* The block that a hash or a height of the active chain names, called "hash_or_height" in messages;
 * NULL after an error -5 or -8. */
const struct block_node *chain_json_read_hash_or_height(struct rpc_call *call,
                                                        const struct json_value *value);

/* False, with error -1 that says why, if the block's bytes are not stored. */
NODISCARD bool chain_json_need_block(struct rpc_call *call, const struct block_node *block);
/* Error -32603: what a block spent was stored, and is not there. */
void chain_json_fail_undo(struct rpc_call *call);
/* Error -1 that says why a block that was asked for could not be read. */
void chain_json_fail_read(struct rpc_call *call, const struct chain_block_read *read);

#define CHAIN_JSON_VERDICT_BYTES (VERDICT_REASON_BYTES + VERDICT_DETAIL_BYTES)

/* "reason, detail" of a verdict, the reason as verdict_reason() words it; out_len bytes at most, of
 * which CHAIN_JSON_VERDICT_BYTES are enough. Returns out. */
char *chain_json_verdict(const struct verdict *verdict, char *out, size_t out_len);

#endif
