/* node_news.c - see node_news.h */
#include "node/node_news.h"

#include "util/hex.h"

static void tell(const struct news_desk *desk, const struct node_news *news)
{
    if (desk->tell)
        desk->tell(desk->ctx, news);
}

static void notice(struct news_desk *desk, const struct block_node *tip)
{
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(tip->hash.b, sizeof tip->hash.b));
    if (desk->notice && desk->noticed != tip)
        desk->notice(desk->notice_ctx, hash);
    desk->noticed = tip;
}

void news_desk_deinit(struct news_desk *desk)
{
    ASSERT(desk && !desk->untold == !desk->untold_ref);
    if (desk->untold_ref)
        block_ref_drop(desk->untold_ref);
    desk->untold_ref = NULL;
    desk->untold = NULL;
}

static void tell_tip(struct news_desk *desk, const struct block_node *tip, struct block_ref *ref)
{
    const struct node_news news = {.kind = NODE_NEWS_TIP, .node = tip, .ref = ref};
    desk->told_work = tip->chain_work;
    tell(desk, &news);
    notice(desk, tip);
}

/* Whether the download is over shows only when the chain rests: the last block of before is kept
 * until then. */
void news_block_connected(struct news_desk *desk, const struct block_node *node,
                          struct block_ref *ref, bool is_initial)
{
    const struct node_news news = {.kind = NODE_NEWS_CONNECTED, .node = node, .ref = ref};
    ASSERT(node && ref);
    tell(desk, &news);
    if (u256_compare(node->chain_work, desk->told_work) <= 0)
        return;
    news_desk_deinit(desk);
    if (!is_initial) {
        tell_tip(desk, node, ref);
        return;
    }
    desk->untold = node;
    desk->untold_ref = block_ref_hold(ref);
}

void news_block_disconnected(const struct news_desk *desk, const struct block_node *node,
                             struct block_ref *ref)
{
    const struct node_news news = {.kind = NODE_NEWS_DISCONNECTED, .node = node, .ref = ref};
    ASSERT(node && ref);
    tell(desk, &news);
}

void news_tip_changed(struct news_desk *desk, const struct block_node *tip, bool is_initial)
{
    ASSERT(tip);
    if (desk->untold == tip && !is_initial)
        tell_tip(desk, tip, desk->untold_ref);
    notice(desk, tip);
    news_desk_deinit(desk);
    desk->told_work = tip->chain_work;
}

void news_mempool_changed(const struct news_desk *desk, const struct mempool_event *event)
{
    const struct node_news news = {.kind = NODE_NEWS_TX, .event = event};
    ASSERT(event);
    tell(desk, &news);
}
