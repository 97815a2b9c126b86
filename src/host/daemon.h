/* daemon.h - cairnd: a node in the real world, from its arguments to its exit status.
 *
 * Layer: host. Start here: config, lock, log, RPC server, node, loop; and back again. */
#ifndef HOST_DAEMON_H
#define HOST_DAEMON_H

/* Run cairnd. Returns: the exit status, 0 after a clean stop, 1 after one line "Error: ..." on
 * standard error. */
int daemon_main(int argc, char **argv);

#endif
