/* test_ban_list.c - bans are kept in order, end in time, and are bounded in number. */
#include "p2p/addr/ban_list.h"
#include "support/unit.h"
#include "util/assert.h"

static struct net_range range_of(const char *text)
{
    struct net_range range;
    if (!ban_range_parse(text, &range))
        fail_msg("%s is no range", text);
    return range;
}

static struct net_address address_of(const char *text)
{
    struct net_address address;
    assert_true(net_address_parse(text, 8333, &address));
    return address;
}

static bool add(struct ban_list *list, const char *text, int64_t created_s, int64_t until_s)
{
    return ban_list_add(list, &(struct ban){range_of(text), created_s, until_s});
}

static bool has(const struct ban_list *list, const char *text, int64_t now_s)
{
    struct net_address address = address_of(text);
    return ban_list_has(list, &address, now_s);
}

/* clang-format off */
static const struct {
    const char *text, *shown; /* NULL: refused */
} texts[] = {
    {"1.2.3.4", "1.2.3.4/32"},
    {"127.0.0.1/8", "127.0.0.0/8"},
    {"1.2.3.4/255.255.0.0", "1.2.0.0/16"},
    {"0.0.0.0/0", "0.0.0.0/0"},
    {"1.2.3.255/31", "1.2.3.254/31"},
    {"::1", "::1/128"},
    {"[::1]", "::1/128"},
    {"2a01:4d48:ac57:400:cacf:e9ff:fe1d:9c63/19", "2a01:4000::/19"},
    {"::ffff:1.2.3.4", "1.2.3.4/32"},
    {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
     "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"},
    {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/16", NULL},
    {"0.0.0.0", NULL}, /* nobody's */
    {"2001:db8::1", NULL},
    {"1.2.3.4:8333", NULL},
    {"1.2.3.4/42", NULL},
    {"::/129", NULL},
    {"1.2.3.4/", NULL},
    {"/8", NULL},
    {"example.com", NULL},
    {"", NULL},
};
/* clang-format on */

TEST(ranges_are_read_and_shown_in_one_form)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct net_range range;
        char shown[NET_ADDRESS_TEXT_MAX];
        if (ban_range_parse(texts[i].text, &range) != (texts[i].shown != NULL))
            fail_msg("%s", texts[i].text);
        if (!texts[i].shown)
            continue;
        assert_string_equal(ban_range_format(&range, shown), texts[i].shown);
        struct net_range again = range_of(shown);
        assert_memory_equal(&again, &range, sizeof range);
    }
}

TEST(bans_hold_until_their_time)
{
    struct ban_list list;
    ban_list_init(&list);
    assert_true(add(&list, "10.0.0.0/8", 100, 200));
    assert_true(add(&list, "1.2.3.4", 100, 150));
    assert_true(has(&list, "10.9.8.7", 199));
    assert_false(has(&list, "10.9.8.7", 200));
    assert_true(has(&list, "1.2.3.4", 149));
    assert_false(has(&list, "1.2.3.4", 150));
    assert_false(has(&list, "1.2.3.5", 100));
    assert_false(has(&list, "::10.9.8.7", 100));
    struct net_range range = range_of("10.0.0.0/8"), inner = range_of("10.0.0.0/9");
    assert_true(ban_list_has_range(&list, &range, 199));
    assert_false(ban_list_has_range(&list, &range, 200));
    assert_false(ban_list_has_range(&list, &inner, 150));
    ban_list_sweep(&list, 150);
    assert_int_equal(list.n, 1);
    assert_true(ban_list_has_range(&list, &range, 150));
    ban_list_sweep(&list, 200);
    assert_int_equal(list.n, 0);
    ban_list_deinit(&list);
}

TEST(the_list_is_in_order_and_has_each_range_once)
{
    static const char *const in[] = {"2a00::/16",   "1.2.3.4",    "10.0.0.0/8",
                                     "10.0.0.0/16", "9.0.0.0/30", "2a00::1"};
    static const char *const want[] = {"1.2.3.4/32",  "9.0.0.0/30", "10.0.0.0/8",
                                       "10.0.0.0/16", "2a00::/16",  "2a00::1/128"};
    struct ban_list list;
    ban_list_init(&list);
    for (size_t i = 0; i < COUNT_OF(in); i++)
        assert_true(add(&list, in[i], 1, 1000 + (int64_t)i));
    assert_true(add(&list, "10.0.0.0/8", 5, 1001)); /* shorter: nothing changes */
    assert_true(add(&list, "9.0.0.0/30", 5, 2000)); /* longer */
    assert_int_equal(list.n, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        char shown[NET_ADDRESS_TEXT_MAX];
        assert_string_equal(ban_range_format(&list.at[i].range, shown), want[i]);
    }
    assert_int_equal(list.at[2].until_s, 1002);
    assert_int_equal(list.at[2].created_s, 1);
    assert_int_equal(list.at[1].until_s, 2000);
    assert_int_equal(list.at[1].created_s, 5);
    struct net_range range = range_of("10.0.0.0/8");
    assert_true(ban_list_remove(&list, &range));
    assert_false(ban_list_remove(&list, &range));
    assert_int_equal(list.n, COUNT_OF(want) - 1);
    assert_true(has(&list, "10.0.1.1", 1)); /* by the other range */
    assert_false(has(&list, "10.1.1.1", 1));
    ban_list_clear(&list);
    assert_int_equal(list.n, 0);
    ban_list_deinit(&list);
}

TEST(a_full_list_takes_no_more)
{
    struct ban_list list;
    ban_list_init(&list);
    for (unsigned i = 0; i <= BAN_LIST_MAX; i++) {
        uint8_t bytes[] = {1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        struct ban ban = {{net_address_of_ipv4(bytes, 0), 32}, 1, 1000};
        assert_int_equal(ban_list_add(&list, &ban), i < BAN_LIST_MAX);
    }
    assert_int_equal(list.n, BAN_LIST_MAX);
    assert_true(add(&list, "1.0.0.7", 1, 2000)); /* it is there already */
    assert_false(add(&list, "2.0.0.7", 1, 2000));
    struct net_range range = range_of("1.0.0.7");
    assert_true(ban_list_remove(&list, &range));
    assert_true(add(&list, "2.0.0.7", 1, 2000));
    assert_true(has(&list, "1.0.39.15", 1)); /* number 9,999 */
    assert_false(has(&list, "1.0.39.16", 1));
    ban_list_deinit(&list);
}
