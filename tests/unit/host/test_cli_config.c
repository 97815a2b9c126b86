/* test_cli_config.c - the options of cairn-cli and what follows from them. */
#include "host/cli_config.h"
#include "support/unit.h"
#include "unit/host/temp_dir.h"
#include "util/alloc.h"

#define ARGS(...)   ((const char *const[]){"cairn-cli", __VA_ARGS__})
#define N_ARGS(...) ((int)COUNT_OF(ARGS(__VA_ARGS__)))

/* Read arguments; fails the test if they are refused. */
#define config_of(config, ...) config_good((config), N_ARGS(__VA_ARGS__), ARGS(__VA_ARGS__))

static void config_good(struct cli_config *config, int argc, const char *const *argv)
{
    char *error = NULL;
    if (!cli_config_init(config, argc, argv, &error))
        fail_msg("%s", error);
}

TEST(networks_choose_port_and_cookie)
{
    static const struct {
        const char *option;
        uint16_t port;
        const char *cookie;
    } rows[] = {{"-chain=main", 8332, "/.cairn/.cookie"},
                {"-testnet", 18332, "/.cairn/testnet3/.cookie"},
                {"-testnet4", 48332, "/.cairn/testnet4/.cookie"},
                {"-signet", 38332, "/.cairn/signet/.cookie"},
                {"-regtest", 18443, "/.cairn/regtest/.cookie"},
                {"-chain=regtest", 18443, "/.cairn/regtest/.cookie"}};
    setenv("HOME", "/nonexistent", 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cli_config config;
        config_of(&config, rows[i].option, "stop");
        assert_string_equal(config.host, "127.0.0.1");
        assert_int_equal(config.port, rows[i].port);
        assert_non_null(strstr(config.cookie_path, rows[i].cookie));
        assert_int_equal(config.timeout_s, 900);
        assert_false(config.wait);
        assert_int_equal(config.first_operand, 2);
        cli_config_deinit(&config);
    }
}

TEST(the_server_can_be_named)
{
    struct cli_config config;
    setenv("HOME", "/nonexistent", 1);
    config_of(&config, "-regtest", "-rpcconnect=10.0.0.1", "-rpcport=99", "-rpcclienttimeout=5",
              "-rpcwait", "-rpcwaittimeout=7");
    assert_string_equal(config.host, "10.0.0.1");
    assert_int_equal(config.port, 99);
    assert_int_equal(config.timeout_s, 5);
    assert_true(config.wait);
    assert_int_equal(config.wait_timeout_s, 7);
    cli_config_deinit(&config);
    config_of(&config, "-regtest", "-rpcconnect=[::1]:77");
    assert_string_equal(config.host, "::1");
    assert_int_equal(config.port, 77);
    cli_config_deinit(&config);
}

TEST(wrong_options_are_refused)
{
    /* clang-format off */
    static const struct { const char *option, *want; } cases[] = {
        {"-nosuchoption", "nosuchoption"},
        {"-chain=moon", "moon"},
        {"-rpcport=0", "-rpcport"},
        {"-rpcport=65536", "-rpcport"},
        {"-rpcport=seven", "Invalid port provided in -rpcport: seven"},
        {"-rpcconnect=host:x", "-rpcconnect"},
        {"-datadir=/nonexistent/dir", "does not exist"},
        {"-conf=/nonexistent.conf", "could not be opened"},
    };
    /* clang-format on */
    setenv("HOME", "/nonexistent", 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cli_config config;
        char *error = NULL;
        const char *const argv[] = {"cairn-cli", cases[i].option};
        assert_false(cli_config_init(&config, 2, argv, &error));
        if (!strstr(error, cases[i].want))
            fail_msg("%s", error);
        xfree(error);
        cli_config_deinit(&config);
    }
}

