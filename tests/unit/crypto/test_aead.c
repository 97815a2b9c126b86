/* test_aead.c - the example of RFC 8439, forgeries, and the packets of BIP324. */
#include "crypto/aead.h"
#include "crypto/chacha20.h"
#include "support/csv.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

static const struct span nothing;

TEST(the_sunscreen_is_sealed)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only "
        "one tip for the future, sunscreen would be it.";
    enum { LEN = sizeof text - 1 };
    uint8_t key[32], nonce[12], aad[12], out[LEN + AEAD_TAG_BYTES];
    for (int i = 0; i < 32; i++)
        key[i] = (uint8_t)(0x80 + i);
    hex_bytes_exactly("070000004041424344454647", nonce, 12);
    hex_bytes_exactly("50515253c0c1c2c3c4c5c6c7", aad, 12);
    struct aead *aead = aead_new(key);
    /* Wherever the message is split. */
    for (size_t head = 0; head <= LEN; head += 19) {
        aead_encrypt(aead, nonce, span_of(aad, 12), span_of(text, head),
                     span_of(text + head, LEN - head), out);
        assert_hex(out, sizeof out,
                   "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
                   "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
                   "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                   "3ff4def08e4b7a9de576d26586cec64b6116"
                   "1ae10b594f09e26a7e902ecbd0600691");
        uint8_t back[LEN];
        assert_true(aead_decrypt(aead, nonce, span_of(aad, 12), span_of(out, sizeof out), back,
                                 head, back + head));
        assert_memory_equal(back, text, LEN);
    }
    aead_free(aead);
}

TEST(any_change_is_noticed)
{
    uint8_t key[32] = {3}, nonce[12] = {1}, aad[3] = {1, 2, 3}, out[20 + AEAD_TAG_BYTES];
    uint8_t head[1], body[40];
    struct aead *aead = aead_new(key);
    aead_encrypt(aead, nonce, span_of(aad, 3), span_of("h", 1), span_of("nineteen characters", 19),
                 out);
    struct span sealed = span_of(out, sizeof out);
    for (size_t i = 0; i < sizeof out; i++) {
        out[i] ^= 0x10;
        assert_false(aead_decrypt(aead, nonce, span_of(aad, 3), sealed, head, 1, body));
        out[i] ^= 0x10;
    }
    assert_false(aead_decrypt(aead, nonce, span_of(aad, 2), sealed, head, 1, body));
    assert_false(aead_decrypt(aead, nonce, span_of(aad, 3), span_of(out, 35), head, 1, body));
    assert_false(aead_decrypt(aead, nonce, span_of(aad, 3), span_of(out, 16), head, 1, body));
    assert_false(aead_decrypt(aead, nonce, span_of(aad, 3), nothing, head, 1, body));
    nonce[0]++;
    assert_false(aead_decrypt(aead, nonce, span_of(aad, 3), sealed, head, 1, body));
    nonce[0]--;
    assert_true(aead_decrypt(aead, nonce, span_of(aad, 3), sealed, head, 1, body));
    key[0]++;
    aead_set_key(aead, key);
    assert_false(aead_decrypt(aead, nonce, span_of(aad, 3), sealed, head, 1, body));
    aead_free(aead);
}

TEST(an_empty_message_is_a_tag)
{
    uint8_t key[32] = {3}, nonce[12] = {1}, out[AEAD_TAG_BYTES];
    struct aead *aead = aead_new(key);
    aead_encrypt(aead, nonce, nothing, nothing, nothing, out);
    assert_true(aead_decrypt(aead, nonce, nothing, span_of(out, 16), NULL, 0, NULL));
    out[0] ^= 1;
    assert_false(aead_decrypt(aead, nonce, nothing, span_of(out, 16), NULL, 0, NULL));
    aead_free(aead);
}

