/* tx_fetch.c - see tx_fetch.h. */
#include "p2p/txs/tx_fetch.h"

#include <string.h>

#include "util/alloc.h"

enum state {
    STATE_DELAYED, /* in one of its peer's lists until its time has come */
    STATE_READY,   /* another peer is being asked, or is better */
    STATE_BEST,    /* in its peer's list: to be asked now */
    STATE_ASKED,
    STATE_DONE, /* this peer did not deliver */
};

/* One peer says it has one transaction. */
struct tx_announcement {
    struct tx_want *want;
    struct tx_fetch_peer *peer;
    struct tx_announcement *next_of_want;
    struct list_link link; /* of what its state says */
    struct list_link all;  /* of its peer */
    int64_t at_us;         /* delayed: not before; asked: until */
    uint64_t lot; /* that nobody can foresee: of inbound peers the first gets no advantage */
    uint8_t state, n_delays;
    bool is_wtxid; /* how it is asked for: one id may be both, of what has no witness */
};

/* A transaction that we lack. */
struct tx_want {
    uint8_t id[32];
    struct tx_announcement *announcements;
    struct tx_announcement *chosen; /* the one that is asked, or is to be: NULL: all are delayed */
};

void tx_fetch_init(struct tx_fetch *fetch, struct siphash_key key)
{
    *fetch = (struct tx_fetch){.key = key, .next_delay_us = INT64_MAX};
    hash_map_init(&fetch->wants);
}

void tx_fetch_deinit(struct tx_fetch *fetch)
{
    ASSERT(fetch->n_total == 0 && fetch->peers.count == 0);
    hash_map_deinit(&fetch->wants);
}

void tx_fetch_peer_init(struct tx_fetch *fetch, struct tx_fetch_peer *peer, uint64_t id, int traits)
{
    *peer = (struct tx_fetch_peer){.id = id, .traits = traits};
    list_add(&fetch->peers, &peer->link);
    fetch->n_by_wtxid += (traits & TX_FETCH_BY_WTXID) != 0;
}

/* -- Lists ------------------------------------------------------------------------------------- */

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

/* Take an announcement out of whatever list its state puts it into. */
static void unlist(struct tx_fetch *fetch, struct tx_announcement *a)
{
    struct tx_fetch_peer *peer = a->peer;
    if (a->state == STATE_DELAYED) {
        list_remove(&peer->delayed[a->n_delays - 1], &a->link);
        fetch->is_delay_gone |= a->at_us == fetch->next_delay_us;
    }
    if (a->state == STATE_BEST) {
        list_remove(&peer->best, &a->link);
        fetch->n_best--;
    }
    if (a->state == STATE_ASKED) {
        list_remove(&fetch->asked, &a->link);
        ASSERT(peer->n_in_flight > 0);
        peer->n_in_flight--;
    }
    if (a->want->chosen == a)
        a->want->chosen = NULL;
}

/* -- Choosing ---------------------------------------------------------------------------------- */

/* Is it better to ask a than b? */
static bool is_better(const struct tx_announcement *a, const struct tx_announcement *b)
{
    const struct tx_fetch_peer *p = a->peer, *q = b->peer;
    if ((p->traits ^ q->traits) & TX_FETCH_PREFERRED)
        return p->traits & TX_FETCH_PREFERRED;
    if (p->missed != q->missed)
        return p->missed < q->missed;
    return a->lot < b->lot;
}

/* It is the one to be asked, in place of another that is not asked yet. */
static void make_best(struct tx_fetch *fetch, struct tx_announcement *a)
{
    struct tx_announcement *other = a->want->chosen;
    ASSERT(a->state == STATE_READY && (!other || other->state == STATE_BEST));
    if (other) {
        unlist(fetch, other);
        other->state = STATE_READY;
    }
    a->state = STATE_BEST;
    list_add(&a->peer->best, &a->link);
    fetch->n_best++;
    a->want->chosen = a;
}

/* It need not wait any longer. */
static void make_ready(struct tx_fetch *fetch, struct tx_announcement *a)
{
    struct tx_announcement *chosen = a->want->chosen;
    a->state = STATE_READY;
    if (!chosen || (chosen->state == STATE_BEST && is_better(a, chosen)))
        make_best(fetch, a);
}

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
    while (want->announcements) {
        struct tx_announcement *next = want->announcements->next_of_want;
        free_announcement(fetch, want->announcements);
        want->announcements = next;
    }
    xfree(want);
}

/* Nobody is asked: the best of those who may be is. If none is left to be asked ever, the want
 * ends. */
static void choose(struct tx_fetch *fetch, struct tx_want *want)
{
    struct tx_announcement *best = NULL;
    bool is_open = false;
    ASSERT(!want->chosen);
    for (struct tx_announcement *a = want->announcements; a; a = a->next_of_want) {
        is_open |= a->state != STATE_DONE;
        if (a->state == STATE_READY && (!best || is_better(a, best)))
            best = a;
    }
    if (best)
        make_best(fetch, best);
    else if (!is_open)
        free_want(fetch, want);
}