/* The file that the node reads has a path; what is said now counts. */
TEST(a_port_that_is_named_counts_before_the_files_path)
{
    static const struct {
        const char *port, *path;
        bool has_path;
    } cases[] = {
        {"-rpcwait", "-named", true},
        {"-rpcport=99", "-named", false},
        {"-rpcport=99", "-rpcsocket=mine", true},
        {"-rpcwait", "-rpcsocket=mine", true},
        {"-rpcconnect=127.0.0.1", "-named", false},
    };
    struct temp_dir dir;
    char option[128];
    temp_dir_make(&dir);
    temp_write(&dir, "cairn.conf", "regtest=1\n[regtest]\nrpcport=1234\nrpcsocket=theirs\n");
    snprintf(option, sizeof option, "-datadir=%s", dir.path);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cli_config config;
        config_of(&config, option, cases[i].port, cases[i].path, "stop");
        assert_int_equal(config.socket_path != NULL, cases[i].has_path);
        cli_config_deinit(&config);
    }
    temp_dir_remove(&dir);
}

TEST(the_nodes_file_is_read)
{
    struct cli_config config;
    struct temp_dir dir;
    char option[128];
    temp_dir_make(&dir);
    temp_write(&dir, "cairn.conf",
               "regtest=1\nrpcuser=alice\ntxindex=1\n[regtest]\nrpcport=1234\n"
               "rpcpassword=secret\n");
    snprintf(option, sizeof option, "-datadir=%s", dir.path);
    config_of(&config, option, "stop");
    assert_int_equal(config.port, 1234);
    assert_string_equal(config.network->name, "regtest");
    char *login = cli_config_login(&config, NULL);
    assert_string_equal(login, "alice:secret");
    xfree(login);
    login = cli_config_login(&config, "typed");
    assert_string_equal(login, "alice:typed");
    xfree(login);
    cli_config_deinit(&config);
    temp_dir_remove(&dir);
}

TEST(a_bitcoin_conf_is_read_where_it_is_alone)
{
    struct cli_config config;
    struct temp_dir dir;
    char option[128];
    temp_dir_make(&dir);
    temp_write(&dir, "bitcoin.conf", "regtest=1\n[regtest]\nrpcport=1234\n");
    snprintf(option, sizeof option, "-datadir=%s", dir.path);
    config_of(&config, option, "stop");
    assert_int_equal(config.port, 1234);
    cli_config_deinit(&config);
    temp_write(&dir, "cairn.conf", "regtest=1\n");
    config_of(&config, option, "stop");
    assert_int_equal(config.port, 18443);
    cli_config_deinit(&config);
    temp_dir_remove(&dir);
}

TEST(without_a_password_the_cookie_is_used)
{
    struct cli_config config;
    struct temp_dir dir;
    char option[128];
    temp_dir_make(&dir);
    snprintf(option, sizeof option, "-datadir=%s", dir.path);
    config_of(&config, option, "-chain=main");
    assert_null(cli_config_login(&config, NULL));
    temp_write(&dir, ".cookie", "__cookie__:abc\n");
    char *login = cli_config_login(&config, NULL);
    assert_string_equal(login, "__cookie__:abc");
    xfree(login);
    cli_config_deinit(&config);
    config_of(&config, option, "-chain=main", "-norpccookiefile");
    assert_null(cli_config_login(&config, NULL));
    cli_config_deinit(&config);
    temp_dir_remove(&dir);
}

TEST(help_needs_no_files)
{
    struct cli_config config;
    struct buffer text;
    config_of(&config, "-help", "-datadir=/nonexistent/dir");
    assert_null(config.network);
    buffer_init(&text);
    cli_config_help(&config.options, &text);
    cli_config_deinit(&config);
    buffer_append(&text, "", 1);
    assert_non_null(strstr((const char *)text.p, "-rpcwaittimeout=<n>"));
    assert_null(strstr((const char *)text.p, "-txindex"));
    buffer_deinit(&text);
}

TEST(a_wallet_is_a_path)
{
    static const struct {
        const char *arg, *path;
    } cases[] = {
        {"-regtest", "/"},
        {"-rpcwallet=", "/wallet/"},
        {"-rpcwallet=old", "/wallet/old"},
        {"-rpcwallet=a b/\xc3\xa9?", "/wallet/a%20b%2F%C3%A9%3F"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *argv[] = {"cairn-cli", "-datadir=/nonexistent", cases[i].arg};
        struct cli_config config;
        char *error = NULL;
        bool ok = cli_config_init(&config, 3, argv, &error);
        char *path = cli_config_path(&config);
        assert_string_equal(path, cases[i].path);
        xfree(path);
        xfree(error);
        cli_config_deinit(&config);
        (void)ok; /* whether such a folder is there makes no difference */
    }
}
