/* test_snapshot_file.c - coins in Core's form, and the file of a set. */
#include "chain/coins/snapshot_file.h"

#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/hex.h"

/* Worked out by hand from Core's rules: VARINT(2 * height + coinbase), VARINT of the amount with
 * its zeros taken off, the script's class and what is left of it. */
/* clang-format off */
static const struct {
    int64_t value_sat; uint32_t height; bool coinbase; const char *script, *want;
} coins[] = {
    /* 203998 = 2 * 101999: 8b b8 5e. 60,000,000,000 sat is 6 with ten zeros, nine of them counted:
     * 1 + 10 * 59 + 9 = 600: 83 58. Pay to a key's hash: class 0. */
    {60000000000, 101999, false, "76a914816115944e077fe7c803cfa57f29b36bf87c1d3588ac",
     "8bb85e835800816115944e077fe7c803cfa57f29b36bf87c1d35"},
    {1, 0, true, "a914816115944e077fe7c803cfa57f29b36bf87c1d3587",
     "010101816115944e077fe7c803cfa57f29b36bf87c1d35"},
    /* The generator as a key: short and long, both on the curve, y even. */
    {0, 1, false, "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
     "02000279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
    {0, 1, false, "410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8ac",
     "02000479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
    /* A long key that is not on the curve is a script like any other: 67 + 6 bytes. */
    {0, 1, false, "410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b9ac",
     "020049410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b9ac"},
    /* Witness programs have no class: 22 + 6. */
    {0, 63, true, "0014816115944e077fe7c803cfa57f29b36bf87c1d35",
     "7f001c0014816115944e077fe7c803cfa57f29b36bf87c1d35"},
    {0, 64, false, "51", "80000007" "51"},
};
/* clang-format on */

TEST(coins_are_as_in_cores_store)
{
    for (size_t i = 0; i < COUNT_OF(coins); i++) {
        uint8_t script[80], out[120];
        char hex[241];
        size_t len = strlen(coins[i].script) / 2;
        assert_true(hex_decode(script, len, coins[i].script, 2 * len));
        struct coin coin = {.value_sat = coins[i].value_sat,
                            .height = coins[i].height,
                            .coinbase = coins[i].coinbase,
                            .script_pubkey = span_of(script, len)};
        struct writer w = writer_to_buffer(out, sizeof out);
        snapshot_coin_encode(&w, &coin);
        hex_encode(hex, span_of(out, w.len));
        assert_string_equal(hex, coins[i].want);
    }
}

static void add(struct snapshot_writer *writer, uint8_t txid, uint32_t vout)
{
    static const uint8_t script[] = {0x51};
    struct outpoint outpoint = {.txid.b = {txid}, .vout = vout};
    struct coin coin = {.script_pubkey = span_of(script, 1)};
    snapshot_writer_add(writer, &outpoint, &coin);
}

#define COIN "00000751" /* height 0, no amount, OP_1 */

/* Head, then transactions with their outputs: 16,512 comes before 16,511 where keys are compared,
 * 80 80 00 and ff 7f. */
TEST(a_file_has_its_coins_by_transaction)
{
    static const char want[] = "7574786fff0200fabfb5da"
                               "aa00000000000000000000000000000000000000000000000000000000000000"
                               "0400000000000000"
                               "0100000000000000000000000000000000000000000000000000000000000000"
                               "0300" COIN "fd8040" COIN "fd7f40" COIN
                               "0200000000000000000000000000000000000000000000000000000000000000"
                               "0105" COIN;
    static const uint8_t magic[] = {0xfa, 0xbf, 0xb5, 0xda};
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    struct snapshot_writer writer;
    struct block_hash base = {.b = {0xaa}};
    uint8_t hash[32], bytes[300];
    char hex[601];
    assert_int_equal(env_make_dir(env, "folder"), 0);
    assert_int_equal(snapshot_writer_open(&writer, env, "folder/coins"), 0);
    add(&writer, 1, 0);
    add(&writer, 1, 16511);
    add(&writer, 1, 16512);
    add(&writer, 2, 5);
    assert_int_equal(snapshot_writer_finish(&writer, magic, &base, hash), 0);
    int64_t len = env_file_read_at(env, writer.file, 0, bytes, sizeof bytes);
    snapshot_writer_close(&writer);
    assert_int_equal(len, strlen(want) / 2);
    hex_encode(hex, span_of(bytes, (size_t)len));
    assert_string_equal(hex, want);
    sim_env_free(sim);
}
