/* sim_trace.h - traces of cairn-sim written by hand. */
#ifndef TESTS_SUPPORT_SIM_TRACE_H
#define TESTS_SUPPORT_SIM_TRACE_H

#include "sim/report/run.h"
#include "util/buffer.h"

#define SIM_TRACE_HASH_BYTES 65

/* A hash that a number stands for, as text. Returns: out */
char *sim_trace_hash(char out[SIM_TRACE_HASH_BYTES], unsigned number);

/* The first line: so many nodes. Begins the buffer. */
void sim_trace_begin(struct buffer *trace, unsigned n_nodes);
/* One more line, of a printf format: {"t":T,"ev":"EVENT",...}. Without a format nothing follows. */
void sim_trace_add(struct buffer *trace, double t_s, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Blocks and tips by their numbers; parent 0 is from before the trace. */
void sim_trace_mined(struct buffer *trace, double t_s, unsigned node, unsigned height,
                     const unsigned block_parent[2]);
void sim_trace_tip(struct buffer *trace, double t_s, unsigned node, unsigned block);
/* The last line, with the hash of all others. */
void sim_trace_end(struct buffer *trace, double t_s);

/* Read what is there; the trace is freed. Returns: the run; NULL if it is damaged. */
struct run *sim_trace_read(struct buffer *trace);
/* What is wrong with it; NULL if nothing is. Free it. */
char *sim_trace_error(struct buffer *trace);

/* A run with something of everything: geography, a fork, a partition, an attack, four samples. */
struct run *sim_trace_sample(unsigned seed);

#endif
