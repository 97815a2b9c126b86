/* gcs.c - see gcs.h. */
#include "crypto/gcs.h"

#include <stdlib.h>

#include "util/alloc.h"
#include "util/reader.h"

/* Fewer bits than that no code has. */
#define CODE_BITS_MIN (GCS_REMAINDER_BITS + 1)

struct hashed {
    uint64_t hash;
    struct span item;
};

/* Items of one hash by their bytes, so that equal ones are neighbours. */
static int compare_hashed(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->item.len != y->item.len)
        return x->item.len < y->item.len ? -1 : 1;
    return x->item.len ? memcmp(x->item.p, y->item.p, x->item.len) : 0;
}

/* The order of hashes stays. BIP-158, Hashing Data Objects */
static uint64_t to_range(uint64_t hash, uint64_t n_items)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)hash * (n_items * GCS_INVERSE_RATE) >> 64);
}

/* -- Building ---------------------------------------------------------------------------------- */

struct bit_writer {
    struct buffer *out;
    uint64_t bits; /* the lowest n of them are not written yet */
    unsigned n;    /* below 8 between two writes */
};

/* At most 32 bits at a time. */
static void write_bits(struct bit_writer *w, uint32_t value, unsigned n)
{
    ASSERT(n <= 32 && w->n < 8);
    w->bits = w->bits << n | value;
    w->n += n;
    while (w->n >= 8) {
        uint8_t byte = (uint8_t)(w->bits >> (w->n - 8));
        buffer_append(w->out, &byte, 1);
        w->n -= 8;
    }
}

/* BIP-158, Golomb-Rice Coding */
static void write_code(struct bit_writer *w, uint64_t delta)
{
    for (uint64_t q = delta >> GCS_REMAINDER_BITS; q > 0; q--)
        write_bits(w, 1, 1);
    write_bits(w, 0, 1);
    write_bits(w, (uint32_t)(delta & ((1u << GCS_REMAINDER_BITS) - 1)), GCS_REMAINDER_BITS);
}

void gcs_build(struct siphash_key key, const struct span *items, size_t n, struct buffer *out)
{
    ASSERT(n <= UINT32_MAX && out);
    struct hashed *hashed = xmalloc((n + 1) * sizeof *hashed);
    size_t n_different = 0;
    for (size_t i = 0; i < n; i++)
        hashed[i] = (struct hashed){siphash24(key, items[i]), items[i]};
    if (n > 0)
        qsort(hashed, n, sizeof *hashed, compare_hashed);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_hashed(&hashed[n_different - 1], &hashed[i]) != 0)
            hashed[n_different++] = hashed[i];
    struct writer count = writer_to_growing(out);
    write_compact_size(&count, n_different);
    struct bit_writer w = {.out = out};
    uint64_t last = 0;
    for (size_t i = 0; i < n_different; i++) {
        uint64_t value = to_range(hashed[i].hash, n_different);
        ASSERT(value >= last);
        write_code(&w, value - last);
        last = value;
    }
    if (w.n > 0)
        write_bits(&w, 0, 8 - w.n);
    xfree(hashed);
}

/* -- Matching ---------------------------------------------------------------------------------- */

struct bit_reader {
    struct span bytes;
    size_t at; /* bits taken */
    bool failed;
};

static unsigned read_bit(struct bit_reader *r)
{
    if (r->at / 8 >= r->bytes.len) {
        r->failed = true;
        return 0;
    }
    unsigned bit = r->bytes.p[r->at / 8] >> (7 - r->at % 8) & 1;
    r->at++;
    return bit;
}

/* A run of ones ends with the bytes at the latest. */
static uint64_t read_code(struct bit_reader *r)
{
    uint64_t q = 0, remainder = 0;
    while (read_bit(r))
        q++;
    for (int i = 0; i < GCS_REMAINDER_BITS; i++)
        remainder = remainder << 1 | read_bit(r);
    return q << GCS_REMAINDER_BITS | remainder;
}

static int compare_values(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Less than a byte may be left, of zeros. */
static bool is_end(const struct bit_reader *r)
{
    if ((r->at + 7) / 8 != r->bytes.len)
        return false;
    unsigned left = (unsigned)(r->bytes.len * 8 - r->at);
    return left == 0 || (r->bytes.p[r->bytes.len - 1] & ((1u << left) - 1)) == 0;
}

/* Both are sorted, so one pass will do. BIP-158, Golomb-Coded Set Multi-Match */
static enum gcs_match walk(struct bit_reader *r, uint64_t n_items, const uint64_t *wanted, size_t n)
{
    uint64_t value = 0;
    size_t at = 0;
    for (uint64_t i = 0; i < n_items; i++) {
        value += read_code(r);
        if (r->failed)
            return GCS_MATCH_MALFORMED;
        while (at < n && wanted[at] < value)
            at++;
        if (at == n)
            return GCS_MATCH_NO;
        if (wanted[at] == value)
            return GCS_MATCH_YES;
    }
    return is_end(r) ? GCS_MATCH_NO : GCS_MATCH_MALFORMED;
}

enum gcs_match gcs_match_any(struct span set, struct siphash_key key, const struct span *items,
                             size_t n, uint64_t *scratch)
{
    struct reader head = reader_of(set);
    uint64_t n_items = read_compact_size(&head);
    size_t left = reader_left(&head);
    if (head.failed || n_items > left * 8 / CODE_BITS_MIN)
        return GCS_MATCH_MALFORMED;
    for (size_t i = 0; i < n; i++)
        scratch[i] = to_range(siphash24(key, items[i]), n_items);
    if (n > 0)
        qsort(scratch, n, sizeof *scratch, compare_values);
    struct bit_reader r = {.bytes = span_of(set.p + (set.len - left), left)};
    return walk(&r, n_items, scratch, n);
}
