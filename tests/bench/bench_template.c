/* bench_template.c - getblocktemplate on a large mempool: from the request's bytes to the answer's.
 *
 * usage: bench_template [MB of mempool, default 300]
 *
 * The goal is 10 ms at 300 MB. Rows: after each new transaction; the same again, when nothing has
 * changed; and the choice and order of transactions alone. In time of this thread, which does all
 * of it, since the machine may have other things to do. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mempool/block_assembler.h"
#include "rpc/method_table.h"
#include "sim/sim_random.h"
#include "support/mempool_rig.h"
#include "util/alloc.h"

enum { FAN = 2000, FANS = 200, ROUNDS = 41, OUTPUTS = 2 };

#define REQUEST "{\"method\":\"getblocktemplate\",\"params\":[{\"rules\":[\"segwit\"]}],\"id\":1}"

struct bench {
    struct mempool_rig *rig;
    struct builder_coin *coins;
    size_t n_coins, n_spent, n_answer_bytes;
    struct rpc *rpc;
    struct rpc_node node;
    struct sim_random random;
    size_t n_done, n_refused;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* -- Filling --------------------------------------------------------------------------------- */

/* Mature outputs in the chain: FAN of each coinbase. */
static void make_coins(struct bench *b)
{
    b->coins = xcalloc((size_t)FANS * FAN, sizeof *b->coins);
    for (int32_t i = 0; i < FANS; i++) {
        struct builder_coin coin = mempool_rig_coin(b->rig, i + 1);
        struct tx fan = mempool_rig_spend(b->rig, &coin, 1, FAN, 100000);
        mempool_rig_mine(b->rig, &fan, 1);
        for (uint32_t k = 0; k < FAN; k++)
            b->coins[b->n_coins++] = mempool_rig_output(&fan, k);
    }
}

static void count(void *arg, const struct mempool_result *result)
{
    struct bench *b = arg;
    b->n_done++;
    b->n_refused += result->verdict.code != REJECT_NONE;
}

static void settle(struct bench *b, size_t at_most)
{
    while (mempool_pending(b->rig->pool) > at_most)
        ASSERT(sim_env_step(b->rig->chain.sim));
}

/* One more transaction; one in ten has a child that pays more. */
static void add(struct bench *b)
{
    ASSERT(b->n_spent < b->n_coins);
    int64_t fee_sat = 200 + (int64_t)sim_random_below(&b->random, 10000);
    struct tx tx = mempool_rig_spend(b->rig, &b->coins[b->n_spent], 1, OUTPUTS, fee_sat);
    mempool_accept(b->rig->pool, tx.raw, 0, 0, count, b);
    if (b->n_spent++ % 10 == 0) {
        struct builder_coin coin = mempool_rig_output(&tx, 0);
        struct tx child = mempool_rig_spend(b->rig, &coin, 1, OUTPUTS, fee_sat * 2);
        mempool_accept(b->rig->pool, child.raw, 0, 0, count, b);
    }
    settle(b, 500);
}

/* -- Asking ---------------------------------------------------------------------------------- */

static int64_t clock_s(void *ctx)
{
    const struct bench *b = ctx;
    return env_unix_s(sim_env_get(b->rig->chain.sim));
}

static const char *warmup(void *ctx)
{
    (void)ctx;
    return "";
}

static void start_rpc(struct bench *b)
{
    static const struct rpc_auth_options auth = {.user = "u", .password = "p"};
    const struct env *env = sim_env_get(b->rig->chain.sim);
    char *error;
    b->node = (struct rpc_node){.ctx = b,
                                .env = env,
                                .chain = b->rig->chain.chain,
                                .network = &b->rig->chain.network,
                                .warmup_status = warmup,
                                .now_s = clock_s,
                                .clock = env,
                                .mempool = b->rig->pool};
    b->rpc = rpc_new(&b->node, rpc_methods(), &auth, &error);
    ASSERT(b->rpc);
}

static void on_reply(void *arg, struct rpc_reply *reply)
{
    struct bench *b = arg;
    ASSERT(reply->status == 200);
    b->n_answer_bytes = reply->body.len;
}

static double ask_ms(struct bench *b)
{
    const struct rpc_request request = {.http_method = "POST",
                                        .uri = "/",
                                        .authorization = "Basic dTpw",
                                        .content_type = "application/json",
                                        .peer = "127.0.0.1:1",
                                        .body = span_of_string(REQUEST)};
    b->n_answer_bytes = 0;
    double begin_s = now_s();
    rpc_handle(b->rpc, &request, on_reply, b);
    while (b->n_answer_bytes == 0)
        ASSERT(sim_env_step(b->rig->chain.sim));
    return (now_s() - begin_s) * 1000;
}

static double assemble_ms(struct bench *b)
{
    struct block_assembler_options options = block_assembler_default_options();
    struct block_template template;
    double begin_s = now_s();
    block_assemble(b->rig->chain.chain, b->rig->pool, &options, 0, &template);
    double ms = (now_s() - begin_s) * 1000;
    block_template_deinit(&template);
    return ms;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void show(const char *what, double ms[ROUNDS])
{
    qsort(ms, ROUNDS, sizeof *ms, compare);
    printf("%-32s median %6.2f ms, longest %6.2f ms\n", what, ms[ROUNDS / 2], ms[ROUNDS - 1]);
}

static void measure(struct bench *b)
{
    double changed_ms[ROUNDS], again_ms[ROUNDS], choice_ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        add(b);
        settle(b, 0);
        sim_env_run_for(b->rig->chain.sim, INT64_C(6000000));
        changed_ms[i] = ask_ms(b);
        again_ms[i] = ask_ms(b);
        choice_ms[i] = assemble_ms(b);
    }
    printf("an answer has %.2f MB\n", (double)b->n_answer_bytes / 1e6);
    show("after a new transaction", changed_ms);
    show("again", again_ms);
    show("assembling alone", choice_ms);
}

int main(int argc, char **argv)
{
    double want_bytes = (argc > 1 ? atof(argv[1]) : 300) * 1e6;
    struct bench b = {.rig = mempool_rig_new(1, 100, NULL), .random = sim_random_of(1, 0)};
    b.rig->keeps_no_events = true;
    for (int32_t i = 0; i < FANS - 1; i++)
        mempool_rig_mine(b.rig, NULL, 0);
    make_coins(&b);
    /* A little below the limit: nothing is evicted. */
    while ((double)mempool_memory_bytes(b.rig->pool) < want_bytes * 0.995 &&
           b.n_spent < b.n_coins - ROUNDS)
        add(&b);
    settle(&b, 0);
    printf("%zu entries, %.1f MB, %zu refused\n", mempool_count(b.rig->pool),
           (double)mempool_memory_bytes(b.rig->pool) / 1e6, b.n_refused);
    start_rpc(&b);
    measure(&b);
    rpc_free(b.rpc);
    xfree(b.coins);
    mempool_rig_free(b.rig);
    return 0;
}
