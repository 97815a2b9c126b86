/* import.c - see import.h.
 *
 * A scan job finds the records of a file a batch at a time, without reading the blocks. A record
 * whose parent is unknown waits, as parent hash -> place in the file, until the parent comes.
 * The others are read by jobs and accepted, with a bounded number of bytes under way. If more
 * records have to wait than there is room for, the file is gone through again. */
#include "chain/intake/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/disk/block_file.h"
#include "consensus/block_check.h"
#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/endian.h"
#include "util/hex.h"
#include "util/planted.h"

#define IMPORT_SCAN_BATCH      512
#define IMPORT_SCAN_BYTES      (1 << 20) /* read at once while looking for records */
#define IMPORT_UNDER_WAY_MAX   256       /* blocks */
#define IMPORT_UNDER_WAY_BYTES (48u << 20)
#define IMPORT_PARKED_MAX      (1u << 20) /* records that wait for their parent */
#define RECORD_BYTES_MIN       (BLOCK_RECORD_HEADER_BYTES + BLOCK_HEADER_BYTES)
#define HEADER_TIME_OFFSET     68

/* A block in a file. */
struct record {
    struct record *next; /* in the queue, or waiting for the same parent */
    struct block_hash hash, prev;
    struct file_pos pos; /* file -1: in the imported file, at offset */
    uint64_t offset;
    uint32_t len;
};

/* Records whose parent is not known yet. */
struct parked {
    struct block_hash parent;
    struct record *records; /* owned, last found first */
};

/* One block being read. */
struct fetch {
    struct env_job job;
    struct import *import;
    struct record *record;
    uint8_t *raw;
    int error;
};

/* A file, or all of our block files, being gone through. While scanning is set the scan job has
 * file_number, offset, scan_done, scan_error, truncated_at, passed, found and n_found for itself;
 * all else is the loop's. */
struct import {
    struct list_link link;
    struct importer *importer;
    char *path; /* a file of the user's, or NULL: our block files */
    struct env_file *file;
    int32_t file_number; /* of our block files: the one being scanned */
    int32_t file_end;    /* ... and one past the last; some in between may be gone (pruning) */
    bool is_reindex;
    uint64_t offset, size; /* where the scan is */
    struct env_job scan;
    bool scanning, scan_done, is_cancelled;
    int error;
    int scan_error; /* the scan job's: meanwhile the loop may find out that a block is unreadable */
    uint64_t truncated_at;             /* offset of a record that the file ends in, or 0 */
    int32_t passed;                    /* a file of ours that gets no new records, or -1 */
    struct record *found, **found_end; /* by the scan job */
    size_t n_found;
    struct record *queue, **queue_end; /* to be fetched */
    size_t n_queued;
    struct hash_map parked; /* struct parked by parent */
    size_t n_parked;
    bool overflowed;                   /* records were left out: another pass is needed */
    size_t gave_up_at;                 /* headers known when the waiting records were last tried */
    uint64_t pass_blocks;              /* new blocks of this pass */
    size_t under_way, under_way_bytes; /* blocks being read or not decided yet */
    uint64_t n_blocks;                 /* accepted or known, of all passes */
    uint64_t n_early;    /* blocks too new for our clock; their descendants wait for them */
    uint32_t early_time; /* of the first of them to be due */
    void (*done)(void *arg, int error, uint64_t n_blocks);
    void *arg;
};

/* -- Scanning (job) ---------------------------------------------------------------------------- */

/* Only its name, its parent's and its place are kept: a file has many more records than memory has
 * room for blocks. */
static void note_record(struct import *import, struct span header, const struct file_pos *pos,
                        uint64_t offset, uint32_t len)
{
    struct record *record = xcalloc(1, sizeof *record);
    sha256d(header, record->hash.b);
    memcpy(record->prev.b, header.p + 4, sizeof record->prev.b);
    record->pos = pos ? *pos : (struct file_pos){.file = -1};
    record->offset = offset;
    record->len = len;
    *import->found_end = record;
    import->found_end = &record->next;
    import->n_found++;
}

