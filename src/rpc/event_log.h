/* event_log.h - the last things that happened to blocks and transactions, numbered, for /events.
 *
 * Layer: rpc. Loop thread. A ring of so many events, each of EVENT_BYTES_MAX or less; the memory
 * for them is taken as they come. A cursor is the mark of this life of the node and a number: who
 * comes back with one hears what came after it, as long as it is held. */
#ifndef RPC_EVENT_LOG_H
#define RPC_EVENT_LOG_H

#include "mempool/mempool.h"
#include "util/buffer.h"

#define EVENT_LOG_DEFAULT  100000 /* events held */
#define EVENT_LOG_MOST     10000000
#define EVENT_CURSOR_BYTES 40

enum event_kind {
    EVENT_BLOCK_CONNECTED,
    EVENT_BLOCK_DISCONNECTED,
    EVENT_TX_ACCEPTED,
    EVENT_TX_REMOVED,
    EVENT_TX_REPLACED,
};

struct event {
    enum event_kind kind;
    enum mempool_reason reason; /* of EVENT_TX_REMOVED */
    uint8_t id[32];             /* of the block or transaction */
    uint8_t other[32];          /* the block before; the transaction's wtxid */
    uint8_t by[32];             /* of EVENT_TX_REPLACED: the id of who replaced it */
    int32_t height;
    uint32_t n_tx, vbytes;
    int64_t fee_sat;
    uint64_t sequence; /* the mempool's number */
};

#define EVENT_BYTES_MAX 160
_Static_assert(sizeof(struct event) <= EVENT_BYTES_MAX, "what the limit of events is worth");

struct event_log;

/* Make an empty log of at most so many events; life tells it from those of other lives of the node.
 * Owns: the caller. */
struct event_log *event_log_new(size_t max, uint32_t life);
/* NULL is allowed. */
void event_log_free(struct event_log *log);
/* Add an event to be filled in; the oldest goes if there are enough. Borrowed until the next. */
struct event *event_log_add(struct event_log *log);
/* The number of the event that comes next; the first is 1. */
uint64_t event_log_next(const struct event_log *log);
/* The event of that number; NULL if it is not held any more, or not yet. */
const struct event *event_log_find(const struct event_log *log, uint64_t number);

/* The cursor of who has heard of that number. Returns: out, of EVENT_CURSOR_BYTES */
char *event_log_cursor(const struct event_log *log, uint64_t number, char *out);
/* The number that a cursor stands for. False if it is none of this log, or what came after it is
 * not held any more. */
NODISCARD bool event_log_read_cursor(const struct event_log *log, const char *text,
                                     uint64_t *number);
/* Append an event as server-sent events have it: id, name, data as JSON. */
void event_log_write(const struct event_log *log, uint64_t number, struct buffer *out);

#endif
