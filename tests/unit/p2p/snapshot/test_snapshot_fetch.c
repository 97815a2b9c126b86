/* test_snapshot_fetch.c - a file of coins from many peers: all of them give; liars, idlers, kills.
 */
#include "p2p/snapshot/snapshot_fetch.h"

#include <errno.h>

#include "chain/coins/snapshot_part.h"
#include "support/snapshot_mesh.h"

FIXTURE(scene_setup, scene_teardown)

static struct snapshots *of_node(struct scene *s)
{
    return p2p_snapshots(s->f.node->p2p);
}

static void expect_whole(struct scene *s)
{
    assert_true(mesh_run_until(&s->f.mesh, scene_is_whole, s, 600));
    scene_compare_file(s);
    assert_int_equal(of_node(s)->n_jobs, 0);
}

static void expect_end(struct scene *s, const char *error)
{
    assert_true(mesh_run_until(&s->f.mesh, scene_has_failed, s, 600));
    assert_string_equal(s->error, error);
    mesh_run(&s->f.mesh, 1000000);
    assert_false(snapshot_fetch_is_busy(of_node(s)));
}

static bool part_exists(struct scene *s, const char *path)
{
    const struct env *env = sim_env_get(s->f.node->sim);
    struct env_file *file;
    int error = env_file_open(env, path, ENV_OPEN_READ, &file);
    if (!error)
        env_file_close(env, file);
    return error == 0;
}

/* Honest nodes, which the node dials. */
static void dial_servers(struct scene *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mesh_connect(s->f.node, scene_server(s));
}

static size_t chunks_sent(struct mesh_node *node)
{
    const struct message *row = message_find(node->p2p->messages, "snapchunk");
    return node->p2p->peers
               ? (size_t)(node->p2p->peers->per_message[row - node->p2p->messages].sent /
                          SNAPSHOT_CHUNK_BYTES)
               : 0;
}

TEST(all_who_have_it_give, struct scene *s)
{
    (void)fixture_node(&s->f, 1, NULL, NULL);
    scene_give_headers(s);
    dial_servers(s, 3);
    scene_begin(s);
    expect_whole(s);
    for (size_t i = 1; i <= 3; i++)
        assert_true(chunks_sent(&s->f.mesh.nodes[i]) >= 2);
    struct snapshot_progress progress = snapshot_fetch_progress(of_node(s));
    assert_string_equal(progress.state, "whole");
    assert_int_equal(progress.n_have, SNAP_CHUNKS);
    assert_true(snapshot_fetch_is_busy(of_node(s)));
    snapshot_fetch_settle(of_node(s), false, false);
    mesh_run(&s->f.mesh, 1000000);
    assert_string_equal(snapshot_fetch_progress(of_node(s)).state, "none");
    assert_false(part_exists(s, SNAP_PART));
    assert_false(part_exists(s, SNAP_PART SNAPSHOT_PART_SUFFIX));
}

TEST(who_does_not_tell_is_not_asked_nor_is_anybody_without_a_wish, struct scene *s)
{
    (void)fixture_node(&s->f, 2, NULL, NULL);
    struct raw_peer *raw = raw_source(s, &s->offer);
    uint32_t index = 0;
    assert_false(raw_asked(raw, &index, 5000000));
    scene_begin(s); /* no header of the base is known */
    struct raw_peer *silent = raw_join(&s->f.mesh, s->f.node, 0);
    assert_false(raw_asked(raw, &index, 5000000));
    scene_give_headers(s);
    assert_true(raw_asked(raw, &index, 5000000));
    assert_int_equal(raw_count(silent, "getsnapchunk"), 0);
    assert_string_equal(snapshot_fetch_progress(of_node(s)).state, "fetching");
}

