/* sim_study.c - see sim_study.h */
#include "sim/study/sim_study.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/pow.h"
#include "sim/sim_world.h"
#include "sim/study/geography.h"
#include "sim/study/study_attack.h"
#include "sim/study/study_load.h"
#include "sim/study/study_sample.h"
#include "sim/study/topology.h"

#define STUDY_PART     0x73747564 /* of the seed: see sim_random_of() */
#define MATURITY_MAX   10000      /* so many blocks are made before anything begins */
#define WARM_UP_US     INT64_C(30000000)
#define QUIET_US       INT64_C(60000000)
#define STEP_US        INT64_C(10000) /* in each of which a block may be mined */
#define SAMPLES_MAX    1000
#define COINS_LEAST    100
#define POWER_ORDINARY 1000
/* A node's share of memory when there are a thousand: the scripts of some blocks, and few events,
 * as nobody listens to them. */
#define SCRIPT_CACHE_BYTES (256u << 10)
#define EVENTS_KEPT        256

/* A block that somebody mined. */
struct mined {
    char hash[HEX_ID_BYTES];
    int64_t at_us;
};

struct machine {
    size_t place;
    int64_t power_milli;
    int64_t up_at_us; /* when it is to start again; 0: it has not been stopped */
    int group;
    bool is_private; /* a selfish miner's: no other node reaches it */
};

struct study {
    const struct sim_study_options *options;
    const struct scenario *scenario;
    struct sim_study_result *result;
    struct sim_base *base;
    struct sim_world *world;
    struct study_load *load;
    struct study_attack *attack;
    struct study_trace trace;
    struct study_sample sample;
    struct topology topology;
    struct machine *machines;
    int64_t *latency_us; /* of each pair of cities */
    int64_t least_us;    /* of them */
    size_t n_nodes;
    struct sim_random random, churn_random;
    bool is_measuring;
    int64_t begin_us, next_sample_us, sample_us;
    ARRAY(struct mined) mined;
    ARRAY(int64_t) delays_us;
};

#define TRACE(study, event, ...)                                                                   \
    study_trace_line(&(study)->trace, sim_world_now_us((study)->world), event, __VA_ARGS__)

static int64_t value(const struct study *study, enum scenario_field field)
{
    return study->scenario->value[field];
}

static bool is_on(const struct study *study, size_t i)
{
    return sim_world_state(study->world, i) == SIM_MACHINE_ON;
}

/* It is on, and one of those that are to agree. */
static bool is_public(const struct study *study, size_t i)
{
    return is_on(study, i) && !study->machines[i].is_private;
}

/* -- What nodes and the network tell ----------------------------------------------------------- */

static const struct mined *find_mined(const struct study *study, const char *hash)
{
    for (size_t i = study->mined.n; i-- > 0;)
        if (strcmp(study->mined.at[i].hash, hash) == 0)
            return &study->mined.at[i];
    return NULL;
}

static const struct block_node *find_block(struct chain *chain, const char *hash)
{
    struct block_hash id;
    bool is_hash = hex_decode_reversed(id.b, sizeof id.b, hash, strlen(hash));
    ASSERT(is_hash);
    return chain_find(chain, &id);
}

/* The first node that has a block as its tip has mined it. */
static void add_mined(struct study *study, size_t node, const struct block_node *block,
                      const char *hash)
{
    struct mined *mined = ARRAY_ADD(&study->mined);
    *mined = (struct mined){.at_us = sim_world_now_us(study->world)};
    memcpy(mined->hash, hash, HEX_ID_BYTES);
    char parent[HEX_ID_BYTES];
    hex_encode_reversed(parent, span_of(block->prev->hash.b, sizeof block->prev->hash.b));
    TRACE(study, "mined",
          ",\"node\":%zu,\"height\":%d,\"hash\":\"%s\",\"parent\":\"%s\",\"txs\":%u,\"bytes\":%u",
          node, block->height, hash, parent, block->n_tx, block->data.len);
}

