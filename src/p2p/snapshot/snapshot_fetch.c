/* snapshot_fetch.c - see snapshot_fetch.h. One job at a time has the file. */
#include "p2p/snapshot/snapshot_fetch.h"

#include <errno.h>
#include <string.h>

#include "chain/chain.h"
#include "chain/coins/snapshot_part.h"
#include "chain/intake/snapshot_load.h"
#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"
#include "p2p/peer/send.h"
#include "util/alloc.h"
#include "util/list.h"

#define LOOK_US 1000000 /* headers may have come, or peers */

/* NONE -> RECALLS -> LOOKS -> OPENS -> FETCHES -> RESTS -> WHOLE -> REMOVES -> NONE; from RECALLS
 * to FETCHES, if there is something of use; from FETCHES and WHOLE by REMOVES to LOOKS, if that
 * file is left; and from each to NONE, after its job. */
enum fetch_stage {
    FETCH_NONE,
    FETCH_RECALLS, /* a job: what has an earlier run left? */
    FETCH_LOOKS,   /* for a file that a peer tells of */
    FETCH_OPENS,   /* a job */
    FETCH_FETCHES, /* a job now and then: what has come is written */
    FETCH_RESTS,   /* all is there; the header of its block is awaited */
    FETCH_WHOLE,   /* somebody looks at it */
    FETCH_REMOVES, /* a job */
};

/* One that has come. */
struct chunk {
    struct list_link link;
    uint32_t index;
    size_t len;
    uint8_t bytes[];
};

struct snapshot_fetch {
    struct env_job job; /* first */
    struct snapshots *snapshots;
    struct p2p *p2p;
    struct snapshot_wish wish; /* path is part's */
    enum fetch_stage stage;
    bool has_job, stops, saves, is_over; /* of the job: is durable; of REMOVES: NONE follows */
    int error;                           /* the job's */
    struct snapshot_part part;
    struct snapshot_offer next;   /* OPENS */
    uint8_t *taken;               /* a bit for each chunk that is or will be written, */
    uint8_t *asked;               /* and for each that a peer owes in time */
    uint32_t first;               /* none before it is wanted */
    size_t n_asked;               /* of these, and of those waiting or being written */
    struct list waiting, writing; /* of struct chunk; the job has the latter */
    size_t n_unsaved;
    int64_t saved_us, heard_us;
    struct snapshot_offer left[SNAPSHOT_LEFT_MAX];
    size_t n_left;
};

static bool has_bit(const uint8_t *bits, uint32_t i)
{
    return bits[i / 8] >> i % 8 & 1;
}

static void set_bit(uint8_t *bits, uint32_t i, bool to)
{
    bits[i / 8] = (uint8_t)((bits[i / 8] & ~(1 << i % 8)) | to << i % 8);
}

static struct snapshot_fetch *fetch_of(const struct p2p *p2p)
{
    return p2p_snapshots_of(p2p)->fetch;
}

static uint32_t count(const struct snapshot_fetch *fetch)
{
    return snapshot_chunk_count(fetch->part.offer.n_bytes);
}

/* -- Jobs: on another thread ------------------------------------------------------------------- */

static int write_all(const struct snapshot_fetch *fetch)
{
    int error = 0;
    LIST_EACH (struct chunk, chunk, &fetch->writing, link)
        if (!error)
            error =
                snapshot_part_write(&fetch->part, chunk->index, span_of(chunk->bytes, chunk->len));
    return error;
}

/* Those that are written now count, and become durable, by the next job. */
static void run(struct env_job *job)
{
    struct snapshot_fetch *fetch = (struct snapshot_fetch *)job;
    fetch->error = 0;
    if (fetch->stage == FETCH_RECALLS)
        fetch->error = snapshot_part_recall(&fetch->part);
    else if (fetch->stage == FETCH_OPENS)
        fetch->error = snapshot_part_begin(&fetch->part, &fetch->next);
    else if (fetch->stage == FETCH_REMOVES)
        fetch->error = snapshot_part_remove(&fetch->part);
    else
        fetch->error = write_all(fetch);
    if (!fetch->error && fetch->saves)
        fetch->error = snapshot_part_save(&fetch->part);
}

