/* address_book.c - see address_book.h. */
#include "p2p/addr/address_book.h"

#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/hash_map.h"
#include "util/reader.h"

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
#define FILE_MAGIC         0x6b6f6f42u /* "Book" */
#define FILE_VERSION       1
#define NONE               UINT32_MAX

struct entry {
    struct net_peer_address address;
    struct net_address told_by;
    uint8_t source;
    bool is_tried;
    uint8_t n_new; /* places in new */
    int attempts;
    int64_t last_try_s, last_success_s, last_counted_s;
    uint32_t id, order_at; /* its index in order[] */
};

/* How full the buckets of a table are, and which ones are not empty. */
struct buckets {
    uint8_t taken[ADDRESS_BOOK_NEW_BUCKETS]; /* places of each; tried has fewer buckets */
    uint16_t used[ADDRESS_BOOK_NEW_BUCKETS]; /* numbers of those that are not empty */
    uint16_t at[ADDRESS_BOOK_NEW_BUCKETS];   /* where each is in used */
    size_t n_used;
};

struct address_book {
    const struct env *env;
    struct siphash_key key, map_key;
    struct entry **entries; /* by id; a freed id is NULL and in the free list */
    size_t n_ids;
    uint32_t *order; /* ids of all entries, shuffled as they are drawn */
    size_t count;
    struct hash_map by_address;
    uint32_t *fresh; /* new, bucket by bucket: id + 1, 0 is free */
    uint32_t *tried;
    size_t n_fresh, n_tried;
    struct buckets fresh_buckets, tried_buckets;
    size_t per_source[ADDRESS_SOURCE_COUNT];
    uint32_t collisions[ADDRESS_BOOK_COLLISIONS_MAX]; /* ids of new that want a place in tried */
    size_t n_collisions;
    int64_t last_good_s;
};

/* Entries that each source may have in the book: what cannot be checked must not crowd out. */
static const size_t source_max[ADDRESS_SOURCE_COUNT] = {
    [ADDRESS_SOURCE_GOSSIP] = 80000, [ADDRESS_SOURCE_DHT] = 4096,   [ADDRESS_SOURCE_LAN] = 256,
    [ADDRESS_SOURCE_DNS] = 4096,     [ADDRESS_SOURCE_MANUAL] = 256, [ADDRESS_SOURCE_ANCHOR] = 64,
};

struct address_book *address_book_new(const struct env *env)
{
    struct address_book *book = xcalloc(1, sizeof *book);
    book->env = env;
    env_random(env, &book->key, sizeof book->key);
    env_random(env, &book->map_key, sizeof book->map_key);
    hash_map_init(&book->by_address);
    book->fresh =
        xcalloc((size_t)ADDRESS_BOOK_NEW_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE, sizeof(uint32_t));
    book->tried =
        xcalloc((size_t)ADDRESS_BOOK_TRIED_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE, sizeof(uint32_t));
    return book;
}

void address_book_free(struct address_book *book)
{
    if (!book)
        return;
    for (size_t i = 0; i < book->n_ids; i++)
        xfree(book->entries[i]);
    xfree(book->entries);
    xfree(book->order);
    xfree(book->fresh);
    xfree(book->tried);
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
    return net_address_equal(&((const struct entry *)value)->address.at, key);
}

static struct entry *find(const struct address_book *book, const struct net_address *address)
{
    return hash_map_find(&book->by_address, net_address_hash(book->map_key, address), has_address,
                         address);
}

static struct entry *create(struct address_book *book, const struct net_peer_address *address,
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
            book->entries = xrealloc(book->entries, capacity, sizeof(struct entry *));
            book->order = xrealloc(book->order, capacity, sizeof(uint32_t));
        }
        book->n_ids++;
        book->order[id] = id;
    }
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->address = *address;
    entry->told_by = *told_by;
    entry->source = (uint8_t)source;
    entry->id = id;
    entry->order_at = (uint32_t)book->count++;
    book->entries[id] = entry;
    book->per_source[source]++;
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

