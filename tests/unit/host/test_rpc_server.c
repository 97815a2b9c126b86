/* test_rpc_server.c - calls reach RPC and answers their clients, whoever leaves first. */
#include <errno.h>
#include <fcntl.h>

#include "host/env_host.h"
#include "host/loop.h"
#include "host/rpc_server.h"
#include "http_client.h"
#include "support/unit.h"
#include "util/alloc.h"

struct world {
    struct env_host *host;
    struct loop *loop;
    struct config config;
    struct rpc_node node;
    struct rpc *rpc;
    struct rpc_server *server;
    int port;
};

static const char *warmup_status(void *ctx)
{
    (void)ctx;
    return "Loading block index";
}

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return loop_unix_s();
}

static const char *no_warnings(void *ctx, size_t index)
{
    (void)ctx;
    (void)index;
    return NULL;
}

/* A port that nobody had a moment ago. */
static int free_port(void)
{
    int fd = sockets_listen("127.0.0.1", 0);
    int port = sockets_local_port(fd);
    close(fd);
    return port;
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    char *error = NULL;
    loop_ignore_signals();
    w->host = env_host_new(1);
    w->loop = env_host_loop(w->host);
    w->node = (struct rpc_node){.ctx = w,
                                .env = env_host_env(w->host),
                                .network = network_get(NETWORK_REGTEST),
                                .data_dir = "/nowhere",
                                .warmup_status = warmup_status,
                                .now_s = now_s,
                                .warning = no_warnings};
    const struct rpc_auth_options auth = {.user = "u", .password = "p"};
    w->rpc = rpc_new(&w->node, rpc_methods(), &auth, &error);
    assert_non_null(w->rpc);
    w->port = free_port();
    w->config.rpc_binds[0] = (struct config_bind){"127.0.0.1", (uint16_t)w->port};
    w->config.n_rpc_binds = 1;
    w->config.rpc_timeout_us = 5000000;
    w->config.rpc_pending_max = 10;
    *state = w;
    return 0;
}

static void serve(struct world *w)
{
    char *error = NULL;
    w->server = rpc_server_new(w->loop, NULL, w->rpc, &w->config, NULL, &error);
    if (!w->server)
        fail_msg("%s", error);
}

static int teardown(void **state)
{
    struct world *w = *state;
    rpc_server_free(w->server);
    rpc_free(w->rpc);
    env_host_free(w->host);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

/* Post a body and hear the whole answer. */
static void talk(struct world *w, const char *credentials, const char *body, char *out, size_t size)
{
    char basic[256];
    size_t len = 0;
    client_basic(credentials, basic, sizeof basic);
    int fd = client_dial(w->port);
    assert_true(fd >= 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    client_post(fd, basic, body);
    int64_t end_us = loop_now_us() + 5000000;
    for (;;) {
        loop_run_once(w->loop, false);
        ssize_t n = read(fd, out + len, size - 1 - len);
        if (n == 0)
            break;
        assert_true(n > 0 || errno == EAGAIN);
        assert_true(loop_now_us() < end_us);
        len += n > 0 ? (size_t)n : 0;
    }
    out[len] = '\0';
    close(fd);
}

TEST(a_call_is_answered, struct world *w)
{
    char heard[4096];
    serve(w);
    talk(w, "u:p", "{\"method\":\"uptime\",\"id\":7}", heard, sizeof heard);
    assert_non_null(strstr(heard, "Content-Type: application/json"));
    assert_non_null(strstr(heard, "\"id\":7"));
    /* This node is still starting. */
    assert_non_null(strstr(heard, "-28"));
    assert_non_null(strstr(heard, "Loading block index"));
    assert_true(rpc_server_is_idle(w->server));
}

TEST(a_wrong_password_is_answered_late_and_with_401, struct world *w)
{
    char heard[4096];
    serve(w);
    int64_t began_us = loop_now_us();
    talk(w, "u:wrong", "{\"method\":\"uptime\"}", heard, sizeof heard);
    assert_int_equal(strncmp(heard, "HTTP/1.1 401 Unauthorized", 25), 0);
    assert_non_null(strstr(heard, "WWW-Authenticate: Basic"));
    assert_true(loop_now_us() - began_us >= 200000);
}

TEST(a_client_that_leaves_during_the_delay_is_no_trouble, struct world *w)
{
    serve(w);
    int fd = client_dial(w->port);
    client_post(fd, "Basic eDp5", "{\"method\":\"uptime\"}");
    for (int i = 0; i < 20; i++)
        loop_run_once(w->loop, false);
    close(fd);
    for (int i = 0; i < 20; i++)
        loop_run_once(w->loop, false);
    rpc_server_free(w->server);
    w->server = NULL;
}

TEST(stopping_takes_no_new_connections, struct world *w)
{
    serve(w);
    rpc_server_stop(w->server);
    assert_int_equal(client_dial(w->port), -1);
    assert_true(rpc_server_is_idle(w->server));
}

TEST(a_taken_port_and_a_name_are_refused, struct world *w)
{
    char *error = NULL, want[128];
    int fd = sockets_listen("127.0.0.1", (uint16_t)w->port);
    assert_true(fd >= 0);
    assert_null(rpc_server_new(w->loop, NULL, w->rpc, &w->config, NULL, &error));
    snprintf(
        want, sizeof want,
        "Unable to bind any endpoint for RPC server: 127.0.0.1 port %d: Address already in use",
        w->port);
    assert_string_equal(error, want);
    xfree(error);
    close(fd);

    strcpy(w->config.rpc_binds[0].host, "node.example");
    assert_null(rpc_server_new(w->loop, NULL, w->rpc, &w->config, NULL, &error));
    assert_non_null(strstr(error, "node.example"));
    xfree(error);
}

TEST(an_address_that_is_not_ours_is_skipped_while_another_remains, struct world *w)
{
    char heard[4096], *error = NULL;
    w->config.rpc_binds[1] = w->config.rpc_binds[0];
    strcpy(w->config.rpc_binds[0].host, "192.0.2.1");
    w->config.n_rpc_binds = 2;
    serve(w);
    talk(w, "u:p", "{\"method\":\"uptime\"}", heard, sizeof heard);
    assert_non_null(strstr(heard, "-28"));
    rpc_server_free(w->server);
    w->server = NULL;
    w->config.n_rpc_binds = 1;
    assert_null(rpc_server_new(w->loop, NULL, w->rpc, &w->config, NULL, &error));
    assert_non_null(strstr(error, "for RPC server: 192.0.2.1 port "));
    xfree(error);
}

/* As Core answers: who asks for what is not there learns nothing by it. */
TEST(a_foreign_host_gets_404_where_nothing_is, struct world *w)
{
    char out[1024];
    serve(w);
    for (int i = 0; i < 2; i++) {
        const char *path = i ? "/" : "/nothing";
        char text[256];
        size_t len = 0;
        int fd = client_dial(w->port);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: foreign\r\n\r\n", path);
        assert_int_equal(write(fd, text, (size_t)n), n);
        while (len < 12) {
            loop_run_once(w->loop, false);
            ssize_t got = read(fd, out + len, sizeof out - len);
            len += got > 0 ? (size_t)got : 0;
        }
        assert_memory_equal(out, i ? "HTTP/1.1 403" : "HTTP/1.1 404", 12);
        close(fd);
    }
}
