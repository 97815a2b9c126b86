/* test_rpc_psbt_update.c - PSBTs filled in from the chain and signed by descriptors. */
#include "crypto/hash.h"
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define W1   "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
#define W2   "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87K7XCyj5v"
#define NUMS "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"

/* No transaction is shorter than 65 bytes. */
#define ROOM "00000000000000000000"

#define TPUB                                                                                       \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZ" \
    "PStJRJCTKvosUCJZL5B"

enum { TEXT_MAX = 4096 };

static void copy_text(const char *json, const char *before, char out[TEXT_MAX])
{
    const char *at = strstr(json, before);
    if (!at)
        fail_msg("no %s in %s", before, json);
    at += strlen(before);
    snprintf(out, TEXT_MAX, "%.*s", (int)strcspn(at, "\""), at);
}

/* A PSBT that spends a mined output of a descriptor. */
static void make(struct rpc_rig *rig, const char *descriptor, int version, char out[TEXT_MAX])
{
    char text[TEXT_MAX], txid[TEXT_MAX];
    copy_text(rpc_rig_callf(rig, "generatetodescriptor", "[1,\"%s\"]", descriptor), "[\"", text);
    copy_text(rpc_rig_callf(rig, "getblock", "[\"%s\"]", text), "\"tx\":[\"", txid);
    (void)rpc_rig_call(rig, "generatetodescriptor", "[100,\"raw(51)\"]");
    copy_text(rpc_rig_callf(rig, "createpsbt",
                            "[[{\"txid\":\"%s\",\"vout\":0,\"sequence\":3}],"
                            "[{\"data\":\"" ROOM "\"}],1,true,2,%d]",
                            txid, version),
              "\"", out);
}

