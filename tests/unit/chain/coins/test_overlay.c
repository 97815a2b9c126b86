/* test_overlay.c - the coins as blocks in flight see them, against a plain model. */
#include "chain/coins/coins_parts.h"
#include "chain/coins/overlay.h"
#include "sim/sim_env.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

#define MODEL_COINS  48
#define MODEL_LAYERS 6

struct fixture {
    struct sim_env *sim;
    struct coins *coins;
    struct siphash_key key;
    struct overlay overlay;
};

static struct coin coin_of(int64_t value_sat)
{
    return (struct coin){
        .value_sat = value_sat, .script_pubkey = span_of_string("\x51"), .height = 7};
}

static struct outpoint outpoint_of(uint32_t i)
{
    return (struct outpoint){.txid = {{(uint8_t)i, (uint8_t)(i >> 8), 3}}, .vout = i % 3};
}

static void setup(struct fixture *f)
{
    struct coins_options options = {.cache_bytes = 1 << 20, .store_cache_bytes = 1 << 16};
    char *error = NULL;
    f->sim = sim_env_new(1);
    assert_int_equal(coins_open(sim_env_get(f->sim), NULL, "coins", &options, &f->coins, &error),
                     0);
    f->key = coins_hash_key(f->coins);
    overlay_init(&f->overlay);
}

static void teardown(struct fixture *f)
{
    overlay_deinit(&f->overlay);
    coins_close(f->coins);
    sim_env_free(f->sim);
}

static void add(struct fixture *f, struct overlay_layer *layer, uint32_t i, const struct coin *coin)
{
    struct outpoint outpoint = outpoint_of(i);
    overlay_add(&f->overlay, layer, &outpoint, coins_hash(f->key, &outpoint), coin, false);
}

static void spend(struct fixture *f, struct overlay_layer *layer, uint32_t i)
{
    struct outpoint outpoint = outpoint_of(i);
    overlay_spend(&f->overlay, layer, &outpoint, coins_hash(f->key, &outpoint));
}

/* Value of a coin as a block on top of all layers sees it; 0 if spent or unknown to the overlay
 * and not in the coins. */
static int64_t seen_value(const struct fixture *f, uint32_t i)
{
    struct outpoint outpoint = outpoint_of(i);
    uint64_t hash = coins_hash(f->key, &outpoint);
    const struct coin *coin;
    struct coin stored;
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    switch (overlay_find(&f->overlay, &outpoint, hash, &coin)) {
    case OVERLAY_UNSPENT:
        return coin->value_sat;
    case OVERLAY_SPENT:
        return 0;
    case OVERLAY_UNTOUCHED:
        break;
    }
    return coins_find(f->coins, &outpoint, hash, &stored, script) == COINS_UNSPENT
               ? stored.value_sat
               : 0;
}

static int64_t committed_value(const struct fixture *f, uint32_t i)
{
    struct outpoint outpoint = outpoint_of(i);
    struct coin stored;
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    return coins_find(f->coins, &outpoint, coins_hash(f->key, &outpoint), &stored, script) ==
                   COINS_UNSPENT
               ? stored.value_sat
               : 0;
}

TEST(nothing_unverified_reaches_the_coins)
{
    struct fixture f;
    setup(&f);
    struct coin five = coin_of(5);
    struct overlay_layer layer;
    overlay_layer_init(&layer, 1);
    add(&f, &layer, 1, &five);
    assert_int_equal(seen_value(&f, 1), 5);
    assert_int_equal(committed_value(&f, 1), 0);
    overlay_drop(&f.overlay, &layer);
    assert_int_equal(seen_value(&f, 1), 0);
    assert_int_equal(f.overlay.count, 0);
    overlay_layer_deinit(&layer);
    teardown(&f);
}

TEST(a_coin_made_and_spent_by_one_block_leaves_no_trace)
{
    struct fixture f;
    setup(&f);
    struct coin five = coin_of(5);
    struct overlay_layer layer;
    overlay_layer_init(&layer, 1);
    add(&f, &layer, 1, &five);
    spend(&f, &layer, 1);
    overlay_commit(&f.overlay, &layer, f.coins);
    assert_int_equal(f.coins->active.count + f.coins->frozen.count, 0);
    overlay_layer_deinit(&layer);
    teardown(&f);
}

/* A block that is alone in flight is committed all at once, and so is the next one on the entries
 * that it leaves; one that another stands on is not, whether that one changes the same coins or
 * others. */
