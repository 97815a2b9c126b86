/* rest_filters.c - REST routes about the index of block filters. */
#include <errno.h>

#include "chain/ask/block_filter.h"
#include "chain/ask/filterindex.h"
#include "rpc/rest.h"

/* Of filters or their headers. */
struct filter_wish {
    const struct block_node *node;
    struct buffer bytes; /* as .bin has them, for JSON without what comes before the filter */
};

/* False, with an error, unless filters of that name are indexed here. */
static bool need_index(struct rpc_call *call, const char *type)
{
    bool synced;
    int32_t height;
    if (strcmp(type, "basic") != 0)
        return rest_refuse(call, 400, "Unknown filtertype %s", type);
    return chain_filterindex_status(call->rpc->node->chain, &synced, &height) ||
           rest_refuse(call, 400, "Index is not enabled for filtertype %s", type);
}

static void fail_filter(struct rpc_call *call, int error)
{
    const struct filter_wish *wish = call->state;
    if (error == -ECANCELED)
        rest_fail(call, 503, "Shutting down");
    else if (!block_node_was_connected(wish->node))
        rest_fail(call, 404, "Filter not found. Block was not connected to active chain.");
    else if (error == -EAGAIN || error == -EUCLEAN)
        rest_fail(call, 404,
                  "Filter not found. Block filters are still in the process of being indexed.");
    else
        rest_fail(call, 404,
                  "Filter not found. This error is unexpected and indicates index corruption.");
}

/* -- One filter ------------------------------------------------------------------------------- */

static bool keep_filter(void *arg, const struct chain_filter *filter)
{
    const struct rpc_call *call = arg;
    struct filter_wish *wish = call->state;
    struct writer w = writer_to_growing(&wish->bytes);
    if (call->rest->format == REST_FORMAT_JSON) {
        write_span(&w, filter->filter);
        return true;
    }
    write_u8(&w, BLOCK_FILTER_BASIC);
    write_bytes(&w, filter->block->b, sizeof filter->block->b);
    write_var_span(&w, filter->filter);
    return true;
}

static void on_filter(void *arg, int error, size_t n)
{
    struct rpc_call *call = arg;
    struct filter_wish *wish = call->state;
    ASSERT(error || n == 1);
    if (error) {
        fail_filter(call, error);
    } else if (call->rest->format == REST_FORMAT_JSON) {
        json_open_object(&call->out);
        json_field_hex(&call->out, "filter", buffer_span(&wish->bytes));
        json_close_object(&call->out);
    } else {
        rest_put_bytes(call, buffer_span(&wish->bytes));
    }
    buffer_deinit(&wish->bytes);
    rpc_finish(call);
}

static enum rpc_progress visit(struct rpc_call *call, const struct chain_filter_range *range,
                               chain_filter_fn *keep, chain_filters_done_fn *done)
{
    struct filter_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    wish->node = range->last;
    buffer_init(&wish->bytes);
    call->state = wish;
    chain_visit_filters(call->rpc->node->chain, range, keep, done, call);
    return RPC_PENDING;
}

enum rpc_progress rest_blockfilter(struct rpc_call *call)
{
    struct block_hash hash;
    char *parts[REST_PARTS_MAX];
    if (rest_split(call->rest->param, parts) != 2)
        return rest_fail(call, 400,
                         "Invalid URI format. Expected /rest/blockfilter/<filtertype>/<blockhash>");
    if (!rest_read_id(call, parts[1], hash.b) || !need_index(call, parts[0]))
        return RPC_DONE;
    const struct block_node *node = chain_find(call->rpc->node->chain, &hash);
    if (!node)
        return rest_fail(call, 404, "%s not found", parts[1]);
    if (call->rest->format == REST_FORMAT_NONE)
        return rest_fail_format(call);
    const struct chain_filter_range range = {
        .first = node->height, .step = 1, .last = node, .wants_filters = true};
    return visit(call, &range, keep_filter, on_filter);
}

/* -- Headers of filters ----------------------------------------------------------------------- */

static bool keep_header(void *arg, const struct chain_filter *filter)
{
    struct filter_wish *wish = ((struct rpc_call *)arg)->state;
    buffer_append(&wish->bytes, filter->header, 32);
    return true;
}

static void put_headers(struct rpc_call *call, struct span bytes)
{
    if (call->rest->format != REST_FORMAT_JSON) {
        rest_put_bytes(call, bytes);
        return;
    }
    json_open_array(&call->out);
    for (size_t at = 0; at < bytes.len; at += 32)
        json_put_id(&call->out, bytes.p + at);
    json_close_array(&call->out);
}

static void on_headers(void *arg, int error, size_t n)
{
    struct rpc_call *call = arg;
    struct filter_wish *wish = call->state;
    ASSERT(error || wish->bytes.len == 32 * n);
    if (error)
        fail_filter(call, error);
    else
        put_headers(call, buffer_span(&wish->bytes));
    buffer_deinit(&wish->bytes);
    rpc_finish(call);
}

/* "/TYPE/COUNT/HASH", as it was once, or "/TYPE/HASH?count=COUNT". */
static bool read_wish(struct rpc_call *call, struct block_hash *hash, size_t *count)
{
    char *parts[REST_PARTS_MAX];
    size_t n = rest_split(call->rest->param, parts);
    if (n != 2 && n != 3)
        return rest_refuse(call, 400,
                           "Invalid URI format. Expected "
                           "/rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>");
    const char *count_text = parts[1];
    if (n == 2 && !rest_query(call, "count", "5", &count_text))
        return false;
    return rest_read_count(call, count_text, count) && rest_read_id(call, parts[n - 1], hash->b) &&
           need_index(call, parts[0]);
}

enum rpc_progress rest_blockfilterheaders(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    struct block_hash hash;
    size_t count;
    if (!read_wish(call, &hash, &count))
        return RPC_DONE;
    if (call->rest->format == REST_FORMAT_NONE)
        return rest_fail_format(call);
    const struct block_node *first = chain_find(chain, &hash);
    if (!first || !chain_contains(chain, first)) {
        put_headers(call, span_of(NULL, 0));
        return RPC_DONE;
    }
    int64_t last = first->height + (int64_t)count - 1, tip = chain_tip(chain)->height;
    const struct chain_filter_range range = {
        .first = first->height,
        .step = 1,
        .last = chain_at(chain, (int32_t)(last < tip ? last : tip)),
    };
    return visit(call, &range, keep_header, on_headers);
}
