/* rpc_template.c - getblocktemplate: what the next block may hold, for miners outside.
 *
 * Spec: BIP22, BIP23 (proposals), BIP145; fields as in Core. */
#include <stdio.h>

#include "consensus/block_check.h"
#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "mempool/block_assembler.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/net_json.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/parse.h"

#define LONGPOLL_TXS_MS   60000 /* after which new transactions alone are worth an answer */
#define LONGPOLL_AGAIN_MS 10000
#define ROOM_AGAIN_MS     100
#define GBT_CLIENT_NAME   "Cairn"

/* What the miner asks for. */
struct wish {
    const struct json_value *rules;
    bool is_long_poll;
    struct block_hash tip_seen;
    uint64_t updates_seen;
};

static bool has_rule(const struct wish *wish, const char *name)
{
    const struct json_value *rule = wish->rules ? wish->rules->first : NULL;
    while (rule && !json_text_is(rule, name))
        rule = rule->next;
    return rule != NULL;
}

/* -- The template ------------------------------------------------------------------------- */

static void put_strings(struct json_out *out, const char *key, const char *const *list, size_t n)
{
    json_field_array(out, key);
    for (size_t i = 0; i < n; i++)
        json_put_string(out, list[i]);
    json_close_array(out);
}

/* The rules in force, by name; '!' before those that a miner has to know of.
 * BIP-9, getblocktemplate changes */
static void put_rules(const struct rpc_call *call, struct json_out *out, bool is_segwit)
{
    const struct rpc_node *node = call->rpc->node;
    const struct block_node *tip = chain_tip(node->chain);
    json_field_array(out, "rules");
    json_put_string(out, "csv");
    if (is_segwit)
        json_put_string(out, "!segwit");
    if (node->network->signet_blocks)
        json_put_string(out, "!signet");
    for (int i = 0; i < BIP9_COUNT; i++)
        if (chain_deployment_state(node->chain, tip, (enum bip9_deployment)i) == BIP9_STATE_ACTIVE)
            json_put_string(out, network_bip9_name((enum bip9_deployment)i));
    json_close_array(out);
    /* BIP-9, getblocktemplate changes */
    json_field_object(out, "vbavailable");
    for (int i = 0; i < BIP9_COUNT; i++) {
        int state = chain_deployment_state(node->chain, tip, (enum bip9_deployment)i);
        if (state == BIP9_STATE_STARTED || state == BIP9_STATE_LOCKED_IN)
            json_field_int(out, network_bip9_name((enum bip9_deployment)i),
                           node->network->bip9[i].bit);
    }
    json_close_object(out);
    json_field_int(out, "vbrequired", 0);
}

/* BIP-22, Optional: Long Polling */
static void put_long_poll_id(struct json_out *out, const struct block_template *template)
{
    char id[HEX_ID_BYTES], text[HEX_ID_BYTES + 21];
    hex_encode_reversed(id, span_of(template->prev->hash.b, 32));
    snprintf(text, sizeof text, "%s%llu", id, (unsigned long long)template->mempool_updates);
    json_field_string(out, "longpollid", text);
}

/* Before segwit operations and bytes were counted plainly: a fourth of what they weigh now. */
static uint32_t scale_of(const struct block_template *template)
{
    return template->has_witness_rules ? 1 : WITNESS_SCALE;
}

static void put_body(struct json_out *out, const struct template_cache *cache)
{
    const struct block_template *template = &cache->template;
    /* BIP-22, Block Template Request */
    json_field_id(out, "previousblockhash", template->prev->hash.b);
    json_put_key(out, "transactions");
    json_put_raw(out, buffer_span(&cache->text));
    json_field_object(out, "coinbaseaux");
    json_close_object(out);
    json_field_int(out, "coinbasevalue", template->coinbase_value_sat);
    put_long_poll_id(out, template);
}