static void on_tip(void *ctx, size_t node, const char *hash)
{
    struct study *study = ctx;
    if (!study->is_measuring)
        return;
    const struct mined *mined = find_mined(study, hash);
    const struct block_node *block =
        find_block(node_chain(sim_world_node(study->world, node)), hash);
    if (!block || block->height <= sim_base_height(study->base))
        return;
    if (!mined)
        add_mined(study, node, block, hash);
    else
        *ARRAY_ADD(&study->delays_us) = sim_world_now_us(study->world) - mined->at_us;
    TRACE(study, "tip", ",\"node\":%zu,\"height\":%d,\"hash\":\"%s\"", node, block->height, hash);
}

static void on_link(void *ctx, size_t from, size_t to, bool is_up)
{
    struct study *study = ctx;
    if (study->is_measuring && from != to) /* an attacker with his own node */
        TRACE(study, is_up ? "link" : "unlink", ",\"from\":%zu,\"to\":%zu", from, to);
}

static void on_act(void *ctx, size_t node, const char *kind, const char *what, int32_t height)
{
    struct study *study = ctx;
    if (!study->is_measuring || study->result->n_acts++ >= STUDY_ACTS_MAX)
        return;
    TRACE(study, "attack", ",\"node\":%zu,\"kind\":\"%s\",\"what\":\"%s\",\"height\":%d", node,
          kind, what, height);
}

static int64_t latency_us(void *ctx, size_t a, size_t b)
{
    const struct study *study = ctx;
    return study
        ->latency_us[study->machines[a].place * geography_count() + study->machines[b].place];
}

/* -- What happens ------------------------------------------------------------------------------ */

static bool happens(struct sim_random *random, int64_t times, int64_t per_us)
{
    return times > 0 && (int64_t)sim_random_below(random, (uint64_t)per_us) < times * STEP_US;
}

/* A transaction that a node looks at. */
struct sent {
    struct study *study;
    struct study_tx tx;
    size_t node;
};

static void on_sent(void *arg, int status, const char *body)
{
    struct sent *sent = arg;
    struct study *study = sent->study;
    (void)body;
    if (status == 200) {
        study->result->n_accepted++;
        TRACE(study, "tx", ",\"node\":%zu,\"txid\":\"%s\",\"bytes\":%zu", sent->node, sent->tx.id,
              sent->tx.bytes);
        for (size_t i = 0; i < sent->tx.n_coins; i++)
            study_load_add(study->load, &sent->tx.coin[i]);
    } else {
        study->result->n_refused++;
    }
    xfree(sent);
}

static void send_tx(struct study *study)
{
    size_t node = sim_random_below(&study->random, study->n_nodes);
    struct sent *sent = xcalloc(1, sizeof *sent);
    *sent = (struct sent){.study = study, .node = node};
    if (!is_public(study, node) || !study_load_make(study->load, &sent->tx)) {
        xfree(sent);
        return;
    }
    char *params = xasprintf("[\"%s\"]", sent->tx.hex);
    xfree(sent->tx.hex);
    sim_world_call(study->world, node, "sendrawtransaction", params, on_sent, sent);
    xfree(params);
}

/* By the shares of those that run. */
static void mine(struct study *study)
{
    uint64_t total = 0;
    for (size_t i = 0; i < study->n_nodes; i++)
        total += is_on(study, i) ? (uint64_t)study->machines[i].power_milli : 0;
    if (total == 0)
        return;
    uint64_t left = sim_random_below(&study->random, total);
    size_t i = 0;
    for (;; i++) {
        uint64_t power = is_on(study, i) ? (uint64_t)study->machines[i].power_milli : 0;
        if (left < power)
            break;
        left -= power;
    }
    sim_world_mine(study->world, i);
}

/* A machine that is on again has a new place in the network: parted and slow as it was before. */
static void set_up(struct study *study, size_t i)
{
    sim_net_set_group(sim_world_host(study->world, i), study->machines[i].is_private
                                                           ? STUDY_ATTACK_GROUP
                                                           : study->machines[i].group);
    for (size_t k = 0; k < study->scenario->machines.n; k++) {
        const struct scenario_machine *machine = &study->scenario->machines.at[k];
        if (machine->node == i && machine->rate_kbytes_per_s > 0)
            sim_net_set_rate(sim_world_host(study->world, i),
                             (uint64_t)machine->rate_kbytes_per_s * 1000);
    }
}

