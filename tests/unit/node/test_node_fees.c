/* test_node_fees.c - what the estimators are told of, and the files that they live on in.
 *
 * The chain is played by this file, and the mempool, in which nothing waits. */
#include <errno.h>

#include "node/node_fees.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/replace_file.h"

#define DIR  "regtest"
#define PATH DIR "/fees/block_policy_estimates.dat"
#define POOL DIR "/fees/mempool_policy_estimator.dat"
#define OLD  DIR "/fee_estimates.dat"
#define HOUR 3600
#define NOW  1700000000

#define TX_WU 800 /* of each transaction here */

struct chain {
    struct block_node tip, prev, best_header;
    bool is_initial_download;
};

const struct block_node *chain_tip(const struct chain *chain)
{
    return &chain->tip;
}

const struct block_node *chain_best_header(const struct chain *chain)
{
    return &chain->best_header;
}

const struct network *chain_network(const struct chain *chain)
{
    assert_non_null(chain);
    return network_get(NETWORK_REGTEST);
}

bool chain_is_initial_download(const struct chain *chain)
{
    return chain->is_initial_download;
}

const struct mempool_entry **mempool_select_for_block(const struct mempool *mempool,
                                                      const struct mempool_selection *selection,
                                                      size_t *n, int64_t *fees_sat)
{
    assert_non_null(selection);
    assert_null(mempool);
    *n = 0;
    *fees_sat = 0;
    return NULL;
}

struct feerate mempool_chunk(const struct mempool *mempool, const struct mempool_entry *entry)
{
    (void)mempool;
    return (struct feerate){entry->fee_sat, entry->adjusted_wu};
}

struct rig {
    struct sim_env *sim;
    const struct env *env;
    struct chain chain;
    struct node_fees *fees;
    uint8_t n_txs;
    int n_stopped;
};

static void open_fees(struct rig *rig, bool accepts_stale)
{
    const struct node_fees_options options = {
        .data_dir = DIR, .accepts_stale = accepts_stale, .clock = rig->env};
    rig->fees = node_fees_new(rig->env, NULL, &rig->chain, &options);
}

static void on_stopped(void *arg)
{
    struct rig *rig = arg;
    rig->n_stopped++;
}

static void close_fees(struct rig *rig, bool keep)
{
    int before = rig->n_stopped;
    node_fees_stop(rig->fees, keep, on_stopped, rig);
    sim_env_run_until_idle(rig->sim);
    assert_int_equal(rig->n_stopped, before + 1);
    node_fees_free(rig->fees);
}

/* A block on the tip, of n transactions behind its coinbase. */
static void connect(struct rig *rig, uint32_t n)
{
    struct tx tx[64] = {{.base_bytes = 100, .raw = {.len = 100}}};
    const struct block block = {.tx = tx, .n_tx = n + 1};
    for (uint32_t i = 1; i <= n; i++)
        tx[i] = (struct tx){.base_bytes = TX_WU / 4, .raw = {.len = TX_WU / 4}};
    rig->chain.prev = rig->chain.tip;
    rig->chain.tip.prev = &rig->chain.prev;
    rig->chain.tip.height++;
    rig->chain.best_header.height++;
    memcpy(rig->chain.tip.hash.b, &rig->chain.tip.height, sizeof rig->chain.tip.height);
    node_fees_block_connected(rig->fees, &rig->chain.tip, &block);
}

static int set_up(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    rig->sim = sim_env_new(3);
    rig->env = sim_env_get(rig->sim);
    sim_env_set_unix_s(rig->sim, NOW);
    assert_int_equal(env_make_dir(rig->env, DIR), 0);
    rig->chain.tip.height = rig->chain.best_header.height = 99;
    rig->chain.tip.time = NOW;
    open_fees(rig, false);
    connect(rig, 0);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    close_fees(rig, false);
    sim_env_free(rig->sim);
    xfree(rig);
    return 0;
}

