/* test_node_repair.c - which rebuild is ordered for which damage, and what is said of it. */
#include "node/node_repair.h"

#include <string.h>

#include "support/unit.h"
#include "util/alloc.h"

TEST(damaged_coins_are_made_anew_and_a_damaged_index_with_them)
{
    struct chain_options options = {0};
    char *text = node_repair_order(&options, CHAIN_DAMAGE_COINS, "the coins are bad\nsecond line");
    assert_true(options.reindex_chainstate && !options.reindex && options.is_repair);
    assert_non_null(strstr(text, "coins database"));
    assert_non_null(strstr(text, "the coins are bad"));
    assert_null(strstr(text, "second line"));
    xfree(text);
    text = node_repair_order(&options, CHAIN_DAMAGE_INDEX, "the index is bad");
    assert_true(options.reindex && !options.reindex_chainstate);
    assert_non_null(strstr(text, "as -reindex does"));
    xfree(text);
}

TEST(a_pruned_node_is_told_why_it_cannot)
{
    char *text = node_repair_refuse(xstrdup("The index is bad"));
    assert_int_equal(strncmp(text, "The index is bad (a pruned node", 31), 0);
    xfree(text);
}
