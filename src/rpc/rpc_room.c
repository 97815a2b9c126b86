/* rpc_room.c - when a call may begin: a bound for the memory of all answers together.
 *
 * An answer holds memory while it is made and until its client has read it. Methods whose answers
 * can be large begin only while there is room for one more; batches go on only while there is room
 * at all. Who has to wait takes nobody's place, and the bytes that are in the way are all with
 * clients who read, or are let go for not reading, so every call has its turn. What is quick never
 * waits, and light answers of single calls don't either: there are no more of them than clients. */
#include <stdio.h>

#include "rpc/method_table.h"
#include "rpc/rest_call.h"
#include "util/alloc.h"

static void hold(struct rpc_call *call, size_t bytes)
{
    struct rpc *rpc = call->rpc;
    ASSERT(rpc->held_bytes >= call->held_bytes);
    rpc->held_bytes += bytes - call->held_bytes;
    call->held_bytes = bytes;
}

/* The flags of the method that the next entry calls; 0 if it is none. Of a REST route, those that
 * count here. */
static int entry_flags(const struct rpc_call *call)
{
    if (call->rest)
        return call->rest->route->flags & REST_LARGE ? RPC_LARGE : 0;
    const struct json_value *name = json_find(call->entry, "method");
    if (!name || name->kind != JSON_KIND_STRING)
        return 0;
    const struct rpc_method *method = method_find(call->rpc->methods, name->text);
    return method ? method->flags : 0;
}

static size_t all_bytes(const struct rpc_call *call)
{
    return call->rpc->held_bytes + call->client->unread_all(call->reply_arg);
}

bool rpc_room_has(const struct rpc_call *call)
{
    ASSERT(call->held_bytes <= call->rpc->held_bytes);
    ASSERT(call);
    if (!call->client || !call->reply)
        return true;
    size_t all = all_bytes(call);
    return all == 0 || all + RPC_LARGE_BYTES <= RPC_ANSWERS_BYTES_MAX;
}

/* -- Shares ----------------------------------------------------------------------------------- */

/* "user@host", cut if too long. By hand: printf would be a fiftieth of a light call. */
static void name_client(struct rpc_load *load, const char *user, struct span host)
{
    size_t room = sizeof load->client - 2, n_user = strlen(user);
    ASSERT(n_user <= room);
    host.len = MIN_OF(host.len, room - n_user);
    memcpy(load->client, user, n_user);
    load->client[n_user] = '@';
    if (host.len)
        memcpy(load->client + n_user + 1, host.p, host.len);
    load->client[n_user + 1 + host.len] = '\0';
}

void rpc_room_of_client(struct rpc_call *call, const char *user, const char *peer)
{
    ASSERT(!call->load && user);
    struct rpc *rpc = call->rpc;
    struct rpc_load named = {0};
    const char *port = peer ? strrchr(peer, ':') : NULL;
    name_client(&named, user, span_of(peer, port ? (size_t)(port - peer) : 0));
    LIST_EACH (struct rpc_load, load, &rpc->loads, link)
        if (strcmp(load->client, named.client) == 0)
            call->load = load;
    if (!call->load) {
        call->load = xmalloc(sizeof *call->load);
        *call->load = named;
        list_add_first(&rpc->loads, &call->load->link);
    }
    call->load->n_calls++;
}

static void leave_load(struct rpc_call *call)
{
    if (!call->is_in_load)
        return;
    ASSERT(call->load && call->load->n_large > 0);
    call->load->n_large--;
    call->is_in_load = false;
    rpc_on_room(call->rpc);
}

/* A client whose large answers are in the making on all threads has nothing to gain from more of
 * them in the queue; the others have: theirs come next. */
static bool has_its_share(const struct rpc_call *call)
{
    size_t threads = (size_t)env_compute_threads(call->rpc->node->env);
    size_t share = threads > RPC_SHARE_LEAST ? threads : RPC_SHARE_LEAST;
    return call->load && call->load->n_large >= share;
}

static bool may_begin(const struct rpc_call *call)
{
    if (!call->client || !call->reply)
        return true;
    size_t unread = call->in_parts ? call->client->unread(call->reply_arg) : 0;
    if (unread > RPC_BATCH_WINDOW)
        return false;
    if (call->entry_is_large)
        return rpc_room_has(call) && !has_its_share(call);
    return !call->is_batch || call->answer.len + unread <= RPC_SMALL_BYTES ||
           all_bytes(call) <= RPC_ANSWERS_BYTES_MAX;
}

/* -- Parts of a batch's answer -------------------------------------------------------------- */

