/* rpc_blockchain.c - methods about the chain, its headers and its tips. */
#include <stdlib.h>

#include "chain/tree/node_view.h"
#include "consensus/script_flags.h"
#include "consensus/script_verify.h"
#include "consensus/versionbits.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "util/array.h"

enum rpc_progress rpc_getbestblockhash(struct rpc_call *call)
{
    json_put_id(&call->out, chain_tip(call->rpc->node->chain)->hash.b);
    return RPC_DONE;
}

enum rpc_progress rpc_getblockcount(struct rpc_call *call)
{
    json_put_int(&call->out, chain_tip(call->rpc->node->chain)->height);
    return RPC_DONE;
}

enum rpc_progress rpc_getdifficulty(struct rpc_call *call)
{
    json_put_double(&call->out, chain_json_difficulty(chain_tip(call->rpc->node->chain)->bits));
    return RPC_DONE;
}

enum rpc_progress rpc_getblockhash(struct rpc_call *call)
{
    int32_t height = 0;
    if (!rpc_arg_int32(call, 0, &height))
        return RPC_DONE;
    const struct block_node *node = chain_at(call->rpc->node->chain, height);
    if (!node)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Block height out of range");
    json_put_id(&call->out, node->hash.b);
    return RPC_DONE;
}

enum rpc_progress rpc_getblockheader(struct rpc_call *call)
{
    const struct block_node *node = chain_json_read_block(call, 0, "hash");
    if (!node)
        return RPC_DONE;
    if (!rpc_arg_bool(call, 1, true)) {
        uint8_t raw[BLOCK_HEADER_BYTES];
        struct block_header header = block_node_header(node);
        struct writer w = writer_to_buffer(raw, sizeof raw);
        block_header_encode(&w, &header);
        json_put_hex(&call->out, span_of(raw, sizeof raw));
        return RPC_DONE;
    }
    json_open_object(&call->out);
    chain_json_put_header(&call->out, call->rpc->node->chain, node);
    json_close_object(&call->out);
    return RPC_DONE;
}

static void put_pruning(struct json_out *out, const struct chain *chain)
{
    bool is_pruned = chain_is_pruned(chain);
    json_field_bool(out, "pruned", is_pruned);
    if (!is_pruned)
        return;
    uint64_t target = chain_prune_target_bytes(chain);
    json_field_int(out, "pruneheight", chain_prune_height(chain));
    json_field_bool(out, "automatic_pruning", target > 0);
    if (target > 0)
        json_field_int(out, "prune_target_size", (int64_t)target);
}

/* How far the blocks below the snapshot's are checked, by transactions. */
static double past_progress(const struct chain_past *past)
{
    return (double)past->tip->chain_tx / (double)past->base->chain_tx;
}

static void put_past_check(struct json_out *out, const struct chain *chain)
{
    struct chain_past past;
    if (!chain_has_past_check(chain, &past) || past.is_checked)
        return;
    json_field_object(out, "backgroundvalidation");
    json_field_int(out, "snapshotheight", past.base->height);
    json_field_int(out, "blocks", past.tip->height);
    json_field_id(out, "bestblockhash", past.tip->hash.b);
    json_field_int(out, "mediantime", block_node_mtp(past.tip));
    chain_json_put_work(out, past.tip->chain_work);
    json_field_double(out, "verificationprogress", past_progress(&past));
    json_close_object(out);
}

enum rpc_progress rpc_getblockchaininfo(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    const struct chain *chain = node->chain;
    const struct block_node *tip = chain_tip(chain);
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_string(out, "chain", node->network->name);
    json_field_int(out, "blocks", tip->height);
    json_field_int(out, "headers", chain_best_header(chain)->height);
    json_field_id(out, "bestblockhash", tip->hash.b);
    chain_json_put_target(out, tip->bits);
    json_field_int(out, "time", tip->time);
    json_field_int(out, "mediantime", block_node_mtp(tip));
    json_field_double(out, "verificationprogress", chain_progress(chain, tip));
    json_field_bool(out, "initialblockdownload", chain_is_initial_download(chain));
    chain_json_put_work(out, tip->chain_work);
    json_field_int(out, "size_on_disk", (int64_t)chain_disk_bytes(chain));
    put_pruning(out, chain);
    put_past_check(out, chain);
    if (node->network->signet_blocks)
        json_field_hex(out, "signet_challenge", node->network->signet_challenge);
    chain_json_put_warnings(call);
    json_close_object(out);
    return RPC_DONE;
}

/* base: of the snapshot that it began with, or NULL. */
static void put_chainstate(struct json_out *out, const struct block_node *tip, double progress,
                           int64_t cache_bytes, const struct block_node *base, bool is_validated)
{
    json_open_object(out);
    json_field_int(out, "blocks", tip->height);
    json_field_id(out, "bestblockhash", tip->hash.b);
    chain_json_put_target(out, tip->bits);
    json_field_double(out, "verificationprogress", progress);
    /* One budget covers the table and what is being flushed; the store's own is within it. */
    json_field_int(out, "coins_db_cache_bytes", 0);
    json_field_int(out, "coins_tip_cache_bytes", cache_bytes);
    if (base)
        json_field_id(out, "snapshot_blockhash", base->hash.b);
    json_field_bool(out, "validated", is_validated);
    json_close_object(out);
}

