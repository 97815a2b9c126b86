/* storage_run.c - see storage_run.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/check.h"
#include "mempool/mempool_file.h"
#include "mempool/mempool_internal.h"
#include "support/storage_run_internal.h"
#include "util/alloc.h"

#define BLOCK_EVERY_US (15 * SECOND) /* while catching up: of two equal chains one gets better */
#define CHANGES_MAX    100           /* of the disk until a crash amid them, or a failing call */
#define N_SOON         8             /* the same for some of the failing calls */
#define START_CHANGES  40            /* the same while starting */
#define FLUSH_BATCH    200           /* bytes: a few coins, so that a flush has many steps */
#define YEARS_S        (3 * INT64_C(365) * 86400)
#define BATCH_BLOCKS   20
#define DAMAGE         "damaged"

/* An answer that came while the crash was already taken down is one that nobody got. */
static bool is_answer(const struct run *run, int status)
{
    return status == 200 && sim_world_n_crashes(run->world) == run->crashes;
}

/* -- Orders, and what is acknowledged ------------------------------------------------------------
 */

struct order {
    struct run *run;
    struct u256 work;       /* of the tip when it was given */
    struct block_hash hash; /* of the block that it is about */
};

static struct order *order_of(struct run *run)
{
    struct order *order = xcalloc(1, sizeof *order);
    order->run = run;
    order->work = chain_tip(chain_of(run, TRIED))->chain_work;
    return order;
}

static void acknowledge_block(struct run *run, const struct block_hash *hash)
{
    if (run->n_acked == ACKED_MAX) {
        run->n_acked--;
        memmove(run->acked, run->acked + 1, run->n_acked * sizeof run->acked[0]);
    }
    run->acked[run->n_acked++].hash = *hash;
    run->totals->blocks++;
}

/* Every hash in a list of strings. */
static void on_mined(void *arg, int status, const char *body)
{
    struct run *run = arg;
    const char *at = strstr(body, "\"result\":[");
    if (!is_answer(run, status) || !at)
        return;
    for (at += strlen("\"result\":["); *at == '"' && strlen(at) > HEX_ID_BYTES;) {
        struct block_hash hash;
        if (!hex_decode_reversed(hash.b, sizeof hash.b, at + 1, HEX_ID_BYTES - 1))
            return;
        acknowledge_block(run, &hash);
        at += HEX_ID_BYTES + 1;
        at += *at == ',';
    }
    sim_world_trace(run->world, "acknowledged: mined");
}

static void mine(struct run *run)
{
    char params[128];
    uint64_t n = run->prunes && draw(run, 3) == 0 ? BATCH_BLOCKS : 1;
    snprintf(params, sizeof params, "[%llu,\"" SIM_SPEND_ADDRESS "\"]", (unsigned long long)n);
    sim_world_call(run->world, TRIED, "generatetoaddress", params, on_mined, run);
}

static void on_submitted(void *arg, int status, const char *body)
{
    struct order *order = arg;
    if (is_answer(order->run, status) && strstr(body, "\"result\":null"))
        acknowledge_block(order->run, &order->hash);
    xfree(order);
}

/* The sound node's tip in hand: give it to the other one as a miner would. */
static void on_block(void *arg, int status, const char *body)
{
    struct order *order = arg;
    struct run *run = order->run;
    const char *at = strstr(body, "\"result\":\"");
    if (status != 200 || !at || !is_up(run)) {
        xfree(order);
        return;
    }
    at += strlen("\"result\":\"");
    char *params = xasprintf("[\"%.*s\"]", (int)strcspn(at, "\""), at);
    sim_world_call(run->world, TRIED, "submitblock", params, on_submitted, order);
    xfree(params);
}

static void submit(struct run *run)
{
    struct order *order = order_of(run);
    char hash[HEX_ID_BYTES], params[HEX_ID_BYTES + 16];
    order->hash = chain_tip(chain_of(run, SOUND))->hash;
    show_hash(&order->hash, hash);
    snprintf(params, sizeof params, "[\"%s\",0]", hash);
    sim_world_call(run->world, SOUND, "getblock", params, on_block, order);
}

static void on_flushed(void *arg, int status, const char *body)
{
    struct order *order = arg;
    struct run *run = order->run;
    (void)body;
    if (is_answer(run, status)) {
        run->totals->flushes++;
        if (u256_compare(order->work, run->durable_work) > 0)
            run->durable_work = order->work;
    }
    xfree(order);
}

