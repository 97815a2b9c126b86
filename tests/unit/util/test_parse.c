/* test_parse.c - integers and amounts as text: both sides of every limit. */
#include "support/unit.h"
#include "util/parse.h"

#define BAD INT64_MIN /* marks rows that must be refused; the number itself has its own row */

/* clang-format off */
static const struct { const char *text; int64_t want; } integers[] = {
    {"0", 0}, {"-0", 0}, {"7", 7}, {"-7", -7}, {"007", 7},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", BAD},
    {"-9223372036854775807", -INT64_MAX},
    {"-9223372036854775809", BAD},
    {"18446744073709551616", BAD},
    {"99999999999999999999999", BAD},
    {"", BAD}, {"-", BAD}, {"+1", BAD}, {"--1", BAD}, {" 1", BAD}, {"1 ", BAD}, {"1x", BAD},
    {"0x10", BAD}, {"1.0", BAD}, {"1e3", BAD}, {"abc", BAD},
};

static const struct { const char *text; int64_t want_sat; } amounts[] = {
    {"0", 0}, {"-0", 0}, {"0.0", 0}, {"0.00000000", 0}, {"0.000000000000", 0},
    {"1", 100000000}, {"1.0", 100000000}, {"-1", -100000000},
    {"1.23456789", 123456789}, {"-1.23456789", -123456789},
    {"0.00000001", 1}, {"-0.00000001", -1},
    {"0.000000001", BAD}, {"1.234567891", BAD},
    {"0.00000001000000001", BAD},
    {"1.10000000000000000", 110000000},      /* zeros behind lose nothing */
    {"1.1e1", 1100000000}, {"1.1e-1", 11000000}, {"1E+2", 10000000000}, {"1e-8", 1},
    {"1e-9", BAD}, {"10e-9", 1}, {"0.01e-6", 1}, {"0.00000001e8", 100000000},
    {"1000000000.00000001", 100000000000000001},
    {"9999999999.99999999", 999999999999999999},
    {"-9999999999.99999999", -999999999999999999},
    {"10000000000", BAD}, {"10000000000.00000000", BAD}, {"-10000000000.00000001", BAD},
    {"9999999999.999999990", 999999999999999999}, {"9999999999.999999991", BAD},
    {"21000000", 2100000000000000},
    {"1e9", 100000000000000000}, {"1e10", BAD}, {"1e1000000000000000000000", BAD},
    {"1e-1000000000000000000000", BAD},
    {"", BAD}, {"-", BAD}, {".", BAD}, {".1", BAD}, {"1.", BAD}, {"00", BAD}, {"00.1", BAD},
    {"01", BAD}, {"-01", BAD}, {"+1", BAD}, {"--1", BAD}, {"1e", BAD}, {"1e+", BAD}, {"1e-", BAD},
    {"1.e1", BAD}, {"1..1", BAD}, {"1.1.1", BAD}, {" 1", BAD}, {"1 ", BAD}, {"1,5", BAD},
    {"a", BAD}, {"1a", BAD}, {"1.a", BAD}, {"0x1", BAD}, {"inf", BAD}, {"nan", BAD},
};
/* clang-format on */

TEST(integers_are_read_whole_or_not_at_all)
{
    for (size_t i = 0; i < COUNT_OF(integers); i++) {
        int64_t got = 55;
        bool ok = parse_int64(integers[i].text, &got);
        if (ok != (integers[i].want != BAD))
            fail_msg("\"%s\"", integers[i].text);
        assert_int_equal(got, ok ? integers[i].want : 55);
    }
    int64_t least;
    assert_true(parse_int64("-9223372036854775808", &least));
    assert_true(least == INT64_MIN);
}

TEST(unsigned_integers_have_their_own_limit)
{
    uint64_t got = 0;
    assert_true(parse_uint64("18446744073709551615", &got));
    assert_true(got == UINT64_MAX);
    assert_false(parse_uint64("18446744073709551616", &got));
    assert_false(parse_uint64("-1", &got));
    assert_false(parse_uint64("", &got));
}

