/* address_book.c - see address_book.h. */
#include "p2p/addr/address_book.h"

#include <limits.h>

#include "p2p/addr/address_book_internal.h"

#include "util/alloc.h"
#include "util/planted.h"

#define HORIZON_S          (30 * 86400) /* not seen for so long: terrible */
#define RETRIES_NEVER_OK   3            /* failures of an address that never worked */
#define MAX_FAILURES       10
#define MIN_FAIL_S         (7 * 86400)
#define REPLACEMENT_S      (4 * 3600) /* who worked within that keeps his place in tried */
#define TEST_WAIT_S        60         /* what a test may take */
#define TEST_WINDOW_S      (40 * 60)  /* then the newcomer wins anyway */
#define UPDATE_ONLINE_S    3600
#define UPDATE_OFFLINE_S   86400
#define UPDATE_CONNECTED_S (20 * 60)
#define FUTURE_S           600
#define SELECT_DRAWS_MAX   20000 /* buckets without the wanted networks among them */

/* Entries that each source may have in the book: what cannot be checked must not crowd out. */
static const size_t source_max[ADDRESS_SOURCE_COUNT] = {
    [ADDRESS_SOURCE_GOSSIP] = 80000, [ADDRESS_SOURCE_DHT] = 4096,   [ADDRESS_SOURCE_LAN] = 256,
    [ADDRESS_SOURCE_DNS] = 4096,     [ADDRESS_SOURCE_MANUAL] = 256, [ADDRESS_SOURCE_ANCHOR] = 64,
};

struct address_book *address_book_new(const struct env *env, const struct net_grouping *grouping)
{
    ASSERT(env && grouping);
    struct address_book *book = xcalloc(1, sizeof *book);
    book->env = env;
    book->rule.grouping = grouping;
    book->rule.is_without_buckets = PLANTED(env, BOOK_WITHOUT_BUCKETS);
    env_random(env, book->rule.key, sizeof book->rule.key);
    env_random(env, &book->map_key, sizeof book->map_key);
    hash_map_init(&book->by_address);
    place_table_init(&book->fresh, ADDRESS_BOOK_NEW_PLACES);
    place_table_init(&book->tried, ADDRESS_BOOK_TRIED_PLACES);
    book->last_good_s = 1; /* so that a failure before the first success counts too. Core */
    return book;
}

void address_book_use_test_key(struct address_book *book)
{
    ASSERT(book->count == 0);
    memset(book->rule.key, 0, sizeof book->rule.key);
    book->rule.key[0] = 1;
}

void address_book_free(struct address_book *book)
{
    if (!book)
        return;
    for (size_t i = 0; i < book->n_ids; i++)
        xfree(book->entries[i]);
    xfree(book->entries);
    xfree(book->order);
    place_table_deinit(&book->fresh);
    place_table_deinit(&book->tried);
    hash_map_deinit(&book->by_address);
    xfree(book);
}

static uint64_t draw(struct address_book *book, uint64_t below)
{
    uint64_t value;
    ASSERT(below > 0);
    env_random(book->env, &value, sizeof value);
    return value % below;
}

/* -- Entries ------------------------------------------------------------------------------------
 */

static bool has_address(const void *value, const void *key)
{
    return net_address_equal(&((const struct book_entry *)value)->address.at, key);
}

struct book_entry *book_find(const struct address_book *book, const struct net_address *address)
{
    return hash_map_find(&book->by_address, net_address_hash(book->map_key, address), has_address,
                         address);
}

