/* block_file.c - giving out space, and records with their framing.
 *
 * The loop thread owns the infos; jobs know only positions, and share the open files through
 * write_handles. */
#include "chain/disk/block_file.h"

#include <errno.h>
#include <string.h>

#include "chain/disk/block_key.h"
#include "chain/disk/write_handles.h"
#include "consensus/block.h"
#include "util/alloc.h"
#include "util/crc32c.h"
#include "util/endian.h"
#include "util/planted.h"

enum {
    UNDO_RECORD_HEADER_BYTES = 12,
    SEARCH_BYTES = 64 << 10, /* read at once while looking for the next magic */
    FILE_NUMBER_MAX = 99999, /* five digits in the name */
};

/* Of a pair; also the lowest bit of a write handle's id. */
enum kind { KIND_BLOCK, KIND_UNDO };
static const char *const prefixes[] = {"blk", "rev"};

/* A pair of files as the loop counts it; jobs never look at it. */
struct file_entry {
    struct block_file_info info;
    bool is_dirty; /* the index has to write it */
};

/* Constant after opening, so that jobs may read it, but for entries, n, capacity, first_open and
 * max_bytes, which are the loop's, and handles, which lock by themselves. */
struct block_files {
    const struct env *env;
    const struct log *log;
    char *dir;
    uint8_t magic[4];
    struct block_key key;
    struct file_entry *entries; /* by file number, owned */
    size_t n, capacity;
    size_t first_open;            /* files before this one get no new records */
    uint32_t max_bytes;           /* of a block file */
    bool begins_new;              /* the next block begins one */
    struct write_handles handles; /* shared with jobs */
};

/* A new string, for xfree(). */
static char *path_of(const struct block_files *files, enum kind kind, int32_t number)
{
    return xasprintf("%s/%s%05d.dat", files->dir, prefixes[kind], number);
}

/* Log what the system refuses, with the file: callers get the code alone. Damage, and a file that
 * is not there, are theirs to tell. Returns error. Any thread. */
static int told(const struct block_files *files, const char *what, enum kind kind, int32_t number,
                int error)
{
    if (!error || error == -EUCLEAN || error == -ENOENT)
        return error;
    char *path = path_of(files, kind, number);
    log_error(files->log, "cannot %s %s: %s", what, path, strerror(-error));
    xfree(path);
    return error;
}

/* The number in a file's name; -1 if it is not one of this kind. */
static int32_t number_of(const char *name, enum kind kind)
{
    int32_t number = 0;
    if (strlen(name) != strlen("blk00000.dat") || strncmp(name, prefixes[kind], 3) != 0 ||
        strcmp(name + 8, ".dat") != 0)
        return -1;
    for (size_t i = 3; i < 8; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        number = number * 10 + (name[i] - '0');
    }
    return number;
}

static int open_to_read(const struct block_files *files, enum kind kind, int32_t number,
                        struct env_file **file)
{
    char *path = path_of(files, kind, number);
    int error = env_file_open(files->env, path, ENV_OPEN_READ, file);
    xfree(path);
    return told(files, "open", kind, number, error);
}

/* -- opening ------------------------------------------------------------------------------ */

/* Let there be at least n entries. */
static void grow_entries(struct block_files *files, size_t n)
{
    if (n > files->capacity) {
        files->capacity = n + n / 2 + 8;
        files->entries = xrealloc(files->entries, files->capacity, sizeof *files->entries);
    }
    for (; files->n < n; files->n++)
        files->entries[files->n] =
            (struct file_entry){.info = {.height_first = -1, .height_last = -1}};
}

