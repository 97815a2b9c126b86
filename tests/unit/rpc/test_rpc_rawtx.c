/* test_rpc_rawtx.c - transactions found, made and taken apart. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/hex.h"

#define TXID       "1d1d4e24ed99057e84c3f80fd8fbec79ed9e1acee37da269356ecea000000000"
#define INPUT      "[{\"txid\":\"" TXID "\",\"vout\":3}]"
#define ADDRESS    "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
#define KEY_G      "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

/* Worked out by hand from the format: version, input, outputs, lock time. */
#define TXID_RAW "00000000a0ce6e3569a27de3ce1a9eed79ecfbd80ff8c3847e0599ed244e1d1d"
#define OUT_HALF                                                                                   \
    "80f0fa020000000016"                                                                           \
    "0014751e76e8199196d454941c45d1b3a323f1433bd6"

TEST(transactions_are_created)
{
    /* clang-format off */
    static const struct { const char *params, *want; } cases[] = {
        {"[" INPUT ",[{\"" ADDRESS "\":0.5}]]",
         "\"0200000001" TXID_RAW "0300000000fdffffff01" OUT_HALF "00000000\""},
        {"[" INPUT ",{\"" ADDRESS "\":\"0.50000000\"}]",
         "\"0200000001" TXID_RAW "0300000000fdffffff01" OUT_HALF "00000000\""},
        {"[" INPUT ",[{\"" ADDRESS "\":0.5}],7,false]",
         "\"0200000001" TXID_RAW "0300000000feffffff01" OUT_HALF "07000000\""},
        {"[" INPUT ",[{\"" ADDRESS "\":0.5}],0,false,3]",
         "\"0300000001" TXID_RAW "0300000000ffffffff01" OUT_HALF "00000000\""},
        {"[[{\"txid\":\"" TXID "\",\"vout\":0,\"sequence\":1000}],[{\"data\":\"99aa\"}]]",
         "\"0200000001" TXID_RAW "0000000000e8030000010000000000000000046a0299aa00000000\""},
        {"[[],[]]", "\"02000000000000000000\""},
        {"[[],{}]", "\"02000000000000000000\""},
    };
    /* clang-format on */
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_call(&rig, "createrawtransaction", cases[i].params, cases[i].want);
    rpc_rig_deinit(&rig);
}

/* clang-format off */
static const struct { const char *params, *want; } refused[] = {
    {"[[\"foo\"],{}]", "-3: JSON value of type string is not of expected type object"},
    {"[[{}],{}]", "-3: JSON value of type null is not of expected type string"},
    {"[[{\"txid\":\"foo\"}],{}]", "-8: txid must be of length 64 (not 3, for 'foo')"},
    {"[[{\"txid\":\"" TXID "\"}],{}]", "-8: Invalid parameter, missing vout key"},
    {"[[{\"txid\":\"" TXID "\",\"vout\":\"foo\"}],{}]", "-8: Invalid parameter, missing vout key"},
    {"[[{\"txid\":\"" TXID "\",\"vout\":-1}],{}]",
     "-8: Invalid parameter, vout cannot be negative"},
    {"[[{\"txid\":\"" TXID "\",\"vout\":0,\"sequence\":-1}],{}]",
     "-8: Invalid parameter, sequence number is out of range"},
    {"[[{\"txid\":\"" TXID "\",\"vout\":0,\"sequence\":4294967296}],{}]",
     "-8: Invalid parameter, sequence number is out of range"},
    {"[[{\"txid\":\"" TXID "\",\"vout\":0,\"sequence\":4294967294}],{},0,true]",
     "-8: Invalid parameter combination: Sequence number(s) contradict replaceable option"},
    {"[[],null]", "-8: Invalid parameter, output argument must be non-null"},
    {"[[],\"foo\"]", "-3: JSON value of type string is not of expected type array"},
    {"[[],{\"data\":\"foo\"}]", "-8: Data must be hexadecimal string (not 'foo')"},
    {"[[],{\"foo\":0}]", "-5: Invalid Bitcoin address: foo"},
    {"[[],{\"" ADDRESS "\":\"foo\"}]", "-3: Invalid amount"},
    {"[[],{\"" ADDRESS "\":0.000000001}]", "-3: Invalid amount"},
    {"[[],{\"" ADDRESS "\":-1}]", "-3: Amount out of range"},
    {"[[],{\"" ADDRESS "\":21000000.00000001}]", "-3: Amount out of range"},
    {"[[],{\"" ADDRESS "\":true}]", "-3: Amount is not a number or string"},
    {"[[],{\"" ADDRESS "\":1,\"" ADDRESS "\":1}]",
     "-8: Invalid parameter, duplicated address: " ADDRESS},
    {"[[],[{\"" ADDRESS "\":1},{\"" ADDRESS "\":1}]]",
     "-8: Invalid parameter, duplicated address: " ADDRESS},
    {"[[],[{\"data\":\"aa\"},{\"data\":\"bb\"}]]", "-8: Invalid parameter, duplicate key: data"},
    {"[[],[{\"a\":1,\"b\":2}]]",
     "-8: Invalid parameter, key-value pair must contain exactly one key"},
    {"[[],[[\"a\"]]]", "-8: Invalid parameter, key-value pair not an object as expected"},
    {"[[],{},-1]", "-8: Invalid parameter, locktime out of range"},
    {"[[],{},4294967296]", "-8: Invalid parameter, locktime out of range"},
    {"[[],{},0,true,0]", "-8: Invalid parameter, version out of range(1~3)"},
    {"[[],{},0,true,4]", "-8: Invalid parameter, version out of range(1~3)"},
};
/* clang-format on */

