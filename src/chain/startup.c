/* startup.c - opens the stores, repairs what a crash left behind, and finds the tip.
 *
 * All of it on the loop thread and within chain_open(): nobody else is there yet. A step that
 * destroys leaves a mark first, where there is room for one, so that the next start goes on with
 * what this one was cut short amid. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/chain_parts.h"
#include "chain/coins/snapshot_dir.h"
#include "chain/disk/block_key.h"
#include "consensus/block_check.h"
#include "consensus/script_iter.h"
#include "util/alloc.h"
#include "util/crc32c.h"
#include "util/hex.h"
#include "util/planted.h"

static bool fail(char **error, const char *what, int code, char *detail_take)
{
    *error = xasprintf("%s: %s", what, detail_take ? detail_take : strerror(-code));
    xfree(detail_take);
    return false;
}

/* The same for what can be made anew. */
static bool damaged(struct chain *chain, enum chain_damage damage, char **error, const char *what,
                    char *detail_take)
{
    chain->damage = damage;
    return fail(error, what, -EUCLEAN, detail_take);
}

/* -- Stores ----------------------------------------------------------------------------------- */

/* Coins of ours, made by some blocks. */
static bool has_coins(const struct chain *chain)
{
    struct block_hash old_tip, new_tip, none = {{0}};
    if (!chain->core.coins)
        return false;
    struct block_hash tip = coins_store_tip(chain->core.coins);
    return !block_hash_equal(&tip, &none) ||
           coins_interrupted(chain->core.coins, &old_tip, &new_tip);
}

/* Once; again it does nothing. */
static int open_index_store(struct chain *chain, char **detail)
{
    *detail = NULL;
    if (chain->core.index)
        return 0;
    return index_db_open(chain->core.env, chain->core.log, chain->index_dir,
                         chain->core.options.keeps_damage, &chain->core.index, detail);
}

/* A row that cannot be read is of the loading, as in Core, also the one that tells whose it is. */
static bool fail_of_index(struct chain *chain, int code, char **error, char *detail_take)
{
    bool is_open = chain->core.index || (detail_take && store_format_is_of_row(detail_take));
    const char *words = is_open
                            ? "Error loading block database. It is damaged; start with -reindex"
                            : "Error opening block database. It is damaged; start with -reindex";
    if (code == -EUCLEAN)
        return damaged(chain, CHAIN_DAMAGE_INDEX, error, words, detail_take);
    return fail(error, "Cannot open the block index", code, detail_take);
}

/* A read that has failed, or what it found is damaged: no mark may be taken for one that is not
 * there. */
static bool fail_of_mark(struct chain *chain, int code, const char *name, char **error)
{
    return fail_of_index(chain, code, error,
                         xasprintf("%s: the mark \"%s\" cannot be read: %s",
                                   index_db_path(chain->core.index), name, strerror(-code)));
}

static bool read_flag(struct chain *chain, const char *name, bool *is_set, char **error)
{
    int code = index_db_flag(chain->core.index, name, is_set);
    return code ? fail_of_mark(chain, code, name, error) : true;
}

/* A reindex that was cut short amid its first steps is still the order. One that is damaged is left
 * to be emptied if that is the order. */
static bool open_index(struct chain *chain, char **error)
{
    char *detail;
    int code = open_index_store(chain, &detail);
    if (code == -EUCLEAN && chain->core.options.reindex) {
        xfree(detail);
        return true;
    }
    if (code)
        return fail_of_index(chain, code, error, detail);
    return chain->core.options.reindex ||
           read_flag(chain, INDEX_FLAG_TO_EMPTY, &chain->core.options.reindex, error);
}

static bool load_index(struct chain *chain, struct block_file_info **infos, size_t *n_infos,
                       char **error)
{
    char *detail;
    int code = index_db_load(chain->core.index, &chain->tree, infos, n_infos, &detail);
    return code ? fail_of_index(chain, code, error, detail) : true;
}

/* Before anything of the old goes: cut short, the next start goes on with the reindex. Of a pruned
 * node the coins could not be made again from what the index knows. A damaged index has no room for
 * the note. */
