/* test_scan_orders.c - the scripts that descriptors stand for, and how many there may be. */
#include "rpc/scan_orders.h"

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

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

/* Twenty keys at 200,001 indexes are more than four million; keys of musig() count. */
TEST(the_keys_of_a_call_are_bounded)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        enum { KEYS = 20 };
        struct buffer keys;
        buffer_init(&keys);
        for (int k = 0; k < KEYS; k++)
            buffer_append_format(&keys, "%s" KEY "%s", i == 1 && k == 0 ? "" : ",",
                                 i == 0 ? "/*" : "");
        buffer_append(&keys, "", 1);
        char *desc =
            xasprintf(i == 0 ? "wsh(multi(1%s))" : "rawtr(musig(%s)/0/*)", (const char *)keys.p);
        char *params = xasprintf("[\"start\",[{\"desc\":\"%s\",\"range\":[0,%d]}]]", desc,
                                 SCAN_KEYS_MAX / KEYS);
        assert_call(&rig, "scantxoutset", params, "-8: Range is too large");
        assert_starts(rpc_rig_callf(&rig, "scantxoutset",
                                    "[\"start\",[{\"desc\":\"%s\",\"range\":[0,2]}]]", desc),
                      "{\"success\":true");
        xfree(params);
        xfree(desc);
        buffer_deinit(&keys);
    }
    rpc_rig_deinit(&rig);
}

static void count_script(void *arg, const struct scan_script *made)
{
    size_t *n = arg;
    assert_int_equal(made->script.len, 34);
    assert_int_equal(made->script.p[0], 0x51);
    ++*n;
}

/* What is derived on the way goes: a script of 34 bytes stays of a hundred keys. */
TEST(scripts_alone_are_kept)
{
    enum { KEYS = 100, INDEXES = 50 };
    static const uint8_t seed[32] = {3};
    struct ec_context *ec = ec_context_new(seed);
    struct scan_orders orders;
    struct scan_order order = {.first = 0, .last = INDEXES - 1};
    struct buffer text;
    size_t n = 0;
    buffer_init(&text);
    buffer_append_string(&text, "tr(" KEY ",multi_a(1");
    for (int k = 0; k < KEYS; k++)
        buffer_append_string(&text, "," KEY "/*");
    buffer_append_string(&text, "))");
    scan_orders_init(&orders, ec);
    assert_true(desc_parse(ec, network_get(NETWORK_REGTEST), buffer_span(&text), &orders.arena,
                           &order.list));
    orders.at = &order;
    orders.n = 1;
    size_t before = orders.arena.total_bytes;
    scan_orders_derive(&orders, count_script, &n);
    assert_int_equal(n, INDEXES);
    assert_in_range(orders.arena.total_bytes, before, before + 100000);
    scan_orders_deinit(&orders);
    buffer_deinit(&text);
    ec_context_free(ec);
}
