/* test_zmq_feed.c - which messages become of what happens, and their numbers. */
#include "host/zmq_feed.h"

#include "chain/disk/block_ref.h"
#include "support/chain_builder.h"
#include "support/unit.h"
#include "util/alloc.h"

static const struct rpc_publisher publishers[] = {
    {.type = "pubhashblock"}, {.type = "pubhashtx"},   {.type = "pubrawblock"},
    {.type = "pubrawtx"},     {.type = "pubsequence"}, {.type = "pubsequence"},
};

struct heard {
    struct buffer text; /* "topic/publisher/number/bytes " of each */
    uint8_t last[64];   /* the beginning of the last body */
};

static void hear(void *ctx, size_t index, const char *topic, struct span body, uint32_t sequence)
{
    struct heard *heard = ctx;
    buffer_append_format(&heard->text, "%s/%zu/%u/%zu ", topic, index, (unsigned)sequence,
                         body.len);
    memcpy(heard->last, body.p, MIN_OF(body.len, sizeof heard->last));
}

static void assert_heard(struct heard *heard, const char *want)
{
    buffer_append(&heard->text, "", 1);
    assert_string_equal((const char *)heard->text.p, want);
    heard->text.len = 0;
}

TEST(blocks_are_told_by_their_parts)
{
    struct heard heard = {0};
    const struct zmq_sink sink = {.ctx = &heard, .send = hear};
    struct zmq_feed *feed = zmq_feed_new(publishers, COUNT_OF(publishers), &sink);
    struct chain_builder builder;
    chain_builder_init(&builder);
    struct span raw = builder.genesis->block.raw;
    struct block_ref *ref = block_ref_take(xmemdup(raw.p, raw.len), raw.len);
    assert_true(block_ref_decode(ref));
    struct block_node node = {.hash = builder.genesis->block.hash};
    struct node_news news = {.kind = NODE_NEWS_CONNECTED, .node = &node, .ref = ref};
    zmq_feed_tell(feed, &news);
    assert_heard(&heard, "hashtx/1/0/32 rawtx/3/0/204 sequence/4/0/33 sequence/5/0/33 ");
    assert_int_equal(heard.last[0], node.hash.b[31]);
    assert_int_equal(heard.last[31], node.hash.b[0]);
    assert_int_equal(heard.last[32], 'C');
    news.kind = NODE_NEWS_TIP;
    zmq_feed_tell(feed, &news);
    assert_heard(&heard, "hashblock/0/0/32 rawblock/2/0/285 ");
    news.kind = NODE_NEWS_DISCONNECTED;
    zmq_feed_tell(feed, &news);
    assert_heard(&heard, "hashtx/1/1/32 rawtx/3/1/204 sequence/4/1/33 sequence/5/1/33 ");
    assert_int_equal(heard.last[32], 'D');
    block_ref_drop(ref);
    chain_builder_deinit(&builder);
    buffer_deinit(&heard.text);
    zmq_feed_free(feed);
}

TEST(the_mempool_is_told_but_for_what_blocks_take)
{
    struct heard heard = {0};
    const struct zmq_sink sink = {.ctx = &heard, .send = hear};
    struct zmq_feed *feed = zmq_feed_new(publishers, COUNT_OF(publishers) - 1, &sink);
    const struct mempool_entry entry = {.tx = {.txid = {.b = {7}}, .raw = span_of("raw", 3)}};
    static const struct {
        enum mempool_reason reason;
        const char *want;
    } rows[] = {
        {MEMPOOL_ADDED, "hashtx/1/0/32 rawtx/3/0/3 sequence/4/0/41 "},
        {MEMPOOL_SENT_AGAIN, ""},
        {MEMPOOL_REMOVED_BLOCK, ""},
        {MEMPOOL_REMOVED_CONFLICT, "sequence/4/1/41 "},
        {MEMPOOL_REMOVED_REORG, "sequence/4/2/41 "},
        {MEMPOOL_REMOVED_EXPIRY, "sequence/4/3/41 "},
        {MEMPOOL_REMOVED_SIZELIMIT, "sequence/4/4/41 "},
        {MEMPOOL_REMOVED_REPLACED, "sequence/4/5/41 "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct mempool_event event = {
            .sequence = 0x0102, .reason = rows[i].reason, .entry = &entry};
        const struct node_news news = {.kind = NODE_NEWS_TX, .event = &event};
        zmq_feed_tell(feed, &news);
        assert_heard(&heard, rows[i].want);
    }
    assert_int_equal(heard.last[31], 7);
    assert_int_equal(heard.last[32], 'R');
    assert_int_equal(heard.last[33], 2);
    assert_int_equal(heard.last[34], 1);
    buffer_deinit(&heard.text);
    zmq_feed_free(feed);
}
