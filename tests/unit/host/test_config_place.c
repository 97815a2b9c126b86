/* test_config_place.c - names and numeric addresses in options. */
#include "host/config_place.h"

#include "host/config_options.h"
#include "support/unit.h"
#include "util/alloc.h"

/* Resolve with or without -dns=0. Returns: "address port", or "" */
static const char *resolve(const char *spec, bool has_dns, char out[128])
{
    struct options options;
    struct arena strings;
    const char *address, *argv[] = {"cairnd", has_dns ? "-dns=1" : "-dns=0"};
    uint16_t port;
    size_t n;
    char *error = NULL;
    const struct option_def *defs = config_options(&n);
    options_init(&options, defs, n);
    arena_init(&strings, 64);
    assert_true(options_parse_args(&options, 2, argv, NULL, &error));
    out[0] = '\0';
    if (config_resolve(&strings, &options, spec, 77, &address, &port))
        snprintf(out, 128, "%s %u", address, port);
    arena_deinit(&strings);
    options_deinit(&options);
    return out;
}

TEST(numeric_addresses_are_taken_as_they_are)
{
    char out[128];
    assert_string_equal(resolve("1.2.3.4", false, out), "1.2.3.4 77");
    assert_string_equal(resolve("1.2.3.4:5", false, out), "1.2.3.4 5");
    assert_string_equal(resolve("[::1]:65535", false, out), "::1 65535");
    assert_string_equal(resolve("::1", false, out), "::1 77");
    assert_string_equal(resolve("1.2.3.4:0", false, out), "");
    assert_string_equal(resolve("", false, out), "");
}

TEST(a_name_is_looked_up_unless_that_is_forbidden)
{
    char out[128];
    assert_string_equal(resolve("localhost:5", false, out), "");
    assert_string_not_equal(resolve("localhost:5", true, out), "");
    assert_string_equal(resolve("abc..abc", true, out), "");
}

TEST(the_index_runs_past_the_last_address)
{
    char out[CONFIG_ADDRESS_BYTES];
    assert_true(config_look_up("127.0.0.1", 0, out));
    assert_string_equal(out, "127.0.0.1");
    assert_false(config_look_up("127.0.0.1", 1, out));
}

TEST(what_is_kept_is_a_copy)
{
    struct arena strings;
    char text[] = "abc";
    arena_init(&strings, 64);
    const char *copy = config_keep(&strings, text);
    text[0] = 'x';
    assert_string_equal(copy, "abc");
    arena_deinit(&strings);
}