int block_files_open(const struct env *env, const struct log *log, const char *blocks_dir,
                     const uint8_t magic[4], const struct block_file_info *infos, size_t n_infos,
                     struct block_files **out, char **error)
{
    struct block_files *files = xcalloc(1, sizeof *files);
    files->env = env;
    files->log = log;
    files->dir = xstrdup(blocks_dir);
    memcpy(files->magic, magic, sizeof files->magic);
    files->max_bytes = BLOCK_FILE_MAX_BYTES;
    write_handles_init(&files->handles, env, log);
    grow_entries(files, n_infos);
    for (size_t i = 0; i < n_infos; i++)
        files->entries[i].info = infos[i];
    *out = NULL;
    *error = NULL;
    int result = env_make_dir(env, blocks_dir);
    if (result)
        *error = xasprintf("Cannot create the directory %s: %s", blocks_dir, strerror(-result));
    else if ((result = block_key_load(env, blocks_dir, &files->key)) != 0)
        *error = xasprintf("Cannot read %s/xor.dat: %s", blocks_dir,
                           result == -EUCLEAN ? "it must have 8 bytes" : strerror(-result));
    if (result) {
        block_files_close(files);
        return result;
    }
    *out = files;
    return 0;
}

void block_files_set_max_bytes(struct block_files *files, uint32_t max_bytes)
{
    ASSERT(max_bytes <= BLOCK_FILE_MAX_BYTES);
    files->max_bytes = max_bytes;
}

void block_files_close(struct block_files *files)
{
    if (!files)
        return;
    write_handles_deinit(&files->handles);
    xfree(files->entries);
    xfree(files->dir);
    xfree(files);
}

/* -- space ---------------------------------------------------------------------------------- */

static void note_block(struct block_file_info *info, int32_t height, uint32_t time)
{
    if (info->n_blocks == 0 || height < info->height_first)
        info->height_first = height;
    if (info->n_blocks == 0 || height > info->height_last)
        info->height_last = height;
    if (info->n_blocks == 0 || time < info->time_first)
        info->time_first = time;
    if (info->n_blocks == 0 || time > info->time_last)
        info->time_last = time;
    info->n_blocks++;
}

/* The last file, or a new one if that is closed to new records. */
static struct file_entry *last_entry(struct block_files *files)
{
    if (files->n <= files->first_open)
        grow_entries(files, files->first_open + 1);
    return &files->entries[files->n - 1];
}

void block_files_begin_new(struct block_files *files)
{
    files->begins_new = true;
}

struct file_pos block_files_alloc(struct block_files *files, uint32_t len, int32_t height,
                                  uint32_t time)
{
    uint64_t need = (uint64_t)len + BLOCK_RECORD_HEADER_BYTES;
    ASSERT(need <= BLOCK_FILE_MAX_BYTES);
    struct file_entry *entry = last_entry(files);
    bool is_full = files->begins_new || entry->info.block_bytes + need > files->max_bytes;
    files->begins_new = false;
    if (entry->info.block_bytes > 0 && is_full) {
        grow_entries(files, files->n + 1);
        entry = &files->entries[files->n - 1];
    }
    ASSERT(files->n <= FILE_NUMBER_MAX);
    struct file_pos pos = {
        .file = (int32_t)(files->n - 1),
        .offset = entry->info.block_bytes + BLOCK_RECORD_HEADER_BYTES,
        .len = len,
    };
    entry->info.block_bytes += (uint32_t)need;
    entry->is_dirty = true;
    note_block(&entry->info, height, time);
    return pos;
}

struct file_pos block_files_alloc_undo(struct block_files *files, int32_t file, uint32_t len)
{
    uint64_t need = (uint64_t)len + UNDO_RECORD_HEADER_BYTES;
    size_t number = (size_t)file;
    ASSERT(file >= 0 && number < files->n && need <= UINT32_MAX);
    while (files->entries[number].info.undo_bytes + need > UINT32_MAX)
        if (++number == files->n)
            grow_entries(files, files->n + 1);
    struct file_entry *entry = &files->entries[number];
    struct file_pos pos = {
        .file = (int32_t)number,
        .offset = entry->info.undo_bytes + UNDO_RECORD_HEADER_BYTES,
        .len = len,
    };
    entry->info.undo_bytes += (uint32_t)need;
    entry->is_dirty = true;
    return pos;
}

size_t block_files_count(const struct block_files *files)
{
    return files->n;
}

const struct block_file_info *block_files_info(const struct block_files *files, size_t file)
{
    ASSERT(file < files->n);
    return &files->entries[file].info;
}

