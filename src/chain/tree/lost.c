/* lost.c - see lost.h.
 *
 * The marks are in the nodes, and the counts follow them; the list only says where to look. */
#include "chain/tree/lost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/tree/index_db.h"
#include "util/array.h"

void lost_init(struct lost *lost, struct chain_core *core, struct header_tree *tree,
               const struct active_chain *active, const struct kept_blocks *kept,
               struct best_chain *best)
{
    *lost = (struct lost){.core = core, .tree = tree, .active = active, .kept = kept, .best = best};
}

void lost_deinit(struct lost *lost)
{
    ARRAY_FREE(lost);
}

/* -- Marks ------------------------------------------------------------------------------------- */

/* Listed once for both halves. Of several losses the first alone is told: the text says the rest to
 * who asks. */
static void add(struct lost *lost, struct block_node *node, uint32_t mark)
{
    ASSERT(mark == BLOCK_LOST_DATA || mark == BLOCK_LOST_UNDO);
    bool is_first = lost->n_blocks + lost->n_undo == 0;
    node->status |= mark;
    *(mark == BLOCK_LOST_DATA ? &lost->n_blocks : &lost->n_undo) += 1;
    lost->n_changes += mark == BLOCK_LOST_UNDO;
    if (!node->is_listed_lost)
        *ARRAY_ADD(lost) = node;
    node->is_listed_lost = true;
    if (is_first && lost->core->events.loss)
        lost->core->events.loss(lost->core->events.ctx, lost_text(lost));
}

static void unlist(struct lost *lost, size_t i)
{
    lost->at[i]->is_listed_lost = false;
    memmove(&lost->at[i], &lost->at[i + 1], (lost->n - i - 1) * sizeof *lost->at);
    lost->n--;
}

/* The node stays in the list until somebody asks, or nothing is lost any more. */
static void take_away(struct lost *lost, struct block_node *node, uint32_t mark)
{
    size_t *n = mark == BLOCK_LOST_DATA ? &lost->n_blocks : &lost->n_undo;
    if (!(node->status & mark))
        return;
    ASSERT(*n > 0);
    --*n;
    node->status &= ~mark;
    header_tree_mark_dirty(lost->tree, node);
    if (lost->n_blocks + lost->n_undo > 0)
        return;
    while (lost->n > 0)
        unlist(lost, lost->n - 1);
    log_printf(lost->core->log, LOG_ALWAYS,
               "what was damaged or missing in the block files is there");
    if (lost->core->events.loss)
        lost->core->events.loss(lost->core->events.ctx, "");
}

/* At a start a file that is missing is told once, not each of its blocks. */
static void tell(const struct lost *lost, const struct block_node *node, bool in_undo)
{
    const struct file_pos *pos = in_undo ? &node->undo : &node->data;
    if (lost->core->is_open)
        log_warning(lost->core->log,
                    "the stored %s at height %d is damaged or missing (file %s%05d.dat, offset %u)",
                    in_undo ? "undo data of the block" : "block", node->height,
                    in_undo ? "rev" : "blk", (int)pos->file, pos->offset);
}

void lost_block(struct lost *lost, struct block_node *node)
{
    ASSERT(node->height > 0);
    if (!block_node_has_data(node) || kept_blocks_find(lost->kept, node))
        return; /* who reads it now gets it from memory */
    tell(lost, node, false);
    if (active_chain_contains(lost->active, node)) {
        node->status &= ~(uint32_t)BLOCK_HAVE_DATA;
        header_tree_mark_dirty(lost->tree, node);
    } else {
        lost_side_block(lost, node);
    }
    if (!block_node_lost_data(node))
        add(lost, node, BLOCK_LOST_DATA);
    if (lost->core->is_open && !lost->core->closing && lost->core->events.block_lost)
        lost->core->events.block_lost(lost->core->events.ctx, node);
}

void lost_undo(struct lost *lost, struct block_node *node)
{
    ASSERT(node->height > 0);
    if (!block_node_has_undo(node))
        return;
    tell(lost, node, true);
    node->status &= ~(uint32_t)BLOCK_HAVE_UNDO;
    header_tree_mark_dirty(lost->tree, node);
    if (!active_chain_contains(lost->active, node)) {
        node->undo.file = -1; /* it is written when the block is connected */
        return;
    }
    add(lost, node, BLOCK_LOST_UNDO);
    core_wake_soon(lost->core);
}

void lost_side_block(struct lost *lost, struct block_node *node)
{
    ASSERT(!active_chain_contains(lost->active, node));
    take_away(lost, node, BLOCK_LOST_UNDO); /* none is wanted before it is connected */
    best_chain_data_lost(lost->best, node);
}

