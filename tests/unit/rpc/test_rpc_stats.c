/* test_rpc_stats.c - getblockstats and getchaintxstats, worked out by hand. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

enum {
    P2WSH_OUTPUT_BYTES = 8 + 1 + 34 + 40, /* value, length, script; outpoint, height */
};

static const char *number(struct rpc_rig *rig, int32_t height, const char *stat)
{
    return rpc_rig_callf(rig, "getblockstats", "[%d,[\"%s\"]]", height, stat);
}

static void assert_stat(struct rpc_rig *rig, int32_t height, const char *stat, long long want)
{
    char text[96];
    snprintf(text, sizeof text, "{\"%s\":%lld}", stat, want);
    assert_string_equal(number(rig, height, stat), text);
}

/* 102 blocks. The last has two transactions: two outputs for a fee of 1000, one for 3000. */
static const struct built_block *grow(struct rpc_rig *rig, struct tx tx[2])
{
    struct chain_builder *builder = &rig->builder;
    const struct built_block *blocks[101];
    builder_blocks(builder, builder->genesis, 101, blocks);
    struct builder_coin coin = builder_coinbase_coin(blocks[0]);
    tx[0] = builder_spend(builder, &coin, 1, 2, 1000, BUILDER_WSH_TRUE);
    struct builder_coin next = builder_coin_of(&tx[0], 0, BUILDER_WSH_TRUE);
    tx[1] = builder_spend(builder, &next, 1, 1, 3000, BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 2, .extra_sat = 4000};
    const struct built_block *last = builder_block(builder, blocks[100], &spec);
    rpc_rig_grow(rig, last);
    return last;
}

TEST(fees_and_sizes_are_summed)
{
    struct rpc_rig rig;
    struct tx tx[2];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, tx);
    long long size[2] = {(long long)tx[0].raw.len, (long long)tx[1].raw.len};
    long long weight[2] = {tx_weight_wu(&tx[0]), tx_weight_wu(&tx[1])};
    long long least = size[0] < size[1] ? size[0] : size[1];
    assert_stat(&rig, 102, "avgfee", 2000);
    assert_stat(&rig, 102, "medianfee", 2000);
    assert_stat(&rig, 102, "minfee", 1000);
    assert_stat(&rig, 102, "maxfee", 3000);
    assert_stat(&rig, 102, "totalfee", 4000);
    assert_stat(&rig, 102, "avgfeerate", 4000 * 4 / (weight[0] + weight[1]));
    assert_stat(&rig, 102, "minfeerate", 1000 * 4 / weight[0]);
    assert_stat(&rig, 102, "maxfeerate", 3000 * 4 / weight[1]);
    assert_stat(&rig, 102, "total_size", size[0] + size[1]);
    assert_stat(&rig, 102, "avgtxsize", (size[0] + size[1]) / 2);
    assert_stat(&rig, 102, "mediantxsize", (size[0] + size[1]) / 2);
    assert_stat(&rig, 102, "mintxsize", least);
    assert_stat(&rig, 102, "maxtxsize", size[0] + size[1] - least);
    assert_stat(&rig, 102, "total_weight", weight[0] + weight[1]);
    assert_stat(&rig, 102, "swtxs", tx[0].has_witness + tx[1].has_witness);
    assert_stat(&rig, 102, "txs", 3);
    assert_stat(&rig, 102, "ins", 2);
    assert_stat(&rig, 102, "outs", 3 + last->block.tx[0].n_out);
    assert_stat(&rig, 102, "height", 102);
    assert_stat(&rig, 102, "subsidy", 5000000000);
    assert_stat(&rig, 102, "time", last->block.header.time);
    int64_t out_sat = tx[0].out[0].value_sat + tx[0].out[1].value_sat + tx[1].out[0].value_sat;
    assert_stat(&rig, 102, "total_out", out_sat);
    rpc_rig_deinit(&rig);
}

TEST(percentiles_go_by_weight)
{
    struct rpc_rig rig;
    struct tx tx[2];
    char want[160];
    rpc_rig_init(&rig, NULL, NULL);
    grow(&rig, tx);
    long long w0 = tx_weight_wu(&tx[0]), w1 = tx_weight_wu(&tx[1]);
    long long low = 1000 * 4 / w0, high = 3000 * 4 / w1;
    /* The first transaction, which pays less, is 50 to 75 of 100 of the weight. */
    assert_true(2 * w0 >= w0 + w1 && 4 * w0 < 3 * (w0 + w1));
    snprintf(want, sizeof want, "{\"feerate_percentiles\":[%lld,%lld,%lld,%lld,%lld]}", low, low,
             low, high, high);
    assert_string_equal(number(&rig, 102, "feerate_percentiles"), want);
    assert_call(&rig, "getblockstats", "[1,[\"feerate_percentiles\"]]",
                "{\"feerate_percentiles\":[0,0,0,0,0]}");
    rpc_rig_deinit(&rig);
}

