/* sim_selfish.c - a selfish miner among whole nodes, against the formula of Eyal and Sirer.
 *
 * Usage: sim_selfish [--blocks=1000] [--honest=10] [--served=N] [--alpha=0.3333] [--seed=1]
 *                    [--interval=30000] [--control]
 *
 * Honest miners of equal power in a star around a node that mines nothing, and one that withholds
 * (src/sim/actors/selfish.h) with --alpha of all power. He tells --served of them of his blocks
 * so fast that they have his before that of an honest rival, and mine on it: that makes gamma, see
 * doc/theory.md. Without --served: none, half and all of them, one run each, and the --control, in
 * which he keeps back nothing and half of them are served. The share of the best
 * chain that is his, and of all blocks that the best chain has, must be
 *   - those which a model of the algorithm makes of the same finders in the same order, to 0.01;
 *   - the first that of the formula, to 0.02, or, for few blocks, to three standard errors of as
 *     many;
 *   - and not, to 0.01, what the model says of an honest miner, or of another gamma: or the run
 *     would prove nothing.
 * Each 5,000 blocks have a world of their own, that of another seed: disks and indexes grow with a
 * chain. $CAIRN_SIM_SELFISH replaces the default of --blocks.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/actors/selfish.h"
#include "sim/sim_mining.h"
#include "support/sim_option.h"

#define SELFISH_PART    0x73656c66 /* of the seed: see sim_random_of() */
#define BASE_BLOCKS     12
#define HUB             0
#define LINK_US         INT64_C(20000)
#define NEAR_US         INT64_C(2000)
#define SLOW_US         INT64_C(80000)
#define WARM_UP_US      INT64_C(30000000)
#define QUIET_US        INT64_C(5000000)
#define MODEL_TOLERANCE 0.01
#define TOLERANCE       0.02
#define ERRORS_MAX      3.0
#define SAMPLES         400 /* of the model, for the standard error */
#define HONEST_MAX      100
#define WORLD_BLOCKS    5000

struct run {
    uint64_t blocks, honest, served, seed, interval_ms;
    double alpha;
    bool is_all;     /* the four cases */
    bool is_control; /* he keeps back nothing */
    struct sim_mining mining;
    double power[HONEST_MAX + 1];
    struct sim_world *world;
    size_t *finders; /* of each block: 0 the attacker, i the i-th honest miner */
    ARRAY(struct block_hash) own;
    /* Of the worlds that are over. */
    uint64_t n_own, n_best; /* blocks of the best chain that are his, and all */
    struct selfish_result result;
    bool has_failed;
};

/* -- The model: the algorithm without a network ------------------------------------------------ */

struct model {
    size_t served;       /* the first ones have the attacker's block first */
    size_t kept, public; /* blocks since the fork: of the attacker, of the others */
    size_t rival;        /* who found the honest block of the race */
    uint64_t own, all;   /* blocks of the best chain that are settled */
};

static void settle(struct model *model, uint64_t own, uint64_t others)
{
    model->own += own;
    model->all += own + others;
    model->kept = model->public = 0;
}

static void model_honest(struct model *model, size_t finder)
{
    size_t lead = model->kept - model->public;
    bool is_on_his = finder <= model->served && finder != model->rival;
    if (model->kept == 0)
        settle(model, 0, 1);
    else if (lead == 0)
        settle(model, is_on_his, is_on_his ? 1 : 2);
    else if (lead == 2)
        settle(model, model->kept, 0);
    else
        model->public ++;
    model->rival = finder;
}

static void model_attacker(struct model *model)
{
    bool is_racing = model->kept == 1 && model->public == 1;
    model->kept++;
    if (is_racing)
        settle(model, 2, 0);
}

/* The attacker's share of the best chain, and that of all blocks which is in it. */
struct shares {
    double own, best;
};

static bool is_near(struct shares a, struct shares b)
{
    return fabs(a.own - b.own) <= MODEL_TOLERANCE && fabs(a.best - b.best) <= MODEL_TOLERANCE;
}

