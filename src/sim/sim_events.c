/* sim_events.c - a heap of {time, order} by time, then order, that leads to the events' rows. */
#include "sim/sim_events.h"

#include "util/alloc.h"

#define ROW_BITS   24 /* of an id */
#define COUNT_BITS 40 /* of an order, below the number of who made it */
#define CHILDREN   4

_Static_assert(SIM_EVENTS_MAX < 1 << ROW_BITS, "a row's number fits into its part of an id");

void sim_events_init(struct sim_events *events, int64_t now_us)
{
    ASSERT(events);
    *events = (struct sim_events){.now_us = now_us};
    *ARRAY_ADD(&events->rows) = (struct sim_event_row){0};
}

void sim_events_deinit(struct sim_events *events)
{
    ASSERT(events);
    ARRAY_FREE(&events->heap);
    ARRAY_FREE(&events->rows);
    *events = (struct sim_events){0};
}

/* -- Rows ------------------------------------------------------------------------------------- */

static uint32_t row_of(uint64_t id)
{
    return (uint32_t)(id & SIM_EVENTS_MAX);
}

static uint32_t take_row(struct sim_events *events)
{
    uint32_t row = events->free_row;
    if (row) {
        events->free_row = events->rows.at[row].next_row;
        return row;
    }
    ASSERT(events->rows.n <= SIM_EVENTS_MAX);
    row = (uint32_t)events->rows.n;
    (void)ARRAY_ADD(&events->rows);
    return row;
}

static void give_row(struct sim_events *events, uint32_t number)
{
    events->rows.at[number] = (struct sim_event_row){.next_row = events->free_row};
    events->free_row = number;
}

static void link_row(struct sim_events *events, uint32_t number)
{
    struct sim_event_row *row = &events->rows.at[number];
    if (!row->owner)
        return;
    row->next_row = row->owner->first_row;
    if (row->next_row)
        events->rows.at[row->next_row].prev_row = number;
    row->owner->first_row = number;
}

static void unlink_row(struct sim_events *events, uint32_t number)
{
    const struct sim_event_row *row = &events->rows.at[number];
    if (!row->owner)
        return;
    if (row->prev_row)
        events->rows.at[row->prev_row].next_row = row->next_row;
    else
        row->owner->first_row = row->next_row;
    if (row->next_row)
        events->rows.at[row->next_row].prev_row = row->prev_row;
}

/* -- The heap --------------------------------------------------------------------------------- */