static void done(struct env_job *job);

static void start_job(struct snapshot_fetch *fetch, enum fetch_stage stage, bool saves)
{
    ASSERT(!fetch->has_job);
    fetch->stage = stage;
    fetch->saves = saves;
    fetch->has_job = true;
    fetch->snapshots->n_jobs++;
    fetch->job = (struct env_job){.run = run, .done = done};
    env_job_submit(fetch->snapshots->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &fetch->job);
}

/* Write what waits; what was written before may become durable. */
static void start_writing(struct snapshot_fetch *fetch)
{
    int64_t now_us = env_now_us(fetch->snapshots->env);
    bool is_due = fetch->stops || snapshot_part_is_whole(&fetch->part) ||
                  fetch->n_unsaved >= SNAPSHOT_SAVE_CHUNKS ||
                  now_us - fetch->saved_us >= SNAPSHOT_SAVE_US;
    bool saves = fetch->n_unsaved > 0 && is_due;
    if (fetch->has_job || (fetch->waiting.count == 0 && !saves))
        return;
    if (saves) {
        fetch->n_unsaved = 0;
        fetch->saved_us = now_us;
    }
    list_take_all(&fetch->writing, &fetch->waiting);
    start_job(fetch, FETCH_FETCHES, saves);
}

/* -- The end ----------------------------------------------------------------------------------- */

static void drop_chunks(struct list *list)
{
    struct chunk *chunk;
    while ((chunk = LIST_POP(struct chunk, list, link)))
        xfree(chunk);
}

/* Nothing of the file is wanted now: what peers owe may still come, and is thrown away. */
static void forget_file(struct snapshot_fetch *fetch)
{
    ASSERT(!fetch->has_job);
    for (struct peer *peer = p2p_first_peer(fetch->p2p); peer; peer = peer->next)
        for (size_t i = 0; peer->snapshot && i < peer->snapshot->n_slots; i++)
            peer->snapshot->slots[i].is_late = true;
    drop_chunks(&fetch->waiting);
    xfree(fetch->taken);
    xfree(fetch->asked);
    fetch->taken = fetch->asked = NULL;
    fetch->n_asked = fetch->n_unsaved = 0;
}

static void finish(struct snapshot_fetch *fetch)
{
    forget_file(fetch);
    snapshot_part_close(&fetch->part);
    fetch->stage = FETCH_NONE;
    fetch->stops = false;
}

static void fail(struct snapshot_fetch *fetch, const char *why)
{
    finish(fetch);
    fetch->wish.fetched(fetch->wish.arg, fetch->part.path, why);
}

/* The file is left, and if it is a lie so is who told of it. */
static void leave_file(struct snapshot_fetch *fetch, bool is_lie)
{
    struct peer *next;
    ASSERT(fetch->n_left < SNAPSHOT_LEFT_MAX);
    fetch->left[fetch->n_left++] = fetch->part.offer;
    forget_file(fetch);
    for (struct peer *peer = p2p_first_peer(fetch->p2p); peer; peer = next) {
        next = peer->next;
        if (peer->snapshot && peer->snapshot->has_offer &&
            snapshot_offer_equal(&peer->snapshot->offer, &fetch->part.offer)) {
            peer->snapshot->is_left = true;
            peer_fault(fetch->p2p, peer, is_lie ? FAULT_SNAPSHOT_ROOT : FAULT_NONE, "");
        }
    }
    fetch->is_over = false;
    start_job(fetch, FETCH_REMOVES, false);
}

/* -- Choosing a file --------------------------------------------------------------------------- */

static bool is_left(const struct snapshot_fetch *fetch, const struct snapshot_offer *offer)
{
    for (size_t i = 0; i < fetch->n_left; i++)
        if (snapshot_offer_equal(&fetch->left[i], offer))
            return true;
    return false;
}