/* If so many of the honest miners are served. */
static struct shares model_shares(const size_t *finders, uint64_t n, size_t served)
{
    struct model model = {.served = served};
    for (uint64_t i = 0; i < n; i++) {
        if (finders[i] == 0)
            model_attacker(&model);
        else
            model_honest(&model, finders[i]);
        if (i + 1 == n || (i + 1) % WORLD_BLOCKS == 0) /* what he keeps back then is lost */
            settle(&model, 0, model.public);
    }
    return (struct shares){(double)model.own / (double)model.all, (double)model.all / (double)n};
}

static struct shares honest_shares(const size_t *finders, uint64_t n)
{
    uint64_t own = 0;
    for (uint64_t i = 0; i < n; i++)
        own += finders[i] == 0;
    return (struct shares){(double)own / (double)n, 1};
}

/* -- Theory: see doc/theory.md ----------------------------------------------------------------- */

/* Who finds the honest block stays with it; of the others those that are served change over. */
static double gamma_of(const struct run *run, uint64_t served)
{
    double n = (double)run->honest;
    return (double)served * (n - 1) / (n * n);
}

static double formula(double a, double g)
{
    double rest = 1 - a;
    return (a * rest * rest * (4 * a + g * (1 - 2 * a)) - a * a * a) / (1 - a * (1 + (2 - a) * a));
}

static void draw_powers(const struct run *run, double power[HONEST_MAX + 1])
{
    power[0] = run->alpha;
    for (uint64_t i = 1; i <= run->honest; i++)
        power[i] = (1 - power[0]) / (double)run->honest;
}

/* What the model makes of the finders. */
static struct shares expected_shares(const struct run *run, const size_t *finders)
{
    return run->is_control ? honest_shares(finders, run->blocks)
                           : model_shares(finders, run->blocks, run->served);
}

/* Of the share of so many blocks: from many draws of the model. Out: their mean as well. */
static double standard_error(const struct run *run, double *mean)
{
    double power[HONEST_MAX + 1], sum = 0, squares = 0;
    struct sim_mining mining;
    draw_powers(run, power);
    sim_mining_init(&mining, sim_random_of(run->seed, SELFISH_PART + 1), 1, power, run->honest + 1);
    size_t *finders = xcalloc(run->blocks, sizeof *finders);
    for (int k = 0; k < SAMPLES; k++) {
        for (uint64_t i = 0; i < run->blocks; i++)
            finders[i] = sim_mining_who(&mining);
        double share = expected_shares(run, finders).own;
        sum += share;
        squares += share * share;
    }
    xfree(finders);
    *mean = sum / SAMPLES;
    return sqrt(squares / SAMPLES - *mean * *mean);
}

/* -- The run ----------------------------------------------------------------------------------- */

static bool is_linked(void *ctx, size_t from, size_t to)
{
    const struct run *run = ctx;
    return to == HUB && from <= run->honest;
}

static size_t attacker_of(const struct run *run)
{
    return run->honest + 1;
}

/* A block that no honest node knows when it becomes the attacker's tip is his. */
static void on_tip(void *ctx, size_t node, const char *text)
{
    struct run *run = ctx;
    (void)text;
    if (node != attacker_of(run))
        return;
    const struct block_hash hash = chain_tip(node_chain(sim_world_node(run->world, node)))->hash;
    for (size_t i = 0; i < node; i++)
        if (chain_find(node_chain(sim_world_node(run->world, i)), &hash))
            return;
    *ARRAY_ADD(&run->own) = hash;
}

