/* policy.h - what we relay and keep beyond what is valid: standard transactions.
 *
 * Layer: mempool. Pure, like the rules of consensus/, but no rule of theirs: a block may break all
 * of these. Names, limits and order are Core's, since wallets rely on them. */
#ifndef MEMPOOL_POLICY_H
#define MEMPOOL_POLICY_H

#include "consensus/reject.h"
#include "consensus/tx.h"
#include "mempool/feerate.h"

/* All of them are Core's: policy/policy.h and policy/truc_policy.h. */
#define POLICY_TX_VERSION_MAX         3
#define POLICY_TRUC_VERSION           3 /* BIP-431, Specification */
#define POLICY_TX_WEIGHT_MAX_WU       400000
#define POLICY_TX_BASE_BYTES_MIN      65    /* 64 bytes read as an inner merkle node */
#define POLICY_SCRIPT_SIG_MAX_BYTES   1650  /* a P2SH 15-of-15 multisig */
#define POLICY_TX_SIGOPS_COST_MAX     16000 /* a fifth of a block's */
#define POLICY_TX_LEGACY_SIGOPS_MAX   2500  /* BIP54 */
#define POLICY_P2SH_SIGOPS_MAX        15
#define POLICY_WSH_SCRIPT_MAX_BYTES   3600
#define POLICY_WSH_ITEMS_MAX          100
#define POLICY_WITNESS_ITEM_MAX_BYTES 80 /* of P2WSH and tapscript */
#define POLICY_DUST_OUTPUTS_MAX       1  /* and then without fee: ephemeral dust */
#define POLICY_BYTES_PER_SIGOP        20 /* unless -bytespersigop says otherwise */
#define POLICY_TRUC_VBYTES_MAX        10000
#define POLICY_TRUC_CHILD_VBYTES_MAX  1000

/* What the operator can choose. */
struct policy {
    int64_t dust_sat_per_kvb;     /* -dustrelayfee */
    bool permit_bare_multisig;    /* -permitbaremultisig */
    size_t max_datacarrier_bytes; /* -datacarriersize; 0: none */
    uint32_t bytes_per_sigop;     /* -bytespersigop; 0: signature operations cost nothing */
};

/* Is the form of a transaction standard, looking at nothing but itself? Returns the first rule
 * broken. Spec: Core IsStandardTx() */
NODISCARD enum reject policy_check_tx(const struct policy *policy, const struct tx *tx);

/* Does it spend only outputs of standard forms, with few signature operations?
 * In:       spent    the n_in outputs that tx spends
 * Returns:  false with the verdict NONSTANDARD_INPUTS, whose detail says which and why
 * Spec:     Core ValidateInputsStandardness(); BIP54 */
NODISCARD bool policy_check_inputs(const struct tx *tx, const struct tx_out *spent,
                                   struct verdict *verdict);

/* Are its witnesses free of stuffing? Spec: Core IsWitnessStandard() */
NODISCARD bool policy_witness_is_standard(const struct tx *tx, const struct tx_out *spent);

/* True if some input spends a witness program, pay-to-anchor apart: without witness such a
 * transaction fails, which says nothing about its id. Core: SpendsNonAnchorWitnessProg() */
bool policy_spends_witness_program(const struct tx *tx, const struct tx_out *spent);

/* The least value that is worth spending at that rate; 0 for an unspendable output.
 * Spec: Core GetDustThreshold() */
int64_t policy_dust_threshold_sat(const struct tx_out *out, int64_t dust_sat_per_kvb);

/* Outputs below that threshold. */
uint32_t policy_count_dust(const struct tx *tx, int64_t dust_sat_per_kvb);

/* Weight as fees see it: no less than signature operations are worth. No more than INT32_MAX, which
 * is far beyond what is relayed, whatever the operator has chosen. */
static inline uint32_t policy_adjusted_wu(const struct policy *policy, uint32_t weight_wu,
                                          uint64_t sigops_cost)
{
    uint64_t of_sigops = MIN_OF(sigops_cost * policy->bytes_per_sigop, (uint64_t)INT32_MAX);
    return of_sigops > weight_wu ? (uint32_t)of_sigops : weight_wu;
}

/* The same in virtual bytes, rounded up. Core: GetVirtualTransactionSize() */
static inline uint32_t policy_vbytes(const struct policy *policy, uint32_t weight_wu,
                                     uint64_t sigops_cost)
{
    return (policy_adjusted_wu(policy, weight_wu, sigops_cost) + WITNESS_SCALE - 1) / WITNESS_SCALE;
}

#endif
