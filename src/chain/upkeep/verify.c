/* verify.c - checks the last blocks against each other and against the coins, as verifychain.
 *
 * The coins are flushed and a snapshot of the store taken; from then on everything happens in
 * blocking jobs, one block each, on what is on disk: the loop is never held up and the tip may move
 * on meanwhile. Blocks are taken back in memory from the tip down, then connected again.
 *
 * Levels: 0 the block can be read, 1 it obeys its own rules, 2 its undo data can be read, 3 it can
 * be taken back from the coins, 4 it can be connected again, scripts and all. */
#include "chain/upkeep/verify.h"

#include <errno.h>

#include "chain/coins/coin_set.h"
#include "chain/disk/block_file.h"
#include "chain/disk/block_ref.h"
#include "chain/disk/undo.h"
#include "consensus/bip30.h"
#include "consensus/block_check.h"
#include "consensus/pow.h"
#include "consensus/script_flags.h"
#include "consensus/script_iter.h"
#include "consensus/tx_verify.h"
#include "util/alloc.h"

#define VERIFY_MEMORY_MAX (128u << 20) /* changed coins; blocks below are not taken back */

#define DAMAGE_TEXT                                                                                \
    "Corrupted block database detected. Please restart with -reindex or -reindex-chainstate to "   \
    "recover"

/* One look at the last blocks. Between submit() and job_done() the job has set, ref, undo, arena,
 * lowest, failure and what tells why for itself. */
struct verify {
    struct env_job job;
    struct verifier *owner;
    int level, n_blocks;
    const struct block_node *tip;    /* whose coins the snapshot holds */
    const struct block_node *at;     /* the block of the job */
    const struct block_node *lowest; /* that was taken back; NULL: none */
    bool goes_up;                    /* connecting again */
    bool is_at_start;                /* not by order */
    struct coin_set set;             /* changes to the snapshot */
    /* Copies for the job. */
    struct file_pos data_pos, undo_pos;
    struct block_ref *ref;
    struct undo undo;
    struct arena arena;           /* of one block */
    const char *failure;          /* NULL: good so far */
    bool lacks_block, lacks_undo; /* it failed, for these are damaged or missing */
    bool is_cut_short;            /* of the blocks that were asked for the lowest are not stored */
    int error;                    /* of the disk, that made it fail */
    void (*done)(void *arg, bool ok);
    void *arg;
};

/* -- Jobs -------------------------------------------------------------------------------------- */

/* Asked for each transaction: a block of scripts can take seconds, which nobody waits for. */
static bool is_stopping(const struct verify *verify)
{
    return atomic_load_explicit(&verify->owner->core->stops_jobs, memory_order_relaxed);
}

static bool fail(struct verify *verify, const char *what)
{
    verify->failure = what;
    return false;
}

static bool is_lost(int error)
{
    return error == -EUCLEAN || error == -ENOENT;
}

static bool read_block(struct verify *verify)
{
    uint8_t *raw;
    int error = block_files_read(verify->owner->core->files, &verify->data_pos, &raw);
    verify->lacks_block = is_lost(error);
    verify->error = verify->lacks_block ? 0 : error;
    if (error)
        return fail(verify, "the block cannot be read");
    verify->ref = block_ref_take(raw, verify->data_pos.len);
    verify->lacks_block = !block_ref_decode(verify->ref) ||
                          !block_hash_equal(&verify->ref->block.hash, &verify->at->hash);
    return verify->lacks_block ? fail(verify, "the stored block is another one") : true;
}

static bool check_block(struct verify *verify)
{
    struct verdict verdict;
    if (!block_check(&verify->ref->block, verify->owner->core->network, BLOCK_CHECK_ALL,
                     &verify->arena, &verdict))
        return fail(verify, "the block breaks a rule");
    return true;
}

static bool read_undo(struct verify *verify)
{
    uint8_t *raw;
    int error = verify->undo_pos.file < 0
                    ? -ENOENT
                    : block_files_read_undo(verify->owner->core->files, &verify->undo_pos, &raw);
    verify->lacks_undo = is_lost(error);
    verify->error = verify->lacks_undo ? 0 : error;
    if (error)
        return fail(verify, "the undo data cannot be read");
    /* Copied, because undo_decode() borrows long scripts. */
    uint8_t *kept = arena_alloc(&verify->arena, verify->undo_pos.len);
    memcpy(kept, raw, verify->undo_pos.len);
    xfree(raw);
    if (!undo_decode(span_of(kept, verify->undo_pos.len), &verify->ref->block, &verify->arena,
                     &verify->undo))
        return fail(verify, "the undo data is malformed");
    return true;
}

