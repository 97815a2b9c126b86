/* test_pcp.c - what a gateway is asked, and every answer that it can give. */
#include "p2p/core/pcp.h"

#include "support/unit.h"

static const uint8_t nonce[PCP_NONCE_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static struct pcp begin_at(const char *text)
{
    struct pcp pcp;
    struct net_address own;
    assert_true(net_address_parse(text, 0, &own));
    pcp_begin(&pcp, &own, nonce);
    return pcp;
}

static struct pcp begin(void)
{
    return begin_at("192.168.1.5:8333");
}

/* A good answer to a PCP request: 203.0.114.7:9000 for 600 seconds. */
static void good_map(uint8_t out[60])
{
    static const uint8_t external[18] = {0x23, 0x28, 0, 0,    0,    0,   0, 0,   0,
                                         0,    0,    0, 0xff, 0xff, 203, 0, 114, 7};
    memset(out, 0, 60);
    out[0] = 2;
    out[1] = 0x81;
    out[6] = 2; /* lifetime */
    out[7] = 0x58;
    memcpy(out + 24, nonce, sizeof nonce);
    out[36] = 6;
    out[40] = 0x20;
    out[41] = 0x8d;
    memcpy(out + 42, external, sizeof external);
}

static bool hear(struct pcp *pcp, const uint8_t *bytes, size_t len)
{
    return pcp_hear(pcp, span_of(bytes, len));
}

TEST(a_mapping_is_asked_for_by_pcp)
{
    struct pcp pcp = begin();
    uint8_t out[PCP_REQUEST_BYTES], want[60] = {2, 1, 0, 0, 0, 0, 0x09, 0x60};
    assert_int_equal(pcp_ask(&pcp, out), 60);
    memcpy(want + 18, "\xff\xff\xc0\xa8\x01\x05", 6);
    memcpy(want + 24, nonce, sizeof nonce);
    want[36] = 6;
    memcpy(want + 40, "\x20\x8d\x20\x8d", 4);
    memcpy(want + 54, "\xff\xff", 2);
    assert_memory_equal(out, want, sizeof want);
}

TEST(by_ipv6_a_hole_is_asked_for)
{
    struct pcp pcp = begin_at("[2001:4860::5]:8333");
    uint8_t out[PCP_REQUEST_BYTES], want[60] = {2, 1, 0, 0, 0, 0, 0x09, 0x60}, answer[60];
    char text[NET_ADDRESS_TEXT_MAX];
    static const uint8_t zeros[16];
    assert_int_equal(pcp_ask(&pcp, out), 60);
    memcpy(want + 8, "\x20\x01\x48\x60", 4);
    want[23] = 5;
    memcpy(want + 24, nonce, sizeof nonce);
    want[36] = 6;
    memcpy(want + 40, "\x20\x8d\x20\x8d", 4); /* on any address: all zeros, RFC 6887, 5 */
    assert_memory_equal(out, want, sizeof want);
    assert_memory_equal(out + 44, zeros, sizeof zeros);
    good_map(answer);
    memcpy(answer + 44, want + 8, 16);
    assert_true(hear(&pcp, answer, sizeof answer));
    assert_int_equal(pcp.step, PCP_DONE);
    assert_string_equal(net_address_format(&pcp.external, text), "[2001:4860::5]:9000");
}

/* NAT-PMP knows IPv4 alone, and IPv4 is no answer to IPv6. */
TEST(by_ipv6_there_is_no_other_way)
{
    static const uint8_t older[4] = {0, 0x80, 0, 1};
    struct pcp pcp = begin_at("[2001:4860::5]:8333");
    uint8_t answer[60];
    assert_true(hear(&pcp, older, sizeof older));
    assert_int_equal(pcp.step, PCP_FAILED);
    pcp = begin_at("[2001:4860::5]:8333");
    good_map(answer);
    answer[0] = 2;
    answer[3] = 1;
    assert_true(hear(&pcp, answer, sizeof answer));
    assert_int_equal(pcp.step, PCP_FAILED);
    assert_int_equal(pcp.code, 1);
    pcp = begin_at("[2001:4860::5]:8333");
    good_map(answer);
    assert_true(hear(&pcp, answer, sizeof answer));
    assert_int_equal(pcp.step, PCP_FAILED);
}

TEST(a_good_answer_is_taken)
{
    struct pcp pcp = begin();
    uint8_t answer[60];
    char text[NET_ADDRESS_TEXT_MAX];
    good_map(answer);
    assert_true(hear(&pcp, answer, sizeof answer));
    assert_int_equal(pcp.step, PCP_DONE);
    assert_int_equal(pcp.lifetime_s, 600);
    assert_string_equal(net_address_format(&pcp.external, text), "203.0.114.7:9000");
    assert_false(hear(&pcp, answer, sizeof answer)); /* once */
}

/* Whatever byte of what must agree differs, and however much is missing. */
TEST(what_is_no_answer_to_the_question_is_passed_over)
{
    static const uint8_t must_agree[] = {0,  1,  24, 25, 26, 27, 28, 29, 30,
                                         31, 32, 33, 34, 35, 36, 40, 41};
    uint8_t answer[60];
    for (size_t i = 0; i < COUNT_OF(must_agree); i++) {
        struct pcp pcp = begin();
        good_map(answer);
        answer[must_agree[i]] ^= 0x40;
        assert_false(hear(&pcp, answer, sizeof answer));
        assert_int_equal(pcp.step, PCP_MAP);
    }
    for (size_t len = 0; len < 60; len++) {
        struct pcp pcp = begin();
        good_map(answer);
        assert_false(hear(&pcp, answer, len));
        assert_int_equal(pcp.step, PCP_MAP);
    }
}

TEST(a_refusal_or_an_answer_of_no_use_ends_it)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *error;
    } rows[] = {
        {3, 8, "the gateway refuses"},
        {6, 0, "the gateway gives no address"}, /* lifetime 88, port 0 below */
    };
    uint8_t answer[60];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pcp pcp = begin();
        good_map(answer);
        answer[rows[i].at] = rows[i].value;
        if (i == 1)
            answer[42] = answer[43] = 0;
        assert_true(hear(&pcp, answer, sizeof answer));
        assert_int_equal(pcp.step, PCP_FAILED);
        assert_string_equal(pcp.error, rows[i].error);
    }
    for (uint8_t lifetime = PCP_LIFETIME_MIN_S - 1; lifetime <= PCP_LIFETIME_MIN_S; lifetime++) {
        struct pcp pcp = begin();
        good_map(answer);
        answer[6] = 0;
        answer[7] = lifetime;
        assert_true(hear(&pcp, answer, sizeof answer));
        assert_int_equal(pcp.step, lifetime == PCP_LIFETIME_MIN_S ? PCP_DONE : PCP_FAILED);
    }
}

