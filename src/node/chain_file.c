/* chain_file.c - see chain_file.h.
 *
 * Fields are read one by one (chain_fields.h); here is asked what they say of each other, and made
 * what follows from them. */
#include "node/chain_file.h"

#include "consensus/pow.h"
#include "consensus/script_iter.h"
#include "node/chain_fields.h"
#include "node/chain_rules.h"
#include "util/alloc.h"
#include "util/hex.h"

#define LIMIT_BITS     0x207fffff
#define PERIOD_DEFAULT 144 /* without retargets, as regtest counts its periods */

/* -- Names ------------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
    size_t i = 0;
    while (i < n && strcmp(list[i], name) != 0)
        i++;
    return i < n;
}

const char *chain_file_name_fault(const char *name)
{
    static const char *const nets[] = {"main",     "test",   "testnet", "testnet3",
                                       "testnet4", "signet", "regtest"};
    static const char *const folders[] = {"blocks", "chainstate", "chainstate_snapshot", "indexes",
                                          "fees",   "history",    "message_capture",     "wallets"};
    ASSERT(name);
    size_t len = strlen(name);
    if (len == 0 || len > CHAIN_FILE_NAME_MAX || !strchr("abcdefghijklmnopqrstuvwxyz", name[0]) ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
        return "must be a letter and then letters, digits, - and _, all small, 32 at most";
    if (is_one_of(name, nets, COUNT_OF(nets)))
        return "is the name of a network that everybody knows";
    if (is_one_of(name, folders, COUNT_OF(folders)))
        return "is the name of a folder in the data directory";
    return NULL;
}

/* -- Checks: what fields say of each other ------------------------------------------------------
 */

/* Returns: false, with the line of a field and what is wrong with it. */
#define WRONG(reading, group, name, ...)                                                           \
    chain_fields_refuse((reading), chain_fields_place((reading), (group), (name)),                 \
                        xasprintf(__VA_ARGS__))

static bool check_name(struct chain_reading *reading)
{
    const char *name = reading->given.network.name, *fault = chain_file_name_fault(name);
    return !fault || WRONG(reading, "", "name", "\"name\" %s: \"%s\"", fault, name);
}

/* What is sent there is meant for real coins, or for a testnet of others. */
static bool check_magic(struct chain_reading *reading)
{
    static const uint8_t zeros[4] = {0};
    if (memcmp(reading->given.network.magic, zeros, sizeof zeros) == 0 &&
        chain_fields_value(reading, "", "magic"))
        return WRONG(reading, "", "magic",
                     "\"magic\" must not be zero: so is what block files have room for");
    for (int i = 0; i < NETWORK_COUNT; i++) {
        const struct network *known = network_get((enum network_kind)i);
        if (memcmp(known->magic, reading->given.network.magic, sizeof known->magic) == 0 &&
            chain_fields_value(reading, "", "magic"))
            return WRONG(reading, "", "magic", "\"magic\" is that of %s", known->name);
    }
    return true;
}

static bool check_ports(struct chain_reading *reading)
{
    const struct network *network = &reading->given.network;
    return network->p2p_port != network->rpc_port ||
           WRONG(reading, "", "rpc_port", "\"rpc_port\" is %d, which \"p2p_port\" is already",
                 network->rpc_port);
}

/* An address or key of the one chain must not be taken for one of the other. */
static bool check_no_real_prefix(struct chain_reading *reading)
{
    const struct network *own = &reading->given.network, *real = network_get(NETWORK_MAIN);
    const struct {
        const char *name;
        uint8_t own, real;
    } prefixes[] = {{"pubkey", own->base58_pubkey, real->base58_pubkey},
                    {"script", own->base58_script, real->base58_script},
                    {"secret", own->base58_secret, real->base58_secret}};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (prefixes[i].own == prefixes[i].real)
            return WRONG(reading, "addresses", prefixes[i].name,
                         "\"addresses.%s\" is %d, that of the main network, whose coins are real",
                         prefixes[i].name, prefixes[i].own);
    return true;
}

