/* test_addressindex.c - the index of addresses agrees with the blocks and with a scan of the coins,
 * through reorganisations, crashes, damage and pruning.
 *
 * CAIRN_RUNS sets how many random reorganisations there are, CAIRN_SEED begins them. */
#include "chain/ask/addressindex.h"

#include <errno.h>

#include "crypto/hash.h"
#include "support/rig_fixture.h"

enum { N_BASE = 130, UNSPENT_MAX = 4000 };

static const char store_path[] = "regtest/indexes/addressindex";

static const enum builder_script kinds[] = {BUILDER_TRUE, BUILDER_WSH_TRUE, BUILDER_LONG,
                                            BUILDER_RETURN};

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    f->options.address_index = true;
    f->options.check_invariants = true;
    rig_start(&f->rig, 1, &f->b, &f->options);
    return 0;
}

FIXTURE(setup, rig_teardown)

struct answer {
    bool is_done;
    int error;
    struct address_history history; /* taken over */
};

static void take(void *arg, int error, struct address_history *history)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    assert_true((history != NULL) == (error == 0));
    answer->is_done = true;
    answer->error = error;
    if (history) {
        answer->history = *history;
        *history = (struct address_history){0};
    }
}

static struct script_hash hash_of(enum builder_script kind)
{
    struct script_hash hash;
    sha256(builder_script_bytes(kind), hash.b);
    return hash;
}

static void start_asking(struct chain_rig *rig, enum builder_script kind, struct answer *answer)
{
    struct script_hash hash = hash_of(kind);
    *answer = (struct answer){0};
    chain_find_addresses(rig->chain, &hash, 1, take, answer);
}

static struct answer ask(struct chain_rig *rig, enum builder_script kind)
{
    struct answer answer;
    start_asking(rig, kind, &answer);
    rig_wait(rig, &answer.is_done);
    if (!answer.error)
        assert_true(address_history_match(&answer.history));
    return answer;
}

/* -- What the blocks and the coins say --------------------------------------------------------- */

struct unspent {
    struct outpoint outpoint;
    int64_t value_sat;
};

/* Of one script. */
struct truth {
    struct span script;
    size_t n_rows; /* transactions that pay it, or spend what was paid to it */
    int64_t received_sat, spent_sat;
    struct unspent unspent[UNSPENT_MAX];
    size_t n_unspent;
};

static void add_unspent(struct truth *truth, struct outpoint outpoint, int64_t value_sat)
{
    assert_true(truth->n_unspent < UNSPENT_MAX);
    truth->unspent[truth->n_unspent++] = (struct unspent){outpoint, value_sat};
}

static bool spend(struct truth *truth, const struct outpoint *outpoint)
{
    for (size_t i = 0; i < truth->n_unspent; i++)
        if (outpoint_equal(&truth->unspent[i].outpoint, outpoint)) {
            truth->spent_sat += truth->unspent[i].value_sat;
            truth->unspent[i] = truth->unspent[--truth->n_unspent];
            return true;
        }
    return false;
}

static void count_tx(struct truth *truth, const struct tx *tx, bool is_coinbase)
{
    bool is_touched = false;
    for (uint32_t k = 0; k < tx->n_in && !is_coinbase; k++)
        is_touched = spend(truth, &tx->in[k].prevout) || is_touched;
    for (uint32_t k = 0; k < tx->n_out; k++) {
        if (!span_equal(tx->out[k].script_pubkey, truth->script))
            continue;
        is_touched = true;
        truth->received_sat += tx->out[k].value_sat;
        add_unspent(truth, (struct outpoint){.txid = tx->txid, .vout = k}, tx->out[k].value_sat);
    }
    truth->n_rows += is_touched;
}

static int compare_unspent(const void *a, const void *b)
{
    const struct unspent *x = a, *y = b;
    int order = memcmp(x->outpoint.txid.b, y->outpoint.txid.b, 32);
    return order ? order
                 : (x->outpoint.vout > y->outpoint.vout) - (x->outpoint.vout < y->outpoint.vout);
}

static void sort(struct truth *truth)
{
    qsort(truth->unspent, truth->n_unspent, sizeof truth->unspent[0], compare_unspent);
}

static struct truth *truth_of(const struct built_block *tip, enum builder_script kind)
{
    struct truth *truth = xcalloc(1, sizeof *truth);
    truth->script = builder_script_bytes(kind);
    for (int32_t height = 1; kind != BUILDER_RETURN && height <= tip->height; height++) {
        const struct built_block *block = built_ancestor(tip, height);
        for (uint32_t i = 0; i < block->block.n_tx; i++)
            count_tx(truth, &block->block.tx[i], i == 0);
    }
    sort(truth);
    return truth;
}

