/* test_config_net.c - options about peers and the mempool. */
#include "config_net_fixture.h"

TEST(defaults_are_cores)
{
    struct fixture f;
    read_args(&f, NETWORK_MAIN, (const char *const[]){NULL});
    assert_true(f.ok);
    assert_int_equal(f.net.p2p.port, 8333);
    assert_true(f.net.p2p.listen);
    assert_false(f.net.p2p.connect_only);
    assert_int_equal(f.net.p2p.max_connections, 125);
    assert_int_equal(f.net.p2p.inbound_reserved_percent, 50);
    assert_int_equal(f.net.p2p.upload_target_bytes, 0);
    assert_int_equal(f.net.ban_time_s, 86400);
    assert_false(f.net.p2p.blocks_only);
    assert_int_equal(f.net.p2p.extra_txs, COMPACT_EXTRA_TXS);
    assert_int_equal(f.net.mempool.max_bytes, 300000000);
    assert_int_equal(f.net.mempool.expiry_s, 336 * 3600);
    assert_int_equal(f.net.mempool.min_relay_sat_per_kvb, 100);
    assert_true(f.net.mempool.require_standard);
    done(&f);
}

TEST(as_many_transactions_are_kept_for_blocks_as_asked_for)
{
    static const struct {
        const char *arg;
        int want;
    } rows[] = {{"-blockreconstructionextratxn=7", 7},
                {"-blockreconstructionextratxn=0", -1},
                {"-blockreconstructionextratxn=-5", -1},
                {"-blockreconstructionextratxn=100001", COMPACT_EXTRA_TXS_MAX}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;
        READ(&f, rows[i].arg);
        assert_true(f.ok);
        assert_int_equal(f.net.p2p.extra_txs, rows[i].want);
        done(&f);
    }
}

/* They are looked up by the running node, which shows them as they were given. */
TEST(names_of_nodes_are_kept_as_they_are)
{
    struct fixture f;
    read_args(&f, NETWORK_REGTEST,
              (const char *const[]){"-connect=127.0.0.1", "-connect=127.0.0.2:99", "-addnode=[::1]",
                                    "-addnode=", "-addnode= \t", "-addnode=no.such.name.invalid:5",
                                    "-seednode=b.invalid", "-addnode=abc.onion",
                                    "-bind=127.0.0.1:7", NULL});
    assert_true(f.ok);
    assert_true(f.net.p2p.connect_only);
    assert_int_equal(f.net.p2p.n_connect, 2);
    assert_string_equal(f.net.p2p.connect[0], "127.0.0.1");
    assert_string_equal(f.net.p2p.connect[1], "127.0.0.2:99");
    assert_int_equal(f.net.p2p.n_add_nodes, 3);
    assert_string_equal(f.net.p2p.add_nodes[0], "[::1]");
    assert_string_equal(f.net.p2p.add_nodes[1], "no.such.name.invalid:5");
    assert_string_equal(f.net.p2p.add_nodes[2], "abc.onion");
    assert_int_equal(f.net.p2p.n_seed_nodes, 1);
    assert_string_equal(f.net.p2p.seed_nodes[0], "b.invalid");
    assert_false(f.net.p2p.no_dns || f.net.p2p.no_discover || f.net.p2p.dns_seed_forced);
    assert_int_equal(f.net.p2p.n_binds, 1);
    assert_string_equal(f.net.p2p.binds[0].address, "127.0.0.1:7");
    done(&f);
}

TEST(a_port_of_ours_is_not_that_of_others)
{
    struct fixture f;
    read_args(&f, NETWORK_REGTEST,
              (const char *const[]){"-port=19000", "-dns=0", "-discover=0", "-forcednsseed",
                                    "-externalip=1.2.3.4", "-bind=127.0.0.1", NULL});
    assert_true(f.ok);
    assert_true(f.net.p2p.no_dns && f.net.p2p.no_discover && f.net.p2p.dns_seed_forced);
    assert_string_equal(f.net.p2p.external[0], "1.2.3.4:19000");
    assert_string_equal(f.net.p2p.binds[0].address, "127.0.0.1:19000");
    done(&f);
}

