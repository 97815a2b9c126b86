/* tx_fetch.c - see tx_fetch.h. */
#include "p2p/txs/tx_fetch.h"

#include <string.h>

#include "util/alloc.h"

#define VISITS_MAX 200 /* candidates of one peer that may give way in one turn */

enum state {
    STATE_CANDIDATE, /* in its peer's list: may be asked when its time has come */
    STATE_WAITING,   /* another peer is being asked */
    STATE_ASKED,
    STATE_DONE, /* this peer did not deliver */
};

/* One peer says it has one transaction. */
struct tx_announcement {
    struct tx_want *want;
    struct tx_fetch_peer *peer;
    struct tx_announcement *next_of_want;
    struct list_link link; /* of candidates of its peer, or of those asked */
    struct list_link all;  /* of its peer */
    int64_t at_us;         /* candidate: not before; asked: until */
    uint64_t lot; /* that nobody can foresee: of inbound peers the first gets no advantage */
    uint8_t state;
    bool is_late; /* asked, and patience with it has run out */
};

/* A transaction that we lack. */
struct tx_want {
    uint8_t id[32];
    bool is_wtxid;
    struct tx_announcement *announcements;
    unsigned n_asked;    /* that are being asked */
    unsigned n_target;   /* that may be: 1 until patience runs out */
    unsigned n_rounds;   /* how often it has */
    int64_t patience_us; /* while listed: until when */
    bool is_listed;
    struct list_link link; /* of those with patience left */
};

void tx_fetch_init(struct tx_fetch *fetch, struct siphash_key key)
{
    *fetch = (struct tx_fetch){.key = key};
    hash_map_init(&fetch->wants);
}

void tx_fetch_deinit(struct tx_fetch *fetch)
{
    ASSERT(fetch->n_total == 0 && fetch->n_peers == 0);
    hash_map_deinit(&fetch->wants);
}

void tx_fetch_peer_init(struct tx_fetch *fetch, struct tx_fetch_peer *peer, uint64_t id,
                        bool is_preferred, bool is_unlimited)
{
    *peer = (struct tx_fetch_peer){
        .id = id, .is_preferred = is_preferred, .is_unlimited = is_unlimited};
    fetch->n_peers++;
}

/* -- Lists --------------------------------------------------------------------------------------
 */

static bool has_id(const void *value, const void *key)
{
    return memcmp(((const struct tx_want *)value)->id, key, 32) == 0;
}

static uint64_t hash_of(const struct tx_fetch *fetch, const uint8_t id[32])
{
    return siphash13_id(fetch->key, id, 0);
}

static struct tx_want *find(const struct tx_fetch *fetch, const uint8_t id[32])
{
    return hash_map_find(&fetch->wants, hash_of(fetch, id), has_id, id);
}

/* Put a candidate into its peer's list by time. Most are the latest: looked for from the end. */
static void list_candidate(struct tx_announcement *a)
{
    struct list *list = &a->peer->candidates;
    struct tx_announcement *after = LIST_LAST(struct tx_announcement, list, link);
    while (after && after->at_us > a->at_us)
        after = LIST_PREV(struct tx_announcement, after, link);
    list_add_before(list, &a->link, after ? after->link.next : list->first);
    a->state = STATE_CANDIDATE;
}

/* Take an announcement out of whatever list its state puts it into. */
static void unlist(struct tx_fetch *fetch, struct tx_announcement *a)
{
    if (a->state == STATE_CANDIDATE)
        list_remove(&a->peer->candidates, &a->link);
    if (a->state == STATE_ASKED) {
        list_remove(&fetch->asked, &a->link);
        ASSERT(a->peer->n_in_flight > 0 && a->want->n_asked > 0);
        a->peer->n_in_flight--;
        a->want->n_asked--;
    }
}

static void end_patience(struct tx_fetch *fetch, struct tx_want *want)
{
    if (!want->is_listed)
        return;
    list_remove(&fetch->patient, &want->link);
    want->is_listed = false;
}

/* It has just been asked of somebody: its patience begins anew. */
static void begin_patience(struct tx_fetch *fetch, struct tx_want *want, int64_t now_us)
{
    end_patience(fetch, want);
    want->patience_us = now_us + TX_FETCH_PATIENCE_US;
    list_add(&fetch->patient, &want->link);
    want->is_listed = true;
}