static bool note_stored(void *arg, const struct file_pos *pos, struct span block)
{
    if (block.len >= BLOCK_HEADER_BYTES)
        note_record(arg, span_of(block.p, BLOCK_HEADER_BYTES), pos, 0, pos->len);
    return true;
}

/* One of our own block files. */
static void scan_block_file(struct import *import)
{
    bool is_last = import->file_number + 1 == import->file_end;
    import->scan_error = block_files_scan(import->importer->core->files, import->file_number,
                                          (uint32_t)import->offset, note_stored, import);
    import->passed =
        !import->scan_error && (import->is_reindex || !is_last) ? import->file_number : -1;
    if (import->scan_error == -ENOENT)
        import->scan_error = 0; /* pruned */
    import->file_number++;
    import->offset = 0;
    import->scan_done = import->file_number >= import->file_end;
}

/* Take the record at buffer[at]. Returns the bytes to go on by: 1 where there is none. 0: the
 * buffer does not hold enough to tell. */
static size_t take_record(struct import *import, const uint8_t *buffer, size_t at, size_t n)
{
    if (n - at < RECORD_BYTES_MIN)
        return 0;
    if (memcmp(buffer + at, import->importer->core->network->magic, 4) != 0)
        return 1;
    struct reader r = reader_of(span_of(buffer + at + 4, 4));
    uint32_t len = read_u32(&r);
    if (len < BLOCK_HEADER_BYTES + 1 || len > BLOCK_SERIALIZED_MAX_BYTES)
        return 1;
    uint64_t offset = import->offset + at + BLOCK_RECORD_HEADER_BYTES;
    if (offset + len > import->size) {
        import->truncated_at = offset - BLOCK_RECORD_HEADER_BYTES;
        return 1;
    }
    note_record(import, span_of(buffer + at + BLOCK_RECORD_HEADER_BYTES, BLOCK_HEADER_BYTES), NULL,
                offset, len);
    return BLOCK_RECORD_HEADER_BYTES + (size_t)len;
}

/* A file of the user's: hop from record to record. */
static void scan_file(struct import *import, uint8_t *buffer)
{
    const struct env *env = import->importer->core->env;
    while (import->n_found < IMPORT_SCAN_BATCH && !import->scan_done &&
           !atomic_load(&import->importer->core->stops_jobs)) {
        int64_t n = env_file_read_at(env, import->file, import->offset, buffer, IMPORT_SCAN_BYTES);
        if (n < 0) {
            import->scan_error = (int)n;
            return;
        }
        size_t at = 0, step = 1;
        while (step > 0 && at < (size_t)n && import->n_found < IMPORT_SCAN_BATCH) {
            step = take_record(import, buffer, at, (size_t)n);
            at += step;
        }
        import->offset += at;
        bool at_end = n < IMPORT_SCAN_BYTES && (step == 0 || at >= (size_t)n);
        import->scan_done = at_end || import->offset >= import->size;
    }
}

static void run_scan(struct env_job *job)
{
    struct import *import = CONTAINER_OF(job, struct import, scan);
    if (!import->path) {
        scan_block_file(import);
        return;
    }
    uint8_t *buffer = xmalloc(IMPORT_SCAN_BYTES);
    scan_file(import, buffer);
    xfree(buffer);
}

/* -- Records waiting for their parent ---------------------------------------------------------- */

static uint64_t hash_of(const struct import *import, const struct block_hash *hash)
{
    return siphash13_id(import->importer->tree->key, hash->b, 0);
}

static bool has_parent(const void *value, const void *key)
{
    return block_hash_equal(&((const struct parked *)value)->parent, key);
}

/* Let a record wait for its parent. Without room it is dropped and found again by another pass, so
 * that a file in the worst order costs time and not memory. */
