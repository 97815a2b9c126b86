/* test_net_json.c - service bits as hex and names. */
#include "rpc/net_json.h"
#include "support/unit.h"

TEST(services_are_shown_as_hex_and_names)
{
    static const struct {
        uint64_t services;
        const char *want;
    } rows[] = {
        {0, "{\"s\":\"0000000000000000\",\"n\":[]}"},
        {1, "{\"s\":\"0000000000000001\",\"n\":[\"NETWORK\"]}"},
        {0x409, "{\"s\":\"0000000000000409\",\"n\":[\"NETWORK\",\"WITNESS\",\"NETWORK_LIMITED\"]}"},
        {0x844, "{\"s\":\"0000000000000844\",\"n\":[\"BLOOM\",\"COMPACT_FILTERS\",\"P2P_V2\"]}"},
        /* Bits that nobody has given a name, below, between and above those that have one. */
        {0x12, "{\"s\":\"0000000000000012\",\"n\":[\"UNKNOWN[2^1]\",\"UNKNOWN[2^4]\"]}"},
        {UINT64_C(0x8000000000001000),
         "{\"s\":\"8000000000001000\",\"n\":[\"UNKNOWN[2^12]\",\"UNKNOWN[2^63]\"]}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer text;
        buffer_init(&text);
        struct json_out out = json_out_to(&text);
        json_open_object(&out);
        net_json_put_services(&out, "s", "n", rows[i].services);
        json_close_object(&out);
        buffer_append(&text, "", 1);
        assert_string_equal((const char *)text.p, rows[i].want);
        buffer_deinit(&text);
    }
}
