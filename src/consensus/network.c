/* network.c - the table of networks and the options that change a row. */
#include "consensus/network.h"

#include "consensus/network_facts.h"
#include "consensus/script_verify.h"
#include "consensus/tx.h"
#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/parse.h"
#include "util/writer.h"

#define TWO_WEEKS_S (14 * 24 * 60 * 60)
#define ONE_DAY_S   (24 * 60 * 60)

/* clang-format off */

/* Blocks that broke a rule before it was one. Checking them with fewer flags lets every other
 * block, of any height, be checked with P2SH, witness and taproot rules (Core:
 * GetBlockScriptFlags()). One spends an output of the P2SH form with a script that fails, mined
 * before P2SH was a rule; one spends taproot outputs before taproot. The testnet's is of the first
 * kind. */
static const struct script_flag_exception main_exceptions[] = {
    {.hash = {MAIN_BIP16_EXCEPTION}, .flags = 0},
    {.hash = {MAIN_TAPROOT_EXCEPTION}, .flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS},
};
static const struct script_flag_exception test_exceptions[] = {
    {.hash = {TEST_BIP16_EXCEPTION}, .flags = 0},
};

static const char *const main_seeds[] = {
    "seed.bitcoin.sipa.be.",      "dnsseed.bluematt.me.",       "seed.bitcoin.jonasschnelli.ch.",
    "seed.btc.petertodd.net.",    "seed.bitcoin.sprovoost.nl.", "dnsseed.emzy.de.",
    "seed.bitcoin.wiz.biz.",      "seed.mainnet.achownodes.xyz.",
};
static const char *const test_seeds[] = {
    "testnet-seed.bitcoin.jonasschnelli.ch.", "seed.tbtc.petertodd.net.",
    "seed.testnet.bitcoin.sprovoost.nl.",     "testnet-seed.bluematt.me.",
    "seed.testnet.achownodes.xyz.",
};
static const char *const testnet4_seeds[] = {
    "seed.testnet4.bitcoin.sprovoost.nl.", "seed.testnet4.wiz.biz.",
};
static const char *const signet_seeds[] = {
    "seed.signet.bitcoin.sprovoost.nl.", "seed.signet.achownodes.xyz.",
};
static const char *const regtest_seeds[] = {"dummySeed.invalid."};

#define SPAN(array) {.p = (array), .len = sizeof(array)}
#define SEEDS(array) .dns_seeds = (array), .n_dns_seeds = COUNT_OF(array)

#define FIRST_COINS .subsidy_first_sat = 50 * COIN_SAT, .coinbase_maturity = 100

/* All test networks share their address prefixes. */
#define TEST_PREFIXES                                                                              \
    .base58_pubkey = 111, .base58_script = 196, .base58_secret = 239,                              \
    .base58_xpub = {0x04, 0x35, 0x87, 0xcf}, .base58_xprv = {0x04, 0x35, 0x83, 0x94}

#define TESTDUMMY_NEVER(limit)                                                                     \
    [BIP9_TESTDUMMY] = {.bit = 28, .start_time = BIP9_NEVER_ACTIVE, .timeout = BIP9_NO_TIMEOUT,    \
                        .period = 2016, .threshold = (limit)}

#define TAPROOT_ALWAYS(blocks, limit)                                                              \
    [BIP9_TAPROOT] = {.bit = 2, .start_time = BIP9_ALWAYS_ACTIVE, .timeout = BIP9_NO_TIMEOUT,      \
                      .period = (blocks), .threshold = (limit)}

