/* test_address_book_file.c - peers.dat and anchors.dat: Core's formats, both ways, and its words.
 */
#include "p2p/addr/address_book_file.h"

#include "../book_fixture.h"
#include "crypto/hash.h"

#define NOW 1700000000

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

static void add(struct address_book *book, const struct net_address *at, uint32_t told_by)
{
    struct net_peer_address address = {.at = *at, .services = 1033, .time = NOW};
    struct net_address by = host(told_by);
    (void)address_book_add(book, &address, ADDRESS_SOURCE_GOSSIP, &by, 0, NOW);
}

static void fill(struct world *w)
{
    for (uint32_t i = 0; i < 500; i++) {
        struct net_address a = host(0x10000000 + i * 65537);
        add(w->book, &a, 0x01010101 + i * 65536);
        if (i % 3 == 0) {
            (void)address_book_good(w->book, &a, NOW);
            address_book_attempt(w->book, &a, true, NOW + 5);
        }
    }
    struct net_address hidden = {.network = NET_I2P, .bytes = {1, 2, 3}};
    struct net_address onion = {.network = NET_TORV3, .bytes = {4, 5, 6}, .port = 9};
    add(w->book, &hidden, 0x01010101);
    add(w->book, &onion, 0x01010101);
}

static enum address_book_read decode(struct world *w, struct address_book *book)
{
    return address_book_decode(book, magic, buffer_span(&w->bytes), w->why);
}

static struct address_book *empty(struct world *w)
{
    return address_book_new(sim_env_get(w->sim), &w->grouping);
}

TEST(the_book_goes_to_bytes_and_back, struct world *w)
{
    fill(w);
    address_book_encode(w->book, magic, &w->bytes);
    struct address_book *again = empty(w);
    assert_int_equal(decode(w, again), ADDRESS_BOOK_READ);
    address_book_check(again);
    for (int tried = 0; tried < 2; tried++) {
        struct address_place a, b;
        size_t i = 0, j = 0;
        while (address_book_next_place(w->book, tried, &i, &a)) {
            assert_true(address_book_next_place(again, tried, &j, &b));
            assert_true(net_address_equal(&a.entry.address.at, &b.entry.address.at));
            assert_int_equal(a.bucket, b.bucket);
            assert_int_equal(a.position, b.position);
            assert_int_equal(a.entry.address.services, b.entry.address.services);
            assert_int_equal(a.entry.address.time, b.entry.address.time);
            assert_int_equal(a.entry.last_success_s, b.entry.last_success_s);
            assert_int_equal(a.entry.attempts, b.entry.attempts);
            assert_true(net_address_same_host(&a.entry.told_by, &b.entry.told_by));
        }
        assert_false(address_book_next_place(again, tried, &j, &b));
    }
    address_book_free(again);
}

/* Under another map the buckets are others; nobody in tried is lost but to a collision. */
TEST(another_map_puts_everybody_elsewhere, struct world *w)
{
    fill(w);
    address_book_encode(w->book, magic, &w->bytes);
    static const uint8_t map[] = {0x00, 0xc0, 0x00}; /* all are operator 7's */
    struct net_grouping mapped = {.has_private = false};
    net_grouping_use_asmap(&mapped, span_of(map, sizeof map));
    struct address_book *again = address_book_new(sim_env_get(w->sim), &mapped);
    assert_int_equal(decode(w, again), ADDRESS_BOOK_READ);
    address_book_check(again);
    assert_true(address_book_count_of(again, NET_IPV4, true) <=
                ADDRESS_BOOK_BUCKETS_PER_GROUP * ADDRESS_BOOK_BUCKET_SIZE);
    assert_in_range(address_book_count(again), 100, 502);
    address_book_free(again);
}