static void start_again(struct study *study)
{
    int64_t now_us = sim_world_now_us(study->world);
    for (size_t i = 0; i < study->n_nodes; i++) {
        struct machine *machine = &study->machines[i];
        if (machine->up_at_us == 0 || machine->up_at_us > now_us ||
            sim_world_state(study->world, i) != SIM_MACHINE_OFF)
            continue;
        machine->up_at_us = 0;
        TRACE(study, "up", ",\"node\":%zu", i);
        sim_world_start(study->world, i);
        set_up(study, i);
    }
}

static void churn(struct study *study)
{
    int64_t per_hour = value(study, SCENARIO_CHURN_PER_HOUR);
    if (per_hour == 0)
        return;
    start_again(study);
    if (!happens(&study->churn_random, per_hour, INT64_C(3600000000)))
        return;
    size_t node = sim_random_below(&study->churn_random, study->n_nodes);
    if (!is_on(study, node))
        return;
    TRACE(study, "down", ",\"node\":%zu", node);
    study->machines[node].up_at_us =
        sim_world_now_us(study->world) + value(study, SCENARIO_DOWN_S) * 1000000;
    sim_world_stop(study->world, node);
}

/* -- Partitions -------------------------------------------------------------------------------- */

static void append_group(const struct study *study, int group, struct buffer *out)
{
    const char *comma = "";
    for (size_t i = 0; i < study->n_nodes; i++) {
        if (study->machines[i].group != group)
            continue;
        buffer_append_format(out, "%s%zu", comma, i);
        comma = ",";
    }
}

static void tell_groups(struct study *study, int n_groups)
{
    struct buffer text;
    buffer_init(&text);
    for (int group = 0; group <= n_groups; group++) {
        buffer_append_format(&text, group ? ",[" : "[");
        append_group(study, group, &text);
        buffer_append_format(&text, "]");
    }
    buffer_append(&text, "", 1);
    TRACE(study, "partition", ",\"groups\":[%s]", (const char *)text.p);
    buffer_deinit(&text);
}

/* sides NULL: all are together again. */
static void part(struct study *study, const struct scenario_partition *partition)
{
    int n_groups = 0;
    for (size_t i = 0; i < study->n_nodes; i++)
        study->machines[i].group = 0;
    for (size_t i = 0; partition && i < partition->sides.n; i++) {
        int group = (int)partition->sides.at[i].to;
        study->machines[partition->sides.at[i].from].group = group;
        n_groups = MAX_OF(n_groups, group);
    }
    for (size_t i = 0; i < study->n_nodes; i++)
        if (sim_world_state(study->world, i) != SIM_MACHINE_OFF)
            set_up(study, i);
    if (partition)
        tell_groups(study, n_groups);
    else
        TRACE(study, "heal", "%s", "");
}

static void keep_partitions(struct study *study, int64_t step)
{
    for (size_t i = 0; i < study->scenario->partitions.n; i++) {
        const struct scenario_partition *partition = &study->scenario->partitions.at[i];
        if (partition->from_s * 1000000 / STEP_US == step)
            part(study, partition);
        if (partition->to_s * 1000000 / STEP_US == step)
            part(study, NULL);
    }
}

static void sample(struct study *study)
{
    if (sim_world_now_us(study->world) < study->next_sample_us)
        return;
    study->next_sample_us += study->sample_us;
    study_sample_take(&study->sample, &study->trace);
}

static void live(struct study *study)
{
    int64_t n_steps = value(study, SCENARIO_MINUTES) * 60000000 / STEP_US;
    for (int64_t step = 0; step < n_steps; step++) {
        keep_partitions(study, step);
        churn(study);
        if (happens(&study->random, 1, value(study, SCENARIO_INTERVAL_S) * 1000000))
            mine(study);
        if (happens(&study->random, value(study, SCENARIO_TXS_PER_MINUTE), 60000000))
            send_tx(study);
        sim_world_run_for(study->world, STEP_US);
        sample(study);
    }
    for (int64_t us = 0; us < QUIET_US; us += STEP_US) {
        keep_partitions(study, n_steps);
        start_again(study);
        sim_world_run_for(study->world, STEP_US);
        n_steps++;
    }
}

