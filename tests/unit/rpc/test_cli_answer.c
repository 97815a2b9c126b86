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

static void assert_info(const char *chain_text, const char *network_text, const char *want)
{
    struct arena arena;
    struct buffer text;
    struct json_value *chain, *network = NULL;
    arena_init(&arena, 1024);
    buffer_init(&text);
    assert_true(json_parse(span_of_string(chain_text), &arena, &chain));
    if (network_text)
        assert_true(json_parse(span_of_string(network_text), &arena, &network));
    cli_write_info(&text, chain, network);
    if (!span_equal(buffer_span(&text), span_of_string(want)))
        fail_msg("%.*s", (int)text.len, (const char *)text.p);
    buffer_deinit(&text);
    arena_deinit(&arena);
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