/* After a restart the header may be known later than the file is whole. */
TEST(a_whole_file_waits_for_its_header, struct scene *s)
{
    scene_start(s, 19);
    struct raw_peer *raw = raw_source(s, &s->offer);
    raw_serve(s, raw);
    expect_whole(s);
    snapshot_fetch_settle(of_node(s), false, true);
    mesh_run(&s->f.mesh, 1000000);
    assert_true(part_exists(s, SNAP_PART));
    uint8_t state[200];
    const struct env *env = sim_env_get(s->f.node->sim);
    struct env_file *file;
    assert_int_equal(env_file_open(env, SNAP_PART SNAPSHOT_PART_SUFFIX, ENV_OPEN_READ, &file), 0);
    int64_t len = env_file_read_at(env, file, 0, state, sizeof state);
    env_file_close(env, file);
    mesh_deinit(&s->f.mesh);
    (void)fixture_node(&s->f, 20, NULL, NULL); /* another machine with these files */
    scene_write(s->f.node, SNAP_PART, s->bytes, SNAP_BYTES);
    scene_write(s->f.node, SNAP_PART SNAPSHOT_PART_SUFFIX, state, (size_t)len);
    scene_begin(s);
    mesh_run(&s->f.mesh, 5000000);
    assert_false(s->is_whole);
    assert_string_equal(snapshot_fetch_progress(of_node(s)).state, "whole");
    scene_give_headers(s);
    expect_whole(s);
}

TEST(a_chain_that_comes_past_the_block_ends_the_fetch, struct scene *s)
{
    scene_start(s, 21);
    struct raw_peer *raw = raw_source(s, &s->offer);
    uint32_t index = 0;
    assert_true(raw_asked(raw, &index, 5000000));
    mesh_give(s->f.node, s->base);
    p2p_schedule_now(s->f.node->p2p);
    expect_end(s, "the chain is past their block already");
    mesh_run(&s->f.mesh, 1000000);
    assert_false(part_exists(s, SNAP_PART));
    assert_false(raw->is_closed);
}

/* Wherever a chunk is spoiled, who sent it goes, is not welcome again, and the others give. */
TEST(a_spoiled_chunk_ends_its_sender_and_nothing_else, struct scene *s)
{
    static const size_t spoils[] = {4, 4 + 31, 4 + 32 * 5 + 7, 100000};
    scene_start(s, 3);
    uint32_t index = 0;
    for (size_t i = 0; i < COUNT_OF(spoils); i++) {
        struct raw_peer *raw = raw_source(s, &s->offer);
        assert_true(raw_asked(raw, &index, 5000000));
        raw_send_chunk(s, raw, index, spoils[i]);
        mesh_run(&s->f.mesh, 1000000);
        assert_true(raw->is_closed);
    }
    uint8_t id[32];
    struct net_address prober;
    assert_true(net_address_parse("10.9.9.9", 1, &prober));
    net_address_host_id(&prober, id);
    assert_true(recent_set_has(&s->f.node->p2p->discouraged, id));
    assert_int_equal(snapshot_fetch_progress(of_node(s)).n_have, 0);
    dial_servers(s, 1);
    expect_whole(s);
}

TEST(a_chunk_that_is_cut_short_or_not_asked_for_ends_its_sender, struct scene *s)
{
    scene_start(s, 4);
    for (int what = 0; what < 4; what++) {
        struct raw_peer *raw = raw_source(s, &s->offer);
        uint32_t index = 0;
        assert_true(raw_asked(raw, &index, 5000000));
        uint8_t bytes[40] = {(uint8_t)index};
        if (what == 0)
            raw_send(raw, "snapchunk", bytes, sizeof bytes);
        else if (what == 1)
            raw_send_chunk(s, raw, index + 1, SIZE_MAX);
        else if (what == 2)
            raw_send(raw, "snapchunk", "\xff\xff\xff\xff", 4);
        raw_send_chunk(s, raw, index, SIZE_MAX);
        if (what == 3)
            raw_send_chunk(s, raw, index, SIZE_MAX); /* twice */
        mesh_run(&s->f.mesh, 2000000);
        assert_true(raw->is_closed);
    }
}

