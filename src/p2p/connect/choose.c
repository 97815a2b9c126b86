/* choose.c - see choose.h. */
#include "p2p/connect/choose.h"

/* Good enough for the i-th try? */
static bool is_suitable(const struct choose *choose, const struct net_peer_address *address,
                        int64_t not_tried_s, int i)
{
    if (not_tried_s < CHOOSE_TRIED_LATELY_S && i < CHOOSE_TRIES / 3)
        return false;
    if (!choose->may_call(choose->ctx, &address->at))
        return false;
    return !net_port_is_bad(address->at.port) ||
           i >= CHOOSE_BAD_PORT_TRIES; /* there may be better */
}

/* Half of what Core draws are addresses that were only heard of, and whoever talks most fills that
 * half. Feelers test them anyway: a slot can wait for that. */
static bool draw_for_slot(const struct choose *choose, int i, int64_t now_s,
                          struct net_peer_address *out, int64_t *last_try_s)
{
    return (i < CHOOSE_EVEN_TRIES &&
            address_book_select_evenly(choose->book, choose->networks, now_s, out, last_try_s)) ||
           address_book_select_of(choose->book, false, choose->networks, now_s, out, last_try_s);
}

bool choose_for_slot(const struct choose *choose, int64_t now_s, struct net_peer_address *out)
{
    int64_t last_try_s;
    uint64_t needs = choose->services_needed;
    address_book_resolve_collisions(choose->book, now_s);
    for (int i = 0; i < CHOOSE_TRIES; i++) {
        if (!draw_for_slot(choose, i, now_s, out, &last_try_s))
            return false;
        if (is_suitable(choose, out, now_s - last_try_s, i) && (out->services & needs) == needs &&
            !choose->has_group(choose->ctx, &out->at))
            return true;
    }
    return false;
}

bool choose_for_feeler(const struct choose *choose, int64_t now_s, struct net_peer_address *out)
{
    int64_t last_try_s;
    address_book_resolve_collisions(choose->book, now_s);
    if (address_book_select_collision(choose->book, out, &last_try_s)) {
        if (choose->may_call(choose->ctx, &out->at))
            return true;
        /* Who is connected needs no test, and must not lose his place for lack of one. Core */
        if (choose->is_up(choose->ctx, &out->at))
            (void)address_book_good(choose->book, &out->at, now_s);
    }
    for (int i = 0; i < CHOOSE_TRIES; i++) {
        if (!address_book_select_of(choose->book, true, choose->networks, now_s, out, &last_try_s))
            return false;
        if (is_suitable(choose, out, now_s - last_try_s, i))
            return true;
    }
    return false;
}
