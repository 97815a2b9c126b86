/* test_index_db.c - the index comes back as it was, and damage names its remedy. */
#include <errno.h>

#include "chain/tree/index_db.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

static const uint8_t magic[4] = {1, 2, 3, 4};
static const struct siphash_key key = {1, 2};

struct setting {
    struct sim_env *sim;
    struct index_db *db;
    struct header_tree tree;
    struct block_files *files;
};

static struct index_db *open_db(struct sim_env *sim)
{
    struct index_db *db;
    char *error;
    assert_int_equal(index_db_open(sim_env_get(sim), NULL, "index", false, &db, &error), 0);
    return db;
}

static int setup(void **state)
{
    struct setting *s = xcalloc(1, sizeof *s);
    char *error;
    s->sim = sim_env_new(1);
    s->db = open_db(s->sim);
    header_tree_init(&s->tree, key);
    assert_int_equal(
        block_files_open(sim_env_get(s->sim), NULL, "blocks", magic, NULL, 0, &s->files, &error),
        0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct setting *s = *state;
    block_files_close(s->files);
    header_tree_deinit(&s->tree);
    index_db_close(s->db);
    sim_env_free(s->sim);
    xfree(s);
    return 0;
}

FIXTURE(setup, teardown)

/* Add a block on prev (NULL: genesis); higher numbers have smaller hashes. */
static struct block_node *add(struct header_tree *tree, struct block_node *prev, uint32_t number)
{
    struct block_header header = {
        .version = 4, .time = 1000 + number, .bits = 0x207fffff, .nonce = number};
    struct block_hash hash = {{(uint8_t)(200 - number), 7}};
    if (prev)
        header.prev = prev->hash;
    memset(header.merkle_root, (int)number, 32);
    return header_tree_add(tree, &header, &hash);
}

static void fill(struct setting *s)
{
    struct block_node *nodes[10];
    static const int parent[10] = {-1, 0, 1, 2, 1, 4, 3, 6, 0, 8};
    for (uint32_t i = 0; i < 10; i++) {
        nodes[i] = add(&s->tree, i ? nodes[parent[i]] : NULL, i);
        nodes[i]->status = i == 8 ? BLOCK_FAILED : i == 9 ? BLOCK_FAILED_CHILD : BLOCK_HAVE_DATA;
        nodes[i]->n_tx = i;
        nodes[i]->chain_tx = (UINT64_C(1) << 33) + i;
        nodes[i]->sequence = -(int64_t)i;
        nodes[i]->data = (struct file_pos){(int32_t)i, 10 * i, 20 * i, 0xfffffff0 + i};
        nodes[i]->undo = (struct file_pos){-1, 1 + i, 2 + i, 3 + i};
    }
}

static int write_all(struct setting *s)
{
    return index_db_write(s->db, index_db_batch(s->db, &s->tree, s->files));
}

static void assert_nodes_equal(const struct block_node *a, const struct block_node *b)
{
    assert_non_null(b);
    assert_memory_equal(&a->hash, &b->hash, 32);
    assert_memory_equal(&a->data, &b->data, sizeof a->data);
    assert_memory_equal(&a->undo, &b->undo, sizeof a->undo);
    assert_memory_equal(a->merkle_root, b->merkle_root, 32);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->time, b->time);
    assert_int_equal(a->time_max, b->time_max);
    assert_int_equal(a->bits, b->bits);
    assert_int_equal(a->nonce, b->nonce);
    assert_int_equal(a->n_tx, b->n_tx);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->chain_tx, b->chain_tx);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(u256_compare(a->chain_work, b->chain_work), 0);
    assert_int_equal(a->prev != NULL, b->prev != NULL);
    if (a->prev)
        assert_memory_equal(&a->prev->hash, &b->prev->hash, 32);
    assert_false(b->is_dirty);
}

