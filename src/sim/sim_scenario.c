/* sim_scenario.c - see sim_scenario.h
 *
 * Everything random is drawn from one stream, in the order of the actions. */
#include "sim/sim_scenario.h"

#include <stdio.h>
#include <string.h>

#include "sim/sim_spend.h"
#include "util/alloc.h"

#define SCENARIO_PART     0x7363656e /* of the seed: see sim_random_of() */
#define FAULTS_US         INT64_C(240000000)
#define WARM_UP_US        INT64_C(10000000) /* for the first connections */
#define ACTION_MAX_US     3000000           /* between two actions; half of it on average */
#define STOP_PATIENCE_US  INT64_C(60000000) /* for a clean stop */
#define LAST_BLOCKS_US    INT64_C(60000000) /* after the faults: some more blocks, the last of */
#define LAST_ACTION_US    INT64_C(12000000) /* which makes one chain the best */
#define QUIET_US          INT64_C(10000000) /* before the last one, so that it finds no rival */
#define LOOK_US           INT64_C(500000)
#define CRASH_CHANGES_MAX 80 /* changes of the disk until a crash amid them */

/* A run. group and tip are by machine and outlive its crashes. */
struct scenario {
    const struct sim_scenario_options *options;
    struct sim_scenario_result *result;
    struct sim_world *world;
    struct sim_random random;
    struct sim_spend spend;
    size_t n;
    int group[SIM_SCENARIO_NODES_MAX];
    struct block_hash tip[SIM_SCENARIO_NODES_MAX];
};

static uint64_t draw(struct scenario *s, uint64_t n)
{
    return sim_random_below(&s->random, n);
}

static bool is_on(const struct scenario *s, size_t i)
{
    return sim_world_state(s->world, i) == SIM_MACHINE_ON;
}

/* A node that is on, at random; n if none is. */
static size_t draw_node(struct scenario *s)
{
    size_t first = draw(s, s->n);
    for (size_t k = 0; k < s->n; k++)
        if (is_on(s, (first + k) % s->n))
            return (first + k) % s->n;
    return s->n;
}

static const struct block_node *tip_of(const struct scenario *s, size_t i)
{
    return chain_tip(node_chain(sim_world_node(s->world, i)));
}

/* A new tip: is the one before among its ancestors? */
static void on_tip(void *ctx, size_t i, const char *block_hash)
{
    struct scenario *s = ctx;
    (void)block_hash;
    struct chain *chain = node_chain(sim_world_node(s->world, i));
    const struct block_node *before = chain_find(chain, &s->tip[i]);
    if (before && !chain_contains(chain, before))
        s->result->n_reorgs++;
    s->tip[i] = chain_tip(chain)->hash;
}

static void on_trace(void *ctx, const char *line)
{
    const struct scenario *s = ctx;
    s->options->trace(s->options->ctx, line);
}

/* -- Actions ------------------------------------------------------------------------------------
 */

static void do_mine(struct scenario *s, size_t i)
{
    s->result->n_mined++;
    sim_world_mine(s->world, i);
}

static void do_send(struct scenario *s, size_t i)
{
    sim_spend_add_mature(&s->spend, s->options->base, tip_of(s, i)->height);
    sim_spend_send(&s->spend, s->world, i);
}

/* Count coins: the node has to write them all first. */
static void do_flush(struct scenario *s, size_t i)
{
    sim_world_trace(s->world, "%zu counts coins", i);
    sim_world_call(s->world, i, "gettxoutsetinfo", "[\"none\"]", NULL, NULL);
}

static void set_groups(struct scenario *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (sim_world_host(s->world, i))
            sim_net_set_group(sim_world_host(s->world, i), s->group[i]);
}

static void do_part(struct scenario *s, size_t unused)
{
    (void)unused;
    uint64_t n_groups = 2 + draw(s, 2);
    sim_world_trace(s->world, "the network falls apart");
    for (size_t i = 0; i < s->n; i++)
        s->group[i] = (int)draw(s, n_groups);
    s->result->n_partitions++;
    set_groups(s);
}

