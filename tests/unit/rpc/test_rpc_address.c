/* test_rpc_address.c - what addresses have: in the chain, in the mempool, page by page. */
#include "crypto/hash.h"
#include "pool_fixture.h"
#include "rpc/address_orders.h"
#include "rpc/methods.h"

/* A parent that spends the first coinbase, and a child: neither is anywhere yet. */
static int setup(void **state)
{
    const struct chain_options options = {.address_index = true};
    *state = fixture_new(1, &options);
    make_family(*state);
    return 0;
}

FIXTURE(setup, teardown)

/* The script of an output as a descriptor, in the quotes of JSON. */
static const char *raw(struct fixture *f, const struct tx *tx, uint32_t vout)
{
    char *hex = arena_calloc(&f->rig.builder.arena, 1, 2 * tx->out[vout].script_pubkey.len + 1);
    char *text = arena_calloc(&f->rig.builder.arena, 1, 2 * tx->out[vout].script_pubkey.len + 10);
    hex_encode(hex, tx->out[vout].script_pubkey);
    snprintf(text, 2 * tx->out[vout].script_pubkey.len + 10, "\"raw(%s)\"", hex);
    return text;
}

static void assert_balance(struct fixture *f, const char *what, const char *want)
{
    assert_holds(rpc_rig_callf(&f->rig, "getaddressbalance", "[%s]", what), want);
}

/* Coin, parent and child pay one script: the parent has two outputs, and costs 1000 sat. */
TEST(what_waits_is_told_beside_what_is_confirmed, struct fixture *f)
{
    const char *script = raw(f, &f->parent, 0);
    assert_balance(f, script, "\"confirmed\":50.00000000,\"mempool\":0.00000000,");
    add(f, &f->parent, 0);
    assert_balance(f, script,
                   "\"confirmed\":50.00000000,\"mempool\":-0.00001000,"
                   "\"received\":50.00000000,\"spent\":0.00000000}");
    const char *got = rpc_rig_callf(&f->rig, "getaddressutxos", "[%s]", script);
    assert_holds(got, f->parent_id);
    assert_holds(got, "\"confirmations\":0}],\"total\":2}");
    got = rpc_rig_callf(&f->rig, "getaddresshistory", "[%s]", script);
    assert_holds(got, "\"confirmations\":101,\"received\":50.00000000,\"spent\":0.00000000},");
    assert_holds(got, "\"confirmations\":0,\"received\":49.99999000,\"spent\":50.00000000}],"
                      "\"total\":2}");
    /* Without the mempool it is as if nothing waited. */
    got = rpc_rig_callf(&f->rig, "getaddressutxos", "[%s,10,0,false]", script);
    assert_holds(got, "\"confirmations\":101}],\"total\":1}");
    assert_balance(f, script, "\"mempool\":-0.00001000,");
    add(f, &f->child, 0);
    got = rpc_rig_callf(&f->rig, "getaddresshistory", "[%s]", script);
    assert_holds(got, f->child_id);
    assert_holds(got, "\"total\":3}");
    assert_holds(rpc_rig_callf(&f->rig, "getaddressutxos", "[%s]", script), "\"total\":2}");
}

/* More outputs than a turn looks at, and another transaction behind them. */
TEST(a_full_mempool_is_gone_through_in_turns, struct fixture *f)
{
    struct tx wide = spend_coin(f, f->coin[0], 1500, 150000);
    struct builder_coin coin = {.outpoint = {.txid = wide.txid, .vout = 7},
                                .value_sat = wide.out[7].value_sat,
                                .script = BUILDER_WSH_TRUE};
    struct tx narrow = spend_coin(f, coin, 1, 1000);
    const char *script = raw(f, &wide, 0);
    add(f, &wide, 0);
    assert_holds(rpc_rig_callf(&f->rig, "getaddressutxos", "[%s,1]", script), "\"total\":1500}");
    add(f, &narrow, 0);
    assert_holds(rpc_rig_callf(&f->rig, "getaddressutxos", "[%s,1]", script), "\"total\":1500}");
    assert_holds(rpc_rig_callf(&f->rig, "getaddresshistory", "[%s]", script), "\"total\":3}");
}