static void park(struct import *import, struct record *record)
{
    size_t limit = import->importer->core->options.import_parked_max;
    if (import->n_parked >= (limit ? limit : IMPORT_PARKED_MAX)) {
        import->overflowed = true;
        xfree(record);
        return;
    }
    uint64_t hash = hash_of(import, &record->prev);
    struct parked *parked = hash_map_find(&import->parked, hash, has_parent, &record->prev);
    if (!parked) {
        parked = xcalloc(1, sizeof *parked);
        parked->parent = record->prev;
        hash_map_insert(&import->parked, hash, parked);
    }
    record->next = parked->records;
    parked->records = record;
    import->n_parked++;
}

static void enqueue(struct import *import, struct record *record)
{
    record->next = NULL;
    *import->queue_end = record;
    import->queue_end = &record->next;
    import->n_queued++;
}

/* A header has become known: its children can come now. */
static void unpark_children(struct import *import, const struct block_hash *parent)
{
    struct parked *parked =
        hash_map_remove(&import->parked, hash_of(import, parent), has_parent, parent);
    if (!parked)
        return;
    while (parked->records) {
        struct record *record = parked->records;
        parked->records = record->next;
        import->n_parked--;
        enqueue(import, record);
    }
    xfree(parked);
}

/* All that were found and are not being read. */
static void drop_records(struct import *import)
{
    struct parked *parked;
    size_t at = 0;
    while ((parked = hash_map_next(&import->parked, &at))) {
        while (parked->records) {
            struct record *record = parked->records;
            parked->records = record->next;
            xfree(record);
        }
        xfree(parked);
    }
    hash_map_deinit(&import->parked);
    hash_map_init(&import->parked);
    import->n_parked = 0;
    struct record *lists[] = {import->queue, import->found};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        while (lists[i]) {
            struct record *record = lists[i];
            lists[i] = record->next;
            xfree(record);
        }
    import->queue = import->found = NULL;
    import->queue_end = &import->queue;
    import->found_end = &import->found;
    import->n_queued = import->n_found = 0;
}

/* -- Reading and accepting --------------------------------------------------------------------- */

static void run_fetch(struct env_job *job)
{
    struct fetch *fetch = (struct fetch *)job;
    struct importer *importer = fetch->import->importer;
    const struct record *record = fetch->record;
    if (record->pos.file >= 0) {
        fetch->error = block_files_read(importer->core->files, &record->pos, &fetch->raw);
        return;
    }
    fetch->raw = xmalloc(record->len);
    int64_t n = env_file_read_at(importer->core->env, fetch->import->file, record->offset,
                                 fetch->raw, record->len);
    if (n != (int64_t)record->len)
        fetch->error = n < 0 ? (int)n : -EIO;
}

struct import_block {
    struct import *import;
    uint32_t len, time;
};

static void note_early(struct import *import, uint32_t time)
{
    if (import->n_early == 0 || time < import->early_time)
        import->early_time = time;
    import->n_early++;
}

/* Also for a block that could not be read, with a verdict of ours: every fetch ends here. */
static void block_decided(void *arg, const struct chain_block_result *result)
{
    struct import_block *block = arg;
    struct import *import = block->import;
    import->under_way--;
    import->under_way_bytes -= block->len;
    if (reject_class(result->verdict.code) == REJECT_CLASS_EARLY)
        note_early(import, block->time);
    if (result->is_new)
        import->pass_blocks++;
    if (result->verdict.code == REJECT_NONE)
        import->n_blocks++;
    xfree(block);
    core_wake_soon(import->importer->core);
}

/* A block that could not be read. In our own files that is a fault of the disk, after which the
 * next start tries again; but bytes that have changed since they were scanned are no block any
 * more. */
static void note_unread(struct import *import, const struct record *record, int error)
{
    if (!import->path && error == -EUCLEAN)
        log_warning(import->importer->core->log, "blk%05d.dat: the record at offset %u is damaged",
                    (int)record->pos.file, record->pos.offset);
    else if (!import->error)
        import->error = error;
}

/* The block goes to intake, which takes its header at once: so its children can be queued now, and
 * are read while it is still being checked. */
