/* test_address_files.c - what of addresses a restart finds again. */
#include "p2p/addr/address_files.h"

#include "p2p/state.h"
#include "support/mesh_fixture.h"
#include "util/read_file.h"
#include "util/replace_file.h"

FIXTURE(mesh_setup, mesh_teardown)

/* A node of the fixture with files, and what p2p says when it is started again on them. */
struct files {
    struct mesh_node *node;
    struct p2p_options options;
    struct p2p *again;
    char *error;
};

static void begin(struct fixture *f, struct files *files, uint64_t seed)
{
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    files->options =
        (struct p2p_options){.data_dir = "regtest", .user_agent = "/x/", .connect_only = true};
    files->node = mesh_add(&f->mesh, &files->options, NULL);
}

static bool start_again(struct files *files)
{
    struct mesh_node *a = files->node;
    files->error = NULL;
    files->again = p2p_new(sim_env_get(a->sim), NULL, &a->network, a->chain, a->mempool,
                           &files->options, NULL);
    return p2p_start(files->again, &files->error);
}

static void end(struct files *files)
{
    p2p_stop(files->again);
    p2p_free(files->again);
    xfree(files->error);
}

static int put_file(const struct files *files, const char *path, struct span bytes)
{
    return replace_file(sim_env_get(files->node->sim), path, bytes);
}

static bool has_file(const struct files *files, const char *path)
{
    struct buffer bytes;
    buffer_init(&bytes);
    bool is_there = read_file(sim_env_get(files->node->sim), path, 1 << 26, &bytes) == 0;
    buffer_deinit(&bytes);
    return is_there;
}

TEST(the_book_survives_a_restart, struct fixture *f)
{
    struct files files;
    begin(f, &files, 97);
    struct net_peer_address address = {.services = SERVICES, .time = 1700000000};
    assert_true(net_address_parse("8.8.8.8:8333", 0, &address.at));
    assert_true(has_file(&files, "regtest/peers.dat")); /* made at the first start */
    assert_true(address_book_add(p2p_address_book(files.node->p2p), &address, ADDRESS_SOURCE_GOSSIP,
                                 &address.at, 0, 1700000000));
    p2p_stop(files.node->p2p);
    assert_true(start_again(&files));
    assert_int_equal(address_book_count(p2p_address_book(files.again)), 1);
    end(&files);
}

/* What was written last is what was known last, and one writes at a time. */
TEST(a_book_that_is_being_written_is_written_again_at_the_end, struct fixture *f)
{
    struct files files;
    struct net_peer_address address = {.services = SERVICES, .time = 1700000000};
    begin(f, &files, 103);
    struct p2p *p2p = files.node->p2p;
    (void)address_files_tick(&p2p->files, p2p->files.next_dump_us);
    assert_true(p2p->files.is_dumping);
    assert_true(net_address_parse("8.8.8.8:8333", 0, &address.at));
    (void)address_book_add(p2p->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0, 1700000000);
    p2p_stop(p2p);
    mesh_run(&f->mesh, 1000000);
    assert_false(p2p->files.is_dumping);
    assert_true(start_again(&files));
    assert_int_equal(address_book_count(p2p_address_book(files.again)), 1);
    end(&files);
}

/* As in Core: a disk that has begun to lose bytes is worth a word. */
TEST(a_damaged_book_is_told_to_the_user, struct fixture *f)
{
    struct files files;
    begin(f, &files, 99);
    p2p_stop(files.node->p2p);
    sim_disk_damage(sim_env_disk(files.node->sim), "regtest/peers.dat", 30, 0xff);
    assert_false(start_again(&files));
    assert_string_equal(
        files.error,
        "Invalid or corrupt peers.dat (Checksum mismatch, data corrupted). If you believe this is "
        "a bug, please report it to none. As a workaround, you can move the file "
        "(\"regtest/peers.dat\") out of the way (rename, move, or delete) to have a new one "
        "created on the next start.");
    end(&files);
    assert_int_equal(env_remove(sim_env_get(files.node->sim), "regtest/peers.dat"), 0);
    assert_true(start_again(&files));
    end(&files);
}

TEST(a_book_of_a_later_version_is_put_aside, struct fixture *f)
{
    struct files files;
    begin(f, &files, 100);
    p2p_stop(files.node->p2p);
    uint8_t later[6];
    memcpy(later, files.node->network.magic, 4);
    later[4] = later[5] = 99;
    assert_int_equal(put_file(&files, "regtest/peers.dat", span_of(later, sizeof later)), 0);
    assert_true(start_again(&files));
    assert_true(has_file(&files, "regtest/peers.dat.bak"));
    assert_true(has_file(&files, "regtest/peers.dat"));
    end(&files);
}

/* The map is looked for beside the book; what is wrong with it is said. */
TEST(a_map_is_read_or_refused, struct fixture *f)
{
    struct files files;
    static const uint8_t map[] = {0x00, 0xc0, 0x00};
    begin(f, &files, 101);
    p2p_stop(files.node->p2p);
    files.options.asmap = "map";
    assert_false(start_again(&files));
    assert_string_equal(files.error, "Could not find asmap file \"regtest/map\"");
    end(&files);
    assert_int_equal(put_file(&files, "regtest/map", span_of(map, 2)), 0);
    assert_false(start_again(&files));
    assert_string_equal(files.error, "Could not parse asmap file \"regtest/map\"");
    end(&files);
    assert_int_equal(put_file(&files, "regtest/map", span_of(map, sizeof map)), 0);
    assert_true(start_again(&files));
    end(&files);
}

/* Two block-relay-only peers are called again first, and once only. */
TEST(anchors_are_called_after_a_restart, struct fixture *f)
{
    struct files files;
    begin(f, &files, 102);
    files.options.connect_only = false;
    files.options.v2_transport = true; /* which the anchor does not speak */
    p2p_stop(files.node->p2p);
    assert_true(start_again(&files));
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    assert_int_equal(p2p_open_connection(files.again, "10.9.9.9:700", "block-relay-only", false),
                     NET_RESULT_OK);
    mesh_run(&f->mesh, 2000000);
    assert_true(raw->is_up);
    end(&files);
    assert_true(has_file(&files, "regtest/anchors.dat"));
    mesh_run(&f->mesh, 2000000);
    raw->is_up = false;
    raw->stream = 0;
    assert_true(start_again(&files));
    assert_false(has_file(&files, "regtest/anchors.dat"));
    mesh_run(&f->mesh, 2000000);
    assert_true(raw->is_up);
    (void)raw_expect(raw, "version");
    end(&files);
    /* A damaged one is as good as none. */
    sim_disk_damage(sim_env_disk(files.node->sim), "regtest/anchors.dat", 20, 0xff);
    assert_true(start_again(&files));
    assert_false(has_file(&files, "regtest/anchors.dat"));
    end(&files);
}