static bool note_reindex(struct chain *chain, char **error)
{
    char *detail;
    int code = open_index_store(chain, &detail);
    if (!code)
        code = index_db_set_flag(chain->core.index, INDEX_FLAG_TO_EMPTY);
    if (code && code != -EUCLEAN)
        return fail_of_index(chain, code, error, detail);
    xfree(detail);
    return true;
}

static bool empty_index(struct chain *chain, char **error)
{
    char *detail = NULL;
    index_db_close(chain->core.index);
    chain->core.index = NULL; /* what follows may fail, and then the chain is freed */
    int code = env_kv_destroy(chain->core.env, chain->index_dir);
    if (code && code != -ENOENT)
        detail = xasprintf("%s: %s", chain->index_dir, strerror(-code));
    else
        code = open_index_store(chain, &detail);
    if (!code)
        code = index_db_set_flag(chain->core.index, INDEX_FLAG_REINDEXING);
    return code ? fail_of_index(chain, code, error, detail) : true;
}

/* All is made anew from the blocks: what was only assumed goes first. */
static bool drop_snapshot(struct chain *chain, char **error)
{
    struct chain_core *core = &chain->core;
    if (chain->past_coins) {
        coins_close(core->coins);
        core->coins = chain->past_coins;
        coins_set_cache(core->coins, core->options.cache_bytes);
        chain->past_coins = NULL;
    }
    int code = snapshot_dir_remove(core->env, core->data_dir);
    return code ? fail(error, "Cannot remove the coins of a snapshot", code, NULL) : true;
}

/* The note of their damage goes after them: cut short in between, the next start does it again. */
static bool wipe_coins(struct chain *chain, char **error)
{
    char *detail;
    if (!drop_snapshot(chain, error))
        return false;
    bool is_noted = false, keeps_index = chain->core.index && !chain->core.options.reindex;
    if (keeps_index && !read_flag(chain, INDEX_FLAG_DAMAGED_COINS, &is_noted, error))
        return false;
    int code = coins_wipe(chain->core.coins, &detail);
    if (!code && is_noted)
        code = index_db_clear_flag(chain->core.index, INDEX_FLAG_DAMAGED_COINS);
    return code ? fail(error, "Cannot begin to reindex", code, detail) : true;
}

/* Before anything is written: is the index gone that the coins were made by, or has a damage of the
 * coins been met by the run before? */
static bool check_stores(struct chain *chain, char **error)
{
    if (!chain->tree.genesis && has_coins(chain)) {
        log_warning(chain->core.log, "The block index is missing: there are coins, but no blocks "
                                     "are known");
        chain->damage = CHAIN_DAMAGE_INDEX;
        return fail_with(error, "Error initializing block database.\n" CHAIN_REBUILD_ADVICE);
    }
    bool is_noted = false,
         makes_anew = chain->core.options.reindex_chainstate || chain->core.options.reindex;
    if (!makes_anew && !read_flag(chain, INDEX_FLAG_DAMAGED_COINS, &is_noted, error))
        return false;
    if (is_noted)
        return damaged(chain, CHAIN_DAMAGE_COINS, error,
                       "The coins database is damaged; start with -reindex-chainstate",
                       xstrdup("the run before this one met the damage"));
    return true;
}

/* The coins go before the index: nothing could be done with coins whose blocks it does not know. */
static bool begin_reindex(struct chain *chain, char **error)
{
    bool is_wrong = PLANTED(chain->core.env, REINDEX_INDEX_FIRST);
    return note_reindex(chain, error) && (is_wrong || wipe_coins(chain, error)) &&
           empty_index(chain, error) && (!is_wrong || wipe_coins(chain, error));
}

static void count_name(void *arg, const char *name)
{
    (void)name;
    ++*(size_t *)arg;
}

static bool holds_files(const struct chain *chain, const char *dir)
{
    size_t n = 0;
    return env_list(chain->core.env, dir, count_name, &n) >= 0 && n > 0;
}

/* As in Core the index stays in the data directory, wherever -blocksdir has the block files. We had
 * it beside them once: where only that one is there, it is used, where it is. */
static void choose_index(struct chain *chain)
{
    char *beside = xasprintf("%s/index", chain->blocks_dir);
    if (strcmp(beside, chain->index_dir) != 0 && !holds_files(chain, chain->index_dir) &&
        holds_files(chain, beside)) {
        log_printf(chain->core.log, LOG_ALWAYS, "The block index is in %s, from an older version",
                   beside);
        xfree(chain->index_dir);
        chain->index_dir = beside;
        return;
    }
    xfree(beside);
}