static void fetch_done(struct env_job *job)
{
    struct fetch *fetch = (struct fetch *)job;
    struct import *import = fetch->import;
    struct record *record = fetch->record;
    struct import_block *block = xmalloc(sizeof *block);
    *block = (struct import_block){.import = import, .len = record->len};
    struct chain_block_result none = {.verdict = {.code = REJECT_FAULT}};
    if (job->cancelled || fetch->error || import->is_cancelled) {
        if (fetch->error)
            note_unread(import, record, fetch->error);
        xfree(fetch->raw);
        block_decided(block, &none);
    } else {
        block->time = load_le32(fetch->raw + HEADER_TIME_OFFSET);
        intake_imported_block(import->importer->intake, record->pos.file >= 0 ? &record->pos : NULL,
                              fetch->raw, record->len, block_decided, block);
        if (header_tree_find(import->importer->tree, &record->hash))
            unpark_children(import, &record->hash);
    }
    xfree(record);
    xfree(fetch);
    core_end(import->importer->core);
}

static void start_fetch(struct import *import, struct record *record)
{
    struct importer *importer = import->importer;
    struct fetch *fetch = xcalloc(1, sizeof *fetch);
    ASSERT(import->under_way < IMPORT_UNDER_WAY_MAX);
    *fetch = (struct fetch){.import = import, .record = record};
    fetch->job.run = run_fetch;
    fetch->job.done = fetch_done;
    import->under_way++;
    import->under_way_bytes += record->len;
    core_begin(importer->core);
    env_job_submit(importer->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &fetch->job);
}

/* What was pruned is not taken from a file of the user's. In our own it lies because it was fetched
 * again, after the index was last written. */
static bool has_block(const struct block_node *known, const struct record *record)
{
    bool is_ours = record->pos.file >= 0;
    return known && (block_node_has_data(known) || (known->n_tx > 0 && !is_ours));
}

/* Start what there is room for. A parent is fetched before its child, so that its header is in the
 * tree by the time the child's is looked at; only a child of a block not yet accepted waits. */
static void start_fetches(struct import *import)
{
    struct header_tree *tree = import->importer->tree;
    while (import->queue && import->under_way < IMPORT_UNDER_WAY_MAX &&
           import->under_way_bytes < IMPORT_UNDER_WAY_BYTES) {
        struct record *record = import->queue;
        import->queue = record->next;
        import->n_queued--;
        if (!import->queue)
            import->queue_end = &import->queue;
        if (has_block(header_tree_find(tree, &record->hash), record)) {
            unpark_children(import, &record->hash);
            xfree(record);
        } else if (!header_tree_find(tree, &record->prev)) {
            park(import, record); /* its parent was forgotten, and may come again */
        } else {
            start_fetch(import, record);
        }
    }
}

/* -- Going through the file -------------------------------------------------------------------- */

/* Has a rewind forgotten what lies there? */
static bool is_left_out(const struct importer *importer, const struct file_pos *pos)
{
    return importer->leaves_out && pos->file >= 0 && index_rewind_holds(&importer->left_out, pos);
}

/* Sort what the scan has found: to be fetched, or to wait. */
static void sort_found(struct import *import)
{
    struct record *record = import->found;
    /* Without a record it may be what a crash left: counted too, or pruning would not remove it. */
    if (!import->path && import->passed >= 0)
        block_files_set_used(import->importer->core->files, import->passed, 1, -1, 0);
    import->found = NULL;
    import->found_end = &import->found;
    import->n_found = 0;
    while (record) {
        struct record *next = record->next;
        /* Taken now, before a new block could be put there, and counted whatever comes of it. */
        if (record->pos.file >= 0)
            block_files_set_used(import->importer->core->files, record->pos.file,
                                 record->pos.offset + record->pos.len, -1, 0);
        if (is_left_out(import->importer, &record->pos))
            xfree(record);
        else if (header_tree_find(import->importer->tree, &record->prev) ||
                 header_tree_find(import->importer->tree, &record->hash))
            enqueue(import, record);
        else
            park(import, record);
        record = next;
    }
}

