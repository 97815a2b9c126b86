/* zmq_feed.c - see zmq_feed.h */
#include "host/zmq_feed.h"

#include <string.h>

#include "util/alloc.h"
#include "util/endian.h"

#define SEQUENCE_BODY_BYTES (32 + 1 + 8)

struct zmq_feed {
    const struct rpc_publisher *publishers;
    size_t n;
    struct zmq_sink sink;
    uint32_t *sequences; /* of the next message of each */
};

struct zmq_feed *zmq_feed_new(const struct rpc_publisher *publishers, size_t n,
                              const struct zmq_sink *sink)
{
    ASSERT(publishers && n > 0 && sink->send);
    struct zmq_feed *feed = xcalloc(1, sizeof *feed);
    feed->publishers = publishers;
    feed->n = n;
    feed->sink = *sink;
    feed->sequences = xcalloc(n, sizeof *feed->sequences);
    return feed;
}

void zmq_feed_free(struct zmq_feed *feed)
{
    if (!feed)
        return;
    xfree(feed->sequences);
    xfree(feed);
}

/* A message to all who publish that topic. */
static void publish(struct zmq_feed *feed, const char *topic, struct span body)
{
    for (size_t i = 0; i < feed->n; i++) {
        if (strcmp(feed->publishers[i].type + strlen("pub"), topic) == 0)
            feed->sink.send(feed->sink.ctx, i, topic, body, feed->sequences[i]++);
    }
}

/* Ids are told as they are shown, not as they lie on the wire. */
static void reverse(uint8_t *out, const uint8_t id[32])
{
    for (size_t i = 0; i < 32; i++)
        out[i] = id[31 - i];
}

static void publish_id(struct zmq_feed *feed, const char *topic, const uint8_t id[32])
{
    uint8_t body[32];
    reverse(body, id);
    publish(feed, topic, span_of(body, sizeof body));
}

/* label: 'C' and 'D' for blocks; 'A' and 'R' for the mempool, with its number. */
static void publish_sequence(struct zmq_feed *feed, const uint8_t id[32], char label,
                             const uint64_t *number)
{
    uint8_t body[SEQUENCE_BODY_BYTES];
    reverse(body, id);
    body[32] = (uint8_t)label;
    if (number)
        store_le64(body + 33, *number);
    publish(feed, "sequence", span_of(body, number ? sizeof body : 33));
}

static void publish_tx(struct zmq_feed *feed, const struct txid *txid, struct span raw)
{
    publish_id(feed, "hashtx", txid->b);
    publish(feed, "rawtx", raw);
}

/* Its transactions, also when it goes: they may be worth another look. */
static void tell_block(struct zmq_feed *feed, const struct node_news *news, char label)
{
    const struct block *block = &news->ref->block;
    for (uint32_t i = 0; i < block->n_tx; i++)
        publish_tx(feed, &block->txids[i], block->tx[i].raw);
    publish_sequence(feed, news->node->hash.b, label, NULL);
}

/* What a block has taken is told with the block. */
static void tell_mempool(struct zmq_feed *feed, const struct mempool_event *event)
{
    const struct tx *tx = &event->entry->tx;
    switch (event->reason) {
    case MEMPOOL_ADDED:
        publish_tx(feed, &tx->txid, tx->raw);
        publish_sequence(feed, tx->txid.b, 'A', &event->sequence);
        break;
    case MEMPOOL_REMOVED_CONFLICT:
    case MEMPOOL_REMOVED_REORG:
    case MEMPOOL_REMOVED_EXPIRY:
    case MEMPOOL_REMOVED_SIZELIMIT:
    case MEMPOOL_REMOVED_REPLACED:
        publish_sequence(feed, tx->txid.b, 'R', &event->sequence);
        break;
    case MEMPOOL_REMOVED_BLOCK:
    case MEMPOOL_SENT_AGAIN:
    case MEMPOOL_REASON_COUNT:
        break;
    }
}

void zmq_feed_tell(struct zmq_feed *feed, const struct node_news *news)
{
    ASSERT(feed && news);
    switch (news->kind) {
    case NODE_NEWS_CONNECTED:
        tell_block(feed, news, 'C');
        break;
    case NODE_NEWS_DISCONNECTED:
        tell_block(feed, news, 'D');
        break;
    case NODE_NEWS_TIP:
        publish_id(feed, "hashblock", news->node->hash.b);
        publish(feed, "rawblock", news->ref->block.raw);
        break;
    case NODE_NEWS_TX:
        tell_mempool(feed, news->event);
        break;
    }
}
