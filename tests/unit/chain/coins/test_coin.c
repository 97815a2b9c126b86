/* test_coin.c - compressed coins: every class, the limits, and what must be refused. */
#include "chain/coins/coin.h"
#include "sim/sim_random.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define H20 "000102030405060708090a0b0c0d0e0f10111213"
#define H32 H20 "1415161718191a1b1c1d1e1f"

/* clang-format off */
static const struct {
    const char *name, *script;
    enum coin_script_class class;
    size_t payload_bytes;
} scripts[] = {
    {"empty",                "",                               COIN_SCRIPT_RAW,     0},
    {"one byte",             "51",                             COIN_SCRIPT_RAW,     1},
    {"p2pkh",                "76a914" H20 "88ac",              COIN_SCRIPT_P2PKH,   20},
    {"p2pkh, other end",     "76a914" H20 "88ad",              COIN_SCRIPT_RAW,     25},
    {"p2pkh, a byte more",   "76a914" H20 "88acac",            COIN_SCRIPT_RAW,     26},
    {"p2sh",                 "a914" H20 "87",                  COIN_SCRIPT_P2SH,    20},
    {"p2sh, other end",      "a914" H20 "88",                  COIN_SCRIPT_RAW,     23},
    {"p2pk even",            "2102" H32 "ac",                  COIN_SCRIPT_P2PK_02, 32},
    {"p2pk odd",             "2103" H32 "ac",                  COIN_SCRIPT_P2PK_03, 32},
    {"p2pk hybrid",          "2106" H32 "ac",                  COIN_SCRIPT_RAW,     35},
    {"p2pk long",            "4104" H32 H32 "ac",              COIN_SCRIPT_RAW,     67},
    {"p2wpkh",               "0014" H20,                       COIN_SCRIPT_P2WPKH,  20},
    {"p2wpkh version 1",     "5114" H20,                       COIN_SCRIPT_RAW,     22},
    {"p2wsh",                "0020" H32,                       COIN_SCRIPT_P2WSH,   32},
    {"p2tr",                 "5120" H32,                       COIN_SCRIPT_P2TR,    32},
    {"version 2",            "5220" H32,                       COIN_SCRIPT_RAW,     34},
    {"p2wsh, a byte less",   "001f" H20 "1415161718191a1b1c1d1e", COIN_SCRIPT_RAW,  33},
};
/* clang-format on */

TEST(scripts_find_their_class_and_come_back_whole)
{
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        uint8_t bytes[128], out[COIN_SCRIPT_EXPANDED_MAX];
        struct span script = span_of(bytes, hex_bytes(scripts[i].script, bytes, sizeof bytes));
        struct span payload;
        enum coin_script_class class = coin_script_classify(script, &payload);
        if (class != scripts[i].class)
            fail_msg("%s: class %d", scripts[i].name, class);
        assert_int_equal(payload.len, scripts[i].payload_bytes);
        if (class == COIN_SCRIPT_RAW) {
            assert_true(span_equal(payload, script));
        } else {
            size_t len = coin_script_expand(class, payload.p, out);
            assert_true(span_equal(span_of(out, len), script));
        }
    }
}

/* clang-format off */
static const struct { int64_t value_sat; uint32_t height; bool coinbase; size_t bytes; } coins[] = {
    {0,                      0,               false, 4},
    {0,                      0,               true,  4},
    {1,                      63,              true,  4},
    {1,                      64,              false, 5},
    {5000000000,             1,               true,  4}, /* 50 coins: two digits and zeros */
    {1000000000,             1,               false, 4},
    {999999999,              1,               false, 8},
    {12345678901,            840000,          false, 11},
    {MAX_MONEY_SAT,          COIN_HEIGHT_MAX, true,  11},
    {MAX_MONEY_SAT - 1,      COIN_HEIGHT_MAX, false, 16},
};
/* clang-format on */

static bool coins_equal(const struct coin *a, const struct coin *b)
{
    return a->value_sat == b->value_sat && a->height == b->height && a->coinbase == b->coinbase &&
           span_equal(a->script_pubkey, b->script_pubkey);
}

