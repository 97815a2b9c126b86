/* test_snapshot_reader.c - files of coins read back, and those that are not what they seem. */
#include "chain/coins/snapshot_reader.h"

#include <errno.h>

#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define HEIGHT 299

struct setting {
    struct sim_env *sim;
    const struct env *env;
    const struct network *network;
    struct snapshot_reader reader;
    struct env_file *file;
};

static int setup(void **state)
{
    struct setting *s = xcalloc(1, sizeof *s);
    s->sim = sim_env_new(1);
    s->env = sim_env_get(s->sim);
    s->network = network_get(NETWORK_REGTEST);
    assert_int_equal(env_make_dir(s->env, "d"), 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct setting *s = *state;
    snapshot_reader_deinit(&s->reader);
    if (s->file)
        env_file_close(s->env, s->file);
    sim_env_free(s->sim);
    xfree(s);
    return 0;
}

FIXTURE(setup, teardown)

/* A file with that content, open. */
static void put_file(struct setting *s, const uint8_t *bytes, size_t len)
{
    if (s->file)
        env_file_close(s->env, s->file);
    assert_int_equal(env_file_open(s->env, "d/coins",
                                   ENV_OPEN_READ | ENV_OPEN_WRITE | ENV_OPEN_CREATE |
                                       ENV_OPEN_TRUNCATE,
                                   &s->file),
                     0);
    assert_int_equal(env_file_write_at(s->env, s->file, 0, bytes, len), 0);
}

/* Head and coins, in hex, then read until an end. Returns what the last call did. */
static int read_all(struct setting *s, uint64_t n_coins, const char *hex)
{
    static uint8_t bytes[40000];
    struct writer w = writer_to_buffer(bytes, SNAPSHOT_HEADER_BYTES);
    struct snapshot_head head;
    char why[SNAPSHOT_WHY_BYTES];
    size_t len = strlen(hex) / 2;
    write_bytes(&w, (const uint8_t *)SNAPSHOT_FILE_MAGIC, 5);
    write_u16(&w, SNAPSHOT_FILE_VERSION);
    write_bytes(&w, s->network->magic, 4);
    struct block_hash base = {.b = {9}};
    write_bytes(&w, base.b, 32);
    write_u64(&w, n_coins);
    assert_true(hex_decode(bytes + SNAPSHOT_HEADER_BYTES, len, hex, 2 * len));
    put_file(s, bytes, SNAPSHOT_HEADER_BYTES + len);
    assert_int_equal(snapshot_head_read(s->env, s->file, s->network, &head, why), 0);
    assert_true(block_hash_equal(&head.base, &base) && head.n_coins == n_coins);
    snapshot_reader_deinit(&s->reader);
    snapshot_reader_init(&s->reader, s->env, s->file, &head, HEIGHT);
    struct outpoint outpoint;
    struct coin coin;
    int got;
    do
        got = snapshot_reader_next(&s->reader, &outpoint, &coin);
    while (got == 1);
    return got;
}

#define TXID "0100000000000000000000000000000000000000000000000000000000000000"
#define COIN "00000751" /* height 0, no amount, OP_1 */

/* What the writer makes is what the reader finds, whatever the script. */
TEST(what_was_written_is_read, struct setting *s)
{
    static const char *const scripts[] = {
        "76a914816115944e077fe7c803cfa57f29b36bf87c1d3588ac",
        "a914816115944e077fe7c803cfa57f29b36bf87c1d3587",
        "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
        "410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8ac",
        "410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b9ac",
        "0014816115944e077fe7c803cfa57f29b36bf87c1d35", "51", ""};
    uint8_t raw[COUNT_OF(scripts)][80], hash[32];
    struct snapshot_writer writer;
    struct snapshot_head head;
    char why[SNAPSHOT_WHY_BYTES];
    struct block_hash base = {.b = {9}};
    assert_int_equal(snapshot_writer_open(&writer, s->env, "d/coins"), 0);
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        size_t len = strlen(scripts[i]) / 2;
        assert_true(hex_decode(raw[i], len, scripts[i], 2 * len));
        struct outpoint outpoint = {.txid.b = {(uint8_t)(i / 3)}, .vout = (uint32_t)(i * 300)};
        struct coin coin = {.value_sat = MAX_MONEY_SAT - (int64_t)(i * 1000000),
                            .height = (uint32_t)i * 40,
                            .coinbase = i % 2,
                            .script_pubkey = span_of(raw[i], len)};
        snapshot_writer_add(&writer, &outpoint, &coin);
    }
    assert_int_equal(snapshot_writer_finish(&writer, s->network->magic, &base, hash), 0);
    snapshot_writer_close(&writer);
    assert_int_equal(env_file_open(s->env, "d/coins", ENV_OPEN_READ, &s->file), 0);
    assert_int_equal(snapshot_head_read(s->env, s->file, s->network, &head, why), 0);
    snapshot_reader_init(&s->reader, s->env, s->file, &head, HEIGHT);
    struct outpoint outpoint;
    struct coin coin;
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        assert_int_equal(snapshot_reader_next(&s->reader, &outpoint, &coin), 1);
        assert_int_equal(outpoint.txid.b[0], i / 3);
        assert_int_equal(outpoint.vout, i * 300);
        assert_int_equal(coin.value_sat, MAX_MONEY_SAT - (int64_t)(i * 1000000));
        assert_int_equal(coin.height, i * 40);
        assert_int_equal(coin.coinbase, i % 2);
        assert_true(
            span_equal(coin.script_pubkey, span_of(raw[i], strlen(scripts[i]) / 2)));
    }
    assert_int_equal(snapshot_reader_next(&s->reader, &outpoint, &coin), 0);
}

