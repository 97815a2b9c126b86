/* test_rest_events.c - streams of events: what a client hears, and what holds them back. */
#include "rpc/event_log.h"
#include "rpc/rest.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

static const struct rpc_auth_options holds_three = {
    .user = "u", .password = "p", .event_log_max = 3};

/* A client as the server has it. */
struct listener {
    struct rpc_rig_answer answer; /* first: what the reply goes to */
    struct buffer heard;
    size_t unread;
    bool is_refused; /* parking is */
    uint64_t token;
};

static bool park(void *arg)
{
    const struct listener *listener = arg;
    return !listener->is_refused;
}

static void send_part(void *arg, struct rpc_reply *part)
{
    struct listener *listener = arg;
    assert_string_equal(part->content_type, "text/event-stream");
    buffer_append(&listener->heard, part->body.p, part->body.len);
}

static size_t unread(void *arg)
{
    return ((struct listener *)arg)->unread;
}

static size_t unread_all(void *arg)
{
    (void)arg;
    return 0;
}

static const struct rpc_client client = {
    .park = park, .send_part = send_part, .unread = unread, .unread_all = unread_all};

static void listen_as(struct rpc_rig *rig, struct listener *listener, const char *cursor)
{
    const struct rpc_request request = {.http_method = "GET",
                                        .uri = "/events",
                                        .authorization = RPC_RIG_LOGIN,
                                        .last_event_id = cursor,
                                        .client = &client};
    listener->heard.len = 0;
    listener->token = rpc_rig_start(rig, &request, &listener->answer);
}

/* What has been heard, after a moment; the cursor of the last of it stays in place. */
static const char *hear(struct rpc_rig *rig, struct listener *listener)
{
    rpc_rig_run_for(rig, 1000);
    buffer_append(&listener->heard, "", 1);
    listener->heard.len = 0;
    return (const char *)listener->heard.p;
}

static void leave(struct rpc_rig *rig, struct listener *listener)
{
    rpc_cancel(rig->rpc, listener->token);
    buffer_deinit(&listener->heard);
}

static char *cursor_of(const char *text)
{
    const char *id = NULL;
    for (const char *at = text; (at = strstr(at, "id: ")); at++)
        id = at + 4;
    assert_non_null(id);
    char *cursor = xstrdup(id);
    cursor[strcspn(cursor, "\n")] = '\0';
    return cursor;
}

static void tell(struct rpc_rig *rig, int n)
{
    for (int i = 0; i < n; i++)
        rpc_on_block(rig->rpc, chain_tip(rig->chain.chain), true);
}

TEST(who_comes_back_hears_what_he_missed)
{
    struct rpc_rig rig;
    struct listener listener = {0};
    rpc_rig_init(&rig, NULL, &holds_three);
    listen_as(&rig, &listener, NULL);
    const char *heard = hear(&rig, &listener);
    assert_holds(heard, "event: hello\ndata: {\"hash\":");
    char *cursor = cursor_of(heard);
    tell(&rig, 1);
    assert_holds(hear(&rig, &listener), "-1\nevent: block_connected\n");
    leave(&rig, &listener);
    tell(&rig, 2);
    listen_as(&rig, &listener, cursor);
    heard = hear(&rig, &listener);
    assert_null(strstr(heard, "reset"));
    assert_holds(heard, "-1\nevent: block_connected\n");
    assert_holds(heard, "-3\nevent: block_connected\n");
    leave(&rig, &listener);
    /* One more than are held is one too many. */
    tell(&rig, 1);
    listen_as(&rig, &listener, cursor);
    heard = hear(&rig, &listener);
    assert_holds(heard, "-4\nevent: reset\n");
    assert_null(strstr(heard, "block_connected"));
    leave(&rig, &listener);
    xfree(cursor);
    rpc_rig_deinit(&rig);
}

TEST(who_does_not_read_is_not_told_more)
{
    struct rpc_rig rig;
    struct listener listener = {0};
    rpc_rig_init(&rig, NULL, NULL);
    listen_as(&rig, &listener, NULL);
    (void)hear(&rig, &listener);
    listener.unread = 10000000;
    tell(&rig, 1000);
    rpc_rig_run_for(&rig, 60000000);
    assert_string_equal(hear(&rig, &listener), "");
    listener.unread = 0;
    rpc_rig_run_for(&rig, 1000000);
    assert_holds(hear(&rig, &listener), "-1000\nevent: block_connected\n");
    leave(&rig, &listener);
    rpc_rig_deinit(&rig);
}

TEST(nothing_happening_is_told_by_a_beat)
{
    struct rpc_rig rig;
    struct listener listener = {0};
    rpc_rig_init(&rig, NULL, NULL);
    listen_as(&rig, &listener, NULL);
    (void)hear(&rig, &listener);
    rpc_rig_run_for(&rig, 31000000);
    assert_string_equal(hear(&rig, &listener), ":\n\n:\n\n");
    leave(&rig, &listener);
    rpc_rig_deinit(&rig);
}

TEST(so_many_may_listen)
{
    struct rpc_rig rig;
    static struct listener listeners[RPC_STREAMS_MAX + 1];
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        listen_as(&rig, &listeners[i], NULL);
    assert_false(listeners[RPC_STREAMS_MAX - 1].answer.is_done);
    assert_int_equal(listeners[RPC_STREAMS_MAX].answer.status, 503);
    rpc_rig_forget(&listeners[RPC_STREAMS_MAX].answer);
    leave(&rig, &listeners[0]);
    listen_as(&rig, &listeners[0], NULL);
    assert_false(listeners[0].answer.is_done);
    for (size_t i = 0; i < RPC_STREAMS_MAX; i++)
        leave(&rig, &listeners[i]);
    rpc_rig_deinit(&rig);
}

TEST(only_who_may_listens)
{
    struct rpc_rig rig;
    struct listener listener = {.is_refused = true};
    rpc_rig_init(&rig, NULL, NULL);
    assert_starts(rpc_rig_get(&rig, "/events"), "401 ");
    listen_as(&rig, &listener, NULL);
    assert_int_equal(listener.answer.status, 503);
    rpc_rig_forget(&listener.answer);
    rpc_rig_deinit(&rig);
    static const char *const whitelist[] = {"u:getblockcount"};
    const struct rpc_auth_options restricted = {
        .user = "u", .password = "p", .whitelist = whitelist, .n_whitelist = 1};
    rpc_rig_init(&rig, NULL, &restricted);
    listen_as(&rig, &listener, NULL);
    assert_int_equal(listener.answer.status, 403);
    rpc_rig_forget(&listener.answer);
    rpc_rig_deinit(&rig);
}

TEST(the_end_of_the_node_is_the_end_of_the_stream)
{
    struct rpc_rig rig;
    struct listener listener = {0};
    rpc_rig_init(&rig, NULL, NULL);
    listen_as(&rig, &listener, NULL);
    (void)hear(&rig, &listener);
    rpc_interrupt(rig.rpc);
    assert_true(listener.answer.is_done);
    assert_int_equal(listener.answer.status, 200);
    assert_int_equal(rpc_pending(rig.rpc), 0);
    rpc_rig_forget(&listener.answer);
    buffer_deinit(&listener.heard);
    rpc_rig_deinit(&rig);
}