static void destroy(struct address_book *book, struct entry *entry)
{
    ASSERT(entry->n_new == 0 && !entry->is_tried);
    swap_order(book, entry->order_at, (uint32_t)--book->count);
    (void)hash_map_remove(&book->by_address, net_address_hash(book->map_key, &entry->address.at),
                          has_address, &entry->address.at);
    book->per_source[entry->source]--;
    book->entries[entry->id] = NULL;
    for (size_t i = 0; i < book->n_collisions; i++)
        if (book->collisions[i] == entry->id)
            book->collisions[i--] = book->collisions[--book->n_collisions];
    xfree(entry);
}

/* Spec: Core AddrInfo::IsTerrible() */
static bool is_terrible(const struct entry *entry, int64_t now_s)
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
static double chance(const struct entry *entry, int64_t now_s)
{
    double c = now_s - entry->last_try_s < 600 ? 0.01 : 1.0;
    for (int i = 0; i < entry->attempts && i < 8; i++)
        c *= 0.66;
    return c;
}

/* -- Places -------------------------------------------------------------------------------------
 */

static size_t tried_place(const struct address_book *book, const struct net_address *address)
{
    uint64_t lane = net_address_hash(book->key, address) % ADDRESS_BOOK_BUCKETS_PER_GROUP;
    uint64_t bucket =
        net_group_hash(book->key, net_address_group(address), lane) % ADDRESS_BOOK_TRIED_BUCKETS;
    struct siphash_key key = {book->key.k0 ^ bucket, book->key.k1 ^ 'K'};
    return (size_t)(bucket * ADDRESS_BOOK_BUCKET_SIZE +
                    net_address_hash(key, address) % ADDRESS_BOOK_BUCKET_SIZE);
}

static size_t new_place(const struct address_book *book, const struct net_address *address,
                        enum address_source source, const struct net_address *told_by)
{
    struct net_group by = net_address_group(told_by);
    struct siphash_key source_key = {book->key.k0 ^ net_group_hash(book->key, by, source),
                                     book->key.k1};
    uint64_t lane =
        net_group_hash(source_key, net_address_group(address), 0) % ADDRESS_BOOK_BUCKETS_PER_SOURCE;
    uint64_t bucket = net_group_hash(book->key, by, (uint64_t)source << 32 | (lane + 1)) %
                      ADDRESS_BOOK_NEW_BUCKETS;
    struct siphash_key key = {book->key.k0 ^ bucket, book->key.k1 ^ 'N'};
    return (size_t)(bucket * ADDRESS_BOOK_BUCKET_SIZE +
                    net_address_hash(key, address) % ADDRESS_BOOK_BUCKET_SIZE);
}

static struct entry *at_place(const struct address_book *book, const uint32_t *table, size_t place)
{
    return table[place] ? book->entries[table[place] - 1] : NULL;
}

/* A place of the bucket was given to somebody, or became free. */
static void count_place(struct buckets *buckets, size_t bucket, bool is_taken)
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
static void set_new(struct address_book *book, size_t place, const struct entry *entry)
{
    ASSERT(!entry == (book->fresh[place] != 0));
    book->fresh[place] = entry ? entry->id + 1 : 0;
    book->n_fresh = entry ? book->n_fresh + 1 : book->n_fresh - 1;
    count_place(&book->fresh_buckets, place / ADDRESS_BOOK_BUCKET_SIZE, entry != NULL);
}

static void set_tried(struct address_book *book, size_t place, const struct entry *entry)
{
    ASSERT(!entry == (book->tried[place] != 0));
    book->tried[place] = entry ? entry->id + 1 : 0;
    book->n_tried = entry ? book->n_tried + 1 : book->n_tried - 1;
    count_place(&book->tried_buckets, place / ADDRESS_BOOK_BUCKET_SIZE, entry != NULL);
}

/* Empty a place of new; its entry goes if that was its last one. */
static void clear_new(struct address_book *book, size_t place)
{
    struct entry *entry = at_place(book, book->fresh, place);
    if (!entry)
        return;
    set_new(book, place, NULL);
    entry->n_new--;
    if (entry->n_new == 0 && !entry->is_tried)
        destroy(book, entry);
}

static void put_new(struct address_book *book, struct entry *entry, size_t place)
{
    clear_new(book, place);
    set_new(book, place, entry);
    entry->n_new++;
}