bool block_files_take_dirty(struct block_files *files, size_t file)
{
    ASSERT(file < files->n);
    bool was_dirty = files->entries[file].is_dirty;
    files->entries[file].is_dirty = false;
    return was_dirty;
}

uint64_t block_files_total_bytes(const struct block_files *files)
{
    uint64_t total = 0;
    for (size_t i = 0; i < files->n; i++)
        total += (uint64_t)files->entries[i].info.block_bytes + files->entries[i].info.undo_bytes;
    return total;
}

void block_files_next_place(const struct block_files *files, int32_t *file, uint32_t *offset)
{
    ASSERT(file && offset);
    *file = files->n ? (int32_t)files->n - 1 : 0;
    *offset = files->n ? files->entries[files->n - 1].info.block_bytes : 0;
}

void block_files_set_used(struct block_files *files, int32_t file, uint32_t end, int32_t height,
                          uint32_t time)
{
    ASSERT(file >= 0 && file <= FILE_NUMBER_MAX);
    grow_entries(files, (size_t)file + 1);
    struct file_entry *entry = &files->entries[file];
    entry->info.block_bytes = MAX_OF(entry->info.block_bytes, end);
    if (height >= 0)
        note_block(&entry->info, height, time);
    entry->is_dirty = true;
}

/* arg: a size_t that becomes one past the number in the name, if that is more. */
static void note_existing(void *arg, const char *name)
{
    size_t *end = arg;
    int32_t number = number_of(name, KIND_BLOCK);
    if (number >= 0 && (size_t)number + 1 > *end)
        *end = (size_t)number + 1;
}

int block_files_end(const struct block_files *files, size_t *end)
{
    *end = files->n;
    return env_list(files->env, files->dir, note_existing, end);
}

int block_files_reserve_existing(struct block_files *files)
{
    size_t end;
    int error = block_files_end(files, &end);
    if (error)
        return error;
    files->first_open = end;
    grow_entries(files, end);
    return 0;
}

/* What cannot be removed is only in the way. */
static void remove_one(const struct block_files *files, enum kind kind, int32_t number)
{
    char *path = path_of(files, kind, number);
    int error = env_remove(files->env, path);
    if (error && error != -ENOENT)
        log_warning(files->log, "cannot remove %s: %s", path, strerror(-error));
    xfree(path);
}

static void remove_undo(void *arg, const char *name)
{
    const struct block_files *files = arg;
    int32_t number = number_of(name, KIND_UNDO);
    if (number >= 0)
        remove_one(files, KIND_UNDO, number);
}

int block_files_remove_undo(struct block_files *files)
{
    return env_list(files->env, files->dir, remove_undo, files);
}

static bool exists(const struct block_files *files, int32_t number)
{
    char *path = path_of(files, KIND_BLOCK, number);
    int64_t modified_s = env_modified_s(files->env, path);
    xfree(path);
    return modified_s != -ENOENT;
}

int block_files_remove_behind_gap(struct block_files *files)
{
    size_t end, at = 0;
    int error = block_files_end(files, &end);
    if (error)
        return error;
    while (at < end && exists(files, (int32_t)at))
        at++;
    for (; at < end; at++)
        remove_one(files, KIND_BLOCK, (int32_t)at);
    return 0;
}

/* -- records ---------------------------------------------------------------------------------- */

/* Reserve the next chunk of disk space when a record is the first to reach into it. Chunks divide
 * the largest file, so no file keeps more than its last part unused. */
static int reserve_chunk(const struct block_files *files, enum kind kind, struct env_file *file,
                         uint64_t begin, uint64_t end)
{
    uint64_t chunk = kind == KIND_BLOCK ? BLOCK_FILE_CHUNK_BYTES : UNDO_FILE_CHUNK_BYTES;
    uint64_t last = (end - 1) / chunk * chunk;
    if (begin > last)
        return 0;
    return env_file_allocate(files->env, file, last, chunk);
}

