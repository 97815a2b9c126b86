/* sim_net.c - streams as pairs of ends; each direction moves segments through events. */
#include "sim/sim_net.h"

#include <errno.h>
#include <stdio.h>

#include "sim/sim_random.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/hash_map.h"
#include "util/list.h"

#define HOST_NAME_BYTES  64
#define RETRY_US         100000  /* how often waiting bytes look whether the way is free */
#define FIRST_PORT       49152   /* of connecting ends */
#define CONNECT_LIMIT_US 5000000 /* default */

struct segment {
    struct stream_end *to;
    struct list_link link; /* of those under way, then in the inbox */
    size_t len;
    bool is_end; /* the last one: the sender has closed */
    uint8_t bytes[];
};

/* One side of a stream. */
struct stream_end {
    struct stream *stream;
    struct sim_host *host; /* NULL: this side is gone */
    struct list_link link; /* of its ends */
    uint64_t id;
    const struct env_stream_events *events;
    void *arg;
    uint16_t port;
    bool is_paused, is_told; /* told: on_connect was called */
    bool writable_event;
    struct buffer out; /* not yet under way */
    size_t out_at;
    int64_t free_us;         /* when the wire is free for this end's next segment */
    int64_t last_arrival_us; /* of this end's segments: they stay in order */
    size_t window_used;      /* sent by this end, not taken by the other */
    struct list inbox;       /* of struct segment */
};

/* Freed when both sides are gone and no event points to it any more. */
struct stream {
    struct sim_net *net;
    struct stream_end end[2]; /* 0 connected, 1 accepted */
    unsigned pending;         /* events that point here */
    bool is_up;               /* accepted, and neither side has closed it */
    size_t from, to;          /* then: places of the hosts */
    struct list_link link;
    struct list flying;            /* of struct segment: under way, both directions */
    char address[HOST_NAME_BYTES]; /* where it shall go */
    uint16_t port;
};

struct listener {
    struct list_link link;
    struct sim_host *host;
    uint64_t id;
    uint16_t port;
    const struct env_stream_events *events;
    void *arg;
};

struct sim_host {
    struct sim_net *net;
    char name[HOST_NAME_BYTES]; /* its numeric address */
    size_t place;               /* see sim_net_set_place() */
    uint64_t number;            /* never used again: names the pair whose latency is drawn */
    int group;                  /* the next ones: see the functions that set them in sim_net.h */
    uint64_t bytes_per_s;
    int64_t latency_us;
    bool is_mute;
    uint16_t last_port; /* given to a connecting end */
    struct list listeners;
    struct list ends; /* of struct stream_end, the newest first */
};

struct sim_net {
    struct sim_events *events;
    struct sim_owner owner; /* of all events here */
    struct sim_net_options options;
    struct sim_random random;
    uint64_t seed;
    struct hash_map hosts; /* by name */
    struct list streams;
    struct hash_map ends; /* by id */
    uint64_t last_id, last_host;
    uint64_t bytes;
};

struct sim_net *sim_net_new(struct sim_events *events, uint64_t seed,
                            const struct sim_net_options *options)
{
    struct sim_net *net = xcalloc(1, sizeof *net);
    net->events = events;
    net->options = *options;
    if (net->options.connect_timeout_us == 0)
        net->options.connect_timeout_us = CONNECT_LIMIT_US;
    net->seed = seed;
    net->random = sim_random_of(seed, 0x6e6574);
    hash_map_init(&net->ends);
    hash_map_init(&net->hosts);
    return net;
}

static void segment_list_free(struct list *segments)
{
    LIST_EACH_REMOVING (struct segment, segment, segments, link)
        xfree(segment);
}

static void stream_free(struct stream *stream)
{
    for (int i = 0; i < 2; i++) {
        buffer_deinit(&stream->end[i].out);
        segment_list_free(&stream->end[i].inbox);
    }
    segment_list_free(&stream->flying);
    xfree(stream);
}

void sim_net_free(struct sim_net *net)
{
    ASSERT(net->hosts.count == 0);
    sim_events_forget(net->events, &net->owner);
    LIST_EACH_REMOVING (struct stream, stream, &net->streams, link)
        stream_free(stream);
    hash_map_deinit(&net->ends);
    hash_map_deinit(&net->hosts);
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
    struct stream_end *end = hash_map_find(&host->net->ends, id_hash(id), has_id, &id);
    return end && end->host == host ? end : NULL;
}

static struct stream_end *other_end(struct stream_end *end)
{
    return &end->stream->end[end == &end->stream->end[0]];
}

/* Drop a stream that nobody holds any more. */
static void stream_release(struct stream *stream)
{
    if (stream->pending > 0 || stream->end[0].host || stream->end[1].host)
        return;
    list_remove(&stream->net->streams, &stream->link);
    stream_free(stream);
}