/* -- Wants --------------------------------------------------------------------------------------
 */

static void free_announcement(struct tx_fetch *fetch, struct tx_announcement *a)
{
    unlist(fetch, a);
    list_remove(&a->peer->all, &a->all);
    fetch->n_total--;
    xfree(a);
}

static void free_want(struct tx_fetch *fetch, struct tx_want *want)
{
    (void)hash_map_remove(&fetch->wants, hash_of(fetch, want->id), has_id, want->id);
    end_patience(fetch, want);
    while (want->announcements) {
        struct tx_announcement *next = want->announcements->next_of_want;
        free_announcement(fetch, want->announcements);
        want->announcements = next;
    }
    xfree(want);
}

static bool has_place(const struct tx_fetch_peer *peer)
{
    return peer->is_unlimited || peer->n_in_flight < TX_FETCH_IN_FLIGHT_MAX;
}

/* Is it better to ask a than b? */
static bool is_better(const struct tx_announcement *a, const struct tx_announcement *b)
{
    const struct tx_fetch_peer *p = a->peer, *q = b->peer;
    if (has_place(p) != has_place(q))
        return has_place(p);
    if (p->is_preferred != q->is_preferred)
        return p->is_preferred;
    if (p->missed != q->missed)
        return p->missed < q->missed;
    return a->lot < b->lot;
}

/* Let as many be asked as may be, the best of those who wait first. If none is left to be asked
 * ever, the want ends. */
static void ask_more(struct tx_fetch *fetch, struct tx_want *want, int64_t now_us)
{
    unsigned n_open = want->n_asked;
    for (struct tx_announcement *a = want->announcements; a; a = a->next_of_want)
        n_open += a->state == STATE_CANDIDATE;
    while (n_open < want->n_target) {
        struct tx_announcement *best = NULL;
        for (struct tx_announcement *a = want->announcements; a; a = a->next_of_want)
            if (a->state == STATE_WAITING && (!best || is_better(a, best)))
                best = a;
        if (!best)
            break;
        best->at_us = now_us;
        list_candidate(best);
        n_open++;
    }
    if (n_open == 0)
        free_want(fetch, want);
    else if (want->n_asked == 0)
        end_patience(fetch, want);
}

/* Those who are being asked keep us waiting: more are asked with each round. Who announces it later
 * is asked at once. */
static void lose_patience(struct tx_fetch *fetch, struct tx_want *want, int64_t now_us)
{
    ASSERT(want->n_asked > 0);
    end_patience(fetch, want);
    for (struct tx_announcement *a = want->announcements; a; a = a->next_of_want) {
        if (a->state != STATE_ASKED || a->is_late)
            continue;
        a->is_late = true;
        if (a->peer->missed < TX_FETCH_MISSED_MAX)
            a->peer->missed++;
    }
    want->n_target = want->n_asked + (1u << want->n_rounds);
    if (want->n_rounds < TX_FETCH_ROUNDS_MAX)
        want->n_rounds++;
    ask_more(fetch, want, now_us);
}

/* -- Hearing ------------------------------------------------------------------------------------
 */

bool tx_fetch_has_room(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer)
{
    if (peer->is_unlimited)
        return peer->all.count < TX_FETCH_TOTAL_MAX;
    if (peer->all.count >= TX_FETCH_ANNOUNCEMENTS_MAX)
        return false;
    if (peer->is_preferred || fetch->n_total < TX_FETCH_TOTAL_MAX)
        return true;
    return peer->all.count < TX_FETCH_TOTAL_MAX / (fetch->n_peers ? fetch->n_peers : 1) &&
           fetch->n_total < 2 * TX_FETCH_TOTAL_MAX;
}