static bool is_before(const struct sim_event_place *a, const struct sim_event_place *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void put(struct sim_events *events, size_t place, const struct sim_event_place *event)
{
    events->heap.at[place] = *event;
    events->rows.at[event->row].place = (uint32_t)place;
}

/* Move event, which is meant for place, towards the root while it is before its parent. */
static void sift_up(struct sim_events *events, size_t place, struct sim_event_place event)
{
    while (place > 0 && is_before(&event, &events->heap.at[(place - 1) / CHILDREN])) {
        put(events, place, &events->heap.at[(place - 1) / CHILDREN]);
        place = (place - 1) / CHILDREN;
    }
    put(events, place, &event);
}

static void sift_down(struct sim_events *events, size_t place, struct sim_event_place event)
{
    const struct sim_event_place *heap = events->heap.at;
    size_t n = events->heap.n, first;
    while ((first = CHILDREN * place + 1) < n) {
        size_t child = first, end = MIN_OF(first + CHILDREN, n);
        for (size_t i = first + 1; i < end; i++)
            if (is_before(&heap[i], &heap[child]))
                child = i;
        if (!is_before(&heap[child], &event))
            break;
        put(events, place, &heap[child]);
        place = child;
    }
    put(events, place, &event);
}

/* The last of the heap fills the gap; it may belong above or below that. */
static void take_out(struct sim_events *events, size_t place)
{
    struct sim_event_place last = events->heap.at[--events->heap.n];
    if (place == events->heap.n)
        return;
    if (place > 0 && is_before(&last, &events->heap.at[(place - 1) / CHILDREN]))
        sift_up(events, place, last);
    else
        sift_down(events, place, last);
}

/* Its part knows when it is next. */
static void tell_next(const struct sim_events *events)
{
    struct sim_part *part = events->part;
    if (!part)
        return;
    int64_t next_us = events->heap.n ? events->heap.at[0].at_us : INT64_MAX;
    part->next_us[events->place] = next_us;
    part->least_us = MIN_OF(part->least_us, next_us);
}

/* -- Events ----------------------------------------------------------------------------------- */

uint64_t sim_events_add(struct sim_events *events, int64_t at_us, void (*fn)(void *arg), void *arg)
{
    return sim_events_add_for(events, NULL, at_us, fn, arg);
}

static uint64_t next_order(struct sim_events *events)
{
    return (uint64_t)events->number << COUNT_BITS | ++events->n_made;
}

static uint64_t insert(const struct sim_letter *letter)
{
    struct sim_events *events = letter->to;
    struct sim_event_place place = letter->place;
    place.row = take_row(events);
    place.at_us = MAX_OF(place.at_us, sim_events_now_us(events));
    uint64_t id = ++events->n_ids << ROW_BITS | place.row;
    events->rows.at[place.row] = (struct sim_event_row){
        .id = id, .fn = letter->fn, .arg = letter->arg, .owner = letter->owner};
    link_row(events, place.row);
    (void)ARRAY_ADD(&events->heap);
    sift_up(events, events->heap.n - 1, place);
    tell_next(events);
    return id;
}

uint64_t sim_events_add_for(struct sim_events *events, struct sim_owner *owner, int64_t at_us,
                            void (*fn)(void *arg), void *arg)
{
    ASSERT(events && fn);
    const struct sim_letter letter = {.to = events,
                                      .owner = owner,
                                      .place = {.at_us = at_us, .order = next_order(events)},
                                      .fn = fn,
                                      .arg = arg};
    return insert(&letter);
}

void sim_events_send(struct sim_events *from, struct sim_events *to, struct sim_owner *owner,
                     int64_t at_us, void (*fn)(void *arg), void *arg)
{
    ASSERT(from && to && fn);
    const struct sim_letter letter = {.to = to,
                                      .owner = owner,
                                      .place = {.at_us = at_us, .order = next_order(from)},
                                      .fn = fn,
                                      .arg = arg};
    if (from == to || !from->part) {
        (void)insert(&letter);
        return;
    }
    struct sim_box *box = &from->part->out[to->box];
    *ARRAY_ADD(&box->letters) = letter;
    box->least_us = MIN_OF(box->least_us, at_us);
}

void sim_events_take(const struct sim_letter *letter)
{
    ASSERT(letter && letter->place.at_us >= letter->to->now_us);
    (void)insert(letter);
}

static void drop(struct sim_events *events, uint32_t row)
{
    take_out(events, events->rows.at[row].place);
    unlink_row(events, row);
    give_row(events, row);
}

void sim_events_cancel(struct sim_events *events, uint64_t id)
{
    ASSERT(events);
    uint32_t row = row_of(id);
    if (row == 0 || row >= events->rows.n || events->rows.at[row].id != id)
        return;
    drop(events, row);
    tell_next(events);
}

void sim_events_drop(struct sim_events *events, struct sim_owner *owner, void (*fn)(void *arg))
{
    ASSERT(events && owner);
    while (owner->first_row) {
        void *arg = events->rows.at[owner->first_row].arg;
        drop(events, owner->first_row);
        if (fn)
            fn(arg);
    }
    tell_next(events);
}

void sim_events_forget(struct sim_events *events, struct sim_owner *owner)
{
    sim_events_drop(events, owner, NULL);
}

int64_t sim_events_next_us(const struct sim_events *events)
{
    ASSERT(events);
    return events->heap.n ? events->heap.at[0].at_us : INT64_MAX;
}

bool sim_events_step(struct sim_events *events)
{
    if (events->heap.n == 0)
        return false;
    struct sim_event_place next = events->heap.at[0];
    const struct sim_event_row event = events->rows.at[next.row];
    drop(events, next.row);
    tell_next(events);
    ASSERT(next.at_us >= events->now_us);
    events->now_us = next.at_us;
    event.fn(event.arg);
    return true;
}
