/* mining.c - see mining.h. */
#include "chain/mining.h"

#include "consensus/block_check.h"
#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "consensus/script_iter.h"
#include "consensus/tx_check.h"
#include "crypto/hash.h"
#include "util/alloc.h"

#define MINING_ARENA_BYTES   (64 << 10)
#define MINING_SLICE_TRIES   50000 /* some 20 ms: how long closing waits for a search */
#define NONCE_OFFSET         76
#define WITNESS_NONCE_BYTES  32
#define COINBASE_OUTPUTS_MAX 2
/* Not final, so that the lock time counts and no two coinbases can be alike. */
#define COINBASE_SEQUENCE (SEQUENCE_FINAL - 1)

/* -- Building ---------------------------------------------------------------------------------- */

/* The height and, as in Core, nothing more, but up to height 16, where it is one byte: a coinbase
 * must have two (bad-cb-length). BIP-34, Specification */
static struct span coinbase_script_sig(struct arena *arena, int32_t height)
{
    uint8_t *script = arena_alloc(arena, SCRIPT_NUM_PUSH_MAX + 1);
    size_t len = script_push_number(script, height);
    if (len < COINBASE_SCRIPT_MIN_BYTES)
        script[len++] = OP_0;
    ASSERT(len >= COINBASE_SCRIPT_MIN_BYTES);
    return span_of(script, len);
}

/* With the lock time of the block before, as Core's miner sets it: BIP54 asks for that. */
static struct tx make_coinbase(struct arena *arena, const struct network *network, int32_t height,
                               const struct mining_template *template)
{
    struct tx tx = {.version = 2, .lock_time = (uint32_t)height - 1, .n_in = 1, .n_out = 1};
    tx.in = arena_calloc(arena, 1, sizeof *tx.in);
    tx.out = arena_calloc(arena, COINBASE_OUTPUTS_MAX, sizeof *tx.out);
    tx.in[0].prevout.vout = OUTPOINT_INDEX_NULL;
    tx.in[0].sequence = COINBASE_SEQUENCE;
    tx.in[0].script_sig = coinbase_script_sig(arena, height);
    tx.out[0].value_sat = pow_subsidy_sat(network, height) + template->fees_sat;
    tx.out[0].script_pubkey = template->coinbase_script_pubkey;
    tx_finish(&tx, arena);
    return tx;
}

/* Commit to the witnesses in one more output of the coinbase. BIP-141, Commitment structure */
static void add_commitment(struct arena *arena, struct block *block)
{
    static const uint8_t prefix[] = {OP_RETURN, 36, 0xaa, 0x21, 0xa9, 0xed};
    static const uint8_t nonce[WITNESS_NONCE_BYTES] = {0};
    uint8_t root[32];
    block_witness_merkle_root(block, arena, root);
    uint8_t *script = arena_alloc(arena, BLOCK_COMMITMENT_BYTES);
    memcpy(script, prefix, sizeof prefix);
    block_commitment_compute(root, nonce, script + sizeof prefix);
    /* A stack of one item. */
    uint8_t *witness = arena_alloc(arena, 2 + sizeof nonce);
    witness[0] = 1;
    witness[1] = sizeof nonce;
    memcpy(witness + 2, nonce, sizeof nonce);
    struct tx *coinbase = &block->tx[0];
    coinbase->out[coinbase->n_out++] =
        (struct tx_out){.script_pubkey = span_of(script, BLOCK_COMMITMENT_BYTES)};
    coinbase->in[0].witness = span_of(witness, 2 + sizeof nonce);
    tx_finish(coinbase, arena);
}

/* The first block of a period stays near the last of the one before on every network, so that
 * the rule could be enforced anywhere. BIP-94, 3. Time Warp Attack Prevention */
int64_t mining_least_time_s(const struct network *network, const struct block_node *prev)
{
    int64_t least_s = block_node_mtp(prev) + 1;
    int64_t near_s = (int64_t)prev->time - TIMEWARP_GRACE_S;
    bool is_first = (prev->height + 1) % pow_retarget_interval(network) == 0;
    return is_first && near_s > least_s ? near_s : least_s;
}

int32_t mining_block_version(struct chain *chain, const struct block_node *prev)
{
    return chain_block_version(chain, prev);
}

static void fill_header(struct chain *chain, const struct mining_template *template, int64_t now_s,
                        struct block_header *header)
{
    const struct block_node *prev = chain_tip(chain);
    int64_t least_s = mining_least_time_s(chain_network(chain), prev);
    header->version = template->version ? template->version : mining_block_version(chain, prev);
    header->prev = prev->hash;
    header->time = (uint32_t)(now_s > least_s ? now_s : least_s);
    /* On a test network the bits may depend on the time. */
    header->bits = chain_next_bits(chain, prev, header->time);
}

static struct block_ref *encode(const struct block *block)
{
    struct writer count = writer_counting();
    block_encode(&count, block, true);
    uint8_t *raw = xmalloc(count.len);
    struct writer w = writer_to_buffer(raw, count.len);
    block_encode(&w, block, true);
    struct block_ref *ref = block_ref_take(raw, count.len);
    bool ok = block_ref_decode(ref);
    ASSERT(ok);
    return ref;
}

