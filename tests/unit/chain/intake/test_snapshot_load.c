/* test_snapshot_load.c - a chain goes on with the coins of a file: when it may, and after a crash.
 */
#include "chain/intake/snapshot_load.h"

#include <errno.h>

#include "support/snapshot_rig.h"

FIXTURE(snapshot_setup, snapshot_teardown)

#define N_CRASHES 60

static void assert_refused(struct snapshot_rig *s, bool is_head, const char *why)
{
    struct load_answer answer = snapshot_load_now(s);
    assert_int_equal(answer.error, -EBADMSG);
    assert_string_equal(answer.why, why);
    assert_int_equal(answer.is_head, is_head);
    assert_int_equal(chain_tip(s->rig.chain)->height, SNAPSHOT_KNOWN);
    assert_false(chain_lacks_past(s->rig.chain));
    chain_check(s->rig.chain);
}

TEST(the_tip_is_the_block_of_the_file, struct snapshot_rig *s)
{
    struct chain_past past;
    assert_false(chain_has_past_check(s->rig.chain, &past));
    struct load_answer answer = snapshot_load_now(s);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.n_coins, SNAPSHOT_BASE);
    assert_true(rig_is_at(&s->rig, s->base));
    assert_true(chain_has_past_check(s->rig.chain, &past));
    assert_int_equal(past.tip->height, SNAPSHOT_KNOWN);
    assert_true(past.base == chain_tip(s->rig.chain) && !past.is_checked);
    assert_int_equal(past.base->chain_tx, s->facts.chain_tx);
    chain_check(s->rig.chain);
    struct coin_stats stats = rig_coin_stats(&s->rig, COIN_STATS_SERIALIZED_3);
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(stats.hash, 32));
    assert_string_equal(hash, s->coins_hash);
    /* It goes on from there, and over a restart. */
    snapshot_give(s, SNAPSHOT_BASE + 1, SNAPSHOT_TIP);
    assert_true(rig_is_at(&s->rig, s->tip));
    assert_int_equal(rig_close(&s->rig), 0);
    rig_open(&s->rig);
    assert_true(rig_is_at(&s->rig, s->tip));
    assert_true(chain_lacks_past(s->rig.chain));
    chain_check(s->rig.chain);
}

TEST(it_is_done_once, struct snapshot_rig *s)
{
    struct load_answer one = {0}, other = {0};
    snapshot_begin_load(s, &one);
    assert_int_equal(snapshot_order(s, SNAPSHOT_FILE, NULL, &other), -EBUSY);
    rig_wait(&s->rig, &one.is_done);
    struct load_answer again = snapshot_load_now(s);
    assert_string_equal(again.why, "Can't activate a snapshot-based chainstate more than once");
}

TEST(what_cannot_be_is_refused_in_cores_words, struct snapshot_rig *s)
{
    struct load_answer busy = {.may_not = true};
    assert_int_equal(snapshot_order(s, "regtest/none", NULL, &busy), -ENOENT);
    snapshot_begin_load(s, &busy);
    assert_string_equal(busy.why, "Can't activate a snapshot when mempool not empty");
    s->file[0] ^= 1;
    snapshot_write(s, s->file, s->len);
    assert_refused(s, true,
                   "Invalid UTXO set snapshot magic bytes. Please check if this is indeed a "
                   "snapshot file or if you are using an outdated snapshot format.");
    s->file[0] ^= 1;
    s->file[60] ^= 1; /* a txid */
    snapshot_write(s, s->file, s->len);
    struct load_answer answer = snapshot_load_now(s);
    char want[200];
    snprintf(want, sizeof want, "Population failed: Bad snapshot content hash: expected %s, got ",
             s->coins_hash);
    assert_memory_equal(answer.why, want, strlen(want));
    s->file[60] ^= 1;
    snapshot_write(s, s->file, s->len - 1);
    assert_refused(s, false,
                   "Population failed: Bad snapshot format or truncated snapshot after "
                   "deserializing 19 coins");
    s->rig.network.n_snapshots = 0;
    snapshot_write(s, s->file, s->len);
    snprintf(want, sizeof want, "%.30s", "assumeutxo block hash in snapshot metadata");
    answer = snapshot_load_now(s);
    assert_memory_equal(answer.why, want, 30);
    s->rig.network.n_snapshots = 1;
    assert_int_equal(snapshot_load_now(s).error, 0); /* and nothing is left of all that */
}

TEST(a_header_must_be_known_valid_and_ahead, struct snapshot_rig *s)
{
    char want[300];
    rig_deinit(&s->rig);
    rig_init(&s->rig, sim_env_new(3), &s->b, &s->options);
    s->rig.network.snapshots = &s->facts;
    s->rig.network.n_snapshots = 1;
    rig_open(&s->rig);
    rig_accept_chain(&s->rig, built_ancestor(s->base, SNAPSHOT_KNOWN));
    snapshot_write(s, s->file, s->len);
    snprintf(want, sizeof want,
             "The base block header (%s) must appear in the headers chain. Make sure all headers "
             "are syncing, and call loadtxoutset again",
             s->block_hash);
    assert_refused(s, false, want);
    rig_announce(&s->rig, s->tip);
    (void)rig_invalidate(&s->rig, built_ancestor(s->base, SNAPSHOT_BASE - 1));
    snprintf(want, sizeof want, "The base block header (%s) is part of an invalid chain",
             s->block_hash);
    assert_refused(s, false, want);
    (void)rig_reconsider(&s->rig, built_ancestor(s->base, SNAPSHOT_BASE - 1));
    const struct built_block *fork = built_ancestor(s->base, SNAPSHOT_BASE - 1);
    rig_announce(&s->rig, builder_blocks(&s->b, fork, SNAPSHOT_TIP - SNAPSHOT_BASE + 5, NULL));
    assert_refused(s, false,
                   "A forked headers-chain with more work than the chain with the snapshot base "
                   "block header exists. Please proceed to sync without AssumeUtxo");
    rig_deinit(&s->rig);
    snapshot_rig_start(s, 4);
    rig_accept_chain(&s->rig, s->base);
    struct load_answer answer = snapshot_load_now(s);
    assert_string_equal(answer.why, "Population failed: Work does not exceed active chainstate");
}