static void flush(struct run *run)
{
    sim_world_call(run->world, TRIED, "gettxoutsetinfo", "[\"none\"]", on_flushed, order_of(run));
}

static void on_pruned(void *arg, int status, const char *body)
{
    struct run *run = arg;
    (void)body;
    run->totals->prunings += is_answer(run, status);
}

static void prune(struct run *run)
{
    char params[32];
    int32_t tip = chain_tip(chain_of(run, TRIED))->height;
    snprintf(params, sizeof params, "[%d]", tip);
    run->was_pruned |= tip > CHAIN_PRUNE_KEEP_BLOCKS;
    sim_world_call(run->world, TRIED, "pruneblockchain", params, on_pruned, run);
}

static void on_invalidated(void *arg, int status, const char *body)
{
    struct run *run = arg;
    (void)body;
    if (!is_answer(run, status) || run->invalid_state != INVALID_ORDERED)
        return;
    run->invalid_state = INVALID_ACKED;
    run->totals->invalidations++;
    sim_world_trace(run->world, "acknowledged: invalid");
}

static void on_reconsidered(void *arg, int status, const char *body)
{
    struct run *run = arg;
    (void)body;
    if (!is_answer(run, status) || run->invalid_state != VALID_ORDERED)
        return;
    run->invalid_state = INVALID_NONE;
    run->totals->reconsiderations++;
    sim_world_trace(run->world, "acknowledged: valid");
}

static void reconsider(struct run *run)
{
    char hash[HEX_ID_BYTES], params[HEX_ID_BYTES + 8];
    show_hash(&run->invalid, hash);
    snprintf(params, sizeof params, "[\"%s\"]", hash);
    run->invalid_state = VALID_ORDERED;
    sim_world_call(run->world, TRIED, "reconsiderblock", params, on_reconsidered, run);
}

/* Invalidate a block near the tip, or take that back: one order at a time. */
static void change_validity(struct run *run)
{
    if (run->invalid_state == INVALID_ACKED)
        reconsider(run);
    const struct block_node *node = chain_tip(chain_of(run, TRIED));
    if (run->invalid_state != INVALID_NONE || node->height < 10)
        return;
    for (uint64_t back = draw(run, 4); back > 0; back--)
        node = node->prev;
    char hash[HEX_ID_BYTES], params[HEX_ID_BYTES + 8];
    show_hash(&node->hash, hash);
    snprintf(params, sizeof params, "[\"%s\"]", hash);
    run->invalid = node->hash;
    run->invalid_state = INVALID_ORDERED;
    sim_world_trace(run->world, "invalidates %s", hash);
    sim_world_call(run->world, TRIED, "invalidateblock", params, on_invalidated, run);
}

/* -- Transactions --------------------------------------------------------------------------------
 */

static void forget_sent(struct run *run)
{
    for (size_t i = 0; i < run->n_sent; i++)
        xfree(run->sent[i].hex);
    run->n_sent = 0;
    run->is_saving = false;
}

static void send_tx(struct run *run)
{
    struct sim_spend_tx tx;
    sim_spend_add_mature(&run->spend, run->options->base, chain_tip(chain_of(run, TRIED))->height);
    if (run->n_sent == SENT_MAX && !run->is_saving)
        forget_sent(run);
    if (run->n_sent == SENT_MAX || !sim_spend_make(&run->spend, &tx))
        return;
    for (size_t i = 0; i < tx.n_coins; i++)
        sim_spend_add(&run->spend, &tx.coin[i]);
    struct sent_tx *sent = &run->sent[run->n_sent++];
    *sent = (struct sent_tx){.hex = tx.hex};
    if (!hex_decode_reversed(sent->txid.b, sizeof sent->txid.b, tx.id, HEX_ID_BYTES - 1))
        sim_world_fail(run->world, "not an id: %s", tx.id);
    char *params = xasprintf("[\"%s\"]", tx.hex);
    sim_world_call(run->world, TRIED, "sendrawtransaction", params, NULL, NULL);
    xfree(params);
}

