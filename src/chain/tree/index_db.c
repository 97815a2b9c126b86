/* index_db.c - the block index as rows of a store, ordered by height so that parents come first. */
#include "chain/tree/index_db.h"

#include <errno.h>
#include <string.h>

#include "chain/core/store_format.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/endian.h"

enum {
    NODE_KEY_BYTES = 37,
    NODE_VALUE_BYTES = BLOCK_HEADER_BYTES + 4 + 4 + 8 + 8 + 2 * 4 * 4,
    INDEX_VERSION = 1,
    INDEX_CACHE_BYTES = 1 << 20,
    INDEX_WRITE_BUFFER_BYTES = 1 << 20,
    FILE_COUNT_MAX = 100000, /* a larger number in the store is damage */
};

_Static_assert(NODE_KEY_BYTES == 1 + 4 + sizeof(struct block_hash), "'b', height, hash");

/* Constant once it is open; the store itself may be used by any thread. */
struct index_db {
    const struct env *env;
    struct env_kv *kv; /* owned; NULL: could not be opened */
    char *path;        /* owned */
};

static int damaged(const struct index_db *db, const char *what, char **error)
{
    *error = xasprintf("The block index %s is damaged (%s). Restart with -reindex to rebuild it.",
                       db->path, what);
    return -EUCLEAN;
}

int index_db_open(const struct env *env, const struct log *log, const char *path, bool is_strict,
                  struct index_db **out, char **error)
{
    static const struct store_format format = {
        .name = "block index", .version = INDEX_VERSION, .kind = 'I'};
    struct index_db *db = xcalloc(1, sizeof *db);
    struct env_kv_options options = {
        .log = log,
        .cache_bytes = INDEX_CACHE_BYTES,
        .write_buffer_bytes = INDEX_WRITE_BUFFER_BYTES,
        .is_strict = is_strict,
    };
    db->env = env;
    db->path = xstrdup(path);
    *out = NULL;
    *error = NULL;
    int result = store_format_open(env, path, &options, &format, &db->kv, error);
    if (result) {
        index_db_close(db);
        return result;
    }
    *out = db;
    return 0;
}

void index_db_close(struct index_db *db)
{
    if (!db)
        return;
    if (db->kv)
        env_kv_close(db->env, db->kv);
    xfree(db->path);
    xfree(db);
}

const char *index_db_path(const struct index_db *db)
{
    return db->path;
}

/* -- rows ---------------------------------------------------------------------------------- */

/* With the height first and big-endian, so that a walk meets parents before their children. */
static void node_key(const struct block_node *node, uint8_t key[NODE_KEY_BYTES])
{
    key[0] = 'b';
    store_be32(key + 1, (uint32_t)node->height);
    memcpy(key + 5, node->hash.b, 32);
}

static void encode_pos(struct writer *w, const struct file_pos *pos)
{
    write_u32(w, (uint32_t)pos->file);
    write_u32(w, pos->offset);
    write_u32(w, pos->len);
    write_u32(w, pos->crc32c);
}

static struct file_pos decode_pos(struct reader *r)
{
    struct file_pos pos = {.file = (int32_t)read_u32(r)};
    pos.offset = read_u32(r);
    pos.len = read_u32(r);
    pos.crc32c = read_u32(r);
    return pos;
}

static void encode_node(struct writer *w, const struct block_node *node)
{
    struct block_header header = block_node_header(node);
    block_header_encode(w, &header);
    write_u32(w, node->status);
    write_u32(w, node->n_tx);
    write_u64(w, node->chain_tx);
    write_u64(w, (uint64_t)node->sequence);
    encode_pos(w, &node->data);
    encode_pos(w, &node->undo);
}

static void encode_info(struct writer *w, const struct block_file_info *info)
{
    write_u32(w, info->n_blocks);
    write_u32(w, info->block_bytes);
    write_u32(w, info->undo_bytes);
    write_u32(w, (uint32_t)info->height_first);
    write_u32(w, (uint32_t)info->height_last);
    write_u32(w, info->time_first);
    write_u32(w, info->time_last);
}

