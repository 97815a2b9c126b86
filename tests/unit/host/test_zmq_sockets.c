/* test_zmq_sockets.c - sockets of libzmq: shared, refused. test_zmq.py listens to them. */
#include "host/zmq_sockets.h"

#include "support/unit.h"
#include "util/alloc.h"

TEST(publishers_of_one_address_share_its_socket)
{
    static const struct rpc_publisher publishers[] = {
        {.type = "pubhashtx", .address = "inproc://a", .hwm = 1},
        {.type = "pubrawtx", .address = "inproc://a", .hwm = 1},
        {.type = "pubrawtx", .address = "inproc://b", .hwm = 0},
    };
    char *error = NULL;
    struct zmq_sockets *sockets = zmq_sockets_open(publishers, COUNT_OF(publishers), NULL, &error);
    if (!zmq_sockets_are_built()) {
        assert_non_null(strstr(error, "without libzmq"));
        xfree(error);
        return;
    }
    assert_non_null(sockets);
    const struct zmq_sink sink = zmq_sockets_sink(sockets);
    for (uint32_t i = 0; i < 100; i++) /* nobody listens, nobody is waited for */
        sink.send(sink.ctx, i % COUNT_OF(publishers), "rawtx", span_of("x", 1), i);
    zmq_sockets_close(sockets);
}

TEST(addresses_that_are_none_are_refused)
{
    static const struct rpc_publisher publisher = {.type = "pubrawtx", .address = "nosuch://a"};
    char *error = NULL;
    assert_null(zmq_sockets_open(&publisher, 1, NULL, &error));
    assert_non_null(error);
    xfree(error);
}