/* -- Hearing of addresses ------------------------------------------------------------------------
 */

static void refresh(struct entry *entry, const struct net_peer_address *address, int64_t time_s,
                    int64_t now_s)
{
    bool is_online = now_s - (int64_t)address->time < UPDATE_OFFLINE_S;
    int64_t interval_s = is_online ? UPDATE_ONLINE_S : UPDATE_OFFLINE_S;
    if ((int64_t)entry->address.time < time_s - interval_s)
        entry->address.time = (uint32_t)time_s;
    entry->address.services |= address->services;
}

/* More places make an address more likely to be drawn, so each next one is half as likely. */
static bool wants_place(struct address_book *book, const struct entry *entry)
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
    if (!net_address_is_routable(&address->at) || address->at.port == 0)
        return false;
    if (net_address_same_host(&address->at, told_by))
        penalty_s = 0;
    int64_t time_s = (int64_t)address->time - penalty_s;
    time_s = MAX_OF(time_s, 0);
    struct entry *entry = find(book, &address->at);
    bool is_new = !entry;
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
        entry = create(book, address, source, told_by);
        entry->address.time = (uint32_t)time_s;
    }
    size_t place = new_place(book, &address->at, source, told_by);
    struct entry *there = at_place(book, book->fresh, place);
    if (there == entry)
        return is_new;
    bool replaces = !there || is_terrible(there, now_s) || (there->n_new > 1 && entry->n_new == 0);
    if (replaces) {
        put_new(book, entry, place);
    } else if (entry->n_new == 0 && !entry->is_tried) {
        destroy(book, entry);
        return false;
    }
    return is_new;
}

/* -- What became of them -------------------------------------------------------------------------
 */

static void move_to_tried(struct address_book *book, struct entry *entry)
{
    for (size_t i = 0; entry->n_new > 0; i++) {
        ASSERT(i < (size_t)ADDRESS_BOOK_NEW_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE);
        if (book->fresh[i] == entry->id + 1) {
            set_new(book, i, NULL);
            entry->n_new--;
        }
    }
    size_t place = tried_place(book, &entry->address.at);
    struct entry *old = at_place(book, book->tried, place);
    if (old) {
        /* Who loses his place goes back to new. */
        old->is_tried = false;
        set_tried(book, place, NULL);
        put_new(book, old, new_place(book, &old->address.at, old->source, &old->told_by));
    }
    set_tried(book, place, entry);
    entry->is_tried = true;
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
    struct entry *entry = find(book, address);
    if (!entry)
        return false;
    book->last_good_s = now_s;
    entry->last_success_s = entry->last_try_s = now_s;
    entry->attempts = 0;
    if (entry->is_tried)
        return true;
    if (at_place(book, book->tried, tried_place(book, address))) {
        add_collision(book, entry->id);
        return false;
    }
    move_to_tried(book, entry);
    return true;
}

void address_book_attempt(struct address_book *book, const struct net_address *address, bool count,
                          int64_t now_s)
{
    struct entry *entry = find(book, address);
    if (!entry)
        return;
    entry->last_try_s = now_s;
    /* Failures count once per time that we were online at all. */
    if (count && entry->last_counted_s < book->last_good_s) {
        entry->last_counted_s = now_s;
        entry->attempts++;
    }
}

void address_book_connected(struct address_book *book, const struct net_address *address,
                            int64_t now_s)
{
    struct entry *entry = find(book, address);
    if (entry && now_s - (int64_t)entry->address.time > UPDATE_CONNECTED_S)
        entry->address.time = (uint32_t)now_s;
}

void address_book_set_services(struct address_book *book, const struct net_address *address,
                               uint64_t services)
{
    struct entry *entry = find(book, address);
    if (entry)
        entry->address.services = services;
}

