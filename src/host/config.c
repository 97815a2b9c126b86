/* config.c - see config.h */
#include "host/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/config_base.h"
#include "host/config_internal.h"
#include "host/config_memory.h"
#include "host/config_options.h"
#include "host/config_proxy.h"
#include "host/files.h"
#include "host/log_file.h"
#include "p2p/connect/dns_seed.h"
#include "p2p/connect/named_node.h"
#include "util/array.h"
#include "util/hex.h"
#include "util/parse.h"

#define MIB                    ((int64_t)1024 * 1024)
#define FASTPRUNE_FILE_BYTES   (64 << 10)
#define FASTPRUNE_AFTER_HEIGHT 100

/* -- The config file ------------------------------------------------------------------------ */

/* The data directory that the file has named holds another config file: which one was meant? Core
 * stops there, in these words, unless -allowignoredconf is set. */
static bool refuse_second_file(struct config *config, const char *first_dir, char **error)
{
    ASSERT(config->base_dir && first_dir);
    char *second = config_default_file(config->base_dir);
    struct stat a, b;
    const char *name = strrchr(second, '/') + 1;
    bool is_second =
        config->config_path && stat(second, &b) == 0 &&
        (stat(config->config_path, &a) != 0 || a.st_ino != b.st_ino || a.st_dev != b.st_dev);
    if (!is_second) {
        xfree(second);
        return true;
    }
    const char *named = options_get_string(&config->options, "conf", "");
    char *unnamed = config_default_file(first_dir); /* what -conf need not have named */
    bool is_named = *named && strcmp(config->config_path, unnamed) != 0;
    char *source = is_named ? xasprintf("command line argument \"-conf=%s\"", named)
                            : xasprintf("data directory \"%s\"", first_dir);
    xfree(unnamed);
    char *why = xasprintf(
        "Data directory \"%s\" contains a \"%s\" file which is ignored, because a different "
        "configuration file \"%s\" from %s is being used instead. Possible ways to address this "
        "would be to:\n- Delete or rename the \"%s\" file in data directory \"%s\".\n- Change "
        "datadir= or conf= options to specify one configuration file, not two, and use "
        "includeconf= to include any other configuration files.",
        config->base_dir, name, config->config_path, source, name, config->base_dir);
    xfree(second);
    xfree(source);
    bool is_allowed = options_get_bool(&config->options, "allowignoredconf", false);
    if (is_allowed)
        options_message(&config->options, OPTION_MESSAGE_LOGGED, "%s", why);
    else
        *error = xasprintf("%s\n- Set allowignoredconf=1 option to treat this condition as a "
                           "warning, not an error.",
                           why);
    xfree(why);
    return is_allowed;
}

/* -- The network ---------------------------------------------------------------------------- */

/* They stand for the network's own. */
static bool apply_signet_seeds(struct config *config, char **error)
{
    config->signet_seeds = config_list_of(config, "signetseednode");
    const struct config_list *seeds = &config->signet_seeds;
    for (size_t i = 0; i < seeds->n; i++)
        if (seeds->at[i][0] == '\0' || strlen(seeds->at[i]) > NAMED_TEXT_MAX)
            return REFUSE(error, "-signetseednode: '%s' cannot be the name of a node",
                          seeds->at[i]);
    if (seeds->n > DNS_SEED_LOOKUPS_MAX)
        return REFUSE(error, "-signetseednode: more than %d are given", DNS_SEED_LOOKUPS_MAX);
    if (seeds->n > 0) {
        config->network.dns_seeds = seeds->at;
        config->network.n_dns_seeds = (uint32_t)seeds->n;
    }
    return true;
}

static bool apply_signet(struct config *config, char **error)
{
    const struct options *options = &config->options;
    const char *hex = options_get_list(options, "signetchallenge", 0);
    if (!hex)
        return apply_signet_seeds(config, error);
    if (options_get_list(options, "signetchallenge", 1))
        return REFUSE(error, "-signetchallenge cannot be multiple values.");
    size_t len = strlen(hex);
    uint8_t *challenge = arena_alloc(&config->options.arena, len / 2 + 1);
    if (!hex_decode(challenge, len / 2, hex, len))
        return REFUSE(error, "-signetchallenge must be hex, not '%s'.", hex);
    network_set_signet_challenge(&config->network, span_of(challenge, len / 2));
    return apply_signet_seeds(config, error);
}