static void look_for_blocks(void *arg, const char *name)
{
    bool *is_found = arg;
    *is_found |= strncmp(name, "blk", 3) == 0;
}

static bool has_block_files(const struct chain *chain)
{
    bool is_found = false;
    (void)env_list(chain->core.env, chain->blocks_dir, look_for_blocks, &is_found);
    return is_found;
}

/* Coins (damaged ones too), and neither blocks nor an index that is of use: the folder of the
 * blocks is not where it was. To make all anew is the user's to order. Before an index is made: it
 * would count for the right one later. */
static bool refuse_lost_folder(struct chain *chain, char **error)
{
    const struct chain_options *options = &chain->core.options;
    bool is_ordered = options->reindex && !options->is_repair;
    bool has_index = !options->reindex && holds_files(chain, chain->index_dir);
    if (is_ordered || (chain->core.coins && !has_coins(chain)) || has_index ||
        has_block_files(chain))
        return true;
    return fail(error, "The blocks are missing", -ENOENT,
                xasprintf("there are coins, but no block files in %s: is the disk mounted, is "
                          "-blocksdir right? With -reindex all blocks are downloaded again",
                          chain->blocks_dir));
}

/* A data directory that was pruned once stays a pruned one: blocks that are gone cannot be asked
 * for one by one, and a node without -prune promises all of them. */
static bool check_pruning(struct chain *chain, char **error)
{
    if (!read_flag(chain, INDEX_FLAG_PRUNED, &chain->core.any_pruned, error))
        return false;
    if (chain->core.any_pruned && !chain->core.options.prune)
        return fail_with(error,
                         "You need to rebuild the database using -reindex to go back to unpruned "
                         "mode.  This will redownload the entire blockchain");
    if (chain->core.any_pruned && chain->core.options.reindex_chainstate) {
        *error = xstrdup(chain->core.options.is_repair
                             ? "The coins database is damaged, and a pruned node lacks the blocks "
                               "to make it anew; start with -reindex, which downloads them again"
                             : "Prune mode is incompatible with -reindex-chainstate. Use full "
                               "-reindex instead.");
        return false;
    }
    return true;
}

static int open_coins_store(struct chain *chain, const char *path, char **detail)
{
    return snapshot_open_store(&chain->core, path, chain->core.options.cache_bytes,
                               &chain->core.coins, detail);
}

/* They will be filled anew, as was ordered; but only if the blocks are there to do it. */
static bool empty_damaged_coins(struct chain *chain, const char *path, char **error)
{
    char *detail = NULL;
    if (!refuse_lost_folder(chain, error) ||
        !(chain->core.options.reindex ? note_reindex(chain, error)
                                      : open_index(chain, error) && check_pruning(chain, error)))
        return false;
    int code = env_kv_destroy(chain->core.env, path);
    if (code)
        detail = xasprintf("%s: %s", path, strerror(-code));
    else
        code = open_coins_store(chain, path, &detail);
    return code ? fail(error, "Cannot open the coins database", code, detail) : true;
}

static bool fail_of_coins(struct chain *chain, int code, char **error, char *detail_take)
{
    if (code == -EUCLEAN)
        return damaged(
            chain, CHAIN_DAMAGE_COINS, error,
            "Error opening coins database. It is damaged; start with -reindex-chainstate",
            detail_take);
    return fail(error, "Cannot open the coins database", code, detail_take);
}

/* The chain goes on with the coins of a snapshot whose past is not checked yet: both stores are
 * open. Making all anew does without. */
