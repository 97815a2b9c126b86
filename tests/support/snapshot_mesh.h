/* snapshot_mesh.h - a node that wants a file of coins, nodes that have it, and scripted ones.
 *
 * What is in the file nobody looks at here, but for its head. */
#ifndef TESTS_SUPPORT_SNAPSHOT_MESH_H
#define TESTS_SUPPORT_SNAPSHOT_MESH_H

#include "p2p/session/features.h"
#include "p2p/snapshot/snapshot_serve.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

enum { SNAP_CHUNKS = 11, SNAP_LAST = 77 };
#define SNAP_BYTES ((size_t)(SNAP_CHUNKS - 1) * SNAPSHOT_CHUNK_BYTES + SNAP_LAST)
#define SNAP_FILE  "coins"
#define SNAP_PART  "regtest/part"

struct scene {
    struct fixture f; /* first; its node is the one that fetches */
    const struct built_block *base;
    uint8_t *bytes; /* of the file */
    struct snapshot_tree tree;
    struct snapshot_offer offer;
    bool is_whole; /* what the fetch said */
    char error[200];
    size_t n_ends;
};

/* Another file of the same block: each salt has another root. */
static inline void scene_make_file(struct scene *s, uint8_t salt)
{
    struct writer w = writer_to_buffer(s->bytes, SNAP_BYTES);
    write_bytes(&w, (const uint8_t *)SNAPSHOT_FILE_MAGIC, strlen(SNAPSHOT_FILE_MAGIC));
    write_u16(&w, SNAPSHOT_FILE_VERSION);
    write_bytes(&w, s->f.builder.network.magic, 4);
    write_bytes(&w, s->base->block.hash.b, 32);
    write_u64(&w, 1);
    for (size_t i = w.len; i < SNAP_BYTES; i++)
        s->bytes[i] = (uint8_t)(i / SNAPSHOT_CHUNK_BYTES + i + salt);
    s->offer = (struct snapshot_offer){.base = s->base->block.hash, .n_bytes = SNAP_BYTES};
    snapshot_tree_deinit(&s->tree);
    snapshot_tree_init(&s->tree, SNAP_BYTES);
    for (uint32_t i = 0; i < SNAP_CHUNKS; i++)
        snapshot_tree_set(&s->tree, i,
                          span_of(s->bytes + (size_t)i * SNAPSHOT_CHUNK_BYTES,
                                  snapshot_chunk_len(SNAP_BYTES, i)));
    snapshot_tree_root(&s->tree, s->offer.root);
}

static inline int scene_setup(void **state)
{
    struct scene *s = mesh_setup_as(state, sizeof *s);
    s->base = builder_blocks(&s->f.builder, s->f.builder.genesis, 5, NULL);
    s->bytes = xmalloc(SNAP_BYTES);
    scene_make_file(s, 0);
    return 0;
}

static inline int scene_teardown(void **state)
{
    struct scene *s = *state;
    snapshot_tree_deinit(&s->tree);
    xfree(s->bytes);
    return mesh_teardown(state);
}

static inline void scene_write(struct mesh_node *node, const char *path, const uint8_t *bytes,
                               size_t len)
{
    const struct env *env = sim_env_get(node->sim);
    struct env_file *file;
    assert_int_equal(env_file_open(env, path, ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, bytes, len), 0);
    env_file_close(env, file);
}

/* Another node, which has the file and tells who comes from now on. */
static inline struct mesh_node *scene_server(struct scene *s)
{
    struct mesh_node *node = mesh_add(&s->f.mesh, NULL, NULL);
    char *error = NULL;
    scene_write(node, SNAP_FILE, s->bytes, SNAP_BYTES);
    assert_true(snapshot_serve_start(p2p_snapshots(node->p2p), node->p2p, SNAP_FILE, &error));
    mesh_run(&s->f.mesh, 1000000);
    return node;
}

static inline void scene_note(void *arg, const char *path, const char *error)
{
    struct scene *s = arg;
    assert_string_equal(path, SNAP_PART);
    s->n_ends++;
    s->is_whole = error == NULL;
    snprintf(s->error, sizeof s->error, "%s", error ? error : "");
}

static inline void scene_begin(struct scene *s)
{
    struct snapshot_wish wish = {
        .path = SNAP_PART, .base = s->base->block.hash, .fetched = scene_note, .arg = s};
    s->is_whole = false;
    s->error[0] = '\0';
    snapshot_fetch_begin(p2p_snapshots(s->f.node->p2p), s->f.node->p2p, &wish);
}

