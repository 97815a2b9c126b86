/* test_features.c - features are told by name; the form of the message is kept to. BIP-434 */
#include "p2p/session/features.h"

#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static bool agree_to_yes(struct p2p *p2p, struct peer *peer, struct span data)
{
    assert_non_null(p2p);
    assert_int_equal(peer->state, PEER_GREETED);
    return data.len == 3 && memcmp(data.p, "yes", 3) == 0;
}

static const struct feature table[] = {
    {.name = "BIP9999", .data = "ab"},
    {.name = "example.org/sketch", .agree = agree_to_yes},
    {.name = NULL},
};

static struct raw_peer *greeted(struct fixture *f, uint64_t seed, int32_t version)
{
    struct raw_peer *raw = fixture_caller(f, seed);
    f->node->p2p->features = table;
    raw_send_version(raw, SERVICES, version, 5);
    return raw;
}

static void send_feature(struct raw_peer *raw, size_t name_len, const char *name, size_t data_len,
                         const char *data)
{
    uint8_t bytes[1000] = {0};
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, name_len);
    write_bytes(&w, name, name_len);
    write_compact_size(&w, data_len);
    write_bytes(&w, data, data_len);
    raw_send(raw, "feature", bytes, w.len);
}

TEST(ours_are_told_before_the_verack_to_who_knows_the_message, struct fixture *f)
{
    struct raw_peer *raw = greeted(f, 31, 70017);
    (void)raw_expect(raw, "version");
    struct span told = raw_expect(raw, "feature");
    assert_int_equal(told.len, 1 + 7 + 1 + 2);
    assert_memory_equal(told.p, "\7BIP9999\2ab", 11);
    told = raw_expect(raw, "feature");
    assert_memory_equal(told.p, "\22example.org/sketch\0", 20);
    (void)raw_expect(raw, "verack");
    struct raw_peer *old = raw_connect(&f->mesh, f->node);
    raw_send_version(old, SERVICES, 70016, 6);
    (void)raw_expect(old, "verack");
    assert_int_equal(raw_count(old, "feature"), 0);
}

TEST(what_both_have_is_on_and_what_is_unknown_is_passed_over, struct fixture *f)
{
    struct raw_peer *raw = greeted(f, 32, 70017);
    char long_name[FEATURE_NAME_MAX], data[FEATURE_DATA_MAX];
    memset(long_name, 'n', sizeof long_name);
    memset(data, 'd', sizeof data);
    send_feature(raw, sizeof long_name, long_name, sizeof data, data);
    send_feature(raw, FEATURE_NAME_MIN, "BIP9", 0, NULL);
    send_feature(raw, 18, "example.org/sketch", 2, "no");
    mesh_run(&f->mesh, 1000000);
    struct peer *peer = f->node->p2p->peers;
    assert_int_equal(peer->features, 0);
    send_feature(raw, 18, "example.org/sketch", 3, "yes");
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(peer->features, 2);
    send_feature(raw, 7, "BIP9999", 5, "other");
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&f->mesh, 1000000);
    assert_int_equal(peer->features, 3);
    assert_false(raw->is_closed);
}

/* Both sides of each limit: the good sides are above. */
TEST(who_breaks_the_form_is_let_go, struct fixture *f)
{
    char bytes[FEATURE_DATA_MAX + 1];
    memset(bytes, 'x', sizeof bytes);
    for (int what = 0; what < 6; what++) {
        struct raw_peer *raw = what == 0 ? greeted(f, 33, 70017) : raw_connect(&f->mesh, f->node);
        if (what > 0)
            raw_send_version(raw, SERVICES, 70017, 5);
        switch (what) {
        case 0: /* a name that is too short */
            send_feature(raw, FEATURE_NAME_MIN - 1, bytes, 0, NULL);
            break;
        case 1: /* too long */
            send_feature(raw, FEATURE_NAME_MAX + 1, bytes, 0, NULL);
            break;
        case 2: /* too much data */
            send_feature(raw, 4, bytes, FEATURE_DATA_MAX + 1, bytes);
            break;
        case 3: /* no data, not even their number */
            raw_send(raw, "feature", "\4abcd", 5);
            break;
        case 4: /* something behind the data */
            raw_send(raw, "feature", "\4abcd\0z", 7);
            break;
        case 5: /* in good form, after the verack */
            raw_send(raw, "verack", NULL, 0);
            send_feature(raw, 4, "abcd", 0, NULL);
            break;
        }
        mesh_run(&f->mesh, 1000000);
        assert_true(raw->is_closed);
    }
}
