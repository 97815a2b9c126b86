/* node.h - one whole node: chain, mempool, mesh and RPC joined by callbacks, from start to stop.
 *
 * Layer: node. Knows the world only as struct env. Any number of nodes may live in one process. All
 * calls on the loop thread. It judges nothing: it makes the parts in their order, hands the news of
 * one to the others, and ends them in reverse. The program (host/) and the simulator make nodes;
 * nothing below this layer knows of it.
 * Start here: node_new, node_start, node_rpc, node_stop, node_free. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "chain/chain.h"
#include "mempool/mempool.h"
#include "node/node_miner.h"
#include "node/node_news.h"
#include "p2p/p2p.h"
#include "rpc/rpc.h"
#include "util/log.h"

struct node;

enum node_notice {
    NODE_NOTICE_STARTED,  /* -startupnotify */
    NODE_NOTICE_STOPPING, /* -shutdownnotify */
    NODE_NOTICE_BLOCK,    /* -blocknotify; the text is the new tip's hash */
    NODE_NOTICE_ALERT,    /* -alertnotify; the text is the warning */
};

/* What a node tells its program; all members but news must be set. Texts are borrowed for the call.
 */
struct node_events {
    void *ctx;
    void (*notice)(void *ctx, enum node_notice notice, const char *text);
    void (*news)(void *ctx, const struct node_news *news); /* or NULL */
    /* A line for a terminal that replaces the one before; "" when there is nothing to tell. */
    void (*progress)(void *ctx, const char *line);
    /* A line for the user, such as what could not be imported. */
    void (*warning)(void *ctx, const char *line);
    /* The node begins to stop, on whose order ever; RPC should take no new calls. Once. */
    void (*stopping)(void *ctx);
    /* Everything is closed. error: NULL, or why the node had to stop. Once; the last event. The
     * node may be freed as soon as the callback has returned. */
    void (*stopped)(void *ctx, const char *error);
};

/* Pointers are borrowed for the node's life. */
struct node_options {
    const struct network *network;
    struct chain_options chain;
    struct mempool_options mempool;
    struct block_assembler_options block; /* all zero: the defaults */
    struct node_miner_options miner;      /* of blocks made without an order */
    const struct dev_keys *dev_keys;      /* -dev; NULL: off */
    bool persist_mempool;                 /* -persistmempool: in data_dir/mempool.dat */
    bool keeps_history;                   /* -chainhistory: of reorganisations and sightings */
    bool accepts_stale_fees;              /* -acceptstalefeeestimates */
    int64_t fallback_sat_per_kvb;         /* -fallbackestimate: where none is known; 0: none */
    bool repair;                          /* what is damaged is made anew, without being asked */
    struct p2p_options p2p;
    const struct coin_vouch *fetch_coins; /* -fetchsnapshot, as in rpc_coins_fetch; NULL: off */
    int64_t ban_time_s; /* -bantime; 0: a day */
    struct rpc_auth_options auth;
    const struct rpc_publisher *publishers; /* as getzmqnotifications tells them */
    size_t n_publishers;
    const char *const *load_blocks; /* -loadblock */
    size_t n_load_blocks;
    int64_t stop_at_height;      /* 0: never */
    int64_t mock_time_s;         /* -mocktime; 0: the real time */
    const char *const *warnings; /* of the options: shown for as long as the node runs */
    size_t n_warnings;
    bool shows_status; /* somebody looks at the progress line, also when nothing happens */
};

/* Make a node; nothing is opened, but RPC calls can be handed in: they get error -28.
 *
 * In:       env, log  borrowed for the node's life
 * Returns:  NULL with *error, a line for the user freed with xfree(): malformed credentials
 * Owns:     the caller */
NODISCARD struct node *node_new(const struct env *env, struct log *log,
                                const struct node_options *options,
                                const struct node_events *events, char **error);

/* Open the chain and start to work.
 *
 * Returns:  false with *error as above; then only node_free() may follow */
NODISCARD bool node_start(struct node *node, char **error);

/* Begin the clean stop; events->stopped follows, later. Again: nothing. */
void node_stop(struct node *node);
/* In events->stopped with an error: would another node, made in this one's place, make good what
 * stopped it? */
bool node_can_be_mended(const struct node *node);

/* After stopped, or after a start that failed or never was. NULL is allowed. */
void node_free(struct node *node);

/* Where RPC requests are handed in. Owned by the node. */
struct rpc *node_rpc(struct node *node);
/* Its chain, for tests and simulations. NULL before the start. */
struct chain *node_chain(struct node *node);
/* Its mempool, for tests and simulations. NULL before the start. */
struct mempool *node_mempool(struct node *node);
/* Its mesh, for these and for host/reload.c; NULL before the start. */
struct p2p *node_p2p(struct node *node);

#endif
