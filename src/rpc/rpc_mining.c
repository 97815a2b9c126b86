/* rpc_mining.c - blocks handed in, and blocks of our own on test chains. */
#include <stdio.h>
#include <stdlib.h>

#include "consensus/block_check.h"
#include "consensus/key_io.h"
#include "consensus/pow.h"
#include "consensus/script_flags.h"
#include "crypto/hash.h"
#include "mempool/policy.h"
#include "rpc/chain_json.h"
#include "rpc/method_table.h"
#include "rpc/methods.h"
#include "rpc/raw_tx.h"
#include "spend/descriptor/desc.h"
#include "util/array.h"
#include "util/hex.h"

enum {
    TRIES_DEFAULT = 1000000,
    HASH_RATE_BLOCKS = 120,
};

/* -- Blocks handed in --------------------------------------------------------------------- */

/* A block that is fine but not the tip is "inconclusive": whether it is valid to the last is known
 * only once it is connected. BIP-22, Block Submission */
static void on_submitted(void *arg, const struct chain_block_result *result)
{
    struct rpc_call *call = arg;
    const struct verdict *verdict = &result->verdict;
    char text[CHAIN_JSON_VERDICT_BYTES];
    if (reject_class(verdict->code) == REJECT_CLASS_FAULT)
        rpc_fail(call, RPC_VERIFY_ERROR, "%s", chain_json_verdict(verdict, text, sizeof text));
    else if (verdict->code != REJECT_NONE)
        json_put_string(&call->out, verdict_reason(verdict, text));
    else if (!result->is_new)
        json_put_string(&call->out, "duplicate");
    else if (!result->is_connected || result->was_connected)
        json_put_string(&call->out, "inconclusive"); /* as Core, which tells what it has learnt */
    else
        json_put_null(&call->out);
    rpc_finish_settled(call);
}

/* A block whose coinbase has a witness commitment but not the witness that goes with it, as old
 * mining software hands it in. Spec: Core UpdateUncommittedBlockStructures() */
static bool lacks_coinbase_witness(const struct rpc_node *node, const struct block *block)
{
    const struct block_node *prev = chain_find(node->chain, &block->header.prev);
    return prev && block->n_tx > 0 && block->tx[0].n_in > 0 && !block->tx[0].has_witness &&
           block_commitment_index(block) != BLOCK_COMMITMENT_NONE &&
           network_is_buried_active(node->network, BURIED_SEGWIT, prev->height + 1);
}

static void encode_block(struct buffer *raw, const struct block *block)
{
    struct writer w = writer_to_growing(raw);
    block_encode(&w, block, true);
}

/* The bytes to hand to the chain, from xmalloc; NULL if they are no block. */
static uint8_t *complete_block(struct rpc_call *call, struct span raw, size_t *len)
{
    static const uint8_t nonce_witness[34] = {1, 32};
    struct block block;
    struct buffer out;
    if (!block_decode_head(raw, &call->arena, &block))
        return NULL;
    buffer_init(&out);
    if (lacks_coinbase_witness(call->rpc->node, &block)) {
        block.tx[0].in[0].witness = span_of(nonce_witness, sizeof nonce_witness);
        block.tx[0].has_witness = true;
        encode_block(&out, &block);
    } else {
        buffer_append(&out, block.raw.p, block.raw.len);
    }
    ASSERT(out.p && out.len >= BLOCK_HEADER_BYTES);
    *len = out.len;
    return out.p;
}

/* The block as it was handed in. */
struct submitted {
    struct span raw;
    bool is_hex;
};

static void read_submitted(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct submitted *submitted = call->state;
    const struct json_value *hex = rpc_arg(call, 0);
    ASSERT(submitted && hex && hex->kind == JSON_KIND_STRING);
    size_t len = hex->text.len / 2;
    uint8_t *raw = arena_alloc(&call->arena, len + 1);
    submitted->raw = span_of(raw, len);
    submitted->is_hex = hex_decode(raw, len, (const char *)hex->text.p, hex->text.len);
}

