/* test_block_file.c - records survive, damage is seen, space is given out in order. */
#include <errno.h>

#include "chain/disk/block_file.h"
#include "consensus/block.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/crc32c.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

struct setting {
    struct sim_env *sim;
    struct block_files *files;
};

static struct block_files *open_files(struct sim_env *sim, const struct block_file_info *infos,
                                      size_t n_infos)
{
    struct block_files *files;
    char *error;
    assert_int_equal(
        block_files_open(sim_env_get(sim), NULL, "blocks", magic, infos, n_infos, &files, &error),
        0);
    return files;
}

static int setup(void **state)
{
    struct setting *s = xcalloc(1, sizeof *s);
    s->sim = sim_env_new(1);
    s->files = open_files(s->sim, NULL, 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct setting *s = *state;
    block_files_close(s->files);
    sim_env_free(s->sim);
    xfree(s);
    return 0;
}

FIXTURE(setup, teardown)

/* Bytes that stand for block number n; never containing the magic. */
static uint8_t *payload_of(uint32_t n, size_t len)
{
    uint8_t *p = xmalloc(len);
    struct sim_random random = sim_random_of(n, len);
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(sim_random_u64(&random) % 0xfa);
    return p;
}

static struct file_pos store(struct block_files *files, uint32_t n, uint32_t len)
{
    uint8_t *p = payload_of(n, len);
    struct file_pos pos = block_files_alloc(files, len, (int32_t)n, 1000 + n);
    pos.crc32c = crc32c(0, p, len);
    assert_int_equal(block_files_write(files, &pos, span_of(p, len)), 0);
    xfree(p);
    return pos;
}

static struct file_pos store_undo(struct block_files *files, int32_t file, uint32_t n, uint32_t len)
{
    uint8_t *p = payload_of(n, len);
    struct file_pos pos = block_files_alloc_undo(files, file, len);
    pos.crc32c = crc32c(0, p, len);
    assert_int_equal(block_files_write_undo(files, &pos, span_of(p, len)), 0);
    xfree(p);
    return pos;
}

static int read_back(struct block_files *files, const struct file_pos *pos, uint32_t n, bool undo)
{
    uint8_t *got;
    int error = undo ? block_files_read_undo(files, pos, &got) : block_files_read(files, pos, &got);
    if (error) {
        assert_null(got);
        return error;
    }
    uint8_t *want = payload_of(n, pos->len);
    assert_memory_equal(got, want, pos->len);
    xfree(want);
    xfree(got);
    return 0;
}

TEST(records_are_framed_as_core_does_and_come_back, struct setting *s)
{
    assert_int_equal(block_files_count(s->files), 0);
    struct file_pos a = store(s->files, 1, 285), b = store(s->files, 2, 1);
    struct file_pos ua = store_undo(s->files, a.file, 3, 100);
    struct file_pos ub = store_undo(s->files, a.file, 4, 0 + 1);
    assert_int_equal(a.file, 0);
    assert_int_equal(a.offset, 8);
    assert_int_equal(b.offset, 8 + 285 + 8);
    assert_int_equal(ua.offset, 12);
    assert_int_equal(ub.offset, 12 + 100 + 12);
    assert_int_equal(read_back(s->files, &a, 1, false), 0);
    assert_int_equal(read_back(s->files, &b, 2, false), 0);
    assert_int_equal(read_back(s->files, &ua, 3, true), 0);
    assert_int_equal(read_back(s->files, &ub, 4, true), 0);

    const struct env *env = sim_env_get(s->sim);
    struct env_file *file;
    uint8_t head[8];
    assert_int_equal(env_file_open(env, "blocks/blk00000.dat", ENV_OPEN_READ, &file), 0);
    assert_int_equal(env_file_read_at(env, file, 0, head, 8), 8);
    assert_memory_equal(head, "\xfa\xbf\xb5\xda\x1d\x01\x00\x00", 8);
    env_file_close(env, file);

    const struct block_file_info *info = block_files_info(s->files, 0);
    assert_int_equal(info->n_blocks, 2);
    assert_int_equal(info->block_bytes, 285 + 1 + 16);
    assert_int_equal(info->undo_bytes, 100 + 1 + 24);
    assert_int_equal(info->height_first, 1);
    assert_int_equal(info->height_last, 2);
    assert_int_equal(info->time_first, 1001);
    assert_int_equal(info->time_last, 1002);
    assert_int_equal(block_files_total_bytes(s->files), 285 + 1 + 16 + 100 + 1 + 24);
}

TEST(a_change_of_an_info_is_reported_once, struct setting *s)
{
    store(s->files, 1, 100);
    assert_true(block_files_take_dirty(s->files, 0));
    assert_false(block_files_take_dirty(s->files, 0));
    store_undo(s->files, 0, 1, 10);
    assert_true(block_files_take_dirty(s->files, 0));
    block_files_set_used(s->files, 2, 500, 7, 70);
    assert_int_equal(block_files_count(s->files), 3);
    assert_false(block_files_take_dirty(s->files, 0));
    assert_false(block_files_take_dirty(s->files, 1));
    assert_true(block_files_take_dirty(s->files, 2));
    assert_int_equal(block_files_info(s->files, 2)->block_bytes, 500);
    assert_int_equal(block_files_info(s->files, 2)->height_first, 7);
    block_files_set_used(s->files, 2, 400, -1, 0);
    assert_int_equal(block_files_info(s->files, 2)->block_bytes, 500);
    assert_int_equal(block_files_info(s->files, 2)->n_blocks, 1);
    assert_int_equal(block_files_alloc(s->files, 10, 8, 80).offset, 508);
}

TEST(any_flipped_bit_of_a_record_is_found, struct setting *s)
{
    struct file_pos block = store(s->files, 1, 60), undo = store_undo(s->files, 0, 2, 60);
    struct sim_disk *disk = sim_env_disk(s->sim);
    for (uint32_t at = 0; at < 68 * 8; at++) {
        sim_disk_damage(disk, "blocks/blk00000.dat", at / 8, (uint8_t)(1 << at % 8));
        assert_int_equal(read_back(s->files, &block, 1, false), -EUCLEAN);
        sim_disk_damage(disk, "blocks/blk00000.dat", at / 8, (uint8_t)(1 << at % 8));
    }
    for (uint32_t at = 0; at < 72 * 8; at++) {
        sim_disk_damage(disk, "blocks/rev00000.dat", at / 8, (uint8_t)(1 << at % 8));
        assert_int_equal(read_back(s->files, &undo, 2, true), -EUCLEAN);
        sim_disk_damage(disk, "blocks/rev00000.dat", at / 8, (uint8_t)(1 << at % 8));
    }
    assert_int_equal(read_back(s->files, &block, 1, false), 0);
    assert_int_equal(read_back(s->files, &undo, 2, true), 0);
}

TEST(a_wrong_position_is_damage_and_a_missing_file_is_missing, struct setting *s)
{
    struct file_pos pos = store(s->files, 1, 60), wrong = pos;
    wrong.len = 59;
    assert_int_equal(read_back(s->files, &wrong, 1, false), -EUCLEAN);
    wrong.len = 0xffffffff; /* refused before so much is allocated */
    assert_int_equal(read_back(s->files, &wrong, 1, false), -EUCLEAN);
    wrong = pos;
    wrong.offset = 7;
    assert_int_equal(read_back(s->files, &wrong, 1, false), -EUCLEAN);
    wrong.offset = 0xfffffff0;
    assert_int_equal(read_back(s->files, &wrong, 1, false), -EUCLEAN);
    wrong = pos;
    wrong.file = 5;
    assert_int_equal(read_back(s->files, &wrong, 1, false), -ENOENT);
    wrong.file = -1;
    assert_int_equal(read_back(s->files, &wrong, 1, false), -ENOENT);
    wrong = (struct file_pos){.offset = 12, .len = 60}; /* no undo was written */
    assert_int_equal(read_back(s->files, &wrong, 1, true), -ENOENT);
}

TEST(a_part_of_a_record_is_read_unchecked, struct setting *s)
{
    struct file_pos pos = store(s->files, 1, 60), part = pos;
    uint8_t *want = payload_of(1, 60), *got;
    for (uint32_t from = 0; from < 60; from += 7) {
        part.offset = pos.offset + from;
        part.len = (60 - from + 1) / 2;
        assert_int_equal(block_files_read_part(s->files, &part, &got), 0);
        assert_memory_equal(got, want + from, part.len);
        xfree(got);
    }
    xfree(want);
    part.offset = 0xfffffff0;
    assert_int_equal(block_files_read_part(s->files, &part, &got), -EUCLEAN);
    assert_null(got);
    part.file = 5;
    assert_int_equal(block_files_read_part(s->files, &part, &got), -ENOENT);
    part.file = -1;
    assert_int_equal(block_files_read_part(s->files, &part, &got), -ENOENT);
}

TEST(a_truncated_file_is_damage, struct setting *s)
{
    struct file_pos pos = store(s->files, 1, 60);
    const struct env *env = sim_env_get(s->sim);
    struct env_file *file;
    assert_int_equal(env_file_open(env, "blocks/blk00000.dat", ENV_OPEN_WRITE, &file), 0);
    for (uint64_t size = 68; size > 0; size--) {
        assert_int_equal(env_file_truncate(env, file, size), 0);
        assert_int_equal(read_back(s->files, &pos, 1, false), size == 68 ? 0 : -EUCLEAN);
    }
    env_file_close(env, file);
}

TEST(a_record_that_does_not_fit_goes_to_the_next_file, struct setting *s)
{
    block_files_set_used(s->files, 0, BLOCK_FILE_MAX_BYTES - 108, 1, 1);
    struct file_pos fits = block_files_alloc(s->files, 100, 2, 2);
    assert_int_equal(fits.file, 0);
    assert_int_equal(fits.offset + fits.len, BLOCK_FILE_MAX_BYTES);
    struct file_pos next = block_files_alloc(s->files, 1, 3, 3);
    assert_int_equal(next.file, 1);
    assert_int_equal(next.offset, 8);
    block_files_set_used(s->files, 1, BLOCK_FILE_MAX_BYTES - 107, 4, 4);
    assert_int_equal(block_files_alloc(s->files, 100, 5, 5).file, 2);
    assert_int_equal(block_files_count(s->files), 3);
    /* Undo data stays with its block's file. */
    assert_int_equal(block_files_alloc_undo(s->files, 0, 10).file, 0);
    assert_int_equal(block_files_alloc_undo(s->files, 1, 10).file, 1);
}

TEST(undo_data_beyond_32_bits_goes_to_a_later_file, struct setting *s)
{
    block_files_alloc(s->files, 100, 1, 1);
    assert_int_equal(block_files_alloc_undo(s->files, 0, 0xfffffff3).offset, 12);
    assert_int_equal(block_files_info(s->files, 0)->undo_bytes, 0xffffffff);
    struct file_pos pos = store_undo(s->files, 0, 3, 50);
    assert_int_equal(pos.file, 1);
    assert_int_equal(read_back(s->files, &pos, 3, true), 0);
}

TEST(space_is_reserved_a_chunk_at_a_time, struct setting *s)
{
    const struct env *env = sim_env_get(s->sim);
    struct env_file *file;
    store(s->files, 1, 100);
    assert_int_equal(env_file_open(env, "blocks/blk00000.dat", ENV_OPEN_READ, &file), 0);
    assert_int_equal(env_file_size(env, file), BLOCK_FILE_CHUNK_BYTES);
    block_files_set_used(s->files, 0, BLOCK_FILE_CHUNK_BYTES - 50, 2, 2);
    store(s->files, 3, 100);
    assert_int_equal(env_file_size(env, file), 2 * BLOCK_FILE_CHUNK_BYTES);
    env_file_close(env, file);
    /* The last chunk ends where the file does. */
    block_files_set_used(s->files, 1, BLOCK_FILE_MAX_BYTES - 200, 4, 4);
    store(s->files, 5, 100);
    assert_int_equal(env_file_open(env, "blocks/blk00001.dat", ENV_OPEN_READ, &file), 0);
    assert_true(env_file_size(env, file) <= BLOCK_FILE_MAX_BYTES);
    env_file_close(env, file);
}

static void put_file(struct sim_env *sim, const char *path, const void *p, size_t n)
{
    const struct env *env = sim_env_get(sim);
    struct env_file *file;
    assert_int_equal(
        env_file_open(env, path, ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, p, n), 0);
    env_file_close(env, file);
}

TEST(an_existing_xor_key_is_honoured, struct setting *s)
{
    static const uint8_t key[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    block_files_close(s->files);
    put_file(s->sim, "blocks/xor.dat", key, 8);
    s->files = open_files(s->sim, NULL, 0);
    struct file_pos a = store(s->files, 1, 101), b = store(s->files, 2, 33);
    struct file_pos undo = store_undo(s->files, 0, 3, 40);
    assert_int_equal(read_back(s->files, &a, 1, false), 0);
    assert_int_equal(read_back(s->files, &b, 2, false), 0);
    assert_int_equal(read_back(s->files, &undo, 3, true), 0);
    const struct env *env = sim_env_get(s->sim);
    struct env_file *file;
    uint8_t raw[16], want[16];
    uint8_t *payload = payload_of(1, 101);
    memcpy(want, "\xfa\xbf\xb5\xda\x65\x00\x00\x00", 8);
    memcpy(want + 8, payload, 8);
    for (size_t i = 0; i < 16; i++)
        want[i] ^= key[i % 8];
    xfree(payload);
    assert_int_equal(env_file_open(env, "blocks/blk00000.dat", ENV_OPEN_READ, &file), 0);
    assert_int_equal(env_file_read_at(env, file, 0, raw, 16), 16);
    assert_memory_equal(raw, want, 16);
    env_file_close(env, file);
    /* And so is undo data: magic, length, checksum, and the first bytes of the payload. */
    payload = payload_of(3, 40);
    memcpy(want, "\xfa\xbf\xb5\xda\x28\x00\x00\x00", 8);
    uint32_t checksum = crc32c(0, payload, 40);
    for (size_t i = 0; i < 4; i++)
        want[8 + i] = (uint8_t)(checksum >> 8 * i);
    memcpy(want + 12, payload, 4);
    for (size_t i = 0; i < 16; i++)
        want[i] ^= key[i % 8];
    xfree(payload);
    assert_int_equal(env_file_open(env, "blocks/rev00000.dat", ENV_OPEN_READ, &file), 0);
    assert_int_equal(env_file_read_at(env, file, 0, raw, 16), 16);
    assert_memory_equal(raw, want, 16);
    env_file_close(env, file);
}

TEST(an_xor_key_of_another_length_is_refused, struct setting *s)
{
    for (size_t len = 7; len <= 9; len++) {
        put_file(s->sim, "blocks/xor.dat", "123456789", len);
        struct block_files *files;
        char *error;
        int result =
            block_files_open(sim_env_get(s->sim), NULL, "blocks", magic, NULL, 0, &files, &error);
        assert_int_equal(result, len == 8 ? 0 : -EUCLEAN);
        assert_int_equal(error != NULL, len != 8);
        xfree(error);
        block_files_close(files);
    }
}

struct found {
    uint32_t numbers[10], n, stop_after;
    struct file_pos last;
};

/* Records of a scan; the length of block n is 100 + n. */
static bool note_found(void *arg, const struct file_pos *pos, struct span block)
{
    struct found *found = arg;
    assert_int_equal(block.len, pos->len);
    assert_int_equal(crc32c(0, block.p, block.len), pos->crc32c);
    assert_true(found->n < COUNT_OF(found->numbers));
    found->numbers[found->n++] = pos->len - 100;
    found->last = *pos;
    return found->n != found->stop_after;
}

static void assert_scan(struct block_files *files, uint32_t offset, const uint32_t *want,
                        uint32_t n)
{
    struct found found = {0};
    assert_int_equal(block_files_scan(files, 0, offset, note_found, &found), 0);
    assert_int_equal(found.n, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(found.numbers[i], want[i]);
    }
    if (n > 0)
        assert_int_equal(read_back(files, &found.last, want[n - 1], false), 0);
}

TEST(a_scan_finds_all_records_from_an_offset_on, struct setting *s)
{
    struct file_pos pos[4];
    static const uint32_t all[] = {0, 1, 2, 3};
    for (uint32_t i = 0; i < 4; i++)
        pos[i] = store(s->files, i, 100 + i);
    assert_scan(s->files, 0, all, 4);
    assert_scan(s->files, pos[2].offset - 8, all + 2, 2);
    assert_scan(s->files, pos[3].offset + pos[3].len, NULL, 0);
    struct found found = {.stop_after = 2};
    assert_int_equal(block_files_scan(s->files, 0, 0, note_found, &found), 0);
    assert_int_equal(found.n, 2);
    assert_int_equal(block_files_scan(s->files, 1, 0, note_found, &found), -ENOENT);
}

TEST(a_scan_goes_on_behind_damage, struct setting *s)
{
    struct file_pos pos[4];
    for (uint32_t i = 0; i < 4; i++)
        pos[i] = store(s->files, i, 100 + i);
    struct sim_disk *disk = sim_env_disk(s->sim);
    static const uint32_t without_1[] = {0, 2, 3};
    sim_disk_damage(disk, "blocks/blk00000.dat", pos[1].offset - 8, 0x10); /* magic */
    assert_scan(s->files, 0, without_1, 3);
    sim_disk_damage(disk, "blocks/blk00000.dat", pos[1].offset - 8, 0x10);
    sim_disk_damage(disk, "blocks/blk00000.dat", pos[1].offset - 1, 0x80); /* length */
    assert_scan(s->files, 0, without_1, 3);
}

/* Room that was reserved and never written, longer than what is searched at once: zeros, which are
 * read as the key. */
TEST(a_scan_goes_on_behind_room_that_is_reserved, struct setting *s)
{
    enum { GAP = 200001 };
    static const uint8_t keys[][8] = {{0}, {1, 2, 3, 4, 5, 6, 7, 0xfa}};
    static const uint32_t around[] = {0, 2, 3};
    const struct env *env = sim_env_get(s->sim);
    uint8_t *zeros = xcalloc(GAP, 1);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        block_files_close(s->files);
        put_file(s->sim, "blocks/xor.dat", keys[i], sizeof keys[i]);
        s->files = open_files(s->sim, NULL, 0);
        struct file_pos pos[4];
        struct env_file *file;
        for (uint32_t n = 0; n < 4; n++)
            pos[n] = store(s->files, n, n == 1 ? GAP - 8 : 100 + n);
        assert_int_equal(env_file_open(env, "blocks/blk00000.dat", ENV_OPEN_WRITE, &file), 0);
        assert_int_equal(env_file_write_at(env, file, pos[1].offset - 8, zeros, GAP), 0);
        env_file_close(env, file);
        assert_scan(s->files, 0, around, 3);
    }
    xfree(zeros);
}

/* Hazard 82: the bound of a record is the largest block, not the largest message. */
TEST(the_largest_block_is_found_and_a_larger_record_is_not, struct setting *s)
{
    for (uint32_t extra = 0; extra < 2; extra++) {
        struct file_pos pos = store(s->files, 5, BLOCK_SERIALIZED_MAX_BYTES + extra);
        struct found found = {0};
        assert_int_equal(block_files_scan(s->files, 0, pos.offset - 8, note_found, &found), 0);
        assert_int_equal(found.n, extra == 0);
        assert_int_equal(read_back(s->files, &pos, 5, false), 0);
    }
    struct file_pos tiny = store(s->files, 6, BLOCK_HEADER_BYTES);
    struct found found = {0};
    assert_int_equal(block_files_scan(s->files, 0, tiny.offset - 8, note_found, &found), 0);
    assert_int_equal(found.n, 0);
}

TEST(existing_files_get_no_new_records_when_reserved, struct setting *s)
{
    put_file(s->sim, "blocks/blk00002.dat", "x", 1);
    put_file(s->sim, "blocks/blk0000x.dat", "x", 1);
    put_file(s->sim, "blocks/rev00007.dat", "x", 1);
    size_t end;
    assert_int_equal(block_files_end(s->files, &end), 0);
    assert_int_equal(end, 3);
    assert_int_equal(block_files_reserve_existing(s->files), 0);
    assert_int_equal(block_files_count(s->files), 3);
    struct file_pos pos = block_files_alloc(s->files, 100, 1, 1);
    assert_int_equal(pos.file, 3);
    assert_int_equal(pos.offset, 8);
}

TEST(files_behind_a_gap_are_removed, struct setting *s)
{
    static const struct {
        const char *path;
        bool is_left;
    } files[] = {
        {"blocks/blk00000.dat", true},  {"blocks/rev00000.dat", true},
        {"blocks/blk00001.dat", true},  {"blocks/rev00002.dat", true},
        {"blocks/blk00003.dat", false}, {"blocks/blk00004.dat", false},
    };
    for (size_t i = 0; i < COUNT_OF(files); i++)
        put_file(s->sim, files[i].path, "x", 1);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(block_files_remove_behind_gap(s->files), 0);
        for (size_t i = 0; i < COUNT_OF(files); i++)
            assert_int_equal(env_modified_s(sim_env_get(s->sim), files[i].path) >= 0,
                             files[i].is_left);
    }
}