struct book_entry *book_create(struct address_book *book, const struct net_peer_address *address,
                               enum address_source source, const struct net_address *told_by)
{
    uint32_t id = 0;
    /* order[] holds every live id once and behind them the freed ones. */
    if (book->count < book->n_ids) {
        id = book->order[book->count];
    } else {
        id = (uint32_t)book->n_ids;
        if ((book->n_ids & (book->n_ids - 1)) == 0) {
            size_t capacity = book->n_ids ? 2 * book->n_ids : 1;
            book->entries = xrealloc(book->entries, capacity, sizeof(struct book_entry *));
            book->order = xrealloc(book->order, capacity, sizeof(uint32_t));
        }
        book->n_ids++;
        book->order[id] = id;
    }
    struct book_entry *entry = xcalloc(1, sizeof *entry);
    entry->address = *address;
    entry->told_by = *told_by;
    entry->source = (uint8_t)source;
    entry->id = id;
    entry->order_at = (uint32_t)book->count++;
    book->entries[id] = entry;
    book->per_source[source]++;
    book->per_network[address->at.network][0]++;
    hash_map_insert(&book->by_address, net_address_hash(book->map_key, &address->at), entry);
    return entry;
}

static void swap_order(struct address_book *book, uint32_t a, uint32_t b)
{
    uint32_t id_a = book->order[a], id_b = book->order[b];
    book->order[a] = id_b;
    book->order[b] = id_a;
    if (book->entries[id_a])
        book->entries[id_a]->order_at = b;
    if (book->entries[id_b])
        book->entries[id_b]->order_at = a;
}

void book_destroy(struct address_book *book, struct book_entry *entry)
{
    ASSERT(entry->n_new == 0 && !entry->is_tried);
    swap_order(book, entry->order_at, (uint32_t)--book->count);
    (void)hash_map_remove(&book->by_address, net_address_hash(book->map_key, &entry->address.at),
                          has_address, &entry->address.at);
    book->per_source[entry->source]--;
    book->per_network[entry->address.at.network][0]--;
    book->entries[entry->id] = NULL;
    for (size_t i = 0; i < book->n_collisions; i++)
        if (book->collisions[i] == entry->id)
            book->collisions[i--] = book->collisions[--book->n_collisions];
    xfree(entry);
}

/* Spec: Core AddrInfo::IsTerrible() */
static bool is_terrible(const struct book_entry *entry, int64_t now_s)
{
    int64_t time_s = entry->address.time;
    if (entry->last_try_s > 0 && now_s - entry->last_try_s <= TEST_WAIT_S)
        return false;
    if (time_s > now_s + FUTURE_S || now_s - time_s > HORIZON_S)
        return true;
    if (entry->last_success_s == 0 && entry->attempts >= RETRIES_NEVER_OK)
        return true;
    return now_s - entry->last_success_s > MIN_FAIL_S && entry->attempts >= MAX_FAILURES;
}

/* Spec: Core AddrInfo::GetChance() */
static double chance(const struct book_entry *entry, int64_t now_s)
{
    double c = now_s - entry->last_try_s < 600 ? 0.01 : 1.0;
    for (int i = 0; i < entry->attempts && i < 8; i++)
        c *= 0.66;
    return c;
}

/* -- Places -------------------------------------------------------------------------------------
 */

/* The place that is for it when that source tells of it. */
static size_t place_of(const struct address_book *book, const struct net_address *address,
                       const struct net_address *told_by)
{
    return place_in_new(&book->rule, place_bucket_of_new(&book->rule, address, told_by), address);
}

static struct book_entry *at_place(const struct address_book *book, const struct place_table *table,
                                   size_t place)
{
    uint32_t id = place_table_get(table, place);
    return id ? book->entries[id - 1] : NULL;
}

/* A place of the bucket was given to somebody, or became free. */
static void count_place(struct book_buckets *buckets, size_t bucket, bool is_taken)
{
    if (is_taken && buckets->taken[bucket]++ == 0) {
        buckets->at[bucket] = (uint16_t)buckets->n_used;
        buckets->used[buckets->n_used++] = (uint16_t)bucket;
    }
    if (!is_taken && --buckets->taken[bucket] == 0) {
        uint16_t last = buckets->used[--buckets->n_used];
        buckets->used[buckets->at[bucket]] = last;
        buckets->at[last] = buckets->at[bucket];
    }
}

