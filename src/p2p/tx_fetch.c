/* tx_fetch.c - see tx_fetch.h. */
#include "p2p/tx_fetch.h"

#include <string.h>

#include "util/alloc.h"

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
    struct tx_announcement *next, *prev;         /* list of candidates, or of those asked */
    struct tx_announcement *all_next, *all_prev; /* of its peer */
    int64_t at_us;                               /* candidate: not before; asked: until */
    uint8_t state;
};

/* A transaction that we lack. */
struct tx_want {
    uint8_t id[32];
    bool is_wtxid;
    struct tx_announcement *announcements;
    struct tx_announcement *asked; /* the one that is being asked */
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
    struct tx_fetch_peer *peer = a->peer;
    struct tx_announcement *after = peer->last;
    while (after && after->at_us > a->at_us)
        after = after->prev;
    a->prev = after;
    a->next = after ? after->next : peer->first;
    if (a->next)
        a->next->prev = a;
    else
        peer->last = a;
    if (after)
        after->next = a;
    else
        peer->first = a;
    a->state = STATE_CANDIDATE;
}

static void unlink_from(struct tx_announcement **first, struct tx_announcement **last,
                        struct tx_announcement *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        *first = a->next;
    if (a->next)
        a->next->prev = a->prev;
    else
        *last = a->prev;
    a->next = a->prev = NULL;
}

static void list_asked(struct tx_fetch *fetch, struct tx_announcement *a)
{
    a->prev = fetch->asked_last;
    a->next = NULL;
    if (fetch->asked_last)
        fetch->asked_last->next = a;
    else
        fetch->asked_first = a;
    fetch->asked_last = a;
    a->state = STATE_ASKED;
}

/* Take an announcement out of whatever list its state puts it into. */
static void unlist(struct tx_fetch *fetch, struct tx_announcement *a)
{
    if (a->state == STATE_CANDIDATE)
        unlink_from(&a->peer->first, &a->peer->last, a);
    if (a->state == STATE_ASKED) {
        unlink_from(&fetch->asked_first, &fetch->asked_last, a);
        a->peer->n_in_flight--;
        a->want->asked = NULL;
    }
}

/* -- Wants --------------------------------------------------------------------------------------
 */

static void free_announcement(struct tx_fetch *fetch, struct tx_announcement *a)
{
    unlist(fetch, a);
    if (a->all_prev)
        a->all_prev->all_next = a->all_next;
    else
        a->peer->all = a->all_next;
    if (a->all_next)
        a->all_next->all_prev = a->all_prev;
    a->peer->n_announced--;
    fetch->n_total--;
    xfree(a);
}

static void free_want(struct tx_fetch *fetch, struct tx_want *want)
{
    (void)hash_map_remove(&fetch->wants, hash_of(fetch, want->id), has_id, want->id);
    while (want->announcements) {
        struct tx_announcement *next = want->announcements->next_of_want;
        free_announcement(fetch, want->announcements);
        want->announcements = next;
    }
    xfree(want);
}

/* Nobody is being asked any more: the best of those who wait may be. If none is left to be asked
 * ever, the want ends. */
static void ask_another(struct tx_fetch *fetch, struct tx_want *want, int64_t now_us)
{
    ASSERT(!want->asked);
    struct tx_announcement *best = NULL;
    bool has_candidate = false;
    for (struct tx_announcement *a = want->announcements; a; a = a->next_of_want) {
        has_candidate |= a->state == STATE_CANDIDATE;
        if (a->state != STATE_WAITING)
            continue;
        if (!best || (a->peer->is_preferred && !best->peer->is_preferred))
            best = a;
    }
    if (best) {
        best->at_us = now_us;
        list_candidate(best);
    } else if (!has_candidate) {
        free_want(fetch, want);
    }
}

/* -- Hearing ------------------------------------------------------------------------------------
 */

bool tx_fetch_has_room(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer)
{
    if (peer->is_unlimited)
        return peer->n_announced < TX_FETCH_TOTAL_MAX;
    if (peer->n_announced >= TX_FETCH_ANNOUNCEMENTS_MAX)
        return false;
    if (peer->is_preferred || fetch->n_total < TX_FETCH_TOTAL_MAX)
        return true;
    return peer->n_announced < TX_FETCH_TOTAL_MAX / (fetch->n_peers ? fetch->n_peers : 1) &&
           fetch->n_total < 2 * TX_FETCH_TOTAL_MAX;
}

