/* test_coins_table.c - the table against a plain array; memory and work stay within bounds. */
#include "chain/coins/coins_table.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

static const struct siphash_key key = {11, 22};

/* The outpoint that stands for a number; seven to a transaction. */
static struct outpoint outpoint_of(uint32_t number)
{
    struct outpoint outpoint = {.vout = number % 7};
    struct sim_random random = sim_random_of(number / 7, 1);
    for (int i = 0; i < 4; i++) {
        uint64_t bits = sim_random_u64(&random);
        memcpy(outpoint.txid.b + 8 * i, &bits, 8);
    }
    return outpoint;
}

static uint64_t hash_of(const struct outpoint *outpoint)
{
    return siphash13_id(key, outpoint->txid.b, outpoint->vout);
}

static uint32_t find(const struct coins_table *table, uint32_t number)
{
    struct outpoint outpoint = outpoint_of(number);
    uint64_t hash = hash_of(&outpoint);
    coins_table_prefetch_index(table, hash);
    coins_table_prefetch_slot(table, hash);
    return coins_table_find(table, &outpoint, hash);
}

static uint32_t insert(struct coins_table *table, uint32_t number)
{
    struct outpoint outpoint = outpoint_of(number);
    return coins_table_insert(table, &outpoint, hash_of(&outpoint));
}

static void erase(struct coins_table *table, uint32_t number)
{
    struct outpoint outpoint = outpoint_of(number);
    uint64_t hash = hash_of(&outpoint);
    coins_table_erase(table, coins_table_find(table, &outpoint, hash), hash);
}

static uint8_t script_bytes[400];

/* A coin that is a function of number and round: scripts of all kinds and lengths. */
static struct coin coin_of(uint32_t number, uint32_t round, uint8_t script[400])
{
    struct sim_random random = sim_random_of(number, round);
    static const size_t lens[] = {0, 1, 22, 25, 32, 33, 34, 35, 67, 399};
    size_t len = lens[sim_random_below(&random, COUNT_OF(lens))];
    for (size_t i = 0; i < len; i++)
        script[i] = (uint8_t)sim_random_u64(&random);
    if (len == 22 || len == 34)
        script[0] = 0, script[1] = (uint8_t)(len - 2);
    if (len == 25)
        script[0] = 0x76, script[1] = 0xa9, script[2] = 20, script[23] = 0x88, script[24] = 0xac;
    if (len == 35)
        script[0] = 33, script[1] = 3, script[34] = 0xac;
    return (struct coin){
        .value_sat = (int64_t)sim_random_below(&random, (uint64_t)MAX_MONEY_SAT + 1),
        .height = (uint32_t)sim_random_below(&random, (uint64_t)COIN_HEIGHT_MAX + 1),
        .coinbase = sim_random_below(&random, 2),
        .script_pubkey = span_of(script, len),
    };
}

static void assert_holds(const struct coins_slot *slot, uint32_t number, uint32_t round)
{
    uint8_t script[400], out[COIN_SCRIPT_EXPANDED_MAX];
    struct coin want = coin_of(number, round, script), got = coins_slot_coin(slot, out);
    assert_int_equal(got.value_sat, want.value_sat);
    assert_int_equal(got.height, want.height);
    assert_int_equal(got.coinbase, want.coinbase);
    assert_true(span_equal(got.script_pubkey, want.script_pubkey));
}

enum { MODEL_COINS = 3000, MODEL_STEPS = 60000 };

struct model {
    uint32_t round[MODEL_COINS]; /* 0: not in the table */
    unsigned flags[MODEL_COINS];
    uint32_t count, n_dirty;
};

static void model_step(struct coins_table *table, struct model *model, struct sim_random *random,
                       uint32_t step)
{
    uint32_t number = (uint32_t)sim_random_below(random, MODEL_COINS);
    uint32_t slot = find(table, number);
    assert_int_equal(slot != COINS_SLOT_NONE, model->round[number] != 0);
    if (slot == COINS_SLOT_NONE) {
        slot = insert(table, number);
        struct coin coin = coin_of(number, step, script_bytes);
        coins_table_set_coin(table, coins_table_slot(table, slot), &coin);
        model->round[number] = step;
        model->flags[number] = 0;
        model->count++;
        return;
    }
    struct coins_slot *s = coins_table_slot(table, slot);
    assert_true(coins_slot_is_used(s));
    assert_holds(s, number, model->round[number]);
    assert_int_equal(coins_slot_flags(s), model->flags[number]);
    model->n_dirty -= model->flags[number] & COINS_DIRTY;
    if (sim_random_below(random, 2)) {
        erase(table, number);
        model->round[number] = 0;
        model->count--;
        return;
    }
    struct coin coin = coin_of(number, step, script_bytes);
    coins_table_set_coin(table, s, &coin);
    model->round[number] = step;
    model->flags[number] = (unsigned)sim_random_below(random, 8);
    model->n_dirty += model->flags[number] & COINS_DIRTY;
    coins_table_set_flags(table, s, model->flags[number]);
    assert_holds(s, number, step);
}

TEST(random_operations_agree_with_a_plain_array)
{
    struct coins_table table;
    struct model *model = xcalloc(1, sizeof *model);
    coins_table_init(&table, key);
    struct sim_random random = sim_random_of(5, 0);
    for (uint32_t step = 1; step <= MODEL_STEPS; step++) {
        model_step(&table, model, &random, step);
        assert_int_equal(table.count, model->count);
        assert_int_equal(table.n_dirty, model->n_dirty);
    }
    for (uint32_t number = 0; number < MODEL_COINS; number++) {
        uint32_t slot = find(&table, number);
        assert_int_equal(slot != COINS_SLOT_NONE, model->round[number] != 0);
        if (slot != COINS_SLOT_NONE)
            assert_holds(coins_table_slot(&table, slot), number, model->round[number]);
    }
    assert_true(table.n_long_scripts > 0);
    coins_table_deinit(&table);
    assert_int_equal(table.bytes, 0);
    xfree(model);
}

