/* test_tx_json.c - scripts and transactions as wallets read them. */
#include "rpc/raw_tx.h"
#include "rpc/tx_json.h"
#include "support/unit.h"
#include "util/hex.h"

#define KEY_G "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define SIG                                                                                        \
    "3044022079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179802201234567890123456" \
    "78901234567890123456789012345678901234567890abcd"

struct fixture {
    struct arena arena;
    struct buffer text;
    struct json_out out;
};

static void set_up(struct fixture *f)
{
    arena_init(&f->arena, 4096);
    buffer_init(&f->text);
    f->out = json_out_to(&f->text);
}

static void tear_down(struct fixture *f)
{
    buffer_deinit(&f->text);
    arena_deinit(&f->arena);
}

static struct span from_hex(struct fixture *f, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *p = arena_alloc(&f->arena, len + 1);
    assert_true(hex_decode(p, len, hex, strlen(hex)));
    return span_of(p, len);
}

static void assert_text(const struct fixture *f, const char *want)
{
    if (!span_equal(buffer_span(&f->text), span_of_string(want)))
        fail_msg("%.*s\ninstead of %s", (int)f->text.len, (const char *)f->text.p, want);
}

TEST(scripts_are_shown_as_words)
{
    /* The words are those of Core's rpc_decodescript tests. */
    /* clang-format off */
    static const struct { const char *hex; bool decode; const char *want; } cases[] = {
        {"",                   false, ""},
        {"00",                 false, "0"},
        {"4f515260",           false, "-1 1 2 16"},
        {"0101",               false, "1"},
        {"0181",               false, "-1"},
        {"0180",               false, "0"},
        {"04ffffffff",         false, "-2147483647"},
        {"04ffffff7f",         false, "2147483647"},
        {"050102030405",       false, "0102030405"},
        {"4c0101",             false, "1"},
        {"76a988ac",           false, "OP_DUP OP_HASH160 OP_EQUALVERIFY OP_CHECKSIG"},
        {"b1b2b3",             false, "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP4"},
        {"ba",                 false, "OP_CHECKSIGADD"},
        {"bb",                 false, "OP_UNKNOWN"},
        {"5102",               false, "1 [error]"},
        {"02",                 false, "[error]"},
        {"47" SIG "01",        true,  SIG "[ALL]"},
        {"47" SIG "01",        false, SIG "01"},
        {"47" SIG "02",        true,  SIG "[NONE]"},
        {"47" SIG "03",        true,  SIG "[SINGLE]"},
        {"47" SIG "81",        true,  SIG "[ALL|ANYONECANPAY]"},
        {"47" SIG "82",        true,  SIG "[NONE|ANYONECANPAY]"},
        {"47" SIG "83",        true,  SIG "[SINGLE|ANYONECANPAY]"},
        {"47" SIG "04",        true,  SIG "04"},
        {"47" SIG "0121" KEY_G, true, SIG "[ALL] " KEY_G},
        /* What cannot be spent is not signed: data that looks like a signature is data. */
        {"6a47" SIG "01",      true,  "OP_RETURN " SIG "01"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        set_up(&f);
        tx_json_write_asm(&f.text, from_hex(&f, cases[i].hex), cases[i].decode);
        assert_text(&f, cases[i].want);
        tear_down(&f);
    }
}

TEST(scripts_have_the_fields_asked_for)
{
    /* clang-format off */
    static const struct { int flags; const char *want; } cases[] = {
        {0, "{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\","
            "\"type\":\"witness_v0_keyhash\"}"},
        {TX_JSON_HEX, "{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\","
            "\"hex\":\"0014751e76e8199196d454941c45d1b3a323f1433bd6\","
            "\"type\":\"witness_v0_keyhash\"}"},
        {TX_JSON_ADDRESS, "{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\","
            "\"desc\":\"addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)#8pk5s7ya\","
            "\"address\":\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\","
            "\"type\":\"witness_v0_keyhash\"}"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        set_up(&f);
        json_open_object(&f.out);
        tx_json_put_script(&f.out, network_get(NETWORK_REGTEST),
                           from_hex(&f, "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
                           cases[i].flags, NULL);
        json_close_object(&f.out);
        assert_text(&f, cases[i].want);
        tear_down(&f);
    }
}

#define PREV "0100000000000000000000000000000000000000000000000000000000000000"
#define OUTPUTS                                                                                    \
    "02"                                                                                           \
    "00e1f50500000000"                                                                             \
    "0151"                                                                                         \
    "0000000000000000"                                                                             \
    "016a"

static struct tx decode(struct fixture *f, const char *hex)
{
    struct tx tx;
    assert_true(raw_tx_decode(span_of_string(hex), RAW_TX_ANY, &f->arena, &tx));
    return tx;
}

static void assert_part(const struct fixture *f, const char *part, bool there)
{
    bool found = memmem(f->text.p, f->text.len, part, strlen(part)) != NULL;
    if (found != there)
        fail_msg("%s %s in %.*s", part, there ? "is not" : "is", (int)f->text.len,
                 (const char *)f->text.p);
}

static void put(struct fixture *f, const struct tx *tx, const struct coin *spent, bool prevouts)
{
    struct tx_json_style style = {
        .network = network_get(NETWORK_REGTEST), .with_hex = true, .with_prevouts = prevouts};
    f->text.len = 0;
    f->out = json_out_to(&f->text);
    json_open_object(&f->out);
    tx_json_put_tx(&f->out, tx, spent, &style);
    json_close_object(&f->out);
}

TEST(a_transaction_with_witness_has_all_its_fields)
{
    struct fixture f;
    set_up(&f);
    struct tx tx = decode(&f, "ffffffff"
                              "0001"
                              "01" PREV "07000000"
                              "015a"
                              "feffffff" OUTPUTS "0201aa00"
                              "05000000");
    put(&f, &tx, NULL, false);
    /* 72 bytes without witness, 78 with: 3 * 72 + 78 = 294 weight units, 73.5 bytes. */
    assert_part(&f,
                ",\"version\":4294967295,\"size\":78,\"vsize\":74,\"weight\":294,"
                "\"locktime\":5,\"vin\":[{\"txid\":"
                "\"0000000000000000000000000000000000000000000000000000000000000001\","
                "\"vout\":7,\"scriptSig\":{\"asm\":\"10\",\"hex\":\"5a\"},"
                "\"txinwitness\":[\"aa\",\"\"],\"sequence\":4294967294}],",
                true);
    assert_part(&f, "\"vout\":[{\"value\":1.00000000,\"n\":0,\"scriptPubKey\":{\"asm\":\"1\",",
                true);
    assert_part(&f, "\"n\":1,\"scriptPubKey\":{\"asm\":\"OP_RETURN\",\"desc\":\"raw(6a)#", true);
    assert_part(&f, "\"type\":\"nulldata\"}}],\"hex\":\"ffffffff0001", true);
    assert_part(&f, "\"fee\"", false);
    tear_down(&f);
}

TEST(known_inputs_give_a_fee)
{
    struct fixture f;
    set_up(&f);
    struct coin spent[1] = {{.value_sat = 100000001,
                             .script_pubkey = span_of("\x52", 1),
                             .height = 9,
                             .coinbase = false}};
    struct tx tx = decode(&f, "02000000"
                              "01" PREV "07000000"
                              "00"
                              "feffffff" OUTPUTS "00000000");
    put(&f, &tx, spent, false);
    assert_part(&f, "],\"fee\":0.00000001,\"hex\":\"", true);
    assert_part(&f, "prevout\"", false);
    put(&f, &tx, spent, true);
    assert_part(&f,
                "\"scriptSig\":{\"asm\":\"\",\"hex\":\"\"},\"prevout\":{\"generated\":false,"
                "\"height\":9,\"value\":1.00000001,\"scriptPubKey\":{\"asm\":\"2\",",
                true);
    tear_down(&f);
}

#define NULL_PREVOUT                                                                               \
    "0000000000000000000000000000000000000000000000000000000000000000"                             \
    "ffffffff"

TEST(a_coinbase_has_no_outpoint)
{
    struct fixture f;
    set_up(&f);
    struct tx tx = decode(&f, "01000000"
                              "0001"
                              "01" NULL_PREVOUT "025a5b"
                              "ffffffff" OUTPUTS "0102abcd"
                              "07000000");
    put(&f, &tx, NULL, true);
    assert_part(&f,
                "\"vin\":[{\"coinbase\":\"5a5b\",\"txinwitness\":[\"abcd\"],"
                "\"sequence\":4294967295}]",
                true);
    f.text.len = 0;
    f.out = json_out_to(&f.text);
    tx_json_put_coinbase(&f.out, &tx);
    assert_text(&f, "{\"version\":1,\"locktime\":7,\"sequence\":4294967295,\"coinbase\":\"5a5b\","
                    "\"witness\":\"abcd\"}");
    tx = decode(&f, "01000000"
                    "01" NULL_PREVOUT "025a5b"
                    "ffffffff" OUTPUTS "00000000");
    f.text.len = 0;
    f.out = json_out_to(&f.text);
    tx_json_put_coinbase(&f.out, &tx);
    assert_text(&f, "{\"version\":1,\"locktime\":0,\"sequence\":4294967295,\"coinbase\":\"5a5b\"}");
    tear_down(&f);
}

/* Scripts that are a hash between constants, and such as differ from them by a byte, are written
 * faster than others. A script inside, which none of them tells of, has them take the way of
 * others. */
TEST(the_short_way_to_known_scripts_says_what_the_long_one_says)
{
    struct fixture f;
    set_up(&f);
    static const struct {
        const char *head;
        size_t n_hash;
        const char *tail;
    } forms[] = {
        {"0014", 20, ""}, {"0020", 32, ""}, {"76a914", 20, "88ac"}, {"a914", 20, "87"},
        {"0114", 20, ""}, {"0021", 32, ""}, {"76a914", 20, "88ad"}, {"a914", 20, "88"},
        {"5120", 32, ""}, {"0014", 21, ""}, {"6a14", 20, ""},
    };
    struct span inside = from_hex(&f, "6a");
    for (uint32_t i = 0; i < 50 * COUNT_OF(forms); i++) {
        char hex[200];
        size_t at = i % COUNT_OF(forms);
        snprintf(hex, sizeof hex, "%s", forms[at].head);
        for (size_t k = 0; k < forms[at].n_hash; k++)
            snprintf(hex + strlen(hex), 3, "%02x", (i * 2654435761u >> k) & 255);
        snprintf(hex + strlen(hex), 5, "%s", forms[at].tail);
        for (int long_way = 0; long_way < 2; long_way++) {
            json_open_object(&f.out);
            tx_json_put_script(&f.out, network_get(NETWORK_REGTEST), from_hex(&f, hex),
                               TX_JSON_HEX | TX_JSON_ADDRESS, long_way ? &inside : NULL);
            json_close_object(&f.out);
        }
        size_t half = f.text.len / 2; /* "{...},{...}" */
        assert_memory_equal(f.text.p, f.text.p + half + 1, half);
        f.text.len = 0;
        f.out = json_out_to(&f.text);
    }
    tear_down(&f);
}