/* The mempool has it: as an entry, or to be put back after a reorganisation. */
static bool is_kept(const struct mempool *mempool, const struct sent_tx *sent)
{
    bool is_found = mempool_find(mempool, &sent->txid);
    LIST_EACH (struct pool_check, at, &mempool->under_way, link)
        is_found |= at->is_putback && txid_equal(&at->tx.txid, &sent->txid);
    const struct pool_putbacks *putbacks = &mempool->putbacks;
    for (size_t i = putbacks->first; i < putbacks->n && !is_found; i++)
        is_found = txid_equal(&putbacks->at[i].txid, &sent->txid);
    return is_found;
}

/* If nobody heard the answer, either file is there: the one before, which had what was
 * acknowledged, or the new one, from which what was in a block is absent. */
static void on_saved(void *arg, int status, const char *body)
{
    struct run *run = arg;
    (void)body;
    bool is_good = is_answer(run, status) && run->is_saving;
    for (size_t i = 0; i < run->n_sent && run->is_saving; i++) {
        struct sent_tx *sent = &run->sent[i];
        sent->is_doubtful = !is_good && (sent->is_doubtful || !sent->is_saving);
        sent->is_saved = is_good ? sent->is_saving : sent->is_saved;
        sent->is_saving = false;
    }
    run->totals->mempools += is_good;
    run->is_saving = false;
    if (is_good)
        sim_world_trace(run->world, "acknowledged: mempool saved");
}

/* What is in the mempool now is in the file once that is acknowledged. */
static void save_mempool(struct run *run)
{
    const struct mempool *mempool = node_mempool(sim_world_node(run->world, TRIED));
    if (run->is_saving || !mempool || mempool_file_is_expected(mempool))
        return;
    run->is_saving = true;
    run->saving_tip = chain_tip(chain_of(run, TRIED))->hash;
    for (size_t i = 0; i < run->n_sent; i++)
        run->sent[i].is_saving = is_kept(mempool, &run->sent[i]);
    sim_world_call(run->world, TRIED, "savemempool", "[]", on_saved, run);
}

static bool tips_agree(struct run *run)
{
    return block_hash_equal(&chain_tip(chain_of(run, TRIED))->hash,
                            &chain_tip(chain_of(run, SOUND))->hash);
}

/* A transaction's coins are read while a block from elsewhere spends them and a flush follows. */
static void race(struct run *run)
{
    struct sim_spend_tx tx;
    sim_spend_add_mature(&run->spend, run->options->base, chain_tip(chain_of(run, TRIED))->height);
    if (!run->stalls || !sim_spend_make(&run->spend, &tx))
        return;
    char *params = xasprintf("[\"%s\"]", tx.hex);
    sim_world_call(run->world, SOUND, "sendrawtransaction", params, NULL, NULL);
    sim_world_run_for(run->world, SECOND / 20);
    sim_world_mine(run->world, SOUND);
    if (is_up(run))
        sim_world_call(run->world, TRIED, "sendrawtransaction", params, NULL, NULL);
    xfree(params);
    xfree(tx.hex);
    sim_world_run_for(run->world, SECOND / 10);
    if (is_up(run))
        flush(run);
    sim_world_run_for(run->world, 2 * SECOND);
    if (is_up(run) && tips_agree(run))
        storage_compare_coins(run);
}

/* -- What goes on while the node lives -----------------------------------------------------------
 */

static void part(struct run *run, bool is_parted)
{
    if (sim_world_host(run->world, TRIED))
        sim_net_set_group(sim_world_host(run->world, TRIED), is_parted);
    sim_world_trace(run->world, "%s", is_parted ? "parted" : "joined");
}

static void act(struct run *run)
{
    void (*const acts[])(struct run *) = {
        mine,  mine,   mine,         send_tx,         send_tx,         send_tx, save_mempool,
        flush, submit, save_mempool, change_validity, change_validity, race};
    uint64_t what = draw(run, COUNT_OF(acts) + 3);
    if (what == COUNT_OF(acts))
        sim_world_mine(run->world, SOUND);
    else if (what == COUNT_OF(acts) + 1)
        part(run, draw(run, 2));
    else if (what < COUNT_OF(acts))
        acts[what](run);
    else if (run->prunes)
        prune(run);
}

static void act_some(struct run *run, uint64_t n)
{
    for (uint64_t k = 0; k < n && is_up(run); k++) {
        act(run);
        sim_world_run_for(run->world, 1 + (int64_t)draw(run, draw(run, 2) ? 20000 : 1000000));
    }
}