/* Load what is stored and compare it with s->tree. */
static void assert_loads_equal(struct setting *s)
{
    struct header_tree loaded;
    struct block_file_info *infos;
    size_t n_infos;
    char *error;
    header_tree_init(&loaded, key);
    assert_int_equal(index_db_load(s->db, &loaded, &infos, &n_infos, &error), 0);
    assert_int_equal(loaded.count, s->tree.count);
    for (struct block_node *at = s->tree.genesis; at;
         at = block_node_next_descendant(s->tree.genesis, at))
        assert_nodes_equal(at, header_tree_find(&loaded, &at->hash));
    assert_null(loaded.dirty);
    assert_int_equal(n_infos, block_files_count(s->files));
    for (size_t i = 0; i < n_infos; i++)
        assert_memory_equal(&infos[i], block_files_info(s->files, i), sizeof infos[i]);
    xfree(infos);
    header_tree_deinit(&loaded);
}

TEST(a_tree_and_its_files_come_back_as_they_were, struct setting *s)
{
    fill(s);
    block_files_alloc(s->files, 100, 3, 30);
    block_files_alloc_undo(s->files, 0, 40);
    block_files_set_used(s->files, 2, 77, 9, 90);
    block_files_set_used(s->files, 1, 0, -1, 0);
    assert_int_equal(write_all(s), 0);
    assert_null(s->tree.dirty);
    index_db_close(s->db);
    s->db = open_db(s->sim);
    assert_loads_equal(s);
}

TEST(only_what_changed_is_written_and_later_values_win, struct setting *s)
{
    fill(s);
    assert_int_equal(write_all(s), 0);
    struct block_node *genesis = s->tree.genesis;
    genesis->n_tx = 1;
    assert_int_equal(write_all(s), 0); /* not marked: not written */
    struct header_tree loaded;
    struct block_file_info *infos;
    size_t n_infos;
    char *error;
    header_tree_init(&loaded, key);
    assert_int_equal(index_db_load(s->db, &loaded, &infos, &n_infos, &error), 0);
    assert_int_equal(loaded.genesis->n_tx, 0);
    xfree(infos);
    header_tree_deinit(&loaded);
    header_tree_mark_dirty(&s->tree, genesis);
    assert_int_equal(write_all(s), 0);
    assert_loads_equal(s);
}

TEST(the_best_header_after_loading_has_not_failed, struct setting *s)
{
    fill(s);
    struct block_node *best = s->tree.best_header;
    assert_int_equal(best->height, 5);
    best->status = BLOCK_FAILED;
    assert_int_equal(write_all(s), 0);
    struct header_tree loaded;
    struct block_file_info *infos;
    size_t n_infos;
    char *error;
    header_tree_init(&loaded, key);
    assert_int_equal(index_db_load(s->db, &loaded, &infos, &n_infos, &error), 0);
    assert_memory_equal(&loaded.best_header->hash, &best->prev->hash, 32);
    xfree(infos);
    header_tree_deinit(&loaded);
}

static bool has_flag(struct index_db *db, const char *name)
{
    bool is_set;
    assert_int_equal(index_db_flag(db, name, &is_set), 0);
    return is_set;
}

static bool has_replay(struct index_db *db, int32_t *file, uint32_t *offset)
{
    bool is_set;
    assert_int_equal(index_db_replay_from(db, &is_set, file, offset), 0);
    return is_set;
}

TEST(an_empty_index_loads_as_empty, struct setting *s)
{
    assert_loads_equal(s);
    assert_null(s->tree.best_header);
}

TEST(where_a_replay_began_is_kept_until_it_is_cleared, struct setting *s)
{
    int32_t file;
    uint32_t offset;
    assert_false(has_replay(s->db, &file, &offset));
    assert_int_equal(index_db_set_replay_from(s->db, 7, 0xfffffff0), 0);
    struct sim_env *after = sim_env_crash(s->sim, SIM_CRASH_LOST, 1);
    struct index_db *db = open_db(after);
    assert_true(has_replay(db, &file, &offset));
    assert_int_equal(file, 7);
    assert_int_equal(offset, 0xfffffff0);
    index_db_close(db);
    sim_env_free(after);
    struct env_batch *batch = index_db_batch(s->db, &s->tree, s->files);
    index_db_batch_clear_replay(s->db, batch);
    assert_true(has_replay(s->db, &file, &offset)); /* not before the rows are written */
    assert_int_equal(index_db_write(s->db, batch), 0);
    assert_false(has_replay(s->db, &file, &offset));
}

