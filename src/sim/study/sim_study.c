/* sim_study.c - see sim_study.h */
#include "sim/study/sim_study.h"

#include <stdlib.h>
#include <string.h>

#include "sim/sim_spend.h"
#include "util/array.h"

#define STUDY_PART  0x73747564 /* of the seed: see sim_random_of() */
#define BASE_BLOCKS 112
#define WARM_UP_US  INT64_C(30000000)
#define QUIET_US    INT64_C(60000000)
#define STEP_US     INT64_C(100000) /* in each of which a block may be mined */

/* A block that somebody mined. */
struct mined {
    char hash[HEX_ID_BYTES];
    int64_t at_us;
};

struct study {
    const struct sim_study_options *options;
    struct sim_study_result *result;
    struct sim_base *base;
    struct sim_world *world;
    struct sim_random random;
    struct sim_spend spend;
    ARRAY(struct mined) mined;
    ARRAY(int64_t) delays_us;
};

static const struct mined *find_mined(const struct study *study, const char *hash)
{
    for (size_t i = study->mined.n; i-- > 0;)
        if (strcmp(study->mined.at[i].hash, hash) == 0)
            return &study->mined.at[i];
    return NULL;
}

/* The first node that has a block as its tip has mined it. */
static void add_mined(struct study *study, const char *hash)
{
    struct mined *mined = ARRAY_ADD(&study->mined);
    *mined = (struct mined){.at_us = sim_world_now_us(study->world)};
    memcpy(mined->hash, hash, HEX_ID_BYTES);
}

static void on_tip(void *ctx, size_t node, const char *hash)
{
    struct study *study = ctx;
    (void)node;
    const struct mined *mined = find_mined(study, hash);
    if (!mined) {
        add_mined(study, hash);
        return;
    }
    *ARRAY_ADD(&study->delays_us) = sim_world_now_us(study->world) - mined->at_us;
}

/* -- What happens -------------------------------------------------------------------------------
 */

static bool happens(struct study *study, int64_t times, int64_t per_us)
{
    return (int64_t)sim_random_below(&study->random, (uint64_t)per_us) < times * STEP_US;
}

static void send_tx(struct study *study)
{
    size_t node = sim_random_below(&study->random, study->options->n_nodes);
    int32_t height = chain_tip(node_chain(sim_world_node(study->world, node)))->height;
    sim_spend_add_mature(&study->spend, study->base, height);
    sim_spend_send(&study->spend, study->world, node);
}

static void live(struct study *study)
{
    const struct sim_study_options *options = study->options;
    int64_t end_us = sim_world_now_us(study->world) + options->minutes * 60000000;
    while (sim_world_now_us(study->world) < end_us) {
        if (happens(study, 1, options->interval_s * 1000000))
            sim_world_mine(study->world, sim_random_below(&study->random, options->n_nodes));
        if (options->txs_per_minute > 0 && happens(study, options->txs_per_minute, 60000000))
            send_tx(study);
        sim_world_run_for(study->world, STEP_US);
    }
    sim_world_run_for(study->world, QUIET_US);
}

/* -- The figures --------------------------------------------------------------------------------
 */

static int compare_delays(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static int64_t quantile(const struct study *study, unsigned percent)
{
    return study->delays_us.n ? study->delays_us.at[(study->delays_us.n - 1) * percent / 100] : 0;
}

static bool has_block(struct chain *chain, const char *hash)
{
    struct block_hash id;
    if (!hex_decode_reversed(id.b, sizeof id.b, hash, strlen(hash)))
        return false;
    const struct block_node *node = chain_find(chain, &id);
    return node && chain_contains(chain, node);
}

static void sum_up(struct study *study)
{
    struct sim_study_result *result = study->result;
    struct chain *chain = node_chain(sim_world_node(study->world, 0));
    const struct block_node *tip = chain_tip(chain);
    if (study->delays_us.n > 0)
        qsort(study->delays_us.at, study->delays_us.n, sizeof(int64_t), compare_delays);
    result->n_samples = study->delays_us.n;
    result->median_us = quantile(study, 50);
    result->p90_us = quantile(study, 90);
    result->p99_us = quantile(study, 99);
    result->max_us = quantile(study, 100);
    result->n_mined = study->mined.n;
    for (size_t i = 0; i < study->mined.n; i++)
        result->n_stale += !has_block(chain, study->mined.at[i].hash);
    result->height = tip->height - BASE_BLOCKS;
    result->n_txs = tip->chain_tx - (uint64_t)tip->height - 1;
    result->bytes = sim_net_bytes(sim_world_net(study->world));
    result->has_agreed = true;
    for (size_t i = 1; i < study->options->n_nodes; i++) {
        const struct block_node *other = chain_tip(node_chain(sim_world_node(study->world, i)));
        result->has_agreed = result->has_agreed && block_hash_equal(&tip->hash, &other->hash);
    }
}

void sim_study_run(const struct sim_study_options *options, struct sim_study_result *result)
{
    ASSERT(options->n_nodes >= 2 && options->interval_s > 0);
    *result = (struct sim_study_result){0};
    struct study study = {
        .options = options, .result = result, .random = sim_random_of(options->seed, STUDY_PART)};
    study.base = sim_base_new(BASE_BLOCKS);
    const struct sim_world_options world_options = {.seed = options->seed,
                                                    .n_nodes = options->n_nodes,
                                                    .net = options->net,
                                                    .base = study.base,
                                                    .n_links = 1,
                                                    .tip = on_tip,
                                                    .ctx = &study};
    study.world = sim_world_new(&world_options);
    sim_spend_init(&study.spend, sim_random_of(options->seed, STUDY_PART + 1));
    for (size_t i = 0; i < options->n_nodes; i++)
        sim_world_start(study.world, i);
    sim_world_run_for(study.world, WARM_UP_US);
    live(&study);
    sum_up(&study);
    sim_world_free(study.world);
    sim_base_free(study.base);
    ARRAY_FREE(&study.mined);
    ARRAY_FREE(&study.delays_us);
}