TEST(memory_and_work_stay_bounded_while_the_table_grows)
{
    enum { N = 250000 };
    struct coins_table table;
    coins_table_init(&table, key);
    assert_int_equal(table.bytes, 0);
    uint64_t most_moved = 0;
    uint8_t script[34] = {0, 32};
    struct coin coin = {.value_sat = 1, .script_pubkey = span_of(script, sizeof script)};
    for (uint32_t i = 0; i < N; i++) {
        uint64_t before = table.moved;
        uint32_t slot = insert(&table, i);
        coins_table_set_coin(&table, coins_table_slot(&table, slot), &coin);
        if (table.moved - before > most_moved)
            most_moved = table.moved - before;
        if (i == 0)
            assert_true(table.bytes < 8 << 10);
        if (i == 1000)
            assert_true(table.bytes < 1000 * 180);
        if (i >= 100000 && table.bytes > (size_t)(i + 1) * 90)
            fail_msg("%zu bytes for %u coins", table.bytes, i + 1);
    }
    assert_true(most_moved > 0);
    /* A split moves one group and a growth another: no step depends on the table's size. */
    if (most_moved > 5 * COINS_GROUP_MEAN)
        fail_msg("%llu entries were moved at once", (unsigned long long)most_moved);
    for (uint32_t i = 0; i < N; i += 97)
        assert_true(find(&table, i) != COINS_SLOT_NONE);
    assert_int_equal(find(&table, N), COINS_SLOT_NONE);
    coins_table_deinit(&table);
}

TEST(erased_slots_are_used_again)
{
    struct coins_table table;
    coins_table_init(&table, key);
    for (uint32_t i = 0; i < 5000; i++)
        insert(&table, i);
    size_t bytes = table.bytes;
    for (uint32_t round = 1; round < 4; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            erase(&table, (round - 1) * 5000 + i);
            insert(&table, round * 5000 + i);
        }
    assert_int_equal(table.n_slots, 5000);
    assert_int_equal(table.count, 5000);
    assert_true(table.bytes <= bytes + bytes / 20); /* groups' sizes vary a little */
    coins_table_deinit(&table);
}

TEST(a_table_can_be_taken_apart_from_its_end)
{
    enum { N = 5000 };
    struct coins_table table;
    coins_table_init(&table, key);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t slot = insert(&table, i);
        struct coin coin = coin_of(i, 1, script_bytes);
        coins_table_set_coin(&table, coins_table_slot(&table, slot), &coin);
        coins_table_set_flags(&table, coins_table_slot(&table, slot), COINS_DIRTY);
    }
    for (uint32_t i = 0; i < N; i += 3)
        erase(&table, i);
    size_t bytes = table.bytes;
    uint32_t left = N;
    while (coins_table_drop_last(&table)) {
        left--;
        if (left % 100 != 0)
            continue;
        for (uint32_t i = 0; i < N; i += 31) {
            bool is_there = i < left && i % 3 != 0;
            assert_int_equal(find(&table, i) != COINS_SLOT_NONE, is_there);
        }
        assert_true(table.bytes <= bytes);
        bytes = table.bytes;
    }
    assert_int_equal(left, 0);
    assert_int_equal(table.count, 0);
    assert_int_equal(table.n_dirty, 0);
    assert_int_equal(table.n_long_scripts, 0);
    coins_table_deinit(&table);
}

TEST(freeing_takes_many_small_steps)
{
    struct coins_table table;
    coins_table_init(&table, key);
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t slot = insert(&table, i);
        struct coin coin = coin_of(i, 1, script_bytes);
        coins_table_set_coin(&table, coins_table_slot(&table, slot), &coin);
    }
    size_t steps = 1, bytes = table.bytes;
    while (coins_table_free_some(&table)) {
        assert_true(table.bytes < bytes);
        bytes = table.bytes;
        steps++;
    }
    assert_true(steps >= 10);
    assert_int_equal(table.bytes, 0);
    coins_table_deinit(&table);
}

TEST(a_cleared_slot_keeps_its_flags_and_name)
{
    struct coins_table table;
    coins_table_init(&table, key);
    struct coins_slot *slot = coins_table_slot(&table, insert(&table, 1));
    struct coin coin = {.value_sat = MAX_MONEY_SAT,
                        .height = COIN_HEIGHT_MAX,
                        .coinbase = true,
                        .script_pubkey = span_of(script_bytes, sizeof script_bytes)};
    coins_table_set_flags(&table, slot, COINS_DIRTY | COINS_TOMB);
    coins_table_set_coin(&table, slot, &coin);
    assert_int_equal(coins_slot_flags(slot), COINS_DIRTY | COINS_TOMB);
    coins_table_clear_coin(&table, slot);
    assert_int_equal(coins_slot_flags(slot), COINS_DIRTY | COINS_TOMB);
    assert_int_equal(table.n_long_scripts, 0);
    uint8_t out[COIN_SCRIPT_EXPANDED_MAX];
    assert_int_equal(coins_slot_coin(slot, out).value_sat, 0);
    assert_true(find(&table, 1) != COINS_SLOT_NONE);
    coins_table_deinit(&table);
}