static enum rpc_progress accept_submitted(struct rpc_call *call)
{
    const struct submitted *submitted = call->state;
    size_t block_len;
    uint8_t *block = NULL;
    if (submitted->is_hex)
        block = complete_block(call, submitted->raw, &block_len);
    if (!block)
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
    chain_accept_block(call->rpc->node->chain, block, block_len,
                       CHAIN_ACCEPT_FORCE | CHAIN_ACCEPT_DURABLE, on_submitted, call);
    return RPC_PENDING;
}

enum rpc_progress rpc_submitblock(struct rpc_call *call)
{
    call->state = arena_calloc(&call->arena, 1, sizeof(struct submitted));
    return rpc_run_if_long(call, read_submitted, NULL, accept_submitted);
}

enum rpc_progress rpc_submitheader(struct rpc_call *call)
{
    const struct json_value *hex = rpc_arg(call, 0);
    uint8_t raw[BLOCK_HEADER_BYTES];
    struct block_header header;
    struct reader r = reader_of(span_of(raw, sizeof raw));
    if (hex->text.len < 2 * sizeof raw || !hex_is_valid((const char *)hex->text.p, hex->text.len) ||
        !hex_decode(raw, sizeof raw, (const char *)hex->text.p, 2 * sizeof raw) ||
        !block_header_decode(&r, &header))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block header decode failed");
    struct chain *chain = call->rpc->node->chain;
    if (!chain_find(chain, &header.prev)) {
        char prev[HEX_ID_BYTES];
        return rpc_fail(call, RPC_VERIFY_ERROR, "Must submit previous header (%s) first",
                        hex_encode_reversed(prev, span_of(header.prev.b, 32)));
    }
    struct verdict verdict = {.code = REJECT_NONE};
    char reason[VERDICT_REASON_BYTES];
    if (!chain_accept_header(chain, &header, &verdict))
        return rpc_fail(call, RPC_VERIFY_ERROR, "%s", verdict_reason(&verdict, reason));
    json_put_null(&call->out);
    return RPC_DONE;
}

/* -- Blocks of our own -------------------------------------------------------------------- */

/* Blocks being mined one after the other. */
struct generate {
    struct span script;
    int32_t n_left, n_made;
    uint64_t max_tries;
    struct mining_search *search;  /* for the nonce, while there is one */
    struct block_hash search_prev; /* the tip that it is on */
    bool is_late;                  /* it was cancelled since there is a new tip */
    /* Of a descriptor, which a job reads. */
    const struct ec_context *ec;
    const struct json_value *text;
    const char *reason; /* it is none; NULL: it is one */
    /* generateblock only */
    struct tx *tx;
    size_t n_tx;
    bool submit;
    struct block_ref *block; /* held while it is tested */
};

/* A block of the transactions given. */
static struct block_ref *build_block(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    const struct generate *generate = call->state;
    struct mining_template template = {
        .tx = generate->tx,
        .n_tx = generate->n_tx,
        .coinbase_script_pubkey = generate->script,
        .version = node->block.version,
        .signer = node->block.signer,
    };
    return mining_build_block(node->chain, &template, node->now_s(node->ctx));
}

/* A block of what waits in the mempool. */
static struct block_ref *assemble_block(struct rpc_call *call)
{
    const struct generate *generate = call->state;
    struct block_template template;
    rpc_assemble(call, generate->script, &template);
    struct block_ref *block =
        block_template_build(call->rpc->node->chain, &template, generate->script);
    block_template_deinit(&template);
    return block;
}

/* Why a block of our own was refused. Core tries its time while it makes the template, and says so;
 * what it learns from the chain comes after that. */
static void refuse_generated(struct rpc_call *call, const struct verdict *verdict)
{
    char text[CHAIN_JSON_VERDICT_BYTES];
    bool is_about_time =
        reject_class(verdict->code) == REJECT_CLASS_EARLY || verdict->code == REJECT_TIME_TOO_OLD;
    (void)chain_json_verdict(verdict, text, sizeof text);
    if (is_about_time)
        rpc_fail(call, RPC_MISC_ERROR, "TestBlockValidity failed: %s", text);
    else
        rpc_fail(call, RPC_INTERNAL_ERROR, "ProcessNewBlock, block not accepted: %s", text);
}

