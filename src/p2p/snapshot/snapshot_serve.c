/* snapshot_serve.c - see snapshot_serve.h. */
#include "p2p/snapshot/snapshot_serve.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "chain/coins/snapshot_reader.h"
#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"
#include "p2p/peer/send.h"
#include "p2p/peer/upload.h"
#include "util/alloc.h"

struct snapshot_serve {
    struct env_job job; /* that hashes; first */
    struct snapshots *snapshots;
    struct p2p *p2p;
    char *path;
    struct env_file *file;
    struct snapshot_offer offer;
    struct snapshot_tree tree; /* constant while is_ready */
    bool is_ready;
    atomic_bool stops;
    int error;          /* the job's */
    size_t n_reads;     /* under way */
    uint64_t last_peer; /* that was read for: the next one has its turn */
};

/* One chunk on its way to a peer, which it outlives. */
struct chunk_read {
    struct env_job job; /* first */
    struct snapshot_serve *serve;
    uint64_t peer;
    uint32_t index;
    int error;
    size_t head_len, len;
    uint8_t message[]; /* SNAPSHOT_MESSAGE_MAX */
};

bool snapshot_serve_is_on(const struct p2p *p2p)
{
    return p2p_snapshots_of(p2p)->serve != NULL;
}

bool snapshot_serve_tell(const struct p2p *p2p, struct writer *w)
{
    const struct snapshot_serve *serve = p2p_snapshots_of(p2p)->serve;
    if (!serve || !serve->is_ready)
        return false;
    snapshot_offer_encode(w, &serve->offer);
    return true;
}

/* -- Hashing: on another thread ---------------------------------------------------------------- */

static int read_chunk(const struct snapshot_serve *serve, uint32_t index, uint8_t *out)
{
    size_t len = snapshot_chunk_len(serve->offer.n_bytes, index);
    int64_t n = env_file_read_at(serve->snapshots->env, serve->file,
                                 (uint64_t)index * SNAPSHOT_CHUNK_BYTES, out, len);
    return n < 0 ? (int)n : n < (int64_t)len ? -EUCLEAN : 0;
}

static void run_hash(struct env_job *job)
{
    struct snapshot_serve *serve = (struct snapshot_serve *)job;
    uint8_t *chunk = xmalloc(SNAPSHOT_CHUNK_BYTES);
    uint32_t n = snapshot_chunk_count(serve->offer.n_bytes);
    for (uint32_t i = 0; i < n && !serve->error; i++) {
        serve->error = atomic_load_explicit(&serve->stops, memory_order_relaxed)
                           ? -ECANCELED
                           : read_chunk(serve, i, chunk);
        if (!serve->error)
            snapshot_tree_set(&serve->tree, i,
                              span_of(chunk, snapshot_chunk_len(serve->offer.n_bytes, i)));
    }
    if (!serve->error)
        snapshot_tree_root(&serve->tree, serve->offer.root);
    xfree(chunk);
}

static void hash_done(struct env_job *job)
{
    struct snapshot_serve *serve = (struct snapshot_serve *)job;
    const struct log *log = serve->snapshots->log;
    serve->snapshots->n_jobs--;
    if (job->cancelled || serve->error == -ECANCELED)
        return;
    serve->is_ready = serve->error == 0;
    if (serve->error)
        log_warning(log, "-servesnapshot=%s cannot be read: %s", serve->path,
                    strerror(-serve->error));
    else
        log_printf(log, LOG_ALWAYS, "[snapshot] %s is offered to peers, %u chunks", serve->path,
                   snapshot_chunk_count(serve->offer.n_bytes));
}

