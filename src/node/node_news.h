/* node_news.h - what has become of blocks and transactions, for who follows from outside.
 *
 * Layer: node. Loop thread. */
#ifndef NODE_NODE_NEWS_H
#define NODE_NODE_NEWS_H

#include "chain/chain.h"
#include "mempool/mempool.h"

/* In the order in which it happened. */
enum node_news_kind {
    NODE_NEWS_CONNECTED,
    NODE_NEWS_DISCONNECTED,
    NODE_NEWS_TIP, /* connected, with more work than the tip before: one of those that are tips to
                    * Core. Not in the initial download */
    NODE_NEWS_TX,  /* something has happened in the mempool */
};

/* All borrowed for the call. */
struct node_news {
    enum node_news_kind kind;
    const struct block_node *node; /* of a block, with ref */
    struct block_ref *ref;
    const struct mempool_event *event; /* of NODE_NEWS_TX */
};

/* Makes tips of connected blocks. */
struct news_desk {
    void *ctx;
    void (*tell)(void *ctx, const struct node_news *news); /* NULL: nobody listens */
    void *notice_ctx;
    /* Each tip, once, also those that the chain passes on its way to where it rests, for
     * -blocknotify. NULL: nobody listens */
    void (*notice)(void *ctx, const char *hash);
    const struct block_node *noticed; /* the last one */
    struct u256 told_work; /* of the tip when the chain last rested, or of a tip told since */
    const struct block_node *untold; /* a tip, if the initial download turns out to be over */
    struct block_ref *untold_ref;    /* held */
};

/* What the chain and the mempool say. is_initial: the initial download is not over. */
void news_block_connected(struct news_desk *desk, const struct block_node *node,
                          struct block_ref *ref, bool is_initial);
/* The same of one that is taken back. */
void news_block_disconnected(const struct news_desk *desk, const struct block_node *node,
                             struct block_ref *ref);
/* The chain rests. */
void news_tip_changed(struct news_desk *desk, const struct block_node *tip, bool is_initial);
/* Something has happened in the mempool. */
void news_mempool_changed(const struct news_desk *desk, const struct mempool_event *event);
/* Let go of what it holds. */
void news_desk_deinit(struct news_desk *desk);

#endif