TEST(what_cannot_be_created_is_refused)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_call(&rig, "createrawtransaction", refused[i].params, refused[i].want);
    rpc_rig_deinit(&rig);
}

TEST(a_created_transaction_is_decoded)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got =
        rpc_rig_call(&rig, "decoderawtransaction",
                     "[\"0200000001" TXID_RAW "0300000000fdffffff01" OUT_HALF "00000000\"]");
    assert_holds(got, "\"version\":2,\"size\":82,\"vsize\":82,\"weight\":328,\"locktime\":0,"
                      "\"vin\":[{\"txid\":\"" TXID "\",\"vout\":3,\"scriptSig\":{\"asm\":\"\","
                      "\"hex\":\"\"},\"sequence\":4294967293}],\"vout\":[{\"value\":0.50000000,"
                      "\"n\":0,\"scriptPubKey\":{\"asm\":\"0 "
                      "751e76e8199196d454941c45d1b3a323f1433bd6\",\"desc\":\"addr(" ADDRESS ")#");
    assert_holds(got, "\"hex\":\"0014751e76e8199196d454941c45d1b3a323f1433bd6\",\"address\":"
                      "\"" ADDRESS "\",\"type\":\"witness_v0_keyhash\"}}]}");
    assert_null(strstr(got, "\"fee\""));
    assert_call(&rig, "decoderawtransaction", "[\"00\"]", "-22: TX decode failed");
    assert_call(&rig, "decoderawtransaction", "[\"xyz\"]", "-22: TX decode failed");
    /* Without inputs it looks like one with witness; said which, it is read so. */
    assert_holds(
        rpc_rig_call(&rig, "decoderawtransaction", "[\"020000000001" OUT_HALF "00000000\"]"),
        "\"vin\":[],\"vout\":[{\"value\":0.50000000,");
    assert_call(&rig, "decoderawtransaction", "[\"020000000001" OUT_HALF "00000000\",true]",
                "-22: TX decode failed");
    rpc_rig_deinit(&rig);
}

TEST(scripts_are_decoded)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "decodescript", "[\"21" KEY_G "ac\"]");
    assert_holds(got, "{\"asm\":\"" KEY_G " OP_CHECKSIG\",\"desc\":\"pk(" KEY_G ")#");
    assert_holds(got, ",\"type\":\"pubkey\",\"p2sh\":\"2");
    assert_holds(got, "\"segwit\":{\"asm\":\"0 751e76e8199196d454941c45d1b3a323f1433bd6\",");
    assert_holds(got, "\"type\":\"witness_v0_keyhash\",\"p2sh-segwit\":\"2");
    /* Wrapping makes no sense for data, for hashes of scripts and for taproot. */
    static const char *const bare[] = {
        /* OP_RESERVED, a push and OP_CAT, OP_CHECKSIGADD: BIP342 has plans for them. */
        "50",
        "51517e",
        "ba",
        "6a",
        "a914751e76e8199196d454941c45d1b3a323f1433bd687",
        "51024e73",
        "5120751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45"};
    for (size_t i = 0; i < COUNT_OF(bare); i++)
        assert_null(strstr(rpc_rig_callf(&rig, "decodescript", "[\"%s\"]", bare[i]), "p2sh\""));
    /* A witness program can be wrapped once more, not in another one. */
    got = rpc_rig_call(&rig, "decodescript", "[\"0014751e76e8199196d454941c45d1b3a323f1433bd6\"]");
    assert_holds(got, "\"p2sh\":\"");
    assert_null(strstr(got, "segwit"));
    got = rpc_rig_call(&rig, "decodescript", "[\"5121" KEY_G "51ae\"]");
    assert_holds(got, "\"desc\":\"wsh(multi(1," KEY_G "))#");
    got = rpc_rig_call(&rig, "decodescript", "[\"\"]");
    assert_starts(got, "{\"asm\":\"\",\"desc\":\"raw()#");
    assert_call(&rig, "decodescript", "[\"5\"]",
                "-8: argument must be hexadecimal string (not '5')");
    rpc_rig_deinit(&rig);
}