static bool check_addresses(struct chain_reading *reading)
{
    const struct network *network = &reading->given.network;
    const char *hrp = network->bech32_hrp;
    if (!check_no_real_prefix(reading))
        return false;
    if (network->base58_pubkey == network->base58_script)
        return WRONG(reading, "addresses", "script",
                     "\"addresses.script\" is %d, which \"addresses.pubkey\" is already",
                     network->base58_script);
    if (memcmp(network->base58_xpub, network->base58_xprv, 4) == 0)
        return WRONG(reading, "addresses", "xprv",
                     "\"addresses.xprv\" is the same as \"addresses.xpub\"");
    if (hrp[strspn(hrp, "abcdefghijklmnopqrstuvwxyz0123456789")])
        return WRONG(reading, "addresses", "hrp",
                     "\"addresses.hrp\" must be small letters and digits: \"%s\"", hrp);
    if (strcmp(hrp, "bc") == 0)
        return WRONG(reading, "addresses", "hrp",
                     "\"addresses.hrp\" is that of the main network, whose coins are real");
    return true;
}

/* Bits are what a block could have, and no easier than the easiest there is: an easier target would
 * not fit into the numbers that retargets are computed with. */
static bool check_bits(struct chain_reading *reading, const char *group, const char *name,
                       uint32_t bits, uint32_t limit_bits)
{
    bool negative, overflow;
    struct u256 target = pow_target_from_bits(bits, &negative, &overflow);
    const char *in = *group ? "genesis." : "";
    if (negative || overflow || u256_is_zero(target) || pow_target_to_bits(target) != bits)
        return WRONG(reading, group, name, "\"%s%s\" is no target: %08x", in, name, bits);
    if (u256_compare(target, pow_target_from_bits(limit_bits, NULL, NULL)) > 0)
        return WRONG(reading, group, name, "\"%s%s\" is above the limit %08x: %08x", in, name,
                     limit_bits, bits);
    return true;
}

static bool check_limit(struct chain_reading *reading)
{
    struct chain_given *given = &reading->given;
    if (!check_bits(reading, "", "pow_limit", given->limit_bits, LIMIT_BITS))
        return false;
    u256_to_le(pow_target_from_bits(given->limit_bits, NULL, NULL), given->network.pow_limit);
    return true;
}

/* All subsidies together are less than two intervals of the first. */
static bool check_supply(struct chain_reading *reading)
{
    const struct network *network = &reading->given.network;
    int64_t most = MAX_MONEY_SAT / network->subsidy_first_sat / 2;
    if (most == 0)
        return WRONG(reading, "", "subsidy",
                     "\"subsidy\" makes more than 21 million coins with the second block; "
                     "10500000 is the most");
    return network->subsidy_halving_interval <= most ||
           WRONG(reading, "", "halving_interval",
                 "\"halving_interval\" is %u: with this \"subsidy\" there would be more than 21 "
                 "million coins in the end; %lld is the most",
                 network->subsidy_halving_interval, (long long)most);
}

static bool check_challenge(struct chain_reading *reading)
{
    struct script_iter it = script_iter_of(reading->given.network.signet_challenge);
    struct script_op op;
    const uint8_t *start = it.at;
    if (!chain_fields_value(reading, "", "signet_challenge"))
        return true;
    while (script_next(&it, &op))
        ;
    return !it.failed || WRONG(reading, "", "signet_challenge",
                               "\"signet_challenge\" is no script: the push at byte %d has too few "
                               "bytes behind it",
                               (int)(it.at - start));
}

/* -- The first block --------------------------------------------------------------------------- */

static bool keep_regtests(struct chain_reading *reading)
{
    const struct network *regtest = network_get(NETWORK_REGTEST);
    struct chain_given *given = &reading->given;
    if (given->limit_bits != LIMIT_BITS)
        return WRONG(reading, "", "genesis",
                     "\"genesis\" is regtest's, whose bits %08x are above the \"pow_limit\" %08x",
                     LIMIT_BITS, given->limit_bits);
    given->genesis.bits = LIMIT_BITS;
    given->network.genesis_raw = regtest->genesis_raw;
    given->network.genesis_hash = regtest->genesis_hash;
    return true;
}

static bool check_genesis_hash(struct chain_reading *reading)
{
    char hash[HEX_ID_BYTES];
    uint8_t shown[32];
    const struct block_hash *is = &reading->given.network.genesis_hash;
    hex_encode_reversed(hash, span_of(is->b, sizeof is->b));
    bool ok = hex_decode(shown, sizeof shown, hash, 2 * sizeof shown);
    ASSERT(ok);
    return !chain_fields_value(reading, "genesis", "hash") ||
           memcmp(shown, reading->given.genesis_hash, sizeof shown) == 0 ||
           WRONG(reading, "genesis", "hash",
                 "\"genesis.hash\" does not match: the block that \"genesis\" describes is %s",
                 hash);
}