static void put_template(struct rpc_call *call, const struct template_cache *cache)
{
    const struct block_template *template = &cache->template;
    static const char *const capabilities[] = {"proposal"};
    static const char *const mutable[] = {"time", "transactions", "prevblock"};
    const struct rpc_node *node = call->rpc->node;
    struct json_out *out = &call->out;
    char target[U256_HEX_BYTES], bits[9];
    json_open_object(out);
    put_strings(out, "capabilities", capabilities, COUNT_OF(capabilities));
    json_field_int(out, "version", template->version);
    put_rules(call, out, template->has_witness_rules);
    put_body(out, cache);
    /* BIP-23, Basic Pool Extensions */
    json_field_string(out, "target",
                      u256_to_hex(pow_target_from_bits(template->bits, NULL, NULL), target));
    json_field_int(out, "mintime", template->min_time_s);
    /* BIP-23, Mutations */
    put_strings(out, "mutable", mutable, COUNT_OF(mutable));
    json_field_string(out, "noncerange", "00000000ffffffff");
    /* BIP-145, Sigops */
    json_field_int(out, "sigoplimit", BLOCK_SIGOPS_COST_MAX / scale_of(template));
    json_field_int(out, "sizelimit", BLOCK_SERIALIZED_MAX_BYTES / scale_of(template));
    if (template->has_witness_rules)
        json_field_int(out, "weightlimit", BLOCK_WEIGHT_MAX_WU);
    json_field_int(out, "curtime", template->time_s);
    snprintf(bits, sizeof bits, "%08x", template->bits);
    json_field_string(out, "bits", bits);
    json_field_int(out, "height", template->height);
    if (node->network->signet_blocks)
        json_field_hex(out, "signet_challenge", node->network->signet_challenge);
    if (template->has_witness_rules)
        json_field_hex(out, "default_witness_commitment",
                       span_of(template->commitment_script, sizeof template->commitment_script));
    json_close_object(out);
}

void rpc_assemble(struct rpc_call *call, struct span script, struct block_template *template)
{
    ASSERT(call && template);
    const struct rpc_node *node = call->rpc->node;
    struct block_assembler_options options = node->block;
    if (options.max_weight_wu == 0)
        options = block_assembler_default_options();
    if (script.len > 0)
        block_assembler_reserve(&options, script);
    block_assemble(node->chain, node->mempool, &options, node->now_s(node->ctx), template);
    call->rpc->last_block_txs = template->n_tx;
    call->rpc->last_block_wu = options.reserved_weight_wu + template->weight_wu;
    call->rpc->has_assembled = true;
}

/* The template to be told now: the one before or a new one. The time is that of the call, and with
 * it on test chains the bits. Spec: Core UpdateTime() */
static const struct template_cache *current_template(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct template_cache *cache = &call->rpc->template;
    const struct block_node *tip = chain_tip(node->chain);
    int64_t now_s = node->now_s(node->ctx);
    if (!template_cache_holds(cache, tip, mempool_updates(node->mempool), now_s)) {
        struct block_template template;
        rpc_assemble(call, span_of(NULL, 0), &template);
        template_cache_fill(cache, &template, now_s);
    }
    struct block_template *template = &cache->template;
    template->time_s = MAX_OF(now_s, template->min_time_s);
    template->bits = chain_next_bits(node->chain, tip, (uint32_t) template->time_s);
    return cache;
}

static void answer(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    const struct template_cache *cache = current_template(call);
    /* With the clock set back the least time allowed is in its future: nobody's work is to be spent
     * on what this node would refuse. Core's words: TestBlockValidity() */
    if (cache->template.time_s > node->now_s(node->ctx) + BLOCK_TIME_AHEAD_MAX_S)
        rpc_fail(call, RPC_MISC_ERROR,
                 "TestBlockValidity failed: %s, block timestamp too far in "
                 "the future",
                 reject_string(REJECT_TIME_TOO_NEW));
    else
        put_template(call, cache);
}

/* -- Waiting ------------------------------------------------------------------------------ */

static void on_room_again(void *arg);