/* Nobody needs a block on a tip that is one no more. */
static void on_generate_tip(struct rpc_call *call)
{
    struct generate *generate = call->state;
    const struct block_node *tip = chain_tip(call->rpc->node->chain);
    if (!generate->search || block_hash_equal(&tip->hash, &generate->search_prev))
        return;
    generate->is_late = true;
    mining_cancel(generate->search);
}

static void on_generate_interrupt(struct rpc_call *call)
{
    struct generate *generate = call->state;
    if (generate->search)
        mining_cancel(generate->search);
}

/* Search a block's nonce until it is found, the node stops, or the client has gone. A new tip
 * begins the block again. */
static void search_nonce(struct rpc_call *call, struct block_ref *block_take, mining_done_fn *done)
{
    struct generate *generate = call->state;
    generate->search_prev = block_take->block.header.prev;
    generate->is_late = false;
    call->on_tip = on_generate_tip;
    call->on_interrupt = on_generate_interrupt;
    generate->search =
        mining_grind(call->rpc->node->chain, block_take, generate->max_tries, done, call);
}

/* The search is over. Returns: true if the block has to be made again */
static bool end_nonce_search(struct rpc_call *call)
{
    struct generate *generate = call->state;
    call->on_tip = NULL;
    call->on_interrupt = NULL;
    generate->search = NULL;
    return generate->is_late && !call->rpc->is_interrupted && call->reply;
}

static void generate_next(struct rpc_call *call);

static void end_generated(void *arg, int error)
{
    ASSERT(error <= 0);
    struct rpc_call *call = arg;
    if (error)
        rpc_fail(call, RPC_DATABASE_ERROR, "Cannot write the blocks: %s", strerror(-error));
    else
        json_close_array(&call->out);
    rpc_finish(call);
}

/* Ended before the last block, whose sync would have served all: what there is so far is the
 * answer, and what is answered is on disk. */
static void end_early(struct rpc_call *call)
{
    const struct generate *generate = call->state;
    if (generate->n_made > 0)
        chain_flush(call->rpc->node->chain, end_generated, call);
    else
        end_generated(call, 0);
}

static void on_generated(void *arg, const struct chain_block_result *result)
{
    struct rpc_call *call = arg;
    struct generate *generate = call->state;
    if (result->verdict.code != REJECT_NONE || !result->node) {
        refuse_generated(call, &result->verdict);
        rpc_finish(call);
        return;
    }
    ASSERT(generate->n_left > 0);
    json_put_id(&call->out, result->node->hash.b);
    generate->n_left--;
    generate->n_made++;
    generate_next(call);
}

static void on_ground(void *arg, uint8_t *block_take, size_t len)
{
    struct rpc_call *call = arg;
    const struct generate *generate = call->state;
    bool again = end_nonce_search(call);
    if (!block_take) {
        if (again)
            generate_next(call);
        else
            end_early(call); /* out of tries */
        return;
    }
    /* One sync at the end serves all: nothing is acknowledged before. */
    int flags = CHAIN_ACCEPT_FORCE | (generate->n_left == 1 ? CHAIN_ACCEPT_DURABLE : 0);
    chain_accept_block(call->rpc->node->chain, block_take, len, flags, on_generated, call);
}

static void generate_next(struct rpc_call *call)
{
    const struct generate *generate = call->state;
    if (generate->n_left <= 0) {
        end_generated(call, 0);
        return;
    }
    if (call->rpc->is_interrupted || !call->reply) {
        end_early(call);
        return;
    }
    search_nonce(call, assemble_block(call), on_ground);
}

/* Core's limit is some hundred blocks of regtest, and a fifth of one of a signet: who signs these
 * means to get them. */
static uint64_t default_tries(const struct rpc_call *call)
{
    return call->rpc->node->block.signer ? UINT64_MAX : TRIES_DEFAULT;
}

