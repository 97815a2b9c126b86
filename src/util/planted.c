/* planted.c - see planted.h. */
#include "util/planted.h"

#include <string.h>

#ifdef CAIRN_PLANT

static const char *const names[] = {[PLANT_NONE] = "",
#define X(name, what) [PLANT_##name] = #name,
                                    PLANTED_BUGS(X) PLANTED_WEAKNESSES(X)
#undef X
};

int planted_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (names[i] && strcmp(names[i], name ? name : "") == 0)
            return (int)i;
    return -1;
}

#endif
