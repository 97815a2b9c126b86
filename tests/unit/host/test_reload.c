/* test_reload.c - what is taken over when the options are read again, and what is not.
 *
 * The node is played by this file: it notes what it is told. */
#include "host/reload.h"

#include "config_world.h"

FIXTURE(setup, teardown)

struct node {
    char told[200]; /* the last logins and whitelist; "" before */
    int n_told;
    struct log log;
    struct buffer lines;
};

struct rpc *node_rpc(struct node *node)
{
    return (struct rpc *)node;
}

struct p2p *node_p2p(struct node *node)
{
    return (struct p2p *)node;
}

bool rpc_set_auth(struct rpc *rpc, const struct rpc_auth_options *auth, char **error)
{
    struct node *node = (struct node *)rpc;
    if (auth->n_rpcauth > 0 && strcmp(auth->rpcauth[0], "bad") == 0) {
        *error = xstrdup("bad login");
        return false;
    }
    node->n_told++;
    snprintf(node->told, sizeof node->told, "%s %s %zu %zu %d", auth->cookie,
             auth->n_rpcauth > 0 ? auth->rpcauth[0] : "-", auth->n_rpcauth, auth->n_whitelist,
             auth->whitelist_default);
    return true;
}

void p2p_set_whitelist(struct p2p *p2p, const char *const *whitelist, size_t n)
{
    struct node *node = (struct node *)p2p;
    size_t at = strlen(node->told);
    snprintf(node->told + at, sizeof node->told - at, " %s", n > 0 ? whitelist[0] : "-");
}

static void note_line(void *ctx, enum log_level level, enum log_category category, const char *line)
{
    struct node *node = ctx;
    assert_true(level == LOG_LEVEL_INFO || level == LOG_LEVEL_WARNING);
    assert_int_equal(category, LOG_ALWAYS);
    buffer_append_format(&node->lines, "%s;", line);
}

static void write_config(struct world *w, const char *text)
{
    FILE *file = fopen(temp_path(&w->dir, "cairn.conf"), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Reload by this config file, and compare what the node was told and the log says. */
static void assert_reload(struct world *w, struct reload *reload, const char *text,
                          const char *told, const char *lines)
{
    struct node *node = reload->node;
    write_config(w, text);
    node->lines.len = 0;
    reload_options(reload);
    buffer_append(&node->lines, "", 1);
    assert_string_equal((const char *)node->lines.p, lines);
    assert_string_equal(node->told, told);
}

TEST(what_is_safe_is_taken_over_and_the_rest_is_named, struct world *w)
{
    const char *argv[] = {"cairnd", w->datadir_arg};
    struct node node = {.log = {.write = note_line, .ctx = &node}};
    buffer_init(&node.lines);
    write_config(w, "debug=net\nrpcauth=a:b$c\n");
    ASSERT_OK(w, "-regtest=0");
    struct reload reload = {.argc = 2,
                            .argv = argv,
                            .first = &w->config,
                            .cookie = "c:d",
                            .log = &node.log,
                            .node = &node};
    node.log.categories = 1u << LOG_RPC; /* by the method logging */
    assert_reload(w, &reload, "debug=net\nrpcauth=a:b$c\nrpcauth=x:y$z\n", "c:d a:b$c 2 0 0 -",
                  "SIGHUP: -regtest has changed and counts after a restart;"
                  "SIGHUP: -rpcauth is as it reads now;");
    assert_int_equal(node.log.categories, 1u << LOG_RPC);
    assert_reload(w, &reload, "debug=mempool\nrpcwhitelist=a:stop\nwhitelist=1.2.3.4\n",
                  "c:d - 0 1 1 1.2.3.4",
                  "SIGHUP: -whitelist is as it reads now;SIGHUP: -debug is as it reads now;"
                  "SIGHUP: -rpcauth is as it reads now;SIGHUP: -rpcwhitelist is as it reads now;");
    assert_int_equal(node.log.categories, 1u << LOG_MEMPOOL);
    assert_reload(
        w, &reload, "debug=mempool\ndbcache=9\n", "c:d - 0 0 0 -",
        "SIGHUP: -dbcache has changed and counts after a restart;"
        "SIGHUP: -whitelist is as it reads now;SIGHUP: -rpcwhitelist is as it reads now;");
    assert_reload(w, &reload, "debug=mempool\ndbcache=9\n", "c:d - 0 0 0 -", "");
    assert_int_equal(node.n_told, 4);
    reload_deinit(&reload);
    buffer_deinit(&node.lines);
}

TEST(what_is_wrong_changes_nothing, struct world *w)
{
    const char *argv[] = {"cairnd", w->datadir_arg};
    struct node node = {.log = {.write = note_line, .ctx = &node}};
    buffer_init(&node.lines);
    write_config(w, "");
    ASSERT_OK(w, "-regtest=0");
    struct reload reload = {
        .argc = 2, .argv = argv, .first = &w->config, .log = &node.log, .node = &node};
    assert_reload(w, &reload, "debug=net\nrpcauth=bad\n", "",
                  "SIGHUP: all stays as it was: bad login;");
    assert_reload(w, &reload, "debug=nosuch\n", "",
                  "SIGHUP: all stays as it was: Unsupported logging category -debug=nosuch.;");
    assert_int_equal(node.log.categories, 0);
    assert_int_equal(node.n_told, 0);
    assert_null(reload.held);
    buffer_deinit(&node.lines);
}
