/* rest_chain.c - REST routes about the chain and its headers. */
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/rest.h"

#define HEIGHT_TEXT_MAX 64 /* of a height that is none, in its error */

enum rpc_progress rest_chaininfo(struct rpc_call *call)
{
    return rest_need_json(call) ? rpc_getblockchaininfo(call) : RPC_DONE;
}

enum rpc_progress rest_deploymentinfo(struct rpc_call *call)
{
    struct block_hash hash;
    const char *text = call->rest->param;
    ASSERT(text);
    if (!rest_need_json(call))
        return RPC_DONE;
    if (*text) {
        if (!rest_read_id(call, text, hash.b))
            return RPC_DONE;
        if (!chain_find(call->rpc->node->chain, &hash))
            return rest_fail(call, 400, "Block not found");
        rest_arg_text(call, 0, text);
    }
    return rpc_getdeploymentinfo(call);
}

/* -- Headers ---------------------------------------------------------------------------------- */

/* "/COUNT/HASH", as it was once, or "/HASH?count=COUNT". */
static bool read_wish(struct rpc_call *call, struct block_hash *hash, size_t *count)
{
    char *parts[REST_PARTS_MAX];
    size_t n = rest_split(call->rest->param, parts);
    const char *count_text = parts[0];
    if (n > 2)
        return rest_refuse(call, 400,
                           "Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>");
    if (n == 1 && !rest_query(call, "count", "5", &count_text))
        return false;
    return rest_read_count(call, count_text, count) && rest_read_id(call, parts[n - 1], hash->b);
}

static void put_header(struct rpc_call *call, const struct block_node *node)
{
    if (call->rest->format == REST_FORMAT_JSON) {
        json_open_object(&call->out);
        chain_json_put_header(&call->out, call->rpc->node->chain, node);
        json_close_object(&call->out);
        return;
    }
    uint8_t raw[BLOCK_HEADER_BYTES];
    struct block_header header = block_node_header(node);
    struct writer w = writer_to_buffer(raw, sizeof raw);
    block_header_encode(&w, &header);
    rest_put_bytes(call, span_of(raw, sizeof raw));
}

enum rpc_progress rest_headers(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    struct block_hash hash;
    size_t count;
    if (!read_wish(call, &hash, &count))
        return RPC_DONE;
    if (call->rest->format == REST_FORMAT_NONE)
        return rest_fail_format(call);
    const struct block_node *node = chain_find(chain, &hash);
    bool is_json = call->rest->format == REST_FORMAT_JSON;
    if (is_json)
        json_open_array(&call->out);
    for (; node && chain_contains(chain, node) && count > 0; count--) {
        put_header(call, node);
        node = chain_at(chain, node->height + 1);
    }
    if (is_json)
        json_close_array(&call->out);
    return RPC_DONE;
}

enum rpc_progress rest_blockhashbyheight(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    const char *text = call->rest->param;
    uint64_t height;
    if (!rest_read_number(text, &height) || height > INT32_MAX)
        return rest_fail(call, 400, "Invalid height: %.*s", HEIGHT_TEXT_MAX, text);
    const struct block_node *node = chain_at(chain, (int32_t)height);
    if (!node)
        return rest_fail(call, 404, "Block height out of range");
    switch (call->rest->format) {
    case REST_FORMAT_NONE:
        return rest_fail_format(call);
    case REST_FORMAT_BIN:
        rest_put_bytes(call, span_of(node->hash.b, sizeof node->hash.b));
        break;
    case REST_FORMAT_HEX: /* as hashes are shown, not the bytes of .bin */
        rest_put_id(call, node->hash.b);
        break;
    case REST_FORMAT_JSON:
        json_open_object(&call->out);
        json_field_id(&call->out, "blockhash", node->hash.b);
        json_close_object(&call->out);
        break;
    }
    return RPC_DONE;
}