void lost_coins(struct chain_core *core, int error, const char *what)
{
    ASSERT(error < 0 && what);
    if (core->faulted || error != -EUCLEAN) {
        core_fault(core, error, what);
        return;
    }
    /* If not even that can be written, the next start sees the damage when it comes to it. */
    int note_error = index_db_set_flag(core->index, INDEX_FLAG_DAMAGED_COINS);
    core->noted_damage = note_error == 0;
    if (note_error)
        log_error(core->log, "the damage of the coins cannot be noted: %s", strerror(-note_error));
    core_fault(core, error, what);
    log_error(core->log, "the coins database is damaged: the next start makes it anew from the "
                         "blocks, as -reindex-chainstate does");
}

void lost_block_found(struct lost *lost, struct block_node *node)
{
    take_away(lost, node, BLOCK_LOST_DATA);
}

void lost_block_written(struct lost *lost)
{
    lost->n_returned++;
    lost->n_changes++;
    core_wake_soon(lost->core);
}

void lost_undo_found(struct lost *lost, struct block_node *node)
{
    take_away(lost, node, BLOCK_LOST_UNDO);
}

/* -- Asking ------------------------------------------------------------------------------------ */

size_t lost_list(struct lost *lost, bool undo, struct block_node **out, size_t max)
{
    uint32_t mark = undo ? BLOCK_LOST_UNDO : BLOCK_LOST_DATA;
    size_t n = 0;
    for (size_t i = lost->n; i-- > 0 && n < max;) {
        struct block_node *node = lost->at[i];
        if (!block_node_lost_any(node))
            unlist(lost, i);
        else if ((node->status & mark) && active_chain_contains(lost->active, node))
            out[n++] = node;
    }
    return n;
}

const char *lost_text(struct lost *lost)
{
    char blocks[80] = "", undo[80] = "";
    if (lost->n_blocks + lost->n_undo == 0)
        return NULL;
    while (!block_node_lost_any(lost->at[lost->n - 1]))
        unlist(lost, lost->n - 1);
    if (lost->n_blocks > 0)
        snprintf(blocks, sizeof blocks, " %zu stored blocks (asked of peers)", lost->n_blocks);
    if (lost->n_undo > 0)
        snprintf(undo, sizeof undo, "%s undo data of %zu blocks (made anew from blocks)",
                 lost->n_blocks > 0 ? "," : "", lost->n_undo);
    snprintf(lost->text, sizeof lost->text,
             "Damaged or missing in the block files:%s%s; one of them is at height %d", blocks,
             undo, lost->at[lost->n - 1]->height);
    return lost->text;
}

/* -- At a start -------------------------------------------------------------------------------- */

/* The sizes of the files of both kinds. */
struct sizes {
    uint64_t *block, *undo;
    size_t n, n_named, n_absent;  /* block files that the index names, and not there */
    size_t n_undo, n_undo_absent; /* the same of files of undo data */
    size_t n_short;               /* files of either kind that are shorter than they were counted */
    bool *is_told;
};

static int measure_file(struct lost *lost, struct sizes *sizes, size_t i)
{
    const struct block_file_info *info = block_files_info(lost->core->files, i);
    int error = block_files_size(lost->core->files, (int32_t)i, false, &sizes->block[i]);
    bool is_absent = error == -ENOENT;
    if (!error || is_absent)
        error = block_files_size(lost->core->files, (int32_t)i, true, &sizes->undo[i]);
    if (error && error != -ENOENT)
        return error;
    sizes->n_undo += info->undo_bytes > 0;
    sizes->n_undo_absent += info->undo_bytes > 0 && error == -ENOENT;
    sizes->n_named += info->n_blocks > 0;
    sizes->n_absent += info->n_blocks > 0 && is_absent;
    sizes->n_short += sizes->block[i] < info->block_bytes || sizes->undo[i] < info->undo_bytes;
    return 0;
}

static bool is_beyond(const struct file_pos *pos, const uint64_t *sizes, size_t n)
{
    return pos->file >= 0 &&
           ((size_t)pos->file >= n || (uint64_t)pos->offset + pos->len > sizes[pos->file]);
}

/* A file whose size is still counted may have been pruned right before a crash: it is damaged only
 * if a block that the index has there is not. */
static void tell_file(const struct lost *lost, const struct sizes *sizes, int32_t file)
{
    if ((size_t)file >= sizes->n || sizes->is_told[file])
        return;
    sizes->is_told[file] = true;
    log_warning(lost->core->log, "blk%05d.dat or rev%05d.dat is missing or too short: damaged",
                (int)file, (int)file);
}

