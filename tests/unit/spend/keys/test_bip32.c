/* test_bip32.c - the first test vectors of BIP32, and what is no extended key. */
#include "crypto/hash.h"
#include "spend/keys/bip32.h"
#include "support/unit.h"

#define XPRV                                                                                       \
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TG" \
    "tR"                                                                                           \
    "BeJgk33yuGBxrMPHi"
#define XPUB                                                                                       \
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TM" \
    "g"                                                                                            \
    "7usUDFdp6W1EGMcet8"
#define XPUB_0H                                                                                    \
    "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5" \
    "s"                                                                                            \
    "ki8PX9rL2dZXvgGDnw"
#define XPUB_0H_1                                                                                  \
    "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2" \
    "A"                                                                                            \
    "xYysAA7xmALppuCkwQ"

static struct ec_context *context(void)
{
    static const uint8_t seed[32] = {1};
    return ec_context_new(seed);
}

static struct bip32_key parse(const struct ec_context *ec, const char *text)
{
    struct network network = *network_find("main");
    struct bip32_key key;
    assert_true(bip32_parse(ec, &network, span_of_string(text), &key));
    return key;
}

static void assert_same_public(const struct bip32_key *a, const struct bip32_key *b)
{
    assert_memory_equal(a->pubkey, b->pubkey, sizeof a->pubkey);
    assert_memory_equal(a->chain_code, b->chain_code, sizeof a->chain_code);
}

TEST(children_are_those_of_the_vectors)
{
    struct ec_context *ec = context();
    struct bip32_key root = parse(ec, XPRV), public_root = parse(ec, XPUB), child, grandchild;
    assert_true(root.has_secret);
    assert_false(public_root.has_secret);
    assert_same_public(&root, &public_root);
    uint8_t fingerprint[4];
    bip32_fingerprint(span_of(root.pubkey, sizeof root.pubkey), fingerprint);
    assert_memory_equal(fingerprint, "\x34\x42\x19\x3e", 4);

    struct bip32_key want = parse(ec, XPUB_0H);
    assert_true(bip32_derive(ec, &root, BIP32_HARDENED, &child));
    assert_same_public(&child, &want);
    assert_false(bip32_derive(ec, &public_root, BIP32_HARDENED, &child)); /* has no secret */

    /* The next is not hardened: secret and public parent give the same. */
    struct bip32_key public_child = want;
    want = parse(ec, XPUB_0H_1);
    assert_true(bip32_derive(ec, &root, BIP32_HARDENED, &child));
    assert_true(bip32_derive(ec, &child, 1, &grandchild));
    assert_same_public(&grandchild, &want);
    assert_true(bip32_derive(ec, &public_child, 1, &grandchild));
    assert_same_public(&grandchild, &want);
    assert_false(grandchild.has_secret);
    ec_context_free(ec);
}

TEST(other_texts_are_refused)
{
    struct ec_context *ec = context();
    struct network main_network = *network_find("main"), test = *network_find("regtest");
    struct bip32_key key;
    assert_false(bip32_parse(ec, &test, span_of_string(XPUB), &key)); /* another network's */
    assert_false(bip32_parse(ec, &main_network, span_of_string(""), &key));
    assert_false(bip32_parse(ec, &main_network, span_of(XPUB, strlen(XPUB) - 1), &key));
    assert_false(bip32_parse(ec, &main_network, span_of_string(XPUB "1"), &key));
    assert_false(bip32_parse(ec, &main_network, span_of(XPUB "\0", strlen(XPUB) + 1), &key));
    ec_context_free(ec);
}
