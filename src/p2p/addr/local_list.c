/* local_list.c - see local_list.h. */
#include "p2p/addr/local_list.h"

#include <string.h>

static struct local_address *find(struct local_list *list, const struct net_address *address)
{
    for (size_t i = 0; i < list->n; i++)
        if (net_address_same_host(&list->at[i].at, address))
            return &list->at[i];
    return NULL;
}

static enum local_source best_source(const struct local_address *local)
{
    unsigned best = LOCAL_SOURCE_COUNT - 1;
    ASSERT(local->sources != 0);
    while (!(local->sources >> best & 1))
        best--;
    return (enum local_source)best;
}

bool local_list_add(struct local_list *list, enum local_source source,
                    const struct net_address *address)
{
    ASSERT(source < LOCAL_SOURCE_COUNT && address->network != NET_NONE);
    struct local_address *local = find(list, address);
    if (!local && list->n == LOCAL_LIST_MAX)
        return false;
    if (!local) {
        local = &list->at[list->n++];
        *local = (struct local_address){.at = *address};
    }
    local->sources |= 1u << source;
    local->ports[source] = address->port;
    local->at.port = local->ports[best_source(local)];
    return true;
}

void local_list_remove(struct local_list *list, enum local_source source,
                       const struct net_address *address)
{
    ASSERT(source < LOCAL_SOURCE_COUNT);
    struct local_address *local = find(list, address);
    if (!local)
        return;
    local->sources &= ~(1u << source);
    if (local->sources != 0) {
        local->at.port = local->ports[best_source(local)];
        return;
    }
    size_t n_behind = list->n - (size_t)(local - list->at) - 1;
    memmove(local, local + 1, n_behind * sizeof *local);
    list->n--;
}

bool local_list_has(const struct local_list *list, const struct net_address *address)
{
    for (size_t i = 0; i < list->n; i++)
        if (net_address_equal(&list->at[i].at, address))
            return true;
    return false;
}

int local_score(const struct local_address *local)
{
    static const int scores[LOCAL_SOURCE_COUNT] = {
        [LOCAL_INTERFACE] = 1,
        [LOCAL_BIND] = 2,
        [LOCAL_MAPPED] = 3,
        [LOCAL_SERVICE] = LOCAL_SCORE_MAX,
        [LOCAL_MANUAL] = LOCAL_SCORE_MAX,
    };
    return scores[best_source(local)];
}