TEST(a_gateway_of_before_is_asked_by_natpmp)
{
    static const uint8_t map[12] = {0, 2, 0, 0, 0x20, 0x8d, 0x20, 0x8d, 0, 0, 0x09, 0x60};
    static const uint8_t address[12] = {0, 0x80, 0, 0, 0, 0, 0, 1, 203, 0, 114, 7};
    static const uint8_t mapped[16] = {0,    0x82, 0,    0,    0, 0, 0,    1,
                                       0x20, 0x8d, 0x23, 0x28, 0, 0, 0x02, 0x58};
    for (int version = 0; version <= 2; version += 2) {
        struct pcp pcp = begin();
        uint8_t out[PCP_REQUEST_BYTES], unsupported[60];
        char text[NET_ADDRESS_TEXT_MAX];
        good_map(unsupported);
        unsupported[0] = (uint8_t)version;
        unsupported[2] = 0;
        unsupported[3] = 1;
        assert_true(hear(&pcp, unsupported, version == 0 ? 8 : 60));
        assert_int_equal(pcp.step, PCP_ADDRESS);
        assert_int_equal(pcp_ask(&pcp, out), 2);
        assert_memory_equal(out, "\0\0", 2);
        assert_false(hear(&pcp, mapped, sizeof mapped)); /* another question's */
        assert_false(hear(&pcp, address, 11));
        assert_true(hear(&pcp, address, sizeof address));
        assert_int_equal(pcp_ask(&pcp, out), 12);
        assert_memory_equal(out, map, sizeof map);
        assert_false(hear(&pcp, mapped, 15));
        assert_true(hear(&pcp, mapped, sizeof mapped));
        assert_int_equal(pcp.step, PCP_DONE);
        assert_string_equal(net_address_format(&pcp.external, text), "203.0.114.7:9000");
        assert_int_equal(pcp.lifetime_s, 600);
    }
}

TEST(natpmp_may_refuse_too)
{
    static const uint8_t unsupported[8] = {0, 0x81, 0, 1}, no_address[8] = {0, 0x80, 0, 3};
    static const uint8_t address[12] = {0, 0x80, 0, 0, 0, 0, 0, 1, 203, 0, 114, 7};
    static const uint8_t no_map[8] = {0, 0x82, 0, 2};
    for (int i = 0; i < 2; i++) {
        struct pcp pcp = begin();
        assert_true(hear(&pcp, unsupported, sizeof unsupported));
        if (i == 1)
            assert_true(hear(&pcp, address, sizeof address));
        assert_true(i == 0 ? hear(&pcp, no_address, sizeof no_address)
                           : hear(&pcp, no_map, sizeof no_map));
        assert_int_equal(pcp.step, PCP_FAILED);
        assert_int_equal(pcp.code, i == 0 ? 3 : 2);
    }
}

TEST(each_question_is_asked_so_often)
{
    struct pcp pcp = begin();
    uint8_t out[PCP_REQUEST_BYTES];
    for (int i = 0; i < PCP_TRIES; i++)
        assert_int_equal(pcp_ask(&pcp, out), 60);
    assert_int_equal(pcp_ask(&pcp, out), 0);
    assert_int_equal(pcp.step, PCP_FAILED);
    assert_string_equal(pcp.error, "the gateway does not answer");
}
