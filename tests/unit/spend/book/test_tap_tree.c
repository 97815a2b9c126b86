/* test_tap_tree.c - trees of scripts: the wallet vectors of BIP341. */
#include <jansson.h>

#include "spend/book/tap_tree.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"
#include "util/array.h"
#include "util/hex.h"

struct fixture {
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->arena);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

struct leaves {
    struct tap_leaf at[16];
    size_t n;
};

/* A tree as the vectors have it: a leaf, or a pair of trees; at most two levels deep. */
static void read_tree(struct fixture *f, json_t *node, uint8_t depth, struct leaves *out)
{
    if (json_is_array(node)) {
        read_tree(f, json_array_get(node, 0), (uint8_t)(depth + 1), out);
        read_tree(f, json_array_get(node, 1), (uint8_t)(depth + 1), out);
        return;
    }
    if (!json_is_object(node))
        return;
    const char *hex = json_string_value(json_object_get(node, "script"));
    size_t len = strlen(hex) / 2;
    uint8_t *script = arena_alloc(&f->arena, len + 1);
    assert_true(hex_decode(script, len, hex, 2 * len));
    uint8_t version = (uint8_t)json_integer_value(json_object_get(node, "leafVersion"));
    out->at[out->n++] = (struct tap_leaf){span_of(script, len), depth, version};
}

static void assert_hex(struct span bytes, json_t *want)
{
    char hex[2 * 200 + 1];
    assert_true(bytes.len <= 200);
    hex_encode(hex, bytes);
    assert_string_equal(hex, json_string_value(want));
}

static void run_case(struct fixture *f, json_t *test)
{
    json_t *given = json_object_get(test, "given"), *expected = json_object_get(test, "expected");
    json_t *between = json_object_get(test, "intermediary");
    json_t *blocks = json_object_get(expected, "scriptPathControlBlocks");
    uint8_t internal[32], root[32], output[32], tweak[32];
    struct leaves leaves = {.n = 0};
    uint8_t *paths[16];
    int parity;
    const char *x = json_string_value(json_object_get(given, "internalPubkey"));
    assert_true(hex_decode(internal, 32, x, 64));
    read_tree(f, json_object_get(given, "scriptTree"), 0, &leaves);
    struct tap_tree tree = {leaves.at, leaves.n};
    for (size_t i = 0; i < leaves.n; i++)
        paths[i] = arena_alloc(&f->arena, 32 * (size_t)leaves.at[i].depth + 1);
    if (leaves.n > 0) {
        assert_true(tap_tree_is_whole(&tree));
        tap_tree_root(&tree, &f->arena, root, paths);
        assert_hex(span_of(root, 32), json_object_get(between, "merkleRoot"));
    }
    tap_tweak(internal, leaves.n ? root : NULL, tweak);
    assert_hex(span_of(tweak, 32), json_object_get(between, "tweak"));
    assert_true(tap_output(internal, leaves.n ? root : NULL, output, &parity));
    assert_hex(span_of(output, 32), json_object_get(between, "tweakedPubkey"));
    assert_int_equal(json_array_size(blocks), leaves.n);
    for (size_t i = 0; i < leaves.n; i++) {
        struct span path = span_of(paths[i], 32 * (size_t)leaves.at[i].depth);
        struct span control = tap_control(&f->arena, internal, parity, leaves.at[i].version, path);
        assert_hex(control, json_array_get(blocks, i));
    }
}

TEST(wallet_vectors_of_bip341, struct fixture *f)
{
    char *text = vectors_read("core/bip341_wallet_vectors.json", NULL);
    if (!text)
        skip();
    json_t *all = json_loads(text, 0, NULL), *test;
    size_t i;
    assert_non_null(all);
    assert_true(json_array_size(json_object_get(all, "scriptPubKey")) > 0);
    json_array_foreach(json_object_get(all, "scriptPubKey"), i, test) run_case(f, test);
    json_decref(all);
    xfree(text);
}

TEST(depths_make_a_tree_or_none)
{
    static const struct {
        size_t n;
        uint8_t depths[4];
        bool is_whole;
    } cases[] = {
        {0, {0}, false},         {1, {0}, true},          {1, {1}, false},
        {2, {1, 1}, true},       {2, {0, 0}, false},      {2, {1, 2}, false},
        {3, {1, 2, 2}, true},    {3, {2, 2, 1}, true},    {3, {2, 1, 2}, false},
        {4, {2, 2, 2, 2}, true}, {4, {1, 2, 3, 3}, true}, {4, {3, 3, 2, 1}, true},
        {3, {1, 1, 1}, false},   {1, {129}, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tap_leaf leaves[4] = {0};
        for (size_t k = 0; k < cases[i].n; k++)
            leaves[k].depth = cases[i].depths[k];
        struct tap_tree tree = {leaves, cases[i].n};
        assert_int_equal(tap_tree_is_whole(&tree), cases[i].is_whole);
    }
}