static bool open_snapshot(struct chain *chain, char **error)
{
    struct chain_core *core = &chain->core;
    struct block_hash base;
    char hash[HEX_ID_BYTES], *detail = NULL;
    if (core->options.reindex || core->options.reindex_chainstate)
        return true;
    int code = snapshot_dir_base(core->env, core->data_dir, &base);
    if (code == -ENOENT)
        return true;
    if (code)
        return fail_of_coins(chain, code, error, NULL);
    code = snapshot_recall_vouch(core, &base);
    if (code)
        return fail_of_coins(chain, code, error, NULL);
    if (!snapshot_known(core, &base)) {
        hex_encode_reversed(hash, span_of(base.b, sizeof base.b));
        log_error(core->log, "Assumeutxo data not found for the given blockhash '%s'.", hash);
        return fail_with(error,
                         "A fatal internal error occurred, see debug.log for details: Assumeutxo "
                         "data not found for the given blockhash '%s'.",
                         hash);
    }
    chain->past_coins = core->coins;
    chain->snapshot_base = base;
    core->coins = NULL;
    coins_set_cache(chain->past_coins, snapshot_cache_bytes(core));
    char *path = snapshot_dir_path(core->data_dir);
    code = snapshot_open_store(core, path, snapshot_cache_bytes(core), &core->coins, &detail);
    xfree(path);
    return code ? fail_of_coins(chain, code, error, detail) : true;
}

static bool open_coins(struct chain *chain, char **error)
{
    if (snapshot_dir_settle(chain->core.env, chain->core.log, chain->core.data_dir, error))
        return false;
    char *path = xasprintf("%s/chainstate", chain->core.data_dir), *detail;
    int code = open_coins_store(chain, path, &detail);
    bool is_damaged = code == -EUCLEAN, ok = !code;
    if (is_damaged && (chain->core.options.reindex || chain->core.options.reindex_chainstate)) {
        xfree(detail);
        ok = empty_damaged_coins(chain, path, error);
    } else if (code) {
        fail_of_coins(chain, code, error, detail);
    }
    xfree(path);
    return ok && open_snapshot(chain, error);
}

static int make_dirs(struct chain *chain)
{
    char *data = xasprintf("%s/blocks", chain->core.data_dir);
    int code = env_make_dir(chain->core.env, chain->blocks_dir);
    if (!code && strcmp(data, chain->blocks_dir) != 0)
        code = env_make_dir(chain->core.env, data);
    xfree(data);
    return code;
}

/* Before the first block is written. Not where blocks are known that are not there: that is not the
 * folder that they lie in. */
static bool make_block_key(struct chain *chain, char **error)
{
    enum chain_xor wish = chain->core.options.block_xor;
    bool is_elsewhere = chain->tree.genesis && !has_block_files(chain);
    return wish == CHAIN_XOR_AS_IS || is_elsewhere ||
           block_key_make(chain->core.env, chain->blocks_dir, wish == CHAIN_XOR_ON, error) == 0;
}

static bool open_block_files(struct chain *chain, const struct block_file_info *infos,
                             size_t n_infos, char **error)
{
    char *detail;
    int code =
        block_files_open(chain->core.env, chain->core.log, chain->blocks_dir,
                         chain->core.network->magic, infos, n_infos, &chain->core.files, &detail);
    if (code)
        return fail(error, "Cannot open the block files", code, detail);
    code = chain->core.options.reindex ? block_files_remove_undo(chain->core.files) : 0;
    if (code)
        return fail(error, "Cannot list the block files", code, NULL);
    if (chain->core.options.block_file_bytes)
        block_files_set_max_bytes(chain->core.files, chain->core.options.block_file_bytes);
    return true;
}

/* The coins first: whether there are any decides what a missing index or folder means. */
static bool open_stores(struct chain *chain, char **error)
{
    struct block_file_info *infos = NULL;
    size_t n_infos = 0;
    choose_index(chain);
    int code = make_dirs(chain);
    if (code) /* make_dir makes parents too: what is not there then is where a link leads */
        return fail(error, "Cannot create the blocks directory", code,
                    xasprintf("%s%s: %s", chain->blocks_dir,
                              code == -ENOENT ? " is a link to a folder that is not there" : "",
                              strerror(-code)));
    if (!open_coins(chain, error) || !refuse_lost_folder(chain, error) ||
        !open_index(chain, error) ||
        (chain->core.options.reindex && !begin_reindex(chain, error)) ||
        !load_index(chain, &infos, &n_infos, error) || !check_stores(chain, error)) {
        xfree(infos);
        return false;
    }
    bool ok = make_block_key(chain, error) && open_block_files(chain, infos, n_infos, error);
    xfree(infos);
    return ok;
}

