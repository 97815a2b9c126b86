/* test_node_warnings.c - the latest word of each source. */
#include "node/node_warnings.h"

#include "support/unit.h"

static void count(void *ctx, const char *message)
{
    assert_true(*message);
    ++*(int *)ctx;
}

TEST(the_latest_word_of_each_source_is_kept)
{
    int n = 0;
    size_t index;
    struct node_warnings warnings = {.ctx = &n, .alert = count};
    node_warnings_set(&warnings, WARNING_OF_FORKS, "forks");
    node_warnings_set(&warnings, WARNING_OF_CHAIN, "one");
    node_warnings_set(&warnings, WARNING_OF_CHAIN, "two");
    assert_int_equal(n, 3);
    assert_string_equal(node_warnings_get(&warnings, &(size_t){0}), "two");
    assert_string_equal(node_warnings_get(&warnings, &(size_t){1}), "forks");
    index = 5;
    assert_null(node_warnings_get(&warnings, &index));
    assert_int_equal(index, 3);
    node_warnings_set(&warnings, WARNING_OF_CHAIN, "");
    assert_int_equal(n, 3);
    assert_string_equal(node_warnings_get(&warnings, &(size_t){0}), "forks");
    node_warnings_deinit(&warnings);
}
