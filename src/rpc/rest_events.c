/* rest_events.c - /events: what happens, as server-sent events that can be taken up again.
 *
 * A stream is a parked call that never ends by itself. It is told what the log has, up to so many
 * bytes that its client has not read; behind that the log holds what is to come, and who is slower
 * than the log is long hears "reset". Spec: HTML, 9.2 Server-sent events */
#include "rpc/chain_json.h"
#include "rpc/event_log.h"
#include "rpc/rest.h"

enum {
    WINDOW_BYTES = 256 * 1024, /* not read by a client */
    PART_BYTES = 32 * 1024,    /* sent at once */
    FULL_WAIT_MS = 50,         /* for a client to read */
    BEAT_MS = 15000,           /* between signs of life: who is gone shows by them */
};

struct stream {
    uint64_t next; /* the number that is to be told */
};

static void on_turn(void *arg);

static void send_part(struct rpc_call *call)
{
    struct rpc_reply part = {.status = 200,
                             .content_type = "text/event-stream",
                             .headers = call->headers,
                             .body = call->answer};
    ASSERT(call->reply && call->answer.len > 0);
    buffer_init(&call->answer);
    call->in_parts = true;
    call->client->send_part(call->reply_arg, &part);
    buffer_deinit(&part.body);
}

/* "hello" at the beginning, "reset" where something is lost: in either case what is true now. */
static void put_state(struct rpc_call *call, const char *name)
{
    struct stream *stream = call->state;
    const struct event_log *log = call->rpc->events;
    const struct block_node *tip = chain_tip(call->rpc->node->chain);
    char cursor[EVENT_CURSOR_BYTES];
    stream->next = event_log_next(log);
    buffer_append_format(&call->answer, "id: %s\nevent: %s\ndata: ",
                         event_log_cursor(log, stream->next - 1, cursor), name);
    struct json_out out = json_out_to(&call->answer);
    json_open_object(&out);
    json_field_id(&out, "hash", tip->hash.b);
    json_field_int(&out, "height", tip->height);
    json_close_object(&out);
    buffer_append_string(&call->answer, "\n\n");
}

static void put_events(struct rpc_call *call)
{
    struct stream *stream = call->state;
    const struct event_log *log = call->rpc->events;
    while (stream->next < event_log_next(log) && call->answer.len < PART_BYTES) {
        if (!event_log_find(log, stream->next)) {
            put_state(call, "reset");
            return;
        }
        event_log_write(log, stream->next++, &call->answer);
    }
}

static void go_on(struct rpc_call *call, bool is_beat)
{
    const struct stream *stream = call->state;
    size_t unread = call->client->unread(call->reply_arg);
    bool is_full = unread > WINDOW_BYTES;
    if (!is_full)
        put_events(call);
    if (is_beat && !is_full && call->answer.len == 0)
        buffer_append_string(&call->answer, ":\n\n");
    if (call->answer.len > 0)
        send_part(call);
    bool is_behind = stream->next < event_log_next(call->rpc->events);
    rpc_call_timer(call, is_full ? FULL_WAIT_MS : is_behind ? 0 : BEAT_MS, on_turn);
}

static void on_turn(void *arg)
{
    struct rpc_call *call = arg;
    const struct stream *stream = call->state;
    call->timer = 0;
    go_on(call, stream->next == event_log_next(call->rpc->events));
}

/* Several that come together make one part. */
static void on_event(struct rpc_call *call)
{
    const struct stream *stream = call->state;
    if (stream->next + 1 == event_log_next(call->rpc->events))
        rpc_call_timer(call, 0, on_turn);
}

static void end_stream(struct rpc_call *call)
{
    ASSERT(call->rpc->n_streams > 0);
    call->rpc->n_streams--;
    rpc_finish(call);
}

static bool read_cursor(struct rpc_call *call, const char **cursor)
{
    *cursor = call->rest->last_event_id;
    return *cursor || rest_query(call, "last_event_id", NULL, cursor);
}

enum rpc_progress rest_events(struct rpc_call *call)
{
    struct rpc *rpc = call->rpc;
    struct stream *stream = arena_calloc(&call->arena, 1, sizeof *stream);
    const char *cursor;
    uint64_t heard;
    if (!call->rest->is_get || !call->client)
        return rest_fail(call, 405, "Only GET is handled here");
    if (!read_cursor(call, &cursor))
        return RPC_DONE;
    if (rpc->n_streams >= RPC_STREAMS_MAX)
        return rest_fail(call, 503, "More than %d clients listen already", RPC_STREAMS_MAX);
    if (!rpc_park(call))
        return rest_fail(call, 503, "Too many calls wait for something to happen");
    rpc->n_streams++;
    call->state = stream;
    call->on_event = on_event;
    call->on_interrupt = end_stream;
    if (cursor && event_log_read_cursor(rpc->events, cursor, &heard)) {
        stream->next = heard + 1;
        buffer_append_string(&call->answer, ":\n\n"); /* so that the head goes out */
    } else {
        put_state(call, cursor ? "reset" : "hello");
    }
    rpc_call_timer(call, 0, on_turn);
    return RPC_PENDING;
}

/* -- What is logged --------------------------------------------------------------------------- */

static void wake(struct rpc *rpc)
{
    LIST_EACH (struct rpc_call, call, &rpc->calls, link)
        if (call->on_event)
            call->on_event(call);
}

void rpc_on_block(struct rpc *rpc, const struct block_node *block, bool is_connected)
{
    ASSERT(block);
    struct event *event = event_log_add(rpc->events);
    event->kind = is_connected ? EVENT_BLOCK_CONNECTED : EVENT_BLOCK_DISCONNECTED;
    memcpy(event->id, block->hash.b, sizeof event->id);
    if (block->prev)
        memcpy(event->other, block->prev->hash.b, sizeof event->other);
    event->height = block->height;
    event->n_tx = block->n_tx;
    wake(rpc);
}

static enum event_kind kind_of(const struct mempool_event *change)
{
    if (change->reason == MEMPOOL_ADDED)
        return EVENT_TX_ACCEPTED;
    return change->replaced_by ? EVENT_TX_REPLACED : EVENT_TX_REMOVED;
}

void rpc_on_mempool_changed(struct rpc *rpc, const struct mempool_event *change)
{
    ASSERT(change->entry);
    const struct mempool_entry *entry = change->entry;
    if (change->reason == MEMPOOL_SENT_AGAIN)
        return;
    struct event *event = event_log_add(rpc->events);
    event->kind = kind_of(change);
    event->reason = change->reason;
    memcpy(event->id, entry->tx.txid.b, sizeof event->id);
    memcpy(event->other, entry->tx.wtxid.b, sizeof event->other);
    if (change->replaced_by)
        memcpy(event->by, change->replaced_by->b, sizeof event->by);
    event->vbytes = entry->vbytes;
    event->fee_sat = entry->fee_sat;
    event->sequence = change->sequence;
    wake(rpc);
}
