/* test_coin_stats.c - figures and hashes of the coins, against a plain list worked out here. */
#include <errno.h>

#include "consensus/script_iter.h"
#include "crypto/hash.h"
#include "crypto/muhash.h"
#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/hex.h"

enum { LISTED_MAX = 2000 };

struct listed {
    struct outpoint outpoint;
    struct tx_out out;
    int32_t height;
    bool coinbase;
};

/* The coins as a list: what the blocks make and do not spend. */
struct coin_list {
    struct listed at[LISTED_MAX];
    size_t n;
};

static void spend_listed(struct coin_list *list, const struct outpoint *outpoint)
{
    size_t i = 0;
    while (!outpoint_equal(&list->at[i].outpoint, outpoint))
        assert_true(++i < list->n);
    list->at[i] = list->at[--list->n];
}

static void list_block(struct coin_list *list, const struct built_block *block)
{
    for (uint32_t i = 0; i < block->block.n_tx; i++) {
        const struct tx *tx = &block->block.tx[i];
        for (uint32_t k = 0; k < tx->n_in && i > 0; k++)
            spend_listed(list, &tx->in[k].prevout);
        for (uint32_t k = 0; k < tx->n_out; k++) {
            if (script_is_unspendable(tx->out[k].script_pubkey))
                continue;
            assert_true(list->n < LISTED_MAX);
            list->at[list->n++] = (struct listed){.outpoint = {.txid = tx->txid, .vout = k},
                                                  .out = tx->out[k],
                                                  .height = block->height,
                                                  .coinbase = i == 0};
        }
    }
}

static int compare_listed(const void *a, const void *b)
{
    const struct outpoint *x = &((const struct listed *)a)->outpoint;
    const struct outpoint *y = &((const struct listed *)b)->outpoint;
    int order = memcmp(x->txid.b, y->txid.b, 32);
    return order ? order : (x->vout > y->vout) - (x->vout < y->vout);
}

static struct coin_list *list_chain(const struct built_block *last)
{
    struct coin_list *list = xcalloc(1, sizeof *list);
    for (int32_t height = 1; height <= last->height; height++)
        list_block(list, built_ancestor(last, height));
    qsort(list->at, list->n, sizeof list->at[0], compare_listed);
    return list;
}

static void append_listed(struct buffer *buffer, const struct listed *coin)
{
    struct writer w = writer_to_growing(buffer);
    write_bytes(&w, coin->outpoint.txid.b, 32);
    write_u32(&w, coin->outpoint.vout);
    write_u32(&w, (uint32_t)coin->height * 2 + (coin->coinbase ? 1 : 0));
    write_u64(&w, (uint64_t)coin->out.value_sat);
    write_compact_size(&w, coin->out.script_pubkey.len);
    write_span(&w, coin->out.script_pubkey);
}

static struct coin_stats stats_of_list(const struct coin_list *list, enum coin_stats_hash hash)
{
    struct coin_stats stats = {.n_outputs = list->n};
    struct buffer all;
    struct muhash muhash;
    muhash_init(&muhash);
    buffer_init(&all);
    for (size_t i = 0; i < list->n; i++) {
        const struct listed *coin = &list->at[i];
        size_t begin = all.len;
        append_listed(&all, coin);
        if (hash == COIN_STATS_MUHASH)
            muhash_insert(&muhash, span_of(all.p + begin, all.len - begin));
        stats.total_sat += coin->out.value_sat;
        stats.bogo_size += 50 + coin->out.script_pubkey.len;
        stats.n_tx += i == 0 || !txid_equal(&coin->outpoint.txid, &list->at[i - 1].outpoint.txid);
    }
    if (hash == COIN_STATS_SERIALIZED_3)
        sha256d(buffer_span(&all), stats.hash);
    if (hash == COIN_STATS_MUHASH)
        muhash_digest(&muhash, stats.hash);
    buffer_deinit(&all);
    return stats;
}

static void assert_stats(struct chain_rig *rig, const struct built_block *last)
{
    static const enum coin_stats_hash kinds[] = {COIN_STATS_NONE, COIN_STATS_SERIALIZED_3,
                                                 COIN_STATS_MUHASH};
    struct coin_list *list = list_chain(last);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct coin_stats have = rig_coin_stats(rig, kinds[i]);
        struct coin_stats want = stats_of_list(list, kinds[i]);
        assert_int_equal(have.n_outputs, want.n_outputs);
        assert_int_equal(have.n_tx, want.n_tx);
        assert_int_equal(have.bogo_size, want.bogo_size);
        assert_int_equal(have.total_sat, want.total_sat);
        assert_memory_equal(have.hash, want.hash, 32);
        assert_memory_equal(have.tip->hash.b, last->block.hash.b, 32);
    }
    xfree(list);
}

