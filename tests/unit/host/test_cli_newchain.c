/* test_cli_newchain.c - what is made is what was asked for, and a node takes it. */
#include "host/cli_newchain.h"
#include "node/chain_file.h"
#include "support/arena_fixture.h"
#include "temp_dir.h"
#include "util/alloc.h"

FIXTURE(arena_setup, arena_teardown)

#define ARGS(...)                                                                                  \
    ((const char *const[]){__VA_ARGS__}), COUNT_OF(((const char *const[]){__VA_ARGS__}))

static void make(struct buffer *text, const char *const *args, size_t n)
{
    char *error = NULL;
    buffer_init(text);
    if (!cli_newchain(args, n, text, &error))
        fail_msg("%s", error);
}

static void assert_refused(const char *const *args, size_t n, const char *want)
{
    struct buffer text;
    char *error = NULL;
    buffer_init(&text);
    assert_false(cli_newchain(args, n, &text, &error));
    assert_string_equal(error, want);
    xfree(error);
    buffer_deinit(&text);
}

static void read_made(struct arena *arena, const struct buffer *text, struct network *network)
{
    char *error = NULL;
    if (!chain_file_parse(buffer_span(text), "f", arena, network, &error))
        fail_msg("%s", error);
}

TEST(the_same_arguments_make_the_same_file, struct arena *arena)
{
    struct buffer first, second;
    struct network network;
    make(&first, ARGS("name=my-chain", "time=1700000000", "magic=01020304"));
    make(&second, ARGS("name=my-chain", "time=1700000000", "magic=01020304"));
    assert_true(span_equal(buffer_span(&first), buffer_span(&second)));
    read_made(arena, &first, &network);
    assert_string_equal(network.name, "my-chain");
    assert_string_equal(network.bech32_hrp, "mychain");
    assert_memory_equal(network.magic, "\1\2\3\4", 4);
    buffer_deinit(&first);
    buffer_deinit(&second);
}

TEST(a_magic_is_random_or_left_to_the_rules, struct arena *arena)
{
    struct buffer text;
    struct network first, second, ruled;
    make(&text, ARGS("name=my", "time=1"));
    read_made(arena, &text, &first);
    buffer_deinit(&text);
    make(&text, ARGS("name=my", "time=1"));
    read_made(arena, &text, &second);
    assert_memory_not_equal(first.magic, second.magic, 4);
    assert_string_equal(first.rules_tag, second.rules_tag);
    buffer_deinit(&text);
    make(&text, ARGS("name=my", "time=1", "magic=rules"));
    read_made(arena, &text, &ruled);
    assert_null(memmem(text.p, text.len, "magic", 5));
    assert_string_equal(first.rules_tag, ruled.rules_tag);
    buffer_deinit(&text);
}

TEST(fields_become_rules, struct arena *arena)
{
    struct buffer text;
    struct network network;
    make(&text, ARGS("name=my", "genesis=regtest", "block_spacing_s=5", "retarget_interval=8",
                     "subsidy=0.5", "halving_interval=7", "coinbase_maturity=2", "csv=9",
                     "signet_challenge=51", "seeds=a,10.0.0.1:5", "min_difficulty=true"));
    read_made(arena, &text, &network);
    assert_memory_equal(&network.genesis_hash, &network_get(NETWORK_REGTEST)->genesis_hash, 32);
    assert_int_equal(network.pow_target_timespan_s, 40);
    assert_int_equal(network.subsidy_first_sat, 50000000);
    assert_int_equal(network.subsidy_halving_interval, 7);
    assert_int_equal(network.coinbase_maturity, 2);
    assert_int_equal(network.buried_height[BURIED_CSV], 9);
    assert_int_equal(network.n_dns_seeds, 2);
    assert_true(network.signet_blocks && network.pow_allow_min_difficulty);
    buffer_deinit(&text);
}

TEST(what_is_wrong_is_told)
{
    assert_refused(ARGS("name"), "newchain: \"name\" is not of the form field=value");
    assert_refused(ARGS("name=a", "name=b"), "newchain: \"name\" is given twice");
    assert_refused(ARGS("name=a", "subsedy=1"),
                   "newchain: there is no field \"subsedy\": did you mean \"subsidy\"?");
    assert_refused(ARGS("name=a", "colour=1"), "newchain: there is no field \"colour\"");
    assert_refused(ARGS("name=main"),
                   "newchain:2: \"name\" is the name of a network that everybody knows: \"main\"");
    assert_refused(ARGS("name=a", "genesis=regtest", "magic=01020304", "p2p_port=x"),
                   "newchain:5: \"p2p_port\" must be a whole number from 1 to 65535, not \"x\"");
}

TEST(help_names_the_fields)
{
    struct buffer text;
    make(&text, ARGS("--help"));
    buffer_append(&text, "", 1);
    assert_non_null(strstr((const char *)text.p, "\n  halving_interval (210000)\n"));
    assert_non_null(strstr((const char *)text.p, "\n  signet_challenge\n"));
    buffer_deinit(&text);
}

TEST(no_file_is_overwritten)
{
    struct temp_dir dir;
    struct buffer text;
    temp_dir_make(&dir);
    char *arg = xasprintf("file=%s", temp_path(&dir, "my.json"));
    make(&text, ARGS("name=my", arg));
    assert_int_equal(text.len, 0);
    assert_int_equal(access(temp_path(&dir, "my.json"), R_OK), 0);
    char *want = xasprintf("newchain: cannot make %s: File exists", temp_path(&dir, "my.json"));
    assert_refused(ARGS("name=my", arg), want);
    xfree(want);
    xfree(arg);
    buffer_deinit(&text);
    temp_dir_remove(&dir);
}