static bool is_wished(const struct snapshot_fetch *fetch, const struct snapshot_offer *offer)
{
    static const struct block_hash any = {{0}};
    if (is_left(fetch, offer))
        return false;
    if (block_hash_equal(&fetch->wish.base, &any))
        return snapshot_facts(fetch->snapshots->network, &offer->base) != NULL;
    return block_hash_equal(&fetch->wish.base, &offer->base);
}

/* Its block, if it is of use; NULL: it is not, or not yet: headers come first. */
static const struct block_node *base_of(const struct snapshot_fetch *fetch,
                                        const struct snapshot_offer *offer)
{
    const struct chain *chain = fetch->snapshots->chain;
    const struct block_node *base = chain_find(chain, &offer->base);
    const struct block_node *best = chain_best_header(chain);
    bool is_good = base && base->height > chain_tip(chain)->height &&
                   block_node_ancestor(best, base->height) == base;
    return is_good && is_wished(fetch, offer) ? base : NULL;
}

/* How many tell of the same one: first those that we have chosen ourselves. */
static size_t weigh(const struct snapshot_fetch *fetch, const struct snapshot_offer *offer)
{
    size_t weight = 0;
    for (struct peer *peer = p2p_first_peer(fetch->p2p); peer; peer = peer->next)
        if (peer->snapshot && peer->snapshot->has_offer && peer->state == PEER_READY &&
            !peer->snapshot->is_left && snapshot_offer_equal(&peer->snapshot->offer, offer))
            weight += peer_is_outbound(peer) ? 1000 : 1;
    return weight;
}

/* The newest of which anybody tells, and of these the one that most do. */
static bool choose(const struct snapshot_fetch *fetch, struct snapshot_offer *best)
{
    int32_t best_height = -1;
    size_t best_weight = 0;
    for (struct peer *peer = p2p_first_peer(fetch->p2p); peer; peer = peer->next) {
        if (!peer->snapshot || !peer->snapshot->has_offer)
            continue;
        const struct snapshot_offer *offer = &peer->snapshot->offer;
        const struct block_node *base = base_of(fetch, offer);
        size_t weight = base ? weigh(fetch, offer) : 0;
        if (weight == 0 || base->height < best_height ||
            (base->height == best_height && weight <= best_weight))
            continue;
        best_height = base->height;
        best_weight = weight;
        *best = *offer;
    }
    return best_height >= 0;
}

static void look(struct snapshot_fetch *fetch)
{
    if (fetch->n_left == SNAPSHOT_LEFT_MAX)
        fail(fetch, "too many files that peers had were not what they should be");
    else if (choose(fetch, &fetch->next))
        start_job(fetch, FETCH_OPENS, false);
}

/* The file is open. */
static void begin_file(struct snapshot_fetch *fetch)
{
    size_t n_bytes = (count(fetch) + 7) / 8;
    ASSERT(!fetch->taken && fetch->n_asked == 0);
    fetch->stage = FETCH_FETCHES;
    fetch->taken = xmalloc(n_bytes);
    memcpy(fetch->taken, fetch->part.have, n_bytes);
    fetch->asked = xcalloc(1, n_bytes);
    fetch->first = 0;
    fetch->n_unsaved = fetch->part.n_have > 0; /* so that its end is durable in any case */
    fetch->saved_us = fetch->heard_us = env_now_us(fetch->snapshots->env);
    log_printf(fetch->snapshots->log, LOG_ALWAYS,
               "[snapshot] fetching %llu bytes of coins from peers; %u of %u chunks are here",
               (unsigned long long)fetch->part.offer.n_bytes, fetch->part.n_have, count(fetch));
}

/* -- What jobs have done ----------------------------------------------------------------------- */

static void written(struct snapshot_fetch *fetch)
{
    struct chunk *chunk;
    while ((chunk = LIST_POP(struct chunk, &fetch->writing, link))) {
        if (!fetch->error) {
            snapshot_part_add(&fetch->part, chunk->index);
            fetch->n_unsaved++;
        }
        ASSERT(fetch->n_asked > 0);
        fetch->n_asked--;
        xfree(chunk);
    }
    start_writing(fetch);
    if (fetch->has_job || fetch->stops || !snapshot_part_is_whole(&fetch->part))
        return;
    forget_file(fetch);
    snapshot_part_close(&fetch->part);
    fetch->stage = FETCH_RESTS;
}