struct scan {
    struct truth *found;
    bool is_done;
};

static bool see_coin(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct truth *found = ((struct scan *)arg)->found;
    if (span_equal(coin->script_pubkey, found->script))
        add_unspent(found, *outpoint, coin->value_sat);
    return true;
}

static void scanned(void *arg, int error, const struct block_node *tip)
{
    assert_int_equal(error, 0);
    assert_non_null(tip);
    ((struct scan *)arg)->is_done = true;
}

static void assert_same_unspent(const struct truth *a, const struct truth *b)
{
    assert_int_equal(a->n_unspent, b->n_unspent);
    for (size_t i = 0; i < a->n_unspent; i++) {
        assert_true(outpoint_equal(&a->unspent[i].outpoint, &b->unspent[i].outpoint));
        assert_int_equal(a->unspent[i].value_sat, b->unspent[i].value_sat);
    }
}

/* As many outputs of the index are unspent, and the same. */
static void assert_index_says(const struct address_history *history, const struct truth *truth)
{
    struct truth *said = xcalloc(1, sizeof *said);
    int64_t received_sat = 0, spent_sat = 0;
    for (size_t i = 0; i < history->rows.n; i++) {
        received_sat += history->rows.at[i].received_sat;
        spent_sat += history->rows.at[i].spent_sat;
    }
    for (size_t i = 0; i < history->outs.n; i++) {
        const struct address_out *out = &history->outs.at[i];
        struct outpoint outpoint = {.txid = history->rows.at[out->row].txid, .vout = out->vout};
        if (out->spent_by == ADDRESS_UNSPENT)
            add_unspent(said, outpoint, out->value_sat);
    }
    sort(said);
    assert_int_equal(history->rows.n, truth->n_rows);
    assert_int_equal(received_sat, truth->received_sat);
    assert_int_equal(spent_sat, truth->spent_sat);
    assert_same_unspent(said, truth);
    xfree(said);
}

/* Index, coins and blocks agree on every script. */
static void assert_agreement(struct chain_rig *rig, const struct built_block *tip)
{
    assert_true(rig_is_at(rig, tip));
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct truth *truth = truth_of(tip, kinds[i]);
        struct scan scan = {.found = xcalloc(1, sizeof *scan.found)};
        struct answer answer = ask(rig, kinds[i]);
        assert_int_equal(answer.error, 0);
        assert_memory_equal(answer.history.tip->hash.b, tip->block.hash.b, 32);
        assert_index_says(&answer.history, truth);
        scan.found->script = truth->script;
        chain_scan_coins(rig->chain, see_coin, scanned, &scan);
        rig_wait(rig, &scan.is_done);
        sort(scan.found);
        assert_same_unspent(scan.found, truth);
        address_history_deinit(&answer.history);
        xfree(scan.found);
        xfree(truth);
    }
}

/* -- Tests ------------------------------------------------------------------------------------- */

static bool spends_coin(const struct built_block *block, const struct built_block *base,
                        const struct outpoint *outpoint)
{
    for (; block != base; block = block->prev)
        for (uint32_t i = 1; i < block->block.n_tx; i++)
            if (outpoint_equal(&block->block.tx[i].in[0].prevout, outpoint))
                return true;
    return false;
}

/* A block that spends an old coinbase of its branch, in one transaction or two, to other scripts;
 * or only a coinbase, if that one is spent. */
static const struct built_block *grow(struct fixture *f, const struct built_block *prev,
                                      struct sim_random *random)
{
    enum builder_script first = kinds[sim_random_below(random, COUNT_OF(kinds) - 1)];
    enum builder_script second = kinds[sim_random_below(random, COUNT_OF(kinds))];
    const struct built_block *paid =
        built_ancestor(f->base, 1 + (int32_t)sim_random_below(random, N_BASE - 101));
    struct builder_coin coin = builder_coinbase_coin(paid);
    uint32_t n_out = 1 + (uint32_t)sim_random_below(random, 3);
    struct tx tx[2] = {builder_spend(&f->b, &coin, 1, n_out, 5, first)};
    struct builder_coin next = builder_coin_of(&tx[0], n_out - 1, first);
    tx[1] = builder_spend(&f->b, &next, 1, 2, 5, second);
    bool is_spent = spends_coin(prev, f->base, &coin.outpoint);
    struct builder_spec spec = {.tx = tx,
                                .n_tx = is_spent ? 0 : 1 + (uint32_t)sim_random_below(random, 2)};
    return builder_block(&f->b, prev, &spec);
}