static bool read_tries(struct rpc_call *call, struct generate *generate)
{
    int32_t tries = TRIES_DEFAULT;
    if (!rpc_arg_int32(call, 0, &generate->n_left) || !rpc_arg_int32(call, 2, &tries))
        return false;
    /* Below zero: as good as no limit, as in Core. */
    generate->max_tries = rpc_arg(call, 2) ? (uint64_t)(int64_t)tries : default_tries(call);
    return true;
}

static enum rpc_progress generate_blocks(struct rpc_call *call, struct generate *generate)
{
    ASSERT(generate->n_made == 0);
    call->state = generate;
    json_open_array(&call->out);
    generate_next(call);
    return RPC_PENDING;
}

/* The script of an address, in the call's arena. */
static bool read_address(struct rpc_call *call, const char *text, struct span *script)
{
    uint8_t *bytes = arena_alloc(&call->arena, ADDRESS_SCRIPT_MAX);
    size_t len;
    if (!address_decode(call->rpc->node->network, text, bytes, &len, NULL))
        return false;
    *script = span_of(bytes, len);
    return true;
}

/* What mined to a wallet. */
enum rpc_progress rpc_generate(struct rpc_call *call)
{
    struct buffer help;
    buffer_init(&help);
    method_write_help(call->method, &help);
    rpc_fail(call, RPC_METHOD_NOT_FOUND, "%.*s", (int)help.len, (const char *)help.p);
    buffer_deinit(&help);
    return RPC_DONE;
}

enum rpc_progress rpc_generatetoaddress(struct rpc_call *call)
{
    struct generate *generate = arena_calloc(&call->arena, 1, sizeof *generate);
    if (!read_tries(call, generate))
        return RPC_DONE;
    if (!read_address(call, rpc_arg_string(call, 1, ""), &generate->script))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address");
    return generate_blocks(call, generate);
}

/* What a descriptor has blocks mined to. generate->reason, without an error, tells that the text is
 * none; an error that no single script is meant. Each step of a path takes a multiplication. */
static void run_read_descriptor(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct generate *generate = call->state;
    struct desc_list list;
    bool ok = desc_parse(generate->ec, call->rpc->node->network, generate->text->text, &call->arena,
                         &list);
    generate->reason = list.error;
    if (!ok)
        return;
    if (list.n > 1)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Multipath descriptor not accepted");
    else if (list.is_range)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?");
    else if (!desc_mining_script(generate->ec, list.variant[0], &call->arena, &generate->script))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
}

static enum rpc_progress read_descriptor(struct rpc_call *call, struct generate *generate,
                                         size_t index,
                                         enum rpc_progress (*next)(struct rpc_call *call))
{
    generate->ec = rpc_ec_context(call->rpc);
    generate->text = rpc_arg(call, index);
    call->state = generate;
    rpc_run_step(call, run_read_descriptor, NULL, next);
    return RPC_PENDING;
}

static enum rpc_progress generate_to_descriptor(struct rpc_call *call)
{
    struct generate *generate = call->state;
    if (call->error_code)
        return RPC_DONE;
    if (generate->reason)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", generate->reason);
    return generate_blocks(call, generate);
}

enum rpc_progress rpc_generatetodescriptor(struct rpc_call *call)
{
    struct generate *generate = arena_calloc(&call->arena, 1, sizeof *generate);
    if (!read_tries(call, generate))
        return RPC_DONE;
    return read_descriptor(call, generate, 1, generate_to_descriptor);
}

/* -- generateblock ------------------------------------------------------------------------ */

static void on_one_accepted(void *arg, const struct chain_block_result *result)
{
    struct rpc_call *call = arg;
    if (result->verdict.code != REJECT_NONE || !result->node) {
        refuse_generated(call, &result->verdict);
    } else {
        json_open_object(&call->out);
        json_field_id(&call->out, "hash", result->node->hash.b);
        json_close_object(&call->out);
    }
    rpc_finish_settled(call);
}

