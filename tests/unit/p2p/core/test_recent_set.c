/* test_recent_set.c - the last ids are remembered, memory is bounded. */
#include "p2p/core/recent_set.h"
#include "support/unit.h"

static void id_of(uint8_t id[32], uint32_t n)
{
    memset(id, 0, 32);
    memcpy(id, &n, 4);
}

TEST(the_last_ids_are_remembered_and_old_ones_forgotten)
{
    enum { MAX = 100, N = 5000 };
    struct recent_set set;
    uint8_t id[32];
    recent_set_init(&set, (struct siphash_key){3, 4}, MAX);
    assert_null(set.table[0]);
    for (uint32_t i = 0; i < N; i++) {
        id_of(id, i);
        assert_false(recent_set_has(&set, id));
        assert_true(recent_set_add(&set, id));
        assert_false(recent_set_add(&set, id));
        for (uint32_t back = 0; back < MAX && back <= i; back++) {
            id_of(id, i - back);
            assert_true(recent_set_has(&set, id));
        }
        if (i >= 2 * MAX) {
            id_of(id, i - 2 * MAX);
            assert_false(recent_set_has(&set, id));
        }
    }
    assert_true(set.slots[0] <= 512 && set.slots[1] <= 512);
    recent_set_deinit(&set);
}

TEST(clearing_forgets_everything)
{
    struct recent_set set;
    uint8_t id[32];
    recent_set_init(&set, (struct siphash_key){3, 4}, 10);
    for (uint32_t i = 0; i < 25; i++) {
        id_of(id, i);
        recent_set_add(&set, id);
    }
    recent_set_clear(&set);
    for (uint32_t i = 0; i < 25; i++) {
        id_of(id, i);
        assert_false(recent_set_has(&set, id));
    }
    assert_true(recent_set_add(&set, id));
    recent_set_deinit(&set);
}