TEST(what_the_lan_told_is_not_written, struct world *w)
{
    struct net_peer_address address = {.at = host(0x08080808), .services = 9, .time = NOW};
    assert_true(address_book_add(w->book, &address, ADDRESS_SOURCE_LAN, &address.at, 0, NOW));
    address.at = host(0x09090909);
    assert_true(address_book_add(w->book, &address, ADDRESS_SOURCE_DNS, &address.at, 0, NOW));
    address_book_encode(w->book, magic, &w->bytes);
    struct address_book *again = empty(w);
    assert_int_equal(decode(w, again), ADDRESS_BOOK_READ);
    assert_int_equal(address_book_count(again), 1);
    address_book_free(again);
}

TEST(damaged_bytes_leave_an_empty_book, struct world *w)
{
    fill(w);
    address_book_encode(w->book, magic, &w->bytes);
    struct address_book *again = empty(w);
    for (size_t i = 0; i < w->bytes.len; i += 97) {
        w->bytes.p[i] ^= 0x10;
        assert_true(decode(w, again) != ADDRESS_BOOK_READ);
        assert_int_equal(address_book_count(again), 0);
        address_book_check(again);
        w->bytes.p[i] ^= 0x10;
    }
    size_t whole = w->bytes.len;
    for (size_t len = 0; len < whole; len += 101) {
        w->bytes.len = len;
        assert_int_equal(decode(w, again), ADDRESS_BOOK_DAMAGED);
        assert_string_equal(w->why, "AutoFile::read: end of file: iostream error");
    }
    w->bytes.len = whole;
    assert_int_equal(decode(w, again), ADDRESS_BOOK_READ);
    address_book_free(again);
}

/* Bytes that were changed with their checksum: parsing has to hold by itself (hazard 79). */
TEST(whatever_the_bytes_are_the_book_is_whole, struct world *w)
{
    uint64_t seed = 3;
    fill(w);
    address_book_encode(w->book, magic, &w->bytes);
    for (int round = 0; round < 300; round++) {
        struct address_book *again = empty(w);
        struct buffer changed;
        buffer_init(&changed);
        buffer_append(&changed, w->bytes.p, w->bytes.len - 32);
        for (int i = 0; i < 8; i++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            changed.p[4 + (seed >> 24) % (changed.len - 4)] = (uint8_t)(seed >> 56);
        }
        uint8_t hash[32];
        sha256d(buffer_span(&changed), hash);
        buffer_append(&changed, hash, sizeof hash);
        (void)!address_book_decode(again, magic, buffer_span(&changed), w->why);
        address_book_check(again);
        address_book_free(again);
        buffer_deinit(&changed);
    }
}

/* A file as Core's tests make it: format 1, no entries. */
struct head {
    uint8_t format, compatible, key;
    uint32_t n_new, n_tried;
};

static void make(struct world *w, struct head head)
{
    struct writer out = writer_to_growing(&w->bytes);
    uint8_t key[32] = {head.key}, hash[32];
    w->bytes.len = 0;
    write_bytes(&out, magic, 4);
    write_u8(&out, head.format);
    write_u8(&out, head.compatible);
    write_bytes(&out, key, 32);
    write_u32(&out, head.n_new);
    write_u32(&out, head.n_tried);
    write_u32(&out, 1024 ^ 1u << 30);
    for (int i = 0; i < 1024; i++)
        write_u32(&out, 0);
    sha256d(buffer_span(&w->bytes), hash);
    buffer_append(&w->bytes, hash, sizeof hash);
}

