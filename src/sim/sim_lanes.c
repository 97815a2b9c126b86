/* sim_lanes.c - see sim_lanes.h.
 *
 * Lanes are in parts, each of which is moved by one thread at a time. What they send waits in a box
 * for each part, and each part empties those that are for it when its next window begins; of each
 * box there are two, one that is filled and one that is emptied. */
#include "sim/sim_lanes.h"

#include "util/alloc.h"

#define FEW_EVENTS        24 /* in a window: waking others costs more than doing it alone */
#define PARTS_OF_A_THREAD 4  /* so that none has nothing left to do while another has much */

struct lane_part {
    struct sim_part part;
    struct sim_events *events;
    size_t n;
    struct sim_box *boxes[2]; /* for each part, and for the base; part.out is one of them */
    uint64_t n_run;           /* in its last window */
};

struct sim_lanes {
    struct sim_events *base;
    const struct team *team;  /* or NULL */
    struct lane_part **parts; /* each of its own memory: threads write it */
    size_t n_parts;
    bool is_second; /* which of the boxes are filled now */
    bool is_moving;
    int64_t end_us; /* of the window: before that */
};

/* -- The whole -------------------------------------------------------------------------------- */

static struct sim_box *boxes_new(size_t n)
{
    struct sim_box *boxes = xcalloc(n, sizeof *boxes);
    for (size_t i = 0; i < n; i++)
        boxes[i].least_us = INT64_MAX;
    return boxes;
}

static struct lane_part *part_new(const struct sim_lanes *lanes, size_t number, size_t n)
{
    struct lane_part *part = xcalloc(1, sizeof *part);
    part->n = n;
    part->events = xcalloc(n + 1, sizeof *part->events);
    part->boxes[0] = boxes_new(lanes->n_parts + 1);
    part->boxes[1] = boxes_new(lanes->n_parts + 1);
    part->part.next_us = xcalloc(n + 1, sizeof *part->part.next_us);
    part->part.least_us = INT64_MAX;
    part->part.out = part->boxes[0];
    for (size_t i = 0; i < n; i++) {
        struct sim_events *events = &part->events[i];
        sim_events_init(events, lanes->base->now_us);
        part->part.next_us[i] = INT64_MAX;
        events->number = (uint32_t)(i * lanes->n_parts + number + 1);
        events->base = lanes->base;
        events->part = &part->part;
        events->place = i;
        events->box = number;
    }
    return part;
}

struct sim_lanes *sim_lanes_new(struct sim_events *base, size_t n, const struct team *team)
{
    ASSERT(base);
    struct sim_lanes *lanes = xcalloc(1, sizeof *lanes);
    lanes->base = base;
    lanes->team = team;
    lanes->n_parts = team && team->n > 1 ? team->n * PARTS_OF_A_THREAD : 1;
    lanes->parts = xcalloc(lanes->n_parts, sizeof(struct lane_part *));
    for (size_t i = 0; i < lanes->n_parts; i++)
        lanes->parts[i] = part_new(lanes, i, (n + lanes->n_parts - 1 - i) / lanes->n_parts);
    base->box = lanes->n_parts;
    return lanes;
}

static void part_free(const struct sim_lanes *lanes, struct lane_part *part)
{
    for (size_t i = 0; i < part->n; i++)
        sim_events_deinit(&part->events[i]);
    for (size_t i = 0; i <= lanes->n_parts; i++) {
        ARRAY_FREE(&part->boxes[0][i].letters);
        ARRAY_FREE(&part->boxes[1][i].letters);
    }
    xfree(part->boxes[0]);
    xfree(part->boxes[1]);
    xfree(part->part.next_us);
    xfree(part->events);
    xfree(part);
}

void sim_lanes_free(struct sim_lanes *lanes)
{
    ASSERT(lanes && !lanes->is_moving);
    for (size_t i = 0; i < lanes->n_parts; i++)
        part_free(lanes, lanes->parts[i]);
    xfree(lanes->parts);
    xfree(lanes);
}

