/* test_snapshot_serve.c - a file for others: who is told, what is answered, and how fast. */
#include "p2p/snapshot/snapshot_serve.h"

#include "support/snapshot_mesh.h"

FIXTURE(scene_setup, scene_teardown)

static void start(struct scene *s, uint64_t seed)
{
    mesh_init(&s->f.mesh, seed, &s->f.builder, NULL);
    s->f.node = scene_server(s);
}

static struct raw_peer *join(struct scene *s)
{
    struct raw_peer *raw = raw_greet(&s->f.mesh, s->f.node);
    raw_send(raw, "verack", NULL, 0);
    (void)raw_expect(raw, "verack");
    mesh_run(&s->f.mesh, 200000);
    return raw;
}

static void ask(struct raw_peer *raw, uint32_t index)
{
    uint8_t bytes[4];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, index);
    raw_send(raw, "getsnapchunk", bytes, w.len);
}

/* The answer is that chunk, and proves it. */
static void expect_chunk(struct scene *s, struct raw_peer *raw, uint32_t index)
{
    struct reader r = reader_of(raw_expect(raw, "snapchunk"));
    assert_int_equal(read_u32(&r), index);
    struct span branch = read_span(&r, 32 * snapshot_branch_len(SNAP_BYTES, index));
    struct span bytes = read_span(&r, reader_left(&r));
    assert_true(snapshot_chunk_is_of(&s->offer, index, branch, bytes));
}

static void expect_refusal(struct raw_peer *raw, uint32_t index)
{
    struct reader r = reader_of(raw_expect(raw, "snapchunk"));
    assert_int_equal(read_u32(&r), index);
    assert_true(reader_finish(&r));
}

TEST(who_knows_features_is_told_when_the_file_is_hashed, struct scene *s)
{
    start(s, 1);
    struct raw_peer *raw = join(s);
    raw->at = 0;
    struct span told = raw_expect(raw, "feature");
    size_t head = 1 + strlen(SNAPSHOT_FEATURE) + 1;
    assert_int_equal(told.len, head + SNAPSHOT_OFFER_BYTES);
    assert_memory_equal(told.p + 1, SNAPSHOT_FEATURE, strlen(SNAPSHOT_FEATURE));
    struct reader r = reader_of(span_of(told.p + head, told.len - head));
    struct snapshot_offer offer;
    assert_true(snapshot_offer_decode(&r, &offer));
    assert_true(snapshot_offer_equal(&offer, &s->offer));
    struct raw_peer *old = raw_connect(&s->f.mesh, s->f.node);
    mesh_run(&s->f.mesh, 200000);
    raw_send_version(old, 0, 70016, 80);
    (void)raw_expect(old, "verack");
    assert_int_equal(raw_count(old, "feature"), 0);
    struct mesh_node *other = mesh_add(&s->f.mesh, NULL, NULL);
    struct raw_peer *its = raw_greet(&s->f.mesh, other);
    (void)raw_expect(its, "verack");
    assert_int_equal(raw_count(its, "feature"), 0);
    raw_send(its, "verack", NULL, 0);
    ask(its, 0); /* means nothing there */
    raw_send(its, "snapchunk", "1234", 4);
    assert_null(raw_find(its, "snapchunk", 2000000).p);
    assert_false(its->is_closed);
}

TEST(each_chunk_proves_itself_and_no_peer_gets_more_than_its_rate, struct scene *s)
{
    start(s, 2);
    struct raw_peer *raw = join(s);
    int64_t began_us = s->f.mesh.events.now_us;
    for (uint32_t i = 0; i < SNAPSHOT_WANTED_MAX; i++)
        ask(raw, (SNAP_CHUNKS - 1 + i) % SNAP_CHUNKS);
    for (uint32_t i = 0; i < SNAPSHOT_WANTED_MAX; i++)
        expect_chunk(s, raw, (SNAP_CHUNKS - 1 + i) % SNAP_CHUNKS);
    uint64_t bytes = (SNAPSHOT_WANTED_MAX - 4) * (uint64_t)SNAPSHOT_CHUNK_BYTES;
    int64_t took_us = s->f.mesh.events.now_us - began_us;
    assert_true(took_us > (int64_t)(bytes * 1000000 / SNAPSHOT_SERVE_RATE));
    assert_true(took_us < 3000000);
    assert_int_equal(p2p_snapshots(s->f.node->p2p)->n_jobs, 0);
}

