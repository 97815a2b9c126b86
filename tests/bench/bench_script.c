/* bench_script.c - what checking an input costs, with and beside its signature.
 *
 * Usage: bench_script [seconds per row]. For each kind of input: time of script_verify(), time
 * of the signature primitives alone on the same data, and the difference, which is our own cost.
 * Last, the worst legacy transaction: every input hashes the whole of it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "consensus/script_internal.h"
#include "consensus/script_witness.h"
#include "crypto/ecdsa.h"
#include "crypto/schnorr.h"
#include "spend/sign/sign_tx.h"
#include "support/script_asm.h"
#include "util/alloc.h"

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct bench {
    struct ec_context *ec;
    struct key_book book; /* one key */
    struct script_scratch *scratch;
    struct arena arena;
    double seconds;
};

/* A transaction of n inputs that all spend the same kind of output, signed. */
struct job {
    struct tx tx;
    struct tx_out *spent;
    struct tx_sighash sighash;
};

static void job_init(struct bench *b, struct job *job, uint32_t n, struct span script_pubkey,
                     const struct span *redeem_script)
{
    *job = (struct job){.tx = {.version = 2, .n_in = n, .n_out = 2}};
    job->tx.in = arena_calloc(&b->arena, n, sizeof *job->tx.in);
    job->tx.out = arena_calloc(&b->arena, 2, sizeof *job->tx.out);
    job->spent = arena_calloc(&b->arena, n, sizeof *job->spent);
    for (uint32_t i = 0; i < 2; i++)
        job->tx.out[i] = (struct tx_out){.value_sat = 1000, .script_pubkey = script_pubkey};
    for (uint32_t i = 0; i < n; i++) {
        job->spent[i] = (struct tx_out){.value_sat = 1000, .script_pubkey = script_pubkey};
        memcpy(job->tx.in[i].prevout.txid.b, &i, sizeof i);
    }
    tx_finish(&job->tx, &b->arena);
    tx_sighash_init_all(&job->sighash, &job->tx, job->spent);
    if (redeem_script)
        key_book_add_script(&b->book, *redeem_script);
    const struct sign_tx_request request = {
        .mode = SOLVE_SIGN, .book = &b->book, .arena = &b->arena};
    for (uint32_t i = 0; i < n; i++)
        (void)sign_tx_input(&request, &job->tx, job->spent, &job->sighash, i);
    tx_finish(&job->tx, &b->arena);
}

/* Other work on the machine only ever adds time: so of many short batches the fastest counts. */
#define BATCH 100

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* Seconds per input. */
static double job_time(struct bench *b, const struct job *job,
                       enum script_error (*verify)(const struct script_check *,
                                                   struct script_scratch *))
{
    double best = 1e9, start = now_s(), batch_start = start, end = start;
    for (uint32_t i = 0, n = 0; end - start < b->seconds; i = (i + 1) % job->tx.n_in) {
        const struct script_check check = {.tx = &job->tx,
                                           .input = i,
                                           .flags = SCRIPT_VERIFY_STANDARD,
                                           .spent = job->spent,
                                           .sighash = &job->sighash};
        enum script_error error = verify(&check, b->scratch);
        if (error) {
            (void)fprintf(stderr, "input %u: %s\n", i, script_error_string(error));
            exit(1);
        }
        if (++n % BATCH == 0) {
            end = now_s();
            best = least(best, (end - batch_start) / BATCH);
            batch_start = end;
        }
    }
    return best;
}

/* Signatures of many different messages: verification takes branches by their bits, and the
 * processor would learn those of one. */
#define SIGNATURES 1000

struct signed_hash {
    uint8_t hash[32], sig[ECDSA_SIG_MAX];
    size_t len;
};

static double signatures_time(struct bench *b, bool schnorr)
{
    struct ec_pubkey pubkey;
    if (!ec_pubkey_parse(&pubkey, span_of(b->book.keys.at[0].pubkey, 33)))
        exit(1);
    struct signed_hash *all = arena_calloc(&b->arena, SIGNATURES, sizeof *all);
    for (uint32_t i = 0; i < SIGNATURES; i++) {
        struct signed_hash *s = &all[i];
        sha256(span_of(&i, sizeof i), s->hash);
        s->len = ecdsa_sign(b->ec, b->book.keys.at[0].secret, s->hash, s->sig);
        if (schnorr &&
            !schnorr_sign(b->ec, b->book.keys.at[0].secret, span_of(s->hash, 32), NULL, s->sig))
            exit(1);
    }
    double best = 1e9, start = now_s(), batch_start = start, end = start;
    for (uint32_t n = 0; end - start < b->seconds;) {
        const struct signed_hash *s = &all[n % SIGNATURES];
        if (schnorr ? !schnorr_verify(s->sig, span_of(s->hash, 32), &pubkey)
                    : !ecdsa_verify_lax(span_of(s->sig, s->len), s->hash, &pubkey))
            exit(1);
        if (++n % BATCH == 0) {
            end = now_s();
            best = least(best, (end - batch_start) / BATCH);
            batch_start = end;
        }
    }
    return best;
}

