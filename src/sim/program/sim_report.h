/* sim_report.h - "cairn-sim report": what a trace shows.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_REPORT_H
#define SIM_PROGRAM_SIM_REPORT_H

/* Read the trace that argv[1] names and print its figures.
 *
 * Returns: what the process exits with: 0, 1 if the trace cannot be read, 2 if an argument is wrong
 */
int sim_report_command(int argc, char **argv);

#endif