/* Both sides of each limit: the good sides are above. */
TEST(who_asks_for_too_much_is_let_go, struct scene *s)
{
    start(s, 3);
    for (int what = 0; what < 3; what++) {
        struct raw_peer *raw = join(s);
        if (what == 0)
            ask(raw, SNAP_CHUNKS);
        if (what == 1)
            ask(raw, UINT32_MAX);
        for (int i = 0; what == 2 && i < SNAPSHOT_WANTED_MAX + 2; i++)
            ask(raw, 0);
        mesh_run(&s->f.mesh, 1000000);
        assert_true(raw->is_closed);
    }
    assert_int_equal(p2p_snapshots(s->f.node->p2p)->n_jobs, 0);
}

/* Peers who ask for all at once have their turns. */
TEST(peers_take_turns, struct scene *s)
{
    start(s, 4);
    struct raw_peer *raw[SNAPSHOT_READS_MAX + 3];
    for (size_t i = 0; i < COUNT_OF(raw); i++)
        raw[i] = join(s);
    for (size_t i = 0; i < COUNT_OF(raw); i++)
        for (uint32_t k = 0; k < SNAPSHOT_WANTED_MAX; k++)
            ask(raw[i], k % SNAP_CHUNKS);
    mesh_run(&s->f.mesh, 250000);
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < COUNT_OF(raw); i++) {
        least = MIN_OF(least, raw_count(raw[i], "snapchunk"));
        most = MAX_OF(most, raw_count(raw[i], "snapchunk"));
    }
    assert_true(most > 0 && most - least <= 2);
    raw_free(raw[0]); /* while it is read for */
    mesh_run(&s->f.mesh, 3000000);
    for (size_t i = 1; i < COUNT_OF(raw); i++)
        assert_int_equal(raw_count(raw[i], "snapchunk"), SNAPSHOT_WANTED_MAX);
}

TEST(the_upload_target_is_kept_for_blocks, struct scene *s)
{
    start(s, 5);
    struct raw_peer *raw = join(s);
    struct upload *upload = &s->f.node->p2p->upload;
    ask(raw, 3);
    expect_chunk(s, raw, 3);
    upload->target_bytes = upload->sent_bytes;
    ask(raw, 4);
    expect_refusal(raw, 4);
    upload->target_bytes = UINT64_C(1) << 40;
    ask(raw, 4);
    expect_chunk(s, raw, 4);
}

TEST(what_has_changed_on_the_disk_is_not_sent, struct scene *s)
{
    start(s, 6);
    struct raw_peer *raw = join(s);
    sim_disk_damage(sim_env_disk(s->f.node->sim), SNAP_FILE, SNAPSHOT_CHUNK_BYTES + 5, 4);
    ask(raw, 0);
    expect_chunk(s, raw, 0);
    ask(raw, 1);
    expect_refusal(raw, 1);
    ask(raw, 0); /* nothing of it is trusted now */
    expect_refusal(raw, 0);
    struct raw_peer *next = join(s);
    assert_int_equal(raw_count(next, "feature"), 0);
    assert_false(raw->is_closed);
}

TEST(a_file_that_is_none_is_refused_at_the_start, struct scene *s)
{
    for (int what = 0; what < 3; what++) {
        mesh_init(&s->f.mesh, 7, &s->f.builder, NULL);
        struct mesh_node *node = mesh_add(&s->f.mesh, NULL, NULL);
        char *error = NULL;
        s->bytes[0] ^= what == 1;
        if (what > 0)
            scene_write(node, SNAP_FILE, s->bytes, what == 2 ? SNAPSHOT_HEADER_BYTES : SNAP_BYTES);
        s->bytes[0] ^= what == 1;
        assert_false(snapshot_serve_start(p2p_snapshots(node->p2p), node->p2p, SNAP_FILE, &error));
        assert_memory_equal(error, "Cannot serve -servesnapshot=coins: ", 35);
        xfree(error);
        if (what < 2)
            mesh_deinit(&s->f.mesh);
    }
}
