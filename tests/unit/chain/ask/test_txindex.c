/* test_txindex.c - transactions are found in their blocks, through reorganisations and crashes. */
#include <errno.h>

#include "chain/ask/tx_place.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"
#include "util/buffer.h"

enum { N_BASE = 110 };

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->options.txindex = true;
    return fixture_before(f, N_BASE);
}

FIXTURE(setup, rig_teardown)

struct answer {
    bool is_done;
    int error;
    const struct block_node *node;
    bool is_read; /* not only its block is known */
    struct txid txid;
    uint32_t first_spent;
};

static void note_found(void *arg, int error, const struct chain_tx *found)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    *answer = (struct answer){.is_done = true, .error = error};
    if (!found)
        return;
    answer->node = found->node;
    answer->is_read = found->tx != NULL;
    if (found->tx)
        answer->txid = found->tx->txid;
    answer->first_spent = found->first_spent;
}

static struct answer ask(struct chain_rig *rig, const struct txid *txid)
{
    struct answer answer = {0};
    chain_find_tx(rig->chain, txid, note_found, &answer);
    rig_wait(rig, &answer.is_done);
    assert_int_equal(answer.error, 0);
    return answer;
}

static const struct block_node *find_in(struct chain_rig *rig, const struct txid *txid)
{
    return ask(rig, txid).node;
}

static void assert_in_block(struct chain_rig *rig, const struct txid *txid,
                            const struct built_block *block)
{
    const struct block_node *node = find_in(rig, txid);
    assert_non_null(node);
    assert_memory_equal(node->hash.b, block->block.hash.b, 32);
}

/* By its place: the block is not read. */
static void assert_placed(struct chain_rig *rig, const struct txid *txid)
{
    struct answer answer = ask(rig, txid);
    assert_true(answer.is_read);
    assert_memory_equal(answer.txid.b, txid->b, sizeof txid->b);
}

/* Every transaction of the branch is found where it is, but that of the first block. */
static void assert_all_found(struct chain_rig *rig, const struct built_block *last)
{
    for (const struct built_block *at = last; at->prev; at = at->prev)
        for (uint32_t i = 0; i < at->block.n_tx; i++)
            assert_in_block(rig, &at->block.txids[i], at);
    bool synced;
    int32_t height;
    assert_true(chain_txindex_status(rig->chain, &synced, &height));
    assert_true(synced);
    assert_int_equal(height, last->height);
}

/* A block with the transaction that spends the first coinbase. */
static const struct built_block *with_tx(struct fixture *f, const struct built_block *prev,
                                         struct tx *tx)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    *tx = builder_spend(&f->b, &coin, 1, 1, 100, BUILDER_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 1};
    return builder_block(&f->b, prev, &spec);
}

TEST(transactions_of_the_chain_are_found, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    assert_all_found(&f->rig, f->base);
}

TEST(unknown_transactions_are_not_found, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    struct txid txid = {{1, 2, 3}};
    assert_null(find_in(&f->rig, &txid));
    assert_null(find_in(&f->rig, &f->b.genesis->block.txids[0]));
}

TEST(a_reorganisation_moves_transactions, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    struct tx tx;
    const struct built_block *a = with_tx(f, f->base, &tx);
    rig_accept_chain(&f->rig, a);
    assert_in_block(&f->rig, &tx.txid, a);
    /* In the other branch it comes one block later. */
    const struct built_block *b = with_tx(f, builder_block(&f->b, f->base, NULL), &tx);
    rig_accept_chain(&f->rig, b);
    assert_true(rig_is_at(&f->rig, b));
    assert_in_block(&f->rig, &tx.txid, b);
    assert_null(find_in(&f->rig, &a->block.txids[0]));
    assert_all_found(&f->rig, b);
    /* And back. */
    const struct built_block *a3 = builder_blocks(&f->b, a, 2, NULL);
    rig_accept_chain(&f->rig, a3);
    assert_true(rig_is_at(&f->rig, a3));
    assert_all_found(&f->rig, a3);
    assert_null(find_in(&f->rig, &b->block.txids[0]));
}

