/* resolver.c - see resolver.h */
#include "host/resolver.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"
#include "util/assert.h"
#include "util/list.h"

#define ADDRESS_TEXT_BYTES 64

struct lookup {
    struct list_link link;
    struct resolver *resolver;
    uint64_t id;
    uint64_t timer; /* until evdns is asked; 0: it is */
    char *name;
    env_resolve_fn *done; /* NULL: cancelled */
    void *arg;
};

struct resolver {
    struct loop *loop;
    struct evdns_base *base; /* NULL before the first name */
    struct list lookups;
    uint64_t last_id;
    bool is_stale; /* a name was not found: perhaps the system knows other servers by now */
};

struct resolver *resolver_new(struct loop *loop)
{
    ASSERT(loop);
    struct resolver *resolver = xcalloc(1, sizeof *resolver);
    resolver->loop = loop;
    return resolver;
}

static void forget(struct lookup *lookup)
{
    list_remove(&lookup->resolver->lookups, &lookup->link);
    loop_timer_cancel(lookup->resolver->loop, lookup->timer);
    xfree(lookup->name);
    xfree(lookup);
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    LIST_EACH (struct lookup, at, &resolver->lookups, link) {
        at->done = NULL;
        loop_timer_cancel(resolver->loop, at->timer);
    }
    if (resolver->base) {
        /* Requests that are failed here are told of by deferred events: let those run. */
        evdns_base_free(resolver->base, 1);
        event_base_loop(loop_base(resolver->loop), EVLOOP_NONBLOCK);
    }
    LIST_EACH_REMOVING (struct lookup, at, &resolver->lookups, link)
        forget(at);
    xfree(resolver);
}

static size_t numeric_addresses(const struct evutil_addrinfo *found,
                                char texts[][ADDRESS_TEXT_BYTES])
{
    size_t n = 0;
    for (; found && n < RESOLVER_ADDRESSES_MAX; found = found->ai_next)
        if (getnameinfo(found->ai_addr, found->ai_addrlen, texts[n], ADDRESS_TEXT_BYTES, NULL, 0,
                        NI_NUMERICHOST) == 0)
            n++;
    return n;
}

static void answered(int error, struct evutil_addrinfo *found, void *arg)
{
    struct lookup *lookup = arg;
    ASSERT(lookup->timer == 0);
    char texts[RESOLVER_ADDRESSES_MAX][ADDRESS_TEXT_BYTES];
    const char *addresses[RESOLVER_ADDRESSES_MAX] = {NULL};
    size_t n = error == 0 ? numeric_addresses(found, texts) : 0;
    for (size_t i = 0; i < n; i++)
        addresses[i] = texts[i];
    lookup->resolver->is_stale |= n == 0;
    if (lookup->done)
        lookup->done(lookup->arg, addresses, n);
    if (found)
        evutil_freeaddrinfo(found);
    forget(lookup);
}

static bool is_asked(const struct resolver *resolver)
{
    LIST_EACH (const struct lookup, at, &resolver->lookups, link)
        if (!at->timer)
            return true;
    return false;
}

/* libevent would write to standard error that a name server does not answer, as often as it asks.
 * Who asked for a name is told. */
static void drop_line(int is_warning, const char *text)
{
    (void)is_warning;
    (void)text;
}

/* A node that starts before its network is there, or in a container that is moved, must not ask the
 * servers of then for ever: read resolv.conf and the hosts file again. */
static void renew(struct resolver *resolver)
{
    if (resolver->base && resolver->is_stale && !is_asked(resolver)) {
        evdns_base_free(resolver->base, 0);
        resolver->base = NULL;
    }
    if (resolver->base)
        return;
    resolver->is_stale = false;
    evdns_set_log_fn(drop_line);
    resolver->base =
        evdns_base_new(loop_base(resolver->loop),
                       EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
}

/* Ask on a turn of its own, since evdns answers at once what it knows from the hosts file. */
static void ask(void *arg)
{
    ASSERT(((struct lookup *)arg)->timer != 0);
    struct lookup *lookup = arg;
    struct resolver *resolver = lookup->resolver;
    renew(resolver);
    lookup->timer = 0;
    if (!resolver->base) {
        answered(EVUTIL_EAI_FAIL, NULL, lookup);
        return;
    }
    const struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    evdns_getaddrinfo(resolver->base, lookup->name, NULL, &hints, answered, lookup);
}

uint64_t resolver_start(void *ctx, const char *name, env_resolve_fn *done, void *arg)
{
    ASSERT(name && done);
    struct resolver *resolver = ctx;
    struct lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct lookup){.resolver = resolver,
                              .id = ++resolver->last_id,
                              .name = xstrdup(name),
                              .done = done,
                              .arg = arg};
    list_add_first(&resolver->lookups, &lookup->link);
    lookup->timer = loop_timer_start(resolver->loop, 0, ask, lookup);
    return lookup->id;
}

void resolver_cancel(void *ctx, uint64_t id)
{
    struct resolver *resolver = ctx;
    LIST_EACH (struct lookup, at, &resolver->lookups, link)
        if (at->id == id)
            at->done = NULL;
}
