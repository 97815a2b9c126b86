/* sim_net.c - hosts, and the ends of streams, which know each other by parcels alone.
 *
 * Each end is its host's own: what the other one does arrives as a parcel, never sooner than the
 * way takes, so that hosts whose clocks are apart need nothing of each other. */
#include "sim/sim_net.h"

#include <errno.h>
#include <stdio.h>

#include "sim/sim_random.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/hash_map.h"
#include "util/list.h"

#define NET_PART         0x6e6574 /* of the seed: see sim_random_of() */
#define HOST_NAME_BYTES  64
#define RETRY_US         100000  /* how often waiting bytes look whether the way is free */
#define FIRST_PORT       49152   /* of connecting ends */
#define CONNECT_LIMIT_US 5000000 /* default */
/* A reader tells the sender of so many bytes at once that it has taken: few words, and three
 * quarters of the window are always of use. */
#define TAKEN_BYTES (SIM_NET_WINDOW_BYTES / 4)

enum parcel_kind {
    PARCEL_REQUEST, /* to connect */
    PARCEL_ACCEPTED,
    PARCEL_REFUSED,
    PARCEL_UNANSWERED, /* nobody was there to refuse it: the sender has waited long enough */
    PARCEL_BYTES,
    PARCEL_END,   /* behind the last bytes */
    PARCEL_TAKEN, /* so many bytes were taken: the window is that much wider again */
    PARCEL_RESET,
};

/* What is under way from one host to another. Ends are named by ids, as they may be gone. */
struct parcel {
    enum parcel_kind kind;
    uint16_t port; /* of a request: which it wants. The sender's, if it is accepted */
    struct sim_host *from, *to;
    uint64_t from_id, to_id; /* to_id 0: a request */
    struct list_link link;   /* of those that wait to be read */
    size_t len;
    uint8_t bytes[];
};

/* One side of a stream. */
struct stream_end {
    struct sim_host *host;
    struct list_link link; /* of its ends, or of those that are gone */
    uint64_t id;
    const struct env_stream_events *events;
    void *arg;
    uint16_t port, peer_port;
    struct sim_host *peer; /* NULL: there is nobody at that address */
    uint64_t peer_id;      /* 0: not known yet */
    bool is_accepted;      /* this side listened */
    bool is_told;          /* on_connect was called */
    bool is_paused, is_gone, has_writable_event;
    unsigned pending;  /* events and functions that hold it */
    struct buffer out; /* not yet under way */
    size_t out_at;
    int64_t free_us;         /* when the wire is free for the next segment */
    int64_t last_arrival_us; /* of segments sent: they stay in order */
    size_t window_used;      /* sent, and the other side has not told that it took them */
    size_t taken;            /* received and handed over, and the other side was not told */
    struct list held;        /* of struct parcel: the way was not free when they came */
    struct list inbox;       /* of struct parcel: to be handed over */
};

struct listener {
    struct list_link link;
    uint64_t id;
    uint16_t port;
    const struct env_stream_events *events;
    void *arg;
};

/* The first part is set while no clock moves, the second is the host's own. */
struct sim_host {
    struct sim_net *net;
    struct sim_events *events;
    char name[HOST_NAME_BYTES]; /* its numeric address */
    size_t place;               /* see sim_net_set_place() */
    uint64_t number;            /* from 1 on: names the pair whose latency is drawn */
    int group;                  /* the next ones: see the functions that set them in sim_net.h */
    uint64_t bytes_per_s;
    int64_t latency_us;
    bool is_mute;

    bool is_there;
    struct sim_owner parcels, own; /* of events on its clock: what comes, and what it waits for */
    struct sim_random random;
    uint16_t last_port; /* given to a connecting end */
    uint64_t last_id;
    uint64_t bytes; /* that arrived */
    struct list listeners;
    struct list ends, gone; /* of struct stream_end, the newest first; gone: something holds them */
    struct hash_map ids;    /* of ends */
};

struct sim_net {
    struct sim_events *events;
    struct sim_owner links; /* of events there: what options->linked is to be told */
    struct sim_net_options options;
    uint64_t seed;
    int64_t least_us;
    struct hash_map names;          /* of hosts */
    ARRAY(struct sim_host *) hosts; /* by number, from 1 on; there or not */
};

