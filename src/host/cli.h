/* cli.h - cairn-cli: one call to a running node from the command line.
 *
 * Layer: host. Options, messages and exit codes are bitcoin-cli's, which programs run. */
#ifndef HOST_CLI_H
#define HOST_CLI_H

/* All of the program. Returns its exit code: 0, the RPC error code without its sign, or 1. */
int cli_main(int argc, const char *const *argv);

#endif
