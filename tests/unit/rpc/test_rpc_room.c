/* test_rpc_room.c - a bound for all answers together, and batches that go out in parts. */
#include "rpc/rpc.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

/* A client: what came, and how much of it has not been read. */
struct listener {
    struct rpc_rig_answer answer; /* first: the rig fills it */
    size_t unread, *unread_all;
    struct buffer parts;
    int n_parts, n_parked;
};

struct world {
    struct rpc_rig rig;
    size_t unread_all; /* of others */
};

static bool park(void *arg)
{
    struct listener *listener = arg;
    listener->n_parked++;
    return true;
}

static void take_part(void *arg, struct rpc_reply *part)
{
    struct listener *listener = arg;
    assert_false(listener->answer.is_done);
    assert_int_equal(part->status, 200);
    buffer_append(&listener->parts, part->body.p, part->body.len);
    listener->unread += part->body.len;
    *listener->unread_all += part->body.len;
    listener->n_parts++;
}

static size_t unread_of(void *arg)
{
    const struct listener *listener = arg;
    return listener->unread;
}

static size_t unread_of_all(void *arg)
{
    const struct listener *listener = arg;
    return *listener->unread_all;
}

static const struct rpc_client client = {
    .park = park, .send_part = take_part, .unread = unread_of, .unread_all = unread_of_all};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    rpc_rig_init(&w->rig, NULL, NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    rpc_rig_deinit(&w->rig);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static uint64_t ask_from(struct world *w, struct listener *listener, const char *body,
                         const char *peer)
{
    *listener = (struct listener){.unread_all = &w->unread_all};
    const struct rpc_request request = {.http_method = "POST",
                                        .uri = "/",
                                        .authorization = RPC_RIG_LOGIN,
                                        .peer = peer,
                                        .body = span_of_string(body),
                                        .client = &client};
    return rpc_rig_start(&w->rig, &request, &listener->answer);
}

static uint64_t ask(struct world *w, struct listener *listener, const char *body)
{
    return ask_from(w, listener, body, NULL);
}

/* The client reads what it has got. */
static void drain(struct world *w, struct listener *listener)
{
    w->unread_all -= listener->unread;
    listener->unread = 0;
    rpc_on_room(w->rig.rpc);
    rpc_rig_run_for(&w->rig, 100000);
}

static void forget(struct listener *listener)
{
    rpc_rig_forget(&listener->answer);
    buffer_deinit(&listener->parts);
}

static const char large[] = "{\"method\":\"echo\",\"params\":[7],\"id\":1}";
static const char light[] = "{\"method\":\"getblockhash\",\"params\":[0],\"id\":1}";
static const char quick[] = "{\"method\":\"getblockcount\",\"id\":1}";

TEST(a_large_answer_waits_until_others_are_read, struct world *w)
{
    struct listener one, other;
    w->unread_all = RPC_ANSWERS_BYTES_MAX - RPC_LARGE_BYTES;
    ask(w, &one, large);
    assert_true(one.answer.is_done);
    forget(&one);

    w->unread_all++;
    ask(w, &one, large);
    rpc_rig_run_for(&w->rig, 5000000);
    assert_false(one.answer.is_done);
    assert_int_equal(one.n_parked, 1);
    ask(w, &other, quick);
    assert_true(other.answer.is_done);
    forget(&other);
    w->unread_all = 2 * RPC_ANSWERS_BYTES_MAX;
    ask(w, &other, light);
    assert_true(other.answer.is_done);
    forget(&other);

    w->unread_all = RPC_ANSWERS_BYTES_MAX - RPC_LARGE_BYTES;
    drain(w, &one);
    assert_true(one.answer.is_done);
    assert_string_equal(one.answer.body, "{\"result\":[7],\"error\":null,\"id\":1}\n");
    forget(&one);
}

TEST(who_waits_longest_begins_first, struct world *w)
{
    struct listener listeners[3];
    w->unread_all = RPC_ANSWERS_BYTES_MAX;
    ask(w, &listeners[0], large);
    ask(w, &listeners[1], large);
    w->unread_all = 0;
    ask(w, &listeners[2], large); /* there is room, but not for who came last */
    for (int i = 0; i < 3; i++)
        assert_false(listeners[i].answer.is_done);
    rpc_rig_run_for(&w->rig, 100000);
    for (int i = 0; i < 3; i++) {
        assert_true(listeners[i].answer.is_done);
        forget(&listeners[i]);
    }
}

/* A batch of n calls of echo with len bytes each. */
static char *batch_of(int n, size_t len)
{
    struct buffer body;
    buffer_init(&body);
    char *text = xmalloc(len + 1);
    memset(text, 'z', len);
    text[len] = 0;
    for (int i = 0; i < n; i++)
        buffer_append_format(&body, "%s{\"method\":\"echo\",\"params\":[\"%s\"],\"id\":%d}",
                             i ? "," : "[", text, i);
    buffer_append(&body, "]", 2);
    xfree(text);
    return (char *)body.p;
}

static int count_of(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

TEST(a_long_batch_goes_out_as_its_client_reads, struct world *w)
{
    struct listener listener;
    const size_t len = 1 << 20;
    const int n = 40;
    char *body = batch_of(n, len);
    ask(w, &listener, body);
    rpc_rig_run_for(&w->rig, 5000000);
    assert_false(listener.answer.is_done);
    assert_true(listener.unread > RPC_BATCH_WHOLE_MAX);
    assert_true(listener.unread < RPC_BATCH_WHOLE_MAX + 2 * len);
    for (int turns = 0; !listener.answer.is_done; turns++) {
        assert_true(turns < 2 * n);
        drain(w, &listener);
        assert_true(listener.unread <= RPC_BATCH_WINDOW + len + 1000);
    }
    assert_true(listener.n_parts > 4);
    buffer_append(&listener.parts, listener.answer.body, strlen(listener.answer.body) + 1);
    const char *text = (const char *)listener.parts.p;
    assert_int_equal(count_of(text, "{\"result\":[\"zz"), n);
    assert_non_null(strstr(text, "z\"],\"error\":null,\"id\":39}]\n"));
    xfree(body);
    forget(&listener);
}

TEST(a_batch_that_is_not_long_is_sent_whole, struct world *w)
{
    struct listener listener;
    char *body = batch_of(31, 1 << 20);
    ask(w, &listener, body);
    rpc_rig_wait(&w->rig, &listener.answer);
    assert_int_equal(listener.n_parts, 0);
    assert_true(strlen(listener.answer.body) > (31 << 20));
    xfree(body);
    forget(&listener);
}

TEST(a_batch_that_must_wait_sends_what_it_has, struct world *w)
{
    struct listener listener;
    ask(w, &listener, "[{\"method\":\"getblockcount\",\"id\":1},{\"method\":\"getblockcount\"}]");
    assert_true(listener.answer.is_done); /* light ones go on, few as they are */
    forget(&listener);
    w->unread_all = RPC_ANSWERS_BYTES_MAX + 1;
    ask(w, &listener, "[{\"method\":\"getblockcount\",\"id\":1},{\"method\":\"echo\",\"id\":2}]");
    assert_false(listener.answer.is_done);
    assert_int_equal(listener.n_parts, 1);
    w->unread_all = 0;
    listener.unread = 0;
    drain(w, &listener);
    assert_true(listener.answer.is_done);
    assert_string_equal(listener.answer.body, ",{\"result\":[],\"error\":null,\"id\":2}]\n");
    forget(&listener);
    /* Nothing but notifications: no part, no answer. */
    w->unread_all = RPC_ANSWERS_BYTES_MAX + 1;
    ask(w, &listener, "[{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}]");
    assert_int_equal(listener.n_parts, 0);
    w->unread_all = 0;
    drain(w, &listener);
    assert_int_equal(listener.answer.status, 204);
    forget(&listener);
}

TEST(the_end_of_the_node_ends_the_waiting, struct world *w)
{
    struct listener single, batch, gone;
    w->unread_all = RPC_ANSWERS_BYTES_MAX + 1;
    ask(w, &single, large);
    ask(w, &batch, "[{\"method\":\"getblockcount\",\"id\":1},{\"method\":\"echo\",\"id\":2}]");
    rpc_cancel(w->rig.rpc, ask(w, &gone, large));
    assert_int_equal(rpc_pending(w->rig.rpc), 2);
    rpc_interrupt(w->rig.rpc);
    assert_int_equal(rpc_pending(w->rig.rpc), 0);
    assert_int_equal(single.answer.status, 503);
    assert_true(batch.answer.is_cut); /* its first part is out: the end cannot look like one */
    assert_false(gone.answer.is_done);
    forget(&single);
    forget(&batch);
}

/* A client with many connections keeps its own calls waiting, and no one else's. */
TEST(a_client_has_its_share_of_large_answers, struct world *w)
{
    struct listener mine[RPC_SHARE_LEAST + 2], other;
    char *body = xasprintf("{\"method\":\"getblock\",\"params\":[\"%s\",3]}",
                           rpc_rig_id(&w->rig, w->rig.builder.genesis));
    for (size_t i = 0; i < COUNT_OF(mine); i++) {
        char peer[32];
        snprintf(peer, sizeof peer, "192.0.2.1:%zu", 1000 + i);
        ask_from(w, &mine[i], body, peer);
        assert_int_equal(mine[i].n_parked, i >= RPC_SHARE_LEAST);
    }
    ask_from(w, &other, body, "192.0.2.2:1000");
    assert_int_equal(other.n_parked, 0);
    rpc_rig_wait(&w->rig, &other.answer);
    rpc_rig_forget(&other.answer);
    for (size_t i = 0; i < COUNT_OF(mine); i++) {
        rpc_rig_wait(&w->rig, &mine[i].answer);
        assert_int_equal(mine[i].answer.status, 200);
        rpc_rig_forget(&mine[i].answer);
    }
    xfree(body);
}