TEST(the_note_of_a_rewind_is_kept_until_it_is_cleared, struct setting *s)
{
    const struct index_rewind note = {.moment = {.tip = {{5}}, .file = 1, .offset = 100},
                                      .file_end = 3,
                                      .offset_end = 0x80000000};
    struct index_rewind got;
    bool is_set;
    assert_int_equal(index_db_rewind(s->db, &is_set, &got), 0);
    assert_false(is_set);
    assert_int_equal(index_db_set_rewind(s->db, &note), 0);
    struct sim_env *after = sim_env_crash(s->sim, SIM_CRASH_LOST, 1);
    struct index_db *db = open_db(after);
    assert_int_equal(index_db_rewind(db, &is_set, &got), 0);
    assert_true(is_set);
    assert_memory_equal(&got, &note, sizeof note);
    index_db_close(db);
    sim_env_free(after);
    struct env_batch *batch = index_db_batch(s->db, &s->tree, s->files);
    index_db_batch_clear_rewind(s->db, batch);
    assert_int_equal(index_db_write(s->db, batch), 0);
    assert_int_equal(index_db_rewind(s->db, &is_set, &got), 0);
    assert_false(is_set);
}

TEST(a_rewind_is_about_what_lies_from_its_moment_to_its_end)
{
    static const struct {
        int32_t file;
        uint32_t offset;
        bool holds;
    } rows[] = {{0, 500, false}, {1, 99, false}, {1, 100, true}, {1, 900, true},
                {2, 0, true},    {3, 49, true},  {3, 50, false}, {4, 0, false}};
    const struct index_rewind note = {
        .moment = {.file = 1, .offset = 100}, .file_end = 3, .offset_end = 50};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct file_pos pos = {.file = rows[i].file, .offset = rows[i].offset};
        if (index_rewind_holds(&note, &pos) != rows[i].holds)
            fail_msg("row %zu", i);
    }
}

TEST(flags_are_kept_by_name, struct setting *s)
{
    assert_false(has_flag(s->db, "txindex"));
    assert_int_equal(index_db_set_flag(s->db, "txindex"), 0);
    assert_int_equal(index_db_set_flag(s->db, INDEX_FLAG_REINDEXING), 0);
    struct env_batch *batch = index_db_batch(s->db, &s->tree, s->files);
    index_db_batch_clear_flag(s->db, batch, INDEX_FLAG_REINDEXING);
    assert_true(has_flag(s->db, INDEX_FLAG_REINDEXING));
    assert_int_equal(index_db_write(s->db, batch), 0);
    struct sim_env *after = sim_env_crash(s->sim, SIM_CRASH_LOST, 1);
    struct index_db *db = open_db(after);
    assert_true(has_flag(db, "txindex"));
    assert_false(has_flag(db, "tx"));
    assert_false(has_flag(db, "reindexing"));
    index_db_close(db);
    sim_env_free(after);
}

