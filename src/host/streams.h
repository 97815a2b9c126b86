/* streams.h - the stream functions of struct env: TCP, as raw bytes, on libevent.
 *
 * Layer: host. Loop thread. Reading is bounded (STREAMS_READ_BYTES_MAX waiting per stream); what
 * is sent is queued without limit here, so callers look at streams_queued_bytes() first. Addresses
 * are numeric; names are resolved elsewhere. After streams_close() a stream has no more events. */
#ifndef HOST_STREAMS_H
#define HOST_STREAMS_H

#include "util/assert.h"
#include "util/env.h"

struct loop;
struct streams;

#define STREAMS_READ_BYTES_MAX (64 * 1024)

/* Make a set of streams, empty. Owns: the caller, freed before the loop. */
NODISCARD struct streams *streams_new(struct loop *loop);
/* Close everything without further events and free. */
void streams_free(struct streams *streams);

/* Connect. Returns: the id; what becomes of it is always told later, by on_connect or on_close
 * (with a negative errno; -EINVAL for an address that is not numeric). Borrows events. */
uint64_t streams_connect(void *streams, const char *address, uint16_t port,
                         const struct env_stream_events *events, void *arg);
/* Listen; port 0 takes a free one, see streams_local(). Returns: the listener's id, or 0 with
 * *error, a negative errno. Borrows events. */
uint64_t streams_listen(void *streams, const char *address, uint16_t port,
                        const struct env_stream_events *events, void *arg, int *error);

/* Our own end of a stream or listener: see struct env_streams. */
uint16_t streams_local(void *streams, uint64_t id, char *address, size_t size);
/* Queue a copy of bytes. An id that is gone is ignored, here and below. */
void streams_send(void *streams, uint64_t id, struct span bytes);
/* Queue bytes without a copy; release(arg) once when they are sent, or the stream is gone. */
void streams_send_shared(void *streams, uint64_t id, struct span bytes, void (*release)(void *arg),
                         void *arg);
/* Offer what is queued to the kernel now; what it does not take goes its usual way. */
void streams_flush(void *streams, uint64_t id);
/* Bytes sent that the kernel has not taken yet. */
size_t streams_queued_bytes(void *streams, uint64_t id);
/* Read no more, so that the peer's window fills and it has to wait; or read again. Bytes that were
 * read before the pause are handed out after it, later, not from inside this call. */
void streams_pause(void *streams, uint64_t id, bool paused);
/* Close a stream or listener. What is queued is offered to the kernel once, not waited for. */
void streams_close(void *streams, uint64_t id);

#endif
