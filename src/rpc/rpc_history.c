/* rpc_history.c - getreorghistory and getblocksightings: what the node has seen of the chain. */
#include "chain/ask/history.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"

enum {
    PAGE_DEFAULT = 100,
    PAGE_MAX = 10000, /* of an answer: what is behind it is asked for with skip */
};

/* The page that is wanted, of rows of which the newest is the first. */
struct page {
    const struct history *history;
    size_t begin, end, total;
};

static bool read_page(struct rpc_call *call, size_t (*count_of)(const struct history *history),
                      struct page *page)
{
    int32_t count = PAGE_DEFAULT, skip = 0;
    page->history = call->rpc->node->history;
    if ((rpc_arg(call, 0) && !rpc_arg_int32(call, 0, &count)) ||
        (rpc_arg(call, 1) && !rpc_arg_int32(call, 1, &skip)))
        return false;
    if (count < 1 || count > PAGE_MAX)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "count must be between 1 and %d", PAGE_MAX);
    if (skip < 0)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "skip must not be negative");
    if (!page->history)
        return rpc_refuse(call, RPC_MISC_ERROR, "Nothing is noted with -chainhistory=0");
    page->total = count_of(page->history);
    page->begin = (size_t)skip < page->total ? (size_t)skip : page->total;
    page->end =
        page->total - page->begin > (size_t)count ? page->begin + (size_t)count : page->total;
    return true;
}

static void put_tip(struct json_out *out, const char *key, const struct block_hash *hash,
                    int32_t height)
{
    json_field_object(out, key);
    json_field_id(out, "hash", hash->b);
    json_field_int(out, "height", height);
    json_close_object(out);
}

static void put_reorg(struct json_out *out, const struct reorg *reorg)
{
    json_open_object(out);
    json_field_int(out, "time", reorg->time_s);
    json_field_int(out, "disconnected", reorg->old_height - reorg->fork_height);
    json_field_int(out, "connected", reorg->new_height - reorg->fork_height);
    put_tip(out, "fork", &reorg->fork, reorg->fork_height);
    put_tip(out, "old_tip", &reorg->old_tip, reorg->old_height);
    put_tip(out, "new_tip", &reorg->new_tip, reorg->new_height);
    json_close_object(out);
}

enum rpc_progress rpc_getreorghistory(struct rpc_call *call)
{
    ASSERT(call->rpc->node->chain);
    struct page page;
    if (!read_page(call, history_reorg_count, &page))
        return RPC_DONE;
    json_open_object(&call->out);
    json_field_array(&call->out, "reorgs");
    for (size_t age = page.begin; age < page.end; age++) {
        struct reorg reorg;
        if (history_reorg(page.history, age, &reorg))
            put_reorg(&call->out, &reorg);
    }
    json_close_array(&call->out);
    json_field_int(&call->out, "total", (int64_t)page.total);
    json_close_object(&call->out);
    return RPC_DONE;
}

static void put_sighting(struct json_out *out, const struct chain *chain,
                         const struct sighting *sighting)
{
    const struct block_node *node = chain_find(chain, &sighting->hash);
    json_open_object(out);
    json_field_id(out, "hash", sighting->hash.b);
    json_field_int(out, "height", sighting->height);
    json_field_int(out, "time", sighting->block_time);
    json_field_int(out, "first_seen", sighting->seen_s);
    json_field_bool(out, "active", node && chain_json_confirmations(chain, node) > 0);
    json_close_object(out);
}

enum rpc_progress rpc_getblocksightings(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    ASSERT(chain);
    struct page page;
    if (!read_page(call, history_sighting_count, &page))
        return RPC_DONE;
    json_open_object(&call->out);
    json_field_array(&call->out, "blocks");
    for (size_t age = page.begin; age < page.end; age++) {
        struct sighting sighting;
        if (history_sighting(page.history, age, &sighting))
            put_sighting(&call->out, chain, &sighting);
    }
    json_close_array(&call->out);
    json_field_int(&call->out, "total", (int64_t)page.total);
    json_close_object(&call->out);
    return RPC_DONE;
}