struct sim_net *sim_net_new(struct sim_events *events, uint64_t seed,
                            const struct sim_net_options *options)
{
    ASSERT(events && options);
    struct sim_net *net = xcalloc(1, sizeof *net);
    net->events = events;
    net->options = *options;
    if (net->options.connect_timeout_us == 0)
        net->options.connect_timeout_us = CONNECT_LIMIT_US;
    net->seed = seed;
    net->least_us = options->latency_min_us;
    hash_map_init(&net->names);
    return net;
}

int64_t sim_net_least_us(const struct sim_net *net)
{
    return net->least_us;
}

static void free_parcels(struct list *parcels)
{
    LIST_EACH_REMOVING (struct parcel, parcel, parcels, link)
        xfree(parcel);
}

static void end_free(struct stream_end *end)
{
    buffer_deinit(&end->out);
    free_parcels(&end->held);
    free_parcels(&end->inbox);
    xfree(end);
}

static void host_free(struct sim_host *host)
{
    ASSERT(!host->is_there);
    sim_events_drop(host->events, &host->parcels, xfree);
    sim_events_forget(host->events, &host->own);
    LIST_EACH_REMOVING (struct stream_end, end, &host->gone, link)
        end_free(end);
    hash_map_deinit(&host->ids);
    xfree(host);
}

void sim_net_free(struct sim_net *net)
{
    ASSERT(net);
    for (size_t i = 0; i < net->hosts.n; i++)
        host_free(net->hosts.at[i]);
    sim_events_drop(net->events, &net->links, xfree);
    ARRAY_FREE(&net->hosts);
    hash_map_deinit(&net->names);
    xfree(net);
}

/* -- Ends ---------------------------------------------------------------------------------------
 */

static uint64_t id_hash(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15) >> 16;
}

static bool has_id(const void *value, const void *key)
{
    return ((const struct stream_end *)value)->id == *(const uint64_t *)key;
}

static struct stream_end *find_end(struct sim_host *host, uint64_t id)
{
    return hash_map_find(&host->ids, id_hash(id), has_id, &id);
}

static struct stream_end *end_new(struct sim_host *host, const struct env_stream_events *events,
                                  void *arg)
{
    struct stream_end *end = xcalloc(1, sizeof *end);
    end->host = host;
    end->id = ++host->last_id;
    end->events = events;
    end->arg = arg;
    hash_map_insert(&host->ids, id_hash(end->id), end);
    list_add_first(&host->ends, &end->link);
    return end;
}

/* Something holds the end no longer. */
static void end_release(struct stream_end *end)
{
    ASSERT(end->pending > 0);
    if (--end->pending > 0 || !end->is_gone)
        return;
    list_remove(&end->host->gone, &end->link);
    end_free(end);
}

struct link_change {
    struct sim_net *net;
    size_t from, to;
    bool is_up;
};

static void on_link_change(void *arg)
{
    struct link_change *change = arg;
    const struct sim_net_options *options = &change->net->options;
    options->linked(options->ctx, change->from, change->to, change->is_up);
    xfree(change);
}

/* The side that listened tells of both. */
static void tell_link(const struct stream_end *end, bool is_up)
{
    struct sim_net *net = end->host->net;
    if (!net->options.linked || !end->is_accepted)
        return;
    struct link_change *change = xcalloc(1, sizeof *change);
    *change = (struct link_change){net, end->peer->place, end->host->place, is_up};
    if (end->host->events == net->events)
        on_link_change(change);
    else
        sim_events_send(end->host->events, net->events, &net->links,
                        sim_events_now_us(end->host->events), on_link_change, change);
}

/* It is its host's no longer; freed once nothing holds it. */
static void end_detach(struct stream_end *end)
{
    struct sim_host *host = end->host;
    ASSERT(!end->is_gone);
    (void)hash_map_remove(&host->ids, id_hash(end->id), has_id, &end->id);
    list_remove(&host->ends, &end->link);
    list_add(&host->gone, &end->link);
    end->is_gone = true;
    tell_link(end, false);
    end->pending++;
    end_release(end);
}

/* Call fn(end) later on its host's clock; it stays until then. */
static void later(struct stream_end *end, int64_t after_us, void (*fn)(void *arg))
{
    struct sim_events *events = end->host->events;
    end->pending++;
    (void)sim_events_add_for(events, &end->host->own, sim_events_now_us(events) + after_us, fn,
                             end);
}

