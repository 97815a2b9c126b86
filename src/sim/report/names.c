/* names.c - see names.h */
#include "sim/report/names.h"

#include <string.h>

bool names_add(struct names *names, struct span name, size_t max, uint32_t *index)
{
    ASSERT(names && index && max <= UINT32_MAX);
    for (size_t i = 0; i < names->list.n; i++) {
        if (!span_equal(span_of_string(names->list.at[i]), name))
            continue;
        *index = (uint32_t)i;
        return true;
    }
    if (names->list.n >= max || name.len == 0 || name.len > NAME_BYTES_MAX)
        return false;
    char *copy = xmalloc(name.len + 1);
    memcpy(copy, name.p, name.len);
    copy[name.len] = 0;
    *index = (uint32_t)names->list.n;
    *ARRAY_ADD(&names->list) = copy;
    return true;
}

const char *names_get(const struct names *names, uint32_t index)
{
    ASSERT(names && index < names->list.n);
    return names->list.at[index];
}

void names_free(struct names *names)
{
    ASSERT(names);
    for (size_t i = 0; i < names->list.n; i++)
        xfree(names->list.at[i]);
    ARRAY_FREE(&names->list);
}