static bool apply_regtest(struct config *config, char **error)
{
    const char *spec;
    for (size_t i = 0; (spec = options_get_list(&config->options, "testactivationheight", i));
         i++) {
        *error = network_set_activation_height(&config->network, spec);
        if (*error)
            return false;
    }
    for (size_t i = 0; (spec = options_get_list(&config->options, "vbparams", i)); i++) {
        *error = network_set_vbparams(&config->network, spec);
        if (*error)
            return false;
    }
    return true;
}

/* -test=<option>: Core's for its own tests, of which one changes what is valid. */
static bool apply_tests(struct config *config, char **error)
{
    struct options *options = &config->options;
    const char *test;
    config->repair = options_get_bool(options, "repair", true);
    if (options_is_set(options, "test") && !config->network.mine_blocks_on_demand)
        return REFUSE(error, "-test=<option> can only be used with regtest");
    for (size_t i = 0; (test = options_get_list(options, "test", i)); i++) {
        if (strcmp(test, "bip94") == 0)
            config->network.enforce_bip94 = true;
        else if (strcmp(test, "addrman") == 0)
            config->net.p2p.test_address_book = true;
        else if (strcmp(test, "reindex_after_failure_noninteractive_yes") == 0)
            config->repair = true;
        else
            options_message(options, OPTION_MESSAGE_TOLD,
                            "Unrecognised option \"%s\" provided in -test=<option>.", test);
    }
    config->chain.keeps_damage = !config->repair;
    return true;
}

static bool choose_network(struct config *config, char **error)
{
    const struct network *network = &config->network;
    if (!config_choose_network(&config->options, config->base_dir, &config->network, error))
        return false;
    if (network->kind == NETWORK_MAIN && options_get_bool(&config->options, "dev", false))
        return REFUSE(error, "-dev is for test chains only: its keys are known to everybody");
    if (network->kind == NETWORK_SIGNET && !apply_signet(config, error))
        return false;
    if (!apply_tests(config, error))
        return false;
    /* As in Core, these options are not even looked at elsewhere. */
    return !network->mine_blocks_on_demand || apply_regtest(config, error);
}

/* -- The chain ------------------------------------------------------------------------------ */

/* Up to 64 digits, with or without 0x; shorter is filled with zeros in front. Bytes reversed. */
static bool parse_hash(const char *s, uint8_t out[32])
{
    char digits[65];
    if (strncmp(s, "0x", 2) == 0)
        s += 2;
    size_t len = strlen(s);
    if (len == 0 || len > 64)
        return false;
    memset(digits, '0', 64 - len);
    memcpy(digits + 64 - len, s, len + 1);
    return hex_decode_reversed(out, 32, digits, 64);
}

static bool set_trust(struct config *config, char **error)
{
    const char *text = options_get_string(&config->options, "assumevalid", NULL);
    if (text) {
        if (!parse_hash(text, config->assume_valid.b))
            return REFUSE(error,
                          "Invalid assumevalid block hash specified (%s), must be up to 64 hex "
                          "digits (or 0 to disable)",
                          text);
        config->chain.assume_valid = &config->assume_valid;
    }
    text = options_get_string(&config->options, "minimumchainwork", NULL);
    if (text) {
        uint8_t bytes[32];
        if (!parse_hash(text, bytes))
            return REFUSE(error, "Invalid minimum work specified (%s), must be up to 64 hex digits",
                          text);
        config->min_chain_work = u256_from_le(bytes);
        config->chain.min_chain_work = &config->min_chain_work;
    }
    return true;
}

