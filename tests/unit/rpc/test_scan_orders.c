/* test_scan_orders.c - the scripts that descriptors stand for, and how many there may be. */
#include "rpc/scan_orders.h"

#include "support/rpc_rig.h"
#include "support/unit.h"

#define KEY                                                                                        \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZ" \
    "PStJRJCTKvosUCJZL5B"

TEST(scripts_are_ordered_by_length_and_then_by_bytes)
{
    static const char *const in_order[] = {"", "b", "aa", "ab", "abc"};
    for (size_t i = 0; i < COUNT_OF(in_order); i++)
        for (size_t k = 0; k < COUNT_OF(in_order); k++) {
            int order =
                scan_compare_scripts(span_of_string(in_order[i]), span_of_string(in_order[k]));
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

/* A million indexes in all, those of a descriptor counted once for each script kind. */
TEST(the_indexes_of_a_call_are_bounded)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const char one[] = "{\"desc\":\"raw(51)\"}";
    static const char many[] = "{\"desc\":\"pkh(" KEY "/*)\",\"range\":[0,%d]}";
    char object[300], params[1000];
    snprintf(object, sizeof object, many, SCAN_INDEXES_MAX);
    snprintf(params, sizeof params, "[\"start\",[%s]]", object);
    assert_call(&rig, "scantxoutset", params, "-8: Range is too large");
    snprintf(object, sizeof object, many, SCAN_INDEXES_MAX - 1);
    snprintf(params, sizeof params, "[\"start\",[%s,%s]]", object, one);
    assert_call(&rig, "scantxoutset", params, "-8: Range is too large");
    snprintf(object, sizeof object, many, 20);
    snprintf(params, sizeof params, "[\"start\",[%s,%s]]", object, one);
    assert_starts(rpc_rig_call(&rig, "scantxoutset", params), "{\"success\":true");
    rpc_rig_deinit(&rig);
}
