/* sim_world_calls.c - speaking to the nodes of a world by RPC. */
#include <stdio.h>
#include <string.h>

#include "sim/sim_anyone.h"
#include "sim/sim_world_internal.h"
#include "util/alloc.h"

#define SUMMARY_PATIENCE_US INT64_C(10000000)

/* What a call was answered. */
struct answer {
    sim_answer_fn *done;
    void *arg;
    int status;
    char body[];
};

static void on_answer(void *arg)
{
    struct answer *answer = arg;
    answer->done(answer->arg, answer->status, answer->body);
    xfree(answer);
}

/* The answer is told by the world's clock, as whoever asked is not of this machine. */
static void post_answer(const struct sim_call *call, int status, struct span body)
{
    struct sim_world *world = call->life->world;
    struct sim_events *events = world->machines[call->life->machine].events;
    struct answer *answer = xmalloc(sizeof *answer + body.len + 1);
    *answer = (struct answer){.done = call->done, .arg = call->arg, .status = status};
    memcpy(answer->body, body.p, body.len);
    answer->body[body.len] = '\0';
    sim_events_send(events, &world->events, &world->notes, sim_events_now_us(events), on_answer,
                    answer);
}

static void on_reply(void *arg, struct rpc_reply *reply)
{
    struct sim_call *call = arg;
    int status = call->life->is_ghost ? 0 : reply->status;
    list_remove(&call->life->calls, &call->link);
    buffer_append(&reply->body, "", 1);
    if (call->done && sim_lanes_are_moving(call->life->world->lanes))
        post_answer(call, status, span_of(reply->body.p, status ? reply->body.len : 0));
    else if (call->done)
        call->done(call->arg, status, status ? (const char *)reply->body.p : "");
    buffer_deinit(&reply->body);
    xfree(call);
}

void sim_life_drop_calls(struct sim_life *life)
{
    LIST_EACH (struct sim_call, call, &life->calls, link) {
        sim_answer_fn *done = call->done;
        call->done = NULL;
        if (done)
            done(call->arg, 0, "");
    }
}

void sim_world_call(struct sim_world *world, size_t i, const char *method, const char *params,
                    sim_answer_fn *done, void *arg)
{
    ASSERT(world);
    struct sim_life *life = world->machines[i].life;
    ASSERT(life);
    char *body = xasprintf("{\"method\":\"%s\",\"params\":%s,\"id\":1}", method, params);
    const struct rpc_request request = {.http_method = "POST",
                                        .uri = "/",
                                        .authorization = "Basic dTpw", /* u:p */
                                        .content_type = "application/json",
                                        .peer = "127.0.0.1:1",
                                        .body = span_of_string(body)};
    struct sim_call *call = xcalloc(1, sizeof *call);
    *call = (struct sim_call){.life = life, .done = done, .arg = arg};
    list_add_first(&life->calls, &call->link);
    (void)rpc_handle(node_rpc(life->node), &request, on_reply, call);
    xfree(body);
}

void sim_world_mine(struct sim_world *world, size_t i)
{
    char address[ADDRESS_SIZE], params[ADDRESS_SIZE + 8];
    sim_anyone_address(&world->network, address);
    snprintf(params, sizeof params, "[1,\"%s\"]", address);
    sim_world_trace(world, "%zu mines", i);
    sim_world_call(world, i, "generatetoaddress", params, NULL, NULL);
}

/* -- A node's state ------------------------------------------------------------------------------
 */

struct summary_wish {
    struct sim_summary *out;
    bool is_done, is_good;
};

/* Copy the 64 digits that follow a key; false if they are not there. */
static bool read_id(const char *body, const char *key, char out[HEX_ID_BYTES])
{
    const char *at = strstr(body, key);
    if (!at || strlen(at) < strlen(key) + HEX_ID_BYTES)
        return false;
    memcpy(out, at + strlen(key), HEX_ID_BYTES - 1);
    out[HEX_ID_BYTES - 1] = '\0';
    return true;
}

/* Read the number that follows a key, of at most nine digits; false if there is none. */
static bool read_number(const char *body, const char *key, int32_t *out)
{
    const char *at = strstr(body, key);
    *out = 0;
    if (!at)
        return false;
    at += strlen(key);
    for (int i = 0; i < 9 && at[i] >= '0' && at[i] <= '9'; i++)
        *out = *out * 10 + (at[i] - '0');
    return at[0] >= '0' && at[0] <= '9';
}

static void on_summary(void *arg, int status, const char *body)
{
    struct summary_wish *wish = arg;
    wish->is_done = true;
    wish->is_good = status == 200 && read_number(body, "\"height\":", &wish->out->height) &&
                    read_id(body, "\"bestblock\":\"", wish->out->tip) &&
                    read_id(body, "\"muhash\":\"", wish->out->muhash);
}

bool sim_world_summary(struct sim_world *world, size_t i, struct sim_summary *out)
{
    struct summary_wish wish = {.out = out};
    *out = (struct sim_summary){0};
    if (world->machines[i].state != SIM_MACHINE_ON)
        return false;
    sim_world_call(world, i, "gettxoutsetinfo", "[\"muhash\"]", on_summary, &wish);
    int64_t end_us = world->events.now_us + SUMMARY_PATIENCE_US;
    while (!wish.is_done && sim_world_step(world, end_us))
        ;
    if (!wish.is_done) { /* it must not answer into this frame, which is gone then */
        LIST_EACH (struct sim_call, call, &world->machines[i].life->calls, link)
            if (call->arg == &wish)
                call->done = NULL;
    }
    if (wish.is_good)
        sim_world_trace(world, "%zu has height %d, %s, muhash %s", i, out->height, out->tip,
                        out->muhash);
    return wish.is_good;
}