/* Give a place of new, or of tried, to an entry; NULL: to nobody. */
static void set_new(struct address_book *book, size_t place, const struct book_entry *entry)
{
    place_table_set(&book->fresh, place, entry ? entry->id + 1 : 0);
    book->n_fresh = entry ? book->n_fresh + 1 : book->n_fresh - 1;
    count_place(&book->fresh_buckets, place / ADDRESS_BOOK_BUCKET_SIZE, entry != NULL);
}

static void set_tried(struct address_book *book, size_t place, const struct book_entry *entry)
{
    place_table_set(&book->tried, place, entry ? entry->id + 1 : 0);
    book->n_tried = entry ? book->n_tried + 1 : book->n_tried - 1;
    count_place(&book->tried_buckets, place / ADDRESS_BOOK_BUCKET_SIZE, entry != NULL);
}

/* Empty a place of new; its entry goes if that was its last one. */
void book_clear_new(struct address_book *book, size_t place)
{
    struct book_entry *entry = at_place(book, &book->fresh, place);
    if (!entry)
        return;
    set_new(book, place, NULL);
    entry->n_new--;
    if (entry->n_new == 0 && !entry->is_tried)
        book_destroy(book, entry);
}

void book_put_new(struct address_book *book, struct book_entry *entry, size_t place)
{
    ASSERT(entry->n_new < ADDRESS_BOOK_NEW_PER_ADDRESS && !entry->is_tried);
    set_new(book, place, entry);
    entry->n_new++;
}

/* The counter of its group in tried. */
static size_t group_slot(const struct address_book *book, const struct net_address *address)
{
    struct net_group group = net_grouping_of(book->rule.grouping, address);
    return (size_t)(net_group_hash(book->map_key, &group) % ADDRESS_BOOK_GROUP_SLOTS);
}

static void count_group(struct address_book *book, const struct net_address *address, bool comes)
{
    uint16_t *count = &book->tried_per_group[group_slot(book, address)];
    ASSERT(comes || *count > 0);
    book->n_tried_groups += comes && *count == 0;
    *count = (uint16_t)(comes ? *count + 1 : *count - 1);
    book->n_tried_groups -= !comes && *count == 0;
}

static void set_is_tried(struct address_book *book, struct book_entry *entry, bool is_tried)
{
    ASSERT(entry->is_tried != is_tried);
    count_group(book, &entry->address.at, is_tried);
    entry->is_tried = is_tried;
    book->per_network[entry->address.at.network][!is_tried]--;
    book->per_network[entry->address.at.network][is_tried]++;
}

void book_put_tried(struct address_book *book, struct book_entry *entry, size_t place)
{
    ASSERT(entry->n_new == 0);
    set_tried(book, place, entry);
    set_is_tried(book, entry, true);
}

void book_clear_tried(struct address_book *book, size_t place)
{
    struct book_entry *entry = at_place(book, &book->tried, place);
    if (!entry)
        return;
    set_tried(book, place, NULL);
    set_is_tried(book, entry, false);
    book_destroy(book, entry);
}

/* -- Hearing of addresses ------------------------------------------------------------------------
 */

static void refresh(struct book_entry *entry, const struct net_peer_address *address,
                    int64_t time_s, int64_t now_s)
{
    bool is_online = now_s - (int64_t)address->time < UPDATE_OFFLINE_S;
    int64_t interval_s = is_online ? UPDATE_ONLINE_S : UPDATE_OFFLINE_S;
    if ((int64_t)entry->address.time < time_s - interval_s)
        entry->address.time = (uint32_t)time_s;
    entry->address.services |= address->services;
}

/* More places make an address more likely to be drawn, so each next one is half as likely. */
static bool wants_place(struct address_book *book, const struct book_entry *entry)
{
    if (entry->is_tried || entry->n_new >= ADDRESS_BOOK_NEW_PER_ADDRESS)
        return false;
    return entry->n_new == 0 || draw(book, UINT64_C(1) << entry->n_new) == 0;
}

