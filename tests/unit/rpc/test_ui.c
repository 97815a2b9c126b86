/* test_ui.c - addresses and sessions of the dashboard, and whose requests are its page's. */
#include "rpc/ui.h"

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

#define HOST   "127.0.0.1:18443"
#define ORIGIN "http://" HOST

struct fixture {
    struct rpc_rig rig; /* for its world */
    struct ui *ui;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    rpc_rig_init(&f->rig, NULL, NULL);
    f->ui = ui_new(f->rig.node.env, ORIGIN, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ui_free(f->ui);
    rpc_rig_deinit(&f->rig);
    test_free(f);
    return 0;
}

FIXTURE(setup, teardown)

/* What is said to a request of our page but for its cookie's value. */
static int judge(const struct fixture *f, const char *session, char user[AUTH_USER_MAX])
{
    const char *text;
    char *cookie = xasprintf("theme=dark; cairn_ui_18443=%s; x=y", session);
    const struct rpc_request request = {.http_method = "POST",
                                        .host = HOST,
                                        .origin = ORIGIN,
                                        .content_type = "application/json",
                                        .cookie = cookie};
    int status = ui_judge(f->ui, &request, user, &text);
    xfree(cookie);
    return status;
}

static bool is_session(const struct fixture *f, const char *session)
{
    char user[AUTH_USER_MAX];
    return judge(f, session, user) == 0;
}

static void begin(struct fixture *f, char session[UI_SECRET_TEXT])
{
    char token[UI_SECRET_TEXT];
    ui_invite(f->ui, "u", token);
    assert_true(ui_redeem(f->ui, token, session));
}

TEST(a_token_begins_one_session_of_its_user, struct fixture *f)
{
    char token[UI_SECRET_TEXT], session[UI_SECRET_TEXT], user[AUTH_USER_MAX];
    ui_invite(f->ui, "alice", token);
    assert_int_equal(strlen(token), 32);
    assert_false(is_session(f, token));
    assert_true(ui_redeem(f->ui, token, session));
    assert_false(ui_redeem(f->ui, token, session));
    assert_int_equal(judge(f, session, user), 0);
    assert_string_equal(user, "alice");
    assert_false(ui_redeem(f->ui, session, session));
    assert_int_equal(judge(f, token, user), 403);
    assert_string_equal(user, "");
}

/* What is free has a secret of zeros, which is nobody's. */
TEST(nothing_begins_with_what_is_no_token, struct fixture *f)
{
    static const char *const wrong[] = {"", "0", "00000000000000000000000000000000",
                                        "0000000000000000000000000000000g",
                                        "000000000000000000000000000000000000"};
    char session[UI_SECRET_TEXT];
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(ui_redeem(f->ui, wrong[i], session));
        assert_false(is_session(f, wrong[i]));
    }
}

TEST(tokens_and_sessions_end_with_their_time, struct fixture *f)
{
    char token[UI_SECRET_TEXT], session[UI_SECRET_TEXT], late[UI_SECRET_TEXT];
    begin(f, session);
    ui_invite(f->ui, "u", token);
    rpc_rig_run_for(&f->rig, (UI_TOKEN_S - 1) * INT64_C(1000000));
    ui_invite(f->ui, "u", late);
    rpc_rig_run_for(&f->rig, 2 * INT64_C(1000000));
    assert_false(ui_redeem(f->ui, token, token));
    assert_true(ui_redeem(f->ui, late, late));
    assert_true(is_session(f, session));
    rpc_rig_run_for(&f->rig, (UI_SESSION_S - UI_TOKEN_S) * INT64_C(1000000));
    assert_false(is_session(f, session));
    assert_true(is_session(f, late));
}

TEST(the_oldest_gives_way_at_the_limit, struct fixture *f)
{
    char first[UI_SECRET_TEXT], second[UI_SECRET_TEXT], last[UI_SECRET_TEXT];
    begin(f, first);
    begin(f, second);
    for (int i = 2; i < UI_SESSIONS_MAX; i++)
        begin(f, last);
    assert_true(is_session(f, first));
    begin(f, last);
    assert_false(is_session(f, first));
    assert_true(is_session(f, second) && is_session(f, last));
    ui_invite(f->ui, "u", first);
    ui_invite(f->ui, "u", second);
    for (int i = 2; i <= UI_TOKENS_MAX; i++)
        ui_invite(f->ui, "u", last);
    assert_false(ui_redeem(f->ui, first, first));
    assert_true(ui_redeem(f->ui, second, second));
    ui_end_all(f->ui);
    assert_false(is_session(f, second));
    assert_false(ui_redeem(f->ui, last, last));
}

