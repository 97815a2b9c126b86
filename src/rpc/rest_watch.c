/* rest_watch.c - /livez, /readyz and /metrics: is the node alive, is it of use, how is it. */
#include <stdio.h>

#include "mempool/mempool_file.h"
#include "rpc/chain_json.h"
#include "rpc/event_log.h"
#include "rpc/rest.h"
#include "util/alloc.h"
#include "util/version.h"

/* That it answers is the answer. */
enum rpc_progress rest_livez(struct rpc_call *call)
{
    ASSERT(call->rest);
    buffer_append_string(&call->answer, "ok\n");
    return RPC_DONE;
}

/* What keeps the node from being of use; "" if nothing does. */
static const char *unready(const struct rpc *rpc)
{
    const struct rpc_node *node = rpc->node;
    const char *doing = rpc_warmup(rpc);
    if (rpc->is_interrupted)
        return "shutting down";
    if (doing)
        return doing;
    if (chain_is_initial_download(node->chain))
        return "initial block download";
    if (node->mempool && mempool_file_is_expected(node->mempool))
        return "loading the mempool";
    return "";
}

enum rpc_progress rest_readyz(struct rpc_call *call)
{
    const char *why = unready(call->rpc);
    ASSERT(why);
    if (*why)
        return rest_fail(call, 503, "not ready: %s", why);
    buffer_append_string(&call->answer, "ok\n");
    return RPC_DONE;
}

/* -- Metrics ---------------------------------------------------------------------------------- */

/* What is looked at for one answer. */
struct facts {
    const struct rpc *rpc;
    const struct chain *chain;     /* NULL: not open */
    const struct mempool *mempool; /* NULL: not there */
    bool has_net;
    struct net_info net;
    struct alloc_stats heap;
};

enum needs { NEEDS_NOTHING, NEEDS_CHAIN, NEEDS_MEMPOOL, NEEDS_NET };

struct metric {
    const char *name, *type, *help;
    enum needs needs;
    double (*value)(const struct facts *facts);
};

#define METRIC(name, expression)                                                                   \
    static double name(const struct facts *f)                                                      \
    {                                                                                              \
        return (double)(expression);                                                               \
    }

METRIC(blocks, chain_tip(f->chain)->height)
METRIC(headers, chain_best_header(f->chain)->height)
METRIC(difficulty, chain_json_difficulty(chain_tip(f->chain)->bits))
METRIC(tip_time, chain_tip(f->chain)->time)
METRIC(transactions, chain_tip(f->chain)->chain_tx)
METRIC(progress, chain_progress(f->chain, chain_tip(f->chain)))
METRIC(initial_download, chain_is_initial_download(f->chain))
METRIC(disk_bytes, chain_disk_bytes(f->chain))
METRIC(pool_count, mempool_count(f->mempool))
METRIC(pool_vbytes, mempool_vbytes(f->mempool))
METRIC(pool_memory, mempool_memory_bytes(f->mempool))
METRIC(pool_max, mempool_options_of(f->mempool)->max_bytes)
METRIC(pool_unbroadcast, mempool_unbroadcast_count(f->mempool))
METRIC(pool_fees, mempool_total_fee_sat(f->mempool))
METRIC(pool_sequence, mempool_sequence(f->mempool))
METRIC(peers, f->net.n_in + f->net.n_out)
METRIC(peers_in, f->net.n_in)
METRIC(peers_out, f->net.n_out)
METRIC(received, f->net.bytes_received)
METRIC(sent, f->net.bytes_sent)
METRIC(ready, *unready(f->rpc) == '\0')
METRIC(uptime, (env_now_us(f->rpc->node->clock) - f->rpc->node->start_us) / 1000000)
METRIC(heap_used, f->heap.used_bytes)
METRIC(heap_free, f->heap.free_bytes)
METRIC(calls, f->rpc->calls.count)
METRIC(calls_waiting, f->rpc->n_wait_for_room)
METRIC(answers, f->rpc->held_bytes)
METRIC(streams, f->rpc->n_streams)
METRIC(events, event_log_next(f->rpc->events) - 1)

static double warnings(const struct facts *f)
{
    const struct rpc_node *node = f->rpc->node;
    size_t n = 0;
    while (node->warning && node->warning(node->ctx, n))
        n++;
    return (double)n;
}

