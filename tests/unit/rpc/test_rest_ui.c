/* test_rest_ui.c - the dashboard's routes: its page, its address, the map of the mesh. */
#include "rpc/rest.h"
#include "rpc/ui.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/replace_file.h"

#define HOST   "127.0.0.1:18443"
#define ORIGIN "http://" HOST

static const struct rpc_auth_options with_ui = {
    .user = "u", .password = "p", .ui_address = ORIGIN, .ui_mesh_path = "map.json"};

struct fixture {
    struct rpc_rig rig;
    char *cookie; /* of a session */
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    rpc_rig_init(&f->rig, NULL, &with_ui);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    xfree(f->cookie);
    rpc_rig_deinit(&f->rig);
    test_free(f);
    return 0;
}

FIXTURE(setup, teardown)

static struct rpc_rig_answer get(struct fixture *f, const char *uri)
{
    struct rpc_rig_answer answer;
    const struct rpc_request request = {
        .http_method = "GET", .uri = uri, .host = HOST, .cookie = f->cookie};
    rpc_rig_start(&f->rig, &request, &answer);
    rpc_rig_wait(&f->rig, &answer);
    return answer;
}

static void log_in(struct fixture *f)
{
    char path[100];
    const char *address = rpc_rig_call(&f->rig, "ui", "[]");
    assert_starts(address, "\"" ORIGIN "/ui/?token=");
    snprintf(path, sizeof path, "%.*s", (int)strlen("/ui/?token=") + 32, strstr(address, "/ui/"));
    struct rpc_rig_answer answer = get(f, path);
    assert_int_equal(answer.status, 303);
    assert_holds(answer.headers, "Location: /ui/\r\n");
    const char *cookie = strstr(answer.headers, "cairn_ui_18443=");
    assert_non_null(cookie);
    f->cookie = xasprintf("%.*s", (int)strcspn(cookie, ";"), cookie);
    rpc_rig_forget(&answer);
    answer = get(f, path);
    assert_int_equal(answer.status, 403);
    assert_holds(answer.body, "<title>Cairn</title>");
    rpc_rig_forget(&answer);
}

TEST(without_the_option_there_is_nothing)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const char *const paths[] = {"/ui", "/ui/", "/ui/rpc", "/ui/events", "/ui/mesh"};
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_starts(rpc_rig_get(&rig, "%s", paths[i]), "404 ");
    assert_call(&rig, "ui", "[]", "-1: The dashboard is off: start the node with -ui");
    rpc_rig_deinit(&rig);
}

TEST(the_page_is_there_while_the_node_starts, struct fixture *f)
{
    f->rig.warmup = "Replaying";
    struct rpc_rig_answer answer = get(f, "/ui/");
    assert_int_equal(answer.status, 200);
    assert_starts(answer.headers, UI_HEADERS "Content-Security-Policy: default-src 'none';");
    rpc_rig_forget(&answer);
    answer = get(f, "/ui");
    assert_int_equal(answer.status, 303);
    rpc_rig_forget(&answer);
}

TEST(an_address_begins_a_session, struct fixture *f)
{
    struct rpc_rig_answer answer;
    log_in(f);
    struct rpc_request request = {
        .http_method = "POST",
        .uri = "/ui/rpc",
        .host = HOST,
        .origin = ORIGIN,
        .cookie = f->cookie,
        .content_type = "application/json",
        .body = span_of_string("{\"method\":\"getblockhash\",\"params\":[0],\"id\":1}")};
    rpc_rig_start(&f->rig, &request, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.headers, UI_HEADERS);
    rpc_rig_forget(&answer);
    request.body = span_of_string("{\"method\":\"stop\",\"id\":1}");
    rpc_rig_start(&f->rig, &request, &answer);
    assert_int_equal(answer.status, 403);
    assert_false(f->rig.is_stopped);
    rpc_rig_forget(&answer);
    char *error;
    assert_true(rpc_set_auth(f->rig.rpc, &with_ui, &error)); /* logins may have gone */
    rpc_rig_start(&f->rig, &request, &answer);
    assert_string_equal(answer.body, "no session");
    rpc_rig_forget(&answer);
}

/* The file as it is, up to 1 MiB. */
TEST(a_map_is_given_as_it_is, struct fixture *f)
{
    log_in(f);
    struct rpc_rig_answer answer = get(f, "/ui/mesh");
    assert_int_equal(answer.status, 404);
    rpc_rig_forget(&answer);
    struct buffer map = {0};
    memset(buffer_reserve(&map, (1 << 20) + 1), ' ', (1 << 20) + 1);
    for (size_t i = 0; i < 2; i++) {
        map.len = (1 << 20) + i;
        assert_int_equal(replace_file(f->rig.node.env, "map.json", buffer_span(&map)), 0);
        answer = get(f, "/ui/mesh");
        assert_int_equal(answer.status, i == 0 ? 200 : 500);
        assert_string_equal(answer.content_type, i == 0 ? "application/json" : "text/plain");
        rpc_rig_forget(&answer);
    }
    buffer_deinit(&map);
}
