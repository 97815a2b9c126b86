/* network.h - all facts of a network in one table row.
 *
 * Layer: consensus. Pure data. Networks: main, test (3), testnet4, signet, regtest. */
#ifndef CONSENSUS_NETWORK_H
#define CONSENSUS_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/ids.h"
#include "util/assert.h"
#include "util/span.h"

/* Separate currencies as far as the rules go: each has its own first block, and its magic keeps
 * messages of one from being taken for messages of another. */
enum network_kind {
    NETWORK_MAIN,
    NETWORK_TEST,
    NETWORK_TESTNET4,
    NETWORK_SIGNET,
    NETWORK_REGTEST,
    NETWORK_COUNT,
    NETWORK_CUSTOM = NETWORK_COUNT, /* made from a file: node/chain_file.h */
};

/* Rules buried at a height. -testactivationheight=name@height changes them on regtest. What was
 * activated by votes of miners is a height now, since the chain before it is settled: no votes have
 * to be counted again. BIP-90, Motivation */
enum buried_deployment {
    BURIED_HEIGHTINCB, /* BIP34, "bip34" */
    BURIED_DERSIG,     /* BIP66, "dersig" (getblockchaininfo names it bip66) */
    BURIED_CLTV,       /* BIP65, "cltv" */
    BURIED_CSV,        /* BIP68, 112, 113, "csv" */
    BURIED_SEGWIT,     /* BIP141, 143, 147, "segwit" */
    BURIED_COUNT,
};

/* BIP9 deployments still tracked. -vbparams=name:start:end[:min_height] changes them on regtest.
 * Taproot is active for long, and stays here because getblocktemplate names it. */
enum bip9_deployment {
    BIP9_TESTDUMMY,
    BIP9_TAPROOT,
    BIP9_COUNT,
};

#define NETWORK_TAG_CHARS 8

#define BIP9_ALWAYS_ACTIVE INT64_C(-1)
#define BIP9_NEVER_ACTIVE  INT64_C(-2)
#define BIP9_NO_TIMEOUT    INT64_MAX

/* Times are compared with the median time past, in seconds since 1970. The minimum height came with
 * taproot: it lets a change lock in early and hold later. BIP-341, Deployment */
struct bip9_params {
    int bit;
    int64_t start_time, timeout;
    int32_t min_activation_height;
    uint32_t period, threshold; /* blocks */
};

/* A block that is checked with fewer script flags than the rest of its chain. The flags replace the
 * ones that hold at every height; those that come by height are added. */
struct script_flag_exception {
    struct block_hash hash;
    uint32_t flags;
};

/* Copied by value into the node and changed there by regtest options; const afterwards. */
/* A set of coins that this release vouches for: what is loaded from a file is compared with it.
 * Hashes as they are shown. */
struct network_snapshot {
    int32_t height;
    uint64_t chain_tx;      /* transactions up to there */
    const char *block_hash; /* the set is as of this block */
    const char *coins_hash; /* hash_serialized_3 of gettxoutsetinfo */
};

struct network {
    enum network_kind kind;
    const char *name;     /* "main", "test", "testnet4", "signet", "regtest", or its own */
    const char *data_dir; /* below -datadir: "" "testnet3" "testnet4" "signet" "regtest", or name */
    uint8_t magic[4];
    uint16_t p2p_port, rpc_port;

    /* The one block that no rule is asked of: it is where the chain begins by definition. */
    struct span genesis_raw; /* the genesis block's bytes */
    struct block_hash genesis_hash;

