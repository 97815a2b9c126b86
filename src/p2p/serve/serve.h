/* serve.h - answering peers: blocks and transactions.
 *
 * Layer: p2p. Blocks are read off the loop and sent as their stored bytes. While a getdata is being
 * served its peer's other messages wait, and it is served only as fast as the peer reads: hazards
 * 51 and 52. */
#ifndef P2P_SERVE_SERVE_H
#define P2P_SERVE_SERVE_H

#include "chain/disk/block_ref.h"
#include "p2p/core/wire.h"
#include "p2p/peer/score.h"
#include "p2p/serve/compact_tell.h"
#include "p2p/serve/filters.h"
#include "p2p/serve/lent.h"
#include "p2p/serve/light.h"
#include "p2p/serve/locate.h"
#include "p2p/serve/newest_txs.h"
#include "util/list.h"

struct p2p;
struct peer;
struct block_node;
struct serve_read;

#define SERVE_READS_MAX     16   /* blocks being read for one peer, or read and not sent yet */
#define SERVE_READS_ALL_MAX 4    /* being read for all of them; more wait, peers take turns */
#define SERVE_RECENT_MAX    3    /* newest blocks, which everybody asks for: kept, not read */
#define SERVE_ITEMS_TURN    1000 /* entries of a getdata looked at in one turn of the loop */
/* Bytes that count as lent (lent.h), of all peers together. Above it no more are read. */
#define SERVE_HELD_MAX (64u << 20)

/* One getdata under way. */
struct peer_serve {
    uint8_t *items; /* what is left of the message; NULL: nothing under way */
    struct reader at;
    struct list reads;        /* of struct serve_read, in the order in which they were asked for */
    size_t read_bytes;        /* of these, under way or waiting for their turn */
    struct buffer *not_found; /* entries of the notfound that will end it; NULL: none */
    size_t n_not_found;
    struct compact_wanted *wanted; /* a getblocktxn's: of the one block in items; NULL: none */
    struct peer_lent lent;
    struct list_link waiting; /* in the queue of those who want to read */
    bool has_turn;
    struct block_hash continue_at; /* after this one is fetched, tell the tip: getblocks */
    bool has_continue;
};

/* A block as it is sent, with or without witness. */
struct serve_form {
    struct block_ref *bytes; /* held; NULL: nobody has asked for it */
    uint8_t checksum[4];
};

struct serve_recent {
    const struct block_node *node; /* NULL: none */
    struct block_ref *block;       /* held */
    struct serve_form forms[2];    /* [with witness] */
};

/* What all peers share. */
struct serve {
    size_t n_reads;                               /* under way */
    size_t held_max;                              /* SERVE_HELD_MAX; less in tests */
    struct list waiting;                          /* peers who wait for one of them to end */
    struct serve_recent recent[SERVE_RECENT_MAX]; /* newest first */
    struct newest_txs newest;
    struct compact_told told;
};

/* Begin. */
void serve_init(struct p2p *p2p);
/* A block is the tip now: keep it for those who will ask. */
void serve_block_connected(struct p2p *p2p, const struct block_node *node, struct block_ref *block);
/* One was taken back. */
void serve_block_disconnected(struct p2p *p2p, struct block_ref *block);
/* The chain rests on a new tip. */
void serve_tip_changed(struct p2p *p2p);
/* Let go of all that is kept. */
void serve_deinit(struct p2p *p2p);
/* What counts for SERVE_HELD_MAX. */
size_t serve_held_bytes(const struct p2p *p2p);
/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t serve_tick(struct p2p *p2p, int64_t now_us);

/* Send a cmpctblock of one of the newest blocks. False if it is none of these. */
bool serve_recent_compact(struct p2p *p2p, struct peer *peer, const struct block_node *node);

/* True while a getdata or getblocktxn is being served. */
bool serve_is_busy(const struct peer *peer);
/* Go on, as far as the peer's queue has room. */
void serve_continue(struct p2p *p2p, struct peer *peer);
/* A peer is gone: its reads end unseen, its place in the queue is free. */
void serve_peer_gone(struct p2p *p2p, struct peer *peer);

/* The handler of "getdata". */
enum fault serve_on_getdata(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "getblocktxn". */
enum fault serve_on_getblocktxn(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
