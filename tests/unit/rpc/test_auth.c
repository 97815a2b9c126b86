/* test_auth.c - the right password opens, everything else does not. */
#include <math.h>
#include <time.h>

#include "rpc/auth.h"
#include "support/unit.h"
#include "util/alloc.h"

/* The rpcauth lines and passwords of Core's rpc_users.py documentation: salt and HMAC-SHA256. */
#define RPCAUTH_RT                                                                                 \
    "rt:93648e835a54c573682c2eb19f882535$"                                                         \
    "7681e9c5b74bdd85e78166031d2058e1069b3ed7ed967c93fc63abba06f31144"

static const char *const rpcauth[] = {RPCAUTH_RT};

static struct auth *make(void)
{
    struct rpc_auth_options options = {
        .cookie = "__cookie__:0123abcd",
        .user = "alice",
        .password = "p:w\xc3\xa9",
        .rpcauth = rpcauth,
        .n_rpcauth = 1,
    };
    char *error = NULL;
    struct auth *auth = auth_new(&options, &error);
    assert_non_null(auth);
    return auth;
}

TEST(only_the_right_login_passes)
{
    /* clang-format off */
    static const struct { const char *header; bool ok; const char *user; } cases[] = {
        /* __cookie__:0123abcd */
        {"Basic X19jb29raWVfXzowMTIzYWJjZA==",  true,  "__cookie__"},
        {"Basic  X19jb29raWVfXzowMTIzYWJjZA==", true,  "__cookie__"},
        {"basic X19jb29raWVfXzowMTIzYWJjZA==",  false, ""},
        {"Bearer X19jb29raWVfXzowMTIzYWJjZA==", false, ""},
        {"X19jb29raWVfXzowMTIzYWJjZA==",        false, ""},
        {"Basic X19jb29raWVfXzowMTIzYWJjZA",    false, ""}, /* padding missing */
        {"Basic X19jb29raWVfXzowMTIzYWJjZA=*",  false, ""},
        {"Basic X19jb29raWVfXzowMTIzYWJjZB==",  false, ""}, /* unused bits set */
        {"Basic ",                              false, ""},
        {"Basic Og==",                          false, ""}, /* : */
        {"Basic YWxpY2U=",                      false, ""}, /* alice */
        /* alice:p:w\xc3\xa9 */
        {"Basic YWxpY2U6cDp3w6k=",              true,  "alice"},
        {"Basic YWxpY2U6cDp3",                  false, "alice"}, /* alice:p:w */
        {"Basic YWxpY2U6",                      false, "alice"}, /* alice: */
        {"Basic QWxpY2U6cDp3w6k=",              false, "Alice"},
        /* alice:0123abcd, a password of somebody else */
        {"Basic YWxpY2U6MDEyM2FiY2Q=",          false, "alice"},
        /* rt:cA773lm788buwYe4g4WT+05pKyNruVKjQ25x3n0DQcM= */
        {"Basic cnQ6Y0E3NzNsbTc4OGJ1d1llNGc0V1QrMDVwS3lOcnVWS2pRMjV4M24wRFFjTT0=", true, "rt"},
        /* the same without its last character */
        {"Basic cnQ6Y0E3NzNsbTc4OGJ1d1llNGc0V1QrMDVwS3lOcnVWS2pRMjV4M24wRFFjTQ==", false, "rt"},
        {NULL,                                  false, ""},
    };
    /* clang-format on */
    struct auth *auth = make();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char user[AUTH_USER_MAX];
        if (auth_check(auth, cases[i].header, user) != cases[i].ok)
            fail_msg("%s", cases[i].header ? cases[i].header : "(none)");
        assert_string_equal(user, cases[i].user);
    }
    auth_free(auth);
}

TEST(a_header_of_any_length_is_bounded)
{
    struct auth *auth = make();
    for (size_t len = 4; len <= 4096; len += 4) {
        char *header = xmalloc(len + 7);
        memcpy(header, "Basic ", 6);
        memset(header + 6, 'O', len); /* 0x38e38e: no colon until padded differently */
        header[6 + len] = 0;
        char user[AUTH_USER_MAX];
        assert_false(auth_check(auth, header, user));
        memcpy(header + 6 + len - 4, "Ojo6", 4); /* "::" and more at the end: a long user name */
        assert_false(auth_check(auth, header, user));
        xfree(header);
    }
    auth_free(auth);
}

TEST(without_credentials_nobody_passes)
{
    char *error = NULL, user[AUTH_USER_MAX];
    struct auth *auth = auth_new(&(struct rpc_auth_options){0}, &error);
    assert_false(auth_check(auth, "Basic Og==", user));
    assert_false(auth_check(auth, "Basic YTpi", user));
    auth_free(auth);
}

/* A template that was not filled in: with Core the cookie alone counts then. */
TEST(an_empty_password_is_none)
{
    const struct rpc_auth_options options = {.cookie = "__cookie__:0123abcd", .password = ""};
    char user[AUTH_USER_MAX], *error = NULL;
    struct auth *auth = auth_new(&options, &error);
    assert_non_null(auth);
    assert_false(auth_check(auth, "Basic Og==", user));     /* : */
    assert_false(auth_check(auth, "Basic YWxpY2U6", user)); /* alice: */
    assert_true(auth_check(auth, "Basic X19jb29raWVfXzowMTIzYWJjZA==", user));
    auth_free(auth);
}