static void go_on(struct snapshot_fetch *fetch)
{
    enum fetch_stage stage = fetch->stage;
    bool is_of_use =
        stage == FETCH_RECALLS && !fetch->error && is_wished(fetch, &fetch->part.offer);
    if (stage == FETCH_RECALLS && !is_of_use) {
        snapshot_part_close(&fetch->part);
        fetch->stage = FETCH_LOOKS; /* it is forgotten when another one is begun */
    } else if (fetch->error) {
        drop_chunks(&fetch->writing);
        fail(fetch, strerror(-fetch->error));
    } else if (stage == FETCH_REMOVES) {
        fetch->stage = fetch->is_over ? FETCH_NONE : FETCH_LOOKS;
    } else {
        if (stage != FETCH_FETCHES)
            begin_file(fetch);
        written(fetch);
    }
}

static void done(struct env_job *job)
{
    struct snapshot_fetch *fetch = (struct snapshot_fetch *)job;
    ASSERT(fetch->has_job && fetch->snapshots->n_jobs > 0);
    fetch->has_job = false;
    fetch->snapshots->n_jobs--;
    fetch->error = job->cancelled ? -ECANCELED : fetch->error;
    p2p_enter(fetch->p2p);
    if (!fetch->stops)
        go_on(fetch);
    else if (fetch->stage == FETCH_FETCHES && !fetch->error)
        written(fetch);
    if (fetch->stops && !fetch->has_job) {
        drop_chunks(&fetch->writing);
        finish(fetch);
    }
    p2p_schedule_now(fetch->p2p);
    p2p_leave(fetch->p2p);
}

/* -- Orders ------------------------------------------------------------------------------------ */

void snapshot_fetch_begin(struct snapshots *snapshots, struct p2p *p2p,
                          const struct snapshot_wish *wish)
{
    ASSERT(wish->path && wish->fetched && !snapshot_fetch_is_busy(snapshots));
    struct snapshot_fetch *fetch = snapshots->fetch;
    if (fetch)
        snapshot_part_deinit(&fetch->part);
    else
        fetch = xmalloc(sizeof *fetch);
    *fetch = (struct snapshot_fetch){.snapshots = snapshots, .p2p = p2p, .wish = *wish};
    snapshots->fetch = fetch;
    snapshot_part_init(&fetch->part, snapshots->env, wish->path);
    fetch->wish.path = fetch->part.path;
    start_job(fetch, FETCH_RECALLS, false);
}

bool snapshot_fetch_is_busy(const struct snapshots *snapshots)
{
    ASSERT(snapshots);
    return snapshots->fetch && (snapshots->fetch->stage != FETCH_NONE || snapshots->fetch->has_job);
}

void snapshot_fetch_settle(struct snapshots *snapshots, bool is_bad, bool is_kept)
{
    struct snapshot_fetch *fetch = snapshots->fetch;
    ASSERT(fetch && !(is_bad && is_kept));
    if (fetch->stage != FETCH_WHOLE)
        return; /* it was stopped meanwhile */
    p2p_enter(fetch->p2p);
    fetch->is_over = true;
    if (is_kept)
        finish(fetch);
    else if (is_bad)
        leave_file(fetch, true);
    else
        start_job(fetch, FETCH_REMOVES, false);
    p2p_leave(fetch->p2p);
}

void snapshot_fetch_stop(struct snapshots *snapshots)
{
    struct snapshot_fetch *fetch = snapshots->fetch;
    if (!snapshot_fetch_is_busy(snapshots) || fetch->stops)
        return;
    fetch->stops = true;
    if (fetch->stage == FETCH_FETCHES)
        start_writing(fetch);
    if (!fetch->has_job)
        finish(fetch);
}