/* The coins of the first block do not exist, so a new chain has none. The hash is that of no
 * bytes; the other is the one that Core's own test of MuHash gives for the empty set. */
TEST(a_new_chain_has_the_hashes_of_no_coins)
{
    struct chain_builder b;
    struct chain_rig rig;
    chain_builder_init(&b);
    rig_start(&rig, 1, &b, NULL);
    char hex[65];
    struct coin_stats stats = rig_coin_stats(&rig, COIN_STATS_SERIALIZED_3);
    assert_string_equal(hex_encode(hex, span_of(stats.hash, 32)),
                        "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456");
    stats = rig_coin_stats(&rig, COIN_STATS_MUHASH);
    assert_string_equal(hex_encode_reversed(hex, span_of(stats.hash, 32)),
                        "dd5ad2a105c2d29495f577245c357409002329b9f4d6182c0af3dc2f462555c8");
    assert_int_equal(stats.n_outputs, 0);
    assert_int_equal(stats.total_sat, 0);
    rig_deinit(&rig);
    chain_builder_deinit(&b);
}

TEST(figures_are_those_of_the_blocks)
{
    struct chain_builder b;
    struct chain_rig rig;
    chain_builder_init(&b);
    const struct built_block *last = builder_blocks(&b, b.genesis, 104, NULL);
    rig_start(&rig, 1, &b, NULL);
    rig_accept_chain(&rig, last);
    assert_stats(&rig, last);
    /* Output numbers of one and two bytes, scripts short, long and unspendable. */
    static const enum builder_script kinds[] = {BUILDER_WSH_TRUE, BUILDER_LONG, BUILDER_RETURN};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct builder_coin coin = builder_coinbase_coin(built_ancestor(last, (int32_t)i + 1));
        struct tx tx = builder_spend(&b, &coin, 1, 300, 1000, kinds[i]);
        struct builder_spec spec = {.tx = &tx, .n_tx = 1};
        last = builder_block(&b, last, &spec);
        rig_accept_chain(&rig, last);
        assert_true(rig_is_at(&rig, last));
        assert_stats(&rig, last);
    }
    rig_deinit(&rig);
    chain_builder_deinit(&b);
}

struct answer {
    bool is_done;
    int error;
    struct coin_stats stats;
};

static void note_stats(void *arg, int error, const struct coin_stats *stats)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->error = error;
    assert_true((stats != NULL) == (error == 0));
    if (stats)
        answer->stats = *stats;
}

TEST(blocks_that_come_meanwhile_do_not_count)
{
    struct chain_builder b;
    struct chain_rig rig;
    chain_builder_init(&b);
    const struct built_block *first = builder_blocks(&b, b.genesis, 20, NULL);
    const struct built_block *last = builder_blocks(&b, first, 40, NULL);
    rig_start(&rig, 1, &b, NULL);
    rig_accept_chain(&rig, first);
    struct answer answer = {0};
    chain_coin_stats(rig.chain, COIN_STATS_SERIALIZED_3, note_stats, &answer);
    rig_accept_chain(&rig, last);
    rig_wait(&rig, &answer.is_done);
    assert_int_equal(answer.error, 0);
    /* Whatever the tip was, the figures are of that one. */
    const struct built_block *at = built_ancestor(last, answer.stats.tip->height);
    assert_memory_equal(answer.stats.tip->hash.b, at->block.hash.b, 32);
    struct coin_list *list = list_chain(at);
    struct coin_stats want = stats_of_list(list, COIN_STATS_SERIALIZED_3);
    assert_memory_equal(answer.stats.hash, want.hash, 32);
    xfree(list);
    rig_deinit(&rig);
    chain_builder_deinit(&b);
}

TEST(closing_cancels_the_count)
{
    struct chain_builder b;
    chain_builder_init(&b);
    const struct built_block *last = builder_blocks(&b, b.genesis, 20, NULL);
    for (int steps = 0; steps < 20; steps++) {
        struct chain_rig rig;
        struct answer answer = {0};
        rig_start(&rig, (uint64_t)steps, &b, NULL);
        rig_accept_chain(&rig, last);
        chain_coin_stats(rig.chain, COIN_STATS_MUHASH, note_stats, &answer);
        for (int i = 0; i < steps; i++)
            (void)sim_env_step(rig.sim);
        assert_int_equal(rig_close(&rig), 0);
        assert_true(answer.is_done);
        rig_deinit(&rig);
    }
    chain_builder_deinit(&b);
}
