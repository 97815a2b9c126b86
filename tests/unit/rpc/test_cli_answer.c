/* test_cli_answer.c - what the command line shows. */
#include "rpc/cli_answer.h"
#include "support/unit.h"
#include "util/alloc.h"

TEST(answers_are_shown_plainly)
{
    /* clang-format off */
    static const struct { const char *reply; int code; const char *want; } cases[] = {
        {"{\"result\":null,\"error\":null,\"id\":1}", 0, ""},
        {"{\"result\":\"a\\nb\",\"id\":1}", 0, "a\nb"},
        {"{\"result\":5}", 0, "5"},
        {"{\"result\":0.50000000}", 0, "0.50000000"},
        {"{\"result\":true}", 0, "true"},
        {"{\"result\":[]}", 0, "[\n]"},
        {"{\"result\":{\"a\":[1,\"x\"]}}", 0,
         "{\n  \"a\": [\n    1,\n    \"x\"\n  ]\n}"},
        {"{\"error\":{\"code\":-8,\"message\":\"Block height out of range\"},\"id\":1}", 8,
         "error code: -8\nerror message:\nBlock height out of range"},
        {"{\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}", 32601,
         "error code: -32601\nerror message:\nMethod not found"},
        {"{\"error\":{\"message\":\"x\"}}", 1, "error message:\nx"},
        {"{\"error\":{\"code\":-1}}", 1, "error code: -1\n"},
        {"{\"error\":\"text\"}", 1, "error: \"text\""},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        struct buffer text;
        struct json_value *reply;
        arena_init(&arena, 1024);
        buffer_init(&text);
        assert_true(json_parse(span_of_string(cases[i].reply), &arena, &reply));
        assert_int_equal(cli_write_answer(&text, reply), cases[i].code);
        if (!span_equal(buffer_span(&text), span_of_string(cases[i].want)))
            fail_msg("row %zu: %.*s", i, (int)text.len, (const char *)text.p);
        buffer_deinit(&text);
        arena_deinit(&arena);
    }
}

static void assert_info_in(bool colours, const char *chain_text, const char *network_text,
                           const char *want)
{
    struct arena arena;
    struct buffer text;
    struct json_value *chain, *network = NULL;
    arena_init(&arena, 1024);
    buffer_init(&text);
    assert_true(json_parse(span_of_string(chain_text), &arena, &chain));
    if (network_text)
        assert_true(json_parse(span_of_string(network_text), &arena, &network));
    cli_write_info(&text, chain, network, colours);
    if (!span_equal(buffer_span(&text), span_of_string(want)))
        fail_msg("%.*s", (int)text.len, (const char *)text.p);
    buffer_deinit(&text);
    arena_deinit(&arena);
}

static void assert_info(const char *chain_text, const char *network_text, const char *want)
{
    assert_info_in(false, chain_text, network_text, want);
}

#define CHAIN(progress, warnings)                                                                  \
    "{\"chain\":\"regtest\",\"blocks\":7,\"headers\":8,\"verificationprogress\":" progress         \
    ",\"difficulty\":4.656542373906925e-10,\"warnings\":" warnings "}"
#define HEAD(progress)                                                                             \
    "Chain: regtest\nBlocks: 7\nHeaders: 8\nVerification progress: " progress                      \
    "\nDifficulty: 4.656542373906925e-10\n"

TEST(the_overview_has_chain_network_and_warnings)
{
    assert_info(CHAIN("1", "[]"), NULL, HEAD("100.0000%") "\nWarnings: (none)");
    assert_info(CHAIN("0.9999999999", "\"\""), NULL, HEAD("99.9999%") "\nWarnings: (none)");
    assert_info(CHAIN("0.5", "[\"a\",\"b\"]"), NULL, HEAD("50.0000%") "\nWarnings: a\nb");
    assert_info(CHAIN("2.5e-07", "\"w\""), NULL, HEAD("0.0000%") "\nWarnings: w");
    assert_info(CHAIN("0.012345678", "[]"),
                "{\"connections\":3,\"connections_in\":1,\"connections_out\":2,\"version\":310000,"
                "\"timeoffset\":-1,\"relayfee\":0.00000100}",
                HEAD("1.2345%") "\nNetwork: in 1, out 2, total 3\nVersion: 310000\n"
                                "Time offset (s): -1\nProxies: n/a\nMin tx relay fee rate "
                                "(BTC/kvB): 0.00000100\n"
                                "\nWarnings: (none)");
}

#define NETWORK(networks)                                                                          \
    "{\"connections\":0,\"connections_in\":0,\"connections_out\":0,\"version\":1,"                 \
    "\"timeoffset\":0,\"relayfee\":1,\"networks\":[" networks "]}"
#define NETWORK_SHOWN(proxies)                                                                     \
    "\nNetwork: in 0, out 0, total 0\nVersion: 1\nTime offset (s): 0\nProxies: " proxies           \
    "\nMin tx relay fee rate (BTC/kvB): 1\n\nWarnings: (none)"

TEST(the_overview_names_each_proxy_with_its_networks)
{
    assert_info(CHAIN("1", "[]"), NETWORK("{\"name\":\"ipv4\",\"proxy\":\"\"}"),
                HEAD("100.0000%") NETWORK_SHOWN("n/a"));
    assert_info(CHAIN("1", "[]"),
                NETWORK("{\"name\":\"ipv4\",\"proxy\":\"a:1\"},{\"name\":\"ipv6\",\"proxy\":\"\"},"
                        "{\"name\":\"onion\",\"proxy\":\"b:2\"},"
                        "{\"name\":\"i2p\",\"proxy\":\"a:1\"}"),
                HEAD("100.0000%") NETWORK_SHOWN("a:1 (ipv4, i2p), b:2 (onion)"));
}

TEST(the_overview_can_be_coloured)
{
    assert_info_in(true, CHAIN("1", "[]"), NULL,
                   "\x1b[34mChain: regtest\x1b[0m\nBlocks: 7\nHeaders: 8\n"
                   "Verification progress: 100.0000%\nDifficulty: 4.656542373906925e-10\n"
                   "\n\x1b[33mWarnings:\x1b[0m (none)");
    assert_info_in(true, CHAIN("1", "[]"), NETWORK(""),
                   "\x1b[34mChain: regtest\x1b[0m\nBlocks: 7\nHeaders: 8\n"
                   "Verification progress: 100.0000%\nDifficulty: 4.656542373906925e-10\n"
                   "\n\x1b[32mNetwork: in 0, out 0, total 0\x1b[0m\nVersion: 1\n"
                   "Time offset (s): 0\nProxies: n/a\nMin tx relay fee rate (BTC/kvB): 1\n"
                   "\n\x1b[33mWarnings:\x1b[0m (none)");
}