TEST(amounts_are_exact_or_refused)
{
    for (size_t i = 0; i < COUNT_OF(amounts); i++) {
        int64_t got = 55;
        bool ok = parse_fixed_point(amounts[i].text, strlen(amounts[i].text), 8, &got);
        if (ok != (amounts[i].want_sat != BAD))
            fail_msg("\"%s\"", amounts[i].text);
        assert_int_equal(got, ok ? amounts[i].want_sat : 55);
    }
}

TEST(the_length_ends_the_number)
{
    int64_t got = 0;
    assert_true(parse_fixed_point("1.25}", 4, 8, &got));
    assert_int_equal(got, 125000000);
    assert_true(parse_fixed_point("1.255", 5, 3, &got));
    assert_int_equal(got, 1255);
    assert_false(parse_fixed_point("1.255", 5, 2, &got));
}

TEST(amounts_in_messages_have_two_decimals_at_least)
{
    static const struct {
        int64_t amount_sat;
        const char *want;
    } rows[] = {
        {0, "0.00"},           {1, "0.00000001"},
        {-150000000, "-1.50"}, {INT64_C(5000000000), "50.00"},
        {123450000, "1.2345"}, {INT64_C(2100000000000000), "21000000.00"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[AMOUNT_STRING_BYTES];
        assert_string_equal(format_money(rows[i].amount_sat, out), rows[i].want);
    }
}

/* Spec: Core ParseByteUnits(), whose letters tell powers of 1000 from those of 1024 by case. */
TEST(counts_of_bytes_may_have_a_unit)
{
    static const struct {
        const char *text;
        uint64_t want;
    } good[] = {
        {"0", 0},
        {"7", 7 * UINT64_C(1048576)},
        {"7k", 7000},
        {"7K", 7168},
        {"7m", 7000000},
        {"800M", 800 * UINT64_C(1048576)},
        {"1g", 1000000000},
        {"1G", 1073741824},
        {"1t", UINT64_C(1000000000000)},
        {"1T", UINT64_C(1099511627776)},
        {"17592186044415", UINT64_C(17592186044415) << 20},
        {"16777215T", UINT64_C(16777215) << 40},
    };
    static const char *const bad[] = {"",
                                      "k",
                                      "abc",
                                      "7x",
                                      "7 M",
                                      "7kk",
                                      "-1",
                                      "+1",
                                      "1.5M",
                                      " 7",
                                      "16777216T",
                                      "7MM",
                                      "17592186044416",
                                      "18446744073709551616k"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t got = UINT64_MAX;
        if (!parse_bytes(good[i].text, 1048576, &got) || got != good[i].want)
            fail_msg("%s: %llu", good[i].text, (unsigned long long)got);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t got = 5;
        if (parse_bytes(bad[i], 1048576, &got) || got != 5)
            fail_msg("accepted: %s", bad[i]);
    }
}

/* As config files have them; limits on both sides. */
TEST(money_is_digits_and_a_point)
{
    /* clang-format off */
    static const struct { const char *text; int64_t want_sat; } good[] = {
        {"0", 0}, {"1", 100000000}, {"0.00000001", 1}, {"1.5", 150000000}, {".5", 50000000},
        {"1.", 100000000}, {".", 0}, {" \t0.1\n", 10000000}, {"007", 700000000},
        {"9999999999.99999999", 999999999999999999},
    };
    static const char *const bad[] = {
        "", " ", "-1", "+1", "1e3", "1,5", "0.000000001", "1.2.3", "0 1", "x", "1x", "12345678901",
        "0x1", "1. 5",
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t sat = -1;
        assert_true(parse_money(good[i].text, &sat));
        assert_int_equal(sat, good[i].want_sat);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t sat = -1;
        if (parse_money(bad[i], &sat))
            fail_msg("taken: '%s'", bad[i]);
        assert_int_equal(sat, -1);
    }
}