struct spending {
    struct tx tx;
    char txid[HEX_ID_BYTES], raw[1024];
    const struct built_block *block;
};

static void grow_spending(struct rpc_rig *rig, struct spending *s)
{
    const struct built_block *blocks[101];
    builder_blocks(&rig->builder, rig->builder.genesis, 101, blocks);
    struct builder_coin coin = builder_coinbase_coin(blocks[0]);
    s->tx = builder_spend(&rig->builder, &coin, 1, 1, 2500, BUILDER_TRUE);
    struct builder_spec spec = {.tx = &s->tx, .n_tx = 1};
    s->block = builder_block(&rig->builder, blocks[100], &spec);
    rpc_rig_grow(rig, s->block);
    hex_encode_reversed(s->txid, span_of(s->tx.txid.b, 32));
    s->raw[0] = '"';
    hex_encode(s->raw + 1, s->tx.raw);
    strcat(s->raw, "\"");
}

TEST(a_transaction_is_found_in_a_given_block)
{
    struct rpc_rig rig;
    struct spending s;
    rpc_rig_init(&rig, NULL, NULL);
    grow_spending(&rig, &s);
    const char *id = rpc_rig_id(&rig, s.block);
    assert_string_equal(
        rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",false,\"%s\"]", s.txid, id), s.raw);
    const char *got = rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",1,\"%s\"]", s.txid, id);
    assert_starts(got, "{\"in_active_chain\":true,\"txid\":\"");
    assert_holds(got, ",\"confirmations\":1,\"time\":");
    assert_null(strstr(got, "\"fee\""));
    got = rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",2,\"%s\"]", s.txid, id);
    assert_holds(got, "\"fee\":0.00002500,\"hex\":\"");
    assert_holds(got, "\"prevout\":{\"generated\":true,\"height\":1,\"value\":50.00000000,");
    rpc_rig_callf(&rig, "invalidateblock", "[\"%s\"]", id);
    got = rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",1,\"%s\"]", s.txid, id);
    assert_holds(got, "\"in_active_chain\":false");
    assert_holds(got, "\"confirmations\":0}");
    rpc_rig_deinit(&rig);
}

TEST(a_transaction_that_is_not_found_is_an_error)
{
    struct rpc_rig rig;
    struct spending s;
    rpc_rig_init(&rig, NULL, NULL);
    grow_spending(&rig, &s);
    assert_string_equal(
        rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\"]", s.txid),
        "-5: No such mempool transaction. Use -txindex or provide a block hash to enable "
        "blockchain transaction queries. Use gettransaction for wallet transactions.");
    assert_string_equal(rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",0,\"%s\"]", s.txid,
                                      rpc_rig_id(&rig, s.block->prev)),
                        "-5: No such transaction found in the provided block. Use gettransaction "
                        "for wallet transactions.");
    assert_string_equal(
        rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",0,\"" UNKNOWN_ID "\"]", s.txid),
        "-5: Block hash not found");
    assert_string_equal(rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",0,\"foobar\"]", s.txid),
                        "-8: parameter 3 must be of length 64 (not 6, for 'foobar')");
    assert_call(&rig, "getrawtransaction", "[\"foo\"]",
                "-8: parameter 1 must be of length 64 (not 3, for 'foo')");
    assert_holds(rpc_rig_call(&rig, "getrawtransaction",
                              "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afded"
                              "a33b\"]"),
                 "-5: The genesis block coinbase is not considered an ordinary transaction");
    rpc_rig_deinit(&rig);
}

TEST(the_index_finds_a_transaction_anywhere)
{
    struct chain_options options = {.txindex = true};
    struct rpc_rig rig;
    struct spending s;
    rpc_rig_init(&rig, &options, NULL);
    grow_spending(&rig, &s);
    rig_settle(&rig.chain);
    assert_string_equal(rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\"]", s.txid), s.raw);
    const char *got = rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",true]", s.txid);
    assert_holds(got, "\"confirmations\":1");
    assert_null(strstr(got, "in_active_chain"));
    assert_null(strstr(got, "\"fee\""));
    got = rpc_rig_callf(&rig, "getrawtransaction", "[\"%s\",2]", s.txid);
    assert_holds(got, "\"fee\":0.00002500,\"hex\":\"");
    assert_holds(got, "\"prevout\":{\"generated\":true,\"height\":1,\"value\":50.00000000,");
    assert_call(&rig, "getrawtransaction", "[\"" UNKNOWN_ID "\"]",
                "-5: No such mempool or blockchain transaction. Use gettransaction for wallet "
                "transactions.");
    rpc_rig_deinit(&rig);
}
