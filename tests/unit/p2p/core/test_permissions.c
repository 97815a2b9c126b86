/* test_permissions.c - -whitelist and -whitebind, read strictly. */
#include "p2p/core/permissions.h"
#include "support/unit.h"
#include "util/alloc.h"

/* clang-format off */
static const struct {
    const char *text;
    bool ok, in, out;
    unsigned permissions;
} rows[] = {
    {"1.2.3.4", true, true, false, PERMISSION_IMPLICIT},
    {"10.0.0.0/8", true, true, false, PERMISSION_IMPLICIT},
    {"noban@1.2.3.4", true, true, false, PERMISSION_NOBAN | PERMISSION_DOWNLOAD},
    {"forcerelay@::1", true, true, false, PERMISSION_FORCERELAY | PERMISSION_RELAY},
    {"relay,addr@1.2.3.0/24", true, true, false, PERMISSION_RELAY | PERMISSION_ADDR},
    {"out,relay@1.2.3.4", true, false, true, PERMISSION_RELAY},
    {"in,out,all@1.2.3.4", true, true, true, PERMISSION_ALL},
    {"@1.2.3.4", true, true, false, 0},
    {"bloom,mempool,@1.2.3.4", true, true, false, PERMISSION_BLOOMFILTER | PERMISSION_MEMPOOL},
    {"fly@1.2.3.4", false, false, false, 0},
    {"noban@", false, false, false, 0},
    {"noban@1.2.3.4/33", false, false, false, 0},
    {"", false, false, false, 0},
};
/* clang-format on */

TEST(rules_are_read_with_what_names_imply)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct permission_rule rule;
        char *error = NULL;
        bool ok = permissions_parse(rows[i].text, &rule, &error);
        assert_int_equal(ok, error == NULL);
        xfree(error);
        if (ok != rows[i].ok)
            fail_msg("%s", rows[i].text);
        if (!ok)
            continue;
        assert_int_equal(rule.permissions, rows[i].permissions);
        assert_int_equal(rule.in, rows[i].in);
        assert_int_equal(rule.out, rows[i].out);
    }
}

TEST(names_before_an_address_are_split_off)
{
    unsigned permissions;
    const char *rest;
    char *error = NULL;
    assert_true(permissions_parse_names("noban@127.0.0.1:8333", &permissions, &rest, &error));
    assert_string_equal(rest, "127.0.0.1:8333");
    assert_int_equal(permissions, PERMISSION_NOBAN | PERMISSION_DOWNLOAD);
    assert_true(permissions_parse_names("in,noban@127.0.0.1:1", &permissions, &rest, &error));
    assert_null(error);
}

TEST(who_errs_is_told_where)
{
    static const struct {
        const char *range, *place, *error;
    } cases[] = {
        {"fly@1.2.3.4", NULL, "Invalid P2P permission: 'fly'"},
        {"noban,fly@1.2.3.4", NULL, "Invalid P2P permission: 'fly'"},
        {"in,out@1.2.3.4", NULL, "Only direction was set, no permissions: 'in,out@1.2.3.4'"},
        {"noban@1.2.3.4/33", NULL, "Invalid netmask specified in -whitelist: '1.2.3.4/33'"},
        {NULL, "walk@1.2.3.4:5", "Invalid P2P permission: 'walk'"},
        {NULL, "in@1.2.3.4:5", "Only direction was set, no permissions: 'in@1.2.3.4:5'"},
        {NULL, "out,noban@1.2.3.4:5",
         "whitebind may only be used for incoming connections (\"out\" was passed)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct permission_rule rule;
        unsigned permissions;
        const char *rest;
        char *error = NULL;
        assert_false(cases[i].range
                         ? permissions_parse(cases[i].range, &rule, &error)
                         : permissions_parse_names(cases[i].place, &permissions, &rest, &error));
        assert_string_equal(error, cases[i].error);
        xfree(error);
    }
}

TEST(who_names_none_gets_those_that_go_without_saying)
{
    assert_int_equal(permissions_settle(PERMISSION_IMPLICIT, PERMISSION_NOBAN), PERMISSION_NOBAN);
    assert_int_equal(permissions_settle(PERMISSION_ADDR, PERMISSION_NOBAN), PERMISSION_ADDR);
}

TEST(names_are_listed_one_by_one)
{
    unsigned permissions = PERMISSION_NOBAN | PERMISSION_ADDR;
    assert_string_equal(permissions_next_name(&permissions), "noban");
    assert_string_equal(permissions_next_name(&permissions), "addr");
    assert_null(permissions_next_name(&permissions));
    size_t n = 0;
    permissions = PERMISSION_ALL;
    while (permissions_next_name(&permissions))
        n++;
    assert_int_equal(n, 7);
}
