/* test_snapshot_chunks.c - a chunk proves itself, and no other. Spec: RFC 6962 */
#include "chain/coins/snapshot_chunks.h"

#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

/* A file whose n-th chunk is full of bytes n + 1, but for what it lacks of a whole number. */
static void fill(uint8_t *chunk, uint32_t index)
{
    memset(chunk, (int)index + 1, SNAPSHOT_CHUNK_BYTES);
}

static uint8_t chunk[SNAPSHOT_CHUNK_BYTES];

static struct snapshot_offer make(struct snapshot_tree *tree, uint32_t n, size_t last)
{
    struct snapshot_offer offer = {.n_bytes = (uint64_t)(n - 1) * SNAPSHOT_CHUNK_BYTES + last};
    snapshot_tree_init(tree, offer.n_bytes);
    for (uint32_t i = 0; i < n; i++) {
        fill(chunk, i);
        snapshot_tree_set(tree, i, span_of(chunk, snapshot_chunk_len(offer.n_bytes, i)));
    }
    snapshot_tree_root(tree, offer.root);
    return offer;
}

static size_t branch_of(const struct snapshot_tree *tree, uint32_t i, uint8_t *out)
{
    struct writer w = writer_to_buffer(out, 32 * SNAPSHOT_BRANCH_MAX);
    snapshot_tree_branch(tree, i, &w);
    return w.len;
}

TEST(each_chunk_of_each_size_proves_itself_at_its_place_alone)
{
    for (uint32_t n = 1; n <= 9; n++) {
        struct snapshot_tree tree;
        struct snapshot_offer offer = make(&tree, n, 1000);
        for (uint32_t i = 0; i < n; i++) {
            uint8_t branch[32 * SNAPSHOT_BRANCH_MAX];
            size_t len = branch_of(&tree, i, branch);
            size_t chunk_len = snapshot_chunk_len(offer.n_bytes, i);
            assert_int_equal(len, 32 * snapshot_branch_len(offer.n_bytes, i));
            fill(chunk, i);
            struct span bytes = span_of(chunk, chunk_len);
            for (uint32_t at = 0; at < n; at++)
                assert_int_equal(snapshot_chunk_is_of(&offer, at, span_of(branch, len), bytes),
                                 at == i);
            if (len > 0) {
                assert_false(snapshot_chunk_is_of(&offer, i, span_of(branch, len - 32), bytes));
                branch[len - 1] ^= 1;
                assert_false(snapshot_chunk_is_of(&offer, i, span_of(branch, len), bytes));
                branch[len - 1] ^= 1;
            }
            assert_false(snapshot_chunk_is_of(&offer, i, span_of(branch, len),
                                              span_of(chunk, chunk_len - 1)));
            chunk[chunk_len / 2] ^= 1;
            assert_false(snapshot_chunk_is_of(&offer, i, span_of(branch, len), bytes));
        }
        snapshot_tree_deinit(&tree);
    }
}

/* By Python's hashlib, from the words of RFC 6962: three leaves, the last without a neighbour. */
TEST(the_root_is_that_of_the_rfc)
{
    struct snapshot_tree tree;
    char hex[65];
    struct snapshot_offer offer = make(&tree, 3, 5);
    hex_encode(hex, span_of(offer.root, 32));
    assert_string_equal(hex, "36676e65b39c736fc0e3eba018985b279358f6aa1589642ad08fe95599c08bb4");
    snapshot_tree_deinit(&tree);
}

TEST(lists_that_end_alike_have_other_roots)
{
    struct snapshot_tree three, four;
    struct snapshot_offer a = make(&three, 3, SNAPSHOT_CHUNK_BYTES);
    snapshot_tree_init(&four, 4 * (uint64_t)SNAPSHOT_CHUNK_BYTES);
    struct snapshot_offer b = {.n_bytes = four.n_bytes};
    for (uint32_t i = 0; i < 4; i++) {
        fill(chunk, MIN_OF(i, 2));
        snapshot_tree_set(&four, i, span_of(chunk, sizeof chunk));
    }
    snapshot_tree_root(&four, b.root);
    assert_memory_not_equal(a.root, b.root, 32);
    snapshot_tree_deinit(&three);
    snapshot_tree_deinit(&four);
}

TEST(an_offer_has_a_size_that_a_file_may_have)
{
    static const struct {
        uint64_t n_bytes;
        bool is_good;
    } rows[] = {
        {0, false},
        {SNAPSHOT_HEADER_BYTES, false},
        {SNAPSHOT_HEADER_BYTES + 1, true},
        {SNAPSHOT_BYTES_MAX, true},
        {SNAPSHOT_BYTES_MAX + 1, false},
        {UINT64_MAX, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t bytes[SNAPSHOT_OFFER_BYTES] = {[0] = 7, [71] = 9};
        struct writer w = writer_to_buffer(bytes + 32, 8);
        write_u64(&w, rows[i].n_bytes);
        struct snapshot_offer offer;
        struct reader r = reader_of(span_of(bytes, sizeof bytes));
        assert_int_equal(snapshot_offer_decode(&r, &offer), rows[i].is_good);
        if (!rows[i].is_good)
            continue;
        uint8_t again[SNAPSHOT_OFFER_BYTES];
        assert_true(reader_finish(&r));
        w = writer_to_buffer(again, sizeof again);
        snapshot_offer_encode(&w, &offer);
        assert_memory_equal(again, bytes, sizeof bytes);
        r = reader_of(span_of(bytes, sizeof bytes - 1));
        struct snapshot_offer other = offer;
        assert_true(snapshot_offer_equal(&offer, &other));
        assert_false(snapshot_offer_decode(&r, &other));
        other = offer;
        other.n_bytes--;
        assert_false(snapshot_offer_equal(&offer, &other));
    }
    assert_int_equal(snapshot_chunk_count(SNAPSHOT_BYTES_MAX), SNAPSHOT_CHUNKS_MAX);
    assert_true(snapshot_branch_len(SNAPSHOT_BYTES_MAX, 0) <= SNAPSHOT_BRANCH_MAX);
}
