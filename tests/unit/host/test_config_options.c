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

/* Every option that bitcoind v31 knows, as its -help-debug and its documentation list them, with
 * those of its graphical sister, of its wallet and of older versions that files still have. */
/* clang-format off */
static const char *const works[] = {
    "?", "h", "help", "help-debug", "version", "addressindex", "alertnotify",
    "allowignoredconf", "assumevalid",
    "blockfilterindex",
    "blocknotify", "blocksdir", "blocksonly", "blocksxor", "coinstatsindex",
    "conf", "daemon", "daemonwait", "datadir",
    "dbcache", "fastprune", "includeconf", "loadblock", "maxmempool", "mempoolexpiry",
    "minimumchainwork", "par", "persistmempool", "persistmempoolv1", "pid", "prune", "reindex",
    "reindex-chainstate", "shutdownnotify", "startupnotify", "txindex", "txospenderindex",
    "addnode", "asmap", "bantime", "bind", "connect", "discover", "dns",
    "dnsseed", "externalip",
    "forcednsseed", "inboundrelaypercent", "listen", "maxconnections", "maxuploadtarget",
    "peerblockfilters", "peerbloomfilters",
    "networkactive", "peertimeout", "port", "seednode", "timeout", "txreconciliation", "whitebind",
    "whitelist", "capturemessages", "checkblockindex", "checkblocks",
    "cjdnsreachable", "i2pacceptincoming", "i2psam", "listenonion", "natpmp", "onion", "onlynet",
    "privatebroadcast", "proxy", "proxyrandomize", "torcontrol", "torpassword",
    "checklevel", "debug", "debugexclude", "debuglogfile", "deprecatedrpc", "logratelimit",
    "loglevel", "logtimemicros", "logtimestamps", "maxtipage", "mocktime", "printtoconsole",
    "shrinkdebugfile", "stopafterblockimport", "stopatheight", "test", "testactivationheight",
    "uacomment", "vbparams", "chain", "regtest", "signet", "signetchallenge", "signetseednode",
    "testnet", "testnet4", "acceptnonstdtxn", "acceptstalefeeestimates", "bytespersigop",
    "datacarrier", "datacarriersize", "dustrelayfee", "incrementalrelayfee", "limitancestorsize",
    "limitclustercount", "limitdescendantsize", "limitclustersize", "minrelaytxfee",
    "permitbaremultisig", "blockmaxweight", "blockmintxfee", "blockreservedweight",
    "blockversion", "rpcallowip", "rpcauth", "rpcbind", "rpccookiefile", "rpccookieperms",
    "rpcpassword", "rpcport", "rpcservertimeout", "rpcthreads", "rpcuser", "rpcwhitelist",
    "rpcwhitelistdefault", "rpcworkqueue", "server", "rest",
    "zmqpubhashblock", "zmqpubhashtx", "zmqpubrawblock", "zmqpubrawtx", "zmqpubsequence",
    "zmqpubhashblockhwm", "zmqpubhashtxhwm", "zmqpubrawblockhwm", "zmqpubrawtxhwm",
    "zmqpubsequencehwm",
};

/* Who asks for one of these is told that it is not there. */
static const char *const missed[] = {
    "ipcbind", "mempoolfullrbf",
    "signer", "txsendrate", "upnp",
    "wallet", "walletdir",
};

/* What only tunes something that is not here, or shows less or more of it. */
static const char *const tunes[] = {
    "addrmantest", "addresstype", "avoidpartialspends", "banscore",
    "changetype", "checkaddrman", "checkmempool", "checkpoints", "choosedatadir",
    "consolidatefeerate", "dbbatchsize", "dbcrashratio", "disablewallet", "discardfee",
    "fallbackfee", "forcecompactdb", "keypool", "lang", "limitancestorcount",
    "limitdescendantcount", "logips", "loglevelalways", "logsourcelocations",
    "logthreadnames", "maxapsfee", "maxorphantx", "maxreceivebuffer", "maxsendbuffer",
    "maxtxfee", "min", "mintxfee", "paytxfee", "prevoutfetchthreads",
    "printpriority", "resetguisettings", "rpcdoccheck", "spendzeroconfchange",
    "splash", "sysperms", "txconfirmtarget", "uiplatform", "unsafesqlitesync",
    "walletbroadcast", "walletcrosschain", "walletnotify", "walletrbf", "walletrejectlongchains",
};
/* clang-format on */

static void assert_known(const char *const *names, size_t n, int flags)
{
    for (size_t i = 0; i < n; i++) {
        const struct option_def *def = find(names[i]);
        if (!def)
            fail_msg("unknown: %s", names[i]);
        if ((int)(def->flags & (OPTION_IGNORED | OPTION_HARMLESS)) != flags)
            fail_msg("not as listed here: %s", names[i]);
    }
}

TEST(every_option_of_bitcoind_has_its_row)
{
    size_t n;
    (void)config_options(&n);
    assert_known(works, COUNT_OF(works), 0);
    assert_known(missed, COUNT_OF(missed), OPTION_IGNORED);
    assert_known(tunes, COUNT_OF(tunes), OPTION_IGNORED | OPTION_HARMLESS);
}

static const char *value_for(const struct option_def *def)
{
    return strcmp(def->name, "peerblockfilters") == 0 || def->type != OPTION_STRING ? "1" : "x";
}

/* One line on standard error and in getnetworkinfo for each that is missed, none for the rest. */
TEST(who_asks_for_what_is_not_here_is_told)
{
    size_t n;
    const struct option_def *table = config_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (!(table[i].flags & OPTION_IGNORED))
            continue;
        struct options options;
        char arg[80], *error = NULL;
        snprintf(arg, sizeof arg, "-%s=%s", table[i].name, value_for(&table[i]));
        const char *const argv[] = {"cairnd", arg};
        options_init(&options, table, n);
        assert_true(options_parse_args(&options, 2, argv, NULL, &error));
        assert_true(options_select_network(&options, "regtest", &error));
        options_tell_ignored(&options);
        assert_int_equal(options.messages.n, 1);
        assert_int_equal(options.messages.at[0].kind, table[i].flags & OPTION_HARMLESS
                                                          ? OPTION_MESSAGE_LOGGED
                                                          : OPTION_MESSAGE_LASTS);
        assert_non_null(strstr(options.messages.at[0].text, table[i].name));
        options_deinit(&options);
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
    assert_null(strstr(text, "-walletrbf"));
    assert_null(strstr(text, "-rpcwaittimeout")); /* the client's */
    assert_non_null(strstr(text, "(4 to 1048576;"));
    assert_non_null(strstr((const char *)debug.p, "-checkblocks=<n>"));
    assert_true(debug.len > plain.len);
    buffer_deinit(&plain);
    buffer_deinit(&debug);
}