/* More than one message may be: the header of the frame is enough. */
TEST(a_chunk_longer_than_any_is_refused_unread, struct scene *s)
{
    scene_start(s, 5);
    struct raw_peer *raw = raw_source(s, &s->offer);
    uint8_t *bytes = xcalloc(1, SNAPSHOT_MESSAGE_MAX + 1);
    raw_send(raw, "snapchunk", bytes, SNAPSHOT_MESSAGE_MAX + 1);
    xfree(bytes);
    mesh_run(&s->f.mesh, 1000000);
    assert_true(raw->is_closed);
}

/* It owes a chunk: others are asked for that, and it for no more; what comes late is taken. */
TEST(who_stalls_loses_its_chunk_and_not_its_connection, struct scene *s)
{
    scene_start(s, 6);
    struct raw_peer *slow = raw_source(s, &s->offer);
    uint32_t index = 0, other = 0;
    assert_true(raw_asked(slow, &index, 2000000));
    struct raw_peer *raw = raw_source(s, &s->offer);
    raw_serve(s, raw);
    assert_int_equal(snapshot_fetch_progress(of_node(s)).n_have, SNAP_CHUNKS - 1);
    assert_false(raw_asked(raw, &other, SNAPSHOT_CHUNK_WAIT_US - 8000000));
    assert_true(raw_asked(raw, &other, 8000000));
    assert_int_equal(other, index);
    assert_false(raw_asked(slow, &other, 60000000));
    raw_send_chunk(s, slow, index, SIZE_MAX); /* late */
    expect_whole(s);
    raw_send_chunk(s, raw, index, SIZE_MAX); /* of no use any more */
    mesh_run(&s->f.mesh, 1000000);
    assert_false(slow->is_closed || raw->is_closed);
}

TEST(who_goes_or_refuses_loses_its_chunks, struct scene *s)
{
    scene_start(s, 7);
    struct raw_peer *one = raw_source(s, &s->offer), *two = raw_source(s, &s->offer);
    uint32_t index = 0, again = 0;
    assert_true(raw_asked(one, &index, 2000000));
    raw_send_chunk(s, one, index, SIZE_MAX);
    assert_true(raw_asked(one, &index, 2000000));
    assert_true(raw_asked(one, &index, 2000000)); /* two at a time now */
    uint8_t bytes[4];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, index);
    raw_send(one, "snapchunk", bytes, sizeof bytes);
    assert_false(raw_asked(one, &again, 5000000));
    raw_free(two);
    struct raw_peer *three = raw_source(s, &s->offer);
    raw_serve(s, three);
    expect_whole(s);
    assert_false(one->is_closed);
}

TEST(at_most_so_many_are_asked_for, struct scene *s)
{
    scene_start(s, 8);
    struct raw_peer *raw[SNAP_CHUNKS / SNAPSHOT_WINDOW_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(raw); i++) {
        raw[i] = raw_source(s, &s->offer);
        uint32_t index = 0;
        assert_true(raw_asked(raw[i], &index, 2000000));
        assert_int_equal(raw_count(raw[i], "getsnapchunk"), 1);
    }
    for (struct peer *peer = s->f.node->p2p->peers; peer; peer = peer->next)
        peer->snapshot->window = SNAPSHOT_WINDOW_MAX;
    mesh_run(&s->f.mesh, 2000000);
    p2p_schedule_now(s->f.node->p2p);
    mesh_run(&s->f.mesh, 2000000);
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(raw); i++) {
        assert_true(raw_count(raw[i], "getsnapchunk") <= SNAPSHOT_WINDOW_MAX);
        n += raw_count(raw[i], "getsnapchunk");
    }
    assert_int_equal(n, SNAP_CHUNKS); /* each once */
}

