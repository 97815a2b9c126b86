/* miniscript_fixture.h - expressions over keys named A to Z, whose secrets are 1 to 26. */
#ifndef TESTS_UNIT_SPEND_MINISCRIPT_FIXTURE_H
#define TESTS_UNIT_SPEND_MINISCRIPT_FIXTURE_H

#include "crypto/hash.h"
#include "crypto/key.h"
#include "spend/miniscript/miniscript.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

enum { N_KEYS = 26 };

struct fixture {
    struct ec_context *ec;
    struct arena arena;
    struct ms_keys keys;
    enum ms_context context;
    uint8_t secret[N_KEYS][32];
    uint8_t pubkey[N_KEYS][33];
    struct miniscript ms;
    struct buffer text;
};

static inline bool fixture_read_key(void *ctx, struct span text, uint32_t *key)
{
    (void)ctx;
    *key = (uint32_t)(text.p[0] - 'A');
    return text.len == 1 && *key < N_KEYS;
}

static inline struct span fixture_key_bytes(void *ctx, uint32_t key)
{
    struct fixture *f = ctx;
    return f->context == MS_P2WSH ? span_of(f->pubkey[key], 33) : span_of(f->pubkey[key] + 1, 32);
}

static inline bool fixture_find_key(void *ctx, struct span bytes, uint32_t *key)
{
    for (uint32_t i = 0; i < N_KEYS; i++) {
        *key = i;
        if (span_equal(bytes, fixture_key_bytes(ctx, i)))
            return true;
    }
    return false;
}

static inline bool fixture_find_hash(void *ctx, struct span hash, uint32_t *key)
{
    for (uint32_t i = 0; i < N_KEYS; i++) {
        uint8_t own[20];
        hash160(fixture_key_bytes(ctx, i), own);
        *key = i;
        if (span_equal(hash, span_of(own, 20)))
            return true;
    }
    return false;
}

static inline void fixture_write_key(void *ctx, uint32_t key, struct buffer *out)
{
    char letter = (char)('A' + key);
    (void)ctx;
    buffer_append(out, &letter, 1);
}

static inline int setup(void **state)
{
    static const uint8_t seed[32] = {2};
    struct fixture *f = xcalloc(1, sizeof *f);
    f->ec = ec_context_new(seed);
    arena_init(&f->arena, 1 << 16);
    f->keys = (struct ms_keys){.ctx = f,
                               .read = fixture_read_key,
                               .of_bytes = fixture_find_key,
                               .of_hash = fixture_find_hash,
                               .bytes = fixture_key_bytes,
                               .write = fixture_write_key};
    for (int i = 0; i < N_KEYS; i++) {
        struct ec_pubkey pubkey;
        uint8_t bytes[65];
        f->secret[i][31] = (uint8_t)(i + 1);
        assert_true(seckey_pubkey(f->ec, f->secret[i], &pubkey));
        (void)ec_pubkey_serialize(&pubkey, true, bytes);
        memcpy(f->pubkey[i], bytes, 33);
    }
    buffer_init(&f->text);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    buffer_deinit(&f->text);
    arena_deinit(&f->arena);
    ec_context_free(f->ec);
    xfree(f);
    return 0;
}

static inline bool read_text(struct fixture *f, const char *text)
{
    return ms_read(&f->keys, f->context, span_of_string(text), &f->arena, &f->ms);
}

/* The script of the expression read last, as hex. */
static inline const char *script_hex(struct fixture *f)
{
    struct buffer script;
    buffer_init(&script);
    ms_script(&f->ms, &f->keys, &script);
    char *hex = arena_alloc(&f->arena, 2 * script.len + 1);
    hex_encode(hex, buffer_span(&script));
    buffer_deinit(&script);
    return hex;
}

/* The expression read last as text again. */
static inline const char *written(struct fixture *f)
{
    f->text.len = 0;
    ms_write(&f->ms, &f->keys, f->ms.n - 1, &f->text);
    buffer_append(&f->text, "", 1);
    return (const char *)f->text.p;
}

#endif
