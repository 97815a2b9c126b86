/* map_health.c - see map_health.h. */
#include "p2p/map_health.h"

#include <stdlib.h>

#include "p2p/state.h"

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void look(const struct p2p *p2p)
{
    ARRAY(uint32_t) asns = {NULL, 0, 0};
    struct address_entry entry;
    size_t at = 0, n_unmapped = 0, n_kinds = 0;
    while (address_book_next(p2p->book, &at, &entry)) {
        const struct net_address *address = &entry.address.at;
        if (address->network != NET_IPV4 && address->network != NET_IPV6)
            continue;
        uint32_t asn = net_grouping_asn(&p2p->grouping, address);
        n_unmapped += asn == 0;
        *ARRAY_ADD(&asns) = asn;
    }
    if (asns.n > 0)
        qsort(asns.at, asns.n, sizeof asns.at[0], by_number);
    for (size_t i = 0; i < asns.n; i++)
        n_kinds += asns.at[i] != 0 && (i == 0 || asns.at[i] != asns.at[i - 1]);
    log_printf(p2p->log, LOG_ALWAYS,
               "ASMap Health Check: %zu clearnet peers are mapped to %zu ASNs with %zu peers being "
               "unmapped",
               asns.n, n_kinds, n_unmapped);
    ARRAY_FREE(&asns);
}

int64_t map_health_tick(struct p2p *p2p, int64_t now_us)
{
    if (p2p->grouping.asmap.len == 0)
        return INT64_MAX;
    if (p2p->next_map_health_us <= now_us) {
        p2p->next_map_health_us = now_us + MAP_HEALTH_US;
        look(p2p);
    }
    return p2p->next_map_health_us;
}