static void mark_short(struct lost *lost, const struct sizes *sizes, struct block_node *at)
{
    if (block_node_has_data(at) && is_beyond(&at->data, sizes->block, sizes->n)) {
        tell_file(lost, sizes, at->data.file);
        lost_block(lost, at);
    }
    if (block_node_has_undo(at) && is_beyond(&at->undo, sizes->undo, sizes->n)) {
        tell_file(lost, sizes, at->undo.file);
        lost_undo(lost, at);
    }
}

/* The operator may have mended the file: the place is looked at again. */
static bool is_there_again(const struct lost *lost, const struct block_node *node)
{
    uint8_t *raw;
    if (node->data.file < 0 || block_files_read(lost->core->files, &node->data, &raw))
        return false;
    xfree(raw);
    return true;
}

static void take_up_block(struct lost *lost, struct block_node *node)
{
    if (!is_there_again(lost, node)) {
        add(lost, node, BLOCK_LOST_DATA);
        return;
    }
    node->status |= BLOCK_HAVE_DATA;
    header_tree_mark_dirty(lost->tree, node);
}

/* Parents come first in this walk, so the newest are the last to be added and the first to be had
 * again. */
static void mark_nodes(struct lost *lost, const struct sizes *sizes)
{
    struct block_node *genesis = lost->tree->genesis;
    for (struct block_node *at = block_node_next_descendant(genesis, genesis); at;
         at = block_node_next_descendant(genesis, at)) {
        uint32_t marks = at->status & BLOCK_LOST_MASK;
        at->status &= ~(uint32_t)BLOCK_LOST_MASK;
        if (marks & BLOCK_LOST_DATA)
            take_up_block(lost, at);
        if (marks & BLOCK_LOST_UNDO)
            add(lost, at, BLOCK_LOST_UNDO);
        if (sizes->n_short > 0)
            mark_short(lost, sizes, at);
    }
}

/* One file may be deleted; all of several at once, or that of the blocks and that of their undo
 * data, are on a disk that is not mounted. */
static bool are_gone(const struct sizes *sizes)
{
    bool is_all = sizes->n_named > 0 && sizes->n_absent == sizes->n_named;
    return is_all &&
           (sizes->n_named > 1 || (sizes->n_undo > 0 && sizes->n_undo_absent == sizes->n_undo));
}

/* Are bytes of a block, or of undo data, that the index has beyond the end of their file? */
static bool lacks_bytes(const struct lost *lost, const struct sizes *sizes)
{
    struct block_node *genesis = lost->tree->genesis;
    for (struct block_node *at = block_node_next_descendant(genesis, genesis);
         at && sizes->n_short > 0; at = block_node_next_descendant(genesis, at))
        if ((block_node_has_data(at) && is_beyond(&at->data, sizes->block, sizes->n)) ||
            (block_node_has_undo(at) && is_beyond(&at->undo, sizes->undo, sizes->n)))
            return true;
    return false;
}

/* Mark what is damaged. False with *error where it is to be left as it is, or all of it is gone. */
static bool take_up(struct lost *lost, const struct sizes *sizes, const char *dir, char **error)
{
    if (are_gone(sizes)) {
        *error = xasprintf("None of the %zu block files is in %s: is the disk mounted, is "
                           "-blocksdir right? With -reindex all blocks are downloaded again",
                           sizes->n_named, dir);
        return false;
    }
    if (lost->core->options.keeps_damage && lacks_bytes(lost, sizes)) {
        *error = xasprintf("Error loading block database. Block files in %s are missing or too "
                           "short: with -repair what is lost is asked of peers, with -reindex all "
                           "is made anew",
                           dir);
        return false;
    }
    mark_nodes(lost, sizes);
    return true;
}

bool lost_open(struct lost *lost, const char *dir, char **error)
{
    ASSERT(!lost->core->is_open && lost->n == 0);
    log_printf(lost->core->log, LOG_ALWAYS, "Checking all blk files are present...");
    size_t n = block_files_count(lost->core->files);
    struct sizes sizes = {.n = n};
    sizes.block = xcalloc(2 * n + 1, sizeof *sizes.block);
    sizes.undo = sizes.block + n;
    sizes.is_told = xcalloc(n + 1, sizeof *sizes.is_told);
    int code = 0;
    for (size_t i = 0; i < n && !code; i++)
        code = measure_file(lost, &sizes, i);
    bool ok = !code && take_up(lost, &sizes, dir, error);
    if (code)
        *error = xasprintf("Cannot look at the block files in %s: %s", dir, strerror(-code));
    xfree(sizes.block);
    xfree(sizes.is_told);
    return ok;
}
