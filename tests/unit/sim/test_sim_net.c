/* test_sim_net.c - bytes arrive late, whole and in order; closed, muted and cut off ends behave. */
#include <errno.h>

#include "sim/sim_env.h"
#include "sim/sim_net.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/assert.h"

struct machine {
    struct sim_env *sim;
    const struct env *env;
    struct sim_host *host;
    uint64_t stream;
    int connects, closes, writables, last_error;
    size_t got;
    uint64_t checksum;
    int64_t got_at_us;
    char address[64];
    bool close_on_bytes;
};

struct world {
    struct sim_events events;
    struct sim_net *net;
    struct machine a, b;
};

static void on_connect(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    struct machine *m = arg;
    assert_true(port != 0);
    m->stream = stream;
    m->connects++;
    strncpy(m->address, address, sizeof m->address - 1);
}

static void on_bytes(void *arg, uint64_t stream, struct span bytes)
{
    struct machine *m = arg;
    assert_int_equal(stream, m->stream);
    m->got += bytes.len;
    m->got_at_us = env_now_us(m->env);
    for (size_t i = 0; i < bytes.len; i++)
        m->checksum = m->checksum * 31 + bytes.p[i];
    if (m->close_on_bytes)
        env_stream_close(m->env, stream);
}

static void on_writable(void *arg, uint64_t stream)
{
    struct machine *m = arg;
    assert_int_equal(stream, m->stream);
    m->writables++;
}

static void on_close(void *arg, uint64_t stream, int error)
{
    struct machine *m = arg;
    (void)stream;
    m->closes++;
    m->last_error = error;
}

static const struct env_stream_events handlers = {on_connect, on_bytes, on_writable, on_close};

static void machine_init(struct world *w, struct machine *m, const char *address, uint64_t seed)
{
    m->sim = sim_env_new_on(&w->events, seed);
    m->env = sim_env_get(m->sim);
    m->host = sim_net_join(w->net, address);
    sim_env_set_host(m->sim, m->host);
}

static void world_init(struct world *w, const struct sim_net_options *options)
{
    memset(w, 0, sizeof *w);
    sim_events_init(&w->events, 0);
    w->net = sim_net_new(&w->events, 7, options);
    machine_init(w, &w->a, "10.0.0.1", 1);
    machine_init(w, &w->b, "10.0.0.2", 2);
}

static void machine_leave(struct machine *m)
{
    if (m->host)
        sim_net_leave(m->host);
    m->host = NULL;
    sim_env_set_host(m->sim, NULL);
}

static void world_deinit(struct world *w)
{
    machine_leave(&w->a);
    machine_leave(&w->b);
    sim_net_free(w->net);
    sim_env_free(w->a.sim);
    sim_env_free(w->b.sim);
    sim_events_deinit(&w->events);
}

static const struct sim_net_options slow = {.latency_min_us = 40000, .latency_max_us = 40000};

static void start(struct world *w)
{
    int error;
    const struct env *a = w->a.env, *b = w->b.env;
    assert_true(env_stream_listen(b, "0.0.0.0", 8333, &handlers, &w->b, &error) != 0);
    assert_int_equal(error, 0);
    assert_true(env_stream_connect(a, "10.0.0.2", 8333, &handlers, &w->a) != 0);
    sim_env_run_for(w->a.sim, 1000000);
}

TEST(a_stream_connects_after_a_round_trip)
{
    struct world w;
    world_init(&w, &slow);
    int error;
    env_stream_listen(w.b.env, "0.0.0.0", 8333, &handlers, &w.b, &error);
    assert_int_equal(env_stream_listen(w.b.env, "0.0.0.0", 8333, &handlers, &w.b, &error), 0);
    assert_int_equal(error, -EADDRINUSE);
    env_stream_connect(w.a.env, "10.0.0.2", 8333, &handlers, &w.a);
    sim_env_run_for(w.a.sim, 39999);
    assert_int_equal(w.b.connects, 0);
    sim_env_run_for(w.a.sim, 1);
    assert_int_equal(w.b.connects, 1);
    assert_string_equal(w.b.address, "10.0.0.1");
    assert_int_equal(w.a.connects, 0);
    sim_env_run_for(w.a.sim, 40000);
    assert_int_equal(w.a.connects, 1);
    assert_string_equal(w.a.address, "10.0.0.2");
    world_deinit(&w);
}

