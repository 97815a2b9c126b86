/* permissions.h - what some peers may do beyond others: -whitelist and -whitebind.
 *
 * Layer: p2p. Pure. */
#ifndef P2P_CORE_PERMISSIONS_H
#define P2P_CORE_PERMISSIONS_H

#include "p2p/core/net_address.h"

/* Names as in Core's -whitelist. */
enum permission {
    PERMISSION_BLOOMFILTER = 1 << 0, /* may set Bloom filters */
    PERMISSION_NOBAN = 1 << 1,       /* never dropped for misbehaviour, announced to at once */
    PERMISSION_FORCERELAY = 1 << 2,  /* relays even what is in the mempool already */
    PERMISSION_RELAY = 1 << 3,       /* may send transactions even with -blocksonly */
    PERMISSION_MEMPOOL = 1 << 4,     /* may ask for the mempool */
    PERMISSION_DOWNLOAD = 1 << 5,    /* no limit on what it fetches, getheaders during sync */
    PERMISSION_ADDR = 1 << 6,        /* no limit on its addresses, uncached getaddr */
    PERMISSION_ALL = (1 << 7) - 1,
    PERMISSION_IMPLICIT = 1 << 7, /* none was named: see permissions_settle() */
};

/* What a range without names is granted, unless -whitelistrelay or -whitelistforcerelay say else.
 * Core: relay and the implicit ones */
#define PERMISSION_DEFAULT                                                                         \
    (PERMISSION_RELAY | PERMISSION_NOBAN | PERMISSION_MEMPOOL | PERMISSION_DOWNLOAD)

struct permission_rule {
    struct net_range range;
    unsigned permissions;
    bool in, out; /* which connections it is for */
};

/* Read "[name,name@]range"; the names "in" and "out" say which connections (default: in).
 * Returns:  false with *error (xfree it), in Core's words, if malformed or a name is unknown */
NODISCARD bool permissions_parse(const char *text, struct permission_rule *out, char **error);
/* Read the names alone, up to '@'; *rest is what follows. For -whitebind, which "out" makes no
 * sense for. As permissions_parse(). */
NODISCARD bool permissions_parse_names(const char *text, unsigned *permissions, const char **rest,
                                       char **error);

/* The permissions with, instead of PERMISSION_IMPLICIT, those that it stands for. */
unsigned permissions_settle(unsigned permissions, unsigned implicit);

/* The name of the lowest bit in *permissions, which is cleared; NULL if none is left. */
const char *permissions_next_name(unsigned *permissions);

/* What n rules grant to a peer at that address, which has come to us or not. */
unsigned permissions_of(const struct permission_rule *rules, size_t n,
                        const struct net_address *address, bool inbound);

#endif