static struct selfish *begin(struct run *run, const struct sim_base *base, uint64_t world)
{
    const struct sim_world_options options = {
        .seed = run->seed + world,
        .n_nodes = run->honest + 2,
        .net = {.latency_min_us = LINK_US, .latency_max_us = LINK_US},
        .base = base,
        .links = is_linked,
        .blocks_only = true,
        .transport = SIM_TRANSPORT_V1,
        .tip = on_tip,
        .ctx = run,
    };
    enum selfish_reach reach[HONEST_MAX + 2] = {[HUB] = SELFISH_SLOW};
    for (uint64_t i = 1; i <= run->honest; i++)
        reach[i] = i <= run->served ? SELFISH_BOTH : SELFISH_EAR;
    run->world = sim_world_new(&options);
    for (size_t i = 0; i < options.n_nodes; i++)
        sim_world_start(run->world, i);
    const struct selfish_options attack = {
        .crew = {.world = run->world, .node = attacker_of(run), .n_nodes = options.n_nodes},
        .reach = reach,
        .own_us = NEAR_US,
        .near_us = NEAR_US,
        .slow_us = SLOW_US,
        .tells_at_once = run->is_control};
    struct selfish *selfish = selfish_new(&attack);
    sim_world_run_for(run->world, WARM_UP_US);
    return selfish;
}

static void live(struct run *run, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        sim_world_run_for(run->world, sim_mining_wait_us(&run->mining));
        size_t who = run->finders[i] = sim_mining_who(&run->mining);
        sim_world_mine(run->world, who == 0 ? attacker_of(run) : who);
    }
    sim_world_run_for(run->world, QUIET_US);
}

/* By the best chain of all but the attacker. */
static void count(struct run *run, const struct selfish *selfish)
{
    struct chain *chain = node_chain(sim_world_node(run->world, HUB));
    struct selfish_result result = selfish_result_of(selfish);
    for (size_t i = 0; i < run->own.n; i++) {
        const struct block_node *node = chain_find(chain, &run->own.at[i]);
        run->n_own += node && chain_contains(chain, node);
    }
    run->n_best += (uint64_t)(chain_tip(chain)->height - BASE_BLOCKS);
    run->has_failed |= sim_world_failure(run->world) != NULL;
    run->result.n_own += result.n_own;
    run->result.n_adopted += result.n_adopted;
    run->result.n_raced += result.n_raced;
    run->result.n_released += result.n_released;
}

static void live_all(struct run *run, const struct sim_base *base)
{
    draw_powers(run, run->power);
    sim_mining_init(&run->mining, sim_random_of(run->seed, SELFISH_PART),
                    (int64_t)run->interval_ms * 1000, run->power, run->honest + 1);
    for (uint64_t from = 0; from < run->blocks; from += WORLD_BLOCKS) {
        struct selfish *selfish = begin(run, base, from / WORLD_BLOCKS);
        live(run, from, MIN_OF(from + WORLD_BLOCKS, run->blocks));
        count(run, selfish);
        selfish_free(selfish);
        sim_world_free(run->world);
        ARRAY_FREE(&run->own);
    }
}

/* -- The figures ------------------------------------------------------------------------------- */

/* Is it nothing that another strategy or gamma gives? */
static bool is_telling(const struct run *run, struct shares measured)
{
    const uint64_t served[] = {0, run->honest / 2, run->honest};
    bool is_telling = true;
    for (size_t i = 0; i < COUNT_OF(served); i++) {
        if (served[i] == run->served && !run->is_control)
            continue;
        struct shares other = model_shares(run->finders, run->blocks, served[i]);
        printf("  had gamma been %.2f: %.4f of %.4f\n", gamma_of(run, served[i]), other.own,
               other.best);
        is_telling &= !is_near(measured, other);
    }
    struct shares honest = honest_shares(run->finders, run->blocks);
    printf("  had he been honest: %.4f of %.4f\n", honest.own, honest.best);
    return is_telling && (run->is_control || !is_near(measured, honest));
}