/* Has the test of who sits in the place ended, and in whose favour? */
static bool newcomer_wins(const struct entry *newcomer, const struct entry *old, int64_t now_s,
                          bool *decided)
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
        struct entry *newcomer = book->entries[book->collisions[i]];
        ASSERT(newcomer);
        struct entry *old = at_place(book, book->tried, tried_place(book, &newcomer->address.at));
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
    struct entry *old =
        at_place(book, book->tried, tried_place(book, &book->entries[id]->address.at));
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
static struct entry *pick(struct address_book *book, bool from_tried)
{
    const uint32_t *table = from_tried ? book->tried : book->fresh;
    const struct buckets *buckets = from_tried ? &book->tried_buckets : &book->fresh_buckets;
    ASSERT(buckets->n_used > 0);
    size_t bucket = buckets->used[draw(book, buckets->n_used)];
    size_t place = (size_t)draw(book, ADDRESS_BOOK_BUCKET_SIZE);
    while (!table[bucket * ADDRESS_BOOK_BUCKET_SIZE + place])
        place = (place + 1) % ADDRESS_BOOK_BUCKET_SIZE;
    return book->entries[table[bucket * ADDRESS_BOOK_BUCKET_SIZE + place] - 1];
}

bool address_book_select(struct address_book *book, bool new_only, int64_t now_s,
                         struct net_peer_address *out, int64_t *last_try_s)
{
    size_t usable = new_only ? book->n_fresh : book->n_fresh + book->n_tried;
    if (usable == 0 || book->count == book->per_source[ADDRESS_SOURCE_LAN])
        return false;
    bool from_tried = !new_only && book->n_tried > 0 && (book->n_fresh == 0 || draw(book, 2));
    double factor = 1.0;
    /* Bounded: the chance of being taken grows with every miss. */
    for (int tries = 0; tries < 1000; tries++) {
        struct entry *entry = pick(book, from_tried);
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
        const struct entry *entry = book->entries[book->order[i]];
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
    ASSERT(network <= NET_CJDNS);
    size_t n = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct entry *entry = book->entries[book->order[i]];
        n += entry->is_tried == tried &&
             (network == NET_NONE || entry->address.at.network == network);
    }
    return n;
}

static void show(const struct entry *entry, struct address_entry *out)
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

/* -- As bytes ------------------------------------------------------------------------------------
 */

static void write_address(struct writer *w, const struct net_address *address)
{
    write_u8(w, address->network);
    write_bytes(w, address->bytes, net_network_bytes(address->network));
    write_u16(w, address->port);
}

static void read_address(struct reader *r, struct net_address *address)
{
    *address = (struct net_address){.network = read_u8(r)};
    size_t len = net_network_bytes(address->network);
    if (len == 0)
        r->failed = true;
    read_bytes(r, address->bytes, len);
    address->port = read_u16(r);
}

void address_book_encode(const struct address_book *book, struct buffer *out)
{
    struct writer w = writer_to_growing(out);
    size_t start = out->len, at = 0;
    struct address_entry entry;
    write_u32(&w, FILE_MAGIC);
    write_u32(&w, FILE_VERSION);
    write_u64(&w, book->key.k0);
    write_u64(&w, book->key.k1);
    write_u32(&w, (uint32_t)book->count);
    while (address_book_next(book, &at, &entry)) {
        write_address(&w, &entry.address.at);
        write_u64(&w, entry.address.services);
        write_u32(&w, entry.address.time);
        write_u8(&w, (uint8_t)entry.source);
        write_address(&w, &entry.told_by);
        write_u8(&w, entry.is_tried);
        write_u64(&w, (uint64_t)entry.last_try_s);
        write_u64(&w, (uint64_t)entry.last_success_s);
        write_u32(&w, (uint32_t)entry.attempts);
    }
    uint8_t hash[32];
    sha256d(span_of(out->p + start, out->len - start), hash);
    buffer_append(out, hash, sizeof hash);
}