static bool decode_info(struct span value, struct block_file_info *info)
{
    struct reader r = reader_of(value);
    info->n_blocks = read_u32(&r);
    info->block_bytes = read_u32(&r);
    info->undo_bytes = read_u32(&r);
    info->height_first = (int32_t)read_u32(&r);
    info->height_last = (int32_t)read_u32(&r);
    info->time_first = read_u32(&r);
    info->time_last = read_u32(&r);
    return reader_finish(&r);
}

/* -- loading ---------------------------------------------------------------------------------- */

/* Add one row to the tree. Returns NULL, or what is wrong with it. */
static const char *load_node(struct header_tree *tree, struct span key, struct span value)
{
    struct reader r = reader_of(value);
    struct block_header header;
    if (key.len != NODE_KEY_BYTES || !block_header_decode(&r, &header))
        return "a block entry is malformed";
    struct block_hash hash;
    memcpy(hash.b, key.p + 5, sizeof hash.b);
    const struct block_node *prev = tree->dirty; /* mostly the row before */
    if (prev && !block_hash_equal(&prev->hash, &header.prev))
        prev = header_tree_find(tree, &header.prev);
    if (tree->genesis && !prev)
        return "a block's parent is missing";
    /* With heights that fit, no two rows can be of the same block: keys are unique. */
    if (load_be32(key.p + 1) != (prev ? (uint32_t)prev->height + 1 : 0))
        return "a block's height does not fit its parent";
    struct block_node *node = header_tree_add(tree, &header, &hash);
    node->status = read_u32(&r);
    node->n_tx = read_u32(&r);
    node->chain_tx = read_u64(&r);
    node->sequence = (int64_t)read_u64(&r);
    node->data = decode_pos(&r);
    node->undo = decode_pos(&r);
    return reader_finish(&r) ? NULL : "a block entry is malformed";
}

/* By file number; files that the store does not name are zeros. */
struct info_list {
    struct block_file_info *at;
    size_t n;
};

static const char *load_info(struct info_list *list, struct span key, struct span value)
{
    struct block_file_info info;
    if (key.len != 5 || !decode_info(value, &info) || load_be32(key.p + 1) >= FILE_COUNT_MAX)
        return "a block file's entry is malformed";
    size_t number = load_be32(key.p + 1);
    if (number >= list->n) {
        list->at = xrealloc(list->at, number + 1, sizeof *list->at);
        memset(list->at + list->n, 0, (number + 1 - list->n) * sizeof *list->at);
        list->n = number + 1;
    }
    list->at[number] = info;
    return NULL;
}

/* The rows came with their own status, so what header_tree_add() thought best may have failed. */
static void settle_tree(struct header_tree *tree)
{
    tree->best_header = NULL;
    for (struct block_node *node = tree->genesis; node;
         node = block_node_next_descendant(tree->genesis, node)) {
        node->is_dirty = false;
        node->dirty_next = NULL;
        if (node->status & BLOCK_FAILED_MASK)
            continue;
        struct block_node *best = tree->best_header;
        int order = best ? u256_compare(node->chain_work, best->chain_work) : 1;
        /* Headers have no sequence of their own; among equals take one whatever the order. */
        if (order > 0 || (order == 0 && memcmp(node->hash.b, best->hash.b, 32) < 0))
            tree->best_header = node;
    }
    tree->dirty = NULL;
}