TEST(a_host_may_be_nearer_or_farther_than_others)
{
    struct world w;
    world_init(&w, &slow);
    sim_net_set_latency(w.a.host, 1000);
    start(&w);
    assert_int_equal(w.b.connects, 1);
    env_stream_send(w.a.env, w.a.stream, span_of("x", 1));
    int64_t sent_us = w.events.now_us;
    while (w.b.got == 0)
        assert_true(sim_events_step(&w.events));
    assert_int_equal(w.b.got_at_us - sent_us, 1000);
    sim_net_set_latency(w.b.host, 90000); /* the longer of two */
    env_stream_send(w.a.env, w.a.stream, span_of("x", 1));
    sent_us = w.events.now_us;
    while (w.b.got == 1)
        assert_true(sim_events_step(&w.events));
    assert_int_equal(w.b.got_at_us - sent_us, 90000);
    world_deinit(&w);
}

TEST(nobody_listening_is_refused_and_nobody_there_times_out)
{
    struct world w;
    world_init(&w, &slow);
    env_stream_connect(w.a.env, "10.0.0.2", 1, &handlers, &w.a);
    sim_env_run_for(w.a.sim, 100000);
    assert_int_equal(w.a.closes, 1);
    assert_int_equal(w.a.last_error, -ECONNREFUSED);
    env_stream_connect(w.a.env, "10.0.0.3", 1, &handlers, &w.a);
    sim_env_run_for(w.a.sim, 6000000);
    assert_int_equal(w.a.closes, 2);
    assert_int_equal(w.a.last_error, -ETIMEDOUT);
    world_deinit(&w);
}

TEST(bytes_arrive_whole_and_in_order_despite_loss)
{
    struct sim_net_options options = {.latency_min_us = 1000,
                                      .latency_max_us = 90000,
                                      .jitter_us = 20000,
                                      .loss_ppm = 200000,
                                      .bytes_per_s = 1000000};
    struct world w;
    world_init(&w, &options);
    start(&w);
    enum { N = 700000 };
    uint8_t *bytes = xmalloc(N);
    uint64_t want = 0;
    for (size_t i = 0; i < N; i++) {
        bytes[i] = (uint8_t)(i * i >> 7);
        want = want * 31 + bytes[i];
    }
    int64_t start_us = env_now_us(w.a.env);
    env_stream_send(w.a.env, w.a.stream, span_of(bytes, 1000));
    env_stream_send(w.a.env, w.a.stream, span_of(bytes + 1000, N - 1000));
    assert_true(env_stream_queued_bytes(w.a.env, w.a.stream) > N / 2);
    sim_env_run_for(w.a.sim, 20000000);
    assert_int_equal(w.b.got, N);
    assert_true(w.b.checksum == want);
    assert_true(w.b.got_at_us - start_us >= N); /* 1 MB/s */
    assert_true(w.a.writables >= 1);
    assert_int_equal(env_stream_queued_bytes(w.a.env, w.a.stream), 0);
    assert_true(sim_net_bytes(w.net) == N);
    xfree(bytes);
    world_deinit(&w);
}

TEST(a_reader_that_pauses_leaves_the_queue_with_the_sender)
{
    struct world w;
    world_init(&w, &slow);
    start(&w);
    enum { N = 1000000 };
    uint8_t *bytes = xcalloc(1, N);
    env_stream_pause(w.b.env, w.b.stream, true);
    env_stream_send(w.a.env, w.a.stream, span_of(bytes, N));
    sim_env_run_for(w.a.sim, 10000000);
    assert_int_equal(w.b.got, 0);
    size_t queued = env_stream_queued_bytes(w.a.env, w.a.stream);
    assert_in_range(queued, N - SIM_NET_WINDOW_BYTES - SIM_NET_SEGMENT_BYTES,
                    N - SIM_NET_WINDOW_BYTES);
    env_stream_pause(w.b.env, w.b.stream, false);
    sim_env_run_for(w.a.sim, 10000000);
    assert_int_equal(w.b.got, N);
    xfree(bytes);
    world_deinit(&w);
}

TEST(closing_is_told_to_the_other_end_after_the_last_bytes)
{
    struct world w;
    world_init(&w, &slow);
    start(&w);
    env_stream_send(w.a.env, w.a.stream, span_of("bye", 3));
    env_stream_close(w.a.env, w.a.stream);
    sim_env_run_for(w.a.sim, 100000);
    assert_int_equal(w.b.got, 3);
    assert_int_equal(w.b.closes, 1);
    assert_int_equal(w.b.last_error, 0);
    assert_int_equal(w.a.closes, 0);
    world_deinit(&w);
}