void snapshot_fetch_free(struct snapshots *snapshots)
{
    struct snapshot_fetch *fetch = snapshots->fetch;
    ASSERT(!snapshot_fetch_is_busy(snapshots));
    if (fetch)
        snapshot_part_deinit(&fetch->part);
    xfree(fetch);
    snapshots->fetch = NULL;
}

struct snapshot_progress snapshot_fetch_progress(const struct snapshots *snapshots)
{
    static const char *const names[] = {
        [FETCH_NONE] = "none",     [FETCH_RECALLS] = "waiting",  [FETCH_LOOKS] = "waiting",
        [FETCH_OPENS] = "waiting", [FETCH_FETCHES] = "fetching", [FETCH_RESTS] = "whole",
        [FETCH_WHOLE] = "whole",   [FETCH_REMOVES] = "waiting"};
    const struct snapshot_fetch *fetch = snapshots->fetch;
    struct snapshot_progress progress = {.state = names[fetch ? fetch->stage : FETCH_NONE]};
    if (!fetch)
        return progress;
    progress.n_left = fetch->n_left;
    if (fetch->stage != FETCH_FETCHES && fetch->stage != FETCH_RESTS && fetch->stage != FETCH_WHOLE)
        return progress;
    progress.offer = fetch->part.offer;
    progress.n_chunks = count(fetch);
    progress.n_have = fetch->part.n_have;
    for (struct peer *peer = p2p_first_peer(fetch->p2p); peer; peer = peer->next)
        progress.n_peers += peer->snapshot && peer->snapshot->n_slots > 0;
    return progress;
}

/* -- Asking ------------------------------------------------------------------------------------ */

/* It has the file, and may be asked for it. */
static bool is_source(const struct snapshot_fetch *fetch, const struct peer *peer)
{
    const struct peer_snapshot *of_peer = peer->snapshot;
    return fetch->stage == FETCH_FETCHES && of_peer && of_peer->has_offer && !of_peer->is_left &&
           peer->state == PEER_READY && snapshot_offer_equal(&of_peer->offer, &fetch->part.offer);
}

/* Nobody owes it in time any more. */
static void release(struct snapshot_fetch *fetch, uint32_t index)
{
    ASSERT(has_bit(fetch->asked, index) && fetch->n_asked > 0);
    set_bit(fetch->asked, index, false);
    fetch->n_asked--;
    fetch->first = MIN_OF(fetch->first, index);
}

static bool next_wanted(struct snapshot_fetch *fetch, uint32_t *index)
{
    uint32_t n = count(fetch);
    while (fetch->first < n &&
           (has_bit(fetch->taken, fetch->first) || has_bit(fetch->asked, fetch->first)))
        fetch->first++;
    *index = fetch->first;
    return fetch->first < n;
}

static void ask(struct snapshot_fetch *fetch, struct peer *peer, uint32_t index, int64_t now_us)
{
    struct peer_snapshot *of_peer = peer->snapshot;
    uint8_t bytes[4];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    ASSERT(of_peer->n_slots < SNAPSHOT_WINDOW_MAX);
    of_peer->slots[of_peer->n_slots++] = (struct snapshot_slot){.index = index, .asked_us = now_us};
    set_bit(fetch->asked, index, true);
    fetch->n_asked++;
    write_u32(&w, index);
    peer_send(fetch->p2p, peer, "getsnapchunk", span_of(bytes, w.len));
}

/* It will not be asked any more. What it owes may be asked of others. */
static void leave_peer(struct snapshot_fetch *fetch, struct peer_snapshot *of_peer)
{
    of_peer->is_left = true;
    for (size_t i = 0; i < of_peer->n_slots; i++) {
        if (!of_peer->slots[i].is_late)
            release(fetch, of_peer->slots[i].index);
        of_peer->slots[i].is_late = true;
    }
}

