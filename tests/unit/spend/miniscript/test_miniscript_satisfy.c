/* test_miniscript_satisfy.c - witnesses of random expressions, put to the interpreter. */
#include "consensus/script_verify.h"
#include "consensus/sighash.h"
#include "spend/miniscript/miniscript_internal.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

enum { ROUNDS = 3000, DEPTH_MAX = 5 };

/* What is at hand when a script is to be satisfied. */
struct hand {
    struct fixture *f;
    uint32_t keys; /* a bit for each that signs */
    bool has_preimage, is_later;
    struct tx *tx;
    const struct tx_out *spent;
    struct span script;
};

static const uint8_t preimage_bytes[32] = {7};

static struct span sign_with(void *ctx, uint32_t key)
{
    struct hand *hand = ctx;
    struct sighash_cache cache;
    uint8_t hash[32];
    if (!(hand->keys & (UINT32_C(1) << key)))
        return span_of(NULL, 0);
    uint8_t *sig = arena_alloc(&hand->f->arena, 80);
    sighash_cache_init(&cache);
    sighash_cache_begin_input(&cache);
    struct sighash_v0_input in = {.tx = hand->tx, .input = 0, .value_sat = hand->spent->value_sat};
    sighash_v0(&cache, &in, hand->script, SIGHASH_ALL, hash);
    sighash_cache_deinit(&cache);
    size_t len = ecdsa_sign(hand->f->ec, hand->f->secret[key], hash, sig);
    sig[len] = SIGHASH_ALL;
    return span_of(sig, len + 1);
}

static struct span know_key(void *ctx, uint32_t key)
{
    struct hand *hand = ctx;
    return span_of(hand->f->pubkey[key], 33);
}

static struct span know_preimage(void *ctx, enum ms_fragment kind, struct span hash)
{
    struct hand *hand = ctx;
    (void)kind, (void)hash;
    return hand->has_preimage ? span_of(preimage_bytes, 32) : span_of(NULL, 0);
}

static bool is_later(void *ctx, uint32_t n)
{
    struct hand *hand = ctx;
    (void)n;
    return hand->is_later;
}

/* A random expression. Most are of the wrong type, which reading finds. */
static void write_random(struct buffer *out, uint32_t *seed, int depth, int *next_key);

static uint32_t draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

static void write_leaf(struct buffer *out, uint32_t *seed, int *next_key)
{
    char key = (char)('A' + (*next_key < N_KEYS - 3 ? (*next_key)++ : N_KEYS - 3));
    uint8_t hash[32];
    char hex[65];
    switch (draw(seed, 8)) {
    case 0:
        buffer_append_string(out, "older(1)");
        return;
    case 1:
        buffer_append_string(out, "after(1)");
        return;
    case 2:
        sha256(span_of(preimage_bytes, 32), hash);
        buffer_append_format(out, "sha256(%s)", hex_encode(hex, span_of(hash, 32)));
        return;
    case 3:
        hash160(span_of(preimage_bytes, 32), hash);
        buffer_append_format(out, "hash160(%s)", hex_encode(hex, span_of(hash, 20)));
        return;
    case 4:
        buffer_append_format(out, "pkh(%c)", key);
        return;
    case 5:
        buffer_append_format(out, "multi(1,%c,%c)", key, key + 1);
        *next_key += 1;
        return;
    default:
        buffer_append_format(out, "pk(%c)", key);
    }
}

static void write_parts(struct buffer *out, uint32_t *seed, int depth, int *next_key,
                        const char *const *before)
{
    for (; *before; before++) {
        buffer_append_string(out, *before);
        if (before[1])
            write_random(out, seed, depth - 1, next_key);
    }
}

