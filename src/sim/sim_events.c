/* sim_events.c - a binary heap by (time, id), with a map from id to event for cancelling. */
#include "sim/sim_events.h"

#include "util/alloc.h"

struct sim_event {
    int64_t at_us; /* never before the clock */
    uint64_t id;   /* counts up: breaks ties, so that what was asked for first happens first */
    size_t place;  /* in the heap */
    void (*fn)(void *arg);
    void *arg;
    const void *owner;
};

void sim_events_init(struct sim_events *events, int64_t now_us)
{
    ASSERT(events);
    *events = (struct sim_events){.now_us = now_us};
    hash_map_init(&events->by_id);
}

void sim_events_deinit(struct sim_events *events)
{
    ASSERT(events);
    for (size_t i = 0; i < events->heap.n; i++)
        xfree(events->heap.at[i]);
    ARRAY_FREE(&events->heap);
    hash_map_deinit(&events->by_id);
    *events = (struct sim_events){0};
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->id < b->id;
}

static void put(struct sim_events *events, size_t place, struct sim_event *event)
{
    events->heap.at[place] = event;
    event->place = place;
}

/* Move event, which is meant for place, towards the root while it is before its parent. */
static void sift_up(struct sim_events *events, size_t place, struct sim_event *event)
{
    while (place > 0 && is_before(event, events->heap.at[(place - 1) / 2])) {
        put(events, place, events->heap.at[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(events, place, event);
}

static void sift_down(struct sim_events *events, size_t place, struct sim_event *event)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= events->heap.n)
            break;
        if (child + 1 < events->heap.n &&
            is_before(events->heap.at[child + 1], events->heap.at[child]))
            child++;
        if (!is_before(events->heap.at[child], event))
            break;
        put(events, place, events->heap.at[child]);
        place = child;
    }
    put(events, place, event);
}

/* Ids count up, so they spread well over the map when multiplied by an odd constant. */
static uint64_t id_hash(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15) >> 16;
}

static bool has_id(const void *value, const void *key)
{
    return ((const struct sim_event *)value)->id == *(const uint64_t *)key;
}

uint64_t sim_events_add(struct sim_events *events, int64_t at_us, void (*fn)(void *arg), void *arg)
{
    return sim_events_add_for(events, NULL, at_us, fn, arg);
}

uint64_t sim_events_add_for(struct sim_events *events, const void *owner, int64_t at_us,
                            void (*fn)(void *arg), void *arg)
{
    struct sim_event *event = xmalloc(sizeof *event);
    *event = (struct sim_event){
        .at_us = at_us > events->now_us ? at_us : events->now_us,
        .id = ++events->last_id,
        .fn = fn,
        .arg = arg,
        .owner = owner,
    };
    *ARRAY_ADD(&events->heap) = event;
    sift_up(events, events->heap.n - 1, event);
    hash_map_insert(&events->by_id, id_hash(event->id), event);
    return event->id;
}

/* The last of the heap fills the gap; it may belong above or below that. */
static void take_out(struct sim_events *events, struct sim_event *event)
{
    size_t place = event->place;
    struct sim_event *last = events->heap.at[--events->heap.n];
    if (last != event) {
        if (place > 0 && is_before(last, events->heap.at[(place - 1) / 2]))
            sift_up(events, place, last);
        else
            sift_down(events, place, last);
    }
}

void sim_events_cancel(struct sim_events *events, uint64_t id)
{
    ASSERT(events);
    struct sim_event *event = hash_map_remove(&events->by_id, id_hash(id), has_id, &id);
    if (!event)
        return;
    take_out(events, event);
    xfree(event);
}

void sim_events_forget(struct sim_events *events, const void *owner)
{
    /* Taking one out moves others about, so look again until a round finds none. */
    bool found = true;
    while (found) {
        found = false;
        for (size_t i = events->heap.n; i-- > 0;) {
            if (i >= events->heap.n || events->heap.at[i]->owner != owner)
                continue;
            sim_events_cancel(events, events->heap.at[i]->id);
            found = true;
        }
    }
}

int64_t sim_events_next_us(const struct sim_events *events)
{
    return events->heap.n ? events->heap.at[0]->at_us : INT64_MAX;
}

bool sim_events_step(struct sim_events *events)
{
    if (events->heap.n == 0)
        return false;
    struct sim_event event = *events->heap.at[0];
    sim_events_cancel(events, event.id);
    ASSERT(event.at_us >= events->now_us);
    events->now_us = event.at_us;
    event.fn(event.arg);
    return true;
}