static struct coin output_coin(const struct verify *verify, uint32_t tx, uint32_t i)
{
    const struct tx_out *out = &verify->ref->block.tx[tx].out[i];
    return (struct coin){.value_sat = out->value_sat,
                         .script_pubkey = out->script_pubkey,
                         .height = (uint32_t)verify->at->height,
                         .coinbase = tx == 0};
}

static bool coin_equal(const struct coin *a, const struct coin *b)
{
    return a->value_sat == b->value_sat && a->height == b->height && a->coinbase == b->coinbase &&
           span_equal(a->script_pubkey, b->script_pubkey);
}

/* The coinbase of one of the two blocks that overwrote an older coin: that one comes back. */
static bool restores_older(const struct verify *verify, uint32_t tx, struct coin *coin)
{
    int32_t height = bip30_overwritten_height(verify->owner->core->network, verify->at->height,
                                              &verify->at->hash);
    if (tx > 0 || height < 0)
        return false;
    coin->height = (uint32_t)height;
    return true;
}

/* Take back what a transaction created: it must all be there, as the block says. */
static bool take_back_outputs(struct verify *verify, uint32_t tx)
{
    const struct tx *of = &verify->ref->block.tx[tx];
    for (uint32_t i = 0; i < of->n_out; i++) {
        struct outpoint outpoint = {.txid = of->txid, .vout = i};
        struct coin want = output_coin(verify, tx, i), have;
        if (script_is_unspendable(want.script_pubkey))
            continue;
        int found = coin_set_find(&verify->set, &outpoint, &have);
        if (found < 0) {
            verify->error = found;
            return fail(verify, "the coins cannot be read");
        }
        if (found == 0 || !coin_equal(&have, &want))
            return fail(verify, "a coin that the block created is missing or differs");
        bool comes_back = restores_older(verify, tx, &want);
        coin_set_put(&verify->set, &outpoint, comes_back ? &want : NULL);
    }
    return true;
}

/* From the last transaction back, so that what was spent within the block is there when its creator
 * is looked at. Unlike the pipeline it checks what it finds: that is what it is for. */
static bool disconnect(struct verify *verify)
{
    const struct block *block = &verify->ref->block;
    size_t at = verify->undo.n_spent;
    for (uint32_t i = block->n_tx; i-- > 0;) {
        const struct tx *tx = &block->tx[i];
        if (is_stopping(verify) || !take_back_outputs(verify, i))
            return false;
        for (uint32_t k = tx->n_in; i > 0 && k-- > 0;) {
            struct coin have;
            if (coin_set_find(&verify->set, &tx->in[k].prevout, &have) != 0)
                return fail(verify, "a coin that the block spent is there");
            coin_set_put(&verify->set, &tx->in[k].prevout, &verify->undo.spent[--at]);
        }
    }
    return true;
}

/* Connect one transaction's inputs: rules of values and scripts. */
static bool connect_inputs(struct verify *verify, const struct tx *tx,
                           struct script_scratch *scratch, int64_t *fees_sat)
{
    struct tx_out *spent = arena_alloc(&verify->arena, tx->n_in * sizeof *spent);
    struct spent_coin *rules = arena_calloc(&verify->arena, tx->n_in, sizeof *rules);
    for (uint32_t k = 0; k < tx->n_in; k++) {
        struct coin coin;
        if (coin_set_find(&verify->set, &tx->in[k].prevout, &coin) != 1)
            return fail(verify, "an input's coin is missing");
        spent[k] =
            (struct tx_out){.value_sat = coin.value_sat, .script_pubkey = coin.script_pubkey};
        rules[k] = (struct spent_coin){
            .value_sat = coin.value_sat, .height = coin.height, .coinbase = coin.coinbase};
        coin_set_put(&verify->set, &tx->in[k].prevout, NULL);
    }
    int64_t fee_sat;
    const struct network *network = verify->owner->core->network;
    if (tx_verify_inputs(tx, network, rules, verify->at->height, &fee_sat) != REJECT_NONE)
        return fail(verify, "an input breaks a rule");
    *fees_sat += fee_sat;
    struct tx_sighash sighash;
    tx_sighash_init(&sighash, tx, spent);
    struct script_check check = {.tx = tx, .spent = spent, .sighash = &sighash};
    check.flags =
        script_flags_for_block(verify->owner->core->network, verify->at->height, &verify->at->hash);
    for (check.input = 0; check.input < tx->n_in; check.input++)
        if (script_verify(&check, scratch) != SCRIPT_OK)
            return fail(verify, "a script fails");
    return true;
}

