/* config_memory.c - see config_memory.h */
#include "host/config_memory.h"

#include <stdio.h>

#include "util/alloc.h"

/* In this order each takes a part of what the ones before have left, the last all of it. The
 * mempool's unit is a million bytes, which is a little less. */
static const struct share {
    const char *option;
    int64_t least, most, divisor;
} shares[] = {
    {"maxsigcachesize", 1, 32, 16},
    {"maxmempool", 5, 300, 3},
    {"dbcache", 4, 1024 * 1024, 1},
};

static int64_t part_of(int64_t left_mib, const struct share *share)
{
    int64_t part = left_mib / share->divisor;
    return part < share->least ? share->least : part > share->most ? share->most : part;
}

/* What the user has said himself comes off the budget first. */
static int64_t left_by_explicit(const struct options *options, int64_t budget_mib)
{
    int64_t left = budget_mib - CONFIG_MEMORY_FIXED_MIB;
    for (size_t i = 0; i < COUNT_OF(shares); i++)
        if (options_is_set(options, shares[i].option))
            left -= options_get_int(options, shares[i].option, 0);
    return left;
}

bool config_share_memory(struct options *options, char **error)
{
    ASSERT(options && error);
    if (!options_is_set(options, "maxmem") || options_is_negated(options, "maxmem"))
        return true;
    int64_t budget_mib = options_get_int(options, "maxmem", 0);
    if (budget_mib < CONFIG_MEMORY_LEAST_MIB) {
        *error = xasprintf("-maxmem must be at least %d MiB", CONFIG_MEMORY_LEAST_MIB);
        return false;
    }
    int64_t left_mib = left_by_explicit(options, budget_mib);
    if (left_mib < 0)
        options_message(options, OPTION_MESSAGE_TOLD,
                        "-dbcache, -maxmempool and -maxsigcachesize as they are set take %lld MiB "
                        "more than -maxmem=%lld leaves for them.",
                        (long long)-left_mib, (long long)budget_mib);
    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        char value[24];
        int64_t part_mib = part_of(left_mib, &shares[i]);
        snprintf(value, sizeof value, "%lld", (long long)part_mib);
        if (!options_imply(options, shares[i].option, value))
            continue;
        left_mib -= part_mib;
        options_message(options, OPTION_MESSAGE_LOGGED,
                        "parameter interaction: -maxmem=%lld -> setting -%s=%s",
                        (long long)budget_mib, shares[i].option, value);
    }
    return true;
}