/* Encode, decode, compare. Returns the encoded size. */
static size_t round_trip(const struct coin *coin)
{
    struct buffer buffer;
    struct arena arena;
    struct coin back;
    buffer_init(&buffer);
    arena_init(&arena, 256);
    struct writer w = writer_to_growing(&buffer), counting = writer_counting();
    coin_encode(&w, coin);
    coin_encode(&counting, coin);
    assert_int_equal(counting.len, buffer.len);
    struct reader r = reader_of(buffer_span(&buffer));
    assert_true(coin_decode(&r, &arena, &back));
    assert_true(reader_finish(&r));
    assert_true(coins_equal(coin, &back));
    /* Every shorter piece is refused. */
    for (size_t len = 0; len < buffer.len; len++) {
        r = reader_of(span_of(buffer.p, len));
        assert_false(coin_decode(&r, &arena, &back));
    }
    arena_deinit(&arena);
    size_t bytes = buffer.len;
    buffer_deinit(&buffer);
    return bytes;
}

TEST(coins_survive_the_round_trip_in_few_bytes)
{
    for (size_t i = 0; i < COUNT_OF(coins); i++) {
        struct coin coin = {.value_sat = coins[i].value_sat,
                            .height = coins[i].height,
                            .coinbase = coins[i].coinbase};
        size_t bytes = round_trip(&coin);
        if (bytes > coins[i].bytes)
            fail_msg("row %zu takes %zu bytes", i, bytes);
    }
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        uint8_t bytes[128];
        struct coin coin = {.value_sat = 600000000, .height = 1000};
        coin.script_pubkey = span_of(bytes, hex_bytes(scripts[i].script, bytes, sizeof bytes));
        size_t size = round_trip(&coin);
        assert_true(size <= scripts[i].payload_bytes + 6);
    }
}

TEST(random_amounts_and_raw_scripts_survive)
{
    struct sim_random random = sim_random_of(1, 0);
    uint8_t script[300];
    for (size_t i = 0; i < sizeof script; i++)
        script[i] = (uint8_t)sim_random_u64(&random);
    for (int i = 0; i < 300; i++) {
        uint64_t scale = 1;
        for (uint64_t n = sim_random_below(&random, 16); n > 0; n--)
            scale *= 10;
        uint64_t most = (uint64_t)MAX_MONEY_SAT / scale + 1;
        struct coin coin = {
            .value_sat = (int64_t)(sim_random_below(&random, most) * scale),
            .height = (uint32_t)sim_random_below(&random, COIN_HEIGHT_MAX),
            .coinbase = sim_random_below(&random, 2),
            .script_pubkey = span_of(script, (size_t)sim_random_below(&random, sizeof script)),
        };
        assert_true(round_trip(&coin) > 0);
    }
}

/* clang-format off */
static const struct { const char *name, *bytes; } malformed[] = {
    {"height with a superfluous byte", "8000" "00" "0000"},
    {"height beyond 31 bits",          "8080808010" "00" "0000"},
    {"number without end",             "ffffffffffffffffffff" "00" "0000"},
    {"amount beyond the money",        "00" "ffffffffffffffff7f" "0000"},
    {"unknown class",                  "00" "00" "08"},
    {"class 255",                      "00" "00" "ff"},
    {"raw script longer than the rest", "00" "00" "00" "02" "51"},
    {"raw script length near 2^63",    "00" "00" "00" "ffffffffffffffff7f" "51"},
    {"a script of a class stored raw", "00" "00" "00" "16" "0014" H20},
};
/* clang-format on */

TEST(malformed_coins_are_refused)
{
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        uint8_t bytes[64];
        struct arena arena;
        struct coin coin;
        arena_init(&arena, 256);
        struct reader r = reader_of(span_of(bytes, hex_bytes(malformed[i].bytes, bytes, 64)));
        if (coin_decode(&r, &arena, &coin))
            fail_msg("%s was accepted", malformed[i].name);
        assert_true(r.failed);
        arena_deinit(&arena);
    }
}