static void write_random(struct buffer *out, uint32_t *seed, int depth, int *next_key)
{
    static const char *const shapes[][5] = {
        {"and_v(v:", ",", ")", NULL},
        {"and_b(", ",a:", ")", NULL},
        {"or_b(", ",a:", ")", NULL},
        {"or_d(", ",", ")", NULL},
        {"or_i(", ",", ")", NULL},
        {"andor(", ",", ",", ")", NULL},
        {"thresh(2,", ",s:", ",a:", ")", NULL},
        {"thresh(1,", ",a:", ")", NULL},
        {"j:", "", NULL},
        {"l:", "", NULL},
        {"u:", "", NULL},
        {"n:", "", NULL},
        {"dv:", "", NULL},
        {"t:or_c(", ",v:", ")", NULL},
        {"and_n(", ",", ")", NULL},
    };
    if (depth <= 0 || draw(seed, 4) == 0)
        write_leaf(out, seed, next_key);
    else
        write_parts(out, seed, depth, next_key, shapes[draw(seed, COUNT_OF(shapes))]);
}

/* A transaction that spends the script's output. */
static void fill_tx(struct hand *hand, struct tx *tx, struct tx_out *spent)
{
    struct fixture *f = hand->f;
    uint8_t *program = arena_alloc(&f->arena, 34);
    *tx = (struct tx){.version = 2, .lock_time = 1, .n_in = 1, .n_out = 1};
    tx->in = arena_calloc(&f->arena, 1, sizeof *tx->in);
    tx->out = arena_calloc(&f->arena, 1, sizeof *tx->out);
    tx->in[0].sequence = 1;
    program[0] = 0;
    program[1] = 32;
    sha256(hand->script, program + 2);
    *spent = (struct tx_out){.value_sat = 5000, .script_pubkey = span_of(program, 34)};
    tx_finish(tx, &f->arena);
    hand->tx = tx;
    hand->spent = spent;
}

static bool passes(struct hand *hand, const struct span *items, size_t n)
{
    size_t room = 9 + hand->script.len + 9;
    for (size_t i = 0; i < n; i++)
        room += items[i].len + 9;
    uint8_t *p = arena_alloc(&hand->f->arena, room);
    struct writer w = writer_to_buffer(p, room);
    write_compact_size(&w, n + 1);
    for (size_t i = 0; i < n; i++)
        write_var_span(&w, items[i]);
    write_var_span(&w, hand->script);
    hand->tx->in[0].witness = span_of(p, w.len);
    hand->tx->has_witness = true;
    struct script_scratch *scratch = script_scratch_new();
    struct script_check check = {
        .tx = hand->tx, .flags = SCRIPT_VERIFY_STANDARD, .spent = hand->spent};
    bool ok = script_verify(&check, scratch) == SCRIPT_OK;
    script_scratch_free(scratch);
    return ok;
}

/* With all at hand a sane script can be satisfied; with less, what is made passes too. */
static int try_script(struct fixture *f, const char *text, uint32_t *seed)
{
    struct buffer script;
    struct tx tx;
    struct tx_out spent;
    struct span *items;
    size_t n;
    int made = 0;
    const struct ms_satisfier with = {NULL, sign_with, know_key, know_preimage, is_later, is_later};
    buffer_init(&script);
    ms_script(&f->ms, &f->keys, &script);
    for (int round = 0; round < 4; round++) {
        struct hand hand = {.f = f,
                            .keys = round ? draw(seed, 1 << 20) : UINT32_MAX,
                            .has_preimage = !round || draw(seed, 2),
                            .is_later = !round || draw(seed, 2),
                            .script = buffer_span(&script)};
        struct ms_satisfier own = with;
        own.ctx = &hand;
        fill_tx(&hand, &tx, &spent);
        bool ok = ms_satisfy(&f->ms, &own, &f->arena, &items, &n);
        if (round == 0 && !ok)
            fail_msg("%s cannot be satisfied", text);
        if (ok && !passes(&hand, items, n))
            fail_msg("%s: the witness does not pass", text);
        made += ok;
    }
    buffer_deinit(&script);
    return made;
}

