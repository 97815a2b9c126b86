/* address_book_file.c - see address_book_file.h. Messages are Core's. */
#include "p2p/addr/address_book_file.h"

#include <stdio.h>

#include "crypto/hash.h"
#include "p2p/addr/address_book_internal.h"
#include "p2p/core/wire.h"
#include "util/alloc.h"
#include "util/endian.h"
#include "util/reader.h"
#include "util/version.h"

enum { FORMAT = 4, FORMAT_ADDRV2 = 3, FORMAT_ASMAP = 2, FORMAT_CHECKED = 1, COMPATIBLE_BASE = 32 };

#define BUCKETS_MARK        (UINT32_C(1) << 30) /* over the number of buckets, from format 1 on */
#define DISK_VERSION        UINT32_C(220000)
#define DISK_VERSION_ADDRV2 (UINT32_C(1) << 29)
#define DISK_VERSION_NUMBER UINT32_C(0x7ffff) /* bits that say which Core has written it */
#define HASH_BYTES          32
#define OUR_FIRST_MAGIC     0x6b6f6f42u /* of the format that Cairn had before */

/* -- One address --------------------------------------------------------------------------------
 */

static void write_on_disk(struct writer *w, const struct net_peer_address *address)
{
    write_u32(w, DISK_VERSION | DISK_VERSION_ADDRV2);
    wire_address_encode(w, true, address);
}

static void read_from_disk(struct reader *r, struct net_peer_address *address)
{
    uint32_t version = read_u32(r) & ~DISK_VERSION_NUMBER;
    if (version != 0 && version != DISK_VERSION_ADDRV2)
        r->failed = true;
    wire_address_decode(r, version == DISK_VERSION_ADDRV2, address);
}

/* Without a port. Nobody is :: */
static void write_host(struct writer *w, const struct net_address *address)
{
    const struct net_address nobody = {.network = NET_IPV6};
    const struct net_address *host = address->network == NET_NONE ? &nobody : address;
    write_u8(w, host->network);
    write_var_span(w, span_of(host->bytes, net_network_bytes(host->network)));
}

static void read_host(struct reader *r, bool v2, struct net_address *out)
{
    uint8_t bytes[16] = {0};
    if (!v2) {
        read_bytes(r, bytes, sizeof bytes);
        *out = net_address_of_16(bytes, 0);
        return;
    }
    uint8_t network = read_u8(r);
    struct span host = read_var_span(r);
    *out = (struct net_address){.network = NET_NONE};
    if (r->failed || host.len == 0 || host.len != net_network_bytes(network))
        return;
    if (network == NET_IPV6) {
        *out = net_address_of_16(host.p, 0);
        return;
    }
    out->network = network;
    memcpy(out->bytes, host.p, host.len);
}

/* -- Writing ------------------------------------------------------------------------------------
 */

static void write_entry(struct writer *w, const struct book_entry *entry)
{
    write_on_disk(w, &entry->address);
    write_host(w, &entry->told_by);
    write_u64(w, (uint64_t)entry->last_success_s);
    write_u32(w, (uint32_t)entry->attempts);
}

static bool is_written(const struct book_entry *entry, bool tried)
{
    return entry && entry->source != ADDRESS_SOURCE_LAN && entry->is_tried == tried;
}

/* Out: index, if not NULL: of each entry by its id, as it was written. Returns: how many */
static uint32_t write_entries(struct writer *w, const struct address_book *book, bool tried,
                              uint32_t *index)
{
    uint32_t n = 0;
    for (size_t i = 0; i < book->n_ids; i++) {
        const struct book_entry *entry = book->entries[i];
        if (!is_written(entry, tried))
            continue;
        if (index)
            index[i] = n;
        write_entry(w, entry);
        n++;
    }
    return n;
}

static void write_bucket(struct writer *w, const struct address_book *book, size_t bucket,
                         const uint32_t *index)
{
    uint32_t n = 0, at[ADDRESS_BOOK_BUCKET_SIZE];
    size_t place = bucket * ADDRESS_BOOK_BUCKET_SIZE, end = place + ADDRESS_BOOK_BUCKET_SIZE;
    while ((place = place_table_next(&book->fresh, place)) < end) {
        uint32_t id = place_table_get(&book->fresh, place++);
        if (is_written(book->entries[id - 1], false))
            at[n++] = index[id - 1];
    }
    write_u32(w, n);
    for (uint32_t i = 0; i < n; i++)
        write_u32(w, at[i]);
}