static void send_part(struct rpc_call *call)
{
    ASSERT(call->is_batch && call->client && call->reply);
    struct rpc_reply part = {
        .status = call->status, .content_type = "application/json", .body = call->answer};
    buffer_init(&call->answer);
    call->in_parts = true;
    hold(call, 0);
    call->client->send_part(call->reply_arg, &part);
    buffer_deinit(&part.body);
}

/* Send what a batch has made, if it is much. The first bracket alone stays: there may be no answer
 * at all. */
static void send_if_more_than(struct rpc_call *call, size_t most)
{
    if (call->is_batch && call->client && call->reply && call->answer.len > most)
        send_part(call);
}

/* -- Waiting -------------------------------------------------------------------------------- */

void rpc_room_leave(struct rpc_call *call)
{
    ASSERT(call->rpc->n_wait_for_room >= call->waits_for_room);
    call->rpc->n_wait_for_room -= call->waits_for_room;
    call->waits_for_room = false;
}

void rpc_room_forget(struct rpc_call *call)
{
    rpc_room_leave(call);
    rpc_room_give(call);
    struct rpc_load *load = call->load;
    if (!load)
        return;
    ASSERT(load->n_calls > 0);
    call->load = NULL;
    if (--load->n_calls > 0)
        return;
    list_remove(&call->rpc->loads, &load->link);
    xfree(load);
}

/* The first call that came of those that may begin now. */
static struct rpc_call *next_to_begin(const struct rpc *rpc)
{
    struct rpc_call *first = NULL;
    LIST_EACH (struct rpc_call, call, &rpc->calls, link) {
        if (call->waits_for_room && (!first || call->token < first->token) && may_begin(call))
            first = call;
    }
    return first;
}

/* Does an older call wait that could begin? What is large takes no room away from it. */
static bool is_before_its_turn(const struct rpc_call *call)
{
    if (!call->entry_is_large || call->rpc->n_wait_for_room == 0)
        return false;
    const struct rpc_call *first = next_to_begin(call->rpc);
    return first && first->token < call->token;
}

static void on_room(void *arg)
{
    struct rpc *rpc = arg;
    rpc->room_timer = 0;
    struct rpc_call *call = rpc->n_wait_for_room > 0 ? next_to_begin(rpc) : NULL;
    if (!call)
        return;
    rpc_room_leave(call);
    rpc_on_room(rpc); /* one a turn: the others have theirs in between */
    rpc->run(call);
}

void rpc_on_room(struct rpc *rpc)
{
    ASSERT(rpc);
    const struct env *env = rpc->node->env;
    if (rpc->n_wait_for_room > 0 && rpc->room_timer == 0)
        rpc->room_timer = env_timer_start(env, 0, on_room, rpc);
}

bool rpc_room_take(struct rpc_call *call)
{
    struct rpc *rpc = call->rpc;
    int flags = entry_flags(call);
    ASSERT(!call->waits_for_room);
    send_if_more_than(call, call->in_parts ? RPC_BATCH_PART : RPC_BATCH_WHOLE_MAX);
    /* Doubling would copy megabytes on the loop; what is not written takes no memory. */
    if (call->is_batch && call->answer.len > RPC_BATCH_WINDOW)
        (void)buffer_reserve(&call->answer, RPC_BATCH_WHOLE_MAX - call->answer.len);
    call->entry_is_large = flags & RPC_LARGE;
    if (may_begin(call) && !is_before_its_turn(call)) {
        hold(call, call->answer.len + (call->entry_is_large ? RPC_LARGE_BYTES : 0));
        call->is_in_load = call->load && call->entry_is_large;
        if (call->is_in_load)
            call->load->n_large++;
        return true;
    }
    send_if_more_than(call, 1);
    if (call->client->park)
        (void)call->client->park(call->reply_arg); /* if there is no place: it waits all the same */
    call->waits_for_room = true;
    rpc->n_wait_for_room++;
    rpc_on_room(rpc);
    return false;
}

void rpc_room_give(struct rpc_call *call)
{
    ASSERT(call->held_bytes <= call->rpc->held_bytes);
    ASSERT(call);
    leave_load(call);
    bool is_less = call->answer.len < call->held_bytes;
    hold(call, call->answer.len);
    if (is_less)
        rpc_on_room(call->rpc);
}

bool rpc_park(struct rpc_call *call)
{
    ASSERT(!call->entry_done);
    ASSERT(call);
    rpc_room_give(call); /* others may come and go meanwhile */
    if (!call->client || !call->reply || call->client->park(call->reply_arg))
        return true;
    rpc_fail(call, RPC_MISC_ERROR, "Too many calls wait for something to happen");
    call->is_queue_full = true;
    return false;
}