bool tx_fetch_announced(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                        bool is_wtxid, int64_t delay_us, int64_t now_us)
{
    ASSERT(delay_us >= 0);
    struct tx_want *want = find(fetch, id);
    for (struct tx_announcement *a = want ? want->announcements : NULL; a; a = a->next_of_want)
        if (a->peer == peer)
            return false;
    if (!tx_fetch_has_room(fetch, peer))
        return false;
    if (!want) {
        want = xcalloc(1, sizeof *want);
        memcpy(want->id, id, 32);
        want->is_wtxid = is_wtxid;
        want->n_target = 1;
        hash_map_insert(&fetch->wants, hash_of(fetch, id), want);
    }
    struct tx_announcement *a = xcalloc(1, sizeof *a);
    a->want = want;
    a->peer = peer;
    a->at_us = now_us + delay_us;
    a->lot = siphash13_id(fetch->key, id, (uint32_t)peer->id);
    a->next_of_want = want->announcements;
    want->announcements = a;
    list_add_first(&peer->all, &a->all);
    fetch->n_total++;
    if (want->n_asked >= want->n_target)
        a->state = STATE_WAITING;
    else
        list_candidate(a);
    return true;
}

/* -- Asking -------------------------------------------------------------------------------------
 */

static void mark_asked(struct tx_fetch *fetch, struct tx_announcement *a, int64_t now_us)
{
    struct tx_want *want = a->want;
    unlist(fetch, a);
    a->at_us = now_us + TX_FETCH_TIMEOUT_US;
    a->is_late = false;
    list_add(&fetch->asked, &a->link);
    a->state = STATE_ASKED;
    want->n_asked++;
    a->peer->n_in_flight++;
    begin_patience(fetch, want, now_us);
    for (struct tx_announcement *b = want->announcements; b && want->n_asked >= want->n_target;
         b = b->next_of_want)
        if (b->state == STATE_CANDIDATE) {
            unlist(fetch, b);
            b->state = STATE_WAITING;
        }
}

/* Are there so many others, better ones, that may be asked now too? */
static bool gives_way(const struct tx_announcement *a, int64_t now_us)
{
    const struct tx_want *want = a->want;
    unsigned n = want->n_asked;
    for (const struct tx_announcement *b = want->announcements; b; b = b->next_of_want)
        n += b != a && b->state == STATE_CANDIDATE && b->at_us <= now_us && is_better(b, a);
    return n >= want->n_target;
}

/* The first that may be asked of a peer, if there is one. */
static struct tx_announcement *candidate_of(const struct tx_fetch_peer *peer)
{
    return LIST_FIRST(struct tx_announcement, &peer->candidates, link);
}

size_t tx_fetch_next(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us,
                     struct tx_fetch_id *out, size_t max)
{
    ASSERT(out || max == 0);
    size_t n = 0, n_seen = 0;
    struct tx_announcement *next;
    for (struct tx_announcement *a = candidate_of(peer);
         a && a->at_us <= now_us && n < max && has_place(peer); a = next) {
        next = LIST_NEXT(struct tx_announcement, a,
                         link); /* of this peer: asking for one changes the lists of others only */
        /* A flood must not make this long; then nobody gives way, so that somebody is asked. */
        if (++n_seen > VISITS_MAX && n > 0)
            break;
        if (n_seen <= VISITS_MAX && gives_way(a, now_us))
            continue;
        mark_asked(fetch, a, now_us);
        memcpy(out[n].id, a->want->id, 32);
        out[n++].is_wtxid = a->want->is_wtxid;
    }
    return n;
}

int64_t tx_fetch_next_us(const struct tx_fetch_peer *peer)
{
    const struct tx_announcement *first = candidate_of(peer);
    return first && has_place(peer) ? first->at_us : INT64_MAX;
}

/* -- Answers ------------------------------------------------------------------------------------
 */

static struct tx_announcement *find_of(const struct tx_fetch *fetch,
                                       const struct tx_fetch_peer *peer, const uint8_t id[32])
{
    struct tx_want *want = find(fetch, id);
    struct tx_announcement *a = want ? want->announcements : NULL;
    while (a && a->peer != peer)
        a = a->next_of_want;
    return a;
}

/* This peer will not deliver. */
static void give_up(struct tx_fetch *fetch, struct tx_announcement *a, int64_t now_us)
{
    struct tx_want *want = a->want;
    unlist(fetch, a);
    a->state = STATE_DONE;
    ask_more(fetch, want, now_us);
}