enum rpc_progress rpc_getchainstates(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    const struct block_node *tip = chain_tip(chain);
    struct json_out *out = &call->out;
    struct chain_past past;
    bool has_past = chain_has_past_check(chain, &past), lacks_past = chain_lacks_past(chain);
    int64_t cache_bytes = (int64_t)chain_coins_cache_bytes(chain) / (lacks_past ? 2 : 1);
    json_open_object(out);
    json_field_int(out, "headers", chain_best_header(chain)->height);
    json_field_array(out, "chainstates");
    if (lacks_past)
        put_chainstate(out, past.tip, past_progress(&past), cache_bytes, NULL, true);
    put_chainstate(out, tip, chain_progress(chain, tip), cache_bytes, has_past ? past.base : NULL,
                   !lacks_past);
    json_close_array(out);
    json_close_object(out);
    return RPC_DONE;
}

/* -- Tips --------------------------------------------------------------------------------- */

/* Higher first; of one height, by hash, so that the order is always the same. */
static int compare_tips(const void *a, const void *b)
{
    const struct block_node *x = *(const struct block_node *const *)a;
    const struct block_node *y = *(const struct block_node *const *)b;
    if (x->height != y->height)
        return x->height > y->height ? -1 : 1;
    return memcmp(x->hash.b, y->hash.b, sizeof x->hash.b);
}

/* In this order: a block that failed may have been connected before it did, and may lack data. */
static const char *tip_status(const struct chain *chain, const struct block_node *node)
{
    if (chain_contains(chain, node))
        return "active";
    if (block_node_has_failed(node))
        return "invalid";
    if (node->chain_tx == 0)
        return "headers-only";
    return block_node_was_connected(node) ? "valid-fork" : "valid-headers";
}

static void put_tip(struct json_out *out, const struct chain *chain, const struct block_node *node)
{
    const struct block_node *fork = block_node_fork(node, chain_tip(chain));
    ASSERT(fork && fork->height <= node->height);
    json_open_object(out);
    json_field_int(out, "height", node->height);
    json_field_id(out, "hash", node->hash.b);
    json_field_int(out, "branchlen", node->height - fork->height);
    json_field_string(out, "status", tip_status(chain, node));
    json_close_object(out);
}

enum rpc_progress rpc_getchaintips(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    ARRAY(const struct block_node *) tips = {0};
    size_t at = 0;
    for (const struct block_node *node; (node = chain_next_node(chain, &at));) {
        if (node->first_child && node != chain_tip(chain))
            continue;
        *ARRAY_ADD(&tips) = node;
    }
    ASSERT(tips.n > 0); /* the tip is one */
    qsort(tips.at, tips.n, sizeof *tips.at, compare_tips);
    json_open_array(&call->out);
    for (size_t i = 0; i < tips.n; i++)
        put_tip(&call->out, chain, tips.at[i]);
    json_close_array(&call->out);
    ARRAY_FREE(&tips);
    return RPC_DONE;
}

/* -- Deployments -------------------------------------------------------------------------- */

static void put_script_flags(struct json_out *out, uint32_t flags)
{
    /* clang-format off */
    static const struct { uint32_t flag; const char *name; } names[] = {
        {SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY, "CHECKLOCKTIMEVERIFY"},
        {SCRIPT_VERIFY_CHECKSEQUENCEVERIFY, "CHECKSEQUENCEVERIFY"},
        {SCRIPT_VERIFY_DERSIG,              "DERSIG"},
        {SCRIPT_VERIFY_NULLDUMMY,           "NULLDUMMY"},
        {SCRIPT_VERIFY_P2SH,                "P2SH"},
        {SCRIPT_VERIFY_TAPROOT,             "TAPROOT"},
        {SCRIPT_VERIFY_WITNESS,             "WITNESS"},
    };
    /* clang-format on */
    json_field_array(out, "script_flags");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (flags & names[i].flag)
            json_put_string(out, names[i].name);
    }
    json_close_array(out);
}

/* active: for the block that follows this one, as in Core; script_flags are this one's own. */
static void put_buried(struct json_out *out, const struct network *network,
                       const struct block_node *node)
{
    static const char *const names[BURIED_COUNT] = {
        [BURIED_HEIGHTINCB] = "bip34", [BURIED_DERSIG] = "bip66",  [BURIED_CLTV] = "bip65",
        [BURIED_CSV] = "csv",          [BURIED_SEGWIT] = "segwit",
    };
    for (int i = 0; i < BURIED_COUNT; i++) {
        json_field_object(out, names[i]);
        json_field_string(out, "type", "buried");
        json_field_bool(
            out, "active",
            network_is_buried_active(network, (enum buried_deployment)i, node->height + 1));
        json_field_int(out, "height", network->buried_height[i]);
        json_close_object(out);
    }
}

