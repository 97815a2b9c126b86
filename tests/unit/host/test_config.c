/* test_config.c - each option reaches its field, each mistake its message, nothing is half done. */
#include <sys/stat.h>

#include "chain/core/script_cache.h"
#include "config_world.h"
#include "host/http.h"

FIXTURE(setup, teardown)

TEST(defaults_are_cores, struct world *w)
{
    ASSERT_OK(w);
    const struct config *c = &w->config;
    assert_string_equal(c->network.name, "main");
    assert_string_equal(c->base_dir, w->dir.path);
    assert_string_equal(c->data_dir, w->dir.path);
    assert_null(c->blocks_dir);
    assert_int_equal(c->chain.cache_bytes, (size_t)450 << 20);
    assert_int_equal(c->chain.check_blocks, 6);
    assert_int_equal(c->chain.check_level, 3);
    assert_int_equal(c->chain.max_tip_age_s, 86400);
    assert_null(c->chain.assume_valid);
    assert_null(c->chain.min_chain_work);
    assert_false(c->chain.prune || c->chain.txindex || c->chain.reindex);
    assert_true(c->compute_threads >= 1);
    assert_true(c->server);
    assert_int_equal(c->n_rpc_binds, 2);
    assert_string_equal(c->rpc_binds[0].host, "127.0.0.1");
    assert_string_equal(c->rpc_binds[1].host, "::1");
    assert_int_equal(c->rpc_binds[0].port, 8332);
    assert_int_equal(c->rpc_pending_max, HTTP_CONNECTIONS_MAX);
    assert_int_equal(c->rpc_parked_max, 0);
    assert_int_equal(c->rpc_timeout_us, 30000000);
    assert_int_equal(c->cookie_mode, 0600);
    assert_non_null(strstr(c->cookie_path, "/.cookie"));
    assert_non_null(strstr(c->log_path, "/debug.log"));
    assert_non_null(strstr(c->pid_path, "/cairnd.pid"));
    assert_false(c->print_to_console != !isatty(STDOUT_FILENO) || c->daemon ||
                 c->rpc_whitelist_default);
}