static void do_join(struct scenario *s, size_t unused)
{
    (void)unused;
    sim_world_trace(s->world, "the network is whole");
    memset(s->group, 0, sizeof s->group);
    set_groups(s);
}

static void do_slow(struct scenario *s, size_t i)
{
    uint64_t rate = draw(s, 2) ? UINT64_C(2000) << draw(s, 6) : 0;
    sim_world_trace(s->world, "%zu has %llu bytes/s", i, (unsigned long long)rate);
    s->result->n_slow += rate > 0;
    sim_net_set_rate(sim_world_host(s->world, i), rate);
}

static void do_mute(struct scenario *s, size_t i)
{
    bool is_mute = draw(s, 2);
    sim_world_trace(s->world, "%zu is %s", i, is_mute ? "mute" : "heard");
    s->result->n_mute += is_mute;
    sim_net_set_mute(sim_world_host(s->world, i), is_mute);
}

static void do_stop(struct scenario *s, size_t i)
{
    s->result->n_restarts++;
    sim_world_stop(s->world, i);
}

static void do_start(struct scenario *s, size_t unused)
{
    (void)unused;
    size_t i = draw(s, s->n);
    if (sim_world_state(s->world, i) != SIM_MACHINE_OFF)
        return;
    s->tip[i] = (struct block_hash){0};
    sim_world_start(s->world, i);
    if (sim_world_host(s->world, i))
        sim_net_set_group(sim_world_host(s->world, i), s->group[i]);
}

static enum sim_crash draw_crash(struct scenario *s)
{
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    return how[draw(s, COUNT_OF(how))];
}

static void do_crash(struct scenario *s, size_t i)
{
    s->result->n_crashes++;
    sim_world_crash(s->world, i, draw_crash(s));
}

/* The machine may be off: then it may crash while it starts. */
static void do_crash_in_write(struct scenario *s, size_t unused)
{
    (void)unused;
    size_t i = draw(s, s->n);
    enum sim_crash how = draw_crash(s);
    sim_world_crash_in_write(s->world, i, how, draw(s, CRASH_CHANGES_MAX));
}

/* What happens, and how often of a hundred times. */
static const struct action {
    void (*act)(struct scenario *s, size_t node);
    unsigned percent;
} actions[] = {
    {do_mine, 20},  {do_send, 30}, {do_flush, 2},          {do_part, 3},
    {do_join, 6},   {do_slow, 6},  {do_mute, 6},           {do_stop, 3},
    {do_start, 14}, {do_crash, 5}, {do_crash_in_write, 5},
};

static void act_once(struct scenario *s)
{
    uint64_t at = draw(s, 100);
    size_t i = draw_node(s), k = 0;
    while (at >= actions[k].percent)
        at -= actions[k++].percent;
    if (i == s->n) /* nobody is on */
        do_start(s, 0);
    else
        actions[k].act(s, i);
}

static void act_for(struct scenario *s, int64_t us)
{
    int64_t end_us = sim_world_now_us(s->world) + us;
    while (sim_world_now_us(s->world) < end_us && !sim_world_failure(s->world)) {
        sim_world_run_for(s->world, 1 + (int64_t)draw(s, ACTION_MAX_US));
        act_once(s);
    }
}

/* -- Afterwards ---------------------------------------------------------------------------------
 */

static void await_stop(struct scenario *s, size_t i)
{
    int64_t end_us = sim_world_now_us(s->world) + STOP_PATIENCE_US;
    while (sim_world_state(s->world, i) == SIM_MACHINE_STOPPING) {
        sim_world_run_for(s->world, LOOK_US / 10);
        if (sim_world_now_us(s->world) > end_us) {
            sim_world_fail(s->world, "node %zu does not stop", i);
            return;
        }
    }
}