void tx_fetch_answered(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                       int64_t now_us)
{
    struct tx_announcement *a = find_of(fetch, peer, id);
    if (a && a->state != STATE_DONE)
        give_up(fetch, a, now_us);
}

size_t tx_fetch_announcers(const struct tx_fetch *fetch, const uint8_t id[32], uint64_t *out,
                           size_t max)
{
    const struct tx_want *want = find(fetch, id);
    size_t n = 0;
    for (const struct tx_announcement *a = want ? want->announcements : NULL; a && n < max;
         a = a->next_of_want)
        out[n++] = a->peer->id;
    return n;
}

void tx_fetch_delivered(struct tx_fetch_peer *peer)
{
    ASSERT(peer->all.count <= TX_FETCH_ANNOUNCEMENTS_MAX || peer->is_unlimited);
    peer->missed /= 2;
}

void tx_fetch_forget(struct tx_fetch *fetch, const uint8_t id[32])
{
    if (fetch->wants.count == 0)
        return; /* as is most often so for what a block has, thousands of them */
    struct tx_want *want = find(fetch, id);
    if (want)
        free_want(fetch, want);
}

void tx_fetch_peer_deinit(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us)
{
    struct tx_announcement *a;
    while ((a = LIST_FIRST(struct tx_announcement, &peer->all, all))) {
        struct tx_want *want = a->want;
        struct tx_announcement **link = &want->announcements;
        while (*link != a)
            link = &(*link)->next_of_want;
        *link = a->next_of_want;
        free_announcement(fetch, a);
        ask_more(fetch, want, now_us);
    }
    ASSERT(peer->all.count == 0 && peer->n_in_flight == 0 && peer->candidates.count == 0);
    ASSERT(fetch->n_peers > 0);
    fetch->n_peers--;
}

bool tx_fetch_is_asked(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer,
                       const uint8_t id[32])
{
    const struct tx_announcement *a = find_of(fetch, peer, id);
    return a && a->state == STATE_ASKED;
}

int64_t tx_fetch_expire(struct tx_fetch *fetch, int64_t now_us)
{
    struct tx_announcement *a;
    struct tx_want *want;
    while ((a = LIST_FIRST(struct tx_announcement, &fetch->asked, link)) && a->at_us <= now_us)
        give_up(fetch, a, now_us);
    while ((want = LIST_FIRST(struct tx_want, &fetch->patient, link)) &&
           want->patience_us <= now_us)
        lose_patience(fetch, want, now_us);
    int64_t next_us = a ? a->at_us : INT64_MAX;
    return want && want->patience_us < next_us ? want->patience_us : next_us;
}

/* -- Invariants ---------------------------------------------------------------------------------
 */

void tx_fetch_check(const struct tx_fetch *fetch)
{
    size_t total = 0, at = 0, n_asked = 0, patient = 0;
    const struct tx_want *want;
    while ((want = hash_map_next(&fetch->wants, &at))) {
        size_t asked = 0, candidates = 0;
        ASSERT(want->announcements);
        for (struct tx_announcement *a = want->announcements; a; a = a->next_of_want) {
            ASSERT(a->want == want);
            asked += a->state == STATE_ASKED;
            candidates += a->state == STATE_CANDIDATE;
            total++;
        }
        ASSERT(asked == want->n_asked && want->n_target >= 1);
        ASSERT(asked < want->n_target || candidates == 0);
        ASSERT(asked >= 1 || candidates >= 1);
        ASSERT(!want->is_listed || asked >= 1);
        n_asked += asked;
        patient += want->is_listed;
    }
    ASSERT(total == fetch->n_total && n_asked == fetch->asked.count);
    LIST_EACH (struct tx_announcement, a, &fetch->asked, link) {
        const struct tx_announcement *next = LIST_NEXT(struct tx_announcement, a, link);
        ASSERT(a->state == STATE_ASKED && (!next || a->at_us <= next->at_us));
    }
    ASSERT(patient == fetch->patient.count);
    LIST_EACH (struct tx_want, one, &fetch->patient, link) {
        const struct tx_want *next = LIST_NEXT(struct tx_want, one, link);
        ASSERT(one->is_listed && (!next || one->patience_us <= next->patience_us));
    }
}