static void tell_link(const struct stream *stream)
{
    const struct sim_net_options *options = &stream->net->options;
    if (options->linked)
        options->linked(options->ctx, stream->from, stream->to, stream->is_up);
}

static void end_detach(struct stream_end *end)
{
    struct stream *stream = end->stream;
    (void)hash_map_remove(&stream->net->ends, id_hash(end->id), has_id, &end->id);
    list_remove(&end->host->ends, &end->link);
    end->host = NULL;
    if (!stream->is_up)
        return;
    stream->is_up = false;
    tell_link(stream);
}

static struct stream_end *end_attach(struct stream *stream, int side, struct sim_host *host,
                                     const struct env_stream_events *events, void *arg)
{
    struct stream_end *end = &stream->end[side];
    end->stream = stream;
    end->host = host;
    end->id = ++stream->net->last_id;
    end->events = events;
    end->arg = arg;
    hash_map_insert(&stream->net->ends, id_hash(end->id), end);
    list_add_first(&host->ends, &end->link);
    return end;
}

/* Call fn(arg) later; arg's stream stays until then. */
static void later(struct stream *stream, int64_t at_us, void (*fn)(void *arg), void *arg)
{
    stream->pending++;
    sim_events_add_for(stream->net->events, &stream->net->owner, at_us, fn, arg);
}

static void event_begin(struct stream *stream)
{
    ASSERT(stream->pending > 0);
    stream->pending--;
}

/* -- The way ------------------------------------------------------------------------------------
 */

static bool can_reach(const struct sim_host *a, const struct sim_host *b)
{
    return a->group == b->group && !a->is_mute;
}

/* One way between two hosts, the same in both directions and for the whole run. */
static int64_t latency_us(const struct sim_net *net, const struct sim_host *a,
                          const struct sim_host *b)
{
    if (a->latency_us >= 0 || b->latency_us >= 0)
        return MAX_OF(a->latency_us, b->latency_us);
    if (net->options.latency_us)
        return net->options.latency_us(net->options.ctx, a->place, b->place);
    uint64_t low = a->number < b->number ? a->number : b->number;
    uint64_t high = a->number < b->number ? b->number : a->number;
    struct sim_random random = sim_random_of(net->seed, low << 32 | high);
    int64_t span = net->options.latency_max_us - net->options.latency_min_us;
    return net->options.latency_min_us +
           (int64_t)sim_random_below(&random, (uint64_t)(span > 0 ? span : 0) + 1);
}

static uint64_t rate_of(const struct sim_net *net, const struct sim_host *a,
                        const struct sim_host *b)
{
    uint64_t rate = net->options.bytes_per_s;
    if (a->bytes_per_s && (!rate || a->bytes_per_s < rate))
        rate = a->bytes_per_s;
    if (b->bytes_per_s && (!rate || b->bytes_per_s < rate))
        rate = b->bytes_per_s;
    return rate;
}

static int64_t arrival_us(struct stream_end *from, const struct sim_host *to, size_t len)
{
    struct sim_net *net = from->stream->net;
    int64_t now_us = net->events->now_us;
    int64_t latency = latency_us(net, from->host, to);
    uint64_t rate = rate_of(net, from->host, to);
    from->free_us = MAX_OF(from->free_us, now_us);
    if (rate)
        from->free_us += (int64_t)(len * 1000000 / rate);
    int64_t at_us = from->free_us + latency;
    if (net->options.jitter_us > 0)
        at_us += (int64_t)sim_random_below(&net->random, (uint64_t)net->options.jitter_us);
    if (net->options.loss_ppm && sim_random_below(&net->random, 1000000) < net->options.loss_ppm)
        at_us += 3 * latency;
    at_us = MAX_OF(at_us, from->last_arrival_us);
    from->last_arrival_us = at_us;
    return at_us;
}

/* -- Arriving -----------------------------------------------------------------------------------
 */

static void pump(struct stream_end *from);

static void end_reached(struct stream_end *end, int error)
{
    if (!end->host)
        return;
    const struct env_stream_events *events = end->events;
    void *arg = end->arg;
    uint64_t id = end->id;
    end_detach(end);
    events->on_close(arg, id, error);
}

/* Hand over what has arrived, as long as the receiver wants it. */
static void deliver(struct stream_end *end)
{
    struct stream *stream = end->stream;
    stream->pending++; /* callbacks may close both ends */
    while (end->inbox.count > 0 && end->host && !end->is_paused && end->is_told) {
        struct segment *segment = LIST_POP(struct segment, &end->inbox, link);
        if (segment->is_end) {
            end_reached(end, 0);
        } else {
            struct stream_end *from = other_end(end);
            from->window_used -= segment->len;
            stream->net->bytes += segment->len;
            end->events->on_bytes(end->arg, end->id, span_of(segment->bytes, segment->len));
            pump(from);
        }
        xfree(segment);
    }
    stream->pending--;
    stream_release(stream);
}

