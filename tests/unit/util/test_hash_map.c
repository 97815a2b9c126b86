/* test_hash_map.c - the hash map against a plain array as its model. */
#include "support/unit.h"
#include "util/hash_map.h"

struct item {
    uint32_t key;
};

static bool item_equal(const void *value, const void *key)
{
    return ((const struct item *)value)->key == *(const uint32_t *)key;
}

static uint64_t good_hash(uint32_t key)
{
    uint64_t x = key * 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

/* Everything in eight homes: long runs, and runs that go round the end of the table. */
static uint64_t bad_hash(uint32_t key)
{
    return UINT64_MAX - key % 8;
}

TEST(an_empty_map_finds_nothing)
{
    struct hash_map map;
    hash_map_init(&map);
    uint32_t key = 1;
    size_t at = 0;
    assert_null(hash_map_find(&map, 1, item_equal, &key));
    assert_null(hash_map_remove(&map, 1, item_equal, &key));
    assert_null(hash_map_next(&map, &at));
    hash_map_deinit(&map);
}

/* Random inserts and removals; after each step the touched key, and now and then all keys, must
 * be found exactly if the model has them. */
static void compare_with_model(uint64_t (*hash)(uint32_t), uint32_t n_keys, int steps)
{
    struct item items[512];
    bool present[512] = {false};
    size_t count = 0;
    struct hash_map map;
    hash_map_init(&map);
    uint64_t random = 42;
    for (int step = 0; step < steps; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t key = (uint32_t)(random >> 33) % n_keys;
        if (present[key]) {
            assert_ptr_equal(hash_map_remove(&map, hash(key), item_equal, &key), &items[key]);
            count--;
        } else {
            assert_null(hash_map_find(&map, hash(key), item_equal, &key));
            items[key].key = key;
            hash_map_insert(&map, hash(key), &items[key]);
            count++;
        }
        present[key] = !present[key];
        assert_int_equal(map.count, count);
        for (uint32_t k = 0; step % 16 == 0 && k < n_keys; k++)
            assert_ptr_equal(hash_map_find(&map, hash(k), item_equal, &k),
                             present[k] ? &items[k] : NULL);
    }
    hash_map_deinit(&map);
}

TEST(the_map_agrees_with_its_model)
{
    compare_with_model(good_hash, 512, 20000);
}

TEST(colliding_keys_agree_with_the_model)
{
    compare_with_model(bad_hash, 60, 20000);
}

TEST(iteration_visits_each_value_once)
{
    struct item items[100];
    int seen[100] = {0};
    struct hash_map map;
    hash_map_init(&map);
    for (uint32_t i = 0; i < 100; i++) {
        items[i].key = i;
        hash_map_insert(&map, good_hash(i), &items[i]);
    }
    size_t at = 0;
    for (struct item *item; (item = hash_map_next(&map, &at));)
        seen[item->key]++;
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    hash_map_deinit(&map);
}

TEST(the_load_never_passes_seven_eighths)
{
    struct item item = {0};
    struct hash_map map;
    hash_map_init(&map);
    for (uint32_t i = 0; i < 5000; i++) {
        hash_map_insert(&map, good_hash(i), &item);
        assert_true(map.count <= map.capacity / 8 * 7);
    }
    hash_map_deinit(&map);
}

TEST(null_is_not_a_value)
{
    struct hash_map map;
    hash_map_init(&map);
    expect_assert_failure(hash_map_insert(&map, 1, NULL));
    hash_map_deinit(&map);
}

/* A table that has become much too large goes back, down to nothing. */
TEST(trimming_keeps_what_is_there)
{
    struct item items[3000];
    struct hash_map map;
    hash_map_init(&map);
    assert_int_equal(hash_map_footprint_bytes(&map), 0);
    for (uint32_t i = 0; i < 3000; i++) {
        items[i].key = i;
        hash_map_insert(&map, good_hash(i), &items[i]);
    }
    size_t full_bytes = hash_map_footprint_bytes(&map);
    assert_true(full_bytes >= 3000 * sizeof(struct hash_map_slot));
    for (uint32_t i = 2999; i > 0; i--) {
        assert_ptr_equal(hash_map_remove(&map, good_hash(i), item_equal, &i), &items[i]);
        hash_map_trim(&map);
        assert_true(map.capacity <= MAX_OF(8 * map.count, 16u));
        for (uint32_t k = 0; i % 256 == 0 && k < i; k++)
            assert_ptr_equal(hash_map_find(&map, good_hash(k), item_equal, &k), &items[k]);
    }
    assert_true(hash_map_footprint_bytes(&map) < full_bytes / 100);
    uint32_t last = 0;
    assert_ptr_equal(hash_map_remove(&map, good_hash(0), item_equal, &last), &items[0]);
    hash_map_trim(&map);
    assert_int_equal(hash_map_footprint_bytes(&map), 0);
    hash_map_insert(&map, good_hash(0), &items[0]); /* it can be used again */
    assert_ptr_equal(hash_map_find(&map, good_hash(0), item_equal, &last), &items[0]);
    hash_map_deinit(&map);
}
