/* test_known_by.c - each peer knows what it got to know, and memory is bounded. */
#include "p2p/core/known_by.h"
#include "support/unit.h"

static void id_of(uint8_t id[32], uint32_t n)
{
    memset(id, 0, 32);
    memcpy(id, &n, 4);
}

static bool has(const struct known_by *known, size_t place, uint32_t n)
{
    uint8_t id[32];
    id_of(id, n);
    return known_by_has(known, place, id);
}

static void add(struct known_by *known, size_t place, uint32_t n)
{
    uint8_t id[32];
    id_of(id, n);
    known_by_add(known, place, id);
}

TEST(each_peer_knows_its_own)
{
    enum { PEERS = 150, IDS = 40 };
    struct known_by known;
    known_by_init(&known, (struct siphash_key){3, 4}, 1000);
    for (size_t i = 0; i < PEERS; i++) {
        assert_int_equal(known_by_join(&known), i);
        assert_false(has(&known, i, 0));
        for (uint32_t n = 0; n < IDS; n++)
            if ((n + i) % 3 == 0)
                add(&known, i, n);
    }
    for (size_t i = 0; i < PEERS; i++)
        for (uint32_t n = 0; n < IDS; n++)
            assert_int_equal(has(&known, i, n), (n + i) % 3 == 0);
    assert_int_equal(known.young.count, IDS);
    known_by_deinit(&known);
}

TEST(who_takes_the_place_of_another_knows_nothing)
{
    struct known_by known;
    known_by_init(&known, (struct siphash_key){3, 4}, 10);
    size_t first = known_by_join(&known), second = known_by_join(&known);
    for (uint32_t n = 0; n < 15; n++) {
        add(&known, first, n);
        add(&known, second, n);
    }
    assert_true(has(&known, first, 3) && has(&known, first, 12)); /* of either generation */
    known_by_leave(&known, first);
    assert_int_equal(known_by_join(&known), first);
    for (uint32_t n = 0; n < 15; n++) {
        assert_false(has(&known, first, n));
        assert_true(has(&known, second, n));
    }
    known_by_deinit(&known);
}

TEST(the_last_ids_are_remembered_and_old_ones_forgotten)
{
    enum { MAX = 100, N = 5000 };
    struct known_by known;
    known_by_init(&known, (struct siphash_key){3, 4}, MAX);
    size_t place = known_by_join(&known), other = known_by_join(&known);
    assert_null(known.young.at);
    for (uint32_t i = 0; i < N; i++) {
        assert_false(has(&known, place, i));
        add(&known, place, i);
        add(&known, other, i);
        for (uint32_t back = 0; back < MAX && back <= i; back++)
            assert_true(has(&known, place, i - back));
        if (i >= 2 * MAX)
            assert_false(has(&known, place, i - 2 * MAX));
    }
    assert_true(known.young.slots <= 256 && known.old.slots <= 256);
    known_by_deinit(&known);
}