/* All chunks fit the root, and the coins are wrong: that is found out at the end. */
TEST(a_lie_costs_its_bytes_once_and_its_teller_the_connection, struct scene *s)
{
    scene_start(s, 9);
    scene_make_file(s, 1);
    struct snapshot_offer lie = s->offer;
    struct raw_peer *liar = raw_source(s, &lie);
    raw_serve(s, liar);
    expect_whole(s);
    s->is_whole = false;
    snapshot_fetch_settle(of_node(s), true, false);
    mesh_run(&s->f.mesh, 1000000);
    assert_true(liar->is_closed);
    assert_false(part_exists(s, SNAP_PART));
    struct raw_peer *again = raw_source(s, &lie);
    uint32_t index = 0;
    assert_false(raw_asked(again, &index, 5000000));
    assert_int_equal(snapshot_fetch_progress(of_node(s)).n_left, 1);
    scene_make_file(s, 0);
    dial_servers(s, 2);
    expect_whole(s);
}

/* The file's head is of another block than was told. */
TEST(a_file_of_another_block_is_seen_by_its_first_chunk, struct scene *s)
{
    scene_start(s, 18);
    s->bytes[11] ^= 1;
    snapshot_tree_set(&s->tree, 0, span_of(s->bytes, SNAPSHOT_CHUNK_BYTES));
    snapshot_tree_root(&s->tree, s->offer.root);
    struct raw_peer *raw = raw_source(s, &s->offer);
    uint32_t index = 0;
    assert_true(raw_asked(raw, &index, 2000000));
    assert_int_equal(index, 0);
    raw_send_chunk(s, raw, index, SIZE_MAX);
    mesh_run(&s->f.mesh, 1000000);
    assert_true(raw->is_closed);
    assert_int_equal(snapshot_fetch_progress(of_node(s)).n_have, 0);
}

TEST(so_many_lies_end_the_fetch, struct scene *s)
{
    scene_start(s, 10);
    for (uint8_t i = 1; i <= SNAPSHOT_LEFT_MAX; i++) {
        scene_make_file(s, i);
        s->is_whole = false;
        raw_serve(s, raw_source(s, &s->offer));
        expect_whole(s);
        if (i == SNAPSHOT_LEFT_MAX)
            assert_int_equal(snapshot_fetch_progress(of_node(s)).n_left, SNAPSHOT_LEFT_MAX - 1);
        snapshot_fetch_settle(of_node(s), true, false);
    }
    expect_end(s, "too many files that peers had were not what they should be");
    assert_false(part_exists(s, SNAP_PART));
}

/* Those that the node has dialled count before any number that came. */
TEST(the_file_of_those_that_we_chose_is_fetched, struct scene *s)
{
    (void)fixture_node(&s->f, 11, NULL, NULL);
    scene_give_headers(s);
    dial_servers(s, 1);
    struct snapshot_offer lie = s->offer;
    lie.root[0] ^= 1;
    for (int i = 0; i < 5; i++)
        (void)raw_source(s, &lie);
    scene_begin(s);
    expect_whole(s);
}

/* Who tells of a file and gives nothing of it does not stand in the way for ever. */
TEST(a_file_that_nobody_gives_is_left_for_another, struct scene *s)
{
    scene_start(s, 12);
    struct snapshot_offer idle = s->offer;
    idle.root[0] ^= 1;
    struct raw_peer *raw[2] = {raw_source(s, &idle), raw_source(s, &idle)};
    mesh_run(&s->f.mesh, SNAPSHOT_PATIENCE_US + 1000000);
    assert_int_equal(snapshot_fetch_progress(of_node(s)).n_left, 0); /* there is no other */
    dial_servers(s, 1);
    expect_whole(s);
    assert_int_equal(snapshot_fetch_progress(of_node(s)).n_left, 1);
    assert_false(raw[0]->is_closed || raw[1]->is_closed);
}