/* Returns: it owes nothing that is late */
static bool look_for_late(struct snapshot_fetch *fetch, struct peer *peer, int64_t now_us,
                          int64_t *next_us)
{
    struct peer_snapshot *of_peer = peer->snapshot;
    bool is_prompt = true;
    for (size_t i = 0; i < of_peer->n_slots; i++) {
        struct snapshot_slot *slot = &of_peer->slots[i];
        int64_t until_us = MAX_OF(slot->asked_us, of_peer->heard_us) + SNAPSHOT_CHUNK_WAIT_US;
        if (!slot->is_late && until_us <= now_us) {
            slot->is_late = true;
            of_peer->window = 1;
            release(fetch, slot->index);
        }
        if (!slot->is_late)
            *next_us = MIN_OF(*next_us, until_us);
        is_prompt = is_prompt && !slot->is_late;
    }
    return is_prompt;
}

/* Each in turn is asked for one, until nobody may be asked for more: so all begin. */
static void ask_all(struct snapshot_fetch *fetch, int64_t now_us, int64_t *next_us)
{
    uint32_t index;
    bool has_asked = true;
    while (has_asked) {
        has_asked = false;
        for (struct peer *peer = p2p_first_peer(fetch->p2p); peer; peer = peer->next) {
            if (!is_source(fetch, peer) || !look_for_late(fetch, peer, now_us, next_us) ||
                peer->snapshot->n_slots >= peer->snapshot->window ||
                fetch->n_asked >= SNAPSHOT_ASKED_MAX || !next_wanted(fetch, &index))
                continue;
            ask(fetch, peer, index, now_us);
            *next_us = MIN_OF(*next_us, now_us + SNAPSHOT_CHUNK_WAIT_US);
            has_asked = true;
        }
    }
}

/* The chain has come past the block of the file, or to it. */
static bool is_passed(const struct snapshot_fetch *fetch)
{
    const struct chain *chain = fetch->snapshots->chain;
    const struct block_node *base = chain_find(chain, &fetch->part.offer.base);
    return base && base->height <= chain_tip(chain)->height;
}

/* Of no use any more. */
static void give_up(struct snapshot_fetch *fetch)
{
    forget_file(fetch);
    fetch->is_over = true;
    start_job(fetch, FETCH_REMOVES, false);
    fetch->wish.fetched(fetch->wish.arg, fetch->part.path, "the chain is past their block already");
}

/* What needs no answer of a peer. */
static void step(struct snapshot_fetch *fetch)
{
    bool has_file = fetch->stage == FETCH_FETCHES || fetch->stage == FETCH_RESTS;
    if (has_file && !fetch->has_job && is_passed(fetch)) {
        give_up(fetch);
    } else if (fetch->stage == FETCH_LOOKS) {
        look(fetch);
    } else if (fetch->stage == FETCH_RESTS && base_of(fetch, &fetch->part.offer)) {
        fetch->stage = FETCH_WHOLE;
        fetch->wish.fetched(fetch->wish.arg, fetch->part.path, NULL);
    }
}

int64_t snapshot_fetch_tick(struct p2p *p2p, int64_t now_us)
{
    struct snapshot_fetch *fetch = fetch_of(p2p);
    int64_t next_us = INT64_MAX;
    if (!fetch || fetch->stops)
        return INT64_MAX;
    step(fetch);
    if (fetch->stage == FETCH_LOOKS || fetch->stage == FETCH_RESTS)
        return now_us + LOOK_US;
    if (fetch->stage != FETCH_FETCHES)
        return INT64_MAX;
    ask_all(fetch, now_us, &next_us);
    start_writing(fetch);
    if (fetch->n_unsaved > 0)
        next_us = MIN_OF(next_us, fetch->saved_us + SNAPSHOT_SAVE_US);
    int64_t until_us = fetch->heard_us + SNAPSHOT_PATIENCE_US;
    struct snapshot_offer offer;
    if (until_us > now_us || fetch->has_job)
        return MIN_OF(next_us, MAX_OF(until_us, now_us + 1000000));
    if (choose(fetch, &offer) && !snapshot_offer_equal(&offer, &fetch->part.offer) &&
        fetch->n_left < SNAPSHOT_LEFT_MAX)
        leave_file(fetch, false);
    return MIN_OF(next_us, now_us + SNAPSHOT_PATIENCE_US);
}