static void row(struct bench *b, const char *name, const struct job *job, double primitive)
{
    double fast = job_time(b, job, script_verify), slow = job_time(b, job, script_verify_generic);
    (void)printf("%-22s %8.2f us; interpreter %8.2f us; beside the signature %6.2f us\n", name,
                 fast * 1e6, slow * 1e6, (fast - primitive) * 1e6);
}

static struct span script_of(struct bench *b, const char *before, const void *push, size_t len,
                             const char *after)
{
    struct buffer text;
    buffer_init(&text);
    asm_script(&text, before);
    if (len)
        asm_push(&text, push, len);
    asm_script(&text, after);
    uint8_t *copy = arena_alloc(&b->arena, text.len);
    memcpy(copy, text.p, text.len);
    struct span script = span_of(copy, text.len);
    buffer_deinit(&text);
    return script;
}

/* One transaction that fills a block: n inputs of the old kind, each hashing all of it. */
static void quadratic(struct bench *b, struct span script_pubkey, uint32_t n)
{
    struct job job;
    job_init(b, &job, n, script_pubkey, NULL);
    double start = now_s();
    for (uint32_t i = 0; i < n; i++) {
        const struct script_check check = {.tx = &job.tx,
                                           .input = i,
                                           .flags = SCRIPT_VERIFY_STANDARD,
                                           .spent = job.spent,
                                           .sighash = &job.sighash};
        if (script_verify(&check, b->scratch) != SCRIPT_OK)
            exit(1);
    }
    double all = now_s() - start;
    (void)printf("legacy tx, %u inputs, %zu bytes: %.2f s, %.1f us an input\n", n, job.tx.raw.len,
                 all, all / n * 1e6);
}

int main(int argc, char **argv)
{
    struct bench b = {.seconds = argc > 1 ? atof(argv[1]) : 0.5};
    static const uint8_t seed[32] = {1}, secret[32] = {9};
    b.ec = ec_context_new(seed);
    arena_init(&b.arena, 1 << 20);
    key_book_init(&b.book, b.ec, &b.arena);
    if (!key_book_add_secret(&b.book, secret, true))
        return 1;
    b.scratch = script_scratch_new();
    uint8_t hash[32], x[32];
    struct ec_pubkey pubkey;
    hash160(span_of(b.book.keys.at[0].pubkey, 33), hash);
    if (!ec_pubkey_parse(&pubkey, span_of(b.book.keys.at[0].pubkey, 33)))
        return 1;
    xonly_from_pubkey(x, NULL, &pubkey);
    struct span p2pkh = script_of(&b, "DUP HASH160", hash, 20, "EQUALVERIFY CHECKSIG");
    struct span p2wpkh = script_of(&b, "0", hash, 20, ""), p2tr = script_of(&b, "1", x, 32, "");
    hash160(p2wpkh, hash);
    struct span p2sh = script_of(&b, "HASH160", hash, 20, "EQUAL"),
                one = script_of(&b, "1", "", 0, "");
    sha256(one, hash);
    struct span p2wsh = script_of(&b, "0", hash, 32, "");

    double ecdsa = signatures_time(&b, false), schnorr = signatures_time(&b, true);
    (void)printf("ecdsa, key parsed: %.2f us; schnorr: %.2f us\n", ecdsa * 1e6, schnorr * 1e6);
    struct job job;
    job_init(&b, &job, 1000, p2pkh, NULL);
    row(&b, "P2PKH, 1000 inputs", &job, ecdsa);
    job_init(&b, &job, 2, p2pkh, NULL);
    row(&b, "P2PKH, 2 inputs", &job, ecdsa);
    job_init(&b, &job, 1000, p2wpkh, NULL);
    row(&b, "P2WPKH", &job, ecdsa);
    job_init(&b, &job, 1000, p2sh, &p2wpkh);
    row(&b, "P2SH-P2WPKH", &job, ecdsa);
    job_init(&b, &job, 1000, p2tr, NULL);
    row(&b, "P2TR key path", &job, schnorr);
    job_init(&b, &job, 1000, p2wsh, &one);
    for (uint32_t i = 0; i < job.tx.n_in; i++)
        job.tx.in[i].witness = span_of("\x01\x01\x51", 3);
    row(&b, "P2WSH OP_TRUE", &job, 0);
    quadratic(&b, p2pkh, 1000);
    quadratic(&b, p2pkh, 6500);

    arena_deinit(&b.arena);
    script_scratch_free(b.scratch);
    ec_context_free(b.ec);
    return 0;
}