/* Write header and payload at offset; XORed if asked for. */
static int write_record(const struct block_files *files, struct env_file *file, uint64_t offset,
                        struct span header, struct span payload, bool obfuscate)
{
    const struct env *env = files->env;
    uint8_t head[UNDO_RECORD_HEADER_BYTES];
    memcpy(head, header.p, header.len);
    uint8_t *copy = NULL;
    if (obfuscate) {
        copy = xmemdup(payload.p, payload.len);
        block_key_apply(&files->key, offset, head, header.len);
        block_key_apply(&files->key, offset + header.len, copy, payload.len);
    }
    int error = env_file_write_at(env, file, offset, head, header.len);
    if (!error)
        error =
            env_file_write_at(env, file, offset + header.len, copy ? copy : payload.p, payload.len);
    xfree(copy);
    return error;
}

/* A write that failed may have changed the file all the same, so it is given back as written to. */
static int write_kind(struct block_files *files, enum kind kind, const struct file_pos *pos,
                      struct span header, struct span payload)
{
    ASSERT(pos->file >= 0 && pos->len == payload.len && pos->offset >= header.len);
    uint64_t begin = pos->offset - header.len, end = (uint64_t)pos->offset + pos->len;
    uint64_t id = (uint64_t)pos->file * 2 + kind;
    struct env_file *file;
    char *path = path_of(files, kind, pos->file);
    int error = write_handles_take(&files->handles, id, path, &file);
    xfree(path);
    if (error)
        return told(files, "open", kind, pos->file, error);
    error = reserve_chunk(files, kind, file, begin, end);
    if (!error)
        error = write_record(files, file, begin, header, payload, files->key.is_set);
    write_handles_give(&files->handles, id, true);
    (void)told(files, "write", kind, pos->file, error);
    return PLANTED(files->env, WRITE_ERROR_LOST) ? 0 : error;
}

int block_files_begin_undo(struct block_files *files, int32_t file)
{
    ASSERT(file >= 0);
    uint64_t id = (uint64_t)file * 2 + KIND_UNDO;
    struct env_file *handle;
    char *path = path_of(files, KIND_UNDO, file);
    int error = write_handles_take(&files->handles, id, path, &handle);
    xfree(path);
    if (!error)
        write_handles_give(&files->handles, id, true);
    return told(files, "open", KIND_UNDO, file, error);
}

static struct span encode_header(const struct block_files *files, enum kind kind,
                                 const struct file_pos *pos, uint8_t out[UNDO_RECORD_HEADER_BYTES])
{
    memcpy(out, files->magic, 4);
    store_le32(out + 4, pos->len);
    store_le32(out + 8, pos->crc32c);
    return span_of(out, kind == KIND_BLOCK ? BLOCK_RECORD_HEADER_BYTES : UNDO_RECORD_HEADER_BYTES);
}

int block_files_write(struct block_files *files, const struct file_pos *pos, struct span block)
{
    uint8_t header[UNDO_RECORD_HEADER_BYTES];
    return write_kind(files, KIND_BLOCK, pos, encode_header(files, KIND_BLOCK, pos, header), block);
}

int block_files_write_undo(struct block_files *files, const struct file_pos *pos, struct span undo)
{
    uint8_t header[UNDO_RECORD_HEADER_BYTES];
    return write_kind(files, KIND_UNDO, pos, encode_header(files, KIND_UNDO, pos, header), undo);
}

/* Read exactly n bytes and undo the obfuscation. -EUCLEAN where the file ends before. */
static int read_exactly(const struct block_files *files, struct env_file *file, uint64_t offset,
                        uint8_t *p, size_t n)
{
    int64_t got = env_file_read_at(files->env, file, offset, p, n);
    if (got < 0)
        return (int)got;
    if ((uint64_t)got != n)
        return -EUCLEAN;
    if (files->key.is_set)
        block_key_apply(&files->key, offset, p, n);
    return 0;
}

/* The framing is compared too: a place that leads into the midst of another record is damage, and
 * is found before a length from the index makes us read megabytes of something else. */