TEST(outputs_of_descriptors_are_spent)
{
    static const char *const descriptors[] = {
        "wpkh(" W1 ")",
        "sh(wpkh(" W1 "))",
        "wsh(multi(2," W1 "," W2 "))",
        "wsh(and_v(v:pk(" W1 "),older(3)))",
        "tr(" NUMS ",{pk(" W2 "),multi_a(1," W1 ")})",
    };
    struct rpc_rig rig;
    char psbt[TEXT_MAX], hex[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_add_mempool(&rig, NULL);
    for (size_t i = 0; i < COUNT_OF(descriptors); i++) {
        make(&rig, descriptors[i], i % 2 ? 2 : 0, psbt);
        const char *got =
            rpc_rig_callf(&rig, "descriptorprocesspsbt", "[\"%s\",[\"%s\"]]", psbt, descriptors[i]);
        assert_holds(got, "\"complete\":true");
        copy_text(got, "\"hex\":\"", hex);
        got = rpc_rig_callf(&rig, "testmempoolaccept", "[[\"%s\"],0]", hex);
        assert_holds(got, "\"allowed\":true");
    }
    rpc_rig_deinit(&rig);
}

TEST(an_update_signs_nothing)
{
    struct rpc_rig rig;
    char psbt[TEXT_MAX], updated[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    make(&rig, "wpkh(" W1 ")", 0, psbt);
    /* The coin alone; with the descriptor also whose key it is. */
    copy_text(rpc_rig_callf(&rig, "utxoupdatepsbt", "[\"%s\"]", psbt), "\"", updated);
    const char *got = rpc_rig_callf(&rig, "decodepsbt", "[\"%s\"]", updated);
    assert_holds(got, "\"witness_utxo\":{\"amount\":50.00000000");
    assert_holds(got, "\"fee\":50.00000000}");
    assert_null(strstr(got, "bip32_derivs"));
    got = rpc_rig_callf(&rig, "utxoupdatepsbt", "[\"%s\",[\"wpkh(" W1 ")\"]]", psbt);
    copy_text(got, "\"", updated);
    got = rpc_rig_callf(&rig, "decodepsbt", "[\"%s\"]", updated);
    assert_holds(got, "\"bip32_derivs\":[{\"pubkey\":");
    assert_null(strstr(got, "partial_signatures"));
    rpc_rig_deinit(&rig);
}

TEST(what_is_asked_wrongly_is_refused)
{
    struct rpc_rig rig;
    char psbt[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    make(&rig, "wpkh(" W1 ")", 0, psbt);
    assert_holds(rpc_rig_callf(&rig, "utxoupdatepsbt", "[\"%s\",[\"nonsense\"]]", psbt), "-5: ");
    assert_string_equal(rpc_rig_callf(&rig, "descriptorprocesspsbt", "[\"%s\",[],\"SOME\"]", psbt),
                        "-8: 'SOME' is not a valid sighash parameter.");
    assert_string_equal(
        rpc_rig_callf(&rig, "utxoupdatepsbt",
                      "[\"%s\",[{\"desc\":\"wpkh(" TPUB "/*)\",\"range\":[0,100000]}]]", psbt),
        "-8: Range is too large");
    /* Of which each index has two keys. */
    assert_string_equal(rpc_rig_callf(&rig, "utxoupdatepsbt",
                                      "[\"%s\",[{\"desc\":\"wsh(multi(1," TPUB "/*," TPUB
                                      "/1/*))\",\"range\":[0,50000]}]]",
                                      psbt),
                        "-8: Range is too large");
    assert_holds(rpc_rig_callf(&rig, "utxoupdatepsbt",
                               "[\"%s\",[{\"desc\":\"wpkh(" TPUB "/*)\",\"range\":[0,2000]}]]",
                               psbt),
                 "\"cHNidP8");
    /* The output pays to nobody that is known here: as it came, but for the coin. */
    const char *got =
        rpc_rig_callf(&rig, "descriptorprocesspsbt", "[\"%s\",[\"wpkh(" W2 ")\"]]", psbt);
    assert_holds(got, "\"complete\":false}");
    rpc_rig_deinit(&rig);
}

/* The parent has not been sent yet. */
TEST(previous_transactions_may_come_with_the_call)
{
    struct rpc_rig rig;
    char psbt[TEXT_MAX], hex[TEXT_MAX], txid[TEXT_MAX], updated[TEXT_MAX];
    rpc_rig_init(&rig, NULL, NULL);
    copy_text(rpc_rig_call(&rig, "createrawtransaction",
                           "[[{\"txid\":\"00000000000000000000000000000000000000000000000000000000"
                           "00000abc\",\"vout\":0}],"
                           "[{\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\":7}]]"),
              "\"", hex);
    copy_text(rpc_rig_callf(&rig, "decoderawtransaction", "[\"%s\"]", hex), "\"txid\":\"", txid);
    copy_text(rpc_rig_callf(&rig, "createpsbt",
                            "[[{\"txid\":\"%s\",\"vout\":0}],[{\"data\":\"00\"}]]", txid),
              "\"", psbt);
    copy_text(rpc_rig_callf(&rig, "utxoupdatepsbt", "[\"%s\",[],[\"%s\"]]", psbt, hex), "\"",
              updated);
    assert_holds(rpc_rig_callf(&rig, "decodepsbt", "[\"%s\"]", updated), "\"fee\":7.00000000}");
    assert_string_equal(rpc_rig_callf(&rig, "utxoupdatepsbt", "[\"%s\",[],[\"00\"]]", psbt),
                        "-22: TX decode failed");
    rpc_rig_deinit(&rig);
}

enum { OUTPUTS = 200 };

/* A transaction of many outputs, the first one's script of script_len bytes, as hex. Owns: the
 * caller. */
static char *large_tx(size_t script_len, char txid[HEX_ID_BYTES])
{
    uint8_t *raw = xcalloc(1, script_len + 10 * OUTPUTS + 100), hash[32];
    struct writer w = writer_to_buffer(raw, script_len + 10 * OUTPUTS + 100);
    write_u32(&w, 2);
    write_u8(&w, 1);
    w.len += 36;
    write_u8(&w, 0);
    write_u32(&w, 0);
    write_u8(&w, OUTPUTS);
    write_u64(&w, 5);
    write_compact_size(&w, script_len);
    memset(raw + w.len, 0x51, script_len);
    w.len += script_len + 9 * (OUTPUTS - 1); /* the others are of nothing */
    write_u32(&w, 0);
    sha256d(span_of(raw, w.len), hash);
    hex_encode_reversed(txid, span_of(hash, 32));
    char *hex = xmalloc(2 * w.len + 1);
    hex_encode(hex, span_of(raw, w.len));
    xfree(raw);
    return hex;
}

/* Fill in a PSBT whose n inputs spend outputs of one transaction, which comes with the call. */
static const char *update_many(struct rpc_rig *rig, int n, const char *hex, const char *txid)
{
    struct buffer inputs;
    buffer_init(&inputs);
    for (int i = 0; i < n; i++)
        buffer_append_format(&inputs, "%s{\"txid\":\"%s\",\"vout\":%d}", i ? "," : "", txid, i);
    buffer_append(&inputs, "", 1);
    char *params = xasprintf("[[%s],[{\"data\":\"00\"}]]", (const char *)inputs.p);
    char *psbt = xstrdup(rpc_rig_call(rig, "createpsbt", params));
    xfree(params);
    params = xasprintf("[%s,[],[\"%s\"]]", psbt, hex);
    const char *got = rpc_rig_call(rig, "utxoupdatepsbt", params);
    xfree(params);
    xfree(psbt);
    buffer_deinit(&inputs);
    return got;
}

/* It is looked for once and kept once; what it would come to is bounded. */
TEST(many_inputs_may_spend_one_transaction)
{
    enum { INPUTS = 3 };
    struct rpc_rig rig;
    char txid[HEX_ID_BYTES];
    rpc_rig_init(&rig, NULL, NULL);
    char *hex = large_tx(100, txid);
    char *psbt = xstrdup(update_many(&rig, INPUTS, hex, txid));
    const char *at = rpc_rig_callf(&rig, "decodepsbt", "[%s]", psbt);
    xfree(psbt);
    for (int i = 0; i < INPUTS; i++) {
        at = strstr(at, "\"non_witness_utxo\":{\"txid\":");
        assert_non_null(at);
        at++;
    }
    xfree(hex);
    hex = large_tx(1000000, txid);
    assert_string_equal(update_many(&rig, 101, hex, txid),
                        "-8: The PSBT would be longer than 100000000 bytes");
    xfree(hex);
    rpc_rig_deinit(&rig);
}