/* -- Chunks ------------------------------------------------------------------------------------ */

bool snapshot_fetch_is_on(const struct p2p *p2p)
{
    return fetch_of(p2p) != NULL;
}

bool snapshot_fetch_is_asked(const struct p2p *p2p, const struct peer *peer)
{
    (void)p2p;
    ASSERT(peer);
    return peer->snapshot && peer->snapshot->n_slots > 0;
}

/* Take the slot out that this is the answer to. Returns: false: there is none */
static bool take_slot(struct peer_snapshot *of_peer, uint32_t index, struct snapshot_slot *slot)
{
    for (size_t i = 0; of_peer && i < of_peer->n_slots; i++) {
        if (of_peer->slots[i].index != index)
            continue;
        *slot = of_peer->slots[i];
        of_peer->slots[i] = of_peer->slots[--of_peer->n_slots];
        return true;
    }
    return false;
}

static void take(struct snapshot_fetch *fetch, uint32_t index, struct span bytes)
{
    struct chunk *chunk = xmalloc(sizeof *chunk + bytes.len);
    *chunk = (struct chunk){.index = index, .len = bytes.len};
    memcpy(chunk->bytes, bytes.p, bytes.len);
    set_bit(fetch->taken, index, true);
    fetch->n_asked++;
    list_add(&fetch->waiting, &chunk->link);
    start_writing(fetch);
}

/* The file says itself of which block it is: who told of another need not be heard to the end. */
static bool is_of_base(const struct snapshot_offer *offer, uint32_t index, struct span bytes)
{
    enum { BASE_AT = 11 }; /* magic, version, network: snapshot_file.h */
    return index > 0 || memcmp(bytes.p + BASE_AT, offer->base.b, sizeof offer->base.b) == 0;
}

enum fault snapshot_fetch_on_chunk(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    struct snapshot_fetch *fetch = fetch_of(p2p);
    struct peer_snapshot *of_peer = peer->snapshot;
    struct snapshot_slot slot;
    uint32_t index = read_u32(r);
    ASSERT(fetch && !r->failed);
    if (!take_slot(of_peer, index, &slot))
        return FAULT_SNAPSHOT_UNASKED;
    bool is_wanted = is_source(fetch, peer);
    if (is_wanted && !slot.is_late)
        release(fetch, index);
    p2p_schedule_now(p2p);
    if (reader_left(r) == 0) { /* it has none for us */
        leave_peer(fetch, of_peer);
        return FAULT_NONE;
    }
    of_peer->heard_us = p2p_now_us(p2p);
    if (!is_wanted)
        return FAULT_NONE;
    struct span branch = read_span(r, 32 * snapshot_branch_len(of_peer->offer.n_bytes, index));
    struct span bytes = read_span(r, reader_left(r));
    if (r->failed || !snapshot_chunk_is_of(&of_peer->offer, index, branch, bytes)) {
        leave_peer(fetch, of_peer);
        return FAULT_SNAPSHOT_CHUNK;
    }
    if (!is_of_base(&of_peer->offer, index, bytes)) {
        leave_peer(fetch, of_peer);
        return FAULT_SNAPSHOT_ROOT;
    }
    fetch->heard_us = of_peer->heard_us;
    if (!slot.is_late && of_peer->window < SNAPSHOT_WINDOW_MAX)
        of_peer->window++;
    bool has_room = !slot.is_late || fetch->n_asked < SNAPSHOT_ASKED_MAX;
    if (!has_bit(fetch->taken, index) && !fetch->stops && has_room)
        take(fetch, index, bytes);
    return FAULT_NONE;
}

void snapshot_fetch_peer_gone(struct p2p *p2p, struct peer *peer)
{
    struct snapshot_fetch *fetch = fetch_of(p2p);
    struct peer_snapshot *of_peer = peer->snapshot;
    if (!of_peer || !fetch)
        return;
    leave_peer(fetch, of_peer);
    p2p_schedule_now(p2p);
}