TEST(malformed_rpcauth_is_refused)
{
    static const char *const lines[] = {
        "", "user", "user:salt", "user$salt:00", RPCAUTH_RT "$00", "a:" RPCAUTH_RT,
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct rpc_auth_options options = {.rpcauth = &lines[i], .n_rpcauth = 1};
        char *error = NULL;
        assert_null(auth_new(&options, &error));
        assert_non_null(strstr(error, "Invalid -rpcauth argument"));
        xfree(error);
    }
}

/* As in Core: it is taken, and no password fits. */
TEST(nobody_can_log_in_by_a_tag_that_is_none)
{
    static const char *const lines[] = {"u:salt$", "u:salt$zz", "u:salt$00", RPCAUTH_RT "0"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct rpc_auth_options options = {.rpcauth = &lines[i], .n_rpcauth = 1};
        char *error = NULL, user[AUTH_USER_MAX];
        struct auth *auth = auth_new(&options, &error);
        assert_non_null(auth);
        assert_false(auth_check(auth, "Basic dTpw", user)); /* u:p */
        assert_false(auth_check(auth, "Basic dTo=", user)); /* u: */
        auth_free(auth);
    }
}

TEST(a_whitelist_names_what_a_user_may_call)
{
    static const char *const whitelist[] = {"a:getblock, stop,help", "b:", "c", "d:stop,help",
                                            "d:help,echo"};
    /* clang-format off */
    static const struct { const char *user, *method; bool want; } cases[] = {
        {"a", "getblock", true}, {"a", "stop", true}, {"a", "help", true},
        {"a", "getbloc", false}, {"a", "getblockhash", false}, {"a", "", false},
        {"b", "stop", false}, {"c", "stop", false},
        {"d", "help", true}, {"d", "stop", false}, {"d", "echo", false},
    };
    /* clang-format on */
    for (int strict = 0; strict <= 1; strict++) {
        struct rpc_auth_options options = {.whitelist = whitelist,
                                           .n_whitelist = COUNT_OF(whitelist),
                                           .whitelist_default = strict};
        char *error = NULL;
        struct auth *auth = auth_new(&options, &error);
        for (size_t i = 0; i < COUNT_OF(cases); i++)
            assert_int_equal(auth_may_call(auth, cases[i].user, cases[i].method), cases[i].want);
        assert_int_equal(auth_may_call(auth, "other", "stop"), !strict);
        assert_int_equal(auth_may_call_any(auth, "other"), !strict);
        assert_true(auth_may_call_any(auth, "b"));
        auth_free(auth);
    }
}

/* It is known again without its credentials, and nothing else is for that. */
TEST(a_header_that_was_right_stays_right_and_makes_no_other_right)
{
    static const char right[] = "Basic X19jb29raWVfXzowMTIzYWJjZA==";
    struct auth *auth = make();
    char user[AUTH_USER_MAX];
    for (int i = 0; i < 3; i++) {
        assert_true(auth_check(auth, right, user));
        assert_string_equal(user, "__cookie__");
        assert_false(auth_check(auth, "Basic X19jb29raWVfXzowMTIzYWJjZg==", user));
        assert_string_equal(user, "__cookie__");
        assert_false(auth_check(auth, "", user));
        assert_false(auth_check(auth, NULL, user));
        assert_string_equal(user, "");
    }
    auth_free(auth);
}

/* -- Hazard F17: how long a refusal takes does not tell how good the guess was -------------------
 */

enum { GUESSES = 60000 };

/* Of the times of one kind of guess. */
struct timing {
    double n, sum, squares;
};

static double variance_of_mean(const struct timing *timing)
{
    double mean = timing->sum / timing->n;
    return (timing->squares / timing->n - mean * mean) / timing->n;
}

static void time_guess(struct auth *auth, const char *header, struct timing *timing)
{
    struct timespec begin, end;
    char user[AUTH_USER_MAX];
    clock_gettime(CLOCK_MONOTONIC, &begin);
    bool ok = auth_check(auth, header, user);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_false(ok);
    double ns = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
    if (ns > 50000) /* the machine did something else meanwhile */
        return;
    timing->n++;
    timing->sum += ns;
    timing->squares += ns * ns;
}

/* Welch's t between guesses that are wrong in the first byte and in the last, in a random order. */
TEST(the_time_of_a_refusal_does_not_tell_how_much_was_right)
{
    static const char *const headers[] = {
        "Basic X19jb29raWVfXzpmMTIzYWJjZA==", /* __cookie__:f123abcd */
        "Basic X19jb29raWVfXzowMTIzYWJjZg==", /* __cookie__:0123abcf */
    };
    struct auth *auth = make();
    struct timing timings[2] = {{0}};
    uint32_t lot = 12345;
    for (int i = 0; i < GUESSES; i++) {
        lot = lot * 1664525 + 1013904223;
        time_guess(auth, headers[lot >> 31], &timings[lot >> 31]);
    }
    assert_true(timings[0].n > GUESSES / 4 && timings[1].n > GUESSES / 4);
    double difference = timings[0].sum / timings[0].n - timings[1].sum / timings[1].n;
    double t = difference / sqrt(variance_of_mean(&timings[0]) + variance_of_mean(&timings[1]));
    if (fabs(t) >= 4.5)
        fail_msg("t = %.1f, %.1f ns", t, difference);
    auth_free(auth);
}