static bool set_pruning(struct config *config, char **error)
{
    const struct options *options = &config->options;
    int64_t mib = options_get_int(options, "prune", 0);
    if (mib < 0)
        return REFUSE(error, "Prune cannot be configured with a negative value.");
    if (mib > INT64_MAX / MIB)
        return REFUSE(error, "-prune is too large: %lld", (long long)mib);
    if (mib > 1 && mib * MIB < (int64_t)CHAIN_PRUNE_MIN_BYTES)
        return REFUSE(error, "Prune configured below the minimum of 550 MiB.  Please use a higher "
                             "number.");
    config->chain.block_xor =
        options_get_bool(options, "blocksxor", true) ? CHAIN_XOR_ON : CHAIN_XOR_OFF;
    config->chain.prune = mib > 0;
    config->chain.prune_target_bytes = mib > 1 ? (uint64_t)(mib * MIB) : 0;
    if (options_get_bool(options, "fastprune", false)) {
        config->chain.block_file_bytes = FASTPRUNE_FILE_BYTES;
        if (config->network.mine_blocks_on_demand)
            config->network.prune_after_height = FASTPRUNE_AFTER_HEIGHT;
    }
    if (config->chain.prune && config->chain.txindex)
        return REFUSE(error, "Prune mode is incompatible with -txindex.");
    if (config->chain.prune && config->chain.spender_index)
        return REFUSE(error, "Prune mode is incompatible with -txospenderindex.");
    if (config->chain.prune && config->chain.reindex_chainstate)
        return REFUSE(error, "Prune mode is incompatible with -reindex-chainstate. Use full "
                             "-reindex instead.");
    return true;
}

static int compute_threads(int64_t par)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    cores = MAX_OF(cores, 1);
    return (int)config_clamp(par > 0 ? par : cores + par, 1, CONFIG_COMPUTE_MAX);
}

static bool set_chain(struct config *config, char **error)
{
    const struct options *options = &config->options;
    config->compute_threads = compute_threads(options_get_int(options, "par", 0));
    if (config->mock_time_s != 0 && !config->network.mine_blocks_on_demand)
        return REFUSE(error, "-mocktime is for regtest only.");
    if (config->mock_time_s < 0)
        return REFUSE(error, "-mocktime cannot be negative.");
    config->mock_time_s = config_clamp(config->mock_time_s, 0, UINT32_MAX);
    return set_trust(config, error) && set_pruning(config, error);
}

/* -- Lists ----------------------------------------------------------------------------------- */

struct config_list config_list_of(const struct config *config, const char *name)
{
    ASSERT(config);
    struct config_list list = {0};
    const char *item;
    while ((item = options_get_list(&config->options, name, list.n)))
        *ARRAY_ADD(&list) = item;
    return list;
}

/* What getnetworkinfo and its like say about the options for as long as the node runs. */
static struct config_list lasting_warnings(const struct options *options)
{
    struct config_list list = {0};
    for (size_t i = 0; i < options->messages.n; i++)
        if (options->messages.at[i].kind == OPTION_MESSAGE_LASTS)
            *ARRAY_ADD(&list) = options->messages.at[i].text;
    return list;
}

/* -- The log -------------------------------------------------------------------------------- */

#define LOG_LEVELS "info, debug, trace"

static bool is_log_level(const char *text)
{
    return strcmp(text, "info") == 0 || strcmp(text, "debug") == 0 || strcmp(text, "trace") == 0;
}

/* A level changes nothing here, but a wrong one is told, in Core's words. */
static bool check_log_level(const char *text, char **error)
{
    const char *colon = strchr(text, ':');
    if (!colon)
        return is_log_level(text) ||
               REFUSE(error, "Unsupported global logging level -loglevel=%s. Valid values: %s.",
                      text, LOG_LEVELS);
    char *name = xasprintf("%.*s", (int)(colon - text), text);
    bool ok = log_category_find(name) >= 0 && is_log_level(colon + 1);
    xfree(name);
    if (ok)
        return true;
    struct buffer names;
    buffer_init(&names);
    for (int i = 0; i < LOG_CATEGORY_COUNT; i++) {
        buffer_append_string(&names, i > 0 ? ", " : "");
        buffer_append_string(&names, log_category_name((enum log_category)i));
    }
    buffer_append(&names, "", 1);
    *error = xasprintf("Unsupported category-specific logging level -loglevel=%s. Expected "
                       "-loglevel=<category>:<loglevel>. Valid categories: %s. Valid loglevels: "
                       "%s.",
                       text, (const char *)names.p, LOG_LEVELS);
    buffer_deinit(&names);
    return false;
}