static const struct block_node *known_in(struct fixture *f, const struct txid *txid)
{
    struct chain_tx known = {0};
    struct arena arena;
    arena_init(&arena, 1024);
    if (chain_find_known_tx(f->rig.chain, txid, &arena, &known))
        assert_true(txid_equal(&known.tx->txid, txid) && known.tx->n_in == 1);
    arena_deinit(&arena);
    return known.node;
}

TEST(what_was_found_is_known_while_its_block_is_in_the_chain, struct fixture *f)
{
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, &tx);
    rig_accept_chain(&f->rig, block);
    assert_null(known_in(f, &tx.txid));
    const struct block_node *node = find_in(&f->rig, &tx.txid);
    assert_non_null(node);
    assert_ptr_equal(known_in(f, &tx.txid), node);
    assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
    assert_null(known_in(f, &tx.txid));
    /* In its next block only when that has been looked up. */
    const struct built_block *other = builder_blocks(&f->b, f->base, 1, NULL);
    const struct built_block *again = with_tx(f, other, &tx);
    rig_accept_chain(&f->rig, again);
    assert_true(rig_is_at(&f->rig, again));
    assert_null(known_in(f, &tx.txid));
    assert_in_block(&f->rig, &tx.txid, again);
    node = known_in(f, &tx.txid);
    assert_non_null(node);
    assert_memory_equal(node->hash.b, again->block.hash.b, 32);
}

TEST(a_transaction_that_left_the_chain_is_not_found, struct fixture *f)
{
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, &tx);
    rig_accept_chain(&f->rig, block);
    assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
    rig_settle(&f->rig);
    assert_null(find_in(&f->rig, &tx.txid));
    for (int32_t height = 1; height <= N_BASE; height++) {
        const struct built_block *at = built_ancestor(f->base, height);
        assert_in_block(&f->rig, &at->block.txids[0], at);
    }
}

/* Damage met by a question: who asks meanwhile is not told that the index knows all. */
TEST(damage_that_a_question_meets_is_no_answer, struct fixture *f)
{
    struct answer answer = {0};
    bool synced = true;
    int32_t height;
    rig_accept_chain(&f->rig, f->base);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, -EUCLEAN, false);
    chain_find_tx(f->rig.chain, &f->base->block.txids[0], note_found, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.error, -EUCLEAN);
    assert_true(chain_txindex_status(f->rig.chain, &synced, &height));
    assert_false(synced);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_warnings, 1);
    assert_all_found(&f->rig, f->base);
    assert_int_equal(f->rig.n_faults, 0);
}

/* Let fn change the closed index: its row of a transaction, or with NULL its mark of places. */
static void change_row(struct fixture *f, const struct txid *txid, void (*fn)(struct buffer *row))
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {.cache_bytes = 1 << 20, .write_buffer_bytes = 1 << 20};
    struct env_kv *kv;
    char *detail = NULL;
    uint8_t key[33] = {txid ? 't' : 'P'};
    if (txid)
        memcpy(key + 1, txid->b, 32);
    struct span name = span_of(key, txid ? sizeof key : 1);
    assert_int_equal(env_kv_open(env, "regtest/indexes/txindex", &options, &kv, &detail), 0);
    struct buffer row;
    buffer_init(&row);
    assert_int_equal(env_kv_get(env, kv, name, &row), 0);
    struct env_batch *batch = env_batch_new(env);
    if (fn) {
        fn(&row);
        env_batch_put(env, batch, name, buffer_span(&row));
    } else {
        env_batch_delete(env, batch, name);
    }
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    buffer_deinit(&row);
    env_kv_close(env, kv);
}

static void make_old(struct buffer *row)
{
    assert_int_equal(row->len, TX_PLACE_BYTES);
    row->len = TX_PLACE_OLD_BYTES;
}

static void move_place(struct buffer *row)
{
    row->p[12] ^= 0x40; /* the offset */
}

static void move_coins(struct buffer *row)
{
    row->p[20]++; /* first_spent */
}

static void make_endless(struct buffer *row)
{
    row->p[19] = 0xff; /* the length */
}

/* A block of two spends, of two coins and of one. */
static const struct built_block *with_two(struct fixture *f, struct tx tx[2])
{
    struct builder_coin coins[3];
    for (int32_t i = 0; i < 3; i++)
        coins[i] = builder_coinbase_coin(built_ancestor(f->base, 1 + i));
    tx[0] = builder_spend(&f->b, coins, 2, 1, 100, BUILDER_TRUE);
    tx[1] = builder_spend(&f->b, coins + 2, 1, 1, 100, BUILDER_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 2};
    return builder_block(&f->b, f->base, &spec);
}

