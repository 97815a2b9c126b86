/* test_cli.c - the program as a whole, as far as no node is needed. */
#include <unistd.h>

#include "host/cli.h"
#include "support/unit.h"
#include "util/assert.h"

/* What a run wrote. */
struct run {
    int code;
    char out[8192], err[8192];
};

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    size_t len = fread(text, 1, size - 1, file);
    text[len] = 0;
    fclose(file);
}

/* Run with standard output and error in files. */
static struct run run_with(int argc, const char *const *argv)
{
    struct run run;
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out && err);
    fflush(stdout);
    fflush(stderr);
    int old_out = dup(1), old_err = dup(2);
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    run.code = cli_main(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(old_out, 1);
    dup2(old_err, 2);
    close(old_out);
    close(old_err);
    read_back(out, run.out, sizeof run.out);
    read_back(err, run.err, sizeof run.err);
    return run;
}

#define RUN(...)                                                                                   \
    run_with((int)COUNT_OF(((const char *const[]){"cairn-cli", __VA_ARGS__})),                     \
             (const char *const[]){"cairn-cli", __VA_ARGS__})

TEST(version_and_help_go_to_the_output)
{
    struct run run = RUN("-version");
    assert_int_equal(run.code, 0);
    assert_string_equal(run.out, "Cairn RPC client version v0.1.0\n");
    run = RUN("-?");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "Usage:  cairn-cli [options] <method>"));
    assert_string_equal(run.err, "");
}

TEST(without_a_method_there_is_an_error)
{
    setenv("HOME", "/nonexistent", 1);
    struct run run = RUN("-regtest");
    assert_int_equal(run.code, 1);
    assert_string_equal(run.err, "error: too few parameters (need at least command)\n");
    run = RUN("-nosuchoption");
    assert_int_equal(run.code, 1);
    assert_non_null(strstr(run.err, "error: "));
}

TEST(arguments_are_checked_before_anything_is_sent)
{
    setenv("HOME", "/nonexistent", 1);
    struct run run = RUN("-regtest", "getblockhash", "five");
    assert_int_equal(run.code, 1);
    assert_string_equal(run.err, "error: Error parsing JSON: five\n");
    run = RUN("-regtest", "-getinfo", "5");
    assert_string_equal(run.err, "error: -getinfo takes no arguments\n");
    run = RUN("-regtest", "-getinfo", "-color=blue");
    assert_string_equal(run.err, "error: Invalid value for -color option. Valid values: always, "
                                 "auto, never.\n");
    run = RUN("-regtest", "-netinfo", "-getinfo");
    assert_string_equal(run.err, "error: Only one of -getinfo, -netinfo may be specified.\n");
    run = RUN("-regtest", "-generate", "0");
    assert_int_equal(run.code, 1);
    assert_string_equal(run.err, "error: the first argument (number of blocks to generate, "
                                 "default: 1) must be an integer value greater than zero\n");
    run = RUN("-regtest", "-generate", "1", "2", "3");
    assert_int_equal(run.code, 1);
    assert_non_null(strstr(run.err, "too many arguments"));
}

TEST(nobody_listening_is_a_clear_error)
{
    setenv("HOME", "/nonexistent", 1);
    /* Port 1 is nobody's; nothing outside this machine is asked. */
    struct run run = RUN("-regtest", "-rpcport=1", "getblockcount");
    assert_int_equal(run.code, 1);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "error: timeout on transient error: Could not connect to the "
                                    "server 127.0.0.1:1\n\nMake sure the cairnd server is running "
                                    "and that you are connecting to the correct RPC port.\n"));
}

TEST(waiting_for_the_node_has_an_end)
{
    setenv("HOME", "/nonexistent", 1);
    struct run run =
        RUN("-regtest", "-rpcport=1", "-rpcwait", "-rpcwaittimeout=1", "getblockcount");
    assert_int_equal(run.code, 1);
    assert_non_null(strstr(run.err, "timeout on transient error"));
}