static inline void scene_give_headers(struct scene *s)
{
    for (int32_t height = 1; height <= s->base->height; height++) {
        struct verdict verdict;
        (void)chain_accept_header(s->f.node->chain, &built_ancestor(s->base, height)->block.header,
                                  &verdict);
    }
}

/* A node that knows the headers and fetches. */
static inline void scene_start(struct scene *s, uint64_t seed)
{
    (void)fixture_node(&s->f, seed, NULL, NULL);
    scene_give_headers(s);
    scene_begin(s);
}

static inline bool scene_is_whole(void *arg)
{
    return ((struct scene *)arg)->is_whole;
}

static inline bool scene_has_failed(void *arg)
{
    return ((struct scene *)arg)->error[0] != '\0';
}

static inline void scene_compare_file(struct scene *s)
{
    uint8_t *got = xmalloc(SNAP_BYTES + 1);
    const struct env *env = sim_env_get(s->f.node->sim);
    struct env_file *file;
    assert_int_equal(env_file_open(env, SNAP_PART, ENV_OPEN_READ, &file), 0);
    assert_int_equal(env_file_read_at(env, file, 0, got, SNAP_BYTES + 1), SNAP_BYTES);
    assert_memory_equal(got, s->bytes, SNAP_BYTES);
    env_file_close(env, file);
    xfree(got);
}

/* -- Scripted peers ---------------------------------------------------------------------------- */

static inline void raw_tell(struct raw_peer *raw, const struct snapshot_offer *offer)
{
    uint8_t bytes[1 + sizeof SNAPSHOT_FEATURE + SNAPSHOT_OFFER_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, strlen(SNAPSHOT_FEATURE));
    write_bytes(&w, (const uint8_t *)SNAPSHOT_FEATURE, strlen(SNAPSHOT_FEATURE));
    write_compact_size(&w, SNAPSHOT_OFFER_BYTES);
    write_bytes(&w, offer->base.b, 32);
    write_u64(&w, offer->n_bytes);
    write_bytes(&w, offer->root, 32);
    raw_send(raw, "feature", bytes, w.len);
}

static inline struct raw_peer *raw_greet(struct mesh *mesh, struct mesh_node *node)
{
    struct raw_peer *raw = raw_connect(mesh, node);
    mesh_run(mesh, 200000);
    raw_send_version(raw, 0, 70017, 79);
    return raw;
}

/* One that tells of a file. */
static inline struct raw_peer *raw_source(struct scene *s, const struct snapshot_offer *offer)
{
    struct raw_peer *raw = raw_greet(&s->f.mesh, s->f.node);
    raw_tell(raw, offer);
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&s->f.mesh, 200000);
    return raw;
}

/* Send a chunk of the scene's file; spoil: the byte that is changed, SIZE_MAX: none. */
static inline void raw_send_chunk(struct scene *s, struct raw_peer *raw, uint32_t index,
                                  size_t spoil)
{
    uint8_t *bytes = xmalloc(SNAPSHOT_MESSAGE_MAX);
    struct writer w = writer_to_buffer(bytes, SNAPSHOT_MESSAGE_MAX);
    write_u32(&w, index);
    snapshot_tree_branch(&s->tree, index, &w);
    write_bytes(&w, s->bytes + (size_t)index * SNAPSHOT_CHUNK_BYTES,
                snapshot_chunk_len(SNAP_BYTES, index));
    if (spoil < w.len)
        bytes[spoil] ^= 1;
    raw_send(raw, "snapchunk", bytes, w.len);
    xfree(bytes);
}

/* The next that it is asked for. Returns: false: nothing within us */
static inline bool raw_asked(struct raw_peer *raw, uint32_t *index, int64_t us)
{
    struct span got = raw_find(raw, "getsnapchunk", us);
    if (!got.p)
        return false;
    assert_int_equal(got.len, 4);
    struct reader r = reader_of(got);
    *index = read_u32(&r);
    return true;
}

/* It does what an honest one does, until nothing is asked of it for a while. */
static inline void raw_serve(struct scene *s, struct raw_peer *raw)
{
    uint32_t index;
    while (raw_asked(raw, &index, 1000000))
        raw_send_chunk(s, raw, index, SIZE_MAX);
}

#endif