static int read_kind(struct block_files *files, enum kind kind, const struct file_pos *pos,
                     uint8_t **out)
{
    uint8_t want[UNDO_RECORD_HEADER_BYTES], have[UNDO_RECORD_HEADER_BYTES];
    struct span header = encode_header(files, kind, pos, want);
    *out = NULL;
    if (pos->file < 0)
        return -ENOENT;
    if (pos->offset < header.len)
        return -EUCLEAN;
    struct env_file *file;
    int error = open_to_read(files, kind, pos->file, &file);
    if (error)
        return error;
    error = read_exactly(files, file, pos->offset - header.len, have, header.len);
    if (!error && memcmp(have, want, header.len) != 0)
        error = -EUCLEAN; /* checked before the payload is allocated */
    if (!error) {
        uint8_t *payload = xmalloc(pos->len);
        error = read_exactly(files, file, pos->offset, payload, pos->len);
        if (!error && crc32c(0, payload, pos->len) != pos->crc32c)
            error = -EUCLEAN;
        if (error)
            xfree(payload);
        else
            *out = payload;
    }
    env_file_close(files->env, file);
    return told(files, "read", kind, pos->file, error);
}

int block_files_read(struct block_files *files, const struct file_pos *pos, uint8_t **out)
{
    return read_kind(files, KIND_BLOCK, pos, out);
}

int block_files_read_part(struct block_files *files, const struct file_pos *pos, uint8_t **out)
{
    struct env_file *file;
    *out = NULL;
    if (pos->file < 0)
        return -ENOENT;
    int error = open_to_read(files, KIND_BLOCK, pos->file, &file);
    if (error)
        return error;
    uint8_t *part = xmalloc(pos->len);
    error = read_exactly(files, file, pos->offset, part, pos->len);
    if (error)
        xfree(part);
    else
        *out = part;
    env_file_close(files->env, file);
    return told(files, "read", KIND_BLOCK, pos->file, error);
}

int block_files_read_undo(struct block_files *files, const struct file_pos *pos, uint8_t **out)
{
    return read_kind(files, KIND_UNDO, pos, out);
}

int block_files_size(const struct block_files *files, int32_t file, bool undo, uint64_t *size)
{
    struct env_file *handle;
    *size = 0;
    int error = open_to_read(files, undo ? KIND_UNDO : KIND_BLOCK, file, &handle);
    if (error)
        return error;
    int64_t n = env_file_size(files->env, handle);
    env_file_close(files->env, handle);
    *size = n > 0 ? (uint64_t)n : 0;
    return n < 0 ? (int)n : 0;
}

int block_files_sync_too(struct block_files *files, int32_t file)
{
    uint64_t id = (uint64_t)file * 2 + KIND_BLOCK;
    struct env_file *handle;
    ASSERT(file >= 0 && (size_t)file < files->n);
    char *path = path_of(files, KIND_BLOCK, file);
    int error = write_handles_take(&files->handles, id, path, &handle);
    xfree(path);
    if (!error)
        write_handles_give(&files->handles, id, true);
    return error;
}

int block_files_sync(struct block_files *files)
{
    return write_handles_sync(&files->handles, files->dir);
}

/* A file that is not there is as good as removed: the round before a crash may have got so far. */
static int remove_pair(const struct block_files *files, size_t file)
{
    const struct env *env = files->env;
    int error = 0;
    for (int kind = KIND_BLOCK; kind <= KIND_UNDO && !error; kind++) {
        char *path = path_of(files, (enum kind)kind, (int32_t)file);
        error = env_remove(env, path);
        if (error == -ENOENT)
            error = 0;
        xfree(path);
        (void)told(files, "remove", (enum kind)kind, (int32_t)file, error);
    }
    return error;
}

int block_files_remove(const struct block_files *files, const size_t *numbers, size_t n)
{
    int error = 0;
    for (size_t i = 0; i < n && !error; i++)
        error = remove_pair(files, numbers[i]);
    if (error || PLANTED(files->env, PRUNE_NOT_SYNCED))
        return error;
    error = env_sync_dir(files->env, files->dir);
    if (error)
        log_error(files->log, "cannot sync %s: %s", files->dir, strerror(-error));
    return error;
}

void block_files_forget(struct block_files *files, size_t file)
{
    ASSERT(file < files->n);
    files->entries[file] =
        (struct file_entry){.info = {.height_first = -1, .height_last = -1}, .is_dirty = true};
    /* Its number is not given out again while the index may still know the old file. */
    if (file + 1 == files->n)
        files->first_open = files->n;
}

