/* test_chain_rules.c - chains that differ in a rule differ in magic and tag, and are told how. */
#include "node/chain_rules.h"
#include "unit/node/chain_text.h"

FIXTURE(arena_setup, arena_teardown)

static void differ(struct arena *arena, const char *more, const char *want)
{
    struct network plain, other;
    assert_chain_taken(arena, CHAIN_TEXT(""), &plain);
    assert_chain_taken(arena, more, &other);
    assert_string_not_equal(plain.rules_tag, other.rules_tag);
    assert_memory_not_equal(plain.magic, other.magic, 4);
    char *difference = chain_rules_difference(plain.rules, other.rules);
    assert_string_equal(difference, want);
    xfree(difference);
}

TEST(each_rule_counts, struct arena *arena)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {CHAIN_TEXT(",\"block_spacing_s\": 599"), "block_spacing_s was 600, and is 599 now"},
        {CHAIN_TEXT(",\"retarget_interval\": 144"), "retarget_interval was null, and is 144 now"},
        {CHAIN_TEXT(",\"min_difficulty\": true"), "min_difficulty was false, and is true now"},
        {CHAIN_TEXT(",\"bip94\": true"), "bip94 was false, and is true now"},
        {CHAIN_TEXT(",\"subsidy\": 25"), "subsidy was 50.00, and is 25.00 now"},
        {CHAIN_TEXT(",\"halving_interval\": 151"), "halving_interval was 150, and is 151 now"},
        {CHAIN_TEXT(",\"coinbase_maturity\": 99"), "coinbase_maturity was 100, and is 99 now"},
        {CHAIN_TEXT(",\"activation_heights\": {\"segwit\": 3}"), "segwit was 0, and is 3 now"},
        {CHAIN_TEXT(",\"signet_challenge\": \"51\""), "signet_challenge was null, and is 51 now"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        differ(arena, rows[i].text, rows[i].want);
}

TEST(what_is_no_rule_does_not_count, struct arena *arena)
{
    struct network plain, other;
    assert_chain_taken(arena, CHAIN_TEXT(""), &plain);
    assert_chain_taken(arena, CHAIN_TEXT(",\"addresses\": {\"hrp\": \"xy\"}, \"seeds\": [\"a\"]"),
                       &other);
    assert_string_equal(plain.rules_tag, other.rules_tag);
    assert_memory_equal(plain.magic, other.magic, 4);
    assert_null(chain_rules_difference(plain.rules, other.rules));
}

TEST(a_magic_that_is_given_hides_no_rule, struct arena *arena)
{
    struct network plain, other;
    assert_chain_taken(arena, CHAIN_TEXT(",\"magic\": \"00000001\""), &plain);
    assert_chain_taken(arena, CHAIN_TEXT(",\"magic\": \"00000001\", \"bip94\": true"), &other);
    assert_memory_equal(plain.magic, other.magic, 4);
    assert_string_not_equal(plain.rules_tag, other.rules_tag);
    assert_chain_taken(arena, CHAIN_TEXT(",\"magic\": \"00000002\""), &other);
    assert_string_equal(plain.rules_tag, other.rules_tag);
    char *difference = chain_rules_difference(plain.rules, other.rules);
    assert_string_equal(difference, "magic was 00000001, and is 00000002 now");
    xfree(difference);
}

TEST(a_damaged_record_is_no_match)
{
    static const char *const records[] = {"", "a 1", "a 2\nb 1\n", "x\n\ny", "a 1\nb 1\nc 1\n"};
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        char *difference = chain_rules_difference(records[i], "a 1\nb 1\n");
        assert_non_null(difference);
        xfree(difference);
    }
}
