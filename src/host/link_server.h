/* link_server.h - the program cairn-link: the links of a laboratory, and its processes' beginnings.
 *
 *     cairn-link serve SOCKET [SEED]        carry packets until SIGTERM; obey commands, one a
 * packet of the Unix socket (SOCK_SEQPACKET): link_command.h cairn-link run PARENT NS PROGRAM...
 * become PROGRAM: in namespace NS (a path; -: here), and ended by SIGTERM as soon as process PARENT
 * is gone
 *
 * Layer: host. */
#ifndef HOST_LINK_SERVER_H
#define HOST_LINK_SERVER_H

#define LINK_CLIENTS_MAX 16

/* The whole program. Returns: its exit status */
int link_main(int argc, const char *const *argv);

#endif