FIXTURE(set_up, tear_down)

static size_t waiting(const struct rig *rig)
{
    return fee_estimator_waiting(node_fees_estimator(rig->fees));
}

static int64_t known(const struct rig *rig)
{
    return fee_estimator_smart(node_fees_estimator(rig->fees), 2, false).sat_per_kvb;
}

static struct mempool_entry entry_of(const struct rig *rig, uint8_t id)
{
    struct mempool_entry entry = {
        .fee_sat = 400, .vbytes = 200, .weight_wu = TX_WU, .height = rig->chain.tip.height};
    entry.tx.txid.b[0] = id;
    return entry;
}

static void change(struct rig *rig, uint8_t id, enum mempool_reason reason)
{
    struct mempool_entry entry = entry_of(rig, id);
    const struct mempool_event event = {.reason = reason, .entry = &entry};
    node_fees_mempool_changed(rig->fees, &event);
}

static void learn(struct rig *rig)
{
    for (int block = 0; block < 7; block++) {
        for (uint8_t id = 0; id < 30; id++) {
            change(rig, id, MEMPOOL_ADDED);
            change(rig, id, MEMPOOL_REMOVED_BLOCK);
        }
        connect(rig, 40);
    }
    assert_int_equal(known(rig), 2000);
}

TEST(only_what_competes_now_is_followed, struct rig *rig)
{
    struct mempool_entry entry = entry_of(rig, 1);
    struct mempool_event event = {.reason = MEMPOOL_ADDED, .entry = &entry, .is_putback = true};
    node_fees_mempool_changed(rig->fees, &event); /* had been in a block */
    assert_int_equal(waiting(rig), 0);
    event.is_putback = false;
    event.is_of_package = true;
    node_fees_mempool_changed(rig->fees, &event); /* another of it may pay for it */
    assert_int_equal(waiting(rig), 0);
    event.is_of_package = false;
    entry.n_parents = 1;
    node_fees_mempool_changed(rig->fees, &event); /* its child may pay for it, or it for another */
    assert_int_equal(waiting(rig), 0);
    rig->chain.is_initial_download = true;
    change(rig, 1, MEMPOOL_ADDED);
    rig->chain.is_initial_download = false;
    rig->chain.best_header.height += 2;
    change(rig, 1, MEMPOOL_ADDED);
    assert_int_equal(waiting(rig), 0);
    rig->chain.best_header.height -= 1;
    change(rig, 1, MEMPOOL_ADDED);
    assert_int_equal(waiting(rig), 1);
    rig->chain.tip.time = NOW - 3 * HOUR - 1;
    change(rig, 2, MEMPOOL_ADDED);
    assert_int_equal(waiting(rig), 1);
    rig->chain.tip.time = NOW - 3 * HOUR;
    change(rig, 2, MEMPOOL_ADDED);
    assert_int_equal(waiting(rig), 2);
    change(rig, 2, MEMPOOL_SENT_AGAIN);
    change(rig, 1, MEMPOOL_REMOVED_EXPIRY);
    assert_int_equal(waiting(rig), 1);
}

TEST(what_was_learnt_is_there_after_a_restart, struct rig *rig)
{
    learn(rig);
    close_fees(rig, true);
    open_fees(rig, false);
    assert_int_equal(known(rig), 2000);
    /* Who has nothing new to say leaves the file. */
    close_fees(rig, false);
    open_fees(rig, false);
    assert_int_equal(known(rig), 2000);
}

/* Core's users find both files after each stop. */
TEST(who_has_learnt_nothing_writes_that, struct rig *rig)
{
    close_fees(rig, true);
    assert_true(env_modified_s(rig->env, PATH) > 0);
    assert_true(env_modified_s(rig->env, POOL) > 0);
    open_fees(rig, false);
    assert_int_equal(known(rig), 0);
}