/* Those of regtest are of the chains that Core's functional tests make. */
static const struct network_snapshot main_snapshots[] = {
    {840000, 991032194, "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5",
     "a2a5521b1b5ab65f67818e5e8eccabb7171a517f9e2382208f77687310768f96"},
    {880000, 1145604538, "000000000000000000010b17283c3c400507969a9c2afd1dcf2082ec5cca2880",
     "dbd190983eaf433ef7c15f78a278ae42c00ef52e0fd2a54953782175fbadcea9"},
    {910000, 1226586151, "0000000000000000000108970acb9522ffd516eae17acddcb1bd16469194a821",
     "4daf8a17b4902498c5787966a2b51c613acdab5df5db73f196fa59a4da2f1568"},
    {935000, 1305397408, "0000000000000000000147034958af1652b2b91bba607beacc5e72a56f0fb5ee",
     "e4b90ef9eae834f56c4b64d2d50143cee10ad87994c614d7d04125e2a6025050"},
};
static const struct network_snapshot test_snapshots[] = {
    {2500000, 66484552, "0000000000000093bcb68c03a9a168ae252572d348a2eaeba2cdf9231d73206f",
     "f841584909f68e47897952345234e37fcd9128cd818f41ee6c3ca68db8071be7"},
    {4840000, 536078574, "00000000000000f4971a7fb37fbdff89315b69a2e1920c467654a382f0d64786",
     "ce6bb677bb2ee9789c4a1c9d73e6683c53fc20e8fdbedbdaaf468982a0c8db2a"},
};
static const struct network_snapshot testnet4_snapshots[] = {
    {90000, 11347043, "0000000002ebe8bcda020e0dd6ccfbdfac531d2f6a81457191b99fc2df2dbe3b",
     "784fb5e98241de66fdd429f4392155c9e7db5c017148e66e8fdbc95746f8b9b5"},
    {120000, 14141057, "000000000bd2317e51b3c5794981c35ba894ce27d3e772d5c39ecd9cbce01dc8",
     "10b05d05ad468d0971162e1b222a4aa66caca89da2bb2a93f8f37fb29c4794b0"},
};
static const struct network_snapshot signet_snapshots[] = {
    {160000, 2289496, "0000003ca3c99aff040f2563c2ad8f8ec88bd0fd6b8f0895cfaf1ef90353a62c",
     "fe0a44309b74d6b5883d246cb419c6221bcccf0b308c9b59b7d70783dbdf928a"},
    {290000, 28547497, "0000000577f2741bb30cd9d39d6d71b023afbeb9764f6260786a97969d5c9ac0",
     "97267e000b4b876800167e71b9123f1529d13b14308abec2888bbd2160d14545"},
};
static const struct network_snapshot regtest_snapshots[] = {
    {110, 111, "135eec25a6fb277884e5824e7aa7d052c4868161c99a5122170b5266f86c273d",
     "86e9a1205b418b16dde3a18a78c730e30137e28466bda5dbf6b33ab8fc05447c"},
    {200, 201, "385901ccbd69dff6bbd00065d01fb8a9e464dede7cfe0372443884f9b1dcf6b9",
     "17dcc016d188d16068907cdeb38b75691a118d43053b8cd6a25969419381d13a"},
    {299, 334, "0c552ced4721c249a389eb9b08cb8da261cd46f0e7b5f9d064d48f3113406853",
     "106b2c56233e378a824cf0d5ff2be42ed32c72f1605c9be288d00942908a40ac"},
};
#define SNAPSHOTS(table) .snapshots = (table), .n_snapshots = COUNT_OF(table)