TEST(a_full_disk_ends_the_fetch_and_not_the_node, struct scene *s)
{
    scene_start(s, 13);
    struct raw_peer *raw = raw_source(s, &s->offer);
    uint32_t index = 0;
    assert_true(raw_asked(raw, &index, 2000000));
    sim_disk_fail(sim_env_disk(s->f.node->sim), SIM_OP_WRITE, 0, -ENOSPC, true);
    raw_send_chunk(s, raw, index, SIZE_MAX);
    expect_end(s, "No space left on device");
    sim_disk_fail(sim_env_disk(s->f.node->sim), 0, 0, 0, false);
    assert_int_equal(s->f.node->n_faults, 0);
    assert_false(raw->is_closed);
    scene_begin(s); /* with room again it goes on */
    raw_serve(s, raw);
    expect_whole(s);
}

/* What has come is not asked for again: after a stop nothing of it, ... */
TEST(a_stop_loses_nothing, struct scene *s)
{
    scene_start(s, 14);
    struct raw_peer *raw = raw_source(s, &s->offer);
    uint32_t index = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_true(raw_asked(raw, &index, 2000000));
        raw_send_chunk(s, raw, index, SIZE_MAX);
    }
    mesh_run(&s->f.mesh, 200000);
    snapshot_fetch_stop(of_node(s));
    mesh_run(&s->f.mesh, 1000000);
    assert_false(snapshot_fetch_is_busy(of_node(s)));
    assert_int_equal(s->n_ends, 0);
    scene_begin(s);
    mesh_run(&s->f.mesh, 1000000);
    assert_int_equal(snapshot_fetch_progress(of_node(s)).n_have, 5);
    raw_free(raw); /* it owes some */
    struct raw_peer *next = raw_source(s, &s->offer);
    raw_serve(s, next);
    expect_whole(s);
    assert_int_equal(raw_count(next, "getsnapchunk"), SNAP_CHUNKS - 5);
}

/* ... and after a crash, at any moment, whatever was durable counts and is right. */
struct crashes {
    struct scene *s;
    uint64_t seed;
    uint32_t n_have;
};

static void look_after_crash(void *arg)
{
    struct crashes *crashes = arg;
    struct snapshot_part part;
    struct sim_env *sim = sim_env_crash(crashes->s->f.node->sim, SIM_CRASH_POWER, crashes->seed++);
    uint8_t *got = xmalloc(SNAPSHOT_CHUNK_BYTES);
    snapshot_part_init(&part, sim_env_get(sim), SNAP_PART);
    crashes->n_have = snapshot_part_recall(&part) == 0 ? part.n_have : 0;
    for (uint32_t i = 0; part.file && i < SNAP_CHUNKS; i++) {
        size_t len = snapshot_chunk_len(SNAP_BYTES, i);
        uint64_t at = (uint64_t)i * SNAPSHOT_CHUNK_BYTES;
        if (!snapshot_part_has(&part, i))
            continue;
        assert_int_equal(env_file_read_at(part.env, part.file, at, got, len), len);
        assert_memory_equal(got, crashes->s->bytes + at, len);
    }
    snapshot_part_deinit(&part);
    sim_env_free(sim);
    xfree(got);
}

TEST(a_crash_at_any_moment_loses_only_what_was_not_durable, struct scene *s)
{
    struct crashes crashes = {.s = s};
    (void)fixture_node(&s->f, 15, NULL, NULL);
    scene_give_headers(s);
    dial_servers(s, 3);
    scene_begin(s);
    sim_disk_watch(sim_env_disk(s->f.node->sim), look_after_crash, &crashes);
    expect_whole(s);
    look_after_crash(&crashes);
    assert_int_equal(crashes.n_have, SNAP_CHUNKS);
    assert_true(crashes.seed > 20);
    sim_disk_watch(sim_env_disk(s->f.node->sim), NULL, NULL);
}

/* The node ends amid a fetch, with chunks on their way and being written. */
TEST(the_node_may_end_at_any_moment, struct scene *s)
{
    for (int64_t ms = 0; ms < 400; ms += 40) {
        (void)fixture_node(&s->f, 16, NULL, NULL);
        scene_give_headers(s);
        dial_servers(s, 2);
        scene_begin(s);
        mesh_run(&s->f.mesh, ms * 1000);
        mesh_deinit(&s->f.mesh);
    }
    scene_start(s, 17);
}