static bool check_log_levels(const struct options *options, char **error)
{
    const char *text;
    for (size_t i = 0; (text = options_get_list(options, "loglevel", i)); i++)
        if (!check_log_level(text, error))
            return false;
    return true;
}

static bool set_log(struct config *config, char **error)
{
    ASSERT(config->data_dir && !config->log_path);
    struct options *options = &config->options;
    if (!check_log_levels(options, error))
        return false;
    static const char *const lists[] = {"debug", "debugexclude"};
    const char *name;
    uint32_t bits;
    for (size_t list = 0; list < COUNT_OF(lists); list++) {
        bool adds = list == 0;
        for (size_t i = 0; (name = options_get_list(options, lists[list], i)); i++) {
            if (strcmp(name, "libevent") == 0) { /* known to older scripts; as Core */
                options_message(options, OPTION_MESSAGE_LOGGED,
                                "The logging category `libevent` is deprecated, does nothing, and "
                                "will be removed in a future version");
                continue;
            }
            if (!log_file_parse_category(name, &bits))
                return REFUSE(error, "Unsupported logging category -%s=%s.", lists[list], name);
            if (adds)
                config->log_categories = bits ? config->log_categories | bits : 0;
            else
                config->log_categories &= ~bits;
        }
    }
    if (!options_is_negated(options, "debuglogfile"))
        config->log_path = config_path_in(config->data_dir,
                                          options_get_string(options, "debuglogfile", "debug.log"));
    /* A container or systemd collects what is written there; a person watches the progress. */
    bool is_collected = !config->daemon && !isatty(STDOUT_FILENO);
    config->print_to_console = options_get_bool(options, "printtoconsole", is_collected);
    return true;
}

/* -- All together --------------------------------------------------------------------------- */

static bool set_dirs(struct config *config, char **error)
{
    ASSERT(config->base_dir && !config->data_dir);
    const struct options *options = &config->options;
    config->data_dir = config_network_dir(config->base_dir, &config->network);
    config->pid_path =
        config_path_in(config->data_dir, options_get_string(options, "pid", "cairnd.pid"));
    const char *blocks = options_get_string(options, "blocksdir", "");
    if (!*blocks)
        return true;
    char *blocks_base = config_absolute(blocks);
    bool exists = config_is_dir(blocks_base);
    config->blocks_dir = config_network_dir(blocks_base, &config->network);
    xfree(blocks_base);
    return exists || REFUSE(error, "Specified blocks directory \"%s\" does not exist.", blocks);
}

/* The data directory, the config file that it holds, and what that file says of both. */
static bool choose_dirs(struct config *config, char **error)
{
    char *first_dir;
    bool ok = config_read_base(&config->options, &first_dir, &config->base_dir,
                               &config->config_path, error) &&
              refuse_second_file(config, first_dir, error);
    xfree(first_dir);
    return ok && choose_network(config, error) && set_dirs(config, error);
}

/* A new data directory has an empty folder of wallets, as Core's has without wallets too: a wallet
 * made there later, or a script that saves wallets, finds it. */
static bool make_dirs(struct config *config, char **error)
{
    ASSERT(config->data_dir);
    char *wallets = config_path_in(config->data_dir, "wallets");
    const char *dirs[] = {config_is_dir(config->data_dir) ? NULL : wallets, config->blocks_dir};
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT_OF(dirs); i++) {
        int rc = dirs[i] ? files_make_dir(NULL, dirs[i]) : 0;
        if (rc != 0)
            ok = REFUSE(error, "Cannot make directory '%s': %s", dirs[i], strerror(-rc));
    }
    xfree(wallets);
    return ok;
}

/* What one option says of others that were not given. In this order: each may have set what the
 * next looks at. Spec: Core InitParameterInteraction(), messages too. */
enum interaction_when { WHEN_GIVEN, WHEN_LISTED, WHEN_ON, WHEN_OFF, WHEN_PROXY, WHEN_HIDDEN };