static bool make_genesis(struct chain_reading *reading)
{
    struct chain_given *given = &reading->given;
    struct network *network = &given->network;
    if (chain_fields_value(reading, "", "genesis")->kind != JSON_KIND_OBJECT)
        return keep_regtests(reading);
    if (!check_bits(reading, "genesis", "bits", given->genesis.bits, given->limit_bits))
        return false;
    network->genesis_raw = genesis_encode(&given->genesis, reading->arena, &network->genesis_hash);
    if (!check_genesis_hash(reading))
        return false;
    return reading->is_draft || pow_check(network, &network->genesis_hash, given->genesis.bits) ||
           WRONG(reading, "genesis", "nonce",
                 "\"genesis.nonce\" does not give the block the work that its bits say: cairn-cli "
                 "newchain finds one that does");
}

/* -- All together ------------------------------------------------------------------------------ */

/* What is left out is as on regtest. Nothing of that chain's history holds. */
static struct chain_given defaults(void)
{
    struct chain_given given = {.network = *network_get(NETWORK_REGTEST), .limit_bits = LIMIT_BITS};
    struct network *network = &given.network;
    network->kind = NETWORK_CUSTOM;
    network->pow_allow_min_difficulty = false;
    network->bip9[BIP9_TESTDUMMY].start_time = BIP9_NEVER_ACTIVE;
    network->dns_seeds = NULL;
    network->snapshots = NULL;
    network->n_dns_seeds = network->n_snapshots = 0;
    return given;
}

static void settle(struct chain_reading *reading)
{
    struct chain_given *given = &reading->given;
    struct network *network = &given->network;
    int64_t period = given->interval > 0 ? given->interval : PERIOD_DEFAULT;
    network->data_dir = network->name;
    network->pow_no_retargeting = given->interval == 0;
    network->pow_target_timespan_s = period * network->pow_target_spacing_s;
    network->signet_blocks = network->signet_challenge.len > 0;
    network->is_test_chain = true;
    struct u256 hashes = pow_block_work(given->genesis.bits);
    bool is_easy = u256_compare(hashes, u256_of(CHAIN_FILE_EASY_HASHES)) <= 0;
    network->mine_blocks_on_demand = is_easy && !network->signet_blocks;
    chain_rules_settle(network, chain_fields_value(reading, "", "magic") != NULL, reading->arena);
}

static bool read_chain(struct chain_reading *reading)
{
    static bool (*const checks[])(struct chain_reading *) = {
        check_name,  check_magic,  check_ports,     check_addresses,
        check_limit, check_supply, check_challenge, make_genesis};
    struct json_value *root;
    size_t fault_at;
    if (!json_parse_at(reading->text, reading->arena, &root, &fault_at))
        return chain_fields_refuse(reading, fault_at, xstrdup("this is not JSON"));
    if (!chain_fields_read(reading, root))
        return false;
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (!checks[i](reading))
            return false;
    settle(reading);
    return true;
}

bool chain_file_parse(struct span text, const char *path, struct arena *arena,
                      struct network *network, char **error)
{
    ASSERT(path && arena && network && error);
    struct chain_reading reading = {
        .text = text, .path = path, .arena = arena, .given = defaults(), .error = error};
    *error = NULL;
    if (!read_chain(&reading))
        return false;
    *network = reading.given.network;
    return true;
}

bool chain_file_mine(struct span text, const char *path, struct arena *arena, uint32_t *nonce,
                     char **error)
{
    ASSERT(path && arena && nonce && error);
    struct chain_reading reading = {.text = text,
                                    .path = path,
                                    .arena = arena,
                                    .given = defaults(),
                                    .is_draft = true,
                                    .error = error};
    struct genesis *genesis = &reading.given.genesis;
    *error = NULL;
    if (!read_chain(&reading))
        return false;
    if (genesis->message && !genesis_mine(&reading.given.network, genesis, arena))
        return WRONG(&reading, "genesis", "time",
                     "\"genesis\" has no nonce that does its work: take another time");
    *nonce = genesis->nonce;
    return true;
}
