/* test_team.c - every piece of every turn is done, and waited for. */
#include "host/team.h"

#include <time.h>

#include "support/unit.h"

#define PIECES 6

struct turns {
    unsigned count[PIECES];
    unsigned slow_one; /* takes its time; who waits for it falls asleep */
};

static void count(void *arg, size_t i)
{
    struct turns *turns = arg;
    const struct timespec moment = {.tv_nsec = 300000};
    if (i == turns->slow_one)
        nanosleep(&moment, NULL);
    turns->count[i]++;
}

static void take_turns(const struct team *team, struct turns *turns, unsigned n)
{
    for (unsigned k = 1; k <= n; k++) {
        team->run(team->ctx, PIECES, count, turns);
        for (size_t i = 0; i < PIECES; i++)
            assert_int_equal(turns->count[i], k);
    }
}

TEST(each_piece_of_each_turn_is_done_once_and_waited_for)
{
    struct team_host *host = team_host_new(4);
    const struct team *team = team_host_get(host);
    assert_int_equal(team->n, 4);
    struct turns fast = {.slow_one = PIECES};
    take_turns(team, &fast, 2000);
    for (unsigned slow_one = 0; slow_one < PIECES; slow_one += PIECES - 1) {
        struct turns slow = {.slow_one = slow_one};
        take_turns(team, &slow, 20);
    }
    team_host_free(host);
}

TEST(a_team_may_be_the_caller_alone)
{
    struct team_host *host = team_host_new(1);
    struct turns turns = {.slow_one = PIECES};
    take_turns(team_host_get(host), &turns, 3);
    team_host_free(host);
    assert_in_range(team_host_cores(), 1, TEAM_HOST_MAX);
}