static const struct interaction {
    const char *option;
    enum interaction_when when;
    const char *implied, *value;
} interactions[] = {
    {"bind", WHEN_LISTED, "listen", "1"},
    {"whitebind", WHEN_LISTED, "listen", "1"},
    {"connect", WHEN_GIVEN, "dnsseed", "0"},
    {"connect", WHEN_GIVEN, "listen", "0"},
    {"maxconnections", WHEN_OFF, "dnsseed", "0"},
    {"maxconnections", WHEN_OFF, "listen", "0"},
    {"proxy", WHEN_PROXY, "listen", "0"},
    {"proxy", WHEN_PROXY, "natpmp", "0"},
    {"proxy", WHEN_PROXY, "discover", "0"},
    {"listen", WHEN_OFF, "natpmp", "0"},
    {"listen", WHEN_OFF, "discover", "0"},
    {"listen", WHEN_OFF, "listenonion", "0"},
    {"listen", WHEN_OFF, "i2pacceptincoming", "0"},
    {"externalip", WHEN_LISTED, "discover", "0"},
    {"onlynet", WHEN_HIDDEN, "dnsseed", "0"},
    {"dev", WHEN_ON, "fallbackestimate", "0.00001"},
    {"dev", WHEN_ON, "maxtipage", "4294967295"},
    {"blocksonly", WHEN_ON, "whitelistrelay", "0"},
    {"blocksonly", WHEN_ON, "maxmempool", "5"},
    {"whitelistforcerelay", WHEN_ON, "whitelistrelay", "1"},
};

static bool interacts(const struct options *options, const struct interaction *row)
{
    switch (row->when) {
    case WHEN_GIVEN:
        return options_is_set(options, row->option);
    case WHEN_LISTED:
        return options_get_list(options, row->option, 0) != NULL;
    case WHEN_ON:
        return options_get_bool(options, row->option, false);
    case WHEN_OFF:
        return !options_get_bool(options, row->option, true);
    case WHEN_PROXY:
        return config_proxy_is_set(options);
    case WHEN_HIDDEN:
        return config_proxy_hides_clearnet(options);
    }
    return false;
}

static void apply_interactions(struct options *options)
{
    static const char *const words[] = {" set", " set", "=1",
                                        "=0",   " set", " excludes IPv4 and IPv6"};
    _Static_assert(COUNT_OF(words) == WHEN_HIDDEN + 1, "a word for each case");
    for (size_t i = 0; i < COUNT_OF(interactions); i++) {
        const struct interaction *row = &interactions[i];
        if (interacts(options, row) && options_imply(options, row->implied, row->value))
            options_message(options, OPTION_MESSAGE_LOGGED,
                            "parameter interaction: -%s%s -> setting -%s=%s", row->option,
                            words[row->when], row->implied, row->value);
    }
}

/* Options that contradict each other. Spec: Core AppInitParameterInteraction(), messages too. */
static bool refuse_contradictions(const struct options *options, char **error)
{
    bool listens = options_get_bool(options, "listen", true);
    if (!listens &&
        (options_get_list(options, "bind", 0) || options_get_list(options, "whitebind", 0)))
        return REFUSE(error, "Cannot set -bind or -whitebind together with -listen=0");
    if (!listens && options_get_bool(options, "listenonion", false))
        return REFUSE(error, "Cannot set -listen=0 together with -listenonion=1");
    if (options_get_bool(options, "forcednsseed", false) &&
        !options_get_bool(options, "dnsseed", true))
        return REFUSE(error, "Cannot set -forcednsseed to true when setting -dnsseed to false.");
    return true;
}

/* Sizes of what comes before and behind a transaction have no limits of their own any more.
 * Spec: Core AppInitParameterInteraction(), messages too */
static void tell_replaced(struct options *options)
{
    static const char *const kinds[] = {"ancestor", "descendant"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        char name[32];
        snprintf(name, sizeof name, "limit%ssize", kinds[i]);
        if (options_is_set(options, name))
            options_message(options, OPTION_MESSAGE_TOLD,
                            "Option '-%s' is given but %s size limits have been replaced with "
                            "cluster size limits (see -limitclustersize). This option has no "
                            "effect.",
                            name, kinds[i]);
    }
}