/* A new tip wakes everybody at once: those for whom there is no room come a little later. */
static void end_wait(struct rpc_call *call)
{
    if (!rpc_room_has(call)) {
        rpc_call_timer(call, ROOM_AGAIN_MS, on_room_again);
        return;
    }
    answer(call);
    rpc_finish(call);
}

static void on_room_again(void *arg)
{
    struct rpc_call *call = arg;
    call->timer = 0;
    end_wait(call);
}

static void on_tip(struct rpc_call *call)
{
    const struct wish *wish = call->state;
    if (!block_hash_equal(&chain_tip(call->rpc->node->chain)->hash, &wish->tip_seen))
        end_wait(call);
}

static void on_timer(void *arg)
{
    struct rpc_call *call = arg;
    const struct wish *wish = call->state;
    call->timer = 0;
    ASSERT(wish && call->on_interrupt);
    if (mempool_updates(call->rpc->node->mempool) != wish->updates_seen)
        end_wait(call);
    else
        rpc_call_timer(call, LONGPOLL_AGAIN_MS, on_timer);
}

static void on_interrupt(struct rpc_call *call)
{
    rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    rpc_finish(call);
}

/* BIP-22, Optional: Long Polling */
static enum rpc_progress wait_for_change(struct rpc_call *call, const struct wish *wish)
{
    const struct block_node *tip = chain_tip(call->rpc->node->chain);
    if (call->rpc->is_interrupted || !block_hash_equal(&tip->hash, &wish->tip_seen)) {
        answer(call);
        return RPC_DONE;
    }
    ASSERT(!call->on_tip && call->timer == 0);
    if (!rpc_park(call))
        return RPC_DONE;
    struct wish *kept = arena_alloc(&call->arena, sizeof *kept);
    *kept = *wish;
    call->state = kept;
    call->on_tip = on_tip;
    call->on_interrupt = on_interrupt;
    rpc_call_timer(call, LONGPOLL_TXS_MS, on_timer);
    return RPC_PENDING;
}

/* "<hash of the tip><updates of the mempool>"; what is no text waits for the next change. Returns:
 * false, with an error, if it does not begin with a hash */
static bool read_long_poll_id(struct rpc_call *call, const struct json_value *id, struct wish *wish)
{
    wish->is_long_poll = true;
    wish->tip_seen = chain_tip(call->rpc->node->chain)->hash;
    wish->updates_seen = mempool_updates(call->rpc->node->mempool);
    if (id->kind != JSON_KIND_STRING)
        return true;
    struct json_value hash = *id;
    hash.text.len = MIN_OF(id->text.len, HEX_ID_BYTES - 1);
    char *text = arena_calloc(&call->arena, 1, HEX_ID_BYTES);
    memcpy(text, id->text.p, hash.text.len);
    hash.text.p = (const uint8_t *)text;
    if (!rpc_read_id(call, &hash, "longpollid", wish->tip_seen.b))
        return false;
    if (!parse_uint64((const char *)id->text.p + hash.text.len, &wish->updates_seen))
        wish->updates_seen = UINT64_MAX; /* some other number: any change is news */
    return true;
}

/* -- Proposals ---------------------------------------------------------------------------- */

static void on_judged(void *arg, const struct verdict *verdict)
{
    struct rpc_call *call = arg;
    char reason[VERDICT_REASON_BYTES];
    if (reject_class(verdict->code) == REJECT_CLASS_FAULT)
        rpc_fail(call, RPC_VERIFY_ERROR, "%s", reject_string(verdict->code));
    else if (verdict->code == REJECT_NONE)
        /* Null says that all is well. BIP-22, Block Submission; BIP-23, Block Proposal */
        json_put_null(&call->out);
    else
        json_put_string(&call->out, verdict_reason(verdict, reason));
    rpc_finish(call);
}

static void put_known(struct json_out *out, const struct block_node *node)
{
    enum reject code = REJECT_DUPLICATE_INCONCLUSIVE;
    if (block_node_has_failed(node))
        code = REJECT_DUPLICATE_INVALID;
    else if (block_node_was_connected(node))
        code = REJECT_DUPLICATE;
    json_put_string(out, reject_string(code));
}