static void test_one(struct rpc_call *call);

static void on_one_ground(void *arg, uint8_t *block_take, size_t len)
{
    struct rpc_call *call = arg;
    const struct generate *generate = call->state;
    bool again = end_nonce_search(call);
    if (!block_take && again) {
        test_one(call);
    } else if (!block_take) {
        rpc_fail(call, RPC_MISC_ERROR, "Failed to make block.");
        rpc_finish(call);
    } else if (generate->submit) {
        chain_accept_block(call->rpc->node->chain, block_take, len,
                           CHAIN_ACCEPT_FORCE | CHAIN_ACCEPT_DURABLE, on_one_accepted, call);
    } else {
        struct block_hash hash;
        sha256d(span_of(block_take, BLOCK_HEADER_BYTES), hash.b);
        json_open_object(&call->out);
        json_field_id(&call->out, "hash", hash.b);
        json_field_hex(&call->out, "hex", span_of(block_take, len));
        json_close_object(&call->out);
        xfree(block_take);
        rpc_finish(call);
    }
}

static void on_tested(void *arg, const struct verdict *verdict);

/* Build the block on the tip and have it tested. */
static void test_one(struct rpc_call *call)
{
    struct generate *generate = call->state;
    generate->block = build_block(call);
    chain_test_block(call->rpc->node->chain, generate->block, on_tested, call);
}

static void on_tested(void *arg, const struct verdict *verdict)
{
    struct rpc_call *call = arg;
    struct generate *generate = call->state;
    char text[CHAIN_JSON_VERDICT_BYTES];
    bool is_late = verdict->code == REJECT_PREVBLK_NOT_BEST && !call->rpc->is_interrupted;
    if (verdict->code != REJECT_NONE)
        block_ref_drop(generate->block);
    if (is_late) { /* somebody else's block came meanwhile */
        test_one(call);
    } else if (verdict->code != REJECT_NONE) {
        rpc_fail(call, RPC_VERIFY_ERROR, "TestBlockValidity failed: %s",
                 chain_json_verdict(verdict, text, sizeof text));
        rpc_finish(call);
    } else {
        search_nonce(call, generate->block, on_one_ground);
    }
}

/* A transaction named by its id. Its bytes are copied: the entry may go while the block is tried.
 */
static bool read_waiting_tx(struct rpc_call *call, const struct json_value *v, struct tx *tx)
{
    const struct mempool *mempool = call->rpc->node->mempool;
    struct txid txid;
    if (!rpc_read_id(call, v, "txid", txid.b))
        return false;
    const struct mempool_entry *entry = mempool ? mempool_find(mempool, &txid) : NULL;
    if (!entry)
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction %s not in mempool.",
                          (const char *)v->text.p);
    uint8_t *raw = arena_alloc(&call->arena, entry->tx.raw.len);
    memcpy(raw, entry->tx.raw.p, entry->tx.raw.len);
    struct reader r = reader_of(span_of(raw, entry->tx.raw.len));
    bool ok = tx_decode(&r, &call->arena, true, tx);
    ASSERT(ok);
    return true;
}

static bool read_txs(struct rpc_call *call, struct generate *generate)
{
    const struct json_value *list = rpc_arg(call, 1);
    generate->tx = arena_calloc(&call->arena, list->n + 1, sizeof *generate->tx);
    for (const struct json_value *v = list->first; v; v = v->next) {
        uint8_t txid[32];
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING))
            return false;
        struct tx *tx = &generate->tx[generate->n_tx++];
        if (hex_decode(txid, sizeof txid, (const char *)v->text.p, v->text.len)) {
            if (!read_waiting_tx(call, v, tx))
                return false;
            continue;
        }
        if (!raw_tx_decode(v->text, RAW_TX_ANY, &call->arena, tx))
            return rpc_refuse(
                call, RPC_DESERIALIZATION_ERROR,
                "Transaction decode failed for %s. Make sure the tx has at least one input.",
                (const char *)v->text.p);
    }
    return true;
}

