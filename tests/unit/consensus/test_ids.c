/* test_ids.c - ids in order, each once. */
#include "consensus/ids.h"
#include "support/unit.h"
#include "util/assert.h"

TEST(ids_are_sorted_by_their_bytes_and_kept_once)
{
    struct txid ids[] = {{{2, 1}}, {{1, 9}}, {{2}}, {{1, 9}}, {{2, 1}}, {{2, 1}}};
    static const struct txid want[] = {{{1, 9}}, {{2}}, {{2, 1}}};
    assert_int_equal(txids_sort_unique(ids, COUNT_OF(ids)), COUNT_OF(want));
    assert_memory_equal(ids, want, sizeof want);
    assert_int_equal(txids_sort_unique(ids, 1), 1);
    assert_int_equal(txids_sort_unique(NULL, 0), 0);
}
