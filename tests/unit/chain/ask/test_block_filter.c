/* test_block_filter.c - filters and their headers as the vectors have them. */
#include "chain/ask/block_filter.h"

#include <jansson.h>

#include "chain/disk/block_ref.h"
#include "crypto/gcs.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

/* Columns of a row. */
enum { HEIGHT, HASH, BLOCK, SPENT, PREV_HEADER, FILTER, HEADER };

static const char *text_at(const json_t *row, size_t column)
{
    const char *text = json_string_value(json_array_get(row, column));
    assert_non_null(text);
    return text;
}

static struct span bytes_of(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *p = xmalloc(len + 1);
    hex_bytes_exactly(hex, p, len);
    return span_of(p, len);
}

/* Hashes are written with the last byte first. */
static void id_of(const char *hex, uint8_t id[32])
{
    uint8_t turned[32];
    hex_bytes_exactly(hex, turned, 32);
    for (size_t i = 0; i < 32; i++)
        id[i] = turned[31 - i];
}

static void check_row(const json_t *row)
{
    struct span raw = bytes_of(text_at(row, BLOCK));
    struct block_ref *ref = block_ref_take((uint8_t *)raw.p, raw.len);
    assert_true(block_ref_decode(ref));
    uint8_t hash[32], header[32], want[32];
    id_of(text_at(row, HASH), want);
    assert_memory_equal(ref->block.hash.b, want, 32);

    const json_t *spent = json_array_get(row, SPENT);
    struct coin *coins = xcalloc(json_array_size(spent) + 1, sizeof *coins);
    for (size_t i = 0; i < json_array_size(spent); i++)
        coins[i].script_pubkey = bytes_of(text_at(spent, i));
    struct undo undo = {.spent = coins, .n_spent = json_array_size(spent)};

    struct buffer filter;
    buffer_init(&filter);
    block_filter_build(&ref->block, &undo, &filter);
    assert_hex(filter.p, filter.len, text_at(row, FILTER));
    id_of(text_at(row, PREV_HEADER), header);
    block_filter_hash(buffer_span(&filter), hash);
    block_filter_header(hash, header, header);
    id_of(text_at(row, HEADER), want);
    assert_memory_equal(header, want, 32);
    for (size_t i = 0; i < undo.n_spent; i++) {
        uint64_t scratch[1];
        if (coins[i].script_pubkey.len > 0)
            assert_int_equal(gcs_match_any(buffer_span(&filter), block_filter_key(&ref->block.hash),
                                           &coins[i].script_pubkey, 1, scratch),
                             GCS_MATCH_YES);
        xfree((void *)coins[i].script_pubkey.p);
    }
    buffer_deinit(&filter);
    xfree(coins);
    block_ref_drop(ref);
}

static void check_file(const char *name)
{
    size_t len, n = 0, i;
    char *text = vectors_read(name, &len);
    if (!text)
        skip();
    json_t *rows = json_loadb(text, len, 0, NULL), *row;
    assert_non_null(rows);
    json_array_foreach(rows, i, row)
    {
        if (json_array_size(row) < 2)
            continue; /* the names of the columns */
        check_row(row);
        n++;
    }
    assert_true(n >= 8);
    json_decref(rows);
    xfree(text);
}

TEST(filters_are_those_of_the_vectors_of_core)
{
    check_file("core/blockfilters.json");
}

TEST(filters_are_those_of_the_vectors_of_the_bip)
{
    check_file("bips/0158/testnet-19.json");
}
