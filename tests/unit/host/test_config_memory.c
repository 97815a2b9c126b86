/* test_config_memory.c - how -maxmem is shared. */
#include "host/config_memory.h"
#include "host/config_options.h"
#include "support/unit.h"
#include "util/alloc.h"

#define ARGS_MAX 6

/* Share by these arguments and compare: "dbcache maxmempool maxsigcachesize messages", or the
 * error. */
static void assert_shared(const char *const *args, int n, const char *want)
{
    const char *argv[ARGS_MAX] = {"cairnd"};
    struct options options;
    char *error = NULL, *got;
    size_t n_defs;
    assert_true(n < ARGS_MAX);
    for (int i = 0; i < n; i++)
        argv[i + 1] = args[i];
    const struct option_def *defs = config_options(&n_defs);
    options_init(&options, defs, n_defs);
    assert_true(options_parse_args(&options, n + 1, argv, NULL, &error));
    if (config_share_memory(&options, &error))
        got = xasprintf("%lld %lld %lld %zu", (long long)options_get_int(&options, "dbcache", -1),
                        (long long)options_get_int(&options, "maxmempool", -1),
                        (long long)options_get_int(&options, "maxsigcachesize", -1),
                        options.messages.n);
    else
        got = error;
    assert_string_equal(got, want);
    xfree(got);
    options_deinit(&options);
}

#define assert_all_shared(want, ...)                                                               \
    assert_shared((const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *[]){__VA_ARGS__})),   \
                  want)

TEST(without_a_budget_nothing_is_set)
{
    assert_all_shared("-1 -1 -1 0", "-server");
    assert_all_shared("77 -1 -1 0", "-dbcache=77");
    assert_all_shared("-1 -1 -1 0", "-nomaxmem");
}

TEST(a_budget_is_shared_whole)
{
    assert_all_shared("28 14 2 3", "-maxmem=300");
    assert_all_shared("519 259 32 3", "-maxmem=1066");        /* 256 + 519 + 259 + 32 */
    assert_all_shared("15796 300 32 3", "-maxmem=16384");     /* what is over is for coins */
    assert_all_shared("1048576 300 32 3", "-maxmem=9999999"); /* as much as they may have */
}

TEST(what_is_set_is_kept_and_comes_off_the_budget)
{
    assert_all_shared("400 224 32 0", "-maxmem=1000", "-dbcache=400", "-maxsigcachesize=32",
                      "-maxmempool=224");
    assert_all_shared("400 107 21 2", "-maxmem=1000", "-dbcache=400");
    assert_all_shared("29 5 10 1", "-maxmem=300", "-maxmempool=5", "-maxsigcachesize=10");
}

TEST(the_least_is_given_where_nothing_is_left_and_that_is_told)
{
    assert_all_shared("1000 5 1 3", "-maxmem=300", "-dbcache=1000");
}

TEST(a_budget_has_a_least)
{
    assert_all_shared("-maxmem must be at least 300 MiB", "-maxmem=299");
}
