/* test_cli_netinfo.c - the dashboard of -netinfo and the counts of -addrinfo. */
#include "rpc/cli_netinfo.h"
#include "support/unit.h"
#include "util/alloc.h"

#define NOW 1700000000

/* -- Arguments ------------------------------------------------------------------------------ */

TEST(arguments_are_read)
{
    static const struct {
        const char *args[3];
        size_t n;
        struct cli_netinfo want;
    } rows[] = {
        {{NULL}, 0, {0}},
        {{"0"}, 1, {0}},
        {{"1"}, 1, {.level = 1}},
        {{"4"}, 1, {.level = 4}},
        {{"5"}, 1, {.level = 4}},
        {{"255"}, 1, {.level = 4}},
        {{"2", "outonly"}, 2, {.level = 2, .outbound_only = true}},
        {{"3", "o"}, 2, {.level = 3, .outbound_only = true}},
        {{"help"}, 1, {.help = true}},
        {{"help", "x"}, 2, {.help = true}},
        {{"1", "o", "whatever"}, 3, {.level = 1, .outbound_only = true}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cli_netinfo got;
        char *error = NULL;
        assert_true(cli_netinfo_read(rows[i].args, rows[i].n, &got, &error));
        assert_int_equal(got.level, rows[i].want.level);
        assert_int_equal(got.outbound_only, rows[i].want.outbound_only);
        assert_int_equal(got.help, rows[i].want.help);
    }
}

TEST(wrong_arguments_are_named)
{
    static const struct {
        const char *args[2];
        size_t n;
        const char *want;
    } rows[] = {
#define MORE "\nFor more information, run: cairn-cli -netinfo help"
        {{""}, 1, "invalid -netinfo level argument: " MORE},
        {{"-1"}, 1, "invalid -netinfo level argument: -1" MORE},
        {{"256"}, 1, "invalid -netinfo level argument: 256" MORE},
        {{"1x"}, 1, "invalid -netinfo level argument: 1x" MORE},
        {{"outonly"}, 1, "invalid -netinfo level argument: outonly" MORE},
        {{"1", "out"}, 2, "invalid -netinfo outonly argument: out" MORE},
        {{"1", ""}, 2, "invalid -netinfo outonly argument: " MORE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cli_netinfo got;
        char *error = NULL;
        assert_false(cli_netinfo_read(rows[i].args, rows[i].n, &got, &error));
        assert_string_equal(error, rows[i].want);
        xfree(error);
    }
}

/* -- Dashboard ------------------------------------------------------------------------------ */

#define NETWORK                                                                                    \
    "{\"version\":310000,\"subversion\":\"/Satoshi:31.0.0/\",\"protocolversion\":70017,"           \
    "\"localservicesnames\":[\"NETWORK\",\"WITNESS\",\"COMPACT_FILTERS\",\"NETWORK_LIMITED\","     \
    "\"P2P_V2\"],\"networks\":[{\"name\":\"ipv4\",\"reachable\":true},{\"name\":\"ipv6\","         \
    "\"reachable\":true},{\"name\":\"onion\",\"reachable\":false},{\"name\":\"i2p\","              \
    "\"reachable\":false},{\"name\":\"cjdns\",\"reachable\":false}],\"localaddresses\":%s}"

static struct json_value *parse(struct arena *arena, const char *text)
{
    struct json_value *value;
    bool ok = json_parse(span_of_string(text), arena, &value);
    if (!ok)
        print_error("not JSON: %s\n", text);
    assert_true(ok);
    return value;
}

/* The dashboard of peers; all strings are JSON. Fails unless it is what is wanted. */
static void assert_dashboard(struct cli_netinfo what, const char *chain, const char *addresses,
                             const char *peers, const char *want)
{
    struct arena arena;
    struct buffer text;
    char *network = xasprintf(NETWORK, addresses);
    arena_init(&arena, 4096);
    buffer_init(&text);
    const struct json_value *network_value = parse(&arena, network);
    cli_netinfo_write(&text, &what, network_value, parse(&arena, peers), chain, NOW);
    buffer_append(&text, "", 1);
    if (strcmp((const char *)text.p, want) != 0)
        print_error("gave\n%s\ninstead of\n%s\n", (const char *)text.p, want);
    assert_string_equal((const char *)text.p, want);
    buffer_deinit(&text);
    arena_deinit(&arena);
    xfree(network);
}

#define TITLE    "Cairn client v0.1.0 regtest - server 70017/Satoshi:31.0.0/"
#define SERVICES " - services nwcl2"

TEST(no_peers_are_counted_as_none)
{
#define NO_PEERS                                                                                   \
    "         ipv4    ipv6   total   block\n"                                                      \
    "in          0       0       0\n"                                                              \
    "out         0       0       0       0\n"                                                      \
    "total       0       0       0"
    assert_dashboard((struct cli_netinfo){0}, "", "[]", "[]",
                     "Cairn client v0.1.0 - server 70017/Satoshi:31.0.0/\n\n" NO_PEERS "\n\n"
                     "Local services: network, witness, compact filters, network limited, p2p v2"
                     "\n\nLocal addresses: n/a");
    assert_dashboard((struct cli_netinfo){.level = 4}, " regtest", "[]", "[]",
                     TITLE SERVICES "\n\n" NO_PEERS "\n\nLocal addresses: n/a");
}

TEST(local_addresses_are_listed)
{
    assert_dashboard((struct cli_netinfo){.level = 1}, " regtest",
                     "[{\"address\":\"1.2.3.4\",\"port\":8333,\"score\":1},"
                     "{\"address\":\"2001:db8::1\",\"port\":38333,\"score\":1234}]",
                     "[]",
                     TITLE SERVICES "\n\n" NO_PEERS "\n\nLocal addresses\n"
                                    "1.2.3.4         port   8333    score      1\n"
                                    "2001:db8::1     port  38333    score   1234");
}

/* Four peers: quick and slow, known and fresh. */
#define PEERS                                                                                      \
    "[{\"id\":12,\"addr\":\"1.2.3.4:8333\",\"network\":\"ipv4\",\"servicesnames\":[\"NETWORK\","   \
    "\"WITNESS\",\"NETWORK_LIMITED\",\"P2P_V2\"],\"relaytxes\":true,\"lastsend\":1699999998,"      \
    "\"lastrecv\":1699999999,\"last_transaction\":1699999880,\"last_block\":1699999399,"           \
    "\"conntime\":1699913600,\"pingtime\":0.0554,\"minping\":0.0505,\"version\":70017,"            \
    "\"subver\":\"/Satoshi:28.0.0/\",\"inbound\":false,\"bip152_hb_to\":true,"                     \
    "\"bip152_hb_from\":true,\"addr_relay_enabled\":true,\"addr_processed\":1234,"                 \
    "\"addr_rate_limited\":0,\"connection_type\":\"outbound-full-relay\","                         \
    "\"transport_protocol_type\":\"v2\"},"                                                         \
    "{\"id\":3,\"addr\":\"[2001:db8::1]:40000\",\"network\":\"ipv6\",\"servicesnames\":[],"        \
    "\"relaytxes\":false,\"lastsend\":0,\"lastrecv\":0,\"last_transaction\":0,\"last_block\":0,"   \
    "\"conntime\":1699999990,\"version\":0,\"subver\":\"\",\"inbound\":true,"                      \
    "\"bip152_hb_to\":false,\"bip152_hb_from\":false,\"addr_relay_enabled\":false,"                \
    "\"addr_processed\":0,\"addr_rate_limited\":0,\"connection_type\":\"inbound\","                \
    "\"transport_protocol_type\":\"detecting\"},"                                                  \
    "{\"id\":4,\"addr\":\"127.0.0.1:50000\",\"network\":\"not_publicly_routable\","                \
    "\"servicesnames\":[\"UNKNOWN[2^5]\"],\"relaytxes\":true,\"lastsend\":1699999990,"             \
    "\"lastrecv\":1699999990,\"last_transaction\":0,\"last_block\":0,\"conntime\":1699999940,"     \
    "\"pingtime\":1000.5,\"minping\":1.2e-05,\"version\":70015,\"subver\":\"/x/\","                \
    "\"inbound\":true,\"addr_relay_enabled\":true,\"addr_processed\":0,\"addr_rate_limited\":7,"   \
    "\"connection_type\":\"inbound\",\"transport_protocol_type\":\"v1\"},"                         \
    "{\"id\":1,\"addr\":\"5.6.7.8:8333\",\"network\":\"ipv4\",\"servicesnames\":[\"BLOOM\"],"      \
    "\"relaytxes\":false,\"lastsend\":1699999000,\"lastrecv\":1699999000,"                         \
    "\"last_transaction\":0,\"last_block\":0,\"conntime\":1699999000,\"pingtime\":0.02,"           \
    "\"minping\":0.0104,\"version\":70017,\"subver\":\"/y/\",\"inbound\":false,"                   \
    "\"addr_relay_enabled\":false,\"addr_processed\":0,\"addr_rate_limited\":0,"                   \
    "\"connection_type\":\"block-relay-only\",\"transport_protocol_type\":\"v1\"}]"

#define COUNTS                                                                                     \
    "         ipv4    ipv6     npr   total   block\n"                                              \
    "in          0       1       1       2\n"                                                      \
    "out         2       0       0       2       1\n"                                              \
    "total       2       1       1       4\n\n"                                                    \
    "Local addresses: n/a"

TEST(peers_are_sorted_by_direction_and_ping)
{
    assert_dashboard(
        (struct cli_netinfo){.level = 1}, " regtest", "[]", PEERS,
        TITLE SERVICES
        "\n\n"
        "<->   type   net   serv  v  mping   ping send recv  txn  blk  hb addrp addrl  age id \n"
        " in         ipv6                                      *              .          0  3 \n"
        " in          npr      u  1      0      -   10   10                         7    1  4 \n"
        "out  block  ipv4      b  1     10     20 1000 1000    *              .         16  1 \n"
        "out   full  ipv4   nwl2  2     51     55    2    1    2   10  .*  1234       1440 12 \n"
        "                               ms     ms  sec  sec  min  min                  "
        "min\n\n" COUNTS);
}

/* Lines that bitcoin-cli printed. */
TEST(the_layout_is_that_of_bitcoin_cli)
{
    assert_dashboard(
        (struct cli_netinfo){.level = 3, .outbound_only = false}, " regtest", "[]",
        "[{\"id\":388,\"network\":\"onion\",\"servicesnames\":[],\"inbound\":true,"
        "\"transport_protocol_type\":\"v1\",\"minping\":0.283,\"pingtime\":0.498,"
        "\"lastsend\":1699999952,\"lastrecv\":1699999952,\"relaytxes\":false,"
        "\"conntime\":1699995380,\"version\":70017,\"subver\":\"\",\"connection_type\":\"inbound\"}"
        ","
        "{\"id\":372,\"network\":\"onion\",\"servicesnames\":[\"NETWORK\",\"WITNESS\","
        "\"NETWORK_LIMITED\",\"P2P_V2\"],\"inbound\":true,\"transport_protocol_type\":\"v2\","
        "\"minping\":0.318,\"pingtime\":0.485,\"lastsend\":1699999995,"
        "\"lastrecv\":1699999889,\"relaytxes\":true,\"conntime\":1699995260,"
        "\"addr_relay_enabled\":true,\"version\":70017,\"subver\":\"/Satoshi:28.0.0/\","
        "\"connection_type\":\"inbound\"},"
        "{\"id\":1,\"network\":\"ipv4\",\"servicesnames\":[],\"inbound\":false,"
        "\"relaytxes\":true,\"addr_relay_enabled\":true,\"mapped_as\":7018,\"minping\":0.1,"
        "\"connection_type\":\"feeler\"}]",
        TITLE SERVICES
        "\n\n<->   type   net   serv  v  mping   ping send recv  txn  blk  hb addrp addrl  age  "
        "asmap  id version\n"
        " in        onion         1    283    498   48   48    *              .         77        "
        "388 70017\n"
        " in        onion   nwl2  2    318    485    5  111                             79        "
        "372 70017/Satoshi:28.0.0/\n"
        "out feeler  ipv4              100                                                   7018  "
        " "
        "1 \n"
        "                               ms     ms  sec  sec  min  min                  min\n\n"
        "         ipv4    ipv6   onion   total   block\n"
        "in          0       0       2       2\n"
        "out         1       0       0       1       0\n"
        "total       1       0       2       3\n\nLocal addresses: n/a");
}

TEST(addresses_and_versions_are_shown_on_demand)
{
    static const char peer[] =
        "[{\"id\":0,\"addr\":\"1.2.3.4:8333\",\"network\":\"ipv4\",\"servicesnames\":[],"
        "\"inbound\":false,\"version\":70017,\"subver\":\"/Satoshi:28.0.0/\","
        "\"connection_type\":\"manual\",\"addr_relay_enabled\":true}]";
#define HEADINGS                                                                                   \
    TITLE SERVICES "\n\n<->   type   net   serv  v  mping   ping send recv  txn  blk  hb addrp "   \
                   "addrl  age id "
#define ROW "out manual  ipv4                                                                   0 "
#define UNITS                                                                                      \
    "                               ms     ms  sec  sec  min  min                  min\n\n"        \
    "         ipv4    ipv6   total   block  manual\n"                                              \
    "in          0       0       0\n"                                                              \
    "out         1       0       1       0       1\n"                                              \
    "total       1       0       1\n\nLocal addresses: n/a"
    assert_dashboard((struct cli_netinfo){.level = 2}, " regtest", "[]", peer,
                     HEADINGS "address      \n" ROW "1.2.3.4:8333 \n" UNITS);
    assert_dashboard((struct cli_netinfo){.level = 3}, " regtest", "[]", peer,
                     HEADINGS "version\n" ROW "70017/Satoshi:28.0.0/\n" UNITS);
    assert_dashboard((struct cli_netinfo){.level = 4}, " regtest", "[]", peer,
                     HEADINGS "address      version\n" ROW
                              "1.2.3.4:8333 70017/Satoshi:28.0.0/\n" UNITS);
}

TEST(inbound_peers_can_be_left_out_but_are_counted)
{
    assert_dashboard(
        (struct cli_netinfo){.level = 1, .outbound_only = true}, " regtest", "[]", PEERS,
        TITLE SERVICES
        "\n\n"
        "<->   type   net   serv  v  mping   ping send recv  txn  blk  hb addrp addrl  age id \n"
        "out  block  ipv4      b  1     10     20 1000 1000    *              .         16  1 \n"
        "out   full  ipv4   nwl2  2     51     55    2    1    2   10  .*  1234       1440 12 \n"
        "                               ms     ms  sec  sec  min  min                  "
        "min\n\n" COUNTS);
}

TEST(a_column_is_as_wide_as_what_is_in_it)
{
    assert_dashboard(
        (struct cli_netinfo){.level = 1}, " regtest", "[]",
        "[{\"id\":12345,\"network\":\"cjdns\",\"servicesnames\":[\"A\",\"B\",\"C\",\"D\",\"E\","
        "\"F\",\"G\",\"H\"],\"inbound\":true,\"connection_type\":\"inbound\",\"conntime\":1,"
        "\"addr_processed\":1234567,\"addr_rate_limited\":7654321,\"mapped_as\":64512,"
        "\"pingtime\":999.999,\"minping\":999.9995},"
        "{\"id\":1,\"network\":\"no such\",\"inbound\":true}]",
        TITLE SERVICES
        "\n\n"
        "<->   type   net     serv  v  mping   ping send recv  txn  blk  hb   addrp   addrl"
        "      age  asmap    id \n"
        " in        cjdns abcdefgh         - 999999                         1234567 7654321"
        " 28333333  64512 12345 \n"
        "                                 ms     ms  sec  sec  min  min                     "
        "     min\n\n"
        "         ipv4    ipv6   cjdns   total   block\n"
        "in          0       0       1       1\n"
        "out         0       0       0       0       0\n"
        "total       0       0       1       1\n\nLocal addresses: n/a");
}

/* -- Addresses and help --------------------------------------------------------------------- */

TEST(addresses_known_are_totals)
{
    static const struct {
        const char *addrman, *want;
    } rows[] = {
        {"{\"ipv4\":{\"new\":5,\"tried\":2,\"total\":7},\"onion\":{\"total\":0},"
         "\"all_networks\":{\"new\":5,\"tried\":2,\"total\":7}}",
         "{\n  \"addresses_known\": {\n    \"ipv4\": 7,\n    \"onion\": 0,\n    \"total\": 7\n  "
         "}\n}"},
        {"{\"all_networks\":{\"total\":0}}",
         "{\n  \"addresses_known\": {\n    \"total\": 0\n  }\n}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena arena;
        struct buffer text;
        arena_init(&arena, 4096);
        buffer_init(&text);
        cli_addrinfo_write(&text, parse(&arena, rows[i].addrman));
        buffer_append(&text, "", 1);
        assert_string_equal((const char *)text.p, rows[i].want);
        buffer_deinit(&text);
        arena_deinit(&arena);
    }
}

TEST(help_explains_every_column)
{
    static const char *const columns[] = {
        "<->", "type", "net",   "serv",  "v",   "mping", "ping", "send",    "recv",   "txn",
        "blk", "hb",   "addrp", "addrl", "age", "asmap", "id",   "address", "version"};
    struct buffer text;
    buffer_init(&text);
    cli_netinfo_help(&text);
    buffer_append(&text, "", 1);
    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        char *line = xasprintf("\n  %s ", columns[i]);
        assert_non_null(strstr((const char *)text.p, line));
        xfree(line);
    }
    buffer_deinit(&text);
}