bool tx_fetch_announced(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                        bool is_wtxid, int64_t delay_us, int64_t now_us)
{
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
        hash_map_insert(&fetch->wants, hash_of(fetch, id), want);
    }
    struct tx_announcement *a = xcalloc(1, sizeof *a);
    a->want = want;
    a->peer = peer;
    a->at_us = now_us + delay_us;
    /* At the end, so that who announced first is asked first. */
    struct tx_announcement **link = &want->announcements;
    while (*link)
        link = &(*link)->next_of_want;
    *link = a;
    a->all_next = peer->all;
    if (peer->all)
        peer->all->all_prev = a;
    peer->all = a;
    peer->n_announced++;
    fetch->n_total++;
    if (want->asked)
        a->state = STATE_WAITING;
    else
        list_candidate(a);
    return true;
}

/* -- Asking -------------------------------------------------------------------------------------
 */

static void mark_asked(struct tx_fetch *fetch, struct tx_announcement *a, int64_t now_us)
{
    unlist(fetch, a);
    a->at_us = now_us + TX_FETCH_TIMEOUT_US;
    list_asked(fetch, a);
    a->want->asked = a;
    a->peer->n_in_flight++;
    for (struct tx_announcement *b = a->want->announcements; b; b = b->next_of_want)
        if (b->state == STATE_CANDIDATE) {
            unlist(fetch, b);
            b->state = STATE_WAITING;
        }
}

size_t tx_fetch_next(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us,
                     struct tx_fetch_id *out, size_t max)
{
    size_t n = 0;
    size_t in_flight_max = peer->is_unlimited ? SIZE_MAX : TX_FETCH_IN_FLIGHT_MAX;
    while (n < max && peer->first && peer->first->at_us <= now_us &&
           peer->n_in_flight < in_flight_max) {
        struct tx_announcement *a = peer->first;
        mark_asked(fetch, a, now_us);
        memcpy(out[n].id, a->want->id, 32);
        out[n++].is_wtxid = a->want->is_wtxid;
    }
    return n;
}

int64_t tx_fetch_next_us(const struct tx_fetch_peer *peer)
{
    bool is_full = !peer->is_unlimited && peer->n_in_flight >= TX_FETCH_IN_FLIGHT_MAX;
    return peer->first && !is_full ? peer->first->at_us : INT64_MAX;
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
    bool was_asked = a->state == STATE_ASKED;
    unlist(fetch, a);
    a->state = STATE_DONE;
    if (was_asked || !want->asked)
        ask_another(fetch, want, now_us);
}

void tx_fetch_answered(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                       int64_t now_us)
{
    struct tx_announcement *a = find_of(fetch, peer, id);
    if (a && a->state != STATE_DONE)
        give_up(fetch, a, now_us);
}

void tx_fetch_forget(struct tx_fetch *fetch, const uint8_t id[32])
{
    struct tx_want *want = find(fetch, id);
    if (want)
        free_want(fetch, want);
}

void tx_fetch_peer_deinit(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us)
{
    while (peer->all) {
        struct tx_announcement *a = peer->all;
        struct tx_want *want = a->want;
        struct tx_announcement **link = &want->announcements;
        while (*link != a)
            link = &(*link)->next_of_want;
        *link = a->next_of_want;
        bool was_asked = a->state == STATE_ASKED;
        free_announcement(fetch, a);
        if (was_asked || !want->asked)
            ask_another(fetch, want, now_us);
    }
    ASSERT(peer->n_announced == 0 && peer->n_in_flight == 0 && !peer->first);
    ASSERT(fetch->n_peers > 0);
    fetch->n_peers--;
}

bool tx_fetch_is_asked(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer,
                       const uint8_t id[32])
{
    const struct tx_announcement *a = find_of(fetch, peer, id);
    return a && a->state == STATE_ASKED;
}

bool tx_fetch_is_wanted(const struct tx_fetch *fetch, const uint8_t id[32])
{
    return find(fetch, id) != NULL;
}

int64_t tx_fetch_expire(struct tx_fetch *fetch, int64_t now_us)
{
    while (fetch->asked_first && fetch->asked_first->at_us <= now_us)
        give_up(fetch, fetch->asked_first, now_us);
    return fetch->asked_first ? fetch->asked_first->at_us : INT64_MAX;
}

/* -- Invariants ---------------------------------------------------------------------------------
 */

void tx_fetch_check(const struct tx_fetch *fetch)
{
    size_t total = 0, at = 0, n_asked = 0, listed = 0;
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
        ASSERT(asked <= 1 && (asked == 1) == (want->asked != NULL));
        ASSERT(asked == 0 || candidates == 0);
        ASSERT(asked == 1 || candidates >= 1);
        n_asked += asked;
    }
    for (const struct tx_announcement *a = fetch->asked_first; a; a = a->next) {
        ASSERT(a->state == STATE_ASKED && (!a->next || a->at_us <= a->next->at_us));
        listed++;
    }
    ASSERT(total == fetch->n_total && n_asked == listed);
}