/* What this release does not know the operator may: for this load, and over restarts. */
TEST(the_operator_may_vouch_for_the_coins, struct snapshot_rig *s)
{
    struct coin_vouch vouch = {.base = s->base->block.hash};
    struct load_answer answer = {0}, again = {0};
    s->rig.network.n_snapshots = 0;
    assert_true(hex_decode_reversed(vouch.coins_hash, 32, s->coins_hash, 64));
    vouch.coins_hash[0] ^= 1;
    assert_int_equal(snapshot_order(s, SNAPSHOT_FILE, &vouch, &answer), 0);
    rig_wait(&s->rig, &answer.is_done);
    assert_int_equal(answer.error, -EBADMSG);
    assert_true(answer.is_bad_file);
    vouch.coins_hash[0] ^= 1;
    assert_int_equal(snapshot_order(s, SNAPSHOT_FILE, &vouch, &again), 0);
    rig_wait(&s->rig, &again.is_done);
    assert_int_equal(again.error, 0);
    vouch.coins_hash[0] ^= 1;
    answer.is_done = false;
    assert_int_equal(snapshot_order(s, SNAPSHOT_FILE, &vouch, &answer), 0); /* changes nothing */
    assert_false(answer.is_bad_file);
    assert_true(rig_is_at(&s->rig, s->base));
    assert_int_equal(chain_tip(s->rig.chain)->chain_tx, SNAPSHOT_BASE + 1);
    snapshot_give(s, SNAPSHOT_BASE + 1, SNAPSHOT_TIP);
    snapshot_rig_crash(s, SIM_CRASH_LOST, 91);
    assert_true(chain_lacks_past(s->rig.chain));
    snapshot_give(s, SNAPSHOT_KNOWN + 1, SNAPSHOT_TIP);
    rig_settle(&s->rig);
    assert_false(chain_lacks_past(s->rig.chain));
    assert_true(rig_is_at(&s->rig, s->tip));
    assert_int_equal(chain_tip(s->rig.chain)->chain_tx,
                     s->facts.chain_tx + SNAPSHOT_TIP - SNAPSHOT_BASE);
}

/* Whenever a transaction comes into the mempool, all is as before or as after. */
TEST(a_transaction_in_between_is_no_harm, struct snapshot_rig *s)
{
    size_t n_refused = 0, n_begun = 0;
    for (int steps = 0; steps < 30; steps++) {
        rig_deinit(&s->rig);
        snapshot_rig_start(s, (uint64_t)steps + 10);
        struct load_answer answer = {0};
        snapshot_begin_load(s, &answer);
        for (int i = 0; i < steps && !answer.is_done; i++)
            (void)sim_env_step(s->rig.sim);
        answer.may_not = true;
        rig_settle(&s->rig);
        assert_true(answer.is_done);
        assert_true(chain_lacks_past(s->rig.chain) == (answer.error == 0));
        n_begun += answer.error == 0;
        n_refused += answer.error != 0;
        if (answer.error)
            assert_string_equal(answer.why, "Can't activate a snapshot when mempool not empty");
        bool has_begun = chain_lacks_past(s->rig.chain);
        assert_int_equal(rig_close(&s->rig), 0);
        rig_open(&s->rig);
        assert_true(chain_lacks_past(s->rig.chain) == has_begun);
    }
    assert_true(n_refused > 0 && n_begun > 0);
}

/* Whenever the machine stops, there is the chain before, or the one that begins with the file. */
TEST(a_crash_at_any_moment_loses_nothing, struct snapshot_rig *s)
{
    static const enum sim_crash hows[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    size_t n_before = 0, n_after = 0;
    for (uint64_t seed = 0; seed < N_CRASHES; seed++) {
        rig_deinit(&s->rig);
        snapshot_rig_start(s, seed + 10);
        assert_int_equal(rig_flush(&s->rig), 0);
        struct load_answer answer = {0};
        snapshot_begin_load(s, &answer);
        for (uint64_t i = 0; i < seed % 30; i++)
            (void)sim_env_step(s->rig.sim);
        snapshot_rig_crash(s, hows[seed % COUNT_OF(hows)], seed);
        chain_check(s->rig.chain);
        bool has_begun = chain_lacks_past(s->rig.chain);
        int32_t height = chain_tip(s->rig.chain)->height;
        assert_int_equal(height, has_begun ? SNAPSHOT_BASE : SNAPSHOT_KNOWN);
        assert_true(has_begun || !answer.is_done || answer.error);
        n_after += has_begun;
        n_before += !has_begun;
        if (!has_begun)
            assert_int_equal(snapshot_load_now(s).error, 0);
        snapshot_give(s, SNAPSHOT_KNOWN + 1, SNAPSHOT_TIP);
        assert_true(rig_is_at(&s->rig, s->tip));
        assert_false(chain_lacks_past(s->rig.chain));
    }
    assert_true(n_before > 0 && n_after > 0);
}
