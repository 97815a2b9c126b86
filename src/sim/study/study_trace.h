/* study_trace.h - what happens in a run, as lines of JSON.
 *
 * Layer: sim. Each line is an object with the members "t", virtual seconds since measuring began,
 * and "ev", what it is; doc/scenarios.md has the others. The same run gives the same lines. */
#ifndef SIM_STUDY_STUDY_TRACE_H
#define SIM_STUDY_STUDY_TRACE_H

#include "crypto/hash.h"
#include "util/buffer.h"
#include "util/hex.h"

typedef void study_line_fn(void *ctx, const char *line, size_t len);

struct study_trace {
    int64_t begin_us;
    struct sha256 hash; /* of the lines so far */
    struct buffer line;
    study_line_fn *write; /* gets lines with their end; NULL: nobody does */
    void *ctx;
};

/* Begin a trace; nothing is written. */
void study_trace_init(struct study_trace *trace, study_line_fn *write, void *ctx);
/* Free it. */
void study_trace_deinit(struct study_trace *trace);
/* One line of that event at now_us: the members are text behind the name of the event, with a comma
 * before each. */
void study_trace_line(struct study_trace *trace, int64_t now_us, const char *event,
                      const char *members, ...) PRINTF(4, 5);
/* SHA-256 of all lines so far, as hexadecimal text. */
void study_trace_hash(const struct study_trace *trace, char out[HEX_ID_BYTES]);

#endif
