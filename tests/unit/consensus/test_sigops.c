/* test_sigops.c - counting signature operations: legacy, accurate, P2SH, witness.
 *
 * hazards: row 10 (CVE-2010-5138), both sides of each way to count. */
#include "consensus/script_iter.h"
#include "consensus/script_verify.h"
#include "consensus/sigops.h"
#include "support/arena_fixture.h"
#include "support/build.h"
#include "support/hex_bytes.h"

FIXTURE(arena_setup, arena_teardown)

/* clang-format off */
static const struct { const char *hex; uint32_t legacy, accurate; } scripts[] = {
    {"", 0, 0},
    {"ac", 1, 1},
    {"ad", 1, 1},
    {"acadac", 3, 3},
    {"ae", 20, 20},                 /* no number before it */
    {"af", 20, 20},
    {"51ae", 20, 1},
    {"5fae", 20, 15},
    {"60af", 20, 16},
    {"00ae", 20, 20},               /* OP_0 is no count */
    {"0111ae", 20, 20},             /* nor is a push of 17 */
    {"5161ae", 20, 20},             /* the number must stand right before it */
    {"52aeae", 40, 22},
    {"01ac", 0, 0},                 /* data is not code */
    {"4c01ac", 0, 0},
    {"ac02", 1, 1},                 /* a push cut short ends the count */
    {"02acac", 0, 0},
    {"02ac", 0, 0},
    {"ac4dff00ac", 1, 1},
    {"6aac", 1, 1},                 /* static: what is behind OP_RETURN counts */
    {"0063ac68", 1, 1},             /* and what is never executed */
    {"baba", 0, 0},                 /* OP_CHECKSIGADD is tapscript's: a budget, no sigops */
    {"ffac", 1, 1},
};
/* clang-format on */

static struct span from_hex(struct arena *arena, const char *hex)
{
    uint8_t *bytes = arena_alloc(arena, strlen(hex) / 2 + 1);
    return span_of(bytes, hex_bytes(hex, bytes, strlen(hex) / 2 + 1));
}

TEST(scripts_count_what_they_could_do, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct span script = from_hex(arena, scripts[i].hex);
        if (script_sigops(script, false) != scripts[i].legacy ||
            script_sigops(script, true) != scripts[i].accurate)
            fail_msg("%s: %u %u", scripts[i].hex, script_sigops(script, false),
                     script_sigops(script, true));
    }
}

TEST(transactions_count_inputs_and_outputs, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 2, 2);
    tx.in[0].script_sig = from_hex(arena, "ac");
    tx.in[1].script_sig = from_hex(arena, "51ae"); /* not accurate: 20 */
    tx.out[0].script_pubkey = from_hex(arena, "ad");
    assert_int_equal(tx_legacy_sigops(&tx), 22);
}

/* clang-format off */
static const struct { const char *hex; uint32_t count; } redeem[] = {
    {"", 0},
    {"01ac", 1},                    /* the redeem script is OP_CHECKSIG */
    {"0252ae", 2},
    {"03acacac", 3},
    {"5101ac", 1},
    {"01ac51", 0},                  /* the last push is the number */
    {"01ac01ad", 1},
    {"61" "01ac", 0},               /* not only pushes: will fail anyway */
    {"01acac", 0},
    {"01ac02", 0},                  /* cut short */
    {"00", 0},
};
/* clang-format on */

TEST(p2sh_counts_the_last_push, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(redeem); i++) {
        if (p2sh_sigops(from_hex(arena, redeem[i].hex)) != redeem[i].count)
            fail_msg("%s", redeem[i].hex);
    }
}

#define P2SH  "a914000000000000000000000000000000000000000087"
#define WPKH  "00140000000000000000000000000000000000000000"
#define WSH   "00200000000000000000000000000000000000000000000000000000000000000000"
#define TR    "51200000000000000000000000000000000000000000000000000000000000000000"
#define V0_33 "00210000000000000000000000000000000000000000000000000000000000000000ff"

/* clang-format off */
static const struct { const char *what, *spent, *script_sig, *witness; uint64_t cost, no_witness,
    no_p2sh; } costs[] = {
    {"bare checksig",        "ac", "", NULL, 0, 0, 0},          /* counted where it was created */
    {"scriptSig",            "51", "ac", NULL, 4, 4, 4},
    {"p2sh checksig",        P2SH, "01ac", NULL, 4, 4, 0},
    {"p2sh 2 of 3",          P2SH, "0253ae", NULL, 12, 12, 0},
    {"p2wpkh",               WPKH, "", "00", 1, 0, 1},
    {"p2wpkh, no witness",   WPKH, "", NULL, 1, 0, 1},
    {"p2wsh checksig",       WSH, "", "acac", 2, 0, 2},
    {"p2wsh multisig",       WSH, "", "53ae", 3, 0, 3},
    {"p2wsh bare multisig",  WSH, "", "ae", 20, 0, 20},
    {"p2wsh, no witness",    WSH, "", NULL, 0, 0, 0},
    {"taproot",              TR, "", "acacac", 0, 0, 0},        /* has its own budget */
    {"version 0, 33 bytes",  V0_33, "", "acac", 0, 0, 0},
    {"p2sh-p2wpkh",          P2SH, "16" WPKH, "00", 1, 0, 1},
    {"p2sh-p2wsh",           P2SH, "22" WSH, "ad", 1, 0, 1},
    {"p2sh-p2wsh, not only pushes", P2SH, "6122" WSH, "ad", 0, 0, 0},
};
/* clang-format on */

TEST(costs_weigh_legacy_four_and_witness_one, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(costs); i++) {
        struct tx tx = build_tx(arena, 1, 1, 1);
        struct tx_out spent = {.script_pubkey = from_hex(arena, costs[i].spent)};
        tx.in[0].script_sig = from_hex(arena, costs[i].script_sig);
        if (costs[i].witness) {
            struct span items[2] = {span_of("", 0), from_hex(arena, costs[i].witness)};
            tx.in[0].witness = build_witness(arena, items, 2);
        }
        tx_finish(&tx, arena);
        uint64_t all = tx_sigops_cost(&tx, &spent, SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS);
        uint64_t no_witness = tx_sigops_cost(&tx, &spent, SCRIPT_VERIFY_P2SH);
        uint64_t no_p2sh = tx_sigops_cost(&tx, &spent, SCRIPT_VERIFY_WITNESS);
        if (all != costs[i].cost || no_witness != costs[i].no_witness ||
            no_p2sh != costs[i].no_p2sh)
            fail_msg("%s: %d %d %d", costs[i].what, (int)all, (int)no_witness, (int)no_p2sh);
    }
}

TEST(a_coinbase_spends_nothing, struct arena *arena)
{
    struct tx tx = build_coinbase(arena, 1, 0);
    tx.out[0].script_pubkey = from_hex(arena, "ac");
    assert_int_equal(tx_sigops_cost(&tx, NULL, SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS), 4);
}