TEST(both_ends_rekey_alike)
{
    static const uint8_t key[32] = {5};
    struct fs_aead *sender = fs_aead_new(key), *receiver = fs_aead_new(key);
    for (unsigned i = 0; i < 2 * FS_REKEY_MESSAGES + 10; i++) {
        uint8_t body[8] = {(uint8_t)i, (uint8_t)(i >> 8)}, out[1 + 8 + AEAD_TAG_BYTES], head,
                back[8];
        fs_aead_encrypt(sender, nothing, span_of("x", 1), span_of(body, 8), out);
        /* A refused message counts like any other. */
        bool spoil = i % 100 == 50;
        out[3] ^= spoil;
        assert_int_equal(
            fs_aead_decrypt(receiver, nothing, span_of(out, sizeof out), &head, 1, back), !spoil);
        if (!spoil)
            assert_memory_equal(back, body, 8);
    }
    fs_aead_free(sender);
    fs_aead_free(receiver);
    fs_aead_free(NULL);
    aead_free(NULL);
}

enum {
    IN_IDX,
    IN_INITIATING = 4,
    IN_CONTENTS,
    IN_MULTIPLY,
    IN_AAD,
    IN_IGNORE,
    MID_INITIATOR_L = 13,
    MID_INITIATOR_P,
    MID_RESPONDER_L,
    MID_RESPONDER_P,
    OUT_CIPHERTEXT = 20,
    OUT_ENDSWITH
};

/* A packet of BIP324: 3 bytes of length, then the sealed header byte and contents. */
static void check_packet(char *fields[CSV_FIELDS_MAX])
{
    bool initiating = fields[IN_INITIATING][0] == '1';
    uint8_t key_l[32], key_p[32], part[512], aad[8192];
    hex_bytes_exactly(fields[initiating ? MID_INITIATOR_L : MID_RESPONDER_L], key_l, 32);
    hex_bytes_exactly(fields[initiating ? MID_INITIATOR_P : MID_RESPONDER_P], key_p, 32);
    size_t part_len = hex_bytes(fields[IN_CONTENTS], part, sizeof part);
    size_t aad_len = hex_bytes(fields[IN_AAD], aad, sizeof aad);
    size_t times = (size_t)atoi(fields[IN_MULTIPLY]), len = part_len * times;
    uint8_t *contents = xmalloc(len), *out = xmalloc(3 + 1 + len + AEAD_TAG_BYTES);
    for (size_t i = 0; i < times; i++)
        memcpy(contents + i * part_len, part, part_len);

    struct fs_chacha20 lengths;
    struct fs_aead *packets = fs_aead_new(key_p);
    fs_chacha20_init(&lengths, key_l);
    uint8_t dummy[1 + AEAD_TAG_BYTES], length[3] = {0};
    for (int i = atoi(fields[IN_IDX]); i > 0; i--) {
        fs_chacha20_crypt(&lengths, length, length, 3);
        fs_aead_encrypt(packets, nothing, nothing, span_of("", 1), dummy);
    }
    for (int i = 0; i < 3; i++)
        length[i] = (uint8_t)(len >> (8 * i));
    uint8_t header = fields[IN_IGNORE][0] == '1' ? 0x80 : 0;
    fs_chacha20_crypt(&lengths, out, length, 3);
    fs_aead_encrypt(packets, span_of(aad, aad_len), span_of(&header, 1), span_of(contents, len),
                    out + 3);
    size_t total = 3 + 1 + len + AEAD_TAG_BYTES;
    if (*fields[OUT_CIPHERTEXT])
        assert_hex(out, total, fields[OUT_CIPHERTEXT]);
    size_t end = strlen(fields[OUT_ENDSWITH]) / 2;
    assert_hex(out + total - end, end, fields[OUT_ENDSWITH]);
    fs_aead_free(packets);
    xfree(contents);
    xfree(out);
}

TEST(packets_are_those_of_bip324)
{
    char *text = vectors_read("bips/0324/packet_encoding_test_vectors.csv", NULL);
    if (!text)
        skip();
    int rows = 0;
    char *fields[CSV_FIELDS_MAX], *at = csv_row(text, fields); /* the titles */
    while ((at = csv_row(at, fields)) != NULL) {
        check_packet(fields);
        rows++;
    }
    assert_int_equal(rows, 7);
    xfree(text);
}