TEST(a_script_may_be_named_by_its_hash, struct fixture *f)
{
    struct script_hash hash;
    char hex[65], asked[200];
    sha256(f->parent.out[0].script_pubkey, hash.b);
    hex_encode_reversed(hex, span_of(hash.b, 32));
    snprintf(asked, sizeof asked, "[{\"scripthash\":\"%s\"}]", hex);
    add(f, &f->parent, 0);
    char *by_script =
        xstrdup(rpc_rig_callf(&f->rig, "getaddressbalance", "[%s]", raw(f, &f->parent, 0)));
    assert_string_equal(rpc_rig_callf(&f->rig, "getaddressbalance", "[%s]", asked), by_script);
    xfree(by_script);
    const char *got = rpc_rig_callf(&f->rig, "getaddressutxos", "[%s,1]", asked);
    assert_holds(got, "\"vout\":0,\"scripthash\":\"");
    assert_holds(got, hex);
    assert_holds(rpc_rig_callf(&f->rig, "getaddresshistory", "[%s]", asked), f->parent_id);
}

TEST(a_script_asked_for_twice_counts_once, struct fixture *f)
{
    char *once = xstrdup(rpc_rig_call(&f->rig, "getaddresshistory", "[\"raw(51)\",2]"));
    assert_call(&f->rig, "getaddresshistory",
                "[[\"raw(51)\",\"raw(51)\",{\"desc\":\"raw(51)\"}],2]", once);
    xfree(once);
}

TEST(pages_do_not_overlap, struct fixture *f)
{
    const char *got = rpc_rig_call(&f->rig, "getaddressutxos", "[\"raw(51)\",1,0]");
    assert_holds(got, "\"height\":2,");
    assert_null(strstr(got, "\"height\":3,"));
    got = rpc_rig_call(&f->rig, "getaddressutxos", "[\"raw(51)\",1,1]");
    assert_holds(got, "\"height\":3,");
    got = rpc_rig_call(&f->rig, "getaddresshistory", "[\"raw(51)\",1,100000]");
    assert_holds(got, "\"transactions\":[],\"total\":");
}

TEST(bad_questions_are_refused, struct fixture *f)
{
    assert_call(&f->rig, "getaddressutxos", "[\"raw(51)\",0]",
                "-8: count must be between 1 and 10000");
    assert_starts(rpc_rig_call(&f->rig, "getaddressutxos", "[\"raw(51)\",10000]"), "{");
    assert_call(&f->rig, "getaddressutxos", "[\"raw(51)\",10001]",
                "-8: count must be between 1 and 10000");
    assert_call(&f->rig, "getaddresshistory", "[\"raw(51)\",1,-1]",
                "-8: skip must not be negative");
    assert_starts(rpc_rig_call(&f->rig, "getaddressbalance", "[\"nonsense\"]"), "-5: ");
    assert_starts(rpc_rig_call(&f->rig, "getaddressbalance", "[[{\"scripthash\":\"00\"}]]"),
                  "-8: scripthash must be of length 64");
    /* One more than there may be scripts. */
    assert_call(&f->rig, "getaddressbalance",
                "[{\"desc\":\"wpkh("
                "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYS"
                "nhyswJ76uZPStJRJCTKvosUCJZL5B/*)\",\"range\":100000}]",
                "-8: More than 100000 scripts: ask for less");
}

TEST(without_the_index_it_says_so, struct fixture *f)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "getaddressbalance", "[\"raw(51)\"]",
                "-1: The index of addresses is not enabled: start with -addressindex");
    rpc_rig_deinit(&rig);
    assert_holds(rpc_rig_call(&f->rig, "getindexinfo", "[]"), "{\"addressindex\":{");
}