/* clang-format off */
static const struct {
    struct head head;
    enum address_book_read want;
    const char *why;
} heads[] = {
    {{1, 36, 1, 0, 0}, ADDRESS_BOOK_READ, ""},
    {{1, 32, 1, 0, 0}, ADDRESS_BOOK_READ, ""},
    {{1, 0, 1, 0, 0}, ADDRESS_BOOK_DAMAGED,
     "Corrupted addrman database: The compat value (0) is lower than the expected minimum value "
     "32.: iostream error"},
    {{1, 31, 1, 0, 0}, ADDRESS_BOOK_DAMAGED,
     "Corrupted addrman database: The compat value (31) is lower than the expected minimum value "
     "32.: iostream error"},
    {{9, 37, 1, 0, 0}, ADDRESS_BOOK_OTHER_FORMAT,
     "Unsupported format of addrman database: 9. It is compatible with formats >=5, but the "
     "maximum supported by this version of Cairn is 4.: iostream error"},
    {{1, 36, 1, UINT32_MAX, 0}, ADDRESS_BOOK_DAMAGED,
     "Corrupt AddrMan serialization: nNew=-1, should be in [0, 65536]: iostream error"},
    {{1, 36, 1, 65537, 0}, ADDRESS_BOOK_DAMAGED,
     "Corrupt AddrMan serialization: nNew=65537, should be in [0, 65536]: iostream error"},
    {{1, 36, 1, 0, UINT32_MAX}, ADDRESS_BOOK_DAMAGED,
     "Corrupt AddrMan serialization: nTried=-1, should be in [0, 16384]: iostream error"},
    {{1, 36, 1, 0, 16385}, ADDRESS_BOOK_DAMAGED,
     "Corrupt AddrMan serialization: nTried=16385, should be in [0, 16384]: iostream error"},
    {{1, 36, 0, 0, 0}, ADDRESS_BOOK_DAMAGED,
     "Corrupt data. Consistency check failed with code -16: iostream error"},
};
/* clang-format on */

TEST(what_is_wrong_is_said_in_core_s_words, struct world *w)
{
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        make(w, heads[i].head);
        assert_int_equal(decode(w, w->book), heads[i].want);
        assert_string_equal(w->why, heads[i].why);
    }
    make(w, heads[0].head);
    w->bytes.p[w->bytes.len - 1] ^= 1;
    assert_int_equal(decode(w, w->book), ADDRESS_BOOK_DAMAGED);
    assert_string_equal(w->why, "Checksum mismatch, data corrupted");
    w->bytes.p[0] ^= 1;
    assert_int_equal(decode(w, w->book), ADDRESS_BOOK_DAMAGED);
    assert_string_equal(w->why, "Invalid network magic number");
    /* What Cairn itself wrote before it had this format is put aside. */
    memcpy(w->bytes.p, "Book", 4);
    assert_int_equal(decode(w, w->book), ADDRESS_BOOK_OTHER_FORMAT);
}

TEST(a_list_goes_to_bytes_and_back, struct world *w)
{
    struct net_peer_address list[3] = {{.at = host(0x7f000001), .services = 9, .time = NOW},
                                       {.at = {.network = NET_TORV3, .bytes = {9}, .port = 8333},
                                        .services = 1,
                                        .time = 5},
                                       {.at = host(0x01020304)}},
                            out[2];
    address_list_encode(list, 2, magic, &w->bytes);
    assert_int_equal(address_list_decode(buffer_span(&w->bytes), magic, out, 2), 2);
    assert_true(net_address_equal(&out[0].at, &list[0].at));
    assert_true(net_address_equal(&out[1].at, &list[1].at));
    assert_int_equal(out[0].services, 9);
    assert_int_equal(out[0].time, NOW);
    for (size_t i = 0; i < w->bytes.len; i++) {
        w->bytes.p[i] ^= 4;
        assert_int_equal(address_list_decode(buffer_span(&w->bytes), magic, out, 2), 0);
        w->bytes.p[i] ^= 4;
        assert_int_equal(address_list_decode(span_of(w->bytes.p, i), magic, out, 2), 0);
    }
    w->bytes.len = 0;
    address_list_encode(list, 3, magic, &w->bytes); /* more than are wanted */
    assert_int_equal(address_list_decode(buffer_span(&w->bytes), magic, out, 2), 2);
    w->bytes.len = 0;
    address_list_encode(list, 0, magic, &w->bytes);
    assert_int_equal(address_list_decode(buffer_span(&w->bytes), magic, out, 2), 0);
}
