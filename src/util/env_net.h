/* env_net.h - names and streams of the world.
 *
 * Layer: util (no implementation here; host/ is the real world, sim/ a simulated one). Called by
 * the short forms of util/env.h. ctx is this part's own, and every function gets it first. */
#ifndef UTIL_ENV_NET_H
#define UTIL_ENV_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

/* What happens to a stream, on the loop thread; arg is what connect or listen was given. */
struct env_stream_events {
    /* An outbound stream is up, or a listener accepted one from address:port. */
    void (*on_connect)(void *arg, uint64_t stream, const char *address, uint16_t port);
    void (*on_bytes)(void *arg, uint64_t stream, struct span bytes); /* borrowed for the call */
    void (*on_writable)(void *arg, uint64_t stream);                 /* the queue has drained */
    /* Gone, or could not be connected; error 0 is an orderly end. Last event of the stream. */
    void (*on_close)(void *arg, uint64_t stream, int error);
};

typedef void env_resolve_fn(void *arg, const char *const *addresses, size_t n);

struct env_names {
    void *ctx;
    /* Names; both NULL in a world that has none. Look up a host name: done(arg, addresses, n) once,
     * later, with numeric addresses borrowed for the call, none if the name is unknown. Returns an
     * id, never 0; after cancel() done is not called. */
    uint64_t (*resolve)(void *ctx, const char *name, env_resolve_fn *done, void *arg);
    void (*cancel)(void *ctx, uint64_t id);
};

/* A numeric address, borrowed for the call. */
typedef void env_address_fn(void *arg, const char *address);

/* Between whom datagrams go. */
struct env_datagram_way {
    const char *to; /* numeric, or as the gateway's is */
    uint16_t port;
    const char *from; /* one of our addresses; NULL: whichever leads there */
};

/* A datagram has come; borrowed for the call. */
typedef void env_datagram_fn(void *arg, struct span bytes);

struct env_datagrams {
    void *ctx;
    /* All NULL in a world that has none. A socket that talks with one numeric address: what others
     * send is not seen. fn is called on the loop thread, later. Returns an id that is never reused,
     * or 0 with *error, a negative errno. */
    uint64_t (*open)(void *ctx, const struct env_datagram_way *way, env_datagram_fn *fn, void *arg,
                     int *error);
    void (*send)(void *ctx, uint64_t socket, struct span bytes); /* may be lost, as any may */
    /* Our own end: writes the numeric address into size bytes. */
    bool (*local)(void *ctx, uint64_t socket, char *address, size_t size);
    void (*close)(void *ctx, uint64_t socket);
    /* Where what goes to the Internet by IPv4, or by IPv6, goes first; false if nowhere. An address
     * that is one of a link alone has that behind it: "fe80::1%eth0". */
    bool (*gateway)(void *ctx, bool is_ipv6, char *address, size_t size);
    /* Call fn with each address that this machine has now, on interfaces that are up, but for the
     * loopback's. */
    void (*own_addresses)(void *ctx, env_address_fn *fn, void *arg);
};

struct env_streams {
    void *ctx;
    /* Streams: raw bytes. Addresses are numeric; connect takes "unix:/path" too. A stream's events
     * come back through the callbacks of the listener or of the connect call: see struct
     * env_stream_events. Ids are 64-bit and never reused. */
    uint64_t (*connect)(void *ctx, const char *address, uint16_t port,
                        const struct env_stream_events *events, void *arg);
    uint64_t (*listen)(void *ctx, const char *address, uint16_t port,
                       const struct env_stream_events *events, void *arg, int *error);
    void (*send)(void *ctx, uint64_t stream, struct span bytes); /* copies */
    /* The same without a copy: release(arg) is called once, on the loop thread, when the bytes are
     * needed no more; that may be before this returns. */
    void (*send_shared)(void *ctx, uint64_t stream, struct span bytes, void (*release)(void *arg),
                        void *arg);
    /* Give what is queued to the kernel now, not when the loop comes round: for what others wait
     * for. NULL: there is no other moment. */
    void (*flush)(void *ctx, uint64_t stream);
    /* What is queued and not sent yet: who sends asks before he sends more (hazard 51). */
    size_t (*queued_bytes)(void *ctx, uint64_t stream);
    /* Our own end: writes the numeric address into size bytes. Returns its port, 0 if unknown. */
    uint16_t (*local)(void *ctx, uint64_t stream, char *address, size_t size);
    /* Stop or resume reading: what then fills up is the peer's own queue. */
    void (*pause)(void *ctx, uint64_t stream, bool paused);
    void (*close)(void *ctx, uint64_t stream); /* streams and listeners */
};

#endif
