/* test_rpc_spent.c - what a transaction spends: each output looked up once, a few a turn. */
#include "chain/coins/coins.h"
#include "rpc/rpc_internal.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { SCRIPT_BYTES = 9000 };

struct world {
    struct rpc_rig rig;
    uint8_t script[SCRIPT_BYTES];
    struct outpoint coin; /* that pays to it */
    struct rpc_call call;
    int n_ended;
    struct tx tx;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    rpc_rig_init(&w->rig, NULL, NULL);
    memset(w->script, 0x51, sizeof w->script);
    w->coin.txid.b[0] = 7;
    const struct coin coin = {.value_sat = 5, .script_pubkey = span_of(w->script, SCRIPT_BYTES)};
    struct coins *coins = chain_coins(w->rig.chain.chain);
    coins_add(coins, &w->coin, coins_hash(coins_hash_key(coins), &w->coin), &coin, false);
    w->call = (struct rpc_call){.rpc = w->rig.rpc, .state = w};
    arena_init(&w->call.arena, 4096);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    arena_deinit(&w->call.arena);
    xfree(w->call.error_message);
    rpc_rig_deinit(&w->rig);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static void nobody(void *arg, struct rpc_reply *reply)
{
    (void)arg;
    (void)reply;
}

/* Goes on by itself when the search is over, as a handler that is not done. */
static enum rpc_progress ended(struct rpc_call *call)
{
    struct world *w = call->state;
    w->n_ended++;
    return RPC_PENDING;
}

/* Inputs that spend the coin, but for n_others, of which each spends another one that there is
 * not; these are spread among them. */
static struct spent_search *begin(struct world *w, uint32_t n, uint32_t n_others)
{
    w->tx = (struct tx){.n_in = n};
    w->tx.in = arena_calloc(&w->call.arena, n, sizeof *w->tx.in);
    for (uint32_t i = 0; i < n; i++)
        w->tx.in[i].prevout = w->coin;
    for (uint32_t k = 0; k < n_others; k++)
        w->tx.in[k * (n / n_others)].prevout.vout = 1 + k;
    w->call.reply = nobody;
    return rpc_spent_new(&w->call, &w->tx);
}

TEST(inputs_are_found_by_what_they_spend, struct world *w)
{
    const struct spent_search *search = begin(w, 10, 2); /* numbers 0 and 5 */
    struct outpoint outpoint = w->coin;
    assert_int_equal(rpc_spent_first(search, &outpoint), 1);
    outpoint.vout = 2;
    assert_int_equal(rpc_spent_first(search, &outpoint), 5);
    outpoint.vout = 3;
    assert_int_equal(rpc_spent_first(search, &outpoint), 10);
    outpoint.txid.b[31] ^= 0xff;
    assert_int_equal(rpc_spent_first(search, &outpoint), 10);
}

/* Its script is there once, however many inputs name it. */
TEST(an_output_is_looked_up_once, struct world *w)
{
    enum { INPUTS = 1000 };
    struct spent_search *search = begin(w, INPUTS, 2);
    size_t before = w->call.arena.total_bytes;
    assert_int_equal(rpc_spent_find(&w->call, search, ended), RPC_PENDING);
    assert_int_equal(w->n_ended, 1);
    assert_in_range(w->call.arena.total_bytes, before, before + 2 * SCRIPT_BYTES);
    for (uint32_t i = 0; i < INPUTS; i++) {
        bool is_other = i == 0 || i == INPUTS / 2;
        assert_int_equal(search->known[i], !is_other);
        assert_int_equal(search->spent[i].script_pubkey.len, is_other ? 0 : SCRIPT_BYTES);
    }
}

/* A fault of each read would stand the loop: so many are read, and others have their turn. */
TEST(many_outputs_take_turns, struct world *w)
{
    struct spent_search *search = begin(w, 200, 200);
    assert_int_equal(rpc_spent_find(&w->call, search, ended), RPC_PENDING);
    assert_int_equal(w->n_ended, 0);
    assert_in_range(search->at, 1, 100);
    rpc_rig_run_for(&w->rig, 1000);
    assert_int_equal(w->n_ended, 1);
    assert_int_equal(search->at, 200);
    assert_int_equal(w->call.error_code, 0);
}

/* Nobody waits for the rest of it. */
TEST(a_search_ends_with_its_client, struct world *w)
{
    struct spent_search *search = begin(w, 200, 200);
    assert_int_equal(rpc_spent_find(&w->call, search, ended), RPC_PENDING);
    w->call.reply = NULL;
    rpc_rig_run_for(&w->rig, 1000);
    assert_int_equal(w->n_ended, 1);
    assert_int_not_equal(w->call.error_code, 0);
    assert_in_range(search->at, 1, 100);
}