/* -- The way ------------------------------------------------------------------------------------
 */

static bool can_reach(const struct sim_host *a, const struct sim_host *b)
{
    return a->group == b->group && !a->is_mute;
}

/* One way between two hosts, the same in both directions and for the whole run. */
static int64_t latency_us(const struct sim_host *a, const struct sim_host *b)
{
    const struct sim_net *net = a->net;
    if (a->latency_us >= 0 || b->latency_us >= 0)
        return MAX_OF(a->latency_us, b->latency_us);
    if (net->options.latency_us)
        return net->options.latency_us(net->options.ctx, a->place, b->place);
    uint64_t low = MIN_OF(a->number, b->number), high = MAX_OF(a->number, b->number);
    struct sim_random random = sim_random_of(net->seed, low << 32 | high);
    int64_t span = net->options.latency_max_us - net->options.latency_min_us;
    return net->options.latency_min_us +
           (int64_t)sim_random_below(&random, (uint64_t)(span > 0 ? span : 0) + 1);
}

static uint64_t rate_of(const struct sim_host *a, const struct sim_host *b)
{
    uint64_t rate = a->net->options.bytes_per_s;
    if (a->bytes_per_s && (!rate || a->bytes_per_s < rate))
        rate = a->bytes_per_s;
    if (b->bytes_per_s && (!rate || b->bytes_per_s < rate))
        rate = b->bytes_per_s;
    return rate;
}

/* When a segment that is sent now is there. */
static int64_t arrival_us(struct stream_end *from, size_t len)
{
    struct sim_host *host = from->host;
    const struct sim_net_options *options = &host->net->options;
    int64_t way_us = latency_us(host, from->peer);
    uint64_t rate = rate_of(host, from->peer);
    from->free_us = MAX_OF(from->free_us, sim_events_now_us(host->events));
    if (rate)
        from->free_us += (int64_t)(len * 1000000 / rate);
    int64_t at_us = from->free_us + way_us;
    if (options->jitter_us > 0)
        at_us += (int64_t)sim_random_below(&host->random, (uint64_t)options->jitter_us);
    if (options->loss_ppm && sim_random_below(&host->random, 1000000) < options->loss_ppm)
        at_us += 3 * way_us;
    at_us = MAX_OF(at_us, from->last_arrival_us);
    from->last_arrival_us = at_us;
    return at_us;
}

static void on_parcel(void *arg);

static void post(struct parcel *parcel, int64_t at_us)
{
    sim_events_send(parcel->from->events, parcel->to->events, &parcel->to->parcels, at_us,
                    on_parcel, parcel);
}

/* After the time that the way takes, however much is sent. */
static void post_word(struct parcel *parcel)
{
    post(parcel, sim_events_now_us(parcel->from->events) + latency_us(parcel->from, parcel->to));
}

static struct parcel *parcel_new(const struct stream_end *from, enum parcel_kind kind,
                                 size_t n_bytes)
{
    struct parcel *parcel = xmalloc(sizeof *parcel + n_bytes);
    *parcel = (struct parcel){.kind = kind,
                              .port = from->port,
                              .from = from->host,
                              .to = from->peer,
                              .from_id = from->id,
                              .to_id = from->peer_id,
                              .len = n_bytes};
    return parcel;
}

/* A word back to who sent a parcel, which it becomes. */
static struct parcel *turn(struct parcel *parcel, enum parcel_kind kind)
{
    *parcel = (struct parcel){
        .kind = kind, .from = parcel->to, .to = parcel->from, .to_id = parcel->from_id};
    return parcel;
}

/* -- Leaving ------------------------------------------------------------------------------------
 */

static void on_drained(void *arg)
{
    struct stream_end *end = arg;
    end->has_writable_event = false;
    if (!end->is_gone && end->out.len == 0)
        end->events->on_writable(end->arg, end->id);
    end_release(end);
}

/* Put as much of some bytes under way as the window takes. Returns: how many */
static size_t send_segments(struct stream_end *from, struct span bytes)
{
    size_t at = 0;
    while (at < bytes.len && from->window_used < SIM_NET_WINDOW_BYTES) {
        size_t n = MIN_OF(bytes.len - at, SIM_NET_SEGMENT_BYTES);
        struct parcel *parcel = parcel_new(from, PARCEL_BYTES, n);
        memcpy(parcel->bytes, bytes.p + at, n);
        from->window_used += n;
        at += n;
        post(parcel, arrival_us(from, n));
    }
    return at;
}