bool address_book_add(struct address_book *book, const struct net_peer_address *address,
                      enum address_source source, const struct net_address *told_by,
                      int64_t penalty_s, int64_t now_s)
{
    ASSERT(source < ADDRESS_SOURCE_COUNT && penalty_s >= 0);
    if (!net_grouping_is_routable(book->rule.grouping, &address->at))
        return false;
    if (net_address_same_host(&address->at, told_by))
        penalty_s = 0;
    int64_t time_s = (int64_t)address->time - penalty_s;
    time_s = MAX_OF(time_s, 0);
    struct book_entry *entry = book_find(book, &address->at);
    if (entry) {
        refresh(entry, address, time_s, now_s);
        /* What tells us nothing newer earns no further place. */
        if (address->time <= entry->address.time)
            return false;
        if (!wants_place(book, entry))
            return false;
    } else {
        if (book->per_source[source] >= source_max[source])
            return false;
        entry = book_create(book, address, source, told_by);
        entry->address.time = (uint32_t)time_s;
    }
    size_t place = place_of(book, &address->at, told_by);
    struct book_entry *there = at_place(book, &book->fresh, place);
    if (there == entry)
        return false;
    bool replaces = !there || is_terrible(there, now_s) || (there->n_new > 1 && entry->n_new == 0);
    if (replaces) {
        book_clear_new(book, place);
        book_put_new(book, entry, place);
    } else if (entry->n_new == 0 && !entry->is_tried) {
        book_destroy(book, entry);
    }
    return replaces;
}

/* -- What became of them -------------------------------------------------------------------------
 */

static void leave_new(struct address_book *book, struct book_entry *entry)
{
    /* Mostly it has one place, that of who told of it first. */
    size_t place = place_of(book, &entry->address.at, &entry->told_by);
    for (size_t i = 0; entry->n_new > 0; i++) {
        ASSERT(i <= ADDRESS_BOOK_NEW_PLACES);
        if (place_table_get(&book->fresh, place) == entry->id + 1) {
            set_new(book, place, NULL);
            entry->n_new--;
        }
        place = i;
    }
}

static void move_to_tried(struct address_book *book, struct book_entry *entry)
{
    leave_new(book, entry);
    size_t place = place_in_tried(&book->rule, &entry->address.at);
    struct book_entry *old = at_place(book, &book->tried, place);
    if (old) {
        /* Who loses his place goes back to new. */
        set_tried(book, place, NULL);
        set_is_tried(book, old, false);
        size_t back = place_of(book, &old->address.at, &old->told_by);
        book_clear_new(book, back);
        book_put_new(book, old, back);
    }
    book_put_tried(book, entry, place);
}

static void add_collision(struct address_book *book, uint32_t id)
{
    for (size_t i = 0; i < book->n_collisions; i++)
        if (book->collisions[i] == id)
            return;
    if (book->n_collisions < ADDRESS_BOOK_COLLISIONS_MAX)
        book->collisions[book->n_collisions++] = id;
}

bool address_book_good(struct address_book *book, const struct net_address *address, int64_t now_s)
{
    struct book_entry *entry = book_find(book, address);
    if (!entry)
        return false;
    book->last_good_s = now_s;
    entry->last_success_s = entry->last_try_s = now_s;
    entry->attempts = 0;
    if (entry->is_tried)
        return true;
    if (at_place(book, &book->tried, place_in_tried(&book->rule, address)) &&
        !book->rule.is_without_buckets) {
        add_collision(book, entry->id);
        return false;
    }
    move_to_tried(book, entry);
    return true;
}

void address_book_attempt(struct address_book *book, const struct net_address *address, bool count,
                          int64_t now_s)
{
    struct book_entry *entry = book_find(book, address);
    if (!entry)
        return;
    entry->last_try_s = now_s;
    /* Failures count once per time that we were online at all. */
    if (count && entry->last_counted_s < book->last_good_s) {
        entry->last_counted_s = now_s;
        entry->attempts += entry->attempts < INT_MAX; /* a file may say anything */
    }
}

