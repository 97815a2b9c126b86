/* psbt_write.c - PSBTs as bytes, and the records that have a structure of their own. */
#include <string.h>

#include "spend/psbt/psbt.h"
#include "util/reader.h"

/* -- Structures ------------------------------------------------------------------------------- */

struct key_origin psbt_read_origin(struct span value, struct arena *arena)
{
    ASSERT(value.len >= 4 && value.len % 4 == 0);
    struct reader r = reader_of(value);
    struct key_origin origin = {.n_path = (uint32_t)(value.len / 4 - 1)};
    read_bytes(&r, origin.fingerprint, sizeof origin.fingerprint);
    uint32_t *path = arena_calloc(arena, origin.n_path + 1, sizeof *path);
    for (uint32_t i = 0; i < origin.n_path; i++)
        path[i] = read_u32(&r);
    origin.path = path;
    return origin;
}

struct span psbt_write_origin(const struct key_origin *origin, struct arena *arena)
{
    ASSERT(origin);
    size_t room = 4 + 4 * (size_t)origin->n_path;
    uint8_t *p = arena_alloc(arena, room);
    struct writer w = writer_to_buffer(p, room);
    write_bytes(&w, origin->fingerprint, sizeof origin->fingerprint);
    for (uint32_t i = 0; i < origin->n_path; i++)
        write_u32(&w, origin->path[i]);
    return span_of(p, w.len);
}

struct span psbt_take_leaf_hashes(struct span *value)
{
    ASSERT(value);
    struct reader r = reader_of(*value);
    uint64_t n = read_compact_size(&r);
    ASSERT(!r.failed && n <= reader_left(&r) / 32); /* checked when it was read */
    struct span hashes = read_span(&r, (size_t)n * 32);
    *value = span_of(r.at, reader_left(&r));
    return hashes;
}

bool psbt_read_tree(struct span value, struct arena *arena, struct tap_tree *tree)
{
    ASSERT(arena && tree);
    struct reader r = reader_of(value);
    /* Three bytes are the least that a leaf takes. */
    struct tap_leaf *leaves = arena_calloc(arena, value.len / 3 + 1, sizeof *leaves);
    *tree = (struct tap_tree){.leaves = leaves};
    while (reader_left(&r) > 0) {
        uint8_t depth = read_u8(&r), version = read_u8(&r);
        struct span script = read_var_span(&r);
        if (r.failed)
            return false;
        leaves[tree->n++] = (struct tap_leaf){script, depth, version};
    }
    return tap_tree_is_whole(tree);
}

/* -- Bytes ------------------------------------------------------------------------------------ */

/* What is of no use any more once an input has its final scripts. */
static bool is_for_signers(uint64_t type)
{
    return (type >= PSBT_IN_PARTIAL_SIG && type <= PSBT_IN_BIP32_DERIVATION) ||
           (type >= PSBT_IN_RIPEMD160 && type <= PSBT_IN_HASH256) ||
           (type >= PSBT_IN_TAP_KEY_SIG && type <= PSBT_IN_TAP_MERKLE_ROOT) ||
           (type >= PSBT_IN_MUSIG2_PARTICIPANTS && type <= PSBT_IN_MUSIG2_PARTIAL_SIG);
}

static void write_map(const struct psbt_map *map, struct writer *w)
{
    bool is_final = map->kind == PSBT_MAP_INPUT && psbt_is_final(map);
    for (size_t i = 0; i < map->n; i++) {
        const struct psbt_record *record = &map->at[i];
        if (is_final && is_for_signers(record->type))
            continue;
        /* Version 0 goes without saying. */
        struct reader r = reader_of(record->value);
        if (map->kind == PSBT_MAP_GLOBAL && record->type == PSBT_GLOBAL_VERSION &&
            read_u32(&r) == PSBT_VERSION_0)
            continue;
        write_var_span(w, record->key);
        write_var_span(w, record->value);
    }
    write_u8(w, 0);
}

void psbt_write(const struct psbt *psbt, struct buffer *out)
{
    ASSERT(psbt && out);
    struct writer w = writer_to_growing(out);
    write_bytes(&w, "psbt\xff", 5);
    write_map(&psbt->global, &w);
    for (size_t i = 0; i < psbt->n_inputs; i++)
        write_map(&psbt->inputs[i], &w);
    for (size_t i = 0; i < psbt->n_outputs; i++)
        write_map(&psbt->outputs[i], &w);
}
