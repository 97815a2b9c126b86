/* fuzz_miniscript.c - any script whose expression is found is that expression's script; any text
 * that is an expression is written as one that means the same. */
#include <stddef.h>
#include <stdint.h>

#include "spend/miniscript/miniscript.h"
#include "util/array.h"

/* Keys are their bytes; in texts a letter stands for 33 or 32 bytes of it. */
struct keys {
    enum ms_context context;
    struct arena *arena;
    ARRAY(struct span) at;
};

static bool of_bytes(void *ctx, struct span bytes, uint32_t *key)
{
    struct keys *keys = ctx;
    *key = (uint32_t)keys->at.n;
    *ARRAY_ADD(&keys->at) = bytes;
    return true;
}

static bool of_hash(void *ctx, struct span hash, uint32_t *key)
{
    (void)ctx, (void)hash, (void)key;
    return false;
}

static bool read_key(void *ctx, struct span text, uint32_t *key)
{
    struct keys *keys = ctx;
    size_t len = keys->context == MS_P2WSH ? 33 : 32;
    uint8_t *bytes = arena_alloc(keys->arena, len);
    memset(bytes, text.p[0], len);
    return text.len == 1 && of_bytes(ctx, span_of(bytes, len), key);
}

static struct span key_bytes(void *ctx, uint32_t key)
{
    const struct keys *keys = ctx;
    return keys->at.at[key];
}

static void write_key(void *ctx, uint32_t key, struct buffer *out)
{
    struct span bytes = key_bytes(ctx, key);
    buffer_append(out, bytes.p, 1);
}

static void check_found(const struct miniscript *ms, const struct ms_keys *access,
                        struct span script)
{
    struct buffer out;
    buffer_init(&out);
    ms_script(ms, access, &out);
    ASSERT(span_equal(buffer_span(&out), script));
    buffer_deinit(&out);
}

static void check_read(const struct miniscript *ms, const struct ms_keys *access,
                       struct arena *arena)
{
    struct buffer text, script;
    struct miniscript again;
    uint32_t node;
    buffer_init(&text);
    buffer_init(&script);
    ms_write(ms, access, ms->n - 1, &text);
    ms_script(ms, access, &script);
    ASSERT(ms_read(access, ms->context, buffer_span(&text), arena, &again));
    check_found(&again, access, buffer_span(&script));
    ASSERT(ms->nodes[ms->n - 1].type == again.nodes[again.n - 1].type);
    if (ms_check(ms, access, arena, &node) == MS_SANE)
        ASSERT(ms_infer(access, ms->context, buffer_span(&script), arena, &again) ||
               memchr(script.p, 0xa9, script.len)); /* hashes of keys are not known here */
    buffer_deinit(&text);
    buffer_deinit(&script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int context = MS_P2WSH; context <= MS_TAPSCRIPT; context++) {
        struct arena arena;
        struct miniscript ms;
        struct keys keys = {.context = (enum ms_context)context, .arena = &arena};
        struct ms_keys access = {.ctx = &keys,
                                 .read = read_key,
                                 .of_bytes = of_bytes,
                                 .of_hash = of_hash,
                                 .bytes = key_bytes,
                                 .write = write_key};
        arena_init(&arena, 1 << 16);
        if (ms_infer(&access, keys.context, span_of(data, size), &arena, &ms))
            check_found(&ms, &access, span_of(data, size));
        if (ms_read(&access, keys.context, span_of(data, size), &arena, &ms))
            check_read(&ms, &access, &arena);
        ARRAY_FREE(&keys.at);
        arena_deinit(&arena);
    }
    return 0;
}