/* True if an earlier segment of the same direction is still under way: it waited for the way to be
 * free, and must not be overtaken. */
static bool is_overtaking(const struct stream *stream, const struct segment *segment)
{
    LIST_EACH (const struct segment, at, &stream->flying, link)
        if (at->to == segment->to)
            return at != segment;
    return false;
}

static void on_arrival(void *arg)
{
    struct segment *segment = arg;
    struct stream_end *end = segment->to, *from = other_end(end);
    struct stream *stream = end->stream;
    event_begin(stream);
    bool is_cut_off = end->host && from->host && !can_reach(from->host, end->host);
    if (is_cut_off || is_overtaking(stream, segment)) {
        later(stream, stream->net->events->now_us + RETRY_US, on_arrival, segment);
        return;
    }
    list_remove(&stream->flying, &segment->link);
    if (!end->host) {
        xfree(segment);
        stream_release(stream);
        return;
    }
    list_add(&end->inbox, &segment->link);
    deliver(end);
}

static void on_reset(void *arg)
{
    struct stream_end *end = arg;
    struct stream *stream = end->stream;
    event_begin(stream);
    end_reached(end, -ECONNRESET);
    stream_release(stream);
}

/* -- Leaving ------------------------------------------------------------------------------------
 */

static void on_drained(void *arg)
{
    struct stream_end *end = arg;
    struct stream *stream = end->stream;
    event_begin(stream);
    end->writable_event = false;
    if (end->host && end->out.len == 0)
        end->events->on_writable(end->arg, end->id);
    stream_release(stream);
}

static void send_segment(struct stream_end *from, const uint8_t *bytes, size_t len, bool is_end)
{
    struct stream_end *to = other_end(from);
    struct segment *segment = xmalloc(sizeof *segment + len);
    *segment = (struct segment){.to = to, .len = len, .is_end = is_end};
    if (len)
        memcpy(segment->bytes, bytes, len);
    from->window_used += len;
    struct stream *stream = from->stream;
    list_add(&stream->flying, &segment->link);
    later(stream, arrival_us(from, to->host, len), on_arrival, segment);
}

/* Put as much of the queue under way as the window takes. */
static void pump(struct stream_end *from)
{
    if (!from->host || !other_end(from)->host || !from->is_told)
        return;
    while (from->out_at < from->out.len && from->window_used < SIM_NET_WINDOW_BYTES) {
        size_t n = from->out.len - from->out_at;
        n = MIN_OF(n, SIM_NET_SEGMENT_BYTES);
        send_segment(from, from->out.p + from->out_at, n, false);
        from->out_at += n;
    }
    if (from->out_at < from->out.len) {
        if (from->out_at < from->out.len / 2)
            return;
        memmove(from->out.p, from->out.p + from->out_at, from->out.len - from->out_at);
        from->out.len -= from->out_at;
        from->out_at = 0;
        return;
    }
    if (from->out.len == 0)
        return;
    from->out.len = from->out_at = 0;
    if (!from->writable_event) {
        from->writable_event = true;
        later(from->stream, from->stream->net->events->now_us, on_drained, from);
    }
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
    return hash_map_find(&net->hosts, name_hash(address), has_name, address);
}

static struct listener *find_listener(struct sim_host *host, uint16_t port)
{
    if (host)
        LIST_EACH (struct listener, l, &host->listeners, link)
            if (l->port == port)
                return l;
    return NULL;
}

static void on_accepted(void *arg)
{
    struct stream_end *end = arg;
    struct stream *stream = end->stream;
    event_begin(stream);
    stream->pending++;
    if (end->host) {
        struct stream_end *other = other_end(end);
        end->is_told = true;
        char name[HOST_NAME_BYTES];
        snprintf(name, sizeof name, "%s", other->host ? other->host->name : "0.0.0.0");
        end->events->on_connect(end->arg, end->id, name, other->port);
        pump(end);
        deliver(end);
    }
    stream->pending--;
    stream_release(stream);
}

static void on_no_answer(void *arg)
{
    struct stream_end *end = arg;
    struct stream *stream = end->stream;
    event_begin(stream);
    end_reached(end, -ETIMEDOUT);
    stream_release(stream);
}

static void on_refused(void *arg)
{
    struct stream_end *end = arg;
    struct stream *stream = end->stream;
    event_begin(stream);
    end_reached(end, -ECONNREFUSED);
    stream_release(stream);
}