/* -- The figures ------------------------------------------------------------------------------- */

static int compare_delays(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static int64_t quantile(const struct study *study, unsigned percent)
{
    return study->delays_us.n ? study->delays_us.at[(study->delays_us.n - 1) * percent / 100] : 0;
}

static bool has_agreed(const struct study *study)
{
    const struct block_node *tip = NULL;
    for (size_t i = 0; i < study->n_nodes; i++) {
        if (!is_public(study, i))
            continue;
        const struct block_node *other = chain_tip(node_chain(sim_world_node(study->world, i)));
        if (tip && !block_hash_equal(&tip->hash, &other->hash))
            return false;
        tip = other;
    }
    return tip != NULL;
}

/* Of the first node that runs and is no attacker's own. */
static struct chain *first_chain(const struct study *study)
{
    size_t i = 0;
    while (i + 1 < study->n_nodes && !is_public(study, i))
        i++;
    return is_public(study, i) ? node_chain(sim_world_node(study->world, i)) : NULL;
}

static void sum_up(struct study *study)
{
    struct sim_study_result *result = study->result;
    struct chain *chain = first_chain(study);
    if (study->delays_us.n > 0)
        qsort(study->delays_us.at, study->delays_us.n, sizeof(int64_t), compare_delays);
    result->n_samples = study->delays_us.n;
    result->median_us = quantile(study, 50);
    result->p90_us = quantile(study, 90);
    result->p99_us = quantile(study, 99);
    result->max_us = quantile(study, 100);
    result->n_mined = study->mined.n;
    for (size_t i = 0; chain && i < study->mined.n; i++) {
        const struct block_node *node = find_block(chain, study->mined.at[i].hash);
        result->n_stale += !node || !chain_contains(chain, node);
    }
    const struct block_node *tip = chain ? chain_tip(chain) : NULL;
    int32_t base_height = sim_base_height(study->base);
    result->height = tip ? tip->height - base_height : 0;
    if (tip)
        result->n_txs =
            tip->chain_tx - chain_at(chain, base_height)->chain_tx - (uint64_t)result->height;
    result->bytes = sim_net_bytes(sim_world_net(study->world)) - result->bytes;
    result->has_agreed = has_agreed(study);
    sim_world_verdicts(study->world, &result->verdicts_known, &result->verdicts_made);
    study_trace_hash(&study->trace, result->trace_hash);
    TRACE(study, "end",
          ",\"agreed\":%s,\"height\":%d,\"stale\":%" PRIu64 ",\"txs_mined\":%" PRIu64
          ",\"bytes\":%" PRIu64 ",\"hash\":\"%s\"",
          result->has_agreed ? "true" : "false", base_height + result->height, result->n_stale,
          result->n_txs, result->bytes, result->trace_hash);
}

/* -- From beginning to end --------------------------------------------------------------------- */

static void make_machines(struct study *study)
{
    uint64_t seed = (uint64_t)value(study, SCENARIO_SEED);
    struct sim_random random = sim_random_of(seed, STUDY_PART + 2);
    int64_t n_miners = value(study, SCENARIO_MINERS);
    size_t n_cities = geography_count();
    study->latency_us = xcalloc(n_cities * n_cities, sizeof *study->latency_us);
    study->least_us = INT64_MAX;
    for (size_t i = 0; i < n_cities * n_cities; i++) {
        study->latency_us[i] = geography_latency_us(i / n_cities, i % n_cities);
        study->least_us = MIN_OF(study->least_us, study->latency_us[i]);
    }
    study->machines = xcalloc(study->n_nodes, sizeof *study->machines);
    for (size_t i = 0; i < study->n_nodes; i++) {
        study->machines[i].place = geography_draw(sim_random_u64(&random));
        study->machines[i].power_milli =
            n_miners == 0 || (int64_t)i < n_miners ? POWER_ORDINARY : 0;
        study->machines[i].is_private = scenario_is_private(study->scenario, i);
    }
    for (size_t i = 0; i < study->scenario->machines.n; i++) {
        const struct scenario_machine *given = &study->scenario->machines.at[i];
        struct machine *machine = &study->machines[given->node];
        if (given->place >= 0)
            machine->place = (size_t)given->place;
        if (given->power_milli >= 0)
            machine->power_milli = given->power_milli;
    }
}

static void make_base(struct study *study)
{
    uint64_t seed = (uint64_t)value(study, SCENARIO_SEED);
    study->load = study_load_new(sim_random_of(seed, STUDY_PART + 1));
    /* Twice what is spent from one block to the next. */
    int64_t txs_per_minute = value(study, SCENARIO_TXS_PER_MINUTE);
    int64_t n = 2 * txs_per_minute * value(study, SCENARIO_INTERVAL_S) / 60;
    n = MIN_OF(MAX_OF(n, COINS_LEAST), SIM_BASE_COINS_MAX);
    if (study->options->network && txs_per_minute == 0)
        n = 0; /* its coinbases may be worth nothing */
    study->base =
        sim_base_new_with_coins(study->options->network, study_load_script(study->load), (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        struct sim_coin coin = sim_base_spread_coin(study->base, (size_t)i);
        study_load_add(study->load, &coin);
    }
}

static void make_world(struct study *study)
{
    bool is_placed = value(study, SCENARIO_GEOGRAPHY) == GEOGRAPHY_CITIES;
    const struct sim_world_options options = {
        .seed = (uint64_t)value(study, SCENARIO_SEED),
        .n_nodes = study->n_nodes,
        .net = {.latency_min_us =
                    is_placed ? study->least_us : value(study, SCENARIO_LATENCY_MIN_MS) * 1000,
                .latency_max_us = value(study, SCENARIO_LATENCY_MAX_MS) * 1000,
                .jitter_us = value(study, SCENARIO_JITTER_MS) * 1000,
                .loss_ppm = (uint32_t)value(study, SCENARIO_LOSS_PPM),
                .bytes_per_s = (uint64_t)value(study, SCENARIO_RATE_KBYTES_PER_S) * 1000,
                .latency_us = is_placed ? latency_us : NULL,
                .linked = on_link,
                .ctx = study},
        .base = study->base,
        .network = study->options->network,
        .n_links = 1,
        .peers = study->topology.links,
        .transport = (enum sim_transport)value(study, SCENARIO_TRANSPORT),
        .captures = study->options->captured,
        .shares_verdicts = value(study, SCENARIO_SHARED_CACHE) != 0,
        .script_cache_bytes = SCRIPT_CACHE_BYTES,
        .event_log_max = EVENTS_KEPT,
        .tip = on_tip,
        .team = study->options->team,
        .ctx = study};
    study->world = sim_world_new(&options);
    for (size_t i = 0; i < study->n_nodes; i++) {
        sim_world_start(study->world, i);
        set_up(study, i);
    }
    sim_world_run_for(study->world, WARM_UP_US);
}

static void tell_machines(struct study *study)
{
    for (size_t i = 0; i < study->n_nodes; i++) {
        const struct machine *machine = &study->machines[i];
        const struct city *city = geography_city(machine->place);
        char where[120] = "";
        if (value(study, SCENARIO_GEOGRAPHY))
            snprintf(where, sizeof where, ",\"place\":\"%s\",\"lat\":%.2f,\"lon\":%.2f", city->name,
                     city->lat_centi / 100.0, city->lon_centi / 100.0);
        const char *role = "honest";
        for (size_t k = 0; k < study->scenario->attackers.n; k++)
            if (study->scenario->attackers.at[k].node == i)
                role = study->scenario->attackers.at[k].kind;
        TRACE(study, "node", ",\"node\":%zu%s,\"power\":%" PRId64 ".%03" PRId64 ",\"role\":\"%s\"",
              i, where, machine->power_milli / 1000, machine->power_milli % 1000, role);
    }
}

static void begin(struct study *study)
{
    int64_t seconds = value(study, SCENARIO_MINUTES) * 60;
    study->begin_us = study->trace.begin_us = sim_world_now_us(study->world);
    study->is_measuring = true;
    study->result->bytes = sim_net_bytes(sim_world_net(study->world));
    study->sample_us =
        MAX_OF(value(study, SCENARIO_SAMPLE_S), (seconds + SAMPLES_MAX - 1) / SAMPLES_MAX) *
        1000000;
    study->next_sample_us = study->begin_us + study->sample_us;
    int64_t txs_micro = value(study, SCENARIO_TXS_PER_MINUTE) * 1000000 / 60;
    const struct network *network = study->options->network;
    TRACE(study, "run",
          ",\"format\":1,\"name\":\"%s\",\"seed\":%" PRId64 ",\"nodes\":%zu,\"seconds\":%" PRId64
          ",\"interval_s\":%" PRId64 ",\"tx_per_s\":%" PRId64 ".%06" PRId64
          ",\"start_height\":%d%s%s%s",
          study->scenario->name, value(study, SCENARIO_SEED), study->n_nodes, seconds,
          value(study, SCENARIO_INTERVAL_S), txs_micro / 1000000, txs_micro % 1000000,
          sim_base_height(study->base), network ? ",\"chain\":\"" : "",
          network ? network->name : "", network ? "\"" : "");
    tell_machines(study);
    sim_net_each_link(sim_world_net(study->world), on_link, study);
    study_sample_init(&study->sample, study->world, study->n_nodes);
    study->attack = study_attack_new(study->scenario, study->world, study->n_nodes, on_act, study);
}

static void end(struct study *study)
{
    const struct sim_study_options *options = study->options;
    study->is_measuring = false;
    if (options->captured)
        options->captured(options->ctx, study->world, study->n_nodes, sim_base_height(study->base));
    study_sample_deinit(&study->sample);
    study_attack_free(study->attack);
    sim_world_free(study->world);
    sim_base_free(study->base);
    study_load_free(study->load);
    study_trace_deinit(&study->trace);
    xfree(study->machines);
    xfree(study->latency_us);
    ARRAY_FREE(&study->mined);
    ARRAY_FREE(&study->delays_us);
}

bool sim_study_can_run(const struct scenario *scenario, const struct network *network,
                       char error[SCENARIO_ERROR_BYTES])
{
    ASSERT(scenario && network && error);
    const char *why = NULL;
    if (network->signet_blocks)
        why = "nobody here signs for its challenge";
    else if (!network->mine_blocks_on_demand)
        why = "its first block takes more than 65,536 hashes, and here each is really made";
    else if (network->coinbase_maturity > MATURITY_MAX)
        why = "its coins mature later than in 10,000 blocks";
    else if (scenario->value[SCENARIO_TXS_PER_MINUTE] == 0)
        why = NULL;
    else if (network->buried_height[BURIED_SEGWIT] > 1)
        why = "transactions have witnesses: txs_per_minute must be 0 where segwit comes later";
    else if (pow_subsidy_sat(network, SIM_BASE_PAYING) < SIM_BASE_PAYING_SAT)
        why = "transactions need half a coin from each of the first ten blocks: txs_per_minute "
              "must be 0";
    snprintf(error, SCENARIO_ERROR_BYTES, "chain: %s: %s", network->name, why ? why : "");
    return !why;
}

bool sim_study_run(const struct sim_study_options *options, struct sim_study_result *result,
                   char error[SCENARIO_ERROR_BYTES])
{
    ASSERT(options && options->scenario && result);
    uint64_t seed = (uint64_t)options->scenario->value[SCENARIO_SEED];
    *result = (struct sim_study_result){0};
    struct study study = {.options = options,
                          .scenario = options->scenario,
                          .result = result,
                          .n_nodes = (size_t)options->scenario->value[SCENARIO_NODES],
                          .random = sim_random_of(seed, STUDY_PART),
                          .churn_random = sim_random_of(seed, STUDY_PART + 3)};
    bool is_good = scenario_check(options->scenario, error) &&
                   topology_init(&study.topology, options->scenario, error);
    if (is_good) {
        study_trace_init(&study.trace, options->trace, options->ctx);
        make_machines(&study);
        make_base(&study);
        make_world(&study);
        begin(&study);
        live(&study);
        sum_up(&study);
        end(&study);
    }
    topology_deinit(&study.topology);
    return is_good;
}
