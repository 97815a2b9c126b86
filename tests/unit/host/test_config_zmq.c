/* test_config_zmq.c - what -zmqpub* stands for. */
#include "host/config_zmq.h"

#include "host/config_options.h"
#include "support/unit.h"
#include "util/alloc.h"

static bool read_options(struct config_zmq *zmq, const char *const *args, int n, char **error)
{
    size_t n_defs;
    const struct option_def *defs = config_options(&n_defs);
    struct options options;
    options_init(&options, defs, n_defs);
    int first;
    bool ok = options_parse_args(&options, n, args, &first, error) &&
              config_zmq_init(zmq, &options, error);
    options_deinit(&options);
    return ok;
}

TEST(publishers_come_by_topic)
{
    static const char *const args[] = {"x", "-zmqpubsequence=tcp://127.0.0.1:1",
                                       "-zmqpubhashtx=unix:/tmp/a", "-zmqpubhashtx=tcp://[::1]:2",
                                       "-zmqpubhashtxhwm=7"};
    struct config_zmq zmq = {0};
    char *error = NULL;
    assert_true(read_options(&zmq, args, COUNT_OF(args), &error));
    assert_int_equal(zmq.publishers.n, 3);
    const struct rpc_publisher *at = zmq.publishers.at;
    assert_string_equal(at[0].type, "pubhashtx");
    assert_string_equal(at[0].address, "ipc:///tmp/a");
    assert_int_equal(at[0].hwm, 7);
    assert_string_equal(at[1].address, "tcp://[::1]:2");
    assert_string_equal(at[2].type, "pubsequence");
    assert_int_equal(at[2].hwm, 1000);
    config_zmq_deinit(&zmq);
}

TEST(what_is_no_address_is_refused)
{
    static const char *const args[] = {"x", "-zmqpubrawtx=127.0.0.1:1"};
    struct config_zmq zmq = {0};
    char *error = NULL;
    assert_false(read_options(&zmq, args, COUNT_OF(args), &error));
    assert_string_equal(error, "Invalid port specified in -zmqpubrawtx: '127.0.0.1:1'");
    xfree(error);
    config_zmq_deinit(&zmq);
}

TEST(there_is_a_limit_to_them)
{
    const char *args[CONFIG_PUBLISHERS_MAX + 2] = {"x"};
    struct config_zmq zmq = {0};
    char *error = NULL;
    for (int i = 1; i < CONFIG_PUBLISHERS_MAX + 2; i++)
        args[i] = "-zmqpubrawtx=tcp://127.0.0.1:1";
    assert_true(read_options(&zmq, args, CONFIG_PUBLISHERS_MAX + 1, &error));
    config_zmq_deinit(&zmq);
    assert_false(read_options(&zmq, args, CONFIG_PUBLISHERS_MAX + 2, &error));
    xfree(error);
    config_zmq_deinit(&zmq);
}