static void heal(struct scenario *s)
{
    for (size_t i = 0; i < s->n; i++) {
        sim_world_spare(s->world, i);
        await_stop(s, i);
    }
    do_join(s, 0);
    for (size_t i = 0; i < s->n; i++) {
        if (sim_world_state(s->world, i) == SIM_MACHINE_OFF)
            sim_world_start(s->world, i);
        if (!sim_world_host(s->world, i))
            continue;
        sim_net_set_rate(sim_world_host(s->world, i), 0);
        sim_net_set_mute(sim_world_host(s->world, i), false);
    }
    sim_world_trace(s->world, "all is healed");
}

static size_t best_node(const struct scenario *s)
{
    size_t best = s->n;
    for (size_t i = 0; i < s->n; i++)
        if (is_on(s, i) && (best == s->n || u256_compare(tip_of(s, i)->chain_work,
                                                         tip_of(s, best)->chain_work) > 0))
            best = i;
    return best;
}

static bool tips_agree(const struct scenario *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (!is_on(s, i) || !block_hash_equal(&tip_of(s, i)->hash, &tip_of(s, 0)->hash))
            return false;
    return true;
}

/* Life goes on; in the end a block of the one who has the best chain, so that no two are as good.
 */
static void mine_last_blocks(struct scenario *s, int64_t healed_us)
{
    while (sim_world_now_us(s->world) < healed_us + LAST_BLOCKS_US) {
        sim_world_run_for(s->world, 1 + (int64_t)draw(s, LAST_ACTION_US));
        size_t i = draw_node(s);
        if (i < s->n)
            do_send(s, i);
        if (i < s->n && draw(s, 2))
            do_mine(s, i);
    }
    sim_world_run_for(s->world, QUIET_US);
    if (best_node(s) < s->n)
        do_mine(s, best_node(s));
    sim_world_run_for(s->world, LOOK_US);
}

static void tell_disagreement(struct scenario *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!is_on(s, i)) {
            sim_world_fail(s->world, "node %zu is not on", i);
            return;
        }
        const struct block_node *tip = tip_of(s, i);
        char hash[HEX_ID_BYTES];
        hex_encode_reversed(hash, span_of(tip->hash.b, sizeof tip->hash.b));
        sim_world_trace(s->world, "%zu is at %d %s, best header %d", i, tip->height, hash,
                        chain_best_header(node_chain(sim_world_node(s->world, i)))->height);
    }
    sim_world_fail(s->world, "tips differ: node 0 at %d, the best at %d", tip_of(s, 0)->height,
                   tip_of(s, best_node(s))->height);
}

static void compare_summaries(struct scenario *s)
{
    struct sim_summary first = {0}, next;
    for (size_t i = 0; i < s->n; i++) {
        if (!sim_world_summary(s->world, i, &next))
            sim_world_fail(s->world, "node %zu does not count its coins", i);
        if (i == 0)
            first = next;
        if (strcmp(first.tip, next.tip) != 0 || strcmp(first.muhash, next.muhash) != 0)
            sim_world_fail(s->world, "node %zu has other coins than node 0", i);
        if (sim_world_failure(s->world))
            return;
        struct node *node = sim_world_node(s->world, i);
        chain_check(node_chain(node));
        mempool_verify(node_mempool(node));
        p2p_check(node_p2p(node));
    }
}

/* How it talks to a peer, and whether blocks came as compact ones. */
static void count_peer(void *arg, const struct net_peer_info *peer)
{
    struct sim_scenario_result *result = arg;
    bool is_encrypted = strcmp(peer->transport, "v2") == 0;
    result->n_encrypted += is_encrypted;
    result->n_plain += !is_encrypted;
    for (size_t i = 0; i < peer->n_per_message; i++)
        if (strcmp(peer->per_message[i].name, "cmpctblock") == 0)
            result->compact_bytes += peer->per_message[i].received;
}