TEST(witnesses_of_random_expressions_pass, struct fixture *f)
{
    uint32_t seed = 20261127, node;
    int sane = 0, made = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct buffer text;
        int next_key = 0;
        buffer_init(&text);
        uint32_t before = seed;
        write_random(&text, &seed, DEPTH_MAX, &next_key);
        buffer_append(&text, "", 1);
        const char *s = (const char *)text.p;
        struct arena_mark mark = arena_mark(&f->arena);
        if (read_text(f, s) && ms_check(&f->ms, &f->keys, &f->arena, &node) == MS_SANE) {
            sane++;
            made += try_script(f, s, &seed);
            /* And the script leads back to the same script. */
            const char *hex = script_hex(f);
            size_t len = strlen(hex) / 2;
            uint8_t *bytes = arena_alloc(&f->arena, len);
            assert_true(hex_decode(bytes, len, hex, 2 * len));
            if (!ms_infer(&f->keys, MS_P2WSH, span_of(bytes, len), &f->arena, &f->ms))
                fail_msg("seed %u: %s is not found in its script", before, s);
            assert_string_equal(script_hex(f), hex);
        }
        arena_rewind(&f->arena, mark);
        buffer_deinit(&text);
    }
    print_message("%d sane of %d, %d witnesses\n", sane, ROUNDS, made);
    assert_true(sane > 100);
}

/* BIP-379, Non-malleable Satisfaction Algorithm: what needs no signature has to be taken. */
TEST(the_way_that_others_could_take_is_taken, struct fixture *f)
{
    struct hand hand = {.f = f, .keys = 3, .is_later = true, .script = span_of("x", 1)};
    struct ms_satisfier with = {&hand, sign_with, know_key, know_preimage, is_later, is_later};
    struct tx tx;
    struct tx_out spent;
    struct span *items;
    size_t n;
    fill_tx(&hand, &tx, &spent);
    /* Both signatures are at hand, but B is not needed once the lock has passed. */
    assert_true(read_text(f, "and_v(v:pk(A),or_d(pk(B),older(1)))"));
    assert_true(ms_satisfy(&f->ms, &with, &f->arena, &items, &n));
    assert_int_equal(n, 2);
    assert_int_equal(items[0].len, 0);
    hand.is_later = false;
    assert_true(ms_satisfy(&f->ms, &with, &f->arena, &items, &n));
    assert_int_equal(n, 2);
    assert_true(items[0].len > 60);
    hand.keys = 2;
    assert_false(ms_satisfy(&f->ms, &with, &f->arena, &items, &n));
}

/* thresh(1,first,part,part,...) of n parts. */
static void read_thresh(struct fixture *f, const char *first, const char *part, int n)
{
    struct buffer text;
    buffer_init(&text);
    buffer_append_format(&text, "thresh(1,%s", first);
    for (int i = 1; i < n; i++)
        buffer_append_format(&text, ",%s", part);
    buffer_append(&text, ")", 2);
    f->context = MS_TAPSCRIPT;
    if (!read_text(f, (const char *)text.p))
        fail_msg("not read");
    buffer_deinit(&text);
}

TEST(many_ways_take_no_square_of_memory, struct fixture *f)
{
    struct hand hand = {.f = f, .keys = 1, .script = span_of("x", 1)};
    struct ms_satisfier with = {&hand, sign_with, know_key, know_preimage, is_later, is_later};
    struct span *items;
    size_t n;
    read_thresh(f, "or_i(1,0)", "a:or_i(1,0)", MS_STACK_MAX);
    size_t before = f->arena.total_bytes;
    assert_false(ms_satisfy(&f->ms, &with, &f->arena, &items, &n));
    assert_true(f->arena.total_bytes - before < 4 << 20);
}

TEST(thresholds_have_no_more_parts_than_the_stack_has_items, struct fixture *f)
{
    struct hand hand = {.f = f, .keys = 1, .script = span_of("x", 1)};
    struct ms_satisfier with = {&hand, sign_with, know_key, know_preimage, is_later, is_later};
    struct tx tx;
    struct tx_out spent;
    struct span *items;
    uint32_t node;
    size_t n;
    fill_tx(&hand, &tx, &spent);
    read_thresh(f, "pk(A)", "a:0", MS_STACK_MAX);
    assert_int_equal(ms_check(&f->ms, &f->keys, &f->arena, &node), MS_SANE);
    assert_true(ms_satisfy(&f->ms, &with, &f->arena, &items, &n));
    assert_int_equal(n, 1);
    read_thresh(f, "pk(A)", "a:0", MS_STACK_MAX + 1);
    assert_int_equal(ms_check(&f->ms, &f->keys, &f->arena, &node), MS_EXCEEDS_LIMITS);
    assert_false(ms_satisfy(&f->ms, &with, &f->arena, &items, &n));
}
