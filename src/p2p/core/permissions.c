/* permissions.c - see permissions.h. */
#include "p2p/core/permissions.h"

#include <string.h>

#include "util/alloc.h"

/* In Core's order of getpeerinfo. noban implies download, forcerelay implies relay. */
static const struct {
    const char *name;
    unsigned bits;
} names[] = {
    {"bloomfilter", PERMISSION_BLOOMFILTER},
    {"bloom", PERMISSION_BLOOMFILTER},
    {"noban", PERMISSION_NOBAN | PERMISSION_DOWNLOAD},
    {"forcerelay", PERMISSION_FORCERELAY | PERMISSION_RELAY},
    {"relay", PERMISSION_RELAY},
    {"mempool", PERMISSION_MEMPOOL},
    {"download", PERMISSION_DOWNLOAD},
    {"addr", PERMISSION_ADDR},
    {"all", PERMISSION_ALL},
};

static bool add_name(const char *name, size_t len, struct permission_rule *rule)
{
    if (len == 2 && memcmp(name, "in", 2) == 0) {
        rule->in = true;
        return true;
    }
    if (len == 3 && memcmp(name, "out", 3) == 0) {
        rule->out = true;
        return true;
    }
    if (len == 0) /* Core lets empty names pass: "noban,@1.2.3.4" */
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0) {
            rule->permissions |= names[i].bits;
            return true;
        }
    return false;
}

/* Names up to '@', if there is one. Returns where the rest starts, or NULL with *error. */
static const char *parse_names(const char *text, struct permission_rule *rule, char **error)
{
    const char *at = strchr(text, '@'), *name = text;
    *rule = (struct permission_rule){0};
    if (!at) {
        rule->permissions = PERMISSION_IMPLICIT;
        return text;
    }
    while (name <= at) {
        size_t len = strcspn(name, ",@");
        if (!add_name(name, len, rule)) {
            *error = xasprintf("Invalid P2P permission: '%.*s'", (int)len, name);
            return NULL;
        }
        name += len + 1;
    }
    if (rule->permissions == 0 && (rule->in || rule->out)) {
        *error = xasprintf("Only direction was set, no permissions: '%s'", text);
        return NULL;
    }
    return at + 1;
}

bool permissions_parse(const char *text, struct permission_rule *out, char **error)
{
    ASSERT(text && out && error);
    const char *range = parse_names(text, out, error);
    if (!range)
        return false;
    if (!net_range_parse(range, &out->range))
        return fail_with(error, "Invalid netmask specified in -whitelist: '%s'", range);
    if (!out->in && !out->out)
        out->in = true;
    return true;
}

bool permissions_parse_names(const char *text, unsigned *permissions, const char **rest,
                             char **error)
{
    ASSERT(text && permissions && rest && error);
    struct permission_rule rule;
    *rest = parse_names(text, &rule, error);
    *permissions = rule.permissions;
    if (*rest && rule.out)
        return fail_with(error, "whitebind may only be used for incoming connections "
                                "(\"out\" was passed)");
    return *rest != NULL;
}

unsigned permissions_settle(unsigned permissions, unsigned implicit)
{
    ASSERT((implicit & ~(unsigned)PERMISSION_ALL) == 0);
    if (!(permissions & PERMISSION_IMPLICIT))
        return permissions;
    return (permissions & ~(unsigned)PERMISSION_IMPLICIT) | implicit;
}

/* Not from the table above, which has one bit under two names and names that stand for several. */
const char *permissions_next_name(unsigned *permissions)
{
    static const char *const by_bit[] = {"bloomfilter", "noban",    "forcerelay", "relay",
                                         "mempool",     "download", "addr"};
    for (unsigned i = 0; i < COUNT_OF(by_bit); i++)
        if (*permissions >> i & 1) {
            *permissions &= ~(1u << i);
            return by_bit[i];
        }
    return NULL;
}

unsigned permissions_of(const struct permission_rule *rules, size_t n,
                        const struct net_address *address, bool inbound)
{
    unsigned permissions = 0;
    ASSERT(rules || n == 0);
    for (size_t i = 0; i < n; i++)
        if ((inbound ? rules[i].in : rules[i].out) && net_range_contains(&rules[i].range, address))
            permissions |= rules[i].permissions;
    return permissions;
}
