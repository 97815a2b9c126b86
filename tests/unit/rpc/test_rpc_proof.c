/* test_rpc_proof.c - gettxoutproof and verifytxoutproof. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

#define NOBODY "0000000000000000000000000000000000000000000000000000000000000001"

/* A string result without its quotes. */
static void copy_text(const char *json, char *out, size_t size)
{
    size_t len = strlen(json);
    assert_in_range(len, 2, size + 1);
    assert_int_equal(json[0], '"');
    snprintf(out, size, "%.*s", (int)(len - 2), json + 1);
}

/* The ids of a block's transactions, as they come in getblock. */
static void read_first_txid(struct rpc_rig *rig, const char *hash, char out[65])
{
    const char *got = rpc_rig_callf(rig, "getblock", "[\"%s\"]", hash);
    const char *at = strstr(got, "\"tx\":[\"");
    assert_non_null(at);
    snprintf(out, 65, "%s", at + 7);
}

TEST(a_proof_leads_to_its_transaction)
{
    struct rpc_rig rig;
    char hash[65], txid[65], proof[600], want[80];
    rpc_rig_init(&rig, NULL, NULL);
    (void)rpc_rig_call(&rig, "generatetodescriptor", "[3,\"raw(51)\"]");
    copy_text(rpc_rig_call(&rig, "getblockhash", "[2]"), hash, sizeof hash);
    read_first_txid(&rig, hash, txid);
    /* The coinbase's output is unspent: its block need not be named. */
    copy_text(rpc_rig_callf(&rig, "gettxoutproof", "[[\"%s\"]]", txid), proof, sizeof proof);
    snprintf(want, sizeof want, "[\"%s\"]", txid);
    const char *got = rpc_rig_callf(&rig, "verifytxoutproof", "[\"%s\"]", proof);
    assert_string_equal(got, want);
    got = rpc_rig_callf(&rig, "gettxoutproof", "[[\"%s\"],\"%s\"]", txid, hash);
    assert_int_equal(strlen(got), strlen(proof) + 2);
    /* header 80, number 4, one hash 33, one byte of bits 2 */
    assert_int_equal(strlen(proof), 2 * (80 + 4 + 33 + 2));
    /* A changed hash leads nowhere; a changed header is of no block. */
    proof[2 * 85] ^= 1;
    got = rpc_rig_callf(&rig, "verifytxoutproof", "[\"%s\"]", proof);
    assert_string_equal(got, "[]");
    proof[2 * 85] ^= 1;
    proof[0] = '7';
    got = rpc_rig_callf(&rig, "verifytxoutproof", "[\"%s\"]", proof);
    assert_string_equal(got, "-5: Block not found in chain");
    proof[20] = 0;
    got = rpc_rig_callf(&rig, "verifytxoutproof", "[\"%s\"]", proof);
    assert_starts(got, "-1: The proof is cut short");
    rpc_rig_deinit(&rig);
}

/* What stands in a block of another depth is no transaction of it. CVE-2017-12842 */
TEST(the_number_of_transactions_must_be_that_of_the_block)
{
    struct rpc_rig rig;
    char hash[65], txid[65], proof[600];
    rpc_rig_init(&rig, NULL, NULL);
    (void)rpc_rig_call(&rig, "generatetodescriptor", "[1,\"raw(51)\"]");
    copy_text(rpc_rig_call(&rig, "getbestblockhash", "[]"), hash, sizeof hash);
    read_first_txid(&rig, hash, txid);
    copy_text(rpc_rig_callf(&rig, "gettxoutproof", "[[\"%s\"]]", txid), proof, sizeof proof);
    /* Two transactions, of which nothing is shown but the root: whole, yet nothing is proved. */
    proof[2 * 80 + 1] = '2';
    proof[2 * (80 + 4 + 33 + 1) + 1] = '0';
    assert_string_equal(rpc_rig_callf(&rig, "verifytxoutproof", "[\"%s\"]", proof), "[]");
    rpc_rig_deinit(&rig);
}

TEST(what_cannot_be_proved_is_an_error)
{
    struct rpc_rig rig;
    char hash[65], txid[65];
    rpc_rig_init(&rig, NULL, NULL);
    (void)rpc_rig_call(&rig, "generatetodescriptor", "[2,\"raw(51)\"]");
    copy_text(rpc_rig_call(&rig, "getblockhash", "[1]"), hash, sizeof hash);
    read_first_txid(&rig, hash, txid);
    assert_call(&rig, "gettxoutproof", "[[]]", "-8: Parameter 'txids' cannot be empty");
    assert_call(&rig, "gettxoutproof", "[[\"00\"]]",
                "-8: txid must be of length 64 (not 2, for '00')");
    assert_call(&rig, "gettxoutproof", "[[\"" NOBODY "\",\"" NOBODY "\"]]",
                "-8: Invalid parameter, duplicated txid: " NOBODY);
    assert_call(&rig, "gettxoutproof", "[[\"" NOBODY "\"]]", "-5: Transaction not yet in block");
    assert_call(&rig, "gettxoutproof", "[[\"" NOBODY "\"],\"" NOBODY "\"]", "-5: Block not found");
    const char *got = rpc_rig_callf(&rig, "gettxoutproof", "[[\"" NOBODY "\",\"%s\"]]", txid);
    assert_string_equal(got, "-5: Not all transactions found in specified or retrieved block");
    assert_call(&rig, "verifytxoutproof", "[\"zz\"]",
                "-8: proof must be hexadecimal string (not 'zz')");
    rpc_rig_deinit(&rig);
}
