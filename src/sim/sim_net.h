/* sim_net.h - a network between simulated machines: latency, bandwidth, loss, partitions.
 *
 * Layer: sim. Streams are reliable, as TCP's: what is lost arrives later. A run depends on the
 * seed only. A receiver that does not read fills a window; what does not fit stays with the sender,
 * whose queue grows.
 *
 * Machines may have clocks of their own, which several threads move (sim_lanes.h): all that one
 * host learns of another takes its way, as an event on the other's clock, and what is set here for
 * both is set while no clock moves. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "sim/sim_events.h"
#include "util/env.h"

#define SIM_NET_WINDOW_BYTES  (256 * 1024) /* under way or unread in one direction of a stream */
#define SIM_NET_SEGMENT_BYTES (16 * 1024)

struct sim_net;
struct sim_host;

/* A connection from one place to another is there, or is no longer. */
typedef void sim_link_fn(void *ctx, size_t from, size_t to, bool is_up);

struct sim_net_options {
    int64_t latency_min_us, latency_max_us; /* one way; each pair has its own, between these */
    int64_t jitter_us;                      /* at most, on top, anew for each segment */
    uint64_t bytes_per_s;                   /* of one direction of a stream; 0: no limit */
    uint32_t loss_ppm;                      /* segments lost of a million: late by 3 latencies */
    int64_t connect_timeout_us;             /* for hosts that do not answer; 0: 5 s */
    /* One way between two places, the same in both directions and not below latency_min_us; NULL:
     * as drawn from the first two. */
    int64_t (*latency_us)(void *ctx, size_t a, size_t b);
    sim_link_fn *linked; /* told of each connection; NULL: nobody is */
    void *ctx;
};

/* A network on that clock, or with that one as the base of its machines' clocks, on which options'
 * functions are called. Borrows events. */
struct sim_net *sim_net_new(struct sim_events *events, uint64_t seed,
                            const struct sim_net_options *options);
/* All hosts must have left. */
void sim_net_free(struct sim_net *net);

/* A place in the network at a numeric address, which nobody else there may have; after
 * sim_net_leave() it can be taken again. */
struct sim_host *sim_net_join(struct sim_net *net, const char *address);
/* The same for a machine with that clock, the same one each time. Borrows events. */
struct sim_host *sim_net_join_on(struct sim_net *net, const char *address,
                                 struct sim_events *events);
/* Its process is gone: streams end without a word to it, the other ends are reset. */
void sim_net_leave(struct sim_host *host);
/* Nothing that a host sends is there before so long. */
int64_t sim_net_least_us(const struct sim_net *net);

/* Where it is, for the functions of struct sim_net_options; 0 at first. */
void sim_net_set_place(struct sim_host *host, size_t place);
/* Call fn for each connection that is there, by the hosts that accepted them. */
void sim_net_each_link(const struct sim_net *net, sim_link_fn *fn, void *ctx);

/* Hosts of different groups cannot reach each other: bytes wait, connecting times out. Each host
 * starts in group 0. */
void sim_net_set_group(struct sim_host *host, int group);
/* What the host sends and receives is limited to that rate per stream; 0: as the network. */
void sim_net_set_rate(struct sim_host *host, uint64_t bytes_per_s);
/* One way to and from the host takes so long, whoever the other is; of two hosts that were told so
 * the longer counts. Negative: as the network has it. */
void sim_net_set_latency(struct sim_host *host, int64_t latency_us);
/* Nothing that the host sends leaves it, until unset; it still hears. A peer gone silent. */
void sim_net_set_mute(struct sim_host *host, bool is_mute);

/* Bytes that arrived anywhere so far. */
uint64_t sim_net_bytes(const struct sim_net *net);

/* The functions of struct env that concern streams; see there. */
uint64_t sim_net_connect(struct sim_host *host, const char *address, uint16_t port,
                         const struct env_stream_events *events, void *arg);
/* Listen on a port; the address is not looked at, since a host has one. -EADDRINUSE. */
uint64_t sim_net_listen(struct sim_host *host, const char *address, uint16_t port,
                        const struct env_stream_events *events, void *arg, int *error);
/* Queue a copy of bytes. An id that is gone is ignored, here and below. */
void sim_net_send(struct sim_host *host, uint64_t stream, struct span bytes);
/* Bytes sent that do not fit into the window yet. */
size_t sim_net_queued_bytes(struct sim_host *host, uint64_t stream);
/* This end's address and port, as struct env_streams has it. */
uint16_t sim_net_local(struct sim_host *host, uint64_t id, char *address, size_t size);
/* Hand out no more bytes, or again: what waits is then handed out by an event of its own. */
void sim_net_pause(struct sim_host *host, uint64_t stream, bool paused);
/* Close a stream or listener. Queued bytes that fit into the window still arrive. */
void sim_net_close(struct sim_host *host, uint64_t stream);

#endif