/* The checksum of all that was appended since start. */
static void append_checksum(struct buffer *out, size_t start)
{
    uint8_t hash[HASH_BYTES];
    sha256d(span_of(out->p + start, out->len - start), hash);
    buffer_append(out, hash, sizeof hash);
}

static uint32_t count_written(const struct address_book *book, bool tried)
{
    uint32_t n = 0;
    for (size_t i = 0; i < book->n_ids; i++)
        n += is_written(book->entries[i], tried);
    return n;
}

void address_book_encode(const struct address_book *book, const uint8_t magic[4],
                         struct buffer *out)
{
    struct writer w = writer_to_growing(out);
    size_t start = out->len;
    uint32_t n_new = count_written(book, false), n_tried = count_written(book, true);
    uint32_t *index = xcalloc(book->n_ids + 1, sizeof *index);
    write_bytes(&w, magic, 4);
    write_u8(&w, FORMAT);
    write_u8(&w, COMPATIBLE_BASE + FORMAT);
    write_bytes(&w, book->rule.key, sizeof book->rule.key);
    write_u32(&w, n_new);
    write_u32(&w, n_tried);
    write_u32(&w, ADDRESS_BOOK_NEW_BUCKETS ^ BUCKETS_MARK);
    uint32_t n = write_entries(&w, book, false, index);
    ASSERT(n == n_new);
    n = write_entries(&w, book, true, NULL);
    ASSERT(n == n_tried);
    for (size_t i = 0; i < ADDRESS_BOOK_NEW_BUCKETS; i++)
        write_bucket(&w, book, i, index);
    write_bytes(&w, book->rule.grouping->asmap_version, sizeof book->rule.grouping->asmap_version);
    xfree(index);
    append_checksum(out, start);
}

/* -- Reading ------------------------------------------------------------------------------------
 */

/* A file being read. */
struct loading {
    struct address_book *book;
    struct reader r;
    char *why; /* ADDRESS_BOOK_WHY_BYTES; "" so far */
    uint8_t format;
    uint32_t n_new, n_tried, n_buckets;
    uint32_t
        *fresh; /* ids + 1 of the entries of new as they are numbered in the file; 0: left out */
    struct address_ref {
        uint32_t bucket, index;
    } * refs; /* what stands in the buckets of new */
    size_t n_refs, capacity;
};

/* What Core throws as a failure of a stream has this behind it. */
static enum address_book_read fail_stream(struct loading *load, const char *why)
{
    snprintf(load->why, ADDRESS_BOOK_WHY_BYTES, "%s: iostream error", why);
    return ADDRESS_BOOK_DAMAGED;
}

static enum address_book_read fail_end(struct loading *load)
{
    return fail_stream(load, "AutoFile::read: end of file");
}

static bool is_count(struct loading *load, const char *name, uint32_t n, int max)
{
    char why[ADDRESS_BOOK_WHY_BYTES - 20];
    if (n <= (uint32_t)max)
        return true;
    snprintf(why, sizeof why, "Corrupt AddrMan serialization: %s=%d, should be in [0, %d]", name,
             (int)n, max);
    (void)fail_stream(load, why);
    return false;
}

static enum address_book_read read_format(struct loading *load)
{
    char why[ADDRESS_BOOK_WHY_BYTES - 20];
    load->format = read_u8(&load->r);
    uint8_t compatible = read_u8(&load->r);
    if (load->r.failed)
        return fail_end(load);
    if (compatible < COMPATIBLE_BASE) {
        snprintf(why, sizeof why,
                 "Corrupted addrman database: The compat value (%u) is lower than the expected "
                 "minimum value %u.",
                 compatible, (unsigned)COMPATIBLE_BASE);
        return fail_stream(load, why);
    }
    if (compatible > COMPATIBLE_BASE + FORMAT) {
        snprintf(load->why, ADDRESS_BOOK_WHY_BYTES,
                 "Unsupported format of addrman database: %u. It is compatible with formats >=%u, "
                 "but the maximum supported by this version of %s is %u.: iostream error",
                 load->format, (unsigned)(compatible - COMPATIBLE_BASE), CAIRN_NAME,
                 (unsigned)FORMAT);
        return ADDRESS_BOOK_OTHER_FORMAT;
    }
    return ADDRESS_BOOK_READ;
}

