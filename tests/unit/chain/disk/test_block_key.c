/* test_block_key.c - the key of block files is made once, and used both ways. */
#include "chain/disk/block_key.h"

#include <errno.h>
#include <string.h>

#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

static int setup(void **state)
{
    struct sim_env *sim = sim_env_new(1);
    *state = sim;
    return env_make_dir(sim_env_get(sim), "blocks");
}

static int teardown(void **state)
{
    sim_env_free(*state);
    return 0;
}

FIXTURE(setup, teardown)

static struct block_key load(struct sim_env *sim)
{
    struct block_key key;
    assert_int_equal(block_key_load(sim_env_get(sim), "blocks", &key), 0);
    return key;
}

static int make(struct sim_env *sim, bool wants_random, char **error)
{
    return block_key_make(sim_env_get(sim), "blocks", wants_random, error);
}

static void put_file(struct sim_env *sim, const char *path, const char *text)
{
    const struct env *env = sim_env_get(sim);
    struct env_file *file;
    assert_int_equal(env_file_open(env, path, ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, text, strlen(text)), 0);
    env_file_close(env, file);
}

TEST(a_key_is_made_once_and_outlives_a_crash, struct sim_env *sim)
{
    char *error;
    assert_false(load(sim).is_set);
    assert_int_equal(make(sim, true, &error), 0);
    assert_null(error);
    struct block_key first = load(sim);
    assert_true(first.is_set);
    assert_int_equal(make(sim, true, &error), 0);
    struct sim_env *after = sim_env_crash(sim, SIM_CRASH_POWER, 5);
    struct block_key later = load(after);
    assert_memory_equal(later.bytes, first.bytes, BLOCK_KEY_BYTES);
    sim_env_free(after);
}

TEST(a_random_key_cannot_be_switched_off, struct sim_env *sim)
{
    char *error;
    put_file(sim, "blocks/xor.dat", "\x01\x02\x03\x04\x05\x06\x07\xff");
    assert_int_equal(make(sim, false, &error), -EINVAL);
    assert_string_equal(error,
                        "The blocksdir XOR-key can not be disabled when a random key was already "
                        "stored! Stored key: '01020304050607ff', stored path: 'blocks/xor.dat'.");
    xfree(error);
    assert_int_equal(make(sim, true, &error), 0);
}

TEST(blocks_that_are_there_keep_their_form, struct sim_env *sim)
{
    char *error;
    put_file(sim, "blocks/blk00000.dat", "x");
    for (int wants = 1; wants >= 0; wants--) {
        assert_int_equal(make(sim, wants, &error), 0);
        assert_true(env_modified_s(sim_env_get(sim), "blocks/xor.dat") >= 0);
        assert_false(load(sim).is_set);
    }
}

TEST(what_the_disk_refuses_is_told, struct sim_env *sim)
{
    struct block_key key;
    char *error;
    sim_disk_fail(sim_env_disk(sim), SIM_OP_SYNC, 0, -EIO, false);
    assert_int_equal(make(sim, true, &error), -EIO);
    assert_non_null(strstr(error, "Cannot write blocks/xor.dat: "));
    xfree(error);
    put_file(sim, "blocks/xor.dat", "123456789");
    assert_int_equal(block_key_load(sim_env_get(sim), "blocks", &key), -EUCLEAN);
    assert_int_equal(make(sim, true, &error), -EUCLEAN);
    assert_string_equal(error, "Cannot read blocks/xor.dat: it must have 8 bytes");
    xfree(error);
}

/* Whole words and their rest, from each offset. */
TEST(each_byte_has_the_byte_of_its_offset, struct sim_env *sim)
{
    struct block_key key = {.bytes = {1, 2, 4, 8, 16, 32, 64, 128}, .is_set = true};
    (void)sim;
    for (uint64_t offset = 0; offset < 17; offset++)
        for (size_t n = 0; n < 20; n++) {
            uint8_t bytes[20] = {0};
            block_key_apply(&key, offset, bytes, n);
            for (size_t i = 0; i < sizeof bytes; i++)
                assert_int_equal(bytes[i], i < n ? key.bytes[(offset + i) % 8] : 0);
            block_key_apply(&key, offset, bytes, n);
            for (size_t i = 0; i < sizeof bytes; i++)
                assert_int_equal(bytes[i], 0);
        }
}
