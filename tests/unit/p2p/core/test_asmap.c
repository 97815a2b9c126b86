/* test_asmap.c - maps of operators: what they say, and which ones are refused. */
#include "p2p/core/asmap.h"

#include <string.h>

#include "support/hex_bytes.h"
#include "support/unit.h"

/* A map from its bits as text, spaces aside, in the order in which they are read. */
static struct span map_of(const char *bits, uint8_t *out, size_t capacity)
{
    size_t n = 0;
    memset(out, 0, capacity);
    for (; *bits; bits++) {
        if (*bits == ' ')
            continue;
        assert_true(n / 8 < capacity);
        out[n / 8] |= (uint8_t)((*bits - '0') << n % 8);
        n++;
    }
    return span_of(out, (n + 7) / 8);
}

/* clang-format off */
#define AS1    "0 0 000000000000000" /* return 1 */
#define AS2    "0 0 000000000000001"
#define AS32769 "0 10 0000000000000000" /* the first of the next class */
#define IF_SET_SKIP_17 "10 0 00000"
#define IF_SET_SKIP_34 "10 0 10001"
#define MATCH_10    "110 10 10"      /* the bits 1, 0 */
#define MATCH_8     "110 1111111 00000000" /* eight zeros */
#define DEFAULT_1   "111 0 000000000000000"

static const struct {
    const char *map;
    uint32_t low, high, middle; /* of 0000..., of 1111..., of 1000... */
} maps[] = {
    {AS1, 1, 1, 1},
    {AS32769, 32769, 32769, 32769},
    {IF_SET_SKIP_17 AS1 AS2, 1, 2, 2},
    {IF_SET_SKIP_34 IF_SET_SKIP_17 AS1 AS2 AS32769, 0, 0, 0}, /* its jump ends in the middle */
    {DEFAULT_1 MATCH_10 AS2, 1, 1, 2},
    {MATCH_10 AS2, 0, 0, 2},
    {MATCH_8 AS2, 2, 0, 0},
    {MATCH_8 MATCH_10 AS2, 0, 0, 0},
};
static const char *const bad_maps[] = {
    "",
    "0",                                /* a number that is cut off */
    "0 0 00000000000000",
    "0 1",
    AS1 "1",                            /* something behind the end */
    AS1 "00000000 0000000",             /* more than the rest of a byte */
    DEFAULT_1 AS2,                      /* one of these does nothing */
    DEFAULT_1 DEFAULT_1 MATCH_10 AS2,
    IF_SET_SKIP_17 AS1,                 /* nothing where it goes */
    "10 0 11111" AS1 AS2,               /* into the middle of an instruction */
    "10 0 00000 110 10 10" AS1 AS2,
    "10 1",
    "110 1",
    "11",
    "1",
    MATCH_10 MATCH_10 AS1,              /* one would do */
    AS1 AS2,                            /* nobody comes there */
};
/* clang-format on */

TEST(maps_say_what_their_bits_mean)
{
    uint8_t bytes[64];
    const uint8_t low[16] = {0}, middle[16] = {0x80};
    uint8_t high[16];
    memset(high, 0xff, sizeof high);
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        struct span map = map_of(maps[i].map, bytes, sizeof bytes);
        if (i == 3) {
            assert_false(asmap_is_sane(map));
            continue;
        }
        if (!asmap_is_sane(map))
            fail_msg("map %zu", i);
        assert_int_equal(asmap_lookup(map, low), maps[i].low);
        assert_int_equal(asmap_lookup(map, high), maps[i].high);
        assert_int_equal(asmap_lookup(map, middle), maps[i].middle);
    }
}

TEST(what_makes_no_sense_is_refused)
{
    uint8_t bytes[64];
    for (size_t i = 0; i < COUNT_OF(bad_maps); i++)
        if (asmap_is_sane(map_of(bad_maps[i], bytes, sizeof bytes)))
            fail_msg("map %zu was taken", i);
}

/* 128 bits are all that an address has. */
TEST(no_map_asks_for_more_bits_than_there_are)
{
    static const char match[] = MATCH_8;
    char text[17 * sizeof match + 40] = "";
    uint8_t bytes[64];
    const uint8_t low[16] = {0};
    for (int i = 0; i < 16; i++)
        strcat(text, match);
    size_t full = strlen(text);
    strcat(text, AS2);
    struct span map = map_of(text, bytes, sizeof bytes);
    assert_true(asmap_is_sane(map));
    assert_int_equal(asmap_lookup(map, low), 2);
    text[full] = '\0';
    strcat(text, "110 0 0" AS2);
    assert_false(asmap_is_sane(map_of(text, bytes, sizeof bytes)));
    text[full] = '\0';
    strcat(text, IF_SET_SKIP_17 AS1 AS2);
    assert_false(asmap_is_sane(map_of(text, bytes, sizeof bytes)));
}

/* Whatever the bytes are, what is found sane answers for every address. */
TEST(random_maps_are_refused_or_answer)
{
    uint64_t seed = 7;
    size_t n_sane = 0;
    for (int round = 0; round < 200000; round++) {
        uint8_t bytes[24], address[16];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            bytes[i] = (uint8_t)(seed >> 56);
        }
        memcpy(address, bytes, sizeof address);
        struct span map = span_of(bytes, 3 + (size_t)(seed >> 20) % 22);
        if (!asmap_is_sane(map))
            continue;
        n_sane++;
        (void)asmap_lookup(map, address);
    }
    assert_true(n_sane > 20);
}

/* As bitcoind logs it for this file, the skeleton of its own tests. */
TEST(maps_are_told_apart_by_their_hash)
{
    uint8_t map[59], version[32];
    hex_bytes_exactly("fb03ec0fb03fc0fe00fb03ec0fb03fc0fe00fb03ec0fb0fffffeffedb0ff"
                      "d486e628290000400000400040990100800180040000050006001cf039",
                      map, sizeof map);
    assert_true(asmap_is_sane(span_of(map, sizeof map)));
    asmap_version(span_of(map, sizeof map), version);
    assert_hex(version, 32, "9588f60067c8fae303d02215744f10c90a402523d2d13b447951f408a39dfcba");
    map[58] |= 0x80; /* behind its end */
    assert_false(asmap_is_sane(span_of(map, sizeof map)));
}