/* -- scanning --------------------------------------------------------------------------------- */

/* A walk through one block file, on whatever thread asked for it. */
struct scan {
    const struct block_files *files;
    struct env_file *file;
    int32_t number;
    uint64_t size, at; /* of the file; the next byte to look at */
    uint8_t *buffer;   /* of the largest record, or of SEARCH_BYTES */
};

/* The magic in some bytes, or NULL. What was reserved and never written is the key, over and over
 * again: where all bytes are as those eight before, one turn of it has any that there is. A file
 * has 16 MB of that mostly, each start looks through them. */
static const uint8_t *magic_in(const struct block_files *files, const uint8_t *p, size_t n)
{
    enum { PERIOD = BLOCK_KEY_BYTES };
    if (n > 2 * PERIOD && memcmp(p, p + PERIOD, n - PERIOD) == 0)
        n = 2 * PERIOD;
    return memmem(p, n, files->magic, 4);
}

/* Move at to the next magic, or to the end. */
static int find_magic(struct scan *scan)
{
    while (scan->at + BLOCK_RECORD_HEADER_BYTES <= scan->size) {
        uint64_t left = scan->size - scan->at;
        size_t n = left < SEARCH_BYTES ? (size_t)left : SEARCH_BYTES;
        int error = read_exactly(scan->files, scan->file, scan->at, scan->buffer, n);
        if (error)
            return error;
        const uint8_t *found = magic_in(scan->files, scan->buffer, n);
        if (found) {
            scan->at += (uint64_t)(found - scan->buffer);
            return 0;
        }
        scan->at += n - 3; /* the magic may lie across */
    }
    scan->at = scan->size;
    return 0;
}

/* The record at `at`, whose payload goes to the buffer. Returns 1, 0 if there is none, or an
 * error. */
static int read_record(struct scan *scan, struct file_pos *pos)
{
    uint8_t header[BLOCK_RECORD_HEADER_BYTES];
    if (scan->size - scan->at < sizeof header)
        return 0;
    int error = read_exactly(scan->files, scan->file, scan->at, header, sizeof header);
    if (error)
        return error;
    uint32_t len = load_le32(header + 4);
    uint64_t payload = scan->at + sizeof header;
    if (memcmp(header, scan->files->magic, 4) != 0 || len <= BLOCK_HEADER_BYTES ||
        len > BLOCK_SERIALIZED_MAX_BYTES || len > scan->size - payload || payload > UINT32_MAX)
        return 0;
    error = read_exactly(scan->files, scan->file, payload, scan->buffer, len);
    if (error)
        return error;
    *pos = (struct file_pos){
        .file = scan->number,
        .offset = (uint32_t)payload,
        .len = len,
        .crc32c = crc32c(0, scan->buffer, len),
    };
    return 1;
}

int block_files_scan(struct block_files *files, int32_t file, uint32_t offset,
                     bool (*fn)(void *arg, const struct file_pos *pos, struct span block),
                     void *arg)
{
    const struct env *env = files->env;
    struct scan scan = {.files = files, .number = file, .at = offset};
    int error = open_to_read(files, KIND_BLOCK, file, &scan.file);
    if (error)
        return error;
    int64_t size = env_file_size(env, scan.file);
    error = size < 0 ? (int)size : 0;
    scan.size = size < 0 ? 0 : (uint64_t)size;
    scan.buffer = xmalloc(BLOCK_SERIALIZED_MAX_BYTES);
    bool go_on = true;
    while (go_on && !error && scan.at < scan.size) {
        struct file_pos pos;
        int found = read_record(&scan, &pos);
        if (found < 0) {
            error = found;
        } else if (found) {
            scan.at = (uint64_t)pos.offset + pos.len;
            go_on = fn(arg, &pos, span_of(scan.buffer, pos.len));
        } else {
            scan.at++;
            error = find_magic(&scan);
        }
    }
    xfree(scan.buffer);
    env_file_close(env, scan.file);
    return told(files, "read", KIND_BLOCK, file, error);
}