void address_book_connected(struct address_book *book, const struct net_address *address,
                            int64_t now_s)
{
    struct book_entry *entry = book_find(book, address);
    if (entry && now_s - (int64_t)entry->address.time > UPDATE_CONNECTED_S)
        entry->address.time = (uint32_t)now_s;
}

void address_book_set_services(struct address_book *book, const struct net_address *address,
                               uint64_t services)
{
    struct book_entry *entry = book_find(book, address);
    if (entry)
        entry->address.services = services;
}

/* Has the test of who sits in the place ended, and in whose favour? */
static bool newcomer_wins(const struct book_entry *newcomer, const struct book_entry *old,
                          int64_t now_s, bool *decided)
{
    *decided = true;
    if (now_s - old->last_success_s < REPLACEMENT_S)
        return false;
    if (now_s - old->last_try_s < REPLACEMENT_S) {
        *decided = now_s - old->last_try_s > TEST_WAIT_S;
        return *decided;
    }
    *decided = now_s - newcomer->last_success_s > TEST_WINDOW_S;
    return *decided;
}

void address_book_resolve_collisions(struct address_book *book, int64_t now_s)
{
    for (size_t i = 0; i < book->n_collisions;) {
        struct book_entry *newcomer = book->entries[book->collisions[i]];
        ASSERT(newcomer);
        struct book_entry *old =
            at_place(book, &book->tried, place_in_tried(&book->rule, &newcomer->address.at));
        bool decided = true;
        bool wins = !newcomer->is_tried && (!old || newcomer_wins(newcomer, old, now_s, &decided));
        if (!decided) {
            i++;
            continue;
        }
        book->collisions[i] = book->collisions[--book->n_collisions];
        if (wins)
            move_to_tried(book, newcomer);
    }
}

bool address_book_select_collision(struct address_book *book, struct net_peer_address *out,
                                   int64_t *last_try_s)
{
    if (book->n_collisions == 0)
        return false;
    uint32_t id = book->collisions[draw(book, book->n_collisions)];
    struct book_entry *old =
        at_place(book, &book->tried, place_in_tried(&book->rule, &book->entries[id]->address.at));
    if (!old)
        return false;
    *out = old->address;
    *last_try_s = old->last_try_s;
    return true;
}

/* -- Choosing ------------------------------------------------------------------------------------
 */

/* From a random place of a random bucket on, the first that is taken. Buckets are as likely as each
 * other, however full: filling one gains an attacker little. Empty ones do not take part: trying at
 * random would look at thousands while the book is small. */
static struct book_entry *pick(struct address_book *book, bool from_tried, unsigned networks)
{
    const struct place_table *table = from_tried ? &book->tried : &book->fresh;
    const struct book_buckets *buckets = from_tried ? &book->tried_buckets : &book->fresh_buckets;
    ASSERT(buckets->n_used > 0);
    size_t bucket = buckets->used[draw(book, buckets->n_used)];
    size_t first = (size_t)draw(book, ADDRESS_BOOK_BUCKET_SIZE);
    for (size_t i = 0; i < ADDRESS_BOOK_BUCKET_SIZE; i++) {
        size_t at = (first + i) % ADDRESS_BOOK_BUCKET_SIZE;
        struct book_entry *entry = at_place(book, table, bucket * ADDRESS_BOOK_BUCKET_SIZE + at);
        if (entry && (!networks || networks >> entry->address.at.network & 1))
            return entry;
    }
    return NULL; /* none of these networks is in the bucket */
}

/* Entries of the networks, in new or in tried. */
static size_t count_networks(const struct address_book *book, unsigned networks, bool tried)
{
    size_t n = 0;
    for (unsigned i = 0; i < ADDRESS_BOOK_NETWORKS; i++)
        n += !networks || networks >> i & 1 ? book->per_network[i][tried] : 0;
    return n;
}