static void take_scan_error(struct import *import)
{
    if (!import->error)
        import->error = import->scan_error;
}

static void scan_finished(struct env_job *job)
{
    struct import *import = CONTAINER_OF(job, struct import, scan);
    import->scanning = false;
    take_scan_error(import);
    sort_found(import);
    core_wake_soon(import->importer->core);
    core_end(import->importer->core);
}

static void start_scan(struct import *import)
{
    struct importer *importer = import->importer;
    ASSERT(!import->scanning && !import->scan_done);
    if (import->is_reindex)
        log_printf(importer->core->log, LOG_ALWAYS,
                   "Reindexing block file blk%05d.dat (%d of %d files done)",
                   (int)import->file_number, (int)import->file_number, (int)import->file_end);
    import->scanning = true;
    core_begin(importer->core);
    import->scan = (struct env_job){.run = run_scan, .done = scan_finished};
    env_job_submit(importer->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &import->scan);
}

static void free_import(struct import *import)
{
    const struct env *env = import->importer->core->env;
    drop_records(import);
    hash_map_deinit(&import->parked);
    if (import->file)
        env_file_close(env, import->file);
    xfree(import->path);
    xfree(import);
}

/* Blocks of the future are for later: nothing is known of them until the clock lets them in. */
static void tell_early(struct import *import)
{
    struct importer *importer = import->importer;
    char message[400];
    snprintf(message, sizeof message,
             "The block files contain %llu blocks which appear to be from the future. This may be "
             "due to your computer's date and time being set incorrectly; as soon as they are "
             "right, the blocks are taken in",
             (unsigned long long)(import->n_early + import->n_parked));
    importer->early_s = (int64_t)import->early_time - BLOCK_TIME_AHEAD_MAX_S;
    core_warn(importer->core, message);
}

/* The bug REINDEX_MARK_EARLY: the rows that the mark stands for are still to be written. */
static int plant_early_end(struct importer *importer)
{
    struct env_batch *batch = env_batch_new(importer->core->env);
    index_db_batch_clear_flag(importer->core->index, batch, INDEX_FLAG_REINDEXING);
    return index_db_write(importer->core->index, batch);
}

/* Our block files have been gone through. What was refused only for now stays marked, and so does
 * everything if it was not the end. */
static void end_own_files(struct import *import)
{
    struct importer *importer = import->importer;
    if (PLANTED(importer->core->env, REINDEX_MARK_EARLY) && import->is_reindex)
        import->error = plant_early_end(importer);
    if (PLANTED(importer->core->env, EARLY_ENDS_REPLAY))
        import->n_early = 0;
    if (import->error)
        core_fault(importer->core, import->error, "reading the block files");
    else if (import->n_early > 0)
        tell_early(import);
    else
        importer->flush->marks_over |= import->is_reindex ? ~0u : CHAIN_MARK_REPLAY;
}

static void warn_of_left_out(struct import *import)
{
    const struct log *log = import->importer->core->log;
    if (import->truncated_at && !import->error)
        log_warning(log, "%s: cut short: the record at offset %llu has no end", import->path,
                    (unsigned long long)import->truncated_at);
    if (import->n_early > 0)
        log_warning(log, "%llu blocks were left out: they appear to be from the future",
                    (unsigned long long)import->n_early);
    if (import->n_parked > 0)
        log_warning(log, "%zu blocks were left out: their parents are unknown", import->n_parked);
}

/* Out of the list before done is called, which may import the next file. */
static void end_import(struct import *import)
{
    struct importer *importer = import->importer;
    list_remove(&importer->imports, &import->link);
    warn_of_left_out(import);
    if (!import->path && !import->is_cancelled)
        end_own_files(import);
    if (import->done)
        import->done(import->arg, import->is_cancelled ? -ECANCELED : import->error,
                     import->n_blocks);
    free_import(import);
    core_wake_soon(importer->core); /* the next file's turn */
}

