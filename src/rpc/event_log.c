/* event_log.c - see event_log.h */
#include "rpc/event_log.h"

#include <stdio.h>
#include <string.h>

#include "rpc/json_out.h"
#include "util/alloc.h"
#include "util/parse.h"

#define FIRST_CAPACITY 16

struct event_log {
    struct event *at; /* owned; of number n at n % max */
    size_t capacity;  /* of at: max, or less while it is not full */
    size_t max;
    uint64_t next;
    uint32_t life;
};

struct event_log *event_log_new(size_t max, uint32_t life)
{
    ASSERT(max > 0 && max <= EVENT_LOG_MOST);
    struct event_log *log = xcalloc(1, sizeof *log);
    *log = (struct event_log){.max = max, .next = 1, .life = life};
    return log;
}

void event_log_free(struct event_log *log)
{
    if (!log)
        return;
    xfree(log->at);
    xfree(log);
}

static void make_room(struct event_log *log, size_t index)
{
    if (index < log->capacity)
        return;
    size_t capacity = log->capacity ? 2 * log->capacity : FIRST_CAPACITY;
    log->capacity = capacity < log->max ? capacity : log->max;
    log->at = xrealloc(log->at, log->capacity, sizeof *log->at);
    ASSERT(index < log->capacity);
}

struct event *event_log_add(struct event_log *log)
{
    ASSERT(log);
    size_t index = (size_t)(log->next++ % log->max);
    make_room(log, index);
    log->at[index] = (struct event){0};
    return &log->at[index];
}

uint64_t event_log_next(const struct event_log *log)
{
    ASSERT(log->next > 0);
    return log->next;
}

static uint64_t oldest(const struct event_log *log)
{
    return log->next > log->max ? log->next - log->max : 1;
}

const struct event *event_log_find(const struct event_log *log, uint64_t number)
{
    ASSERT(log);
    if (number < oldest(log) || number >= log->next)
        return NULL;
    return &log->at[number % log->max];
}

/* -- Text ------------------------------------------------------------------------------------- */

char *event_log_cursor(const struct event_log *log, uint64_t number, char *out)
{
    ASSERT(number < log->next && out);
    snprintf(out, EVENT_CURSOR_BYTES, "%08x-%llu", (unsigned)log->life, (unsigned long long)number);
    return out;
}

bool event_log_read_cursor(const struct event_log *log, const char *text, uint64_t *number)
{
    ASSERT(text && number);
    char life[16];
    snprintf(life, sizeof life, "%08x-", (unsigned)log->life);
    return strncmp(text, life, strlen(life)) == 0 && parse_uint64(text + strlen(life), number) &&
           *number < log->next && *number + 1 >= oldest(log);
}

static void put_block(struct json_out *out, const struct event *event)
{
    json_field_id(out, "hash", event->id);
    json_field_int(out, "height", event->height);
    json_field_id(out, "previousblockhash", event->other);
    json_field_int(out, "nTx", event->n_tx);
}

static void put_tx(struct json_out *out, const struct event *event)
{
    json_field_id(out, "txid", event->id);
    json_field_id(out, "wtxid", event->other);
    json_field_int(out, "vsize", event->vbytes);
    json_field_amount(out, "fee", event->fee_sat);
    json_field_int(out, "mempool_sequence", (int64_t)event->sequence);
    if (event->kind == EVENT_TX_REMOVED)
        json_field_string(out, "reason", mempool_reason_name(event->reason));
    if (event->kind == EVENT_TX_REPLACED)
        json_field_id(out, "replaced_by", event->by);
}

void event_log_write(const struct event_log *log, uint64_t number, struct buffer *out)
{
    static const char *const names[] = {
        [EVENT_BLOCK_CONNECTED] = "block_connected",
        [EVENT_BLOCK_DISCONNECTED] = "block_disconnected",
        [EVENT_TX_ACCEPTED] = "tx_accepted",
        [EVENT_TX_REMOVED] = "tx_removed",
        [EVENT_TX_REPLACED] = "tx_replaced",
    };
    const struct event *event = event_log_find(log, number);
    ASSERT(event && (size_t)event->kind < COUNT_OF(names));
    char cursor[EVENT_CURSOR_BYTES];
    buffer_append_format(out, "id: %s\nevent: %s\ndata: ", event_log_cursor(log, number, cursor),
                         names[event->kind]);
    struct json_out json = json_out_to(out);
    json_open_object(&json);
    if (event->kind <= EVENT_BLOCK_DISCONNECTED)
        put_block(&json, event);
    else
        put_tx(&json, event);
    json_close_object(&json);
    buffer_append_string(out, "\n\n");
}