TEST(a_head_is_of_this_network_and_version, struct setting *s)
{
    static const struct {
        size_t at;
        const char *bytes, *want;
    } rows[] = {
        {0, "f00f00f000",
         "Invalid UTXO set snapshot magic bytes. Please check if this is indeed a snapshot file or "
         "if you are using an outdated snapshot format."},
        {5, "0100", "Version of snapshot 1 does not match any of the supported versions."},
        {5, "0300", "Version of snapshot 3 does not match any of the supported versions."},
        {7, "f9beb4d9",
         "The network of the snapshot (main) does not match the network of this node (regtest)."},
        {7, "00000000",
         "This snapshot has been created for an unrecognized network. This could be a custom "
         "signet, a new testnet or possibly caused by data corruption."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t bytes[SNAPSHOT_HEADER_BYTES] = "utxo\xff\x02";
        struct snapshot_head head;
        char why[SNAPSHOT_WHY_BYTES];
        size_t len = strlen(rows[i].bytes) / 2;
        memcpy(bytes + 7, s->network->magic, 4);
        assert_true(hex_decode(bytes + rows[i].at, len, rows[i].bytes, 2 * len));
        put_file(s, bytes, sizeof bytes);
        assert_int_equal(snapshot_head_read(s->env, s->file, s->network, &head, why), -EBADMSG);
        assert_string_equal(why, rows[i].want);
        put_file(s, bytes, sizeof bytes - 1);
        assert_int_equal(snapshot_head_read(s->env, s->file, s->network, &head, why), -EBADMSG);
    }
}

/* Core's words, which its tests look for. */
TEST(what_is_wrong_with_a_coin_is_told, struct setting *s)
{
    static const struct {
        uint64_t n;
        const char *hex, *want;
    } rows[] = {
        {1, TXID "0100" COIN, NULL},
        {2, TXID "0200" COIN "01" COIN, NULL},
        {1, TXID "0100" COIN "00", "Bad snapshot - coins left over after deserializing 1 coins"},
        {2, TXID "0100" COIN,
         "Bad snapshot format or truncated snapshot after deserializing 1 coins"},
        {1, TXID "0100000007",
         "Bad snapshot format or truncated snapshot after deserializing 0 coins"},
        {1, TXID "0200" COIN "01" COIN,
         "Mismatch in coins count in snapshot metadata and actual snapshot data"},
        /* No writer names a transaction without coins; a file of zeros would be read to its end. */
        {1, TXID "00" TXID "0100" COIN,
         "Bad snapshot format or truncated snapshot after deserializing 0 coins"},
        /* A count that is not in its shortest form; a number that does not fit into 32 bits. */
        {1, TXID "fd010000" COIN,
         "Bad snapshot format or truncated snapshot after deserializing 0 coins"},
        {1, TXID "0100" "8efefeff00" "000751",
         "Bad snapshot format or truncated snapshot after deserializing 0 coins"},
        /* 299 is 2 * 299 = 598: 83 56; 600 is too young. */
        {1, TXID "0100" "8356" "000751", NULL},
        {1, TXID "0100" "8358" "000751", "Bad snapshot data after deserializing 0 coins"},
        /* 21 million coins are 21 with fourteen zeros, nine of them counted; one sat more. */
        {1, TXID "0100" "00" "a0c8adb1d183ff01" "0751",
         "Bad snapshot data after deserializing 0 coins - bad tx out value"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int got = read_all(s, rows[i].n, rows[i].hex);
        assert_int_equal(got, rows[i].want ? -EBADMSG : 0);
        if (rows[i].want)
            assert_string_equal(s->reader.why, rows[i].want);
    }
}

/* A script that nobody can spend takes no room; a key that is not on the curve is none. */
TEST(scripts_that_cannot_be_are_made_harmless, struct setting *s)
{
    static char hex[30000];
    size_t len = 10001;
    /* 10007 = 10001 + 6: cd 17 */
    snprintf(hex, sizeof hex, TXID "010000" "00" "cd17");
    for (size_t i = 0; i < len; i++)
        strcat(hex + 70 + 2 * i, "51");
    assert_int_equal(read_all(s, 1, hex), 0);
    assert_int_equal(s->reader.script[0], 0x6a);
    assert_int_equal(read_all(s, 1,
                              TXID "01000000" "05"
                              "0000000000000000000000000000000000000000000000000000000000000005"),
                     0);
}

TEST(a_disk_that_fails_is_no_bad_file, struct setting *s)
{
    assert_int_equal(read_all(s, 1, TXID "0100" COIN), 0);
    struct snapshot_head head = s->reader.head;
    snapshot_reader_deinit(&s->reader);
    snapshot_reader_init(&s->reader, s->env, s->file, &head, HEIGHT);
    sim_disk_fail(sim_env_disk(s->sim), SIM_OP_READ, 0, -EIO, true);
    struct outpoint outpoint;
    struct coin coin;
    assert_int_equal(snapshot_reader_next(&s->reader, &outpoint, &coin), -EIO);
    sim_disk_fail(sim_env_disk(s->sim), SIM_OP_READ, 0, 0, false);
}
