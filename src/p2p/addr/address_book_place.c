/* address_book_place.c - see address_book_place.h. */
#include "p2p/addr/address_book_place.h"

#include <string.h>

#include "crypto/hash.h"
#include "util/endian.h"

/* What the hash of a place is made of, in Core's order and form. Lists of bytes have their length
 * before them. */
struct place_hash {
    uint8_t bytes[128];
    size_t len;
};

static void hash_bytes(struct place_hash *hash, const void *bytes, size_t n)
{
    ASSERT(hash->len + n <= sizeof hash->bytes);
    memcpy(hash->bytes + hash->len, bytes, n);
    hash->len += n;
}

static struct place_hash hash_begin(const struct place_rule *rule)
{
    struct place_hash hash = {.len = 0};
    hash_bytes(&hash, rule->key, sizeof rule->key);
    return hash;
}

static void hash_group(struct place_hash *hash, const struct net_group *group)
{
    hash_bytes(hash, &group->len, 1);
    hash_bytes(hash, group->bytes, group->len);
}

/* IPv4 as 16 bytes, the hidden networks as they are; then the port, the higher byte first. */
static void hash_address(struct place_hash *hash, const struct net_address *address)
{
    uint8_t bytes[NET_ADDRESS_BYTES_MAX + 2] = {0};
    size_t n = net_network_bytes(address->network);
    if (address->network == NET_IPV4) {
        bytes[10] = bytes[11] = 0xff;
        memcpy(bytes + 12, address->bytes, n);
        n = 16;
    } else {
        memcpy(bytes, address->bytes, n);
    }
    bytes[n++] = (uint8_t)(address->port >> 8);
    bytes[n++] = (uint8_t)address->port;
    const uint8_t len = (uint8_t)n;
    hash_bytes(hash, &len, 1);
    hash_bytes(hash, bytes, n);
}

static void hash_u64(struct place_hash *hash, uint64_t value)
{
    uint8_t bytes[8];
    store_le64(bytes, value);
    hash_bytes(hash, bytes, sizeof bytes);
}

static uint64_t hash_end(const struct place_hash *hash)
{
    uint8_t digest[32];
    sha256d(span_of(hash->bytes, hash->len), digest);
    return load_le64(digest);
}

/* Spec: Core AddrInfo::GetBucketPosition() */
static size_t position(const struct place_rule *rule, char table, size_t bucket,
                       const struct net_address *address)
{
    struct place_hash hash = hash_begin(rule);
    uint8_t number[4];
    store_le32(number, (uint32_t)bucket);
    hash_bytes(&hash, &table, 1);
    hash_bytes(&hash, number, sizeof number);
    hash_address(&hash, address);
    return hash_end(&hash) % ADDRESS_BOOK_BUCKET_SIZE;
}

/* Spec: Core AddrInfo::GetTriedBucket() */
static size_t tried_bucket(const struct place_rule *rule, const struct net_address *address)
{
    struct net_group group = net_grouping_of(rule->grouping, address);
    struct place_hash hash = hash_begin(rule);
    hash_address(&hash, address);
    uint64_t lane = hash_end(&hash) % ADDRESS_BOOK_BUCKETS_PER_GROUP;
    if (rule->is_without_buckets)
        return hash_end(&hash) % ADDRESS_BOOK_TRIED_BUCKETS;
    hash = hash_begin(rule);
    hash_group(&hash, &group);
    hash_u64(&hash, lane);
    return hash_end(&hash) % ADDRESS_BOOK_TRIED_BUCKETS;
}

size_t place_in_tried(const struct place_rule *rule, const struct net_address *address)
{
    size_t bucket = tried_bucket(rule, address);
    return bucket * ADDRESS_BOOK_BUCKET_SIZE + position(rule, 'K', bucket, address);
}

/* Spec: Core AddrInfo::GetNewBucket() */
size_t place_bucket_of_new(const struct place_rule *rule, const struct net_address *address,
                           const struct net_address *told_by)
{
    struct net_group group = net_grouping_of(rule->grouping, address);
    struct net_group by = net_grouping_of(rule->grouping, told_by);
    struct place_hash hash = hash_begin(rule);
    if (rule->is_without_buckets) {
        hash_address(&hash, address);
        return hash_end(&hash) % ADDRESS_BOOK_NEW_BUCKETS;
    }
    hash_group(&hash, &group);
    hash_group(&hash, &by);
    uint64_t lane = hash_end(&hash) % ADDRESS_BOOK_BUCKETS_PER_SOURCE;
    hash = hash_begin(rule);
    hash_group(&hash, &by);
    hash_u64(&hash, lane);
    return hash_end(&hash) % ADDRESS_BOOK_NEW_BUCKETS;
}

size_t place_in_new(const struct place_rule *rule, size_t bucket, const struct net_address *address)
{
    ASSERT(bucket < ADDRESS_BOOK_NEW_BUCKETS);
    return bucket * ADDRESS_BOOK_BUCKET_SIZE + position(rule, 'N', bucket, address);
}
