/* study_sample.h - a network looked at, at one moment.
 *
 * Layer: sim. */
#ifndef SIM_STUDY_STUDY_SAMPLE_H
#define SIM_STUDY_STUDY_SAMPLE_H

#include "sim/sim_world.h"
#include "sim/study/study_trace.h"
#include "util/array.h"

/* Nodes whose mempools are held against each other: so many, evenly spread, the first one among
 * them. */
#define STUDY_SAMPLE_NODES 32

struct study_bytes {
    const char *name; /* of a message */
    uint64_t before, now;
};

struct study_sample {
    struct sim_world *world;
    size_t n_nodes;
    ARRAY(struct study_bytes) bytes; /* by name */
};

/* Begin: traffic is counted from now on. Borrows world. */
void study_sample_init(struct study_sample *sample, struct sim_world *world, size_t n_nodes);
/* Free it. */
void study_sample_deinit(struct study_sample *sample);
/* Add a line "sample" to a trace. agreement is the mean, over the running ones of
 * STUDY_SAMPLE_NODES nodes, of the share that each has of what most of them have. */
void study_sample_take(struct study_sample *sample, struct study_trace *trace);

#endif