static const struct network networks[NETWORK_COUNT] = {
    [NETWORK_MAIN] = {
        .kind = NETWORK_MAIN, .name = "main", .data_dir = "",
        .magic = {0xf9, 0xbe, 0xb4, 0xd9}, .p2p_port = 8333, .rpc_port = 8332,
        .genesis_raw = SPAN(main_genesis), .genesis_hash = {MAIN_GENESIS_HASH},
        .pow_limit = POW_LIMIT_32,
        .pow_target_spacing_s = 600, .pow_target_timespan_s = TWO_WEEKS_S,
        /* About four years. The height is one at which the rules that are known today had
         * settled. */
        FIRST_COINS, .subsidy_halving_interval = 210000, .unknown_rules_height = 711648,
        /* Height in coinbase: March 2013. Strict DER: July 2015. Lock times in scripts: December
         * 2015. Relative lock times: July 2016. Segwit: August 2017. */
        .buried_height = {227931, 363725, 388381, 419328, 481824},
        .bip34_hash = {MAIN_BIP34_HASH},
        .bip9 = {
            /* Taproot: from 24 April to 11 August 2021, with 90% of a period; it locked in in June
             * and held from November on, so that there was time to upgrade. BIP-341, Deployment */
            TESTDUMMY_NEVER(1815),
            [BIP9_TAPROOT] = {.bit = 2, .start_time = 1619222400, .timeout = 1628640000,
                              .min_activation_height = 709632, .period = 2016, .threshold = 1815},
        },
        .exceptions = main_exceptions, .n_exceptions = COUNT_OF(main_exceptions),
        .min_chain_work = MAIN_MIN_WORK, .assume_valid = {MAIN_ASSUME_VALID},
        .base58_pubkey = 0, .base58_script = 5, .base58_secret = 128,
        .base58_xpub = {0x04, 0x88, 0xb2, 0x1e}, .base58_xprv = {0x04, 0x88, 0xad, 0xe4},
        .bech32_hrp = "bc", SEEDS(main_seeds), SNAPSHOTS(main_snapshots),
        .prune_after_height = 100000,
        .tx_stats = {.time_s = 1723649144, .count = 1059312821, .per_s = 6.721086701157182},
    },
    [NETWORK_TEST] = {
        .kind = NETWORK_TEST, .name = "test", .data_dir = "testnet3",
        .magic = {0x0b, 0x11, 0x09, 0x07}, .p2p_port = 18333, .rpc_port = 18332,
        .genesis_raw = SPAN(test_genesis), .genesis_hash = {TEST_GENESIS_HASH},
        .pow_limit = POW_LIMIT_32, .pow_allow_min_difficulty = true,
        .pow_target_spacing_s = 600, .pow_target_timespan_s = TWO_WEEKS_S,
        FIRST_COINS, .subsidy_halving_interval = 210000, .unknown_rules_height = 2013984,
        .buried_height = {21111, 330776, 581885, 770112, 834624},
        .bip34_hash = {TEST_BIP34_HASH},
        .bip9 = {
            TESTDUMMY_NEVER(1512),
            [BIP9_TAPROOT] = {.bit = 2, .start_time = 1619222400, .timeout = 1628640000,
                              .period = 2016, .threshold = 1512},
        },
        .exceptions = test_exceptions, .n_exceptions = COUNT_OF(test_exceptions),
        .min_chain_work = TEST_MIN_WORK, .assume_valid = {TEST_ASSUME_VALID},
        .is_test_chain = true, TEST_PREFIXES,
        .bech32_hrp = "tb", SEEDS(test_seeds), SNAPSHOTS(test_snapshots),
        .prune_after_height = 1000,
    },
    [NETWORK_TESTNET4] = {
        .kind = NETWORK_TESTNET4, .name = "testnet4", .data_dir = "testnet4",
        .magic = {0x1c, 0x16, 0x3f, 0x28}, .p2p_port = 48333, .rpc_port = 48332,
        .genesis_raw = SPAN(testnet4_genesis), .genesis_hash = {TESTNET4_GENESIS_HASH},
        .pow_limit = POW_LIMIT_32, .pow_allow_min_difficulty = true, .enforce_bip94 = true,
        .pow_target_spacing_s = 600, .pow_target_timespan_s = TWO_WEEKS_S,
        FIRST_COINS, .subsidy_halving_interval = 210000,
        .buried_height = {1, 1, 1, 1, 1},
        .bip9 = {TESTDUMMY_NEVER(1512), TAPROOT_ALWAYS(2016, 1512)},
        .min_chain_work = TESTNET4_MIN_WORK, .assume_valid = {TESTNET4_ASSUME_VALID},
        .is_test_chain = true, TEST_PREFIXES,
        .bech32_hrp = "tb", SEEDS(testnet4_seeds), SNAPSHOTS(testnet4_snapshots),
        .prune_after_height = 1000,
    },
    [NETWORK_SIGNET] = {
        .kind = NETWORK_SIGNET, .name = "signet", .data_dir = "signet",
        .magic = {0x0a, 0x03, 0xcf, 0x40}, .p2p_port = 38333, .rpc_port = 38332,
        .genesis_raw = SPAN(signet_genesis), .genesis_hash = {SIGNET_GENESIS_HASH},
        .pow_limit = POW_LIMIT_SIGNET,
        .pow_target_spacing_s = 600, .pow_target_timespan_s = TWO_WEEKS_S,
        FIRST_COINS, .subsidy_halving_interval = 210000,
        .buried_height = {1, 1, 1, 1, 1},
        .bip9 = {TESTDUMMY_NEVER(1815), TAPROOT_ALWAYS(2016, 1815)},
        .min_chain_work = SIGNET_MIN_WORK, .assume_valid = {SIGNET_ASSUME_VALID},
        .is_test_chain = true, .signet_blocks = true, .signet_challenge = SPAN(signet_challenge),
        TEST_PREFIXES,
        .bech32_hrp = "tb", SEEDS(signet_seeds), SNAPSHOTS(signet_snapshots),
        .prune_after_height = 1000,
    },
    [NETWORK_REGTEST] = {
        .kind = NETWORK_REGTEST, .name = "regtest", .data_dir = "regtest",
        .magic = {0xfa, 0xbf, 0xb5, 0xda}, .p2p_port = 18444, .rpc_port = 18443,
        .genesis_raw = SPAN(regtest_genesis), .genesis_hash = {REGTEST_GENESIS_HASH},
        .pow_limit = POW_LIMIT_REGTEST, .pow_allow_min_difficulty = true,
        .pow_no_retargeting = true,
        .pow_target_spacing_s = 600, .pow_target_timespan_s = ONE_DAY_S,
        /* Short, so that tests come to see halvings and changes of difficulty rules soon. All rules
         * hold from the start: what tests want is today's behaviour, and options move single
         * heights. */
        FIRST_COINS, .subsidy_halving_interval = 150,
        .buried_height = {1, 1, 1, 1, 0},
        .bip9 = {
            [BIP9_TESTDUMMY] = {.bit = 28, .start_time = 0, .timeout = BIP9_NO_TIMEOUT,
                                .period = 144, .threshold = 108},
            TAPROOT_ALWAYS(144, 108),
        },
        .is_test_chain = true, .mine_blocks_on_demand = true,
        TEST_PREFIXES,
        .bech32_hrp = "bcrt", SEEDS(regtest_seeds), SNAPSHOTS(regtest_snapshots),
        .prune_after_height = 1000,
    },
};

