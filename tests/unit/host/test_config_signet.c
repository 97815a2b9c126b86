/* test_config_signet.c - the key that signs a signet's blocks, and each mistake in its options. */
#include "config_world.h"

#include "util/hex.h"

FIXTURE(setup, teardown)

#define KEY_1           "0000000000000000000000000000000000000000000000000000000000000001"
#define PUBKEY_1        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define CHALLENGE       "-signetchallenge=5121" PUBKEY_1 "51ae"
#define SIGNET          "-signet", CHALLENGE
#define KEY             "-signetminerkey=" KEY_1
#define WIF_MAIN        "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn" /* of secret 1 */
#define WIF_TEST        "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
#define ADDRESS_REGTEST "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
#define P2WPKH_1        "0014751e76e8199196d454941c45d1b3a323f1433bd6"

static void assert_pays(const struct world *w, const char *hex)
{
    char got[2 * ADDRESS_SCRIPT_MAX + 1];
    assert_non_null(w->config.signet.signer);
    assert_string_equal(hex_encode(got, w->config.signet.pays_to), hex);
    assert_ptr_equal(w->config.net.block.signer, w->config.signet.signer);
}

TEST(without_a_key_nothing_is_signed, struct world *w)
{
    ASSERT_OK(w, SIGNET);
    assert_null(w->config.signet.signer);
    assert_null(w->config.net.block.signer);
    assert_int_equal(w->config.signet.mine_interval_s, 0);
    ASSERT_OK(w, "-regtest");
    assert_null(w->config.signet.signer);
    ASSERT_OK(w, SIGNET, KEY, "-nosignetminerkey"); /* withdrawn */
    assert_null(w->config.signet.signer);
    ASSERT_OK(w, "-regtest", "-nosignetminerkey", "-nosignetmineinterval");
}

TEST(a_key_signs_and_is_paid, struct world *w)
{
    ASSERT_OK(w, SIGNET, KEY);
    assert_pays(w, P2WPKH_1);
    assert_int_equal(w->config.signet.mine_interval_s, 0);
    ASSERT_OK(w, SIGNET, "-signetminerkey=" WIF_TEST, "-signetmineinterval=1");
    assert_pays(w, P2WPKH_1);
    assert_int_equal(w->config.signet.mine_interval_s, 1);
    ASSERT_OK(w, SIGNET, KEY, "-signetmineinterval=86400",
              "-signetmineaddress=tb1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqaqh7jw");
    assert_pays(w, "00204ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260");
    assert_int_equal(w->config.signet.mine_interval_s, 86400);
}

TEST(each_mistake_is_named_and_no_key_is_shown, struct world *w)
{
    /* clang-format off */
    static const struct { const char *args[4]; const char *error; } rows[] = {
        {{"-regtest", KEY}, "-signetminerkey is for signet only, and the chain is regtest"},
        {{"-chain=main", KEY}, "-signetminerkey is for signet only, and the chain is main"},
        {{"-regtest", "-signetmineinterval=0"},
         "-signetmineinterval is for signet only, and the chain is regtest"},
        {{"-testnet4", "-signetmineaddress=x"},
         "-signetmineaddress is for signet only, and the chain is testnet4"},
        {{SIGNET, "-signetmineinterval=5"}, "-signetmineinterval needs -signetminerkey"},
        {{SIGNET, "-signetmineaddress=x"}, "-signetmineaddress needs -signetminerkey"},
        {{SIGNET, "-signetminerkey="},
         "-signetminerkey is no private key: give it in WIF, or as 64 hex digits"},
        {{SIGNET, KEY "1"},
         "-signetminerkey is no private key: give it in WIF, or as 64 hex digits"},
        {{SIGNET, "-signetminerkey=" WIF_MAIN},
         "-signetminerkey is a private key of the main network, which is not to be used on signet"},
        {{"-signet", KEY}, "-signetminerkey does not fit the challenge of this signet: name the "
         "signet of that key with -signetchallenge"},
        {{SIGNET, KEY, "-signetmineinterval=-1"},
         "-signetmineinterval must be from 1 to 86400 seconds (0: never)"},
        {{SIGNET, KEY, "-signetmineinterval=86401"},
         "-signetmineinterval must be from 1 to 86400 seconds (0: never)"},
        {{SIGNET, KEY, "-signetmineaddress=" ADDRESS_REGTEST},
         "-signetmineaddress is no address of signet: '" ADDRESS_REGTEST "'"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const *args = rows[i].args;
        assert_false(init(w, args[0], args[1], args[2], args[3], NULL));
        assert_string_equal(w->error, rows[i].error);
        assert_null(strstr(w->error, KEY_1));
        assert_null(strstr(w->error, WIF_MAIN));
    }
}
