/* test_locate.c - headers and lists of blocks, from where a peer stands. */
#include "p2p/serve/locate.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static struct raw_peer *start(struct fixture *f, uint64_t seed, size_t n,
                              const struct built_block **tip)
{
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    *tip = builder_blocks(&f->builder, f->builder.genesis, n, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, *tip);
    struct raw_peer *raw = raw_join(&f->mesh, a, SERVICES);
    return raw;
}

static void send_locator(struct raw_peer *raw, const char *name, const struct block_hash *hash,
                         const struct block_hash *stop)
{
    uint8_t bytes[4 + 1 + 32 + 32] = {0};
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, 70016);
    write_compact_size(&w, hash ? 1 : 0);
    if (hash)
        write_bytes(&w, hash->b, 32);
    if (stop)
        write_bytes(&w, stop->b, 32);
    else
        w.len += 32;
    raw_send(raw, name, bytes, w.len);
}

static size_t count_of(struct span message)
{
    struct reader r = reader_of(message);
    return (size_t)read_compact_size(&r);
}

TEST(headers_follow_the_locator_up_to_2000, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 51, 2105, &tip);
    send_locator(raw, "getheaders", &f->builder.genesis->block.hash, NULL);
    struct span headers = raw_expect(raw, "headers");
    assert_int_equal(count_of(headers), 2000);
    assert_int_equal(headers.len, 3 + 2000 * 81);
    send_locator(raw, "getheaders", &built_ancestor(tip, 2000)->block.hash, NULL);
    assert_int_equal(count_of(raw_expect(raw, "headers")), 105);
    send_locator(raw, "getheaders", &built_ancestor(tip, 10)->block.hash,
                 &built_ancestor(tip, 13)->block.hash);
    assert_int_equal(count_of(raw_expect(raw, "headers")), 3);
    send_locator(raw, "getheaders", &tip->block.hash, NULL);
    assert_int_equal(count_of(raw_expect(raw, "headers")), 0);
    struct block_hash unknown = {{1}};
    send_locator(raw, "getheaders", &unknown, NULL); /* from the beginning */
    assert_int_equal(count_of(raw_expect(raw, "headers")), 2000);
    send_locator(raw, "getheaders", NULL, &built_ancestor(tip, 5)->block.hash);
    assert_int_equal(count_of(raw_expect(raw, "headers")), 1);
}

TEST(getblocks_lists_500_and_goes_on_when_they_were_fetched, struct fixture *f)
{
    const struct built_block *tip;
    struct raw_peer *raw = start(f, 52, 600, &tip);
    send_locator(raw, "getblocks", &f->builder.genesis->block.hash, NULL);
    assert_int_equal(count_of(raw_expect(raw, "inv")), 500);
    raw_send_inv(raw, "getdata", INV_BLOCK, built_ancestor(tip, 500)->block.hash.b);
    (void)raw_expect(raw, "block");
    struct span inv = raw_expect(raw, "inv");
    assert_int_equal(count_of(inv), 1);
    assert_memory_equal(inv.p + 5, tip->block.hash.b, 32);
}