/* Core's feature_bind_port_externalip.py has these cases. */
TEST(an_address_of_ours_has_the_port_where_we_listen)
{
    /* clang-format off */
    static const struct {
        const char *args[5];
        const char *want;
    } rows[] = {
        {{"-port=19002", "-bind=1.1.1.5"}, "2.2.2.2:19002"},
        {{"-bind=1.1.1.5"}, "2.2.2.2:18444"},
        {{"-port=19003", "-bind=1.1.1.5:19004"}, "2.2.2.2:19004"},
        {{"-port=19003", "-bind=1.1.1.5:19004=onion"}, "2.2.2.2:19003"},
        {{"-port=19016", "-bind=1.1.1.5:19017", "-whitebind=1.1.1.5:19018"}, "2.2.2.2:19017"},
        {{"-port=19019", "-whitebind=1.1.1.5:19020"}, "2.2.2.2:19020"},
        {{"-port=19019", "-whitebind=relay@1.1.1.5:19020"}, "2.2.2.2:19020"},
        {{"-port=19019", "-whitebind=noban@1.1.1.5:19020"}, "2.2.2.2:19019"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *args[7] = {"-externalip=2.2.2.2"};
        struct fixture f;
        for (size_t j = 0; rows[i].args[j]; j++)
            args[1 + j] = rows[i].args[j];
        read_args(&f, NETWORK_REGTEST, args);
        assert_true(f.ok);
        assert_string_equal(f.net.p2p.external[0], rows[i].want);
        assert_int_equal(f.net.p2p.own_port, strtol(strchr(rows[i].want, ':') + 1, NULL, 10));
        done(&f);
    }
}

TEST(where_friends_come_in_is_not_told_if_they_may_not_be_banned)
{
    static const struct {
        const char *arg;
        bool want;
    } rows[] = {{"-bind=1.1.1.5", false},
                {"-whitebind=1.1.1.5:7", false},
                {"-whitebind=relay@1.1.1.5:7", false},
                {"-whitebind=noban@1.1.1.5:7", true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;
        READ(&f, rows[i].arg);
        assert_true(f.ok);
        assert_int_equal(f.net.p2p.binds[0].is_untold, rows[i].want);
        done(&f);
    }
}

TEST(fixed_seeds_are_used_unless_that_is_forbidden)
{
    static const char *const args[] = {"-fixedseeds", "-fixedseeds=0", "-port=5"};
    for (size_t i = 0; i < COUNT_OF(args); i++) {
        struct fixture f;
        READ(&f, args[i]);
        assert_int_equal(f.net.p2p.fixed_seeds, i != 1);
        done(&f);
    }
}

TEST(connect_zero_means_nobody)
{
    /* clang-format off */
    static const char *const lines[][2] = {{"-connect=0", NULL}, {"-noconnect", NULL}};
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct fixture f;
        read_args(&f, NETWORK_REGTEST, lines[i]);
        assert_true(f.ok);
        assert_true(f.net.p2p.connect_only);
        assert_int_equal(f.net.p2p.n_connect, 0);
        done(&f);
    }
}

TEST(comments_follow_the_name_that_peers_see)
{
    static const struct {
        const char *args[4];
        const char *want;
    } rows[] = {
        {{NULL}, "/Satoshi:31.0.0/Cairn:0.1.0/"},
        {{"-uacomment=x", NULL}, "/Satoshi:31.0.0/Cairn:0.1.0(x)/"},
        {{"-uacomment=A b", "-uacomment=_.,;-?@9", "-uacomment=z", NULL},
         "/Satoshi:31.0.0/Cairn:0.1.0(A b; _.,;-?@9; z)/"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;
        read_args(&f, NETWORK_REGTEST, rows[i].args);
        assert_true(f.ok);
        assert_string_equal(f.net.p2p.user_agent, rows[i].want);
        done(&f);
    }
}

TEST(comments_are_safe_and_short)
{
    static const char *const unsafe[] = {"-uacomment=a/b", "-uacomment=(a)", "-uacomment=a:b",
                                         "-uacomment=\xc3\xa9"};
    for (size_t i = 0; i < COUNT_OF(unsafe); i++) {
        struct fixture f;
        READ(&f, unsafe[i]);
        assert_false(f.ok);
        assert_non_null(strstr(f.error, "contains unsafe characters."));
        done(&f);
    }
    /* The name alone has 28 bytes and a comment adds two: 256 are the limit. */
    for (int len = 226; len <= 227; len++) {
        struct fixture f;
        char *comment = xasprintf("-uacomment=%0*d", len, 0);
        READ(&f, comment);
        assert_int_equal(f.ok, len == 226);
        if (f.ok)
            assert_int_equal(strlen(f.net.p2p.user_agent), 256);
        else
            assert_string_equal(f.error,
                                "Total length of network version string (257) exceeds maximum "
                                "length (256). Reduce the number or size of uacomments.");
        done(&f);
        xfree(comment);
    }
}

TEST(mistakes_are_named)
{
    /* clang-format off */
    static const struct { const char *args[3]; const char *error; } cases[] = {
        {{"-port=0"},               "Invalid port specified in -port: '0'"},
        {{"-port=65536"},           "Invalid port specified in -port: '65536'"},
        {{"-maxconnections=-1"},    "-maxconnections must be greater or equal than zero"},
        {{"-maxuploadtarget=abc"}, "Unable to parse -maxuploadtarget: 'abc'"},
        {{"-maxuploadtarget="},    "Unable to parse -maxuploadtarget: ''"},
        {{"-peertimeout=0"},        "peertimeout must be a positive integer."},
        {{"-bantime=0"},            "-bantime must be a number of seconds, 1 at least"},
        {{"-bantime=-5"},           "-bantime must be a number of seconds, 1 at least"},
        {{"-bind=nonsense"},        "Cannot resolve -bind address: 'nonsense'"},
        {{"-externalip=a name", "-dns=0"}, "Cannot resolve -externalip address: 'a name'"},
        {{"-connect="},             "-connect: '' cannot be the name of a node"},
        {{"-seednode="},            "-seednode: '' cannot be the name of a node"},
        {{"-whitelist=1.2.3.4/99"}, "Invalid netmask specified in -whitelist: '1.2.3.4/99'"},
        {{"-whitelist=fly@1.2.3.4"}, "Invalid P2P permission: 'fly'"},
        {{"-whitebind=fly@1.2.3.4:5"}, "Invalid P2P permission: 'fly'"},
        {{"-whitebind=1.2.3.4/9"},  "Cannot resolve -whitebind address: '1.2.3.4/9'"},
        {{"-whitebind=noban@1.2.3.4"}, "Need to specify a port with -whitebind: '1.2.3.4'"},
        {{"-maxmempool=4"},         "-maxmempool must be at least 5 MB"},
        {{"-maxmempool=0"},         "-maxmempool must be at least 5 MB"},
        {{"-limitclustersize=1000", "-maxmempool=39"}, "-maxmempool must be at least 40 MB"},
        {{"-limitclustersize=25", "-maxmempool=0"}, "-maxmempool must be at least 1 MB"},
        {{"-limitclustersize=26", "-maxmempool=1"}, "-maxmempool must be at least 2 MB"},
        {{"-limitclustercount=65"}, "limitclustercount must be less than or equal to 64"},
        {{"-limitclustercount=0"},  "limitclustercount must be at least 1"},
        {{"-limitclustersize=0"},   "limitclustersize must be from 1 to 1000 kvB"},
        {{"-limitclustersize=1001"}, "limitclustersize must be from 1 to 1000 kvB"},
        {{"-minrelaytxfee=x"},      "Invalid amount for -minrelaytxfee=<amount>: 'x'"},
        {{"-minrelaytxfee="},       "Invalid amount for -minrelaytxfee=<amount>: ''"},
        {{"-minrelaytxfee=1e-5"},   "Invalid amount for -minrelaytxfee=<amount>: '1e-5'"},
        {{"-minrelaytxfee=21000000.00000001"},
         "Invalid amount for -minrelaytxfee=<amount>: '21000000.00000001'"},
        {{"-incrementalrelayfee=x", "-minrelaytxfee=x"}, /* the first of them in Core's order */
         "Invalid amount for -incrementalrelayfee=<amount>: 'x'"},
        {{"-fallbackestimate=x"},   "Invalid amount for -fallbackestimate=<amount>: 'x'"},
        {{"-dustrelayfee=-1"},      "Invalid amount for -dustrelayfee=<amount>: '-1'"},
        {{"-blockmintxfee=x"},      "Invalid amount for -blockmintxfee=<amount>: 'x'"},
        {{"-blockmaxweight=4000001"},
         "-blockmaxweight (4000001) exceeds consensus maximum block weight (4000000)"},
        {{"-blockreservedweight=4000001"},
         "-blockreservedweight (4000001) exceeds consensus maximum block weight (4000000)"},
        {{"-blockmaxweight=7999"},
         "-blockreservedweight (8000) exceeds -blockmaxweight (7999)"},
        {{"-blockreservedweight=1999"},
         "-blockreservedweight (1999) is lower than minimum safety value of (2000)"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        read_args(&f, NETWORK_REGTEST, cases[i].args);
        assert_false(f.ok);
        assert_string_equal(f.error, cases[i].error);
        done(&f);
    }
}

TEST(limits_are_met_exactly)
{
    struct fixture f;
    read_args(&f, NETWORK_REGTEST,
              (const char *const[]){"-port=65535", "-maxmempool=40", "-maxconnections=0",
                                    "-datacarrier=0", "-minrelaytxfee=0.00001",
                                    "-maxuploadtarget=1", "-limitclustercount=1",
                                    "-limitclustersize=1000", NULL});
    assert_true(f.ok);
    assert_int_equal(f.net.mempool.cluster_count_max, 1);
    assert_int_equal(f.net.mempool.cluster_vbytes_max, 1000000);
    assert_int_equal(f.net.p2p.upload_target_bytes, 1 << 20);
    assert_int_equal(f.net.p2p.port, 65535);
    assert_int_equal(f.net.mempool.max_bytes, 40000000);
    assert_false(f.net.p2p.listen);
    assert_true(f.net.p2p.connect_only);
    assert_int_equal(f.net.mempool.max_datacarrier_bytes, 0);
    assert_int_equal(f.net.mempool.min_relay_sat_per_kvb, 1000);
    done(&f);
    read_args(&f, NETWORK_REGTEST,
              (const char *const[]){"-blockmaxweight=2000", "-blockreservedweight=2000",
                                    "-blockmintxfee=0.00002", NULL});
    assert_true(f.ok);
    assert_int_equal(f.net.block.max_weight_wu, 2000);
    assert_int_equal(f.net.block.reserved_weight_wu, 2000);
    assert_int_equal(f.net.block.min_sat_per_kvb, 2000);
    done(&f);
}

TEST(one_option_raises_both_relay_fees)
{
    /* clang-format off */
    static const struct { const char *args[3]; int64_t least, incremental; } cases[] = {
        {{"-incrementalrelayfee=0.000002"}, 200, 200},
        {{"-incrementalrelayfee=0.0000005"}, 100, 50},
        {{"-incrementalrelayfee=0.000002", "-minrelaytxfee=0.0000001"}, 10, 200},
        {{"-incrementalrelayfee=0", "-minrelaytxfee=0"}, 0, 0},
        {{"-minrelaytxfee=.00000001"}, 1, 100},
        {{"-minrelaytxfee=21000000"}, MAX_MONEY_SAT, 100},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        read_args(&f, NETWORK_MAIN, cases[i].args);
        assert_true(f.ok);
        assert_int_equal(f.net.mempool.min_relay_sat_per_kvb, cases[i].least);
        assert_int_equal(f.net.mempool.incremental_sat_per_kvb, cases[i].incremental);
        done(&f);
    }
}

TEST(the_mempool_is_as_the_options_say)
{
    struct fixture f;
    read_args(&f, NETWORK_MAIN, (const char *const[]){NULL});
    assert_int_equal(f.net.mempool.bytes_per_sigop, 20);
    assert_int_equal(f.net.mempool.dust_sat_per_kvb, 3000);
    assert_int_equal(f.net.mempool.max_datacarrier_bytes, 100000);
    assert_true(f.net.mempool.permit_bare_multisig);
    assert_false(f.net.mempool.persist_without_key);
    done(&f);
    read_args(&f, NETWORK_MAIN,
              (const char *const[]){"-bytespersigop=43", "-persistmempoolv1", "-mempoolexpiry=1",
                                    "-dustrelayfee=0", "-permitbaremultisig=0",
                                    "-datacarriersize=83", "-limitclustersize=25", NULL});
    assert_true(f.ok);
    assert_int_equal(f.net.mempool.bytes_per_sigop, 43);
    assert_int_equal(f.net.mempool.expiry_s, 3600);
    assert_int_equal(f.net.mempool.dust_sat_per_kvb, 0);
    assert_int_equal(f.net.mempool.max_datacarrier_bytes, 83);
    assert_false(f.net.mempool.permit_bare_multisig);
    assert_true(f.net.mempool.persist_without_key);
    done(&f);
    read_args(&f, NETWORK_MAIN,
              (const char *const[]){"-bytespersigop=-1", "-mempoolexpiry=9223372036854775807",
                                    "-limitclustersize=25", "-maxmempool=1", NULL});
    assert_true(f.ok);
    assert_int_equal(f.net.mempool.bytes_per_sigop, 0);
    assert_int_equal(f.net.mempool.expiry_s, INT64_C(360000000000));
    assert_int_equal(f.net.mempool.max_bytes, 1000000);
    done(&f);
}

TEST(the_version_of_blocks_is_chosen_on_regtest_only)
{
    struct fixture f;
    READ(&f, "-blockversion=1337");
    assert_true(f.ok);
    assert_int_equal(f.net.block.version, 1337);
    done(&f);
    read_args(&f, NETWORK_SIGNET, (const char *const[]){"-blockversion=1337", NULL});
    assert_true(f.ok);
    assert_int_equal(f.net.block.version, 0);
    done(&f);
}

TEST(fees_are_made_up_on_test_chains_only)
{
    struct fixture f;
    read_args(&f, NETWORK_MAIN, (const char *const[]){"-fallbackestimate=0.0002", NULL});
    assert_false(f.ok);
    assert_string_equal(f.error, "-fallbackestimate is not supported on main chain.");
    done(&f);
    read_args(&f, NETWORK_MAIN, (const char *const[]){"-fallbackestimate=0", NULL});
    assert_true(f.ok);
    done(&f);
    read_args(&f, NETWORK_SIGNET, (const char *const[]){"-fallbackestimate=0.0002", NULL});
    assert_true(f.ok);
    assert_int_equal(f.net.fallback_sat_per_kvb, 20000);
    done(&f);
    read_args(&f, NETWORK_SIGNET, (const char *const[]){"-acceptstalefeeestimates", NULL});
    assert_false(f.ok);
    assert_string_equal(f.error, "acceptstalefeeestimates is not supported on signet chain.");
    done(&f);
    READ(&f, "-acceptstalefeeestimates");
    assert_true(f.ok && f.net.accepts_stale_fees && f.net.fallback_sat_per_kvb == 0);
    done(&f);
}

TEST(the_main_chain_relays_only_standard_transactions)
{
    struct fixture f;
    read_args(&f, NETWORK_MAIN, (const char *const[]){"-acceptnonstdtxn", NULL});
    assert_false(f.ok);
    assert_string_equal(f.error, "acceptnonstdtxn is not currently supported for main chain");
    done(&f);
    READ(&f, "-acceptnonstdtxn");
    assert_true(f.ok);
    assert_false(f.net.mempool.require_standard);
    done(&f);
}