TEST(an_undo_file_can_be_begun_before_it_has_records, struct setting *s)
{
    uint64_t size = 1;
    assert_int_equal(block_files_size(s->files, 0, true, &size), -ENOENT);
    assert_int_equal(block_files_begin_undo(s->files, 0), 0);
    assert_int_equal(block_files_size(s->files, 0, true, &size), 0);
    assert_int_equal(size, 0);
    (void)store(s->files, 1, 100);
    struct file_pos undo = store_undo(s->files, 0, 3, 40);
    assert_int_equal(block_files_begin_undo(s->files, 0), 0);
    assert_int_equal(read_back(s->files, &undo, 3, true), 0);
}

TEST(infos_given_at_opening_go_on_where_they_were, struct setting *s)
{
    static const struct block_file_info infos[2] = {
        {.n_blocks = 9, .block_bytes = BLOCK_FILE_MAX_BYTES},
        {.n_blocks = 1, .block_bytes = 300, .undo_bytes = 40, .height_first = 5, .height_last = 5},
    };
    block_files_close(s->files);
    s->files = open_files(s->sim, infos, 2);
    assert_int_equal(block_files_count(s->files), 2);
    assert_false(block_files_take_dirty(s->files, 0));
    struct file_pos pos = block_files_alloc(s->files, 10, 4, 4);
    assert_int_equal(pos.file, 1);
    assert_int_equal(pos.offset, 308);
    assert_int_equal(block_files_info(s->files, 1)->height_first, 4);
    assert_int_equal(block_files_info(s->files, 1)->height_last, 5);
    assert_int_equal(block_files_alloc_undo(s->files, 1, 10).offset, 52);
}