TEST(transactions_are_read_at_their_places, struct fixture *f)
{
    struct tx tx[2];
    const struct built_block *block = with_two(f, tx);
    rig_accept_chain(&f->rig, block);
    for (uint32_t i = 0; i < block->block.n_tx; i++)
        assert_placed(&f->rig, &block->block.txids[i]);
    assert_int_equal(ask(&f->rig, &block->block.txids[0]).first_spent, 0);
    assert_int_equal(ask(&f->rig, &block->block.txids[1]).first_spent, 0);
    assert_int_equal(ask(&f->rig, &block->block.txids[2]).first_spent, 2);
}

TEST(old_rows_are_answered_and_renewed, struct fixture *f)
{
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, &tx);
    rig_accept_chain(&f->rig, block);
    assert_int_equal(rig_close(&f->rig), 0);
    /* Old, but said to be new: it stays so. */
    change_row(f, &tx.txid, make_old);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_in_block(&f->rig, &tx.txid, block);
    assert_false(ask(&f->rig, &tx.txid).is_read);
    assert_int_equal(rig_close(&f->rig), 0);
    /* An index of the version before: at once synced, and renewed by the way. */
    change_row(f, NULL, NULL);
    rig_open(&f->rig);
    bool synced = false;
    int32_t height;
    assert_true(chain_txindex_status(f->rig.chain, &synced, &height));
    assert_true(synced);
    assert_in_block(&f->rig, &tx.txid, block);
    rig_settle(&f->rig);
    assert_placed(&f->rig, &tx.txid);
    assert_all_found(&f->rig, block);
    assert_int_equal(rig_close(&f->rig), 0);
    /* Only once. */
    change_row(f, &tx.txid, make_old);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_false(ask(&f->rig, &tx.txid).is_read);
}

TEST(blocks_that_come_while_old_rows_are_renewed_are_found_at_once, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    assert_int_equal(rig_close(&f->rig), 0);
    change_row(f, NULL, NULL);
    rig_open(&f->rig);
    struct tx tx;
    const struct built_block *a = with_tx(f, f->base, &tx);
    assert_true(rig_accept(&f->rig, a).is_connected);
    assert_in_block(&f->rig, &tx.txid, a);
    /* Another branch takes over while blocks of the old one may be under way. */
    const struct built_block *b = with_tx(f, builder_block(&f->b, f->base, NULL), &tx);
    rig_accept_chain(&f->rig, b);
    assert_in_block(&f->rig, &tx.txid, b);
    rig_settle(&f->rig);
    assert_all_found(&f->rig, b);
    for (const struct built_block *at = b; at->prev; at = at->prev)
        assert_placed(&f->rig, &at->block.txids[0]);
}

/* Whatever is wrong with a row or with the bytes it leads to, its block is read instead. */
TEST(a_row_that_leads_elsewhere_leads_to_the_block, struct fixture *f)
{
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, &tx);
    rig_accept_chain(&f->rig, block);
    static void (*const damages[])(struct buffer *) = {move_place, move_coins, make_endless};
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        assert_int_equal(rig_close(&f->rig), 0);
        change_row(f, &tx.txid, damages[i]);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_in_block(&f->rig, &tx.txid, block);
        assert_false(ask(&f->rig, &tx.txid).is_read);
        assert_int_equal(rig_close(&f->rig), 0);
        change_row(f, NULL, NULL); /* as if from the version before: fresh rows follow */
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_placed(&f->rig, &tx.txid);
    }
    /* The last byte of its last witness or of its lock time. */
    const struct block_node *node = find_in(&f->rig, &tx.txid);
    struct span raw = block->block.tx[1].raw;
    size_t last = (size_t)(raw.p - block->block.raw.p) + raw.len - 1;
    sim_disk_damage(sim_env_disk(f->rig.sim), "regtest/blocks/blk00000.dat",
                    node->data.offset + last, 1);
    assert_in_block(&f->rig, &tx.txid, block);
    assert_false(ask(&f->rig, &tx.txid).is_read);
    assert_placed(&f->rig, &block->block.txids[0]);
}