/* Some records found no room to wait; the parents of some of them are known by now. */
static void start_another_pass(struct import *import)
{
    drop_records(import);
    import->overflowed = false;
    import->pass_blocks = 0;
    import->n_early = 0;
    import->offset = 0;
    import->file_number = 0;
    import->scan_done = false;
    core_wake_soon(import->importer->core);
}

/* Parents may have come from elsewhere, such as another file: queue what can go on now. */
static bool retry_parked(struct import *import)
{
    struct parked *parked;
    size_t at = 0;
    import->gave_up_at = import->importer->tree->count;
    while ((parked = hash_map_next(&import->parked, &at)))
        if (header_tree_find(import->importer->tree, &parked->parent)) {
            struct block_hash parent = parked->parent;
            unpark_children(import, &parent);
            at = 0; /* the map has changed */
        }
    return import->queue != NULL;
}

/* Another file may still bring parents that records of this one wait for. */
static bool others_may_help(const struct import *import)
{
    const struct importer *importer = import->importer;
    LIST_EACH (struct import, at, &importer->imports, link) {
        bool is_through = at->scan_done || at->error;
        if (at != import &&
            (!is_through || (at->n_parked > 0 && at->gave_up_at < importer->tree->count)))
            return true;
    }
    return false;
}

static void let_others_go_first(struct import *import)
{
    struct list *imports = &import->importer->imports;
    ASSERT(imports->first == &import->link);
    list_remove(imports, &import->link);
    list_add(imports, &import->link);
    core_wake_soon(import->importer->core);
}

/* Everything found was fetched and decided. */
static void pass_done(struct import *import)
{
    if (import->n_parked > 0 && !import->error) {
        if (retry_parked(import)) {
            core_wake_soon(import->importer->core);
            return;
        }
        if (others_may_help(import)) {
            let_others_go_first(import);
            return;
        }
    }
    if (import->overflowed && import->pass_blocks > 0 && !import->error)
        start_another_pass(import);
    else
        end_import(import);
}

/* Reading goes on beside the scan, and the scan goes on only when little of what it has found is
 * left, so that records in memory stay few. */
static void import_step(struct import *import)
{
    start_fetches(import);
    if (import->scanning)
        return;
    bool is_through = import->scan_done || import->error;
    if (is_through && import->under_way == 0 && !import->queue) {
        pass_done(import);
        return;
    }
    if (!is_through && import->n_queued <= IMPORT_SCAN_BATCH)
        start_scan(import);
}

bool importer_is_active(const struct importer *importer)
{
    return importer->imports.count > 0;
}

bool importer_has_own_files(const struct importer *importer)
{
    LIST_EACH (struct import, import, &importer->imports, link)
        if (!import->path)
            return true;
    return importer->early_s > 0;
}

bool importer_is_replaying(const struct importer *importer)
{
    LIST_EACH (struct import, import, &importer->imports, link)
        if (!import->path && !import->is_reindex)
            return true;
    return false;
}

static struct import *add_import(struct importer *importer)
{
    struct import *import = xcalloc(1, sizeof *import);
    import->importer = importer;
    import->queue_end = &import->queue;
    import->found_end = &import->found;
    hash_map_init(&import->parked);
    list_add(&importer->imports, &import->link);
    core_wake_soon(importer->core);
    return import;
}

/* One of our block files. */
static struct import *add_own_import(struct importer *importer)
{
    struct import *import = add_import(importer);
    size_t end = 0;
    import->error = block_files_end(importer->core->files, &end);
    import->file_end = (int32_t)end;
    import->passed = -1;
    return import;
}

/* Where to look for records that the index does not know: where a replay that was cut short began,
 * or behind the last known record. */
static void find_replay_start(struct import *import)
{
    struct importer *importer = import->importer;
    size_t n = block_files_count(importer->core->files);
    if (importer->flush->marks & CHAIN_MARK_REPLAY) {
        import->file_number = importer->replay_file;
        import->offset = importer->replay_offset;
        return;
    }
    import->file_number = n ? (int32_t)n - 1 : 0;
    import->offset = n ? block_files_info(importer->core->files, n - 1)->block_bytes : 0;
}

