/* node_bans.h - bans by hand: ordered by RPC, kept in banlist.json as Core keeps them.
 *
 * Layer: node. The list is the mesh's (p2p/addr/ban_list.h); here are the orders
 * and the file, which neither of p2p/ and rpc/ could read alone. Loop thread only; the file is
 * written by jobs. */
#ifndef NODE_NODE_BANS_H
#define NODE_NODE_BANS_H

#include "p2p/p2p.h"
#include "util/net_view.h"

struct node_bans;

#define BAN_FILE_MAX_BYTES (8 << 20) /* a full list has some 1.5 MB */
#define BAN_TIME_DEFAULT_S 86400     /* -bantime */

struct node_bans_options {
    const char *data_dir; /* borrowed, where banlist.json is; NULL: nothing is kept */
    int64_t ban_time_s;   /* of a ban that says none; 0: BAN_TIME_DEFAULT_S */
};

/* Take over the bans of the file. A file that cannot be used is put aside, as banlist.json.bad.
 *
 * In:       env, log, p2p, options  borrowed for its life
 * Out:      warning  NULL, or what is wrong with the file: one line for the user, to xfree()
 * Owns:     the caller, who frees it with node_bans_free() */
NODISCARD struct node_bans *node_bans_new(const struct env *env, const struct log *log,
                                          struct p2p *p2p, const struct node_bans_options *options,
                                          char **warning);
/* NULL is allowed. Nothing may be on its way to the disk. */
void node_bans_free(struct node_bans *bans);

/* Below, bans is a struct node_bans, as the members of struct net_view hand it over.
 *
 * Ban an address or range (ban_range_parse()) for that long, or until then, and drop its peers.
 * seconds 0 or less: the default time from now. */
enum net_result node_bans_add(void *bans, const char *subnet, int64_t seconds, bool is_absolute);
/* Take the ban of exactly this range away. */
enum net_result node_bans_remove(void *bans, const char *subnet);
/* Take all bans away. */
void node_bans_clear(void *bans);
/* Call fn for each ban that holds, in order. */
void node_bans_each(void *bans, net_ban_fn *fn, void *arg);

/* Make all that was ordered so far durable; done(arg, error) once, now or later: 0 or a negative
 * errno. */
void node_bans_save(void *bans, net_saved_fn *done, void *arg);

#endif