/* The same of the queue. */
static void pump(struct stream_end *from)
{
    if (from->is_gone || !from->is_told || from->out.len == 0)
        return;
    struct buffer *out = &from->out;
    from->out_at += send_segments(from, span_of(out->p + from->out_at, out->len - from->out_at));
    if (from->out_at < out->len) {
        if (from->out_at < out->len / 2)
            return;
        memmove(out->p, out->p + from->out_at, out->len - from->out_at);
        out->len -= from->out_at;
        from->out_at = 0;
        return;
    }
    buffer_deinit(out); /* there are many ends, and few queues */
    from->out_at = 0;
    if (from->has_writable_event)
        return;
    from->has_writable_event = true;
    later(from, 0, on_drained);
}

/* -- Arriving -----------------------------------------------------------------------------------
 */

static void end_reached(struct stream_end *end, int error)
{
    const struct env_stream_events *events = end->events;
    void *arg = end->arg;
    uint64_t id = end->id;
    end_detach(end);
    events->on_close(arg, id, error);
}

static void hand_over(struct stream_end *end, const struct parcel *parcel)
{
    if (parcel->kind == PARCEL_END) {
        end_reached(end, 0);
        return;
    }
    end->host->bytes += parcel->len;
    end->taken += parcel->len;
    end->events->on_bytes(end->arg, end->id, span_of(parcel->bytes, parcel->len));
    if (end->is_gone || end->taken < TAKEN_BYTES)
        return;
    struct parcel *word = parcel_new(end, PARCEL_TAKEN, 0);
    word->len = end->taken;
    end->taken = 0;
    post_word(word);
}

/* Hand over what has arrived, as long as the receiver wants it. */
static void deliver(struct stream_end *end)
{
    end->pending++; /* callbacks may close it */
    while (end->inbox.count > 0 && !end->is_gone && !end->is_paused && end->is_told) {
        struct parcel *parcel = LIST_POP(struct parcel, &end->inbox, link);
        hand_over(end, parcel);
        xfree(parcel);
    }
    end_release(end);
}

static void on_retry(void *arg)
{
    struct stream_end *end = arg;
    if (!end->is_gone && !can_reach(end->peer, end->host)) {
        later(end, RETRY_US, on_retry);
    } else if (!end->is_gone) {
        list_take_all(&end->inbox, &end->held);
        deliver(end);
    }
    end_release(end);
}

/* Bytes, or the end of them. What comes while others wait for the way to be free waits behind
 * them. */
static void take_segment(struct stream_end *end, struct parcel *parcel)
{
    if (end->held.count > 0 || !can_reach(end->peer, end->host)) {
        if (end->held.count == 0)
            later(end, RETRY_US, on_retry);
        list_add(&end->held, &parcel->link);
        return;
    }
    list_add(&end->inbox, &parcel->link);
    deliver(end);
}

/* -- Connecting ---------------------------------------------------------------------------------
 */

/* FNV-1a: names are our own, nobody chooses them to collide. */
static uint64_t name_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash;
}

static bool has_name(const void *value, const void *key)
{
    return strcmp(((const struct sim_host *)value)->name, key) == 0;
}

static struct sim_host *find_host(struct sim_net *net, const char *address)
{
    return hash_map_find(&net->names, name_hash(address), has_name, address);
}

static struct listener *find_listener(struct sim_host *host, uint16_t port)
{
    LIST_EACH (struct listener, l, &host->listeners, link)
        if (l->port == port)
            return l;
    return NULL;
}

static void on_no_host(void *arg)
{
    struct stream_end *end = arg;
    if (!end->is_gone)
        end_reached(end, -ETIMEDOUT);
    end_release(end);
}

static void be_accepted(struct stream_end *end, const struct parcel *parcel)
{
    end->peer_id = parcel->from_id;
    end->peer_port = parcel->port;
    end->is_told = true;
    end->pending++;
    end->events->on_connect(end->arg, end->id, end->peer->name, end->peer_port);
    pump(end);
    deliver(end);
    end_release(end);
}