TEST(each_chain_has_its_directory_and_port, struct world *w)
{
    static const struct {
        const char *arg, *name, *dir;
        int port;
    } rows[] = {
        {"-regtest", "regtest", "/regtest", 18443},
        {"-chain=regtest", "regtest", "/regtest", 18443},
        {"-signet", "signet", "/signet", 38332},
        {"-testnet", "test", "/testnet3", 18332},
        {"-chain=test", "test", "/testnet3", 18332},
        {"-testnet4", "testnet4", "/testnet4", 48332},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ASSERT_OK(w, rows[i].arg);
        assert_string_equal(w->config.network.name, rows[i].name);
        assert_string_equal(w->config.data_dir + strlen(w->dir.path), rows[i].dir);
        assert_int_equal(w->config.rpc_binds[0].port, rows[i].port);
        struct stat st;
        assert_int_equal(stat(w->config.data_dir, &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
    }
}

/* Half of what the option names, as Core shares it out; 0 is a size, not the default. */
TEST(half_of_the_signature_cache_is_for_scripts, struct world *w)
{
    static const struct {
        const char *option;
        size_t bytes;
    } rows[] = {{"-regtest", SCRIPT_CACHE_BYTES_DEFAULT},
                {"-maxsigcachesize=0", 0},
                {"-maxsigcachesize=1", 512 << 10},
                {"-maxsigcachesize=100", 50 << 20},
                {"-maxsigcachesize=-3", 0},
                {"-maxsigcachesize=9999999", 1 << 30}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ASSERT_OK(w, rows[i].option);
        assert_int_equal(w->config.chain.script_cache_bytes, rows[i].bytes);
    }
}

TEST(values_reach_their_fields, struct world *w)
{
    ASSERT_OK(w, "-regtest", "-par=3", "-dbcache=1", "-prune=550", "-stopatheight=7",
              "-loadblock=a.dat", "-loadblock=b.dat", "-stopafterblockimport", "-mocktime=5",
              "-checkblocks=0", "-assumevalid=0");
    const struct config *c = &w->config;
    assert_int_equal(c->compute_threads, 3);
    assert_int_equal(c->chain.cache_bytes, (size_t)4 << 20);
    assert_true(c->chain.prune);
    assert_int_equal(c->chain.prune_target_bytes, (uint64_t)550 << 20);
    assert_int_equal(c->stop_at_height, 7);
    assert_int_equal(c->load_blocks.n, 2);
    assert_string_equal(c->load_blocks.at[1], "b.dat");
    assert_true(c->chain.stop_after_import);
    assert_int_equal(c->mock_time_s, 5);
    assert_int_equal(c->chain.check_blocks, 0);
    static const struct block_hash zero;
    assert_non_null(c->chain.assume_valid);
    assert_true(block_hash_equal(c->chain.assume_valid, &zero));

    ASSERT_OK(w, "-prune=1", "-par=-1000", "-dbcache=99999999", "-minimumchainwork=0x10");
    assert_true(c->chain.prune);
    assert_int_equal(c->chain.prune_target_bytes, 0);
    assert_int_equal(c->compute_threads, 1);
    assert_int_equal(c->chain.cache_bytes, (size_t)1 << 40);
    uint8_t work[32];
    u256_to_le(*c->chain.min_chain_work, work);
    assert_int_equal(work[0], 0x10);
    assert_ptr_equal(c->net.p2p.min_chain_work, c->chain.min_chain_work);

    ASSERT_OK(w, "-par=1000", "-rpcworkqueue=1", "-rpcthreads=1", "-rpcservertimeout=2");
    assert_int_equal(c->compute_threads, CONFIG_COMPUTE_MAX);
    assert_int_equal(c->rpc_pending_max, 2);
    assert_int_equal(c->rpc_parked_max, 2);
    assert_int_equal(c->rpc_timeout_us, 2000000);
}

TEST(hashes_are_read_as_they_are_shown, struct world *w)
{
    ASSERT_OK(w, "-assumevalid="
                 "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
    assert_int_equal(w->config.chain.assume_valid->b[0], 0x6f);
    assert_int_equal(w->config.chain.assume_valid->b[31], 0);
}

TEST(mistakes_are_told_in_one_line, struct world *w)
{
    static const struct {
        const char *arg, *error;
    } rows[] = {
        {"-nosuch=1", "Error parsing command line arguments: Invalid parameter -nosuch=1"},
        {"-chain=moonnet", "Unknown chain moonnet."},
        {"-par=many", "par"},
        {"-prune=-1", "Prune cannot be configured with a negative value."},
        {"-prune=1x", "prune"},
        {"-prune=549", "Prune configured below the minimum of 550 MiB.  Please use a higher "
                       "number."},
        {"-prune=9223372036854775807", "-prune is too large: 9223372036854775807"},
        {"-rpcport=0", "Invalid port specified in -rpcport: '0'"},
        {"-rpcport=65536", "Invalid port specified in -rpcport: '65536'"},
        {"-assumevalid=xyz", "Invalid assumevalid block hash specified (xyz), must be up to 64 hex "
                             "digits (or 0 to disable)"},
        {"-minimumchainwork=", "Invalid minimum work specified (), must be up to 64 hex digits"},
        {"-testactivationheight=segwit", "segwit"},
        {"-vbparams=foo", "Version bits parameters malformed"},
        {"-rpcallowip=1.2.3.4/99", "Invalid -rpcallowip subnet specification: 1.2.3.4/99."},
        {"-rpccookieperms=world", "Invalid -rpccookieperms=world; must be one of"},
        {"-debug=nosuch", "Unsupported logging category -debug=nosuch."},
        {"-debugexclude=nosuch", "Unsupported logging category -debugexclude=nosuch."},
        {"-loglevel=loud", "Unsupported global logging level -loglevel=loud. Valid values: info, "
                           "debug, trace."},
        {"-loglevel=net:loud", "Unsupported category-specific logging level -loglevel=net:loud. "
                               "Expected -loglevel=<category>:<loglevel>. Valid categories: "},
        {"-blocksdir=/nowhere/at/all",
         "Specified blocks directory \"/nowhere/at/all\" does not exist."},
        {"-datadir=/nowhere/at/all",
         "Specified data directory \"/nowhere/at/all\" does not exist."},
        {"-conf=absent.conf", "absent.conf\" could not be opened."},
        {"-proxy", "Can not set -proxy with no value. Please specify value with -proxy=value."},
        {"stray", "unexpected token 'stray'"},
        {"-mocktime=-1", "-mocktime cannot be negative."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (init(w, "-chain=regtest", rows[i].arg, NULL))
            fail_msg("accepted: %s", rows[i].arg);
        assert_non_null(w->error);
        if (!strstr(w->error, rows[i].error))
            fail_msg("%s: %s", rows[i].arg, w->error);
        assert_null(strchr(w->error, '\n'));
    }
    struct stat st;
    assert_int_equal(stat(temp_path(&w->dir, "regtest"), &st), -1);
}

TEST(contradictions_are_refused, struct world *w)
{
    assert_false(init(w, "-prune=550", "-txindex", NULL));
    assert_string_equal(w->error, "Prune mode is incompatible with -txindex.");
    assert_false(init(w, "-prune=550", "-reindex-chainstate", NULL));
    assert_non_null(strstr(w->error, "Use full -reindex instead."));
    assert_false(init(w, "-regtest", "-signet", NULL));
    assert_false(init(w, "-mocktime=1", NULL));
    assert_string_equal(w->error, "-mocktime is for regtest only.");
    assert_false(init(w, "-signet", "-signetchallenge=51", "-signetchallenge=52", NULL));
    assert_string_equal(w->error, "-signetchallenge cannot be multiple values.");
    assert_false(init(w, "-signet", "-signetchallenge=5", NULL));
    assert_string_equal(w->error, "-signetchallenge must be hex, not '5'.");
}

TEST(a_custom_signet_has_its_own_challenge, struct world *w)
{
    ASSERT_OK(w, "-signet");
    uint8_t magic[4];
    memcpy(magic, w->config.network.magic, 4);
    ASSERT_OK(w, "-signet", "-signetchallenge=51");
    assert_int_equal(w->config.network.signet_challenge.len, 1);
    assert_int_equal(w->config.network.signet_challenge.p[0], 0x51);
    assert_memory_not_equal(w->config.network.magic, magic, 4);
}

TEST(regtest_options_change_only_regtest, struct world *w)
{
    ASSERT_OK(w, "-regtest", "-testactivationheight=bip34@1000");
    assert_int_equal(w->config.network.buried_height[BURIED_HEIGHTINCB], 1000);
    ASSERT_OK(w, "-testactivationheight=bip34@1000");
    assert_int_not_equal(w->config.network.buried_height[BURIED_HEIGHTINCB], 1000);
}

/* Core's tests answer the question whether to reindex by an option. */
TEST(what_is_damaged_is_repaired_unless_that_is_not_wanted, struct world *w)
{
    ASSERT_OK(w, "-regtest");
    assert_true(w->config.repair);
    ASSERT_OK(w, "-regtest", "-norepair");
    assert_false(w->config.repair);
    ASSERT_OK(w, "-regtest", "-norepair", "-test=reindex_after_failure_noninteractive_yes");
    assert_true(w->config.repair);
}

/* Spec: Core -test; BIP94 */
TEST(tests_may_ask_for_the_rules_of_bip94, struct world *w)
{
    ASSERT_OK(w, "-regtest");
    assert_false(w->config.network.enforce_bip94);
    ASSERT_OK(w, "-regtest", "-test=reindex_after_failure_noninteractive_yes", "-test=bip94");
    assert_true(w->config.network.enforce_bip94);
    assert_int_equal(w->config.warnings.n, 0);
    ASSERT_OK(w, "-regtest", "-test=bip94 (x)", "-test=");
    assert_false(w->config.network.enforce_bip94);
    assert_true(says(w, OPTION_MESSAGE_TOLD,
                     "Unrecognised option \"bip94 (x)\" provided in -test=<option>."));
    assert_true(
        says(w, OPTION_MESSAGE_TOLD, "Unrecognised option \"\" provided in -test=<option>."));
    static const char *const others[] = {"-chain=main", "-testnet4", "-signet", "-testnet"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_false(init(w, others[i], "-test=bip94", NULL));
        assert_string_equal(w->error, "-test=<option> can only be used with regtest");
    }
}

/* In Core's words. */
TEST(who_limits_ancestors_by_size_is_told_what_does, struct world *w)
{
    ASSERT_OK(w, "-regtest", "-limitancestorsize=5");
    assert_true(says(w, OPTION_MESSAGE_TOLD,
                     "Option '-limitancestorsize' is given but ancestor size limits have been "
                     "replaced with cluster size limits (see -limitclustersize). This option has "
                     "no effect."));
    ASSERT_OK(w, "-regtest", "-limitdescendantsize=5", "-limitancestorcount=1");
    assert_true(says(w, OPTION_MESSAGE_TOLD,
                     "Option '-limitdescendantsize' is given but descendant size limits have been "
                     "replaced with cluster size limits (see -limitclustersize). This option has "
                     "no effect."));
    assert_int_equal(w->config.warnings.n, 0);
}

TEST(the_config_file_is_read_and_the_command_line_outranks_it, struct world *w)
{
    temp_write(&w->dir, "cairn.conf", "txindex=1\ndbcache=100\n[regtest]\nrpcport=1234\n");
    ASSERT_OK(w, "-regtest", "-dbcache=200");
    assert_true(w->config.chain.txindex);
    assert_int_equal(w->config.chain.cache_bytes, (size_t)200 << 20);
    assert_int_equal(w->config.rpc_binds[0].port, 1234);
    ASSERT_OK(w, "-regtest", "-noconf");
    assert_false(w->config.chain.txindex);

    temp_write(&w->dir, "other.conf", "chain=signet\nincludeconf=more.conf\n");
    temp_write(&w->dir, "more.conf", "dbcache=77\n");
    ASSERT_OK(w, "-conf=other.conf", "-allowignoredconf");
    assert_string_equal(w->config.network.name, "signet");
    assert_int_equal(w->config.chain.cache_bytes, (size_t)77 << 20);
    assert_int_equal(remove(temp_path(&w->dir, "more.conf")), 0);
    assert_false(init(w, "-conf=other.conf", NULL));
    assert_non_null(strstr(w->error, "more.conf"));
}

/* Two files of which one is not read: Core stops, and says what to do. */
TEST(a_config_file_that_is_ignored_stops_the_start, struct world *w)
{
    temp_write(&w->dir, "cairn.conf", "");
    temp_write(&w->dir, "other.conf", "");
    assert_false(init(w, "-conf=other.conf", NULL));
    assert_non_null(strstr(w->error, "contains a \"cairn.conf\" file which is ignored"));
    assert_non_null(strstr(w->error, "from command line argument \"-conf=other.conf\""));
    assert_non_null(strstr(w->error, "Set allowignoredconf=1"));
    ASSERT_OK(w, "-conf=other.conf", "-allowignoredconf");
    assert_true(says(w, OPTION_MESSAGE_LOGGED, "file which is ignored"));
    ASSERT_OK(w, "-conf=cairn.conf");
    assert_int_equal(mkdir(temp_path(&w->dir, "sub"), 0700), 0);
    temp_write(&w->dir, "sub/cairn.conf", "");
    char *text = xasprintf("datadir=%s\n", temp_path(&w->dir, "sub"));
    temp_write(&w->dir, "other.conf", text);
    char *conf = xasprintf("-conf=%s", temp_path(&w->dir, "other.conf"));
    const char *const argv[] = {"cairnd", conf};
    config_deinit(&w->config);
    assert_false(config_init(&w->config, 2, argv, &w->error));
    assert_non_null(strstr(w->error, "/sub\" contains a \"cairn.conf\""));
    xfree(conf);
    xfree(text);
}

TEST(a_lone_bitcoin_conf_is_read_and_mentioned, struct world *w)
{
    temp_write(&w->dir, "bitcoin.conf", "txindex=1\n");
    ASSERT_OK(w, "-regtest");
    assert_true(says(w, OPTION_MESSAGE_TOLD, "bitcoin.conf, since there is no cairn.conf"));
    assert_true(w->config.chain.txindex);
    ASSERT_OK(w, "-regtest", "-noconf");
    assert_false(w->config.chain.txindex);
    ASSERT_OK(w, "-regtest", "-conf=bitcoin.conf");
    assert_false(says(w, OPTION_MESSAGE_TOLD, "bitcoin.conf"));
    temp_write(&w->dir, "cairn.conf", "");
    ASSERT_OK(w, "-regtest");
    assert_false(says(w, OPTION_MESSAGE_TOLD, "bitcoin.conf"));
    assert_false(w->config.chain.txindex);
}

TEST(a_bitcoin_conf_that_would_be_ignored_is_refused, struct world *w)
{
    temp_write(&w->dir, "bitcoin.conf", "");
    temp_write(&w->dir, "other.conf", "");
    assert_false(init(w, "-conf=other.conf", NULL));
    assert_non_null(strstr(w->error, "contains a \"bitcoin.conf\" file which is ignored"));
    temp_write(&w->dir, "cairn.conf", "");
    assert_false(init(w, "-conf=other.conf", NULL));
    assert_non_null(strstr(w->error, "contains a \"cairn.conf\" file which is ignored"));
}

TEST(bad_config_files_are_refused, struct world *w)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"server=1\n\nthis is not an option\n", "line 3"},
        {"-txindex=1\n", "line 1"},
        {"conf=x\n", "conf"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        temp_write(&w->dir, "cairn.conf", rows[i].text);
        if (init(w, NULL))
            fail_msg("accepted: %s", rows[i].text);
        if (!strstr(w->error, rows[i].error))
            fail_msg("%s", w->error);
    }
    assert_int_equal(remove(temp_path(&w->dir, "cairn.conf")), 0);
    assert_int_equal(mkdir(temp_path(&w->dir, "cairn.conf"), 0700), 0);
    assert_false(init(w, NULL));
    assert_non_null(strstr(w->error, "is a directory."));
}

TEST(unknown_keys_of_the_config_file_are_logged, struct world *w)
{
    temp_write(&w->dir, "cairn.conf", "rpcwait=1\n[regtest]\nnosuchoption=1\n");
    ASSERT_OK(w, "-regtest");
    assert_true(says(w, OPTION_MESSAGE_LOGGED, "unknown configuration value rpcwait"));
    assert_true(says(w, OPTION_MESSAGE_LOGGED, "value regtest.nosuchoption"));
}

TEST(what_does_nothing_here_lasts_as_a_warning, struct world *w)
{
    ASSERT_OK(w, "-regtest", "-txsendrate=1", "-signer=x", "-keypool=1", "-upnp=0");
    assert_int_equal(w->config.warnings.n, 2);
    assert_non_null(strstr(w->config.warnings.at[0], "-txsendrate"));
    assert_non_null(strstr(w->config.warnings.at[1], "-signer"));
    assert_true(says(w, OPTION_MESSAGE_LOGGED, "-keypool"));
    assert_true(says(w, OPTION_MESSAGE_LOGGED, "-upnp"));
}

/* Spec: Core InitParameterInteraction(); a row each, and what was given outranks it. */
TEST(one_option_implies_others, struct world *w)
{
    static const struct {
        const char *given[3], *option, *value;
    } rows[] = {
        {{"-bind=127.0.0.1", "-connect=0"}, "listen", "1"},
        {{"-whitebind=127.0.0.1:1", "-connect=0"}, "listen", "1"},
        {{"-connect=0"}, "listen", "0"},
        {{"-noconnect"}, "listen", "0"},
        {{"-connect=127.0.0.1"}, "dnsseed", "0"},
        {{"-connect=0", "-listen"}, "listen", ""},
        {{"-maxconnections=0"}, "listen", "0"},
        {{"-maxconnections=0"}, "dnsseed", "0"},
        {{"-maxconnections=1"}, "listen", NULL},
        {{"-listen=0"}, "natpmp", "0"},
        {{"-listen=0"}, "discover", "0"},
        {{"-listen=0"}, "listenonion", "0"},
        {{"-listen=0"}, "i2pacceptincoming", "0"},
        {{"-connect=0"}, "discover", "0"}, /* by way of -listen */
        {{"-externalip=1.2.3.4"}, "discover", "0"},
        {{"-blocksonly"}, "whitelistrelay", "0"},
        {{"-blocksonly"}, "maxmempool", "5"},
        {{"-blocksonly", "-maxmempool=6"}, "maxmempool", "6"},
        {{"-whitelistforcerelay"}, "whitelistrelay", "1"},
        {{"-blocksonly", "-whitelistforcerelay"}, "whitelistrelay", "0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const *given = rows[i].given;
        ASSERT_OK(w, "-regtest", given[0], given[1]);
        const char *value = options_get_string(&w->config.options, rows[i].option, NULL);
        if (!value != !rows[i].value || (value && strcmp(value, rows[i].value) != 0))
            fail_msg("%s: -%s is %s", given[0], rows[i].option, value ? value : "not set");
    }
    ASSERT_OK(w, "-regtest", "-connect=0", "-bind=127.0.0.1");
    assert_true(w->config.net.p2p.listen);
    assert_true(
        says(w, OPTION_MESSAGE_LOGGED, "parameter interaction: -bind set -> setting -listen=1"));
}

TEST(options_that_contradict_each_other_are_refused, struct world *w)
{
    static const struct {
        const char *given[2], *error;
    } rows[] = {
        {{"-listen=0", "-bind=127.0.0.1"},
         "Cannot set -bind or -whitebind together with -listen=0"},
        {{"-nolisten", "-whitebind=127.0.0.1"},
         "Cannot set -bind or -whitebind together with -listen=0"},
        {{"-listen=0", "-listenonion"}, "Cannot set -listen=0 together with -listenonion=1"},
        {{"-forcednsseed", "-dnsseed=0"},
         "Cannot set -forcednsseed to true when setting -dnsseed to false."},
        {{"-peerblockfilters", NULL}, "Cannot set -peerblockfilters without -blockfilterindex."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_false(init(w, "-regtest", rows[i].given[0], rows[i].given[1], NULL));
        assert_string_equal(w->error, rows[i].error);
    }
}

TEST(a_bind_may_be_for_what_comes_through_tor, struct world *w)
{
    ASSERT_OK(w, "-regtest", "-port=7000", "-bind=127.0.0.1=onion", "-bind=127.0.0.1:5=onion",
              "-bind=127.0.0.1");
    const struct p2p_options *p2p = &w->config.net.p2p;
    assert_int_equal(p2p->n_binds, 3);
    assert_string_equal(p2p->binds[0].address, "127.0.0.1:7001");
    assert_true(p2p->binds[0].is_onion);
    assert_string_equal(p2p->binds[1].address, "127.0.0.1:5");
    assert_string_equal(p2p->binds[2].address, "127.0.0.1:7000");
    assert_false(p2p->binds[2].is_onion);
    assert_false(init(w, "-regtest", "-bind=127.0.0.1=tor", NULL));
    assert_string_equal(w->error, "Cannot resolve -bind address: '127.0.0.1=tor'");
}

/* Scripts made for bitcoind leave out categories that we do not have. */
TEST(every_log_category_of_core_is_known, struct world *w)
{
    ASSERT_OK(w, "-regtest", "-debug", "-debugexclude=rand", "-debugexclude=libevent");
    assert_int_equal(w->config.log_categories, ~(UINT32_C(1) << LOG_RAND));
    ASSERT_OK(w, "-regtest", "-debug=libevent", "-debug=qt");
    assert_int_equal(w->config.log_categories, UINT32_C(1) << LOG_QT);
    assert_true(says(w, OPTION_MESSAGE_LOGGED, "`libevent` is deprecated"));
    assert_false(init(w, "-regtest", "-debugexclude=rands", NULL));
    assert_string_equal(w->error, "Unsupported logging category -debugexclude=rands.");
}

TEST(log_categories_add_up, struct world *w)
{
    ASSERT_OK(w, "-debug=net", "-debug=rpc");
    assert_int_equal(w->config.log_categories, 1u << LOG_NET | 1u << LOG_RPC);
    ASSERT_OK(w, "-debug", "-debugexclude=net");
    assert_int_equal(w->config.log_categories, UINT32_MAX & ~(1u << LOG_NET));
    ASSERT_OK(w, "-nodebuglogfile", "-printtoconsole");
    assert_null(w->config.log_path);
    assert_true(w->config.print_to_console);
}

TEST(help_and_version_look_at_nothing_else, struct world *w)
{
    static const struct {
        const char *arg;
        enum config_action action;
    } rows[] = {
        {"-help", CONFIG_SHOW_HELP},
        {"-h", CONFIG_SHOW_HELP},
        {"-?", CONFIG_SHOW_HELP},
        {"--help", CONFIG_SHOW_HELP},
        {"-help-debug", CONFIG_SHOW_HELP_DEBUG},
        {"-version", CONFIG_SHOW_VERSION},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ASSERT_OK(w, "-datadir=/nowhere/at/all", rows[i].arg);
        assert_int_equal(w->config.action, rows[i].action);
    }
}

TEST(ignored_options_are_warned_of, struct world *w)
{
    ASSERT_OK(w, "-upnp");
    assert_int_equal(w->config.options.messages.n, 1);
    assert_non_null(strstr(w->config.options.messages.at[0].text, "upnp"));
}

TEST(the_default_directory_is_made_below_home, struct world *w)
{
    const char *argv[] = {"cairnd", "-regtest"};
    char want[128];
    setenv("HOME", w->dir.path, 1);
    if (!config_init(&w->config, 2, argv, &w->error))
        fail_msg("%s", w->error);
    snprintf(want, sizeof want, "%s/.cairn/regtest", w->dir.path);
    assert_string_equal(w->config.data_dir, want);
    struct stat st;
    assert_int_equal(stat(want, &st), 0);
    snprintf(want, sizeof want, "%s/.cairn/regtest/wallets", w->dir.path);
    assert_int_equal(stat(want, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | S_IRWXU);
    assert_int_equal(rmdir(want), 0);
    clear(w);
    if (!config_init(&w->config, 2, argv, &w->error))
        fail_msg("%s", w->error);
    assert_int_equal(stat(want, &st), -1); /* the data directory is no new one */
}