/* Named as in the exporter that many dashboards are made for, where that has the same. */
/* clang-format off */
static const struct metric metrics[] = {
    {"bitcoin_ready", "gauge", "1 if the node is of use: see /readyz", NEEDS_NOTHING, ready},
    {"bitcoin_uptime", "gauge", "Seconds since the start", NEEDS_NOTHING, uptime},
    {"bitcoin_warnings", "gauge", "Warnings that hold", NEEDS_NOTHING, warnings},
    {"bitcoin_meminfo_used", "gauge", "Bytes of the heap in use", NEEDS_NOTHING, heap_used},
    {"bitcoin_meminfo_free", "gauge", "Bytes of the heap kept for later use",
     NEEDS_NOTHING, heap_free},
    {"bitcoin_rpc_active", "gauge", "Calls under way, those that wait included",
     NEEDS_NOTHING, calls},
    {"bitcoin_rpc_waiting", "gauge", "Calls that wait for room for their answers",
     NEEDS_NOTHING, calls_waiting},
    {"bitcoin_rpc_answer_bytes", "gauge", "Bytes of answers in the making", NEEDS_NOTHING, answers},
    {"bitcoin_event_streams", "gauge", "Clients of /events", NEEDS_NOTHING, streams},
    {"bitcoin_events_total", "counter", "Events since the start", NEEDS_NOTHING, events},
    {"bitcoin_blocks", "gauge", "Height of the tip", NEEDS_CHAIN, blocks},
    {"bitcoin_headers", "gauge", "Height of the best header", NEEDS_CHAIN, headers},
    {"bitcoin_difficulty", "gauge", "Difficulty of the tip", NEEDS_CHAIN, difficulty},
    {"bitcoin_tip_time", "gauge", "Time in the tip's header, seconds since 1970",
     NEEDS_CHAIN, tip_time},
    {"bitcoin_txcount", "gauge", "Transactions in the chain", NEEDS_CHAIN, transactions},
    {"bitcoin_verification_progress", "gauge", "Part of the chain that is verified, 0 to 1",
     NEEDS_CHAIN, progress},
    {"bitcoin_initial_block_download", "gauge", "1 while catching up",
     NEEDS_CHAIN, initial_download},
    {"bitcoin_size_on_disk", "gauge", "Bytes of block and undo files", NEEDS_CHAIN, disk_bytes},
    {"bitcoin_mempool_size", "gauge", "Transactions that wait", NEEDS_MEMPOOL, pool_count},
    {"bitcoin_mempool_bytes", "gauge", "Their virtual bytes", NEEDS_MEMPOOL, pool_vbytes},
    {"bitcoin_mempool_usage", "gauge", "Bytes of memory that they take",
     NEEDS_MEMPOOL, pool_memory},
    {"bitcoin_mempool_max", "gauge", "Bytes of memory that they may take", NEEDS_MEMPOOL, pool_max},
    {"bitcoin_mempool_unbroadcast", "gauge", "Those of our user that nobody has asked for",
     NEEDS_MEMPOOL, pool_unbroadcast},
    {"bitcoin_mempool_fees_sat", "gauge", "Fees of all of them", NEEDS_MEMPOOL, pool_fees},
    {"bitcoin_mempool_changes_total", "counter", "Transactions that came and went",
     NEEDS_MEMPOOL, pool_sequence},
    {"bitcoin_peers", "gauge", "Connections", NEEDS_NET, peers},
    {"bitcoin_conn_in", "gauge", "Connections that others made", NEEDS_NET, peers_in},
    {"bitcoin_conn_out", "gauge", "Connections that we made", NEEDS_NET, peers_out},
    {"bitcoin_total_bytes_recv", "counter", "Bytes from peers", NEEDS_NET, received},
    {"bitcoin_total_bytes_sent", "counter", "Bytes to peers", NEEDS_NET, sent},
};
/* clang-format on */

static void keep_net(void *arg, const struct net_info *info)
{
    struct facts *facts = arg;
    facts->net = *info;
    facts->has_net = true;
}

static struct facts look(const struct rpc *rpc)
{
    const struct rpc_node *node = rpc->node;
    struct facts facts = {.rpc = rpc, .heap = alloc_stats()};
    if (!rpc_warmup(rpc)) {
        facts.chain = node->chain;
        facts.mempool = node->mempool;
    }
    if (node->net)
        node->net->info(node->net->ctx, keep_net, &facts);
    return facts;
}

static bool is_there(const struct facts *facts, enum needs needs)
{
    switch (needs) {
    case NEEDS_NOTHING:
        return true;
    case NEEDS_CHAIN:
        return facts->chain != NULL;
    case NEEDS_MEMPOOL:
        return facts->mempool != NULL;
    case NEEDS_NET:
        return facts->has_net;
    }
    return false;
}

/* Spec: Prometheus, text-based format, version 0.0.4 */
enum rpc_progress rest_metrics(struct rpc_call *call)
{
    ASSERT(call->rest);
    const struct facts facts = look(call->rpc);
    struct buffer *out = &call->answer;
    call->rest->content_type = "text/plain; version=0.0.4; charset=utf-8";
    buffer_append_format(out,
                         "# HELP bitcoin_info What runs here\n# TYPE bitcoin_info gauge\n"
                         "bitcoin_info{version=\"%s\",chain=\"%s\"} 1\n",
                         CAIRN_VERSION, call->rpc->node->network->name);
    for (size_t i = 0; i < COUNT_OF(metrics); i++) {
        const struct metric *metric = &metrics[i];
        if (is_there(&facts, metric->needs))
            buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %.16g\n", metric->name,
                                 metric->help, metric->name, metric->type, metric->name,
                                 metric->value(&facts));
    }
    return RPC_DONE;
}
