/* chacha20.c - the stream cipher ChaCha20.
 *
 * Four blocks are made side by side, one in each lane of a vector, which the compiler maps to
 * whatever the processor has. */
#include "crypto/chacha20.h"

#include "crypto/mem.h"
#include "util/assert.h"
#include "util/endian.h"

enum { LANES = 4, BATCH_BYTES = 64 * LANES };

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))

#define QUARTER(a, b, c, d)                                                                        \
    do {                                                                                           \
        a += b, d ^= a, d = ROTATE(d, 16);                                                         \
        c += d, b ^= c, b = ROTATE(b, 12);                                                         \
        a += b, d ^= a, d = ROTATE(d, 8);                                                          \
        c += d, b ^= c, b = ROTATE(b, 7);                                                          \
    } while (0)

/* Make the blocks at state's counter and the three after it. */
static void make_batch(const uint32_t state[16], uint8_t out[BATCH_BYTES])
{
    lanes x[16], start[16];
    for (int i = 0; i < 16; i++)
        start[i] = state[i] - (lanes){0};
    start[12] += (lanes){0, 1, 2, 3};
    memcpy(x, start, sizeof x);
    for (int round = 0; round < 20; round += 2) {
        QUARTER(x[0], x[4], x[8], x[12]);
        QUARTER(x[1], x[5], x[9], x[13]);
        QUARTER(x[2], x[6], x[10], x[14]);
        QUARTER(x[3], x[7], x[11], x[15]);
        QUARTER(x[0], x[5], x[10], x[15]);
        QUARTER(x[1], x[6], x[11], x[12]);
        QUARTER(x[2], x[7], x[8], x[13]);
        QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (int i = 0; i < 16; i++) {
        lanes sum = x[i] + start[i];
        for (int lane = 0; lane < LANES; lane++)
            store_le32(out + 64 * lane + 4 * i, sum[lane]);
    }
}

void chacha20_init(struct chacha20 *c, const uint8_t key[32], const uint8_t nonce[12],
                   uint32_t counter)
{
    ASSERT(c);
    /* "expand 32-byte k" */
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(c->state, constants, sizeof constants);
    for (int i = 0; i < 8; i++)
        c->state[4 + i] = load_le32(key + 4 * i);
    c->state[12] = counter;
    for (int i = 0; i < 3; i++)
        c->state[13 + i] = load_le32(nonce + 4 * i);
    c->left = 0;
}

/* Combine out with in, or copy the stream where in is NULL. */
static void apply(uint8_t *out, const uint8_t *in, const uint8_t *stream, size_t len)
{
    if (!in) {
        memcpy(out, stream, len);
        return;
    }
    for (size_t i = 0; i < len; i++)
        out[i] = in[i] ^ stream[i];
}

static void run(struct chacha20 *c, uint8_t *out, const uint8_t *in, size_t len)
{
    uint8_t batch[BATCH_BYTES];
    while (len > 0) {
        size_t n = len < c->left ? len : c->left;
        if (n > 0) {
            apply(out, in, c->buffer + 64 - c->left, n);
            c->left -= n;
        } else if (len >= 64) {
            /* A batch may be only partly needed: what is not is made again. */
            make_batch(c->state, batch);
            n = len < BATCH_BYTES ? len / 64 * 64 : BATCH_BYTES;
            apply(out, in, batch, n);
            c->state[12] += (uint32_t)(n / 64);
        } else {
            make_batch(c->state, batch);
            memcpy(c->buffer, batch, 64);
            c->state[12]++;
            c->left = 64;
        }
        out += n;
        in = in ? in + n : NULL;
        len -= n;
    }
    mem_wipe(batch, sizeof batch);
}

void chacha20_keystream(struct chacha20 *c, uint8_t *out, size_t len)
{
    run(c, out, NULL, len);
}

void chacha20_crypt(struct chacha20 *c, uint8_t *out, const uint8_t *in, size_t len)
{
    run(c, out, in, len);
}

void fs_chacha20_init(struct fs_chacha20 *c, const uint8_t key[32])
{
    ASSERT(c);
    static const uint8_t nonce[12];
    c->messages = 0;
    c->rekeyings = 0;
    chacha20_init(&c->stream, key, nonce, 0);
}

void fs_chacha20_crypt(struct fs_chacha20 *c, uint8_t *out, const uint8_t *in, size_t len)
{
    ASSERT(c);
    chacha20_crypt(&c->stream, out, in, len);
    if (++c->messages < FS_REKEY_MESSAGES)
        return;
    /* The next key is the stream's next bytes; the nonce says how many keys there were.
     * BIP-324, Rekeying wrappers: FSChaCha20Poly1305 and FSChaCha20 */
    uint8_t key[32], nonce[12] = {0};
    chacha20_keystream(&c->stream, key, sizeof key);
    c->messages = 0;
    store_le64(nonce + 4, ++c->rekeyings);
    chacha20_init(&c->stream, key, nonce, 0);
    mem_wipe(key, sizeof key);
}
