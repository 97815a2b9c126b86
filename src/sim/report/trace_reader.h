/* trace_reader.h - the bytes of a trace, in pieces of any size, into a run.
 *
 * Layer: sim. Pure: who calls reads the file. A line is held at a time; a damaged one ends the
 * reading with its number. A trace that stops before its event "end" can be read all the same: the
 * run says so (has_ended). */
#ifndef SIM_REPORT_TRACE_READER_H
#define SIM_REPORT_TRACE_READER_H

#include "crypto/hash.h"
#include "sim/report/run.h"
#include "util/buffer.h"

#define TRACE_LINE_BYTES_MAX (4 * 1024 * 1024) /* a partition of RUN_NODES_MAX nodes fits */

struct trace_reader {
    struct run *run;    /* borrowed */
    char *error;        /* NULL: none so far */
    struct buffer line; /* the start of one whose end has not come */
    uint64_t n_lines;
    struct sha256 hash; /* of all lines before this one */
    struct arena arena; /* a line's JSON */
};

/* Begin; run is new. trace_reader_deinit() ends it. */
void trace_reader_init(struct trace_reader *reader, struct run *run);
/* Free what the reader owns; the run stays. */
void trace_reader_deinit(struct trace_reader *reader);

/* Take the next bytes in.
 *
 * Returns: false if the trace is damaged; reader->error says where and how */
NODISCARD bool trace_reader_feed(struct trace_reader *reader, struct span bytes);

/* There are no more bytes: finish the run.
 *
 * Returns: false if there was no trace; reader->error says so */
NODISCARD bool trace_reader_finish(struct trace_reader *reader);

#endif