static void accept_stream(struct listener *listener, struct parcel *request)
{
    struct stream_end *end = end_new(request->to, listener->events, listener->arg);
    end->is_accepted = end->is_told = true;
    end->port = listener->port;
    end->peer = request->from;
    end->peer_id = request->from_id;
    end->peer_port = (uint16_t)request->len;
    tell_link(end, true);
    post_word(parcel_new(end, PARCEL_ACCEPTED, 0));
    end->events->on_connect(end->arg, end->id, end->peer->name, end->peer_port);
}

/* A request to connect has come. */
static void take_request(struct parcel *request)
{
    struct sim_host *host = request->to, *from = request->from;
    struct listener *listener = find_listener(host, request->port);
    if (!host->is_there || !can_reach(from, host) || !can_reach(host, from)) {
        int64_t wait_us = MAX_OF(host->net->options.connect_timeout_us, latency_us(host, from));
        post(turn(request, PARCEL_UNANSWERED), sim_events_now_us(host->events) + wait_us);
    } else if (!listener) {
        post_word(turn(request, PARCEL_REFUSED));
    } else {
        accept_stream(listener, request);
        xfree(request);
    }
}

/* For an end that is there. */
static void take_word(struct stream_end *end, const struct parcel *parcel)
{
    switch (parcel->kind) {
    case PARCEL_ACCEPTED:
        be_accepted(end, parcel);
        return;
    case PARCEL_REFUSED:
        end_reached(end, -ECONNREFUSED);
        return;
    case PARCEL_UNANSWERED:
        end_reached(end, -ETIMEDOUT);
        return;
    case PARCEL_RESET:
        end_reached(end, -ECONNRESET);
        return;
    case PARCEL_TAKEN:
        end->window_used -= parcel->len;
        pump(end);
        return;
    case PARCEL_REQUEST:
    case PARCEL_BYTES:
    case PARCEL_END:
        break;
    }
    ASSERT(false);
}

/* A stream that was given up before it was accepted is reset by who hears so. */
static void on_parcel(void *arg)
{
    struct parcel *parcel = arg;
    struct stream_end *end = find_end(parcel->to, parcel->to_id);
    if (parcel->kind == PARCEL_REQUEST) {
        take_request(parcel);
        return;
    }
    if (end && (parcel->kind == PARCEL_BYTES || parcel->kind == PARCEL_END)) {
        take_segment(end, parcel);
        return;
    }
    if (!end && parcel->kind == PARCEL_ACCEPTED) {
        post_word(turn(parcel, PARCEL_RESET));
        return;
    }
    if (end)
        take_word(end, parcel);
    xfree(parcel);
}

uint64_t sim_net_connect(struct sim_host *host, const char *address, uint16_t port,
                         const struct env_stream_events *events, void *arg)
{
    ASSERT(host && address && events);
    struct stream_end *end = end_new(host, events, arg);
    host->last_port = MAX_OF(host->last_port, FIRST_PORT);
    end->port = host->last_port++;
    end->peer = find_host(host->net, address);
    if (!end->peer) {
        later(end, host->net->options.connect_timeout_us, on_no_host);
        return end->id;
    }
    struct parcel *request = parcel_new(end, PARCEL_REQUEST, 0);
    request->port = port;
    request->len = end->port;
    post_word(request);
    return end->id;
}

uint64_t sim_net_listen(struct sim_host *host, const char *address, uint16_t port,
                        const struct env_stream_events *events, void *arg, int *error)
{
    (void)address;
    *error = 0;
    if (find_listener(host, port)) {
        *error = -EADDRINUSE;
        return 0;
    }
    struct listener *listener = xcalloc(1, sizeof *listener);
    *listener =
        (struct listener){.id = ++host->last_id, .port = port, .events = events, .arg = arg};
    list_add_first(&host->listeners, &listener->link);
    return listener->id;
}

/* -- A stream's other functions -----------------------------------------------------------------
 */

void sim_net_send(struct sim_host *host, uint64_t id, struct span bytes)
{
    struct stream_end *end = find_end(host, id);
    if (!end || bytes.len == 0)
        return;
    size_t sent = end->is_told && end->out.len == 0 ? send_segments(end, bytes) : 0;
    buffer_append(&end->out, bytes.p + sent, bytes.len - sent);
    pump(end);
}

size_t sim_net_queued_bytes(struct sim_host *host, uint64_t id)
{
    struct stream_end *end = find_end(host, id);
    return end ? end->out.len - end->out_at : 0;
}