static enum address_book_read read_head(struct loading *load)
{
    struct reader *r = &load->r;
    enum address_book_read result = read_format(load);
    if (result != ADDRESS_BOOK_READ)
        return result;
    read_bytes(r, load->book->rule.key, sizeof load->book->rule.key);
    load->n_new = read_u32(r);
    load->n_tried = read_u32(r);
    load->n_buckets = read_u32(r);
    if (load->format >= FORMAT_CHECKED)
        load->n_buckets ^= BUCKETS_MARK;
    if (r->failed)
        return fail_end(load);
    if (!is_count(load, "nNew", load->n_new, (int)ADDRESS_BOOK_NEW_PLACES) ||
        !is_count(load, "nTried", load->n_tried, (int)ADDRESS_BOOK_TRIED_PLACES))
        return ADDRESS_BOOK_DAMAGED;
    return ADDRESS_BOOK_READ;
}

/* Returns: the entry, in no table; NULL if it is left out: a second one of its address, or one that
 * can be nobody's */
static struct book_entry *read_entry(struct loading *load)
{
    struct reader *r = &load->r;
    struct net_peer_address address;
    struct net_address told_by;
    read_from_disk(r, &address);
    read_host(r, load->format >= FORMAT_ADDRV2, &told_by);
    int64_t last_success_s = (int64_t)read_u64(r);
    int32_t attempts = (int32_t)read_u32(r);
    if (r->failed || !net_grouping_is_routable(load->book->rule.grouping, &address.at) ||
        book_find(load->book, &address.at))
        return NULL;
    /* Quotas are for what is heard, not for what was kept. */
    struct book_entry *entry = book_create(load->book, &address, ADDRESS_SOURCE_GOSSIP, &told_by);
    entry->last_success_s = MAX_OF(last_success_s, 0);
    entry->attempts = MAX_OF(attempts, 0);
    return entry;
}

static void read_tried(struct loading *load)
{
    for (uint32_t i = 0; i < load->n_tried && !load->r.failed; i++) {
        struct book_entry *entry = read_entry(load);
        if (!entry)
            continue;
        size_t place = place_in_tried(&load->book->rule, &entry->address.at);
        if (place_table_get(&load->book->tried, place) == 0)
            book_put_tried(load->book, entry, place);
        else
            book_destroy(load->book, entry);
    }
}

static void read_refs(struct loading *load)
{
    for (uint32_t bucket = 0; bucket < load->n_buckets && !load->r.failed; bucket++) {
        int32_t n = (int32_t)read_u32(&load->r);
        for (int32_t i = 0; i < n && !load->r.failed; i++) {
            uint32_t index = read_u32(&load->r);
            if (load->r.failed || index >= load->n_new)
                continue;
            if (load->n_refs == load->capacity) {
                load->capacity = load->capacity ? 2 * load->capacity : 1024;
                load->refs = xrealloc(load->refs, load->capacity, sizeof *load->refs);
            }
            load->refs[load->n_refs++] = (struct address_ref){bucket, index};
        }
    }
}

/* Everybody to where he was; if buckets were made otherwise then, where he belongs by who told of
 * him first. */
static void place_refs(struct loading *load, bool same_buckets)
{
    struct address_book *book = load->book;
    for (size_t i = 0; i < load->n_refs; i++) {
        uint32_t id = load->fresh[load->refs[i].index];
        struct book_entry *entry = id ? book->entries[id - 1] : NULL;
        if (!entry || entry->n_new >= ADDRESS_BOOK_NEW_PER_ADDRESS)
            continue;
        size_t place =
            same_buckets ? place_in_new(&book->rule, load->refs[i].bucket, &entry->address.at) : 0;
        if (!same_buckets || place_table_get(&book->fresh, place))
            place = place_in_new(
                &book->rule, place_bucket_of_new(&book->rule, &entry->address.at, &entry->told_by),
                &entry->address.at);
        if (place_table_get(&book->fresh, place) == 0)
            book_put_new(book, entry, place);
    }
    for (uint32_t i = 0; i < load->n_new; i++) {
        struct book_entry *entry = load->fresh[i] ? book->entries[load->fresh[i] - 1] : NULL;
        if (entry && entry->n_new == 0)
            book_destroy(book, entry);
    }
}

static enum address_book_read read_body(struct loading *load)
{
    uint8_t version[32] = {0};
    load->fresh = xcalloc((size_t)load->n_new + 1, sizeof *load->fresh);
    for (uint32_t i = 0; i < load->n_new && !load->r.failed; i++) {
        const struct book_entry *entry = read_entry(load);
        load->fresh[i] = entry ? entry->id + 1 : 0;
    }
    read_tried(load);
    read_refs(load);
    if (load->format >= FORMAT_ASMAP)
        read_bytes(&load->r, version, sizeof version);
    if (load->r.failed)
        return fail_end(load);
    bool same = load->n_buckets == ADDRESS_BOOK_NEW_BUCKETS &&
                memcmp(version, load->book->rule.grouping->asmap_version, sizeof version) == 0;
    place_refs(load, same);
    return ADDRESS_BOOK_READ;
}