TEST(a_large_block_is_committed_alone_or_below_another)
{
    enum { N = 200 };
    struct fixture f;
    struct coin coins[2 * N];
    setup(&f);
    uint64_t id = 1;
    for (uint32_t way = 0; way < 3; way++) {
        struct overlay_layer older, newer;
        overlay_layer_init(&older, id++);
        overlay_layer_init(&newer, id++);
        for (uint32_t i = 0; i < N; i++) {
            coins[i] = coin_of(1 + i + way);
            if (way > 0)
                spend(&f, &older, i);
            add(&f, &older, i, &coins[i]);
        }
        for (uint32_t i = 0; i < N && way > 0; i++) {
            uint32_t k = way == 1 ? i : N + i;
            coins[N + i] = coin_of(1000 + i);
            if (way == 1)
                spend(&f, &newer, k);
            else
                add(&f, &newer, k, &coins[N + i]);
        }
        overlay_commit(&f.overlay, &older, f.coins);
        assert_int_equal(f.overlay.count, way == 0 ? 0 : N);
        for (uint32_t i = 0; i < N; i++) {
            assert_int_equal(committed_value(&f, i), 1 + i + way);
            assert_int_equal(seen_value(&f, i), way == 1 ? 0 : 1 + i + way);
        }
        overlay_drop(&f.overlay, &newer);
        assert_int_equal(f.overlay.count, 0);
        for (uint32_t i = 0; i < N; i++)
            assert_int_equal(seen_value(&f, i), 1 + i + way);
        overlay_layer_deinit(&older);
        overlay_layer_deinit(&newer);
    }
    teardown(&f);
}

TEST(a_newer_block_keeps_its_view_while_an_older_one_is_committed)
{
    struct fixture f;
    setup(&f);
    struct coin five = coin_of(5);
    struct overlay_layer old, new;
    overlay_layer_init(&old, 1);
    overlay_layer_init(&new, 2);
    add(&f, &old, 1, &five);
    spend(&f, &new, 1);
    overlay_commit(&f.overlay, &old, f.coins);
    assert_int_equal(committed_value(&f, 1), 5);
    assert_int_equal(seen_value(&f, 1), 0);
    /* Dropping the newer one shows what is committed, not the older layer's memory. */
    overlay_drop(&f.overlay, &new);
    assert_int_equal(seen_value(&f, 1), 5);
    assert_int_equal(f.overlay.count, 0);
    overlay_layer_deinit(&old);
    overlay_layer_deinit(&new);
    teardown(&f);
}

/* -- Against a model ------------------------------------------------------------------------------
 */

/* The value of every coin after each layer; row 0 is what is committed. */
struct model {
    int64_t value[MODEL_LAYERS + 1][MODEL_COINS];
    size_t n_layers;
};

static void assert_same(const struct fixture *f, const struct model *model)
{
    for (uint32_t i = 0; i < MODEL_COINS; i++) {
        assert_int_equal(seen_value(f, i), model->value[model->n_layers][i]);
        assert_int_equal(committed_value(f, i), model->value[0][i]);
    }
}

static void push_random_layer(struct fixture *f, struct model *model, struct overlay_layer *layer,
                              struct sim_random *random, struct coin *pool)
{
    size_t top = ++model->n_layers;
    memcpy(model->value[top], model->value[top - 1], sizeof model->value[0]);
    for (uint32_t n = 0; n < 20; n++) {
        uint32_t i = (uint32_t)sim_random_below(random, MODEL_COINS);
        if (model->value[top][i]) {
            spend(f, layer, i);
            model->value[top][i] = 0;
        } else {
            add(f, layer, i, &pool[n]);
            model->value[top][i] = pool[n].value_sat;
        }
    }
}

TEST(random_layers_agree_with_a_model)
{
    struct fixture f;
    struct model model = {.n_layers = 0};
    struct overlay_layer layers[MODEL_LAYERS + 1];
    static const size_t pool_n = 20;
    struct coin *pools[MODEL_LAYERS + 1];
    struct sim_random random = sim_random_of(42, 0);
    setup(&f);
    uint64_t next_id = 1;
    for (int round = 0; round < 3000; round++) {
        uint64_t what = sim_random_below(&random, 4);
        if (what < 2 && model.n_layers < MODEL_LAYERS) {
            size_t at = model.n_layers + 1;
            pools[at] = xcalloc(pool_n, sizeof(struct coin));
            for (size_t n = 0; n < pool_n; n++)
                pools[at][n] = coin_of(1 + (int64_t)sim_random_below(&random, 1000000));
            overlay_layer_init(&layers[at], next_id++);
            push_random_layer(&f, &model, &layers[at], &random, pools[at]);
        } else if (what == 2 && model.n_layers > 0) {
            size_t at = model.n_layers--;
            overlay_drop(&f.overlay, &layers[at]);
            overlay_layer_deinit(&layers[at]);
            xfree(pools[at]);
        } else if (what == 3 && model.n_layers > 0) {
            overlay_commit(&f.overlay, &layers[1], f.coins);
            overlay_layer_deinit(&layers[1]);
            xfree(pools[1]);
            memmove(model.value[0], model.value[1], sizeof model.value[0] * model.n_layers);
            memmove(&layers[1], &layers[2], sizeof layers[0] * (model.n_layers - 1));
            memmove(&pools[1], &pools[2], sizeof pools[0] * (model.n_layers - 1));
            model.n_layers--;
        }
        assert_same(&f, &model);
    }
    for (; model.n_layers > 0; model.n_layers--) {
        overlay_drop(&f.overlay, &layers[model.n_layers]);
        overlay_layer_deinit(&layers[model.n_layers]);
        xfree(pools[model.n_layers]);
    }
    assert_int_equal(f.overlay.count, 0);
    teardown(&f);
}