bool address_book_select_of(struct address_book *book, bool new_only, unsigned networks,
                            int64_t now_s, struct net_peer_address *out, int64_t *last_try_s)
{
    size_t n_new = count_networks(book, networks, false);
    size_t n_tried = new_only ? 0 : count_networks(book, networks, true);
    if (n_new + n_tried == 0 || book->count == book->per_source[ADDRESS_SOURCE_LAN])
        return false;
    bool from_tried = n_tried > 0 && (n_new == 0 || draw(book, 2));
    double factor = 1.0;
    /* Bounded: the chance of being taken grows with every miss; buckets without the networks are
     * passed over at no such price. */
    for (int tries = 0; tries < SELECT_DRAWS_MAX; tries++) {
        struct book_entry *entry = pick(book, from_tried, networks);
        if (!entry)
            continue;
        if (entry->source != ADDRESS_SOURCE_LAN &&
            (double)draw(book, 1u << 30) < factor * chance(entry, now_s) * (double)(1u << 30)) {
            *out = entry->address;
            *last_try_s = entry->last_try_s;
            return true;
        }
        factor *= 1.2;
    }
    return false;
}

bool address_book_select_evenly(struct address_book *book, unsigned networks, int64_t now_s,
                                struct net_peer_address *out, int64_t *last_try_s)
{
    double factor = 1.0;
    if (book->n_tried_groups < ADDRESS_BOOK_EVEN_GROUPS_MIN || book->rule.is_without_buckets ||
        count_networks(book, networks, true) == 0)
        return false;
    for (int tries = 0; tries < SELECT_DRAWS_MAX; tries++) {
        /* Any place is as likely as any other, and one of n of a group is taken in one of n cases:
         * so is any group. */
        const struct book_entry *entry =
            at_place(book, &book->tried, (size_t)draw(book, ADDRESS_BOOK_TRIED_PLACES));
        if (!entry || (networks && !(networks >> entry->address.at.network & 1)) ||
            draw(book, book->tried_per_group[group_slot(book, &entry->address.at)]) != 0)
            continue;
        if ((double)draw(book, 1u << 30) < factor * chance(entry, now_s) * (double)(1u << 30)) {
            *out = entry->address;
            *last_try_s = entry->last_try_s;
            return true;
        }
        factor *= 1.2;
    }
    return false;
}

bool address_book_select(struct address_book *book, bool new_only, int64_t now_s,
                         struct net_peer_address *out, int64_t *last_try_s)
{
    return address_book_select_of(book, new_only, 0, now_s, out, last_try_s);
}

size_t address_book_sample(struct address_book *book, size_t max, unsigned percent_max,
                           uint8_t network, int64_t now_s, struct net_peer_address **out)
{
    ASSERT(percent_max <= 100);
    size_t want = percent_max ? book->count * percent_max / 100 : book->count;
    if (max && want > max)
        want = max;
    struct net_peer_address *list = xmalloc((want ? want : 1) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < book->count && n < want; i++) {
        /* Fisher-Yates, as far as is needed. */
        swap_order(book, (uint32_t)i, (uint32_t)(i + draw(book, book->count - i)));
        const struct book_entry *entry = book->entries[book->order[i]];
        if (network != NET_NONE && entry->address.at.network != network)
            continue;
        if (!is_terrible(entry, now_s) && entry->source != ADDRESS_SOURCE_LAN)
            list[n++] = entry->address;
    }
    *out = list;
    return n;
}

/* -- Looking -------------------------------------------------------------------------------------
 */

size_t address_book_count(const struct address_book *book)
{
    return book->count;
}

size_t address_book_count_of(const struct address_book *book, uint8_t network, bool tried)
{
    ASSERT(network < ADDRESS_BOOK_NETWORKS);
    return count_networks(book, network == NET_NONE ? 0 : 1u << network, tried);
}

static void show(const struct book_entry *entry, struct address_entry *out)
{
    *out = (struct address_entry){.address = entry->address,
                                  .source = entry->source,
                                  .told_by = entry->told_by,
                                  .is_tried = entry->is_tried,
                                  .last_try_s = entry->last_try_s,
                                  .last_success_s = entry->last_success_s,
                                  .attempts = entry->attempts};
}