TEST(a_stream_may_be_closed_while_its_bytes_are_handed_over)
{
    struct world w;
    world_init(&w, &slow);
    start(&w);
    w.b.close_on_bytes = true;
    uint8_t bytes[50000] = {0};
    env_stream_send(w.a.env, w.a.stream, span_of(bytes, sizeof bytes));
    sim_env_run_for(w.a.sim, 1000000);
    assert_int_equal(w.b.got, SIM_NET_SEGMENT_BYTES);
    assert_int_equal(w.a.closes, 1);
    world_deinit(&w);
}

TEST(a_process_that_dies_resets_its_peers)
{
    struct world w;
    world_init(&w, &slow);
    start(&w);
    machine_leave(&w.b);
    sim_env_run_for(w.a.sim, 39999);
    assert_int_equal(w.a.closes, 0);
    sim_env_run_for(w.a.sim, 1);
    assert_int_equal(w.a.closes, 1);
    assert_int_equal(w.a.last_error, -ECONNRESET);
    assert_int_equal(w.b.closes, 0);
    world_deinit(&w);
}

TEST(a_partition_holds_bytes_back_until_it_heals)
{
    struct world w;
    world_init(&w, &slow);
    start(&w);
    sim_net_set_group(w.b.host, 1);
    env_stream_send(w.a.env, w.a.stream, span_of("hello", 5));
    sim_env_run_for(w.a.sim, 10000000);
    assert_int_equal(w.b.got, 0);
    env_stream_connect(w.a.env, "10.0.0.2", 8333, &handlers, &w.a);
    sim_env_run_for(w.a.sim, 10000000);
    assert_int_equal(w.a.last_error, -ETIMEDOUT);
    sim_net_set_group(w.b.host, 0);
    sim_env_run_for(w.a.sim, 1000000);
    assert_int_equal(w.b.got, 5);
    world_deinit(&w);
}

/* What waited for the way to be free again is not overtaken by what was sent afterwards. */
TEST(bytes_stay_in_order_over_a_partition)
{
    struct world w;
    world_init(&w, &slow);
    start(&w);
    sim_net_set_group(w.b.host, 1);
    env_stream_send(w.a.env, w.a.stream, span_of("one", 3));
    sim_env_run_for(w.a.sim, 45000);
    sim_net_set_group(w.b.host, 0);
    env_stream_send(w.a.env, w.a.stream, span_of("two", 3));
    sim_env_run_for(w.a.sim, 1000000);
    assert_int_equal(w.b.got, 6);
    uint64_t want = 0;
    for (const char *p = "onetwo"; *p; p++)
        want = want * 31 + (uint64_t)*p;
    assert_int_equal(w.b.checksum, want);
    world_deinit(&w);
}

TEST(a_mute_host_hears_but_is_not_heard)
{
    struct world w;
    world_init(&w, &slow);
    start(&w);
    sim_net_set_mute(w.b.host, true);
    env_stream_send(w.a.env, w.a.stream, span_of("one", 3));
    env_stream_send(w.b.env, w.b.stream, span_of("three", 5));
    sim_env_run_for(w.a.sim, 1000000);
    assert_int_equal(w.b.got, 3);
    assert_int_equal(w.a.got, 0);
    world_deinit(&w);
}

static int64_t arrival_of_a_run(uint64_t seed)
{
    struct sim_net_options options = {.latency_max_us = 90000, .jitter_us = 20000};
    struct world w;
    memset(&w, 0, sizeof w);
    sim_events_init(&w.events, 0);
    w.net = sim_net_new(&w.events, seed, &options);
    machine_init(&w, &w.a, "10.0.0.1", 1);
    machine_init(&w, &w.b, "10.0.0.2", 2);
    start(&w);
    env_stream_send(w.a.env, w.a.stream, span_of("x", 1));
    sim_env_run_for(w.a.sim, 1000000);
    int64_t at_us = w.b.got_at_us;
    world_deinit(&w);
    return at_us;
}

TEST(the_seed_decides_everything)
{
    assert_true(arrival_of_a_run(3) == arrival_of_a_run(3));
    assert_true(arrival_of_a_run(3) != arrival_of_a_run(4));
}