struct block_ref *mining_build_block(struct chain *chain, const struct mining_template *template,
                                     int64_t now_s)
{
    int32_t height = chain_tip(chain)->height + 1;
    struct arena arena;
    arena_init(&arena, MINING_ARENA_BYTES);
    struct block block = {.n_tx = (uint32_t) template->n_tx + 1};
    block.tx = arena_alloc(&arena, block.n_tx * sizeof *block.tx);
    block.txids = arena_alloc(&arena, block.n_tx * sizeof *block.txids);
    block.tx[0] = make_coinbase(&arena, chain_network(chain), height, template);
    for (size_t i = 0; i < template->n_tx; i++)
        block.tx[i + 1] = template->tx[i];
    if (height >= chain_network(chain)->buried_height[BURIED_SEGWIT])
        add_commitment(&arena, &block);
    for (uint32_t i = 0; i < block.n_tx; i++)
        block.txids[i] = block.tx[i].txid;
    bool is_ambiguous = block_merkle_root(&block, &arena, block.header.merkle_root);
    ASSERT(!is_ambiguous); /* no transaction is in the template twice */
    fill_header(chain, template, now_s, &block.header);
    struct block_ref *ref = encode(&block);
    arena_deinit(&arena);
    return ref;
}

/* -- Searching --------------------------------------------------------------------------------- */

/* One search, slice after slice: so that closing never waits for more than one. */
struct grind {
    struct env_job job; /* first */
    struct chain *chain;
    struct block_ref *ref;  /* held; its bytes stay as they are, the nonce is put into a copy */
    struct sha256 midstate; /* of all but the last 16 bytes of the header */
    uint32_t nonce;         /* the next to try */
    uint64_t tries_left;
    bool is_found, is_exhausted; /* nonce has the work; all nonces have been tried */
    void (*done)(void *arg, uint8_t *block_take, size_t len);
    void *arg;
};

/* The first 64 bytes of a header do not change with the nonce, so they are hashed once: half of the
 * work of each try is saved. */
static bool try_nonce(const struct grind *grind)
{
    const struct block *block = &grind->ref->block;
    uint8_t tail[BLOCK_HEADER_BYTES - 64];
    memcpy(tail, grind->ref->raw + 64, sizeof tail);
    struct writer w = writer_to_buffer(tail + NONCE_OFFSET - 64, 4);
    write_u32(&w, grind->nonce);
    struct sha256 h = grind->midstate;
    struct block_hash hash;
    sha256_update(&h, tail, sizeof tail);
    sha256d_final(&h, hash.b);
    return pow_check(chain_network(grind->chain), &hash, block->header.bits);
}

static void run_slice(struct env_job *job)
{
    struct grind *grind = (struct grind *)job;
    for (int i = 0; i < MINING_SLICE_TRIES && grind->tries_left > 0 && !grind->is_exhausted; i++) {
        grind->tries_left--;
        grind->is_found = try_nonce(grind);
        if (grind->is_found)
            return;
        grind->is_exhausted = ++grind->nonce == 0;
    }
}

/* Found, given up, or the chain is being closed: whoever ordered it hears of it once. */
static void end_grind(struct grind *grind)
{
    struct chain *chain = grind->chain;
    uint8_t *raw = NULL;
    size_t len = grind->ref->raw_len;
    if (grind->is_found) {
        raw = xmemdup(grind->ref->raw, len);
        struct writer w = writer_to_buffer(raw + NONCE_OFFSET, 4);
        write_u32(&w, grind->nonce);
    }
    grind->done(grind->arg, raw, raw ? len : 0);
    block_ref_drop(grind->ref);
    xfree(grind);
    chain_end(chain);
}

static void submit_slice(struct grind *grind);

static void slice_done(struct env_job *job)
{
    struct grind *grind = (struct grind *)job;
    bool goes_on = !grind->is_found && !grind->is_exhausted && grind->tries_left > 0 &&
                   !job->cancelled && !chain_is_closing(grind->chain);
    if (goes_on)
        submit_slice(grind);
    else
        end_grind(grind);
}

static void submit_slice(struct grind *grind)
{
    const struct env *env = chain_env(grind->chain);
    grind->job = (struct env_job){.run = run_slice, .done = slice_done};
    env_job_submit(env, ENV_POOL_COMPUTE, ENV_PRIORITY_NORMAL, &grind->job);
}

void mining_grind(struct chain *chain, struct block_ref *block_take, uint64_t max_tries,
                  void (*done)(void *arg, uint8_t *block_take, size_t len), void *arg)
{
    struct grind *grind = xcalloc(1, sizeof *grind);
    ASSERT(block_take && done);
    grind->chain = chain;
    grind->ref = block_take;
    grind->nonce = block_take->block.header.nonce;
    grind->tries_left = max_tries;
    grind->done = done;
    grind->arg = arg;
    sha256_init(&grind->midstate);
    sha256_update(&grind->midstate, block_take->raw, 64);
    chain_begin(chain);
    submit_slice(grind);
}
