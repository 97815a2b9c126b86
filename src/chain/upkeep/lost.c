/* lost.c - see lost.h. */
#include "chain/upkeep/lost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/chain_internal.h"
#include "chain/upkeep/undo_repair.h"
#include "util/alloc.h"

void lost_deinit(struct lost *lost)
{
    xfree(lost->at);
    *lost = (struct lost){0};
}

/* -- Marks ------------------------------------------------------------------------------------- */

static void add(struct chain *chain, struct block_node *node, uint32_t mark)
{
    struct lost *lost = &chain->lost;
    ASSERT(mark == BLOCK_LOST_DATA || mark == BLOCK_LOST_UNDO);
    bool is_first = lost->n_blocks + lost->n_undo == 0;
    bool is_listed = node->status & BLOCK_LOST_MASK;
    node->status |= mark;
    *(mark == BLOCK_LOST_DATA ? &lost->n_blocks : &lost->n_undo) += 1;
    lost->n_changes += mark == BLOCK_LOST_UNDO;
    if (!is_listed) {
        if (lost->n == lost->capacity) {
            lost->capacity = 2 * lost->capacity + 64;
            lost->at = xrealloc(lost->at, lost->capacity, sizeof(struct block_node *));
        }
        lost->at[lost->n++] = node;
    }
    if (is_first && chain->core.events.loss)
        chain->core.events.loss(chain->core.events.ctx, chain_loss(chain));
}

static void take_away(struct chain *chain, struct block_node *node, uint32_t mark)
{
    struct lost *lost = &chain->lost;
    size_t *n = mark == BLOCK_LOST_DATA ? &lost->n_blocks : &lost->n_undo;
    if (!(node->status & mark))
        return;
    ASSERT(*n > 0);
    --*n;
    node->status &= ~mark;
    header_tree_mark_dirty(&chain->tree, node);
    if (lost->n_blocks + lost->n_undo > 0)
        return;
    lost->n = 0;
    log_printf(chain->core.log, LOG_ALWAYS,
               "what was damaged or missing in the block files is there");
    if (chain->core.events.loss)
        chain->core.events.loss(chain->core.events.ctx, "");
}

/* At a start a file that is missing is told once, not each of its blocks. */
static void tell(const struct chain *chain, const struct block_node *node, bool in_undo)
{
    const struct file_pos *pos = in_undo ? &node->undo : &node->data;
    if (chain->core.is_open)
        log_warning(chain->core.log,
                    "the stored %s at height %d is damaged or missing (file %s%05d.dat, offset %u)",
                    in_undo ? "undo data of the block" : "block", node->height,
                    in_undo ? "rev" : "blk", (int)pos->file, pos->offset);
}

void lost_block(struct chain *chain, struct block_node *node)
{
    ASSERT(node->height > 0);
    if (!(node->status & BLOCK_HAVE_DATA) || kept_blocks_find(&chain->kept, node))
        return; /* who reads it now gets it from memory */
    tell(chain, node, false);
    if (chain_contains(chain, node)) {
        node->status &= ~(uint32_t)BLOCK_HAVE_DATA;
        header_tree_mark_dirty(&chain->tree, node);
    } else {
        best_chain_data_lost(chain, node);
    }
    if (!(node->status & BLOCK_LOST_DATA))
        add(chain, node, BLOCK_LOST_DATA);
    if (chain->core.is_open && !chain->core.closing && chain->core.events.block_lost)
        chain->core.events.block_lost(chain->core.events.ctx, node);
}

void lost_undo(struct chain *chain, struct block_node *node)
{
    ASSERT(node->height > 0);
    if (!(node->status & BLOCK_HAVE_UNDO))
        return;
    tell(chain, node, true);
    node->status &= ~(uint32_t)BLOCK_HAVE_UNDO;
    header_tree_mark_dirty(&chain->tree, node);
    if (!chain_contains(chain, node)) {
        node->undo.file = -1; /* it is written when the block is connected */
        return;
    }
    add(chain, node, BLOCK_LOST_UNDO);
    core_wake_soon(&chain->core);
}

void lost_block_found(struct chain *chain, struct block_node *node)
{
    take_away(chain, node, BLOCK_LOST_DATA);
}

void lost_block_written(struct chain *chain)
{
    chain->lost.n_returned++;
    chain->lost.n_changes++;
    core_wake_soon(&chain->core);
}

void lost_undo_found(struct chain *chain, struct block_node *node)
{
    take_away(chain, node, BLOCK_LOST_UNDO);
}

/* -- Asking ------------------------------------------------------------------------------------ */

