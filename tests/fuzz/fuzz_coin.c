/* fuzz_coin.c - whatever decodes as a coin encodes to the same bytes, and a slot of the table holds
 * it without loss. */
#include <stddef.h>
#include <stdint.h>

#include "chain/coins/coins_table.h"
#include "util/buffer.h"

static void check_equal(const struct coin *a, const struct coin *b)
{
    ASSERT(a->value_sat == b->value_sat && a->height == b->height && a->coinbase == b->coinbase);
    ASSERT(span_equal(a->script_pubkey, b->script_pubkey));
}

static void check_slot(const struct coin *coin)
{
    struct siphash_key key = {1, 2};
    struct outpoint outpoint = {.vout = 3};
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct coins_table table;
    coins_table_init(&table, key);
    uint64_t hash = siphash13_id(key, outpoint.txid.b, outpoint.vout);
    struct coins_slot *slot = coins_table_slot(&table, coins_table_insert(&table, &outpoint, hash));
    coins_table_set_coin(&table, slot, coin);
    struct coin back = coins_slot_coin(slot, script);
    check_equal(coin, &back);
    coins_table_deinit(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct coin coin;
    struct reader r = reader_of(span_of(data, size));
    arena_init(&arena, 256);
    if (coin_decode(&r, &arena, &coin)) {
        struct buffer again;
        buffer_init(&again);
        struct writer w = writer_to_growing(&again);
        coin_encode(&w, &coin);
        ASSERT(again.len == (size_t)(r.at - data));
        ASSERT(memcmp(again.p, data, again.len) == 0);
        buffer_deinit(&again);
        check_slot(&coin);
    }

    /* Any bytes are a script. */
    coin = (struct coin){.value_sat = 1, .script_pubkey = span_of(data, size)};
    struct span payload;
    enum coin_script_class class = coin_script_classify(coin.script_pubkey, &payload);
    if (class != COIN_SCRIPT_RAW) {
        uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
        ASSERT(coin_script_expand(class, payload.p, script) == size);
        ASSERT(memcmp(script, data, size) == 0);
    }
    check_slot(&coin);
    arena_deinit(&arena);
    return 0;
}