/* -- Genesis ----------------------------------------------------------------------------------- */

/* The first record of the block files, if it is the first block. */
static bool take_first_record(void *arg, const struct file_pos *pos, struct span block)
{
    struct block_node *genesis = arg;
    struct reader r = reader_of(block);
    struct block_header header;
    if (block_header_decode(&r, &header)) {
        struct block_hash hash = block_header_hash(&header);
        if (block_hash_equal(&hash, &genesis->hash))
            genesis->data = *pos;
    }
    return false;
}

/* Not synced: if a crash takes it, the next start writes it again. */
static int store_genesis(struct chain *chain, struct block_node *node)
{
    struct span raw = chain->core.network->genesis_raw;
    node->data.file = -1;
    int code = block_files_scan(chain->core.files, 0, 0, take_first_record, node);
    if (code == -ENOENT || (!code && node->data.file < 0)) {
        node->data = block_files_alloc(chain->core.files, (uint32_t)raw.len, 0, node->time);
        node->data.crc32c = crc32c(0, raw.p, raw.len);
        code = block_files_write(chain->core.files, &node->data, raw);
        if (!code)
            code = block_files_begin_undo(chain->core.files, node->data.file);
    }
    return code;
}

/* The first block is a fact of the network: stored like any other, but its coin never existed. */
static bool add_genesis(struct chain *chain, char **error)
{
    struct span raw = chain->core.network->genesis_raw;
    struct block_ref *ref = block_ref_take(xmemdup(raw.p, raw.len), raw.len);
    bool decoded = block_ref_decode(ref);
    ASSERT(decoded && block_hash_equal(&ref->block.hash, &chain->core.network->genesis_hash));
    struct block_node *node = header_tree_add(&chain->tree, &ref->block.header, &ref->block.hash);
    block_ref_drop(ref);
    node->undo.file = -1;
    node->status = BLOCK_HAVE_DATA | BLOCK_VALID_TX | BLOCK_VALID_SCRIPTS;
    node->n_tx = 1;
    node->chain_tx = 1;
    int code = store_genesis(chain, node);
    return code ? fail(error, "Cannot write the first block", code, NULL) : true;
}

/* -- After a crash -------------------------------------------------------------------------------
 */

/* One block being replayed. */
struct replay {
    struct chain *chain;
    struct block_ref *ref; /* NULL: it could not be read */
    struct arena arena;    /* of the undo data */
    struct undo undo;
    int error; /* why it cannot be read; 0: damaged */
};

static bool replay_read(struct replay *replay, const struct block_node *node, bool want_undo)
{
    struct block_files *files = replay->chain->core.files;
    uint8_t *raw;
    arena_init(&replay->arena, 64 << 10);
    replay->ref = NULL;
    replay->error = block_files_read(files, &node->data, &raw);
    if (replay->error)
        return false;
    replay->ref = block_ref_take(raw, node->data.len);
    if (!block_ref_decode(replay->ref))
        return false;
    if (!want_undo)
        return true;
    if (!block_node_has_undo(node))
        return false;
    replay->error = block_files_read_undo(files, &node->undo, &raw);
    if (replay->error)
        return false;
    bool ok = undo_decode(span_of(raw, node->undo.len), &replay->ref->block, &replay->arena,
                          &replay->undo);
    xfree(raw);
    return ok;
}

/* Blocks or undo data that are gone or damaged are no loss: the coins can be made from the start.
 * If it is the disk that fails, making them would only do harm. */
static void replay_end(struct replay *replay)
{
    int error = replay->error;
    if (error && error != -EUCLEAN && error != -ENOENT)
        replay->chain->replay_error = error;
    block_ref_drop(replay->ref);
    arena_deinit(&replay->arena);
}

/* Inputs before outputs, and transactions in their order: what is spent within the block is put and
 * then erased, and erased it stays. */
