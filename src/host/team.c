/* team.c - see team.h.
 *
 * A turn may be a few microseconds long, and there are thousands a second: who waits for the next
 * one, or for its end, looks for it some time before he sleeps. Who sleeps says so before he looks
 * for the last time, and who has news looks for sleepers afterwards, both in one order of all
 * (sequentially consistent), so that one of them sees the other.
 *
 * Pieces are taken one by one: on a machine that has other things to do, nobody waits for a thread
 * that has not come to its piece.
 *
 * Each thread has a condition variable of its own: see jobs.c. */
#include "host/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/alloc.h"

#define LOOKS      4000 /* before sleeping: some microseconds */
#define PIECE_BITS 16

/* One who waits until a number is another one. */
struct sleeper {
    atomic_bool is_asleep;
    pthread_cond_t call; /* nobody else waits for it */
};

struct hand {
    struct team_host *team;
    pthread_t thread;
    struct sleeper sleeper;
};

struct team_host {
    struct team team;
    pthread_mutex_t lock;
    struct sleeper caller;
    struct hand *hands; /* but the caller */
    /* Of a turn; read by who has taken a piece of it, since it lasts until that is done. */
    void (*fn)(void *arg, size_t i);
    void *arg;
    size_t n_pieces;
    atomic_bool has_ended;
    atomic_uint_least64_t open; /* the turn's number << PIECE_BITS | pieces that nobody has taken */
    atomic_size_t left;         /* pieces that are not done */
};

static void sleeper_init(struct sleeper *sleeper)
{
    atomic_init(&sleeper->is_asleep, false);
    pthread_cond_init(&sleeper->call, NULL);
}

static void wake(struct team_host *team, struct sleeper *sleeper)
{
    if (!atomic_load(&sleeper->is_asleep))
        return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_signal(&sleeper->call);
    pthread_mutex_unlock(&team->lock);
}

/* Return once is_so(team, seen). */
static void wait_until(struct team_host *team, struct sleeper *sleeper,
                       bool (*is_so)(struct team_host *team, uint64_t seen), uint64_t seen)
{
    for (int i = 0; i < LOOKS; i++)
        if (is_so(team, seen))
            return;
    pthread_mutex_lock(&team->lock);
    atomic_store(&sleeper->is_asleep, true);
    while (!is_so(team, seen))
        pthread_cond_wait(&sleeper->call, &team->lock);
    atomic_store(&sleeper->is_asleep, false);
    pthread_mutex_unlock(&team->lock);
}

static uint64_t turn_now(struct team_host *team)
{
    return atomic_load(&team->open) >> PIECE_BITS;
}

static bool is_later_turn(struct team_host *team, uint64_t seen)
{
    return turn_now(team) != seen;
}

static bool is_through(struct team_host *team, uint64_t unused)
{
    (void)unused;
    return atomic_load(&team->left) == 0;
}

/* Take pieces of a turn as long as there are any. */
static void take_pieces(struct team_host *team, uint64_t turn)
{
    uint_least64_t open = atomic_load(&team->open);
    while (open >> PIECE_BITS == turn && (open & ((1 << PIECE_BITS) - 1)) > 0) {
        if (!atomic_compare_exchange_weak(&team->open, &open, open - 1))
            continue;
        team->fn(team->arg, team->n_pieces - (size_t)(open & ((1 << PIECE_BITS) - 1)));
        if (atomic_fetch_sub(&team->left, 1) == 1)
            wake(team, &team->caller);
        open = atomic_load(&team->open);
    }
}

static void *work(void *arg)
{
    struct hand *hand = arg;
    struct team_host *team = hand->team;
    for (uint64_t turn = 0; !atomic_load(&team->has_ended);) {
        wait_until(team, &hand->sleeper, is_later_turn, turn);
        turn = turn_now(team);
        take_pieces(team, turn);
    }
    return NULL;
}

static uint64_t begin_turn(struct team_host *team, size_t n_pieces)
{
    uint64_t turn = turn_now(team) + 1;
    atomic_store(&team->open, turn << PIECE_BITS | n_pieces);
    for (size_t i = 0; i + 1 < team->team.n; i++)
        wake(team, &team->hands[i].sleeper);
    return turn;
}

static void run(void *ctx, size_t n_pieces, void (*fn)(void *arg, size_t i), void *arg)
{
    struct team_host *team = ctx;
    ASSERT(atomic_load(&team->left) == 0 && n_pieces >> PIECE_BITS == 0);
    team->fn = fn;
    team->arg = arg;
    team->n_pieces = n_pieces;
    atomic_store(&team->left, n_pieces);
    take_pieces(team, begin_turn(team, n_pieces));
    wait_until(team, &team->caller, is_through, 0);
}

struct team_host *team_host_new(size_t n)
{
    ASSERT(n >= 1 && n <= TEAM_HOST_MAX);
    struct team_host *team = xcalloc(1, sizeof *team);
    team->team = (struct team){.ctx = team, .n = 1, .run = run};
    team->hands = xcalloc(n, sizeof *team->hands);
    pthread_mutex_init(&team->lock, NULL);
    sleeper_init(&team->caller);
    for (size_t i = 0; i + 1 < n; i++) {
        struct hand *hand = &team->hands[i];
        *hand = (struct hand){.team = team};
        sleeper_init(&hand->sleeper);
        if (pthread_create(&hand->thread, NULL, work, hand) != 0) {
            pthread_cond_destroy(&hand->sleeper.call);
            break;
        }
        team->team.n++;
    }
    return team;
}

void team_host_free(struct team_host *team)
{
    if (!team)
        return;
    atomic_store(&team->has_ended, true);
    (void)begin_turn(team, 0);
    for (size_t i = 0; i + 1 < team->team.n; i++) {
        pthread_join(team->hands[i].thread, NULL);
        pthread_cond_destroy(&team->hands[i].sleeper.call);
    }
    pthread_cond_destroy(&team->caller.call);
    pthread_mutex_destroy(&team->lock);
    xfree(team->hands);
    xfree(team);
}

const struct team *team_host_get(const struct team_host *team)
{
    ASSERT(team);
    return &team->team;
}

size_t team_host_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    size_t n = (size_t)CPU_COUNT(&set);
    return n < 1 ? 1 : n > TEAM_HOST_MAX ? TEAM_HOST_MAX : n;
}