static void maybe_crash(struct fixture *f, struct sim_random *random, const struct built_block *tip)
{
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER};
    if (sim_random_below(random, 4) == 0)
        assert_int_equal(rig_flush(&f->rig), 0);
    if (sim_random_below(random, 4) != 0)
        return;
    rig_crash(&f->rig, how[sim_random_below(random, 2)], sim_random_below(random, 1000000));
    rig_open(&f->rig);
    rig_accept_chain(&f->rig, tip);
}

/* The old branch is left at any depth, and blocks of it stay in the index. */
TEST(after_random_reorganisations_index_coins_and_blocks_agree, struct fixture *f)
{
    const char *seed_text = getenv("CAIRN_SEED"), *runs_text = getenv("CAIRN_RUNS");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    int runs = runs_text ? atoi(runs_text) : 40;
    struct sim_random random = sim_random_of(seed, 11);
    const struct built_block *tip = f->base;
    print_message("seed %llu, %d reorganisations\n", (unsigned long long)seed, runs);
    rig_accept_chain(&f->rig, tip);
    for (int i = 0; i < runs; i++) {
        int32_t depth = (int32_t)sim_random_below(&random, 7);
        int32_t fork_height = MAX_OF(tip->height - depth, N_BASE), height = tip->height;
        tip = built_ancestor(tip, fork_height);
        while (tip->height <= height)
            tip = grow(f, tip, &random);
        rig_accept_chain(&f->rig, tip);
        maybe_crash(f, &random, tip);
        assert_agreement(&f->rig, tip);
    }
}

TEST(a_script_that_nobody_knows_has_no_history, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    struct answer answer = ask(&f->rig, BUILDER_WSH_TRUE);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.history.rows.n, 0);
    address_history_deinit(&answer.history);
}

TEST(several_scripts_are_told_apart, struct fixture *f)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    struct tx tx = builder_spend(&f->b, &coin, 1, 1, 100, BUILDER_LONG);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1, .coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *tip = builder_block(&f->b, f->base, &spec);
    struct script_hash hashes[] = {hash_of(BUILDER_LONG), hash_of(BUILDER_FALSE),
                                   hash_of(BUILDER_WSH_TRUE)};
    struct answer answer = {0};
    rig_accept_chain(&f->rig, tip);
    chain_find_addresses(f->rig.chain, hashes, COUNT_OF(hashes), take, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.history.rows.n, 2);
    const struct address_row *rows = answer.history.rows.at;
    assert_int_equal(rows[0].script, 0);
    assert_int_equal(rows[0].position, 1);
    assert_memory_equal(rows[0].txid.b, tx.txid.b, 32);
    assert_int_equal(rows[1].script, 2);
    assert_int_equal(rows[1].position, 0);
    address_history_deinit(&answer.history);
}

TEST(without_the_index_there_is_no_answer, struct fixture *f)
{
    struct answer answer;
    struct chain_rig plain;
    rig_start(&plain, 2, &f->b, NULL);
    start_asking(&plain, BUILDER_TRUE, &answer);
    assert_true(answer.is_done); /* within the call */
    assert_int_equal(answer.error, -ENOSYS);
    rig_deinit(&plain);
}

TEST(closing_answers_everybody, struct fixture *f)
{
    struct answer answers[3];
    rig_accept_chain(&f->rig, f->base);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        start_asking(&f->rig, BUILDER_TRUE, &answers[i]);
    assert_int_equal(rig_close(&f->rig), 0);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_true(answers[i].is_done);
        address_history_deinit(&answers[i].history);
    }
}

static void damage_a_row(struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    assert_int_equal(rig_close(&f->rig), 0);
    assert_int_equal(env_kv_open(env, store_path, &options, &kv, NULL), 0);
    struct env_cursor *cursor = env_cursor_open(env, kv);
    env_cursor_seek(env, cursor, span_of("x", 1));
    assert_true(env_cursor_valid(env, cursor));
    struct env_batch *batch = env_batch_new(env);
    env_batch_delete(env, batch, env_cursor_key(env, cursor));
    env_cursor_close(env, cursor);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
    rig_open(&f->rig);
    rig_settle(&f->rig);
}

/* A row that is missing is never kept quiet about: all is made anew, with a warning. */
TEST(damage_is_noticed_and_the_index_made_anew, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    damage_a_row(f);
    assert_int_equal(ask(&f->rig, BUILDER_TRUE).error, -EUCLEAN);
    rig_settle(&f->rig);
    assert_true(f->rig.n_warnings > 0);
    assert_agreement(&f->rig, f->base);
}
