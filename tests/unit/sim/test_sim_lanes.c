/* test_sim_lanes.c - lanes that send to one another: any team is the same run. */
#include "sim/sim_lanes.h"
#include "sim/sim_random.h"
#include "support/unit.h"

#define LANES    7
#define LEAST_US 50
#define END_US   20000
#define LINES    4000

struct run;

/* Each is its lane's alone, but for the lines, which are the base's. */
struct player {
    struct run *run;
    struct sim_events *events;
    struct sim_random random;
    uint64_t state; /* of all that has happened to it, in its order */
};

struct run {
    struct sim_events base;
    struct sim_lanes *lanes;
    struct player player[LANES];
    int64_t least_us;
    uint64_t line[LINES];
    size_t n_lines;
    int64_t last_us;
};

/* A team that has one thread and takes the last part first. */
static void run_backwards(void *unused, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
    (void)unused;
    for (size_t i = n; i-- > 0;)
        fn(arg, i);
}

struct line {
    struct run *run;
    uint64_t state;
};

static void on_line(void *arg)
{
    struct line *line = arg;
    struct run *run = line->run;
    assert_false(sim_lanes_are_moving(run->lanes));
    assert_true(run->base.now_us >= run->last_us);
    run->last_us = run->base.now_us;
    if (run->n_lines < LINES)
        run->line[run->n_lines++] = line->state ^ (uint64_t)run->base.now_us;
    xfree(line);
}

/* Tell the base, do something later, and send to somebody. Times are coarse, so that many are the
 * same. */
static void on_event(void *arg)
{
    struct player *player = arg;
    struct run *run = player->run;
    int64_t now_us = sim_events_now_us(player->events);
    assert_true(sim_lanes_are_moving(run->lanes));
    player->state = player->state * 31 + (uint64_t)now_us;
    struct line *line = xcalloc(1, sizeof *line);
    *line = (struct line){run, player->state};
    sim_events_send(player->events, &run->base, NULL, now_us, on_line, line);
    if (sim_random_below(&player->random, 4) == 0)
        sim_events_add(player->events, now_us + 10 * (int64_t)sim_random_below(&player->random, 9),
                       on_event, player);
    if (sim_random_below(&player->random, 2))
        return;
    struct player *to = &run->player[sim_random_below(&player->random, LANES)];
    int64_t way_us = run->least_us + 10 * (int64_t)sim_random_below(&player->random, 5);
    sim_events_send(player->events, to->events, NULL, now_us + way_us, on_event, to);
}

/* The base speaks to everybody now and then. */
static void on_order(void *arg)
{
    struct run *run = arg;
    for (size_t i = 0; i < LANES; i++) {
        assert_int_equal(sim_events_now_us(run->player[i].events), run->base.now_us);
        sim_events_add(run->player[i].events, run->base.now_us, on_event, &run->player[i]);
    }
    sim_events_add(&run->base, run->base.now_us + 777, on_order, run);
}

static void play(struct run *run, int64_t least_us, size_t n_threads)
{
    struct team team = {.n = n_threads, .run = run_backwards};
    *run = (struct run){.least_us = least_us};
    sim_events_init(&run->base, 1000);
    run->lanes = sim_lanes_new(&run->base, LANES, n_threads ? &team : NULL);
    for (size_t i = 0; i < LANES; i++)
        run->player[i] = (struct player){
            .run = run, .events = sim_lanes_at(run->lanes, i), .random = sim_random_of(5, i)};
    sim_events_add(&run->base, 1000, on_order, run);
    while (sim_lanes_step(run->lanes, least_us, END_US))
        assert_true(run->base.now_us <= END_US);
    for (size_t i = 0; i < LANES; i++)
        assert_true(sim_events_next_us(run->player[i].events) > END_US);
    sim_lanes_settle(run->lanes);
    sim_lanes_free(run->lanes);
    sim_events_deinit(&run->base);
}

TEST(any_number_of_threads_is_the_same_run)
{
    static const int64_t least_us[] = {LEAST_US, 0};
    struct run *alone = xcalloc(1, sizeof *alone), *team = xcalloc(1, sizeof *team);
    for (size_t k = 0; k < 2; k++) {
        play(alone, least_us[k], 0);
        assert_true(alone->n_lines > 500);
        for (size_t n = 1; n <= LANES + 1; n++) {
            play(team, least_us[k], n);
            assert_int_equal(team->n_lines, alone->n_lines);
            assert_memory_equal(team->line, alone->line, sizeof team->line);
        }
    }
    xfree(alone);
    xfree(team);
}

TEST(nothing_happens_behind_the_limit)
{
    struct sim_events base;
    sim_events_init(&base, 0);
    struct sim_lanes *lanes = sim_lanes_new(&base, 2, NULL);
    assert_false(sim_lanes_step(lanes, LEAST_US, END_US));
    assert_int_equal(base.now_us, 0);
    sim_lanes_free(lanes);
    sim_events_deinit(&base);
}
