/* test_rpc_call.c - handlers that fail, wait and use jobs, in a table of their own. */
#include "rpc/method_table.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

static enum rpc_progress fail_late(struct rpc_call *call)
{
    json_put_string(&call->out, "half an answer");
    return rpc_fail(call, RPC_MISC_ERROR, "%s after %d", "bad", 1);
}

static enum rpc_progress fail_twice(struct rpc_call *call)
{
    rpc_fail(call, RPC_MISC_ERROR, "first");
    return rpc_fail(call, RPC_TYPE_ERROR, "second");
}

static enum rpc_progress fail_at_length(struct rpc_call *call)
{
    char *text = xmalloc(100001);
    memset(text, 'a', 100000);
    text[100000] = '\0';
    rpc_fail(call, RPC_MISC_ERROR, "%s", text);
    xfree(text);
    return RPC_DONE;
}

static void on_late(void *arg)
{
    struct rpc_call *call = arg;
    json_put_string(&call->out, "late");
    rpc_finish(call);
}

static void on_never(void *arg)
{
    (void)arg;
    fail_msg("a timer that was replaced has fired");
}

static enum rpc_progress wait_a_little(struct rpc_call *call)
{
    rpc_call_timer(call, 5, on_never);
    rpc_call_timer(call, 10, on_late);
    return RPC_PENDING;
}

static enum rpc_progress finish_inside(struct rpc_call *call)
{
    json_put_string(&call->out, "inside");
    rpc_finish(call);
    return RPC_PENDING;
}

static void run_job(struct env_job *job)
{
    ++*(int *)rpc_job_call(job)->state;
}

static void end_job(struct rpc_call *call)
{
    assert_int_equal(*(int *)call->state, 1);
    ++*(int *)call->state;
}

static enum rpc_progress go_on(struct rpc_call *call)
{
    assert_int_equal(*(int *)call->state, 2);
    json_put_string(&call->out, "went on");
    return RPC_DONE;
}

static enum rpc_progress use_steps(struct rpc_call *call)
{
    call->state = arena_calloc(&call->arena, 1, sizeof(int));
    rpc_run_step(call, run_job, end_job, go_on);
    return RPC_PENDING;
}

static void run_whole(struct env_job *job)
{
    json_put_string(&rpc_job_call(job)->out, "a job's");
}

static enum rpc_progress use_job(struct rpc_call *call)
{
    rpc_run_job(call, run_whole, NULL);
    return RPC_PENDING;
}

static const struct rpc_method table[] = {
    {"failatlength", "A", fail_at_length, 0, "h", "r", {{0}}},
    {"faillate", "A", fail_late, 0, "h", "r", {{0}}},
    {"failtwice", "A", fail_twice, 0, "h", "r", {{0}}},
    {"finishinside", "A", finish_inside, 0, "h", "r", {{0}}},
    {"usejob", "A", use_job, 0, "h", "r", {{0}}},
    {"usesteps", "A", use_steps, 0, "h", "r", {{0}}},
    {"waitalittle", "A", wait_a_little, 0, "h", "r", {{0}}},
};

/* A rig that answers by the methods above. */
static void init(struct rpc_rig *rig)
{
    static const struct rpc_methods methods = {table, COUNT_OF(table)};
    static const struct rpc_auth_options auth = {.user = "u", .password = "p"};
    char *error = NULL;
    rpc_rig_init(rig, NULL, NULL);
    rpc_free(rig->rpc);
    rig->rpc = rpc_new(&rig->node, &methods, &auth, &error);
    assert_non_null(rig->rpc);
}

TEST(an_error_replaces_what_was_written)
{
    struct rpc_rig rig;
    init(&rig);
    assert_call(&rig, "faillate", "[]", "-1: bad after 1");
    assert_call(&rig, "failtwice", "[]", "-3: second");
    assert_int_equal(strlen(rpc_rig_call(&rig, "failatlength", "[]")), strlen("-1: ") + 65535);
    rpc_rig_deinit(&rig);
}

TEST(a_call_may_end_inside_its_handler_or_later)
{
    struct rpc_rig rig;
    init(&rig);
    assert_call(&rig, "finishinside", "[]", "\"inside\"");
    assert_call(&rig, "waitalittle", "[]", "\"late\"");
    assert_call(&rig, "usejob", "[]", "\"a job's\"");
    assert_call(&rig, "usesteps", "[]", "\"went on\"");
    assert_int_equal(rpc_pending(rig.rpc), 0);
    rpc_rig_deinit(&rig);
}

TEST(only_methods_of_the_table_are_there)
{
    struct rpc_rig rig;
    init(&rig);
    assert_call(&rig, "getblockcount", "[]", "-32601: Method not found");
    rpc_rig_deinit(&rig);
}

TEST(the_context_for_signing_is_made_once)
{
    struct rpc_rig rig;
    init(&rig);
    const struct ec_context *first = rpc_ec_context(rig.rpc);
    assert_non_null(first);
    assert_ptr_equal(rpc_ec_context(rig.rpc), first);
    rpc_rig_deinit(&rig);
}
