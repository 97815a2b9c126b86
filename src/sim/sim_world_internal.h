/* sim_world_internal.h - the inside of a simulated world, shared by the files sim_world*.c.
 *
 * Layer: sim. A machine has an address and a disk; a life is one process on it. A life that has
 * crashed goes on unseen, without network and on a disk that nobody will read, until it has stopped
 * in order: so it frees all it owns, and sanitizers can look for leaks. */
#ifndef SIM_WORLD_INTERNAL_H
#define SIM_WORLD_INTERNAL_H

#include "crypto/hash.h"
#include "sim/sim_lanes.h"
#include "sim/sim_world.h"
#include "util/hex.h"
#include "util/list.h"

#define SIM_ADDRESS_BYTES 32

struct sim_life;

/* A call that was handed in and is not answered yet. */
struct sim_call {
    struct sim_life *life;
    struct list_link link;
    sim_answer_fn *done; /* NULL: nobody wants to know */
    void *arg;
};

/* One process, from its start until all that it owned is freed. */
struct sim_life {
    struct sim_world *world;
    size_t machine;
    struct list_link link;
    struct sim_env *env;
    struct log log;
    struct node *node;
    struct list calls; /* of struct sim_call */
    bool is_ghost;     /* its machine has crashed */
    bool is_ending;    /* told to stop, as its world ends */
};

struct sim_machine {
    char address[SIM_ADDRESS_BYTES];
    struct sim_events *events; /* its clock: all its lives' */
    struct sim_random random;
    enum sim_machine_state state;
    struct sim_env *env;   /* while it is off */
    struct sim_life *life; /* while it is not */
    struct sim_host *host; /* likewise */
    /* A crash amid the changes of the disk that is to come, and the machine that it has left. */
    bool is_armed;
    enum sim_crash crash_how;
    uint64_t crash_left;
    struct sim_env *crashed;
    bool may_fail; /* its disk is broken, or its clock wrong */
    char *error;   /* what it has stopped with since, or NULL */
    /* Addresses of those it is told to connect to. */
    const char **links;
    size_t n_links;
    bool is_fixed;       /* and to nobody else */
    int max_connections; /* 0: as ever */
};

struct sim_world {
    struct sim_world_options options;
    struct sim_events events; /* the base of the machines' clocks */
    struct sim_lanes *lanes;  /* by machine */
    struct sim_owner notes;   /* events on the base: what nodes tell */
    struct sim_net *net;
    struct sim_verdicts *verdicts; /* NULL: not shared */
    struct sim_random random;
    struct network network;
    struct sim_machine *machines;
    struct list lives; /* of struct sim_life */
    uint64_t n_crashes, n_lines;
    struct sha256 trace;
    char *failure;
};

/* A copy of the base's disk, for one machine that will own it; when its node was stopped. */
struct sim_disk *sim_base_disk(const struct sim_base *base);
int64_t sim_base_clock_us(const struct sim_base *base);

/* All calls of a life get no answer any more. */
void sim_life_drop_calls(struct sim_life *life);
/* Run what is next until then: a window of all machines, or an event of the base. False: there is
 * nothing. */
bool sim_world_step(struct sim_world *world, int64_t limit_us);

#endif
