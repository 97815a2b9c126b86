/* sim_option.c - see sim_option.h. */
#include "support/sim_option.h"

#include <stdlib.h>
#include <string.h>

bool sim_option(const char *arg, const char *name, uint64_t *value)
{
    size_t len = strlen(name);
    if (strncmp(arg, name, len) != 0 || arg[len] != '=')
        return false;
    *value = strtoull(arg + len + 1, NULL, 10);
    return true;
}