static const char *const buried_names[BURIED_COUNT] = {
    [BURIED_HEIGHTINCB] = "bip34", [BURIED_DERSIG] = "dersig", [BURIED_CLTV] = "cltv",
    [BURIED_CSV] = "csv",          [BURIED_SEGWIT] = "segwit",
};

static const char *const bip9_names[BIP9_COUNT] = {
    [BIP9_TESTDUMMY] = "testdummy",
    [BIP9_TAPROOT] = "taproot",
};
/* clang-format on */

const struct network *network_get(enum network_kind kind)
{
    ASSERT((unsigned)kind < NETWORK_COUNT);
    return &networks[kind];
}

const struct network *network_find(const char *name)
{
    for (size_t i = 0; i < NETWORK_COUNT; i++) {
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    }
    return NULL;
}

/* The names are those of Core's options and answers, which clients compare. */
const char *network_bip9_name(enum bip9_deployment deployment)
{
    ASSERT((unsigned)deployment < BIP9_COUNT);
    return bip9_names[deployment];
}

const char *network_buried_name(enum buried_deployment deployment)
{
    ASSERT((unsigned)deployment < BURIED_COUNT);
    return buried_names[deployment];
}

/* Every challenge is a network of its own, so nodes of two of them cannot talk. What is known of
 * the public signet's chain, its work and its seeds, says nothing about another's. */