static void put_raw(struct setting *s, struct span k, struct span v)
{
    const struct env *env = sim_env_get(s->sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    index_db_close(s->db);
    assert_int_equal(env_kv_open(env, "index", &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    if (v.p)
        env_batch_put(env, batch, k, v);
    else
        env_batch_delete(env, batch, k);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
    s->db = NULL;
}

TEST(a_mark_that_cannot_be_read_or_is_damaged_is_not_taken_for_none, struct setting *s)
{
    struct sim_disk *disk = sim_env_disk(s->sim);
    bool is_set;
    int32_t file;
    uint32_t offset;
    sim_disk_fail(disk, SIM_OP_READ, 0, -EIO, false);
    assert_int_equal(index_db_flag(s->db, INDEX_FLAG_PRUNED, &is_set), -EIO);
    sim_disk_fail(disk, SIM_OP_READ, 0, -EIO, false);
    assert_int_equal(index_db_replay_from(s->db, &is_set, &file, &offset), -EIO);
    put_raw(s, span_of_string("F" INDEX_FLAG_PRUNED), span_of_string("no"));
    s->db = open_db(s->sim);
    assert_int_equal(index_db_flag(s->db, INDEX_FLAG_PRUNED, &is_set), -EUCLEAN);
    put_raw(s, span_of_string("r"), span_of_string("\1\2\3"));
    s->db = open_db(s->sim);
    assert_int_equal(index_db_replay_from(s->db, &is_set, &file, &offset), -EUCLEAN);
    put_raw(s, span_of_string("r"), span_of_string("\1\2\3\x80\1\1\1\1"));
    s->db = open_db(s->sim);
    assert_int_equal(index_db_replay_from(s->db, &is_set, &file, &offset), -EUCLEAN);
}

static void assert_load_is_refused(struct setting *s)
{
    struct header_tree loaded;
    struct block_file_info *infos;
    size_t n_infos;
    char *error;
    s->db = open_db(s->sim);
    header_tree_init(&loaded, key);
    assert_int_equal(index_db_load(s->db, &loaded, &infos, &n_infos, &error), -EUCLEAN);
    assert_non_null(strstr(error, "-reindex"));
    assert_null(infos);
    xfree(error);
    header_tree_deinit(&loaded);
}

TEST(malformed_rows_are_refused)
{
    static const uint8_t zeros[200];
    uint8_t node_at_1[37] = {'b', 0, 0, 0, 1};
    /* clang-format off */
    const struct { struct span key, value; } rows[] = {
        {span_of(node_at_1, 36), span_of(zeros, 136)}, /* key too short */
        {span_of(node_at_1, 37), span_of(zeros, 136)}, /* parent is missing */
        {span_of(node_at_1, 37), span_of(zeros, 79)},  /* less than a header */
        {span_of("f\0\0\0\0", 5), span_of(zeros, 27)},
        {span_of("f\0\0\0\0", 5), span_of(zeros, 29)},
        {span_of("f\0\0\0", 4), span_of(zeros, 28)},
        {span_of("f\xff\0\0\0", 5), span_of(zeros, 28)}, /* no such many files */
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *one;
        setup(&one);
        struct setting *s = one;
        fill(s);
        assert_int_equal(write_all(s), 0);
        put_raw(s, rows[i].key, rows[i].value);
        assert_load_is_refused(s);
        teardown(&one);
    }
}

TEST(a_missing_parent_is_refused, struct setting *s)
{
    fill(s);
    uint8_t row[37] = {'b', 0, 0, 0, 1};
    memcpy(row + 5, s->tree.genesis->first_child->hash.b, 32);
    assert_int_equal(write_all(s), 0);
    put_raw(s, span_of(row, 37), span_of(NULL, 0));
    assert_load_is_refused(s);
}

TEST(a_block_at_a_height_that_does_not_fit_is_refused, struct setting *s)
{
    fill(s);
    const struct block_node *child = s->tree.genesis->first_child;
    struct block_header header = block_node_header(child);
    uint8_t row[37] = {'b', 0, 0, 0, 3}, value[136] = {0};
    struct writer w = writer_to_buffer(value, sizeof value);
    memcpy(row + 5, child->hash.b, 32);
    block_header_encode(&w, &header);
    assert_int_equal(write_all(s), 0);
    put_raw(s, span_of(row, 37), span_of(value, sizeof value));
    assert_load_is_refused(s);
}

TEST(another_format_version_is_refused, struct setting *s)
{
    struct index_db *db;
    char *error;
    put_raw(s, span_of("v", 1), span_of("\2", 1));
    assert_int_equal(index_db_open(sim_env_get(s->sim), NULL, "index", false, &db, &error),
                     -ENOTSUP);
    assert_non_null(strstr(error, "newer version"));
    assert_null(db);
    xfree(error);
}

TEST(a_write_is_durable_and_a_failing_one_is_a_fault, struct setting *s)
{
    fill(s);
    sim_disk_fail(sim_env_disk(s->sim), SIM_OP_SYNC, 0, -EIO, false);
    assert_int_equal(write_all(s), -EIO);
    for (struct block_node *at = s->tree.genesis; at;
         at = block_node_next_descendant(s->tree.genesis, at))
        header_tree_mark_dirty(&s->tree, at);
    assert_int_equal(write_all(s), 0);
    struct sim_env *before = s->sim, *after = sim_env_crash(before, SIM_CRASH_LOST, 1);
    struct index_db *old_db = s->db;
    s->sim = after;
    s->db = open_db(after);
    assert_loads_equal(s);
    index_db_close(s->db);
    s->sim = before;
    s->db = old_db;
    sim_env_free(after);
}