uint16_t sim_net_local(struct sim_host *host, uint64_t id, char *address, size_t size)
{
    struct stream_end *end = find_end(host, id);
    if (!end)
        return 0;
    snprintf(address, size, "%s", host->name);
    return end->port;
}

static void on_resumed(void *arg)
{
    struct stream_end *end = arg;
    deliver(end);
    end_release(end);
}

void sim_net_pause(struct sim_host *host, uint64_t id, bool paused)
{
    struct stream_end *end = find_end(host, id);
    if (!end || end->is_paused == paused)
        return;
    end->is_paused = paused;
    if (!paused && end->inbox.count > 0)
        later(end, 0, on_resumed);
}

static void close_end(struct stream_end *end)
{
    if (end->is_told) {
        pump(end);
        post(parcel_new(end, PARCEL_END, 0), arrival_us(end, 0));
    }
    end_detach(end);
}

void sim_net_close(struct sim_host *host, uint64_t id)
{
    struct stream_end *end = find_end(host, id);
    if (end) {
        close_end(end);
        return;
    }
    LIST_EACH_REMOVING (struct listener, listener, &host->listeners, link)
        if (listener->id == id) {
            list_remove(&host->listeners, &listener->link);
            xfree(listener);
            return;
        }
}

/* -- Hosts --------------------------------------------------------------------------------------
 */

static struct sim_host *host_new(struct sim_net *net, const char *address,
                                 struct sim_events *events)
{
    struct sim_host *host = xcalloc(1, sizeof *host);
    host->net = net;
    host->events = events;
    snprintf(host->name, sizeof host->name, "%s", address);
    *ARRAY_ADD(&net->hosts) = host;
    host->number = net->hosts.n;
    host->random = sim_random_of(net->seed, host->number << 32 | NET_PART);
    hash_map_init(&host->ids);
    hash_map_insert(&net->names, name_hash(host->name), host);
    return host;
}

struct sim_host *sim_net_join_on(struct sim_net *net, const char *address,
                                 struct sim_events *events)
{
    ASSERT(net && address && events);
    struct sim_host *host = find_host(net, address);
    if (!host)
        host = host_new(net, address, events);
    ASSERT(!host->is_there && host->events == events);
    host->is_there = true;
    host->group = 0;
    host->bytes_per_s = 0;
    host->latency_us = -1;
    host->is_mute = false;
    return host;
}

struct sim_host *sim_net_join(struct sim_net *net, const char *address)
{
    ASSERT(net);
    return sim_net_join_on(net, address, net->events);
}

void sim_net_leave(struct sim_host *host)
{
    ASSERT(host && host->is_there);
    struct stream_end *end;
    while ((end = LIST_FIRST(struct stream_end, &host->ends, link)) != NULL) {
        if (end->peer_id != 0)
            post_word(parcel_new(end, PARCEL_RESET, 0));
        end_detach(end);
    }
    LIST_EACH_REMOVING (struct listener, listener, &host->listeners, link) {
        list_remove(&host->listeners, &listener->link);
        xfree(listener);
    }
    host->is_there = false;
}

void sim_net_set_place(struct sim_host *host, size_t place)
{
    ASSERT(host);
    host->place = place;
}

void sim_net_each_link(const struct sim_net *net, sim_link_fn *fn, void *ctx)
{
    ASSERT(net && fn);
    for (size_t i = 0; i < net->hosts.n; i++)
        LIST_EACH (const struct stream_end, end, &net->hosts.at[i]->ends, link)
            if (end->is_accepted)
                fn(ctx, end->peer->place, end->host->place, true);
}

void sim_net_set_group(struct sim_host *host, int group)
{
    host->group = group;
}

void sim_net_set_rate(struct sim_host *host, uint64_t bytes_per_s)
{
    host->bytes_per_s = bytes_per_s;
}

void sim_net_set_latency(struct sim_host *host, int64_t latency_us)
{
    host->latency_us = latency_us;
    if (latency_us >= 0)
        host->net->least_us = MIN_OF(host->net->least_us, latency_us);
}

void sim_net_set_mute(struct sim_host *host, bool is_mute)
{
    host->is_mute = is_mute;
}

uint64_t sim_net_bytes(const struct sim_net *net)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < net->hosts.n; i++)
        bytes += net->hosts.at[i]->bytes;
    return bytes;
}