static void count_peers(struct scenario *s)
{
    struct sim_scenario_result *result = s->result;
    for (size_t i = 0; i < s->n; i++)
        p2p_each_peer(node_p2p(sim_world_node(s->world, i)), count_peer, result);
    sim_world_trace(s->world, "%u ends encrypt, %u do not; %llu bytes of compact blocks",
                    result->n_encrypted, result->n_plain,
                    (unsigned long long)result->compact_bytes);
}

static void await_agreement(struct scenario *s, int64_t healed_us)
{
    while (!tips_agree(s)) {
        if (sim_world_failure(s->world))
            return;
        if (sim_world_now_us(s->world) - healed_us >= SIM_SCENARIO_PATIENCE_US) {
            tell_disagreement(s);
            return;
        }
        sim_world_run_for(s->world, LOOK_US);
    }
    s->result->agreed_us = sim_world_now_us(s->world) - healed_us;
    sim_world_trace(s->world, "all agree");
    compare_summaries(s);
    if (sim_world_failure(s->world))
        return;
    count_peers(s);
    const struct block_node *tip = tip_of(s, 0);
    s->result->height = tip->height;
    s->result->n_mined_txs = tip->chain_tx - (uint64_t)tip->height - 1;
}

/* -- The whole ----------------------------------------------------------------------------------
 */

/* From a room to the far side of a bad world. */
static struct sim_net_options draw_net(struct scenario *s)
{
    return (struct sim_net_options){
        .latency_min_us = 1000,
        .latency_max_us = 2000 + (int64_t)draw(s, 400000),
        .jitter_us = (int64_t)draw(s, 100000),
        .bytes_per_s = draw(s, 2) ? UINT64_C(50000) << draw(s, 6) : 0,
        .loss_ppm = (uint32_t)draw(s, 50000),
    };
}

static void start_all(struct scenario *s)
{
    for (size_t i = 0; i < s->n; i++)
        sim_world_start(s->world, i);
    sim_world_run_for(s->world, WARM_UP_US);
}

static void finish(struct scenario *s, int64_t start_us)
{
    struct sim_scenario_result *result = s->result;
    const char *failure = sim_world_failure(s->world);
    result->is_good = !failure;
    result->n_sent_txs = s->spend.n_accepted;
    snprintf(result->failure, sizeof result->failure, "%s", failure ? failure : "");
    result->n_crashes += (unsigned)sim_world_n_crashes(s->world);
    result->bytes = sim_net_bytes(sim_world_net(s->world));
    result->virtual_us = sim_world_now_us(s->world) - start_us;
    sim_world_trace(s->world, "%llu bytes arrived", (unsigned long long)result->bytes);
    result->n_trace_lines = sim_world_trace_hash(s->world, result->trace_hash);
    sim_world_free(s->world);
}

void sim_scenario_run(const struct sim_scenario_options *options,
                      struct sim_scenario_result *result)
{
    ASSERT(options->n_nodes >= 2 && options->n_nodes <= SIM_SCENARIO_NODES_MAX);
    *result = (struct sim_scenario_result){0};
    struct scenario s = {.options = options,
                         .result = result,
                         .random = sim_random_of(options->seed, SCENARIO_PART),
                         .n = options->n_nodes};
    const struct sim_world_options world_options = {.seed = options->seed,
                                                    .n_nodes = options->n_nodes,
                                                    .net = draw_net(&s),
                                                    .base = options->base,
                                                    .trace = options->trace ? on_trace : NULL,
                                                    .tip = on_tip,
                                                    .ctx = &s,
                                                    .traces_logs = options->traces_logs};
    s.world = sim_world_new(&world_options);
    sim_spend_init(&s.spend, sim_random_of(options->seed, SCENARIO_PART + 1));
    int64_t start_us = sim_world_now_us(s.world);
    start_all(&s);
    act_for(&s, options->faults_us ? options->faults_us : FAULTS_US);
    heal(&s);
    int64_t healed_us = sim_world_now_us(s.world);
    mine_last_blocks(&s, healed_us);
    await_agreement(&s, healed_us);
    finish(&s, start_us);
}