static bool judge(const struct run *run)
{
    double mean, error = standard_error(run, &mean), gamma = gamma_of(run, run->served);
    const struct shares measured = {(double)run->n_own / (double)run->n_best,
                                    (double)run->n_best / (double)run->blocks};
    struct shares model = expected_shares(run, run->finders);
    double theory = run->is_control ? run->alpha : formula(run->alpha, gamma);
    printf("%s, %" PRIu64 " blocks, alpha %.3f, gamma %.3f: revenue %.4f, theory %.4f, standard"
           " error %.4f\n",
           run->is_control ? "control" : "selfish", run->blocks, run->alpha, gamma, measured.own,
           theory, error);
    printf("  he mined %" PRIu64 ", adopted %" PRIu64 ", raced %" PRIu64 ", released %" PRIu64
           " times; mean of the model %.4f\n",
           run->result.n_own, run->result.n_adopted, run->result.n_raced, run->result.n_released,
           mean);
    printf("  measured: %.4f of %.4f\n  the model of the same finders: %.4f of %.4f\n",
           measured.own, measured.best, model.own, model.best);
    /* What is kept back in the end, and a race that is open then, count for nothing. */
    double unsettled = 4 / (double)MIN_OF(run->blocks, (uint64_t)WORLD_BLOCKS);
    bool is_good = is_near(measured, model) &&
                   fabs(measured.own - theory) <= fmax(TOLERANCE, ERRORS_MAX * error) &&
                   fabs(mean - theory) <= ERRORS_MAX * error / sqrt(SAMPLES) + unsettled;
    return is_telling(run, measured) && is_good && !run->has_failed;
}

static bool run_point(struct run *run, const struct sim_base *base)
{
    clock_t start = clock();
    run->finders = xcalloc(run->blocks, sizeof *run->finders);
    run->n_own = run->n_best = 0;
    run->result = (struct selfish_result){0};
    live_all(run, base);
    bool is_good = judge(run);
    printf("  %s, %.1f s\n", is_good ? "as it should be" : "NOT as it should be",
           (double)(clock() - start) / CLOCKS_PER_SEC);
    fflush(stdout);
    xfree(run->finders);
    return is_good;
}

static bool read_options(struct run *run, int argc, char **argv)
{
    const char *from_env = getenv("CAIRN_SIM_SELFISH");
    if (from_env)
        run->blocks = strtoull(from_env, NULL, 10);
    for (int i = 1; i < argc; i++) {
        if (sim_option(argv[i], "--served", &run->served))
            run->is_all = false;
        else if (strcmp(argv[i], "--control") == 0)
            run->is_control = true;
        else if (strncmp(argv[i], "--alpha=", 8) == 0)
            run->alpha = strtod(argv[i] + 8, NULL);
        else if (!sim_option(argv[i], "--blocks", &run->blocks) &&
                 !sim_option(argv[i], "--honest", &run->honest) &&
                 !sim_option(argv[i], "--seed", &run->seed) &&
                 !sim_option(argv[i], "--interval", &run->interval_ms))
            return false;
    }
    return run->blocks > 0 && run->honest >= 2 && run->honest <= HONEST_MAX &&
           run->served <= run->honest && run->alpha > 0 && run->alpha < 0.5 && run->interval_ms > 0;
}

int main(int argc, char **argv)
{
    struct run run = {.blocks = 1000,
                      .honest = 10,
                      .alpha = 1.0 / 3,
                      .seed = 1,
                      .interval_ms = 30000,
                      .is_all = true};
    if (!read_options(&run, argc, argv)) {
        fprintf(stderr, "see the first lines of sim_selfish.c\n");
        return 2;
    }
    struct sim_base *base = sim_base_new(BASE_BLOCKS);
    const uint64_t served[] = {0, run.honest / 2, run.honest, run.honest / 2};
    bool is_good = true;
    run.is_all &= !run.is_control;
    for (size_t i = 0; i < COUNT_OF(served) && (run.is_all || i == 0); i++) {
        run.served = run.is_all ? served[i] : run.served;
        run.is_control |= i == COUNT_OF(served) - 1;
        is_good &= run_point(&run, base);
    }
    sim_base_free(base);
    return !is_good;
}
