/* test_snapshots.c - what a peer tells of its file. */
#include "p2p/snapshot/snapshots.h"

#include "support/snapshot_mesh.h"

FIXTURE(scene_setup, scene_teardown)

static const struct peer_snapshot *told(struct scene *s)
{
    return s->f.node->p2p->peers_last->snapshot;
}

TEST(what_was_told_first_holds, struct scene *s)
{
    (void)fixture_node(&s->f, 1, NULL, NULL);
    struct raw_peer *raw = raw_greet(&s->f.mesh, s->f.node);
    struct snapshot_offer other = s->offer;
    other.root[0] ^= 1;
    raw_tell(raw, &s->offer);
    raw_tell(raw, &other);
    mesh_run(&s->f.mesh, 200000);
    assert_true(told(s)->has_offer && snapshot_offer_equal(&told(s)->offer, &s->offer));
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&s->f.mesh, 200000);
    assert_false(raw->is_closed);
    raw_tell(raw, &other); /* too late */
    mesh_run(&s->f.mesh, 200000);
    assert_true(raw->is_closed);
}

/* Both sides of each limit; what is absurd is passed over, as if nothing had been told. */
TEST(a_file_of_an_absurd_size_is_not_heard, struct scene *s)
{
    static const struct {
        uint64_t n_bytes;
        bool is_heard;
    } rows[] = {{SNAPSHOT_HEADER_BYTES, false},
                {SNAPSHOT_HEADER_BYTES + 1, true},
                {SNAPSHOT_BYTES_MAX, true},
                {SNAPSHOT_BYTES_MAX + 1, false},
                {UINT64_MAX, false}};
    (void)fixture_node(&s->f, 2, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct raw_peer *raw = raw_greet(&s->f.mesh, s->f.node);
        struct snapshot_offer offer = s->offer;
        offer.n_bytes = rows[i].n_bytes;
        raw_tell(raw, &offer);
        raw_send(raw, "verack", NULL, 0);
        mesh_run(&s->f.mesh, 200000);
        assert_int_equal(told(s) != NULL, rows[i].is_heard);
        assert_int_equal(s->f.node->p2p->peers_last->features != 0, rows[i].is_heard);
        assert_false(raw->is_closed);
    }
}