static void scan_and_take(struct import *import)
{
    scan_block_file(import);
    take_scan_error(import);
}

/* What was appended after the index was last written. Where it began is noted first, for the case
 * of another crash. */
static void start_replay(struct import *import)
{
    struct importer *importer = import->importer;
    find_replay_start(import);
    int32_t file = import->file_number;
    uint32_t offset = (uint32_t)import->offset;
    while (!import->scan_done && !import->error)
        scan_and_take(import);
    if (import->found && !(importer->flush->marks & CHAIN_MARK_REPLAY) && !import->error) {
        if (!PLANTED(importer->core->env, REPLAY_NOT_NOTED))
            import->error = index_db_set_replay_from(importer->core->index, file, offset);
        importer->flush->marks |= import->error ? 0 : CHAIN_MARK_REPLAY;
        importer->replay_file = file;
        importer->replay_offset = offset;
    }
    /* Without the note nothing may be counted: a flush before the fault would make it so for good.
     */
    if (!import->error)
        sort_found(import);
    if (import->scan_done && !import->queue && import->n_parked == 0)
        end_import(import); /* as after every clean stop: there is nothing to replay */
}

void import_block_files(struct importer *importer, bool from_start)
{
    struct import *import = add_own_import(importer);
    importer->early_s = 0;
    importer->flush->marks_over = 0; /* it begins anew */
    import->is_reindex = from_start;
    if (!from_start)
        start_replay(import);
}

/* The clock has moved: blocks of our files that were too new may be taken in now. */
static void retry_early(struct importer *importer)
{
    bool is_due = importer->early_s > 0 && core_now_s(importer->core) >= importer->early_s;
    if (!is_due || importer_is_active(importer))
        return;
    core_warn(importer->core, "");
    import_block_files(importer, importer->flush->marks & CHAIN_MARK_REINDEX);
}

void import_file(struct importer *importer, const char *path,
                 void (*done)(void *arg, int error, uint64_t n_blocks), void *arg)
{
    const struct env *env = importer->core->env;
    struct env_file *file;
    ASSERT(path);
    int error = core_is_working(importer->core) ? env_file_open(env, path, ENV_OPEN_READ, &file)
                                                : -ECANCELED;
    if (error) {
        done(arg, error, 0);
        return;
    }
    struct import *import = add_import(importer);
    int64_t size = env_file_size(env, file);
    import->path = xstrdup(path);
    import->file = file;
    import->size = size > 0 ? (uint64_t)size : 0;
    import->error = size < 0 ? (int)size : 0;
    import->done = done;
    import->arg = arg;
}

/* -- As a part --------------------------------------------------------------------------------- */

/* Those that were cancelled end as soon as nothing of them is under way. */
static void end_cancelled(struct importer *importer)
{
    LIST_EACH_REMOVING (struct import, import, &importer->imports, link)
        if (import->is_cancelled && !import->scanning && import->under_way == 0)
            end_import(import);
}

static void step_imports(void *part)
{
    struct importer *importer = part;
    if (importer->core->closing)
        end_cancelled(importer);
    if (!core_is_working(importer->core))
        return;
    retry_early(importer);
    /* One file after the other: only the first is worked on. */
    if (importer_is_active(importer) && !importer->is_held)
        import_step(LIST_FIRST(struct import, &importer->imports, link));
}

static bool has_imports(const void *part)
{
    return importer_is_active(part);
}

/* Jobs under way end by themselves: the turns of the closing chain wait for that. */
static void cancel_all(void *part)
{
    struct importer *importer = part;
    LIST_EACH (struct import, import, &importer->imports, link)
        import->is_cancelled = true;
}

const struct chain_part import_part = {
    .step = step_imports, .is_busy = has_imports, .cancel = cancel_all};