TEST(a_removed_pair_is_gone_and_its_number_is_not_used_again, struct setting *s)
{
    struct file_pos pos = store(s->files, 1, 100), undo = store_undo(s->files, 0, 2, 10);
    assert_int_equal(block_files_sync(s->files), 0);
    static const size_t first = 0;
    assert_int_equal(block_files_remove(s->files, &first, 1), 0);
    assert_int_equal(read_back(s->files, &pos, 1, false), -ENOENT);
    assert_int_equal(read_back(s->files, &undo, 2, true), -ENOENT);
    assert_true(block_files_total_bytes(s->files) > 0);
    block_files_forget(s->files, 0);
    assert_int_equal(block_files_total_bytes(s->files), 0);
    assert_true(block_files_take_dirty(s->files, 0));
    assert_int_equal(block_files_alloc(s->files, 10, 3, 3).file, 1);
    assert_int_equal(block_files_remove(s->files, &first, 1), 0); /* again: nothing to do */
    sim_disk_fail(sim_env_disk(s->sim), SIM_OP_NAMES, 0, -EIO, false);
    assert_int_equal(block_files_remove(s->files, &first, 1), -EIO);
    sim_disk_fail(sim_env_disk(s->sim), SIM_OP_SYNC, 0, -EIO, false);
    assert_int_equal(block_files_remove(s->files, &first, 1), -EIO);
}

