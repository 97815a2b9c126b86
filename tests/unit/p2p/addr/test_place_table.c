/* test_place_table.c - a table of places, beside an array of them. */
#include "p2p/addr/place_table.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { PLACES = 8 * PLACE_TABLE_BUCKET };

static void assert_same(const struct place_table *table, const uint32_t *array)
{
    size_t at = 0;
    for (size_t i = 0; i < PLACES; i++) {
        assert_int_equal(place_table_get(table, i), array[i]);
        if (!array[i])
            continue;
        assert_int_equal(place_table_next(table, at), i);
        at = i + 1;
    }
    assert_int_equal(place_table_next(table, at), PLACES);
}

TEST(places_are_given_and_taken_back)
{
    struct place_table table;
    uint32_t array[PLACES] = {0};
    struct sim_random random = sim_random_of(3, 3);
    place_table_init(&table, PLACES);
    assert_same(&table, array);
    for (int round = 0; round < 4000; round++) {
        /* Nearly full in between, nearly empty in between. */
        bool gives = sim_random_below(&random, 10) < (round / 1000 % 2 ? 1 : 9);
        size_t at = (size_t)sim_random_below(&random, PLACES);
        if (gives == (array[at] != 0))
            continue;
        array[at] = gives ? (uint32_t)(round + 1) : 0;
        place_table_set(&table, at, array[at]);
        if (round % 50 == 0)
            assert_same(&table, array);
    }
    place_table_deinit(&table);
}

TEST(a_full_table_and_an_empty_one)
{
    struct place_table table;
    uint32_t array[PLACES];
    place_table_init(&table, PLACES);
    for (size_t i = PLACES; i-- > 0;)
        place_table_set(&table, i, array[i] = UINT32_MAX - (uint32_t)i);
    assert_same(&table, array);
    expect_assert_failure(place_table_set(&table, 5, 7));
    for (size_t i = 0; i < PLACES; i++) {
        place_table_set(&table, i, 0);
        array[i] = 0;
    }
    assert_same(&table, array);
    expect_assert_failure(place_table_set(&table, 5, 0));
    expect_assert_failure((void)place_table_get(&table, PLACES));
    place_table_deinit(&table);
}