static int compare_txids(const void *a, const void *b)
{
    const struct tx *const *x = a, *const *y = b;
    return memcmp((*x)->txid.b, (*y)->txid.b, sizeof(*x)->txid.b);
}

/* CVE-2012-2459: no block can be made of a list that has a transaction twice. */
static bool has_duplicate(struct rpc_call *call, const struct generate *generate)
{
    ASSERT(generate->tx || generate->n_tx == 0);
    const struct tx **order = arena_calloc(&call->arena, generate->n_tx + 1, sizeof *order);
    for (size_t i = 0; i < generate->n_tx; i++)
        order[i] = &generate->tx[i];
    qsort(order, generate->n_tx, sizeof *order, compare_txids);
    for (size_t i = 1; i < generate->n_tx; i++)
        if (compare_txids(&order[i - 1], &order[i]) == 0)
            return true;
    return false;
}

static enum rpc_progress generate_one(struct rpc_call *call)
{
    struct generate *generate = call->state;
    if (call->error_code)
        return RPC_DONE;
    if (generate->reason && !read_address(call, rpc_arg_string(call, 0, ""), &generate->script))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address or descriptor");
    if (!read_txs(call, generate))
        return RPC_DONE;
    if (has_duplicate(call, generate))
        return rpc_fail(call, RPC_VERIFY_ERROR,
                        "TestBlockValidity failed: bad-txns-duplicate, duplicate transaction");
    generate->submit = rpc_arg_bool(call, 2, true);
    generate->max_tries = default_tries(call);
    test_one(call);
    return RPC_PENDING;
}

enum rpc_progress rpc_generateblock(struct rpc_call *call)
{
    struct generate *generate = arena_calloc(&call->arena, 1, sizeof *generate);
    return read_descriptor(call, generate, 0, generate_one);
}

/* -- Facts for miners --------------------------------------------------------------------- */

/* Hashes per second that the work of the last n blocks up to one took. */
static double hash_rate(const struct block_node *last, int32_t n)
{
    ASSERT(last && n >= 0);
    n = last->height < n ? last->height : n;
    const struct block_node *first = block_node_ancestor(last, last->height - n);
    ASSERT(first && first->height + n == last->height);
    int64_t time_min = first->time, time_max = first->time;
    for (const struct block_node *node = last; node != first; node = node->prev) {
        time_min = node->time < time_min ? node->time : time_min;
        time_max = node->time > time_max ? node->time : time_max;
    }
    if (time_min == time_max)
        return 0;
    return u256_to_double(u256_sub(last->chain_work, first->chain_work)) /
           (double)(time_max - time_min);
}

