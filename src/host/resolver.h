/* resolver.h - host names to numeric addresses, without blocking, by libevent's evdns.
 *
 * Layer: host. Nothing is opened before the first name is asked for. Loop thread only. */
#ifndef HOST_RESOLVER_H
#define HOST_RESOLVER_H

#include "host/loop.h"

#define RESOLVER_ADDRESSES_MAX 64 /* of one name; more are left out */

struct resolver;

/* Make a resolver on a loop. Owns: the caller. */
NODISCARD struct resolver *resolver_new(struct loop *loop);
/* Look-ups under way are forgotten without a call. NULL is allowed. */
void resolver_free(struct resolver *resolver);

/* Look up a name; done comes later, never from inside this call. Copies name. Returns: an id. */
uint64_t resolver_start(void *resolver, const char *name, env_resolve_fn *done, void *arg);
/* Let done not be called. The question itself stays with the name server until it is answered. */
void resolver_cancel(void *resolver, uint64_t id);

#endif