static void replay_tx(struct replay *replay, const struct tx *tx, int32_t height, bool coinbase)
{
    struct coins *coins = replay->chain->core.coins;
    for (uint32_t k = 0; k < tx->n_in && !coinbase; k++)
        coins_repair_erase(coins, &tx->in[k].prevout);
    struct outpoint outpoint = {.txid = tx->txid};
    for (uint32_t k = 0; k < tx->n_out; k++) {
        struct coin coin = {.value_sat = tx->out[k].value_sat,
                            .script_pubkey = tx->out[k].script_pubkey,
                            .height = (uint32_t)height,
                            .coinbase = coinbase};
        outpoint.vout = k;
        if (!script_is_unspendable(coin.script_pubkey))
            coins_repair_put(coins, &outpoint, &coin);
    }
}

/* Make a block's effect on the store complete, whether some of it is there already or not. */
static bool replay_forward(struct chain *chain, const struct block_node *node)
{
    struct replay replay = {.chain = chain};
    bool ok = replay_read(&replay, node, false);
    for (uint32_t i = 0; ok && i < replay.ref->block.n_tx; i++)
        replay_tx(&replay, &replay.ref->block.tx[i], node->height, i == 0);
    replay_end(&replay);
    return ok;
}

/* The same backward. */
static bool replay_backward(struct chain *chain, const struct block_node *node)
{
    struct replay replay = {.chain = chain};
    bool ok = replay_read(&replay, node, true);
    size_t at = ok ? replay.undo.n_spent : 0;
    for (uint32_t i = ok ? replay.ref->block.n_tx : 0; i-- > 0;) {
        const struct tx *tx = &replay.ref->block.tx[i];
        struct outpoint outpoint = {.txid = tx->txid};
        for (uint32_t k = 0; k < tx->n_out; k++) {
            outpoint.vout = k;
            coins_repair_erase(chain->core.coins, &outpoint);
        }
        for (uint32_t k = tx->n_in; i > 0 && k-- > 0;)
            coins_repair_put(chain->core.coins, &tx->in[k].prevout, &replay.undo.spent[--at]);
    }
    replay_end(&replay);
    return ok;
}

static bool not_replayed(struct chain *chain, char **error, const char *remedy, char *which_take)
{
    if (!chain->replay_error)
        return damaged(chain, CHAIN_DAMAGE_COINS, error, remedy, which_take);
    bool ok = fail(error, "Cannot repair the coins database", 0,
                   xasprintf("%s: %s", which_take, strerror(-chain->replay_error)));
    xfree(which_take);
    return ok;
}

/* A flush from one tip to another was cut short: the store is a mixture of both. Whatever part was
 * written, going back from the old tip to the fork and forward to the new one ends at the same
 * coins, since putting and erasing do not depend on what is there. */
static bool repair_coins(struct chain *chain, const struct block_hash *old_hash,
                         const struct block_hash *new_hash, char **error)
{
    struct block_node *to = header_tree_find(&chain->tree, new_hash);
    struct block_hash none = {{0}};
    struct block_node *from = block_hash_equal(old_hash, &none)
                                  ? chain->tree.genesis
                                  : header_tree_find(&chain->tree, old_hash);
    const char *remedy = "The coins database was left half written and cannot be repaired from "
                         "the stored blocks; start with -reindex-chainstate";
    if (!to || !from)
        return damaged(chain, CHAIN_DAMAGE_COINS, error, remedy, xstrdup("a tip is unknown"));
    struct block_node *fork = block_node_fork(from, to);
    log_printf(chain->core.log, LOG_ALWAYS,
               "repairing the coins: back from height %d to %d, forward to %d", from->height,
               fork->height, to->height);
    for (struct block_node *at = from; at != fork; at = at->prev)
        if (!replay_backward(chain, at))
            return not_replayed(chain, error, remedy, xasprintf("undo of height %d", at->height));
    for (int32_t height = fork->height + 1; height <= to->height; height++)
        if (!replay_forward(chain, block_node_ancestor(to, height)))
            return not_replayed(chain, error, remedy, xasprintf("block at height %d", height));
    int code = coins_repair_commit(chain->core.coins, new_hash);
    return code ? fail(error, "Cannot repair the coins database", code, NULL) : true;
}

/* -- The tip
 * --------------------------------------------------------------------------------------- */

/* Every block that the coins were made of has been seen, pruned ones too, or is assumed. */
static bool is_complete(const struct header_tree *tree, const struct block_node *tip)
{
    while (tip && tip != tree->assumed && tip->n_tx > 0)
        tip = tip->prev;
    return tip == tree->assumed;
}