    /* The easiest target there is, which is also the first one. */
    uint8_t pow_limit[32];         /* little-endian 256-bit number, as everywhere */
    bool pow_allow_min_difficulty; /* 20-minute rule of the testnets */
    bool pow_no_retargeting;
    /* Testnet4's time-warp fix and its retarget from the period's first block; -test=bip94. */
    bool enforce_bip94;
    /* A retarget aims at a block in so many seconds, over so many blocks as fit into the
     * timespan. */
    int64_t pow_target_spacing_s, pow_target_timespan_s;
    int32_t unknown_rules_height; /* signals below are of rule changes that are known today */
    uint32_t subsidy_halving_interval;
    int64_t subsidy_first_sat; /* of the first blocks, until the first halving */
    /* Blocks that have to pass before a coinbase may be spent. If its block leaves the chain, so
     * does every transaction that spends from it, for ever: unlike other transactions a coinbase
     * cannot be mined again elsewhere. A hundred blocks make that unlikely. */
    int32_t coinbase_maturity;

    int32_t buried_height[BURIED_COUNT];
    struct block_hash bip34_hash; /* the block at the BIP34 height, zero if none. See BIP30 rules */
    struct bip9_params bip9[BIP9_COUNT];
    /* What an unknown change of rules is noticed by; the deployments have their own. */

    const struct script_flag_exception *exceptions;
    uint32_t n_exceptions;

    /* A chain with less work than this is none that a node should follow: it keeps a victim without
     * honest peers from being shown a cheap chain. The other is a block whose ancestors' scripts
     * need not be run if it is in the best chain: they have been run, and looked at by many, before
     * this release. Neither one decides which chain is valid. */
    uint8_t min_chain_work[32];
    struct block_hash assume_valid; /* zero: none */

    const struct network_snapshot *snapshots; /* by height */
    uint32_t n_snapshots;

    /* Whether coins are worth nothing: some defaults are bolder there. */
    bool is_test_chain;
    /* Regtest, and whose blocks are as easy to make: who runs a node there makes blocks and sets
     * clocks at will. */
    bool mine_blocks_on_demand;
    bool signet_blocks;
    struct span signet_challenge;

    /* Of a chain by -chainfile: its rules as text, and a hash of them by which peers are told from
     * those of other rules. Else NULL and empty. */
    const char *rules;
    char rules_tag[NETWORK_TAG_CHARS + 1];

    /* What texts of this network begin with, so that they are not taken for those of another. */
    uint8_t base58_pubkey, base58_script, base58_secret;
    uint8_t base58_xpub[4], base58_xprv[4];
    const char *bech32_hrp;

    const char *const *dns_seeds;
    uint32_t n_dns_seeds;
    /* Addresses of nodes that were reachable for long before this release, for a new node that
     * finds nobody by DNS. None are known: such a list is what a crawler has seen, and none was
     * run. */
    const char *const *fixed_seeds;
    uint32_t n_fixed_seeds;
    /* A short chain is not pruned: it would save nothing. */
    uint64_t prune_after_height;

    /* For estimates: transactions up to some time, and how many a second came then; 0: unknown. */
    struct {
        int64_t time_s;
        double count, per_s;
    } tx_stats;
};

/* The row of that network; never NULL. Constant: copy it to change it. */
const struct network *network_get(enum network_kind kind);

/* The row by its name ("main", "test", ...); NULL if there is none of that name. */
const struct network *network_find(const char *name);

/* Its name in -testactivationheight: "csv". */
const char *network_buried_name(enum buried_deployment deployment);

/* Its name in -vbparams and in getblocktemplate's answer: "taproot". */
const char *network_bip9_name(enum bip9_deployment deployment);

/* Use another signet challenge: also sets the magic, which is derived from it, and clears minimum
 * work, assumed-valid block and seeds. Borrows challenge. BIP-325, Message Start */
void network_set_signet_challenge(struct network *network, struct span challenge);

/* Apply -testactivationheight=name@height. Returns NULL or a message for the user (freed with
 * xfree()). */
NODISCARD char *network_set_activation_height(struct network *network, const char *spec);
/* Apply -vbparams=deployment:start:end[:min_activation_height]. As above. */
NODISCARD char *network_set_vbparams(struct network *network, const char *spec);

#endif
