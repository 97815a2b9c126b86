/* test_chacha20.c - the examples of RFC 8439, pieces of any size, and rekeying. */
#include "crypto/chacha20.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/assert.h"

/* clang-format off */
/* Key streams of 64 bytes: RFC 8439, appendix A.1. */
static const struct { const char *key, *nonce; uint32_t counter; const char *want; } streams[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", 0,
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
     "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", 1,
     "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
     "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
    {"0000000000000000000000000000000000000000000000000000000000000001", "000000000000000000000000", 1,
     "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
     "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
};
/* clang-format on */

TEST(key_streams_are_those_of_the_rfc)
{
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        uint8_t key[32], nonce[12], out[64];
        struct chacha20 c;
        hex_bytes_exactly(streams[i].key, key, 32);
        hex_bytes_exactly(streams[i].nonce, nonce, 12);
        chacha20_init(&c, key, nonce, streams[i].counter);
        chacha20_keystream(&c, out, sizeof out);
        assert_hex(out, sizeof out, streams[i].want);
    }
}

/* RFC 8439, section 2.4.2 */
TEST(the_sunscreen_is_encrypted)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only "
        "one tip for the future, sunscreen would be it.";
    uint8_t key[32], nonce[12], out[sizeof text - 1];
    struct chacha20 c;
    for (int i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    hex_bytes_exactly("000000000000004a00000000", nonce, 12);
    chacha20_init(&c, key, nonce, 1);
    chacha20_crypt(&c, out, (const uint8_t *)text, sizeof out);
    assert_hex(out, sizeof out,
               "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
               "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
               "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
               "5af90bbf74a35be6b40b8eedf2785e42874d");
    chacha20_init(&c, key, nonce, 1);
    chacha20_crypt(&c, out, out, sizeof out); /* in place */
    assert_memory_equal(out, text, sizeof out);
}

TEST(pieces_make_the_same_stream)
{
    static const uint8_t key[32] = {1}, nonce[12] = {2};
    uint8_t whole[1000], pieces[1000];
    struct chacha20 c;
    chacha20_init(&c, key, nonce, 7);
    chacha20_keystream(&c, whole, sizeof whole);
    for (size_t step = 1; step <= 300; step++) {
        chacha20_init(&c, key, nonce, 7);
        for (size_t at = 0; at < sizeof pieces; at += step) {
            size_t n = sizeof pieces - at < step ? sizeof pieces - at : step;
            chacha20_keystream(&c, pieces + at, n);
        }
        assert_memory_equal(whole, pieces, sizeof whole);
    }
    /* A later counter starts later in the same stream. */
    chacha20_init(&c, key, nonce, 10);
    chacha20_keystream(&c, pieces, 64);
    assert_memory_equal(pieces, whole + 3 * 64, 64);
}

/* The wrapper, written out with plain streams: what BIP324 says in words. */
TEST(rekeying_follows_the_stream)
{
    uint8_t key[32] = {9}, nonce[12] = {0}, zero[3] = {0}, got[3], want[3];
    struct fs_chacha20 fs;
    struct chacha20 plain;
    fs_chacha20_init(&fs, key);
    chacha20_init(&plain, key, nonce, 0);
    for (unsigned i = 0; i < 3 * FS_REKEY_MESSAGES + 5; i++) {
        fs_chacha20_crypt(&fs, got, zero, 3);
        chacha20_keystream(&plain, want, 3);
        assert_memory_equal(got, want, 3);
        if ((i + 1) % FS_REKEY_MESSAGES == 0) {
            chacha20_keystream(&plain, key, 32);
            nonce[4] = (uint8_t)((i + 1) / FS_REKEY_MESSAGES);
            chacha20_init(&plain, key, nonce, 0);
        }
    }
}