/* Blocks were connected, but nothing is left of it: somebody took the coins away, or the first
 * flush was cut short. They are made by connecting the stored blocks; it takes hours, so it is
 * said. */
static void tell_of_empty_coins(struct chain *chain)
{
    const struct block_node *node;
    size_t at = 0, n = 0;
    while ((node = hash_map_next(&chain->tree.by_hash, &at)))
        n += block_node_has_undo(node);
    if (n == 0 || chain->core.options.reindex_chainstate)
        return;
    log_warning(chain->core.log, "the coins database is empty, made anew from %zu blocks", n);
    core_warn(&chain->core, "The coins database is empty: it is made anew from the stored blocks");
}

/* The tip is the one that the coins stand for. By the crash rule the index knows every block that
 * they were made of; what it knows beyond that is connected anew. */
static struct block_node *tip_of_coins(struct chain *chain, char **error)
{
    struct block_hash old_tip, new_tip, none = {{0}};
    if (coins_interrupted(chain->core.coins, &old_tip, &new_tip) &&
        !repair_coins(chain, &old_tip, &new_tip, error))
        return NULL;
    struct block_hash hash = coins_store_tip(chain->core.coins);
    if (block_hash_equal(&hash, &none))
        tell_of_empty_coins(chain);
    struct block_node *tip = block_hash_equal(&hash, &none) ? chain->tree.genesis
                                                            : header_tree_find(&chain->tree, &hash);
    if (tip && is_complete(&chain->tree, tip))
        return tip;
    damaged(chain, CHAIN_DAMAGE_COINS, error,
            "Block index and coins database do not belong together",
            xstrdup("start with -reindex"));
    return NULL;
}

/* What was checked of the blocks below a snapshot; the rest of them is assumed from here on. */
static bool find_past(struct chain *chain, char **error)
{
    struct chain_core *core = &chain->core;
    struct block_node *base = header_tree_find(&chain->tree, &chain->snapshot_base);
    if (!base)
        return damaged(chain, CHAIN_DAMAGE_COINS, error,
                       "Block index and coins database do not belong together",
                       xstrdup("the block of the snapshot is unknown"));
    struct coins *of_snapshot = core->coins;
    core->coins = chain->past_coins; /* repairs are of the chain's coins */
    struct block_node *tip = tip_of_coins(chain, error);
    core->coins = of_snapshot;
    if (!tip)
        return false;
    past_check_begin(&chain->past, chain->past_coins, tip, base,
                     snapshot_known(core, &chain->snapshot_base));
    chain->past_coins = NULL;
    log_printf(core->log, LOG_ALWAYS,
               "[snapshot] blocks up to height %d were checked, those up to height %d are assumed",
               tip->height, base->height);
    return true;
}

static bool find_tip(struct chain *chain, char **error)
{
    if (chain->past_coins && !find_past(chain, error))
        return false;
    struct block_node *tip = tip_of_coins(chain, error);
    if (!tip)
        return false;
    active_chain_set_tip(&chain->active, tip);
    chain->flush.tip = tip;
    return true;
}

/* A tip that no clock as wrong as this one would have accepted: blocks built on it would be refused
 * everywhere else, and those of others here. Spec: Core VerifyLoadedChainstate() */
static bool check_clock(const struct chain *chain, char **error)
{
    struct block_hash from, hash = coins_store_tip(chain->core.coins);
    (void)coins_interrupted(chain->core.coins, &from, &hash);
    const struct block_node *tip = header_tree_find(&chain->tree, &hash);
    if (!tip || (int64_t)tip->time <= core_now_s(&chain->core) + BLOCK_TIME_AHEAD_MAX_S)
        return true;
    return fail_with(error,
                     "The block database contains a block which appears to be from the future. "
                     "This may be due to your computer's date and time being set incorrectly. "
                     "Only rebuild the block database if you are sure that your computer's date "
                     "and time are correct.\n" CHAIN_REBUILD_ADVICE);
}

/* Are the block files to be gone through? Also if there are some, but neither index nor coins: a
 * reindex was cut short amid emptying its index, or somebody took both away. (With one file it may
 * be that the first flush, due when a second is begun, was still to come.) */