static enum address_book_read check_end(struct loading *load, struct span bytes)
{
    static const uint8_t no_key[32];
    uint8_t hash[HASH_BYTES], stored[HASH_BYTES];
    size_t len = bytes.len - reader_left(&load->r);
    /* Who has no key has places that anybody can foresee: Core checks its tables here. */
    if (memcmp(load->book->rule.key, no_key, sizeof no_key) == 0)
        return fail_stream(load, "Corrupt data. Consistency check failed with code -16");
    read_bytes(&load->r, stored, sizeof stored);
    if (load->r.failed)
        return fail_end(load);
    sha256d(span_of(bytes.p, len), hash);
    if (memcmp(hash, stored, sizeof hash) == 0)
        return ADDRESS_BOOK_READ;
    snprintf(load->why, ADDRESS_BOOK_WHY_BYTES, "Checksum mismatch, data corrupted");
    return ADDRESS_BOOK_DAMAGED;
}

static void forget_all(struct address_book *book)
{
    for (size_t i = 0; i < ADDRESS_BOOK_TRIED_PLACES; i++)
        book_clear_tried(book, i);
    for (size_t i = 0; i < ADDRESS_BOOK_NEW_PLACES; i++)
        book_clear_new(book, i);
    while (book->count > 0) /* in no table yet */
        book_destroy(book, book->entries[book->order[0]]);
    ASSERT(book->n_fresh == 0 && book->n_tried == 0);
}

static enum address_book_read read_all(struct loading *load, const uint8_t magic[4],
                                       struct span bytes)
{
    uint8_t found[4];
    read_bytes(&load->r, found, sizeof found);
    if (load->r.failed)
        return fail_end(load);
    if (load_le32(found) == OUR_FIRST_MAGIC)
        return ADDRESS_BOOK_OTHER_FORMAT;
    if (memcmp(found, magic, sizeof found) != 0) {
        snprintf(load->why, ADDRESS_BOOK_WHY_BYTES, "Invalid network magic number");
        return ADDRESS_BOOK_DAMAGED;
    }
    enum address_book_read result = read_head(load);
    if (result == ADDRESS_BOOK_READ)
        result = read_body(load);
    return result == ADDRESS_BOOK_READ ? check_end(load, bytes) : result;
}

enum address_book_read address_book_decode(struct address_book *book, const uint8_t magic[4],
                                           struct span bytes, char why[ADDRESS_BOOK_WHY_BYTES])
{
    ASSERT(book->count == 0 && why);
    uint8_t key[32];
    memcpy(key, book->rule.key, sizeof key);
    struct loading load = {.book = book, .r = reader_of(bytes), .why = why};
    why[0] = '\0';
    enum address_book_read result = read_all(&load, magic, bytes);
    xfree(load.fresh);
    xfree(load.refs);
    if (result == ADDRESS_BOOK_READ)
        return result;
    forget_all(book);
    memcpy(book->rule.key, key, sizeof key);
    return result;
}

/* -- A list -------------------------------------------------------------------------------------
 */

void address_list_encode(const struct net_peer_address *list, size_t n, const uint8_t magic[4],
                         struct buffer *out)
{
    ASSERT(list || n == 0);
    struct writer w = writer_to_growing(out);
    size_t start = out->len;
    write_bytes(&w, magic, 4);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        write_on_disk(&w, &list[i]);
    append_checksum(out, start);
}

size_t address_list_decode(struct span bytes, const uint8_t magic[4], struct net_peer_address *list,
                           size_t max)
{
    uint8_t hash[HASH_BYTES], found[4];
    if (bytes.len < sizeof found + 1 + HASH_BYTES || bytes.len > ADDRESS_LIST_FILE_BYTES)
        return 0;
    struct span body = span_of(bytes.p, bytes.len - HASH_BYTES);
    struct reader r = reader_of(body);
    sha256d(body, hash);
    read_bytes(&r, found, sizeof found);
    uint64_t n = read_compact_size(&r), kept = 0;
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        struct net_peer_address address;
        read_from_disk(&r, &address);
        if (!r.failed && kept < max)
            list[kept++] = address;
    }
    bool is_whole = reader_finish(&r) && memcmp(found, magic, sizeof found) == 0 &&
                    memcmp(hash, bytes.p + body.len, HASH_BYTES) == 0;
    return is_whole ? (size_t)kept : 0;
}
