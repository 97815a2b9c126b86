/* test_capture.c - messages kept in Core's format, without anybody waiting for the disk. */
#include "p2p/core/capture.h"

#include <errno.h>

#include "p2p/core/frame.h"
#include "sim/sim_env.h"
#include "support/mesh_fixture.h"
#include "util/buffer.h"
#include "util/read_file.h"

enum { HEAD_BYTES = 8 + 12 + 4, FILE_MAX = 80 << 20 };

FIXTURE(mesh_setup, mesh_teardown)

static void expect_file(const struct env *env, const char *path, struct buffer *out)
{
    buffer_init(out);
    assert_int_equal(read_file(env, path, FILE_MAX, out), 0);
}

TEST(records_have_time_name_length_and_payload)
{
    struct sim_env *sim = sim_env_new(3);
    const struct env *env = sim_env_get(sim);
    struct capture *capture = capture_new(env, NULL, "net");
    int64_t before_us = env_unix_s(env) * 1000000;
    capture_message(capture, "[fe80::1]:8333", true, "ping", span_of("abcdefgh", 8));
    capture_message(capture, "[fe80::1]:8333", false, "sendaddrv2ab", span_of(NULL, 0));
    assert_int_equal(capture_pending(capture), 1);
    sim_env_run_until_idle(sim);
    capture_message(capture, "[fe80::1]:8333", true, "verack", span_of(NULL, 0));
    sim_env_run_until_idle(sim);
    assert_int_equal(capture_pending(capture), 0);

    struct buffer bytes;
    expect_file(env, "net/message_capture/[fe80__1]_8333/msgs_recv.dat", &bytes);
    assert_int_equal(bytes.len, 2 * HEAD_BYTES + 8);
    struct reader r = reader_of(buffer_span(&bytes));
    int64_t at_us = (int64_t)read_u64(&r);
    assert_true(at_us >= before_us && at_us < before_us + 2000000);
    assert_memory_equal(read_span(&r, 12).p, "ping\0\0\0\0\0\0\0\0", 12);
    assert_int_equal(read_u32(&r), 8);
    assert_memory_equal(read_span(&r, 8).p, "abcdefgh", 8);
    assert_true((int64_t)read_u64(&r) >= at_us);
    assert_memory_equal(read_span(&r, 12).p, "verack\0\0\0\0\0\0", 12);
    buffer_deinit(&bytes);
    expect_file(env, "net/message_capture/[fe80__1]_8333/msgs_sent.dat", &bytes);
    assert_int_equal(bytes.len, HEAD_BYTES);
    assert_memory_equal(bytes.p + 8, "sendaddrv2ab\0\0\0\0", 16);
    buffer_deinit(&bytes);
    capture_free(capture);
    sim_env_free(sim);
}

TEST(the_time_follows_a_wall_clock_that_was_set)
{
    struct sim_env *sim = sim_env_new(4);
    const struct env *env = sim_env_get(sim);
    struct capture *capture = capture_new(env, NULL, "net");
    sim_env_set_unix_s(sim, 2000000000);
    capture_message(capture, "1.2.3.4:1", true, "verack", span_of(NULL, 0));
    sim_env_run_until_idle(sim);
    struct buffer bytes;
    expect_file(env, "net/message_capture/1.2.3.4_1/msgs_recv.dat", &bytes);
    struct reader r = reader_of(buffer_span(&bytes));
    assert_int_equal(read_u64(&r), UINT64_C(2000000000000000));
    buffer_deinit(&bytes);
    capture_free(capture);
    sim_env_free(sim);
}

/* While the first one is being written the rest waits: up to the limit, and no more. */
TEST(what_waits_for_the_disk_is_bounded)
{
    enum { LEN = 4000000, FIT = CAPTURE_WAITING_MAX / (LEN + HEAD_BYTES) };
    struct sim_env *sim = sim_env_new(5);
    const struct env *env = sim_env_get(sim);
    struct capture *capture = capture_new(env, NULL, "net");
    uint8_t *payload = xcalloc(1, LEN);
    for (int i = 0; i < FIT + 2; i++)
        capture_message(capture, "1.2.3.4:1", true, "block", span_of(payload, LEN));
    sim_env_run_until_idle(sim);
    struct buffer bytes;
    expect_file(env, "net/message_capture/1.2.3.4_1/msgs_recv.dat", &bytes);
    assert_int_equal(bytes.len, (size_t)FIT * (LEN + HEAD_BYTES));
    buffer_deinit(&bytes);
    /* It has room again. */
    capture_message(capture, "1.2.3.4:1", false, "block", span_of(payload, LEN));
    sim_env_run_until_idle(sim);
    expect_file(env, "net/message_capture/1.2.3.4_1/msgs_sent.dat", &bytes);
    assert_int_equal(bytes.len, LEN + HEAD_BYTES);
    buffer_deinit(&bytes);
    xfree(payload);
    capture_free(capture);
    sim_env_free(sim);
}

/* What means nothing to the node, or is unknown to it, is kept as well. */
TEST(a_node_keeps_all_that_comes_and_goes, struct fixture *f)
{
    struct p2p_options options = {.capture_messages = true, .data_dir = "net"};
    struct mesh_node *node = fixture_node(f, 6, &options, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, node, SERVICES);
    raw_send(raw, "reject", "xyz", 3);
    raw_send(raw, "neverheardof", "12345", 5);
    mesh_run(&f->mesh, 1000000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(node, 0, &info));
    char path[200], host[100];
    snprintf(host, sizeof host, "%s", info.address);
    *strchr(host, ':') = '_';
    snprintf(path, sizeof path, "net/message_capture/%s/msgs_recv.dat", host);
    struct buffer bytes;
    expect_file(sim_env_get(node->sim), path, &bytes);
    assert_true(bytes.len > 3 * HEAD_BYTES);
    assert_memory_equal(bytes.p + 8, "version\0\0\0\0\0", 12);
    assert_memory_equal(bytes.p + bytes.len - 5 - 16, "neverheardof\5\0\0\00012345", 21);
    const uint8_t *reject = bytes.p + bytes.len - 5 - HEAD_BYTES - 3 - 16;
    assert_memory_equal(reject, "reject\0\0\0\0\0\0\3\0\0\0xyz", 19);
    buffer_deinit(&bytes);
    snprintf(path, sizeof path, "net/message_capture/%s/msgs_sent.dat", host);
    expect_file(sim_env_get(node->sim), path, &bytes);
    assert_memory_equal(bytes.p + 8, "version\0\0\0\0\0", 12);
    buffer_deinit(&bytes);
}