static int open_file(struct snapshot_serve *serve, char why[SNAPSHOT_WHY_BYTES])
{
    const struct snapshots *snapshots = serve->snapshots;
    struct snapshot_head head;
    int error = env_file_open(snapshots->env, serve->path, ENV_OPEN_READ, &serve->file);
    if (error)
        return error;
    error = snapshot_head_read(snapshots->env, serve->file, snapshots->network, &head, why);
    if (error)
        return error;
    int64_t size = env_file_size(snapshots->env, serve->file);
    if (size < 0)
        return (int)size;
    serve->offer.base = head.base;
    serve->offer.n_bytes = (uint64_t)size;
    return size <= SNAPSHOT_HEADER_BYTES || (uint64_t)size > SNAPSHOT_BYTES_MAX ? -EFBIG : 0;
}

bool snapshot_serve_start(struct snapshots *snapshots, struct p2p *p2p, const char *path,
                          char **error)
{
    char why[SNAPSHOT_WHY_BYTES] = "";
    ASSERT(!snapshots->serve && path);
    struct snapshot_serve *serve = xcalloc(1, sizeof *serve);
    *serve = (struct snapshot_serve){.job = {.run = run_hash, .done = hash_done},
                                     .snapshots = snapshots,
                                     .p2p = p2p,
                                     .path = xstrdup(path)};
    snapshots->serve = serve;
    int code = open_file(serve, why);
    if (code)
        return fail_with(error, "Cannot serve -servesnapshot=%s: %s", path,
                         *why ? why : strerror(-code));
    snapshot_tree_init(&serve->tree, serve->offer.n_bytes);
    snapshots->n_jobs++;
    env_job_submit(snapshots->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &serve->job);
    return true;
}

void snapshot_serve_stop(struct snapshots *snapshots)
{
    ASSERT(snapshots);
    if (snapshots->serve)
        atomic_store_explicit(&snapshots->serve->stops, true, memory_order_relaxed);
}

void snapshot_serve_free(struct snapshots *snapshots)
{
    struct snapshot_serve *serve = snapshots->serve;
    ASSERT(snapshots->n_jobs == 0);
    if (!serve)
        return;
    if (serve->file)
        env_file_close(snapshots->env, serve->file);
    snapshot_tree_deinit(&serve->tree);
    xfree(serve->path);
    xfree(serve);
    snapshots->serve = NULL;
}

/* -- Chunks ------------------------------------------------------------------------------------ */

static void refuse(struct p2p *p2p, struct peer *peer, uint32_t index)
{
    uint8_t bytes[4];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, index);
    peer_send(p2p, peer, "snapchunk", span_of(bytes, w.len));
}

/* What is not as it was told would be blamed on us: it is not sent. */
static void run_read(struct env_job *job)
{
    struct chunk_read *read = (struct chunk_read *)job;
    const struct snapshot_serve *serve = read->serve;
    uint8_t *chunk = read->message + read->head_len, leaf[32];
    read->error = read_chunk(serve, read->index, chunk);
    if (read->error)
        return;
    snapshot_leaf(span_of(chunk, read->len - read->head_len), leaf);
    if (memcmp(leaf, serve->tree.nodes[read->index], sizeof leaf) != 0)
        read->error = -EUCLEAN;
}

static void stop_offering(struct snapshot_serve *serve, int error)
{
    if (serve->is_ready)
        log_warning(serve->snapshots->log,
                    "-servesnapshot=%s has changed, or cannot be read, and "
                    "is offered no more: %s",
                    serve->path, strerror(-error));
    serve->is_ready = false;
}

static void read_done(struct env_job *job)
{
    struct chunk_read *read = (struct chunk_read *)job;
    struct snapshot_serve *serve = read->serve;
    struct p2p *p2p = serve->p2p;
    struct peer *peer = p2p_find_peer(p2p, read->peer);
    int error = job->cancelled ? -ECANCELED : read->error;
    ASSERT(serve->snapshots->n_jobs > 0 && serve->n_reads > 0);
    serve->snapshots->n_jobs--;
    serve->n_reads--;
    p2p_enter(p2p);
    if (error && error != -ECANCELED)
        stop_offering(serve, error);
    if (peer) {
        peer->snapshot->is_reading = false;
        if (error)
            refuse(p2p, peer, read->index);
        else
            peer_send(p2p, peer, "snapchunk", span_of(read->message, read->len));
    }
    p2p_schedule_now(p2p);
    p2p_leave(p2p);
    xfree(read);
}