/* Core's words and values: a kind by name, 1 or nothing for all kinds, 0 for none. */
static bool set_filters(struct config *config, char **error)
{
    const struct options *options = &config->options;
    const char *value;
    for (size_t i = 0; (value = options_get_list(options, "blockfilterindex", i)); i++) {
        if (strcmp(value, "0") == 0)
            continue;
        if (strcmp(value, "") != 0 && strcmp(value, "1") != 0 && strcmp(value, "basic") != 0)
            return fail_with(error, "Unknown -blockfilterindex value %s.", value);
        config->chain.filter_index = true;
    }
    if (options_get_bool(options, "peerblockfilters", false) && !config->chain.filter_index)
        return REFUSE(error, "Cannot set -peerblockfilters without -blockfilterindex.");
    return true;
}

static void set_process(struct config *config)
{
    config->daemon |= config->daemon_wait;
    config->load_blocks = config_list_of(config, "loadblock");
}

static bool wants_to_be_told(struct config *config)
{
    const struct options *options = &config->options;
    if (options_get_bool(options, "version", false))
        config->action = CONFIG_SHOW_VERSION;
    else if (options_get_bool(options, "help-debug", false))
        config->action = CONFIG_SHOW_HELP_DEBUG;
    else if (options_get_bool(options, "help", false) || options_get_bool(options, "h", false) ||
             options_get_bool(options, "?", false))
        config->action = CONFIG_SHOW_HELP;
    return config->action != CONFIG_RUN;
}

bool config_init(struct config *config, int argc, const char *const *argv, char **error)
{
    ASSERT(config && error);
    *error = NULL;
    memset(config, 0, sizeof *config);
    size_t n;
    const struct option_def *defs = config_options(&n);
    options_init(&config->options, defs, n);
    if (!options_parse_args(&config->options, argc, argv, NULL, error))
        return false;
    if (wants_to_be_told(config))
        return true;
    if (!choose_dirs(config, error) ||
        !config_settings_read(&config->settings, &config->options, config->data_dir, error))
        return false;
    apply_interactions(&config->options);
    if (!config_share_memory(&config->options, error))
        return false;
    options_fill(&config->options, config);
    set_process(config);
    if (!refuse_contradictions(&config->options, error) || !set_filters(config, error) ||
        !set_chain(config, error) || !config_rpc_init(config, error) || !set_log(config, error) ||
        !make_dirs(config, error) ||
        !config_net_init(&config->net, &config->options, &config->network, config->data_dir, error))
        return false;
    if (!config_zmq_init(&config->zmq, &config->options, error) ||
        !config_signet_init(&config->signet, &config->options, &config->network, error) ||
        !config_dev_init(&config->dev, &config->options, &config->network, &config->signet, error))
        return false;
    config->net.block.signer = config->signet.signer;
    config->net.p2p.min_chain_work = config->chain.min_chain_work; /* headers of less: not kept */
    options_tell_ignored(&config->options);
    tell_replaced(&config->options);
    config_proxy_tell(&config->net, &config->options);
    config->warnings = lasting_warnings(&config->options);
    return true;
}

void config_deinit(struct config *config)
{
    ASSERT(config);
    config_net_deinit(&config->net);
    config_dev_deinit(&config->dev);
    config_signet_deinit(&config->signet);
    config_zmq_deinit(&config->zmq);
    config_settings_deinit(&config->settings);
    options_deinit(&config->options);
    char *strings[] = {config->base_dir,    config->data_dir,       config->blocks_dir,
                       config->config_path, config->log_path,       config->pid_path,
                       config->cookie_path, config->rpc_socket_path,
                       config->ui_address, config->ui_mesh_path};
    for (size_t i = 0; i < COUNT_OF(strings); i++)
        xfree(strings[i]);
    struct config_list *lists[] = {&config->load_blocks, &config->rpc_hosts,
                                   &config->rpcauth,     &config->rpc_whitelist,
                                   &config->warnings,    &config->signet_seeds};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        ARRAY_FREE(lists[i]);
    memset(config, 0, sizeof *config);
}