/* -- Hearing ----------------------------------------------------------------------------------- */

bool tx_fetch_has_room(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer, size_t n)
{
    size_t count = peer->all.count + n;
    if (peer->traits & TX_FETCH_UNLIMITED)
        return count <= TX_FETCH_TOTAL_MAX;
    if (count > TX_FETCH_ANNOUNCEMENTS_MAX)
        return false;
    if ((peer->traits & TX_FETCH_PREFERRED) || fetch->n_total + n <= TX_FETCH_TOTAL_MAX)
        return true;
    return count <= TX_FETCH_TOTAL_MAX / fetch->peers.count &&
           fetch->n_total + n <= 2 * TX_FETCH_TOTAL_MAX;
}

/* Core: AddTxAnnouncement() */
static unsigned delays_of(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer,
                          bool is_wtxid)
{
    bool is_overloaded =
        !(peer->traits & TX_FETCH_UNLIMITED) && peer->n_in_flight >= TX_FETCH_OVERLOADED;
    bool waits_for_wtxid = !is_wtxid && fetch->n_by_wtxid > 0;
    return (unsigned)!(peer->traits & TX_FETCH_PREFERRED) + waits_for_wtxid + is_overloaded;
}

bool tx_fetch_announced(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                        bool is_wtxid, int64_t now_us)
{
    struct tx_want *want = find(fetch, id);
    for (struct tx_announcement *a = want ? want->announcements : NULL; a; a = a->next_of_want)
        if (a->peer == peer)
            return false;
    if (!tx_fetch_has_room(fetch, peer, 1))
        return false;
    if (!want) {
        want = xcalloc(1, sizeof *want);
        memcpy(want->id, id, 32);
        hash_map_insert(&fetch->wants, hash_of(fetch, id), want);
    }
    struct tx_announcement *a = xcalloc(1, sizeof *a);
    a->want = want;
    a->peer = peer;
    a->is_wtxid = is_wtxid;
    a->n_delays = (uint8_t)delays_of(fetch, peer, is_wtxid);
    a->at_us = now_us + a->n_delays * TX_FETCH_DELAY_US;
    a->lot = siphash13_id(fetch->key, id, (uint32_t)peer->id);
    a->next_of_want = want->announcements;
    want->announcements = a;
    list_add_first(&peer->all, &a->all);
    fetch->n_total++;
    if (a->n_delays == 0) {
        make_ready(fetch, a);
    } else {
        list_add(&peer->delayed[a->n_delays - 1], &a->link);
        fetch->next_delay_us = MIN_OF(fetch->next_delay_us, a->at_us);
    }
    return true;
}

/* -- Asking ------------------------------------------------------------------------------------ */

size_t tx_fetch_next(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us,
                     struct tx_fetch_id *out, size_t max)
{
    ASSERT(out || max == 0);
    size_t n = 0;
    struct tx_announcement *a;
    while (n < max && (a = LIST_POP(struct tx_announcement, &peer->best, link))) {
        ASSERT(a->want->chosen == a);
        fetch->n_best--;
        a->state = STATE_ASKED;
        a->at_us = now_us + TX_FETCH_TIMEOUT_US;
        list_add(&fetch->asked, &a->link);
        peer->n_in_flight++;
        memcpy(out[n].id, a->want->id, 32);
        out[n++].is_wtxid = a->is_wtxid;
    }
    return n;
}

/* -- Answers ----------------------------------------------------------------------------------- */

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
static void give_up(struct tx_fetch *fetch, struct tx_announcement *a)
{
    struct tx_want *want = a->want;
    unlist(fetch, a);
    a->state = STATE_DONE;
    if (!want->chosen)
        choose(fetch, want);
}

void tx_fetch_answered(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32])
{
    struct tx_announcement *a = find_of(fetch, peer, id);
    if (a && a->state != STATE_DONE)
        give_up(fetch, a);
}

size_t tx_fetch_announcers(const struct tx_fetch *fetch, const uint8_t id[32], uint64_t *out,
                           size_t max)
{
    const struct tx_want *want = find(fetch, id);
    size_t n = 0;
    for (const struct tx_announcement *a = want ? want->announcements : NULL; a && n < max;
         a = a->next_of_want)
        if (a->state != STATE_DONE)
            out[n++] = a->peer->id;
    return n;
}

