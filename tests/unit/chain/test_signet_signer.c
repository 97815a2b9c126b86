/* test_signet_signer.c - blocks signed by the node itself satisfy the challenges that one key can.
 */
#include "chain/signet_signer.h"

#include "consensus/block_check.h"
#include "consensus/key_io.h"
#include "consensus/opcodes.h"
#include "consensus/script_write.h"
#include "consensus/signet.h"
#include "crypto/hash.h"
#include "spend/book/key_book.h"
#include "support/build.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

struct fixture {
    struct arena arena;
    struct network network;
    struct ec_context *ec;
    struct key_book book;
    const struct book_key *key; /* secret 1: compressed, and not */
    struct script_scratch *scratch;
};

static const uint8_t seed[32] = {7};
static const char key_hex[] = "0000000000000000000000000000000000000000000000000000000000000001";

static int set_up(void **state)
{
    const uint8_t secret[32] = {[31] = 1};
    struct fixture *f = *state = xcalloc(1, sizeof *f);
    arena_init(&f->arena, 4096);
    f->network = *network_get(NETWORK_SIGNET);
    f->ec = ec_context_new(seed);
    f->scratch = script_scratch_new();
    key_book_init(&f->book, f->ec, &f->arena);
    for (int i = 0; i < 2; i++)
        assert_true(key_book_add_secret(&f->book, secret, i == 0));
    f->key = f->book.keys.at;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    key_book_deinit(&f->book);
    ec_context_free(f->ec);
    script_scratch_free(f->scratch);
    arena_deinit(&f->arena);
    xfree(f);
    return 0;
}

FIXTURE(set_up, tear_down)

/* -- Challenges ------------------------------------------------------------------------------- */

static struct span bytes(struct fixture *f, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *p = arena_alloc(&f->arena, len + 1);
    assert_true(hex_decode(p, len, hex, 2 * len));
    return span_of(p, len);
}

static struct span around(struct fixture *f, const char *head, struct span push, const char *tail)
{
    struct span begin = script_join(&f->arena, bytes(f, head), script_push(&f->arena, push));
    return script_join(&f->arena, begin, bytes(f, tail));
}

static struct span pubkey(const struct book_key *key)
{
    return span_of(key->pubkey, key->len);
}

enum form { PK, PKH, MULTISIG, N_FORMS };

static struct span plain(struct fixture *f, enum form form, const struct book_key *key)
{
    if (form == PK)
        return around(f, "", pubkey(key), "ac");
    if (form == PKH)
        return around(f, "76a9", span_of(key->hash, 20), "88ac");
    return around(f, "51", pubkey(key), "51ae");
}

static struct span in_p2wsh(struct fixture *f, struct span script)
{
    uint8_t hash[32];
    sha256(script, hash);
    return around(f, "00", span_of(hash, 32), "");
}

static struct span in_p2sh(struct fixture *f, struct span script)
{
    uint8_t hash[20];
    hash160(script, hash);
    return around(f, "a9", span_of(hash, 20), "87");
}

/* -- Signing ---------------------------------------------------------------------------------- */

static struct signet_signer *signer_for(struct fixture *f, struct span challenge, const char *key,
                                        enum signet_signer_fault *fault)
{
    f->network.signet_challenge = challenge;
    return signet_signer_new(&f->network, key, seed, fault);
}

/* A block of the signer's, as it comes out of mining. */
static struct block signed_block(struct fixture *f, const struct signet_signer *signer)
{
    struct tx txs[2] = {build_coinbase(&f->arena, 5, 1000), build_tx(&f->arena, 1, 1, 1)};
    tx_finish(&txs[1], &f->arena);
    struct block block = build_segwit_block(&f->arena, txs, COUNT_OF(txs));
    size_t len = block.raw.len;
    signet_signer_sign(signer, &block, &f->arena);
    build_block_again(&f->arena, &block);
    assert_true(block.raw.len <= len + SIGNET_SOLUTION_BYTES_MAX);
    return block;
}

static bool is_solved(struct fixture *f, const struct block *block)
{
    struct verdict verdict;
    assert_true(block_check(block, &f->network, BLOCK_CHECK_MERKLE, &f->arena, &verdict));
    return signet_check(block, &f->network, &f->arena, f->scratch);
}

static void check_challenge(struct fixture *f, struct span challenge)
{
    enum signet_signer_fault fault;
    struct signet_signer *signer = signer_for(f, challenge, key_hex, &fault);
    assert_int_equal(fault, SIGNET_SIGNER_OK);
    struct block block = signed_block(f, signer);
    assert_true(is_solved(f, &block));
    /* The time is signed, so another block has another signature; the nonce is not. */
    block.header.nonce++;
    build_block_again(&f->arena, &block);
    assert_true(is_solved(f, &block));
    block.header.time++;
    build_block_again(&f->arena, &block);
    assert_false(is_solved(f, &block));
    signet_signer_free(signer);
}