static bool find_marks(struct chain *chain, char **error)
{
    struct importer *importer = &chain->importer;
    bool reindexing, replays;
    size_t end = 0;
    if (!read_flag(chain, INDEX_FLAG_REINDEXING, &reindexing, error))
        return false;
    int code = index_db_replay_from(chain->core.index, &replays, &importer->replay_file,
                                    &importer->replay_offset);
    if (code)
        return fail_of_mark(chain, code, "replay", error);
    code = rewind_load(&chain->rewind);
    if (code)
        return fail_of_mark(chain, code, "rewind", error);
    code = block_files_end(chain->core.files, &end);
    if (!code && !reindexing && !chain->tree.genesis && end > 1) {
        log_printf(chain->core.log, LOG_ALWAYS,
                   "the block index is empty, made anew from the files");
        code = index_db_set_flag(chain->core.index, INDEX_FLAG_REINDEXING);
        reindexing = true;
    }
    if (!code && reindexing && chain->core.options.prune)
        code = block_files_remove_behind_gap(chain->core.files);
    if (!code && reindexing)
        code = block_files_reserve_existing(chain->core.files);
    chain->flush.marks = (reindexing ? CHAIN_MARK_REINDEX : 0) | (replays ? CHAIN_MARK_REPLAY : 0);
    return code ? fail(error, "Cannot list the block files", code, NULL) : true;
}

/* Those that the options want. An index whose next block is pruned would never get to the tip: who
 * wants it must fetch the blocks again. */
static bool open_indexes(struct chain *chain, char **error)
{
    for (int i = 0; i < CHAIN_INDEXES; i++) {
        struct index_follower *follower = chain_index(chain, i);
        const char *options = (const char *)&chain->core.options;
        bool synced;
        int32_t height;
        if (!*(const bool *)(options + chain_indexes[i].option_offset))
            continue;
        if (index_follower_open(follower, error))
            return false;
        /* What is assumed will come yet. */
        if (index_follower_status(follower, &synced, &height) && !synced && !chain->tree.assumed &&
            height + 1 < prune_height(&chain->prune))
            return fail_with(
                error,
                "%s best block of the index goes beyond pruned data (including undo data). Please "
                "disable the index or reindex (which will download the whole blockchain again)\n"
                "Error: A fatal internal error occurred, see debug.log for details: Failed to "
                "start indexes, shutting down…",
                chain_indexes[i].core_name);
    }
    return true;
}

bool chain_open(struct chain *chain, char **error)
{
    ASSERT(!chain->core.is_open);
    core_set_turn(&chain->core, chain_turn, chain);
    int64_t start_us = env_now_us(chain->core.env);
    log_printf(chain->core.log, LOG_ALWAYS, "init message: Loading block index\xe2\x80\xa6");
    if (!open_stores(chain, error) || !check_clock(chain, error))
        return false;
    if (!find_marks(chain, error))
        return false;
    chain->flush.is_new = !chain->tree.genesis;
    if (!chain->tree.genesis && !add_genesis(chain, error))
        return false;
    if (!block_hash_equal(&chain->tree.genesis->hash, &chain->core.network->genesis_hash))
        return fail_with(error, "Incorrect or no genesis block found. Wrong datadir for network?");
    /* Nothing is thrown away before all that can be refused has been. */
    if (!check_pruning(chain, error) ||
        (chain->core.options.reindex_chainstate && !wipe_coins(chain, error)) ||
        !find_tip(chain, error) || !lost_open(&chain->lost, chain->blocks_dir, error))
        return false;
    if (!open_indexes(chain, error))
        return false;
    best_chain_load(&chain->best);
    chain->core.is_open = true;
    chain_update_initial_download(chain);
    import_block_files(&chain->importer, chain->flush.marks & CHAIN_MARK_REINDEX);
    flush_start_timer(&chain->flush);
    verify_at_start(&chain->verifier);
    rewind_resume(&chain->rewind);
    core_wake_soon(&chain->core);
    log_printf(chain->core.log, LOG_ALWAYS,
               "Loaded best chain: %zu headers, tip at height %d, opened in %lld ms",
               chain->tree.count, active_chain_tip(&chain->active)->height,
               (long long)(env_now_us(chain->core.env) - start_us) / 1000);
    return true;
}