/* One character per block of the period: does it signal? */
static void put_signalling(struct json_out *out, const struct network *network,
                           enum bip9_deployment deployment, const struct block_node *node,
                           uint32_t elapsed)
{
    ASSERT(elapsed <= (uint32_t)node->height + 1);
    struct buffer text;
    buffer_init(&text);
    for (uint32_t i = elapsed; i > 0; i--) {
        const struct block_node *block = block_node_ancestor(node, node->height - (int32_t)i + 1);
        buffer_append(&text, versionbits_signals(network, deployment, block->version) ? "#" : "-",
                      1);
    }
    json_put_key(out, "signalling");
    json_put_text(out, buffer_span(&text));
    buffer_deinit(&text);
}

/* The state of a block is that of all after its parent: status is this block's own, status_next
 * that of the next. BIP-9, State transitions. Core: SoftForkDescPushBack() */
static void put_bip9(struct json_out *out, const struct network *network,
                     enum bip9_deployment deployment, const struct block_node *node)
{
    const struct bip9_params *params = &network->bip9[deployment];
    const struct header_view *view = block_node_view();
    enum bip9_state current = versionbits_state(network, deployment, view, node->prev, NULL);
    enum bip9_state next = versionbits_state(network, deployment, view, node, NULL);
    bool has_bit = current == BIP9_STATE_STARTED || current == BIP9_STATE_LOCKED_IN;
    json_field_string(out, "type", "bip9");
    if (next == BIP9_STATE_ACTIVE)
        json_field_int(out, "height", versionbits_since(network, deployment, view, node, NULL));
    json_field_bool(out, "active", next == BIP9_STATE_ACTIVE);
    json_field_object(out, "bip9");
    if (has_bit)
        json_field_int(out, "bit", params->bit);
    json_field_int(out, "start_time", params->start_time);
    json_field_int(out, "timeout", params->timeout);
    json_field_int(out, "min_activation_height", params->min_activation_height);
    json_field_string(out, "status", versionbits_state_name(current));
    json_field_int(out, "since", versionbits_since(network, deployment, view, node->prev, NULL));
    json_field_string(out, "status_next", versionbits_state_name(next));
    if (has_bit) {
        struct versionbits_stats stats = versionbits_stats(network, deployment, view, node);
        json_field_object(out, "statistics");
        json_field_int(out, "period", stats.period);
        json_field_int(out, "elapsed", stats.elapsed);
        json_field_int(out, "count", stats.count);
        if (current == BIP9_STATE_STARTED) {
            json_field_int(out, "threshold", stats.threshold);
            json_field_bool(out, "possible", stats.possible);
        }
        json_close_object(out);
        put_signalling(out, network, deployment, node, stats.elapsed);
    }
    json_close_object(out);
}

enum rpc_progress rpc_getdeploymentinfo(struct rpc_call *call)
{
    const struct network *network = call->rpc->node->network;
    const struct block_node *node = chain_tip(call->rpc->node->chain);
    struct json_out *out = &call->out;
    if (rpc_arg(call, 0)) {
        node = chain_json_read_block(call, 0, "blockhash");
        if (!node)
            return RPC_DONE;
    }
    json_open_object(out);
    json_field_id(out, "hash", node->hash.b);
    json_field_int(out, "height", node->height);
    put_script_flags(out, script_flags_for_block(network, node->height, &node->hash));
    json_field_object(out, "deployments");
    put_buried(out, network, node);
    for (int i = 0; i < BIP9_COUNT; i++) {
        /* Core tells of taproot no more: it always holds. */
        if (i == BIP9_TAPROOT || network->bip9[i].start_time == BIP9_NEVER_ACTIVE)
            continue;
        json_field_object(out, network_bip9_name((enum bip9_deployment)i));
        put_bip9(out, network, (enum bip9_deployment)i, node);
        json_close_object(out);
    }
    json_close_object(out);
    json_close_object(out);
    return RPC_DONE;
}

enum rpc_progress rpc_getindexinfo(struct rpc_call *call)
{
    static const struct {
        const char *name;
        bool (*status)(const struct chain *chain, bool *synced, int32_t *height);
    } indexes[] = {{"txindex", chain_txindex_status},
                   {"coinstatsindex", chain_coinstatsindex_status},
                   {"txospenderindex", chain_spenderindex_status},
                   {"basic block filter index", chain_filterindex_status},
                   {"addressindex", chain_addressindex_status}};
    const char *only = rpc_arg_string(call, 0, "");
    json_open_object(&call->out);
    for (size_t i = 0; i < COUNT_OF(indexes); i++) {
        bool synced = false;
        int32_t height = 0;
        if (!indexes[i].status(call->rpc->node->chain, &synced, &height) ||
            (*only && strcmp(only, indexes[i].name) != 0))
            continue;
        json_field_object(&call->out, indexes[i].name);
        json_field_bool(&call->out, "synced", synced);
        json_field_int(&call->out, "best_block_height", height);
        json_close_object(&call->out);
    }
    json_close_object(&call->out);
    return RPC_DONE;
}