static bool read_entry(struct reader *r, struct address_book *book)
{
    struct net_peer_address address = {0};
    struct net_address told_by;
    read_address(r, &address.at);
    address.services = read_u64(r);
    address.time = read_u32(r);
    uint8_t source = read_u8(r);
    read_address(r, &told_by);
    bool is_tried = read_u8(r) != 0;
    int64_t last_try_s = (int64_t)read_u64(r), last_success_s = (int64_t)read_u64(r);
    int attempts = (int)(read_u32(r) & 0xffff);
    if (r->failed || source >= ADDRESS_SOURCE_COUNT || last_try_s < 0 || last_success_s < 0)
        return false;
    if (find(book, &address.at) || !net_address_is_routable(&address.at))
        return true;
    struct entry *entry = create(book, &address, source, &told_by);
    entry->last_try_s = last_try_s;
    entry->last_success_s = last_success_s;
    entry->attempts = attempts;
    size_t place =
        is_tried ? tried_place(book, &address.at) : new_place(book, &address.at, source, &told_by);
    if (is_tried && book->tried[place] == 0) {
        set_tried(book, place, entry);
        entry->is_tried = true;
    } else if (!is_tried && book->fresh[place] == 0) {
        put_new(book, entry, place);
    } else {
        destroy(book, entry);
    }
    return true;
}

static void forget_all(struct address_book *book)
{
    for (size_t i = 0; i < (size_t)ADDRESS_BOOK_TRIED_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE; i++) {
        struct entry *entry = at_place(book, book->tried, i);
        if (!entry)
            continue;
        set_tried(book, i, NULL);
        entry->is_tried = false;
        destroy(book, entry);
    }
    for (size_t i = 0; i < (size_t)ADDRESS_BOOK_NEW_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE; i++)
        clear_new(book, i);
    ASSERT(book->count == 0 && book->n_fresh == 0 && book->n_tried == 0);
}

bool address_book_decode(struct address_book *book, struct span bytes)
{
    ASSERT(book->count == 0);
    uint8_t hash[32];
    if (bytes.len < 60 || bytes.len > ADDRESS_BOOK_FILE_MAX_BYTES)
        return false;
    struct span body = span_of(bytes.p, bytes.len - 32);
    sha256d(body, hash);
    struct reader r = reader_of(body);
    bool is_ours = read_u32(&r) == FILE_MAGIC && read_u32(&r) == FILE_VERSION;
    if (!is_ours || memcmp(hash, bytes.p + body.len, 32) != 0)
        return false;
    struct siphash_key fresh_key = book->key;
    book->key.k0 = read_u64(&r);
    book->key.k1 = read_u64(&r);
    uint32_t n = read_u32(&r);
    bool ok = true;
    for (uint32_t i = 0; ok && i < n; i++)
        ok = read_entry(&r, book);
    if (ok && reader_finish(&r))
        return true;
    forget_all(book);
    book->key = fresh_key;
    return false;
}

/* -- Invariants ----------------------------------------------------------------------------------
 */

/* Assert that the list of buckets is right; returns the places that are taken in all. */
static size_t check_buckets(const struct buckets *buckets)
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

void address_book_check(const struct address_book *book)
{
    size_t n_fresh = 0, n_tried = 0, per_source[ADDRESS_SOURCE_COUNT] = {0};
    for (size_t i = 0; i < book->count; i++) {
        const struct entry *entry = book->entries[book->order[i]];
        ASSERT(entry && entry->order_at == i && find(book, &entry->address.at) == entry);
        ASSERT(entry->is_tried != (entry->n_new > 0));
        ASSERT(entry->n_new <= ADDRESS_BOOK_NEW_PER_ADDRESS);
        n_fresh += entry->n_new;
        n_tried += entry->is_tried;
        per_source[entry->source]++;
    }
    ASSERT(n_fresh == book->n_fresh && n_tried == book->n_tried);
    ASSERT(check_buckets(&book->fresh_buckets) == n_fresh);
    ASSERT(check_buckets(&book->tried_buckets) == n_tried);
    ASSERT(book->by_address.count == book->count);
    for (size_t i = 0; i < ADDRESS_SOURCE_COUNT; i++)
        ASSERT(per_source[i] == book->per_source[i]);
    size_t found = 0;
    for (size_t i = 0; i < (size_t)ADDRESS_BOOK_TRIED_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE; i++)
        if (book->tried[i]) {
            const struct entry *entry = at_place(book, book->tried, i);
            ASSERT(entry && entry->is_tried && tried_place(book, &entry->address.at) == i);
            found++;
        }
    ASSERT(found == book->n_tried);
}