TEST(a_cookie_is_named_by_the_port)
{
    static const struct {
        const char *host, *name;
    } cases[] = {
        {NULL, "cairn_ui"},
        {"localhost", "cairn_ui"},
        {"localhost:80", "cairn_ui_80"},
        {"[::1]:18443", "cairn_ui_18443"},
        {"[::1]", "cairn_ui"},
        {"x:123456", "cairn_ui"},
        {"x:12;a", "cairn_ui"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char name[UI_COOKIE_NAME];
        ui_cookie_name(cases[i].host, name);
        assert_string_equal(name, cases[i].name);
    }
}

TEST(only_our_own_page_asks, struct fixture *f)
{
    static const struct {
        const char *method, *host, *origin, *type;
        int want;
    } cases[] = {
        {"POST", HOST, ORIGIN, "application/json; charset=utf-8", 0},
        {"POST", HOST, "https://" HOST, "application/json", 0},
        {"GET", HOST, NULL, NULL, 0},
        {"GET", HOST, ORIGIN, NULL, 0},
        {"GET", HOST, "http://127.0.0.1:80", NULL, 403},
        {"POST", HOST, NULL, "application/json", 403},
        {"POST", HOST, "null", "application/json", 403},
        {"POST", HOST, "http://127.0.0.1:18444", "application/json", 403},
        {"POST", NULL, ORIGIN, "application/json", 403},
        {"POST", HOST, ORIGIN, "text/plain", 403},
        {"POST", HOST, ORIGIN, NULL, 403},
    };
    char session[UI_SECRET_TEXT], user[AUTH_USER_MAX];
    const char *text;
    begin(f, session);
    char *cookie = xasprintf("cairn_ui_18443=%s", session);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct rpc_request request = {.http_method = cases[i].method,
                                            .host = cases[i].host,
                                            .origin = cases[i].origin,
                                            .content_type = cases[i].type,
                                            .cookie = cookie};
        if (ui_judge(f->ui, &request, user, &text) != cases[i].want)
            fail_msg("case %zu", i);
    }
    xfree(cookie);
}

TEST(other_sites_may_lead_here_with_an_address_alone)
{
    static const struct {
        const char *method, *uri, *site, *mode, *dest;
        bool is_elsewhere, may;
    } cases[] = {
        {"GET", "/ui/", NULL, NULL, NULL, false, false},
        {"GET", "/ui/", "none", "navigate", "document", false, false},
        {"GET", "/ui/", "same-origin", "no-cors", "image", false, false},
        {"GET", "/ui/", "same-site", "navigate", "document", true, false},
        {"GET", "/ui/", "cross-site", "navigate", "document", true, false},
        {"GET", "/ui/", "", "navigate", "document", true, false},
        {"GET", "/ui/?token=x", "cross-site", "navigate", "document", true, true},
        {"GET", "/ui/?token=x", "same-site", "navigate", "document", true, true},
        {"GET", "/ui/?token=x", "cross-site", "navigate", "iframe", true, false},
        {"GET", "/ui/?token=x", "cross-site", "no-cors", "document", true, false},
        {"GET", "/ui/?token=x", "cross-site", NULL, NULL, true, false},
        {"POST", "/ui/?token=x", "cross-site", "navigate", "document", true, false},
        {"GET", "/ui/mesh?token=x", "cross-site", "navigate", "document", true, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct rpc_request request = {.http_method = cases[i].method,
                                            .uri = cases[i].uri,
                                            .fetch_site = cases[i].site,
                                            .fetch_mode = cases[i].mode,
                                            .fetch_dest = cases[i].dest};
        if (ui_is_from_elsewhere(&request) != cases[i].is_elsewhere ||
            ui_may_come_from_elsewhere(&request) != cases[i].may)
            fail_msg("case %zu", i);
    }
}

TEST(a_session_may_not_change_anything)
{
    assert_true(ui_method_is_safe("getblock"));
    assert_true(ui_method_is_safe("uptime"));
    assert_false(ui_method_is_safe(""));
    assert_false(ui_method_is_safe("stop"));
    assert_false(ui_method_is_safe("getbloc"));
    assert_false(ui_method_is_safe("getblock "));
}