/* BIP-23, Block Proposal */
static enum rpc_progress judge_proposal(struct rpc_call *call, const struct json_value *request)
{
    const struct json_value *data = json_find(request, "data");
    if (!data || data->kind != JSON_KIND_STRING)
        return rpc_fail(call, RPC_TYPE_ERROR, "Missing data String key for proposal");
    size_t len = data->text.len / 2;
    uint8_t *raw = xmalloc(len + 1);
    bool is_hex = hex_decode(raw, len, (const char *)data->text.p, data->text.len);
    struct block_ref *ref = block_ref_take(raw, len);
    enum rpc_progress progress = RPC_DONE;
    if (!is_hex || !block_ref_decode_head(ref)) {
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
    } else {
        const struct block_node *known = chain_find(call->rpc->node->chain, &ref->block.hash);
        if (known) {
            put_known(&call->out, known);
        } else {
            chain_test_block(call->rpc->node->chain, ref, on_judged, call);
            progress = RPC_PENDING;
        }
    }
    block_ref_drop(ref);
    return progress;
}

/* -- The call ----------------------------------------------------------------------------- */

static void count_peers(void *arg, const struct net_info *info)
{
    *(size_t *)arg = info->n_in + info->n_out;
}

/* Where blocks are worth money nobody is to work on what the others have left behind. */
static bool may_mine(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    if (node->network->is_test_chain)
        return true;
    const struct net_view *net = net_json_require(call);
    if (!net)
        return false;
    size_t n_peers = 0;
    net->info(net->ctx, count_peers, &n_peers);
    if (n_peers == 0)
        return rpc_refuse(call, RPC_CLIENT_NOT_CONNECTED, GBT_CLIENT_NAME " is not connected!");
    return !chain_is_initial_download(node->chain) ||
           rpc_refuse(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD,
                      GBT_CLIENT_NAME " is in initial sync and waiting for blocks...");
}

/* What is no list of rules names none; a list holds texts. */
static bool read_rules(struct rpc_call *call, const struct json_value *request, struct wish *wish)
{
    const struct json_value *rules = json_find(request, "rules");
    if (!rules || rules->kind != JSON_KIND_ARRAY)
        return true;
    for (const struct json_value *rule = rules->first; rule; rule = rule->next)
        if (!rpc_expect_kind(call, rule, JSON_KIND_STRING))
            return false;
    wish->rules = rules;
    return true;
}

static bool knows_rules(struct rpc_call *call, const struct wish *wish)
{
    if (call->rpc->node->network->signet_blocks && !has_rule(wish, "signet"))
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "getblocktemplate must be called with the signet rule set (call with "
                          "{\"rules\": [\"segwit\", \"signet\"]})");
    if (!has_rule(wish, "segwit"))
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "getblocktemplate must be called with the segwit rule set (call with "
                          "{\"rules\": [\"segwit\"]})");
    return true;
}

enum rpc_progress rpc_getblocktemplate(struct rpc_call *call)
{
    const struct json_value *request = rpc_arg(call, 0), *mode = json_find(request, "mode");
    struct wish wish = {.rules = NULL};
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    if (mode && mode->kind != JSON_KIND_NULL && mode->kind != JSON_KIND_STRING)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid mode");
    if (mode && json_text_is(mode, "proposal"))
        return judge_proposal(call, request);
    if (!read_rules(call, request, &wish))
        return RPC_DONE;
    if (mode && mode->kind == JSON_KIND_STRING && !json_text_is(mode, "template"))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid mode");
    if (!may_mine(call))
        return RPC_DONE;
    const struct json_value *id = json_find(request, "longpollid");
    if (id && id->kind != JSON_KIND_NULL && !read_long_poll_id(call, id, &wish))
        return RPC_DONE;
    if (!knows_rules(call, &wish))
        return RPC_DONE;
    if (wish.is_long_poll)
        return wait_for_change(call, &wish);
    answer(call);
    return RPC_DONE;
}
