/* sim_report.h - "cairn-sim report" and "cairn-sim compare": what traces show.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_REPORT_H
#define SIM_PROGRAM_SIM_REPORT_H

#include "sim/report/run.h"

/* report TRACE [--out=FILE] [--plots=DIR]: print the figures of a trace, write its page, write its
 * pictures.
 *
 * Returns: what the process exits with: 0, 1 if a file cannot be read or written, 2 if an argument
 * is wrong */
int sim_report_command(int argc, char **argv);

/* compare A B [--out=FILE]: print the figures of two traces side by side, write their page. The
 * same results. */
int sim_compare_command(int argc, char **argv);

/* Write the page of a finished run, or of two (b may be NULL).
 *
 * Returns: false: stderr has a line that says why */
NODISCARD bool sim_report_write_page(const struct run *a, const struct run *b, const char *path);

#endif