TEST(after_a_fault_nothing_is_written, struct rig *rig)
{
    learn(rig);
    close_fees(rig, false);
    assert_int_equal(env_modified_s(rig->env, PATH), -ENOENT);
    open_fees(rig, false);
    assert_int_equal(known(rig), 0);
}

TEST(the_file_is_written_each_hour, struct rig *rig)
{
    learn(rig);
    sim_env_run_for(rig->sim, (INT64_C(1) * HOUR - 1) * 1000000);
    assert_int_equal(env_modified_s(rig->env, PATH), -ENOENT);
    sim_env_run_for(rig->sim, 2 * 1000000);
    assert_true(env_modified_s(rig->env, PATH) > 0);
    assert_int_equal(env_remove(rig->env, PATH), 0);
    sim_env_run_for(rig->sim, INT64_C(1) * HOUR * 1000000);
    assert_true(env_modified_s(rig->env, PATH) > 0);
}

TEST(a_stop_waits_for_the_write_of_the_hour, struct rig *rig)
{
    learn(rig);
    change(rig, 77, MEMPOOL_ADDED);
    /* The timer has fired, its job has not ended. */
    while (sim_env_step(rig->sim) && env_now_us(rig->env) < INT64_C(3600) * 1000000)
        ;
    node_fees_stop(rig->fees, true, on_stopped, rig);
    assert_int_equal(rig->n_stopped, 0);
    sim_env_run_until_idle(rig->sim);
    assert_int_equal(rig->n_stopped, 1);
    change(rig, 78, MEMPOOL_ADDED); /* too late to be learnt from */
    connect(rig, 1);
    assert_int_equal(waiting(rig), 0);
    node_fees_free(rig->fees);
    open_fees(rig, false);
    assert_int_equal(known(rig), 2000);
}

TEST(an_old_file_is_read_by_order_only, struct rig *rig)
{
    learn(rig);
    close_fees(rig, true);
    sim_disk_set_modified(sim_env_disk(rig->sim), env_unix_s(rig->env) - 60 * HOUR - 1);
    open_fees(rig, false);
    assert_int_equal(known(rig), 0);
    close_fees(rig, false);
    open_fees(rig, true);
    assert_int_equal(known(rig), 2000);
    close_fees(rig, true);
    sim_disk_set_modified(sim_env_disk(rig->sim), env_unix_s(rig->env) - 60 * HOUR);
    open_fees(rig, false);
    assert_int_equal(known(rig), 2000);
}

TEST(a_damaged_file_is_no_obstacle, struct rig *rig)
{
    learn(rig);
    close_fees(rig, true);
    sim_disk_damage(sim_env_disk(rig->sim), PATH, 0, 1);
    open_fees(rig, false);
    assert_int_equal(known(rig), 0);
    close_fees(rig, false);
    sim_disk_fail(sim_env_disk(rig->sim), SIM_OP_OPEN, 0, -EIO, false);
    open_fees(rig, false);
    assert_int_equal(known(rig), 0);
}

/* Of the newest block; how many are known in *n. */
static struct mined_block newest(const struct rig *rig, size_t *n)
{
    const struct mined_block *blocks =
        mempool_estimator_blocks(node_fees_mempool_estimator(rig->fees), &rig->chain.tip.hash, n);
    return *n > 0 ? blocks[*n - 1] : (struct mined_block){0};
}

TEST(blocks_are_compared_with_what_was_here, struct rig *rig)
{
    size_t n;
    learn(rig);
    struct mined_block block = newest(rig, &n);
    assert_int_equal(n, MEMPOOL_ESTIMATOR_BLOCKS);
    assert_int_equal(block.height, rig->chain.tip.height);
    assert_int_equal(block.txs_wu, 40 * TX_WU);
    assert_int_equal(block.ours_wu, 30 * TX_WU);
    /* What leaves otherwise is not in the block, and what was in the last one not in the next. */
    change(rig, 1, MEMPOOL_REMOVED_EXPIRY);
    connect(rig, 3);
    block = newest(rig, &n);
    assert_int_equal(block.txs_wu, 3 * TX_WU);
    assert_int_equal(block.ours_wu, 0);
    /* Ours has more witness. */
    change(rig, 1, MEMPOOL_REMOVED_BLOCK);
    change(rig, 2, MEMPOOL_REMOVED_BLOCK);
    connect(rig, 1);
    block = newest(rig, &n);
    assert_int_equal(block.ours_wu, TX_WU);
}