static void start_read(struct snapshot_serve *serve, struct peer *peer, int64_t now_us)
{
    struct peer_snapshot *of_peer = peer->snapshot;
    struct chunk_read *read = xmalloc(sizeof *read + SNAPSHOT_MESSAGE_MAX);
    ASSERT(of_peer->n_wanted > 0 && !of_peer->is_reading);
    *read = (struct chunk_read){.job = {.run = run_read, .done = read_done},
                                .serve = serve,
                                .peer = peer->id,
                                .index = of_peer->wanted[0]};
    of_peer->n_wanted--;
    memmove(of_peer->wanted, of_peer->wanted + 1, of_peer->n_wanted * sizeof of_peer->wanted[0]);
    struct writer w = writer_to_buffer(read->message, SNAPSHOT_MESSAGE_MAX);
    write_u32(&w, read->index);
    snapshot_tree_branch(&serve->tree, read->index, &w);
    read->head_len = w.len;
    read->len = w.len + snapshot_chunk_len(serve->offer.n_bytes, read->index);
    of_peer->next_us = now_us + (int64_t)read->len * 1000000 / SNAPSHOT_SERVE_RATE;
    of_peer->is_reading = true;
    serve->last_peer = peer->id;
    serve->n_reads++;
    serve->snapshots->n_jobs++;
    env_job_submit(serve->snapshots->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &read->job);
}

/* Whose turn it is: the next after the last one. */
static struct peer *pick(const struct snapshot_serve *serve, int64_t now_us, int64_t *next_us)
{
    struct peer *first = NULL;
    for (struct peer *peer = p2p_first_peer(serve->p2p); peer; peer = peer->next) {
        const struct peer_snapshot *of_peer = peer->snapshot;
        if (!of_peer || of_peer->n_wanted == 0 || of_peer->is_reading ||
            !peer_has_room(serve->p2p, peer))
            continue;
        if (of_peer->next_us > now_us)
            *next_us = MIN_OF(*next_us, of_peer->next_us);
        else if (peer->id > serve->last_peer)
            return peer;
        else if (!first)
            first = peer;
    }
    return first;
}

int64_t snapshot_serve_tick(struct p2p *p2p, int64_t now_us)
{
    struct snapshot_serve *serve = p2p_snapshots_of(p2p)->serve;
    int64_t next_us = INT64_MAX;
    struct peer *peer;
    if (!serve)
        return INT64_MAX;
    while (serve->n_reads < SNAPSHOT_READS_MAX && (peer = pick(serve, now_us, &next_us)) != NULL)
        start_read(serve, peer, now_us);
    return next_us;
}

enum fault snapshot_serve_on_get(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    const struct snapshots *snapshots = p2p_snapshots_of(p2p);
    const struct snapshot_serve *serve = snapshots->serve;
    ASSERT(serve);
    uint32_t index = read_u32(r);
    if (!reader_finish(r))
        return FAULT_MALFORMED;
    if (index >= snapshot_chunk_count(serve->offer.n_bytes))
        return FAULT_NOT_OFFERED;
    struct peer_snapshot *of_peer = snapshots_of_peer(peer);
    if (of_peer->n_wanted == SNAPSHOT_WANTED_MAX)
        return FAULT_SNAPSHOT_GREEDY;
    if (!serve->is_ready || !upload_serves_historical(snapshots->upload, p2p_now_s(p2p))) {
        refuse(p2p, peer, index);
        return FAULT_NONE;
    }
    of_peer->wanted[of_peer->n_wanted++] = index;
    p2p_schedule_now(p2p);
    return FAULT_NONE;
}