static void create_outputs(struct verify *verify, uint32_t tx)
{
    const struct tx *of = &verify->ref->block.tx[tx];
    for (uint32_t i = 0; i < of->n_out; i++) {
        struct outpoint outpoint = {.txid = of->txid, .vout = i};
        struct coin coin = output_coin(verify, tx, i);
        if (!script_is_unspendable(coin.script_pubkey))
            coin_set_put(&verify->set, &outpoint, &coin);
    }
}

/* Values and scripts alone: by these, coins that are wrong show. */
static bool connect(struct verify *verify)
{
    const struct block *block = &verify->ref->block;
    struct script_scratch *scratch = scratch_pool_take(&verify->owner->core->scratch);
    int64_t fees_sat = 0;
    bool ok = true;
    for (uint32_t i = 0; i < block->n_tx && ok; i++) {
        ok = !is_stopping(verify) &&
             (i == 0 || connect_inputs(verify, &block->tx[i], scratch, &fees_sat));
        if (ok)
            create_outputs(verify, i);
    }
    scratch_pool_give(&verify->owner->core->scratch, scratch);
    int64_t most_sat = pow_subsidy_sat(verify->owner->core->network, verify->at->height) + fees_sat;
    if (ok && tx_output_total_sat(&block->tx[0]) > most_sat)
        return fail(verify, "the coinbase takes too much");
    return ok;
}

/* One block, as far as the level asks on this way. When the changed coins have taken their memory,
 * blocks further down are still read and checked, but not taken back. */
static void run(struct env_job *job)
{
    struct verify *verify = (struct verify *)job;
    arena_init(&verify->arena, 64 << 10);
    bool ok = read_block(verify);
    if (ok && verify->goes_up)
        ok = connect(verify);
    if (ok && !verify->goes_up && verify->level >= 1)
        ok = check_block(verify);
    if (ok && !verify->goes_up && verify->level >= 2)
        ok = read_undo(verify);
    if (ok && !verify->goes_up && verify->level >= 3 &&
        verify->set.arena.total_bytes < VERIFY_MEMORY_MAX) {
        ok = disconnect(verify);
        verify->lowest = verify->at;
    }
    block_ref_drop(verify->ref);
    verify->ref = NULL;
    arena_deinit(&verify->arena);
}

/* -- From block to block ----------------------------------------------------------------------- */

static void end(struct verify *verify, bool ok)
{
    struct verifier *owner = verify->owner;
    ASSERT(verify->done && verify->owner->core->ops_pending > 0);
    coin_set_deinit(&verify->set);
    verify->done(verify->arg, ok);
    xfree(verify);
    core_end(owner->core);
}

static void submit(struct verify *verify);

/* What is known to be lost fails who asks, but ends the look at the start: below it nothing can be
 * verified. */
static bool is_there(const struct verify *verify, const struct block_node *node)
{
    bool is_lost_block = block_node_lost_any(node);
    if (header_tree_assumes(verify->owner->tree, node))
        return false;
    return is_lost_block ? !verify->is_at_start : block_node_has_data(node);
}

/* The block after this one, down and then up again; NULL at the end. */
static const struct block_node *next_block(struct verify *verify)
{
    const struct block_node *at = verify->at, *tip = verify->tip;
    if (!verify->goes_up) {
        const struct block_node *prev = at->prev;
        bool is_wanted = verify->n_blocks <= 0 || prev->height > tip->height - verify->n_blocks;
        if (is_wanted && prev->height > 0 && is_there(verify, prev))
            return prev;
        verify->is_cut_short = is_wanted && prev->height > 0;
        verify->goes_up = true;
        return verify->level >= 4 ? verify->lowest : NULL;
    }
    return at == tip ? NULL : block_node_ancestor(tip, at->height + 1);
}

static bool lacks_data(const struct verify *verify)
{
    return verify->lacks_block || verify->lacks_undo;
}

/* What is lost is had again, and says nothing about the coins. Below it nothing can be verified. */
static bool is_mended_elsewhere(const struct verify *verify)
{
    return verify->is_at_start && lacks_data(verify);
}

/* At a start that leaves damage as it is: nothing of it is noted for the next one. */
static bool refuses(const struct verify *verify)
{
    return is_mended_elsewhere(verify) && verify->owner->core->options.keeps_damage;
}