TEST(unspendable_outputs_count_for_the_nominal_increase_only)
{
    struct rpc_rig rig;
    struct tx tx[2];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, tx);
    const struct tx *coinbase = &last->block.tx[0];
    long long nominal = 0, actual = 0, unspendable = 0;
    for (uint32_t i = 0; i < coinbase->n_out; i++) {
        struct span script = coinbase->out[i].script_pubkey;
        long long bytes = 8 + 1 + (long long)script.len + 40;
        bool burns = script.len > 0 && script.p[0] == 0x6a;
        nominal += bytes;
        actual += burns ? 0 : bytes;
        unspendable += burns;
    }
    assert_true(unspendable > 0); /* the commitment to the witnesses */
    long long first = 8 + 1 + (long long)coinbase->out[0].script_pubkey.len + 40;
    /* Two transactions: three outputs of P2WSH; spent are a coinbase's output and one of P2WSH. */
    assert_stat(&rig, 102, "utxo_size_inc", nominal + 2 * P2WSH_OUTPUT_BYTES - first);
    assert_stat(&rig, 102, "utxo_size_inc_actual", actual + 2 * P2WSH_OUTPUT_BYTES - first);
    assert_stat(&rig, 102, "utxo_increase", coinbase->n_out + 3 - 2);
    assert_stat(&rig, 102, "utxo_increase_actual", coinbase->n_out - unspendable + 3 - 2);
    /* Nobody can spend the genesis block's coin: it is in no set. */
    assert_stat(&rig, 0, "utxo_increase", 1);
    assert_stat(&rig, 0, "utxo_size_inc", 116);
    assert_stat(&rig, 0, "utxo_increase_actual", 0);
    assert_stat(&rig, 0, "utxo_size_inc_actual", 0);
    rpc_rig_deinit(&rig);
}

TEST(blocks_and_statistics_are_named)
{
    struct rpc_rig rig;
    struct tx tx[2];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, tx);
    char *by_height = xstrdup(rpc_rig_call(&rig, "getblockstats", "[102]"));
    const char *by_hash = rpc_rig_callf(&rig, "getblockstats", "[\"%s\"]", rpc_rig_id(&rig, last));
    assert_string_equal(by_hash, by_height);
    assert_starts(by_height, "{\"avgfee\":2000,\"avgfeerate\":");
    assert_holds(by_height, rig.id);
    xfree(by_height);
    assert_call(&rig, "getblockstats", "[103]",
                "-8: Target block height 103 after current tip 102");
    assert_call(&rig, "getblockstats", "[-1]", "-8: Target block height -1 is negative");
    assert_call(&rig, "getblockstats", "[\"" UNKNOWN_ID "\"]", "-5: Block not found");
    assert_call(&rig, "getblockstats", "[\"00\"]",
                "-8: hash_or_height must be of length 64 (not 2, for '00')");
    assert_call(&rig, "getblockstats", "[1,[\"minfee\",\"nosuch\"]]",
                "-8: Invalid selected statistic 'nosuch'");
    assert_starts(rpc_rig_call(&rig, "getblockstats", "[]"),
                  "-1: getblockstats hash_or_height ( stats )");
    rpc_rig_deinit(&rig);
}

TEST(transactions_of_a_window_are_counted)
{
    struct rpc_rig rig;
    struct tx tx[2];
    char want[400];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, tx);
    const struct block_node *tip = chain_tip(rig.chain.chain);
    long long seconds = block_node_mtp(tip) - block_node_mtp(chain_at(rig.chain.chain, 101));
    rpc_rig_id(&rig, last);
    snprintf(want, sizeof want,
             "{\"time\":%u,\"txcount\":105,\"window_final_block_hash\":\"%s\","
             "\"window_final_block_height\":102,\"window_block_count\":1,\"window_interval\":%lld,"
             "\"window_tx_count\":3,\"txrate\":",
             last->block.header.time, rig.id, seconds);
    assert_starts(rpc_rig_call(&rig, "getchaintxstats", "[1]"), want);
    /* No window: no rate. */
    assert_holds(rpc_rig_call(&rig, "getchaintxstats", "[0]"), "\"window_block_count\":0}");
    /* By default a month, but never the genesis block. */
    assert_holds(rpc_rig_call(&rig, "getchaintxstats", "[]"), "\"window_block_count\":101,");
    static const char range[] =
        "-8: Invalid block count: should be between 0 and the block's height - 1";
    assert_call(&rig, "getchaintxstats", "[102]", range);
    assert_call(&rig, "getchaintxstats", "[-1]", range);
    assert_holds(rpc_rig_call(&rig, "getchaintxstats", "[101]"), "\"window_block_count\":101,");
    assert_call(&rig, "getchaintxstats", "[1,\"" UNKNOWN_ID "\"]", "-5: Block not found");
    rpc_rig_deinit(&rig);
}

TEST(a_window_ends_in_the_active_chain)
{
    struct rpc_rig rig;
    struct tx tx[2];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, tx);
    const struct built_block *other = builder_block(&rig.builder, last->prev, NULL);
    (void)rig_accept(&rig.chain, other);
    assert_string_equal(
        rpc_rig_callf(&rig, "getchaintxstats", "[1,\"%s\"]", rpc_rig_id(&rig, other)),
        "-8: Block is not in main chain");
    rpc_rig_deinit(&rig);
}
