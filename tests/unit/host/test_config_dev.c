/* test_config_dev.c - what -dev and -automine mean, and each mistake in them. */
#include "config_world.h"

FIXTURE(setup, teardown)

#define ADDRESS "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

TEST(dev_alone_means_regtest_and_leaves_the_download_at_once, struct world *w)
{
    ASSERT_OK(w, "-dev");
    assert_int_equal(w->config.network.kind, NETWORK_REGTEST);
    assert_non_null(w->config.dev.keys);
    assert_int_equal(w->config.chain.max_tip_age_s, UINT32_MAX);
    assert_int_equal(w->config.net.fallback_sat_per_kvb, 1000);
    assert_true(!w->config.dev.miner.on_tx && w->config.dev.miner.interval_s == 0);
    ASSERT_OK(w, "-dev", "-signet");
    assert_int_equal(w->config.network.kind, NETWORK_SIGNET);
    ASSERT_OK(w, "-dev", "-maxtipage=5", "-fallbackestimate=0.0002");
    assert_int_equal(w->config.chain.max_tip_age_s, 5);
    assert_int_equal(w->config.net.fallback_sat_per_kvb, 20000);
    ASSERT_OK(w, "-regtest");
    assert_null(w->config.dev.keys);
}

TEST(blocks_are_made_for_transactions_by_the_clock_or_by_chance, struct world *w)
{
    ASSERT_OK(w, "-dev", "-automine=tx");
    assert_true(w->config.dev.miner.on_tx);
    assert_memory_equal(w->config.dev.miner.script.p, w->config.dev.keys->at[0].script, 22);
    ASSERT_OK(w, "-dev", "-automine=86400");
    assert_int_equal(w->config.dev.miner.interval_s, 86400);
    assert_false(w->config.dev.miner.is_poisson);
    ASSERT_OK(w, "-regtest", "-automine=poisson:1", "-mineraddress=" ADDRESS);
    assert_true(w->config.dev.miner.is_poisson && w->config.dev.miner.interval_s == 1);
    assert_int_equal(w->config.dev.miner.script.len, 22);
    ASSERT_OK(w, "-dev", "-noautomine");
    assert_false(w->config.dev.miner.on_tx);
}

TEST(each_mistake_is_named, struct world *w)
{
    static const struct {
        const char *args[3], *error;
    } rows[] = {
        {{"-dev", "-chain=main"}, "-dev is for test chains only"},
        {{"-dev", "-automine=0"}, "-automine must be tx, or 1 to 86400 seconds"},
        {{"-dev", "-automine=86401"}, "-automine must be tx, or 1 to 86400 seconds"},
        {{"-dev", "-automine=poisson:"}, "-automine must be tx, or 1 to 86400 seconds"},
        {{"-dev", "-automine=-3"}, "-automine must be tx, or 1 to 86400 seconds"},
        {{"-regtest", "-automine=tx"}, "-automine needs -mineraddress, unless -dev is given"},
        {{"-dev", "-automine=tx", "-mineraddress=x"},
         "-mineraddress is no address of regtest: 'x'"},
        {{"-regtest", "-mineraddress=" ADDRESS}, "-mineraddress needs -automine"},
        {{"-chain=main", "-automine=tx"}, "-automine is for chains whose blocks can be made here"},
        {{"-dev", "-signet", "-automine=tx"}, "-automine is for chains whose blocks can be made"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const *args = rows[i].args;
        assert_false(init(w, args[0], args[1], args[2], NULL));
        assert_non_null(strstr(w->error, rows[i].error));
    }
}
