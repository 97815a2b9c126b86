/* welcome.h - who is banned by hand, who has misbehaved.
 *
 * Layer: p2p, internal. */
#ifndef P2P_ADDR_WELCOME_H
#define P2P_ADDR_WELCOME_H

#include <stdbool.h>

struct net_address;
struct p2p;

#define DISCOURAGED_MAX 50000 /* hosts remembered: hazard 57 */

/* The host is banned by hand now. */
bool p2p_is_banned(const struct p2p *p2p, const struct net_address *address);
/* It has misbehaved since the start. */
bool p2p_is_discouraged(const struct p2p *p2p, const struct net_address *address);
/* Either: it is not dialled of our own accord, nor told to others. */
bool p2p_is_unwelcome(const struct p2p *p2p, const struct net_address *address);

#endif