TEST(every_form_that_one_key_satisfies_is_signed, struct fixture *f)
{
    for (enum form form = PK; form < N_FORMS; form++) {
        for (int i = 0; i < 2; i++) {
            struct span script = plain(f, form, &f->key[i]);
            check_challenge(f, script);
            check_challenge(f, in_p2sh(f, script));
            /* Witnesses are signed by compressed keys only. BIP-143, Restrictions on public key
             * type */
            if (i == 1)
                continue;
            check_challenge(f, in_p2wsh(f, script));
            check_challenge(f, in_p2sh(f, in_p2wsh(f, script)));
        }
    }
    struct span p2wpkh = around(f, "00", span_of(f->key[0].hash, 20), "");
    check_challenge(f, p2wpkh);
    check_challenge(f, in_p2sh(f, p2wpkh));
}

/* One signature is enough wherever the key stands. */
TEST(one_key_of_several_signs, struct fixture *f)
{
    const char other[] = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
    struct span first = around(f, "51", pubkey(&f->key[0]), "");
    struct span last = around(f, "51", bytes(f, other), "");
    check_challenge(f, script_join(&f->arena, first, around(f, "", bytes(f, other), "52ae")));
    check_challenge(f, script_join(&f->arena, last, around(f, "", pubkey(&f->key[0]), "52ae")));
}

TEST(where_anybody_may_mine_nothing_is_added, struct fixture *f)
{
    enum signet_signer_fault fault;
    struct signet_signer *signer = signer_for(f, bytes(f, "51"), key_hex, &fault);
    assert_non_null(signer);
    struct block block = signed_block(f, signer);
    assert_true(is_solved(f, &block));
    uint32_t index = block_commitment_index(&block);
    assert_int_equal(block.tx[0].out[index].script_pubkey.len, BLOCK_COMMITMENT_BYTES);
    signet_signer_free(signer);
}

/* -- Keys ------------------------------------------------------------------------------------- */

TEST(keys_come_as_hex_or_wif_of_the_network, struct fixture *f)
{
    const uint8_t secret[32] = {[31] = 1};
    char signet[WIF_SIZE], old[WIF_SIZE], main[WIF_SIZE];
    wif_encode(&f->network, secret, true, signet);
    wif_encode(&f->network, secret, false, old);
    wif_encode(network_get(NETWORK_MAIN), secret, true, main);
    const struct {
        const char *key;
        enum signet_signer_fault want;
    } rows[] = {
        {key_hex, SIGNET_SIGNER_OK},
        {signet, SIGNET_SIGNER_OK},
        {old, SIGNET_SIGNER_OK},
        {main, SIGNET_SIGNER_OTHER_NETWORK},
        {"", SIGNET_SIGNER_NO_KEY},
        {key_hex + 1, SIGNET_SIGNER_NO_KEY},
        {"zz00000000000000000000000000000000000000000000000000000000000001", SIGNET_SIGNER_NO_KEY},
        /* 0, and the group's order */
        {"0000000000000000000000000000000000000000000000000000000000000000", SIGNET_SIGNER_NO_KEY},
        {"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", SIGNET_SIGNER_NO_KEY},
        {"0000000000000000000000000000000000000000000000000000000000000002", SIGNET_SIGNER_NO_FIT},
    };
    struct span challenge = plain(f, PK, &f->key[0]);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum signet_signer_fault fault;
        struct signet_signer *signer = signer_for(f, challenge, rows[i].key, &fault);
        assert_int_equal(fault, rows[i].want);
        assert_int_equal(signer != NULL, rows[i].want == SIGNET_SIGNER_OK);
        signet_signer_free(signer);
    }
}

TEST(what_one_signature_cannot_satisfy_is_no_challenge_for_a_key, struct fixture *f)
{
    static const char *const challenges[] = {
        /* the public signet's, the same as 2-of-2, OP_FALSE, OP_RETURN */
        "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d"
        "6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae",
        "522103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d"
        "6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae",
        "00",
        "6a",
    };
    for (size_t i = 0; i < COUNT_OF(challenges); i++) {
        enum signet_signer_fault fault;
        assert_null(signer_for(f, bytes(f, challenges[i]), key_hex, &fault));
        assert_int_equal(fault, SIGNET_SIGNER_NO_FIT);
    }
}

TEST(blocks_pay_the_key_if_nobody_else_is_named, struct fixture *f)
{
    enum signet_signer_fault fault;
    struct signet_signer *signer = signer_for(f, plain(f, PK, &f->key[1]), key_hex, &fault);
    assert_non_null(signer);
    struct span p2wpkh = around(f, "00", span_of(f->key[0].hash, 20), "");
    assert_true(span_equal(signet_signer_script(signer), p2wpkh));
    signet_signer_free(signer);
}