/* Each is acted on by what it shows: damaged coins stop the chain, a block or undo data that is
 * lost is had again. Not if it has been stored elsewhere meanwhile. */
static void note_failure(struct verify *verify)
{
    struct verifier *owner = verify->owner;
    struct block_node *node = header_tree_find(owner->tree, &verify->at->hash);
    log_error(owner->core->log, "verification: block at height %d: %s", node->height,
              verify->failure);
    if (owner->core->closing || owner->core->faulted)
        return;
    if (refuses(verify)) {
        core_fault_because(owner->core, DAMAGE_TEXT);
        return;
    }
    if (verify->error == -EUCLEAN || (verify->error && verify->is_at_start))
        lost_coins(owner->core, verify->error, "verification");
    if (verify->lacks_block && node->data.offset == verify->data_pos.offset)
        lost_block(owner->lost, node);
    if (verify->lacks_undo && node->undo.offset == verify->undo_pos.offset)
        lost_undo(owner->lost, node);
}

static void job_done(struct env_job *job)
{
    struct verify *verify = (struct verify *)job;
    struct verifier *owner = verify->owner;
    /* Pruned meanwhile: as if it had been before. */
    bool was_pruned = verify->failure && !block_node_was_stored(verify->at);
    if (job->cancelled || owner->core->closing || owner->core->faulted || verify->failure) {
        if (verify->failure && !was_pruned)
            note_failure(verify);
        bool ends_well = was_pruned ? verify->is_at_start : is_mended_elsewhere(verify);
        end(verify, verify->failure && ends_well);
        return;
    }
    verify->at = next_block(verify);
    if (verify->at) {
        submit(verify);
        return;
    }
    if (verify->is_cut_short)
        log_printf(verify->owner->core->log, LOG_ALWAYS,
                   "verification ended early: blocks below are not stored");
    /* verifychain must not say that all it was asked for is good; a start takes what there is. */
    end(verify, !verify->is_cut_short || verify->is_at_start);
}

static void submit(struct verify *verify)
{
    const struct env *env = verify->owner->core->env;
    verify->data_pos = verify->at->data;
    verify->undo_pos = verify->at->undo;
    verify->job = (struct env_job){.run = run, .done = job_done};
    env_job_submit(env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &verify->job);
}

static void flushed(void *arg, int error)
{
    struct verify *verify = arg;
    struct verifier *owner = verify->owner;
    verify->tip = verify->at = owner->flush->tip;
    bool has_blocks = verify->tip && verify->tip->height > 0 && is_there(verify, verify->tip);
    if (error || owner->core->closing || !has_blocks) {
        bool has_nothing = !verify->tip || verify->tip->height == 0;
        end(verify, !error && !owner->core->closing && (has_nothing || verify->is_at_start));
        return;
    }
    coin_set_init(&verify->set, owner->core->coins, coins_snapshot(owner->core->coins));
    submit(verify);
}

static struct verify *start(struct verifier *owner, int level, int n_blocks,
                            void (*done)(void *arg, bool ok), void *arg)
{
    struct verify *verify = xcalloc(1, sizeof *verify);
    verify->owner = owner;
    verify->level = level;
    verify->n_blocks = n_blocks;
    verify->done = done;
    verify->arg = arg;
    core_begin(owner->core);
    return verify;
}

void verify_order(struct verifier *owner, int level, int n_blocks, void (*done)(void *arg, bool ok),
                  void *arg)
{
    ASSERT(done);
    flush_order(owner->flush, flushed, start(owner, level, n_blocks, done, arg));
}

/* The blocks and their undo data are there: it is the coins that differ from what these say. */
static void start_verified(void *arg, bool ok)
{
    struct chain_core *core = arg;
    if (!ok && !core->closing && !core->faulted)
        lost_coins(core, -EUCLEAN, DAMAGE_TEXT);
}

void verify_at_start(struct verifier *owner)
{
    struct chain_core *core = owner->core;
    ASSERT(owner->flush->tip);
    if (core->options.check_blocks < 0 || owner->flush->tip->height == 0)
        return;
    log_printf(core->log, LOG_ALWAYS, "init message: Verifying blocks\xe2\x80\xa6");
    struct verify *verify =
        start(owner, core->options.check_level, core->options.check_blocks, start_verified, core);
    verify->is_at_start = true;
    flush_order(owner->flush, flushed, verify);
}
