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
#define MINING_SLICE_TRIES   50000 /* some 10 ms: how long closing waits for a search */
#define MINING_SLICES_MAX    64    /* threads that search at once */
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
    if (template->signer)
        signet_signer_sign(template->signer, &block, &arena);
    struct block_ref *ref = encode(&block);
    arena_deinit(&arena);
    return ref;
}

/* -- Searching --------------------------------------------------------------------------------- */

/* So many nonces, one after the other: what one job tries. */
struct slice {
    struct env_job job; /* first */
    struct mining_search *search;
    uint32_t first, n;
    bool is_found;
    uint32_t nonce; /* that has the work */
};

/* One search, in rounds: the slices of a round lie behind one another and run on all threads, and
 * the next round begins when all of them are back. So closing and cancelling never wait for more
 * than one slice, and the nonce that is found is the lowest, however many threads there are and
 * whichever was faster: a simulation repeats it. */
struct mining_search {
    struct chain *chain;
    struct block_ref *ref;  /* held; its bytes stay as they are, the nonce is put into a copy */
    struct sha256 midstate; /* of the header before its nonce */
    uint32_t top_max;       /* the highest 32 bits of the target */
    uint64_t next;          /* nonce to try; 2^32: all have been tried */
    uint64_t tries_left;
    struct slice slices[MINING_SLICES_MAX];
    int n_running, n_rounds;
    bool is_cancelled;
    mining_done_fn *done;
    void *arg;
};

/* The hash of the header with that nonce, of which the search has looked at a part only. */
static bool has_work(const struct mining_search *search, uint32_t nonce)
{
    struct sha256 h = search->midstate;
    struct block_hash hash;
    uint8_t bytes[4];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, nonce);
    sha256_update(&h, bytes, sizeof bytes);
    sha256d_final(&h, hash.b);
    return pow_check(chain_network(search->chain), &hash, search->ref->block.header.bits);
}

static void run_slice(struct env_job *job)
{
    struct slice *slice = (struct slice *)job;
    const struct mining_search *search = slice->search;
    for (uint32_t i = 0; i < slice->n && !slice->is_found; i++) {
        i += sha256d_search(&search->midstate, slice->first + i, slice->n - i, search->top_max);
        slice->nonce = slice->first + i;
        slice->is_found = i < slice->n && has_work(search, slice->nonce);
    }
}

/* The lowest nonce of the round that has the work. */
static const struct slice *find_nonce(const struct mining_search *search)
{
    for (int i = 0; i < MINING_SLICES_MAX; i++)
        if (search->slices[i].is_found)
            return &search->slices[i];
    return NULL;
}

/* Found, given up, cancelled, or the chain is being closed: whoever ordered it hears of it once. */
static void end_search(struct mining_search *search)
{
    struct chain *chain = search->chain;
    const struct slice *slice = search->is_cancelled ? NULL : find_nonce(search);
    uint8_t *raw = NULL;
    size_t len = search->ref->raw_len;
    if (slice) {
        raw = xmemdup(search->ref->raw, len);
        struct writer w = writer_to_buffer(raw + NONCE_OFFSET, 4);
        write_u32(&w, slice->nonce);
    }
    search->done(search->arg, raw, raw ? len : 0);
    block_ref_drop(search->ref);
    xfree(search);
    chain_end(chain);
}

static void start_round(struct mining_search *search);

static void slice_done(struct env_job *job)
{
    struct mining_search *search = ((struct slice *)job)->search;
    ASSERT(search->n_running > 0);
    search->is_cancelled |= job->cancelled;
    if (--search->n_running > 0)
        return;
    bool goes_on = !find_nonce(search) && search->next <= UINT32_MAX && search->tries_left > 0 &&
                   !search->is_cancelled && !chain_is_closing(search->chain);
    if (goes_on)
        start_round(search);
    else
        end_search(search);
}

/* The next nonces for a slice: none are left if n is 0. */
static void take_nonces(struct mining_search *search, struct slice *slice)
{
    uint64_t n = MIN_OF(search->tries_left, MINING_SLICE_TRIES);
    n = MIN_OF(n, (UINT64_C(1) << 32) - search->next);
    *slice = (struct slice){.search = search, .first = (uint32_t)search->next, .n = (uint32_t)n};
    search->next += n;
    search->tries_left -= n;
}

/* The first round is one slice: on regtest two tries are enough, and other threads would be woken
 * for nothing. */
static void start_round(struct mining_search *search)
{
    const struct env *env = chain_env(search->chain);
    uint64_t n_left = MIN_OF(search->tries_left, (UINT64_C(1) << 32) - search->next);
    int n = search->n_rounds++ == 0 ? 1 : MIN_OF(env_compute_threads(env), MINING_SLICES_MAX);
    n = (int)MIN_OF((uint64_t)n, n_left / MINING_SLICE_TRIES + 1);
    ASSERT(n > 0 && search->n_running == 0);
    /* All are counted before the first can end. */
    search->n_running = n;
    for (int i = 0; i < n; i++) {
        struct slice *slice = &search->slices[i];
        take_nonces(search, slice);
        slice->job = (struct env_job){.run = run_slice, .done = slice_done};
        env_job_submit(env, ENV_POOL_COMPUTE, ENV_PRIORITY_NORMAL, &slice->job);
    }
}

struct mining_search *mining_grind(struct chain *chain, struct block_ref *block_take,
                                   uint64_t max_tries, mining_done_fn *done, void *arg)
{
    struct mining_search *search = xcalloc(1, sizeof *search);
    ASSERT(block_take && done);
    search->chain = chain;
    search->ref = block_take;
    search->next = block_take->block.header.nonce;
    search->tries_left = max_tries;
    search->done = done;
    search->arg = arg;
    struct u256 target = pow_target_from_bits(block_take->block.header.bits, NULL, NULL);
    search->top_max = (uint32_t)(target.limb[3] >> 32);
    sha256_init(&search->midstate);
    sha256_update(&search->midstate, block_take->raw, NONCE_OFFSET);
    chain_begin(chain);
    start_round(search);
    return search;
}

void mining_cancel(struct mining_search *search)
{
    ASSERT(search && search->n_running > 0);
    search->is_cancelled = true;
    for (int i = 0; i < MINING_SLICES_MAX; i++)
        if (search->slices[i].search)
            env_job_cancel(chain_env(search->chain), &search->slices[i].job);
}