enum rpc_progress rpc_getnetworkhashps(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    const struct block_node *last = chain_tip(node->chain);
    int32_t n = HASH_RATE_BLOCKS, height = -1;
    if (!rpc_arg_int32(call, 0, &n) || !rpc_arg_int32(call, 1, &height))
        return RPC_DONE;
    if (n < -1 || n == 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid nblocks. Must be a positive number or -1.");
    if (height < -1 || height > last->height)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Block does not exist at specified height");
    if (height >= 0)
        last = chain_at(node->chain, height);
    if (n == -1)
        n = last->height % pow_retarget_interval(node->network) + 1;
    json_put_double(&call->out, hash_rate(last, n));
    return RPC_DONE;
}

static void put_last_block(struct rpc_call *call)
{
    if (!call->rpc->has_assembled)
        return;
    json_field_int(&call->out, "currentblockweight", call->rpc->last_block_wu);
    json_field_int(&call->out, "currentblocktx", (int64_t)call->rpc->last_block_txs);
}

enum rpc_progress rpc_getmininginfo(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    const struct block_node *tip = chain_tip(node->chain);
    struct json_out *out = &call->out;
    char bits[9];
    json_open_object(out);
    json_field_int(out, "blocks", tip->height);
    put_last_block(call);
    snprintf(bits, sizeof bits, "%08x", tip->bits);
    json_field_string(out, "bits", bits);
    json_field_double(out, "difficulty", chain_json_difficulty(tip->bits));
    char target[U256_HEX_BYTES];
    json_field_string(out, "target",
                      u256_to_hex(pow_target_from_bits(tip->bits, NULL, NULL), target));
    json_field_double(out, "networkhashps", hash_rate(tip, HASH_RATE_BLOCKS));
    json_field_int(out, "pooledtx", node->mempool ? (int64_t)mempool_count(node->mempool) : 0);
    json_field_amount(out, "blockmintxfee",
                      node->block.max_weight_wu ? node->block.min_sat_per_kvb
                                                : BLOCK_MIN_SAT_PER_KVB_DEFAULT);
    json_field_string(out, "chain", node->network->name);
    if (node->network->signet_blocks)
        json_field_hex(out, "signet_challenge", node->network->signet_challenge);
    json_field_object(out, "next");
    json_field_int(out, "height", tip->height + 1);
    int64_t next_s = MAX_OF(node->now_s(node->ctx), mining_least_time_s(node->network, tip));
    chain_json_put_target(out, chain_next_bits(node->chain, tip, (uint32_t)next_s));
    json_close_object(out);
    chain_json_put_warnings(call);
    json_close_object(out);
    return RPC_DONE;
}

/* -- Priorities --------------------------------------------------------------------------- */

enum rpc_progress rpc_prioritisetransaction(struct rpc_call *call)
{
    struct mempool *mempool = call->rpc->node->mempool;
    const struct json_value *dummy = rpc_arg(call, 1);
    struct txid txid;
    int64_t delta_sat = 0, zero;
    if (!rpc_need_mempool(call) || !rpc_read_id(call, rpc_arg(call, 0), "txid", txid.b) ||
        !rpc_arg_int64(call, 2, &delta_sat))
        return RPC_DONE;
    if (dummy && !json_integer_in(dummy, 0, 0, &zero))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Priority is no longer supported, dummy argument to "
                        "prioritisetransaction must be 0.");
    const struct mempool_entry *entry = mempool_find(mempool, &txid);
    if (entry && policy_count_dust(&entry->tx, mempool_options_of(mempool)->dust_sat_per_kvb) > 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Priority is not supported for transactions with dust outputs.");
    mempool_prioritise(mempool, &txid, delta_sat);
    json_put_bool(&call->out, true);
    return RPC_DONE;
}

static int compare_deltas(const void *a, const void *b)
{
    const struct mempool_delta *x = *(const struct mempool_delta *const *)a;
    const struct mempool_delta *y = *(const struct mempool_delta *const *)b;
    return memcmp(x->txid.b, y->txid.b, 32);
}

static void put_delta(struct rpc_call *call, const struct mempool_delta *delta)
{
    ASSERT(call->rpc->node->mempool);
    const struct mempool_entry *entry = mempool_find(call->rpc->node->mempool, &delta->txid);
    char txid[HEX_ID_BYTES];
    json_field_object(&call->out, hex_encode_reversed(txid, span_of(delta->txid.b, 32)));
    json_field_int(&call->out, "fee_delta", delta->delta_sat);
    json_field_bool(&call->out, "in_mempool", entry != NULL);
    if (entry)
        json_field_int(&call->out, "modified_fee", entry->modified_fee_sat);
    json_close_object(&call->out);
}

enum rpc_progress rpc_getprioritisedtransactions(struct rpc_call *call)
{
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    /* Sorted: the order of the table must not show. */
    ARRAY(const struct mempool_delta *) list = {0};
    const struct mempool_delta *delta;
    size_t at = 0;
    while ((delta = mempool_next_delta(call->rpc->node->mempool, &at)))
        *ARRAY_ADD(&list) = delta;
    if (list.n > 1)
        qsort(list.at, list.n, sizeof(void *), compare_deltas);
    json_open_object(&call->out);
    for (size_t i = 0; i < list.n; i++)
        put_delta(call, list.at[i]);
    json_close_object(&call->out);
    ARRAY_FREE(&list);
    return RPC_DONE;
}
