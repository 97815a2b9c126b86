/* fuzz_json.c - any bytes as a JSON request: what is taken is written back and read again. */
#include <jansson.h>

#include "rpc/json_write.h"
#include "util/assert.h"

enum { ARENA_CHUNK_BYTES = 1 << 14 };

/* Numbers as amounts and integers: whatever the text, no undefined behaviour. */
static void read_numbers(const struct json_value *root)
{
    for (const struct json_value *v = root->first; v; v = v->next) {
        int64_t n;
        if (json_integer_in(v, -1000, 1000, &n))
            ASSERT(n >= -1000 && n <= 1000);
        if (json_fixed_point(v, 8, &n))
            ASSERT(n < INT64_C(1000000000000000000));
    }
}

/* jansson takes no text that is refused here but for our limits, and its own on numbers. */
static void compare_with_jansson(const uint8_t *data, size_t size, bool ok)
{
    if (size > 0 && memchr(data, 0, size))
        return; /* jansson takes a zero byte for the end */
    json_error_t error;
    json_t *other = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (other && !ok && size < JSON_DEPTH_MAX)
        ASSERT(!"refused here, taken by jansson");
    if (!other && ok && json_error_code(&error) != json_error_numeric_overflow &&
        json_error_code(&error) != json_error_null_byte_in_key)
        ASSERT(!"taken here, refused by jansson");
    json_decref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, ARENA_CHUNK_BYTES);
    struct json_value *first, *second;
    bool ok = json_parse(span_of(data, size), &arena, &first);
    compare_with_jansson(data, size, ok);
    if (ok) {
        struct buffer once, twice;
        buffer_init(&once);
        buffer_init(&twice);
        read_numbers(first);
        json_write(&once, first, 0);
        ASSERT(json_parse(buffer_span(&once), &arena, &second));
        json_write(&twice, second, 0);
        ASSERT(span_equal(buffer_span(&once), buffer_span(&twice)));
        buffer_deinit(&once);
        buffer_deinit(&twice);
    }
    arena_deinit(&arena);
    return 0;
}
