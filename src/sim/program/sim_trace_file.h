/* sim_trace_file.h - traces and reports as files.
 *
 * Layer: sim. What goes wrong is told on standard error. */
#ifndef SIM_PROGRAM_SIM_TRACE_FILE_H
#define SIM_PROGRAM_SIM_TRACE_FILE_H

#include "sim/report/run.h"
#include "util/buffer.h"

/* Read the trace at path; "-" is standard input. A trace that was cut off is read as far as it
 * goes, and that is told.
 *
 * Returns: the run, free with run_free(); NULL if there is no file or it is damaged */
NODISCARD struct run *sim_trace_load(const char *path);

/* Write bytes to the file at path, which they replace.
 *
 * Returns: false if that failed */
NODISCARD bool sim_file_write(const char *path, struct span bytes);

#endif