static enum sim_crash draw_crash(struct run *run)
{
    static const enum sim_crash kinds[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    return kinds[draw(run, COUNT_OF(kinds))];
}

/* A stop writes the file anew: what has left the mempool, into a block, is not in it any more. */
static void forget_mined(struct run *run)
{
    const struct mempool *mempool = node_mempool(sim_world_node(run->world, TRIED));
    for (size_t i = 0; i < run->n_sent; i++) {
        bool stays = mempool && is_kept(mempool, &run->sent[i]);
        run->sent[i].is_saved &= stays;
        run->sent[i].is_saving &=
            stays; /* a savemempool may be answered later, for the file before */
    }
}

static void stop(struct run *run)
{
    if (is_up(run)) {
        forget_mined(run);
        sim_world_stop(run->world, TRIED);
    }
    int64_t end_us = sim_world_now_us(run->world) + PATIENCE_US;
    while (sim_world_state(run->world, TRIED) != SIM_MACHINE_OFF && !has_failed(run)) {
        sim_world_run_for(run->world, SECOND / 20);
        if (sim_world_now_us(run->world) > end_us)
            sim_world_fail(run->world, "does not stop");
    }
    run->totals->stops++;
}

/* It crashes amid a change of the disk, or at some moment. */
static void work_until_crash(struct run *run)
{
    enum sim_crash kind = draw_crash(run);
    bool is_amid_write = draw(run, 4) > 0;
    if (is_amid_write)
        sim_world_crash_in_write(run->world, TRIED, kind, draw(run, CHANGES_MAX));
    act_some(run, 1 + draw(run, is_amid_write ? 40 : 12));
    if (is_up(run))
        sim_world_crash(run->world, TRIED, kind);
    else
        run->totals->amid_writes++;
    run->totals->crashes++;
}

static void break_disk(struct run *run, uint64_t n_max)
{
    static const unsigned ops[] = {SIM_OP_READ, SIM_OP_WRITE, SIM_OP_ALLOCATE,
                                   SIM_OP_SYNC, SIM_OP_OPEN,  SIM_OP_NAMES};
    static const int errors[] = {-EIO, -ENOSPC, -EMFILE, -EACCES};
    bool is_full = draw(run, 4) == 0;
    struct sim_fault fault = {.ops = is_full ? SIM_OP_WRITE | SIM_OP_ALLOCATE
                                             : ops[draw(run, COUNT_OF(ops))],
                              .n = draw(run, draw(run, 2) ? n_max : N_SOON),
                              .error = is_full ? -ENOSPC : errors[draw(run, COUNT_OF(errors))],
                              .forever = is_full};
    run->had_fault = true;
    run->totals->faults++;
    run->totals->full_disks += is_full;
    sim_world_break(run->world, TRIED, &fault);
}

static void heal(struct run *run)
{
    run->totals->faults_met += sim_world_heal(run->world, TRIED) != NULL;
}

static void work_until_fault(struct run *run)
{
    break_disk(run, CHANGES_MAX);
    act_some(run, 1 + draw(run, 30));
    if (draw(run, 2))
        stop(run);
    else if (is_up(run))
        sim_world_crash(run->world, TRIED, draw_crash(run));
    stop(run); /* what has not ended yet */
    heal(run);
}

static void work(struct run *run)
{
    uint64_t how = draw(run, 8);
    if (how == 0) {
        act_some(run, 1 + draw(run, 20));
        stop(run);
    } else if (how < 3 && run->options->seed % 2 == 0) {
        work_until_fault(run);
    } else {
        work_until_crash(run);
        if (sim_world_state(run->world, TRIED) != SIM_MACHINE_OFF)
            stop(run);
    }
    /* Nobody hears of an order any more that is not answered by now. */
    on_saved(run, 0, "");
    if (run->invalid_state == INVALID_ORDERED || run->invalid_state == VALID_ORDERED)
        run->invalid_state = INVALID_UNKNOWN;
}

/* -- Starting ------------------------------------------------------------------------------------
 */

/* What a reindex may forget by right: orders; of a pruned node all that hangs in the air. */
static void allow_for_reindex(struct run *run)
{
    run->totals->reindexes++;
    if (run->invalid_state != INVALID_NONE) {
        /* Another branch is the best one then: what only this one had mined does not come back. */
        forget_sent(run);
        run->invalid_state = INVALID_UNKNOWN;
    }
    if (!run->was_pruned)
        return;
    run->is_cut = true;
    run->n_acked = 0;
    run->durable_work = (struct u256){0};
    forget_sent(run);
}

static struct sim_start draw_start(struct run *run)
{
    struct sim_start start = {.prune = run->prunes};
    uint64_t how = draw(run, 6);
    if (how == 0) {
        start.reindex = true;
        allow_for_reindex(run);
    } else if (how == 1 && !run->prunes) {
        start.reindex_chainstate = true;
        run->totals->coin_reindexes++;
    }
    return start;
}

/* With the clock years back: blocks are of the future, or the node even refuses to start; nothing
 * may come of that once the clock is right again. */
static void start_in_the_past(struct run *run)
{
    struct sim_start start = {.prune = run->prunes};
    run->totals->clock_jumps++;
    sim_world_move_clock(run->world, TRIED, -YEARS_S);
    run->crashes = sim_world_n_crashes(run->world);
    sim_world_start_with(run->world, TRIED, &start);
    sim_world_run_for(run->world, 1 + (int64_t)draw(run, SECOND));
    if (is_up(run) && draw(run, 2)) {
        flush(run);
        sim_world_run_for(run->world, SECOND);
    }
    if (is_up(run) && draw(run, 2))
        sim_world_crash(run->world, TRIED, draw_crash(run));
    stop(run);
    const char *error = sim_world_heal(run->world, TRIED);
    if (error && !strstr(error, "future"))
        sim_world_fail(run->world, "with the clock back: %s", error);
    run->totals->clock_refusals += error != NULL;
    sim_world_move_clock(run->world, TRIED, YEARS_S);
    (void)sim_world_heal(run->world, TRIED);
}

/* One attempt, which may end in a crash, or in a call of the disk that fails. */
static void start_once(struct run *run, bool may_go_wrong)
{
    bool is_to_crash = may_go_wrong && draw(run, 3) == 0;
    bool is_to_fail =
        may_go_wrong && !is_to_crash && run->options->seed % 2 == 0 && draw(run, 4) == 0;
    struct sim_start start = draw_start(run);
    run->crashes = sim_world_n_crashes(run->world);
    if (is_to_crash)
        sim_world_crash_in_write(run->world, TRIED, draw_crash(run), draw(run, START_CHANGES));
    if (is_to_fail)
        break_disk(run, START_CHANGES);
    sim_world_start_with(run->world, TRIED, &start);
    part(run, true);
    sim_world_run_for(run->world, (int64_t)draw(run, draw(run, 2) ? 2 * SECOND : SECOND / 20));
    sim_world_spare(run->world, TRIED);
    uint64_t crashed = sim_world_n_crashes(run->world) - run->crashes;
    run->totals->amid_starts += crashed;
    run->totals->crashes += crashed;
    if (is_to_fail) {
        sim_world_run_for(run->world, SECOND);
        stop(run);
        heal(run);
    }
}

static void start(struct run *run)
{
    if (run->jumps && draw(run, 2) == 0)
        start_in_the_past(run);
    for (int attempts = 0; !is_up(run) && !has_failed(run); attempts++) {
        if (sim_world_state(run->world, TRIED) != SIM_MACHINE_OFF)
            stop(run);
        else
            start_once(run, attempts < 2);
    }
    run->totals->lives++;
}

/* -- Afterwards ----------------------------------------------------------------------------------
 */

static bool has_caught_up(struct run *run)
{
    return run->invalid_state == INVALID_NONE && tips_agree(run) && storage_is_settled(run);
}

static void catch_up(struct run *run)
{
    int64_t start_us = sim_world_now_us(run->world), block_us = start_us;
    uint64_t n_blocks = 0;
    storage_check_validity(run);
    if (run->invalid_state != INVALID_NONE)
        reconsider(run);
    part(run, false);
    while (!has_failed(run) && is_up(run) && !has_caught_up(run)) {
        int64_t now_us = sim_world_now_us(run->world);
        if (now_us - start_us > PATIENCE_US)
            sim_world_fail(run->world, "does not catch up: at %d, the other at %d",
                           chain_tip(chain_of(run, TRIED))->height,
                           chain_tip(chain_of(run, SOUND))->height);
        if (now_us - block_us > BLOCK_EVERY_US) {
            /* By turns: of headers whose blocks a crash took, a peer may think them our best. */
            sim_world_mine(run->world, ++n_blocks % 2 ? SOUND : TRIED);
            block_us = now_us;
        }
        sim_world_run_for(run->world, SECOND / 10);
    }
    if (!has_failed(run) && !is_up(run))
        sim_world_fail(run->world, "stopped by itself");
    run->is_cut = false;
}

static void compare(struct run *run)
{
    struct sim_summary a, b;
    if (!is_up(run) || !sim_world_summary(run->world, TRIED, &a) ||
        !sim_world_summary(run->world, SOUND, &b)) {
        sim_world_fail(run->world, "a node does not count its coins");
        return;
    }
    if (strcmp(a.tip, b.tip) != 0 || strcmp(a.muhash, b.muhash) != 0)
        sim_world_fail(run->world, "other coins than a node that never crashed has");
    else
        storage_compare_coins(run);
    chain_check(chain_of(run, TRIED));
    mempool_verify(node_mempool(sim_world_node(run->world, TRIED)));
}

static void live(struct run *run, bool is_last)
{
    work(run);
    if (!has_failed(run))
        start(run);
    if (has_failed(run) || (!is_last && draw(run, 3) == 0))
        return; /* the next crash comes while it still takes in what it has */
    storage_settle(run);
    if (!has_failed(run) && run->is_cut)
        catch_up(run);
    storage_check(run);
    if (has_failed(run) || (!is_last && draw(run, 2)))
        return;
    catch_up(run);
    if (!has_failed(run))
        compare(run);
}

/* -- One seed ------------------------------------------------------------------------------------
 */

static void print_line(void *ctx, const char *line)
{
    (void)ctx;
    puts(line);
}

/* Nothing damages this disk but calls that fail: what is not durable yet is nobody's damage. */
static void on_warned(void *ctx, size_t node, const char *line)
{
    struct run *run = ctx;
    if (node == TRIED && !run->had_fault && strstr(line, DAMAGE))
        sim_world_fail(run->world, "takes a crash for damage: %s", line);
}

static void begin(struct run *run)
{
    const struct storage_run_options *options = run->options;
    const struct sim_world_options world = {
        .seed = options->seed,
        .n_nodes = 2,
        .net = {.latency_min_us = 1000, .latency_max_us = 50000, .jitter_us = 5000},
        .base = options->base,
        .n_links = 1,
        .flush_batch_bytes = FLUSH_BATCH,
        .block_file_bytes = STORAGE_RUN_FILE_BYTES,
        .txindex = run->options->seed % 5 == 0,
        .persist_mempool = true,
        .stalls = run->stalls,
        .planted = (int)options->planted,
        .trace = options->prints_trace ? print_line : NULL,
        .traces_logs = options->prints_trace,
        .warned = on_warned,
        .ctx = run,
    };
    run->world = sim_world_new(&world);
    sim_spend_init(&run->spend, sim_random_of(options->seed, 0x737065));
    for (size_t i = 0; i < world.n_nodes && run->jumps; i++) {
        sim_world_move_clock(run->world, i, YEARS_S);
        (void)sim_world_heal(run->world, i);
    }
    const struct sim_start first = {.prune = run->prunes};
    sim_world_start_with(run->world, TRIED, &first);
    sim_world_start(run->world, SOUND);
    sim_world_run_for(run->world, 2 * SECOND);
}

char *storage_run(const struct storage_run_options *options, struct storage_run_totals *totals)
{
    struct run run = {.options = options,
                      .totals = totals,
                      .random = sim_random_of(options->seed, 0x73746f),
                      .prunes = options->seed % 3 == 0,
                      .jumps = options->seed % 3 == 1,
                      .stalls = options->seed % 4 == 3};
    begin(&run);
    for (int i = 1; i <= options->lives && !has_failed(&run); i++)
        live(&run, i == options->lives);
    const char *failure = sim_world_failure(run.world);
    char *result = failure ? xstrdup(failure) : NULL;
    sim_world_free(run.world); /* calls are answered for the last time */
    forget_sent(&run);
    return result;
}
