/* block_shelf.c - see block_shelf.h */
#include "sim/actors/block_shelf.h"

void block_shelf_init(struct block_shelf *shelf, const struct block_hash *hash, int32_t height)
{
    ASSERT(shelf && hash && height >= 0);
    *shelf = (struct block_shelf){0};
    struct shelf_block *root = xcalloc(1, sizeof *root);
    root->hash = *hash;
    root->height = height;
    root->is_out = true;
    *ARRAY_ADD(&shelf->blocks) = root;
}

static void block_free(struct shelf_block *block)
{
    xfree(block->bytes);
    xfree(block);
}

void block_shelf_deinit(struct block_shelf *shelf)
{
    ASSERT(shelf);
    for (size_t i = 0; i < shelf->blocks.n; i++)
        block_free(shelf->blocks.at[i]);
    ARRAY_FREE(&shelf->blocks);
}

struct shelf_block *block_shelf_find(const struct block_shelf *shelf, const struct block_hash *hash)
{
    ASSERT(shelf && hash);
    for (size_t i = shelf->blocks.n; i-- > 0;)
        if (block_hash_equal(&shelf->blocks.at[i]->hash, hash))
            return shelf->blocks.at[i];
    return NULL;
}

struct block_hash block_shelf_hash(struct span header)
{
    struct block_header decoded;
    struct reader r = reader_of(header);
    bool is_whole = block_header_decode(&r, &decoded);
    ASSERT(is_whole);
    return block_header_hash(&decoded);
}

struct shelf_block *block_shelf_add(struct block_shelf *shelf, struct span header)
{
    ASSERT(shelf && header.len == BLOCK_HEADER_BYTES);
    struct block_header decoded;
    struct reader r = reader_of(header);
    bool is_whole = block_header_decode(&r, &decoded);
    ASSERT(is_whole);
    struct block_hash hash = block_header_hash(&decoded);
    const struct shelf_block *parent = block_shelf_find(shelf, &decoded.prev);
    if (!parent || block_shelf_find(shelf, &hash))
        return NULL;
    struct shelf_block *block = xcalloc(1, sizeof *block);
    block->hash = hash;
    block->prev = decoded.prev;
    block->height = parent->height + 1;
    memcpy(block->header, header.p, BLOCK_HEADER_BYTES);
    *ARRAY_ADD(&shelf->blocks) = block;
    return block;
}

void block_shelf_keep(struct shelf_block *block, struct span bytes)
{
    ASSERT(block && !block->bytes && bytes.len > BLOCK_HEADER_BYTES);
    block->bytes = xmalloc(bytes.len);
    memcpy(block->bytes, bytes.p, bytes.len);
    block->len = bytes.len;
}

void block_shelf_trim(struct block_shelf *shelf, int32_t height)
{
    ASSERT(shelf && shelf->blocks.n > 0);
    size_t n_kept = 0;
    for (size_t i = 0; i < shelf->blocks.n; i++) {
        struct shelf_block *block = shelf->blocks.at[i];
        if (block->height < height - BLOCK_SHELF_DEPTH)
            block_free(block);
        else
            shelf->blocks.at[n_kept++] = block;
    }
    shelf->blocks.n = n_kept;
}