struct sim_events *sim_lanes_at(struct sim_lanes *lanes, size_t i)
{
    ASSERT(lanes && i / lanes->n_parts < lanes->parts[i % lanes->n_parts]->n);
    return &lanes->parts[i % lanes->n_parts]->events[i / lanes->n_parts];
}

bool sim_lanes_are_moving(const struct sim_lanes *lanes)
{
    return lanes->is_moving;
}

/* -- Letters ---------------------------------------------------------------------------------- */

static void empty(struct sim_box *box)
{
    for (size_t i = 0; i < box->letters.n; i++)
        sim_events_take(&box->letters.at[i]);
    box->letters.n = 0;
    box->least_us = INT64_MAX;
}

static void take_for_base(const struct sim_lanes *lanes)
{
    for (size_t i = 0; i < lanes->n_parts; i++)
        empty(&lanes->parts[i]->part.out[lanes->n_parts]);
}

/* From now on the other boxes are filled, and what these have is taken. */
static void turn_boxes(struct sim_lanes *lanes)
{
    lanes->is_second = !lanes->is_second;
    for (size_t i = 0; i < lanes->n_parts; i++)
        lanes->parts[i]->part.out = lanes->parts[i]->boxes[lanes->is_second];
}

static void take_for_part(const struct sim_lanes *lanes, size_t number)
{
    for (size_t i = 0; i < lanes->n_parts; i++)
        empty(&lanes->parts[i]->boxes[!lanes->is_second][number]);
}

void sim_lanes_settle(struct sim_lanes *lanes)
{
    ASSERT(lanes && !lanes->is_moving);
    take_for_base(lanes);
    turn_boxes(lanes);
    for (size_t i = 0; i < lanes->n_parts; i++)
        take_for_part(lanes, i);
}

/* -- Windows ---------------------------------------------------------------------------------- */

static int64_t next_us(const struct sim_lanes *lanes)
{
    int64_t least_us = INT64_MAX;
    for (size_t i = 0; i < lanes->n_parts; i++) {
        const struct sim_part *part = &lanes->parts[i]->part;
        least_us = MIN_OF(least_us, part->least_us);
        for (size_t k = 0; k < lanes->n_parts; k++)
            least_us = MIN_OF(least_us, part->out[k].least_us);
    }
    return least_us;
}

static void move_part(void *arg, size_t number)
{
    const struct sim_lanes *lanes = arg;
    struct lane_part *part = lanes->parts[number];
    int64_t *next = part->part.next_us, least_us = INT64_MAX;
    take_for_part(lanes, number);
    part->n_run = 0;
    for (size_t i = 0; i < part->n; i++) {
        for (; next[i] < lanes->end_us; part->n_run++)
            sim_events_step(&part->events[i]);
        least_us = MIN_OF(least_us, next[i]);
    }
    part->part.least_us = least_us;
}

static void move(struct sim_lanes *lanes)
{
    uint64_t n_run = 0;
    for (size_t i = 0; i < lanes->n_parts; i++)
        n_run += lanes->parts[i]->n_run;
    turn_boxes(lanes);
    lanes->is_moving = true;
    if (lanes->n_parts > 1 && n_run > FEW_EVENTS)
        lanes->team->run(lanes->team->ctx, lanes->n_parts, move_part, lanes);
    else
        for (size_t i = 0; i < lanes->n_parts; i++)
            move_part(lanes, i);
    lanes->is_moving = false;
    take_for_base(lanes);
}

bool sim_lanes_step(struct sim_lanes *lanes, int64_t least_us, int64_t limit_us)
{
    ASSERT(lanes && !lanes->is_moving && least_us >= 0);
    take_for_base(lanes);
    int64_t begin_us = next_us(lanes), base_us = sim_events_next_us(lanes->base);
    if (MIN_OF(begin_us, base_us) > limit_us)
        return false;
    if (base_us <= begin_us)
        return sim_events_step(lanes->base);
    lanes->end_us = MIN_OF(begin_us + MAX_OF(least_us, 1), MIN_OF(base_us, limit_us + 1));
    move(lanes);
    while (sim_events_next_us(lanes->base) < lanes->end_us)
        sim_events_step(lanes->base);
    return true;
}