size_t lost_list(struct chain *chain, bool undo, struct block_node **out, size_t max)
{
    struct lost *lost = &chain->lost;
    uint32_t mark = undo ? BLOCK_LOST_UNDO : BLOCK_LOST_DATA;
    size_t n = 0;
    for (size_t i = lost->n; i-- > 0 && n < max;) {
        struct block_node *node = lost->at[i];
        if (!(node->status & BLOCK_LOST_MASK)) {
            memmove(&lost->at[i], &lost->at[i + 1], (lost->n - i - 1) * sizeof(node));
            lost->n--;
        } else if ((node->status & mark) && chain_contains(chain, node)) {
            out[n++] = node;
        }
    }
    return n;
}

size_t chain_lost_blocks(struct chain *chain, const struct block_node **out, size_t max)
{
    return lost_list(chain, false, (struct block_node **)out, max);
}

const char *chain_loss(struct chain *chain)
{
    struct lost *lost = &chain->lost;
    char blocks[80] = "", undo[80] = "";
    if (lost->n_blocks + lost->n_undo == 0)
        return NULL;
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

static int measure_file(struct chain *chain, struct sizes *sizes, size_t i)
{
    const struct block_file_info *info = block_files_info(chain->core.files, i);
    int error = block_files_size(chain->core.files, (int32_t)i, false, &sizes->block[i]);
    bool is_absent = error == -ENOENT;
    if (!error || is_absent)
        error = block_files_size(chain->core.files, (int32_t)i, true, &sizes->undo[i]);
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
static void tell_file(const struct chain *chain, const struct sizes *sizes, int32_t file)
{
    if ((size_t)file >= sizes->n || sizes->is_told[file])
        return;
    sizes->is_told[file] = true;
    log_warning(chain->core.log, "blk%05d.dat or rev%05d.dat is missing or too short: damaged",
                (int)file, (int)file);
}

static void mark_short(struct chain *chain, const struct sizes *sizes, struct block_node *at)
{
    if ((at->status & BLOCK_HAVE_DATA) && is_beyond(&at->data, sizes->block, sizes->n)) {
        tell_file(chain, sizes, at->data.file);
        lost_block(chain, at);
    }
    if ((at->status & BLOCK_HAVE_UNDO) && is_beyond(&at->undo, sizes->undo, sizes->n)) {
        tell_file(chain, sizes, at->undo.file);
        lost_undo(chain, at);
    }
}

/* The operator may have mended the file: the place is looked at again. */
static bool is_there_again(const struct chain *chain, const struct block_node *node)
{
    uint8_t *raw;
    if (node->data.file < 0 || block_files_read(chain->core.files, &node->data, &raw))
        return false;
    xfree(raw);
    return true;
}

static void take_up_block(struct chain *chain, struct block_node *node)
{
    if (!is_there_again(chain, node)) {
        add(chain, node, BLOCK_LOST_DATA);
        return;
    }
    node->status |= BLOCK_HAVE_DATA;
    header_tree_mark_dirty(&chain->tree, node);
}

/* Parents come first in this walk, so the newest are the last to be added and the first to be had
 * again. */
static void mark_nodes(struct chain *chain, const struct sizes *sizes)
{
    struct block_node *genesis = chain->tree.genesis;
    for (struct block_node *at = block_node_next_descendant(genesis, genesis); at;
         at = block_node_next_descendant(genesis, at)) {
        uint32_t marks = at->status & BLOCK_LOST_MASK;
        at->status &= ~(uint32_t)BLOCK_LOST_MASK;
        if (marks & BLOCK_LOST_DATA)
            take_up_block(chain, at);
        if (marks & BLOCK_LOST_UNDO)
            add(chain, at, BLOCK_LOST_UNDO);
        if (sizes->n_short > 0)
            mark_short(chain, sizes, at);
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

bool lost_open(struct chain *chain, char **error)
{
    ASSERT(!chain->core.is_open && chain->lost.n == 0);
    size_t n = block_files_count(chain->core.files);
    struct sizes sizes = {.n = n};
    sizes.block = xcalloc(2 * n + 1, sizeof *sizes.block);
    sizes.undo = sizes.block + n;
    sizes.is_told = xcalloc(n + 1, sizeof *sizes.is_told);
    int code = 0;
    for (size_t i = 0; i < n && !code; i++)
        code = measure_file(chain, &sizes, i);
    bool is_gone = !code && are_gone(&sizes);
    if (code)
        *error = xasprintf("Cannot look at the block files in %s: %s", chain->blocks_dir,
                           strerror(-code));
    else if (is_gone)
        *error =
            xasprintf("None of the %zu block files is in %s: is the disk mounted, is -blocksdir "
                      "right? With -reindex all blocks are downloaded again",
                      sizes.n_named, chain->blocks_dir);
    else
        mark_nodes(chain, &sizes);
    xfree(sizes.block);
    xfree(sizes.is_told);
    return !code && !is_gone;
}
