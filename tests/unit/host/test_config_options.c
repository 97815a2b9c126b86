/* test_config_options.c - the table of options is complete, sane, and told to the user. */
#include "host/config_options.h"
#include "support/unit.h"
#include "util/buffer.h"
#include "util/options_help.h"

static const struct option_def *find(const char *name)
{
    size_t n;
    const struct option_def *table = config_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

TEST(names_are_unique_and_never_look_negated)
{
    size_t n;
    const struct option_def *table = config_options(&n);
    assert_true(n > 150);
    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(strncmp(table[i].name, "no", 2), 0);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(table[i].name, table[j].name) == 0)
                fail_msg("twice: %s", table[i].name);
        }
    }
}

TEST(shown_options_have_help_and_ignored_ones_none)
{
    size_t n;
    const struct option_def *table = config_options(&n);
    for (size_t i = 0; i < n; i++) {
        bool is_ignored = table[i].flags & OPTION_IGNORED;
        if (is_ignored != (table[i].help[0] == '\0'))
            fail_msg("help of %s", table[i].name);
        if (!is_ignored && table[i].type == OPTION_STRING && !table[i].argument)
            fail_msg("no argument shown for %s", table[i].name);
    }
}

TEST(what_secrets_say_is_never_logged)
{
    const char *secrets[] = {"rpcauth", "rpcpassword", "rpcuser", "torpassword"};
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        assert_true(find(secrets[i])->flags & OPTION_SENSITIVE);
}

/* Options that tools made for bitcoind write: each must at least be accepted. */
TEST(options_of_the_usual_tools_are_known)
{
    const char *names[] = {
        "server",
        "regtest",
        "rpcauth",
        "debug",
        "zmqpubrawblock",
        "zmqpubrawtx",
        "zmqpubhashtx",
        "zmqpubhashblock",
        "txindex",
        "dnsseed",
        "rpcbind",
        "rpcallowip",
        "rpcport",
        "rest",
        "listen",
        "listenonion",
        "fallbackfee",
        "blockfilterindex",
        "peerblockfilters",
        "upnp",
        "checkmempool",
        "logips",
        "logtimemicros",
        "capturemessages",
        "natpmp",
        "discover",
        "maxmempool",
        "wallet",
        "disablewallet",
        "walletrbf",
        "acceptnonstdtxn",
        "minrelaytxfee",
        "proxy",
        "onlynet",
        "maxuploadtarget",
        "coinstatsindex",
        "settings",
        "loglevel",
        "logthreadnames",
        "uacomment",
        "keypool",
        "maxconnections",
        "datacarrier",
        "mempoolfullrbf",
        "peertimeout",
        "logsourcelocations",
        "printpriority",
        "unsafesqlitesync",
        "test",
        "checkaddrman",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!find(names[i]))
            fail_msg("unknown: %s", names[i]);
    }
}

TEST(the_help_shows_what_has_a_meaning)
{
    size_t n;
    const struct option_def *table = config_options(&n);
    struct buffer plain, debug;
    buffer_init(&plain);
    buffer_init(&debug);
    struct options options;
    options_init(&options, table, n);
    options_help(&options, false, &plain);
    options_help(&options, true, &debug);
    options_deinit(&options);
    buffer_append(&plain, "", 1);
    buffer_append(&debug, "", 1);
    const char *text = (const char *)plain.p;
    assert_non_null(strstr(text, "-datadir=<dir>"));
    assert_non_null(strstr(text, "-rpcallowip=<ip>"));
    assert_null(strstr(text, "-checkblocks"));
    assert_null(strstr(text, "-zmqpub"));
    assert_null(strstr(text, "-rpcwaittimeout")); /* the client's */
    assert_non_null(strstr(text, "(4 to 1048576;"));
    assert_non_null(strstr((const char *)debug.p, "-checkblocks=<n>"));
    assert_true(debug.len > plain.len);
    buffer_deinit(&plain);
    buffer_deinit(&debug);
}