TEST(compared_blocks_are_there_after_a_restart, struct rig *rig)
{
    size_t n;
    learn(rig);
    close_fees(rig, true);
    open_fees(rig, false);
    struct mined_block block = newest(rig, &n);
    assert_int_equal(n, MEMPOOL_ESTIMATOR_BLOCKS);
    assert_int_equal(block.ours_wu, 30 * TX_WU);
    /* They say nothing of another tip. */
    close_fees(rig, true);
    rig->chain.tip.hash.b[31] ^= 1;
    open_fees(rig, false);
    newest(rig, &n);
    assert_int_equal(n, 0);
}

TEST(damage_of_one_file_is_none_of_the_other, struct rig *rig)
{
    size_t n;
    learn(rig);
    close_fees(rig, true);
    sim_disk_damage(sim_env_disk(rig->sim), POOL, 10, 1);
    open_fees(rig, false);
    newest(rig, &n);
    assert_int_equal(n, 0);
    assert_int_equal(known(rig), 2000);
    close_fees(rig, false);
    uint8_t large[MEMPOOL_ESTIMATOR_FILE_MAX_BYTES + 1] = {0};
    assert_int_equal(replace_file(rig->env, POOL, span_of(large, sizeof large)), 0);
    open_fees(rig, false);
    newest(rig, &n);
    assert_int_equal(n, 0);
}

TEST(with_blocksonly_there_is_nobody_to_tell, struct rig *rig)
{
    struct mempool_entry entry = entry_of(rig, 1);
    const struct mempool_event event = {.reason = MEMPOOL_ADDED, .entry = &entry};
    node_fees_mempool_changed(NULL, &event);
    assert_null(node_fees_estimator(NULL));
    assert_null(node_fees_mempool_estimator(NULL));
    node_fees_settle(NULL, on_stopped, rig);
    node_fees_stop(NULL, true, on_stopped, rig);
    assert_int_equal(rig->n_stopped, 2);
    assert_int_equal(waiting(rig), 0);
    assert_int_equal(env_modified_s(rig->env, PATH), -ENOENT);
}

TEST(who_waits_for_the_files_is_told_when_they_are_there, struct rig *rig)
{
    node_fees_settle(rig->fees, on_stopped, rig);
    assert_int_equal(rig->n_stopped, 1); /* nothing is being written */
    while (sim_env_step(rig->sim) && env_now_us(rig->env) < INT64_C(3600) * 1000000)
        ;
    node_fees_settle(rig->fees, on_stopped, rig);
    node_fees_settle(rig->fees, on_stopped, rig);
    assert_int_equal(rig->n_stopped, 1);
    sim_env_run_for(rig->sim, 1000000);
    assert_int_equal(rig->n_stopped, 3);
    assert_true(env_modified_s(rig->env, POOL) > 0);
}

TEST(the_old_place_of_the_file_is_known, struct rig *rig)
{
    learn(rig);
    close_fees(rig, true);
    assert_int_equal(env_rename(rig->env, PATH, OLD), 0);
    open_fees(rig, false);
    assert_int_equal(known(rig), 2000);
    assert_int_equal(env_modified_s(rig->env, OLD), -ENOENT);
    close_fees(rig, true);
    assert_int_equal(replace_file(rig->env, OLD, span_of_string("left over")), 0);
    open_fees(rig, false);
    assert_int_equal(known(rig), 2000);
    assert_int_equal(env_modified_s(rig->env, OLD), -ENOENT);
}