int index_db_load(struct index_db *db, struct header_tree *tree, struct block_file_info **infos,
                  size_t *n_infos, char **error)
{
    const struct env *env = db->env;
    ASSERT(tree->count == 0);
    struct info_list list = {0};
    const char *wrong = NULL;
    struct env_cursor *cursor = env_cursor_open(env, db->kv);
    for (env_cursor_seek(env, cursor, span_of("b", 1)); !wrong && env_cursor_valid(env, cursor);
         env_cursor_next(env, cursor)) {
        struct span key = env_cursor_key(env, cursor);
        struct span value = env_cursor_value(env, cursor);
        if (key.len > 0 && key.p[0] == 'b')
            wrong = load_node(tree, key, value);
        else if (key.len > 0 && key.p[0] == 'f')
            wrong = load_info(&list, key, value);
        else if (key.len > 0 && key.p[0] > 'f')
            break;
    }
    int result = env_cursor_error(env, cursor);
    env_cursor_close(env, cursor);
    *error = NULL;
    if (wrong || result == -EUCLEAN)
        result = damaged(db, wrong ? wrong : "a checksum is wrong", error);
    else if (result)
        *error = xasprintf("Cannot read the block index %s: %s", db->path, strerror(-result));
    if (result) {
        xfree(list.at);
        list = (struct info_list){0};
    }
    settle_tree(tree);
    *infos = list.at;
    *n_infos = list.n;
    return result;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* value is room to encode in. */
static void put_node(struct index_db *db, struct env_batch *batch, const struct block_node *node,
                     struct buffer *value)
{
    uint8_t key[NODE_KEY_BYTES];
    struct writer w = writer_to_growing(value);
    node_key(node, key);
    value->len = 0;
    encode_node(&w, node);
    ASSERT(value->len == NODE_VALUE_BYTES);
    env_batch_put(db->env, batch, span_of(key, sizeof key), buffer_span(value));
}

struct env_batch *index_db_batch_of(struct index_db *db, struct block_node *const *nodes, size_t n)
{
    struct env_batch *batch = env_batch_new(db->env);
    struct buffer value;
    buffer_init(&value);
    for (size_t i = 0; i < n; i++)
        put_node(db, batch, nodes[i], &value);
    buffer_deinit(&value);
    return batch;
}

struct env_batch *index_db_batch_without(struct index_db *db, struct block_node *const *nodes,
                                         size_t n)
{
    struct env_batch *batch = env_batch_new(db->env);
    for (size_t i = 0; i < n; i++) {
        uint8_t key[NODE_KEY_BYTES];
        node_key(nodes[i], key);
        env_batch_delete(db->env, batch, span_of(key, sizeof key));
    }
    return batch;
}

struct env_batch *index_db_batch(struct index_db *db, struct header_tree *tree,
                                 struct block_files *files)
{
    const struct env *env = db->env;
    struct env_batch *batch = env_batch_new(env);
    struct buffer value;
    buffer_init(&value);
    struct writer w = writer_to_growing(&value);
    while (tree->dirty) {
        struct block_node *node = tree->dirty;
        put_node(db, batch, node, &value);
        tree->dirty = node->dirty_next;
        node->dirty_next = NULL;
        node->is_dirty = false;
    }
    for (size_t i = 0; i < block_files_count(files); i++) {
        if (!block_files_take_dirty(files, i))
            continue;
        uint8_t key[5] = {'f'};
        store_be32(key + 1, (uint32_t)i);
        value.len = 0;
        encode_info(&w, block_files_info(files, i));
        env_batch_put(env, batch, span_of(key, sizeof key), buffer_span(&value));
    }
    buffer_deinit(&value);
    return batch;
}

int index_db_write(struct index_db *db, struct env_batch *batch_take)
{
    ASSERT(batch_take);
    int error = env_kv_write(db->env, db->kv, batch_take, true);
    env_batch_free(db->env, batch_take);
    return error;
}

/* -- flags ------------------------------------------------------------------------------------- */

int index_db_flag(struct index_db *db, const char *name, bool *is_set)
{
    struct buffer value;
    buffer_init(&value);
    char *key = xasprintf("F%s", name);
    int error = env_kv_get(db->env, db->kv, span_of_string(key), &value);
    *is_set = error == 0;
    if (!error && (value.len != 1 || value.p[0] != 1))
        error = -EUCLEAN;
    xfree(key);
    buffer_deinit(&value);
    return error == -ENOENT ? 0 : error;
}

int index_db_set_flag(struct index_db *db, const char *name)
{
    const struct env *env = db->env;
    static const uint8_t one = 1;
    struct env_batch *batch = env_batch_new(env);
    char *key = xasprintf("F%s", name);
    env_batch_put(env, batch, span_of_string(key), span_of(&one, 1));
    xfree(key);
    return index_db_write(db, batch);
}

void index_db_batch_clear_flag(struct index_db *db, struct env_batch *batch, const char *name)
{
    char *key = xasprintf("F%s", name);
    env_batch_delete(db->env, batch, span_of_string(key));
    xfree(key);
}

int index_db_clear_flag(struct index_db *db, const char *name)
{
    struct env_batch *batch = env_batch_new(db->env);
    index_db_batch_clear_flag(db, batch, name);
    return index_db_write(db, batch);
}

int index_db_replay_from(struct index_db *db, bool *is_set, int32_t *file, uint32_t *offset)
{
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(db->env, db->kv, span_of_string("r"), &value);
    struct reader r = reader_of(buffer_span(&value));
    *file = (int32_t)read_u32(&r);
    *offset = read_u32(&r);
    *is_set = error == 0;
    if (!error && (!reader_finish(&r) || *file < 0))
        error = -EUCLEAN;
    buffer_deinit(&value);
    return error == -ENOENT ? 0 : error;
}

int index_db_set_replay_from(struct index_db *db, int32_t file, uint32_t offset)
{
    const struct env *env = db->env;
    struct env_batch *batch = env_batch_new(env);
    uint8_t value[8];
    struct writer w = writer_to_buffer(value, sizeof value);
    write_u32(&w, (uint32_t)file);
    write_u32(&w, offset);
    ASSERT(file >= 0);
    env_batch_put(env, batch, span_of_string("r"), span_of(value, w.len));
    return index_db_write(db, batch);
}

void index_db_batch_clear_replay(struct index_db *db, struct env_batch *batch)
{
    env_batch_delete(db->env, batch, span_of_string("r"));
}

bool index_rewind_holds(const struct index_rewind *rewind, const struct file_pos *pos)
{
    const struct chain_moment *from = &rewind->moment;
    bool is_before =
        pos->file < from->file || (pos->file == from->file && pos->offset < from->offset);
    return !is_before && (pos->file < rewind->file_end ||
                          (pos->file == rewind->file_end && pos->offset < rewind->offset_end));
}

int index_db_rewind(struct index_db *db, bool *is_set, struct index_rewind *rewind)
{
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(db->env, db->kv, span_of_string("w"), &value);
    struct reader r = reader_of(buffer_span(&value));
    *rewind = (struct index_rewind){0};
    read_bytes(&r, rewind->moment.tip.b, sizeof rewind->moment.tip.b);
    rewind->moment.file = (int32_t)read_u32(&r);
    rewind->moment.offset = read_u32(&r);
    rewind->file_end = (int32_t)read_u32(&r);
    rewind->offset_end = read_u32(&r);
    *is_set = error == 0;
    if (!error && (!reader_finish(&r) || rewind->moment.file < 0 || rewind->file_end < 0))
        error = -EUCLEAN;
    buffer_deinit(&value);
    return error == -ENOENT ? 0 : error;
}

int index_db_set_rewind(struct index_db *db, const struct index_rewind *rewind)
{
    const struct env *env = db->env;
    struct env_batch *batch = env_batch_new(env);
    uint8_t value[sizeof rewind->moment.tip.b + 16];
    struct writer w = writer_to_buffer(value, sizeof value);
    ASSERT(rewind->moment.file >= 0 && rewind->file_end >= rewind->moment.file);
    write_bytes(&w, rewind->moment.tip.b, sizeof rewind->moment.tip.b);
    write_u32(&w, (uint32_t)rewind->moment.file);
    write_u32(&w, rewind->moment.offset);
    write_u32(&w, (uint32_t)rewind->file_end);
    write_u32(&w, rewind->offset_end);
    env_batch_put(env, batch, span_of_string("w"), span_of(value, w.len));
    return index_db_write(db, batch);
}

void index_db_batch_clear_rewind(struct index_db *db, struct env_batch *batch)
{
    env_batch_delete(db->env, batch, span_of_string("w"));
}

int index_db_clear_rewind(struct index_db *db)
{
    struct env_batch *batch = env_batch_new(db->env);
    index_db_batch_clear_rewind(db, batch);
    return index_db_write(db, batch);
}
