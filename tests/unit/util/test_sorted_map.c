/* test_sorted_map.c - the sorted array against a plain table of what should be in it. */
#include "support/unit.h"
#include "util/sorted_map.h"

static int compare_numbers(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

TEST(an_empty_map_has_no_ends)
{
    struct sorted_map map;
    int key = 1;
    sorted_map_init(&map, compare_numbers);
    assert_null(sorted_map_first(&map));
    assert_null(sorted_map_last(&map));
    assert_null(sorted_map_find(&map, &key));
    assert_null(sorted_map_remove(&map, &key));
    assert_int_equal(sorted_map_lower_bound(&map, &key), 0);
    expect_assert_failure((void)sorted_map_at(&map, 0));
    sorted_map_deinit(&map);
}

TEST(equal_values_are_kept_once)
{
    struct sorted_map map;
    int a = 5, b = 5;
    sorted_map_init(&map, compare_numbers);
    assert_true(sorted_map_insert(&map, &a));
    assert_false(sorted_map_insert(&map, &b));
    assert_int_equal(map.count, 1);
    assert_ptr_equal(sorted_map_find(&map, &b), &a);
    assert_ptr_equal(sorted_map_remove(&map, &b), &a);
    assert_int_equal(map.count, 0);
    sorted_map_deinit(&map);
}

/* Everything that the map says must follow from which numbers are present. */
static void check_against(const struct sorted_map *map, const bool *present, int n)
{
    size_t index = 0;
    for (int i = 0; i < n; i++) {
        assert_int_equal(sorted_map_lower_bound(map, &i), index);
        if (!present[i]) {
            assert_null(sorted_map_find(map, &i));
            continue;
        }
        assert_int_equal(*(int *)sorted_map_find(map, &i), i);
        assert_int_equal(*(int *)sorted_map_at(map, index), i);
        if (index == 0)
            assert_int_equal(*(int *)sorted_map_first(map), i);
        if (index + 1 == map->count)
            assert_int_equal(*(int *)sorted_map_last(map), i);
        index++;
    }
    assert_int_equal(map->count, index);
}

TEST(random_changes_keep_the_order)
{
    enum { N = 100 };
    int numbers[N];
    bool present[N] = {false};
    struct sorted_map map;
    sorted_map_init(&map, compare_numbers);
    for (int i = 0; i < N; i++)
        numbers[i] = i;
    uint64_t random = 3;
    for (int step = 0; step < 5000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        int i = (int)((random >> 33) % N);
        if (present[i])
            assert_ptr_equal(sorted_map_remove(&map, &i), &numbers[i]);
        else
            assert_true(sorted_map_insert(&map, &numbers[i]));
        present[i] = !present[i];
        if (step % 10 == 0)
            check_against(&map, present, N);
    }
    sorted_map_deinit(&map);
}

TEST(the_ends_work_as_a_queue_in_bounded_memory)
{
    enum { N = 10000, WINDOW = 50 };
    int numbers[N];
    struct sorted_map map;
    sorted_map_init(&map, compare_numbers);
    for (int i = 0; i < N; i++) {
        numbers[i] = i;
        assert_true(sorted_map_insert(&map, &numbers[i]));
        if (map.count > WINDOW)
            assert_int_equal(*(int *)sorted_map_remove(&map, sorted_map_first(&map)), i - WINDOW);
    }
    assert_true(map.capacity <= 256);
    sorted_map_deinit(&map);

    sorted_map_init(&map, compare_numbers);
    for (int i = N; i-- > 0;)
        assert_true(sorted_map_insert(&map, &numbers[i]));
    assert_int_equal(*(int *)sorted_map_at(&map, 1234), 1234);
    sorted_map_deinit(&map);
}