/* The request to connect has come to the other host. */
static void on_request(void *arg)
{
    struct stream *stream = arg;
    struct sim_net *net = stream->net;
    struct stream_end *client = &stream->end[0];
    struct sim_host *to = find_host(net, stream->address);
    struct listener *listener = find_listener(to, stream->port);
    int64_t now_us = net->events->now_us;
    event_begin(stream);
    if (!client->host) {
        stream_release(stream);
    } else if (!to || !can_reach(client->host, to) || !can_reach(to, client->host)) {
        later(stream, now_us + net->options.connect_timeout_us, on_no_answer, client);
    } else if (!listener) {
        later(stream, now_us + latency_us(net, client->host, to), on_refused, client);
    } else {
        struct stream_end *server = end_attach(stream, 1, to, listener->events, listener->arg);
        server->port = listener->port;
        stream->is_up = true;
        stream->from = client->host->place;
        stream->to = to->place;
        tell_link(stream);
        later(stream, now_us + latency_us(net, client->host, to), on_accepted, client);
        server->is_told = true;
        stream->pending++;
        server->events->on_connect(server->arg, server->id, client->host->name, client->port);
        stream->pending--;
        stream_release(stream);
    }
}

uint64_t sim_net_connect(struct sim_host *host, const char *address, uint16_t port,
                         const struct env_stream_events *events, void *arg)
{
    ASSERT(host);
    struct sim_net *net = host->net;
    struct stream *stream = xcalloc(1, sizeof *stream);
    stream->net = net;
    list_add_first(&net->streams, &stream->link);
    stream->end[1].stream = stream;
    struct stream_end *end = end_attach(stream, 0, host, events, arg);
    host->last_port = MAX_OF(host->last_port, FIRST_PORT);
    end->port = host->last_port++;
    snprintf(stream->address, sizeof stream->address, "%s", address);
    stream->port = port;
    struct sim_host *to = find_host(net, address);
    int64_t way_us = to ? latency_us(net, host, to) : 0;
    later(stream, net->events->now_us + way_us, on_request, stream);
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
    *listener = (struct listener){
        .host = host, .id = ++host->net->last_id, .port = port, .events = events, .arg = arg};
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
    buffer_append(&end->out, bytes.p, bytes.len);
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
    event_begin(end->stream);
    deliver(end);
}

void sim_net_pause(struct sim_host *host, uint64_t id, bool paused)
{
    struct stream_end *end = find_end(host, id);
    if (!end || end->is_paused == paused)
        return;
    end->is_paused = paused;
    if (!paused && end->inbox.count > 0)
        later(end->stream, end->stream->net->events->now_us, on_resumed, end);
}

static void close_end(struct stream_end *end)
{
    struct stream *stream = end->stream;
    struct stream_end *other = other_end(end);
    stream->pending++;
    if (other->host && end->is_told) {
        pump(end);
        send_segment(end, NULL, 0, true);
    } else if (other->host) {
        later(stream, stream->net->events->now_us, on_reset, other);
    }
    end_detach(end);
    stream->pending--;
    stream_release(stream);
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

struct sim_host *sim_net_join(struct sim_net *net, const char *address)
{
    ASSERT(!find_host(net, address));
    struct sim_host *host = xcalloc(1, sizeof *host);
    host->net = net;
    snprintf(host->name, sizeof host->name, "%s", address);
    host->number = ++net->last_host;
    host->latency_us = -1;
    hash_map_insert(&net->hosts, name_hash(host->name), host);
    return host;
}

static void reset_streams(struct sim_host *host)
{
    struct stream_end *end;
    while ((end = LIST_FIRST(struct stream_end, &host->ends, link)) != NULL) {
        struct stream *stream = end->stream;
        struct stream_end *other = other_end(end);
        int64_t way_us = other->host ? latency_us(host->net, host, other->host) : 0;
        end_detach(end);
        if (other->host)
            later(stream, host->net->events->now_us + way_us, on_reset, other);
        stream_release(stream);
    }
}

void sim_net_leave(struct sim_host *host)
{
    ASSERT(host);
    reset_streams(host);
    LIST_EACH_REMOVING (struct listener, listener, &host->listeners, link)
        xfree(listener);
    (void)hash_map_remove(&host->net->hosts, name_hash(host->name), has_name, host->name);
    xfree(host);
}

void sim_net_set_place(struct sim_host *host, size_t place)
{
    ASSERT(host);
    host->place = place;
}

void sim_net_each_link(const struct sim_net *net, sim_link_fn *fn, void *ctx)
{
    ASSERT(net && fn);
    LIST_EACH (const struct stream, stream, &net->streams, link)
        if (stream->is_up)
            fn(ctx, stream->from, stream->to, true);
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
}

void sim_net_set_mute(struct sim_host *host, bool is_mute)
{
    host->is_mute = is_mute;
}

uint64_t sim_net_bytes(const struct sim_net *net)
{
    return net->bytes;
}