bool address_book_next(const struct address_book *book, size_t *at, struct address_entry *out)
{
    ASSERT(*at <= book->n_ids);
    /* By id, not by the shuffled order: the same book gives the same list. */
    while (*at < book->n_ids && !book->entries[*at])
        (*at)++;
    if (*at >= book->n_ids)
        return false;
    show(book->entries[(*at)++], out);
    return true;
}

bool address_book_next_place(const struct address_book *book, bool tried, size_t *at,
                             struct address_place *out)
{
    const struct place_table *table = tried ? &book->tried : &book->fresh;
    *at = place_table_next(table, *at);
    if (*at == table->n_places)
        return false;
    out->bucket = (uint16_t)(*at / ADDRESS_BOOK_BUCKET_SIZE);
    out->position = (uint16_t)(*at % ADDRESS_BOOK_BUCKET_SIZE);
    show(at_place(book, table, (*at)++), &out->entry);
    return true;
}

bool address_book_find(const struct address_book *book, const struct net_address *address,
                       struct address_entry *out)
{
    const struct book_entry *entry = book_find(book, address);
    if (entry)
        show(entry, out);
    return entry != NULL;
}

/* -- Invariants ----------------------------------------------------------------------------------
 */

/* Assert that the list of buckets is right; returns the places that are taken in all. */
static size_t check_buckets(const struct book_buckets *buckets)
{
    size_t n_taken = 0, n_used = 0;
    for (size_t i = 0; i < ADDRESS_BOOK_NEW_BUCKETS; i++) {
        n_taken += buckets->taken[i];
        n_used += buckets->taken[i] > 0;
        ASSERT(buckets->taken[i] == 0 || buckets->used[buckets->at[i]] == i);
    }
    ASSERT(n_used == buckets->n_used);
    return n_taken;
}

static void check_groups(const struct address_book *book)
{
    size_t n = 0, n_groups = 0;
    for (size_t i = 0; i < ADDRESS_BOOK_GROUP_SLOTS; i++) {
        n += book->tried_per_group[i];
        n_groups += book->tried_per_group[i] > 0;
    }
    ASSERT(n == book->n_tried && n_groups == book->n_tried_groups);
}

void address_book_check(const struct address_book *book)
{
    size_t n_fresh = 0, n_tried = 0, per_source[ADDRESS_SOURCE_COUNT] = {0};
    size_t per_network[ADDRESS_BOOK_NETWORKS][2] = {{0}};
    for (size_t i = 0; i < book->count; i++) {
        const struct book_entry *entry = book->entries[book->order[i]];
        ASSERT(entry && entry->order_at == i && book_find(book, &entry->address.at) == entry);
        ASSERT(entry->is_tried != (entry->n_new > 0));
        ASSERT(entry->n_new <= ADDRESS_BOOK_NEW_PER_ADDRESS);
        n_fresh += entry->n_new;
        n_tried += entry->is_tried;
        per_source[entry->source]++;
        per_network[entry->address.at.network][entry->is_tried]++;
    }
    ASSERT(memcmp(per_network, book->per_network, sizeof per_network) == 0);
    check_groups(book);
    ASSERT(n_fresh == book->n_fresh && n_tried == book->n_tried);
    ASSERT(check_buckets(&book->fresh_buckets) == n_fresh);
    ASSERT(check_buckets(&book->tried_buckets) == n_tried);
    ASSERT(book->by_address.count == book->count);
    for (size_t i = 0; i < ADDRESS_SOURCE_COUNT; i++)
        ASSERT(per_source[i] == book->per_source[i]);
    size_t found = 0;
    for (size_t i = 0; i < ADDRESS_BOOK_TRIED_PLACES; i++)
        if (place_table_get(&book->tried, i)) {
            const struct book_entry *entry = at_place(book, &book->tried, i);
            ASSERT(entry && entry->is_tried &&
                   place_in_tried(&book->rule, &entry->address.at) == i);
            found++;
        }
    ASSERT(found == book->n_tried);
}