void tx_fetch_delivered(struct tx_fetch_peer *peer)
{
    ASSERT(peer->all.count <= TX_FETCH_ANNOUNCEMENTS_MAX || (peer->traits & TX_FETCH_UNLIMITED));
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

void tx_fetch_peer_deinit(struct tx_fetch *fetch, struct tx_fetch_peer *peer)
{
    struct tx_announcement *a;
    while ((a = LIST_FIRST(struct tx_announcement, &peer->all, all))) {
        struct tx_want *want = a->want;
        struct tx_announcement **link = &want->announcements;
        while (*link != a)
            link = &(*link)->next_of_want;
        *link = a->next_of_want;
        free_announcement(fetch, a);
        if (!want->chosen)
            choose(fetch, want);
    }
    ASSERT(peer->all.count == 0 && peer->n_in_flight == 0 && peer->best.count == 0);
    list_remove(&fetch->peers, &peer->link);
    fetch->n_by_wtxid -= (peer->traits & TX_FETCH_BY_WTXID) != 0;
}

bool tx_fetch_is_asked(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer,
                       const uint8_t id[32])
{
    const struct tx_announcement *a = find_of(fetch, peer, id);
    return a && a->state == STATE_ASKED;
}

/* -- Time -------------------------------------------------------------------------------------- */

static struct tx_announcement *first_of(const struct list *list)
{
    return LIST_FIRST(struct tx_announcement, list, link);
}

static void end_delays(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us)
{
    struct tx_announcement *a;
    for (size_t i = 0; i < TX_FETCH_DELAYS_MAX; i++)
        while ((a = first_of(&peer->delayed[i])) && a->at_us <= now_us) {
            unlist(fetch, a);
            make_ready(fetch, a);
        }
}

/* When the first delay ends. */
static int64_t first_delay_us(const struct tx_fetch *fetch)
{
    int64_t next_us = INT64_MAX;
    LIST_EACH (struct tx_fetch_peer, peer, &fetch->peers, link)
        for (size_t i = 0; i < TX_FETCH_DELAYS_MAX; i++) {
            const struct tx_announcement *a = first_of(&peer->delayed[i]);
            next_us = a ? MIN_OF(next_us, a->at_us) : next_us;
        }
    return next_us;
}

void tx_fetch_advance(struct tx_fetch *fetch, int64_t now_us)
{
    struct tx_announcement *a;
    while ((a = first_of(&fetch->asked)) && a->at_us <= now_us) {
        if (a->peer->missed < TX_FETCH_MISSED_MAX)
            a->peer->missed++;
        give_up(fetch, a);
    }
    if (fetch->next_delay_us <= now_us) {
        LIST_EACH (struct tx_fetch_peer, peer, &fetch->peers, link)
            end_delays(fetch, peer, now_us);
        fetch->is_delay_gone = true;
    }
    if (fetch->is_delay_gone) {
        fetch->next_delay_us = first_delay_us(fetch);
        fetch->is_delay_gone = false;
    }
}

int64_t tx_fetch_next_us(const struct tx_fetch *fetch)
{
    ASSERT(fetch);
    if (fetch->n_best > 0)
        return INT64_MIN;
    const struct tx_announcement *a = first_of(&fetch->asked);
    int64_t delay_us = fetch->is_delay_gone ? first_delay_us(fetch) : fetch->next_delay_us;
    return a ? MIN_OF(a->at_us, delay_us) : delay_us;
}

/* -- Invariants -------------------------------------------------------------------------------- */

static void check_want(const struct tx_want *want, size_t *n_total)
{
    bool is_open = false;
    ASSERT(want->announcements);
    for (const struct tx_announcement *a = want->announcements; a; a = a->next_of_want) {
        bool is_chosen = a->state == STATE_BEST || a->state == STATE_ASKED;
        ASSERT(a->want == want && is_chosen == (want->chosen == a));
        ASSERT(a->state != STATE_READY || want->chosen); /* nobody waits for nothing */
        is_open |= a->state != STATE_DONE;
        ++*n_total;
    }
    ASSERT(is_open);
}

void tx_fetch_check(const struct tx_fetch *fetch)
{
    size_t n_total = 0, n_in_flight = 0, n_best = 0, at = 0;
    const struct tx_want *want;
    while ((want = hash_map_next(&fetch->wants, &at)))
        check_want(want, &n_total);
    LIST_EACH (struct tx_fetch_peer, peer, &fetch->peers, link) {
        n_in_flight += peer->n_in_flight;
        n_best += peer->best.count;
        for (size_t i = 0; i < TX_FETCH_DELAYS_MAX; i++)
            LIST_EACH (struct tx_announcement, a, &peer->delayed[i], link) {
                const struct tx_announcement *next = LIST_NEXT(struct tx_announcement, a, link);
                ASSERT(a->state == STATE_DELAYED && a->n_delays == i + 1 && a->peer == peer);
                ASSERT(!next || a->at_us <= next->at_us);
            }
    }
    ASSERT(n_total == fetch->n_total && n_in_flight == fetch->asked.count);
    int64_t delay_us = first_delay_us(fetch);
    ASSERT(n_best == fetch->n_best && delay_us >= fetch->next_delay_us);
    ASSERT(delay_us == fetch->next_delay_us || fetch->is_delay_gone);
    LIST_EACH (struct tx_announcement, a, &fetch->asked, link) {
        const struct tx_announcement *next = LIST_NEXT(struct tx_announcement, a, link);
        ASSERT(a->state == STATE_ASKED && (!next || a->at_us <= next->at_us));
    }
}
