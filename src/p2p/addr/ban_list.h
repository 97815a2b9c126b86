/* ban_list.h - who is banned by hand, by address or range, and until when.
 *
 * Layer: p2p. Pure: times come in, nothing is read or written. A ban holds while now < until.
 * Spec: Core BanMan */
#ifndef P2P_ADDR_BAN_LIST_H
#define P2P_ADDR_BAN_LIST_H

#include "p2p/core/net_address.h"

#define BAN_LIST_MAX 10000 /* entries; each connection is compared with all */

struct ban {
    struct net_range range;
    int64_t created_s, until_s; /* wall clock */
};

/* Sorted by network, address, length of the range. */
struct ban_list {
    struct ban *at;
    size_t n, capacity;
};

/* An empty list. */
void ban_list_init(struct ban_list *list);
/* Free what it owns. */
void ban_list_deinit(struct ban_list *list);

/* Add a ban, or make the one of the same range last until then if that is later.
 *
 * Returns:  false if the list is full and has none of that range */
NODISCARD bool ban_list_add(struct ban_list *list, const struct ban *ban);
/* Take the ban of exactly this range away. Returns: false if there is none */
bool ban_list_remove(struct ban_list *list, const struct net_range *range);
/* Forget all bans. */
void ban_list_clear(struct ban_list *list);
/* Forget the bans that have ended. */
void ban_list_sweep(struct ban_list *list, int64_t now_s);

/* Is the address in any range that is banned now? */
bool ban_list_has(const struct ban_list *list, const struct net_address *address, int64_t now_s);
/* Is exactly this range banned now? */
bool ban_list_has_range(const struct ban_list *list, const struct net_range *range, int64_t now_s);

/* Read what setban is given: an address that somebody can have, or with a '/' a range, which gets
 * zeros behind its bits. The inverse of ban_range_format().
 *
 * Returns:  false if malformed */
NODISCARD bool ban_range_parse(const char *text, struct net_range *out);
/* "1.2.3.4/32", "2001::/19"; a hidden service's name alone. Out: NET_ADDRESS_TEXT_MAX. Returns: out
 */
char *ban_range_format(const struct net_range *range, char *out);

#endif