void network_set_signet_challenge(struct network *network, struct span challenge)
{
    ASSERT(network);
    /* The start of the double hash of the challenge with its length. BIP-325, Message Start */
    struct sha256 h;
    uint8_t digest[32];
    sha256_init(&h);
    struct writer w = writer_to_sha256(&h);
    write_var_span(&w, challenge);
    sha256d_final(&h, digest);
    memcpy(network->magic, digest, sizeof network->magic);

    network->signet_challenge = challenge;
    memset(network->min_chain_work, 0, sizeof network->min_chain_work);
    memset(&network->assume_valid, 0, sizeof network->assume_valid);
    network->dns_seeds = NULL;
    network->n_dns_seeds = 0;
    network->fixed_seeds = NULL;
    network->n_fixed_seeds = 0;
}

/* A whole number within bounds; anything else in the text is refused. */
static bool number_in(const char *text, int64_t least, int64_t most, int64_t *out)
{
    return parse_int64(text, out) && *out >= least && *out <= most;
}

char *network_set_activation_height(struct network *network, const char *spec)
{
    const char *at = strchr(spec, '@');
    if (!at)
        return xasprintf("Invalid format (%s) for -testactivationheight=name@height.", spec);

    int64_t height;
    if (!number_in(at + 1, 0, INT32_MAX - 1, &height))
        return xasprintf("Invalid height value (%s) for -testactivationheight=name@height.", spec);

    size_t name_len = (size_t)(at - spec);
    for (size_t i = 0; i < BURIED_COUNT; i++) {
        if (strlen(buried_names[i]) == name_len && memcmp(buried_names[i], spec, name_len) == 0) {
            network->buried_height[i] = (int32_t)height;
            return NULL;
        }
    }
    return xasprintf("Invalid name (%s) for -testactivationheight=name@height.", spec);
}

#define VBPARAMS_FIELDS_MAX 4

/* Cut text at its colons. Returns the number of fields, counted beyond the maximum too. */
static size_t fields_cut(char *text, const char *fields[VBPARAMS_FIELDS_MAX])
{
    size_t n = 0;
    for (char *field; (field = strsep(&text, ":")); n++) {
        if (n < VBPARAMS_FIELDS_MAX)
            fields[n] = field;
    }
    return n;
}

/* Core's words for what is wrong, in Core's order. */
static char *vbparams_apply(struct network *network, const char *const fields[], size_t n)
{
    ASSERT(n >= 3 && n <= VBPARAMS_FIELDS_MAX);
    int64_t start, timeout, min_height = 0;
    if (!parse_int64(fields[1], &start))
        return xasprintf("Invalid nStartTime (%s)", fields[1]);
    if (!parse_int64(fields[2], &timeout))
        return xasprintf("Invalid nTimeout (%s)", fields[2]);
    if (n == VBPARAMS_FIELDS_MAX && !number_in(fields[3], INT32_MIN, INT32_MAX, &min_height))
        return xasprintf("Invalid min_activation_height (%s)", fields[3]);

    for (size_t i = 0; i < BIP9_COUNT; i++) {
        if (strcmp(fields[0], bip9_names[i]) != 0)
            continue;
        network->bip9[i].start_time = start;
        network->bip9[i].timeout = timeout;
        network->bip9[i].min_activation_height = (int32_t)min_height;
        return NULL;
    }
    return xasprintf("Invalid deployment (%s)", fields[0]);
}

/* Only tests use it: the times of a real network's deployments are rules. */
char *network_set_vbparams(struct network *network, const char *spec)
{
    const char *fields[VBPARAMS_FIELDS_MAX];
    char *text = xstrdup(spec);
    size_t n = fields_cut(text, fields);
    char *error;
    if (n < 3 || n > VBPARAMS_FIELDS_MAX)
        error = xstrdup("Version bits parameters malformed, expecting "
                        "deployment:start:end[:min_activation_height]");
    else
        error = vbparams_apply(network, fields, n);
    xfree(text);
    return error;
}
