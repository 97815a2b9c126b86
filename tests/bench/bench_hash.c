/* bench_hash.c - what the hashes cost, in nanoseconds, and double SHA-256 as OpenSSL does it.
 *
 * Runs on one core; compare ratios, not figures: machines differ and so does their load. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stdio.h>
#include <time.h>

#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/muhash.h"
#include "crypto/siphash.h"

struct work {
    uint8_t in[64 * 1024], out[64 * 1024];
    struct muhash set;
    struct ec_pubkey pubkey;
    uint8_t sig[ECDSA_SIG_MAX];
    size_t sig_len;
    uint64_t sum; /* keeps results alive */
};

typedef void bench_fn(struct work *w);

static void double_64(struct work *w)
{
    sha256d(span_of(w->in, 64), w->in + 64);
}

static void double_64_openssl(struct work *w)
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, w->in, 64);
    SHA256_Final(w->in + 64, &ctx);
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, w->in + 64, 32);
    SHA256_Final(w->in + 64, &ctx);
}

static void double_250(struct work *w)
{
    sha256d(span_of(w->in, 250), w->out);
}

static void merkle_1000(struct work *w)
{
    sha256d_64(w->out, w->in, 1000);
}

static void hash160_33(struct work *w)
{
    hash160(span_of(w->in, 33), w->out);
}

static void siphash13(struct work *w)
{
    w->sum += siphash13_id((struct siphash_key){w->sum, 2}, w->in, 3);
}

static void muhash_60(struct work *w)
{
    muhash_insert(&w->set, span_of(w->in, 60));
}

static void ecdsa(struct work *w)
{
    w->sum += ecdsa_verify_lax(span_of(w->sig, w->sig_len), w->in, &w->pubkey);
}

/* clang-format off */
static const struct { const char *name; bench_fn *fn; int times; int units; } benches[] = {
    {"sha256d of 64 bytes",            double_64,         1000000, 1},
    {"  the same by OpenSSL",          double_64_openssl, 1000000, 1},
    {"sha256d of 250 bytes",           double_250,        1000000, 1},
    {"sha256d_64, a node of 1000",     merkle_1000,       2000,    1000},
    {"hash160 of 33 bytes",            hash160_33,        1000000, 1},
    {"siphash13_id",                   siphash13,         5000000, 1},
    {"muhash_insert of 60 bytes",      muhash_60,         200000,  1},
    {"ecdsa_verify_lax",               ecdsa,             10000,   1},
};
/* clang-format on */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(void)
{
    static struct work w;
    static const uint8_t key[32] = {1};
    struct ec_context *context = ec_context_new(key);
    muhash_init(&w.set);
    w.sig_len = ecdsa_sign(context, key, w.in, w.sig);
    if (!seckey_pubkey(context, key, &w.pubkey))
        return 1;
    for (size_t i = 0; i < COUNT_OF(benches); i++) {
        double best = 0;
        for (int run = 0; run < 3; run++) {
            double start = now_ns();
            for (int n = 0; n < benches[i].times; n++)
                benches[i].fn(&w);
            double each = (now_ns() - start) / benches[i].times / benches[i].units;
            if (run == 0 || each < best)
                best = each;
        }
        printf("%-28s %10.1f ns\n", benches[i].name, best);
    }
    ec_context_free(context);
    return w.sum == 0;
}
