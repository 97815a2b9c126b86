/* test_wire.c - payloads there and back, and what is refused. */
#include "p2p/core/wire.h"
#include "support/unit.h"
#include "util/assert.h"

static struct wire_version some_version(void)
{
    struct wire_version v = {.version = 70016,
                             .services = NODE_NETWORK | NODE_WITNESS,
                             .time = 1700000000,
                             .receiver_services = NODE_NETWORK,
                             .nonce = 0x1122334455667788,
                             .user_agent = "/test:1.0/",
                             .start_height = 800000,
                             .relay = true};
    assert_true(net_address_parse("1.2.3.4:8333", 0, &v.receiver));
    assert_true(net_address_parse("[2a00::1]:18333", 0, &v.sender));
    return v;
}

TEST(a_version_goes_there_and_back)
{
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct wire_version v = some_version(), back;
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&w, &v);
    struct reader r = reader_of(span_of(bytes, w.len));
    assert_true(wire_version_decode(&r, &back));
    assert_true(reader_finish(&r));
    assert_int_equal(back.version, v.version);
    assert_true(back.services == v.services && back.nonce == v.nonce && back.time == v.time);
    assert_true(net_address_equal(&back.receiver, &v.receiver));
    assert_true(net_address_equal(&back.sender, &v.sender));
    assert_string_equal(back.user_agent, v.user_agent);
    assert_int_equal(back.start_height, 800000);
    assert_true(back.relay);
}

/* Elements came with time: only whole ones may be missing. */
TEST(an_old_version_lacks_what_came_later)
{
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct wire_version v = some_version(), back;
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&w, &v);
    static const struct {
        size_t cut;
        bool ok;
    } rows[] = {{46, true}, {45, false}, {47, false}, {80, true}, {79, false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reader r = reader_of(span_of(bytes, rows[i].cut));
        assert_int_equal(wire_version_decode(&r, &back), rows[i].ok);
    }
    struct reader r = reader_of(span_of(bytes, w.len - 1));
    assert_true(wire_version_decode(&r, &back));
    assert_true(back.relay); /* by default */
    r = reader_of(span_of(bytes, w.len - 2));
    assert_false(wire_version_decode(&r, &back));
}

TEST(a_name_is_at_most_256_bytes)
{
    for (size_t len = 255; len <= 257; len++) {
        uint8_t bytes[600];
        struct wire_version v = some_version(), back;
        v.user_agent[0] = '\0';
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        wire_version_encode(&w, &v);
        /* Everything up to the name, then a longer one. */
        struct writer longer = writer_to_buffer(bytes + 80, sizeof bytes - 80);
        uint8_t name[257];
        memset(name, 'n', sizeof name);
        write_var_span(&longer, span_of(name, len));
        struct reader r = reader_of(span_of(bytes, 80 + longer.len));
        assert_int_equal(wire_version_decode(&r, &back), len <= 256);
    }
}

TEST(addresses_go_there_and_back_in_both_forms)
{
    static const char *const texts[] = {"1.2.3.4:8333", "[2a00::1]:1", "127.0.0.1:65535"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        for (int v2 = 0; v2 < 2; v2++) {
            uint8_t bytes[100];
            struct net_peer_address a = {.services = 1033, .time = 1700000000}, back;
            assert_true(net_address_parse(texts[i], 0, &a.at));
            struct writer w = writer_to_buffer(bytes, sizeof bytes);
            wire_address_encode(&w, v2, &a);
            struct reader r = reader_of(span_of(bytes, w.len));
            wire_address_decode(&r, v2, &back);
            assert_true(reader_finish(&r));
            assert_true(net_address_equal(&a.at, &back.at));
            assert_true(back.services == 1033 && back.time == 1700000000);
        }
}

/* clang-format off */
static const struct {
    uint8_t network;
    size_t len;
    bool known;
} v2_rows[] = {
    {1, 4, true},   {1, 5, false},  {2, 16, true},  {2, 15, false}, {3, 10, false}, {4, 32, true},
    {4, 31, false}, {5, 32, true},  {6, 16, true},  {7, 4, false},  {255, 512, false},
};
/* clang-format on */

/* BIP155: networks we do not know are passed over, the rest of the message counts. */
TEST(unknown_networks_are_passed_over)
{
    uint8_t zeros[600] = {0};
    zeros[0] = 0xfc;
    for (size_t i = 0; i < COUNT_OF(v2_rows); i++) {
        uint8_t bytes[700];
        struct net_peer_address back;
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        write_u32(&w, 1);
        write_compact_size(&w, 1);
        write_u8(&w, v2_rows[i].network);
        write_var_span(&w, span_of(zeros, v2_rows[i].len));
        write_u16(&w, 0);
        struct reader r = reader_of(span_of(bytes, w.len));
        wire_address_decode(&r, true, &back);
        assert_true(reader_finish(&r));
        assert_int_equal(back.at.network != NET_NONE, v2_rows[i].known);
    }
    uint8_t bytes[700];
    struct net_peer_address back;
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, 1);
    write_compact_size(&w, 1);
    write_u8(&w, 99);
    write_var_span(&w, span_of(zeros, 513));
    write_u16(&w, 0);
    struct reader r = reader_of(span_of(bytes, w.len));
    wire_address_decode(&r, true, &back);
    assert_true(r.failed);
}

TEST(counts_are_bounded_before_they_are_trusted)
{
    uint8_t bytes[200] = {3};
    struct reader r = reader_of(span_of(bytes, 1 + 3 * 36));
    assert_int_equal(wire_count_decode(&r, 3, 36), 3);
    r = reader_of(span_of(bytes, 1 + 3 * 36));
    assert_int_equal(wire_count_decode(&r, 2, 36), 0);
    assert_true(r.failed);
    r = reader_of(span_of(bytes, 3 * 36));
    assert_int_equal(wire_count_decode(&r, 3, 36), 0);
    assert_true(r.failed);
}

TEST(a_locator_has_at_most_101_hashes)
{
    for (size_t n = 0; n <= 102; n += n == 0 ? 100 : 1) {
        uint8_t bytes[4 + 1 + 32 * 103 + 32 + 5] = {0};
        struct wire_locator locator;
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        write_u32(&w, 70016);
        write_compact_size(&w, n);
        w.len += 32 * n + 32;
        struct reader r = reader_of(span_of(bytes, w.len));
        assert_int_equal(wire_locator_decode(&r, &locator), n <= 101);
        r = reader_of(span_of(bytes, w.len - 1));
        assert_false(wire_locator_decode(&r, &locator));
        /* What follows is ignored. */
        r = reader_of(span_of(bytes, w.len + 5));
        assert_int_equal(wire_locator_decode(&r, &locator), n <= 101);
    }
}
