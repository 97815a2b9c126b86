/* ban_list.c - see ban_list.h. */
#include "p2p/addr/ban_list.h"

#include <stdio.h>
#include <string.h>

#include "util/array.h"

void ban_list_init(struct ban_list *list)
{
    *list = (struct ban_list){0};
}

void ban_list_deinit(struct ban_list *list)
{
    xfree(list->at);
    ban_list_init(list);
}

/* An order of its own, not Core's: only setban's exact ranges are looked up by it. */
static int compare(const struct net_range *a, const struct net_range *b)
{
    if (a->base.network != b->base.network)
        return a->base.network < b->base.network ? -1 : 1;
    int order = memcmp(a->base.bytes, b->base.bytes, sizeof a->base.bytes);
    if (order != 0 || a->bits == b->bits)
        return order;
    return a->bits < b->bits ? -1 : 1;
}

/* Where the ban of that range is, or would be. */
static size_t find(const struct ban_list *list, const struct net_range *range, bool *is_there)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&list->at[middle].range, range) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there = low < list->n && compare(&list->at[low].range, range) == 0;
    return low;
}

bool ban_list_add(struct ban_list *list, const struct ban *ban)
{
    ASSERT(ban->range.bits <= 8 * NET_ADDRESS_BYTES_MAX && list->n <= BAN_LIST_MAX);
    bool is_there;
    size_t at = find(list, &ban->range, &is_there);
    if (is_there) {
        if (list->at[at].until_s < ban->until_s)
            list->at[at] = *ban;
        return true;
    }
    if (list->n == BAN_LIST_MAX)
        return false;
    ARRAY_RESERVE(list, 1);
    memmove(list->at + at + 1, list->at + at, (list->n++ - at) * sizeof *list->at);
    list->at[at] = *ban;
    ASSERT(list->n <= BAN_LIST_MAX);
    return true;
}

bool ban_list_remove(struct ban_list *list, const struct net_range *range)
{
    bool is_there;
    size_t at = find(list, range, &is_there);
    if (!is_there)
        return false;
    ARRAY_REMOVE(list, at);
    return true;
}

void ban_list_clear(struct ban_list *list)
{
    ban_list_deinit(list);
}

void ban_list_sweep(struct ban_list *list, int64_t now_s)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (now_s < list->at[i].until_s)
            list->at[kept++] = list->at[i];
    list->n = kept;
}

/* One after the other, since ranges may lie within each other; the list is bounded (hazard 57). */
bool ban_list_has(const struct ban_list *list, const struct net_address *address, int64_t now_s)
{
    for (size_t i = 0; i < list->n; i++)
        if (now_s < list->at[i].until_s && net_range_contains(&list->at[i].range, address))
            return true;
    return false;
}

bool ban_list_has_range(const struct ban_list *list, const struct net_range *range, int64_t now_s)
{
    ASSERT(range->bits <= 8 * NET_ADDRESS_BYTES_MAX);
    bool is_there;
    size_t at = find(list, range, &is_there);
    return is_there && now_s < list->at[at].until_s;
}

/* -- As text ------------------------------------------------------------------------------------
 */

bool ban_range_parse(const char *text, struct net_range *out)
{
    if (!net_range_parse(text, out) || (!strchr(text, '/') && !net_address_is_valid(&out->base)))
        return false;
    ASSERT(out->bits <= 8 * NET_ADDRESS_BYTES_MAX && out->base.port == 0);
    for (unsigned i = out->bits; i < 8 * NET_ADDRESS_BYTES_MAX; i++)
        out->base.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    return true;
}

char *ban_range_format(const struct net_range *range, char *out)
{
    bool has_bits = range->base.network == NET_IPV4 || range->base.network == NET_IPV6;
    net_address_format_host(&range->base, out);
    size_t n = strlen(out);
    if (has_bits)
        snprintf(out + n, NET_ADDRESS_TEXT_MAX - n, "/%u", range->bits);
    return out;
}