TEST(synced_records_survive_power_loss, struct setting *s)
{
    struct file_pos a = store(s->files, 1, 3000), undo = store_undo(s->files, 0, 2, 700);
    assert_int_equal(block_files_sync(s->files), 0);
    struct file_pos b = store(s->files, 3, 3000);
    int lost = 0, kept = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct sim_env *after = sim_env_crash(s->sim, SIM_CRASH_POWER, seed);
        struct block_files *files = open_files(after, NULL, 0);
        assert_int_equal(read_back(files, &a, 1, false), 0);
        assert_int_equal(read_back(files, &undo, 2, true), 0);
        int result = read_back(files, &b, 3, false);
        assert_true(result == 0 || result == -EUCLEAN);
        lost += result != 0;
        kept += result == 0;
        block_files_close(files);
        sim_env_free(after);
    }
    assert_true(lost > 0 && kept > 0);
}

TEST(a_full_disk_is_a_fault_of_the_write, struct setting *s)
{
    static const unsigned ops[] = {SIM_OP_WRITE, SIM_OP_ALLOCATE, SIM_OP_OPEN};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        block_files_set_used(s->files, (int32_t)i, 0, -1, 0);
        struct file_pos pos = block_files_alloc(s->files, 100, 1, 1);
        uint8_t payload[100] = {0};
        sim_disk_fail(sim_env_disk(s->sim), ops[i], 0, -ENOSPC, false);
        assert_int_equal(block_files_write(s->files, &pos, span_of(payload, 100)), -ENOSPC);
        sim_disk_fail(sim_env_disk(s->sim), SIM_OP_SYNC, 0, -EIO, true);
        if (ops[i] != SIM_OP_OPEN) /* nothing was opened, nothing is to be synced */
            assert_int_equal(block_files_sync(s->files), -EIO);
        sim_disk_fail(sim_env_disk(s->sim), 0, 0, 0, false);
    }
}
