/* datagrams.h - UDP sockets of struct env, which addresses we have, and where the gateway is.
 *
 * Layer: host. Each socket talks with one address: the kernel drops what others send. */
#ifndef HOST_DATAGRAMS_H
#define HOST_DATAGRAMS_H

#include "host/loop.h"

#define DATAGRAMS_BYTES_MAX 2048 /* of one that is read; what is longer is cut off */

struct datagrams;
struct ifaddrs;

/* Make a set of sockets, empty. Owns: the caller, freed before the loop. */
NODISCARD struct datagrams *datagrams_new(struct loop *loop);
/* Close everything and free. NULL is allowed. */
void datagrams_free(struct datagrams *datagrams);

/* The functions of struct env_datagrams; see there. */
uint64_t datagrams_open(void *datagrams, const struct env_datagram_way *way, env_datagram_fn *fn,
                        void *arg, int *error);
/* Sending; what the kernel does not take is lost. */
void datagrams_send(void *datagrams, uint64_t id, struct span bytes);
/* Our own end. */
bool datagrams_local(void *datagrams, uint64_t id, char *address, size_t size);
/* An id that is gone is ignored. */
void datagrams_close(void *datagrams, uint64_t id);
/* The gateway to the Internet. */
bool datagrams_gateway(void *datagrams, bool is_ipv6, char *address, size_t size);

/* Addresses of this machine. */
void datagrams_own_addresses(void *datagrams, env_address_fn *fn, void *arg);

/* Those of a list that are wanted. */
void datagrams_list_addresses(const struct ifaddrs *list, env_address_fn *fn, void *arg);
/* Find it in a table of routes as /proc/net/route has it.
 *
 * Returns:  false if there is none */
NODISCARD bool datagrams_find_gateway(const char *routes, char *address, size_t size);
/* The same in one as /proc/net/ipv6_route has it. */
NODISCARD bool datagrams_find_gateway6(const char *routes, char *address, size_t size);

#endif
